"""previrt: which callees are seen to come home, what is proven behind a call, and what a user may declare."""

import struct

import pytest
from previrt_support import CC_PY, CROSS, FLAGS, LINK, PLAIN_SOURCE, build, program, run, sites_by_place, tool

import elf as elf_module
from facts import PrevirtError

START = ".globl _start\n.type _start, @function\n_start:\n"
# The callee of `bl f` with a word behind the call that looks like mfmsr; whether it is code
CALLEES = [
    ("blr", True),
    ("cmpwi 3, 0\n beqlr\n li 3, 1\n blr", True),
    ("mflr 0\n stw 0, 4(1)\n bl g\n lwz 0, 4(1)\n mtlr 0\n blr", False),             # that word is g's own
    ("stwu 1, -16(1)\n mflr 0\n stw 0, 20(1)\n bl g\n lwz 0, 20(1)\n mtlr 0\n addi 1, 1, 16\n blr", True),
    ("stwu 1, -16(1)\n mflr 0\n stw 0, 20(1)\n bctrl\n lwz 11, 0(1)\n lwz 0, 4(11)\n mtlr 0\n mr 1, 11\n blr", True),
    ("stwu 1, -32(1)\n mflr 0\n stmw 29, 20(1)\n stw 0, 36(1)\n bl g\n lwz 0, 36(1)\n lmw 29, 20(1)\n mtlr 0\n"
     "addi 1, 1, 32\n blr", True),
    ("stwu 1, -32(1)\n mflr 0\n stw 31, 28(1)\n mr 31, 1\n stw 0, 36(1)\n bl g\n addi 11, 31, 32\n lwz 0, 4(11)\n mtlr 0\n"
     "lwz 31, -4(11)\n mr 1, 11\n blr", True),
    ("mflr 31\n bl g\n mtlr 31\n blr", True),                                        # kept by every callee
    ("mflr 9\n bl g\n mtlr 9\n blr", True),                                          # g leaves r9 alone
    ("mflr 9\n bl h\n mtlr 9\n blr", False),                                         # h does not
    ("b g", True), ("b take", False), ("mtctr 4\n bctr", True),
    ("mflr 4\n lwz 3, 0(4)\n addi 4, 4, 4\n mtlr 4\n blr", False),                   # the word is its argument
    ("mflr 4\n lwz 3, 0(4)\n mtlr 5\n blr", False),
    ("mflr 0\n stw 0, 4(1)\n li 9, 0\n stw 9, 4(1)\n lwz 0, 4(1)\n mtlr 0\n blr", False),
    ("cmpwi 3, 0\n beq 1f\n mflr 4\n addi 4, 4, 8\n mtlr 4\n1: blr", False),          # on one way of two
    ("bl take\n .long 0\n blr", False),
    ("bcl 20, 31, .+4\n mflr 30\n blr", False),                                      # its own address is no return
    ("mflr 0\n bcl 20, 31, .+4\n mflr 30\n mtlr 0\n blr", True),
    (".long 0\n blr", False),
]
OTHERS = "\ng: li 3, 0\n blr\nh: li 9, 0\n blr\ntake: mflr 4\n addi 4, 4, 4\n mtlr 4\n blr\n"


def found(folder, text, **options):
    """{symbol: site} at the ELF level."""
    return sites_by_place(program(folder, START + text, **options))


@pytest.mark.parametrize("callee, home", CALLEES)
def test_behind_a_call(callee, home, tmp_path):
    """A word behind `bl` is code only if the callee comes back right there."""
    got = found(tmp_path, f"bl f\nhere: mfmsr 3\n1: b 1b\nf: {callee}{OTHERS}")["here"]
    assert (got.how or got.why) == ("in place" if home else "not proven")


def test_cases_of_a_jump_by_table(tmp_path):
    """What a computed jump leads to belongs to the routine."""
    text = "bl f\nhere: mfmsr 3\n1: b 1b\n.type f, @function\nf: mtctr 3\n bctr\n li 3, 0\n blr\n{} blr\n.size f, . - f\n"
    assert found(tmp_path, text.format(""))["here"].how == "in place"
    assert found(tmp_path, text.format(" mflr 4\n addi 4, 4, 4\n mtlr 4\n"))["here"].why == "not proven"


def test_callee_that_calls_what_never_returns(tmp_path):
    """A frame that is left open in front of it is no fault."""
    got = found(tmp_path, "bl f\nhere: mfmsr 3\n1: b 1b\nf: cmpwi 3, 0\n beqlr\n stwu 1, -16(1)\n bl stop\nk: mflr 9\n"
                          "mtlr 5\n blr\nstop: b stop")
    assert got["here"].how == "in place"


@pytest.mark.parametrize("word", ["sc", "twi 31, 0, 0", "trap", "bctrl", "blrl"])
def test_behind_what_a_handler_answers(word, tmp_path):
    """The handler may take the next word for its argument."""
    site = found(tmp_path, f"{word}\nhere: mfmsr 3\n1: b 1b\n.size _start, . - _start")["here"]
    assert site.why == "not proven" and site.hint.startswith("--include 0x")
    again = found(tmp_path, f"{word}\nhere: mfmsr 3\n1: b 1b\n.size _start, . - _start", include=[f"0x{site.address:X}"])["here"]
    assert word in ("bctrl", "blrl") or again.how == "in place"


def test_verify_believes_no_table(tmp_path):
    """A table that patches such a word is refused, however it was made."""
    path = build(tmp_path, START + "bl take\nhere: .long 0x7C6000A6\n1: b 1b\n" + OTHERS)
    tool("elf", path, "--include", "here", "-q")
    elf = elf_module.Elf(path)
    undo = elf.content(elf.section(elf_module.UNDO))
    blob = elf.data.replace(undo, undo.replace(b'"include": ["here"]', b'"include": []      '))
    path.write_bytes(blob)
    assert "is not proven to be code" in tool("verify", path, status=1).stderr


def test_declared_to_return(tmp_path):
    """A switch of stacks comes back, but by another stack."""
    text = "bl f\nhere: mfmsr 3\n1: b 1b\nf: mflr 0\n stw 0, 4(1)\n lwz 1, 0(3)\n lwz 0, 4(1)\n mtlr 0\n blr"
    got = found(tmp_path, text)["here"]
    assert got.why == "not proven" and got.hint == "--returns f, if that comes back to the word behind its call"
    assert found(tmp_path, text, returns=["f"])["here"].how == "in place"


def test_hints(tmp_path):
    """What is not done names the option that would."""
    vector = found(tmp_path, "1: b 1b\n.org 0x500\nh: mfspr 3, 26\n rfi\n")["h"]
    assert vector.hint == "--vectors 0x10000, if exception vectors begin there"
    assert found(tmp_path, "wrteei 1\nli 4, 0\nb _start\n")["_start"].hint == "--spare AREA"
    path = build(tmp_path, START + "b _start\ndata: mfmsr 3\n")
    assert "not proven (--include 0x" in tool("report", path).stdout


# ---------------------------------------------------------------- registers
LEAF = "bl set\n li 4, 0\n li 5, 0\n1: rfi\n.type set, @function\nset: mtmsr 3\n blr\n.size set, . - set\nspare: .space 64\n"


def leaf(folder, text=LEAF, **options):
    """The treatment of `mtmsr 3; blr`, and its register."""
    site = found(folder, text, spare=["spare:64"], **options)["set"]
    return (site.how or site.why, site.scratch)


def test_scratch_of_a_symbol(tmp_path):
    """The user declares it."""
    assert leaf(tmp_path) == ("no dead register", None)
    assert leaf(tmp_path, scratch=["set:r6"]) == ("stub", 6)
    for text in ("set", "set:", "set:r32", "set:x", "nobody:r4"):
        with pytest.raises(PrevirtError, match="--scratch"):
            leaf(tmp_path, scratch=[text])


def test_known_callers(tmp_path):
    """r4 and r5 are dead behind the only call; not if somebody else may call, or one caller reads it."""
    assert leaf(tmp_path, callers=True) == ("stub", 5)
    assert leaf(tmp_path, LEAF + "table: .long set\n", callers=True)[0] == "no dead register"
    assert leaf(tmp_path, LEAF + "lis 9, set@ha\n addi 9, 9, set@l\n", callers=True)[0] == "no dead register"
    assert leaf(tmp_path, LEAF.replace("1: rfi", "b set"), callers=True)[0] == "no dead register"
    assert leaf(tmp_path, LEAF.replace("li 5, 0", "cmpwi 5, 0"), callers=True) == ("stub", 4)
    assert leaf(tmp_path, LEAF.replace("li 4, 0\n li 5, 0", "add 4, 4, 5"), callers=True)[0] == "no dead register"


# ---------------------------------------------------------------- files
def test_compressed_debugging_sections(tmp_path):
    """gcc -gz compresses cc.py's marks, too."""
    for how in ("zlib", "zlib-gnu"):
        path = build(tmp_path, START + "mfmsr 3\n b _start\n" * 40, name=how, cc=[CC_PY],
                     flags=[f"-gz={how}", f"-Wl,--compress-debug-sections={how}"])
        section = elf_module.Elf(path).section(elf_module.SITES)
        assert section.flags & elf_module.SHF_COMPRESSED or section.name.startswith(".zdebug")
        assert "40 instructions" in tool("verify", path).stdout


def test_segment_without_bytes_in_the_file(tmp_path):
    """Its offset means nothing, and may be behind the end."""
    path = build(tmp_path, START + "mfmsr 3\n b _start\n.bss\n.space 64\n")
    blob = bytearray(path.read_bytes())
    phoff, count = struct.unpack_from(">I", blob, 28)[0], struct.unpack_from(">H", blob, 44)[0]
    empty = struct.pack(">8I", 1, len(blob) + 0x10000, 0x200000, 0x200000, 0, 64, 6, 4)
    blob[phoff + 32 * (count - 1):phoff + 32 * count] = empty
    path.write_bytes(blob)
    assert "1 in place" in tool("elf", path).stdout


def test_absolute_symbols_are_no_places(tmp_path):
    """A number that happens to be an address of code names nothing, and nobody comes there."""
    path = build(tmp_path, START + "mfmsr 3\n b _start\n.globl size\nsize = 0x10000\n")
    assert " _start " in tool("report", path).stdout and " size " not in tool("report", path).stdout


def test_marks_of_the_file_before_strip(tmp_path):
    """`strip -g` and `strip` take the marks; the file that still has them serves, if it is the same program."""
    source = tmp_path / "x.S"
    source.write_text(START + "mfmsr 3\n wrteei 0\n b _start\n")
    run(CC_PY, CROSS + "gcc", *FLAGS, "-c", source, "-o", tmp_path / "x.o")
    run(CROSS + "gcc", *FLAGS, *LINK, tmp_path / "x.o", "-o", tmp_path / "x.elf")
    for how in ("-g", "-s"):
        stripped = tmp_path / f"stripped{how}.elf"
        run(CROSS + "strip", how, tmp_path / "x.elf", "-o", stripped)
        assert "--marks" in tool("fill", stripped, status=1).stderr
        assert "1 in place" in tool("fill", stripped, "--marks", tmp_path / "x.elf").stdout
        assert "2 entries agree" in tool("verify", stripped, "--marks", tmp_path / "x.elf").stdout
    other = build(tmp_path, START + "b _start\n", "other")
    assert "its code is not that of" in tool("fill", other, "--marks", tmp_path / "x.elf", status=1).stderr


def test_segment_for_stubs(tmp_path):
    """A kernel without gaps gets room behind its end; the file without the table is the old one, bit for bit."""
    path = build(tmp_path, PLAIN_SOURCE.replace("        .globl  spare", "        .end"))
    before = path.read_bytes()
    assert "no room" in tool("elf", path).stdout
    assert "stub" in tool("elf", path, "--segment", "0x40000:0x200").stdout
    made = elf_module.Elf(path)
    assert made.word(0x40000) == 0 and [s.vaddr for s in made.loads][-1] == 0x40000
    assert "stubs" in tool("verify", path).stdout
    tool("apply", path, "-o", tmp_path / "applied")
    assert elf_module.Elf(tmp_path / "applied").word(0x40000) != 0
    tool("undo", path)
    assert path.read_bytes() == before
    for text in ("0x40000", "0x40001:8", "0x40000:0", "0x10000:0x100"):
        assert "--segment" in tool("elf", path, "--segment", text, status=1).stderr
