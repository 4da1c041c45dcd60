#!/bin/sh
# as-mttcr-book-e.sh: `mttcr` in a program for the 405 is another register if nobody says -mcpu=405.
#
# The 40x has its timer registers at other numbers (TCR 986) than Book E (340). gcc without -mcpu hands -many to GNU as,
# which then takes mnemonics of every core: `mttcr` becomes Book E's 340, a number that a 405 answers with an
# illegal-instruction interrupt. With -m405 it is 986. Both are silent, and both objects link with each other.
#
# Tried: binutils-powerpc-linux-gnu 2.40-2. mttcr r3: SPR 340 with -many, 986 with -m405.
set -eu
cd "$(mktemp -d)"
fail() { echo "$1" >&2; exit "${2:-1}"; }
for package in binutils-powerpc-linux-gnu=2.40-2 libbinutils=2.40-2; do
    apt-get -qq download "$package" >log 2>&1 || fail "$package can't be had: $(tail -n 1 log)" 2
done
for deb in *.deb; do dpkg-deb -x "$deb" root; done
export LD_LIBRARY_PATH="$PWD/root/usr/lib/x86_64-linux-gnu"
tool() { name=$1; shift; "root/usr/bin/powerpc-linux-gnu-$name" "$@"; }

# number OPTION: the SPR that `mttcr 3` names with it.
number() {
    echo ' mttcr 3' | tool as "$1" -o x.o -
    word=$(tool objdump -s -j .text x.o | sed -n 's/^ 0000 \([0-9a-f]*\) .*/\1/p')
    printf '%d' $(((0x$word >> 16 & 31) | (0x$word >> 6 & 0x3E0)))
}
many=$(number -many)
own=$(number -m405)
echo "mttcr r3: SPR $many with -many, $own with -m405"
[ "$many $own" = "340 986" ] || fail "changed"
