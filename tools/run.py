#!/usr/bin/python3
"""run.py: start QEMU on an image, watch its console, print what each VM did.

This is the one place of the project that starts the system emulator; machine.py says which. `make run` calls it from the
command line, the system tests (tests/system) use it as a library:

    result = run(image="build/demo/proteus.elf", timeout=60)
    result.vms["ctask"].verdict == "PASS"

What the console says is all there is to know: QEMU's own exit status is 0 after every reset. The hypervisor writes

    [<vm>] <text>                                     a line of a guest
    [proteus] stat <vm> <key>=<n> <key>=<n> ...       counters at the end (CONFIG_STATS)
    [proteus] stop <vm> <reason>                      it stopped this VM
    [proteus] <anything else>

and a guest ends with a line `<program>: PASS ...` or `<program>: FAIL <why>`. Guests run bare write the same lines
without the tag.

Runs use -icount, so that the guest's time is counted in instructions and two runs are alike bit for bit; wall-clock time
serves only as the limit after which a run that does not end is killed. The one exception: under -icount QEMU 7.2 aborts
at every rfci that really executes ("Raised interrupt while not in I/O function"), so a guest that uses rfci runs bare
only without it (--no-icount).

Exit status: 0 if every expected VM printed PASS, 1 if not, 2 for wrong usage.
"""

import argparse
import codecs
import os
import re
import selectors
import subprocess
import sys
import time

import machine as machines
from machine import RunError, find_qemu

OPTIONS = ["-display", "none", "-monitor", "none", "-no-reboot"]
ICOUNT = ["-icount", "shift=0,sleep=off"]
PATIENCE = 1        # times the timeout that was asked for; tests, of which several run at a time, have more

# Counters of a `stat` line that do not count traps. Everything else in the line is a kind of trap.
NOT_TRAPS = ("irq", "pit", "ticks", "switches", "starts")

TAGGED = re.compile(r"^\[([A-Za-z0-9_-]+)\] ?(.*)$")
VERDICT = re.compile(r"^[A-Za-z0-9_-]+: (PASS|FAIL)\b ?(.*)$")


class Vm:
    """What one VM left on the console."""

    def __init__(self, name):
        self.name = name
        self.lines = []         # its lines, without the tag
        self.stats = {}         # counter name -> value
        self.stops = []         # reasons for which the hypervisor stopped it
        self.verdict = None     # PASS, FAIL or None
        self.detail = ""        # the words behind PASS or FAIL

    def add(self, text):
        """Take one line; the first FAIL is final, whatever the guest prints later."""
        self.lines.append(text)
        match = VERDICT.match(text)
        if match and self.verdict != "FAIL":
            self.verdict, self.detail = match.groups()

    def traps(self):
        """Kinds of traps and their counts, most frequent first."""
        kinds = [(key, count) for key, count in self.stats.items() if key not in NOT_TRAPS]
        return sorted(kinds, key=lambda kind: (-kind[1], kind[0]))

    def trap_total(self):
        """All traps together."""
        return sum(count for _, count in self.traps())


class Console:
    """Sorts the console's lines by speaker."""

    def __init__(self):
        self.lines = []         # every complete line as it came
        self.hypervisor = []    # lines of the hypervisor, without the tag
        self.untagged = []      # lines without a tag: a guest run bare, or something broken
        self.vms = {}

    def vm(self, name):
        """The record of a VM, created when it is first heard of."""
        return self.vms.setdefault(name, Vm(name))

    def add(self, line):
        """Take one line of the console."""
        self.lines.append(line)
        match = TAGGED.match(line)
        if not match:
            self.untagged.append(line)
        elif match.group(1) == "proteus":
            self._hypervisor_line(match.group(2))
        else:
            self.vm(match.group(1)).add(match.group(2))

    def _hypervisor_line(self, text):
        self.hypervisor.append(text)
        words = text.split()
        if len(words) >= 2 and words[0] == "stop":
            self.vm(words[1]).stops.append(" ".join(words[2:]))
        elif len(words) >= 2 and words[0] == "stat":
            stats = self.vm(words[1]).stats
            for word in words[2:]:
                key, equals, value = word.partition("=")
                if equals and re.fullmatch(r"[0-9]+|0x[0-9A-Fa-f]+", value):
                    stats[key] = stats.get(key, 0) + int(value, 0)

    def as_bare(self, name):
        """The console of a guest run bare, seen as the console of one VM."""
        vm = Vm(name)
        for line in self.untagged:
            vm.add(line)
        return vm


class Result(Console):
    """A finished run: the console, and how QEMU ended."""

    def __init__(self):
        super().__init__()
        self.status = None      # exit status of QEMU, negative for a signal
        self.timed_out = False
        self.ended = False      # killed because what the caller waited for has come
        self.errors = ""        # what QEMU wrote on stderr
        self.unsent = []        # steps of the input script that never came to pass

    def trouble(self):
        """One sentence for each way in which the run itself, not a guest, went wrong."""
        for line in self.hypervisor:
            if line.startswith("panic"):
                yield f"the hypervisor panicked: {line}"
        if self.ended:
            return
        if self.timed_out:
            last = self.lines[-1] if self.lines else "(nothing; has the machine its console where the board's file says?)"
            yield f"timeout: the image was still running and was killed; last line: {last}"
        elif self.status:
            first = self.errors.strip().splitlines()[:1]
            yield ": ".join([f"QEMU ended with status {self.status}", *first])
        for step in self.unsent:
            yield f"input script, line {step.number}: never reached: {step.kind} {step.text}"


class Step:
    """One line of an input script: wait for a pattern, or send bytes."""

    def __init__(self, number, kind, text):
        self.number, self.kind, self.text = number, kind, text
        self.pattern = re.compile(text) if kind == "wait" else None
        self.data = codecs.escape_decode(text.encode())[0] if kind == "send" else None


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


def command_line(qemu, image=None, rom=None, uart1=None, extra=(), icount=True, machine=machines.REF405EP):
    """The QEMU command for an ELF image or a ROM image."""
    path = rom or image
    if not path or (rom and image):
        raise RunError("run.py: give one of --image and --rom. hint: run.py --image build/demo/proteus.elf")
    if not os.path.isfile(path):
        raise RunError(f"{path}:1: no such file. hint: build it first: make")
    if rom:
        machines.check_rom(rom, machine)
    if uart1 and machine.serial:
        raise RunError(f"run.py: --uart1: the console of {machine.name} is its second UART itself. hint: leave --uart1 away")
    command = [qemu, "-M", machine.name] + OPTIONS + (ICOUNT if icount else [])
    if machine.patched and machine.ram:     # ref405ep has what it has
        command += ["-m", f"{machine.ram >> 10}k"]
    command += ["-serial", "null"] * machine.serial + ["-serial", "stdio"]
    if uart1:
        command += ["-serial", f"file:{uart1}"]
    return command + (["-bios", rom] if rom else ["-kernel", image]) + list(extra)


def run(image=None, rom=None, timeout=60, echo=None, script=(), uart1=None, extra=(), qemu=None, interactive=False,
        icount=True, until=None, machine=None, serial=None):
    """Run an image to its end, or until a function of the Result so far says so (asked after each line).

    echo: a function called with each piece of text as it comes. machine: its name, or what machines.of_image() gave,
    where the image does not say it; serial: which of its UARTs is the console. Gives a Result.
    """
    board = machines.named(machine) if isinstance(machine, str) else machine or machines.of_image(rom or image or "")
    board = board if serial is None else board._replace(serial=serial)
    command = command_line(find_qemu(qemu, board), image, rom, uart1, extra, icount, board)
    stdin = None if interactive else subprocess.PIPE if script else subprocess.DEVNULL
    try:
        process = subprocess.Popen(command, stdin=stdin, stdout=subprocess.PIPE, stderr=subprocess.PIPE)
    except OSError as error:
        raise RunError(f"run.py: {command[0]}: {error.strerror}. hint: reinstall qemu-system-ppc") from None
    result = Result()
    try:
        _watch(process, result, time.monotonic() + timeout * PATIENCE, echo, list(script), until)
    finally:
        if process.poll() is None:
            process.kill()
        result.status = process.wait()
        for pipe in (process.stdin, process.stdout, process.stderr):
            if pipe:
                _close(pipe)
    return result


def _close(pipe):
    try:
        pipe.close()
    except BrokenPipeError:
        pass    # unsent input of a machine that has ended


def _watch(process, result, deadline, echo, steps, until):
    """Read both outputs of QEMU until they end, the time is up or what was waited for has come."""
    selector = selectors.DefaultSelector()
    selector.register(process.stdout, selectors.EVENT_READ, "console")
    selector.register(process.stderr, selectors.EVENT_READ, "errors")
    decoder = codecs.getincrementaldecoder("ascii")("backslashreplace")
    text, heard, errors = "", "", b""
    while selector.get_map() and not result.ended:
        left = deadline - time.monotonic()
        if left <= 0:
            result.timed_out = True
            break
        for key, _ in selector.select(left):
            data = os.read(key.fileobj.fileno(), 65536)
            if not data:
                selector.unregister(key.fileobj)
            if key.data == "errors":
                errors += data
                continue
            piece = decoder.decode(data).replace("\r", "").replace("\0", "")
            if echo and piece:
                echo(piece)
            *lines, text = (text + piece).split("\n")
            for line in lines:
                result.add(line)
                result.ended = result.ended or bool(until and until(result))
            heard = _follow(process, steps, heard + piece)
    if text and not result.ended: # ended in the middle of a line: that one is not what was said
        result.add(text)
    result.errors = errors.decode("utf-8", "backslashreplace")
    result.unsent = steps


def _follow(process, steps, heard):
    """Do the steps that what was heard so far allows; give what no step has used up yet."""
    while steps:
        if steps[0].kind == "send":
            try:
                process.stdin.write(steps[0].data)
                process.stdin.flush()
            except BrokenPipeError:
                break
        else:
            match = steps[0].pattern.search(heard)
            if not match:
                return heard
            heard = heard[match.end():]
        steps.pop(0)
    return ""


def missing_lines(result, expectations):
    """Expectations that no line met; they have to be met in their order."""
    lines = iter(result.lines)
    for number, pattern in expectations:
        if not any(pattern.search(line) for line in lines):
            yield number, pattern.pattern


def expected_vms(names, image):
    """Names of the VMs that have to pass: given, or from the partition table beside the image."""
    if names is not None:
        return [name for name in names.split(",") if name]
    path, table = machines.read_table(image)
    if table is None:
        return None
    try:
        return [vm["name"] for vm in table["vms"]]
    except (KeyError, TypeError) as error:
        raise machines.bad_table(path, error) from None


def table(rows):
    """Rows of cells as text: the first column to the left, all others to the right."""
    widths = [max(len(row[column]) for row in rows) for column in range(len(rows[0]))]
    for row in rows:
        cells = [cell.ljust(width) if column == 0 else cell.rjust(width)
                 for column, (cell, width) in enumerate(zip(row, widths))]
        yield "  ".join(cells).rstrip()


def verdict(vm):
    """PASS, FAIL, or what became of a VM that said neither."""
    if vm.verdict:
        return vm.verdict
    return "stopped" if vm.stops else "no result" if vm.lines or vm.stats else "silent"


def summary(vms):
    """The tables of a run: what each VM did, and its traps by kind."""
    total_ticks = sum(vm.stats.get("ticks", 0) for vm in vms)
    rows = [["vm", "result", "time", "traps", "interrupts", "pit", "switches"]]
    for vm in vms:
        share = f"{100 * vm.stats['ticks'] / total_ticks:.1f} %" if total_ticks and "ticks" in vm.stats else "-"
        counters = [str(vm.stats[key]) if key in vm.stats else "-" for key in ("irq", "pit", "switches")]
        rows.append([vm.name, verdict(vm), share, str(vm.trap_total()) if vm.stats else "-"] + counters)
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
    parser.add_argument("--timeout", type=positive, default=60.0, help="seconds until the run is killed (60)")
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
    parser.add_argument("--no-icount", action="store_true", help="time by the host's clock: for rfci in a guest run bare")
    parser.add_argument("--qemu", help="emulator to use (default: $QEMU, or what the machine needs)")
    parser.add_argument("--qemu-arg", action="append", default=[], help="one more argument for QEMU; may repeat")
    return parser.parse_args(argv)


def echo_to_stdout(piece):
    """Show the console as it comes."""
    sys.stdout.write(piece)
    sys.stdout.flush()


def main(argv=None):
    """Command line entry."""
    args = parse_arguments(argv)
    try:
        script = read_script(args.input) if args.input else []
        expectations = read_expectations(args.expect) if args.expect else []
        names = expected_vms(args.vms, args.rom or args.image)
        result = run(args.image, args.rom, args.timeout, None if args.summary else echo_to_stdout, script, args.uart1,
                     args.qemu_arg, args.qemu, interactive=not script and sys.stdin is not None and sys.stdin.isatty(),
                     icount=not args.no_icount,
                     until=all_decided(names) if args.until_decided and names else None, machine=args.machine,
                     serial=args.serial)
    except RunError as error:
        print(error, file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        print("run.py: interrupted", file=sys.stderr)
        return 1
    vms = vms_to_show(result, names)
    print("" if args.summary else "\n", end="")
    print("\n".join(summary(vms)), flush=True)
    complaints = list(judge(result, vms, names, expectations, mute_vms(args.rom or args.image)))
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
