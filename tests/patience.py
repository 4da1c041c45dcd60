"""patience.py: limits by the clock are for what hangs. Tests run side by side, and a busy machine is no failure: a conftest.py
calls everywhere(), and each program that a test starts with a timeout has ten times as long, and so has each run of QEMU.
"""

import functools
import os
import subprocess
import sys

sys.path.insert(0, os.path.join(os.path.dirname(os.path.dirname(os.path.abspath(__file__))), "tools"))

import emulator  # noqa: E402

TIMES = 10


def patient(function):
    """The function with a longer timeout."""
    @functools.wraps(function)
    def longer(*arguments, timeout=None, **options):
        return function(*arguments, timeout=None if timeout is None else TIMES * timeout, **options)
    return longer


def everywhere():
    """From now on."""
    subprocess.run = patient(subprocess.run)
    emulator.PATIENCE = TIMES
