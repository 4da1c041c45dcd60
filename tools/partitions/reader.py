"""Typed access to a TOML file by the table of keys. Faults are collected, so that all are reported at once."""

import re

from kconfig import fault, guess
from partitions.keys import FLAG, LIST, NUMBER, SPACE, TABLE, TEXT
from partitions.ranges import UNIT


class Reader:
    """A TomlFile, and where its faults go. `limits` are those that a key only names."""

    def __init__(self, toml, faults, limits):
        self.toml, self.faults, self.limits = toml, faults, limits

    def fault(self, path, cause, hint):
        """Report a fault at a path."""
        self.faults.append(fault(self.toml.path, self.toml.line(path), cause, hint))

    def known(self, table, data, path):
        """Report the keys that nobody reads."""
        for name in data:
            if name not in table.names():
                self.fault((*path, name), f"unknown key '{name}'", guess(name, table.names()))

    def values(self, table, data, path, but=()):
        """{name: value} of a table's keys, but for some; what is wrong is reported, and is the default."""
        self.known(table, data, path)
        return {key.name: self.value(key, data, path) for key in table.keys if key.name not in but}

    def value(self, key, data, path, high=None):
        """The value of one key. Of a key with several types, it is as it stands in the file."""
        if key.name not in data:
            if key.required:
                self.fault(path, f"key '{key.name}' is missing", key.required)
            return key.default
        value, place = data[key.name], (*path, key.name)
        if isinstance(key.kind, tuple):
            return value
        if key.kind is NUMBER:
            if key.address:
                self.check_base(key.name, value, place)
            return self.number(value, place, f"'{key.name}'", key.low, high or self.limits.get(key.high, key.high), key.default)
        if not isinstance(value, key.kind):
            names = {TEXT: "a string", FLAG: "true or false", LIST: "an array", TABLE: "a table"}
            self.fault(place, f"'{key.name}' has to be {names[key.kind]}, not {toml_kind(value)}", example(key))
            return key.default
        return value

    def check_base(self, name, value, place):
        """An address whose digits would do better as hexadecimal ones: 84000000 is no multiple of a page, 0x84000000 is."""
        text = value if isinstance(value, str) else self.toml.raw.get(place, "")
        if re.fullmatch(r"\d{6,8}", text) and int(text) % 4096 and int(text, 16) % 16 == 0:
            self.fault(place, f"'{name}' {text} is a decimal number, that is 0x{int(text):X}",
                       f"{name} = 0x{text}, if that is meant")

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


def toml_kind(value):
    """What a TOML value is, in the words of the message."""
    names = {bool: "a boolean", int: "a number", float: "a floating-point number", str: "a string", list: "an array",
             dict: "a table"}
    return names.get(type(value), "a date")


def example(key):
    """The hint for a wrong type: how the key is written."""
    return f"for example {key.example}" if key.example else "see config/README.md"


def show(value):
    """A value as the user wrote it, more or less."""
    return f'"{value}"' if isinstance(value, str) else str(value).lower() if isinstance(value, bool) else str(value)


def show_number(value):
    """A bound in a hint: addresses and sizes in hexadecimal, small numbers in decimal."""
    return f"0x{value:X}" if value > 0xFFFFF and value % 10 else str(value)
