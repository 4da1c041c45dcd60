"""Each scheduler keeps the deadlines that are proven, of a periodic guest beside two that do all to hurt."""

import json
import os
import re

import conftest

import pytest
import run

TICKS_PER_US = 333.33333
VMS = """[product]
name = "beside"

[schedule]
quantum_us = 1000

{plan}

[[vm]]
name = "hostile"
image = "hostile.elf"
memory = "1M"
on_reset = "restart"
console = "shared"
{hostile}

[[vm]]
name = "timed"
image = "{guest}.elf"
memory = "1M"
console = "shared"
tasks = [{{ period_us = {period}, wcet_us = {wcet} }}]
{timed}

[[vm]]
name = "busy"
image = "hostile.elf"
memory = "1M"
on_reset = "restart"
{busy}
"""
KEYS = ("plan", "hostile", "timed", "busy")
WCET = 60                                   # of 16,100 instructions: 20 on QEMU
# Of each scheduler: the guest, what it says in the end, its period in us, and keys of the VMs. With windows the machine idles
# in those of who waits, which takes QEMU long: a guest with fewer jobs.
SCHEDULERS = {
    "SCHED_PRIO": ("jitter", "jobs=2100 misses=0", 310, {"timed": "priority = 7", "busy": "priority = 1"}),
    "SCHED_CYCLIC": ("ctask", "jobs=200 misses=0 count=804600", 2000, {
        "plan": '[[plan]]\nname = "x"\nwindows = [{ vm = "timed", us = 500 }, { vm = "hostile", us = 250 }, '
                '{ vm = "busy", us = 250 }]'}),
    "SCHED_RESERVE": ("jitter", "jobs=2100 misses=0", 310, {"timed": "period_us = 250\nbudget_us = 185",
                                                            "busy": "period_us = 5000\nbudget_us = 50"}),
}


def partitions(folder, scheduler, wcet=WCET):
    """The partition file of the periodic guest and the others."""
    guest, _, period, keys = SCHEDULERS[scheduler]
    path = folder / f"beside-{scheduler.lower()}.toml"
    path.write_text(VMS.format(guest=guest, period=period, wcet=wcet, **{name: keys.get(name, "") for name in KEYS}))
    return str(path)


def late_us(vm):
    """How late each job began."""
    return [int(ticks) / TICKS_PER_US for line in vm.lines for ticks in re.findall(r" t=(\d+)", line)]


@pytest.mark.parametrize("scheduler", SCHEDULERS)
def test_what_is_proven_is_kept(images, tmp_path, scheduler):
    """No job misses its deadline; none of those that measure it begins later than the proof has it."""
    _, said, _, _ = SCHEDULERS[scheduler]
    image = images.elf("hostile", f"CONFIG_{scheduler}=y", partitions(tmp_path, scheduler))
    with open(os.path.join(os.path.dirname(image), "schedule.json"), encoding="utf-8") as file:
        proof = json.load(file)
    assert proof["fits"] and [vm["name"] for vm in proof["vms"]] == ["timed"]
    result = images.run(image=image, timeout=600, until=run.all_decided(["timed"]))
    assert not list(result.trouble())
    vm = result.vms["timed"]
    assert (vm.verdict, vm.detail) == ("PASS", said)
    assert max(late_us(vm), default=0) <= proof["vms"][0]["response_us"] - WCET, sorted(late_us(vm))[-10:]
    assert len(late_us(vm)) == (2100 if "2100" in said else 0)


def test_it_is_the_scheduler(images, tmp_path):
    """The same guests of the demo miss deadlines by turns that are too long, and none by priorities with the same turns."""
    with open(os.path.join(conftest.ROOT, "config", "demo", "partitions.toml"), encoding="utf-8") as file:
        text = file.read().replace("quantum_us = 1000", "quantum_us = 5000")
    misses = {}
    for scheduler, dropped in (("SCHED_RR", "priority|tasks"), ("SCHED_PRIO", "tasks")):
        path = tmp_path / f"long-{scheduler.lower()}.toml"
        path.write_text(re.sub(rf"(?m)^({dropped}) = .*\n", "", text))
        result = images.run(image=images.elf("demo", f"CONFIG_{scheduler}=y", str(path)), timeout=240)
        misses[scheduler] = [int(re.search(r"misses=(\d+)", result.vms[name].detail)[1]) for name in ("ctask", "ffttask")]
    assert misses["SCHED_RR"][0] > 0 and misses["SCHED_PRIO"] == [0, 0], misses


def test_what_does_not_fit_is_not_built(tmp_path):
    """Before anything is compiled, however often one tries; the message has the number."""
    path = partitions(tmp_path, "SCHED_PRIO", wcet=300)
    folder = "build/does-not-fit"
    for goal in (f"{folder}/proteus.elf", "schedule", f"{folder}/proteus.elf"):
        done = conftest.try_make("PRODUCT=hostile", f"O={folder}", f"PARTITIONS={path}", "EXTRA_CONFIG=CONFIG_SCHED_PRIO=y", goal)
        assert done.returncode and not os.path.exists(os.path.join(conftest.ROOT, folder, "proteus.elf"))
    assert re.search(rf"^{re.escape(path)}:22: vm 'timed': task '1' ends [\d.]+ us or more after its release, [\d.]+ us beyond its "
                     r"deadline of 310.0 us. hint: it fits with wcet_us = \d+ instead of 300$", done.stderr, re.M), done.stderr
