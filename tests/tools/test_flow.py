#!/usr/bin/python3
"""tools/flow.py and [flow] of a partition file: who can influence whom, by what, and what is said of a way that is forbidden."""

import json
import os
import random
import re
import subprocess
import sys
import xml.etree.ElementTree

import pytest

sys.dont_write_bytecode = True
TOP = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
sys.path.insert(0, os.path.join(TOP, "tools"))

import flow  # noqa: E402
import partition  # noqa: E402
from kconfig import run_tool  # noqa: E402
from test_partition import damage  # noqa: E402

BOARD = os.path.join(TOP, "config", "boards", "ref405ep.toml")
CONFIG = "".join(f"CONFIG_{name}=y\n" for name in ("UIC", "CONSOLE", "UART_16550", "PARAVIRT", "SERVICES", "LIFECYCLE", "IPCM", "IPCM_REGS",
                                                   "FORWARD")) + "CONFIG_VM_MAX=8\n"
CYCLIC = CONFIG + "CONFIG_SCHED_CYCLIC=y\n"


@pytest.fixture
def tool(tmp_path, monkeypatch, capsys):
    """Checks a partition file; (exit status, lines of standard error, edges without their lines)."""
    monkeypatch.chdir(tmp_path)

    def call(text, config=CONFIG):
        (tmp_path / "p.toml").write_text(text)
        (tmp_path / ".config").write_text(config)
        status = run_tool(partition.main, ["--board", BOARD, "--config", ".config", "p.toml", "--out", "gen"])
        if status:
            return status, capsys.readouterr().err.splitlines(), None
        data = json.loads((tmp_path / "gen" / "partitions.json").read_text())
        return status, [], {(edge["source"], edge["target"], edge["kind"]) for edge in data["flow"]["edges"]}
    call.path = tmp_path
    return call


def product(*vms, top=""):
    """Line 1 and 2 are [product], 3 is `top` (one line); then four lines and more for each VM: [[vm]], name, image, memory, others."""
    text = "[product]\nname = 'x'\n" + top + "\n"
    for vm in vms:
        name, *keys = vm.split("\n")
        text += f"[[vm]]\nname = '{name}'\nimage = '{name}.elf'\nmemory = '1M'\n" + "".join(key + "\n" for key in keys)
    return text


def tunnel(name, one, other):
    """A tunnel between two ends, each a line."""
    return f"[[tunnel]]\nname = '{name}'\nsize = '4K'\nends = [\n{{ {one} }},\n{{ {other} }}]\n"


AT = "at = '0x80000000'"


def with_flow(text, *rules, strict=False):
    """[flow] at the end of a file, in its line and the two behind."""
    return text + f"[flow]\nstrict = {str(strict).lower()}\nforbid = [{', '.join(map(repr, rules))}]\n"


# ---------------------------------------------------------------- edges
def test_tunnel_by_rights_and_doorbells(tool):
    """Who can write has an influence; who can ring has, too; and each sees the other come and go."""
    vms = ("a\nparavirt = true", "b\ntunnels_at = '0x90000000'", "c")
    one_way = tunnel("t", f"vm = 'a', {AT}, doorbell = 7", f"vm = 'b', {AT}, rights = 'r'")
    state = {("a", "b", "state"), ("b", "a", "state")}
    assert tool(product(*vms) + one_way)[2] == state | {("a", "b", "memory"), ("b", "a", "doorbell")}
    silent = tunnel("t", f"vm = 'a', {AT}", f"vm = 'c', {AT}, doorbell = 7, rights = 'r', boot = true")
    assert tool(product("a\nparavirt = true", "b", "c") + silent)[2] == {("a", "c", "memory"), ("a", "c", "doorbell"), ("a", "c", "state"), ("c", "a", "state")}
    both = tunnel("t", f"vm = 'c', {AT}, boot = true", f"vm = 'b', {AT}, doorbell = 3")       # c has no way to ring
    assert tool(product(*vms) + both)[2] == {("b", "c", "memory"), ("c", "b", "memory"), ("b", "c", "state"), ("c", "b", "state")}


def test_supervisor(tool):
    assert tool(product("a\nparavirt = true\nsupervises = ['c']", "b", "c"))[2] == {("a", "c", "control"), ("c", "a", "state")}


def test_reset_of_the_board(tool):
    for key in ("on_failure", "on_reset"):
        assert tool(product("a", f"b\n{key} = 'reset'", "c"))[2] == {("b", "a", "reset"), ("b", "c", "reset")}


def test_plan(tool):
    plans = "".join(f"[[plan]]\nname = '{name}'\nwindows = [{{ vm = 'a', us = 1000 }}, {{ vm = 'b', us = 1000 }}]\n" for name in "xy")
    assert tool(product("a", "b\nparavirt = true\nplans = true") + plans, CYCLIC)[2] == {("b", "a", "plan")}


def test_console(tool):
    shared = "console = 'shared'"
    assert tool(product(f"a\n{shared}", "b", f"c\n{shared}"))[2] == {("a", "c", "console"), ("c", "a", "console")}


def test_device_in_parts(tool):
    text = product("a\nforward = [{ device = 'gpio0', size = 4 }]", "b\nforward = ['iic0']",
                   "c\nforward = [{ device = 'gpio0', offset = 4, size = 4 }]")
    assert tool(text)[2] == {("a", "c", "device"), ("c", "a", "device")}


def test_dma(tool):
    """A master reads and writes all memory; a trusted VM without one has no influence."""
    config = CONFIG.replace("CONFIG_CONSOLE=y\n", "").replace("CONFIG_UART_16550=y\n", "")
    both = {("a", "b", "dma"), ("b", "a", "dma")}
    vm = "a\nmemory = { size = '1M', machine = 0x100000, guest = 0x100000 }\ndma = true\n%s"
    for device, edges in (("devices = ['emac0']", both), ("devices = ['gpio0']", both), ("forward = ['emac0']", both), ("", set())):
        text = product(vm % device, "b").replace("memory = '1M'\nmemory", "memory")       # gpio0's page is emac0's as well
        assert tool(text, config)[2] == edges, device


def test_nothing(tool):
    assert tool(product("a", "b"))[2] == set()


# ---------------------------------------------------------------- what is forbidden
CHAIN = product("a\nparavirt = true\nsupervises = ['b']", "b", "c", "d") + \
    tunnel("t", f"vm = 'b', {AT}, boot = true", f"vm = 'c', {AT}, rights = 'r', boot = true")      # ends in lines 26 and 27
FORBID = CHAIN.count("\n") + 3


@pytest.mark.parametrize("rules, strict, expected", [
    (["a -> b"], False, ["a -> b is forbidden, but: a -> b by control (starts and stops it: line 9)"]),
    (["b -> c"], False, ["b -> c is forbidden, but: b -> c by memory (tunnel 't', which it can write: line 26)"]),
    (["a->c"], False, ["a -> c is forbidden, but: a -> b by control (starts and stops it: line 9), b -> c by memory (tunnel 't', "
                       "which it can write: line 26)"]),
    (["c -> b", "b -> a", "c -> a", "a -> d", "d -> *", "* -> d", "* -> a"], False, []),
    (["c -> b"], True, ["c -> b is forbidden, but: c -> b by state (tunnel 't' opens and closes: line 27)"]),
    (["c -> a"], True, ["c -> a is forbidden, but: c -> b by state (tunnel 't' opens and closes: line 27), b -> a by state "
                        "(it is supervised: line 9)"]),
    (["* -> d", "d -> *"], True, []),
    (["* -> c"], False, ["a -> c is forbidden, but: a -> b by control (starts and stops it: line 9), b -> c by memory (tunnel 't', "
                         "which it can write: line 26)",
                         "b -> c is forbidden, but: b -> c by memory (tunnel 't', which it can write: line 26)"]),
])
def test_forbid(tool, rules, strict, expected):
    """A direct way, one through others, every VM; each is named with its reasons, and nothing is written."""
    status, err, _ = tool(with_flow(CHAIN, *rules, strict=strict))
    assert err == [f"p.toml:{FORBID}: {line}. hint: take one of these away, or allow it" for line in expected]
    assert status == (1 if expected else 0)
    assert (tool.path / "gen").exists() == (not expected)


@pytest.mark.parametrize("rule, expected", [
    ("'a > b'", "what is forbidden has to be a string of two VMs. hint: forbid = [\"a -> b\", \"c -> *\"]"),
    ("'a -> b -> c'", "what is forbidden has to be a string of two VMs. hint: forbid = [\"a -> b\", \"c -> *\"]"),
    ("5", "what is forbidden has to be a string of two VMs. hint: forbid = [\"a -> b\", \"c -> *\"]"),
    ("'a -> sensr'", "unknown vm 'sensr'. hint: did you mean 'sensor'?"),
    ("'x -> a'", "unknown vm 'x'. hint: known: a, sensor"),
    ("'a -> a'", "vm 'a' always has an influence on itself. hint: two VMs"),
])
def test_wrong_rules(tool, rule, expected):
    text = product("a", "sensor") + f"[flow]\nforbid = [\n{rule}]\n"
    status, err, _ = tool(text)
    assert (status, err) == (1, [f"p.toml:{text.count(chr(10))}: {expected}"])


def test_wrong_keys(tool):
    assert tool(product("a") + "[flow]\nforbids = []\nstrict = 1\nforbid = 'a -> b'\n")[1] == [
        "p.toml:9: unknown key 'forbids'. hint: did you mean 'forbid'?",
        "p.toml:10: 'strict' has to be true or false, not a number. hint: for example strict = true",
        "p.toml:11: 'forbid' has to be an array, not a string. hint: for example forbid = [\"a -> b\"]"]


def test_circle_ends(tool):
    """Three that influence each other all around: the shortest way, and the search ends."""
    text = product("a", "b", "c", "d")
    for index, pair in enumerate(("ab", "bc", "ca")):
        at = f"at = '0x8000{index}000', boot = true"
        text += tunnel(f"t{index}", f"vm = '{pair[0]}', {at}", f"vm = '{pair[1]}', {at}, rights = 'r'")
    err = tool(with_flow(text, "a -> c", "a -> d"))[1]
    assert len(err) == 1 and re.search(r"but: a -> b by memory .*, b -> c by memory [^>]*$", err[0])


def test_random_graphs(tool):
    """Any tunnels between five VMs: a rule is refused if and only if there is a way, and the way that is named is one."""
    rng = random.Random(13)
    seen = {0: 0, 1: 0}
    for _ in range(150):
        text, edges = product(*"abcde"), set()
        for number in range(rng.randint(1, 6)):
            one, other = rng.sample("abcde", 2)
            writes = rng.choice(((True, False), (False, True), (True, True)))
            lines = [f"vm = '{vm}', at = '0x8000{number}000', boot = true, rights = '{'rw' if right else 'r'}'"
                     for vm, right in zip((one, other), writes)]
            text += tunnel(f"t{number}", *lines)
            edges |= {pair for pair, right in zip(((one, other), (other, one)), writes) if right}
        reach = set(edges)
        for middle in "abcde":
            reach |= {(a, b) for a in "abcde" for b in "abcde" if {(a, middle), (middle, b)} <= reach}
        source, target = rng.sample("abcde", 2)
        status, err, _ = tool(with_flow(text, f"{source} -> {target}"))
        assert status == len(err) == ((source, target) in reach), err
        seen[status] += 1
        if err:
            way = re.findall(r"(\w) -> (\w) by memory", err[0])
            assert way[0][0] == source and way[-1][1] == target and set(way) <= edges
            assert all(before[1] == behind[0] for before, behind in zip(way, way[1:]))
    assert min(seen.values()) > 30, seen


def test_random_damage(tool):
    """Whatever is wrong with a file that has all that the graph is made of: lines of `file:line: cause. hint: ...`, never a traceback."""
    rng = random.Random(7)
    whole = with_flow(product("a\nparavirt = true\nsupervises = ['b']\nhealth_line = 30", "b\nforward = [{ device = 'gpio0', size = 4 }]",
                              "c\nforward = ['iic0', { device = 'gpio0', offset = 4 }]\non_failure = 'reset'", "d\nconsole = 'shared'", "e")
                      + tunnel("t", f"vm = 'a', {AT}, doorbell = 7", f"vm = 'b', {AT}, rights = 'r', boot = true")
                      + tunnel("u", "vm = 'a', at = '0x80001000'", f"vm = 'd', {AT}, boot = true, doorbell = 9"), "e -> a", "e -> *", strict=True)
    assert tool(whole)[0] == 0
    values = ["-1", "0", "7", "true", "''", "'1M'", "'a'", "'a -> b'", "['a -> b']", "[]", "[[1], 'x']", "[{ vm = 'a' }]", "{}", "1979-05-27"]
    seen = {0: 0, 1: 0}
    for _ in range(300):
        lines = whole.splitlines()
        for _ in range(rng.randint(1, 3)):
            damage(rng, lines, "[]{}=\"'#.,x0->*", values)
        status, err, _ = tool("\n".join(lines))
        seen[status] += 1
        assert bool(err) == bool(status) and all(re.fullmatch(r"p\.toml:\d+: .*\. hint: .+", line) for line in err), err
    assert min(seen.values()) > 10, seen


# ---------------------------------------------------------------- who is trusted to keep others apart
SERVED = product("a\nparavirt = true", "s\nparavirt = true", "b\nparavirt = true") + \
    tunnel("ta", f"vm = 's', {AT}", f"vm = 'a', {AT}") + tunnel("tb", "vm = 's', at = '0x80001000'", f"vm = 'b', {AT}")


def trusting(rules, names, strict=False):
    """SERVED with [flow]; what is trusted stands in the last line but one."""
    return SERVED + f"[flow]\nstrict = {str(strict).lower()}\ntrusted = {names}\nforbid = {rules}\n"


def test_trusted(tool):
    """Through the server there is a way from each client to each; through one that is trusted there is none, but to it and from it."""
    assert tool(trusting(["a -> b", "b -> a"], []))[0] == 1
    assert tool(trusting(["a -> b", "b -> a"], ["s"]))[0] == 0
    assert tool(trusting(["a -> b", "b -> a"], ["s"], True))[0] == 0
    assert [line.split("forbidden")[0] for line in tool(trusting(["a -> s", "s -> b"], ["s"]))[1]] == \
        [f"p.toml:{SERVED.count(chr(10)) + 4}: {way} is " for way in ("a -> s", "s -> b")]
    assert tool(trusting(["a -> b"], ["a", "b"]))[0] == 1          # that these are makes no difference to a way through s
    assert tool(trusting(["a -> b"], ["S", 5]))[1] == [
        f"p.toml:{SERVED.count(chr(10)) + 3}: unknown vm 'S'. hint: known: a, b, s",
        f"p.toml:{SERVED.count(chr(10)) + 3}: unknown vm '5'. hint: known: a, b, s",
        f"p.toml:{SERVED.count(chr(10)) + 4}: a -> b is forbidden, but: a -> s by memory (tunnel 'ta', which it can write: line 24), "
        "s -> b by memory (tunnel 'tb', which it can write: line 29). hint: take one of these away, or allow it"]


def test_block(tool):
    """The product block: its clients and the vandal reach each other by the disk's driver alone, which is trusted."""
    with open(os.path.join(TOP, "config", "block", "partitions.toml"), encoding="utf-8") as file:
        text = file.read()
    config = CONFIG + "CONFIG_SCHED_PRIO=y\nCONFIG_STATS=y\n"
    status, _, edges = tool(text, config)
    assert status == 0 and {("left", "block", "memory"), ("block", "right", "memory")} <= edges
    err = tool(text.replace('trusted = ["block"]', "trusted = []"), config)[1]
    assert [re.search(r": (\w+ -> \w+) is forbidden, but: \w+ -> block by memory .*, block -> \w+ by memory ", line)[1] for line in err] == [
        "left -> right", "right -> left", "vandal -> left", "vandal -> right"]


# ---------------------------------------------------------------- what is shown
def shown(tool, capsys, text, *options):
    """What flow.py prints of a file."""
    assert tool(text)[0] == 0
    capsys.readouterr()
    status = run_tool(flow.main, ["--partitions", "gen/partitions.json", *options])
    out, err = capsys.readouterr()
    return status, out.splitlines(), err.splitlines()


def test_text(tool, capsys):
    status, out, _ = shown(tool, capsys, CHAIN)
    assert status == 0
    assert out == ["from  to  by       line  because",
                   "b     c   memory   26    tunnel 't', which it can write",
                   "b     c   state    26    tunnel 't' opens and closes",
                   "c     b   state    27    tunnel 't' opens and closes",
                   "a     b   control  9     starts and stops it",
                   "b     a   state    9     it is supervised",
                   "",
                   "a reaches b, c",
                   "b reaches c; by state or console: a",
                   "c reaches nobody; by state or console: a, b",
                   "d reaches nobody"]
    assert shown(tool, capsys, product("a", "b"))[1] == ["no VM has an influence on another", "", "a reaches nobody", "b reaches nobody"]


def test_text_of_trust(tool, capsys):
    assert shown(tool, capsys, trusting([], ["s"]))[1][-4:] == [
        "a reaches s", "s reaches a, b", "b reaches s", "trusted: no way goes through s"]
    shown(tool, capsys, trusting([], ["s"]), "--out", ".")
    drawn = xml.etree.ElementTree.parse(tool.path / "flow.svg").getroot()
    boxes = {group.find("{*}title").text: len(group.findall("{*}polygon")) for group in drawn.iterfind(".//{*}g[@class='node']")}
    assert boxes == {"a": 1, "s": 2, "b": 1}


def test_drawing(tool, capsys):
    """Graphviz takes it: a box for each VM, an arrow for each edge that the text has."""
    status, out, err = shown(tool, capsys, CHAIN, "--out", ".")
    assert (status, err, out[-1]) == (0, [], "./flow.svg")
    root = xml.etree.ElementTree.parse(tool.path / "flow.svg").getroot()
    groups = [(group.get("class"), group.find("{*}title").text) for group in root.iterfind(".//{*}g[@class]")]
    assert sorted(title for kind, title in groups if kind == "node") == ["a", "b", "c", "d"]
    assert sorted(title for kind, title in groups if kind == "edge") == ["a->b", "b->a", "b->c", "b->c", "c->b"]


def test_without_graphviz(tool, capsys, monkeypatch):
    monkeypatch.setenv("PATH", str(tool.path))
    status, _, err = shown(tool, capsys, CHAIN, "--out", ".")
    assert (status, err) == (1, ["flow.py: there is no Graphviz. hint: tools/deps.sh flow"])


@pytest.mark.parametrize("text", ["", "{}", "[]", '{"flow": {"edges": [5]}}', '{"flow": {"edges": [{"source": "a"}]}}'])
def test_no_table(tool, capsys, text):
    (tool.path / "p.json").write_text(text)
    assert run_tool(flow.main, ["--partitions", "p.json"]) == 1
    assert capsys.readouterr().err == "p.json:1: not a partition table. hint: build the product again: make\n"


def test_make(tmp_path):
    """`make flow` prints and draws, of a product as it is."""
    out = tmp_path / "out"
    result = subprocess.run(["make", "-s", "flow", "PRODUCT=full", f"O={out}"], cwd=TOP, capture_output=True, text=True, check=False)
    assert result.returncode == 0, result.stderr
    assert re.search(r"^ctask +sfft +control +\d+ +starts and stops it$", result.stdout, re.M)
    assert (out / "flow.svg").stat().st_size > 1000
