#!/usr/bin/python3
"""flow.py: who can influence whom in a product, and by what.

  flow.py --partitions build/demo/gen/partitions.json                     prints the edges, and for each VM whom it reaches
  flow.py --partitions build/demo/gen/partitions.json --out build/demo    draws them as well: flow.svg, by Graphviz' dot

What an edge is, and what the partition file can forbid of them: tools/partitions/flow.py. What is forbidden is checked with the
partition file, whenever it is read.
"""

import sys

sys.dont_write_bytecode = True      # generated files belong under build/ only

import argparse
import json
import os
import subprocess

from kconfig import InputError, fault, read_text, run_tool, write_if_changed
from partitions.flow import Edge, WEAK, path

COLOURS = {"memory": "#1f6feb", "doorbell": "#8250df", "device": "#bf8700", "dma": "#cf222e", "control": "#1a7f37",
           "plan": "#1a7f37", "reset": "#cf222e", "state": "#8c959f", "console": "#8c959f"}


def show(data, edges):
    """The lines of the text."""
    names = [vm["name"] for vm in data["vms"]]
    strong = [edge for edge in edges if edge.kind not in WEAK]
    rows = [["from", "to", "by", "line", "because"], *([e.source, e.target, e.kind, str(e.line), e.reason] for e in edges)]
    widths = [max(len(row[column]) for row in rows) for column in range(4)]
    lines = ["  ".join([*(cell.ljust(width) for cell, width in zip(row, widths)), row[4]]).rstrip() for row in rows]
    lines = lines if edges else ["no VM has an influence on another"]
    lines.append("")
    trusted = data["flow"]["trusted"]
    for name in names:
        reached = [other for other in names if path(strong, name, other, trusted)]
        signals = [other for other in names if path(edges, name, other, trusted) and other not in reached]
        also = f"; by state or console: {', '.join(signals)}" if signals else ""
        lines.append(f"{name} reaches {', '.join(reached) or 'nobody'}{also}")
    lines += [f"trusted: no way goes through {', '.join(trusted)}"] if trusted else []
    return lines


def dot(data, edges):
    """The graph for Graphviz; edges that are alike but for their reason are one."""
    lines = ['digraph flow {', '    rankdir=LR; node [shape=box, fontname="sans-serif"];',
             '    edge [fontname="sans-serif", fontsize=10];']
    lines += [f'    "{vm["name"]}"{" [peripheries=2]" if vm["name"] in data["flow"]["trusted"] else ""};' for vm in data["vms"]]
    alike = {}
    for edge in edges:
        alike.setdefault((edge.source, edge.target, edge.kind), []).append(edge.reason)
    for (source, target, kind), reasons in alike.items():
        style = ", style=dashed, constraint=false" if kind in WEAK else ""
        tip = "; ".join(reasons).replace('"', "'")
        lines.append(f'    "{source}" -> "{target}" [label="{kind}", color="{COLOURS[kind]}", tooltip="{tip}"{style}];')
    return "\n".join([*lines, "}", ""])


def draw(text):
    """As SVG."""
    try:
        result = subprocess.run(["dot", "-Tsvg"], input=text, capture_output=True, text=True, check=False)
    except FileNotFoundError:
        raise InputError("flow.py: there is no Graphviz. hint: tools/deps.sh flow") from None
    if result.returncode:
        raise InputError(f"flow.py: dot: {result.stderr.strip()}. hint: dot -Tsvg")
    return result.stdout


def main(argv=None):
    """Print, and draw."""
    parser = argparse.ArgumentParser(prog="flow.py", description=__doc__.split("\n", maxsplit=1)[0])
    parser.add_argument("--partitions", required=True, help="the product's gen/partitions.json")
    parser.add_argument("--out", help="folder for flow.svg")
    args = parser.parse_args(argv)
    try:
        data = json.loads(read_text(args.partitions, "partition table", "build the product first: make"))
        edges = [Edge(**edge) for edge in data["flow"]["edges"]]
    except (ValueError, KeyError, TypeError):
        raise InputError(fault(args.partitions, 1, "not a partition table", "build the product again: make")) from None
    print("\n".join(show(data, edges)))
    if args.out:
        write_if_changed(os.path.join(args.out, "flow.svg"), draw(dot(data, edges)))
        print(f"\n{os.path.join(args.out, 'flow.svg')}")
    return 0


if __name__ == "__main__":
    sys.exit(run_tool(main))
