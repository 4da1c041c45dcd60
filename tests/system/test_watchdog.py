"""The machine's watchdog resets the board when the hypervisor hangs or a decision is late, and never else (option WATCHDOG).

On our QEMU: to that of the distribution each write of TCR is a step of the watchdog, and time is none.
"""

import struct

import elftools.elf.elffile
import pytest

OPTIONS = "CONFIG_WATCHDOG=y CONFIG_WATCHDOG_PERIOD=1"      # 7 ms, of runs that take 400 at least
BRANCH_TO_ITSELF = 0x48000000
VMS = {"demo": ["ctask", "ffttask", "sfft"], "ml403": ["ctask", "previrt", "ffttask", "drivers"]}   # priorities; round robin


def verdicts(result, product):
    """What its VMs have said."""
    return [result.vms[name].verdict if name in result.vms else None for name in VMS[product]]


def was_reset(result):
    """The board was, and QEMU did not crash, nor did the run end by its limit."""
    return result.status == 0 and not result.timed_out


@pytest.mark.parametrize("product", VMS)
def test_served(images, product):
    """A run as any other: hot roads and cold, idle times, the load at its begin, the report at its end."""
    board = images.on("ml403")
    result = board.run(image=board.elf(product, OPTIONS), timeout=120)
    assert not list(result.trouble()) and set(verdicts(result, product)) == {"PASS"}, result.lines[-5:]


def test_late(images):
    """No decision comes within the tick in which it is due: no service counts, and the board is reset before anybody has ended."""
    board = images.on("ml403")
    result = board.run(image=board.elf("demo", f"{OPTIONS} CONFIG_WATCHDOG_LATE_US=0"), timeout=120)
    assert was_reset(result) and verdicts(result, "demo") == [None] * 3, result.lines[-5:]


def hanging(image, target, function):
    """A copy of an image in which this function of the hypervisor never gets on."""
    with open(image, "rb") as file:
        elf = elftools.elf.elffile.ELFFile(file)
        address = next(symbol["st_value"] for symbol in elf.get_section_by_name(".symtab").iter_symbols()
                       if symbol.name.split(".")[0] == function and symbol["st_info"]["type"] == "STT_FUNC")
        section = next(s for s in elf.iter_sections() if s["sh_addr"] <= address < s["sh_addr"] + s["sh_size"])
        file.seek(0)
        data = bytearray(file.read())
    struct.pack_into(">I", data, section["sh_offset"] + address - section["sh_addr"], BRANCH_TO_ITSELF)
    target.write_bytes(data)
    return str(target)


def test_hangs(images, tmp_path):
    """In the middle of the run, when the first VM stops: without an interrupt or an instruction more, the board is reset."""
    board = images.on("ml403")
    image = hanging(board.elf("demo", OPTIONS), tmp_path / "hangs.elf", "vcpu_stop")
    result = board.run(image=image, timeout=60)
    assert was_reset(result) and sorted(map(str, verdicts(result, "demo"))) == ["None", "None", "PASS"], result.lines[-5:]
    assert not result.hypervisor
