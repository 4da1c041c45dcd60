"""Fixtures of the system tests: images built by make, and QEMU runs through tools/run.py."""

import fcntl
import os
import pathlib
import re
import subprocess
import sys
import tomllib

import pytest

ROOT = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
HERE = os.path.dirname(os.path.abspath(__file__))
sys.path[:0] = [os.path.join(ROOT, "tools"), HERE, os.path.join(ROOT, "tests")]

import machine as machines  # noqa: E402
import patience  # noqa: E402
import run as runner  # noqa: E402

FIRST = "ref405ep"      # the board of a product that says nothing else, for which its budgets are
FREE = "CONFIG_TEXT_BUDGET=65536 CONFIG_DATA_BUDGET=65536"
GUESTS = os.path.join(ROOT, "build", "guests")
patience.everywhere()
LOCKS = os.path.join(ROOT, "build", "test", "locks")
WORKER = os.environ.get("PYTEST_XDIST_WORKER", "alone")
# Tests that share runs or folders go to one process of pytest-xdist; the others one by one.
TOGETHER = {"test_demo": "demo", "test_twin": "twin", "test_rows": "twin", "test_linux": "linux", "test_virtex": "virtex",
            "test_uarts": "uarts"}


def pytest_configure(config):
    """The mark is known without pytest-xdist as well."""
    config.addinivalue_line("markers", "xdist_group(name): to one process")


@pytest.hookimpl(tryfirst=True)      # before pytest-xdist reads the marks
def pytest_collection_modifyitems(items):
    """Mark who goes together: those of TOGETHER, and those that write one list."""
    for item in items:
        group = TOGETHER.get(item.module.__name__) or ("listed" if "listed" in item.fixturenames else None)
        if group:
            item.add_marker(pytest.mark.xdist_group(group))


def try_make(*arguments):
    """Run make in the project, one at a time in a folder, as nobody in tests/system does otherwise."""
    os.makedirs(LOCKS, exist_ok=True)
    folder = next((os.path.dirname(word) for word in arguments if word.startswith("build/")), "all")
    with open(os.path.join(LOCKS, folder.replace("/", "-")), "w", encoding="utf-8") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        return subprocess.run(["make", "-s", "-C", ROOT, *arguments], capture_output=True, text=True, check=False)


def make(*arguments):
    """What must be built; make's output is the message of a failure."""
    done = try_make(*arguments)
    if done.returncode:
        pytest.fail(f"make {' '.join(arguments)}:\n{done.stdout}{done.stderr}", pytrace=False)


def machine_of(board):
    """QEMU's machine for a board."""
    with open(os.path.join(ROOT, "config", "boards", board + ".toml"), "rb") as file:
        facts = tomllib.load(file).get("qemu")
    return machines.Machine(facts["machine"], facts["serial"], facts["patched"]) if facts else machines.REF405EP


class Images:
    """Builds each image once a run, for one board; on() gives those of another."""

    def __init__(self, board=FIRST):
        self.board, self.machine = board, machine_of(board)
        self.budget = "" if board == FIRST else FREE
        self.built, self.others = {}, {}

    def on(self, board):
        """The images of the same products for this board, whatever their own is."""
        return self if board == self.board else self.others.setdefault(board, Images(board))

    def elf(self, product, options="", partitions=None, folder=None):
        """The ELF image of a product, with these options ("CONFIG_X=n ...") and this partition file instead of its own."""
        options = f"{self._board_option()} {options}".strip()
        folder = folder or self._folder_of(product, options, partitions)
        if partitions:          # another process may mean another file by this name, and run its image while ours is linked
            folder += f"-{WORKER}"
        settings = [f"PARTITIONS={partitions}"] if partitions else []
        return self._build(product, f"{folder}/proteus.elf", f"O={folder}", f"EXTRA_CONFIG={options} {self.budget}", *settings)

    def rom(self, product):
        """The ROM image of a product."""
        options = f"{self._board_option()} CONFIG_ROM=y".strip()
        folder = self._folder_of(product, options)
        return self._build(product, f"{folder}/proteus.bin", f"O={folder}", f"EXTRA_CONFIG={options} {self.budget}")

    @property
    def mended(self):
        """Whether its machine is run by the QEMU of tools/qemu: always for Virtex, for ref405ep where the distribution has none."""
        return machines.find_qemu(None, self.machine) == machines.PATCHED

    def _board_option(self):
        return "" if self.board == FIRST else f"CONFIG_BOARD_{self.board.upper()}=y"

    @staticmethod
    def _folder_of(product, options, partitions=None):
        """Named by all that makes the image what it is: an option's value belongs to it."""
        names = [os.path.splitext(os.path.basename(partitions))[0]] if partitions else []
        words = [name if value == "y" else f"{name}_{value}" for name, value in re.findall(r"CONFIG_(\w+)=(\w+)", options)]
        return "-".join([f"build/{product}", *names, *words]).lower()

    def _build(self, product, target, *settings):
        partitions = [word.partition("=")[2] for word in settings if word.startswith("PARTITIONS=")]
        what = [settings[:2], *(text for path in partitions for text in self._texts(pathlib.Path(path)))]
        if self.built.get(target) != what:          # another partition file of the same name is another image
            make(f"PRODUCT={product}", *settings, target)
            self.built[target] = what
        return os.path.join(ROOT, target)

    @staticmethod
    def _texts(path):
        """A partition file, and the blobs beside it that it names."""
        text = path.read_text(encoding="utf-8")
        blobs = (path.parent / name for name in re.findall(r'\bfile = "([^"]+)"', text))
        return [text, *(blob.read_bytes() for blob in blobs if blob.is_file())]

    def run(self, **options):
        """run.run() on this board's machine, for an image or a copy of one, or a guest bare."""
        return runner.run(machine=self.machine, **options)

    def run_decided(self, image, names, timeout, signs=("FAIL",)):
        """The run up to the verdict of all of these VMs, or to one of these signs in its last lines that there will be none."""
        decided = runner.all_decided(names)
        return self.run(image=image, timeout=timeout, until=lambda result: decided(result) or any(
            sign in line for sign in signs for line in result.lines[-3:]))

    def guests(self):
        """Folder of the board's guests, built."""
        if "guests" not in self.built:
            make("guests", *([] if self.board == FIRST else [f"BOARD={self.board}"]))
            self.built["guests"] = self._folder()
        return self.built["guests"]

    def _folder(self):
        return GUESTS if self.board == FIRST else os.path.join(GUESTS, self.board)

    def guest(self, name):
        """The ELF of a guest, as it is in the images. Build an image first, or ask guests()."""
        return os.path.join(self._folder(), name + ".elf")


@pytest.fixture(scope="session")
def folder(tmp_path_factory):
    """For files of all tests, the same for all."""
    return tmp_path_factory.mktemp("system")


@pytest.fixture(scope="session")
def images():
    """Images of the products."""
    return Images()


@pytest.fixture(scope="session")
def guests(images):
    """Folder of the guests' ELF files, built."""
    return images.guests()
