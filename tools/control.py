#!/usr/bin/python3
"""control.py: what the VMs of a running board do, and what they shall do, over its console (option CONTROL).

    control.py --port /dev/ttyUSB0 list
    control.py --port /tmp/console stop sfft            a Unix socket: make run RUN="--console /tmp/console"
    control.py --port localhost:4000 --json restart ctask

`list` prints each VM's state and counters; `start`, `stop`, `restart` change one VM, as a supervisor's hypercall does, and print
it as it is then; `focus` gives it the console's input. It types what a person could type there (src/devices/control.h), and
believes only the hypervisor's own lines. Of a serial device its speed is as it is set (stty).

Exit status: 0; 1 if the VM is in no state for it, there is none of that name, or nobody answers; 2 for wrong usage.
"""

import sys

sys.dont_write_bytecode = True      # generated files belong under build/ only

import argparse
import contextlib
import json
import os
import re
import select
import socket
import termios
import time
import tty

from kconfig import InputError, run_tool
from run import table

LINE = re.compile(r"^\[proteus\] (vm|refused) (\S+) (\d+)/(\d+) (\w+)((?: \w+=\d+)*)$")
FOCUS = re.compile(r"^\[proteus\] focus (\S+)$")
LETTERS = {"start": "s", "stop": "x", "restart": "r"}
PATIENCE = 5.0          # seconds for an answer


class Port:
    """A console: a serial device, a Unix socket, or host:port."""

    def __init__(self, name, escape, patience):
        self.name, self.escape, self.patience, self.buffer = name, escape, patience, b""
        self.socket = self.kept = None
        try:
            self.fd = self.open(name)
        except OSError as error:
            raise InputError(f"{name}:1: cannot be opened: {error.strerror or error}. hint: a serial device, a Unix socket, or "
                             "<host>:<port>") from None

    def open(self, name):
        """The descriptor."""
        match = re.fullmatch(r"([\w.-]+):(\d+)", name)
        if match and not os.path.exists(name):
            self.socket = socket.create_connection((match[1], int(match[2])), self.patience)
        elif not is_device(name):
            self.socket = socket.socket(socket.AF_UNIX)
            self.socket.connect(name)
        if self.socket:
            return self.socket.fileno()
        fd = os.open(name, os.O_RDWR | os.O_NOCTTY)
        if os.isatty(fd):
            self.kept = termios.tcgetattr(fd)
            tty.setraw(fd, termios.TCSANOW)
        return fd

    def close(self):
        """As it was."""
        if self.kept:
            termios.tcsetattr(self.fd, termios.TCSANOW, self.kept)
        if self.socket:
            self.socket.close()
        else:
            os.close(self.fd)

    def type(self, keys):
        """The escape key, and what is behind it."""
        os.write(self.fd, bytes([self.escape]) + keys.encode())

    def lines(self):
        """Lines as they come, until nothing has come for long."""
        end = time.monotonic() + self.patience
        while True:
            while b"\n" in self.buffer:
                line, self.buffer = self.buffer.split(b"\n", 1)
                yield line.decode("ascii", "backslashreplace").strip("\r\0")
            if not select.select([self.fd], [], [], max(end - time.monotonic(), 0))[0]:
                return
            data = os.read(self.fd, 4096)
            if not data:
                return
            self.buffer += data


def is_device(name):
    """A character device? If not, it has to be a socket."""
    return os.stat(name).st_mode & 0o170000 == 0o020000


def silent(port):
    """The error of a console that says nothing to the point."""
    return InputError(f"{port.name}:1: no answer in {port.patience:g} s. hint: is it the board's console, was it built with "
                      "CONFIG_CONTROL=y, and is its escape key the one of --escape?")


def answer(port, wanted):
    """Rows of VMs, until `wanted` says that these are all."""
    rows = {}
    for line in port.lines():
        match = LINE.match(line)
        if match:
            row = {"name": match[2], "number": int(match[3]), "state": match[5], "refused": match[1] == "refused"}
            row |= {key: int(value) for key, value in (pair.split("=") for pair in match[6].split())}
            rows[row["number"]] = row
            if wanted(row, int(match[4])):
                return [rows[number] for number in sorted(rows)]
    raise silent(port)


def listing(port):
    """All VMs."""
    port.type("l")
    return answer(port, lambda row, count: row["number"] == count)


def number_of(port, name):
    """A VM's digit."""
    rows = listing(port)
    for row in rows:
        if row["name"] == name:
            return row["number"]
    raise InputError(f"{port.name}:1: no VM is called '{name}'. hint: {', '.join(row['name'] for row in rows)}")


def change(port, action, name):
    """Start, stop or restart one; the row that answers."""
    number = number_of(port, name)
    port.type(LETTERS[action] + chr(ord("0") + number))
    row = answer(port, lambda row, _: row["number"] == number)[-1]
    if row["refused"]:
        raise InputError(f"{port.name}:1: {action} {name}: it is {row['state']}. hint: control.py list")
    return [row]


def focus(port, name):
    """The input is the VM's."""
    port.type(chr(ord("0") + number_of(port, name)))
    for line in port.lines():
        match = FOCUS.match(line)
        if match and match[1] == name:
            return []
    raise silent(port)


def show(rows):
    """For a person."""
    keys = [key for key in rows[0] if key not in ("number", "refused", "name")]
    return table([["vm", *keys]] + [[row["name"], *(str(row[key]) for key in keys)] for row in rows], left=(0, 1))


def parse_arguments(argv):
    """The command line."""
    parser = argparse.ArgumentParser(prog="control.py", description=__doc__.split("\n", maxsplit=1)[0])
    parser.add_argument("--port", required=True, help="the board's console: a serial device, a Unix socket, or host:port")
    parser.add_argument("--escape", default="]", help="control key of [console] in the partition file: ctrl-<this> (])")
    parser.add_argument("--patience", type=float, default=PATIENCE, metavar="S", help=f"seconds for an answer ({PATIENCE:g})")
    parser.add_argument("--json", action="store_true", help="for a script")
    commands = parser.add_subparsers(dest="command", required=True)
    commands.add_parser("list", help="all VMs, with states and counters")
    for name in (*LETTERS, "focus"):
        commands.add_parser(name).add_argument("vm")
    return parser.parse_args(argv)


def main(argv=None):
    """One command."""
    args = parse_arguments(argv)
    with contextlib.closing(Port(args.port, ord(args.escape.upper()) & 0x1F, args.patience)) as port:
        if args.command == "list":
            rows = listing(port)
        else:
            rows = focus(port, args.vm) if args.command == "focus" else change(port, args.command, args.vm)
    if args.json:
        print(json.dumps(rows))
    elif rows:
        print("\n".join(show(rows)))
    return 0


if __name__ == "__main__":
    sys.exit(run_tool(main))
