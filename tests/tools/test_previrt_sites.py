"""previrt: the treatment of every sensitive instruction, and the words that replace it. GNU as and objdump are the oracle."""

import os
import random
import re

import pytest
from previrt_support import TOP, assemble, disassemble

from encoding import flow, operands
from facts import ABI, ISA, PAGE_BY_NAME, SPR, SPR_BY_NAME, VECTORS
from sites import plan, reachable, replacement, row_of, stub, text_of

B = ABI["PAGE_BOUNDARY"]
STAYS = None
# What is expected of every row: kind for reading, kind for writing. A row that is missing here fails test_every_register.
PLAIN = ("load", "store")
REGISTERS = {
    **dict.fromkeys("srr0 srr1 sprg0 sprg1 sprg2 sprg3 esr dear ccr0 dccr iccr dcwr sgr sler su0r".split(), PLAIN),
    **dict.fromkeys("sprg4 sprg5 sprg6 sprg7 evpr tcr dbsr dbcr0 pvr".split(), ("load", STAYS)),
    **dict.fromkeys("tbl tbu iac1 iac2 iac3 iac4 dac1 dac2 dvc1 dvc2 dbcr1 icdbdr pit srr2 srr3".split(), (STAYS, STAYS)),
    "zpr": ("load", "store"), "pid": ("load", "store byte"), "tsr": (STAYS, "clear TSR"), "usprg0": ("user", STAYS),
}
INSTRUCTIONS = {
    "mfspr": "load", "mtspr": "store", "mfmsr": "load", "mtmsr": "write MSR", "wrtee": "copy EE", "dccci": "nothing", "icbt": "nothing",
    "wrteei": "set EE",
    **dict.fromkeys("tlbwe rfi rfci mfdcr mtdcr tlbre tlbsx tlbia tlbsync iccci icread dcread dcbi".split(), STAYS),
}
FORMS = {"NONE": "", "RT": "3", "RS": "3", "E": "1", "RA_RB": "3, 4", "RT_RA_RB": "3, 4, 5", "RT_RA_WS": "3, 4, 1",
         "RT_DCR": "3, 5", "DCR_RS": "5, 3", "RT_SPR": "3, 26", "SPR_RS": "26, 3"}
MMU, TSR, IRFM = ABI["FEATURE_MMU_STORE"], ABI["FEATURE_TSR_STORE"], ABI["FEATURE_IRFM"]


def test_every_instruction(tmp_path):
    """Every row of isa.def has the expected treatment, and is written as the assembler writes it."""
    assert set(INSTRUCTIONS) == {row.name for row in ISA}
    for row in ISA:
        word = assemble([f"{row.name} {FORMS[row.form]}"], tmp_path)[0]
        assert row_of(word) is row
        assert plan(word).kind == INSTRUCTIONS[row.name], row.name
        assert (plan(word).why is None) == (INSTRUCTIONS[row.name] is not None)
        assert assemble([text_of(word).replace("SRR0", "26")], tmp_path) == [word]
    assert plan(assemble(["wrteei 0"], tmp_path)[0]).kind == "clear EE"


def test_every_register(tmp_path):
    """Every row of spr.def, reading and writing."""
    assert set(REGISTERS) == {row.name for row in SPR}
    for row in SPR:
        read, write = assemble([f"mfspr 3, {row.number}", f"mtspr {row.number}, 3"], tmp_path)
        wanted = REGISTERS[row.name]
        if wanted[0] == "user":
            assert row_of(read) is None
        else:
            assert plan(read).kind == wanted[0], row.name
        assert plan(write).kind == wanted[1], row.name
    assert plan(assemble(["mtspr 945, 3"], tmp_path)[0]).needs == IRFM | MMU
    assert plan(assemble(["mtspr 944, 3"], tmp_path)[0]).needs == IRFM | MMU
    assert plan(assemble(["mtspr 984, 3"], tmp_path)[0]).needs == IRFM | TSR
    assert plan(assemble(["mfspr 3, 945"], tmp_path)[0]).needs == IRFM
    assert plan(assemble(["dccci 0, 3"], tmp_path)[0]).needs == 0


@pytest.mark.parametrize("text", ["mflr 3", "mtlr 3", "mfctr 3", "mtctr 3", "mfxer 3", "mtxer 3", "mfspr 3, 256", "mfspr 3, 260",
                                  "mfspr 3, 263", "mftb 3", "mftbu 3", "mfcr 3", "sc", "isync", "sync", "dcbz 0, 3", "icbi 0, 3",
                                  "twi 31, 0, 0", "nop", "blr", "dcbst 0, 3", "lwarx 3, 0, 4"])
def test_not_sensitive(text, tmp_path):
    """What user mode may execute is none of this tool's business."""
    assert row_of(assemble([text], tmp_path)[0]) is None


def test_unknown_register_stays(tmp_path):
    """A number that spr.def does not have."""
    assert "no such register" in plan(assemble(["mfspr 3, 1000"], tmp_path)[0]).why


def at(name, more=0):
    """A displacement as the assembler writes it."""
    return (B + PAGE_BY_NAME[name].offset + more - (1 << 32) if B else PAGE_BY_NAME[name].offset + more)


def sequences(s, t):
    """instruction: the documented words, as assembler text (README.md, "Treatments")."""
    check = [f"lwz {t}, {at('pending')}(0)", f"twi 1, {t}, {ABI['PAGE_CHECK']}"]
    masked = [check[0], f"and {t}, {t}, {s}", check[1]]
    get, put = f"lwz {t}, {at('msr')}(0)", f"stw {t}, {at('msr')}(0)"
    return {
        f"mfspr {s}, 26": [f"lwz {s}, {at('srr0')}(0)"], f"mtspr 26, {s}": [f"stw {s}, {at('srr0')}(0)"],
        f"mfspr {s}, 287": [f"lwz {s}, {at('pvr')}(0)"], f"mfmsr {s}": [f"lwz {s}, {at('msr')}(0)"],
        f"mtspr 945, {s}": [f"stb {s}, {at('pid', 3)}(0)"], f"mtspr 944, {s}": [f"stw {s}, {at('zpr')}(0)"],
        f"mtspr 984, {s}": [f"li {t}, 0", f"stw {t}, {at('tsr')}(0)"],
        "wrteei 0": [get, f"rlwinm {t}, {t}, 0, 17, 15", put],
        "wrteei 1": [get, f"ori {t}, {t}, 0x8000", put] + check,
        f"wrtee {s}": [get, f"rlwimi {t}, {s}, 0, 16, 16", put] + masked,
        f"mtmsr {s}": [get, f"xor {t}, {t}, {s}", f"rlwinm {t}, {t}, 6, 11, 9", f"twi 1, {t}, {ABI['PAGE_MODE']}",
                       f"stw {s}, {at('msr')}(0)"] + masked + ["b .+8", f"mtmsr {s}"],
        f"dccci 0, {s}": ["nop"],
    }


@pytest.mark.parametrize("s", range(32))
def test_words(s, tmp_path):
    """Every sequence with every operand and several dead registers is what GNU as makes of the documented text."""
    lines, made = [], []
    for t in {0, 12, (s + 1) % 32, (s + 17) % 32, 31} - {s}:
        for text, wanted in sequences(s, t).items():
            lines += [text] + wanted
            made.append((t, len(wanted)))
    words = assemble(lines, tmp_path)
    for t, count in made:
        word, wanted, words = words[0], words[1:1 + count], words[1 + count:]
        how = plan(word)
        assert how.size == count
        assert replacement(word, how, B, t if how.scratch else None) == wanted, text_of(word)


def test_scratch_is_not_the_source(tmp_path):
    """A sequence that reads rS behind its first word cannot use it."""
    for text in ("mtmsr 9", "wrtee 9"):
        word = assemble([text], tmp_path)[0]
        for register in (9, None):
            with pytest.raises(ValueError):
                replacement(word, plan(word), B, register)


def test_boundary():
    """Pages that no displacement reaches are refused."""
    assert all(reachable(b) for b in (B, 0, 0x7000, 0xFFFF9000, 0xFFFFFC00))
    assert not any(reachable(b) for b in (0x8000, 0xFFFF8000, 0x10000, 0xFFFFF001, 0x80000000))


def rotate_mask(mb, me):
    """MASK(mb, me) of rlwinm."""
    ones = [i for i in range(32) if (mb <= i <= me if mb <= me else i >= mb or i <= me)]
    return sum(0x80000000 >> i for i in ones)


def simulate(words, registers, page):
    """Run a sequence; page: {displacement: word}. Returns ("end" or "trap", index): a model of ten instructions."""
    i = 0
    while i < len(words):
        word = words[i]
        op, s, a, b, d = word >> 26, word >> 21 & 31, word >> 16 & 31, word >> 11 & 31, word & 0xFFFF
        if op == 32:
            registers[s] = page[d]
        elif op == 36:
            page[d] = registers[s]
        elif op == 38:
            page[d & 0xFFFC] = page[d & 0xFFFC] & ~(0xFF << 8 * (3 - d % 4)) | (registers[s] & 0xFF) << 8 * (3 - d % 4)
        elif op == 14:
            registers[s] = d
        elif op == 24:
            registers[a] = registers[s] | d
        elif op in (20, 21):
            mask = rotate_mask(word >> 6 & 31, word >> 1 & 31)
            turned = (registers[s] << b | registers[s] >> 32 - b) & 0xFFFFFFFF
            registers[a] = turned & mask | (registers[a] & ~mask if op == 20 else 0)
        elif op == 31:
            registers[a] = registers[s] ^ registers[b] if word >> 1 & 0x3FF == 316 else registers[s] & registers[b]
        elif op == 3:
            assert s == 1
            if registers[a] > d:
                return "trap", i + (d & 0x1C) // 4
        elif op == 18:
            i += (word & 0x3FFFFFC) // 4 - 1
        else:
            raise AssertionError(hex(word))
        i += 1
    return "end", i


MSR_BITS = [1 << i for i in (4, 5, 9, 10, 11, 12, 13, 14, 15, 17, 18, 19)]          # DR IR DE.. ME FP PR EE CE WE APE


@pytest.mark.parametrize("seed", range(200))
def test_lazy_meaning(seed, tmp_path_factory):
    """The sequences do to MSR what the instructions do, and trap exactly if something waits or more than EE changes."""
    chance = random.Random(seed)
    words = dict(zip(("off", "on", "copy", "mtmsr"), WORDS_405))
    old = sum(bit for bit in MSR_BITS if chance.random() < 0.5)
    new = chance.choice([old, old ^ 0x8000, old ^ chance.choice(MSR_BITS), sum(b for b in MSR_BITS if chance.random() < 0.5)])
    pending = chance.choice([0, 0, 0x8000, 0x20000, 0x28000])
    for name, word in words.items():
        page = {(B + PAGE_BY_NAME[n].offset) & 0xFFFF: v for n, v in (("msr", old), ("pending", pending), ("tsr", 1))}
        registers = {7: new, 9: chance.getrandbits(32)}
        sequence = replacement(word, plan(word), B, 9)
        outcome = simulate(sequence, registers, page)
        msr = page[(B + PAGE_BY_NAME["msr"].offset) & 0xFFFF]
        assert registers[7] == new
        if name == "mtmsr" and (old ^ new) & ~0x8000:
            assert outcome == ("trap", 9) and sequence[9] == word and msr == old
            continue
        wanted = {"off": old & ~0x8000, "on": old | 0x8000, "copy": old & ~0x8000 | new & 0x8000, "mtmsr": new}[name]
        assert msr == wanted, name
        waits = {"off": 0, "on": pending, "copy": pending & new, "mtmsr": pending & new}[name]
        assert (outcome[0] == "trap") == (waits != 0), name
        assert outcome[1] == len(sequence) - (2 if name == "mtmsr" and waits else 0)


WORDS_405 = (0x7C000146, 0x7C008146, 0x7CE00106, 0x7CE00124)


def test_the_four_words(tmp_path):
    """The words of the test above."""
    assert tuple(assemble(["wrteei 0", "wrteei 1", "wrtee 7", "mtmsr 7"], tmp_path)) == WORDS_405


def test_stub_keeps_mtmsr(tmp_path):
    """As a stub: PAGE_MODE leads to the instruction, behind the branch back, and another branch back follows it."""
    word = WORDS_405[3]
    words = stub(word, plan(word), B, 9, 0x1000, 0x504)
    assert len(words) == 11 and words[9] == word
    assert flow(words[8], 0x1020).target == flow(words[10], 0x1028).target == 0x504
    assert (ABI["PAGE_MODE"] & 0x1C) // 4 + 3 == 9


# ---------------------------------------------------------------- the decoder
WHOLE_RANGE = {"rlwimi", "lmw", "stmw", "lswi", "stswi"}


def test_operands_agree_with_objdump(tmp_path):
    """
    Of random words of every form: the registers that objdump prints are those that are read or written, and a word that
    objdump does not know is unknown.
    """
    chance = random.Random(405)
    words = [chance.choice((4, 19, 31)) << 26 | chance.getrandbits(26) for _ in range(60000)]
    words += [chance.randrange(64) << 26 | chance.getrandbits(26) for _ in range(20000)]
    seen = set()
    for word, (name, text) in zip(words, disassemble(words, tmp_path)):
        found = operands(word)
        if found is None:
            continue
        base = name.rstrip(".+-")
        if name == ".long" or base in WHOLE_RANGE | {"sc", "tlbsx"}:
            continue                    # reserved bits set: still that instruction to the chip. The others: test_directions
        seen.add(base)
        registers = {int(n) for n in re.findall(r"\br(\d+)", text)}
        mask = found[0] | found[1]
        printed = sum(1 << r for r in registers)
        assert mask & ~printed == 0, f"{word:08x} {name} {text}: {found}"
        assert printed & ~mask & ~1 == 0, f"{word:08x} {name} {text}: {found}"      # r0 as rA means zero
    assert len(seen) > 120, sorted(seen)


# Who writes what: objdump does not say. (text, read, written)
DIRECTIONS = [
    ("add 3, 4, 5", {4, 5}, {3}), ("addi 3, 0, 1", set(), {3}), ("addi 3, 4, 1", {4}, {3}), ("or 3, 4, 5", {4, 5}, {3}),
    ("lwz 3, 0(4)", {4}, {3}), ("lwzu 3, 4(5)", {5}, {3, 5}), ("stw 3, 0(4)", {3, 4}, set()), ("stwu 3, 4(5)", {3, 5}, {5}),
    ("stw 0, 8(0)", {0}, set()), ("lwzx 3, 0, 5", {5}, {3}), ("lwzux 3, 4, 5", {4, 5}, {3, 4}),
    ("stwx 3, 4, 5", {3, 4, 5}, set()), ("stwux 3, 4, 5", {3, 4, 5}, {4}), ("stwcx. 3, 4, 5", {3, 4, 5}, set()),
    ("lwarx 3, 4, 5", {4, 5}, {3}), ("rlwimi 3, 4, 0, 16, 16", {3, 4}, {3}), ("rlwinm 3, 4, 0, 1, 2", {4}, {3}),
    ("rlwnm 3, 4, 5, 1, 2", {4, 5}, {3}), ("lmw 28, 0(4)", {4}, {28, 29, 30, 31}),
    ("stmw 28, 0(4)", {4, 28, 29, 30, 31}, set()), ("lswi 30, 4, 10", {4}, {30, 31, 0}), ("stswi 30, 4, 10", {4, 30, 31, 0}, set()),
    ("macchw 3, 4, 5", {3, 4, 5}, {3}), ("mulhhwu 3, 4, 5", {4, 5}, {3}), ("cmpw 3, 4", {3, 4}, set()), ("cntlzw 3, 4", {4}, {3}),
    ("mfcr 3", set(), {3}), ("mtcrf 255, 3", {3}, set()), ("mfspr 3, 26", set(), {3}), ("mtspr 26, 3", {3}, set()),
    ("mfdcr 3, 5", set(), {3}), ("mtdcr 5, 3", {3}, set()), ("tlbwe 3, 4, 1", {3, 4}, set()), ("tlbre 3, 4, 1", {4}, {3}),
    ("tlbsx. 3, 4, 5", {4, 5}, set()), ("wrtee 3", {3}, set()), ("wrteei 1", set(), set()), ("dcbz 3, 4", {3, 4}, set()),
    ("dcread 3, 4, 5", {4, 5}, {3}), ("sc", set(range(32)), set()), ("neg 3, 4", {4}, {3}), ("addze 3, 4", {4}, {3}),
    ("srawi 3, 4, 1", {4}, {3}), ("twi 1, 3, 4", {3}, set()), ("tw 1, 3, 4", {3, 4}, set()), ("mulli 3, 4, 1", {4}, {3}),
    ("andi. 3, 4, 1", {4}, {3}), ("lbzux 3, 4, 5", {4, 5}, {3, 4}), ("lhbrx 3, 4, 5", {4, 5}, {3}), ("sthu 3, 2(4)", {3, 4}, {4}),
]


def test_directions(tmp_path):
    """Which operands are read and which are written, by the manual."""
    words = assemble([text for text, _, _ in DIRECTIONS], tmp_path)
    for word, (text, read, written) in zip(words, DIRECTIONS):
        assert operands(word) == (sum(1 << r for r in read), sum(1 << r for r in written)), text


@pytest.mark.parametrize("word", [0, 0xFFFFFFFF, 0x7C64242A, 0xFC000018, 0xC0030000, 0x10000004 | 5 << 6, 0xB8830000 | 1 << 16 | 4 << 21])
def test_unknown(word):
    """lswx, floating point, vectors, an lmw that loads its base, and what is no instruction: expect the worst."""
    if word >> 26 == 46:
        assert operands(46 << 26 | 4 << 21 | 5 << 16) is None
    else:
        assert operands(word) is None and flow(word, 0).kind == "unknown"


def test_flow(tmp_path):
    """Branches: kind and target."""
    cases = [("b .+8", "jump", 8), ("bl .-4", "call", 0xFFFFFFFC), ("ba 0x100", "jump", 0x100), ("bdnz .+8", "branch", 8),
             ("beq .-8", "branch", 0xFFFFFFF8), ("bcl 20, 31, .+4", "call", 4), ("beql .+8", "condcall", 8), ("bc 20, 0, .+8", "jump", 8),
             ("blr", "return", None), ("beqlr", "condreturn", None), ("bctr", "computed", None), ("bctrl", "computedcall", None),
             ("blrl", "returncall", None), ("bnectr", "condcomputed", None), ("rfi", "rfi", None), ("rfci", "rfi", None),
             ("twi 31, 0, 0", "trap", None), ("sc", "sc", None), ("add 3, 3, 3", "next", None)]
    for text, kind, target in cases:
        word = assemble([text], tmp_path)[0]
        assert tuple(flow(word, 0)) == (kind, target), text


def test_facts():
    """The tables are read whole."""
    assert len(VECTORS) == 16 and SPR_BY_NAME["tsr"].number == 0x3D8 and len(ISA) == 21


def test_readme(tmp_path):
    """The table of treatments in previrt/README.md is what the tool does: registers, words, needs."""
    with open(os.path.join(TOP, "previrt", "README.md"), encoding="utf-8") as file:
        rows = re.findall(r"^\| `([^`]+)` \| (.*?) \| (\d+) \| ([A-Z_ ]*)\|$", file.read(), re.M)
    assert len(rows) == 11
    reads, writes = set(), set()
    names = {row.name.upper() for row in SPR}
    for left, text, count, needs in rows:
        listed = [n for word in re.findall(r"[A-Z][A-Z0-9]+(?:-\d)?", left) for n in spread(word)]
        assert set(listed) <= names, left
        sample = left.split(" ")[0]
        lines = [f"mfspr 3, {SPR_BY_NAME[n.lower()].number}" for n in listed] if sample == "mfspr" else \
            [f"mtspr {SPR_BY_NAME[n.lower()].number}, 3" for n in listed] if sample == "mtspr" else \
            [left.replace("rT", "3").replace("rS", "3").replace("rA", "0").replace("rB", "3")]
        (reads if sample == "mfspr" else writes).update(listed)
        wanted = sum(ABI["FEATURE_" + n] for n in needs.split())
        words = [at_page(part) for part in text.split("`")[1].split("; ")]
        assert len(words) == int(count)
        for line, word in zip(lines, assemble(lines, tmp_path)):
            how = plan(word)
            assert (how.size, how.needs) == (int(count), wanted), line
            made = replacement(word, how, B, 9 if how.scratch else None)
            if "word" not in text:
                assert made == assemble([w.replace("rT", "3").replace("rS", "3").replace("t,", "9,") for w in words], tmp_path), line
    assert reads == {n.upper() for n, (read, _) in REGISTERS.items() if read == "load"}
    assert writes == {n.upper() for n, (_, write) in REGISTERS.items() if write}


def spread(word):
    """`SPRG0-7` as its eight names."""
    match = re.fullmatch(r"(\D+)(\d)-(\d)", word)
    return [f"{match[1]}{i}" for i in range(int(match[2]), int(match[3]) + 1)] if match else [word]


def at_page(text):
    """A documented word as the assembler takes it: t is r9."""
    text = re.sub(r"PAGE_\w+", lambda m: str(ABI[m[0]]), text)
    more = 3 if text.endswith("+ 3") else 0
    text = re.sub(r"\b(msr|pending|tsr|zpr|pid)( \+ 3)?$", lambda m: f"{at(m[1], more)}(0)", text)
    return text.replace(" t,", " 9,")
