"""A board file, read: clock, memory, controller and devices."""

import re

from kconfig import guess
from partitions import board_checks
from partitions.errata import ERRATA
from partitions.keys import BOARD, INTC_DCRS, INTC_SIZE, LAST_LINE, NO_DCR, PAGE_SIZES, SPACE
from partitions.lines import TomlFile
from partitions.ranges import overlap, show_size
from partitions.reader import Reader, show
from partitions.uarts import baud_divisor, uart_kind


class Board:
    """A board file: what is in it, and its faults."""

    def __init__(self, path, faults):
        toml = TomlFile(path, "board file", "boards are the files of config/boards/")
        self.reader = reader = Reader(toml, faults, {LAST_LINE: 31})
        data = toml.data
        self.path = path
        values = reader.values(BOARD[""], data, (), but=("ram", "rom", "reserved", "device"))
        self.name, self.tb_hz, self.ccr0 = values["name"], values["tb_hz"], values["ccr0"]
        self.errata = self.read_errata(values["errata"])
        self.page_min = values["page_min"]
        if self.page_min not in PAGE_SIZES:
            reader.fault(("page_min",), f"'page_min' {self.page_min} is no page size of the 405",
                         "one of " + ", ".join(map(show_size, PAGE_SIZES)))
            self.page_min = 4096
        self.read_controller(data, values)
        self.qemu = reader.values(BOARD["qemu"], values["qemu"], ("qemu",))
        self.qemu["machine"] = self.name if self.qemu["machine"] is None else self.qemu["machine"]
        self.ram = self.ranges(data, "ram")
        self.rom = self.ranges(data, "rom")
        self.reserved = self.ranges(data, "reserved")
        self.devices = self.read_devices(data)
        self.console = self.read_console(values["console"])
        board_checks.check(self)

    def read_errata(self, numbers):
        """Errata of the core, each once."""
        for index, number in enumerate(numbers):
            if number not in ERRATA or isinstance(number, bool):
                self.reader.fault(("errata", index), f"no erratum {show(number)} that wants code is known",
                                  "one of " + ", ".join(map(str, ERRATA)) + " (tools/partitions/errata.py)")
            elif number in numbers[:index]:
                self.reader.fault(("errata", index), f"erratum {number} is named twice", "remove one of them")
        return sorted(ERRATA.keys() & {number for number in numbers if isinstance(number, int)})

    def read_console(self, name):
        """The device behind the shared console, None without one."""
        if name and name not in self.devices:
            self.reader.fault(("console",), f"unknown device '{name}'", guess(name, self.devices))
            return None
        if name and self.devices[name]["irq"] is None:
            self.reader.fault(("console",), f"the console's device '{name}' has no interrupt line", "irq = <number>")
        return name

    def read_controller(self, data, values):
        """[uic] or [intc], the interrupt controller: `lines`, and `values` for board_values.h."""
        reader = self.reader
        self.intc_base = None       # where it is in memory, if it is
        self.edges = None           # of an INTC: the lines that are edges
        self.kinds = 0, None        # the lines that are edges, those that are active high
        self.controller = "intc" if "intc" in data else "uic"
        if "intc" in data:
            self.read_intc(values["intc"], ("intc",))
            if "uic" in data:
                reader.fault(("uic",), "a board has one interrupt controller, this one has [intc] too", "remove one of them")
        elif "uic" in data:
            self.read_uic(values["uic"], ("uic",))
        else:
            reader.fault((), "key 'uic' is missing", "[uic] with dcr and lines, or [intc] with base or dcr")
            self.lines, self.values = BOARD["uic"]["lines"].default, []
        reader.limits[LAST_LINE] = self.lines - 1

    def read_uic(self, data, path):
        """IBM's controller, on the DCR bus."""
        uic = self.reader.values(BOARD["uic"], data, path)
        self.lines = uic["lines"]
        self.kinds = uic["trigger"], uic["polarity"]
        self.values = [("BOARD_UIC_DCR", f"0x{uic['dcr']:X}"), ("BOARD_UIC_LINES", self.lines),
                       ("BOARD_UIC_POLARITY", f"0x{uic['polarity']:08X}"), ("BOARD_UIC_TRIGGER", f"0x{uic['trigger']:08X}")]

    def read_intc(self, data, path):
        """Xilinx' controller, at `base` in memory or from the DCR `dcr` on."""
        reader = self.reader
        if ("base" in data) == ("dcr" in data):
            reader.fault(path, "the controller is in memory or on the DCR bus", "give one of base = <address> and dcr = <number>")
        intc = reader.values(BOARD["intc"], data, path, but=("edges",))
        base, dcr, self.lines = intc["base"], intc["dcr"], intc["lines"]
        self.edges = reader.value(BOARD["intc"]["edges"], data, path, high=(1 << self.lines) - 1)
        self.kinds = self.edges, None
        if base is not None and base % INTC_SIZE:
            reader.fault((*path, "base"), f"the controller can't be at 0x{base:X}", f"a multiple of {INTC_SIZE}")
        if dcr is not None and dcr % INTC_DCRS:
            reader.fault((*path, "dcr"), f"the controller can't be at DCR 0x{dcr:X}", f"a multiple of {INTC_DCRS}")
        self.intc_base = base if dcr is None else None
        self.values = [("BOARD_INTC_IS_DCR", int(dcr is not None)), ("BOARD_INTC_BASE", f"0x{base or 0:08X}"),
                       ("BOARD_INTC_DCR", f"0x{NO_DCR if dcr is None else dcr:X}"), ("BOARD_INTC_LINES", self.lines),
                       ("BOARD_INTC_EDGES", f"0x{self.edges:08X}")]

    def kind_of(self, line):
        """A line's kind, in words."""
        edges, high = self.kinds
        bit = 1 << line if high is None else 0x80000000 >> line     # Xilinx' line 0 is the right one, IBM's the left one
        words = ["an edge" if edges & bit else "a level"]
        if high is not None:
            words.append("active high" if high & bit else "active low")
        return ", ".join(words)

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
        """The tables of [[ram]], [[rom]] or [[reserved]]."""
        result = []
        for path, table in self.reader.tables(data, key):
            area = self.reader.values(BOARD[key], table, path)
            self.symbol(area["name"], (*path, "name"))
            area["size"] = area["size"] or self.page_min
            if area["base"] + area["size"] > SPACE:
                self.reader.fault((*path, "size"), f"{area['name']} ends beyond the address space",
                                  "base + size is at most 0x100000000")
            result.append({**area, "line": self.reader.toml.line((*path, "size"))})
        return result

    def read_devices(self, data):
        """The tables of [[device]] by name."""
        devices, self.paths = {}, {}
        for path, table in self.reader.tables(data, "device"):
            reader = self.reader
            device = reader.values(BOARD["device"], table, path)
            name = device["name"]
            self.symbol(name, (*path, "name"))
            if name in devices:
                reader.fault((*path, "name"), f"device '{name}' is there twice", "names are unique")
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
