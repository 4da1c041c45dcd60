"""sample.py: watch the traps of an image's guests for a moment, from outside.

A guest runs a few instructions, one by one, until it traps; the hypervisor runs on to the rfi that returns to a guest. That
shows each guest's last privileged instruction and last interrupt, and a guest that takes one interrupt again and again without
getting on. Nothing in the image takes part in it, and what is not asked for costs nothing: so this is here, and not in the
hypervisor, where the road to a guest's own vector is a hot one.

One by one, because time jumps at a breakpoint (-icount sleep=off: QEMU takes a processor that a debugger has stopped for one
that waits, and goes on to the next timer); between single steps it stands. So a slice ends as soon as a guest runs freely.
"""

import collections
import time

import decode

TRAPS = 16              # of each guest: enough to see that nothing changes
STEPS = 24              # instructions of a guest in one of its turns, without a trap
QUIET = 2               # such turns of a guest: it does not trap
ROUNDS = 12             # turns of a guest that has shown enough, while others trap once in theirs
SECONDS = 20.0          # for all of them, on a host that is very busy
WAIT = 0.5              # for one breakpoint
AGAIN = 8               # times the same interrupt at the same place is a loop

MSR_PR = 0x4000
SYNCHRONOUS = (0x0200, 0x0300, 0x0400, 0x0600, 0x0700, 0x0800, 0x0F20, 0x1100, 0x1200)

# A trap: the machine's vector, the guest's pc, the word there (None: not to be had), a digest of the guest's registers, and
# what came of it: offset of the guest's vector that it went on at, or None
Trap = collections.namedtuple("Trap", "vector pc word digest delivered", defaults=(None,))


class History:
    """What one guest did in the sample."""

    def __init__(self):
        self.traps = []

    def last_privileged(self):
        """(instruction, pc) of the last one, or None."""
        for trap in reversed(self.traps):
            name = decode.privileged(trap.word) if trap.vector == 0x0700 else ""
            if name:
                return name, trap.pc
        return None

    def last_interrupt(self):
        """(offset of the vector, pc) of the last one, or None."""
        return next(((trap.delivered, trap.pc) for trap in reversed(self.traps) if trap.delivered is not None), None)

    def loop(self):
        """(offset of the vector, pc, times) of an interrupt that leads to itself, or None.

        Either the guest does nothing else between two of them, or it returns to the same instruction with the same registers.
        """
        own = [trap for trap in self.traps if trap.vector not in (0x0500, 0x1000) or trap.delivered is not None]
        taken = [trap for trap in own if trap.delivered is not None]
        if not taken or taken[-1].delivered not in SYNCHRONOUS:
            return None
        last = taken[-1]
        alike = [trap for trap in taken if (trap.delivered, trap.pc) == (last.delivered, last.pc)]
        nothing_else = len(own) == len(taken) == len(alike)
        if len(alike) < AGAIN or not (nothing_else or len({trap.digest for trap in alike}) == 1):
            return None
        return last.delivered, last.pc, len(alike)


class Sampler:
    """Runs the machine and fills a History for each VM. The layout knows the image (vmstate.py)."""

    def __init__(self, monitor, debugger, layout):
        self.monitor, self.debugger, self.layout = monitor, debugger, layout
        self.histories = [History() for _ in layout.vms]
        self.quiet = [0 for _ in layout.vms]
        self.trapped = None     # the guest that has trapped and was not entered again
        self.steps = 0          # of this turn, since the last trap

    def run(self):
        """Until each guest has shown enough, or time is up. Ends in a guest or at a vector, if the machine comes there."""
        self.debugger.stop_at([*self.layout.vectors, *self.layout.returns])
        end = time.monotonic() + SECONDS
        registers = self.monitor.registers()
        while "SHUTDOWN" not in self.monitor.poll() and self._advance(registers):
            registers = self.monitor.registers()
            if (self._enough() or time.monotonic() > end) and self.layout.place(self.monitor, registers):
                break
        return self.histories

    def _enough(self):
        """All are seen; or so many rounds are over that the others wait."""
        return max(self.quiet) >= ROUNDS or all(map(self._seen, range(len(self.quiet))))

    def _seen(self, vm):
        return len(self.histories[vm].traps) >= TRAPS or self.quiet[vm] >= QUIET

    def _advance(self, registers):
        """On by one piece. False: the machine does not come to a guest or a vector any more."""
        if registers["MSR"] & MSR_PR:
            vm = self.layout.current(self.monitor)
            self.steps += 1
            if self.steps <= STEPS and not self._seen(vm):
                self.debugger.step()
                return True
            self.quiet[vm], self.steps = self.quiet[vm] + 1, 0
        elif registers["NIP"] in self.layout.vectors:
            self._trap(registers)
        elif registers["NIP"] in self.layout.returns:
            self._return(registers)
            self.debugger.step()
            return True
        self.debugger.step()
        return self.debugger.go(WAIT)

    def _trap(self, registers):
        if not registers["SRR1"] & MSR_PR:     # the idle loop, or the hypervisor's work for a VM that starts
            return
        vm = self.layout.current(self.monitor)
        vector = self.layout.vectors[registers["NIP"]]
        pc = registers["SRR2" if vector == 0x0200 else "SRR0"]
        word = self.layout.guest_word(self.monitor, vm, pc - 4 if vector == 0x0C00 else pc)
        digest = tuple(registers.get(name) for name in (*(f"r{number}" for number in range(32)), "LR", "CTR", "CR"))
        self.histories[vm].traps.append(Trap(vector, pc, word, digest))
        self.trapped, self.steps = vm, 0

    def _return(self, registers):
        """Where does the guest that trapped go on, now or in its next slice?"""
        vm, self.trapped = self.trapped, None
        if vm is None:
            return
        stays = self.layout.current(self.monitor) == vm
        on = registers["SRR0"] if stays else self.layout.word_at(self.monitor, vm, "VCPU_PC")
        traps = self.histories[vm].traps
        offset = on - self.layout.word_at(self.monitor, vm, "VCPU_EVPR")
        if offset in decode.vectors() and on != traps[-1].pc + 4:
            traps[-1] = traps[-1]._replace(delivered=offset)
