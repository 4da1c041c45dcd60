"""The product `demo`: three unmodified guests side by side, from the ELF image and from ROM, on every board."""

import pytest
import run

VMS = ("ctask", "ffttask", "sfft")
PIT = {"ctask": 201, "ffttask": 11, "sfft": 0}     # one begins, and one for each job


@pytest.fixture(scope="module", params=["ref405ep elf", "ref405ep rom", "ml403 elf", "ml403dcr elf", "raptor elf"])
def console(request, images):
    """The console of one run of each image. Machine and QEMU are those that the table beside the image names."""
    board, kind = request.param.split()
    if kind == "elf":
        return run.run(image=images.on(board).elf("demo"), timeout=300)
    return run.run(rom=images.on(board).rom("demo"), timeout=300)


def test_ends_by_itself(console):
    """No timeout, no abort, no panic."""
    assert not list(console.trouble())


@pytest.mark.parametrize("name", VMS)
def test_passes(console, name):
    """Each guest checks its own results and says PASS."""
    assert name in console.vms, "\n".join(console.lines[-20:])
    assert console.vms[name].verdict == "PASS", console.vms[name].lines


def test_no_deadline_is_missed(console):
    """The two real-time systems have the higher priorities, and say themselves what they missed."""
    for name in ("ctask", "ffttask"):
        assert " misses=0 " in f" {console.vms[name].detail} ", console.vms[name].detail


def test_every_line_is_tagged(console):
    """The consoles of the guests and the hypervisor are told apart."""
    assert [line for line in console.untagged if line.strip()] == []
    assert set(console.vms) == set(VMS)


@pytest.mark.parametrize("name", VMS)
def test_counters(console, name):
    """The report has counters for each VM; the two real-time systems have taken PIT interrupts."""
    stats = console.vms[name].stats
    assert stats["starts"] == 1
    assert stats["ticks"] > stats["switches"] > 0
    assert stats.get("pit", 0) == stats.get("irq", 0) == PIT[name]
    assert stats.get("rfi", 0) >= PIT[name]


def test_summary_counts_what_the_console_says(console):
    """The table of tools/run.py has one line for each VM, and shares of time that add up."""
    vms = run.vms_to_show(console, list(VMS))
    text = list(run.summary(vms))
    shares = [float(line.split("%")[0].split()[-1]) for line in text[1:4]]
    assert [line.split()[:2] for line in text[1:4]] == [[name, "PASS"] for name in VMS]
    assert abs(sum(shares) - 100) < 0.2


def test_repeats(images):
    """Under -icount two runs are alike, byte for byte."""
    first, second = (run.run(image=images.elf("demo"), timeout=300).lines for _ in range(2))
    assert first == second
