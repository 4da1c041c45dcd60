#!/usr/bin/python3
"""tools/reference.py: config/README.md says what the table of keys says."""

import os
import sys

import pytest

sys.dont_write_bytecode = True
TOP = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
sys.path.insert(0, os.path.join(TOP, "tools"))

import reference  # noqa: E402
from kconfig import run_tool  # noqa: E402
from partitions.keys import BOARD, PARTITIONS  # noqa: E402

PAGE = "# x\n<!-- partitions -->\nstale\n<!-- /partitions -->\nbetween\n<!-- board -->\n<!-- /board -->\n<!-- errata -->\n<!-- /errata -->\nend\n"


def test_tree():
    """What is in the tree is what would be written."""
    assert run_tool(reference.main, ["--check"]) == 0


@pytest.mark.parametrize("tables", [PARTITIONS, BOARD], ids=["partitions", "board"])
def test_every_key_has_its_row(tables):
    rows = reference.reference(tables).splitlines()
    for table in tables.values():
        for key in table.keys:
            assert not key.doc or any(f"`{key.name}`" in row.split("|")[1] and row.endswith(f"| {key.doc} |") for row in rows)
            assert key.doc or (key.name, key.kind) in [(name, key.kind) for name in tables] + [("vm", list)]


def test_written_and_checked(tmp_path, capsys):
    path = tmp_path / "README.md"
    path.write_text(PAGE)
    assert run_tool(reference.main, ["--readme", str(path), "--check"]) == 1
    assert f"{path}:2: the table `partitions` is not that of tools/partitions/keys.py. hint: make readme" in capsys.readouterr().err
    assert path.read_text() == PAGE
    assert run_tool(reference.main, ["--readme", str(path)]) == 0
    assert run_tool(reference.main, ["--readme", str(path), "--check"]) == 0
    text = path.read_text()
    assert "stale" not in text and "\nbetween\n" in text and text.endswith("\nend\n")
    assert "| `[[vm]]` `name` | needed | " in text and "| `r3`, `r4`, `r5`, `r6`, `r7` | 0 | " in text.replace("`regs` ", "")


def test_no_markers(tmp_path, capsys):
    path = tmp_path / "README.md"
    path.write_text("# x\n")
    assert run_tool(reference.main, ["--readme", str(path)]) == 1
    assert "the markers <!-- partitions --> and <!-- /partitions --> are missing. hint: put them back" in capsys.readouterr().err
