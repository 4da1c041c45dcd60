#!/usr/bin/python3
"""Check a product's partition file against its board and configuration, and write the const tables of the hypervisor.

  partition.py --board config/boards/ref405ep.toml --config build/demo/.config --out build/demo/gen \\
               config/demo/partitions.toml
      writes partitions.c, partitions.h, board_values.h and partitions.json
  partition.py ... --check     only checks
  partition.py ... --table     prints the partitions

The keys of both files are described in config/README.md, the C structures in src/vm/partition.h, the bits of a VM's feature
word in hypercalls/abi.h. All faults are reported
at once, each with file, line, cause and a hint; with a fault nothing is written.
"""

import sys

sys.dont_write_bytecode = True      # generated files belong under build/ only

import argparse
import functools
import json
import os
import re
import tomllib

from kconfig import InputError, fault, guess, read_config, read_text, run_tool, write_if_changed

SPACE = 1 << 32                     # the 405's address space
TLB_ENTRIES = 64                    # of the PPC405's unified TLB
PAGE_SIZES = [1024 << 2 * n for n in range(8)]      # index = the SIZE field of TLBHI: 1K, 4K, ... 16M
VM_MAX_BY_TID = 255                 # PID and TID have 8 bits, and 0 matches everyone
UNIT = {"": 1, "K": 1 << 10, "M": 1 << 20}

# TLBHI and TLBLO fields (PPC405 Core User's Manual, "UTLB Fields")
HI_SIZE_SHIFT, HI_VALID = 7, 0x40
LO_EX, LO_WR, LO_I, LO_G = 0x200, 0x100, 0x4, 0x1
LO_RAM = LO_EX | LO_WR
LO_DEVICE = LO_WR | LO_I | LO_G
LO_PAGE_WRITABLE, LO_PAGE_READABLE = LO_WR, 0       # the register pages: data only

ABI = os.path.join(os.path.dirname(os.path.dirname(os.path.abspath(__file__))), "hypercalls", "abi.h")
LOW_END, HIGH_START = 0x8000, SPACE - 0x8000        # what off(0) reaches: below the one, from the other on
QUANTUM_US = (50, 1_000_000)
QUANTUM_DEFAULT = 1000
# Virtual UARTs: [console_kind] = the constant of src/vm/partition.h, bytes of registers, the option, a name for messages
CONSOLE_KINDS = {"ns16550": ("CONSOLE_16550", 8, "UART_16550", "16550"),
                 "ns16550-words": ("CONSOLE_16550_WORDS", 32, "UART_16550_WORDS", "16550"),
                 "uartlite": ("CONSOLE_UARTLITE", 16, "UART_UARTLITE", "UartLite")}
ESCAPE_DEFAULT = "ctrl-]"


@functools.lru_cache(maxsize=None)
def abi():
    """{name: number} of the constants of hypercalls/abi.h."""
    text = read_text(ABI, "ABI", "it is a part of the source tree")
    return {name: int(value, 0)
            for name, value in re.findall(r"^#define\s+(\w+)\s+(-?0[xX][0-9a-fA-F]+|-?\d+)\b", text, re.MULTILINE)}


# ---------------------------------------------------------------- lines of a TOML file

class LineScanner:
    """The line of every table, key and array element of a TOML text that tomllib has already accepted.

    `lines` maps a path such as ("vm", 0, "memory") to a line number. Only structure is read here; values are tomllib's.
    """

    def __init__(self, text):
        self.text = text
        self.pos = 0
        self.lines = {(): 1}
        self.counts = {}            # path of an array of tables -> tables seen
        self.scan()

    def line(self):
        """The line of the present position."""
        return self.text.count("\n", 0, self.pos) + 1

    def peek(self, string):
        """True if the text goes on with `string`."""
        return self.text.startswith(string, self.pos)

    def skip(self, newlines):
        """Step over blanks and comments, and over ends of lines if asked to."""
        while self.pos < len(self.text):
            char = self.text[self.pos]
            if char == "#":
                end = self.text.find("\n", self.pos)
                self.pos = end if end >= 0 else len(self.text)
            elif char in " \t\r" or (newlines and char == "\n"):
                self.pos += 1
            else:
                return

    def string(self):
        """Step over a string of any of the four kinds and return its raw inside."""
        quote = self.text[self.pos]
        mark = quote * 3 if self.peek(quote * 3) else quote
        start = self.pos = self.pos + len(mark)
        while not self.peek(mark):
            self.pos += 2 if quote == '"' and self.text[self.pos] == "\\" else 1
        raw = self.text[start:self.pos]
        self.pos += len(mark)
        while len(mark) == 3 and self.peek(quote):      # """" ends a string whose last character is a quote
            self.pos += 1
        return raw

    def key(self):
        """A dotted key as a tuple; the position is left behind it."""
        parts = []
        while True:
            self.skip(False)
            if self.text[self.pos] in "\"'":
                parts.append(self.string())
            else:
                match = re.compile(r"[\w-]+", re.ASCII).match(self.text, self.pos)
                parts.append(match.group())
                self.pos = match.end()
            self.skip(False)
            if not self.peek("."):
                return tuple(parts)
            self.pos += 1

    def note(self, path, line):
        """Remember where a path, and each table above it, was first named."""
        for depth in range(1, len(path) + 1):
            self.lines.setdefault(path[:depth], line)

    def resolve(self, key):
        """The path of a table header: names of arrays of tables mean their latest table."""
        path = ()
        for part in key:
            path += (part,)
            if path in self.counts:
                path += (self.counts[path] - 1,)
        return path

    def header(self):
        """A [table] or [[array of tables]] line; returns the path of the table."""
        line = self.line()
        array = self.peek("[[")
        self.pos += 2 if array else 1
        key = self.key()
        self.pos += 2 if array else 1
        if array:
            path = self.resolve(key[:-1]) + (key[-1],)
            self.counts[path] = self.counts.get(path, 0) + 1
            path += (self.counts[path] - 1,)
        else:
            path = self.resolve(key)
        self.note(path, line)
        return path

    def pair(self, table):
        """key = value within a table."""
        line = self.line()
        path = table + self.key()
        self.note(path, line)
        self.pos += 1               # the equals sign
        self.value(path)

    def value(self, path):
        """Step over a value, noting what is inside it."""
        self.skip(False)
        char = self.text[self.pos]
        if char in "\"'":
            self.string()
        elif char == "[":
            self.items("]", lambda index: self.element(path + (index,)))
        elif char == "{":
            self.items("}", lambda index: self.pair(path))
        else:
            self.pos = re.compile(r"[^,\]}#\n]*").match(self.text, self.pos).end()

    def element(self, path):
        """One element of an array."""
        self.note(path, self.line())
        self.value(path)

    def items(self, close, item):
        """The inside of [ ] or { }: items between commas."""
        self.pos += 1
        index = 0
        while True:
            self.skip(True)
            if self.peek(close):
                self.pos += 1
                return
            if self.peek(","):
                self.pos += 1
                continue
            item(index)
            index += 1

    def scan(self):
        """The whole text."""
        table = ()
        while True:
            self.skip(True)
            if self.pos >= len(self.text):
                return
            if self.peek("["):
                table = self.header()
            else:
                self.pair(table)


class TomlFile:
    """A TOML file with the line of each of its keys."""

    def __init__(self, path, what, hint):
        self.path = path
        text = read_text(path, what, hint).replace("\r\n", "\n")
        try:
            self.data = tomllib.loads(text)
        except tomllib.TOMLDecodeError as error:
            match = re.fullmatch(r"(.*) \(at (?:line (\d+), column (\d+)|end of document)\)", str(error), re.DOTALL)
            cause, line, column = match.groups() if match else (str(error), None, None)
            line = line or text.count("\n") + (not text.endswith("\n"))
            hint = (f"at column {column}" if column else "the file ends too early") + "; the syntax is TOML 1.0"
            raise InputError(fault(path, line, cause[:1].lower() + cause[1:], hint)) from None
        self.lines = LineScanner(text).lines

    def line(self, path):
        """The line of a path, or of the nearest table around it."""
        path = tuple(path)
        while path not in self.lines:
            path = path[:-1]
        return self.lines[path]


class Reader:
    """Typed access to a TomlFile that collects faults rather than stopping at the first."""

    def __init__(self, toml, faults):
        self.toml = toml
        self.faults = faults

    def fault(self, path, cause, hint):
        """Report a fault at a path."""
        self.faults.append(fault(self.toml.path, self.toml.line(path), cause, hint))

    def keys(self, table, path, known):
        """Report the keys of a table that nobody reads."""
        for key in table:
            if key not in known:
                self.fault((*path, key), f"unknown key '{key}'", guess(key, known))

    def get(self, table, path, key, kind, default=None, required=None):
        """The value of a key if its type is right, or else the default; `required` is the hint when it is absent."""
        if key not in table:
            if required:
                self.fault(path, f"key '{key}' is missing", required)
            return default
        value = table[key]
        names = {str: "a string", bool: "true or false", list: "an array", dict: "a table", int: "a whole number"}
        if not isinstance(value, kind) or (kind is int and isinstance(value, bool)):
            self.fault((*path, key), f"'{key}' has to be {names[kind]}, not {toml_kind(value)}", example(key))
            return default
        return value

    def tables(self, data, key):
        """An array of tables as [(path, table)]."""
        value = data.get(key, [])
        if not isinstance(value, list) or not all(isinstance(item, dict) for item in value):
            self.fault((key,), f"'{key}' has to be an array of tables, not {toml_kind(value)}", f"write [[{key}]]")
            return []
        return [((key, index), table) for index, table in enumerate(value)]

    def number(self, value, path, what, low=0, high=SPACE - 1, default=None):
        """An integer, or a string such as "0x1000", "64K", "1M", within bounds; else the default."""
        result = value
        if isinstance(value, str):
            match = re.fullmatch(r"(0x[0-9a-f_]+|[0-9_]+)\s*([km]?)(?:i?b)?", value.strip(), re.IGNORECASE)
            try:
                digits, unit = match.groups()
                result = int(digits, 0 if digits[:2].lower() == "0x" else 10) * UNIT[unit.upper()]
            except (AttributeError, ValueError):
                result = None
        if not isinstance(result, int) or isinstance(result, bool):
            self.fault(path, f"{what} {show(value)} is not a number", 'write 4096, 0x1000, "64K" or "1M"')
            return default
        if not low <= result <= high:
            self.fault(path, f"{what} {show(value)} is out of range", f"{show_number(low)} to {show_number(high)}")
            return default
        return result

    def field(self, table, path, key, default=None, required=None, low=0, high=SPACE - 1):
        """The number under a key."""
        if key not in table:
            return self.get(table, path, key, int, default, required)
        return self.number(table[key], (*path, key), f"'{key}'", low, high, default)


def toml_kind(value):
    """What a TOML value is, in the words of the message."""
    names = {bool: "a boolean", int: "a number", float: "a floating-point number", str: "a string", list: "an array",
             dict: "a table"}
    return names.get(type(value), "a date")


def example(key):
    """The hint for a wrong type: how the key is written."""
    examples = {"memory": 'memory = "1M"', "regs": "regs = { r3 = 0 }", "devices": 'devices = ["uart1"]',
                "interrupts": 'interrupts = ["uart1", 5, { line = 7, guest = 9 }]', "dma": "dma = true",
                "paravirt": "paravirt = true", "previrt": "previrt = true",
                "autostart": "autostart = false", "blob": 'blob = { file = "x.dtb", guest = "0xF0000" }'}
    return f"for example {examples[key]}" if key in examples else "see config/README.md"


def show(value):
    """A value as the user wrote it, more or less."""
    return f'"{value}"' if isinstance(value, str) else str(value).lower() if isinstance(value, bool) else str(value)


def show_number(value):
    """A bound in a hint: addresses and sizes in hexadecimal, small numbers in decimal."""
    return f"0x{value:X}" if value > 0xFFFFF and value % 10 else str(value)


def show_size(size):
    """A size with its largest exact unit."""
    for unit in ("M", "K"):
        if size and size % UNIT[unit] == 0:
            return f"{size // UNIT[unit]}{unit}"
    return str(size)


def show_range(base, size):
    """An address range with its last byte."""
    return f"0x{base:08X}-0x{base + size - 1:08X}"


def overlap(base, size, other, other_size):
    """True if two ranges have a byte in common."""
    return base < other + other_size and other < base + size


# ---------------------------------------------------------------- board

BOARD_KEYS = ["name", "tb_hz", "page_min", "ccr0", "console", "uic", "intc", "qemu", "ram", "rom", "reserved", "device"]
DEVICE_KEYS = ["name", "kind", "base", "size", "offset", "stride", "clock", "baud", "irq", "dma"]
CONSOLE_DEVICES = ["ns16550", "uartlite"]   # kinds that src/board_*.c drive
UARTLITE_SIZE = 16
INTC_SIZE = 32                      # bytes of Xilinx' interrupt controller, where it is in memory
INTC_DCRS = 8                       # or DCRs, where it is on that bus
NO_DCR = 0x400                      # behind the last DCR: the controller is not on the DCR bus


class Board:
    """A board file: clock, memory, controller and devices."""

    def __init__(self, path, faults):
        toml = TomlFile(path, "board file", "boards are the files of config/boards/")
        self.reader = reader = Reader(toml, faults)
        data = toml.data
        self.path = path
        reader.keys(data, (), BOARD_KEYS)
        self.name = reader.get(data, (), "name", str, "", 'name = "ref405ep"')
        self.tb_hz = reader.field(data, (), "tb_hz", 1, "tb_hz = <ticks of the time base per second>", low=1)
        self.page_min = reader.field(data, (), "page_min", 4096, "page_min = 4096, or 1024 on the chip itself")
        if self.page_min not in PAGE_SIZES:
            reader.fault(("page_min",), f"'page_min' {self.page_min} is no page size of the 405",
                         "one of " + ", ".join(map(show_size, PAGE_SIZES)))
            self.page_min = 4096
        self.ccr0 = reader.field(data, (), "ccr0", 0)
        self.read_controller(data)
        self.qemu = self.read_qemu(data)
        self.ram = self.ranges(data, "ram")
        self.rom = self.ranges(data, "rom")
        self.reserved = self.ranges(data, "reserved")
        self.devices = self.read_devices(data)
        if len(self.ram) != 1:
            reader.fault(("ram",), f"{len(self.ram)} tables of RAM, the hypervisor knows one",
                         "one [[ram]] with base and size")
        if not any(area["name"] == "hypervisor" for area in self.reserved):
            reader.fault(("reserved",), "nothing is reserved for the hypervisor",
                         '[[reserved]] with name = "hypervisor", base and size')
        self.console = reader.get(data, (), "console", str)
        if self.console and self.console not in self.devices:
            reader.fault(("console",), f"unknown device '{self.console}'", guess(self.console, self.devices))
            self.console = None
        if self.console and self.devices[self.console]["irq"] is None:
            reader.fault(("console",), f"the console's device '{self.console}' has no interrupt line", "irq = <number>")
        self.check_regions()
        self.check_apart()
        self.check_areas()
        self.check_uarts()

    def check_areas(self):
        """The linker script and QEMU take for granted what no design has otherwise: RAM from 0, ROM up to the reset vector."""
        fault = self.reader.fault
        for index, area in enumerate(self.reserved):
            path, place = ("reserved", index, "base"), show_range(area["base"], area["size"])
            if area["name"] == "hypervisor" and area["base"]:
                fault(path, f"the hypervisor's area begins at 0x{area['base']:08X}, its vectors are at 0", "base = 0")
            for ram in self.ram[:1]:
                if area["base"] < ram["base"] or area["base"] + area["size"] > ram["base"] + ram["size"]:
                    fault(path, f"'{area['name']}' {place} is outside RAM {show_range(ram['base'], ram['size'])}",
                          "correct base or size")
        for index, rom in enumerate(self.rom):
            if rom["base"] + rom["size"] != SPACE:
                fault(("rom", index, "base"), f"the ROM {show_range(rom['base'], rom['size'])} does not end at the reset vector",
                      "base + size is 0x100000000")

    def check_uarts(self):
        """What the hypervisor's driver of the console, and any driver of a UartLite, needs."""
        console = self.devices.get(self.console)
        if console and console["kind"] not in ("", *CONSOLE_DEVICES):
            self.reader.fault((*self.paths[self.console], "kind"), f"no driver for a console of kind '{console['kind']}'",
                              guess(console["kind"], CONSOLE_DEVICES))
        for name, device in self.devices.items():
            if device["baud"] and not 0 < baud_divisor(device) < 1 << 16:
                self.reader.fault((*self.paths[name], "baud"),
                                  f"{device['baud']} baud can't be had of a clock of {device['clock']} Hz",
                                  "clock = <what the 16550 counts>; without baud its divisor is left alone")
            if device["kind"] != "uartlite":
                continue
            if device["base"] % UARTLITE_SIZE:
                self.reader.fault((*self.paths[name], "base"), f"a UartLite can't be at 0x{device['base']:X}",
                                  f"a multiple of {UARTLITE_SIZE}")
            irq = device["irq"]
            if self.edges is not None and irq is not None and not self.edges >> irq & 1:
                self.reader.fault((*self.paths[name], "irq"), f"line {irq} is a level, but a UartLite signals by pulses",
                                  f"[intc] edges = 0x{self.edges | 1 << irq:08X}, as C_KIND_OF_INTR has it")

    def check_apart(self):
        """A window on a device opens whole pages: none of them is RAM."""
        for name, device in self.devices.items():
            base, end = self.pages(device)
            for ram in self.ram:
                if overlap(base, end - base, ram["base"], ram["size"]):
                    self.reader.fault((*self.paths[name], "base"), f"device '{name}' has a page in common with RAM "
                                      f"{show_range(ram['base'], ram['size'])}", "correct base or size")

    def check_regions(self):
        """The hypervisor runs in real mode, with all of a region of 128 MiB with RAM cached: none of its own devices is there."""
        device = self.devices.get(self.console)
        own = [(("console",), f"the console's device '{self.console}'", device["base"])] if device else []
        own += [(("intc",), "the interrupt controller", self.intc_base)] if self.intc_base is not None else []
        for path, what, base in own:
            if regions(self.ram) & regions([{"base": base, "size": 1}]):
                self.reader.fault(path, f"{what} at 0x{base:08X} shares 128 MiB with RAM, which is cached",
                                  "move it in the design")

    def check_config(self, config):
        """The options that follow from a board of the user's own say the same as its file."""
        fault = self.reader.fault
        if config.get("BOARD") not in (None, self.name):
            fault(("name",), f"name '{self.name}' is not CONFIG_BOARD, '{config['BOARD']}'", f'name = "{config["BOARD"]}"')
        if config.get("BOARD_VIRTEX") and self.controller != "intc":
            fault((self.controller,), "a Virtex design has Xilinx' interrupt controller", "[intc] with base or dcr, and lines")
        elif config.get("INTC") and self.intc_base is None and config.get("INTC_MMIO"):
            fault(("intc",), "the controller is on the DCR bus, CONFIG_INTC_DCR is off", "set CONFIG_INTC_DCR=y in the defconfig")
        elif config.get("INTC") and self.intc_base is not None and not config.get("INTC_MMIO"):
            fault(("intc",), "the controller is in memory, CONFIG_INTC_DCR is on", "take CONFIG_INTC_DCR=y out of the defconfig")

    def read_controller(self, data):
        """[uic] or [intc], the interrupt controller: `lines`, and `values` for board_values.h."""
        reader = self.reader
        self.intc_base = None       # where it is in memory, if it is
        self.edges = None           # of an INTC: the lines that are edges
        self.controller = "intc" if "intc" in data else "uic"
        if "intc" in data:
            self.read_intc(reader.get(data, (), "intc", dict, {}), ("intc",))
            if "uic" in data:
                reader.fault(("uic",), "a board has one interrupt controller, this one has [intc] too", "remove one of them")
            return
        path = ("uic",)
        uic = reader.get(data, (), "uic", dict, {}, "[uic] with dcr and lines, or [intc] with base or dcr")
        reader.keys(uic, path, ["dcr", "lines", "polarity", "trigger"])
        dcr = reader.field(uic, path, "dcr", 0, "dcr = 0xC0" if "uic" in data else None, high=0x3FF)
        self.lines = reader.field(uic, path, "lines", 32, low=1, high=32)
        polarity = reader.field(uic, path, "polarity", 0xFFFFFFFF)
        trigger = reader.field(uic, path, "trigger", 0)
        self.values = [("BOARD_UIC_DCR", f"0x{dcr:X}"), ("BOARD_UIC_LINES", self.lines),
                       ("BOARD_UIC_POLARITY", f"0x{polarity:08X}"), ("BOARD_UIC_TRIGGER", f"0x{trigger:08X}")]

    def read_intc(self, intc, path):
        """Xilinx' controller, at `base` in memory or from the DCR `dcr` on."""
        reader = self.reader
        reader.keys(intc, path, ["base", "dcr", "lines", "edges"])
        if ("base" in intc) == ("dcr" in intc):
            reader.fault(path, "the controller is in memory or on the DCR bus", "give one of base = <address> and dcr = <number>")
        base = reader.field(intc, path, "base", None, high=SPACE - INTC_SIZE)
        dcr = reader.field(intc, path, "dcr", None, high=NO_DCR - INTC_DCRS)
        self.lines = reader.field(intc, path, "lines", 32, low=1, high=32)
        self.edges = edges = reader.field(intc, path, "edges", 0, high=(1 << self.lines) - 1)
        if base is not None and base % INTC_SIZE:
            reader.fault((*path, "base"), f"the controller can't be at 0x{base:X}", f"a multiple of {INTC_SIZE}")
        if dcr is not None and dcr % INTC_DCRS:
            reader.fault((*path, "dcr"), f"the controller can't be at DCR 0x{dcr:X}", f"a multiple of {INTC_DCRS}")
        self.intc_base = base if dcr is None else None
        self.values = [("BOARD_INTC_IS_DCR", int(dcr is not None)), ("BOARD_INTC_BASE", f"0x{base or 0:08X}"),
                       ("BOARD_INTC_DCR", f"0x{NO_DCR if dcr is None else dcr:X}"), ("BOARD_INTC_LINES", self.lines),
                       ("BOARD_INTC_EDGES", f"0x{edges:08X}")]

    def read_qemu(self, data):
        """[qemu], for tools/run.py: the machine, the number of the console's -serial, and whether it needs tools/qemu."""
        path = ("qemu",)
        qemu = self.reader.get(data, (), "qemu", dict, {})
        self.reader.keys(qemu, path, ["machine", "serial", "patched"])
        return {"machine": self.reader.get(qemu, path, "machine", str, self.name),
                "serial": self.reader.field(qemu, path, "serial", 0, high=3),
                "patched": self.reader.get(qemu, path, "patched", bool, False)}

    def uart_values(self):
        """The console's device once more, by its role: BOARD_CONSOLE_*."""
        device = self.devices.get(self.console)
        if not device:
            return []
        divisor = baud_divisor(device) if device["baud"] else 0
        irq = [("BOARD_CONSOLE_IRQ", device["irq"])] if device["irq"] is not None else []
        return [("BOARD_CONSOLE_BASE", f"0x{device['base']:08X}"), ("BOARD_CONSOLE_OFFSET", f"0x{device['offset']:X}"),
                ("BOARD_CONSOLE_STRIDE", device["stride"]), ("BOARD_CONSOLE_DIVISOR", divisor),
                ("BOARD_CONSOLE_UARTLITE", int(device["kind"] == "uartlite")), *irq]

    def ranges(self, data, key):
        """The tables of [[ram]] or [[reserved]]."""
        result = []
        for path, table in self.reader.tables(data, key):
            self.reader.keys(table, path, ["name", "base", "size"])
            name = self.reader.get(table, path, "name", str, key, 'name = "hypervisor"' if key == "reserved" else None)
            self.symbol(name, (*path, "name"))
            base = self.reader.field(table, path, "base", 0, "base = <address>")
            size = self.reader.field(table, path, "size", self.page_min, "size = <bytes>", low=1, high=SPACE)
            if base + size > SPACE:
                self.reader.fault((*path, "size"), f"{name} ends beyond the address space",
                                  "base + size is at most 0x100000000")
            result.append({"name": name, "base": base, "size": size})
        return result

    def read_devices(self, data):
        """The tables of [[device]] by name."""
        devices, self.paths = {}, {}
        for path, table in self.reader.tables(data, "device"):
            reader = self.reader
            reader.keys(table, path, DEVICE_KEYS)
            name = reader.get(table, path, "name", str, "?", 'name = "uart0"')
            self.symbol(name, (*path, "name"))
            if name in devices:
                reader.fault((*path, "name"), f"device '{name}' is there twice", "names are unique")
            device = {"name": name, "kind": reader.get(table, path, "kind", str, ""),
                      "base": reader.field(table, path, "base", 0, "base = <machine address>"),
                      "size": reader.field(table, path, "size", 1, "size = <bytes>", low=1, high=SPACE),
                      "offset": reader.field(table, path, "offset", 0),
                      "stride": reader.field(table, path, "stride", 1, low=1, high=16),
                      "clock": reader.field(table, path, "clock", 0),
                      "baud": reader.field(table, path, "baud", 0, high=4_000_000),
                      "irq": reader.field(table, path, "irq", None, high=self.lines - 1),
                      "dma": reader.get(table, path, "dma", bool, False)}
            if device["base"] + device["size"] > SPACE:
                reader.fault((*path, "size"), f"{name} ends beyond the address space",
                             "base + size is at most 0x100000000")
                continue
            for other in devices.values():
                if overlap(device["base"], device["size"], other["base"], other["size"]):
                    reader.fault((*path, "base"), f"device '{name}' overlaps device '{other['name']}'",
                                 "correct base or size")
            devices.setdefault(name, device)
            self.paths.setdefault(name, path)
        return devices

    def symbol(self, name, path):
        """A name that becomes a part of a C macro."""
        if not re.fullmatch(r"[a-z][a-z0-9_]*", name) and name != "?":
            self.reader.fault(path, f"name '{name}' does not make a C macro", "small letters, digits and _")

    def uart_like(self, kind):
        """The device that a virtual UART of this kind stands for: the console's, or the first like it, or None."""
        devices = [self.devices[self.console]] if self.console else []
        return next((device for device in devices + list(self.devices.values()) if uart_kind(device) == kind), None)

    def pages(self, device):
        """The page-granular range (base, end) of a device."""
        base = device["base"] // self.page_min * self.page_min
        end = -(-(device["base"] + device["size"]) // self.page_min) * self.page_min
        return base, end

    def page_neighbours(self, device):
        """The other devices that a window on this one opens as well."""
        base, end = self.pages(device)
        return [other for other in self.devices.values()
                if other is not device and overlap(base, end - base, other["base"], other["size"])]


def baud_divisor(device):
    """What a 16550 divides its clock by, to the nearest."""
    return (device["clock"] + 8 * device["baud"]) // (16 * device["baud"])


def uart_kind(device):
    """The kind of virtual UART that is like a device of the board, or None."""
    kind = device["kind"] + ("-words" if device["kind"] == "ns16550" and device["stride"] == 4 else "")
    return kind if kind in CONSOLE_KINDS else None


def uart_base(device):
    """Its first register; of a bus of words, the word."""
    base = device["base"] + device["offset"]
    return base if uart_kind(device) == "ns16550" else base & ~3


# ---------------------------------------------------------------- partitions

TOP_KEYS = ["product", "schedule", "console", "vm"]
VM_KEYS = ["name", "image", "memory", "on_reset", "autostart", "regs", "blob", "console", "console_at", "console_kind",
           "console_line", "intc_at", "devices", "interrupts", "dma", "paravirt", "irfm", "previrt"]
REGISTERS = ["r3", "r4", "r5", "r6", "r7"]


class Vm:
    """One [[vm]] table, read."""

    def __init__(self, reader, board, config, path, table, index):
        self.path, self.table, self.index = path, table, index
        self.reader, self.board, self.config = reader, board, config
        reader.keys(table, path, VM_KEYS)
        self.name = self.read_name()
        self.image = reader.get(table, path, "image", str, "", 'image = "<name>.elf"')
        self.guest, self.machine, self.size = self.read_memory()
        on_reset = reader.get(table, path, "on_reset", str, "stop")
        if on_reset not in ("stop", "restart"):
            reader.fault((*path, "on_reset"), f"unknown policy '{on_reset}'", '"stop" or "restart"')
        self.restart = on_reset == "restart"
        self.autostart = reader.get(table, path, "autostart", bool, True)
        self.dma = reader.get(table, path, "dma", bool, False)
        self.regs = self.read_regs()
        self.blob = self.read_blob()
        self.console_kind, self.console_size, self.console_line, self.uart = "ns16550", 8, 0, ""
        self.console_base = self.read_console()
        self.devices = self.read_devices()
        self.intc_base = self.read_intc()
        self.irqs = self.read_interrupts()
        self.paravirt = self.read_technique("paravirt", "PARAVIRT")
        self.page = self.read_page()
        self.previrt = self.read_technique("previrt", "PREVIRT")
        self.pages, self.windows, self.register_rows = [], [], []       # pages of the static TLB, by cut_tlb
        if "blob" in self.regs.values() and not self.blob:
            self.fault("regs", "a register is to hold the blob's address, but there is no blob",
                       'add blob = { file = "x.dtb", guest = "0xF0000" }')

    def fault(self, key, cause, hint):
        """Report a fault at a key of this VM (or at the table itself)."""
        self.reader.fault((*self.path, *((key,) if isinstance(key, str) else key)), f"vm '{self.name}': {cause}", hint)

    def read_name(self):
        """The name: it fits vm_config.name and reads well in front of console lines."""
        name = self.reader.get(self.table, self.path, "name", str, "?", 'name = "<1 to 8 of a-z, 0-9, _ and ->"')
        if name != "?" and not re.fullmatch(r"[a-z0-9_-]{1,8}", name):
            self.reader.fault((*self.path, "name"), f"vm name '{name}' does not do",
                              "1 to 8 characters of a-z, 0-9, _ and -")
        return name

    def read_memory(self):
        """(guest, machine or None, size) of the RAM."""
        memory = self.table.get("memory")
        path = (*self.path, "memory")
        if memory is None:
            self.fault((), "key 'memory' is missing", 'memory = "1M"')
            return 0, None, self.board.page_min
        if not isinstance(memory, dict):
            memory = {"size": memory}
        if "size" not in memory:
            self.fault("memory", "memory has no size", 'memory = { size = "1M", guest = "0x0" }')
            return 0, None, self.board.page_min
        self.reader.keys(memory, path, ["size", "guest", "machine"])
        size_path = (*path, "size") if isinstance(self.table["memory"], dict) else path
        size = self.reader.number(memory["size"], size_path, "memory size", 1, SPACE, self.board.page_min)
        guest = self.reader.field(memory, path, "guest", 0)
        machine = self.reader.field(memory, path, "machine", None)
        step = self.board.page_min
        for what, value in (("size", size), ("guest address", guest), ("machine address", machine or 0)):
            if value % step:
                key = what.split()[0]
                fixed = -(-value // step) * step
                self.fault(("memory", key),
                           f"memory {what} 0x{value:X} is not a multiple of a page ({show_size(step)})",
                           f"the next one is 0x{fixed:X}")
                size, guest, machine = step, 0, None
        if guest + size > SPACE:
            self.fault("memory",
                       f"memory {show_size(size)} at guest address 0x{guest:08X} passes the end of the address space",
                       "lower guest or size")
            guest, size = 0, step
        return guest, machine, size

    def read_regs(self):
        """r3 to r7 at the start: numbers, or "blob"."""
        regs = self.reader.get(self.table, self.path, "regs", dict, {})
        path = (*self.path, "regs")
        self.reader.keys(regs, path, REGISTERS)
        result = {}
        for name in REGISTERS:
            value = regs.get(name, 0)
            result[name] = value if value == "blob" else self.reader.number(value, (*path, name), name, default=0)
        return result

    def read_blob(self):
        """The file to place in the VM's memory beside the image."""
        blob = self.reader.get(self.table, self.path, "blob", dict)
        if blob is None:
            return None
        path = (*self.path, "blob")
        self.reader.keys(blob, path, ["file", "guest"])
        file = self.reader.get(blob, path, "file", str, "", 'blob = { file = "x.dtb", guest = "0xF0000" }')
        guest = self.reader.field(blob, path, "guest", self.guest, 'blob = { file = "x.dtb", guest = "0xF0000" }')
        if guest % 4:
            self.fault(("blob", "guest"), f"blob address 0x{guest:X} is not word-aligned", f"0x{guest & ~3:X}, say")
        if not self.guest <= guest < self.guest + self.size:
            self.fault(("blob", "guest"),
                       f"blob address 0x{guest:08X} is outside the memory {show_range(self.guest, self.size)}",
                       "place it inside; tools/pack.py checks its end")
        return {"file": file, "guest": guest, "line": self.reader.toml.line(path)}

    def read_console(self):
        """The guest-physical address of the virtual UART, 0 for none; sets its kind, size, line and name."""
        console = self.reader.get(self.table, self.path, "console", str, "none")
        uart = self.board.devices.get(self.board.console)
        if console not in ("shared", "none"):
            self.fault("console", f"unknown console '{console}'", '"shared" or "none"')
            return 0
        if console == "none":
            for key in ("console_at", "console_kind", "console_line"):
                if key in self.table:
                    self.fault(key, f"{key} without a console", f'console = "shared", or remove {key}')
            return 0
        if not self.config.get("CONSOLE"):
            hint = "set CONFIG_CONSOLE=y in the defconfig"
            if uart:
                hint += f', or give one VM the device: console = "none", devices = ["{uart["name"]}"]'
            self.fault("console", "the shared console needs CONFIG_CONSOLE", hint)
            return 0
        return self.read_uart(uart)

    def read_uart(self, uart):
        """What kind of UART its guest sees, where, and on which line: as the board has one of the kind, if not said."""
        kind = self.reader.get(self.table, self.path, "console_kind", str, uart and uart_kind(uart) or "ns16550")
        if kind not in CONSOLE_KINDS:
            self.fault("console_kind", f"unknown kind of console '{kind}'", guess(kind, CONSOLE_KINDS))
            return 0
        _, size, option, name = CONSOLE_KINDS[kind]
        self.console_kind, self.console_size, self.uart = kind, size, f"the virtual {name}"
        key = "console_kind" if "console_kind" in self.table else "console"
        if not self.config.get(option):
            self.fault(key, f"a console of kind '{kind}' needs CONFIG_{option}", f"set CONFIG_{option}=y in the defconfig")
        like = self.board.uart_like(kind) or (uart if uart and not uart_kind(uart) else None)
        line = (like or uart or {}).get("irq")
        self.console_line = self.reader.field(self.table, self.path, "console_line", line or 0, high=self.board.lines - 1)
        address = self.reader.field(self.table, self.path, "console_at", None)
        if address is None and like is None:
            what = f"has no device like kind '{kind}'" if uart else "names no console device"
            self.fault(key, f"the board {what}", "give console_at, the guest-physical address")
            return 0
        address = uart_base(like) if address is None else address
        key = "console_at" if "console_at" in self.table else key
        if address == 0 or address % size:
            self.fault(key, f"{self.uart} can't be at 0x{address:X}", f"any multiple of {size} but 0, outside the memory")
        elif overlap(address, size, self.guest, self.size):
            memory = show_range(self.guest, self.size)
            self.fault(key, f"{self.uart} at 0x{address:08X} lies in the VM's memory {memory}",
                       f"move one of them: accesses to the {name} have to fault to be emulated")
        return address

    def read_intc(self):
        """The guest-physical address of the virtual interrupt controller in memory, None if the board's is not in memory."""
        address = self.reader.field(self.table, self.path, "intc_at", None)
        if self.board.intc_base is None or not self.config.get("INTC_MMIO"):
            if address is not None:
                self.fault("intc_at", "intc_at needs CONFIG_INTC and a board with an interrupt controller in memory",
                           "remove it" if self.board.intc_base is None else "set CONFIG_INTC=y in the defconfig, or remove it")
            return None
        key = "intc_at" if "intc_at" in self.table else ()
        address = self.board.intc_base if address is None else address
        if address % INTC_SIZE:
            self.fault(key, f"the interrupt controller can't be at 0x{address:X}", f"any multiple of {INTC_SIZE}")
            return address
        others = [(self.guest, self.size, "the VM's memory")]
        others += [(start, end - start, f"a page of '{name}'") for name in self.devices
                   for start, end in [self.board.pages(self.board.devices[name])]]
        if self.console_base:
            others.append((self.console_base, self.console_size, self.uart))
        for start, length, text in others:
            if overlap(address, INTC_SIZE, start, length):
                self.fault(key, f"the interrupt controller at 0x{address:08X} lies in {text} {show_range(start, length)}",
                           "move one of them; this one with intc_at")
        return address

    def read_devices(self):
        """The devices whose registers the VM sees, by name."""
        devices = []
        for index, name in enumerate(self.reader.get(self.table, self.path, "devices", list, [])):
            key = ("devices", index)
            if not isinstance(name, str):
                self.fault(key, f"a device has to be a string, not {toml_kind(name)}", example("devices"))
            elif name not in self.board.devices:
                self.fault(key, f"unknown device {show(name)} on board '{self.board.name}'",
                           guess(name, self.board.devices))
            elif name in devices:
                self.fault(key, f"device '{name}' is listed twice", "once is enough")
            else:
                devices.append(name)
        return devices

    def read_interrupts(self):
        """[(board line, guest line, key)] of the routed interrupt lines."""
        routes = []
        for index, item in enumerate(self.reader.get(self.table, self.path, "interrupts", list, [])):
            key = ("interrupts", index)
            path = (*self.path, *key)
            guest = None
            if isinstance(item, dict):
                self.reader.keys(item, path, ["line", "guest"])
                if "line" not in item:
                    self.fault(key, "an interrupt has no line", '{ line = 7, guest = 9 }')
                    continue
                if "guest" in item:
                    guest = self.reader.number(item["guest"], path, "guest line", 0, self.board.lines - 1, default=0)
                item = item["line"]
            line = self.board_line(item, key)
            if line is not None:
                routes.append((line, line if guest is None else guest, key))
        return routes

    def board_line(self, item, key):
        """The number of a line that is given as a number or by a device's name."""
        if not isinstance(item, str):
            return self.reader.number(item, (*self.path, *key), "interrupt line", 0, self.board.lines - 1)
        device = self.board.devices.get(item)
        if device is None:
            self.fault(key, f"unknown device '{item}' on board '{self.board.name}'", guess(item, self.board.devices))
        elif device["irq"] is None:
            self.fault(key, f"device '{item}' has no interrupt line", "give the number of a line")
        return device["irq"] if device else None

    def read_technique(self, key, option):
        """A key that turns on what a Kconfig option provides."""
        on = self.reader.get(self.table, self.path, key, bool, False)
        if on and not self.config.get(option):
            self.fault(key, f"{key} needs CONFIG_{option}", f"set CONFIG_{option}=y in the defconfig, or remove {key}")
            return False
        return on

    def read_page(self):
        """The guest address of the boundary between the two register pages, 0 for none."""
        value = self.table.get("irfm", False)
        if value is False:
            return 0
        address = abi()["PAGE_BOUNDARY"]
        if value is not True:
            address = self.reader.number(value, (*self.path, "irfm"), "irfm")
        if address is None:
            return 0
        if not self.config.get("IRFM"):
            self.fault("irfm", "irfm needs CONFIG_IRFM", "set CONFIG_IRFM=y in the defconfig, or remove irfm")
            return 0
        size = self.board.page_min
        last = SPACE - size
        if address % size:
            self.fault("irfm", f"the boundary of the register pages 0x{address:08X} is not a multiple of a page "
                       f"({show_size(size)})", f"0x{address // size * size or last:08X}, say")
            return 0
        if not (size <= address <= LOW_END - size or HIGH_START + size <= address <= last):
            self.fault("irfm", f"the register pages around 0x{address:08X} are not in reach of a load without a base register",
                       f"irfm = true is 0x{abi()['PAGE_BOUNDARY']:08X}; the boundary can be 0x{HIGH_START + size:08X} to "
                       f"0x{last:08X}, or 0x{size:08X} to 0x{LOW_END - size:08X}")
            return 0
        self.check_page(address)
        return address

    def check_page(self, address):
        """Nothing else of the VM is where its register pages are."""
        size = self.board.page_min
        base, size = address - size, 2 * size
        others = [(self.guest, self.size, "lie in the VM's memory")]
        others += [(start, end - start, f"overlap the window of '{name}'") for name in self.devices
                   for start, end in [self.board.pages(self.board.devices[name])]]
        if self.console_base:
            others.append((self.console_base, self.console_size, f"overlap {self.uart}"))
        if self.intc_base is not None:
            others.append((self.intc_base, INTC_SIZE, "overlap the interrupt controller"))
        for start, length, text in others:
            if overlap(base, size, start, length):
                self.fault("irfm", f"the register pages {show_range(base, size)} {text} {show_range(start, length)}",
                           "move them: irfm = \"<guest address of the boundary between the two pages>\"")

    def features(self):
        """The FEATURE_* of the VM's feature word."""
        option = self.config.get
        tlb_virt = any(name.startswith("TLB_VIRT") and value for name, value in self.config.items())
        rows = [("RESTART", self.restart), ("AUTOSTART", self.autostart), ("DMA", self.dma), ("PREVIRT", self.previrt),
                ("HYPERCALLS", self.paravirt), ("IRFM", self.page), ("TSR_STORE", self.page and not option("FIT_WATCHDOG")),
                ("MMU_STORE", self.page and not tlb_virt), ("SERVICES", self.paravirt and option("SERVICES")),
                ("DRIVERS", self.paravirt and option("DRIVERS") and self.console_base), ("TLB", self.paravirt and tlb_virt)]
        return ["FEATURE_" + name for name, on in rows if on]

    def flags(self):
        """vm_config.flags, the feature word."""
        return sum(abi()[name] for name in self.features())

    def mode(self):
        """How the VM is virtualized, in words."""
        rows = (("+hypercalls", self.paravirt), ("+pages", self.page), ("+pre-virtualized", self.previrt))
        return " ".join(name for name, on in rows if on) or "full"

    def tid(self):
        """The PID and TID of the VM."""
        return self.index + 1


class Product:
    """A partition file, checked as a whole."""

    def __init__(self, path, board, config, faults):
        toml = TomlFile(path, "partition file", "it stands beside the product's defconfig, in config/<product>/")
        self.path, self.board, self.config = path, board, config
        self.reader = reader = Reader(toml, faults)
        data = toml.data
        reader.keys(data, (), TOP_KEYS)
        product = reader.get(data, (), "product", dict, {}, '[product] with name = "demo"')
        reader.keys(product, ("product",), ["name", "description"])
        self.name = reader.get(product, ("product",), "name", str, "", 'name = "demo"' if "product" in data else None)
        self.description = reader.get(product, ("product",), "description", str, "")
        self.read_schedule(data)
        self.vms = [Vm(reader, board, config, path, table, index)
                    for index, (path, table) in enumerate(reader.tables(data, "vm"))]
        self.read_console(data)
        self.check_count(data)
        self.check_names()
        self.check_dma()
        self.check_devices()
        self.check_interrupts()
        self.place()
        self.check_memory()
        self.registers = self.place_registers()
        self.tlb = self.cut_tlb()

    def read_schedule(self, data):
        """[schedule]: the quantum, in microseconds and in ticks of the time base."""
        schedule = self.reader.get(data, (), "schedule", dict, {})
        path = ("schedule",)
        self.reader.keys(schedule, path, ["quantum_us"])
        self.quantum_us = self.reader.field(schedule, path, "quantum_us", QUANTUM_DEFAULT, None, *QUANTUM_US)
        self.quantum_ticks = (self.quantum_us * self.board.tb_hz + 500_000) // 1_000_000

    def read_console(self, data):
        """[console]: the escape key and the VM that has the input at first."""
        console = self.reader.get(data, (), "console", dict, {})
        path = ("console",)
        self.reader.keys(console, path, ["escape", "focus"])
        if "console" in data and not self.config.get("CONSOLE"):
            self.reader.fault(path, "[console] needs CONFIG_CONSOLE",
                              "set CONFIG_CONSOLE=y in the defconfig, or remove [console]")
        escape = self.reader.get(console, path, "escape", str, ESCAPE_DEFAULT)
        match = re.fullmatch(r"ctrl-([a-z@\[\\\]^_])", escape.lower())
        self.escape = ord(match.group(1).upper()) & 0x1F if match else 0x1D
        if not match:
            self.reader.fault((*path, "escape"), f"escape '{escape}' is not a control key",
                              '"ctrl-]", or "ctrl-a" to "ctrl-z"')
        elif self.escape in (0x0A, 0x0D):
            self.reader.fault((*path, "escape"), f"escape '{escape}' is the Enter key", 'another one, "ctrl-]" say')
        shared = [vm for vm in self.vms if vm.console_base]
        focus = self.reader.get(console, path, "focus", str)
        self.focus = shared[0].index if shared else 0
        if focus is not None:
            found = [vm for vm in self.vms if vm.name == focus]
            if not found:
                self.reader.fault((*path, "focus"), f"there is no vm '{focus}'",
                                  guess(focus, [vm.name for vm in self.vms]))
            elif found[0].console_base == 0 and self.config.get("CONSOLE"):
                self.reader.fault((*path, "focus"), f"vm '{focus}' has no shared console", 'give it console = "shared"')
            else:
                self.focus = found[0].index

    def check_count(self, data):
        """As many VMs as the configuration has room for."""
        count = len(self.vms)
        limit = self.config.get("VM_MAX", VM_MAX_BY_TID)
        if count == 0 and isinstance(data.get("vm", []), list):
            self.reader.fault((), "there is no vm", 'at least one [[vm]] with name, image and memory')
        elif self.config.get("SCHED_SINGLE"):
            if count > 1:
                self.reader.fault(("vm", 1), f"{count} VMs, but CONFIG_SCHED_SINGLE is for exactly one",
                                  "choose another scheduler in the defconfig")
        elif count > limit:
            self.reader.fault(("vm", limit), f"{count} VMs, but CONFIG_VM_MAX is {limit}",
                              f"set CONFIG_VM_MAX={count} in the defconfig")

    def check_names(self):
        """Names are unique."""
        seen = {}
        for vm in self.vms:
            if vm.name in seen and vm.name != "?":
                self.reader.fault((*vm.path, "name"), f"vm name '{vm.name}' is there twice",
                                  f"first in line {self.reader.toml.line((*seen[vm.name].path, 'name'))}")
            seen.setdefault(vm.name, vm)

    def check_dma(self):
        """One VM is trusted with DMA, and only it has devices that do DMA: no MMU stands between them and memory."""
        trusted = [vm for vm in self.vms if vm.dma]
        for vm in trusted[1:]:
            vm.fault("dma", f"vm '{trusted[0].name}' has dma already",
                     "one trusted VM only: a DMA master reaches all memory, there is no IOMMU")
        for vm in self.vms:
            for index, name in enumerate(vm.devices):
                self.check_dma_device(vm, ("devices", index), self.board.devices[name])

    def check_dma_device(self, vm, key, device):
        """One device against the DMA rule, and the devices that share its pages."""
        if vm.dma:
            return
        hint = "dma = true if this is the one trusted VM: a DMA master reaches all memory, there is no IOMMU"
        if device["dma"]:
            vm.fault(key, f"device '{device['name']}' does DMA", hint)
            return
        masters = [other["name"] for other in self.board.page_neighbours(device) if other["dma"]]
        if masters:
            vm.fault(key, f"the page of '{device['name']}' also holds '{masters[0]}', which does DMA", hint)

    def owner(self, name):
        """Who has a device: a Vm, "the hypervisor", or None."""
        for vm in self.vms:
            if name in vm.devices:
                return vm
        return "the hypervisor" if name == self.board.console and self.config.get("CONSOLE") else None

    def check_devices(self):
        """Each device and each of its pages has one owner, and no window lies over the VM's memory or virtual 16550."""
        for vm in self.vms:
            for index, name in enumerate(vm.devices):
                key = ("devices", index)
                device = self.board.devices[name]
                self.check_owner(vm, key, device)
                base, end = self.board.pages(device)
                for rom in self.board.rom if self.config.get("ROM") else []:
                    if overlap(base, end - base, rom["base"], rom["size"]):
                        vm.fault(key, f"a page of '{name}' lies in the ROM {show_range(rom['base'], rom['size'])} that the "
                                 "hypervisor runs from", "CONFIG_ROM=n, or leave the device to nobody")
                intc = self.board.intc_base
                if intc is not None and overlap(base, end - base, intc, INTC_SIZE):
                    vm.fault(key, f"a page of '{name}' holds the board's interrupt controller at 0x{intc:08X}",
                             "that is the hypervisor's: move one of them in the design")
                if overlap(base, end - base, vm.guest, vm.size):
                    vm.fault(key, f"the window of '{name}' {show_range(base, end - base)} lies in the VM's memory",
                             f"memory is {show_range(vm.guest, vm.size)}: move it with guest = ..., or make it smaller")
                if vm.console_base and overlap(base, end - base, vm.console_base, vm.console_size):
                    vm.fault(key, f"{vm.uart} at 0x{vm.console_base:08X} lies in a page of '{name}'",
                             "move it with console_at: accesses to it have to fault to be emulated")

    def check_owner(self, vm, key, device):
        """Nobody else has the device or one of the same pages."""
        name = device["name"]
        if name == self.board.console and self.config.get("CONSOLE"):
            vm.fault(key, f"device '{name}' is the hypervisor's console", "set CONFIG_CONSOLE=n to give it to one VM")
            return
        if self.owner(name) is not vm:
            vm.fault(key, f"device '{name}' belongs to vm '{self.owner(name).name}' already", "a device has one owner")
            return
        for other in self.board.page_neighbours(device):
            owner = self.owner(other["name"])
            if owner is None or owner is vm:
                continue
            who = owner if isinstance(owner, str) else f"vm '{owner.name}'"
            page = show_size(self.board.page_min)
            vm.fault(key, f"device '{name}' shares a page of {page} with '{other['name']}' of {who}",
                     "give both to one owner; a TLB page is the smallest window")

    def check_interrupts(self):
        """Each board line has one owner, and each guest line one source."""
        lines = {}
        for vm in self.vms:
            guest_lines = {}
            if vm.console_base:
                guest_lines[vm.console_line] = vm.uart
            option = "UIC" if self.board.controller == "uic" else "INTC"
            if vm.irqs and not self.config.get(option):
                vm.fault("interrupts", f"routed interrupts need CONFIG_{option}",
                         f"set CONFIG_{option}=y in the defconfig, or remove the line")
                continue
            for line, guest, key in vm.irqs:
                self.check_line(vm, line, key, lines)
                if guest in guest_lines:
                    vm.fault(key, f"guest line {guest} is {guest_lines[guest]}'s already",
                             "choose another one: { line = 7, guest = 9 }")
                guest_lines.setdefault(guest, f"board line {line}")

    def check_line(self, vm, line, key, lines):
        """One board line against everyone's."""
        if line in lines:
            vm.fault(key, f"interrupt line {line} belongs to vm '{lines[line].name}' already", "a line has one owner")
            return
        lines[line] = vm
        for device in self.board.devices.values():
            owner = self.owner(device["name"]) if device["irq"] == line else None
            if owner is not None and owner is not vm:
                who = owner if isinstance(owner, str) else f"vm '{owner.name}'"
                vm.fault(key, f"interrupt line {line} is that of '{device['name']}' of {who}",
                         "only its owner can have it")

    def occupied(self):
        """[(base, size, name)] of what a machine address can't be taken from."""
        taken = [(area["base"], area["size"], area["name"]) for area in self.board.reserved]
        return taken + [(vm.machine, vm.size, vm.name) for vm in self.vms if vm.machine is not None]

    def place(self):
        """Give the VMs without a machine address one: the largest first, as aligned as their pages can use."""
        self.automatic = {vm.index for vm in self.vms if vm.machine is None}
        for vm in sorted((v for v in self.vms if v.machine is None), key=lambda v: (-v.size, v.index)):
            vm.machine = self.find_place(vm)
            if vm.machine is None:
                vm.fault("memory", f"no room for {show_size(vm.size)} in the board's RAM",
                         "less memory, or set machine addresses by hand to close gaps")

    def find_place(self, vm):
        """The lowest free machine address that equals the guest address modulo the largest page, or None."""
        align = max(size for size in PAGE_SIZES if size <= max(vm.size, self.board.page_min))
        for ram in self.board.ram:
            base = ram["base"] + (vm.guest - ram["base"]) % align
            while base + vm.size <= ram["base"] + ram["size"]:
                clash = [start + size for start, size, _ in self.occupied() if overlap(base, vm.size, start, size)]
                if not clash:
                    return base
                base += -(-(max(clash) - base) // align) * align
        return None

    def register_step(self):
        """Bytes from a VM's two register pages to the next VM's: of pages of 1 KiB, a virtual TLB needs two more behind them."""
        return self.board.page_min * (4 if self.board.page_min == PAGE_SIZES[0] and self.config.get("TLB_VIRT") else 2)

    def place_registers(self):
        """The machine area (base, size) of all VMs' register pages, or None: two pages for each VM of a product with IRFM.

        Above what off(0) reaches, the hypervisor's own area has room to spare. With many VMs, any free place does.
        """
        if not self.config.get("IRFM") or not self.vms:
            return None
        step = self.board.page_min
        size = len(self.vms) * self.register_step()
        for area in self.board.reserved:
            base = -(-max(area["base"], LOW_END) // step) * step
            if area["name"] == "hypervisor" and base + size <= area["base"] + area["size"]:
                return base, size
        for ram in self.board.ram:
            base = -(-ram["base"] // step) * step
            while base + size <= ram["base"] + ram["size"]:
                clash = [start + length for start, length, _ in self.occupied() if overlap(base, size, start, length)]
                if not clash:
                    return base, size
                base = -(-max(clash) // step) * step
        self.reader.fault(("vm", 0), f"no room for the register pages, {show_size(size)} for {len(self.vms)} VMs, in the "
                          "board's RAM", "less memory for a VM, or CONFIG_IRFM=n")
        return None

    def check_memory(self):
        """Memories lie in RAM, and apart from each other and from the reserved areas."""
        for vm in (v for v in self.vms if v.machine is not None):
            if not any(ram["base"] <= vm.machine and vm.machine + vm.size <= ram["base"] + ram["size"]
                       for ram in self.board.ram):
                ram = ", ".join(show_range(ram["base"], ram["size"]) for ram in self.board.ram)
                vm.fault(("memory", "machine"), f"memory {show_range(vm.machine, vm.size)} is outside the board's RAM",
                         f"RAM is {ram}")
                continue
            others = [(a["base"], a["size"], f"the area of the {a['name']}") for a in self.board.reserved]
            others += [(v.machine, v.size, f"vm '{v.name}'") for v in self.vms[:vm.index] if v.machine is not None]
            others += [(v.machine, v.size, f"vm '{v.name}'") for v in self.vms[vm.index + 1:]
                       if v.machine is not None and v.index in self.automatic]
            for base, size, who in others:
                if overlap(vm.machine, vm.size, base, size):
                    vm.fault(("memory", "machine"),
                             f"memory {show_range(vm.machine, vm.size)} overlaps {who} {show_range(base, size)}",
                             "leave out machine = ... to have it placed")

    def cut_tlb(self):
        """[(hi, lo, tid)] of all static TLB entries, and their count against the hardware's."""
        rows = []
        for vm in (v for v in self.vms if v.machine is not None):
            vm.pages = cut(vm.guest, vm.machine, vm.size, self.board.page_min)
            vm.windows = [page for base, end in self.windows(vm)
                          for page in cut(base, base, end - base, self.board.page_min)]
            rows += [(*row(page, LO_RAM), vm.tid()) for page in vm.pages]
            rows += [(*row(page, LO_DEVICE), vm.tid()) for page in vm.windows]
            vm.register_rows = self.register_pages(vm)
            rows += [(*row(page, attributes), vm.tid())
                     for page, attributes in zip(vm.register_rows, (LO_PAGE_WRITABLE, LO_PAGE_READABLE))]
            if len(rows) > TLB_ENTRIES:
                also = f", {len(vm.register_rows)} for register pages" if vm.register_rows else ""
                vm.fault("memory", f"{len(rows)} static TLB entries up to here, the 405 has {TLB_ENTRIES}",
                         f"this VM takes {len(vm.pages)} for memory and {len(vm.windows)} for devices{also}: "
                         f"align size, guest and machine to {show_size(PAGE_SIZES[-3])} or so")
                break
        return rows

    def register_pages(self, vm):
        """The VM's two register pages as (guest, machine, size), the writable one first; none without irfm."""
        if not vm.page or not self.registers:
            return []
        size = self.board.page_min
        machine = self.registers[0] + vm.index * self.register_step()
        return [(vm.page - size, machine, size), (vm.page, machine + size, size)]

    def windows(self, vm):
        """The page ranges of a VM's devices, joined where they touch."""
        joined = []
        for base, end in sorted(self.board.pages(self.board.devices[name]) for name in vm.devices):
            if joined and base <= joined[-1][1]:
                joined[-1] = (joined[-1][0], max(end, joined[-1][1]))
            else:
                joined.append((base, end))
        return joined


def cut(guest, machine, size, page_min):
    """Cut a region into the fewest pages: at each step the largest that both addresses and the rest allow."""
    pages = []
    while size:
        page = max(p for p in PAGE_SIZES if p == page_min or
                   (p > page_min and p <= size and guest % p == 0 and machine % p == 0))
        pages.append((guest, machine, page))
        guest, machine, size = guest + page, machine + page, size - page
    return pages


def row(page, attributes):
    """TLBHI and TLBLO of a page."""
    guest, machine, size = page
    return guest | PAGE_SIZES.index(size) << HI_SIZE_SHIFT | HI_VALID, machine | attributes


# ---------------------------------------------------------------- outputs

def banner(product):
    """The first line of a generated file."""
    return f"Generated by tools/partition.py from {product.path}."


def render_header(product):
    """partitions.h: the numbers that size the tables."""
    return "\n".join([
        f"// {banner(product)}", "#ifndef PARTITIONS_H", "#define PARTITIONS_H", "",
        f"#define VM_COUNT {len(product.vms)}",
        f"#define TLB_ROW_COUNT {len(product.tlb)}",
        f"#define SCHED_QUANTUM_TICKS {product.quantum_ticks}",
        f"#define CONSOLE_ESCAPE 0x{product.escape:02X}",
        f"#define CONSOLE_FOCUS {product.focus}",
        *console_macros(product.vms),
        *([f"#define REGISTERS_BASE 0x{product.registers[0]:08X}",
           f"#define REGISTERS_STEP 0x{product.register_step():X}"] if product.registers else []), "", "#endif", ""])


def console_macros(vms):
    """Kind and line of the virtual UARTs: constants, unless VMs differ; and the kind that asm/uart.S knows."""
    kinds = [vm.console_kind for vm in vms if vm.console_base] or ["ns16550"]
    hot = max(kinds, key=kinds.count)
    lines = [f"#define CONSOLE_HOT {CONSOLE_KINDS[hot][0]}", f"#define CONSOLE_HOT_SIZE {CONSOLE_KINDS[hot][1]}"]
    found = {(CONSOLE_KINDS[vm.console_kind][0], vm.console_line) for vm in vms if vm.console_base}
    found = found or {("CONSOLE_16550", 0)}
    if len(found) > 1:
        return lines + ["#define CONSOLE_MIXED", "#define CONSOLE_KIND(config) ((config)->console_kind)",
                        "#define CONSOLE_IRQ(config) ((config)->console_line)"]
    kind, line = found.pop()
    return lines + [f"#define CONSOLE_KIND(config) ((void)(config), {kind})",
                    f"#define CONSOLE_IRQ(config) ((void)(config), {line})"]


def render_c(product):
    """partitions.c: the const tables of src/vm/partition.h."""
    lines = [f"// {banner(product)}", '#include "partition.h"', ""]
    for vm in product.vms:
        if vm.irqs:
            routes = ", ".join(f"{{ {line}, {guest} }}" for line, guest, _ in sorted(vm.irqs))
            lines += [f"static const struct irq_route irq_{vm.index}[{len(vm.irqs)}] = {{ {routes} }};", ""]
    mixed = "#define CONSOLE_MIXED" in console_macros(product.vms)
    lines.append("const struct vm_config vm_config[VM_COUNT] = {")
    for vm in product.vms:
        flags = " |\n                 ".join(vm.features()) or "0"
        lines += ["    {", f'        .name = "{vm.name}",', f"        .ram_guest = 0x{vm.guest:08X},",
                  f"        .ram_machine = 0x{vm.machine:08X},", f"        .ram_size = 0x{vm.size:08X},",
                  f"        .console_base = 0x{vm.console_base:08X},", f"        .flags = {flags},",
                  *([f"        .intc_base = 0x{vm.intc_base:08X},"] if vm.intc_base is not None else []),
                  *([f"        .console_kind = {CONSOLE_KINDS[vm.console_kind][0]},",
                     f"        .console_line = {vm.console_line},"] if mixed else []),
                  *([f"        .page = 0x{vm.page:08X},"] if product.registers else []),
                  f"        .irq_count = {len(vm.irqs)},",
                  f"        .irq = {f'irq_{vm.index}' if vm.irqs else '0'},", "    },"]
    lines += ["};", "", "const struct tlb_row tlb_rows[TLB_ROW_COUNT] = {"]
    lines += [f"    {{ 0x{hi:08X}, 0x{lo:08X}, {tid} }}," for hi, lo, tid in product.tlb]
    return "\n".join(lines + ["};", ""])


def regions(areas):
    """Storage attribute bits: one for each 128 MiB that an area touches, the lowest address first."""
    bits = 0
    for area in areas:
        for region in range(area["base"] >> 27, (area["base"] + area["size"] - 1 >> 27) + 1):
            bits |= 0x80000000 >> region
    return bits


def render_board(board):
    """board_values.h: the board's values, for C and for the assembler."""
    rows = [("BOARD_NAME", f'"{board.name}"'), ("BOARD_TB_HZ", board.tb_hz), ("BOARD_PAGE_MIN", board.page_min),
            ("BOARD_CCR0", f"0x{board.ccr0:08X}"),
            *board.values, *board.uart_values(),
            ("BOARD_RAM_REGIONS", f"0x{regions(board.ram):08X}"), ("BOARD_ROM_REGIONS", f"0x{regions(board.rom):08X}")]
    for area in board.ram + board.rom + board.reserved:
        rows += [(f"BOARD_{area['name'].upper()}_BASE", f"0x{area['base']:08X}"),
                 (f"BOARD_{area['name'].upper()}_SIZE", f"0x{area['size']:08X}")]
    for device in board.devices.values():
        name = "BOARD_" + device["name"].upper()
        rows += [(name + "_BASE", f"0x{device['base']:08X}"), (name + "_SIZE", f"0x{device['size']:X}")]
        rows += [(name + "_IRQ", device["irq"])] if device["irq"] is not None else []
    lines = [f"// Generated by tools/partition.py from {board.path}.", "#ifndef BOARD_VALUES_H",
             "#define BOARD_VALUES_H", ""]
    return "\n".join(lines + [f"#define {name} {value}" for name, value in rows] + ["", "#endif", ""])


def as_json(product):
    """partitions.json: the same for other tools, with the lines of the file for their messages."""
    board = product.board
    line = product.reader.toml.line
    return {
        "source": product.path, "product": {"name": product.name, "description": product.description},
        "board": {"name": board.name, "tb_hz": board.tb_hz, "page_min": board.page_min, "ram": board.ram,
                  "rom": board.rom, "reserved": board.reserved, "devices": list(board.devices.values())},
        "qemu": board.qemu, "previrt": bool(product.config.get("PREVIRT")),
        "registers": {"base": product.registers[0], "size": product.registers[1]} if product.registers else None,
        "schedule": {"quantum_us": product.quantum_us, "quantum_ticks": product.quantum_ticks},
        "console": {"escape": product.escape, "focus": product.focus},
        "vms": [{"name": vm.name, "index": vm.index, "tid": vm.tid(), "line": line(vm.path),
                 "image": vm.image, "image_line": line((*vm.path, "image")),
                 "memory": {"guest": vm.guest, "machine": vm.machine, "size": vm.size,
                            "line": line((*vm.path, "memory"))},
                 "on_reset": "restart" if vm.restart else "stop", "autostart": vm.autostart, "dma": vm.dma,
                 "flags": vm.flags(), "features": vm.features(), "page": vm.page, "previrt": vm.previrt,
                 "console_base": vm.console_base, "intc_base": vm.intc_base,
                 "console": {"kind": vm.console_kind, "line": vm.console_line} if vm.console_base else None,
                 "regs": vm.regs, "blob": vm.blob,
                 "devices": vm.devices,
                 "interrupts": [{"line": board_line, "guest": guest} for board_line, guest, _ in sorted(vm.irqs)]}
                for vm in product.vms],
        "tlb": [{"hi": hi, "lo": lo, "tid": tid} for hi, lo, tid in product.tlb],
    }


def render_table(product):
    """The partitions as a person reads them."""
    head = ["vm", "image", "memory", "guest", "machine", "TLB", "console", "devices", "interrupts", "reset", "start",
            "dma", "virtualized"]
    rows = [head]
    for vm in product.vms:
        routes = [str(line) if line == guest else f"{line}>{guest}" for line, guest, _ in sorted(vm.irqs)]
        rows.append([vm.name, vm.image, show_size(vm.size), f"0x{vm.guest:08X}", f"0x{vm.machine:08X}",
                     str(len(vm.pages) + len(vm.windows) + len(vm.register_rows)),
                     f"0x{vm.console_base:08X}" if vm.console_base else "-",
                     " ".join(vm.devices) or "-", " ".join(routes) or "-", "restart" if vm.restart else "stop",
                     "boot" if vm.autostart else "-", "yes" if vm.dma else "-", vm.mode()])
    widths = [max(len(r[column]) for r in rows) for column in range(len(head))]
    lines = [f"{product.name}: {product.description}", ""]
    lines += ["  ".join(cell.ljust(width) for cell, width in zip(r, widths)).rstrip() for r in rows]
    lines += ["", f"board {product.board.name}, quantum {product.quantum_us} us = {product.quantum_ticks} ticks, "
              f"{len(product.tlb)} of {TLB_ENTRIES} TLB entries"]
    for vm in product.vms:
        also = {other["name"] for name in vm.devices
                for other in product.board.page_neighbours(product.board.devices[name])}
        if also - set(vm.devices):
            lines.append(f"the pages of {vm.name}'s devices also open: {' '.join(sorted(also - set(vm.devices)))}")
    return "\n".join(lines)


def main(argv=None):
    """Parse the command line, check, and write or print."""
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0], epilog="\n".join(__doc__.split("\n")[1:]),
                                     formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("partitions", help="the partition file, config/<product>/partitions.toml")
    parser.add_argument("--board", required=True, help="the board file, config/boards/<board>.toml")
    parser.add_argument("--config", required=True, help="the configuration, build/<product>/.config")
    parser.add_argument("--out", help="folder for the generated files, build/<product>/gen")
    parser.add_argument("--check", action="store_true", help="only check")
    parser.add_argument("--table", action="store_true", help="print the partitions")
    args = parser.parse_args(argv)
    if not (args.out or args.check or args.table):
        parser.error("nothing to do: give --out, --check or --table")
    faults = []
    config = read_config(args.config)
    board = Board(args.board, faults)
    board.check_config(config)
    if faults:
        raise InputError(*faults)
    product = Product(args.partitions, board, config, faults)
    if faults:
        raise InputError(*sorted(faults, key=lambda text: int(text[len(args.partitions) + 1:].split(":")[0])))
    if args.table:
        print(render_table(product))
    if args.out and not args.check:
        files = {"partitions.h": render_header(product), "partitions.c": render_c(product),
                 "board_values.h": render_board(board),
                 "partitions.json": json.dumps(as_json(product), indent=2) + "\n"}
        for name, text in files.items():
            write_if_changed(os.path.join(args.out, name), text)
    return 0


if __name__ == "__main__":
    sys.exit(run_tool(main))
