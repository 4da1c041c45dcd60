#!/bin/sh
# ld-length-in-section.sh: a length that a linker script assigns inside of an output section is an address.
#
# In the braces of an output section GNU ld takes a plain number, once it is assigned to a symbol, for an offset into that
# section: `bytes = . - first` is the section's address plus the length, `words = (. - first) / 4` the address plus a quarter
# of it, and `n = 7` the address plus 7. The same lines behind the brace are 12, 3 and 7. Only a section at 0 hides it. ld
# says nothing, and a loop that clears `words` words clears far too many. lld takes the same script for 12, 3 and 7 in both
# places.
#
# Tried: binutils-powerpc-linux-gnu 2.40-2, lld-14 14.0.6-12. A section of 12 bytes at 0x1000: ld 100c 1003 1007, lld c 3 7.
set -eu
cd "$(mktemp -d)"
fail() { echo "$1" >&2; exit "${2:-1}"; }
for package in binutils-powerpc-linux-gnu=2.40-2 libbinutils=2.40-2 lld-14=1:14.0.6-12 libllvm14=1:14.0.6-12; do
    apt-get -qq download "$package" >log 2>&1 || fail "$package can't be had: $(tail -n 1 log)" 2
done
for deb in *.deb; do dpkg-deb -x "$deb" root; done
export LD_LIBRARY_PATH="$PWD/root/usr/lib/x86_64-linux-gnu:$PWD/root/usr/lib/llvm-14/lib"
tool() { name=$1; shift; "root/usr/bin/powerpc-linux-gnu-$name" "$@"; }
! ldd root/usr/lib/llvm-14/bin/lld | grep 'not found' || fail "apt-get install lld-14 first: its libraries" 2

cat >x.ld <<'SCRIPT'
SECTIONS
{
    .text 0x1000 : { first = .; *(.text) in_bytes = . - first; in_words = (. - first) / 4; in_n = 7; last = .; }
    out_bytes = last - first;
    out_words = (last - first) / 4;
    out_n = 7;
}
SCRIPT
printf ' .globl start\nstart: nop\n nop\n nop\n' | tool as -o x.o -
# values FILE PLACE: bytes, words and n, assigned in or out of the section.
values() { for name in bytes words n; do tool nm "$1" | sed -n "s/^0*\([0-9a-f]*\) . $2_$name\$/\1/p"; done | tr '\n' ' '; }
tool ld --no-warn-rwx-segments -e start -T x.ld -o ld.elf x.o 2>&1 | tee said
root/usr/lib/llvm-14/bin/ld.lld -e start -T x.ld -o lld.elf x.o
ld="$(values ld.elf in)/ $(values ld.elf out)"
lld="$(values lld.elf in)/ $(values lld.elf out)"
echo "in / behind the braces:  ld $ld  lld $lld"
[ ! -s said ] || fail "changed: ld says something"
[ "$ld" = "100c 1003 1007 / c 3 7 " ] || fail "changed: ld"
[ "$lld" = "c 3 7 / c 3 7 " ] || fail "changed: lld"
