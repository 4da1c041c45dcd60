"""code.py: the hypervisor's instructions of a linked image, as far as a graph of them asks: branches, stores of r1, costs, lines.

Costs in instructions are those of the plugin (tools/plugin): 1, and of an lmw or stmw its words. Costs in cycles are at least
those of its model (timing.h): every load is used at once, every branch is guessed wrong.
"""

import bisect
import os
import struct

from kconfig import InputError, fault

EXECUTABLE, IN_MEMORY = 4, 2
GUESTS = ".images"
LOAD_USE, TAKEN, MISPREDICT, REGISTER, ENTRY = 1, 1, 2, 2, 5
CYCLES_31 = {150: 2, 323: 3, 451: 3, 131: 5, 146: 5, 163: 5, 11: 4, 75: 4, 235: 4, 747: 4, 459: 35, 491: 35, 971: 35, 1003: 35}
LOADS_31 = (20, 23, 55, 87, 119, 279, 311, 343, 375, 534, 790)
STRINGS = (533, 597, 661, 725)


def signed(value, bits):
    """A field as a signed number."""
    return value - (1 << bits) if value >> bits - 1 else value


class Insn:
    """One word. kind: plain, jump (b), branch (bc), call (bl), indirect (blrl, bctrl), goto (bctr), return (blr), leave (rfi)."""

    def __init__(self, at, word):
        self.at, self.word, self.op, self.xo = at, word, word >> 26, word >> 1 & 0x3FF
        self.target, self.kind, self.conditional = None, "plain", False
        self.words = 32 - (word >> 21 & 31) if self.op in (46, 47) else 1
        if self.op == 31 and self.xo in STRINGS:
            self.words = 8
        if self.op == 18:
            self.target = ((0 if word & 2 else at) + signed(word & 0x03FFFFFC, 26)) & 0xFFFFFFFF
            self.kind = "call" if word & 1 else "jump"
        elif self.op == 16:
            self.target = ((0 if word & 2 else at) + signed(word & 0xFFFC, 16)) & 0xFFFFFFFF
            self.conditional = word & 0x02800000 != 0x02800000
            self.kind = "call" if word & 1 else "branch" if self.conditional else "jump"
        elif self.op == 19 and self.xo in (16, 528):
            self.conditional = word & 0x02800000 != 0x02800000
            self.kind = "indirect" if word & 1 else "return" if self.xo == 16 else "goto"
        elif self.op == 19 and self.xo in (50, 51):
            self.kind = "leave"

    @property
    def cycles(self):
        """At most, with what the next instruction may cost more because of it."""
        if self.op in (16, 18):
            return 1 + (MISPREDICT if self.conditional else TAKEN)
        if self.op == 19:
            return 1 + REGISTER if self.xo in (16, 528) else 5 if self.xo in (50, 51, 150) else 1
        if self.op == 31:
            return CYCLES_31.get(self.xo, self.words) + (LOAD_USE if self.xo in LOADS_31 else 0)
        loads = self.op == 46 or 32 <= self.op <= 35 or 40 <= self.op <= 43
        return (2 if self.op == 7 else self.words) + (LOAD_USE if loads else 0)

    @property
    def frame(self):
        """Bytes by which stwu r1 moves the stack; None of a move by a register."""
        if self.op == 37 and self.word >> 16 & 0x3FF == 0x21:
            return -signed(self.word & 0xFFFF, 16)
        if self.op == 31 and self.xo == 183 and self.word >> 16 & 31 == 1:
            return None
        return 0


class Code:
    """All of an image: {address: Insn}, its symbols and the source lines."""

    def __init__(self, path):
        try:
            from elftools.common.exceptions import ELFError
            from elftools.elf.elffile import ELFFile
        except ImportError:
            raise InputError(fault(path, None, "the Python module elftools is missing",
                                   "apt-get install python3-pyelftools")) from None
        self.path, self.insns, self.symbols, self.sizes, self.lines, self.data = path, {}, {}, {}, {}, []
        self.sections = {}
        try:
            with open(path, "rb") as file:
                elf = ELFFile(file)
                self._read(elf)
                if elf.has_dwarf_info():
                    self._read_lines(elf.get_dwarf_info())
        except (OSError, ELFError) as error:
            cause = os.strerror(error.errno) if isinstance(error, OSError) else f"not an ELF file: {error}"
            raise InputError(fault(path, None, f"can't read the image: {cause}", "build it first: make bounds")) from None
        if not self.insns:
            raise InputError(fault(path, None, "no executable section", "is it a linked hypervisor image?"))

    def _read(self, elf):
        for section in elf.iter_sections():
            flags, start = section["sh_flags"], section["sh_addr"]
            self.sections[section.name] = section["sh_size"]
            if flags & IN_MEMORY and section["sh_type"] == "SHT_PROGBITS" and section.name != GUESTS:
                data = section.data()
                self.data.append((start, data))
                if flags & EXECUTABLE:
                    for at, (word,) in enumerate(struct.iter_unpack(">I", data[:len(data) // 4 * 4])):
                        self.insns[start + 4 * at] = Insn(start + 4 * at, word)
        table = elf.get_section_by_name(".symtab")
        for symbol in table.iter_symbols() if table else ():
            kind = symbol["st_info"]["type"]
            if symbol.name and symbol["st_shndx"] != "SHN_UNDEF" and kind in ("STT_FUNC", "STT_NOTYPE", "STT_OBJECT"):
                self.symbols[symbol.name] = symbol["st_value"]
                self.sizes[symbol.name] = symbol["st_size"]
        functions = {at: name for name, at in self.symbols.items() if at in self.insns and not name.startswith((".", "$"))
                     and (self.sizes[name] or not name.startswith("spr_row"))}
        self.names = dict(sorted(functions.items()))
        self.starts = sorted(at for at in functions)

    def _read_lines(self, dwarf):
        rows = []
        for unit in dwarf.iter_CUs():
            program = dwarf.line_program_for_CU(unit)
            if program:
                files, folders = program["file_entry"], program["include_directory"]
                new = program["version"] >= 5
                for entry in program.get_entries():
                    state = entry.state
                    if state:
                        rows.append((state.address, state.end_sequence, files, folders, new, state.file, state.line))
        rows.sort(key=lambda row: (row[0], not row[1]))
        for row, following in zip(rows, [*rows[1:], None]):
            address, end, files, folders, new, number, line = row
            if end or not following:
                continue
            entry = files[number if new else number - 1]
            folder = folders[entry.dir_index if new else entry.dir_index - 1] if new or entry.dir_index else b""
            name = entry.name if entry.name.startswith(b"/") or b"/" in entry.name else os.path.join(folder, entry.name)
            place = (os.path.normpath(name.decode()), line)
            for at in range(address & ~3, max(following[0], address + 1), 4):     # of several at a place, all
                self.lines.setdefault(at, []).append(place)

    def name_of(self, at):
        """`name` or `name+0x10`."""
        index = bisect.bisect_right(self.starts, at) - 1
        if index < 0:
            return f"0x{at:x}"
        start = self.starts[index]
        return self.names[start] + (f"+0x{at - start:x}" if at != start else "")

    def place_of(self, at):
        """file:line of an instruction, or ""."""
        places = self.lines.get(at, [])
        return f"{places[-1][0]}:{places[-1][1]}" if places else ""

    def where(self, at):
        """Both, for messages."""
        return " ".join(filter(None, (self.name_of(at), self.place_of(at))))

    def refuse(self, at, cause, hint):
        """An error at an instruction, as the source's line if it is known."""
        places = self.lines.get(at, [])
        path, line = places[-1] if places else (self.path, None)
        raise InputError(fault(path, line, f"{self.name_of(at)}: {cause}", hint))
