#!/usr/bin/python3
"""A compiler and assembler for guests that are to be pre-virtualized: make CC="previrt/cc.py powerpc-linux-gnu-gcc"

  cc.py [--boundary ADDR] [--exclude SECTION|SYMBOL]... COMPILER [its arguments]

Runs the compiler with its own arguments. On the way from assembler text to object, each sensitive instruction gets a mark,
and room if its replacement needs some; after a link, the table of `previrt.py fill` is added. The program runs natively as
before. A line with the comment `previrt: keep` is left alone. What has no assembler text on the way (-flto) is not treated,
and said so.

gcc's own driver says what it will do (-###), and hands each of its steps to this program (-wrapper), which looks at two of
them: the compiler proper keeps to the calling convention (-fno-ipa-ra), the assembler gets the marked text. So every
spelling of an option means what it means to gcc.
"""

import sys

sys.dont_write_bytecode = True      # generated files belong under build/ only

import os
import re
import shlex
import subprocess
import tempfile

from decide import DEFAULTS
from elf import SITES, Elf, write_file
from facts import PrevirtError
from previrt import make
from transform import Transform

STEP = "--step"                     # cc.py --step FOLDER PROGRAM ARGUMENTS: what -wrapper calls
COMPILERS = ("cc1", "cc1plus", "cc1obj", "cc1objplus")
PIPES = ("-pipe", "--pipe")         # temporary files instead: a step sees its whole text
# The assembler's options whose argument is the next word
SEPARATE = ("-o", "-I", "--defsym", "--MD", "-MD", "--hash-size", "--debug-prefix-map")
# Options that give registers another meaning than the System V ABI does
OWN_ABI = re.compile(r"-f(fixed|call-saved|call-used)-")


def note(text):
    """What the user should know though it went well."""
    print(f"cc.py: {text}", file=sys.stderr)


def run(words, **more):
    """A tool; its text goes where it goes, or is returned."""
    try:
        return subprocess.run(words, check=False, **more)
    except OSError as error:
        raise PrevirtError(f"cc.py: {words[0]}: {os.strerror(error.errno)}. hint: cc.py COMPILER ARGUMENTS") from None


def option(words, name):
    """The argument of an option in a step's command line, the last one's; None without it."""
    found = [value for word, value in zip(words, words[1:]) if word == name]
    return found[-1] if found else None


# ---------------------------------------------------------------- the driver
def steps(compiler, words):
    """[[program, argument, ...], ...]: what the driver would run; it writes them in lines that begin with a blank."""
    said = run([compiler, "-###", *words], stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True)
    return [shlex.split(line) for line in said.stderr.splitlines() if line.startswith(" ")]


def drive(compiler, words, options):
    """Run the driver, with its steps by way of this program; the exit status."""
    planned = steps(compiler, words)
    names = {os.path.basename(step[0]) for step in planned if step}
    if not names & {"as", "collect2"}:
        return run([compiler, *words]).returncode
    with tempfile.TemporaryDirectory(prefix="previrt-") as folder:
        step = os.path.join(folder, "step")             # a name without commas: -wrapper splits at them
        with open(step, "w", encoding="utf-8") as file:
            me = (sys.executable, os.path.abspath(__file__), STEP, folder)
            file.write(f"#!/bin/sh\nexec {' '.join(map(shlex.quote, me))} \"$@\"\n")
        os.chmod(step, 0o755)
        status = run([compiler, "-wrapper", step, *(word for word in words if word not in PIPES)]).returncode
    output = next((option(s, "-o") or "a.out" for s in planned if os.path.basename(s[0]) == "collect2"), None)
    if status or output is None or not os.path.isfile(output):      # --version and --help have the linker say its own
        return status
    return fill(output, options)


# ---------------------------------------------------------------- its steps
def step(folder, words):
    """One step of the driver's; its exit status."""
    name = os.path.basename(words[0])
    if name in COMPILERS and "-E" not in words:
        return compile_text(folder, words)
    return assemble_marked(folder, words) if name == "as" else run(words).returncode


def record(folder):
    """The list of texts that the compiler proper has made: lines of kind and path."""
    return os.path.join(folder, "made")


def compile_text(folder, words):
    """The compiler proper: remember which text it made, and whether registers mean there what the ABI says."""
    lto = [w for w in words if w.startswith("-flto") or w == "-fno-lto"]
    kind = "lto" if lto and lto[-1] != "-fno-lto" else "own" if any(OWN_ABI.match(w) for w in words) else "plain"
    output = option(words, "-o")
    if kind == "lto":
        note(f"{option(words, '-dumpbase') or words[-1]}: not treated, because -flto makes the code at the link. hint: -fno-lto")
    status = run(words + ["-fno-ipa-ra"]).returncode
    with open(record(folder), "a", encoding="utf-8") as file:
        file.write(f"{kind} {os.path.abspath(output or '-')}\n")
    return status


def made_by(folder, path):
    """What the compiler proper said of a text: lto, own or plain; "" for one of somebody else's."""
    try:
        with open(record(folder), encoding="utf-8") as file:
            kinds = dict(reversed(line.rstrip("\n").split(" ", 1)) for line in file)
    except FileNotFoundError:
        return ""
    return kinds.get(os.path.abspath(path), "")


def source_of(words):
    """The place of the assembler's one input file in its command line, or None (its standard input)."""
    found, i = None, 1
    while i < len(words):
        if words[i] in SEPARATE:
            i += 1
        elif not words[i].startswith("-") and os.path.isfile(words[i]):
            found = i
        i += 1
    return found


def assemble(words, place, text, folder, name):
    """Assemble text in place of the command's input: (exit status, what the assembler said)."""
    path = os.path.join(folder, f"{os.getpid()}-{os.path.basename(name)}")
    with open(path, "w", encoding="latin-1", newline="") as file:
        file.write(text)
    command = words[:place] + [path] + words[place + 1:]
    done = run(command, stderr=subprocess.PIPE, text=True)
    return done.returncode, done.stderr.replace(path, name)


def name_of(text, path):
    """The source that a text comes from: the preprocessor and the compiler say it in their first lines."""
    found = re.search(r'^(?:# [01] |\s*\.file\s+)"([^"<]+)"', text[:4096], re.M)
    return found[1] if found else path


def assemble_marked(folder, words):
    """The assembler, with marks; without room where none can be, and without marks where the text does not bear them."""
    place = source_of(words)
    if place is None:
        return run(words).returncode
    path = words[place]
    with open(path, encoding="latin-1", newline="") as file:
        text = file.read()
    made = made_by(folder, path)
    if made == "lto":
        return run(words).returncode
    name = name_of(text, path)
    marked = Transform(text, compiled=made == "plain")
    status, said = assemble(words, place, marked.run(), folder, path)
    if marked.count and marked.room and (status or said):
        original = assemble(words, place, text, folder, path)
        if original[0] == 0 and original[1] != said:
            marked.why_no_room = (said.strip().splitlines() or ["the assembler fails"])[-1]
            status, said = assemble(words, place, Transform(text, compiled=marked.compiled, room=False).run(), folder, path)
    if status:
        status, said = assemble(words, place, text, folder, path)
        if status == 0:
            note(f"{name}: not treated: the marked text does not assemble. hint: {__doc__.splitlines()[0]}")
    if marked.count and marked.why_no_room:
        note(f"{name}: no room for long replacements: {marked.why_no_room}")
    sys.stderr.write(said)
    return status


# ---------------------------------------------------------------- the table
def fill(output, options):
    """The table of a linked program."""
    try:
        with open(output, "rb") as file:
            if file.read(20)[16:18] != b"\0\2":
                return 0                        # of a partial link the last one gets the table
        elf = Elf(output)
        if elf.section(SITES) is None:
            note(f"{output}: nothing marked in it. hint: compile with cc.py, keep {SITES} in the link script")
        write_file(output, make(elf, options, unmarked=True)[1], output)
    except (PrevirtError, OSError) as error:
        print(error, file=sys.stderr)
        if os.path.isfile(output):
            os.unlink(output)
        return 1
    return 0


def own_options(words):
    """(options of the table, the compiler and its arguments)."""
    options, i = {**DEFAULTS, "mode": "fill", "exclude": []}, 0
    while i < len(words) and words[i].startswith("-"):
        if words[i] in ("-h", "--help"):
            print(__doc__)
            sys.exit(0)
        if words[i] not in ("--boundary", "--exclude") or i + 1 == len(words):
            usage(f"{words[i]} is not mine")
        if words[i] == "--exclude":
            options["exclude"].append(words[i + 1])
        else:
            try:
                options["boundary"] = int(words[i + 1], 0)
            except ValueError:
                usage(f"{words[i + 1]} is not an address")
        i += 2
    if i == len(words):
        usage("no compiler")
    return options, words[i], words[i + 1:]


def usage(cause):
    """Wrong usage."""
    print(f"cc.py: {cause}. hint: {__doc__.splitlines()[2].strip()}", file=sys.stderr)
    sys.exit(2)


def main(words):
    """The exit status."""
    if words[:1] == [STEP] and len(words) > 2:
        return step(words[1], words[2:])
    options, compiler, rest = own_options(words)
    return drive(compiler, rest, options)


if __name__ == "__main__":
    try:
        sys.exit(main(sys.argv[1:]))
    except PrevirtError as failure:
        print(failure, file=sys.stderr)
        sys.exit(1)
    except KeyboardInterrupt:
        sys.exit(130)
