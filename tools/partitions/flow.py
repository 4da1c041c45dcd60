"""Who can influence whom: the graph of a partition file's VMs, and what [flow] forbids of it.

An edge a -> b: what a does, or what is in its memory, can make a difference in b. Kinds, and what each comes from:

  memory      a tunnel's memory that a writes and b has; doorbell: a line of b's that a rings through a tunnel
  device      registers of one device, of which both have some
  dma         a's device masters the bus: it reads and writes the memory of all, both ways
  control     a starts, stops, pauses and restarts b; plan: a chooses the plan by which b runs; reset: a failure or a reset of a's
              resets the board
  state       b is told, or can look, that a has opened or closed a tunnel, has stopped or failed; console: both share its line,
              and one waits for the other

The last two carry what their program wants only by a code that both know. Nearly every edge has a state edge the other way, and
each shared console joins all its VMs: if `forbid` counted them, no one-way tunnel could be asserted. It does not count them but
with `strict = true`, for a file that wants no cooperation of spies either. Of time alone, who runs when and what is in a cache,
this graph says nothing.

A VM that serves others is a way from each of them to each, by its program's fault. The file may name it as `trusted`: ways begin
and end there, and none goes through. That is then a claim about its program, which no tool here checks.
"""

import collections
import re

from kconfig import guess
from partitions.keys import PARTITIONS

Edge = collections.namedtuple("Edge", "source target kind reason line")     # names of VMs, line of the partition file
WEAK = ("state", "console")


def edges(product):
    """All edges, those of one kind in the order of the file."""
    found = []
    for rule in (tunnels, devices, masters, supervisors, plans, resets, consoles):
        found += rule(product)
    return found


def others(product, vm):
    """The names of the other VMs."""
    return [other.name for other in product.vms if other is not vm]


def line_of(vm, *key):
    """The line of a key of a VM."""
    return vm.reader.toml.line((*vm.path, *key))


def tunnels(product):
    """By rights and by doorbells; and each end sees whether the other is there."""
    for tunnel in product.tunnels:
        for end in tunnel.ends:
            other = end.other()
            line = product.reader.toml.line((*tunnel.path, *end.key))
            names, name = (end.vm.name, other.vm.name), f"tunnel '{tunnel.name}'"
            if end.writes:
                yield Edge(*names, "memory", f"{name}, which it can write", line)
            if other.doorbell is not None and (end.vm.paravirt or end.vm.tunnels_at is not None):
                yield Edge(*names, "doorbell", f"line {other.doorbell} by {name}", line)
            yield Edge(*names, "state", f"{name} opens and closes", line)


def devices(product):
    """Registers of one device that are forwarded to several."""
    for vm in product.vms:
        for _, _, name, key in vm.forward:
            reason = f"registers of '{name}', of which both have some"
            for other in product.vms:
                if other is not vm and any(name == device for _, _, device, _ in other.forward):
                    yield Edge(vm.name, other.name, "device", reason, line_of(vm, *key))


def masters(product):
    """Devices that do DMA in pages of a VM, or forwarded to it."""
    board = product.board
    for vm in product.vms:
        reach = {device["name"]: ("devices", index) for index, name in enumerate(vm.devices)
                 for device in (board.devices[name], *board.page_neighbours(board.devices[name])) if device["dma"]}
        reach.update((name, key) for _, _, name, key in vm.forward if board.devices[name]["dma"])
        for name, key in reach.items():
            for other in others(product, vm):
                yield Edge(vm.name, other, "dma", f"'{name}' writes to all memory", line_of(vm, *key))
                yield Edge(other, vm.name, "dma", f"'{name}' of vm '{vm.name}' reads all memory", line_of(vm, *key))


def supervisors(product):
    """Who starts and stops whom; and sees how it is."""
    for vm in product.vms:
        for index, name in enumerate(vm.supervises):
            yield Edge(vm.name, name, "control", "starts and stops it", line_of(vm, "supervises", index))
            yield Edge(name, vm.name, "state", "it is supervised", line_of(vm, "supervises", index))


def plans(product):
    """Who chooses the plan."""
    for vm in product.vms:
        if vm.plans:
            for other in others(product, vm):
                yield Edge(vm.name, other, "plan", "chooses the plan", line_of(vm, "plans"))


def resets(product):
    """Whose end is everybody's."""
    for vm in product.vms:
        key = "on_failure" if vm.resets_board else "on_reset" if vm.on_reset == "reset" else None
        if key:
            for other in others(product, vm):
                yield Edge(vm.name, other, "reset", "resets the board", line_of(vm, key))


def consoles(product):
    """Those on the common line: the output of one waits for that of another."""
    shared = [vm for vm in product.vms if vm.console_base]
    for vm in shared:
        for other in shared:
            if other is not vm:
                yield Edge(vm.name, other.name, "console", "shared console", line_of(vm, "console"))


def path(found, source, target, trusted=()):
    """The shortest way from one to another as a list of edges, through nobody who is trusted; or None."""
    ways, behind = {source: []}, collections.deque([source])
    while behind:
        here = behind.popleft()
        for edge in found:
            if edge.source == here and edge.target not in ways and (here == source or here not in trusted):
                ways[edge.target] = [*ways[here], edge]
                behind.append(edge.target)
    return ways.get(target) if source != target else None


def as_text(way):
    """A path with the reason of each edge."""
    return ", ".join(f"{edge.source} -> {edge.target} by {edge.kind} ({edge.reason}: line {edge.line})" for edge in way)


def read(product, table):
    """[flow]: [((index of the rule, its text), source, target)] of what is forbidden; `*` stands for every VM."""
    reader = product.reader
    values = reader.values(PARTITIONS["flow"], table, ("flow",))
    product.strict, product.forbidden, product.trusted = values["strict"], [], list(values["trusted"])
    names = [vm.name for vm in product.vms]
    for index, name in enumerate(product.trusted):
        if name not in names:
            reader.fault(("flow", "trusted", index), f"unknown vm '{name}'", guess(str(name), names))
    for index, text in enumerate(values["forbid"]):
        place = ("flow", "forbid", index)
        match = re.fullmatch(r"\s*(\S+)\s*->\s*(\S+)\s*", text) if isinstance(text, str) else None
        if not match:
            reader.fault(place, "what is forbidden has to be a string of two VMs", 'forbid = ["a -> b", "c -> *"]')
            continue
        unknown = [name for name in match.groups() if name not in (*names, "*")]
        for name in unknown:
            reader.fault(place, f"unknown vm '{name}'", guess(name, names))
        if match[1] == match[2] != "*":
            reader.fault(place, f"vm '{match[1]}' always has an influence on itself", "two VMs")
        elif not unknown:
            ends = [names if name == "*" else [name] for name in match.groups()]
            product.forbidden += [(place, source, target) for source in ends[0] for target in ends[1] if source != target]


def check(product):
    """What is forbidden is not there, by whatever way; finds product.flow, all edges."""
    product.flow = edges(product)
    counted = [edge for edge in product.flow if product.strict or edge.kind not in WEAK]
    for place, source, target in product.forbidden:
        way = path(counted, source, target, product.trusted)
        if way:
            product.reader.fault(place, f"{source} -> {target} is forbidden, but: {as_text(way)}",
                                 "take one of these away, or allow it")
