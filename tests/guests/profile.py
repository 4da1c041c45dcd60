#!/usr/bin/python3
"""Profile of a sample guest, run natively: which privileged instructions it executes, at boot and per periodic job.

QEMU runs the guest one instruction per translated block and logs each one; the log is read through a pipe.
A job is the time from one PIT interrupt to the next. The table shows the smallest and the largest count of each
instruction over all jobs but the first, where the task begins, and the last, which ends the run.

  profile.py build/guests/ctask.elf [--expect ctask.profile] [--qemu <path>] [--timeout 120]

Names come from config/isa.def and config/spr.def. With --expect the table is compared with a file of lines
`<name> <count per job>`; exit status 1 if any job differs, or if an instruction is not listed.
"""
import argparse
import collections
import os
import re
import subprocess
import sys
import tempfile
import threading

from elftools.common.exceptions import ELFError
from elftools.elf.elffile import ELFFile

HERE = os.path.dirname(os.path.abspath(__file__))
CONFIG = os.path.join(HERE, "..", "..", "config")
sys.path.insert(0, os.path.join(HERE, "..", "..", "tools"))

import machine as machines  # noqa: E402

HFLAG_PR = 0x4000  # QEMU's translation flags carry MSR[PR] in its place
PIT_VECTOR = 0x1000
SC_WORD = 0x44000002
BRANCHES = (16, 18, 19)  # primary opcodes


class Failure(Exception):
    """A cause to print, with an exit status."""


def rows(name, pattern):
    """Yield the groups of every row of a table in config/ that matches."""
    path = os.path.join(CONFIG, name)
    try:
        with open(path, encoding="utf-8") as file:
            yield from re.findall(pattern, file.read(), re.MULTILINE)
    except OSError as error:
        raise Failure(f"{path}:1: cannot read: {error.strerror}. hint: run from the project's own tree") from error


class Decoder:
    """Names of the privileged instructions, from the tables of the hypervisor."""

    def __init__(self):
        self.opcodes = {(int(op), int(xo)): mnemonic for mnemonic, op, xo in
                        rows("isa.def", r"^ISA_(?:HOT|COLD)\((\w+),\s*(\d+),\s*(\d+),")}
        self.sprs = {int(number, 16): name.upper() for name, number in
                     rows("spr.def", r"^SPR\((\w+),\s*(0x[0-9A-Fa-f]+),")}

    def name(self, word):
        """The name under which a privileged word (or sc) is counted, or None."""
        if word == SC_WORD:
            return "sc"
        op, xo = word >> 26, (word >> 1) & 0x3FF
        mnemonic = self.opcodes.get((op, xo)) if op in (19, 31) else None
        if mnemonic in ("mfspr", "mtspr"):
            number = (word >> 16 & 31) | (word >> 6 & 0x3E0)
            if number & 0x10 == 0 or number not in self.sprs:
                return None  # user mode may use it
            return mnemonic[:2] + self.sprs[number]
        if mnemonic == "wrteei":
            return f"wrteei {word >> 15 & 1}"
        return mnemonic


def load_text(path):
    """The words of the guest's executable segments, by address."""
    words = {}
    try:
        with open(path, "rb") as file:
            elf = ELFFile(file)
            for segment in elf.iter_segments():
                if segment["p_type"] == "PT_LOAD" and segment["p_flags"] & 1:
                    data = segment.data()
                    for offset in range(0, len(data) - 3, 4):
                        words[segment["p_paddr"] + offset] = int.from_bytes(data[offset:offset + 4], "big")
    except OSError as error:
        raise Failure(f"{path}:1: cannot read: {error.strerror}. hint: build it with make -C tests/guests") from error
    except ELFError as error:
        raise Failure(f"{path}:1: not an ELF file: {error}. hint: give the guest's .elf") from error
    if not words:
        raise Failure(f"{path}:1: no executable segment. hint: give a linked guest, not an object file")
    return words


class Window:
    """What was executed between two PIT interrupts (or before the first)."""

    def __init__(self):
        self.names = collections.Counter()
        self.kernel = 0
        self.user = 0


def read_trace(stream, words, decoder):
    """Split the log into windows. Two kinds of announced blocks did not execute and are taken back: one followed by a
    `Stopped` line, and one announced again because it accesses a device (only a branch may follow itself)."""
    trace = re.compile(r"Trace \d+: \S+ \[[0-9a-f]+/([0-9a-f]+)/([0-9a-f]+)/")
    windows = [Window()]
    pending = None
    names = {}

    def retire(item):
        address, flags = item
        if address == PIT_VECTOR:
            windows.append(Window())
        window = windows[-1]
        if flags & HFLAG_PR:
            window.user += 1
        else:
            window.kernel += 1
        if address not in names:
            names[address] = decoder.name(words.get(address, 0))
        if names[address]:
            window.names[names[address]] += 1

    for line in stream:
        match = trace.match(line)
        if match:
            item = int(match.group(1), 16), int(match.group(2), 16)
            if pending and (pending != item or words.get(item[0], 0) >> 26 in BRANCHES):
                retire(pending)
            pending = item
        elif line.startswith("Stopped"):
            pending = None
    if pending:
        retire(pending)
    return windows


def run(qemu, elf, timeout, words, decoder):
    """Run the guest under QEMU; return its windows and its console output."""
    with tempfile.TemporaryDirectory() as folder:
        fifo = os.path.join(folder, "trace")
        os.mkfifo(fifo)
        one_by_one = ["-singlestep"] if machines.release(qemu) < (8, 1) else ["-accel", "tcg,one-insn-per-tb=on"]
        command = [qemu, "-M", "ref405ep", "-display", "none", "-monitor", "none", "-serial", "stdio", "-no-reboot",
                   "-icount", "shift=0,sleep=off", *one_by_one, "-d", "exec,nochain", "-D", fifo, "-kernel", elf]
        try:
            process = subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
                                       stderr=subprocess.PIPE, text=True)
        except OSError as error:
            raise Failure(f"{qemu}: {error.strerror}. hint: is this a QEMU?") from error
        expired = threading.Event()

        def stop():
            expired.set()
            process.kill()

        timer = threading.Timer(timeout, stop)
        timer.start()
        try:
            # Opened for both directions, so that a QEMU that never opens the pipe cannot block us here
            guard = os.open(fifo, os.O_RDWR)
            result = []
            reader = threading.Thread(target=lambda: result.append(consume(fifo, words, decoder)))
            reader.start()
            console, errors = process.communicate()
            os.close(guard)
            reader.join()
        finally:
            timer.cancel()
        if expired.is_set():
            raise Failure(f"{elf}: no end of the run after {timeout} s. hint: --timeout")
        if process.returncode != 0:
            raise Failure(f"{elf}: QEMU failed: {errors.strip()}. hint: has it the machine ref405ep?")
        return result[0], console


def consume(fifo, words, decoder):
    """Reader thread: the whole log, to its end."""
    with open(fifo, encoding="ascii", errors="replace") as stream:
        return read_trace(stream, words, decoder)


def report(windows):
    """Print the table; return {name: (min, max)} over the steady jobs, or None if the guest has none."""
    boot, jobs = windows[0], windows[2:-1]
    print(f"boot: {boot.kernel + boot.user} instructions, {sum(boot.names.values())} privileged: "
          + ", ".join(f"{name} {count}" for name, count in boot.names.most_common()))
    total = sum(window.kernel + window.user for window in windows)
    print(f"run: {total} instructions, {len(windows) - 1} PIT interrupts")
    if not jobs:
        return None
    names = sorted({name for job in jobs for name in job.names}, key=lambda name: (-jobs[0].names[name], name))
    spans = {name: (min(job.names[name] for job in jobs), max(job.names[name] for job in jobs)) for name in names}
    sums = [sum(job.names.values()) for job in jobs]
    spans["all"] = min(sums), max(sums)
    print(f"per job ({len(jobs)} jobs), smallest and largest:")
    for name, (low, high) in spans.items():
        print(f"  {name:<12} {low:>7} {high:>7}")
    for label in ("kernel", "user"):
        values = [getattr(job, label) for job in jobs]
        spans[label] = min(values), max(values)
        print(f"  {label + ' insns':<12} {spans[label][0]:>7} {spans[label][1]:>7}")
    return spans


def compare(spans, path):
    """Compare with a file of expected counts; return the differences as lines."""
    differences = []
    expected = {}
    try:
        with open(path, encoding="utf-8") as file:
            for number, line in enumerate(file, 1):
                text = line.split("#")[0].strip()
                if not text:
                    continue
                match = re.fullmatch(r"(\S+(?: [01])?)\s+(\d+)(?:-(\d+))?", text)
                if not match:
                    raise Failure(f"{path}:{number}: not `name count` or `name low-high`: {text}. "
                                  "hint: one instruction per line, # begins a comment")
                low = int(match.group(2))
                expected[match.group(1)] = low, int(match.group(3) or low), number
    except OSError as error:
        raise Failure(f"{path}:1: cannot read: {error.strerror}. hint: see ctask.profile") from error
    if spans is None:
        return [f"{path}:1: the guest has no periodic job. hint: expect a profile of an RTOS workload only"]
    for name, (low, high, number) in expected.items():
        found = spans.get(name, (0, 0))
        if found[0] < low or found[1] > high:
            differences.append(f"{path}:{number}: {name}: expected {low}-{high}, found {found[0]}-{found[1]}. "
                               "hint: has the kernel's path changed?")
    for name in spans:
        if name not in expected:
            differences.append(f"{path}:1: {name}: executed {spans[name][0]}-{spans[name][1]} times, not listed. "
                               "hint: add a line, or find out why the kernel executes it")
    return differences


def main():
    """Command line."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("elf", help="a guest linked for ref405ep")
    parser.add_argument("--expect", metavar="FILE", help="expected counts per job; differences are errors")
    parser.add_argument("--qemu", help="default: as tools/run.py")
    parser.add_argument("--timeout", type=float, default=120, help="seconds (default 120)")
    options = parser.parse_args()
    try:
        words = load_text(options.elf)
        windows, console = run(machines.find_qemu(options.qemu), options.elf, options.timeout, words, Decoder())
        print(console, end="")
        spans = report(windows)
        differences = compare(spans, options.expect) if options.expect else []
    except (Failure, machines.RunError) as failure:
        print(failure, file=sys.stderr)
        return 1
    for line in differences:
        print(line, file=sys.stderr)
    return 1 if differences else 0


if __name__ == "__main__":
    sys.exit(main())
