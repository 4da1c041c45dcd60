/*
 * test_sched_reserve.c: a budget in each period (option SCHED_RESERVE).
 *
 * covers: kconfig.SCHED_RESERVE
 */
#include "harness.h"

#include "health.h"
#include "lifecycle.h"
#include "sched.h"
#include "services.h"

#define QUANTUM SCHED_QUANTUM_TICKS
#define COSTS   (2 * SCHED_SWITCH_TICKS + 256) /* of a wake-up, and of a new budget */

static struct vcpu *const small = &vcpu[0], *const large = &vcpu[1], *const other = &vcpu[2], *const rest = &vcpu[3];

static uint64_t had[VM_COUNT]; /* ticks of each VM */

static uint32_t budget(const struct vcpu *v)
{
    return sched_server[v - vcpu].budget;
}

static uint32_t period(const struct vcpu *v)
{
    return sched_server[v - vcpu].period;
}

static void passes(uint32_t ticks)
{
    if (!is_idle()) {
        had[current - vcpu] += ticks;
    }
    fake.time += ticks;
}

static void next_look(void)
{
    passes(fake.spr[SPRN_PIT]);
    enter(schedule(current));
}

static void look_now(void)
{
    LOW_SET(slice_end, fake.time);
    enter(schedule(current));
}

#define SMALL 1U
#define LARGE 2U
#define OTHER 4U
#define REST  8U

/* All have waited for long, now these compute. */
static void begin(uint32_t mask)
{
    uint32_t i;

    machine_setup(0);
    fake.time = 0xFFFFFFFF - 7 * QUANTUM;
    boot_all();
    for (i = 0; i < VM_COUNT; i++) {
        waits(&vcpu[i]);
        had[i] = 0;
    }
    look_now();
    fake.time += 10 * QUANTUM;
    look_now();
    assert_true(is_idle());
    for (i = 0; i < VM_COUNT; i++) {
        if ((mask >> i & 1) != 0) {
            computes(&vcpu[i]);
        }
    }
    look_now();
}

/* The first periods begin with the first decision, whatever the time base has by then: the shortest goes first. */
static void begins_at_any_time(void **state)
{
    static const uint32_t starts[] = {0, 0x40000000, 0x7FFFFFFF, 0x90000000, 0xFFFFFFFF};
    uint32_t i, k;

    (void)state;
    for (i = 0; i < COUNT(starts); i++) {
        machine_setup(0);
        fake.time = starts[i];
        boot_all();
        for (k = 0; k < VM_COUNT; k++) {
            computes(&vcpu[k]);
        }
        look_now();
        assert_ptr_equal(current, small);
    }
}

/* Of those that compute, the deadlines decide; nobody has less than its budget in a period, less what its switches cost. */
static void everyone_has_its_budget(void **state)
{
    uint32_t mask, i, n;

    (void)state;
    for (mask = 1; mask < 16; mask++) {
        uint32_t start;

        begin(mask);
        assert_ptr_equal(current, (mask & SMALL) != 0 ? small : (mask & OTHER) != 0 ? other : (mask & LARGE) != 0 ? large : rest);
        start = fake.time;
        for (n = 0; fake.time - start < 100 * period(large); n++) {
            assert_false(is_idle());
            next_look();
        }
        for (i = 0; i < 3; i++) {
            uint64_t least = (uint64_t)(100 * period(large) / period(&vcpu[i]) - 1) * (budget(&vcpu[i]) - COSTS);

            if ((mask >> i & 1) != 0) {
                assert_true(had[i] >= least);
            }
        }
    }
}

/* Nobody has more when others want all of it: with all four at work, the rest is shared. */
static void the_rest_is_given_on(void **state)
{
    uint64_t all, spare;
    uint32_t i;

    (void)state;
    begin(SMALL | LARGE | OTHER | REST);
    for (i = 0; i < 40000; i++) {
        next_look();
    }
    all = had[0] + had[1] + had[2] + had[3];
    spare = all / 5; /* 200 of 1000, 1600 of 4000, 500 of 2500: four fifths are promised */
    assert_true(had[3] > spare / 8 && had[3] < spare);
    assert_true(had[0] > all / 5 - all / 50 && had[1] > all * 2 / 5 - all / 50 && had[2] > all / 5 - all / 50);
}

/* One that computes all the time has no more than its budget while another one, that wakes, has some left. */
static void overrun_hurts_nobody(void **state)
{
    uint32_t i;

    (void)state;
    begin(LARGE | OTHER | REST);
    for (i = 0; i < 500; i++) {
        uint32_t before, wake = 1000 + random_word() % period(small);

        waits(small);
        timer_write_pit(small, wake);
        before = fake.time;
        look_now();
        while (current != small) {
            next_look();
            assert_true(fake.time - before <= wake + period(small) + 256);
        }
        passes(budget(small) / 4);
        assert_hex(small->pc, small->evpr + 0x1000);
        waits(small);
        look_now();
        assert_ptr_not_equal(current, small);
        fake.time += period(small); /* its next job is in a new period */
        look_now();
    }
}

/* Who has used up its budget waits for its period's end if somebody else has some; what was too much is taken from the next. */
static void used_up(void **state)
{
    uint32_t start;

    (void)state;
    begin(SMALL | LARGE);
    start = fake.time;
    assert_ptr_equal(current, small);
    assert_int_equal(fake.spr[SPRN_PIT], budget(small) - COSTS);
    passes(budget(small)); /* and a road that nothing interrupts */
    enter(schedule(small));
    assert_ptr_equal(current, large);
    assert_int_equal(fake.spr[SPRN_PIT], period(small) - budget(small));
    next_look();
    assert_int_equal(fake.time - start, period(small));
    assert_ptr_equal(current, small);
    assert_in_range(fake.spr[SPRN_PIT], budget(small) - 2 * COSTS - SCHED_SWITCH_TICKS,
                    budget(small) - 2 * COSTS + SCHED_SWITCH_TICKS);
}

/* To the last tick; and one that is left two ticks before the period's end is more than its share of them. */
static void last_tick(void **state)
{
    uint32_t start, k;

    (void)state;
    for (k = 0; k < 2; k++) {
        begin(SMALL | LARGE);
        start = fake.time;
        look_now();
        passes(sched_left(fake.time) - 1);
        look_now();
        assert_ptr_equal(current, small);
        assert_int_equal(sched_left(fake.time), 1);
        if (k == 0) {
            passes(1);
            enter(schedule(small));
            assert_ptr_equal(current, large);
        } else {
            waits(small);
            look_now();
            assert_ptr_equal(current, large);
            fake.time = start + period(small) - 2;
            computes(small);
            look_now();
            assert_ptr_equal(current, small);
            assert_int_equal(fake.spr[SPRN_PIT], budget(small) - COSTS);
        }
    }
}

/* Who wakes with most of its budget shortly before its period's end would have more than its share: a period begins then. */
static void late_wake_begins_a_period(void **state)
{
    uint32_t start;

    (void)state;
    begin(SMALL | OTHER | LARGE);
    start = fake.time;
    passes(10);
    waits(small);
    look_now();
    assert_ptr_not_equal(current, small);
    fake.time = start + period(small) - 5000;
    computes(small);
    look_now();
    assert_ptr_equal(current, small);
    assert_int_equal(fake.spr[SPRN_PIT], budget(small) - COSTS);
    passes(fake.spr[SPRN_PIT]);
    fake.time += SCHED_SWITCH_TICKS;
    enter(schedule(small));
    assert_ptr_not_equal(current, small);
    for (start += period(small) - 5000; current != small;) {
        next_look();
    }
    assert_int_equal(fake.time - start, period(small));
}

/* However often it wakes, and however long the switches take that it causes: the others have what is theirs. */
static void wakes_without_end(void **state)
{
    const struct vcpu *ran = small;
    uint32_t start, switches = 0;

    (void)state;
    begin(SMALL | LARGE | OTHER);
    start = fake.time;
    while (fake.time - start < 50 * period(large)) {
        if (current != ran) {
            fake.time += SCHED_SWITCH_TICKS;
            switches++;
            ran = current;
        }
        if (current == small) {
            passes(10);
            waits(small);
            timer_write_pit(small, 300);
        } else {
            passes(fake.spr[SPRN_PIT]);
        }
        enter(schedule(current));
    }
    assert_true(switches > 1000);
    assert_true(had[1] >= 49 * (uint64_t)(budget(large) - COSTS));
    assert_true(had[2] >= 79 * (uint64_t)(budget(other) - COSTS));
}

/* A line of a VM without budget, or with its interrupts disabled, is paid by it. */
static void storm_pays_itself(void **state)
{
    uint32_t i;

    (void)state;
    begin(OTHER);
    large->msr = MSR_WE; /* it lets nothing in */
    irq_write(large, UIC_ER, UIC_BIT(25));
    for (i = 0; i < 30; i++) {
        passes(SCHED_SWITCH_TICKS); /* as long as its road */
        fake.lines = UIC_BIT(25);
        enter(external(other));
        fake.lines = 0;
        irq_write(large, UIC_SR, 0xFFFFFFFF);
        assert_ptr_equal(current, other);
    }
    assert_in_range(fake.spr[SPRN_PIT], budget(other) - COSTS - SCHED_SWITCH_TICKS, budget(other) - COSTS);
}

/* A doorbell is paid by who rings, however often, and not by a VM that waits for something else. */
static void doorbells_are_the_ringers(void **state)
{
    uint32_t i;

    (void)state;
    begin(OTHER);
    large->msr = MSR_WE;
    for (i = 0; i < 100; i++) {
        passes(200);
        irq_raise(large, 7);
        enter(schedule(other));
        assert_ptr_equal(current, other);
    }
    assert_in_range(fake.spr[SPRN_PIT], budget(other) - COSTS - 100 * 200, budget(other) - 100 * 200);
}

/* A restart is paid by who restarts. */
static void restart_by_budget(void **state)
{
    (void)state;
    begin(LARGE);
    lifecycle_restart(small, 3, 0);
    LOW_SET(slice_end, fake.time);
    assert_ptr_equal(schedule(large), small);
    assert_true(is_at_work(small));
    assert_int_equal(fake.spr[SPRN_PIT], budget(small) - COSTS);
    enter(small);
}

/* A budget that is used up by who wants more, once a period; not one that was given away, nor one that was enough. */
static void budget_too_small(void **state)
{
    uint32_t periods = 20, start;

    (void)state;
    begin(SMALL | OTHER | REST);
    start = fake.time;
    while (fake.time - start < periods * period(small)) {
        next_look();
    }
    assert_in_range(health[0].query[HCALL_QUERY_OVERRUNS], periods - 1, periods + 1);
    assert_int_equal(health[1].query[HCALL_QUERY_OVERRUNS], 0); /* it waits */
    assert_int_equal(health[2].query[HCALL_QUERY_OVERRUNS], 0); /* nobody has asked */
    begin(SMALL | REST);
    sched_yield();
    enter(schedule(small));
    waits(small);
    next_look();
    assert_int_equal(health[0].query[HCALL_QUERY_OVERRUNS], 0);
}

static void yields(void **state)
{
    (void)state;
    begin(SMALL | LARGE);
    assert_int_equal(sched_left(fake.time), budget(small) - COSTS);
    sched_yield();
    enter(schedule(small));
    assert_ptr_equal(current, large);
    begin(REST);
    assert_in_range(sched_left(fake.time), 1, QUANTUM);
    assert_int_equal(sched_left(fake.time + QUANTUM), 0);
    sched_yield();
    enter(schedule(rest));
    assert_ptr_equal(current, rest);
}

/* What it gave away, it does not owe: its next budget is whole. */
static void yields_and_owes_nothing(void **state)
{
    (void)state;
    begin(SMALL);
    fake.time += budget(small) / 2;
    sched_yield();
    enter(schedule(current));
    fake.time += period(small);
    enter(schedule(current));
    assert_ptr_equal(current, small);
    assert_in_range(sched_left(fake.time), budget(small) - 2 * COSTS, budget(small));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(begins_at_any_time),
        cmocka_unit_test(everyone_has_its_budget),
        cmocka_unit_test(the_rest_is_given_on),
        cmocka_unit_test(overrun_hurts_nobody),
        cmocka_unit_test(used_up),
        cmocka_unit_test(last_tick),
        cmocka_unit_test(late_wake_begins_a_period),
        cmocka_unit_test(wakes_without_end),
        cmocka_unit_test(storm_pays_itself),
        cmocka_unit_test(doorbells_are_the_ringers),
        cmocka_unit_test(restart_by_budget),
        cmocka_unit_test(budget_too_small),
        cmocka_unit_test(yields),
        cmocka_unit_test(yields_and_owes_nothing),
    };

    return cmocka_run_group_tests_name("sched_reserve", tests, 0, 0);
}
