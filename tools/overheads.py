"""Bounds of what the hypervisor itself takes, in instructions and in ticks: of config/targets.toml, [paths] and [schedule]."""

import os
import tomllib

from kconfig import read_text

ENTRY_TICKS = 256
TARGETS = os.path.join(os.path.dirname(os.path.dirname(os.path.abspath(__file__))), "config", "targets.toml")


def targets(path=TARGETS):
    """The file."""
    return tomllib.loads(read_text(path, "table of targets", "it is a part of the source tree"))


def limit(paths, key):
    """The most instructions that a path may have: a target, or the budget of one that is missed."""
    return max(paths[key].get(name, 0) for name in ("at_most", "budget", "budget_with_tlb"))


def decision(bounds, kind, vm_count):
    """Instructions of a scheduler's decision."""
    fixed, each = bounds["decision"][kind]
    return fixed + each * vm_count


def activation_ticks(switch):
    """What a wake-up or a new budget costs with reservations: there, back, and the way from the event to the decision."""
    return 2 * switch + ENTRY_TICKS


def switch_ticks(kind, vm_count, path=TARGETS):
    """A switch with its interrupt and the decision, in ticks of the time base, which are cycles."""
    data = targets(path)
    return (limit(data["paths"], "vm_switch_c_deliver") + decision(data["schedule"], kind, vm_count)) \
        * data["schedule"]["cycles_per_instruction"]
