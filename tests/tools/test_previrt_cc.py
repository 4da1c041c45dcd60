"""cc.py: marks and room in assembler text, and a compiler that behaves like the one it wraps."""

import json
import os
import subprocess

import which_qemu
import pytest
from previrt_support import CC_PY, CROSS, FLAGS, LINK, ON_QEMU, TOP, assemble, build, run, tool

from elf import SITES, TABLE, Elf
from sites import NOP, row_of
from transform import Transform, split, value_of

GCC = [CC_PY, CROSS + "gcc", *FLAGS]


def marked(text, **more):
    """[(statement, words of room, compiled)] of what is marked in a text."""
    made = Transform(text, **more)
    found = []
    for line in made.run().split("\n"):
        for part in line.split("40501: ")[1:]:
            info = int(part.split("40501b, ")[1].split(";")[0], 0)
            assert part.split("; .pushsection")[0].count("; nop") == info & 0xFF
            found.append((part.split(";")[0], info & 0xFF, bool(info & 0x100)))
    return found


@pytest.mark.parametrize("text, room", [
    ("mfmsr 3", 0), ("mfspr 3, 26", 0), ("mtspr 26, 3", 0), ("mtsrr1 3", 0), ("mfsprg 3, 1", 0), ("mtsprg 1, 3", 0), ("mtsprg2 3", 0),
    ("mtpid 3", 0), ("mtpit 3", 0), ("mttsr 3", 1), ("mtspr 984, 3", 1), ("mtspr 0x3D8, 3", 1), ("mtspr (1+2)*328, 3", 1),
    ("mtspr 01730, 3", 1), ("mfesr 3", 0), ("mfdear 3", 0), ("mtevpr 3", 0), ("mfzpr 3", 0), ("mttcr 3", 0), ("wrteei 0", 2),
    ("wrteei 1", 4), ("wrtee 3", 5), ("mtmsr 3", 9), ("mtmsr %r3", 9), ("dccci 0, 3", 0), ("rfi", 0), ("tlbsx. 3, 4, 5", 0), ("tlbrehi 3, 4", 0),
    ("\tmtspr\t984,3 ", 1), ("mfdcr 3, 5", 0), ("mtdcr 5, 3", 0), ("mtspr SPRN_UNKNOWN, 3", 0),
])
def test_room(text, room):
    """Each mnemonic gets the room that its replacement needs."""
    assert [r for _, r, _ in marked(text)] == [room]


@pytest.mark.parametrize("text", ["mflr 3", "mtctr 3", "mfspr 3, 8", "mtspr 9, 3", "mfspr 3, 260", "mftb 3", "mfcr 3", ".long 0x7C6000A6",
                                  "# mfmsr 3", "/* mfmsr 3 */", "/* a\nmfmsr 3\n*/ nop", ".ascii \"mfmsr 3; wrteei 0\"", "mfmsr_3: nop",
                                  ".set mfmsr, 3", "mfmsr = 3", "bl mfmsr", "mfmsr 3 # previrt: keep", "mfspr 3, lr"])
def test_left_alone(text):
    """User mode's registers, comments, strings, names, and what the user wants kept: not a character changes."""
    assert Transform(text).run() == text


def test_several_in_a_line(tmp_path):
    """Labels, `;`, comments; the line stays one line."""
    text = "a: b: mfmsr 3; nop; 1: wrteei 0 /* off */; stw 3, 0(4) # mfmsr 5\n"
    made = Transform(text).run()
    assert made.count("\n") == 1
    words = assemble(made.split("\n"), tmp_path)
    plain = assemble(text.split("\n"), tmp_path)
    assert [w for w in words if w != NOP] == [w for w in plain if w != NOP] and words.count(NOP) == plain.count(NOP) + 2


def test_block_comment_over_lines(tmp_path):
    """Code before and behind a comment that ends in another line."""
    text = "mfmsr 3 /* one\n wrteei 0\n two */ wrteei 1; /* three */ mfmsr 4\n"
    assert [s for s, _, _ in marked(text)] == ["mfmsr 3", "wrteei 1", "mfmsr 4"]
    assert [row_of(w).name for w in assemble(Transform(text).run().split("\n"), tmp_path) if w != NOP] == ["mfmsr", "wrteei", "mfmsr"]


def test_symbols():
    """.set and friends are followed; a change of value too."""
    text = ".set TSR, 984\n.equ SRR0, 26\nX = 0x3D8\nmtspr TSR, 3\nmtspr SRR0, 3\nmtspr X, 3\n.set TSR, 26\nmtspr TSR, 3\n"
    assert [r for _, r, _ in marked(text)] == [1, 0, 1, 0]


def test_macros(tmp_path):
    """Bodies are marked once; arguments whose value is unknown get what is useful for most."""
    text = (".macro save spr, ee, rt=3\n mfspr \\rt, \\spr\n mtspr \\spr, \\rt\n wrteei \\ee\n mtmsr \\rt\n.endm\n"
            ".globl _start\n_start: save 26, 0\n save 984, 1, 5\n b _start\n")
    assert [r for _, r, _ in marked(text)] == [0, 0, 4, 9]
    made = build(tmp_path, text, cc=[CC_PY])
    report = json.loads(tool("report", made, "--json").stdout)["sites"]
    assert [s["instruction"] for s in report] == ["mfspr r3, SRR0", "mtspr SRR0, r3", "wrteei 0", "mtmsr r3", "mfspr r5, TSR",
                                                  "mtspr TSR, r5", "wrteei 1", "mtmsr r5"]
    assert all(s["found"] == "recorded" for s in report)


def test_numeric_labels_do_not_meet(tmp_path):
    """The program's own labels, even of the same number."""
    text = ".globl _start\n_start:\n40501: mfmsr 3\n1: wrteei 0\n b 40501b\n b 1b\n"
    plain, made = build(tmp_path, text, "plain"), build(tmp_path, text, "made", cc=[CC_PY])
    assert [Elf(str(f)).word(0x10000 + 4 * i) for f, i in ((plain, 2), (made, 4))] == [0x4BFFFFF8, 0x4BFFFFF0]


@pytest.mark.parametrize("text, rooms, why", [
    ("b .+8\nmtmsr 3\nwrteei 0", [0, 2], False), ("b . + 8\nnop\nmtmsr 3", [9], False), ("wrteei 0\nmtmsr 3\nbdnz .-4", [2, 0], False),
    ("bl . - 8 + 4\nmtmsr 3", [0], True), ("beq $+12\nmtmsr 3\nwrteei 0\nwrteei 0", [0, 0, 2], False),
    ("bcl 20, 31, .+4\nmtmsr 3", [9], False), ("b label+8\nmtmsr 3", [0], True),
    (".macro m\n nop\n.endm\nb .+12\nm\nmtmsr 3", [0], True), ("b .+8\n.balign 16\nmtmsr 3", [0], True), ("b label\nmtmsr 3", [9], False),
])
def test_branches_by_bytes(text, rooms, why):
    """What such a branch jumps over does not grow; where that cannot be told, nothing in the file does."""
    made = Transform(text)
    result = made.run()
    assert [int(part.split("40501b, ")[1].split(";")[0], 0) & 0xFF for part in result.split("40501: ")[1:]] == rooms
    assert (made.why_no_room is not None) == why


def test_wait_state_needs_no_room():
    """mtmsr of a value with WE set traps in any case."""
    assert [r for _, r, _ in marked("1: mfmsr 3\n oris 3, 3, 4\n mtmsr 3\n b 1b")] == [0, 0]
    assert [r for _, r, _ in marked("oris 4, 3, 4\n mtmsr 3")] == [9]
    assert [r for _, r, _ in marked("oris 3, 3, 4\nlabel: mtmsr 3")] == [9]


def test_compiled_flag():
    """Only inside functions that the compiler made; text of asm() outside of them promises nothing."""
    text = ("#APP\n.globl f\nf: mfmsr 3\n#NO_APP\n.type g, @function\ng:\n#APP\n wrteei 0\n#NO_APP\n blr\n.size g, .-g\n"
            "#APP\n wrteei 1\n#NO_APP\n")
    assert [c for _, _, c in marked(text, compiled=True)] == [False, True, False]
    assert [c for _, _, c in marked(text)] == [False] * 3


def test_helpers():
    """Expressions and statements."""
    assert value_of("(1 << 4) | 0x3 + 010", {}) == 16 | 3 + 8 and value_of("a+1", {"a": 2}) == 3
    assert value_of("f(1)", {}) is None and value_of("", {}) is None and value_of("-1", {}) == -1
    assert split("li 3, '#'; nop # x", False)[0] == ["li 3, '#'", " nop "]


# ---------------------------------------------------------------- the compiler
C_SOURCE = """
static inline unsigned off(void) { unsigned m; __asm__ volatile("mfmsr %0" : "=r"(m) : : "memory"); __asm__ volatile("wrteei 0"); return m; }
static inline void back(unsigned m) { __asm__ volatile("mtmsr %0" : : "r"(m) : "memory"); }
static inline void on(void) { __asm__ volatile("wrteei 1"); }
static inline void clear(void) { __asm__ volatile("mtspr 984,%0" : : "r"(0x08000000)); }
extern volatile int count;
void f(void) { unsigned m = off(); count++; back(m); }
void g(void) { off(); clear(); on(); }
int h(int a, int b) { on(); return a + b; }
volatile int count;
void _start(void) { f(); g(); h(1, 2); for (;;) { } }
"""


def test_compiled_code(tmp_path):
    """Every instruction of compiled code finds a dead register, at two levels of optimisation."""
    for level in ("-O2", "-Os", "-O0"):
        made = build(tmp_path, C_SOURCE, "x" + level, "c", cc=[CC_PY], flags=[level, "-g"])
        assert "entries agree" in tool("verify", made).stdout
        report = json.loads(tool("report", made, "--json").stdout)["sites"]
        kinds = {s["instruction"].split()[0]: s["treatment"] for s in report}
        assert kinds == {"mfmsr": "in place", "wrteei": "room", "mtmsr": "room", "mtspr": kinds["mtspr"]}
        assert all(s["treatment"] != "stays" for s in report) or level == "-O0"


def test_without_the_table_it_is_the_plain_program(tmp_path):
    """But for room (and -fno-ipa-ra): what is loaded is the same code."""
    text = C_SOURCE.replace("back(m)", "").replace("on();", "").replace("clear();", "").replace('__asm__ volatile("wrteei 0");', "")
    plain = Elf(str(build(tmp_path, text, "p", "c", flags=["-fno-ipa-ra"])))
    made = Elf(str(build(tmp_path, text, "m", "c", cc=[CC_PY])))
    assert [plain.content(s) for s in plain.code] == [made.content(s) for s in made.code] and made.section(TABLE) is not None


def test_lines_stay(tmp_path):
    """Debugging information names the lines of the source, of C and of assembler."""
    source = "\n\n.globl _start\n_start: nop\n\n wrteei 0\n mfmsr 3\n b _start\n"
    made = build(tmp_path, source, cc=[CC_PY], flags=["-g"])
    report = json.loads(tool("report", made, "--json").stdout)["sites"]
    lines = run(CROSS + "addr2line", "-e", made, *[hex(s["address"]) for s in report]).stdout.split("\n")
    assert [line.rsplit("/", 1)[-1] for line in lines[:2]] == ["x.S:6", "x.S:7"]
    made = build(tmp_path, C_SOURCE, "c", "c", cc=[CC_PY], flags=["-g", "-O2"])
    site = next(s for s in json.loads(tool("report", made, "--json").stdout)["sites"] if s["instruction"] == "mtspr TSR, r9")
    assert run(CROSS + "addr2line", "-e", made, hex(site["address"])).stdout.strip().endswith("c.c:5")


@pytest.mark.parametrize("words, files", [
    (["-c", "x.c"], {"x.o"}), (["-c", "x.c", "-o", "y.o"], {"y.o"}), (["-c", "-MMD", "-MP", "x.c", "-o", "d/y.o"], {"d/y.o", "d/y.d"}),
    (["-c", "-MD", "x.c"], {"x.o", "x.d"}), (["-c", "-MMD", "-MF", "z.dep", "-MT", "target", "x.c"], {"x.o", "z.dep"}),
    (["-c", "x.c", "y.S", "z.s"], {"x.o", "y.o", "z.o"}), (["-S", "x.c"], {"x.s"}), (["-E", "x.c", "-o", "x.i"], {"x.i"}),
    (["-c", "-Wp,-MMD,w.d", "x.c"], {"x.o", "w.d"}), (["-c", "-MMD", "y.S", "-o", "y.o"], {"y.o", "y.d"}), (["-c", "z.s", "-oz.o"], {"z.o"}),
    (["-c", "-x", "assembler-with-cpp", "odd.asm", "-o", "o.o"], {"o.o"}), (["-M", "x.c"], set()), (["-fsyntax-only", "x.c"], set()),
    (["-c", "x.c", "--output", "y.o"], {"y.o"}), (["-c", "x.c", "--output=y.o"], {"y.o"}), (["--compile", "x.c", "-o", "y.o"], {"y.o"}),
    (["--include-directory", ".", "-c", "x.c"], {"x.o"}), (["-pipe", "-c", "x.c"], {"x.o"}), (["-save-temps", "-c", "x.c"], {"x.o", "x.i", "x.s"}),
    (["--assemble", "x.c"], {"x.s"}), (["--language=assembler-with-cpp", "-c", "odd.asm"], {"odd.o"}),
    (["-c", "--write-user-dependencies", "x.c"], {"x.o", "x.d"}),
    (["x.c", *LINK], {"a.out"}), (["x.c", "--output=b.elf", *LINK], {"b.elf"}), (["x.c", "z.s", *LINK, "-o", "out"], {"out"}),
    (["@words"], {"r.o"}), (["-c", "-D", "N=1", "-I", ".", "x.c"], {"x.o"}),
])
def test_files_land_where_the_compiler_puts_them(words, files, tmp_path):
    """The same files with the same names as without the wrapper, and the same dependencies."""
    listing = {}
    for name, command in (("plain", [CROSS + "gcc", *FLAGS]), ("made", GCC)):
        folder = tmp_path / name
        (folder / "d").mkdir(parents=True)
        (folder / "h.h").write_text("#define X 26\n")
        (folder / "x.c").write_text('#include "h.h"\nint v = X;\nvoid _start(void) { __asm__ volatile("wrteei 0"); for (;;) { } }\n')
        (folder / "y.S").write_text('#include "h.h"\n mfspr 3, X\n')
        (folder / "z.s").write_text(" mfmsr 3\n")
        (folder / "odd.asm").write_text('#include "h.h"\n mtspr X, 3\n')
        (folder / "words").write_text("-c x.c -o 'r.o'")
        before = {str(p.relative_to(folder)) for p in folder.rglob("*")}
        done = run(*command, *words, cwd=folder)
        listing[name] = {str(p.relative_to(folder)) for p in folder.rglob("*")} - before, done.stdout
        for path in listing[name][0]:
            if path.endswith((".d", ".dep", ".i", ".s")):
                listing[name] += ((folder / path).read_text(),)
            if name == "made" and path.endswith((".o", "out")):
                assert SITES.encode() in (folder / path).read_bytes()
    assert listing["made"] == listing["plain"] and listing["made"][0] == files


@pytest.mark.parametrize("language, text", [("c", "int f( {"), ("S", " frobnicate 3\n"), ("s", " mfmsr\n"), ("S", "#include <none.h>\n"),
                                            ("S", " wrteei 0, 1, 2\n .error \"stop\"\n")])
def test_errors_are_the_compilers(language, text, tmp_path):
    """The same message, the same status, no object."""
    source = tmp_path / f"x.{language}"
    source.write_text(text)
    words = ["-c", source.name, "-o", "x.o"]
    plain = subprocess.run([CROSS + "gcc", *FLAGS, *words], cwd=tmp_path, capture_output=True, text=True, check=False)
    made = run(*GCC, *words, status=plain.returncode, cwd=tmp_path)
    assert made.stderr == plain.stderr and plain.returncode != 0
    assert not (tmp_path / "x.o").exists()


def test_warnings_are_the_compilers(tmp_path):
    """Once each."""
    (tmp_path / "x.c").write_text("int f(void) { int unused; __asm__(\"wrteei 0\"); }\n")
    words = ["-Wall", "-c", "x.c", "-o", "x.o"]
    plain = run(CROSS + "gcc", *FLAGS, *words, cwd=tmp_path).stderr
    assert run(*GCC, *words, cwd=tmp_path).stderr == plain and "unused" in plain


def test_room_that_does_not_fit(tmp_path):
    """.org: without room, and said so."""
    text = ".globl _start\n_start: wrteei 0\n b _start\n.org 8\n mfmsr 3\n"
    source = tmp_path / "x.S"
    source.write_text(text)
    done = run(*GCC, "-c", source, "-o", tmp_path / "x.o")
    assert done.stderr.startswith(f"cc.py: {source}: no room for long replacements: ") and "org" in done.stderr
    made = build(tmp_path, text, cc=[CC_PY])
    report = json.loads(tool("report", made, "--json").stdout)["sites"]
    assert [s["treatment"] for s in report] == ["stays", "in place"] and report[0]["why"] == "no room (3 words)"


def test_conditional_branch_out_of_range(tmp_path):
    """Room that pushes a target out of reach is given up."""
    text = ".globl _start\n_start: beq 1f\n" + " mtmsr 3\n" * 4000 + "1: b _start\n"
    source = tmp_path / "x.s"
    source.write_text(text)
    done = run(*GCC, "-c", source, "-o", tmp_path / "x.o")
    assert "no room for long replacements" in done.stderr and "out of range" in done.stderr


def test_gc_sections(tmp_path):
    """Records neither keep dead code alive nor stop the linker."""
    text = ".section .text.dead, \"ax\"\n mfmsr 3\n.section .text._start, \"ax\"\n.globl _start\n_start: wrteei 0\n li 3, 0\n b _start\n"
    made = build(tmp_path, text, cc=[CC_PY], flags=["-Wl,--gc-sections,--fatal-warnings"])
    report = json.loads(tool("report", made, "--json").stdout)["sites"]
    assert [s["treatment"] for s in report] == ["room"]


def test_partial_link(tmp_path):
    """-r keeps the marks; the last link makes the table."""
    (tmp_path / "x.S").write_text(".globl _start\n_start: mfmsr 3\n b _start\n")
    run(*GCC, "-c", "x.S", cwd=tmp_path)
    run(*GCC, "-nostdlib", "-r", "x.o", "-o", "y.o", cwd=tmp_path)
    run(*GCC, *LINK, "y.o", "-o", "z.elf", cwd=tmp_path)
    assert "1 entries agree" in tool("verify", tmp_path / "z.elf").stdout


def test_link_by_another_compiler_then_fill(tmp_path):
    """The table by hand."""
    (tmp_path / "x.S").write_text(".globl _start\n_start: mfmsr 3\n b _start\n")
    run(*GCC, "-c", "x.S", cwd=tmp_path)
    run(CROSS + "gcc", *FLAGS, *LINK, "x.o", "-o", "z.elf", cwd=tmp_path)
    before = (tmp_path / "z.elf").read_bytes()
    assert "1 sensitive instructions: 1 in place" in tool("fill", tmp_path / "z.elf").stdout
    tool("verify", tmp_path / "z.elf")
    tool("undo", tmp_path / "z.elf")
    assert (tmp_path / "z.elf").read_bytes() == before


def test_marks_in_data(tmp_path):
    """Code that the guest copies: it stays, and is counted."""
    text = ".globl _start\n_start: mfmsr 3\n b _start\n.section .rodata\n mfmsr 4\n"
    source = tmp_path / "x.S"
    source.write_text(text)
    done = run(*GCC, *LINK, source, "-o", tmp_path / "x.elf")
    assert "1 marked instructions in sections that are not executable" in done.stderr
    tool("verify", tmp_path / "x.elf")


def test_options(tmp_path):
    """--boundary and --exclude, in front of the compiler."""
    source = tmp_path / "x.S"
    source.write_text(".globl _start\n_start: mfmsr 3\nf: mfmsr 4\n b _start\n")
    run(CC_PY, "--boundary", "0x4000", "--exclude", "f", CROSS + "gcc", *FLAGS, *LINK, source, "-o", tmp_path / "x.elf")
    report = json.loads(tool("report", tmp_path / "x.elf", "--json").stdout)["sites"]
    assert [(s["treatment"], s["why"]) for s in report] == [("in place", None), ("stays", "excluded")]
    for words in ([], ["--boundary"], ["--boundary", "top", "gcc"], ["--what", "gcc"]):
        assert "hint:" in run(CC_PY, *words, status=2).stderr
    assert "No such file" in run(CC_PY, "/nowhere/gcc", "-c", "x.c", status=1).stderr
    assert "make CC=" in run(CC_PY, "--help").stdout


def test_link_time_optimisation_is_named(tmp_path):
    """Its code never is text here."""
    (tmp_path / "x.c").write_text("void _start(void) { __asm__(\"wrteei 0\"); }\n")
    done = run(*GCC, "-flto", "-c", "x.c", cwd=tmp_path)
    assert "x.c: not treated, because -flto" in done.stderr


def test_own_registers(tmp_path):
    """-ffixed-r12: the ABI's promises do not hold, so only what the code shows is dead."""
    text = "void _start(void) { __asm__ volatile(\"wrteei 0\"); }\n"
    for flags, treatment in (([], "room"), (["-ffixed-r12"], "stays")):
        made = build(tmp_path, text, "x", "c", cc=[CC_PY], flags=["-O2", *flags])
        assert [s["treatment"] for s in json.loads(tool("report", made, "--json").stdout)["sites"]] == [treatment]


def test_passes_through(tmp_path):
    """Questions to the compiler."""
    for words in (["--version"], ["-dumpmachine"], ["-print-libgcc-file-name"]):
        assert run(*GCC, *words).stdout == run(CROSS + "gcc", *FLAGS, *words).stdout


# ---------------------------------------------------------------- the sample guests
@pytest.fixture(scope="module")
def guests(tmp_path_factory):
    """The sample guests, built by cc.py as their compiler."""
    out = tmp_path_factory.mktemp("cc")
    run("make", "-s", "-C", f"{TOP}/tests/guests", f"OUT={out}", f"NEWLIB_CACHE={TOP}/build/newlib", "PREVIRT=", f"CC={CC_PY} {CROSS}gcc",
        f"CROSS_COMPILE={CROSS}", "ctask", "rtostest", "simplefft", env=os.environ)
    return out


@pytest.mark.parametrize("name, last", [("ctask", "ctask: PASS jobs=200 misses=0 count=804600"),
                                        ("rtostest", "rtostest: PASS jobs=65 preempts=5 killed=3"), ("simplefft", "simplefft: PASS ffts=200 wrong=0")])
def test_guest_runs_natively(name, last, guests):
    """Nops and marks change nothing that the program says."""
    command = [which_qemu.qemu(), *ON_QEMU, str(guests / f"{name}.elf")]
    done = subprocess.run(command, stdin=subprocess.DEVNULL, capture_output=True, text=True, timeout=60, check=True)
    assert done.stdout.splitlines()[-1].startswith(last)


@pytest.mark.parametrize("name", ["ctask", "rtostest", "simplefft"])
def test_guest_verifies(name, guests, tmp_path):
    """And undo takes the table off."""
    assert "entries agree" in tool("verify", guests / f"{name}.elf").stdout
    tool("undo", guests / f"{name}.elf", "-o", tmp_path / "u")
    tool("fill", tmp_path / "u", "-q")
    assert (tmp_path / "u").read_bytes() == (guests / f"{name}.elf").read_bytes()


def test_every_long_replacement_finds_a_register(guests):
    """CTask: nothing stays for lack of a dead register or of room."""
    report = json.loads(tool("report", guests / "ctask.elf", "--json").stdout)
    whys = {t["why"] for t in report["totals"]}
    assert whys == {None, "changes the mode", "needs the hypervisor", "not in the register pages", "read-only in the register pages"}
    assert sum(t["count"] for t in report["totals"] if t["treatment"] == "room") >= 12
