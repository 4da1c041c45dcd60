"""Edges, levels, polarity: what a guest sets for a line of its own holds, be it its virtual UART's or one of the board's.

Without -icount: QEMU 7.2 does not support an mtdcr that raises an interrupt under it.
"""

import pytest

PARTITIONS = """
[product]
name = "lines"

[[vm]]
name = "lines"
image = "linetest.elf"
memory = "64K"
"""
OWN = 'devices = ["uart0"]\ninterrupts = ["uart0"]\ndma = true\n'
VIRTUAL = 'console = "shared"\nregs = { r3 = 1 }\n'
KINDS = ["level 10", "edge 1", "acknowledged 0"]
POLARITY = ["falling edge 0", "low is active 1", "high is active 0"]


def said(result):
    """What the guest says, behind its name; of a VM with the UART itself between the hypervisor's own lines."""
    return [line.split(": ", 1)[1] for line in result.lines if line.removeprefix("[lines] ").startswith("linetest: ")]


def test_bare(images):
    """The guest's own measure: on the board, a level comes until it is disabled, an edge once."""
    images.guests()
    assert said(images.run(image=images.guest("linetest"), timeout=60)) == [*KINDS, "PASS"]


@pytest.mark.parametrize("kind, options, keys, expected", [
    ("own", "", OWN, [*KINDS, "PASS"]), ("virtual", "CONFIG_CONSOLE=y", VIRTUAL, [*KINDS, *POLARITY, "PASS"])])
def test_kind_of_a_line(images, tmp_path, kind, options, keys, expected):
    """The same of the board's UART that a VM owns, by the machine's controller, and of a virtual one."""
    partitions = tmp_path / f"lines_{kind}.toml"
    partitions.write_text(PARTITIONS + keys, encoding="utf-8")
    assert said(images.run(image=images.elf("direct", options, str(partitions)), timeout=60)) == expected
