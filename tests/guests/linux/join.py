#!/usr/bin/python3
"""Add the segments of one executable to another, whose sections and symbols stay as they are.

  join.py --entry vmlinux
      prints the physical address of its entry
  join.py vmlinux boot.elf --spare 0x7EA000:0x14000 --out linux.elf
      vmlinux with boot.elf's loadable segment and entry; QEMU loads it with -kernel, tools/pack.py as a VM's image

The added segment goes to its physical address, where nothing of the first executable may be. --spare adds a segment of
zeros as well, for the stubs of previrt/: at this physical address, and at the virtual one that the kernel gives it.
Exit status: 0; 1 for a bad input; 2 for wrong usage.
"""

import argparse
import os
import struct
import sys
import tempfile

from elftools.common.exceptions import ELFError
from elftools.elf.elffile import ELFFile

HEADER = struct.Struct(">16sHHIIIIIHHHHHH")         # Elf32_Ehdr
ENTRY, PHOFF, PHNUM = 4, 5, 10                      # fields of it
SEGMENT = struct.Struct(">8I")                      # Elf32_Phdr: type, offset, vaddr, paddr, filesz, memsz, flags, align
PT_LOAD, PF_X, PF_RX = 1, 1, 5


class InputError(Exception):
    """What is wrong, as a line to print."""


class Executable:
    """The bytes of an ELF file, its entry and its loadable segments."""

    def __init__(self, path):
        self.path = path
        try:
            with open(path, "rb") as file:
                self.data = file.read()
                file.seek(0)
                elf = ELFFile(file)
                if (elf.elfclass, elf.little_endian, elf["e_type"], elf["e_machine"]) != (32, False, "ET_EXEC", "EM_PPC"):
                    raise InputError(f"{path}: not a 32-bit PowerPC executable. hint: link it with -static -no-pie")
                self.segments = [s.header for s in elf.iter_segments() if s["p_type"] == "PT_LOAD"]
                self.entry = elf["e_entry"]
        except OSError as error:
            raise InputError(f"{path}: can't be read: {error.strerror}. hint: build it first") from None
        except (ELFError, ValueError, KeyError, AttributeError) as error:
            raise InputError(f"{path}: not a sound ELF file: {error}. hint: build it again") from None

    def physical_entry(self):
        """Where the entry is before address translation is on."""
        for segment in self.segments:
            if 0 <= self.entry - segment["p_vaddr"] < segment["p_memsz"]:
                return self.entry - segment["p_vaddr"] + segment["p_paddr"]
        raise InputError(f"{self.path}: its entry 0x{self.entry:08X} is in no segment. hint: see ENTRY in its linker script")


def check_apart(segments, added, path):
    """A segment that is added lies outside all others."""
    for low, high in sorted((s["p_paddr"], s["p_paddr"] + s["p_memsz"]) for s in segments):
        start, end = added["p_paddr"], added["p_paddr"] + added["p_memsz"]
        if start < high and low < end:
            raise InputError(f"{path}: its segment at 0x{low:08X}-0x{high - 1:08X} leaves no place at 0x{start:08X}. "
                             "hint: take options out of the kernel's configuration, or give it more memory")


def spare_segment(first, place):
    """The header of a segment of zeros: executable, and as far from its physical address as the code of `first`."""
    address, size = place
    code = [s for s in first.segments if s["p_flags"] & PF_X]
    if len(code) != 1:
        raise InputError(f"{first.path}: {len(code)} executable segments. hint: --spare needs one, to know where it is")
    virtual = address + code[0]["p_vaddr"] - code[0]["p_paddr"] & 0xFFFFFFFF
    return {"p_vaddr": virtual, "p_paddr": address, "p_filesz": size, "p_memsz": size}


def joined(first, second, spare=None):
    """The bytes of `first` with the one segment of `second`, and its entry; spare: (address, size) of zeros."""
    if len(second.segments) != 1:
        raise InputError(f"{second.path}: it has {len(second.segments)} loadable segments. hint: one section is enough")
    own = dict(second.segments[0])
    more = [(own | {"p_vaddr": own["p_paddr"]}, second.data[own["p_offset"]:own["p_offset"] + own["p_filesz"]])]
    if spare:
        more.append((spare_segment(first, spare), bytes(spare[1])))
    placed = list(first.segments)
    for segment, _ in more:
        check_apart(placed, segment, first.path)
        placed.append(segment)
    data = bytearray(first.data)
    header = list(HEADER.unpack_from(data))
    table = data[header[PHOFF]:header[PHOFF] + header[PHNUM] * SEGMENT.size]
    data += bytes(-len(data) % 16)
    header[PHOFF], header[ENTRY] = len(data), second.physical_entry()
    header[PHNUM] += len(more)
    contents = len(data) + len(table) + len(more) * SEGMENT.size
    for segment, content in more:
        place_and_size = (segment[f"p_{key}"] for key in ("vaddr", "paddr", "filesz", "memsz"))
        table += SEGMENT.pack(PT_LOAD, contents, *place_and_size, PF_RX, 4)
        contents += len(content)
    HEADER.pack_into(data, 0, *header)
    return b"".join((data, table, *(content for _, content in more)))


def place(text):
    """Argument type ADDRESS:SIZE, in whole words."""
    try:
        address, size = (int(part, 0) for part in text.split(":"))
    except ValueError:
        raise argparse.ArgumentTypeError(f"{text}: write ADDRESS:SIZE") from None
    if address % 4 or size % 4 or not 0 <= address < address + size <= 1 << 32:
        raise argparse.ArgumentTypeError(f"{text}: whole words of 32-bit memory are expected")
    return address, size


def write(path, data):
    """All of the file or nothing."""
    try:
        with tempfile.NamedTemporaryFile(dir=os.path.dirname(path) or ".", delete=False) as file:
            try:
                file.write(data)
                os.chmod(file.name, 0o644)
                os.replace(file.name, path)
            except OSError:
                os.unlink(file.name)
                raise
    except OSError as error:
        raise InputError(f"{path}: can't be written: {error.strerror}. hint: check space and permissions") from None


def main():
    """Command line."""
    parser = argparse.ArgumentParser(description="Add the segment of one executable to another.")
    parser.add_argument("--entry", action="store_true", help="print the physical address of the entry")
    parser.add_argument("--out", help="the joined executable")
    parser.add_argument("--spare", type=place, metavar="ADDRESS:SIZE", help="also zeros at this physical address")
    parser.add_argument("elf", nargs="+", help="executables: first the one that is added to")
    options = parser.parse_args()
    if len(options.elf) != (1 if options.entry else 2) or bool(options.out) == options.entry:
        parser.error("one executable with --entry, two with --out")
    try:
        if options.entry:
            print(f"0x{Executable(options.elf[0]).physical_entry():08X}")
        else:
            write(options.out, joined(*map(Executable, options.elf), options.spare))
    except InputError as error:
        print(error, file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
