"""A VM that is reset again and again has many lives, and shares its time with nobody: product `hostile` with other guests."""

import re

import elfpatch
import pytest
import run

SLICE, PIECE = 333333, 2000                 # ticks: a millisecond; of three instructions
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
    """Run the guest of many lives beside another, until these VMs have their verdict."""
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
    return result


@pytest.mark.parametrize("board", ["ref405ep", "ml403"])
def test_a_reset_does_not_end_time_slicing(images, tmp_path, board):
    """The watchdog resets a VM whose slice was over while the machine idled: its next life has slices, as all."""
    words = {"neighbour_ms": 400, "neighbour_period_us": 20000}
    said = beside(images.on(board), tmp_path, HOLD, "neighbour", words).vms["beside"].lines[-1]
    assert int(re.search(r"late_us=(\d+)", said).group(1)) < 2000


def measured(result):
    """(thousandths of the time that the gauge had at least, its longest gap in ticks), of all of its measurements."""
    found = re.fullmatch(r"gauge: PASS share=(\d+) gap=(\d+)", result.vms["beside"].lines[-1])
    assert found, result.vms["beside"].lines[-3:]
    return int(found.group(1)), int(found.group(2))


@pytest.mark.parametrize("megabytes", [1, 8, 32])
@pytest.mark.parametrize("role", [LOOP, WATCHED], ids=["loop", "watched"])
def test_a_restart_is_paid_by_who_restarts(images, tmp_path, role, megabytes):
    """Half of the time is the neighbour's, less what the switches cost, and no gap is longer than a slice and a piece of work."""
    share, gap = measured(beside(images, tmp_path, role, "gauge", {"gauge_ms": 100, "gauge_reports": 5}, megabytes=megabytes))
    assert share >= 495
    assert gap <= SLICE + PIECE


def test_nothing_is_left_of_a_life(images, tmp_path):
    """Registers, virtual TLB, UART and memory as at the first start, in life after life, however the one before has ended."""
    result = beside(images, tmp_path, RESIDUE, "gauge", {"gauge_ms": 100, "gauge_reports": 10})
    lives = result.vms["lives"].lines
    assert lives[:3] == [f"lives: life after {cause}" for cause in (3, 2, 1)], lives[:5]
    assert len(lives) >= 20 and set(lives[1:]) == {"lives: life after 1", "lives: life after 2"}
    assert measured(result)[1] <= SLICE + PIECE
