/*
 * test_watchdog.c: the machine's watchdog is served as long as decisions come in time (option WATCHDOG). The watchdog itself is
 * here: two status bits, a step at each end of its period.
 *
 * covers: kconfig.WATCHDOG kconfig.WATCHDOG_PERIOD kconfig.WATCHDOG_LATE_US
 */
#include "harness.h"

#include "sched.h"
#include "watchdog.h"

#define TSR fake.spr[SPRN_TSR]

static bool reset; /* by the watchdog */

/* Time goes on (manual, "Watchdog Timer State Machine"): a step when the period's bit of the time base rises. */
static void passes(uint32_t ticks)
{
    uint32_t before = (fake.time + WATCHDOG_TICKS / 2) / WATCHDOG_TICKS, steps;

    fake.time += ticks;
    steps = (fake.time + WATCHDOG_TICKS / 2) / WATCHDOG_TICKS - before;
    steps &= 0xFFFFFFFF / WATCHDOG_TICKS; /* the time base wraps */
    for (; steps != 0; steps--) {
        if ((TSR & TSR_ENW) == 0) {
            TSR |= TSR_ENW;
        } else if ((TSR & TSR_WIS) == 0) {
            TSR |= TSR_WIS;
        } else {
            reset = true;
        }
    }
}

/* Some compute, some wait; the machine's timer brings the next decision, this much late. */
static void decides(uint32_t late)
{
    uint32_t left = fake.spr[SPRN_PIT];

    if (random_word() % 8 == 0) {
        struct vcpu *v = &vcpu[random_word() % VM_COUNT];

        if (random_word() % 2 == 0) {
            computes(v);
        } else {
            waits(v);
            timer_write_pit(v, 1 + random_word() % (4 * SCHED_QUANTUM_TICKS));
        }
    }
    passes(left + late);
    enter(schedule(current));
}

static int begin(void **state)
{
    machine_setup(state);
    reset = false;
    boot_all();
    enter(schedule(current));
    return 0;
}

/* Once, with the reset that software cannot take back. */
static void is_on(void **state)
{
    (void)state;
    assert_hex(fake.spr[SPRN_TCR], TCR_PIE | (uint32_t)CONFIG_WATCHDOG_PERIOD << 30 | TCR_WRC);
    assert_int_equal(fake.spr_writes[SPRN_TCR], 1);
    assert_hex(WATCHDOG_TICKS, 1U << (17 + 4 * CONFIG_WATCHDOG_PERIOD));
}

/* Whatever the VMs do, and as late as a decision may be. */
static void is_served(void **state)
{
    uint32_t start, i;

    (void)state;
    for (i = 0, start = fake.time; fake.time - start < 30 * WATCHDOG_TICKS; i++) {
        decides(random_word() % (WATCHDOG_LATE - PIT_TICKS_MIN));
        assert_false(reset);
    }
    for (i = 0; i < VM_COUNT; i++) {
        vcpu[i].msr = MSR_WE;
        vcpu[i].tcr = 0;
        vcpu[i].pit_left = 0;
    }
    for (start = fake.time; fake.time - start < 30 * WATCHDOG_TICKS;) { /* nobody wants anything */
        assert_in_range(fake.spr[SPRN_PIT], PIT_TICKS_MIN, WATCHDOG_TICKS / 4);
        passes(fake.spr[SPRN_PIT]);
        enter(schedule(current));
        assert_false(reset);
    }
}

/* An interrupt, a trap: decisions that nobody has waited for are not late. */
static void early_decisions(void **state)
{
    uint32_t i;

    (void)state;
    for (i = 0; i < 20000; i++) {
        passes(random_word() % (fake.spr[SPRN_PIT] + 1));
        enter(schedule(current));
        assert_false(reset);
    }
}

/* One decision late, and then as many in time as there may be. */
static void late(void **state)
{
    uint32_t start, i;

    (void)state;
    for (i = 0; i < 100; i++) {
        decides(0);
    }
    TSR &= ~TSR_WIS;
    LOW_SET(slice_end, fake.time + PIT_TICKS_MIN);
    computes(current);
    enter(schedule(current));
    passes((uint32_t)(watchdog_due - fake.time) + (uint32_t)WATCHDOG_LATE + 1);
    enter(schedule(current));
    for (start = fake.time; !reset; ) {
        assert_in_range(fake.time - start, 0, 3 * WATCHDOG_TICKS);
        decides(0);
    }
}

/* No decision at all. */
static void hangs(void **state)
{
    uint32_t i;

    (void)state;
    for (i = 0; i < 100; i++) {
        decides(0);
    }
    TSR |= TSR_ENW;
    passes(2 * WATCHDOG_TICKS);
    assert_true(reset);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup(is_on, begin),           cmocka_unit_test_setup(is_served, begin),
        cmocka_unit_test_setup(early_decisions, begin), cmocka_unit_test_setup(late, begin),
        cmocka_unit_test_setup(hangs, begin),
    };

    return cmocka_run_group_tests_name("watchdog", tests, 0, 0);
}
