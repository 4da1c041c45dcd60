#!/bin/sh
# qemu-mtmsr-me.sh: mtmsr does not enable machine checks on QEMU's 405.
#
# On the 405 mtmsr writes the whole MSR. QEMU leaves MSR[ME] as it is, a rule of the 64-bit server processors, on every core:
# a write of CE, EE and ME gives CE and EE. Only rfi and rfci set ME. So the line of a start-up code that enables machine
# checks does nothing there, in silence, and a test that runs it proves nothing.
#
# Tried: qemu-system-ppc 1:7.2+dfsg-7+deb12u18+b3, -M ref405ep. The same value with CE, EE, ME: mtmsr gives 1 1 0, rfi sets
# ME.
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
        lis     4, 0x0002
        ori     4, 4, 0x9200
        mtmsr   4
        mfmsr   10
        mtspr   27, 4                   # SRR1
        lis     3, 3f@h
        ori     3, 3, 3f@l
        mtspr   26, 3                   # SRR0
        rfi
3:      mfmsr   11
        show    10, 14                  # CE
        show    10, 16                  # EE
        show    10, 19                  # ME
        show    11, 19
        lis     3, 0x3000               # DBCR0: system reset
        mtspr   1010, 3
SOURCE
powerpc-linux-gnu-gcc -mcpu=405 -nostdlib -static -Wl,--build-id=none,-Ttext=0x10000 -o x.elf x.S
root/usr/bin/qemu-system-ppc -M ref405ep -display none -monitor none -serial stdio -no-reboot -kernel x.elf >out
echo "MSR[CE, EE, ME] after mtmsr, MSR[ME] after rfi: $(cat out)"
[ "$(cat out)" = 1101 ] || fail "changed"
