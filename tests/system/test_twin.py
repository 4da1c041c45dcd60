"""The twin test: one guest bare on QEMU and as a VM, every recorded result compared, on every board."""

import functools
import os

import conftest
import elfpatch
import pytest
import twin_compare

COUNTED, REAL_TIME, TRANSLATE, RANDOM = 1, 2, 4, 8  # twin_select of tests/guests/twin/twin.h
ALL = COUNTED | REAL_TIME | TRANSLATE


def run_bare(images, folder, select, **words):
    """Lines of the guest bare; what the distribution's QEMU does not support under -icount is selected alone, and runs without.
    The patched QEMU is asked for machine checks where nobody answers, which a VM gets at once."""
    twin = os.path.join(images.guests(), "twin.elf")
    image = elfpatch.patched_image(twin, folder / f"twin{select}.elf", twin, twin_select=select, **words)
    patched = images.mended
    result = images.run(image=image, timeout=120, icount=patched or not select & REAL_TIME,
                        extra=["-global", "powerpc-cpu.bus-error-delay=0"] if patched else ())
    assert not list(result.trouble())
    assert result.as_bare("twin").verdict == "PASS", result.lines[-3:]
    return result.lines


def run_virtual(images, folder, rom=False, **words):
    """The same guest as a VM, with another one beside it."""
    image = images.rom("twin") if rom else images.elf("twin")
    target = elfpatch.patched_image(image, folder / "image", images.guest("twin"), **words)
    return images.run(image=None if rom else target, rom=target if rom else None, timeout=300)


def rules_of(images, tlb=True):
    """The differences that are expected of a board: there is a list for each QEMU."""
    path = twin_compare.LIST_OURS if images.mended else twin_compare.LIST
    return twin_compare.read_rules(path, tlb, uic=images.board == "ref405ep")


@functools.lru_cache(maxsize=None)      # for test_rows.py as well
def bare_lines(images, folder):
    """Lines of the bare runs: on the distribution's QEMU most under -icount, the rest (which it does not support so) without."""
    parts = (ALL,) if images.mended else (COUNTED | TRANSLATE, REAL_TIME | TRANSLATE)
    return [line for select in parts for line in run_bare(images, folder, select)]


@functools.lru_cache(maxsize=None)
def virtual_run(images, folder, kind):
    """The run of everything as a VM."""
    return run_virtual(images, folder, kind == "rom", twin_select=ALL)


@pytest.fixture(scope="module")
def bare_on(images, folder):
    """Lines of the bare runs on a board."""
    return lambda board: bare_lines(images.on(board), folder)


@pytest.fixture(scope="module", params=["ref405ep elf", "ref405ep rom", "ml403 elf", "ml403dcr elf", "raptor elf"])
def both(request, images, bare_on, folder):
    """(lines bare, the run as a VM, the rules) of a board."""
    board, kind = request.param.split()
    return bare_on(board), virtual_run(images.on(board), folder, kind), rules_of(images.on(board))


@pytest.fixture(scope="module")
def bare(bare_on):
    """Lines of the bare runs on ref405ep."""
    return bare_on("ref405ep")


def test_runs_to_its_end(both):
    """Both VMs end with PASS."""
    virtual = both[1]
    assert not list(virtual.trouble())
    assert virtual.vms["twin"].verdict == "PASS", [line for line in virtual.vms["twin"].lines if line.endswith("!")]
    assert virtual.vms["beside"].verdict == "PASS", virtual.vms["beside"].lines[-3:]


def test_same_results(both):
    """Each difference has its line, with a reason, in the list of the board's QEMU."""
    bare, virtual, rules = both
    unexpected = list(twin_compare.compare(bare, virtual.vms["twin"].lines, rules))
    assert not unexpected, f"{len(unexpected)} unexpected differences:\n" + "\n".join(unexpected)


@pytest.mark.parametrize("board, seed", [("ref405ep", 2), ("ref405ep", 3), ("ref405ep", 4), ("ref405ep", 5), ("ml403", 6),
                                         ("ml403", 7), ("ml403", 8), ("raptor", 9)])
def test_same_results_of_random_translations(images, tmp_path, board, seed):
    """Other random entries, rights, PIDs and accesses; on Virtex with pages of 1 KiB."""
    mine = images.on(board)
    bare = run_bare(mine, tmp_path, RANDOM, twin_seed=seed)
    result = run_virtual(mine, tmp_path, twin_select=RANDOM, twin_seed=seed)
    assert result.vms["twin"].verdict == "PASS"
    assert len(twin_compare.probes(bare)) > 1000
    unexpected = [text for text in twin_compare.compare(bare, result.vms["twin"].lines, rules_of(mine))
                  if not text.endswith("hint: take the rule out")]
    assert not unexpected, f"{len(unexpected)} unexpected differences:\n" + "\n".join(unexpected)


def own_uart(folder, board):
    """More arguments of Images.elf for product `direct`: where the UART has another name, a partition file with that."""
    if board != "raptor":
        return ()
    with open(f"{conftest.ROOT}/config/direct/partitions.toml", encoding="utf-8") as file:
        (folder / "partitions.toml").write_text(file.read().replace('"uart0"', '"uartlite"'), encoding="utf-8")
    return "", str(folder / "partitions.toml")


@pytest.mark.parametrize("board", ["ref405ep", "ml403", "ml403dcr", "raptor"])
def test_same_results_with_devices_of_its_own(bare_on, images, tmp_path, board):
    """Product `direct`: the guest owns the UART, whose interrupts come through the board's controller; no option TLB_VIRT."""
    images, bare = images.on(board), bare_on(board)
    result = images.run(image=images.elf("direct", *own_uart(tmp_path, board)), timeout=300)
    lines = [line for line in result.lines if not line.startswith("[proteus] ")]
    assert result.as_bare("twin").verdict == "PASS", lines[-3:]
    probe = "uart.sent.interrupt" if board == "raptor" else "uart.thre.interrupt"
    critical = [("uart.thre.critical", "0100")] if board == "ref405ep" else []      # Virtex has no critical input
    for probe, vector in [(probe, "0500"), *critical]:
        assert any(line.startswith(f"{probe} v={vector} ") for line in lines), probe
    bare = [line for line in bare if not line.startswith("mmu.")]
    unexpected = list(twin_compare.compare(bare, lines, rules_of(images, tlb=False)))
    assert not unexpected, f"{len(unexpected)} unexpected differences:\n" + "\n".join(unexpected)


@pytest.mark.parametrize("board", ["ref405ep", "ml403", "raptor"])
def test_walks_everything(images, bare_on, board):
    """Every row of isa.def and spr.def, and each exception class that can be raised, has left lines."""
    bare = bare_on(board)
    names = {name.split(".")[0] + "." + name.split(".")[1] for name in twin_compare.probes(bare) if "." in name}
    for path, group in (("config/isa.def", ("isa.", "tlb.")), ("config/spr.def", ("spr.",))):
        for row in rows(path):
            assert any(prefix + row in names for prefix in group), f"{path}: no probe of {row}"
    vectors = {line.split(" v=")[1][:4] for line in bare if " v=" in line}
    assert {"0300", "0400", "0500", "0600", "0700", "0C00", "1000", "1100", "1200"} <= vectors
    # Virtex has no critical input; the distribution's QEMU no FIT, and a watchdog that does not go by time
    assert ({"0100"} if board == "ref405ep" else set()) | ({"1010", "1020"} if images.on(board).mended else set()) <= vectors


def test_translated_walk_is_worth_it(bare):
    """The random accesses come to every end, the small kernel has had each of its interrupts, and is not out of order."""
    lines = twin_compare.probes(bare)
    ends = {line.split(" v=")[1][:4] for name, line in lines.items() if name.startswith("mmu.random.") and " v=" in line}
    assert ends == {"0300", "0400", "0C00", "1100", "1200"}
    assert {name.split(".")[2] for name in lines if name.startswith("mmu.zone.")} == {f"{zone:02X}" for zone in range(16)}
    for name, line in lines.items():
        if name.startswith("mmu.kernel.") and name.endswith(".counts"):
            counts = twin_compare.fields_of(line)
            assert counts["bad"] == 0, line
            assert all(counts[kind] for kind in ("fetch", "data", "first", "call")), line
            assert bool(counts["timer"]) == (".timer." in name), line
    assert any(twin_compare.fields_of(line)["nested"] for name, line in lines.items() if name.endswith(".counts"))


def rows(path):
    """First fields of the rows of a .def file."""
    import re
    with open(f"{conftest.ROOT}/{path}", encoding="utf-8") as stream:
        text = re.sub(r"/\*.*?\*/", "", stream.read(), flags=re.S)
    found = re.findall(r"^[A-Z_]+\((\w+),", text, flags=re.M)
    assert found
    return found


def test_a_wrong_value_is_found(images, bare):
    """The comparison can fail: one digit, one missing line, one line too many."""
    victim = next(line for line in bare if line.startswith("spr.sgr.5A5A5A5A "))
    rules = rules_of(images)
    changed = [line.replace("r4=5A5A5A5A", "r4=5A5A5A5B") if line == victim else line for line in bare]
    assert [text.split(":")[0] for text in twin_compare.compare(bare, changed, rules)] == ["spr.sgr.5A5A5A5A"]
    assert len(list(twin_compare.compare(bare, [line for line in bare if line != victim], rules))) == 1
    assert len(list(twin_compare.compare(bare, bare + ["spr.none.0 r4=00000000"], rules))) == 1


def test_a_wrong_value_in_a_rule_is_found(images, bare):
    """A rule that says what the VM has to show excuses nothing else."""
    rules = rules_of(images)
    cases = [("mmu.op.dcbi.miss.sid ", " d=", " e=00800000 d=", " e=00400000 d=")]
    cases += [] if images.mended else [("mmu.tlbre.u0 ", "r4=400000C0", "r4=400000D0", "r4=400000E0")]
    for probe, old, right, wrong in cases:
        victim = next(line for line in bare if line.startswith(probe))
        for new, unexpected in ((right, 0), (wrong, 1)):
            changed = [line.replace(old, new) if line == victim else line for line in bare]
            assert len(list(twin_compare.compare(bare, changed, rules))) == unexpected


def test_a_mask_allows_no_more(images, bare):
    """A rule for some bits of a field does not excuse the others."""
    victim = next(line for line in bare if line.startswith("sync.sc.m00001000 "))
    rules = rules_of(images)
    for value, unexpected in (("m=02001000" if images.mended else "m=00021000", 0), ("m=00005000", 1)):
        changed = [line.replace("m=00001000", value) if line == victim else line for line in bare]
        assert len(list(twin_compare.compare(bare, changed, rules))) == unexpected
