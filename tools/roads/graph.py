"""graph.py: a graph with costs, its loops, and the longest path through it, by implicit path enumeration.

Flow goes in once at the entry and out once at an end; what flows into a node flows out. A loop's back edges carry at most so
many times its bound as flow enters it. The integer program that maximizes the cost is solved by GLPK's glpsol.
"""

import os
import re
import shutil
import subprocess
import tempfile

from kconfig import InputError, fault


class Graph:
    """Nodes are whatever is hashable. `cost`: {node: (instructions, cycles)}; `after`: {node: [nodes]}."""

    def __init__(self, entry):
        self.entry, self.cost, self.after, self.ends = entry, {}, {}, set()

    def add(self, node, cost, after=(), end=False):
        """A node; `end`: the path may end here."""
        self.cost[node], self.after[node] = cost, list(dict.fromkeys(after))
        if end:
            self.ends.add(node)

    def before(self):
        """{node: [nodes in front of it]}"""
        found = {node: [] for node in self.after}
        for node, following in self.after.items():
            for other in following:
                found[other].append(node)
        return found

    def only_ways_out(self, without=()):
        """Keep what the entry reaches and what reaches an end. False: nothing does."""
        def reach(todo, edges):
            seen = set(todo)
            while todo:
                for other in edges[todo.pop()]:
                    if other not in seen and other not in without:
                        seen.add(other)
                        todo.append(other)
            return seen
        keep = reach([self.entry], self.after) & reach([end for end in self.ends if end not in without], self.before())
        self.cost = {node: cost for node, cost in self.cost.items() if node in keep}
        self.after = {node: [other for other in following if other in keep]
                      for node, following in self.after.items() if node in keep}
        self.ends &= keep
        return self.entry in keep

    def copy(self):
        """Another one of the same nodes."""
        other = Graph(self.entry)
        other.cost, other.after, other.ends = dict(self.cost), {k: list(v) for k, v in self.after.items()}, set(self.ends)
        return other

    def blocks(self):
        """(graph of blocks, {block: its nodes}): straight lines in one. A block is named by its first node."""
        before = self.before()
        first = [node for node in self.after if node == self.entry or len(before[node]) != 1
                 or len(self.after[before[node][0]]) != 1 or before[node][0] in self.ends]
        graph, inside = Graph(self.entry), {}
        for node in first:
            line = [node]
            while len(self.after[line[-1]]) == 1 and line[-1] not in self.ends:
                following = self.after[line[-1]][0]
                if len(before[following]) != 1 or following == self.entry:
                    break
                line.append(following)
            cost = tuple(sum(self.cost[one][unit] for one in line) for unit in (0, 1))
            graph.add(node, cost, self.after[line[-1]], line[-1] in self.ends)
            inside[node] = line
        return graph, inside

    def order(self):
        """Reverse postorder from the entry."""
        seen, found, stack = {self.entry}, [], [(self.entry, iter(self.after[self.entry]))]
        while stack:
            node, rest = stack[-1]
            for other in rest:
                if other not in seen:
                    seen.add(other)
                    stack.append((other, iter(self.after[other])))
                    break
            else:
                stack.pop()
                found.append(node)
        return found[::-1]

    def dominators(self, order):
        """{node: its nearest dominator}; the entry's is itself."""
        number, before, near = {node: i for i, node in enumerate(order)}, self.before(), {self.entry: self.entry}
        changed = True
        while changed:
            changed = False
            for node in order[1:]:
                found = None
                for other in before[node]:
                    if other in near:
                        while found is not None and found != other:
                            while number[other] > number[found]:
                                other = near[other]
                            while number[found] > number[other]:
                                found = near[found]
                        found = other
                changed |= near.get(node) != found
                near[node] = found
        return near

    def loops(self):
        """[(head, latches, body)], or the edge (node, node) by which a loop is entered beside its head."""
        order = self.order()
        number, near, before, found = {node: i for i, node in enumerate(order)}, self.dominators(order), self.before(), {}
        for node in order:
            for other in self.after[node]:
                if number[other] <= number[node]:
                    above = node
                    while number[above] > number[other]:
                        above = near[above]
                    if above != other:
                        return None, (node, other)
                    found.setdefault(other, []).append(node)
        loops = []
        for head, latches in found.items():
            body, todo = {head}, [node for node in latches if node != head]
            while todo:
                node = todo.pop()
                if node not in body:
                    body.add(node)
                    todo += before[node]
            loops.append((head, latches, body))
        return loops, None


def rounds(graph, loop, bound):
    """How often its back edges are taken for each time that it is entered, if its body is begun at most `bound` times."""
    _, latches, body = loop
    out = {node for node in body if node in graph.ends or any(other not in body for other in graph.after[node])}
    return max(bound - 1, 0) if out and out == set(latches) else bound


def program(graph, loops, apart, unit, rare=((), 0), total=()):
    """The integer program as text. loops: [(loop, rounds)]; apart: [(node, node)], of which one at most is walked, once; rare:
    ([(node, cost)], times): what a walk of a node may cost more (None: it does), of all so many times; total: [(loop, rounds of
    all)].
    """
    pairs = [(node, other) for node, following in graph.after.items() for other in following]
    edges = {pair: f"e{i}" for i, pair in enumerate(pairs)}
    way_in, way_out = {}, {}
    for (node, other), name in edges.items():
        way_out.setdefault(node, []).append(name)
        way_in.setdefault(other, []).append(name)
    ends = {node: f"x{i}" for i, node in enumerate(sorted(graph.ends, key=str))}
    cost, limits, names = [], [], {node: f"n{i}" for i, node in enumerate(graph.after)}
    for node, name in names.items():
        cost.append(f"{graph.cost[node][unit]} {name}")
        entered = way_in.get(node, [])
        limits.append(" - ".join([name, *entered]) + f" = {int(node == graph.entry)}")
        left = way_out.get(node, []) + ([ends[node]] if node in ends else [])
        limits.append(" - ".join([name, *left]) + " = 0")
    limits.append(" + ".join(ends.values()) + " = 1")
    for (head, latches, body), times in loops:
        back = [edges[latch, head] for latch in latches]
        into = [name for (node, other), name in edges.items() if other == head and node not in body]
        limits.append(" + ".join(back) + "".join(f" - {times} {name}" for name in into)
                      + f" <= {times if head == graph.entry else 0}")
    limits += [f"{names[one]} + {names[other]} <= 1" if one != other else f"{names[one]} <= 1" for one, other in apart]
    more = {f"y{i}": (names[node], costs) for i, (node, costs) in enumerate(rare[0])}
    cost += [f"{costs[unit]} {name}" for name, (_, costs) in more.items() if costs]
    limits += [f"{name} - {walked} {'<' if costs else ''}= 0" for name, (walked, costs) in more.items()]
    if more:
        limits.append(" + ".join(more) + f" <= {rare[1]}")
    for (head, latches, _), times in total:
        limits.append(" + ".join(edges[latch, head] for latch in latches) + f" <= {times}")
    wrap = [re.sub(r"(.{60,}?) ([+-]) ", r"\1\n \2 ", line) for line in limits]     # lines of the format are short
    every = [*names.values(), *edges.values(), *ends.values(), *more]
    objective = re.sub(r"(.{60,}?) ([+-]) ", r"\1\n \2 ", " + ".join(cost))
    return f"Maximize\n cost: {objective}\nSubject To\n " + "\n ".join(wrap) + "\nGeneral\n " + "\n ".join(every) + "\nEnd\n"


def solve(text):
    """(cost, {variable: value}) of the best solution; None if there is none, or no best one."""
    tool = shutil.which("glpsol")
    if not tool:
        raise InputError(fault("glpsol", None, "no solver for integer programs", "tools/deps.sh bounds"))
    with tempfile.TemporaryDirectory() as folder:
        paths = [os.path.join(folder, name) for name in ("road.lp", "road.txt")]
        with open(paths[0], "w", encoding="ascii") as file:
            file.write(text)
        done = subprocess.run([tool, "--lp", paths[0], "--write", paths[1]], capture_output=True, text=True, timeout=120,
                              check=False)
        if done.returncode or not os.path.exists(paths[1]):
            raise InputError(fault("glpsol", None, " ".join(done.stdout.split()[-20:])))
        with open(paths[1], encoding="ascii") as file:
            lines = [line.split() for line in file]
    status = next(line for line in lines if line and line[0] == "s")
    if status[4] != "o":
        return None
    names = re.findall(r"\b[nexy]\d+\b", text)
    columns = [line[2] for line in lines if line and line[0] == "j"]
    ordered = list(dict.fromkeys(names))
    return round(float(status[5])), dict(zip(ordered, map(int, map(float, columns))))
