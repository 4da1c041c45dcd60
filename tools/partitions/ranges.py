"""Address ranges, the 405's pages, and what the hypervisor's own files say of both."""

import functools
import os
import re

from kconfig import read_text
from partitions.keys import PAGE_SIZES, SPACE

TLB_ENTRIES = 64                    # of the PPC405's unified TLB
TLB_SHADOWS = 16                    # that a virtual TLB needs at least (src/mmu/tlb.c)
UNIT = {"": 1, "K": 1 << 10, "M": 1 << 20}

# TLBHI and TLBLO fields (PPC405 Core User's Manual, "UTLB Fields")
HI_SIZE_SHIFT, HI_VALID = 7, 0x40
LO_EX, LO_WR, LO_I, LO_G = 0x200, 0x100, 0x4, 0x1
LO_RAM = LO_EX | LO_WR
LO_DEVICE = LO_WR | LO_I | LO_G
LO_PAGE_WRITABLE, LO_PAGE_READABLE = LO_WR, 0       # the register pages: data only
LO_ZONE = 0x10          # of both if the VM is optimized (asm/hooks.h, zone_of); its stubs are on the second
LO_PAGES_OPTIMIZED = LO_PAGE_WRITABLE | LO_ZONE, LO_PAGE_READABLE | LO_EX | LO_ZONE

ABI = os.path.join(os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__)))), "hypercalls", "abi.h")
LOW_END, HIGH_START = 0x8000, SPACE - 0x8000        # what off(0) reaches: below the one, from the other on
DATA_ROOM = 0x2000                  # what C's data may take behind it


@functools.lru_cache(maxsize=None)
def abi():
    """{name: number} of the constants of hypercalls/abi.h."""
    text = read_text(ABI, "ABI", "it is a part of the source tree")
    return {name: int(value, 0)
            for name, value in re.findall(r"^#define\s+(\w+)\s+(-?0[xX][0-9a-fA-F]+|-?\d+)\b", text, re.MULTILINE)}


def show_size(size):
    """A size with its largest exact unit."""
    for unit in ("M", "K"):
        if size and size % UNIT[unit] == 0:
            return f"{size // UNIT[unit]}{unit}"
    return str(size)


def show_range(base, size):
    """An address range with its last byte."""
    return f"0x{base:08X}-0x{base + size - 1:08X}"


def overlap(base, size, other, other_size):
    """True if two ranges have a byte in common."""
    return base < other + other_size and other < base + size


def cut(guest, machine, size, page_min):
    """Cut a region into the fewest pages: at each step the largest that both addresses and the rest allow."""
    pages = []
    while size:
        page = max(p for p in PAGE_SIZES if p == page_min or
                   (p > page_min and p <= size and guest % p == 0 and machine % p == 0))
        pages.append((guest, machine, page))
        guest, machine, size = guest + page, machine + page, size - page
    return pages


def row(page, attributes):
    """TLBHI and TLBLO of a page."""
    guest, machine, size = page
    return guest | PAGE_SIZES.index(size) << HI_SIZE_SHIFT | HI_VALID, machine | attributes


def regions(areas):
    """Storage attribute bits: one for each 128 MiB that an area touches, the lowest address first."""
    bits = 0
    for area in areas:
        for region in range(area["base"] >> 27, (area["base"] + area["size"] - 1 >> 27) + 1):
            bits |= 0x80000000 >> region
    return bits


