"""One [[vm]] of a partition file, read."""

from kconfig import guess
from partitions.keys import CONSOLE_KINDS, INTC_SIZE, NAME, NAME_HINT, PARTITIONS, SPACE
from partitions.ranges import HIGH_START, LOW_END, abi, overlap, show_range, show_size
from partitions.reader import example, show, toml_kind
from partitions.stubs import read_stubs
from partitions.uarts import second_uart, uart_base, uart_kind, uart_registers


HYPERVISOR = "proteus"              # how src/report/message.c begins its lines


class Vm:
    """One [[vm]] table."""

    def __init__(self, reader, board, config, path, table, index):
        self.path, self.table, self.index = path, table, index
        self.reader, self.board, self.config = reader, board, config
        self.values = values = reader.values(PARTITIONS["vm"], table, path, but=("memory", "console_kind", "console_line"))
        self.name = self.read_name()
        self.image = values["image"]
        self.guest, self.machine, self.size = self.read_memory()
        self.on_reset = self.read_on_reset()
        self.restart = self.on_reset == "restart"
        self.strays_stop = self.choice("stray", "policy") == "stop"
        self.priority = values["priority"]
        self.needs("priority")
        self.period_us, self.budget_us = self.read_reservation()
        self.needs("plans")
        self.plans = bool(values["plans"])
        self.restarts, self.restarts_in_ms, self.resets_board = self.read_restarts()
        self.on_overrun, self.on_storm, self.interrupts_max, self.interrupts_in_ms = self.read_events()
        self.supervises, self.health_line = self.read_supervises()
        self.tasks = self.read_tasks()
        self.absent_checks = self.read_absent()
        self.autostart, self.dma = values["autostart"], values["dma"]
        self.regs = self.read_regs()
        self.blob = self.read_blob()
        self.console_kind, self.console_size, self.console_line, self.uart = "ns16550", 8, 0, ""
        self.console_base = self.read_console()
        self.second = second_uart(self)         # a device of the board that its second virtual UART is like, or None
        self.raw = bool(values["console_raw"] and self.console_base)
        self.devices = self.read_devices()
        self.forward = self.read_forward()
        self.intc_base = self.read_intc()
        self.irqs = self.read_interrupts()
        self.paravirt = self.technique("paravirt", values["paravirt"])
        self.irfm = self.technique("irfm", values["irfm"] is not False)
        self.optimize = self.technique("optimize", values["optimize"])
        self.page = self.read_page()
        self.needs("stubs")
        self.stubs = read_stubs(self)           # where they are, or None
        self.needs("tunnels_at")
        self.tunnels_at = values["tunnels_at"]
        self.ends, self.end_rows = [], []       # of tunnels, by tunnels.read, and pages of their memory
        self.previrt = self.technique("previrt", values["previrt"])
        self.pages, self.windows, self.register_rows = [], [], []       # pages of the static TLB, by place.cut_tlb
        if "blob" in self.regs.values() and not self.blob:
            self.fault("regs", "a register is to hold the blob's address, but there is no blob",
                       'add blob = { file = "x.dtb", guest = "0xF0000" }')

    def fault(self, key, cause, hint):
        """Report a fault at a key of this VM (or at the table itself)."""
        self.reader.fault((*self.path, *((key,) if isinstance(key, str) else key)), f"vm '{self.name}': {cause}", hint)

    def choice(self, name, what):
        """The value of a key that is one of a few words."""
        key = PARTITIONS["vm"][name]
        value = self.values[name]
        if value in key.choices:
            return value
        self.fault(name, f"unknown {what} '{value}'", " or ".join(f'"{choice}"' for choice in key.choices))
        return None

    def needs(self, name):
        """A key that is there needs its option."""
        option = PARTITIONS["vm"][name].option
        if name in self.table and not self.config.get(option):
            self.fault(name, f"{name} needs CONFIG_{option}", f"set CONFIG_{option}=y in the defconfig, or remove {name}")

    def technique(self, name, on):
        """True if a key is on whose option is, too."""
        option = PARTITIONS["vm"][name].option
        if on and not self.config.get(option):
            self.fault(name, f"{name} needs CONFIG_{option}", f"set CONFIG_{option}=y in the defconfig, or remove {name}")
            return False
        return bool(on)

    def read_name(self):
        """The name: it fits vm_config.name and reads well in front of console lines."""
        name = self.values["name"]
        if name != "?" and not NAME.fullmatch(name):
            self.reader.fault((*self.path, "name"), f"vm name '{name}' does not do", NAME_HINT)
        if name == HYPERVISOR:
            self.reader.fault((*self.path, "name"), f"vm name '{name}' is the hypervisor's own tag on the console",
                              "another name")
        return name

    def read_memory(self):
        """(guest, machine or None, size) of the RAM."""
        memory = self.table.get("memory")
        path = (*self.path, "memory")
        if memory is None:
            self.fault((), "key 'memory' is missing", PARTITIONS["vm"]["memory"].required)
            return 0, None, self.board.page_min
        if not isinstance(memory, dict):
            memory = {"size": memory}
        keys = PARTITIONS["memory"]
        if "size" not in memory:
            self.fault("memory", "memory has no size", keys["size"].required)
            return 0, None, self.board.page_min
        values = self.reader.values(keys, memory, path, but=("size",))
        size_path = (*path, "size") if isinstance(self.table["memory"], dict) else path
        step = self.board.page_min
        size = self.reader.number(memory["size"], size_path, "memory size", keys["size"].low, keys["size"].high, step)
        guest, machine = values["guest"], values["machine"]
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

    def read_reservation(self):
        """(period, budget) in microseconds, 0 for none."""
        period, budget = self.values["period_us"], self.values["budget_us"]
        self.needs("period_us")
        self.needs("budget_us")
        for key, other in (("period_us", "budget_us"), ("budget_us", "period_us")):
            if key in self.table and other not in self.table:
                self.fault(key, f"{key} without {other}", f"both, or none of them: {other} = <microseconds>")
                return 0, 0
        if period and budget and budget > period:
            self.fault("budget_us", f"budget_us {budget} is more than period_us {period}", f"{period} at most")
        return period or 0, budget or 0

    def read_on_reset(self):
        """The word of what a reset of its own does."""
        word = self.choice("on_reset", "policy")
        if word == "reset" and not self.config.get("LIFECYCLE"):
            self.fault("on_reset", 'on_reset = "reset" needs CONFIG_LIFECYCLE', "set CONFIG_LIFECYCLE=y in the defconfig")
        return word

    def read_restarts(self):
        """(how often, in how many milliseconds) it is restarted when it fails, (0, 0) for never; if the board is reset then."""
        for key in ("on_failure", "restarts", "restarts_in_ms"):
            self.needs(key)
        policy = self.choice("on_failure", "policy")
        if policy == "restart":
            return self.values["restarts"], self.values["restarts_in_ms"], False
        for key in ("restarts", "restarts_in_ms"):
            if key in self.table:
                self.fault(key, f"{key} without on_failure", f'on_failure = "restart", or remove {key}')
        return 0, 0, policy == "reset"

    def read_events(self):
        """What follows from an overrun and from too many interrupts; and how many are not, in how many milliseconds."""
        for key in ("on_overrun", "interrupts_max", "interrupts_in_ms", "on_storm"):
            self.needs(key)
        overrun, storm = self.choice("on_overrun", "policy"), self.choice("on_storm", "policy")
        most = self.values["interrupts_max"]
        if most and not self.values["interrupts"]:
            self.fault("interrupts_max", "interrupts_max without interrupts", "interrupts = [...], or remove interrupts_max")
        for key in ("interrupts_in_ms", "on_storm"):
            if key in self.table and not most:
                self.fault(key, f"{key} without interrupts_max", f"interrupts_max = <number>, or remove {key}")
        return overrun, storm if most else "ignore", most or 0, self.values["interrupts_in_ms"] if most else 0

    def read_supervises(self):
        """(names of the VMs that it supervises, the line that tells of them or None); product_checks.py knows them."""
        for key in ("supervises", "health_line"):
            self.needs(key)
        names, line = list(self.values["supervises"]), self.values["health_line"]
        for index, name in enumerate(names):
            if not isinstance(name, str):
                self.fault(("supervises", index), f"a VM's name has to be a string, not {toml_kind(name)}",
                           example(PARTITIONS["vm"]["supervises"]))
                return [], None
        if names and not self.values["paravirt"]:
            self.fault("supervises", "supervises without hypercalls", "paravirt = true")
        if line is not None and not names:
            self.fault("health_line", "health_line without supervises", 'supervises = ["<vm>"], or remove health_line')
        return names, line

    def read_tasks(self):
        """[{name, period_us, wcet_us, deadline_us, line}] of the tasks whose deadlines are to be kept."""
        tasks = []
        for index, item in enumerate(self.values["tasks"]):
            path = (*self.path, "tasks", index)
            if not isinstance(item, dict):
                self.fault(path[2:], f"a task has to be a table, not {toml_kind(item)}", example(PARTITIONS["vm"]["tasks"]))
                continue
            task = self.reader.values(PARTITIONS["tasks"], item, path)
            task["name"] = str(index + 1) if task["name"] is None else task["name"]
            task["line"] = self.reader.toml.line(path)
            if None in (task["period_us"], task["wcet_us"]):
                continue
            task["deadline_us"] = task["deadline_us"] or task["period_us"]
            for key, limit in (("deadline_us", "period_us"), ("wcet_us", "deadline_us")):
                if task[key] > task[limit]:
                    self.fault((*path[2:], key), f"task '{task['name']}': {key} {task[key]} is more than its {limit} "
                               f"{task[limit]}", f"{task[limit]} at most")
            if task["name"] in (other["name"] for other in tasks):
                self.fault(path[2:], f"task '{task['name']}' is there twice", "names are unique in a VM")
            tasks.append(task)
        return tasks

    def read_regs(self):
        """r3 to r7 at the start: numbers, or "blob"."""
        path = (*self.path, "regs")
        values = self.reader.values(PARTITIONS["regs"], self.values["regs"], path)
        return {name: value if value == "blob" else self.reader.number(value, (*path, name), name, default=0)
                for name, value in values.items()}

    def read_blob(self):
        """The file to place in the VM's memory beside the image."""
        if self.values["blob"] is None:
            return None
        path = (*self.path, "blob")
        values = self.reader.values(PARTITIONS["blob"], self.values["blob"], path)
        file, guest = values["file"], self.guest if values["guest"] is None else values["guest"]
        if guest % 4:
            self.fault(("blob", "guest"), f"blob address 0x{guest:X} is not word-aligned", f"0x{guest & ~3:X}, say")
        if not self.guest <= guest < self.guest + self.size:
            self.fault(("blob", "guest"),
                       f"blob address 0x{guest:08X} is outside the memory {show_range(self.guest, self.size)}",
                       "place it inside; tools/pack.py checks its end")
        return {"file": file, "guest": guest, "line": self.reader.toml.line(path)}

    def read_console(self):
        """The guest-physical address of the virtual UART, 0 for none; sets its kind, size, line and name."""
        console = self.choice("console", "console")
        uart = self.board.devices.get(self.board.console)
        if console is None:
            return 0
        if console == "none":
            for key in ("console_at", "console_kind", "console_line", "console_raw"):
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
        keys = PARTITIONS["vm"]
        kind = self.reader.value(keys["console_kind"], self.table, self.path)
        if kind is None:
            kind = uart and uart_kind(uart) or "ns16550"
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
        self.console_line = self.reader.value(keys["console_line"], self.table, self.path)
        if self.console_line is None:
            self.console_line = line or 0
        address = self.values["console_at"]
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

    def uarts(self):
        """[(base, size, name)] of its virtual UARTs."""
        first = [(self.console_base, self.console_size, self.uart)] if self.console_base else []
        return first + ([(*uart_registers(self.second), "its second UART")] if self.second else [])

    def read_intc(self):
        """The guest-physical address of the virtual interrupt controller in memory, None if the board's is not in memory."""
        address = self.values["intc_at"]
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
        others += self.uarts()
        for start, length, text in others:
            if overlap(address, INTC_SIZE, start, length):
                self.fault(key, f"the interrupt controller at 0x{address:08X} lies in {text} {show_range(start, length)}",
                           "move one of them; this one with intc_at")
        return address

    def read_devices(self):
        """The devices whose registers the VM sees, by name."""
        devices = []
        for index, name in enumerate(self.values["devices"]):
            key = ("devices", index)
            if not isinstance(name, str):
                self.fault(key, f"a device has to be a string, not {toml_kind(name)}", example(PARTITIONS["vm"]["devices"]))
            elif name not in self.board.devices:
                self.fault(key, f"unknown device {show(name)} on board '{self.board.name}'",
                           guess(name, self.board.devices))
            elif name in devices:
                self.fault(key, f"device '{name}' is listed twice", "once is enough")
            else:
                devices.append(name)
        return devices

    def read_absent(self):
        """True if what is absent beside its emulated registers is a machine check, too."""
        if self.values["absent"] is None:
            return False
        if self.choice("absent", "policy") == "quiet" and not self.config.get("ABSENT"):
            self.fault("absent", 'absent = "quiet" needs CONFIG_ABSENT', "set CONFIG_ABSENT=y in the defconfig, or remove absent")
        return self.values["absent"] == "check"

    def read_forward(self):
        """[(base, size, device, key)] of the registers that the hypervisor accesses for it, by address."""
        if not self.technique("forward", self.values["forward"]):
            return []
        found = [self.read_registers(item, ("forward", index)) for index, item in enumerate(self.values["forward"])]
        return sorted(filter(None, found))

    def read_registers(self, item, key):
        """One of them, None if it is none: a device's name, or a part of it as a table."""
        if isinstance(item, str):
            item = {"device": item}
        if not isinstance(item, dict):
            self.fault(key, f"a device has to be a string or a table, not {toml_kind(item)}",
                       example(PARTITIONS["vm"]["forward"]))
            return None
        values = self.reader.values(PARTITIONS["forward"], item, (*self.path, *key))
        if "device" not in item:
            return None
        device = self.board.devices.get(values["device"])
        if device is None:
            self.fault(key, f"unknown device {show(values['device'])} on board '{self.board.name}'",
                       guess(values["device"], self.board.devices))
            return None
        offset, size = values["offset"], values["size"]
        size = max(device["size"] - offset, 1) if size is None else size
        if offset + size > device["size"]:
            self.fault(key, f"device '{device['name']}' has {device['size']} bytes of registers, not {offset + size}",
                       "offset + size is at most that")
            return None
        return device["base"] + offset, size, device["name"], key

    def read_interrupts(self):
        """[(board line, guest line, key)] of the routed interrupt lines."""
        routes = []
        for index, item in enumerate(self.values["interrupts"]):
            key = ("interrupts", index)
            path = (*self.path, *key)
            guest = None
            if isinstance(item, dict):
                self.reader.known(PARTITIONS["interrupts"], item, path)
                if "line" not in item:
                    self.fault(key, "an interrupt has no line", PARTITIONS["interrupts"]["line"].required)
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

    def read_page(self):
        """The guest address of the boundary between the two register pages, 0 for none."""
        value = self.values["irfm"]
        address = abi()["PAGE_BOUNDARY"]
        if not isinstance(value, bool):
            address = self.reader.number(value, (*self.path, "irfm"), "irfm")
        if address is None or not (self.irfm or self.optimize):
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
        others += [(start, length, f"overlap {text}") for start, length, text in self.uarts()]
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
        rows = [("RESTART", self.restart), ("AUTOSTART", self.autostart), ("DMA", self.dma),
                ("PREVIRT", self.previrt), ("STRAY_STOP", self.strays_stop), ("PLANS", self.plans),
                ("ABSENT_CHECK", self.absent_checks), ("SUPERVISOR", self.supervises),
                ("OPTIMIZE", self.optimize), ("HYPERCALLS", self.paravirt), ("IRFM", self.irfm),
                ("TSR_STORE", self.irfm and not option("FIT_WATCHDOG")), ("MMU_STORE", self.irfm and not tlb_virt),
                ("SERVICES", self.paravirt and option("SERVICES")),
                ("DRIVERS", self.paravirt and option("DRIVERS") and self.console_base), ("TLB", self.paravirt and tlb_virt),
                ("IPCM", self.paravirt and self.ends)]
        return ["FEATURE_" + name for name, on in rows if on]

    def flags(self):
        """vm_config.flags, the feature word."""
        return sum(abi()[name] for name in self.features())

    def lines(self):
        """{line of its interrupt controller: whose it is}: of its console and of the board's; more may be taken."""
        taken = {guest: f"board line {line}" for line, guest, _ in self.irqs}
        if self.console_base:
            taken[self.console_line] = "its console"
        if self.second:
            taken[self.second["irq"]] = "its second UART"
        return taken

    def mode(self):
        """How the VM is virtualized, in words."""
        rows = (("+hypercalls", self.paravirt), ("+pages", self.irfm), ("+pre-virtualized", self.previrt),
                ("+optimized", self.optimize))
        return " ".join(name for name, on in rows if on) or "full"

    def masters(self):
        """Its devices that do DMA, if it may have any."""
        return [name for name in self.devices if self.dma and self.board.devices[name]["dma"]]

    def tid(self):
        """The PID and TID of the VM."""
        return self.index + 1
