/*
 * test_timer.c: the virtual PIT against a simple model in 64-bit time, however late anybody looks.
 */
#include "harness.h"

#include "watchdog.h"

#define NUMBER_TSR 984
#define NUMBER_TCR 986
#define NUMBER_PIT 987

#define MACHINE_PIT fake.spr[SPRN_PIT]
#define SHORTEST    PIT_TICKS_MIN /* what the hypervisor sets at least, and at most */
#define LONGEST     (IS_ENABLED(CONFIG_CONSOLE) ? BOARD_TB_HZ / 2 : 0x40000000U)

static struct vcpu *guest(void)
{
    struct vcpu *v = current;

    v->pc = vm_config[v->machine_pid - 1].ram_guest + 0x200;
    return v;
}

static void write_spr(uint32_t number, uint32_t value)
{
    struct vcpu *v = guest();

    v->gpr[5] = value;
    run_insn(v, mtspr_r5[number], ESR_PPR);
}

static uint32_t read_spr(uint32_t number)
{
    struct vcpu *v = guest();

    run_insn(v, mfspr_r5[number], ESR_PPR);
    return v->gpr[5];
}

/* ---- the model ---- */

static struct {
    uint64_t now, event; /* event 0: stopped */
    uint32_t reload;
    bool auto_reload, status;
} model;

static void model_advance(uint32_t ticks)
{
    model.now += ticks;
    fake.time += ticks;
    if (model.event == 0 || model.event > model.now) {
        return;
    }
    model.status = true;
    if (model.auto_reload && model.reload != 0) {
        model.event += (model.now - model.event) / model.reload * model.reload + model.reload;
    } else {
        model.event = 0;
    }
}

static void model_write_pit(uint32_t value)
{
    model.reload = value;
    model.event = value != 0 ? model.now + value : 0;
}

static uint32_t model_left(void)
{
    return model.event != 0 ? (uint32_t)(model.event - model.now) : 0;
}

static void assert_as_model(void)
{
    assert_hex(read_spr(NUMBER_PIT), model_left());
    assert_hex(read_spr(NUMBER_TSR) & TSR_PIS, model.status ? TSR_PIS : 0);
}

/* The machine looks again before the event is due (or as soon as it can be made to), and never waits for ever. */
static void assert_programmed(void)
{
    uint32_t left = model_left();

    assert_in_range(MACHINE_PIT, SHORTEST, LONGEST);
    if (left != 0) {
        assert_in_range(MACHINE_PIT, SHORTEST, left < SHORTEST ? SHORTEST : left);
    }
}

static uint32_t some_value(void)
{
    static const uint32_t values[] = {
        0, 1, 2, 15, 16, 17, 63, 64, 1000, 333333, 0x7FFFFFFF, 0x80000000, 0xFFFFFFFE, 0xFFFFFFFF,
    };
    uint32_t word = random_word();

    return word % 3 != 0 ? values[word / 3 % COUNT(values)] : word >> (word & 31);
}

/* At most what passes between two looks of the machine. */
static uint32_t some_time(void)
{
    uint32_t word = random_word();

    return word % 8 == 0 ? random_word() >> 2 : random_word() >> (12 + word / 8 % 18);
}

static void like_the_model_from(uint32_t time)
{
    uint32_t i;

    machine_boot_alone_at(time);
    model.now = 0x100000000;
    model.status = false;
    model.auto_reload = false;
    write_spr(NUMBER_PIT, 0);
    model_write_pit(0);
    write_spr(NUMBER_TSR, 0xFFFFFFFF);
    write_spr(NUMBER_TCR, 0);
    for (i = 0; i < 4000; i++) {
        uint32_t value = some_value();

        model_advance(some_time());
        switch (random_word() % 6) {
        case 0:
            write_spr(NUMBER_PIT, value);
            model_write_pit(value);
            assert_programmed();
            break;
        case 1:
            write_spr(NUMBER_TCR, value & TCR_ARE);
            model.auto_reload = (value & TCR_ARE) != 0;
            assert_programmed();
            break;
        case 2:
            write_spr(NUMBER_TSR, value);
            model.status = model.status && (value & TSR_PIS) == 0;
            assert_programmed();
            break;
        case 3:
            timer_sync(current, fake.time);
            break;
        case 4:
            enter(schedule(current));
            assert_programmed();
            break;
        default:
            break;
        }
        if (random_word() % 2 == 0) {
            assert_as_model();
        }
    }
    covered("spr.pit");
}

static void like_the_model(void **state)
{
    uint32_t i;

    (void)state;
    for (i = 0; i < 8; i++) {
        like_the_model_from(random_word());
    }
}

static void like_the_model_at_the_wrap(void **state)
{
    (void)state;
    like_the_model_from(0xFFFFFFFF);
    like_the_model_from(0xFFFFFF00);
    like_the_model_from(0x7FFFFFFF);
}

/* ---- one thing at a time ---- */

static void one_shot(void **state)
{
    (void)state;
    write_spr(NUMBER_TSR, 0xFFFFFFFF);
    write_spr(NUMBER_PIT, 100);
    assert_hex(read_spr(NUMBER_PIT), 100);
    fake.time += 40;
    assert_hex(read_spr(NUMBER_PIT), 60);
    fake.time += 59;
    assert_hex(read_spr(NUMBER_PIT), 1);
    assert_hex(read_spr(NUMBER_TSR), 0);
    fake.time += 1;
    assert_hex(read_spr(NUMBER_PIT), 0);
    assert_hex(read_spr(NUMBER_TSR), TSR_PIS);
    fake.time += 1000;
    assert_hex(read_spr(NUMBER_PIT), 0);
    write_spr(NUMBER_TSR, ~(uint32_t)TSR_PIS); /* zero leaves it */
    assert_hex(read_spr(NUMBER_TSR), TSR_PIS);
    write_spr(NUMBER_TSR, TSR_PIS);
    fake.time += 0x7FFFFFFF;
    assert_hex(read_spr(NUMBER_TSR) & TSR_PIS, 0);
}

static void stopped_by_zero(void **state)
{
    (void)state;
    write_spr(NUMBER_TCR, TCR_ARE);
    write_spr(NUMBER_PIT, 50);
    fake.time += 20;
    write_spr(NUMBER_PIT, 0);
    fake.time += 1000;
    assert_hex(read_spr(NUMBER_PIT), 0);
    assert_hex(read_spr(NUMBER_TSR) & TSR_PIS, 0);
}

/* A status that was there before is not lost by the new value. */
static void event_before_write_counts(void **state)
{
    (void)state;
    write_spr(NUMBER_PIT, 30);
    fake.time += 31;
    write_spr(NUMBER_PIT, 50);
    assert_hex(read_spr(NUMBER_TSR) & TSR_PIS, TSR_PIS);
    assert_hex(read_spr(NUMBER_PIT), 50);
}

/* A thousand periods, each served late: none lost, none added, the last as punctual as the first. */
static void no_drift(void **state)
{
    const uint32_t period = 66667;
    struct vcpu *v = current;
    uint64_t start, now;
    uint32_t count;

    (void)state;
    fake.time = 0xFFFF0000;
    v->msr = MSR_EE | MSR_ME;
    write_spr(NUMBER_TCR, TCR_ARE | TCR_PIE);
    write_spr(NUMBER_PIT, period);
    start = now = fake.time;
    for (count = 1; count <= 1000; count++) {
        uint32_t guard = 0;

        do { /* other ends of the machine's interval do not matter */
            uint32_t late = random_word() % 500;

            assert_true(guard++ < 10);
            assert_true(MACHINE_PIT >= SHORTEST);
            now += MACHINE_PIT + late;
            fake.time += MACHINE_PIT + late;
            v->pc = vm_config[v->machine_pid - 1].ram_guest + 0x200;
            v->msr = MSR_EE | MSR_ME;
            assert_ptr_equal(enter(schedule(v)), v);
        } while (v->pc != 0x1000);
        assert_int_equal((now - start) / period, count);
        assert_hex(v->srr1, MSR_EE | MSR_ME);
        write_spr(NUMBER_TSR, TSR_PIS);
    }
}

/* Reserved bits of TCR and TSR read as zero. */
static void reserved_bits(void **state)
{
    (void)state;
    write_spr(NUMBER_TCR, 0xCFFFFFFF); /* no watchdog reset */
    assert_hex(read_spr(NUMBER_TCR), 0xCFC00000);
    covered("spr.tcr");
    fake.time += 0x40000000;
    assert_hex(read_spr(NUMBER_TSR) & 0x03FFFFFF, 0);
    covered("spr.tsr");
}

/* The interrupt needs PIE and EE. */
static void interrupt_needs_both(void **state)
{
    struct vcpu *v = current;

    (void)state;
    v->msr = MSR_EE;
    write_spr(NUMBER_PIT, 100);
    fake.time += 100;
    v->pc = vm_config[v->machine_pid - 1].ram_guest;
    assert_ptr_equal(enter(schedule(v)), v);
    assert_hex(v->pc, vm_config[v->machine_pid - 1].ram_guest);
    v->msr = 0;
    write_spr(NUMBER_TCR, TCR_PIE);
    assert_hex(v->pc, vm_config[v->machine_pid - 1].ram_guest + 0x204);
    v->msr = MSR_EE;
    write_spr(NUMBER_TCR, TCR_PIE);
    assert_hex(v->pc, 0x1000);
    assert_hex(v->srr0, vm_config[v->machine_pid - 1].ram_guest + 0x204);
}

/* The machine's timer interrupt is acknowledged; its control register is set once, at boot: no reset action, no FIT. */
static void machine_timer(void **state)
{
    (void)state;
    assert_hex(fake.spr[SPRN_TCR], TCR_PIE | WATCHDOG_TCR);
    assert_int_equal(fake.spr_writes[SPRN_TCR], 1);
    fake.spr[SPRN_TSR] = TSR_PIS;
    fake.time += MACHINE_PIT;
    enter(schedule(current));
    assert_hex(fake.spr[SPRN_TSR], 0);
    write_spr(NUMBER_TCR, 0xFFFFFFFF & ~TCR_WRC);
    assert_int_equal(fake.spr_writes[SPRN_TCR], 1);
}

/* After a reset nothing runs. */
static void reset_stops(void **state)
{
    struct vcpu *v = current;

    (void)state;
    write_spr(NUMBER_TCR, TCR_ARE | TCR_PIE);
    write_spr(NUMBER_PIT, 10);
    vcpu_reset(v, 1);
    fake.time += 1000;
    timer_sync(v, fake.time);
    assert_hex(v->tsr & TSR_PIS, 0);
    assert_hex(v->tcr, 0);
    assert_hex(v->pending, 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(like_the_model),
        cmocka_unit_test(like_the_model_at_the_wrap),
        TEST_ALONE(one_shot),
        TEST_ALONE(stopped_by_zero),
        TEST_ALONE(event_before_write_counts),
        TEST_ALONE(no_drift),
        TEST_ALONE(reserved_bits),
        TEST_ALONE(interrupt_needs_both),
        TEST_ALONE(machine_timer),
        TEST_ALONE(reset_stops),
    };

    return cmocka_run_group_tests_name("timer", tests, 0, 0);
}
