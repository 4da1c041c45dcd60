#!/usr/bin/python3
"""footprint.py: every byte of the hypervisor, by file and by option, beside the paper's Table 2.

    footprint.py                                builds, prints, writes build/footprint.json and build/footprint.svg
    footprint.py --elf build/demo/proteus.elf   one image by file, builds nothing
    footprint.py --diff old.json                one line: the change of text and data against an older footprint.json

What counts as what:
  text      code, vectors and read-only tables: every section of the hypervisor that is loaded and not written
  data      what is written: .data, .bss and the low words; without the three below, which are listed beside it
  vcpu      register files, section .vcpu; per VM it is the words of struct vcpu, without padding (by the debug information;
            where there is none, the size of the symbol `vcpu` divided by the number of VMs)
  pages     per VM: the register pages, in which the register file then stands (option IRFM)
  stack     section .stack
  images    guests and their tables, section .images: no part of the hypervisor
Of a file: what the linker took from its object, by the map file. What link-time optimization has merged into one object
is told apart by the debug information, byte by byte: inlined code belongs to the file that it was written in.

Of a component of the paper's that can be added to the product `--base` (`on = "base"` in config/targets.toml): that product
is built with and without its option. Of every option: the product `--product` is built with and without it (and, both
times, without what depends on it), with one VM of its own that uses no device, but every technique that is on: what no VM
may use, link-time optimization could leave out. For a choice, the selected alternative against each other. Which option
is which component of the paper is in config/targets.toml, [component]: option, and if only some files of it count, files.
The component `base` is the product `--base`.

Exit status: 0; 1 if a build fails, an input is bad, or with --gate a target is missed; 2 for wrong usage.
"""

import sys

sys.dont_write_bytecode = True      # generated files belong under build/ only

import argparse
import fnmatch
import json
import os
import re
import subprocess

import ledger
import run
from kconfig import InputError, fault, load_kconfig, read_text, run_tool, write_if_changed

ROOT = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))
ASIDE = ("vcpu", "stack", "images")
COLUMNS = ("text", "rodata", "data", "bss", *ASIDE)
LTO_OBJECT = re.compile(r"\.ltrans\d*\.(ltrans\.)?o$|\.lto\.o$")      # what gcc's link-time optimization links
SHF_WRITE, SHF_ALLOC, SHF_EXECINSTR = 1, 2, 4
COMPONENTS = ("base", "para", "irfm", "irfm_fallback", "previrt", "tlb", "drivers", "ipcm")
# One VM that any configuration can carry.
PARTITION = """[product]
name = "footprint"
description = "one VM, to measure options with"

[[vm]]
name = "vm"
image = "{image}"
memory = "1M"
{console}
{techniques}"""
PLAN = '\n[[plan]]\nname = "footprint"\nwindows = [{ vm = "vm", us = 1000 }]\n'
# Options that need somebody at the other end, or next: with and without, there are two VMs, and with IPCM a tunnel between them.
PAIRS = ("IPCM", "IPCM_REGS", "FAST_SWITCH")
SECOND = '\n[[vm]]\nname = "other"\nimage = "{image}"\nmemory = "1M"\nparavirt = true\n'
TUNNEL = """
[[tunnel]]
name = "between"
size = "4K"
ends = [{ vm = "vm", at = "0x80000000", doorbell = 7 }, { vm = "other", at = "0x80000000", doorbell = 7 }]
"""
REGISTERS = 'tunnels_at = "0x90000000"\n'
TECHNIQUES = ("PARAVIRT", "IRFM", "PREVIRT")        # options that a VM has to ask for, by the same name in small letters
# Options of the virtual UART, and what the VM has with the last of them that is on.
CONSOLES = {"UART_16550": ("ns16550", 0xEF600300), "UART_16550_WORDS": ("ns16550-words", 0x83E01000),
            "UART_UARTLITE": ("uartlite", 0x90210000)}
GUESTS_AS_THEY_ARE = ("-o", "guests", "BOARD_GUESTS=build/guests")      # the images are not run: any board's guests do
PADDING = ("reserved", "slot", "unused")            # members of struct vcpu that are no words of the register file


# ---------------------------------------------------------------- one image

def column_of(name, flags, nobits):
    """Column of an output section, or None if it is not in memory."""
    if not flags & SHF_ALLOC:
        return None
    if name.lstrip(".") in ASIDE:
        return name.lstrip(".")
    if flags & SHF_WRITE:
        return "bss" if nobits else "data"
    return "text" if flags & SHF_EXECINSTR else "rodata"


class Image:
    """Sizes of a linked hypervisor: `columns` in all, `files` by object file, `vcpu` and `pages` bytes per VM."""

    def __init__(self, elf, map_path=None, vm_count=None, pages=None):
        self.path = elf
        self.columns = dict.fromkeys(COLUMNS, 0)
        self.files = {}
        self.symbol = self.words = None
        self.pages = pages
        sections = self.read_elf(elf)
        map_path = map_path or os.path.splitext(elf)[0] + ".map"
        self.read_map(map_path, sections)
        self.vcpu = self.words
        if self.vcpu is None and self.symbol and vm_count:
            self.vcpu = self.symbol // vm_count

    def read_elf(self, path):
        """Fill `columns`; gives {output section: (column, size)}."""
        try:
            from elftools.common.exceptions import ELFError
            from elftools.elf.elffile import ELFFile
        except ImportError:
            raise InputError(fault(path, None, "the Python module elftools is missing",
                                   "apt-get install python3-pyelftools, and run with /usr/bin/python3")) from None
        try:
            with open(path, "rb") as stream:
                elf = ELFFile(stream)
                found = [(section.name, section.header) for section in elf.iter_sections()]
                table = elf.get_section_by_name(".symtab")
                symbols = table.get_symbol_by_name("vcpu") if table else None
                self.words = register_file_bytes(elf) if symbols else None
        except (OSError, ELFError) as error:
            cause = os.strerror(error.errno) if isinstance(error, OSError) else f"not an ELF file: {error}"
            raise InputError(fault(path, None, f"can't read the image: {cause}", "build it first: make")) from None
        self.symbol = symbols[0].entry.st_size if symbols else None
        sections = {}
        for name, header in found:
            column = column_of(name, header.sh_flags, header.sh_type == "SHT_NOBITS")
            if column and header.sh_size:
                self.columns[column] += header.sh_size
                sections[name] = (column, header.sh_size)
        if not self.columns["text"]:
            raise InputError(fault(path, None, "no code", "is it a linked hypervisor image?"))
        return sections

    def read_map(self, path, sections):
        """Fill `files` from the linker's map; what no file accounts for is `(fill)`."""
        sources = None
        text = read_text(path, "map file", "link with -Wl,-Map=...")
        marker = "Linker script and memory map"
        if marker not in text:
            raise InputError(fault(path, 1, "not a map file of GNU ld", "link with -Wl,-Map=..."))
        # A name too long for its column is followed by the rest on the next line: join the two.
        lines = re.sub(r"\n( ?\.?[^\s=*]+)\n +(0x)", r"\n\1 \2", text[text.index(marker):]).splitlines()
        left = {name: size for name, (_, size) in sections.items()}
        output = None
        for line in lines:
            match = re.match(r"^(\.\S+)\s+0x[0-9a-f]+\s+0x[0-9a-f]+", line)
            if match:
                output = match.group(1) if match.group(1) in sections else None
                continue
            match = re.match(r"^ (?!\*)(\S+)\s+(0x[0-9a-f]+)\s+(0x[0-9a-f]+)\s+(\S.*)$", line)
            size = int(match.group(3), 16) if match and output else 0
            if not size:
                continue
            left[output] -= size
            if LTO_OBJECT.search(match.group(4)):
                sources = sources or Sources(self.path)
                self.add_merged(sources, sections[output][0], match.group(1), int(match.group(2), 16), size)
            else:
                self.add(file_name(match.group(4)), sections[output][0], size)
        for name, size in left.items():
            if size < 0:
                raise InputError(fault(path, None, f"{name} has more bytes here than in {self.path}",
                                       "the map belongs to another link: build again"))
            self.add("(fill)", sections[name][0], size)

    def add(self, name, column, size):
        """Account bytes to a file."""
        if size:
            self.files.setdefault(name, dict.fromkeys(COLUMNS, 0))[column] += size

    def add_merged(self, sources, column, section, start, size):
        """Account the bytes of an input section of a merged object."""
        unknown = "(strings)" if ".str" in section else "(merged)"
        for address in range(start, start + size):
            self.add(sources.files.get(address, unknown), column, 1)

    def as_json(self):
        """For footprint.json."""
        return dict(totals(self.columns), **{name: self.columns[name] for name in ASIDE}, vcpu_each=self.vcpu,
                    pages_each=self.pages)


def register_file_bytes(elf):
    """Bytes of struct vcpu without its PADDING, by the debug information; None if that says nothing."""
    if not elf.has_dwarf_info():
        return None
    for unit in elf.get_dwarf_info().iter_CUs():
        for die in unit.get_top_DIE().iter_children():
            if die.tag != "DW_TAG_structure_type" or "DW_AT_byte_size" not in die.attributes:
                continue
            if "DW_AT_name" in die.attributes and die.attributes["DW_AT_name"].value == b"vcpu":
                return used_bytes(list(members(die, 0)), die.attributes["DW_AT_byte_size"].value)
    return None


def members(die, start):
    """(offset, name, whether it has no size) of every member, those of unnamed structures and unions included."""
    for child in die.iter_children():
        if child.tag == "DW_TAG_member":
            place = child.attributes.get("DW_AT_data_member_location")
            offset, kind = start + (place.value if place else 0), child.get_DIE_from_attribute("DW_AT_type")
            if "DW_AT_name" in child.attributes:
                yield offset, child.attributes["DW_AT_name"].value.decode(), is_empty_array(kind)
            else:
                yield from members(kind, offset)


def is_empty_array(die):
    """Whether a type is an array of no elements."""
    if die.tag != "DW_TAG_array_type":
        return False
    bounds = next(die.iter_children()).attributes
    count = bounds["DW_AT_count"].value if "DW_AT_count" in bounds else 0
    return count == 0 and "DW_AT_upper_bound" not in bounds


def used_bytes(found, size):
    """Bytes up to the end of the last word, without padding. `found`: members(); an empty array marks that end."""
    found = [row for row in found if row[1] != "slot"]          # the whole, in a union with all others
    end = max((offset for offset, _, empty in found if empty), default=size)
    offsets = sorted({offset for offset, _, _ in found if offset < end} | {end})
    padded = {offset for offset, name, _ in found if name in PADDING}
    return sum(following - offset for offset, following in zip(offsets, offsets[1:]) if offset not in padded)


class Sources:
    """The file of each byte of a linked program, as `src/x.o`, by its debug information: `files` by address."""

    def __init__(self, path):
        from elftools.elf.elffile import ELFFile
        self.files = {}
        with open(path, "rb") as stream:
            elf = ELFFile(stream)
            if not elf.has_dwarf_info():
                return
            self.sizes = {}                 # an address may have marks without a size beside its object
            for symbol in elf.get_section_by_name(".symtab").iter_symbols():
                address, size = symbol.entry.st_value, symbol.entry.st_size
                self.sizes[address] = max(size, self.sizes.get(address, 0))
            self.dwarf = elf.get_dwarf_info()
            for unit in self.dwarf.iter_CUs():
                for die in unit.iter_DIEs():        # a parent comes before its children: inlined code overwrites
                    for start, size in self.extents(die, unit):
                        self.files.update(dict.fromkeys(range(start, start + size), self.file_of(die)))

    def extents(self, die, unit):
        """(address, size) of what a function, an inlined call or a variable occupies."""
        attributes = die.attributes
        if die.tag == "DW_TAG_variable" and "DW_AT_location" in attributes:
            location = attributes["DW_AT_location"].value
            if isinstance(location, list) and len(location) == 5 and location[0] == 3:      # DW_OP_addr
                address = int.from_bytes(bytes(location[1:]), "big")
                yield address, self.sizes.get(address, 0)
        elif die.tag in ("DW_TAG_subprogram", "DW_TAG_inlined_subroutine"):
            if "DW_AT_ranges" in attributes:
                yield from self.ranges(attributes["DW_AT_ranges"], unit)
            elif "DW_AT_low_pc" in attributes and "DW_AT_high_pc" in attributes:
                low, high = attributes["DW_AT_low_pc"].value, attributes["DW_AT_high_pc"]
                yield low, high.value - (low if high.form == "DW_FORM_addr" else 0)

    def ranges(self, attribute, unit):
        """(address, size) of each part of a range list."""
        lists = self.dwarf.range_lists()
        top = unit.get_top_DIE().attributes
        base = top["DW_AT_low_pc"].value if "DW_AT_low_pc" in top else 0
        for entry in lists.get_range_list_at_offset(attribute.value, cu=unit):
            if hasattr(entry, "base_address"):
                base = entry.base_address
            else:
                start = entry.begin_offset + (0 if entry.is_absolute else base)
                yield start, entry.end_offset - entry.begin_offset

    @staticmethod
    def file_of(die):
        """The file in which a function or variable was written."""
        for link in ("DW_AT_abstract_origin", "DW_AT_specification"):
            while link in die.attributes:
                die = die.get_DIE_from_attribute(link)
        name = die.cu.get_top_DIE().attributes.get("DW_AT_name")
        return os.path.splitext(file_name(name.value.decode()))[0] + ".o" if name else "(merged)"


def file_name(path):
    """Short name of an object: its folder (of src also the room) and name; members of an archive by the archive."""
    member = re.match(r"(.*)\((.*)\)$", path.strip())
    if member:
        return os.path.basename(member.group(1))
    parts = os.path.normpath(path.strip()).split("/")
    return "/".join(parts[-1 - parts[::-1].index("src") if "src" in parts else -2:])


def totals(columns):
    """Text and data, as the targets count them."""
    return {"text": columns["text"] + columns["rodata"], "data": columns["data"] + columns["bss"]}


def difference(larger, smaller, patterns=None):
    """What one image has more than another: text, data and bytes per VM; of the files that match only, if patterns."""
    if not patterns:
        a, b = totals(larger.columns), totals(smaller.columns)
    else:
        a, b = ({"text": 0, "data": 0}, {"text": 0, "data": 0})
        for image, sums in ((larger, a), (smaller, b)):
            for name, columns in image.files.items():
                if any(fnmatch.fnmatch(name, pattern) for pattern in patterns):
                    for key, value in totals(columns).items():
                        sums[key] += value
    result = {key: a[key] - b[key] for key in ("text", "data")}
    if larger.vcpu is not None and smaller.vcpu is not None:
        result["per_vm"] = larger.vcpu - smaller.vcpu
    if larger.pages != smaller.pages:
        result["pages"] = (larger.pages or 0) - (smaller.pages or 0)
    return result


# ---------------------------------------------------------------- builds

class Builder:
    """Runs make, once for each configuration."""

    def __init__(self, options):
        self.options = options
        self.images = {}

    def make(self, product, folder, *variables):
        """Build a product in a folder; gives its Image."""
        key = (product, folder)
        if key not in self.images:
            if not self.options.no_build:
                print(f"  SIZE  {folder}", file=sys.stderr, flush=True)
                command = [self.options.make, "-s", f"-j{self.options.jobs}", f"PRODUCT={product}", f"O={folder}",
                           *variables, f"{folder}/proteus.elf"]
                try:
                    result = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)
                except FileNotFoundError:
                    raise InputError(fault(self.options.make, None, "not found", "apt-get install make")) from None
                if result.returncode:
                    last = "\n".join((result.stdout + result.stderr).strip().splitlines()[-12:])
                    cause = f"`{' '.join(command)}` failed"
                    raise InputError(fault(folder, None, cause, "its last words follow"), last)
            folder_path = os.path.join(ROOT, folder)
            self.images[key] = Image(os.path.join(folder_path, "proteus.elf"), None, *vms_of(folder_path))
        return self.images[key]

    def variant(self, product, label, settings, options_on, name=None):
        """Build a product with changed options, to measure option `name`, and the one VM of PARTITION, or two (PAIRS).
        `options_on`: names of those that are on.
        """
        label += "-pair" if name in PAIRS else ""
        folder = os.path.join(self.options.work, label)
        path = os.path.join(ROOT, folder, "partitions.toml")
        forward = 'forward = ["iic0", "gpio0"]\n' if "FORWARD" in options_on else ""
        forward += REGISTERS if name in PAIRS and "IPCM_REGS" in options_on else ""
        techniques = [name for name in TECHNIQUES if name in options_on]
        text = PARTITION.format(image=self.options.previrt_guest if "PREVIRT" in techniques else self.options.guest,
                                console=console_of(options_on),
                                techniques=forward + "".join(f"{technique.lower()} = true\n" for technique in techniques))
        text += SECOND.format(image=self.options.guest) if name in PAIRS else ""
        text += TUNNEL if name in PAIRS and "IPCM" in options_on else ""
        text += PLAN if settings.get("SCHED_CYCLIC") == "y" else ""
        write_if_changed(path, text)
        settings = {**settings, "TEXT_BUDGET": 65536, "DATA_BUDGET": 65536}      # the product's own, not its variants'
        extra = " ".join(f"CONFIG_{name}={value}" for name, value in sorted(settings.items()))
        return self.make(product, folder, f"PARTITIONS={os.path.join(folder, 'partitions.toml')}",
                         f"EXTRA_CONFIG={extra}", *GUESTS_AS_THEY_ARE, *self.pack(techniques))

    @staticmethod
    def pack(techniques):
        """Variables for the packer: the table is made for register pages, and a VM without them would be refused. It never runs:
        what counts is that the loader is in on both sides, or its bytes would be IRFM's.
        """
        return ["PACK=--accept-bad-tables"] if "PREVIRT" in techniques and "IRFM" not in techniques else []


def console_of(options_on):
    """The VM's console, as the options allow."""
    kinds = [CONSOLES[name] for name in CONSOLES if name in options_on]
    if not kinds:
        return 'console = "none"'
    kind, address = kinds[-1]
    return f'console = "shared"\nconsole_kind = "{kind}"\nconsole_at = 0x{address:X}\nconsole_line = 0'


def vms_of(folder):
    """(number of VMs, bytes of register pages of each or None) of a build, by its partition table; None if it has none."""
    path = os.path.join(folder, "gen", "partitions.json")
    if not os.path.exists(path):
        return None, None
    try:
        partitions = json.loads(read_text(path, "partition table"))
        count, registers = len(partitions["vms"]), partitions.get("registers")
        return count, registers["size"] // count if registers else None
    except (ValueError, KeyError, TypeError, ZeroDivisionError, AttributeError) as error:
        raise InputError(fault(path, 1, f"not a partition table: {error!r}", "build it again: make")) from None


class Options:
    """The options of the Kconfig as the product sets them."""

    def __init__(self, kconfig, defconfig):
        import kconfiglib
        self.lib = kconfiglib
        self.kconf = load_kconfig(kconfig)
        read_text(defconfig, "defconfig")
        self.defconfig = defconfig
        self.kconf.load_config(defconfig)

    def reset(self):
        """Back to the product's values."""
        self.kconf.load_config(self.defconfig)

    def bools(self):
        """Names of the options that a user can switch, without those of choices."""
        for symbol in self.kconf.unique_defined_syms:
            if symbol.type == self.lib.BOOL and not symbol.choice and any(node.prompt for node in symbol.nodes):
                yield symbol.name

    def alternatives(self):
        """(selected, other) for each alternative of each choice, but for those that want a text of the user's."""
        for choice in self.kconf.unique_choices:
            for symbol in choice.syms:
                if choice.selection and symbol is not choice.selection and self.is_complete(symbol):
                    yield choice.selection.name, symbol.name

    def is_complete(self, symbol):
        """True if no text is missing when the symbol is on: BOARD_OWN has no board without its name."""
        symbol.set_value("y")
        texts = [other for other in self.kconf.unique_defined_syms if other.type == self.lib.STRING]
        complete = all(text.str_value for text in texts)
        self.reset()
        return complete

    def values(self):
        """The switchable options that are on."""
        return {name for name in self.bools() if self.kconf.syms[name].str_value == "y"}

    def on(self, settings):
        """The switchable options that are on with these settings."""
        self.reset()
        for name, value in settings.items():
            self.kconf.syms[name].set_value(value)
        names = self.values()
        self.reset()
        return names

    def comparison(self, name, without=()):
        """(settings with, settings without) the option, or None if it can't be on in this product.

        Settings are what has to differ from the defconfig. Options that fall when `name` does are off in both, and so are those
        of `without`, which exclude it.
        """
        self.reset()
        for other in without:
            self.kconf.syms[other].set_value("n")
        before = self.values()
        symbol = self.kconf.syms[name]
        if name not in before:
            symbol.set_value("y")
            both = dict.fromkeys(without, "n")
            result = ({**both, name: "y"}, both) if symbol.str_value == "y" else None
            self.reset()
            return result
        symbol.set_value("n")
        fallen = {other: "n" for other in before - self.values() - {name}}
        forced = symbol.str_value == "y"        # something selects it: not the user's to switch off
        self.reset()
        return None if forced else (fallen, dict(fallen, **{name: "n"}))


def measure_options(builder, product, options, only, skip, excluding):
    """{option: difference} by building with and without; and the pairs of images, for the components. `excluding`: {option: those
    that must be off}.
    """
    rows, pairs = {}, {}

    def build(settings, name=None):
        """The product with these settings, to measure an option."""
        label = "-".join([product] + [f"{key.lower()}_{value}" for key, value in sorted(settings.items())])
        return builder.variant(product, label, settings, options.on(settings), name)
    for name in options.bools():
        if name in skip or (only and name not in only):
            continue
        settings = options.comparison(name, excluding.get(name, ()))
        if settings is None:
            continue
        pairs[name] = [build(side, name) for side in settings]
        rows[name] = difference(*pairs[name])
    for selected, other in options.alternatives():
        if other in skip or (only and selected not in only):
            continue
        pairs[selected] = [build({}), build({other: "y"})]
        rows[f"{selected}, not {other}"] = difference(*pairs[selected])
    return rows, pairs


# ---------------------------------------------------------------- targets

def read_targets(path):
    """config/targets.toml."""
    return ledger.read(path, ("size", "size_total", "per_vm", "component"))


def components_of(base, pairs, base_pairs, targets):
    """The components of Table 2 as far as they exist: on top of `base` what can be, the others in the whole product."""
    components = {"base": totals(base.columns)}
    for key, spec in targets["component"].items():
        found = base_pairs if spec.get("on") == "base" else pairs
        if spec["option"] in found:
            row = difference(*found[spec["option"]], spec.get("files"))
            components[key] = {"text": row["text"], "data": row["data"]}
    for key, spec in targets["component"].items():
        if key in components and spec.get("without") in components:       # no byte counts twice
            part = components[spec["without"]]
            components[key] = {column: size - part[column] for column, size in components[key].items()}
    return components


def per_vm_of(base, full, pairs, targets):
    """Bytes of a register file, and what TLB virtualization adds; and the register pages, where the product has them."""
    result = {"base": base.vcpu} if base.vcpu is not None else {}
    if full.pages:
        result["pages"] = full.pages
    option = targets["component"].get("tlb", {}).get("option")
    if option in pairs:
        result["tlb"] = difference(*pairs[option]).get("per_vm", 0)
    return result


def judge(size, target):
    """ok; above: the target is missed, but not the ledger's budget, which keeps a missed figure from growing; over."""
    def fits(limits):
        return all(size[column] <= limit for column, limit in zip(("text", "data"), limits))
    if "at_most" not in target or fits(target["at_most"]):
        return "ok"
    return "above" if "budget" in target and fits(target["budget"]) else "over"


def paper_total(report):
    """Bytes of the components that the paper has, together."""
    return sum(sum(report["components"][key].values()) for key in COMPONENTS if key in report["components"])


def judge_total(total, target):
    """The same of the sum."""
    if total <= target["at_most"]:
        return "ok"
    return "above" if total <= target.get("budget", 0) else "over"


def misses(report, targets):
    """One sentence per target that is missed without a budget that covers it."""
    for key, size in report["components"].items():
        target = targets["size"].get(key, {})
        if judge(size, target) == "over":
            yield f"{key}: {size['text']} / {size['data']} bytes, at most {pair_text(target.get('budget', target['at_most']))}"
    total = paper_total(report)
    if judge_total(total, targets["size_total"]) == "over":
        limit = targets["size_total"].get("budget", targets["size_total"]["at_most"])
        yield f"the paper's components: {total} bytes, at most {limit}"
    for key, size in report["per_vm"].items():
        limit = targets["per_vm"].get(key, {}).get("at_most")
        if limit is not None and size > limit:
            yield f"per VM, {key}: {size} bytes, at most {limit}"


# ---------------------------------------------------------------- reports

def pair_text(size):
    """`text / data`."""
    return f"{size[0]} / {size[1]}"


def component_table(report, targets):
    """Table 2, ours beside the paper's."""
    rows = [["component", "ours", "paper", "at most", ""]]
    for key in COMPONENTS:
        target = targets["size"].get(key, {})
        paper, limit = (pair_text(target[name]) if name in target else "-" for name in ("paper", "at_most"))
        size = report["components"].get(key)
        if size is None:
            rows.append([key, "-", paper, limit, "not built yet"])
            continue
        rows.append([key, pair_text((size["text"], size["data"])), paper, limit, judge(size, target)])
    for key, size in report["components"].items():
        if key not in COMPONENTS:
            rows.append([key, pair_text((size["text"], size["data"])), "-", "-", "not in the paper"])
    total = paper_total(report)
    rows.append(["the paper's, together", str(total), str(targets["size_total"]["paper"]),
                 str(targets["size_total"]["at_most"]), judge_total(total, targets["size_total"])])
    rows.append(["product, everything", pair_text((report["total"]["text"], report["total"]["data"])), "-", "-", "-"])
    for key, size in report["per_vm"].items():
        rows.append(per_vm_row(key, size, targets["per_vm"].get(key)))
    return run.table(rows)


def per_vm_row(key, size, target):
    """A row of Table 2 about bytes of each VM."""
    if target is None:
        return [f"per VM, {key}", str(size), "-", "-", "not in the paper"]
    return [f"per VM, {key}", str(size), str(target["paper"]), str(target["at_most"]),
            "ok" if size <= target["at_most"] else "over"]


def option_table(rows):
    """What each option costs."""
    table = [["option", "text", "data", "per VM"]]
    for name, row in sorted(rows.items(), key=lambda item: (-item[1]["text"], item[0])):
        pages = f" and {row['pages']:+d} of pages" if "pages" in row else ""
        table.append([name, f"{row['text']:+d}", f"{row['data']:+d}",
                      f"{row['per_vm']:+d}{pages}" if "per_vm" in row else "-"])
    return run.table(table)


def file_table(image):
    """What each file contributes."""
    rows = [["file", *COLUMNS]]
    for name, columns in sorted(image.files.items(), key=lambda item: (-sum(totals(item[1]).values()), item[0])):
        rows.append([name, *(str(columns[column]) if columns[column] else "." for column in COLUMNS)])
    rows.append(["sum", *(str(image.columns[column]) for column in COLUMNS)])
    return run.table(rows)


def diff_line(old, new, of):
    """The last line of a commit message."""
    def pick(report):
        return report["total"] if of == "total" else report["components"][of]
    before, after = pick(old), pick(new)

    def part(column):
        change = after[column] - before[column]
        return f"{column} {after[column]} ({change:+d})" if change else f"{column} {after[column]} (0)"
    return f"footprint: {part('text')} {part('data')}"


def read_report(path):
    """An earlier footprint.json."""
    try:
        report = json.loads(read_text(path, "footprint", "make footprint"))
        for size in [report["total"], *report["components"].values()]:
            int(size["text"]), int(size["data"])
        return report
    except (ValueError, KeyError, TypeError, AttributeError) as error:
        raise InputError(fault(path, 1, f"not a footprint.json: {error!r}", "make it again: make footprint")) from None


# ---------------------------------------------------------------- chart

SVG_STYLE = """text { font: 13px sans-serif; fill: #1f2933 } .title { font-size: 17px; font-weight: bold }
.small { font-size: 11px; fill: #52606d } .axis { stroke: #cbd2d9 } .limit { stroke: #c53030; stroke-width: 2 }
.ours { fill: #1d5fa8 } .ours-data { fill: #8fbbe8 } .paper { fill: #7b8794 } .paper-data { fill: #cbd2d9 }"""
LEFT, WIDTH, ROW, TOP = 150, 560, 46, 92


def svg_bars(key, index, ours, paper, limit, scale):
    """Two bars of a component: ours above, the paper's below; a red stroke where the target is."""
    y = TOP + index * ROW
    yield f'<text x="{LEFT - 12}" y="{y + 20}" text-anchor="end">{key}</text>'
    for row, (css, size) in enumerate((("ours", ours), ("paper", paper))):
        top = y + 4 + 15 * row
        if size is None:
            yield f'<text class="small" x="{LEFT + (limit or 0) * scale + 8:.1f}" y="{top + 10}">not built yet</text>'
            continue
        text, data = (max(0, value) * scale for value in size)
        yield f'<rect class="{css}" x="{LEFT}" y="{top}" width="{text:.1f}" height="12"/>'
        yield f'<rect class="{css}-data" x="{LEFT + text:.1f}" y="{top}" width="{data:.1f}" height="12"/>'
        yield (f'<text class="small" x="{LEFT + text + data + 8:.1f}" y="{top + 10}">'
               f'{size[0]} + {size[1]}</text>')
    if limit is not None:
        x = LEFT + limit * scale
        yield f'<line class="limit" x1="{x:.1f}" x2="{x:.1f}" y1="{y + 1}" y2="{y + 19}"/>'


def nice_step(largest):
    """Distance of the axis' marks: 1, 2 or 5 times a power of ten, at most eight marks."""
    step = 1
    while True:
        for factor in (1, 2, 5):
            if largest / (step * factor) <= 8:
                return step * factor
        step *= 10


def render_svg(report, targets):
    """The chart: components and everything, ours beside the paper's."""
    rows = []
    for key in COMPONENTS:
        target = targets["size"].get(key, {})
        size = report["components"].get(key)
        rows.append((key.replace("_", " "), (size["text"], size["data"]) if size else None, target.get("paper"),
                     sum(target["at_most"]) if "at_most" in target else None))
    papers = [row[2] for row in rows if row[2]]
    rows.append(("everything", (report["total"]["text"], report["total"]["data"]),
                 [sum(paper[0] for paper in papers), sum(paper[1] for paper in papers)],
                 targets["size_total"]["at_most"]))
    largest = max(sum(size) for row in rows for size in row[1:3] if size)
    scale = WIDTH / largest
    bottom = TOP + len(rows) * ROW
    width = LEFT + WIDTH + 130
    out = [f'<svg xmlns="http://www.w3.org/2000/svg" width="{width}" height="{bottom + 44}" '
           f'viewBox="0 0 {width} {bottom + 44}" role="img">',
           "<title>Size of Proteus beside the paper's Table 2</title>", f"<style>{SVG_STYLE}</style>",
           f'<rect width="{width}" height="{bottom + 44}" fill="#ffffff"/>',
           '<text class="title" x="24" y="32">Size in bytes, text + data</text>']
    x = 24
    for css, label in (("ours", "ours: text"), ("ours-data", "data"), ("paper", "paper: text"), ("paper-data", "data")):
        out.append(f'<rect class="{css}" x="{x}" y="52" width="14" height="12"/>'
                   f'<text class="small" x="{x + 20}" y="62">{label}</text>')
        x += 42 + 7 * len(label)
    out.append(f'<line class="limit" x1="{x + 6}" x2="{x + 6}" y1="50" y2="66"/>'
               f'<text class="small" x="{x + 14}" y="62">our target: at most</text>')
    step = nice_step(largest)
    for value in range(0, largest + 1, step):
        at = LEFT + value * scale
        out.append(f'<line class="axis" x1="{at:.1f}" x2="{at:.1f}" y1="{TOP - 6}" y2="{bottom + 6}"/>'
                   f'<text class="small" x="{at:.1f}" y="{bottom + 22}" text-anchor="middle">{value}</text>')
    for index, row in enumerate(rows):
        out.extend(svg_bars(row[0], index, *row[1:], scale))
    return "\n".join(out) + "\n</svg>\n"


# ---------------------------------------------------------------- command line

def parse_arguments(argv):
    """The command line."""
    parser = argparse.ArgumentParser(prog="footprint.py", description=__doc__.split("\n", maxsplit=1)[0])
    parser.add_argument("--product", default="full", help="product that has everything (full)")
    parser.add_argument("--base", default="minimal", help="product that is the component `base` (minimal)")
    parser.add_argument("--elf", help="measure this image by file, and nothing else")
    parser.add_argument("--map", help="with --elf: its map file (default: the same name with .map)")
    parser.add_argument("--diff", metavar="OLD.json",
                        help="print the change of --out against an older one, and nothing else")
    parser.add_argument("--of", default="total", choices=("total", *COMPONENTS), help="with --diff: of what (total)")
    parser.add_argument("--only", default="", metavar="X,...", help="measure only these options")
    parser.add_argument("--skip", default="", metavar="X,...", help="do not measure these options")
    parser.add_argument("--no-options", action="store_true", help="only the two products")
    parser.add_argument("--no-build", action="store_true", help="take what is built, do not run make")
    parser.add_argument("--guest", default="ctask.elf",
                        help="image of the VM that options are measured with (ctask.elf)")
    parser.add_argument("--previrt-guest", default="ctask-previrt.elf",
                        help="the same where PREVIRT is on: an image with a table (ctask-previrt.elf)")
    parser.add_argument("--make", default="make", help="make program")
    parser.add_argument("--jobs", type=int, default=2, help="jobs of make (2)")
    parser.add_argument("--kconfig", default=os.path.join(ROOT, "Kconfig"))
    parser.add_argument("--targets", default=os.path.join(ROOT, "config", "targets.toml"))
    parser.add_argument("--work", default="build/footprint", help="folder for the builds, in the source tree")
    parser.add_argument("--out", default=os.path.join(ROOT, "build", "footprint.json"))
    parser.add_argument("--svg", default=os.path.join(ROOT, "build", "footprint.svg"))
    parser.add_argument("--gate", action="store_true", help="a missed target is an error")
    return parser.parse_args(argv)


def main(argv=None):
    """Build, measure, print, write."""
    args = parse_arguments(argv)
    if args.diff:
        print(diff_line(read_report(args.diff), read_report(args.out), args.of))
        return 0
    if args.elf:
        image = Image(args.elf, args.map, *vms_of(os.path.dirname(args.elf)))
        print("\n".join(file_table(image)))
        return 0
    targets = read_targets(args.targets)
    builder = Builder(args)
    base = builder.make(args.base, f"build/{args.base}")
    full = builder.make(args.product, f"build/{args.product}")
    compiler = ledger.compiler_of(full.path)
    targets, note = ledger.allow(targets, compiler)
    rows, pairs, base_pairs = {}, {}, {}
    if not args.no_options:
        full_options, base_options = (Options(args.kconfig, os.path.join(ROOT, "config", product, "defconfig"))
                                      for product in (args.product, args.base))
        excluding = {spec["option"]: spec["excludes"] for spec in targets["component"].values() if "excludes" in spec}
        only, skip = (set(filter(None, text.split(","))) for text in (args.only, args.skip))
        rows, pairs = measure_options(builder, args.product, full_options, only, skip, excluding)
        on_base = {spec["option"] for spec in targets["component"].values() if spec.get("on") == "base"}
        if on_base & (only or on_base):
            base_pairs = measure_options(builder, args.base, base_options, on_base & (only or on_base), skip, {})[1]
    report = {"components": components_of(base, pairs, base_pairs, targets), "total": totals(full.columns),
              "per_vm": per_vm_of(base, full, pairs, targets),
              "products": {args.base: base.as_json(), args.product: full.as_json()},
              "options": rows, "files": full.files, "compiler": compiler}
    print("\n".join(component_table(report, targets)), end="\n\n")
    if rows:
        print("\n".join(option_table(rows)), end="\n\n")
    print("\n".join(file_table(full)))
    write_if_changed(args.out, json.dumps(report, indent=1) + "\n")
    write_if_changed(args.svg, render_svg(report, targets))
    if note:
        print(note)
    missed = list(misses(report, targets))
    for text in missed:
        print(f"footprint.py: {text}", file=sys.stderr)
    return 1 if missed and args.gate else 0


if __name__ == "__main__":
    sys.exit(run_tool(main))
