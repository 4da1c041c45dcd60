"""previrt.py: round trips on real programs, tables that do not agree, damaged files, the command line."""

import glob
import json
import os
import random
import shutil
import struct

import pytest
from previrt_support import CROSS, PLAIN_SOURCE as SOURCE, TOP, assemble, build, disassemble, run, tool

import table
from elf import TABLE, Elf, extend, undo_record
from facts import ABI, PAGE_BY_NAME
from previrt import main
from sites import row_of


@pytest.fixture(scope="session")
def real(tmp_path_factory):
    """Programs from other people's code: the sample guests, and newlib and libgcc linked whole."""
    out = tmp_path_factory.mktemp("guests")
    environment = {**os.environ, "CROSS_COMPILE": CROSS}
    run("make", "-s", "-C", f"{TOP}/tests/guests", f"OUT={out}", f"NEWLIB_CACHE={TOP}/build/newlib", "ctask", "rtostest", "ffttask",
        "simplefft", "straytest", env=environment)
    for name in ("bench", "twin", "hostile", "neighbour", "echo"):
        run("make", "-s", "-C", f"{TOP}/tests/guests/{name}", f"OUT={out}", env=environment)
    newlib = next(iter(glob.glob(f"{out}/obj/*/newlib.path")))
    with open(newlib, encoding="utf-8") as file:
        library = os.path.join(file.read().strip(), "lib")
    libgcc = run(CROSS + "gcc", "-print-libgcc-file-name").stdout.strip()
    members = out / "libgcc"
    members.mkdir()
    run(CROSS + "ar", "x", libgcc, cwd=members)
    objects = [path for path in glob.glob(f"{members}/*.o") if "morestack" not in path]      # needs the threads of an OS
    for name, inputs in (("newlib", [f"{library}/libm.a", f"{library}/libc.a"]), ("libgcc", sorted(objects))):
        run(CROSS + "ld", "-o", out / f"{name}.elf", "-e", "0", "-Ttext=0x10000", "--unresolved-symbols=ignore-all",
            "--allow-multiple-definition", "--whole-archive", *inputs)
    return {os.path.basename(path)[:-4]: path for path in sorted(glob.glob(f"{out}/*.elf"))}


REAL = "ctask rtostest ffttask simplefft straytest bench twin hostile neighbour echo newlib libgcc".split()


@pytest.mark.parametrize("name", REAL)
def test_round_trip(name, real, tmp_path):
    """elf, verify, undo: the same bits. The table takes no memory, and the loaded bytes are what they were."""
    path, made, back = real[name], tmp_path / "made", tmp_path / "back"
    tool("elf", path, "-o", made, "-q")
    tool("verify", made)
    before, after = Elf(path), Elf(str(made))
    for segment in before.loads:
        first, last = max(segment.offset, 52), segment.offset + segment.filesz     # only the file header may differ
        assert before.data[first:last] == after.data[first:last]
    assert after.loads == before.loads and after.entry == before.entry
    assert after.section(TABLE).addr == 0 and not after.section(TABLE).flags
    assert run(CROSS + "readelf", "-a", "-W", made).stderr == ""
    tool("undo", made, "-o", back)
    assert back.read_bytes() == before.data
    assert os.stat(made).st_mode == os.stat(path).st_mode


def test_again_is_the_same(real, tmp_path):
    """A table that is there is replaced, not stacked."""
    first, second = tmp_path / "a", tmp_path / "b"
    tool("elf", real["ctask"], "-o", first, "-q")
    shutil.copy(first, second)
    tool("elf", second, "-q")
    assert first.read_bytes() == second.read_bytes()


def test_libraries_have_nothing_sensitive(real, tmp_path):
    """newlib's and libgcc's code: whatever their constants look like, no word of them is replaced."""
    for name in ("newlib", "libgcc"):
        report = json.loads(tool("report", real[name], "--json").stdout)
        assert [s for s in report["sites"] if s["treatment"] != "stays"] == []


def test_report_adds_up(real):
    """Every sensitive word of the executable sections is in the report, as objdump reads it."""
    report = json.loads(tool("report", real["ctask"], "--json").stdout)
    elf = Elf(real["ctask"])
    words = [(s.addr + i, elf.word(s.addr + i)) for s in elf.code for i in range(0, s.size // 4 * 4, 4)]
    assert [s["address"] for s in report["sites"]] == [a for a, w in words if row_of(w)]
    assert sum(t["count"] for t in report["totals"]) == len(report["sites"]) and report["table"] is False
    text = tool("report", real["ctask"]).stdout
    assert f"{len(report['sites']):6}  in all" in text and "kernel_leave+0x" in text


@pytest.fixture
def made(tmp_path):
    """A program with all kinds of entries: (path with the table, path without)."""
    plain = build(tmp_path, SOURCE, "plain")
    tool("elf", plain, "-o", tmp_path / "made.elf", "--spare", "spare", "-q")
    return tmp_path / "made.elf", plain


def entries_of(path):
    """The table of a file."""
    elf = Elf(str(path))
    return table.unpack(str(path), elf.content(elf.section(TABLE)))


def test_kinds(made):
    """In place, and stubs for what is longer; the timer stays."""
    report = json.loads(tool("report", made[0], "--json").stdout)
    assert [(s["instruction"], s["treatment"]) for s in report["sites"]] == [
        ("mfmsr r3", "in place"), ("mtspr TSR, r9", "stub"), ("wrteei 0", "stub"), ("wrteei 1", "stub"), ("mtmsr r3", "stub"),
        ("mtspr SRR0, r3", "in place"), ("mtspr PIT, r3", "stays")]
    boundary, entries = entries_of(made[0])
    assert boundary == ABI["PAGE_BOUNDARY"] and len(entries) == 10
    assert "10 entries agree with the code: 6 instructions, 4 stubs" in tool("verify", made[0]).stdout


def test_stubs_as_objdump_reads_them(made, tmp_path):
    """What the loader would make of the code."""
    tool("apply", made[0], "-o", tmp_path / "applied.elf")
    elf = Elf(str(tmp_path / "applied.elf"))
    start = next(s.value for s in elf.symbols if s.name == "_start")
    spare = next(s.value for s in elf.symbols if s.name == "spare")
    code = disassemble([elf.word(start + 4 * i) for i in range(13)], tmp_path)
    names = [name for name, _ in code]
    assert names == ["lwz", "lis", "b", "b", "li", "li", "b", "li", "b", "li", "stw", "mtpit", "b"]
    stubs = disassemble([elf.word(spare + 4 * i) for i in range(24)], tmp_path)
    assert [name for name, _ in stubs] == (
        "li stw b lwz clrlwi stw b".replace("clrlwi", stubs[4][0]).split() + "lwz ori stw lwz twlgti b".split() +
        f"lwz xor {stubs[15][0]} twlgti stw lwz and twlgti b mtmsr b".split())


def test_apply_by_features(made, tmp_path):
    """An entry whose feature the VM lacks is left out."""
    tool("apply", made[0], "-o", tmp_path / "a", "--features", f"{ABI['FEATURE_IRFM']}")
    before, after = Elf(str(made[0])), Elf(str(tmp_path / "a"))
    start = next(s.value for s in after.symbols if s.name == "_start")
    assert after.word(start) != before.word(start) and after.word(start + 8) == before.word(start + 8)
    tool("apply", made[0], "-o", tmp_path / "b", "--features", "0")
    assert (tmp_path / "b").read_bytes() == made[0].read_bytes()


def damaged(path, out, change):
    """A copy with another table: change(entries) -> entries."""
    elf = Elf(str(path))
    original, options = undo_record(elf)
    boundary, entries = entries_of(path)
    blob = extend(Elf(str(path), original), table.pack(change(list(entries)), boundary), options)
    out.write_bytes(blob)
    return out


def swap(index, **fields):
    """Entry `index` with other fields."""
    def change(entries):
        entries[index] = entries[index]._replace(**fields)
        return entries
    return change


NEW = {"mfmsr": 0, "tsr": 1, "clear": 2, "set": 3, "mtmsr": 4, "srr0": 5, "stub": 6}


@pytest.mark.parametrize("change, message", [
    (lambda e: swap(0, new=(e[0].new[0] + 4,)), "entry 0: its words are no replacement of mfmsr r3"),
    (lambda e: swap(0, old=(0x7C8000A6,)), "entry 0: 0x00010000 holds 0x7C6000A6, the table says 0x7C8000A6"),
    (lambda e: swap(0, needs=0), "entry 0: it needs the features 0x00000000, not 0x00010000"),
    (lambda e: swap(1, new=(0x48000100,)), "is neither a sensitive instruction nor a stub that one branches to"),
    (lambda e: swap(6, new=e[6].new[:-1] + (0x48000000,)), "entry 6: its words are no replacement of mtspr TSR, r9"),
    (lambda e: swap(6, new=(0x38600000,) + e[6].new[1:]), "entry 6: its words are no replacement"),
    (lambda e: swap(6, new=(0x38600000, e[6].new[1] & ~0x3E00000 | 3 << 21, e[6].new[2])), "entry 6: r3 is not dead"),
    (lambda e: swap(6, needs=e[6].needs & 0x10000), "entry 6: the stub at 0x"),
    (lambda e: lambda entries: entries[:6] + entries[7:], "branches to no stub"),
    (lambda e: lambda entries: entries[:1] + entries[2:], "entry 5: 0x00010034 is neither"),
    (lambda e: swap(5, paddr=0x10030, old=(0x4BFFFFD0,), new=(0x60000000,)), "is neither a sensitive instruction nor a stub"),
    (lambda e: swap(0, paddr=0x900000), "is not in the file"),
])
def test_verify_finds(change, message, made, tmp_path):
    """One wrong digit, and verify names the entry."""
    entries = entries_of(made[0])[1]
    bad = damaged(made[0], tmp_path / "bad", change(entries))
    error = tool("verify", bad, status=1).stderr
    assert message in error and error.startswith(f"{bad}: entry ") and "hint:" in error


@pytest.mark.parametrize("place, value, message", [
    (0, 0x50345632, "begins with 0x50345632"), (1, 5, "says 5 words"), (2, 0xFFFFE000, "pages at 0xFFFFE000"),
    (3, 9, "words behind the last entry"), (3, 11, "entry 10: the table ends before it"), (4, 0x10002, "entry 0: 0x00010002 is unaligned"),
    (4, 0x10020, "entry 1: 0x00010008 is unaligned, or not behind"), (5, 0x10000, "entry 0: 0 words do not fit"),
    (5, 0x1FFFF, "entry 0: 65535 words do not fit"),
])
def test_verify_reads_the_header(place, value, message, made, tmp_path):
    """Words of the header and of an entry's head."""
    blob = bytearray(made[0].read_bytes())
    section = Elf(str(made[0])).section(TABLE)
    struct.pack_into(">I", blob, section.offset + 4 * place, value)
    bad = tmp_path / "bad"
    bad.write_bytes(blob)
    assert message in tool("verify", bad, status=1).stderr


def test_every_single_bit_of_the_table_counts(made, tmp_path, capsys):
    """Flip any one bit of the table: verify refuses it (in this process, for speed)."""
    blob = made[0].read_bytes()
    section = Elf(str(made[0])).section(TABLE)
    accepted = []
    for bit in random.Random(1).sample(range(section.size * 8), 150):
        changed = bytearray(blob)
        changed[section.offset + bit // 8] ^= 1 << bit % 8
        bad = tmp_path / "bad"
        bad.write_bytes(changed)
        try:
            main(["verify", str(bad)])
            accepted.append(bit)
        except Exception as error:                      # noqa: BLE001: any other class fails the next line
            assert type(error).__name__ == "PrevirtError", (bit, error)
    capsys.readouterr()
    # Another dead register in all words of a sequence takes more than one bit; nothing else is free
    assert accepted == []


def test_changed_code_is_found(made, tmp_path):
    """A byte of the program itself: undo and verify refuse."""
    blob = bytearray(made[0].read_bytes())
    blob[Elf(str(made[0])).code[0].offset + 3] ^= 1
    bad = tmp_path / "bad"
    bad.write_bytes(blob)
    for command in ("verify", "undo"):
        assert "was changed after its table was made" in tool(command, bad, status=1).stderr


def test_stripped_afterwards(made, tmp_path):
    """strip rewrites the file: there is no way back, and that is said."""
    run(CROSS + "strip", "-o", tmp_path / "s.elf", made[0])
    assert "hint: build it again" in tool("undo", tmp_path / "s.elf", status=1).stderr


# ---------------------------------------------------------------- spare areas
@pytest.mark.parametrize("spare, message", [
    ("nothing", "is no symbol, and no address and size"), ("_start", "is not empty"), ("0x10000:0x10", "is not empty"),
    ("0x10034:0", "has no size"), ("0x10034:3", "has no room"),
    ("0x10034:zz", "is no symbol, and no address and size"), ("0x90000:0x100", "is not wholly in the file"), ("data", "executable segment"),
    ("nosize", "has no size"), ("0x100000000:16", "has no room"),
])
def test_bad_spare(spare, message, tmp_path):
    """An area that is not free, not code, not there."""
    text = SOURCE + "nosize: .space 8\n .data\n .globl data\n.type data, @object\ndata: .space 64\n.size data, 64\n"
    plain = build(tmp_path, text)
    error = tool("elf", plain, "--spare", spare, "-o", tmp_path / "o", status=1).stderr
    assert message in error and "hint:" in error and not (tmp_path / "o").exists()


def test_spare_that_is_executed(tmp_path):
    """An area of nops that the program runs through."""
    text = ".globl _start\n.type _start, @function\n_start: wrteei 0\nspare: .rept 64\n nop\n .endr\n li 4, 1\n b _start\n.size _start, . - _start\n"
    error = tool("elf", build(tmp_path, text), "--spare", "0x10004:0x100", status=1).stderr
    assert "is executed" in error


def test_overlapping_spares(tmp_path):
    """The same words twice."""
    error = tool("elf", build(tmp_path, SOURCE), "--spare", "spare", "--spare", "spare", status=1).stderr
    assert "overlap" in error


def test_spare_that_is_full(tmp_path):
    """What does not fit stays, and says why."""
    report = json.loads(tool("report", build(tmp_path, SOURCE), "--spare", "0x10034:0x20", "--json").stdout)
    assert [s["why"] for s in report["sites"] if s["treatment"] == "stays"] == [
        "spare area full or out of reach"] * 2 + ["not in the register pages"]


def test_spare_out_of_reach(tmp_path):
    """A branch has 26 bits."""
    text = SOURCE.replace(".globl  spare", ".section .far, \"ax\"\n .globl spare")
    far = build(tmp_path, text, flags=["-Wl,--section-start=.far=0x3000000"])
    report = json.loads(tool("report", far, "--spare", "spare", "--json").stdout)
    assert "spare area full or out of reach" in {s["why"] for s in report["sites"]}


def test_spare_auto(tmp_path):
    """Gaps between sections are found, and what is in sections is not."""
    text = SOURCE.split("        .globl  spare")[0] + ".section .text2, \"ax\"\n.balign 1024\n nop\n"
    plain, made = build(tmp_path, text), tmp_path / "m"
    tool("elf", plain, "--spare", "auto", "-o", made, "-q")
    tool("verify", made)
    assert len(entries_of(made)[1]) == 10


def test_physical_addresses(tmp_path):
    """A kernel that runs translated: the table has the addresses that the loader uses."""
    script = tmp_path / "l.ld"
    script.write_text("SECTIONS { . = 0xC0010000; .text : AT(0x10000) { *(.text) } }")
    plain = build(tmp_path, SOURCE, flags=["-T", script])
    made = tmp_path / "m"
    tool("elf", plain, "-o", made, "--spare", "spare", "-q")
    tool("verify", made)
    assert [e.paddr for e in entries_of(made)[1]][:2] == [0x10000, 0x10008]


REAL_MODE = """
        .globl  _start
        .type   _start, @function
_start: mtspr   945, 3
        mtspr   944, 3
        bl      miss
        b       _start
        .size   _start, . - _start
        .type   miss, @function
miss:   mtspr   945, 4
        mtspr   944, 4
        blr
        .size   miss, . - miss
"""


def test_real_mode_code(tmp_path):
    """PID may be stored where translation is off, without MMU_STORE; elsewhere not, and ZPR nowhere. verify knows which."""
    elf, made = build(tmp_path, REAL_MODE), tmp_path / "made"
    mmu, irfm = ABI["FEATURE_MMU_STORE"], ABI["FEATURE_IRFM"]
    tool("elf", elf, "--real", "miss", "-o", made, "-q")
    tool("verify", made)
    entries = table.unpack(str(made), Elf(str(made)).content(Elf(str(made)).section(TABLE)))[1]
    assert [entry.needs for entry in entries] == [irfm | mmu, irfm | mmu, irfm, irfm | mmu]
    assert entries[2].new == tuple(assemble([f"stb 4, {PAGE_BY_NAME['pid'].offset + 3 - 0x1000}(0)"], tmp_path))
    for needs, place in ((irfm, 0), (irfm | mmu, 2)):
        changed = [entry._replace(needs=needs) if i == place else entry for i, entry in enumerate(entries)]
        options = undo_record(Elf(str(made)))[1]
        made.write_bytes(extend(Elf(str(elf)), table.pack(changed, ABI["PAGE_BOUNDARY"]), options))
        assert f"entry {place}: it needs the features" in tool("verify", made, status=1).stderr
    assert "--real nobody" in tool("elf", elf, "--real", "nobody", "-o", made, status=1).stderr


def test_other_boundary(tmp_path):
    """Pages elsewhere: displacements and header follow, verify knows."""
    plain, made = build(tmp_path, SOURCE), tmp_path / "m"
    tool("elf", plain, "-o", made, "--boundary", "0x4000", "-q")
    boundary, entries = entries_of(made)
    assert boundary == 0x4000 and entries[0].new == tuple(assemble([f"lwz 3, {0x4000 + PAGE_BY_NAME['msr'].offset}(0)"], tmp_path))
    tool("verify", made)
    assert "out of a displacement's reach" in tool("elf", plain, "--boundary", "0x20000", status=1).stderr


def test_no_entry_needs_no_boundary(tmp_path):
    """A table without pages has boundary zero."""
    plain = build(tmp_path, ".globl _start\n.type _start, @function\n_start: dccci 0, 3\n b _start\n.size _start, . - _start")
    tool("elf", plain, "-q")
    boundary, entries = entries_of(plain)
    assert boundary == 0 and entries[0].needs == 0 and entries[0].new == (0x60000000,)
    tool("verify", plain)
