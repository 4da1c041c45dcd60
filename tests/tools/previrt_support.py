"""previrt_support.py: what the tests of previrt/ share: GNU's assembler, linker and disassembler, and the tool itself."""

import os
import re
import shutil
import struct
import subprocess
import sys

sys.dont_write_bytecode = True
TOP = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
TOOL = os.path.join(TOP, "previrt", "previrt.py")
CC_PY = os.path.join(TOP, "previrt", "cc.py")
CROSS = next((prefix for prefix in ("powerpc-eabi-", "powerpc-linux-gnu-") if shutil.which(prefix + "as")), None)
FLAGS = ["-mcpu=405", "-msoft-float", "-mno-dlmzb", "-ffreestanding", "-fno-pic", "-fno-pie", "-fno-stack-protector",
         "-fno-asynchronous-unwind-tables", "-Wa,-mregnames"]
LINK = ["-nostdlib", "-static", "-no-pie", "-Wl,--build-id=none", "-Wl,-z,noexecstack", "-Wl,-Ttext=0x10000"]
ON_QEMU = ["-M", "ref405ep", "-display", "none", "-monitor", "none", "-serial", "stdio", "-no-reboot",
           "-icount", "shift=0,sleep=off", "-kernel"]
# A program with one instruction of each kind of replacement, and a spare area
PLAIN_SOURCE = """
        .globl  _start
        .type   _start, @function
_start: mfmsr   3
        lis     9, 0x800
        mtspr   984, 9
        wrteei  0
        li      4, 1
        li      5, 1
        wrteei  1
        li      4, 1
        mtmsr   3
        li      4, 1
        mtspr   26, 3
        mtspr   987, 3
        b       _start
        .size   _start, . - _start
        .globl  spare
        .type   spare, @object
spare:  .space  256
        .size   spare, 256
"""
sys.path.insert(0, os.path.join(TOP, "previrt"))


def run(*words, status=0, **more):
    """A program that ends with this status, and never with a traceback."""
    done = subprocess.run([str(word) for word in words], capture_output=True, text=True, check=False, timeout=300, **more)
    assert "Traceback" not in done.stderr, done.stderr
    assert done.returncode == status, f"{words}: {done.returncode}\n{done.stdout}{done.stderr}"
    return done


def tool(*words, status=0):
    """previrt.py."""
    return run(TOOL, *words, status=status)


def assemble(lines, folder):
    """The words of these lines."""
    run(CROSS + "as", "-m405", "-mregnames", "-o", folder / "as.o", "-", input="\n".join(lines) + "\n")
    run(CROSS + "objcopy", "-O", "binary", "-j", ".text", folder / "as.o", folder / "as.bin")
    blob = (folder / "as.bin").read_bytes()
    return list(struct.unpack(f">{len(blob) // 4}I", blob))


def disassemble(words, folder):
    """[(mnemonic, operands)] of these words, as objdump reads them; (".long", ...) for what it does not know."""
    (folder / "dis.bin").write_bytes(struct.pack(f">{len(words)}I", *words))
    text = run(CROSS + "objdump", "-D", "-z", "-b", "binary", "-m", "powerpc:common", "-M", "405", "-EB", "--no-show-raw-insn",
               folder / "dis.bin").stdout
    rows = re.findall(r"^ +[0-9a-f]+:\t(\S+) *(.*)$", text, re.M)
    assert len(rows) == len(words)
    return [(name, rest.split("<")[0].strip()) for name, rest in rows]


def build(folder, text, name="x", language="S", cc=(), flags=(), link=LINK):
    """An executable from one source; cc: words before the compiler."""
    source, elf = folder / f"{name}.{language}", folder / f"{name}.elf"
    source.write_text(text)
    run(*cc, CROSS + "gcc", *FLAGS, *flags, *link, "-o", elf, source)
    return elf


def program(folder, text, **options):
    """The decisions about a program of assembler text, at the ELF level."""
    from decide import Program
    from elf import Elf
    return Program(Elf(str(build(folder, text))), {"mode": "elf", **options})


def sites_by_place(made):
    """{symbol: site}: each test names its instruction by a symbol."""
    return {name: site for site in made.decide() for name in made.code.names.named(site.address)}
