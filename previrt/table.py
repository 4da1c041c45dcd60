"""table.py: the pre-virtualization table, as previrt/loader.c reads it (README.md, "Table")."""

import collections
import struct

from facts import ABI, PrevirtError

MAGIC = ABI["PREVIRT_MAGIC"]
HEADER = 4
NEEDS = 0xFFFF0000

# vaddr is for the reader; the table has the physical address
Entry = collections.namedtuple("Entry", "paddr needs old new")


def pack(entries, boundary):
    """The section's bytes."""
    words = []
    for entry in sorted(entries):
        words += [entry.paddr, entry.needs & NEEDS | len(entry.old), *entry.old, *entry.new]
    uses = boundary if any(entry.needs & ABI["FEATURE_IRFM"] for entry in entries) else 0
    words = [MAGIC, HEADER + len(words), uses, len(entries)] + words
    return struct.pack(f">{len(words)}I", *words)


def unpack(path, blob):
    """(boundary, entries); a table that the loader would refuse is an error with the entry's number."""
    def fail(entry, cause):
        raise PrevirtError(f"{path}: entry {entry}: {cause}. hint: make the table again")

    if len(blob) % 4 or len(blob) < 4 * HEADER:
        raise PrevirtError(f"{path}: the table has {len(blob)} bytes. hint: make it again")
    words = struct.unpack(f">{len(blob) // 4}I", blob)
    magic, length, boundary, count = words[:HEADER]
    if magic != MAGIC:
        raise PrevirtError(f"{path}: the table begins with 0x{magic:08X}, not 0x{MAGIC:08X}. hint: make it again")
    if length != len(words):
        raise PrevirtError(f"{path}: the table says {length} words and has {len(words)}. hint: make it again")
    place, behind, entries = HEADER, 0, []
    for number in range(count):
        if place + 2 > length:
            fail(number, "the table ends before it")
        paddr, info = words[place:place + 2]
        size = info & 0xFFFF
        if size == 0 or place + 2 + 2 * size > length:
            fail(number, f"{size} words do not fit")
        if paddr % 4 or paddr < behind:
            fail(number, f"0x{paddr:08X} is unaligned, or not behind the entry before")
        old = words[place + 2:place + 2 + size]
        new = words[place + 2 + size:place + 2 + 2 * size]
        entries.append(Entry(paddr, info & NEEDS, tuple(old), tuple(new)))
        behind, place = paddr + 4 * size, place + 2 + 2 * size
    if place != length:
        raise PrevirtError(f"{path}: {length - place} words behind the last entry. hint: make the table again")
    return boundary, entries
