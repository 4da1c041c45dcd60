#!/usr/bin/python3
"""Options of Kconfig whose effect is in the linked image: stack, budgets, board. The smallest product is linked."""

import os
import re
import subprocess
import sys

import pytest
from elftools.elf.elffile import ELFFile

sys.dont_write_bytecode = True
TOP = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
sys.path.insert(0, os.path.join(TOP, "tools"))

import imagelint  # noqa: E402


ANY_BOARD = ("PRODUCT=demo", "-o", "guests", "BOARD_GUESTS=build/guests")     # the images are not run: any guests do
FREE = "CONFIG_TEXT_BUDGET=65536 CONFIG_DATA_BUDGET=65536"


def link(name, settings, *arguments):
    """(exit status, errors, path of the image) of the product `minimal`, if no other is named, with these settings."""
    folder = f"build/test-options/{name}"
    done = subprocess.run(["make", "-s", "PRODUCT=minimal", f"O={folder}", f"EXTRA_CONFIG={settings}", *arguments,
                           f"{folder}/proteus.elf"], cwd=TOP, capture_output=True, text=True, timeout=300, check=False)
    return done.returncode, done.stderr, os.path.join(TOP, folder, "proteus.elf")


def sections(path):
    """{name: size} of an image's sections."""
    with open(path, "rb") as file:
        return {section.name: section["sh_size"] for section in ELFFile(file).iter_sections()}


@pytest.fixture(scope="module")
def plain():
    """The product as it is."""
    status, errors, path = link("plain", "")
    assert status == 0, errors
    return sections(path)


def test_stack_size(plain):
    """The stack has as many bytes as CONFIG_STACK_SIZE says, and nothing else grows with it."""
    status, errors, path = link("stack", "CONFIG_STACK_SIZE=1024")
    assert status == 0, errors
    assert sections(path)[".stack"] == 1024
    assert {name: size for name, size in sections(path).items() if name in (".text", ".text_far", ".bss", ".vcpu")} == \
        {name: size for name, size in plain.items() if name in (".text", ".text_far", ".bss", ".vcpu")}


def test_budget(plain):
    """A product that is larger than CONFIG_TEXT_BUDGET and CONFIG_DATA_BUDGET does not link: each is one line, with its own line of
    the defconfig, and nothing of the linker's. (At its very budget, and by one byte: tests/tools/test_link.py.)"""
    text = sum(plain[name] for name in (".text", ".text_far", ".rodata"))
    status, errors, image = link("over", f"CONFIG_TEXT_BUDGET={text - 3} CONFIG_DATA_BUDGET=1")
    assert status != 0 and not os.path.exists(image)
    lines = [line for line in errors.splitlines() if not line.startswith("make")]
    assert len(lines) == 2 and re.fullmatch(r"config/minimal/defconfig:8: data take \d+ bytes, \d+ more than CONFIG_DATA_BUDGET=1\. "
                                            r"hint: CONFIG_DATA_BUDGET=.*", lines[0])
    assert lines[1].startswith(f"config/minimal/defconfig:7: code and constants take {text} bytes, 3 more than CONFIG_TEXT_BUDGET")


def test_board():
    """CONFIG_BOARD names the file with the board's values and the source that is linked for it."""
    config = os.path.join(TOP, "build/test-options/plain/config.mk")
    if not os.path.exists(config):
        assert link("plain", "")[0] == 0
    with open(config, encoding="utf-8") as file:
        text = file.read()
    assert "CONFIG_BOARD_REF405EP := y" in text
    board = re.search(r"^CONFIG_BOARD := (\w+)$", text, re.M)[1]
    assert os.path.exists(os.path.join(TOP, f"config/boards/{board}.toml"))
    code = re.search(r"^CONFIG_BOARD_CODE := (\w+)$", text, re.M)[1]
    assert os.path.exists(os.path.join(TOP, f"src/boards/board_{code}.c")) and os.path.exists(os.path.join(TOP, f"asm/board_{code}.S"))
    with open(os.path.join(TOP, "build/test-options/plain/gen/board_values.h"), encoding="utf-8") as file:
        assert f'BOARD_NAME "{board}"' in file.read()


def code_of(path, name):
    """Mnemonics and operands of a routine."""
    prefix = os.environ.get("CROSS_COMPILE", "powerpc-linux-gnu-")
    text = subprocess.run([prefix + "objdump", "-d", "-Mraw,405", "--no-show-raw-insn", path], check=True, capture_output=True,
                          text=True, timeout=60).stdout
    body = re.search(rf"<{name}>:\n(.*?)(?:\n\n|\Z)", text, re.S)[1]
    return [re.sub(r"\s+", " ", line.split("\t", 1)[1]).strip() for line in body.splitlines()]


def test_erratum_of_a_core(plain):
    """CPU_213 of Virtex-4 FX: bits of CCR0 are set before a cache is on. Other boards have no instruction for it."""
    del plain
    words = {}
    for name, setting in (("plain", ""), ("ml403", "CONFIG_BOARD_ML403=y"), ("raptor", "CONFIG_BOARD_RAPTOR=y")):
        status, errors, path = link(f"ccr0-{name}", f"{setting} {FREE}".strip(), *ANY_BOARD)
        assert status == 0, errors
        words[name] = code_of(path, "start")
    assert words["ml403"][:4] == ["mfspr r3,947", "oris r3,r3,20480", "mtspr 947,r3", "isync"]   # 0x3B3, 0x50000000
    assert not any("947" in word for name in ("plain", "raptor") for word in words[name])


def test_errata_that_want_code(plain):
    """Virtex-II Pro: a vector at 0x1700 (51), `sync` before each way back and `dcbt` before the switch's stwcx. (77). Others: none."""
    del plain
    for name, setting, has in (("plain", "", False), ("raptor", "CONFIG_BOARD_RAPTOR=y", True)):
        status, errors, path = link(f"errata-{name}", f"{setting} {FREE}".strip(), "PRODUCT=demo", *ANY_BOARD[1:])
        assert status == 0, errors
        assert (".vector_erratum_51" in sections(path)) == has
        code = [row[3] for row in imagelint.disassemble(path)]
        before = {code[index - 1] for index, op in enumerate(code) if op in ("rfi", "rfci")}
        assert (before == {"sync"}) == has and ("sync" in before) == has
        assert {code[index - 1] == "dcbt" for index, op in enumerate(code) if op == "stwcx."} == {has}


def test_own_board():
    """CONFIG_BOARD_OWN: the file that CONFIG_BOARD names, and CONFIG_INTC_DCR, make the image that a board of ours is."""
    own = 'CONFIG_BOARD_OWN=y CONFIG_INTC_DCR=y CONFIG_BOARD=\\"{}\\" ' + FREE
    images = []
    for name, settings in (("own", own.format("ml403dcr")), ("named", f"CONFIG_BOARD_ML403DCR=y {FREE}")):
        status, errors, path = link(name, settings, *ANY_BOARD)
        assert status == 0, errors
        with open(path, "rb") as file:
            images.append([ELFFile(file).get_section_by_name(section).data() for section in (".text", ".rodata", ".images")])
    assert images[0] == images[1] and len(images[0][0]) > 1000
    status, errors, _ = link("own-none", own.format("none"), *ANY_BOARD)
    assert status != 0
    assert 'config/demo/defconfig: CONFIG_BOARD="none": there is no file config/boards/none.toml. hint: ' in errors


@pytest.mark.parametrize("board", ["REF405EP", "ML403", "ML403DCR", "RAPTOR"])
@pytest.mark.parametrize("images", ["y", "n"])
def test_rom_images(board, images):
    """CONFIG_ROM: the hypervisor needs the highest 64 KiB; with CONFIG_ROM_IMAGES the guests are in the ROM, else in RAM."""
    settings = f"CONFIG_BOARD_{board}=y CONFIG_ROM=y CONFIG_ROM_IMAGES={images} {FREE}"
    status, errors, path = link(f"rom-{board.lower()}-{images}", settings, *ANY_BOARD)
    assert status == 0, errors
    with open(path, "rb") as file:
        elf = ELFFile(file)
        values = {name: elf.get_section_by_name(".symtab").get_symbol_by_name(name)[0]["st_value"] for name in ("start", "vm_image")}
        loaded = [section for section in elf.iter_sections() if section["sh_flags"] & 2 and section["sh_type"] != "SHT_NOBITS"]
        low = [section.name for section in loaded if section["sh_addr"] < 0xFFFF0000]
        rom = [section["sh_addr"] for section in loaded if section.name == ".reset"]
    assert values["start"] >= 0xFFFF8000 and rom == [0xFFFFFFFC] and low == [".images"]
    assert (values["vm_image"] >= 0xF8000000) == (images == "y")


def test_stack_is_aligned():
    """The ABI wants r1 on 16 bytes; another size does not link, and the linker says why."""
    status, errors, _ = link("stack-257", "CONFIG_STACK_SIZE=257")
    assert status != 0 and "config/minimal/defconfig (or EXTRA_CONFIG): CONFIG_STACK_SIZE is not a multiple of 16. hint: " in errors


def test_another_guest_is_another_image():
    """PACK names a guest's file: with it, and without it again, the image is made anew."""
    folder = "build/test-options/pack"
    images = []
    for pack in ("", "PACK=--guest ctask=build/guests/simplefft.elf", ""):
        subprocess.run(["make", "-s", "PRODUCT=minimal", f"O={folder}", pack or "PACK=", f"{folder}/proteus.elf"], cwd=TOP,
                       check=True, timeout=300, capture_output=True)
        with open(os.path.join(TOP, folder, "images.S"), encoding="utf-8") as file:
            images.append(file.read())
    assert "ctask.elf" in images[0] and "simplefft.elf" in images[1] and images[2] == images[0]
