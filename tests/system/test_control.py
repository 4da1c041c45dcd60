"""Option CONTROL: tools/control.py lists the VMs of a machine that runs, starts, stops and restarts them, and moves the focus."""

import json
import os
import socket
import subprocess
import sys
import threading

import conftest

import elfpatch
import pytest

OPTIONS = "CONFIG_PARAVIRT=y CONFIG_LIFECYCLE=y"
IDLE, BUSY = 1, 2       # metronome_role
VMS = "".join(f"""
[[vm]]
name = "{name}"
image = "{name}.elf"
memory = "1M"
console = "shared"
""" for name in ("idle", "busy", "other"))


class Board:
    """A machine that runs, with a door to its console."""

    def __init__(self, images, folder, options):
        self.socket, self.over = str(folder / "console"), False
        guest = os.path.join(images.guests(), "metronome.elf")
        for name, role in (("idle", IDLE), ("busy", BUSY), ("other", BUSY)):
            elfpatch.patched_image(guest, folder / f"{name}.elf", guest, metronome_role=role)
        path = folder / "control.toml"
        path.write_text('[product]\nname = "control"\n\n[schedule]\nquantum_us = 1000\n' + VMS)
        image = images.elf("hostile", f"{OPTIONS} {options}", str(path))
        self.thread = threading.Thread(target=lambda: images.run(image=image, timeout=300, door=self.socket,
                                                                 until=lambda _: self.over))
        self.thread.start()
        while not os.path.exists(self.socket) and self.thread.is_alive():
            self.thread.join(0.1)

    def ask(self, *arguments):
        """(exit status, standard output, standard error) of the tool."""
        done = subprocess.run([sys.executable, os.path.join(conftest.ROOT, "tools", "control.py"), "--port", self.socket,
                               "--patience", "20", *arguments], capture_output=True, text=True, check=False, timeout=120)
        return done.returncode, done.stdout, done.stderr

    def rows(self, *arguments):
        """What a command that succeeds answers."""
        status, text, errors = self.ask("--json", *arguments)
        assert status == 0, errors
        return {row["name"]: row for row in json.loads(text)}

    def end(self):
        """The run ends with the next line."""
        self.over = True
        self.ask("list")
        self.thread.join(60)
        assert not self.thread.is_alive()


@pytest.fixture(name="board")
def fixture_board(images, tmp_path):
    """With option CONTROL."""
    board = Board(images, tmp_path, "CONFIG_CONTROL=y")
    yield board
    board.end()


def states(rows):
    """{name: (state, starts)}"""
    return {name: (row["state"], row["starts"]) for name, row in rows.items()}


def test_every_transition(board):
    """Each does what a supervisor's hypercall does, to the VM that it names and to no other; the counters go on."""
    before = board.rows("list")
    assert states(before) == {"idle": ("waiting", 1), "busy": ("running", 1), "other": ("running", 1)}
    assert board.rows("stop", "busy")["busy"]["state"] in ("restarting", "stopped")     # what is left to do is in its own time
    assert states(board.rows("list")) == {"idle": ("waiting", 1), "busy": ("stopped", 1), "other": ("running", 1)}
    for command, name in (("stop", "busy"), ("start", "other"), ("start", "idle")):
        status, _, errors = board.ask(command, name)
        assert status == 1 and f"{command} {name}: it is " in errors
    assert board.rows("start", "busy")["busy"]["refused"] is False
    board.rows("restart", "other")
    board.rows("restart", "idle")
    after = board.rows("list")
    while any(state == "restarting" for state, _ in states(after).values()):
        after = board.rows("list")
    assert states(after) == {"idle": ("waiting", 2), "busy": ("running", 2), "other": ("running", 2)}
    assert after["busy"]["switches"] > before["busy"]["switches"] and after["busy"]["failure"] == 0


def test_a_person(board):
    """A table; the focus; what is wrong is said."""
    status, text, _ = board.ask("list")
    assert status == 0 and text.splitlines()[0].split()[:5] == ["vm", "state", "starts", "failure", "cause"]
    assert board.ask("focus", "other")[0] == 0
    status, _, errors = board.ask("stop", "nobody")
    assert status == 1 and "no VM is called 'nobody'. hint: idle, busy, other" in errors


def test_without_the_option(images, tmp_path):
    """Nobody answers, and nothing happens to the VMs; the tool says what to look at."""
    board = Board(images, tmp_path, "CONFIG_CONTROL=n")
    status, _, errors = board.ask("--patience", "1", "list")
    assert status == 1 and "CONFIG_CONTROL=y" in errors
    board.over = True
    assert board.ask("--patience", "1", "focus", "busy")[0] == 1
    with socket.socket(socket.AF_UNIX) as console:      # the keys that move the focus are as they were
        console.connect(board.socket)
        console.send(b"\x1d2")
        assert console.recv(1)
    board.thread.join(60)
    assert not board.thread.is_alive()
