"""The products for Virtex boards: drivers of Xilinx' devices as guests, virtual ones and one of the board's own."""

import re

import conftest
import pytest
import run

SENT, TICKS = r"sent=(\d+)", r"ticks=(\d+)"


def figure(vm, pattern):
    """A figure of the guest's last line."""
    return int(re.search(pattern, vm.detail).group(1))


@pytest.fixture(scope="module", params=["ml403", "ml403dcr"])
def console(request, images):
    """One run of product ml403, with its controller in memory and on the DCR bus."""
    board = request.param
    return run.run(image=images.on(board).elf("ml403") if board == "ml403dcr" else images.elf("ml403"), timeout=120)


def test_ml403_passes(console):
    """Every VM, and nobody says more than he has to."""
    assert not list(console.trouble())
    verdicts = {name: vm.verdict for name, vm in console.vms.items()}
    assert verdicts == dict.fromkeys(("ctask", "previrt", "ffttask", "drivers"), "PASS")
    assert console.untagged == []
    assert all(re.match(r"(stop|stat) ", line) for line in console.hypervisor)


def test_pass_through_timer(console):
    """The board's timer interrupts the VM that owns it through the virtual controller; nobody else is interrupted by it."""
    drivers = console.vms["drivers"]
    assert figure(drivers, TICKS) == 20
    assert drivers.stats["irq"] >= 20 + figure(drivers, SENT) + 3 * 32
    assert drivers.stats.get("pit", 0) == 0
    for name in ("ctask", "previrt", "ffttask"):
        assert console.vms[name].stats["irq"] == console.vms[name].stats["pit"]


def test_pre_virtualized_traps_less(console):
    """The same guest traps for a fraction; the output is the same."""
    assert console.vms["previrt"].trap_total() < console.vms["ctask"].trap_total() / 2
    assert console.vms["previrt"].detail == console.vms["ctask"].detail


def test_raptor_passes(images):
    """A guest for the bare board, which finds UartLite and controller where the board has them, beside CTask."""
    result = run.run(image=images.elf("raptor"), timeout=120)
    assert not list(result.trouble())
    assert {name: vm.verdict for name, vm in result.vms.items()} == {"system": "PASS", "ctask": "PASS"}
    assert figure(result.vms["system"], SENT) == 29


def test_raptor_runs_another_image(images, tmp_path):
    """PACK="--guest system=<file>": any image for the bare board, here the twin."""
    twin = images.on("raptor").guests() + "/twin.elf"
    conftest.make("PRODUCT=raptor", "O=build/raptor-pack", f"PACK=--guest system={twin}", "build/raptor-pack/proteus.elf")
    result = run.run(image=f"{conftest.ROOT}/build/raptor-pack/proteus.elf", timeout=300)
    assert not list(result.trouble())
    assert result.vms["system"].verdict == "PASS", result.vms["system"].lines[-3:]
