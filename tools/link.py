#!/usr/bin/python3
"""Link the hypervisor; what does not fit is said in the words of the file that has to change.

  link.py --map build/demo/proteus.map --partitions build/demo/gen/partitions.json --defconfig config/demo/defconfig \\
          -- powerpc-linux-gnu-gcc ... -Wl,-Map=build/demo/proteus.map -T build/demo/link.ld -o build/demo/proteus.elf ...

Runs the command behind `--`. When it fails because an ASSERT of src/proteus.lds.S does not hold, that a configuration or a
board file can break, the linker's map says with which numbers; the lines of the linker are replaced by one for each such
ASSERT, and of a ROM image that reaches the reset vector. Anything else is passed on as the linker says it.
"""

import sys

sys.dont_write_bytecode = True      # generated files belong under build/ only

import argparse
import json
import os
import re
import subprocess

from kconfig import InputError, fault, parse_config_line, read_text, run_tool

ASSERTION = re.compile(r"^ +0x([0-9a-f]+) +ASSERT \((.+?), (.*)\)$", re.M)
SYMBOL = re.compile(r"^ +0x([0-9a-f]+) +(\w+) = ", re.M)
LIMIT = re.compile(r"\(?(\w+) <= 0x([0-9a-f]+)\)?")
# Of a ROM image: code or constants reach the branch at the reset vector, before the ASSERTs are looked at
OVERLAP = re.compile(r"section \.reset LMA \[([0-9a-f]+),[0-9a-f]+\] overlaps section \.\w+ LMA \[[0-9a-f]+,([0-9a-f]+)\]")


class Place:
    """Where the settings of a product are."""

    def __init__(self, defconfig, partitions):
        self.defconfig = defconfig
        self.board = partitions["board"]

    def option(self, name):
        """(file, line) of an option in the defconfig; of one that is not there, what set it."""
        for number, text in enumerate(read_text(self.defconfig, "defconfig").splitlines(), 1):
            try:
                pair = parse_config_line(text)
            except ValueError:
                continue
            if pair and pair[0] == name:
                return self.defconfig, number
        return f"{self.defconfig} (or EXTRA_CONFIG)", None

    def area(self, name):
        """(file, line) of an area of the board's memory."""
        found = [area for area in self.board["reserved"] + self.board["rom"] if area["name"] == name]
        return self.board["source"], found[0]["line"] if found else 1


# The ASSERTs of src/proteus.lds.S that a user can break, by their texts: (file, line), cause, hint. `has` is what there is
# and `limit` what there may be, in bytes.

def budget(name, what):
    """A product that has outgrown its own CONFIG_..._BUDGET."""
    def say(place, has, limit):
        return (*place.option(name), f"{what} take {has} bytes, {has - limit} more than CONFIG_{name}={limit}",
                f"CONFIG_{name}={has} if they are to, or fewer options: tools/footprint.py has the bytes of each")
    return say


def hypervisor(place, has, limit):
    """Code, data and register files in the area of that name."""
    return (*place.area("hypervisor"),
            f"the hypervisor takes {has} bytes with its register files, {has - limit} more than its area",
            f'size = "{-(-has // 4096) * 4}K" of the [[reserved]] with name "hypervisor", or fewer options or VMs')


def low(place, has, limit):
    """The 32 KiB that an instruction reaches without a base register."""
    return (place.defconfig, 1, f"what the assembler names ends at 0x{has:X}, {has - limit} bytes beyond the 32 KiB that it may "
            "have",
            "fewer options (tools/footprint.py has the bytes of each), or CONFIG_ROM=y, which has the code elsewhere")


def registers(place, has, limit):
    """Code and data in front of the register pages."""
    return (place.defconfig, 1, f"the hypervisor's code and data end at 0x{has:X}, {has - limit} bytes behind the first "
            "register page",
            "fewer options (tools/footprint.py has the bytes of each), or CONFIG_ROM=y, which has the code elsewhere")


def constants(place, has, limit):
    """The stack and the constants, between the vectors."""
    return (*place.option("STACK_SIZE"), f"constants and stack take {has - limit} bytes more than there are between the vectors",
            "a smaller CONFIG_STACK_SIZE, or fewer options")


def images(place, has, limit):
    """Guests, in the board's area `images` or in its ROM."""
    ends = {area["base"] + area["size"]: area["name"] for area in place.board["reserved"]}
    name = ends.get(limit, "rom")
    return (*place.area(name), f"the guests' images end {has - limit} bytes behind the area '{name}'",
            "a larger area, or fewer or smaller guests (what their segments have in the file counts, not debug information)")


def stack(place, _has, _limit):
    """The ABI's alignment."""
    return (*place.option("STACK_SIZE"), "CONFIG_STACK_SIZE is not a multiple of 16", "the ABI wants the stack on 16 bytes")


RULES = {
    "the product's code is larger than CONFIG_TEXT_BUDGET": budget("TEXT_BUDGET", "code and constants"),
    "the product's data is larger than CONFIG_DATA_BUDGET": budget("DATA_BUDGET", "data"),
    "the register files do not fit the hypervisor's memory": hypervisor,
    "what the assembler names does not fit the lowest 32 KiB": low,
    "the hypervisor's code and data do not fit below the register pages": registers,
    "constants and stack do not fit between the vectors": constants,
    "the guest images do not fit": images,
    "CONFIG_STACK_SIZE is not a multiple of 16": stack,
}


def broken(text, place):
    """The faults of a map: one for each ASSERT of RULES that does not hold."""
    symbols = {name: int(value, 16) for value, name in SYMBOL.findall(text)}
    faults = []
    for value, condition, message in ASSERTION.findall(text):
        if int(value, 16) == 0 and message in RULES:
            match = LIMIT.fullmatch(condition)
            has, limit = (symbols.get(match[1], 0), int(match[2], 16)) if match else (0, 0)
            faults.append(fault(*RULES[message](place, has, limit)))
    return faults


def overlap(text, place):
    """The fault of a ROM image that the linker itself refuses."""
    return [fault(place.defconfig, 1, "the hypervisor's code and constants are at least "
                  f"{(int(last, 16) + 1 - int(reset, 16)) % (1 << 32)} bytes more than the highest 32 KiB of the ROM have",
                  "fewer options (tools/footprint.py has the bytes of each)") for reset, last in OVERLAP.findall(text)[:1]]


def main(argv=None):
    """Run the linker; explain what it refused."""
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0], epilog="\n".join(__doc__.split("\n")[1:]),
                                     formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--map", required=True, help="the map that the command writes")
    parser.add_argument("--partitions", required=True, help="partitions.json of the product")
    parser.add_argument("--defconfig", required=True, help="the product's settings")
    parser.add_argument("command", nargs="+", help="the command that links")
    args = parser.parse_args(argv)
    if os.path.exists(args.map):
        os.unlink(args.map)         # that of an older link says nothing of this one
    try:
        done = subprocess.run(args.command, stderr=subprocess.PIPE, text=True, errors="replace", check=False)
    except OSError as error:
        raise InputError(fault(args.command[0], None, f"can't run: {os.strerror(error.errno)}",
                               "set CROSS_COMPILE to the prefix of your toolchain, or unset it")) from None
    if done.returncode == 0:
        sys.stderr.write(done.stderr)
        return 0
    if os.path.exists(args.map):
        with open(args.partitions, encoding="utf-8") as file:
            place = Place(args.defconfig, json.load(file))
        faults = broken(read_text(args.map, "map"), place) or overlap(done.stderr, place)
        if faults:
            raise InputError(*faults)
    sys.stderr.write(done.stderr)
    return 1


if __name__ == "__main__":
    sys.exit(run_tool(main))
