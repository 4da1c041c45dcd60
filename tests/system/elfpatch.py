"""elfpatch.py: set words of a guest, found by their symbols, in a copy of an image that contains the guest.

The image may be the guest's own ELF file, or a hypervisor image (ELF or ROM) into which tools/pack.py has put the bytes
of the guest's segments as they are.
"""

import struct

from elftools.elf.elffile import ELFFile


def segment_with(guest, symbol):
    """(bytes of the segment that holds a symbol, offset of the symbol in it)"""
    with open(guest, "rb") as stream:
        elf = ELFFile(stream)
        found = elf.get_section_by_name(".symtab").get_symbol_by_name(symbol)
        if not found:
            raise ValueError(f"{guest}: no symbol {symbol}")
        for segment in elf.iter_segments("PT_LOAD"):
            offset = found[0]["st_value"] - segment["p_vaddr"]
            if 0 <= offset <= segment["p_filesz"] - 4:
                return segment.data(), offset
    raise ValueError(f"{guest}: {symbol} is not in the file (.bss?)")


def patched_image(image, target, guest, **words):
    """Copy an image with words of a guest in it set: patched_image(i, t, "twin.elf", twin_select=1). Gives the target."""
    with open(image, "rb") as stream:
        data = bytearray(stream.read())
    places = []
    for symbol, value in words.items():
        segment, offset = segment_with(guest, symbol)
        start = data.find(segment)
        if start < 0 or data.find(segment, start + 1) >= 0:
            raise ValueError(f"{image}: {guest} is not in it exactly once")
        places.append((start + offset, value))
    for place, value in places:
        struct.pack_into(">I", data, place, value)
    with open(target, "wb") as stream:
        stream.write(data)
    return str(target)


def patched_rows(image, target, rows, changed):
    """Copy an image with rows of a pre-virtualization table changed: from these (address, old, new), to those of {n: row}."""
    with open(image, "rb") as stream:
        data = bytearray(stream.read())
    table = struct.pack(f">{3 * len(rows)}I", *(word for row in rows for word in row))
    start = data.find(table)
    if start < 0 or data.find(table, start + 1) >= 0:
        raise ValueError(f"{image}: the table is not in it exactly once")
    for number, row in changed.items():
        struct.pack_into(">3I", data, start + 12 * number, *row)
    with open(target, "wb") as stream:
        stream.write(data)
    return str(target)
