"""Tunnels: two VMs share what the partition file gives them, as long as both want to, and nothing else (option IPCM)."""

import elfpatch
import pytest

OPTIONS = "CONFIG_IPCM=y CONFIG_IPCM_REGS=y"
PARTITIONS = """
[product]
name = "tunnels"

[schedule]
quantum_us = 200

[[vm]]
name = "left"
image = "tunnels.elf"
memory = "64K"
console = "shared"
paravirt = true
regs = { r3 = 0, r4 = 0x50000000 }

[[vm]]
name = "right"
image = "tunnels.elf"
memory = "64K"
console = "shared"
paravirt = true
on_reset = "restart"
regs = { r3 = 1, r4 = 0x50000000 }

[[vm]]
name = "plain"
image = "tunnels.elf"
memory = "64K"
console = "shared"
tunnels_at = "0x60000000"
on_reset = "restart"
regs = { r3 = 2, r4 = 0x50000000 }

[[vm]]
name = "none"
image = "tunnels.elf"
memory = "64K"
console = "shared"
paravirt = true
regs = { r3 = 3 }

[[tunnel]]
name = "cmd"
size = "4K"
ends = [{ vm = "left", at = "0x40000000", doorbell = 20, boot = true },
        { vm = "right", at = "0x50000000", doorbell = 20, boot = true }]

[[tunnel]]
name = "oneway"
size = "4K"
ends = [{ vm = "left", at = "0x40001000", doorbell = 21 }, { vm = "right", at = "0x50001000", rights = "r", doorbell = 21 }]

[[tunnel]]
name = "big"
size = "64K"
ends = [{ vm = "right", at = "0x50100000", doorbell = 22 }, { vm = "left", at = "0x40100000", doorbell = 22 }]

[[tunnel]]
name = "plain"
size = "8K"
ends = [{ vm = "left", at = "0x40200000", doorbell = 23 }, { vm = "plain", at = "0x50000000", doorbell = 20 }]
"""


def ends(images, folder, options="", lives=20, translate=0):
    """Run all four until the one that tests has its verdict."""
    partitions = folder / "tunnels.toml"
    partitions.write_text(PARTITIONS)
    image = images.elf("hybridtest", f"{OPTIONS} {options}".strip(), partitions=str(partitions))
    target = str(folder / "image")
    elfpatch.patched_image(image, target, images.guest("tunnels"), tunnels_lives=lives, tunnels_translate=translate)
    result = images.run_decided(target, ["left", "none"], 120, [" stop left "])
    assert not list(result.trouble()), result.lines[-5:]
    return result


@pytest.mark.parametrize("options", ["CONFIG_SERVICES=n CONFIG_DRIVERS=n", "CONFIG_SCHED_PRIO=y",
                                     "CONFIG_TLB_VIRT=y CONFIG_TLB_CHECK=y"], ids=["alone", "priority", "translated"])
@pytest.mark.parametrize("board", ["ref405ep", "ml403"])
def test_lives(images, tmp_path, board, options):
    """Every state that two ends can have: what each reaches in it, who is rung, what is refused; deaths at either."""
    result = ends(images.on(board), tmp_path, options, translate=int("TLB_VIRT" in options))
    assert result.vms["left"].lines[-1] == "tunnels: PASS deaths=40", result.vms["left"].lines
    assert result.vms["none"].lines[-1] == "tunnels: PASS stranger"
