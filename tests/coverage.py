#!/usr/bin/python3
"""coverage.py: a row of a table, or an option, that no test has tested fails the run.

    tests/coverage.py                      after the tests; the last line is `N rows, N covered`
    tests/coverage.py --lists FOLDER       the lists of tested rows (default: build/coverage)

Rows are those of config/isa.def, spr.def, vectors.def, stats.def, trace.def, of hypercalls/hypercalls.def and page.def, named
isa.mfspr, spr.srr0, vector.program, stat.irq, hcall.yield, page.srr0, and the symbols of Kconfig, named kconfig.UIC. A hypercall
of an option that Kconfig does not have (yet) is no row.

A row of a table counts if a test that ran says so: the tests write the names of the rows, one in a line, into
build/coverage/<test>.txt behind their last assertion about each (tests/unit: covered() in harness.h). Nothing else counts:
no comment, no pattern; a list that is older than its table is refused.

A symbol of Kconfig counts in the same way, or if the code of a test (not a comment) names CONFIG_<symbol>, or if a test has
the line `covers: kconfig.<symbol> ...` in a comment, because its subject is the option's file as a whole.

A name that is no row is an error: a test that outlived its row, or a slip of the pen. Exit status 1 if anything is missing
or wrong.
"""

import argparse
import glob
import io
import os
import re
import sys
import tokenize

TOP = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))
TABLES = {"isa": ("config/isa.def", r"ISA_(?:HOT|COLD)"), "spr": ("config/spr.def", r"SPR"),
          "vector": ("config/vectors.def", r"VECTOR"), "stat": ("config/stats.def", r"STAT"),
          "trace": ("config/trace.def", r"TRACE"),
          "hcall": ("hypercalls/hypercalls.def", r"HCALL"), "page": ("hypercalls/page.def", r"WORD")}
OPTION = re.compile(r',\s*(\w+),\s*"[^"]*"\)\s*$')        # of a hypercall: the last but one of its row
MARKER = re.compile(r"\bcovers:[ \t]+(.*)$", re.M)
NAME = re.compile(r"[a-z]+\.[A-Za-z0-9_]+")


class CoverageError(Exception):
    """A fault of the tables; the text is the whole message."""


def read(path):
    """A text file, whole."""
    with open(path, encoding="utf-8") as file:
        return file.read()


def without_c_comments(text):
    """The same lines, comments blanked."""
    return re.sub(r'/\*.*?\*/|//[^\n]*|"(?:\\.|[^"\\\n])*"',
                  lambda found: found[0] if found[0][0] == '"' else re.sub(r"[^\n]", " ", found[0]), text, flags=re.S)


def without_python_comments(path, text):
    """Python code without comments and docstrings (strings that are a statement)."""
    kept = []
    previous = tokenize.NEWLINE
    try:
        for token in tokenize.generate_tokens(io.StringIO(text).readline):
            statement = previous in (tokenize.NEWLINE, tokenize.INDENT, tokenize.DEDENT)
            if token.type != tokenize.COMMENT and not (token.type == tokenize.STRING and statement):
                kept.append(token.string)
            if token.type not in (tokenize.COMMENT, tokenize.NL):
                previous = token.type
    except (tokenize.TokenError, SyntaxError) as error:
        raise CoverageError(f"{path}:1: not Python: {error}. hint: run pyflakes3") from error
    return " ".join(kept)


def has_option(line, place, options):
    """Does Kconfig have the option of this hypercall?"""
    match = OPTION.search(line)
    if not match:
        raise CoverageError(f"{place}: a hypercall without an option. hint: one row, one line; its last words are OPTION, \"text\"")
    return f"kconfig.{match[1]}" in options


def table_rows(options):
    """{name: file:line} of all rows."""
    rows = {}
    for kind, (path, macro) in TABLES.items():
        found = 0
        for number, line in enumerate(without_c_comments(read(os.path.join(TOP, path))).splitlines(), 1):
            if re.match(rf"{macro}\(", line):
                match = re.match(rf"{macro}\(\s*(\w+)\s*[,)]", line)
                if not match:
                    raise CoverageError(f"{path}:{number}: a row without a name. hint: one row, one line")
                found += 1
                if kind != "hcall" or has_option(line, f"{path}:{number}", options):
                    rows[f"{kind}.{match[1]}"] = f"{path}:{number}"
        if not found:
            raise CoverageError(f"{path}:1: no rows. hint: is this still the table?")
    return rows


def option_rows():
    """{name: file:line} of all symbols."""
    rows = {}
    for number, line in enumerate(read(os.path.join(TOP, "Kconfig")).splitlines(), 1):
        match = re.match(r"(?:menu)?config\s+(\w+)", line)
        if match:
            rows[f"kconfig.{match[1]}"] = f"Kconfig:{number}"
    if not rows:
        raise CoverageError("Kconfig:1: no symbols. hint: is this still the file?")
    return rows


def listed(folder, tables):
    """(names with the places they are named at, faults) of the lists that the tests wrote."""
    names, faults = {}, []
    newest = max(os.path.getmtime(os.path.join(TOP, path)) for path, _ in TABLES.values())
    for path in sorted(glob.glob(os.path.join(folder, "*.txt"))):
        place = os.path.relpath(path, TOP)
        if os.path.getmtime(path) < newest:
            faults.append(f"{place}:1: older than the tables (config/, hypercalls/). hint: run the tests first (make test)")
            continue
        for number, line in enumerate(read(path).splitlines(), 1):
            if line.strip():
                names.setdefault(line.strip(), f"{place}:{number}")
    if not names:
        faults.append(f"{os.path.relpath(folder, TOP)}:1: no test has listed its rows. hint: make unit system")
    return names, faults + unknown(names, tables)


def unknown(names, tables):
    """Faults: names that are no row."""
    return [f"{place}: '{name}' is no row of a table. hint: remove it, or mend the name"
            for name, place in names.items() if name not in tables]


def test_files():
    """Paths of the tests' sources, relative to the top."""
    for folder, folders, files in os.walk(os.path.join(TOP, "tests")):
        folders[:] = sorted(name for name in folders if not name.startswith((".", "__")))
        for name in sorted(files):
            path = os.path.relpath(os.path.join(folder, name), TOP)
            if name.endswith((".c", ".S", ".h", ".py")) and path != os.path.join("tests", "coverage.py"):
                yield path


def named_options(options):
    """(symbols that tests name with the places, faults)."""
    names, marked = {}, {}
    for path in test_files():
        text = read(os.path.join(TOP, path))
        code = without_python_comments(path, text) if path.endswith(".py") else without_c_comments(text)
        for symbol in re.findall(r"\bCONFIG_(\w+)", code):
            names.setdefault(f"kconfig.{symbol}", path)
        for match in MARKER.finditer(text):
            place = f"{path}:{text.count(chr(10), 0, match.start()) + 1}"
            for word in match[1].replace("*/", "").split():
                marked.setdefault(word.strip(".,"), place)
    faults = []
    for name, place in marked.items():
        if not NAME.fullmatch(name) or name not in options:
            faults.append(f"{place}: '{name}' is no symbol of Kconfig. hint: rows of tables are listed by tests that run")
    return {**names, **marked}, faults


def main():
    """Print what is missing; 0 if nothing is."""
    parser = argparse.ArgumentParser(description=__doc__.split("\n", maxsplit=1)[0])
    parser.add_argument("--lists", default=os.path.join(TOP, "build", "coverage"), help="folder of the lists")
    args = parser.parse_args()
    options = option_rows()
    tables = table_rows(options)
    rows = {**tables, **options}
    tested, faults = listed(args.lists, rows)
    named, more = named_options(options)
    faults += more
    missing = [name for name in rows if name not in tested and (name in tables or name not in named)]
    for name in missing:
        hint = "name CONFIG_{0} in a test of tests/" if name in options else \
            "assert something, then list it (covered() in tests/unit/harness.h)"
        faults.append(f"{rows[name]}: {name} has no test. hint: " + hint.format(name.split(".")[1]))
    for fault in faults:
        print(fault, file=sys.stderr)
    print(f"{len(rows)} rows, {len(rows) - len(missing)} covered")
    return 1 if faults else 0


if __name__ == "__main__":
    try:
        sys.exit(main())
    except (CoverageError, OSError) as failure:
        print(failure, file=sys.stderr)
        sys.exit(1)
