#!/usr/bin/python3
"""gen.py: the twin guest's probes, from the tables config/isa.def, spr.def and vectors.def.

    gen.py --config <folder of the .def files> --board ref405ep --out probes.S

Every row becomes probes: an instruction by its operand form, with several registers, in supervisor and in user state; an
SPR by its number, with the usual patterns; an exception class by what raises it (VECTORS below). A row that this
program cannot turn into a probe is an error, so a new row is tested from its first day or does not build.

The instructions are written as mnemonics where GNU as knows them: the encodings are the assembler's, not the tables'.
"""

import argparse
import os
import random
import re
import sys
import tempfile

import mmu
from board import BOARDS

EE, PR, ME, CE, DE, WE = 0x8000, 0x4000, 0x1000, 0x20000, 0x200, 0x40000
FP, FE0, FE1, DWE, APE, AP = 0x2000, 0x800, 0x100, 0x400, 0x80000, 0x2000000
SUPERVISOR, USER = ME, ME | PR

CLEAN, KEEP, TSR, REAL_TIME = 1, 2, 4, 8    # as in twin.h; TRANSLATE: mmu.py
ANY = -1                                    # outcome differs by machine: tests/system/twin_expected_differences.txt

SOME_REGISTERS = (0, 2, 3, 27, 28, 29, 30, 31)      # those that some road of the hypervisor's treats in a way of its own
ALL_REGISTERS = tuple(range(32))
ALL_REGISTER_ROWS = ("mfspr", "mtspr", "mfmsr", "mtmsr")
PATTERNS = [0, 0xFFFFFFFF, 0x5A5A5A5A, 0xA5A5A5A5] + [1 << bit for bit in range(32)]

SNIPPET, SCRATCH, OTHER_VECTORS = 0x3000, 0x3800, 0x10000
STATE_WORDS = {"cr": 32, "xer": 33, "lr": 34, "ctr": 35, "srr2": 38, "srr3": 39, "esr": 40, "dear": 41}
CR_SEED = 0x12345678
SPRN = {"srr0": 0x1A, "srr1": 0x1B, "srr2": 0x3DE, "srr3": 0x3DF, "evpr": 0x3D6, "tsr": 0x3D8, "tcr": 0x3DA, "pit": 0x3DB}

# Bits that a probe may write where the whole register would end the run:
# dbcr0: no reset, no external debug mode (stops the chip). tcr: no reset, and no watchdog interrupt, which QEMU 7.2
# leaves pending for ever. sler: little-endian storage; QEMU supports no value but zero.
WRITABLE = {"dbcr0": 0x4FFFFFFF, "tcr": 0xC7FFFFFF, "sler": 0}

# Registers whose value is time, or whose two sides differ: probes of their own (see spr_special).
OWN_PROBES = ("pit", "tbl", "tbu")
# QEMU lets user state use SRR2, SRR3 and USPRG0 in part; the chip traps the former two, and not the latter.
# It also gives TBL and TBU by the numbers that are for writing.
USER_DIFFERS = ("srr2", "srr3", "usprg0", "tbl", "tbu")

# How each exception class is raised. None: it cannot be here, for the reason given.
VECTORS = {
    "critical_input": "irq", "machine_check": "fault", "data_storage": "fault", "external": "irq",
    "alignment": "sync", "program": "sync", "system_call": "sync", "pit": "timer", "fit": "timer",
    "watchdog": "timer", "dtlb_miss": "mmu", "itlb_miss": "mmu", "inst_storage": "mmu",
    "fp_unavailable": None,     # the 405 has no FPU: its instructions are illegal, see scan.*.op
    "apu_unavailable": None,    # nor an APU
    "debug": None,              # QEMU 7.2 has no debug events
}


class TableError(Exception):
    """A row that cannot be read or turned into probes; the text is complete."""


class Row:
    """One row of a .def file."""

    def __init__(self, path, line, macro, fields):
        self.path, self.line, self.macro, self.fields = path, line, macro, fields

    def error(self, cause, hint):
        """An error at this row."""
        return TableError(f"{self.path}:{self.line}: {cause}. hint: {hint}")


def read_rows(path, columns):
    """Rows of a .def file: lines `MACRO(field, field, ...)` outside comments."""
    try:
        with open(path, encoding="utf-8") as stream:
            text = stream.read()
    except (OSError, UnicodeDecodeError) as error:
        reason = getattr(error, "strerror", None) or "not a text file"
        raise TableError(f"{path}:1: cannot be read: {reason}. hint: --config names the folder config/") from None
    text = re.sub(r"/\*.*?\*/", lambda comment: "\n" * comment.group().count("\n"), text, flags=re.S)
    rows = []
    for number, line in enumerate(text.splitlines(), 1):
        line = line.split("//")[0].strip()
        if not line or line.startswith("#"):
            continue
        match = re.fullmatch(r"([A-Z_0-9]+)\((.*)\)", line)
        fields = [field.strip() for field in match.group(2).split(",")] if match else []
        if len(fields) < columns:
            raise TableError(f"{path}:{number}: not a row with {columns} fields. hint: one row a line")
        rows.append(Row(path, number, match.group(1), fields))
    if not rows:
        raise TableError(f"{path}:1: no rows. hint: is it the right file?")
    return rows


class Table:
    """Collects probes and writes them as assembler source."""

    def __init__(self, board):
        self.board = board
        self.probes = []
        self.names = set()

    def add(self, name, code, msr=SUPERVISOR, expect=0, flags=0, end=None, setup=None, **inputs):
        """One probe. code: lines of assembler; inputs: r3=value, lr=value, srr2=value; setup: see mmu.py, Setup."""
        if name in self.names:
            raise TableError(f"gen.py:1: two probes named {name}. hint: two rows of one name in a .def file?")
        self.names.add(name)
        lines = [line.strip() for part in ([code] if isinstance(code, str) else code) for line in part.split(";")]
        words = [(self._word(word), value & 0xFFFFFFFF) for word, value in inputs.items()]
        flags |= REAL_TIME if any(re.match(r"rfci|mtdcr", line) for line in lines) else 0
        end = end or ("sc" if msr & PR else "ba probe_exit")
        self.probes.append((name, lines, end, msr, expect, flags, words, setup))

    @staticmethod
    def _word(name):
        return int(name[1:]) if re.fullmatch(r"r\d+", name) else STATE_WORDS[name]

    def source(self):
        """The assembler source, one piece at a time."""
        yield "/* Generated by gen.py from config/. Do not edit. */\n#include \"twin.h\"\n\n"
        for number, (name, lines, end, _, _, _, words, setup) in enumerate(self.probes):
            yield f"    .section .rodata.names, \"a\"\n.Ln{number}: .asciz \"{name}\"\n"
            yield f"    .section .rodata.code, \"a\"\n    .balign 4\n.Lc{number}:\n"
            yield "".join(f"    {line}\n" for line in lines).replace("- here", f"- .Lc{number}")
            yield f".Le{number}: {end}\n    .if . - .Lc{number} > 4 * SNIPPET_WORDS\n    .error \"{name}: too long\"\n    .endif\n"
            if words:
                yield f"    .section .rodata.inputs, \"a\"\n    .balign 4\n.Li{number}: .long "
                yield ", ".join(f"{word}, 0x{value:08X}" for word, value in words) + "\n"
            if setup:
                yield f"    .section .rodata.setups, \"a\"\n    .balign 4\n.Ls{number}: .long "
                yield ", ".join(f"0x{value:08X}" for value in setup.words()) + "\n"
        yield "    .section .rodata.probes, \"a\"\n    .balign 4\n    .globl probes, probes_end\nprobes:\n"
        for number, (_, _, _, msr, expect, flags, words, setup) in enumerate(self.probes):
            inputs = f".Li{number}" if words else "0"
            yield (f"    .long .Ln{number}, .Lc{number}, (.Le{number} - .Lc{number}) / 4, 0x{msr:08X}, {expect}, "
                   f"{flags}, {inputs}, {len(words)}, {f'.Ls{number}' if setup else 0}\n")
        yield "probes_end:\n    .section .note.GNU-stack, \"\"\n"


def name_of(register):
    """Keyword of a GPR for Table.add."""
    return f"r{register}"


def other(register, *taken):
    """A register that is none of those."""
    return next(candidate for candidate in (3, 4, 5, 6) if candidate != register and candidate not in taken)


def state_suffix(msr):
    """Part of a probe's name: u in user state."""
    return ".u" if msr & PR else ""


def msr_patterns():
    """All combinations of the bits that matter to interrupts, and the others one by one."""
    bits = (CE, EE, PR, ME, DE)
    for number in range(1 << len(bits)):
        yield sum(bit for index, bit in enumerate(bits) if number >> index & 1)
    for bit in (FP, FE0, FE1, DWE, APE, AP, 0x80000000, 0x1, 0x2, 0x4, 0x8, 0x40, 0x80, 0x10000):
        yield ME | bit


# --- exception vectors: the code at them ---------------------------------------------------------------------------

def vector_source(rows):
    """Code at each vector: record everything, and which vector it was. The second set adds one to the number."""
    for section, mark in ((".vectors", 0), (".vectors2", 1)):
        yield f"    .section {section}, \"ax\"\n"
        for row in rows:
            offset, window = int(row.fields[1], 0), int(row.fields[5], 0)
            if window < 12:
                raise row.error(f"the window of {row.fields[0]} has less than 12 bytes", "the twin needs three words")
            yield f"    .org 0x{offset:04X}\n    stmw 0, PROBE_OUT(0)\n    li 31, 0x{offset + mark:04X}\n    ba record\n"
        yield "\n"


# --- instructions, by operand form ---------------------------------------------------------------------------------

def some_registers(what):
    """SOME_REGISTERS and one of the others, drawn for each row and always the same (the twin has to fit into ROM)."""
    others = sorted(set(ALL_REGISTERS) - set(SOME_REGISTERS))
    return (*SOME_REGISTERS, *random.Random(what).sample(others, 1))


def registers_of(mnemonic):
    """The registers a row is tried with."""
    return ALL_REGISTERS if mnemonic in ALL_REGISTER_ROWS else some_registers(mnemonic)


def form_none(table, mnemonic, _row):
    """No operand."""
    table.add(f"isa.{mnemonic}", mnemonic)
    table.add(f"isa.{mnemonic}.u", mnemonic, USER, 0x700)


def form_rt(table, mnemonic, _row):
    """A result register: read in several states of the MSR."""
    for register in registers_of(mnemonic):
        table.add(f"isa.{mnemonic}.{register}", f"{mnemonic} {register}")
        table.add(f"isa.{mnemonic}.{register}.u", f"{mnemonic} {register}", USER, 0x700)
    for msr in msr_patterns():
        if not msr & PR:
            table.add(f"isa.{mnemonic}.m{msr:08X}", f"{mnemonic} 3", msr)


def form_rs(table, mnemonic, _row):
    """A source register: mtmsr and wrtee. The sc behind it shows the new MSR in SRR1."""
    for register in registers_of(mnemonic):
        table.add(f"isa.{mnemonic}.{register}", f"{mnemonic} {register}", end="sc", **{name_of(register): EE | ME})
        table.add(f"isa.{mnemonic}.{register}.u", f"{mnemonic} {register}", USER, 0x700)
    for msr in msr_patterns():
        table.add(f"isa.{mnemonic}.m{msr:08X}", f"{mnemonic} 3", end="sc", r3=msr)
        table.add(f"isa.{mnemonic}.on.m{msr:08X}", f"{mnemonic} 3", CE | EE | ME | DE, end="sc", r3=msr)


def form_e(table, mnemonic, _row):
    """One bit in the word itself."""
    for bit in (0, 1):
        for msr in msr_patterns():
            if not msr & PR:
                table.add(f"isa.{mnemonic}.{bit}.m{msr:08X}", f"{mnemonic} {bit}", msr, end="sc")
        table.add(f"isa.{mnemonic}.{bit}.u", f"{mnemonic} {bit}", USER, 0x700)


def form_ra_rb(table, mnemonic, _row):
    """An effective address: scratch memory, by every register in either place."""
    in_user = ANY if mnemonic == "icbt" else 0x700      # the manual has both
    for register in some_registers(mnemonic):
        index = other(register)
        table.add(f"isa.{mnemonic}.0.{register}", f"{mnemonic} 0, {register}", **{name_of(register): SCRATCH})
        table.add(f"isa.{mnemonic}.0.{register}.u", f"{mnemonic} 0, {register}", USER, in_user,
                  **{name_of(register): SCRATCH})
        if register:
            table.add(f"isa.{mnemonic}.{register}.{index}", f"{mnemonic} {register}, {index}",
                      **{name_of(register): SCRATCH, name_of(index): 0x40})


def form_rt_ra_rb(table, mnemonic, _row):
    """A result and an effective address (or what to look for)."""
    group = "tlb" if mnemonic.startswith("tlb") else "isa"
    dotted = [mnemonic, mnemonic + "."] if mnemonic == "tlbsx" else [mnemonic]
    for name in dotted:
        for register in some_registers(name):
            address = other(register)
            operands = {name_of(address): SCRATCH}
            table.add(f"{group}.{name}.{register}", f"{name} {register}, 0, {address}", expect=ANY, **operands)
            table.add(f"isa.{name}.{register}.u", f"{name} {register}, 0, {address}", USER, 0x700, **operands)


def form_rt_ra_ws(table, mnemonic, _row):
    """TLB words. Entries 0 and 63; a 4 KiB page that is not valid (QEMU 7.2 has no smaller ones)."""
    for register in some_registers(mnemonic):
        entry = other(register)
        for word in (0, 1):
            for index in (0, 63):
                table.add(f"tlb.{mnemonic}.{register}.w{word}.e{index}", f"{mnemonic} {register}, {entry}, {word}",
                          expect=ANY, **{name_of(register): 0x00003080 if word == 0 else 0x00003300,
                                         name_of(entry): index})
            table.add(f"isa.{mnemonic}.{register}.w{word}.u", f"{mnemonic} {register}, {entry}, {word}", USER, 0x700)


def form_rt_dcr(table, mnemonic, _row):
    """Reading the interrupt controller, if it has device control registers; if not, nobody has."""
    dcr = table.board.controller.dcr
    for register in some_registers(mnemonic):
        index = other(register)
        if dcr:
            table.add(f"isa.{mnemonic}.{register}", f"mtdcr {dcr}, {index}; {mnemonic} {register}, {dcr}",
                      flags=CLEAN, **{name_of(index): 0x0FF00000 + register})
        table.add(f"isa.{mnemonic}.{register}.u", f"{mnemonic} {register}, {dcr or 0xC2}", USER, 0x700)
    table.add(f"isa.{mnemonic}.absent", f"{mnemonic} 3, 0x3FF", expect=ANY)


def form_dcr_rs(table, mnemonic, _row):
    """Writing the interrupt controller."""
    dcr = table.board.controller.dcr
    for register in some_registers(mnemonic):
        index = other(register)
        if dcr:
            table.add(f"isa.{mnemonic}.{register}", f"{mnemonic} {dcr}, {register}; mfdcr {index}, {dcr}",
                      flags=CLEAN, **{name_of(register): 0x0AB00000 + register})
        table.add(f"isa.{mnemonic}.{register}.u", f"{mnemonic} {dcr or 0xC2}, {register}", USER, 0x700)
    table.add(f"isa.{mnemonic}.absent", f"{mnemonic} 0x3FF, 3", expect=ANY)


def form_rt_spr(table, mnemonic, _row):
    """Reading SPRs into every register; the SPRs themselves are in spr_probes."""
    for register in ALL_REGISTERS:
        index = other(register)
        table.add(f"isa.{mnemonic}.{register}", f"mtspr 0x111, {index}; {mnemonic} {register}, 0x111",
                  **{name_of(index): 0x600D0000 + register})
        table.add(f"isa.{mnemonic}.{register}.u", f"{mnemonic} {register}, 0x111", USER, 0x700)


def form_spr_rs(table, mnemonic, _row):
    """Writing SPRs from every register."""
    for register in ALL_REGISTERS:
        index = other(register)
        table.add(f"isa.{mnemonic}.{register}", f"{mnemonic} 0x112, {register}; mfspr {index}, 0x112",
                  **{name_of(register): 0x900D0000 + register})
        table.add(f"isa.{mnemonic}.{register}.u", f"{mnemonic} 0x112, {register}", USER, 0x700)


def return_from(table, mnemonic, _row):
    """rfi and rfci: to an address with its low bits set, with every MSR pattern; the sc there shows the MSR."""
    pc, msr = ("srr0", "srr1") if mnemonic == "rfi" else ("srr2", "srr3")
    jump = [f"ori 3, 3, SNIPPET + 1f - here; mtspr {SPRN[pc]}, 3; mtspr {SPRN[msr]}, 4; {mnemonic}; trap", "1:"]
    for value in msr_patterns():
        table.add(f"isa.{mnemonic}.m{value:08X}", jump, end="sc", r3=0, r4=value)
    for low in (1, 2, 3):
        table.add(f"isa.{mnemonic}.low{low}", jump, end="sc", r3=low, r4=ME)
    table.add(f"isa.{mnemonic}.u", mnemonic, USER, 0x700)
    table.add(f"isa.{mnemonic}.to_illegal", jump + [".long 0"], expect=0x700, r3=0, r4=ME)
    table.add(f"isa.{mnemonic}.to_user_privileged", jump + ["mfmsr 3"], expect=0x700, r3=0, r4=ME | PR)


FORMS = {"NONE": form_none, "RT": form_rt, "RS": form_rs, "E": form_e, "RA_RB": form_ra_rb, "RT_RA_RB": form_rt_ra_rb,
         "RT_RA_WS": form_rt_ra_ws, "RT_DCR": form_rt_dcr, "DCR_RS": form_dcr_rs, "RT_SPR": form_rt_spr,
         "SPR_RS": form_spr_rs}
INSTRUCTIONS = {"rfi": return_from, "rfci": return_from}     # what the operand form does not tell


def isa_probes(table, rows):
    """Probes of isa.def."""
    for row in rows:
        mnemonic, form = row.fields[0], row.fields[3]
        make = INSTRUCTIONS.get(mnemonic) or FORMS.get(form)
        if not make:
            raise row.error(f"operand form `{form}` has no probes", "write one in tests/guests/twin/gen.py, FORMS")
        if form == "NONE" and mnemonic not in INSTRUCTIONS and mnemonic not in ("tlbia", "tlbsync"):
            raise row.error(f"what does {mnemonic} do to its caller?", "say so in gen.py, INSTRUCTIONS")
        make(table, mnemonic, row)


# --- special purpose registers -------------------------------------------------------------------------------------

def spr_write_patterns(table, name, number, readable):
    """Write each pattern, read it back, restore. r5 shows the value before."""
    seen = set()
    for pattern in PATTERNS:
        value = pattern & WRITABLE.get(name, 0xFFFFFFFF)
        if value in seen:
            continue
        seen.add(value)
        code = [f"mfspr 5, {number}", f"mtspr {number}, 3", f"mfspr 4, {number}", f"mtspr {number}, 5"]
        table.add(f"spr.{name}.{value:08X}", code if readable else code[1], flags=CLEAN if name in SPRN else 0,
                  expect=ANY if name in USER_DIFFERS else 0, r3=value)


def spr_registers(table, name, number, read, write):
    """The same with other registers; rT = rS."""
    for register in some_registers(name):
        keep = other(register)
        value = 0x5A5A5A5A & WRITABLE.get(name, 0xFFFFFFFF)
        code = [f"mfspr {keep}, {number}"] if read and write else []
        code += [f"mtspr {number}, {register}"] if write else []
        code += [f"li {register}, 0; mfspr {register}, {number}"] if read else []
        code += [f"mtspr {number}, {keep}"] if read and write else []
        if code:
            table.add(f"spr.{name}.r{register}", code, flags=CLEAN if name in SPRN else 0,
                      expect=ANY if name in USER_DIFFERS else 0, **{name_of(register): value})


def spr_special(table, name, number):
    """Time: only its order of magnitude is the same on two machines."""
    if name == "pit":
        table.add("spr.pit.back", f"mtspr {SPRN['tcr']}, 5; mtspr {number}, 3; mfspr 4, {number}; subf 4, 4, 3; srwi 4, 4, 24",
                  flags=CLEAN, r3=0x7FFFFFFF, r5=0x04000000)
        table.add("spr.pit.zero", f"mtspr {SPRN['tcr']}, 5; mtspr {number}, 3; mfspr 4, {number}", flags=CLEAN, r3=0,
                  r5=0x04000000)
        table.add("spr.pit.falls", f"mtspr {SPRN['tcr']}, 5; mtspr {number}, 3; mfspr 4, {number}; nop; nop; nop; nop; "
                  f"mfspr 6, {number}; subf 6, 6, 4; cmpwi 6, 0; li 4, 0; li 6, 0", flags=CLEAN, r3=0x7FFFFFFF,
                  r5=0x04000000)
        return
    table.add(f"spr.{name}.write", f"mtspr {number}, 3; {'mftb' if name == 'tbl' else 'mftbu'} 4; "
              "subf 4, 3, 4; srwi 4, 4, 16", expect=0, r3=0x00100000)
    table.add(f"spr.{name}.read", f"mfspr 3, {number}; srwi 3, 3, 20", expect=ANY)


def spr_probes(table, rows):
    """Probes of spr.def."""
    for row in rows:
        name, number, _, read, write = row.fields[:5]
        number = int(number, 0)
        if read not in ("PLAIN", "LIVE", "COLD", "NEVER") or write not in ("PLAIN", "LIVE", "HOT", "COLD", "MMU", "NEVER"):
            raise row.error(f"`{read}`, `{write}`: unknown way to read or write", "teach gen.py, spr_probes")
        if name in OWN_PROBES:
            spr_special(table, name, number)
        else:
            if write != "NEVER":
                spr_write_patterns(table, name, number, read != "NEVER")
            else:
                table.add(f"spr.{name}.write", f"mtspr {number}, 3", expect=ANY)
            spr_registers(table, name, number, read != "NEVER", write != "NEVER")
        user = ANY if name in USER_DIFFERS else 0x700
        table.add(f"spr.{name}.read.u", f"mfspr 3, {number}" + "; li 3, 0" * (name in OWN_PROBES), USER, user)
        table.add(f"spr.{name}.write.u", f"mtspr {number}, 3", USER, user, r3=0)


def user_readable_probes(table):
    """SPRG4-7 by the numbers that user state may read, and the time base, which must not run backwards."""
    for index in range(4, 8):
        for msr in (SUPERVISOR, USER):
            table.add(f"alias.sprg{index}{state_suffix(msr)}",
                      f"mfspr 4, {0x100 + index}" if msr & PR else f"mtspr {0x110 + index}, 3; mfspr 4, {0x100 + index}",
                      msr, r3=0x44440000 + index)
    for msr in (SUPERVISOR, USER):
        table.add(f"tb.forward{state_suffix(msr)}", "mftb 3; nop; nop; nop; nop; mftb 4; subf 4, 3, 4; cmpwi 4, 0; "
                  "li 3, 0; li 4, 0", msr)
        table.add(f"tb.write_alias{state_suffix(msr)}", "mtspr 268, 3", msr, ANY)


# --- exceptions ----------------------------------------------------------------------------------------------------

SYNCHRONOUS = {             # name: (code, vector)
    "sc": ("sc; nop", 0xC00),
    "trap": ("nop; trap", 0x700),
    "illegal": ("nop; .long 0", 0x700),
    "privileged": ("nop; mfmsr 3", 0x700),
    "alignment": ("lwarx 3, 0, 4", 0x600),
}


def synchronous_probes(table):
    """Each class in each MSR pattern; trap conditions; misaligned accesses."""
    for name, (code, vector) in SYNCHRONOUS.items():
        for msr in msr_patterns():
            if name == "privileged" and not msr & PR:
                continue
            table.add(f"sync.{name}.m{msr:08X}", code, msr, vector, r4=SCRATCH + 1)
    for code in ("lwarx 3, 0, 4", "stwcx. 3, 0, 4", "lwz 3, 0(4)", "lhz 3, 0(4)", "stw 3, 0(4)", "sth 3, 0(4)",
                 "lmw 28, 0(4)", "stmw 28, 0(4)", "dcbz 0, 4"):
        for offset in (1, 2, 3):
            for msr in (SUPERVISOR, USER):
                table.add(f"align.{code.split()[0]}.{offset}{state_suffix(msr)}", code, msr, ANY, r4=SCRATCH + offset)
    for to in (0, 1, 2, 4, 8, 16, 31):
        for label, left, right in (("lt", -5, 5), ("eq", 5, 5), ("gt", 5, -5)):
            for msr in (SUPERVISOR, USER):
                table.add(f"trap.tw{to}.{label}{state_suffix(msr)}", f"tw {to}, 3, 4", msr, ANY, r3=left, r4=right)
                table.add(f"trap.twi{to}.{label}{state_suffix(msr)}", f"twi {to}, 3, {right}", msr, ANY, r3=left)
    for value in (0x00010000, 0x0001FFFF):
        for msr in (SUPERVISOR, USER):
            move = f"mtspr {SPRN['evpr']}, 3; mtspr {SPRN['srr0']}, 6; mtspr {SPRN['srr1']}, 5; rfi"
            for name, (code, vector) in SYNCHRONOUS.items():
                if name == "privileged" and not msr & PR:
                    continue
                table.add(f"evpr.{name}.{value:08X}{state_suffix(msr)}", f"{move}; {code}", SUPERVISOR, vector + 1,
                          r3=value, r4=SCRATCH + 1, r5=msr, r6=SNIPPET + 16)


def raise_line(board, critical):
    """Enable the line of r3 and make it pending."""
    controller = board.controller
    return (controller.make_critical(3) if critical else []) + [controller.enable(3), controller.raise_lines(3)]


def irq_probes(table):
    """External and critical interrupts: enabled by each instruction that can, masked by each bit that can."""
    board, controller = table.board, table.board.controller
    controller.register_probes(table)
    stop = "b ."
    for critical, vector, bit in ((0, 0x500, EE), (1, 0x100, CE)):
        if critical and not controller.critical:
            continue
        name = "crit" if critical else "ext"
        make = controller.make_critical("3") if critical else []
        pend = raise_line(board, critical)
        for line in (0x10000000, 0x01000000, 0x00000001):
            table.add(f"{name}.mtmsr.{line:08X}", pend + ["mtmsr 4", stop], SUPERVISOR, vector, CLEAN, r3=line, r4=bit | ME)
        for msr in msr_patterns():
            if msr & ~(CE | EE | PR | ME | DE | FP | DWE):
                continue
            there = pend + [f"ori 5, 5, SNIPPET + 1f - here; mtspr {SPRN['srr0']}, 5; mtspr {SPRN['srr1']}, 4; rfi; trap",
                            "1:"]
            if msr & bit:
                table.add(f"{name}.rfi.m{msr:08X}", there + [stop], SUPERVISOR, vector, CLEAN, r3=0x10000000, r4=msr, r5=0)
            else:
                table.add(f"{name}.masked.m{msr:08X}", there, SUPERVISOR, 0, CLEAN, "sc", r3=0x10000000, r4=msr, r5=0)
        table.add(f"{name}.rfci", pend + [f"ori 5, 5, SNIPPET + 1f - here; mtspr {SPRN['srr2']}, 5; "
                                          f"mtspr {SPRN['srr3']}, 4; rfci; trap", "1: " + stop],
                  SUPERVISOR, vector, CLEAN, r3=0x10000000, r4=bit | ME, r5=0)
        table.add(f"{name}.disabled", [*(controller.make_critical("5") if controller.critical else []), controller.raise_lines(3),
                                       "mtmsr 4; nop; mtmsr 6"], SUPERVISOR, 0, CLEAN,
                  r3=0x10000000, r4=CE | EE | ME, r5=0x10000000 * critical, r6=ME)
        table.add(f"{name}.late", make + ["mtmsr 4", controller.enable(3), controller.raise_lines(3), stop],
                  SUPERVISOR, vector, CLEAN, r3=0x10000000, r4=bit | ME)
        table.add(f"{name}.cleared", pend + [controller.clear(3), "mtmsr 4; nop; mtmsr 6", controller.status(7)], SUPERVISOR, 0,
                  CLEAN, r3=0x10000000, r4=CE | EE | ME, r6=ME)
        table.add(f"{name}.again.1", pend + ["mtmsr 4", stop], SUPERVISOR, vector, CLEAN | KEEP, r3=0x10000000, r4=bit | ME)
        table.add(f"{name}.again.2", "mtmsr 4; b .", SUPERVISOR, vector, KEEP | REAL_TIME, r4=bit | ME)
        table.add(f"{name}.again.3", [controller.clear(3), "mtmsr 4; nop; mtmsr 6"], SUPERVISOR, 0, KEEP, r3=0x10000000,
                  r4=bit | ME, r6=ME)
        for enable, msr in (("mtmsr 4", ME), ("rfi", ME)):
            way = "mtmsr" if enable != "rfi" else "rfi"
            jump = ["mtmsr 4"] if way == "mtmsr" else [
                f"ori 5, 5, SNIPPET + 1f - here; mtspr {SPRN['srr0']}, 5; mtspr {SPRN['srr1']}, 4; rfi; trap"]
            for kind, (code, _) in SYNCHRONOUS.items():
                table.add(f"prio.{name}_before_{kind}.{way}", pend + jump + ["1: " + code.replace("nop; ", "")], msr, vector,
                          CLEAN, r3=0x10000000, r4=bit | ME, r5=0)
    for enable, code in (("wrteei", "wrteei 1"), ("wrtee", "wrtee 4")):
        table.add(f"ext.{enable}", raise_line(board, 0) + [code, stop], SUPERVISOR, 0x500, CLEAN, r3=0x10000000, r4=EE)
    table.add("ext.sc_return", raise_line(board, 0) + ["wrteei 1; wrteei 0", stop], SUPERVISOR, 0x500, CLEAN, r3=0x10000000)


WAIT = "mftb 7; 1: mftb 8; subf 8, 7, 8; cmplw 8, 9; blt 1b; li 7, 0; li 8, 0; mtcrf 0xFF, 10"
ARM = f"mtspr {SPRN['tcr']}, 5; mtspr {SPRN['tsr']}, 6; mtspr {SPRN['pit']}, 3"
TIMER = {"r3": 0x400, "r6": -1, "r9": 0x4000, "r10": CR_SEED}
PIE, ARE, FIE, WIE = 0x04000000, 0x00400000, 0x00800000, 0x08000000


def timer_probes(table):
    """PIT in all its ways, FIT and watchdog. Waiting is by the time base, and its length is not recorded."""
    stop = "b ."
    for msr in (ME, ME | DE, ME | CE, ME | PR, 0):
        table.add(f"pit.oneshot.m{msr:08X}", f"{ARM}; ori 11, 11, SNIPPET + 1f - here; mtspr {SPRN['srr0']}, 11; "
                  f"mtspr {SPRN['srr1']}, 4; rfi; trap; 1: {stop}", SUPERVISOR, 0x1000, CLEAN | TSR, **TIMER, r5=PIE,
                  r4=msr | EE, r11=0)
    table.add("pit.wrteei", f"{ARM}; wrteei 1; {stop}", SUPERVISOR, 0x1000, CLEAN | TSR, **TIMER, r5=PIE)
    table.add("pit.masked", f"{ARM}; {WAIT}", SUPERVISOR, 0, CLEAN | TSR, **TIMER, r5=PIE)
    table.add("pit.pending", f"{ARM}; {WAIT}; wrteei 1; {stop}", SUPERVISOR, 0x1000, CLEAN | TSR, **TIMER, r5=PIE)
    table.add("pit.cleared", f"{ARM}; {WAIT}; mtspr {SPRN['tsr']}, 6; wrteei 1; nop; wrteei 0", SUPERVISOR, 0, CLEAN | TSR,
              **TIMER, r5=PIE)
    table.add("pit.not_cleared_by_zero", f"{ARM}; {WAIT}; li 6, 0; mtspr {SPRN['tsr']}, 6", SUPERVISOR, 0, CLEAN | TSR, **TIMER,
              r5=PIE)
    table.add("pit.pie_off", f"{ARM}; {WAIT}; wrteei 1; {WAIT}; wrteei 0", SUPERVISOR, 0, CLEAN | TSR, **TIMER, r5=0)
    table.add("pit.stopped", f"{ARM}; li 3, 0; mtspr {SPRN['pit']}, 3; wrteei 1; {WAIT}; wrteei 0", SUPERVISOR, 0,
              CLEAN | TSR, **TIMER, r5=PIE)
    table.add("pit.once", f"{ARM}; {WAIT}; mtspr {SPRN['tsr']}, 6; {WAIT}", SUPERVISOR, 0, CLEAN | TSR, **TIMER, r5=PIE)
    table.add("pit.reload.1", f"{ARM}; wrteei 1; {stop}", SUPERVISOR, 0x1000, CLEAN | KEEP | TSR, **TIMER, r5=PIE | ARE)
    for number in (2, 3, 4):
        table.add(f"pit.reload.{number}", f"mtspr {SPRN['tsr']}, 6; wrteei 1; {stop}", SUPERVISOR, 0x1000, KEEP | TSR, r6=-1)
    table.add("pit.reload.bound", f"mfspr 4, {SPRN['pit']}; cmplwi 4, 0x400; li 4, 0; crclr 2; crclr 0; crclr 1",
              SUPERVISOR, 0, KEEP)
    table.add("pit.reload.stop", f"li 3, 0; mtspr {SPRN['pit']}, 3; mtspr {SPRN['tsr']}, 6; wrteei 1; {WAIT}; wrteei 0",
              SUPERVISOR, 0, TSR, **TIMER)
    table.add("pit.again", f"{ARM}; wrteei 1; {stop}", SUPERVISOR, 0x1000, CLEAN | KEEP, **TIMER, r5=PIE)
    # An event that is over when PIT is written again counts, however short: nothing may be lost between two writes.
    for before in (0x10, 0x40, 0x100, 0x180):
        table.add(f"pit.rewritten.{before:03X}", f"{ARM}; {WAIT}; lis 3, 0x7000; mtspr {SPRN['pit']}, 3; mfspr 4, {SPRN['tsr']}; "
                  f"rlwinm 4, 4, 0, 4, 4; li 3, 0; mtspr {SPRN['pit']}, 3", SUPERVISOR, 0, CLEAN | TSR,
                  **{**TIMER, "r3": before, "r9": before + 0x10}, r5=PIE)
    # The longest time of all: 12.9 s of guest time, spent waiting.
    table.add("pit.longest", f"{ARM}; mtmsr 4; {stop}", SUPERVISOR, 0x1000, CLEAN | TSR, **{**TIMER, "r3": -1}, r5=PIE,
              r4=WE | EE | ME)
    table.add("pit.still_pending", f"wrteei 1; {WAIT}; wrteei 0", SUPERVISOR, ANY, TSR, **TIMER)
    idle_probes(table)
    priority_probes(table)
    table.add("fit", f"mtspr {SPRN['tcr']}, 5; mtspr {SPRN['tsr']}, 6; wrteei 1; {WAIT}; wrteei 0", SUPERVISOR, ANY,
              CLEAN, **TIMER, r5=FIE)
    table.add("watchdog", f"mtspr {SPRN['tcr']}, 5; mtspr {SPRN['tsr']}, 6; mtmsr 4; {WAIT}; mtmsr 12", SUPERVISOR, ANY,
              CLEAN, **{**TIMER, "r9": 0x60000}, r5=WIE, r4=CE | ME, r12=ME)


def idle_probes(table):
    """MSR[WE]: entered by mtmsr and rfi, ended by each interrupt; SRR1 keeps WE, the handler's MSR does not have it."""
    stop = "b ."
    for name, msr in (("mtmsr", WE | EE | ME), ("with_ce", WE | EE | CE | ME), ("with_de", WE | EE | DE | ME)):
        table.add(f"idle.{name}", f"{ARM}; mtmsr 4; {stop}", SUPERVISOR, 0x1000, CLEAN | TSR, **TIMER, r5=PIE, r4=msr)
    for name, msr in (("rfi", WE | EE | ME), ("rfi_user", WE | EE | ME | PR)):
        table.add(f"idle.{name}", f"{ARM}; ori 11, 11, SNIPPET + 1f - here; mtspr {SPRN['srr0']}, 11; "
                  f"mtspr {SPRN['srr1']}, 4; rfi; trap; 1: {stop}", SUPERVISOR, 0x1000, CLEAN | TSR, **TIMER, r5=PIE,
                  r4=msr, r11=0)
    table.add("idle.pending_ext", raise_line(table.board, 0) + ["mtmsr 4", stop], SUPERVISOR, 0x500, CLEAN, r3=0x10000000,
              r4=WE | EE | ME)
    if table.board.controller.critical:
        table.add("idle.pending_crit", raise_line(table.board, 1) + ["mtmsr 4", stop], SUPERVISOR, 0x100, CLEAN, r3=0x10000000,
                  r4=WE | CE | ME)


def priority_probes(table):
    """Several interrupts at once: the chip takes critical input first, then external, then the PIT."""
    controller = table.board.controller
    pend = [*(controller.make_critical(11) if controller.critical else []), controller.enable(12), controller.raise_lines(12),
            f"{ARM}; {WAIT}; mtmsr 4; b ."]
    for name, cr, lines, msr, vector in (("crit_ext_pit", 0x08000000, 0x18000000, CE | EE | ME, ANY),
                                         ("crit_pit", 0x08000000, 0x08000000, CE | EE | ME, ANY),
                                         ("ext_pit", 0, 0x10000000, EE | ME, 0x500),
                                         ("ext_pit_crit_masked", 0x08000000, 0x18000000, EE | ME, 0x500),
                                         ("crit_only_enabled", 0x08000000, 0x18000000, CE | ME, 0x100)):
        if cr and not controller.critical:
            continue
        table.add(f"prio.{name}", pend, SUPERVISOR, vector, CLEAN, **{**TIMER, "r9": 0x800000}, r4=msr, r5=PIE, r11=cr,
                  r12=lines)


def uartlite_probes(table):
    """A UartLite in words: its status, and what its control register does."""
    for value in (0x10, 0x00, 0x13, 0x03, 0xFFFFFFE0):
        table.add(f"uart.ctrl.{value:02X}", "stw 4, 12(3); lwz 5, 8(3); li 4, 0; stw 4, 12(3); lwz 6, 8(3)", flags=CLEAN,
                  r3=table.board.uart, r4=value)
    for register in some_registers("uart"):
        address = other(register)
        table.add(f"uart.reg{register}", f"lwz {register}, 8({address}); lbz {register}, 11({address})",
                  **{name_of(address): table.board.uart, name_of(register): 0x1234567A})
    for name, code in (("lwzu", "lwzu 4, 8(3)"), ("lwzx", "lwzx 4, 3, 5"), ("lwzux", "lwzux 4, 3, 5"), ("lhz", "lhz 4, 10(3)"),
                       ("lbzx", "lbzx 4, 3, 6"), ("stwx", "stwx 7, 3, 8; lwz 4, 8(3); stwx 9, 3, 8")):
        for msr in (SUPERVISOR, USER):
            table.add(f"uart.{name}{state_suffix(msr)}", code, msr, flags=CLEAN, r3=table.board.uart, r5=8, r6=11, r7=0x10, r8=12,
                      r9=0)


def device_probes(table):
    """The console's UART: every byte access with every kind of addressing, its registers."""
    if not table.board.stride:
        uartlite_probes(table)
        return
    put, uart, reg = 0x5C, table.board.uart, table.board.reg
    dll, ier, lcr, mcr, lsr, scr = (reg(number) for number in (0, 1, 3, 4, 5, 7))
    base = {"r3": uart, "r5": scr}
    ways = {
        "lbz": f"stb 4, {scr}(3); li 4, 0; lbz 4, {scr}(3)", "lbzx": f"stb 4, {scr}(3); li 4, 0; lbzx 4, 3, 5",
        "lbzu": f"stb 4, {scr}(3); li 4, 0; lbzu 4, {scr}(3)", "lbzux": f"stb 4, {scr}(3); li 4, 0; lbzux 4, 3, 5",
        "stbx": f"stbx 4, 3, 5; li 4, 0; lbz 4, {scr}(3)", "stbu": f"stbu 4, {scr}(3); li 4, 0; lbz 4, 0(3)",
        "stbux": "stbux 4, 3, 5; li 4, 0; lbz 4, 0(3)",
    }
    for msr in (SUPERVISOR, USER):
        for name, code in ways.items():
            table.add(f"uart.{name}{state_suffix(msr)}", code, msr, **base, r4=0xFFFFFF00 | put)
    for register in some_registers("uart"):
        address = other(register)
        operands = {name_of(address): uart, name_of(register): 0x1234567A}
        table.add(f"uart.reg{register}", f"stb {register}, {scr}({address}); li {register}, -1; lbz {register}, {scr}({address})",
                  **operands)
        if register:
            table.add(f"uart.base{register}", f"stb 6, {scr}({register}); lbz 7, {scr}({register})", r6=0x3C,
                      **{name_of(register): uart})
    for value in (0x00, 0xFF, 0x5A):
        table.add(f"uart.scr.{value:02X}", f"stb 4, {scr}(3); lbz 5, {scr}(3)", r3=uart, r4=value)
        table.add(f"uart.ier.{value:02X}", f"stb 4, {ier}(3); lbz 5, {ier}(3); li 6, 0; stb 6, {ier}(3); lbz 7, {ier}(3)",
                  flags=CLEAN, r3=uart, r4=value)
    table.add("uart.divisor", f"lbz 9, {lcr}(3); li 4, 0x83; stb 4, {lcr}(3); li 4, 0x12; stb 4, {dll}(3); li 4, 0x34; "
              f"stb 4, {ier}(3); lbz 5, {dll}(3); lbz 6, {ier}(3); li 4, 3; stb 4, {lcr}(3); lbz 7, {lcr}(3); lbz 8, {ier}(3)",
              flags=CLEAN, r3=uart)
    table.add("uart.mcr", f"li 4, 0x0B; stb 4, {mcr}(3); lbz 5, {mcr}(3); li 4, 0; stb 4, {mcr}(3); lbz 6, {mcr}(3)", r3=uart)
    table.add("uart.idle", f"lbz 4, {lsr}(3); lbz 5, {reg(2)}(3); andi. 4, 4, 0x7F", flags=CLEAN, r3=uart)


def device_interrupt_probes(table):
    """The UART's line. Last of all: from here on Xilinx' controller takes no interrupts from software."""
    board, controller = table.board, table.board.controller
    operands = {"r3": board.uart, "r5": board.line}
    if not board.stride:    # a pulse, when the character has left the FIFO
        sent = f"{controller.inputs()}{controller.enable(5)}; li 4, 0x10; stw 4, 12(3); li 4, 0; stw 4, 4(3)"
        table.add("uart.sent.pending", f"{sent}; {controller.status(6)}; {controller.active(7)}; {controller.clear(5)}; "
                  f"{controller.status(8)}", flags=CLEAN, **operands)
        table.add("uart.sent.interrupt", f"{sent}; wrteei 1; b .", SUPERVISOR, 0x500, CLEAN, **operands)
        table.add("uart.sent.off", f"{sent.replace('0x10', '0')}; {controller.status(6)}", flags=CLEAN, **operands)
        return
    ier, iir = board.reg(1), board.reg(2)
    thre = (f"li 4, 2; stb 4, {ier}(3); {controller.inputs()}{controller.enable(5)}; {controller.status(6)}; "
            f"{controller.active(7)}")
    table.add("uart.thre.pending", f"{thre}; lbz 8, {iir}(3); lbz 9, {iir}(3); li 4, 0; stb 4, {ier}(3)", flags=CLEAN, **operands)
    table.add("uart.thre.interrupt", f"{thre}; wrteei 1; b .", SUPERVISOR, 0x500, CLEAN, **operands)
    if controller.critical:
        table.add("uart.thre.critical", controller.make_critical(5) + [f"{thre}; mtmsr 10; b ."], SUPERVISOR, 0x100, CLEAN,
                  **operands, r10=CE | ME)


def fault_probes(table):
    """Accesses where the board has nothing. QEMU does not support a fetch from there, so only data."""
    for name, address in (("hole", 0x50000000), ("beyond", 0x30000000), ("top", 0xE0000000)):
        for code in ("lwz 4, 0(3)", "lbz 4, 0(3)", "stw 4, 0(3)", "lwzu 4, 4(3)"):
            for msr in (SUPERVISOR, USER):
                table.add(f"fault.{name}.{code.split()[0]}{state_suffix(msr)}", code, msr, ANY, r3=address)


GROUPS = {"sync": synchronous_probes, "irq": irq_probes, "timer": timer_probes, "fault": fault_probes}


def exception_probes(table, rows):
    """Probes of vectors.def: each class is raised, or there is a reason why not."""
    for row in rows:
        name = row.fields[0]
        if name not in VECTORS:
            raise row.error(f"nothing raises the exception `{name}`", "say how in tests/guests/twin/gen.py, VECTORS")
    for group in GROUPS.values():
        group(table)


def known_numbers(isa, spr):
    """What the scans leave out, because the probes do it one by one: SPR numbers, extended opcodes of 31 and 19."""
    def rows_of(opcode):
        return [int(row.fields[2], 0) for row in isa if int(row.fields[1], 0) == opcode]
    # 371 is mftb: its operand field would name a register that does not exist
    tables = {"known_sprs": [int(row.fields[1], 0) for row in spr], "known_xo31": rows_of(31) + [371],
              "known_xo19": rows_of(19)}
    for name, numbers in tables.items():
        yield f"    .section .rodata, \"a\"\n    .globl {name}, {name}_end\n    .balign 2\n{name}:\n"
        yield "".join(f"    .short {number}\n" for number in numbers) + f"{name}_end:\n"


def generate(config, board):
    """The whole source text."""
    isa = read_rows(os.path.join(config, "isa.def"), 6)
    spr = read_rows(os.path.join(config, "spr.def"), 7)
    vectors = read_rows(os.path.join(config, "vectors.def"), 7)
    table = Table(board)
    isa_probes(table, isa)
    spr_probes(table, spr)
    user_readable_probes(table)
    exception_probes(table, vectors)
    device_probes(table)
    mmu.probes(table)
    device_interrupt_probes(table)
    return "".join(list(table.source()) + list(vector_source(vectors)) + list(known_numbers(isa, spr)))


def main():
    """Command line entry."""
    parser = argparse.ArgumentParser(prog="gen.py", description="Generate the twin guest's probes.")
    parser.add_argument("--config", required=True, help="folder of isa.def, spr.def and vectors.def")
    parser.add_argument("--board", choices=BOARDS, default="ref405ep", help="the board")
    parser.add_argument("--out", required=True, help="assembler source to write")
    args = parser.parse_args()
    try:
        text = generate(args.config, BOARDS[args.board])
        folder = os.path.dirname(os.path.abspath(args.out))
        with tempfile.NamedTemporaryFile("w", dir=folder, delete=False) as stream:
            stream.write(text)
        os.replace(stream.name, args.out)
    except TableError as error:
        print(error, file=sys.stderr)
        return 1
    except (OSError, ValueError) as error:
        print(f"{args.out}:1: {error}. hint: check --config and --out", file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
