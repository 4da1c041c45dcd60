"""sites.py: sensitive instructions, and the words that replace them.

plan(word) says what can be done about an instruction; Plan.words() gives the replacement for a register that is dead
there. Every replacement uses only that register, the instruction's own operands and the register pages: CR, XER, LR and
CTR are never touched, and no word is saved anywhere, because an interrupt could come between save and use.
"""

import collections

from encoding import flow, operands
from facts import ABI, ISA_BY_CODE, PAGE_BY_NAME, SPR_BY_NUMBER, page_word

TSR_PIS = 0x08000000                                 # the only bit of TSR that a VM without FIT and watchdog has
TSR_ALL = 0xFC000000
MSR_EE = 0x8000
NOP = 0x60000000
BRANCH = 18 << 26
USER_READ = (1, 8, 9, 0x100, 260, 261, 262, 263, 268, 269)      # never trap: XER, LR, CTR, USPRG0, SPRG4-7, time base
USER_WRITE = (1, 8, 9)
WORDS = {"load": 1, "store": 1, "store byte": 1, "clear TSR": 2, "clear EE": 3, "set EE": 5, "copy EE": 6, "write MSR": 10,
         "nothing": 1}


def spr_of(word):
    """The number of mfspr's and mtspr's register: its halves are swapped in the word."""
    return word >> 16 & 0x1F | word >> 6 & 0x3E0


def row_of(word):
    """The row of isa.def if the word is a sensitive instruction, else None."""
    if word >> 26 not in (19, 31):
        return None
    row = ISA_BY_CODE.get((word >> 26, word >> 1 & 0x3FF))
    if row is None or row.name == "mfspr" and spr_of(word) in USER_READ or row.name == "mtspr" and spr_of(word) in USER_WRITE:
        return None
    return row


def text_of(word):
    """The instruction as the assembler writes it."""
    row = row_of(word)
    if row is None:
        return f".long 0x{word:08X}"
    t, a, b = word >> 21 & 31, word >> 16 & 31, word >> 11 & 31
    spr, number = SPR_BY_NUMBER.get(spr_of(word)), spr_of(word)
    name = spr.name.upper() if spr else f"{number}"
    dot = "." if row.name == "tlbsx" and word & 1 else ""
    return (row.name + dot + " " + {
        "NONE": "", "RT": f"r{t}", "RS": f"r{t}", "E": str(word >> 15 & 1), "RA_RB": f"r{a}, r{b}", "RT_SPR": f"r{t}, {name}",
        "SPR_RS": f"{name}, r{t}", "RT_DCR": f"r{t}, 0x{number:X}", "DCR_RS": f"0x{number:X}, r{t}",
        "RT_RA_WS": f"r{t}, r{a}, {b}", "RT_RA_RB": f"r{t}, r{a}, r{b}"}[row.form]).strip()


# kind: a key of WORDS, or None, with `why`: the instruction stays trapping. scratch: a dead register is needed, other than
# `source`. needs: FEATURE_* bits. constant: the source has to hold TSR_PIS or all of TSR_ALL.
Plan = collections.namedtuple("Plan", "kind size scratch source word needs why")


def _plan(kind, scratch=False, source=None, word=None, more=0):
    """A treatment by the register pages."""
    return Plan(kind, WORDS[kind], scratch, source, word, ABI["FEATURE_IRFM"] | more, None)


def _stays(why):
    """No treatment."""
    return Plan(None, 0, False, None, None, 0, why)


def _plan_spr(word, register, writes):
    """mfspr and mtspr."""
    spr = SPR_BY_NUMBER.get(spr_of(word))
    if spr is None:
        return _stays("no such register")
    page = page_word(spr)
    if page is None:
        return _stays("not in the register pages")
    if not writes:
        return _plan("load", word=page.name) if page.read == "YES" else _stays("read by the hypervisor only")
    if page.write == "NO":
        return _stays("read-only in the register pages")
    more = 0 if page.write == "YES" else ABI["FEATURE_" + page.write]
    if spr.name == "tsr":
        return _plan("clear TSR", scratch=True, word=page.name, more=more)
    return _plan("store byte" if spr.mask == 0xFF else "store", source=register, word=page.name, more=more)


def plan(word):
    """What can be done about a sensitive instruction."""
    row, register = row_of(word), word >> 21 & 31
    if row.name in ("mfspr", "mtspr"):
        return _plan_spr(word, register, row.name == "mtspr")
    if row.name == "mfmsr":
        return _plan("load", word="msr")
    if row.name == "wrteei":
        return _plan("set EE" if word & MSR_EE else "clear EE", scratch=True)
    if row.name == "wrtee":
        return _plan("copy EE", scratch=True, source=register)
    if row.name == "mtmsr":
        return _plan("write MSR", scratch=True, source=register)
    if row.name in ("dccci", "icbt"):
        return Plan("nothing", 1, False, None, None, 0, None)       # the data cache is the hypervisor's; icbt is a hint
    return _stays({"rfi": "changes the mode", "rfci": "changes the mode"}.get(row.name, "needs the hypervisor"))


def d_form(op, t, a, d):
    """op rT, d(rA), and addi, ori, ... of the same form."""
    return op << 26 | t << 21 | a << 16 | d & 0xFFFF


def reachable(boundary):
    """True if every word of the pages can be reached by a displacement alone."""
    lowest, highest = min(w.offset for w in PAGE_BY_NAME.values()), max(w.offset for w in PAGE_BY_NAME.values()) + 3
    spot = (boundary + 0x8000) & 0xFFFFFFFF
    return boundary % 1024 == 0 and 0 <= spot + lowest and spot + highest < 0x10000


def replacement(word, how, boundary, t):
    """The words that do what the instruction does, with t = a dead register (None if the plan needs none)."""
    def at(name, more=0):
        return boundary + PAGE_BY_NAME[name].offset + more

    s = word >> 21 & 31
    lwz, stw, stb = 32, 36, 38
    check = [d_form(lwz, t or 0, 0, at("pending"))]
    masked = check + [31 << 26 | (t or 0) << 21 | (t or 0) << 16 | s << 11 | 28 << 1]            # and t, t, s
    get, put = d_form(lwz, t or 0, 0, at("msr")), d_form(stw, t or 0, 0, at("msr"))
    trap = d_form(3, 1, t or 0, ABI["PAGE_CHECK"])                                             # twi 1, t, PAGE_CHECK
    without_ee = 21 << 26 | (t or 0) << 21 | (t or 0) << 16 | 17 << 6 | 15 << 1                  # rlwinm t, t, 0, 17, 15
    if how.scratch and (t is None or t == how.source):
        raise ValueError("a dead register is needed")
    return {
        "load": lambda: [d_form(lwz, s, 0, at(how.word))],
        "store": lambda: [d_form(stw, s, 0, at(how.word))],
        "store byte": lambda: [d_form(stb, s, 0, at(how.word, 3))],
        "clear TSR": lambda: [d_form(14, t, 0, 0), d_form(stw, t, 0, at("tsr"))],
        "clear EE": lambda: [get, without_ee, put],
        "set EE": lambda: [get, d_form(24, t, t, MSR_EE), put] + check + [trap],
        "copy EE": lambda: [get, 20 << 26 | s << 21 | t << 16 | 16 << 6 | 16 << 1, put] + masked + [trap],
        "write MSR": lambda: [get, 31 << 26 | t << 21 | t << 16 | s << 11 | 316 << 1,                     # xor t, t, s
                              21 << 26 | t << 21 | t << 16 | 6 << 11 | 11 << 6 | 9 << 1,                   # rlwinm t, t, 6, 11, 9
                              d_form(3, 1, t, ABI["PAGE_MODE"]), d_form(stw, s, 0, at("msr"))] + masked + [
                                  trap, BRANCH | 8, word],
        "nothing": lambda: [NOP],
    }[how.kind]()


def branch(here, target):
    """b target."""
    return BRANCH | target - here & 0x03FFFFFC


def stub(word, how, boundary, t, at, back):
    """The replacement as a stub at an address, which ends with a branch back: two of them around a kept instruction."""
    words = replacement(word, how, boundary, t)
    kept = words[-1:] if how.kind == "write MSR" else []
    words = words[:-2] if kept else words
    words.append(branch(at + 4 * len(words), back))
    return words + kept + [branch(at + 4 * len(words) + 4, back)] if kept else words


def constant_before(read, address, register, targets, start):
    """
    The value that a register has at an address because straight-line code before it says so, or None. read(address) gives a
    word or None; no address behind the first instruction may be one of `targets`; nothing before `start` counts.
    """
    low, add = None, True
    here = address
    for _ in range(64):
        if here in targets or here <= start:
            return None
        here -= 4
        word = read(here)
        if word is None:
            return None
        found = _assigns(word, register)
        if found is None:
            return None
        if not found:
            if flow(word, here).kind not in ("next", "branch"):
                return None
            continue
        op, base, value = found
        if op in ("li", "lis"):
            total = value if low is None else value + low if add else value | low & 0xFFFF
            return total & 0xFFFFFFFF
        if low is not None or base != register:
            return None
        low, add = value, op == "addi"
    return None


def _assigns(word, register):
    """() if the word leaves the register; (op, base, value) if it sets it in a known way; None otherwise."""
    found = operands(word)
    if found is None or word >> 26 == 17 or flow(word, 0).kind.endswith("call"):
        return None
    if not found[1] >> register & 1:
        return ()
    op, value = word >> 26, (word & 0xFFFF ^ 0x8000) - 0x8000
    if op in (14, 15) and not word >> 16 & 31:
        return ("li", None, value) if op == 14 else ("lis", None, value << 16)
    if op == 14:
        return "addi", word >> 16 & 31, value
    if op == 24:
        return "ori", word >> 21 & 31, word & 0xFFFF
    return None

