"""elf.py: a linked 32-bit big-endian PowerPC ELF file: its sections, segments and symbols, and sections behind its end.

Nothing of a file is ever moved. What is added stands behind the original's last byte, with a new table of section headers
that the file header then names; the old header is kept there too, so that restore() gives back every bit.
"""

import bisect
import collections
import fnmatch
import json
import os
import struct
import tempfile
import zlib

from facts import PrevirtError

TABLE = ".proteus.previrt"
UNDO = ".proteus.undo"
# cc.py's records. The linker must take the section for debugging information: then it stays with --gc-sections, and a
# record whose code was discarded becomes zero instead of an error.
SITES = ".debug_proteus_sites"

HEADER = ">16sHHIIIIIHHHHHH"
SECTION = ">10I"
UNDO_HEAD = ">4sIII52s"            # magic, length and CRC-32 of the original, length of the options, its header
UNDO_MAGIC = b"P4UN"
SHT_PROGBITS, SHT_SYMTAB, SHT_NOBITS = 1, 2, 8
SHF_ALLOC, SHF_EXECINSTR, SHF_COMPRESSED = 2, 4, 0x800
SHN_ABS, ELFCOMPRESS_ZLIB = 0xFFF1, 1
PT_LOAD, PF_X, PF_W, PF_R = 1, 1, 2, 4
STT_FUNC, STT_SECTION, STT_FILE = 2, 3, 4
EXPECT = "a 32-bit big-endian PowerPC executable is expected: link it statically"

Section = collections.namedtuple("Section", "name nameoff type flags addr offset size link info align entsize")
Segment = collections.namedtuple("Segment", "type offset vaddr paddr filesz memsz flags align")
Symbol = collections.namedtuple("Symbol", "name value size type shndx")


class Elf:
    """One file, wholly read and checked."""

    def __init__(self, path, data=None):
        self.path = path
        try:
            if data is None:
                with open(path, "rb") as file:
                    data = file.read()
            self.data = data
        except OSError as error:
            raise PrevirtError(f"{path}: {os.strerror(error.errno)}. hint: build it first") from None
        self._header()
        self.segments = [Segment(*self._unpack(">8I", self.phoff + i * self.phentsize, "program header"))
                         for i in range(self.phnum)]
        for s in self.segments:
            if s.type == PT_LOAD and (s.filesz > s.memsz or s.filesz and s.offset + s.filesz > len(self.data)):
                self._fail(f"the segment at 0x{s.vaddr:08X} does not fit into the file", "it is truncated: build it again")
            if s.type == PT_LOAD and (s.vaddr + s.memsz > 1 << 32 or s.paddr + s.memsz > 1 << 32):
                self._fail(f"the segment at 0x{s.vaddr:08X} ends behind the address space", "it is damaged: build it again")
        self.loads = [s for s in self.segments if s.type == PT_LOAD and s.memsz]
        self._sections()
        self.symbols = self._symbols()

    def _fail(self, cause, hint=EXPECT):
        raise PrevirtError(f"{self.path}: {cause}. hint: {hint}")

    def _unpack(self, form, offset, what):
        try:
            return struct.unpack_from(form, self.data, offset)
        except struct.error:
            return self._fail(f"no {what} at byte {offset}", "the file is truncated: build it again")

    def _header(self):
        """The file header."""
        data = self.data
        if len(data) < 52 or data[:4] != b"\x7fELF":
            self._fail("not an ELF file")
        self.header = data[:52]
        (ident, self.type, machine, _, self.entry, self.phoff, self.shoff, _, _, self.phentsize, self.phnum, self.shentsize,
         self.shnum, self.shstrndx) = struct.unpack_from(HEADER, data)
        if ident[4:6] != b"\x01\x02" or machine != 20:
            self._fail("not for a 32-bit big-endian PowerPC")
        if self.type != 2:
            self._fail("not a linked executable")
        if self.shoff == 0 or self.shnum == 0:
            self._fail("no section headers, so code and data cannot be told apart", "take the file before it was stripped")
        if self.shentsize != 40 or (self.phnum and self.phentsize != 32) or self.shstrndx >= self.shnum:
            self._fail("its headers contradict each other", "it is damaged: build it again")

    def _sections(self):
        raw = [self._unpack(SECTION, self.shoff + 40 * i, "section header") for i in range(self.shnum)]
        names = self._bytes(raw[self.shstrndx], "section names")
        self.sections = [Section(self._string(names, r[0]), *r) for r in raw]
        for section in self.sections:
            if section.type not in (0, SHT_NOBITS) and section.offset + section.size > len(self.data):
                self._fail(f"section {section.name} does not fit into the file", "it is truncated: build it again")
        self.code = [s for s in self.sections
                     if s.type == SHT_PROGBITS and s.flags & SHF_EXECINSTR and s.flags & SHF_ALLOC and s.size >= 4]
        for section in self.code:
            if section.addr % 4:
                self._fail(f"section {section.name} has code at an odd address", "it is damaged: build it again")

    def _bytes(self, raw, what):
        if raw[4] + raw[5] > len(self.data):
            self._fail(f"the {what} do not fit into the file", "it is truncated: build it again")
        return self.data[raw[4]:raw[4] + raw[5]]

    def _string(self, names, offset):
        end = names.find(b"\0", offset)
        if offset >= len(names) or end < 0:
            self._fail(f"a name at {offset} of {len(names)} bytes", "it is damaged: build it again")
        return names[offset:end].decode("latin-1")

    def _symbols(self):
        """Defined symbols with a name that are addresses: an absolute one is a number that may look like one."""
        found = []
        for section in self.sections:
            if section.type != SHT_SYMTAB:
                continue
            if section.link >= self.shnum:
                self._fail("a symbol table without names", "it is damaged: build it again")
            names = self.content(self.sections[section.link])
            blob = self.content(section)
            for name, value, size, info, _, shndx in struct.iter_unpack(">IIIBBH", blob[:len(blob) // 16 * 16]):
                if name and shndx not in (0, SHN_ABS) and info & 15 not in (STT_SECTION, STT_FILE):
                    found.append(Symbol(self._string(names, name), value, size, info & 15, shndx))
        return found

    def content(self, section):
        """The bytes of a section, as they were before the linker compressed them."""
        blob = b"" if section.type == SHT_NOBITS else self.data[section.offset:section.offset + section.size]
        try:
            if section.flags & SHF_COMPRESSED:
                if struct.unpack_from(">I", blob)[0] != ELFCOMPRESS_ZLIB:
                    self._fail(f"section {section.name} is compressed, not by zlib", "objcopy --decompress-debug-sections")
                return zlib.decompress(blob[12:])
            if section.name.startswith(".zdebug") and blob[:4] == b"ZLIB":      # GNU's older form
                return zlib.decompress(blob[12:])
        except (struct.error, zlib.error):
            self._fail(f"section {section.name} is damaged", "build it again")
        return blob

    def section(self, name):
        """The section of this name, or None; that of .debug_x may be .zdebug_x."""
        return next((s for s in self.sections if s.name in (name, name.replace(".debug", ".zdebug", 1))), None)

    def segment_of(self, vaddr, size=4):
        """The loadable segment that has these bytes in the file, or None."""
        return next((s for s in self.loads if s.vaddr <= vaddr and vaddr + size <= s.vaddr + s.filesz), None)

    def word(self, vaddr):
        """The word that is loaded at a virtual address, or None."""
        segment = self.segment_of(vaddr)
        return segment and struct.unpack_from(">I", self.data, segment.offset + vaddr - segment.vaddr)[0]

    def virtual(self, paddr):
        """The virtual address of a physical one; what no segment has belongs to the nearest one below."""
        for s in self.loads:
            if s.paddr <= paddr < s.paddr + s.memsz:
                return s.vaddr + paddr - s.paddr
        below = [s for s in self.loads if s.paddr <= paddr]
        return (paddr + below[-1].vaddr - below[-1].paddr if below else paddr) & 0xFFFFFFFF

    def physical(self, vaddr):
        """The reverse."""
        for s in self.loads:
            if s.vaddr <= vaddr < s.vaddr + s.memsz:
                return s.paddr + vaddr - s.vaddr
        below = [s for s in self.loads if s.vaddr <= vaddr]
        return (vaddr + below[-1].paddr - below[-1].vaddr if below else vaddr) & 0xFFFFFFFF


class Names:
    """Symbols by address."""

    def __init__(self, elf):
        code = [(s.addr, s.addr + s.size) for s in elf.code]
        inside = [s for s in elf.symbols if any(low <= s.value < high for low, high in code)]
        inside.sort(key=lambda s: (s.value, s.type == STT_FUNC, s.size))
        self.symbols, self.starts = inside, [s.value for s in inside]
        self.functions = sorted((s for s in inside if s.type == STT_FUNC), key=lambda s: s.value)
        self.function_starts = [s.value for s in self.functions]

    def at(self, address):
        """`symbol+0x8` for an address."""
        i = bisect.bisect_right(self.starts, address)
        if not i:
            return "?"
        symbol = self.symbols[i - 1]
        more = address - symbol.value
        return symbol.name + (f"+0x{more:X}" if more else "")

    def function(self, address):
        """The STT_FUNC symbol whose range has the address, or None."""
        i = bisect.bisect_right(self.function_starts, address) - 1
        while i >= 0 and self.functions[i].value > address - 0x100000:
            if address < self.functions[i].value + self.functions[i].size:
                return self.functions[i]
            if self.functions[i].size:
                break
            i -= 1
        return None

    def named(self, address):
        """The names of an address."""
        low, high = bisect.bisect_left(self.starts, address), bisect.bisect_right(self.starts, address)
        return [s.name for s in self.symbols[low:high]]

    def extents(self, pattern, sections):
        """The ranges of symbols: their size, or up to the next one or the end of the section."""
        found = []
        for i, symbol in enumerate(self.symbols):
            if fnmatch.fnmatchcase(symbol.name, pattern):
                end = next(s.addr + s.size for s in sections if s.addr <= symbol.value < s.addr + s.size)
                after = next((a for a in self.starts[i:] if a > symbol.value), end)
                found.append((symbol.value, symbol.value + symbol.size if symbol.size else min(after, end)))
        return found


def _pad(blob):
    return blob + bytes(-len(blob) % 4)


def with_segments(elf, areas):
    """
    The file with segments of zeros at these (virtual address, bytes): memory for stubs of a program that has no gaps. Behind the
    end of the file, as everything that is added, and so is a longer table of program headers.
    """
    if not areas:
        return elf
    out, headers = _pad(elf.data), [tuple(s) for s in elf.segments]
    for low, size in areas:
        physical = elf.physical(low)
        for s in elf.loads:
            if low < s.vaddr + s.memsz and s.vaddr < low + size or physical < s.paddr + s.memsz and s.paddr < physical + size:
                raise PrevirtError(f"{elf.path}: --segment 0x{low:X}:0x{size:X}: the segment at 0x{s.vaddr:08X} is there. hint: "
                                   "memory that neither the file nor its program uses")
        headers.append((PT_LOAD, len(out), low, physical, size, size, PF_R | PF_X, 4))
        out += bytes(size)
    header = list(struct.unpack(HEADER, elf.header))
    header[5], header[10] = len(out), len(headers)
    if header[9] != 32:
        raise PrevirtError(f"{elf.path}: --segment: no program headers. hint: link it as a program")
    out += b"".join(struct.pack(">8I", *h) for h in headers)
    return Elf(elf.path, struct.pack(HEADER, *header) + out[52:])


def extend(elf, table, options, original=None):
    """The file with the table and what undoes it; `elf` has none. original: its bytes before with_segments()."""
    original = original or elf.data
    text = json.dumps(options, sort_keys=True).encode()
    undo = struct.pack(UNDO_HEAD, UNDO_MAGIC, len(original), zlib.crc32(original), len(text), original[:52]) + text
    names = elf.content(elf.sections[elf.shstrndx])
    if names and names[-1]:
        names += b"\0"
    out = _pad(elf.data)
    new = []
    for name, blob in ((TABLE, table), (UNDO, undo)):
        new.append((len(names), SHT_PROGBITS, 0, 0, len(out), len(blob), 0, 0, 4, 0))
        names += name.encode() + b"\0"
        out += _pad(blob)
    old = list(elf.sections[elf.shstrndx][1:])
    old[4:6] = len(out), len(names)
    headers = [s[1:] for s in elf.sections]
    headers[elf.shstrndx] = tuple(old)
    out += _pad(names)
    header = list(struct.unpack(HEADER, elf.header))
    header[6], header[12] = len(out), elf.shnum + len(new)
    out += b"".join(struct.pack(SECTION, *h) for h in headers + new)
    return struct.pack(HEADER, *header) + out[52:]


def undo_record(elf):
    """(original bytes, options) of a file with a table; None if it has none."""
    section = elf.section(UNDO)
    if section is None:
        if elf.section(TABLE) is not None:
            raise PrevirtError(f"{elf.path}: a table without the record that undoes it. hint: another tool rewrote the file: "
                               "build it again")
        return None
    blob = elf.content(section)
    try:
        magic, length, crc, size, header = struct.unpack_from(UNDO_HEAD, blob)
        options = json.loads(blob[struct.calcsize(UNDO_HEAD):][:size])
        if magic != UNDO_MAGIC or not isinstance(options, dict) or not 52 <= length <= len(elf.data):
            raise ValueError
    except (struct.error, ValueError):
        raise PrevirtError(f"{elf.path}: section {UNDO} is damaged. hint: build the file again") from None
    original = header + elf.data[52:length]
    if zlib.crc32(original) != crc:
        raise PrevirtError(f"{elf.path}: the file was changed after its table was made. hint: build it again, and let fill or "
                           "elf be the last step")
    return original, options


def write_file(path, blob, mode_of=None):
    """All of it or nothing; with the permissions of another file."""
    folder = os.path.dirname(os.path.abspath(path))
    try:
        handle, name = tempfile.mkstemp(dir=folder, prefix=".previrt")
        try:
            with os.fdopen(handle, "wb") as file:
                file.write(blob)
            mode = os.stat(mode_of).st_mode & 0o777 if mode_of else 0o755
            os.chmod(name, mode)
            os.replace(name, path)
        except BaseException:
            os.unlink(name)
            raise
    except OSError as error:
        raise PrevirtError(f"{path}: {os.strerror(error.errno)}. hint: choose a folder that can be written") from None
