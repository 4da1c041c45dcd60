"""tools/bounds.py on images that run: no road is longer than its bound, and a bound that is too small is found."""

import json
import os
import re
import shutil

import bounds
import conftest
import pytest
from kconfig import InputError


def bounded(image, folder, root=None, measure=True):
    """What it writes of an image; root: another tree with notes."""
    out = folder / "bounds.json"
    arguments = ["--image", image, "--out", str(out), "--work", str(folder / "work")]
    bounds.main(arguments + ["--measure"] * measure + (["--root", str(root)] if root else []))
    return json.loads(out.read_text())


@pytest.mark.parametrize("product", ["demo", "full"])
def test_no_road_is_longer(images, tmp_path, product):
    """Of each road that was taken; of the hot ones the bound is at most half as much more."""
    found = bounded(images.elf(product), tmp_path)
    taken = {name: row for name, row in found["roads"].items() if "measured" in row}
    assert {"mfspr", "mtmsr", "sc", "pit: C", "work: C", "dtlb_miss: C"} <= set(taken)
    assert found["masked"]["measured"] == max(row["measured"] for row in taken.values()) <= found["masked"]["bound"]
    for name in ("mfspr", "mtspr", "mtmsr"):
        assert taken[name]["bound"] <= 1.5 * taken[name]["measured"], name
    assert 0 < found["stack"] <= 512


def halved(folder, path, name):
    """A tree in which the notes of a file that name this have half of it."""
    for part in ("src", "asm", "config", "hypercalls", "previrt"):
        shutil.copytree(os.path.join(conftest.ROOT, part), folder / part)
    text, count = re.subn(rf"loop: ({name}.*?) \*/", r"loop: (\1) / 2 */", (folder / path).read_text(encoding="utf-8"))
    assert count
    (folder / path).write_text(text, encoding="utf-8")
    shutil.copystat(os.path.join(conftest.ROOT, path), folder / path)
    return folder


def test_halved_bound_is_found(images, tmp_path):
    """A piece of memory that is cleared has twice as many lines as this note says."""
    root = halved(tmp_path / "tree", "src/mmu/memory.c", "MEMORY_PIECE")
    with pytest.raises(InputError) as caught:
        bounded(images.elf("demo"), tmp_path, root)
    assert any(re.match(r"src/mmu/memory\.c:\d+: .*a loop with 6[34] rounds at most begun", line) for line in caught.value.lines), \
        caught.value.lines
