"""`make debug`: one VM in gdb, as on a board of its own (tools/debug.py). Whole sessions by gdb's scripts; where that has no words
for it, the stub itself is asked. Nothing here depends on the host's clock: time stands while the machine does."""

import os
import re
import socket
import subprocess
import sys
import threading

import conftest
import debug
import pytest

BOARDS = ["ref405ep", "ml403"]
TOOL = os.path.join(conftest.ROOT, "tools", "debug.py")


def session(image, vm, commands, folder, status=0):
    """What a session says."""
    script = folder / "script.gdb"
    script.write_text("\n".join(commands) + "\n")
    done = subprocess.run([sys.executable, "-B", TOOL, "--image", image, "--vm", vm, "--", "-batch", "-x", str(script)],
                          stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, timeout=300, check=False)
    assert done.returncode == status, done.stdout
    return done.stdout


@pytest.fixture(scope="module", params=BOARDS)
def demo(request, images):
    """The demo's image on a board: ctask and ffttask have the same kernel at the same addresses."""
    return images.on(request.param).elf("demo")


def values(text, *names):
    """Registers out of `info registers`."""
    return [int(re.search(rf"^{name} +0x([0-9a-f]+)", text, re.M)[1], 16) for name in names]


def test_from_the_first_instruction(demo, tmp_path):
    """It stands at the guest's entry, with registers as after a reset. Each step is one instruction, privileged or not."""
    text = session(demo, "ffttask", ["info registers", "stepi", "stepi", "info registers r1 msr", "stepi", "info registers r1 msr pc",
                                     "x/i $pc"], tmp_path)
    start = text.split("(", 1)[0]
    assert "_start" in start + text and values(text, "r1", "r31", "msr", "srr0", "tcr", "pc") == [0, 0, 0, 0, 0, 0x4000]
    before, after = re.findall(r"^r1 .*\nmsr .*", text, re.M)[-2:]
    assert values(before, "r1", "msr") == [0x1000, 0] and values(after, "r1", "msr") == [0x1000, 0x1000]
    assert values(text.rpartition("r1  ")[2], "pc") == [0x400C] and re.search(r"=> 0x400c <_start\+12>:\s+isync", text)


def test_breakpoints_are_of_that_vm(demo, tmp_path):
    """Another VM comes by the same address and goes on: it is waiting there, or elsewhere, at each of the stops."""
    for vm, other in (("ctask", "ffttask"), ("ffttask", "ctask")):
        text = session(demo, vm, ["break timer_arm", *["continue", "backtrace 1", "monitor vm"] * 4, "delete", "continue"], tmp_path)
        assert len(re.findall(r"^Breakpoint 1, timer_arm \(\)", text, re.M)) == 4
        assert re.findall(r"^#0 +timer_arm", text, re.M) == ["#0  timer_arm"] * 4
        assert len(re.findall(rf"^\*> +{vm} +running +[0-9a-f]{{8}} +timer_arm ", text, re.M)) == 4
        assert len(re.findall(rf"^ +{other} ", text, re.M)) == 4 and "sfft" in text
        assert "ctask: PASS jobs=200 misses=0 " in text     # and the stops have cost next to no time


def test_backtrace_and_variables(demo, tmp_path):
    """By the guest's own ELF: who called, with what; memory as it is there, and as the VM is to have it from now on."""
    text = session(demo, "ctask", ["break line_decimal", "continue", "backtrace", "up", "print/x $lr == $pc || 1", "delete",
                                   "set var *(int *) 0x80000 = 0x12345678", "x/wx 0x80000", "monitor phys 0x80000 1", "set var $r31 = 0x77",
                                   "info registers r31", "stepi", "info registers r31", "continue"], tmp_path)
    assert re.search(r"^#0 +line_decimal \(.*\n#1 .*\n", text, re.M)
    assert re.search(r"^0x80000:\s+0x12345678\n00080000: 12345678", text, re.M)
    assert values(text, "r31") == [0x77] and len(re.findall(r"^r31 +0x77 ", text, re.M)) == 2


def test_to_the_end(demo, tmp_path):
    """A run in gdb ends as one without: all pass, and gdb is told."""
    text = session(demo, "sfft", ["continue"], tmp_path)
    assert all(f"[{vm}] {guest}: PASS" in text for vm, guest in (("ctask", "ctask"), ("ffttask", "ffttask"), ("sfft", "simplefft")))
    assert "exited normally" in text


def test_memory_that_is_not_its_own(demo, tmp_path):
    """Behind its megabyte there is nothing for gdb, though the machine has it."""
    text = session(demo, "ctask", ["x/wx 0xffffc", "monitor virt 0x100000", "monitor phys 0x100000 1", "x/wx 0x100000"], tmp_path, 1)
    assert re.search(r"^0xffffc:\s+0x00000000$", text, re.M)
    assert "00100000: guest-physical 00100000, no memory of its own" in text
    assert "phys 0x100000: 0x00100000 is no memory of ctask" in text


def test_timers_and_controller(demo, tmp_path):
    """Ticks count down, and no more than the guest has executed; the enables are what it wrote."""
    text = session(demo, "ctask", ["break timer_arm", "continue", "continue", "finish", "monitor timers", "monitor intc", "monitor spr tcr",
                                   "monitor spr tsr0", "monitor nonsense", "monitor spr a b c", "stepi", "stepi", "monitor timers"], tmp_path)
    first, second = (int(number) for number in re.findall(r"^pit: (\d+) ticks left", text, re.M))
    assert 0 < first < 700_000 and 0 <= first - second < 5000
    assert "tcr 04000000 PIE" in text and "tcr     04000000" in text and "pending: " in text
    assert "there is no tsr0. hint: did you mean 'tsr'?" in text and "monitor nonsense: there is no such command" in text
    assert "monitor spr a b c: wrong arguments. hint: monitor help" in text
    assert re.search(r"^(uic: sr=|intc: isr=)[0-9a-f]{8}", text, re.M) and "lines set: none; enabled: none" in text


def test_watchpoint(demo, tmp_path):
    """gdb steps from store to store, in that VM alone."""
    text = session(demo, "ctask", ["break guest_main", "continue", "delete", "watch *(unsigned *) $r1", "continue"], tmp_path)
    assert re.search(r"Watchpoint 2: .*\n\nOld value = .*\nNew value = ", text)


@pytest.fixture(scope="module")
def translated(images):
    """A guest with translation: two address spaces at the same addresses (tests/guests/bench/bench-tlb.S)."""
    return images.elf("bench-tlb")


def test_translated(translated, tmp_path):
    """Memory is as the guest's loads find it: each page has its number, which is in r15, and two PIDs mean two by one address."""
    look = ["printf \"%d %x %d %d\\n\", $pid, $r14, $r15, *(int *)($r14 + 8)", "stepi", "stepi", "printf \"r5 %d\\n\", $r5"]
    text = session(translated, "", ["break visit_load", "continue", "monitor vtlb", "monitor virt 0x401000", "monitor virt 0x7fff0000", *look,
                                    *["continue", *look] * 60], tmp_path)
    rows = re.findall(r"^ *\d+  ([0-9a-f]{8}) +4K +(\d+)  ([0-9a-f]{8})  rwx", text, re.M)
    assert len(rows) == 64 and len({row[:2] for row in rows}) == 64
    assert "pid 1, zpr 10000000, it translates" in text
    page = next(physical for address, tid, physical in rows if (address, tid) == ("00401000", "1"))
    assert f"00401000: guest-physical {page}, machine " in text and "7fff0000: its TLB has no entry" in text
    seen = re.findall(r"^(\d+) ([0-9a-f]+) (\d+) (\d+)\n(?:.*\n)+?r5 (\d+)", text, re.M)
    assert len(seen) == 61 and all(number == memory == loaded for _, _, number, memory, loaded in seen)
    pages = {(pid, address) for pid, address, *_ in seen}
    assert {pid for pid, _ in pages} >= {"1", "2"} and {address for pid, address in pages if pid == "1"} & {
        address for pid, address in pages if pid == "2"}


def test_register_pages(images, tmp_path):
    """The words are those that the registers are; a VM without pages says so."""
    image = images.elf("hybrid")
    look = ["break timer_arm", "continue", "monitor page", "monitor spr tcr"]
    assert "full has no register pages" in session(image, "full", look, tmp_path)
    text = session(image, "previrt", look, tmp_path)
    assert re.search(r"^fffff024  tcr +04000000  TCR$", text, re.M) and re.search(r"^tcr +04000000$", text, re.M)
    assert re.search(r"^fffff030  previrt +000000[1-9a-f][0-9a-f] ", text, re.M)


@pytest.mark.parametrize("vm, status, text", [("ctaks", 1, "VM=ctaks: there is no such VM in {image}. hint: did you mean 'ctask'?"),
                                              ("zzz", 1, "VM=zzz: there is no such VM in {image}. hint: known: ctask, ffttask, sfft")])
def test_no_such_vm(demo, vm, status, text):
    done = subprocess.run([TOOL, "--image", demo, "--vm", vm], capture_output=True, text=True, timeout=60, check=False)
    assert (done.returncode, done.stderr) == (status, text.format(image=demo) + "\n")


def test_no_image(guests):
    """A guest is none, and a file that is not there neither."""
    for path, text in ((os.path.join(guests, "ctask.elf"), "no image of the hypervisor with its tables beside it. hint: make debug "
                        "PRODUCT=<name>"), ("/nowhere.elf", "no image of the hypervisor with its tables beside it. hint: make debug "
                                            "PRODUCT=<name>")):
        done = subprocess.run([TOOL, "--image", path], capture_output=True, text=True, timeout=60, check=False)
        assert (done.returncode, done.stderr) == (1, f"{path}: {text}\n")


class Talker:
    """Speaks gdb's protocol with a stub that serves in a thread."""

    def __init__(self, monitor, machine, layout, vm):
        ours, theirs = socket.socketpair()
        client = debug.Client(theirs)
        client.acknowledges = False
        guest = debug.Guest(monitor, machine, layout, debug.find_vm(layout, vm, "image"))
        self.control = debug.Control(monitor, machine, layout, guest, client)
        self.stub = debug.Stub(self.control, debug.Commands(self.control), client)
        self.socket, self.client = ours, client
        ours.settimeout(120)

    def __enter__(self):
        self.thread = threading.Thread(target=self.stub.serve, daemon=True)
        self.thread.start()
        return self

    def __exit__(self, *_):
        self.socket.close()
        self.thread.join(60)

    def ask(self, text, interrupt=False):
        """The answer to a packet."""
        data = text.encode()
        self.socket.sendall(b"$" + data + b"#%02x" % (sum(data) % 256))
        if interrupt:
            self.socket.sendall(b"\x03")
        answer = b""
        while not re.fullmatch(rb"(?s)\$[^#]*#..", answer):
            answer += self.socket.recv(65536)
        return answer[1:-3].decode()


def without_time(registers):
    """What a guest that does not run keeps."""
    return {name: value for name, value in registers.items() if name not in ("tbl", "tbu", "pit")}


@pytest.mark.parametrize("vm", ["sfft", "ffttask"])
def test_registers_while_another_runs(demo, vm):
    """Out of its register file they are what it goes on with: all of them, at each of ten changes of VM."""
    with debug.started(demo) as (monitor, machine, layout):
        talkers = [Talker(monitor, machine, layout, name) for name in ("ctask", vm)]
        control = dict(zip(("ctask", vm), (talker.control for talker in talkers)))
        guest = control[vm].guest
        assert control[vm].enter()
        known = compared = 0
        for _ in range(10):
            assert control["ctask"].enter() and not guest.is_loaded()
            away = without_time(guest.registers())
            known += len(away)
            assert control[vm].enter() and guest.is_loaded()
            back = without_time(guest.registers())
            if back["pc"] == away["pc"]:        # otherwise an interrupt came first
                assert back == away
                compared += 1
        assert known > 600 and compared >= 5


@pytest.mark.parametrize("board", BOARDS)
@pytest.mark.parametrize("vm", ["echo1", "echo2"])
def test_interrupted(images, board, vm):
    """Ctrl-C, wherever it comes: the guest's registers are its own, be it that it polls or waits for a key that nobody types."""
    image = images.on(board).elf("echo")
    with debug.started(image) as (monitor, machine, layout), Talker(monitor, machine, layout, vm) as talker:
        assert talker.control.enter()
        for _ in range(8):
            assert talker.ask("c", interrupt=True) == "S02"
            registers = talker.control.guest.registers()
            assert layout.guests[talker.control.guest.index].name_of(registers["pc"]) and not registers["msr"] & 0x4000
            assert talker.ask("g")[8 * 32:8 * 33] == f"{registers['pc']:08x}"
            if vm == "echo1":
                assert talker.ask("s") == "S05" and talker.control.guest.is_loaded()


def test_interrupted_at_a_vector(images):
    """The first instruction of the hypervisor's: the guest's pc and MSR are not the machine's, which goes on to where they are."""
    with debug.started(images.elf("echo")) as (monitor, machine, layout), Talker(monitor, machine, layout, "echo1") as talker:
        control = talker.control
        assert control.enter()
        for _ in range(4):
            assert control.run({0x1100}, lambda found: found["NIP"] == 0x1100 and not found["MSR"] & debug.MSR_PR)   # its UART
            control.settle()
            registers = control.guest.registers()
            assert layout.guests[control.guest.index].name_of(registers["pc"]) and monitor.registers()["MSR"] & debug.MSR_PR
