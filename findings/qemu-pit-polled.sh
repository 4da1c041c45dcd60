#!/bin/sh
# qemu-pit-polled.sh: a PIT that is polled does not hold what was written to it, on QEMU's 405.
#
# TCR[PIE] decides whether the programmable interval timer interrupts; it counts down from what was written either way, and
# delay loops before interrupts are on poll it. On QEMU a write while PIE is off starts nothing: a read gives a number just
# below 2^32, and a loop that waits for it to come down has 2^32 ticks to go. With PIE on the same lines count.
#
# Tried: qemu-system-ppc 1:7.2+dfsg-7+deb12u18+b3, -M ref405ep. Highest bit of PIT, 1000 turns of a loop after 0x00100000 was
# written: PIE off 1, PIE on 0.
set -eu
cd "$(mktemp -d)"
fail() { echo "$1" >&2; exit "${2:-1}"; }
command -v powerpc-linux-gnu-gcc >/dev/null || fail "apt-get install gcc-powerpc-linux-gnu first" 2
apt-get -qq download qemu-system-ppc=1:7.2+dfsg-7+deb12u18+b3 >log 2>&1 ||
    fail "qemu-system-ppc can't be had: $(tail -n 1 log)" 2
dpkg-deb -x qemu-system-ppc*.deb root
! ldd root/usr/bin/qemu-system-ppc | grep 'not found' || fail "apt-get install qemu-system-ppc first: its libraries" 2

cat >x.S <<'SOURCE'
        .macro  show value, bit         # 0 is the highest; to the UART at r31
        rlwinm  9, \value, (\bit + 1) & 31, 31, 31
        ori     9, 9, 0x30              # '0'
        stb     9, 0(31)
        .endm
        .globl  _start
_start: lis     31, 0xEF60
        ori     31, 31, 0x0300
        lis     5, 0x0010
        li      6, 0                    # TCR: PIE off, then on
3:      mtspr   986, 6
        mtspr   987, 5                  # PIT
        li      4, 1000
        mtctr   4
4:      bdnz    4b
        mfspr   10, 987
        show    10, 0
        cmpwi   6, 0
        lis     6, 0x0400
        beq     3b
        lis     3, 0x3000               # DBCR0: system reset
        mtspr   1010, 3
SOURCE
powerpc-linux-gnu-gcc -mcpu=405 -nostdlib -static -Wl,--build-id=none,-Ttext=0x10000 -o x.elf x.S
root/usr/bin/qemu-system-ppc -M ref405ep -display none -monitor none -serial stdio -no-reboot -kernel x.elf >out
echo "highest bit of PIT, PIE off / on: $(cat out)"
[ "$(cat out)" = 10 ] || fail "changed"
