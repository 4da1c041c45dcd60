"""A VM that is reset again and again has many lives, and shares its time with nobody: product `hostile` with other guests."""

import re

import elfpatch
import pytest
import run

RESIDUE, LOOP, WATCHED, HOLD = range(4)     # lives_role of tests/guests/lives/lives.c
PARTITIONS = """
[product]
name = "lives"

[schedule]
quantum_us = 1000

[[vm]]
name = "lives"
image = "lives.elf"
memory = "{megabytes}M"
on_reset = "restart"
console = "shared"
regs = {{ r3 = {size} }}

[[vm]]
name = "beside"
image = "{guest}.elf"
memory = "1M"
console = "shared"
"""


def beside(images, folder, role, guest, words, megabytes=1, until=("beside",)):
    """Run the guest of many lives beside another, until these VMs have their verdict. The other's last line."""
    partitions = folder / f"lives-{guest}-{megabytes}.toml"
    partitions.write_text(PARTITIONS.format(guest=guest, megabytes=megabytes, size=megabytes << 20))
    image = images.elf("hostile", partitions=str(partitions))
    target = str(folder / "image")
    elfpatch.patched_image(image, target, images.guest("lives"), lives_role=role)
    elfpatch.patched_image(target, target, images.guest(guest), **words)
    result = images.run(image=target, timeout=240, until=run.all_decided(list(until)))
    assert not list(result.trouble())
    for name in until:
        assert result.vms[name].verdict == "PASS", result.vms[name].lines[-3:]
    assert "lives" not in result.vms or not [line for line in result.vms["lives"].lines if "FAIL" in line]
    return result.vms["beside"].lines[-1]


@pytest.mark.parametrize("board", ["ref405ep", "ml403"])
def test_a_reset_does_not_end_time_slicing(images, tmp_path, board):
    """The watchdog resets a VM whose slice was over while the machine idled: its next life has slices, as all."""
    words = {"neighbour_ms": 400, "neighbour_period_us": 20000}
    said = beside(images.on(board), tmp_path, HOLD, "neighbour", words)
    assert int(re.search(r"late_us=(\d+)", said).group(1)) < 2000
