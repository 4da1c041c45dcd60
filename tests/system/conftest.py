"""Fixtures of the system tests: images built by make, and QEMU runs through tools/run.py."""

import os
import re
import subprocess
import sys

import pytest

ROOT = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
HERE = os.path.dirname(os.path.abspath(__file__))
sys.path[:0] = [os.path.join(ROOT, "tools"), HERE]

GUESTS = os.path.join(ROOT, "build", "guests")


def make(*arguments):
    """Run make in the project; its output is the message of a failure."""
    done = subprocess.run(["make", "-s", "-C", ROOT, *arguments], capture_output=True, text=True, timeout=900, check=False)
    if done.returncode:
        pytest.fail(f"make {' '.join(arguments)}:\n{done.stdout}{done.stderr}", pytrace=False)


class Images:
    """Builds each image once a run."""

    def __init__(self):
        self.built = {}

    def elf(self, product, options=""):
        """The ELF image of a product, with these options ("CONFIG_X=n ...") instead of its own."""
        folder = "-".join([f"build/{product}", *re.findall(r"CONFIG_(\w+)", options)]).lower()
        return self._build(product, f"{folder}/proteus.elf", f"O={folder}", f"EXTRA_CONFIG={options}")

    def rom(self, product):
        """The ROM image of a product."""
        folder = f"build/{product}-rom"
        return self._build(product, f"{folder}/proteus.bin", f"O={folder}", "EXTRA_CONFIG=CONFIG_ROM=y")

    def _build(self, product, target, *settings):
        if target not in self.built:
            make(f"PRODUCT={product}", *settings, target)
            self.built[target] = os.path.join(ROOT, target)
        return self.built[target]

    @staticmethod
    def guest(name):
        """The ELF of a guest, as it is in the images. Build an image first, or ask `guests`."""
        return os.path.join(GUESTS, name + ".elf")


@pytest.fixture(scope="session")
def images():
    """Images of the products."""
    return Images()


@pytest.fixture(scope="session")
def guests():
    """Folder of the guests' ELF files, built."""
    make("guests")
    return GUESTS
