"""Round robin in assembler, with guests that do all kinds of things at the end of a slice.

covers: kconfig.FAST_SWITCH
"""

import elfpatch
import pytest
import run
from conftest import FREE
from test_hostile import check_hypervisor, check_neighbour

FAST = f"CONFIG_FAST_SWITCH=y CONFIG_STATS=n {FREE}"


@pytest.mark.parametrize("board, options, seed", [
    ("ref405ep", "", 1), ("ref405ep", "CONFIG_TLB_VIRT=n", 2), ("ml403", "", 3), ("ml403", "CONFIG_TLB_VIRT=n", 4)])
def test_neighbour_is_intact(images, tmp_path, board, options, seed):
    """The neighbour waits for its PIT, checks its memory and its registers, and is never late by more than slices are long."""
    images = images.on(board)
    target = str(tmp_path / "image")
    elfpatch.patched_image(images.elf("hostile", f"{FAST} {options}"), target, images.guest("hostile"), hostile_seed=seed,
                           hostile_mmu=not options)
    elfpatch.patched_image(target, target, images.guest("neighbour"), neighbour_ms=400)
    result = images.run(image=target, timeout=240, until=run.all_decided(["nbr"]))
    check_neighbour(result)
    check_hypervisor(result)
