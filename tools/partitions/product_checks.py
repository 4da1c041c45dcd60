"""Rules of a partition file as a whole: who owns what."""

from kconfig import guess
from partitions import plans
from partitions.keys import INTC_SIZE
from partitions.ranges import overlap, show_range, show_size

VM_MAX_BY_TID = 255                 # PID and TID have 8 bits, and 0 matches everyone


def check(product):
    """All of them."""
    for rule in (check_count, check_names, check_verdict, check_supervisors, check_overruns, check_watchdog, check_start,
                 check_dma, check_console, check_devices, check_forward, check_interrupts):
        rule(product)


def check_count(product):
    """As many VMs as the configuration has room for."""
    count = len(product.vms)
    limit = product.config.get("VM_MAX", VM_MAX_BY_TID)
    if count == 0 and isinstance(product.reader.toml.data.get("vm", []), list):
        product.reader.fault((), "there is no vm", 'at least one [[vm]] with name, image and memory')
    elif product.config.get("SCHED_SINGLE"):
        if count > 1:
            product.reader.fault(("vm", 1), f"{count} VMs, but CONFIG_SCHED_SINGLE is for exactly one",
                                 "choose another scheduler in the defconfig")
    elif count > limit:
        product.reader.fault(("vm", limit), f"{count} VMs, but CONFIG_VM_MAX is {limit}",
                             f"set CONFIG_VM_MAX={count} in the defconfig")


def check_names(product):
    """Names are unique."""
    seen = {}
    for vm in product.vms:
        if vm.name in seen and vm.name != "?":
            product.reader.fault((*vm.path, "name"), f"vm name '{vm.name}' is there twice",
                                 f"first in line {product.reader.toml.line((*seen[vm.name].path, 'name'))}")
        seen.setdefault(vm.name, vm)


def check_verdict(product):
    """Whoever has to pass is there."""
    names = [vm.name for vm in product.vms]
    for index, name in enumerate(product.verdict):
        if name not in names:
            product.reader.fault(("product", "verdict", index), f"unknown vm {name!r}", guess(str(name), names))


def check_supervisors(product):
    """Who is supervised is there, once, and is somebody else; the line that tells of it is free."""
    names = [vm.name for vm in product.vms]
    for vm in product.vms:
        for index, name in enumerate(vm.supervises):
            key = ("supervises", index)
            if name == vm.name:
                vm.fault(key, "it supervises itself", "another VM: what it does to itself is a reset")
            elif name not in names:
                vm.fault(key, f"unknown vm '{name}'", guess(name, names))
            elif name in vm.supervises[:index]:
                vm.fault(key, f"'{name}' is there twice", "once is enough")
        taken = vm.lines()
        if vm.health_line in taken:
            vm.fault("health_line", f"line {vm.health_line} is that of {taken[vm.health_line]}", "a line that nothing else has")
        elif vm.health_line is not None and not any(map(product.config.get, ("UIC", "INTC"))):
            vm.fault("health_line", "it has no interrupt controller", "CONFIG_UIC or CONFIG_INTC, or remove health_line")


def check_overruns(product):
    """What can be overrun is there."""
    option = product.config.get
    priorities = [vm.priority for vm in product.vms]
    for vm in (vm for vm in product.vms if vm.on_overrun in ("tell", "fail")):
        if option("SCHED_RESERVE"):
            if not vm.budget_us:
                vm.fault("on_overrun", "it has no budget that it could overrun", "period_us and budget_us, or remove on_overrun")
        elif option("SCHED_PRIO"):
            if priorities.count(vm.priority) == 1:
                vm.fault("on_overrun", f"no other vm has priority {vm.priority}: it has no turn that it could overrun",
                         "remove on_overrun")
        elif not option("SCHED_CYCLIC"):
            vm.fault("on_overrun", "the scheduler knows no overruns",
                     "CONFIG_SCHED_RESERVE, CONFIG_SCHED_CYCLIC or CONFIG_SCHED_PRIO, or remove on_overrun")


def check_watchdog(product):
    """Option WATCHDOG: no slice and no window is longer than a quarter of its period (src/time/watchdog.h)."""
    if not product.config.get("WATCHDOG"):
        return
    most = (0x20000 << 4 * product.config["WATCHDOG_PERIOD"]) // 4
    text = "us {} longer than a quarter of the watchdog's period"
    hint = f"{most * 1_000_000 // product.board.tb_hz} us at most, or a larger CONFIG_WATCHDOG_PERIOD"
    if product.config.get("SCHED_RR") and product.quantum_ticks > most:
        product.reader.fault(("schedule", "quantum_us"), f"a slice of {product.quantum_us} {text.format('is')}", hint)
    for plan in product.plans:
        longest = max((length for length, _ in plans.rows(product, plan)), default=0)
        if longest > most:
            product.reader.fault(plan["path"], f"plan '{plan['name']}': windows, or gaps between them, of "
                                 f"{longest * 1_000_000 // product.board.tb_hz} {text.format('are')}", hint)


def check_start(product):
    """Something runs from boot, and whatever does not can be started by somebody."""
    waiting = [vm for vm in product.vms if not vm.autostart]
    if product.vms and len(waiting) == len(product.vms):
        waiting[0].fault("autostart", "no vm runs from boot", "autostart = true for one of them at least")
    elif not product.accept_idle:
        supervised = {name for vm in product.vms for name in vm.supervises}
        for vm in (vm for vm in waiting if vm.name not in supervised):
            vm.fault("autostart", "it does not run from boot, and no other vm can start it", "autostart = true, or leave it out")


def check_console(product):
    """What goes out as it is goes out alone: the terminal obeys whoever writes."""
    consoles = [vm for vm in product.vms if vm.console_base]
    raw = [vm for vm in product.vms if vm.raw]
    for vm in raw if consoles[1:] else []:
        other = next(each for each in consoles if each is not vm)
        vm.fault("console_raw", f"vm '{other.name}' has the console, too: it could be overwritten, and its tag forged",
                 'console = "none" for all others')


def check_dma(product):
    """One VM is trusted with DMA, and only it has devices that do DMA: no MMU stands between them and memory."""
    trusted = [vm for vm in product.vms if vm.dma]
    for vm in trusted[1:]:
        vm.fault("dma", f"vm '{trusted[0].name}' has dma already",
                 "one trusted VM only: a DMA master reaches all memory, there is no IOMMU")
    for vm in product.vms:
        for index, name in enumerate(vm.devices):
            check_dma_device(product, vm, ("devices", index), product.board.devices[name])


def check_dma_device(product, vm, key, device):
    """One device against the DMA rule, and the devices that share its pages."""
    if vm.dma:
        return
    hint = "dma = true if this is the one trusted VM: a DMA master reaches all memory, there is no IOMMU"
    if device["dma"]:
        vm.fault(key, f"device '{device['name']}' does DMA", hint)
        return
    masters = [other["name"] for other in product.board.page_neighbours(device) if other["dma"]]
    if masters:
        vm.fault(key, f"the page of '{device['name']}' also holds '{masters[0]}', which does DMA", hint)


def check_devices(product):
    """Each device and each of its pages has one owner, and no window lies over the VM's memory or virtual 16550."""
    for vm in product.vms:
        for index, name in enumerate(vm.devices):
            key = ("devices", index)
            device = product.board.devices[name]
            check_owner(product, vm, key, device)
            base, end = product.board.pages(device)
            for rom in product.board.rom if product.config.get("ROM") else []:
                if overlap(base, end - base, rom["base"], rom["size"]):
                    vm.fault(key, f"a page of '{name}' lies in the ROM {show_range(rom['base'], rom['size'])} that the "
                             "hypervisor runs from", "CONFIG_ROM=n, or leave the device to nobody")
            intc = product.board.intc_base
            if intc is not None and overlap(base, end - base, intc, INTC_SIZE):
                vm.fault(key, f"a page of '{name}' holds the board's interrupt controller at 0x{intc:08X}",
                         "that is the hypervisor's: move one of them in the design")
            if overlap(base, end - base, vm.guest, vm.size):
                vm.fault(key, f"the window of '{name}' {show_range(base, end - base)} lies in the VM's memory",
                         f"memory is {show_range(vm.guest, vm.size)}: move it with guest = ..., or make it smaller")
            for start, size, text in vm.uarts():
                if overlap(base, end - base, start, size):
                    how = "move it with console_at" if text == vm.uart else "leave one of the two out"
                    vm.fault(key, f"{text} at 0x{start:08X} lies in a page of '{name}'",
                             f"{how}: accesses to it have to fault to be emulated")


def check_forward(product):
    """Forwarded registers have one owner, are not the console's, and nothing else of the VM is at their addresses."""
    seen = []
    for vm in product.vms:
        for base, size, name, key in vm.forward:
            device = product.board.devices[name]
            if name == product.board.console and product.config.get("CONSOLE"):
                vm.fault(key, f"device '{name}' is the hypervisor's console", "set CONFIG_CONSOLE=n to give it to one VM")
            if device["dma"] and not vm.dma:
                vm.fault(key, f"device '{name}' does DMA",
                         "dma = true if this is the one trusted VM: a DMA master reaches all memory, there is no IOMMU")
            for other, start, length in seen:
                if overlap(base, size, start, length):
                    vm.fault(key, f"registers {show_range(base, size)} of '{name}' belong to vm '{other.name}' already",
                             "a register has one owner")
            seen.append((vm, base, size))
            for start, length, text in forward_clashes(product, vm):
                if overlap(base, size, start, length):
                    vm.fault(key, f"registers {show_range(base, size)} of '{name}' lie in {text} {show_range(start, length)}",
                             "accesses to them have to fault to be forwarded: move it, or leave one of the two out")


def forward_clashes(product, vm):
    """[(base, size, name)] of where forwarded registers of a VM cannot be: what is its own already, and windows of others."""
    clashes = [(vm.guest, vm.size, "the VM's memory"), *vm.uarts()]
    if vm.intc_base is not None:
        clashes.append((vm.intc_base, INTC_SIZE, "the virtual interrupt controller"))
    if product.board.intc_base is not None:
        clashes.append((product.board.intc_base, INTC_SIZE, "the board's interrupt controller"))
    if vm.page:
        clashes.append((vm.page - product.board.page_min, 2 * product.board.page_min, "its register pages"))
    for other in product.vms:
        for name in other.devices:
            start, end = product.board.pages(product.board.devices[name])
            clashes.append((start, end - start, f"a page of '{name}' of vm '{other.name}'"))
    return clashes


def check_owner(product, vm, key, device):
    """Nobody else has the device or one of the same pages."""
    name = device["name"]
    if name == product.board.console and product.config.get("CONSOLE"):
        vm.fault(key, f"device '{name}' is the hypervisor's console", "set CONFIG_CONSOLE=n to give it to one VM")
        return
    if product.owner(name) is not vm:
        vm.fault(key, f"device '{name}' belongs to vm '{product.owner(name).name}' already", "a device has one owner")
        return
    for other in product.board.page_neighbours(device):
        owner = product.owner(other["name"])
        if owner is None or owner is vm:
            continue
        who = owner if isinstance(owner, str) else f"vm '{owner.name}'"
        page = show_size(product.board.page_min)
        vm.fault(key, f"device '{name}' shares a page of {page} with '{other['name']}' of {who}",
                 "give both to one owner; a TLB page is the smallest window")


def check_interrupts(product):
    """Each board line has one owner, and each guest line one source."""
    lines = {}
    for vm in product.vms:
        guest_lines = {}
        if vm.console_base:
            guest_lines[vm.console_line] = vm.uart
        if vm.second:
            guest_lines[vm.second["irq"]] = "its second UART"
        option = "UIC" if product.board.controller == "uic" else "INTC"
        if vm.irqs and not product.config.get(option):
            vm.fault("interrupts", f"routed interrupts need CONFIG_{option}",
                     f"set CONFIG_{option}=y in the defconfig, or remove the line")
            continue
        for line, guest, key in vm.irqs:
            check_line(product, vm, line, key, lines)
            check_kind(product, vm, line, guest, key)
            if guest in guest_lines:
                vm.fault(key, f"guest line {guest} is {guest_lines[guest]}'s already",
                         "choose another one: { line = 7, guest = 9 }")
            guest_lines.setdefault(guest, f"board line {line}")


def check_kind(product, vm, line, guest, key):
    """What the guest does not set of a line is as its board has it; and an INTC's kinds nobody sets."""
    kind, other = product.board.kind_of(line), product.board.kind_of(guest)
    if kind != other:
        vm.fault(key, f"board line {line} is {kind}, guest line {guest} {other}",
                 "a guest line of the same kind in the board file")


def check_line(product, vm, line, key, lines):
    """One board line against everyone's."""
    if line in lines:
        vm.fault(key, f"interrupt line {line} belongs to vm '{lines[line].name}' already", "a line has one owner")
        return
    lines[line] = vm
    for device in product.board.devices.values():
        owner = product.owner(device["name"]) if device["irq"] == line else None
        if owner is not None and owner is not vm:
            who = owner if isinstance(owner, str) else f"vm '{owner.name}'"
            vm.fault(key, f"interrupt line {line} is that of '{device['name']}' of {who}",
                     "only its owner can have it")
