#!/bin/sh
# objdump-dcr-of-403.sh: with -M 405 objdump shows the 405's interrupt controller as the DMA controller of the 403.
#
# What a device control register is depends on the chip, not on the core. Binutils has the names of one chip, the 403GA, for
# all: `mfdcr r3, 0xC0`, on the 405GP and 405EP the interrupt controller's status, is shown as `mfdmacr0 r3`, and its enable
# register, 0xC2, as mfdmada0. So the listing of an interrupt handler seems to program DMA. The other way round as -m405 takes
# `mfexisr`, a register that no 405 has, without a word.
#
# Tried: binutils-powerpc-linux-gnu 2.40-2. DCR 0xC0 to 0xC4, 0xC8: mfdmacr0 mfdmact0 mfdmada0 mfdmasa0 mfdmacc0 mfdmacr1.
set -eu
cd "$(mktemp -d)"
fail() { echo "$1" >&2; exit "${2:-1}"; }
for package in binutils-powerpc-linux-gnu=2.40-2 libbinutils=2.40-2; do
    apt-get -qq download "$package" >log 2>&1 || fail "$package can't be had: $(tail -n 1 log)" 2
done
for deb in *.deb; do dpkg-deb -x "$deb" root; done
export LD_LIBRARY_PATH="$PWD/root/usr/lib/x86_64-linux-gnu"
tool() { name=$1; shift; "root/usr/bin/powerpc-linux-gnu-$name" "$@"; }

for number in 0xC0 0xC1 0xC2 0xC3 0xC4 0xC8; do echo " mfdcr 3, $number"; done >x.s
echo ' mfexisr 3' >>x.s
tool as -m405 -o x.o x.s 2>&1 | tee said
names=$(tool objdump -d -M 405 x.o | sed -n 's/.*\t\(mf[a-z0-9]*\) .*/\1/p' | tr '\n' ' ')
echo "mfdcr of 0xC0 0xC1 0xC2 0xC3 0xC4 0xC8, and mfexisr: $names"
[ ! -s said ] || fail "changed: as says something"
[ "$names" = "mfdmacr0 mfdmact0 mfdmada0 mfdmasa0 mfdmacc0 mfdmacr1 mfexisr " ] || fail "changed"
