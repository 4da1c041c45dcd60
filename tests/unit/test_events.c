/*
 * test_events.c: fixed interval timer and watchdog (option FIT_WATCHDOG), against the time base bit by bit and the
 * manual's state machine.
 *
 * covers: kconfig.FIT_WATCHDOG
 */
#include "harness.h"

#define NUMBER_TSR 984
#define NUMBER_TCR 986
#define NUMBER_PIT 987

static struct vcpu *place(void)
{
    struct vcpu *v = current;

    v->pc = vm_config[v->machine_pid - 1].ram_guest + 0x200;
    return v;
}

static void write_spr(uint32_t number, uint32_t value)
{
    struct vcpu *v = place();

    v->gpr[5] = value;
    run_insn(v, mtspr_r5[number], ESR_PPR);
}

static uint32_t read_spr(uint32_t number)
{
    struct vcpu *v = place();

    run_insn(v, mfspr_r5[number], ESR_PPR);
    return v->gpr[5];
}

/* Ticks from `time` to the next 0-to-1 change of the time base bit worth half a period. */
static uint32_t to_change(uint32_t time, uint32_t period)
{
    uint32_t ticks = period / 2 - time % period;

    return time % period < period / 2 ? ticks : ticks + period;
}

static const uint32_t fit_periods[] = {1U << 9, 1U << 13, 1U << 17, 1U << 21};
static const uint32_t watchdog_periods[] = {1U << 17, 1U << 21, 1U << 25, 1U << 29};

/* All four periods, from anywhere, over the wrap: one tick before nothing, at the tick FIS. */
static void fit_period(void **state)
{
    uint32_t fp, round;

    (void)state;
    for (fp = 0; fp < 4; fp++) {
        for (round = 0; round < 50; round++) {
            uint32_t wait;

            machine_boot_alone_at(round == 0 ? 0xFFFFFFFF : random_word());
            write_spr(NUMBER_TCR, fp << 24);
            write_spr(NUMBER_TSR, 0xFFFFFFFF);
            wait = to_change(fake.time, fit_periods[fp]);
            fake.time += wait - 1;
            assert_hex(read_spr(NUMBER_TSR) & TSR_FIS, 0);
            fake.time += 1;
            assert_hex(read_spr(NUMBER_TSR) & TSR_FIS, TSR_FIS);
            write_spr(NUMBER_TSR, TSR_FIS);
            assert_hex(read_spr(NUMBER_TSR) & TSR_FIS, 0);
            fake.time += fit_periods[fp];
            assert_hex(read_spr(NUMBER_TSR) & TSR_FIS, TSR_FIS);
        }
    }
}

/* The interrupt comes by the machine's PIT alone, at the right tick. */
static void fit_interrupt(void **state)
{
    uint32_t fp, count;

    (void)state;
    for (fp = 0; fp < 4; fp++) {
        struct vcpu *v;

        machine_boot_alone_at(0xFFF01234);
        v = place();
        write_spr(NUMBER_TSR, 0xFFFFFFFF);
        write_spr(NUMBER_TCR, fp << 24 | TCR_FIE);
        for (count = 0; count < 20; count++) {
            uint32_t wait = to_change(fake.time, fit_periods[fp]);
            uint32_t waited = 0;

            v->msr = MSR_EE | MSR_ME;
            place();
            do {
                assert_in_range(fake.spr[SPRN_PIT], 1, wait > PIT_TICKS_MIN ? wait : PIT_TICKS_MIN);
                waited += fake.spr[SPRN_PIT];
                fake.time += fake.spr[SPRN_PIT];
                enter(schedule(v));
            } while (v->pc != 0x1010 && waited < wait + 2 * PIT_TICKS_MIN);
            assert_hex(v->pc, 0x1010);
            assert_in_range(waited, wait, wait + PIT_TICKS_MIN);
            assert_hex(v->msr, MSR_ME);
            write_spr(NUMBER_TSR, TSR_FIS);
        }
    }
}

/* Masked, it still sets its bit, and the machine is not disturbed. */
static void fit_masked(void **state)
{
    struct vcpu *v = place();

    (void)state;
    v->msr = MSR_EE;
    write_spr(NUMBER_TCR, 0);
    write_spr(NUMBER_TSR, 0xFFFFFFFF);
    assert_true(fake.spr[SPRN_PIT] > 1U << 10 || VM_COUNT > 1);
    fake.time += 1U << 9;
    place();
    enter(schedule(v));
    assert_hex(v->pc, vm_config[v->machine_pid - 1].ram_guest + 0x200);
    v->msr = 0;
    assert_hex(read_spr(NUMBER_TSR) & TSR_FIS, TSR_FIS);
}

/* ---- watchdog ---- */

/* Manual, "Watchdog Timer State Machine": from (ENW, WIS) by one time-out. */
static void watchdog_stages(void **state)
{
    static const struct {
        uint32_t before, after;
    } rows[] = {
        {0, TSR_ENW}, {TSR_ENW, TSR_ENW | TSR_WIS}, {TSR_WIS, TSR_ENW | TSR_WIS},
        {TSR_ENW | TSR_WIS, TSR_ENW | TSR_WIS},
    };
    uint32_t wp;
    size_t i;

    for (wp = 0; wp < 4; wp++) {
        for (i = 0; i < COUNT(rows); i++) {
            machine_boot_alone(state);
            write_spr(NUMBER_TCR, wp << 30);
            current->tsr = rows[i].before;
            fake.time += to_change(fake.time, watchdog_periods[wp]) - 1;
            assert_hex(read_spr(NUMBER_TSR) & (TSR_ENW | TSR_WIS | TSR_WRS), rows[i].before);
            fake.time += 1;
            assert_hex(read_spr(NUMBER_TSR) & (TSR_ENW | TSR_WIS | TSR_WRS), rows[i].after);
        }
    }
}

/* One time-out after the other, none of them lost, with nobody looking in between but the machine's PIT. */
static void watchdog_interrupt(void **state)
{
    struct vcpu *v = place();
    uint32_t count = 0, waited = 0, first = to_change(fake.time, watchdog_periods[0]);

    (void)state;
    write_spr(NUMBER_TSR, 0xFFFFFFFF);
    v->msr = MSR_CE | MSR_ME;
    write_spr(NUMBER_TCR, TCR_WIE);
    while (v->pc != 0x1020) {
        assert_true(count++ < 100);
        waited += fake.spr[SPRN_PIT];
        fake.time += fake.spr[SPRN_PIT];
        place();
        enter(schedule(v));
    }
    assert_in_range(waited, first + watchdog_periods[0], first + watchdog_periods[0] + PIT_TICKS_MIN);
    assert_hex(v->msr, MSR_ME);
    assert_hex(fake.spr[SPRN_SRR3], MSR_CE | MSR_ME);
    assert_hex(read_spr(NUMBER_TSR) & (TSR_ENW | TSR_WIS), TSR_ENW | TSR_WIS);
}

/* A guest that serves it in time lives, for ever. */
static void watchdog_served(void **state)
{
    struct vcpu *v = place();
    uint32_t count;

    (void)state;
    v->msr = 0;
    write_spr(NUMBER_TSR, 0xFFFFFFFF);
    write_spr(NUMBER_TCR, 0x30000000);
    v->sprg0 = 0x600D600D;
    for (count = 0; count < 100; count++) {
        fake.time += watchdog_periods[0] - 500;
        write_spr(NUMBER_TSR, TSR_ENW | TSR_WIS);
    }
    assert_hex(v->sprg0, 0x600D600D);
}

/* Until this machine time only the machine's PIT interrupts. */
static void let_pass(uint32_t ticks)
{
    while (ticks != 0) {
        uint32_t step = fake.spr[SPRN_PIT] < ticks ? fake.spr[SPRN_PIT] : ticks;

        assert_true(step != 0);
        fake.time += step;
        ticks -= step;
        enter(schedule(current));
    }
}

/* Not served: at the third time-out, and not before, the VM is reset, with the cause in TSR[WRS] and DBSR[MRR]. */
static void watchdog_resets(void **state)
{
    uint32_t cause;

    for (cause = 1; cause < 4; cause++) {
        struct vcpu *v;
        uint32_t first;

        machine_boot_alone(state);
        v = place();
        assert_true((vm_config[v->machine_pid - 1].flags & VM_RESTART) != 0);
        v->msr = MSR_ME;
        v->sprg0 = 0x600D600D;
        write_spr(NUMBER_TSR, 0xFFFFFFFF);
        write_spr(NUMBER_TCR, cause << 28);
        first = to_change(fake.time, watchdog_periods[0]);
        let_pass(first + 2 * watchdog_periods[0] - 1);
        assert_hex(v->sprg0, 0x600D600D);
        assert_hex(v->tsr & TSR_WRS, 0);
        let_pass(PIT_TICKS_MIN + 1);
        assert_hex(v->sprg0, 0);
        assert_hex(v->tsr & TSR_WRS, cause << 28);
        assert_hex(v->dbsr, cause << 8);
        assert_hex(v->tcr, 0);
        assert_hex(v->pc, vm_config[v->machine_pid - 1].ram_guest + ENTRY);
        assert_hex(v->msr, 0);
        let_pass(16 * watchdog_periods[0]); /* and not once more */
        assert_hex(v->tsr & TSR_WRS, cause << 28);
        assert_hex(v->pc, vm_config[v->machine_pid - 1].ram_guest + ENTRY);
    }
}

/* TCR[WRC], once set, cannot be taken back by software. */
static void watchdog_reset_is_sticky(void **state)
{
    (void)state;
    write_spr(NUMBER_TCR, 0x10000000);
    write_spr(NUMBER_TCR, 0);
    assert_hex(read_spr(NUMBER_TCR), 0x10000000);
    write_spr(NUMBER_TCR, 0x20000000 | TCR_ARE);
    assert_hex(read_spr(NUMBER_TCR), 0x30000000 | TCR_ARE);
    vcpu_reset(current, 3);
    assert_hex(current->tcr, 0);
}

/*
 * The last time-out is noticed while a trapped instruction of the guest is emulated: the guest starts at its entry, not
 * behind it, with the registers of a start.
 */
static void reset_while_emulating(void **state)
{
    static const struct {
        uint32_t number;
        bool read;
    } rows[] = {{NUMBER_TSR, true}, {NUMBER_PIT, true}, {NUMBER_TSR, false}, {NUMBER_PIT, false}, {NUMBER_TCR, false}};
    size_t i;

    for (i = 0; i < COUNT(rows); i++) {
        struct vcpu *v;

        machine_boot_alone(state);
        v = place();
        v->msr = 0;
        write_spr(NUMBER_TCR, TCR_WRC);
        v->tsr = TSR_ENW | TSR_WIS;
        fake.time += to_change(fake.time, watchdog_periods[0]);
        place();
        v->gpr[5] = 0x04000000;
        run_insn(v, rows[i].read ? mfspr_r5[rows[i].number] : mtspr_r5[rows[i].number], ESR_PPR);
        assert_hex(v->tsr & TSR_WRS, TSR_WRS);
        assert_hex(v->pc, vm_config[v->machine_pid - 1].ram_guest + ENTRY);
        assert_hex(v->gpr[5], 5); /* as its image says */
        assert_hex(v->tcr, 0);
        assert_hex(v->pit, 0);
    }
}

/* A VM that does not run is reset in its turn, and the one that runs does not notice. */
static void reset_of_another(void **state)
{
    struct vcpu *v, *other;
    uint32_t i;

    machine_boot(state);
    v = current;
    other = v;
    for (i = 0; i < VM_COUNT; i++) {
        if (&vcpu[i] != v && (vm_config[i].flags & VM_RESTART) != 0) {
            other = &vcpu[i];
        }
    }
    if (other == v) {
        skip();
    }
    other->tcr = TCR_WRC;
    other->tsr = TSR_ENW | TSR_WIS;
    other->sprg0 = 0x600D600D;
    v->gpr[17] = 0x17171717;
    fake.spr[SPRN_SRR2] = 0x22220000;
    fake.spr[SPRN_SPRG4] = 0x44440000;
    v->sprg4 = 0x44440000;
    fake.time += to_change(fake.time, watchdog_periods[0]);
    run_vm(other);
    assert_hex(other->sprg0, 0);
    assert_hex(other->pc, vm_config[other->machine_pid - 1].ram_guest + ENTRY);
    assert_hex(fake.spr[SPRN_SRR2], 0);
    run_vm(v);
    assert_hex(fake.spr[SPRN_SRR2], 0x22220000);
    assert_hex(fake.spr[SPRN_SPRG4], 0x44440000);
    assert_hex(v->gpr[17], 0x17171717);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(fit_period),
        cmocka_unit_test(fit_interrupt),
        TEST_ALONE(fit_masked),
        cmocka_unit_test(watchdog_stages),
        TEST_ALONE(watchdog_interrupt),
        TEST_ALONE(watchdog_served),
        cmocka_unit_test(watchdog_resets),
        TEST_ALONE(watchdog_reset_is_sticky),
        cmocka_unit_test(reset_while_emulating),
        cmocka_unit_test(reset_of_another),
    };

    return cmocka_run_group_tests_name("events", tests, 0, 0);
}
