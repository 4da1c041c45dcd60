#!/usr/bin/python3
"""bench_ipc.py: what messages between VMs cost, and drivers that are partitions, in instructions.

    bench_ipc.py --image ipc=build/bench-ipc/proteus.elf --image equal=... --image disk=... --image card=...
                 --bare disk=build/guests/ipcbench.elf,ref405ep --bare card=build/guests/ml403/ipcbench.elf,virtex-ppc405
                 --out build/bench-ipc.json

Every image is run once under QEMU; those of its VMs that have a verdict have to pass, or no figure is used. The figures are
lines of the guest tests/guests/ipcbench, `ipcbench: <name> ticks <sum> for <count> <what>`. Ticks are of the time base, which
-icount makes count instructions: everybody's, the hypervisor's included (an lmw or stmw is one). What a figure is:

  doorbell_switch   from the instruction in front of ipcm_notify to the first of the other VM's handler, which runs next by policy
  null_connect      connect, of an end whose other nobody has asked for; close: of the same, 4 KiB are cleared
  message64         a message of 64 bytes, from ring_send() to the other VM having it, which was asleep and runs next
  round_trip64      the same, and one of 64 bytes back
  urgent64          bytes in a thousand instructions of a stream of such messages, when the receiver runs as soon as it is rung;
  urgent4096        likewise of 4 KiB. stream64, stream4096: when it runs while the sender waits for room
  disk_write, disk_read   bytes in a million instructions of a client of the disk driver in a partition, 4 KiB at a time;
                    native_disk_write, ...: of the bare program that calls the same driver, and has no other
  card              bytes in a million instructions, of frames of 1514 through the network driver in a partition to the wire;
                    native_card: of the bare program that calls the same driver

A row of [ipc] of config/targets.toml is a bound: at_most of a cost, at_least of a rate.

Exit status: 0; 1 if a run fails, an input is bad, or with --gate a target is missed; 2 for wrong usage.
"""

import sys

sys.dont_write_bytecode = True      # generated files belong under build/ only

import argparse
import json
import os
import re

import ledger
import run
from kconfig import InputError, fault, run_tool, write_if_changed
from machine import Machine, REF405EP, of_image

ROOT = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))
FIGURE = re.compile(r"^ipcbench: (\w+) ticks (\d+) for (\d+) (times|bytes)$")
NS = 10**9                  # of a second, and -icount shift=0 has an instruction in each

# Of a figure: of which run, and in how many instructions a rate is
COST = None
FIGURES = {
    "doorbell_switch": ("ipc", COST), "null_connect": ("ipc", COST), "close": ("ipc", COST), "message64": ("ipc", COST),
    "round_trip64": ("ipc", COST), "urgent64": ("ipc", 1000), "urgent4096": ("ipc", 1000),
    "stream64": ("equal", 1000), "stream4096": ("equal", 1000),
    "disk_write": ("disk", 10**6), "disk_read": ("disk", 10**6), "card": ("card", 10**6),
    "native_disk_write": ("bare disk", 10**6), "native_disk_read": ("bare disk", 10**6), "native_card": ("bare card", 10**6),
}
NATIVE = "native_"          # of what a rate is a share of


def machine_named(name):
    """The machine of a bare run."""
    return REF405EP if name == REF405EP.name else Machine(name, 0, True, None, 300000000)


def measure(label, image, machine, names, timeout):
    """{figure: (instructions, count, unit)} of a run; names: VMs that have to pass, None of a bare program."""
    until = run.all_decided(names) if names else None
    try:
        result = run.run(image=image, timeout=timeout, machine=machine, until=until)
    except run.RunError as error:
        raise InputError(str(error)) from None
    failed = [line for line in result.lines if "FAIL" in line]
    passed = all(name in result.vms and result.vms[name].verdict == "PASS" for name in names) if names else \
        "ipcbench: PASS" in result.lines
    if failed or not passed:
        raise InputError(fault(image, None, f"{label}: {failed[0] if failed else 'it did not pass'}",
                               "see it with tools/run.py --image"))
    lines = [line for vm in result.vms.values() for line in vm.lines] if names else result.lines
    matches = filter(None, map(FIGURE.match, lines))
    return {match[1]: (int(match[2]) * NS / machine.hertz, int(match[3]), match[4]) for match in matches}


def verdict_names(image):
    """VMs of an image that have to pass."""
    return run.expected_vms(None, image)


def figures(found):
    """{figure: value} of what the runs gave: {run: {name: (instructions, count, unit)}}."""
    values = {}
    for name, (label, per) in FIGURES.items():
        if label not in found:
            continue
        if name not in found[label]:
            raise InputError(f"bench_ipc.py: {label} has no figure {name}. hint: is it the image that the Makefile builds?")
        insns, count, _ = found[label][name]
        values[name] = round(insns / count if per is COST else count * per / insns, 1)
    return values


def judge(name, value, target):
    """ok or over: a cost is not above its bound, a rate not below it."""
    if not target:
        return "-"
    return "ok" if value <= target.get("at_most", value) and value >= target.get("at_least", value) else "over"


def allow(targets, compiler):
    """The bounds, for another compiler than the reference wider by its percentage."""
    if ledger.is_reference(targets, compiler):
        return targets["ipc"]
    others = targets["reference"]["others"]
    sign = {"at_most": 1, "at_least": -1}
    return {name: {key: limit * (100 + sign[key] * others) / 100 for key, limit in target.items()}
            for name, target in targets["ipc"].items()}


def table(values, targets):
    """The lines of the table."""
    rows = [["figure", "", "bound", "of native", "unit", ""]]
    for name, value in values.items():
        target, per = targets.get(name, {}), FIGURES[name][1]
        bound = next((f"{key.replace('_', ' ')} {limit:g}" for key, limit in target.items()), "-")
        native = values.get(NATIVE + name)
        unit = "instructions" if per is COST else f"bytes per {per} instructions"
        rows.append([name, f"{value:.0f}" if value >= 1000 else f"{value:.1f}", bound,
                     f"{100 * value / native:.0f} %" if native else "-", unit, judge(name, value, target)])
    return run.table(rows, (0, 4))


def pair(text):
    """Argument type: NAME=VALUE."""
    name, equals, value = text.partition("=")
    if not equals or not name or not value:
        raise argparse.ArgumentTypeError(f"{text}: write NAME=FILE")
    return name, value


def bare(text):
    """Argument type: NAME=GUEST.elf,MACHINE."""
    name, value = pair(text)
    guest, comma, machine = value.rpartition(",")
    if not comma or not guest or not machine:
        raise argparse.ArgumentTypeError(f"{text}: write NAME=GUEST.elf,MACHINE")
    return name, guest, machine


def main(argv=None):
    """Run, print the table, write the JSON."""
    parser = argparse.ArgumentParser(prog="bench_ipc.py", description=__doc__.split("\n", maxsplit=1)[0])
    parser.add_argument("--image", action="append", default=[], type=pair, metavar="RUN=IMAGE", help="ipc, equal, disk, card")
    parser.add_argument("--bare", action="append", default=[], type=bare, metavar="RUN=GUEST.elf,MACHINE", help="disk, card")
    parser.add_argument("--config", default=os.path.join(ROOT, "config"), help="folder of targets.toml")
    parser.add_argument("--out", default=os.path.join(ROOT, "build", "bench-ipc.json"))
    parser.add_argument("--timeout", type=run.positive, default=120.0, help="seconds for each run (120)")
    parser.add_argument("--gate", action="store_true", help="a missed target is an error")
    args = parser.parse_args(argv)
    if not args.image and not args.bare:
        parser.error("nothing to run: give --image or --bare")
    targets = ledger.read(os.path.join(args.config, "targets.toml"), ("ipc",))
    found = {label: measure(label, image, of_image(image), verdict_names(image), args.timeout) for label, image in args.image}
    found |= {f"bare {label}": measure(label, guest, machine_named(machine), None, args.timeout)
              for label, guest, machine in args.bare}
    values = figures(found)
    compiler = ledger.compiler_of(args.image[0][1]) if args.image else None
    bounds = allow(targets, compiler)
    print("\n".join(table(values, bounds)))
    write_if_changed(args.out, json.dumps({"figures": values, "compiler": compiler}, indent=1) + "\n")
    missed = [name for name, value in values.items() if judge(name, value, bounds.get(name)) == "over"]
    for name in missed:
        print(f"bench_ipc.py: {name}: {values[name]}, and {', '.join(f'{key} {limit:g}' for key, limit in bounds[name].items())} "
              "is the bound of [ipc] in config/targets.toml", file=sys.stderr)
    return 1 if missed and args.gate else 0


if __name__ == "__main__":
    sys.exit(run_tool(main))
