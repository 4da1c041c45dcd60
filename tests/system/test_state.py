"""At the end of a run that did not pass: where each VM stands, and what its owner did not mean (tools/vmstate.py)."""

import re
import subprocess

import conftest
import emulator
import pytest
import run

CROSS = "powerpc-linux-gnu-"
OPTIONS = f"CONFIG_VM_MAX=10 {conftest.FREE}"
KINDS = range(1, 9)
PARTITIONS = """[product]
name = "wrong"
"""
VM = """[[vm]]
name = "k{kind}"
image = "k{kind}.elf"
memory = "64K"
console = "shared"
stray = "{stray}"
"""


@pytest.fixture(autouse=True)
def short(monkeypatch):
    """These runs end by their limits, which a busy host makes longer anyway."""
    monkeypatch.setattr(emulator, "PATIENCE", 1)


def build(kind, folder):
    """One of the guests of wrong.S."""
    path = f"{folder}/k{kind}.elf"
    subprocess.run([CROSS + "gcc", "-mcpu=405", "-mregnames", "-nostdlib", "-static", "-Wl,--build-id=none", "-Wl,-n",
                    "-Wl,-Ttext=0", "-Wl,-e,_start", "-Wl,--no-warn-rwx-segments", f"-DKIND={kind}", "-o", path,
                    f"{conftest.HERE}/wrong.S"], check=True, timeout=60)
    return path


def wrong(folder):
    """A partition file with all kinds of wrong guests, and these beside it."""
    for kind in KINDS:
        build(kind, folder)
    path = folder / "partitions.toml"
    path.write_text(PARTITIONS + "".join(VM.format(kind=kind, stray="stop" if kind == 8 else "ignore") for kind in KINDS))
    return path


def output(arguments, capsys):
    """(exit status, lines) of the command."""
    status = run.main(arguments)
    out, error = capsys.readouterr()
    return status, (out + error).splitlines()


def table(lines, head):
    """{first cell: other cells} of the table with this head."""
    start = next(number for number, line in enumerate(lines) if re.match(head, line))
    rows = {}
    for line in lines[start + 1:]:
        cells = re.split(" {2,}", line)
        if not re.match(r"[a-z0-9]+  ", line):
            break
        rows[cells[0]] = cells[1:]
    return rows


@pytest.mark.parametrize("board, options", [("ref405ep", ""), ("ml403", "CONFIG_TLB_VIRT=y CONFIG_IRFM=y")])
def test_where_each_stands(images, tmp_path, capsys, board, options):
    """State, pc and LR with symbols, MSR; last interrupt and privileged instruction; counters; loops, each said once."""
    image = images.on(board).elf("demo", f"{OPTIONS} {options}".strip(), wrong(tmp_path))
    status, lines = output(["--image", image, "--silence", "3"], capsys)
    assert status == 1
    places = table(lines, r"vm +state +pc")
    assert [places[f"k{kind}"][0] for kind in KINDS] == ["loops", "waits for ever", "runs", "stopped", "runs", "loops", "stopped", "stopped"]
    assert places["k2"][1:] == ["00000008 asleep", "00000000", "00040000 WE"]
    assert places["k3"][1] == "00000004 spin" and places["k4"][1:3] == ["00f00000", "0000000c caller"]
    last = table(lines, r"vm +last interrupt")
    assert last["k1"][0] == "program at 00000700" and int(last["k1"][-1]) > 100
    assert last["k6"][0] == "program at 00000710 bad"   # its handler is two instructions, and the run ends at either
    assert last["k6"][1] in ("mfspr srr0 at 00000700 _start+0x700", "rfi at 00000704 _start+0x704")
    assert last["k5"][-3:] == ["3", "0", "0"] and last["k3"] == ["-", "-", "0", "0", "0"]
    assert "unanswered: k5: 3, the last at address 7f000010 by 0000000c last" in lines
    loops = [line for line in lines if line.startswith("loops: ")]
    assert [line[:10] for line in loops] == ["loops: k1:", "loops: k6:"]
    assert loops[0].endswith("its vector is 00000700; at 00000700 is 00000000")
    silent = lines.index("silent: k3: its registers, those that are not zero")
    assert lines[silent + 1] == f"  r8   00000000 12340000 {' '.join(['00000000'] * 6)}"
    stops = [line for line in lines if line.startswith("stopped: ")]
    assert stops == ["stopped: k4: pc=00f00000 lr=0000000c: fetch outside its memory",
                     "stopped: k7: pc=7f000200 lr=00000000: fetch outside its memory",
                     "stopped: k8: pc=00000004 insn=90630000: access outside its memory"]
    assert "unanswered: k8: 1, the last at address 7f000000 by 00000004 _start+0x4" in lines


@pytest.mark.parametrize("names", ["k4", "k2,k4"])
def test_some_are_asked_for(images, tmp_path, capsys, names):
    """They are judged; where the others stand is shown as well, though they never said a word."""
    image = images.elf("demo", OPTIONS, wrong(tmp_path))
    status, lines = output(["--image", image, "--vms", names, "--silence", "2"], capsys)
    assert status == 1
    assert list(table(lines, r"vm +state +pc")) == [f"k{kind}" for kind in KINDS]
    assert [line.split(": ")[1] for line in lines if "expected a line" in line] == sorted(names.split(","))


def test_when_all_have_ended(images, capsys):
    """The machine was reset; what is in the register files can still be read. ELF and ROM image."""
    for kind, image in (("--image", images.elf("demo")), ("--rom", images.rom("demo"))):
        status, lines = output([kind, image, "--summary", "--vms", "ctask,ffttask,sfft,other", "--timeout", "300"], capsys)
        assert status == 1
        for row in table(lines, r"vm +state +pc").values():
            assert row[0] == "stopped" and " guest_reset+0x" in row[1] and row[3] == "00040000 WE"
        assert "run.py: other: silent: expected a line `other: PASS ...`" in lines


def test_without_counters(images, tmp_path, capsys):
    """What only CONFIG_STATS counts is said to be missing; pc and LR are not."""
    image = images.elf("demo", f"CONFIG_STATS=n {OPTIONS}", wrong(tmp_path))
    lines = output(["--image", image, "--silence", "2"], capsys)[1]
    assert table(lines, r"vm +state +pc")["k4"][1:3] == ["00f00000", "0000000c caller"]
    assert "counters: the product has none (CONFIG_STATS=y)" in lines
    assert not any("unanswered" in line for line in lines)


def test_a_guest_run_bare(guests, capsys):
    """The registers of the machine, and the symbols of the guest."""
    status, lines = output(["--image", f"{guests}/straytest.elf", "--vms", "straytest", "--timeout", "60"], capsys)
    assert status == 1
    assert table(lines, r"vm +state +pc")["straytest"][1].split()[1].startswith("guest_reset")
    assert " (trap)" in table(lines, r"vm +last interrupt")["straytest"][0]


def test_the_machine_stands_still(images, tmp_path, monkeypatch):
    """Nobody can run any more, and no timer is armed: that is seen before the limit."""
    monkeypatch.setattr(emulator, "STILL", 1.0)
    result = images.run(image=build(2, tmp_path), timeout=600)
    assert "every guest waits for an interrupt that cannot come" in result.timed_out
