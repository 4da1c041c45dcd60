"""A partition file, read as a whole."""

import re

from kconfig import guess
from partitions import flow, place, plans, product_checks, tunnels
from partitions.keys import LAST_LINE, PARTITIONS
from partitions.lines import TomlFile
from partitions.reader import Reader
from partitions.vm import Vm


SCHEDULERS = {"SCHED_SINGLE": "single", "SCHED_PRIO": "priority", "SCHED_CYCLIC": "cyclic",
              "SCHED_RESERVE": "reservations"}


class Product:
    """A partition file and what follows from it: VMs in their places, the static TLB."""

    def __init__(self, path, board, config, faults, accept_idle=False):
        toml = TomlFile(path, "partition file", "it stands beside the product's defconfig, in config/<product>/")
        self.path, self.board, self.config, self.accept_idle = path, board, config, accept_idle
        self.reader = reader = Reader(toml, faults, {LAST_LINE: board.lines - 1})
        data = toml.data
        tables = reader.values(PARTITIONS[""], data, (), but=("plan", "vm", "tunnel"))
        self.read_product(data, tables["product"])
        self.read_schedule(tables["schedule"])
        self.vms = [Vm(reader, board, config, path, table, index)
                    for index, (path, table) in enumerate(reader.tables(data, "vm"))]
        self.plans = plans.read(self, data)
        self.tunnels = tunnels.read(self, data)
        self.read_console(data, tables["console"])
        flow.read(self, tables["flow"])
        product_checks.check(self)
        tunnels.check(self)
        flow.check(self)
        self.registers, self.tlb = place.place(self)

    def read_product(self, data, table):
        """[product]: its name, and a line about it."""
        values = self.reader.values(PARTITIONS["product"], table, ("product",), but=() if "product" in data else ("name",))
        self.name, self.description, self.verdict = values.get("name", ""), values["description"], list(values["verdict"])

    def read_schedule(self, table):
        """[schedule]: the quantum, in microseconds and in ticks of the time base."""
        self.scheduler = next((kind for option, kind in SCHEDULERS.items() if self.config.get(option)), "round robin")
        self.quantum_us = self.reader.values(PARTITIONS["schedule"], table, ("schedule",))["quantum_us"]
        self.quantum_ticks = (self.quantum_us * self.board.tb_hz + 500_000) // 1_000_000

    def read_console(self, data, table):
        """[console]: the escape key and the VM that has the input at first."""
        path = ("console",)
        values = self.reader.values(PARTITIONS["console"], table, path)
        if "console" in data and not self.config.get("CONSOLE"):
            self.reader.fault(path, "[console] needs CONFIG_CONSOLE",
                              "set CONFIG_CONSOLE=y in the defconfig, or remove [console]")
        escape = values["escape"]
        match = re.fullmatch(r"ctrl-([a-z@\[\\\]^_])", escape.lower())
        self.escape = ord(match.group(1).upper()) & 0x1F if match else 0x1D
        if not match:
            self.reader.fault((*path, "escape"), f"escape '{escape}' is not a control key",
                              '"ctrl-]", or "ctrl-a" to "ctrl-z"')
        elif self.escape in (0x0A, 0x0D):
            self.reader.fault((*path, "escape"), f"escape '{escape}' is the Enter key", 'another one, "ctrl-]" say')
        shared = [vm for vm in self.vms if vm.console_base]
        focus = values["focus"]
        self.focus = shared[0].index if shared else 0
        if focus is not None:
            names = {**{vm.name: (vm, vm.index) for vm in self.vms},
                     **{f"{vm.name}.1": (vm, len(self.vms) + index) for index, vm in enumerate(self.second_uarts())}}
            vm, row = names.get(focus, (None, 0))
            if not vm:
                self.reader.fault((*path, "focus"), f"there is no vm '{focus}'",
                                  guess(focus, names))
            elif vm.console_base == 0 and self.config.get("CONSOLE"):
                self.reader.fault((*path, "focus"), f"vm '{focus}' has no shared console", 'give it console = "shared"')
            else:
                self.focus = row

    def second_uarts(self):
        """The VMs that have one, in the order of their rows behind the VMs."""
        return [vm for vm in self.vms if vm.second]

    def owner(self, name):
        """Who has a device: a Vm, "the hypervisor", or None."""
        for vm in self.vms:
            if name in vm.devices or any(name == device for _, _, device, _ in vm.forward):
                return vm
        return "the hypervisor" if name == self.board.console and self.config.get("CONSOLE") else None
