"""SECURITY.md: each claim and each attack names tests that exist, and are run; CHANGELOG.md: what it points to is there."""

import os
import re

import pytest
from test_faults import TESTS, is_there, rows

ROOT = os.path.dirname(TESTS)
TEST = re.compile(r"`([\w/]+\.(?:py|c)::\w+)`")


def text_of(name):
    """A document of the top folder."""
    with open(os.path.join(ROOT, name), encoding="utf-8") as file:
        return file.read()


def tables(text):
    """[[cells of each row]] of the document's tables."""
    return [rows(table) for table in re.findall(r"(?:^\|.*\n)+", text, flags=re.M)]


def faults(text):
    """What is wrong with the document: rows without tests or with other things in their place, tests that are gone."""
    for number, table in enumerate(tables(text)):
        for row in table:
            if len(row) != (4, 3)[number] or not all(row) or ", ".join(f"`{test}`" for test in TEST.findall(row[-1])) != row[-1]:
                yield f"row {row[0]}"
    yield from (test for test in TEST.findall(text) if not is_there(test))


def test_every_claim_has_tests():
    text = text_of("SECURITY.md")
    claims, attacks = tables(text)
    assert [row[0] for row in claims] == [str(number) for number in range(1, len(claims) + 1)] and len(claims) >= 15 and len(attacks) >= 8
    assert list(faults(text)) == []
    assert len(set(TEST.findall(text))) > 50


@pytest.mark.parametrize("old, new, fault", [
    ("::test_stops_alone`", "::test_stops_all`", "system/test_stop.py::test_stops_all"),
    ("`unit/test_drivers.c::bad_pointers`", "`unit/test_driver.c::bad_pointers`", "unit/test_driver.c::bad_pointers"),
    ("| `system/test_stop.py::test_stops_alone`, ", "| shown, ", "row 7"),
    ("`tools/test_flow.py::test_forbid`, `tools/test_flow.py::test_random_graphs`", "", "row 14"),
    ("`tools/test_mutate.py::test_sample`", "tests", "row wrong hypervisors: 200 mutants by rules, 20 in every run"),
    ("`system/test_control.py::test_without_the_option`", "`system/test_control.py::test_none`", "system/test_control.py::test_none")])
def test_what_is_gone_is_found(old, new, fault):
    text = text_of("SECURITY.md")
    assert old in text and fault in faults(text.replace(old, new))


@pytest.mark.parametrize("name", ["SECURITY.md", "CHANGELOG.md"])
def test_links(name):
    """What a document links to, and each option that it names, is there."""
    text = text_of(name)
    links = re.findall(r"\]\(([^)#]+)[^)]*\)", text)
    assert links and [link for link in links if not os.path.exists(os.path.join(ROOT, link))] == []
    options = set(re.findall(r"\boption ([A-Z_0-9]+)\b", text))
    assert [option for option in options if not re.search(rf"^config {option}$", text_of("Kconfig"), flags=re.M)] == []


def test_the_log_has_its_tools_and_products():
    """Each `make <target>` and product of the log is one."""
    text = text_of("CHANGELOG.md")
    targets = set(re.findall(r"`make ([a-z-]+)", text))
    known = set(re.findall(r"^([a-z-]+):", text_of("Makefile"), flags=re.M))
    assert len(targets) > 8 and targets <= known
    products = set(re.findall(r"product `([\w-]+)`", text))
    assert products and all(os.path.exists(os.path.join(ROOT, "config", name, "defconfig")) for name in products)
