"""Hypercalls, register pages and pre-virtualization on the real image: product `hybridtest`.

Its guest has a role in each VM: `hybrid` and `moved` (register pages elsewhere) do what the test asks for by hybrid_select;
`again` starts several times, with a table; `plain` has nothing, `mute` no console, `busy` computes, and `nbr` checks that
nothing happens to it. Each that has passed ends by a fetch at END.
"""

import json
import os
import re

import conftest
import elfpatch
import image as image_files
import machine
import pack
import pytest
import run
import vmstate
from elftools.elf.elffile import ELFFile

CALLS, PROPERTY, HOSTILE, TYPE = 1, 4, 8, 16    # hybrid_select of tests/guests/hybrid/hybridtest.c
END = r"pc=feed0000 lr=[0-9a-f]{8}: fetch outside its memory"       # lr: where it jumped
TESTED = ("hybrid", "moved")
OTHERS = ("again", "plain", "busy", "nbr")      # `mute` cannot say PASS
OPTIONS = {"all": "", "no_watchdog": "CONFIG_FIT_WATCHDOG=n CONFIG_STATS=n", "no_uic": "CONFIG_UIC=n", "no_intc": "CONFIG_INTC=n",
           "no_services": "CONFIG_SERVICES=n CONFIG_DRIVERS=n"}
FIRST, VIRTEX = conftest.FIRST, ("ml403", "ml403dcr", "raptor")
LIST = os.path.join(conftest.ROOT, "build", "coverage", "system-hybrid.txt")


def patched(images, folder, target, **words):
    """A copy of an image with words of the hybrid guest (both of its builds) set; the neighbour checks for 300 ms."""
    image = str(folder / "image")
    elfpatch.patched_image(target, image, images.guest("hybridtest"), **words)
    elfpatch.patched_image(image, image, images.guest("hybridmoved"), **words)
    return elfpatch.patched_image(image, image, images.guest("neighbour"), neighbour_ms=words.get("hybrid_busy_ms", 300))


def start(images, image, **options):
    """Run an image, ELF or ROM, on the board that it is for."""
    with open(image, "rb") as file:
        kind = "image" if file.read(4) == b"\x7fELF" else "rom"
    return images.run(**{kind: image}, timeout=120, **options)


def check_others(result, names=OTHERS):
    """These VMs pass, and the hypervisor says no more than that they have ended."""
    assert not list(result.trouble())
    for name in names:
        assert result.vms[name].verdict == "PASS", result.vms[name].lines[-3:]
    assert result.untagged == []
    spoken = [line for line in result.hypervisor if not line.startswith(("stat ", "table ", "focus ", "note "))]
    assert sorted(line.split()[1] for line in spoken) == sorted(result.vms)
    for line in spoken:
        name = line.split()[1]
        if name != "nbr" and (name in names or name == "mute"):
            assert re.fullmatch(f"stop {name} {END}", line), line


def lines(vm, beginning):
    """What follows the beginning in the lines that have it."""
    return [line[len(beginning):] for line in vm.lines if line.startswith(beginning)]


@pytest.fixture(scope="module")
def listed():
    """A function that adds rows to the list for tests/coverage.py; the list starts empty."""
    os.makedirs(os.path.dirname(LIST), exist_ok=True)
    names = set()
    with open(LIST, "w", encoding="utf-8") as file:
        yield lambda more: [file.write(name + "\n") for name in sorted(set(more) - names) if not names.add(name)]


def hypercall_rows():
    """Rows of hypercalls.def that this guest tests: those of TLB_CALLS, LIFECYCLE and IPCM_CALLS have others."""
    with open(os.path.join(conftest.ROOT, "hypercalls", "hypercalls.def"), encoding="utf-8") as file:
        return {f"hcall.{name}" for name in re.findall(r"^HCALL\((\w+),(?!.*(?:TLB_CALLS|LIFECYCLE|IPCM_CALLS))", file.read(), re.M)}


@pytest.mark.parametrize("board, options", [*((FIRST, name) for name in OPTIONS if name != "no_intc"),
                                            *((board, "all") for board in VIRTEX), ("ml403", "no_intc")])
def test_calls(images, tmp_path, listed, board, options):
    """Each call's success and each of its errors, with every register compared; what an option takes away is unknown."""
    images = images.on(board)
    image = images.elf("hybridtest", OPTIONS[options])
    result = start(images, patched(images, tmp_path, image, hybrid_select=CALLS, hybrid_seed=len(options)))
    check_others(result, TESTED + OTHERS)
    for name in TESTED:
        assert int(lines(result.vms[name], "hybrid: calls ")[0]) >= (400 if options == "all" else 200)
    rows = set(lines(result.vms["hybrid"], "hybrid: row "))
    if options == "all":
        assert rows >= hypercall_rows() - {"hcall.console_read"} - ({"hcall.uic_set"} if board != FIRST else set())
        listed(rows)


@pytest.mark.parametrize("board", [FIRST, "raptor"])
def test_typed(images, tmp_path, listed, board):
    """console_read brings what is typed, to the VM that has the focus."""
    images = images.on(board)
    image = patched(images, tmp_path, images.elf("hybridtest"), hybrid_select=TYPE)
    steps = [("wait", r"\[hybrid\] hybrid: type"), ("send", "hello, 405\\r"), ("wait", r"typed hello, 405\n"),
             ("send", "\\x1d3"), ("send", "moved, too\\r")]
    result = start(images, image, script=[run.Step(number, *step) for number, step in enumerate(steps, 1)])
    check_others(result, TESTED + OTHERS)
    assert lines(result.vms["hybrid"], "hybrid: typed ") == ["hello, 405"]
    assert lines(result.vms["moved"], "hybrid: typed ") == ["moved, too"]
    listed(lines(result.vms["hybrid"], "hybrid: row "))


def figures_of(vm):
    """The figures of the property test."""
    found = lines(vm, "hybrid: property ")
    assert len(found) == 1, vm.lines[-3:]
    return {key: int(value) for key, value in re.findall(r"(\w+)=(\d+)", found[0])}


@pytest.mark.parametrize("board, seed, options", [(FIRST, 1, "all"), (FIRST, 2, "all"), (FIRST, 3, "no_watchdog"),
                                                  ("ml403", 4, "all"), ("raptor", 5, "no_watchdog")])
def test_property(images, tmp_path, board, seed, options):
    """Trapped, mapped and called accesses agree at random; interrupts are taken once each."""
    images = images.on(board)
    image = images.elf("hybridtest", OPTIONS[options])
    result = start(images, patched(images, tmp_path, image, hybrid_seed=seed, hybrid_select=PROPERTY))
    check_others(result, TESTED + OTHERS)
    for name in TESTED:
        figures = figures_of(result.vms[name])
        assert figures["steps"] >= 100000 and figures["interrupts"] >= 1000 and figures["lazy"] >= 100


def table_rows(images, image):
    """The rows of the table of VM `again` as the image has them."""
    with open(os.path.join(os.path.dirname(image), "gen", "partitions.json"), encoding="utf-8") as file:
        flags = next(vm["flags"] for vm in json.load(file)["vms"] if vm["name"] == "again")
    with open(images.guest("hybridtest"), "rb") as file:
        data = ELFFile(file).get_section_by_name(pack.TABLE_SECTION).data()
    return pack.patch_rows(data, flags)


def check_lives(result, count=5):
    """VM `again` has started so many times, each time with the same image."""
    lives = [line.split() for line in lines(result.vms["again"], "again: life ")]
    assert [int(words[0]) for words in lives] == list(range(1, count + 1))
    assert len({words[2] for words in lives}) == 1


@pytest.mark.parametrize("board, rom", [(FIRST, False), (FIRST, True), *((board, False) for board in VIRTEX)])
def test_again(images, tmp_path, board, rom):
    """A good table is applied at each start; nothing of a life is left in the next one."""
    images = images.on(board)
    image = images.rom("hybridtest") if rom else images.elf("hybridtest")
    result = start(images, patched(images, tmp_path, image, hybrid_select=0, hybrid_busy_ms=20))
    check_others(result)
    check_lives(result)
    assert not [line for line in result.hypervisor if line.startswith("table ")]


def test_again_without_watchdog(images, tmp_path):
    """The same where TSR is a word of the page, and the table has entries for it."""
    image = images.elf("hybridtest", OPTIONS["no_watchdog"])
    assert len(table_rows(images, image)) > len(table_rows(images, images.elf("hybridtest")))
    result = start(images, patched(images, tmp_path, image, hybrid_select=0, hybrid_busy_ms=20))
    check_others(result)
    check_lives(result, 3)


RANGE, WORD = (5, "outside the VM's memory"), (6, "the code is another one")
BAD = {"first": (0, lambda row: (row[0], row[1] ^ 1, row[2]), WORD),
       "last": (-1, lambda row: (row[0], row[2], row[1]), WORD),
       "page": (3, lambda row: (0xFFFFF000 - 124, *row[1:]), RANGE),
       "unaligned": (5, lambda row: (row[0] | 2, *row[1:]), RANGE),
       "behind": (8, lambda row: (0x100000, 0, row[2]), RANGE),
       "twice": (12, lambda row: (row[0] - 4, *row[1:]), WORD),
       "far": (20, lambda row: (0x80000000, 0, row[2]), RANGE)}


@pytest.mark.parametrize("case, rom", [*((case, False) for case in BAD), ("last", True)])
def test_bad_table(images, tmp_path, case, rom):
    """A row that cannot be is named in one message, however often the guest starts; it runs unpatched and correct."""
    image = images.rom("hybridtest") if rom else images.elf("hybridtest")
    rows = table_rows(images, image)
    number, change, (reason, text) = BAD[case]
    number %= len(rows)
    target = patched(images, tmp_path, image, hybrid_select=0, hybrid_busy_ms=20, hybrid_sites=0,
                     hybrid_refused=1 << 31 | reason << 16 | number)
    result = start(images, elfpatch.patched_rows(target, target, rows, {number: change(rows[number])}))
    check_others(result)
    check_lives(result)
    refused = [line for line in result.hypervisor if line.startswith("table ")]
    assert refused == [f"table again word {number} refused, runs unpatched: {text}"]


def test_partly_patched(images, tmp_path):
    """Entries that change nothing: these sites trap, the others do not."""
    image = images.elf("hybridtest")
    rows = table_rows(images, image)
    left = {1: 1, 4: 5}         # site of sites.S: words
    first = {site: next(n for n, row in enumerate(rows) if row[1] == old) for site, old in ((1, 0x7C7242A6), (4, 0x7C008146))}
    same = {n: (rows[n][0], rows[n][1], rows[n][1]) for site in left for n in range(first[site], first[site] + left[site])}
    target = patched(images, tmp_path, image, hybrid_select=0, hybrid_busy_ms=20,
                     hybrid_sites=0xFF & ~sum(1 << site for site in left))
    result = start(images, elfpatch.patched_rows(target, target, rows, same))
    check_others(result)
    check_lives(result)


def actions_of(result, name):
    """(actions of the hostile role over all its lives, times it has started)"""
    counts = [int(text, 16) for text in lines(result.vms[name], "hybrid: actions ")]
    starts = sum(line.endswith("hybrid: hostile") for line in result.vms[name].lines)
    return sum(now - last if now > last else now for last, now in zip([0, *counts], counts)), starts


@pytest.mark.parametrize("board, seed, reckless, options", [
    (FIRST, 1, 0, "all"), (FIRST, 2, 0, "all"), (FIRST, 3, 0, "no_watchdog"), (FIRST, 4, 1, "all"), (FIRST, 5, 1, "all"),
    (FIRST, 6, 1, "all"), (FIRST, 7, 1, "no_watchdog"), ("ml403", 8, 0, "all"), ("ml403", 9, 1, "all"),
    ("ml403dcr", 10, 0, "all"), ("raptor", 11, 1, "all")])
def test_hostile(images, tmp_path, board, seed, reckless, options):
    """Two VMs do all they can by hypercalls and pages: all the others pass, and the hypervisor says nothing of it."""
    images = images.on(board)
    image = patched(images, tmp_path, images.elf("hybridtest", OPTIONS[options]), hybrid_select=HOSTILE, hybrid_seed=seed,
                    hybrid_reckless=reckless, hybrid_busy_ms=200)
    started = {}

    def look(_result, monitor):
        built = images.elf("hybridtest", OPTIONS[options])
        states = vmstate.look(monitor, image_files.of_run(built, None), machine.read_table(built)[1], os.path.dirname(built),
                              "hybridtest")
        started.update((state.name, state.stats["starts"]) for state in states if state.stats)
    result = start(images, image, until=run.all_decided(OTHERS), look=look)
    assert not list(result.trouble())
    for name in OTHERS:
        assert result.vms[name].verdict == "PASS", result.vms[name].lines[-3:]
    check_lives(result, 3 if options == "no_watchdog" else 5)
    assert result.untagged == []
    spoken = [line for line in result.hypervisor if not line.startswith(("stat ", "note "))]
    assert all(re.match(r"stop (hybrid|moved|again|plain|mute|busy|nbr) ", line) for line in spoken), spoken
    assert len(spoken) == len({line.split()[1] for line in spoken})
    assert any(re.fullmatch(f"stop mute {END}", line) for line in spoken)
    for name in TESTED:
        count, starts = actions_of(result, name)
        assert options != "all" or started[name] - starts in (0, 1), (name, starts, started)    # the last may not have said so yet
        assert starts >= 1 and (reckless or count >= (256 if options == "all" else 32)), (name, count, starts)
