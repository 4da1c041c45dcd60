"""Where the tests build: two images that differ never share a folder, and two processes never build in one at a time.

One was linked while the QEMU of another process loaded it: "Failed to load ELF", once in some runs. Or one was copied while
another process assembled it: "the input file is empty".
"""

import fcntl
import glob
import os
import threading

import conftest


def folders(monkeypatch, tmp_path, worker):
    """{what: its folder}, as a process of this name would build it; make is not run."""
    monkeypatch.setattr(conftest, "make", lambda *words: None)
    monkeypatch.setattr(conftest, "WORKER", worker)
    images = conftest.Images()
    vms = tmp_path / "vms.toml"
    vms.write_text("", encoding="ascii")
    made = {
        "plain": images.elf("demo"), "board": images.on("ml403").elf("demo"), "rom": images.rom("demo"),
        "y": images.elf("demo", "CONFIG_STATS=y"), "n": images.elf("demo", "CONFIG_STATS=n"),
        "3": images.elf("demo", "CONFIG_VM_MAX=3"), "4": images.elf("demo", "CONFIG_VM_MAX=4"),
        "file": images.elf("demo", "", str(vms)), "named": images.elf("demo", "", str(vms), "build/demo"),
    }
    assert len(set(made.values())) == len(made), made
    return made


def test_one_folder_for_one_image(monkeypatch, tmp_path):
    """Values of options count; what depends on a partition file is each process's own, the rest is shared."""
    mine, other = (folders(monkeypatch, tmp_path, worker) for worker in ("gw0", "gw1"))
    assert {what for what in mine if mine[what] != other[what]} == {"file", "named"}


def test_a_new_proof_links_nothing(images):
    """A new measurement of the bench proves a product's schedule again, perhaps while its image is run: that stays as it is.

    It was linked anew, and whoever opened it just then found no image.
    """
    image = images.elf("demo", folder="build/proven")
    proof, before = os.path.join(os.path.dirname(image), "schedule.fits"), os.stat(image).st_mtime_ns
    os.utime(proof, (0, 0))
    images.built.clear()
    assert images.elf("demo", folder="build/proven") == image
    assert os.stat(proof).st_mtime > 0 and os.stat(image).st_mtime_ns == before


def test_a_blob_makes_another_image(monkeypatch, tmp_path):
    """What a partition file names beside it belongs to the image: another text of it is built anew, the same is not."""
    made = []
    monkeypatch.setattr(conftest, "make", lambda *words: made.append(words))
    images = conftest.Images()
    for number, blob in enumerate(("one", "one", "two")):
        folder = tmp_path / str(number)
        folder.mkdir()
        (folder / "vms.toml").write_text('blob = { file = "list", guest = 0xF000 }\n', encoding="ascii")
        (folder / "list").write_text(blob, encoding="ascii")
        images.elf("demo", "", str(folder / "vms.toml"))
    assert len(made) == 2


def test_one_process_builds_in_a_folder(monkeypatch, tmp_path):
    """While one has the folder's lock, another waits with its make; and no test of the folder runs make without the lock."""
    monkeypatch.setattr(conftest, "LOCKS", str(tmp_path))
    second = threading.Thread(target=conftest.try_make, args=("-f", os.devnull, "--version"))
    with open(tmp_path / "all", "w", encoding="ascii") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        second.start()
        second.join(0.5)
        assert second.is_alive()
    second.join(30)
    assert not second.is_alive()
    word = '[' + '"make"'
    assert [path for path in glob.glob(os.path.join(conftest.HERE, "*.py"))
            if word in open(path, encoding="utf-8").read()] == [os.path.join(conftest.HERE, "conftest.py")]
