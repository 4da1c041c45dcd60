#!/bin/sh
# qemu-snapshot-405.sh: QEMU writes the state of a 405, says "completed", and cannot read it back.
#
# To boot a guest once and to start every test from there, a monitor has `migrate "exec:cat >file"` and QEMU `-incoming`. For
# a 405 the first ends without an error; the same QEMU with the same command line then gives up at the first section of the
# processor. It is not the guest's doing: a branch to itself is enough. What one sees only when the state is needed.
#
# Tried: qemu-system-ppc 1:7.2+dfsg-7+deb12u18+b3, -M ref405ep. `Migration status: completed`, then `Missing section footer
# for cpu`.
set -eu
cd "$(mktemp -d)"
fail() { echo "$1" >&2; exit "${2:-1}"; }
command -v powerpc-linux-gnu-gcc >/dev/null || fail "apt-get install gcc-powerpc-linux-gnu first" 2
apt-get -qq download qemu-system-ppc=1:7.2+dfsg-7+deb12u18+b3 >log 2>&1 ||
    fail "qemu-system-ppc can't be had: $(tail -n 1 log)" 2
dpkg-deb -x qemu-system-ppc*.deb root
! ldd root/usr/bin/qemu-system-ppc | grep 'not found' || fail "apt-get install qemu-system-ppc first: its libraries" 2

printf '        .globl _start\n_start: b .\n' >x.S
powerpc-linux-gnu-gcc -mcpu=405 -nostdlib -static -Wl,--build-id=none,-Ttext=0x10000 -o x.elf x.S
# machine OPTION...: the machine, its monitor at the standard input.
machine() { root/usr/bin/qemu-system-ppc -M ref405ep -display none -serial none -monitor stdio -kernel x.elf "$@" 2>&1; }
# `migrate` returns when the state is written.
printf '%s\n' stop 'migrate "exec:cat >state"' 'info migrate' quit | machine >written
grep -a 'Migration status' written || fail "no state was written: $(cat written)"
grep -qa 'status: completed' written || fail "changed: it is not written"
(sleep 5; echo quit) | machine -incoming 'exec:cat state' >again || true
grep -a 'section footer\|failed' again || fail "changed: it is read"
grep -qa 'Missing section footer for cpu' again || fail "changed: another error"
