#!/usr/bin/python3
"""config/isa.def and config/spr.def against GNU as: every row's numbers are those of the assembler."""

import os
import re
import shutil
import struct
import subprocess
import sys

import pytest

sys.dont_write_bytecode = True
TOP = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
CROSS = next((prefix for prefix in ("powerpc-eabi-", "powerpc-linux-gnu-") if shutil.which(prefix + "as")), None)

ISA_ROW = re.compile(r'^ISA_(HOT|COLD)\(\s*(\w+)\s*,\s*(\d+)\s*,\s*(\d+)\s*,\s*(\w+)\s*,\s*(\w+)\s*,\s*"([^"]*)"\)')
SPR_ROW = re.compile(r'^SPR\(\s*(\w+)\s*,\s*(0x[0-9A-F]+)\s*,\s*(\w+)\s*,\s*(\w+)\s*,\s*(\w+)\s*,\s*(0x[0-9A-F]+)\s*,\s*"(\w+)"\)')

# Operands of each form, as pairs: the text, and the bits of the word that they must be (bit 0 is the least significant).
FORMS = {
    "NONE": [("", 0)],
    "RT": [("0", 0), ("31", 31 << 21), ("21", 21 << 21)],
    "RS": [("0", 0), ("31", 31 << 21), ("10", 10 << 21)],
    "E": [("0", 0), ("1", 1 << 15)],
    "RA_RB": [("0, 0", 0), ("31, 0", 31 << 16), ("0, 31", 31 << 11), ("7, 9", 7 << 16 | 9 << 11)],
    "RT_RA_RB": [("31, 0, 0", 31 << 21), ("0, 31, 0", 31 << 16), ("0, 0, 31", 31 << 11), ("5, 6, 7", 5 << 21 | 6 << 16 | 7 << 11)],
    "RT_RA_WS": [("31, 1, 0", 31 << 21 | 1 << 16), ("1, 31, 1", 1 << 21 | 31 << 16 | 1 << 11), ("0, 0, 0", 0)],
    "RT_DCR": [("31, 0", 31 << 21), ("0, 0x3FF", 0x3FF << 11), ("3, 0x0C2", 3 << 21 | 2 << 16 | 6 << 11)],
    "DCR_RS": [("0, 31", 31 << 21), ("0x3FF, 0", 0x3FF << 11), ("0x0C2, 3", 3 << 21 | 2 << 16 | 6 << 11)],
    "RT_SPR": [("31, 0", 31 << 21), ("0, 0x3FF", 0x3FF << 11), ("3, 0x3D6", 3 << 21 | 0x16 << 16 | 0x1E << 11)],
    "SPR_RS": [("0, 31", 31 << 21), ("0x3FF, 0", 0x3FF << 11), ("0x3D6, 3", 3 << 21 | 0x16 << 16 | 0x1E << 11)],
}

# Binutils 2.40 writes these only by number; and reads these by the numbers for user mode (0x104 to 0x107).
WITHOUT_MNEMONIC = ("mfusprg0", "mtusprg0")
USER_READABLE = ("sprg4", "sprg5", "sprg6", "sprg7")


def rows(name, pattern, macro):
    """The rows of a table; a line that looks like one and is not understood is an error, not a row less."""
    found = []
    with open(os.path.join(TOP, "config", name), encoding="utf-8") as file:
        for number, line in enumerate(file, 1):
            if re.match(macro, line):
                match = pattern.match(line)
                assert match, f"config/{name}:{number}: a row that this test cannot read"
                found.append(match.groups())
    assert found
    return found


ISA = rows("isa.def", ISA_ROW, r"ISA_\w+\(")
SPR = rows("spr.def", SPR_ROW, r"SPR\(")


def assemble(lines, tmp_path):
    """The words of these instructions, one for each; None for one that the assembler refuses."""
    words = []
    for line in lines:
        done = subprocess.run([CROSS + "as", "-m405", "-mregnames", "-o", "o", "-"], input=line + "\n", text=True, cwd=tmp_path,
                              capture_output=True, check=False)
        if done.returncode:
            words.append(None)
            continue
        subprocess.run([CROSS + "objcopy", "-O", "binary", "-j", ".text", "o", "b"], cwd=tmp_path, check=True)
        text = (tmp_path / "b").read_bytes()
        assert len(text) == 4, f"{line!r} is not one instruction"
        words += struct.unpack(">I", text)
    return words


@pytest.mark.parametrize("row", ISA, ids=[row[1] for row in ISA])
def test_instruction(row, tmp_path):
    """Primary opcode, extended opcode, and the place of every operand."""
    _, mnemonic, opcode, extended, form, _, _ = row
    base = int(opcode) << 26 | int(extended) << 1
    operands = FORMS[form]
    words = assemble([f"{mnemonic} {text}" for text, _ in operands], tmp_path)
    assert [hex(word) for word in words] == [hex(base | bits) for _, bits in operands]


def test_record_form(tmp_path):
    """tlbsx. is tlbsx with bit 31; no other row has a record form."""
    names = [row[1] for row in ISA]
    forms = {"NONE": "", "RT": "3", "RS": "3", "E": "1", "RA_RB": "3, 4", "RT_RA_RB": "3, 4, 5", "RT_RA_WS": "3, 4, 1",
             "RT_DCR": "3, 5", "DCR_RS": "5, 3", "RT_SPR": "3, 5", "SPR_RS": "5, 3"}
    words = dict(zip(names, assemble([f"{row[1]}. {forms[row[4]]}" for row in ISA], tmp_path)))
    plain = assemble(["tlbsx 3, 4, 5"], tmp_path)[0]
    assert {name for name, word in words.items() if word is not None} == {"tlbsx"}
    assert words["tlbsx"] == plain | 1


def test_no_two_rows_are_alike():
    """A word belongs to one row at most."""
    keys = [(row[2], row[3]) for row in ISA]
    assert len(set(keys)) == len(keys)
    numbers = [int(row[1], 0) for row in SPR]
    assert len(set(numbers)) == len(numbers)


@pytest.mark.parametrize("row", SPR, ids=[row[0] for row in SPR])
def test_register(row, tmp_path):
    """The number, by the simplified mnemonics of the manual: mfxxx and mtxxx are mfspr and mtspr of this number."""
    name, number, _, read, write, mask, manual = row
    number = int(number, 0)
    field = (number & 31) << 16 | number >> 5 << 11
    words = assemble([f"mfspr 3, {number}", f"mtspr {number}, 3"], tmp_path)
    assert words == [31 << 26 | 3 << 21 | field | 339 << 1, 31 << 26 | 3 << 21 | field | 467 << 1]
    assert manual.lower() == name
    assert 0 < int(mask, 0) <= 0xFFFFFFFF
    for way, kind, word in (("mf", read, words[0]), ("mt", write, words[1])):
        symbolic = assemble([f"{way}{name} 3"], tmp_path)[0]
        if kind == "NEVER" or (symbolic is None and f"{way}{name}" in WITHOUT_MNEMONIC):
            continue
        if way == "mf" and name in USER_READABLE:
            word -= 16 << 11 << 5       # the number 16 less, which user mode may read and which never traps
        assert symbolic == word, f"{way}{name}: the assembler knows it as {symbolic}"
