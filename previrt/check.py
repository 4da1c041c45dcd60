"""check.py: proves that a table and its program agree, without trusting what made the table."""

from decide import REACH, Site
from encoding import flow
from facts import PrevirtError
from sites import NOP, replacement, row_of, stub, text_of


def verify(program, boundary, entries):
    """Raises PrevirtError with the entry's number; returns (sites, stubs)."""
    elf = program.elf
    stubs, recorded = {}, program.recorded() or {}

    def fail(number, cause):
        raise PrevirtError(f"{elf.path}: entry {number}: {cause}. hint: make the table again")

    uses = any(entry.needs for entry in entries)
    if boundary != (program.boundary if uses else 0):
        raise PrevirtError(f"{elf.path}: the table is for pages at 0x{boundary:08X}, not 0x{program.boundary:08X}. "
                           "hint: make it again")
    others = []
    for number, entry in enumerate(entries):
        at = elf.virtual(entry.paddr)
        for i, old in enumerate(entry.old):
            word = elf.word(at + 4 * i)
            if word is None:
                fail(number, f"0x{at + 4 * i:08X} is not in the file")
            if old != word:
                fail(number, f"0x{at + 4 * i:08X} holds 0x{word:08X}, the table says 0x{old:08X}")
        if row_of(entry.old[0]) is None or program.code.word(at) is None:
            others.append(number)
        elif len(entry.new) == 1 and entry.new[0] >> 26 == 18 and not entry.new[0] & 3:
            stubs[flow(entry.new[0], at).target] = (number, at, entry)
        else:
            _site(program, recorded, at, entry, None, lambda cause, n=number: fail(n, cause))
            if any(old != NOP for old in entry.old[1:]) or len(entry.old) > 1 + recorded.get(at, (0,))[0]:
                fail(number, "it writes over more than the instruction and its room")
    for number in others:
        entry = entries[number]
        at = elf.virtual(entry.paddr)
        if at not in stubs:
            fail(number, f"0x{at:08X} is neither a sensitive instruction nor a stub that one branches to")
        first, site, jump = stubs.pop(at)
        _stub(program, recorded, at, entry, site, jump, lambda cause, n=number: fail(n, cause))
    for number, at, _ in stubs.values():
        fail(number, f"0x{at:08X} branches to no stub")
    return len(entries) - len(others), len(others)


def _site(program, recorded, at, entry, outside, fail):
    """
    The words are the documented replacement of the instruction, with a register that is dead there. outside: (address,
    words) of its stub, which ends with a branch back.
    """
    def words(r):
        if outside:
            return tuple(stub(word, how, program.boundary, r, outside[0], at + 4))
        return tuple(replacement(word, how, program.boundary, r))

    word = entry.old[0]
    how = program.plan(at, word)
    if how.kind is None:
        fail(f"{text_of(word)} has no replacement")
    if at not in recorded and not (program.whole and program.is_code(at)):
        fail(f"0x{at:08X} is not proven to be code")
    if any(low <= at < high for low, high in program.excluded):
        fail(f"0x{at:08X} is excluded")
    if entry.needs != how.needs:
        fail(f"it needs the features 0x{entry.needs:08X}, not 0x{how.needs:08X}")
    room, compiled = recorded.get(at, (0, False))
    registers = [r for r in range(32) if r != how.source] if how.scratch else [None]
    used = [r for r in registers if words(r) == (outside[1] if outside else entry.new)]
    if not used:
        fail(f"its words are no replacement of {text_of(word)}")
    if how.scratch:
        dead = program.code.dead(at + 4, "compiled" if compiled else program.options["abi"], at)
        if not dead >> used[0] & 1:
            fail(f"r{used[0]} is not dead behind 0x{at:08X}")
    if how.kind == "clear TSR":
        if not program.clears_tsr(Site(at, word, "recorded", room, compiled)):
            fail(f"what {text_of(word)} writes at 0x{at:08X} is not known")


def _stub(program, recorded, at, entry, site, jump, fail):
    """A stub is in a declared area, within reach, and what its site needs."""
    last = at + 4 * len(entry.new) - 4
    if abs(last - site) > REACH:
        fail(f"the stub at 0x{at:08X} is out of reach")
    if entry.needs != jump.needs:
        fail(f"the stub at 0x{at:08X} and its site need different features")
    if not any(low <= at and last + 4 <= high for low, high, _ in program.spare.areas):
        fail(f"the stub at 0x{at:08X} is outside the spare areas")
    _site(program, recorded, site, jump, (at, entry.new), fail)
