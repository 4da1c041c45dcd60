#!/bin/sh
# qemu-tlbwe-high-first.sh: a TLB entry written high word first is not valid on QEMU's 405.
#
# tlbwe writes one of the two words of an entry, in any order: the valid bit is in word 0 (tlbwehi), and word 1 (tlbwelo)
# leaves that alone. On QEMU a tlbwelo takes the valid bit away. So the same two instructions make an entry in one order and
# none in the other, and who changes the access bits of a valid entry, which are in word 1, loses it. No error. Linux writes
# the high word last, and is no example of the contrary.
#
# Tried: qemu-system-ppc 1:7.2+dfsg-7+deb12u18+b3, -M ref405ep. V as tlbrehi gives it: 0 after high, low; 1 after low, high.
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
        lis     4, 0x1234               # word 0: 0x12340000, size 1, V
        ori     4, 4, 0x00C0
        lis     5, 0x0020               # word 1: 0x00200000, EX, WR
        ori     5, 5, 0x0300
        li      6, 7                    # the entry
        tlbwehi 4, 6
        tlbwelo 5, 6
        tlbrehi 10, 6
        show    10, 25
        tlbwelo 5, 6
        tlbwehi 4, 6
        tlbrehi 10, 6
        show    10, 25
        lis     3, 0x3000               # DBCR0: system reset
        mtspr   1010, 3
SOURCE
powerpc-linux-gnu-gcc -mcpu=405 -nostdlib -static -Wl,--build-id=none,-Ttext=0x10000 -o x.elf x.S
root/usr/bin/qemu-system-ppc -M ref405ep -display none -monitor none -serial stdio -no-reboot -kernel x.elf >out
echo "V after high, low / after low, high: $(cat out)"
[ "$(cat out)" = 01 ] || fail "changed"
