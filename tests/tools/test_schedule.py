"""tools/schedule.py: what it says and writes; and what it proves, a simulator of the schedulers keeps, for random products."""

import json
import os
import random
import sys

import pytest

sys.dont_write_bytecode = True
TOP = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
sys.path.insert(0, os.path.join(TOP, "tools"))

import schedule  # noqa: E402
from kconfig import run_tool  # noqa: E402
from schedulability import Costs, Periodic, Task, Turns, Vm, Windows, budgets_beyond  # noqa: E402
from schedulability import responses_by_priority, responses_by_supply  # noqa: E402

SETS = 1000
NEVER = 1 << 60


# ---------------------------------------------------------------- the simulator

class Run:
    """A product on one processor, job by job; the longest response of each task."""

    def __init__(self, vms, offsets, costs):
        self.vms, self.costs, self.now = vms, costs, 0
        self.next = {(vm.name, task.name): offsets[vm.name, task.name] for vm in vms for task in vm.tasks}
        self.jobs = {key: [] for key in self.next}          # of each task, [release, work left]
        self.longest = dict.fromkeys(self.next, 0)

    def release(self):
        """What is due."""
        for vm in self.vms:
            for task in vm.tasks:
                key = vm.name, task.name
                while self.next[key] <= self.now:
                    self.jobs[key].append([self.next[key], task.wcet + self.costs.job])
                    self.next[key] += task.period

    def ready(self, vm):
        """A VM without tasks always computes."""
        return not vm.tasks or any(self.jobs[vm.name, task.name] for task in vm.tasks)

    def run(self, vm, until):
        """Time goes on, to `until` at the latest, to the end of the VM's job or to the next release; vm: None is nobody."""
        job = next((self.jobs[vm.name, task.name] for task in vm.tasks if self.jobs[vm.name, task.name]), None) if vm else None
        end = min([until, *self.next.values(), *([self.now + job[0][1]] if job else [])])
        if job:
            job[0][1] -= end - self.now
            if job[0][1] == 0:
                key = next((vm.name, task.name) for task in vm.tasks if self.jobs[vm.name, task.name])
                self.longest[key] = max(self.longest[key], end - job.pop(0)[0])
        self.now = end

    def blocked(self, length):
        """A road that lets nothing in."""
        self.now += length
        self.release()


def priorities(vms, offsets, costs, quantum, horizon):
    """Fixed priorities; below all of them somebody who is always in the longest road. Equals take turns."""
    run = Run(vms, offsets, costs)
    turn = {}                                           # of each level: who, and how much longer
    while run.now < horizon:
        run.release()
        able = [vm for vm in vms if run.ready(vm)]
        if not able:
            if costs.block:
                run.blocked(costs.block)
            else:
                run.run(None, NEVER)
            continue
        level = [vm for vm in vms if vm.priority == max(vm.priority for vm in able)]
        if len(level) == 1:
            run.run(level[0], NEVER)
            continue
        key = level[0].priority
        at, rest = turn.get(key, (0, quantum))
        while not run.ready(level[at % len(level)]):    # who waits has ended its turn
            at, rest = at + 1, quantum
        began = run.now
        run.run(level[at % len(level)], began + rest)
        turn[key] = at, rest - (run.now - began)
        if turn[key][1] == 0:
            turn[key] = at + 1, quantum
            run.blocked(costs.switch)
    return run.longest


def turns(vms, offsets, costs, quantum, horizon):
    """Round robin; a turn ends with the slice or when nothing is left to do."""
    run = Run(vms, offsets, costs)
    at = 0
    while run.now < horizon:
        run.release()
        if not any(map(run.ready, vms)):
            run.run(None, NEVER)
            continue
        at = (at + 1) % len(vms)
        if not run.ready(vms[at]):
            continue
        run.blocked(costs.switch)
        end = run.now + quantum
        while run.ready(vms[at]) and run.now < end:
            run.run(vms[at], end)
            run.release()
        run.blocked(random.randint(0, costs.block))
    return run.longest


class Server:
    """A budget in a period, as src/sched/sched_reserve.c has it; a wake-up and a new budget cost two switches."""

    def __init__(self, vm, switch):
        self.vm, self.costs = vm, 2 * switch
        self.left, self.deadline, self.awake = 0, 0, False

    def look(self, ready, now):
        """Period and budget as of now."""
        costs = self.costs if ready else 0
        if self.deadline <= now:
            again = self.awake and now - self.deadline < self.vm.period
            self.deadline = now if not ready else (self.deadline if again else now) + self.vm.period
            self.left = min(self.left, 0) + self.vm.budget - costs
        elif ready and not self.awake:
            if self.left > 0 and self.left * self.vm.period > self.vm.budget * (self.deadline - now):
                self.deadline, self.left = now + self.vm.period, self.vm.budget
            self.left -= costs
        self.awake = ready


def reservations(vms, offsets, costs, horizon, rng):
    """Budgets, the earliest deadline first; what nobody with a budget wants goes to anybody."""
    run = Run(vms, offsets, Costs())
    servers = [Server(vm, costs.switch) for vm in vms]
    ran = None
    while run.now < horizon:
        run.release()
        for server in servers:
            server.look(run.ready(server.vm), run.now)
        ready = [server for server in servers if server.awake]
        rich = [server for server in ready if server.left > 0]
        if not ready:
            run.run(None, NEVER)
            continue
        chosen = min(rich, key=lambda server: server.deadline) if rich else rng.choice(ready)
        if chosen is not ran:
            ran = chosen
            run.now += costs.switch
        until = min([server.deadline for server in servers if server.deadline > run.now] + [NEVER])
        began = run.now
        run.run(chosen.vm, min(until, run.now + chosen.left) if rich else min(until, run.now + 5))
        end = run.now + rng.randint(0, costs.block)     # a road for it that nothing interrupts
        while run.now < end and run.ready(chosen.vm):
            run.run(chosen.vm, end)
            run.release()
        if rich:
            chosen.left -= run.now - began
    return run.longest


# ---------------------------------------------------------------- random products

def some_tasks(rng, load, costs):
    """Tasks of about this load, periods that have a short hyperperiod."""
    tasks = []
    for name in range(rng.randint(1, 3)):
        period = rng.choice((40, 50, 60, 80, 100, 120, 150, 200, 240, 300))
        wcet = max(1, round(period * load * rng.random()) - costs.job)
        deadline = rng.randint(min(period, 2 * (wcet + costs.job)), period)
        tasks.append(Task(str(name), period, wcet, deadline))
    return sorted(tasks, key=lambda task: task.deadline)


def some_offsets(rng, vms):
    """All together at first, or at any time."""
    together = rng.random() < 0.5
    return {(vm.name, task.name): 0 if together else rng.randrange(task.period) for vm in vms for task in vm.tasks}


def kept(vms, responses, longest):
    """Compare: every task whose response is proven has none longer. How many there were."""
    proven = 0
    for vm in vms:
        for task in vm.tasks:
            response = responses[vm.name, task.name]
            if response is not None and response <= task.deadline:
                assert longest[vm.name, task.name] <= response, (vms, responses, longest)
                proven += 1
    return proven


def test_priorities_are_kept():
    """Different ones and equals, with blocking and the costs of switches and of slices."""
    rng = random.Random(405)
    proven = 0
    for _ in range(SETS):
        switch = rng.randint(0, 1)
        costs = Costs(rng.randint(0, 2), switch, rng.choice((switch, switch, 3, 7)))
        count = rng.randint(2, 4)
        vms = [Vm(str(index), some_tasks(rng, 0.6 / count, costs), rng.randint(0, 3)) for index in range(count)]
        quantum = rng.choice((5, 10, 50))
        responses = responses_by_priority(vms, costs, quantum)
        proven += kept(vms, responses, priorities(vms, some_offsets(rng, vms), costs, quantum, 1300))
    assert proven > SETS


def test_priorities_are_exact():
    """Without costs, and with all released together, no bound is longer than what happens."""
    rng = random.Random(1986)
    compared = 0
    for _ in range(SETS // 4):
        vms = [Vm(str(index), some_tasks(rng, 0.3, Costs()), index) for index in range(3)]
        responses = responses_by_priority(vms, Costs(), 10)
        offsets = {(vm.name, task.name): 0 for vm in vms for task in vm.tasks}
        longest = priorities(vms, offsets, Costs(), 10, 700)
        for vm in vms:
            for task in vm.tasks:
                response = responses[vm.name, task.name]
                if response is not None and response <= task.deadline:
                    assert longest[vm.name, task.name] == response
                    compared += 1
    assert compared > SETS // 2


def test_turns_are_kept():
    """Round robin beside one that always computes."""
    rng = random.Random(77)
    proven = 0
    for _ in range(SETS):
        costs = Costs(rng.randint(0, 1), rng.randint(0, 1), rng.choice((0, 2)))
        vms = [Vm("0", some_tasks(rng, 0.2, costs)), Vm("1"), *([Vm("2", some_tasks(rng, 0.1, costs))] if rng.random() < 0.5 else [])]
        quantum = rng.choice((5, 10, 20))
        others = len(vms) - 1
        responses = responses_by_supply(vms, costs, lambda vm, q=quantum, c=costs, n=others:
                                        Turns(n * (q + c.switch + c.block) + c.switch + c.block, q))
        proven += kept(vms, responses, turns(vms, some_offsets(rng, vms), costs, quantum, 1300))
    assert proven > SETS // 4


def test_budgets_are_kept():
    """Beside one that computes without end, and one that wakes again and again."""
    rng = random.Random(2003)
    proven = 0
    for _ in range(SETS):
        costs = Costs(switch=rng.randint(0, 1), block=rng.choice((0, 0, 2)))
        costs.job = 2 * costs.switch
        vms = [Vm("0", some_tasks(rng, 0.15, costs)), Vm("1"), Vm("2", [Task("0", rng.randint(3, 9), 1, 3)])]
        for vm in vms:
            vm.period = rng.choice((20, 25, 40, 50))
            vm.budget = rng.randint(costs.job + 1, vm.period // (2 if vm is vms[0] else 5))
        if budgets_beyond(vms, costs.block + costs.switch):
            continue
        responses = responses_by_supply(vms, costs, lambda vm, c=costs: Periodic(vm.period, vm.budget - c.job))
        proven += kept(vms, responses, reservations(vms, some_offsets(rng, vms), costs, 1300, rng))
    assert proven > SETS // 4


# ---------------------------------------------------------------- supplies against their definition

def least_time(supplied, work):
    """The least t by which some work is supplied, whenever t begins: from a table of what each instant of a frame gives."""
    worst = 0
    for begin in range(len(supplied)):
        left, time = work, 0
        while left:
            left -= supplied[(begin + time) % len(supplied)]
            time += 1
        worst = max(worst, time)
    return worst


def test_windows_by_the_instant():
    rng = random.Random(653)
    for _ in range(300):
        frame = rng.randint(4, 30)
        supplied = [int(rng.random() < 0.4) for _ in range(frame)]
        supplied[rng.randrange(frame)] = 1
        starts = [i for i in range(frame) if supplied[i] and (i == 0 or not supplied[i - 1])]
        windows = [(start, next(k for k in range(1, frame + 1) if start + k == frame or not supplied[start + k]))
                   for start in starts]
        for work in range(1, 2 * sum(supplied) + 2):
            assert Windows(frame, windows).time_for(work) == least_time(supplied, work), (frame, windows, work)


@pytest.mark.parametrize("period, budget, work, time", [(10, 3, 1, 15), (10, 3, 3, 17), (10, 3, 4, 25), (10, 3, 7, 35),
                                                        (10, 10, 25, 25), (5, 1, 2, 14)])
def test_a_budget_comes_as_late_as_it_can(period, budget, work, time):
    """The staircase of Shin and Lee's figure: the budget of one period at its begin, of all later ones at the end."""
    assert Periodic(period, budget).time_for(work) == time


# ---------------------------------------------------------------- the tool

def table(*vms, kind="priority", **more):
    """A partition table with these VMs: (name, tasks as (period, wcet[, deadline]), other keys)."""
    rows = []
    for index, (name, tasks, keys) in enumerate(vms):
        rows.append({"name": name, "line": 10 * index, **keys,
                     "tasks": [{"name": str(number), "period_us": task[0], "wcet_us": task[1], "deadline_us": (*task, task[0])[2],
                                "line": 10 * index + 1 + number} for number, task in enumerate(tasks)]})
    return {"source": "p.toml", "schedule": {"kind": kind, "quantum_us": 1000, **more}, "board": {"tb_hz": 300_000_000}, "vms": rows}


TARGETS = """[paths]
vm_switch_c = { at_most = 200, budget = 250, budget_with_tlb = 300 }
vm_switch_c_deliver = { at_most = 300, budget_with_tlb = 400 }
[schedule]
cycles_per_instruction = 3
road = 1000
pit_ticks_min = 300
decision = { "single" = [0, 0], "round robin" = [0, 0], "priority" = [50, 25], "cyclic" = [100, 0], "reservations" = [100, 0] }
"""


@pytest.fixture
def tool(tmp_path, capsys):
    """Runs the tool on a table; (exit status, stdout, stderr lines, schedule.json)."""
    def call(data, *options, bench=None):
        (tmp_path / "p.json").write_text(json.dumps(data))
        (tmp_path / "t.toml").write_text(TARGETS)
        if bench:
            (tmp_path / "bench.json").write_text(json.dumps(bench))
        status = run_tool(schedule.main, ["--partitions", str(tmp_path / "p.json"), "--targets", str(tmp_path / "t.toml"),
                                          "--bench", str(tmp_path / "bench.json"), "--out", str(tmp_path), *options])
        out, err = capsys.readouterr()
        return status, out, err.splitlines(), json.loads((tmp_path / "schedule.json").read_text())
    call.path = tmp_path
    return call


def test_fits(tool):
    """Per job (400 + 300 + 2 * 125) instructions of 10 ns; in the way 1000 instructions and 300 ticks: 11 us."""
    status, out, err, report = tool(table(("a", [(1000, 100)], {"priority": 2}), ("b", [(5000, 1000, 3000)], {"priority": 1}),
                                          ("c", [], {})))
    assert (status, out, err) == (0, "", [])
    assert report == {"fits": True, "vms": [{"name": "a", "deadline_us": 1000, "response_us": 121, "slack_us": 879},
                                            {"name": "b", "deadline_us": 3000, "response_us": 1240, "slack_us": 1760}]}


def test_measured_overheads(tool):
    """What the bench has measured counts in place of the limits, and the table says so."""
    bench = {"paths": {"vm_switch_c": {"insns": 190, "with_tlb": 200}, "vm_switch_c_deliver": {"insns": 300}}}
    _, out, _, report = tool(table(("a", [(1000, 100)], {})), "--show", bench=bench)
    assert report["vms"][0]["response_us"] == 118      # (500 + 2 * 75) instructions, and 11 us in the way
    rows = [line.split() for line in out.splitlines()]
    assert ["vm_switch_c", "200", "2.0", "bench.json"] in rows and ["longest", "road", "1000", "10.0", "targets.toml"] in rows


def test_show(tool):
    """The table, and a picture of it."""
    _, out, _, _ = tool(table(("a", [(1000, 100)], {"priority": 2}), ("b", [], {})), "--show")
    assert [line.split() for line in out.splitlines()[:4]] == [
        ["p.toml:", "priority"], ["vm", "task", "period", "wcet", "deadline", "response", "slack"],
        ["a", "0", "1000.0", "100.0", "1000.0", "120.0", "880.0"], ["b", "-", "-", "-", "-", "-", "-"]]
    assert "<svg " in (tool.path / "schedule.svg").read_text() and "120.0 of 1000.0 us" in (tool.path / "schedule.svg").read_text()


def test_by_how_much(tool):
    """What does not fit, by how much, and the number that would."""
    status, _, err, report = tool(table(("a", [(1000, 400)], {"priority": 2}), ("b", [(5000, 3000, 4000)], {"priority": 1})))
    assert status == 1 and not report["fits"]
    assert err == ["p.toml:11: vm 'b': task '0' ends 5474.0 us or more after its release, 1474.0 us beyond its deadline of "
                   "4000.0 us. hint: it fits with wcet_us = 2344 instead of 3000"]
    assert tool(table(("a", [(1000, 400)], {"priority": 2}), ("b", [(5000, 2344, 4000)], {"priority": 1})))[0] == 0
    assert tool(table(("a", [(1000, 400)], {"priority": 2}), ("b", [(5000, 2345, 4000)], {"priority": 1})))[0] == 1


def test_somebody_elses_number(tool):
    """No worst case of its own would do."""
    err = tool(table(("a", [(1000, 990)], {"priority": 2}), ("b", [(5000, 10, 500)], {"priority": 1})))[2]
    assert len(err) == 2
    assert err[1].endswith("hint: it fits with wcet_us = 461 instead of 990 of vm 'a', task '0', line 1") or "line 1" in err[1], err


def test_no_bound(tool):
    """Above it no time is left."""
    err = tool(table(("a", [(1000, 995)], {"priority": 2}), ("b", [(1000, 600)], {"priority": 1})))[2][1:]
    assert len(err) == 1 and "vm 'b': task '0' has no bound on its response time. hint: it fits with wcet_us = 371 instead of 995 of vm 'a'" in err[0]


def test_who_may_compute_for_ever(tool):
    """A VM without tasks belongs below those that have some."""
    status, _, err, report = tool(table(("a", [(1000, 100)], {"priority": 2}), ("b", [], {"priority": 2}), ("c", [], {"priority": 1})))
    assert status == 1 and not report["fits"]
    assert err == ["p.toml:10: vm 'b' may compute for ever, and vm 'a', which has tasks, has no higher priority. "
                   "hint: priority = 3 for 'a', or tasks = [...] for 'b'"]


def test_turns_and_alone(tool):
    """Round robin has to wait for the others' slices; one VM for nobody."""
    _, _, _, report = tool(table(("a", [(5000, 100)], {}), ("b", [], {}), kind="round robin"))
    assert report["vms"][0]["response_us"] == 1146
    _, _, _, report = tool(table(("a", [(5000, 100)], {}), kind="single"))
    assert report["vms"][0]["response_us"] == 118


def plan(name, frame, *windows):
    """A plan of the table: windows are (vm, at, length)."""
    return {"name": name, "line": 90, "frame_us": frame,
            "windows": [{"vm": vm, "at_us": at, "us": length, "line": 91 + index} for index, (vm, at, length) in enumerate(windows)]}


def test_windows(tool):
    """Of a window, switch, decision (400 instructions, 4 us) and road (11 us) are gone; a job has 100 + 9 us, and 11 in the way."""
    frame = plan("x", 1000, (0, 0, 200), (1, 200, 800))
    report = tool(table(("a", [(2000, 100)], {}), ("b", [], {}), kind="cyclic", plans=[frame]))[3]
    assert report["vms"] == [{"name": "a", "deadline_us": 2000, "response_us": 800 + 15 + 109 + 11, "slack_us": 2000 - 935}]
    report = tool(table(("a", [(2000, 300)], {}), ("b", [], {}), kind="cyclic", plans=[frame]))[3]
    assert report["vms"][0]["response_us"] == 1800 + 15 + (309 - 185) + 11


def test_plans_may_change(tool):
    """The worst is from one plan's last window to the other's first: 900 us, and 500."""
    plans = [plan("x", 1000, (0, 0, 100), (1, 100, 900)), plan("y", 1000, (1, 0, 500), (0, 500, 500))]
    report = tool(table(("a", [(5000, 50)], {}), ("b", [], {}), kind="cyclic", plans=plans))[3]
    assert report["vms"][0]["response_us"] == 1400 + 15 + 59 + 11


def test_short_windows(tool):
    """Nothing would be left of them."""
    status, _, err, report = tool(table(("a", [], {}), kind="cyclic", plans=[plan("x", 1000, (0, 0, 15), (0, 100, 16))]))
    assert (status, report["fits"]) == (1, False)
    assert err == ["p.toml:91: plan 'x': a window of 15 us, of which the hypervisor may take 15.0 us. hint: us = 16 at least"]


def reserved(*vms):
    """A table of VMs with budgets: (name, period, budget, tasks). A switch is 1500 ticks of 1/300 us, 5 us: a wake-up 10.9 us."""
    return table(*((name, tasks, {"period_us": period, "budget_us": budget}) for name, period, budget, tasks in vms),
                 kind="reservations", switch_ticks=1500)


def test_budgets(tool):
    """Twice what is not supplied, then the work: 2 * (1000 - 189.1) + 110.9, and 11 in the way."""
    report = tool(reserved(("a", 1000, 200, [(4000, 100)]), ("b", 0, 0, [])))[3]
    assert report["vms"] == [{"name": "a", "deadline_us": 4000, "response_us": 1744, "slack_us": 2256}]


def test_budget_that_would_do(tool):
    """The number to change is the budget, where there is one that fits."""
    err = tool(reserved(("a", 1000, 200, [(1800, 100, 1700)]), ("b", 0, 0, [])))[2]
    assert err == ["p.toml:1: vm 'a': task '0' ends 1743.6 us after its release, 43.6 us beyond its deadline of 1700.0 us. "
                   "hint: it fits with budget_us = 222 instead of 200"]
    assert tool(reserved(("a", 1000, 222, [(1800, 100, 1700)]), ("b", 0, 0, [])))[0] == 0
    assert tool(reserved(("a", 1000, 221, [(1800, 100, 1700)]), ("b", 0, 0, [])))[0] == 1


def test_budgets_that_can_not_be(tool):
    """Too much together, nothing left of one, and none for a VM with tasks."""
    err = tool(reserved(("a", 1000, 600, []), ("b", 2000, 900, []), ("c", 5000, 10, []), ("d", 0, 0, [(1000, 1)])))[2]
    assert err[:3] == [
        "p.toml:20: vm 'c': of its budget of 10.0 us, the switches to it and back take 10.9 us. hint: budget_us = 11 at least",
        "p.toml:30: vm 'd' has tasks, and no budget. hint: period_us = ... and budget_us = ...",
        "p.toml:10: the budgets up to the one of vm 'b' are 115.0 us too much in its period of 2000.0 us. "
        "hint: budget_us = 785, or less for another VM"]


def test_no_tasks(tool):
    """Nothing to prove is no fault, and no word."""
    assert tool(table(("a", [], {}), ("b", [], {}), kind="round robin")) == (0, "", [], {"fits": True, "vms": []})
