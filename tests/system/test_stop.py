"""A guest that cannot go on stops alone, with one clear message."""

import re

import elfpatch
import pytest
import run

STOPS = 16          # twin_select of tests/guests/twin/twin.h: only what turns translation on

STOP = re.compile(r"pc=[0-9a-f]{8} insn=[0-9a-f]{8}( \([a-z]+\))?: \S.*")


def stopped_twin(images, folder):
    """A VM that turns translation on, without the option for it."""
    target = elfpatch.patched_image(images.elf("twin", "CONFIG_TLB_VIRT=n"), str(folder / "image"), images.guest("twin"),
                                    twin_select=STOPS)
    return images.run(image=target, timeout=120)


@pytest.mark.parametrize("board", ["ref405ep", "ml403", "raptor"])
def test_stops_alone(images, tmp_path, board):
    """One message: VM, PC, instruction, reason. The other VM passes."""
    result = stopped_twin(images.on(board), tmp_path)
    assert not list(result.trouble())
    stops = result.vms["twin"].stops
    assert len(stops) == 1
    assert STOP.fullmatch(stops[0]), stops
    assert "(mtmsr)" in stops[0] and "needs option TLB_VIRT" in stops[0]
    assert result.vms["twin"].verdict is None
    assert result.vms["beside"].verdict == "PASS"


def test_exit_status_says_so(images, tmp_path):
    """tools/run.py: 1 when an expected VM stopped, 0 when only the others count."""
    stopped_twin(images, tmp_path)
    image = ["--image", str(tmp_path / "image"), "--summary"]
    assert run.main(image + ["--vms", "twin,beside"]) == 1
    assert run.main(image + ["--vms", "beside"]) == 0


def test_a_reset_is_that_vm_alone(images):
    """The guests end by resetting themselves: each gets its own message, the last one ends the run."""
    result = run.run(image=images.elf("twin"), timeout=300)
    for name in ("twin", "beside"):
        assert len(result.vms[name].stops) == 1
        assert result.vms[name].stops[0].endswith("reset by the guest")
