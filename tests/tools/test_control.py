"""tools/control.py: what it makes of a console's lines, and what it types. A thread plays the board; a real one is the system
tests' (test_control.py)."""

import json
import os
import socket
import sys
import threading

import pytest

ROOT = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
sys.path.insert(0, os.path.join(ROOT, "tools"))

import control  # noqa: E402
from kconfig import run_tool  # noqa: E402

NAMES = ("one", "two")


def line(kind, number, state):
    """The hypervisor's answer."""
    return f"[proteus] {kind} {NAMES[number - 1]} {number}/2 {state} starts={number} failure=0 cause=0\r\n"


class Board:
    """A console behind a Unix socket: VM two has stopped, and is in no state to be stopped."""

    def __init__(self, folder, speaks=True):
        self.path, self.speaks, self.heard = str(folder / "console"), speaks, b""
        self.listener = socket.socket(socket.AF_UNIX)
        self.listener.bind(self.path)
        self.listener.listen()
        self.thread = threading.Thread(target=self.serve, daemon=True)
        self.thread.start()

    def serve(self):
        """Answer until the tool goes."""
        guest, _ = self.listener.accept()
        while data := guest.recv(100):
            self.heard += data
            if not self.speaks:
                continue
            guest.sendall(b"[one] [proteus] vm two 2/2 running starts=9\r\n[two] half a li")      # no guest speaks for it
            said = "\r\n" + {b"l": line("vm", 1, "running") + line("vm", 2, "stopped"), b"r1": line("vm", 1, "restarting"),
                             b"x2": line("refused", 2, "stopped"), b"2": "[proteus] focus two\r\n"}[data[1:]]
            for piece in (said[:20], said[20:]):
                guest.sendall(piece.encode())

    def ask(self, capsys, *arguments):
        """(exit status, output, errors)"""
        patience = "20" if self.speaks else "1"
        status = run_tool(lambda _: control.main(["--port", self.path, "--patience", patience, *arguments]))
        said = capsys.readouterr()
        return status, said.out, said.err


def test_list(tmp_path, capsys):
    board = Board(tmp_path)
    status, text, _ = board.ask(capsys, "--json", "list")
    assert status == 0 and board.heard == b"\x1dl"
    rows = [(row["name"], row["state"], row["starts"]) for row in json.loads(text)]
    assert rows == [("one", "running", 1), ("two", "stopped", 2)]


@pytest.mark.parametrize("arguments, typed, status, said", [
    (("restart", "one"), b"\x1dl\x1dr1", 0, "restarting"), (("stop", "two"), b"\x1dl\x1dx2", 1, "stop two: it is stopped"),
    (("focus", "two"), b"\x1dl\x1d2", 0, ""), (("start", "three"), b"\x1dl", 1, "no VM is called 'three'. hint: one, two")])
def test_commands(tmp_path, capsys, arguments, typed, status, said):
    board = Board(tmp_path)
    result = board.ask(capsys, *arguments)
    assert result[0] == status and said in result[1] + result[2] and board.heard == typed


def test_nobody_answers(tmp_path, capsys):
    assert "CONFIG_CONTROL=y" in Board(tmp_path, speaks=False).ask(capsys, "list")[2]


@pytest.mark.parametrize("port", ["missing", "file", "localhost:1"])
def test_no_console(tmp_path, capsys, port):
    (tmp_path / "file").write_text("")
    path = port if ":" in port else str(tmp_path / port)
    status = run_tool(lambda _: control.main(["--port", path, "--patience", "1", "list"]))
    assert status == 1 and f"{path}:1: " in capsys.readouterr().err
