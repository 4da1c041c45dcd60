#!/bin/sh
# qemu-global-commas.sh: a comma is doubled in every list of QEMU's options, but not in the short form of -global.
#
# Where a value may hold a comma (-device, -drive, -chardev, also the long form of -global) it is written twice, and comes out
# once. The short form -global DRIVER.PROPERTY=VALUE takes all behind the sign as it stands: there two commas stay two, and one
# is the value's own. A program that doubles commas whenever it writes an option gives the property another value, and nothing
# says so: a list of addresses or events has an empty member.
#
# Tried: qemu-system-ppc 1:7.2+dfsg-7+deb12u18+b3, the file of a `loader` device, which names what it does not find: "A,,B" by
# the short form, "A,B" by the long one and by -device.
set -eu
cd "$(mktemp -d)"
fail() { echo "$1" >&2; exit "${2:-1}"; }
apt-get -qq download qemu-system-ppc=1:7.2+dfsg-7+deb12u18+b3 >log 2>&1 ||
    fail "qemu-system-ppc can't be had: $(tail -n 1 log)" 2
dpkg-deb -x qemu-system-ppc*.deb root
! ldd root/usr/bin/qemu-system-ppc | grep 'not found' || fail "apt-get install qemu-system-ppc first: its libraries" 2

# The value that the device gets: it names the file that it does not find
file() {
    root/usr/bin/qemu-system-ppc -M none -display none -nodefaults -S "$@" 2>&1 | sed -n 's/.*Cannot load specified image //p'
}

short=$(file -device loader -global loader.file=A,,B)
long=$(file -device loader -global driver=loader,property=file,value=A,,B)
device=$(file -device loader,file=A,,B)
single=$(file -device loader -global loader.file=A,B)
echo "A,,B by -global X.Y=: $short; by -global driver=: $long; by -device: $device. A,B by -global X.Y=: $single"
[ "$short $long $device $single" = "A,,B A,B A,B A,B" ] || fail "changed"
