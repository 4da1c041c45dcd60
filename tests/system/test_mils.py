"""Product mils: partitions that work together, one that misbehaves, and a keeper that ends the run and says what each has done."""

import re

import pytest

CAUSE_RESET, CAUSE_SUPERVISOR = 1, 2        # STOP_* of hypercalls/abi.h
ROW = re.compile(r"keeper: vm (\d) lives (\d+) hypercalls (\d+) refused (\d+) cause (\d)$")


@pytest.mark.parametrize("board", ["ref405ep", "ml403"])
def test_mils(images, board):
    """It ends by itself; every message is accounted for; the vandal was refused many times, and has killed nobody."""
    images = images.on(board)
    result = images.run(image=images.elf("mils"), timeout=600)
    assert not list(result.trouble()), result.lines[-5:]
    vms = {name: vm.verdict for name, vm in result.vms.items() if name not in ("vandal", "console")}
    assert vms == {"control": "PASS", "plant": "PASS", "keeper": "PASS"}, result.lines[-8:]
    rows = [[int(number) for number in row.groups()] for row in map(ROW.match, result.vms["keeper"].lines) if row]
    assert [row[0] for row in rows] == [0, 1, 2, 4]
    control, plant, vandal, console = (row[1:] for row in rows)
    assert (control[0], control[3]) == (1, CAUSE_RESET)
    assert (plant[0], plant[3]) == (11, CAUSE_SUPERVISOR)           # ten deaths, each of its own will
    assert vandal[0] > 1 and vandal[2] > 1000 and vandal[3] == CAUSE_SUPERVISOR
    assert plant[2] == 0 and control[2] < 100
    assert "messages=22232 " in result.vms["control"].lines[-1]     # 100 + 37 n in each life but the last, 20,000 in that
    assert console[0] > 5 and console[3] == 0                       # the keeper restarts it; it never ends by itself
    check_table(result)


def check_table(result):
    """Who talked to whom: commands that no plant has answered are those behind its deaths, an event is one of 16 commands."""
    found = {name: re.findall(r"^(\w+) \w+ the plant: (\d+) messages, (\d+) bytes$", "\n".join(vm.lines), re.M)
             for name, vm in result.vms.items()}
    table = {what: (int(messages), int(number)) for what, messages, number in found["control"]}
    assert table["replies"][0] == 22232 and 22232 <= table["commands"][0] <= 22232 + 9 * 50
    assert table["events"] == (sum((100 + 37 * life) // 16 for life in range(9)) + 20000 // 16, 8 * table["events"][0])
    assert 4 * 22232 < table["replies"][1] <= table["commands"][1] < 64 * 22700
    for name in ("control", "plant", "keeper"):
        assert any(re.match(r"console: \d+ pieces, \d+ of them sent again, \d+ doorbells$", line) for line in result.vms[name].lines)


def test_last_words(images):
    """The hypervisor has no console: nothing of it is between the lines of others; what it has to say comes behind all of them."""
    lines = images.run(image=images.elf("mils"), timeout=600).lines
    first = next(number for number, line in enumerate(lines) if line.startswith("[proteus]"))
    assert all(line.startswith("[proteus]") for line in lines[first:])
    assert [line.split()[2] for line in lines[first:] if line.startswith("[proteus] stop ")] == ["control", "keeper"]
    forged = [line for line in lines if line.startswith("[vandal] ")]
    assert "[vandal] ^[[2J^M[keeper] keeper: PASS" in forged and not any("\x1b" in line for line in lines)
