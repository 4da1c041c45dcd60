"""Where the tests build their images: two that differ never share a folder, in whatever process they are built.

One was linked while the QEMU of another process loaded it: "Failed to load ELF", once in some runs.
"""

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
