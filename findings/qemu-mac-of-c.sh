#!/bin/sh
# qemu-mac-of-c.sh: plain C, compiled for the 405, computes wrong sums on QEMU's 405.
#
# gcc -mcpu=405 makes one multiply-accumulate of `sum + (short)a * (short)b`. QEMU knows the 72 of them, so nothing is
# illegal, but moves the result to the target only in the forms that look for an overflow (o, s): the plain ones leave it as
# it was. The signed ones of these forms look for the opposite of an overflow, so that 5 - 1 saturates and 0x7FFFFFFF + 1 does
# not. It looks like a fault of the program or the compiler, as all is right with -mcpu=powerpc.
#
# Tried: qemu-user 1:7.2+dfsg-7+deb12u18+b3, gcc-12-powerpc-linux-gnu 12.2.0-13cross1 (whatever is installed). Exit statuses,
# the sum's low byte: 5 + 3 * 4 is 5, and 17 with -mcpu=powerpc; maclhws: 5 - 1 is 255 (0x7FFFFFFF), 0x7FFFFFFF + 1 is 0
# (0x80000000).
set -eu
cd "$(mktemp -d)"
fail() { echo "$1" >&2; exit "${2:-1}"; }
command -v powerpc-linux-gnu-gcc >/dev/null || fail "apt-get install gcc-powerpc-linux-gnu first" 2
apt-get -qq download qemu-user=1:7.2+dfsg-7+deb12u18+b3 >log 2>&1 || fail "qemu-user can't be had: $(tail -n 1 log)" 2
dpkg-deb -x qemu-user*.deb root
! ldd root/usr/bin/qemu-ppc | grep 'not found' || fail "apt-get install qemu-user first: its libraries" 2

cat >x.c <<'SOURCE'
__attribute__((noipa)) int c(int sum, int a, int b) { return sum + (short)a * (short)b; }
__attribute__((noipa)) int maclhws(int sum, int a, int b)
{
    __asm__(".machine push; .machine \"405\"; maclhws %0, %1, %2; .machine pop" : "+r"(sum) : "r"(a), "r"(b));
    return sum;
}
void _start(void)
{
    int sum = SUM;
    register int exit __asm__("r0") = 1, status __asm__("r3") = sum;
    __asm__ volatile("sc" : : "r"(exit), "r"(status));
}
SOURCE
# status CORE SUM STATUS: a program for CORE that exits with the sum has that status.
status() {
    powerpc-linux-gnu-gcc "-mcpu=$1" -msoft-float -O2 -fno-pic -ffreestanding -nostdlib -static "-DSUM=$2" -o x.elf x.c
    seen=0
    root/usr/bin/qemu-ppc -cpu 405d4 x.elf || seen=$?
    echo "-mcpu=$1, $2: $seen"
    [ $seen = "$3" ] || fail "changed"
}
status powerpc 'c(5, 3, 4)' 17
status 405 'c(5, 3, 4)' 5
status 405 'maclhws(5, 1, -1)' 255
status 405 'maclhws(0x7FFFFFFF, 1, 1)' 0
