"""The twin test: one guest bare on QEMU and as a VM, every recorded result compared."""

import elfpatch
import pytest
import run
import twin_compare

COUNTED, REAL_TIME = 1, 2       # twin_select of tests/guests/twin/twin.h


@pytest.fixture(scope="module")
def bare(guests, tmp_path_factory):
    """Lines of the two bare runs: most under -icount, the rest (where QEMU aborts under it) without."""
    folder = tmp_path_factory.mktemp("twin")
    lines = []
    for select in (COUNTED, REAL_TIME):
        image = elfpatch.patched_image(f"{guests}/twin.elf", folder / f"twin{select}.elf", f"{guests}/twin.elf",
                                       twin_select=select)
        result = run.run(image=image, timeout=120, icount=select == COUNTED)
        assert not list(result.trouble())
        assert result.as_bare("twin").verdict == "PASS", result.lines[-3:]
        lines += result.lines
    return lines


@pytest.fixture(scope="module", params=["elf", "rom"])
def virtual(request, images):
    """The same guest as a VM, with another one beside it."""
    if request.param == "elf":
        return run.run(image=images.elf("twin"), timeout=300)
    return run.run(rom=images.rom("twin"), timeout=300)


def test_runs_to_its_end(virtual):
    """Both VMs end with PASS."""
    assert not list(virtual.trouble())
    assert virtual.vms["twin"].verdict == "PASS", [line for line in virtual.vms["twin"].lines if line.endswith("!")]
    assert virtual.vms["beside"].verdict == "PASS", virtual.vms["beside"].lines[-3:]


def test_same_results(bare, virtual):
    """Each difference has its line, with a reason, in twin_expected_differences.txt."""
    rules = twin_compare.read_rules()
    unexpected = list(twin_compare.compare(bare, virtual.vms["twin"].lines, rules))
    assert not unexpected, f"{len(unexpected)} unexpected differences:\n" + "\n".join(unexpected)


def test_same_results_with_devices_of_its_own(bare, images):
    """Product `direct`: the guest owns the UART, whose interrupts come through the board's controller and the router."""
    result = run.run(image=images.elf("direct"), timeout=300)
    lines = [line for line in result.lines if not line.startswith("[proteus] ")]
    assert result.as_bare("twin").verdict == "PASS", lines[-3:]
    for probe, vector in (("uart.thre.interrupt", "0500"), ("uart.thre.critical", "0100")):
        assert any(line.startswith(f"{probe} v={vector} ") for line in lines), probe
    unexpected = list(twin_compare.compare(bare, lines, twin_compare.read_rules()))
    assert not unexpected, f"{len(unexpected)} unexpected differences:\n" + "\n".join(unexpected)


def test_walks_everything(bare):
    """Every row of isa.def and spr.def, and each exception class that can be raised, has left lines."""
    names = {name.split(".")[0] + "." + name.split(".")[1] for name in twin_compare.probes(bare) if "." in name}
    for path, group in (("config/isa.def", ("isa.", "tlb.")), ("config/spr.def", ("spr.",))):
        for row in rows(path):
            assert any(prefix + row in names for prefix in group), f"{path}: no probe of {row}"
    vectors = {line.split(" v=")[1][:4] for line in bare if " v=" in line}
    assert {"0100", "0500", "0600", "0700", "0C00", "1000"} <= vectors


def rows(path):
    """First fields of the rows of a .def file."""
    import conftest
    import re
    with open(f"{conftest.ROOT}/{path}", encoding="utf-8") as stream:
        text = re.sub(r"/\*.*?\*/", "", stream.read(), flags=re.S)
    found = re.findall(r"^[A-Z_]+\((\w+),", text, flags=re.M)
    assert found
    return found


def test_a_wrong_value_is_found(bare):
    """The comparison can fail: one digit, one missing line, one line too many."""
    victim = next(line for line in bare if line.startswith("spr.sgr.5A5A5A5A "))
    rules = twin_compare.read_rules()
    changed = [line.replace("r4=5A5A5A5A", "r4=5A5A5A5B") if line == victim else line for line in bare]
    assert [text.split(":")[0] for text in twin_compare.compare(bare, changed, rules)] == ["spr.sgr.5A5A5A5A"]
    assert len(list(twin_compare.compare(bare, [line for line in bare if line != victim], rules))) == 1
    assert len(list(twin_compare.compare(bare, bare + ["spr.none.0 r4=00000000"], rules))) == 1


def test_a_mask_allows_no_more(bare):
    """A rule for some bits of a field does not excuse the others."""
    victim = next(line for line in bare if line.startswith("sync.sc.m00001000 "))
    rules = twin_compare.read_rules()
    for value, unexpected in (("m=00021000", 0), ("m=00005000", 1)):
        changed = [line.replace("m=00001000", value) if line == victim else line for line in bare]
        assert len(list(twin_compare.compare(bare, changed, rules))) == unexpected
