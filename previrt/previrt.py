#!/usr/bin/python3
"""Pre-virtualization of a linked guest: a table of replacements for its sensitive instructions.

  previrt.py fill ELF                          from what cc.py marked at assembly (cc.py does it after a link by itself)
  previrt.py elf ELF [-o OUT] [--spare AREA]   without source: one-word replacements, longer ones as stubs in a spare area
  previrt.py report ELF [--json]               each sensitive instruction and what becomes of it
  previrt.py verify ELF                        proves that the table and the program agree
  previrt.py undo ELF [-o OUT]                 the file as it was, bit for bit
  previrt.py apply ELF -o OUT                  the code as the hypervisor's loader makes it, to look at

The table is a section that takes no memory, behind the end of the file; the code itself is not changed, so the program
still runs natively. README.md of this folder has the treatments, the table's format, guarantees and limits.
"""

import sys

sys.dont_write_bytecode = True      # generated files belong under build/ only

import argparse
import collections
import json
import struct

import table
from decide import DEFAULTS, Program
from check import verify
from elf import TABLE, Elf, extend, undo_record, write_file
from facts import PrevirtError
from sites import text_of


def number(text):
    """A number of the command line."""
    return int(text, 0)


def plain(path):
    """(the file without its table, its options or None)."""
    elf = Elf(path)
    record = undo_record(elf)
    if record is None:
        return elf, None
    original, options = record
    return Elf(path, original), options


def options_of(args, mode):
    """What was asked for."""
    return {"mode": mode, "boundary": args.boundary, "abi": getattr(args, "abi", None), "spare": getattr(args, "spare", []),
            "include": getattr(args, "include", []), "exclude": args.exclude,
            "vectors": getattr(args, "vectors", None), "callers": getattr(args, "callers", False),
            **{name: getattr(args, name, []) for name in ("real", "returns", "scratch", "segment")}}


def marks_of(args, elf):
    """The file with cc.py's marks, if strip has taken them from this one; its code is the same."""
    if not getattr(args, "marks", None):
        return None
    marks = plain(args.marks)[0]
    if [(s.addr, elf.content(s)) for s in elf.code] != [(s.addr, marks.content(s)) for s in marks.code]:
        raise PrevirtError(f"{args.elf}: its code is not that of {args.marks}. hint: --marks names the file before strip")
    return marks


def make(elf, options, unmarked=False, marks=None):
    """(decided sites, the file with its table). unmarked: a program without marks gets an empty table."""
    program = Program(elf, options, marks)
    if not program.whole and not unmarked and program.recorded() is None:
        raise PrevirtError(f"{elf.path}: nothing marked by cc.py in it. hint: build it with CC=\"previrt/cc.py "
                           "powerpc-linux-gnu-gcc\" (and keep debugging sections in the link script), name the file before strip "
                           "(--marks), or use `elf`")
    sites = program.decide()
    if program.elsewhere:
        print(f"{elf.path}: {program.elsewhere} marked instructions in sections that are not executable: they stay",
              file=sys.stderr)
    entries = [entry for site in sites for entry in site.entries]
    return sites, extend(program.elf, table.pack(entries, program.boundary), options, elf.data)


def summary(sites):
    """{treatment: number}, and for those that stay {why: number}."""
    return collections.Counter(site.how or "stays: " + site.why for site in sites)


def do_make(args, mode):
    """fill, elf."""
    elf, _ = plain(args.elf)
    sites, blob = make(elf, options_of(args, mode), marks=marks_of(args, elf))
    write_file(args.output or args.elf, blob, args.elf)
    if not args.quiet:
        counts = summary(sites)
        print(f"{args.output or args.elf}: {len(sites)} sensitive instructions: " +
              ", ".join(f"{n} {what}" for what, n in sorted(counts.items())))


def report_rows(program, sites):
    """The rows of a report."""
    names = program.code.names
    for site in sites:
        yield {"address": site.address, "place": names.at(site.address), "instruction": text_of(site.word),
               "treatment": site.how or "stays", "why": site.why, "hint": site.hint, "scratch": site.scratch, "stub": site.stub,
               "found": site.kind}


def do_report(args):
    """report."""
    elf, stored = plain(args.elf)
    options = stored or options_of(args, args.mode)
    program = Program(elf, options, marks_of(args, elf))
    rows = list(report_rows(program, program.decide()))
    counts = collections.Counter((r["treatment"], r["why"]) for r in rows)
    if args.json:
        totals = [{"treatment": t, "why": w, "count": n} for (t, w), n in sorted(counts.items(), key=str)]
        print(json.dumps({"file": args.elf, "table": stored is not None, "sites": rows, "totals": totals}, indent=1))
        return
    for row in rows:
        more = f": {row['why']}" if row["why"] else ""
        more += f" ({row['hint']})" if row["hint"] else ""
        more += f", r{row['scratch']}" if row["scratch"] is not None else ""
        more += f", 0x{row['stub']:08X}" if row["stub"] is not None else ""
        print(f"0x{row['address']:08X}  {row['place']:<32} {row['instruction']:<20} {row['treatment']}{more}")
    print("\n" + ("table in the file" if stored else "no table in the file: what `" + options["mode"] + "` would do") +
          "\n\n count  treatment")
    for (treatment, why), count in sorted(counts.items(), key=str):
        print(f"{count:6}  {treatment}{': ' + why if why else ''}")
    print(f"{len(rows):6}  in all")


def with_table(path):
    """(file with the table, program of the original, boundary, entries)."""
    elf = Elf(path)
    original, options = plain(path)
    section = elf.section(TABLE)
    if options is None or section is None:
        raise PrevirtError(f"{path}: no table in it. hint: `fill` or `elf` makes one")
    boundary, entries = table.unpack(path, elf.content(section))
    return elf, original, options, boundary, entries


def do_verify(args):
    """verify."""
    _, original, options, boundary, entries = with_table(args.elf)
    places, stubs = verify(Program(original, options, marks_of(args, original)), boundary, entries)
    print(f"{args.elf}: {len(entries)} entries agree with the code: {places} instructions, {stubs} stubs")


def do_undo(args):
    """undo."""
    elf, options = plain(args.elf)
    if options is None:
        raise PrevirtError(f"{args.elf}: no table in it. hint: it is as it was")
    write_file(args.output or args.elf, elf.data, args.elf)


def do_apply(args):
    """apply."""
    elf, _, _, _, entries = with_table(args.elf)
    blob = bytearray(elf.data)
    for index, entry in enumerate(entries):
        if entry.needs & ~args.features & table.NEEDS:
            continue
        at = elf.virtual(entry.paddr)
        segment = elf.segment_of(at, 4 * len(entry.new))
        if segment is None:
            raise PrevirtError(f"{args.elf}: entry {index}: 0x{at:08X} is not in the file. hint: only the loader can apply it")
        struct.pack_into(f">{len(entry.new)}I", blob, segment.offset + at - segment.vaddr, *entry.new)
    write_file(args.output, bytes(blob), args.elf)


def arguments(argv):
    """The command line."""
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    commands = parser.add_subparsers(dest="command", required=True, metavar="COMMAND")

    def command(name, text):
        sub = commands.add_parser(name, help=text, description=text)
        sub.add_argument("elf", metavar="ELF")
        return sub

    def making(sub):
        sub.add_argument("--boundary", type=number, default=DEFAULTS["boundary"], metavar="ADDR",
                         help="guest address between the two register pages (default 0x%(default)X)")
        sub.add_argument("--exclude", action="append", default=[], metavar="SECTION|SYMBOL", help="leave this alone")

    def whole(sub):
        sub.add_argument("--spare", action="append", default=[], metavar="SYMBOL[:SIZE]|ADDR:SIZE|auto",
                         help="memory for stubs; auto: the gaps behind sections of code")
        sub.add_argument("--segment", action="append", default=[], metavar="ADDR:SIZE",
                         help="add a segment of zeros for stubs, where neither the file nor its program has anything")
        sub.add_argument("--include", action="append", default=[], metavar="SECTION|SYMBOL",
                         help="this is code, too; * and ? stand for others; or an address")
        sub.add_argument("--returns", action="append", default=[], metavar="SYMBOL",
                         help="this comes back to the word behind its call, though nobody sees it (a switch of stacks)")
        sub.add_argument("--scratch", action="append", default=[], metavar="SYMBOL:REGISTERS",
                         help="nobody expects anything of these registers at its returns (restore_msr:r4,r5)")
        sub.add_argument("--callers", action="store_true",
                         help="functions whose address the file does not hold are called only by the branches it shows")
        sub.add_argument("--real", action="append", default=[], metavar="SECTION|SYMBOL",
                         help="this only runs with translation off: PID may be stored")
        sub.add_argument("--vectors", type=number, metavar="ADDR", help="exception vectors begin here (EVPR), as code")
        sub.add_argument("--abi", choices=["sysv"], help="functions keep the System V calling convention")

    def marked(sub):
        sub.add_argument("--marks", metavar="FILE", help="the program before strip, which takes cc.py's marks")

    for name in ("fill", "elf"):
        sub = command(name, {"fill": "table from what cc.py marked", "elf": "table without source"}[name])
        sub.add_argument("-o", "--output", metavar="OUT", help="write here, leave ELF alone")
        sub.add_argument("-q", "--quiet", action="store_true", help="say nothing if it went well")
        making(sub)
        if name == "fill":
            marked(sub)
    whole(sub)
    sub = command("report", "each sensitive instruction and what becomes of it")
    sub.add_argument("--json", action="store_true", help="for programs")
    sub.add_argument("--mode", choices=["fill", "elf"], default="elf", help="if there is no table yet")
    making(sub)
    whole(sub)
    marked(sub)
    marked(command("verify", "prove that table and program agree"))
    command("undo", "the file as it was").add_argument("-o", "--output", metavar="OUT")
    sub = command("apply", "the code as the loader makes it")
    sub.add_argument("-o", "--output", metavar="OUT", required=True)
    sub.add_argument("--features", type=number, default=0xFFFFFFFF, metavar="MASK", help="feature word of the VM")
    return parser.parse_args(argv)


def main(argv=None):
    """The command."""
    args = arguments(argv)
    if args.command in ("fill", "elf"):
        do_make(args, args.command)
    else:
        {"report": do_report, "verify": do_verify, "undo": do_undo, "apply": do_apply}[args.command](args)


if __name__ == "__main__":
    try:
        main()
    except PrevirtError as failure:
        print(failure, file=sys.stderr)
        sys.exit(1)
    except BrokenPipeError:
        sys.exit(1)
