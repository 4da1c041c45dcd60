/*
 * test_interrupt.c: what an interrupt does to a guest, for every row of config/vectors.def (the manual's table of what
 * each leaves of MSR), and which one comes first.
 */
#include "harness.h"

#include "stats.h"
#include "irq.h"

enum { NONCRITICAL, CRITICAL };

static const struct vector {
    const char *name;
    uint32_t offset;
    int class;
    uint32_t keep;
} vectors[] = {
#define VECTOR(name, offset, class, keep, info, window, manual) {#name, offset, class, keep},
#include "vectors.def"
#undef VECTOR
};

static const uint32_t msrs[] = {
    0, MSR_MASK & ~(MSR_IR | MSR_DR), MSR_EE, MSR_CE, MSR_ME, MSR_DE, MSR_PR, MSR_WE | MSR_EE | MSR_CE,
    MSR_FP | MSR_FE0,
    MSR_EE | MSR_CE | MSR_ME | MSR_DE, MSR_PR | MSR_EE | MSR_ME, MSR_DWE | MSR_FE1 | MSR_AP | MSR_APE,
};

/* Save registers of the class, the other's untouched, MSR, pc. `loaded`: its SRR2 and SRR3 are in the machine. */
static void take(struct vcpu *v, const struct vector *row, uint32_t msr)
{
    bool loaded = v == current;
    uint32_t base = 0x7FF80000;

    v->srr0 = 0xA0000000;
    v->srr1 = 0xA1000000;
    v->srr2 = 0xA2000000;
    v->srr3 = 0xA3000000;
    fake.spr[SPRN_SRR2] = loaded ? 0xA2000000 : 0xB2000000;
    fake.spr[SPRN_SRR3] = loaded ? 0xA3000000 : 0xB3000000;
    v->evpr = base;
    v->pc = 0x00012344;
    v->msr = msr;
    vcpu_interrupt(v, row->offset);
    assert_hex(v->pc, base + row->offset);
    assert_hex(v->msr, msr & row->keep);
    if (loaded) {
        vcpu_save_live(v);
    } else {
        assert_hex(fake.spr[SPRN_SRR2], 0xB2000000);
        assert_hex(fake.spr[SPRN_SRR3], 0xB3000000);
    }
    assert_hex(v->srr0, row->class == NONCRITICAL ? 0x00012344 : 0xA0000000);
    assert_hex(v->srr1, row->class == NONCRITICAL ? msr : 0xA1000000);
    assert_hex(v->srr2, row->class == CRITICAL ? 0x00012344 : 0xA2000000);
    assert_hex(v->srr3, row->class == CRITICAL ? msr : 0xA3000000);
}

static void every_vector(void **state)
{
    size_t i, k;

    (void)state;
    assert_int_equal(COUNT(vectors), 16);
    for (i = 0; i < COUNT(vectors); i++) {
        for (k = 0; k < COUNT(msrs); k++) {
            take(current, &vectors[i], msrs[k]);
            if (VM_COUNT > 1) {
                take(current == &vcpu[0] ? &vcpu[1] : &vcpu[0], &vectors[i], msrs[k]);
            }
        }
        covered("vector.%s", vectors[i].name);
    }
}

/* The manual's offsets and classes once more: a row that moved is noticed. */
static void offsets_of_the_manual(void **state)
{
    static const uint32_t critical[] = {0x0100, 0x0200, 0x1020, 0x2000};
    static const uint32_t others[] = {
        0x0300, 0x0400, 0x0500, 0x0600, 0x0700, 0x0800, 0x0C00, 0x0F20, 0x1000, 0x1010, 0x1100, 0x1200,
    };
    size_t i, k;

    (void)state;
    for (i = 0; i < COUNT(vectors); i++) {
        size_t found = 0;

        for (k = 0; k < COUNT(critical); k++) {
            found += vectors[i].offset == critical[k] && vectors[i].class == CRITICAL;
        }
        for (k = 0; k < COUNT(others); k++) {
            found += vectors[i].offset == others[k] && vectors[i].class == NONCRITICAL;
        }
        assert_int_equal(found, 1);
    }
}

/* ---- priority (manual, "Interrupt Handling Priorities") ---- */

enum { CRITICAL_INPUT = 1, WATCHDOG = 2, EXTERNAL = 4, FIT = 8, PIT = 16, SOURCES = 32 };

static void raise_sources(struct vcpu *v, uint32_t sources)
{
    timer_write_tcr(v, TCR_WIE | TCR_FIE | TCR_PIE); /* what was before is accounted for */
    v->tsr = ((sources & WATCHDOG) != 0 ? TSR_WIS : 0) | ((sources & FIT) != 0 ? TSR_FIS : 0) |
             ((sources & PIT) != 0 ? TSR_PIS : 0);
#ifdef CONFIG_UIC
    irq_write(v, UIC_CR, IRQ_BIT(3));
#endif
    irq_software(v, IRQ_BIT(3) | IRQ_BIT(7),
                 ((sources & CRITICAL_INPUT) != 0 ? IRQ_BIT(3) : 0) | ((sources & EXTERNAL) != 0 ? IRQ_BIT(7) : 0));
    vcpu_update_pending(v);
}

/* What this configuration can raise. */
static uint32_t possible(void)
{
    return PIT | (IS_ENABLED(CONFIG_UIC) ? CRITICAL_INPUT : 0) | (IS_ENABLED(CONFIG_IRQ) ? EXTERNAL : 0) |
           (IS_ENABLED(CONFIG_FIT_WATCHDOG) ? WATCHDOG | FIT : 0);
}

static uint32_t first_of(uint32_t sources, uint32_t msr)
{
    static const struct {
        uint32_t source, enable, offset;
    } order[] = {
        {CRITICAL_INPUT, MSR_CE, 0x0100}, {WATCHDOG, MSR_CE, 0x1020}, {EXTERNAL, MSR_EE, 0x0500},
        {FIT, MSR_EE, 0x1010},            {PIT, MSR_EE, 0x1000},
    };
    size_t i;

    for (i = 0; i < COUNT(order); i++) {
        if ((sources & order[i].source) != 0 && (msr & order[i].enable) != 0) {
            return order[i].offset;
        }
    }
    return 0;
}

static void priority(void **state)
{
    static const uint32_t enables[] = {0, MSR_EE, MSR_CE, MSR_EE | MSR_CE};
    uint32_t sources;
    size_t i;

    (void)state;
    for (sources = 0; sources < SOURCES; sources++) {
        for (i = 0; i < COUNT(enables); i++) {
            struct vcpu *v = current;
            uint32_t offset = first_of(sources & possible(), enables[i]);

            v->msr = enables[i] | MSR_ME | MSR_DE;
            v->evpr = 0x00120000;
            v->pc = 0x00004444;
            raise_sources(v, sources & possible());
            assert_ptr_equal(enter(schedule(v)), v);
            assert_hex(v->pc, offset != 0 ? 0x00120000 + offset : 0x00004444);
            if (offset == 0) {
                assert_hex(v->msr, enables[i] | MSR_ME | MSR_DE);
            } else if (offset == 0x0100 || offset == 0x1020) {
                assert_hex(v->msr, MSR_ME);
                assert_hex(fake.spr[SPRN_SRR2], 0x00004444);
            } else {
                assert_hex(v->msr, (enables[i] & MSR_CE) | MSR_ME | MSR_DE);
                assert_hex(v->srr0, 0x00004444);
            }
        }
    }
}

/* What is enabled only in TCR or only in TSR is not pending. */
static void both_halves_are_needed(void **state)
{
    static const struct {
        uint32_t tsr, tcr, pending;
    } rows[] = {
        {TSR_PIS, TCR_PIE, MSR_EE},
        {TSR_PIS, ~(uint32_t)TCR_PIE, 0},
        {~(uint32_t)TSR_PIS, TCR_PIE, 0},
        {TSR_FIS, TCR_FIE, MSR_EE},
        {TSR_FIS, ~(uint32_t)TCR_FIE, 0},
        {~(uint32_t)TSR_FIS, TCR_FIE, 0},
        {TSR_WIS, TCR_WIE, MSR_CE},
        {TSR_WIS, ~(uint32_t)TCR_WIE, 0},
        {~(uint32_t)TSR_WIS, TCR_WIE, 0},
        {TSR_PIS | TSR_WIS, TCR_PIE | TCR_WIE, MSR_EE | MSR_CE},
    };
    size_t i;

    (void)state;
    for (i = 0; i < COUNT(rows); i++) {
        uint32_t expected = rows[i].pending;

        if (!IS_ENABLED(CONFIG_FIT_WATCHDOG)) {
            expected = (rows[i].tsr & TSR_PIS) != 0 && (rows[i].tcr & TCR_PIE) != 0 ? MSR_EE : 0;
        }
        current->tsr = rows[i].tsr;
        current->tcr = rows[i].tcr;
        vcpu_update_pending(current);
        assert_hex(current->pending, expected);
    }
}

/* MSR[WE] is cleared by the interrupt that ends the wait; SRR1 keeps it. */
static void wait_ends(void **state)
{
    struct vcpu *v = current;

    (void)state;
    v->msr = MSR_WE | MSR_EE | MSR_ME;
    v->evpr = 0;
    v->pc = 0x1234;
    assert_false(vcpu_can_run(v));
    raise_sources(v, PIT);
    assert_true(vcpu_can_run(v));
    enter(schedule(v));
    assert_ptr_equal(current, v);
    assert_hex(v->pc, 0x1000);
    assert_hex(v->msr, MSR_ME);
    assert_hex(v->srr1, MSR_WE | MSR_EE | MSR_ME);
}

/* mtmsr by the cold road, rfi, rfci: whatever becomes deliverable is delivered before the next instruction. */
static void delivered_at_once(void **state)
{
    struct vcpu *v = current;
    uint32_t base = vm_config[v->machine_pid - 1].ram_guest;

    (void)state;
    v->evpr = 0;
    v->msr = MSR_ME;
    v->pc = base + 0x40;
    raise_sources(v, PIT);
    v->gpr[3] = MSR_EE | MSR_AP;
    run_insn(v, INSN("mtmsr 3"), ESR_PPR);
    assert_hex(v->pc, 0x1000);
    assert_hex(v->srr0, base + 0x44);
    assert_hex(v->srr1, MSR_EE | MSR_AP);
    v->srr0 = base + 0x80;
    v->srr1 = MSR_EE | MSR_PR;
    v->pc = base + 0x40;
    run_insn(v, INSN("rfi"), ESR_PPR);
    assert_hex(v->pc, 0x1000);
    assert_hex(v->srr0, base + 0x80);
    assert_hex(v->srr1, MSR_EE | MSR_PR);
    fake.spr[SPRN_SRR2] = base + 0xC0;
    fake.spr[SPRN_SRR3] = MSR_EE;
    v->pc = base + 0x40;
    run_insn(v, INSN("rfci"), ESR_PPR);
    assert_hex(v->pc, 0x1000);
    assert_hex(v->srr0, base + 0xC0);
    assert_hex(v->srr1, MSR_EE);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST_BOOTED(every_vector),
        cmocka_unit_test(offsets_of_the_manual),
        TEST_ALONE(priority),
        TEST_BOOTED(both_halves_are_needed),
        TEST_ALONE(wait_ends),
        TEST_ALONE(delivered_at_once),
    };

    return cmocka_run_group_tests_name("interrupt", tests, 0, 0);
}
