#!/usr/bin/python3
"""run.py: start QEMU on an image, watch its console, print what each VM did, and of a run that did not pass where each stands.

`make run` calls it from the command line, the system tests (tests/system) use it as a library:

    result = run(image="build/demo/proteus.elf", timeout=60)
    result.vms["ctask"].verdict == "PASS"

emulator.py starts QEMU (machine.py says which) and follows the run, console.py sorts its lines, vmstate.py looks at the VMs.

A run ends by itself when the last guest has ended. At a terminal there is no other end but Ctrl-C, unless --timeout asks for
one; in a script it also ends after two minutes without a word, or twenty in all: see Limits in emulator.py.

Exit status: 0 if every expected VM printed PASS, 1 if not, 2 for wrong usage.
"""

import argparse
import contextlib
import os
import re
import sys

import image as images
import machine as machines
import timeline
import vmstate
from console import Vm
from emulator import Result, Step, command_line, run
from machine import RunError
from monitor import MonitorError

# For those who `import run`
__all__ = ["Result", "RunError", "Step", "Vm", "all_decided", "command_line", "main", "run", "table"]

# Limits of a run that nobody watches, seconds: without output, and in all
SILENCE, TOTAL = 120.0, 1200.0


def read_script(path):
    """Steps of an input script: lines `wait <regex>` and `send <text with \\r \\n \\x1d escapes>`, `#` comments."""
    steps = []
    for number, line in numbered_lines(path):
        kind, _, text = line.partition(" ")
        if kind not in ("wait", "send") or not text:
            raise RunError(f"{path}:{number}: `{line}`: not a step. hint: write `wait <regex>` or `send <text>`")
        try:
            steps.append(Step(number, kind, text))
        except (re.error, ValueError) as error:
            raise RunError(f"{path}:{number}: {error}. hint: escape the special characters") from None
    return steps


def read_expectations(path):
    """(line number, compiled pattern) for each line of a file of expected console lines."""
    patterns = []
    for number, line in numbered_lines(path):
        try:
            patterns.append((number, re.compile(line)))
        except re.error as error:
            raise RunError(f"{path}:{number}: {error}. hint: one regular expression a line") from None
    return patterns


def numbered_lines(path):
    """Lines of a text file that are neither empty nor comments, with their numbers."""
    try:
        with open(path, encoding="utf-8") as stream:
            text = stream.read()
    except (OSError, UnicodeDecodeError) as error:
        reason = getattr(error, "strerror", None) or "not a text file"
        raise RunError(f"{path}:1: cannot be read: {reason}. hint: check the name") from None
    for number, line in enumerate(text.splitlines(), 1):
        if line.strip() and not line.lstrip().startswith("#"):
            yield number, line.strip()


def missing_lines(result, expectations):
    """Expectations that no line met; they have to be met in their order."""
    lines = iter(result.lines)
    for number, pattern in expectations:
        if not any(pattern.search(line) for line in lines):
            yield number, pattern.pattern


def expected_vms(names, image):
    """Names of the VMs that have to pass: given, or from the partition table beside the image (`verdict`, or all)."""
    if names is not None:
        return [name for name in names.split(",") if name]
    _, partitions = machines.read_table(image)
    return (partitions or {}).get("verdict") or machines.names(image)


def table(rows, left=(0,)):
    """Rows of cells as text: these columns to the left, all others to the right."""
    widths = [max(len(row[column]) for row in rows) for column in range(len(rows[0]))]
    for row in rows:
        cells = [cell.ljust(width) if column in left else cell.rjust(width)
                 for column, (cell, width) in enumerate(zip(row, widths))]
        yield "  ".join(cells).rstrip()


def verdict(vm):
    """PASS, FAIL, or what became of a VM that said neither."""
    if vm.verdict:
        return vm.verdict
    return "stopped" if vm.stops else "no result" if vm.lines else "silent"


def summary(vms, lives=None):
    """The tables of a run: what each VM did, how it was at the end ({name: state}, if that is known), and its traps by kind."""
    total_ticks = sum(vm.stats.get("ticks", 0) for vm in vms)
    rows = [["vm", "result", *(["state"] if lives else []), "time", "traps", "interrupts", "pit", "switches"]]
    for vm in vms:
        share = f"{100 * vm.stats['ticks'] / total_ticks:.1f} %" if total_ticks and "ticks" in vm.stats else "-"
        counters = [str(vm.stats[key]) if key in vm.stats else "-" for key in ("irq", "pit", "switches")]
        state = [lives.get(vm.name, "-")] if lives else []
        rows.append([vm.name, verdict(vm), *state, share, str(vm.trap_total()) if vm.stats else "-"] + counters)
    yield from table(rows)
    kinds = {}
    for vm in vms:
        for kind, count in vm.traps():
            kinds[kind] = kinds.get(kind, 0) + count
    if kinds:
        yield ""
        order = sorted(kinds, key=lambda kind: (-kinds[kind], kind))
        yield from table([["traps by kind"] + [vm.name for vm in vms]]
                         + [[kind] + [str(vm.stats.get(kind, 0)) for vm in vms] for kind in order])
    for vm in vms:
        for reason in vm.stops:
            yield f"stopped: {vm.name}: {reason}"
        if vm.verdict == "FAIL":
            yield f"failed: {vm.name}: {vm.detail}"


def vms_to_show(result, names):
    """The expected VMs first, then others that were heard of. An untagged console is that of the one guest run bare."""
    if not result.vms and not result.hypervisor:
        if names and not result.untagged:
            return [Vm(name) for name in names]
        name = names[0] if names and len(names) == 1 else "bare"
        return [result.as_bare(name)] + [Vm(other) for other in names or [] if other != name]
    if names and len(names) == 1 and not result.vm(names[0]).lines: # it owns the UART: nobody tags its lines
        vm = result.as_bare(names[0])
        vm.stops, vm.stats = result.vm(names[0]).stops, result.vm(names[0]).stats
        return [vm]
    order = list(names or []) + [name for name in result.vms if name not in (names or [])]
    return [result.vm(name) for name in order]


def mute_vms(image):
    """Names of the VMs that have nothing to be heard by: neither a console nor a device."""
    _, table = machines.read_table(image)
    return [vm["name"] for vm in (table or {}).get("vms", []) if vm.get("console_base") == 0 and not vm.get("devices")]


def judge(result, vms, names, expectations, mute=()):
    """Complaints about a run; none means success. mute: VMs that can't be heard."""
    yield from result.trouble()
    expected = [vm for vm in vms if names is None or vm.name in names]
    for vm in expected:
        if vm.verdict != "PASS":
            hint = '; it has no console: console = "shared" in its [[vm]]' if vm.name in mute else ""
            yield f"{vm.name}: {verdict(vm)}: expected a line `{vm.name}: PASS ...`{hint}"
    if not expected and names is None:
        yield "no VM was heard of"
    for number, pattern in missing_lines(result, expectations):
        yield f"expected line {number} did not come: {pattern}"


def all_decided(names):
    """For run(until=...): have all these VMs said PASS or FAIL? Others may run for ever."""
    return lambda result: all(name in result.vms and result.vms[name].verdict for name in names)


def positive(text):
    """Argument type: seconds."""
    value = float(text)
    if not 0 < value <= 86400:
        raise argparse.ArgumentTypeError(f"{text}: must be more than 0 and at most 86400")
    return value


def parse_arguments(argv):
    """The command line."""
    parser = argparse.ArgumentParser(prog="run.py", description="Run an image on its board in QEMU and judge its VMs.")
    what = parser.add_mutually_exclusive_group(required=True)
    what.add_argument("--image", help="ELF image (-kernel)")
    what.add_argument("--rom", help="ROM image (-bios)")
    parser.add_argument("--timeout", type=positive, metavar="S", help="seconds until the run is ended (at a terminal: no limit)")
    parser.add_argument("--silence", type=positive, metavar="S", help="seconds without output until the run is ended (the same)")
    parser.add_argument("--vms", help="VMs that have to pass: a,b,c (default: gen/partitions.json beside the image)")
    parser.add_argument("--expect", metavar="FILE", help="regular expressions that console lines must match, in order")
    parser.add_argument("--input", metavar="FILE", help="input script: lines `wait <regex>` and `send <text>`")
    parser.add_argument("--until-decided", action="store_true",
                        help="end the run when all of --vms have said PASS or FAIL, though other VMs go on")
    parser.add_argument("--summary", action="store_true", help="only the tables, not the console")
    parser.add_argument("--machine", help="QEMU's: ref405ep, virtex-ppc405, raptor (default: what gen/partitions.json beside the "
                                          "image says, or ref405ep)")
    parser.add_argument("--serial", type=int, choices=range(4), help="number of the UART that is the console (default: as "
                                                                     "--machine)")
    parser.add_argument("--uart1", metavar="FILE", help="give the board its second UART, written to FILE")
    parser.add_argument("--console", metavar="SOCKET", help="a Unix socket at which tools/control.py reaches the console")
    parser.add_argument("--no-icount", action="store_true", help="time by the host's clock: for rfci in a guest run bare")
    parser.add_argument("--qemu", help="emulator to use (default: $QEMU, or what the machine needs)")
    parser.add_argument("--qemu-arg", action="append", default=[], help="one more argument for QEMU; may repeat")
    return parser.parse_args(argv)


def echo_to_stdout(piece):
    """Show the console as it comes."""
    sys.stdout.write(piece)
    sys.stdout.flush()


def limits(args, interactive):
    """(timeout, silence) in seconds, or None: asked for; or, of a run that nobody watches, by default."""
    if interactive or args.timeout or args.silence:
        return args.timeout, args.silence
    return TOTAL, SILENCE


class Judge:
    """What became of a run: complaints, and if there are any, where each VM stands."""

    def __init__(self, args, names, expectations):
        self.names, self.expectations = names, expectations
        self.image, self.path = images.of_run(args.image, args.rom), args.rom or args.image
        self.states, self.lives, self.trouble, self.line = None, None, None, None

    def look(self, result, monitor):
        """Called at the end of the run, while the machine is still there."""
        vms = vms_to_show(result, self.names)
        folder, partitions = os.path.dirname(self.path) or ".", machines.read_table(self.path)[1]
        with contextlib.suppress(vmstate.NoLayout, MonitorError, KeyError):
            self.lives = vmstate.lives(monitor, self.image, partitions, folder)
            self.line = timeline.read(monitor, self.image, partitions)
        if not list(judge(result, vms, self.names, self.expectations)):
            return
        try:
            self.states = vmstate.look(monitor, self.image, partitions, folder, vms[0].name)
        except (vmstate.NoLayout, MonitorError) as error:
            self.trouble = str(error)

    def show(self, result):
        """Print the tables; the complaints, which go elsewhere, are given back."""
        vms = {vm.name: vm for vm in vms_to_show(result, self.names)}
        for state in self.states or ():
            vm = vms.setdefault(state.name, result.vm(state.name))      # silent, and not one of those asked for
            vm.stats = vm.stats or state.console_stats()
        print("\n".join(summary(list(vms.values()), self.lives)), flush=True)
        if self.line:
            path = timeline.write(self.line, os.path.dirname(self.path), os.path.basename(os.path.dirname(self.path)))
            print("\n" + "\n".join(table(list(self.line.table()))) + f"\n{path}: {self.line.about()}", flush=True)
        if self.states:
            print("\n" + "\n".join(vmstate.report(self.states, vms, table)), flush=True)
        complaints = list(judge(result, list(vms.values()), self.names, self.expectations, mute_vms(self.path)))
        return complaints + ([f"where the VMs stand is not known: {self.trouble}"] if self.trouble else [])


def main(argv=None):
    """Command line entry."""
    args = parse_arguments(argv)
    try:
        script = read_script(args.input) if args.input else []
        names = expected_vms(args.vms, args.rom or args.image)
        verdict_of = Judge(args, names, read_expectations(args.expect) if args.expect else [])
        interactive = not script and sys.stdin is not None and sys.stdin.isatty()
        timeout, silence = limits(args, interactive)
        if interactive and not timeout:
            print("run.py: Ctrl-C ends the run and shows where each VM stands", file=sys.stderr)
        result = run(args.image, args.rom, timeout, None if args.summary else echo_to_stdout, script, args.uart1,
                     args.qemu_arg, args.qemu, interactive, icount=not args.no_icount,
                     until=all_decided(names) if args.until_decided and names else None, machine=args.machine,
                     serial=args.serial, silence=silence, look=verdict_of.look, door=args.console)
    except RunError as error:
        print(error, file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        print("run.py: interrupted", file=sys.stderr)
        return 1
    print("" if args.summary else "\n", end="")
    complaints = verdict_of.show(result)
    for complaint in complaints:
        print(f"run.py: {complaint}", file=sys.stderr)
    return 1 if complaints else 0


if __name__ == "__main__":
    try:
        status = main()
    except BrokenPipeError:     # who has read this has gone
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        status = 1
    sys.exit(status)
