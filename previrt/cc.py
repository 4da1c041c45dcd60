#!/usr/bin/python3
"""A compiler and assembler for guests that are to be pre-virtualized: make CC="previrt/cc.py powerpc-linux-gnu-gcc"

  cc.py [--boundary ADDR] [--exclude SECTION|SYMBOL]... COMPILER [its arguments]

Runs the compiler with its own arguments. On the way from assembler text to object, each sensitive instruction gets a mark,
and room if its replacement needs some; after a link, the table of `previrt.py fill` is added. The program runs natively as
before. A line with the comment `previrt: keep` is left alone. What has no assembler text on the way (-flto) is not treated,
and said so.
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

C, CPP_ASM, ASM, OTHER = "c", "assembler-with-cpp", "assembler", "other"
LANGUAGES = {".c": C, ".i": C, ".cc": C, ".cpp": C, ".cxx": C, ".C": C, ".ii": C, ".c++": C, ".S": CPP_ASM, ".sx": CPP_ASM,
             ".s": ASM}
# Options whose argument is the next word
SEPARATE = {"-o", "-I", "-D", "-U", "-include", "-imacros", "-isystem", "-iquote", "-idirafter", "-iprefix", "-iwithprefix",
            "-iwithprefixbefore", "-isysroot", "--sysroot", "-imultilib", "-MF", "-MT", "-MQ", "-x", "-T", "-L", "-l", "-u",
            "-e", "-z", "-Xlinker", "-Xassembler", "-Xpreprocessor", "-aux-info", "-A", "-B", "--param", "-G", "-wrapper",
            "-dumpbase", "-dumpbase-ext", "-dumpdir", "-Ttext", "-Tdata", "-Tbss", "-Tdata-segment", "-Ttext-segment", "-h"}
# What only the preprocessor, only the linker, wants
PREPROCESS = re.compile(r"-(D|U|include$|imacros$|M|Wp,|Xpreprocessor$)")
LINKER = re.compile(r"-(l|L|T|u$|e$|z$|Wl,|Xlinker$)")
ALONE = {"-E", "-S", "-M", "-MM", "-fsyntax-only", "-###", "--version", "-dumpmachine", "-dumpversion", "--help"}
# Options that give registers another meaning than the System V ABI does
OWN_ABI = re.compile(r"-f(fixed|call-saved|call-used)-")


def note(text):
    """What the user should know though it went well."""
    print(f"cc.py: {text}", file=sys.stderr)


class Command:
    """The compiler's command line."""

    def __init__(self, compiler, words):
        self.compiler, self.words = compiler, self._expand(words)
        self.options, self.inputs, self.output, self.order = [], [], None, []
        language, i = None, 0
        while i < len(self.words):
            word = self.words[i]
            pair = word in SEPARATE and i + 1 < len(self.words)
            value = self.words[i + 1] if pair else word[2:]
            if word == "-o" or word.startswith("-o") and not pair:
                self.output = value
            elif word == "-x" or word.startswith("-x") and not pair:
                language = None if value == "none" else value
            elif word.startswith("-") and word != "-":
                self.options.append([word, value] if pair else [word])
                self.order.append(self.options[-1])
            else:
                kind = {"c": C, "c++": C, CPP_ASM: CPP_ASM, ASM: ASM}.get(language, OTHER) if language else \
                    LANGUAGES.get(os.path.splitext(word)[1], OTHER)
                self.inputs.append((word, kind, language))
                self.order.append(self.inputs[-1])
            i += 2 if pair else 1
        self.first = {option[0] for option in self.options}
        self.link = not self.first & (ALONE | {"-c"})

    @staticmethod
    def _expand(words):
        """@file stands for the words in a file."""
        out = []
        for word in words:
            if word.startswith("@") and os.path.isfile(word[1:]):
                with open(word[1:], encoding="utf-8") as file:
                    out += shlex.split(file.read())
            else:
                out.append(word)
        return out

    def passes_through(self):
        """True if there is nothing to treat; the reason if the user should know."""
        sources = [path for path, kind, _ in self.inputs if kind != OTHER]
        lto = any(w.startswith("-flto") for w in self.first) and "-fno-lto" not in self.first
        if lto and sources and not self.first & ALONE:
            note(f"{sources[0]}: not treated, because -flto makes the code at the link. hint: -fno-lto")
        return bool(self.first & ALONE) or not self.inputs or (not self.link and (lto or not sources)) or "-" in sources


def run(words, quiet=False):
    """A tool; its text goes where it goes, or is returned."""
    try:
        return subprocess.run(words, stderr=subprocess.PIPE if quiet else None, text=quiet or None, check=False)
    except OSError as error:
        raise PrevirtError(f"cc.py: {words[0]}: {os.strerror(error.errno)}. hint: cc.py COMPILER ARGUMENTS") from None


def dependency_options(command, source, output):
    """-MD and -MMD name the file and the target by the output: by the one that the user means."""
    if not command.first & {"-MD", "-MMD"}:
        return []
    extra = []
    if "-MF" not in command.first:
        stem = output if command.output else os.path.basename(source)
        extra += ["-MF", os.path.splitext(stem)[0] + ".d"]
    if not command.first & {"-MT", "-MQ"}:
        extra += ["-MT", output]
    return extra


def flat(options):
    """Options as words."""
    return [word for option in options for word in option]


def to_text(command, source, output, folder):
    """(assembler text, exit status) of a source."""
    path, kind, language = source
    text = os.path.join(folder, "text.s")
    options = [o for o in command.options if o[0] != "-c" and not LINKER.match(o[0])]
    if kind == ASM:
        text = path
    else:
        how = ["-S", "-fno-ipa-ra"] if kind == C else ["-E"]
        words = command.compiler + flat(options) + how + dependency_options(command, path, output)
        done = run(words + (["-x", language] if language else []) + [path, "-o", text])
        if done.returncode:
            return None, done.returncode
    try:
        with open(text, encoding="latin-1", newline="") as file:
            return file.read(), 0
    except OSError as error:
        raise PrevirtError(f"{text}: {os.strerror(error.errno)}. hint: is it a source file?") from None


def assemble(command, source, text, output, folder):
    """Assemble text; (exit status, what the assembler said)."""
    path = os.path.join(folder, os.path.basename(source[0]) + ".s")
    with open(path, "w", encoding="latin-1", newline="") as file:
        file.write(text)
    debug = source[1] == C           # the compiler has written its debugging information into the text
    options = [o for o in command.options if o[0] != "-c" and not LINKER.match(o[0]) and not PREPROCESS.match(o[0]) and
               not (debug and re.match(r"-g(?!no-)", o[0]))]
    here = ["-I", os.path.dirname(source[0]) or "."] if source[1] == ASM else []
    done = run(command.compiler + flat(options) + here + ["-c", "-x", "assembler", path, "-o", output], quiet=True)
    return done.returncode, done.stderr.replace(path, source[0])


def compile_one(command, source, output):
    """One source to an object; the exit status."""
    with tempfile.TemporaryDirectory(prefix="previrt-") as folder:
        text, status = to_text(command, source, output, folder)
        if status:
            return status
        plain_abi = not any(OWN_ABI.match(name) for name in command.first)
        marked = Transform(text, compiled=source[1] == C and plain_abi)
        status, said = assemble(command, source, marked.run(), output, folder)
        if marked.count and marked.room and (status or said):
            original = assemble(command, source, text, os.path.join(folder, "plain.o"), folder)
            if original[0] == 0 and original[1] != said:
                marked.why_no_room = (said.strip().splitlines() or ["the assembler fails"])[-1]
                bare = Transform(text, compiled=marked.compiled, room=False)
                status, said = assemble(command, source, bare.run(), output, folder)
        if status:
            status, said = assemble(command, source, text, output, folder)
            if status == 0:
                note(f"{source[0]}: not treated: the marked text does not assemble. hint: {__doc__.splitlines()[0]}")
        if marked.count and marked.why_no_room:
            note(f"{source[0]}: no room for long replacements: {marked.why_no_room}")
        sys.stderr.write(said)
        return status


def object_of(command, source):
    """The object of a source with -c."""
    stem = os.path.splitext(os.path.basename(source[0]))[0]
    return command.output or stem + ".o"


def link(command, options):
    """Compile what is source, link, add the table."""
    with tempfile.TemporaryDirectory(prefix="previrt-") as folder:
        words, lto = [], any(w.startswith("-flto") for w in command.first) and "-fno-lto" not in command.first
        for number, item in enumerate(command.order):
            if isinstance(item, list):
                words += item
            elif item[1] == OTHER or lto:
                words += ["-x", item[2], item[0], "-x", "none"] if item[2] else [item[0]]
            else:
                target = os.path.join(folder, f"{number}-{os.path.basename(item[0])}.o")
                status = compile_one(command, item, target)
                if status:
                    return status
                words.append(target)
        output = command.output or "a.out"
        if not any(kind != OTHER for _, kind, _ in command.inputs):
            words = [w for w in words if w not in ("-MD", "-MMD", "-MP")]
        status = run(command.compiler + words + ["-o", output]).returncode
    return status or fill(output, options)


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
    options, compiler, rest = own_options(words)
    command = Command([compiler], rest)
    if command.passes_through():
        return run([compiler] + rest).returncode
    if command.link:
        return link(command, options)
    sources = [item for item in command.inputs if item[1] != OTHER]
    if command.output and len(sources) > 1:
        return run([compiler] + rest).returncode        # the compiler's own message
    for source in sources:
        status = compile_one(command, source, object_of(command, source))
        if status:
            return status
    return 0


if __name__ == "__main__":
    try:
        sys.exit(main(sys.argv[1:]))
    except PrevirtError as failure:
        print(failure, file=sys.stderr)
        sys.exit(1)
    except KeyboardInterrupt:
        sys.exit(130)
