#!/bin/sh
# qemu-icount-breakpoint.sh: under -icount a stop at a breakpoint moves the guest's time to its next timer event.
#
# With `-icount shift=0,sleep=off` a run of QEMU is repeatable to the bit, for the time is the number of instructions; and
# while gdb has the machine stopped, its clock stands. So one expects that looking changes nothing. But QEMU seems to take the
# stopped processor for an idle one, and sleep=off skips idle time: the clock goes on to the deadline of whatever timer is
# armed, here the watchdog's first stage. The program that is debugged finds a time base that has jumped and a timer that has
# expired, and goes another way than without the debugger.
#
# Tried: qemu-system-ppc 1:7.2+dfsg-7+deb12u18+b3, gdb-multiarch 13.1-3. Two mftb around a nop are 1 tick apart, with a stop
# at the nop 0x20000; the output is bit 0x20000 of the difference and TSR[WIS]: 00, and 11.
set -eu
cd "$(mktemp -d)"
fail() { echo "$1" >&2; exit "${2:-1}"; }
command -v powerpc-linux-gnu-gcc >/dev/null || fail "apt-get install gcc-powerpc-linux-gnu first" 2
for package in qemu-system-ppc=1:7.2+dfsg-7+deb12u18+b3 gdb-multiarch=13.1-3; do
    apt-get -qq download "$package" >log 2>&1 || fail "$package can't be had: $(tail -n 1 log)" 2
done
for deb in *.deb; do dpkg-deb -x "$deb" root; done
for program in qemu-system-ppc gdb-multiarch; do
    ! ldd "root/usr/bin/$program" | grep 'not found' || fail "apt-get install $program first: its libraries" 2
done

cat >x.S <<'SOURCE'
        .macro  show value, bit         # 0 is the highest; to the UART at r31
        rlwinm  9, \value, (\bit + 1) & 31, 31, 31
        ori     9, 9, 0x30              # '0'
        stb     9, 0(31)
        .endm
        .globl  _start, here
_start: lis     31, 0xEF60
        ori     31, 31, 0x0300
        li      3, 0
        mtspr   986, 3                  # TCR: watchdog period of 2^17 ticks, no reset
        mftb    4
here:   nop
        mftb    5
        subf    5, 4, 5
        mfspr   6, 984                  # TSR
        show    5, 14
        show    6, 1                    # WIS
        lis     3, 0x3000               # DBCR0: system reset
        mtspr   1010, 3
SOURCE
powerpc-linux-gnu-gcc -mcpu=405 -nostdlib -static -Wl,--build-id=none,-Ttext=0x10000 -o x.elf x.S
# output COMMAND...: what the program says, with these commands of gdb.
output() {
    rm -f gdb.sock
    root/usr/bin/qemu-system-ppc -M ref405ep -display none -monitor none -serial file:out -no-reboot -kernel x.elf \
        -icount shift=0,sleep=off -S -gdb unix:gdb.sock,server,nowait 2>/dev/null &
    for _ in 1 2 3 4 5 6 7 8 9 10; do [ -S gdb.sock ] && break; sleep 1; done
    root/usr/bin/gdb-multiarch -q -batch -ex 'target remote gdb.sock' "$@" -ex 'delete' -ex 'continue' x.elf >log 2>&1 || true
    wait $! || true
    cat out
}
plain=$(output)
stopped=$(output -ex 'break *here' -ex 'continue' -ex 'shell sleep 1')
echo "time base jumped, watchdog expired: without a stop $plain, with one $stopped"
[ "$plain $stopped" = "00 11" ] || fail "changed"
