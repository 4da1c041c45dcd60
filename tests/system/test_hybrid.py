"""Hypercalls, register pages and pre-virtualization on the real image: product `hybridtest`.

Its guest has a role in each VM: `hybrid` and `moved` (register pages elsewhere) do what the test asks for by hybrid_select;
`again` starts several times, with a table; `plain` has nothing, `mute` no console, `busy` computes, and `nbr` checks that
nothing happens to it. Each that has passed ends by a fetch at END.
"""

import os
import re
import struct

import conftest
import elfpatch
import pytest
import run

CALLS, PROPERTY, HOSTILE, TYPE = 1, 4, 8, 16    # hybrid_select of tests/guests/hybrid/hybridtest.c
END = "pc=feed0000: fetch outside its memory"
TESTED = ("hybrid", "moved")
OTHERS = ("again", "plain", "busy", "nbr")      # `mute` cannot say PASS
OPTIONS = {"all": "", "no_watchdog": "CONFIG_FIT_WATCHDOG=n CONFIG_STATS=n", "no_uic": "CONFIG_UIC=n",
           "no_services": "CONFIG_SERVICES=n CONFIG_DRIVERS=n"}
LIST = os.path.join(conftest.ROOT, "build", "coverage", "system-hybrid.txt")


def patched(images, folder, target, **words):
    """A copy of an image with words of the hybrid guest (both of its builds) set; the neighbour checks for 300 ms."""
    image = str(folder / "image")
    elfpatch.patched_image(target, image, images.guest("hybridtest"), **words)
    elfpatch.patched_image(image, image, images.guest("hybridmoved"), **words)
    return elfpatch.patched_image(image, image, images.guest("neighbour"), neighbour_ms=words.get("hybrid_busy_ms", 300))


def start(image, **options):
    """Run an image, ELF or ROM."""
    with open(image, "rb") as file:
        kind = "image" if file.read(4) == b"\x7fELF" else "rom"
    return run.run(**{kind: image}, timeout=120, **options)


def check_others(result, names=OTHERS):
    """These VMs pass, and the hypervisor says no more than that they have ended."""
    assert not list(result.trouble())
    for name in names:
        assert result.vms[name].verdict == "PASS", result.vms[name].lines[-3:]
    assert result.untagged == []
    spoken = [line for line in result.hypervisor if not line.startswith(("stat ", "table "))]
    assert sorted(line.split()[1] for line in spoken) == sorted(result.vms)
    for line in spoken:
        name = line.split()[1]
        if name != "nbr" and (name in names or name == "mute"):
            assert line == f"stop {name} {END}"


def lines(vm, beginning):
    """What follows the beginning in the lines that have it."""
    return [line[len(beginning):] for line in vm.lines if line.startswith(beginning)]


@pytest.fixture(scope="module")
def listed():
    """A function that adds rows to the list for tests/coverage.py; the list starts empty."""
    os.makedirs(os.path.dirname(LIST), exist_ok=True)
    names = set()
    with open(LIST, "w", encoding="utf-8") as file:
        yield lambda more: [file.write(name + "\n") for name in sorted(set(more) - names) if not names.add(name)]


def hypercall_rows():
    """Rows of hypercalls.def whose option exists."""
    with open(os.path.join(conftest.ROOT, "hypercalls", "hypercalls.def"), encoding="utf-8") as file:
        return {f"hcall.{name}" for name in re.findall(r"^HCALL\((\w+),(?!.*TLB_VIRT)", file.read(), re.M)}


@pytest.mark.parametrize("options", OPTIONS)
def test_calls(images, tmp_path, listed, options):
    """Each call's success and each of its errors, with every register compared; what an option takes away is unknown."""
    image = images.elf("hybridtest", OPTIONS[options])
    result = start(patched(images, tmp_path, image, hybrid_select=CALLS, hybrid_seed=len(options)))
    check_others(result, TESTED + OTHERS)
    for name in TESTED:
        assert int(lines(result.vms[name], "hybrid: calls ")[0]) >= (400 if options == "all" else 200)
    rows = set(lines(result.vms["hybrid"], "hybrid: row "))
    if options == "all":
        assert rows >= hypercall_rows() - {"hcall.console_read"}
        listed(rows)


def test_typed(images, tmp_path, listed):
    """console_read brings what is typed, to the VM that has the focus."""
    image = patched(images, tmp_path, images.elf("hybridtest"), hybrid_select=TYPE)
    steps = [("wait", r"\[hybrid\] hybrid: type"), ("send", "hello, 405\\r"), ("wait", r"typed hello, 405\n"),
             ("send", "\\x1d3"), ("send", "moved, too\\r")]
    result = start(image, script=[run.Step(number, *step) for number, step in enumerate(steps, 1)])
    check_others(result, TESTED + OTHERS)
    assert lines(result.vms["hybrid"], "hybrid: typed ") == ["hello, 405"]
    assert lines(result.vms["moved"], "hybrid: typed ") == ["moved, too"]
    listed(lines(result.vms["hybrid"], "hybrid: row "))


def figures_of(vm):
    """The figures of the property test."""
    found = lines(vm, "hybrid: property ")
    assert len(found) == 1, vm.lines[-3:]
    return {key: int(value) for key, value in re.findall(r"(\w+)=(\d+)", found[0])}


@pytest.mark.parametrize("seed, options", [(1, "all"), (2, "all"), (3, "no_watchdog")])
def test_property(images, tmp_path, seed, options):
    """Trapped, mapped and called accesses agree at random; interrupts are taken once each."""
    image = images.elf("hybridtest", OPTIONS[options])
    result = start(patched(images, tmp_path, image, hybrid_seed=seed, hybrid_select=PROPERTY))
    check_others(result, TESTED + OTHERS)
    for name in TESTED:
        figures = figures_of(result.vms[name])
        assert figures["steps"] >= 100000 and figures["interrupts"] >= 1000 and figures["lazy"] >= 100
