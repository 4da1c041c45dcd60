#!/usr/bin/python3
"""bench.py: exact path lengths and Table 1, measured by the plugin tools/plugin, beside the targets.

    bench.py --image build/bench/proteus.elf --image build/demo/proteus.elf
             --table1 ctask=build/guests/ctask.elf,build/minimal/proteus.elf --out build/bench.json

Every image is run once under QEMU with the plugin; each of its VMs has to print PASS, or its figures are not used. The
partitions are read from gen/partitions.json beside the image. A figure is the *longest* excursion of its path over all
runs, in hypervisor instructions from the vector to the rfi (an lmw or stmw counts one per word). What a path is:

  mfspr, mtspr   of a shadowed register: spr.def calls the access PLAIN and names a word of the register file, which is
                 not TSR's (its value is made of the time); the guest resumes at the next instruction
  mfmsr          likewise
  mtmsr          likewise, so without a change of mode that lets an interrupt in, waits, or gives the machine away
  wrteei         likewise; wrtee and wrteei
  rfi            the guest resumes where its SRR0 says; no other VM, no interrupt on the way
  sc_reflect     sc, resumed at the guest's own system-call vector
  hypercall      sc of a VM named `bench`, resumed at the next instruction (that guest makes null hypercalls only)
  tlbwe          one tlbwe, resumed at the next instruction
  tlb_refill     data or instruction TLB miss, resumed at the access that missed
  pit_delivery   PIT interrupt of the machine, resumed at the PIT vector of the VM that was running
  vm_switch      timer interrupt of the machine while a VM was running, resumed with another VM where that was interrupted
                 (one that wakes or is interrupted at the same time takes its interrupt as well: vm_switch_deliver)

Table 1 is the number of instructions from a VM's first to its last, natively and virtualized: with one VM in the image,
everything executed in between, the hypervisor included; with several, the VM's own plus those of its excursions.

Exit status: 0; 1 if a run fails, an input is bad, or with --gate a target is missed; 2 for wrong usage.
"""

import sys

sys.dont_write_bytecode = True      # generated files belong under build/ only

import argparse
import json
import os
import re
import shutil
import subprocess
import tomllib

import run
from kconfig import InputError, fault, read_text, run_tool, write_if_changed

ROOT = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))
PLUGIN_DIR = os.path.join(ROOT, "tools", "plugin")
PLUGIN_FLAGS = ["-std=c11", "-O2", "-Wall", "-Wextra", "-Werror", "-shared", "-fPIC", "-fvisibility=hidden"]
PF_MERGE = 0x10000      # executable sections nearer to each other than this become one range for the plugin

VECTOR_DSI, VECTOR_PROGRAM, VECTOR_SC, VECTOR_PIT = 0x0300, 0x0700, 0x0C00, 0x1000
VECTOR_DTLB, VECTOR_ITLB = 0x1100, 0x1200
TIMER_VECTORS = (0x1000, 0x1010, 0x1020)
PSEUDO = ("boot", "idle", "resuming", "end")    # parties of the plugin's report that are no VM

DEF_ROW = re.compile(r"^(\w+)\((.*)\)\s*$")


# ---------------------------------------------------------------- tables

def read_rows(path, names):
    """Rows of a .def file as (row name, [arguments]), for the row names given."""
    rows = []
    for number, line in enumerate(read_text(path, "table").splitlines(), 1):
        match = DEF_ROW.match(line)
        if match and match.group(1) in names:
            arguments = [part.strip().strip('"') for part in match.group(2).split(",")]
            rows.append((number, match.group(1), arguments))
    if not rows:
        raise InputError(fault(path, 1, "no rows found", f"rows begin with {' or '.join(names)}"))
    return rows


class Isa:
    """Mnemonics of trapped words, from config/isa.def and config/spr.def."""

    def __init__(self, config_dir):
        self.ops, self.sprs, self.plain, self.vectors = {}, {}, {"mfspr": set(), "mtspr": set()}, {}
        path = os.path.join(config_dir, "isa.def")
        for number, _, row in read_rows(path, ("ISA_HOT", "ISA_COLD")):
            self.ops[self.numbers(path, number, row[1:3])] = (row[0], row[3])
        path = os.path.join(config_dir, "spr.def")
        for number, _, row in read_rows(path, ("SPR",)):
            self.sprs[self.numbers(path, number, row[1:2])[0]] = row[0]
            for mnemonic, access in (("mfspr", row[3]), ("mtspr", row[4])):
                if access == "PLAIN" and row[2] not in ("none", "tsr"):
                    self.plain[mnemonic].add(row[0])
        path = os.path.join(config_dir, "vectors.def")
        for number, _, row in read_rows(path, ("VECTOR",)):
            self.vectors[self.numbers(path, number, row[1:2])[0]] = row[0]

    @staticmethod
    def numbers(path, line, texts):
        """Integers of a row."""
        try:
            return tuple(int(text, 0) for text in texts)
        except ValueError:
            raise InputError(fault(path, line, f"{', '.join(texts)}: not numbers")) from None

    def decode(self, word):
        """(mnemonic, operand that tells kinds apart) of a privileged word; (None, "") if it is none of the table."""
        mnemonic, form = self.ops.get((word >> 26, word >> 1 & 0x3FF), (None, None))
        if mnemonic is None:
            return None, ""
        field = (word >> 16 & 31) | (word >> 6 & 0x3E0)
        if form in ("RT_SPR", "SPR_RS"):
            return mnemonic, self.sprs.get(field, f"0x{field:03x}")
        if form in ("RT_DCR", "DCR_RS"):
            return mnemonic, f"0x{field:03x}"
        return mnemonic, str(word >> 15 & 1) if form == "E" else ""

    def vector_name(self, offset):
        """Name of a vector."""
        return self.vectors.get(offset, f"0x{offset:04x}")


# ---------------------------------------------------------------- paths

class Excursion:
    """One row of the plugin's report, decoded."""

    def __init__(self, row, isa, source):
        self.row, self.source = row, source
        self.mnemonic, self.operand = isa.decode(row["word"]) if row["vector"] == VECTOR_PROGRAM else (None, "")
        self.vector, self.outcome = row["vector"], row["outcome"]
        self.same = row["from"] == row["to"]
        self.plain = self.mnemonic in isa.plain and self.operand in isa.plain[self.mnemonic]
        self.kind = self.describe(isa)

    def describe(self, isa):
        """What happened, in words that group alike excursions."""
        if self.row["from"] in ("boot", "end"):
            return self.row["from"]
        cause = isa.vector_name(self.vector)
        if self.vector == VECTOR_PROGRAM:
            cause = f"{self.mnemonic} {self.operand}".strip() if self.mnemonic else "other program interrupt"
        elif self.vector == VECTOR_SC:
            cause = "sc"
        start = f" ({self.row['from']})" if self.row["from"] in PSEUDO else ""
        end = f"vector {isa.vector_name(self.row['to_vector'])}" if self.outcome == "vector" else self.outcome
        return f"{cause}{start} > {end}"

    def stepped(self, *mnemonics):
        """Whether it emulated one of these and went on behind it."""
        return self.mnemonic in mnemonics and self.same and self.outcome == "next"


# Each path of the docstring, as a predicate on an excursion.
PATHS = {
    "mfspr": lambda e: e.stepped("mfspr") and e.plain,
    "mtspr": lambda e: e.stepped("mtspr") and e.plain,
    "mfmsr": lambda e: e.stepped("mfmsr"),
    "mtmsr": lambda e: e.stepped("mtmsr"),
    "wrteei": lambda e: e.stepped("wrteei", "wrtee"),
    "rfi": lambda e: e.mnemonic == "rfi" and e.same and e.outcome in ("next", "jump", "retry"),
    "sc_reflect": lambda e: e.vector == VECTOR_SC and e.same and e.row["to_vector"] == VECTOR_SC,
    "hypercall": lambda e: e.vector == VECTOR_SC and e.same and e.outcome == "next" and e.row["from"] == "bench",
    "tlbwe": lambda e: e.stepped("tlbwe"),
    "tlb_refill": lambda e: e.same and (e.vector == VECTOR_DTLB and e.outcome == "retry"
                                        or e.vector == VECTOR_ITLB and e.outcome in ("next", "jump", "retry")),
    "pit_delivery": lambda e: e.vector == VECTOR_PIT and e.row["to_vector"] == VECTOR_PIT
                              and (e.same or e.row["from"] == "resuming"),
    "vm_switch": lambda e: e.vector in TIMER_VECTORS and e.outcome == "switch" and e.row["from"] not in PSEUDO
                           and e.row["to_vector"] == 0,
    "vm_switch_deliver": lambda e: e.vector in TIMER_VECTORS and e.outcome == "switch" and e.row["from"] not in PSEUDO
                                   and e.row["to_vector"] != 0,
}


def merge(excursions):
    """Figures of several excursions together."""
    rows = [excursion.row for excursion in excursions]
    count = sum(row["count"] for row in rows)
    longest = max(excursions, key=lambda excursion: excursion.row["insns"]["max"])
    histogram = {}
    for row in rows:
        for insns, number in row["histogram"]:
            histogram[insns] = histogram.get(insns, 0) + number
    figures = {"insns": longest.row["insns"]["max"], "cycles": max(row["cycles"]["max"] for row in rows),
               "count": count}
    for unit in ("insns", "cycles"):
        figures[f"{unit}_min"] = min(row[unit]["min"] for row in rows)
        figures[f"{unit}_mean"] = round(sum(row[unit]["sum"] for row in rows) / count, 2)
    figures["histogram"] = sorted(map(list, histogram.items()))
    figures["longest"] = {"image": longest.source, "vm": longest.row["from"], "what": longest.kind,
                          "word": f"0x{longest.row['word']:08X}",
                          "path": [f"0x{address:X}" for address in longest.row.get("longest", [])]}
    return figures


def path_figures(excursions):
    """Figures of every path that the runs have walked."""
    found = {key: [e for e in excursions if matches(e)] for key, matches in PATHS.items()}
    return {key: merge(rows) for key, rows in found.items() if rows}


def kind_figures(excursions):
    """Figures of every kind of excursion, most instructions first."""
    kinds = {}
    for excursion in excursions:
        kinds.setdefault(excursion.kind, []).append(excursion)
    figures = [dict(kind=kind, sum=sum(e.row["insns"]["sum"] for e in rows), **merge(rows))
               for kind, rows in kinds.items()]
    return sorted(figures, key=lambda row: (-row["sum"], row["kind"]))


# ---------------------------------------------------------------- runs

def build_plugin(path, compiler="gcc"):
    """Compile the plugin unless it is newer than its sources."""
    sources = sorted(os.path.join(PLUGIN_DIR, name) for name in os.listdir(PLUGIN_DIR) if name.endswith((".c", ".h")))
    if os.path.exists(path) and all(os.path.getmtime(path) >= os.path.getmtime(source) for source in sources):
        return
    if not shutil.which(compiler):
        raise InputError(fault(path, None, f"{compiler} is missing", "apt-get install gcc"))
    os.makedirs(os.path.dirname(path) or ".", exist_ok=True)
    temporary = f"{path}.tmp"
    files = [source for source in sources if source.endswith(".c")]
    result = subprocess.run([compiler, *PLUGIN_FLAGS, "-o", temporary, *files], capture_output=True, text=True,
                            timeout=300, check=False)
    if result.returncode:
        raise InputError(fault(path, None, f"the plugin does not compile: {result.stderr.strip()}"))
    os.replace(temporary, path)


def code_ranges(path):
    """Machine ranges of the hypervisor's code: the executable sections of its ELF, near ones joined."""
    try:
        from elftools.common.exceptions import ELFError
        from elftools.elf.elffile import ELFFile
    except ImportError:
        raise InputError(fault(path, None, "the Python module elftools is missing",
                               "apt-get install python3-pyelftools, and run with /usr/bin/python3")) from None
    try:
        with open(path, "rb") as stream:
            sections = [section.header for section in ELFFile(stream).iter_sections()]
    except (OSError, ELFError) as error:
        cause = os.strerror(error.errno) if isinstance(error, OSError) else f"not an ELF file: {error}"
        raise InputError(fault(path, None, f"can't read the image: {cause}", "build it first: make")) from None
    code = sorted((header.sh_addr, header.sh_addr + header.sh_size) for header in sections
                  if header.sh_flags & 4 and header.sh_flags & 2 and header.sh_size)
    if not code:
        raise InputError(fault(path, None, "no executable section", "is it a linked hypervisor image?"))
    ranges = [list(code[0])]
    for low, high in code[1:]:
        if low - ranges[-1][1] < PF_MERGE:
            ranges[-1][1] = max(high, ranges[-1][1])
        else:
            ranges.append([low, high])
    return ranges


def read_partitions(image):
    """VMs of an image: [(name, image file, machine low, machine high)], from gen/partitions.json beside it."""
    path = os.path.join(os.path.dirname(image), "gen", "partitions.json")
    text = read_text(path, "partition table", "build the image with make")
    try:
        vms = json.loads(text)["vms"]
        return [(vm["name"], vm["image"], vm["memory"]["machine"], vm["memory"]["machine"] + vm["memory"]["size"])
                for vm in vms]
    except (ValueError, KeyError, TypeError) as error:
        raise InputError(fault(path, 1, f"not a partition table: {error!r}", "build it again: make")) from None


def measure(image, arguments, options, names):
    """Run an image under the plugin; its VMs `names` (None: a bare guest) must pass. Gives the plugin's report."""
    label = re.sub(r"[^A-Za-z0-9]+", "-", os.path.relpath(image)).strip("-")
    out = os.path.join(options.work, f"{label}.json")
    os.makedirs(options.work, exist_ok=True)
    if os.path.exists(out):
        os.unlink(out)
    plugin = ",".join([os.path.abspath(options.plugin), f"out={out}", "paths=on", *arguments])
    try:
        result = run.run(image=image, timeout=options.timeout, extra=["-plugin", plugin])
    except run.RunError as error:
        raise InputError(str(error)) from None
    shown = run.vms_to_show(result, names)
    complaints = list(run.judge(result, shown, names, []))
    if complaints:
        raise InputError(*(fault(image, None, text, "see it with tools/run.py --image") for text in complaints))
    try:
        return json.loads(read_text(out, "plugin's report"))
    except ValueError as error:
        raise InputError(fault(out, None, f"not a report: {error}")) from None


def measure_image(image, options):
    """Run a hypervisor image; gives (VMs, report)."""
    vms = read_partitions(image)
    code = code_ranges(image)
    for name, _, low, high in vms:
        if any(low < end and start < high for start, end in code):
            raise InputError(fault(image, None, f"executable sections reach into the memory of {name}",
                                   "does gen/partitions.json belong to this image?"))
    arguments = [f"hyp=0x{low:x}-0x{high:x}" for low, high in code]
    arguments += [f"vm={name}:0x{low:x}-0x{high:x}" for name, _, low, high in vms]
    report = measure(image, arguments, options, [name for name, _, _, _ in vms])
    for key, what in (("stray_insns", "instructions outside hypervisor and partitions"),
                      ("odd_entries", "entries to the hypervisor that are no vector")):
        if report[key]:
            print(f"bench.py: warning: {image}: {report[key]} {what}", file=sys.stderr)
    return vms, report


def virtualized_total(vm, report, alone):
    """(instructions, cycles) of a VM's run, by the docstring's rule."""
    if alone:
        outside = sum(row["cycles"]["sum"] for row in report["excursions"]
                      if row["from"] == "boot" or row["to"] == "end")
        return vm["last"] - vm["first"] + 1, vm["cycles"] + report["hypervisor"]["cycles"] - outside
    return vm["insns"] + vm["hyp_insns"], vm["cycles"] + vm["hyp_cycles"]


def table1_row(name, native_path, image, measured, options):
    """Native and virtualized totals of one workload."""
    native = measure(native_path, ["native=on"], options, None)["vms"]["native"]
    vms, report = measured[image]
    matching = [vm[0] for vm in vms if len(vms) == 1 or vm[0] == name or vm[1] == os.path.basename(native_path)]
    if not matching:
        raise InputError(fault(image, None, f"no VM runs {os.path.basename(native_path)}",
                               f"its VMs: {', '.join(vm[0] for vm in vms)}"))
    vm = report["vms"][matching[0]]
    if not vm["insns"]:
        raise InputError(fault(image, None, f"{matching[0]} never ran", "is it started at boot?"))
    insns, cycles = virtualized_total(vm, report, len(vms) == 1)
    return {"native": native["insns"], "full": insns, "native_cycles": native["cycles"], "full_cycles": cycles,
            "guest": vm["insns"], "hypervisor": vm["hyp_insns"], "overhead": 100 * (insns / native["insns"] - 1)}


# ---------------------------------------------------------------- report

def read_targets(path):
    """config/targets.toml."""
    text = read_text(path, "targets")
    try:
        targets = tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:
        match = re.search(r"at line (\d+)", str(error))
        raise InputError(fault(path, match.group(1) if match else 1, str(error))) from None
    for section in ("paths", "table1"):
        if not isinstance(targets.get(section), dict):
            raise InputError(fault(path, 1, f"table [{section}] is missing"))
    return targets


def judge_path(insns, target):
    """ok, aim (reached even the aim), or over."""
    if not target:
        return "-"
    if insns > target["at_most"]:
        return "over"
    return "aim" if insns <= target.get("aim", -1) else "ok"


def path_table(paths, targets):
    """Table of path lengths."""
    rows = [["path", "insns", "min", "mean", "cycles", "count", "at most", "aim", ""]]
    for key in PATHS:
        target = targets["paths"].get(key, {})
        limits = [str(target.get("at_most", "-")), str(target.get("aim", "-"))]
        if key not in paths:
            rows.append([key, "-", "-", "-", "-", "0", *limits, "not walked"])
            continue
        row = paths[key]
        rows.append([key, str(row["insns"]), str(row["insns_min"]), f"{row['insns_mean']:.1f}", str(row["cycles"]),
                     str(row["count"]), *limits, judge_path(row["insns"], target)])
    return run.table(rows)


def table1_table(table1, targets):
    """Table 1, ours beside the paper's."""
    rows = [["workload", "native", "full", "overhead", "at most", "paper full", "paper para", "cycles", ""]]
    for name, row in table1.items():
        target = targets["table1"].get(name, {})
        over = "-" if "full" not in target else "over" if row["overhead"] > target["full"] else "ok"
        cycles = 100 * (row["full_cycles"] / row["native_cycles"] - 1)
        percent = [f"{target[key]:.2f} %" if key in target else "-" for key in ("full", "paper_full", "paper_para")]
        rows.append([name, str(row["native"]), str(row["full"]), f"{row['overhead']:.3f} %", *percent,
                     f"{cycles:.3f} %", over])
    return run.table(rows)


def kind_table(kinds, limit):
    """The kinds of excursions that cost most."""
    rows = [["excursion", "count", "insns", "min", "max", "mean", "cycles"]]
    for row in kinds[:limit]:
        rows.append([row["kind"], str(row["count"]), str(row["sum"]), str(row["insns_min"]), str(row["insns"]),
                     f"{row['insns_mean']:.1f}", f"{row['cycles_mean']:.1f}"])
    return run.table(rows)


def misses(paths, table1, targets, required):
    """One sentence per target that is missed, and per required figure that is not there."""
    for key in required:
        if key not in paths and key not in table1:
            yield f"{key}: not measured. hint: give an image that walks it, --image or --table1"
    for key, row in paths.items():
        if judge_path(row["insns"], targets["paths"].get(key)) == "over":
            longest = row["longest"]
            yield (f"{key}: {row['insns']} instructions, at most {targets['paths'][key]['at_most']} "
                   f"({longest['what']}, word {longest['word']}, {longest['vm']} in {longest['image']})")
    for name, row in table1.items():
        limit = targets["table1"].get(name, {}).get("full")
        if limit is not None and row["overhead"] > limit:
            yield f"{name}: {row['overhead']:.3f} % over native, at most {limit} %"


def print_model(model):
    """The cycle model, as the plugin reports it."""
    rows = [["cycle model", "cycles", "what"]]
    rows += [[name, str(cycles), f"{what}; {source}"] for name, cycles, what, source in model]
    widths = [max(len(row[column]) for row in rows) for column in range(3)]
    for name, cycles, what in rows:
        print(f"{name.ljust(widths[0])}  {cycles.rjust(widths[1])}  {what}")


def table1_argument(text):
    """Argument type: NAME=NATIVE.elf,IMAGE."""
    match = re.fullmatch(r"([\w-]+)=([^,]+),([^,]+)", text)
    if not match:
        raise argparse.ArgumentTypeError(f"{text}: write NAME=NATIVE.elf,IMAGE")
    return match.groups()


def parse_arguments(argv):
    """The command line."""
    parser = argparse.ArgumentParser(prog="bench.py", description=__doc__.split("\n", maxsplit=1)[0])
    parser.add_argument("--image", action="append", default=[],
                        help="image whose excursions count for the paths; may repeat")
    parser.add_argument("--table1", action="append", default=[], type=table1_argument, metavar="NAME=NATIVE.elf,IMAGE",
                        help="workload of Table 1: run bare and in an image; may repeat")
    parser.add_argument("--plugin", default=os.path.join(ROOT, "build", "tools", "count.so"), help="built if need be")
    parser.add_argument("--cc", default=os.environ.get("HOSTCC", "gcc"), help="host compiler for the plugin")
    parser.add_argument("--config", default=os.path.join(ROOT, "config"),
                        help="folder of isa.def, spr.def, targets.toml")
    parser.add_argument("--work", default=os.path.join(ROOT, "build", "bench"), help="folder for the plugin's reports")
    parser.add_argument("--out", default=os.path.join(ROOT, "build", "bench.json"))
    parser.add_argument("--timeout", type=run.positive, default=300.0, help="seconds for each run (300)")
    parser.add_argument("--require", default="", metavar="KEY,...", help="with --gate: figures that have to be there")
    parser.add_argument("--kinds", type=int, default=20, help="rows of the table of excursions (20)")
    parser.add_argument("--gate", action="store_true", help="a missed target is an error")
    args = parser.parse_args(argv)
    if not args.image and not args.table1:
        parser.error("nothing to run: give --image or --table1")
    return args


def main(argv=None):
    """Run, print the tables, write the JSON."""
    options = parse_arguments(argv)
    targets = read_targets(os.path.join(options.config, "targets.toml"))
    isa = Isa(options.config)
    build_plugin(options.plugin, options.cc)
    images = list(dict.fromkeys(options.image + [image for _, _, image in options.table1]))
    measured = {image: measure_image(image, options) for image in images}
    excursions = [Excursion(row, isa, image) for image in images for row in measured[image][1]["excursions"]]
    paths = path_figures(excursions)
    kinds = kind_figures(excursions)
    table1 = {name: table1_row(name, native, image, measured, options) for name, native, image in options.table1}
    model = measured[images[0]][1]["model"]

    print("\n".join(path_table(paths, targets)), end="\n\n")
    if table1:
        print("\n".join(table1_table(table1, targets)), end="\n\n")
    print("\n".join(kind_table(kinds, options.kinds)), end="\n\n")
    print_model(model)
    write_if_changed(options.out, json.dumps({"paths": paths, "table1": table1, "excursions": kinds, "model": model},
                                             indent=1) + "\n")
    missed = list(misses(paths, table1, targets, [key for key in options.require.split(",") if key]))
    for text in missed:
        print(f"bench.py: {text}", file=sys.stderr)
    return 1 if missed and options.gate else 0


if __name__ == "__main__":
    sys.exit(run_tool(main))
