/*
 * test_sched.c: round robin (option SCHED_RR), and what fixed priorities are for equals (SCHED_PRIO).
 *
 * covers: kconfig.SCHED_RR
 */
#include "harness.h"

#include "sched.h"

#define QUANTUM SCHED_QUANTUM_TICKS

static uint32_t index_of(const struct vcpu *v)
{
    return (uint32_t)(v - vcpu);
}

/* Time goes on to the machine's next look; who runs then? */
static uint32_t next_look(void)
{
    uint32_t ticks = fake.spr[SPRN_PIT];

    fake.time += ticks;
    enter(schedule(current));
    return ticks;
}

static void all_can_run(void)
{
    uint32_t i;

    for (i = 0; i < VM_COUNT; i++) {
        vcpu[i].msr = 0;
    }
}

/* Everybody the same share, in turn, over the wrap of the time base. */
static void equal_shares(void **state)
{
    uint64_t share[VM_COUNT] = {0};
    uint32_t round, i;

    (void)state;
    machine_boot_at(0xFFFFFFFF - 20 * QUANTUM);
    all_can_run();
    for (round = 0; round < 100 * VM_COUNT; round++) {
        struct vcpu *v = current;

        share[index_of(v)] += next_look();
        assert_ptr_equal(current, &vcpu[(index_of(v) + 1) % VM_COUNT]);
    }
    for (i = 0; i < VM_COUNT; i++) {
        assert_in_range(share[i], 99 * (uint64_t)QUANTUM, 101 * (uint64_t)QUANTUM);
    }
}

/* A look in the middle of a slice does not end it, nor make it longer. */
static void interrupted_slice(void **state)
{
    struct vcpu *v;
    uint32_t i;

    (void)state;
    all_can_run();
    next_look();
    v = current;
    for (i = 0; i < 9; i++) {
        fake.time += QUANTUM / 10;
        enter(external(current));
        assert_ptr_equal(current, v);
        assert_in_range(fake.spr[SPRN_PIT], PIT_TICKS_MIN, QUANTUM - (i + 1) * (QUANTUM / 10));
    }
    fake.time += QUANTUM / 10 + 10;
    enter(external(current));
    assert_ptr_not_equal(current, v);
}

/* Who waits gives the rest away; the next has a whole slice. */
static void waiting_gives_away(void **state)
{
    struct vcpu *v;

    (void)state;
    all_can_run();
    next_look();
    v = current;
    fake.time += 100;
    v->msr = MSR_WE | MSR_EE;
    enter(schedule(v));
    assert_ptr_equal(current, &vcpu[(index_of(v) + 1) % VM_COUNT]);
    assert_int_equal(fake.spr[SPRN_PIT], QUANTUM);
    next_look();
    next_look();
    assert_ptr_not_equal(current, v);
    v->pending = MSR_EE; /* it can run again */
    v->tsr = TSR_PIS;
    v->tcr = TCR_PIE;
    run_vm(v);
}

/* The only one that can run goes on. */
static void alone_goes_on(void **state)
{
    struct vcpu *v = current;
    uint32_t i;

    (void)state;
    all_can_run();
    for (i = 0; i < VM_COUNT; i++) {
        vcpu[i].msr = &vcpu[i] == v ? 0 : MSR_WE;
    }
    for (i = 0; i < 100; i++) {
        next_look();
        assert_ptr_equal(current, v);
        assert_false(is_idle());
    }
}

/* A VM that waits for its timer runs again when the timer has expired, while another one runs. */
static void timer_of_a_waiting_vm(void **state)
{
    struct vcpu *v = current, *other = &vcpu[(index_of(current) + 1) % VM_COUNT];
    uint32_t looks = 0;

    (void)state;
    all_can_run();
    v->msr = MSR_WE | MSR_EE;
    v->tcr = TCR_PIE;
    timer_write_pit(v, 3 * QUANTUM + 7);
    enter(schedule(v));
    assert_ptr_equal(current, other);
    while (current != v) {
        assert_true(looks++ < 3 * VM_COUNT + 5);
        next_look();
    }
    assert_hex(v->pc, v->evpr + 0x1000);
}

/* Nobody can run: the machine idles, in the context of whom it has loaded, until the first timer. */
static void nobody_can_run(void **state)
{
    struct vcpu *v = current, *other = &vcpu[(index_of(current) + 1) % VM_COUNT];
    uint32_t i, pc = v->pc;

    (void)state;
    for (i = 0; i < VM_COUNT; i++) {
        vcpu[i].msr = MSR_WE;
        vcpu[i].tcr = 0;
        vcpu[i].tsr = 0;
        vcpu[i].pit_left = 0;
    }
    low_r31 = 0x31313131;
    enter(schedule(v));
    assert_true(is_idle());
    assert_ptr_equal(current, v);
    low_r31 = 0xBADBAD; /* the idle loop's own, saved by the interrupt that ends it */
    for (i = 0; i < 10; i++) {
        next_look();
        assert_true(is_idle());
        low_r31 = 0xBADBAD;
    }
    other->msr = MSR_WE | MSR_EE;
    other->tcr = TCR_PIE;
    timer_write_pit(other, 1000);
    fake.time += 500;
    enter(external(v)); /* programs the machine's PIT for it */
    low_r31 = 0xBADBAD;
    assert_true(is_idle());
    assert_int_equal(fake.spr[SPRN_PIT], 500);
    next_look();
    assert_false(is_idle());
    assert_ptr_equal(current, other);
    assert_hex(other->pc, other->evpr + 0x1000);
    assert_hex(v->pc, pc);
    assert_hex(low_r31, 0x31313131);
}

/* However long the machine idled, nobody gets more than a quantum. */
static void slice_after_idling(void **state)
{
    uint32_t gigaticks, i;

    for (gigaticks = 1; gigaticks <= 8; gigaticks++) {
        uint64_t passed = 0;
        struct vcpu *v;

        machine_boot(state);
        for (i = 0; i < VM_COUNT; i++) {
            vcpu[i].msr = MSR_WE;
        }
        enter(schedule(current));
        while (passed < gigaticks * 0x20000000ULL) {
            passed += next_look();
            assert_true(is_idle());
        }
        all_can_run();
        v = current;
        enter(schedule(v));
        if (fake.spr[SPRN_PIT] > QUANTUM) {
            fail_msg("a slice of %u ticks after %llu ticks of idle time", fake.spr[SPRN_PIT],
                     (unsigned long long)passed);
        }
    }
}

/* A slice that is over has nothing left, however long ago that was; whoever sets the machine's PIT by it sets the shortest. */
static void nothing_left_of_a_slice(void **state)
{
    static const uint32_t ago[] = {0, 1, QUANTUM - 1, QUANTUM, 0x3FFFFFFF, 0x7FFFFFFF, 0x80000000, 0xFFFFFFFE - QUANTUM};
    uint32_t end, i;

    (void)state;
    all_can_run();
    next_look();
    end = fake.time + fake.spr[SPRN_PIT];
    assert_int_equal(sched_left(end - 1), 1);
    assert_int_equal(sched_left(end - QUANTUM), QUANTUM);
    for (i = 0; i < COUNT(ago); i++) {
        if (IS_ENABLED(CONFIG_SCHED_PRIO) && ago[i] > 0xC0000000) { /* its decisions are never so far apart */
            continue;
        }
        assert_int_equal(sched_left(end + ago[i]), 0);
        timer_program(current, end + ago[i], sched_left(end + ago[i]));
        assert_int_equal(fake.spr[SPRN_PIT], PIT_TICKS_MIN);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(equal_shares),
        TEST_BOOTED(interrupted_slice),
        TEST_BOOTED(waiting_gives_away),
        TEST_BOOTED(alone_goes_on),
        TEST_BOOTED(timer_of_a_waiting_vm),
        TEST_BOOTED(nobody_can_run),
        cmocka_unit_test(slice_after_idling),
        TEST_BOOTED(nothing_left_of_a_slice),
    };

    return cmocka_run_group_tests_name("sched", tests, 0, 0);
}
