#!/usr/bin/python3
"""Debug one VM of an image as one debugs a board: `make debug PRODUCT=demo VM=ctask`.

gdb-multiarch is started on the VM's own ELF file and talks to this program, a stub of gdb's remote protocol that stands between
it and QEMU's. What gdb sees is that VM and nothing else: its 32 registers and special purpose registers by name, while it runs
and, out of its register file, while another VM does; its memory through its own translation; breakpoints that others run over;
a step that ends behind a privileged instruction, however long the hypervisor, and other VMs, take for it. Ctrl-C stops the
machine at the next place where the VM's registers are its own. `monitor help` lists what gdb has no words for.

The image has no byte for it: vmstate.py knows what lies where, and QEMU's stub and monitor (monitor.py) do the rest. Runs in gdb
are repeatable as others are (-icount), and steps take no time of the machine's, through the hypervisor, too. Where QEMU stops at
a breakpoint, its clock goes on to the next timer (findings/qemu-icount-breakpoint.sh): so there is always one that is near
(TICK).

  debug.py --image build/demo/proteus.elf [--vm ctask] [-- arguments for gdb]
"""

import sys

sys.dont_write_bytecode = True      # generated files belong under build/ only

import argparse
import contextlib
import os
import re
import select
import shutil
import signal
import socket
import subprocess
import tempfile
import threading
import time

import decode
import emulator
import image as images
import machine as machines
import vmstate
from kconfig import InputError, fault, guess, run_tool
from machine import RunError
from monitor import PATIENCE, Debugger, Monitor, MonitorError
from partitions.ranges import show_size
from run import table

GDB = "gdb-multiarch"
SWITCHES = ("vcpu_switch", "vcpu_start")       # of asm/switch.S
AGAIN = 4                           # times that an instruction traps to be executed at last: an entry of the TLB is loaded
# A filter of a network that has nobody, whose timer expires every 5 us of the machine's time: more than that a stop cannot cost
TICK = ["-netdev", "hubport,id=clock,hubid=0", "-object", "filter-buffer,id=tick,netdev=clock,interval=5"]
TRAP = 1000                         # instructions of the hypervisor that are stepped through, before it is left to run
FIRST = 20.0                        # seconds in which gdb is answered at first; the VM has started by then
CORE = [*(f"r{number}" for number in range(32)), "pc", "msr", "cr", "lr", "ctr", "xer"]
LIVE = {"sprg4", "sprg5", "sprg6", "sprg7", "srr2", "srr3", "usprg0"}       # of a loaded VM: in the machine
MACHINE = {"cr": "CR", "lr": "LR", "ctr": "CTR", "xer": "XER"}
QEMUS = {f"r{number}": number for number in range(32)}      # its numbers for them
QEMUS.update({"pc": 64, "msr": 65, "cr": 66, "lr": 67, "ctr": 68, "xer": 69})
MSR_PR, MSR_DR, MSR_IR = 0x4000, 0x10, 0x20
TLB_ENTRIES, TLBHI_V, TLBHI_E = 64, 0x40, 0x20
TCR = (("WIE", 1 << 27), ("PIE", 1 << 26), ("FIE", 1 << 23), ("ARE", 1 << 22))
TSR = (("ENW", 1 << 31), ("WIS", 1 << 30), ("PIS", 1 << 27), ("FIS", 1 << 26))
PACKET = re.compile(rb"\$([^#]*)#..|\x03")


class Ended(Exception):
    """The machine has been reset: there is nothing more to debug."""


class Machine(Debugger):
    """QEMU's stub: physical memory, registers, and running on until something stops it."""

    def __init__(self, monitor):
        super().__init__(monitor)
        self._ask("qXfer:features:read:target.xml:0,10")        # who does not ask may not write single registers
        if self._ask("Qqemu.PhyMemMode:1") != "OK":
            raise MonitorError("gdbserver: no physical memory")

    def read(self, address, size):
        """Bytes of the machine's memory."""
        answer = self._ask(f"m{address:x},{size:x}")
        if answer.startswith("E"):
            raise MonitorError(f"no memory at 0x{address:08x}")
        return bytes.fromhex(answer)

    def write(self, address, data):
        """Bytes to the machine's memory."""
        if self._ask(f"M{address:x},{len(data):x}:{data.hex()}") != "OK":
            raise MonitorError(f"no memory at 0x{address:08x}")

    def is_user(self):
        """Does it stand in user state, that is in a guest?"""
        return bool(int(self._ask(f"p{QEMUS['msr']:x}"), 16) & MSR_PR)

    def set_register(self, name, value):
        """A register of the processor's."""
        if self._ask(f"P{QEMUS[name]:x}={value:08x}") != "OK":
            raise MonitorError(f"{name} is not written")

    def go_on(self, client, end=None):
        """On to a breakpoint. False: the client has interrupted it, or it is late. Ended: the machine was reset."""
        self._send("c")
        interrupted = False
        while not select.select([self.socket], [], [], 0)[0]:
            if not interrupted and (client.interrupts() or end is not None and time.monotonic() > end):
                interrupted = True
                self.socket.sendall(b"\x03")
            patience = None if end is None or interrupted else max(end - time.monotonic(), 0)
            select.select([self.socket, *([] if interrupted else [client.socket])], [], [], patience)
        self._packet(PATIENCE)
        if "SHUTDOWN" in self.monitor.poll():
            raise Ended
        return not interrupted


class Guest:
    """One VM of the machine, as its own kernel would see it."""

    def __init__(self, monitor, machine, layout, index):
        self.monitor, self.machine, self.layout, self.index = monitor, machine, layout, index
        self.vm, known = layout.vms[index], layout.offsets
        nowhere = known["SPR_WORD_tbl"]         # of those that are no words of the register file
        self.special = {name[9:]: place for name, place in known.items() if name.startswith("SPR_WORD_") and place != nowhere}
        self.names = [*CORE, *(name for name in self.special if name not in CORE), "tbl", "tbu"]

    def word(self, name):
        """A word of its register file."""
        return self.layout.word_at(self.monitor, self.index, name)

    def place_of(self, name):
        """The machine's address of a word of its register file."""
        return self.layout.files + self.index * self.layout.size + self.layout.offsets[name]

    def has(self, name):
        """Has the register file such a word? It may be an option's."""
        return name in self.layout.offsets

    def is_loaded(self):
        """Does the machine hold its registers, or those of the hypervisor on its behalf?"""
        return self.layout.current(self.monitor) == self.index

    def runs(self, registers):
        """Is this the guest, and not the hypervisor or another one?"""
        return bool(registers["MSR"] & MSR_PR) and self.is_loaded() and not self.starts()

    def place(self, registers):
        """"guest", "vector" or "idle": where its registers are in the machine; "": they are in its file."""
        return self.layout.place(self.monitor, registers) if self.is_loaded() else ""

    def registers(self):
        """{name: value} of all that it has."""
        machine = self.monitor.registers()
        file, place = self.layout.register_file(self.monitor, self.index), self.place(machine)
        base = self.layout.files + self.index * self.layout.size
        found = {name: file[name] for name in CORE}
        data = self.machine.read(base, max(self.special.values()) + 4)
        found.update((name, int.from_bytes(data[at:at + 4], "big")) for name, at in self.special.items())
        if place:
            found.update((name, machine[name]) for name in CORE[:32])
            found.update((name, machine[theirs]) for name, theirs in MACHINE.items())
            found["pc"] = machine["NIP"]
        if place == "idle":
            found["pc"], found["r31"] = (self.monitor.words(self.layout.low[name], 1)[0] for name in ("idle_pc", "idle_r31"))
        if self.is_loaded():
            found.update((name, self.live(name, machine, found[name])) for name in LIVE & set(found))
        found["pit"] = self.pit(machine["TB"])
        return {**found, "tbl": machine["TB"] & 0xFFFFFFFF, "tbu": machine["TB"] >> 32}

    def starts(self):
        """Has it not begun yet, or does it begin anew? The hypervisor works for it then."""
        return bool(self.word("VCPU_WORK"))

    def live(self, name, machine, otherwise):
        """A register that the machine holds for a loaded VM."""
        if name.upper() in machine:
            return machine[name.upper()]
        answer = re.search(r"0x([0-9a-f]+)", self.monitor.line(f"print/x ${name.upper()}"))
        return int(answer[1], 16) & 0xFFFFFFFF if answer else otherwise

    def pit(self, now):
        """What its PIT counts down from, to zero."""
        left = self.word("VCPU_PIT_LEFT")
        return max(left - (now - self.word("VCPU_PIT_BASE") & 0xFFFFFFFF), 0) if left else 0

    def set_register(self, name, value):
        """One of those that nothing follows from; of the others only the guest itself knows how."""
        if name not in QEMUS or name == "msr":
            raise MonitorError(f"{name}: what follows from it is the hypervisor's: let the guest write it")
        place = self.place(self.monitor.registers())
        if place == "guest":
            self.machine.set_register(name, value)
        elif place == "idle":
            raise MonitorError(f"{name}: the guest waits in the processor's idle state; step, or go on, first")
        else:
            at = 4 * int(name[1:]) if name[0] == "r" else self.layout.offsets["VCPU_" + name.upper()]
            self.machine.write(self.layout.files + self.index * self.layout.size + at, value.to_bytes(4, "big"))

    def translates(self):
        """Does it translate now? Data count."""
        return self.layout.offsets.get("VCPU_VTLB") is not None and bool(self.word("VCPU_MSR") & (MSR_DR | MSR_IR))

    def entries(self):
        """[(row, TLBHI, TLBLO, TID, page size)] of its virtual TLB, the valid ones."""
        known = self.layout.offsets
        base = self.layout.files + self.index * self.layout.size + known["VCPU_VTLB"]
        hi, lo, tid = (self.machine.read(base + known[name], size * TLB_ENTRIES)
                       for name, size in (("VTLB_HI", 4), ("VTLB_LO", 4), ("VTLB_TID", 1)))
        for row in range(TLB_ENTRIES):
            high, low = (int.from_bytes(words[4 * row:4 * row + 4], "big") for words in (hi, lo))
            if high & TLBHI_V:
                yield row, high, low, tid[row], 1024 << 2 * (high >> 7 & 7)

    def physical(self, address):
        """The guest-physical address that its data access has, or None."""
        if not self.translates():
            return address
        pid = self.word("VCPU_PID") & 0xFF
        for _, high, low, tid, size in self.entries():
            if address & -size == high & 0xFFFFFC00 & -size and tid in (0, pid):
                return low & 0xFFFFFC00 & -size | address & size - 1
        return None

    def machine_address(self, physical):
        """The machine's address of a guest-physical one: of its memory, or of a tunnel's that it can reach. None: neither."""
        memory = self.vm["memory"]
        if memory["guest"] <= physical < memory["guest"] + memory["size"]:
            return physical - memory["guest"] + memory["machine"]
        return None

    def pieces(self, address, size, physical):
        """[(machine address, bytes)] of a range, 1 KiB at most each; MonitorError where there is none."""
        while size:
            length = min(size, 1024 - address % 1024)
            guest = address if physical else self.physical(address)
            machine = None if guest is None else self.machine_address(guest)
            if machine is None:
                raise MonitorError(f"0x{address:08x} is no memory of {self.vm['name']}"
                                   + ("" if guest is not None else ": its TLB has no entry for it"))
            yield machine, length
            address, size = address + length & 0xFFFFFFFF, size - length

    def read(self, address, size, physical=False):
        """Bytes of its memory, by its own addresses."""
        return b"".join(self.machine.read(place, length) for place, length in self.pieces(address, size, physical))

    def write(self, address, data):
        """Bytes to its memory, by its own addresses: all of them, or none."""
        for place, length in list(self.pieces(address, len(data), False)):
            self.machine.write(place, data[:length])
            data = data[length:]


class Control:
    """Lets the machine run, so that it stops where the guest is."""

    def __init__(self, monitor, machine, layout, guest, client):
        self.monitor, self.machine, self.layout, self.guest, self.client = monitor, machine, layout, guest, client
        self.breakpoints = set()
        self.switches = {layout.image.address(name) for name in SWITCHES if name in layout.image.symbols} or set(layout.returns)

    def run(self, addresses, reached, end=None):
        """On until the machine is where `reached` says, asked at each of these addresses and behind it. False: interrupted."""
        self.machine.stop_at(addresses)
        registers = self.monitor.registers()
        while True:
            if registers["NIP"] in addresses:
                self.step_machine()
                registers = self.monitor.registers()
                if reached(registers):
                    return True
                if registers["NIP"] in addresses:
                    continue
            if not self.machine.go_on(self.client, end):
                return False
            registers = self.monitor.registers()
            if reached(registers):
                return True

    def step_machine(self):
        """One instruction of the machine's."""
        self.machine.step()
        if "SHUTDOWN" in self.monitor.poll():
            raise Ended

    def through(self):
        """Step by step through the hypervisor, to a guest, whichever. False: it takes longer than a trap does."""
        for _ in range(TRAP):
            if self.machine.is_user():
                return True
            self.step_machine()
        return self.machine.is_user()

    def enter(self, end=None):
        """On until the guest runs. False: interrupted before."""
        while not self.guest.runs(self.monitor.registers()):
            if self.guest.starts() or not self.guest.is_loaded():
                on = self.run(self.switches, self.is_switching, end)
                self.through()
            elif self.guest.place(self.monitor.registers()) == "idle" or not self.through():
                on = self.run(set(self.layout.returns), lambda found: found["MSR"] & MSR_PR, end)
            else:
                continue
            if not on:
                return False
        return True

    def is_switching(self, registers):
        """Is it at one of the places where another VM's registers are loaded?"""
        return not registers["MSR"] & MSR_PR and registers["NIP"] in self.switches

    def settle(self):
        """Where an interrupt has stopped the machine, the guest's registers may be half saved (at a vector, pc and MSR): on to
        where they are not.
        """
        if self.guest.place(self.monitor.registers()) not in ("guest", "idle"):
            self.through()

    def go(self):
        """On to one of the breakpoints, in this guest. False: interrupted."""
        marks = set(self.breakpoints)
        if self.run(marks, lambda found: found["NIP"] in marks and self.guest.runs(found)):
            return True
        self.settle()
        return False

    def step(self):
        """One instruction of the guest's, and what the hypervisor does for it. False: interrupted."""
        if not self.guest.runs(self.monitor.registers()) and not self.enter():
            self.settle()
            return False
        for _ in range(AGAIN):
            pc = self.monitor.registers()["NIP"]
            self.step_machine()
            trapped = not self.guest.runs(self.monitor.registers())
            if trapped and not self.enter():
                self.settle()
                return False
            if not trapped or self.monitor.registers()["NIP"] != pc:
                break
        return True


class Commands:
    """`monitor ...`: what gdb has no words for. Each gives lines."""

    def __init__(self, control):
        self.control, self.guest, self.layout, self.monitor = control, control.guest, control.layout, control.monitor

    def answer(self, text):
        """The lines for a command."""
        name, *words = text.split() or ["help"]
        known = {key[3:]: getattr(self, key) for key in dir(self) if key.startswith("do_")}
        if name not in known:
            return [f"monitor {name}: there is no such command. hint: {guess(name, known)}"]
        try:
            return list(known[name](*words))
        except TypeError:
            return [f"monitor {text}: wrong arguments. hint: monitor help"]

    def do_help(self):
        """this list"""
        names = [name for name in sorted(dir(self)) if name.startswith("do_")]
        yield from table([[f"monitor {name[3:]}", getattr(self, name).__doc__] for name in names], left=(0, 1))

    def do_vm(self):
        """all VMs: state, pc, MSR; * has the machine's registers, > is debugged"""
        machine = self.monitor.registers()
        lives = vmstate.lives(self.monitor, self.layout.image, {"vms": self.layout.vms}, os.path.dirname(self.layout.image.path))
        rows = [["", "vm", "state", "pc", "", "msr"]]
        for index, vm in enumerate(self.layout.vms):
            guest = Guest(self.monitor, self.control.machine, self.layout, index)
            registers = guest.registers()
            name = self.layout.guests[index].name_of(registers["pc"])
            marks = ("*" if guest.is_loaded() else " ") + (">" if index == self.guest.index else " ")
            rows.append([marks, vm["name"], lives[vm["name"]], f"{registers['pc']:08x}", name,
                         " ".join([f"{registers['msr']:08x}", *decode.bits(registers["msr"], decode.MSR)])])
        yield from table(rows, left=range(6))
        yield f"time base {machine['TB']}"

    def do_vtlb(self):
        """the valid entries of its virtual TLB"""
        if "VCPU_VTLB" not in self.layout.offsets:
            yield "the product has no option TLB_VIRT"
            return
        rows = [["row", "address", "size", "tid", "physical", "rights", "zone", "storage"]]
        for row, high, low, tid, size in self.guest.entries():
            rights = "r" + ("w" if low & 0x100 else "-") + ("x" if low & 0x200 else "-")
            storage = [letter for letter, bit in zip("WIMG", (8, 4, 2, 1)) if low & bit] + ["E"] * bool(high & TLBHI_E)
            pages = [f"{word & 0xFFFFFC00 & -size:08x}" for word in (high, low)]
            rows.append([str(row), pages[0], show_size(size), str(tid), pages[1], rights, str(low >> 4 & 15), "".join(storage)])
        yield from table(rows, left=(5, 7)) if len(rows) > 1 else ["no entry is valid"]
        registers = self.guest.registers()
        what = "it translates" if self.guest.translates() else "it does not translate"
        yield f"pid {registers['pid']}, zpr {registers['zpr']:08x}, {what}"

    def do_intc(self):
        """its interrupt controller, and what is pending"""
        names = {"VCPU_UIC_": ("sr", "er", "cr", "pr", "tr", "vcr"), "VCPU_INTC_": ("isr", "ier", "mer")}
        found = False
        for prefix, registers in names.items():
            if self.guest.has(prefix + registers[0].upper()):
                words = {name: self.guest.word(prefix + name.upper()) for name in registers}
                yield prefix[5:-1].lower() + ": " + " ".join(f"{name}={value:08x}" for name, value in words.items())
                yield from self.lines_of(prefix, words)
                found = True
        if not found:
            yield "the product has no interrupt controller for its VMs"
        pending = self.guest.word("VCPU_PENDING")
        yield f"pending: {', '.join(decode.bits(pending, decode.MSR)) or 'nothing'}"

    def lines_of(self, prefix, words):
        """Which lines are set and enabled."""
        def lines(word):
            numbers = [number for number in range(32) if word & (0x80000000 >> number if prefix == "VCPU_UIC_" else 1 << number)]
            return ", ".join(map(str, numbers)) or "none"
        status, enabled = (words["sr"], words["er"]) if prefix == "VCPU_UIC_" else (words["isr"], words["ier"])
        yield f"lines set: {lines(status)}; enabled: {lines(enabled)}"

    def do_timers(self):
        """PIT, TCR, TSR and the time base"""
        registers = self.guest.registers()
        left = self.guest.word("VCPU_PIT_LEFT")
        yield f"pit: {registers['pit']} ticks left" if left else "pit: stopped"
        tcr, tsr = registers["tcr"], registers["tsr"]
        yield " ".join([f"tcr {tcr:08x}", *decode.bits(tcr, TCR)])
        yield " ".join([f"tsr {tsr:08x}", *decode.bits(tsr, TSR)])
        yield f"time base {registers['tbu'] << 32 | registers['tbl']}"

    def do_page(self):
        """the words of its register pages, by guest address"""
        at = self.guest.vm["page"]
        if not at or not self.guest.has("VCPU_BOUNDARY"):
            yield f"{self.guest.vm['name']} has no register pages"
            return
        base = self.layout.files + self.guest.index * self.layout.size + self.layout.offsets["VCPU_BOUNDARY"]
        yield from table([[f"{at + offset & 0xFFFFFFFF:08x}", name, self.control.machine.read(base + offset, 4).hex(), text]
                          for name, offset, text in page_words()], left=(0, 1, 2, 3))

    def do_spr(self, name=""):
        """its special purpose registers, or one of them: spr evpr"""
        registers = self.guest.registers()
        names = [other for other in self.guest.names if other not in CORE]
        if name and name.lower() not in names:
            yield f"there is no {name}. hint: {guess(name.lower(), names)}"
            return
        yield from (f"{other:7} {registers[other]:08x}" for other in ([name.lower()] if name else names))

    def do_phys(self, address, count="4"):
        """words of its memory by guest-physical address: phys 0x1000 8"""
        try:
            start, number = int(address, 0), int(count, 0)
            data = self.guest.read(start, 4 * number, True)
        except (ValueError, MonitorError) as error:
            yield f"phys {address}: {error}"
            return
        for row in range(0, len(data), 16):
            yield f"{start + row:08x}: " + " ".join(data[at:at + 4].hex() for at in range(row, min(row + 16, len(data)), 4))

    def do_virt(self, address):
        """the guest-physical and the machine's address of one of its addresses: virt 0xc0000000"""
        guest = self.guest.physical(int(address, 0))
        machine = None if guest is None else self.guest.machine_address(guest)
        yield (f"{int(address, 0):08x}: " + ("its TLB has no entry" if guest is None else f"guest-physical {guest:08x}, "
               + ("no memory of its own" if machine is None else f"machine {machine:08x}")))


def page_words():
    """[(name, offset, text)] of the register pages' words."""
    return [(name, int(offset), text) for name, offset, text in
            decode.rows("hypercalls/page.def", r'^WORD\((\w+),\s*(-?\d+),\s*\w+,\s*\w+,\s*\w+,\s*"(.*)"\)')]


class Client:
    """gdb, on the other end of a socket: its remote protocol."""

    def __init__(self, connection):
        self.socket, self.buffer, self.acknowledges = connection, b"", True

    def interrupts(self):
        """Does it want the machine to stop that runs? Ctrl-C, or gdb has gone."""
        gone = False
        if select.select([self.socket], [], [], 0)[0]:
            data = self.socket.recv(4096)
            self.buffer, gone = self.buffer + data, not data
        stop = b"\x03" in self.buffer
        self.buffer = self.buffer.replace(b"\x03", b"")
        return stop or gone

    def packets(self):
        """What it asks, one after the other, to its end."""
        while True:
            match = PACKET.search(self.buffer)
            if match:
                self.buffer = self.buffer[match.end():]
                if match[1] is not None:
                    if self.acknowledges:
                        self.socket.sendall(b"+")
                    yield match[1].decode("latin-1")
                continue
            try:
                data = self.socket.recv(4096)
            except OSError:
                data = b""
            if not data:
                return
            self.buffer += data

    def send(self, text):
        """An answer."""
        data = text.encode("latin-1")
        self.socket.sendall(b"$" + data + b"#%02x" % (sum(data) % 256))


class Stub:
    """Answers gdb's packets for one VM."""

    def __init__(self, control, commands, client):
        self.control, self.guest, self.commands, self.client = control, control.guest, commands, client
        self.ended = False

    def serve(self):
        """Until gdb goes."""
        for packet in self.client.packets():
            if packet in ("D", "k") or packet.startswith("vKill"):
                if packet != "k":
                    self.client.send("OK")
                return
            try:
                answer = self.answer(packet)
            except Ended:
                self.ended, answer = True, "W00"
            except (MonitorError, ValueError) as error:
                print(f"debug.py: {error}", file=sys.stderr, flush=True)
                answer = "E01"
            self.client.send(answer)
            if packet == "QStartNoAckMode":
                self.client.acknowledges = False

    def answer(self, packet):
        """The answer to one packet; "" is that there is none."""
        if packet.startswith("qSupported"):
            return "PacketSize=4000;qXfer:features:read+;QStartNoAckMode+"
        if packet.startswith("qXfer:features:read:target.xml:"):
            start, length = (int(word, 16) for word in packet.rpartition(":")[2].split(","))
            text = self.description()
            return ("m" if start + length < len(text) else "l") + text[start:start + length]
        if packet.startswith("qRcmd,"):
            return self.command(bytes.fromhex(packet[6:]).decode("utf-8", "replace"))
        if packet == "qAttached":
            return "1"
        if packet == "QStartNoAckMode" or packet[0] == "H":
            return "OK"
        handler = {"?": self.stopped, "g": self.all, "p": self.one, "P": self.set, "m": self.memory, "M": self.store,
                   "Z": self.mark, "z": self.unmark, "s": self.step, "c": self.go_on}.get(packet[0])
        if handler and self.ended and packet[0] != "?":
            return "E01"
        return handler(packet[1:]) if handler else ""

    def description(self):
        """The registers, as gdb wants to be told of them."""
        def rows(names, group):
            return "".join(f'<reg name="{name}" bitsize="32" type="{"code_ptr" if name == "pc" else "uint32"}" group="{group}"/>'
                           for name in names)
        return ('<?xml version="1.0"?><!DOCTYPE target SYSTEM "gdb-target.dtd"><target version="1.0">'
                f'<architecture>powerpc:403</architecture><feature name="org.gnu.gdb.power.core">{rows(CORE, "general")}'
                f'</feature><feature name="proteus.guest.spr">{rows(self.guest.names[len(CORE):], "system")}</feature></target>')

    def command(self, text):
        """`monitor ...`"""
        try:
            lines = ["the machine has ended"] if self.ended else self.commands.answer(text)
        except (MonitorError, ValueError) as error:
            lines = [f"monitor {text}: {error}"]
        self.client.send("O" + "".join(line + "\n" for line in lines).encode().hex())
        return "OK"

    def stopped(self, _):
        """Why does it stand?"""
        return "W00" if self.ended else "S05"

    def all(self, _):
        registers = self.guest.registers()
        return "".join(f"{registers[name]:08x}" for name in self.guest.names)

    def one(self, number):
        return f"{self.guest.registers()[self.guest.names[int(number, 16)]]:08x}"

    def set(self, text):
        number, _, value = text.partition("=")
        self.guest.set_register(self.guest.names[int(number, 16)], int(value, 16))
        return "OK"

    def memory(self, text):
        address, size = (int(word, 16) for word in text.split(","))
        try:
            return self.guest.read(address, size).hex()
        except MonitorError:
            return "E14"        # EFAULT: gdb says it

    def store(self, text):
        place, _, data = text.partition(":")
        address = int(place.split(",")[0], 16)
        try:
            self.guest.write(address, bytes.fromhex(data))
        except MonitorError:
            return "E14"
        return "OK"

    def mark(self, text):
        """A breakpoint of either kind; watchpoints are gdb's own affair, by single steps."""
        kind, address, _ = text.split(",")
        if kind not in "01":
            return ""
        self.control.breakpoints.add(int(address, 16))
        return "OK"

    def unmark(self, text):
        kind, address, _ = text.split(",")
        if kind not in "01":
            return ""
        self.control.breakpoints.discard(int(address, 16))
        return "OK"

    def step(self, _):
        return "S05" if self.control.step() else "S02"

    def go_on(self, _):
        return "S05" if self.control.go() else "S02"


def find_vm(layout, name, source):
    """Its index."""
    names = [vm["name"] for vm in layout.vms]
    if name and name not in names:
        raise InputError(fault(f"VM={name}", None, f"there is no such VM in {source}", guess(name, names)))
    return names.index(name) if name else 0


def gdb_command(path, socket_path, arguments):
    """How gdb is started."""
    gdb = shutil.which(GDB)
    if not gdb:
        raise InputError(fault(GDB, None, "not found", f"apt-get install {GDB}, or make debug, which does it"))
    setup = ["set pagination off", "set confirm off", "set architecture powerpc:403", "set endian big",
             "set can-use-hw-watchpoints 0", "set remotetimeout 60", f"target remote {socket_path}"]
    return [gdb, "-q", "-nx", *(word for line in setup for word in ("-ex", line)), *arguments, *([path] if path else [])]


def copy_console(stream):
    """What the guests say, for whoever debugs."""
    for data in iter(lambda: os.read(stream.fileno(), 4096), b""):
        sys.stdout.buffer.write(data.replace(b"\0", b"").replace(b"\r", b""))
        sys.stdout.buffer.flush()


@contextlib.contextmanager
def started(path):
    """(monitor, machine, layout) of an image that QEMU is about to run: it stands at the processor's reset."""
    board, (_, partitions) = machines.of_image(path), machines.read_table(path)
    image = images.of(path)
    if partitions is None or not image.is_hypervisor():
        raise InputError(fault(path, None, "no image of the hypervisor with its tables beside it", "make debug PRODUCT=<name>"))
    layout = vmstate.Layout(image, partitions, os.path.dirname(path))
    command = emulator.command_line(machines.find_qemu(None, board), path, machine=board)
    monitor = Monitor()
    command[1:1] = [*monitor.arguments(), *emulator.STANDS, *TICK, "-S"]
    process = subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL,
                               pass_fds=[monitor.theirs.fileno()])
    monitor.started()
    reader = threading.Thread(target=copy_console, args=(process.stdout,), daemon=True)
    reader.start()
    try:
        monitor.poll(emulator.GREETING)
        with Machine(monitor) as machine:
            yield monitor, machine, layout
    finally:
        process.kill()
        process.wait()
        reader.join(1)
        process.stdout.close()
        monitor.close()


def debug(path, name, arguments):
    """One session: gdb and the stub, to gdb's end. Returns its exit status."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)        # gdb's alone; QEMU inherits that
    with started(path) as (monitor, machine, layout), tempfile.TemporaryDirectory(prefix="proteus-") as folder, \
            socket.socket(socket.AF_UNIX) as listener:
        guest = Guest(monitor, machine, layout, find_vm(layout, name, path))
        place = os.path.join(folder, "gdb")
        listener.bind(place)
        listener.listen(1)
        with subprocess.Popen(gdb_command(layout.guests[guest.index].path, place, arguments),
                              preexec_fn=lambda: signal.signal(signal.SIGINT, signal.SIG_DFL)) as gdb:
            while not select.select([listener], [], [], 0.2)[0]:
                if gdb.poll() is not None:
                    return gdb.returncode
            client = Client(listener.accept()[0])
            with client.socket:
                control = Control(monitor, machine, layout, guest, client)
                control.enter(time.monotonic() + FIRST)
                Stub(control, Commands(control), client).serve()
            return gdb.wait()


def main(argv=None):
    """Command line."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0], epilog="\n".join(__doc__.splitlines()[1:]),
                                     formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--image", required=True, help="build/<product>/proteus.elf")
    parser.add_argument("--vm", default="", help="its name (the first one)")
    parser.add_argument("gdb", nargs="*", help="arguments for gdb, behind --")
    args = parser.parse_args(argv)
    try:
        return debug(args.image, args.vm, args.gdb)
    except (RunError, vmstate.NoLayout, MonitorError) as error:
        raise InputError(str(error)) from None


if __name__ == "__main__":
    sys.exit(run_tool(main))
