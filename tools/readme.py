#!/usr/bin/python3
"""readme.py: both ledgers of the README, out of build/footprint.json and build/bench.json.

    readme.py            rewrite what stands between the markers <!-- NAME --> and <!-- /NAME --> (NAME: footprint, bench)
    readme.py --check    change nothing; a table that is not what was measured is an error, with its line

`make footprint bench` measures. Exit status: 0; 1 if a file is missing or bad, or with --check a table is old; 2 for wrong
usage.
"""

import sys

sys.dont_write_bytecode = True      # generated files belong under build/ only

import argparse
import json
import os
import tomllib

import bench
import footprint
import ledger
from kconfig import InputError, fault, read_text, run_tool, write_if_changed

ROOT = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))
DECISION = "decision_"


def markdown(rows):
    """A table, its first row the head."""
    lines = ["| " + " | ".join(row) + " |" for row in rows]
    return [lines[0], "|" + "---|" * len(rows[0]), *lines[1:]]


def load(path, how):
    """One of the reports under build/."""
    try:
        return json.loads(read_text(path, "report", f"run `make {how}` first"))
    except json.JSONDecodeError as error:
        raise InputError(fault(path, error.lineno, error.msg, f"run `make {how}` again")) from None


def footprint_table(report, targets):
    """Table 2: ours, the paper's, the target. Options that the paper does not have follow."""
    rows = [["component", "ours", "paper", "at most", ""]]
    missing = [key for key in footprint.COMPONENTS if key not in report["components"]]
    for key in footprint.COMPONENTS:
        size, target = report["components"].get(key), targets["size"][key]
        if size:
            rows.append([key, footprint.pair_text((size["text"], size["data"])), footprint.pair_text(target["paper"]),
                         footprint.pair_text(target["at_most"]), footprint.judge(size, target)])
    if missing:
        rows.append([", ".join(missing), "-", "-", "-", "not built yet"])
    for key, size in report["components"].items():
        if key not in footprint.COMPONENTS:
            rows.append([key, footprint.pair_text((size["text"], size["data"])), "-", "-", "not in the paper"])
    total = report["total"]
    rows.append(["product `full`, everything", footprint.pair_text((total["text"], total["data"])), "-", "-", ""])
    for key, size in report["per_vm"].items():
        rows.append(footprint.per_vm_row(key, size, targets["per_vm"].get(key)))
    return markdown(rows)


def verdict(judged):
    """The worst of what bench.py says: above and over as it does, otherwise ok."""
    return max((word.replace("aim", "ok") for word in judged), key=("ok", "above", "over").index)


def walk_row(paths, targets):
    """The sequences on the register pages, as one row: what the hypervisor executes + what the guest does, of each."""
    keys = [key for key in targets if key in paths and "guest" in paths[key]]

    def cell(pairs):
        """`0 + 1, 3, 5`; with each its own if the hypervisor executes anything."""
        pairs = list(pairs)
        if not any(hypervisor for hypervisor, _ in pairs):
            return "0 + " + ", ".join(str(guest) for _, guest in pairs)
        return ", ".join(f"{hypervisor} + {guest}" for hypervisor, guest in pairs)
    names = ", ".join(f"`{key.removeprefix(bench.WALK_PATH)}`" for key in keys)
    if not keys:
        return []
    return [[f"on the register pages (hypervisor + guest): {names}",
             cell((paths[key]["insns"], paths[key]["guest"]) for key in keys), "-", "-",
             cell((targets[key]["at_most"], targets[key]["guest"]) for key in keys),
             cell((targets[key]["aim"], targets[key]["guest_aim"]) for key in keys),
             verdict(bench.judge_row(paths[key], targets[key]) for key in keys)]]


def decision_row(paths, targets):
    """The decisions of the schedulers, as one row."""
    keys = [key for key in targets if key in paths and key.startswith(DECISION)]

    def cell(values):
        return ", ".join(str(value) for value in values)
    if not keys:
        return []
    return [[f"decision of a scheduler: {cell(f'`{key.removeprefix(DECISION)}`' for key in keys)}",
             cell(paths[key]["insns"] for key in keys), "-", cell(paths[key]["cycles"] for key in keys),
             cell(targets[key]["at_most"] for key in keys), cell(targets[key]["aim"] for key in keys),
             verdict(bench.judge_row(paths[key], targets[key]) for key in keys)]]


def mode_cell(row, mode):
    """Instructions of a run, and how much more than natively."""
    return f"{row[mode]} ({row[f'{mode}_overhead']:.3f} %)" if mode in row else "-"


def removed_cell(row, modes):
    """Share of the overhead of full virtualization that is gone in the other modes."""
    parts = [row.get(f"{mode}_removed") for mode in bench.MODES[1:] if mode != "optimize" or mode in modes]
    return ", ".join(bench.percent(part, 0) for part in parts)


def bench_table(report, targets):
    """Path lengths, and Table 1 behind them."""
    rows = [["path", "instructions", "with TLB_VIRT", "modelled cycles", "at most", "aim", ""]]
    for key, target in targets["paths"].items():
        path = report["paths"].get(key)
        if path and "guest" not in path and not key.startswith(DECISION):
            rows.append([f"`{key}`", str(path["insns"]), str(path.get("with_tlb", "-")), str(path["cycles"]),
                         str(target["at_most"]), str(target["aim"]),
                         verdict([bench.judge_row(path, target)])])
    rows += decision_row(report["paths"], targets["paths"]) + walk_row(report["paths"], targets["paths"])
    modes = [mode for mode in bench.MODES if any(mode in row for row in report["table1"].values())]
    table1 = [["workload", "native", *modes, "at most", "removed", "paper: full, para", "removed"]]
    for key, target in targets["table1"].items():
        row = report["table1"][key]
        limits = dict.fromkeys(bench.mode_limit(target, mode) for mode in modes)
        table1.append([key, str(row["native"]), *(mode_cell(row, mode) for mode in modes),
                       ", ".join(f"{limit} %" for limit in limits), removed_cell(row, modes),
                       f"{target['paper_full']} %, {target['paper_para']} %", bench.percent(bench.paper_removed(target), 0)])
    return [*markdown(rows), "", *markdown(table1)]


def between(text, name, path):
    """Start and end of what stands between the markers of a name."""
    first, last = f"<!-- {name} -->\n", f"<!-- /{name} -->\n"
    start, end = text.find(first), text.find(last)
    if start < 0 or end < start:
        raise InputError(fault(path, 1, f"the markers {first.strip()} and {last.strip()} are missing", "put them back"))
    return start + len(first), end


def main(argv=None):
    """Command line."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--check", action="store_true", help="only say whether the tables are what was measured")
    parser.add_argument("--readme", default=os.path.join(ROOT, "README.md"))
    parser.add_argument("--build", default=os.path.join(ROOT, "build"), help="folder of the reports")
    args = parser.parse_args(argv)
    with open(os.path.join(ROOT, "config", "targets.toml"), "rb") as stream:
        targets = tomllib.load(stream)
    reports = {name: load(os.path.join(args.build, f"{name}.json"), name) for name in ("footprint", "bench")}
    others = {report["compiler"] for report in reports.values() if not ledger.is_reference(targets, report.get("compiler"))}
    if others and args.check:
        print(f"note: compiled by {', '.join(sorted(others))}, and the README's figures are of "
              f"{targets['reference']['compiler']}: not compared\n0 passed, 0 failed, {len(reports)} skipped")
        return 0
    tables = {"footprint": footprint_table(reports["footprint"], targets), "bench": bench_table(reports["bench"], targets)}
    text = read_text(args.readme, "README", "name it with --readme")
    for name, lines in tables.items():
        start, end = between(text, name, args.readme)
        table = "\n".join(lines) + "\n"
        if args.check and text[start:end] != table:
            raise InputError(fault(args.readme, text.count("\n", 0, start), f"the table `{name}` is not what was measured",
                                   "make readme"))
        text = text[:start] + table + text[end:]
    if not args.check:
        write_if_changed(args.readme, text)
    print(f"{len(tables)} passed, 0 failed" if args.check else f"  README {args.readme}")
    return 0


if __name__ == "__main__":
    sys.exit(run_tool(main))
