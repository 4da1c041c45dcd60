"""liveness.py: the linked code: which words are proven to be code, and which registers are dead at one of them.

Both follow the branches of the machine code itself. Proven is what recursive descent reaches from known starts; a call goes
on behind itself only if the callee is seen to return, and to come home (home.py). What stands behind sc and an unconditional
trap is up to a handler: it may be data. Dead is a register that every path from here writes before it reads
it; a path that is lost sight of counts as one that reads everything.
"""

import array
import functools
import struct

from elf import SHF_ALLOC, SHT_PROGBITS, Names
from encoding import ALL, flow, is_call_next, operands
from home import Home

BUDGET = 1500                                   # instructions looked at for one question
NEVER = 1 << 1 | 1 << 2 | 1 << 13               # stack, thread or small-data pointers: not for scratch
# System V ABI, PowerPC: what no caller and no callee expects. r3-r6 carry results (long double, complex).
AT_RETURN = 1 << 0 | 0x3F << 7                  # r0, r7-r12
AT_CALL = 1 << 0 | 1 << 12
AT_POINTER_CALL = AT_CALL | 1 << 11
NOT_ABI = ("_save", "_rest", "_mcount", "mcount", "__fentry__", "__tls_get")      # names of routines with rules of their own
STRICT, OWN, CALLEE = 0, 1, 2                   # who returns: no promise; the function of the question; one that it called


class Code:
    """Executable sections of an ELF file."""

    def __init__(self, elf):
        self.elf, self.names = elf, Names(elf)
        self.parts = [(s.addr, s.addr + s.size // 4 * 4, array.array("I", elf.content(s)[:s.size // 4 * 4])) for s in elf.code]
        for _, _, words in self.parts:
            if struct.pack("=H", 1) != struct.pack(">H", 1):
                words.byteswap()
        self.parts.sort(key=lambda part: part[0])
        self.last = self.parts[0] if self.parts else (0, 0, None)
        self.fixups = self._fixups()
        self.proven, self.calls = None, []
        self.home = Home(self)
        self.free_at_return, self.callers_are_known = [], False     # the user's: (low, high, registers); --callers
        self._callers = None
        self._targets = None
        self._writes = {}

    def word(self, address):
        """The word at an address; None outside the executable sections."""
        low, high, words = self.last
        if not low <= address < high:
            for part in self.parts:
                if part[0] <= address < part[1]:
                    self.last = low, high, words = part
                    break
            else:
                return None
        return None if address & 3 else words[address - low >> 2]

    def _fixups(self):
        """{address: where it goes on after a fault} from a Linux kernel's __ex_table, whose words are relative."""
        section, found = self.elf.section("__ex_table"), {}
        if section is not None:
            blob = self.elf.content(section)
            for i in range(0, len(blob) - 7, 8):
                first, second = struct.unpack_from(">ii", blob, i)
                found[section.addr + i + first & ALL] = section.addr + i + 4 + second & ALL
        return found

    # ---------------------------------------------------------------- what is code
    def explore(self, roots):
        """Mark what is reached from these addresses, and from what was marked before."""
        if self.proven is None:
            self.proven = {}                            # {address: first address of its block}
            self.edges, self.calls = [], []             # (block, target); (block, callee, behind)
            self.preds, self.returns = {}, set()
            roots = list(roots) + list(self.fixups.values())
        stack = list(roots)
        while stack:
            while stack:
                self._block(stack.pop(), stack)
            stack = self._resume()

    def _block(self, start, stack):
        """One block: up to a branch, or to code that is known already."""
        address = start
        while True:
            if address in self.proven:
                if address != start:
                    self.edges.append((start, address))
                return
            word = self.word(address)
            found = flow(word, address) if word is not None else None
            if found is None or found.kind == "unknown":
                return
            self.proven[address] = start
            if found.kind == "next" or found.kind == "trap" and word >> 21 & 31 != 31 or is_call_next(word, address):
                address += 4
                continue
            self._leave(start, address + 4, found, stack)
            return

    def _leave(self, block, behind, found, stack):
        """What follows a block's last instruction."""
        kind, target = found
        if kind in ("jump", "branch", "call", "condcall"):
            stack.append(target)
        if kind in ("jump", "branch"):
            self.edges.append((block, target))
        if kind.startswith("cond") or kind in ("branch", "computedcall", "returncall"):
            stack.append(behind)
            self.edges.append((block, behind))
        if kind == "call":
            self.calls.append((block, target, behind))
        if kind in ("return", "condreturn", "computed", "condcomputed"):
            self._mark(block)

    def _mark(self, block):
        """A block is seen to reach a return: so do its predecessors."""
        todo = [block]
        while todo:
            block = todo.pop()
            if block not in self.returns:
                self.returns.add(block)
                todo.extend(self.preds.get(block, ()))

    def _resume(self):
        """Settle the new edges; the addresses behind calls whose callee has turned out to return, and right there."""
        for block, target in self.edges:
            to = self.proven.get(target)
            if to is not None and to != block:
                self.preds.setdefault(to, []).append(block)
                if to in self.returns:
                    self._mark(block)
        self.edges, waiting, behinds = [], [], []
        for call in self.calls:
            if self.proven.get(call[1]) in self.returns and self.home.comes(call[1]):
                behinds.append(call[2])
                self.edges.append((call[0], call[2]))
            else:
                waiting.append(call)
        self.calls = waiting
        return behinds

    # ---------------------------------------------------------------- registers
    def _written_in(self, address):
        """The registers that the function around an address writes anywhere."""
        function = self.names.function(address)
        if function is None:
            return 0
        if function.value not in self._writes:
            mask = 0
            for here in range(function.value, function.value + function.size, 4):
                found = operands(self.word(here) or 0)
                mask |= found[1] if found else 0
            self._writes[function.value] = mask
        return self._writes[function.value]

    def dead(self, start, abi=None, site=None):
        """
        The registers that are dead at an address, as a mask. abi: None; "compiled", code of a compiler that was told
        -fno-ipa-ra; "sysv", code that keeps the System V ABI. With interprocedural register allocation a caller may know
        which registers its callee leaves alone, so for "sysv" a register counts only if the function writes it anyway.
        """
        live, budget = NEVER, BUDGET
        seen = {}
        work = [(start, ALL & ~NEVER, STRICT if abi is None else OWN)]
        while work:
            here, mask, mode = work.pop()
            while True:
                mask &= ~live & ~seen.get((here, mode), 0)
                word = self.word(here)
                found = operands(word) if word is not None else None
                if not mask or not budget or found is None:
                    live |= mask
                    break
                seen[here, mode] = seen.get((here, mode), 0) | mask
                budget -= 1
                live |= mask & found[0]
                mask &= ~live
                if here in self.fixups:
                    work.append((self.fixups[here], mask, mode))
                mask &= ~found[1]
                step = flow(word, here)
                if step.kind == "next" or is_call_next(word, here):
                    here += 4
                    continue
                lost, mask, ways = self._step(step, here, mask, mode, abi, site)
                live |= lost
                work.extend(ways)
                break
        return ALL & ~live

    def _step(self, step, here, mask, mode, abi, site):
        """A branch: (registers that are lost sight of, those left, the ways on)."""
        kind, target = step
        behind = here + 4
        if kind == "jump":
            return 0, 0, [(target, mask, mode)]
        if kind == "branch":
            return 0, 0, [(target, mask, mode), (behind, mask, mode)]
        if kind in ("return", "condreturn"):
            free = self._promised(AT_RETURN, here, site, abi) if mode != STRICT else 0
            free |= sum(registers for low, high, registers in self.free_at_return if low <= here < high)
            ways = [(behind, mask, mode)] if kind == "condreturn" else []
            callers = self._returns_to(here) if mode == OWN or abi is None else None
            if callers is not None and mask & ~free:
                return 0, 0, ways + [(caller, mask & ~free, STRICT) for caller in callers]
            return mask & ~free, 0, [(behind, mask & free, mode)] if kind == "condreturn" else []
        if kind in ("call", "condcall"):
            ways = [(behind, mask, mode)] if kind == "condcall" else []
            if mode == STRICT or not self._keeps_abi(target):
                return 0, 0, ways + [(target, mask, STRICT)]
            return 0, 0, ways + [(target, mask & ~self._promised(AT_CALL, target, None, abi), CALLEE)]
        if kind in ("computedcall", "returncall", "condcomputedcall", "condreturncall") and mode != STRICT:
            ways = [(behind, mask & AT_POINTER_CALL, mode)] if kind.startswith("cond") else []
            return mask & ~AT_POINTER_CALL, 0, ways
        if kind == "trap" and mode != STRICT:
            return 0, 0, [(behind, mask, mode)]
        return mask, 0, []

    def _returns_to(self, here):
        """
        With --callers: the addresses behind all calls of the function around a return. None if it may be called in other ways:
        its address is taken, or it is jumped to from elsewhere; or if it is not a function that comes home.
        """
        function = self.names.function(here)
        if not self.callers_are_known or function is None or not self.home.comes(function.value):
            return None
        if self._callers is None:
            self._callers = self._find_callers()
        calls, taken = self._callers
        inside = range(function.value, function.value + function.size)
        others = any(at in taken and taken[at] - {function.value} for at in inside)
        return None if others or not calls.get(function.value) else calls[function.value]

    def _find_callers(self):
        """({callee: addresses behind its calls}, {address: functions that jump there, or None for whoever has the address})."""
        calls, taken = {}, {}
        for low, high, words in self.parts:
            for here, word in zip(range(low, high, 4), words):
                kind, target = flow(word, here)
                if kind in ("call", "condcall") and target != here + 4:
                    calls.setdefault(target, []).append(here + 4)
                elif target is not None:
                    function = self.names.function(here)
                    taken.setdefault(target, set()).add(function.value if function else None)
        for address in self.addresses():
            taken.setdefault(address, set()).add(None)
        return calls, taken

    def _promised(self, free, where, site, abi):
        """The registers that the ABI gives away at a place."""
        if abi == "compiled":
            return free
        return free & (self._written_in(where) | (self._written_in(site) if site is not None else 0))

    def _keeps_abi(self, target):
        """True if a callee is an ordinary function."""
        names = self.names.named(target)
        return bool(names) and not any(name.startswith(NOT_ABI) for name in names)

    # ---------------------------------------------------------------- where control may come from
    def targets(self):
        """Addresses that control may come to other than from the word before, as far as the file can tell."""
        if self._targets is None:
            self._targets = set(self.names.starts) | set(self.fixups.values()) | self.branches() | self.addresses()
        return self._targets

    @functools.lru_cache(maxsize=None)
    def branches(self):
        """Targets of direct branches."""
        return {flow(word, here).target for low, high, words in self.parts for here, word in zip(range(low, high, 4), words)
                if word >> 26 in (16, 18)}

    @functools.lru_cache(maxsize=None)
    def addresses(self):
        """Addresses of code that are words of the file, or that code puts together by lis and addi or ori."""
        found = {self.elf.entry}
        for section in self.elf.sections:
            if section.flags & SHF_ALLOC and section.type == SHT_PROGBITS:
                blob = self.elf.content(section)
                words = struct.unpack(f">{len(blob) // 4}I", blob[:len(blob) // 4 * 4])
                found.update(w for w in words if self.word(w) is not None)
        for _, _, words in self.parts:
            upper = {}
            for word in words:
                op = word >> 26
                if op == 15:
                    upper[word >> 21 & 31] = word << 16 & ALL
                elif op == 14 and word >> 16 & 31 in upper:
                    found.add(upper[word >> 16 & 31] + ((word & 0xFFFF ^ 0x8000) - 0x8000) & ALL)
                elif op == 24 and word >> 21 & 31 in upper:
                    found.add(upper[word >> 21 & 31] | word & 0xFFFF)
        return found

    def jumps_by_table(self, address):
        """True if the function around an address has computed jumps, whose targets no table tells."""
        function = self.names.function(address)
        if function is None:
            return False
        return any(flow(self.word(a), a).kind in ("computed", "condcomputed")
                   for a in range(function.value, function.value + function.size, 4) if self.word(a) is not None)
