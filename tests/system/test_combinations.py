"""Every combination of the options that change the hypervisor's code is linked, boots and runs a real-time guest to its PASS.

ctask traps through every hot routine, waits by MSR[WE] and takes 201 PIT interrupts, so a road that an option breaks shows.
"""

import itertools

import conftest
import pytest
import run

YES_NO = ("n", "y")
SCHEDULERS = ("CONFIG_SCHED_SINGLE=y", "CONFIG_SCHED_RR=y")
REPORTS = ("CONFIG_MESSAGES=n", "CONFIG_MESSAGES=y CONFIG_STATS=n", "CONFIG_MESSAGES=y CONFIG_STATS=y")
FREE = "CONFIG_TEXT_BUDGET=65536 CONFIG_DATA_BUDGET=65536"       # the budgets are those of the product as it is shipped


def one_vm():
    """The UART is the VM's own: product minimal."""
    for scheduler, fit, debug, uic, reports in itertools.product(SCHEDULERS, YES_NO, YES_NO, YES_NO, REPORTS):
        yield f"{scheduler} CONFIG_FIT_WATCHDOG={fit} CONFIG_DEBUG_REGS={debug} CONFIG_UIC={uic} {reports}"


def three_vms():
    """The UART is shared: product demo."""
    for fit, debug, uic, reports in itertools.product(YES_NO, YES_NO, YES_NO, REPORTS):
        yield f"CONFIG_FIT_WATCHDOG={fit} CONFIG_DEBUG_REGS={debug} CONFIG_UIC={uic} {reports}"


def techniques():
    """Product demo with what guests may use: none of these three does, and none may notice."""
    for tlb, irfm, previrt, calls in itertools.product(YES_NO, YES_NO, YES_NO, ("n", "y", "all")):
        services = "CONFIG_SERVICES=y CONFIG_DRIVERS=y" if calls == "all" else ""
        yield (f"CONFIG_TLB_VIRT={tlb} CONFIG_IRFM={irfm} CONFIG_PREVIRT={previrt} CONFIG_PARAVIRT={'n' if calls == 'n' else 'y'} "
               f"{services}").strip()


def on_virtex():
    """Boards of the patched QEMU, with what differs there: controller, console and events."""
    for board, intc, fit in itertools.product(("ML403", "ML403DCR", "RAPTOR"), YES_NO, YES_NO):
        yield f"CONFIG_BOARD_{board}=y CONFIG_INTC={intc} CONFIG_FIT_WATCHDOG={fit}"


def boot(product, settings):
    """Build and run one combination."""
    folder = f"build/combination-{conftest.WORKER}"
    conftest.make(f"PRODUCT={product}", f"O={folder}", f"EXTRA_CONFIG={settings} {FREE}", "-j2", f"{folder}/proteus.elf")
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


@pytest.mark.parametrize("settings", on_virtex(), ids=names)
def test_virtex(settings):
    result = boot("demo", settings)
    assert {name: vm.verdict for name, vm in result.vms.items()} == {"ctask": "PASS", "ffttask": "PASS", "sfft": "PASS"}


@pytest.mark.parametrize("settings", [settings for settings in on_virtex() if "RAPTOR" not in settings], ids=names)
def test_one_vm_virtex(settings):
    """The UART is the VM's own: product minimal. A Raptor's has another name."""
    result = boot("minimal", settings)
    assert result.as_bare("ctask").verdict == "PASS", result.lines[-3:]
