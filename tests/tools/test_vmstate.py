"""tools/vmstate.py, sample.py, decode.py, image.py: what is made of registers, memory and traps. A dictionary plays the
machine's part; the real one is the system tests' (tests/system/test_state.py)."""

import os
import re
import subprocess
import sys

import pytest

ROOT = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
sys.path.insert(0, os.path.join(ROOT, "tools"))

import decode  # noqa: E402
import image as images  # noqa: E402
import run  # noqa: E402
import vmstate  # noqa: E402
from sample import AGAIN, History, Trap  # noqa: E402

CROSS = os.environ.get("CROSS_COMPILE") or "powerpc-linux-gnu-"
MTSPR_PIT = 0x7C7BF3A6
REGISTERS = {f"r{number}": 0 for number in range(32)}


def history(*traps):
    """What a guest did: (vector, pc, word, digest, delivered)."""
    record = History()
    record.traps = [Trap(*trap) for trap in traps]
    return record


# ---------------------------------------------------------------- names
PRIVILEGED = {"mtspr 0x3F2, 3": "mtspr dbcr0", "mtspr 0x3DB, 3": "mtspr pit", "mfspr 5, 0x01A": "mfspr srr0", "rfi": "rfi",
              "mfmsr 3": "mfmsr", "mfdcr 3, 0xC0": "mfdcr 0xc0", "mfspr 3, 0x3FF": "mfspr 0x3ff", "nop": "", ".long 0": ""}


def assembled(tmp_path, text):
    """An ELF file of an assembler text, at 0x1000; its data at 0x3000."""
    source, path = tmp_path / "a.S", str(tmp_path / "a.elf")
    source.write_text(text)
    subprocess.run([CROSS + "gcc", "-mcpu=405", "-nostdlib", "-static", "-Wl,--build-id=none", "-Wl,-Ttext=0x1000",
                    "-Wl,-Tdata=0x3000", "-Wl,-e,0x1000", "-o", path, str(source)], check=True, timeout=60)
    return images.Image(path)


def test_privileged_instructions(tmp_path):
    image = assembled(tmp_path, "\n".join(PRIVILEGED) + "\n")
    for index, (text, name) in enumerate(PRIVILEGED.items()):
        assert decode.privileged(image.word(0x1000 + 4 * index)) == name, text
    assert decode.privileged(None) == ""


def test_other_names():
    assert decode.vectors()[0x1000] == "pit" and len(decode.vectors()) == 16
    assert decode.hypercall(16) == "16 (yield)" and decode.hypercall(999) == "999 (there is none)"
    assert decode.bits(0x49000, decode.MSR) == ["WE", "EE", "ME"]


def test_names_of_addresses(tmp_path):
    """The last symbol before the address, in its section; of several for one place the plainest."""
    image = assembled(tmp_path, ".globl start, also\n.text\n.L1: start: also: nop\nnop\nnext: .long 0x12345678\n"
                                ".data\nx: .long 7\n")
    assert image.sound and not image.is_hypervisor()
    assert [image.name_of(address) for address in (0x1000, 0x1004, 0x1008, 0x100A)] == ["also", "also+0x4", "next", "next+0x2"]
    assert image.name_of(0x100C) == image.name_of(0xFFC) == "" and image.name_of(0x3000) == "x"
    assert image.word(0x1008) == 0x12345678 and image.word(0x3000) == 7
    assert image.word(0x1006) is None and image.word(0x100C) is None


def test_no_elf_file(tmp_path):
    (tmp_path / "x").write_bytes(b"\x7fELF")
    for path in ("x", "none"):
        image = images.Image(str(tmp_path / path))
        assert not image.sound and image.symbols == {} and image.name_of(0) == "" and image.word(0) is None


# ---------------------------------------------------------------- a sample
def test_last_of_a_sample():
    """The last instruction that is privileged; the last interrupt, whatever came behind."""
    seen = history((0x0700, 0x100, MTSPR_PIT, ()), (0x0C00, 0x108, 0x44000002, (), 0x0C00), (0x1000, 0x200, MTSPR_PIT, ()))
    assert seen.last_privileged() == ("mtspr pit", 0x100)
    assert seen.last_interrupt() == (0x0C00, 0x108)
    assert history().last_privileged() is None and history().last_interrupt() is None


ILLEGAL = (0x0700, 0x700, 0, (1,), 0x0700)
RFI = (0x0700, 0x704, 0x4C000064, (1,))


@pytest.mark.parametrize("traps, loop", [
    ([ILLEGAL] * AGAIN, True),
    ([ILLEGAL] * (AGAIN - 1), False),
    ([ILLEGAL, (0x1000, 0x700, 0, (1,))] * AGAIN, True),                        # the end of a slice is not the guest's doing
    ([(0x0700, 0x700, 0, (number,), 0x0700) for number in range(AGAIN)], True),  # its handler pushes a frame, but never returns
    ([ILLEGAL, RFI] * AGAIN, True),                                             # it returns, to the same instruction
    ([trap for number in range(AGAIN) for trap in ((0x0700, 0x700, 0, (number,), 0x0700), RFI)], False),    # emulates floats
    ([(0x0C00, 0x100, 0x44000002, (1,), 0x0C00), RFI] * AGAIN, False),          # a task that only yields
    ([(0x1000, 0x100, 0, (1,), 0x1000), RFI] * AGAIN, False),                   # an idle loop with a timer
    ([(0x0300, 0x100, 0, (1,), 0x0300)] * AGAIN + [(0x0300, 0x104, 0, (1,), 0x0300)], False),
    ([], False)])
def test_loops(traps, loop):
    assert (history(*traps).loop() is not None) == loop


def test_what_a_loop_is():
    assert history(*[ILLEGAL] * AGAIN).loop() == (0x0700, 0x700, AGAIN)


# ---------------------------------------------------------------- a state in a word
FRESH = {"msr": 0x9000, "pending": 0, "work": 0, "pc": 0x100, "tcr": 0, "pit_left": 0}
REST = {"msr": 0x40000, "pc": 0}


@pytest.mark.parametrize("kept, changes, word", [
    (None, {}, "running"), (None, {"msr": 0x48000}, "waiting"), (None, {"msr": 0x48000, "pending": 0x8000}, "running"),
    (None, {"msr": 0x40000, "pending": 0x8000}, "waiting"), (None, {"work": 0x302}, "restarting"), (None, REST, "stopped"),
    (None, {**REST, "pit_left": 5}, "waiting"), (None, {**REST, "tcr": 1 << 26}, "waiting"), (None, {"sleeping": 0x40000}, "waiting"),
    (3, {}, "running"), (3, {"msr": 0x48000}, "waiting"), (3, {"work": 1}, "restarting"), (3, REST, "waiting"),
    (0, REST, "stopped"), (1, {}, "failed"), (5, REST, "paused")])
def test_state_of(kept, changes, word):
    """With option LIFECYCLE what the hypervisor keeps, of which RUNNING is all that a VM may be in its life; or without."""
    assert vmstate.state_of({**FRESH, **changes}, kept) == word


def test_lives(tmp_path):
    """Words of memory: the register files, and beside them the supervisor's view."""
    image = assembled(tmp_path, '.globl vcpu, health\n.section .vcpu, "aw", @nobits\nvcpu: .space 64\n.size vcpu, 64\n'
                                '.data\nhealth: .long 3, 0, 0, 1, 0, 0\n.size health, 24\n')
    (tmp_path / "gen").mkdir()
    (tmp_path / "gen" / "offsets.h").write_text("#define VCPU_SIZE 32\n" + "".join(
        f"#define {name} {4 * number}\n" for number, name in enumerate(name for name in vmstate.LIFE if name != "VCPU_SLEEPING")))
    files, memory = image.address("vcpu"), {}
    memory.update({files: 0x48000, files + 32: 0x40000, image.address("health"): 3, image.address("health") + 12: 1})

    class Memory:
        """A machine that is nothing else."""
        @staticmethod
        def words(address, count):
            return [memory.get(address + 4 * number, 0) for number in range(count)]
    vms = {"vms": [{"name": "a"}, {"name": "b"}]}
    assert vmstate.lives(Memory, image, vms, str(tmp_path)) == {"a": "waiting", "b": "failed"}
    for other, partitions in ((images.Image(str(tmp_path / "none")), vms), (image, None)):
        with pytest.raises(vmstate.NoLayout):
            vmstate.lives(Memory, other, partitions, str(tmp_path))


# ---------------------------------------------------------------- the table
def state(name="a", seen=None, guest=None, complete=True, stats=None, **registers):
    """A VM as it stands."""
    words = {**REGISTERS, "pc": 0x100, "lr": 0, "msr": 0x1000, "srr0": 0, "esr": 0, "evpr": 0, "stats": stats, **registers}
    return vmstate.State(name, words, guest, seen, complete)


def report(*states, stops=(), lines=("hello",)):
    """Lines of the report; each VM has said these lines."""
    vms = {one.name: run.Vm(one.name) for one in states}
    for vm in vms.values():
        vm.lines, vm.stops = list(lines), list(stops)
    return list(vmstate.report(states, vms, run.table))


def cells(line):
    """Of a row: what is two blanks apart."""
    return re.split(" {2,}", line)


COUNTS = {"unanswered": 0, "refused": 0, "illegal": 0}


def test_one_row():
    seen = history((0x0700, 0x100, MTSPR_PIT, ()), (0x1000, 0x200, 0, (), 0x1000))
    lines = report(state(stats=COUNTS, seen=seen, lr=0x44))
    assert lines[0].split() == ["vm", "state", "pc", "lr", "msr"]
    assert lines[1].split() == ["a", "runs", "00000100", "00000044", "00001000", "ME"]
    assert lines[3].startswith("vm  last interrupt   last privileged")
    assert cells(lines[4]) == ["a", "pit at 00000200", "mtspr pit at 00000100", "0", "0", "0"] and len(lines) == 5


@pytest.mark.parametrize("changes, word", [({}, "runs"), ({"msr": 0x48000}, "waits"), ({"msr": 0x60000}, "waits"),
                                           ({"msr": 0x40000}, "waits for ever"), ({"run_msr": 0x1000}, "starts"),
                                           ({"run_msr": 0xD030}, "runs"),
                                           ({"seen": history(*[ILLEGAL] * AGAIN)}, "loops")])
def test_states(changes, word):
    assert cells(report(state(stats=COUNTS, **changes))[1])[1] == word


def test_a_stopped_vm_is_where_the_hypervisor_said():
    """The register file's own pc is the hypervisor's by then."""
    cell = cells(report(state(stats=COUNTS, msr=0x40000, pc=0), stops=["pc=00000204 insn=7c72fba6 (mtspr): why"])[1])
    assert cell[1:3] == ["stopped", "00000204"]
    assert cells(report(state(stats=COUNTS, msr=0x40000, pc=0), stops=["unclear"])[1])[1:3] == ["stopped", "00000000"]


def test_without_a_sample_srr0_tells_of_the_last_interrupt():
    assert "at 00000204 (illegal instruction)" in report(state(srr0=0x204, esr=0x08000000))[4]
    assert len(report(state())) == 2        # nothing is known of it: no second table


def test_a_loop_is_said_once():
    lines = report(state(seen=history(*[ILLEGAL] * AGAIN), evpr=0x10000, stats=COUNTS))
    assert [line for line in lines if line.startswith("loops:")] == [
        f"loops: a: program interrupt {AGAIN} times without getting on, its vector is 00010700; at 00000700 is 00000000"]
    outside = [(0x0400, 0x7F000000, None, (), 0x0200)] * AGAIN
    assert "at 7f000000 is no memory of this VM" in report(state(seen=history(*outside), stats=COUNTS))[-1]


def test_counters():
    stats = {"unanswered": 3, "refused": 2, "illegal": 1}
    lines = report(state(stats=stats, lost_at=0xEF600400, lost_pc=0x104, refused_call=12))
    assert lines[4].split()[-3:] == ["3", "2", "1"]
    assert "unanswered: a: 3, the last at address ef600400 by 00000104" in lines
    assert "refused: a: 2 hypercalls, the last was 12 (uic_set)" in lines
    assert report(state(seen=history()))[-1] == "counters: the product has none (CONFIG_STATS=y)"


def test_registers_of_a_silent_vm():
    lines = report(state(stats=COUNTS, r9=0x12, ctr=5), lines=())
    assert lines[-3:] == ["silent: a: its registers, those that are not zero",
                          "  r8   00000000 00000012 00000000 00000000 00000000 00000000 00000000 00000000", "  ctr=00000005"]
    assert "silent" not in " ".join(report(state(stats=COUNTS, r9=0x12)))
    partly = report(state(stats=COUNTS, complete=False, r1=0x12), lines=())
    assert "  r0   00000000 00000012 ???????? 00000000 00000000 00000000 00000000 ????????" in partly


def test_counters_for_the_summary():
    stats = {"mfspr": 3, "rfi": 0}
    assert state(stats=stats, ticks_hi=1, ticks_lo=2).console_stats() == {"mfspr": 3, "ticks": 0x100000002}
    assert state().console_stats() == {}


def test_what_is_missing_is_said(tmp_path):
    """An image without its folder: no table, but the reason."""
    class Hypervisor:
        """An image of ours."""
        sound, path = True, "x.elf"

        def is_hypervisor(self):
            """It is."""
            return True
    with pytest.raises(vmstate.NoLayout, match=r"partitions.json is not there"):
        vmstate.look(None, Hypervisor(), None, str(tmp_path), "a")
    with pytest.raises(vmstate.NoLayout, match=r"offsets.h is not there"):
        vmstate.look(None, Hypervisor(), {"vms": []}, str(tmp_path), "a")
