"""Rows of the tables that only the assembler handles: each has probes in the twin run, which counts them, and is listed
in build/coverage/system-twin.txt for tests/coverage.py when all of its results are those of the bare machine."""

import os

import conftest
import pytest
import test_twin
import twin_compare

bare_on, both = test_twin.bare_on, test_twin.both     # its fixtures

LIST = os.path.join(conftest.ROOT, "build", "coverage", "system-twin.txt")
# Counter: the probes that make it count, by the beginning of their names.
COUNTERS = {"mfspr": "isa.mfspr", "mtspr": "isa.mtspr", "mfmsr": "isa.mfmsr", "mtmsr": "isa.mtmsr", "wrteei": "isa.wrteei",
            "wrtee": "isa.wrtee.", "rfi": "isa.rfi", "nop": "isa.dccci", "sc": "sync.sc", "program": "sync.", "irq": "ext.",
            "pit": "pit."}


@pytest.fixture(scope="module")
def listed():
    """A function that adds a row to the list; the list starts empty."""
    os.makedirs(os.path.dirname(LIST), exist_ok=True)
    if os.path.exists(LIST):
        os.remove(LIST)

    def add(name):
        with open(LIST, "a", encoding="utf-8") as file:
            file.write(name + "\n")
    return add


@pytest.fixture(scope="module")
def different(both):
    """Names of the probes whose result is another one as a VM."""
    bare, virtual, rules = both
    lines = twin_compare.compare(bare, virtual.vms["twin"].lines, rules)
    return {line.split(":")[0].split()[0] for line in lines}


@pytest.mark.parametrize("row", test_twin.rows("config/isa.def"))
def test_instruction(row, both, different, listed):
    """Probes of the row in supervisor and in user state, with the bare machine's results."""
    names = set(twin_compare.probes(both[1].vms["twin"].lines))
    probes = {name for name in names if name.split(".")[:2] in (["isa", row], ["tlb", row])}
    assert any(name.endswith(".u") for name in probes), f"no probe of {row} in user state"
    assert any(not name.endswith(".u") for name in probes), f"no probe of {row} in supervisor state"
    assert not probes & different
    listed(f"isa.{row}")


@pytest.mark.parametrize("row", sorted(COUNTERS))
def test_counter(row, both, listed):
    """The counter has seen at least the probes that are there for it, and the other VM has one of its own."""
    vms = both[1].vms
    names = [name for name in twin_compare.probes(vms["twin"].lines) if name.startswith(COUNTERS[row])]
    supervisor = [name for name in names if not name.endswith(".u")]
    assert len(supervisor) > 0
    if row not in ("irq", "pit"):
        assert vms["twin"].stats[row] >= len(supervisor)
    assert vms["twin"].stats[row] > 0
    assert vms["twin"].stats.get(row) != vms["beside"].stats.get(row)
    listed(f"stat.{row}")
