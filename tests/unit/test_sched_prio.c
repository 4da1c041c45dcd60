/*
 * test_sched_prio.c: fixed priorities (option SCHED_PRIO). That equals take turns as with round robin is test_sched.c, in a
 * configuration where all are equal.
 *
 * covers: kconfig.SCHED_PRIO kconfig.SCHED_URGENT
 */
#include "harness.h"

#include "health.h"
#include "lifecycle.h"
#include "sched.h"
#include "services.h"

#define QUANTUM SCHED_QUANTUM_TICKS
#define FOREVER DECISION_TICKS_MAX /* a decision is due then at the latest */

static struct vcpu *const equal = &vcpu[0], *const high = &vcpu[1], *const low = &vcpu[2], *const same = &vcpu[3];
static const uint32_t priority[VM_COUNT] = {5, 255, 0, 5};

/* Time goes on to the machine's next look. */
static uint32_t next_look(void)
{
    uint32_t ticks = fake.spr[SPRN_PIT];

    fake.time += ticks;
    enter(schedule(current));
    return ticks;
}

static void line_rises(uint32_t line)
{
    fake.lines |= UIC_BIT(line);
    enter(external(current));
    fake.lines = 0;
}

/* As a driver does. */
static void enable_line(struct vcpu *v, uint32_t line)
{
    irq_write(v, UIC_ER, UIC_BIT(line));
}

/* All wait, then these compute; the machine has found out. */
static void begin(uint32_t mask)
{
    uint32_t i;

    for (i = 0; i < VM_COUNT; i++) {
        waits(&vcpu[i]);
    }
    enter(schedule(current));
    assert_true(is_idle());
    for (i = 0; i < VM_COUNT; i++) {
        if ((mask >> i & 1) != 0) {
            computes(&vcpu[i]);
        }
    }
    enter(schedule(current));
}

static int boot_levels(void **state)
{
    machine_setup(state);
    boot_all();
    return 0;
}
#define TEST_LEVELS(f) cmocka_unit_test_setup(f, boot_levels)

#define EQUAL 1U
#define HIGH  2U
#define LOW   4U
#define SAME  8U

static void highest_runs(void **state)
{
    uint32_t mask;

    (void)state;
    for (mask = 1; mask < 16; mask++) {
        begin(mask);
        assert_ptr_equal(current, (mask & HIGH) != 0 ? high : (mask & EQUAL) != 0 ? equal : (mask & SAME) != 0 ? same : low);
    }
}

/* By its timer, to the tick, and it has its interrupt at once; when it waits again, who was preempted goes on. */
static void timer_preempts(void **state)
{
    (void)state;
    begin(LOW);
    timer_write_pit(high, 1000);
    fake.time += 300;
    enter(schedule(low));
    assert_ptr_equal(current, low);
    assert_int_equal(fake.spr[SPRN_PIT], 700);
    next_look();
    assert_ptr_equal(current, high);
    assert_hex(high->pc, high->evpr + 0x1000);
    waits(high);
    enter(schedule(high));
    assert_ptr_equal(current, low);
}

/* So does a line of the board, however long the decision is away, and a wait for the time. */
static void line_and_time_preempt(void **state)
{
    (void)state;
    begin(LOW);
    enable_line(high, 25);
    fake.time += 10;
    line_rises(25);
    assert_ptr_equal(current, high);
    assert_hex(high->pc, high->evpr + 0x0500);

    begin(LOW | EQUAL);
    high->wake = fake.time + 5000;
    high->msr = 0;
    high->sleeping = MSR_WE;
    LOW_SET(slice_end, fake.time); /* as if it had just begun to */
    enter(schedule(equal));
    assert_int_equal(fake.spr[SPRN_PIT], 5000);
    next_look();
    assert_ptr_equal(current, high);
}

/* What is lower does not disturb: neither its line nor its timer. */
static void lower_does_not(void **state)
{
    (void)state;
    begin(EQUAL);
    enable_line(low, 26);
    timer_write_pit(low, 300);
    line_rises(26);
    assert_ptr_equal(current, equal);
    assert_in_range(fake.spr[SPRN_PIT], QUANTUM - 1000, QUANTUM);
    waits(equal);
    enter(schedule(equal));
    assert_ptr_equal(current, low);
    assert_hex(low->pc, low->evpr + 0x0500);
}

/* A timer of a higher VM that wakes nobody, its interrupt being disabled, makes no look, however short its period. */
static void masked_timer_is_none(void **state)
{
    static const struct {
        uint32_t msr, tcr;
    } masked[] = {{MSR_WE, TCR_PIE | TCR_ARE}, {MSR_WE | MSR_EE, TCR_ARE}, {MSR_WE | MSR_CE, TCR_PIE | TCR_ARE}};
    uint32_t i;

    (void)state;
    for (i = 0; i < COUNT(masked); i++) {
        begin(LOW);
        high->msr = masked[i].msr;
        high->tcr = masked[i].tcr;
        timer_write_pit(high, 1);
        LOW_SET(slice_end, fake.time);
        enter(schedule(low));
        assert_ptr_equal(current, low);
        assert_int_equal(fake.spr[SPRN_PIT], FOREVER);
    }
}

/* Two equals: turns of a quantum, and of each the whole, however often a third preempts; its time is nobody's. */
static void preempted_keeps_its_turn(void **state)
{
    uint64_t share[VM_COUNT] = {0};
    uint32_t period, steps = 0;

    (void)state;
    for (period = 1000; period < 3 * QUANTUM; period += QUANTUM / 5 + 77) {
        begin(EQUAL | SAME | LOW);
        timer_write_pit(high, period);
        LOW_SET(slice_end, fake.time);
        enter(schedule(current));
        share[0] = share[1] = share[3] = 0;
        for (steps = 0; steps < 4000; steps++) {
            if (current == high) {
                fake.time += 400;
                share[1] += 400;
                waits(high);
                timer_write_pit(high, period);
                enter(schedule(high));
            } else {
                struct vcpu *v = current;

                share[v - vcpu] += next_look();
            }
            assert_ptr_not_equal(current, low);
        }
        assert_in_range(share[0], share[3] - QUANTUM - 256, share[3] + QUANTUM + 256);
        assert_true(share[1] != 0);
    }
}

/* An equal that wakes waits for its turn: no look before. */
static void equal_waits_for_its_turn(void **state)
{
    (void)state;
    begin(EQUAL | SAME);
    if (current == equal) {
        next_look();
    }
    waits(same);
    timer_write_pit(same, 1000);
    enter(schedule(same));
    assert_ptr_equal(current, equal);
    assert_int_equal(fake.spr[SPRN_PIT], QUANTUM);
    next_look();
    assert_ptr_equal(current, same);
    assert_hex(same->pc, same->evpr + 0x1000);
}

/* Who has no equal is not interrupted for a slice. */
static void alone_has_no_slices(void **state)
{
    (void)state;
    begin(LOW);
    assert_int_equal(fake.spr[SPRN_PIT], FOREVER);
    assert_int_equal(sched_left(fake.time), QUANTUM);
    begin(HIGH | EQUAL | SAME);
    assert_int_equal(fake.spr[SPRN_PIT], FOREVER);
    begin(EQUAL | SAME);
    assert_int_equal(fake.spr[SPRN_PIT], QUANTUM);
    assert_int_equal(sched_left(fake.time + 100), QUANTUM - 100);
    assert_int_equal(sched_left(fake.time + QUANTUM), 0);
}

/* A gift to equals: not to who is lower. */
static void yield_to_equals(void **state)
{
    uint32_t i;

    (void)state;
    begin(EQUAL | SAME | LOW);
    for (i = 0; i < 10; i++) {
        struct vcpu *other = current == equal ? same : equal;

        sched_yield();
        enter(schedule(current));
        assert_ptr_equal(current, other);
    }
    begin(HIGH | SAME);
    sched_yield();
    enter(schedule(high));
    assert_ptr_equal(current, high);
}

/* A turn that is over while its VM wants more; not one that is given away, nor the time of who has no equals. */
static void turn_too_short(void **state)
{
    const struct health *h = health;
    uint32_t i;

    (void)state;
    begin(EQUAL | SAME | LOW);
    for (i = 0; i < 20; i++) {
        next_look();
    }
    assert_in_range(h[0].query[HCALL_QUERY_OVERRUNS], 9, 10);
    assert_in_range(h[3].query[HCALL_QUERY_OVERRUNS], 9, 10);
    enter(schedule(current));
    i = h[0].query[HCALL_QUERY_OVERRUNS] + h[3].query[HCALL_QUERY_OVERRUNS];
    sched_yield();
    enter(schedule(current));
    enter(schedule(current));
    assert_int_equal(h[0].query[HCALL_QUERY_OVERRUNS] + h[3].query[HCALL_QUERY_OVERRUNS], i);
    waits(equal);
    waits(same);
    for (i = 0; i < 20; i++) {
        next_look();
    }
    assert_int_equal(h[1].query[HCALL_QUERY_OVERRUNS] + h[2].query[HCALL_QUERY_OVERRUNS], 0);
}

/* A restart is work of the VM's own priority: the higher does not notice, the lower waits for it. */
static void restart_in_its_own_time(void **state)
{
    (void)state;
    begin(HIGH | LOW);
    lifecycle_restart(equal, 3, 0);
    LOW_SET(slice_end, fake.time);
    assert_ptr_equal(schedule(high), high);
    waits(high);
    assert_ptr_equal(schedule(high), equal);
    assert_true(is_at_work(equal));
    enter(equal);
    assert_ptr_equal(current, equal);
}

static bool can_run(const struct vcpu *v)
{
    return ((v->msr & MSR_WE) == 0 || (v->pending & v->msr) != 0);
}

/* Whatever happens, after it nobody waits for somebody lower; of equals nobody waits for more than their turns. */
static void never_inverted(void **state)
{
    uint32_t waited[VM_COUNT] = {0};
    bool ready[VM_COUNT] = {false};
    uint32_t step, i;

    (void)state;
    begin(EQUAL);
    for (step = 0; step < 200000; step++) {
        struct vcpu *v = &vcpu[random_word() % VM_COUNT];
        uint32_t passed = random_word() % 3 == 0 ? fake.spr[SPRN_PIT] : random_word() % fake.spr[SPRN_PIT] % QUANTUM;
        struct vcpu *ran = current;

        fake.time += passed;
        switch (random_word() % 6) {
        case 0:
            waits(current);
            break;
        case 1: /* it sets its timer, and waits for it */
            waits(current);
            timer_write_pit(current, random_word() % (3 * QUANTUM) + 1);
            break;
        case 2:
            enable_line(high, 25);
            fake.lines = UIC_BIT(25);
            break;
        case 3:
            sched_yield();
            break;
        case 4:
            if (v != current && (v->msr & MSR_WE) != 0) { /* started again by somebody */
                computes(v);
                LOW_SET(slice_end, fake.time);
            }
            break;
        default:
            break;
        }
        if (fake.lines != 0) {
            enter(external(current));
            fake.lines = 0;
            irq_write(high, UIC_SR, 0xFFFFFFFF);
        } else if (!is_idle() || fake.spr[SPRN_PIT] != 0) {
            enter(schedule(current));
        }
        for (i = 0; i < VM_COUNT; i++) {
            v = &vcpu[i];
            timer_sync(v, fake.time);
            if (is_idle()) {
                assert_false(can_run(v));
            } else if (v != current && can_run(v)) {
                assert_true(priority[i] <= priority[current - vcpu]);
            }
            waited[i] = v == current || !can_run(v) ? 0 : waited[i] + (ready[i] && (ran == equal || ran == same) ? passed : 0);
            ready[i] = can_run(v) && v != current;
            if (v != low && waited[i] > QUANTUM + 512) {
                fail_msg("step %u: %u ticks, turn of %u", step, waited[i], (uint32_t)(current - vcpu));
            }
        }
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST_LEVELS(highest_runs),
        TEST_LEVELS(timer_preempts),
        TEST_LEVELS(line_and_time_preempt),
        TEST_LEVELS(lower_does_not),
        TEST_LEVELS(masked_timer_is_none),
        TEST_LEVELS(preempted_keeps_its_turn),
        TEST_LEVELS(equal_waits_for_its_turn),
        TEST_LEVELS(alone_has_no_slices),
        TEST_LEVELS(yield_to_equals),
        TEST_LEVELS(turn_too_short),
        TEST_LEVELS(restart_in_its_own_time),
        TEST_LEVELS(never_inverted),
    };

    return cmocka_run_group_tests_name("sched_prio", tests, 0, 0);
}
