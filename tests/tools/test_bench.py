#!/usr/bin/python3
"""Tests of tools/bench.py: decoding, the definition of each path, the judgement, and a run of test_plugin's toy."""

import json
import os
import shutil
import subprocess
import sys

import pytest

ROOT = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
sys.path[:0] = [os.path.join(ROOT, "tools"), os.path.dirname(os.path.abspath(__file__))]

import bench            # noqa: E402
import overheads        # noqa: E402
import test_plugin      # noqa: E402
from kconfig import InputError, run_tool    # noqa: E402

CONFIG = os.path.join(ROOT, "config")
MFSPR_SRR0, MTSPR_SPRG1, MTSPR_PIT, MFMSR, MTMSR = 0x7C9A02A6, 0x7C9143A6, 0x7C9BF3A6, 0x7C8000A6, 0x7C800124
WRTEE, WRTEEI_1, RFI, TLBWE, SC, LWZ = 0x7C800106, 0x7C008146, 0x4C000064, 0x7C851FA4, 0x44000002, 0x80E60000
ORI_R0 = 0x60000000
COLD = 0x2104       # an address: in C's part of the hypervisor
CALLS = {name: number for number, name in bench.Isa(CONFIG).calls.items()}


@pytest.fixture(scope="module", name="isa")
def fixture_isa():
    """The project's tables."""
    return bench.Isa(CONFIG)


def row(vector, word=0, outcome="next", came="one", to=None, to_vector=0, insns=10, count=1, before=0):
    """A row of the plugin's report."""
    return {"from": came, "vector": vector, "word": word, "before": before, "to": came if to is None else to, "outcome": outcome,
            "to_vector": to_vector, "count": count, "insns": {"min": insns, "max": insns, "sum": insns * count},
            "cycles": {"min": insns + 1, "max": insns + 2, "sum": (insns + 1) * count}, "histogram": [[insns, count]],
            "longest": [0x700]}


@pytest.mark.parametrize("word, decoded", [
    (MFSPR_SRR0, ("mfspr", "srr0")), (MTSPR_SPRG1, ("mtspr", "sprg1")), (MTSPR_PIT, ("mtspr", "pit")),
    (MFMSR, ("mfmsr", "")), (MTMSR, ("mtmsr", "")),
    (WRTEE, ("wrtee", "")), (WRTEEI_1, ("wrteei", "1")), (0x7C000146, ("wrteei", "0")),
    (RFI, ("rfi", "")), (TLBWE, ("tlbwe", "")), (0x7CA23286, ("mfdcr", "0x0c2")), (0x7C9F6AA6, ("mfspr", "0x1bf")),
    (0x60000000, (None, "")), (SC, (None, "")),
    (0x0FE00000, ("twi", "")),
])
def test_decode(isa, word, decoded):
    assert isa.decode(word) == decoded


def test_decode_of_the_pages_traps(isa):
    """twi 1, r3, ... with what hypercalls/abi.h says."""
    assert {isa.decode(0x0C230000 | value) for value in isa.traps} == {("twi", "check"), ("twi", "mode")}


PATH_ROWS = [
    (row(0x700, MFSPR_SRR0), "mfspr"),
    (row(0x700, 0x7C9BF2A6), None),                                      # mfspr pit: not PLAIN
    (row(0x700, 0x7C98F2A6), None),                                      # mfspr tsr: of time
    (row(0x700, 0x7C9C43A6), None),                                      # mtspr tbl: no word
    (row(0x700, MTSPR_SPRG1), "mtspr"),
    (row(0x700, MTSPR_PIT), None),
    (row(0x700, MTSPR_SPRG1, "vector", to_vector=0x700), None),          # in user mode: reflected
    (row(0x700, MFMSR), "mfmsr"),
    (row(0x700, MTMSR), "mtmsr"),
    (row(0x700, MTMSR, "idle", to="idle"), None),                        # MSR[WE]
    (row(0x700, MTMSR, "switch", to="two"), None),
    (row(0x700, MTMSR, "vector", to_vector=0x1000), None),               # an interrupt was waiting
    (row(0x700, WRTEE), "wrteei"),
    (row(0x700, WRTEEI_1), "wrteei"),
    (row(0x700, RFI, "jump"), "rfi"),
    (row(0x700, RFI, "retry"), "rfi"),
    (row(0x700, RFI, "vector", to_vector=0x1000), None),
    (row(0x700, RFI, "preempted", to="resuming"), None),
    (row(0xC00, SC, "vector", to_vector=0xC00), "sc_reflect"),
    (row(0xC00, SC, "vector", to_vector=0x1000), None),
    (row(0xC00, SC, before=ORI_R0), "hypercall"),
    (row(0xC00, SC, before=ORI_R0, to_vector=0xC00, outcome="vector"), "sc_reflect"),    # tag or not, it is its kernel's
    (row(0xC00, SC, before=ORI_R0, outcome="switch", to="two"), None),
    (row(0xC00, SC, before=0x38000000), None),                           # li r0, 0
    (row(0xC00, SC, before=ORI_R0 | CALLS["timer_set"]), "hcall_timer_set"),
    (row(0xC00, SC, before=ORI_R0 | CALLS["timer_set"], to_vector=0x1000, outcome="vector"), None),
    (row(0xC00, SC, before=ORI_R0 | CALLS["dcr_read"]), "hcall_dcr_read"),
    (row(0xC00, SC, before=ORI_R0 | CALLS["ipcm_connect"]), "ipcm_connect"),
    (row(0xC00, SC, "retry", before=ORI_R0 | CALLS["ipcm_connect"]), None),                  # it comes again
    (row(0xC00, SC, before=ORI_R0 | CALLS["ipcm_status"]), "ipcm_status"),
    (row(0xC00, SC, before=ORI_R0 | CALLS["ipcm_notify"]), "doorbell"),
    (row(0xC00, SC, "switch", to="two", before=ORI_R0 | CALLS["ipcm_notify"]), None),
    (row(0xC00, SC, before=ORI_R0 | CALLS["ipcm_close"]), "hcall_ipcm_close"),
    (row(0xC00, SC, "jump", before=ORI_R0 | CALLS["rfi"]), "hcall_rfi"),
    (row(0xC00, SC, "retry", before=ORI_R0 | CALLS["rfi"]), "hcall_rfi"),
    (row(0xC00, SC, before=ORI_R0 | CALLS["rfi"]), None),                # it refused
    (row(0xC00, SC, "jump", before=ORI_R0 | CALLS["dcr_read"]), None),
    (row(0xC00, SC, before=ORI_R0 | 0x7FFF), "hcall_number 32767"),
    (row(0x1000, 0, "vector", to_vector=0x1000), "pit_delivery"),
    (row(0x1000, 0, "vector", came="resuming", to="one", to_vector=0x1000), "pit_delivery"),
    (row(0x1000, 0, "vector", came="reload", to="reload", to_vector=0x1000), "pit_delivery_reload"),
    (row(0x1000, 0, "vector", came="idle", to="one", to_vector=0x1000), None),
    (row(0x1000, 0, "next"), None),
    (row(0x1000, 0, "switch", to="two"), "vm_switch"),
    (row(0x1000, 0, "switch", to="two", to_vector=0x1000), "vm_switch_deliver"),
    (row(0x1000, 0, "switch", to="reload"), "vm_switch_c"),
    (row(0x1000, 0, "switch", to="reload", to_vector=0x1000), "vm_switch_c_deliver"),
    (row(0x1000, 0, "jump", came="idle", to="two"), None),
    (row(0x500, 0, "switch", to="two"), None),
]


TLB_ROWS = [
    (row(0x700, TLBWE), "tlbwe"),
    (dict(row(0x700, TLBWE), longest=[0x700, COLD, 0x2000]), "tlbwe_cold"),
    (row(0x700, TLBWE, "vector", to_vector=0x700), None),                # in user mode
    (row(0x1100, LWZ, "retry"), "tlb_refill"),
    (row(0x1100, LWZ), None),                                            # emulated device access
    (row(0x1100, LWZ, "vector", to_vector=0x300), None),                 # no right
    (row(0x1100, LWZ, "switch", to="two"), None),
    (row(0x1200, 0, "jump"), "tlb_refill"),
    (row(0x1200, 0, "jump", came="resuming", to="one"), "tlb_refill"),
    (row(0x1200, 0, "switch", to="two"), None),
    (row(0x1100, LWZ, "vector", to_vector=0x1100), "tlb_miss"),
    (row(0x1200, 0, "vector", to_vector=0x1200), "tlb_miss"),
    (row(0x1200, 0, "vector", came="resuming", to="one", to_vector=0x1200), "tlb_miss"),
    (row(0x1200, 0, "vector", to_vector=0x400), None),
    (row(0x1200, 0, "switch", to="two", to_vector=0x1200), None),
]
NO_TARGET = {"tlbwe_cold", "tlb_miss"}
# Of images of their own (config/bench): what each scheduler is called in targets.toml, [schedule]
DECISIONS = {"decision_rr": "round robin", "decision_prio": "priority", "decision_cyclic": "cyclic", "decision_reserve": "reservations"}


@pytest.mark.parametrize("excursion, path, cold",
                         [(*each, None) for each in PATH_ROWS] + [(*each, COLD) for each in TLB_ROWS])
def test_each_path_takes_its_rows_only(isa, excursion, path, cold):
    assert list(bench.path_figures([bench.Excursion(excursion, isa, "x.elf", cold)])) == ([path] if path else [])


@pytest.mark.parametrize("excursion, cold", [(each, COLD) for each, _ in PATH_ROWS] + [(each, None) for each, _ in TLB_ROWS])
def test_images_with_virtual_tlb_have_paths_of_their_own(isa, excursion, cold):
    """The others are longer in them; and what a TLB costs in an image without it is no figure."""
    assert not bench.path_figures([bench.Excursion(excursion, isa, "x.elf", cold)])


def test_every_path_has_a_row_above_and_a_target(isa):
    rows = PATH_ROWS + TLB_ROWS
    assert {path for _, path in rows if path and not path.startswith("hcall_")} == set(bench.PATHS)
    targets = bench.read_targets(os.path.join(CONFIG, "targets.toml"))["paths"]
    assert {key for key in targets if not key.startswith("irfm_")} == {*bench.PATHS, "masked", *DECISIONS} - NO_TARGET
    for key, target in targets.items():
        assert ("guest" in target) == key.startswith("irfm_")
        assert target["aim"] <= target["at_most"] <= target.get("budget", target["at_most"])
    assert isa.calls[0] == bench.NULL_CALL


@pytest.mark.parametrize("key", DECISIONS)
def test_a_decision_may_cost_what_the_proof_reckons_with(key):
    """The gate of `make bench` is the bound of `make schedule`, for the four VMs of its image."""
    data = overheads.targets()
    with open(os.path.join(CONFIG, "bench", key.removeprefix("decision_") + ".toml"), encoding="utf-8") as file:
        count = file.read().count("[[vm]]")
    assert data["paths"][key]["at_most"] == overheads.limit(data["paths"], "vm_switch_c_deliver") + \
        overheads.decision(data["schedule"], DECISIONS[key], count)


def test_decisions_are_those_that_bring_another_vm():
    """By a timer, from a VM; with windows from the idle machine."""
    vms = [("one",), ("two",)]
    rows = [dict(row(vector, 0, "switch", to=to), **{"from": begin}) for vector in (0x1000, 0x500)
            for begin, to in (("one", "two"), ("one", "one"), ("idle", "two"), ("one", "idle"), ("boot", "two"))]
    assert [(r["from"], r["to"]) for r in rows if bench.is_decision(r, vms, "priority")] == [("one", "two")]
    assert [(r["from"], r["to"]) for r in rows if bench.is_decision(r, vms, "cyclic")] == [("idle", "two")]


def test_a_call_is_named_in_the_table(isa):
    call = bench.Excursion(row(0xC00, SC, before=ORI_R0 | CALLS["timer_set"]), isa, "x.elf")
    reflected = bench.Excursion(row(0xC00, SC, "vector", before=ORI_R0, to_vector=0xC00), isa, "x.elf")
    assert (call.kind, reflected.kind) == ("hypercall timer_set > next", "sc > vector system_call")


def walks(**figures):
    """The plugin's report of walks: {name: (begun, insns, excursions, hyp_insns, hyp_cycles)}."""
    keys = ("begun", "insns", "excursions", "hyp_insns", "hyp_cycles")
    return {"walks": {name: dict(zip(keys, values)) for name, values in figures.items()}}


def test_walks_are_judged_by_the_guests_instructions_and_the_hypervisors():
    target = {"at_most": 0, "aim": 0, "guest": 8, "guest_aim": 6}
    figures = bench.walk_figures(walks(a=(64, 320, 0, 0, 0), b=(64, 448, 0, 0, 0), c=(64, 576, 0, 0, 0),
                                       d=(64, 320, 1, 40, 60), never=(0, 0, 0, 0, 0)), "x.elf")
    assert list(figures) == ["irfm_a", "irfm_b", "irfm_c", "irfm_d"]
    assert [(walk["guest"], walk["insns"], bench.judge_row(walk, target)) for walk in figures.values()] \
        == [(5, 0, "aim"), (7, 0, "ok"), (9, 0, "over"), (5, 1, "over")]
    targets = {"paths": {f"irfm_{name}": target for name in "abcd"}, "table1": {}}
    texts = list(bench.misses(figures, {}, targets, ["irfm_a", "irfm_never"]))
    assert [text.split(":")[0] for text in texts] == ["irfm_never", "irfm_c", "irfm_d"]
    shown = "\n".join(bench.walk_table(figures, targets))
    assert "irfm_a" in shown and "never" not in shown and shown.count("over") == 2
    assert not bench.walk_table({}, targets)


def test_a_walk_that_is_left_on_the_way_is_refused():
    with pytest.raises(InputError, match="walk_a was not walked from end to end each time: 317 instructions, begun 64"):
        bench.walk_figures(walks(a=(64, 317, 0, 0, 0)), "x.elf")


def test_the_figure_is_the_longest(isa):
    rows = [row(0x700, MFSPR_SRR0, insns=20, count=3), row(0x700, MFSPR_SRR0 | 31 << 21, insns=44, count=1)]
    paths = bench.path_figures([bench.Excursion(each, isa, "x.elf") for each in rows])
    assert list(paths) == ["mfspr"]
    figures = paths["mfspr"]
    assert (figures["insns"], figures["cycles"], figures["insns_min"], figures["insns_mean"], figures["count"]) \
        == (44, 46, 20, 26.0, 4)
    assert figures["histogram"] == [[20, 3], [44, 1]] and figures["longest"]["word"] == "0x7FFA02A6"


@pytest.mark.parametrize("insns, verdict", [(40, "aim"), (41, "ok"), (48, "ok"), (49, "over")])
def test_judgement(insns, verdict):
    assert bench.judge_path(insns, {"at_most": 48, "aim": 40}) == verdict


@pytest.mark.parametrize("insns, verdict, missed", [
    (80, "ok", None), (81, "above", None), (150, "above", None), (151, "over", "tlb_refill: 151 instructions, at most 150 (")])
def test_a_budget_covers_a_missed_target(insns, verdict, missed):
    target = {"at_most": 80, "aim": 60, "budget": 150}
    figures = {"insns": insns, "insns_min": 9, "insns_mean": 9.0, "cycles": 9, "count": 9,
               "longest": {"image": "i", "vm": "v", "what": "w", "word": "0x0"}}
    targets = {"paths": {"tlb_refill": target}, "table1": {}}
    assert bench.judge_path(insns, target) == verdict
    assert [line for line in bench.path_table({"tlb_refill": figures}, targets) if line.endswith(f" {verdict}")]
    texts = list(bench.misses({"tlb_refill": figures}, {}, targets, []))
    assert not texts if missed is None else len(texts) == 1 and texts[0].startswith(missed)


@pytest.mark.parametrize("with_tlb, verdict", [(44, "ok"), (45, "above"), (47, "above"), (48, "over")])
def test_a_path_with_the_virtual_tlb_costs_no_more(with_tlb, verdict):
    """Two instructions more at most, or a budget that keeps it from growing; it can make the row's verdict worse."""
    row = {"insns": 42, "with_tlb": with_tlb, "longest": {"what": "", "word": "", "vm": "", "image": ""}}
    target = {"at_most": 48, "aim": 42, "budget_with_tlb": 47}
    assert bench.judge_with_tlb(row, target) == verdict and bench.judge_row(row, target) == verdict
    assert list(bench.misses({"mfspr": row}, {}, {"paths": {"mfspr": target}}, [])) == (
        ["mfspr: 48 instructions with option TLB_VIRT, at most 47"] if verdict == "over" else [])
    assert bench.judge_with_tlb({"insns": 42}, target) == "-"


def test_misses():
    targets = {"paths": {"mfspr": {"at_most": 48}}, "table1": {"ctask": {"full": 8.0}}}
    longest = {"image": "i", "vm": "v", "what": "w", "word": "0x0"}
    over, fits = ({"mfspr": {"insns": insns, "longest": longest}} for insns in (49, 48))
    texts = list(bench.misses(over, {"ctask": {"full_overhead": 8.01}}, targets, ["rfi"]))
    assert [text.split(":")[0] for text in texts] == ["rfi", "mfspr", "ctask, full"]
    assert not list(bench.misses(fits, {"ctask": {"full_overhead": 8.0}}, targets, ["ctask"]))


@pytest.mark.parametrize("overheads, missed", [
    ((8.0, 2.5, 2.5), []), ((8.01, 2.51, 2.51), ["full", "previrt", "para"]), ((7.0, 2.51, 2.5), ["previrt"]),
    ((7.0, 2.5, 2.6), ["para"]), ((7.0, 2.5, 2.5, 3.0), []), ((7.0, 2.5, 2.5, 3.01), ["optimize"])])
def test_both_cheap_modes_have_the_target_of_para(overheads, missed):
    targets = {"paths": {}, "table1": {"ctask": {"full": 8.0, "para": 2.5, "optimize_budget": 3.0}}}
    table1 = {"ctask": {f"{mode}_overhead": value for mode, value in zip(bench.MODES, overheads)}}
    assert [text.split(":")[0] for text in bench.misses({}, table1, targets, [])] == [f"ctask, {mode}" for mode in missed]


def test_what_the_paper_removes():
    target = bench.read_targets(os.path.join(CONFIG, "targets.toml"))
    assert f"{bench.paper_removed(target['table1']['ctask']):.0f} %" == target["removed"]["paper"]
    assert bench.paper_removed(target["table1"]["simplefft"]) is None


@pytest.mark.parametrize("text, images", [
    ("n,f", {"full": "f"}), ("n,f,p", {"full": "f", "previrt": "p"}), ("n,f,p,q", {"full": "f", "previrt": "p", "para": "q"}),
    ("n,f,-,q", {"full": "f", "para": "q"}), ("n,f,-,-,o", {"full": "f", "optimize": "o"})])
def test_images_of_table_1(text, images):
    assert bench.table1_argument(f"one={text}") == ("one", "n", images)


def test_the_vm_of_a_mode():
    vms = [("full", "one.elf", 0, 1, 0), ("previrt", "one-previrt.elf", 1, 2, 0), ("one", "one-para.elf", 2, 3, 0)]
    assert [bench.find_vm(vms, mode, "d/one.elf", "i") for mode in bench.MODES] == ["full", "previrt", "one", "full"]


@pytest.mark.parametrize("mode, file", [("full", "one-para.elf"), ("previrt", "one-para.elf"), ("para", "one.elf")])
def test_one_modes_image_does_not_pass_for_anothers(mode, file):
    """Neither being alone nor having the workload's name is enough."""
    with pytest.raises(InputError, match=f"i: no VM runs one.*elf. hint: its VMs run {file}"):
        bench.find_vm([("one", file, 0, 1, 0)], mode, "one.elf", "i")


def test_totals_of_one_and_of_several_vms():
    vm = {"insns": 100, "cycles": 120, "hyp_insns": 30, "hyp_cycles": 50, "first": 11, "last": 145}
    report = {"hypervisor": {"cycles": 90}, "excursions": [row(0, came="boot", insns=7), row(0x700, to="end", insns=9)]}
    assert bench.virtualized_total(vm, report, alone=True) == (135, 120 + 90 - 8 - 10)
    assert bench.virtualized_total(vm, report, alone=False) == (130, 170)


@pytest.mark.parametrize("name, text, cause", [
    ("spr.def", "SPR(srr0, what, srr0, PLAIN, PLAIN, 0, \"\")", "spr.def:1: what: not numbers."),
    ("isa.def", "nothing here", "isa.def:1: no rows found."),
    ("vectors.def", None, "vectors.def: can't read the table"),
])
def test_bad_tables(tmp_path, name, text, cause):
    for other in ("isa.def", "spr.def", "vectors.def"):
        shutil.copy(os.path.join(CONFIG, other), tmp_path)
    if text is None:
        (tmp_path / name).unlink()
    else:
        (tmp_path / name).write_text(text)
    with pytest.raises(InputError, match=cause.replace("(", r"\(")):
        bench.Isa(str(tmp_path))


def test_bad_targets(tmp_path):
    path = tmp_path / "targets.toml"
    path.write_text("[paths]\nmfspr = = 3\n")
    with pytest.raises(InputError, match=r"targets.toml:2: "):
        bench.read_targets(str(path))
    path.write_text("[paths]\n")
    with pytest.raises(InputError, match=r"section|\[table1\] is missing"):
        bench.read_targets(str(path))


def test_bad_images(tmp_path):
    image = tmp_path / "proteus.elf"
    with pytest.raises(InputError, match="No such file"):
        bench.code_ranges(str(image))
    image.write_bytes(b"no ELF")
    with pytest.raises(InputError, match="not an ELF file"):
        bench.code_ranges(str(image))
    (tmp_path / "gen").mkdir()
    (tmp_path / "gen" / "partitions.json").write_text('{"vms": [{}]}')
    with pytest.raises(InputError, match=r"partitions.json:1: not a partition table"):
        bench.read_partitions(str(image))
    with pytest.raises(InputError, match="proteus.elf: can't read the guest: not an ELF file"):
        bench.walk_symbols(str(image))
    with pytest.raises(InputError, match="proteus.elf: can't read the image: not an ELF file"):
        bench.cold_address(str(image))


@pytest.mark.parametrize("arguments", [[], ["--table1", "ctask"], ["--table1", "ctask=a"], ["--table1", "ctask=a,-,b"],
                                       ["--table1", "ctask=a,b,c,d,e,f"], ["--image", "x", "--timeout", "0"]])
def test_wrong_usage_is_status_2(arguments):
    with pytest.raises(SystemExit) as ended:
        bench.main(arguments)
    assert ended.value.code == 2


# The toy of test_plugin, but its `stop` says that both VMs passed, as the real hypervisor's console would, and its
# guests are data of the image, as pack.py makes them.
PRINTING = test_plugin.SOURCE.replace("stop:   lis", r"""stop:   lis     %r1, text@ha
        la      %r1, text@l(%r1)
        lis     %r2, 0xEF60
1:      lbz     %r31, 0(%r1)
        cmpwi   %r31, 0
        beq     2f
        stb     %r31, 0x300(%r2)
        addi    %r1, %r1, 1
        b       1b
text:   .asciz  "[one] toy: PASS\n[two] toy: PASS\n"
        .balign 4
2:      lis""")
for vm_name in ("one", "two"):
    PRINTING = PRINTING.replace(f'.section .{vm_name}, "ax"', f'.section .{vm_name}, "a"')
# A guest's own ELF file is read for its symbols only. Guest address 8: the second mfspr of `one`; 0x14: a li.
WALKED = """
        .globl  _start, walk_mtspr, walk_mfspr
_start: .space  8
        .size   walk_mfspr, 4
walk_mfspr:
        .space  12
        .size   walk_mtspr, 4
walk_mtspr:
        .space  4
"""
NATIVE = r"""
        .globl  _start
_start: lis     %r1, text@ha
        la      %r1, text@l(%r1)
        lis     %r2, 0xEF60
1:      lbz     %r3, 0(%r1)
        cmpwi   %r3, 0
        beq     2f
        stb     %r3, 0x300(%r2)
        addi    %r1, %r1, 1
        b       1b
text:   .asciz  "one: PASS\n"
        .balign 4
2:      lis     %r3, 0x3000
        mtspr   0x3F2, %r3
        b       .
"""


@pytest.fixture(scope="module", name="toy")
def fixture_toy(tmp_path_factory):
    """An image with two VMs, its partition table, and a bare guest."""
    directory = tmp_path_factory.mktemp("bench")
    assert "toy: PASS" in PRINTING
    image = test_plugin.build(directory, "proteus", PRINTING, test_plugin.SCRIPT)
    native = test_plugin.build(directory, "one", NATIVE, "ENTRY(_start) SECTIONS { .text 0x10000 : { *(.text) } }")
    vms = [{"name": name, "image": f"{name}.elf", "memory": {"machine": (number + 1) << 20, "size": 1 << 20, "guest": 0}}
           for number, name in enumerate(("one", "two"))]
    (directory / "gen").mkdir()
    (directory / "gen" / "partitions.json").write_text(json.dumps({"vms": vms}))
    (directory / "guest").mkdir()
    test_plugin.build(directory / "guest", "one", WALKED, "ENTRY(_start) SECTIONS { .text 0 : { *(.text) } }")
    return directory, image, native


def call(toy, config, *more):
    """bench.py on the toy; gives (status, bench.json or None)."""
    directory, image, native = toy
    out = directory / "bench.json"
    if out.exists():
        out.unlink()
    arguments = ["--image", image, "--table1", f"one={native},{image}", "--plugin", str(directory / "count.so"),
                 "--config", str(config), "--work", str(directory / "work"), "--out", str(out), "--timeout", "60",
                 *more]
    status = run_tool(bench.main, arguments)
    return status, json.loads(out.read_text()) if out.exists() else None


def test_toy_from_end_to_end(toy, capfd):
    status, report = call(toy, CONFIG)
    output = capfd.readouterr().out
    assert status == 0
    mfspr = report["paths"]["mfspr"]
    assert (mfspr["insns"], mfspr["cycles"], mfspr["count"]) == (13, 24, 2)
    assert (report["paths"]["mtspr"]["insns"], report["paths"]["sc_reflect"]["insns"]) == (13, 11)
    assert set(report["paths"]) == {"mfspr", "mtspr", "sc_reflect", "masked"}
    assert report["paths"]["masked"]["insns"] == 62         # the longest of all, but for the end
    one = report["table1"]["one"]
    native, full = 3 + 10 * 6 + 3 + 2, 8 + 3 * 13 + 11 + 7
    assert (one["full"], one["native"]) == (full, native) and "para" not in one
    assert one["full_overhead"] == pytest.approx(100 * (full - native) / native)
    assert "previrt_removed" not in one and "not measured" in output
    assert "mfspr srr0 > next" in output and "not walked" in output and "DIVIDE" in output


def test_toy_in_all_modes(toy, capfd):
    """Three times the same program, as three products: each mode has the same figures, and nothing is removed."""
    directory, image, native = toy
    table = (directory / "gen" / "partitions.json").read_text()
    images = [image]
    for mode in bench.MODES[1:]:
        (directory / mode / "gen").mkdir(parents=True)
        (directory / mode / "gen" / "partitions.json").write_text(table if mode == "optimize" else table.replace("one.elf", f"one-{mode}.elf"))
        images.append(shutil.copy(image, directory / mode / "proteus.elf"))
    status, report = call(toy, CONFIG, "--table1", f"one={native},{','.join(map(str, images))}")
    one = report["table1"]["one"]
    assert status == 0 and {one[mode] for mode in bench.MODES} == {8 + 3 * 13 + 11 + 7}
    assert len({one[f"{mode}_overhead_cycles"] for mode in bench.MODES}) == 1
    assert "not measured" not in capfd.readouterr().out
    assert one["full"] < one["native"] and "para_removed" not in one        # the native toy prints, which takes longer
    assert call(toy, CONFIG, "--table1", f"one={native},{image},{images[2]}") == (1, None)
    assert "no VM runs one-previrt.elf. hint: its VMs run one-para.elf, two.elf" in capfd.readouterr().err


def test_walks_of_a_guest(toy, capfd):
    """`walk_mfspr` traps, once 13 instructions; `walk_mtspr` does not. The hypervisor's one is over its target."""
    directory = toy[0]
    status, report = call(toy, CONFIG, "--walks", str(directory / "guest" / "one.elf"))
    figures = {key: (walk["guest"], walk["insns"], walk["count"]) for key, walk in report["paths"].items() if "guest" in walk}
    assert status == 0 and figures == {"irfm_mfspr": (1, 13, 1), "irfm_mtspr": (1, 0, 1)}
    assert call(toy, CONFIG, "--walks", str(directory / "guest" / "one.elf"), "--gate")[0] == 1
    assert "irfm_mfspr: 13 instructions of the hypervisor, at most 0; 1 of the guest, at most 1 (1 excursions in" \
        in capfd.readouterr().err


@pytest.mark.parametrize("change, cause", [
    ((".size   walk_mfspr, 4", ""), "walk_mfspr has no size"),
    (("walk_", "step_"), "no symbol walk_<name>"),
])
def test_bad_walks(tmp_path, change, cause):
    path = test_plugin.build(tmp_path, "one", WALKED.replace(*change), "ENTRY(_start) SECTIONS { .text 0 : { *(.text) } }")
    with pytest.raises(InputError, match=cause):
        bench.walk_symbols(path)


def test_gate(toy, tmp_path, capfd):
    for name in ("isa.def", "spr.def", "vectors.def"):
        shutil.copy(os.path.join(CONFIG, name), tmp_path)
    (tmp_path / "targets.toml").write_text("[paths]\nmfspr = { at_most = 12 }\n[table1]\n")
    assert call(toy, tmp_path)[0] == 0
    assert call(toy, tmp_path, "--gate")[0] == 1
    assert "mfspr: 13 instructions, at most 12 (mfspr srr0 > next" in capfd.readouterr().err
    (tmp_path / "targets.toml").write_text("[paths]\nmfspr = { at_most = 13 }\n[table1]\n")
    assert call(toy, tmp_path, "--gate")[0] == 0
    assert call(toy, tmp_path, "--gate", "--require", "mfspr,rfi")[0] == 1
    assert "rfi: not measured" in capfd.readouterr().err


@pytest.mark.parametrize("label, path", [("addi    %r31, %r31, 4\n        mtsrr0  %r31\n        lmw", "tlbwe_cold"),
                                         ("mtspr   0x3F2", "tlbwe")])
def test_toy_with_a_virtual_tlb(toy, tmp_path, capfd, label, path):
    """One tlbwe, which goes by C or not; and two mfspr less than before, which are no figure of this image."""
    source = PRINTING.replace("mfspr   %r5, 0x01A", "tlbwe   %r5, %r3, 0")
    assert source != PRINTING and source.count(label) == 1
    shutil.copytree(toy[0] / "gen", tmp_path / "gen")
    options = ["--plugin", str(toy[0] / "count.so"), "--work", str(tmp_path), "--out", str(tmp_path / "bench.json")]
    image = test_plugin.build(tmp_path, "proteus", source, test_plugin.SCRIPT)
    assert run_tool(bench.main, ["--tlb", image, *options]) == 1
    assert "proteus.elf: no symbol cold_emulate. hint: " in capfd.readouterr().err
    source = source.replace(label, f".globl cold_emulate\ncold_emulate: {label}")
    image = test_plugin.build(tmp_path, "proteus", source, test_plugin.SCRIPT)
    assert run_tool(bench.main, ["--tlb", image, *options, "--gate", "--require", path]) == 0
    paths = json.loads((tmp_path / "bench.json").read_text())["paths"]
    assert {key: (row["insns"], row["count"]) for key, row in paths.items() if key != "masked"} == {path: (13, 1)}
    assert "tlb: mfspr srr0 > next" in capfd.readouterr().out
    assert run_tool(bench.main, ["--tlb", image, "--image", image, *options]) == 1
    assert "named for the virtual TLB and for other paths. hint: name it once" in capfd.readouterr().err


def test_partition_table_of_another_image(toy, capfd):
    table = toy[0] / "gen" / "partitions.json"
    text = table.read_text()
    try:
        table.write_text(text.replace("1048576", "4096"))
        assert call(toy, CONFIG) == (1, None)
    finally:
        table.write_text(text)
    assert "executable sections reach into the memory of one" in capfd.readouterr().err


def test_a_run_that_fails_gives_no_figures(toy, capfd):
    directory, _, native = toy
    table = directory / "gen" / "partitions.json"
    text = table.read_text()
    try:
        table.write_text(text.replace('"two"', '"three"'))
        status, report = call(toy, CONFIG)
    finally:
        table.write_text(text)
    assert status == 1 and report is None
    assert "three: silent" in capfd.readouterr().err and os.path.exists(native)


@pytest.mark.parametrize("change, verdict, detail", [
    (("", ""), "PASS", ""),
    (("cmpwi   %r5, 0x1230", "cmpwi   %r5, 0x1231"), "FAIL", "step 03"),
    (("cmpwi   %r4, 4\n", "cmpwi   %r4, 5\n"), "FAIL", "step 10"),
])
def test_bench_guest_runs_bare_and_notices_faults(tmp_path, change, verdict, detail):
    """The guest whose paths are measured; with a wrong expectation it has to say so."""
    assert run_changed(tmp_path, "bench", "bench", change) == (verdict, detail)


@pytest.mark.parametrize("change, verdict, detail", [
    (("", ""), "PASS", ""),
    (("fill    ROW_1, OWN, VIRT, PHYS,", "fill    ROW_1, OWN, VIRT, (PHYS+4096),"), "FAIL", "step 03"),
    (("(PHYS+FIRST_2*4096), ZONE_1, 2", "(PHYS+FIRST_2*4096), ZONE_1, 3"), "FAIL", "step 99"),      # PID 2 misses
    (("add     %r5, %r15, %r16", "addi    %r5, %r15, 1"), "FAIL", "step 06"),
    (("stw     %r6, NUMBER_AT(%r4)", "stw     %r7, NUMBER_AT(%r4)"), "FAIL", "step 05"),
    (("PHYS + \\number * 4096", "PHYS + 4096 + \\number * 4096"), "FAIL", "step 07"),
    (("addis   %r21, %r21, PHYS >> 16", "addis   %r21, %r21, (PHYS >> 16) + 1"), "FAIL", "step 08"),
    (("ALL - (64 - ROW_1)", "5 * ALL + 1"), "FAIL", "step 08"),
])
def test_bench_guest_with_translation_likewise(tmp_path, change, verdict, detail):
    """Wrong pages, PIDs, stores, code, entries and misses."""
    assert run_changed(tmp_path, "bench-tlb", "tlb", change) == (verdict, detail)


def run_changed(tmp_path, file, name, change):
    """Build a bench guest with a change of its source, and run it bare."""
    guests = os.path.join(ROOT, "tests", "guests")
    for folder in ("bench", "board"):
        shutil.copytree(os.path.join(guests, folder), tmp_path / folder)
    source = tmp_path / "bench" / f"{file}.S"
    text = source.read_text()
    assert change[0] in text
    source.write_text(text.replace(*change))
    subprocess.run(["make", "-s", "-C", str(tmp_path / "bench"), f"OUT={tmp_path}", f"TOP={ROOT}", f"PROTEUS={tmp_path}/gen",
                    f"CROSS_COMPILE={test_plugin.CROSS}"], check=True, timeout=60)
    vm = bench.run.run(image=str(tmp_path / f"{file}.elf"), timeout=30).as_bare(name)
    return vm.verdict, vm.detail
