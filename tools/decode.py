"""decode.py: names for what a 405 traps on: instructions, special purpose registers, vectors, by the tables of config/."""

import functools
import os
import re

ROOT = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))
KEY = 0xFC0007FE                # primary and extended opcode

MSR = (("WE", 0x40000), ("CE", 0x20000), ("EE", 0x8000), ("PR", 0x4000), ("ME", 0x1000), ("IR", 0x20), ("DR", 0x10))
ESR = (("instruction machine check", 0x80000000), ("illegal instruction", 0x08000000), ("privileged", 0x04000000),
       ("trap", 0x02000000), ("store", 0x00800000), ("zone fault", 0x00400000))


@functools.lru_cache
def rows(path, pattern):
    """What a pattern finds in a table."""
    with open(os.path.join(ROOT, path), encoding="utf-8") as file:
        return re.findall(pattern, file.read(), re.M)


@functools.lru_cache
def instructions():
    """{key: (mnemonic, form)}"""
    found = rows("config/isa.def", r"^ISA_(?:HOT|COLD)\((\w+),\s*(\d+),\s*(\d+),\s*(\w+),")
    return {int(op) << 26 | int(xo) << 1: (name, form) for name, op, xo, form in found}


@functools.lru_cache
def special():
    """{number: name} of special purpose registers."""
    return {int(number, 16): name for name, number in rows("config/spr.def", r"^SPR\((\w+),\s*(0x\w+),")}


@functools.lru_cache
def vectors():
    """{offset: name}"""
    return {int(offset, 16): name for name, offset in rows("config/vectors.def", r"^VECTOR\((\w+),\s*(0x\w+),")}


@functools.lru_cache
def hypercalls():
    """{number: name}"""
    return {int(number): name for name, number in rows("hypercalls/hypercalls.def", r"^HCALL\((\w+), (\d+),")}


def privileged(word):
    """A privileged instruction as one would write it, or "": `mtspr pit`."""
    if word is None or word & KEY not in instructions():
        return ""
    name, form = instructions()[word & KEY]
    number = (word >> 16 & 31) | (word >> 6 & 0x3E0)
    if "SPR" in form:
        return f"{name} {special().get(number, hex(number))}"
    return f"{name} 0x{number:x}" if "DCR" in form else name


def hypercall(number):
    """A hypercall's name, with its number."""
    return f"{number} ({hypercalls()[number]})" if number in hypercalls() else f"{number} (there is none)"


def bits(value, names):
    """The names of the bits that are set."""
    return [name for name, bit in names if value & bit]
