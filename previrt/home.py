"""home.py: does a called routine come back to the word behind the call?

A callee may read the link register and take what stands behind the call for data, or go on further behind. Seen to come home
is a routine that has LR as it was at its entry at every return, whatever way it took: followed are LR itself, its copies in
registers and in the frame, and the stack pointer. What is assumed of others is what every calling convention for PowerPC
says: they keep r1, r14-r31 and the frame of their caller but for its LR save word, and nobody overwrites a saved LR by another
pointer. A way that is lost sight of does not come home; one that ends in an unconditional trap, or in rfi, is none to a return.
"""

from encoding import flow, is_call_next, operands

LINK = "LR at entry"                            # other values are numbers: the stack pointer at entry, and so much
LR, FRAME = 32, 1 << 20                         # keys of a state beside registers: LR; a word of the frame, by its offset
KEPT = 0xFFFFC002                               # registers that a callee keeps: r1, r14-r31
BUDGET = 20000                                  # instructions for one routine
SPR_LR = 8


def signed(word):
    """The displacement of a D form."""
    return (word & 0xFFFF ^ 0x8000) - 0x8000


class Routine:
    """
    What one entry does, its callees taken as routines that come home. kept: these also leave volatile registers alone. never:
    asked at each call, whether this callee never returns.
    """

    def __init__(self, code, entry, kept=False, never=lambda target: False):
        self.code, self.entry, self.kept, self.never = code, entry, kept, never
        self.good, self.callees, self.crossed, self.writes, self.returns = True, set(), set(), 0, False
        self.states, self.work, self.budget = {}, [], BUDGET
        self.function = code.names.function(entry)
        self.tables = []                        # states at computed jumps
        self._to(entry, {LR: LINK, 1: 0})
        self._drain()
        while self.good and self.tables and self._enter_cases():
            self._drain()

    def _to(self, address, state):
        """Control comes here with this state: what two ways agree about."""
        before = self.states.get(address)
        if before is not None:
            state = {key: value for key, value in state.items() if before.get(key) == value}
            if state == before:
                return
        self.states[address] = state
        self.work.append(address)

    def _drain(self):
        while self.good and self.work:
            here = self.work.pop()
            state = dict(self.states[here])
            self._run(here, state)

    def _run(self, here, state):
        """From one address to the end of its block."""
        while self.good:
            self.budget -= 1
            word = self.code.word(here)
            found = operands(word) if word is not None else None
            if self.budget < 0 or found is None:
                self.good = False
                return
            step = flow(word, here)
            if here in self.code.fixups:
                self._to(self.code.fixups[here], dict(state))
            if step.kind == "trap" and word >> 21 & 31 == 31:
                return
            if step.kind in ("next", "sc", "trap"):
                self._effect(word, found[1], state)
                here += 4
            elif is_call_next(word, here):
                state.pop(LR, None)
                here += 4
            elif not self._leave(step, here, state):
                return
            else:
                here += 4
            if here in self.states:
                self._to(here, state)
                return

    def _leave(self, step, here, state):
        """A branch; True if it goes on behind itself."""
        kind, target = step
        if kind in ("return", "condreturn"):
            self.good, self.returns = state.get(LR) == LINK, True
            return kind == "condreturn"
        if kind in ("jump", "branch"):
            self._jump(target, state)
            return kind == "branch"
        if kind in ("call", "condcall"):
            if self.never(target):
                return kind == "condcall"
            self.callees.add(target)
            self._call(state, target)
            return True
        if kind in ("computed", "condcomputed"):
            self.returns = True
            if self.function is not None:
                self.tables.append(dict(state))
            self.good = self.function is not None or state.get(LR) == LINK
            return kind == "condcomputed"
        if kind == "rfi":
            return False
        self._call(state, None)                 # a call by CTR or LR
        return True

    def _jump(self, target, state):
        """A branch; one out of the function with everything as at the entry is a call whose return is ours."""
        own = self.function
        leaves = own is not None and not own.value <= target < own.value + own.size
        if leaves and state.get(LR) == LINK and state.get(1) == 0:
            self.callees.add(target)
            self.returns = True
        else:
            self._to(target, dict(state))

    def _call(self, state, target):
        """What is left of the state behind a call."""
        state.pop(LR, None)
        for register in [r for r in state if r < 32 and not KEPT >> r & 1]:
            if self.kept and target is not None:
                self.crossed.add((target, register))
            else:
                del state[register]
        top = state.get(1)
        for key in [k for k in state if k >= FRAME - 0x80000]:
            if top is None or key - FRAME < top or key - FRAME == top + 4:
                del state[key]

    def _enter_cases(self):
        """
        The cases of a computed jump: of its function, what nothing else leads to. Entered with what all such jumps agree about.
        """
        first = self.tables[0]
        common = {k: v for k, v in first.items() if all(t.get(k) == v for t in self.tables)}
        low, high = self.function.value, self.function.value + self.function.size
        for address in range(low, high, 4):
            before = self.code.word(address - 4)
            ends = before is not None and flow(before, address - 4).kind in ("jump", "return", "computed", "rfi")
            if ends and address not in self.states:
                self._to(address, dict(common))
                return True
        return False

    def _effect(self, word, written, state):
        """What an instruction without a branch does to the state."""
        op, t, a, b = word >> 26, word >> 21 & 31, word >> 16 & 31, word >> 11 & 31
        self.writes |= written
        base = state.get(a)
        put = None
        if op == 31 and word >> 1 & 0x3FF in (339, 467) and (word >> 16 & 0x1F | word >> 6 & 0x3E0) == SPR_LR:
            if word >> 1 & 0x3FF == 467:                                    # mtlr
                self._set(state, LR, state.get(t))
                return
            put = t, state.get(LR)
        elif op == 31 and word >> 1 & 0x3FF == 444 and t == b:               # mr
            put = a, state.get(t)
        elif op == 14 and isinstance(base, int) and a:                       # addi
            put = t, base + signed(word)
        elif op == 32 and isinstance(base, int) and a:                       # lwz
            put = t, state.get(FRAME + base + signed(word))
        elif op in (36, 37, 38, 39, 44, 45, 47) and isinstance(base, int):
            place = base + signed(word)
            width = 4 * (32 - t) if op == 47 else 4
            for offset in range(place - 3, place + width):
                state.pop(FRAME + offset, None)
            if op in (36, 37):
                self._set(state, FRAME + place, state.get(t))
            if op == 47:
                for register in range(t, 32):
                    self._set(state, FRAME + place + 4 * (register - t), state.get(register))
            put = (a, place) if op in (37, 39, 45) else None
        elif op == 46 and isinstance(base, int):                             # lmw
            place = base + signed(word)
            values = [state.get(FRAME + place + 4 * i) for i in range(32 - t)]
            for register in range(t, 32):
                self._set(state, register, values[register - t])
            return
        for register in [r for r in state if r < 32 and written >> r & 1]:
            del state[register]
        if put:
            self._set(state, *put)

    @staticmethod
    def _set(state, key, value):
        if value is None:
            state.pop(key, None)
        else:
            state[key] = value


class Home:
    """Which entries are seen to come home."""

    def __init__(self, code):
        self.code, self.known, self.routines, self.asked = code, {}, {}, {}

    def declare(self, entries):
        """The user knows that these come home."""
        self.known.update(dict.fromkeys(entries, True))

    def routine(self, entry, kept=False):
        """
        One entry's routine. That of one that is not seen to come home is followed once more without the ways behind calls of
        what never returns.
        """
        if (entry, kept) not in self.routines:
            found = Routine(self.code, entry, kept)
            self.routines[entry, kept] = found if found.good else Routine(self.code, entry, kept, self.never)
        return self.routines[entry, kept]

    def never(self, entry):
        """True if a routine has no return."""
        if entry not in self.asked:
            self.asked[entry] = False                   # whoever asks meanwhile
            self.asked[entry] = self.code.word(entry) is not None and not Routine(self.code, entry, False, self.never).returns
        return self.asked[entry]

    def comes(self, entry):
        """True if it, and all that it depends on, comes home."""
        if entry not in self.known:
            if self.code.word(entry) is None:
                return False
            order, needs = self._reached(entry)
            bad = {e for e in order if not self._good(e, needs)}
            users = {}
            for e in order:
                for callee in needs[e].callees:
                    users.setdefault(callee, set()).add(e)
            todo = list(bad) + [e for e in users if self.known.get(e) is False or self.code.word(e) is None]
            while todo:
                for user in users.get(todo.pop(), ()):
                    if user not in bad:
                        bad.add(user)
                        todo.append(user)
            self.known.update((e, e not in bad) for e in order)
        return self.known[entry]

    def _reached(self, entry):
        """The entries not yet known that it depends on, itself included, and their routines."""
        order, needs, todo = [], {}, [entry]
        while todo:
            e = todo.pop()
            if e in needs or e in self.known or self.code.word(e) is None:
                continue
            order.append(e)
            needs[e] = self.routine(e)
            todo.extend(needs[e].callees)
        return order, needs

    def _good(self, entry, needs):
        """By itself; where LR waits in a volatile register while another is called, if that one leaves it alone."""
        if needs[entry].good:
            return True
        other = self.routine(entry, kept=True)
        if not other.good or any(self._writes(target) >> register & 1 for target, register in other.crossed):
            return False
        needs[entry] = other
        return True

    def _writes(self, entry):
        """The registers that an entry, or what it calls, may write."""
        mask, seen, todo = 0, set(), [entry]
        while todo:
            e = todo.pop()
            if e not in seen:
                seen.add(e)
                if self.code.word(e) is None or not self.routine(e, True).good:
                    return 0xFFFFFFFF
                mask |= self.routine(e, True).writes
                todo.extend(self.routine(e, True).callees)
        return mask
