#!/bin/sh
# qemu-pid-isync.sh: after mtspr PID and isync QEMU's 405 still loads from the old address space.
#
# isync is the context synchronization that the manual asks for behind a change of PID. QEMU keeps what it translated until a
# flush that mtspr PID asks for is carried out, and on a 40x neither isync nor sync does that, only an interrupt or rfi. A
# kernel that changes to the receiver's address space, executes isync and copies, copies into the sender's: no fault, wrong
# bytes. A switch of tasks ends in rfi, so it works, and one looks for the fault in the copying.
#
# Tried: qemu-system-ppc 1:7.2+dfsg-7+deb12u18+b3, -M ref405ep. One address that is mapped to a 1 for PID 1, to a 2 for PID 2;
# lowest bit of what is loaded with PID 1: 1; with PID 2 behind isync: 1, behind sync and isync: 1, behind rfi: 0.
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
        lis     4, 0x0040               # 0x00400000, 4 KiB, V
        ori     4, 4, 0x00C0
        li      6, 1
3:      mtspr   945, 6                  # entry and PID 1, then 2
        slwi    5, 6, 20                # at 0x00100000 and 0x00200000
        stw     6, 0(5)
        tlbwelo 5, 6
        tlbwehi 4, 6
        addi    6, 6, 1
        cmpwi   6, 2
        ble     3b
        lis     8, 0x0040
        li      7, 0x10                 # MSR[DR]
        li      6, 1
        mtspr   945, 6
        mtmsr   7
        isync
        lwz     10, 0(8)
        li      6, 2
        mtspr   945, 6
        isync
        lwz     11, 0(8)
        sync
        isync
        lwz     12, 0(8)
        mtspr   27, 7                   # SRR1
        lis     3, 4f@h
        ori     3, 3, 4f@l
        mtspr   26, 3                   # SRR0
        rfi
4:      lwz     13, 0(8)
        li      7, 0
        mtmsr   7
        isync
        show    10, 31
        show    11, 31
        show    12, 31
        show    13, 31
        lis     3, 0x3000               # DBCR0: system reset
        mtspr   1010, 3
SOURCE
powerpc-linux-gnu-gcc -mcpu=405 -nostdlib -static -Wl,--build-id=none,-Ttext=0x10000 -o x.elf x.S
root/usr/bin/qemu-system-ppc -M ref405ep -display none -monitor none -serial stdio -no-reboot -kernel x.elf >out
echo "lowest bit for PID 1, for PID 2 behind isync, sync and isync, rfi: $(cat out)"
[ "$(cat out)" = 1110 ] || fail "changed"
