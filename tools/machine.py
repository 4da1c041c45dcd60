"""machine.py: which QEMU and which of its machines an image needs, for tools/run.py.

An image says it by gen/partitions.json beside it, which tools/partition.py writes from the board's file:

    "board": {"name": "ml403", "ram": [{"base": 0, "size": 67108864}]},
    "qemu": {"machine": "virtex-ppc405", "serial": 0, "patched": true}

ram: a Virtex machine gets as much. serial: which of the machine's UARTs is the console. patched: the machine is one of those
that tools/qemu adds; the QEMU is then build/qemu/qemu-system-ppc, otherwise the distribution's, if it still has ref405ep (Debian
12). A guest that runs bare has no such file: --machine names one.
"""

import collections
import json
import os
import re
import shutil
import subprocess
import sys

ROOT = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))
QEMU = "qemu-system-ppc"
PATCHED = os.path.join(ROOT, "build", "qemu", QEMU)
TESTED = ((7, 2), (10, 0))     # Debian 12's, whose departures from the chip were studied, and 13's with our patches
REMOVED = 10        # first major release without the board ref405ep

# hertz: of its time base, if the image does not say it
Machine = collections.namedtuple("Machine", "name serial patched ram hertz", defaults=(0, True, None, 333333330))
REF405EP = Machine("ref405ep", 0, False)

# The size of a ROM image: exact, or a multiple up to a limit. The machine maps it so that it ends with the address space.
ROM_SIZE = 0x80000
ROM_UNIT, ROM_LIMIT = 0x1000, 0x1000000


class RunError(Exception):
    """A run that cannot start, or an input file that is wrong. The text is complete: place, cause and hint."""


def named(text):
    """The machine that the command line names, with QEMU's properties behind commas: `virtex-ppc405,intc-dcr=on`."""
    return REF405EP if text == REF405EP.name else Machine(text)


def read_table(image):
    """(path, content) of the partition table beside an image; the content is None if there is none."""
    path = os.path.join(os.path.dirname(image), "gen", "partitions.json")
    if not os.path.exists(path):
        return path, None
    try:
        with open(path, encoding="utf-8") as stream:
            table = json.load(stream)
    except (OSError, ValueError) as error:
        raise bad_table(path, error) from None
    if not isinstance(table, dict):
        raise bad_table(path, table)
    return path, table


def names(image):
    """Names of the VMs of an image by the table beside it, or None."""
    path, table = read_table(image)
    if table is None:
        return None
    try:
        return [vm["name"] for vm in table["vms"]]
    except (KeyError, TypeError) as error:
        raise bad_table(path, error) from None


def bad_table(path, what):
    """The error of a file that is no partition table."""
    return RunError(f"{path}:1: not a partition table: {what!r}. hint: build it again: make")


def of_image(image):
    """The machine of an image by the table beside it; ref405ep if there is none."""
    path, table = read_table(image)
    facts = (table or {}).get("qemu")
    if facts is None:
        return REF405EP
    try:
        machine = Machine(facts["machine"], facts["serial"], facts["patched"], table["board"]["ram"][0]["size"],
                          table["board"].get("tb_hz", REF405EP.hertz))
    except (KeyError, TypeError, IndexError) as error:
        raise bad_table(path, error) from None
    if [type(value) for value in machine] != [str, int, bool, int, int] or not 0 <= machine.serial <= 3 or machine.hertz <= 0:
        raise bad_table(path, tuple(machine))
    return machine


def check_rom(rom, machine):
    """Refuse a ROM image that the machine would not map, or not to where it was linked."""
    size = os.path.getsize(rom)
    if machine.name == REF405EP.name and size != ROM_SIZE:
        raise RunError(f"{rom}:1: a ROM image has {ROM_SIZE} bytes, this file has {size}. "
                       "hint: build it with make; the board maps it at 0xFFF80000")
    if size == 0 or size % ROM_UNIT or size > ROM_LIMIT:
        raise RunError(f"{rom}:1: a ROM image has up to {ROM_LIMIT} bytes in units of {ROM_UNIT}, this file has {size}. "
                       "hint: build it with make; the board maps it up to 0xFFFFFFFF")


def find_qemu(program=None, machine=REF405EP):
    """Path of a QEMU that has the machine, or RunError with what to install or to build."""
    name = program or os.environ.get("QEMU")
    path = shutil.which(name) if name else default_qemu(machine)
    if not path:
        raise RunError(f"run.py: {name}: not found. hint: is the name right that --qemu or QEMU= gives?")
    check(path, machine)
    return path


def default_qemu(machine):
    """The distribution's QEMU if it has the machine, else the one that tools/qemu builds."""
    path = None if machine.patched else shutil.which(QEMU)
    if path and (machine.name != REF405EP.name or release(path)[0] < REMOVED):
        return path
    if os.access(PATCHED, os.X_OK):
        return PATCHED
    if path:
        raise RunError(f"run.py: {path}: QEMU {'.'.join(map(str, release(path)))} no longer has the machine {machine.name}. "
                       "hint: build ours: make qemu (some minutes, once)")
    if machine.patched:
        raise RunError(f"run.py: {os.path.relpath(PATCHED, ROOT)}: not found, and the machine {machine.name} is no other "
                       "QEMU's. hint: build it: make qemu (some minutes, once)")
    raise RunError(f"run.py: {QEMU}: not found. hint: on Debian 12: apt-get install {QEMU}; elsewhere `make qemu` builds one")


def ask(path, *question):
    """What a QEMU says about itself."""
    try:
        return subprocess.run([path, *question], capture_output=True, text=True, timeout=30, check=False).stdout
    except (OSError, subprocess.TimeoutExpired) as error:
        raise RunError(f"run.py: {path}: cannot be run: {error}. hint: reinstall qemu-system-ppc") from None


def release(path):
    """(major, minor) of a QEMU."""
    match = re.search(r"version (\d+)\.(\d+)", ask(path, "--version"))
    if not match:
        raise RunError(f"run.py: {path}: does not say its version. hint: is this {QEMU}?")
    return int(match.group(1)), int(match.group(2))


def check(path, machine):
    """Refuse a QEMU without the machine; warn of one that nobody has tried."""
    version = release(path)
    text = ".".join(map(str, version))
    if version < TESTED[0]:
        raise RunError(f"run.py: {path}: QEMU {text} is too old. hint: the QEMU of `make qemu` will do")
    if version not in TESTED:
        print(f"run.py: warning: QEMU {text}: only 7.2 and 10.0 are tested", file=sys.stderr)
    plain = machine.name.split(",")[0]
    ours = machine.patched or plain == REF405EP.name
    if ours and not machine.patched and version[0] < REMOVED:
        return
    if not re.search(rf"^{re.escape(plain)} ", ask(path, "-M", "help"), re.M):
        hint = ("the QEMU of `make qemu` has ref405ep, virtex-ppc405 and raptor; take away --qemu and QEMU=" if ours else
                "a real board takes the image itself (config/boards/README.md); [qemu] in the board's file names a machine")
        raise RunError(f"run.py: {path}: QEMU {text} has no machine {plain}. hint: {hint}")
