#!/usr/bin/python3
"""differential.py: each routine of asm/ that repeats C against that C, from random states (differential.c says how).

    tests/differential/differential.py                     a million states of each routine
    tests/differential/differential.py --states 20000      fewer
    tests/differential/differential.py --seed 7 --config mapped

Builds the test for each configuration of tests/differential/config and runs it on the QEMU of tools/qemu, as many at a time as
there are cores. A line for each routine and configuration; of one that differs, the words that do, with seed and state, by which it
can be had again. At least a tenth of the states must have gone the hot road to its end, or the test would say nothing. The last
line is `N passed, N failed`.
"""

import sys

sys.dont_write_bytecode = True      # generated files belong under build/ only

import argparse
import collections
import concurrent.futures
import os
import re
import subprocess
import time

HERE = os.path.dirname(os.path.abspath(__file__))
ROOT = os.path.dirname(os.path.dirname(HERE))
sys.path[:0] = [os.path.join(ROOT, "tools"), os.path.join(ROOT, "tests", "system")]

import elfpatch  # noqa: E402
import machine as machines  # noqa: E402

CONFIGS = sorted(os.listdir(os.path.join(HERE, "config")))
PARTS = ((0, 2), (2, 5), (5, 7), (7, 13), (13, 99))       # of the table of kinds: programs that run side by side
ROUTINES = ("mtspr", "mfspr", "mtmsr", "rfi", "pit", "tlbwe", "refill", "reflect", "turn")
RESULT = re.compile(r"^= (\S+)(.*): (\d+) states, (\d+) hot, (\d+) wrong$", re.M)
PATIENCE = 600      # seconds for one program


def build(config):
    """The test's ELF of a configuration, and its machine."""
    folder = f"build/differential/{config}"
    facts = f"tests/differential/config/{config}"
    done = subprocess.run(["make", "-s", "-f", "tests/differential/Makefile", f"O={folder}", f"DEFCONFIG={facts}/defconfig",
                           f"PARTITIONS={facts}/partitions.toml", f"{folder}/test.elf"],
                          cwd=ROOT, capture_output=True, text=True, check=False)
    if done.returncode:
        raise machines.RunError(f"differential.py: {config}:\n{done.stdout}{done.stderr}")
    path = os.path.join(ROOT, folder, "test.elf")
    return path, machines.of_image(path)


def run(image, machine, seed, states, part):
    """What one part of the test says."""
    copy = f"{image[:-4]}-{part[0]}.elf"
    elfpatch.patched_image(image, copy, image, wanted_seed=seed, wanted_states=states, wanted_first=part[0], wanted_end=part[1])
    program = machines.find_qemu(None if os.environ.get("QEMU") else machines.PATCHED, machine)
    try:
        return subprocess.run([program, "-M", machine.name, "-display", "none", "-monitor", "none", "-serial", "stdio", "-no-reboot",
                               "-kernel", copy], stdin=subprocess.DEVNULL, capture_output=True, text=True, errors="replace",
                              timeout=PATIENCE, check=False).stdout
    except subprocess.TimeoutExpired as error:
        return (error.stdout or b"").decode(errors="replace") + f"no end in {PATIENCE} s\n"


def judge(config, text, sums):
    """(passed, failed) of a part; what it says of faults is printed."""
    passed = failed = 0
    for name, more, states, hot, wrong in RESULT.findall(text):
        good = wrong == "0" and 10 * int(hot) >= int(states)
        print(f"  {'ok   ' if good else 'WRONG'} {config:<11} {name + more:<20} {states:>8} states, {hot:>8} hot", flush=True)
        sums[name] += int(states)
        passed += good
        failed += not good
    rest = [line for line in text.splitlines() if not line.startswith("= ") and line != "end"]
    if rest or not text.endswith("end\n"):
        print("\n".join(f"        {config}: {line}" for line in rest) or f"        {config}: came to no end", flush=True)
        failed += not failed
    return passed, failed


def main():
    """Run it."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--states", type=int, default=1000000, metavar="N", help="of each routine (default: %(default)s)")
    parser.add_argument("--seed", type=int, default=1, metavar="N", help="(default: %(default)s)")
    parser.add_argument("--config", choices=CONFIGS, action="append", help="of these configurations only")
    options = parser.parse_args()
    start = time.monotonic()
    sums, passed, failed = collections.Counter(), 0, 0
    configs = options.config or CONFIGS
    with concurrent.futures.ThreadPoolExecutor(len(os.sched_getaffinity(0))) as pool:
        try:
            built = dict(zip(configs, pool.map(build, configs)))
        except machines.RunError as error:
            print(error, file=sys.stderr)
            return 1
        jobs = {pool.submit(run, *built[config], options.seed, options.states, part): config for config in configs for part in PARTS}
        for job in concurrent.futures.as_completed(jobs):
            counts = judge(jobs[job], job.result(), sums)
            passed, failed = passed + counts[0], failed + counts[1]
    for routine in () if options.config or failed else ROUTINES:
        if sums[routine] < options.states // 1000 * 1000:
            print(f"differential.py: {routine}: {sums[routine]} states of {options.states}")
            failed += 1
    print(f"{sum(sums.values())} states, {time.monotonic() - start:.0f} s")
    print(f"{passed} passed, {failed} failed")
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
