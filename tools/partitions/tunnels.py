"""[[tunnel]] of a partition file: memory that two VMs share (option IPCM), read and checked."""

from kconfig import guess
from partitions.keys import INTC_SIZE, NAME, NAME_HINT, PARTITIONS, SPACE, TUNNEL_ENDS
from partitions.ranges import abi, overlap, show_range, show_size

ENDS_MAX = 255                      # a row of tunnel_end is a byte


class End:
    """One end: of a VM, at a guest-physical address."""

    def __init__(self, tunnel, vm, values, key):
        self.tunnel, self.vm, self.key = tunnel, vm, key
        self.at, self.doorbell, self.boot = values["at"], values["doorbell"], bool(values["boot"])
        self.writes = values["rights"] == "rw"
        self.row, self.pages = 0, []        # of the static TLB, by place.cut_tunnels

    def other(self):
        """The end at the other side."""
        return next(end for end in self.tunnel.ends if end is not self)


class Tunnel:
    """One [[tunnel]] table."""

    def __init__(self, product, path, table):
        self.product, self.path, self.table, self.machine = product, path, table, None
        self.values = product.reader.values(PARTITIONS["tunnel"], table, path)
        self.name = self.values["name"]
        self.size = self.read_size()
        self.ends = self.read_ends()

    def fault(self, key, cause, hint):
        """Report a fault at a key of it (or at the table itself)."""
        place = (*self.path, *((key,) if isinstance(key, str) else key))
        self.product.reader.fault(place, f"tunnel '{self.name}': {cause}", hint)

    def read_size(self):
        """Bytes, whole pages."""
        step, size = self.product.board.page_min, self.values["size"]
        if size is None:
            return step
        if size % step:
            self.fault("size", f"size 0x{size:X} is not a multiple of a page ({show_size(step)})",
                       f"the next one is {show_size(-(-size // step) * step)}")
            return step
        return size

    def read_ends(self):
        """Two of them, of two VMs; fewer if that is wrong."""
        found, reader = [], self.product.reader
        for index, item in enumerate(self.values["ends"]):
            key = ("ends", index)
            if not isinstance(item, dict):
                self.fault(key, "an end has to be a table", TUNNEL_ENDS)
                continue
            values = reader.values(PARTITIONS["ends"], item, (*self.path, *key))
            if values["rights"] not in ("rw", "r"):
                self.fault((*key, "rights"), f"unknown rights '{values['rights']}'", '"rw" or "r"')
            names = [vm.name for vm in self.product.vms]
            if values["vm"] in names:
                found.append(End(self, self.product.vms[names.index(values["vm"])], values, key))
            elif values["vm"] != "?":
                self.fault((*key, "vm"), f"unknown vm '{values['vm']}'", guess(values["vm"], names))
        if len(self.values["ends"]) != 2 and "ends" in self.table:
            self.fault("ends", f"{len(self.values['ends'])} ends, a tunnel has two", TUNNEL_ENDS)
        elif len(found) == 2 and found[0].vm is found[1].vm:
            self.fault("ends", f"both ends are vm '{found[0].vm.name}'", "another VM for one of them")
        elif len(found) == 2:
            for end in found:
                end.vm.ends.append(end)
            return found
        return []


def read(product, data):
    """Those that are right so far. Each is also in `ends` of its two VMs, in the order of the file."""
    tables = product.reader.tables(data, "tunnel")
    if tables and not product.config.get("IPCM"):
        product.reader.fault(("tunnel", 0), "a tunnel needs CONFIG_IPCM",
                             "set CONFIG_IPCM=y in the defconfig, or remove [[tunnel]]")
        return []
    tunnels = [Tunnel(product, path, table) for path, table in tables]
    return [tunnel for tunnel in tunnels if tunnel.ends]


def check(product):
    """Names, who can connect, who can write, lines and addresses."""
    names = [tunnel.name for tunnel in product.tunnels]
    if 2 * len(names) > ENDS_MAX:
        product.tunnels[ENDS_MAX // 2].fault((), f"{len(names)} tunnels", f"{ENDS_MAX // 2} at most")
    for index, tunnel in enumerate(product.tunnels):
        if not NAME.fullmatch(tunnel.name) and tunnel.name != "?":
            tunnel.fault("name", f"name '{tunnel.name}' does not do", NAME_HINT)
        elif tunnel.name in names[:index]:
            tunnel.fault("name", "its name is there twice", "names are unique")
        if not any(end.writes for end in tunnel.ends):
            tunnel.fault("ends", "neither end can write", 'rights = "rw" for one of them')
        for end in tunnel.ends:
            check_end(product, end)
            check_doorbell(product, end)
    for vm in product.vms:
        check_registers(product, vm)


def check_end(product, end):
    """Somebody connects it, and its address is that of nothing else."""
    tunnel, vm = end.tunnel, end.vm
    if not (end.boot or vm.tunnels_at is not None or vm.paravirt):
        tunnel.fault(end.key, f"nobody can connect the end of vm '{vm.name}'",
                     "boot = true, or for the VM paravirt = true or tunnels_at = ...")
    page = product.board.page_min
    if end.at % page:
        tunnel.fault((*end.key, "at"), f"address 0x{end.at:08X} is not a multiple of a page ({show_size(page)})",
                     f"the next one is 0x{-(-end.at // page) * page:X}")
    elif end.at + tunnel.size > SPACE:
        tunnel.fault((*end.key, "at"), "it passes the end of the address space", "a lower address, or a smaller size")
    for base, size, text in others(product, vm, end):
        if overlap(end.at, tunnel.size, base, size):
            tunnel.fault((*end.key, "at"), f"{show_range(end.at, tunnel.size)} overlaps {text} {show_range(base, size)} of vm "
                         f"'{vm.name}'", "another address, on which the VM has nothing")


def check_doorbell(product, end):
    """A line of the VM's controller that nothing else has."""
    if end.doorbell is None:
        return
    if not any(map(product.config.get, ("UIC", "INTC"))):
        end.tunnel.fault((*end.key, "doorbell"), f"vm '{end.vm.name}' has no interrupt controller",
                         "CONFIG_UIC or CONFIG_INTC, or remove doorbell")
    taken = end.vm.lines()
    if end.vm.health_line is not None:
        taken[end.vm.health_line] = "its health_line"
    for other in end.vm.ends[:end.vm.ends.index(end)]:
        taken[other.doorbell] = f"tunnel '{other.tunnel.name}'"
    if end.doorbell in taken:
        end.tunnel.fault((*end.key, "doorbell"), f"line {end.doorbell} of vm '{end.vm.name}' is that of {taken[end.doorbell]}",
                         "a line that nothing else has")


def registers_size(vm):
    """Bytes of the registers of a VM's tunnels."""
    return abi()["TUNNEL_REGS_SIZE"] * len(vm.ends)


def check_registers(product, vm):
    """The registers of a VM's tunnels: there are some, and nothing else is there."""
    if vm.tunnels_at is None:
        return
    if not vm.ends:
        vm.fault("tunnels_at", "it has no tunnel", "[[tunnel]] with an end of this VM, or remove tunnels_at")
    if vm.tunnels_at % 16 or vm.tunnels_at == 0:
        vm.fault("tunnels_at", f"address 0x{vm.tunnels_at:08X} does not do", "a multiple of 16, not 0")
    elif vm.tunnels_at + registers_size(vm) > SPACE:
        vm.fault("tunnels_at", "they pass the end of the address space",
                 f"16 bytes for each tunnel: 0x{SPACE - registers_size(vm):X}")
    for base, size, text in others(product, vm, None):
        if overlap(vm.tunnels_at, registers_size(vm), base, size):
            vm.fault("tunnels_at", f"{show_range(vm.tunnels_at, registers_size(vm))} overlaps {text} {show_range(base, size)}",
                     "accesses to it have to fault to be emulated: another address")


def others(product, vm, this):
    """[(base, size, name)] of what a VM has elsewhere; `this` is an end of a tunnel, or None for the registers of all."""
    found = [(vm.guest, vm.size, "the memory"), *vm.uarts()]
    if vm.intc_base is not None:
        found.append((vm.intc_base, INTC_SIZE, "the virtual interrupt controller"))
    if vm.page:
        found.append((vm.page - product.board.page_min, 2 * product.board.page_min, "the register pages"))
    if this is not None and vm.tunnels_at is not None:
        found.append((vm.tunnels_at, registers_size(vm), "the registers of tunnels"))
    for name in vm.devices:
        start, end = product.board.pages(product.board.devices[name])
        found.append((start, end - start, f"a page of '{name}'"))
    found += [(base, size, f"registers of '{name}'") for base, size, name, _ in vm.forward]
    ends = vm.ends if this is None else vm.ends[:vm.ends.index(this)]
    return found + [(end.at, end.tunnel.size, f"tunnel '{end.tunnel.name}'") for end in ends]
