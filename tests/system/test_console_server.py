"""The console as a partition: a server owns the UART, its clients write to it through tunnels (hypercalls/ipc/terminal.h)."""

import elfpatch
import pytest

LINES = 1500
OPTIONS = "CONFIG_IPCM=y CONFIG_LIFECYCLE=y CONFIG_SCHED_PRIO=y CONFIG_CONSOLE=n CONFIG_FORWARD=y"
TALKERS = "\n".join(f"""
[[vm]]
name = "{name}"
image = "talker-ipc.elf"
memory = "64K"
paravirt = true
priority = 1
regs = {{ r3 = {LINES}, r5 = 0, r6 = 0x50000000 }}
""" for name in ("left", "right"))
TUNNELS = "\n".join(f"""
[[tunnel]]
name = "{name[0]}"
size = "4K"
ends = [{{ vm = "server", at = "{0x80000000 + place * 0x10000:#x}", doorbell = {20 + place} }}, {{ vm = "{name}", at = "{at}" }}]
""" for place, (name, at) in enumerate((("left", "0x50000000"), ("right", "0x50000000"), ("keeper", "0x40000000"))))
PARTITIONS = f"""
[product]
name = "server"
verdict = ["left", "right", "keeper"]

[schedule]
quantum_us = 200

{TALKERS}
[[vm]]
name = "keeper"
image = "keeper-ipc.elf"
memory = "64K"
paravirt = true
priority = 2
supervises = ["left", "right", "server"]
regs = {{ r3 = 0, r4 = 1, r5 = 0, r6 = 0x40000000 }}

[[vm]]
name = "server"
image = "console.elf"
memory = "64K"
paravirt = true
priority = 1
forward = ["uart0"]
interrupts = ["uart0"]
blob = {{ file = "server.peers", guest = 0xF000 }}
regs = {{ r3 = "blob", r4 = 0x80000000 }}

{TUNNELS}
"""


def image_of(images, folder, life):
    """The four of them; the server is restarted each time when the keeper has looked so often."""
    partitions = folder / "server.toml"
    partitions.write_text(PARTITIONS)
    image = images.elf("hybridtest", OPTIONS, partitions=str(partitions))
    target = str(folder / "image")
    elfpatch.patched_image(image, target, images.guest("keeper-ipc"), keeper_life=life)
    return target


def said(vm):
    """(number, dots) of each line that is whole, and how many were cut."""
    whole, cut = [], 0
    for line in vm.lines:
        words = line.split(" ")
        if len(words) == 3 and words[0] == "talker:" and words[1].isdecimal() and len(words[2]) == int(words[1]) % 50:
            whole.append(int(words[1]))
        else:
            cut += not line.startswith("talker: PASS lines=")
    return whole, cut


def check_all(whole, cut, deaths):
    """Every line, in order; only what was going out at a death is there twice."""
    assert sorted(set(whole)) == list(range(LINES))
    repeats = [before for before, after in zip(whole, whole[1:]) if before == after]
    assert [number for index, number in enumerate(whole) if index == 0 or number != whole[index - 1]] == list(range(LINES))
    assert cut + len(repeats) <= deaths


@pytest.mark.parametrize("board, life", [("ref405ep", 1), ("ref405ep", 2), ("ml403", 1)])
def test_deaths(images, tmp_path, board, life):
    """The supervisor restarts the server at many points of what it does: what was accepted comes out, from each client."""
    images = images.on(board)
    result = images.run(image=image_of(images, tmp_path, life), timeout=120)
    assert not list(result.trouble()), result.lines[-5:]
    assert {name: result.vms[name].verdict for name in ("left", "right", "keeper")} == dict.fromkeys(
        ("left", "right", "keeper"), "PASS"), result.lines[-5:]
    row = next(line.split() for line in result.vms["keeper"].lines if line.startswith("keeper: vm 3 "))
    deaths = int(row[row.index("lives") + 1]) - 1
    assert deaths > 20
    cuts = 0
    for name in ("left", "right"):
        whole, cut = said(result.vms[name])
        check_all(whole, cut, deaths)
        cuts += cut
    assert cuts > 0         # some were killed in the middle of a line, or this shows nothing
