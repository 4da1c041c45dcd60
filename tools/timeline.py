"""timeline.py: who ran when, beside who was to: what option TRACE_SCHED leaves in the machine's memory, as a table and a picture.

The ring is the symbol `trace` (src/report/trace.h), its kinds of records are the rows of config/trace.def. It has the last
records of a run; what was before them is said to be missing. What was to be is the partition table's: with SCHED_CYCLIC the
windows of each frame, from the frame's own record on; with the others each release of a task, and its deadline. A timer that
was due while its VM ran has no record where the assembler served it: releases are a period apart, so those that are missing are
known.
"""

import bisect
import collections
import os
import re

from kconfig import read_text, write_if_changed
from svg import Picture

TABLE = os.path.join(os.path.dirname(os.path.dirname(os.path.abspath(__file__))), "config", "trace.def")
HEAD, RECORD = 4, 8                     # bytes: of the count, of a record
Record = collections.namedtuple("Record", "time kind vm detail")
Run = collections.namedtuple("Run", "begin end vm")
Job = collections.namedtuple("Job", "vm begin end")     # ticks: released, and to be done


def kinds(path=TABLE):
    """Names of the kinds of records, in their order."""
    return re.findall(r"^TRACE\((\w+), \w+\)$", read_text(path, "table of records"), re.M)


def signed(word):
    """A difference of two times of 32 bits."""
    return (word + 0x80000000) % 0x100000000 - 0x80000000


def records(count, words, names):
    """Records of a ring, the oldest first; times in ticks from the oldest on."""
    size = len(words) // 2
    found, last, time = [], None, 0
    for number in range(max(0, count - size), count):
        low, what = words[number % size * 2:number % size * 2 + 2]
        time += signed(low - last) if last is not None else 0
        last = low
        if what >> 24 < len(names):
            found.append(Record(time, names[what >> 24], what >> 16 & 0xFF, what & 0xFFFF))
    return found


class Timeline:
    """A run, as its records tell it."""

    def __init__(self, rows, table, lost=0):
        self.rows, self.lost = rows, lost
        self.vms, self.schedule, self.hertz = table["vms"], table["schedule"], table["board"]["tb_hz"]
        self.begin = min((row.time for row in rows), default=0)
        self.end = max((row.time for row in rows), default=0)
        self.runs = self._runs()
        self.lives = {}         # of each VM: when the hypervisor has cleared and loaded it
        for row in rows:
            if row.kind in ("restart", "start", "stop"):
                self._prepare(row)
        self.jobs = list(self._windows() if self.schedule["kind"] == "cyclic" else self._tasks())

    def ticks(self, us):
        """Of microseconds."""
        return us * self.hertz / 1_000_000

    def us(self, ticks):
        """Microseconds."""
        return ticks * 1_000_000 / self.hertz

    def of(self, kind, vm=None):
        """Times of the records of a kind."""
        return [row.time for row in self.rows if row.kind == kind and vm in (None, row.vm)]

    def _runs(self):
        """Who ran from when to when; the idle machine is the VM behind the last."""
        found = []
        for row in self.rows:
            if row.kind == "switch" and not (found and found[-1].vm == row.vm):
                if found:
                    found[-1] = found[-1]._replace(end=row.time)
                found.append(Run(row.time, self.end, row.vm))
        return [run for run in found if run.end > run.begin]

    def _prepare(self, row):
        """From a restart on, until the next record of the VM's life."""
        pieces = self.lives.setdefault(row.vm, [])
        if pieces and pieces[-1][1] is None:
            pieces[-1] = pieces[-1][0], row.time
        if row.kind == "restart":
            pieces.append((row.time, None))

    def prepared(self, run):
        """The pieces of a run in which the hypervisor clears and loads the VM."""
        for begin, end in self.lives.get(run.vm, ()):
            if end is not None and begin < run.end and end > run.begin:
                yield max(begin, run.begin), min(end, run.end)

    def runs_of(self, vm):
        """Those of one VM."""
        return [run for run in self.runs if run.vm == vm]

    def _windows(self):
        """Windows of the frames that have begun."""
        for row in self.rows:
            if row.kind != "frame" or row.detail >= len(self.schedule["plans"]):
                continue
            for window in self.schedule["plans"][row.detail]["windows"]:
                if window["vm"] is not None and window["vm"] < len(self.vms):
                    begin = row.time + self.ticks(window["at_us"])
                    yield Job(window["vm"], begin, begin + self.ticks(window["us"]))

    def _tasks(self):
        """Jobs of each VM with one task, between its first release and its last, if its timer keeps the task's period."""
        for index, vm in enumerate(self.vms):
            times = self.of("release", index)
            if len(vm["tasks"]) != 1 or len(times) < 2:
                continue
            period, deadline = (self.ticks(vm["tasks"][0][key]) for key in ("period_us", "deadline_us"))
            for begin in grid(times, period):
                yield Job(index, begin, begin + deadline)

    def planned(self, index):
        """The part of the processor that a VM is to have: by windows, by a budget, or by its tasks; None: nothing says."""
        vm, plans = self.vms[index], self.schedule.get("plans")
        if self.schedule["kind"] == "cyclic":
            return sum(window["us"] for window in plans[0]["windows"] if window["vm"] == index) / plans[0]["frame_us"]
        if vm.get("budget_us"):
            return vm["budget_us"] / vm["period_us"]
        return sum(task["wcet_us"] / task["period_us"] for task in vm["tasks"]) or None

    def gap(self, vm):
        """(ticks, from when on) of the longest time in which a VM that had run did not, before it ran again."""
        runs = self.runs_of(vm)
        return max(((after.begin - before.end, before.end) for before, after in zip(runs, runs[1:])), default=(0, self.begin))

    def latest(self, vm):
        """(ticks, from when on) of the longest time from a recorded release to the VM's next run, or None."""
        runs = self.runs_of(vm)
        ends, found = [run.end for run in runs], None
        for time in self.of("release", vm):
            place = bisect.bisect_right(ends, time)
            if place < len(runs):
                found = max(found or (0, time), (runs[place].begin - time, time))
        return found

    def table(self):
        """Rows: what each VM had of the time that the records are about."""
        whole = (self.end - self.begin) or 1
        yield ["timeline", "switches", "time", "planned", "longest gap", "at", "latest start"]
        for index, vm in enumerate([*self.vms, {"name": "(idle)"}]):
            runs, idle = self.runs_of(index), index == len(self.vms)
            share, plan = sum(run.end - run.begin for run in runs) / whole, None if idle else self.planned(index)
            gap, at = self.gap(index)
            late = None if idle else self.latest(index)
            yield [vm["name"], str(len(runs)), f"{100 * share:.1f} %", "-" if plan is None else f"{100 * plan:.1f} %",
                   f"{self.us(gap):.1f} us" if gap and not idle else "-",
                   f"{self.us(at - self.begin) / 1000:.2f} ms" if gap and not idle else "-",
                   "-" if late is None else f"{self.us(late[0]):.1f} us"]

    def about(self):
        """What the records are about, in a line."""
        text = f"{len(self.rows)} records of {self.us(self.end - self.begin) / 1000:.1f} ms"
        if self.lost:
            return f"the last {text}: {self.lost} before them are lost (CONFIG_TRACE_RECORDS)"
        return f"{text}, from the start on"


def grid(times, period):
    """Releases a period apart, from the first recorded one to the last; none if most of those recorded lie elsewhere."""
    first = times[0]
    beside = [abs((time - first + period / 2) % period - period / 2) for time in times]
    if sum(distance < period / 50 for distance in beside) < 0.9 * len(times):
        return []
    return [first + number * period for number in range(int((times[-1] - first) / period + 1.5))]


LEFT, WIDTH, LANE, STEP = 120, 1080, 30, 44


class Panel:
    """A stretch of the time line: a lane for each VM and one for the idle machine."""

    def __init__(self, page, top, line, begin, end):
        self.page, self.top, self.line, self.begin, self.end = page, top, line, begin, end

    def x(self, time):
        """Where a time is."""
        return LEFT + WIDTH * (min(max(time, self.begin), self.end) - self.begin) / ((self.end - self.begin) or 1)

    def seen(self, begin, end):
        """Is any of it in the stretch?"""
        return end > self.begin and begin < self.end

    def draw(self, title, plan):
        """All lanes; the plan only where it can be read. Gives the place below."""
        page, vms = self.page, self.line.vms
        page.text(LEFT, self.top, title)
        for index, vm in enumerate([*vms, {"name": "(idle)"}]):
            self.lane(index, vm["name"], self.top + 12 + STEP * index, plan)
        bottom = self.top + 12 + STEP * (len(vms) + 1)
        for time in round_times(self.line, self.begin, self.end):
            page.line(self.x(time), bottom - 8, self.x(time), bottom - 3, "axis")
            page.text(self.x(time), bottom + 10, f"{self.line.us(time - self.line.begin) / 1000:.6g}", "small", "middle")
        page.text(LEFT + WIDTH + 26, bottom + 10, "ms", "small")
        return bottom + 46

    def lane(self, index, name, y, plan):
        """One VM: what was planned pale and high, what was low and dark."""
        page, line = self.page, self.line
        page.text(LEFT - 10, y + 20, name, anchor="end")
        page.bar(LEFT, y, WIDTH, LANE, "lane")
        for job in line.jobs if plan else ():
            if job.vm == index and self.seen(job.begin, job.end):
                page.bar(self.x(job.begin), y, self.x(job.end) - self.x(job.begin), LANE, "slack",
                         f"planned: {line.us(job.begin - line.begin):.1f} to {line.us(job.end - line.begin):.1f} us")
        for run in line.runs_of(index):
            if self.seen(run.begin, run.end):
                page.bar(self.x(run.begin), y + 8, max(self.x(run.end) - self.x(run.begin), 0.4), LANE - 12,
                         "idle" if index == len(line.vms) else "response",
                         f"{name}: {line.us(run.begin - line.begin):.1f} us, for {line.us(run.end - run.begin):.1f} us")
                for begin, end in line.prepared(run):
                    page.bar(self.x(begin), y + 8, self.x(end) - self.x(begin), LANE - 12, "work", f"{name}: being prepared")
        if plan and line.schedule["kind"] != "cyclic":
            for job in line.jobs:
                for time, css in ((job.begin, "release"), (job.end, "deadline")):
                    if job.vm == index and self.begin <= time <= self.end:
                        page.line(self.x(time), y - 3, self.x(time), y + (12 if css == "release" else LANE), css)
        for row in line.rows:
            if row.vm == index and row.kind in ("start", "restart", "stop") and self.begin <= row.time <= self.end:
                page.line(self.x(row.time), y - 4, self.x(row.time), y + LANE + 2, "mark")
                if row.kind != "restart":
                    page.text(self.x(row.time) + 3, y + LANE + 9, row.kind, "small")


def round_times(line, begin, end):
    """Times for an axis: at round numbers of milliseconds."""
    span = line.us(end - begin) / 1000 or 1
    step = next(size * 10 ** power for power in range(-6, 9) for size in (1, 2, 5) if span / (size * 10 ** power) <= 12)
    first = -int(-line.us(begin - line.begin) / 1000 // step)
    for number in range(first, first + 14):
        time = line.begin + line.ticks(round(number * step, 6) * 1000)
        if begin <= time <= end:
            yield time


def stretch(line):
    """What is worth a closer look: some frames or periods where the most urgent VM began latest, or around its longest gap."""
    if line.schedule["kind"] == "cyclic":
        length = 3 * line.ticks(max(plan["frame_us"] for plan in line.schedule["plans"]))
        urgent = min((job.end - job.begin, job.vm) for job in line.jobs)[1] if line.jobs else 0
    else:
        tasks = sorted((task["period_us"], index) for index, vm in enumerate(line.vms) for task in vm["tasks"])
        period, urgent = tasks[0] if tasks else (2 * line.schedule["quantum_us"] * len(line.vms), 0)
        length = 6 * line.ticks(period)
    at = (line.latest(urgent) or line.gap(urgent))[1]
    begin = max(line.begin, min(at - length / 3, line.end - length))
    return begin, min(begin + length, line.end)


def draw(line, title):
    """The picture: the whole, and a closer look."""
    page = Picture(LEFT + WIDTH + 60, title)
    page.text(24, 30, f"{title}: {line.about()}", "title")
    below = Panel(page, 62, line, line.begin, line.end).draw("All of it", False)
    begin, end = stretch(line)
    what = "the windows of its plan" if line.schedule["kind"] == "cyclic" else "from a release (green) to its deadline (red)"
    Panel(page, below, line, begin, end).draw(f"A closer look; pale: {what}; dark: who ran; yellow: being prepared", True)
    return page.svg()


def read(monitor, image, table):
    """The time line of the machine as it stands; None if the image keeps none."""
    if not table or "trace" not in image.symbols:
        return None
    start, size = image.address("trace"), image.sizes["trace"]
    count = monitor.words(start, 1)[0]
    words = monitor.words(start + HEAD, (size - HEAD) // RECORD * 2) if count else []
    return Timeline(records(count, words, kinds()), table, max(0, count - len(words) // 2))


def write(line, folder, name):
    """timeline.svg; gives its path."""
    path = os.path.join(folder, "timeline.svg")
    write_if_changed(path, draw(line, name))
    return path
