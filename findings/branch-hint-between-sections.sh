#!/bin/sh
# branch-hint-between-sections.sh: a hint of the PowerPC's conditional branch does not survive the linker.
#
# `bne-` says: predict not taken. On cores that predict by the sign of the displacement (405, 440, 603) the bit in the
# word means "the other way than by the sign". For a target in another section GNU as writes the bit for a forward
# branch and a plain R_PPC_REL14; where ld then places the target lower, the same bit means the opposite. There are
# relocations that would carry the hint (R_PPC_REL14_BRTAKEN, _BRNTAKEN); as does not use them, and nothing is said.
#
# Tried: binutils-powerpc-linux-gnu 2.40-2. Output of objdump for `bne- away; bne+ away`, with `away` lower: bne+, bne-.
set -eu
cd "$(mktemp -d)"
fail() { echo "$1" >&2; exit "${2:-1}"; }
for package in binutils-powerpc-linux-gnu=2.40-2 libbinutils=2.40-2; do
    apt-get -qq download "$package" >log 2>&1 || fail "$package can't be had: $(tail -n 1 log)" 2
done
for deb in *.deb; do dpkg-deb -x "$deb" root; done
export LD_LIBRARY_PATH="$PWD/root/usr/lib/x86_64-linux-gnu"
tool() { name=$1; shift; "root/usr/bin/powerpc-linux-gnu-$name" "$@"; }

cat >x.s <<'SOURCE'
        .section .high, "ax"
        .globl  start
start:  bne-    away
        bne+    away
        .section .low, "ax"
away:   blr
SOURCE
tool as -m405 -o x.o x.s
tool ld -e start --section-start=.low=0x1000 --section-start=.high=0x2000 -o x.elf x.o
tool objdump -r x.o | grep 'R_PPC_REL14 ' || fail "as writes another relocation now: $(tool objdump -r x.o)"
hints=$(tool objdump -d -M 405 x.elf | sed -n 's/.*\t\(bne[+-]\).*/\1/p' | tr '\n' ' ')
echo "source: bne- bne+   linked, target lower: $hints"
[ "$hints" = "bne+ bne- " ] || fail "changed: the hints are $hints"
