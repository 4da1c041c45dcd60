#!/usr/bin/python3
"""Combine the hypervisor with the guests' ELF files.

  pack.py --partitions build/demo/gen/partitions.json --guest-dir build/guests --out build/demo/images.S
      checks each guest and writes an assembler file with the table vm_image (src/vm/partition.h) and the guests' bytes
  pack.py ... --hypervisor build/demo/proteus.o --script build/demo/link.ld --out build/demo/proteus.elf
      the same, then assembles and links it with a prebuilt hypervisor ($CROSS_COMPILE, default powerpc-linux-gnu-)
  pack.py --partitions ... --image build/demo/proteus.elf
      checks an image that something else linked
  pack.py --partitions ... --guest-dir config/demo --list-missing
      prints the images that are in none of the folders, and not given
  ... --bin rom.bin [--size 0x80000] [--images images.bin]
      also writes the flat ROM image, which ends at the end of the address space; what is loaded into RAM goes to --images

A guest is a 32-bit big-endian PowerPC executable anywhere in its partition's memory: `--guest name=path` for a VM, or
the `image` of the partition file, searched in every --guest-dir. Its physical addresses (p_paddr) count. Of a VM with
`previrt = true` the image's pre-virtualization table (section .proteus.previrt) is taken along.
"""

import sys

sys.dont_write_bytecode = True      # generated files belong under build/ only

import argparse
import contextlib
import hashlib
import json
import os
import re
import struct
import subprocess
import tempfile

from kconfig import InputError, fault, guess, read_text, run_tool, write_if_changed
from partitions.ranges import abi, overlap, show_range

SPACE = 1 << 32
PF_X = 1
REGISTERS = ("r3", "r4", "r5", "r6", "r7")
EXPECT = "a guest is a 32-bit big-endian PowerPC executable"


class Piece:
    """Bytes of a file that go to a place in memory: a loadable segment, or a blob."""

    def __init__(self, path, offset, filesz, memsz, paddr, vaddr=None, executable=False, what="segment"):
        self.path, self.offset, self.filesz, self.memsz = path, offset, filesz, memsz
        self.paddr, self.vaddr, self.executable, self.what = paddr, vaddr, executable, what


@contextlib.contextmanager
def blame(vm, source, line):
    """What is wrong with a file that a VM names is reported at the line of the partition file that names it."""
    try:
        yield
    except InputError as error:
        raise InputError(*(f"{source}:{line}: vm '{vm['name']}': {text}" for text in error.lines)) from None


def file_size(path, what, hint):
    """The size of a file that has to be there and hold something."""
    try:
        with open(path, "rb"):
            size = os.path.getsize(path)
    except OSError as error:
        raise InputError(fault(path, None, f"can't read the {what}: {os.strerror(error.errno)}", hint)) from None
    if size == 0:
        raise InputError(fault(path, None, f"the {what} is empty", hint))
    return size


def read_elf(path, what="guest"):
    """(entry, [Piece]) of an executable; its header and its segments are checked against each other and the file."""
    try:
        from elftools.common.exceptions import ELFError
        from elftools.elf.elffile import ELFFile
    except ImportError:
        raise InputError(fault("pack.py", None, "the Python module elftools is missing",
                               "apt-get install python3-pyelftools, and run with /usr/bin/python3")) from None
    size = file_size(path, what, "build it first")
    try:
        with open(path, "rb") as file:
            elf = ELFFile(file)
            check_header(path, elf, what)
            if elf["e_phoff"] + elf["e_phnum"] * elf["e_phentsize"] > size:
                raise InputError(fault(path, None, "the file is truncated: its program headers are missing",
                                       "build or copy it again"))
            headers = [segment.header for segment in elf.iter_segments() if segment["p_type"] == "PT_LOAD"]
            entry = elf["e_entry"]
    except (ELFError, UnicodeDecodeError, ValueError, KeyError, AttributeError, OverflowError) as error:
        text = f"it ends at byte {size}, an ELF header has 52" if size < 52 else str(error)
        cause = text[:1].lower() + text[1:]
        raise InputError(fault(path, None, f"the {what} is not a sound ELF file: {cause.rstrip('.')}",
                               EXPECT)) from None
    pieces = [Piece(path, h["p_offset"], h["p_filesz"], h["p_memsz"], h["p_paddr"], h["p_vaddr"],
                    bool(h["p_flags"] & PF_X))
              for h in headers if h["p_memsz"] or h["p_filesz"]]
    for piece in pieces:
        if piece.filesz > piece.memsz:
            raise InputError(fault(path, None,
                                   f"the segment at 0x{piece.paddr:08X} has more bytes in the file than in memory",
                                   "the file is damaged: build it again"))
        if piece.filesz and piece.offset + piece.filesz > size:     # of .bss alone the offset says nothing
            raise InputError(fault(path, None,
                                   f"the file is truncated: the segment at 0x{piece.paddr:08X} ends at byte "
                                   f"{piece.offset + piece.filesz}, the file at {size}", "build or copy it again"))
    if not pieces:
        raise InputError(fault(path, None, f"the {what} has nothing to load", "link it with loadable segments"))
    return entry, pieces


def check_header(path, elf, what):
    """Class, byte order, machine and type of an ELF file."""
    checks = [(elf.elfclass == 32, f"it has {elf.elfclass} bits"), (not elf.little_endian, "it is little-endian"),
              (elf["e_machine"] == "EM_PPC", f"its machine is {elf['e_machine']}"),
              (elf["e_type"] == "ET_EXEC", f"its type is {elf['e_type']}, not ET_EXEC")]
    for good, cause in checks:
        if not good:
            hint = "link it, with -static and without -pie" if "type" in cause else EXPECT
            raise InputError(fault(path, None, f"the {what} can't run: {cause}", hint))


def check_place(piece, vm, source):
    """A piece lies in the VM's memory."""
    memory = vm["memory"]
    if piece.paddr < memory["guest"] or piece.paddr + piece.memsz > memory["guest"] + memory["size"]:
        raise InputError(fault(source, memory["line"],
                               f"vm '{vm['name']}': the {piece.what} {show_range(piece.paddr, piece.memsz)} of {piece.path} "
                               f"is outside its memory {show_range(memory['guest'], memory['size'])}",
                               "give the VM more memory or another guest address, or link the guest elsewhere"))


def check_apart(pieces, vm, source):
    """No two pieces overlap."""
    ordered = sorted(pieces, key=lambda piece: piece.paddr)
    for low, high in zip(ordered, ordered[1:]):
        if overlap(low.paddr, low.memsz, high.paddr, high.memsz):
            blob = next((piece for piece in (low, high) if piece.what == "blob"), None)
            line = vm["blob"]["line"] if blob else vm["image_line"]
            raise InputError(fault(source, line,
                                   f"vm '{vm['name']}': the {low.what} {show_range(low.paddr, low.memsz)} of {low.path} "
                                   f"overlaps the {high.what} {show_range(high.paddr, high.memsz)} of {high.path}",
                                   "move the blob's guest address" if blob else "correct the guest's linker script"))


def check_stubs(pieces, vm, source):
    """Where stubs will be, nothing is loaded but zeros, which an image may have to keep the place."""
    stubs = vm.get("stubs")
    for piece in pieces if stubs else ():
        low = max(piece.paddr, stubs["guest"])
        high = min(piece.paddr + piece.filesz, stubs["guest"] + stubs["size"])
        if low >= high:
            continue
        with open(piece.path, "rb") as file:
            file.seek(piece.offset + low - piece.paddr)
            used = any(file.read(high - low))
        if used:
            raise InputError(fault(source, stubs["line"],
                                   f"vm '{vm['name']}': the {piece.what} {show_range(piece.paddr, piece.filesz)} of {piece.path} "
                                   f"is in the place of its stubs {show_range(stubs['guest'], stubs['size'])}",
                                   "they need memory that the guest does not use"))


def find_entry(path, entry, pieces, vm, source):
    """The guest-physical entry: e_entry is a virtual address in a segment, or already a physical one."""
    line = vm["image_line"]
    if entry % 4:
        raise InputError(fault(source, line,
                               f"vm '{vm['name']}': the entry 0x{entry:08X} of {path} is not word-aligned",
                               "see ENTRY in the guest's linker script"))
    for address in ("vaddr", "paddr"):
        for piece in pieces:
            start = getattr(piece, address)
            if piece.executable and start <= entry < start + piece.filesz:
                return entry - start + piece.paddr
    raise InputError(fault(source, line,
                           f"vm '{vm['name']}': the entry 0x{entry:08X} of {path} is in no executable segment",
                           "see ENTRY in the guest's linker script"))


class Guest:
    """A VM's image and blob, checked against its partition."""

    def __init__(self, vm, path, folders, source, accept=False):
        self.vm, self.path = vm, path
        with blame(vm, source, vm["image_line"]):
            entry, self.pieces = read_elf(path)
        for piece in self.pieces:
            check_place(piece, vm, source)
        self.entry = find_entry(path, entry, self.pieces, vm, source)
        if vm["blob"]:
            self.pieces.append(self.read_blob(folders, source))
        check_apart(self.pieces, vm, source)
        check_stubs(self.pieces, vm, source)
        self.table = read_table(path, vm, self.pieces, source, accept) if vm["previrt"] else None
        self.notes = self.hints(path, source)
        self.regs = [vm["blob"]["guest"] if vm["regs"][name] == "blob" else vm["regs"][name] for name in REGISTERS]

    def hints(self, path, source):
        """What is no fault, but not what its owner may have thought: tables and entries of them that are not used."""
        vm = self.vm
        if not vm["previrt"]:
            try:
                unused = find_section(path)
            except InputError:          # damaged section headers: nobody needs them to load the image
                unused = None
            cause = f"vm '{vm['name']}': {path} has a table for pre-virtualization, which is not used"
            hint = "previrt = true (and CONFIG_PREVIRT=y) applies it"
            return [fault(source, vm["image_line"], cause, hint)] if unused else []
        count, missing = left_out(read_piece(self.table), vm["flags"])
        if not missing:
            return []
        needs = ", ".join(f"{number} for want of {name}" for name, number in missing.items())
        cause = f"vm '{vm['name']}': {sum(missing.values())} of {count} entries of the table in {path} are left out: {needs}"
        hint = "; ".join(f"{REMEDIES.get(name, name)} gives {name}" for name in missing)
        return [fault(source, vm["image_line"], cause, hint)]

    def read_blob(self, folders, source):
        """The blob as a piece; its file is searched like an image, and beside the partition file."""
        blob = self.vm["blob"]
        path = find_file(blob["file"], [os.path.dirname(source), *folders, blob["made_in"]])
        if path is None:
            raise InputError(fault(source, blob["line"], f"vm '{self.vm['name']}': there is no blob '{blob['file']}'",
                                   "place it beside the partition file, or name its folder with --guest-dir"))
        with blame(self.vm, source, blob["line"]):
            size = file_size(path, "blob", "build it first")
        piece = Piece(path, 0, size, size, blob["guest"], what="blob")
        check_place(piece, self.vm, source)
        return piece


# ---------------------------------------------------------------- pre-virtualization tables

TABLE_SECTION = ".proteus.previrt"
# What gives a VM the feature that an entry needs: a key of the partition file or an option
REMEDIES = {"FEATURE_IRFM": "irfm = true", "FEATURE_TSR_STORE": "CONFIG_FIT_WATCHDOG=n", "FEATURE_MMU_STORE": "CONFIG_TLB_VIRT=n",
            "FEATURE_SERVICES": "paravirt = true with CONFIG_SERVICES=y",
            "FEATURE_DRIVERS": "paravirt = true with CONFIG_DRIVERS=y", "FEATURE_TLB": "paravirt = true with CONFIG_TLB_VIRT=y",
            "FEATURE_IPCM": "paravirt = true and a [[tunnel]] with CONFIG_IPCM=y"}
TABLE_HEADER = 4                    # words: magic, words of the table, boundary of the register pages, entries
SHF_ALLOC = 2
MAKE_TABLE = "make it with previrt/previrt.py"
REMAKE = "the table belongs to another build of the image: make it again"


def find_section(path):
    """(type, flags, offset, size) of the table's section, or None; what is wrong with the section headers is an InputError."""
    from elftools.common.exceptions import ELFError
    from elftools.elf.elffile import ELFFile
    try:
        with open(path, "rb") as file:
            section = ELFFile(file).get_section_by_name(TABLE_SECTION)
            if section is None:
                return None
            return section["sh_type"], section["sh_flags"], section["sh_offset"], section["sh_size"]
    except (ELFError, UnicodeDecodeError, ValueError, KeyError, AttributeError, OverflowError, TypeError) as error:
        raise InputError(fault(path, None, f"its section headers are damaged: {str(error).rstrip('.') or 'no text'}",
                               "build or copy it again")) from None


def read_table(path, vm, pieces, source, accept):
    """The pre-virtualization table of a guest as a piece, checked as the loader will (unless `accept`)."""
    line = vm["image_line"]

    def bad(cause, hint):
        return InputError(fault(source, line, f"vm '{vm['name']}': {path}: {cause}", hint))
    with blame(vm, source, line):
        section = find_section(path)
    if section is None:
        raise bad(f"previrt = true, but there is no section {TABLE_SECTION}", f"{MAKE_TABLE}, or remove previrt")
    kind, flags, offset, size = section
    if kind != "SHT_PROGBITS" or offset + size > os.path.getsize(path):
        raise bad(f"the section {TABLE_SECTION} has no bytes in the file", MAKE_TABLE)
    piece = Piece(path, offset, size, size, 0, what="table")
    if not accept:
        if flags & SHF_ALLOC:
            raise bad(f"the section {TABLE_SECTION} takes memory of the guest (SHF_ALLOC)", MAKE_TABLE)
        fail = check_table(read_piece(piece), vm, pieces)
        if fail:
            raise bad(f"the section {TABLE_SECTION} is no sound table: {fail[0]}", fail[1])
    return piece


def read_piece(piece):
    """The bytes of a piece that are in its file."""
    with open(piece.path, "rb") as file:
        file.seek(piece.offset)
        return file.read(piece.filesz)


def check_table(data, vm, pieces):
    """(cause, hint) of what the loader would refuse, or None."""
    if len(data) % 4 or len(data) < 4 * TABLE_HEADER:
        return f"{len(data)} bytes are no whole words, or less than a header", MAKE_TABLE
    words = struct.unpack(f">{len(data) // 4}I", data)
    magic, length, boundary, count = words[:TABLE_HEADER]
    if magic != abi()["PREVIRT_MAGIC"]:
        return f"it begins with 0x{magic:08X}, not 0x{abi()['PREVIRT_MAGIC']:08X}", MAKE_TABLE
    if length != len(words):
        return f"its header says {length} words, the section has {len(words)}", MAKE_TABLE
    if boundary not in (0, vm["page"]):
        has = f"has them around 0x{vm['page']:08X}" if vm["page"] else "has none"
        return (f"it was made for register pages around 0x{boundary:08X}, the VM {has}",
                f"irfm = \"0x{boundary:08X}\", or make the table again")
    return check_entries(words, count, vm["memory"], pieces)


def check_entries(words, count, memory, pieces):
    """The entries of a table: complete, in order, inside the memory, and made for this image."""
    position, free = TABLE_HEADER, memory["guest"]
    loaded = [(piece.paddr, read_piece(piece)) for piece in pieces if piece.what == "segment"]
    for entry in range(count):
        size = words[position + 1] & 0xFFFF if position + 1 < len(words) else 0
        if not size or position + 2 + 2 * size > len(words):
            return f"entry {entry} has no words, or more than the table", MAKE_TABLE
        address = words[position]
        if address % 4:
            return f"entry {entry} at 0x{address:08X} is not word-aligned", MAKE_TABLE
        if not memory["guest"] <= address <= memory["guest"] + memory["size"] - 4 * size:
            return (f"entry {entry} at 0x{address:08X} is outside the VM's memory "
                    f"{show_range(memory['guest'], memory['size'])}", MAKE_TABLE)
        if address < free:
            return f"entry {entry} at 0x{address:08X} is not behind the entry before it", MAKE_TABLE
        free = address + 4 * size
        original = struct.pack(f">{size}I", *words[position + 2:position + 2 + size])
        if original not in [data[address - start:free - start] for start, data in loaded if address >= start]:
            return f"entry {entry} at 0x{address:08X}: the image has other words there", REMAKE
        position += 2 + 2 * size
    if position != len(words):
        return f"{len(words) - position} words are left behind its {count} entries", MAKE_TABLE
    return None


def left_out(data, features):
    """(number of entries, {FEATURE_...: entries that the VM does not get because it lacks that one, or first that one})."""
    words = struct.unpack(f">{len(data) // 4}I", data[:len(data) // 4 * 4])
    names = {value: name for name, value in abi().items() if name.startswith("FEATURE_")}
    position, count, missing = TABLE_HEADER, 0, {}
    while position + 2 <= len(words):
        lacks = words[position + 1] & 0xFFFF0000 & ~features
        count += 1
        if lacks:
            name = names.get(lacks & -lacks, f"feature 0x{lacks & -lacks:08X}")
            missing[name] = missing.get(name, 0) + 1
        position += 2 + 2 * (words[position + 1] & 0xFFFF)
    return count, missing


def patch_rows(data, features):
    """The words to patch as (address, old, new): what the entries say whose features the VM has (struct vm_patch).

    A table that nobody has checked gives what can be read of it: the hypervisor looks at each row again.
    """
    words = struct.unpack(f">{len(data) // 4}I", data[:len(data) // 4 * 4])
    position, rows = TABLE_HEADER, []
    while position + 2 <= len(words):
        address, needs, size = words[position], words[position + 1] & 0xFFFF0000, words[position + 1] & 0xFFFF
        old, new = words[position + 2:position + 2 + size], words[position + 2 + size:position + 2 + 2 * size]
        if not needs & ~features:
            rows += [((address + 4 * index) % (1 << 32), *pair) for index, pair in enumerate(zip(old, new))]
        position += 2 + 2 * size
    return rows


def find_file(name, folders):
    """The first folder's file of that name, or None; an absolute name stands for itself."""
    for folder in folders if not os.path.isabs(name) else [""]:
        path = os.path.join(folder, name)
        if os.path.isfile(path):
            return path
    return None


def find_image(vm, given, folders, source):
    """The path of a VM's image."""
    if vm["name"] in given:
        return given[vm["name"]]
    path = find_file(vm["image"], folders)
    if path is None:
        where = ", ".join(folders) or "nowhere"
        raise InputError(fault(source, vm["image_line"],
                               f"vm '{vm['name']}': there is no image '{vm['image']}' (looked in: {where})",
                               image_hint(vm, folders)))
    return path


def image_hint(vm, folders):
    """The ways to an image that is not there."""
    there = [folder for folder in folders if os.path.isdir(folder)]
    near = guess(vm["image"], {name for folder in there for name in os.listdir(folder) if name.endswith(".elf")}) or ""
    ways = [near] if near.startswith("did you mean") else []
    if len(there) < len(folders):
        ways.append("samples are built for a board that has a header in tests/guests/board (README beside it)")
    return "; ".join([*ways, f"build the guest, or give --guest {vm['name']}=<path> or --guest-dir <folder>"])


def read_guests(partitions, given, folders, accept):
    """All guests; the faults of all of them at once."""
    guests, faults = [], []
    source = partitions["source"]
    for vm in partitions["vms"]:
        try:
            guests.append(Guest(vm, find_image(vm, given, folders, source), folders, source, accept))
        except InputError as error:
            faults.extend(error.lines)
    if faults:
        raise InputError(*faults)
    return guests


def render_store(guests, source, previrt):
    """The assembler file: vm_image, the segment tables, the bytes. Equal bytes are stored once."""
    labels = {}                     # (content) -> label, so VMs that run the same image share its bytes
    table = [f"/* Generated by tools/pack.py from {source}. */", '    .section .images, "a", @progbits',
             "    .balign 4",
             "    .globl vm_image", "    .type vm_image, @object", "vm_image:"]
    rows, data = [], []
    for guest in guests:
        index = guest.vm["index"]
        words = ", ".join(f"0x{word:X}" for word in (guest.entry, *guest.regs, len(guest.pieces)))
        tail = ""
        if previrt:
            patches = patch_rows(read_piece(guest.table), guest.vm["flags"]) if guest.table else []
            tail = f", {len(patches)}, {f'patches_{index}' if patches else 0}"
            rows += ["", f"patches_{index}:"] if patches else []
            rows += [f"    .long 0x{address:08X}, 0x{old:08X}, 0x{new:08X}" for address, old, new in patches]
        table.append(f"    .long {words}, segments_{index}{tail}    /* {guest.vm['name']}: {guest.path} */")
        rows += ["", f"segments_{index}:"]
        for piece in guest.pieces:
            label = store_piece(piece, labels, data) if piece.filesz else "0"
            rows.append(f"    .long 0x{piece.paddr:08X}, {piece.filesz}, {piece.memsz}, {label}")
    table.append("    .size vm_image, . - vm_image")
    return "\n".join(table + rows + data + [""])


def store_piece(piece, labels, data):
    """The label of a piece's bytes; emits them at their first use."""
    with open(piece.path, "rb") as file:
        file.seek(piece.offset)
        key = (piece.filesz, hashlib.sha256(file.read(piece.filesz)).digest())
    if key not in labels:
        labels[key] = f"data_{len(labels)}"
        path = piece.path.replace("\\", "\\\\").replace('"', '\\"')
        data += ["", f"{labels[key]}:", f'    .incbin "{path}", {piece.offset}, {piece.filesz}', "    .balign 4"]
    return labels[key]


def run(command, out):
    """Run a tool of the toolchain on the way to `out`; what it says on failure becomes the fault."""
    try:
        result = subprocess.run(command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, check=False)
    except OSError as error:
        raise InputError(fault(command[0], None, f"can't run: {os.strerror(error.errno)}",
                               "apt-get install gcc-powerpc-linux-gnu, or set CROSS_COMPILE to the prefix of "
                               "your toolchain")) from None
    if result.returncode:
        text = " / ".join(line.strip() for line in result.stdout.strip().splitlines()[:4])
        raise InputError(fault(out, None, f"{os.path.basename(command[0])} failed: {text}".rstrip("."),
                               "is the input the hypervisor's, and made by the same toolchain?"))


def link(store, objects, script, out, check):
    """Assemble the store and link it with the hypervisor; `check` sees the image before it gets its name."""
    prefix = os.environ.get("CROSS_COMPILE", "powerpc-linux-gnu-")
    for path in [*objects, script]:
        file_size(path, "linker script" if path == script else "hypervisor object", "build the hypervisor first")
    with tempfile.TemporaryDirectory() as folder:
        source, obj, image = (os.path.join(folder, name) for name in ("images.S", "images.o", "image.elf"))
        write_if_changed(source, store)
        run([prefix + "as", "-m405", "-mbig", "-o", obj, source], out)
        # -n: segments hold what the script says, not the rest of a 64 KiB page around it.
        run([prefix + "ld", "-n", "--build-id=none", "-T", script, "-o", image, *objects, obj], out)
        check(image, out)
        with open(image, "rb") as file:
            data = file.read()
    write_if_changed(out, data)
    os.chmod(out, os.stat(out).st_mode | 0o111)


def check_image(path, name, partitions):
    """The pieces of a linked image; none of them, at its load or run address, lies in a partition's memory."""
    _, pieces = read_elf(path, "image")
    faults = []
    for piece in pieces:
        for address in sorted({piece.paddr, piece.vaddr}):
            for vm in partitions["vms"]:
                memory = vm["memory"]
                if overlap(address, piece.memsz, memory["machine"], memory["size"]):
                    faults.append(fault(name, None,
                                        f"the image's {show_range(address, piece.memsz)} overlaps the memory "
                                        f"{show_range(memory['machine'], memory['size'])} of vm '{vm['name']}' "
                                        f"({partitions['source']}:{memory['line']})",
                                        "link the hypervisor and its store into the board's reserved areas"))
    if faults:
        raise InputError(*faults)
    return pieces


def flat_image(pieces, name, size):
    """The bytes of a ROM: what is loaded from the file, up to 0xFFFFFFFF, and 0xFF (erased flash) elsewhere."""
    end = max(piece.paddr + piece.filesz for piece in pieces)
    low = min(piece.paddr for piece in pieces)
    if end != SPACE:
        raise InputError(fault(name, None, f"the image ends at 0x{end - 1:X}, a ROM ends at 0xFFFFFFFF",
                               "use the ROM's linker script: the reset branch is the last word"))
    if low < SPACE - size:
        raise InputError(fault(name, None, f"the image starts at 0x{low:08X}, {SPACE - low} bytes before the end; "
                               f"the ROM has {size}",
                               "fewer or smaller guests, or a larger --size"))
    rom = bytearray(b"\xff" * size)
    for piece in pieces:
        with open(piece.path, "rb") as file:
            file.seek(piece.offset)
            start = piece.paddr - (SPACE - size)
            rom[start:start + piece.filesz] = file.read(piece.filesz)
    return bytes(rom)


def ram_image(pieces, name, partitions):
    """The bytes from the board's area `images` on."""
    area = next((area for area in partitions["board"]["reserved"] if area["name"] == "images"), {"base": 0, "size": 0})
    end = area["base"] + area["size"]
    data = bytearray()
    for piece in pieces:
        start = piece.paddr - area["base"]
        if start < 0 or piece.paddr + piece.filesz > end:
            where = show_range(piece.paddr, piece.filesz)
            raise InputError(fault(name, None, f"the image's {where} is neither in the ROM nor in the board's area 'images'",
                                   "use the ROM's linker script"))
        data.extend(bytes(max(0, start + piece.filesz - len(data))))
        with open(piece.path, "rb") as file:
            file.seek(piece.offset)
            data[start:start + piece.filesz] = file.read(piece.filesz)
    return bytes(data)


def write_rom(pieces, name, args, partitions):
    """--bin and, with what is in RAM, --images. The ROM is the board's, or as small as it can be without images."""
    roms = partitions.get("board", {}).get("rom") or [{"size": 0x80000}]
    size = args.size or (0x10000 if args.images else roms[0]["size"])
    loaded = [piece for piece in pieces if piece.filesz]
    in_ram = [piece for piece in loaded if args.images and piece.paddr < SPACE - size]
    files = [(args.bin, flat_image([piece for piece in loaded if piece not in in_ram], name, size))]
    files += [(args.images, ram_image(in_ram, name, partitions))] if args.images else []
    return files


def read_partitions(path):
    """partitions.json, as tools/partition.py wrote it."""
    hint = "it is written by tools/partition.py --out"
    try:
        data = json.loads(read_text(path, "partition table", hint))
        for vm in data["vms"]:
            _ = vm["name"], vm["index"], vm["image"], vm["image_line"], vm["regs"], vm["blob"]
            _ = vm["page"], vm["previrt"]
            if vm["blob"]:
                vm["blob"]["made_in"] = os.path.dirname(path)      # <vm>.peers
            _ = vm["memory"]["guest"], vm["memory"]["machine"], vm["memory"]["size"], vm["memory"]["line"]
        _ = data["source"], data["previrt"]
    except json.JSONDecodeError as error:
        raise InputError(fault(path, error.lineno, f"not JSON: {error.msg[:1].lower()}{error.msg[1:]}", hint)) from None
    except (KeyError, TypeError) as error:
        raise InputError(fault(path, None, f"not a partition table: {error} is missing", hint)) from None
    return data


def parse_guests(items, partitions):
    """{vm name: path} of the --guest options."""
    names = [vm["name"] for vm in partitions["vms"]]
    given = {}
    for item in items:
        name, mark, path = item.partition("=")
        if not mark or not path:
            raise InputError(fault("--guest", None, f"'{item}' is not <vm>=<path>",
                                   "for example --guest ctask=build/guests/ctask.elf"))
        if name not in names:
            raise InputError(fault("--guest", None, f"there is no vm '{name}' in {partitions['source']}",
                                   guess(name, names)))
        if name in given:
            raise InputError(fault("--guest", None, f"vm '{name}' is given twice", "one image for each VM"))
        given[name] = path
    return given


def write_depfile(path, target, guests):
    """A make rule with the files that the output was made from."""
    names = sorted({piece.path for guest in guests for piece in guest.pieces})
    escaped = [re.sub(r"([ #:])", r"\\\1", name.replace("$", "$$")).replace("=", "$(equals)") for name in names]
    phony = "".join(f"{name}:\n" for name in escaped if "%" not in name)      # that would be a pattern
    write_if_changed(path, f"equals := =\n{target}: {' '.join(escaped)}\n{phony}")


def parse_args(argv):
    """The command line; contradictions are usage errors."""
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0], epilog="\n".join(__doc__.split("\n")[1:]),
                                     formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--partitions", required=True, help="partitions.json of the product")
    parser.add_argument("--guest", action="append", default=[], metavar="VM=ELF", help="the image of one VM")
    parser.add_argument("--guest-dir", action="append", default=[], metavar="DIR", help="where images are searched")
    parser.add_argument("--out", help="the file to write: .S, or with --hypervisor the linked image")
    parser.add_argument("--list-missing", action="store_true", help="print the images that are not found, write nothing")
    parser.add_argument("--depfile", help="also write a make rule with the guests that --out depends on")
    parser.add_argument("--accept-bad-tables", action="store_true",
                        help="pass pre-virtualization tables on unchecked: the loader's tests want them")
    parser.add_argument("--hypervisor", nargs="+", metavar="OBJECT", help="prebuilt hypervisor objects to link with")
    parser.add_argument("--script", help="the linker script for --hypervisor")
    parser.add_argument("--image", help="a linked image to check, instead of --out")
    parser.add_argument("--bin", help="the flat ROM image to write")
    parser.add_argument("--size", type=lambda text: int(text, 0),
                        help="bytes of the ROM (default: the board's; 0x10000 with --images)")
    parser.add_argument("--images", help="with --bin: the file for what is loaded into RAM, the board's area `images`")
    args = parser.parse_args(argv)
    if bool(args.out) + bool(args.image) + args.list_missing != 1:
        parser.error("give one of --out, --image and --list-missing")
    if bool(args.hypervisor) != bool(args.script):
        parser.error("--hypervisor and --script go together")
    if args.image and (args.hypervisor or args.guest or args.guest_dir or args.depfile or args.accept_bad_tables):
        parser.error("--image only checks: no --guest, --guest-dir, --depfile, --accept-bad-tables or --hypervisor")
    if args.out and args.hypervisor is None and not args.out.endswith(".S"):
        parser.error("--out is a .S file, or give --hypervisor and --script to link")
    if args.hypervisor and args.out.endswith(".S"):
        parser.error("with --hypervisor, --out is the linked image, not a .S file")
    if args.bin and not (args.image or args.hypervisor):
        parser.error("--bin needs a linked image: --image, or --hypervisor and --script")
    if args.images and not args.bin:
        parser.error("--images goes with --bin")
    if args.size is not None and not 4 <= args.size <= SPACE:
        parser.error("--size is 4 bytes to 4 GiB")
    return args


def main(argv=None):
    """Check the guests, write the store, link it, check the image, flatten it: as far as the command line asks."""
    args = parse_args(argv)
    partitions = read_partitions(args.partitions)
    if args.image:
        pieces = check_image(args.image, args.image, partitions)
        if args.bin:
            for path, content in write_rom(pieces, args.image, args, partitions):
                write_if_changed(path, content)
        return 0
    given = parse_guests(args.guest, partitions)
    if args.list_missing:
        missing = {vm["image"] for vm in partitions["vms"]
                   if vm["name"] not in given and not find_file(vm["image"], args.guest_dir)}
        print("".join(f"{name}\n" for name in sorted(missing)), end="")
        return 0
    guests = read_guests(partitions, given, args.guest_dir, args.accept_bad_tables)
    for note in (note for guest in guests for note in guest.notes):
        print(f"note: {note}", file=sys.stderr)
    store = render_store(guests, partitions["source"], partitions["previrt"])
    if args.hypervisor:
        rom = []

        def check(path, name):
            """Everything that can be wrong with the image, before anything is written."""
            pieces = check_image(path, name, partitions)
            rom.extend(write_rom(pieces, name, args, partitions) if args.bin else [])
        link(store, args.hypervisor, args.script, args.out, check)
        for path, content in rom:
            write_if_changed(path, content)
    else:
        write_if_changed(args.out, store)
    if args.depfile:
        write_depfile(args.depfile, args.out, guests)
    return 0


if __name__ == "__main__":
    sys.exit(run_tool(main))
