"""encoding.py: what an instruction of the PPC405 does to the general purpose registers, and where it goes on.

The tables know the integer instructions of the PPC405 only. Everything else is `unknown`, and who asks has to expect the
worst: an unknown word may read every register and go anywhere. GNU objdump is the oracle of the tests.
"""

import collections

ALL = 0xFFFFFFFF            # a mask of registers: bit n is rn

# Operands: T = bits 6-10, A = 11-15, Z = the same but r0 means zero, B = 16-20. Before `<`: written, behind it: read.
D_FORM = {
    3: "<A", 7: "T<A", 8: "T<A", 10: "<A", 11: "<A", 12: "T<A", 13: "T<A", 14: "T<Z", 15: "T<Z",
    16: "<", 18: "<", 20: "A<TA", 21: "A<T", 23: "A<TB", 24: "A<T", 25: "A<T", 26: "A<T", 27: "A<T", 28: "A<T", 29: "A<T",
    32: "T<Z", 33: "TA<A", 34: "T<Z", 35: "TA<A", 36: "<TZ", 37: "A<TA", 38: "<TZ", 39: "A<TA",
    40: "T<Z", 41: "TA<A", 42: "T<Z", 43: "TA<A", 44: "<TZ", 45: "A<TA",
}
X_FORM = {
    # arithmetic (with OE: xo + 512), logic, shifts, comparisons
    "T<AB": (266, 10, 138, 491, 459, 75, 11, 235, 40, 8, 136, 778, 522, 650, 1003, 971, 747, 552, 520, 648),
    "T<A": (234, 202, 104, 232, 200, 746, 714, 616, 744, 712),
    "A<TB": (28, 60, 444, 412, 316, 124, 476, 284, 24, 536, 792, 78),
    "A<T": (26, 954, 922, 824), "<AB": (0, 32, 4),
    # loads and stores
    "T<ZB": (23, 87, 279, 343, 534, 790, 20, 486), "TA<AB": (55, 119, 311, 375),
    "<TZB": (151, 215, 407, 662, 918, 150), "A<TAB": (183, 247, 439),
    # caches; order; TLB. tlbsx. that finds nothing leaves its register: not counted as a write
    "<ZB": (86, 54, 278, 246, 1014, 758, 470, 982, 262, 454, 966, 998, 914), "<": (598, 854, 370, 566, 512, 163),
    "T<": (19, 339, 371, 83, 323), "<T": (144, 467, 146, 451, 131), "T<A ": (946,), "<TA": (978,),
}
XL_FORM = {0: "<", 16: "<", 528: "<", 50: "<", 51: "<", 150: "<", 33: "<", 129: "<", 193: "<", 225: "<", 257: "<",
           289: "<", 417: "<", 449: "<"}
MAC = (172, 236, 204, 140, 44, 108, 76, 12, 428, 492, 460, 396, 174, 238, 46, 110, 430, 494)
MULTIPLY_HALF = (168, 136, 40, 8, 424, 392)


def _by_xo():
    """{(op, xo): operands} of the opcodes with an extended one."""
    table = {(31, xo): text.strip() for text, codes in X_FORM.items() for xo in codes}
    table.update({(19, xo): text for xo, text in XL_FORM.items()})
    table.update({(4, xo | oe): "T<TAB" for xo in MAC for oe in (0, 512)})
    table.update({(4, xo): "T<AB" for xo in MULTIPLY_HALF})
    return table


BY_XO = _by_xo()


def _mask(word, letters):
    """The registers that these operands name."""
    a = word >> 16 & 31
    bits = {"T": 1 << (word >> 21 & 31), "A": 1 << a, "B": 1 << (word >> 11 & 31), "Z": 1 << a if a else 0}
    mask = 0
    for letter in letters:
        mask |= bits[letter]
    return mask


def operands(word):
    """(read, written) as masks of registers; None for a word that is not a known instruction."""
    op = word >> 26
    text = BY_XO.get((op, word >> 1 & 0x3FF)) if op in (4, 19, 31) else D_FORM.get(op)
    if text is not None:
        written, read = text.split("<")
        return _mask(word, read), _mask(word, written)
    first, a = word >> 21 & 31, word >> 16 & 31
    tail = ALL << first & ALL
    if op == 46 and not tail >> a & 1:           # lmw; with rA among the loaded it is an invalid form
        return _mask(word, "Z"), tail
    if op == 47:                                 # stmw
        return _mask(word, "Z") | tail, 0
    if op == 31 and word >> 1 & 0x3FF in (597, 725):     # lswi, stswi
        some = 0
        for i in range(((word >> 11 & 31 or 32) + 3) // 4):
            some |= 1 << ((first + i) & 31)
        load = word >> 1 & 0x3FF == 597
        if load and some >> a & 1:
            return None
        return (_mask(word, "Z"), some) if load else (_mask(word, "Z") | some, 0)
    if op == 17 and word & 2:                    # sc: the kernel sees every register
        return ALL, 0
    return None


# kind: next (no branch), jump, branch (conditional), call (direct, returns to the next word), condcall, computed (bctr),
# condcomputed, computedcall, condcomputedcall, return (blr), condreturn, returncall (blrl), rfi, trap, sc, unknown
Flow = collections.namedtuple("Flow", "kind target")
NEXT = Flow("next", None)


def flow(word, address):
    """Where the instruction at this address goes on."""
    op = word >> 26
    if op == 18:
        offset = (word & 0x03FFFFFC ^ 0x02000000) - 0x02000000
        target = (offset if word & 2 else address + offset) & ALL
        return Flow("call" if word & 1 else "jump", target)
    always = word >> 21 & 0x14 == 0x14
    if op == 16:
        offset = (word & 0xFFFC ^ 0x8000) - 0x8000
        target = (offset if word & 2 else address + offset) & ALL
        kind = "call" if word & 1 else "jump" if always else "branch"
        return Flow("condcall" if word & 1 and not always else kind, target)
    if op == 19:
        xo = word >> 1 & 0x3FF
        if xo in (50, 51):
            return Flow("rfi", None)
        if xo in (16, 528):
            kind = ("return" if xo == 16 else "computed") + ("call" if word & 1 else "")
            return Flow(kind if always else "cond" + kind, None)
    if op == 3 or op == 31 and word >> 1 & 0x3FF == 4:
        return Flow("trap", None)
    if op == 17 and word & 2:
        return Flow("sc", None)
    return NEXT if operands(word) is not None else Flow("unknown", None)


def is_call_next(word, address):
    """`bcl 20,31,$+4` and `bl $+4`: not a call, but the way to ask for the own address."""
    found = flow(word, address)
    return found.kind == "call" and found.target == address + 4
