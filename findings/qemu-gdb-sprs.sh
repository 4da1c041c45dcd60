#!/bin/sh
# qemu-gdb-sprs.sh: gdb at QEMU's 405 shows each special purpose register under its neighbour's name.
#
# QEMU's description of the SPRs does not say which number the first one has, so gdb goes on behind the register before it. With
# an FPU that is fpscr, by its number; a 405 has none, and gdb calls the first SPR 70 where QEMU has it at 71. Each name reads and
# writes the neighbour: `$srr1` is SRR0, `$sprg1` is SPRG0. There is no error, and r0-r31, pc, cr, lr and ctr are right, so it
# looks like a fault of the program that is debugged.
#
# Tried: qemu-system-ppc 1:7.2+dfsg-7+deb12u18+b3, gdb-multiarch 13.1-3. A program that sets SRR0, SRR1, SPRG0 and SPRG1 to
# 0x11110000 to 0x44440000: $srr1 is 0x11110000, $sprg1 is 0x33330000, $srr0 and $sprg0 are 0.
set -eu
cd "$(mktemp -d)"
fail() { echo "$1" >&2; exit "${2:-1}"; }
command -v powerpc-linux-gnu-as >/dev/null || fail "apt-get install binutils-powerpc-linux-gnu first" 2
for package in qemu-system-ppc=1:7.2+dfsg-7+deb12u18+b3 gdb-multiarch=13.1-3; do
    apt-get -qq download "$package" >log 2>&1 || fail "$package can't be had: $(tail -n 1 log)" 2
done
for deb in *.deb; do dpkg-deb -x "$deb" root; done
for program in qemu-system-ppc gdb-multiarch; do
    ! ldd "root/usr/bin/$program" | grep 'not found' || fail "apt-get install $program first: its libraries" 2
done

i=1
echo ' .globl _start; _start:' >x.S
for spr in 26 27 272 273; do
    printf ' lis 3, 0x%s\n mtspr %s, 3\n' "$i$i$i$i" $spr >>x.S
    i=$((i + 1))
done
echo ' b .' >>x.S
powerpc-linux-gnu-as -m405 -o x.o x.S
powerpc-linux-gnu-ld -Ttext=0x10000 -o x.elf x.o
root/usr/bin/qemu-system-ppc -M ref405ep -display none -serial none -monitor none -kernel x.elf -gdb unix:gdb.sock,server,nowait &
trap 'kill $!' EXIT
for i in 1 2 3 4 5 6 7 8 9 10; do [ -S gdb.sock ] && break; sleep 1; done
sleep 1
root/usr/bin/gdb-multiarch -q -batch -ex 'target remote gdb.sock' \
    -ex "printf \"srr0=%#x srr1=%#x sprg0=%#x sprg1=%#x \\n\", \$srr0, \$srr1, \$sprg0, \$sprg1" x.elf 2>/dev/null | grep srr0= >out
cat out
grep -q '^srr0=0 srr1=0x11110000 sprg0=0 sprg1=0x33330000 ' out || fail "changed"
