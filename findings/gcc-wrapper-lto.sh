#!/bin/sh
# gcc-wrapper-lto.sh: `gcc -wrapper` does not see the steps of link-time optimization.
#
# "Invoke all subcommands under a wrapper program": at a plain build the wrapper is given cc1, as and collect2. With
# -flto the code is compiled and assembled at the link, by lto1 and as that lto-wrapper starts through the driver again,
# without -wrapper: of these the wrapper hears nothing. A tool that hooks the assembler by -wrapper treats no word of
# such a program, and nothing says so.
#
# Tried: gcc-12-powerpc-linux-gnu 12.2.0-13cross1 (the version is checked; the compiler has to be installed).
set -eu
cd "$(mktemp -d)"
fail() { echo "$1" >&2; exit "${2:-1}"; }
have=$(dpkg-query -W -f '${Version}' gcc-12-powerpc-linux-gnu 2>/dev/null) ||
    fail "gcc-12-powerpc-linux-gnu is not installed: apt-get install gcc-12-powerpc-linux-gnu" 2
[ "$have" = 12.2.0-13cross1 ] || fail "gcc-12-powerpc-linux-gnu is $have, not 12.2.0-13cross1" 2

# shellcheck disable=SC2016
printf '#!/bin/sh\nbasename "$1" >>steps\nexec "$@"\n' >wrap
chmod +x wrap
echo 'void _start(void) { __asm__("nop"); }' >x.c
for flags in "-fno-lto" "-flto"; do
    rm -f steps
    # shellcheck disable=SC2086
    powerpc-linux-gnu-gcc-12 -wrapper "$PWD/wrap" $flags -nostdlib -static -o x.elf x.c
    echo "$flags: $(tr '\n' ' ' <steps)"
    tr '\n' ' ' <steps >"steps$flags"
done
[ "$(cat steps-fno-lto)" = "cc1 as collect2 " ] || fail "changed: without -flto it sees $(cat steps-fno-lto)"
[ "$(cat steps-flto)" = "cc1 as collect2 " ] || fail "changed: with -flto it sees $(cat steps-flto)"
powerpc-linux-gnu-gcc-12 -v -flto -nostdlib -static -o x.elf x.c 2>&1 | grep -q '/lto1 ' || fail "changed: no lto1 is run"
