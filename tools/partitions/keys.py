"""Every key of a partition file and of a board file: one row says all there is to know of it.

The reader takes type, default and limits from here, messages their hints, config/README.md its tables, editors their schemas
(schema.py). What a rule needs besides (another key, the board, the configuration) is in vm.py, product.py, board.py and the files
of checks.
"""

import re
from dataclasses import dataclass

NAME, NAME_HINT = re.compile(r"[a-z0-9_-]{1,8}"), "1 to 8 characters of a-z, 0-9, _ and -"     # of a VM, of a tunnel
SPACE = 1 << 32                     # the 405's address space
PAGE_SIZES = [1024 << 2 * n for n in range(8)]      # index = the SIZE field of TLBHI: 1K, 4K, ... 16M
TEXT, NUMBER, FLAG, LIST, TABLE = str, int, bool, list, dict
LAST_LINE = "last line"             # a limit that the board's interrupt controller sets
INTC_SIZE = 32                      # bytes of Xilinx' interrupt controller, where it is in memory
INTC_DCRS = 8                       # or DCRs, where it is on that bus
NO_DCR = 0x400                      # behind the last DCR: the controller is not on the DCR bus
# Virtual UARTs: [console_kind] = the constant of src/vm/partition.h, bytes of registers, the option, a name for messages
CONSOLE_KINDS = {"ns16550": ("CONSOLE_16550", 8, "UART_16550", "16550"),
                 "ns16550-words": ("CONSOLE_16550_WORDS", 32, "UART_16550_WORDS", "16550"),
                 "uartlite": ("CONSOLE_UARTLITE", 16, "UART_UARTLITE", "UartLite")}


@dataclass(frozen=True)
class Key:
    """One key. A number is a TOML integer or a string such as "0x1000", "64K", "1M"."""
    name: str
    kind: type                      # or a tuple of types, whose reader is in vm.py
    doc: str
    default: object = None          # what it is where the file does not say, or does not say it right
    says: str = ""                  # the default in words, if it depends on something
    required: str = ""              # the hint when it is missing; without one it may be left out
    low: int = 0
    high: object = SPACE - 1        # a number, or the name of a limit that the reader knows by then
    choices: tuple = ()             # the texts that it can be
    items: tuple = ()               # of a LIST: what its elements can be; TABLE: the one of the same name
    form: object = None             # of a TEXT: the regular expression that all of it matches
    address: bool = False           # an address: one that lacks its 0x is told apart from a number
    option: str = ""                # the CONFIG_ option that it needs to be on
    example: str = ""               # the hint for a wrong type


@dataclass(frozen=True)
class Table:
    """The keys of one table of a file."""
    title: str                      # how it is written, for the reference
    keys: tuple

    def names(self):
        """The names of its keys."""
        return [key.name for key in self.keys]

    def __getitem__(self, name):
        return next(key for key in self.keys if key.name == name)


TUNNEL_ENDS = 'ends = [{ vm = "a", at = "0x80000000", doorbell = 7 }, { vm = "b", at = "0x80000000" }]'
BLOB = 'blob = { file = "x.dtb", guest = "0xF0000" }'

PARTITIONS = {
    "": Table("", (
        Key("product", TABLE, "", {}, required='[product] with name = "demo"'),
        Key("schedule", TABLE, "", {}),
        Key("console", TABLE, "", {}),
        Key("flow", TABLE, "", {}),
        *(Key(name, LIST, "", items=(TABLE,)) for name in ("plan", "vm", "tunnel")))),
    "product": Table("[product]", (
        Key("name", TEXT, "the product's, for tables and messages", "", required='name = "demo"'),
        Key("description", TEXT, "one line about it", ""),
        Key("verdict", LIST, "names of the VMs that have to print `<name>: PASS` in `make run`", (), says="all",
            items=(TEXT,), example='verdict = ["a"]'))),
    "schedule": Table("[schedule]", (
        Key("quantum_us", NUMBER, "slice in µs, 50 to 1000000: of round robin, or of VMs of one priority", 1000, low=50,
            high=1_000_000),)),
    "plan": Table("[[plan]]", (
        Key("name", TEXT, "the plan's, unique; the first one lasts from boot. Needs `CONFIG_SCHED_CYCLIC`", "?",
            required='name = "normal"'),
        Key("frame_us", NUMBER, "the major frame in µs", says="up to the end of the last window", low=100, high=1_000_000),
        Key("windows", LIST, "who runs in it and when: tables as below; between them, nobody", (), items=(TABLE,),
            required='windows = [{ vm = "a", us = 1000 }, { vm = "b", us = 500 }]',
            example='windows = [{ vm = "a", us = 1000 }]'))),
    "windows": Table("windows", (
        Key("vm", TEXT, "the VM that runs", "?", required='vm = "a"'),
        Key("us", NUMBER, "how long, in µs", 1, required="us = 1000", low=1, high=1_000_000),
        Key("at_us", NUMBER, "when it begins, from the frame's begin", says="where the one before ends", high=1_000_000))),
    "console": Table("[console]", (
        Key("escape", TEXT, "control key (not Enter); a digit behind it moves the input to that VM of the file, 1 is the first",
            "ctrl-]"),
        Key("focus", TEXT, "who has the input at first: a VM, or `<vm>.1`, its second UART", says="first with a console"))),
    "flow": Table("[flow]", (
        Key("forbid", LIST, 'who is to have no influence on whom, directly or through others: `"a -> b"`, `*` for every VM. '
            "`make flow` shows the graph (`tools/partitions/flow.py`)", (), says="nothing", items=(TEXT,),
            example='forbid = ["a -> b"]'),
        Key("trusted", LIST, "VMs whose program keeps apart what others tell it, a driver say: no way goes through them, but to "
            "them and from them. Nobody checks the program", (), says="nobody", items=(TEXT,), example='trusted = ["a"]'),
        Key("strict", FLAG, "this is to count, too, that one sees the other's tunnel open or close, or it stop, or waits for its "
            "output on the console", False, example="strict = true"))),
    "vm": Table("[[vm]]", (
        Key("name", TEXT, "1 to 8 of `a-z 0-9 _ -`, unique; tags its console lines", "?", form=NAME,
            required='name = "<1 to 8 of a-z, 0-9, _ and ->"'),
        Key("image", TEXT, "its ELF file, searched by `tools/pack.py` (`--guest-dir`, `--guest name=path`)", "",
            required='image = "<name>.elf"'),
        Key("memory", (NUMBER, TABLE), '`"1M"`, or a table: see below', required='memory = "1M"', example='memory = "1M"'),
        Key("on_reset", TEXT, 'what a reset by the guest does to it: `"stop"` or `"restart"` (such a VM never ends: '
            '`make run RUN=...`, README); or `"reset"`, to the board (needs `CONFIG_LIFECYCLE`)', "stop",
            choices=("stop", "restart", "reset")),
        Key("on_failure", TEXT, 'what happens when it cannot go on: `"stop"`, `"restart"` as long as `restarts` lasts, or '
            '`"reset"`: the board is (needs `CONFIG_LIFECYCLE`)', "stop", choices=("stop", "restart", "reset"),
            option="LIFECYCLE"),
        Key("restarts", NUMBER, "so often within `restarts_in_ms`, from the first on", 3, low=1, high=1000, option="LIFECYCLE"),
        Key("restarts_in_ms", NUMBER, "a time in ms; who fails once more in it stays stopped", 5000, low=1, high=8000,
            option="LIFECYCLE"),
        Key("on_overrun", TEXT, 'what happens when it has used up its budget, window or turn among equals, and wants more: '
            '`"ignore"`, `"tell"`: its supervisors are told, or `"fail"`, as `on_failure` says (needs `CONFIG_LIFECYCLE`)',
            "ignore", choices=("ignore", "tell", "fail"), option="LIFECYCLE"),
        Key("interrupts_max", NUMBER, "so many of its `interrupts` within `interrupts_in_ms`, from the first on; one more, and "
            "its lines are masked until the time is over (needs `CONFIG_LIFECYCLE`)", says="no limit", low=1, high=65535,
            option="LIFECYCLE"),
        Key("interrupts_in_ms", NUMBER, "a time in ms", 100, low=1, high=1000, option="LIFECYCLE"),
        Key("on_storm", TEXT, 'what happens besides when they are more: `"tell"` or `"fail"`, as of `on_overrun`', "tell",
            choices=("tell", "fail"), option="LIFECYCLE"),
        Key("supervises", LIST, "names of VMs that it may start, stop, pause, restart and look at by hypercall (needs "
            "`CONFIG_LIFECYCLE` and `paravirt`)", (), says="none", items=(TEXT,), option="LIFECYCLE",
            example='supervises = ["a"]'),
        Key("health_line", NUMBER, "line of its interrupt controller that tells that one of those has stopped, or of "
            "`on_overrun` and `on_storm`", says="none",
            high=LAST_LINE, option="LIFECYCLE"),
        Key("stray", TEXT, 'what a data access to nothing does to it while its MSR[ME] is 0: `"ignore"`, as the bus does, or '
            '`"stop"`', "ignore", choices=("ignore", "stop")),
        Key("priority", NUMBER, "the higher one runs first (needs `CONFIG_SCHED_PRIO`); equals take turns of `quantum_us`", 0,
            high=255, option="SCHED_PRIO"),
        Key("period_us", NUMBER, "with `budget_us`: the VM has so much of the processor in each period (needs "
            "`CONFIG_SCHED_RESERVE`)", says="no reservation: it has what others leave", low=200, high=1_000_000,
            option="SCHED_RESERVE"),
        Key("budget_us", NUMBER, "what it has in each period", says="none", low=1, high=1_000_000, option="SCHED_RESERVE"),
        Key("plans", FLAG, "may choose the plan by hypercall, from the next frame on (needs `CONFIG_SCHED_CYCLIC`, "
            "`CONFIG_SERVICES` and `paravirt`)", False, option="SCHED_CYCLIC", example="plans = true"),
        Key("tasks", LIST, "what it has to do in time, the most urgent first: tables as below. `make schedule` proves that all "
            "deadlines are kept, or the product is not built", (), says="none", items=(TABLE,),
            example="tasks = [{ period_us = 2000, wcet_us = 100 }]"),
        Key("absent", TEXT, 'what a data access to nothing does in the 4 KiB around its virtual UART and forwarded registers: '
            '`"quiet"`, reads zero (needs `CONFIG_ABSENT`), or `"check"`, a machine check, as elsewhere', says='"quiet" with '
            "`CONFIG_ABSENT`", choices=("quiet", "check")),
        Key("autostart", FLAG, "runs from boot; `false` only where another VM can start it", True, example="autostart = false"),
        Key("regs", TABLE, '`{ r3 = 0x1000, r4 = "blob" }`: r3 to r7 at the start; `"blob"` is the blob\'s address', {},
            says="0", example="regs = { r3 = 0 }"),
        Key("blob", TABLE, '`{ file = "x.dtb", guest = "0xF0000" }`: a file placed in its memory; searched beside this file too. '
            '`"<vm>.peers"` is made of this file: the VM\'s name in 8 bytes, then of each of its tunnels who is at the other end',
            example=BLOB),
        Key("console", TEXT, '`"shared"`: a virtual UART on the common console (needs `CONFIG_CONSOLE`)', "none",
            choices=("shared", "none")),
        Key("console_raw", FLAG, "what it writes goes to the terminal as it is, control characters too; for a VM that has the "
            "console alone", False, example="console_raw = true"),
        Key("console_at", NUMBER, "guest-physical address of the virtual UART", says="the board's UART", address=True),
        Key("console_kind", TEXT, '`"ns16550"`, `"ns16550-words"` (a register in each word) or `"uartlite"`; each needs its '
            "`CONFIG_UART_...`", says="the board's UART", choices=tuple(CONSOLE_KINDS)),
        Key("console_line", NUMBER, "interrupt line of the virtual UART", says="the board's UART", high=LAST_LINE),
        Key("second_uart", TEXT, "device of the board: a second virtual UART, of its kind, at its address and line. Its lines "
            "begin with `[<vm>.1]`, its input has a digit of its own, behind those of the VMs (needs `CONFIG_UART_SECOND`)",
            says="none", option="UART_SECOND", example='second_uart = "uart1"'),
        Key("intc_at", NUMBER, "of a board whose INTC is in memory: guest-physical address of the virtual one (needs "
            "`CONFIG_INTC`)", says="the board's", address=True),
        Key("devices", LIST, "board devices whose registers it sees, at their own address, whole pages", (), says="none",
            items=(TEXT,), example='devices = ["uart1"]'),
        Key("forward", LIST, 'board devices that share a page with others: the hypervisor does its accesses, one by one (needs '
            '`CONFIG_FORWARD`); a name, or `{ device = "gpio0", offset = 4, size = 4 }`', (), says="none", option="FORWARD",
            items=(TEXT, TABLE), example='forward = ["iic0", { device = "gpio0", offset = 4, size = 4 }]'),
        Key("interrupts", LIST, "board lines it gets: a device's name, a number, or `{ line = 7, guest = 9 }` (needs "
            "`CONFIG_UIC` or `CONFIG_INTC`)", (), says="none", items=(TEXT, NUMBER, TABLE),
            example='interrupts = ["uart1", 5, { line = 7, guest = 9 }]'),
        Key("dma", FLAG, "the one trusted VM; only it may own devices that do DMA (its memory has the same guest and machine "
            "addresses then), or a page with one", False, example="dma = true"),
        Key("paravirt", FLAG, "may make hypercalls (needs `CONFIG_PARAVIRT`)", False, option="PARAVIRT",
            example="paravirt = true"),
        Key("irfm", (FLAG, NUMBER), "register pages (needs `CONFIG_IRFM`): `true`, or the guest address of the boundary between "
            'the two, `"0xFFFFA000"`, within the lowest or highest 32 KiB', False, option="IRFM"),
        Key("optimize", FLAG, "its hot privileged instructions become loads and stores of its register pages, while it runs "
            "(needs `CONFIG_OPTIMIZE`). The pages are where `irfm` says, and at the top without it", False, option="OPTIMIZE",
            example="optimize = true"),
        Key("stubs", TABLE, "with `CONFIG_TLB_VIRT`, memory of its own that it does not use, for `optimize` of what takes more "
            "than one word: 44 bytes for each of `CONFIG_OPTIMIZE_STUBS`, in all 4, 8 or 16 KiB. With translation, its code runs "
            "at one address, all of it as far from where it is without as the stubs", says="none",
            option="OPTIMIZE", example='stubs = { guest = "0x7EA000", at = "0xC07EA000" }'),
        Key("tunnels_at", NUMBER, "guest-physical address of registers, 16 bytes for each of its tunnels: for a guest that makes "
            "no hypercalls (needs `CONFIG_IPCM_REGS`; `hypercalls/README.md`)", says="none", address=True,
            option="IPCM_REGS"),
        Key("previrt", FLAG, "the table in its image, section `.proteus.previrt`, is applied at its start (needs "
            "`CONFIG_PREVIRT`)", False, option="PREVIRT", example="previrt = true"))),
    "memory": Table("memory", (
        Key("size", NUMBER, "bytes, whole pages", required='memory = { size = "1M", guest = "0x0" }', low=1, high=SPACE),
        Key("guest", NUMBER, "guest-physical address", 0, address=True),
        Key("machine", NUMBER, "machine address", says="a free place, aligned for the fewest TLB entries", address=True))),
    "regs": Table("regs", tuple(
        Key(f"r{number}", (NUMBER, TEXT), 'a number, or `"blob"`', 0, choices=("blob",)) for number in range(3, 8))),
    "blob": Table("blob", (
        Key("file", TEXT, "its file", "", required=BLOB),
        Key("guest", NUMBER, "guest-physical address, a multiple of 4", required=BLOB, address=True))),
    "stubs": Table("stubs", (
        Key("guest", NUMBER, "guest-physical address, a multiple of their size", required='stubs = { guest = "0xF000" }',
            address=True),
        Key("at", NUMBER, "where its code sees them, a multiple of 16 MiB away", says="there", address=True))),
    "tasks": Table("tasks", (
        Key("name", TEXT, "the task's, unique in its VM", says="its number"),
        Key("period_us", NUMBER, "time in µs between two of its jobs, at least", required="period_us = 2000", low=10,
            high=10_000_000),
        Key("wcet_us", NUMBER, "the longest that a job of it computes, as a guest: its traps included", required="wcet_us = 100",
            low=1, high=10_000_000),
        Key("deadline_us", NUMBER, "when a job has to have ended, after its release", says="its period", low=1,
            high=10_000_000))),
    "tunnel": Table("[[tunnel]]", (
        Key("name", TEXT, "1 to 8 of `a-z 0-9 _ -`, unique. Memory that two VMs share, zero whenever both have left (needs "
            "`CONFIG_IPCM`)", "?", form=NAME, required='name = "data"'),
        Key("size", NUMBER, "bytes, whole pages", required='size = "4K"', low=1, high=1 << 24),
        Key("ends", LIST, "its two ends: tables as below", (), items=(TABLE,), required=TUNNEL_ENDS, example=TUNNEL_ENDS))),
    "ends": Table("ends", (
        Key("vm", TEXT, "the VM", "?", required='vm = "a"'),
        Key("at", NUMBER, "guest-physical address, a whole page", 0, required='at = "0x80000000"', address=True),
        Key("rights", TEXT, '`"rw"`, or `"r"`: it can only read', "rw", choices=("rw", "r")),
        Key("doorbell", NUMBER, "line of its own interrupt controller on which the other end rings", high=LAST_LINE,
            says="none: it can't be rung"),
        Key("boot", FLAG, "connected whenever the VM starts; otherwise when it asks for it. A VM that can't ask can't leave, "
            "either: when the other end begins anew, it waits for this VM's next start", False, example="boot = true"))),
    "forward": Table("forward", (
        Key("device", TEXT, "the board's device", "", required='{ device = "gpio0", offset = 4, size = 4 }'),
        Key("offset", NUMBER, "of the first of its registers that the VM gets", 0),
        Key("size", NUMBER, "their bytes", says="to its end", low=1))),
    "interrupts": Table("interrupts", (
        Key("line", (NUMBER, TEXT), "the board's line, or a device with one", required="{ line = 7, guest = 9 }", high=LAST_LINE),
        Key("guest", NUMBER, "the line on which its guest sees it", says="the same", high=LAST_LINE))),
}

AREA = (Key("base", NUMBER, "first address", 0, required="base = <address>", address=True),
        Key("size", NUMBER, "bytes", required="size = <bytes>", low=1, high=SPACE))

BOARD = {
    "": Table("", (
        Key("name", TEXT, "the board's: that of its file", "", required='name = "ref405ep"'),
        Key("tb_hz", NUMBER, "ticks of its time base in a second", 1_000_000,
            required="tb_hz = <ticks of the time base per second>"),
        Key("page_min", NUMBER, "smallest TLB page: 4096 for QEMU, 1024 for the chip alone", 4096,
            required="page_min = 4096, or 1024 on the chip itself"),
        Key("ccr0", NUMBER, "bits of CCR0 that an erratum of the core wants set before its caches are on", 0),
        Key("errata", LIST, "numbers of errata that the core has and that want code: see below", (), says="none",
            items=(NUMBER,), example="errata = [51, 77]"),
        Key("console", TEXT, "the device behind the shared console", says="none"),
        Key("uic", TABLE, "", {}), Key("intc", TABLE, "", {}), Key("qemu", TABLE, "", {}),
        *(Key(name, LIST, "", items=(TABLE,)) for name in ("ram", "rom", "reserved", "device")))),
    "uic": Table("[uic]", (
        Key("dcr", NUMBER, "interrupt controller of IBM's: its first DCR", 0, required="dcr = 0xC0", high=NO_DCR - 1),
        Key("lines", NUMBER, "number of its lines", 32, low=1, high=32),
        Key("polarity", NUMBER, "its register PR", 0xFFFFFFFF),
        Key("trigger", NUMBER, "its register TR", 0))),
    "intc": Table("[intc]", (
        Key("base", NUMBER, "instead of it, Xilinx' INTC: its address, or", high=SPACE - INTC_SIZE,
            address=True),
        Key("dcr", NUMBER, "its first DCR", high=NO_DCR - INTC_DCRS),
        Key("lines", NUMBER, "number of its lines", 32, low=1, high=32),
        Key("edges", NUMBER, "which lines are edges (bit 0 is line 0; a UartLite's is one), the others are levels", 0))),
    "qemu": Table("[qemu]", (
        Key("machine", TEXT, "how `tools/run.py` runs it: QEMU's machine", says="the board's name"),
        Key("serial", NUMBER, "number of the console's `-serial`", 0, high=3),
        Key("patched", FLAG, "whether the machine is one of `tools/qemu`", False))),
    "ram": Table("[[ram]]", (
        Key("name", TEXT, "for `board_values.h`", "ram"), *AREA)),
    "rom": Table("[[rom]]", (
        Key("name", TEXT, "for `board_values.h`", "rom"), *AREA)),
    "reserved": Table("[[reserved]]", (
        Key("name", TEXT, "one is `hypervisor`, one `images`, which holds the guests' ELF bytes", "reserved",
            required='name = "hypervisor"'),
        *AREA)),
    "device": Table("[[device]]", (
        Key("name", TEXT, "small letters, digits and _, unique", "?", required='name = "uart0"'),
        Key("kind", TEXT, "`ns16550` and `uartlite` can be the console; `memory` is what may be read ahead", ""),
        Key("base", NUMBER, "first address of its registers", 0, required="base = <machine address>", address=True),
        Key("size", NUMBER, "their bytes", 1, required="size = <bytes>", low=1, high=SPACE),
        Key("offset", NUMBER, "of a UART: its first register from `base`", 0),
        Key("stride", NUMBER, "of a UART: bytes from one register to the next", 1, low=1, high=16),
        Key("clock", NUMBER, "of a 16550: what its divisor divides, in Hz", 0),
        Key("baud", NUMBER, "of a 16550: what the divisor is set for", 0, says="the divisor is not touched", high=4_000_000),
        Key("irq", NUMBER, "its interrupt line, which no other device has", says="none", high=LAST_LINE),
        Key("dma", FLAG, "masters the bus", False, example="dma = true"))),
}
