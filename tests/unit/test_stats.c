/*
 * test_stats.c: counters and time of each VM (option STATS).
 *
 * covers: kconfig.STATS
 */
#include "harness.h"

#include <string.h>

#include "console.h"
#include "stats.h"

/* Counters of the assembler's roads (asm/hooks.h) are the system tests' matter; these are C's. */
static void cold_road(void **state)
{
    struct vcpu *v = current;

    (void)state;
    v->pc = vm_config[0].ram_guest + 0x200;
    run_insn(v, INSN("tlbia"), ESR_PPR);
    run_insn(v, INSN("iccci 0, 0"), ESR_PPR);
    assert_int_equal(v->stat[STAT_cold], 2);
    covered("stat.cold");
}

static void faults(void **state)
{
    struct vcpu *v = current;

    (void)state;
    v->pc = vm_config[0].ram_guest + 0x200;
    v->msr = MSR_ME;
    set_guest_word(v, v->pc, INSN("lbz 5, 7(3)"));
    fake.spr[SPRN_DEAR] = vm_config[0].console_base + 7;
    enter(data_fault(v));
    assert_int_equal(v->stat[STAT_data_fault], 1);
    assert_int_equal(v->stat[STAT_mmio], 1);
    set_guest_word(v, v->pc, INSN("lbz 5, 7(3)"));
    fake.spr[SPRN_DEAR] = 0x7FFFFFFF;
    enter(data_fault(v));
    assert_int_equal(v->stat[STAT_data_fault], 2);
    assert_int_equal(v->stat[STAT_mmio], 1);
    covered("stat.data_fault");
    covered("stat.mmio");
    v->msr = MSR_ME;
    enter(fetch_fault(v));
    assert_int_equal(v->stat[STAT_fetch_fault], 1);
    covered("stat.fetch_fault");
}

/* Accesses that nobody answered: the last one's address and pc. Not a device's; not memory's, which do not come here. */
static void unanswered(void **state)
{
    const struct {
        const char *name;
        uint32_t msr, insn, address, count;
    } rows[] = {
        {"a load from its UART", MSR_ME, INSN("lbz 5, 7(3)"), 7, 0},
        {"a load outside, ME on", MSR_ME, INSN("lwz 5, 0(3)"), 0x7FFFFFF0, 1},
        {"a load outside, ME off", 0, INSN("lwz 5, 0(3)"), 0x7FFFFFF0, 1},
        {"a store outside, ME off", 0, INSN("stw 5, 0(3)"), 0x7FFFFFF0, 1},
        {"many words from its UART", 0, INSN("stmw 5, 0(3)"), 0, 1},
    };
    struct vcpu *v = current;
    size_t i;

    (void)state;
    for (i = 0; i < COUNT(rows); i++) {
        uint32_t address = rows[i].address + (rows[i].address < 8 ? vm_config[0].console_base : 0);

        v->stat[STAT_unanswered] = v->lost_at = v->lost_pc = 0;
        v->msr = rows[i].msr;
        v->pc = vm_config[0].ram_guest + 0x200;
        set_guest_word(v, v->pc, rows[i].insn);
        fake.spr[SPRN_DEAR] = address;
        enter(data_fault(v));
        if (v->stat[STAT_unanswered] != rows[i].count || v->lost_at != rows[i].count * address ||
            v->lost_pc != rows[i].count * (vm_config[0].ram_guest + 0x200)) {
            fail_msg("%s: %u, at 0x%08X by 0x%08X", rows[i].name, v->stat[STAT_unanswered], v->lost_at, v->lost_pc);
        }
    }
    covered("stat.unanswered");
}

/* What does not exist in supervisor state: a word, and a register. A trap instruction does. */
static void illegal(void **state)
{
    const struct {
        uint32_t insn, esr, count;
    } rows[] = {{0, ESR_PIL, 1}, {INSN("mfspr 5, 0x3FF"), ESR_PPR, 2}, {INSN("tweqi 3, 5"), ESR_PTR, 2}};
    struct vcpu *v = current;
    size_t i;

    (void)state;
    for (i = 0; i < COUNT(rows); i++) {
        v->pc = vm_config[0].ram_guest + 0x200;
        run_insn(v, rows[i].insn, rows[i].esr);
        assert_hex(v->pc, v->evpr + 0x0700);
        assert_int_equal(v->stat[STAT_illegal], rows[i].count);
    }
    covered("stat.illegal");
}

/* Every asynchronous interrupt is an irq, by config/stats.def; those of the PIT are counted beside. */
static void interrupts(void **state)
{
    static const struct {
        const char *name;
        uint32_t vector, irq, pit;
    } rows[] = {
        {"critical input", 0x0100, 1, 0}, {"external", 0x0500, 1, 0}, {"PIT", 0x1000, 1, 1},   {"FIT", 0x1010, 1, 0},
        {"watchdog", 0x1020, 1, 0},       {"program", 0x0700, 0, 0},  {"system call", 0x0C00, 0, 0},
    };
    struct vcpu *v = current;
    size_t i;

    (void)state;
    for (i = 0; i < COUNT(rows); i++) {
        v->stat[STAT_irq] = 0;
        v->stat[STAT_pit] = 0;
        vcpu_interrupt(v, rows[i].vector);
        if (v->stat[STAT_irq] != rows[i].irq || v->stat[STAT_pit] != rows[i].pit) {
            fail_msg("%s counts as %u irq, %u pit", rows[i].name, v->stat[STAT_irq], v->stat[STAT_pit]);
        }
    }
    covered("stat.irq");
    covered("stat.pit");
}

/* Time belongs to who ran; idle time to nobody; the sum is right to the tick, and carries into the high word. */
static void time_is_accounted(void **state)
{
    uint64_t expected[VM_COUNT], start;
    uint32_t i, round;

    (void)state;
    for (i = 0; i < VM_COUNT; i++) {
        vcpu[i].msr = 0;
        vcpu[i].ticks_hi = 0;
        vcpu[i].ticks_lo = 0xFFFF0000;
        vcpu[i].stat[STAT_switches] = 0;
        expected[i] = 0xFFFF0000;
    }
    start = fake.time;
    enter(schedule(current));
    for (i = 0; i < VM_COUNT; i++) { /* what was before this test */
        expected[i] = (uint64_t)vcpu[i].ticks_hi << 32 | vcpu[i].ticks_lo;
    }
    assert_int_equal(start, fake.time);
    for (round = 0; round < 30; round++) {
        uint32_t ticks = fake.spr[SPRN_PIT] + round;

        expected[current - vcpu] += ticks;
        fake.time += ticks;
        enter(schedule(current));
    }
    for (i = 0; i < VM_COUNT; i++) {
        assert_true(((uint64_t)vcpu[i].ticks_hi << 32 | vcpu[i].ticks_lo) == expected[i]);
        assert_int_equal(vcpu[i].ticks_hi, 1);
        assert_int_equal(vcpu[i].stat[STAT_switches], 30 / VM_COUNT);
    }
    covered("stat.switches");
}

/* One line for each VM: counters that are not zero, and the time. */
static void report(void **state)
{
    uint32_t i, k;

    (void)state;
    for (i = 0; i < VM_COUNT; i++) {
        for (k = 0; k < STAT_COUNT; k++) {
            vcpu[i].stat[k] = i == 1 ? 100 + k : 0;
        }
        vcpu[i].ticks_hi = 1;
        vcpu[i].ticks_lo = 0xABC;
    }
    stat_switch(current, 0, fake.time);
    current->ticks_hi = 1;
    current->ticks_lo = 0xABC;
    stat_report();
    console_flush();
    assert_non_null(strstr(fake.output, "[proteus] stat alpha ticks=0x0000000100000abc\n"));
    assert_non_null(strstr(fake.output, "[proteus] stat gammagam ticks=0x0000000100000abc\n"));
#define STAT(name)                                                                                                \
    {                                                                                                             \
        char text[40];                                                                                            \
        snprintf(text, sizeof(text), " " #name "=%u ", 100 + STAT_##name);                                        \
        assert_non_null(strstr(fake.output, text));                                                               \
    }
#include "stats.def"
#undef STAT
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST_BOOTED(cold_road),
        TEST_BOOTED(faults),
        TEST_BOOTED(unanswered),
        TEST_BOOTED(illegal),
        TEST_BOOTED(interrupts),
        TEST_BOOTED(time_is_accounted),
        TEST_BOOTED(report),
    };

    return cmocka_run_group_tests_name("stats", tests, 0, 0);
}
