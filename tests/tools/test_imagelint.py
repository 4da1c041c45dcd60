"""tools/imagelint.py: what it finds in code that has each fault, and that it finds nothing without."""

import os
import subprocess
import sys

import pytest

ROOT = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
TOOL = os.path.join(ROOT, "tools", "imagelint.py")
GOOD = """
pit: mtspr 0x3D8, 30
 mtspr 0x3DB, 30
 rfi
 b .
vcpu_switch: nop
vcpu_start: stwcx. 3, 0, 4
 lwz 7, 28(3)
 blr
emulate: li 7, 1
 b schedule
schedule: bl helper
 b vcpu_start
helper: stw 7, 0(1)
 blr
"""


def faults(tmp_path, source):
    """Exit status and output for a source linked at 0x100."""
    (tmp_path / "x.S").write_text(".globl _start\n_start: nop" + source)
    image = str(tmp_path / "x.elf")
    subprocess.run(["powerpc-linux-gnu-gcc", "-mcpu=405", "-nostdlib", "-static", "-Wl,--build-id=none", "-Wl,-Ttext=0x100", "-o",
                    image, str(tmp_path / "x.S")], check=True)
    done = subprocess.run([sys.executable, TOOL, image], capture_output=True, text=True, check=False)
    return done.returncode, done.stdout


def test_nothing_to_find(tmp_path):
    """All of it as it should be."""
    assert faults(tmp_path, GOOD) == (0, "")


@pytest.mark.parametrize("old, new, text", [
    (" b .\n", " b .-4\n", "0000010c: nothing stops the fetcher behind rfi"),
    (" b .\n", " nop\n", "0000010c: nothing stops the fetcher behind rfi"),
    (" rfi\n b .\n", " rfci\n", "0000010c: nothing stops the fetcher behind rfci"),
    (" stwcx. 3, 0, 4\n", " nop\n", "00000118: a VM runs with another's reservation"),
    ("stw 7, 0(1)", "lwz 8, 0(1)", "00000134: helper changes r8, which is the guest's on a light road"),
    ("stw 7, 0(1)", "mtctr 3", "00000134: helper changes CTR, which is the guest's on a light road"),
    ("mtspr 0x3D8, 30", "nop", "00000108: the PIT is set before its last event is cleared in TSR"),
])
def test_each_fault(tmp_path, old, new, text):
    """One fault, one line, with its address."""
    assert old in GOOD
    status, output = faults(tmp_path, GOOD.replace(old, new))
    assert status == 1
    assert text in output and output.count("\n") == 1


@pytest.mark.parametrize("at, high, text", [
    (0x7FFC, "", ""), (0x8000, "", "00008000: x.o names far by 16 bits, which do not reach it"), (0x8000, " lis 3, far@ha\n", ""),
    (0xFFFF7FFC, "", "names far by 16 bits"), (0xFFFF8000, "", "")])
def test_far_names(tmp_path, at, high, text):
    """What the assembler names by its low half alone is within the lowest or highest 32 KiB."""
    (tmp_path / "asm").mkdir()
    (tmp_path / "x.S").write_text(f".globl _start\n_start: li 3, far@l\n{high}{GOOD}")
    for command in (["as", "-m405", "-o", "asm/x.o", "x.S"], ["ld", "-Ttext=0x100", f"--defsym=far={at}", "-o", "x.elf", "asm/x.o"]):
        subprocess.run(["powerpc-linux-gnu-" + command[0], *command[1:]], cwd=tmp_path, check=True)
    done = subprocess.run([sys.executable, TOOL, str(tmp_path / "x.elf")], capture_output=True, text=True, check=False)
    assert (done.returncode, text in done.stdout, done.stdout.count("\n")) == (int(text != ""), True, int(text != ""))
