#!/usr/bin/python3
"""Refuse a linked guest that contains floating-point, vector or otherwise non-405 instructions.

A PPC405 has no FPU: one library member compiled for another core is enough to fail at run time, on a path that no test
may take. All code is disassembled; data between it (which may look like anything) lies outside executable sections.
"""
import argparse
import re
import subprocess
import sys

FORBIDDEN = re.compile(r"(lf[sd]u?x?|stf[sd]u?x?|stfiwx|f(abs|neg|nabs|mr|rsp|cti[wd]z?|cmp[uo]|sel|sqrte?s?|re"
                       r"|res|rsqrte|add|sub|mul|div|madd|msub|nmadd|nmsub)s?\.?|mffs\.?|mtfs[fb]\w*\.?|mcrfs|lv[a-z]+|stv[a-z]+"
                       r"|v[a-z]\w+|ev[a-z]\w+|dlmzb\.?|isel\w*|ld|std|lmd|stmd|\.long)$")


def main():
    """Command line."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("elf")
    parser.add_argument("--objdump", default="powerpc-linux-gnu-objdump")
    options = parser.parse_args()
    try:
        listing = subprocess.run([options.objdump, "-d", "-M", "405", "--no-show-raw-insn", options.elf], check=True,
                                 stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True).stdout
    except OSError as error:
        print(f"{options.objdump}: {error.strerror}. hint: install binutils-powerpc-linux-gnu", file=sys.stderr)
        return 1
    except subprocess.CalledProcessError as error:
        print(f"{options.elf}:1: {error.stderr.strip()}. hint: give a linked guest", file=sys.stderr)
        return 1
    function, bad = "?", 0
    for line in listing.splitlines():
        if line.endswith(">:"):
            function = line.split("<")[-1][:-2]
        parts = line.split("\t")
        if len(parts) > 1 and FORBIDDEN.match(parts[1].strip().split(" ")[0]):
            print(f"{options.elf}:1: {function}: {parts[0].strip()} {' '.join(parts[1:])}. "
                  "hint: compile it with -mcpu=405 -msoft-float -mno-dlmzb", file=sys.stderr)
            bad += 1
    return 1 if bad else 0


if __name__ == "__main__":
    sys.exit(main())
