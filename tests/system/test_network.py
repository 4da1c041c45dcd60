"""The network as a partition: a driver owns the Ethernet controller, and is a switch for its clients and the wire
(hypercalls/ipc/netswitch.h)."""

import os
import re
import shutil

import elfpatch
import wirehost

HERE = os.path.dirname(os.path.abspath(__file__))
PRODUCT = os.path.join(os.path.dirname(os.path.dirname(HERE)), "config", "network")
BULK = 2000
FEW = 40               # with the host, which is as fast as its machine has time
HOST = 0x0A000009
NAMES = ("left", "right", "keeper")
NEVER = 0x7FFFFFFF
WAITS = ["-icount", "shift=0,sleep=on"]     # time by instructions, but who waits for the host waits for its clock


def image_of(images, folder, life, *changes, clients=()):
    """The product with changes of its files; `life`: the keeper's looks between two deaths of the driver."""
    for name, changed in (("partitions.toml", changes), ("clients.net", clients)):
        with open(os.path.join(PRODUCT, name), encoding="utf-8") as file:
            text = file.read()
        for old, new in changed:
            assert text.count(old) == 1, old
            text = text.replace(old, new)
        (folder / name).write_text(text)
    partitions = str(folder / "network.toml")
    shutil.move(folder / "partitions.toml", partitions)
    image, target = images.elf("network", partitions=partitions), str(folder / "image")
    elfpatch.patched_image(image, target, images.guest("keeper"), keeper_life=life)
    return target


def passed(result):
    """{name: {figure: number}} of the stations."""
    assert not list(result.trouble()), result.lines[-5:]
    assert {name: result.vms[name].verdict for name in NAMES} == dict.fromkeys(NAMES, "PASS"), result.lines[-8:]
    return {name: {key: int(number) for key, number in re.findall(r"(\w+)=(\d+)", result.vms[name].lines[-1])}
            for name in ("left", "right")}


def row_of(result, client):
    """What the switch says that a client did, in the driver's last life."""
    row = next(line for line in result.vms["network"].lines if line.startswith(f"network: client {client} "))
    return {key: int(number) for key, number in re.findall(r"(\w+) (\d+)", row)}


def lives(result, vm):
    """How often the keeper saw a VM start."""
    return int(next(re.match(rf"keeper: vm {vm} lives (\d+)", line)[1] for line in result.vms["keeper"].lines
                    if line.startswith(f"keeper: vm {vm} ")))


QUIET = ('on_reset = "restart"', 'on_reset = "restart"\nautostart = false')       # the vandal


def test_vandal(images, tmp_path):
    """What it sends with addresses of others was refused; nobody else was."""
    images = images.on("ml403")
    result = images.run(image=image_of(images, tmp_path, NEVER), timeout=60)
    passed(result)
    assert row_of(result, 2)["forged"] > 100
    assert row_of(result, 0)["forged"] == row_of(result, 1)["forged"] == 0


def test_product(images):
    """Two stations ping each other and exchange their bulks, beside a vandal that sends with their addresses."""
    images = images.on("ml403")
    result = images.run(image=images.elf("network"), timeout=60)
    for figures in passed(result).values():
        assert figures["pings"] == 10 and figures["sent"] == figures["received"] == BULK
    assert lives(result, 4) > 2


def test_deaths(images, tmp_path):
    """The driver dies at many points of what it does: of what a station's card has accepted, nothing is lost."""
    images = images.on("ml403")
    few = [("10.0.0.3    20 10000", "10.0.0.3     2 10000")]       # with what else is under way, no queue is ever full by it
    result = images.run(image=image_of(images, tmp_path, 3, clients=few), timeout=60)
    again = 0
    for figures in passed(result).values():
        assert figures["sent"] == figures["received"] == BULK and figures["resent"] == 0
        again += figures["again"]
    assert lives(result, 4) > 20 and again > 0      # or nobody was hit


def test_limit(images, tmp_path):
    """20 frames in 10 ms: what a station sends more is held back, and is not lost."""
    images = images.on("ml403")
    slow = [("02:50:72:6f:74:01  10.0.0.1  1000 10000", "02:50:72:6f:74:01 10.0.0.1 20 10000")]
    result = images.run(image=image_of(images, tmp_path, NEVER, QUIET, clients=slow), timeout=60)
    assert all(figures["resent"] == 0 for figures in passed(result).values())
    us = int(re.search(r"bulk us (\d+)", "\n".join(result.vms["left"].lines))[1])
    sent = row_of(result, 0)["sent"]
    assert sent > BULK and us > (BULK - 40) / 20 * 10_000
    assert row_of(result, 0)["full"] == row_of(result, 1)["full"] == 0


def test_wrong_configuration(images, tmp_path):
    """It says which line."""
    images = images.on("ml403")
    image = image_of(images, tmp_path, NEVER, clients=[("10.0.0.2  1000 10000", "10.0.0.1  1000 10000")])
    result = images.run(image=image, timeout=60, until=lambda found: any("configuration" in line for line in found.lines[-3:]))
    assert result.vms["network"].lines[0] == "network: FAIL configuration, line 6"


def test_wire(images, tmp_path):
    """A host at the other end of the wire, too: pings both ways, bulks both ways, and it sees one address and nothing forged."""
    images = images.on("ml403")
    image = image_of(images, tmp_path, 25, QUIET, ("regs = { r3 = 0x0A000002 }", f"regs = {{ r3 = 0x0A000002, r4 = {HOST:#x} }}"),
                     ("regs = { r3 = 0x0A000001 }", f"regs = {{ r3 = 0x0A000001, r4 = {HOST:#x} }}"))
    target = elfpatch.patched_image(image, image + "-few", images.guest("netclient"), netclient_bulk=FEW)
    with wirehost.Host(HOST, bytes.fromhex("0250726f7400"), FEW // 2) as host:
        result = images.run(image=target, timeout=60, icount=False, extra=[*host.arguments, *WAITS])
    for figures in passed(result).values():
        assert figures["pings"] == 20 and figures["sent"] == 2 * FEW and figures["received"] == FEW + FEW // 2
    assert not host.wrong
    assert sorted(host.stations) == [0x0A000001, 0x0A000002]
    for station in host.stations.values():
        assert (station.pinged, station.acked, station.expected, station.total) == (wirehost.PINGS, FEW // 2, FEW, FEW)
