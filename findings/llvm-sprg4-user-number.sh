#!/bin/sh
# llvm-sprg4-user-number.sh: LLVM's assembler writes SPRG4 by the number that may only be read.
#
# SPRG4-7 have two numbers: 276-279 for the supervisor, 260-263 by which anybody may read them. llvm-mc makes `mtsprg 4,
# r3` an mtspr 260, a write to the read-only one; GNU as writes 276. And `mfpid` gets 48, the number of Book E, where
# the 405 has 945: -mcpu=405 is "not a recognized processor", a warning that leaves status 0.
#
# Tried: llvm-14 14.0.6-12, beside binutils-powerpc-linux-gnu 2.40-2.
set -eu
cd "$(mktemp -d)"
fail() { echo "$1" >&2; exit "${2:-1}"; }
for package in llvm-14=1:14.0.6-12 libllvm14=1:14.0.6-12 binutils-powerpc-linux-gnu=2.40-2 libbinutils=2.40-2; do
    apt-get -qq download "$package" >log 2>&1 || fail "$package can't be had: $(tail -n 1 log)" 2
done
for deb in *.deb; do dpkg-deb -x "$deb" root; done
LD_LIBRARY_PATH="$PWD/root/usr/lib/x86_64-linux-gnu:$PWD/root/usr/lib/llvm-14/lib"
export LD_LIBRARY_PATH

printf ' mtsprg 4, 3\n mfpid 3\n' >x.s
root/usr/lib/llvm-14/bin/llvm-mc -triple=powerpc -mcpu=405 -show-encoding x.s >out 2>log
grep -o "'405' is not a recognized processor" log | head -n 1 || fail "changed: it knows the 405"
llvm=$(sed -n 's/.*encoding: \[\(.*\)\]/\1/p' out | tr -d 'x,' | sed 's/^0//; s/0\(..\)0\(..\)0\(..\)/\1\2\3/' | tr '\n' ' ')
root/usr/bin/powerpc-linux-gnu-as -m405 -o x.o x.s
gnu=$(root/usr/bin/powerpc-linux-gnu-objdump -s -j .text x.o | sed -n 's/^ 0000 \(\S* \S*\) .*/\1/p')
echo "mtsprg 4, r3; mfpid r3:  llvm-mc $llvm  GNU as $gnu"
[ "$llvm" = "7c6443a6 7c700aa6 " ] || fail "changed: llvm-mc writes $llvm"
[ "$gnu" = "7c7443a6 7c71eaa6" ] || fail "changed: GNU as writes $gnu"
