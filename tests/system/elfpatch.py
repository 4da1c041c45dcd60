"""elfpatch.py: set a word of a guest, found by its symbol, in a copy of its ELF (seed of the hostile guest, ...)."""

import struct

from elftools.elf.elffile import ELFFile


def file_offset(path, symbol):
    """Where in the file the word of a symbol is."""
    with open(path, "rb") as stream:
        elf = ELFFile(stream)
        found = elf.get_section_by_name(".symtab").get_symbol_by_name(symbol)
        if not found:
            raise ValueError(f"{path}: no symbol {symbol}")
        address = found[0]["st_value"]
        for segment in elf.iter_segments("PT_LOAD"):
            offset = address - segment["p_vaddr"]
            if 0 <= offset <= segment["p_filesz"] - 4:
                return segment["p_offset"] + offset
    raise ValueError(f"{path}: {symbol} is not in the file (.bss?)")


def patched_copy(source, target, **words):
    """Copy an ELF with some of its words set: patched_copy("twin.elf", "twin1.elf", twin_select=1)."""
    with open(source, "rb") as stream:
        data = bytearray(stream.read())
    for symbol, value in words.items():
        struct.pack_into(">I", data, file_offset(source, symbol), value)
    with open(target, "wb") as stream:
        stream.write(data)
    return target
