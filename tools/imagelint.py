#!/usr/bin/python3
"""imagelint.py: what holds of the linked hypervisor, whatever the sources say.

    tools/imagelint.py build/demo/proteus.elf ...

rfi     every rfi and rfci is followed by a branch to itself: the fetcher goes on behind them, and a blr there sends it to the
        guest's LR
switch  of several VMs, who runs next begins without a reservation: vcpu_start has a stwcx.
pit     TSR[PIS] is cleared before the PIT is set: otherwise the next event is lost if it is soon
light   the C of a light road leaves r7-r10 and CTR alone, which are not saved there: nobody it calls has a fifth argument

hints   a conditional branch from one section of the assembler's to another goes forward: as writes bne- and bne+ for a target
        ahead, and for one behind the same bit means the contrary (of images with their objects beside them, in asm/)
near    what the assembler names by 16 bits is where a signed number of 16 bits reaches: a C function is a ROAD (likewise)

A fault is a line `image: address: cause. hint: ...`; exit status 1 if there is one.
"""

import argparse
import glob
import os
import re
import shutil
import subprocess
import sys

LINE = re.compile(r"^ *([0-9a-f]+):\t(\S+)(?:\s+(.*?))?\s*$")
LABEL = re.compile(r"^[0-9a-f]+ <(.+)>:$")
SECTION = re.compile(r"^Disassembly of section (\S+):$")


def disassemble(image):
    """[(section, routine, address, mnemonic, operands)] of all code but the guests'."""
    tool = shutil.which("powerpc-eabi-objdump") or shutil.which("powerpc-linux-gnu-objdump")
    if not tool:
        raise SystemExit("imagelint.py: no objdump for PowerPC. hint: tools/deps.sh run")
    done = subprocess.run([tool, "-d", "-M", "405", "--no-show-raw-insn", image], capture_output=True, text=True, check=False)
    if done.returncode:
        raise SystemExit(f"{image}:1: {done.stderr.strip()}. hint: is it a linked image?")
    code, section, routine = [], "", ""
    for line in done.stdout.splitlines():
        if match := SECTION.match(line):
            section = match[1]
        elif match := LABEL.match(line):
            routine = match[1]
        elif section != ".images" and (match := LINE.match(line)):
            code.append((section, routine, int(match[1], 16), match[2], match[3] or ""))
    return code


def check_rfi(code):
    """Every rfi and rfci is followed by a branch to itself."""
    for (_, _, at, name, _), (_, _, following, branch, target) in zip(code, [*code[1:], ("", "", 0, "", "")]):
        if name in ("rfi", "rfci") and not (following == at + 4 and branch == "b" and int(target.split()[0], 16) == following):
            yield at, f"nothing stops the fetcher behind {name}", "return_only (asm/asm.h)"


def check_switch(code):
    """vcpu_start has a stwcx. where there is a vcpu_switch before it."""
    start = [row for row in code if row[1] == "vcpu_start"]
    if any(row[1] == "vcpu_switch" for row in code) and not any(row[3] == "stwcx." for row in start):
        yield start[0][2] if start else 0, "a VM runs with another's reservation", "stwcx. in vcpu_start (asm/switch.S)"


def check_pit(code):
    """In pit, TSR is written before the PIT is."""
    seen = False
    for _, routine, at, name, _ in code:
        seen = seen or (routine == "pit" and name == "mttsr")
        if routine == "pit" and name == "mtpit" and not seen:
            yield at, "the PIT is set before its last event is cleared in TSR", "first TSR (asm/pit.S)"


LIGHT = ("schedule", "external", "vcpu_deliver", "tlb_checked", "tlb_find_context", "hypercall", "work", "console_tick",
         "console_wait")
START = "vcpu_start"        # loads them all, and does not come back


def check_light(code):
    """From those that are called on light roads, all that they call."""
    routines, seen = {}, set(LIGHT)
    for row in code:
        routines.setdefault(row[1], []).append(row)
    todo = [name for name in LIGHT if name in routines]
    while todo:
        for _, name, at, mnemonic, operands in routines[todo.pop()]:
            register = re.match(r"r(7|8|9|10)\b", operands)
            if register and not mnemonic.startswith("st") or mnemonic in ("mtctr", "bdnz", "bdz"):
                yield at, f"{name} changes {register[0] if register else 'CTR'}, which is the guest's on a light road", \
                    "a function that it calls has more than four arguments? (src/README.md)"
            target = re.search(r"<([^>+]+)", operands) if mnemonic.startswith("b") else None
            if target and target[1] in routines and target[1] not in seen | {START}:
                seen.add(target[1])
                todo.append(target[1])


def tool_lines(tool, *arguments):
    """What a tool of the toolchain prints."""
    path = shutil.which("powerpc-eabi-" + tool) or shutil.which("powerpc-linux-gnu-" + tool)
    return subprocess.run([path, *arguments], capture_output=True, text=True, check=True).stdout.splitlines()


def places(image):
    """{symbol: address}"""
    return {row[2]: int(row[0], 16) for row in map(str.split, tool_lines("nm", image)) if len(row) == 3}


def assembled(image):
    """The assembler's objects."""
    return sorted(glob.glob(os.path.join(os.path.dirname(image), "asm", "*.o")))


def check_near(image):
    """The relocations by 16 bits alone: without a high half of the same symbol in that object."""
    place = places(image)
    for path in assembled(image):
        found = re.findall(r"^[0-9a-f]+ R_PPC_ADDR16_(LO|HI|HA)\s+([^-+\s]+)", "\n".join(tool_lines("objdump", "-r", path)), re.M)
        for name in sorted({name for half, name in found if half == "LO"} - {name for half, name in found if half != "LO"}):
            if 0x8000 <= place.get(name, 0) < 0xFFFF8000:
                yield place[name], f"{os.path.basename(path)} names {name} by 16 bits, which do not reach it", \
                    "ROAD before its declaration (src/vm/vcpu.h)"


def check_hints(image):
    """The relocations of the assembler's conditional branches, with the places that the linker has found."""
    place, section = places(image), ""
    for path in assembled(image):
        for line in tool_lines("objdump", "-r", path):
            if match := re.match(r"RELOCATION RECORDS FOR \[(.+)\]:", line):
                section = match[1]
            match = re.match(r"([0-9a-f]+) R_PPC_REL14\S*\s+([^+\s]+)(?:\+0x([0-9a-f]+))?$", line)
            start = place.get(re.sub(r"^\.(text\.|(?=vector_))", "", section))
            if not match or start is None:
                continue
            at = start + int(match[1], 16)
            target = place.get(re.sub(r"^\.text\.", "", match[2]))
            if target is not None and target + int(match[3] or "0", 16) < at:
                yield at, f"a conditional branch back to {match[2]}: its hint is turned round", "ROADS in src/proteus.lds.S"


def main():
    parser = argparse.ArgumentParser(description=__doc__.split("\n", maxsplit=1)[0])
    parser.add_argument("images", nargs="+", help="linked images")
    args = parser.parse_args()
    faults = 0
    for image in args.images:
        code = disassemble(image)
        for found in (check_rfi(code), check_switch(code), check_pit(code), check_light(code), check_near(image),
                      check_hints(image)):
            for at, cause, hint in found:
                faults += 1
                print(f"{image}: {at:08x}: {cause}. hint: {hint}")
    return 1 if faults else 0


if __name__ == "__main__":
    sys.exit(main())
