"""emulator.py: start QEMU on an image, follow its console to the end. The one place of the project that does.

What the console says is the evidence of a run (console.py): QEMU's own exit status is 0 after every reset.

Runs use -icount, so that the guest's time is counted in instructions and two runs are alike bit for bit. The one exception:
under -icount QEMU 7.2 does not support an rfci that really executes, so a guest that uses rfci runs bare only without it, or on
ours.

A run that does not end by itself ends by its limits (Limits), which count the machine's own progress and not only the host's
clock. Ctrl-C is for us alone: QEMU has it blocked, and its console is a pipe, so it lives until it has been asked what its
guests do (the `look` of run()).
"""

import codecs
import contextlib
import os
import re
import selectors
import signal
import socket
import subprocess
import sys
import termios
import time

import image as images
import machine as machines
from console import Console
from machine import RunError, find_qemu
from monitor import PATIENCE as ANSWER, Monitor, MonitorError

OPTIONS = ["-display", "none", "-monitor", "none", "-no-reboot"]
ICOUNT = ["-icount", "shift=0,sleep=off"]       # an instruction is a nanosecond of the guest's time
STANDS = ["-action", "shutdown=pause"]          # after its end the machine can still be looked at

PATIENCE = 1        # times the limits that were asked for; tests, of which several run at a time, have more
GREETING = 5.0      # seconds in which QEMU says that it is there
LOOK = 2.0          # seconds from one look at the machine's time to the next
STILL = 10.0        # seconds in which that stands still, and so nothing will come any more
DEAF = 3            # commands that QEMU leaves unanswered, one after the other, and is taken for stuck itself
SLOW = 50           # a second of the guest's time counts as so many of the host's, if that took longer


class Result(Console):
    """A finished run: the console, and how QEMU ended."""

    def __init__(self, speakers=None):
        super().__init__(speakers)
        self.status = None      # exit status of QEMU, negative for a signal
        self.timed_out = ""     # what limit ended it, in words
        self.stuck = False      # QEMU itself did not answer any more
        self.interrupted = False
        self.ended = False      # what the caller waited for has come
        self.errors = ""        # what QEMU wrote on stderr
        self.unsent = []        # steps of the input script that never came to pass

    def trouble(self):
        """One sentence for each way in which the run itself, not a guest, went wrong."""
        for line in self.hypervisor:
            if line.startswith("panic"):
                yield f"the hypervisor panicked: {line}"
        if self.ended:
            return
        if self.interrupted:
            yield "interrupted"
        elif self.timed_out:
            last = self.lines[-1] if self.lines else "(nothing; has the machine its console where the board's file says?)"
            yield f"timeout: {self.timed_out}; last line: {last}"
        elif self.status:
            first = self.errors.strip().splitlines()[:1]
            yield ": ".join([f"QEMU ended with status {self.status}", *first])
        for step in self.unsent:
            yield f"input script, line {step.number}: never reached: {step.kind} {step.text}"


class Step:
    """One line of an input script: wait for a pattern, or send bytes."""

    def __init__(self, number, kind, text):
        self.number, self.kind, self.text = number, kind, text
        self.pattern = re.compile(text) if kind == "wait" else None
        self.data = codecs.escape_decode(text.encode())[0] if kind == "send" else None


class Limits:
    """When is a run over that does not end by itself?

    total, silence: seconds of the run, and without a word on the console; None: no limit. On a busy host they last longer, for
    a second counts only if the machine got on in it, by a fiftieth of a second of its own time (20 million instructions). That
    is asked every two seconds. If the machine's time stands still, all its guests wait for what cannot come, and a limit of
    either kind ends the run at once.
    """

    def __init__(self, total, silence, hertz, now):
        self.total, self.silence, self.hertz = total, silence, hertz
        self.spent = self.silent = 0.0
        self.last, self.moved, self.ticks = now, now, 0     # a machine starts with its time base at zero

    def hear(self):
        """Something came."""
        self.silent = 0.0

    def _advance(self, now, ticks):
        passed = now - self.last
        if None not in (ticks, self.ticks):
            passed = min(passed, SLOW * (ticks - self.ticks) / self.hertz)
        if ticks is None or ticks != self.ticks:
            self.moved = now
        self.spent, self.silent = self.spent + passed, self.silent + passed
        self.last, self.ticks = now, ticks

    def over(self, now, ask):
        """Why the run is over, or "". ask: a function that gives the machine's time base, or None if nobody knows."""
        if self.total is None and self.silence is None:
            return ""
        if now < self.last + self.wait():
            return ""
        self._advance(now, ask())
        machine = f", {self.ticks / self.hertz:.2f} s of its own time" if self.ticks else ""
        if self.ticks is not None and now - self.moved >= STILL:
            return f"every guest waits for an interrupt that cannot come (the machine's time stands still{machine})"
        if self.silence is not None and self.silent >= self.silence:
            return f"no output for {self.silence:g} s, though the machine goes on{machine}"
        if self.total is not None and self.spent >= self.total:
            return f"the image was still running after {self.total:g} s{machine}"
        return ""

    def wait(self):
        """Seconds to the next look."""
        left = [limit - spent for limit, spent in ((self.total, self.spent), (self.silence, self.silent)) if limit is not None]
        return max(min([LOOK, *left]), 0.01)


@contextlib.contextmanager
def raw_terminal(stream):
    """Keys come as they are pressed, unseen; Ctrl-C stays what it is."""
    before = termios.tcgetattr(stream)
    raw = termios.tcgetattr(stream)
    raw[0] &= ~(termios.ICRNL | termios.INLCR | termios.IGNCR | termios.ISTRIP | termios.IXON)
    raw[3] &= ~(termios.ECHO | termios.ECHONL | termios.ICANON | termios.IEXTEN)
    try:
        termios.tcsetattr(stream, termios.TCSANOW, raw)
        yield
    finally:
        termios.tcsetattr(stream, termios.TCSANOW, before)


def command_line(qemu, image=None, rom=None, uart1=None, extra=(), icount=True, machine=machines.REF405EP):
    """The QEMU command for an ELF image or a ROM image."""
    path = rom or image
    if not path or (rom and image):
        raise RunError("run.py: give one of --image and --rom. hint: run.py --image build/demo/proteus.elf")
    if not os.path.isfile(path):
        raise RunError(f"{path}:1: no such file. hint: build it first: make")
    if rom:
        machines.check_rom(rom, machine)
    if uart1 and machine.serial:
        raise RunError(f"run.py: --uart1: the console of {machine.name} is its second UART itself. hint: leave --uart1 away")
    command = [qemu, "-M", machine.name] + OPTIONS + (ICOUNT if icount else [])
    if machine.patched and machine.ram:     # ref405ep has what it has
        command += ["-m", f"{machine.ram >> 10}k"]
    command += ["-serial", "null"] * machine.serial + ["-serial", "stdio"]
    if uart1:
        command += ["-serial", f"file:{uart1}"]
    return command + (["-bios", rom] if rom else ["-kernel", image]) + list(extra)


def run(*paths, **what):
    """Run an image to its end (run_once has the arguments). Gives a Result.

    QEMU itself gets stuck at times, in its own end: some of its threads wait for each other (monitor_cleanup of 7.2 and a
    command that has just come). What has no other end than its own is then run once more, and that is said. A guest that brings
    QEMU to it brings the second one to it as well.
    """
    result = run_once(*paths, **what)
    if result.stuck and not any(what.get(name) for name in ("echo", "interactive", "until", "look", "door")):
        print(f"run.py: {result.timed_out}: the run is done once more", file=sys.stderr)
        result = run_once(*paths, **what)
    return result


def run_once(image=None, rom=None, timeout=60, echo=None, script=(), uart1=None, extra=(), qemu=None, interactive=False,
             icount=True, until=None, machine=None, serial=None, silence=None, look=None, door=None):
    """Run an image to its end, or until a function of the Result so far says so (asked after each line). Gives a Result.

    echo: a function called with each piece of text as it comes. machine: its name, or what machines.of_image() gave,
    where the image does not say it; serial: which of its UARTs is the console. timeout, silence: see Limits.
    interactive: the keyboard is the console's. look: a function called with the Result and a Monitor at the end, while the
    machine can still be looked at; Ctrl-C then ends the run as a limit does. door: path of a Unix socket at which somebody else
    may type and read, too.
    """
    board = machines.named(machine) if isinstance(machine, str) else machine or machines.of_image(rom or image or "")
    board = board if serial is None else board._replace(serial=serial)
    command = command_line(find_qemu(qemu, board), image, rom, uart1, extra, icount, board)
    result = Result(images.speakers(images.of_run(image, rom), machines.names(rom or image)))
    monitor = Monitor()
    command[1:1] = monitor.arguments() + (STANDS if look else [])
    unmasked = signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGINT})    # of QEMU, for ever
    try:
        process = subprocess.Popen(command, stdin=subprocess.PIPE if script or interactive or door else subprocess.DEVNULL,
                                   stdout=subprocess.PIPE, stderr=subprocess.PIPE, pass_fds=[monitor.theirs.fileno()])
    except OSError as error:
        signal.pthread_sigmask(signal.SIG_SETMASK, unmasked)
        raise RunError(f"run.py: {command[0]}: {error.strerror}. hint: reinstall qemu-system-ppc") from None
    monitor.started()
    limits = Limits(*(limit and limit * PATIENCE for limit in (timeout, silence)), board.hertz, time.monotonic())
    session = Session(process, monitor, result, limits, echo, list(script), until)
    try:
        signal.pthread_sigmask(signal.SIG_SETMASK, unmasked)
        with raw_terminal(sys.stdin) if interactive else contextlib.nullcontext(), Door(door) as session.door:
            session.follow_to_end(interactive, look)
    finally:
        session.close()
    return result


class Door:
    """A Unix socket, at which one after the other may type on the console and read along; None: there is none."""

    def __init__(self, path):
        self.path, self.guest, self.listener = path, None, None

    def __enter__(self):
        if self.path:
            with contextlib.suppress(FileNotFoundError):
                os.unlink(self.path)
            self.listener = socket.socket(socket.AF_UNIX)
            try:
                self.listener.bind(self.path)
            except OSError as error:
                raise RunError(f"run.py: {self.path}: {error.strerror}. hint: a path for a new socket") from None
            self.listener.listen(4)
        return self

    def __exit__(self, *_):
        self.leave()
        if self.listener:
            self.listener.close()
            with contextlib.suppress(FileNotFoundError):
                os.unlink(self.path)

    def enter(self, selector, send):
        """Somebody comes. True: the door stays open."""
        guest, _ = self.listener.accept()
        if self.guest:
            guest.close()           # one at a time
        else:
            self.guest = guest
            selector.register(guest, selectors.EVENT_READ, lambda: self.typed(send))
        return True

    def typed(self, send):
        """What is typed goes to the console. False: whoever was there has gone."""
        data = b""
        with contextlib.suppress(OSError):
            data = self.guest.recv(4096)
        if not data:
            return False
        return send(data)

    def leave(self):
        """Nobody is there."""
        if self.guest:
            self.guest.close()
            self.guest = None

    def tell(self, data):
        """The console has said this. Who does not read loses it."""
        if self.guest:
            with contextlib.suppress(OSError):
                self.guest.send(data, socket.MSG_DONTWAIT)


class Session:
    """A QEMU that runs, and what has been heard of it so far."""

    def __init__(self, process, monitor, result, limits, echo, steps, until):
        self.process, self.monitor, self.result, self.limits = process, monitor, result, limits
        self.echo, self.steps, self.until = echo, steps, until
        self.decoder = codecs.getincrementaldecoder("ascii")("backslashreplace")
        self.text, self.heard, self.errors = "", "", b""
        self.stands = False         # does QEMU stay when the machine is reset?
        self.reset = False          # it has been, and the run is over
        self.unanswered = 0         # commands, since the last answer
        self.waiting, self.door = False, Door(None)

    def follow_to_end(self, interactive, look):
        """The run; then the look at the machine, if it is still there."""
        result, self.stands = self.result, bool(look)
        with selectors.DefaultSelector() as selector:
            selector.register(self.process.stdout, selectors.EVENT_READ, self._console)
            selector.register(self.process.stderr, selectors.EVENT_READ, self._error_text)
            selector.register(self.monitor, selectors.EVENT_READ, self._events)
            if interactive:
                selector.register(sys.stdin, selectors.EVENT_READ, self._keyboard)
            if self.door.listener:
                selector.register(self.door.listener, selectors.EVENT_READ, lambda: self.door.enter(selector, self._send))
            if not look:
                self._follow(selector)
            else:
                with self._ctrl_c():
                    self._follow(selector)
                self._look(selector, look)
        if self.text and not result.ended:  # ended in the middle of a line: that one is not what was said
            result.add(self.text)
        result.errors = self.errors.decode("utf-8", "backslashreplace")
        result.unsent = self.steps

    @contextlib.contextmanager
    def _ctrl_c(self):
        """Ctrl-C ends what is done here, but only while we wait: nothing that was read is lost."""
        def stop(*_):
            self.result.interrupted = True
            if self.waiting:
                raise KeyboardInterrupt
        before = signal.signal(signal.SIGINT, stop)
        try:
            yield
        except KeyboardInterrupt:
            pass
        finally:
            signal.signal(signal.SIGINT, before)

    def _follow(self, selector):
        """Read what comes until both outputs end, the machine is reset, time is up, or what was waited for has come."""
        result = self.result
        while self._is_open(selector) and not (result.ended or self.reset or result.timed_out or result.interrupted):
            self._read(selector, self.limits.wait())
            result.timed_out = self.limits.over(time.monotonic(), self._time_base) or result.timed_out

    def _is_open(self, selector):
        """Does QEMU still have its outputs?"""
        return any(key.fileobj in (self.process.stdout, self.process.stderr) for key in selector.get_map().values())

    def _read(self, selector, patience):
        """Take what has come on anything. False: nothing."""
        self.waiting = True
        ready = selector.select(patience)
        self.waiting = False
        for key, _ in ready:
            if not key.data():
                selector.unregister(key.fileobj)
                if key.fileobj is self.door.guest:
                    self.door.leave()
        return bool(ready)

    def _console(self):
        data = os.read(self.process.stdout.fileno(), 65536)
        self.door.tell(data)
        piece = self.decoder.decode(data).replace("\r", "").replace("\0", "")
        if piece:
            self.limits.hear()
        if self.echo and piece:
            self.echo(piece)
        *lines, self.text = (self.text + piece).split("\n")
        for line in lines:
            self.result.add(line)
            self.result.ended = self.result.ended or bool(self.until and self.until(self.result))
        self._do_steps(piece)
        return data

    def _error_text(self):
        data = os.read(self.process.stderr.fileno(), 65536)
        self.errors += data
        return data

    def _events(self):
        with contextlib.suppress(MonitorError):
            self.reset = "SHUTDOWN" in self.monitor.poll() and self.stands
        return not self.monitor.gone

    def _keyboard(self):
        data = os.read(sys.stdin.fileno(), 4096)
        self._send(data)
        return data

    def _time_base(self):
        """How far the machine's time has got; None if nobody knows, or it was stopped by somebody else."""
        try:
            if not self.monitor.ready:
                return None
            status = self.monitor.execute("query-status")["status"]
            self.unanswered = 0
            return self.monitor.registers().get("TB") if status == "running" else None
        except MonitorError:
            self.unanswered += not self.monitor.gone
            if self.unanswered == DEAF:
                self.result.stuck, self.result.timed_out = True, f"QEMU itself is stuck: {DEAF} commands without an answer"
            return None

    def _send(self, data):
        """To the console's keyboard. False: the machine has ended."""
        try:
            self.process.stdin.write(data)
            self.process.stdin.flush()
        except BrokenPipeError:
            return False
        return True

    def _do_steps(self, piece):
        """Do the steps that what was heard so far allows; keep what no step has used up yet."""
        self.heard += piece
        while self.steps:
            if self.steps[0].kind == "send":
                if not self._send(self.steps[0].data):
                    break
            else:
                match = self.steps[0].pattern.search(self.heard)
                if not match:
                    return
                self.heard = self.heard[match.end():]
            self.steps.pop(0)
        self.heard = ""

    def _look(self, selector, look):
        """The machine stands; what it had said comes first."""
        try:
            if not (self.monitor.ready or self.result.lines):   # it has hardly begun
                self.monitor.poll(GREETING)
            if not self.monitor.ready or self.process.poll() is not None:
                return
            self.monitor.stop()
            while self._read(selector, 0):
                self.monitor.execute("query-status")    # the UART has its turn
            look(self.result, self.monitor)
            self.monitor.execute("quit")
            self.process.wait(ANSWER)
        except (MonitorError, subprocess.TimeoutExpired):
            return

    def close(self):
        """Nothing is left of it."""
        if self.process.poll() is None:
            self.process.kill()
        self.result.status = self.process.wait()
        self.monitor.close()
        for pipe in (self.process.stdin, self.process.stdout, self.process.stderr):
            if pipe:
                with contextlib.suppress(BrokenPipeError):     # unsent input of a machine that has ended
                    pipe.close()
