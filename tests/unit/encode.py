#!/usr/bin/python3
"""encode.py: what GNU as makes of the instructions in the unit tests, as C tables.

    encode.py --as powerpc-linux-gnu-as --out <folder> test_*.c

Every INSN("...") in the sources becomes a row of encodings.h; mfspr.h and mtspr.h have `mfspr 5, N` and `mtspr N, 5`
for every N from 0 to 1023. The assembler is the oracle: nothing here or in the tests knows an opcode.
"""

import argparse
import os
import re
import struct
import subprocess
import sys
import tempfile

INSN = re.compile(r'INSN\("([^"]*)"\)')


class EncodeError(Exception):
    """Something the user has to mend; the text is the whole message."""


def elf_text(blob):
    """The contents of .text in a 32-bit big-endian ELF object."""
    offset, size, count, names = struct.unpack_from(">I", blob, 32)[0], *struct.unpack_from(">HHH", blob, 46)
    heads = [struct.unpack_from(">10I", blob, offset + size * i) for i in range(count)]
    strings = heads[names][4]
    for head in heads:
        start = strings + head[0]
        if blob[start:blob.index(b"\0", start)] == b".text":
            return blob[head[4]:head[4] + head[5]]
    raise EncodeError("encode.py: the assembler's output has no .text. hint: is it GNU as for PowerPC?")


def assemble(assembler, lines, places):
    """One word per line; an error names the place the line came from."""
    with tempfile.TemporaryDirectory() as folder:
        obj = os.path.join(folder, "o")
        command = [assembler, "-m405", "-mregnames", "-o", obj, "-"]
        try:
            done = subprocess.run(command, input="\n".join(lines) + "\n", capture_output=True, text=True, check=False)
        except OSError as error:
            raise EncodeError(f"encode.py: {assembler}: {error.strerror}. hint: tools/deps.sh test") from error
        if done.returncode:
            number = re.search(r"standard input\}:(\d+): (.*)", done.stderr)
            place = places[int(number[1]) - 1] if number else "encode.py"
            raise EncodeError(f"{place}: {number[2] if number else done.stderr.strip()}. hint: mend the INSN() there")
        with open(obj, "rb") as file:
            text = elf_text(file.read())
    words = struct.unpack(f">{len(text) // 4}I", text)
    if len(words) != len(lines):
        raise EncodeError("encode.py: not one word for each instruction. hint: INSN() takes one instruction")
    return words


def collect(paths):
    """{text: file:line} of every INSN() in the sources."""
    found = {}
    for path in paths:
        with open(path, encoding="utf-8") as file:
            for number, line in enumerate(file, 1):
                for text in INSN.findall(line):
                    found.setdefault(text, f"{path}:{number}")
    return found


def write(path, content):
    """All of it or nothing; untouched if it is the same."""
    if os.path.exists(path):
        with open(path, encoding="utf-8") as file:
            if file.read() == content:
                return
    with open(path + ".new", "w", encoding="utf-8") as file:
        file.write(content)
    os.replace(path + ".new", path)


def main():
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--as", dest="assembler", required=True, help="GNU as for PowerPC")
    parser.add_argument("--out", required=True, help="folder of the generated headers")
    parser.add_argument("sources", nargs="+", help="test sources")
    args = parser.parse_args()
    found = collect(args.sources)
    spr = [f"mfspr 5, {n}" for n in range(1024)] + [f"mtspr {n}, 5" for n in range(1024)]
    lines = list(found) + spr
    words = assemble(args.assembler, lines, list(found.values()) + ["encode.py"] * len(spr))
    os.makedirs(args.out, exist_ok=True)
    rows = "".join(f'{{"{text}", 0x{word:08X}}},\n' for text, word in zip(found, words))
    write(os.path.join(args.out, "encodings.h"), rows)
    for name, part in (("mfspr", words[len(found):-1024]), ("mtspr", words[-1024:])):
        write(os.path.join(args.out, name + ".h"), "".join(f"0x{word:08X},\n" for word in part))


if __name__ == "__main__":
    try:
        main()
    except (EncodeError, OSError) as failure:
        print(failure, file=sys.stderr)
        sys.exit(1)
