#!/usr/bin/python3
"""run.py: run all unit tests and add up.

    run.py --coverage build/coverage <variant folder>...
    run.py --coverage build/coverage --first --seconds 10 <variant folder>...     for mutants: to the first that fails

Runs each test of each variant's program by itself, as many at a time as there are cores. Prints CMocka's own summary of one
that is not all green, one line for each that is, and at the end `N passed, N failed`. A test that crashes, hangs or runs nothing
counts as one failure: it may compute for a minute, by the processor's time and not by the clock, which a busy machine would
make shorter. Exit status 1 if anything failed.
"""

import argparse
import concurrent.futures
import glob
import os
import re
import resource
import signal
import subprocess
import sys

SECONDS = 60


def run(program, name, env, seconds):
    """(passed, failed, output) of one test."""
    with subprocess.Popen([program, name], stdout=subprocess.PIPE, stderr=subprocess.STDOUT, env=env) as process:
        resource.prlimit(process.pid, resource.RLIMIT_CPU, (seconds, seconds + 1))
        output = process.communicate()[0].decode("utf-8", "replace")
    if process.returncode in (-signal.SIGXCPU, -signal.SIGKILL):
        return 0, 1, output + f"\nno end after {seconds} s of the processor's time"
    passed = re.search(r"^\[  PASSED  \] (\d+) test", output, re.M)
    failed = re.search(r"^\[  FAILED  \] [^\n]*?(\d+) test\(s\), listed below", output, re.M)
    counts = [int(match[1]) if match else 0 for match in (passed, failed)]
    if process.returncode < 0 or counts == [0, 0] or (process.returncode != 0) != (counts[1] != 0):
        return counts[0], max(counts[1], 1), output + f"\nexit status {process.returncode}"
    return counts[0], counts[1], output


def tests_of(variant):
    """(name of the variant and test, program, test) of each test of a variant."""
    program = os.path.join(variant, "tests")
    try:
        names = subprocess.run([program], capture_output=True, text=True, check=True).stdout.split()
    except OSError as error:
        sys.exit(f"run.py: {program}: {os.strerror(error.errno)}. hint: make -C tests/unit")
    return [(f"{os.path.basename(variant)}-test_{name}", program, name) for name in names]


def main():
    parser = argparse.ArgumentParser(description=__doc__.split("\n", maxsplit=1)[0])
    parser.add_argument("--coverage", required=True, help="folder for the lists of tested rows")
    parser.add_argument("--first", action="store_true", help="one fault is enough: no others are begun then")
    parser.add_argument("--seconds", type=int, default=SECONDS, help="of the processor's time for each test (default: %(default)s)")
    parser.add_argument("variants", nargs="+", help="folders with test programs")
    args = parser.parse_args()
    os.makedirs(args.coverage, exist_ok=True)
    for stale in glob.glob(os.path.join(args.coverage, "unit-*.txt")):
        os.remove(stale)
    total = [0, 0]

    def result_of(test):
        name, program, which = test
        if args.first and total[1]:
            return 0, 0, ""
        return run(program, which, dict(os.environ, PROTEUS_COVERAGE=os.path.join(args.coverage, f"unit-{name}.txt")),
                   args.seconds)

    tests = [test for variant in args.variants for test in tests_of(variant)]
    with concurrent.futures.ThreadPoolExecutor(os.cpu_count()) as pool:
        for (name, _, _), (passed, failed, output) in zip(tests, pool.map(result_of, tests)):
            total[0] += passed
            total[1] += failed
            print(f"  UNIT  {name}: {passed} passed, {failed} failed")
            if failed:
                print(output)
    print(f"{total[0]} passed, {total[1]} failed")
    return 1 if total[1] else 0


if __name__ == "__main__":
    sys.exit(main())
