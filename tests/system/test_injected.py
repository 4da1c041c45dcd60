"""Interrupts that no guest can cause here, raised by the patched QEMU (tools/qemu/README.md, `inject`): each takes its road.

FPU and APU unavailable and an instruction's machine check are the guest's own: at its vector, with its pc and MSR, nothing else
changed. A vector that nobody enabled is the hypervisor's end: it says so, and the board is reset.
"""

import re

import pytest
import rawguest

# Counts what comes to three vectors until each has come WANTED times. Bad: another SRR1 than its MSR, a pc outside the loop, an ESR
# that is not the machine check's, or a register of the loop that has changed.
WANTED = 20
GUEST = f"""
        .globl  _start
        .macro  handler vector, counter, save0, save1
        .org    \\vector
        addi    \\counter, \\counter, 1
        mfspr   24, \\save1
        cmpw    cr7, 24, 23
        bne     cr7, bad
        mfspr   24, \\save0
        cmplw   cr7, 24, 26
        blt     cr7, bad
        cmplw   cr7, 24, 27
        bge     cr7, bad
        .endm
        handler 0x200, 22, 0x3DE, 0x3DF
        mfspr   24, 0x3D4               # ESR
        cmpw    cr7, 24, 28
        bne     cr7, bad
        rfci
        handler 0x800, 20, 0x01A, 0x01B
        rfi
        handler 0xF20, 21, 0x01A, 0x01B
        rfi
        .org    0x2000
_start: li      3, 0
        mtspr   0x3D6, 3                # EVPR
        mtspr   0x3D4, 3
        li      20, 0
        li      21, 0
        li      22, 0
        lis     26, loop@h
        ori     26, 26, loop@l
        lis     27, over@h
        ori     27, 27, over@l
        lis     28, 0x8000              # ESR[MCI]
        li      23, 0x1000              # ME
        mtmsr   23
        li      10, 0
        li      11, 0
loop:   addi    10, 10, 1
        addi    11, 11, 3
        mulli   12, 10, 3
        cmpw    12, 11
        bne     bad
        cmpwi   cr1, 20, {WANTED}
        cmpwi   cr5, 21, {WANTED}
        cmpwi   cr6, 22, {WANTED}
        blt     cr1, loop
        blt     cr5, loop
        blt     cr6, loop
over:   lis     5, good@h
        ori     5, 5, good@l
        b       1f
bad:    lis     5, wrong@h
        ori     5, 5, wrong@l
1:
{rawguest.SAY}
good:   .asciz  "injected: PASS\\r\\n"
wrong:  .asciz  "injected: FAIL\\r\\n"
"""
PARTITIONS = """
[product]
name = "injected"
[schedule]
quantum_us = 1000000
[[vm]]
name = "injected"
image = "{image}"
memory = "64K"
console = "shared"
"""
# Behind the boot of either, and one by one: a handler and what the hypervisor does for it have ended long before the next comes
EACH = "inject=" + ",".join(f"{vector}@{3000000 + 30000 * number + 10000 * place}" for number in range(WANTED)
                            for place, vector in enumerate(("0x800", "0xF20", "0x200/0x80000000")))


@pytest.fixture(name="built", scope="module")
def fixture_built(images, folder):
    """(ELF of the guest, image with it)"""
    images.on("raptor").guests()
    guest, partitions = rawguest.build(folder, "injected", GUEST), folder / "injected.toml"
    partitions.write_text(PARTITIONS.format(image=guest), encoding="utf-8")
    return str(guest), images.on("raptor").elf("hostile", "CONFIG_TLB_VIRT=n CONFIG_STATS=y", partitions)


def injected(images, image, what):
    """The run with these interrupts."""
    return images.on("raptor").run(image=image, timeout=60, extra=["-global", f"powerpc-cpu.{what}"])


def test_bare(images, built):
    """The guest alone: what it expects is what the machine does."""
    assert injected(images, built[0], EACH).lines[-1] == "injected: PASS"


def test_they_are_the_guests(images, built):
    """The same as a VM; and none of them goes on."""
    result = injected(images, built[1], EACH)
    assert not list(result.trouble()) and result.vms["injected"].lines == ["injected: PASS"], result.lines
    stats = result.vms["injected"].stats
    assert stats["program"] == 2 * WANTED and stats["starts"] == 1


@pytest.mark.parametrize("vector", ["0x100", "0x1010", "0x1020", "0x2000"], ids=["critical", "fit", "watchdog", "debug"])
def test_nobody_enabled_it(images, built, vector):
    """The hypervisor does not go on as if nothing had been: its last words, then the board is reset."""
    result = injected(images, built[1], f"inject={vector}@3000000")
    assert re.fullmatch(r"\[proteus\] panic: interrupt that nobody enabled srr0=\w+ srr2=\w+", result.lines[-1]), result.lines
