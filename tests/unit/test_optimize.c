/*
 * test_optimize.c: rewritten places (option OPTIMIZE). What stands there is executed, by an interpreter of the few instructions
 * that it is made of, and has to do what emulate() does with the one that was there: from random states, interrupted at each
 * step.
 *
 * covers: kconfig.OPTIMIZE
 * covers: kconfig.OPTIMIZE_SITES
 * covers: kconfig.OPTIMIZE_STUBS
 */
#include "harness.h"

#include <string.h>

#include "optimize.h"
#include "page.h"
#include "tlb.h"

#define AT      0x10400U /* of the instruction, in the VM's RAM */
#define ROUNDS  400U
#define RA(w)   INSN_RA(w)
#define RT(w)   INSN_RT(w)
#define RB(w)   INSN_RB(w)
#define NO_SITE 0U

static struct vcpu *const only = &vcpu[0];

/* With option TLB_VIRT, how far the guest's memory is with translation from where it is without: see partitions.toml. */
#ifdef CONFIG_TLB_VIRT
#define HIGH (vm_config[0].stubs_at - vm_config[0].stubs_guest)
#else
#define HIGH 0U
#define tlb_write(v, index, word, value) ((void)(value))
#endif

static uint32_t real(uint32_t address)
{
    return (only->msr & MSR_IR) != 0 ? address - HIGH : address;
}

/* ---- the interpreter ---- */

/* The word of the register pages at a signed 16-bit address. */
static uint32_t *seen(uint32_t address)
{
    uint32_t offset = (uint32_t)(int32_t)(int16_t)address - (PAGE_OF(only) - BOARD_PAGE_MIN);

    assert_in_range(offset, 0, 2 * BOARD_PAGE_MIN - 4);
    assert_int_equal(offset % 4, 0);
    return file_of(only) + offset / 4;
}

static uint32_t rotated_mask(uint32_t mb, uint32_t me)
{
    uint32_t from = 0xFFFFFFFFU >> mb, to = me == 31 ? 0 : 0xFFFFFFFFU >> (me + 1);

    return mb <= me ? from & ~to : from | ~to;
}

/* One instruction at pc; false: it traps. */
static bool step(void)
{
    uint32_t *r = only->gpr;
    uint32_t w, value, mask;

    if (optimize_in_stub(only)) {
        w = STUBS_OF_GUEST ? guest_word(only, real(only->pc)) : *seen(only->pc);
        assert_true(STUBS_OF_GUEST || only->pc >= PAGE_OF(only)); /* what is executed there cannot be written by the guest */
    } else {
        w = guest_word(only, real(only->pc));
    }
    only->pc += 4;
    switch (w >> 26) {
    case 32: /* lwz */
        assert_int_equal(RA(w), 0);
        r[RT(w)] = *seen(w);
        return true;
    case 36: /* stw */
        assert_int_equal(RA(w), 0);
        assert_true(seen(w) < &only->version);
        *seen(w) = r[RT(w)];
        return true;
    case 38: /* stb, of the lowest byte of a word */
        assert_int_equal(w & 3, 3);
        value = *seen(w - 3);
        *seen(w - 3) = (value & ~0xFFU) | (r[RT(w)] & 0xFF);
        return true;
    case 24: /* ori */
        r[RA(w)] = r[RT(w)] | (w & 0xFFFF);
        return true;
    case 20: /* rlwimi */
    case 21: /* rlwinm */
        mask = rotated_mask(w >> 6 & 31, w >> 1 & 31);
        value = RB(w) == 0 ? r[RT(w)] : r[RT(w)] << RB(w) | r[RT(w)] >> (32 - RB(w));
        r[RA(w)] = (value & mask) | (w >> 26 == 20 ? r[RA(w)] & ~mask : 0);
        return true;
    case 31:
        switch (w >> 1 & 0x3FF) {
        case 316:
            r[RA(w)] = r[RT(w)] ^ r[RB(w)];
            return true;
        case 28:
            r[RA(w)] = r[RT(w)] & r[RB(w)];
            return true;
        case 60:
            r[RA(w)] = r[RT(w)] & ~r[RB(w)];
            return true;
        default:
            fail_msg("0x%08X", w);
            return false;
        }
    case 3: /* twi 1: logically greater */
        assert_int_equal(RT(w), 1);
        only->pc -= 4;
        if (r[RA(w)] > (w & 0xFFFF)) {
            return false;
        }
        only->pc += 4;
        return true;
    case 18: /* ba, or b */
        assert_int_equal(w & 3, STUBS_OF_GUEST ? 0 : 2);
        only->pc = (STUBS_OF_GUEST ? only->pc - 4 : 0) + (uint32_t)((int32_t)((w & 0x03FFFFFC) << 6) >> 6);
        return true;
    default:
        fail_msg("0x%08X", w);
        return false;
    }
}

/* ---- states ---- */

static void random_state(void)
{
    uint32_t i;

    for (i = 0; i < 32; i++) {
        only->gpr[i] = random_word();
    }
    only->srr0 = random_word();
    only->srr1 = random_word();
    only->sprg0 = random_word();
    only->esr = random_word();
    only->dear = random_word();
    only->pid = random_word() & 0xFF;
    only->msr = MSR_ME | (random_word() & (MSR_EE | MSR_CE | MSR_DE));
    only->tcr = 0;
    only->tsr = 0;
    only->pit_left = 0;
    only->pending = 0;
    only->pc = AT;
}

/* A timer's interrupt that waits: only if MSR does not let it in. */
static void something_waits(void)
{
    only->msr &= ~MSR_EE;
    only->tcr = TCR_PIE;
    only->tsr = TSR_PIS;
    only->pending = MSR_EE;
}

/* Looked at twice: by then it is rewritten, if it ever is. */
static void look_twice(uint32_t at)
{
    only->pc = at;
    assert_ptr_equal(optimize(only), only);
    assert_int_equal(only->pc, at);
    assert_ptr_equal(optimize(only), only);
    assert_int_equal(only->pc, at);
}

/* Looked at: what stands there now. */
static uint32_t look(uint32_t insn)
{
    set_guest_word(only, AT, insn);
    look_twice(AT);
    assert_false(fake.fetch_stale);
    assert_false(fake.dirty[(machine_address(only, AT) - FAKE_RAM_FIRST) / FAKE_LINE] && guest_word(only, AT) != insn);
    return guest_word(only, AT);
}

/* The state of the guest, without what the hypervisor keeps of sites. */
static struct vcpu kept;
static void keep(void)
{
    kept = *only;
}
static void assert_kept(const char *what, uint32_t insn)
{
    uint32_t i;

#define SAME(field)                                                                                               \
    if (only->field != kept.field) {                                                                              \
        fail_msg("0x%08X, %s: " #field " is 0x%08X, not 0x%08X", insn, what, only->field, kept.field);            \
    }
    for (i = 0; i < 32; i++) {
        SAME(gpr[i]);
    }
    SAME(pc);
    SAME(msr);
    SAME(srr0);
    SAME(srr1);
    SAME(sprg0);
    SAME(sprg3);
    SAME(esr);
    SAME(dear);
    SAME(pid);
    SAME(zpr);
    SAME(tsr);
    SAME(evpr);
#undef SAME
}

/* Back to a life with no sites. */
static void fresh(void)
{
    optimize_reset(only);
    only->msr = MSR_ME;
}

/*
 * What emulate() makes of it, from the state that is; then that state again. Of what is never cold: mfmsr is a word, and wrtee
 * and wrteei are an mtmsr of another value.
 */
static void reference(uint32_t insn)
{
    uint32_t reg = INSN_RT(insn), value = only->gpr[reg], ee;

    remember();
    switch (insn & 0xFC0007FE) {
    case 0x7C0000A6: /* mfmsr */
        only->gpr[reg] = only->msr;
        only->pc += 4;
        keep();
        break;
    case 0x7C000106: /* wrtee */
    case 0x7C000146: /* wrteei */
        ee = (insn & 0x40) != 0 ? insn : value;
        only->gpr[reg] = (only->msr & ~MSR_EE) | (ee & MSR_EE);
        run_insn(only, with_rt(INSN("mtmsr 0"), reg), ESR_PPR);
        keep();
        kept.gpr[reg] = value;
        break;
    default:
        run_insn(only, insn, ESR_PPR);
        keep();
        break;
    }
    recall();
}

/* From the site on until it is left, at most `steps` steps; true: it was. */
static bool walk(uint32_t steps)
{
    uint32_t n;

    for (n = 0; n < steps; n++) {
        if (!step()) {
            fake.spr[SPRN_SRR0] = only->pc; /* as run_insn(), of a word that is not in the guest's RAM */
            enter(emulate(only));
            return true;
        }
        if (!optimize_in_stub(only)) {
            return true;
        }
    }
    return false;
}

/* ---- */

static bool may_be_rewritten(uint32_t insn)
{
    fresh();
    return look(insn) != insn;
}

static void same_as_emulated(uint32_t insn, bool waits)
{
    uint32_t mode = only->msr;

    reference(insn);
    if (!walk(40)) {
        fail_msg("0x%08X comes to no end", insn);
    }
    if (only->pc == AT) { /* more than EE changes: it is as it was, and is emulated then */
        assert_hex(guest_word(only, AT), insn);
        assert_hex(only->msr, mode);
        run_insn(only, insn, ESR_PPR);
    }
    assert_kept(waits ? "something waits" : "nothing waits", insn);
}

static void every_register(void **state)
{
    uint32_t number, done = 0, rewritten = 0;

    (void)state;
    for (number = 0; number < 1024; number++) {
        const uint32_t insns[] = {mfspr_r5[number], mtspr_r5[number]};

        for (uint32_t k = 0; k < 2; k++) {
            random_state();
            if (insns[k] == NO_SITE || !may_be_rewritten(insns[k])) {
                continue;
            }
            rewritten++;
            for (uint32_t round = 0; round < 8; round++) {
                fresh();
                random_state();
                look(insns[k]);
                same_as_emulated(insns[k], false);
                done++;
            }
        }
    }
    assert_in_range(rewritten, 38, 70);
    assert_int_equal(done, 8 * rewritten);
}

static void none_that_has_consequences(void **state)
{
    static const uint32_t numbers[] = {SPRN_PIT, SPRN_TCR, SPRN_EVPR, SPRN_DBCR0, SPRN_SPRG4, SPRN_USPRG0, 0x11F, 7, 1023};
    uint32_t i;

    (void)state;
    for (i = 0; i < COUNT(numbers); i++) {
        assert_false(may_be_rewritten(mtspr_r5[numbers[i]]));
    }
    assert_false(may_be_rewritten(mfspr_r5[SPRN_PIT]));
    assert_false(may_be_rewritten(mfspr_r5[SPRN_TSR]));
    assert_false(may_be_rewritten(mfspr_r5[SPRN_SRR2]));
    assert_true(may_be_rewritten(mtspr_r5[SPRN_PID]) != IS_ENABLED(CONFIG_TLB_VIRT));
    assert_false(may_be_rewritten(INSN("rfi")));
    assert_false(may_be_rewritten(INSN("mtdcr 0xC0, 3")));
    assert_false(may_be_rewritten(INSN("lwz 3, 0(4)")));
    assert_true(may_be_rewritten(INSN("dccci 0, 4")));
}

/* Each of all registers, what it does and what is left of it if an interrupt comes at any of its steps. */
static const char *const kinds[] = {"mfmsr", "mtmsr", "wrtee", "wrteei 0", "wrteei 1", "mtspr TSR"};
static uint32_t kind_word(uint32_t kind, uint32_t reg)
{
    switch (kind) {
    case 0:
        return with_rt(INSN("mfmsr 0"), reg);
    case 1:
        return with_rt(INSN("mtmsr 0"), reg);
    case 2:
        return with_rt(INSN("wrtee 0"), reg);
    case 3:
        return INSN("wrteei 0");
    case 4:
        return INSN("wrteei 1");
    default:
        return with_rt(mtspr_r5[SPRN_TSR], reg);
    }
}

static void prepare(uint32_t kind, uint32_t reg, uint32_t round, uint32_t insn)
{
    fresh();
    random_state();
    if (kind == 1 && round % 4 != 0) { /* most change EE alone */
        only->gpr[reg] = only->msr ^ (round % 2 != 0 ? MSR_EE : 0);
    } else if (kind == 1) {
        only->gpr[reg] = only->msr ^ MSR_DE;
    }
    if (round % 3 == 0) {
        something_waits();
    }
    if (kind == 5 && round % 2 == 0) {
        only->gpr[reg] = TSR_PIS;
    }
    look(insn);
}

static void every_kind(void **state)
{
    uint32_t kind, round;

    (void)state;
    for (kind = 0; kind < COUNT(kinds); kind++) {
        for (round = 0; round < ROUNDS; round++) {
            uint32_t reg = round % 32, insn = kind_word(kind, reg);

            prepare(kind, reg, round, insn);
            assert_int_equal(guest_word(only, AT) != insn, kind == 0 || STUB_COUNT != 0);
            if (guest_word(only, AT) != insn) {
                same_as_emulated(insn, round % 3 == 0);
            }
        }
    }
}

static void interrupted(void **state)
{
    uint32_t kind, round, steps;

    (void)state;
    for (kind = 1; kind < COUNT(kinds) && STUB_COUNT != 0; kind++) {
        for (round = 1; round < 32 * 3; round += 3) { /* nothing waits */
            for (steps = 1;; steps++) {
                uint32_t reg = round % 32, insn = kind_word(kind, reg), msr, srr1;
                struct vcpu begun;

                prepare(kind, reg, 1, insn);
                begun = *only;
                reference(insn);
                if (walk(steps)) {
                    break;
                }
                msr = only->msr;
                vcpu_critical(only, 0x0100);
                srr1 = only->srr3;
                assert_hex(only->pc, only->evpr + 0x0100);
                assert_hex(srr1, msr);
                if (only->srr2 == AT || (STUBS_OF_GUEST && steps == 1)) {
                    kept = begun; /* not begun */
                    kept.pc = only->srr2;
                    assert_int_equal(only->srr2 == AT, !STUBS_OF_GUEST || steps != 1);
                } else {
                    assert_hex(only->srr2, AT + 4);
                }
                only->pc = only->srr2; /* and rfci */
                only->msr = srr1;
                assert_kept(kinds[kind], insn);
            }
            assert_in_range(steps, 5, 12);
        }
    }
}

/* ---- sites ---- */

static void as_many_as_there_is_room_for(void **state)
{
    uint32_t insn = with_rt(INSN("mfmsr 0"), 9), i;

    (void)state;
    fresh();
    for (i = 0; i < CONFIG_OPTIMIZE_SITES + 3; i++) {
        set_guest_word(only, AT + 4 * i, insn);
        look_twice(AT + 4 * i);
        assert_int_equal(guest_word(only, AT + 4 * i) != insn, i < CONFIG_OPTIMIZE_SITES);
    }
    set_guest_word(only, AT, INSN("nop")); /* the guest's own */
    for (i = 0; optimize_is_on(only); i++) {
        assert_in_range(i, 0, CONFIG_OPTIMIZE_SITES / 64);
        optimize_end(only);
    }
    assert_int_equal(only->site_turn, 0);
    assert_hex(guest_word(only, AT), INSN("nop"));
    for (i = 1; i < CONFIG_OPTIMIZE_SITES; i++) {
        assert_hex(guest_word(only, AT + 4 * i), insn);
    }
    assert_false(optimize_is_on(only));
    optimize_reset(only); /* another life */
    look_twice(AT + 4);
    assert_hex(guest_word(only, AT + 4) != insn, true);
}

/*
 * A place is rewritten at first sight while there is room: all there is without translation, of eight ways two with it. Then who
 * is seen once makes room for others, for ever, and sites do not.
 */
static void seen_once(void **state)
{
    uint32_t at_once = (STUBS_OF_GUEST ? 2 : 8) * CONFIG_OPTIMIZE_SITES / 8;
    uint32_t insn = with_rt(INSN("mfmsr 0"), 9), i;

    (void)state;
    fresh();
    for (i = 0; i < 40 * CONFIG_OPTIMIZE_SITES; i++) {
        set_guest_word(only, AT + 4 * i, insn);
        only->pc = AT + 4 * i;
        optimize(only);
        assert_int_equal(guest_word(only, AT + 4 * i) != insn, i < at_once);
        assert_in_range(only->site_turn, 1, 63);
    }
    for (i = 0; i < at_once; i++) {
        assert_true(guest_word(only, AT + 4 * i) != insn);
    }
    optimize(only);
    assert_int_equal(guest_word(only, only->pc) != insn, STUBS_OF_GUEST);
}

/* The guest's memory in one page of 64 KiB, HIGH above: its sites and stubs are the same in both, and so are the ways. */
static void with_translation(void **state)
{
    uint32_t kind, steps;

    (void)state;
    for (kind = 1; kind < COUNT(kinds) && STUBS_OF_GUEST; kind++) {
        for (steps = 1; steps < 14; steps++) {
            uint32_t insn = kind_word(kind, 5), address = AT + HIGH, kept_r0;
            bool left;

            fresh();
            random_state();
            only->pid = 0;
            tlb_write(only, 7, 1, 0x10000 | TLBLO_EX | TLBLO_WR);
            tlb_write(only, 7, 0, (0x10000 + HIGH) | 3 << 7 | TLBHI_V);
            only->msr |= MSR_IR | MSR_DR;
            only->gpr[5] = kind == 5 ? TSR_PIS : only->msr ^ MSR_EE;
            kept_r0 = only->gpr[0];
            tlb_enter(only);
            only->pc = address;
            set_guest_word(only, AT, insn);
            assert_int_equal(tlb_fault(only, TLB_FETCH, &address), TLB_AGAIN);
            look_twice(AT + HIGH);
            assert_hex(guest_word(only, AT) & 0xFC000003, 0x48000000);
            left = walk(steps);
            if (!left && steps > 1) {
                vcpu_critical(only, 0x0100);
                only->pc = only->srr2;
                assert_true(only->pc == AT + HIGH || only->pc == AT + HIGH + 4);
                only->msr = only->srr3;
                left = only->pc == AT + HIGH + 4;
            }
            assert_hex(only->gpr[0], kept_r0);
            assert_true(!left || only->pc == AT + HIGH + 4);
            assert_true(left || steps < 9);
        }
    }
}

static void stubs_end(void **state)
{
    uint32_t insn = INSN("wrteei 0");
    int i;

    (void)state;
    fresh();
    for (i = 0; i < STUB_COUNT + 2 && STUB_COUNT != 0; i++) {
        set_guest_word(only, AT + 4 * (uint32_t)i, insn);
        look_twice(AT + 4 * (uint32_t)i);
        assert_int_equal(guest_word(only, AT + 4 * (uint32_t)i) != insn, i < STUB_COUNT);
    }
}

/* The guest writes an instruction again where a site is: that is found again, but not what was undone in user state. */
static void written_again(void **state)
{
    uint32_t insn = with_rt(INSN("mfmsr 0"), 9), other = with_rt(mfspr_r5[SPRN_SRR0], 3);

    (void)state;
    fresh();
    look(insn);
    assert_hex(look(other) >> 21, 0x80000000U >> 21 | 3);
    only->msr = MSR_ME | MSR_PR;
    only->pc = AT;
    assert_true(optimize_shows(only, PAGE_OF(only) - 4));
    assert_false(optimize_shows(only, PAGE_OF(only) - BOARD_PAGE_MIN - 4));
    assert_true(optimize_undo(only));
    assert_hex(guest_word(only, AT), other);
    assert_false(optimize_undo(only));
    only->msr = MSR_ME;
    assert_false(optimize_shows(only, PAGE_OF(only) - 4));
    assert_hex(look(other), other);
    only->pc = AT + 4;
    assert_false(optimize_undo(only));
}

/* On the machine's way to data_fault(): user state reaches a site in real mode. */
static void user_state_traps(void **state)
{
    uint32_t insn = with_rt(INSN("mfmsr 0"), 9);

    (void)state;
    fresh();
    look(insn);
    only->msr = MSR_ME | MSR_PR;
    only->pc = AT;
    fake.spr[SPRN_DEAR] = PAGE_OF(only) - 124;
    fake.spr[SPRN_ESR] = 0;
    assert_ptr_equal(data_fault(only), only);
    assert_int_equal(only->pc, AT);
    assert_hex(guest_word(only, AT), insn);
    assert_hex(only->msr, MSR_ME | MSR_PR);
}

/* Likewise with a stub, by a way of its own. */
static void user_state_is_led_to_a_stub(void **state)
{
    uint32_t insn = INSN("wrteei 1"), r0;

    (void)state;
    fresh();
    look(insn);
    if (STUB_COUNT != 0) {
        step(); /* the branch */
        assert_true(optimize_in_stub(only));
        only->msr = MSR_ME | MSR_PR;
        r0 = only->gpr[0];
        fake.spr[SPRN_DEAR] = PAGE_OF(only) - 4;
        fake.spr[SPRN_ESR] = ESR_DST;
        assert_ptr_equal(STUBS_OF_GUEST ? data_fault(only) : fetch_fault(only), only); /* of its first word, or by that */
        assert_int_equal(only->pc, AT);
        assert_hex(guest_word(only, AT), insn);
        assert_hex(only->gpr[0], r0);
    }
}

/* A guest that jumps to the page by itself: behind the last stub there is none. */
static void where_no_stub_is(void **state)
{
    (void)state;
    fresh();
    look(INSN("wrteei 0"));
    if (STUB_COUNT != 0) {
        step();
        only->pc += 4 * STUB_WORDS * only->stub_count;
        fake.spr[SPRN_SRR0] = only->pc;
        fake.spr[SPRN_ESR] = ESR_PIL;
        remember();
        enter(emulate(only));
        assert_hex(only->pc, only->evpr + 0x0700);
        assert_hex(only->srr0, was(only)->pc);
        assert_hex(only->esr, ESR_PIL);
        assert_hex(only->gpr[0], was(only)->gpr[0]);
    }
}

static void restart_has_none(void **state)
{
    uint32_t insn = with_rt(INSN("mfmsr 0"), 9);

    (void)state;
    fresh();
    look(insn);
    vcpu_reset(only, 1);
    assert_true(optimize_is_on(only));
    assert_in_range(only->site_turn, 1, 63);
    assert_hex(guest_word(only, AT), 0);
}

int main_optimize(void)
{
    static const struct CMUnitTest tests[] = {
        TEST_ALONE(every_register), TEST_ALONE(none_that_has_consequences), TEST_ALONE(every_kind), TEST_ALONE(interrupted),
        TEST_ALONE(as_many_as_there_is_room_for), TEST_ALONE(seen_once), TEST_ALONE(stubs_end), TEST_ALONE(with_translation),
        TEST_ALONE(written_again), TEST_ALONE(user_state_traps),
        TEST_ALONE(user_state_is_led_to_a_stub), TEST_ALONE(where_no_stub_is),
        TEST_ALONE(restart_has_none),
    };

    return cmocka_run_group_tests(tests, 0, 0);
}
