#!/usr/bin/python3
"""The JSON schemas of tools/partitions/schema.py: valid files pass, broken ones do not, and the checker refuses all that they do."""

import copy
import fnmatch
import glob
import json
import os
import sys
import tomllib

import jsonschema
import pytest

sys.dont_write_bytecode = True
TOP = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
sys.path.insert(0, os.path.join(TOP, "tools"))

import partition  # noqa: E402
from kconfig import run_tool  # noqa: E402
from partitions.board import Board  # noqa: E402
from partitions.keys import BOARD, FLAG, LIST, NUMBER, PARTITIONS, TABLE, TEXT  # noqa: E402


def schema(name):
    """The schema as it is in the tree (that it is what would be written: test_reference.py)."""
    with open(os.path.join(TOP, "config", name), encoding="utf-8") as file:
        return json.load(file)


PARTITION_FILE = jsonschema.Draft7Validator(schema("partitions.schema.json"))
BOARD_FILE = jsonschema.Draft7Validator(schema("board.schema.json"))
BOARDS = sorted(glob.glob(os.path.join(TOP, "config", "boards", "*.toml")))
PRODUCTS = sorted(set(glob.glob(os.path.join(TOP, "config", "*", "*.toml"))) - set(BOARDS))
OTHERS = sorted(glob.glob(os.path.join(TOP, "tests", "*", "config", "*", "*.toml")))
REF405EP = os.path.join(TOP, "config", "boards", "ref405ep.toml")


def load(path):
    """A TOML file."""
    with open(path, "rb") as file:
        return tomllib.load(file)


def short(path):
    """A test's name."""
    return os.path.relpath(path, TOP)


def test_schemas_are_schemas():
    for validator in (PARTITION_FILE, BOARD_FILE):
        jsonschema.Draft7Validator.check_schema(validator.schema)
    assert len(PRODUCTS) > 25 and len(BOARDS) >= 4 and len(OTHERS) > 20


@pytest.mark.parametrize("path", PRODUCTS + OTHERS, ids=short)
def test_partition_files(path):
    PARTITION_FILE.validate(load(path))


@pytest.mark.parametrize("path", BOARDS, ids=short)
def test_board_files(path):
    BOARD_FILE.validate(load(path))


def test_editors_find_them():
    """.taplo.toml gives each file of config/ its schema, and no two."""
    rules = load(os.path.join(TOP, ".taplo.toml"))["rule"]

    def of(path):
        """fnmatch's * crosses folders, so the folders are counted."""
        def fits(patterns):
            return any(fnmatch.fnmatch(path, pattern) and path.count("/") == pattern.count("/") for pattern in patterns)
        return [rule["schema"]["path"] for rule in rules if fits(rule["include"]) and not fits(rule.get("exclude", []))]
    assert all(of(short(path)) == ["config/partitions.schema.json"] for path in PRODUCTS)
    assert all(of(short(path)) == ["config/board.schema.json"] for path in BOARDS)
    assert of("config/targets.toml") == []


# One of each table; the options that its keys need are on. Each row: where in it a table stands.
EVERYTHING = """
product = { name = "t", description = "d", verdict = ["a"] }
schedule = { quantum_us = 1000 }
console = { escape = "ctrl-]", focus = "a" }
flow = { forbid = ["b -> c"], strict = false }
[[plan]]
name = "p"
frame_us = 2000
windows = [{ vm = "a", us = 1000, at_us = 0 }, { vm = "b", us = 500 }, { vm = "c", us = 100 }]
[[vm]]
name = "a"
image = "a.elf"
memory = { size = "1M", guest = 0, machine = "0x100000" }
regs = { r3 = "blob", r4 = 1, r5 = "0x5", r6 = "4K", r7 = 0 }
blob = { file = "x", guest = "0xF0000" }
optimize = true
stubs = { guest = "0x8000", at = "0xC0008000" }
tasks = [{ name = "t", period_us = 2000, wcet_us = 100, deadline_us = 1500 }]
forward = ["iic0", { device = "gpio0", offset = 0, size = 4 }]
interrupts = [5, { line = 7, guest = 9 }]
paravirt = true
console = "shared"
[[vm]]
name = "b"
image = "b.elf"
memory = "64K"
[[vm]]
name = "c"
image = "c.elf"
memory = 65536
[[tunnel]]
name = "t"
size = "4K"
ends = [{ vm = "a", at = "0x80000000", doorbell = 7, rights = "rw", boot = true }, { vm = "b", at = "0x80000000", boot = true }]
"""
PLACES = {"": (), "product": ("product",), "schedule": ("schedule",), "console": ("console",), "flow": ("flow",), "plan": ("plan", 0),
          "windows": ("plan", 0, "windows", 0), "vm": ("vm", 0), "memory": ("vm", 0, "memory"), "regs": ("vm", 0, "regs"),
          "blob": ("vm", 0, "blob"), "stubs": ("vm", 0, "stubs"), "tasks": ("vm", 0, "tasks", 0), "tunnel": ("tunnel", 0), "ends": ("tunnel", 0, "ends", 0),
          "forward": ("vm", 0, "forward", 1), "interrupts": ("vm", 0, "interrupts", 1)}
BOARD_PLACES = {"": (), "uic": ("uic",), "intc": ("intc",), "qemu": ("qemu",), "ram": ("ram", 0), "rom": ("rom", 0),
                "reserved": ("reserved", 0), "device": ("device", 0)}
OPTIONS = ["SCHED_CYCLIC", "CONSOLE", "UART_16550", "UIC", "FORWARD", "PARAVIRT", "IPCM", "IPCM_CALLS", "LIFECYCLE", "IRFM", "OPTIMIZE", "TLB_VIRT",
           "PREVIRT", "SERVICES", "UART_SECOND", "IPCM_REGS", "ABSENT"]


def wrong(key):
    """Values that a key can't have, whatever else is in the file."""
    kinds = key.kind if isinstance(key.kind, tuple) else (key.kind,)
    yield 1.5
    if NUMBER in kinds:
        yield from (-1, key.low - 1, *(() if TEXT in kinds and not key.choices else ("much", "0x", "1.5M")))
        if isinstance(key.high, int):
            yield key.high + 1
    if NUMBER not in kinds and TEXT not in kinds:
        yield "true"
    if NUMBER not in kinds:
        yield 1
    if FLAG not in kinds:
        yield True
    if LIST not in kinds:
        yield []
    if TABLE not in kinds:
        yield {"no": "table"}
    if key.choices:
        yield "neither"
    if key.form:
        yield from ("Too Long A Name", "ABC", "")
    if LIST in kinds:
        yield [1.5]
        if TEXT not in key.items:
            yield ["x y"]


def changes():
    """(file, table's name, key, change): every key that is there gets each wrong value, one that is needed goes, one too many comes."""
    for file, tables in (("partitions", PARTITIONS), ("board", BOARD)):
        for name, table in tables.items():
            yield file, name, "unheard_of", 1
            for key in table.keys:
                if key.required:
                    yield file, name, key.name, None
                for value in wrong(key):
                    yield file, name, key.name, value


def changed(data, place, key, value):
    """The data with one key other than it was."""
    data = copy.deepcopy(data)
    table = data
    for step in place:
        table = table.setdefault(step, {}) if isinstance(table, dict) else table[step]
    if value is None:
        table.pop(key, None)
    else:
        table[key] = value
    return data


def toml(value):
    """A value as TOML writes it, in one line."""
    if isinstance(value, dict):
        return "{ " + ", ".join(f"{name} = {toml(item)}" for name, item in value.items()) + " }"
    if isinstance(value, list):
        return "[" + ", ".join(map(toml, value)) + "]"
    return json.dumps(value)


def document(data):
    """A file, its tables in lines."""
    return "".join(f"{name} = {toml(value)}\n" for name, value in data.items())


@pytest.fixture(scope="module")
def base():
    """{file: (content, validator, places)} of a valid partition file and a valid board file."""
    board = load(REF405EP)
    return {"partitions": (tomllib.loads(EVERYTHING), PARTITION_FILE, PLACES), "board": (board, BOARD_FILE, BOARD_PLACES)}


def checker(folder, file, data):
    """Does tools/partition.py take it? Its faults, if not."""
    path = folder / f"{'ref405ep' if file == 'board' else 'p'}.toml"
    path.write_text(document(data), encoding="utf-8")
    if file == "board":
        faults = []
        Board(str(path), faults)
        return not faults
    (folder / ".config").write_text("CONFIG_VM_MAX=8\n" + "".join(f"CONFIG_{name}=y\n" for name in OPTIONS))
    return run_tool(partition.main, ["--board", REF405EP, "--config", str(folder / ".config"), str(path), "--check"]) == 0


def test_the_files_to_begin_with(base, tmp_path, capsys):
    """Both are right for both, and every table is in one of them."""
    for file, (data, validator, places) in base.items():
        validator.validate(data)
        assert checker(tmp_path, file, data), capsys.readouterr().err
        assert set(places) == set(PARTITIONS if file == "partitions" else BOARD)


@pytest.mark.parametrize("file", ["partitions", "board"])
def test_what_a_schema_refuses_is_wrong(base, tmp_path, capsys, file):
    """Each key with each wrong value: the schema refuses it at that key's place, and so does the checker."""
    data, validator, places = base[file]
    count = 0
    for _, name, key, value in filter(lambda change: change[0] == file, changes()):
        broken = changed(data, places[name], key, value)
        if broken == data:
            continue
        count += 1
        assert list(validator.iter_errors(broken)), (name, key, value)
        try:
            accepted = checker(tmp_path, file, broken)
        except Exception as error:          # no test of one fault, but the checker is to have no other words for it than its own
            raise AssertionError((name, key, value)) from error
        assert not accepted, (name, key, value)
        capsys.readouterr()
    assert count > (300 if file == "partitions" else 150)


@pytest.mark.parametrize("file", ["partitions", "board"])
def test_limits_are_those_of_the_table(base, file):
    """The lowest and the highest number pass, as a number and as a text."""
    data, validator, places = base[file]
    for name, table in (PARTITIONS if file == "partitions" else BOARD).items():
        for key in table.keys:
            if key.kind is NUMBER and name != "intc":
                for value in (key.low, *([key.high] if isinstance(key.high, int) else []), "0x10", "64K", "1 MiB", "1_000"):
                    assert not list(validator.iter_errors(changed(data, places[name], key.name, value))), (name, key.name, value)
