#!/usr/bin/python3
"""run.py: run all unit tests and add up.

    run.py --coverage build/coverage <variant folder>...

Prints CMocka's own summary of each program that is not all green, one line for each that is, and at the end
`N passed, N failed`. A program that crashes, hangs or runs no test counts as one failure. Exit status
1 if anything failed.
"""

import argparse
import glob
import os
import re
import subprocess
import sys

TIMEOUT = 30


def run(program, env):
    """(passed, failed, output) of one test program."""
    try:
        done = subprocess.run([program], capture_output=True, env=env, timeout=TIMEOUT, check=False)
    except subprocess.TimeoutExpired:
        return 0, 1, f"no end after {TIMEOUT} s"
    output = (done.stderr + done.stdout).decode("utf-8", "replace")
    passed = re.search(r"^\[  PASSED  \] (\d+) test", output, re.M)
    failed = re.search(r"^\[  FAILED  \] [^\n]*?(\d+) test\(s\), listed below", output, re.M)
    counts = [int(match[1]) if match else 0 for match in (passed, failed)]
    if done.returncode < 0 or counts == [0, 0] or (done.returncode != 0) != (counts[1] != 0):
        return counts[0], max(counts[1], 1), output + f"\nexit status {done.returncode}"
    return counts[0], counts[1], output


def main():
    parser = argparse.ArgumentParser(description=__doc__.split("\n", maxsplit=1)[0])
    parser.add_argument("--coverage", required=True, help="folder for the lists of tested rows")
    parser.add_argument("variants", nargs="+", help="folders with test programs")
    args = parser.parse_args()
    os.makedirs(args.coverage, exist_ok=True)
    for stale in glob.glob(os.path.join(args.coverage, "unit-*.txt")):
        os.remove(stale)
    total = [0, 0]
    for variant in args.variants:
        programs = sorted(glob.glob(os.path.join(variant, "test_*")))
        programs = [path for path in programs if "." not in os.path.basename(path)]
        if not programs:
            print(f"run.py: {variant}: no test programs. hint: make -C tests/unit", file=sys.stderr)
            return 1
        for program in programs:
            name = f"{os.path.basename(variant)}-{os.path.basename(program)}"
            env = dict(os.environ, PROTEUS_COVERAGE=os.path.join(args.coverage, f"unit-{name}.txt"))
            passed, failed, output = run(program, env)
            total[0] += passed
            total[1] += failed
            print(f"  UNIT  {name}: {passed} passed, {failed} failed")
            if failed:
                print(output)
    print(f"{total[0]} passed, {total[1]} failed")
    return 1 if total[1] else 0


if __name__ == "__main__":
    sys.exit(main())
