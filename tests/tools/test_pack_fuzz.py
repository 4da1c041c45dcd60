#!/usr/bin/python3
"""tools/pack.py against damaged tables and images: 10,000 tables and 2,500 images, none accepted that is not sound."""

import os
import random
import struct
import sys

import pytest

sys.dont_write_bytecode = True
sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))

import test_pack  # noqa: E402
from test_pack import GUEST, IRFM, MAGIC, MFSRR0, NOP, RFI, pack, packed, table, with_section  # noqa: E402

TABLES, IMAGES = 10000, 2500
MEMORY = {"guest": 0, "size": 0x10000, "line": 6}
PAGE = 0xFFFFF000
VM = {"name": "one", "image_line": 5, "previrt": True, "flags": IRFM, "page": PAGE, "memory": MEMORY, "blob": None,
      "regs": dict.fromkeys(pack.REGISTERS, 0)}
SITES = [(0x100, IRFM, [MFSRR0], [0x8060F088]), (0x104, 0, [RFI, NOP], [NOP, NOP]), (0x200, IRFM, [MFSRR0, RFI], [NOP, RFI]),
         (0x20C, 0, [NOP], [RFI])]


def mutated(data, chance):
    """Bytes with one to three faults: a bit, a word, words lost, doubled or exchanged, a cut or a longer end."""
    data = bytearray(data)
    for _ in range(chance.randint(1, 3)):
        at = chance.randrange(max(len(data) // 4, 1)) * 4
        kind = chance.randrange(7)
        if kind == 0 and data:
            data[chance.randrange(len(data))] ^= 1 << chance.randrange(8)
        elif kind == 1:
            edge = chance.choice([0, 1, 0xFFFF, 0x10000, 0xFFFC, 0x7FFFFFFF, 0xFFFFFFFC, chance.getrandbits(32)])
            data[at:at + 4] = struct.pack(">I", edge)
        elif kind == 2:
            del data[at:at + 4 * chance.randint(1, 4)]
        elif kind == 3:
            data[at:at] = data[at:at + 4]
        elif kind == 4:
            other = chance.randrange(max(len(data) // 4, 1)) * 4
            data[at:at + 4], data[other:other + 4] = data[other:other + 4], data[at:at + 4]
        elif kind == 5:
            del data[chance.randrange(len(data) + 1):]
        else:
            data += chance.randbytes(chance.randint(1, 9))
    return bytes(data)


def is_sound(data):
    """A second reading of previrt/README.md: the table is complete, in order, in memory, and of this very image."""
    image = dict(zip(range(0x100, 0x110, 4), (MFSRR0, RFI, NOP, NOP)))
    image.update(zip(range(0x200, 0x210, 4), (MFSRR0, RFI, NOP, NOP)))
    if len(data) < 16 or len(data) % 4:
        return False
    magic, length, boundary, count, *rest = struct.unpack(f">{len(data) // 4}I", data)
    if magic != MAGIC or length * 4 != len(data) or boundary not in (0, PAGE):
        return False
    behind = 0
    for _ in range(count):
        if len(rest) < 2:
            return False
        address, size = rest[0], rest[1] & 0xFFFF
        old = rest[2:2 + size]
        addresses = range(address, address + 4 * size, 4)
        if not size or len(rest) < 2 + 2 * size or address < behind or address % 4 or old != [image.get(a) for a in addresses]:
            return False
        if (address < 0x200) != (address + 4 * size <= 0x200):      # no entry reaches over two segments
            return False
        behind, rest = address + 4 * size, rest[2 + 2 * size:]
    return not rest


@pytest.fixture
def pieces(tmp_path):
    """The loaded pieces of the guest that the tables are for."""
    path = tmp_path / "one.elf"
    path.write_bytes(GUEST)
    return pack.read_elf(str(path))[1]


def test_tables(pieces):
    """The check agrees with the second reading, and whatever it is given, rows come out that are no longer than it."""
    chance = random.Random(405)
    sound = packed(table(*SITES))
    assert pack.check_table(sound, VM, pieces) is None and is_sound(sound)
    accepted = 0
    for _ in range(TABLES):
        data = mutated(sound, chance)
        fail = pack.check_table(data, VM, pieces)
        assert (fail is None) == is_sound(data), data.hex()
        accepted += fail is None
        rows = pack.patch_rows(data, IRFM)
        assert len(rows) <= len(data) // 8 and all(0 <= word < 1 << 32 for row in rows for word in row)
    assert TABLES // 100 < accepted < TABLES // 2


def test_images(tmp_path):
    """A damaged file is refused with a reason that names it, or is an image whose pieces are in the VM's memory."""
    chance = random.Random(45)
    sound = with_section(GUEST, packed(table(*SITES)))
    path = tmp_path / "one.elf"
    refused = 0
    for _ in range(IMAGES):
        path.write_bytes(mutated(sound, chance))
        try:
            guest = pack.Guest(VM, str(path), [str(tmp_path)], "p.toml", False)
        except pack.InputError as error:
            assert error.lines and all("one.elf" in line and ". hint: " in line for line in error.lines)
            refused += 1
            continue
        assert guest.entry % 4 == 0 and guest.entry < MEMORY["size"]
        assert all(piece.paddr + piece.memsz <= MEMORY["size"] for piece in guest.pieces)
    assert IMAGES // 4 < refused < IMAGES


if __name__ == "__main__":
    sys.exit(pytest.main([test_pack.__file__, __file__]))
