#!/usr/bin/python3
"""The QEMU of tools/qemu: its machines, and where it differs from the distribution's QEMU because the chip does.

Each program of tests/qemu asks the processor a question. DIFFERENCES has both answers, so that this fails when the
patched QEMU departs from the chip, and when a patch is no longer needed because the distribution's QEMU has mended it.
"""

import os
import re
import socket
import shutil
import subprocess
import time

import conftest
import machine as machines
import pytest
import run

ROOT = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
PROGRAMS = os.path.join(ROOT, "build", "tests", "qemu")
COMMAND = ["-display", "none", "-monitor", "none", "-serial", "stdio", "-icount", "shift=0,sleep=off"]
LINE = re.compile(r"^ *(\w+)=([0-9a-f]{8})$", re.M)
BOARDS = {"ref405ep": "ref405ep", "virtex-ppc405": "virtex", "raptor": "raptor"}    # machine: folder of its programs

# program: (what the distribution's QEMU 7.2 answers; what the chip answers)
DIFFERENCES = {
    "srr23": ({"interrupts": 0}, {"interrupts": 2}),
    "usprg0": ({"supervisor": 1, "read": 0xAAAA5555, "user": 2, "written": 0xAAAA5555, "sprg0": 0xAAAA5555},
               {"supervisor": 0, "read": 0x11223344, "user": 0, "written": 0x55667788, "sprg0": 0xAAAA5555}),
    "msr": ({"program_msr": 0x1000, "program_srr1": 0x1200, "critical_vector": 0x100, "critical_msr": 0,
             "critical_srr3": 0x8200},
            {"program_msr": 0x21200, "program_srr1": 0x21200, "critical_vector": 0x100, "critical_msr": 0x1000,
             "critical_srr3": 0x29200}),
    "waitstate": ({"rfi_waits": 0, "vector": 0, "saved_we": 0},
                  {"rfi_waits": 1, "vector": 0x1000, "saved_we": 0x40000}),
    "waitmasked": ({"waits": 0, "vector": 0}, {"waits": 1, "vector": 0x1020}),
    "dlmzb": ({"third": 0xFF, "sixth": 0xFF, "none": 0xFF, "interrupts": 3},
              {"third": 3, "sixth": 6, "none": 8, "interrupts": 0}),
    "tlbre": ({"hi": 0x2001C0, "lo": 0x340300}, {"hi": 0x2001D0, "lo": 0x34039A}),
    "tlbwe": ({"hi_lo": 0, "lo": 0}, {"hi_lo": 0x40, "lo": 0x40}),
    "zpr": ({"closed": 1, "open": 0, "closed_again": 0, "esr": 0x400000},
            {"closed": 1, "open": 0, "closed_again": 1, "esr": 0x400000}),
    "pit": ({"without_pie": 0, "behind": 0xFFFFF7E3, "from_one": 0, "first": 1, "second": 0, "cleared": 0,
             "period_kept": 0},
            {"without_pie": 0x08000000, "behind": 0, "from_one": 0x08000000, "first": 1, "second": 1, "cleared": 0,
             "period_kept": 1}),
    "fit": ({"events": 0, "bit": 0, "vector": 0}, {"events": 20, "bit": 1, "vector": 0x1010}),
    "watchdog": ({"no_time": 0xC0000000, "one_period": 0xC0000000, "with_ee": 0, "with_ce": 0, "vector": 0, "srr3": 0},
                 {"no_time": 0, "one_period": 0x80000000, "with_ee": 0, "with_ce": 1, "vector": 0x1020,
                  "srr3": 0x20000, "wrc": 0x30000000}),
    # Until the next interrupt or rfi the old address space, rights and entries: 0xA and 0xBB are the first one's.
    "isync": ({"first": 0xA, "second": 0xA, "written_a": 0xBB, "written_b": 0xB, "back": 0xBB, "by_sync": 0xBB,
               "fetched": 0x11, "open": 0, "closed": 0, "moved": 0xBBBB},
              {"first": 0xA, "second": 0xB, "written_a": 0xA, "written_b": 0xBB, "back": 0xA, "by_sync": 0xBB,
               "fetched": 0x12, "open": 0, "closed": 1, "moved": 0xABB}),
    "mac": ({"tried": 127764, "plain": 0x3378, "o": 0, "s": 0x1CBA, "so": 0x1CBA, "multiply": 0, "xer": 0x4260, "cr": 0,
             "interrupts": 0},
            {"tried": 127764, "plain": 0, "o": 0, "s": 0, "so": 0, "multiply": 0, "xer": 0, "cr": 0, "interrupts": 0}),
    "reserve": ({"none": 0, "plain": 1, "again": 0, "changed": 0, "elsewhere": 0, "interrupt": 0, "dcbz": 0, "here": 0,
                 "misaligned": 0x700, "kept": 0, "interrupts": 1},
                {"none": 0, "plain": 1, "again": 0, "changed": 1, "elsewhere": 1, "interrupt": 1, "dcbz": 1, "here": 8,
                 "misaligned": 0x600, "kept": 1, "interrupts": 3}),
    "guarded": ({"plain": 0x11, "vector": [0xC00, 0xC00], "guarded": 0xC00, "srr0": 0x40002008, "esr": 0x08800000,
                 "granted": 0xC00, "touched": 0xC00, "real": 0x11},
                {"plain": 0x11, "vector": [0xC00, 0xC00], "guarded": 0x400, "srr0": 0x40002000, "esr": 0,
                 "granted": 0x400, "touched": 0x400, "real": 0x11}),
    # The vector above the word behind: 0x3344 is what was there before.
    "dcbz": ({"real": 0, "dear": 0, "cached": 0, "through": 0, "page": 0, "page_w": 0, "page_i": 0, "dear_i": 0,
              "readonly": 0x3003344, "miss": 0x11003344, "misaligned_miss": 0x600, "misaligned": 0x600},
             {"real": 0x6003344, "dear": 0x80046, "cached": 0, "through": 0x6003344, "page": 0, "page_w": 0x6003344,
              "page_i": 0x6003344, "dear_i": 0x40003044, "readonly": 0x3003344, "miss": 0x11003344,
              "misaligned_miss": 0x1100, "misaligned": 0x600}),
    "remap": ({"supervisor": 0x10002, "guarded": 0x10002, "all_pids": 0x10000},
              {"supervisor": 0x10002, "guarded": 0x10002, "all_pids": 0x10002}),
}
MODELS = {"buserror", "inject", "cache"}        # programs that ask for what a property of the patched QEMU models
CRITICAL = ("critical_vector", "critical_msr", "critical_srr3")     # answers that need the controller of ref405ep


@pytest.fixture(scope="session")
def ours():
    """The patched QEMU, from the cache or built now; a failure to build it is a failure."""
    done = subprocess.run([os.path.join(ROOT, "tools", "qemu", "build.sh")], capture_output=True, text=True,
                          timeout=1400, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout.splitlines()[-1]


@pytest.fixture(scope="session")
def theirs():
    """The distribution's QEMU, where it still has a board with a 405."""
    path = shutil.which(machines.QEMU)
    if not path or machines.release(path)[0] >= machines.REMOVED:
        pytest.skip("the distribution's QEMU has no board with a 405" if path else "the distribution's QEMU is not installed")
    return path


@pytest.fixture(scope="session", autouse=True)
def programs():
    """All programs for all boards: whichever process comes first builds them."""
    conftest.make("-C", "tests/qemu", f"OUT={PROGRAMS}")


def execute(qemu, machine, program, *options):
    """Run a program to its end: (standard output, standard error)."""
    done = start(qemu, machine, program, *options)
    return done.stdout, done.stderr


def start(qemu, machine, program, *options, text="", **models):
    """Run a program to its end, with a text for its console, and with properties of the processor."""
    folder = BOARDS[machine.split(",")[0]]
    place = ["-bios"] if program.endswith(".bin") else ["-kernel"]
    properties = [word for name, value in models.items()
                  for word in ("-global", f"powerpc-cpu.{name.replace('_', '-')}={value}")]
    return subprocess.run([qemu, "-M", machine, *COMMAND, "-no-reboot", *place, os.path.join(PROGRAMS, folder, program),
                           *options, *properties], capture_output=True, text=True, timeout=60, check=False, input=text)


def answers(text):
    """The name=value lines, in a dictionary; a name that comes more than once gives a list."""
    found = {}
    for name, value in LINE.findall(text):
        number = int(value, 16)
        found[name] = number if name not in found else [*(found[name] if isinstance(found[name], list)
                                                          else [found[name]]), number]
    return found


# ---------------------------------------------------------------- differences
@pytest.mark.parametrize("program", DIFFERENCES)
def test_distribution(theirs, program):
    """The distribution's QEMU still is as the patch says."""
    out, err = execute(theirs, "ref405ep", program + ".elf")
    assert answers(out) == DIFFERENCES[program][0], err


@pytest.mark.parametrize("program, machine", [(program, machine) for program in DIFFERENCES for machine in BOARDS])
def test_patched(ours, program, machine):
    """The patched QEMU answers as the chip does, whatever the board."""
    expected = dict(DIFFERENCES[program][1])
    if machine != "ref405ep":
        for name in CRITICAL:
            expected.pop(name, None)
    out, err = execute(ours, machine, program + ".elf")
    assert answers(out) == expected, err
    assert "no reset" not in out


def test_every_program_is_run():
    """No program without a row."""
    folder = os.path.join(ROOT, "tests", "qemu")
    names = {name[:-2] for name in os.listdir(folder) if name.endswith(".c")}
    assert names - {"bare"} == set(DIFFERENCES) | MODELS | {"hello", "machine", "reset", "sprs"}


def test_every_patch_is_described():
    """Each patch says what it does, why, and which part of the manual it follows."""
    folder = os.path.join(ROOT, "tools", "qemu")
    patches = [os.path.join(place, name) for place, _, names in os.walk(folder) for name in names if name.endswith(".patch")]
    assert len(patches) >= 15
    for name in patches:
        with open(name, encoding="utf-8") as file:
            head = file.read().split("\n---\n")[0]
        assert re.search(r"^Subject: \[PATCH\] ", head, re.M), name
        assert re.search(r"(Manual|Guide|sheet)[^:]*: \"", head), name


# ---------------------------------------------------------------- models, by properties of the processor
@pytest.mark.parametrize("machine", BOARDS)
@pytest.mark.parametrize("delay", [0, 40, 400])
def test_bus_error(ours, machine, delay):
    """bus-error-delay: a machine check so many instructions behind the access, at once for a fetch; never while it is disabled."""
    done = start(ours, machine, "buserror.elf", bus_error_delay=delay)
    assert answers(done.stdout) == {
        "load": delay, "store": delay, "multiple": delay, "vector": 0x200, "msr": 0, "srr3": 0x21200,
        "disabled": 0xFFFFFFFF, "remembered": 0, "fetch": 0x200, "srr2": 0x50000020, "fetch_disabled": 0x700,
        "esr": [0x800000, 0x80000000, 0x88000000], "kept": 0x82000000}, done.stderr


INJECTED = [(0x800, 0), (0xF20, 0), (0x100, 1), (0x1010, 0), (0x1020, 1), (0x2000, 1), (0x200, 1)]     # vector, critical?


@pytest.mark.parametrize("machine", BOARDS)
def test_inject(ours, machine):
    """inject: any vector, at its time and again, by its class, with the syndrome that is asked for."""
    times = [f"{vector:#x}@{10000 * number}" for number, (vector, _) in enumerate(INJECTED, 1)]
    done = start(ours, machine, "inject.elf", inject=",".join([*times, "0x200/0x4000000@75000+10000"]))
    seen = answers(done.stdout)
    assert seen["vector"][:8] == [row[0] for row in INJECTED] + [0x200], done.stderr
    assert seen["critical"][:8] == [row[1] for row in INJECTED] + [1]
    assert seen["msr"][:8] == [0x1000] * 6 + [0, 0]
    assert seen["esr"][:7] == [0] * 7
    assert set(zip(seen["vector"][7:], seen["esr"][7:])) == {(0x200, 0x4000000)} and len(seen["vector"]) > 8


NOT_WRITTEN, NOT_INVALID = "only in the data cache (no dcbst or dcbf)", "maybe not in the instruction cache (no icbi or iccci)"
LINE_DIRTY = "its line is in the data cache (no dcbf)"
MISTAKES = {"A": ("fetch of 0x00080008", NOT_WRITTEN), "B": ("fetch of 0x00080008", NOT_INVALID),
            "C": ("fetch of 0x00080008", NOT_INVALID), "D": ("fetch of 0x00080008", NOT_INVALID),
            "E": ("fetch of 0x00080008", NOT_WRITTEN), "F": ("fetch of 0x00080008", NOT_INVALID),
            "G": ("uncached load of 0x00080014", LINE_DIRTY), "H": ("uncached store to 0x00080010", LINE_DIRTY),
            "I": ("uncached load of 0x00080010", LINE_DIRTY)}


@pytest.mark.parametrize("machine", BOARDS)
@pytest.mark.parametrize("letter", [*"abcdefg", *MISTAKES])
def test_cache_check(ours, machine, letter):
    """cache-check: what is right runs to its end, a mistake ends with its message and status 1 (tests/qemu/cache.c)."""
    done = start(ours, machine, "cache.elf", text=letter, cache_check="on")
    if letter not in MISTAKES:
        assert (done.returncode, done.stdout.splitlines()[-1]) == (0, "end"), done.stderr
        return
    what, state = MISTAKES[letter]
    assert done.returncode == 1 and "end" not in done.stdout
    assert re.search(rf"cache-check: pc 0x\w{{8}}: {what}, stored by pc 0x0001\w{{4}}: {re.escape(state)}$", done.stderr, re.M)


def test_cache_check_is_off(ours):
    """Without the property a mistake goes unseen, as in the distribution's QEMU."""
    assert start(ours, "raptor", "cache.elf", text="A").stdout.splitlines()[-1] == "end"


@pytest.mark.parametrize("machine", BOARDS)
def test_erratum_51(ours, machine):
    """erratum-51: only a misaligned lwarx that misses the TLB goes elsewhere."""
    done = start(ours, machine, "dcbz.elf", erratum_51="on")
    assert answers(done.stdout) == {**DIFFERENCES["dcbz"][1], "misaligned_miss": 0x1700}, done.stderr


def test_inject_by_monitor(ours, tmp_path):
    """Without a time it is now: in front of the first instruction of all, if the processor has not started."""
    command = [ours, "-M", "raptor", "-display", "none", "-monitor", "stdio", "-serial", f"file:{tmp_path}/console",
               "-icount", "shift=0,sleep=off", "-no-reboot", "-S", "-kernel", os.path.join(PROGRAMS, "raptor", "inject.elf")]
    subprocess.run(command, input="qom-set /machine/unattached/device[0] inject 0x100/0x1234\ncont\n", text=True,
                   capture_output=True, timeout=60, check=True)
    assert answers((tmp_path / "console").read_text()) == {"vector": 0x100, "esr": 0x1234, "critical": 0, "msr": 0}


@pytest.mark.parametrize("text", ["0x201", "0x10000", "0x200@", "0x200@1+0", "x", ""])
def test_bad_injection(ours, text):
    """Said in one line."""
    done = start(ours, "raptor", "inject.elf", inject=f"0x200@5,{text}")
    assert done.returncode == 1 and f"inject: '{text}' is not VECTOR[/ESR][@TIME[+PERIOD]]" in done.stderr


# ---------------------------------------------------------------- debugger
class Debugger:
    """A client of QEMU's stub that numbers the registers as gdb does: by the target's description."""

    def __init__(self, path):
        self.socket = socket.socket(socket.AF_UNIX)
        self.socket.settimeout(30)
        self.socket.connect(path)
        self.stream = self.socket.makefile("rb")
        self.ask("qSupported:xmlRegisters=powerpc")
        self.numbers, number = {}, -1
        target = self.read_features("target.xml")
        for name in re.findall(r'<xi:include href="([^"]+)"', target):
            for register in re.findall(r"<reg [^>]*>", self.read_features(name)):
                fields = dict(re.findall(r'(\w+)="([^"]*)"', register))
                number = int(fields.get("regnum", number + 1))
                self.numbers[fields["name"]] = number

    def send(self, text):
        """One packet."""
        self.socket.sendall(b"$%b#%02x" % (text.encode(), sum(text.encode()) & 0xFF))

    def ask(self, text):
        """One packet, and the answer's content."""
        self.send(text)
        while self.stream.read(1) != b"$":
            pass
        answer = b"".join(iter(lambda: self.stream.read(1), b"#"))
        self.stream.read(2)
        self.socket.sendall(b"+")
        return answer.decode()

    def read_features(self, name):
        """A file of the target's description."""
        text, more = "", "m"
        while more == "m":
            answer = self.ask(f"qXfer:features:read:{name}:{len(text):x},800")
            more, text = answer[0], text + answer[1:]
        return text

    def read(self, name):
        """A register's value, or None if it cannot be read."""
        answer = self.ask(f"p{self.numbers[name]:x}")
        return int(answer, 16) if re.fullmatch("([0-9a-f]{8})+", answer) else None

    def write(self, name, value):
        """A register of 32 bits."""
        return self.ask(f"P{self.numbers[name]:x}={value:08x}") == "OK"


WRITTEN = {"sprg0": 0x11111111, "srr1": 0x22222220, "srr2": 0x33333330, "pid": 0x44, "zpr": 0x55555555}


def debug(qemu, folder, machine):
    """(the processor's number, registers that cannot be read, what a program sees of WRITTEN) by a debugger."""
    path = str(folder / "gdb")
    command = [qemu, "-M", machine, *COMMAND, "-no-reboot", "-S", "-gdb", f"unix:{path},server=on,wait=off", "-kernel",
               os.path.join(PROGRAMS, BOARDS[machine], "sprs.elf")]
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, stdin=subprocess.DEVNULL,
                          text=True) as process:
        try:
            for _ in range(300):
                if os.path.exists(path):
                    break
                time.sleep(0.1)
            debugger = Debugger(path)
            for name, value in WRITTEN.items():
                debugger.write(name, value)
            pvr, unread = debugger.read("pvr"), [name for name in debugger.numbers if debugger.read(name) is None]
            debugger.send("c")
            out, _ = process.communicate(timeout=30)
        finally:
            process.kill()
    return pvr, unread, answers(out)


def test_debugger(ours, tmp_path):
    """Each special purpose register is read and written under its own name."""
    for number, (machine, pvr) in enumerate([("virtex-ppc405", 0x20011470), ("ref405ep", 0x51210950)]):
        folder = tmp_path / str(number)
        folder.mkdir()
        assert debug(ours, folder, machine) == (pvr, [], WRITTEN)


def test_debugger_of_the_distribution(theirs, tmp_path):
    """In 7.2 under a neighbour's."""
    pvr, unread, seen = debug(theirs, tmp_path, "ref405ep")
    assert pvr != 0x51210950 and len(unread) == 1 and seen != WRITTEN


# ---------------------------------------------------------------- machines
@pytest.mark.parametrize("machine, pvr", [("virtex-ppc405", 0x20011470), ("raptor", 0x20010860),
                                          ("ref405ep", 0x51210950)])
def test_starts(ours, machine, pvr):
    """An ELF file is entered in real mode, and the core's number is the board's."""
    out, err = execute(ours, machine, "hello.elf")
    assert answers(out) == {"pvr": pvr, "vector": 0x700, "esr": 0x08000000, "runs": 1}, err


def test_core_can_be_chosen(ours):
    """-cpu: the small core of the Virtex-II Pro; another family is refused."""
    out, _ = execute(ours, "virtex-ppc405", "hello.elf", "-cpu", "x2vp4")
    assert answers(out)["pvr"] == 0x20010820
    assert "needs a PowerPC 405 core" in execute(ours, "raptor", "hello.elf", "-cpu", "440epa")[1]


# A line with its vector, and nothing more behind the acknowledgement.
COMMON = {"bram": 0x12345678, "output_off": 0, "software": 1, "software_late": 0, "uartlite": 1, "status": 0x14,
          "spurious": 0}
VIRTEX = {**COMMON, "pvr": 0x20011470, "uart16550": 1, "timer_early": 0, "timer": 1, "ethernetlite": 0x89ABCDEF,
          "line": [5, 7, 6, 8], "vector": [0x500] * 4, "again": [0] * 4}
RAPTOR = {**COMMON, "pvr": 0x20010860, "line": [5, 0], "vector": [0x500] * 2, "again": [0] * 2}


@pytest.mark.parametrize("machine, dcr, expected", [("virtex-ppc405", 0, VIRTEX), ("virtex-ppc405,intc-dcr=on", 1, VIRTEX),
                                                    ("raptor", 0, RAPTOR), ("raptor,intc-dcr=on", 1, RAPTOR)])
def test_devices(ours, machine, dcr, expected):
    """RAM as large as asked for, BRAM, the interrupt controller in both forms, each device and its line."""
    out, err = execute(ours, machine, "machine.elf", "-m", "96")
    assert answers(out) == {**expected, "ram_mib": 96, "intc_on_dcr": dcr}, err


@pytest.mark.parametrize("machine", ["virtex-ppc405", "raptor"])
def test_rom(ours, machine):
    """-bios: the first instruction is the one at 0xFFFFFFFC."""
    assert execute(ours, machine, "rom.bin")[0] == "R"


@pytest.mark.parametrize("machine", ["virtex-ppc405", "raptor"])
def test_system_reset(ours, machine):
    """DBCR0 resets the board: the program starts again, in the same RAM, with idle timers and controller."""
    command = [ours, "-M", machine, *COMMAND, "-kernel", os.path.join(PROGRAMS, BOARDS[machine], "reset.elf")]
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, stdin=subprocess.DEVNULL,
                          text=True) as process:
        try:
            lines = []
            for line in process.stdout:
                lines.append(line)
                if line == "end\n":
                    break
        finally:
            process.kill()
    assert answers("".join(lines)) == {"boot": [1, 2], "mer": [0, 0], "tcr": [0, 0], "pit": [0, 0]}


@pytest.mark.parametrize("options, cause", [(["-m", "3G"], "RAM ends at 2 GiB"),
                                            (["-bios", "/dev/null"], "no firmware image"),
                                            (["-kernel", "/dev/null"], "could not load kernel")])
def test_bad_input(ours, options, cause):
    """Said in one line, with exit status 1."""
    done = subprocess.run([ours, "-M", "virtex-ppc405", *COMMAND, *options], capture_output=True, text=True,
                          timeout=20, check=False, stdin=subprocess.DEVNULL)
    assert done.returncode == 1 and cause in done.stderr


# ---------------------------------------------------------------- the hypervisor on it
def test_same_console(ours, theirs, images):
    """Guests and hypervisor do the same on both, trap for trap; only the time may differ by some ticks."""
    first, second = (run.run(image=images.elf("demo"), timeout=300, qemu=qemu) for qemu in (theirs, ours))
    assert not list(second.trouble())
    assert ([re.sub(r"ticks=\w+", "", line) for line in second.lines] ==
            [re.sub(r"ticks=\w+", "", line) for line in first.lines])
