#!/usr/bin/python3
"""run.py: every test of the project, stage by stage.

    tests/run.py all                 all stages
    tests/run.py quick               unit, tools, check
    tests/run.py system lint         these
    tests/run.py --list              the stages and their commands

Stages run side by side, as many as there are cores (--jobs), each when those that it waits for have ended. One line for each
that ended: name, seconds, counts; of one that failed, its output in full (-v: of every stage, line by line, with its name). From
time to time a line says how far those are that run. At the end a table: seconds by the clock and of the processor, and whether
what the stage builds was there already. The last line is `N passed, N failed`, with `, N skipped` only if any were. What each
stage printed is kept in build/test/<stage>.log.

Counts are those that the stage itself prints. An exit status other than 0 without a counted failure is one failure, and
so is a stage that ran nothing: silence is no success. There is no limit to a stage's time, but it is ended if it says nothing
for a quarter of an hour, or for ten times its longest silence in the last run.

Exit status: 0 if nothing failed, 1 if something did, 2 for wrong usage, 130 after Ctrl-C.
"""

import sys

sys.dont_write_bytecode = True      # generated files belong under build/ only

import argparse
import codecs
import collections
import glob
import json
import os
import re
import selectors
import shutil
import signal
import subprocess
import time

ROOT = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))
PYTHON = "/usr/bin/python3"         # the one that Debian's kconfiglib and pyelftools are installed for
PYTEST = [PYTHON, "-m", "pytest", "-q", "-p", "no:cacheprovider", "--color=no"]

CORES = len(os.sched_getaffinity(0))
SPREAD = [*PYTEST, "-n", str(CORES), "--dist", "loadgroup"]     # tests one by one; those of an xdist_group in one process
PATIENCE, TIMES = 900, 10           # seconds of silence, or this many times the longest of the last run, end a stage
NEWS = 60                           # seconds between two lines about the stages that run

# name; command; `count` function; purposes of tools/deps.sh that it needs; stages that it waits for; files that it builds
Stage = collections.namedtuple("Stage", "name command count needs after builds", defaults=((), (), ()))
Counts = collections.namedtuple("Counts", "passed failed skipped", defaults=(0, 0, 0))
Result = collections.namedtuple("Result", "name seconds counts note cpu cached", defaults=(0.0, "-"))


# ---------------------------------------------------------------- what a stage says about itself
SUMMARY = re.compile(r"^(\d+) passed, (\d+) failed(?:, (\d+) skipped)?$", re.M)
PYTEST_SUMMARY = re.compile(r"^(?:=+ )?((?:\d+ \w+, )*\d+ \w+|no tests ran) in [\d.]+s\b", re.M)
PYTEST_PASSED = ("passed", "xpassed")
PYTEST_FAILED = ("failed", "error", "errors")
PYTEST_SKIPPED = ("skipped", "xfailed")
CMOCKA = {"passed": re.compile(r"^\[  PASSED  \] (\d+) test", re.M),
          "failed": re.compile(r"^\[  FAILED  \] [^\n]*?(\d+) test\(s\), listed below", re.M),
          "skipped": re.compile(r"^\[  SKIPPED \] [^\n]*?(\d+) test\(s\), listed below", re.M)}
ROWS = re.compile(r"^(\d+) rows, (\d+) covered$", re.M)
PRODUCT = re.compile(r"^  OK    \S+$", re.M)
VERDICT = re.compile(r"^(?=.*\d).*[ |](ok|aim|above|over)[ |]*$", re.M)     # a row with figures: not the table's head


def count_summary(text):
    """The last line `N passed, N failed`; without one, the sums of CMocka's summaries."""
    found = SUMMARY.findall(text)
    if found:
        return Counts(*(int(number or 0) for number in found[-1]))
    return Counts(**{name: sum(map(int, pattern.findall(text))) for name, pattern in CMOCKA.items()})


def count_pytest(text):
    """pytest's last line."""
    found = PYTEST_SUMMARY.findall(text)
    if not found:
        return Counts()
    words = {word: int(number) for number, word in re.findall(r"(\d+) (\w+)", found[-1])}
    groups = (PYTEST_PASSED, PYTEST_FAILED, PYTEST_SKIPPED)
    return Counts(*(sum(words.get(word, 0) for word in group) for group in groups))


def count_rows(text):
    """tests/coverage.py: `N rows, N covered`."""
    found = ROWS.findall(text)
    rows, covered = map(int, found[-1]) if found else (0, 0)
    return Counts(covered, max(rows - covered, 0))


def count_products(text):
    """`make check`: a line for each product that is right; it ends at the first that is not."""
    return Counts(len(PRODUCT.findall(text)))


def count_verdicts(text):
    """A ledger: figures that are within their target, and that are not."""
    verdicts = VERDICT.findall(text)
    over = verdicts.count("over")
    return Counts(len(verdicts) - over, over)


def count_build(text):
    """A build that the system tests need, or one that is still good: it says so."""
    return Counts(1 if text.strip() else 0)


def count_lint(text):
    """tools/lint.sh: its summary; None without one, because then the exit status tells all."""
    return count_summary(text) if SUMMARY.search(text) else None


# In a product's folder below build/ one stage at a time builds: check goes before those that build there as well
STAGES = [
    Stage("qemu", ["make", "qemu"], count_build, ("qemu",), builds=("build/qemu/qemu-system-ppc",)),
    Stage("linux", ["make", "linux"], count_build, ("linux",), builds=("build/guests/linux*.elf",)),
    # Each Debian once: as a user with sudo, and as root where a QEMU is built first. The other two cases are in `make fresh`
    Stage("fresh", [PYTHON, "tests/fresh/fresh.py", "bookworm-user", "trixie-root"], count_summary,
          () if os.geteuid() else ("fresh",), builds=("build/fresh/*/root",)),
    Stage("unit",
          ["make", "-s", "-C", "tests/unit", f"-j{CORES}", f"OUT={ROOT}/build/unit", f"COVERAGE={ROOT}/build/coverage", "run"],
          count_summary, ("test",), builds=("build/unit/*/tests",)),
    Stage("differential", [PYTHON, "tests/differential/differential.py"], count_summary, ("test",), ("qemu",),
          ("build/differential/*/test.elf",)),
    Stage("mutate", [PYTHON, "tests/mutants/mutate.py", "--sample"], count_summary, ("test",), ("qemu", "unit", "differential")),
    Stage("tools", [*SPREAD, "tests/tools"], count_pytest, ("test",)),
    Stage("check", ["make", "check"], count_products, ("test",)),
    Stage("guests", [*SPREAD, "tests/guests"], count_pytest, ("test",), ("qemu",), ("build/guests/*.elf",)),
    Stage("system", [*SPREAD, "tests/system"], count_pytest, ("test",), ("qemu", "linux", "check"), ("build/*/proteus.elf",)),
    Stage("footprint", [PYTHON, "tools/footprint.py", "--gate"], count_verdicts, ("run",), ("check",),
          ("build/footprint/*/proteus.elf",)),
    Stage("bench", ["make", "bench", "bench-ipc", "GATE=1"], count_verdicts, ("bench", "qemu"), ("check", "qemu")),
    Stage("lint", ["tools/lint.sh"], count_lint, ("run", "lint"), ("system", "footprint", "bench")),
    Stage("coverage", [PYTHON, "tests/coverage.py"], count_rows, ("test",), ("unit", "system")),
    Stage("readme", [PYTHON, "tools/readme.py", "--check"], count_summary, ("test",), ("footprint", "bench")),
]
SETS = {"all": [stage.name for stage in STAGES], "quick": ["unit", "tools", "check"]}


# ---------------------------------------------------------------- running one
class Stopped(Exception):
    """Ctrl-C or a request to terminate."""


def environment():
    """Of every stage: nothing is left in the source tree, and `make test PRODUCT=x` tests no less than `make test`."""
    env = dict(os.environ, PYTHONDONTWRITEBYTECODE="1", PYTHONUNBUFFERED="1")
    for name in ("MAKEFLAGS", "MAKELEVEL", "MFLAGS", "PRODUCT", "O", "EXTRA_CONFIG", "PACK"):
        env.pop(name, None)
    if shutil.which("powerpc-eabi-gcc"):        # as the Makefile; tests of single programs only know Debian's
        env.setdefault("CROSS_COMPILE", "powerpc-eabi-")
    return env


class Running:
    """A stage that runs: what it has said, and when."""

    def __init__(self, stage, verbose, logs, patience, root):
        self.stage, self.verbose, self.patience, self.root = stage, verbose, patience, root
        self.start = self.heard = time.monotonic()
        self.silence, self.cpu, self.problem, self.line = 0.0, 0.0, "", ""
        self.output, self.decoder = [], codecs.getincrementaldecoder("utf-8")("replace")
        self.before = self.built()
        self.log = open(os.path.join(logs, stage.name + ".log"), "w", encoding="utf-8")
        try:
            self.process = subprocess.Popen(stage.command, cwd=root, env=environment(), stdin=subprocess.DEVNULL,
                                            stdout=subprocess.PIPE, stderr=subprocess.STDOUT, start_new_session=True)
        except OSError as error:
            self.process, self.problem = None, f"{stage.command[0]}: {error.strerror}"

    def built(self):
        """When each file was made that this stage builds."""
        files = [path for pattern in self.stage.builds for path in glob.glob(os.path.join(self.root, pattern))]
        return {path: os.stat(path).st_mtime_ns for path in files}

    def cached(self):
        """Whether they were there already; `-` of a stage without any."""
        after = self.built()
        kept = sum(self.before.get(path) == made for path, made in after.items())
        return "-" if not after else "yes" if kept == len(after) else "part" if kept else "no"

    def read(self):
        """Take what it has written. False: it has closed its output."""
        data = os.read(self.process.stdout.fileno(), 65536)
        self.silence = max(self.silence, time.monotonic() - self.heard)
        self.heard = time.monotonic()
        self.write(self.decoder.decode(data, final=not data))
        return bool(data)

    def write(self, text):
        """Into the log; whole lines to the reader, if he wants them."""
        self.output.append(text)
        self.log.write(text)
        self.log.flush()
        *lines, self.line = (self.line + text).split("\n")
        if self.verbose:
            for line in lines:
                print(f"{self.stage.name:<10} {line}", flush=True)

    def progress(self):
        """How far it is, by the last that it says of that: 45%, 312/900."""
        found = re.findall(r"\[ *(\d+%|\d+/\d+)\]", "".join(self.output[-200:]))
        return f"{self.stage.name} {found[-1]}" if found else self.stage.name

    def is_silent(self):
        """Whether it has said nothing for too long."""
        return time.monotonic() - self.heard > self.patience

    def end(self):
        """End it and all that it started: ask, then insist."""
        for number, patience in ((signal.SIGTERM, 5), (signal.SIGKILL, 5)):
            try:
                os.killpg(self.process.pid, number)
            except ProcessLookupError:
                break
            if self.wait(patience):
                return
        self.wait(None)

    def wait(self, patience):
        """Wait for its end and take its processor time, that of all it waited for included. False: it goes on."""
        deadline = None if patience is None else time.monotonic() + patience
        while self.process.returncode is None:
            pid, status, usage = os.wait4(self.process.pid, 0 if deadline is None else os.WNOHANG)
            if pid:
                self.process.returncode = os.waitstatus_to_exitcode(status)
                self.cpu = usage.ru_utime + usage.ru_stime
            elif time.monotonic() > deadline:
                return False
            else:
                time.sleep(0.05)
        return True

    def finish(self):
        """Its result, when it has closed its output or has to be ended."""
        if self.process:
            if self.is_silent():
                self.problem = f"no word for {self.patience:.0f} s"
            elif not self.wait(self.patience):
                self.problem = f"no end {self.patience:.0f} s after its last word"
            elif self.process.returncode:
                self.problem = f"exit status {self.process.returncode}"
            if self.process.returncode is None:      # not waited for, so the number is still its own
                self.end()
            self.process.stdout.close()
        if self.verbose and self.line:
            self.write("\n")
        self.log.close()
        counts, note = judge(self.stage.count("".join(self.output)), self.problem)
        return Result(self.stage.name, time.monotonic() - self.start, counts, note, self.cpu, self.cached())


def judge(counts, problem):
    """(counts, note): what the stage counted, with a failure for what it cannot have counted."""
    if counts is None:
        counts = Counts() if problem else Counts(passed=1)
    if problem and not counts.failed:
        return counts._replace(failed=1), problem
    if not any(counts):
        return counts._replace(failed=1), "ran nothing"
    return counts, problem


def install(stages, root=ROOT):
    """What the stages need that this machine lacks, in the foreground, because sudo may ask. Returns results: a failure
    is one, and the stages run all the same (those that lack something will say so)."""
    needs = list(dict.fromkeys(purpose for stage in stages for purpose in stage.needs))
    start = time.monotonic()
    if not needs or subprocess.run(["tools/deps.sh", *needs], cwd=root, check=False).returncode == 0:
        return []
    return [Result("packages", time.monotonic() - start, Counts(failed=1), "tools/deps.sh")]


# ---------------------------------------------------------------- what the reader sees
def count_text(counts):
    """`N passed, N failed`, and the skipped if there are any."""
    return f"{counts.passed} passed, {counts.failed} failed" + (f", {counts.skipped} skipped" if counts.skipped else "")


def result_text(result):
    """Seconds and counts of a stage."""
    return f"{result.seconds:7.1f} s  {count_text(result.counts)}" + (f"  ({result.note})" if result.note else "")


def table(results):
    """All stages that ran, and the last line: the sum."""
    columns = ["stage", "seconds", "of the CPU", "cached", *Counts._fields]
    rows = [[r.name, f"{r.seconds:.1f}", f"{r.cpu:.1f}", r.cached, *map(str, r.counts)] for r in results]
    widths = [max(len(row[i]) for row in [columns, *rows]) for i in range(len(columns))]
    for row in [columns, *rows]:
        print("  ".join(cell.ljust(width) if i == 0 else cell.rjust(width)
                        for i, (cell, width) in enumerate(zip(row, widths))))
    print(count_text(Counts(*(sum(column) for column in zip(*(r.counts for r in results))))), flush=True)


def show_stages(stages):
    """--list"""
    width = max(len(stage.name) for stage in stages)
    for stage in stages:
        print(f"{stage.name.ljust(width)}  {' '.join(stage.command)}")


def show_result(one, result):
    """The line of a stage that ended, and if it failed its output."""
    print(f"{result.name:<10} {result_text(result)}", flush=True)
    if result.counts.failed and not one.verbose:
        print(f"---- {result.name}: {' '.join(one.stage.command)}\n{''.join(one.output).rstrip()}\n----", flush=True)


# ---------------------------------------------------------------- running all
class Schedule:
    """Stages side by side."""

    def __init__(self, stages, verbose, jobs, root):
        self.waiting, self.running, self.results = list(stages), [], []
        self.verbose, self.jobs, self.root = verbose, jobs, root
        self.logs = os.path.join(root, "build", "test")
        self.selector = selectors.DefaultSelector()
        self.start = self.said = time.monotonic()
        os.makedirs(self.logs, exist_ok=True)
        self.record = os.path.join(self.logs, "silence.json")
        try:
            with open(self.record, encoding="utf-8") as file:
                self.silences = json.load(file)
        except (OSError, ValueError):
            self.silences = {}

    def patience(self, stage):
        """Seconds of silence that are too many."""
        return max(PATIENCE, TIMES * self.silences.get(stage.name, 0))

    def begin(self):
        """Start what can start."""
        ahead = {stage.name for stage in self.waiting} | {one.stage.name for one in self.running}
        for stage in list(self.waiting):
            if len(self.running) < self.jobs and not ahead & set(stage.after):
                self.waiting.remove(stage)
                one = Running(stage, self.verbose, self.logs, self.patience(stage), self.root)
                self.running.append(one)
                if one.process:
                    self.selector.register(one.process.stdout, selectors.EVENT_READ, one)
                else:
                    self.finish(one)

    def finish(self, one):
        """A stage has ended, or has to."""
        if one.process:
            self.selector.unregister(one.process.stdout)
        self.running.remove(one)
        result = one.finish()
        self.results.append(result)
        if not result.note:
            self.silences[result.name] = one.silence
        show_result(one, result)

    def tell(self):
        """A line about those that run, from time to time."""
        if time.monotonic() - self.said >= NEWS:
            self.said = time.monotonic()
            print(f"{self.said - self.start:6.0f} s: {', '.join(one.progress() for one in self.running)}", flush=True)

    def run(self):
        """All of them; False if it was stopped."""
        try:
            self.results += install(self.waiting, self.root)
            while self.waiting or self.running:
                self.begin()
                for key, _ in self.selector.select(1 if self.running else 0):
                    if not key.data.read():
                        self.finish(key.data)
                for one in [one for one in self.running if one.is_silent()]:
                    self.finish(one)
                self.tell()
        except (KeyboardInterrupt, Stopped):
            print("stopped", flush=True)
            for one in self.running:
                one.end()
            return False
        with open(self.record, "w", encoding="utf-8") as file:
            json.dump(self.silences, file)
        return True


def parse_arguments(argv, stages, sets):
    """The command line: (options, stages to run)."""
    names = [stage.name for stage in stages]
    parser = argparse.ArgumentParser(prog="tests/run.py", description=__doc__.split("\n", maxsplit=1)[0],
                                     epilog=f"sets: {', '.join(sets)}; stages: {', '.join(names)}")
    parser.add_argument("what", nargs="*", metavar="SET|STAGE", help="what to run (all)")
    parser.add_argument("-v", "--verbose", action="store_true", help="the output of every stage, as it comes")
    parser.add_argument("-j", "--jobs", type=int, default=CORES, help="stages at the same time (%(default)s)")
    parser.add_argument("--list", action="store_true", help="print the stages and their commands, run nothing")
    options = parser.parse_args(argv)
    wanted = set()
    for word in options.what or ["all"]:
        if word not in sets and word not in names:
            parser.error(f"no set or stage `{word}`. hint: {', '.join([*sets, *names])}")
        wanted.update(sets.get(word, [word]))
    return options, [stage for stage in stages if stage.name in wanted]


def stop(number, frame):
    """SIGTERM ends like Ctrl-C: nothing that was started goes on."""
    raise Stopped


def main(argv=None, stages=None, sets=None, root=ROOT):
    """Run what was asked for. The other arguments are for this program's own test."""
    options, chosen = parse_arguments(argv, stages or STAGES, SETS if sets is None else sets)
    if options.list:
        show_stages(chosen)
        return 0
    signal.signal(signal.SIGTERM, stop)
    schedule = Schedule(chosen, options.verbose, max(options.jobs, 1), root)
    ended = schedule.run()
    signal.signal(signal.SIGTERM, signal.SIG_DFL)
    print()
    if not ended:
        print("stopped before the end")
    order = [stage.name for stage in chosen]
    table(sorted(schedule.results, key=lambda result: order.index(result.name) if result.name in order else -1))
    if not ended:
        return 130
    return 1 if any(result.counts.failed for result in schedule.results) else 0


if __name__ == "__main__":
    sys.exit(main())
