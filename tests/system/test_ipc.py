"""A controller and its plant talk through tunnels by the guests' library: every message is accounted for, over deaths of the plant."""

import re

import elfpatch
import pytest

OPTIONS = "CONFIG_IPCM=y"
LIVES, MESSAGES = 10, 20000
INSTRUCTIONS_PER_TICK = 3                   # of ref405ep, and 10 / 3 of ml403
AT_MOST = {"send64": 200, "receive64": 200, "send4096": 3600, "receive4096": 3600}      # instructions, the call included
PARTITIONS = """
[product]
name = "ipc"

[schedule]
quantum_us = 200

[flow]
forbid = ["beside -> *", "* -> beside", "clock -> *"]

[[vm]]
name = "control"
image = "ipc.elf"
memory = "64K"
console = "shared"
paravirt = true
regs = { r3 = 0, r4 = 0x50000000 }

[[vm]]
name = "plant"
image = "ipc.elf"
memory = "64K"
console = "shared"
paravirt = true
on_reset = "restart"
regs = { r3 = 1, r4 = 0x60000000 }

[[vm]]
name = "beside"
image = "gauge.elf"
memory = "64K"
console = "shared"

[[vm]]
name = "clock"
image = "ipc.elf"
memory = "64K"
console = "shared"
regs = { r3 = 2 }

[[tunnel]]
name = "talk"
size = "4K"
ends = [{ vm = "control", at = "0x50000000", doorbell = 20 }, { vm = "plant", at = "0x60000000", doorbell = 20 }]

[[tunnel]]
name = "state"
size = "4K"
ends = [{ vm = "control", at = "0x50010000", rights = "r", doorbell = 21 }, { vm = "plant", at = "0x60010000", doorbell = 21 }]
"""

VANDAL = """
[[vm]]
name = "vandal"
image = "ipc.elf"
memory = "64K"
console = "shared"
paravirt = true
on_reset = "restart"
regs = { r3 = 3, r4 = 0x70000000 }

[[tunnel]]
name = "other"
size = "8K"
ends = [{ vm = "control", at = "0x50020000", doorbell = 22 }, { vm = "vandal", at = "0x70000000", doorbell = 20 }]
"""


def lives(images, folder, options="", messages=MESSAGES, reports=3, more=""):
    """Run them until both have their verdict, and the one beside them has some of its own."""
    partitions = folder / "ipc.toml"
    partitions.write_text(PARTITIONS + more)
    image = images.elf("hybridtest", f"{OPTIONS} {options}".strip(), partitions=str(partitions))
    target = str(folder / "image")
    elfpatch.patched_image(image, target, images.guest("ipc"), ipc_messages=messages, ipc_lives=LIVES)
    elfpatch.patched_image(target, target, images.guest("gauge"), gauge_ms=100, gauge_reports=reports)
    result = images.run_decided(target, ["control", "plant", "beside", "clock"], 600)
    assert not list(result.trouble()), result.lines[-5:]
    assert {result.vms[name].verdict for name in ("control", "plant", "beside", "clock")} == {"PASS"}, result.lines[-5:]
    return result


def check_accounts(result, messages=MESSAGES):
    """What both say of their messages, to the last one."""
    answered = sum(100 + 37 * life for life in range(LIVES - 1)) + messages
    control, plant = result.vms["control"].lines[-1], result.vms["plant"].lines[-1]
    assert control.startswith(f"controller: PASS messages={answered} doorbells="), control
    assert plant.startswith(f"plant: PASS messages={messages} doorbells="), plant
    # Who has enough to do is not rung: fewer doorbells than messages. And the samples were seen in between, not at the end alone
    assert 10 < int(plant.split("doorbells=")[1]) < messages / 2
    assert int(re.search(r"samples=(\d+)", control)[1]) > LIVES


@pytest.mark.parametrize("board, options", [("ref405ep", ""), ("ref405ep", "CONFIG_SCHED_PRIO=y"), ("ref405ep", "CONFIG_TLB_VIRT=y"),
                                            ("ml403", "CONFIG_TLB_VIRT=y")])     # without options, ml403 has the vandal
def test_every_message(images, tmp_path, board, options):
    """Replies and events of each life are exactly those of the commands that the plant had before it died, and of the last all."""
    result = lives(images.on(board), tmp_path, options)
    check_accounts(result)
    assert " vandal lives=0 " in result.vms["control"].lines[-1]
    cost = {what: int(ticks) * INSTRUCTIONS_PER_TICK for what, ticks in re.findall(r"(\w+)=(\d+)", result.vms["clock"].lines[-1])}
    assert cost.keys() == AT_MOST.keys() and all(0 < cost[what] <= most for what, most in AT_MOST.items()), cost


@pytest.mark.parametrize("board, messages", [("ref405ep", 70000), ("ml403", 20000)])
def test_vandal(images, tmp_path, board, messages):
    """A hostile end at another tunnel of the controller's: a billion instructions (ten reports), and not a message is lost for it."""
    result = lives(images.on(board), tmp_path, messages=messages, reports=messages // 7000, more=VANDAL)
    check_accounts(result, messages)
    found = re.search(r" vandal lives=(\d+) messages=(\d+) lies=(\d+)$", result.vms["control"].lines[-1])
    assert all(int(number) > 20 for number in found.groups()), found[0]
    assert not any("vandal: FAIL" in line for line in result.lines)
