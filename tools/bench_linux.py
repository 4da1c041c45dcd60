#!/usr/bin/python3
"""bench_linux.py: what an unmodified Linux costs as a guest, in instructions, and what each cause has of it.

    bench_linux.py --native build/guests/linux.elf --full build/linux/proteus.elf
                   --previrt build/linux-previrt/proteus.elf --patched build/guests/linux-previrt.elf
                   --out build/bench-linux.json

Every image is run once under QEMU with the plugin of bench.py, from start to reset; each of its VMs has to print PASS. Natively
all instructions count; of a VM, those of its own and those of the hypervisor in excursions that it began (bench.py has the
rules). The ratio is over the native run, and judged by [linux] of config/targets.toml.

Linux waits in a loop, which is counted like everything else, natively and as a guest. How much of a total that was is
stated beside it, from the kernel's symbols: functions of the loop, their stubs by the table in --patched, and the hypervisor
because of them. A guest whose work takes longer has less to wait: `work` is the total without that.

The profile has a row for each cause: what the VM trapped for, and how it went on (bench.py, Excursion). With --jitter, the
start latency of a periodic job beside Linux: see jitter_figures().

Exit status: 0; 1 if a run fails, an input is bad, or with --gate a target is missed; 2 for wrong usage.
"""

import sys

sys.dont_write_bytecode = True      # generated files belong under build/ only

import argparse
import json
import os

import bench
import run
from kconfig import InputError, fault, run_tool, write_if_changed

sys.path.append(os.path.join(bench.ROOT, "previrt"))

from elf import TABLE, Elf          # noqa: E402
from encoding import flow           # noqa: E402
from facts import PrevirtError      # noqa: E402
from table import unpack            # noqa: E402

MODES = ("full", "previrt")
IDLE = ("do_idle", "default_idle_call", "arch_cpu_idle")       # the loop of a kernel that has nothing to do


# ---------------------------------------------------------------- runs

def idle_walks(path, names=IDLE):
    """Where functions of the kernel are, as walks of the plugin: [(name, low, high)], by physical address."""
    from elftools.common.exceptions import ELFError
    from elftools.elf.elffile import ELFFile
    try:
        with open(path, "rb") as stream:
            elf = ELFFile(stream)
            segments = [segment.header for segment in elf.iter_segments("PT_LOAD")]
            table = elf.get_section_by_name(".symtab")
            found = {symbol.name: symbol.entry for symbol in (table.iter_symbols() if table else ()) if symbol.name in names}
    except (OSError, ELFError) as error:
        cause = os.strerror(error.errno) if isinstance(error, OSError) else f"not an ELF file: {error}"
        raise InputError(fault(path, None, f"can't read the kernel: {cause}", "build it first: make linux")) from None
    walks = []
    for name in names:
        if name not in found or not found[name].st_size:
            raise InputError(fault(path, None, f"no function {name}", "its idle loop has other names: see IDLE"))
        low = found[name].st_value
        segment = next((s for s in segments if s.p_vaddr <= low < s.p_vaddr + s.p_memsz), None)
        if segment is None:
            raise InputError(fault(path, None, f"{name} is in no segment", "is it a linked kernel?"))
        low += segment.p_paddr - segment.p_vaddr
        walks.append((name, low, low + found[name].st_size))
    return walks


def stub_walks(path, walks):
    """The stubs that these functions branch to, as walks, by the table of a pre-virtualized kernel."""
    try:
        elf = Elf(path)
        section = elf.section(TABLE)
        if section is None:
            raise PrevirtError(f"{path}: no table in it. hint: previrt/previrt.py elf makes one")
        _, entries = unpack(path, elf.content(section))
    except PrevirtError as error:
        raise InputError(str(error)) from None
    sizes = {entry.paddr: 4 * len(entry.new) for entry in entries}
    found = []
    for entry in entries:
        jump = flow(entry.new[0], entry.paddr)
        name = next((name for name, low, high in walks if low <= entry.paddr < high), None)
        if name and len(entry.new) == 1 and entry.new[0] >> 26 == 18 and jump.target in sizes:
            found.append((f"{name}_stub_{len(found)}", jump.target, jump.target + sizes[jump.target]))
    return found


def walk_arguments(walks, offset):
    """Arguments of the plugin for walks by physical address; offset: where address 0 of the VM is."""
    return [f"walk={name}:0x{low + offset:x}-0x{high + offset:x}" for name, low, high in walks]


def find_vm(vms, name, image):
    """The row of a VM in bench.read_partitions()."""
    found = next((vm for vm in vms if vm[0] == name), None)
    if found is None:
        raise InputError(fault(image, None, f"no VM {name}", f"its VMs are {', '.join(vm[0] for vm in vms)}: --vm"))
    return found


def totals(insns, hypervisor, walks):
    """A run in figures. walks: those of the plugin's report."""
    idle = sum(walk["insns"] + walk["hyp_insns"] for walk in walks.values())
    total = insns + hypervisor
    return {"insns": total, "guest": insns, "hypervisor": hypervisor, "idle": idle, "work": total - idle}


def measure_native(options):
    """Figures of the bare run."""
    arguments = ["native=on", *walk_arguments(idle_walks(options.native), 0)]
    report = bench.measure(options.native, arguments, options, None)
    return totals(report["vms"]["native"]["insns"], 0, report["walks"])


def measure_guest(image, options, isa, walks):
    """(figures, profile) of the VM in an image. walks: where it waits."""
    vms = bench.read_partitions(image)
    name, _, machine, _, guest = find_vm(vms, options.vm, image)
    arguments = [f"hyp=0x{low:x}-0x{high:x}" for low, high in bench.code_ranges(image)]
    arguments += [f"vm={vm}:0x{low:x}-0x{high:x}" for vm, _, low, high, _ in vms]
    arguments += walk_arguments(walks, machine - guest)
    report = bench.measure(image, arguments, options, [vm[0] for vm in vms])
    vm = report["vms"][name]
    excursions = [bench.Excursion(row, isa, image) for row in report["excursions"] if row["from"] == name]
    return totals(vm["insns"], vm["hyp_insns"], report["walks"]), profile(excursions)


# ---------------------------------------------------------------- figures

def profile(excursions):
    """A row for each cause, most instructions first."""
    kinds = {}
    for excursion in excursions:
        row = kinds.setdefault(excursion.kind, {"cause": excursion.kind, "count": 0, "insns": 0, "max": 0})
        row["count"] += excursion.row["count"]
        row["insns"] += excursion.row["insns"]["sum"]
        row["max"] = max(row["max"], excursion.row["insns"]["max"])
    for row in kinds.values():
        row["mean"] = round(row["insns"] / row["count"], 1)
    return sorted(kinds.values(), key=lambda row: (-row["insns"], row["cause"]))


def judge(ratio, limit):
    """ok or over."""
    return "-" if limit is None else "over" if ratio > limit else "ok"


def total_table(figures, targets):
    """The runs beside each other."""
    rows = [["linux", "insns", "guest", "hypervisor", "idle", "work", "ratio", "work", "at most", ""]]
    native = figures["native"]
    for mode in ("native", *MODES):
        if mode not in figures:
            continue
        row = figures[mode]
        ratio, limit = row["insns"] / native["insns"], targets.get(mode)
        rows.append([mode, *(str(row[key]) for key in ("insns", "guest", "hypervisor", "idle", "work")), f"{ratio:.3f}",
                     f"{row['work'] / native['work']:.3f}", "-" if limit is None else f"{limit:.2f}",
                     "-" if mode == "native" else judge(ratio, limit)])
    return run.table(rows)


def profile_table(mode, rows, native, limit):
    """What is left, by cause."""
    cells = [[f"{mode}: cause", "count", "insns", "mean", "max", "of native"]]
    for row in rows[:limit]:
        cells.append([row["cause"], str(row["count"]), str(row["insns"]), f"{row['mean']:.1f}", str(row["max"]),
                      f"{100 * row['insns'] / native:.2f} %"])
    rest = rows[limit:]
    if rest:
        insns, count = sum(row["insns"] for row in rest), sum(row["count"] for row in rest)
        cells.append([f"{len(rest)} others", str(count), str(insns), f"{insns / count:.1f}", str(max(r["max"] for r in rest)),
                      f"{100 * insns / native:.2f} %"])
    return run.table(cells)


def misses(figures, targets):
    """One sentence per target that is missed."""
    for mode in MODES:
        if mode in figures and mode in targets:
            ratio = figures[mode]["insns"] / figures["native"]["insns"]
            if ratio > targets[mode]:
                yield f"linux, {mode}: {ratio:.3f} times the native instructions, at most {targets[mode]}"


def parse_arguments(argv):
    """The command line."""
    parser = argparse.ArgumentParser(prog="bench_linux.py", description=__doc__.split("\n", maxsplit=1)[0])
    parser.add_argument("--native", required=True, metavar="LINUX.elf", help="the kernel, run bare; with its symbols")
    for mode in MODES:
        parser.add_argument(f"--{mode}", metavar="IMAGE", help=f"image with Linux as a guest, {mode}")
    parser.add_argument("--patched", metavar="LINUX-PREVIRT.elf", help="the kernel with the table that --previrt applies")
    parser.add_argument("--vm", default="linux", help="name of its VM (linux)")
    parser.add_argument("--plugin", default=os.path.join(bench.ROOT, "build", "tools", "count.so"), help="built if need be")
    parser.add_argument("--cc", default=os.environ.get("HOSTCC", "gcc"), help="host compiler for the plugin")
    parser.add_argument("--config", default=os.path.join(bench.ROOT, "config"), help="folder of isa.def, spr.def, targets.toml")
    parser.add_argument("--work", default=os.path.join(bench.ROOT, "build", "bench"), help="folder for the plugin's reports")
    parser.add_argument("--out", default=os.path.join(bench.ROOT, "build", "bench-linux.json"))
    parser.add_argument("--timeout", type=run.positive, default=300.0, help="seconds for each run (300)")
    parser.add_argument("--causes", type=int, default=24, help="rows of each profile that are printed (24)")
    parser.add_argument("--gate", action="store_true", help="a missed target is an error")
    args = parser.parse_args(argv)
    if not any(getattr(args, mode) for mode in MODES):
        parser.error("nothing to compare: give --full or --previrt")
    return args


def main(argv=None):
    """Run, print the tables, write the JSON."""
    options = parse_arguments(argv)
    targets = bench.read_targets(os.path.join(options.config, "targets.toml")).get("linux", {})
    isa = bench.Isa(options.config)
    bench.build_plugin(options.plugin, options.cc)
    figures, profiles = {"native": measure_native(options)}, {}
    walks = idle_walks(options.native)
    stubs = stub_walks(options.patched, walks) if options.patched else []
    for mode in MODES:
        if getattr(options, mode):
            waits = walks + stubs if mode == "previrt" else walks
            figures[mode], profiles[mode] = measure_guest(getattr(options, mode), options, isa, waits)
    native = figures["native"]["insns"]
    print("\n".join(total_table(figures, targets)))
    for mode, rows in profiles.items():
        print("\n" + "\n".join(profile_table(mode, rows, native, options.causes)))
    out = {"linux": {mode: row["insns"] for mode, row in figures.items()}, "runs": figures, "profile": profiles}
    write_if_changed(options.out, json.dumps(out, indent=1) + "\n")
    missed = list(misses(figures, targets))
    for text in missed:
        print(f"bench_linux.py: {text}", file=sys.stderr)
    return 1 if missed and options.gate else 0


if __name__ == "__main__":
    sys.exit(run_tool(main))
