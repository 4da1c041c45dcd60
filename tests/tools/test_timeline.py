"""tools/timeline.py: what is made of the ring of option TRACE_SCHED. The real ring is the system tests' (test_trace.py)."""

import os
import struct
import sys
from xml.dom import minidom

import pytest

ROOT = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
sys.path.insert(0, os.path.join(ROOT, "tools"))

import timeline  # noqa: E402

NAMES = timeline.kinds()
BEGIN = 0xFFFFFF00      # the time base wraps


def table(kind="priority", plans=None):
    """A partition table of two VMs; a tick is a microsecond."""
    task = {"name": "t", "period_us": 1000, "wcet_us": 100, "deadline_us": 900}
    return {"board": {"tb_hz": 1_000_000}, "schedule": {"kind": kind, "plans": plans, "quantum_us": 1000},
            "vms": [{"name": "a", "tasks": [task]}, {"name": "b", "tasks": []}]}


def ring(*rows, size=None):
    """(count, words) of a ring with these records: (time, kind, vm, detail)."""
    words = [struct.unpack(">2I", struct.pack(">IBBH", (BEGIN + time) % 2**32, NAMES.index(kind) if kind in NAMES else 99, vm,
                                              detail)) for time, kind, vm, detail in rows]
    size = size or len(rows)
    found = [(0, 0)] * size
    for number, pair in enumerate(words):
        found[number % size] = pair
    return len(rows), [word for pair in found for word in pair]


def line(*rows, size=None, **options):
    count, words = ring(*rows, size=size)
    return timeline.Timeline(timeline.records(count, words, NAMES), table(**options), max(0, count - len(words) // 2))


def test_who_ran():
    """Switches make runs, over the wrap of the time base; a VM that is told again goes on; the idle machine is the VM behind."""
    found = line((0, "switch", 0, 0), (100, "switch", 1, 0), (200, "switch", 1, 0), (600, "switch", 2, 0), (1000, "switch", 0, 0),
                 (1100, "stop", 0, 3))
    assert found.runs == [(0, 100, 0), (100, 600, 1), (600, 1000, 2), (1000, 1100, 0)]
    rows = {row[0]: row[1:] for row in found.table()}
    assert rows["a"] == ["2", "18.2 %", "10.0 %", "900.0 us", "0.10 ms", "-"]
    assert rows["b"][:3] == ["1", "45.5 %", "-"] and rows["(idle)"][:2] == ["1", "36.4 %"]
    assert found.about() == "6 records of 1.1 ms, from the start on"


def test_the_last_records():
    """Of a ring that went round the oldest that is left comes first, and the rest is said to be lost."""
    found = line(*((10 * number, "switch", number % 2, 0) for number in range(11)), size=4)
    assert [row.vm for row in found.rows] == [1, 0, 1, 0] and found.end - found.begin == 30 and found.lost == 7
    assert found.about().startswith("the last 4 records of 0.0 ms: 7 before them are lost")


def test_other_kinds():
    """Of a later option."""
    assert [row.kind for row in line((0, "switch", 0, 0), (5, "unknown", 0, 0), (9, "switch", 1, 0)).rows] == ["switch", "switch"]


def test_jobs():
    """A release without a record is known by its period; one that is told later than it was is where it was."""
    found = line((0, "switch", 1, 0), (107, "release", 0, 0), (110, "switch", 0, 0), (200, "switch", 1, 0), (2112, "switch", 0, 0),
                 (2107, "release", 0, 0), (2200, "switch", 1, 0))
    assert [(job.begin, job.end) for job in found.jobs] == [(107, 1007), (1107, 2007), (2107, 3007)]
    assert found.latest(0) == (5, 2107) and found.latest(1) is None
    assert not list(line((0, "release", 0, 0), (300, "release", 0, 0), (700, "release", 0, 0)).jobs)    # no period of the task's


def test_windows():
    plans = [{"name": "x", "frame_us": 1000, "windows": [{"at_us": 0, "us": 300, "vm": 0}, {"at_us": 300, "us": 700, "vm": 1}]},
             {"name": "y", "frame_us": 500, "windows": [{"at_us": 100, "us": 400, "vm": 1}]}]
    found = line((0, "frame", 2, 0), (0, "switch", 0, 0), (310, "switch", 1, 0), (1000, "frame", 2, 1), (1010, "switch", 2, 0),
                 kind="cyclic", plans=plans)
    assert found.jobs == [(0, 0, 300), (1, 300, 1000), (1, 1100, 1500)]
    assert [row[3] for row in found.table()] == ["planned", "30.0 %", "70.0 %", "-"]


def test_being_prepared():
    """From the begin of a restart to the guest's first instruction, as far as the VM runs."""
    found = line((0, "restart", 0, 3), (10, "switch", 0, 0), (50, "start", 0, 0), (90, "switch", 1, 0), (95, "stop", 1, 2))
    assert list(found.prepared(found.runs[0])) == [(10, 50)] and not list(found.prepared(found.runs[1]))


@pytest.mark.parametrize("rows", [(), ((0, "switch", 0, 0),), ((0, "switch", 0, 0), (50, "switch", 1, 0), (70, "start", 1, 0))])
def test_the_picture(tmp_path, rows):
    """Well-formed, whatever the run; each VM has its lane."""
    path = timeline.write(line(*rows), str(tmp_path), "a < b")
    text = open(path, encoding="utf-8").read()
    minidom.parseString(text)
    assert text.count(">a</text>") == 2 and "a &lt; b" in text


class Memory:
    """Stands for the monitor."""

    def __init__(self, count, words):
        self.all = [count, *words]

    def words(self, address, count):
        first = (address - 0x1000) // 4
        return self.all[first:first + count]


def test_read():
    class Image:
        symbols, sizes = {"trace": (0x1000, False)}, {"trace": 4 + 8 * 4}

        @staticmethod
        def address(_):
            return 0x1000
    found = timeline.read(Memory(*ring((0, "switch", 0, 0), (10, "switch", 1, 0), size=4)), Image, table())
    assert [row.vm for row in found.rows] == [0, 1] and found.lost == 0
    Image.symbols = {}
    assert timeline.read(None, Image, table()) is None
