"""Guests of a few lines of assembler, for raptor's machine: without a C start, so that every instruction is known."""

import subprocess

# Says the text at r5 on the UartLite, and ends.
SAY = """
        lis     6, 0x9021
        addi    5, 5, -1
91:     lbzu    3, 1(5)
        cmpwi   3, 0
        beq     93f
92:     lwz     4, 8(6)
        andi.   4, 4, 8
        bne     92b
        stw     3, 4(6)
        eieio
        b       91b
93:     lis     3, 0x3000
        mtspr   0x3F2, 3
94:     b       94b
"""


def build(folder, name, source):
    """The ELF of this source, linked for address 0 on; gives its path."""
    text, elf = folder / f"{name}.S", folder / f"{name}.elf"
    text.write_text(source, encoding="ascii")
    subprocess.run(["powerpc-linux-gnu-gcc", "-mcpu=405", "-nostdlib", "-static", "-Wl,--build-id=none", "-Wl,-n", "-Wl,-Ttext=0",
                    "-o", str(elf), str(text)], check=True)
    return elf
