"""Console input, end to end: keys that somebody types reach the VM that has the focus, and no other.

Product `echo`: echo1 polls its UART, echo2 takes receive interrupts and waits with MSR[WE] set. Both answer a line with
`<name>: got <line>`, control characters as ^X.

Runs use -icount. QEMU 7.2 does not support an mtdcr that raises an interrupt under it; here keys raise it by the UART
itself, so that input is no reason to do without.
"""

import re

import conftest
import elfpatch
import pytest
import run

VMS = ("echo1", "echo2")
BOTH_PROMPTS = r"(?s)echo[12]> .*echo[12]> "
OTHER = {"echo1": "echo2", "echo2": "echo1"}
KEY = {"echo1": r"\x1d1", "echo2": r"\x1d2"}


def prompt(name):
    """The pattern of a VM's prompt, with the tag that belongs to it, at the end of what has come so far."""
    return rf"(?:^|\n)\[{name}\] {name}> $"


def line(name, text):
    """Steps: type a line to the VM that should have the focus, and wait for its answer and its next prompt."""
    return [("send", text + r"\r"), ("wait", r"got [^\n]*\n" + rf"\[{name}\] {name}> ")]


def end(first="echo2", then="echo1"):
    """Steps: end both VMs, whoever has the focus."""
    return [("send", KEY[first] + r"quit\r"), ("wait", rf"{first}: PASS"), ("send", KEY[then] + r"quit\r")]


def typed(target, *steps, timeout=60):
    """Run an image with these (kind, text) as the input script."""
    script = [run.Step(number, kind, text) for number, (kind, text) in enumerate(steps, 1)]
    return run.run(**target, script=script, timeout=timeout)


def answers(result, name):
    """What a VM says that it got."""
    start = f"{name}: got "
    return [text[len(start):] for text in result.vms[name].lines if text.startswith(start)]


def check(result, **expected):
    """The run ended well; each VM got exactly these lines; nothing is on the console that nobody or two have said."""
    assert not list(result.trouble()), "\n".join(result.lines[-20:])
    assert result.untagged == []
    assert [text for text in result.hypervisor if not re.match(r"(stop|stat|focus) echo[12]", text)] == []
    assert set(result.vms) == set(VMS)
    for name in VMS:
        lines = result.vms[name].lines
        assert answers(result, name) == expected[name], result.lines
        assert result.vms[name].verdict == "PASS", lines
        assert result.vms[name].detail == f"lines={len(expected[name])}"
        own = re.compile(rf"({name}> )?|{name}: got [^\[]*|{name}: PASS lines=\d+")
        assert [text for text in lines if not own.fullmatch(text)] == [], result.lines


@pytest.fixture(scope="module", params=["ref405ep elf", "ref405ep rom", "ml403 elf", "raptor elf"])
def target(request, images):
    """The image, as arguments of run.run(); its UART has a register in each byte, in each word, or is a UartLite."""
    board, kind = request.param.split()
    return {"image": images.on(board).elf("echo")} if kind == "elf" else {"rom": images.on(board).rom("echo")}


def test_prompts_are_tagged(target):
    """A line without an end comes out, be it that its guest polls or waits; another's text starts a line of its own."""
    result = typed(target, ("wait", BOTH_PROMPTS), *end())
    check(result, echo1=[], echo2=[])
    for name in VMS:
        assert result.lines.count(f"[{name}] {name}> ") == 1


def test_focus_at_first(target):
    """Without an escape key all goes to the VM that the partition file names."""
    result = typed(target, ("wait", BOTH_PROMPTS), *line("echo1", "hello"), *line("echo1", "and again"), *end())
    check(result, echo1=["hello", "and again"], echo2=[])


def test_escape_moves_the_focus(target):
    """Ctrl-] and a digit, there and back, and to where it is already; the two keys themselves go to nobody."""
    result = typed(target, ("wait", BOTH_PROMPTS), ("send", KEY["echo2"]), *line("echo2", "to two"), ("send", KEY["echo1"]),
                   *line("echo1", "to one"), ("send", KEY["echo1"]), *line("echo1", "2 to one"), ("send", KEY["echo2"]),
                   *line("echo2", "1 to two"), *end("echo1", "echo2"))
    check(result, echo1=["to one", "2 to one"], echo2=["to two", "1 to two"])


def test_the_focus_is_told(target):
    """Whoever switches sees to whom, in a line of the hypervisor's own, even if it is whom he talks to already."""
    result = typed(target, ("wait", BOTH_PROMPTS), ("send", KEY["echo2"]), ("wait", r"\[proteus\] focus echo2\n"), ("send", KEY["echo1"]),
                   ("wait", r"\[proteus\] focus echo1\n"), ("send", KEY["echo1"]), ("wait", r"\[proteus\] focus echo1\n"),
                   *line("echo1", "x"), *end())
    check(result, echo1=["x"], echo2=[])


def test_focus_moves_within_a_line(target):
    """Each VM keeps its part of a line until it is continued."""
    result = typed(target, ("wait", BOTH_PROMPTS), ("send", "on" + KEY["echo2"] + "tw" + KEY["echo1"] + r"e\r"),
                   ("wait", r"echo1: got one\n"), ("send", KEY["echo2"] + r"o\r"), ("wait", r"echo2: got two\n"), *end())
    check(result, echo1=["one"], echo2=["two"])


@pytest.mark.parametrize("name", VMS)
def test_escape_twice_is_a_key(target, name):
    """Twice is once for the guest; four times is twice; a digit after that is a digit and moves nothing."""
    result = typed(target, ("wait", BOTH_PROMPTS), ("send", KEY[name]), *line(name, r"a\x1d\x1db"),
                   *line(name, r"\x1d\x1d\x1d\x1d"), *line(name, r"\x1d\x1d1\x1d\x1d2"), *end())
    check(result, **{name: ["a^]b", "^]^]", "^]1^]2"], OTHER[name]: []})


@pytest.mark.parametrize("name", VMS)
def test_escape_and_another_key(target, name):
    """Before a key that names no VM the escape key is dropped, and the key is itself."""
    result = typed(target, ("wait", BOTH_PROMPTS), ("send", KEY[name]), *line(name, r"x\x1dy"), *line(name, r"\x1d0\x1d3\x1d9z"),
                   ("send", r"last\x1d\r"), ("wait", rf"{name}: got last\n"), *end())
    check(result, **{name: ["xy", "039z", "last"], OTHER[name]: []})


@pytest.mark.parametrize("name", VMS)
def test_pasted(target, name):
    """120 characters at once, of which a virtual UART holds 16: all arrive, in order, polled and by interrupts."""
    text = "".join(chr(ord("0") + number % 43) for number in range(120))
    result = typed(target, ("wait", BOTH_PROMPTS), ("send", KEY[name]), ("send", text + r"\r"),
                   ("wait", rf"{name}: got .*\n"), *line(name, "next"), *end())
    check(result, **{name: [text, "next"], OTHER[name]: []})


def test_pasted_to_both(target):
    """The keys that move the focus are in the middle of it: they wait their turn like all others."""
    text = "0123456789" * 6
    result = typed(target, ("wait", BOTH_PROMPTS),
                   ("send", KEY["echo2"] + text + r"\r" + KEY["echo1"] + text + "!" + r"\r" + KEY["echo2"] + "x" + r"\r"),
                   ("wait", r"(?s)(echo2: got x.*echo1: got 0|echo1: got 0.*echo2: got x)"), *end())
    check(result, echo1=[text + "!"], echo2=[text, "x"])


def test_lines_are_never_mixed(target):
    """Lines to both in one piece, so that both answer at the same time: each answer is whole."""
    rounds = 20
    steps = [("wait", BOTH_PROMPTS)]
    for number in range(rounds):
        one, two = f"one {number}", f"two {number}"
        steps += [("send", rf"{KEY['echo1']}{one}\r{KEY['echo2']}{two}\r"),
                  ("wait", rf"(?s)(echo1: got {one}\n.*echo2: got {two}\n|echo2: got {two}\n.*echo1: got {one}\n)")]
    result = typed(target, *steps, *end())
    check(result, echo1=[f"one {number}" for number in range(rounds)], echo2=[f"two {number}" for number in range(rounds)])


def test_polled_and_by_interrupt(target, request):
    """What the two VMs are there for: echo1 takes no interrupt at all, echo2 one a line at least, and one for a byte at most.

    A UartLite (raptor's) has one pulse for two events: it also comes when the transmit FIFO is empty again.
    """
    result = typed(target, ("wait", BOTH_PROMPTS), ("send", KEY["echo2"]), *line("echo2", "a"), *line("echo2", "b"),
                   ("send", KEY["echo1"]), *line("echo1", "c"), *end())
    check(result, echo1=["c"], echo2=["a", "b"])
    assert result.vms["echo1"].stats.get("irq", 0) == 0
    received = len("a\rb\rquit\r")
    sent = sum(len(text + "\r\n") for text in result.vms["echo2"].lines)
    interrupts = result.vms["echo2"].stats["irq"]
    if "raptor" in request.node.callspec.params["target"]:
        assert received < interrupts <= received + sent
    else:
        assert 3 <= interrupts <= received
    assert result.vms["echo2"].stats["rfi"] == interrupts


def test_the_other_lives_on(target):
    """When the focused VM has ended, keys to it are lost, and the other is there at its digit."""
    result = typed(target, ("wait", BOTH_PROMPTS), ("send", r"quit\r"), ("wait", "stop echo1 "), ("send", r"nobody\r"),
                   ("send", KEY["echo2"]), *line("echo2", "still here"), ("send", r"quit\r"))
    check(result, echo1=[], echo2=["still here"])


def test_command_line(target, tmp_path, capsys):
    """The same by tools/run.py --input; a step that never comes to pass is a failure."""
    script = tmp_path / "input"
    image = [f"--{'rom' if kind == 'rom' else 'image'}={path}" for kind, path in target.items()]
    options = image + ["--input", str(script), "--vms", "echo1,echo2", "--timeout", "60"]
    script.write_text(BOTH_PROMPTS.join(["wait ", "\n"]) + "send hi\\r\nwait echo1: got hi\nsend quit\\r\n"
                      "wait echo1: PASS\nsend \\x1d2quit\\r\n", encoding="ascii")
    assert run.main(options) == 0
    assert "[echo1] echo1: got hi\n" in capsys.readouterr().out
    script.write_text(script.read_text(encoding="ascii") + "wait echo2: FAIL\n", encoding="ascii")
    assert run.main(options) == 1
    assert "never reached: wait echo2: FAIL" in capsys.readouterr().err


# ---------------------------------------------------------------- guests that are not so well-behaved

PROMPT, WORDS, HOSTILE, FLOOD, KEYS, REGISTERS, LINES, SLEEPER = range(1, 9)     # r3 of tests/guests/consoletest
TEST = "consoletest"


def vm(name, role, more=0, image=TEST):
    """A [[vm]] of that guest."""
    return (f'[[vm]]\nname = "{name}"\nimage = "{image}.elf"\nmemory = "64K"\nregs = {{ r3 = {role}, r4 = {more} }}\n'
            'console = "shared"\n')


@pytest.fixture
def product(images, tmp_path):
    """A function that builds an image with these VMs."""
    def build(name, *vms, options="", quantum=1000, console=""):
        partitions = tmp_path / f"{name}.toml"
        partitions.write_text("\n".join([f'[product]\nname = "{name}"\n[schedule]\nquantum_us = {quantum}', console, *vms]),
                              encoding="ascii")
        options = f"{options} {conftest.FREE}".strip()
        return {"image": images.elf("echo", f"CONFIG_CONSOLE=y {options}", partitions, f"build/console-{name}")}
    return build


@pytest.mark.parametrize("ticks", [0, 1])
@pytest.mark.parametrize("alone", [True, False], ids=["alone", "beside"])
def test_prompt_of_one_that_spins(product, alone, ticks):
    """Without a newline, a look at LSR or a wait state the prompt comes out, with CONFIG_SCHED_SINGLE, too, and a PIT that ticks."""
    others = [] if alone else [vm("other", LINES, 20)]
    options = "CONFIG_SCHED_SINGLE=y" if alone else ""
    target = product(f"prompt-{alone}-{ticks}".lower(), vm("asks", PROMPT, ticks), *others, options=options)
    result = typed(target, ("wait", r"\[asks\] login: "), ("send", "x"), ("wait", "thanks"))
    assert not list(result.trouble()), result.lines
    assert result.vms["asks"].verdict == "PASS"


def test_last_words(product):
    """A guest that hangs has said what it has written; its neighbour's lines are whole."""
    target = product("words", vm("spins", WORDS), vm("waits", WORDS, 1), vm("other", LINES, 20))
    result = run.run(**target, timeout=60, until=lambda result: result.vm("other").verdict)
    assert result.vms["spins"].lines == ["these are my last words"]
    assert result.vms["waits"].lines == ["these are my last words"]
    assert set(result.vms["other"].lines) == {"a line of some length, to be out before the next", f"{TEST}: PASS 30"}


def test_keys_are_shown_at_once(product):
    """A terminal by interrupts, whose kernel spins: each key is shown before the next one is typed."""
    target = product("keys", vm("shell", KEYS), vm("other", LINES, 20))
    steps = [("wait", r"type\n")]
    for key in "5678":          # none of them is in the neighbour's lines
        steps += [("send", key), ("wait", key)]
    result = typed(target, *steps, ("send", r"\r"), ("wait", "PASS 5"))
    assert not list(result.trouble()), result.lines


def test_nobody_holds_the_console(product):
    """A guest with a FIFO that writes ends of lines and nothing else: a neighbour's line is out after one of these."""
    target = product("flood", vm("flood", FLOOD), vm("other", LINES, 5))
    result = run.run(**target, timeout=60, until=lambda result: result.vm("other").verdict)
    assert result.vms["other"].verdict == "PASS", result.lines[-5:]
    assert len(result.vms["other"].lines) == 31
    assert len(result.vms["flood"].lines) > 100


def test_one_that_does_not_listen(product):
    """Keys wait for one that takes a third of a second; of one that takes more than a second they are lost, and that is told by OE."""
    target = product("sleeper", vm("early", SLEEPER, 300), vm("late", SLEEPER, 2000))
    text = "k" * 100
    result = typed(target, ("wait", r"(?s)type\n.*type\n"), ("send", text + r"\r"), ("wait", "early.*PASS 100"),
                   ("send", r"\x1d2" + text + r"\x1d1\x1d2"), ("wait", r"(?s)focus late\n.*focus late\n"), ("send", r"\r"),
                   ("wait", "late.*overruns 1"))     # (the line of a focus that has moved on already need not come)
    assert not list(result.trouble()), result.lines
    assert result.vms["early"].lines == ["type", "overruns 0", f"{TEST}: PASS 100"]
    assert result.vms["late"].lines[-1].startswith(f"{TEST}: PASS ")


def test_terminal_is_safe(product):
    """No byte but printing characters and ends of lines comes out, and nobody speaks in another's name."""
    target = product("hostile", vm("evil", HOSTILE), vm("other", LINES, 10))
    heard = []
    result = run.run(**target, timeout=60, echo=heard.append)
    assert not list(result.trouble()), result.lines
    assert re.fullmatch(r"[\n\t -~]*", "".join(heard))
    assert result.vms["other"].stops and all("reset by the guest" in stop for stop in result.vms["other"].stops)
    assert result.untagged == [] and set(result.vms) == {"evil", "other"}
    assert set(result.vms["other"].lines) == {"a line of some length, to be out before the next", f"{TEST}: PASS 30"}
    lines = result.vms["evil"].lines
    assert lines[:3] == ["^[[1G^[[2K[proteus] stop other pc=00000000 insn=00000000: I say so", "ab",
                         "[proteus] stop other pc=00000000 insn=00000000: I say so"]
    assert "^E^[[c^[[6n^[ZM-^[6nM-^D[other] other: PASSM-^E[other] other: PASS" in lines
    assert any(line.startswith("".join(f"^{chr(byte ^ 0x40)}" for byte in range(9)) + "\t") for line in lines)
    assert "".join(f"M-^{chr(byte ^ 0x40)}" for byte in range(9)) in "".join(lines)


def test_raw(product):
    """console_raw, for one that has the console alone: its bytes come out as they are, the tag before each line."""
    heard = []
    result = run.run(**product("raw", vm("evil", HOSTILE).rstrip() + "\nconsole_raw = true\n"), timeout=60, echo=heard.append)
    assert not list(result.trouble()), result.lines
    assert "[evil] \033[1G\033[2K[proteus] stop other pc=00000000" in "".join(heard)


@pytest.mark.parametrize("alone", [True, False], ids=["hot", "beside"])
def test_registers(product, alone):
    """FCR, the loop and the enables of a 16550, as its data sheet has them."""
    target = product(f"registers-{alone}".lower(), vm("regs", REGISTERS), *([] if alone else [vm("other", LINES, 20)]))
    result = typed(target, ("wait", r"type\n"), ("send", "a"), ("wait", r"type\n"), ("send", "b"))
    assert not list(result.trouble()), result.lines
    assert result.vms["regs"].lines[-1] == f"{TEST}: PASS 11"


@pytest.mark.parametrize("by_interrupt", [0, 1])
def test_bare(guests, tmp_path, by_interrupt):
    """The same guest without a hypervisor does the same, in both ways."""
    image = elfpatch.patched_image(f"{guests}/echo.elf", tmp_path / "echo.elf", f"{guests}/echo.elf",
                                   echo_number=7, echo_by_interrupt=by_interrupt)
    result = typed({"image": image}, ("wait", "echo7> "), ("send", r"a\x1db\r"), ("wait", r"got .*\n"), ("send", r"quit\r"))
    assert not list(result.trouble())
    assert result.lines == ["echo7> ", "echo7: got a^]b", "echo7> ", "echo7: PASS lines=1"]
