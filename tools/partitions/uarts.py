"""What a UART of the board is like, for those who read of one."""

from kconfig import guess
from partitions.keys import CONSOLE_KINDS
from partitions.ranges import overlap, show_range


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


def uart_registers(device):
    """(base, size) of the virtual UART that is like a device of the board."""
    return uart_base(device), CONSOLE_KINDS[uart_kind(device)][1]


def second_uart(vm):
    """The device of the board that a VM's second virtual UART is like, or None."""
    name = vm.values["second_uart"]
    if not vm.technique("second_uart", name):
        return None
    uarts = {each["name"]: each for each in vm.board.devices.values() if uart_kind(each)}
    if name not in uarts:
        vm.fault("second_uart", f"board '{vm.board.name}' has no UART '{name}'", guess(name, uarts) if uarts else "leave it out")
        return None
    device = uarts[name]
    base, size = uart_registers(device)
    option = CONSOLE_KINDS[uart_kind(device)][2]
    faults = (
        (not vm.console_base, "second_uart without a console", 'console = "shared", or remove second_uart'),
        (overlap(base, size, vm.console_base, vm.console_size), f"'{name}' is its first UART", "another device, or console_at"),
        (overlap(base, size, vm.guest, vm.size), f"'{name}' lies in the VM's memory {show_range(vm.guest, vm.size)}",
         "move the memory: accesses to the UART have to fault to be emulated"),
        (device["irq"] in (None, vm.console_line), f"'{name}' has no line of its own", "irq in the board file, or console_line"),
        (not vm.config.get(option), f"'{name}' needs CONFIG_{option}", f"set CONFIG_{option}=y in the defconfig"))
    cause, hint = next(((cause, hint) for wrong, cause, hint in faults if wrong), (None, None))
    if cause:
        vm.fault("second_uart", cause, hint)
    return None if cause else device
