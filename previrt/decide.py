"""decide.py: finds the sensitive instructions of a linked program, decides about each, and makes its table."""

import fnmatch
import re
import struct

from liveness import Code
from encoding import flow
from elf import PF_X, SHF_ALLOC, SHT_NOBITS, SITES, with_segments
from facts import ABI, VECTORS, PrevirtError
from sites import NOP, TSR_ALL, TSR_PIS, branch, constant_before, plan, reachable, replacement, row_of, stub
from table import Entry

SITE_ABI = 0x100                    # cc.py: inside a compiled function; in the lower byte, the words of room
SITE_MAGIC = 0x50530000             # upper half of each record's second word
REACH = 0x01FFFFFC                  # of a branch, either way
# The order in which a dead register is chosen: what is cheap to be wrong about first
ORDER = (0, 12, 11, 10, 9, 8, 7, 6, 5, 4, 3, *range(31, 13, -1))
DEFAULTS = {"mode": "fill", "boundary": ABI["PAGE_BOUNDARY"], "abi": None, "spare": [],
            "include": [], "exclude": [], "real": [], "returns": [], "scratch": [], "callers": False, "vectors": None,
            "segment": []}
LOOK_BACK = 64                      # words: what stands before one that is not proven to be code


class Site:
    """One sensitive instruction."""

    def __init__(self, address, word, kind, room=0, compiled=False):
        self.address, self.word, self.kind, self.room, self.compiled = address, word, kind, room, compiled
        self.how, self.why, self.scratch, self.stub, self.entries = None, None, None, None, []
        self.hint = None                # the option that may change what it is

    def treatment(self):
        """One word for the report."""
        return self.how or "stays"


class Spare:
    """Areas for stubs."""

    def __init__(self, elf, code, texts):
        self.elf, self.code, self.areas = elf, code, []
        for text in texts:
            self.areas += self._auto() if text == "auto" else [self._area(text)]
        self.areas.sort()
        for (_, end, text), (start, _, other) in zip(self.areas, self.areas[1:]):
            if start < end:
                self._fail(f"{text} and {other} overlap", "name each area once")
        self.next = [low for low, _, _ in self.areas]

    def _fail(self, cause, hint):
        raise PrevirtError(f"{self.elf.path}: --spare: {cause}. hint: {hint}")

    def _area(self, text):
        """SYMBOL, SYMBOL:SIZE or ADDR:SIZE."""
        name, colon, number = text.partition(":")
        found = next((s for s in self.elf.symbols if s.name == name), None)
        try:
            low, size = (found.value, found.size) if found else (int(name, 0), 0)
            size = int(number, 0) if colon else size
        except ValueError:
            self._fail(f"{text} is no symbol, and no address and size", "an array of the program, or 0x20000:0x1000")
        if not size:
            self._fail(f"{text} has no size", "give the symbol one by .size, or write NAME:SIZE")
        low, high = low + 3 & ~3, low + size & ~3
        if not 0 <= low < high <= 1 << 32:
            self._fail(f"{text} has no room", "0x20000:0x1000")
        self._check(low, high, text)
        return low, high, text

    def _check(self, low, high, text):
        """Nobody else has these words: they are all the same and never executed."""
        segment = self.elf.segment_of(low, high - low)
        if segment is None:
            self._fail(f"{text} is not wholly in the file", "what is in memory only, like .bss, is cleared by the guest")
        if not segment.flags & PF_X:
            self._fail(f"{text} is not in an executable segment", "put it into .text")
        words = {self.elf.word(a) for a in range(low, high, 4)}
        if len(words) != 1:
            self._fail(f"{text} is not empty", "all its words have to be equal")
        if any(a in self.code.proven for a in range(low, high, 4)):
            self._fail(f"{text} is executed", "an area that no code runs into")

    def _auto(self):
        """
        Alignment gaps behind executable sections: zero in the file, of no section. Not behind code for the start alone, whose
        memory a kernel uses again.
        """
        sections = [s for s in self.elf.sections if s.flags & SHF_ALLOC and s.size]
        found = []
        for code in self.elf.code:
            start = code.addr + code.size + 3 & ~3
            segment = self.elf.segment_of(code.addr, code.size)
            if code.name.startswith((".init", ".exit")) or segment is None or not segment.flags & PF_X:
                continue
            stop = min([s.addr for s in sections if s.addr >= start] + [segment.vaddr + segment.filesz]) & ~3
            if stop - start >= 16 and {self.elf.word(a) for a in range(start, stop, 4)} == {0}:
                found.append((start, stop, "auto"))
        return found

    def take(self, count, near):
        """An address for so many words within reach and in the same segment as `near`, or None."""
        segment = self.elf.segment_of(near)
        for i, (_, high, _) in enumerate(self.areas):
            at = self.next[i]
            same = self.elf.physical(at) - at == segment.paddr - segment.vaddr
            if same and at + 4 * count <= high and abs(at - near) < REACH - 4 * count:
                self.next[i] = at + 4 * count
                return at
        return None

    def original(self, at, count):
        """The words that are there now."""
        return tuple(self.elf.word(a) for a in range(at, at + 4 * count, 4))


def segments(elf, options):
    """[(address, bytes)] of --segment."""
    found = []
    for text in options.get("segment", []):
        match = re.fullmatch(r"(0[xX][0-9a-fA-F]+|\d+):(0[xX][0-9a-fA-F]+|\d+)", text)
        low, size = (int(n, 0) for n in match.groups()) if match else (0, 0)
        if low % 4 or size % 4 or not 0 < size <= 1 << 20 or low + size > 1 << 32:
            raise PrevirtError(f"{elf.path}: --segment {text}: not an address and bytes, multiples of 4. hint: 0x200000:0x1000")
        found.append((low, size))
    return found


class Program:
    """A linked program and the decisions about it. marks: the same program before it was stripped."""

    def __init__(self, elf, options, marks=None):
        self.elf, self.options, self.marks = with_segments(elf, segments(elf, options)), {**DEFAULTS, **options}, marks or elf
        elf = self.elf
        self.boundary = self.options["boundary"]
        if not reachable(self.boundary):
            raise PrevirtError(f"{elf.path}: --boundary 0x{self.boundary:08X}: the pages are out of a displacement's reach. "
                               "hint: within 32 KiB of address 0, below or above, at a multiple of 1024")
        if not elf.code:
            raise PrevirtError(f"{elf.path}: no executable section. hint: is it a program?")
        self.code = Code(elf)
        self.whole = self.options["mode"] == "elf"
        self.excluded = self._ranges(self.options["exclude"], "--exclude")
        self.real = self._ranges(self.options["real"], "--real")
        self.elsewhere = 0              # marked instructions in data sections: whoever copies them has them as they are
        self._declare()
        self._explore()
        self.spare = Spare(elf, self.code, self.options["spare"] + self.options["segment"])

    def _ranges(self, names, option):
        """Address ranges of sections and symbols, or of the one word at an address."""
        found = []
        for name in names:
            if re.fullmatch(r"0[xX][0-9a-fA-F]+", name) and self.code.word(int(name, 16)) is not None:
                found.append((int(name, 16), int(name, 16) + 4))
                continue
            sections = [(s.addr, s.addr + s.size) for s in self.elf.code if fnmatch.fnmatchcase(s.name, name)]
            extents = sections or self.code.names.extents(name, self.elf.code)
            if not extents:
                raise PrevirtError(f"{self.elf.path}: {option} {name}: no such section or symbol of code. "
                                   "hint: `nm` and `readelf -S` list them; * and ? stand for others")
            found += extents
        return found

    def _declare(self):
        """What the user knows of routines: they come home; registers that nobody expects anything of at their returns."""
        self.code.home.declare(low for low, _ in self._ranges(self.options["returns"], "--returns"))
        for text in self.options["scratch"]:
            name, colon, registers = text.partition(":")
            found = re.fullmatch(r"r?\d+(,r?\d+)*", registers) and [int(r.lstrip("r")) for r in registers.split(",")]
            if not colon or not found or any(r > 31 for r in found):
                raise PrevirtError(f"{self.elf.path}: --scratch {text}: not a symbol and its registers. hint: restore_msr:r4,r5")
            for low, high in self._ranges([name], "--scratch"):
                self.code.free_at_return.append((low, high, sum(1 << r for r in set(found))))
        self.code.callers_are_known = self.options["callers"]

    def _explore(self):
        """What is code: from the entry, functions, and what the user says is code. Recorded sites are code anyway."""
        roots = []
        if self.whole:
            roots = [self.elf.entry] + [f.value for f in self.code.names.functions]
            if self.options["vectors"] is not None:
                roots += [self.options["vectors"] + offset for offset in VECTORS]
            for low, high in self._ranges(self.options["include"], "--include"):
                section = any(s.addr == low and s.addr + s.size == high for s in self.elf.code)
                roots += range(low, high, 4) if section else [low]
        self.roots = {a for a in roots if self.code.word(a) is not None}
        self.code.explore(self.roots)

    def recorded(self):
        """{address: (room, compiled)} of cc.py's records; None without the section."""
        section = self.marks.section(SITES)
        if section is None or section.type == SHT_NOBITS:
            return None
        blob, found, self.elsewhere = self.marks.content(section), {}, 0
        if len(blob) % 8:
            raise PrevirtError(f"{self.elf.path}: section {SITES} is damaged. hint: build the program again with cc.py")
        for address, info in struct.iter_unpack(">II", blob):
            if info & 0xFFFF0000 != SITE_MAGIC:
                raise PrevirtError(f"{self.elf.path}: section {SITES} is of another version. hint: build it all again")
            word = self.code.word(address)
            if word is None and address != 0:
                self.elsewhere += 1
            if word is not None and row_of(word) is not None:
                room = info & 0xFF
                for i in range(room):
                    if self.code.word(address + 4 + 4 * i) != NOP:
                        raise PrevirtError(f"{self.elf.path}: 0x{address:08X}: no room where cc.py put it. "
                                           "hint: build it all again")
                found[address] = (room, bool(info & SITE_ABI))
        return found

    def sites(self):
        """Every sensitive word of the executable sections, in order of address."""
        recorded = self.recorded() or {}
        found = []
        for low, high, words in sorted(self.code.parts):
            for address, word in zip(range(low, high, 4), words):
                if word >> 26 not in (19, 31) or row_of(word) is None:
                    continue
                if address in recorded:
                    found.append(Site(address, word, "recorded", *recorded[address]))
                elif self.whole and self.is_code(address):
                    found.append(Site(address, word, "proven"))
                else:
                    found.append(Site(address, word, "not proven" if self.whole else "not recorded"))
        return found

    def is_code(self, address):
        """Proven, and not directly behind a call by a register, whose callee nobody sees, with nothing else that leads there."""
        before = self.code.word(address - 4)
        kind = flow(before, address - 4).kind if before is not None else ""
        return address in self.code.proven and (kind not in ("computedcall", "returncall") or self._is_led_to(address))

    def _is_led_to(self, address):
        """A branch, a word of the file or the user names this very address; a symbol alone may be one of data."""
        return address in self.roots or address in self.code.branches() or address in self.code.addresses()

    def plan(self, address, word):
        """
        What can be done about an instruction here. PID means nothing as long as translation is off: there it may be stored
        although FEATURE_MMU_STORE is missing.
        """
        how = plan(word)
        if how.kind == "store byte" and any(low <= address < high for low, high in self.real):
            how = how._replace(needs=how.needs & ~ABI["FEATURE_MMU_STORE"])
        return how

    def decide(self):
        """The sites, each with its treatment."""
        sites = self.sites()
        for site in sites:
            self._decide(site)
        return sites

    def _decide(self, site):
        """One site's treatment: how and entries, or why not."""
        how = self.plan(site.address, site.word)
        site.why = self._obstacle(site, how)
        if site.why:
            site.hint = self._would_prove(site.address) if site.why == "not proven" else None
            return
        if how.scratch:
            site.scratch = self.scratch(site, how)
            if site.scratch is None:
                site.why = "no dead register"
                site.hint = "--scratch SYMBOL:REGISTERS, --callers" + ("" if self.options["abi"] else ", --abi sysv")
                return
        words = replacement(site.word, how, self.boundary, site.scratch)
        if len(words) <= 1 + site.room:
            site.how = "in place" if len(words) == 1 else "room"
            old = (site.word,) + (NOP,) * (len(words) - 1)
            site.entries = [Entry(self.elf.physical(site.address), how.needs, old, tuple(words))]
            return
        self._stub(site, how, words)

    def _would_prove(self, address):
        """The option that would prove a word to be code, if it is some."""
        base = address & ~0xFFFF
        if self.options["vectors"] is None and any(base + offset <= address < base + offset + 0x100 for offset in VECTORS):
            return f"--vectors 0x{base:X}, if exception vectors begin there"
        start = address
        while start > address - 4 * LOOK_BACK and self.code.word(start - 4) is not None and not self._is_led_to(start):
            before = flow(self.code.word(start - 4), start - 4)
            if start - 4 in self.code.proven and before.kind == "call":
                return f"--returns {self.code.names.at(before.target)}, if that comes back to the word behind its call"
            if before.kind not in ("next", "branch", "call"):
                break
            start -= 4
        return f"--include 0x{start:X}, if that is code"

    def _obstacle(self, site, how):
        """Why nothing can be done, or None."""
        if how.kind is None:
            return how.why
        if site.kind in ("not proven", "not recorded"):
            return site.kind
        if any(low <= site.address < high for low, high in self.excluded):
            return "excluded"
        if self.elf.segment_of(site.address) is None:
            return "in no segment of the file"
        if how.kind == "clear TSR" and not self.clears_tsr(site):
            return "value not known"
        return self._vain(site, how)

    def _vain(self, site, how):
        """mtmsr of a value that surely changes more than EE: the replacement would be right, but would trap as well."""
        if how.kind != "write MSR":
            return None
        before = self.code.word(site.address - 4)
        if before is not None and site.address not in self.code.targets() and before >> 26 in (25, 24) and \
                before >> 16 & 31 == how.source and (before >> 26 == 25 and before & 0xFFFF or before & 0x7FFF):
            return "changes the mode"
        return None

    def clears_tsr(self, site):
        """True if mtspr TSR is known to write PIS alone, or every bit that there is."""
        if self.code.jumps_by_table(site.address):
            return False
        function = self.code.names.function(site.address)
        start = function.value if function else 0
        value = constant_before(self.code.word, site.address, site.word >> 21 & 31, self.code.targets(), start)
        return value is not None and (value == TSR_PIS or value & TSR_ALL == TSR_ALL)

    def dead(self, site):
        """The registers that are dead behind a site."""
        return self.code.dead(site.address + 4, "compiled" if site.compiled else self.options["abi"], site.address)

    def scratch(self, site, how):
        """A register that the replacement may use, or None."""
        dead = self.dead(site)
        return next((r for r in ORDER if dead >> r & 1 and r != how.source), None)

    def _stub(self, site, how, words):
        """Two entries: the branch to the stub, and the stub."""
        if not self.whole or not self.spare.areas:
            site.why, site.scratch, site.hint = f"no room ({len(words)} words)", None, "--spare AREA"
            return
        size = len(stub(site.word, how, self.boundary, site.scratch, 0, 0))
        at = self.spare.take(size, site.address)
        if at is None:
            site.why, site.scratch, site.hint = "spare area full or out of reach", None, "--spare AREA"
            return
        site.how, site.stub = "stub", at
        new = tuple(stub(site.word, how, self.boundary, site.scratch, at, site.address + 4))
        site.entries = [Entry(self.elf.physical(site.address), how.needs, (site.word,), (branch(site.address, at),)),
                        Entry(self.elf.physical(at), how.needs, self.spare.original(at, size), new)]

