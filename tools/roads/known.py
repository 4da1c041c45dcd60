"""known.py: what the assembler's roads know of a word: constants, the trapped instruction's opcode, what of it is in CR.

A value is (mask, bits): the bits of the mask are known. Followed: some registers and CR, through what the roads do with them;
anything else that writes one forgets it. So a branch on an opcode is decided, and r3 names the C function at blrl.
"""

REGISTERS = (0, 3, 29, 30)
LR = 8                                  # its number as a special purpose register
ALL, UNKNOWN = 0xFFFFFFFF, (0, 0)
STORES = frozenset((*range(36, 40), 44, 45, 47))
STORES_31 = frozenset((150, 151, 183, 215, 247, 407, 439, 661, 662, 725, 918))
INTO_T_31 = frozenset((19, 20, 23, 83, 87, 279, 323, 339, 343, 371, 534, 790))     # that change rT alone
LOGIC = {28: "and", 444: "or", 316: "xor"}
NOTHING_31 = frozenset((0, 32, 467, 451, 144, 146, 131, 163, 978, 598, 854, 4, 86, 54, 278, 246, 470, 1014, 982, 966, 454, 370,
                        566, 262))       # that change no register followed here


def known(value):
    """A whole word."""
    return (ALL, value & ALL)


def rotate(value, by):
    """Left, of a mask or bits."""
    return (value << by | value >> (32 - by)) & ALL if by else value


def mask_of(first, last):
    """MASK(mb, me) of the manual."""
    ones = (ALL >> first) & (ALL << (31 - last)) & ALL
    return ones if first <= last else (ALL >> first | ALL << (31 - last)) & ALL


def logic(how, one, other):
    """and, or, xor of two values."""
    (m, a), (n, b) = one, other
    if how == "and":
        sure = m & n | m & ~a | n & ~b
        return sure & ALL, a & b & sure & ALL
    if how == "or":
        sure = m & n | m & a | n & b
        return sure & ALL, (a | b) & sure & ALL
    return m & n, (a ^ b) & m & n


class State:
    """Registers and CR at a place. Equal states are one node of a road's graph."""

    def __init__(self, values=None):
        self.values = values or {}

    def key(self):
        """Hashable."""
        return tuple(sorted(((name, value) for name, value in self.values.items() if value[0]), key=str))

    def get(self, name):
        """The value of a register, or of "cr" or "lr"."""
        return self.values.get(name, UNKNOWN)

    def put(self, name, value):
        """The same if it is not followed."""
        if name in ("cr", "lr") or name in REGISTERS:
            self.values[name] = value

    def bit(self, number):
        """A bit of CR: 0, 1, or None."""
        mask, bits = self.get("cr")
        place = 1 << (31 - number)
        return bits // place & 1 if mask & place else None

    def put_bit(self, number, value):
        """None: unknown."""
        mask, bits = self.get("cr")
        place = 1 << (31 - number)
        self.put("cr", (mask & ~place, bits & ~place) if value is None else (mask | place, bits & ~place | place * value))

    def compare(self, field, one, other, sign):
        """CR field of two values."""
        results = (None,) * 3
        if one[0] == ALL == other[0]:
            a, b = ((v[1] ^ 1 << 31) if sign else v[1] for v in (one, other))
            results = (int(a < b), int(a > b), int(a == b))
        elif (one[1] ^ other[1]) & one[0] & other[0]:
            results = (None, None, 0)
        for i, value in enumerate((*results, None)):
            self.put_bit(4 * field + i, value)

    def step(self, insn):
        """Do one instruction that is no branch."""
        word, op = insn.word, insn.op
        t, a, b = word >> 21 & 31, word >> 16 & 31, word >> 11 & 31
        low = word & 0xFFFF
        if op in (14, 15):
            value = (low ^ 0x8000) - 0x8000 if op == 14 else low << 16
            self.put(t, known(value) if a == 0 else UNKNOWN)
        elif op in (10, 11):
            value = known((low ^ 0x8000) - 0x8000 if op == 11 else low)
            self.compare(word >> 23 & 7, self.get(a), value, op == 11)
        elif 24 <= op <= 29:
            value = known(low << 16 if op & 1 else low)
            self.put(a, logic(("or", "or", "xor", "xor", "and", "and")[op - 24], self.get(t), value))
            if op >= 28:
                self.compare(0, self.get(a), known(0), True)
        elif op in (20, 21, 23):
            self._turn(op, word, t, a, b)
        elif op == 19:
            self._bits(insn.xo, t, a, b)
        elif op == 31:
            self._others(insn.xo, word, t, a, b)
        elif op in STORES:
            if op in (37, 39, 45):
                self.put(a, UNKNOWN)
        elif op == 46:
            for register in range(t, 32):
                self.put(register, UNKNOWN)
        else:
            self.put(t, UNKNOWN)
            if op in (33, 35, 41, 43):
                self.put(a, UNKNOWN)
            if op == 13:
                self.compare(0, UNKNOWN, UNKNOWN, True)

    def _turn(self, op, word, t, a, b):
        mask = mask_of(word >> 6 & 31, word >> 1 & 31)
        if op == 23:
            self.put(a, (~mask & ALL, 0))
        else:
            sure, bits = (rotate(part, b) for part in self.get(t))
            if op == 21:
                self.put(a, (sure | ~mask & ALL, bits & mask))
            else:
                old = self.get(a)
                self.put(a, (sure & mask | old[0] & ~mask, bits & mask | old[1] & ~mask))
        if word & 1:
            self.compare(0, self.get(a) if a in REGISTERS else UNKNOWN, known(0), True)

    def _bits(self, xo, t, a, b):
        one, other = self.bit(a), self.bit(b)
        if xo == 449:
            self.put_bit(t, 1 if 1 in (one, other) else 0 if (one, other) == (0, 0) else None)
        elif xo in (193, 289) and a == b:
            self.put_bit(t, int(xo == 289))
        elif xo not in (150, 16, 528):
            self.put_bit(t, None)

    def _others(self, xo, word, t, a, b):
        if xo in (0, 32):
            self.compare(word >> 23 & 7, self.get(a), self.get(b), xo == 0)
        elif xo in LOGIC:
            self.put(a, self.get(t) if xo == 444 and t == b else logic(LOGIC[xo], self.get(t), self.get(b)))
            if word & 1:
                self.compare(0, self.get(a) if a in REGISTERS else UNKNOWN, known(0), True)
        elif xo == 144:
            fields = word >> 12 & 0xFF
            mask = sum(0xF << 4 * i for i in range(8) if fields >> i & 1)
            old, new = self.get("cr"), self.get(t)
            self.put("cr", (old[0] & ~mask | new[0] & mask, old[1] & ~mask | new[1] & mask))
        elif xo == 467 and (a, b) == (LR, 0):
            self.put("lr", self.get(t))
        elif xo in INTO_T_31:
            self.put(t, UNKNOWN)
        elif xo not in STORES_31 and xo not in NOTHING_31:
            self.put(t, UNKNOWN)
            self.put(a, UNKNOWN)
            if word & 1:
                self.compare(0, UNKNOWN, UNKNOWN, True)
        elif xo in (150,) or (xo in STORES_31 and xo in (183, 247, 439)):
            self.put(a, UNKNOWN)
            if xo == 150:
                self.compare(0, UNKNOWN, UNKNOWN, True)

    def taken(self, insn):
        """Of a conditional branch: True, False, or None if it is not known."""
        options = insn.word >> 21 & 31
        if options & 0x14 != 4:             # it looks at CTR, or at nothing
            return None
        value = self.bit(insn.word >> 16 & 31)
        return None if value is None else bool(value) == bool(options & 8)
