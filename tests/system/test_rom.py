"""ROM images of Virtex boards: with the guests' images in the ROM, and as small as a block RAM, with the images in RAM."""

import subprocess

import conftest
import pytest
import run

BOARDS = ("ml403", "ml403dcr", "raptor")
PASSED = {"ctask": "PASS", "ffttask": "PASS", "sfft": "PASS"}


def verdicts(result):
    """Of all VMs; the machine has been reset, nothing else."""
    assert not list(result.trouble())
    return {name: vm.verdict for name, vm in result.vms.items()}


@pytest.mark.parametrize("board", BOARDS)
def test_all_in_rom(images, board):
    """make run-rom: from the reset vector on, nothing else is in memory."""
    assert verdicts(run.run(rom=images.on(board).rom("demo"), timeout=300)) == PASSED


@pytest.mark.parametrize("board", BOARDS)
def test_images_in_ram(board):
    """64 KiB in the block RAM; a debugger, here QEMU's -kernel, has put the guest images where they belong, and resets."""
    folder = f"build/rom-{board}-small"
    options = f"CONFIG_BOARD_{board.upper()}=y CONFIG_ROM=y CONFIG_ROM_IMAGES=n CONFIG_TEXT_BUDGET=65536 CONFIG_DATA_BUDGET=65536"
    conftest.make("PRODUCT=demo", f"O={folder}", f"EXTRA_CONFIG={options}", f"{folder}/proteus.bin")
    folder = f"{conftest.ROOT}/{folder}"
    store = f"{folder}/images.elf"
    subprocess.run(["powerpc-linux-gnu-objcopy", "-I", "binary", "-O", "elf32-powerpc", "--change-section-address", ".data=0x3000000",
                    f"{folder}/images.bin", f"{folder}/images.o"], check=True, timeout=60)
    subprocess.run(["powerpc-linux-gnu-ld", "-e", "0xFFFFFFFC", "--section-start=.data=0x3000000", "-o", store, f"{folder}/images.o"],
                   check=True, timeout=60)
    assert verdicts(run.run(rom=f"{folder}/proteus.bin", extra=["-kernel", store], timeout=300)) == PASSED
