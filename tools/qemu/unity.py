#!/usr/bin/python3
"""unity.py: make QEMU's build.ninja compile many sources at once.

    tools/qemu/unity.py BUILD-FOLDER TARGET

Most of the time to compile one of QEMU's nine hundred small sources goes into the same headers, and each of the files for its
trace points is made by a Python program of its own. So, of what TARGET is linked from: sources with the same flags
become parts of a larger one that includes them, and one process makes the trace files.

Sources share one only if nothing tells them apart: no name that one defines at file level (function, variable, type, macro,
constant) may occur in the other, and none may define macros before it includes a header. What is looked at is the text, so
this depends on no version; and if a compiler should still object, build.sh goes back to the build.ninja that is kept as
build.ninja.each.

Exit status: 0; 2 for wrong usage.
"""

import sys

sys.dont_write_bytecode = True      # generated files belong under build/ only

import importlib.util
import os
import re

LINES = 9000        # of a source that is put together; as long as the longest of QEMU's own, so that two cores have both to do
GENERATED = re.compile(r"^trace/trace-[^/]+\.c$")      # not made yet; names of their own throughout
# Taken from an archive one by one, if nothing better is there; a library whose headers have names like LI
SINGLE = re.compile(r"/stubs/|/vhost-user-server\.c$|/libdecnumber/")

COMMENT = re.compile(r"/\*.*?\*/|//[^\n]*|\"(?:\\.|[^\"\\\n])*\"", re.S)
DEFINED = [re.compile(pattern, re.M) for pattern in (
    r"^[ \t]*#[ \t]*define[ \t]+(\w+)",
    r"^static\b[^;{}=()]*?\b(\w+)[ \t\n]*\(",                           # a function
    r"^static\b[^;{}=()]*?\b(\w+)[ \t\n]*(?:\[[^\]]*\][ \t\n]*)*[=;]",  # a variable
    r"^static\b[^;{}=()]*?\b[A-Z_]+\([^()]*\)[ \t\n]*(\w+)",            # the same, by a macro: static QLIST_HEAD(, X) name
    r"^(?:typedef[ \t]+|static[ \t]+|const[ \t]+)*(?:struct|union|enum)[ \t]+(\w+)[ \t\n]*\{",
    r"^\}[ \t]*(\w+)[ \t]*;",
    r"^typedef\b[^;{}]*?\b(\w+)[ \t]*(?:\[[^\]]*\])?;",
    r"^typedef\b[^;{}]*?\([ \t]*\*?[ \t]*(\w+)[ \t]*\)[ \t]*\(",
    r"^(?:OBJECT_\w+|DECLARE_\w+|DEFINE_\w+)\([ \t\n]*(?:struct[ \t]+)?(\w+)",
    r"^(?:OBJECT_\w+|DECLARE_\w+|DEFINE_\w+)\([^,()]*,[ \t\n]*(\w+)")]
ENUM = re.compile(r"^(?:typedef[ \t]+)?enum\b[^{;]*\{([^}]*)\}", re.M)
GUARD = re.compile(r"^[ \t]*#[ \t]*(?:ifndef[ \t]+(\w+)\s+#[ \t]*define[ \t]+\1|pragma[ \t]+once)\b", re.M)
MACRO_CALLS = re.compile(r"^(?:QTAILQ|QLIST|QSIMPLEQ|QSLIST|[A-Z]+)_[A-Z_]+$")


class Source:
    """A source with the names that matter."""
    guards = {}     # of headers that were looked at

    def __init__(self, folder, path):
        self.path, self.alone, self.names, self.words, self.lines = path, False, set(), set(), 0
        if GENERATED.search(path):
            self.lines = LINES // 100       # not made yet
            return
        try:
            with open(os.path.join(folder, path), encoding="utf-8", errors="replace") as stream:
                text = stream.read()
        except OSError:
            self.alone = True
            return
        self.lines = text.count("\n")
        code = COMMENT.sub(lambda found: found.group() if found.group().startswith('"') else " ", text)
        last = max((found.start() for found in re.finditer(r"^[ \t]*#[ \t]*include\b", code, re.M)), default=0)
        self.alone = (self.lines > LINES // 2 or re.search(r"\.inc\b", text) is not None or SINGLE.search(path) is not None
                      or re.search(r"^[ \t]*#[ \t]*(define|undef|pragma)\b", code[:last], re.M) is not None)
        code = COMMENT.sub(" ", "\n".join([code, *self.headers(folder, code)]))
        for pattern in DEFINED:
            self.names.update(name for name in pattern.findall(code) if not MACRO_CALLS.match(name))
        for body in ENUM.findall(code):
            self.names.update(re.findall(r"(\w+)[ \t\n]*(?:=[^,]*)?(?:,|$)", body))
        self.words = set(re.findall(r"[A-Za-z_]\w*", code))

    def headers(self, folder, code):
        """Texts of headers that may be included only once and do not see to it: they are parts of the source. One whose guard
        is another header's makes the source one that stays alone."""
        for name in re.findall(r"^[ \t]*#[ \t]*include[ \t]*\"([^\"]+)\"", code, re.M):
            for place in (os.path.dirname(self.path), os.path.join(self.path[:self.path.find("/", 3)], "include")):
                header = os.path.normpath(os.path.join(folder, place, name))
                if os.path.exists(header):
                    with open(header, encoding="utf-8", errors="replace") as stream:
                        text = stream.read()
                    guard = GUARD.search(text)
                    if guard and self.guards.setdefault(guard.group(1) or header, header) != header:
                        self.alone = True
                    elif not guard:
                        yield text
                    break


def fits(source, parts):
    """May a source be compiled with those?"""
    return (not source.alone and sum(part.lines for part in parts) + source.lines <= LINES and
            all(not part.alone and not source.names & part.words and not part.names & source.words for part in parts))


def inputs(head):
    """Explicit inputs of a build line."""
    return re.split(r" \|\|? ", head.split(": ", 1)[1])[0].split()[1:]


def wanted(edges, target):
    """Objects that a target is linked from, and those in the archives that it names."""
    lines = edges[target].splitlines()
    found = {name for name in inputs(lines[0]) if name.endswith(".o")}
    for archive in re.findall(r"(?<!\S)[\w./-]+\.f?a(?!\S)", edges[target]):
        if archive in edges:
            found.update(name for name in inputs(edges[archive].splitlines()[0]) if name.endswith(".o"))
    return found


def together(blocks, edges, folder, target):
    """Replace objects by those of sources that are put together. Gives how many became how many."""
    groups, chosen = {}, {}
    for name in sorted(wanted(edges, target)):
        head, *settings = edges[name].splitlines()
        arguments = next(line for line in settings if line.startswith(" ARGS = "))
        if head.split(": ", 1)[1].startswith("c_COMPILER "):
            source = Source(folder, inputs(head)[0])
            chunks = groups.setdefault((os.path.dirname(name), arguments), [])
            for chunk in chunks:
                if fits(source, [part for _, part in chunk]):
                    chunk.append((name, source))
                    break
            else:
                chunks.append([(name, source)])
    for (place, arguments), chunks in groups.items():
        for chunk in (chunk for chunk in chunks if len(chunk) > 1):
            path = f"{place}/unity{len(set(chosen.values()))}.c"
            os.makedirs(os.path.join(folder, place), exist_ok=True)
            with open(os.path.join(folder, path), "w", encoding="utf-8") as stream:
                stream.writelines(f'#include "{os.path.abspath(os.path.join(folder, source.path))}"\n' for _, source in chunk)
            after = edges[chunk[0][0]].splitlines()[0].split(" || ", 1)[1]
            made = " ".join(source.path for _, source in chunk if GENERATED.search(source.path))
            blocks.append(f"build {path}.o: c_COMPILER {path}{' | ' + made if made else ''} || {after}\n"
                          f" DEPFILE = {path}.o.d\n DEPFILE_UNQUOTED = {path}.o.d\n{arguments}\n")
            chosen.update({name: f"{path}.o" for name, _ in chunk})
    for index, block in enumerate(blocks):
        head, rest = (block.split("\n", 1) + [""])[:2]
        if re.match(r"build \S+: (c_LINKER|cpp_LINKER|STATIC_LINKER)", head):
            words = dict.fromkeys(chosen.get(word, word) for word in head.split(" "))
            blocks[index] = " ".join(words) + "\n" + rest
    return len(chosen), len(set(chosen.values()))


def traces(blocks):
    """One process for all trace files. Gives how many there are."""
    commands, outputs, needs = [], [], {}
    for block in blocks:
        found = re.match(r"build (\S+): CUSTOM_COMMAND ([^\n]*)\n COMMAND = (\S+ \S+/tracetool\.py) ([^\n]*)", block)
        if found:
            outputs.append(found.group(1))
            needs.update(dict.fromkeys(word for word in found.group(2).split() if word != "|"))
            program, arguments = found.group(3), found.group(4)
            commands.append(arguments)
            blocks[blocks.index(block)] = ""
    if commands:
        python, script = program.split()
        blocks.append(f"rule TRACETOOL\n command = {python} {os.path.abspath(__file__)} --tracetool {script} $LIST\n"
                      " description = Generating trace files\n restat = 1\n")
        blocks.append(f"build {' '.join(outputs)}: TRACETOOL {' '.join(needs)}\n LIST = tracetool.list\n")
    return commands


def tracetool(script, path):
    """Run QEMU's tracetool for each line of a file, in this process."""
    sys.path.insert(0, os.path.dirname(os.path.abspath(script)))
    spec = importlib.util.spec_from_file_location("tracetool_main", script)
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    with open(path, encoding="utf-8") as stream:
        for line in stream:
            module.main([script, *line.split()])


def main(argv):
    """Command line."""
    if len(argv) == 4 and argv[1] == "--tracetool":
        tracetool(*argv[2:])
        return 0
    if len(argv) != 3:
        print("usage: tools/qemu/unity.py BUILD-FOLDER TARGET", file=sys.stderr)
        return 2
    folder, target = argv[1:]
    path = os.path.join(folder, "build.ninja")
    with open(path, encoding="utf-8") as stream:
        text = stream.read()
    blocks = re.split(r"\n\n+", text)
    edges = {block.split(": ", 1)[0][len("build "):]: block for block in blocks if block.startswith("build ")}
    old, new = together(blocks, edges, folder, target)
    commands = traces(blocks)
    with open(os.path.join(folder, "tracetool.list"), "w", encoding="utf-8") as stream:
        stream.writelines(f"{line}\n" for line in commands)
    os.replace(path, path + ".each")
    with open(path, "w", encoding="utf-8") as stream:
        stream.write("\n\n".join(blocks) + "\n")
    print(f"{old} sources in {new}, {len(commands)} trace files at once")
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv))
