"""What a UART of the board is like, for those who read of one."""

from partitions.keys import CONSOLE_KINDS


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
