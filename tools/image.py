"""image.py: what an ELF file tells about itself: an image of the hypervisor, or a guest. Names for addresses.

A file that is no ELF file, or a machine without pyelftools, tells nothing: what is made of it is for people only.
"""

import bisect
import collections
import functools
import os
import struct

SHF_ALLOC = 2
Section = collections.namedtuple("Section", "start size offset memory bytes")


class Image:
    """Sections and symbols of one ELF file; none if there is no such file."""

    def __init__(self, path):
        self.path, self.sections = path, {}
        self.sound = self._read(self._read_section)

    def _read(self, what):
        """Hand each section of the file to a function. False: no sound ELF file."""
        try:
            from elftools.common.exceptions import ELFError
            from elftools.elf.elffile import ELFFile
        except ImportError:
            return False
        try:
            with open(self.path, "rb") as file:
                for section in ELFFile(file).iter_sections():
                    what(section)
        except (OSError, ELFError, UnicodeDecodeError, ValueError, KeyError, AttributeError, OverflowError, TypeError):
            return False
        return True

    def _read_section(self, section):
        self.sections[section.name] = Section(section["sh_addr"], section["sh_size"], section["sh_offset"],
                                              section["sh_flags"] & SHF_ALLOC, section["sh_type"] == "SHT_PROGBITS")

    @functools.cached_property
    def symbols(self):
        """{name: (address, is it a place in the code?)}"""
        return {name: (symbol["st_value"], symbol["st_info"]["type"] in ("STT_FUNC", "STT_NOTYPE"))
                for name, symbol in self._symtab.items()}

    @functools.cached_property
    def sizes(self):
        """{name: bytes}"""
        return {name: symbol["st_size"] for name, symbol in self._symtab.items()}

    @functools.cached_property
    def _symtab(self):
        found = {}

        def read(section):
            found.update((symbol.name, symbol.entry) for symbol in (section.iter_symbols() if section.name == ".symtab" else ())
                         if symbol.name and isinstance(symbol["st_shndx"], int))
        self._read(read)
        return found

    @functools.cached_property
    def order(self):
        """(address, name) of places in the code, ascending; of several names of a place the plainest first."""
        return sorted(((address, name) for name, (address, code) in self.symbols.items() if code),
                      key=lambda pair: (pair[0], pair[1].startswith((".", "$")), pair[1]))

    def is_hypervisor(self):
        """Is this an image with guests, and no guest?"""
        return ".vcpu" in self.sections

    def address(self, name):
        """Of a symbol; KeyError if there is none."""
        return self.symbols[name][0]

    def _section(self, address):
        """The section in memory that has this address, or None."""
        return next((s for s in self.sections.values() if s.memory and s.start <= address < s.start + s.size), None)

    def words(self, section, first=0, count=None):
        """Words of a section, from this offset on."""
        with open(self.path, "rb") as file:
            file.seek(section.offset + first)
            data = file.read(4 * count if count else section.size - first)
        return struct.unpack(f">{len(data) // 4}I", data[:len(data) // 4 * 4])

    def word(self, address):
        """The word that the file has for an address, or None."""
        section = self._section(address)
        if not section or not section.bytes or address % 4 or address + 4 > section.start + section.size:
            return None
        return self.words(section, address - section.start, 1)[0]

    def name_of(self, address):
        """`name` or `name+0x10`, by the last symbol before an address in its section; or ""."""
        section = self._section(address)
        at = bisect.bisect_right(self.order, address, key=lambda pair: pair[0]) - 1
        if not section or at < 0 or self.order[at][0] < section.start:
            return ""
        start = self.order[at][0]
        name = next(name for place, name in self.order if place == start)       # the first of several
        return name + (f"+0x{address - start:x}" if address != start else "")


@functools.lru_cache(maxsize=16)
def _of_version(path, _):
    return Image(path)


def of(path):
    """The image of a file, read once."""
    return _of_version(path, os.stat(path).st_mtime_ns if os.path.exists(path) else None)


def of_run(image=None, rom=None):
    """The ELF file of what QEMU runs: of a ROM, the one beside it."""
    return of(image or os.path.splitext(rom)[0] + ".elf")


def speakers(image, names):
    """Whose tags a console's lines may have (console.py): `names` by the partition table, or anybody's, or nobody's."""
    if names:
        return names
    return () if image.sound and not image.is_hypervisor() else None
