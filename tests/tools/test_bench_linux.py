#!/usr/bin/python3
"""Tests of tools/bench_linux.py: figures, profile, judgement, and where a kernel waits; the runs are those of bench.py."""

import json
import os
import sys

import pytest
from previrt_support import TOP, build, tool

sys.path[:0] = [os.path.join(TOP, "tools"), os.path.dirname(os.path.abspath(__file__))]

import bench            # noqa: E402
import bench_linux      # noqa: E402
from kconfig import InputError, run_tool    # noqa: E402
from test_bench import MFSPR_SRR0, RFI, TLBWE, row      # noqa: E402

# A kernel linked 0xC0000000 above its memory, with one function to wait in and a spare area
KERNEL = """
        .globl  _start
        .type   _start, @function
_start: bl      do_idle
        b       _start
        .size   _start, . - _start
        .type   do_idle, @function
do_idle: wrteei 0
        li      9, 1
        wrteei  1
        li      9, 1
        blr
        .size   do_idle, . - do_idle
        .type   other, @function
other:  wrteei  0
        li      9, 1
        blr
        .size   other, . - other
        .globl  spare
        .type   spare, @object
spare:  .space  256
        .size   spare, 256
nosize: blr
"""
SCRIPT = """ENTRY(_start)
PHDRS { text PT_LOAD FLAGS(5); }
SECTIONS { .text 0xC0001000 : AT(0x1000) { *(.text) } :text }
"""


@pytest.fixture(scope="module", name="kernel")
def fixture_kernel(tmp_path_factory):
    """(the kernel, the same with a table)"""
    folder = tmp_path_factory.mktemp("kernel")
    (folder / "x.ld").write_text(SCRIPT)
    elf = build(folder, KERNEL, link=["-nostdlib", "-static", "-no-pie", "-Wl,--build-id=none", "-T", str(folder / "x.ld")])
    tool("elf", elf, "--spare", "spare", "-q", "-o", folder / "patched.elf")
    return str(elf), str(folder / "patched.elf")


def test_idle_walks(kernel):
    """By physical address, of the function's size."""
    assert bench_linux.idle_walks(kernel[0], ["do_idle"]) == [("do_idle", 0x1008, 0x101C)]
    for name, cause in (("nobody", "no function nobody"), ("nosize", "no function nosize")):
        with pytest.raises(InputError, match=cause):
            bench_linux.idle_walks(kernel[0], [name])


@pytest.mark.parametrize("content", [None, b"", b"\x7fELF"])
def test_no_kernel(tmp_path, content):
    """Missing, empty, cut off: one line."""
    path = tmp_path / "bad.elf"
    if content is not None:
        path.write_bytes(content)
    for function in (bench_linux.idle_walks, lambda path: bench_linux.stub_walks(path, [])):
        with pytest.raises(InputError, match="bad.elf:.*hint:"):
            function(str(path))


def test_stub_walks(kernel):
    """Both stubs of the function that waits, none of the other's: each begins behind the other's end, in the spare area."""
    plain, patched = kernel
    found = bench_linux.stub_walks(patched, bench_linux.idle_walks(plain, ["do_idle"]))
    assert [name for name, _, _ in found] == ["do_idle_stub_0", "do_idle_stub_1"]
    assert [high - low for _, low, high in found] == [16, 24]            # wrteei 0, wrteei 1, and a branch back
    rows = json.loads(tool("report", patched, "--json").stdout)["sites"]
    stubs = [site["stub"] - 0xC0000000 for site in rows if site["place"].startswith("do_idle")]
    assert [low for _, low, _ in found] == stubs
    with pytest.raises(InputError, match="no table in it"):
        bench_linux.stub_walks(plain, [])


def test_walk_arguments():
    assert bench_linux.walk_arguments([("a", 0x10, 0x20)], 0x400000) == ["walk=a:0x400010-0x400020"]


def test_totals():
    """The wait is part of the total, and what is not the wait is work."""
    walks = {"a": {"insns": 5, "hyp_insns": 7}, "b": {"insns": 10, "hyp_insns": 0}}
    assert bench_linux.totals(100, 50, walks) == {"insns": 150, "guest": 100, "hypervisor": 50, "idle": 22, "work": 128}


def test_find_vm():
    vms = [("linux", "l.elf", 0, 1, 0), ("ctask", "c.elf", 1, 2, 0)]
    assert bench_linux.find_vm(vms, "ctask", "image") == vms[1]
    with pytest.raises(InputError, match="no VM other.*linux, ctask"):
        bench_linux.find_vm(vms, "other", "image")


def test_profile():
    """Alike causes in one row, most instructions first."""
    isa = bench.Isa(os.path.join(TOP, "config"))
    rows = [row(0x700, MFSPR_SRR0, insns=40, count=3), row(0x700, MFSPR_SRR0 ^ 1 << 21, insns=50, count=1),
            row(0x700, TLBWE, insns=400, count=2), row(0x700, RFI, outcome="jump", insns=60), row(0x1100, outcome="retry")]
    made = bench_linux.profile([bench.Excursion(each, isa, "x") for each in rows])
    assert made[0] == {"cause": "tlbwe > next", "count": 2, "insns": 800, "max": 400, "mean": 400.0}
    assert made[1] == {"cause": "mfspr srr0 > next", "count": 4, "insns": 170, "max": 50, "mean": 42.5}
    assert [each["cause"] for each in made[2:]] == ["rfi > jump", "dtlb_miss > retry"]
    assert sum(each["insns"] for each in made) == 400 * 2 + 40 * 3 + 50 + 60 + 10


def figures(**insns):
    """Figures of runs of these lengths."""
    return {mode: bench_linux.totals(value, 0, {"idle": {"insns": 10, "hyp_insns": 0}}) for mode, value in insns.items()}


def test_judgement():
    """A target is missed only above it, and only where there is one."""
    targets = {"full": 1.5, "previrt": 1.1}
    assert not list(bench_linux.misses(figures(native=1000, full=1500, previrt=1100), targets))
    assert list(bench_linux.misses(figures(native=1000, full=1501, previrt=1100), targets)) == [
        "linux, full: 1.501 times the native instructions, at most 1.5"]
    assert not list(bench_linux.misses(figures(native=1000, full=9000), {}))
    table = list(bench_linux.total_table(figures(native=1000, full=1501, previrt=1100, optimize=1200), targets))
    assert [line.split()[0] for line in table] == ["linux", "native", "full", "optimize", "previrt"]
    assert [line.split()[-1] for line in table[1:]] == ["-", "over", "-", "ok"]
    assert table[2].split()[6] == "1.501" and table[2].split()[7] == "1.506"


def test_profile_table_sums_up_the_rest():
    rows = [{"cause": f"c{n}", "count": 2, "insns": n, "mean": n / 2, "max": n} for n in (50, 30, 20)]
    table = list(bench_linux.profile_table("full", rows, 1000, 1))
    assert len(table) == 3 and table[1].split() == ["c50", "2", "50", "25.0", "50", "5.00", "%"]
    assert table[2].split() == ["2", "others", "4", "50", "12.5", "30", "5.00", "%"]
    assert len(list(bench_linux.profile_table("full", rows, 1000, 3))) == 4


def test_usage(capsys):
    """Nothing to compare; unknown words."""
    for arguments in ([], ["--native", "x"], ["--native", "x", "--full", "y", "--nothing"]):
        with pytest.raises(SystemExit) as end:
            bench_linux.main(arguments)
        assert end.value.code == 2
    capsys.readouterr()


def test_missing_kernel_is_one_line(tmp_path, capsys):
    """Status 1, no traceback, nothing written."""
    out = tmp_path / "out.json"
    assert run_tool(bench_linux.main, ["--native", str(tmp_path / "none.elf"), "--full", "x", "--out", str(out),
                                  "--work", str(tmp_path)]) == 1
    error = capsys.readouterr().err
    assert "none.elf" in error and "hint:" in error and error.count("\n") == 1 and not out.exists()


# ---- how late a job starts beside it

def lines_of(samples, verdict="jitter: PASS jobs={} misses=0"):
    """What the guest prints, as run.py files it."""
    vm = bench_linux.run.Vm("jitter")
    for value in samples:
        vm.add(f"jitter: t={value}")
    vm.add(verdict.format(len(samples)))
    return vm


def beside(samples, linux=("Linux version",), **options):
    """The console of both."""
    result = bench_linux.run.Result()
    result.vms["jitter"] = lines_of(samples, **options)
    for line in linux:
        result.vm("linux").add(line)
    result.status = 0
    return result


def test_check_jitter(monkeypatch):
    """Every sample counts, and only those of a run in which both did what they should."""
    monkeypatch.setattr(bench_linux.run.Result, "trouble", lambda self: iter(()))
    assert bench_linux.check_jitter(beside([5, 7]), "image", "jitter", "linux") == [5, 7]
    wrong = [(beside([5], verdict="jitter: FAIL jobs late or lost jobs={} misses=1"), "jitter: FAIL"),
             (beside([5], verdict="jitter: PASS jobs=2 misses=0"), "has printed 1 samples"),
             (beside([5], linux=()), "did not work all the time"),
             (beside([5], linux=["Linux", "linux: PASS x=1"]), "did not work all the time")]
    for result, cause in wrong:
        with pytest.raises(InputError, match=cause):
            bench_linux.check_jitter(result, "image", "jitter", "linux")


def test_jitter_figures():
    """Ticks become instructions; every job is in one bucket."""
    made = bench_linux.jitter_figures([100, 0, 50, 199], 3.0)
    assert (made["jobs"], made["min"], made["median"], made["mean"], made["max"]) == (4, 0, 300, 262, 597)
    assert made["width"] == 30 and sum(count for _, count in made["histogram"]) == 4
    assert [low for low, count in made["histogram"] if count] == [0, 150, 300, 570]
    assert bench_linux.jitter_figures([118] * 7, 3.0)["histogram"][-1][1] == 7
    assert bench_linux.jitter_figures([0], 3.0)["histogram"] == [[0, 1]]


def test_jitter_table():
    made = {"native": bench_linux.jitter_figures([1] * 3, 3.0), "full": bench_linux.jitter_figures([1, 1, 1, 1, 199], 3.0),
            "quantum": 500, "misses": 0}
    text = list(bench_linux.jitter_table(made))
    assert text[1].split() == ["bare", "3", "0", "3", "3", "3", "3"]
    assert text[2].split() == ["beside", "Linux", "5", "0", "3", "3", "122", "597"]
    assert text[5].split() == ["0", "4", "#" * bench_linux.BARS] and text[6].split() == ["30", "0"]
    assert text[-1].split() == ["570", "1", "#" * -(-bench_linux.BARS // 4)]


def test_busy_copy(tmp_path):
    """The one Linux of an image gets more rounds; nothing is written if there is none, or two."""
    image, target = tmp_path / "image", tmp_path / "target"
    image.write_bytes(b"a" + bench_linux.ROUNDS + b"b")
    bench_linux.busy_copy(str(image), str(target))
    assert target.read_bytes() == b"a" + bench_linux.MANY + b"b"
    for content in (b"nothing", bench_linux.ROUNDS * 2):
        image.write_bytes(content)
        with pytest.raises(InputError, match="exactly once"):
            bench_linux.busy_copy(str(image), str(tmp_path / "other"))
    with pytest.raises(InputError, match="can't be read"):
        bench_linux.busy_copy(str(tmp_path / "none"), str(tmp_path / "other"))
    assert not (tmp_path / "other").exists()
