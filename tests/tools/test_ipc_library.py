#!/usr/bin/python3
"""hypercalls/ipc as a guest has it: it needs nothing else, whatever the compiler is asked to optimize, and an assembler can call it."""

import glob
import os
import re
import subprocess

import pytest

TOP = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
LIBRARY = os.path.join(TOP, "hypercalls", "ipc")
PREFIX = os.environ.get("CROSS_COMPILE", "powerpc-linux-gnu-")
FLAGS = ["-mcpu=405", "-msoft-float", "-mno-eabi", "-std=c11", "-Wall", "-Wextra", "-Wpedantic", "-Werror", "-ffreestanding", "-fno-pic",
         "-fno-pie", "-fno-stack-protector", "-fno-asynchronous-unwind-tables", "-I", LIBRARY]
CALLER = """
#include "ring.h"
#include "port.h"

    .section .bss
    .align  2
ring:
    .space  RING_SIZE
queue:
    .space  QUEUEING_SIZE
sample:
    .space  SAMPLING_SIZE
    .section .text
    .globl  _start
/* Sends two words through a ring that is open; r3 = 0, or -1 if it is full. */
_start:
    lis     3, ring@ha
    addi    3, 3, ring@l
    lis     4, queue@ha
    addi    4, 4, queue@l
    li      5, 8
    bl      ring_send
    cmpwi   3, IPC_E_FULL
    bnelr
    li      3, -1
    blr
"""


def tool(name, *arguments, cwd):
    """Run one of the compiler's programs; what it prints."""
    result = subprocess.run([PREFIX + name, *arguments], cwd=cwd, capture_output=True, text=True, check=False)
    assert result.returncode == 0, result.stderr
    return result.stdout


def abi(folder):
    """The hypervisor's header in `folder`: of the library itself none needs it but what makes hypercalls (life.h)."""
    subprocess.run(["/usr/bin/python3", os.path.join(TOP, "tools", "hypercalls.py"), "--out", folder / "proteus" / "proteus.h"], check=True)


def objects(folder, optimize):
    """All of the library, compiled for the 405."""
    paths = []
    abi(folder)
    for source in sorted(glob.glob(os.path.join(LIBRARY, "*.c"))):
        paths.append(os.path.join(folder, os.path.basename(source)[:-2] + ".o"))
        tool("gcc", *FLAGS, "-I", ".", optimize, "-c", "-o", paths[-1], source, cwd=folder)
    return paths


@pytest.mark.parametrize("optimize", ["-O0", "-O2", "-O3", "-Os"])
def test_needs_nothing(tmp_path, optimize):
    """No memcpy, memset or arithmetic of a library that the guest may not have; no data of its own; no instruction but a 405's."""
    paths = objects(tmp_path, optimize)
    assert len(paths) == 9
    tool("ld", "-r", "-o", "all.o", *paths, cwd=tmp_path)
    wanted = tool("nm", "-u", "all.o", cwd=tmp_path).split()[1::2]
    assert [name for name in wanted if not re.fullmatch(r"_(save|rest)gpr_\d+_x", name)] == []     # of libgcc, by -Os alone
    assert not wanted or optimize == "-Os"
    sizes = tool("size", "all.o", cwd=tmp_path).splitlines()[1].split()
    assert sizes[1:3] == ["0", "0"]
    code = tool("objdump", "-d", "-M405", "all.o", cwd=tmp_path)
    assert not re.search(r"\t(lwsync|l[wf]arx|stwcx|\.long|lf[sd]|stf[sd])", code)
    assert len(re.findall(r"\tsync", code)) >= 2


@pytest.mark.parametrize("header", ["ipc.h", "link.h", "ring.h", "port.h", "life.h", "server.h", "terminal.h", "netcard.h",
                                    "netswitch.h", "disk.h", "diskserver.h"])
def test_header_stands_alone(tmp_path, header):
    abi(tmp_path)
    (tmp_path / "one.c").write_text(f'#include "{header}"\nint one;\n')
    tool("gcc", *FLAGS, "-I", ".", "-O2", "-c", "one.c", cwd=tmp_path)


def test_from_the_assembler(tmp_path):
    """The headers are the assembler's, too; what they say of sizes the library asserts itself."""
    (tmp_path / "caller.S").write_text(CALLER)
    tool("gcc", *FLAGS, "-D__ASSEMBLER__", "-c", "caller.S", cwd=tmp_path)
    tool("ld", "-static", "-o", "caller", "caller.o", *objects(tmp_path, "-O2"), cwd=tmp_path)
    symbols = tool("nm", "-S", "caller", cwd=tmp_path)
    assert re.search(r" T ring_send$", symbols, re.M)
