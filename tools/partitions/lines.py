"""The line of every key of a TOML file, for messages."""

import re
import tomllib

from kconfig import InputError, fault, read_text


class LineScanner:
    """The line of every table, key and array element of a TOML text that tomllib has already accepted.

    `lines` maps a path such as ("vm", 0, "memory") to a line number, `raw` that of a bare value to how it is written. Only
    structure is read here; values are tomllib's.
    """

    def __init__(self, text):
        self.text = text
        self.pos = 0
        self.lines = {(): 1}
        self.raw = {}
        self.counts = {}            # path of an array of tables -> tables seen
        self.scan()

    def line(self):
        """The line of the present position."""
        return self.text.count("\n", 0, self.pos) + 1

    def peek(self, string):
        """True if the text goes on with `string`."""
        return self.text.startswith(string, self.pos)

    def skip(self, newlines):
        """Step over blanks and comments, and over ends of lines if asked to."""
        while self.pos < len(self.text):
            char = self.text[self.pos]
            if char == "#":
                end = self.text.find("\n", self.pos)
                self.pos = end if end >= 0 else len(self.text)
            elif char in " \t\r" or (newlines and char == "\n"):
                self.pos += 1
            else:
                return

    def string(self):
        """Step over a string of any of the four kinds and return its raw inside."""
        quote = self.text[self.pos]
        mark = quote * 3 if self.peek(quote * 3) else quote
        start = self.pos = self.pos + len(mark)
        while not self.peek(mark):
            self.pos += 2 if quote == '"' and self.text[self.pos] == "\\" else 1
        raw = self.text[start:self.pos]
        self.pos += len(mark)
        while len(mark) == 3 and self.peek(quote):      # """" ends a string whose last character is a quote
            self.pos += 1
        return raw

    def key(self):
        """A dotted key as a tuple; the position is left behind it."""
        parts = []
        while True:
            self.skip(False)
            if self.text[self.pos] in "\"'":
                parts.append(self.string())
            else:
                match = re.compile(r"[\w-]+", re.ASCII).match(self.text, self.pos)
                parts.append(match.group())
                self.pos = match.end()
            self.skip(False)
            if not self.peek("."):
                return tuple(parts)
            self.pos += 1

    def note(self, path, line):
        """Remember where a path, and each table above it, was first named."""
        for depth in range(1, len(path) + 1):
            self.lines.setdefault(path[:depth], line)

    def resolve(self, key):
        """The path of a table header: names of arrays of tables mean their latest table."""
        path = ()
        for part in key:
            path += (part,)
            if path in self.counts:
                path += (self.counts[path] - 1,)
        return path

    def header(self):
        """A [table] or [[array of tables]] line; returns the path of the table."""
        line = self.line()
        array = self.peek("[[")
        self.pos += 2 if array else 1
        key = self.key()
        self.pos += 2 if array else 1
        if array:
            path = self.resolve(key[:-1]) + (key[-1],)
            self.counts[path] = self.counts.get(path, 0) + 1
            path += (self.counts[path] - 1,)
        else:
            path = self.resolve(key)
        self.note(path, line)
        return path

    def pair(self, table):
        """key = value within a table."""
        line = self.line()
        path = table + self.key()
        self.note(path, line)
        self.pos += 1               # the equals sign
        self.value(path)

    def value(self, path):
        """Step over a value, noting what is inside it."""
        self.skip(False)
        char = self.text[self.pos]
        if char in "\"'":
            self.string()
        elif char == "[":
            self.items("]", lambda index: self.element(path + (index,)))
        elif char == "{":
            self.items("}", lambda index: self.pair(path))
        else:
            match = re.compile(r"[^,\]}#\n]*").match(self.text, self.pos)
            self.raw[path] = match.group().strip()
            self.pos = match.end()

    def element(self, path):
        """One element of an array."""
        self.note(path, self.line())
        self.value(path)

    def items(self, close, item):
        """The inside of [ ] or { }: items between commas."""
        self.pos += 1
        index = 0
        while True:
            self.skip(True)
            if self.peek(close):
                self.pos += 1
                return
            if self.peek(","):
                self.pos += 1
                continue
            item(index)
            index += 1

    def scan(self):
        """The whole text."""
        table = ()
        while True:
            self.skip(True)
            if self.pos >= len(self.text):
                return
            if self.peek("["):
                table = self.header()
            else:
                self.pair(table)


class TomlFile:
    """A TOML file with the line of each of its keys."""

    def __init__(self, path, what, hint):
        self.path = path
        text = read_text(path, what, hint).replace("\r\n", "\n")
        try:
            self.data = tomllib.loads(text)
        except tomllib.TOMLDecodeError as error:
            match = re.fullmatch(r"(.*) \(at (?:line (\d+), column (\d+)|end of document)\)", str(error), re.DOTALL)
            cause, line, column = match.groups() if match else (str(error), None, None)
            line = line or text.count("\n") + (not text.endswith("\n"))
            hint = (f"at column {column}" if column else "the file ends too early") + "; the syntax is TOML 1.0"
            raise InputError(fault(path, line, cause[:1].lower() + cause[1:], hint)) from None
        scanner = LineScanner(text)
        self.lines, self.raw = scanner.lines, scanner.raw

    def line(self, path):
        """The line of a path, or of the nearest table around it."""
        path = tuple(path)
        while path not in self.lines:
            path = path[:-1]
        return self.lines[path]


