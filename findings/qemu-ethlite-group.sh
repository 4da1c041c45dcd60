#!/bin/sh
# qemu-ethlite-group.sh: QEMU's EthernetLite takes the wrong bit of a frame's address for that of a group.
#
# An Ethernet address is that of a group if the lowest bit of its first byte is set, which is the first bit on the wire. The model
# looks at the highest. Broadcasts have both, so ARP and IPv4 work, and nobody looks further; but frames to 01:00:5e and 33:33
# (IPv4's and IPv6's groups: neighbour discovery, PTP, mDNS) never arrive, and a station's whose address begins with d2 do
# arrive at every other one.
#
# Tried: qemu-system-misc 1:7.2+dfsg-7+deb12u18+b3 (its MicroBlaze board has the controller; the registers are read and written
# by -qtest, without a guest). The card is 52:54:00:12:34:56.
set -eu
cd "$(mktemp -d)"
fail() { echo "$1" >&2; exit "${2:-1}"; }
command -v python3 >/dev/null || fail "apt-get install python3 first" 2
apt-get -qq download qemu-system-misc=1:7.2+dfsg-7+deb12u18+b3 >log 2>&1 ||
    fail "qemu-system-misc can't be had: $(tail -n 1 log)" 2
dpkg-deb -x qemu-system-misc*.deb root
qemu=root/usr/bin/qemu-system-microblaze
! ldd $qemu | grep 'not found' || fail "apt-get install qemu-system-misc first: its libraries" 2

cat >group.py <<'SOURCE'
import socket, subprocess, sys, time
STATUS = "0x810017fc"
host = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
host.bind("host")
command = [sys.argv[1], "-M", "petalogix-s3adsp1800", "-display", "none", "-serial", "none", "-monitor", "none",
           "-qtest", "stdio", "-qtest-log", "/dev/null", "-net", "nic,netdev=wire,macaddr=52:54:00:12:34:56", "-netdev",
           "dgram,id=wire,local.type=unix,local.path=card,remote.type=unix,remote.path=host"]
with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as qemu:
    def tell(text):
        qemu.stdin.write(text + "\n")
        qemu.stdin.flush()
        return next(line for line in qemu.stdout if line.startswith("OK")).strip()
    tell("readl " + STATUS)
    for address in sys.argv[2:]:
        host.sendto(bytes.fromhex(address.replace(":", "") + "52540000009988b5") + bytes(46), "card")
        time.sleep(0.5)
        print(address, "received" if tell("readl " + STATUS).endswith("1") else "-")
        tell(f"writel {STATUS} 0")
    qemu.kill()
SOURCE
timeout 120 python3 group.py $qemu 52:54:00:12:34:56 52:54:00:12:34:57 ff:ff:ff:ff:ff:ff 01:00:5e:00:00:01 33:33:00:00:00:01 \
    d2:54:00:12:34:56 | tee said
cat >expected <<'SAID'
52:54:00:12:34:56 received
52:54:00:12:34:57 -
ff:ff:ff:ff:ff:ff received
01:00:5e:00:00:01 -
33:33:00:00:00:01 -
d2:54:00:12:34:56 received
SAID
cmp -s said expected || fail "changed"
