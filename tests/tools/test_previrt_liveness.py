"""previrt: dead registers and proven code, on small programs with a known answer."""

import pytest
from previrt_support import program, sites_by_place

import liveness

START = ".globl _start\n.type _start, @function\n_start:\n"


def dead_at(folder, text, abi=None, symbol="here"):
    """The registers that are dead behind the symbol's instruction."""
    made = program(folder, START + text + "\n.size _start, . - _start\n")
    place = next(s.value for s in made.elf.symbols if s.name == symbol)
    mask = made.code.dead(place + 4, abi, place)
    return {r for r in range(32) if mask >> r & 1}


def test_written_before_read(tmp_path):
    """A register that is set is dead; one that is read first is not; one that neither happens to is not."""
    dead = dead_at(tmp_path, "here: wrteei 0\n li 5, 1\n add 6, 7, 5\n lwz 8, 0(8)\n rfi")
    assert dead == {5, 6}


def test_both_ways(tmp_path):
    """A register is dead only if every path sets it."""
    dead = dead_at(tmp_path, "here: wrteei 0\n beq 1f\n li 5, 1\n li 6, 1\n rfi\n1: li 5, 2\n rfi")
    assert dead == {5}


def test_loop(tmp_path):
    """A loop ends the search, not the answer."""
    assert dead_at(tmp_path, "here: wrteei 0\n1: li 5, 1\n bdnz 1b\n li 6, 1\n2: b 2b") >= {5, 6}
    assert 6 not in dead_at(tmp_path, "here: wrteei 0\n1: beq 2f\n li 6, 1\n b 1b\n2: mr 3, 6\n rfi")


def test_endless_loop_needs_nothing(tmp_path):
    """Nothing is read in `b .`: every register but the reserved is dead."""
    assert dead_at(tmp_path, "here: wrteei 0\n1: b 1b") == set(range(32)) - {1, 2, 13}


@pytest.mark.parametrize("end", ["rfi", "blr", "bctr", "sc", "bctrl", "blrl", "twi 31, 0, 0", ".long 0", "ba 0x100", "lswx 20, 21, 22"])
def test_lost_sight(end, tmp_path):
    """What cannot be followed reads everything."""
    assert dead_at(tmp_path, f"here: wrteei 0\n li 5, 1\n {end}") == {5}


def test_reserved_registers(tmp_path):
    """Stack, thread and small-data pointers are never scratch, dead or not."""
    assert dead_at(tmp_path, "here: wrteei 0\n li 1, 0\n li 2, 0\n li 13, 0\n li 4, 0\n rfi") == {4}


def test_call_is_followed(tmp_path):
    """Without a promise the callee's own code decides; its return is unknown."""
    text = "here: wrteei 0\n bl f\n li 7, 1\n rfi\nf: li 5, 1\n mr 6, 9\n blr"
    assert dead_at(tmp_path, text) == {5, 6}


def test_own_address_is_no_call(tmp_path):
    """bcl 20, 31, $+4."""
    assert dead_at(tmp_path, "here: wrteei 0\n bcl 20, 31, .+4\n li 5, 1\n rfi") == {5}


def test_compiled_return(tmp_path):
    """In compiled code a return leaves results in r3-r6; r0 and r7-r12 are nobody's."""
    assert dead_at(tmp_path, "here: wrteei 0\n blr", "compiled") == {0, 7, 8, 9, 10, 11, 12}
    assert dead_at(tmp_path, "here: wrteei 0\n mr 3, 9\n blr", "compiled") == {0, 3, 7, 8, 10, 11, 12}


def test_conditional_return(tmp_path):
    """beqlr: a return and the next instruction."""
    assert dead_at(tmp_path, "here: wrteei 0\n beqlr\n mr 3, 9\n blr", "compiled") == {0, 7, 8, 10, 11, 12}
    assert dead_at(tmp_path, "here: wrteei 0\n li 5, 0\n beqlr\n li 6, 0\n blr") == {5}


def test_compiled_call(tmp_path):
    """r0 and r12 are dead at a call; the arguments if the callee sets them first; r7-r12 when it returns."""
    text = "here: wrteei 0\n bl f\n blr\n.type f, @function\nf: mr 3, 8\n blr"
    assert dead_at(tmp_path, text, "compiled") == {0, 3, 7, 9, 10, 11, 12}


def test_static_chain(tmp_path):
    """A nested function reads r11: so r11 is not dead at a direct call of one."""
    text = "here: wrteei 0\n bl f\n blr\nf: lwz 3, 0(11)\n blr"
    assert 11 not in dead_at(tmp_path, text, "compiled")


def test_computed_call(tmp_path):
    """Through a pointer: r0, r11, r12 only."""
    assert dead_at(tmp_path, "here: wrteei 0\n bctrl\n blr", "compiled") == {0, 11, 12}


@pytest.mark.parametrize("name", ["_savegpr_31", "_restgpr_31_x", "_mcount"])
def test_helpers_have_rules_of_their_own(name, tmp_path):
    """r0 carries the link register past them, r11 a pointer into them."""
    text = f"here: wrteei 0\n bl {name}\n stw 0, 4(1)\n blr\n{name}: stw 31, -4(11)\n blr"
    assert dead_at(tmp_path, text, "compiled") == set()


def test_sysv_counts_only_what_the_function_writes(tmp_path):
    """A caller compiled with -fipa-ra may know which registers a function leaves alone."""
    assert dead_at(tmp_path, "here: wrteei 0\n blr", "sysv") == set()
    assert dead_at(tmp_path, "li 9, 1\nhere: wrteei 0\n blr", "sysv") == {9}


def test_sysv_call(tmp_path):
    """The same for a callee: what it leaves alone may be kept in r12 across it."""
    text = "here: wrteei 0\n bl f\n mr 3, 12\n blr\n.type f, @function\nf: blr\n.size f, . - f"
    assert 12 not in dead_at(tmp_path, text, "sysv")


def test_fault_goes_to_the_fixup(tmp_path):
    """A load that is in __ex_table may not load at all."""
    text = "here: wrteei 0\n1: lwz 5, 0(3)\n rfi\nfix: mr 3, 5\n rfi\n.section __ex_table, \"a\"\n.long 1b - ., fix - .\n.text"
    assert dead_at(tmp_path, text) == set()
    assert dead_at(tmp_path, text.replace("1b - ., fix - .", "")) == {5}


def test_budget(tmp_path, monkeypatch):
    """What takes too long is not dead."""
    text = "here: wrteei 0\n" + "addi 3, 3, 1\n" * 50 + "li 5, 1\n rfi"
    assert dead_at(tmp_path, text) == {5}
    monkeypatch.setattr(liveness, "BUDGET", 20)
    assert dead_at(tmp_path, text) == set()


# ---------------------------------------------------------------- code and data
def found(folder, text, **options):
    """{symbol: treatment or reason} at the ELF level."""
    made = program(folder, START + text, **options)
    return {name: site.how or site.why for name, site in sites_by_place(made).items()}


def test_data_in_text_is_left_alone(tmp_path):
    """A word that looks like mfmsr and that nothing leads to, in front of code and behind it."""
    got = found(tmp_path, "b 1f\ndata: .long 0x7C6000A6\n1: .globl real\nreal: mfmsr 3\n b 1b\ntail: .long 0x7C6000A6")
    assert got == {"data": "not proven", "real": "in place", "tail": "not proven"}


def test_behind_a_call_that_does_not_return(tmp_path):
    """Data may follow it."""
    got = found(tmp_path, "bl f\ndata: mfmsr 3\n blr\nf: b f")
    assert got["data"] == "not proven"


def test_behind_a_call_that_returns(tmp_path):
    """Through a tail call, a loop and two levels of calls, whatever the order in which they are met."""
    got = found(tmp_path, "bl f\nhere: mfmsr 3\n1: b 1b\nf: mflr 9\n bl g\nmid: mfmsr 4\n mtlr 9\n b g\n.space 8\n"
                          "g: bdnz g\n beqlr\n b g")
    assert got == {"here": "in place", "mid": "in place"}


def test_recursion_that_never_returns(tmp_path):
    """Two functions that only call each other do not return."""
    got = found(tmp_path, "bl f\nhere: mfmsr 3\n1: b 1b\nf: bl g\nin: mfmsr 3\n blr\ng: bl f\n b g")
    assert got == {"here": "not proven", "in": "not proven"}


def test_function_symbols_are_code(tmp_path):
    """Nobody calls it by a branch, but it says @function."""
    got = found(tmp_path, "b _start\n.type f, @function\nf: mfmsr 3\n blr\ng: mfmsr 3\n blr")
    assert got == {"f": "in place", "g": "not proven"}


def test_include_and_exclude(tmp_path):
    """The user knows better: a symbol is code, a section is code, a symbol is to be left alone."""
    text = "b _start\ng: mfmsr 3\n blr\nh: mfmsr 3\n blr\n.section .text.s, \"ax\"\nk: mfmsr 3\n mfmsr 4\n blr"
    assert found(tmp_path, text) == {"g": "not proven", "h": "not proven", "k": "not proven"}
    assert found(tmp_path, text, include=["g"]) == {"g": "in place", "h": "not proven", "k": "not proven"}
    assert found(tmp_path, text, include=[".text"])["k"] == "in place"
    assert found(tmp_path, text, include=["g", "h"], exclude=["h"]) == {"g": "in place", "h": "excluded", "k": "not proven"}


def test_vectors(tmp_path):
    """Handlers at the exception vectors, which no branch leads to."""
    text = "1: b 1b\n.org 0x500\nh: mfspr 3, 26\n rfi\n.org 0x600\n"
    assert found(tmp_path, text) == {"h": "not proven"}
    assert found(tmp_path, text, vectors=0x10000) == {"h": "in place"}


def test_trap_does_not_run_into_the_next_function(tmp_path):
    """__builtin_trap() at the end of a function, and data behind it."""
    got = found(tmp_path, "twi 31, 0, 0\n.size _start, . - _start\ndata: .long 0x7C6000A6")
    assert got == {"data": "not proven"}
    assert found(tmp_path, "twnei 3, 0\n.size _start, . - _start\nhere: mfmsr 3\n b _start") == {"here": "in place"}


# ---------------------------------------------------------------- what mtspr TSR writes
@pytest.mark.parametrize("before, known", [
    ("lis 9, 0x800", True), ("lis 9, -1", True), ("li 9, -1", True), ("lis 9, 0x800\n addi 9, 9, 0", True),
    ("lis 9, 0x7FF\n ori 9, 9, 0xFFFF\n nop", False), ("lis 9, 0x400", False), ("lis 9, 0xC00", False), ("lwz 9, 0(3)", False),
    ("lis 9, 0x800\n bl f", False), ("lis 9, 0x800\n lwzu 3, 4(9)", False), ("lis 8, 0x800", False), ("lis 9, 0x800\n sc", False),
    ("lis 9, 0x800\n1: bdnz 1b", False), ("lis 9, 0x800\n1: stw 3, 0(3)\n bdnz 1b", False),
    ("lis 9, -0x400\n li 4, 1\n stw 4, 0(3)", True), ("lis 9, 0x800\nlabel:", False), ("addis 9, 9, 0x800", False),
    ("lis 9, 0x800\n beq 3f\n3:", False),
])
def test_tsr(before, known, tmp_path):
    """Only a value that straight-line code leaves no doubt about; a label in between is a doubt."""
    text = before + "\n.globl here\nhere: mtspr 984, 9\n li 4, 0\n rfi\nf: blr"
    if "label" not in before:
        text = text.replace(".globl here\nhere: ", "")
    sites = program(tmp_path, START + text).decide()
    assert [s.why.startswith("no room") for s in sites if s.word == 0x7D38F3A6] == [known]


def test_tsr_behind_a_table_jump(tmp_path):
    """In a function with a computed jump every instruction may be a target."""
    text = "lis 9, 0x800\n mtspr 984, 9\n li 4, 0\n mtctr 4\n {}\n.size _start, . - _start\n"
    assert "no room" in program(tmp_path, START + text.format("rfi")).decide()[0].why
    assert program(tmp_path, START + text.format("bctr")).decide()[0].why == "value not known"


def test_tsr_target_in_a_table(tmp_path):
    """The address of the instruction stands in a table of data."""
    text = "lis 9, 0x800\n1: mtspr 984, 9\n li 4, 0\n rfi\n.section .rodata\n.long {}"
    assert "no room" in program(tmp_path, START + text.format("0")).decide()[0].why
    assert program(tmp_path, START + text.format("1b")).decide()[0].why == "value not known"


def test_mtmsr_that_changes_the_mode(tmp_path):
    """The replacement would trap in any case."""
    for before, why in (("oris 3, 3, 4", "changes the mode"), ("ori 3, 3, 0x1000", "changes the mode"), ("ori 3, 3, 0x8000", "no room"),
                        ("oris 4, 4, 4", "no room")):
        assert program(tmp_path, START + f"{before}\n mtmsr 3\n li 5, 0\n rfi").decide()[0].why.startswith(why)
