"""tools/hypercalls.py: the header for guests compiles, has every row, and its sequences are the documented instructions."""

import os
import re
import shutil
import struct
import subprocess
import sys

import pytest

sys.dont_write_bytecode = True
TOP = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
sys.path.insert(0, os.path.join(TOP, "tools"))

import hypercalls  # noqa: E402

CROSS = next((prefix for prefix in ("powerpc-eabi-", "powerpc-linux-gnu-") if shutil.which(prefix + "as")), None)
TARGET = ["-mcpu=405", "-msoft-float", "-ffreestanding", "-nostdinc", "-fno-pic", "-fno-pie"]
STRICT = ["-std=c11", "-Wall", "-Wextra", "-Wpedantic", "-Wconversion", "-Werror"]
BOUNDARY = 0xFFFFF000

# The tables once more, read in another way than the tool does.
CALLS = re.findall(r"^HCALL\((\w+), *(\d+),.*$", open(os.path.join(TOP, "hypercalls", "hypercalls.def")).read(), re.M)
WORDS = re.findall(r"^WORD\((\w+), *(-?\d+), *\w+, *(\w+), *(\w+),", open(os.path.join(TOP, "hypercalls", "page.def")).read(), re.M)
OFFSET = {name: int(offset) for name, offset, _, _ in WORDS}
NOT_REGISTERS = ("msr", "version", "features", "pending", "previrt")


# ---- what the instructions are, independently of any assembler ---------------------------------------------------------
def memory(opcode, register, name, boundary=BOUNDARY, byte=0):
    """lwz, stw, stb of a word of the pages, without a base register."""
    return opcode << 26 | register << 21 | (boundary + OFFSET[name] + byte) & 0xFFFF


def lwz(register, name, boundary=BOUNDARY):
    return memory(32, register, name, boundary)


def stw(register, name, boundary=BOUNDARY):
    return memory(36, register, name, boundary)


def stb(register, name, byte, boundary=BOUNDARY):
    return memory(38, register, name, boundary, byte)


def immediate(opcode, target, source, value):
    return opcode << 26 | target << 21 | source << 16 | value & 0xFFFF


def li(target, value):
    return immediate(14, target, 0, value)


def ori(target, source, value):
    return immediate(24, source, target, value)


def rotate(opcode, target, source, begin, end, left=0):
    return opcode << 26 | source << 21 | target << 16 | left << 11 | begin << 6 | end << 1


def extended(target, source, other, xo):
    return 31 << 26 | source << 21 | target << 16 | other << 11 | xo << 1


def twi_greater(register, value):
    return immediate(3, 1, register, value)


def call(number):
    """lis r0, tag; ori r0, r0, number; sc."""
    return [immediate(15, 0, 0, 0x5034), ori(0, 0, number), 0x44000002]


def off(target, source):
    """rlwinm target, source, 0, 17, 15: all but MSR[EE]."""
    return rotate(21, target, source, 17, 15)


CHECK, MODE = 0x704, 0x318
BLR, RFI, ISYNC = 0x4E800020, 0x4C000064, 0x4C00012C
MTTSR, MTPIT = 0x7C18F3A6, 0x7C1BF3A6       # from r0
RS = 31 << 21


def sequences(s, t):
    """The lazy sequences for source or target register s and scratch register t."""
    return {
        f"proteus_mfmsr {s}": [lwz(s, "msr")],
        f"proteus_clear_pis {t}": [li(t, 0), stw(t, "tsr")],
        f"proteus_mtspr pid, {s}": [stb(s, "pid", 3)],
        f"proteus_mtspr zpr, {s}": [stw(s, "zpr")],
        f"proteus_wrteei_0 {t}": [lwz(t, "msr"), off(t, t), stw(t, "msr")],
        f"proteus_wrteei_1 {t}": [lwz(t, "msr"), ori(t, t, 0x8000), stw(t, "msr"), lwz(t, "pending"), twi_greater(t, CHECK)],
        f"proteus_wrtee {s}, {t}": [lwz(t, "msr"), rotate(20, t, s, 16, 16), stw(t, "msr"), lwz(t, "pending"),
                                    extended(t, t, s, 28), twi_greater(t, CHECK)],
        f"proteus_mtmsr {s}, {t}": [lwz(t, "msr"), extended(t, t, s, 316), rotate(21, t, t, 11, 9, left=6),
                                    twi_greater(t, MODE), stw(s, "msr"), lwz(t, "pending"), extended(t, t, s, 28),
                                    twi_greater(t, CHECK), 0x48000008, extended(0, s, 0, 146)],
        f"proteus_critical_enter {s}, {t}": [lwz(s, "msr"), off(t, s), stw(t, "msr")],
    }


# ---- building ------------------------------------------------------------------------------------------------------------
@pytest.fixture(scope="session")
def include(tmp_path_factory):
    """A folder with the generated header."""
    folder = tmp_path_factory.mktemp("include")
    assert hypercalls.run_tool(hypercalls.main, ["--out", str(folder / "proteus" / "proteus.h")]) == 0
    return folder


def build(include, folder, text, suffix, *flags):
    """Compile or assemble; returns (what the compiler said, path of the object or None)."""
    source, target = folder / f"x{suffix}", folder / "x.o"
    source.write_text("#include <proteus/proteus.h>\n" + text)
    done = subprocess.run([CROSS + "gcc", *TARGET, *flags, f"-I{include}", "-c", "-o", target, source],
                          capture_output=True, text=True, check=False)
    return done.stderr, target if done.returncode == 0 else None


def words_of(include, folder, text, *flags):
    """The words that this assembler text becomes."""
    error, target = build(include, folder, text + "\n", ".S", *flags)
    assert target, error
    subprocess.run([CROSS + "objcopy", "-O", "binary", "-j", ".text", target, folder / "x.bin"], check=True)
    data = (folder / "x.bin").read_bytes()
    return [word for word, in struct.iter_unpack(">I", data)]


def functions(target):
    """{function: words} of an object file."""
    text = subprocess.run([CROSS + "objdump", "-d", "-M", "405", target], capture_output=True, text=True, check=True).stdout
    found = {}
    for line in text.splitlines():
        label = re.match(r"[0-9a-f]+ <(\w+)>:", line)
        code = re.match(r" *[0-9a-f]+:\t((?:[0-9a-f]{2} ){4})", line)
        if label:
            words = found.setdefault(label[1], [])
        elif code:
            words.append(int(code[1].replace(" ", ""), 16))
    return found


# ---- assembler -------------------------------------------------------------------------------------------------------------
@pytest.mark.parametrize("s, t", [(3, 4), (0, 31), (31, 0), (12, 11)])
def test_lazy_sequences(include, tmp_path, s, t):
    expected = sequences(s, t)
    assert words_of(include, tmp_path, "\n".join(expected)) == sum(expected.values(), [])


@pytest.mark.parametrize("flags, r", [((), "%r"), (("-Wa,-mregnames",), "r"), (("-Wa,-mregnames",), "")])
def test_names_of_registers(include, tmp_path, flags, r):
    assert words_of(include, tmp_path, f"proteus_mfspr {r}7, srr0\nproteus_wrtee {r}8, {r}9", *flags) == \
        [lwz(7, "srr0")] + sequences(8, 9)["proteus_wrtee 8, 9"]


def test_every_call(include, tmp_path):
    text = "\n".join(f"proteus_call {name}" for name, _ in CALLS)
    assert words_of(include, tmp_path, text) == sum((call(int(number)) for _, number in CALLS), [])
    assert words_of(include, tmp_path, "proteus_rfi") == \
        [stw(0, "sprg0"), *call(int(dict(CALLS)["rfi"])), lwz(0, "sprg0"), RFI]
    assert words_of(include, tmp_path, "proteus_wait") == \
        [*call(int(dict(CALLS)["idle"])), immediate(11, 0, 3, 0), immediate(16, 4, 0, 24), extended(0, 3, 0, 83), ori(3, 3, 0x8000),
         immediate(25, 3, 3, 0x0004), extended(0, 3, 0, 146), ISYNC]


def test_every_word(include, tmp_path):
    text, expected = [], []
    for name, _, read, write in WORDS:
        text.append(f"proteus_load 9, {name}")
        expected.append(lwz(9, name))
        if read == "YES" and name not in NOT_REGISTERS:
            text.append(f"proteus_mfspr 10, {name}")
            expected.append(lwz(10, name))
            if write != "NO":
                text.append(f"proteus_mtspr {name}, 11")
                expected.append(stb(11, name, 3) if name == "pid" else stw(11, name))
    assert len(text) > 2 * len(WORDS)
    assert words_of(include, tmp_path, "\n".join(text)) == expected


@pytest.mark.parametrize("text, cause", [
    ("proteus_call timer", "proteus_call: no such call: timer"),
    ("proteus_load 3, srr9", "proteus_load: no such word: srr9"),
    ("proteus_mfspr 3, tsr", "proteus_mfspr: not to be read by the register pages: tsr"),
    ("proteus_mfspr 3, pit", "proteus_mfspr: not to be read by the register pages: pit"),
    ("proteus_mtspr evpr, 3", "proteus_mtspr: not to be written by the register pages: evpr"),
    ("proteus_mtspr sprg4, 3", "proteus_mtspr: not to be written by the register pages: sprg4"),
    ("proteus_mtspr msr, 3", "proteus_mtspr: not to be written by the register pages: msr")])
def test_what_does_not_exist_does_not_assemble(include, tmp_path, text, cause):
    error, target = build(include, tmp_path, text + "\n", ".S")
    assert target is None and cause in error


def test_no_symbols_are_left(include, tmp_path):
    _, target = build(include, tmp_path, "proteus_call idle\n", ".S")
    assert subprocess.run([CROSS + "nm", target], capture_output=True, text=True, check=True).stdout == ""


@pytest.mark.parametrize("boundary", [0x00001000, 0x00000400, 0x00007000, 0xFFFF9000, 0xFFFFFC00])
def test_boundary(include, tmp_path, boundary):
    flag = f"-DPROTEUS_PAGE={boundary:#x}"
    assert words_of(include, tmp_path, "proteus_load 3, version\nproteus_mtspr srr0, 4", flag) == \
        [lwz(3, "version", boundary), stw(4, "srr0", boundary)]
    error, target = build(include, tmp_path, "unsigned f(void);\nunsigned f(void)\n{\n    return proteus_page_version();\n}\n", ".c",
                          "-O2", flag)
    assert target, error
    assert functions(target)["f"][0] == lwz(3, "version", boundary)


@pytest.mark.parametrize("boundary", ["0", "0x1004", "0x8000", "0x10000", "0xFFFF8000", "0x80000000", "0xFFFFF200"])
def test_boundary_out_of_reach(include, tmp_path, boundary):
    for suffix in (".S", ".c"):
        error, target = build(include, tmp_path, "", suffix, f"-DPROTEUS_PAGE={boundary}")
        assert target is None and "the register pages must lie in the lowest or the highest 32 KiB" in error


# ---- C ----------------------------------------------------------------------------------------------------------------------
C_TEXT = """
typedef proteus_word word;
int t0(word x) { return proteus_timer_set(x); }
int t1(word n, word *v) { return proteus_spr_read(n, v); }
int t2(const char *b, word n) { return proteus_console_write(b, n); }
int t3(word a, word b, word c, word d) { return proteus_tlb_write(a, b, c, d); }
word t4(void) { return proteus_mfsrr0(); }
void t5(word x) { proteus_mtpid(x); }
void t6(void) { proteus_wrteei_0(); }
void t7(void) { proteus_wrteei_1(); }
void t8(word x) { proteus_wrtee(x); }
void t9(word x) { proteus_mtmsr(x); }
word t10(void) { return proteus_critical_enter(); }
void t11(word x) { proteus_critical_leave(x); }
void t12(void) { proteus_clear_pis(); }
int t13(void) { return proteus_yield(); }
void t14(word x) { proteus_timer(x); }
void t15(void) { proteus_wait(); }
"""


def one_register(words, sequence):
    """Does this C function hold the sequence, with whatever scratch register the compiler chose?"""
    return any(words[start:start + len(sequence(t))] == sequence(t) for t in range(32) for start in range(len(words)))


def test_c_functions(include, tmp_path):
    number = {name: int(value) for name, value in CALLS}
    error, target = build(include, tmp_path, C_TEXT, ".c", "-O2", "-Wall", "-Werror")
    assert target, error
    code = functions(target)
    assert code["t0"] == [*call(number["timer_set"]), BLR]
    assert code["t2"] == [*call(number["console_write"]), BLR]
    assert code["t3"] == [*call(number["tlb_write"]), BLR]
    assert code["t13"] == [*call(number["yield"]), BLR]
    assert code["t4"] == [lwz(3, "srr0"), BLR]
    assert code["t5"] == [stb(3, "pid", 3), BLR]
    words = code["t1"]
    first = words.index(call(0)[0])
    assert words[first:first + 3] == call(number["spr_read"]) and li(4, 0) in words[:first]
    assert words[-1] == BLR and words[-2] >> 16 & 0x1F not in (0, 1) and words[-2] >> 21 == 36 << 5 | 4     # stw r4, 0(rV)
    sequence = {name: lambda t, name=name: next(v for k, v in sequences(3, t).items() if k.startswith(f"proteus_{name} "))
                for name in ("wrteei_0", "wrteei_1", "wrtee", "mtmsr", "clear_pis")}
    for function, name in (("t6", "wrteei_0"), ("t7", "wrteei_1"), ("t8", "wrtee"), ("t9", "mtmsr"), ("t11", "wrteei_1")):
        assert one_register(code[function], sequence[name]), function
    for function, name, last in (("t14", "timer_set", [MTTSR, MTPIT]), ("t15", "idle", [extended(0, 0, 0, 146), ISYNC])):
        assert all(word in code[function] for word in call(number[name])), function
        assert [word & ~RS for word in code[function] if word & ~RS in last] == last, function
    assert stw(0, "tsr") & ~(31 << 21) in [word & ~(31 << 21) for word in code["t12"]]
    assert any(code["t10"][:3] == [lwz(s, "msr"), off(t, s), stw(t, "msr")] for s in range(32) for t in range(32) if s != t)


@pytest.mark.parametrize("level", ["-O0", "-O1", "-O2", "-Os"])
def test_c_is_strict_and_complete(include, tmp_path, level):
    """Every row has its function (rfi none: no function returns from it); the whole header compiles without a warning."""
    names = [f"proteus_{name}" for name, _ in CALLS if name != "rfi"]
    for name, _, read, write in WORDS:
        if name in NOT_REGISTERS:
            names.append("proteus_mfmsr" if name == "msr" else f"proteus_page_{name}")
        elif read == "YES":
            names += [f"proteus_mf{name}"] + ([f"proteus_mt{name}"] if write != "NO" else [])
    text = "".join(f"void *p_{name};\n" for name in names) + "void take(void);\nvoid take(void)\n{\n" + \
        "".join(f"    p_{name} = __extension__(void *){name};\n" for name in names) + "}\n"
    error, target = build(include, tmp_path, text, ".c", level, *(flag for flag in STRICT if flag != "-Wpedantic"))
    assert target, error
    missing = set(names) - set(functions(target))
    assert not missing
    error, target = build(include, tmp_path, "typedef int nothing;\n", ".c", level, *STRICT)
    assert target, error


def test_c_says_what_changes(include, tmp_path):
    """A compiler that believes the clobbers keeps nothing in r0, reloads memory, and keeps other registers across a call."""
    text = "extern int global;\nint f(void);\nint f(void)\n{\n    int a = global;\n    proteus_idle();\n    return a - global;\n}\n"
    error, target = build(include, tmp_path, text, ".c", "-O2")
    assert target, error
    loads = [word for word in functions(target)["f"] if word >> 26 == 32]
    assert len(loads) == 2 and all(word >> 21 & 31 for word in loads)


def test_constants(include, tmp_path):
    text = "\n".join(f'_Static_assert(HCALL_NR_{name.upper()} == {number}, "{name}");' for name, number in CALLS)
    text += "\n" + "\n".join(f'_Static_assert(PROTEUS_WORD_{name.upper()} == {offset}, "{name}");' for name, offset in OFFSET.items())
    header = open(os.path.join(TOP, "hypercalls", "abi.h"), encoding="utf-8").read()
    constants = re.findall(r"^#define (\w+) +(-?\w+)", header, re.M)
    assert len(constants) > 30
    text += "\n" + "\n".join(f'_Static_assert({name} == {value}, "{name}");' for name, value in constants)
    stats = re.findall(r"^STAT\((\w+)\)", open(os.path.join(TOP, "config", "stats.def"), encoding="utf-8").read(), re.M)
    text += "\n" + "\n".join(f'_Static_assert(HCALL_STAT_{name.upper()} == {index}, "");' for index, name in enumerate(stats))
    error, target = build(include, tmp_path, text + "\n", ".c", "-std=c11")
    assert target, error


# ---- reference, and bad input --------------------------------------------------------------------------------------------
def test_table(capsys):
    assert hypercalls.run_tool(hypercalls.main, ["--table"]) == 0
    table = capsys.readouterr().out
    for name, number in CALLS:
        assert f"\n| {number} | `{name}` | " in table
    for name, offset in OFFSET.items():
        assert f"\n| {offset} | `{name}` | " in table
    assert "| `timer_set` | ticks | status | STATE | PARAVIRT |" in table
    assert "| `tsr` | no | with `TSR_STORE` |" in table


def test_readme_is_up_to_date():
    readme = os.path.join(TOP, "hypercalls", "README.md")
    assert hypercalls.run_tool(hypercalls.main, ["--update-readme", readme, "--check"]) == 0


def test_update_readme(tmp_path, capsys):
    page = tmp_path / "R.md"
    page.write_text("# A\n<!-- calls -->\nold\n<!-- /calls -->\nb\n<!-- words -->\n<!-- /words -->\nend\n")
    arguments = ["--update-readme", str(page)]
    assert hypercalls.run_tool(hypercalls.main, [*arguments, "--check"]) == 1
    assert f"{page}:2: the table `calls` is not that of hypercalls/*.def. hint: " in capsys.readouterr().err
    assert "old" in page.read_text()
    assert hypercalls.run_tool(hypercalls.main, arguments) == 0
    text = page.read_text()
    assert "old" not in text and text.startswith("# A\n") and "\nb\n" in text and text.endswith("\nend\n")
    assert hypercalls.run_tool(hypercalls.main, [*arguments, "--check"]) == 0
    page.write_text("nothing\n")
    assert hypercalls.run_tool(hypercalls.main, arguments) == 1
    assert f"{page}:1: the markers <!-- calls -->" in capsys.readouterr().err


GOOD = {
    "hypercalls.def": """/* comment */
HCALL(version, 0, HOT, "", "version, features", "", PARAVIRT, "text")
HCALL(rfi, 2, HOT, "", "-", "", PARAVIRT, "text")
HCALL(write, 24, COLD, "buffer, length", "count", "POINTER", DRIVERS, "text")
""",
    "page.def": """WORD(msr, -128, msr, YES, YES, "MSR")
WORD(tsr, -124, tsr, NO, TSR_STORE, "TSR")
WORD(srr0, -120, srr0, YES, YES, "SRR0")
WORD(version, 0, version, YES, NO, "version")
WORD(features, 4, features, YES, NO, "features")
WORD(pending, 12, pending, YES, NO, "pending")
""",
    "abi.h": """#ifndef PROTEUS_ABI_H
#define PROTEUS_ABI_H

#define HCALL_TAG 0x5034 /* tag */
#define HCALL_E_POINTER -2
#define FEATURE_TSR_STORE 0x20000
#define PAGE_BOUNDARY 0xFFFFF000
#define PAGE_VERSION 1
#define PAGE_CHECK 2
#define PAGE_MODE 14
#endif
"""}

BAD = [
    ("hypercalls.def", "rfi, 2, HOT", "rfi, 2, HOT, HOT", "not a row: HCALL(rfi"),
    ("hypercalls.def", "rfi, 2, HOT", "Rfi, 2, HOT", "not a row: HCALL(Rfi"),
    ("hypercalls.def", "rfi, 2, HOT", "rfi, 2, WARM", "road WARM"),
    ("hypercalls.def", "rfi, 2, HOT", "rfi, 0, HOT", "number 0 behind 0"),
    ("hypercalls.def", "rfi, 2, HOT", "version, 2, HOT", "version is there twice"),
    ("hypercalls.def", "write, 24", "write, 65536", "number 65536"),
    ("hypercalls.def", "buffer, length", "a, b, c, d, e", "arguments a, b, c, d, e"),
    ("hypercalls.def", "version, features", "version, features, more", "results version, features, more"),
    ("hypercalls.def", '"version, features"', '""', "results missing"),
    ("hypercalls.def", "POINTER", "POINTED", "HCALL_E_POINTED is not in abi.h"),
    ("hypercalls.def", '"count"', '"-"', "a call that keeps r3 has no errors"),
    ("page.def", "-120", "-122", "offset -122"),
    ("page.def", "-120", "-124", "offset -124"),
    ("page.def", "WORD(tsr", "WORD(msr", "msr is there twice"),
    ("page.def", "srr0, YES", "srr0, MAYBE", "read MAYBE"),
    ("page.def", "TSR_STORE", "TSR_STOR", "FEATURE_TSR_STOR is not in abi.h"),
    ("page.def", "features, YES, NO", "features, YES, YES", "write YES at offset 4"),
    ("page.def", "srr0, YES, YES", "srr0, YES, NO", "write NO at offset -120"),
    ("page.def", "WORD(pending", "WORD(waiting", "no word msr, pending, version or features"),
    ("page.def", "WORD(srr0", "WORD(SRR0", "not a row: WORD(SRR0"),
    ("abi.h", "PAGE_MODE 14", "PAGE_MODE (2 * 7)", "not a plain number: #define PAGE_MODE (2 * 7)"),
    ("abi.h", "PAGE_MODE 14", "PAGE_CHECK 14", "PAGE_CHECK is defined twice"),
    ("abi.h", "#define PAGE_MODE 14", "", "PAGE_MODE is missing"),
    ("abi.h", "#define PAGE_MODE 14", "int x;", "neither a comment nor a #define: int x;"),
]


@pytest.fixture
def tables(tmp_path):
    """A folder with small tables that are good."""
    folder = tmp_path / "hypercalls"
    folder.mkdir()
    for name, text in GOOD.items():
        (folder / name).write_text(text)
    return folder


def test_small_tables_are_good(tables, tmp_path):
    out = tmp_path / "proteus.h"
    assert hypercalls.run_tool(hypercalls.main, ["--hypercalls", str(tables), "--out", str(out)]) == 0
    assert "proteus_write(const void *buffer, proteus_word length)" in out.read_text()


@pytest.mark.parametrize("name, old, new, cause", BAD, ids=[f"{row[0]}-{row[3][:30]}" for row in BAD])
def test_bad_row(tables, tmp_path, capsys, name, old, new, cause):
    assert GOOD[name].count(old) == 1
    (tables / name).write_text(GOOD[name].replace(old, new))
    line = 1 if "missing" in cause and name == "abi.h" or cause.startswith("no word") else \
        GOOD[name][:GOOD[name].index(old)].count("\n") + 1
    out = tmp_path / "proteus.h"
    assert hypercalls.run_tool(hypercalls.main, ["--hypercalls", str(tables), "--out", str(out)]) == 1
    error = capsys.readouterr().err
    assert error.startswith(f"{tables / name}:{line}: {cause}") and "hint: " in error
    assert not out.exists()


def test_missing_table(tmp_path, capsys):
    assert hypercalls.run_tool(hypercalls.main, ["--hypercalls", str(tmp_path), "--table"]) == 1
    assert f"{tmp_path}/abi.h: can't read the header" in capsys.readouterr().err


def test_wrong_usage(capsys):
    for arguments in ([], ["--check", "--table"]):
        with pytest.raises(SystemExit) as exit_:
            hypercalls.main(arguments)
        assert exit_.value.code == 2
        assert "hypercalls.py: error: " in capsys.readouterr().err or sys.argv
