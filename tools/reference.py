#!/usr/bin/python3
"""Put the tables of keys into config/README.md, between its markers, and the schemas of both files for editors beside it;
`--check` only says whether they are the same.

The keys, their defaults and what they mean are rows of tools/partitions/keys.py.
"""

import sys

sys.dont_write_bytecode = True      # generated files belong under build/ only

import argparse
import os

from kconfig import InputError, fault, read_text, run_tool, write_if_changed
from partitions.errata import ERRATA
from partitions.keys import BOARD, PARTITIONS
from partitions.schema import FILES, render
from readme import between, markdown

README = os.path.join(os.path.dirname(os.path.dirname(os.path.abspath(__file__))), "config", "README.md")


def default(key):
    """What a key is where the file does not say: in words, or as it would be written."""
    if key.required:
        return "needed"
    if key.says:
        return key.says
    if key.default is None:
        return "none"
    if isinstance(key.default, bool):
        return str(key.default).lower()
    if isinstance(key.default, str):
        return f'"{key.default}"'
    return f"0x{key.default:X}" if key.default > 1 << 16 else str(key.default)


def reference(tables):
    """The rows of a file's keys, table by table; keys of one meaning share one. Its tables themselves are not keys."""
    rows = [["key", "default", "meaning"]]
    for table in tables.values():
        groups = {}
        for key in filter(lambda key: key.doc, table.keys):
            groups.setdefault((default(key), key.doc), []).append(f"`{key.name}`")
        title = f"`{table.title}` " if table.title else ""
        for (value, doc), names in groups.items():
            rows.append([title + ", ".join(names), value, doc])
            title = ""
    return "\n".join(markdown(rows)) + "\n"


def errata():
    """The rows of the errata."""
    rows = [[str(row.number), row.parts, row.fault, row.code, f"`{row.test}`"] for row in ERRATA.values()]
    return "\n".join(markdown([["erratum", "cores", "what they do", "what we do", "test"], *rows])) + "\n"


def main(argv=None):
    """Command line."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--check", action="store_true", help="write nothing; exit status 1 if the tables differ")
    parser.add_argument("--readme", default=README)
    args = parser.parse_args(argv)
    text = read_text(args.readme, "README", "name it with --readme")
    for name, table in (("partitions", reference(PARTITIONS)), ("board", reference(BOARD)), ("errata", errata())):
        start, end = between(text, name, args.readme)
        if args.check and text[start:end] != table:
            raise InputError(fault(args.readme, text.count("\n", 0, start), f"the table `{name}` is not that of "
                                   "tools/partitions/keys.py", "make readme"))
        text = text[:start] + table + text[end:]
    if not args.check:
        write_if_changed(args.readme, text)
    for name in FILES:
        path = os.path.join(os.path.dirname(args.readme), name)
        if not args.check:
            write_if_changed(path, render(name, default))
        elif read_text(path, "schema", "make readme") != render(name, default):
            raise InputError(fault(path, None, "the schema is not that of tools/partitions/keys.py", "make readme"))
    return 0


if __name__ == "__main__":
    sys.exit(run_tool(main))
