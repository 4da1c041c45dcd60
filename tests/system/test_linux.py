"""Unmodified Linux: tests/guests/linux/build.sh, its kernel and the self-check of its init."""

import os
import re
import struct
import subprocess
from fractions import Fraction

import pytest
import run
from conftest import ROOT, make

TIMEOUT = 120       # wall-clock seconds; natively it takes two
CHECKS = ["processes", "switches", "threads", "signals", "faults", "pages", "files", "timers", "floats"]
TROUBLE = re.compile(r"Oops|\bBUG\b|WARNING|Kernel panic|Unable to handle|Call Trace|Machine check|not syncing")


@pytest.fixture(scope="module")
def linux():
    """The kernel with its device tree, built if its inputs changed."""
    make("linux")
    return f"{ROOT}/build/guests/linux.elf"


def single(value):
    """The binary32 number nearest to a Fraction, of which this test needs normal ones only."""
    sign, value, exponent = (-1 if value < 0 else 1), abs(value), 0
    while value >= 2:
        value, exponent = value / 2, exponent + 1
    while value < 1:
        value, exponent = value * 2, exponent - 1
    return sign * Fraction(round(value * 2 ** 23), 2 ** 23) * Fraction(2) ** exponent


def expected_bits():
    """What float.c computes, by the host's arithmetic: a sum, a square root by Newton's rule, single precision."""
    total, root, third = 0.0, 1.0, single(Fraction(1, 3))
    for number in range(1, 41):
        total += 1.0 / number
    for _ in range(6):
        root = (root + 2.0 / root) / 2.0
    power = third
    for _ in range(8):
        power = single(single(power * third) - third)
    return struct.pack(">d", total).hex(), struct.pack(">d", root).hex(), struct.pack(">f", float(power)).hex()


def check_console(lines):
    """The console of one Linux from its first line to its reboot: every check, no trouble of the kernel's own."""
    assert lines and lines[0].startswith("Linux version 6.1."), lines[:3]
    assert not [line for line in lines if TROUBLE.search(line)]
    assert [line.split()[1] for line in lines if re.fullmatch(r"linux: [a-z]+ \d+", line)] == CHECKS
    assert [tuple(line.split()[2:]) for line in lines if line.startswith("linux: bits ")] == [expected_bits()]
    verdicts = [line for line in lines if line.startswith(("linux: PASS", "linux: FAIL"))]
    figures = " ".join(rf"{name}=[1-9]\d*" for name in CHECKS)
    assert len(verdicts) == 1 and re.fullmatch(f"linux: PASS {figures}", verdicts[0]), verdicts
    assert lines[-1] in (verdicts[0], "reboot: Restarting system"), lines[-1]


def test_native(linux):
    """On the bare board, to the reset: the same console every time."""
    first = run.run(image=linux, timeout=TIMEOUT)
    assert not list(first.trouble())
    check_console(first.untagged)
    assert not first.vms and not first.hypervisor
    second = run.run(image=linux, timeout=TIMEOUT)
    assert second.lines == first.lines


def test_build_is_cached(linux):
    """Unchanged inputs cost nothing: the second `make linux` says so, and touches nothing."""
    before = os.stat(linux).st_mtime_ns
    done = subprocess.run(["make", "-C", ROOT, "linux"], capture_output=True, text=True, timeout=60, check=True)
    assert "LINUX cached" in done.stdout and os.stat(linux).st_mtime_ns == before
