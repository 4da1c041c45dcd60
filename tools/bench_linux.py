#!/usr/bin/python3
"""bench_linux.py: what an unmodified Linux costs as a guest, in instructions, and what each cause has of it.

    bench_linux.py --native build/guests/linux.elf --full build/linux/proteus.elf
                   --optimize build/linux-optimize/proteus.elf
                   --previrt build/linux-previrt/proteus.elf --patched build/guests/linux-previrt.elf
                   --out build/bench-linux.json

Every image is run once under QEMU with the plugin of bench.py, from start to reset; each of its VMs has to print PASS. Natively
all instructions count; of a VM, those of its own and those of the hypervisor in excursions that it began (bench.py has the
rules). The ratio is over the native run, and judged by [linux] of config/targets.toml.

Linux waits in a loop, which is counted like everything else, natively and as a guest. How much of a total that was is
stated beside it, from the kernel's symbols: functions of the loop, their stubs by the table in --patched, and the hypervisor
because of them. A guest whose work takes longer has less to wait: `work` is the total without that. Stubs of one that is
optimized while it runs are in no table: what of them is the loop's counts as work.

The profile has a row for each cause: what the VM trapped for, and how it went on (bench.py, Excursion).

With --jitter IMAGE --jitter-native GUEST.elf: how late the jobs of a real-time guest start, from release to the job's first
instructions, in instructions by the guest's own clock; bare, and beside a Linux that works all the time (its self-check
is repeated, by a word of its arguments in a copy of the image). The run ends when the real-time guest has passed, which it
does with all jobs in time only.

Exit status: 0; 1 if a run fails, an input is bad, or with --gate a target is missed; 2 for wrong usage.
"""

import sys

sys.dont_write_bytecode = True      # generated files belong under build/ only

import argparse
import json
import os
import re

import bench
import run
from kconfig import InputError, fault, run_tool, write_if_changed
from machine import PATCHED

sys.path.append(os.path.join(bench.ROOT, "previrt"))

from elf import TABLE, Elf          # noqa: E402
from encoding import flow           # noqa: E402
from facts import PrevirtError      # noqa: E402
from table import unpack            # noqa: E402

MODES = ("full", "optimize", "previrt")
ROUNDS, MANY = b"rounds=0001", b"rounds=9999"                   # of Linux's arguments: tests/guests/linux/board.dts
SAMPLE = re.compile(r" t=(\d+)")                               # tests/guests/apps/jitter.c
NS_PER_INSN = 1                                                # tools/run.py's -icount shift=0
BARS, BUCKETS = 50, 20                                         # of the histogram: the longest bar, and rows
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
    report = bench.measure(options.native, arguments, options, None, options.native_qemu)
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


def busy_copy(image, target):
    """A copy of an image in which Linux checks itself for ever."""
    try:
        with open(image, "rb") as stream:
            data = stream.read()
    except OSError as error:
        raise InputError(fault(image, None, f"can't be read: {error.strerror}", "build it first: make")) from None
    if data.count(ROUNDS) != 1:
        raise InputError(fault(image, None, f"{ROUNDS.decode()} is not in it exactly once", "is there one Linux in it?"))
    os.makedirs(os.path.dirname(target) or ".", exist_ok=True)
    with open(target, "wb") as stream:
        stream.write(data.replace(ROUNDS, MANY))
    return target


def check_jitter(result, image, name, linux=None):
    """The samples, in ticks, of a run in which the guest has passed, and Linux worked all the time."""
    vm = result.vm(name) if linux else result.as_bare(name)
    if vm.verdict != "PASS" or list(result.trouble()):
        cause = next(iter(result.trouble()), f"{name}: {run.verdict(vm)}: {vm.lines[-1] if vm.lines else ''}")
        raise InputError(fault(image, None, cause, "see it with tools/run.py --image"))
    if linux and (not result.vm(linux).lines or result.vm(linux).verdict or result.vm(linux).stops):
        raise InputError(fault(image, None, f"{linux} did not work all the time", "is it started at boot?"))
    samples = [int(text) for line in vm.lines for text in SAMPLE.findall(line)]
    jobs = re.search(r"\bjobs=(\d+)", vm.detail)
    if not jobs or int(jobs[1]) != len(samples):
        raise InputError(fault(image, None, f"{name} has printed {len(samples)} samples", "one for each job is expected"))
    return samples


def measure_jitter(options):
    """Figures of both runs, and what the image's slice is, in instructions."""
    path = os.path.join(os.path.dirname(options.jitter), "gen", "partitions.json")
    try:
        facts = json.loads(bench.read_text(path, "partition table"))
        tick = 1e9 / facts["board"]["tb_hz"] / NS_PER_INSN
        quantum = round(facts["schedule"]["quantum_us"] * 1000 / NS_PER_INSN)
    except (ValueError, KeyError, TypeError, ZeroDivisionError) as error:
        raise InputError(fault(path, 1, f"not a partition table: {error!r}", "build it again: make")) from None
    name = os.path.splitext(os.path.basename(options.jitter_native))[0]
    copy = busy_copy(options.jitter, os.path.join(options.work, "linux-jitter.elf"))
    try:
        bare = run.run(image=options.jitter_native, timeout=options.timeout)
        beside = run.run(image=copy, timeout=options.timeout, until=run.all_decided([name]))
    except run.RunError as error:
        raise InputError(str(error)) from None
    finally:
        os.unlink(copy)
    return {"native": jitter_figures(check_jitter(bare, options.jitter_native, name), tick),
            "full": jitter_figures(check_jitter(beside, options.jitter, name, options.vm), tick),
            "quantum": quantum, "misses": 0}


# ---------------------------------------------------------------- figures

def jitter_figures(ticks, tick):
    """Start latencies in instructions: the extremes, and a histogram [[from, jobs]] of buckets of equal width."""
    samples = sorted(round(value * tick) for value in ticks)
    width = max(1, -(-(samples[-1] + 1) // BUCKETS))
    counts = [0] * (samples[-1] // width + 1)
    for value in samples:
        counts[value // width] += 1
    return {"jobs": len(samples), "min": samples[0], "median": samples[len(samples) // 2],
            "mean": round(sum(samples) / len(samples)), "max": samples[-1], "width": width,
            "histogram": [[index * width, count] for index, count in enumerate(counts)]}


def jitter_table(jitter):
    """The figures of both runs, and the histogram of the one beside Linux."""
    rows = [["start latency, insns", "jobs", "missed", "min", "median", "mean", "max"]]
    for mode, text in (("native", "bare"), ("full", "beside Linux")):
        row = jitter[mode]
        rows.append([text, str(row["jobs"]), str(jitter["misses"]), *(str(row[key]) for key in ("min", "median", "mean", "max"))])
    yield from run.table(rows)
    yield f"a slice of round robin: {jitter['quantum']} instructions"
    most = max(count for _, count in jitter["full"]["histogram"])
    bars = [["from", "jobs"]] + [[str(low), str(count)] for low, count in jitter["full"]["histogram"]]
    lines = list(run.table(bars))
    yield lines[0]
    for line, (_, count) in zip(lines[1:], jitter["full"]["histogram"]):
        yield f"{line}  {'#' * -(-BARS * count // most)}".rstrip()


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
    parser.add_argument("--native-qemu", default=PATCHED, metavar="QEMU",
                        help="what runs it: on the distribution's, data go to the wrong process (build/qemu/qemu-system-ppc)")
    for mode in MODES:
        parser.add_argument(f"--{mode}", metavar="IMAGE", help=f"image with Linux as a guest, {mode}")
    parser.add_argument("--patched", metavar="LINUX-PREVIRT.elf", help="the kernel with the table that --previrt applies")
    parser.add_argument("--jitter", metavar="IMAGE", help="image with Linux and a guest that measures its start latency")
    parser.add_argument("--jitter-native", metavar="GUEST.elf", help="that guest, run bare")
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
    if bool(args.jitter) != bool(args.jitter_native):
        parser.error("--jitter and --jitter-native belong together")
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
    if options.jitter:
        out["jitter"] = measure_jitter(options)
        print("\n" + "\n".join(jitter_table(out["jitter"])))
    write_if_changed(options.out, json.dumps(out, indent=1) + "\n")
    missed = list(misses(figures, targets))
    for text in missed:
        print(f"bench_linux.py: {text}", file=sys.stderr)
    return 1 if missed and options.gate else 0


if __name__ == "__main__":
    sys.exit(run_tool(main))
