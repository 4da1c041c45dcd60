"""The disk as a partition: a driver owns memory of the board's, and its clients have a part each of it (hypercalls/ipc/diskserver.h)."""

import os
import re
import shutil

import elfpatch
import pytest

HERE = os.path.dirname(os.path.abspath(__file__))
PRODUCT = os.path.join(os.path.dirname(os.path.dirname(HERE)), "config", "block")
REQUESTS = 4000
SECTORS, MOST = 256, 8
NAMES = ("left", "right", "keeper")
CLIENTS = NAMES[:2]
NEVER = 0x7FFFFFFF
QUIET = ('on_reset = "restart"', 'on_reset = "restart"\nautostart = false')       # the vandal
OWN = ('image = "block.elf"\nmemory = "64K"', 'image = "block.elf"\nmemory = "1M"')
NO_DEVICE = ('devices = ["sram"]\n', "")
AT_OWN = ("0xFFF00000 1024", "0x00040000 1024")


def image_of(images, folder, life, *changes, disk=(), requests=REQUESTS):
    """The product with changes of its files; `life`: the keeper's looks between two deaths of the driver."""
    for name, changed in (("partitions.toml", changes), ("clients.disk", disk)):
        with open(os.path.join(PRODUCT, name), encoding="utf-8") as file:
            text = file.read()
        for old, new in changed:
            assert text.count(old) == 1, old
            text = text.replace(old, new)
        (folder / name).write_text(text)
    partitions = str(folder / "block.toml")
    shutil.move(folder / "partitions.toml", partitions)
    image, target = images.elf("block", partitions=partitions), str(folder / "image")
    elfpatch.patched_image(image, target, images.guest("keeper"), keeper_life=life)
    return elfpatch.patched_image(target, target, images.guest("blockclient"), blockclient_requests=requests)


def figures_of(line, pattern=r"(\w+)=(\d+)"):
    """{figure: number} of a line."""
    return {key: int(number) for key, number in re.findall(pattern, line)}


def passed(result, requests=REQUESTS):
    """{name: {figure: number}} of the clients, each of whose requests is answered as it has to be."""
    assert not list(result.trouble()), result.lines[-5:]
    assert {name: result.vms[name].verdict for name in NAMES} == dict.fromkeys(NAMES, "PASS"), result.lines[-8:]
    found = {name: figures_of(result.vms[name].lines[-1]) for name in CLIENTS}
    for name, figures in found.items():
        figures["bytes"] = figures_of(result.vms[name].lines[-2], r"(\w+) (\d+)")["bytes"]
        assert figures["requests"] == figures["answers"] == 1 + requests + 2 * SECTORS // MOST
        assert figures["answers"] == 1 + sum(figures[kind] for kind in ("reads", "writes", "flushes", "refused"))
        assert figures["lies"] == 0
    return found


def rows_of(result):
    """What the driver says that each client did, in its last life."""
    return [figures_of(line, r"(\w+) (\d+)") for line in result.vms["block"].lines if line.startswith("block: client ")][-3:]


def lives(result, vm):
    """How often the keeper saw a VM start."""
    return int(next(re.match(rf"keeper: vm {vm} lives (\d+)", line)[1] for line in result.vms["keeper"].lines
                    if line.startswith(f"keeper: vm {vm} ")))


def same_counts(result, figures):
    """What the driver has counted of each client is what that has counted, to the last byte."""
    for row, name in zip(rows_of(result), CLIENTS):
        expected = {kind: figures[name][kind] for kind in ("reads", "writes", "flushes", "refused", "bytes")}
        assert row.items() >= expected.items() and (row["capacities"], row["lies"]) == (1, 0), name


def test_counts(images, tmp_path):
    """A vandal asks for what is the others' as well: of it much was refused, and of nobody's else a request that is right."""
    result = images.run(image=image_of(images, tmp_path, NEVER), timeout=60)
    figures = passed(result)
    same_counts(result, figures)
    assert all(figures[name]["refused"] > 100 and figures[name]["reads"] > 1000 for name in CLIENTS)
    assert all(figures[name]["again"] == 0 for name in CLIENTS)
    vandal = rows_of(result)[2]
    assert vandal["lives"] > 10 and vandal["refused"] > 100 and vandal["lies"] > 3 and vandal["writes"] > 3, vandal


def test_product(images):
    """As it is: the driver is restarted beside the vandal."""
    result = images.run(image=images.elf("block"), timeout=60)
    passed(result)
    assert lives(result, 4) > 2


@pytest.mark.parametrize("vandal", [False, True])
def test_deaths(images, tmp_path, vandal):
    """The driver dies at many points of what it does: each request is answered once, each read finds what was written before."""
    changes = [] if vandal else [QUIET]
    result = images.run(image=image_of(images, tmp_path, 1, *changes, requests=3 * REQUESTS), timeout=120)
    figures = passed(result, 3 * REQUESTS)
    assert lives(result, 4) > 60 and all(figures[name]["again"] > 60 for name in CLIENTS)      # or nobody was hit
    assert all(figures[name]["lives"] > 60 for name in CLIENTS)


def test_device_outlives_the_driver(images, tmp_path):
    """That is what nothing is lost by: of a disk in the driver's own memory, which a restart clears, the clients miss their data."""
    result = images.run(image=image_of(images, tmp_path, 3, QUIET, OWN, NO_DEVICE, disk=[AT_OWN]), timeout=60,
                        until=lambda found: any("FAIL" in line for line in found.lines[-5:]))
    assert any(re.search(r"blockclient: FAIL data of sector \d+ found 00000000", line) for line in result.lines), result.lines[-5:]


def test_virtex(images, tmp_path):
    """A board without such a memory, and of another kind: the disk is the driver's own memory, and it does not die."""
    images = images.on("ml403")
    result = images.run(image=image_of(images, tmp_path, NEVER, OWN, NO_DEVICE, disk=[AT_OWN]), timeout=60)
    same_counts(result, passed(result))


def test_read_only(images, tmp_path):
    """Who may only read is refused its first write, and the driver counts it."""
    image = image_of(images, tmp_path, NEVER, QUIET, disk=[("512 256 rw", "512 256 r ")])
    result = images.run(image=image, timeout=60, until=lambda found: any("FAIL" in line for line in found.lines[-5:]))
    assert any("blockclient: FAIL status of request 1 found 00000003" in line for line in result.vms["right"].lines)


def test_wrong_configuration(images, tmp_path):
    """It says which line: parts that overlap."""
    image = image_of(images, tmp_path, NEVER, disk=[("256 128 rw", "255 128 rw")])
    result = images.run(image=image, timeout=60, until=lambda found: any("configuration" in line for line in found.lines[-3:]))
    assert result.vms["block"].lines[0] == "block: FAIL configuration, line 7"
