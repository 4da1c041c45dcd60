"""vmstate.py: what each VM of an image is doing, and where it stands, read from outside: a word in the table at the end of each
run, and the tables behind one that did not pass.

The register files are memory of the hypervisor: the symbol `vcpu`, with offsets out of gen/offsets.h, which the build makes for
the assembler. Of the VM whose registers the machine holds they are the processor's (monitor.py), if it stands where these are
the guest's: in the guest, at a vector, or in the idle loop. sample.py brings it there and looks at the traps on the way. At the
end of a run (the machine was reset) it cannot go on: all VMs have stopped, and their files are all there is.
"""

import os
import re

import decode
import image as images
from monitor import Debugger
from partitions.ranges import abi
from sample import Sampler

MSR_WE, MSR_CE, MSR_EE, MSR_PR, MSR_IR = 0x40000, 0x20000, 0x8000, 0x4000, 0x20
NOT_IDLE = 1
RFI = 0x4C000064
SAVED = (0, 1, 3, 4, 5, 6, 11, 12)      # what every road to C has saved (asm/cold.S)
OTHERS = ("cr", "ctr", "xer", "srr0", "srr1", "srr2", "srr3", "esr", "dear", "tcr", "tsr")
LIFE = ("VCPU_MSR", "VCPU_PENDING", "VCPU_WORK", "VCPU_SLEEPING", "VCPU_PC", "VCPU_TCR", "VCPU_PIT_LEFT")
COUNTERS = ("unanswered", "refused", "illegal")
GUEST_LINE = re.compile(r"/\* (\S+): (.+) \*/$", re.M)      # of images.S, by tools/pack.py


class NoLayout(Exception):
    """What the image has beside it is not enough. The text says what is missing."""


def read(path):
    """A file that the build made."""
    try:
        with open(path, encoding="utf-8") as file:
            return file.read()
    except (OSError, UnicodeDecodeError):
        raise NoLayout(f"{path} is not there") from None


def offsets(folder):
    """{name: number} of what the build knows of the register file."""
    defines = re.findall(r"^#define (\w+) (-?\d+)$", read(os.path.join(folder, "gen", "offsets.h")), re.M)
    return {name: int(value) for name, value in defines}


STATES = {number: name.removeprefix("HCALL_STATE_").lower() for name, number in abi().items() if name.startswith("HCALL_STATE_")}
RUNNING = abi()["HCALL_STATE_RUNNING"]


def state_of(words, kept):
    """A VM's state, by words of its register file and, with option LIFECYCLE, what health.c keeps: as health_state() there."""
    if kept not in (None, RUNNING):
        return STATES[kept]
    if words["work"]:
        return "restarting"
    if kept is None and words["msr"] == MSR_WE and not (words["pc"] or words["tcr"] or words["pit_left"]):
        return "stopped"
    can_run = not (words["msr"] | words.get("sleeping", 0)) & MSR_WE or words["pending"] & words["msr"]
    return "running" if can_run else "waiting"


def lives(monitor, image, table, folder):
    """{name: state} of an image's VMs. NoLayout, MonitorError: not to be had."""
    if not image.is_hypervisor() or table is None:
        raise NoLayout(f"{image.path} has no VMs")
    known = offsets(folder)
    places = {name[5:].lower(): known[name] for name in LIFE if name in known}
    files, size = image.address("vcpu"), known["VCPU_SIZE"]
    start, step = image.symbols.get("health", (None,))[0], image.sizes.get("health", 0) // len(table["vms"])
    found = {}
    for index, vm in enumerate(table["vms"]):
        words = {name: monitor.words(files + index * size + place, 1)[0] for name, place in places.items()}
        found[vm["name"]] = state_of(words, monitor.words(start + index * step, 1)[0] if start is not None else None)
    return found


class Layout:
    """What lies where in an image, and which guests it has."""

    def __init__(self, image, table, folder):
        self.offsets = offsets(folder)
        self.image, self.vms = image, table["vms"]
        paths = dict(GUEST_LINE.findall(read(os.path.join(folder, "images.S"))))
        self.guests = [images.of(paths.get(vm["name"], "")) for vm in self.vms]
        try:
            self.files, self.size = image.address("vcpu"), self.offsets["VCPU_SIZE"]
            self.low = {name: image.address(name) for name in ("current", "idle_pc", "idle_r31")}
        except KeyError as error:
            raise NoLayout(f"{image.path} has no {error}") from None
        self.vectors = {section.start: section.start & 0xFFFF for name, section in image.sections.items()
                        if name.startswith(".vector_")}
        text = image.sections[".text"]
        self.returns = [text.start + 4 * index for index, word in enumerate(image.words(text)) if word == RFI]

    def current(self, monitor):
        """Index of the VM whose registers the machine holds."""
        return (monitor.words(self.low["current"], 1)[0] - self.files) // self.size % len(self.vms)

    def is_idle(self, monitor):
        """Does the machine wait, in the name of the current VM?"""
        return monitor.words(self.low["idle_pc"], 1)[0] != NOT_IDLE

    def place(self, monitor, registers):
        """Where the machine stands, if the guest's registers are there: "guest", "vector", "idle"; otherwise ""."""
        if registers["MSR"] & MSR_PR:
            return "guest"
        if self.is_idle(monitor):
            return "idle" if registers["MSR"] & MSR_WE or self.image.name_of(registers["NIP"]).startswith("idle_loop") else ""
        return "vector" if registers["NIP"] in self.vectors and registers["SRR1"] & MSR_PR else ""

    def word_at(self, monitor, vm, name):
        """One word of a VM's register file."""
        return monitor.words(self.files + vm * self.size + self.offsets[name], 1)[0]

    def guest_word(self, monitor, vm, address):
        """The word at a guest's address: of its memory, or while it translates of its file; None if there is none."""
        if self.word_at(monitor, vm, "VCPU_MSR") & MSR_IR:
            return self.guests[vm].word(address)
        memory = self.vms[vm]["memory"]
        if address % 4 or not memory["guest"] <= address < memory["guest"] + memory["size"]:
            return None
        return monitor.words(address - memory["guest"] + memory["machine"], 1)[0]

    def register_file(self, monitor, vm):
        """A VM's registers as its file has them."""
        counters = sum(name.startswith("STAT_") for name in self.offsets)
        places = {name[5:].lower(): offset // 4 for name, offset in self.offsets.items()
                  if name.startswith("VCPU_") and offset < self.size}
        words = monitor.words(self.files + vm * self.size, max(places.values()) + 1 + counters)
        found = {name: words[place] for name, place in places.items()}
        found.update((f"r{number}", words[number]) for number in range(32))
        if "VCPU_STAT" in self.offsets:
            found["stats"] = {name[5:]: words[places["stat"] + index]
                              for name, index in self.offsets.items() if name.startswith("STAT_")}
        return found


class State:
    """One VM, as it stands."""

    def __init__(self, name, registers, guest=None, history=None, complete=True):
        self.name, self.registers, self.guest, self.history = name, registers, guest, history
        self.complete = complete    # all 32 registers are the guest's
        self.loop = history.loop() if history else None
        self.stats = registers.get("stats")

    def console_stats(self):
        """The counters as the report at the end of a run would have them; nothing if the product has none."""
        if not self.stats:
            return {}
        ticks = self.registers["ticks_hi"] << 32 | self.registers["ticks_lo"]
        return {**{name: count for name, count in self.stats.items() if count}, "ticks": ticks}

    def at(self, address):
        """An address with its symbol."""
        symbol = self.guest.name_of(address) if self.guest else ""
        return f"{address:08x} {symbol}".rstrip()

    def word(self, vm):
        """What it does, in a word."""
        msr = self.registers["msr"]
        if vm.stops:
            return "stopped"
        if not self.registers.get("run_msr", MSR_PR) & MSR_PR:
            return "starts"     # the hypervisor works for it (src/vm/lifecycle.c)
        if self.loop:
            return "loops"
        if msr & MSR_WE:
            return "waits" if msr & (MSR_EE | MSR_CE) else "waits for ever"
        return "runs"

    def place(self, vm):
        """Its pc; of a stopped one that of the hypervisor's message, because the hypervisor has used the word since."""
        said = re.match(r"pc=([0-9a-f]{8})\b", vm.stops[-1]) if vm.stops else None
        return self.at(int(said[1], 16) if said else self.registers["pc"])

    def interrupt(self):
        """The last interrupt that it took: seen in the sample, or what it left in SRR0."""
        seen = self.history.last_interrupt() if self.history else None
        if seen:
            return f"{decode.vectors()[seen[0]]} at {self.at(seen[1])}"
        causes = ", ".join(decode.bits(self.registers["esr"], decode.ESR))
        before = self.registers["srr0"] or causes
        return f"at {self.at(self.registers['srr0'])}" + (f" ({causes})" if causes else "") if before else "-"

    def dump(self):
        """Its registers: rows of eight, and the others; rows of zeros are left out."""
        known = range(32) if self.complete else SAVED
        for first in range(0, 32, 8):
            numbers = [number for number in range(first, first + 8) if number in known]
            if any(self.registers[f"r{number}"] for number in numbers):
                yield f"  r{first:<3} " + " ".join(f"{self.registers[f'r{number}']:08x}" if number in known else "?" * 8
                                                   for number in range(first, first + 8))
        others = " ".join(f"{name}={self.registers[name]:08x}" for name in OTHERS if self.registers.get(name))
        if others:
            yield f"  {others}"

    def privileged(self):
        """The last privileged instruction of the sample."""
        seen = self.history.last_privileged() if self.history else None
        return f"{seen[0]} at {self.at(seen[1])}" if seen else "-"


def read_states(monitor, layout):
    """The states of all VMs; the machine runs on for a moment if it can."""
    histories = [None] * len(layout.vms)
    if monitor.can_go_on():
        with Debugger(monitor) as debugger:
            histories = Sampler(monitor, debugger, layout).run()
    machine = monitor.registers()
    current, place = layout.current(monitor), layout.place(monitor, machine)
    states = []
    for index, vm in enumerate(layout.vms):
        registers = layout.register_file(monitor, index)
        if index == current and place:
            registers.update((name.lower(), value) for name, value in machine.items()
                             if name in ("LR", "CTR", "XER", "CR", "SRR2", "SRR3") or name.startswith("r"))
            registers["pc"] = machine["NIP" if place == "guest" else "SRR0"]
            if place == "idle":
                registers["pc"] = monitor.words(layout.low["idle_pc"], 1)[0]
                registers["r31"] = monitor.words(layout.low["idle_r31"], 1)[0]
        states.append(State(vm["name"], registers, layout.guests[index], histories[index], index != current or bool(place)))
    return states


def read_bare(monitor, name, image):
    """The state of a guest that runs without the hypervisor."""
    registers = {name.lower(): value for name, value in monitor.registers().items()}
    registers["pc"] = registers["nip"]
    return [State(name, registers, image)]


def report(states, vms, table):
    """The lines for a person. vms: records of the console by name; table: a function that lays out rows."""
    rows = [["vm", "state", "pc", "lr", "msr"]]
    last = [["vm", "last interrupt", "last privileged instruction", *COUNTERS]]
    for state in states:
        registers = state.registers
        rows.append([state.name, state.word(vms[state.name]), state.place(vms[state.name]),
                     state.at(registers["lr"]) if registers["lr"] else f"{0:08x}",
                     " ".join([f"{registers['msr']:08x}", *decode.bits(registers["msr"], decode.MSR)])])
        last.append([state.name, state.interrupt(), state.privileged(),
                     *(str(state.stats.get(name, "-")) if state.stats else "-" for name in COUNTERS)])
    yield from table(rows, left=range(5))
    kept = [column for column in zip(*last) if set(column[1:]) != {"-"}]
    if len(kept) > 1:
        yield ""
        yield from table([list(row) for row in zip(*kept)], left=range(sum(name not in COUNTERS for name, *_ in kept)))
    for state in states:
        yield from notes(state, vms[state.name])
    if not any(state.stats for state in states) and states[0].history is not None:
        yield "counters: the product has none (CONFIG_STATS=y)"


def notes(state, vm):
    """Lines about one VM that a row has no room for."""
    registers = state.registers
    if state.loop:
        vector, pc, times = state.loop
        trap = next(trap for trap in state.history.traps if trap.pc == pc)
        word = "is no memory of this VM" if trap.word is None else f"is {trap.word:08x}"
        yield (f"loops: {state.name}: {decode.vectors()[vector]} interrupt {times} times without getting on, its vector is "
               f"{state.at(registers['evpr'] + vector)}; at {state.at(pc)} {word}")
    stats = state.stats or {}
    if stats.get("unanswered"):
        yield (f"unanswered: {state.name}: {stats['unanswered']}, the last at address {registers['lost_at']:08x} by "
               f"{state.at(registers['lost_pc'])}")
    if stats.get("refused"):
        yield f"refused: {state.name}: {stats['refused']} hypercalls, the last was {decode.hypercall(registers['refused_call'])}"
    if not vm.lines:
        yield f"silent: {state.name}: its registers, those that are not zero"
        yield from state.dump()


def look(monitor, image, table, folder, name):
    """States of an image's VMs, or of the one guest `name` that runs bare. NoLayout, MonitorError: not to be had."""
    if image.sound and not image.is_hypervisor():
        return read_bare(monitor, name, image)
    if table is None:
        raise NoLayout(f"{folder}/gen/partitions.json is not there")
    return read_states(monitor, Layout(image, table, folder))
