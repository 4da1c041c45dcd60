"""tools/emulator.py, monitor.py: limits by progress, the terminal, what QEMU is asked. Small programs play QEMU's part."""

import contextlib
import json
import os
import pty
import select
import signal
import socket
import stat
import subprocess
import sys
import threading
import time

import pytest

ROOT = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
sys.path.insert(0, os.path.join(ROOT, "tools"))

import emulator  # noqa: E402
import monitor as monitors  # noqa: E402

HERTZ = 1000


# ---------------------------------------------------------------- QEMU gets stuck
DEAF = """#!/usr/bin/python3
import json, os, socket, sys, time
if "--version" in sys.argv:
    sys.exit(print("QEMU emulator version 7.2.22"))
print("a: PASS", flush=True)
runs = os.path.join(os.path.dirname(sys.argv[0]), "runs")
before = len(os.listdir(runs))
open(f"{runs}/{before}", "w").close()
if before >= STUCK:
    sys.exit()
door = socket.socket(fileno=int([word for word in sys.argv if "fd=" in word][0].split("fd=")[1]))
door.sendall(b'{"QMP": {}}\\n')
for answer in ({}, {"status": "running"}):
    door.sendall(json.dumps({"return": answer, "id": json.loads(door.recv(4096))["id"]}).encode() + b"\\n")
time.sleep(600)
"""


@pytest.mark.parametrize("stuck, passed", [(1, True), (2, False)])
def test_a_qemu_that_gets_stuck(tmp_path, monkeypatch, capfd, stuck, passed):
    """After its guest's last word it neither ends nor answers: seen long before the limit, and run once more; but only once."""
    monkeypatch.setattr(monitors, "PATIENCE", 0.3)
    monkeypatch.setattr(emulator, "LOOK", 0.05)
    (tmp_path / "runs").mkdir()
    path = tmp_path / "qemu-system-ppc"
    path.write_text(DEAF.replace("STUCK", str(stuck)))
    path.chmod(0o755)
    (tmp_path / "image.elf").write_bytes(b"\x7fELF")
    began = time.monotonic()
    result = emulator.run(image=str(tmp_path / "image.elf"), qemu=str(path), timeout=300)
    assert result.lines == ["a: PASS"] and len(os.listdir(tmp_path / "runs")) == 2 and time.monotonic() - began < 60
    assert (result.status == 0 and not list(result.trouble())) == passed and result.stuck != passed
    assert "QEMU itself is stuck: 3 commands without an answer: the run is done once more" in capfd.readouterr().err


# ---------------------------------------------------------------- limits
class Machine:
    """A host's clock, and a machine that gets on by so many ticks in a second of it."""

    def __init__(self, rate, total=None, silence=None):
        self.now, self.ticks, self.rate = 0.0, 0.0, rate
        self.limits = emulator.Limits(total, silence, HERTZ, 0.0)

    def run(self, seconds, output_every=0):
        """Some time passes; why the run is over, and when, or ("", None)."""
        end = self.now + seconds
        while self.now < end:
            step = self.limits.wait()
            self.now += step
            self.ticks += self.rate * step
            if output_every and self.now % output_every < step:
                self.limits.hear()
            over = self.limits.over(self.now, lambda: None if self.rate is None else int(self.ticks))
            if over:
                return over, self.now
        return "", None


def test_total_of_a_machine_that_gets_on():
    over, when = Machine(HERTZ, total=60).run(1000, output_every=1)
    assert "still running after 60 s" in over and 59 < when < 62


def test_total_lasts_longer_on_a_busy_host():
    """4 million instructions a second of 20: a fifth."""
    over, when = Machine(HERTZ * 0.004, total=60).run(1000)
    assert "1.20 s of its own time" in over and 290 < when < 310


def test_silence():
    over, when = Machine(HERTZ, silence=20).run(1000)
    assert "no output for 20 s, though the machine goes on" in over and 19 < when < 23
    assert Machine(HERTZ, silence=20).run(200, output_every=5) == ("", None)
    over, when = Machine(HERTZ * 0.004, silence=20).run(1000)
    assert 95 < when < 105


def test_a_machine_that_stands_still_is_over_at_once():
    """Every guest waits: nothing will ever come."""
    for limits in ({"total": 1000}, {"silence": 1000}):
        over, when = Machine(0, **limits).run(2000)
        assert "waits for an interrupt that cannot come" in over and when < 20


def test_no_limit_is_none():
    assert Machine(HERTZ).run(100000) == ("", None)
    assert Machine(0).run(100000) == ("", None)


def test_without_an_answer_the_host_s_clock_counts():
    machine = Machine(HERTZ, total=30)
    over = ""
    while not over and machine.now < 100:
        machine.now += machine.limits.wait()
        over = machine.limits.over(machine.now, lambda: None)
    assert over == "the image was still running after 30 s" and 29 < machine.now < 32


# ---------------------------------------------------------------- what QEMU says
REGISTERS_7 = """
CPU#0
NIP 00008420   LR 00004ad8 CTR 00000001 XER 20000000 CPU#0
MSR 0000d030 HID0 00000300  HF 00004012 iidx 0 didx 0
TB 00000001 11727618 DECR 0
GPR00 00000000f9990e90 000000000000aff0 0000000000000000 0000000000000003
GPR04 0000000000000000 0000000000000000 00000000ffffffff 0000000000000090
GPR08 0000000000000090 0000000000004b65 000000000096cbe3 00000000f9990e90
GPR12 0000000000000000 0000000000000000 0000000000000040 0000000000000001
GPR16 00000000bfe44cf3 0000000025091dd6 00000000bfe8bc80 000000006b151741
GPR20 000000000000b248 000000000000001a 00000000c0112693 00000000b1613d55
GPR24 0000000000000400 0000000000000059 000000000000001a 000000008b820872
GPR28 0000000000000000 0000000000000000 0000000000004b65 00000000f1fccc87
CR 20004002  [ E  -  -  -  G  -  -  E  ]             RES ffffffff
FPR00 0000000000000000 0000000000000000 0000000000000000 0000000000000000
FPSCR 00000000
 SRR0 00008c0c  SRR1 0000d030    PVR 51210950 VRSAVE 00000000
SPRG0 00000000 SPRG1 00000000  SPRG2 00000000  SPRG3 00000000
SPRG4 00000000 SPRG5 00000000  SPRG6 00000000  SPRG7 00000000
  TCR 04000000   TSR c8000000    ESR 04000000   DEAR 00000000
 EVPR 00000000  SRR2 00000700   SRR3 00000000   PID 00000003
"""
WORDS = "0000000000000000: 0x7f454c46 0x01020100 0x00000000 0x00000000\n0000000000000010: 0x00020014\n"


@contextlib.contextmanager
def qemu(answers, events=(), late=False):
    """A Monitor whose other end answers lines for people so; each after these events, and if `late` the one before once more."""
    monitor = monitors.Monitor()
    theirs = monitor.theirs

    def serve():
        with theirs, theirs.makefile("rw") as stream:
            def say(message):
                stream.write(json.dumps(message) + "\r\n")
                stream.flush()
            say({"QMP": {"version": {}, "capabilities": []}})
            with contextlib.suppress(OSError, ValueError):
                for line in stream:
                    command = json.loads(line)
                    for event in events:
                        say({"event": event, "timestamp": {}})
                    if late:
                        say({"return": {}, "id": command["id"] - 1})
                    text = command.get("arguments", {}).get("command-line")
                    if command["execute"] == "query-status":
                        say({"return": {"status": answers.get("status", "running")}, "id": command["id"]})
                    elif text is None:
                        say({"return": {}, "id": command["id"]})
                    elif text in answers:
                        say({"return": answers[text], "id": command["id"]})
                    else:
                        say({"error": {"class": "GenericError", "desc": "what?"}, "id": command["id"]})
    thread = threading.Thread(target=serve)
    thread.start()
    try:
        assert monitor.poll(10) is monitor.events and monitor.ready
        yield monitor
    finally:
        monitor.ours.shutdown(socket.SHUT_RDWR)
        monitor.close()
        thread.join(10)


def test_registers():
    with qemu({"info registers": REGISTERS_7}) as monitor:
        found = monitor.registers()
    assert (found["NIP"], found["LR"], found["MSR"], found["CR"]) == (0x8420, 0x4AD8, 0xD030, 0x20004002)
    assert (found["SRR0"], found["SRR2"], found["ESR"], found["PID"]) == (0x8C0C, 0x700, 0x04000000, 3)
    assert (found["r0"], found["r1"], found["r3"], found["r31"]) == (0xF9990E90, 0xAFF0, 3, 0xF1FCCC87)
    assert found["TB"] == (1 << 32) + 11727618


def test_registers_in_another_form():
    with qemu({"info registers": "PC 0\n"}) as monitor, pytest.raises(monitors.MonitorError, match="form"):
        monitor.registers()


def test_memory():
    with qemu({"xp /5xw 0x0": WORDS, "xp /1xw 0x10": "Cannot access memory\n"}) as monitor:
        assert monitor.words(0, 5) == [0x7F454C46, 0x01020100, 0, 0, 0x00020014]
        with pytest.raises(monitors.MonitorError, match="no memory at 0x00000010"):
            monitor.words(0x10, 1)
        with pytest.raises(monitors.MonitorError, match="what[?]"):
            monitor.line("nonsense")


def test_events_between_answers():
    with qemu({"status": "shutdown", "xp /5xw 0x0": WORDS}, events=["STOP", "SHUTDOWN"]) as monitor:
        assert len(monitor.words(0, 5)) == 5 and not monitor.can_go_on()
        assert "SHUTDOWN" in monitor.poll()


def test_an_answer_that_comes_late():
    """After its command was given up, on a busy machine: it is not the next command's."""
    with qemu({"info registers": REGISTERS_7, "xp /5xw 0x0": WORDS}, late=True) as monitor:
        assert monitor.registers()["NIP"] == 0x8420 and len(monitor.words(0, 5)) == 5


def test_a_reset_before_the_greeting_was_answered():
    with qemu({"status": "shutdown"}) as monitor:
        assert "SHUTDOWN" in monitor.poll()


def test_qemu_has_gone(monkeypatch):
    monkeypatch.setattr(monitors, "PATIENCE", 0.2)
    monitor = monitors.Monitor()
    with pytest.raises(monitors.MonitorError, match="does not answer"):
        monitor.line("info registers")
    monitor.started()
    with pytest.raises(monitors.MonitorError, match="has gone"):
        monitor.line("info registers")
    assert monitor.poll() == []
    monitor.close()


# ---------------------------------------------------------------- a person at a terminal
KEYS = """#!/usr/bin/python3
import os, sys, time
if "--version" in sys.argv:
    print("QEMU emulator version 7.2.22")
    sys.exit(0)
print("[a] ready", flush=True)
while True:
    byte = os.read(0, 1)
    if byte == b"q":
        print("[a] a: PASS", flush=True)
        sys.exit(0)
    print(f"[a] key {byte.hex()}", flush=True)
"""


class Terminal:
    """run.py on a terminal of its own."""

    def __init__(self, tmp_path, *arguments):
        path = tmp_path / "qemu-system-ppc"
        path.write_text(KEYS)
        path.chmod(path.stat().st_mode | stat.S_IXUSR)
        (tmp_path / "image.elf").write_bytes(b"\x7fELF")
        self.child, self.fd = pty.fork()
        if self.child == 0:
            os.execv("/usr/bin/python3", ["python3", f"{ROOT}/tools/run.py", "--image", str(tmp_path / "image.elf"), "--qemu",
                                          str(path), "--vms", "a", *arguments])
        self.seen = ""

    def wait_for(self, text):
        """Until it has been shown."""
        end = time.monotonic() + 60
        while text not in self.seen:
            assert select.select([self.fd], [], [], max(end - time.monotonic(), 0))[0], self.seen
            self.seen += os.read(self.fd, 4096).decode()

    def press(self, keys):
        """On the keyboard."""
        os.write(self.fd, keys)

    def end(self):
        """(exit status, all that was shown)"""
        while True:
            try:
                piece = os.read(self.fd, 4096)
            except OSError:
                piece = b""
            if not piece:
                break
            self.seen += piece.decode()
        return os.waitstatus_to_exitcode(os.waitpid(self.child, 0)[1]), self.seen


def test_keys_arrive_as_they_are_pressed(tmp_path):
    """No line mode, no echo, Enter is CR; and there is no limit of time."""
    terminal = Terminal(tmp_path)
    terminal.wait_for("[a] ready")
    terminal.press(b"x\r\x1d")
    terminal.wait_for("[a] key 1d")
    terminal.press(b"q")
    status, seen = terminal.end()
    assert status == 0
    assert seen.replace("\r\n", "\n").split("[a] ready\n")[1].startswith("[a] key 78\n[a] key 0d\n[a] key 1d\n[a] a: PASS\n")
    assert "Ctrl-C ends the run" in seen


def test_ctrl_c_ends_the_run_with_its_tables(tmp_path):
    """QEMU does not hear of it: it is still there to be asked."""
    terminal = Terminal(tmp_path)
    terminal.wait_for("[a] ready")
    terminal.press(b"\x03")
    status, seen = terminal.end()
    assert status == 1 and "Traceback" not in seen
    assert "a   no result" in seen and "run.py: interrupted" in seen


def test_a_limit_that_was_asked_for(tmp_path):
    terminal = Terminal(tmp_path, "--timeout", "1")
    status, seen = terminal.end()
    assert status == 1 and "timeout: the image was still running after 1 s" in seen and "Ctrl-C" not in seen


def modes(fd):
    """What a terminal does."""
    with os.fdopen(os.dup(fd)) as terminal:
        done = subprocess.run(["stty", "-a"], stdin=terminal, capture_output=True, text=True, check=True, timeout=60)
    return done.stdout.split()


def test_the_terminal_is_left_as_it_was(tmp_path):
    """Of a run that a signal ends, too."""
    terminal = Terminal(tmp_path)
    terminal.wait_for("[a] ready")
    before = modes(terminal.fd)
    assert "-icanon" in before and "-echo" in before
    os.kill(terminal.child, signal.SIGINT)
    terminal.wait_for("interrupted")
    after = modes(terminal.fd)
    assert terminal.end()[0] == 1
    assert "icanon" in after and "echo" in after
