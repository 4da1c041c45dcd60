/*
 * test_trace.c: who ran when, in the ring of option TRACE_SCHED.
 *
 * covers: kconfig.TRACE_SCHED kconfig.TRACE_RECORDS
 */
#include "harness.h"

#include "lifecycle.h"
#include "sched.h"
#include "trace.h"

/* The newest record of this kind, and of this VM if v is not a null pointer; a null pointer: there is none. */
static const struct trace_record *last(uint32_t kind, const struct vcpu *v)
{
    uint32_t n;

    for (n = trace.count; n != 0 && trace.count - n < CONFIG_TRACE_RECORDS; n--) {
        const struct trace_record *record = &trace.ring[(n - 1) % CONFIG_TRACE_RECORDS];

        if (record->kind == kind && (v == 0 || record->vm == vcpu_index(v))) {
            return record;
        }
    }
    return 0;
}

static void look_at(uint32_t time)
{
    fake.time = time;
    enter(schedule(current));
}

static int boot_late(void **state)
{
    machine_setup(state);
    fake.time = 0xFFFFF000; /* the time base wraps */
    boot_all();
    return 0;
}

static void starts_are_kept(void **state)
{
    uint32_t i;

    (void)state;
    for (i = 0; i < VM_COUNT; i++) {
        assert_non_null(last(TRACE_restart, &vcpu[i]));
        assert_int_equal(last(TRACE_restart, &vcpu[i])->detail, 3);
        assert_non_null(last(TRACE_start, &vcpu[i]));
    }
    covered("trace.restart");
    covered("trace.start");
    vcpu_stop(&vcpu[1], STOP(STRAY));
    assert_int_equal(last(TRACE_stop, 0)->vm, 1);
    assert_int_equal(last(TRACE_stop, 0)->detail, STOP_STRAY);
    assert_hex(last(TRACE_stop, 0)->time, fake.time);
    covered("trace.stop");
}

/* Each change of hands, at its time, and nothing between. */
static void switches_are_kept(void **state)
{
    uint32_t i, changes = 0, before = trace.count;

    (void)state;
    for (i = 0; i < VM_COUNT; i++) {
        computes(&vcpu[i]);
    }
    vcpu[1].msr = MSR_WE; /* or its priority has it run for ever */
    look_at(fake.time + 1);
    for (i = 0; i < 40; i++) {
        const struct vcpu *ran = current;
        bool idled = is_idle();
        const struct trace_record *record;

        before = trace.count;
        look_at(fake.time + fake.spr[SPRN_PIT]);
        record = last(TRACE_switch, 0);
        assert_int_equal(record->vm, is_idle() ? VM_COUNT : (uint32_t)(current - vcpu));
        if (current != ran || is_idle() != idled) {
            changes++;
            assert_hex(record->time, fake.time);
            assert_true(trace.count > before);
        }
    }
    assert_true(changes > 2);
    before = trace.count;
    look_at(fake.time + 1);
    assert_int_equal(trace.count, before);
    covered("trace.switch");
}

/* The due time itself, however late the look at it. */
static void releases_are_kept(void **state)
{
    struct vcpu *v = &vcpu[2];
    uint32_t due;

    (void)state;
    waits(v);
    timer_write_pit(v, 1000);
    due = fake.time + 1000;
    fake.time = due + 77;
    timer_sync(v, fake.time);
    assert_hex(last(TRACE_release, v)->time, due);
    covered("trace.release");
}

/* One that runs for very long is told again: the times of two records are never half of all times apart. */
static void silence_is_broken(void **state)
{
    uint32_t before, i;

    (void)state;
    for (i = 0; i < VM_COUNT; i++) {
        waits(&vcpu[i]);
        vcpu[i].msr = MSR_WE;
    }
    look_at(fake.time + 1);
    assert_true(is_idle());
    before = last(TRACE_switch, 0)->time;
    look_at(before + TRACE_SILENCE - 1);
    assert_hex(last(TRACE_switch, 0)->time, before);
    look_at(fake.time + 1);
    assert_int_equal(last(TRACE_switch, 0)->vm, VM_COUNT);
    assert_hex(last(TRACE_switch, 0)->time, fake.time);
}

/* The last ones, and no word behind the ring. */
static void the_ring_goes_round(void **state)
{
    uint32_t i;

    (void)state;
    for (i = 0; i < 3 * CONFIG_TRACE_RECORDS + 5; i++) {
        trace_of(&vcpu[0], switch, i, i);
    }
    for (i = 0; i < CONFIG_TRACE_RECORDS; i++) {
        uint32_t number = trace.count - CONFIG_TRACE_RECORDS + i;
        const struct trace_record *record = &trace.ring[number % CONFIG_TRACE_RECORDS];

        assert_int_equal(record->time, 3 * CONFIG_TRACE_RECORDS + 5 - CONFIG_TRACE_RECORDS + i);
        assert_int_equal(record->detail, record->time & 0xFFFF);
    }
}

#ifdef CONFIG_SCHED_CYCLIC
/* A frame's begin is where the table has it, however late the look. */
static void frames_are_kept(void **state)
{
    uint32_t begin, frame = 0, i;

    (void)state;
    for (i = sched_plan[0]; i < sched_plan[1]; i++) {
        frame += sched_window[i].ticks;
    }
    look_at(fake.time + 1);
    begin = last(TRACE_frame, 0)->time;
    for (i = 0; i < 3; i++) {
        look_at(begin + frame + 500);
        begin += frame;
        assert_hex(last(TRACE_frame, 0)->time, begin);
        assert_int_equal(last(TRACE_frame, 0)->detail, 0);
    }
    sched_plan_set(1);
    look_at(begin + frame + 500);
    assert_int_equal(last(TRACE_frame, 0)->detail, 1);
    covered("trace.frame");
}
#endif

int main(void)
{
    static const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup(starts_are_kept, boot_late),
        cmocka_unit_test_setup(switches_are_kept, boot_late),
        cmocka_unit_test_setup(releases_are_kept, boot_late),
        cmocka_unit_test_setup(silence_is_broken, boot_late),
        cmocka_unit_test_setup(the_ring_goes_round, boot_late),
#ifdef CONFIG_SCHED_CYCLIC
        cmocka_unit_test_setup(frames_are_kept, boot_late),
#endif
    };

    return cmocka_run_group_tests_name("trace", tests, 0, 0);
}
