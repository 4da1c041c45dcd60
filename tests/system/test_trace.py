"""Option TRACE_SCHED: the time line of a run, read from the machine's memory, against what the guests' own counters say."""

import os
import subprocess
import sys

import conftest

import image as elf
import machine as machines
import timeline


def test_the_run_is_as_it_was_planned(images):
    """The demo, whole: each VM begins and ends once, runs as often as it counts itself, and a job of CTask's begins in time."""
    image = images.elf("demo", "CONFIG_TRACE_SCHED=y")
    found = []

    def look(_result, monitor):
        found.append(timeline.read(monitor, elf.of(image), machines.read_table(image)[1]))
    result = images.run(image=image, timeout=240, look=look)
    line, = found
    assert not line.lost and not list(result.trouble())
    for index, name in enumerate(("ctask", "ffttask", "sfft")):
        assert [len(line.of(kind, index)) for kind in ("restart", "start", "stop")] == [1, 1, 1], name
        assert len(line.runs_of(index)) == result.vms[name].stats["switches"], name
    jobs = [job for job in line.jobs if job.vm == 0]
    assert len(jobs) == 201 and line.us(line.latest(0)[0]) < 20
    assert all(any(run.begin - 20 * line.hertz / 1e6 <= job.begin <= run.end for run in line.runs_of(0)) for job in jobs[:-1])


def test_make_run_draws_it(images):
    """The table and the picture, by run.py as make run calls it; of a run that is longer than the ring, its end."""
    image = images.elf("demo", "CONFIG_TRACE_SCHED=y CONFIG_TRACE_RECORDS=100")
    path = os.path.join(os.path.dirname(image), "timeline.svg")
    done = subprocess.run([sys.executable, os.path.join(conftest.ROOT, "tools", "run.py"), "--image", image, "--summary"],
                          capture_output=True, text=True, check=False, timeout=300)
    assert done.returncode == 0, done.stderr
    assert "timeline  switches" in done.stdout and f"{path}: the last 100 records of " in done.stdout
    assert open(path, encoding="utf-8").read().count("(idle)</text>") == 2

