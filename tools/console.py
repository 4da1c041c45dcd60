"""console.py: what a console said, sorted by who said it.

The hypervisor writes

    [<vm>] <text>                                     a line of a guest
    [<vm>.1] <text>                                   of its second UART (key `second_uart`)
    [proteus] stat <vm> <key>=<n> <key>=<n> ...       counters at the end (CONFIG_STATS)
    [proteus] stop <vm> <reason>                      it stopped this VM
    [proteus] <anything else>

and a guest ends with a line `<program>: PASS ...` or `<program>: FAIL <why>`. Guests run bare write the same lines without
the tag.

A tag is what stands at the beginning of a line, and the name of a VM of this image: behind it a guest may write what it likes,
and what the guest of an image without the hypervisor writes is never a tag. The hypervisor begins every line itself, so no
guest of a shared console can speak for another or for it. A VM that owns the UART can: of such a product believe only that VM.
"""

import re

# Counters of a `stat` line that do not count traps. Everything else in the line is a kind of trap.
NOT_TRAPS = ("irq", "pit", "ticks", "switches", "starts", "unanswered", "refused", "illegal")

TAGGED = re.compile(r"^\[([A-Za-z0-9_-]+)(\.1)?\] ?(.*)$")
VERDICT = re.compile(r"^[A-Za-z0-9_-]+: (PASS|FAIL)\b ?(.*)$")
HYPERVISOR = "proteus"


class Vm:
    """What one VM left on the console."""

    def __init__(self, name):
        self.name = name
        self.lines = []         # its lines, without the tag
        self.second = []        # those of its second UART
        self.stats = {}         # counter name -> value
        self.stops = []         # reasons for which the hypervisor stopped it
        self.verdict = None     # PASS, FAIL or None
        self.detail = ""        # the words behind PASS or FAIL

    def add(self, text, second=False):
        """Take one line; the first FAIL is final, whatever the guest prints later."""
        (self.second if second else self.lines).append(text)
        match = VERDICT.match(text)
        if match and self.verdict != "FAIL":
            self.verdict, self.detail = match.groups()

    def traps(self):
        """Kinds of traps and their counts, most frequent first."""
        kinds = [(key, count) for key, count in self.stats.items() if key not in NOT_TRAPS]
        return sorted(kinds, key=lambda kind: (-kind[1], kind[0]))

    def trap_total(self):
        """All traps together."""
        return sum(count for _, count in self.traps())


class Console:
    """Sorts the console's lines by speaker. speakers: names that are tags (none: a guest run bare), or None for any."""

    def __init__(self, speakers=None):
        self.speakers = speakers if speakers is None else {*speakers, HYPERVISOR} if speakers else set()
        self.lines = []         # every complete line as it came
        self.hypervisor = []    # lines of the hypervisor, without the tag
        self.untagged = []      # lines without a tag: a guest run bare, or something broken
        self.vms = {}

    def vm(self, name):
        """The record of a VM, created when it is first heard of."""
        return self.vms.setdefault(name, Vm(name))

    def add(self, line):
        """Take one line of the console."""
        self.lines.append(line)
        match = TAGGED.match(line)
        if not match or (self.speakers is not None and match.group(1) not in self.speakers):
            self.untagged.append(line)
        elif match.group(1) == HYPERVISOR:
            self._hypervisor_line(match.group(3))
        else:
            self.vm(match.group(1)).add(match.group(3), bool(match.group(2)))

    def _hypervisor_line(self, text):
        self.hypervisor.append(text)
        words = text.split()
        if len(words) >= 2 and words[0] == "stop":
            self.vm(words[1]).stops.append(" ".join(words[2:]))
        elif len(words) >= 2 and words[0] == "stat":
            stats = self.vm(words[1]).stats
            for word in words[2:]:
                key, equals, value = word.partition("=")
                if equals and re.fullmatch(r"[0-9]+|0x[0-9A-Fa-f]+", value):
                    stats[key] = stats.get(key, 0) + int(value, 0)

    def as_bare(self, name):
        """The console of a guest run bare, seen as the console of one VM."""
        vm = Vm(name)
        for line in self.untagged:
            vm.add(line)
        return vm
