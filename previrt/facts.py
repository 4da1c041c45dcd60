"""facts.py: the rows of config/*.def and hypercalls/*, which this tool shares with the hypervisor and its guests.

Nothing is stated twice: opcodes come from isa.def, numbers of registers from spr.def, the words of the register pages from
page.def, constants from abi.h. A row that is not understood is an error, not a row less.
"""

import collections
import os
import re

TOP = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))


class PrevirtError(Exception):
    """Bad input; the text is the whole message: `file: cause. hint: ...`."""


Isa = collections.namedtuple("Isa", "name op xo form")
Spr = collections.namedtuple("Spr", "name number field read write mask")
Word = collections.namedtuple("Word", "name offset register read write")


def rows(path, macro):
    """The arguments of each row `macro(a, b, ...)` of a table, as strings; the last one may be a text."""
    full = os.path.join(TOP, path)
    found = []
    try:
        with open(full, encoding="utf-8") as file:
            for number, line in enumerate(file, 1):
                if re.match(rf"(?:{macro})\(", line):
                    match = re.match(r'\w+\((.*?)(?:,\s*"[^"]*")?\)$', line.strip())
                    if not match:
                        raise PrevirtError(f"{path}:{number}: a row that cannot be read. hint: {macro}(a, b, ..., \"text\")")
                    found.append([cell.strip() for cell in match[1].split(",")])
    except OSError as error:
        raise PrevirtError(f"{path}: {os.strerror(error.errno)}. hint: run the tool from its tree") from None
    return found


def constants(path):
    """{name: value} of the plain numbers that a header defines."""
    found = {}
    with open(os.path.join(TOP, path), encoding="utf-8") as file:
        for line in file:
            match = re.match(r"#define\s+(\w+)\s+(-?\w+)", line)
            if match and re.fullmatch(r"-?(0[xX][0-9a-fA-F]+|\d+)", match[2]):
                found[match[1]] = int(match[2], 0)
    return found


ISA = [Isa(name, int(op), int(xo), form) for name, op, xo, form, _ in rows("config/isa.def", r"ISA_HOT|ISA_COLD")]
SPR = [Spr(name, int(number, 0), field, read, write, int(mask, 0))
       for name, number, field, read, write, mask in rows("config/spr.def", "SPR")]
PAGE = [Word(name, int(offset), register, read, write)
        for name, offset, register, read, write in rows("hypercalls/page.def", "WORD")]
VECTORS = [int(row[1], 0) for row in rows("config/vectors.def", "VECTOR")]
ABI = constants("hypercalls/abi.h")

ISA_BY_CODE = {(row.op, row.xo): row for row in ISA}
ISA_BY_NAME = {row.name: row for row in ISA}
SPR_BY_NUMBER = {row.number: row for row in SPR}
SPR_BY_NAME = {row.name: row for row in SPR}
PAGE_BY_NAME = {row.name: row for row in PAGE}


def page_word(spr):
    """The word of the register pages that is this special purpose register, or None."""
    for word in PAGE:
        if word.register in (spr.name, spr.field):
            return word
    return None
