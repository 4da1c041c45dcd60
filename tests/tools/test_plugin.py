#!/usr/bin/python3
"""Tests of tools/plugin: a toy hypervisor with two guests, each of whose paths is counted by hand in a comment.

The toy is one ELF: the hypervisor at machine address 0, the guests `one` and `two` at 1 MiB and 2 MiB, both mapped at
virtual address 0 like the guests of the real hypervisor, so that only the machine address tells the three apart.
"""

import json
import os
import shutil
import subprocess

import which_qemu
import pytest

ROOT = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
PLUGIN = os.path.join(ROOT, "tools", "plugin")
CROSS = os.environ.get("CROSS_COMPILE") or (
    "powerpc-eabi-" if shutil.which("powerpc-eabi-gcc") else "powerpc-linux-gnu-")

SOURCE = r"""
        .set    GUEST_MSR, 0xC030                   # EE, PR, IR, DR
        .set    SCRATCH, 0x3000

        .section .hyp, "ax"
        .org    0x500
        b       .
        .org    0x700                               # program: skip the instruction. 13 instructions
        stmw    %r29, SCRATCH(0)                    # 3 words
        mfsrr0  %r31
        lwz     %r30, SCRATCH + 16(0)
        addi    %r30, %r30, 1                       # load-use
        b       1f
1:      addi    %r31, %r31, 4
        mtsrr0  %r31
        lmw     %r29, SCRATCH(0)                    # 3 words
        rfi
        .org    0xC00                               # sc: r3 says what to do
        cmpwi   %r3, 1
        beq     switch
        cmpwi   %r3, 2
        beq     idle
        cmpwi   %r3, 3
        beq     stop
        cmpwi   %r3, 4
        beq     late
        li      %r31, 0xC00                         # reflect: 11 instructions
        mtsrr0  %r31
        rfi
        .org    0x1000
        b       pit
        .org    0x1100                              # data TLB miss: skip the load. 4 instructions
        mfsrr0  %r31
        addi    %r31, %r31, 4
        mtsrr0  %r31
        rfi
        .org    0x2100
pit:    lis     %r31, 0x0800
        mtspr   0x3D8, %r31                         # TSR
        cmpwi   %r30, 0
        bne     1f
        mfsrr0  %r31                                # interrupted guest: behind its instruction. 9 instructions
        addi    %r31, %r31, 4
        mtsrr0  %r31
        rfi
1:      mtsrr0  %r30                                # was idle. 11 instructions
        li      %r30, 0
        li      %r31, 0
        ori     %r31, %r31, GUEST_MSR
        mtsrr1  %r31
        rfi
switch: li      %r31, 2                             # 7 instructions
        mtspr   0x3B1, %r31                         # PID
        li      %r31, 0
        mtsrr0  %r31
        rfi
idle:   mfsrr0  %r30                                # 4 + 6 = 10 instructions
        li      %r31, 100
        mtspr   0x3DB, %r31                         # PIT
        lis     %r31, 4
        ori     %r31, %r31, 0x8000
        mtmsr   %r31                                # WE, EE
        b       .
stop:   lis     %r31, 0x3000
        mtspr   0x3F2, %r31                         # DBCR0: system reset
        b       .
late:   mtspr   0x3DB, %r4                          # 8 + 3 + 25 * 2 + 1 = 62 instructions, r4 PIT ticks
        li      %r31, 25
        mtctr   %r31
1:      nop
        bdnz    1b
        rfi
        .globl  _start
_start: li      %r1, 0
        mtspr   0x3D6, %r1                          # EVPR
        lis     %r1, 0x4000
        mtspr   0x3B0, %r1                          # ZPR: zone 0 as the entry says
        lis     %r1, 0x0400
        mtspr   0x3DA, %r1                          # TCR[PIE], before the PIT is first written
        li      %r30, 0
        li      %r2, 2                              # two VMs: entry n maps 0 to n MiB under PID n
1:      mtspr   0x3B1, %r2
        slwi    %r3, %r2, 20
        ori     %r3, %r3, 0x300
        li      %r4, 0x2C0
        tlbwe   %r3, %r2, 1
        tlbwe   %r4, %r2, 0
        subi    %r2, %r2, 1
        cmpwi   %r2, 0
        bne     1b
        li      %r3, 0
        mtsrr0  %r3
        ori     %r3, %r3, GUEST_MSR
        mtsrr1  %r3
        rfi

        .section .one, "ax"                         # 8 instructions in all
        li      %r3, 0
        mfspr   %r4, 0x01A
        mfspr   %r5, 0x01A
        mtspr   0x111, %r4
        sc                                          # reflected
back:   li      %r3, 1
        sc                                          # switch
        .org    0xC00
        b       back

        .section .two, "ax"
        lis     %r6, 0x40
        lwz     %r7, 0(%r6)                         # data TLB miss
        li      %r3, 2
        sc                                          # idle
        li      %r3, 4
        li      %r4, 2
        sc                                          # the PIT is waiting when the hypervisor returns
        nop
        li      %r4, 3000
        sc
        b       .                                   # until the PIT interrupt
        li      %r3, 3
        sc                                          # the end
"""

SCRIPT = """
ENTRY(_start)
SECTIONS
{
    .hyp 0 : { *(.hyp) }
    .one 0x100000 : { *(.one) }
    .two 0x200000 : { *(.two) }
}
"""

# from, vector, word, to, outcome -> count, instructions, cycles (None: not worked out by hand)
EXPECTED = {
    # stmw 3, mfspr 1, lwz 1, addi 1+1, b 1, addi 1+1, mtspr 1, lmw 3, rfi 5, entry 5
    ("one", 0x700, 0x7C9A02A6, "one", "next"): (1, 13, 24),
    ("one", 0x700, 0x7CBA02A6, "one", "next"): (1, 13, 24),
    ("one", 0x700, 0x7C9143A6, "one", "next"): (1, 13, 24),
    # four times cmpwi and beq not taken 8, li 1, mtspr 1, rfi 5, entry 5
    ("one", 0xC00, 0x44000002, "one", "vector"): (1, 11, 20),
    # cmpwi 1, beq taken against its prediction 1+2, li 1, mtspr 1, li 1, mtspr 1, rfi 5, entry 5
    ("one", 0xC00, 0x44000002, "two", "switch"): (1, 7, 18),
    # mfspr 1, addi 1, mtspr 1, rfi 5, entry 5
    ("two", 0x1100, 0x80E60000, "two", "next"): (1, 4, 13),
    # cmpwi, beq, cmpwi, beq taken 4+2, five more 5, mtmsr 5, entry 5
    ("two", 0xC00, 0x44000002, "idle", "idle"): (1, 10, 21),
    # b 1+1, lis, mtspr, cmpwi, bne taken 4+2, five 5, rfi 5, entry 5
    ("idle", 0x1000, 0, "two", "jump"): (1, 11, 23),
    # eight with the last taken 8+2, mtspr, li, mtctr 3, nop 25, bdnz 25: taken as
    # predicted 24, the last against 2, rfi 5, entry 5
    ("two", 0xC00, 0x44000002, "resuming", "preempted"): (1, 62, 99),
    ("two", 0xC00, 0x44000002, "two", "next"): (1, 62, 99),
    # b 1+1, lis, mtspr, cmpwi, bne not taken 4, mfspr, addi, mtspr 3, rfi 5, entry 5
    ("resuming", 0x1000, 0, "two", "jump"): (1, 9, 19),
    ("two", 0x1000, 0, "two", "next"): (1, 9, 19),
}


# The same from ROM: vectors at 0xFFFF0000, the guests copied to RAM by the reset code.
ROM_SCRIPT = """
ENTRY(_start)
SECTIONS
{
    .hyp 0xFFFF0000 : { *(.hyp) }
    .one 0x100000 : AT(0xFFFF4000) { *(.one) }
    .two 0x200000 : AT(0xFFFF6000) { *(.two) }
    .reset 0xFFFFFFFC : AT(0xFFFFFFFC) { *(.reset) }
}
"""
ROM_SOURCE = SOURCE.replace("_start: li      %r1, 0", """_start: li      %r1, 0x40
        mtdcr   0x10, %r1                           # SDRAM bank 0: 128 MiB at 0; QEMU does this only for -kernel
        lis     %r1, 0x000A
        ori     %r1, %r1, 1
        mtdcr   0x11, %r1
        li      %r1, 0x20
        mtdcr   0x10, %r1
        lis     %r1, 0x8000
        mtdcr   0x11, %r1                           # and the controller on
        lis     %r1, 0xFFFF
        ori     %r1, %r1, 0x4000 - 4
        lis     %r2, 0x10
        subi    %r2, %r2, 4
        li      %r3, 0x1000 / 4
        mtctr   %r3
1:      lwzu    %r4, 4(%r1)                         # one
        stwu    %r4, 4(%r2)
        bdnz    1b
        lis     %r1, 0xFFFF
        ori     %r1, %r1, 0x6000 - 4
        lis     %r2, 0x20
        subi    %r2, %r2, 4
        mtctr   %r3
1:      lwzu    %r4, 4(%r1)                         # two
        stwu    %r4, 4(%r2)
        bdnz    1b
        lis     %r1, 0xFFFF""") + """
        .section .reset, "ax"
        b       _start
"""
ROM_BASE, ROM_SIZE = 0xFFF80000, 0x80000


def build(directory, name, source, script):
    """Assemble and link `source`; gives the ELF's path."""
    paths = {suffix: str(directory / f"{name}.{suffix}") for suffix in ("S", "o", "ld", "elf")}
    for suffix, text in (("S", source), ("ld", script)):
        with open(paths[suffix], "w", encoding="ascii") as stream:
            stream.write(text)
    subprocess.run([CROSS + "gcc", "-mcpu=405", "-mregnames", "-c", "-o", paths["o"], paths["S"]], check=True,
                   timeout=60)
    subprocess.run([CROSS + "ld", "--build-id=none", "-T", paths["ld"], "-o", paths["elf"], paths["o"]], check=True,
                   timeout=60)
    return paths["elf"]


def count(directory, plugin, elf, arguments, loader="-kernel"):
    """Run `elf` (or, with -bios, a ROM) under the plugin; gives QEMU's result and the report, if there is one."""
    out = str(directory / "count.json")
    if os.path.exists(out):
        os.unlink(out)
    command = [which_qemu.qemu(), "-M", "ref405ep", "-display", "none", "-monitor", "none", "-serial", "null", "-no-reboot",
               "-icount", "shift=0,sleep=off", "-plugin", ",".join([plugin, f"out={out}", *arguments]), loader, elf]
    result = subprocess.run(command, capture_output=True, text=True, timeout=60, check=False)
    if not os.path.exists(out):
        return result, None
    with open(out, encoding="ascii") as stream:
        return result, json.load(stream)


@pytest.fixture(scope="module", name="tools")
def fixture_tools(tmp_path_factory):
    """The plugin and the toy, built once."""
    directory = tmp_path_factory.mktemp("plugin")
    plugin = str(directory / "count.so")
    sources = [os.path.join(PLUGIN, name) for name in ("count.c", "timing.c")]
    subprocess.run(["gcc", "-std=c11", "-O2", "-Wall", "-Wextra", "-Werror", "-shared", "-fPIC", "-fvisibility=hidden",
                    "-o", plugin, *sources], check=True, timeout=120)
    return directory, plugin, build(directory, "toy", SOURCE, SCRIPT)


VMS = ["hyp=0-0x8000", "vm=one:0x100000-0x200000", "vm=two:0x200000-0x300000"]


@pytest.fixture(scope="module", name="report")
def fixture_report(tools):
    """The report of the toy's run, with all options on."""
    result, report = count(*tools, VMS + ["paths=on", "profile=on", "trace=3"])
    assert result.returncode == 0, result.stderr
    assert report is not None, result.stderr
    return report


def by_key(report):
    """Excursions of a report, without those of boot and the end."""
    return {(row["from"], row["vector"], row["word"], row["to"], row["outcome"]): row for row in report["excursions"]
            if row["from"] != "boot" and row["to"] != "end"}


def test_all_excursions_are_found_and_no_others(report):
    assert set(by_key(report)) == set(EXPECTED)


@pytest.mark.parametrize("key", EXPECTED)
def test_counts_by_hand(report, key):
    row = by_key(report)[key]
    number, insns, cycles = EXPECTED[key]
    assert (row["count"], row["insns"]["min"], row["insns"]["max"], row["insns"]["sum"]) \
        == (number, insns, insns, number * insns)
    assert row["histogram"] == [[insns, number]]
    assert (row["cycles"]["min"], row["cycles"]["max"]) == (cycles, cycles)


def test_the_word_before_an_sc(report):
    before = {row["word"]: set() for row in report["excursions"]}
    for row in report["excursions"]:
        before[row["word"]].add(row["before"])
    # mtspr of sprg1; li r3, 1; li r3, 2; li r4, 2; li r4, 3000; li r3, 3
    assert before.pop(0x44000002) == {0x7C9143A6, 0x38600001, 0x38600002, 0x38800002, 0x38800BB8, 0x38600003}
    assert set().union(*before.values()) == {0}


WALKS = ["walk=reads:0x100004-0x10000C", "walk=quiet:0x100014-0x100018", "walk=miss:0x200004-0x20000C",
         "walk=never:0x200400-0x200404"]


def test_walks(tools):
    """Two mfspr; the li behind the reflected sc; the load that misses and the li behind it; nothing."""
    walks = count(*tools, VMS + WALKS)[1]["walks"]
    figures = {name: tuple(walk.values()) for name, walk in walks.items()}
    assert list(walks["reads"]) == ["begun", "insns", "excursions", "hyp_insns", "hyp_cycles"]
    assert figures == {"reads": (1, 2, 2, 26, 48), "quiet": (1, 1, 0, 0, 0), "miss": (1, 2, 1, 4, 13),
                       "never": (0, 0, 0, 0, 0)}


def test_an_interrupt_is_not_the_walks_fault(tools):
    """The PIT finds `two` waiting, and `idle` is of its sc; both lie in this walk, which is not charged for the PIT."""
    walk = count(*tools, VMS + ["walk=all:0x200000-0x200038"])[1]["walks"]["all"]
    by_cause = sum(row["insns"]["sum"] for row in count(*tools, VMS)[1]["excursions"]
                   if row["from"] == "two" and row["vector"] in (0xC00, 0x1100))
    assert walk["hyp_insns"] == by_cause and walk["insns"] == 11 and walk["begun"] == 1


def test_boot_and_end_are_their_own(report):
    boot = [row for row in report["excursions"] if row["from"] == "boot"]
    assert [(row["to"], row["vector"]) for row in boot] == [("one", 0)]
    assert boot[0]["insns"]["max"] == 8 + 2 * 9 + 5 == report["hypervisor"]["boot_insns"]
    assert [(row["from"], row["outcome"]) for row in report["excursions"] if row["to"] == "end"] == [("two", "end")]


def test_totals(report):
    one, two = report["vms"]["one"], report["vms"]["two"]
    assert one["insns"] == 8 and one["privileged"] == 3
    assert one["hyp_insns"] == 3 * 13 + 11 + 7
    # What the hypervisor did while it resumed `two`, or waited, is done for the one that goes on
    ends = sum(r["insns"]["sum"] for r in report["excursions"] if r["from"] == "two" and r["to"] == "end")
    assert two["hyp_insns"] == (4 + 10 + 62 + 62 + 9) + (11 + 9) + ends
    assert one["last"] - one["first"] + 1 == 8 + 3 * 13 + 11          # up to its last sc
    assert two["first"] == one["last"] + 7 + 1
    assert two["insns"] == 13 - 2                      # the nop is skipped by the PIT handler, and `b .` is waiting
    assert report["waiting"] > 1000
    assert report["total"] == one["insns"] + two["insns"] + report["hypervisor"]["insns"]
    assert (report["stray_insns"], report["odd_entries"], report["nested_faults"]) == (0, 0, 0)


def test_profile_adds_up(report):
    words = {address: word for address, word, _ in report["profile"]}
    assert words[0x700] == 0xBFA03000                                   # stmw r29, 0x3000(0)
    extra = sum(2 * number for _, word, number in report["profile"] if word >> 26 in (46, 47))
    working = sum(number for _, word, number in report["profile"] if word != 0x48000000)
    assert working + extra == report["hypervisor"]["insns"]
    assert dict((address, number) for address, _, number in report["profile"])[0x700] == 3


def test_longest_path_and_trace(report):
    path = [0x700 + 4 * step for step in range(9)]
    assert by_key(report)[("one", 0x700, 0x7C9A02A6, "one", "next")]["longest"] == path
    assert [row["from"] for row in report["trace"]] == ["boot", "one", "one"]
    assert report["trace"][1]["pc"] == 4 and report["trace"][1]["path"] == path


def test_model_is_in_the_report(report):
    model = {name: cycles for name, cycles, _, _ in report["model"]}
    assert (model["BASE"], model["DIVIDE"], model["ENTRY"]) == (1, 35, 5)


def test_two_runs_are_alike(tools, report):
    assert count(*tools, VMS + ["paths=on", "profile=on", "trace=3"])[1] == report


def test_stray_code_is_seen(tools):
    report = count(*tools, VMS[:2])[1]
    assert report["stray_insns"] > 0


def test_rom(tools):
    """From ROM, RAM is found by itself, and all paths are as long as from RAM."""
    directory, plugin, _ = tools
    elf = build(directory, "rom", ROM_SOURCE, ROM_SCRIPT)
    rom = str(directory / "rom.bin")
    subprocess.run([CROSS + "objcopy", "-O", "binary", elf, rom], check=True, timeout=60)
    with open(rom, "r+b") as stream:
        code = stream.read()
        stream.seek(0)
        stream.write(bytes(ROM_SIZE - len(code)) + code)
    ranges = [f"hyp={ROM_BASE:#x}-{ROM_BASE + ROM_SIZE:#x}"] + VMS[1:]
    result, report = count(directory, plugin, rom, ranges, "-bios")
    assert report is not None, result.stderr
    assert (report["stray_insns"], report["odd_entries"]) == (0, 0)
    found = {key: (row["count"], row["insns"]["max"], row["cycles"]["max"]) for key, row in by_key(report).items()}
    assert found == EXPECTED


NATIVE = """
        .globl  _start
_start: li      %r3, 10
        mtctr   %r3
1:      mullw   %r4, %r3, %r3
        bdnz    1b
        lis     %r3, 0x3000
        mtspr   0x3F2, %r3
        b       .
"""


def test_native_total(tools):
    """Bare, everything is one guest: 2 + 10 * 2 + 2."""
    directory, plugin, _ = tools
    elf = build(directory, "native", NATIVE, "ENTRY(_start) SECTIONS { .text 0x10000 : { *(.text) } }")
    report = count(directory, plugin, elf, ["native=on"])[1]
    native = report["vms"]["native"]
    assert native["insns"] == report["total"] == 24
    assert native["first"] == 1 and report["excursions"] == []


@pytest.mark.parametrize("arguments, cause", [
    (["native=on", "colour=red"], "unknown argument colour"),
    (["hyp=0x8000-0"], "a range is LO-HI with LO < HI, not 0x8000-0"),
    (["vm=one"], "a VM is NAME:LO-HI, not one"),
    (["walk=0-4"], "a walk is NAME:LO-HI, not 0-4"),
    (["walk=x:4-4"], "a range is LO-HI with LO < HI, not 4-4"),
    (["hyp"], "count plugin:"),
])
def test_bad_arguments_are_refused(tools, arguments, cause):
    result, report = count(*tools, arguments)
    assert result.returncode != 0 and cause in result.stderr and report is None
