"""The on-chip page of the PPC405EP: devices of it that a VM has, those that nobody has, and what is said of them."""

import re

import pytest

PARTITIONS = """
[product]
name = "pages"
"""
VM = """
[[vm]]
name = "{name}"
image = "pagetest.elf"
memory = "64K"
console = "shared"
{keys}
"""
HAS = "iic 0000A55A gpt 10000000 40000000 00000010 uart1 00000000"    # of a compare value QEMU keeps five bits
HAS_NOT = "iic 00000000 gpt 00000000 00000000 00000000 uart1 00000000"
NOTE = re.compile(r"note (\w+) pc=[0-9a-f]{8} insn=[0-9a-f]{8}: nobody answers at ([0-9a-f]{8})")


def run(images, folder, **keys):
    """Run VMs with these lines of the partition file."""
    partitions = folder / f"pages_{'_'.join(keys)}.toml"
    partitions.write_text(PARTITIONS + "".join(VM.format(name=name, keys=text) for name, text in keys.items()), encoding="utf-8")
    return images.run(image=images.elf("echo", "CONFIG_FORWARD=y", str(partitions)), timeout=60)


def said(lines):
    """What the guest says, behind its name."""
    return [line.split(": ", 1)[1] for line in lines if line.startswith("pagetest: ")]


def notes(result):
    """{VM: address} of the hypervisor's notes; each VM has one at most."""
    found = [NOTE.fullmatch(line).groups() for line in result.hypervisor if line.startswith("note ")]
    assert len(dict(found)) == len(found)
    return dict(found)


def test_bare(images):
    """The guest's own measure."""
    images.guests()
    result = images.run(image=images.guest("pagetest"), timeout=60)
    assert said(result.lines) == [HAS, HAS, "PASS"]


@pytest.mark.parametrize("with_neighbour", [False, True], ids=["alone", "neighbour"])
def test_forwarded(images, tmp_path, with_neighbour):
    """The owner has what the bare board has, while another one stores to the same addresses, which are nobody's for it."""
    others = {"other": ""} if with_neighbour else {}
    result = run(images, tmp_path, owner='forward = ["iic0", { device = "gpt0", offset = 0x80, size = 0x10 }]', **others)
    assert said(result.vms["owner"].lines) == [HAS, HAS, "PASS"]
    assert notes(result) == {"owner": "ef600401", **dict.fromkeys(others, "ef600401")}
    if with_neighbour:
        assert said(result.vms["other"].lines) == [HAS_NOT, HAS_NOT, "PASS"]
        assert result.vms["other"].stats["unanswered"] == 17    # every one of them
        assert result.vms["owner"].stats["unanswered"] == 3


def test_checked(images, tmp_path):
    """absent = "check": the board's machine check, at the first of them."""
    result = run(images, tmp_path, checked='absent = "check"')
    assert said(result.vms["checked"].lines) == ["FAIL exception 00000200"]
    assert notes(result) == {"checked": "ef600401"}
