#!/usr/bin/python3
"""mutate.py: does a wrong hypervisor fail its tests?

    make mutate                                 200 mutants: nightly, an hour or two
    tests/mutants/mutate.py --sample            those of sample.txt: a stage of `make test`
    tests/mutants/mutate.py --count 40 --seed 2 asm/refill.S src/mmu/tlb.c
    tests/mutants/mutate.py --keep --jobs 1     goes on where such a run ended; meets the survivors without a reason again, no others

A mutant is one line of asm/, src/ or hypercalls/ changed by a rule: a condition turned or moved by one, a constant that is one more,
another register, a store or call that is left out. In copies of the tree below build/mutants each mutant is built and meets the
cheapest tests that name its file (TESTS): the unit tests' configurations, then the differential test. The first that fails has
killed it, and so has one that comes to no end. A mutant that does not compile is none, and another takes its place.

The same seed chooses the same mutants of the same lines, whatever changes beside them. Survivors are to be in survivors.txt with a
reason; exit status 1 if one is not, or if fewer than 95 in a hundred are killed of those that are another program (a reason that
begins with "the same" says that it is not: nothing can tell them apart). The last line is `N passed, N failed`.
"""

import sys

sys.dont_write_bytecode = True      # generated files belong under build/ only

import argparse
import collections
import concurrent.futures
import glob
import hashlib
import json
import os
import queue
import re
import resource
import shutil
import subprocess
import time

HERE = os.path.dirname(os.path.abspath(__file__))
ROOT = os.path.dirname(os.path.dirname(HERE))
sys.path.insert(0, os.path.join(ROOT, "tests", "fresh"))
import fresh  # noqa: E402

CORES = len(os.sched_getaffinity(0))
PATIENCE = 300      # seconds for the tests of one mutant,
SECONDS = 40        # and of the processor's time for a program of them
GOAL = 95           # of a hundred
CONFIRMED = set()   # tests that pass without a mutant

Mutant = collections.namedtuple("Mutant", "path line old new rule nth")     # nth: of those in the file that are the same
KEPT = os.path.join(ROOT, "build", "mutants", "kept.json")

# What meets the mutants of a file, in this order: unit:<configuration> of tests/unit, system:<file> of tests/system, else a
# configuration of tests/differential.
# The first pattern that matches.
TESTS = (
    (r"asm/(refill|tlbwe|miss)", ("mapped", "small", "translated")),
    (r"asm/turn", ("paged", "translated")),
    (r"asm/vectors", ("translated", "system:test_injected.py", "system:test_buserror.py")),
    (r"asm/(pit|emul_time)", ("plain", "paged", "mapped")),
    (r"asm/hooks", ("translated", "plain", "mapped", "small")),
    (r"asm/(emul_|dispatch|enter|reflect|gpr|fetch|cold|asm)", ("translated", "plain", "mapped")),
    (r"src/cpu/optimize", ("unit:optimized", "unit:optimizedtlb")),
    (r"src/(mmu|vm/config)", ("unit:translated", "unit:virtextlb", "unit:mapped", "unit:every", "unit:tunnels")),
    (r"src/irq/intc|src/boards/board_virtex", ("unit:virtex", "unit:virtexdcr")),
    (r"src/vm/(health|control|lifecycle)|src/irq/storm", ("unit:care", "unit:every", "unit:levels", "unit:frame", "unit:hybrid")),
    (r"src/irq|src/boards", ("unit:every", "unit:hybrid")),
    (r"src/sched/sched_prio", ("unit:levels", "unit:hybrid")),
    (r"src/sched/sched_cyclic", ("unit:frame",)),
    (r"src/sched/sched_reserve", ("unit:reserve",)),
    (r"src/report/trace|src/time/watchdog", ("unit:levels", "unit:frame")),
    (r"src/report/message", ("unit:frame", "unit:every", "unit:translated")),
    (r"src/ipcm|hypercalls/ipcm", ("unit:tunnels",)),
    (r"src/devices/(uartlite|bus)", ("unit:lite", "unit:raptor", "unit:uarts")),
    (r"src/vm/vcpu", ("unit:every", "unit:hybrid", "unit:reserve", "unit:translated", "unit:minimal")),
    (r"src/devices/(console|line|uart)", ("unit:every", "unit:uarts", "unit:lite")),
    (r"src/", ("unit:every", "unit:translated", "unit:plain", "unit:minimal")),
    (r"hypercalls/drivers", ("unit:lite", "unit:paged", "unit:hybrid")),
    (r"hypercalls/lifecycle", ("unit:care",)),
    (r"hypercalls/", ("unit:hybrid", "unit:calls", "unit:translated")),
)

# Sources that these tests do not see: what runs once, what only an image has, inline assembler, and comments on types.
LEFT_OUT = re.compile(r"asm/(start|low|board_|uart|switch|live|irfm|hypercall|savegpr|sc|live)|src/(machine|offsets|verify|boards|proteus)")

TURNED = {"beq": "bne", "bne": "beq", "blt": "ble", "ble": "blt", "bge": "bgt", "bgt": "bge", "bt": "bf", "bf": "bt"}
COMPARED = {"==": "!=", "!=": "==", "<": "<=", "<=": "<", ">": ">=", ">=": ">", "&&": "||", "||": "&&"}
DROPPED = re.compile(r"^ +(?:[0-9]+: +)?(?:stw|stb|sth|stwx|mtspr|tlbwe)\s")
STATEMENT = re.compile(r"^ +(?:[\w>.\[\]\-]+(?: [|&+\-]?= )[^;]*|\w+\([^;{}]*\));(?: /\*.*\*/)?$")

# What `make bounds` reads beside a loop is no part of a mutant's name.
NOTE = re.compile(r" */\* loop: [^*\n]*\*/")


def of_assembler(text):
    """(rule, changed line) of a line of assembler."""
    code = text.split("/*")[0]
    found = re.match(r"^( +(?:\w+: +)?)(b(?:eq|ne|lt|le|ge|gt|t|f))([+-]?\s)", code)
    if found:
        yield "condition", found[1] + TURNED[found[2]] + text[found.end(2):]
    found = re.match(r"^ +(?:\w+: +)?(?:addi|cmpwi|cmplwi|li|rlwinm\.?|clrlwi|slwi|lwz|lbz)\s+.*?, (\d+)(?=$|\s|\()", code.rstrip())
    if found:
        yield "constant", text[:found.start(1)] + str(int(found[1]) + 1) + text[found.end(1):]
    registers = [place for place in re.finditer(r"\br(\d+)\b", code)]
    if len(registers) > 1:
        last = registers[-1]
        other = next((place[0] for place in registers if place[0] != last[0]), None)
        if other:
            yield "register", text[:last.start()] + other + text[last.end():]
    if DROPPED.match(code):
        yield "dropped", re.sub(r"(?<= )(stw|stb|sth|stwx|mtspr|tlbwe)\s.*", "nop", text, count=1)


def of_c(text):
    """(rule, changed line) of a line of C."""
    code = text.split("/*")[0].split("//")[0]
    for found in re.finditer(r" (==|!=|<=|>=|<|>|&&|\|\|) ", code):
        yield "condition", text[:found.start(1)] + COMPARED[found[1]] + text[found.end(1):]
    for found in re.finditer(r"(?<![\w.\"])(\d+)(?=U?\b)(?![.\"x])", code):
        yield "constant", text[:found.start(1)] + str(int(found[1]) + 1) + text[found.end(1):]
    if STATEMENT.match(text):
        yield "dropped", re.match(r"^ +", text)[0] + ";"


def mutants_of(path):
    """All mutants of a file. What only types, names or comments say is left alone."""
    assembler = path.startswith("asm/")
    comment, seen = False, collections.Counter()
    with open(os.path.join(ROOT, path), encoding="utf-8") as file:
        for number, text in enumerate(NOTE.sub("", file.read()).splitlines()):
            inside, comment = comment, ("/*" in text or comment) and "*/" not in text[text.rfind("/*") + 1:]
            if inside or not text.startswith("    ") or text.lstrip().startswith(("/*", "*", "#", ".")):
                continue
            for rule, new in (of_assembler if assembler else of_c)(text):
                if new != text:
                    same = (text.strip(), new.strip())
                    yield Mutant(path, number, text, new, rule, seen[same])
                    seen[same] += 1


def name_of(mutant):
    """What is the same as long as the line is."""
    return f"{mutant.path} | {mutant.old.strip()} | {mutant.new.strip()} | {mutant.nth}"


def place_of(mutant, seed):
    """Where it stands among all: by chance, but where it does, wherever others come and go."""
    return hashlib.sha256(f"{seed} {name_of(mutant)}".encode()).digest()


def sources(names):
    """The files that are mutated."""
    patterns = ("asm/*.S", "asm/*.h", "src/**/*.c", "hypercalls/*.c")
    found = names or sorted(path for pattern in patterns for path in glob.glob(pattern, root_dir=ROOT, recursive=True))
    return [path for path in found if not LEFT_OUT.match(path)]


def rows(name):
    """Rows `file | line | changed line | why` of a list."""
    with open(os.path.join(HERE, name), encoding="utf-8") as file:
        for number, text in enumerate(file, 1):
            if text.strip() and not text.startswith("#"):
                parts = [part.strip() for part in text.rstrip("\n").split(" | ")]
                if len(parts) != 4:
                    sys.exit(f"tests/mutants/{name}:{number}: not `file | line | changed line | why`. hint: ` | ` between them")
                yield number, parts


def sample():
    """The mutants of sample.txt."""
    for number, (path, old, new, why) in rows("sample.txt"):
        with open(os.path.join(ROOT, path), encoding="utf-8") as file:
            lines = file.read().splitlines()
        at = [i for i, text in enumerate(lines) if text.split("/*")[0].strip() == old]
        if len(at) != 1:
            sys.exit(f"tests/mutants/sample.txt:{number}: {path} has this line {len(at)} times. hint: the source has changed; take "
                     "the line as it is now")
        yield Mutant(path, at[0], lines[at[0]], lines[at[0]].replace(old, new), why, 0)


class Tree:
    """A copy of the project in which mutants are built."""

    def __init__(self, number):
        self.path = os.path.join(ROOT, "build", "mutants", str(number))
        for name in fresh.tree_files():
            target = os.path.join(self.path, name)
            source = os.path.join(ROOT, name)
            if os.path.isfile(source):
                with open(source, "rb") as file:
                    data = file.read()
                if not os.path.exists(target) or open(target, "rb").read() != data:
                    os.makedirs(os.path.dirname(target), exist_ok=True)
                    shutil.copy(source, target)
        os.makedirs(os.path.join(self.path, "build"), exist_ok=True)
        link = os.path.join(self.path, "build", "qemu")
        if not os.path.lexists(link):
            os.symlink(os.path.join(ROOT, "build", "qemu"), link)

    def run(self, test, limit):
        """(whether it passes, what it said) of a test; None in place of the first: it cannot be built."""
        if test.startswith("unit:"):
            variant = test[5:]
            built, text = self.call(["make", "-s", "-C", "tests/unit", f"OUT={self.path}/build/unit", variant], limit)
            if not built:
                return None, text
            return self.call(["/usr/bin/python3", "tests/unit/run.py", "--coverage", "build/coverage", "--first", "--seconds", "10",
                              f"build/unit/{variant}"], limit)
        if test.startswith("system:"):
            return self.call(["/usr/bin/python3", "-m", "pytest", "-q", "-x", f"tests/system/{test[7:]}"], limit)
        facts = f"tests/differential/config/{test}"
        folder = f"build/differential/{test}"
        built, text = self.call(["make", "-s", "-f", "tests/differential/Makefile", f"O={folder}", f"DEFCONFIG={facts}/defconfig",
                                 f"PARTITIONS={facts}/partitions.toml", f"{folder}/test.elf"], limit)
        if not built:
            return None, text
        return self.call(["/usr/bin/python3", "tests/differential/differential.py", "--states", "30000", "--config", test], limit)

    def call(self, command, limit):
        """(whether it succeeds, its output)"""
        environment = {name: value for name, value in os.environ.items() if name not in ("MAKEFLAGS", "MAKELEVEL", "MFLAGS")}
        with subprocess.Popen(command, cwd=self.path, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, errors="replace",
                              start_new_session=True, env=environment) as process:
            resource.prlimit(process.pid, resource.RLIMIT_CPU, (SECONDS, SECONDS + 1))
            try:
                text = process.communicate(timeout=limit)[0]
            except subprocess.TimeoutExpired:
                os.killpg(process.pid, 9)
                process.communicate()
                return False, "no end"
        return process.returncode == 0, text

    def check(self, test):
        """A test that kills passes without a mutant, or it would say nothing: once for each."""
        if test in CONFIRMED:
            return
        CONFIRMED.add(test)
        passed, text = self.run(test, PATIENCE)
        if not passed:
            raise SystemExit(f"mutate.py: {test} fails without a mutant:\n{text}")

    def meet(self, mutant):
        """The test that kills a mutant; "" of a survivor; None: it does not compile."""
        path = os.path.join(self.path, mutant.path)
        with open(path, encoding="utf-8") as file:
            before = file.read()
        lines = before.split("\n")
        lines[mutant.line] = mutant.new
        with open(path, "w", encoding="utf-8") as file:
            file.write("\n".join(lines))
        try:
            for test in tests_of(mutant.path):      # a configuration may be without the file: what cannot be built once is none
                passed, _ = self.run(test, PATIENCE)
                if not passed:
                    return test if passed is False else None
            return ""
        finally:
            with open(path, "w", encoding="utf-8") as file:
                file.write(before)


def tests_of(path):
    """Names of the tests that a file's mutants meet."""
    return next((tests for pattern, tests in TESTS if re.match(pattern, path)), ())


def main():
    """Run it."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--sample", action="store_true", help="the mutants of sample.txt")
    parser.add_argument("--count", type=int, default=200, metavar="N", help="how many (default: %(default)s)")
    parser.add_argument("--seed", type=int, default=1, metavar="N", help="(default: %(default)s)")
    parser.add_argument("--jobs", type=int, default=CORES, metavar="N", help="so many at a time (default: %(default)s)")
    parser.add_argument("--keep", action="store_true",
                        help="what a run with --keep has decided (build/mutants/kept.json) is not met again")
    parser.add_argument("--minutes", type=float, default=0, metavar="N", help="begin no other after so long (default: no limit)")
    parser.add_argument("files", nargs="*", help="of these files only")
    options = parser.parse_args()
    if options.sample:
        chosen, wanted = list(sample()), None
    else:
        chosen = [mutant for path in sources(options.files) if tests_of(path) for mutant in mutants_of(path)]
        chosen.sort(key=lambda mutant: place_of(mutant, options.seed))
        wanted = options.count
    reasons = {tuple(parts[:3]): parts[3] for _, parts in rows("survivors.txt")}

    def reason_of(mutant):
        return reasons.get((mutant.path, mutant.old.strip(), mutant.new.strip()))
    start = time.monotonic()
    trees = queue.Queue()
    for number in range(options.jobs):
        trees.put(Tree(number))
    killed, survivors, count = 0, [], len(chosen) if wanted is None else wanted
    kept = {}
    if options.keep and os.path.exists(KEPT):
        with open(KEPT, encoding="utf-8") as file:
            kept = json.load(file)

    def is_over():
        return options.minutes and time.monotonic() - start > 60 * options.minutes or killed + len(survivors) >= count

    def meet(mutant):
        """In a tree that nobody uses; after the time that there is, not at all."""
        if is_over():
            return None
        if name_of(mutant) in kept:
            return kept[name_of(mutant)]
        if options.keep and reason_of(mutant):
            return ""
        tree = trees.get()
        try:
            test = tree.meet(mutant)
            if test:
                tree.check(test)
            return test
        finally:
            trees.put(tree)

    with concurrent.futures.ThreadPoolExecutor(options.jobs) as pool:
        for mutant, job in [(mutant, pool.submit(meet, mutant)) for mutant in chosen]:
            test = job.result()
            if options.keep and test != "" and not is_over() and name_of(mutant) not in kept:
                kept[name_of(mutant)] = test
                with open(KEPT, "w", encoding="utf-8") as file:
                    json.dump(kept, file, indent=1)
            if test is None and options.sample:
                survivors.append(mutant)
            if test is None or killed + len(survivors) >= count:
                continue
            if test:
                killed += 1
            else:
                survivors.append(mutant)
            print(f"[{killed + len(survivors):>3}/{count}] {'killed by ' + test if test else 'SURVIVES':<24} "
                  f"{mutant.path}:{mutant.line + 1} ({mutant.rule})\n          - {mutant.old.strip()}\n          + {mutant.new.strip()}",
                  flush=True)
    met = killed + len(survivors)
    known = [mutant for mutant in survivors if reason_of(mutant)]
    same = sum(reason_of(mutant).startswith("the same") for mutant in known)
    print(f"{met} mutants, {killed} killed, {same} the same program, {len(known) - same} other survivors with a reason, "
          f"{len(survivors) - len(known)} without: {100 * killed // max(met - same, 1)} %, {time.monotonic() - start:.0f} s")
    failed = len(survivors) - len(known) + (killed * 100 < GOAL * (met - same)) + (met == 0)
    print(f"{killed + len(known)} passed, {failed} failed")
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
