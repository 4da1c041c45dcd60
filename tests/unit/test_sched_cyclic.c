/*
 * test_sched_cyclic.c: windows of a major frame (option SCHED_CYCLIC).
 *
 * covers: kconfig.SCHED_CYCLIC
 */
#include "harness.h"

#include "health.h"
#include "hypercall.h"
#include "lifecycle.h"
#include "sched.h"

#define NOBODY SCHED_NOBODY
#define US(us) ((uint32_t)(((uint64_t)(us) * BOARD_TB_HZ + 500000) / 1000000))

static struct vcpu *const one = &vcpu[0], *const two = &vcpu[1], *const three = &vcpu[2];

/* config/frame/partitions.toml, once more by hand */
struct row {
    uint32_t begin, end, vm;
};
static const struct row normal[] = {{0, 300, 0}, {300, 500, 1}, {500, 600, NOBODY}, {600, 700, 0}, {700, 950, 2},
                                    {950, 1000, NOBODY}};
static const struct row other[] = {{0, 400, 2}, {400, 450, NOBODY}, {450, 500, 0}};

static uint32_t frame; /* TBL at its begin */

static void look_at(uint32_t time)
{
    fake.time = time;
    enter(schedule(current));
}

static int boot_frame(void **state)
{
    machine_setup(state);
    fake.time = 0xFFFFFFFF - US(5500); /* the time base wraps */
    frame = fake.time;
    boot_all();
    computes(one);
    computes(two);
    computes(three);
    enter(schedule(current));
    return 0;
}

static uint32_t who(void)
{
    return is_idle() ? NOBODY : (uint32_t)(current - vcpu);
}

/* Through a frame from its begin on, by the machine's own looks: who runs when, to the tick. */
static void passes(const struct row *row, uint32_t count)
{
    uint32_t i;

    for (i = 0; i < count; i++) {
        assert_int_equal(fake.time - frame, US(row[i].begin));
        assert_int_equal(who(), row[i].vm);
        assert_int_equal(fake.spr[SPRN_PIT], US(row[i].end) - US(row[i].begin));
        look_at(fake.time + fake.spr[SPRN_PIT]);
    }
    frame += US(row[count - 1].end);
}

static void as_the_table_says(void **state)
{
    uint32_t i;

    (void)state;
    for (i = 0; i < 20; i++) {
        passes(normal, COUNT(normal));
    }
}

/* However late a look comes: the windows behind it are where they were. */
static void late_looks_do_not_add_up(void **state)
{
    uint32_t i, k;

    (void)state;
    for (i = 0; i < 200; i++) {
        for (k = 0; k < COUNT(normal); k++) {
            look_at(frame + US(normal[k].begin) + random_word() % US(40));
            assert_int_equal(who(), normal[k].vm);
            assert_in_range(fake.spr[SPRN_PIT], PIT_TICKS_MIN, US(normal[k].end) - US(normal[k].begin));
            look_at(frame + US(normal[k].begin) + US(40) + random_word() % US(9)); /* in the middle nothing changes */
            assert_int_equal(who(), normal[k].vm);
        }
        frame += US(1000);
    }
    look_at(frame + US(650)); /* several windows were missed */
    assert_int_equal(who(), 0);
    assert_int_equal(fake.spr[SPRN_PIT], US(700) - US(650));
    look_at(frame + US(1000) + US(500) - 1); /* to the last tick */
    assert_int_equal(who(), 1);
}

/* Somebody held the machine for longer than a frame: a window begins then. */
static void missed_frames(void **state)
{
    uint32_t ms;

    (void)state;
    for (ms = 2; ms < 3000; ms = 2 * ms + 1) {
        look_at(fake.time + US(1000) * ms);
        assert_in_range(fake.spr[SPRN_PIT], PIT_TICKS_MIN, US(300));
        look_at(fake.time + fake.spr[SPRN_PIT]);
    }
}

/* Its owner waits: the machine does, whoever else could run, until the owner's own timer or interrupt. */
static void window_of_who_waits(void **state)
{
    (void)state;
    waits(one);
    timer_write_pit(one, US(120));
    look_at(frame + US(20));
    assert_int_equal(who(), NOBODY);
    assert_in_range(fake.spr[SPRN_PIT], US(100) - 1, US(100) + 1);
    timer_write_pit(two, 1); /* of somebody else: no look */
    look_at(fake.time);
    assert_in_range(fake.spr[SPRN_PIT], US(100) - 1, US(100) + 1);
    look_at(fake.time + fake.spr[SPRN_PIT]);
    assert_int_equal(who(), 0);
    assert_hex(one->pc, one->evpr + 0x1000);

    waits(two);
    irq_write(two, UIC_ER, UIC_BIT(25));
    fake.lines = UIC_BIT(25);
    enter(external(current)); /* not its window */
    fake.lines = 0;
    assert_int_equal(who(), 0);
    look_at(frame + US(300));
    assert_int_equal(who(), 1);
    assert_hex(two->pc, two->evpr + 0x0500);
    waits(two);
    irq_write(two, UIC_SR, 0xFFFFFFFF);
    look_at(frame + US(310));
    assert_int_equal(who(), NOBODY);
    fake.lines = UIC_BIT(25);
    fake.time = frame + US(320);
    enter(external(current)); /* at once */
    fake.lines = 0;
    assert_int_equal(who(), 1);
}

/* Its timer may have ended while others had their windows: it takes the interrupt when its own begins. */
static void timer_ends_before_the_window(void **state)
{
    (void)state;
    waits(two);
    timer_write_pit(two, US(120));
    look_at(frame + US(300));
    assert_int_equal(who(), 1);
    assert_hex(two->pc, two->evpr + 0x1000);
}

static uint32_t overruns(const struct vcpu *v)
{
    return health[v - vcpu].query[HCALL_QUERY_OVERRUNS];
}

/* Who wants more at the end of its window, while another's or nobody's begins: once a frame for each of its windows. */
static void window_too_short(void **state)
{
    uint32_t i;

    (void)state;
    for (i = 0; i < 10; i++) {
        passes(normal, COUNT(normal));
    }
    look_at(fake.time + US(1)); /* each is known with the decision after that */
    assert_int_equal(overruns(one), 20);
    assert_int_equal(overruns(two), 10);
    assert_int_equal(overruns(three), 0); /* nobody has asked */
    waits(two);
    lifecycle_restart(one, 3, 0); /* its work is not its guest's */
    for (i = 0; i < 8; i++) {
        fake.time += fake.spr[SPRN_PIT];
        schedule(current);
    }
    assert_int_equal(overruns(one), 20);
    assert_int_equal(overruns(two), 10);
}

/* A yield gives nothing to anybody; what is left is that of the window. */
static void rest_of_a_window(void **state)
{
    (void)state;
    look_at(frame + US(100));
    sched_yield();
    look_at(frame + US(100));
    assert_int_equal(who(), 0);
    assert_int_equal(sched_left(frame + US(100)), US(300) - US(100));
    assert_int_equal(sched_left(frame + US(300)), 0);
}

static uint32_t call(struct vcpu *v, uint32_t number, uint32_t what, uint32_t value)
{
    v->gpr[0] = HCALL_TAG << 16 | number;
    v->gpr[3] = what;
    v->gpr[4] = value;
    enter(hypercall(v));
    return v->gpr[3];
}

/* The plan changes at the frame's end, for who may ask, and back; nobody else, and no other number. */
static void plans_change(void **state)
{
    (void)state;
    look_at(frame + US(10));
    assert_int_equal(call(one, HCALL_sched_set, HCALL_SCHED_PLAN, SCHED_PLANS), (uint32_t)HCALL_E_ARGUMENT);
    assert_int_equal(call(one, HCALL_sched_set, HCALL_SCHED_PLAN, 0xFFFFFFFF), (uint32_t)HCALL_E_ARGUMENT);
    assert_int_equal(call(one, HCALL_sched_set, HCALL_SCHED_QUANTUM, 1000), (uint32_t)HCALL_E_STATE);
    look_at(frame + US(310));
    assert_int_equal(call(two, HCALL_sched_set, HCALL_SCHED_PLAN, 1), (uint32_t)HCALL_E_STATE);
    look_at(frame + US(610));
    assert_int_equal(call(one, HCALL_sched_set, HCALL_SCHED_PLAN, 1), 0);
    assert_int_equal(call(one, HCALL_sched_get, HCALL_SCHED_PLAN, 0), 0);
    assert_int_equal(one->gpr[4], 0);
    look_at(frame + US(700));
    look_at(frame + US(950));
    look_at(frame + US(1000));
    frame += US(1000);
    passes(other, COUNT(other));
    passes(other, COUNT(other));
    look_at(frame + US(400));
    look_at(frame + US(460));
    assert_int_equal(call(one, HCALL_sched_get, HCALL_SCHED_PLAN, 0), 0);
    assert_int_equal(one->gpr[4], 1);
    assert_int_equal(call(one, HCALL_sched_set, HCALL_SCHED_PLAN, 0), 0);
    look_at(frame + US(500));
    frame += US(500);
    passes(normal, COUNT(normal));
}

/* A restart is done in the VM's own windows. */
static void restart_in_its_own_windows(void **state)
{
    (void)state;
    lifecycle_restart(two, 3, 0);
    look_at(frame + US(50));
    assert_int_equal(who(), 0);
    fake.time = frame + US(300);
    assert_ptr_equal(schedule(current), two);
    assert_true(is_at_work(two));
    enter(two);
    fake.time = frame + US(500);
    enter(schedule(current));
    assert_int_equal(who(), NOBODY);
}

#define TEST_FRAME(f) cmocka_unit_test_setup(f, boot_frame)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST_FRAME(as_the_table_says),
        TEST_FRAME(late_looks_do_not_add_up),
        TEST_FRAME(missed_frames),
        TEST_FRAME(window_of_who_waits),
        TEST_FRAME(timer_ends_before_the_window),
        TEST_FRAME(window_too_short),
        TEST_FRAME(rest_of_a_window),
        TEST_FRAME(plans_change),
        TEST_FRAME(restart_in_its_own_windows),
    };

    return cmocka_run_group_tests_name("sched_cyclic", tests, 0, 0);
}
