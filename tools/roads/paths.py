"""paths.py: bounds of functions and of roads.

A function of C is a graph of its own, whose calls cost what those functions cost; so is each road through the assembler, from a
vector to the rfi, whose nodes are pairs of a place and what is known there (known.py): by what was trapped, branches are decided.
"""

import itertools

from kconfig import InputError, fault
from roads import graph as graphs
from roads import known
from roads.code import ENTRY

SUM = 2         # units: instructions, cycles
FREE = "="      # in front of a name: its calls are counted elsewhere (note `total`)


def plain_name(name):
    """Of a function, whatever the compiler has made of it."""
    return name.split(".")[0]


class Paths:
    """Of one image: bounds and depths of functions, and roads."""

    def __init__(self, code, notes):
        self.code, self.notes, self.bounds, self.stack, self.open, self.total = code, notes, {}, {}, [], {}
        self.loops, self.called = {}, set()                 # {file:line: bound} as used; functions that roads call
        self.counted = {}                                   # {head of a loop: (rounds, {what is in front of it})}
        self.words = {code.symbols[name]: name for name in notes.calls if name in code.symbols}

    # ---- targets

    def targets(self, name, at):
        """Addresses of the functions that a word or a function's pointer stands for."""
        found = [self.code.symbols[one] for one in sorted(self.notes.calls.get(plain_name(name), ())) if one in self.code.symbols]
        if not found:
            self.code.refuse(at, "an indirect call of nobody knows whom", f"a note: calls: {name} > F, G")
        return found

    # ---- functions

    def bound(self, start, cut=frozenset()):
        """(instructions, cycles) of a function at most, until it returns; None if it never does."""
        name = self.code.names.get(start)
        if name is None:
            self.code.refuse(start, "a call of what is no function", "a symbol")
        cut = cut | frozenset(self.notes.never.get(plain_name(name), ()))
        free = {FREE + one for one in self.notes.total.get(plain_name(name), (0, 0, ()))[2]} - cut
        if free:                                            # with what it may call at most so often, and without that note
            freed, plain = self._with_total(plain_name(name), cut, self.bound(start, cut | free)), self._bound(start, name, cut)
            return min(freed, plain) if freed and plain else plain
        return self._bound(start, name, cut)

    def _bound(self, start, name, cut):
        """Likewise, by its graph."""
        key = (start, cut)
        if key in self.open:
            chain = [self.code.names[one] for one, _ in self.open[self.open.index(key):]] + [name]
            self.code.refuse(start, f"recursion: {' > '.join(chain)}", "a loop, or a note: never: F > G")
        if key not in self.bounds:
            self.open.append(key)
            self.bounds[key] = None
            graph, calls, _ = self.function(start, cut)
            if graph.only_ways_out():                       # who never comes back has no bound, nor has whom it calls
                for node, called in calls.items():
                    if node in graph.cost:
                        self._pay(graph, node, called, cut)
                rare = self._rare(graph, calls, plain_name(name), cut)
                if graph.only_ways_out():
                    self.bounds[key] = self.longest(graph, lambda node: node if isinstance(node, int) else node[1], rare)
            self.open.pop()
        return self.bounds[key]

    def _pay(self, graph, node, called, cut):
        """A call costs what those cost that it may call. One that does not return, or is never made, leads nowhere."""
        bounds = [self.bound(target, cut) for target in called if plain_name(self.code.names.get(target, "")) not in cut]
        bounds = [bound for bound in bounds if bound is not None]
        if bounds and all(FREE + plain_name(self.code.names.get(target, "")) in cut for target in called):
            return
        if bounds:
            graph.cost[node] = tuple(graph.cost[node][unit] + max(bound[unit] for bound in bounds) for unit in range(SUM))
        else:
            graph.after[node] = []
            graph.ends.discard(node)

    def _with_total(self, name, cut, found):
        """By a note `total`: whom it names has cost nothing so far."""
        if not found:
            return None
        place, count, whom = self.notes.total[name]
        times, starts = self.notes.number(count, place), [at for at, one in self.code.names.items() if plain_name(one) in whom]
        bounds = (self.bound(at, cut) for at in starts if plain_name(self.code.names[at]) not in cut)
        bounds = [bound for bound in bounds if bound]
        return tuple(found[unit] + times * max((bound[unit] for bound in bounds), default=0) for unit in range(SUM))

    def _rare(self, graph, calls, name, cut):
        """({node: what its call may cost more}, so many times in all), by a note `most`; calls cost the rest from now on."""
        if name not in self.notes.most:
            return {}, 0
        place, count, whom = self.notes.most[name]
        more = {}
        for node in set(calls) & set(graph.cost):
            if plain_name(self.code.names.get(calls[node][0], "")) in whom:
                more[node] = None                           # counts whenever it is made
            elif len(calls[node]) == 1:
                dear, cheap = self.bound(calls[node][0], cut), self.bound(calls[node][0], cut | frozenset(whom))
                if dear and cheap and dear != cheap:
                    more[node] = tuple(a - b for a, b in zip(dear, cheap))
                    graph.cost[node] = tuple(a - b for a, b in zip(graph.cost[node], more[node]))
        return more, self.notes.number(count, place)

    def depth(self, start, cut=frozenset()):
        """Bytes of stack of a function and all that it calls."""
        name = self.code.names.get(start, "")
        cut = cut | frozenset(self.notes.never.get(plain_name(name), ()))
        key = (start, cut)
        if key in self.open:
            self.code.refuse(start, f"recursion of {name}", "a loop, or a note: never: F > G")
        if key not in self.stack:
            self.open.append(key)
            _, calls, frame = self.function(start, cut)
            below = {target for called in calls.values() for target in called
                     if plain_name(self.code.names.get(target, "")) not in cut and target != self.code.symbols.get("vcpu_start")}
            self.stack[key] = frame + max((self.depth(target, cut) for target in below), default=0)
            self.open.pop()
        return self.stack[key]

    def function(self, start, cut):
        """(its graph, {node that calls: targets}, bytes of its frame)"""
        graph, todo, frame, calls = graphs.Graph(start), [start], 0, {}
        size = self.code.sizes.get(self.code.names[start], 0)
        while todo:
            at = todo.pop()
            if at in graph.cost:
                continue
            insn = self.code.insns.get(at)
            if insn is None:
                self.code.refuse(start, f"goes on at 0x{at:x}, where no code is", "is it an image with its symbols?")
            after, end = [at + 4], False
            if insn.frame is None:
                self.code.refuse(at, "the stack moves by a register", "arrays of constant length")
            frame = max(frame, insn.frame)
            if insn.kind == "call":
                calls[at] = [insn.target]
                after = [] if size and at + 4 == start + size else after    # the compiler knows that it does not return
            elif insn.kind in ("indirect", "goto"):
                calls[at], end = self.targets(self.code.names[start], at), insn.kind == "goto"
            elif insn.kind in ("jump", "branch"):
                inside = start <= insn.target < start + size or insn.target == start or \
                    (not size and insn.target not in self.code.names)
                after = ([at + 4] if insn.kind == "branch" else []) + ([insn.target] if inside else [("to", insn.target)])
                if not inside:                              # another function goes on, and returns for this one
                    calls["to", insn.target] = [insn.target]
                    graph.add(("to", insn.target), (0, 0), [], True)
            elif insn.kind == "return":
                end, after = True, [at + 4] if insn.conditional else []
            elif insn.kind == "leave":
                after = []
            if at in calls and all(plain_name(self.code.names.get(one, "")) in cut for one in calls[at]):
                after, end = [], False
            graph.add(at, (insn.words, insn.cycles), [] if end and at in calls else after, end)
            todo += [one for one in after if isinstance(one, int)]
        return graph, calls, frame

    # ---- the longest path

    def longest(self, graph, place, rare=({}, 0)):
        """(instructions, cycles) of a graph whose nodes are all on ways to its ends. place: of a node, its address."""
        blocks, inside = graph.blocks()
        address = {block: [place(node) for node in nodes] for block, nodes in inside.items()}
        loops, odd = blocks.loops()
        if odd:
            self.code.refuse(address[odd[1]][0], "a loop with two entries", "no jumps into a loop")
        self.total = {}                                     # {head: rounds of all}
        bounded = [(loop, graphs.rounds(blocks, loop, self.loop_bound(loop, loops, address))) for loop in loops]
        for loop, times in bounded:
            self._count(blocks, loop, times, address)
        apart, total = self.apart(blocks, address), [(loop, self.total[loop[0]]) for loop in loops if loop[0] in self.total]
        if not loops and not apart and not rare[0]:
            return self.plain(blocks)
        dear = [(block, rare[0][node]) for block, nodes in inside.items() for node in nodes if node in rare[0]]
        found = [graphs.solve(graphs.program(blocks, bounded, apart, unit, (dear, rare[1]), total)) for unit in range(SUM)]
        if None in found:
            name = self.code.name_of(address[blocks.entry][0])
            raise InputError(fault(self.code.path, None, f"{name}: its facts exclude each other", "look at its notes"))
        return tuple(cost for cost, _ in found)

    @staticmethod
    def plain(blocks):
        """Without loops and facts, no solver is needed."""
        best = {}
        for node in reversed(blocks.order()):
            ways = [best[other] for other in blocks.after[node]] + ([(0, 0)] if node in blocks.ends else [])
            best[node] = tuple(blocks.cost[node][unit] + max(way[unit] for way in ways) for unit in range(SUM))
        return best[blocks.entry]

    def loop_bound(self, loop, loops, address):
        """By the notes on lines of the loop that belong to no loop within; nearest to its branch back, then to its head."""
        head, latches, body = loop
        inner = set().union(*(other[2] for other in loops if other[0] != head and other[0] in body and other[2] < body))
        own = [node for node in body if node not in inner]
        places = [[address[node][-1] for node in latches], [address[head][0]], [at for node in own for at in address[node]]]
        for ats in places:
            found = self.notes.loop({one for at in ats for one in self.code.lines.get(at, ())})
            if found:
                values = {one: self.notes.number(text.partition("; in all ")[0], one) for one, text in found}
                for one, text in found:
                    if "; in all " in text:
                        self.total[head] = self.notes.number(text.partition("; in all ")[2], one)
                if len(set(values.values())) > 1:
                    lines = ", ".join(f"{path}:{line}" for path, line in values)
                    self.code.refuse(address[head][0], f"a loop with several bounds: {lines}", "one note for each loop")
                self.loops.update({f"{path}:{line}": value for (path, line), value in values.items()})
                return max(values.values())
        return self.code.refuse(address[latches[0]][-1], "a loop without a bound", "a note on its line: /* loop: N */")

    def _count(self, blocks, loop, times, address):
        """For a comparison with a run: how often it is entered at most, by what is in front of it."""
        head, _, body = loop
        at = address[head][0]
        front = {address[node][-1] for node in blocks.after if node not in body and head in blocks.after[node]}
        rounds, front_before = self.counted.get(at, (0, set()))
        self.counted[at] = max(rounds, times), front | front_before | ({None} if head == blocks.entry else set())

    def apart(self, blocks, address):
        """Pairs of blocks of which one is walked at most, once."""
        named = {}
        for node in blocks.after:
            for one in {one for at in address[node] for one in self.code.lines.get(at, ()) if one in self.notes.eithers}:
                named.setdefault(self.notes.eithers[one], []).append((one, node))
        pairs = set()
        for rows in named.values():
            for (line, node), (other_line, other) in itertools.combinations_with_replacement(sorted(set(rows), key=str), 2):
                if line != other_line or node == other:
                    pairs.add((node, other))
        return sorted(pairs, key=str)

    # ---- roads

    def road(self, start, values, word=None, none_of=None):
        """The graph of a road. values: of registers at its begin; word: what the dispatcher fetches; none_of: (low, high) of the
        ladder of comparisons of which none is true."""
        code, first = self.code, (start, known.State(dict(values)).key())
        graph, todo = graphs.Graph(first), [first]
        idle = code.symbols.get("idle_loop")
        while todo:
            node = todo.pop()
            if node in graph.cost:
                continue
            at, key = node
            insn, state = code.insns.get(at), known.State(dict(key))
            if insn is None:
                code.refuse(start, f"the road goes on at 0x{at:x}, where no code is", "is it an image with its symbols?")
            cost, after, end = (insn.words, insn.cycles + (ENTRY if at == start else 0)), [], False
            if insn.kind == "plain":
                after = self._plain(insn, state, word)
            elif insn.kind == "jump":
                after = [(insn.target, state.key())]
            elif insn.kind == "branch":
                taken = state.taken(insn)
                if none_of and none_of[0] <= at < none_of[1] and insn.word >> 16 & 0x3FF == 0x182:
                    taken = False
                after = [(at + 4, state.key())] * (taken is not True) + [(insn.target, state.key())] * (taken is not False)
            elif insn.kind in ("call", "indirect"):
                mask, bits = state.get("lr")
                if insn.kind == "indirect" and mask != known.ALL:
                    code.refuse(at, "an indirect call of nobody knows whom", "LR of a constant, or a note: calls: W > F, G")
                self.called.add(bits if insn.kind == "indirect" else insn.target)
                bound = self.bound(bits if insn.kind == "indirect" else insn.target)
                cost = tuple(a + b for a, b in zip(cost, bound or (0, 0)))
                after = [(at + 4, ())] if bound is not None else []
            elif insn.kind == "leave":
                end = True
            else:
                code.refuse(at, "a road with a return to nobody", "b, or a call")
            if at == idle:
                cost, after, end = self.idle_tail(), [], True
            graph.add(node, cost, after, end)
            todo += after
        return graph

    def _plain(self, insn, state, word):
        """What follows: with a word of several functions, one node for each."""
        target, base = insn.word >> 21 & 31, insn.word >> 16 & 31
        address = (insn.word & 0xFFFF ^ 0x8000) - 0x8000
        if word and target == 30 and base == 29 and (insn.op == 32 or insn.op == 31 and insn.xo == 23):
            state.put(30, word)
            return [(insn.at + 4, state.key())]
        if insn.op == 32 and base == 0 and address in self.words:
            after = []
            for function in self.targets(self.words[address], insn.at):
                other = known.State(dict(state.values))
                other.put(target, known.known(function))
                after.append((insn.at + 4, other.key()))
            return after
        state.step(insn)
        return [(insn.at + 4, state.key())]

    def idle_tail(self):
        """What waits: the idle loop, once."""
        start = self.code.symbols.get("idle_loop")
        count = self.code.sizes.get("idle_loop", 0) // 4
        insns = [self.code.insns[start + 4 * i] for i in range(count)] if start is not None else []
        return len(insns), sum(insn.cycles for insn in insns)
