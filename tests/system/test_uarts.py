"""Every kind of virtual UART, by every form of load and store: the same console, on the hot road and by C.

Product `uarts`: the same guest (tests/guests/uarttest) as three VMs, with a 16550 whose registers are bytes, one whose registers
are words, and a UartLite. The assembler knows one kind, that of the most VMs: the others go by C. So each VM runs alone, too.
"""

import re

import conftest
import pytest
import run

KINDS = ("bytes", "words", "lite")
TEXT = "The quick brown fox jumps over the lazy dog, by "
FORMS = {"bytes": ["lbz, stb", "lbzx, stbx"],
         "words": ["lbz, stb", "lbzx, stbx", "lwz, stw", "lwzx, stwx", "lhz, sth"]}
FORMS["lite"] = FORMS["words"]
LONG = "".join(chr(ord("a") + number % 26) for number in range(250))
CHECKS = {"bytes": 111, "words": 264, "lite": 262}      # of which none can be left out unseen


def expected(kind):
    """What a VM of this kind writes."""
    lines = [TEXT + form for form in FORMS[kind]] + [LONG]
    if kind != "bytes":
        lines.append(". by stwbrx")
    return lines + ["by registers 0372678901", f"uarttest: PASS checks={CHECKS[kind]:08X}"]


def ticks(result, kind):
    """How long a VM ran."""
    return result.vms[kind].stats["ticks"]


def build(board, tmp_path, vms, options=""):
    """The product with these VMs only, run."""
    with open(f"{conftest.ROOT}/config/uarts/partitions.toml", encoding="utf-8") as file:
        head, *tables = file.read().split("[[vm]]\n")
    parts = [head] + [table for table in tables if re.search(r'^name = "(.*)"', table)[1] in vms]
    partitions = tmp_path / "partitions.toml"
    partitions.write_text("[[vm]]\n".join(parts), encoding="utf-8")
    return run_product("uarts", board, partitions, "-".join([*vms, *re.findall(r"CONFIG_(\w+)", options)]), options)


def run_product(product, board, partitions, name, options, **how):
    """An image of a product with another partition file, run on the board's machine."""
    folder = f"build/{product}-{board}-{name}".lower()
    conftest.make(f"PRODUCT={product}", f"O={folder}", f"PARTITIONS={partitions}",
                  f"EXTRA_CONFIG=CONFIG_BOARD_{board.upper()}=y {options} {conftest.FREE}", f"{folder}/proteus.elf")
    return run.run(image=f"{conftest.ROOT}/{folder}/proteus.elf", timeout=60, **how)


def check(result, kinds):
    """Every VM has said all, and nothing else."""
    assert not list(result.trouble()), "\n".join(result.lines[-20:])
    assert set(result.vms) == set(kinds)
    for kind in kinds:
        assert result.vms[kind].lines == expected(kind)


@pytest.mark.parametrize("board", ["ref405ep", "ml403", "raptor"])
def test_side_by_side(board, tmp_path):
    """One image with all kinds: CONFIG_UART_16550, CONFIG_UART_16550_WORDS, CONFIG_UART_UARTLITE."""
    check(build(board, tmp_path, KINDS), KINDS)


@pytest.mark.parametrize("kind", KINDS)
def test_alone(kind, tmp_path):
    """Its kind is the one that the assembler knows: the same lines, and sooner than by C, as beside the first kind."""
    result = build("ref405ep", tmp_path, [kind])
    check(result, [kind])
    if kind != KINDS[0]:
        assert ticks(result, kind) < 0.6 * ticks(build("ref405ep", tmp_path, KINDS), kind)


@pytest.mark.parametrize("kind", KINDS[1:])
def test_hot_with_translation(kind, tmp_path):
    """With CONFIG_TLB_VIRT the assembler fetches the instruction in another way, and knows the UART by its context."""
    check(build("raptor", tmp_path, [kind], "CONFIG_TLB_VIRT=y"), [kind])


HYPERCALLS = """[product]
name = "demo"
description = "hypercalls of the console, beside a driver of the UartLite"

[[vm]]
name = "para"
image = "ctask-para.elf"
memory = "1M"
console = "shared"
paravirt = true
irfm = true

[[vm]]
name = "plain"
image = "ctask.elf"
memory = "1M"
console = "shared"
"""


def test_hypercalls_beside_a_driver(tmp_path):
    """CONFIG_DRIVERS on a board whose console is a UartLite: who calls has no access to the device at all."""
    partitions = tmp_path / "partitions.toml"
    partitions.write_text(HYPERCALLS, encoding="utf-8")
    options = "CONFIG_PARAVIRT=y CONFIG_IRFM=y CONFIG_SERVICES=y CONFIG_DRIVERS=y"
    result = run_product("demo", "raptor", partitions, "hypercalls", options)
    assert not list(result.trouble()), "\n".join(result.lines[-20:])
    para, plain = result.vms["para"], result.vms["plain"]
    assert para.lines == plain.lines and len(para.lines) == 1
    assert para.stats["hypercall"] > 0 and para.stats.get("mmio", 0) == 0 and plain.stats["mmio"] > 0


SECOND = """[product]
name = "uarts"
description = "second UARTs"

[console]
focus = "echo1.1"

[[vm]]
name = "echo1"
image = "echo.elf"
memory = "64K"
regs = {{ r3 = 1, r4 = 1 }}
console = "shared"
console_at = 0x90000000
console_line = 5
second_uart = "{echo}"

[[vm]]
name = "other"
image = "uarttest.elf"
memory = "64K"
regs = {{ r3 = {kind}, r4 = {at} }}
console = "shared"
second_uart = "{device}"
"""
BOARDS = {"ref405ep": ("uart0", "uart1", 1, "0xEF600400", "bytes"), "ml403": ("uart0", "uartlite", 3, "0x84000000", "lite")}


@pytest.mark.parametrize("board", BOARDS)
def test_second_uart(board, tmp_path):
    """CONFIG_UART_SECOND: guests that know only the board's other UART, by interrupts and by every form of access."""
    echo, device, kind, at, name = BOARDS[board]
    partitions = tmp_path / "partitions.toml"
    partitions.write_text(SECOND.format(echo=echo, device=device, kind=kind, at=at), encoding="utf-8")
    steps = [("wait", r"echo1> "), ("send", r"hello\r"), ("wait", r"got hello\n"), ("send", r"\x1d1lost\r"),
             ("wait", r"focus echo1\n"), ("send", r"\x1d3quit\r")]
    result = run_product("uarts", board, partitions, "second", "CONFIG_UART_SECOND=y",
                         script=[run.Step(number, *step) for number, step in enumerate(steps, 1)])
    assert not list(result.trouble()), "\n".join(result.lines[-20:])
    assert result.vms["other"].second == expected(name) and result.vms["other"].lines == []
    assert result.vms["echo1"].second == ["echo1> ", "echo1: got hello", "echo1> ", "echo1: PASS lines=1"]
    assert result.vms["echo1"].lines == [] and result.untagged == []
    assert [text for text in result.hypervisor if text.startswith("focus")] == ["focus echo1", "focus echo1.1"]
