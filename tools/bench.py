#!/usr/bin/python3
"""bench.py: exact path lengths and Table 1, measured by the plugin tools/plugin, beside the targets.

    bench.py --image build/bench/proteus.elf --walks build/guests/bench.elf --tlb build/bench-tlb/proteus.elf
             --table1 ctask=build/guests/ctask.elf,FULL.elf,PREVIRT.elf,PARA.elf --out build/bench.json

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
  hypercall      the null hypercall: an sc behind `ori r0, r0, 0`, whose number is that of `version`, resumed at the next
                 instruction. Only a hypercall goes on there: any other sc goes on at the guest's vector
  hcall_<name>   likewise of every other row of hypercalls/hypercalls.def that was called; that of rfi resumes where
                 SRR0 says (behind the sc if it refuses). `idle` has no figure: it lasts until an interrupt
  ipcm_connect   connect to a tunnel whose other end is there, with one TLB entry and a doorbell for the other; ipcm_status: the
                 state word; doorbell: ipcm_notify, with the other VM's interrupt pending then
  tlbwe          one tlbwe, resumed at the next instruction, all in assembler (asm/tlbwe.S)
  tlbwe_cold     likewise by C: an entry that several contexts have used. A word of which one went so is not in `tlbwe`
  tlb_refill     data or instruction TLB miss, resumed at the access that missed: the guest's own TLB has it
  tlb_miss       likewise, resumed at the guest's own vector: it has not
  pit_delivery   PIT interrupt of the machine, resumed at the PIT vector of the VM that was running: PIT is set for one event
  pit_delivery_reload   likewise, with TCR[ARE]: PIT loads itself again; of a VM named reload
  vm_switch      timer interrupt of the machine while a VM was running, resumed with another VM where that was interrupted
                 (one that wakes or is interrupted at the same time takes its interrupt as well: vm_switch_deliver)
  vm_switch_c    likewise without option FAST_SWITCH: from or to the VM reload; vm_switch_c_deliver
  decision_<name>   with this scheduler and four VMs, of the image --decision: from a timer interrupt of the machine, while a VM
                 ran (with windows: while the machine idled), to another VM's next instruction, its interrupt included
  masked         any excursion: the longest stretch with interrupts off, pieces of a VM's start included, but for the boot and
                 the end of the run. Of the images --tlb as well
  irfm_<name>    a sequence on the register pages that stands for an instruction: symbol walk_<name> of the guest's ELF
                 (--walks), with its size. `guest` is what the guest executes each time; `insns` is what the hypervisor
                 does because of it: nothing. Interrupts of the machine are not counted

The paths of the virtual TLB (tlb...) are those of the images --tlb, which do not count for any other: the option makes others
longer. How far it has to search depends on the guest's entries: tests/guests/bench/bench-tlb.S says what they are.

A target may have a budget: a figure that misses the target is `above` within the budget, which keeps it from growing, and
`over` beyond it.

Table 1 is the number of instructions from a VM's first to its last, natively and virtualized: with one VM in the image,
everything executed in between, the hypervisor included; with several, the VM's own plus those of its excursions. It is
measured in up to three images: `full` runs the ELF file that is run natively, `previrt` and `para` run a variant of it,
<name>-<mode>.elf. Overheads are over the native run of the former. `removed` is the share of full's overhead that a mode
does not have.

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

import ledger
import run
from kconfig import InputError, fault, read_text, run_tool, write_if_changed

ROOT = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))
PLUGIN_DIR = os.path.join(ROOT, "tools", "plugin")
PLUGIN_FLAGS = ["-std=c11", "-O2", "-Wall", "-Wextra", "-Werror", "-shared", "-fPIC", "-fvisibility=hidden"]
PF_MERGE = 0x10000      # executable sections nearer to each other than this become one range for the plugin

VECTOR_DSI, VECTOR_PROGRAM, VECTOR_SC, VECTOR_PIT = 0x0300, 0x0700, 0x0C00, 0x1000
VECTOR_DTLB, VECTOR_ITLB = 0x1100, 0x1200
TIMER_VECTORS = (0x1000, 0x1010, 0x1020)
OP_TWI, OP_ORI_R0 = 3, 0x6000            # of a word: its upper 6 and 16 bits
MODES = ("full", "previrt", "para", "optimize")
UNMODIFIED = ("full", "optimize")      # modes that run the ELF file as it is
WALK_PREFIX, WALK_PATH = "walk_", "irfm_"      # of the symbol, and of the key
TABLE1_FORM, NO_IMAGE = "NATIVE.elf,FULL[,PREVIRT[,PARA[,OPTIMIZE]]]", "-"
TLB_PREFIX = "tlb"                  # of the paths that are of images --tlb alone, and of their excursions
COLD = "cold_emulate"               # symbol: where emulation goes to C
RELOAD = "reload"                   # the VM whose PIT loads itself again
PSEUDO = ("boot", "work", "idle", "resuming", "end")    # parties of the plugin's report that are no VM

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
    """Mnemonics of trapped words, from config/isa.def and config/spr.def; and of calls, from hypercalls/."""

    def __init__(self, config_dir, abi_dir=os.path.join(ROOT, "hypercalls")):
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
        path = os.path.join(abi_dir, "hypercalls.def")
        self.calls = {self.numbers(path, number, row[1:2])[0]: row[0] for number, _, row in read_rows(path, ("HCALL",))}
        defines = re.findall(r"^#define PAGE_(CHECK|MODE)\s+(\w+)", read_text(os.path.join(abi_dir, "abi.h"), "ABI"), re.M)
        self.traps = {int(value, 0): name.lower() for name, value in defines}

    @staticmethod
    def numbers(path, line, texts):
        """Integers of a row."""
        try:
            return tuple(int(text, 0) for text in texts)
        except ValueError:
            raise InputError(fault(path, line, f"{', '.join(texts)}: not numbers")) from None

    def decode(self, word):
        """(mnemonic, operand that tells kinds apart) of a privileged word; (None, "") if it is none of the table."""
        if word >> 26 == OP_TWI:
            return "twi", self.traps.get(word & 0xFFFF, "")
        mnemonic, form = self.ops.get((word >> 26, word >> 1 & 0x3FF), (None, None))
        if mnemonic is None:
            return None, ""
        field = (word >> 16 & 31) | (word >> 6 & 0x3E0)
        if form in ("RT_SPR", "SPR_RS"):
            return mnemonic, self.sprs.get(field, f"0x{field:03x}")
        if form in ("RT_DCR", "DCR_RS"):
            return mnemonic, f"0x{field:03x}"
        return mnemonic, str(word >> 15 & 1) if form == "E" else ""

    def call_name(self, before):
        """Name of the hypercall whose sc stands behind this word; None if it loads no number into r0."""
        if before >> 16 != OP_ORI_R0:
            return None
        return self.calls.get(before & 0xFFFF, f"number {before & 0xFFFF}")

    def vector_name(self, offset):
        """Name of a vector."""
        return self.vectors.get(offset, f"0x{offset:04x}")


# ---------------------------------------------------------------- paths

class Excursion:
    """One row of the plugin's report, decoded. `cold`: of an image with virtual TLB, the address of COLD."""

    def __init__(self, row, isa, source, cold=None):
        self.row, self.source = row, source
        self.tlb, self.cold = cold is not None, cold in row.get("longest", [])
        self.mnemonic, self.operand = isa.decode(row["word"]) if row["vector"] == VECTOR_PROGRAM else (None, "")
        self.vector, self.outcome = row["vector"], row["outcome"]
        self.same = row["from"] == row["to"]
        self.went_on = self.same or row["from"] == "resuming"
        self.plain = self.mnemonic in isa.plain and self.operand in isa.plain[self.mnemonic]
        self.call = isa.call_name(row["before"]) if self.is_call() else None
        self.kind = f"{TLB_PREFIX}: " * self.tlb + self.describe(isa)

    def is_call(self):
        """Whether it was an sc that did not reach the guest's own kernel."""
        return self.vector == VECTOR_SC and self.same and self.outcome in ("next", "jump", "retry")

    def describe(self, isa):
        """What happened, in words that group alike excursions."""
        if self.row["from"] in ("boot", "end"):
            return self.row["from"]
        cause = isa.vector_name(self.vector)
        if self.vector == VECTOR_PROGRAM:
            cause = f"{self.mnemonic} {self.operand}".strip() if self.mnemonic else "other program interrupt"
        elif self.vector == VECTOR_SC:
            cause = f"hypercall {self.call}" if self.call else "sc"
        start = f" ({self.row['from']})" if self.row["from"] in PSEUDO else ""
        end = f"vector {isa.vector_name(self.row['to_vector'])}" if self.outcome == "vector" else self.outcome
        return f"{cause}{start} > {end}"

    def delivers_pit(self):
        """Whether the machine's PIT interrupt became the VM's."""
        return self.vector == VECTOR_PIT and self.row["to_vector"] == VECTOR_PIT and self.went_on

    def switches(self):
        """Whether another VM than the one that ran got the processor, by a timer interrupt."""
        return self.vector in TIMER_VECTORS and self.outcome == "switch" and self.row["from"] not in PSEUDO

    def reloads(self):
        """Whether it is of the image for which FAST_SWITCH is off."""
        return RELOAD in (self.row["from"], self.row["to"])

    def stepped(self, *mnemonics):
        """Whether it emulated one of these and went on behind it."""
        return self.mnemonic in mnemonics and self.same and self.outcome == "next"


# Each path of the docstring that needs no table, as a predicate on an excursion.
NULL_CALL = "version"
NAMED_CALLS = (NULL_CALL, "ipcm_connect", "ipcm_status", "ipcm_notify")       # whose paths have names of their own
PATHS = {
    "mfspr": lambda e: e.stepped("mfspr") and e.plain,
    "mtspr": lambda e: e.stepped("mtspr") and e.plain,
    "mfmsr": lambda e: e.stepped("mfmsr"),
    "mtmsr": lambda e: e.stepped("mtmsr"),
    "wrteei": lambda e: e.stepped("wrteei", "wrtee"),
    "rfi": lambda e: e.mnemonic == "rfi" and e.same and e.outcome in ("next", "jump", "retry"),
    "sc_reflect": lambda e: e.vector == VECTOR_SC and e.same and e.row["to_vector"] == VECTOR_SC,
    "hypercall": lambda e: e.call == NULL_CALL and e.outcome == "next",
    "ipcm_connect": lambda e: e.call == "ipcm_connect" and e.outcome == "next",
    "ipcm_status": lambda e: e.call == "ipcm_status" and e.outcome == "next",
    "doorbell": lambda e: e.call == "ipcm_notify" and e.outcome == "next",
    "tlbwe": lambda e: e.stepped("tlbwe") and not e.cold,
    "tlbwe_cold": lambda e: e.stepped("tlbwe") and e.cold,
    "tlb_refill": lambda e: e.vector == VECTOR_DTLB and e.same and e.outcome == "retry"
                            or e.vector == VECTOR_ITLB and e.went_on and e.outcome in ("next", "jump", "retry"),
    "tlb_miss": lambda e: e.vector in (VECTOR_DTLB, VECTOR_ITLB) and e.went_on and e.row["to_vector"] == e.vector,
    "pit_delivery": lambda e: e.delivers_pit() and e.row["from"] != RELOAD,
    "pit_delivery_reload": lambda e: e.delivers_pit() and e.row["from"] == RELOAD,
    "vm_switch": lambda e: e.switches() and e.row["to_vector"] == 0 and not e.reloads(),
    "vm_switch_deliver": lambda e: e.switches() and e.row["to_vector"] != 0 and not e.reloads(),
    "vm_switch_c": lambda e: e.switches() and e.row["to_vector"] == 0 and e.reloads(),
    "vm_switch_c_deliver": lambda e: e.switches() and e.row["to_vector"] != 0 and e.reloads(),
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


def call_path(excursion):
    """Path hcall_<name> of an excursion, or None."""
    if excursion.call in (None, *NAMED_CALLS) or (excursion.outcome == "next") == (excursion.call == "rfi"):
        return None
    return f"hcall_{excursion.call}"


def path_figures(excursions):
    """Figures of every path that the runs have walked."""
    found = {key: [e for e in excursions if e.tlb == key.startswith(TLB_PREFIX) and matches(e)]
             for key, matches in PATHS.items()}
    for excursion in excursions:
        if call_path(excursion) and not excursion.tlb:
            found.setdefault(call_path(excursion), []).append(excursion)
    return {key: merge(rows) for key, rows in found.items() if rows}


def masked_figure(excursions):
    """The longest stretch with interrupts off, as another path."""
    rows = [e for e in excursions if e.row["from"] != "boot" and e.outcome != "end"]
    return {"masked": merge(rows)} if rows else {}


def is_decision(row, vms, kind):
    """Has a timer brought another VM? With windows the machine idles in those of who waits; elsewhere it may do so after more
    than one decision."""
    names = [vm[0] for vm in vms]
    begins = ["idle"] if kind == "cyclic" else names
    return row["vector"] in TIMER_VECTORS and row["from"] in begins and row["to"] in names and row["from"] != row["to"]


def decision_figures(name, image, isa, options):
    """The path of a scheduler's decision."""
    path = os.path.join(os.path.dirname(image), "gen", "partitions.json")
    kind = json.loads(read_text(path, "partition table"))["schedule"]["kind"]
    vms, report = measure_image(image, options)
    rows = [Excursion(row, isa, image) for row in report["excursions"] if is_decision(row, vms, kind)]
    return {f"decision_{name}": merge(rows)} if rows else {}


def walk_figures(report, source):
    """Figures of the walks of a run: what the guest executes each time, and the hypervisor because of it."""
    figures = {}
    for name, walk in report["walks"].items():
        if walk["insns"] != walk["begun"] * (walk["insns"] // max(walk["begun"], 1)):
            raise InputError(fault(source, None, f"{WALK_PREFIX}{name} was not walked from end to end each time: "
                                   f"{walk['insns']} instructions, begun {walk['begun']} times",
                                   "its symbol's size has to end where it ends, and no branch may leave it"))
        if walk["begun"]:
            insns, cycles = (-(-walk[key] // walk["begun"]) for key in ("hyp_insns", "hyp_cycles"))
            figures[WALK_PATH + name] = {"insns": insns, "cycles": cycles, "guest": walk["insns"] // walk["begun"],
                                       "count": walk["begun"], "excursions": walk["excursions"], "image": source}
    return figures


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


def read_elf(path, what, how, take):
    """take(ELFFile) of an ELF file; what it is, and how to get it."""
    try:
        from elftools.common.exceptions import ELFError
        from elftools.elf.elffile import ELFFile
    except ImportError:
        raise InputError(fault(path, None, "the Python module elftools is missing",
                               "apt-get install python3-pyelftools, and run with /usr/bin/python3")) from None
    try:
        with open(path, "rb") as stream:
            return take(ELFFile(stream))
    except (OSError, ELFError) as error:
        cause = os.strerror(error.errno) if isinstance(error, OSError) else f"not an ELF file: {error}"
        raise InputError(fault(path, None, f"can't read the {what}: {cause}", f"build it first: {how}")) from None


def elf_symbols(elf):
    """Symbols of an ELF file: [(name, address, size)]."""
    table = elf.get_section_by_name(".symtab")
    return [(symbol.name, symbol.entry.st_value, symbol.entry.st_size) for symbol in (table.iter_symbols() if table else ())]


def code_ranges(path):
    """Machine ranges of the hypervisor's code: the executable sections of its ELF, near ones joined."""
    sections = read_elf(path, "image", "make", lambda elf: [section.header for section in elf.iter_sections()])
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


def cold_address(path):
    """Where the emulation of an image goes to C."""
    for name, address, _ in read_elf(path, "image", "make", elf_symbols):
        if name == COLD:
            return address
    raise InputError(fault(path, None, f"no symbol {COLD}", "is it a linked hypervisor image, with symbols?"))


def walk_symbols(path):
    """Walks of a guest's ELF: [(name, low, high)] by its symbols walk_<name>, which have a size."""
    found = [(name[len(WALK_PREFIX):], low, low + size) for name, low, size in read_elf(path, "guest", "make guests", elf_symbols)
             if name.startswith(WALK_PREFIX)]
    for name, low, high in found:
        if high <= low:
            raise InputError(fault(path, None, f"{WALK_PREFIX}{name} has no size", "set it with .size"))
    if not found:
        raise InputError(fault(path, None, f"no symbol {WALK_PREFIX}<name>", "name the ELF file of the bench guest"))
    return found


def read_partitions(image):
    """VMs of an image: [(name, image file, machine low, machine high, guest low)], from gen/partitions.json beside it."""
    path = os.path.join(os.path.dirname(image), "gen", "partitions.json")
    text = read_text(path, "partition table", "build the image with make")
    try:
        vms = json.loads(text)["vms"]
        return [(vm["name"], vm["image"], vm["memory"]["machine"], vm["memory"]["machine"] + vm["memory"]["size"],
                 vm["memory"]["guest"]) for vm in vms]
    except (ValueError, KeyError, TypeError) as error:
        raise InputError(fault(path, 1, f"not a partition table: {error!r}", "build it again: make")) from None


def measure(image, arguments, options, names, qemu=None):
    """Run an image under the plugin; its VMs `names` (None: a bare guest) must pass. Gives the plugin's report."""
    label = re.sub(r"[^A-Za-z0-9]+", "-", os.path.relpath(image)).strip("-")
    out = os.path.join(options.work, f"{label}.json")
    os.makedirs(options.work, exist_ok=True)
    if os.path.exists(out):
        os.unlink(out)
    plugin = ",".join([os.path.abspath(options.plugin), f"out={out}", "paths=on", *arguments])
    try:
        result = run.run(image=image, timeout=options.timeout, extra=["-plugin", plugin], qemu=qemu)
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


def walk_arguments(vms, guests):
    """Arguments of the plugin for the walks of the guests' ELF files, in the VMs that run them."""
    for path in guests:
        for _, image, machine, _, guest in vms:
            if image == os.path.basename(path):
                for name, low, high in walk_symbols(path):
                    yield f"walk={name}:0x{low - guest + machine:x}-0x{high - guest + machine:x}"


def measure_image(image, options, *more):
    """Run a hypervisor image, with more arguments of the plugin; gives (VMs, report)."""
    vms = read_partitions(image)
    code = code_ranges(image)
    for name, _, low, high, _ in vms:
        if any(low < end and start < high for start, end in code):
            raise InputError(fault(image, None, f"executable sections reach into the memory of {name}",
                                   "does gen/partitions.json belong to this image?"))
    arguments = [f"hyp=0x{low:x}-0x{high:x}" for low, high in code]
    arguments += [f"vm={name}:0x{low:x}-0x{high:x}" for name, _, low, high, _ in vms]
    arguments += [*walk_arguments(vms, options.walks), *more]
    report = measure(image, arguments, options, [vm[0] for vm in vms])
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


def find_vm(vms, mode, native_path, image):
    """Name of the VM that runs the workload in a mode: by its ELF file alone, or one mode's figures could pass for another's."""
    file = os.path.basename(native_path)
    if mode not in UNMODIFIED:
        file = f"{os.path.splitext(file)[0]}-{mode}.elf"
    matching = [vm for vm in vms if vm[1] == file]
    if not matching:
        raise InputError(fault(image, None, f"no VM runs {file}", f"its VMs run {', '.join(vm[1] for vm in vms)}"))
    return matching[0][0]


def percent_over(value, native):
    """How much more than natively, in percent."""
    return 100 * (value / native - 1)


def table1_row(native_path, images, measured, options):
    """Native and virtualized totals of one workload. `images`: {mode: path}."""
    native = measure(native_path, ["native=on"], options, None)["vms"]["native"]
    row = {"native": native["insns"], "native_cycles": native["cycles"]}
    for mode, image in images.items():
        vms, report = measured[image]
        vm_name = find_vm(vms, mode, native_path, image)
        vm = report["vms"][vm_name]
        if not vm["insns"]:
            raise InputError(fault(image, None, f"{vm_name} never ran", "is it started at boot?"))
        insns, cycles = virtualized_total(vm, report, len(vms) == 1)
        row |= {mode: insns, f"{mode}_cycles": cycles, f"{mode}_guest": vm["insns"], f"{mode}_hypervisor": vm["hyp_insns"],
                f"{mode}_overhead": percent_over(insns, native["insns"]),
                f"{mode}_overhead_cycles": percent_over(cycles, native["cycles"])}
    for mode in MODES[1:]:
        if mode in row and row["full"] > row["native"]:
            row[f"{mode}_removed"] = removed(row["full_overhead"], row[f"{mode}_overhead"])
    return row


def removed(full, rest):
    """Share, in percent, of the overhead `full` that is gone when `rest` is left."""
    return 100 * (1 - rest / full)


# ---------------------------------------------------------------- report

def read_targets(path):
    """config/targets.toml."""
    return ledger.read(path, ("paths", "table1"))


WITH_TLB_MORE = 2                   # what a path may cost more with option TLB_VIRT


def judge_with_tlb(row, target):
    """A path of an image with option TLB_VIRT, over the same without: ok, above (within the budget) or over."""
    if "with_tlb" not in row or not target:
        return "-"
    if row["with_tlb"] <= row["insns"] + WITH_TLB_MORE:
        return "ok"
    return "above" if row["with_tlb"] <= target.get("budget_with_tlb", 0) else "over"


def judge_path(insns, target):
    """ok, aim (reached even the aim), above (missed, but not the budget, which keeps it from growing), or over."""
    if not target:
        return "-"
    if insns > target["at_most"]:
        return "above" if insns <= target.get("budget", 0) else "over"
    return "aim" if insns <= target.get("aim", -1) else "ok"


def judge_walk(row, target):
    """Likewise of a walk: nothing in the hypervisor, and so many instructions in the guest."""
    if row["insns"] > target.get("at_most", row["insns"]):
        return "over"
    return judge_path(row["guest"], target and {"at_most": target["guest"], "aim": target["guest_aim"]})


def judge_row(row, target):
    """Of a path or a walk: the worst of what it is judged by."""
    if "guest" in row:
        return judge_walk(row, target)
    return max(judge_path(row["insns"], target), judge_with_tlb(row, target), key=("-", "aim", "ok", "above", "over").index)


def path_table(paths, targets):
    """Table of path lengths."""
    rows = [["path", "insns", "min", "mean", "cycles", "count", "at most", "aim", "with TLB_VIRT", ""]]
    known = [*PATHS, *(key for key in paths if key not in PATHS)]
    for key in [*known, *(key for key in targets["paths"] if key not in known)]:
        target, row = targets["paths"].get(key, {}), paths.get(key)
        limits = [str(target.get("at_most", "-")), str(target.get("aim", "-"))]
        if row is None:
            rows.append([key, "-", "-", "-", "-", "0", *limits, "-", "not walked"])
        elif "guest" not in row:
            rows.append([key, str(row["insns"]), str(row["insns_min"]), f"{row['insns_mean']:.1f}", str(row["cycles"]),
                         str(row["count"]), *limits, str(row.get("with_tlb", "-")), judge_row(row, target)])
    return run.table(rows)


def walk_table(paths, targets):
    """Table of the sequences that take the place of an instruction."""
    rows = [["on the register pages", "guest", "at most", "aim", "hypervisor", "count", ""]]
    for key, row in paths.items():
        target = targets["paths"].get(key, {})
        if "guest" in row:
            rows.append([key, str(row["guest"]), str(target.get("guest", "-")), str(target.get("guest_aim", "-")),
                         str(row["insns"]), str(row["count"]), judge_walk(row, target)])
    return run.table(rows) if len(rows) > 1 else []


def mode_limit(target, mode):
    """Target of a mode: all but full have the same."""
    return target.get("full" if mode == "full" else "para")


def judge_mode(row, target, mode):
    """ok, above (the target is missed, the budget is kept) or over."""
    limit, overhead = mode_limit(target, mode), row[f"{mode}_overhead"]
    if limit is None or overhead <= limit:
        return "-" if limit is None else "ok"
    return "above" if overhead <= target.get(f"{mode}_budget", limit) else "over"


def table1_table(table1, targets):
    """Table 1, ours beside the paper's: one line for each mode of each workload."""
    rows = [["workload", "mode", "insns", "in the hypervisor", "overhead", "at most", "removed", "paper", "removed",
             "cycles", "overhead", ""]]
    for name, row in table1.items():
        target = targets["table1"].get(name, {})
        rows.append([name, "native", str(row["native"]), *["-"] * 6, str(row["native_cycles"]), "-", "-"])
        for mode in MODES:
            if mode not in row:
                rows.append(["", mode, *["-"] * 9, "not measured"])
                continue
            limit, paper = mode_limit(target, mode), target.get(f"paper_{mode}")
            part, paper_part = row.get(f"{mode}_removed"), paper_removed(target) if mode == "para" else None
            rows.append(["", mode, str(row[mode]), str(row[f"{mode}_hypervisor"]), percent(row[f"{mode}_overhead"], 3),
                         percent(limit), percent(part, 1), percent(paper), percent(paper_part, 0),
                         str(row[f"{mode}_cycles"]), percent(row[f"{mode}_overhead_cycles"], 3),
                         judge_mode(row, target, mode)])
    others = targets.get("removed")
    return [*run.table(rows), *([f"removed by others: the paper's CTask {others['paper']}; {others['kvm']}"] if others else [])]


def percent(value, digits=2):
    """As text; - if there is none."""
    return "-" if value is None else f"{value:.{digits}f} %"


def paper_removed(target):
    """The share that the paper's para-virtualization removes of its full virtualization's overhead; None if of nothing."""
    full = target.get("paper_full")
    return removed(full, target["paper_para"]) if full else None


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
            yield f"{key}: not measured. hint: give an image that walks it, --image, --tlb or --table1"
    for key, row in paths.items():
        target = targets["paths"].get(key, {})
        if judge_row(row, target) != "over":
            continue
        if "guest" in row:
            yield (f"{key}: {row['insns']} instructions of the hypervisor, at most {target['at_most']}; {row['guest']} of "
                   f"the guest, at most {target['guest']} ({row['excursions']} excursions in {row['image']})")
        else:
            longest = row["longest"]
            if judge_path(row["insns"], target) == "over":
                yield (f"{key}: {row['insns']} instructions, at most {target.get('budget', target['at_most'])} "
                       f"({longest['what']}, word {longest['word']}, {longest['vm']} in {longest['image']})")
            if judge_with_tlb(row, target) == "over":
                yield (f"{key}: {row['with_tlb']} instructions with option TLB_VIRT, at most "
                       f"{max(row['insns'] + WITH_TLB_MORE, target.get('budget_with_tlb', 0))}")
    for name, row in table1.items():
        target = targets["table1"].get(name, {})
        for mode in MODES:
            if f"{mode}_overhead" in row and judge_mode(row, target, mode) == "over":
                yield f"{name}, {mode}: {row[f'{mode}_overhead']:.3f} % over native, at most {mode_limit(target, mode)} %"


def print_model(model):
    """The cycle model, as the plugin reports it."""
    rows = [["cycle model", "cycles", "what"]]
    rows += [[name, str(cycles), f"{what}; {source}"] for name, cycles, what, source in model]
    widths = [max(len(row[column]) for row in rows) for column in range(3)]
    for name, cycles, what in rows:
        print(f"{name.ljust(widths[0])}  {cycles.rjust(widths[1])}  {what}")


def table1_argument(text):
    """Argument type: NAME=NATIVE.elf,FULL[,PREVIRT[,PARA]]. Gives (name, native, {mode: image})."""
    match = re.fullmatch(r"([\w-]+)=([^,]+)((?:,[^,]+){1,4})", text)
    if not match:
        raise argparse.ArgumentTypeError(f"{text}: write NAME={TABLE1_FORM}")
    images = dict(zip(MODES, match.group(3)[1:].split(",")))
    if images["full"] == NO_IMAGE:
        raise argparse.ArgumentTypeError(f"{text}: the image of full can't be left out")
    return match.group(1), match.group(2), {mode: image for mode, image in images.items() if image != NO_IMAGE}


def parse_arguments(argv):
    """The command line."""
    parser = argparse.ArgumentParser(prog="bench.py", description=__doc__.split("\n", maxsplit=1)[0])
    parser.add_argument("--image", action="append", default=[],
                        help="image whose excursions count for the paths; may repeat")
    parser.add_argument("--tlb", action="append", default=[], metavar="IMAGE",
                        help="image whose excursions count for the paths of the virtual TLB, and for no other; may repeat")
    parser.add_argument("--with-tlb", action="append", default=[], metavar="IMAGE",
                        help="image of --image with option TLB_VIRT: its figures stand beside those; may repeat")
    parser.add_argument("--decision", action="append", default=[], metavar="NAME=IMAGE",
                        type=lambda text: tuple(text.split("=", 1)),
                        help="image whose scheduler's decisions are the path decision_NAME; may repeat")
    parser.add_argument("--table1", action="append", default=[], type=table1_argument,
                        metavar=f"NAME={TABLE1_FORM}",
                        help="workload of Table 1: its ELF file, run bare, and the image of each mode (-: none); may repeat")
    parser.add_argument("--walks", action="append", default=[], metavar="GUEST.elf",
                        help="ELF file of a guest that has symbols walk_<name>; may repeat")
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
    if not args.image and not args.tlb and not args.table1:
        parser.error("nothing to run: give --image, --tlb or --table1")
    return args


def main(argv=None):
    """Run, print the tables, write the JSON."""
    options = parse_arguments(argv)
    targets = read_targets(os.path.join(options.config, "targets.toml"))
    isa = Isa(options.config)
    build_plugin(options.plugin, options.cc)
    images = list(dict.fromkeys(options.image + [image for _, _, modes in options.table1 for image in modes.values()]))
    both = sorted(set(images) & set(options.tlb))
    if both:
        raise InputError(fault(both[0], None, "named for the virtual TLB and for other paths", "name it once"))
    images += list(dict.fromkeys(options.tlb))
    cold = {image: cold_address(image) for image in options.tlb}
    measured = {image: measure_image(image, options) for image in images}
    sampled = {modes.get("optimize") for _, _, modes in options.table1}      # where each trap is a little longer
    excursions = [Excursion(row, isa, image, cold.get(image)) for image in images if image not in sampled
                  for row in measured[image][1]["excursions"]]
    paths = path_figures(excursions) | masked_figure(excursions)
    for image in options.with_tlb:
        others = [Excursion(row, isa, image) for row in measure_image(image, options)[1]["excursions"]]
        found = path_figures(others) | masked_figure(others)
        for key in set(found) & set(paths):
            paths[key]["with_tlb"] = max(paths[key].get("with_tlb", 0), found[key]["insns"])
    for name, image in options.decision:
        paths |= decision_figures(name, image, isa, options)
    for image in images:
        paths |= walk_figures(measured[image][1], image)
    kinds = kind_figures(excursions)
    table1 = {name: table1_row(native, modes, measured, options) for name, native, modes in options.table1}
    compiler = ledger.compiler_of(images[0])
    targets, note = ledger.allow(targets, compiler)
    model = measured[images[0]][1]["model"]

    tables = (path_table(paths, targets), walk_table(paths, targets), table1_table(table1, targets) if table1 else [],
              kind_table(kinds, options.kinds))
    for table in filter(None, tables):
        print("\n".join(table), end="\n\n")
    print_model(model)
    write_if_changed(options.out, json.dumps({"paths": paths, "table1": table1, "excursions": kinds, "model": model,
                                              "compiler": compiler}, indent=1) + "\n")
    if note:
        print(note)
    missed = list(misses(paths, table1, targets, [key for key in options.require.split(",") if key]))
    for text in missed:
        print(f"bench.py: {text}", file=sys.stderr)
    return 1 if missed and options.gate else 0


if __name__ == "__main__":
    sys.exit(run_tool(main))
