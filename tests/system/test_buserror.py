"""Imprecise machine checks: a guest's stores and loads that nobody answers, whose error arrives in the hypervisor or later."""

import conftest
import pytest
import rawguest
import run

# 200 times an access to a device page where QEMU's raptor has nothing, and traps behind it; every one ends in one machine check.
GUEST = """
        .globl  _start
        .org    0x200
        addi    20, 20, 1               # machine check
        rfci
        .org    0x2000
_start: li      3, 0
        mtspr   0x3D6, 3                # EVPR
        li      20, 0
        li      21, 0
        lis     22, 0x9022
        li      3, 0x1000               # ME
        mtmsr   3
1:      addi    21, 21, 1
        slwi    9, 21, 12
        mtcrf   0x38, 9                 # CR 2 to 4, which are another number each time
        {access}
        mfmsr   3
        mfspr   3, 0x110
        wrteei  0
        mftb    4
2:      mftb    5                       # long enough for any delay
        subf    5, 4, 5
        cmplwi  5, 6000
        blt     2b
        mfcr    9
        rlwinm  9, 9, 20, 20, 31
        cmpw    9, 21
        bne     3f
        cmpw    20, 21
        bne     3f
        cmpwi   21, 200
        blt     1b
        lis     5, good@h
        ori     5, 5, good@l
        b       4f
3:      lis     5, bad@h
        ori     5, 5, bad@l
4:
{say}
good:   .asciz  "holes: PASS\\r\\n"
bad:    .asciz  "holes: FAIL not one machine check for one access\\r\\n"
"""

PARTITIONS = """
[product]
name = "buserror"
[schedule]
quantum_us = 100
[[vm]]
name = "holes"
image = "{image}"
memory = "64K"
console = "shared"
devices = ["leds"]
[[vm]]
name = "nbr"
image = "neighbour.elf"
memory = "1M"
console = "shared"
"""


def image_of(images, tmp_path, access):
    """The image of a guest that does this 200 times, beside a neighbour."""
    images.guests()
    guest = rawguest.build(tmp_path, "holes", GUEST.format(access=access, say=rawguest.SAY))
    (tmp_path / "partitions.toml").write_text(PARTITIONS.format(image=guest))
    return images.elf("hostile", f"CONFIG_TLB_VIRT=n CONFIG_STATS=n {conftest.FREE}", tmp_path / "partitions.toml",
                      f"build/buserror/{tmp_path.name}")


def check(result, case):
    """One machine check for each, and the neighbour has not noticed."""
    assert not list(result.trouble()), case
    assert result.vms["holes"].lines[-1] == "holes: PASS", (case, result.vms["holes"].lines)
    assert result.vms["nbr"].lines[-1].startswith("neighbour: PASS"), case


@pytest.mark.parametrize("access", ["stw 3, 0(22)", "lwz 3, 4(22)"], ids=["store", "load"])
def test_it_is_the_guests_own(images, tmp_path, access):
    """Whatever the delay: in the guest, on the hot road, in C. The other VM goes on."""
    images = images.on("raptor")
    image = image_of(images, tmp_path, access)
    for delay in (0, 3, 12, 30, 100, 300, 1000):
        result = images.run(image=image, timeout=60, until=run.all_decided(["holes", "nbr"]),
                            extra=["-global", f"powerpc-cpu.bus-error-delay={delay}"])
        check(result, delay)


def test_misaligned_and_missed(images, tmp_path):
    """Erratum 51: the machine's vector 0x1700 is the data TLB miss' road. Without the key `errata` of the board there are constants."""
    images = images.on("raptor")
    image = image_of(images, tmp_path, "lis 23, 0x2000; ori 23, 23, 1; lwarx 3, 0, 23")
    check(images.run(image=image, timeout=60, until=run.all_decided(["holes", "nbr"]), extra=["-global", "powerpc-cpu.erratum-51=on"]),
          "erratum 51")
