"""transform.py: marks the sensitive instructions in assembler source, and leaves room behind those that need it.

Works on the text, statement by statement, inside macro bodies too: there an operand may be an argument whose value is known
at each use only, and the room is what is useful for most values. A marked instruction becomes

    40501: wrteei 0; nop; nop; .pushsection .debug_proteus_sites,"",@progbits; .long 40501b, INFO; .popsection

on its own line, so that line numbers stay. The assembler still refuses what it would refuse.
"""

import ast
import operator
import re

from decide import SITE_ABI, SITE_MAGIC
from elf import SITES
from facts import ISA, SPR, SPR_BY_NAME
from sites import USER_READ, USER_WRITE, WORDS

STATEMENT = re.compile(r"^(\s*(?:[\w.$\\@()]+:\s*)*)([A-Za-z_.][\w.]*[+-]?)(\s+.*|)$", re.S)
ASSIGN = re.compile(r"^\s*(?:\.(?:set|equ|equiv)\s+([\w.$]+)\s*,|([\w.$]+)\s*=(?!=))\s*(.+)$")
# A branch by a number of bytes: what lies between must not grow. `.+4` is the next instruction.
BY_BYTES = re.compile(r"^\s*b\w*[+-]?\s(?:.*,)?\s*([\w.$]+)\s*([+-])\s*(.+?)\s*$")
KEEP = "previrt: keep"
OPERATORS = {ast.Add: operator.add, ast.Sub: operator.sub, ast.Mult: operator.mul, ast.BitOr: operator.or_,
             ast.BitAnd: operator.and_, ast.BitXor: operator.xor, ast.LShift: operator.lshift, ast.RShift: operator.rshift}


def _simple():
    """{mnemonic: (reads, SPR)} of the mnemonics that have the register's name in them."""
    found = {}
    for row in SPR:
        found["mf" + row.name], found["mt" + row.name] = (True, row.number), (False, row.number)
    return found


SIMPLE = _simple()
OTHERS = {row.name for row in ISA} - {"mfspr", "mtspr", "wrteei", "wrtee", "mtmsr"} | {"tlbsx.", "tlbrehi", "tlbrelo",
                                                                                        "tlbwehi", "tlbwelo"}
ROOM = {"wrtee": WORDS["copy EE"] - 1, "mtmsr": WORDS["write MSR"] - 1}
TSR = SPR_BY_NAME["tsr"].number


def value_of(text, symbols):
    """The number that an expression stands for, or None."""
    def walk(node):
        if isinstance(node, ast.Constant) and isinstance(node.value, int):
            return node.value
        if isinstance(node, ast.Name):
            return symbols[node.id]
        if isinstance(node, ast.UnaryOp):
            value = walk(node.operand)
            return {ast.USub: operator.neg, ast.Invert: operator.invert, ast.UAdd: operator.pos}[type(node.op)](value)
        if isinstance(node, ast.BinOp):
            return OPERATORS[type(node.op)](walk(node.left), walk(node.right))
        raise KeyError
    text = re.sub(r"\b0+(?=[0-7]+\b)", "0o", text.strip())
    try:
        return walk(ast.parse(text, mode="eval").body)
    except (KeyError, SyntaxError, ValueError, TypeError, RecursionError):
        return None


def split(line, inside):
    """([statement, ...], comment, still inside a block comment): the statements of one line."""
    parts, start, i, comment = [], 0, 0, ""
    blanked = list(line)
    while i < len(line):
        if inside:
            end = line.find("*/", i)
            stop = len(line) if end < 0 else end + 2
            blanked[i:stop] = " " * (stop - i)
            comment += line[i:stop]
            inside, i = end < 0, stop
        elif line.startswith("/*", i):
            inside = True
        elif line[i] == '"':
            i += 1
            while i < len(line) and line[i] != '"':
                i += 2 if line[i] == "\\" else 1
            i += 1
        elif line[i] == "'":
            i += 3 if line[i + 2:i + 3] == "'" else 2
        elif line[i] == "#":
            comment += line[i:]
            break
        elif line[i] == ";":
            parts.append("".join(blanked[start:i]))
            i += 1
            start = i
        else:
            i += 1
    parts.append("".join(blanked[start:min(i, len(line))]))
    return parts, comment, inside


class Transform:
    """One assembler source."""

    def __init__(self, text, compiled=False, room=True):
        self.text, self.compiled, self.room = text, compiled, room
        self.symbols, self.previous, self.count = {}, None, 0
        self.label = next(n for n in range(40501, 1 << 30) if str(n) not in text)
        self.in_function, self.app, self.function = False, False, None
        self.why_no_room, self.tight, self.index = None, set(), -1

    def run(self):
        """The transformed text; why_no_room says why the instructions got none."""
        lines = self.text.split("\n")
        if self.room:
            self.why_no_room = self._by_bytes(lines)
            self.room = self.why_no_room is None
        out, inside = [], False
        for line in lines:
            parts, comment, still = split(line, inside)
            self._follow(line)
            done = [self._statement(part, KEEP in comment) for part in parts]
            # Comments become blanks, but one that goes on over lines still begins and ends
            out.append(line if done == parts else ("*/ " if inside else "") + ";".join(done) + (" /*" if still else ""))
            inside = still
        return "\n".join(out)

    def _by_bytes(self, lines):
        """
        Branches over a number of bytes: what stands between gets no room (`self.tight`, numbers of statements). Returns why
        nothing in the file can have room, or None.
        """
        found, inside = [], False
        for number, line in enumerate(lines, 1):
            parts, _, inside = split(line, inside)
            for part in parts:
                match = STATEMENT.match(part)
                found.append((number, match[2] if match else "", part[match.end(1):] if match else ""))
        macros = {rest.split()[1].rstrip(",") for _, name, rest in found if name == ".macro" and len(rest.split()) > 1}
        for index, (number, name, rest) in enumerate(found):
            match = BY_BYTES.match(rest)
            if not match or name in macros:
                continue
            distance = int(match[3], 0) if re.fullmatch(r"0[xX][0-9a-fA-F]+|\d+", match[3]) and not \
                re.fullmatch(r"0\d+", match[3]) else None
            if distance is None or distance % 4 or match[1] not in (".", "$"):
                return f"line {number} branches by a number of bytes (`{rest.strip()}`)"
            count, step = (distance // 4, -1) if match[2] == "-" else (distance // 4 - 1, 1)
            place = index
            while count > 0:
                place += step
                if not 0 <= place < len(found) or found[place][1] in macros or found[place][1].startswith(".") and \
                        not found[place][1].startswith((".loc", ".cfi", ".L")):
                    return f"line {number} branches by a number of bytes over a macro or directive (`{rest.strip()}`)"
                if found[place][1] and not found[place][1].startswith("."):
                    self.tight.add(place)
                    count -= 1
        return None

    def _follow(self, line):
        """What compiler output says about itself: functions, and text that comes from asm()."""
        if not self.compiled:
            return
        if line.startswith("#APP"):
            self.app = True
        elif line.startswith("#NO_APP"):
            self.app = False
        elif not self.app:
            found = re.match(r"\s*\.(type|size)\s+([\w.$]+),\s*(@function|\.-)", line)
            if found and found[1] == "type":
                self.function = found[2]
            elif found and found[3] == ".-":
                self.in_function = False
            elif self.function and line.startswith(self.function + ":"):
                self.in_function = True

    def _statement(self, part, keep):
        """One statement: as it is, or marked."""
        self.index += 1
        found = ASSIGN.match(part)
        if found:
            name, value = found[1] or found[2], value_of(found[3], self.symbols)
            self.symbols.pop(name, None)
            if value is not None:
                self.symbols[name] = value
            return part
        found = STATEMENT.match(part)
        if not found:
            if ":" in part:
                self.previous = None
            return part
        labels, mnemonic, rest = found.groups()
        if labels.strip():
            self.previous = None
        operands = [cell.strip() for cell in rest.split(",")]
        room = self._room(mnemonic, operands)
        if not mnemonic.startswith("."):
            self.previous = (mnemonic, operands)
        if room is None or keep:
            return part
        self.count += 1
        room = room if self.room and self.index not in self.tight else 0
        info = SITE_MAGIC | room | (SITE_ABI if self.in_function else 0)
        return (f"{labels}{self.label}: {mnemonic}{rest.rstrip()}" + "; nop" * room +
                f"; .pushsection {SITES},\"\",@progbits; .long {self.label}b, 0x{info:08X}; .popsection")

    def _room(self, mnemonic, operands):
        """Words of room for a statement; None if it is not sensitive."""
        if mnemonic in SIMPLE:
            return self._spr_room(*SIMPLE[mnemonic])
        if mnemonic in ("mfspr", "mtspr") and len(operands) == 2:
            text = operands[mnemonic == "mfspr"]
            number, row = value_of(text, self.symbols), SPR_BY_NAME.get(text.lower().lstrip("%"))
            if number is None and text.lower().lstrip("%") in ("xer", "lr", "ctr"):
                return None
            number = row.number if number is None and row else number
            return self._spr_room(mnemonic == "mfspr", number)
        if mnemonic in ("mfsprg", "mtsprg"):
            return 0
        if mnemonic == "wrteei":
            return WORDS["clear EE" if value_of(operands[0], self.symbols) == 0 else "set EE"] - 1
        if mnemonic == "mtmsr" and self.previous and self.previous[0] == "oris" and self.previous[1][0] == operands[0]:
            return 0            # sets WE: a mode change traps in any case
        if mnemonic in ROOM:
            return ROOM[mnemonic]
        return 0 if mnemonic in OTHERS else None

    @staticmethod
    def _spr_room(reads, number):
        """Room for mfspr and mtspr of a register whose number may not be known."""
        if number is not None and number in (USER_READ if reads else USER_WRITE):
            return None
        return WORDS["clear TSR"] - 1 if not reads and number == TSR else 0
