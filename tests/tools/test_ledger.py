"""tools/ledger.py: whose compiler the budgets of config/targets.toml are of."""

import json
import os
import shutil
import subprocess
import sys

import pytest

ROOT = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
sys.path.insert(0, os.path.join(ROOT, "tools"))

import bench  # noqa: E402
import footprint  # noqa: E402
import ledger  # noqa: E402
import readme  # noqa: E402

TARGETS = os.path.join(ROOT, "config", "targets.toml")
REFERENCE = ledger.read(TARGETS, ("reference",))["reference"]["compiler"]


@pytest.fixture(name="targets")
def some_targets():
    return {"reference": {"compiler": "gcc 12", "others": 10},
            "paths": {"plain": {"at_most": 40, "aim": 30},
                      "missed": {"at_most": 40, "aim": 30, "budget": 100, "budget_with_tlb": 111},
                      "walk": {"at_most": 0, "aim": 0, "guest": 3, "guest_aim": 1}},
            "table1": {}, "size": {"base": {"at_most": [100, 10], "budget": [200, 10]}, "para": {"at_most": [100, 0]}},
            "size_total": {"at_most": 100, "budget": 301}, "per_vm": {}, "component": {}}


def test_the_reference_is_exact(targets):
    for compiler in ("gcc 12", None):
        assert ledger.allow(targets, compiler) == (targets, None)
    assert bench.judge_path(41, targets["paths"]["plain"]) == bench.judge_path(101, targets["paths"]["missed"]) == "over"


def test_another_compiler_has_some_percent(targets):
    wider, note = ledger.allow(targets, "gcc 14")
    paths = wider["paths"]
    assert [bench.judge_path(insns, paths["plain"]) for insns in (30, 40, 41, 44, 45)] == ["aim", "ok", "above", "above", "over"]
    assert [bench.judge_path(insns, paths["missed"]) for insns in (110, 111)] == ["above", "over"]
    rows = [{"insns": 100, "with_tlb": insns} for insns in (123, 124)]
    assert [bench.judge_with_tlb(row, paths["missed"]) for row in rows] == ["above", "over"]
    assert paths["walk"] == targets["paths"]["walk"]        # the macros of a header: no compiler's
    para = wider["size"]["para"]
    assert [footprint.judge({"text": text, "data": 0}, para) for text in (100, 110, 111)] == ["ok", "above", "over"]
    assert footprint.judge({"text": 220, "data": 11}, wider["size"]["base"]) == "above"
    assert [footprint.judge_total(total, wider["size_total"]) for total in (332, 333)] == ["above", "over"]
    assert note.startswith("note: compiled by gcc 14, and config/targets.toml is for gcc 12: a figure may be 10 % above")
    assert targets["paths"]["plain"] == {"at_most": 40, "aim": 30}      # those of the file stay


def test_who_made_an_image(tmp_path):
    compiler = next((name for name in ("powerpc-linux-gnu-gcc", "powerpc-eabi-gcc") if shutil.which(name)), "gcc")
    (tmp_path / "a.S").write_text("nop\n")
    (tmp_path / "b.c").write_text("int f(void) { return 1; }\n")
    major = subprocess.run([compiler, "-dumpversion"], capture_output=True, text=True, check=True).stdout.split(".")[0].strip()
    for options, names, expected in ((["-g"], ["a.S", "b.c"], f"gcc {major}"), (["-g"], ["a.S"], None), ([], ["b.c"], None)):
        subprocess.run([compiler, *options, "-nostdlib", "-static", "-Wl,-e0", "-o", "x.elf", *names], cwd=tmp_path, check=True)
        assert ledger.compiler_of(str(tmp_path / "x.elf")) == expected
    assert ledger.compiler_of(str(tmp_path / "b.c")) is None and ledger.compiler_of(str(tmp_path / "none")) is None


@pytest.mark.parametrize("compiler, status, text", [
    ("gcc 99", 0, "0 passed, 0 failed, 2 skipped\n"), (REFERENCE, 1, ""), (None, 1, "")])
def test_the_readme_s_figures_are_the_reference_s(tmp_path, capsys, compiler, status, text):
    (tmp_path / "README.md").write_text("<!-- footprint -->\nold\n<!-- /footprint -->\n<!-- bench -->\nold\n<!-- /bench -->\n")
    sizes = {"components": {}, "total": {"text": 1, "data": 1}, "per_vm": {}, "compiler": compiler}
    row = {"native": 1000, "full": 1010, "full_overhead": 1.0}
    runs = {"paths": {}, "table1": dict.fromkeys(("ctask", "ffttask", "simplefft"), row), "compiler": compiler}
    (tmp_path / "footprint.json").write_text(json.dumps(sizes))
    (tmp_path / "bench.json").write_text(json.dumps(runs))
    assert readme.run_tool(readme.main, ["--check", "--readme", str(tmp_path / "README.md"), "--build", str(tmp_path)]) == status
    output = capsys.readouterr()
    assert output.out.endswith(text) and ("note: compiled by gcc 99" in output.out) == (status == 0)
    assert ("is not what was measured" in output.err) == (status == 1)
