"""join.py: a kernel and what starts it become one executable; what does not fit is refused."""

import os
import shutil
import subprocess
import sys

import pytest
from elftools.elf.elffile import ELFFile

HERE = os.path.dirname(os.path.abspath(__file__))
CROSS = os.environ.get("CROSS_COMPILE") or (
    "powerpc-eabi-" if shutil.which("powerpc-eabi-gcc") else "powerpc-linux-gnu-")
KERNEL = 0xC0000000     # virtual; physical 0


def link(folder, name, script, text=".globl _start\n.space 8\n_start: nop\n"):
    """A small executable by a linker script."""
    elf, source, layout = (str(folder / f"{name}{suffix}") for suffix in (".elf", ".S", ".ld"))
    with open(source, "w", encoding="ascii") as file:
        file.write(text)
    with open(layout, "w", encoding="ascii") as file:
        file.write("ENTRY(_start)\nPHDRS { " + script)
    subprocess.run([CROSS + "gcc", "-nostdlib", "-static", "-no-pie", "-Wl,--build-id=none", "-T", layout, "-o", elf, source],
                   check=True, timeout=60)
    return elf


@pytest.fixture
def kernel(tmp_path):
    """Linked at KERNEL, loaded at 0, entry at its third word."""
    return link(tmp_path, "kernel", "text PT_LOAD FLAGS(5); } SECTIONS { .text 0xC0000000 : AT(0) { *(.text) } :text }")


def starter(folder, address):
    """What is added, at a physical address."""
    return link(folder, "starter", f"text PT_LOAD FLAGS(5); }} SECTIONS {{ .text {address:#x} : {{ *(.text) }} :text }}")


def join(*arguments):
    """(status, stdout, stderr)"""
    done = subprocess.run([sys.executable, os.path.join(HERE, "join.py"), *arguments], capture_output=True, text=True,
                          timeout=60, check=False)
    return done.returncode, done.stdout, done.stderr


def test_joined(kernel, tmp_path):
    """Both segments, the starter's entry, the kernel's sections and symbols."""
    out = str(tmp_path / "out.elf")
    assert join("--entry", kernel) == (0, "0x00000008\n", "")
    assert join(kernel, starter(tmp_path, 0x7FE000), "--out", out) == (0, "", "")
    with open(out, "rb") as file, open(kernel, "rb") as before:
        elf, first = ELFFile(file), ELFFile(before)
        assert elf["e_entry"] == 0x7FE008
        loaded = [(s["p_paddr"], s["p_vaddr"], s.data()) for s in elf.iter_segments() if s["p_type"] == "PT_LOAD"]
        code = bytes(8) + bytes.fromhex("60000000")
        assert [(paddr, vaddr, data[:12]) for paddr, vaddr, data in loaded] == [(0, KERNEL, code), (0x7FE000, 0x7FE000, code)]
        assert [s.name for s in elf.iter_sections()] == [s.name for s in first.iter_sections()]
        assert elf.get_section_by_name(".symtab").get_symbol_by_name("_start")[0]["st_value"] == KERNEL + 8


def test_no_place(kernel, tmp_path):
    """The starter would lie in the kernel."""
    out = str(tmp_path / "out.elf")
    status, _, error = join(kernel, starter(tmp_path, 8), "--out", out)
    assert status == 1 and "leaves no place at 0x00000008" in error and "hint:" in error
    assert not os.path.exists(out)


@pytest.mark.parametrize("content", [None, b"", b"\x7fELF", b"text" * 100])
def test_no_executable(kernel, tmp_path, content):
    """Missing, empty, cut off, something else: one line each."""
    bad, out = tmp_path / "bad.elf", str(tmp_path / "out.elf")
    if content is not None:
        bad.write_bytes(content)
    for arguments in ((kernel, str(bad)), (str(bad), kernel)):
        status, output, error = join(*arguments, "--out", out)
        assert (status, output) == (1, "") and error.startswith(f"{bad}: ") and error.count("\n") == 1 and "hint:" in error
    assert not os.path.exists(out)


def test_usage(kernel):
    """Neither too few nor too many files."""
    for arguments in ((), (kernel,), (kernel, "--out", "x"), ("--entry", kernel, kernel)):
        assert join(*arguments)[0] == 2


def test_spare(kernel, tmp_path):
    """Zeros as well: executable, and at the virtual address that the kernel gives the place."""
    out = str(tmp_path / "out.elf")
    assert join(kernel, starter(tmp_path, 0x7FE000), "--spare", "0x7E0000:0x1000", "--out", out) == (0, "", "")
    with open(out, "rb") as file:
        loaded = [s for s in ELFFile(file).iter_segments() if s["p_type"] == "PT_LOAD"]
        assert [s["p_paddr"] for s in loaded] == [0, 0x7FE000, 0x7E0000]
        assert loaded[1].data()[8:12] == bytes.fromhex("60000000")
        assert (loaded[2]["p_vaddr"], loaded[2]["p_flags"], loaded[2].data()) == (KERNEL + 0x7E0000, 5, bytes(0x1000))


@pytest.mark.parametrize("spare, address", [("0:16", "0"), ("0x7FE004:4", "7FE000")])
def test_spare_has_no_place(kernel, tmp_path, spare, address):
    """In the kernel, in the starter."""
    out = str(tmp_path / "out.elf")
    status, _, error = join(kernel, starter(tmp_path, 0x7FE000), "--spare", spare, "--out", out)
    assert status == 1 and f"{address}-0x" in error and "leaves no place" in error and not os.path.exists(out)


@pytest.mark.parametrize("spare", ["0x1000", "x:4", "0x1001:4", "0x1000:3", "0x1000:0", "0xFFFFFFFC:8"])
def test_spare_usage(kernel, spare):
    """ADDRESS:SIZE, whole words within 4 GiB."""
    assert join(kernel, kernel, "--spare", spare, "--out", "x")[0] == 2
