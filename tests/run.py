#!/usr/bin/python3
"""run.py: every test of the project, stage by stage.

    tests/run.py all                 all stages, in order
    tests/run.py quick               unit, tools, check
    tests/run.py system lint         these, in the order of the list
    tests/run.py --list              the stages and their commands

One line for each stage: name, seconds, counts; of a stage that failed, its output in full (-v: of every stage, as it
comes). The last line is `N passed, N failed`, with `, N skipped` only if any were. What each stage printed is kept in
build/test/<stage>.log.

Counts are those that the stage itself prints. An exit status other than 0 without a counted failure is one failure, and
so is a stage that ran nothing: silence is no success.

Exit status: 0 if nothing failed, 1 if something did, 2 for wrong usage, 130 after Ctrl-C.
"""

import sys

sys.dont_write_bytecode = True      # generated files belong under build/ only

import argparse
import codecs
import collections
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

# name; command; `count` function; seconds until it is killed; purposes of tools/deps.sh that it needs
Stage = collections.namedtuple("Stage", "name command count timeout needs", defaults=((),))
Counts = collections.namedtuple("Counts", "passed failed skipped", defaults=(0, 0, 0))
Result = collections.namedtuple("Result", "name seconds counts note")


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


STAGES = [
    Stage("unit",
          ["make", "-s", "-C", "tests/unit", f"OUT={ROOT}/build/unit", f"COVERAGE={ROOT}/build/coverage", "run"],
          count_summary, 300, ("test",)),
    Stage("tools", [*PYTEST, "tests/tools"], count_pytest, 300, ("test",)),
    Stage("qemu", ["make", "qemu"], count_build, 1800, ("qemu",)),
    Stage("guests", [*PYTEST, "tests/guests"], count_pytest, 600, ("test",)),
    Stage("check", ["make", "check"], count_products, 120, ("test",)),
    Stage("linux", ["make", "linux"], count_build, 1800, ("linux",)),
    Stage("system", [*PYTEST, "tests/system"], count_pytest, 2700, ("test",)),
    Stage("lint", ["tools/lint.sh"], count_lint, 300, ("run", "lint")),
    Stage("coverage", [PYTHON, "tests/coverage.py"], count_rows, 60, ("test",)),
    Stage("footprint", [PYTHON, "tools/footprint.py", "--gate"], count_verdicts, 900, ("run",)),
    Stage("bench", ["make", "bench", "GATE=1"], count_verdicts, 900, ("bench",)),
    Stage("readme", [PYTHON, "tools/readme.py", "--check"], count_summary, 60, ("test",)),
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


def end_group(process):
    """End a stage and all that it started: ask, then insist."""
    for number, patience in ((signal.SIGTERM, 5), (signal.SIGKILL, 5)):
        try:
            os.killpg(process.pid, number)
        except ProcessLookupError:
            break
        try:
            process.wait(patience)
        except subprocess.TimeoutExpired:
            continue
    process.wait()


def follow(process, deadline, write):
    """Hand a process's output on until it closes it. False: not before the deadline."""
    decoder = codecs.getincrementaldecoder("utf-8")("replace")
    with selectors.DefaultSelector() as selector:
        selector.register(process.stdout, selectors.EVENT_READ)
        while True:
            left = deadline - time.monotonic()
            if left <= 0:
                return False
            if selector.select(left):
                data = os.read(process.stdout.fileno(), 65536)
                write(decoder.decode(data, final=not data))
                if not data:
                    return True


def execute(command, timeout, write, root=ROOT):
    """Run one command; returns what is wrong with its end, or "". All it writes goes to `write` as it comes."""
    try:
        process = subprocess.Popen(command, cwd=root, env=environment(), stdin=subprocess.DEVNULL,
                                   stdout=subprocess.PIPE, stderr=subprocess.STDOUT, start_new_session=True)
    except OSError as error:
        return f"{command[0]}: {error.strerror}"
    try:
        deadline = time.monotonic() + timeout
        if not follow(process, deadline, write):
            return f"no end after {timeout} s"
        try:
            status = process.wait(max(deadline - time.monotonic(), 1))
        except subprocess.TimeoutExpired:
            return f"no end after {timeout} s"
        return f"exit status {status}" if status else ""
    finally:
        if process.returncode is None:      # not waited for, so the number is still its own
            end_group(process)
        process.stdout.close()


def judge(counts, problem):
    """(counts, note): what the stage counted, with a failure for what it cannot have counted."""
    if counts is None:
        counts = Counts() if problem else Counts(passed=1)
    if problem and not counts.failed:
        return counts._replace(failed=1), problem
    if not any(counts):
        return counts._replace(failed=1), "ran nothing"
    return counts, problem


def run_stage(stage, verbose, logs, root=ROOT):
    """Run a stage. Returns (Result, its output)."""
    output = []
    start = time.monotonic()
    os.makedirs(logs, exist_ok=True)
    with open(os.path.join(logs, stage.name + ".log"), "w", encoding="utf-8") as log:
        def write(text):
            output.append(text)
            log.write(text)
            if verbose:
                print(text, end="", flush=True)

        problem = execute(stage.command, stage.timeout, write, root)
    text = "".join(output)
    return Result(stage.name, time.monotonic() - start, *judge(stage.count(text), problem)), text


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
    columns = ["stage", "seconds", *Counts._fields]
    rows = [[r.name, f"{r.seconds:.1f}", *map(str, r.counts)] for r in results]
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


def run_all(stages, verbose, logs, root=ROOT):
    """Run the stages; returns (results, was it stopped?)."""
    results = []
    try:
        results += install(stages, root)
        for stage in stages:
            print(f"{stage.name:<10}", end="\n" if verbose else " ", flush=True)
            results.append(show_stage(stage, verbose, logs, root))
    except (KeyboardInterrupt, Stopped):
        print("stopped", flush=True)
        return results, True
    return results, False


def show_stage(stage, verbose, logs, root):
    """Run a stage, print its line, and if it failed its output."""
    result, output = run_stage(stage, verbose, logs, root)
    print(f"{stage.name:<10} {result_text(result)}" if verbose else result_text(result), flush=True)
    if result.counts.failed and not verbose:
        print(f"---- {stage.name}: {' '.join(stage.command)}\n{output.rstrip()}\n----", flush=True)
    return result


def parse_arguments(argv, stages, sets):
    """The command line: (options, stages to run)."""
    names = [stage.name for stage in stages]
    parser = argparse.ArgumentParser(prog="tests/run.py", description=__doc__.split("\n", maxsplit=1)[0],
                                     epilog=f"sets: {', '.join(sets)}; stages: {', '.join(names)}")
    parser.add_argument("what", nargs="*", metavar="SET|STAGE", help="what to run (all)")
    parser.add_argument("-v", "--verbose", action="store_true", help="the output of every stage, as it comes")
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
    results, stopped = run_all(chosen, options.verbose, os.path.join(root, "build", "test"), root)
    signal.signal(signal.SIGTERM, signal.SIG_DFL)
    print()
    if stopped:
        print("stopped before the end")
    table(results)
    if stopped:
        return 130
    return 1 if any(result.counts.failed for result in results) else 0


if __name__ == "__main__":
    sys.exit(main())
