"""Four VMs that all talk to each other, every message accounted for: a short run of what `make soak` does for a billion instructions."""

import os
import sys

import pytest

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path.insert(0, os.path.join(os.path.dirname(HERE), "soak"))

import soak  # noqa: E402

MESSAGES = 3000
OPTIONS = "CONFIG_IPCM=y CONFIG_STATS=y"


def image_of(images, folder, sched):
    """The image of a scheduler."""
    partitions = folder / f"soak-{sched}.toml"
    partitions.write_text(soak.partitions(sched))
    return images.elf("hybridtest", f"{OPTIONS} {soak.SCHEDULERS[sched]}".strip(), partitions=str(partitions))


@pytest.mark.parametrize("board, sched", [("ref405ep", "rr"), ("ref405ep", "reserve"), ("ml403", "prio")])
def test_accounts(images, tmp_path, board, sched):
    """What each says that it has sent is what the other has received, to the message and the byte."""
    images = images.on(board)
    image = image_of(images, tmp_path, sched)
    figures = soak.measure(image, images.guest("soak"), str(tmp_path), images.machine, MESSAGES, 300)
    assert figures["messages"] == 12 * MESSAGES and figures["instructions"] > 60_000_000


@pytest.mark.parametrize("fault, said", [(1, "number of a message 100"), (2, "number of a message 101"), (3, "number of a message 100"),
                                         (4, "bytes of message 101")])
def test_faults_are_seen(images, tmp_path, fault, said):
    """A sender loses a message, sends one twice, out of order, with one wrong bit: the receiver says which."""
    image = image_of(images, tmp_path, "rr")
    with pytest.raises(ValueError, match=f"soak: FAIL {said} found"):
        soak.measure(image, images.guest("soak"), str(tmp_path), images.machine, MESSAGES, 60, fault)
