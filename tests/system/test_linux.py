"""Unmodified Linux: tests/guests/linux/build.sh, its kernel and the self-check of its init, bare and as a guest.

covers: kconfig.TLB_VIRT
"""

import json
import os
import re
import struct
import subprocess
import sys
from fractions import Fraction

import pytest
import run
from conftest import FREE, ROOT, make, try_make
from elfpatch import patched_image
from machine import PATCHED

sys.path.append(os.path.join(ROOT, "previrt"))

from elf import TABLE, Elf      # noqa: E402
from facts import ABI           # noqa: E402
from table import unpack        # noqa: E402

MTSPR_PID, MASK = 0x7C11EBA6, 0xFFFFFFFF
TIMEOUT = 120       # wall-clock seconds; natively it takes two
CHECKS = ["processes", "switches", "threads", "signals", "faults", "pages", "files", "timers", "floats"]
TROUBLE = re.compile(r"Oops|\bBUG\b|WARNING|Kernel panic|Unable to handle|Call Trace|Machine check|not syncing")


@pytest.fixture(scope="module")
def linux():
    """The kernel with its device tree, built if its inputs changed."""
    make("linux")
    return f"{ROOT}/build/guests/linux.elf"


def single(value):
    """The binary32 number nearest to a Fraction, of which this test needs normal ones only."""
    sign, value, exponent = (-1 if value < 0 else 1), abs(value), 0
    while value >= 2:
        value, exponent = value / 2, exponent + 1
    while value < 1:
        value, exponent = value * 2, exponent - 1
    return sign * Fraction(round(value * 2 ** 23), 2 ** 23) * Fraction(2) ** exponent


def expected_bits():
    """What float.c computes, by the host's arithmetic: a sum, a square root by Newton's rule, single precision."""
    total, root, third = 0.0, 1.0, single(Fraction(1, 3))
    for number in range(1, 41):
        total += 1.0 / number
    for _ in range(6):
        root = (root + 2.0 / root) / 2.0
    power = third
    for _ in range(8):
        power = single(single(power * third) - third)
    return struct.pack(">d", total).hex(), struct.pack(">d", root).hex(), struct.pack(">f", float(power)).hex()


def check_console(lines):
    """The console of one Linux from its first line to its reboot: every check, no trouble of the kernel's own."""
    assert lines and lines[0].startswith("Linux version 6.1."), lines[:3]
    assert not [line for line in lines if TROUBLE.search(line)]
    assert [line.split()[1] for line in lines if re.fullmatch(r"linux: [a-z]+ \d+", line)] == CHECKS
    assert [tuple(line.split()[2:]) for line in lines if line.startswith("linux: bits ")] == [expected_bits()]
    verdicts = [line for line in lines if line.startswith(("linux: PASS", "linux: FAIL"))]
    figures = " ".join(rf"{name}=[1-9]\d*" for name in CHECKS)
    assert len(verdicts) == 1 and re.fullmatch(f"linux: PASS {figures}", verdicts[0]), verdicts
    assert lines[-1] in (verdicts[0], "reboot: Restarting system"), lines[-1]


@pytest.fixture(scope="module")
def patched():
    """The patched QEMU: on the distribution's, what the kernel copies behind a switch goes to the process before it."""
    make("qemu")
    return PATCHED


@pytest.fixture(scope="module")
def native(linux, patched):
    """The console of the bare board, to the reset."""
    result = run.run(image=linux, timeout=TIMEOUT, qemu=patched)
    assert not list(result.trouble()) and not result.vms and not result.hypervisor
    return result.untagged


def test_native(linux, native, patched):
    """The same console every time."""
    check_console(native)
    assert run.run(image=linux, timeout=TIMEOUT, qemu=patched).untagged == native


def test_native_needs_isync(images, linux):
    """Why it is not the distribution's QEMU that is the bare board: there isync leaves the old address space. If it has one."""
    lines = run.run(image=linux, timeout=TIMEOUT).untagged
    assert ("linux: FAIL switches: token=0" in lines) != images.mended


def test_native_with_table(linux, native, patched):
    """The table of linux-previrt.elf changes nothing on the bare board."""
    assert run.run(image=linux.replace("linux.elf", "linux-previrt.elf"), timeout=TIMEOUT, qemu=patched).untagged == native


def check_guests(result, native, names):
    """Each Linux as it is natively; the real-time system beside them passes. Nobody is stopped but by a reset of its own."""
    assert not list(result.trouble())
    for name in names:
        assert result.vms[name].lines == native
    assert result.untagged == []
    for vm in result.vms.values():
        assert vm.verdict == "PASS", vm.lines[-3:]
        assert [stop.partition(": ")[2] for stop in vm.stops] == ["reset by the guest"], vm.stops


@pytest.fixture(scope="module")
def finished(images, linux):
    """A function that gives the finished run of a product, which is run once."""
    runs = {}

    def result_of(product):
        if product not in runs:
            runs[product] = run.run(image=images.elf(product), timeout=TIMEOUT)
        return runs[product]
    return result_of


@pytest.mark.parametrize("product, names, others", [
    ("linux", ["linux"], ["ctask"]), ("linux2", ["linux", "linux2"], []), ("linux-previrt", ["linux"], ["ctask"])])
def test_guest(finished, native, product, names, others):
    """The console of each Linux is byte for byte that of the bare board; who else is there passes, too."""
    check_guests(finished(product), native, names)
    assert sorted(finished(product).vms) == sorted(names + others)


def test_tunnel(finished):
    """An end of a tunnel by the kernel's own UIO driver: registers, doorbell, and messages whose answers are checked; no hypercall."""
    result = finished("linux-tunnel")
    assert not list(result.trouble())
    linux, mirror = result.vms["linux"], result.vms["mirror"]
    assert linux.lines.count("linux: tunnel 2000") == 1, linux.lines[-5:]
    check_console([line for line in linux.lines if line != "linux: tunnel 2000"])
    assert "uio_pdrv_genirq.of_id=proteus,tunnel" in "".join(linux.lines)
    assert (mirror.verdict, mirror.detail) == ("PASS", "messages=2000")
    assert linux.stats.get("hypercall", 0) == 0 and linux.stats["irq"] > linux.stats["pit"] + 20


def test_patched(finished):
    """The table of linux-previrt is applied: what it replaces does not trap any more, what it cannot replace does."""
    full, patched = (finished(product).vms["linux"].stats for product in ("linux", "linux-previrt"))
    for kind, share in (("mfmsr", 0.01), ("mfspr", 0.01), ("wrteei", 0.05), ("mtmsr", 0.05)):
        assert patched.get(kind, 0) < share * full[kind], (kind, full[kind], patched.get(kind, 0))
    assert patched["rfi"] > 0.5 * full["rfi"]


def test_optimized(images, finished, native):
    """The same unmodified kernel, rewritten while it boots: the same console, and few of these traps are left. (Checked: each of its shadows.)"""
    image = images.elf("linux", f"CONFIG_IRFM=y CONFIG_OPTIMIZE=y CONFIG_TLB_CHECK=y {FREE}", "config/linux/optimize.toml")
    result = run.run(image=image, timeout=TIMEOUT)
    check_guests(result, native, ["linux"])
    full, now = (each.vms["linux"].stats for each in (finished("linux"), result))
    for kind, share in (("mfmsr", 0.3), ("mfspr", 0.3), ("wrteei", 0.1), ("mtmsr", 0.3)):
        assert now[kind] < share * full[kind], (kind, full[kind], now[kind])
    assert now["rfi"] > 0.9 * full["rfi"]


def test_counter(finished):
    """A kernel's miss handler writes its entries by the assembler's road; who does not translate has none."""
    path = os.path.join(ROOT, "build", "coverage", "system-linux.txt")
    if os.path.exists(path):
        os.remove(path)
    vms = finished("linux").vms
    assert vms["linux"].stats["tlbwe"] > vms["linux"].stats["cold"] > 100
    assert vms["ctask"].stats.get("tlbwe", 0) == 0
    os.makedirs(os.path.dirname(path), exist_ok=True)
    with open(path, "w", encoding="utf-8") as file:
        file.write("stat.tlbwe\n")


def tool(*words):
    """What previrt.py prints."""
    return subprocess.run([f"{ROOT}/previrt/previrt.py", *words], capture_output=True, text=True, timeout=120, check=True).stdout


def test_table(linux, tmp_path):
    """The table of linux-previrt.elf: proven when it was made, reported in full, undone to the file that it was made from."""
    patched, back = linux.replace("linux.elf", "linux-previrt.elf"), tmp_path / "back.elf"
    with open(f"{ROOT}/build/kernel/previrt.log", encoding="utf-8") as file:
        assert re.search(r": \d+ entries agree with the code: \d+ instructions, \d+ stubs$", file.read(), re.M)
    tool("undo", patched, "-o", str(back))
    with open(linux, "rb") as file:
        assert back.read_bytes() == file.read()
    report = json.loads(tool("report", patched, "--json"))
    counts = {}
    for row in report["totals"]:
        counts[row["treatment"]] = counts.get(row["treatment"], 0) + row["count"]
    assert sum(counts.values()) == len(report["sites"])
    assert counts["in place"] > 800 and counts["stub"] > 2000 and counts["stays"] > 2000
    # Kept from the kernel by the device tree, and reached by a branch in both modes: as far from them as the kernel is
    with open(f"{ROOT}/tests/guests/linux/board.dts", encoding="utf-8") as file:
        low = int(re.search(r"/memreserve/ (\w+)", file.read())[1], 0)
    stubs = [site["stub"] for site in report["sites"] if site["stub"] is not None]
    assert all(0xC0000000 + low <= stub < 0xC07FE000 for stub in stubs)
    # What changes PID with translation on needs MMU_STORE, which no VM with a virtual TLB has: it goes on trapping
    elf = Elf(patched)
    entries = unpack(patched, elf.content(elf.section(TABLE)))[1]
    needs = {entry.paddr: entry.needs & ABI["FEATURE_MMU_STORE"] for entry in entries if entry.old[0] & 0xFC1FFFFF == MTSPR_PID}
    assert [address for address in sorted(needs) if needs[address] == 0] == [
        site["address"] - 0xC0000000 for site in report["sites"] if site["instruction"].startswith("mtspr PID")
        and site["place"].startswith(("DTLBMiss", "ITLBMiss", "finish_tlb_load"))]
    assert 0 < sum(map(bool, needs.values())) < len(needs)
    # What the kernel patches itself, by this section's rows (mask, value, place, alternative), is not in the table
    own = elf.section("__ftr_fixup")
    patches = set()
    for offset in range(0, own.size, 24):
        ends = [own.addr + offset + at for at in struct.unpack_from(">4i", elf.content(own), offset + 8)]
        patches |= set(range(ends[0] & MASK, ends[1] & MASK, 4)) | set(range(ends[2] & MASK, ends[3] & MASK, 4))
    assert patches and not patches & {elf.virtual(entry.paddr) for entry in entries}


@pytest.fixture(scope="module", params=["linux", "linux-previrt"])
def restarting(request, images, linux, tmp_path_factory):
    """An image whose Linux starts again when it resets itself, beside a neighbour that checks all it has for 100 ms."""
    folder = f"build/test/{request.param}-restart"
    path, image = f"{folder}/partitions.toml", f"{folder}/proteus.elf"
    os.makedirs(os.path.join(ROOT, folder), exist_ok=True)
    with open(os.path.join(ROOT, "config", request.param, "partitions.toml"), encoding="utf-8") as file:
        text = file.read()
    changed = text.replace('[[vm]]\nname = "linux"\n', '[[vm]]\nname = "linux"\non_reset = "restart"\n')
    changed = changed.replace('name = "ctask"\nimage = "ctask.elf"', 'name = "nbr"\nimage = "neighbour.elf"')
    assert changed.count("restart") == 1 and changed.count("neighbour") == 1
    with open(os.path.join(ROOT, path), "w", encoding="utf-8") as file:
        file.write(changed)
    make(f"PRODUCT={request.param}", f"O={folder}", f"PARTITIONS={path}", image)
    target = str(tmp_path_factory.mktemp("restart") / "proteus.elf")
    return patched_image(os.path.join(ROOT, image), target, images.guest("neighbour"), neighbour_ms=100)


def test_reboot(restarting, native):
    """`reboot` of a guest starts this guest anew, as it was at first, and its neighbour notices nothing."""
    def ended(result):
        return result.vm("nbr").verdict and result.vm("linux").lines[len(native):].count(native[-1]) >= 1

    result = run.run(image=restarting, timeout=TIMEOUT, until=ended)
    lines, count = result.vms["linux"].lines, len(native)
    assert lines[:count] == native and lines[count:2 * count] == native
    assert not result.vms["linux"].stops
    neighbour = result.vms["nbr"]
    assert neighbour.verdict == "PASS", neighbour.lines
    assert all(line.startswith(("neighbour: ok ", "nbr: PASS", "neighbour: PASS")) for line in neighbour.lines)


def test_build_is_cached(linux):
    """Unchanged inputs cost nothing: the second `make linux` says so, and touches nothing."""
    before = os.stat(linux).st_mtime_ns
    done = try_make("linux")
    assert "LINUX cached" in done.stdout and os.stat(linux).st_mtime_ns == before
