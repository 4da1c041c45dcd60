"""tests/FAULTS.md: each row names tests that exist, and are run."""

import os
import re

TESTS = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))
NUMBERS = [*(str(number) for number in range(1, 18)), *(str(number) for number in range(20, 27)), "4b"]


def rows(text):
    """The cells of each row, without the table's head."""
    lines = [line for line in text.splitlines() if line.startswith("| ")]
    return [[cell.strip() for cell in line.strip("|").split(" | ")] for line in lines[1:]]


def is_there(test, folder=TESTS):
    """Is there such a test in this file, and does something run it?"""
    path, _, name = test.partition("::")
    try:
        with open(os.path.join(folder, path), encoding="utf-8") as file:
            text = file.read()
    except OSError:
        return False
    if path.endswith(".py"):
        return name.startswith("test_") and re.search(rf"^def {name}\(", text, flags=re.M) is not None
    return re.search(rf"^static void {name}\(void \*\*state\)", text, flags=re.M) is not None and len(
        re.findall(rf"\b{name}\b", text.partition("int main(void)")[2])) == 1


def test_every_row_has_tests():
    """All numbers are there; each row has a fault, its kind, its mend and tests, none of which is gone."""
    with open(os.path.join(TESTS, "FAULTS.md"), encoding="utf-8") as file:
        found = rows(file.read())
    assert {row[0] for row in found} == set(NUMBERS)
    for row in found:
        assert len(row) == 5 and all(row), row
        tests = re.findall(r"`([^`]+)`", row[4])
        assert tests and row[4] == ", ".join(f"`{test}`" for test in tests), row
        assert [test for test in tests if not is_there(test)] == [], row[0]


def test_mends_are_there():
    """Each path that a mend names is one of the project's."""
    with open(os.path.join(TESTS, "FAULTS.md"), encoding="utf-8") as file:
        paths = [path for row in rows(file.read()) for path in re.findall(r"`([a-z]+/[\w./]+)`", row[3])]
    root = os.path.dirname(TESTS)
    assert len(paths) > 20
    assert [path for path in paths if not any(os.path.exists(os.path.join(base, path)) for base in (root, TESTS))] == []


def test_what_is_gone_is_found(tmp_path):
    """A name that no test has, one that nobody runs, and a file that is not there."""
    (tmp_path / "a.py").write_text("def test_a(x):\n    pass\ndef helper():\n    pass\n")
    (tmp_path / "a.c").write_text("static void one(void **state)\n{}\nstatic void two(void **state)\n{}\nint main(void)\n"
                                  "{ TEST(one), TEST(onetwo) }\n")
    there = ["a.py::test_a", "a.c::one"]
    gone = ["a.py::test_b", "a.py::helper", "a.c::two", "a.c::on", "b.c::one"]
    assert [name for name in there + gone if is_there(name, tmp_path)] == there
