#!/usr/bin/python3
"""tools/partition.py: the tables it writes, and every fault it reports, with its exact line and words."""

import glob
import json
import os
import random
import re
import subprocess
import sys

import pytest

sys.dont_write_bytecode = True
TOP = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
TOOLS = os.path.join(TOP, "tools")
sys.path.insert(0, TOOLS)

import kconfig  # noqa: E402
import partition  # noqa: E402
from kconfig import run_tool  # noqa: E402
from partitions.ranges import overlap  # noqa: E402

BOARD = os.path.join(TOP, "config", "boards", "ref405ep.toml")
CONSOLE = "CONFIG_CONSOLE=y\nCONFIG_UART_16550=y\nCONFIG_UIC=y\nCONFIG_VM_MAX=4\n"
DIRECT = "# CONFIG_CONSOLE is not set\nCONFIG_UIC=y\nCONFIG_VM_MAX=4\n"
UARTS = CONSOLE + "CONFIG_UART_16550_WORDS=y\nCONFIG_UART_UARTLITE=y\n"
SINGLE = "CONFIG_SCHED_SINGLE=y\n"
RESERVE = CONSOLE + "CONFIG_SCHED_RESERVE=y\n"
CYCLIC = CONSOLE + "CONFIG_SCHED_CYCLIC=y\n"
PLAN = "[[plan]]\nname = 'x'\nwindows = [%s]"
PRIORITIES = CONSOLE + "CONFIG_SCHED_PRIO=y\n"
HYBRID = CONSOLE + "".join(f"CONFIG_{name}=y\n" for name in ("PARAVIRT", "IRFM", "PREVIRT", "SERVICES", "DRIVERS"))
OPTIMIZED = CONSOLE + "CONFIG_IRFM=y\nCONFIG_OPTIMIZE=y\nCONFIG_OPTIMIZE_STUBS=100\nCONFIG_TLB_VIRT=y\n"


@pytest.fixture
def tool(tmp_path, monkeypatch, capsys):
    """Runs the tool in a fresh folder on the given texts; returns (exit status, stdout, stderr lines)."""
    monkeypatch.chdir(tmp_path)

    def call(text, *options, config=CONSOLE, board=None):
        if text is not None:
            (tmp_path / "p.toml").write_bytes(text if isinstance(text, bytes) else text.encode())
        (tmp_path / ".config").write_text(config)
        if board is not None:
            (tmp_path / "b.toml").write_text(board)
        arguments = ["--board", "b.toml" if board is not None else BOARD, "--config", ".config", "p.toml"]
        status = run_tool(partition.main, arguments + list(options or ["--out", "gen"]))
        out, err = capsys.readouterr()
        return status, out, err.splitlines()
    call.path = tmp_path
    return call


def product(*vms, top=""):
    """A partition file: line 1 is [product], 2 its name, 3 `top` (one line), then a line with [[vm]] before each VM's lines."""
    return "[product]\nname = 'x'\n" + top + "\n" + "".join(f"[[vm]]\n{vm}\n" for vm in vms)


A = "name = 'a'\nimage = 'a.elf'\n"                     # lines 5 and 6 of a product; what follows is line 7
B = "name = 'b'\nimage = 'b.elf'\n"
MB = "memory = '1M'\n"

WATCHDOG = "CONFIG_WATCHDOG=y\nCONFIG_WATCHDOG_PERIOD=1\n"
LIFECYCLE = HYBRID + "CONFIG_LIFECYCLE=y\n"

# name, text, configuration, the lines of standard error without the file's name
FAULTS = [
    ("syntax", "[product]\nname = \n", CONSOLE,
     ["2: invalid value. hint: at column 8; the syntax is TOML 1.0"]),
    ("truncated", "[product]\nname = 'x'\n[[vm", CONSOLE,
     ["3: expected ']]' at the end of an array declaration. hint: the file ends too early; the syntax is TOML 1.0"]),
    ("not_text", b"[product]\nname = '\xff'\n", CONSOLE,
     ["2: the partition file is not UTF-8 text. hint: save it as UTF-8"]),
    ("empty", "", CONSOLE,
     ["1: key 'product' is missing. hint: [product] with name = \"demo\"",
      "1: there is no vm. hint: at least one [[vm]] with name, image and memory"]),
    ("product_name", "[product]\n[[vm]]\n" + A + MB, CONSOLE,
     ["1: key 'name' is missing. hint: name = \"demo\""]),
    ("unknown_table", product(A + MB, top="[shedule]"), CONSOLE,
     ["3: unknown key 'shedule'. hint: did you mean 'schedule'?"]),
    ("unknown_key", product(A + MB + "on_rest = 'stop'"), CONSOLE,
     ["8: unknown key 'on_rest'. hint: did you mean 'on_reset'?"]),
    ("unknown_far", product(A + MB + "zzz = 1"), CONSOLE,
     ["8: unknown key 'zzz'. hint: known: absent, autostart, blob, budget_us, console, console_at, console_kind, console_line, console_raw, "
      "devices, dma, forward, health_line, image, intc_at, interrupts, interrupts_in_ms, interrupts_max, irfm, memory, name, on_failure, "
      "on_overrun, on_reset, on_storm, optimize, paravirt, period_us, plans, "
      "previrt, priority, regs, restarts, restarts_in_ms, second_uart, stray, stubs, supervises, tasks, tunnels_at"]),
    ("unknown_inline", product(A + "memory = { size = '1M', gest = 0 }"), CONSOLE,
     ["7: unknown key 'gest'. hint: did you mean 'guest'?"]),
    ("type_bool", product(A + MB + "dma = 'yes'"), CONSOLE,
     ["8: 'dma' has to be true or false, not a string. hint: for example dma = true"]),
    ("type_list", product(A + MB + "devices = 'nvram'"), CONSOLE,
     ["8: 'devices' has to be an array, not a string. hint: for example devices = [\"uart1\"]"]),
    ("type_table", product(A + MB + "blob = 'x.dtb'"), CONSOLE,
     ["8: 'blob' has to be a table, not a string. hint: for example blob = { file = \"x.dtb\", guest = \"0xF0000\" }"]),
    ("type_string", product("name = 1\nimage = 'a.elf'\n" + MB), CONSOLE,
     ["5: 'name' has to be a string, not a number. hint: see config/README.md"]),
    ("vm_not_array", "[product]\nname = 'x'\n[vm]\nname = 'a'\n", CONSOLE,
     ["3: 'vm' has to be an array of tables, not a table. hint: write [[vm]]"]),
    ("number", product(A + "memory = '1Q'"), CONSOLE,
     ["7: memory size \"1Q\" is not a number. hint: write 4096, 0x1000, \"64K\" or \"1M\""]),
    ("number_float", product(A + "memory = 1.5"), CONSOLE,
     ["7: memory size 1.5 is not a number. hint: write 4096, 0x1000, \"64K\" or \"1M\""]),
    ("quantum_low", product(A + MB, top="[schedule]\nquantum_us = 49"), CONSOLE,
     ["4: 'quantum_us' 49 is out of range. hint: 50 to 1000000"]),
    ("quantum_high", product(A + MB, top="[schedule]\nquantum_us = 1000001"), CONSOLE,
     ["4: 'quantum_us' 1000001 is out of range. hint: 50 to 1000000"]),
    ("plan_without", product(A + MB, top=PLAN % "{ vm = 'a', us = 100 }"), CONSOLE,
     ["3: a plan needs CONFIG_SCHED_CYCLIC. hint: set CONFIG_SCHED_CYCLIC=y in the defconfig, or remove [[plan]]"]),
    ("no_plan", product(A + MB), CYCLIC,
     ["1: CONFIG_SCHED_CYCLIC needs a plan. hint: [[plan]] with name and windows = [{ vm = \"a\", us = 1000 }, ...]"]),
    ("plan_windows", product(A + MB, B + MB, top=PLAN % "{ vm = 'a', us = 100 },\n{ vm = 'c', us = 50, at_us = 99 }, 5"), CYCLIC,
     ["6: the window begins at 99 us, and the one before it ends at 100 us. hint: at_us = 100 at least, or leave it out",
      "6: there is no vm 'c'. hint: known: a, b",
      "6: a window has to be a table. hint: windows = [{ vm = \"a\", us = 1000 }]",
      "12: vm 'b': no plan has a window for it. hint: windows = [..., { vm = \"b\", us = 1000 }]"]),
    ("plan_frame", product(A + MB, top="[[plan]]\nname = 'x'\nframe_us = 199\nwindows = [{ vm = 'a', us = 100, at_us = 100 }]"),
     CYCLIC, ["5: the windows end at 200 us, and the frame at 199 us. hint: frame_us = 200, or less in it"]),
    ("plan_empty", product(A + MB, top="[[plan]]\nname = 'x'\nwindows = []"), CYCLIC,
     ["5: a plan without a window. hint: windows = [{ vm = \"a\", us = 1000 }]",
      "6: vm 'a': no plan has a window for it. hint: windows = [..., { vm = \"a\", us = 1000 }]"]),
    ("plan_for_nobody", product(A + MB, top=2 * (PLAN % "{ vm = 'a', us = 100 }" + "\n")), CYCLIC,
     ["6: nobody can ask for plan 'x'. hint: plans = true for one of the VMs",
      "7: plan 'x' is there twice. hint: names are unique"]),
    ("plans_by_nothing", product(A + MB + "plans = true", top=PLAN % "{ vm = 'a', us = 100 }"), CYCLIC,
     ["10: vm 'a': it chooses the plan by a hypercall of CONFIG_SERVICES. hint: paravirt = true, and CONFIG_SERVICES=y in the "
      "defconfig"]),
    ("budget_of_none", product(A + MB + "budget_us = 100\nperiod_us = 1000"), CONSOLE,
     ["8: vm 'a': budget_us needs CONFIG_SCHED_RESERVE. hint: set CONFIG_SCHED_RESERVE=y in the defconfig, or remove budget_us",
      "9: vm 'a': period_us needs CONFIG_SCHED_RESERVE. hint: set CONFIG_SCHED_RESERVE=y in the defconfig, or remove period_us"]),
    ("budget_alone", product(A + MB + "budget_us = 100", B + MB + "period_us = 1000"), RESERVE,
     ["8: vm 'a': budget_us without period_us. hint: both, or none of them: period_us = <microseconds>",
      "13: vm 'b': period_us without budget_us. hint: both, or none of them: budget_us = <microseconds>"]),
    ("budget_too_much", product(A + MB + "budget_us = 1001\nperiod_us = 1000"), RESERVE,
     ["8: vm 'a': budget_us 1001 is more than period_us 1000. hint: 1000 at most"]),
    ("task_no_table", product(A + MB + "tasks = [5]"), CONSOLE,
     ["8: vm 'a': a task has to be a table, not a number. hint: for example tasks = [{ period_us = 2000, wcet_us = 100 }]"]),
    ("task_keys", product(A + MB + "tasks = [{ period_us = 2000 },\n{ wcet_us = 1 }, { period_us = 9, wcet_us = 1, wcte_us = 1 }]"),
     CONSOLE,
     ["8: key 'wcet_us' is missing. hint: wcet_us = 100",
      "9: key 'period_us' is missing. hint: period_us = 2000",
      "9: unknown key 'wcte_us'. hint: did you mean 'wcet_us'?",
      "9: 'period_us' 9 is out of range. hint: 10 to 10000000"]),
    ("task_order", product(A + MB + "tasks = [\n{ name = 't', period_us = 100, wcet_us = 51, deadline_us = 50 },\n"
                           "{ name = 't', period_us = 100, wcet_us = 10, deadline_us = 101 }]"), CONSOLE,
     ["9: vm 'a': task 't': wcet_us 51 is more than its deadline_us 50. hint: 50 at most",
      "10: vm 'a': task 't': deadline_us 101 is more than its period_us 100. hint: 100 at most",
      "10: vm 'a': task 't' is there twice. hint: names are unique in a VM"]),
    ("priority_of_none", product(A + MB + "priority = 1", B + MB), CONSOLE,
     ["8: vm 'a': priority needs CONFIG_SCHED_PRIO. hint: set CONFIG_SCHED_PRIO=y in the defconfig, or remove priority"]),
    ("priority_high", product(A + MB + "priority = 256"), PRIORITIES,
     ["8: 'priority' 256 is out of range. hint: 0 to 255"]),
    ("vm_name", product("name = 'Guest-One'\nimage = 'a.elf'\n" + MB), CONSOLE,
     ["5: vm name 'Guest-One' does not do. hint: 1 to 8 characters of a-z, 0-9, _ and -"]),
    ("vm_no_name", product("image = 'a.elf'\n" + MB), CONSOLE,
     ["4: key 'name' is missing. hint: name = \"<1 to 8 of a-z, 0-9, _ and ->\""]),
    ("vm_no_image", product("name = 'a'\n" + MB), CONSOLE,
     ["4: key 'image' is missing. hint: image = \"<name>.elf\""]),
    ("vm_no_memory", product(A), CONSOLE,
     ["4: vm 'a': key 'memory' is missing. hint: memory = \"1M\""]),
    ("memory_no_size", product(A + "memory = { guest = 0 }"), CONSOLE,
     ["7: vm 'a': memory has no size. hint: memory = { size = \"1M\", guest = \"0x0\" }"]),
    ("same_name", product(A + MB, A + MB), CONSOLE,
     ["10: vm name 'a' is there twice. hint: first in line 5"]),
    ("size_unaligned", product(A + "memory = 0x1800"), CONSOLE,
     ["7: vm 'a': memory size 0x1800 is not a multiple of a page (4K). hint: the next one is 0x2000"]),
    ("guest_unaligned", product(A + "memory = { size = '1M', guest = 0x400 }"), CONSOLE,
     ["7: vm 'a': memory guest address 0x400 is not a multiple of a page (4K). hint: the next one is 0x1000"]),
    ("machine_unaligned", product(A + "[vm.memory]\nsize = '1M'\nmachine = 0x100400"), CONSOLE,
     ["9: vm 'a': memory machine address 0x100400 is not a multiple of a page (4K). hint: the next one is 0x101000"]),
    ("guest_wraps", product(A + "memory = { size = '2M', guest = 0xFFF00000 }"), CONSOLE,
     ["7: vm 'a': memory 2M at guest address 0xFFF00000 passes the end of the address space. hint: lower guest or size"]),
    ("on_hypervisor", product(A + "memory = { size = '1M', machine = 0 }"), CONSOLE,
     ["7: vm 'a': memory 0x00000000-0x000FFFFF overlaps the area of the hypervisor 0x00000000-0x0000FFFF. "
      "hint: leave out machine = ... to have it placed"]),
    ("on_images", product(A + "memory = { size = '1M', machine = 0x07000000 }"), CONSOLE,
     ["7: vm 'a': memory 0x07000000-0x070FFFFF overlaps the area of the images 0x07000000-0x07FFFFFF. "
      "hint: leave out machine = ... to have it placed"]),
    ("memories_overlap", product(A + "memory = { size = '1M', machine = 0x100000 }",
                                 B + "memory = { size = '1M', machine = 0x180000 }"), CONSOLE,
     ["11: vm 'b': memory 0x00180000-0x0027FFFF overlaps vm 'a' 0x00100000-0x001FFFFF. "
      "hint: leave out machine = ... to have it placed"]),
    ("outside_ram", product(A + "memory = { size = '1M', machine = 0x07F80000 }"), CONSOLE,
     ["7: vm 'a': memory 0x07F80000-0x0807FFFF is outside the board's RAM. hint: RAM is 0x00000000-0x07FFFFFF"]),
    ("no_room", product(A + "memory = '127M'"), CONSOLE,
     ["7: vm 'a': no room for 127M in the board's RAM. hint: less memory, or set machine addresses by hand to close gaps"]),
    ("tlb_full", product(A + "memory = { size = 0xFF000, guest = 0x1000, machine = 0x102000 }",
                         B + MB), CONSOLE,
     ["7: vm 'a': 255 static TLB entries up to here, the 405 has 64. hint: this VM takes 255 for memory and 0 for devices: "
      "align size, guest and machine to 1M or so"]),
    ("tlb_full_anyhow", product(A + "memory = '111M'"), CONSOLE,
     ["7: vm 'a': 111 static TLB entries up to here, the 405 has 64. hint: this VM takes 111 for memory and 0 for devices: the free place "
      "allows pages of 1M at most; less memory has a better one"]),
    ("on_reset", product(A + MB + "on_reset = 'halt'"), CONSOLE,
     ["8: vm 'a': unknown policy 'halt'. hint: \"stop\" or \"restart\" or \"reset\""]),
    ("stray", product(A + MB + "stray = 'notify'"), CONSOLE,
     ["8: vm 'a': unknown policy 'notify'. hint: \"ignore\" or \"stop\""]),
    ("regs_name", product(A + MB + "regs = { r8 = 1 }"), CONSOLE,
     ["8: unknown key 'r8'. hint: known: r3, r4, r5, r6, r7"]),
    ("regs_range", product(A + MB + "regs = { r3 = 0x100000000 }"), CONSOLE,
     ["8: r3 4294967296 is out of range. hint: 0 to 0xFFFFFFFF"]),
    ("regs_blob", product(A + MB + "regs = { r3 = 'blob' }"), CONSOLE,
     ["8: vm 'a': a register is to hold the blob's address, but there is no blob. "
      "hint: add blob = { file = \"x.dtb\", guest = \"0xF0000\" }"]),
    ("blob_no_guest", product(A + MB + "blob = { file = 'x' }"), CONSOLE,
     ["8: key 'guest' is missing. hint: blob = { file = \"x.dtb\", guest = \"0xF0000\" }"]),
    ("blob_unaligned", product(A + MB + "blob = { file = 'x', guest = 0xF0002 }"), CONSOLE,
     ["8: vm 'a': blob address 0xF0002 is not word-aligned. hint: 0xF0000, say"]),
    ("blob_outside", product(A + MB + "blob = { file = 'x', guest = 0x100000 }"), CONSOLE,
     ["8: vm 'a': blob address 0x00100000 is outside the memory 0x00000000-0x000FFFFF. "
      "hint: place it inside; tools/pack.py checks its end"]),
    ("console_off", product(A + MB + "console = 'shared'"), DIRECT,
     ["8: vm 'a': the shared console needs CONFIG_CONSOLE. hint: set CONFIG_CONSOLE=y in the defconfig, or give one VM the "
      "device: console = \"none\", devices = [\"uart0\"]"]),
    ("console_kind", product(A + MB + "console = 'own'"), CONSOLE,
     ["8: vm 'a': unknown console 'own'. hint: \"shared\" or \"none\""]),
    ("console_at_alone", product(A + MB + "console_at = 0x1000"), CONSOLE,
     ["8: vm 'a': console_at without a console. hint: console = \"shared\", or remove console_at"]),
    ("console_unaligned", product(A + MB + "console = 'shared'\nconsole_at = 0xEF600304"), CONSOLE,
     ["9: vm 'a': the virtual 16550 can't be at 0xEF600304. hint: any multiple of 8 but 0, outside the memory"]),
    ("console_line_alone", product(A + MB + "console_kind = 'uartlite'\nconsole_line = 1"), CONSOLE,
     ["8: vm 'a': console_kind without a console. hint: console = \"shared\", or remove console_kind",
      "9: vm 'a': console_line without a console. hint: console = \"shared\", or remove console_line"]),
    ("console_like_none", product(A + MB + "console = 'shared'\nconsole_kind = 'uart-lite'"), CONSOLE,
     ["9: vm 'a': unknown kind of console 'uart-lite'. hint: did you mean 'uartlite'?"]),
    ("console_kind_off", product(A + MB + "console = 'shared'\nconsole_kind = 'uartlite'\nconsole_at = 0x84000000"), CONSOLE,
     ["9: vm 'a': a console of kind 'uartlite' needs CONFIG_UART_UARTLITE. hint: set CONFIG_UART_UARTLITE=y in the defconfig"]),
    ("console_kind_nowhere", product(A + MB + "console = 'shared'\nconsole_kind = 'uartlite'"), UARTS,
     ["9: vm 'a': the board has no device like kind 'uartlite'. hint: give console_at, the guest-physical address"]),
    ("console_line_far", product(A + MB + "console = 'shared'\nconsole_line = 32"), CONSOLE,
     ["9: 'console_line' 32 is out of range. hint: 0 to 31"]),
    ("uartlite_unaligned", product(A + MB + "console = 'shared'\nconsole_kind = 'uartlite'\nconsole_at = 0x84000004"), UARTS,
     ["10: vm 'a': the virtual UartLite can't be at 0x84000004. hint: any multiple of 16 but 0, outside the memory"]),
    ("words_in_ram", product(A + MB + "console = 'shared'\nconsole_kind = 'ns16550-words'\nconsole_at = 0xFFFE0"), UARTS,
     ["10: vm 'a': the virtual 16550 at 0x000FFFE0 lies in the VM's memory 0x00000000-0x000FFFFF. "
      "hint: move one of them: accesses to the 16550 have to fault to be emulated"]),
    ("guest_line_uartlite", product(A + MB + "console = 'shared'\nconsole_kind = 'uartlite'\nconsole_at = 0x84000000\n"
                                    "console_line = 7\ninterrupts = [7]"), UARTS,
     ["12: vm 'a': guest line 7 is the virtual UartLite's already. hint: choose another one: { line = 7, guest = 9 }"]),
    ("console_raw_alone", product(A + MB + "console_raw = true"), CONSOLE,
     ["8: vm 'a': console_raw without a console. hint: console = \"shared\", or remove console_raw"]),
    ("console_raw_beside", product(A + MB + "console = 'shared'\nconsole_raw = true", B + MB + "console = 'shared'"), CONSOLE,
     ["9: vm 'a': vm 'b' has the console, too: it could be overwritten, and its tag forged. hint: console = \"none\" for all "
      "others"]),
    ("console_in_ram", product(A + MB + "console = 'shared'\nconsole_at = 0xFF000"), CONSOLE,
     ["9: vm 'a': the virtual 16550 at 0x000FF000 lies in the VM's memory 0x00000000-0x000FFFFF. "
      "hint: move one of them: accesses to the 16550 have to fault to be emulated"]),
    ("console_table_off", product(A + MB, top="[console]"), DIRECT,
     ["3: [console] needs CONFIG_CONSOLE. hint: set CONFIG_CONSOLE=y in the defconfig, or remove [console]"]),
    ("escape", product(A + MB, top="[console]\nescape = 'F1'"), CONSOLE,
     ["4: escape 'F1' is not a control key. hint: \"ctrl-]\", or \"ctrl-a\" to \"ctrl-z\""]),
    ("escape_enter", product(A + MB, top="[console]\nescape = 'ctrl-m'"), CONSOLE,
     ["4: escape 'ctrl-m' is the Enter key. hint: another one, \"ctrl-]\" say"]),
    ("focus_unknown", product(A + MB + "console = 'shared'", top="[console]\nfocus = 'b'"), CONSOLE,
     ["4: there is no vm 'b'. hint: known: a"]),
    ("focus_without", product(A + MB, top="[console]\nfocus = 'a'"), CONSOLE,
     ["4: vm 'a' has no shared console. hint: give it console = \"shared\""]),
    ("device_unknown", product(A + MB + "devices = ['nvram', 'uart7']"), CONSOLE,
     ["8: vm 'a': unknown device \"uart7\" on board 'ref405ep'. hint: did you mean 'uart1'?"]),
    ("device_line", product(A + MB + "devices = [\n  'nvram', # one\n  'fpag',\n]"), CONSOLE,
     ["10: vm 'a': unknown device \"fpag\" on board 'ref405ep'. hint: did you mean 'fpga'?"]),
    ("device_not_text", product(A + MB + "devices = [{ a = 1 }]"), CONSOLE,
     ["8: vm 'a': a device has to be a string, not a table. hint: for example devices = [\"uart1\"]"]),
    ("device_repeated", product(A + MB + "devices = ['nvram', 'nvram']"), CONSOLE,
     ["8: vm 'a': device 'nvram' is listed twice. hint: once is enough"]),
    ("device_of_console", product(A + MB + "dma = true\ndevices = ['uart0']"), CONSOLE,
     ["9: vm 'a': device 'uart0' is the hypervisor's console. hint: set CONFIG_CONSOLE=n to give it to one VM"]),
    ("page_of_console", product(A + MB + "dma = true\ndevices = ['uart1']"), CONSOLE,
     ["9: vm 'a': device 'uart1' shares a page of 4K with 'uart0' of the hypervisor. "
      "hint: give both to one owner; a TLB page is the smallest window"]),
    ("page_of_vm", product(A + MB + "dma = true\ndevices = ['uart0']", B + MB + "devices = ['gpio0']"), DIRECT,
     ["9: vm 'a': device 'uart0' shares a page of 4K with 'gpio0' of vm 'b'. "
      "hint: give both to one owner; a TLB page is the smallest window",
      "14: vm 'b': the page of 'gpio0' also holds 'emac0', which does DMA. "
      "hint: dma = true if this is the one trusted VM: a DMA master reaches all memory, there is no IOMMU",
      "14: vm 'b': device 'gpio0' shares a page of 4K with 'uart0' of vm 'a'. "
      "hint: give both to one owner; a TLB page is the smallest window"]),
    ("device_two_owners", product(A + MB + "devices = ['nvram']", B + MB + "devices = ['nvram']"), CONSOLE,
     ["13: vm 'b': device 'nvram' belongs to vm 'a' already. hint: a device has one owner"]),
    ("window_in_ram", product(A + "memory = { size = '1M', guest = 0xF0000000 }\ndevices = ['nvram']"), CONSOLE,
     ["8: vm 'a': the window of 'nvram' 0xF0000000-0xF0001FFF lies in the VM's memory. "
      "hint: memory is 0xF0000000-0xF00FFFFF: move it with guest = ..., or make it smaller"]),
    ("console_in_window", product(A + MB + "console = 'shared'\nconsole_at = 0xF0001000\ndevices = ['nvram']"), CONSOLE,
     ["10: vm 'a': the virtual 16550 at 0xF0001000 lies in a page of 'nvram'. "
      "hint: move it with console_at: accesses to it have to fault to be emulated"]),
    ("dma_device", product(A + MB + "devices = ['emac0']"), DIRECT,
     ["8: vm 'a': device 'emac0' does DMA. "
      "hint: dma = true if this is the one trusted VM: a DMA master reaches all memory, there is no IOMMU"]),
    ("dma_page", product(A + MB + "devices = ['uart0']"), DIRECT,
     ["8: vm 'a': the page of 'uart0' also holds 'emac0', which does DMA. "
      "hint: dma = true if this is the one trusted VM: a DMA master reaches all memory, there is no IOMMU"]),
    ("dma_twice", product(A + MB + "dma = true", B + MB + "dma = true"), CONSOLE,
     ["13: vm 'b': vm 'a' has dma already. hint: one trusted VM only: a DMA master reaches all memory, there is no IOMMU"]),
    ("line_range", product(A + MB + "interrupts = [32]"), CONSOLE,
     ["8: interrupt line 32 is out of range. hint: 0 to 31"]),
    ("line_type", product(A + MB + "interrupts = [true]"), CONSOLE,
     ["8: interrupt line true is not a number. hint: write 4096, 0x1000, \"64K\" or \"1M\""]),
    ("line_guest_range", product(A + MB + "interrupts = [{ line = 3, guest = 40 }]"), CONSOLE,
     ["8: guest line 40 is out of range. hint: 0 to 31"]),
    ("line_missing", product(A + MB + "interrupts = [{ guest = 4 }]"), CONSOLE,
     ["8: vm 'a': an interrupt has no line. hint: { line = 7, guest = 9 }"]),
    ("line_key", product(A + MB + "interrupts = [{ line = 4, gest = 4 }]"), CONSOLE,
     ["8: unknown key 'gest'. hint: did you mean 'guest'?"]),
    ("line_device", product(A + MB + "interrupts = ['uart9']"), CONSOLE,
     ["8: vm 'a': unknown device 'uart9' on board 'ref405ep'. hint: did you mean 'uart1'?"]),
    ("line_of_none", product(A + MB + "interrupts = ['nvram']"), CONSOLE,
     ["8: vm 'a': device 'nvram' has no interrupt line. hint: give the number of a line"]),
    ("line_two_owners", product(A + MB + "interrupts = [7]", B + MB + "interrupts = [\n8,\n7]"), CONSOLE,
     ["15: vm 'b': interrupt line 7 belongs to vm 'a' already. hint: a line has one owner"]),
    ("line_of_console", product(A + MB + "interrupts = [0]"), CONSOLE,
     ["8: vm 'a': interrupt line 0 is that of 'uart0' of the hypervisor. hint: only its owner can have it"]),
    ("line_of_vm", product(A + MB + "dma = true\ndevices = ['uart1']", B + MB + "interrupts = ['uart1']"), DIRECT,
     ["14: vm 'b': interrupt line 1 is that of 'uart1' of vm 'a'. hint: only its owner can have it"]),
    ("line_without_uic", product(A + MB + "interrupts = [7]"), "# CONFIG_UIC is not set\n",
     ["8: vm 'a': routed interrupts need CONFIG_UIC. hint: set CONFIG_UIC=y in the defconfig, or remove the line"]),
    ("guest_line_twice", product(A + MB + "interrupts = [{ line = 3, guest = 9 }, 9]"), CONSOLE,
     ["8: vm 'a': guest line 9 is board line 3's already. hint: choose another one: { line = 7, guest = 9 }"]),
    ("guest_line_console", product(A + MB + "console = 'shared'\ninterrupts = [{ line = 3, guest = 0 }]"), CONSOLE,
     ["9: vm 'a': guest line 0 is the virtual 16550's already. hint: choose another one: { line = 7, guest = 9 }"]),
    ("paravirt_off", product(A + MB + "paravirt = true"), CONSOLE,
     ["8: vm 'a': paravirt needs CONFIG_PARAVIRT. hint: set CONFIG_PARAVIRT=y in the defconfig, or remove paravirt"]),
    ("previrt_off", product(A + MB + "previrt = true"), CONSOLE,
     ["8: vm 'a': previrt needs CONFIG_PREVIRT. hint: set CONFIG_PREVIRT=y in the defconfig, or remove previrt"]),
    ("irfm_off", product(A + MB + "irfm = true", B + MB + "irfm = '0xFFFFA000'"), CONSOLE,
     ["8: vm 'a': irfm needs CONFIG_IRFM. hint: set CONFIG_IRFM=y in the defconfig, or remove irfm",
      "13: vm 'b': irfm needs CONFIG_IRFM. hint: set CONFIG_IRFM=y in the defconfig, or remove irfm"]),
    ("optimize_off", product(A + MB + "optimize = true"), HYBRID,
     ["8: vm 'a': optimize needs CONFIG_OPTIMIZE. hint: set CONFIG_OPTIMIZE=y in the defconfig, or remove optimize"]),
    ("stubs_off", product(A + MB + "optimize = true\nstubs = { guest = 0x8000 }"), HYBRID,
     ["8: vm 'a': optimize needs CONFIG_OPTIMIZE. hint: set CONFIG_OPTIMIZE=y in the defconfig, or remove optimize",
      "9: vm 'a': stubs needs CONFIG_OPTIMIZE. hint: set CONFIG_OPTIMIZE=y in the defconfig, or remove stubs"]),
    ("stubs_without_optimize", product(A + MB + "stubs = { guest = 0x8000 }"), OPTIMIZED,
     ["8: vm 'a': stubs without optimize. hint: optimize = true, or remove stubs"]),
    ("stubs_on_the_page", product(A + MB + "optimize = true\nstubs = { guest = 0x8000 }"), HYBRID + "CONFIG_OPTIMIZE=y\n",
     ["9: vm 'a': stubs are on its register pages, but with CONFIG_TLB_VIRT. hint: remove stubs, or set CONFIG_TLB_VIRT=y in the defconfig"]),
    ("stubs_unaligned", product(A + MB + "optimize = true\nstubs = { guest = 0x9000 }"), OPTIMIZED,
     ["9: vm 'a': stubs at 0x9000: 100 of them need the 8K from a multiple of that. hint: 0x8000, say"]),
    ("stubs_outside", product(A + MB + "optimize = true\nstubs = { guest = 0x100000 }"), OPTIMIZED,
     ["9: vm 'a': stubs 0x00100000-0x00101FFF are outside the memory 0x00000000-0x000FFFFF. "
      "hint: memory of its own that the guest does not use"]),
    ("stubs_elsewhere", product(A + MB + "optimize = true\nstubs = { guest = 0x8000, at = 0xC0009000 }"), OPTIMIZED,
     ["9: vm 'a': 0xC0009000 and 0x8000 are not a multiple of 16 MiB apart. "
      "hint: where the guest's code sees this page, as far from that code as without translation"]),
    ("stubs_nowhere", product(A + MB + "optimize = true\nstubs = {}"), OPTIMIZED,
     ["9: key 'guest' is missing. hint: stubs = { guest = \"0xF000\" }"]),
    ("optimize_in_high_memory", product(A + "memory = { size = 0xF000, guest = 0xFFFF0000 }\noptimize = true"), HYBRID + "CONFIG_OPTIMIZE=y\n",
     ["4: vm 'a': the register pages 0xFFFFE000-0xFFFFFFFF lie in the VM's memory 0xFFFF0000-0xFFFFEFFF. "
      "hint: move them: irfm = \"<guest address of the boundary between the two pages>\""]),
    ("paravirt_type", product(A + MB + "paravirt = 1"), HYBRID,
     ["8: 'paravirt' has to be true or false, not a number. hint: for example paravirt = true"]),
    ("previrt_type", product(A + MB + "previrt = 'yes'"), HYBRID,
     ["8: 'previrt' has to be true or false, not a string. hint: for example previrt = true"]),
    ("irfm_type", product(A + MB + "irfm = 'top'"), HYBRID,
     ["8: irfm \"top\" is not a number. hint: write 4096, 0x1000, \"64K\" or \"1M\""]),
    ("irfm_unaligned", product(A + MB + "irfm = '0xFFFFF800'"), HYBRID,
     ["8: vm 'a': the boundary of the register pages 0xFFFFF800 is not a multiple of a page (4K). hint: 0xFFFFF000, say"]),
    *[("irfm_" + name, product(A + "memory = { size = '1M', guest = 0x100000 }\n" + f"irfm = '0x{address:X}'"), HYBRID,
       [f"8: vm 'a': the register pages around 0x{address:08X} are not in reach of a load without a base register. "
        "hint: irfm = true is 0xFFFFF000; the boundary can be 0xFFFF9000 to 0xFFFFF000, or 0x00001000 to 0x00007000"])
      for name, address in (("zero", 0), ("low", 0x8000), ("middle", 0x40000000), ("high", 0xFFFF8000))],
    ("irfm_in_low_memory", product(A + MB + "irfm = '0x4000'"), HYBRID,
     ["8: vm 'a': the register pages 0x00003000-0x00004FFF lie in the VM's memory 0x00000000-0x000FFFFF. "
      "hint: move them: irfm = \"<guest address of the boundary between the two pages>\""]),
    ("irfm_in_high_memory", product(A + "memory = { size = 0xF000, guest = 0xFFFF0000 }\nirfm = true"), HYBRID,
     ["8: vm 'a': the register pages 0xFFFFE000-0xFFFFFFFF lie in the VM's memory 0xFFFF0000-0xFFFFEFFF. "
      "hint: move them: irfm = \"<guest address of the boundary between the two pages>\""]),
    ("irfm_on_console", product(A + MB + "console = 'shared'\nconsole_at = '0xFFFFEFF8'\nirfm = true"), HYBRID,
     ["10: vm 'a': the register pages 0xFFFFE000-0xFFFFFFFF overlap the virtual 16550 0xFFFFEFF8-0xFFFFEFFF. "
      "hint: move them: irfm = \"<guest address of the boundary between the two pages>\""]),
    ("irfm_tlb_full", product(A + "memory = { size = 0x3F000, machine = 0x101000 }\nirfm = true"), HYBRID,
     ["7: vm 'a': 65 static TLB entries up to here, the 405 has 64. hint: this VM takes 63 for memory and 0 for devices, "
      "2 for register pages: align size, guest and machine to 1M or so"]),
    ("irfm_no_room", product(*[f"name = 'v{base >> 16}'\nimage = 'a.elf'\nmemory = {{ size = '{size}', guest = {base}, machine = {base} }}"
                               for size, base in (("64K", 0x10000), ("896K", 0x20000), ("15M", 0x100000), ("32M", 0x1000000),
                                                  ("64M", 0x3000000))]), HYBRID.replace("MAX=4", "MAX=5"),
     ["4: no room for the register pages, 40K for 5 VMs, in the board's RAM. hint: less memory for a VM, or CONFIG_IRFM=n"]),
    ("name_of_the_hypervisor", product("name = 'proteus'\nimage = 'a.elf'\n" + MB), CONSOLE,
     ["5: vm name 'proteus' is the hypervisor's own tag on the console. hint: another name"]),
    ("nobody_starts", product(A + MB + "autostart = false", B + MB + "autostart = false"), CONSOLE,
     ["8: vm 'a': no vm runs from boot. hint: autostart = true for one of them at least"]),
    ("no_lifecycle", product(A + MB + "supervises = ['b']\nparavirt = true\nhealth_line = 5", B + MB + "on_failure = 'stop'"), HYBRID,
     ["8: vm 'a': supervises needs CONFIG_LIFECYCLE. hint: set CONFIG_LIFECYCLE=y in the defconfig, or remove supervises",
      "10: vm 'a': health_line needs CONFIG_LIFECYCLE. hint: set CONFIG_LIFECYCLE=y in the defconfig, or remove health_line",
      "15: vm 'b': on_failure needs CONFIG_LIFECYCLE. hint: set CONFIG_LIFECYCLE=y in the defconfig, or remove on_failure"]),
    ("supervises_who", product(A + MB + "supervises = ['a', 'bb', 'b', 'b']", B + MB + "health_line = 5\nrestarts = 3"), LIFECYCLE,
     ["8: vm 'a': supervises without hypercalls. hint: paravirt = true",
      "8: vm 'a': it supervises itself. hint: another VM: what it does to itself is a reset",
      "8: vm 'a': unknown vm 'bb'. hint: did you mean 'b'?",
      "8: vm 'a': 'b' is there twice. hint: once is enough",
      "13: vm 'b': health_line without supervises. hint: supervises = [\"<vm>\"], or remove health_line",
      "14: vm 'b': restarts without on_failure. hint: on_failure = \"restart\", or remove restarts"]),
    ("supervises_number", product(A + MB + "supervises = [1]\nparavirt = true"), LIFECYCLE,
     ["8: vm 'a': a VM's name has to be a string, not a number. hint: for example supervises = [\"a\"]"]),
    ("health_line_taken", product(A + MB + "paravirt = true\nsupervises = ['b']\nhealth_line = 9\ninterrupts = [{ line = 4, guest = 9 }]",
                                  B + MB + "on_failure = 'restart'\nrestarts = 1001\nrestarts_in_ms = 0"), LIFECYCLE,
     ["10: vm 'a': line 9 is that of board line 4. hint: a line that nothing else has",
      "17: 'restarts' 1001 is out of range. hint: 1 to 1000",
      "18: 'restarts_in_ms' 0 is out of range. hint: 1 to 8000"]),
    ("no_care", product(A + MB + "on_reset = 'reset'\non_overrun = 'tell'\ninterrupts_max = 5\non_storm = 'fail'\ninterrupts = [5]"), HYBRID,
     ["8: vm 'a': on_reset = \"reset\" needs CONFIG_LIFECYCLE. hint: set CONFIG_LIFECYCLE=y in the defconfig",
      "9: vm 'a': on_overrun needs CONFIG_LIFECYCLE. hint: set CONFIG_LIFECYCLE=y in the defconfig, or remove on_overrun",
      "9: vm 'a': the scheduler knows no overruns. hint: CONFIG_SCHED_RESERVE, CONFIG_SCHED_CYCLIC or CONFIG_SCHED_PRIO, or remove on_overrun",
      "10: vm 'a': interrupts_max needs CONFIG_LIFECYCLE. hint: set CONFIG_LIFECYCLE=y in the defconfig, or remove interrupts_max",
      "11: vm 'a': on_storm needs CONFIG_LIFECYCLE. hint: set CONFIG_LIFECYCLE=y in the defconfig, or remove on_storm"]),
    ("care_words", product(A + MB + "on_overrun = 'stop'\ninterrupts_max = 0\non_storm = 'ignore'\ninterrupts_in_ms = 1001\non_failure = 'reboot'"), LIFECYCLE,
     ["8: vm 'a': unknown policy 'stop'. hint: \"ignore\" or \"tell\" or \"fail\"",
      "9: 'interrupts_max' 0 is out of range. hint: 1 to 65535",
      "10: vm 'a': unknown policy 'ignore'. hint: \"tell\" or \"fail\"",
      "10: vm 'a': on_storm without interrupts_max. hint: interrupts_max = <number>, or remove on_storm",
      "11: 'interrupts_in_ms' 1001 is out of range. hint: 1 to 1000",
      "11: vm 'a': interrupts_in_ms without interrupts_max. hint: interrupts_max = <number>, or remove interrupts_in_ms",
      "12: vm 'a': unknown policy 'reboot'. hint: \"stop\" or \"restart\" or \"reset\""]),
    ("storm_of_nothing", product(A + MB + "interrupts_max = 5"), LIFECYCLE,
     ["8: vm 'a': interrupts_max without interrupts. hint: interrupts = [...], or remove interrupts_max"]),
    ("no_turn", product(A + MB + "on_overrun = 'fail'\npriority = 7", B + MB + "on_overrun = 'ignore'"), LIFECYCLE + "CONFIG_SCHED_PRIO=y\n",
     ["8: vm 'a': no other vm has priority 7: it has no turn that it could overrun. hint: remove on_overrun"]),
    ("no_budget", product(A + MB + "on_overrun = 'tell'", B + MB + "on_overrun = 'tell'\nperiod_us = 1000\nbudget_us = 100"),
     LIFECYCLE + "CONFIG_SCHED_RESERVE=y\n",
     ["8: vm 'a': it has no budget that it could overrun. hint: period_us and budget_us, or remove on_overrun"]),
    ("watchdog_slice", product(A + MB, top="[schedule]\nquantum_us = 2000"), CONSOLE + WATCHDOG + "CONFIG_SCHED_RR=y\n",
     ["4: a slice of 2000 us is longer than a quarter of the watchdog's period. hint: 1572 us at most, or a larger CONFIG_WATCHDOG_PERIOD"]),
    ("watchdog_window", product(A + MB, top="[[plan]]\nname = 'x'\nframe_us = 1800\nwindows = [{ vm = 'a', us = 100 }]"),
     CONSOLE + WATCHDOG + "CONFIG_SCHED_CYCLIC=y\n",
     ["3: plan 'x': windows, or gaps between them, of 1700 us are longer than a quarter of the watchdog's period. hint: 1572 us at most, "
      "or a larger CONFIG_WATCHDOG_PERIOD"]),
    ("verdict_of_nobody", product(A + MB, B + MB, top="verdict = ['bb', 'b', 1]"), HYBRID,
     ["3: unknown vm 'bb'. hint: did you mean 'b'?", "3: unknown vm 1. hint: known: a, b"]),
    ("nobody_can_start_it", product(A + MB, B + MB + "autostart = false"), HYBRID,
     ["13: vm 'b': it does not run from boot, and no other vm can start it. hint: autostart = true, or leave it out"]),
    ("decimal_machine", product(A + "memory = { size = '1M', machine = 4000000 }"), CONSOLE,
     ["7: 'machine' 4000000 is a decimal number, that is 0x3D0900. hint: machine = 0x4000000, if that is meant",
      "7: vm 'a': memory machine address 0x3D0900 is not a multiple of a page (4K). hint: the next one is 0x3D1000"]),
    ("decimal_console", product(A + MB + "console = 'shared'\nconsole_at = 90210000"), CONSOLE,
     ["9: 'console_at' 90210000 is a decimal number, that is 0x5607ED0. hint: console_at = 0x90210000, if that is meant"]),
    ("dma_elsewhere", product(A + "memory = { size = '1M', machine = 0x100000 }\ndma = true\ndevices = ['emac0']"), DIRECT,
     ["7: vm 'a': 'emac0' does DMA by machine addresses, and the VM's memory is at guest address 0x00000000, but at machine address "
      "0x00100000. hint: the same for both; machine may be left out"]),
    ("dma_at_0", product(A + MB + "dma = true\ndevices = ['emac0']"), DIRECT,
     ["7: vm 'a': 'emac0' does DMA by machine addresses, and the machine's memory at the VM's guest addresses 0x00000000-0x000FFFFF is "
      "not free. hint: memory = { size = \"1M\", guest = \"0x100000\" }, say"]),
    ("dma_taken", product(A + "memory = { size = '1M', machine = 0x180000 }",
                          B + "memory = { size = '1M', guest = 0x200000 }\ndma = true\ndevices = ['emac0']"), DIRECT,
     ["11: vm 'b': 'emac0' does DMA by machine addresses, and the machine's memory at the VM's guest addresses 0x00200000-0x002FFFFF is "
      "not free. hint: memory = { size = \"1M\", guest = \"0x100000\" }, say"]),
    ("too_many", product(A + MB, B + MB), "CONFIG_VM_MAX=1\n",
     ["9: 2 VMs, but CONFIG_VM_MAX is 1. hint: set CONFIG_VM_MAX=2 in the defconfig"]),
    ("single", product(A + MB, B + MB), SINGLE,
     ["9: 2 VMs, but CONFIG_SCHED_SINGLE is for exactly one. hint: choose another scheduler in the defconfig"]),
]


@pytest.mark.parametrize("text, config, expected", [row[1:] for row in FAULTS], ids=[row[0] for row in FAULTS])
def test_fault(tool, text, config, expected):
    status, out, err = tool(text, config=config)
    assert [line.removeprefix("p.toml:") for line in err] == expected
    assert status == 1 and out == ""
    assert not (tool.path / "gen").exists()


def damage(rng, lines, letters, values):
    """One thing is wrong with the lines of a file: some are gone, one is there twice, a letter or a value is another; or nothing."""
    index = rng.randrange(len(lines))
    kind = rng.randrange(5)
    if kind == 0:
        del lines[index:index + rng.randint(1, 2)]
    elif kind == 1:
        lines.insert(index, rng.choice(lines))
    elif kind == 2 and lines[index]:
        place = rng.randrange(len(lines[index]))
        lines[index] = lines[index][:place] + rng.choice(letters) + lines[index][place + 1:]
    elif "=" in lines[index]:
        lines[index] = lines[index].split("=")[0] + "= " + rng.choice(values)


def good(tool, text, *options, **more):
    """Runs the tool on a good file and returns partitions.json."""
    status, out, err = tool(text, *options, **more)
    assert (status, out, err) == (0, "", [])
    return json.loads((tool.path / "gen" / "partitions.json").read_text())


def tlb(tool, text, **more):
    """The static TLB of a good file as (EPN, RPN, size, low attribute bits, TID)."""
    rows = []
    for entry in good(tool, text, **more)["tlb"]:
        assert entry["hi"] & 0x40, "V"
        assert entry["hi"] & 0x3F == 0, "E, U0 and the reserved bits"
        size = 1024 << 2 * (entry["hi"] >> 7 & 7)
        rows.append((entry["hi"] & -1024 & 0xFFFFFFFF, entry["lo"] & -1024 & 0xFFFFFFFF, size, entry["lo"] & 0x3FF,
                     entry["tid"]))
    return rows


K, M = 1 << 10, 1 << 20
RAM, DEVICE = 0x300, 0x105


PRODUCTS = sorted(os.path.dirname(path) for path in glob.glob(os.path.join(TOP, "config", "*", "partitions.toml")))


@pytest.mark.parametrize("folder", PRODUCTS, ids=[os.path.basename(folder) for folder in PRODUCTS])
def test_product(tool, folder):
    """Every product of the tree passes, with the configuration that its own defconfig gives it."""
    assert run_tool(kconfig.main, ["--kconfig", os.path.join(TOP, "Kconfig"), "--out", ".",
                                   "--defconfig", os.path.join(folder, "defconfig")]) == 0
    config = (tool.path / ".config").read_text()
    with open(os.path.join(TOP, "config", "boards", re.search(r'^CONFIG_BOARD="(.*)"', config, re.M)[1] + ".toml"),
              encoding="utf-8") as file:
        board = file.read()
    with open(os.path.join(folder, "partitions.toml"), "rb") as file:
        assert good(tool, file.read(), config=config, board=board)["product"]["name"] == os.path.basename(folder)


def test_products_are_there():
    assert {"demo", "full", "minimal"} <= {os.path.basename(folder) for folder in PRODUCTS}


def test_tlb_cut_by_alignment(tool):
    text = product(A + "memory = { size = '0x115000', guest = 0x3000, machine = 0x203000 }")
    assert tlb(tool, text) == [
        (0x003000, 0x203000, 4 * K, RAM, 1), (0x004000, 0x204000, 16 * K, RAM, 1), (0x008000, 0x208000, 16 * K, RAM, 1),
        (0x00C000, 0x20C000, 16 * K, RAM, 1), (0x010000, 0x210000, 64 * K, RAM, 1), (0x020000, 0x220000, 64 * K, RAM,
                                                                                     1),
        (0x030000, 0x230000, 64 * K, RAM, 1), (0x040000, 0x240000, 256 * K, RAM, 1), (0x080000, 0x280000, 256 * K, RAM,
                                                                                      1),
        (0x0C0000, 0x2C0000, 256 * K, RAM, 1), (0x100000, 0x300000, 64 * K, RAM, 1), (0x110000, 0x310000, 16 * K, RAM,
                                                                                      1),
        (0x114000, 0x314000, 16 * K, RAM, 1)]


def test_tlb_both_addresses_count(tool):
    text = product(A + "memory = { size = '64K', guest = 0x10000, machine = 0x204000 }")
    assert [row[2] for row in tlb(tool, text)] == [16 * K] * 4


def test_tlb_exactly_full(tool):
    text = product(A + "memory = { size = 0x40000, machine = 0x101000 }")
    assert len(tlb(tool, text)) == 64
    status, _, err = tool(text + "devices = ['fpga']\n")
    assert status == 1 and "65 static TLB entries" in err[0]


def test_tlb_largest_page(tool):
    assert tlb(tool, product(A + "memory = '32M'")) == [(0, 0x1000000, 16 * M, RAM, 1),
                                                        (0x1000000, 0x2000000, 16 * M, RAM, 1)]


def test_tlb_devices_join(tool):
    text = product(A + MB + "dma = true\ndevices = ['uart1', 'nvram', 'uart0']")
    assert tlb(tool, text, config=DIRECT) == [
        (0, 0x100000, M, RAM, 1), (0xEF600000, 0xEF600000, 4 * K, DEVICE, 1), (0xF0000000, 0xF0000000, 4 * K, DEVICE,
                                                                               1),
        (0xF0001000, 0xF0001000, 4 * K, DEVICE, 1)]


def test_chip_pages_separate_the_uarts(tool):
    with open(BOARD, encoding="utf-8") as file:
        board = file.read().replace("page_min = 4096", "page_min = 1024")
    text = product(A + MB + "devices = ['uart0']", B + MB + "devices = ['uart1']")
    rows = tlb(tool, text, config=DIRECT, board=board)
    assert (0xEF600000, 0xEF600000, K, DEVICE, 1) in rows and (0xEF600400, 0xEF600400, K, DEVICE, 2) in rows


def places(tool, text):
    return [vm["memory"]["machine"] for vm in good(tool, text)["vms"]]


def test_placement_is_aligned_for_large_pages(tool):
    assert places(tool, product(A + "memory = '64K'", B + "memory = '4M'")) == [0x10000, 0x400000]


def test_placement_follows_the_guest_address(tool):
    text = product(A + "memory = { size = '1M', guest = 0x40000 }")
    assert places(tool, text) == [0x40000]
    assert [row[2] for row in tlb(tool, text)] == [256 * K] * 4


@pytest.mark.parametrize("size", [97, 103, 108])
def test_placement_of_most_of_the_memory(tool, size):
    """Whoever fits has a place, if with smaller pages than its size allows: up to the images there are 112 MiB."""
    text = product(A + f"memory = '{size}M'")
    rows = tlb(tool, text)
    assert sum(row[2] for row in rows) == size * M and places(tool, text)[0] >= 64 * K and len(rows) < 40


def test_placement_of_several_that_just_fit(tool):
    """Two VMs that have room only side by side, without the gaps of their largest pages."""
    text = product(A + "memory = '68M'", B + "memory = '40M'")
    first, second = places(tool, text)
    assert not overlap(first, 68 * M, second, 40 * M) and min(first, second) >= 64 * K
    assert max(first + 68 * M, second + 40 * M) <= 0x7000000


def test_memory_of_a_dma_master(tool):
    """What a device gets from its driver are the guest's addresses: machine addresses, without a word in the file."""
    text = product(A + "memory = { size = '4M', guest = 0x1000000 }\ndma = true\ndevices = ['emac0']", B + "memory = '32M'")
    data = good(tool, text, config=DIRECT)["vms"]
    assert [vm["memory"]["machine"] for vm in data] == [0x1000000, 0x2000000]


def test_chosen_decimal_addresses(tool):
    """Decimal addresses as such are no fault: whole pages, sizes, and what is too long for an address of hexadecimal digits."""
    text = product(A + "memory = { size = 1048576, guest = 1048576, machine = 2097152 }\n"
                   "console = 'shared'\nconsole_at = 4016046848")
    assert good(tool, text)["vms"][0]["console_base"] == 4016046848


def test_placement_avoids_fixed_memory(tool):
    text = product(A + MB, B + "memory = { size = '1M', machine = 0x100000 }")
    assert places(tool, text) == [0x200000, 0x100000]


def test_memory_beside_the_hypervisor_and_at_the_end(tool):
    text = product(A + "memory = { size = '64K', machine = 0x10000 }",
                   B + "memory = { size = '64K', machine = 0x6FF0000 }")
    assert places(tool, text) == [0x10000, 0x6FF0000]


FULL = product(
    A + MB + "console = 'shared'\non_reset = 'restart'\ninterrupts = [25, { line = 7, guest = 9 }]\ndma = true\n"
    "regs = { r3 = 'blob', r7 = '0xFFFFFFFF' }\nblob = { file = 'x.dtb', guest = '0xF0000' }",
    "name = '12345678'\nimage = 'b.elf'\nmemory = { size = '2M', guest = 0x80000000, machine = 0x400000 }\non_reset = 'stop'\n"
    "console = 'shared'\nconsole_at = 0x90000000\ndevices = ['nvram']\ninterrupts = [31]",
    top="[schedule]\nquantum_us = 50\n[console]\nescape = 'ctrl-a'\nfocus = '12345678'")


def test_header(tool):
    good(tool, FULL)
    text = (tool.path / "gen" / "partitions.h").read_text()
    assert [line for line in text.splitlines() if line.startswith("#define") and " " in line[8:]] == [
        "#define VM_COUNT 2", "#define TLB_ROW_COUNT 5", "#define TLB_FIXED_ROWS 5 // those behind come and go with tunnels",
        "#define TUNNEL_COUNT 0", "#define VM_WINDOWS 1 // of VMs with neighbours, and forwarded registers",
        "#define STRAYS_STOP 0 // stray = \"stop\" of any VM", "#define ABSENT_CHECKS 0 // absent = \"check\" of any VM",
        "#define VM_OVERRUNS 0 // on_overrun of any VM", "#define VM_STORMS 0 // interrupts_max of any VM",
        "#define VM_BOARD_RESETS 0 // on_reset or on_failure = \"reset\" of any VM",
        "#define SCHED_QUANTUM_TICKS 16667", "#define CONSOLE_ESCAPE 0x01",
        "#define CONSOLE_FOCUS 1", "#define CONSOLE_HOT CONSOLE_16550", "#define CONSOLE_HOT_SIZE 8",
        "#define CONSOLE_KIND(config) ((void)(config), CONSOLE_16550)",
        "#define CONSOLE_IRQ(config) ((void)(config), 0)", "#define CONSOLE_PLAIN 1 // no VM has console_raw"]


def test_priorities(tool):
    """The highest level first; equals as they are in the file."""
    texts = [f"name = '{name}'\nimage = 'a.elf'\n{MB}{key}" for name, key in
             (("a", "priority = 3"), ("b", ""), ("c", "priority = 255"), ("d", "priority = 3"))]
    good(tool, product(*texts), config=PRIORITIES)
    tables = (tool.path / "gen" / "partitions.c").read_text()
    assert "#define SCHED_LEVELS 3\n" in (tool.path / "gen" / "partitions.h").read_text()
    assert "sched_level[SCHED_LEVELS] = { { 0, 1 }, { 1, 2 }, { 3, 1 } };" in tables
    assert "sched_order[VM_COUNT] = { 2, 0, 3, 1 };" in tables


def test_budgets(tool):
    """Ticks of each; and of a switch, by config/targets.toml."""
    data = good(tool, product(A + MB + "budget_us = 100\nperiod_us = 1000", B + MB), config=RESERVE)
    assert "sched_server[VM_COUNT] = { { 33333, 333333 }, { 0, 0 } };" in (tool.path / "gen" / "partitions.c").read_text()
    header = (tool.path / "gen" / "partitions.h").read_text()
    assert f"#define SCHED_SWITCH_TICKS {data['schedule']['switch_ticks']}\n" in header and data["schedule"]["switch_ticks"] > 500


def test_care(tool):
    """Who supervises whom, by bits, the line that tells of it, and how often who fails is restarted."""
    text = product(A + MB + "paravirt = true\nsupervises = ['b']\nhealth_line = 9", B + MB + "autostart = false\n"
                   "on_failure = 'restart'\nrestarts = 2\nrestarts_in_ms = 30")
    first, second = good(tool, text, config=LIFECYCLE)["vms"]
    tables = (tool.path / "gen" / "partitions.c").read_text()
    assert re.search(r"vm_care\[VM_COUNT\] = \{\s+\{ 0x00000002, 0U, 0, 9, 0, \{ CARE_IGNORE, CARE_IGNORE \}, 0, 0U \},"
                     r"\s+\{ 0x00000000, 9999999U, 2, VM_NO_LINE, 0, \{ CARE_IGNORE, CARE_IGNORE \}, 0, 0U \},\s+\};", tables)
    header = (tool.path / "gen" / "partitions.h").read_text()
    assert all(f"#define VM_{name} 0 " in header for name in ("OVERRUNS", "STORMS", "BOARD_RESETS"))
    assert "FEATURE_SUPERVISOR" in first["features"] and "FEATURE_SUPERVISOR" not in second["features"]
    assert (first["supervises"], first["health_line"], second["on_failure"]) == (["b"], 9, {"restarts": 2, "in_ms": 30, "reset": False})
    good(tool, text.replace("\nhealth_line = 9", "").replace("on_failure = 'restart'\nrestarts = 2\nrestarts_in_ms = 30", ""), config=LIFECYCLE)
    assert ", 0U, 0, VM_NO_LINE" in (tool.path / "gen" / "partitions.c").read_text()


def test_events(tool):
    """What is too much, and what follows; constants without which nothing of it is left."""
    text = product(A + MB + "on_reset = 'reset'\non_overrun = 'fail'", B + MB + "on_failure = 'reset'\ninterrupts = [5]\ninterrupts_max = 20\n"
                   "interrupts_in_ms = 3\non_storm = 'fail'\non_overrun = 'tell'")
    first, second = good(tool, text, config=LIFECYCLE + "CONFIG_SCHED_PRIO=y\n")["vms"]
    tables = (tool.path / "gen" / "partitions.c").read_text()
    assert "VM_NO_LINE, 2, { CARE_FAIL, CARE_IGNORE }, 0, 0U }" in tables and "VM_NO_LINE, 1, { CARE_TELL, CARE_FAIL }, 20, 999999U }" in tables
    assert (first["on_reset"], second["on_failure"]["reset"], second["interrupts_max"]) == ("reset", True, 20)
    assert "FEATURE_RESTART" not in first["features"]
    header = (tool.path / "gen" / "partitions.h").read_text()
    assert all(f"#define VM_{name} 1 " in header for name in ("OVERRUNS", "STORMS", "BOARD_RESETS"))
    good(tool, text.replace("'fail'", "'tell'").replace("\ninterrupts_in_ms = 3", ""), config=LIFECYCLE + "CONFIG_SCHED_PRIO=y\n")
    assert "{ CARE_TELL, CARE_TELL }, 20, 33333333U }" in (tool.path / "gen" / "partitions.c").read_text()


def test_plans(tool):
    """Windows and what is between them, in ticks that add up to the frame."""
    text = product(A + MB + "plans = true\nparavirt = true", B + MB, top="[[plan]]\nname = 'x'\nframe_us = 1000\n"
                   "windows = [{ vm = 'b', us = 100 }, { vm = 'a', us = 200, at_us = 400 }]\n"
                   "[[plan]]\nname = 'y'\nwindows = [{ vm = 'a', us = 100 }]")
    first = good(tool, text, config=HYBRID + "CONFIG_SCHED_CYCLIC=y\n")
    tables = (tool.path / "gen" / "partitions.c").read_text()
    assert re.search(r"sched_window\[\] = \{\s+\{ 33333, 1 \},\s+\{ 100000, SCHED_NOBODY \},\s+\{ 66667, 0 \},\s+"
                     r"\{ 133333, SCHED_NOBODY \},\s+\{ 33333, 0 \},\s+\};", tables), tables
    assert "sched_plan[SCHED_PLANS + 1] = { 0, 4, 5 };" in tables
    header = (tool.path / "gen" / "partitions.h").read_text()
    assert all(line in header for line in ("SCHED_PLANS 2\n", "SCHED_WINDOWS_MAX 4\n", "SCHED_WINDOW_TICKS_MAX 133333\n"))
    assert [vm["flags"] & 0x20 for vm in first["vms"]] == [0x20, 0]
    assert first["schedule"]["plans"][0]["windows"][1] == {"vm": 0, "at_us": 400, "us": 200, "line": 6}


def test_tasks(tool):
    """A deadline is the period if nothing else is said, a name the number."""
    text = product(A + MB + "tasks = [{ period_us = 100, wcet_us = 5 },\n{ name = 'x', period_us = 90, wcet_us = 6, deadline_us = 80 }]")
    assert good(tool, text)["vms"][0]["tasks"] == [
        {"name": "1", "period_us": 100, "wcet_us": 5, "deadline_us": 100, "line": 8},
        {"name": "x", "period_us": 90, "wcet_us": 6, "deadline_us": 80, "line": 9}]
    assert good(tool, text)["schedule"] == {"kind": "round robin", "quantum_us": 1000, "quantum_ticks": 333333, "plans": []}


def test_raw(tool):
    """One VM that has the console alone may write what it likes: a constant."""
    for raw, plain in (("true", 0), ("false", 1)):
        good(tool, product(A + MB + f"console = 'shared'\nconsole_raw = {raw}", B + MB))
        assert f"#define CONSOLE_PLAIN {plain} " in (tool.path / "gen" / "partitions.h").read_text()


def test_strays(tool):
    """One VM that is to stop: its bit, and the constant without which nothing of it is left."""
    vms = good(tool, product(A + MB, B + MB + "stray = 'stop'"))["vms"]
    assert [vm["flags"] & 0x10 for vm in vms] == [0, 0x10]
    assert "#define STRAYS_STOP 1 " in (tool.path / "gen" / "partitions.h").read_text()


def test_absent(tool):
    """One VM whose neighbourhood is checked: its bit, and a constant likewise."""
    vms = good(tool, product(A + MB, B + MB + "absent = 'check'"))["vms"]
    assert [vm["flags"] & 0x40 for vm in vms] == [0, 0x40]
    assert "#define ABSENT_CHECKS 1 " in (tool.path / "gen" / "partitions.h").read_text()
    assert good(tool, product(A + MB + "absent = 'quiet'"), config=CONSOLE + "CONFIG_ABSENT=y\n")["vms"][0]["flags"] & 0x40 == 0


FORWARD = CONSOLE + "CONFIG_FORWARD=y\n"


def test_forward(tool):
    """Devices of the console's page, and parts of one, of two VMs; with the lines that belong to them."""
    text = product(A + MB + "console = 'shared'\nforward = ['iic0', { device = 'gpio0', offset = 4, size = 4 }]\ninterrupts = ['iic0']",
                   B + MB + "forward = [{ device = 'gpio0', size = 4 }, 'uart1', { device = 'gpio0', offset = 8 }]\ninterrupts = ['uart1']")
    first, second = good(tool, text, config=FORWARD)["vms"]
    assert first["forward"] == [{"device": "iic0", "base": 0xEF600500, "size": 0x12}, {"device": "gpio0", "base": 0xEF600704, "size": 4}]
    assert [(row["base"], row["size"]) for row in second["forward"]] == [(0xEF600400, 8), (0xEF600700, 4), (0xEF600708, 0x30)]
    code = (tool.path / "gen" / "partitions.c").read_text()
    assert "forward_0[2] = { { 0xEF600500, 0x12 }, { 0xEF600704, 0x4 } };" in code
    assert ".forward_count = 3,\n        .forward = forward_1,\n" in code
    assert "#define VM_WINDOWS 5 " in (tool.path / "gen" / "partitions.h").read_text()
    assert "(iic0) (gpio0)" in tool(text, "--table", config=FORWARD)[1]
    good(tool, product(A + MB), config=CONSOLE)
    assert "forward" not in (tool.path / "gen" / "partitions.c").read_text()


FORWARD_FAULTS = [
    ("off", "forward = ['iic0']", "", ["forward needs CONFIG_FORWARD. hint: set CONFIG_FORWARD=y in the defconfig, or remove forward"]),
    ("console", "forward = ['uart0']", "", ["device 'uart0' is the hypervisor's console. hint: set CONFIG_CONSOLE=n to give it to one VM"]),
    ("part_of_console", "forward = [{ device = 'uart0', offset = 7 }]", "",
     ["device 'uart0' is the hypervisor's console. hint: set CONFIG_CONSOLE=n to give it to one VM"]),
    ("unknown", "forward = ['iic1']", "", ["unknown device \"iic1\" on board 'ref405ep'. hint: did you mean 'iic0'?"]),
    ("type", "forward = [5]", "", ["a device has to be a string or a table, not a number. hint: for example forward = [\"iic0\", "
                                   "{ device = \"gpio0\", offset = 4, size = 4 }]"]),
    ("far", "forward = [{ device = 'gpio0', offset = 0x34, size = 8 }]", "",
     ["device 'gpio0' has 56 bytes of registers, not 60. hint: offset + size is at most that"]),
    ("behind", "forward = [{ device = 'gpio0', offset = 0x38 }]", "",
     ["device 'gpio0' has 56 bytes of registers, not 57. hint: offset + size is at most that"]),
    ("dma", "forward = ['emac0']", "", ["device 'emac0' does DMA. hint: dma = true if this is the one trusted VM: a DMA master reaches "
                                        "all memory, there is no IOMMU"]),
    ("twice", "forward = ['gpio0', { device = 'gpio0', offset = 4, size = 4 }]", "",
     ["registers 0xEF600704-0xEF600707 of 'gpio0' belong to vm 'a' already. hint: a register has one owner"]),
    ("two_owners", "forward = ['gpio0']", "forward = [{ device = 'gpio0', offset = 0x34 }]",
     ["registers 0xEF600734-0xEF600737 of 'gpio0' belong to vm 'a' already. hint: a register has one owner"]),
    ("on_uart", "forward = ['iic0']\nconsole = 'shared'\nconsole_at = 0xEF600508", "",
     ["registers 0xEF600500-0xEF600511 of 'iic0' lie in the virtual 16550 0xEF600508-0xEF60050F. "
      "hint: accesses to them have to fault to be forwarded: move it, or leave one of the two out"]),
    ("window", "forward = ['nvram']", "devices = ['nvram']", [
        "registers 0xF0000000-0xF0001FFF of 'nvram' lie in a page of 'nvram' of vm 'b' 0xF0000000-0xF0001FFF. "
        "hint: accesses to them have to fault to be forwarded: move it, or leave one of the two out",
        "device 'nvram' belongs to vm 'a' already. hint: a device has one owner"]),
    ("line", "forward = ['iic0']", "interrupts = ['iic0']",
     ["interrupt line 2 is that of 'iic0' of vm 'a'. hint: only its owner can have it"]),
    ("absent", "absent = 'quiet'", "", ["absent = \"quiet\" needs CONFIG_ABSENT. hint: set CONFIG_ABSENT=y in the defconfig, or remove absent"]),
    ("policy", "absent = 'zero'", "", ["unknown policy 'zero'. hint: \"quiet\" or \"check\""]),
]


@pytest.mark.parametrize("first, second, expected", [row[1:] for row in FORWARD_FAULTS], ids=[row[0] for row in FORWARD_FAULTS])
def test_forward_fault(tool, first, second, expected):
    config = CONSOLE if expected[0].startswith("forward needs") else FORWARD
    status, out, err = tool(product(A + MB + first, B + MB + second), config=config)
    assert sorted(line.split("': ", 1)[1] for line in err) == sorted(expected)
    assert status == 1 and out == "" and not (tool.path / "gen").exists()


def test_random_forwards(tool):
    """What is accepted is sound: registers of devices that are free, none of two, none of the console."""
    rng = random.Random(405)
    names = ["uart0", "uart1", "gpt0", "iic0", "opba0", "gpio0", "emac0", "nvram"]
    seen = {0: 0, 1: 0}
    for _ in range(400):
        vms = [[rng.choice([f"'{rng.choice(names)}'", f"{{ device = '{rng.choice(names)}', offset = {rng.randrange(0x40)}, "
                            f"size = {rng.randint(1, 16)} }}"]) for _ in range(rng.randrange(3))] for _ in "ab"]
        status, _, err = tool(product(*(name + MB + f"forward = [{', '.join(rows)}]" for name, rows in zip((A, B), vms))), config=FORWARD)
        seen[status] += 1
        assert bool(err) == bool(status)
        if status == 0:
            rows = [row for vm in json.loads((tool.path / "gen" / "partitions.json").read_text())["vms"] for row in vm["forward"]]
            assert len(rows) == sum(map(len, vms))
            owned = [address for row in rows for address in range(row["base"], row["base"] + row["size"])]
            assert len(owned) == len(set(owned)) and not set(owned) & set(range(0xEF600300, 0xEF600308))
            assert not set(owned) & set(range(0xEF600800, 0xEF600900))
    assert min(seen.values()) > 50, seen


def test_json(tool):
    first, second = good(tool, FULL)["vms"]
    assert first["regs"] == {"r3": "blob", "r4": 0, "r5": 0, "r6": 0, "r7": 0xFFFFFFFF}
    assert first["blob"] == {"file": "x.dtb", "guest": 0xF0000, "line": 17}
    assert (first["flags"], second["flags"], first["tid"], second["tid"]) == (7, 2, 1, 2)
    assert (first["console_base"], second["console_base"]) == (0xEF600300, 0x90000000)
    assert first["interrupts"] == [{"line": 7, "guest": 9}, {"line": 25, "guest": 25}]
    assert second["memory"] == {"guest": 0x80000000, "machine": 0x400000, "size": 2 * M, "line": 21}


def test_tables_as_the_target_sees_them(tool):
    """Compiled for the 405, the tables are the bytes that src/vm/partition.h promises."""
    good(tool, FULL)
    (tool.path / "gen" / "autoconf.h").write_text("")
    run = tool.path / "run.sh"
    prefix = os.environ.get("CROSS_COMPILE", "powerpc-linux-gnu-")
    run.write_text("set -e\n"
                   f"{prefix}gcc -mcpu=405 -msoft-float -std=c11 -Wall -Wextra -Werror -ffreestanding -fno-pic -fno-pie -O2 "
                   f"-I{TOP}/src/vm -I{TOP}/src -Igen -c gen/partitions.c -o p.o\n"
                   f"{prefix}ld --build-id=none -Ttext=0x1000 -e 0 p.o -o p.elf\n"
                   f"{prefix}objcopy -O binary -j .rodata p.elf p.bin\n{prefix}nm p.elf > p.nm\n")
    subprocess.run(["sh", str(run)], check=True, cwd=tool.path, timeout=60)
    symbols = {line.split()[2]: int(line.split()[0], 16) for line in (tool.path / "p.nm").read_text().splitlines()}
    data = (tool.path / "p.bin").read_bytes()
    base = min(symbols[name] for name in ("vm_config", "tlb_rows", "irq_0", "irq_1"))
    config = data[symbols["vm_config"] - base:][:72]
    expected = b"a".ljust(8, b"\0") + b"".join(word.to_bytes(4, "big") for word in (
        0, 0x100000, 0x100000, 0xEF600300, 7, 2 << 16, symbols["irq_0"]))
    expected += b"12345678" + b"".join(word.to_bytes(4, "big") for word in (
        0x80000000, 0x400000, 0x200000, 0x90000000, 2, 1 << 16, symbols["irq_1"]))
    assert config == expected
    assert data[symbols["irq_0"] - base:][:4] == bytes([7, 9, 25, 25])
    rows = data[symbols["tlb_rows"] - base:][:12]
    assert rows == b"".join(word.to_bytes(4, "big") for word in (0x2C0, 0x100300, 1))


def technique(*keys, **options):
    """A VM with these keys, and HYBRID with options turned on or off."""
    config = "".join(line + "\n" for line in HYBRID.splitlines() if line[7:].split("=")[0] not in options)
    return product(A + MB + "\n".join(keys)), config + "".join(f"CONFIG_{name}=y\n" for name in options if options[name] == "y")


IDLE = "[[vm]]\n" + "name = 'z'\nimage = 'z.elf'\n" + MB          # so that one of them runs from boot

FEATURES = [
    ("none", technique("autostart = false"), []),
    ("paravirt", technique("paravirt = true"), ["AUTOSTART", "HYPERCALLS", "SERVICES"]),
    ("no_services", technique("paravirt = true", SERVICES="n"), ["AUTOSTART", "HYPERCALLS"]),
    ("drivers", technique("paravirt = true", "console = 'shared'"), ["AUTOSTART", "HYPERCALLS", "SERVICES", "DRIVERS"]),
    ("no_drivers", technique("paravirt = true", "console = 'shared'", DRIVERS="n"), ["AUTOSTART", "HYPERCALLS", "SERVICES"]),
    ("console_only", technique("console = 'shared'"), ["AUTOSTART"]),
    ("irfm", technique("irfm = true"), ["AUTOSTART", "IRFM", "TSR_STORE", "MMU_STORE"]),
    ("irfm_false", technique("irfm = false"), ["AUTOSTART"]),
    ("irfm_fit", technique("irfm = true", FIT_WATCHDOG="y"), ["AUTOSTART", "IRFM", "MMU_STORE"]),
    ("irfm_tlb", technique("irfm = 0xFFFFF000", TLB_VIRT="y"), ["AUTOSTART", "IRFM", "TSR_STORE"]),
    ("previrt", technique("previrt = true", "dma = true"), ["AUTOSTART", "DMA", "PREVIRT"]),
]


@pytest.mark.parametrize("given, expected", [row[1:] for row in FEATURES], ids=[row[0] for row in FEATURES])
def test_feature_word(tool, given, expected):
    """In the table, in partitions.json by name and by number; the numbers are those of hypercalls/abi.h."""
    vm = good(tool, given[0] + IDLE, "--out", "gen", "--accept-idle", config=given[1])["vms"][0]
    names = ["FEATURE_" + name for name in expected]
    with open(os.path.join(TOP, "hypercalls", "abi.h"), encoding="utf-8") as file:
        numbers = dict(re.findall(r"#define (FEATURE_\w+) +(0x[0-9A-F]+) ", file.read()))
    assert vm["features"] == names and vm["flags"] == sum(int(numbers[name], 16) for name in names)
    flags = re.search(r"\.flags = ([^,]*),", (tool.path / "gen" / "partitions.c").read_text()).group(1)
    assert flags.split() == (" | ".join(names) or "0").split()


PAGES = product(A + MB + "irfm = true", B + MB, "name = 'c'\nimage = 'c.elf'\nmemory = '64K'\nirfm = '0xFFFFA000'")


def test_register_pages(tool):
    """Two TLB rows for a VM with pages: one to write, one to read, none to execute, in the hypervisor's own area."""
    rows = tlb(tool, PAGES, config=HYBRID)
    assert [row for row in rows if row[3] not in (RAM, DEVICE)] == [
        (0xFFFFE000, 0xA000, 4 * K, 0x100, 1), (0xFFFFF000, 0xB000, 4 * K, 0, 1),
        (0xFFFF9000, 0xE000, 4 * K, 0x100, 3), (0xFFFFA000, 0xF000, 4 * K, 0, 3)]
    assert [row[4] for row in rows] == sorted(row[4] for row in rows), "grouped by VM"
    data = json.loads((tool.path / "gen" / "partitions.json").read_text())
    assert data["registers"] == {"base": 0xA000, "size": 0x6000}
    assert [vm["page"] for vm in data["vms"]] == [0xFFFFF000, 0, 0xFFFFA000]
    text = (tool.path / "gen" / "partitions.h").read_text()
    assert "#define REGISTERS_BASE 0x0000A000\n" in text and f"#define TLB_ROW_COUNT {len(rows)}\n" in text
    assert re.findall(r"\.page = (\w+),", (tool.path / "gen" / "partitions.c").read_text()) == [
        "0xFFFFF000", "0x00000000", "0xFFFFA000"]


def test_register_pages_off(tool):
    """Without the option there is no area, and no VM pays for it."""
    data = good(tool, product(A + MB))
    assert data["registers"] is None and data["previrt"] is False
    assert "REGISTERS_BASE" not in (tool.path / "gen" / "partitions.h").read_text()
    assert ".page" not in (tool.path / "gen" / "partitions.c").read_text()


def test_register_pages_of_many_vms(tool):
    """More than the hypervisor's area holds: free memory, apart from everything."""
    text = product(*[f"name = 'v{n}'\nimage = 'a.elf'\nmemory = '64K'\nirfm = true" for n in range(5)])
    data = good(tool, text, config=HYBRID.replace("MAX=4", "MAX=5"))
    base, size = data["registers"]["base"], data["registers"]["size"]
    assert (base, size) == (0x60000, 5 * 2 * 4 * K)
    taken = [(vm["memory"]["machine"], vm["memory"]["size"]) for vm in data["vms"]]
    taken += [(area["base"], area["size"]) for area in data["board"]["reserved"]]
    assert not any(overlap(base, size, *other) for other in taken)
    assert (0xFFFFE000, base + 0x8000, 4 * K, 0x100, 5) in tlb(tool, text, config=HYBRID.replace("MAX=4", "MAX=5"))


@pytest.mark.parametrize("address", [0x1000, 0x7000, 0xFFFF9000])
def test_register_pages_at_the_ends(tool, address):
    """The first and the last boundary that a load without a base register reaches."""
    text = product(A + f"memory = {{ size = '1M', guest = '1M' }}\nirfm = {address}")
    assert good(tool, text, config=HYBRID)["vms"][0]["page"] == address


def chip_board(*devices):
    """The board file, with the chip's pages of 1 KiB and with more devices."""
    with open(BOARD, encoding="utf-8") as file:
        return file.read().replace("page_min = 4096", "page_min = 1024") + "".join(devices)


def test_register_pages_of_the_chip(tool):
    """Pages of 1 KiB: the default boundary still does, and others are possible."""
    rows = tlb(tool, product(A + MB + "irfm = true", B + MB + "irfm = '0xFFFFFC00'"), config=HYBRID, board=chip_board())
    assert [row for row in rows if row[3] != RAM] == [
        (0xFFFFEC00, 0xA000, K, 0x100, 1), (0xFFFFF000, 0xA400, K, 0, 1),
        (0xFFFFF800, 0xA800, K, 0x100, 2), (0xFFFFFC00, 0xAC00, K, 0, 2)]


@pytest.mark.parametrize("rom, expected", [
    ("", []), ("CONFIG_ROM=y\n", ["8: vm 'a': a page of 'flash' lies in the ROM 0xFFF80000-0xFFFFFFFF that the hypervisor runs from. "
                                  "hint: CONFIG_ROM=n, or leave the device to nobody"])], ids=["elf", "rom"])
def test_device_in_rom(tool, rom, expected):
    """A VM that could write the flash would write the hypervisor."""
    flash = "[[device]]\nname = 'flash'\nkind = 'memory'\nbase = 0xFFFC0000\nsize = 0x10000\n"
    _, _, err = tool(product(A + MB + "devices = ['flash']"), config=CONSOLE + rom, board=text_of(BOARD) + flash)
    assert [line.removeprefix("p.toml:") for line in err] == expected


def test_register_pages_over_a_device(tool):
    """A flash at the top of the address space, say: its window is whole pages."""
    flash = "[[device]]\nname = 'flash'\nkind = 'memory'\nbase = 0xFFFFE800\nsize = 0x200\n"
    text = product(A + MB + "devices = ['flash']\nirfm = true")
    with open(BOARD, encoding="utf-8") as file:
        board = file.read() + flash
    assert tool(text, config=HYBRID, board=board)[2] == [
        "p.toml:9: vm 'a': the register pages 0xFFFFE000-0xFFFFFFFF overlap the window of 'flash' 0xFFFFE000-0xFFFFEFFF. "
        'hint: move them: irfm = "<guest address of the boundary between the two pages>"']
    assert good(tool, text, config=HYBRID, board=chip_board(flash))["vms"][0]["page"] == 0xFFFFF000


def test_hybrid_tables_as_the_target_sees_them(tool):
    """With the options, vm_config has the feature word and the boundary, and vm_image the table: sizes as tools/pack.py writes."""
    good(tool, PAGES.replace("'b.elf'\n", "'b.elf'\nparavirt = true\n"), config=HYBRID)
    (tool.path / "gen" / "autoconf.h").write_text("#define CONFIG_IRFM 1\n#define CONFIG_PREVIRT 1\n")
    (tool.path / "p.c").write_text('''
#include <stddef.h>
#include "gen/partitions.c"
_Static_assert(offsetof(struct vm_config, flags) == 24 && sizeof vm_config[0].flags == 4, "flags");
_Static_assert(offsetof(struct vm_config, page) == 28, "page");
_Static_assert(offsetof(struct vm_image, patch_count) == 32 && offsetof(struct vm_image, patches) == 36, "previrt");
_Static_assert(sizeof(struct vm_image) == 40 && REGISTERS_BASE == 0xA000, "size");
''')
    prefix = os.environ.get("CROSS_COMPILE", "powerpc-linux-gnu-")
    for words in ([prefix + "gcc", "-mcpu=405", "-msoft-float", "-std=c11", "-Wall", "-Wextra", "-Werror", "-ffreestanding", "-fno-pic",
                   f"-I{TOP}/src/vm", f"-I{TOP}/src", "-Igen", "-c", "p.c", "-o", "p.o"],
                  [prefix + "objcopy", "-O", "binary", "-j", ".rodata", "p.o", "p.bin"]):
        subprocess.run(words, check=True, cwd=tool.path, timeout=60)
    data = (tool.path / "p.bin").read_bytes()
    for name, flags, page in ((b"a", 0x70002, 0xFFFFF000), (b"b", 0x104002, 0), (b"c", 0x70002, 0xFFFFA000)):
        row = data[data.index(name.ljust(8, b"\0")):][:40]
        assert row[24:32] == flags.to_bytes(4, "big") + page.to_bytes(4, "big")


def test_board_header(tool):
    good(tool, FULL)
    text = (tool.path / "gen" / "board_values.h").read_text().splitlines()
    for line in ('BOARD_NAME "ref405ep"', "BOARD_TB_HZ 333333330", "BOARD_PAGE_MIN 4096", "BOARD_UIC_DCR 0xC0",
                 "BOARD_UIC_LINES 32",
                 "BOARD_RAM_SIZE 0x08000000", "BOARD_HYPERVISOR_SIZE 0x00010000", "BOARD_UART0_BASE 0xEF600300",
                 "BOARD_UART0_IRQ 0", "BOARD_UART1_SIZE 0x8"):
        assert "#define " + line in text
    assert "#define BOARD_RAM_REGIONS 0x80000000" in text and "#define BOARD_ROM_REGIONS 0x00000001" in text
    assert not any("NVRAM_IRQ" in line for line in text)


def test_outputs_are_left_alone(tool):
    good(tool, FULL)
    files = sorted((tool.path / "gen").iterdir())
    assert [file.name for file in files] == ["board_values.h", "partitions.c", "partitions.h", "partitions.json"]
    for file in files:
        os.utime(file, (1, 1))
    good(tool, FULL)
    assert all(file.stat().st_mtime == 1 for file in files)
    good(tool, FULL.replace("quantum_us = 50", "quantum_us = 60"))
    assert {file.name for file in files if file.stat().st_mtime != 1} == {"partitions.h", "partitions.json"}


def test_fault_leaves_old_outputs(tool):
    good(tool, FULL)
    before = (tool.path / "gen" / "partitions.c").read_bytes()
    assert tool(FULL.replace("on_reset", "on_rest"))[0] == 1
    assert (tool.path / "gen" / "partitions.c").read_bytes() == before


def test_check_and_table(tool):
    assert tool(FULL, "--check") == (0, "", [])
    assert not (tool.path / "gen").exists()
    status, out, err = tool(FULL, "--table")
    assert (status, err) == (0, []) and not (tool.path / "gen").exists()
    assert "12345678  b.elf  2M      0x80000000  0x00400000  4    0x90000000  nvram    31          stop     boot   -" in out
    assert "5 of 64 TLB entries" in out


def test_table_shows_the_modes(tool):
    """One word for each technique that a VM uses, in the last column; the pages count among its TLB entries."""
    out = tool(product(A + MB + "irfm = true\nprevirt = true\nparavirt = true", B + MB,
                       "name = 'c'\nimage = 'c.elf'\n" + MB + "previrt = true"), "--table", config=HYBRID)[1].splitlines()
    assert out[2].endswith("  virtualized")
    assert [line.split()[5] for line in out[3:6]] == ["3", "1", "1"]
    assert [re.split(r"  +", line)[-1] for line in out[3:6]] == ["+hypercalls +pages +pre-virtualized", "full", "+pre-virtualized"]


def test_table_tells_what_a_page_opens(tool):
    out = tool(product(A + MB + "dma = true\ndevices = ['uart0']"), "--table", config=DIRECT)[1]
    assert "the pages of a's devices also open: emac0 emac1 gpio0 gpt0 iic0 opba0 uart1" in out


def test_all_faults_at_once_in_order(tool):
    _, _, err = tool(product(A + MB + "zz = 1", "name = 'b'\n" + MB + "dma = 3", top="[schedule]\nquantum_us = 1"))
    assert [int(line.split(":")[1]) for line in err] == [4, 9, 10, 13]


def test_mark_of_the_encoding(tool):
    """A byte order mark at the start, as some editors write it, is not a part of the first key."""
    text = product(A + MB)
    assert tool(b"\xef\xbb\xbf" + text.encode(), board="\ufeff" + text_of(BOARD)) == (0, "", [])
    assert tool(b"\xef\xbb\xbf" + text.replace("memory", "memroy").encode())[2][0].startswith("p.toml:4: vm 'a': key 'memory'")


def test_lines_of_every_toml_form(tool):
    """Dotted keys, quoted keys, multi-line strings with brackets and hashes, comments, CRLF: the line is still right."""
    text = ("# [[vm]]\n[product]\nname = 'x' # [a\ndescription = \"\"\"one [[vm]] # \\\" \n'two' = 3\n\"\"\"\n"
            "[[ vm ]]\n\"name\" = 'a'\nimage = 'a.elf'\nmemory.size = '1M'\nmemory.guest = 0x10 # off\n"
            "regs = { r3 = 1, 'r4' = \"]}\" }\n")
    expected = ["11: vm 'a': memory guest address 0x10 is not a multiple of a page (4K). hint: the next one is 0x1000",
                "12: r4 \"]}\" is not a number. hint: write 4096, 0x1000, \"64K\" or \"1M\""]
    for variant in (text, text.replace("\n", "\r\n")):
        _, _, err = tool(variant)
        assert [line.removeprefix("p.toml:") for line in err] == expected


BOARD_TEXT = """name = "b"
tb_hz = 1000000
page_min = 4096
console = "uart"
uic = { dcr = 0xC0, lines = 8 }
ram = [{ base = 0, size = "1M" }]
[[reserved]]
name = "hypervisor"
base = 0
size = "64K"
[[device]]
name = "uart"
base = 0xF0000000
size = 8
irq = 3
[[reserved]]
name = "images"
base = 0x000C0000
size = "256K"
"""

UIC = "uic = { dcr = 0xC0, lines = 8 }"
BOARD_FAULTS = [
    ("page_min", "page_min = 4096", "page_min = 2048", "3: 'page_min' 2048 is no page size of the 405. "
     "hint: one of 1K, 4K, 16K, 64K, 256K, 1M, 4M, 16M"),
    ("tb_hz", "tb_hz = 1000000", "tb_hz = 300", "2: 'tb_hz' 300 is less than one tick in a microsecond. "
     "hint: ticks in a second: tb_hz = 300_000_000 for 300 MHz"),
    ("tb_hz_none", "tb_hz = 1000000", "tb_hz = 999_999", "2: 'tb_hz' 999999 is less than one tick in a microsecond. "
     "hint: ticks in a second: tb_hz = 300_000_000 for 300 MHz"),
    ("decimal", "base = 0xF0000000", "base = 84000000",
     "13: 'base' 84000000 is a decimal number, that is 0x501BD00. hint: base = 0x84000000, if that is meant"),
    ("decimal_text", "base = 0xF0000000", "base = '84000000'",
     "13: 'base' 84000000 is a decimal number, that is 0x501BD00. hint: base = 0x84000000, if that is meant"),
    ("decimal_intc", UIC, "intc = { base = 81800000, lines = 8 }",
     "5: 'base' 81800000 is a decimal number, that is 0x4E02B40. hint: base = 0x81800000, if that is meant"),
    ("line_twice", "irq = 3", "irq = 3\n[[device]]\nname = 'timer'\nbase = 0xF0010000\nsize = 8\nirq = 3",
     "20: line 3 is that of 'uart' already. hint: a line has one device; of devices that share one, the device that is used"),
    ("reserved_twice", "base = 0x000C0000", "base = 0x0000F000",
     "18: 'images' 0x0000F000-0x0004EFFF overlaps 'hypervisor' 0x00000000-0x0000FFFF. hint: correct base or size"),
    ("no_images", '"images"', '"image"', "7: nothing is reserved for the guests' images. "
     'hint: [[reserved]] with name = "images", base and size'),
    ("ram_name", "ram = [{ base", "ram = [{ name = 'ddr', base", "6: name 'ddr' of [[ram]] is not 'ram'. hint: leave the name away"),
    ("in_region_of_rom", "ram = [", 'rom = [{ base = 0xFFF00000, size = "1M" }]\nram = [',
     None),
    ("beside_rom", "base = 0xF0000000\nsize = 8", "base = 0xF8000000\nsize = 8\n[[rom]]\nbase = 0xFFF00000\nsize = '1M'",
     "13: device 'uart' at 0xF8000000 shares 128 MiB with the ROM, where instructions are fetched ahead. "
     'hint: move it in the design, or leave [[rom]] out; kind = "memory" if reading it has no effect'),
    ("console", 'console = "uart"', 'console = "urt"', "4: unknown device 'urt'. hint: did you mean 'uart'?"),
    ("unknown", "irq = 3", "irg = 3", "15: unknown key 'irg'. hint: did you mean 'irq'?"),
    ("irq", "irq = 3", "irq = 8", "15: 'irq' 8 is out of range. hint: 0 to 7"),
    ("no_base", "base = 0xF0000000\n", "", "11: key 'base' is missing. hint: base = <machine address>"),
    ("end", "base = 0xF0000000", "base = 0xFFFFFFFC",
     "14: uart ends beyond the address space. hint: base + size is at most 0x100000000"),
    ("name", 'name = "uart"', 'name = "uart-0"',
     "12: name 'uart-0' does not make a C macro. hint: small letters, digits and _"),
    ("no_hypervisor", '"hypervisor"', '"hyp"', "7: nothing is reserved for the hypervisor. "
     'hint: [[reserved]] with name = "hypervisor", base and size'),
    ("no_ram", 'ram = [{ base = 0, size = "1M" }]\n', "",
     "1: 0 tables of RAM, the hypervisor knows one. hint: one [[ram]] with base and size"),
    ("no_dcr", "dcr = 0xC0, ", "", "5: key 'dcr' is missing. hint: dcr = 0xC0"),
    ("two_controllers", "ram = [", "intc = { base = 0x81800000 }\nram = [",
     "5: a board has one interrupt controller, this one has [intc] too. hint: remove one of them"),
    ("intc_nowhere", UIC, "intc = { lines = 8 }", "5: the controller is in memory or on the DCR bus. "
     "hint: give one of base = <address> and dcr = <number>"),
    ("intc_twice", UIC, "intc = { dcr = 0xC0, base = 0x81800000, lines = 8 }",
     "5: the controller is in memory or on the DCR bus. hint: give one of base = <address> and dcr = <number>"),
    ("intc_base", UIC, "intc = { base = 0x81800010, lines = 8 }",
     "5: the controller can't be at 0x81800010. hint: a multiple of 32"),
    ("intc_dcr", UIC, "intc = { dcr = 0x3F9, lines = 8 }", "5: 'dcr' 1017 is out of range. hint: 0 to 1016"),
    ("intc_dcr_step", UIC, "intc = { dcr = 0xC3, lines = 8 }", "5: the controller can't be at DCR 0xC3. hint: a multiple of 8"),
    ("not_at_0", "base = 0\n", "base = 0x1000\n", "9: the hypervisor's area begins at 0x00001000, its vectors are at 0. hint: base = 0"),
    ("ram_elsewhere", "[{ base = 0,", "[{ base = 0x10000000,",
     "9: 'hypervisor' 0x00000000-0x0000FFFF is outside RAM 0x10000000-0x100FFFFF. hint: correct base or size"),
    ("reserved_outside", 'base = 0x000C0000\nsize = "256K"', 'base = 0xF8000\nsize = 0x8001',
     "18: 'images' 0x000F8000-0x00100000 is outside RAM 0x00000000-0x000FFFFF. hint: correct base or size"),
    ("rom_end", "ram = [", 'rom = [{ base = 0xFFE00000, size = "1M" }]\nram = [',
     "6: the ROM 0xFFE00000-0xFFEFFFFF does not end at the reset vector. hint: base + size is 0x100000000"),
    ("console_kind", "irq = 3", 'irq = 3\nkind = "uartlit"',
     "16: no driver for a console of kind 'uartlit'. hint: did you mean 'uartlite'?"),
    ("uartlite_base", "base = 0xF0000000", 'kind = "uartlite"\nbase = 0xF0000008',
     "14: a UartLite can't be at 0xF0000008. hint: a multiple of 16"),
    ("intc_edges", UIC, "intc = { dcr = 0xC0, lines = 8, edges = 0x100 }", "5: 'edges' 256 is out of range. hint: 0 to 255"),
    ("intc_key", UIC, "intc = { dcr = 0xC0, lines = 8, edge = 1 }", "5: unknown key 'edge'. hint: did you mean 'edges'?"),
    ("qemu_key", "ram = [", "qemu = { machin = 'x' }\nram = [", "6: unknown key 'machin'. hint: did you mean 'machine'?"),
    ("qemu_type", "ram = [", "qemu = { patched = 1 }\nram = [",
     "6: 'patched' has to be true or false, not a number. hint: see config/README.md"),
    ("qemu_serial", "ram = [", "qemu = { serial = 4 }\nram = [", "6: 'serial' 4 is out of range. hint: 0 to 3"),
    ("console_line", "irq = 3\n", "", "4: the console's device 'uart' has no interrupt line. hint: irq = <number>"),
    ("in_ram", "base = 0xF0000000", "base = 0x000FFFF8",
     "13: device 'uart' has a page in common with RAM 0x00000000-0x000FFFFF. hint: correct base or size"),
    ("beside_ram", 'ram = [{ base = 0, size = "1M" }]', 'ram = [{ base = 0xEFFFF800, size = "1K" }, { base = 0xF0000800, size = 64 }]',
     "13: device 'uart' has a page in common with RAM 0xF0000800-0xF000083F. hint: correct base or size"),
    ("cached_console", "base = 0xF0000000", "base = 0x07000000",
     "4: the console's device 'uart' at 0x07000000 shares 128 MiB with RAM, which is cached. hint: move it in the design"),
    ("cached_intc", UIC, "intc = { base = 0x04000000, lines = 8 }",
     "5: the interrupt controller at 0x04000000 shares 128 MiB with RAM, which is cached. hint: move it in the design"),
    ("errata", "page_min = 4096", "page_min = 4096\nerrata = [77, 78]", "4: no erratum 78 that wants code is known. hint: one of 51, 77 "
     "(tools/partitions/errata.py)"),
    ("errata-twice", "page_min = 4096", "page_min = 4096\nerrata = [51, 51]", "4: erratum 51 is named twice. hint: remove one of them"),
    ("ccr0", "page_min = 4096", "page_min = 4096\nccr0 = -1", "4: 'ccr0' -1 is out of range. hint: 0 to 0xFFFFFFFF"),
]


@pytest.mark.parametrize("old, new, expected", [row[1:] for row in BOARD_FAULTS], ids=[row[0] for row in BOARD_FAULTS])
def test_board_fault(tool, old, new, expected):
    assert BOARD_TEXT.count(old) == 1
    status, out, err = tool(product(A + "memory = '64K'"), board=BOARD_TEXT.replace(old, new))
    if expected is None:
        assert (status, out, err) == (0, "", [])
    else:
        assert status == 1 and out == "" and "b.toml:" + expected in err


@pytest.mark.parametrize("edges, fault", [
    (0x8, None), (0x7, "b.toml:16: line 3 is a level, but a UartLite signals by pulses. hint: [intc] edges = 0x0000000F, as C_KIND_OF_INTR has it")])
def test_uartlite_is_an_edge(tool, edges, fault):
    """A pulse on a line that is seen as a level would be lost, and with it the console's input."""
    text = BOARD_TEXT.replace(UIC, f"intc = {{ base = 0x81800000, lines = 8, edges = {edges} }}")
    _, _, err = tool(product(A + "memory = '64K'"), config="CONFIG_VM_MAX=4\n", board=text.replace("size = 8", "size = 16\nkind = 'uartlite'"))
    assert err == ([fault] if fault else [])


@pytest.mark.parametrize("speed, divisor, fault", [
    ("clock = 100000000\nbaud = 9600", 651, None), ("", 0, None), ("clock = 100000000", 0, None),
    ("baud = 9600", 0, "9600 baud can't be had of a clock of 0 Hz"),
    ("clock = 1000000\nbaud = 4000000", 0, "4000000 baud can't be had of a clock of 1000000 Hz"),
    ("clock = 100000000\nbaud = 50", 0, "50 baud can't be had of a clock of 100000000 Hz")])
def test_divisor(tool, speed, divisor, fault):
    """Of a 16550: the nearest; none without a baud rate."""
    _, _, err = tool(product(A + "memory = '64K'"), board=BOARD_TEXT.replace("size = 8", f"size = 8\nkind = 'ns16550'\n{speed}"))
    assert [line.split(": ", 1)[1] for line in err] == (
        [f"{fault}. hint: clock = <what the 16550 counts>; without baud its divisor is left alone"] if fault else [])
    if not fault:
        assert f"#define BOARD_CONSOLE_DIVISOR {divisor}\n" in (tool.path / "gen" / "board_values.h").read_text()


UARTS_BOARD = BOARD_TEXT.replace("size = 8", "size = 0x2000\nkind = 'ns16550'\noffset = 0x1003\nstride = 4") + """
[[device]]
name = "lite"
kind = "uartlite"
base = 0xF0010000
size = 16
irq = 5
"""


@pytest.mark.parametrize("keys, base, kind, line", [
    ("", 0xF0001000, "ns16550-words", 3),
    ("console_kind = 'uartlite'", 0xF0010000, "uartlite", 5),
    ("console_kind = 'ns16550'\nconsole_at = 0xEF600300", 0xEF600300, "ns16550", 3),
    ("console_kind = 'uartlite'\nconsole_at = 0x84000000\nconsole_line = 1", 0x84000000, "uartlite", 1)])
def test_console_kind(tool, keys, base, kind, line):
    """Kind, place and line are those of the console device, or of the board's device of that kind; keys override."""
    status, _, err = tool(product(A + "memory = '64K'\nconsole = 'shared'\n" + keys), config=UARTS, board=UARTS_BOARD)
    assert (status, err) == (0, [])
    vm = json.loads((tool.path / "gen" / "partitions.json").read_text())["vms"][0]
    assert (vm["console_base"], vm["console"]) == (base, {"kind": kind, "line": line})
    header = (tool.path / "gen" / "partitions.h").read_text()
    assert f"#define CONSOLE_IRQ(config) ((void)(config), {line})\n" in header and "CONSOLE_MIXED" not in header


def test_console_kinds_mixed(tool):
    """VMs that differ: a word in the table for each."""
    status, _, err = tool(product(A + "memory = '64K'\nconsole = 'shared'", B + "memory = '64K'\nconsole = 'shared'\n"
                                  "console_kind = 'uartlite'"), config=UARTS, board=UARTS_BOARD)
    assert (status, err) == (0, [])
    header = (tool.path / "gen" / "partitions.h").read_text()
    assert "#define CONSOLE_MIXED\n#define CONSOLE_KIND(config) ((config)->console_kind)\n" in header
    code = (tool.path / "gen" / "partitions.c").read_text()
    assert ".console_kind = CONSOLE_16550_WORDS,\n        .console_line = 3," in code
    assert ".console_kind = CONSOLE_UARTLITE,\n        .console_line = 5," in code


SECOND = UARTS + "CONFIG_UART_SECOND=y\nCONFIG_FORWARD=y\n"
SHARED = A + "memory = '64K'\nconsole = 'shared'\n"      # what follows is line 9


def test_second_uart(tool):
    """Kind, place and line are the board's device's; its row is behind all VMs, and it can have the input at first."""
    status, _, err = tool(product(SHARED + "second_uart = 'lite'", B + "memory = '64K'", top="[console]\nfocus = 'a.1'"), config=SECOND,
                          board=UARTS_BOARD)
    assert (status, err) == (0, [])
    header, code = ((tool.path / "gen" / f"partitions.{kind}").read_text() for kind in "hc")
    assert "#define UART_SECONDS 1 //" in header and "#define CONSOLE_FOCUS 2\n" in header and "#define CONSOLE_MIXED\n" in header
    assert re.findall(r"uart_other = (\d+)", code) == ["2", "1", "0"]
    assert ('{ .name = "a", .console_base = 0xF0010000, .console_line = 5, .console_kind = CONSOLE_UARTLITE, .uart_other = 0 },\n};'
            in code)
    assert json.loads((tool.path / "gen" / "partitions.json").read_text())["vms"][0]["second_uart"] == "lite"


@pytest.mark.parametrize("keys, config, fault", [
    ("second_uart = 'lite'", UARTS, "second_uart needs CONFIG_UART_SECOND. hint: set CONFIG_UART_SECOND=y in the defconfig, or remove "
                                    "second_uart"),
    ("second_uart = 'lit'", SECOND, "board 'b' has no UART 'lit'. hint: did you mean 'lite'?"),
    ("second_uart = 'uart'", SECOND, "'uart' is its first UART. hint: another device, or console_at"),
    ("second_uart = 'uart'\nconsole_at = 0xF0002000", SECOND, "'uart' has no line of its own. hint: irq in the board file, or "
                                                              "console_line"),
    ("second_uart = 'lite'\nconsole_line = 5", SECOND, "'lite' has no line of its own. hint: irq in the board file, or console_line"),
    ("second_uart = 'lite'", SECOND.replace("CONFIG_UART_UARTLITE=y\n", ""),
     "'lite' needs CONFIG_UART_UARTLITE. hint: set CONFIG_UART_UARTLITE=y in the defconfig"),
    ("second_uart = 'lite'\nforward = ['lite']", SECOND,
     "registers 0xF0010000-0xF001000F of 'lite' lie in its second UART 0xF0010000-0xF001000F. hint: accesses to them have to fault to "
     "be forwarded: move it, or leave one of the two out"),
    ("second_uart = 'lite'\ndevices = ['lite']", SECOND,
     "its second UART at 0xF0010000 lies in a page of 'lite'. hint: leave one of the two out: accesses to it have to fault to be "
     "emulated"),
    ("second_uart = 'lite'\ninterrupts = [{ line = 7, guest = 5 }]", SECOND,
     "guest line 5 is its second UART's already. hint: choose another one: { line = 7, guest = 9 }")])
def test_second_uart_faults(tool, keys, config, fault):
    """Each with its line and what to do."""
    _, _, err = tool(product(SHARED + keys), config=config, board=UARTS_BOARD)
    assert [line.split(": ", 1)[1] for line in err] == [f"vm 'a': {fault}"]


def test_second_uart_alone(tool):
    """It needs a first."""
    _, _, err = tool(product(A + "memory = '64K'\nsecond_uart = 'lite'"), config=SECOND, board=UARTS_BOARD)
    assert [line.split(": ", 1)[1] for line in err] == [
        "vm 'a': second_uart without a console. hint: console = \"shared\", or remove second_uart"]


def test_board_devices_apart(tool):
    device = "[[device]]\nname = 'uart'\nbase = 0xF0000004\nsize = 4\n"
    _, _, err = tool(product(A + "memory = '64K'"), board=BOARD_TEXT + device)
    assert err == ["b.toml:21: device 'uart' is there twice. hint: names are unique",
                   "b.toml:22: device 'uart' overlaps device 'uart'. hint: correct base or size"]


def test_board_good(tool):
    assert tool(product(A + "memory = '64K'"), board=BOARD_TEXT)[0] == 0


# ---------------------------------------------------------------- Virtex boards

ML403, ML403DCR, RAPTOR = (os.path.join(TOP, "config", "boards", name + ".toml") for name in ("ml403", "ml403dcr", "raptor"))
VIRTEX = ("CONFIG_CONSOLE=y\nCONFIG_UART_16550_WORDS=y\nCONFIG_UART_UARTLITE=y\nCONFIG_INTC=y\nCONFIG_INTC_MMIO=y\nCONFIG_VM_MAX=4\n"
          "CONFIG_BOARD_VIRTEX=y\n")
VIRTEX_DCR = VIRTEX.replace("CONFIG_INTC_MMIO=y\n", "")


def text_of(path):
    """A board file."""
    with open(path, encoding="utf-8") as file:
        return file.read()


VIRTEX_FAULTS = [
    ("aligned", "intc_at = 0x81800010", VIRTEX, ML403,
     ["8: vm 'a': the interrupt controller can't be at 0x81800010. hint: any multiple of 32"]),
    ("in_memory", "intc_at = 0x1000", VIRTEX, ML403,
     ["8: vm 'a': the interrupt controller at 0x00001000 lies in the VM's memory 0x00000000-0x000FFFFF. "
      "hint: move one of them; this one with intc_at"]),
    ("in_device", "intc_at = 0x83C00100\ndevices = ['timer']", VIRTEX, ML403,
     ["8: vm 'a': the interrupt controller at 0x83C00100 lies in a page of 'timer' 0x83C00000-0x83C003FF. "
      "hint: move one of them; this one with intc_at"]),
    ("on_console", "console = 'shared'\nconsole_at = 0x81800000", VIRTEX, ML403,
     ["4: vm 'a': the interrupt controller at 0x81800000 lies in the virtual 16550 0x81800000-0x8180001F. "
      "hint: move one of them; this one with intc_at"]),
    ("on_pages", "intc_at = 0xFFFFF000\nirfm = true", VIRTEX + "CONFIG_IRFM=y\n", ML403,
     ["9: vm 'a': the register pages 0xFFFFEC00-0xFFFFF3FF overlap the interrupt controller 0xFFFFF000-0xFFFFF01F. "
      "hint: move them: irfm = \"<guest address of the boundary between the two pages>\""]),
    ("by_dcr", "intc_at = 0x81800000", VIRTEX_DCR, ML403DCR,
     ["8: vm 'a': intc_at needs CONFIG_INTC and a board with an interrupt controller in memory. hint: remove it"]),
    ("no_intc", "intc_at = 0x81800000", "# CONFIG_INTC is not set\n", ML403,
     ["8: vm 'a': intc_at needs CONFIG_INTC and a board with an interrupt controller in memory. "
      "hint: set CONFIG_INTC=y in the defconfig, or remove it"]),
    ("uic", "intc_at = 0x81800000", CONSOLE, BOARD,
     ["8: vm 'a': intc_at needs CONFIG_INTC and a board with an interrupt controller in memory. hint: remove it"]),
    ("interrupts", "devices = ['timer']\ninterrupts = ['timer']", "# CONFIG_INTC is not set\n", ML403,
     ["9: vm 'a': routed interrupts need CONFIG_INTC. hint: set CONFIG_INTC=y in the defconfig, or remove the line"]),
    ("kind_of_line", "interrupts = [\n{ line = 8, guest = 9 },\n{ line = 9, guest = 3 }, { line = 7, guest = 1 }, { line = 2, guest = 6}]", VIRTEX,
     ML403, [f"{line}: vm 'a': board line {at} is {kind}, guest line {guest} {other}. hint: a guest line of the same kind "
             "in the board file" for line, at, kind, guest, other in (
                 (9, 8, "a level", 9, "an edge"), (10, 9, "an edge", 3, "a level"), (10, 7, "an edge", 1, "a level"))]),
]


@pytest.mark.parametrize("lines, config, board, expected", [row[1:] for row in VIRTEX_FAULTS], ids=[row[0] for row in VIRTEX_FAULTS])
def test_virtex_fault(tool, lines, config, board, expected):
    status, out, err = tool(product(A + MB + lines), config=config, board=text_of(board))
    assert [line.removeprefix("p.toml:") for line in err] == expected
    assert status == 1 and out == "" and not (tool.path / "gen").exists()


@pytest.mark.parametrize("keys, kinds", [("polarity = 0xFFFFFFBF", ("a level, active low", "a level, active high")),
                                         ("trigger = 0x40", ("an edge, active high", "a level, active high"))])
def test_kind_of_uic_line(tool, keys, kinds):
    """Line 25 is another one than the others: only as a line of its kind can its guest have it."""
    board = text_of(BOARD)
    key = keys.split(maxsplit=1)[0]
    board = re.sub(rf"(?m)^{key} = .*$", keys, board)
    assert tool(product(A + MB + "interrupts = [25, { line = 24, guest = 27 }]"), board=board)[0] == 0
    status, _, err = tool(product(A + MB + "interrupts = [{ line = 25, guest = 24 }]"), board=board)
    assert status == 1
    assert err == [f"p.toml:8: vm 'a': board line 25 is {kinds[0]}, guest line 24 {kinds[1]}. "
                   "hint: a guest line of the same kind in the board file"]


OWN_FAULTS = [
    ("name", VIRTEX + 'CONFIG_BOARD="mine"\n', ML403, lambda text: text,
     "name = ", "name 'ml403' is not CONFIG_BOARD, 'mine'. hint: name = \"mine\""),
    ("dcr", VIRTEX, ML403DCR, lambda text: text,
     "[intc]", "the controller is on the DCR bus, CONFIG_INTC_DCR is off. hint: set CONFIG_INTC_DCR=y in the defconfig"),
    ("memory", VIRTEX_DCR + "CONFIG_INTC_DCR=y\n", ML403, lambda text: text,
     "[intc]", "the controller is in memory, CONFIG_INTC_DCR is on. hint: take CONFIG_INTC_DCR=y out of the defconfig"),
    ("uic", VIRTEX, ML403DCR, lambda text: re.sub(r"(?m)^edges.*\n", "", text.replace("[intc]", "[uic]")),
     "[uic]", "a Virtex design has Xilinx' interrupt controller. hint: [intc] with base or dcr, and lines"),
]


@pytest.mark.parametrize("config, board, change, line, expected", [row[1:] for row in OWN_FAULTS], ids=[row[0] for row in OWN_FAULTS])
def test_own_board_fault(tool, config, board, change, line, expected):
    """BOARD_OWN: what a copied board file says, and what the options say."""
    text = change(text_of(board))
    status, out, err = tool(product(A + MB), config=config, board=text)
    number = next(index for index, found in enumerate(text.splitlines(), 1) if found.startswith(line))
    assert [part.split(":", 1)[1] for part in err] == [f"{number}: {expected}"]
    assert status == 1 and out == "" and not (tool.path / "gen").exists()


@pytest.mark.parametrize("board, config, qemu, values", [
    (ML403, VIRTEX, {"machine": "virtex-ppc405", "serial": 0, "patched": True},
     ("INTC_IS_DCR 0", "INTC_BASE 0x81800000", "INTC_DCR 0x400", "INTC_LINES 32", "INTC_EDGES 0x00000280", "CCR0 0x50000000",
      "CONSOLE_BASE 0x83E00000", "CONSOLE_OFFSET 0x1003", "CONSOLE_STRIDE 4", "CONSOLE_DIVISOR 651", "CONSOLE_UARTLITE 0",
      "CONSOLE_IRQ 6", "PAGE_MIN 1024", "TIMER_IRQ 8")),
    (ML403DCR, VIRTEX_DCR, {"machine": "virtex-ppc405,intc-dcr=on", "serial": 0, "patched": True},
     ("INTC_IS_DCR 1", "INTC_DCR 0xC0", "CONSOLE_IRQ 6", "CCR0 0x50000000")),
    (RAPTOR, VIRTEX, {"machine": "raptor", "serial": 0, "patched": True},
     ("INTC_IS_DCR 0", "INTC_BASE 0x90240000", "CONSOLE_BASE 0x90210000", "CONSOLE_UARTLITE 1", "CONSOLE_IRQ 0", "CCR0 0x00000000")),
    (BOARD, CONSOLE, {"machine": "ref405ep", "serial": 0, "patched": False},
     ("UIC_DCR 0xC0", "CONSOLE_BASE 0xEF600300", "CONSOLE_OFFSET 0x0", "CONSOLE_STRIDE 1", "CONSOLE_IRQ 0", "CCR0 0x00000000"))],
    ids=["ml403", "ml403dcr", "raptor", "ref405ep"])
def test_board_values(tool, board, config, qemu, values):
    """What the hypervisor sees of a board, and what tools/run.py does."""
    data = good(tool, product(A + MB), config=config, board=text_of(board))
    text = (tool.path / "gen" / "board_values.h").read_text().splitlines()
    assert [value for value in values if "#define BOARD_" + value not in text] == []
    assert data["qemu"] == qemu and data["board"]["name"] == re.search(r'^name = "(.*)"$', text_of(board), re.M)[1]


def test_intc_of_each_vm(tool):
    """Where the board has its own, or where the VM wants it; nowhere, if the board's is not in memory."""
    two = product(A + MB, B + MB + "intc_at = '0x90240000'")
    assert [vm["intc_base"] for vm in good(tool, two, config=VIRTEX, board=text_of(ML403))["vms"]] == [0x81800000, 0x90240000]
    source = (tool.path / "gen" / "partitions.c").read_text()
    assert source.count(".intc_base = 0x81800000,") == 1 and source.count(".intc_base = 0x90240000,") == 1
    for board, config in ((ML403DCR, VIRTEX_DCR), (BOARD, CONSOLE)):
        assert good(tool, product(A + MB), config=config, board=text_of(board))["vms"][0]["intc_base"] is None
        assert "intc_base" not in (tool.path / "gen" / "partitions.c").read_text()


def test_timer_of_a_vm(tool):
    """The XPS timer: its page alone, and its line."""
    text = product(A + MB + "devices = ['timer']\ninterrupts = ['timer', { line = 20, guest = 8 }]")
    _, _, err = tool(text, config=VIRTEX, board=text_of(ML403))
    assert err == ["p.toml:9: vm 'a': guest line 8 is board line 8's already. hint: choose another one: { line = 7, guest = 9 }"]
    text = product(A + MB + "devices = ['timer']\ninterrupts = ['timer']")
    assert tlb(tool, text, config=VIRTEX, board=text_of(ML403))[-1] == (0x83C00000, 0x83C00000, K, DEVICE, 1)
    assert good(tool, text, config=VIRTEX, board=text_of(ML403))["vms"][0]["interrupts"] == [{"line": 8, "guest": 8}]


def test_optimize(tool):
    """The pages are its supervisor's, and it executes the second; only with `irfm` the guest knows of them."""
    text = product(A + MB + "optimize = true", B + MB + "optimize = true\nirfm = '0xFFFFA000'")
    config = CONSOLE + "CONFIG_IRFM=y\nCONFIG_OPTIMIZE=y\n"
    assert [row for row in tlb(tool, text, config=config) if row[3] != RAM] == [
        (0xFFFFE000, 0xA000, 4 * K, 0x110, 1), (0xFFFFF000, 0xB000, 4 * K, 0x210, 1),
        (0xFFFF9000, 0xC000, 4 * K, 0x110, 2), (0xFFFFA000, 0xD000, 4 * K, 0x210, 2)]
    first, second = good(tool, text, config=config)["vms"]
    assert "FEATURE_OPTIMIZE" in first["features"] and "FEATURE_IRFM" not in first["features"]
    assert {"FEATURE_OPTIMIZE", "FEATURE_IRFM"} <= set(second["features"])


def test_stubs(tool):
    """Of a VM that has them; the hypervisor keeps room for what it knows of each that is optimized."""
    text = product(A + MB + "optimize = true\nstubs = { guest = '0x8000', at = '0xC0008000' }", B + MB + "optimize = true")
    first, second = good(tool, text, config=OPTIMIZED)["vms"]
    assert first["stubs"] == {"at": 0xC0008000, "guest": 0x8000, "size": 0x2000, "line": 9} and second["stubs"] is None
    lines = (tool.path / "gen" / "partitions.c").read_text()
    assert ".sites = 0," in lines and ".sites = 1," in lines and ".stubs_at = 0xC0008000," in lines and ".stubs_guest = 0x00000001," in lines
    assert "#define SITES_ROWS 2 " in (tool.path / "gen" / "partitions.h").read_text()
    alone, three = (min(row[1] for row in tlb(tool, text, config=OPTIMIZED + f"CONFIG_OPTIMIZE_SITES={sites}\n") if row[3] != RAM)
                    for sites in (8, 800))
    assert 2 * 12 * 792 - 4 * K < three - alone <= 2 * 12 * 792 + 8 * K


@pytest.mark.parametrize("tlb_virt, step", [("", 0x800), ("CONFIG_TLB_VIRT=y\n", 0x1000), ("CONFIG_OPTIMIZE=y\n", 0x1000)],
                         ids=["pages", "tlb", "sites"])
def test_register_step(tool, tlb_virt, step):
    """Of pages of 1 KiB, a virtual TLB needs two more for each VM."""
    text = product(A + MB + "irfm = true", B + MB + "irfm = true")
    rows = tlb(tool, text, config=VIRTEX + "CONFIG_IRFM=y\n" + tlb_virt, board=text_of(ML403))
    assert [row for row in rows if row[3] != RAM] == [
        (0xFFFFEC00, 0xA000, K, 0x100, 1), (0xFFFFF000, 0xA400, K, 0, 1),
        (0xFFFFEC00, 0xA000 + step, K, 0x100, 2), (0xFFFFF000, 0xA400 + step, K, 0, 2)]
    assert f"#define REGISTERS_STEP 0x{step:X}" in (tool.path / "gen" / "partitions.h").read_text().splitlines()


def test_missing_files(tool):
    assert tool(None)[2] == ["p.toml: can't read the partition file: No such file or directory. "
                             "hint: it stands beside the product's defconfig, in config/<product>/"]
    (tool.path / ".config").unlink()
    result = subprocess.run([os.path.join(TOOLS, "partition.py"), "--board", BOARD, "--config", ".config", "p.toml",
                             "--out", "gen"],
                            cwd=tool.path, capture_output=True, text=True, timeout=60, check=False)
    assert result.returncode == 1 and result.stdout == ""
    assert result.stderr == (".config: can't read the configuration: No such file or directory. hint: build it with tools/kconfig.py "
                             "--kconfig Kconfig --defconfig config/<product>/defconfig --out build/<product>\n")


def test_bad_config(tool):
    assert tool(product(A + MB), config="CONFIG_CONSOLE=y\nVM_MAX=4\n")[2][0].startswith(
        ".config:2: 'VM_MAX=4' is not CONFIG_NAME=value. hint: ")


def test_output_not_writable(tool):
    (tool.path / "gen").write_text("a file, no folder")
    status, _, err = tool(product(A + MB))
    assert status == 1 and err == ["gen/partitions.h: can't write: File exists. hint: is the folder writable?"]


def test_usage(tool):
    with pytest.raises(SystemExit) as status:
        partition.main(["--board", BOARD, "--config", ".config", "p.toml"])
    assert status.value.code == 2


VALUES = ["-1", "0", "7", "0xFFFFFFFF", "1e9", "true", "''", "'1M'", "'uart0'", "'a'", "[]", "[[1], 'x']", "[{ line = 3 }]", "{}",
          "{ size = '64K', machine = 0x10000 }", "{ r3 = [] }", "{ file = 'x', guest = 4 }", "1979-05-27", "99999999999999999999"]


def test_random_damage(tool):
    """Whatever is wrong with either file: lines of `file:line: cause. hint: ...` or a good result, never a traceback."""
    rng = random.Random(405)
    with open(BOARD, encoding="utf-8") as file:
        board_text = file.read()
    seen = {0: 0, 1: 0}
    for _ in range(400):
        texts = [FULL + "forward = ['iic0', { device = 'gpio0', offset = 4, size = 4 }]\nirfm = '0xFFFFA000'\nparavirt = true\nprevirt = true\n", board_text]
        which = rng.randrange(2)
        lines = texts[which].splitlines()
        for _ in range(rng.randint(1, 4)):
            damage(rng, lines, "[]{}=\"'#.,x0\\", VALUES)
        texts[which] = "\n".join(lines)
        status, _, err = tool(texts[0], board=texts[1], config=HYBRID + "CONFIG_FORWARD=y\n")
        seen[status] += 1
        assert bool(err) == bool(status)
        for line in err:
            assert re.fullmatch(r"[bp]\.toml:\d+: .*\. hint: .+", line), line
            assert int(line.split(":")[1]) <= texts[line.startswith("b")].count("\n") + 1, line
    assert min(seen.values()) > 20, seen


@pytest.mark.parametrize("base", [0x81800000, 0x818003F0])
def test_device_beside_controller(tool, base):
    """A VM that could write the board's controller would mask and route the lines of others; without a virtual one, too."""
    board = text_of(ML403) + f"[[device]]\nname = 'counter'\nbase = 0x{base:X}\nsize = 0x10\n"
    for config, intc in ((VIRTEX, "intc_at = 0x90240000\n"), ("CONFIG_BOARD_VIRTEX=y\n", "")):
        _, _, err = tool(product(A + MB + intc + "devices = ['counter']"), config=config, board=board)
        assert [line.split(": ", 1)[1] for line in err] == [
            "vm 'a': a page of 'counter' holds the board's interrupt controller at 0x81800000. "
            "hint: that is the hypervisor's: move one of them in the design"]
    board = board.replace(f"0x{base:X}\nsize = 0x10", f"0x{base - 0x400 if base % 0x400 else base + 0x400:X}\nsize = 0x10")
    assert good(tool, product(A + MB + "devices = ['counter']"), config=VIRTEX, board=board)
