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
    vms = {name: vm.verdict for name, vm in result.vms.items() if name != "vandal"}
    assert vms == {"control": "PASS", "plant": "PASS", "keeper": "PASS"}, result.lines[-8:]
    control, plant, vandal = ([int(number) for number in row[1:]] for row in map(ROW.match, result.vms["keeper"].lines) if row
                              for row in [row.groups()])
    assert (control[0], control[3]) == (1, CAUSE_RESET)
    assert (plant[0], plant[3]) == (11, CAUSE_SUPERVISOR)           # ten deaths, each of its own will
    assert vandal[0] > 1 and vandal[2] > 1000 and vandal[3] == CAUSE_SUPERVISOR
    assert plant[2] == 0 and control[2] < 100
    assert "messages=22232 " in result.vms["control"].lines[-1]     # 100 + 37 n in each life but the last, 20,000 in that
