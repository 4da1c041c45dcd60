"""Combinations of the options that change the hypervisor's code are linked, boot and run a real-time guest to its PASS.

Of any three options each combination is among them, in half as many images as all have; with ALL=1 in the environment every
combination of all is.

ctask traps through every hot routine, waits by MSR[WE] and takes 201 PIT interrupts, so a road that an option breaks shows.
"""

import itertools
import os
import re

import conftest
import pytest
import run

YES_NO = ("n", "y")
SCHEDULERS = ("CONFIG_SCHED_SINGLE=y", "CONFIG_SCHED_RR=y")
REPORTS = ("CONFIG_MESSAGES=n", "CONFIG_MESSAGES=y CONFIG_STATS=n", "CONFIG_MESSAGES=y CONFIG_STATS=y")
FREE = "CONFIG_TEXT_BUDGET=65536 CONFIG_DATA_BUDGET=65536"       # the budgets are those of the product as it is shipped


def triples(row):
    """The combinations of three values (or of as many as there are) in a row, by their places."""
    return set(itertools.combinations(enumerate(row), min(3, len(row))))


def chosen(*options):
    """Rows of a value of each option, in which all of each three options' combinations are; always the same ones."""
    rows = list(itertools.product(*options))
    if os.environ.get("ALL"):
        yield from rows
        return
    missing = set().union(*map(triples, rows))
    while missing:
        row = max(rows, key=lambda row: len(triples(row) & missing))
        missing -= triples(row)
        yield row


def one_vm():
    """The UART is the VM's own: product minimal."""
    for scheduler, fit, debug, uic, reports in chosen(SCHEDULERS, YES_NO, YES_NO, YES_NO, REPORTS):
        yield f"{scheduler} CONFIG_FIT_WATCHDOG={fit} CONFIG_DEBUG_REGS={debug} CONFIG_UIC={uic} {reports}"


def three_vms():
    """The UART is shared: product demo."""
    for fit, debug, uic, reports in chosen(YES_NO, YES_NO, YES_NO, REPORTS):
        yield f"CONFIG_FIT_WATCHDOG={fit} CONFIG_DEBUG_REGS={debug} CONFIG_UIC={uic} {reports}"


def techniques():
    """Product demo with what guests may use: none of these three does, and none may notice."""
    for tlb, irfm, previrt, calls in chosen(YES_NO, YES_NO, YES_NO, ("n", "y", "all")):
        services = "CONFIG_SERVICES=y CONFIG_DRIVERS=y" if calls == "all" else ""
        yield (f"CONFIG_TLB_VIRT={tlb} CONFIG_IRFM={irfm} CONFIG_PREVIRT={previrt} CONFIG_PARAVIRT={'n' if calls == 'n' else 'y'} "
               f"{services}").strip()


def on_virtex():
    """Boards of the patched QEMU, with what differs there: controller, console and events."""
    for board, intc, fit in chosen(("ML403", "ML403DCR", "RAPTOR"), YES_NO, YES_NO):
        yield f"CONFIG_BOARD_{board}=y CONFIG_INTC={intc} CONFIG_FIT_WATCHDOG={fit}"


def boot(product, settings):
    """Build and run one combination. The board's guests are there."""
    folder = f"build/combination-{conftest.WORKER}"
    conftest.make(f"PRODUCT={product}", f"O={folder}", f"EXTRA_CONFIG={settings} {FREE}", "-o", "guests", f"{folder}/proteus.elf")
    return run.run(image=f"{conftest.ROOT}/{folder}/proteus.elf", timeout=120)


def names(settings):
    """A short name for pytest: what is on."""
    return "+".join(word[7:-2].lower() for word in settings.split() if word.endswith("=y")) or "nothing"


@pytest.mark.parametrize("settings", one_vm(), ids=names)
def test_one_vm(guests, settings):
    result = boot("minimal", settings)
    assert result.as_bare("ctask").verdict == "PASS", result.lines[-3:]
    assert any(line.startswith("[proteus] stat ") for line in result.lines) == ("STATS=y" in settings)
    assert any(line.startswith("[proteus] stop ") for line in result.lines) == ("MESSAGES=y" in settings)


@pytest.mark.parametrize("settings", three_vms(), ids=names)
def test_three_vms(guests, settings):
    result = boot("demo", settings)
    assert {name: vm.verdict for name, vm in result.vms.items()} == {"ctask": "PASS", "ffttask": "PASS", "sfft": "PASS"}
    assert any(line.startswith("[proteus] stat ") for line in result.lines) == ("STATS=y" in settings)


@pytest.mark.parametrize("settings", techniques(), ids=names)
def test_techniques(guests, settings):
    result = boot("demo", settings)
    assert {name: vm.verdict for name, vm in result.vms.items()} == {"ctask": "PASS", "ffttask": "PASS", "sfft": "PASS"}


def boot_virtex(images, product, settings):
    """The same on a board of Virtex, whose guests are built first."""
    images.on(re.search(r"BOARD_(\w+)=", settings)[1].lower()).guests()
    return boot(product, settings)


@pytest.mark.parametrize("settings", on_virtex(), ids=names)
def test_virtex(images, settings):
    result = boot_virtex(images, "demo", settings)
    assert {name: vm.verdict for name, vm in result.vms.items()} == {"ctask": "PASS", "ffttask": "PASS", "sfft": "PASS"}


@pytest.mark.parametrize("settings", [settings for settings in on_virtex() if "RAPTOR" not in settings], ids=names)
def test_one_vm_virtex(images, settings):
    """The UART is the VM's own: product minimal. A Raptor's has another name."""
    result = boot_virtex(images, "minimal", settings)
    assert result.as_bare("ctask").verdict == "PASS", result.lines[-3:]
