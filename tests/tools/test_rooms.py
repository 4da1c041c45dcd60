"""Rooms of the sources: what may include what (tools/rooms.py)."""

import os
import shutil

import pytest

import rooms
from kconfig import InputError

TOP = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))


@pytest.fixture
def tree(tmp_path):
    """A copy of the sources; call it with a file and a line to put at its end. Gives the faults."""
    for folder in rooms.FOLDERS:
        shutil.copytree(os.path.join(TOP, folder), tmp_path / folder)

    def call(path=None, line=""):
        if path:
            with open(tmp_path / path, "a", encoding="utf-8") as file:
                file.write(line + "\n")
        try:
            rooms.check(str(tmp_path))
        except InputError as error:
            return str(error).replace(str(tmp_path) + "/", "").splitlines()
        return []
    call.path = tmp_path
    return call


def test_as_it_is(tree, capsys):
    """The project's own sources; of a circle between two rooms one arrow leads up, with a reason."""
    assert tree() == []
    assert rooms.main(["--dot"]) == 0
    graph = capsys.readouterr().out
    assert graph.startswith("digraph rooms {") and graph.count("->") == len(rooms.includes(TOP))
    assert graph.count("color=red") == len(rooms.UP)


@pytest.mark.parametrize("path, line, room, other", [
    ("src/mmu/tlb.c", '#include "console.h"', "mmu", "devices"),
    ("src/vm/vcpu.h", ' #  include "timer.h"', "state", "time"),
    ("src/machine/cpu.h", '#include "vcpu.h"', "machine", "state"),
    ("src/irq/irq.c", '#include "cpu/emulate.h"', "irq", "cpu"),
    ("src/devices/line.c", '#include "lifecycle.h"', "devices", "vm"),
    ("previrt/loader.c", '#include "hypercall.h"', "previrt", "hypercalls")])
def test_a_wrong_way(tree, path, line, room, other):
    """With file and line, and what to do instead."""
    last = len((tree.path / path).read_text(encoding="utf-8").splitlines()) + 1
    header = line.split('"')[1]
    assert tree(path, line) == [f"{path}:{last}: {room} may not include {header}, which is of {other}. "
                                "hint: report what is to be done, or move it; who may include whom: tools/rooms.py"]


def test_a_row_that_nobody_needs(tree, monkeypatch):
    """The table is no longer than the sources are entangled."""
    monkeypatch.setitem(rooms.MAY, "mmu", (*rooms.MAY["mmu"], "abi"))
    assert [line.rpartition("rooms.py:1: ")[2] for line in tree()] == ["mmu includes nothing of abi. hint: take the pair out of the table"]


def test_upward_without_a_reason(tree, monkeypatch):
    """Only UP leads up."""
    monkeypatch.setitem(rooms.MAY, "mmu", (*rooms.MAY["mmu"], "report"))
    assert [line.rpartition("rooms.py:1: ")[2] for line in tree()] == ["report stands above mmu. hint: UP, with a reason"]


def test_unknown_room(tree):
    """A new folder has to be in the table."""
    (tree.path / "src" / "attic").mkdir()
    faults = tree("src/attic/new.c", '#include "vcpu.h"')
    assert faults == ["src/attic/new.c:1: attic may not include vcpu.h, which is of state. hint: report what is to be done, or move it; "
                      "who may include whom: tools/rooms.py"]


def test_local_headers_are_nobody_elses(tree):
    """The headers that are generated, and the compiler's, belong to no room."""
    assert tree("src/mmu/tlb.c", '#include "autoconf.h"\n#include <stdint.h>') == []
