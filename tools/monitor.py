"""monitor.py: what QEMU tells about the machine it runs, by its own two protocols.

Monitor speaks QMP on a pair of sockets that QEMU is started with (ARGUMENTS): registers, memory, how far the machine's time has
got, stop and go on. The machine need not be stopped to be asked. Debugger speaks to QEMU's stub for gdb, which is opened only
when somebody wants to see the machine stop at an address.

Nothing of this needs anything in the image. All of it is the same in QEMU 7.2 and 10.0; special purpose registers are read by
the monitor, because gdb's numbers for them are wrong in 7.2.
"""

import json
import os
import re
import select
import socket
import tempfile
import time

PATIENCE = 10.0     # seconds in which a QEMU that lives has answered, however busy its host
REGISTER = re.compile(r"\b(NIP|LR|CTR|XER|MSR|CR|TCR|TSR|ESR|DEAR|EVPR|PID|SRR[0-3]|SPRG[0-7])\s+([0-9a-f]{8,16})\b")
TIME_BASE = re.compile(r"^TB (\d+) (\d+)", re.M)      # decimal
GPRS = re.compile(r"^GPR(\d\d)((?: [0-9a-f]{16}){4})", re.M)
WORDS = re.compile(r"^[0-9a-f]+:((?: 0x[0-9a-f]{8})+)", re.M)


class MonitorError(Exception):
    """QEMU has gone, or does not answer."""


class Monitor:
    """The QMP side. Events are kept until somebody asks for them."""

    def __init__(self):
        self.ours, self.theirs = socket.socketpair()
        self.buffer, self.events = b"", []
        self.greeted = self.ready = self.gone = False
        self.number = 0     # of the last command: its answer has it, a late one to another command has not

    def arguments(self):
        """What QEMU is started with; the descriptor must be passed on."""
        return ["-chardev", f"socket,id=monitor,fd={self.theirs.fileno()}", "-mon", "chardev=monitor,mode=control"]

    def fileno(self):
        """For a selector."""
        return self.ours.fileno()

    def close(self):
        """QEMU has ended."""
        self.ours.close()

    def started(self):
        """QEMU has the other end: when it goes, ours sees it."""
        self.theirs.close()

    def _receive(self, patience):
        """Take what has come, waiting for it for some time. False: nothing came."""
        if self.gone or not select.select([self.ours], [], [], patience)[0]:
            return False
        try:
            data = self.ours.recv(65536)
        except OSError:
            data = b""
        self.gone = not data
        self.buffer += data
        return bool(data)

    def _messages(self):
        while b"\n" in self.buffer:
            line, self.buffer = self.buffer.split(b"\n", 1)
            message = json.loads(line)
            if "QMP" in message:
                self.greeted = True
            elif "event" in message:
                self.events.append(message["event"])
            else:
                yield message

    def poll(self, patience=0):
        """Take events that have come; wait for the first. There are none before a greeting was answered."""
        while self._receive(patience):
            patience = 0
        list(self._messages())
        if self.greeted and not self.ready:
            self.ready = True
            self.execute("qmp_capabilities")
            if self.execute("query-status")["status"] == "shutdown":
                self.events.append("SHUTDOWN")
        return self.events

    def execute(self, name, **arguments):
        """One QMP command and its answer."""
        self.number += 1
        command = {"execute": name, "id": self.number}
        if arguments:
            command["arguments"] = arguments
        try:
            self.ours.sendall(json.dumps(command).encode() + b"\n")
        except OSError:
            self.gone = True
        end = time.monotonic() + PATIENCE
        while True:
            for message in self._messages():
                if message.get("id") != self.number:
                    continue
                if "return" in message:
                    return message["return"]
                if "error" in message:
                    raise MonitorError(f"{name}: {message['error'].get('desc')}")
            if self.gone or not self._receive(max(end - time.monotonic(), 0)):
                raise MonitorError(f"{name}: QEMU " + ("has gone" if self.gone else f"does not answer in {PATIENCE:.0f} s"))

    def line(self, text):
        """One line for QEMU's monitor for people, and what it says."""
        return self.execute("human-monitor-command", **{"command-line": text})

    def registers(self):
        """The processor's registers by name: NIP, LR, MSR, SRR0 ..., r0 to r31; TB has 64 bits."""
        text = self.line("info registers")
        found = {}
        for name, value in REGISTER.findall(text):
            found.setdefault(name, int(value, 16))
        for high, low in TIME_BASE.findall(text):
            found["TB"] = int(high) << 32 | int(low)
        for first, values in GPRS.findall(text):
            for number, value in enumerate(values.split(), int(first)):
                found[f"r{number}"] = int(value, 16) & 0xFFFFFFFF
        if not {"NIP", "MSR", "r31"} <= set(found):
            raise MonitorError("`info registers`: not in a form that is known")
        return found

    def words(self, address, count):
        """Words of the machine's memory."""
        text = self.line(f"xp /{count}xw 0x{address:x}")
        words = [int(word, 16) for row in WORDS.findall(text) for word in row.split()]
        if len(words) != count:
            raise MonitorError(f"`xp`: no memory at 0x{address:08x}")
        return words

    def stop(self):
        """The machine stands."""
        self.execute("stop")

    def can_go_on(self):
        """False at the end of a run: the machine has been reset, or QEMU has given up."""
        return self.execute("query-status")["status"] in ("running", "paused", "debug")


class Debugger:
    """QEMU's stub for gdb: breakpoints, one step, go on until something stops the machine."""

    def __init__(self, monitor):
        self.monitor, self.breakpoints = monitor, set()
        self.folder = tempfile.TemporaryDirectory(prefix="proteus-")
        path = os.path.join(self.folder.name, "gdb")
        self.socket = socket.socket(socket.AF_UNIX)
        self.socket.settimeout(PATIENCE)
        try:
            monitor.line(f"gdbserver unix:{path},server=on,wait=off")
            self.socket.connect(path)
            self._ask("?")
        except (OSError, MonitorError) as error:
            self.close()
            raise MonitorError(f"gdbserver: {error}") from None

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.close()

    def close(self):
        """The stub goes; the machine stands."""
        self.socket.close()
        self.folder.cleanup()

    def _send(self, text):
        data = text.encode()
        self.socket.sendall(b"$" + data + b"#%02x" % (sum(data) % 256))

    def _packet(self, patience):
        """The next packet, or None if there is none in time."""
        data = b""
        end = time.monotonic() + patience
        while not re.search(rb"\$[^#]*#..", data):
            if not select.select([self.socket], [], [], max(end - time.monotonic(), 0))[0]:
                return None
            piece = self.socket.recv(4096)
            if not piece:
                raise MonitorError("gdbserver: QEMU has gone")
            data += piece
        self.socket.sendall(b"+")
        return re.search(rb"\$([^#]*)#", data)[1].decode()

    def _ask(self, text):
        self._send(text)
        answer = self._packet(PATIENCE)
        if answer is None:
            raise MonitorError(f"gdbserver: no answer to {text}")
        return answer

    def stop_at(self, addresses):
        """The breakpoints, and no others."""
        addresses = set(addresses)
        for sign, changed in (("z", self.breakpoints - addresses), ("Z", addresses - self.breakpoints)):
            for address in sorted(changed):
                if self._ask(f"{sign}1,{address:x},4") != "OK":
                    raise MonitorError(f"gdbserver: no breakpoint at 0x{address:08x}")
        self.breakpoints = addresses

    def step(self):
        """One instruction."""
        self._ask("s")

    def go(self, patience):
        """On to a breakpoint: True. False: none in time, and the machine stands where it is."""
        self._send("c")
        if self._packet(patience) is not None:
            return True
        self.socket.sendall(b"\x03")
        if self._packet(PATIENCE) is None:
            raise MonitorError("gdbserver: the machine does not stop")
        return False
