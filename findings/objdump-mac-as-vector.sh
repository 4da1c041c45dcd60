#!/bin/sh
# objdump-mac-as-vector.sh: objdump takes the 405's multiply-accumulate for a vector instruction.
#
# The 405's MAC instructions share primary opcode 4 with AltiVec. What an assembler made with -m405 is shown by `objdump
# -d` of the same package as an instruction of POWER10 with four operands, because the ELF file does not say for which
# core it was assembled. Only `-M 405` gives back what was written.
#
# Tried: binutils-powerpc-linux-gnu 2.40-2. macchw r3,r4,r5 is shown as `vextdubvlx v3,v4,v5,r5`.
set -eu
cd "$(mktemp -d)"
fail() { echo "$1" >&2; exit "${2:-1}"; }
for package in binutils-powerpc-linux-gnu=2.40-2 libbinutils=2.40-2; do
    apt-get -qq download "$package" >log 2>&1 || fail "$package can't be had: $(tail -n 1 log)" 2
done
for deb in *.deb; do dpkg-deb -x "$deb" root; done
export LD_LIBRARY_PATH="$PWD/root/usr/lib/x86_64-linux-gnu"
tool() { name=$1; shift; "root/usr/bin/powerpc-linux-gnu-$name" "$@"; }

echo ' macchw 3, 4, 5' | tool as -m405 -o x.o -
plain=$(tool objdump -d x.o | tail -n 1 | cut -f 3- | tr -s ' \t' '  ')
told=$(tool objdump -d -M 405 x.o | tail -n 1 | cut -f 3- | tr -s ' \t' '  ')
echo "objdump -d: $plain"
echo "objdump -d -M 405: $told"
case $plain in vextdubvlx*) ;; *) fail "changed: it is shown as $plain" ;; esac
case $told in macchw*) ;; *) fail "changed: with -M 405 it is shown as $told" ;; esac
