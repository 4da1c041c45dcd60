#!/usr/bin/python3
"""tools/new.py: a product of an ELF file, which a build would take; every reason not to, in its exact words. That it runs:
tests/system/test_first.py."""

import os
import shutil
import struct
import subprocess
import sys
import tomllib

import pytest

sys.dont_write_bytecode = True
TOP = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
sys.path.insert(0, os.path.join(TOP, "tools"))

import new  # noqa: E402
from kconfig import run_tool  # noqa: E402
from test_pack import CODE, M, R, W, X, elf  # noqa: E402

BOARDS = ["ref405ep", "ml403", "ml403dcr", "raptor"]
TLBWE = struct.pack(">2I", 0x7C6407A4, 0x7C641764)      # tlbwe r3,r4,0 and tlbre r3,r4,2


def guest(end=0x8000, base=0, code=CODE):
    """A guest with code at `base` and .bss up to `end`."""
    return elf([(base, code, len(code), R | X), (base + 0x1000, b"", end - base - 0x1000, R | W)], base)


@pytest.fixture
def tool(tmp_path, monkeypatch, capsys):
    """Makes a product in a tree of its own."""
    monkeypatch.chdir(tmp_path)
    shutil.copytree(os.path.join(TOP, "config", "boards"), tmp_path / "config" / "boards")
    shutil.copy(os.path.join(TOP, "Kconfig"), tmp_path)

    class Tool:
        """What a test does."""
        path = tmp_path

        def make(self, data=None, name="mine", board="ref405ep", file="Z App.elf"):
            """(exit status, standard output, lines of standard error)"""
            if data is not None:
                (tmp_path / file).write_bytes(data)
            status = run_tool(new.main, [f"--product={name}", f"--board={board}", f"--guest={file}", "--top", str(tmp_path)])
            out, err = capsys.readouterr()
            return status, out, err.splitlines()

        def config(self, name="mine"):
            """(lines of the defconfig, the partition file)"""
            folder = tmp_path / "config" / name
            return (folder / "defconfig").read_text().splitlines(), tomllib.loads((folder / "partitions.toml").read_text())

        def products(self):
            """What is in config/."""
            return sorted(os.listdir(tmp_path / "config"))
    return Tool()


@pytest.mark.parametrize("board", BOARDS)
def test_product(tool, board):
    """Two files and the guest, which a build takes: new.py itself looks. The VM has a name that it may have."""
    assert tool.make(guest(), board=board) == (
        0, "config/mine: defconfig, partitions.toml, z-app.elf. Next: make run PRODUCT=mine\n", [])
    defconfig, table = tool.config()
    assert defconfig == [f"CONFIG_BOARD_{board.upper()}=y", "CONFIG_STATS=y"]
    assert table == {"product": {"name": "mine"}, "vm": [{"name": "z-app", "image": "z-app.elf", "memory": "1M", "console": "shared"}]}
    folder = tool.path / "config" / "mine"
    assert (folder / "z-app.elf").read_bytes() == guest()
    assert sorted(os.listdir(folder)) == ["defconfig", "partitions.toml", "z-app.elf"] and os.stat(folder).st_mode & 0o555 == 0o555
    assert tool.products() == ["boards", "mine"]


@pytest.mark.parametrize("lines, options", [([("base = 0x81800000", "base = 0x81800000")], []),
                                            ([("base = 0x81800000", "dcr = 0x200")], ["CONFIG_INTC_DCR=y"])])
def test_board_of_ones_own(tool, lines, options):
    text = (tool.path / "config/boards/ml403.toml").read_text().replace('name = "ml403"', 'name = "my"', 1)
    for old, fresh in lines:
        text = text.replace(old, fresh)
    (tool.path / "config/boards/my.toml").write_text(text)
    assert tool.make(guest(), board="my")[0] == 0
    assert tool.config()[0] == ["CONFIG_BOARD_OWN=y", 'CONFIG_BOARD="my"', *options, "CONFIG_STATS=y"]


@pytest.mark.parametrize("base, end, memory", [
    (0, 0x8000, "1M"), (0, 0xC0000, "1M"), (0, 0xC0004, "2M"), (0, M, "2M"), (0, M + 4, "4M"), (0, 5 * M, "16M"),
    (0x400000, 0x500000, "16M"), (0x40000000, 0x40008000, {"size": "1M", "guest": "0x40000000"}),
    (0x400FF000, 0x40101000, {"size": "4M", "guest": "0x40000000"}), (0x40100000, 0x40280000, {"size": "8M", "guest": "0x40000000"})])
def test_memory(tool, base, end, memory):
    """From 0 where the addresses are near, otherwise from a multiple of its size; as much again for stack and heap."""
    assert tool.make(guest(end, base))[0] == 0
    assert tool.config()[1]["vm"][0]["memory"] == memory


def test_a_guest_with_translation(tool):
    """Who writes the TLB will translate: by the instruction in its code, not by the same word in its data."""
    assert tool.make(guest(code=CODE + TLBWE[:4]), name="on")[0] == 0 and tool.make(guest(code=CODE + TLBWE[4:]), name="off")[0] == 0
    assert tool.make(elf([(0, CODE, 8, R | X), (0x1000, TLBWE, 8, R | W)]), name="data")[0] == 0
    assert [tool.config(name)[0][-1] for name in ("on", "off", "data")] == ["CONFIG_TLB_VIRT=y", "CONFIG_STATS=y", "CONFIG_STATS=y"]


@pytest.mark.parametrize("file, name", [("x.elf", "x"), ("vmlinux", "vmlinux"), ("A-very-long-name.elf", "a-very-l"), ("ä.elf", "guest"),
                                        ("control-loop.bin.elf", "control"), ("_a.elf", "_a")])
def test_name_of_the_vm(tool, file, name):
    assert tool.make(guest(), file=file)[0] == 0
    assert tool.config()[1]["vm"][0]["name"] == name


EXPECT = "hint: a guest is a 32-bit big-endian PowerPC executable"


@pytest.mark.parametrize("data, text", [
    (None, "Z App.elf: can't read the guest: No such file or directory. hint: build it first"),
    (b"", "Z App.elf: the guest is empty. hint: build it first"),
    (b"#!/bin/sh\n" * 9, f"Z App.elf: the guest is not a sound ELF file: magic number does not match. {EXPECT}"),
    (elf([(0, CODE, 8, R | X)], order=1), None),
    (elf([(0, CODE, 8, R | X)], machine=3), f"Z App.elf: the guest can't run: its machine is EM_386. {EXPECT}"),
    (elf([(0, CODE, 8, R | X)], kind=3), "Z App.elf: the guest can't run: its type is ET_DYN, not ET_EXEC. hint: link it, with -static "
     "and without -pie"),
    (elf([]), "Z App.elf: the guest has nothing to load. hint: link it with loadable segments"),
    (elf([(0, CODE, 8, R | X)], entry=0x100), "config/mine/partitions.toml:8: vm 'z-app': the entry 0x00000100 of config/mine/z-app.elf "
     "is in no executable segment. hint: see ENTRY in the guest's linker script"),
    (guest(80 * M), "Z App.elf: the guest is loaded from 0x00000000 to 0x04FFFFFF, that takes 256M with its stack and heap, and the board "
     "ref405ep has 128M, of which 16448K are the hypervisor's. hint: link it for less, or write partitions.toml by hand (config/README.md)")])
def test_no_guest(tool, data, text):
    """Nothing is made."""
    status, out, err = tool.make(data)
    assert (status, out) == (1, "") and tool.products() == ["boards"]
    assert err == [text] if text else len(err) == 1 and EXPECT in err[0]


@pytest.mark.parametrize("name", ["../x", "a b", "a/b", "", ".x", "-x", "a\"b", "ä"])
def test_no_name(tool, name):
    assert tool.make(guest(), name=name) == (1, "", [f"PRODUCT={name}: this is no name of a product. hint: letters, digits, _, - and ."])
    assert tool.products() == ["boards"]


def test_name_that_is_taken(tool):
    """What is there stays as it is, be it a product, another folder or a link to nowhere."""
    assert tool.make(guest())[0] == 0
    before = tool.config()
    os.symlink("nowhere", tool.path / "config" / "gone")
    for name in ("mine", "boards", "gone"):
        assert tool.make(guest(2 * M), name=name) == (
            1, "", [f"config/{name}: is there already. hint: another name by PRODUCT=<name>, or remove it first"])
    assert tool.config() == before and tool.products() == ["boards", "gone", "mine"]


@pytest.mark.parametrize("board, hint", [("ml304", "did you mean 'ml403'?"), ("zzz", "known: ml403, ml403dcr, raptor, ref405ep"),
                                         ("../x", "known: ml403, ml403dcr, raptor, ref405ep")])
def test_no_board(tool, board, hint):
    assert tool.make(guest(), board=board) == (1, "", [f"BOARD={board}: there is no file config/boards/{board}.toml. hint: {hint}"])
    assert tool.products() == ["boards"]


@pytest.mark.parametrize("old, fresh, text", [
    ("tb_hz = 333333330", "tb_hz = 0.5", "config/boards/my.toml:6: 'tb_hz' 0.5 is not a number. hint: write 4096, 0x1000, \"64K\" or \"1M\""),
    ("", "", "config/boards/my.toml: a board of your own is a Virtex design, this one has a UIC. hint: CONTRIBUTING.md says what else it takes")])
def test_board_that_does_not_do(tool, old, fresh, text):
    board = (tool.path / "config/boards/ref405ep.toml").read_text().replace('name = "ref405ep"', 'name = "my"').replace(old, fresh)
    (tool.path / "config/boards/my.toml").write_text(board)
    assert tool.make(guest(), board="my") == (1, "", [text]) and tool.products() == ["boards"]


def test_board_without_a_console(tool):
    path = tool.path / "config/boards/ml403.toml"
    path.write_text("".join(line for line in path.read_text().splitlines(True) if not line.startswith("console")))
    status, _, err = tool.make(guest(), board="ml403")
    assert status == 1 and err == ["config/boards/ml403.toml: the board has no console, which the guest would speak on. "
                                   "hint: console = \"<device>\" in the board's file (config/README.md)"]


def test_folder_that_is_full(tool, monkeypatch):
    """The copy fails half way: nothing is left of it."""
    def full(*_):
        raise OSError(28, "No space left on device")
    monkeypatch.setattr(new.shutil, "copyfile", full)
    assert tool.make(guest()) == (1, "", ["config/mine: can't write: No space left on device. hint: is there room?"])
    assert tool.products() == ["boards"]


def make(*arguments):
    """(exit status, standard output, lines of errors) of make in the project, which names no package."""
    environment = {name: value for name, value in os.environ.items() if name not in ("PRODUCT", "O", "MAKEFLAGS", "BOARD")}
    done = subprocess.run(["make", "-o", "deps-run", "new", *arguments], cwd=TOP, capture_output=True, text=True, timeout=60, check=False,
                          env=environment)
    return done.returncode, done.stdout, [line for line in done.stderr.splitlines() if not line.startswith("make: ***")]


@pytest.mark.parametrize("arguments, text", [
    (["PRODUCT=unheard-of"], "GUEST: no guest is named. hint: make new PRODUCT=<name> BOARD=<board> GUEST=<its ELF file>"),
    (["PRODUCT=unheard-of", "GUEST=nothing.elf"], "nothing.elf: can't read the guest: No such file or directory. hint: build it first"),
    (["PRODUCT=unheard-of", "GUEST=nothing.elf", "BOARD=rapto"],
     "BOARD=rapto: there is no file config/boards/rapto.toml. hint: did you mean 'raptor'?"),
    (["GUEST=nothing.elf"], "config/demo: is there already. hint: another name by PRODUCT=<name>, or remove it first")])
def test_by_make(arguments, text):
    """`make new` takes a name that no product has yet; without BOARD it is that of Kconfig."""
    assert make(*arguments) == (2, "", [text])
    assert not os.path.exists(os.path.join(TOP, "config", "unheard-of"))
