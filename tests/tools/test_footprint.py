#!/usr/bin/python3
"""Tests of tools/footprint.py on small images that the tests link themselves, and with a make of their own."""

import argparse
import json
import os
import re
import shutil
import subprocess
import sys
import xml.etree.ElementTree

import pytest

ROOT = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
sys.path.insert(0, os.path.join(ROOT, "tools"))

import footprint        # noqa: E402
from kconfig import InputError, run_tool    # noqa: E402

CROSS = os.environ.get("CROSS_COMPILE") or (
    "powerpc-eabi-" if shutil.which("powerpc-eabi-gcc") else "powerpc-linux-gnu-")
TARGETS = os.path.join(ROOT, "config", "targets.toml")

ONE = """
        .section .vector_program, "ax"
        b       .
        .text
        .space  40
        .section .text.a_routine_whose_name_is_longer_than_its_column_in_the_map, "ax"
        .space  60
        .section .rodata, "a"
        .space  6
        .section .images, "a"
        .space  1000
"""
TWO = """
        .text
        .space  20
        .section .rodata, "a"
        .balign 4
        .space  10
        .section .low, "aw", @nobits
        .space  8
        .data
        .space  4
        .section .vcpu, "aw", @nobits
        .globl vcpu
        .type vcpu, @object
vcpu:   .space  600
        .size vcpu, . - vcpu
        .section .stack, "aw", @nobits
        .space  512
        .section .text.nobody_calls_it, "ax"
        .space  300
"""
SCRIPT = """
ENTRY(start)
SECTIONS
{
    start = 0x2000;
    .vector_program 0x700 : { KEEP(*(.vector_program)) }
    .text 0x2000 : { KEEP(*(.text)) KEEP(*(.text.a_*)) *(.text.*) }
    .rodata : { KEEP(*(.rodata)) }
    .low (NOLOAD) : { KEEP(*(.low)) }
    .data : { KEEP(*(.data)) }
    .vcpu (NOLOAD) : { KEEP(*(.vcpu)) }
    .stack (NOLOAD) : { KEEP(*(.stack)) }
    .images 0x10000 : { KEEP(*(.images)) }
    /DISCARD/ : { *(.gnu.attributes) }
}
"""


def link(directory, sources, name="proteus"):
    """Assemble and link {file name: source} with SCRIPT; gives the ELF's path."""
    os.makedirs(directory / "src", exist_ok=True)
    objects = []
    for source, text in sources.items():
        path = directory / "src" / source
        path.with_suffix(".S").write_text(text)
        objects.append(f"src/{path.with_suffix('.o').name}")
        subprocess.run([CROSS + "gcc", "-mcpu=405", "-c", "-o", objects[-1], f"src/{path.with_suffix('.S').name}"],
                       cwd=directory, check=True, timeout=60)
    (directory / "link.ld").write_text(SCRIPT)
    subprocess.run([CROSS + "ld", "--build-id=none", "--gc-sections", "-T", "link.ld", f"-Map={name}.map", "-o",
                    f"{name}.elf", *objects], cwd=directory, check=True, timeout=60)
    return str(directory / f"{name}.elf")


@pytest.fixture(scope="module", name="elf")
def fixture_elf(tmp_path_factory):
    """An image of two files."""
    return link(tmp_path_factory.mktemp("footprint"), {"one": ONE, "two": TWO})


def test_columns(elf):
    image = footprint.Image(elf, vm_count=2)
    assert image.columns == {"text": 4 + 40 + 60 + 20, "rodata": 18, "data": 4, "bss": 8, "vcpu": 600, "stack": 512,
                             "images": 1000}
    assert footprint.totals(image.columns) == {"text": 142, "data": 12}
    assert image.vcpu == 300


def test_files_add_up(elf):
    files = footprint.Image(elf).files
    assert files["src/one.o"] == {"text": 104, "rodata": 6, "data": 0, "bss": 0, "vcpu": 0, "stack": 0, "images": 1000}
    assert files["src/two.o"] == {"text": 20, "rodata": 10, "data": 4, "bss": 8, "vcpu": 600, "stack": 512, "images": 0}
    assert files["(fill)"]["rodata"] == 2
    for column, size in footprint.Image(elf).columns.items():
        assert sum(columns[column] for columns in files.values()) == size


LTO_HELP = "int helper(int x);\n"
LTO_ONE = LTO_HELP + """
static const int table[8] = { 1, 2, 3, 4, 5, 6, 7, 8 };
volatile int counter;
__attribute__((noinline)) int from_one(int x) { return table[x & 7] * 3 + helper(x); }
void start(void) { counter = from_one(counter); }
"""
LTO_TWO = LTO_HELP + """
extern volatile int counter;
int helper(int x) { counter++; counter += 2; counter += x; counter *= 5; counter -= 7; return counter; }
"""


@pytest.mark.parametrize("flags", [[], ["-ffunction-sections"]])
def test_files_merged_by_link_time_optimization(tmp_path, flags):
    """helper() has one caller, in the other file, and is inlined there; its bytes still belong to two.c."""
    (tmp_path / "src").mkdir()
    objects = []
    common = ["-mcpu=405", "-msoft-float", "-O2", "-g", "-flto", "-ffreestanding", "-fno-pic", "-fno-pie",
              "-fno-asynchronous-unwind-tables", *flags]
    for name, text in (("one", LTO_ONE), ("two", LTO_TWO)):
        (tmp_path / "src" / f"{name}.c").write_text(text)
        objects.append(f"src/{name}.o")
        subprocess.run([CROSS + "gcc", *common, "-c", "-o", objects[-1], f"src/{name}.c"], cwd=tmp_path, check=True,
                       timeout=60)
    subprocess.run([CROSS + "gcc", *common, "-nostdlib", "-static", "-no-pie", "-Wl,--build-id=none,-e,start",
                    "-Wl,-Map=proteus.map", "-o", "proteus.elf", *objects], cwd=tmp_path, check=True, timeout=60)
    image = footprint.Image(str(tmp_path / "proteus.elf"))
    assert image.files["src/one.o"]["text"] >= 16 and image.files["src/two.o"]["text"] >= 40
    assert image.files["src/one.o"]["rodata"] == 32
    assert sum(image.files["src/one.o"][column] for column in ("data", "bss")) == 4
    assert "(merged)" not in image.files
    assert sum(columns["text"] for columns in image.files.values()) == image.columns["text"]


# A register file as with option IRFM: padding to a page, a union with the whole slot, and the mark of its end.
VCPU = """
#include <stdint.h>
struct vcpu { union { struct {
    uint32_t gpr[32];
    uint32_t pc; %s
    uint32_t pid;
    union { uint32_t tsr, key; };
    uint32_t none[0];
    uint32_t other_end[0];
}; %s }; } %s;
__attribute__((section(".vcpu"))) struct vcpu vcpu[2];
void start(void) { vcpu[0].pid = 1; }
"""


@pytest.mark.parametrize("padding, slot, alignment, whole", [
    ("", "", "", 35 * 4), ("uint32_t reserved[13];", "", "", 48 * 4), ("", "uint32_t slot[256];", "", 1024),
    ("uint32_t reserved[13];", "uint32_t slot[256];", "__attribute__((aligned(1024)))", 1024),
    ("uint32_t unused;", "", "__attribute__((aligned(64)))", 192)])
def test_words_of_a_register_file(tmp_path, padding, slot, alignment, whole):
    """Whatever pages it is spread over, it has the same words."""
    (tmp_path / "one.c").write_text(VCPU % (padding, slot, alignment))
    subprocess.run([CROSS + "gcc", "-mcpu=405", "-msoft-float", "-O1", "-g", "-ffreestanding", "-nostdlib", "-static", "-no-pie",
                    "-fno-pic", "-fno-asynchronous-unwind-tables", "-Wl,--build-id=none,-e,start", "-Wl,-Map=proteus.map", "-o",
                    "proteus.elf", "one.c"], cwd=tmp_path, check=True, timeout=60)
    image = footprint.Image(str(tmp_path / "proteus.elf"), vm_count=2)
    assert (image.symbol, image.vcpu) == (2 * whole, 35 * 4)


@pytest.mark.parametrize("text, found", [
    ('{"vms": [{}, {}], "registers": {"base": 32768, "size": 16384}}', (2, 8192)), ('{"vms": [{}], "registers": null}', (1, None)),
    ('{"vms": [{}]}', (1, None)), ("[]", None), ('{"vms": [], "registers": {"size": 0}}', None)])
def test_register_pages_of_a_build(tmp_path, text, found):
    assert footprint.vms_of(str(tmp_path)) == (None, None)
    (tmp_path / "gen").mkdir()
    (tmp_path / "gen" / "partitions.json").write_text(text)
    if found:
        assert footprint.vms_of(str(tmp_path)) == found
    else:
        with pytest.raises(InputError, match=r"partitions.json:1: not a partition table"):
            footprint.vms_of(str(tmp_path))


def test_pages_stand_beside_the_register_file(elf):
    with_pages = footprint.Image(elf, None, 2, 8192)
    row = footprint.difference(with_pages, footprint.Image(elf, None, 2))
    assert row == {"text": 0, "data": 0, "per_vm": 0, "pages": 8192}
    assert any("+0 and +8192 of pages" in line for line in footprint.option_table({"IRFM": row}))
    assert footprint.per_vm_of(with_pages, with_pages, {}, {"component": {}}) == {"base": 300, "pages": 8192}
    assert footprint.per_vm_row("pages", 8192, None)[-1] == "not in the paper"


def test_the_fallback_is_what_the_emulators_of_trapped_accesses_grow_by(elf):
    """Trapped and mapped accesses meet the same word: these files do not know of the pages. If they did, it would be counted."""
    targets = footprint.read_targets(TARGETS)
    assert targets["component"]["irfm_fallback"]["option"] == targets["component"]["irfm"]["option"] == "IRFM"
    names = targets["component"]["irfm_fallback"]["files"]
    assert all(os.path.exists(os.path.join(ROOT, os.path.splitext(name)[0] + suffix))
               for name, suffix in zip(names, (".S", ".c"), strict=True))
    images = [footprint.Image(elf) for _ in range(3)]
    for image, size in zip(images, (100, 100, 92)):
        image.files[names[0]] = dict.fromkeys(footprint.COLUMNS, 0) | {"text": size}
        image.columns["text"] += size - 100
    alike, grown = (footprint.components_of(images[0], {}, {"IRFM": (images[0], other)}, targets) for other in images[1:])
    assert alike["irfm_fallback"] == {"text": 0, "data": 0} and grown["irfm_fallback"] == {"text": 8, "data": 0}
    assert alike["irfm"]["text"] == 0 and grown["irfm"]["text"] == 0       # it does not count twice
    assert footprint.judge(alike["irfm_fallback"], targets["size"]["irfm_fallback"]) == "ok"
    assert footprint.judge(grown["irfm_fallback"], targets["size"]["irfm_fallback"]) == "over"


def test_difference(elf, tmp_path):
    sources = {"one": ONE.replace(".space  60", ".space  52"), "two": TWO.replace("600", "580")}
    smaller = footprint.Image(link(tmp_path, sources), vm_count=2)
    larger = footprint.Image(elf, vm_count=2)
    assert footprint.difference(larger, smaller) == {"text": 8, "data": 0, "per_vm": 10}
    assert footprint.difference(larger, smaller, ["src/two.o"]) == {"text": 0, "data": 0, "per_vm": 10}
    assert footprint.difference(larger, smaller, ["src/o*.o"])["text"] == 8


@pytest.mark.parametrize("path, name", [
    ("build/demo/src/vm/vcpu.o", "src/vm/vcpu.o"), ("/a/libgcc.a(lshrdi3.o)", "libgcc.a"), ("x.o", "x.o"),
])
def test_file_name(path, name):
    assert footprint.file_name(path) == name


def test_bad_images(elf, tmp_path):
    path = tmp_path / "x.elf"
    with pytest.raises(InputError, match="x.elf: can't read the image: No such file"):
        footprint.Image(str(path))
    path.write_bytes(b"\177ELF")
    with pytest.raises(InputError, match="not an ELF file"):
        footprint.Image(str(path))
    shutil.copy(elf, path)
    with pytest.raises(InputError, match="x.map: can't read the map file"):
        footprint.Image(str(path))
    (tmp_path / "x.map").write_text("nothing")
    with pytest.raises(InputError, match="x.map:1: not a map file"):
        footprint.Image(str(path))
    text = open(elf.replace(".elf", ".map"), encoding="ascii").read()
    (tmp_path / "x.map").write_text(text.replace("0x28 src/one.o", "0x2800 src/one.o"))
    with pytest.raises(InputError, match=r"\.text has more bytes here than in"):
        footprint.Image(str(path))


def report(text, data, base=(100, 10)):
    """A footprint.json."""
    return {"components": {"base": {"text": base[0], "data": base[1]}}, "total": {"text": text, "data": data},
            "per_vm": {}}


@pytest.mark.parametrize("of, line", [
    ("total", "footprint: text 3412 (+12) data 120 (0)"), ("base", "footprint: text 100 (0) data 10 (-1)"),
])
def test_diff(tmp_path, capsys, of, line):
    (tmp_path / "old.json").write_text(json.dumps(report(3400, 120, (100, 11))))
    (tmp_path / "new.json").write_text(json.dumps(report(3412, 120)))
    assert footprint.main(["--diff", str(tmp_path / "old.json"), "--out", str(tmp_path / "new.json"), "--of", of]) == 0
    assert capsys.readouterr().out == line + "\n"


@pytest.mark.parametrize("text", ["{}", "[]", "no json", '{"total": {"text": 1}, "components": {}}'])
def test_diff_of_something_else(tmp_path, capsys, text):
    (tmp_path / "old.json").write_text(text)
    assert run_tool(footprint.main, ["--diff", str(tmp_path / "old.json"), "--out", str(tmp_path / "old.json")]) == 1
    assert "old.json:1: not a footprint.json" in capsys.readouterr().err


def test_misses():
    targets = footprint.read_targets(TARGETS)
    targets["size"]["base"]["budget"] = [4000, 64]
    targets["size_total"] = {"paper": 10440, "at_most": 4000, "budget": 8192}
    fits = dict(report(8000, 192, (3600, 600)), per_vm={"base": 304})
    assert not list(footprint.misses(fits, targets))
    assert footprint.judge(fits["components"]["base"], targets["size"]["base"]) == "ok"
    above = dict(report(8000, 192, (4000, 64)), per_vm={"base": 304})       # missed, but no larger than it was
    assert footprint.judge(above["components"]["base"], targets["size"]["base"]) == "above"
    assert not list(footprint.misses(above, targets))
    verdicts = [footprint.judge_total(total, targets["size_total"]) for total in (4000, 4001, 8192, 8193)]
    assert verdicts == ["ok", "above", "above", "over"]
    over = dict(report(8000, 193, (8129, 65)), per_vm={"base": 305})        # base, the sum, and per VM
    assert len(list(footprint.misses(over, targets))) == 3


def test_chart_is_xml_with_all_rows():
    targets = footprint.read_targets(TARGETS)
    svg = xml.etree.ElementTree.fromstring(footprint.render_svg(report(3412, 120), targets))
    texts = [element.text for element in svg.iter("{http://www.w3.org/2000/svg}text")]
    assert {"base", "irfm fallback", "everything", "100 + 10", "3412 + 120", "7804 + 2636"} <= set(texts)
    assert texts.count("not built yet") == len(footprint.COMPONENTS) - 1
    for rectangle in svg.iter("{http://www.w3.org/2000/svg}rect"):
        assert float(rectangle.get("x", 0)) + float(rectangle.get("width")) <= float(svg.get("width"))


def test_targets_have_every_component():
    targets = footprint.read_targets(TARGETS)
    assert set(targets["size"]) == set(footprint.COMPONENTS)
    assert set(footprint.COMPONENTS) - {"base"} <= set(targets["component"])


@pytest.mark.parametrize("text, cause", [("[size]\n[size\n", ":2:"), ("[size]\n", r"\[size_total\] is missing")])
def test_bad_targets(tmp_path, text, cause):
    path = tmp_path / "targets.toml"
    path.write_text(text)
    with pytest.raises(InputError, match=cause):
        footprint.read_targets(str(path))


KCONFIG = """
mainmenu "Test"
choice
    prompt "Scheduler"
    default SCHED_RR
config SCHED_SINGLE
    bool "single"
config SCHED_RR
    bool "round robin"
config SCHED_OWN
    bool "of the user's own"
endchoice
config SCHEDULER
    string "Its name" if SCHED_OWN
    default "single" if SCHED_SINGLE
    default "rr" if SCHED_RR
config MMIO
    bool
config CONSOLE
    bool "console"
    default y
    select MMIO
config COLOUR
    bool "colour"
    default y
    depends on CONSOLE
config TRACE
    bool "trace"
config NEVER
    bool "needs what is off"
    depends on TRACE
config PARAVIRT
    bool "calls"
    default y
config DRIVERS
    bool "calls for the console"
    default y
    depends on PARAVIRT && CONSOLE
config PREVIRT
    bool "table"
"""


@pytest.fixture(name="kconfig")
def fixture_kconfig(tmp_path):
    """Options of a Kconfig of its own, all default."""
    (tmp_path / "Kconfig").write_text(KCONFIG)
    (tmp_path / "defconfig").write_text("")
    return footprint.Options(str(tmp_path / "Kconfig"), str(tmp_path / "defconfig"))


def test_what_is_built_for_an_option(kconfig):
    assert list(kconfig.bools()) == ["CONSOLE", "COLOUR", "TRACE", "NEVER", "PARAVIRT", "DRIVERS", "PREVIRT"]
    assert kconfig.comparison("COLOUR") == ({}, {"COLOUR": "n"})
    assert kconfig.comparison("CONSOLE") \
        == ({"COLOUR": "n", "DRIVERS": "n"}, {"COLOUR": "n", "CONSOLE": "n", "DRIVERS": "n"})
    assert kconfig.comparison("DRIVERS") == ({}, {"DRIVERS": "n"})
    assert kconfig.comparison("PARAVIRT") == ({"DRIVERS": "n"}, {"DRIVERS": "n", "PARAVIRT": "n"})
    assert kconfig.on({"PARAVIRT": "n"}) == {"CONSOLE", "COLOUR"}
    assert kconfig.on({"TRACE": "y"}) == {"CONSOLE", "COLOUR", "PARAVIRT", "DRIVERS", "TRACE"}
    assert kconfig.comparison("TRACE") == ({"TRACE": "y"}, {})
    assert kconfig.comparison("TRACE", ["COLOUR"]) == ({"COLOUR": "n", "TRACE": "y"}, {"COLOUR": "n"})
    assert kconfig.comparison("NEVER") is None
    assert list(kconfig.alternatives()) == [("SCHED_RR", "SCHED_SINGLE")]
    assert kconfig.values() == {"CONSOLE", "COLOUR", "PARAVIRT", "DRIVERS"}


class FakeBuilder:
    """Gives images whose text is the sum of what is on, without building."""

    WEIGHT = {"CONSOLE": 1000, "COLOUR": 100, "TRACE": 10, "SCHED_RR": 7, "PARAVIRT": 3, "DRIVERS": 50, "PREVIRT": 20}

    def __init__(self):
        self.built = []

    def variant(self, product, label, settings, options_on, _=None):
        """As Builder.variant."""
        self.built.append((label, "CONSOLE" in options_on))
        on = {"CONSOLE", "COLOUR", "SCHED_RR", "PARAVIRT", "DRIVERS"} - {name for name, value in settings.items() if value == "n"}
        on |= {name for name, value in settings.items() if value == "y"}
        assert on - {"SCHED_RR", "SCHED_SINGLE"} == options_on
        on -= {"SCHED_RR"} if "SCHED_SINGLE" in on else set()
        image = footprint.Image.__new__(footprint.Image)
        image.columns = dict.fromkeys(footprint.COLUMNS, 0)
        image.columns["text"] = sum(self.WEIGHT.get(name, 0) for name in on)
        image.files, image.vcpu, image.pages = {}, None, None
        return image


def test_marginal_cost_of_each_option(kconfig):
    builder = FakeBuilder()
    rows, _ = footprint.measure_options(builder, "p", kconfig, set(), {"NEVER"}, {"TRACE": ["COLOUR"]})
    assert {name: row["text"] for name, row in rows.items()} \
        == {"CONSOLE": 1000, "COLOUR": 100, "TRACE": 10, "PARAVIRT": 3, "DRIVERS": 50, "PREVIRT": 20,
            "SCHED_RR, not SCHED_SINGLE": 7}
    assert ("p-colour_n-console_n-drivers_n", False) in builder.built and ("p-colour_n-drivers_n", True) in builder.built
    assert ("p-colour_n-trace_y", True) in builder.built and ("p-trace_y", True) not in builder.built


@pytest.mark.parametrize("options_on, lines", [
    ({"CONSOLE"}, ['image = "a.elf"', 'console = "none"']),
    ({"CONSOLE", "UART_16550"}, ['image = "a.elf"', 'console = "shared"', 'console_kind = "ns16550"', 'console_at = 0xEF600300',
                                'console_line = 0']),
    ({"CONSOLE", "UART_16550", "UART_UARTLITE"}, ['image = "a.elf"', 'console = "shared"', 'console_kind = "uartlite"',
                                                 'console_at = 0x90210000', 'console_line = 0']),
    (set(), ['image = "a.elf"', 'console = "none"']),
    ({"PARAVIRT", "IRFM", "DRIVERS"}, ['image = "a.elf"', 'console = "none"', "paravirt = true", "irfm = true"]),
    ({"PREVIRT"}, ['image = "b.elf"', 'console = "none"', "previrt = true"]),
    ({"PREVIRT", "IRFM"}, ['image = "b.elf"', 'console = "none"', "irfm = true", "previrt = true"])])
def test_the_vm_uses_what_is_measured(tmp_path, monkeypatch, options_on, lines):
    """What no VM asks for, the optimizer may leave out."""
    monkeypatch.setattr(footprint, "ROOT", str(tmp_path))
    builder = footprint.Builder(argparse.Namespace(work="w", guest="a.elf", previrt_guest="b.elf", product="full"))
    monkeypatch.setattr(builder, "make", lambda *arguments: arguments)
    pack = ("PACK=--accept-bad-tables",) if "previrt = true" in lines and "irfm = true" not in lines else ()
    extra = "EXTRA_CONFIG=CONFIG_DATA_BUDGET=65536 CONFIG_TEXT_BUDGET=65536 CONFIG_TRACE=y"
    assert builder.variant("full", "x", {"TRACE": "y"}, options_on) == ("full", "w/x", "PARTITIONS=w/x/partitions.toml", extra,
                                                               *footprint.GUESTS_AS_THEY_ARE, *pack)
    text = (tmp_path / "w" / "x" / "partitions.toml").read_text().splitlines()
    assert text[text.index("[[vm]]") + 2:] == [lines[0], 'memory = "1M"', *lines[1:]]


def test_a_frame_has_a_window(tmp_path, monkeypatch):
    """A cyclic scheduler is measured with a plan for the VM, and no other is."""
    monkeypatch.setattr(footprint, "ROOT", str(tmp_path))
    builder = footprint.Builder(argparse.Namespace(work="w", guest="a.elf", previrt_guest="b.elf", product="full"))
    monkeypatch.setattr(builder, "make", lambda *arguments: arguments)
    for settings, plans in (({"SCHED_CYCLIC": "y"}, 1), ({"SCHED_PRIO": "y"}, 0)):
        builder.variant("full", "x", settings, set())
        assert (tmp_path / "w" / "x" / "partitions.toml").read_text().count('windows = [{ vm = "vm"') == plans


def test_a_build_that_fails_is_reported(tmp_path, capsys):
    failing = tmp_path / "make"
    failing.write_text("#!/bin/sh\necho 'vcpu.c:3: error: no'; exit 2\n")
    failing.chmod(0o755)
    arguments = ["--make", str(failing), "--out", str(tmp_path / "out.json"), "--svg", str(tmp_path / "out.svg")]
    assert run_tool(footprint.main, arguments) == 1
    error = capsys.readouterr().err
    assert "failed. hint: its last words follow\nvcpu.c:3: error: no" in error and "Traceback" not in error
    assert not (tmp_path / "out.json").exists() and not (tmp_path / "out.svg").exists()


@pytest.mark.parametrize("limit, gated", [(3600, 0), (100, 1)])
def test_end_to_end_without_options(elf, tmp_path, monkeypatch, capsys, limit, gated):
    """Two products with the same image, already built."""
    monkeypatch.setattr(footprint, "ROOT", str(tmp_path))
    for product in ("minimal", "full"):
        folder = tmp_path / "build" / product
        (folder / "gen").mkdir(parents=True)
        for suffix in (".elf", ".map"):
            shutil.copy(elf.replace(".elf", suffix), folder / f"proteus{suffix}")
        (folder / "gen" / "partitions.json").write_text('{"vms": [{}, {}]}')
    targets = tmp_path / "targets.toml"
    text = open(TARGETS, encoding="utf-8").read().replace("[3600, 600]", f"[{limit}, 600]")
    targets.write_text(re.sub(r", budget = \[\d+, \d+\]", "", text))
    out, svg = tmp_path / "footprint.json", tmp_path / "footprint.svg"
    arguments = ["--no-build", "--no-options", "--targets", str(targets), "--out", str(out), "--svg", str(svg)]
    assert footprint.main([*arguments, "--gate"]) == gated
    written = json.loads(out.read_text())
    assert written["components"] == {"base": {"text": 142, "data": 12}}
    assert written["total"] == {"text": 142, "data": 12} and written["per_vm"] == {"base": 300}
    assert svg.read_text().startswith("<svg ")
    output = capsys.readouterr().out
    assert "142 / 12" in output and "4348 / 2444" in output and ("over" in output) == bool(gated)
    assert footprint.main(["--elf", str(tmp_path / "build" / "full" / "proteus.elf")]) == 0
    assert "src/one.o" in capsys.readouterr().out
