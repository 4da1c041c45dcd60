#!/usr/bin/python3
"""tools/link.py: what does not fit is said in the words of the file that has to change. The real linker script, small objects."""

import json
import os
import re
import subprocess
import sys

import pytest

sys.dont_write_bytecode = True
TOP = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
sys.path.insert(0, os.path.join(TOP, "tools"))

import kconfig  # noqa: E402
import link  # noqa: E402
import partition  # noqa: E402
from kconfig import run_tool  # noqa: E402

CROSS = os.environ.get("CROSS_COMPILE") or "powerpc-linux-gnu-"
SCRIPT = os.path.join(TOP, "src", "proteus.lds.S")
# Sizes of sections: what the hypervisor's sources would have
SOURCE = """#include "gen/autoconf.h"
    .section .text.start, "ax"
    .globl start
start:
    .space {near}
    .section .text, "ax"
    .space {text}
    .section .rodata, "a"
    .space {rodata}
    .section .low, "aw", @nobits
    .space 8
    .section .bss, "aw", @nobits
    .space {bss}
    .section .vcpu, "aw", @nobits
    .space {vcpu}
    .section .stack, "aw", @nobits
    .space {stack}
    .section .images, "a"
    .space {images}
#ifdef CONFIG_ROM
    .section .reset, "ax"
    b .
#endif
"""
SIZES = {"near": 200, "text": 200, "rodata": 96, "bss": 40, "vcpu": 64, "stack": 512, "images": 4096}
PARTITIONS = "[product]\nname = 'x'\n[[vm]]\nname = 'a'\nimage = 'a.elf'\nmemory = '1M'\n"


@pytest.fixture
def tool(tmp_path, monkeypatch, capfd):
    """Links objects of the given sizes by the project's own script and a defconfig; returns (exit status, stderr lines)."""
    monkeypatch.chdir(tmp_path)

    def call(defconfig="", board=lambda text: text, flags=(), **sizes):
        (tmp_path / "defconfig").write_text(defconfig)
        (tmp_path / "p.toml").write_text(PARTITIONS)
        with open(os.path.join(TOP, "config", "boards", "ref405ep.toml"), encoding="utf-8") as file:
            (tmp_path / "b.toml").write_text(board(file.read()))
        assert run_tool(kconfig.main, ["--kconfig", os.path.join(TOP, "Kconfig"), "--defconfig", "defconfig", "--out", "."]) == 0
        assert run_tool(partition.main, ["--board", "b.toml", "--config", ".config", "--out", "gen", "p.toml"]) == 0
        (tmp_path / "x.S").write_text(SOURCE.format(**{**SIZES, **sizes}))
        subprocess.run([CROSS + "gcc", "-I.", "-c", "-o", "x.o", "x.S"], check=True, timeout=60)
        subprocess.run([CROSS + "gcc", "-E", "-P", "-x", "assembler-with-cpp", "-Igen", f"-I{TOP}/config", f"-I{TOP}/src", "-Ulinux",
                        "-Uunix", "-Upowerpc", "-o", "link.ld", SCRIPT], check=True, timeout=60)
        capfd.readouterr()
        status = run_tool(link.main, ["--map", "x.map", "--partitions", "gen/partitions.json", "--defconfig", "defconfig", "--",
                                      CROSS + "ld", "--build-id=none", "--no-warn-rwx-segments", *flags, "-Map=x.map", "-T", "link.ld",
                                      "-o", "x.elf", "x.o"])
        out, err = capfd.readouterr()
        assert out == ""
        return status, err.splitlines()
    call.path = tmp_path
    return call


def line_of(path, text):
    """The number of the first line that begins with a text."""
    return next(number for number, line in enumerate(path.read_text().splitlines(), 1) if line.startswith(text))


def test_good(tool):
    assert tool() == (0, []) and (tool.path / "x.elf").exists()


def test_budgets(tool):
    """Both budgets in one go, with the line of each; at its very budget a product links."""
    assert tool("# a product\nCONFIG_TEXT_BUDGET=495\nCONFIG_DATA_BUDGET=47\n") == (1, [
        "defconfig:3: data take 48 bytes, 1 more than CONFIG_DATA_BUDGET=47. hint: CONFIG_DATA_BUDGET=48 if they are to, or fewer "
        "options: tools/footprint.py has the bytes of each",
        "defconfig:2: code and constants take 496 bytes, 1 more than CONFIG_TEXT_BUDGET=495. hint: CONFIG_TEXT_BUDGET=496 if they are "
        "to, or fewer options: tools/footprint.py has the bytes of each"])
    assert not (tool.path / "x.elf").exists()
    assert tool("CONFIG_TEXT_BUDGET=496\nCONFIG_DATA_BUDGET=48\n") == (0, [])


def test_no_budget(tool):
    """Who has not asked for a budget has none: what the machine has is the limit."""
    assert tool(text=23000) == (0, [])


def test_low(tool):
    """What the assembler names has a limit, and the rest of the code none but the area's, or the register pages behind it."""
    assert tool("CONFIG_ROM=y\n", stack=0x8000)[1][0].startswith("defconfig:1: what the assembler names ends at 0x")
    hint = "hint: fewer options (tools/footprint.py has the bytes of each), or CONFIG_ROM=y, which has the code elsewhere"
    assert tool(near=0x6000)[1] == [
        f"defconfig:1: what the assembler names ends at 0x8048, 72 bytes beyond the 32 KiB that it may have. {hint}"]
    assert tool(near=0x5000, text=0x7000) == (0, [])
    assert tool("CONFIG_IRFM=y\n", near=0x5000, text=0x2F90) == (0, [])
    assert tool("CONFIG_IRFM=y\n", near=0x5000, text=0x2F94)[1] == [
        f"defconfig:1: the hypervisor's code and data end at 0xA004, 4 bytes behind the first register page. {hint}"]


def test_hypervisor_area(tool):
    """An area of the board that is too small: its file, and the line with its size."""
    def board(text):
        return text.replace("size = 0x00010000", "size = 0x00003000", 1)
    status, err = tool(board=board, vcpu=0x2000)
    number = line_of(tool.path / "b.toml", "size = 0x00003000")
    assert (status, err) == (1, [f"b.toml:{number}: the hypervisor takes 16904 bytes with its register files, 4616 more than its area. "
                                 'hint: size = "20K" of the [[reserved]] with name "hypervisor", or fewer options or VMs'])


def test_images_area(tool):
    def board(text):
        return text.replace("size = 0x01000000", "size = 0x00001000", 1)
    status, err = tool(board=board, images=4100)
    assert (status, err) == (1, [f"b.toml:{line_of(tool.path / 'b.toml', 'size = 0x00001000')}: the guests' images end 4 bytes behind the "
                                 "area 'images'. hint: a larger area, or fewer or smaller guests (what their segments have in the file "
                                 "counts, not debug information)"])


def test_images_in_rom(tool):
    """In ROM the images run into the vectors: ld's own words of overlapping sections are not the ones to read."""
    status, err = tool("CONFIG_ROM=y\n", images=0x70004)
    assert status == 1 and [line.split(". hint: ")[0] for line in err] == [
        f"b.toml:{line_of(tool.path / 'b.toml', '[[rom]]') + 3}: the guests' images end 4 bytes behind the area 'rom'"]


def test_stack(tool):
    assert tool("CONFIG_CONSOLE=n\nCONFIG_STACK_SIZE=500\n") == (1, [
        "defconfig:2: CONFIG_STACK_SIZE is not a multiple of 16. hint: the ABI wants the stack on 16 bytes"])
    assert tool("CONFIG_STACK_SIZE=2048\n", rodata=3000, stack=2048)[1] == [
        "defconfig:1: constants and stack take 1536 bytes more than there are between the vectors. hint: a smaller CONFIG_STACK_SIZE, "
        "or fewer options"]


def test_of_an_override(tool):
    """An option that the defconfig does not have came from elsewhere."""
    place = link.Place("defconfig", {"board": {}})
    tool()
    assert place.option("TEXT_BUDGET") == ("defconfig (or EXTRA_CONFIG)", None)


def test_anything_else_is_passed_on(tool, capfd):
    status, err = tool(flags=("--no-such-option",))
    assert status == 1 and any("no-such-option" in line for line in err)
    assert run_tool(link.main, ["--map", "x.map", "--partitions", "gen/partitions.json", "--defconfig", "defconfig", "--",
                                "no-such-gcc"]) == 1
    assert capfd.readouterr().err == ("no-such-gcc: can't run: No such file or directory. hint: set CROSS_COMPILE to the prefix of your "
                                      "toolchain, or unset it\n")


def test_every_assertion_has_its_words():
    """Of the linker script's ASSERTs only those that no setting can break are left to the linker."""
    with open(SCRIPT, encoding="utf-8") as file:
        texts = re.findall(r'^ASSERT\(.*, "(.*)"\)$', file.read(), re.M)
    assert set(link.RULES) <= set(texts)
    assert [text for text in texts if text not in link.RULES] == [
        "initialised data: the hypervisor's data must be zero at start, boot() sets the rest"]


def test_lines_of_the_board(tool):
    """partitions.json names the board's file and the line of each area's size."""
    tool()
    data = json.loads((tool.path / "gen" / "partitions.json").read_text())["board"]
    text = (tool.path / "b.toml").read_text().splitlines()
    assert data["source"] == "b.toml"
    assert all(text[area["line"] - 1].startswith("size") for area in data["ram"] + data["rom"] + data["reserved"])


@pytest.mark.parametrize("sizes, more", [({"text": 0x8000 - 296}, 4), ({"text": 0x8000}, 204), ({"rodata": 0x9000}, 4500)])
def test_rom_that_reaches_the_reset_vector(tool, sizes, more):
    """Before or behind the end of the address space: how many bytes are too many, by the first section that is."""
    status, err = tool("CONFIG_ROM=y\nCONFIG_TEXT_BUDGET=65536\n", **sizes)
    assert status == 1
    assert err == [f"defconfig:1: the hypervisor's code and constants are at least {more} bytes more than the highest 32 KiB of the ROM have. "
                   "hint: fewer options (tools/footprint.py has the bytes of each)"]
