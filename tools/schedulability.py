"""Does every task end in time? The formulas behind tools/schedule.py; all times are integer nanoseconds.

A VM is a list of periodic or sporadic tasks, the first the most urgent, deadlines within their periods, preempted at once by
its own kernel. (A kernel that runs the earliest deadline first keeps all deadlines that this order keeps: it is optimal.)

  response_fixed   fixed priorities: response time analysis, Joseph and Pandya, "Finding Response Times in a Real-Time System",
                   The Computer Journal 29 (1986); with blocking, Audsley, Burns, Richardson, Tindell and Wellings, "Applying New
                   Scheduling Theory to Static Priority Pre-emptive Scheduling", Software Engineering Journal 8 (1993)
  Periodic         a budget in each period: the supply bound function of Shin and Lee, "Periodic Resource Model for Compositional
                   Real-Time Guarantees", RTSS 2003; Lipari and Bini, "Resource Partitioning among Real-Time Applications",
                   ECRTS 2003
  budgets_beyond   whether each has its budget: Liu and Layland 1973, Baker 1991
  Turns            a slice in turn, of round robin: a periodic resource whose longest wait is that of all others' slices
  Windows          windows of a major frame: the same from the table itself, Mok, Feng and Chen, "Resource Partition for
                   Real-Time Systems", RTAS 2001
  response_supply  the response time with such a supply: the first time by which it is at least what is requested
"""

from dataclasses import dataclass, field

FAR = 1000                          # a response that is so many deadlines away is none


@dataclass
class Task:
    """One task of a VM; `line` is where the partition file says so."""
    name: str
    period: int
    wcet: int
    deadline: int
    line: int = 0


@dataclass
class Vm:
    """A VM, and what its scheduler knows of it."""
    name: str
    tasks: list = field(default_factory=list)
    priority: int = 0
    period: int = 0                 # of a reservation
    budget: int = 0
    line: int = 0


@dataclass
class Costs:
    """What the hypervisor takes, in nanoseconds."""
    job: int = 0                    # of each job: the switch to its VM with its interrupt, and the one away
    switch: int = 0                 # at the end of a slice or at the begin of a window
    block: int = 0                  # the longest that an interrupt waits, whoever runs: a switch, or a longer road


def ceil(a, b):
    """a / b, rounded up."""
    return -(-a // b)


def requested(task, others, length, costs):
    """The most work of a task's job and of these others' that is released in an interval."""
    return task.wcet + costs.job + sum(ceil(length, other.period) * (other.wcet + costs.job) for other in others)


def fixed_point(task, step):
    """The least t with step(t) <= t, or None if there is none within reach."""
    length = step(1)
    while length <= FAR * task.deadline:
        longer = step(length)
        if longer <= length:
            return length
        length = longer
    return None


def response_fixed(task, others, costs, slice_length=1, shared=0):
    """R = B + C + sum over others of ceil(R / T) C, and a switch at the end of each slice of so many levels that share it."""
    def step(length):
        slices = ceil(length, slice_length) + shared if shared else 0
        return costs.block + slices * costs.switch + requested(task, others, length, costs)
    return fixed_point(task, step)


class Periodic:
    """A budget in each period, first come as early, then as late as can be."""

    def __init__(self, period, budget):
        self.period, self.budget = period, budget

    def time_for(self, work):
        """The least t with sbf(t) >= work."""
        full = ceil(work, self.budget) - 1
        return 2 * (self.period - self.budget) + full * (self.period - self.budget) + work


class Turns:
    """A slice in each turn, of which all others may use theirs first."""

    def __init__(self, wait, slice_length):
        self.wait, self.slice = wait, slice_length

    def time_for(self, work):
        """Before each slice that the work needs, all others'."""
        return ceil(work, self.slice) * self.wait + work


class Windows:
    """[(start, length)] within a frame, in order and apart. `then`: all frames behind the first, perhaps of another plan."""

    def __init__(self, frame, windows, then=None):
        self.frame, self.windows, self.then = frame, windows, then or self
        self.total = sum(length for _, length in windows)

    def time_for(self, work):
        """From the worst time to begin, which is the end of a window."""
        return max(self.from_end_of(index, work) for index in range(len(self.windows)))

    def from_end_of(self, index, work):
        """What is left of this frame; then whole ones."""
        begin = sum(self.windows[index])
        for start, length in self.windows[index + 1:]:
            if work <= length:
                return start + work - begin
            work -= length
        return self.frame - begin + self.then.from_frame(work)

    def from_frame(self, work):
        """From the begin of a frame on."""
        frames, work = divmod(work - 1, self.total)
        work += 1
        for start, length in self.windows:
            if work <= length:
                return frames * self.frame + start + work
            work -= length
        raise AssertionError("more work than a frame has")


class Worst:
    """Of several supplies, whichever comes last."""

    def __init__(self, supplies):
        self.supplies = supplies

    def time_for(self, work):
        """The least time that is enough with any of them."""
        return max(supply.time_for(work) for supply in self.supplies)


def response_supply(task, others, costs, supply):
    """The least R with sbf(R) >= C + sum over others of ceil(R / T) C, and the road that may be in the way of it."""
    return fixed_point(task, lambda length: costs.block + supply.time_for(requested(task, others, length, costs)))


def budgets_beyond(vms, block):
    """Of budgets, the earliest deadline first: (the VM up to which they do not fit, by how much of its period), or None.

    Liu and Layland, "Scheduling Algorithms for Multiprogramming in a Hard-Real-Time Environment", JACM 20 (1973), with what can't
    be interrupted as Baker has it, "Stack-Based Scheduling of Realtime Processes", Real-Time Systems 3 (1991): for each server,
    the shares of all with shorter periods and its own, and the longest road in its period, are at most 1.
    """
    shorter = []
    for vm in sorted((vm for vm in vms if vm.budget), key=lambda vm: vm.period):
        shorter.append(vm)
        wanted = block + sum(ceil(other.budget * vm.period, other.period) for other in shorter)
        if wanted > vm.period:
            return vm, wanted - vm.period
    return None


def responses_by_priority(vms, costs, quantum):
    """{(vm's name, task's name): response or None}: tasks of higher VMs and of equals come first, then those before it.

    Of a VM with equals so do those behind it: the others' work that has gathered while they ran comes in the next turn.
    """
    result = {}
    levels = [vm.priority for vm in vms]
    for vm in vms:
        above = [task for other in vms if other is not vm and other.priority >= vm.priority for task in other.tasks]
        shared = len({level for level in levels if level >= vm.priority and levels.count(level) > 1})
        for index, task in enumerate(vm.tasks):
            own = [other for other in vm.tasks if other is not task] if levels.count(vm.priority) > 1 else vm.tasks[:index]
            result[vm.name, task.name] = response_fixed(task, above + own, costs, quantum, shared)
    return result


def responses_by_supply(vms, costs, supply_of):
    """The same where each VM has a supply of its own; a VM without one never ends."""
    result = {}
    for vm in vms:
        supply = supply_of(vm) if vm.tasks else None
        for index, task in enumerate(vm.tasks):
            result[vm.name, task.name] = response_supply(task, vm.tasks[:index], costs, supply) if supply else None
    return result
