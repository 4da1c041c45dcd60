"""TLB entries by hypercall, in the real image with register pages, and with every entry of the machine's TLB looked at."""

import pytest
from conftest import FREE

PARTITIONS = """
[product]
name = "tlbcalls"
[schedule]
quantum_us = 100
[[vm]]
name = "calls"
image = "tlbcalls.elf"
memory = "1M"
console = "shared"
paravirt = true
irfm = true
regs = { r3 = SEED }
[[vm]]
name = "more"
image = "tlbcalls.elf"
memory = "1M"
console = "shared"
paravirt = true
regs = { r3 = 0x1234567 }
"""
OPTIONS = f"CONFIG_PARAVIRT=y CONFIG_IRFM=y CONFIG_TLB_VIRT=y CONFIG_TLB_CHECK=y {FREE}"


@pytest.mark.parametrize("board, seed", [("ref405ep", 1), ("ml403", 2)])
def test_entries_by_call(images, tmp_path, board, seed):
    """As by tlbwe, each error refused and nothing changed, memory through them: two VMs at once, 200 rounds each."""
    partitions = tmp_path / "tlbcalls.toml"
    partitions.write_text(PARTITIONS.replace("SEED", str(seed)), encoding="ascii")
    images = images.on(board)
    images.guests()
    result = images.run_decided(images.elf("hostile", OPTIONS, partitions), ["calls", "more"], 120)
    assert not list(result.trouble())
    assert {name: vm.lines for name, vm in result.vms.items()} == dict.fromkeys(("calls", "more"), ["tlbcalls: PASS errors=1200"])
