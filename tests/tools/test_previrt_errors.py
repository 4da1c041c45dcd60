"""previrt.py: damaged files and wrong command lines."""

import random

import pytest
from previrt_support import CROSS, PLAIN_SOURCE as SOURCE, build, run, tool

from elf import SITES
from previrt import main


@pytest.mark.parametrize("command", ["fill", "elf", "report", "verify", "undo"])
@pytest.mark.parametrize("text", [b"", b"\x7fELF", b"#!/bin/sh\n" * 20, b"\x7fELF\x01\x02" + bytes(60)])
def test_not_an_elf(command, text, tmp_path):
    """Rubbish."""
    path = tmp_path / "rubbish"
    path.write_bytes(text)
    error = tool(command, path, status=1).stderr
    assert error.startswith(f"{path}: ") and "hint:" in error and path.read_bytes() == text


def test_other_elfs(tmp_path):
    """Objects, other machines, files that are not there."""
    (tmp_path / "x.s").write_text("nop\n")
    run(CROSS + "as", "-o", tmp_path / "x.o", tmp_path / "x.s")
    assert "not a linked executable" in tool("elf", tmp_path / "x.o", status=1).stderr
    assert "not for a 32-bit big-endian PowerPC" in tool("elf", "/bin/true", status=1).stderr
    assert "No such file" in tool("elf", tmp_path / "none", status=1).stderr
    stripped = tmp_path / "s"
    run(CROSS + "objcopy", "--strip-section-headers", build(tmp_path, SOURCE), stripped) if has_strip_sections() else None
    if stripped.exists():
        assert "no section headers" in tool("elf", stripped, status=1).stderr


def has_strip_sections():
    """Binutils from 2.41 have the option."""
    return "--strip-section-headers" in run(CROSS + "objcopy", "--help").stdout


def test_fill_without_marks(tmp_path):
    """Nothing of cc.py in it."""
    error = tool("fill", build(tmp_path, SOURCE), status=1).stderr
    assert "nothing marked by cc.py" in error and "hint: build it with CC=" in error


def test_commands_that_need_a_table(tmp_path):
    """verify, undo, apply."""
    plain = build(tmp_path, SOURCE)
    for words in (["verify", plain], ["undo", plain], ["apply", plain, "-o", tmp_path / "o"]):
        assert "no table in it" in tool(*words, status=1).stderr


def test_usage(tmp_path):
    """Exit status 2, and what there is."""
    for words in ([], ["patch", "x"], ["apply", "x"], ["elf"], ["elf", "x", "--boundary", "top"]):
        assert "usage:" in tool(*words, status=2).stderr
    for command in ("fill", "elf", "report", "verify", "undo", "apply"):
        assert "ELF" in tool(command, "--help").stdout


def test_unknown_names(tmp_path):
    """--include and --exclude of what is not there."""
    plain = build(tmp_path, SOURCE)
    for option in ("--include", "--exclude"):
        assert f"{option} nobody: no such section or symbol" in tool("elf", plain, option, "nobody", status=1).stderr


@pytest.mark.parametrize("seed", range(20))
def test_mutated_files(seed, tmp_path, capsys):
    """Random bytes of headers, sections and tables: an error in one line, or a table that verifies."""
    chance = random.Random(seed)
    good = build(tmp_path, SOURCE)
    main(["elf", str(good), "-q", "--spare", "spare"])
    blob = good.read_bytes()
    for _ in range(20):
        changed = bytearray(blob)
        places = [chance.randrange(52), len(blob) - 1 - chance.randrange(1200), chance.randrange(len(blob))]
        for place in chance.sample(places, chance.randrange(1, 4)):
            changed[place] = chance.randrange(256)
        if chance.random() < 0.1:
            del changed[chance.randrange(len(changed)):]
        bad = tmp_path / "bad"
        bad.write_bytes(changed)
        for words in (["verify"], ["elf", "-q", "-o", str(tmp_path / "o")], ["report"]):
            try:
                main([words[0], str(bad)] + words[1:])
            except Exception as error:                  # noqa: BLE001: any other class fails the next line
                assert type(error).__name__ == "PrevirtError", (words, error)
                assert "hint:" in str(error) and "\n" not in str(error)
    capsys.readouterr()


def test_sites_name_is_debugging():
    """ld keeps a section with --gc-sections, and zeroes references to what it discarded, by this beginning of its name."""
    assert SITES.startswith(".debug_")
