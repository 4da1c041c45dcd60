"""Where the VMs and their register pages are in the machine's memory, and the static TLB that follows."""

from partitions.keys import PAGE_SIZES
from partitions.ranges import DATA_ROOM, LO_DEVICE, LO_PAGE_READABLE, LO_PAGE_WRITABLE, LO_PAGES_OPTIMIZED, LO_RAM, LOW_END, \
    TLB_ENTRIES, TLB_SHADOWS
from partitions.ranges import cut, overlap, row, show_range, show_size
from partitions.vm import Vm


def place(product):
    """((base, size) of the area of register pages or None, [(hi, lo, tid)] of the static TLB)."""
    product.registers = None
    place_vms(product)
    check_memory(product)
    product.registers = place_registers(product)
    place_tunnels(product)
    return product.registers, cut_tlb(product)


def occupied(product):
    """[(base, size, name)] of what a machine address can't be taken from."""
    taken = [(area["base"], area["size"], area["name"]) for area in product.board.reserved]
    taken += [(vm.machine, vm.size, vm.name) for vm in product.vms if vm.machine is not None]
    taken += [(*area, "register pages") for area in (product.registers or (),) if area]
    return taken + [(tunnel.machine, tunnel.size, tunnel.name) for tunnel in product.tunnels if tunnel.machine is not None]


def place_vms(product):
    """Give the VMs without a machine address one: as aligned as their pages can use, or less if not all have room that way."""
    vms = sorted((vm for vm in product.vms if vm.machine is None), key=lambda vm: (-vm.size, vm.index))
    product.automatic = {vm.index for vm in vms}
    for vm in filter(Vm.masters, product.vms):
        place_master(product, vm)
    vms = [vm for vm in vms if vm.machine is None]
    for largest in reversed(PAGE_SIZES[PAGE_SIZES.index(product.board.page_min):]):
        for vm in vms:
            vm.machine = None
        for vm in vms:
            vm.machine = find_place(product, vm, largest)
        if all(vm.machine is not None for vm in vms):
            return
    for vm in vms:
        if vm.machine is None:
            vm.fault("memory", f"no room for {show_size(vm.size)} in the board's RAM",
                     "less memory, or set machine addresses by hand to close gaps")


def place_master(product, vm):
    """A device that does DMA takes machine addresses, its driver knows the guest's: they are the same."""
    device = vm.masters()[0]
    if vm.machine is None and any(overlap(vm.guest, vm.size, base, size) for base, size, _ in occupied(product)):
        vm.fault("memory", f"'{device}' does DMA by machine addresses, and the machine's memory at the VM's guest addresses "
                 f"{show_range(vm.guest, vm.size)} is not free",
                 f'memory = {{ size = "{show_size(vm.size)}", guest = "0x100000" }}, say')
    elif vm.machine not in (None, vm.guest):
        vm.fault(("memory", "machine"), f"'{device}' does DMA by machine addresses, and the VM's memory is at guest address "
                 f"0x{vm.guest:08X}, but at machine address 0x{vm.machine:08X}", "the same for both; machine may be left out")
    else:
        vm.machine = vm.guest


def find_place(product, vm, largest):
    """The lowest free machine address that equals the guest address modulo the largest page that the VM can use, or None."""
    return find_room(product, vm.guest, vm.size,
                     max(size for size in PAGE_SIZES if size <= min(max(vm.size, product.board.page_min), largest)))


def find_room(product, guest, size, align):
    """The lowest free machine address for so many bytes that equals the guest address modulo `align`, or None."""
    for ram in product.board.ram:
        base = ram["base"] + (guest - ram["base"]) % align
        while base + size <= ram["base"] + ram["size"]:
            clash = [start + length for start, length, _ in occupied(product) if overlap(base, size, start, length)]
            if not clash:
                return base
            base += -(-(max(clash) - base) // align) * align
    return None


def place_tunnels(product):
    """Their memory: as aligned as the pages that both ends can use."""
    for tunnel in product.tunnels:
        one, other = (end.at for end in tunnel.ends)
        usable = [size for size in PAGE_SIZES
                  if product.board.page_min <= size <= tunnel.size and (one - other) % size == 0] or [product.board.page_min]
        places = (find_room(product, one, tunnel.size, size) for size in reversed(usable))
        tunnel.machine = next((place for place in places if place is not None), None)
        if tunnel.machine is None:
            tunnel.fault("size", f"no room for {show_size(tunnel.size)} in the board's RAM", "less, or less memory for a VM")


def register_step(product):
    """Bytes from a VM's two register pages to the next VM's: of 1 KiB pages, a virtual TLB or sites need two more behind."""
    more = product.board.page_min == PAGE_SIZES[0] and any(product.config.get(name) for name in ("TLB_VIRT", "OPTIMIZE"))
    return product.board.page_min * (4 if more else 2)


def sites_size(product):
    """Bytes that the hypervisor has for what it rewrites of its guests (struct sites of src/cpu/optimize.c)."""
    size = sum(size * (product.config.get(name) or 0) for name, size in (("OPTIMIZE_SITES", 12), ("OPTIMIZE_STUBS", 4)))
    return max(1, sum(vm.optimize for vm in product.vms)) * size


def place_registers(product):
    """The machine area (base, size) of all VMs' register pages, or None: two pages for each VM of a product with IRFM.

    Above what off(0) reaches, the hypervisor's own area has room to spare, behind its data. With many VMs, any free place does.
    """
    if not product.config.get("IRFM") or not product.vms:
        return None
    step = product.board.page_min
    size = len(product.vms) * register_step(product)
    for area in product.board.reserved:
        base = -(-max(area["base"], LOW_END + DATA_ROOM + sites_size(product)) // step) * step
        if area["name"] == "hypervisor" and base + size <= area["base"] + area["size"]:
            return base, size
    base = find_room(product, 0, size, step)
    if base is not None:
        return base, size
    product.reader.fault(("vm", 0), f"no room for the register pages, {show_size(size)} for {len(product.vms)} VMs, in the "
                         "board's RAM", "less memory for a VM, or CONFIG_IRFM=n")
    return None


def check_memory(product):
    """Memories lie in RAM, and apart from each other and from the reserved areas."""
    for vm in (v for v in product.vms if v.machine is not None):
        if not any(ram["base"] <= vm.machine and vm.machine + vm.size <= ram["base"] + ram["size"]
                   for ram in product.board.ram):
            ram = ", ".join(show_range(ram["base"], ram["size"]) for ram in product.board.ram)
            vm.fault(("memory", "machine"), f"memory {show_range(vm.machine, vm.size)} is outside the board's RAM",
                     f"RAM is {ram}")
            continue
        others = [(a["base"], a["size"], f"the area of the {a['name']}") for a in product.board.reserved]
        others += [(v.machine, v.size, f"vm '{v.name}'") for v in product.vms[:vm.index] if v.machine is not None]
        others += [(v.machine, v.size, f"vm '{v.name}'") for v in product.vms[vm.index + 1:]
                   if v.machine is not None and v.index in product.automatic]
        for base, size, who in others:
            if overlap(vm.machine, vm.size, base, size):
                vm.fault(("memory", "machine"),
                         f"memory {show_range(vm.machine, vm.size)} overlaps {who} {show_range(base, size)}",
                         "leave out machine = ... to have it placed")


def entries(product):
    """(how many static entries of the TLB there can be, that in words)."""
    if product.config.get("TLB_VIRT"):
        return TLB_ENTRIES - TLB_SHADOWS, f"with CONFIG_TLB_VIRT {TLB_ENTRIES - TLB_SHADOWS} of the 405's {TLB_ENTRIES} can be"
    return TLB_ENTRIES, f"the 405 has {TLB_ENTRIES}"


def cut_tlb(product):
    """[(hi, lo, tid)] of all static TLB entries, and their count against the hardware's."""
    rows = []
    for vm in (v for v in product.vms if v.machine is not None):
        vm.pages = cut(vm.guest, vm.machine, vm.size, product.board.page_min)
        vm.windows = [page for base, end in windows(product, vm)
                      for page in cut(base, base, end - base, product.board.page_min)]
        rows += [(*row(page, LO_RAM), vm.tid()) for page in vm.pages]
        rows += [(*row(page, LO_DEVICE), vm.tid()) for page in vm.windows]
        vm.register_rows = register_pages(product, vm)
        pages = LO_PAGES_OPTIMIZED if vm.optimize else (LO_PAGE_WRITABLE, LO_PAGE_READABLE)
        rows += [(*row(page, attributes), vm.tid())
                 for page, attributes in zip(vm.register_rows, pages)]
        if len(rows) > entries(product)[0]:
            also = f", {len(vm.register_rows)} for register pages" if vm.register_rows else ""
            largest = show_size(max(size for size in PAGE_SIZES if (vm.guest - vm.machine) % size == 0))
            vm.fault("memory", f"{len(rows)} static TLB entries up to here, {entries(product)[1]}",
                     f"this VM takes {len(vm.pages)} for memory and {len(vm.windows)} for devices{also}: "
                     + (f"the free place allows pages of {largest} at most; less memory has a better one"
                        if vm.index in product.automatic else
                        f"align size, guest and machine to {show_size(PAGE_SIZES[-3])} or so"))
            break
    product.fixed_rows = len(rows)
    return rows + cut_tunnels(product, len(rows))


def cut_tunnels(product, taken):
    """The rows of their ends, behind all others and in the order of VMs: they come and go."""
    rows = []
    for vm in product.vms:
        for end in (end for end in vm.ends if end.tunnel.machine is not None):
            end.row = taken + len(rows)
            end.pages = cut(end.at, end.tunnel.machine, end.tunnel.size, product.board.page_min)
            rows += [(*row(page, LO_PAGE_WRITABLE if end.writes else LO_PAGE_READABLE), vm.tid()) for page in end.pages]
            if taken + len(rows) > entries(product)[0]:
                end.tunnel.fault("size", f"{taken + len(rows)} static TLB entries up to here, {entries(product)[1]}",
                                 f"it takes {len(end.pages)} at each end: both addresses alike in their last digits, and a size "
                                 "that is one page, take one")
                return rows
    return rows


def register_pages(product, vm):
    """The VM's two register pages as (guest, machine, size), the writable one first; none without irfm."""
    if not vm.page or not product.registers:
        return []
    size = product.board.page_min
    machine = product.registers[0] + vm.index * register_step(product)
    return [(vm.page - size, machine, size), (vm.page, machine + size, size)]


def windows(product, vm):
    """The page ranges of a VM's devices, joined where they touch."""
    joined = []
    for base, end in sorted(product.board.pages(product.board.devices[name]) for name in vm.devices):
        if joined and base <= joined[-1][1]:
            joined[-1] = (joined[-1][0], max(end, joined[-1][1]))
        else:
            joined.append((base, end))
    return joined
