#!/usr/bin/python3
"""tools/pack.py: the image store, the linked image, the ROM, and every fault with its exact words."""

import json
import os
import random
import struct
import subprocess
import sys

import pytest

sys.dont_write_bytecode = True
TOP = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
sys.path.insert(0, os.path.join(TOP, "tools"))

import pack  # noqa: E402
import partition  # noqa: E402
from kconfig import run_tool  # noqa: E402

BOARD = os.path.join(TOP, "config", "boards", "ref405ep.toml")
CROSS = os.environ.get("CROSS_COMPILE", "powerpc-linux-gnu-")
R, W, X = 4, 2, 1
M = 1 << 20

ONE = """[product]
name = "t"
[[vm]]
name = "one"
image = "one.elf"
memory = "64K"
"""
TWO = ONE + """regs = { r3 = "blob", r5 = 0x55 }
blob = { file = "one.dtb", guest = 0x8000 }
[[vm]]
name = "two"
image = "two.elf"
memory = { size = "1M", guest = "0x100000" }
"""


def elf(segments, entry=0, machine=20, kind=2, bits=1, order=2):
    """An executable of (paddr, bytes, memsz, flags[, vaddr]) segments, the header's other fields as given."""
    offset = 52 + 32 * len(segments)
    headers, body = b"", b""
    for paddr, data, memsz, flags, *vaddr in segments:
        headers += struct.pack(">8I", 1, offset + len(body), vaddr[0] if vaddr else paddr, paddr, len(data), memsz,
                               flags, 4)
        body += data
    ident = b"\x7fELF" + bytes([bits, order, 1]) + bytes(9)
    fields = struct.pack(">HHIIIIIHHHHHH", kind, machine, 1, entry, 52, 0, 0, 52, 32, len(segments), 40, 0, 0)
    return ident + fields + headers + body


CODE = struct.pack(">2I", 0x48000000, 0x48000000)


@pytest.fixture
def tool(tmp_path, monkeypatch, capsys):
    """Runs pack.py in a fresh folder; `write` makes files, `partitions` the table from a partition file."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("CROSS_COMPILE", CROSS)

    class Tool:
        """What a test does with the tool."""
        path = tmp_path

        def write(self, **files):
            """Make files; the last _ in a name is its dot."""
            for name, data in files.items():
                path = tmp_path / ".".join(name.rsplit("_", 1))
                path.write_bytes(data.encode() if isinstance(data, str) else data)

        def partitions(self, text, config=""):
            """p.toml and from it gen/partitions.json."""
            self.write(p_toml=text)
            (tmp_path / ".config").write_text("CONFIG_VM_MAX=4\n" + config)
            assert run_tool(partition.main, ["--board", BOARD, "--config", ".config", "p.toml", "--out", "gen"]) == 0

        def run(self, *options):
            """(exit status, lines of standard error)"""
            status = run_tool(pack.main, ["--partitions", "gen/partitions.json", *options])
            out, err = capsys.readouterr()
            assert out == ""
            self.notes = [line for line in err.splitlines() if line.startswith("note: ")]
            return status, [line for line in err.splitlines() if line not in self.notes]

        def store(self, *options):
            """pack.py to images.S, with guests from here."""
            return self.run("--guest-dir", ".", "--out", "images.S", *options)
    return Tool()


def command(tool, *words):
    """Run a program in the test's folder."""
    subprocess.run(words, cwd=tool.path, check=True, timeout=60)


def words(data, offset, count):
    """Big-endian words of the store."""
    return list(struct.unpack_from(f">{count}I", data, offset))


def assembled(tool):
    """The bytes of .images, assembled and linked at 0."""
    command(tool, CROSS + "gcc", "-mcpu=405", "-c", "images.S", "-o", "images.o")
    (tool.path / "flat.ld").write_text("SECTIONS { .images 0 : { *(.images) } /DISCARD/ : { *(*) } }")
    command(tool, CROSS + "ld", "-T", "flat.ld", "-e", "0", "images.o", "-o", "flat.elf")
    command(tool, CROSS + "objcopy", "-O", "binary", "-j", ".images", "flat.elf", "flat.bin")
    return (tool.path / "flat.bin").read_bytes()


def test_store(tool):
    """The bytes that the hypervisor reads: rows in the order of the VMs, segments, data on word boundaries."""
    tool.partitions(TWO)
    tool.write(one_elf=elf([(0x100, CODE, 8, R | X), (0x200, b"abc", 0x100, R | W)], entry=0x104),
               two_elf=elf([(0x100000, CODE, 8, R | X, 0xC0000000), (0x180000, b"", 64, R | W)], entry=0xC0000004),
               one_dtb=b"\xd0\x0d\xfe\xed!")
    assert tool.store() == (0, [])
    data = assembled(tool)
    one, two = words(data, 0, 8), words(data, 32, 8)
    assert one[:7] == [0x104, 0x8000, 0, 0x55, 0, 0, 3]
    assert two[:7] == [0x100004, 0, 0, 0, 0, 0, 2]
    segments = [words(data, one[7] + 16 * n, 4) for n in range(3)] + [words(data, two[7] + 16 * n, 4) for n in range(2)]
    assert [row[:3] for row in segments] == [[0x100, 8, 8], [0x200, 3, 0x100], [0x8000, 5, 5], [0x100000, 8, 8],
                                             [0x180000, 0, 64]]
    assert segments[4][3] == 0 and segments[0][3] == segments[3][3], "no data for .bss, equal data once"
    for row, content in zip(segments, (CODE, b"abc\0", b"\xd0\x0d\xfe\xed!\0\0\0", CODE)):
        assert row[3] % 4 == 0 and data[row[3]:row[3] + len(content)] == content
    assert len(data) == 64 + 5 * 16 + 8 + 4 + 8


def test_store_is_left_alone(tool):
    tool.partitions(ONE)
    tool.write(one_elf=elf([(0, CODE, 8, R | X)]))
    tool.store()
    os.utime(tool.path / "images.S", (1, 1))
    tool.store()
    assert (tool.path / "images.S").stat().st_mtime == 1


def test_image_is_found(tool):
    """--guest wins over --guest-dir; folders are searched in order."""
    tool.partitions(ONE)
    for name, entry in (("a", 0), ("b", 4), ("c", 8)):
        (tool.path / name).mkdir()
        (tool.path / name / "one.elf").write_bytes(elf([(0, CODE + CODE, 16, R | X)], entry=entry))
    (tool.path / "a" / "one.elf").unlink()
    for options, entry in ((["--guest-dir", "a", "--guest-dir", "b", "--guest-dir", "c"], 4),
                           (["--guest-dir", "b", "--guest", "one=c/one.elf"], 8)):
        assert tool.run("--out", "images.S", *options) == (0, [])
        assert words(assembled(tool), 0, 1) == [entry]


def test_depfile(tool):
    tool.partitions(TWO)
    tool.write(one_elf=elf([(0, CODE, 8, R | X)]), two_elf=elf([(M, CODE, 8, R | X)], M), one_dtb="x")
    assert tool.store("--depfile", "images.d") == (0, [])
    assert (tool.path / "images.d").read_text() == ("equals := =\nimages.S: ./one.elf ./two.elf one.dtb\n"
                                                    "./one.elf:\n./two.elf:\none.dtb:\n")


@pytest.mark.parametrize("name", ["a:b.elf", "a=b.elf", "a b.elf", "a#b.elf", "a%b.elf", "a$b.elf", "a\\b.elf", "größe.elf"])
def test_names_of_images(tool, name):
    """Whatever an image is called: make reads its name in the rule, and the assembler finds its bytes."""
    tool.partitions(ONE.replace('"one.elf"', f"'{name}'"))
    (tool.path / name).write_bytes(elf([(0, CODE, 8, R | X)]))
    (tool.path / "Makefile").write_text("images.S:\n\ttouch $@\n-include images.d\n")
    assert tool.store("--depfile", "images.d") == (0, [])
    assert CODE in assembled(tool)
    for stamp, expected in ((1000, 0), (None, 1)):
        os.utime(tool.path / name, stamp and (stamp, stamp))
        os.utime(tool.path / "images.S", (2000, 2000))
        assert subprocess.run(["make", "-q", "images.S"], cwd=tool.path, check=False, timeout=60).returncode == expected
    (tool.path / name).unlink()
    status = subprocess.run(["make", "-q", "images.S"], cwd=tool.path, check=False, timeout=60, capture_output=True).returncode
    assert status == (2 if "%" in name else 1), "a file that has gone is a reason to pack again"


def test_list_of_what_is_missing(tool, capsys):
    """The images that no folder has, and nobody has given."""
    tool.partitions(TWO)
    tool.write(one_elf=elf([(0, CODE, 8, R | X)]))
    for options, expected in (([], "one.elf\ntwo.elf\n"), (["--guest-dir", "."], "two.elf\n"),
                              (["--guest-dir", ".", "--guest", "two=x.elf"], ""), (["--guest", "one=x.elf"], "two.elf\n")):
        assert run_tool(pack.main, ["--partitions", "gen/partitions.json", "--list-missing", *options]) == 0
        assert capsys.readouterr() == (expected, "")


def loaded(data, row, memory):
    """What src/mmu/memory.c does with one VM's row of the store: clear the memory, copy each segment's bytes, no other."""
    ram = bytearray(memory)
    for n in range(row[6]):
        guest, filesz, _, source = words(data, row[7] + 16 * n, 4)
        ram[guest:guest + filesz] = data[source:source + filesz]
    assert len(ram) == memory
    return bytes(ram)


def test_bytes_of_an_image(tool):
    """Segments that meet inside a word, in either order, and one at the last byte: each byte of the memory is the image's or zero,
    and there is none behind it."""
    rng = random.Random(405)
    for _ in range(12):
        cuts = sorted(rng.sample(range(8, 64), 7))
        pieces = [(0, CODE, 8, R | X)] + [(low, rng.randbytes(high - low), high - low, R | W) for low, high in zip(cuts, cuts[1:])
                                          if rng.randrange(4)]
        pieces += [(0xFFFF, b"\x5a", 1, R | W)]
        rng.shuffle(pieces)
        tool.partitions(ONE)
        tool.write(one_elf=elf(pieces))
        assert tool.store() == (0, [])
        data = assembled(tool)
        expected = bytearray(0x10000)
        for address, content, _, _ in pieces:
            expected[address:address + len(content)] = content
        assert loaded(data, words(data, 0, 8), 0x10000) == bytes(expected)


MEMORY = "0x00000000-0x0000FFFF"
LINK = "hint: give the VM more memory or another guest address, or link the guest elsewhere"
SOUND = "hint: a guest is a 32-bit big-endian PowerPC executable"
FAULTS = [
    ("empty", b"", "p.toml:5: vm 'one': ./one.elf: the guest is empty. hint: build it first"),
    ("short", b"\x7fELF\x01\x02",
     "p.toml:5: vm 'one': ./one.elf: the guest is not a sound ELF file: it ends at byte 6, an ELF header has 52. " + SOUND),
    ("no_elf", b"#!/bin/sh\necho\n" * 9,
     "p.toml:5: vm 'one': ./one.elf: the guest is not a sound ELF file: magic number does not match. " + SOUND),
    ("bits", None, "p.toml:5: vm 'one': ./one.elf: the guest can't run: it has 64 bits. " + SOUND),
    ("order", elf([(0, CODE, 8, 5)], order=1), "p.toml:5: vm 'one': ./one.elf: the guest can't run: it is little-endian. " + SOUND),
    ("machine", elf([(0, CODE, 8, 5)], machine=40), "p.toml:5: vm 'one': ./one.elf: the guest can't run: its machine is EM_ARM. " + SOUND),
    ("machine_unknown", elf([(0, CODE, 8, 5)], machine=0x7777),
     "p.toml:5: vm 'one': ./one.elf: the guest can't run: its machine is 30583. " + SOUND),
    ("shared", elf([(0, CODE, 8, 5)], kind=3),
     "p.toml:5: vm 'one': ./one.elf: the guest can't run: its type is ET_DYN, not ET_EXEC. hint: link it, with -static and without -pie"),
    ("relocatable", elf([(0, CODE, 8, 5)], kind=1),
     "p.toml:5: vm 'one': ./one.elf: the guest can't run: its type is ET_REL, not ET_EXEC. hint: link it, with -static and without -pie"),
    ("no_memory_for_it", elf([(0, CODE, 8, 5), (0xFFFC, b"abcdefgh", 0, 6)]),
     "p.toml:5: vm 'one': ./one.elf: the segment at 0x0000FFFC has more bytes in the file than in memory. "
     "hint: the file is damaged: build it again"),
    ("one_byte_too_many", elf([(0, CODE, 8, 5), (0xFFFF, b"ab", 2, 6)]),
     "p.toml:6: vm 'one': the segment 0x0000FFFF-0x00010000 of ./one.elf is outside its memory " + MEMORY + ". " + LINK),
    ("around_the_end", elf([(0, CODE, 8, 5), (0xFFFFFFF0, b"a" * 32, 32, 6)]),
     "p.toml:6: vm 'one': the segment 0xFFFFFFF0-0x10000000F of ./one.elf is outside its memory " + MEMORY + ". " + LINK),
    ("nothing", elf([]), "p.toml:5: vm 'one': ./one.elf: the guest has nothing to load. hint: link it with loadable segments"),
    ("truncated", elf([(0, CODE * 9, 72, 5)])[:-1],
     "p.toml:5: vm 'one': ./one.elf: the file is truncated: the segment at 0x00000000 ends at byte 156, the file at 155. hint: build or copy it again"),
    ("no_headers", elf([(0, CODE, 8, 5)])[:60],
     "p.toml:5: vm 'one': ./one.elf: the file is truncated: its program headers are missing. hint: build or copy it again"),
    ("damaged", elf([(0, CODE, 7, 5)]),
     "p.toml:5: vm 'one': ./one.elf: the segment at 0x00000000 has more bytes in the file than in memory. hint: the file is damaged: build it again"),
    ("above", elf([(0, CODE, 8, 5), (0xFFF8, CODE, 12, 6)]),
     f"p.toml:6: vm 'one': the segment 0x0000FFF8-0x00010003 of ./one.elf is outside its memory {MEMORY}. " + LINK),
    ("bss_above", elf([(0, CODE, 8, 5), (0x8000, b"", 0x8001, 6)]),
     f"p.toml:6: vm 'one': the segment 0x00008000-0x00010000 of ./one.elf is outside its memory {MEMORY}. " + LINK),
    ("wraps", elf([(0, CODE, 8, 5), (0xFFFFFFF8, CODE, 16, 6)]),
     f"p.toml:6: vm 'one': the segment 0xFFFFFFF8-0x100000007 of ./one.elf is outside its memory {MEMORY}. " + LINK),
    ("overlap", elf([(0, CODE, 0x101, 5), (0x100, CODE, 8, 6)]),
     "p.toml:5: vm 'one': the segment 0x00000000-0x00000100 of ./one.elf overlaps the segment 0x00000100-0x00000107 of ./one.elf. "
     "hint: correct the guest's linker script"),
    ("entry_odd", elf([(0, CODE, 8, 5)], entry=2),
     "p.toml:5: vm 'one': the entry 0x00000002 of ./one.elf is not word-aligned. hint: see ENTRY in the guest's linker script"),
    ("entry_outside", elf([(0, CODE, 8, 5)], entry=8),
     "p.toml:5: vm 'one': the entry 0x00000008 of ./one.elf is in no executable segment. hint: see ENTRY in the guest's linker script"),
    ("entry_in_bss", elf([(0, CODE, 16, 5)], entry=12),
     "p.toml:5: vm 'one': the entry 0x0000000C of ./one.elf is in no executable segment. hint: see ENTRY in the guest's linker script"),
    ("entry_in_data", elf([(0, CODE, 8, 5), (0x100, CODE, 8, 6)], entry=0x100),
     "p.toml:5: vm 'one': the entry 0x00000100 of ./one.elf is in no executable segment. hint: see ENTRY in the guest's linker script"),
]


@pytest.mark.parametrize("data, expected", [row[1:] for row in FAULTS], ids=[row[0] for row in FAULTS])
def test_fault(tool, data, expected):
    tool.partitions(ONE)
    tool.write(one_elf=elf([(0, CODE, 8, 5)], bits=2) if data is None else data)
    status, err = tool.store()
    assert status == 1 and not (tool.path / "images.S").exists()
    assert err == [expected]


def test_offset_of_a_segment_without_bytes(tool):
    """Linkers give .bss alone an offset behind the end of the file: nothing is read from there."""
    tool.partitions(ONE)
    image = bytearray(elf([(0, CODE, 8, R | X), (0x1000, b"", 0x100, R | W)]))
    image[52 + 32 + 4:52 + 32 + 8] = struct.pack(">I", 0x10000)
    tool.write(one_elf=bytes(image))
    assert tool.store() == (0, [])
    row = words(assembled(tool), 0, 8)
    assert words(assembled(tool), row[7] + 16, 4) == [0x1000, 0, 0x100, 0]


def test_blob_that_is_made(tool):
    """Of what lies beside partitions.json: the names that tools/partition.py writes for a VM with tunnels."""
    tool.partitions(BLOB.replace("one.dtb", "one.peers"))
    tool.write(one_elf=elf([(0, CODE, 8, R | X)]))
    assert tool.store()[0] == 1
    (tool.path / "gen" / "one.peers").write_bytes(b"one\0\0\0\0\0")
    assert tool.store() == (0, [])
    assert b"one\0\0\0\0\0" in bytes(assembled(tool))


def test_exactly_filled(tool):
    tool.partitions(ONE)
    tool.write(one_elf=elf([(0, CODE, 0x8000, 5), (0x8000, CODE, 0x8000, 6)]))
    assert tool.store() == (0, [])


BLOB = ONE + 'blob = { file = "one.dtb", guest = 0x8000 }\n'


@pytest.mark.parametrize("blob, segment, expected", [
    (None, 8, "p.toml:7: vm 'one': there is no blob 'one.dtb'. hint: place it beside the partition file, or name its folder with --guest-dir"),
    ("", 8, "p.toml:7: vm 'one': one.dtb: the blob is empty. hint: build it first"),
    ("x" * 0x8001, 8,
     f"p.toml:6: vm 'one': the blob 0x00008000-0x00010000 of one.dtb is outside its memory {MEMORY}. " + LINK),
    ("x", 0x8001, "p.toml:7: vm 'one': the segment 0x00000000-0x00008000 of ./one.elf overlaps the blob 0x00008000-0x00008000 of one.dtb. "
     "hint: move the blob's guest address")])
def test_blob_fault(tool, blob, segment, expected):
    tool.partitions(BLOB)
    tool.write(one_elf=elf([(0, CODE, segment, 5)]))
    if blob is not None:
        tool.write(one_dtb=blob)
    assert tool.store() == (1, [expected])


def test_stubs(tool):
    """They take no place that is used, but one that is kept for them by zeros."""
    tool.partitions(ONE + "optimize = true\nstubs = { guest = 0x8000 }\n", "CONFIG_IRFM=y\nCONFIG_TLB_VIRT=y\nCONFIG_OPTIMIZE=y\n")
    tool.write(one_elf=elf([(0, CODE, 8, 5), (0x7000, bytes(0x3000), 0x3000, 6)]))
    assert tool.store() == (0, [])
    tool.write(one_elf=elf([(0, CODE, 8, 5), (0x7000, bytes(0x1FFF) + b"x", 0x3000, 6)]))
    assert tool.store() == (1, ["p.toml:8: vm 'one': the segment 0x00007000-0x00008FFF of ./one.elf is in the place of its stubs "
                                "0x00008000-0x00008FFF. hint: they need memory that the guest does not use"])


def test_missing_images_all_at_once(tool):
    tool.partitions(TWO)
    hint = "hint: build the guest, or give --guest {0}=<path> or --guest-dir <folder>"
    assert tool.store() == (1, [
        "p.toml:5: vm 'one': there is no image 'one.elf' (looked in: .). " + hint.format("one"),
        "p.toml:11: vm 'two': there is no image 'two.elf' (looked in: .). " + hint.format("two")])


def test_missing_image_with_a_way_out(tool):
    """The nearest name that is there; and a board that no samples are built for."""
    tool.partitions(ONE.replace("one.elf", "simpelfft.elf"))
    tool.write(simplefft_elf="x", readme_txt="x")
    looked = "p.toml:5: vm 'one': there is no image 'simpelfft.elf' (looked in: "
    build = "build the guest, or give --guest one=<path> or --guest-dir <folder>"
    assert tool.store() == (1, [f"{looked}.). hint: did you mean 'simplefft.elf'?; {build}"])
    assert tool.run("--guest-dir", "build/guests/mine", "--out", "images.S") == (1, [
        f"{looked}build/guests/mine). hint: samples are built for a board that has a header in tests/guests/board (README beside it); {build}"])


@pytest.mark.parametrize("options, expected", [
    (["--guest", "one"], "--guest: 'one' is not <vm>=<path>. hint: for example --guest ctask=build/guests/ctask.elf"),
    (["--guest", "on=x"], "--guest: there is no vm 'on' in p.toml. hint: did you mean 'one'?"),
    (["--guest", "one=x", "--guest", "one=y"], "--guest: vm 'one' is given twice. hint: one image for each VM"),
    (["--guest", "one=nix.elf"], "p.toml:5: vm 'one': nix.elf: can't read the guest: No such file or directory. hint: build it first")])
def test_guest_option(tool, options, expected):
    tool.partitions(ONE)
    assert tool.store(*options) == (1, [expected])


@pytest.mark.parametrize("text, expected", [
    (None, "gen/partitions.json: can't read the partition table: No such file or directory. hint: it is written by tools/partition.py --out"),
    ("{\n]", "gen/partitions.json:2: not JSON: expecting property name enclosed in double quotes. hint: it is written by tools/partition.py --out"),
    ('{"vms": [{"name": "x"}]}', "gen/partitions.json: not a partition table: 'index' is missing. hint: it is written by tools/partition.py --out")])
def test_partition_table_fault(tool, text, expected):
    if text is not None:
        (tool.path / "gen").mkdir()
        (tool.path / "gen" / "partitions.json").write_text(text)
    assert tool.store() == (1, [expected])


# ---------------------------------------------------------------- pre-virtualization tables

HYBRID = "CONFIG_PREVIRT=y\nCONFIG_IRFM=y\n"
PREVIRT = ONE + "previrt = true\nirfm = true\n"
MAGIC, IRFM = 0x50345631, 0x00010000
NOP, RFI, MFSRR0 = 0x60000000, 0x4C000064, 0x7C7A02A6
CODE4 = struct.pack(">4I", MFSRR0, RFI, NOP, NOP)


def table(*entries, magic=MAGIC, length=None, boundary=0xFFFFF000, count=None):
    """The words of a table of (address, needs, old words, new words)."""
    body = [word for address, needs, old, new in entries for word in (address, needs | len(old), *old, *new)]
    return [magic, 4 + len(body) if length is None else length, boundary, len(entries) if count is None else count, *body]


def packed(numbers):
    """Words as bytes."""
    return struct.pack(f">{len(numbers)}I", *numbers)


def with_section(data, content, name=b".proteus.previrt", kind=1, flags=0, size=None):
    """The same executable with a section appended, as previrt.py does."""
    names = b"\0" + name + b"\0.shstrtab\0"
    start = len(data)
    headers = start + len(content) + len(names)
    fields = (bytes(40), struct.pack(">10I", 1, kind, flags, 0, start, len(content) if size is None else size, 0, 0, 4, 0),
              struct.pack(">10I", 2 + len(name), 3, 0, 0, start + len(content), len(names), 0, 0, 1, 0))
    header = bytearray(data[:52])
    struct.pack_into(">I", header, 32, headers)
    struct.pack_into(">HHH", header, 46, 40, 3, 2)
    return bytes(header) + data[52:] + content + names + b"".join(fields)


SITE = (0x100, IRFM, [MFSRR0], [0x8060F088])
SITES = [SITE, (0x104, 0, [RFI, NOP], [NOP, NOP])]
GUEST = elf([(0x100, CODE4, 32, R | X, 0xC0000100), (0x200, CODE4, 16, R | W)], entry=0xC0000100)


def test_table(tool):
    """What the section's table says, word by word, beside the image that has it; a VM without it has a null pointer."""
    tool.partitions(PREVIRT + '[[vm]]\nname = "two"\nimage = "two.elf"\nmemory = "64K"\n', HYBRID)
    content = packed(table(*SITES))
    tool.write(one_elf=with_section(GUEST, content), two_elf=with_section(GUEST, b"not read"))
    assert tool.store() == (0, [])
    data = assembled(tool)
    one, two = words(data, 0, 10), words(data, 40, 10)
    assert one[6] == two[6] == 2 and one[8] == 3 and two[8:] == [0, 0]
    assert tool.notes == ["note: p.toml:11: vm 'two': ./two.elf has a table for pre-virtualization, which is not used. "
                          "hint: previrt = true (and CONFIG_PREVIRT=y) applies it"]
    assert one[9] % 4 == 0 and words(data, one[9], 9) == [
        0x100, MFSRR0, 0x8060F088, 0x104, RFI, NOP, 0x108, NOP, NOP]
    assert words(data, one[7], 3) == [0x100, 16, 32] and words(data, two[7], 3) == [0x100, 16, 32]


def test_entries_that_the_vm_cannot_use(tool):
    """An entry that needs what the VM does not have is left out: its instruction stays trapping."""
    tool.partitions(ONE + "previrt = true\n", HYBRID)
    tool.write(one_elf=with_section(GUEST, packed(table(*SITES, boundary=0))))
    assert tool.store() == (0, [])
    data = assembled(tool)
    row = words(data, 0, 10)
    assert row[8] == 2 and words(data, row[9], 6) == [0x104, RFI, NOP, 0x108, NOP, NOP]
    assert tool.notes == ["note: p.toml:5: vm 'one': 1 of 2 entries of the table in ./one.elf are left out: 1 for want of FEATURE_IRFM. "
                          "hint: irfm = true gives FEATURE_IRFM"]


def test_why_entries_are_left_out(tool):
    """Each reason with its number, and the key or option that would change it; those that the VM has are not counted."""
    entries = [(0x100, IRFM, [MFSRR0], [NOP]), (0x104, IRFM | 0x20000, [RFI], [NOP]), (0x108, 0x40000, [NOP], [RFI]),
               (0x200, 0x20000, [MFSRR0], [NOP])]
    tool.partitions(PREVIRT, HYBRID + "CONFIG_FIT_WATCHDOG=y\nCONFIG_TLB_VIRT=y\n")
    tool.write(one_elf=with_section(GUEST, packed(table(*entries))))
    assert tool.store() == (0, [])
    assert tool.notes == [
        "note: p.toml:5: vm 'one': 3 of 4 entries of the table in ./one.elf are left out: 2 for want of FEATURE_TSR_STORE, 1 for want of "
        "FEATURE_MMU_STORE. hint: CONFIG_FIT_WATCHDOG=n gives FEATURE_TSR_STORE; CONFIG_TLB_VIRT=n gives FEATURE_MMU_STORE"]
    tool.partitions(PREVIRT, HYBRID)
    assert tool.store() == (0, []) and tool.notes == []


def test_every_feature_has_its_remedy():
    """What entries can need: FEATURE_* of the upper half word."""
    needs = {name for name, value in pack.abi().items() if name.startswith("FEATURE_") and value >= 0x10000}
    assert needs == set(pack.REMEDIES)


def test_table_of_an_option_that_is_off(tool):
    """Without CONFIG_PREVIRT a row of vm_image is as long as before."""
    tool.partitions(ONE, "CONFIG_IRFM=y\n")
    tool.write(one_elf=with_section(GUEST, packed(table(*SITES))))
    assert tool.store() == (0, [])
    row = words(assembled(tool), 0, 8)
    assert row[6:] == [2, 32]


@pytest.mark.parametrize("data", [
    table(), table((0x104, 0, [RFI], [NOP]), boundary=0), table((0x200, IRFM, [MFSRR0, RFI, NOP, NOP], [NOP] * 4)),
    table(SITE, (0x200, 0xFFFF0000, [MFSRR0], [NOP]))], ids=["empty", "no_pages", "all_of_a_segment", "two_segments"])
def test_sound_tables(tool, data):
    tool.partitions(PREVIRT, HYBRID)
    tool.write(one_elf=with_section(GUEST, packed(data)))
    assert tool.store() == (0, [])


MAKE = ". hint: make it with previrt/previrt.py"
OTHER = ": the image has other words there. hint: the table belongs to another build of the image: make it again"
TABLE_FAULTS = [
    ("no_words", b"", f"0 bytes are no whole words, or less than a header{MAKE}"),
    ("odd", packed(table(SITE)) + b"\0", f"33 bytes are no whole words, or less than a header{MAKE}"),
    ("magic", table(SITE, magic=MAGIC + 1), f"it begins with 0x50345632, not 0x50345631{MAKE}"),
    ("length_low", table(SITE, length=7), f"its header says 7 words, the section has 8{MAKE}"),
    ("length_high", table(SITE, length=9), f"its header says 9 words, the section has 8{MAKE}"),
    ("boundary", table(SITE, boundary=0xFFFFE000), "it was made for register pages around 0xFFFFE000, the VM has them around 0xFFFFF000. "
     'hint: irfm = "0xFFFFE000", or make the table again'),
    ("count_high", table(SITE, count=2), f"entry 1 has no words, or more than the table{MAKE}"),
    ("count_low", table(*SITES, count=1), f"6 words are left behind its 1 entries{MAKE}"),
    ("entry_empty", table((0x100, 0, [], [])), f"entry 0 has no words, or more than the table{MAKE}"),
    ("entry_long", [MAGIC, 8, 0, 1, 0x100, 3, MFSRR0, NOP], f"entry 0 has no words, or more than the table{MAKE}"),
    ("unaligned", table(SITE, (0x106, 0, [RFI], [NOP])), f"entry 1 at 0x00000106 is not word-aligned{MAKE}"),
    ("outside", table((0x10000, 0, [0], [NOP])), f"entry 0 at 0x00010000 is outside the VM's memory {MEMORY}{MAKE}"),
    ("partly_outside", table((0xFFFC, 0, [0, 0], [NOP, NOP])), f"entry 0 at 0x0000FFFC is outside the VM's memory {MEMORY}{MAKE}"),
    ("virtual", table((0xC0000100, 0, [MFSRR0], [NOP])), f"entry 0 at 0xC0000100 is outside the VM's memory {MEMORY}{MAKE}"),
    ("descending", table(SITES[1], SITE), f"entry 1 at 0x00000100 is not behind the entry before it{MAKE}"),
    ("twice", table(SITE, SITE), f"entry 1 at 0x00000100 is not behind the entry before it{MAKE}"),
    ("overlap", table((0x100, 0, [MFSRR0, RFI], [NOP, NOP]), (0x104, 0, [RFI], [NOP])),
     f"entry 1 at 0x00000104 is not behind the entry before it{MAKE}"),
    ("other_word", table(SITE, (0x104, 0, [RFI, NOP + 1], [NOP, NOP])), "entry 1 at 0x00000104" + OTHER),
    ("bss", table((0x110, 0, [0], [NOP])), "entry 0 at 0x00000110" + OTHER),
    ("end_of_code", table((0x10C, 0, [NOP, 0], [NOP, NOP])), "entry 0 at 0x0000010C" + OTHER),
    ("no_segment", table((0x8000, 0, [0], [NOP])), "entry 0 at 0x00008000" + OTHER),
]


@pytest.mark.parametrize("content, expected", [row[1:] for row in TABLE_FAULTS], ids=[row[0] for row in TABLE_FAULTS])
def test_table_fault(tool, content, expected):
    """What the loader would refuse is refused here, with the entry; --accept-bad-tables passes it on as it is."""
    tool.partitions(PREVIRT, HYBRID)
    content = content if isinstance(content, bytes) else packed(content)
    tool.write(one_elf=with_section(GUEST, content))
    assert tool.store() == (1, [f"p.toml:5: vm 'one': ./one.elf: the section .proteus.previrt is no sound table: {expected}"])
    assert not (tool.path / "images.S").exists()
    assert tool.store("--accept-bad-tables") == (0, [])
    data = assembled(tool)
    row = words(data, 0, 10)
    assert bool(row[8]) == bool(row[9]) and row[8] <= len(content) // 8
    assert len(data) >= row[9] + 12 * row[8]


NO_BYTES = f"the section .proteus.previrt has no bytes in the file{MAKE}"
DAMAGED = bytearray(with_section(GUEST, packed(table(SITE))))
struct.pack_into(">H", DAMAGED, 50, 9)                  # the names are in a section that is not there
SECTION_FAULTS = [
    ("none", GUEST, f"previrt = true, but there is no section .proteus.previrt{MAKE}, or remove previrt"),
    ("other_name", with_section(GUEST, packed(table(SITE)), name=b".proteus.sites"),
     f"previrt = true, but there is no section .proteus.previrt{MAKE}, or remove previrt"),
    ("nobits", with_section(GUEST, b"", kind=8, size=32), NO_BYTES),
    ("beyond", with_section(GUEST, packed(table(SITE)), size=0x10000), NO_BYTES),
]


@pytest.mark.parametrize("options", [[], ["--accept-bad-tables"]], ids=["checked", "accepted"])
@pytest.mark.parametrize("data, expected", [row[1:] for row in SECTION_FAULTS], ids=[row[0] for row in SECTION_FAULTS])
def test_section_fault(tool, data, expected, options):
    tool.partitions(PREVIRT, HYBRID)
    tool.write(one_elf=data)
    assert tool.store(*options) == (1, [f"p.toml:5: vm 'one': ./one.elf: {expected}"])


def test_section_in_memory(tool):
    """A table that the linker would load is the guest's memory, which it must not take."""
    tool.partitions(PREVIRT, HYBRID)
    tool.write(one_elf=with_section(GUEST, packed(table(SITE)), flags=2))
    assert tool.store() == (1, ["p.toml:5: vm 'one': ./one.elf: the section .proteus.previrt takes memory of the guest (SHF_ALLOC)" + MAKE])


def test_section_headers_damaged(tool):
    tool.partitions(PREVIRT, HYBRID)
    tool.write(one_elf=bytes(DAMAGED))
    status, err = tool.store()
    assert status == 1 and len(err) == 1 and err[0].startswith("p.toml:5: vm 'one': ./one.elf: ")


def test_boundary_without_pages(tool):
    """A VM without register pages takes a table that uses none, and its entries may need other features."""
    tool.partitions(ONE + "previrt = true\n", HYBRID)
    tool.write(one_elf=with_section(GUEST, packed(table(SITE))))
    assert tool.store() == (1, [
        "p.toml:5: vm 'one': ./one.elf: the section .proteus.previrt is no sound table: it was made for register pages around 0xFFFFF000, "
        'the VM has none. hint: irfm = "0xFFFFF000", or make the table again'])
    tool.write(one_elf=with_section(GUEST, packed(table(SITE, boundary=0))))
    assert tool.store() == (0, [])


def sound(numbers):
    """Another reading of a table: rebuilt from its entries it is the same, and patches what GUEST has, in order."""
    entries, at, memory = [], 4, {0x100: CODE4, 0x200: CODE4}
    while at + 1 < len(numbers):
        count = numbers[at + 1] & 0xFFFF
        old, new = numbers[at + 2:at + 2 + count], numbers[at + 2 + count:at + 2 + 2 * count]
        entries.append((numbers[at], numbers[at + 1] & 0xFFFF0000, old, new))
        at += 2 + 2 * count
    if table(*entries, boundary=numbers[2]) != numbers or numbers[2] not in (0, 0xFFFFF000):
        return False
    places = [place for entry in entries for place in range(entry[0], entry[0] + 4 * len(entry[2]), 4)]
    words_of = {base + 4 * n: word for base, code in memory.items() for n, word in enumerate(struct.unpack(">4I", code))}
    return (all(entry[2] and len(entry[2]) == len(entry[3]) for entry in entries) and places == sorted(set(places))
            and [words_of.get(place) for place in places] == [word for entry in entries for word in entry[2]])


def test_random_tables(tool):
    """pack.py and another reading agree on every damaged table."""
    tool.partitions(PREVIRT, HYBRID)
    rng = random.Random(405)
    start = table(*SITES, (0x200, 0, [MFSRR0], [NOP]), (0x204, 0, [RFI], [NOP]))
    seen = {True: 0, False: 0}
    for _ in range(400):
        numbers = list(start)
        for _ in range(rng.randint(1, 2)):
            index = rng.randrange(len(numbers))
            numbers[index] = rng.choice((numbers[index] ^ 1 << rng.randrange(32), numbers[index] + 4 & 0xFFFFFFFF,
                                         rng.choice(start), rng.randrange(1 << 32), 0, 0xFFFFFFFF))
        if rng.randrange(4) == 0:
            del numbers[rng.randrange(4, len(numbers)):]
        tool.write(one_elf=with_section(GUEST, packed(numbers)))
        status, err = tool.store()
        seen[sound(numbers)] += 1
        assert (status == 0) == sound(numbers), (numbers, err)
        assert len(err) == status
    assert min(seen.values()) > 20, seen


HYPERVISOR = """ .globl start
 .section .text, "ax"
start: b .
 .long vm_image
 .section .rodata, "a"
 .long 0x12345678
 .section .bss, "aw", @nobits
 .space 64
 .section .reset, "ax"
 b start
"""
RAM_LD = """ENTRY(start)
SECTIONS { .text 0 : { *(.text) } .rodata : { *(.rodata) } .bss : { *(.bss) } .images IMAGES : { *(.images) } /DISCARD/ : { *(.reset .gnu*) } }
"""
ROM_LD = """ENTRY(start)
SECTIONS { .text 0xFFFF8000 : { *(.text) } .rodata : { *(.rodata) } .bss BSS (NOLOAD) : { *(.bss) } .images 0xFFFF0000 : { *(.images) }
 .reset RESET : { *(.reset) } /DISCARD/ : { *(.gnu*) } }
"""


@pytest.fixture
def linked(tool):
    """A guest, a hypervisor of four sections, and linker scripts for RAM and ROM."""
    tool.partitions(ONE)
    tool.write(one_elf=elf([(0, CODE, 8, R | X)]), h_s=HYPERVISOR, ram_ld=RAM_LD.replace("IMAGES", "0x7000000"),
               rom_ld=ROM_LD.replace("BSS", "0x1000").replace("RESET", "0xFFFFFFFC"))
    command(tool, CROSS + "as", "-m405", "h.s", "-o", "h.o")
    return tool


def link(tool, script, *options):
    """pack.py with a prebuilt hypervisor, in one step."""
    return tool.run("--guest-dir", ".", "--hypervisor", "h.o", "--script", script, "--out", "image.elf", *options)


def test_link(linked):
    """One step from objects to an image whose vm_image is at the linked place, and which the check accepts."""
    assert link(linked, "ram.ld") == (0, [])
    command(linked, CROSS + "objcopy", "-O", "binary", "-j", ".images", "image.elf", "images.bin")
    data = (linked.path / "images.bin").read_bytes()
    row = words(data, 0, 8)
    assert row[6:] == [1, 0x7000020] and words(data, 0x20, 4) == [0, 8, 8, 0x7000030] and data[0x30:] == CODE
    command(linked, CROSS + "objcopy", "-O", "binary", "-j", ".text", "image.elf", "text.bin")
    assert (linked.path / "text.bin").read_bytes()[4:8] == bytes.fromhex("07000000")
    assert linked.run("--image", "image.elf") == (0, [])
    assert sorted(file.name for file in linked.path.iterdir() if "image" in file.name) == ["image.elf", "images.bin"]


@pytest.mark.parametrize("address, low, high",
                         [("0x1FFF0", 0x1FFF0, 0x20027), ("0x10000", 0x10000, 0x10037), ("0xFFFC", 0xFFFC, 0x10033)])
def test_link_over_a_partition(linked, address, low, high):
    """The VM's memory is at 0x10000-0x1FFFF."""
    linked.write(ram_ld=RAM_LD.replace("IMAGES", address))
    assert link(linked, "ram.ld") == (1, [
        f"image.elf: the image's 0x{low:08X}-0x{high:08X} overlaps the memory 0x00010000-0x0001FFFF of vm 'one' (p.toml:6). "
        "hint: link the hypervisor and its store into the board's reserved areas"])
    assert not (linked.path / "image.elf").exists()
    (linked.path / "ram.ld").write_text(RAM_LD.replace("IMAGES", "0x20000"))
    assert link(linked, "ram.ld") == (0, [])


def test_rom(linked):
    assert link(linked, "rom.ld", "--bin", "rom.bin", "--size", "0x20000") == (0, [])
    rom = (linked.path / "rom.bin").read_bytes()
    assert len(rom) == 0x20000
    assert words(rom, 0x1FFFC, 1) == [0x48000000 | (0xFFFF8000 - 0xFFFFFFFC) & 0x03FFFFFC], "the reset branch"
    assert words(rom, 0x18000, 3) == [0x48000000, 0xFFFF0000, 0x12345678], "code, the address of vm_image, constants"
    assert words(rom, 0x10000, 1) == [0] and rom[:0x10000] == b"\xff" * 0x10000
    assert linked.run("--image", "image.elf", "--bin", "again.bin", "--size", "131072") == (0, [])
    assert (linked.path / "again.bin").read_bytes() == rom


def test_rom_size_is_the_boards(linked):
    """Without --size: the board's [[rom]]."""
    table = json.loads((linked.path / "gen" / "partitions.json").read_text())
    assert [(area["base"], area["size"]) for area in table["board"]["rom"]] == [(0xFFF80000, 0x80000)]
    assert link(linked, "rom.ld", "--bin", "rom.bin") == (0, [])
    assert len((linked.path / "rom.bin").read_bytes()) == 0x80000


def test_rom_with_images_in_ram(linked):
    """--images: what is loaded into RAM, from the board's area `images` on; the ROM is then as small as it can be."""
    linked.write(rom_ld=ROM_LD.replace("BSS", "0x1000").replace("RESET", "0xFFFFFFFC").replace("0xFFFF0000", "0x7000020"))
    assert link(linked, "rom.ld", "--bin", "rom.bin", "--images", "images.bin") == (0, [])
    rom, images = ((linked.path / name).read_bytes() for name in ("rom.bin", "images.bin"))
    assert len(rom) == 0x10000 and words(rom, 0x8000, 3) == [0x48000000, 0x7000020, 0x12345678] and rom[:0x8000] == b"\xff" * 0x8000
    assert images[:0x20] == bytes(0x20) and words(images, 0x20, 8)[6:] == [1, 0x7000040] and images[0x50:] == CODE
    linked.write(rom_ld=ROM_LD.replace("BSS", "0x1000").replace("RESET", "0xFFFFFFFC").replace("0xFFFF0000", "0x6FFFFF0"))
    assert link(linked, "rom.ld", "--bin", "again.bin", "--images", "again2.bin") == (1, [
        "image.elf: the image's 0x06FFFFF0-0x07000027 is neither in the ROM nor in the board's area 'images'. "
        "hint: use the ROM's linker script"])
    assert not (linked.path / "again.bin").exists() and not (linked.path / "again2.bin").exists()


@pytest.mark.parametrize("script, size, expected", [
    (ROM_LD.replace("BSS", "0x1000").replace("RESET", "0xFFFFFFF8"), "0x20000",
     "image.elf: the image ends at 0xFFFFFFFB, a ROM ends at 0xFFFFFFFF. hint: use the ROM's linker script: the reset branch is the last word"),
    (ROM_LD.replace("BSS", "0x1000").replace("RESET", "0xFFFFFFFC"), "0x8000",
     "image.elf: the image starts at 0xFFFF0000, 65536 bytes before the end; the ROM has 32768. hint: fewer or smaller guests, or a larger --size"),
    (ROM_LD.replace("BSS", "0x10000").replace("RESET", "0xFFFFFFFC"), "0x20000",
     "image.elf: the image's 0x00010000-0x0001003F overlaps the memory 0x00010000-0x0001FFFF of vm 'one' (p.toml:6). "
     "hint: link the hypervisor and its store into the board's reserved areas")])
def test_rom_fault(linked, script, size, expected):
    linked.write(rom_ld=script)
    assert link(linked, "rom.ld", "--bin", "rom.bin", "--size", size) == (1, [expected])
    assert not (linked.path / "rom.bin").exists() and not (linked.path / "image.elf").exists()


def test_toolchain_faults(linked, monkeypatch):
    assert linked.run("--guest-dir", ".", "--hypervisor", "nix.o", "--script", "ram.ld", "--out", "image.elf") == (1, [
        "nix.o: can't read the hypervisor object: No such file or directory. hint: build the hypervisor first"])
    assert link(linked, "nix.ld") == (1, [
        "nix.ld: can't read the linker script: No such file or directory. hint: build the hypervisor first"])
    linked.write(ram_ld="SECTIONS {")
    status, err = link(linked, "ram.ld")
    assert status == 1 and len(err) == 1 and err[0].startswith("image.elf: ") and "syntax error. hint: is the input the hypervisor's" in err[0]
    monkeypatch.setenv("CROSS_COMPILE", "nix-")
    assert link(linked, "ram.ld") == (1, ["nix-as: can't run: No such file or directory. hint: apt-get install gcc-powerpc-linux-gnu, "
                                          "or set CROSS_COMPILE to the prefix of your toolchain"])
    assert not (linked.path / "image.elf").exists()


@pytest.mark.parametrize("options", [
    [], ["--out", "a.S", "--image", "b"], ["--out", "a.elf"], ["--out", "a.S", "--hypervisor", "h.o", "--script", "s"],
    ["--out", "a.elf", "--hypervisor", "h.o"], ["--out", "a.S", "--bin", "b"], ["--image", "a", "--guest", "x=y"],
    ["--image", "a", "--accept-bad-tables"],
    ["--image", "a", "--bin", "b", "--size", "0"], ["--image", "a", "--size", "x"],
    ["--image", "a", "--images", "b"]])
def test_usage(options):
    result = subprocess.run([os.path.join(TOP, "tools", "pack.py"), "--partitions", "nix.json", *options],
                            capture_output=True, text=True, timeout=60, check=False)
    assert result.returncode == 2 and result.stderr.startswith("usage: pack.py")


def test_random_damage(tool):
    """Whatever byte of a guest is wrong: a fault in one line or a good store, never a traceback."""
    tool.partitions(ONE)
    good = elf([(0, CODE, 8, R | X), (0x200, b"abcd", 0x100, R | W)])
    rng = random.Random(405)
    refused = 0
    for _ in range(300):
        data = bytearray(good)
        for _ in range(rng.randint(1, 3)):
            data[rng.randrange(len(data))] = rng.randrange(256)
        tool.write(one_elf=bytes(data[:rng.choice((len(data), len(data), rng.randrange(len(data)))) or 1]))
        status, err = tool.store()
        refused += status
        assert (status, len(err)) in ((0, 0), (1, 1)), err
    assert 100 < refused < 300


def test_random_damage_of_a_table(tool):
    """The same with a section: its headers, its name, its contents."""
    tool.partitions(PREVIRT, HYBRID)
    good = with_section(GUEST, packed(table(*SITES)))
    rng = random.Random(405)
    refused = 0
    for options in [[]] * 200 + [["--accept-bad-tables"]] * 100:
        data = bytearray(good)
        for _ in range(rng.randint(1, 2)):
            data[rng.randrange(len(GUEST) - 32, len(data))] = rng.randrange(256)
        tool.write(one_elf=bytes(data))
        status, err = tool.store(*options)
        refused += status
        assert (status, len(err)) in ((0, 0), (1, 1)), err
    assert 50 < refused < 300


def test_json_has_what_the_hypervisor_needs(tool):
    tool.partitions(TWO)
    vms = json.loads((tool.path / "gen" / "partitions.json").read_text())["vms"]
    assert [vm["blob"] and vm["blob"]["line"] for vm in vms] == [8, None]
