"""Rules of a board file, and of it and the configuration."""

from kconfig import guess
from partitions.keys import SPACE
from partitions.ranges import overlap, regions, show_range
from partitions.uarts import baud_divisor

CONSOLE_DEVICES = ["ns16550", "uartlite"]   # kinds that src/boards/board_*.c drive
UARTLITE_SIZE = 16


def check(board):
    """All rules of the file alone."""
    check_clock(board)
    check_memory(board)
    check_lines(board)
    check_regions(board)
    check_apart(board)
    check_areas(board)
    check_uarts(board)


def check_clock(board):
    """The time base counts a microsecond at least once: hertz, not megahertz."""
    if board.tb_hz < 1_000_000:
        board.reader.fault(("tb_hz",), f"'tb_hz' {board.tb_hz} is less than one tick in a microsecond",
                           "ticks in a second: tb_hz = 300_000_000 for 300 MHz")


def check_lines(board):
    """A line of the controller belongs to one device: its owner gets the interrupt."""
    lines = {}
    for name, device in board.devices.items():
        if device["irq"] is not None and device["irq"] in lines:
            board.reader.fault((*board.paths[name], "irq"), f"line {device['irq']} is that of '{lines[device['irq']]}' already",
                               "a line has one device; of devices that share one, the device that is used")
        lines.setdefault(device["irq"], name)


def check_memory(board):
    """One RAM, and a place for the hypervisor and for the guests' images."""
    if len(board.ram) != 1:
        board.reader.fault(("ram",), f"{len(board.ram)} tables of RAM, the hypervisor knows one",
                           "one [[ram]] with base and size")
    if not any(area["name"] == "hypervisor" for area in board.reserved):
        board.reader.fault(("reserved",), "nothing is reserved for the hypervisor",
                           '[[reserved]] with name = "hypervisor", base and size')
    if not any(area["name"] == "images" for area in board.reserved):
        board.reader.fault(("reserved",), "nothing is reserved for the guests' images",
                           '[[reserved]] with name = "images", base and size')
    for key, area in [("ram", area) for area in board.ram] + [("rom", area) for area in board.rom]:
        if area["name"] != key:
            board.reader.fault((key, 0, "name"), f"name '{area['name']}' of [[{key}]] is not '{key}'", "leave the name away")


def check_areas(board):
    """The linker script and QEMU take for granted what no design has otherwise: RAM from 0, ROM up to the reset vector."""
    fault = board.reader.fault
    for index, area in enumerate(board.reserved):
        path, place = ("reserved", index, "base"), show_range(area["base"], area["size"])
        if area["name"] == "hypervisor" and area["base"]:
            fault(path, f"the hypervisor's area begins at 0x{area['base']:08X}, its vectors are at 0", "base = 0")
        for ram in board.ram[:1]:
            if area["base"] < ram["base"] or area["base"] + area["size"] > ram["base"] + ram["size"]:
                fault(path, f"'{area['name']}' {place} is outside RAM {show_range(ram['base'], ram['size'])}",
                      "correct base or size")
        for other in board.reserved[:index]:
            if overlap(area["base"], area["size"], other["base"], other["size"]):
                fault(path, f"'{area['name']}' {place} overlaps '{other['name']}' {show_range(other['base'], other['size'])}",
                      "correct base or size")
    for index, rom in enumerate(board.rom):
        if rom["base"] + rom["size"] != SPACE:
            fault(("rom", index, "base"), f"the ROM {show_range(rom['base'], rom['size'])} does not end at the reset vector",
                  "base + size is 0x100000000")


def check_uarts(board):
    """What the hypervisor's driver of the console, and any driver of a UartLite, needs."""
    console = board.devices.get(board.console)
    if console and console["kind"] not in ("", *CONSOLE_DEVICES):
        board.reader.fault((*board.paths[board.console], "kind"), f"no driver for a console of kind '{console['kind']}'",
                           guess(console["kind"], CONSOLE_DEVICES))
    for name, device in board.devices.items():
        if device["baud"] and not 0 < baud_divisor(device) < 1 << 16:
            board.reader.fault((*board.paths[name], "baud"),
                               f"{device['baud']} baud can't be had of a clock of {device['clock']} Hz",
                               "clock = <what the 16550 counts>; without baud its divisor is left alone")
        if device["kind"] != "uartlite":
            continue
        if device["base"] % UARTLITE_SIZE:
            board.reader.fault((*board.paths[name], "base"), f"a UartLite can't be at 0x{device['base']:X}",
                               f"a multiple of {UARTLITE_SIZE}")
        irq = device["irq"]
        if board.edges is not None and irq is not None and not board.edges >> irq & 1:
            board.reader.fault((*board.paths[name], "irq"), f"line {irq} is a level, but a UartLite signals by pulses",
                               f"[intc] edges = 0x{board.edges | 1 << irq:08X}, as C_KIND_OF_INTR has it")


def check_apart(board):
    """A window on a device opens whole pages: none of them is RAM."""
    for name, device in board.devices.items():
        base, end = board.pages(device)
        for ram in board.ram:
            if overlap(base, end - base, ram["base"], ram["size"]):
                board.reader.fault((*board.paths[name], "base"), f"device '{name}' has a page in common with RAM "
                                   f"{show_range(ram['base'], ram['size'])}", "correct base or size")


def check_regions(board):
    """The hypervisor runs in real mode, with all of a region of 128 MiB with RAM cached: none of its own devices is there."""
    device = board.devices.get(board.console)
    own = [(("console",), f"the console's device '{board.console}'", device["base"])] if device else []
    own += [(("intc",), "the interrupt controller", board.intc_base)] if board.intc_base is not None else []
    for path, what, base in own:
        if regions(board.ram) & regions([{"base": base, "size": 1}]):
            board.reader.fault(path, f"{what} at 0x{base:08X} shares 128 MiB with RAM, which is cached",
                               "move it in the design")
    # Regions of RAM and ROM are not guarded: the fetcher may read ahead there, and a read of a register can have an effect.
    # Windows of VMs are guarded, so RAM's region counts for the hypervisor's own devices only; memory may be read at any time.
    for name, device in board.devices.items():
        rom = next((rom for rom in board.rom if regions([rom]) & regions([device])), None)
        if rom and device["kind"] != "memory":
            board.reader.fault((*board.paths[name], "base"), f"device '{name}' at 0x{device['base']:08X} shares 128 MiB with the "
                               "ROM, where instructions are fetched ahead",
                               'move it in the design, or leave [[rom]] out; kind = "memory" if reading it has no effect')


def check_config(board, config):
    """The options that follow from a board of the user's own say the same as its file, and it has what they need."""
    fault = board.reader.fault
    if config.get("ROM") and not board.rom:
        fault((), "CONFIG_ROM is on, and the board has no ROM", "[[rom]] with base and size, up to 0xFFFFFFFF, or CONFIG_ROM=n")
    if config.get("CONSOLE") and not board.console:
        fault((), "CONFIG_CONSOLE is on, and the board names no console", 'console = "<a device>", or CONFIG_CONSOLE=n')
    if config.get("BOARD") not in (None, board.name):
        fault(("name",), f"name '{board.name}' is not CONFIG_BOARD, '{config['BOARD']}'", f'name = "{config["BOARD"]}"')
    if config.get("BOARD_VIRTEX") and board.controller != "intc":
        fault((board.controller,), "a Virtex design has Xilinx' interrupt controller", "[intc] with base or dcr, and lines")
    elif config.get("INTC") and board.intc_base is None and config.get("INTC_MMIO"):
        fault(("intc",), "the controller is on the DCR bus, CONFIG_INTC_DCR is off", "set CONFIG_INTC_DCR=y in the defconfig")
    elif config.get("INTC") and board.intc_base is not None and not config.get("INTC_MMIO"):
        fault(("intc",), "the controller is in memory, CONFIG_INTC_DCR is on", "take CONFIG_INTC_DCR=y out of the defconfig")
