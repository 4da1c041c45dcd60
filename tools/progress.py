#!/usr/bin/python3
"""progress.py: run a command that takes minutes, and say how far it is.

    progress.py NAME COMMAND...         as in: progress.py QEMU ninja 3>&2 >log 2>&1

What the command prints goes on to standard output. Every ten seconds a line goes to descriptor 3 (without one, to standard
error): `  QEMU  [312/900]` by the last [n/m] that the command has printed, as ninja does, or `  LINUX [420 lines]`, as many as
it has printed: of a build, the files. Exit status: the command's; 126 if it can't be run, 2 for wrong usage.
"""

import sys

sys.dont_write_bytecode = True      # generated files belong under build/ only

import os
import re
import selectors
import subprocess
import time

SECONDS = 10
COUNT = re.compile(rb"\[(\d+)/(\d+)\]")


class Progress:
    """How far a command is, by what it has printed."""

    def __init__(self):
        self.lines, self.count, self.said = 0, None, None

    def take(self, data):
        """More of its output."""
        self.lines += data.count(b"\n")
        counts = COUNT.findall(data)
        self.count = counts[-1] if counts else self.count

    def news(self):
        """What to say; None if nothing has changed."""
        text = "/".join(number.decode() for number in self.count) if self.count else f"{self.lines} lines" if self.lines else None
        text, self.said = (None if text == self.said else text), text
        return text


def teller():
    """Where the lines go."""
    try:
        return os.fdopen(3, "w")
    except OSError:
        return sys.stderr


def run(name, command, to):
    """Run the command; returns its exit status."""
    try:
        process = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT)
    except OSError as error:
        print(f"progress.py: {command[0]}: {error.strerror}", file=sys.stderr)
        return 126
    progress, due = Progress(), time.monotonic() + SECONDS
    with process, selectors.DefaultSelector() as selector:
        selector.register(process.stdout, selectors.EVENT_READ)
        data = b" "
        while data:
            if selector.select(max(due - time.monotonic(), 0)):
                data = os.read(process.stdout.fileno(), 65536)
                progress.take(data)
                sys.stdout.buffer.write(data)
                sys.stdout.buffer.flush()
            if time.monotonic() >= due:
                due = time.monotonic() + SECONDS
                text = progress.news()
                if text:
                    print(f"  {name:<5} [{text}]", file=to, flush=True)
    return process.returncode if process.returncode >= 0 else 128 - process.returncode


def main():
    """Command line."""
    if len(sys.argv) < 3 or sys.argv[1].startswith("-"):
        print("usage: progress.py NAME COMMAND...", file=sys.stderr)
        return 2
    return run(sys.argv[1], sys.argv[2:], teller())


if __name__ == "__main__":
    sys.exit(main())
