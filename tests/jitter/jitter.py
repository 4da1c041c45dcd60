#!/usr/bin/python3
"""jitter.py: how late a periodic job is handled, begins, and is done, and how long a switch takes, under each scheduler beside
each kind of neighbour.

    tests/jitter/jitter.py                          10,000 jobs of each pair: build/jitter.json, build/jitter.svg, a table
    tests/jitter/jitter.py --jobs 500 --only cyclic --beside hostile

The job is tests/guests/metronome, which leaves its samples in its memory. Its neighbours are that guest in other roles, the
hostile one, and a Linux that boots again and again. Time is simulated (QEMU's -icount), so each run has the same figures.
What is proven is the product's schedule.json: a job is done `response_us` after its release at the latest, and has begun
`wcet_us` before that. A switch is what the hypervisor executes between the last instruction of a VM (or of its start) and the
first of another, counted by tools/plugin in the same run, in instructions; its bound is what the proof reckons with at the end
of a slice, a window or a budget: the longest road with interrupts off, the switch with its interrupt, and the decision. Exit
status 1 if a sample is above its bound, or a job is missed. Figures: README.md.
"""

import sys

sys.dont_write_bytecode = True      # generated files belong under build/ only

import argparse
import json
import os
import subprocess

ROOT = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
sys.path[:0] = [os.path.join(ROOT, "tools"), os.path.join(ROOT, "tests", "system")]

import bench
import elfpatch
import image as images
import machine as machines
import overheads
import run
import vmstate
from kconfig import InputError, run_tool, write_if_changed
from svg import Picture

JOBS = 10000
WCET = 60                           # us of a job: 20 on QEMU
MEASURE, IDLE, COMPUTE, RESET = range(4)            # metronome_role
SAMPLES = ("handler", "start", "done")
TB_HZ = 333333330                   # of ref405ep
GUEST = "metronome"
# Of each kind of neighbour: the role of the metronome or an image, and keys of its VM
NEIGHBOURS = {
    "idle": (IDLE, ""),
    "busy": (COMPUTE, ""),
    "hostile": ("hostile.elf", 'on_reset = "restart"\nconsole = "shared"'),
    "linux": ("linux.elf", 'on_reset = "restart"\nconsole = "shared"'),
    "restarts": (RESET, 'on_reset = "restart"'),
}
HEAD = """[product]
name = "jitter"

[schedule]
quantum_us = {quantum}
{plan}
[[vm]]
name = "timed"
image = "timed.elf"
memory = "1M"
console = "shared"
tasks = [{{ period_us = {period}, wcet_us = {wcet} }}]
{keys}
"""
BESIDE = """
[[vm]]
name = "{name}"
image = "{image}"
memory = "{memory}"
{keys}
"""


class Scheduler:
    """What a partition file says for it: the period of the job, keys of its VM, of each neighbour, and of the whole."""

    def __init__(self, option, period, keys="", beside="", quantum=100):
        self.option, self.period, self.keys, self.beside, self.quantum = option, period, keys, beside, quantum

    def plan(self, names):
        """The windows of a frame: half of it for the job."""
        if self.option != "SCHED_CYCLIC":
            return ""
        windows = [("timed", 500)] + [(name, 500 // len(names)) for name in names]
        return '\n[[plan]]\nname = "frame"\nwindows = [' + ", ".join(
            f'{{ vm = "{name}", us = {us} }}' for name, us in windows) + "]\n"


# With turns, all others come before: the period is for the most that run beside it (tests/system/test_jitter.py).
SCHEDULERS = {
    "turns": Scheduler("SCHED_RR", 1600),
    "priority": Scheduler("SCHED_PRIO", 310, "priority = 7"),
    "cyclic": Scheduler("SCHED_CYCLIC", 1003),     # not the frame: releases fall everywhere in it
    "reservations": Scheduler("SCHED_RESERVE", 310, "period_us = 250\nbudget_us = 185", "period_us = 5000\nbudget_us = 50"),
}


def write_partitions(folder, guests, scheduler, names, jobs):
    """The partition file of the job and these neighbours, with their guests beside it; gives its path."""
    os.makedirs(folder, exist_ok=True)
    scheduler, guest = SCHEDULERS[scheduler], os.path.join(guests, GUEST + ".elf")
    period = scheduler.period * TB_HZ // 1_000_000
    elfpatch.patched_image(guest, os.path.join(folder, "timed.elf"), guest, metronome_jobs=jobs, metronome_period=period)
    text = HEAD.format(quantum=scheduler.quantum, plan=scheduler.plan(names), period=scheduler.period, wcet=WCET,
                       keys=scheduler.keys)
    for name in names:
        image, keys = NEIGHBOURS[name]
        if not isinstance(image, str):
            elfpatch.patched_image(guest, os.path.join(folder, f"{name}.elf"), guest, metronome_role=image)
            image = f"{name}.elf"
        text += BESIDE.format(name=name, image=image, memory="8M" if name == "linux" else "1M",
                              keys=f"{keys}\n{scheduler.beside}")
    path = os.path.join(folder, "jitter.toml")
    write_if_changed(path, text)
    return path


def read_samples(monitor, image, guest, jobs):
    """{kind: [ticks]} of the guest's memory."""
    memory = machines.read_table(image)[1]["vms"][0]["memory"]
    found = {}
    for kind in SAMPLES:
        start = images.of(guest).address(f"metronome_{kind}") - memory["guest"] + memory["machine"]
        found[kind] = [word for first in range(0, jobs, 1000)
                       for word in monitor.words(start + 4 * first, min(1000, jobs - first))]
    return found


def measure(image, folder, jobs, timeout, **options):
    """A run: its figures in us, and what is proven."""
    samples, beside, place = {}, {}, os.path.dirname(image)

    def look(_result, monitor):
        samples.update(read_samples(monitor, image, os.path.join(folder, "timed.elf"), jobs))
        beside.update(work_of(monitor, image))
    counts = os.path.join(place, "switches.json")
    result = run.run(image=image, timeout=timeout, until=run.all_decided(["timed"]), look=look, extra=plugin(image, counts),
                     **options)
    vm = result.vm("timed")
    trouble = list(result.trouble())
    if not vm.detail or not samples or trouble:
        cause = "; ".join(trouble) or run.verdict(vm)
        raise InputError(f"{image}: no samples: {cause}. hint: see it with tools/run.py --image")
    with open(os.path.join(place, "schedule.json"), encoding="utf-8") as file:
        proof = json.load(file)["vms"][0]
    with open(counts, encoding="utf-8") as file:
        switches = switches_of(json.load(file)["excursions"])
    return {"jobs": jobs, "misses": int(vm.detail.split("misses=")[1]),
            "us": {kind: [ticks * 1_000_000 / TB_HZ for ticks in samples[kind]] for kind in SAMPLES},
            "bound_us": bounds(proof["response_us"]), "beside": beside, "switches": switches, "switch_bound": switch_bound(place)}


def plugin(image, out):
    """Arguments of QEMU: who executes what is counted."""
    program = os.path.join(os.path.dirname(image), "count.so")
    bench.build_plugin(program)
    words = [program, f"out={out}"] + [f"hyp=0x{low:x}-0x{high:x}" for low, high in bench.code_ranges(image)] + [
        f"vm={name}:0x{low:x}-0x{high:x}" for name, _, low, high, _ in bench.read_partitions(image)]
    return ["-plugin", ",".join(words)]


def switches_of(excursions):
    """{instructions: how often} of the hypervisor's ways from a VM, or its start, to another VM."""
    found = {}
    for row in excursions:
        if row["from"] != row["to"] and not {row["from"], row["to"]} & (set(bench.PSEUDO) - {"work"}) and row["to"] != "work":
            for insns, count in row["histogram"]:
                found[insns] = found.get(insns, 0) + count
    return dict(sorted(found.items()))


def switch_bound(folder):
    """Instructions: the longest road, and a switch with its interrupt and the decision."""
    with open(os.path.join(folder, "gen", "partitions.json"), encoding="utf-8") as file:
        table = json.load(file)
    data = overheads.targets()
    return data["schedule"]["road"] + overheads.limit(data["paths"], "vm_switch_c_deliver") + overheads.decision(
        data["schedule"], table["schedule"]["kind"], len(table["vms"]))


def work_of(monitor, image):
    """{name: (ticks, starts)} of the neighbours."""
    table = machines.read_table(image)[1]
    layout = vmstate.Layout(images.of(image), table, os.path.dirname(image))
    for index, vm in enumerate(table["vms"][1:], 1):
        registers = layout.register_file(monitor, index)
        yield vm["name"], (registers["ticks_hi"] << 32 | registers["ticks_lo"], registers["stats"]["starts"])


def bounds(response):
    """What is proven of each kind of sample: who begins later than its worst case before the response is not done in time."""
    return {"handler": response - WCET, "start": response - WCET, "done": response}


def faults(name, row):
    """Sentences about what is not as proven."""
    if row["misses"]:
        yield f"{name}: {row['misses']} of {row['jobs']} jobs missed"
    for neighbour, (ticks, starts) in row["beside"].items():
        if not ticks or not starts or (neighbour == "restarts" and starts < 3):
            yield f"{name}: {neighbour} has not done its part: {ticks} ticks, {starts} starts"
    for kind in SAMPLES:
        most = max(row["us"][kind])
        if most > row["bound_us"][kind]:
            yield f"{name}: {kind}: {most:.2f} us, proven are {row['bound_us'][kind]} us"
    if not row["switches"] or max(row["switches"]) > row["switch_bound"]:
        yield f"{name}: switch: {max(row['switches'], default=0)} instructions, proven are {row['switch_bound']}"


def table(rows):
    """The maxima beside the bounds."""
    yield from run.table([["scheduler", "beside", "jobs", "misses", "handler", "start", "proven", "done", "proven", "switches",
                           "longest", "proven"]] + [
        [scheduler, beside, str(row["jobs"]), str(row["misses"]), f"{max(row['us']['handler']):.2f}",
         f"{max(row['us']['start']):.2f}", str(row["bound_us"]["start"]),
         f"{max(row['us']['done']):.2f}", str(row["bound_us"]["done"]),
         str(sum(row["switches"].values())), str(max(row["switches"])), str(row["switch_bound"])]
        for (scheduler, beside), row in rows.items()], left=(0, 1))
    yield "longest of all jobs in us, from the release on: to the interrupt's handler, the job's begin, its end; of all switches"
    yield "of VMs in instructions of the hypervisor"


def histogram(values, width):
    """[[from, count]] of buckets that have some."""
    counts = {}
    for value in values:
        counts[int(value / width)] = counts.get(int(value / width), 0) + 1
    return [[round(bucket * width, 3), counts[bucket]] for bucket in sorted(counts)]


CELL, HIGH, LOW, LEFT, BUCKETS = 250, 84, 40, 110, 120
COLOURS = {"handler": "idle", "start": "work", "done": "response"}


def draw(rows):
    """A histogram for each pair; heights are logarithms, a red line is what is proven of the end."""
    schedulers, beside = (list(dict.fromkeys(pair[index] for pair in rows)) for index in (0, 1))
    page = Picture(LEFT + CELL * len(beside) + 20, "Jitter")
    page.text(24, 28, "From a job's release to its handler (grey), its begin (yellow), its end (blue); red: proven", "title")
    page.text(24, 46, f"{max(row['jobs'] for row in rows.values())} jobs each; a bar's height is a logarithm; below, switches of "
              "VMs by their instructions", "small")
    for column, name in enumerate(beside):
        page.text(LEFT + CELL * column, 72, f"beside: {name}")
    for line, scheduler in enumerate(schedulers):
        top = 84 + (HIGH + LOW + 70) * line
        page.text(LEFT - 12, top + HIGH / 2, scheduler, anchor="end")
        for column, name in enumerate(beside):
            if (scheduler, name) in rows:
                cell(page, LEFT + CELL * column, top, rows[scheduler, name])
    return page.svg()


def cell(page, left, top, row):
    """One pair's."""
    width, whole = CELL - 30, row["bound_us"]["done"] * 1.05
    page.bar(left, top, width, HIGH, "lane")
    for kind in ("done", "start", "handler"):
        bars(page, left, top + HIGH, width, HIGH, histogram(row["us"][kind], whole / BUCKETS), whole, COLOURS[kind],
             kind + ": {} from {} us on")
    page.line(left + width / 1.05, top - 3, left + width / 1.05, top + HIGH + 3, "deadline")
    page.text(left, top + HIGH + 14, "0", "small")
    page.text(left + width / 1.05, top + HIGH + 14, f"{row['bound_us']['done']} us", "small", "middle")
    bottom, most = top + HIGH + LOW + 26, max(row["switches"])
    page.bar(left, bottom - LOW, width, LOW, "lane")
    bars(page, left, bottom, width, LOW, row["switches"].items(), most * 1.05, "idle", "switch: {} of {} instructions")
    page.text(left, bottom + 14, f"switch: at most {most}, proven {row['switch_bound']} instructions", "small")


def bars(page, left, bottom, width, high, buckets, whole, colour, says):
    """A histogram: of each bucket where it begins, and how many it has."""
    for begin, count in buckets:
        tall = high * (1 + len(bin(count)) - 2) / 16
        page.bar(left + width * begin / whole, bottom - tall, width / BUCKETS, tall, colour, says.format(count, begin))


def report(rows):
    """jitter.json."""
    return {"jobs": max(row["jobs"] for row in rows.values()), "rows": [
        {"scheduler": scheduler, "beside": beside, "jobs": row["jobs"], "misses": row["misses"], "bound_us": row["bound_us"],
         "max_us": {kind: round(max(row["us"][kind]), 3) for kind in SAMPLES},
         "histogram_us": {kind: histogram(row["us"][kind], 0.5) for kind in SAMPLES},
         "switch_insns": {"bound": row["switch_bound"], "max": max(row["switches"]), "histogram": list(row["switches"].items())}}
        for (scheduler, beside), row in rows.items()]}


def build(scheduler, beside, jobs):
    """The image of a pair; gives its path and the folder of its guests."""
    name = f"build/jitter/{scheduler}-{beside}"
    folder = os.path.join(ROOT, name, "own")
    partitions = write_partitions(folder, os.path.join(ROOT, "build", "guests"), scheduler, [beside], jobs)
    command = ["make", "-s", "-C", ROOT, "PRODUCT=hostile", f"O={name}", f"PARTITIONS={partitions}",
               f"EXTRA_CONFIG=CONFIG_{SCHEDULERS[scheduler].option}=y", f"{name}/proteus.elf"]
    if subprocess.run(command, check=False).returncode:
        raise InputError(f"{partitions}:1: does not build. hint: {' '.join(command)}")
    return os.path.join(ROOT, name, "proteus.elf"), folder


def main(argv=None):
    """Build, run, print, write."""
    parser = argparse.ArgumentParser(prog="jitter.py", description=__doc__.split("\n", maxsplit=1)[0])
    parser.add_argument("--jobs", type=int, default=JOBS, help=f"of each run (default and most: {JOBS})")
    parser.add_argument("--only", choices=SCHEDULERS, help="one scheduler")
    parser.add_argument("--beside", choices=NEIGHBOURS, help="one neighbour")
    args = parser.parse_args(argv)
    if not 0 < args.jobs <= JOBS:
        parser.error(f"--jobs: 1 to {JOBS}")
    subprocess.run(["make", "-s", "-C", ROOT, "guests"], check=True)
    rows, found = {}, []
    for scheduler in [args.only] if args.only else SCHEDULERS:
        for beside in [args.beside] if args.beside else NEIGHBOURS:
            image, folder = build(scheduler, beside, args.jobs)
            rows[scheduler, beside] = row = measure(image, folder, args.jobs, 3600)
            found += faults(f"{scheduler} beside {beside}", row)
            print(f"  JITTER {scheduler} beside {beside}: done after {max(row['us']['done']):.2f} us, "
                  f"proven are {row['bound_us']['done']}", flush=True)
    print("\n" + "\n".join(table(rows)))
    write_if_changed(os.path.join(ROOT, "build", "jitter.json"), json.dumps(report(rows), indent=1) + "\n")
    write_if_changed(os.path.join(ROOT, "build", "jitter.svg"), draw(rows))
    if found:
        raise InputError(*found)
    return 0


if __name__ == "__main__":
    sys.exit(run_tool(main))
