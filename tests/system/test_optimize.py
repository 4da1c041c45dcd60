"""Option OPTIMIZE: guests that the hypervisor rewrites while they run, and that nobody can tell from others by what they do.

covers: kconfig.OPTIMIZE
"""

import pathlib

import conftest
import elfpatch
import pytest
import rawguest
import run
import test_twin as twin
import twin_compare
from test_hostile import check_hypervisor, check_neighbour

OPTIMIZE = f"CONFIG_IRFM=y CONFIG_OPTIMIZE=y {conftest.FREE}"
PLAIN = "CONFIG_TLB_VIRT=n CONFIG_FIT_WATCHDOG=n"        # what has stubs of all kinds
STUBS = 'stubs = { guest = "0xFC000" }'
REPLACED = ("mfspr", "mtspr", "mfmsr", "wrteei")


def optimized(product, folder, *names, more=""):
    """The product's partition file with `optimize = true` (and more) for these VMs, or for all."""
    text = pathlib.Path(conftest.ROOT, "config", product, "partitions.toml").read_text(encoding="utf-8")
    head, *vms = text.split("[[vm]]")
    vms = [vm.rstrip() + f"\noptimize = true\n{more}\n\n" if not names or f'name = "{names[0]}"' in vm else vm for vm in vms]
    path = folder / "partitions.toml"
    path.write_text("[[vm]]".join([head, *vms]), encoding="utf-8")
    return path


@pytest.mark.parametrize("options, more, share", [
    (PLAIN, "", 20), ("CONFIG_TLB_VIRT=y", "", 75), ("CONFIG_TLB_VIRT=y CONFIG_FIT_WATCHDOG=n", STUBS, 25)],
    ids=["stubs", "translation", "stubs_of_the_guest"])
def test_the_demo_traps_less(images, tmp_path, options, more, share):
    """Its guests say the same, and ctask has at most so many in a hundred of the traps that could go."""
    before = images.run(image=images.elf("demo"), timeout=120)
    after = images.run(image=images.elf("demo", f"{OPTIMIZE} {options}", optimized("demo", tmp_path, more=more)), timeout=120)
    assert not list(after.trouble())
    for name, vm in before.vms.items():
        assert after.vms[name].verdict == "PASS" and after.vms[name].lines == vm.lines
    was, now = (sum(result.vms["ctask"].stats[kind] for kind in REPLACED) for result in (before, after))
    assert now * 100 <= was * share, (was, now)


@pytest.mark.parametrize("board", ["ref405ep", "ml403"])
def test_twin(images, tmp_path, board):
    """The twin, optimized, has the bare guest's results: but for what it reads of its own code there is nothing else to see."""
    images = images.on(board)
    image = images.elf("twin", OPTIMIZE, optimized("twin", tmp_path))
    target = elfpatch.patched_image(image, tmp_path / "image", images.guest("twin"), twin_select=twin.ALL)
    result = images.run(image=target, timeout=300)
    assert not list(result.trouble()) and result.vms["twin"].verdict == "PASS"
    bare = twin.bare_lines(images, tmp_path)
    unexpected = list(twin_compare.compare(bare, result.vms["twin"].lines, twin.rules_of(images)))
    assert not unexpected, f"{len(unexpected)} unexpected differences:\n" + "\n".join(unexpected)


@pytest.mark.parametrize("board, options, more, mmu, seed", [
    ("ref405ep", PLAIN, "", False, 1), ("ref405ep", "CONFIG_TLB_CHECK=y", "", True, 2), ("raptor", PLAIN, "", False, 3),
    ("ref405ep", "CONFIG_TLB_CHECK=y", STUBS, True, 4)])
def test_hostile(images, tmp_path, board, options, more, mmu, seed):
    """A hostile guest that is rewritten while it does all it can. (Its neighbour sums up its own code.)"""
    images = images.on(board)
    target = str(tmp_path / "image")
    image = images.elf("hostile", f"{OPTIMIZE} {options}", optimized("hostile", tmp_path, "hostile", more=more))
    elfpatch.patched_image(image, target, images.guest("hostile"), hostile_seed=seed, hostile_mmu=mmu)
    elfpatch.patched_image(target, target, images.guest("neighbour"), neighbour_ms=400)
    result = images.run(image=target, timeout=240, until=run.all_decided(["nbr"]))
    check_neighbour(result)
    check_hypervisor(result)


# Calls each routine until it has been rewritten, as a supervisor; then in user state, where its first word has to trap as ever; and as
# a supervisor again, when it is to stay what it was.
WORDS = ("mfmsr 3", "mtspr 0x110, 3", "dccci 0, 3", "mtspr 0x3B1, 3", "wrteei 0", "wrtee 3", "mtmsr 4")
USER = """
        .globl  _start
        .org    0x700                   # program interrupt
        mfspr   20, 0x01A               # SRR0
        mfspr   21, 0x01B               # SRR1
        mfspr   22, 0x3D4               # ESR
        addi    23, 23, 1
        mtspr   0x01A, 29
        mtspr   0x01B, 4
        rfi
        .org    0x2000
routines:
        {routines}
ends:
calls:  mtctr   24                      # 2000 times; CR0: ne if the word is another then
        mflr    28
        li      26, 2000
1:      bctrl
        addi    26, 26, -1
        cmpwi   26, 0
        bne     1b
        lwz     27, 0(24)
        cmpw    25, 27
        mtlr    28
        blr
_start: li      3, 0
        mtspr   0x3D6, 3                # EVPR
        li      4, 0x1000               # ME
        mtmsr   4
        lis     24, routines@h
        ori     24, 24, routines@l
        lis     29, back@h
        ori     29, 29, back@l
2:      li      23, 0
        lwz     25, 0(24)               # as it was
        bl      calls
        beq     bad
        li      3, 0x5000               # PR
        mtspr   0x01B, 3
        mtspr   0x01A, 24
        rfi
back:   cmpwi   23, 1                   # one interrupt: at the routine, from user state, privileged
        bne     bad
        cmpw    20, 24
        bne     bad
        andi.   3, 21, 0x4000
        beq     bad
        andis.  3, 22, 0x0400
        beq     bad
        lwz     27, 0(24)
        cmpw    25, 27
        bne     bad
        bl      calls
        bne     bad
        addi    24, 24, 8
        lis     3, ends@h
        ori     3, 3, ends@l
        cmpw    3, 24
        bne     2b
        lis     5, good@h
        ori     5, 5, good@l
        b       say
bad:    lis     5, wrong@h
        ori     5, 5, wrong@l
say:
{say}
good:   .asciz  "\\nuser: PASS\\n"
wrong:  .asciz  "\\nuser: FAIL\\n"
"""
PARTITIONS = """[product]
name = "user"

[[vm]]
name = "user"
image = "{image}"
memory = "64K"
console = "shared"
optimize = true
"""
# Of ref405ep's 16550, bytes at 0xEF600300
SAY_16550 = rawguest.SAY.replace("0x9021", "0xEF60").replace("lwz     4, 8(6)", "lbz     4, 0x305(6)") \
    .replace("andi.   4, 4, 8\n        bne     92b", "andi.   4, 4, 0x20\n        beq     92b").replace("stw     3, 4(6)", "stb     3, 0x300(6)")


@pytest.mark.parametrize("board", ["ref405ep", "raptor"])
def test_user_state_traps(images, tmp_path, board):
    """What a supervisor and its user state both execute is privileged, in real mode as well."""
    images = images.on(board)
    words = WORDS if board == "ref405ep" else WORDS[:4]      # pages of 1 KiB: no stubs
    routines = "\n".join(f"        {word}\n        blr" for word in words)
    guest = rawguest.build(tmp_path, "user", USER.format(routines=routines, say=SAY_16550 if board == "ref405ep" else rawguest.SAY))
    (tmp_path / "partitions.toml").write_text(PARTITIONS.format(image=guest))
    image = images.elf("hostile", f"{OPTIMIZE} {PLAIN} CONFIG_SCHED_SINGLE=y", tmp_path / "partitions.toml", f"build/optimize/{board}")
    result = images.run(image=image, timeout=60)
    assert result.vms["user"].lines[-1] == "user: PASS", result.vms["user"].lines
    assert not list(result.trouble())
