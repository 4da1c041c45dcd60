"""which_qemu.py: the QEMU that programs of these tests run on, built where the distribution's has no board ref405ep."""

import functools
import os
import subprocess
import sys

TOP = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
sys.path.insert(0, os.path.join(TOP, "tools"))

import machine as machines  # noqa: E402


@functools.lru_cache(maxsize=None)
def qemu():
    """Its path."""
    if not os.environ.get("QEMU"):
        subprocess.run([os.path.join(TOP, "tools", "qemu", "build.sh"), "--machine", "ref405ep"], check=True, timeout=1400,
                       stdout=subprocess.DEVNULL)
    return machines.find_qemu()
