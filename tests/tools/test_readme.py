"""tools/readme.py: the README's ledgers are what was measured."""

import json
import os
import re
import sys

import pytest

ROOT = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
sys.path.insert(0, os.path.join(ROOT, "tools"))

import readme  # noqa: E402

PAGE = "# P\n\n<!-- footprint -->\nold\n<!-- /footprint -->\nbetween\n<!-- bench -->\n<!-- /bench -->\nend\n"
FOOTPRINT = {"components": {"base": {"text": 4321, "data": 12}, "uic": {"text": 99, "data": 0}},
             "total": {"text": 5000, "data": 20}, "per_vm": {"base": 292}}
BENCH = {"paths": {"mfspr": {"insns": 41, "cycles": 70}, "hypercall": {"insns": 20, "cycles": 33},
                   "tlb_refill": {"insns": 130, "cycles": 183}, "tlb_miss": {"insns": 91, "cycles": 99},
                   "vm_switch": {"insns": 341, "cycles": 300},
                   "decision_rr": {"insns": 300, "cycles": 400}, "decision_prio": {"insns": 9999, "cycles": 12000},
                   "irfm_mfspr": {"insns": 0, "cycles": 0, "guest": 1},
                   "irfm_wrteei_1": {"insns": 0, "cycles": 0, "guest": 5}, "hcall_timer_set": {"insns": 30, "cycles": 40}},
         "table1": {name: {"native": 1000, "full": 1010, "full_overhead": 1.0, "previrt": 1004, "previrt_overhead": 0.4,
                           "previrt_removed": 60.0, "para": 1001, "para_overhead": 0.1, "para_removed": 90.0}
                    for name in ("ctask", "ffttask", "simplefft")}}
FULL_ONLY = {"native": 1000, "full": 1010, "full_overhead": 1.0}


@pytest.fixture
def place(tmp_path):
    (tmp_path / "footprint.json").write_text(json.dumps(FOOTPRINT))
    (tmp_path / "bench.json").write_text(json.dumps(BENCH))
    (tmp_path / "README.md").write_text(PAGE)
    return tmp_path


def call(place, *arguments):
    return readme.run_tool(readme.main, ["--readme", str(place / "README.md"), "--build", str(place), *arguments])


def test_tables_are_written_and_the_rest_stays(place, capsys):
    assert call(place) == 0
    text = (place / "README.md").read_text()
    assert "| base | 4321 / 12 | 4348 / 2444 | 3600 / 600 | above |" in text
    assert "| uic | 99 / 0 | - | - | not in the paper |" in text
    assert "| `mfspr` | 41 | - | 70 | 48 | 40 | ok |" in text and "sc_reflect" not in text
    assert "| `hypercall` | 20 | - | 33 | 30 | 22 | ok |" in text
    assert "timer_set" not in text and "tlb_miss" not in text       # they have no target
    assert "| `tlb_refill` | 130 | - | 183 | 80 | 60 | above |" in text and "| `vm_switch` | 341 | - | 300 | 200 | 180 | over |" in text
    assert re.search(r"^\| decision of a scheduler: `rr`, `prio` \| 300, 9999 \| - \| 400, 12000 \| \d+, \d+ \| 400, 800 \| over \|$",
                     text, re.M)
    assert ("| on the register pages (hypervisor + guest): `mfspr`, `wrteei_1` | 0 + 1, 5 | - | - | 0 + 1, 8 | 0 + 1, 6 | ok |") in text
    assert "| para, irfm, irfm_fallback, previrt, tlb, drivers, ipcm | - | - | - | not built yet |" in text
    assert "| workload | native | full | previrt | para | at most | removed | paper: full, para | removed |" in text
    assert ("| ctask | 1000 | 1010 (1.000 %) | 1004 (0.400 %) | 1001 (0.100 %) | 8.0 %, 2.5 % | 60 %, 90 % "
            "| 146.95 %, 59.88 % | 59 % |") in text
    assert "| simplefft | 1000 | 1010 (1.000 %) | 1004 (0.400 %) | 1001 (0.100 %) | 0.01 % | 60 %, 90 % | 0.0 %, 0.0 % | - |" in text
    assert "old" not in text and text.startswith("# P\n") and "\nbetween\n" in text and text.endswith("\nend\n")
    assert call(place, "--check") == 0
    assert capsys.readouterr().out.endswith("2 passed, 0 failed\n")


def test_modes_that_were_not_measured(place):
    report = dict(BENCH, table1={**dict.fromkeys(("ffttask", "simplefft"), FULL_ONLY), "ctask": FULL_ONLY})
    (place / "bench.json").write_text(json.dumps(report))
    assert call(place) == 0
    text = (place / "README.md").read_text()
    assert "| workload | native | full | at most | removed |" in text and "| ctask | 1000 | 1010 (1.000 %) | 8.0 % | -, - |" in text
    report["table1"]["ctask"] = BENCH["table1"]["ctask"]
    (place / "bench.json").write_text(json.dumps(report))
    assert call(place) == 0
    assert "| ffttask | 1000 | 1010 (1.000 %) | - | - | 0.1 %, 0.03 % | -, - |" in (place / "README.md").read_text()


def test_the_hypervisor_is_not_hidden(place):
    """A sequence that trapped after all."""
    paths = dict(BENCH["paths"], irfm_wrteei_1={"insns": 44, "cycles": 60, "guest": 5})
    (place / "bench.json").write_text(json.dumps(dict(BENCH, paths=paths)))
    assert call(place) == 0
    assert "`mfspr`, `wrteei_1` | 0 + 1, 44 + 5 | - | - | 0 + 1, 8 | 0 + 1, 6 | over |" in (place / "README.md").read_text()


def test_an_old_table_is_found(place, capsys):
    assert call(place, "--check") == 1
    assert f"{place}/README.md:3: the table `footprint` is not what was measured. hint: make readme" in capsys.readouterr().err
    assert (place / "README.md").read_text() == PAGE


@pytest.mark.parametrize("name, content, cause", [
    ("bench.json", None, "can't read the report"), ("footprint.json", "{", "footprint.json:1: "),
    ("README.md", "# nothing\n", "README.md:1: the markers <!-- footprint -->")])
def test_bad_input(place, capsys, name, content, cause):
    if content is None:
        (place / name).unlink()
    else:
        (place / name).write_text(content)
    assert call(place) == 1
    error = capsys.readouterr().err
    assert cause in error and "hint: " in error and "Traceback" not in error
