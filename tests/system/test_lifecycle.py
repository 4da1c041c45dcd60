"""A supervisor starts, stops, pauses and restarts the VMs that the partition file gives it, and a VM beside them does not notice."""

import elfpatch
import pytest
import run

OPTIONS = "CONFIG_LIFECYCLE=y"
TICKS_PER_US = 333
PIECE = 2000                                # ticks, of three instructions
RESTARTS = 3
OTHERS = 3                                  # that compute at the same time: the warden, its ward, and the one that fails
PARTITIONS = f"""
[product]
name = "warden"

[schedule]
quantum_us = QUANTUM

[[vm]]
name = "warden"
image = "warden.elf"
memory = "64K"
console = "shared"
paravirt = true
supervises = ["ward", "fails", "late"]
LINE
regs = {{ r3 = 0, r4 = 4 }}

[[vm]]
name = "ward"
image = "warden.elf"
memory = "MEMORY"
console = "shared"
regs = {{ r3 = 1 }}

[[vm]]
name = "fails"
image = "warden.elf"
memory = "64K"
console = "shared"
on_failure = "restart"
restarts = {RESTARTS}
regs = {{ r3 = 2 }}

[[vm]]
name = "late"
image = "gauge.elf"
memory = "64K"
autostart = false
console = "shared"

[[vm]]
name = "beside"
image = "gauge.elf"
memory = "1M"
console = "shared"
"""
SCHEDULERS = {"round robin": "", "priority": "CONFIG_SCHED_PRIO=y"}


def wards(images, folder, options="", lives=50, reports=10, memory="1M", quantum=1000):
    """Run them all until the warden and the gauge have their verdict."""
    partitions = folder / "warden.toml"
    line = "health_line = 12" if images.board == "ref405ep" else ""
    partitions.write_text(PARTITIONS.replace("LINE", line).replace("MEMORY", memory).replace("QUANTUM", str(quantum)))
    image = images.elf("hybridtest", f"{OPTIONS} {options}".strip(), partitions=str(partitions))
    target = str(folder / "image")
    elfpatch.patched_image(image, target, images.guest("warden"), warden_lives=lives)
    elfpatch.patched_image(target, target, images.guest("gauge"), gauge_ms=100, gauge_reports=reports)
    decided = run.all_decided(["warden", "beside", "late"])
    result = images.run(image=target, timeout=240,
                        until=lambda result: decided(result) or any("FAIL" in line for line in result.lines[-3:]))
    assert not list(result.trouble()), result.lines[-5:]
    return result


@pytest.mark.parametrize("options", SCHEDULERS.values(), ids=SCHEDULERS)
@pytest.mark.parametrize("board", ["ref405ep", "ml403"])
def test_all_transitions(images, tmp_path, board, options):
    """Every one that is allowed, every refusal, the ring of failures, the line that tells of them."""
    result = wards(images.on(board), tmp_path, options)
    assert result.vms["warden"].lines[-1] == "warden: PASS lives=51", result.vms["warden"].lines
    assert result.vms["beside"].verdict == "PASS" and result.vms["late"].verdict == "PASS"
    stops = [line.split()[1] for line in result.hypervisor if line.startswith("stop ")]
    assert stops.count("fails") == 2 * (RESTARTS + 1)
    assert stops.count("ward") == 0         # its supervisor knows


def test_a_thousand_lives(images, tmp_path):
    """Beside them a VM has its share: no gap is longer than the slices of the others, and a piece of work in each."""
    result = wards(images, tmp_path, lives=1000, reports=10, memory="64K", quantum=200)
    assert result.vms["warden"].lines[-1] == "warden: PASS lives=1001", result.vms["warden"].lines
    gaps = [int(line.rpartition("=")[2]) for line in result.vms["beside"].lines]
    assert len(gaps) == 11 and max(gaps) <= OTHERS * (200 * TICKS_PER_US + PIECE)
