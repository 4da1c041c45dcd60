#!/usr/bin/python3
"""schedule.py: do the tasks of a product's VMs keep their deadlines? Proved from its partition file, before it runs.

    schedule.py --partitions build/demo/gen/partitions.json --out build/demo

Reads the tasks (period, worst case, deadline) and what the scheduler gives each VM; writes schedule.json, and with --show
prints the table and writes schedule.svg. The formulas, and whose they are, are in tools/schedulability.py.

What the hypervisor itself takes is in instructions: the paths `vm_switch_c_deliver` and `vm_switch_c` of build/bench.json if it
is there, otherwise their limits in config/targets.toml, [paths]; the scheduler's decision, the longest road, and cycles of an
instruction are bounds of config/targets.toml, [schedule]. A job pays for the switch to its VM with the interrupt that begins
it, and for the one away from it. A VM's `wcet_us` is that of its job as a guest: with the traps that the job makes.

No proof covers a VM that is started again while others run: a VM whose `on_reset` is "restart" takes its new start out of
its own priority, windows or budget.

Exit status: 0 if all fit, 1 if not, or if an input is bad; 2 for wrong usage.
"""

import sys

sys.dont_write_bytecode = True      # generated files belong under build/ only

import argparse
import json
import os

import overheads
from kconfig import InputError, fault, read_text, run_tool, write_if_changed
from run import table
from schedulability import Costs, Periodic, Task, Turns, Vm, Windows, Worst, budgets_beyond, responses_by_priority
from schedulability import responses_by_supply
from svg import Picture

ROOT = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))
NS = 1000                           # in a microsecond


def load(path, what, hint):
    """A JSON file of ours."""
    try:
        return json.loads(read_text(path, what, hint))
    except ValueError as error:
        raise InputError(fault(path, getattr(error, "lineno", None), f"not JSON: {error}", hint)) from None


class Overheads:
    """Instructions of the hypervisor's roads, and where each figure is from."""

    def __init__(self, targets, bench, schedule, vm_count, tb_hz):
        bounds = targets["schedule"]
        self.rows = [(key, *self.path(key, targets["paths"], bench)) for key in ("vm_switch_c_deliver", "vm_switch_c")]
        self.rows.append(("decision", overheads.decision(bounds, schedule["kind"], vm_count), "targets.toml"))
        self.rows.append(("longest road", bounds["road"], "targets.toml"))
        self.cycles = bounds["cycles_per_instruction"]
        self.tb_hz = tb_hz
        deliver, switch, decision, road = (self.ns(row[1]) for row in self.rows)
        shortest = -(-bounds["pit_ticks_min"] * 1_000_000_000 // tb_hz)
        self.costs = Costs(job=deliver + switch + 2 * decision, switch=switch + decision, block=road + shortest)
        if schedule["kind"] == "reservations":      # what the scheduler itself charges
            ticks = overheads.activation_ticks(schedule["switch_ticks"])
            self.costs.job = -(-ticks * 1_000_000_000 // tb_hz)

    @staticmethod
    def path(key, paths, bench):
        """(instructions, source) of one path."""
        row = bench.get("paths", {}).get(key) if bench else None
        return (max(row["insns"], row.get("with_tlb", 0)), "bench.json") if row else (overheads.limit(paths, key), "targets.toml")

    def ns(self, instructions):
        """Their time on the board; a tick of its time base is a cycle."""
        return -(-instructions * self.cycles * 1_000_000_000 // self.tb_hz)


class Plan:
    """A product's VMs and its scheduler, and what follows."""

    def __init__(self, data, costs):
        self.source, self.schedule, self.costs = data["source"], data["schedule"], costs
        self.kind = self.schedule["kind"]
        self.quantum = self.schedule["quantum_us"] * NS
        self.vms = [Vm(vm["name"], [Task(task["name"], task["period_us"] * NS, task["wcet_us"] * NS, task["deadline_us"] * NS,
                                         task["line"]) for task in vm["tasks"]],
                       vm.get("priority", 0), vm.get("period_us", 0) * NS, vm.get("budget_us", 0) * NS, vm["line"])
                    for vm in data["vms"]]

    def responses(self):
        """{(vm, task): nanoseconds or None}"""
        if self.kind in ("priority", "single"):
            return responses_by_priority(self.vms, self.costs, self.quantum)
        return responses_by_supply(self.vms, self.costs, self.supply)

    def windows(self, index):
        """[(frame, windows)] of a VM in each plan that has some, without what the begin of a window takes."""
        begin = self.costs.switch + self.costs.block
        for plan in self.schedule["plans"]:
            found = [(row["at_us"] * NS + begin, row["us"] * NS - begin) for row in plan["windows"] if row["vm"] == index]
            if found:
                yield Windows(plan["frame_us"] * NS, found)

    def supply(self, vm):
        """What the scheduler gives a VM, None if nothing."""
        if self.kind == "cyclic":       # a change of the plan can come at the end of any frame
            plans = list(self.windows(self.vms.index(vm)))
            if any(length <= 0 for plan in plans for _, length in plan.windows):
                return None
            return Worst([Windows(plan.frame, plan.windows, then) for plan in plans for then in plans])
        if self.kind == "reservations":
            return Periodic(vm.period, vm.budget - self.costs.job) if vm.budget > self.costs.job else None
        others = len(self.vms) - 1
        extra = self.costs.switch + self.costs.block    # at the end of each slice
        return Turns(others * self.quantum + len(self.vms) * extra, self.quantum)

    def faults(self):
        """What no response time is about."""
        if self.kind == "cyclic":
            yield from self.short_windows()
        if self.kind == "reservations":
            yield from self.bad_budgets()
        if self.kind != "priority":
            return
        for vm in self.vms:
            for other in self.vms:
                if other is not vm and vm.tasks and not other.tasks and other.priority >= vm.priority:
                    yield fault(self.source, other.line,
                                f"vm '{other.name}' may compute for ever, and vm '{vm.name}', which has tasks, has no higher "
                                "priority",
                                f"priority = {other.priority + 1} for '{vm.name}', or tasks = [...] for '{other.name}'")

    def bad_budgets(self):
        """Budgets that are promised twice, that are gone with the first switch, or that are not there."""
        for vm in self.vms:
            if vm.tasks and not vm.budget:
                yield fault(self.source, vm.line, f"vm '{vm.name}' has tasks, and no budget",
                            "period_us = ... and budget_us = ...")
            elif vm.budget and vm.budget <= self.costs.job:
                yield fault(self.source, vm.line,
                            f"vm '{vm.name}': of its budget of {us(vm.budget)} us, the switches to it and back take "
                            f"{us(self.costs.job)} us", f"budget_us = {self.costs.job // NS + 1} at least")
        found = budgets_beyond(self.vms, self.costs.block + self.costs.switch)
        if found:
            vm, beyond = found
            text = f"the budgets up to the one of vm '{vm.name}' are {us(beyond)} us too much in its period of {us(vm.period)} us"
            most = (vm.budget - beyond) // NS
            yield fault(self.source, vm.line, text, f"budget_us = {most}, or less for another VM" if most > 0 else
                        "less for another VM, or a longer period")

    def short_windows(self):
        """The hypervisor needs more of them than they have, or than a second VM's next one can do without."""
        least = -(-(self.costs.switch + self.costs.block) // NS)
        for plan in self.schedule["plans"]:
            for row in plan["windows"]:
                if row["us"] <= least:
                    yield fault(self.source, row["line"], f"plan '{plan['name']}': a window of {row['us']} us, of which the "
                                f"hypervisor may take {us(self.costs.switch + self.costs.block)} us",
                                f"us = {least + 1} at least")

    def late(self, responses):
        """The tasks that do not end in time."""
        for vm in self.vms:
            for task in vm.tasks:
                response = responses[vm.name, task.name]
                if response is None or response > task.deadline:
                    yield vm, task, response

    def fits(self):
        """Whether all do."""
        return not list(self.late(self.responses()))

    def largest(self, task):
        """The most microseconds that a task's worst case can be, if all are to fit; 0 if none."""
        kept, low, high = task.wcet, 0, task.wcet // NS
        while low < high:
            middle = (low + high + 1) // 2
            task.wcet = middle * NS
            low, high = (middle, high) if self.fits() else (low, middle - 1)
        task.wcet = kept
        return low

    def least_budget(self, vm):
        """The fewest microseconds that are enough for all tasks of a VM, 0 if none that is free is."""
        kept, low, high = vm.budget, vm.budget // NS, vm.period // NS
        while low < high:
            middle = (low + high) // 2
            vm.budget = middle * NS
            late = any(other is vm for other, _, _ in self.late(self.responses()))
            low, high = (middle + 1, high) if late else (low, middle)
        vm.budget = low * NS
        good = self.fits() and not list(self.faults())
        vm.budget = kept
        return low if good else 0

    def hint(self, late):
        """Which number to change: the worst case of the task itself, or of one that takes time from it."""
        task = late[1]
        budget = self.least_budget(late[0]) if self.kind == "reservations" else 0
        if budget:
            return f"it fits with budget_us = {budget} instead of {late[0].budget // NS}"
        own = self.largest(task)
        if own:
            return f"it fits with wcet_us = {own} instead of {task.wcet // NS}"
        rows = [(self.largest(other), vm, other) for vm in self.vms for other in vm.tasks if other is not task]
        most, vm, other = max(rows, key=lambda row: row[0], default=(0, None, None))
        if most:
            return (f"it fits with wcet_us = {most} instead of {other.wcet // NS} of vm '{vm.name}', task '{other.name}', line "
                    f"{other.line}")
        return "no worst case alone can be made short enough: longer periods, or fewer VMs"

    def complaints(self, responses):
        """What does not fit, by how much, and what to change."""
        found = list(self.faults())
        for vm, task, response in self.late(responses):
            text = f"vm '{vm.name}': task '{task.name}' "
            text += "has no bound on its response time" if response is None else \
                (f"ends {us(response)} us{' or more' if response > task.period else ''} after its release, "
                 f"{us(response - task.deadline)} us beyond its deadline of {us(task.deadline)} us")
            found.append(fault(self.source, task.line, text, self.hint((vm, task))))
        return found

    def report(self, responses):
        """schedule.json: of each VM with tasks, the one that has the least time to spare."""
        rows = []
        for vm in self.vms:
            slack = [(task.deadline - responses[vm.name, task.name], task) for task in vm.tasks
                     if responses[vm.name, task.name] is not None]
            if slack:
                least, task = min(slack, key=lambda pair: pair[0])
                rows.append({"name": vm.name, "deadline_us": task.deadline // NS,
                             "response_us": -(-responses[vm.name, task.name] // NS), "slack_us": least // NS})
        return rows


def us(nanoseconds):
    """Microseconds, as a person reads them, rounded up."""
    return f"{-(-nanoseconds // 100) / 10:.1f}"


def show(plan, taken, responses):
    """The tables."""
    yield f"{plan.source}: {plan.kind}"
    rows = [["vm", "task", "period", "wcet", "deadline", "response", "slack"]]
    for vm in plan.vms:
        for task in vm.tasks:
            response = responses[vm.name, task.name]
            rows.append([vm.name, task.name, us(task.period), us(task.wcet), us(task.deadline),
                         "no bound" if response is None else us(response),
                         "-" if response is None else us(task.deadline - response)])
        if not vm.tasks:
            rows.append([vm.name, "-", "-", "-", "-", "-", "-"])
    yield from table(rows, left=(0, 1))
    yield "all in us"
    yield ""
    yield from table([["the hypervisor's own", "instructions", "us", "from"],
                      *([name, str(count), us(taken.ns(count)), source] for name, count, source in taken.rows)], left=(0, 3))
    yield f"{taken.cycles} cycles an instruction; of each job {us(plan.costs.job)} us, in the way of it {us(plan.costs.block)} us"


LEFT, WIDTH, ROW, TOP = 190, 560, 34, 64


def render_svg(plan, responses):
    """Of each task a bar: its response time, and what is left to the deadline; every bar as long as its deadline."""
    page = Picture(LEFT + WIDTH + 190, "Response times and deadlines")
    page.text(24, 32, f"Longest response of each task within its deadline ({plan.kind})", "title")
    for index, (vm, task) in enumerate((vm, task) for vm in plan.vms for task in vm.tasks):
        y = TOP + ROW * index
        response = responses[vm.name, task.name]
        part = WIDTH * min(1, response / task.deadline) if response is not None else WIDTH
        css = "response" if response is not None and response <= task.deadline else "late"
        text = "no bound" if response is None else f"{us(response)} of {us(task.deadline)} us"
        page.text(LEFT - 12, y + 15, f"{vm.name}: {task.name}", anchor="end")
        page.bar(LEFT, y, WIDTH, 20, "slack")
        page.bar(LEFT, y, part, 20, css)
        page.line(LEFT + WIDTH, y - 3, LEFT + WIDTH, y + 23, "deadline")
        page.text(LEFT + WIDTH + 10, y + 14, text, "small")
    return page.svg()


def parse_arguments(argv):
    """The command line."""
    parser = argparse.ArgumentParser(prog="schedule.py", description=__doc__.split("\n", maxsplit=1)[0])
    parser.add_argument("--partitions", required=True, help="the product's gen/partitions.json")
    parser.add_argument("--targets", default=os.path.join(ROOT, "config", "targets.toml"), help="bounds of the overheads")
    parser.add_argument("--bench", help="build/bench.json, with measured overheads; it need not be there")
    parser.add_argument("--out", required=True, help="folder for schedule.json and schedule.svg")
    parser.add_argument("--show", action="store_true", help="print the tables, and draw them")
    return parser.parse_args(argv)


def main(argv=None):
    """Prove, write, and complain about what does not fit."""
    args = parse_arguments(argv)
    data = load(args.partitions, "partition table", "build the product first: make")
    targets = overheads.targets(args.targets)
    bench = load(args.bench, "figures of the bench", "make bench") if args.bench and os.path.exists(args.bench) else None
    taken = Overheads(targets, bench, data["schedule"], len(data["vms"]), data["board"]["tb_hz"])
    plan = Plan(data, taken.costs)
    responses = plan.responses()
    complaints = plan.complaints(responses)
    report = {"fits": not complaints, "vms": plan.report(responses)}
    write_if_changed(os.path.join(args.out, "schedule.json"), json.dumps(report, indent=2) + "\n")
    if args.show:
        write_if_changed(os.path.join(args.out, "schedule.svg"), render_svg(plan, responses))
        print("\n".join(show(plan, taken, responses)))
    if complaints:
        raise InputError(*complaints)
    return 0


if __name__ == "__main__":
    sys.exit(run_tool(main))
