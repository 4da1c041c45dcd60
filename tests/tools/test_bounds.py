#!/usr/bin/python3
"""tools/bounds.py and tools/roads/ on small programs: what each bound is, what is refused, and what a run shows to be wrong."""

import os
import shutil
import subprocess
import sys

import pytest

TOP = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
sys.path.insert(0, os.path.join(TOP, "tools"))

import bounds  # noqa: E402
from kconfig import InputError  # noqa: E402
from roads import graph, known  # noqa: E402
from roads.code import Code, Insn  # noqa: E402
from roads.notes import Notes  # noqa: E402
from roads.paths import Paths  # noqa: E402

GCC = shutil.which("powerpc-eabi-gcc") or shutil.which("powerpc-linux-gnu-gcc")
OBJCOPY = GCC.replace("gcc", "objcopy") if GCC else None
FUNCTION = "    .section .text,\"ax\"\n    .globl {0}\n    .type {0}, @function\n{0}:\n{1}    .size {0}, . - {0}\n"


def build(folder, functions, defines=""):
    """Link {name: text} as one program with line numbers; gives its Paths."""
    os.makedirs(folder / "src", exist_ok=True)
    os.makedirs(folder / "gen", exist_ok=True)
    (folder / "gen" / "autoconf.h").write_text(defines)
    (folder / "src" / "program.S").write_text("".join(FUNCTION.format(name, text) for name, text in functions.items()))
    subprocess.run([GCC, "-mcpu=405", "-g", "-nostdlib", "-static", "-no-pie", "-Wa,-mregnames", "-Wl,-e,0,-Ttext=0x1000", "-o",
                    "program.elf", "src/program.S"], cwd=folder, check=True)
    code = Code(str(folder / "program.elf"))
    return Paths(code, Notes(str(folder), str(folder / "gen"), code))


def bound(folder, functions, name="f", defines=""):
    """Instructions of a function."""
    paths = build(folder, functions, defines)
    return paths.bound(paths.code.symbols[name])[0]


def refusal(folder, functions, name="f"):
    """The line that says why not."""
    with pytest.raises(InputError) as caught:
        bound(folder, functions, name)
    assert len(caught.value.lines) == 1
    return caught.value.lines[0]


def test_diamond(tmp_path):
    """The longer side counts; nested ones add up."""
    side = "    cmpwi r3, 0\n    beq 1f\n    nop\n    nop\n    b 2f\n1:  nop\n2:  nop\n"
    assert bound(tmp_path, {"f": side + "    blr\n"}) == 2 + 3 + 1 + 1
    assert bound(tmp_path, {"f": side + side + "    blr\n"}) == 2 * (2 + 3 + 1) + 1


def test_words_of_a_multiple(tmp_path):
    """An lmw costs its words, as in the bench."""
    assert bound(tmp_path, {"f": "    lmw r20, 0(r3)\n    blr\n"}) == 12 + 1


LOOP = "    li r4, 0\n1:  addi r4, r4, 1\n    cmpw r4, r3\n    bne 1b /* loop: {} */\n    blr\n"


def test_loop(tmp_path):
    """A loop that ends at its foot has so many rounds as its note says; one that is left at its head asks once more."""
    assert bound(tmp_path, {"f": LOOP.format(10)}) == 1 + 10 * 3 + 1
    head = "    li r4, 0\n1:  cmpw r4, r3\n    beq 2f\n    addi r4, r4, 1\n    b 1b /* loop: 10 */\n2:  blr\n"
    assert bound(tmp_path, {"f": head}) == 1 + 10 * 4 + 2 + 1


def test_names_of_a_bound(tmp_path):
    """Options, arithmetic that rounds up, and what the headers of the tree say."""
    defines = "#define CONFIG_VM_MAX 8\n#define COUNT (CONFIG_VM_MAX + 1U)\n"
    assert bound(tmp_path, {"f": LOOP.format("max(COUNT / 2, 3) * 2")}, defines=defines) == 1 + 10 * 3 + 1
    assert "no NOBODY is known" in refusal(tmp_path, {"f": LOOP.format("NOBODY")})
    assert "is no number" in refusal(tmp_path, {"f": LOOP.format("print()")})


NESTED = """    li r4, 0
1:  li r5, 0
2:  addi r5, r5, 1
    cmpw r5, r3
    bne 2b /* loop: {0} */
    addi r4, r4, 1
    cmpw r4, r3
    bne 1b /* loop: {1} */
    blr
"""


def test_nested_loop(tmp_path):
    """The inner one's rounds are those of each of the outer one's, unless the note has their sum."""
    assert bound(tmp_path, {"f": NESTED.format(5, 4)}) == 1 + 4 * (1 + 5 * 3 + 3) + 1
    assert bound(tmp_path, {"f": NESTED.format("5; in all 6", 4)}) == 1 + 4 * (1 + 3 + 3) + 6 * 3 + 1


def test_two_bounds(tmp_path):
    """A loop with two branches back on lines that say different numbers."""
    text = "1:  addi r4, r4, 1\n    cmpw r4, r3\n    beq 1b /* loop: 3 */\n    cmpwi r4, 7\n    beq 1b /* loop: 4 */\n    blr\n"
    assert "several bounds" in refusal(tmp_path, {"f": text})


def test_missing_bound(tmp_path):
    """The line of the loop's branch."""
    text = refusal(tmp_path, {"f": LOOP.replace("/* loop: {} */", "")})
    assert text.startswith("src/program.S:8: f+0xc: a loop without a bound. hint: "), text


def test_note_on_a_line_of_its_own(tmp_path):
    """It is of the next line."""
    assert bound(tmp_path, {"f": LOOP.replace("    bne 1b /* loop: {} */", "    /* loop: 10 */\n    bne 1b")}) == 1 + 10 * 3 + 1


CALLED = {"f": "    mflr r0\n    bl g\n    bl g\n    mtlr r0\n    blr\n", "g": "    nop\n    blr\n"}


def test_call(tmp_path):
    """Each call costs what the function costs; a branch to a function is a call, too."""
    assert bound(tmp_path, CALLED) == 5 + 2 * 2
    assert bound(tmp_path, {"f": "    nop\n    b g\n", "g": CALLED["g"]}) == 2 + 2


def test_call_that_does_not_return(tmp_path):
    """It is on no path, and needs no bound."""
    text = "    cmpwi r3, 0\n    beq 1f\n    bl g\n1:  blr\n"
    assert bound(tmp_path, {"f": text, "g": "1:  nop\n2:  cmpwi r4, 0\n    bne 2b\n    b 1b\n"}) == 3


def test_recursion(tmp_path):
    """With the chain; and without, if a note says that it is none."""
    text = {"f": "    cmpwi r3, 0\n    beqlr\n    bl g\n    blr\n", "g": "    nop\n    bl f\n    blr\n"}
    assert "recursion: f > g > f" in refusal(tmp_path, text)
    text["g"] = "    cmpwi r4, 0\n    beqlr\n    bl f\n    blr\n/* never: g > f */\n"
    assert bound(tmp_path, text) == 2 + 1 + 2 + 1


def test_table_jump(tmp_path):
    """A call by a pointer, without a note and with it: the longest of whom it may call."""
    text = {"f": "    mtctr r3\n    bctrl\n    blr\n", "g": "    nop\n    nop\n    blr\n", "h": "    blr\n"}
    assert "an indirect call of nobody knows whom" in refusal(tmp_path, text)
    text["h"] += "/* calls: f > g, h */\n"
    assert bound(tmp_path, text) == 3 + 3


def test_infeasible_path(tmp_path):
    """Two long sides that exclude each other, and a call that is made once in a loop."""
    side = "    cmpwi r3, {0}\n    bne 1f\n    mr r5, r4{1}\n    nop\n    nop\n    nop\n1:  nop\n"
    both = bound(tmp_path, {"f": side.format(0, "") + side.format(1, "") + "    blr\n"})
    note = " /* either: which */"
    assert bound(tmp_path, {"f": side.format(0, note) + side.format(1, note) + "    blr\n"}) == both - 4
    once = NESTED.format(5, 4).replace("    addi r4", "    beq 3f\n    nop{0}\n3:  addi r4")
    assert bound(tmp_path, {"f": once.format("")}) - bound(tmp_path, {"f": once.format(" /* once: why */")}) == 3


def test_rare_call(tmp_path):
    """What a function may lead to so many times, however often it calls."""
    text = {"f": "    bl g\n    bl g\n    bl g\n    blr\n", "g": "    cmpwi r3, 0\n    beqlr\n    bl h\n    blr\n",
            "h": "    lmw r4, 0(r3)\n    blr\n"}
    all_dear = bound(tmp_path, text)
    text["h"] += "/* most: f > 1 h */\n"
    assert all_dear - bound(tmp_path, text) == 2 * (1 + 28 + 1 + 1)      # bl, lmw, blr, blr


def test_total_of_calls(tmp_path):
    """Two loops that call the same function, together so often; and a call that is made at most once of two."""
    loop = "1:  bl g\n    addi r4, r4, 1\n    cmpw r4, r3\n    bne 1b /* loop: 10 */\n"
    text = {"f": loop + loop + "    blr\n", "g": "    nop\n    nop\n    blr\n"}
    assert bound(tmp_path, text) == 2 * 10 * (4 + 3) + 1
    text["g"] += "/* total: f > 12 g */\n"
    assert bound(tmp_path, text) == 2 * 10 * 4 + 12 * 3 + 1
    text["g"] = text["g"].replace("12", "100")              # more than the loops can
    assert bound(tmp_path, text) == 2 * 10 * (4 + 3) + 1
    text["g"] = text["g"].replace("total: f > 100 g", "most: f > 5 g")
    assert bound(tmp_path, text) == (4 + 3) * 5 + 1         # the calls themselves: without one no round is made


def test_one_note_of_a_kind(tmp_path):
    """A second one for a function would be left out."""
    text = {"f": CALLED["f"], "g": CALLED["g"] + "/* most: f > 1 g */\n/* most: f > 2 g */\n"}
    assert "most: another one of f" in refusal(tmp_path, text)


def test_older_than_its_source(tmp_path):
    """Lines of another text."""
    paths = build(tmp_path, CALLED)
    paths.notes.check_age(paths.code.path, paths.code)
    os.utime(paths.code.path, (1, 1))
    with pytest.raises(InputError) as caught:
        paths.notes.check_age(paths.code.path, paths.code)
    assert "older than src/program.S" in caught.value.lines[0]


def test_irreducible(tmp_path):
    """A jump into a loop."""
    text = "    cmpwi r3, 0\n    beq 2f\n1:  nop\n2:  nop\n    cmpwi r4, 0\n    bne 1b /* loop: 3 */\n    blr\n"
    assert "a loop with two entries" in refusal(tmp_path, {"f": text})


def test_stack(tmp_path):
    """Frames of the deepest chain."""
    text = {"f": "    stwu r1, -32(r1)\n    bl g\n    bl h\n    addi r1, r1, 32\n    blr\n",
            "g": "    stwu r1, -16(r1)\n    bl h\n    addi r1, r1, 16\n    blr\n", "h": "    stwu r1, -48(r1)\n    addi r1, r1, 48\n    blr\n"}
    paths = build(tmp_path, text)
    assert paths.depth(paths.code.symbols["f"]) == 32 + 16 + 48
    assert "the stack moves by a register" in refusal(tmp_path, {"f": "    stwux r1, r1, r3\n    blr\n"})


def test_what_is_known():
    """A branch on bits of a word of which the opcode is known."""
    state = known.State({30: (0xFC0007FE, 31 << 26 | 146 << 1)})
    for word in (0x7FC67120, 0x57DD057E, 0x6BBD0000):      # mtcrf 0x67, r30; rlwinm r29, r30, 0, 21, 31; xori r29, r29, 0
        state.step(Insn(0, word))
    assert [state.bit(number) for number in range(21, 31)] == [0, 0, 1, 0, 0, 1, 0, 0, 1, 0] and state.bit(6) is None


def test_solver_and_plain_agree(tmp_path):
    """The same program with and without the integer program."""
    paths = build(tmp_path, {"f": "    cmpwi r3, 0\n    beq 1f\n    nop\n1:  cmpwi r4, 0\n    beq 2f\n    nop\n    nop\n2:  blr\n"})
    whole, _, _ = paths.function(paths.code.symbols["f"], frozenset())
    assert whole.only_ways_out()
    blocks, _ = whole.blocks()
    assert graph.solve(graph.program(blocks, [], [], 0))[0] == paths.plain(blocks)[0] == 8


def test_a_run_that_is_longer(tmp_path):
    """A road and a loop that a run shows to be longer than the bound, and a road that is not there."""
    found = {"roads": {"mfspr": {"bound": 40, "cycles": 60}}, "masked": {"bound": 40}, "loops": {}}
    assert not list(bounds.compare(found, {"mfspr": 40}, "x.elf")) and found["roads"]["mfspr"]["measured"] == 40
    assert "measured 41 instructions, the bound is 40" in list(bounds.compare(found, {"mfspr": 41}, "x.elf"))[0]
    assert "there is no such road" in list(bounds.compare(found, {"mtspr": 4}, "x.elf"))[0]

    class Stub:
        """As bounds.Roads has it."""
    roads = Stub()
    for text, complaints in ((LOOP.format(10), 0), (LOOP.format(5), 1)):
        roads.paths = build(tmp_path, {"f": text})
        roads.code, roads.image, start = roads.paths.code, "x.elf", roads.paths.code.symbols["f"]
        roads.paths.bound(start)
        report = {"profile": [[start, 0, 7], [start + 4, 0, 70], [start + 8, 0, 70], [start + 12, 0, 70], [start + 16, 0, 7]]}
        assert len(list(bounds.count_loops(report, roads))) == complaints


def test_notes_leave_no_code(tmp_path):
    """The program is the same with its notes and without."""
    images = []
    for text in (NESTED.format(5, 4), NESTED.replace("/* loop: {0} */", "").replace("/* loop: {1} */", "")):
        build(tmp_path, {"f": text})
        subprocess.run([OBJCOPY, "-O", "binary", "-R", ".note*", "program.elf", "program.bin"], cwd=tmp_path, check=True)
        images.append((tmp_path / "program.bin").read_bytes())
    assert images[0] == images[1]


@pytest.mark.parametrize("text, cause", [(None, "can't read the image"), ("no ELF", "not an ELF file")])
def test_bad_image(tmp_path, capsys, text, cause):
    """One line, status 1."""
    path = tmp_path / "x.elf"
    if text:
        path.write_text(text)
    with pytest.raises(InputError) as caught:
        bounds.main(["--image", str(path)])
    assert cause in caught.value.lines[0] and "hint: " in caught.value.lines[0]
    assert capsys.readouterr().out == ""
