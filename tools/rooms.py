#!/usr/bin/python3
"""rooms.py: who may include whom, of the rooms of src/ and what stands beside them; any other include is an error.

    rooms.py              check; exit status 1 and `file:line: cause. hint: ...` for each fault
    rooms.py --dot        the graph for Graphviz, from the top down: what leads up is red

MAY is the table: each room with the rooms whose headers its files may include, besides its own. The order is from the bottom to
the top. What leads upward stands with a reason in UP; a pair that nobody uses any more has to go from the table.

`state` is the register file and the tables of the partition file (four headers of vm/): what everybody knows, and what knows no
feature. vm/ itself is a guest as a whole: the top of C.
"""

import sys

sys.dont_write_bytecode = True      # generated files belong under build/ only

import argparse
import os
import re

from kconfig import InputError, fault, read_text, run_tool

TABLE = os.path.abspath(__file__)
ROOT = os.path.dirname(os.path.dirname(TABLE))
FOLDERS = ("src", "hypercalls", "previrt")
STATE = ("src/vm/vcpu.h", "src/vm/partition.h", "src/vm/page.h", "src/vm/optimize.h", "src/config.h")
INCLUDE = re.compile(r'\s*#\s*include\s+"([^"]+)"')

MAY = {
    "abi": (),
    "machine": (),
    "state": ("abi", "machine"),
    "boards": ("machine", "state"),
    "mmu": ("machine", "state"),
    "irq": ("machine", "state", "boards"),
    "time": ("machine", "state", "boards", "irq"),
    "ipcm": ("machine", "state", "mmu", "irq"),
    "devices": ("machine", "state", "boards", "irq", "ipcm"),
    "report": ("abi", "machine", "state", "boards", "mmu", "devices"),
    "cpu": ("machine", "state", "mmu", "irq", "time", "devices", "report"),
    "previrt": ("abi", "machine", "state", "report"),
    "sched": ("machine", "state", "boards", "time", "report"),
    "vm": ("machine", "state", "boards", "mmu", "irq", "time", "devices", "report", "previrt", "sched", "ipcm"),
    "hypercalls": ("abi", "machine", "state", "boards", "mmu", "irq", "devices", "report", "cpu", "sched", "vm", "ipcm"),
    "roads": ("state",),
    "offsets": ("state", "mmu", "time", "devices", "report"),
}

# Upward: to a room that stands above, or to none of it (roads.h declares what the assembler calls, each in its own file)
UP = {
    ("state", "mmu"): "config.h has the words of an option in the register file",
    ("state", "report"): "likewise, the counters",
    ("boards", "devices"): "the machine's interrupt handler serves the console,",
    ("boards", "irq"): "and hands a line to its owner",
    ("mmu", "report"): "a panic of the checker",
    ("mmu", "roads"): "ends of cold roads",
    ("irq", "sched"): "an interrupt of the board is paid by whose it is",
    ("irq", "devices"): "an interrupt controller in memory is a device of the bus",
    ("time", "devices"): "the console may wait for something",
    ("time", "sched"): "how far apart two decisions are",
    ("time", "report"): "the trace knows when a timer was due",
    ("time", "hypercalls"): "a guest that sleeps wakes by time: services.h",
    ("devices", "report"): "the console takes the hypervisor's own lines, and counts",
    ("devices", "cpu"): "an access is an instruction",
    ("devices", "roads"): "the PIT's road by the console",
    ("report", "cpu"): "names of instructions",
    ("cpu", "hypercalls"): "a call that the assembler leaves to C",
    ("cpu", "roads"): "ends of cold roads",
    ("sched", "hypercalls"): "services.h, as above",
    ("vm", "hypercalls"): "likewise",
    ("vm", "roads"): "ends of cold roads",
    ("hypercalls", "roads"): "ends of cold roads",
}


def room_of(path):
    """The room of a file, by its path from the root."""
    if path in STATE:
        return "state"
    folders = path.split("/")
    if path == "hypercalls/abi.h":
        return "abi"
    if folders[0] != "src":
        return folders[0]
    return folders[1] if len(folders) > 2 else {"roads.h": "roads"}.get(folders[1], "offsets")


def sources(root):
    """Paths of all C files and headers."""
    for folder in FOLDERS:
        for place, folders, files in os.walk(os.path.join(root, folder)):
            folders.sort()
            for name in sorted(files):
                if name.endswith((".c", ".h")):
                    yield os.path.relpath(os.path.join(place, name), root)


def includes(root):
    """{(room, room): [(file, line, header)]} of all includes from one room to another."""
    paths = list(sources(root))
    homes = {os.path.basename(path): path for path in paths if path.endswith(".h")}
    found = {}
    for path in paths:
        for number, line in enumerate(read_text(os.path.join(root, path), "source").splitlines(), 1):
            match = INCLUDE.match(line)
            home = match and homes.get(os.path.basename(match[1]))      # headers that are generated have none
            if home and room_of(home) != room_of(path):
                found.setdefault((room_of(path), room_of(home)), []).append((path, number, match[1]))
    return found


def check(root):
    """Faults: an include that the table does not allow, a room that it does not know, a row that nobody needs."""
    found = includes(root)
    down = {(room, other) for room, others in MAY.items() for other in others}
    allowed = down | set(UP)
    order = list(MAY)
    faults = []
    for room, other in sorted(set(found) - allowed):
        for path, line, header in found[room, other]:
            faults.append(fault(os.path.join(root, path), line, f"{room} may not include {header}, which is of {other}",
                                "report what is to be done, or move it; who may include whom: tools/rooms.py"))
    for room, other in sorted(allowed - set(found)):
        faults.append(fault(TABLE, 1, f"{room} includes nothing of {other}", "take the pair out of the table"))
    for room, other in sorted(down):
        if order.index(other) > order.index(room):
            faults.append(fault(TABLE, 1, f"{other} stands above {room}", "UP, with a reason"))
    if faults:
        raise InputError(*faults)
    return found


def dot(found):
    """The graph; rooms of one height beside each other are Graphviz's affair."""
    lines = ["digraph rooms {", "    rankdir=TB; node [shape=box, fontname=sans];"]
    for (room, other), places in sorted(found.items()):
        style = f' [color=red, constraint=false, tooltip="{UP[room, other]}"]' if (room, other) in UP else ""
        lines.append(f"    {room} -> {other}{style};    // {len(places)}")
    return "\n".join([*lines, "}"])


def main(argv=None):
    """Command line."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--dot", action="store_true", help="print the graph for Graphviz")
    parser.add_argument("--root", default=ROOT, help="another tree")
    args = parser.parse_args(argv)
    found = check(args.root)
    if args.dot:
        print(dot(found))
    return 0


if __name__ == "__main__":
    sys.exit(run_tool(main))
