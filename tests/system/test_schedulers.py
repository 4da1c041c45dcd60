"""Each scheduler keeps the deadlines of a periodic guest beside one that does all to hurt and one that computes."""

import re

import pytest
import run

TICKS_PER_US = 333.33333
VMS = """[product]
name = "beside"

[schedule]
quantum_us = 1000

[[vm]]
name = "hostile"
image = "hostile.elf"
memory = "1M"
on_reset = "restart"
console = "shared"
{hostile}

[[vm]]
name = "jitter"
image = "jitter.elf"
memory = "1M"
console = "shared"
{jitter}

[[vm]]
name = "busy"
image = "hostile.elf"
memory = "1M"
on_reset = "restart"
{busy}
"""
KEYS = ("hostile", "jitter", "busy")
# Keys of each VM; and the latest start of a job, in microseconds after its release: roads of the hypervisor that let
# nothing in, a switch and a delivery.
SCHEDULERS = {"SCHED_PRIO": ({"jitter": "priority = 7", "busy": "priority = 1"}, 10)}


def beside(images, folder, scheduler, keys):
    """The run of the periodic guest beside the others, until it has said what it measured."""
    path = folder / f"beside-{scheduler.lower()}.toml"
    path.write_text(VMS.format(**{name: keys.get(name, "") for name in KEYS}))
    image = images.elf("hostile", f"CONFIG_{scheduler}=y", str(path))
    result = images.run(image=image, timeout=240, until=run.all_decided(["jitter"]))
    assert not list(result.trouble())
    return result.vms["jitter"]


def late_us(vm):
    """How late each job began."""
    return [int(ticks) / TICKS_PER_US for line in vm.lines for ticks in re.findall(r" t=(\d+)", line)]


@pytest.mark.parametrize("scheduler", SCHEDULERS)
def test_no_deadline_is_missed(images, tmp_path, scheduler):
    """2,100 jobs, every 310 us."""
    keys, latest = SCHEDULERS[scheduler]
    vm = beside(images, tmp_path, scheduler, keys)
    assert (vm.verdict, vm.detail) == ("PASS", "jobs=2100 misses=0")
    late = late_us(vm)
    assert len(late) == 2100
    assert max(late) <= latest, sorted(late)[-10:]


def test_round_robin_misses(images, tmp_path):
    """It is the scheduler: in turns, the same guests miss the same deadlines."""
    vm = beside(images, tmp_path, "SCHED_RR", {})
    assert vm.verdict == "FAIL"
    assert int(re.search(r"misses=(\d+)", vm.detail).group(1)) > 0
