#!/usr/bin/python3
"""bounds.py: the longest path of every road through the hypervisor, from the linked image.

    bounds.py --image build/demo/proteus.elf [--measure]

A road begins at a vector (config/vectors.def), split by the instruction that trapped (config/isa.def) or the hypercall
(hypercalls/hypercalls.def), or where a piece of a VM's start begins (`work`) or it waits (`idle`); it ends at the rfi to a guest,
or where the machine waits. Interrupts are off on all of it. Of each three bounds, if there are such paths:

  mfspr           in assembler, back to the same guest
  mfspr: switch   in assembler, to another guest
  mfspr: C        by C, whoever is next

and of each C function that a road calls (`schedule()`: the scheduler's decision). Units are those of tools/bench.py:
instructions (of an lmw or stmw its words) and cycles of its model, caches hit. The machine is believed to answer at once:
waiting for a UART is not in it. The graph is of the linked code alone (roads/code.py, known.py, paths.py); loops have their
bounds from notes beside them (roads/notes.py), the longest path is an integer program for GLPK (roads/graph.py).
Boot, before any guest, has no bound, and what never comes back to a guest, the end of a run, is on no road.

`masked` is the longest of all. `stack` is what C needs of the stack at most, which must fit. With --measure the image is run
under QEMU and the plugin (tools/bench.py): a road that is longer than its bound is an error, and so is a loop with more rounds
than its note says; `bound / measured` says how tight a bound is.

Writes bounds.json beside the image: {"roads": {name: {"bound", "cycles", "measured"}}, "masked": {"bound", "measured"}, "stack"}.
Exit status: 0; 1 if the image is refused, the stack does not fit, or a measured road is longer; 2 for wrong usage.
"""

import sys

sys.dont_write_bytecode = True      # generated files belong under build/ only

import argparse
import json
import os
import re

import bench
from kconfig import InputError, fault, read_text, run_tool, write_if_changed
from roads import known
from roads.code import Code
from roads.notes import Notes
from roads.paths import Paths
from run import table

KINDS = ("", ": switch", ": C")
C_CALLS = ("cold_light", "cold_full")
NO_CALL = 0xFFFF                    # a number that no hypercall has
FORMS = {"NONE": 0x001FF800, "E": 0}
WORD_KNOWN = 0xFC0007FF             # opcodes and Rc of a word whose operands are anything
TWI = 3 << 26


class Roads:
    """Of an image: its roads, by name."""

    def __init__(self, image, root=bench.ROOT):
        self.image = image
        self.code = Code(image)
        self.notes = Notes(root, os.path.join(os.path.dirname(image), "gen"), self.code)
        self.paths = Paths(self.code, self.notes)
        self.isa = bench.Isa(os.path.join(root, "config"), os.path.join(root, "hypercalls"))
        abi = read_text(os.path.join(root, "hypercalls", "abi.h"), "ABI")
        self.tag = int(re.search(r"#define HCALL_TAG\s+(\w+)", abi)[1], 0) << 16

    def ways_in(self):
        """(name, address, {register: value}, the fetched word, the comparisons of which none is true)"""
        symbols = self.code.symbols
        for name in self.isa.vectors.values():
            start = symbols.get(f"vector_{name}")
            if start is None:
                continue
            if name == "program" and "dispatch" in symbols:
                yield from self.instructions(start)
            elif name == "system_call" and "hcall_hot" in symbols:
                yield "sc", start, {0: known.known(0)}, None, None
                for number, call in sorted(self.isa.calls.items()):
                    yield f"hypercall {call}", start, {0: known.known(self.tag | number)}, None, None
                yield "hypercall of no number", start, {0: known.known(self.tag | NO_CALL)}, None, None
            else:
                yield {"system_call": "sc"}.get(name, name), start, {}, None, None
        if "work_loop" in symbols:
            yield "work", symbols["work_loop"], {}, None, None

    def instructions(self, start):
        """Of the program vector."""
        for (op, xo), (name, _) in self.isa.ops.items():
            yield name, start, {}, (WORD_KNOWN, op << 26 | xo << 1), None
        low = self.code.symbols["dispatch"]
        if "irfm_trap" in self.code.symbols:
            for value, name in self.isa.traps.items():
                yield f"twi {name}", start, {}, (0xFFE0FFFF, TWI | 1 << 21 | value), None
        yield "other program interrupt", start, {}, None, (low, low + self.code.sizes["dispatch"])

    def split(self, graph):
        """{kind: graph} of a road."""
        calls = {node for node in graph.cost if self.code.insns[node[0]].kind == "indirect"}
        switch = {node for node in graph.cost if node[0] == self.code.symbols.get("vcpu_switch")}
        found = {}
        for kind, without, through in ((KINDS[0], calls | switch, None), (KINDS[1], calls, switch), (KINDS[2], set(), calls)):
            part = graph.copy()
            if through is not None:
                part = through_one(part, through)
            if through is not None and part:
                without = {(node, layer) for node in without for layer in (0, 1)}
            if part and part.only_ways_out(without):
                found[kind] = part
        return found

    def all(self):
        """{name: {"bound", "cycles"}}"""
        tail, found = self.paths.idle_tail(), {}
        for name, start, values, word, none_of in self.ways_in():
            for kind, graph in self.split(self.paths.road(start, values, word, none_of)).items():
                insns, cycles = self.paths.longest(graph, lambda node: node[0][0] if isinstance(node[0], tuple) else node[0])
                found[name + kind] = {"bound": insns, "cycles": cycles}
        if tail[0]:                                     # behind an rfi, as `work`
            found["idle"] = {"bound": tail[0], "cycles": tail[1]}
        return found

    def functions(self):
        """{name(): {"bound", "cycles"}} of the C functions that roads call."""
        found = {}
        for start in sorted(self.paths.called | {self.code.symbols.get("schedule", 0)}):
            bound = self.paths.bounds.get((start, frozenset()))
            if bound:
                found[f"{self.code.names[start]}()"] = {"bound": bound[0], "cycles": bound[1]}
        return found

    def stack(self):
        """(bytes that C needs at most, bytes that there are)."""
        size = self.code.sections.get(".stack", 0)
        if not size:
            raise InputError(fault(self.image, None, "no section .stack", "is it a linked image?"))
        ends = [self.code.symbols[name] for name in ("boot", "unexpected") if name in self.code.symbols]
        return FIRST_FRAME + max((self.paths.depth(start) for start in (*self.paths.called, *ends)), default=0), size


FIRST_FRAME = 16


def through_one(graph, nodes):
    """The same road in two layers: the second begins behind one of the nodes, and only it has ends. None: it has none of them."""
    if not nodes & set(graph.cost):
        return None
    layers = type(graph)((graph.entry, 0))
    for node, following in graph.after.items():
        for layer in (0, 1):
            to = 1 if layer or node in nodes else 0
            layers.add((node, layer), graph.cost[node], [(other, to) for other in following], to == 1 and node in graph.ends)
    return layers


# ---------------------------------------------------------------- measured

def road_of(row, isa, calls, switch, idle):
    """Name of the road that an excursion took, or None: the boot, the end."""
    if row["from"] == "boot" or row["outcome"] == "end":
        return None
    walked = set(row.get("longest", ()))
    kind = KINDS[2] if walked & calls else KINDS[1] if switch in walked else KINDS[0]
    if row["from"] == "work" and row["vector"] == idle:
        return "idle"
    if row["from"] == "work" and row["vector"] not in isa.vectors:
        return "work" + kind
    name = isa.vector_name(row["vector"])
    if name == "program":
        mnemonic, operand = isa.decode(row["word"])
        name = f"twi {operand}" if mnemonic == "twi" else mnemonic
        if mnemonic is None or row["word"] & 1 and mnemonic != "twi" or name == "twi ":
            name = "other program interrupt"
    elif name == "system_call":
        call = isa.call_name(row["before"])
        name = "sc" if call is None else "hypercall of no number" if call.startswith("number ") else f"hypercall {call}"
    return name + kind


def measured(report, roads):
    """{name: instructions} of a plugin's report, the longest."""
    code, found = roads.code, {}
    calls = {insn.at for insn in code.insns.values() if insn.kind == "indirect"}
    switch = code.symbols.get("vcpu_switch")
    for row in report["excursions"]:
        name = road_of(row, roads.isa, calls, switch, code.symbols.get("idle_loop", 0) & 0xFFFF)
        if name and row["outcome"] == "preempted":      # not to its end: of any of its kinds
            name = name.partition(":")[0] + KINDS[2]
        if name:
            found[name] = max(found.get(name, 0), row["insns"]["max"])
    return found


def compare(bounds, found, image):
    """Enter what was measured; the faults: what is longer than its bound."""
    for name, insns in sorted(found.items()):
        row = bounds["roads"].get(name)
        if row is None:
            yield fault(image, None, f"{name}: measured {insns}, and there is no such road", "what does tools/roads not see?")
        else:
            row["measured"] = max(insns, row.get("measured", 0))
            if insns > row["bound"]:
                yield fault(image, None, f"{name}: measured {insns} instructions, the bound is {row['bound']}",
                            "a note that is too small: " + ", ".join(f"{k} = {v}" for k, v in list(bounds["loops"].items())[:3]))
    if found:
        bounds["masked"]["measured"] = max(found.values())


def count_loops(report, roads):
    """The faults: loops whose head was executed more often in the whole run than their bounds allow, as often as they were
    entered: no oftener than what is in front of them was executed."""
    times = {at: count for at, _, count in report.get("profile", ())}
    for head, (rounds, front) in sorted(roads.paths.counted.items()):
        if None not in front:
            entered = sum(times.get(at, 0) for at in front)
            if times.get(head, 0) > (rounds + 1) * entered:
                path, _, line = roads.code.place_of(head).rpartition(":")
                cause = f"a loop with {rounds} rounds at most begun {times[head]} times, and entered {entered} times at most"
                yield fault(path or roads.image, line or None, f"{roads.code.name_of(head)}: {cause}", "its note is too small")


# ---------------------------------------------------------------- report

def show(bounds, size):
    """The table."""
    rows = [["road", "bound", "cycles", "measured", "bound / measured"]]
    for name, row in [*bounds["roads"].items(), ("masked", bounds["masked"])]:
        ratio = f"{row['bound'] / row['measured']:.2f}" if row.get("measured") else "-"
        rows.append([name, str(row["bound"]), str(row.get("cycles", "-")), str(row.get("measured", "-")), ratio])
    for name, row in bounds["functions"].items():
        rows.append([name, str(row["bound"]), str(row["cycles"]), "-", "-"])
    return [*table(rows), "", f"stack: {bounds['stack']} bytes of {size}"]


def main(argv=None):
    """Read, bound, measure, print, write."""
    parser = argparse.ArgumentParser(prog="bounds.py", description=__doc__.split("\n", maxsplit=1)[0])
    parser.add_argument("--image", required=True, help="linked image, with its gen/ beside it")
    parser.add_argument("--measure", action="store_true", help="run it under the plugin, and compare")
    parser.add_argument("--report", action="append", default=[], help="a plugin's report of a run of the image; may repeat")
    parser.add_argument("--plugin", default=os.path.join(bench.ROOT, "build", "tools", "count.so"), help="built if need be")
    parser.add_argument("--work", default=os.path.join(bench.ROOT, "build", "bench"), help="folder for the plugin's reports")
    parser.add_argument("--timeout", type=bench.run.positive, default=300.0, help="seconds for the run (300)")
    parser.add_argument("--root", default=bench.ROOT, help="the tree whose notes count")
    parser.add_argument("--out", help="default: bounds.json beside the image")
    args = parser.parse_args(argv)
    args.walks = []
    roads = Roads(args.image, args.root)
    roads.notes.check_age(args.image, roads.code)
    found = roads.all()
    needed, size = roads.stack()
    bounds = {"roads": found, "masked": {"bound": max(row["bound"] for row in found.values())}, "stack": needed,
              "functions": roads.functions(), "loops": roads.paths.loops}
    reports = [json.loads(read_text(path, "plugin's report")) for path in args.report]
    if args.measure:
        bench.build_plugin(args.plugin)
        reports.append(bench.measure_image(args.image, args, "profile=on")[1])
    faults = []
    for report in reports:
        faults += [*count_loops(report, roads), *compare(bounds, measured(report, roads), args.image)]
    print("\n".join(show(bounds, size)))
    write_if_changed(args.out or os.path.join(os.path.dirname(args.image), "bounds.json"), json.dumps(bounds, indent=1) + "\n")
    if needed > size:
        faults.append(fault(args.image, None, f"C needs {needed} bytes of stack, there are {size}", "CONFIG_STACK_SIZE"))
    if faults:
        raise InputError(*faults)
    return 0


if __name__ == "__main__":
    sys.exit(run_tool(main))
