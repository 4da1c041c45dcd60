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
    result = images.run_decided(target, ["warden", "beside", "late"], 240)
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


STORM = """
[product]
name = "storm"

[[vm]]
name = "watch"
image = "storm.elf"
memory = "64K"
console = "shared"
paravirt = true
priority = 3
supervises = ["storm"]
regs = { r3 = 1, r4 = 1 }

[[vm]]
name = "storm"
image = "storm.elf"
memory = "64K"
console = "shared"
devices = ["timer"]
interrupts = ["timer"]
priority = 2
BUDGET

[[vm]]
name = "beside"
image = "gauge.elf"
memory = "64K"
console = "shared"
"""
STORMS, STORM_MS = 40, 20       # interrupts in a time
WATCHED_MS = 250
STORM_TICKS = 300_000           # of a ms, on ml403
ROAD = 4000                     # ticks of an interrupt at the most: to the guest, to the end of its wait, through its handler, and back


def storm(images, tmp_path, budget):
    """A guest of higher priority that has an interrupt as soon as it has acknowledged the last."""
    partitions = tmp_path / "storm.toml"
    partitions.write_text(STORM.replace("BUDGET", budget))
    board = images.on("ml403")
    image = board.elf("hybridtest", f"{OPTIONS} CONFIG_SCHED_PRIO=y", partitions=str(partitions))
    target = str(tmp_path / "image")
    elfpatch.patched_image(image, target, board.guest("gauge"), gauge_ms=100, gauge_reports=2)
    elfpatch.patched_image(target, target, board.guest("storm"), storm_watched_ms=WATCHED_MS)
    return board.run(image=target, timeout=60, until=lambda result: result.vms.get("watch") and result.vms["watch"].verdict)


def test_storm(images, tmp_path):
    """By its budget it has so many and is masked for the rest of the time, again and again; who has the rest does not notice more."""
    result = storm(images, tmp_path, f"interrupts_max = {STORMS}\ninterrupts_in_ms = {STORM_MS}")
    assert not list(result.trouble()), result.lines[-5:]
    seen = dict(word.split("=") for word in result.vms["watch"].lines[-1].split()[2:])
    assert WATCHED_MS // STORM_MS - 3 <= int(seen["storms"]) <= WATCHED_MS // STORM_MS + 1 and seen["state"] in "34", seen
    assert result.vms["beside"].verdict == "PASS", result.vms["beside"].lines
    shares = [int(line.split("share=")[1].split()[0]) for line in result.vms["beside"].lines]
    gaps = [int(line.rpartition("=")[2]) for line in result.vms["beside"].lines]
    assert max(gaps) <= (STORMS + 1) * ROAD and min(shares) >= 1000 - 1000 * (STORMS + 2) * ROAD // (STORM_MS * STORM_TICKS)


def test_storm_without_a_budget(images, tmp_path):
    """What the budget is for: all of the processor is the storm's."""
    result = storm(images, tmp_path, "")
    assert "storms=0" in result.vms["watch"].lines[-1]
    assert "beside" not in result.vms or not result.vms["beside"].lines


HOG = """
[product]
name = "hog"

[[vm]]
name = "watch"
image = "storm.elf"
memory = "64K"
console = "shared"
paravirt = true
period_us = 10000
budget_us = 500
supervises = ["hog"]
regs = { r3 = 1, r4 = 1 }

[[vm]]
name = "hog"
image = "storm.elf"
memory = "64K"
console = "shared"
period_us = 5000
budget_us = 1000
on_overrun = "fail"
FAILURE
regs = { r3 = 2 }

[[vm]]
name = "beside"
image = "gauge.elf"
memory = "64K"
console = "shared"
period_us = 2000
budget_us = 1000
"""


def hog(images, tmp_path, failure):
    """A guest that wants more than its budget, which is a failure."""
    partitions = tmp_path / "hog.toml"
    partitions.write_text(HOG.replace("FAILURE", failure))
    image = images.elf("hybridtest", f"{OPTIONS} CONFIG_SCHED_RESERVE=y", partitions=str(partitions))
    target = str(tmp_path / "image")
    elfpatch.patched_image(image, target, images.guest("gauge"), gauge_ms=100, gauge_reports=2)
    elfpatch.patched_image(target, target, images.guest("storm"), storm_watched_ms=WATCHED_MS)
    return images.run(image=target, timeout=60)


@pytest.mark.parametrize("board", ["ref405ep", "ml403"])
def test_overrun(images, tmp_path, board):
    """It is restarted as often as it may, and then not again; the others have what they were promised."""
    result = hog(images.on(board), tmp_path, 'on_failure = "restart"\nrestarts = 2\nrestarts_in_ms = 8000')
    stops = [line for line in result.hypervisor if line.startswith("stop hog")]
    assert len(stops) == 3 and all(line.endswith(": used up its time, and wanted more") for line in stops), result.hypervisor
    assert result.vms["watch"].lines[-1] == "watch: PASS storms=0 overruns=3 state=1"
    assert result.vms["beside"].verdict == "PASS"


def test_states_at_the_end(images, tmp_path, capsys):
    """In the table that `make run` prints: what each VM is doing when the run is ended."""
    partitions = tmp_path / "hog.toml"
    partitions.write_text(HOG.replace("FAILURE", 'on_failure = "stop"'))
    image = images.elf("hybridtest", f"{OPTIONS} CONFIG_SCHED_RESERVE=y", partitions=str(partitions))
    assert run.main(["--image", image, "--vms", "beside", "--until-decided", "--summary"]) == 0
    rows = [line.split() for line in capsys.readouterr().out.splitlines()]
    states = {row[0]: row[1:3] for row in rows[1:4]}
    assert rows[0][:4] == ["vm", "result", "state", "time"]
    assert states["hog"] == ["stopped", "failed"] and states["watch"] == ["PASS", "stopped"]
    assert states["beside"][0] == "PASS" and states["beside"][1] in ("running", "stopped")


@pytest.mark.parametrize("board", ["ref405ep", "ml403"])
def test_reset_of_the_board(images, tmp_path, board):
    """Behind a last line that says whose end it was."""
    result = hog(images.on(board), tmp_path, 'on_failure = "reset"')
    said = [line for line in result.hypervisor if line.startswith(("stop", "reset"))]
    assert said[-1] == "reset hog: so says its partition" and said[-2].startswith("stop hog"), result.hypervisor
    assert result.vms["watch"].verdict is None
