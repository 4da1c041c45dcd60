"""tests/mutants/mutate.py: the mutants that its rules make, and lists that are wrong."""

import os
import sys

import pytest

TOP = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
sys.path.insert(0, os.path.join(TOP, "tests", "mutants"))

import mutate  # noqa: E402


@pytest.mark.parametrize("line, changed", [
    ("    bge-    9f", {("condition", "    bgt-    9f")}),
    ("    lwz     r24, LOW(current)", set()),
    ("    stw     r24, 8(r31)", {("register", "    stw     r24, 8(r24)"), ("dropped", "    nop")}),
    ("    cmpwi   r24, 4    /* four */", {("constant", "    cmpwi   r24, 5    /* four */")}),
])
def test_assembler(line, changed):
    assert set(mutate.of_assembler(line)) == changed


@pytest.mark.parametrize("line, changed", [
    ("    if (a < 3) {", {("condition", "    if (a <= 3) {"), ("constant", "    if (a < 4) {")}),
    ("    v->pid = value;", {("dropped", "    ;")}),
    ("    drop_row(row);", {("dropped", "    ;")}),
    ("    uint32_t value;", set()),
])
def test_c(line, changed):
    assert set(mutate.of_c(line)) == changed


def test_every_file_has_mutants_and_tests():
    """Enough of them for `make mutate`, from all three folders, and none of a comment."""
    found = [mutant for path in mutate.sources([]) if mutate.tests_of(path) for mutant in mutate.mutants_of(path)]
    assert len(found) >= 1000
    assert {mutant.path.split("/")[0] for mutant in found} == {"asm", "src", "hypercalls"}
    assert not [mutant for mutant in found if mutant.old.lstrip().startswith(("/*", "*"))]


def test_a_machine_without_git(monkeypatch):
    """The same mutants; a copy of the tree has what they are made of (test_fresh.py)."""
    expected = mutate.sources([])
    monkeypatch.setenv("PATH", "/nowhere")
    assert mutate.sources([]) == expected and "asm/dispatch.S" in expected and expected == sorted(expected)
    assert set(expected) <= set(mutate.fresh.tree_files())


def test_sample():
    """Twenty, each of a line that is there once."""
    found = list(mutate.sample())
    assert len(found) == 20 and all(mutant.old != mutant.new and mutate.tests_of(mutant.path) for mutant in found)


def test_a_row_that_is_out_of_date(monkeypatch):
    monkeypatch.setattr(mutate, "rows", lambda name: iter([(7, ["asm/pit.S", "no such line", "nop", "why"])]))
    with pytest.raises(SystemExit, match="sample.txt:7: asm/pit.S has this line 0 times. hint:"):
        list(mutate.sample())


def test_survivors():
    """Each row is a mutant that the rules make, of a line as it is now; a mutant's name is its own."""
    found = [mutant for path in mutate.sources([]) for mutant in mutate.mutants_of(path)]
    assert len({mutate.name_of(mutant) for mutant in found}) == len(found)
    made = {(mutant.path, mutant.old.strip(), mutant.new.strip()) for mutant in found}
    assert not [row for _, row in mutate.rows("survivors.txt") if tuple(row[:3]) not in made]
