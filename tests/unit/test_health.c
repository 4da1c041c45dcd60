/*
 * test_health.c: what a supervisor does to the VMs that the partition file gives it, and what it is told of them (option
 * LIFECYCLE).
 *
 * covers: kconfig.LIFECYCLE
 */
#include "hcall.h"

#include <string.h>

#include "health.h"
#include "lifecycle.h"
#include "stats.h"
#include "uic.h"

/*
 * The partition file: the first supervises all others, the second the third; the second is restarted twice in 100 ms, and it
 * fails by the fourth interrupt in 10 ms; the third has at most two in 20 ms; the fourth is stopped, and its own ends reset the
 * board.
 */
#define SUPER   (&vcpu[0])
#define OTHER   (&vcpu[1])
#define THIRD   (&vcpu[2])
#define RESETS  (&vcpu[3])
#define RESTARTS 2
#define MS       (BOARD_TB_HZ / 1000)
#define PERIOD   vm_care[2].interrupts_in

static uint32_t base_of(const struct vcpu *v)
{
    return vm_config[v - vcpu].ram_guest;
}

static uint32_t control(uint32_t vm, uint32_t action)
{
    run_vm(SUPER);
    call(SUPER, HCALL_vm_control, vm, action);
    return SUPER->gpr[3];
}

static uint32_t query(uint32_t vm, uint32_t what)
{
    run_vm(SUPER);
    assert_ptr_equal(call(SUPER, HCALL_vm_query, vm, what), SUPER);
    assert_hex(SUPER->gpr[3], 0);
    return SUPER->gpr[4];
}

/* The first three are guests that compute. */
static int begin(void **state)
{
    uint32_t i;

    machine_boot(state);
    for (i = 0; i < 3; i++) {
        computes(&vcpu[i]);
    }
    run_vm(SUPER);
    return 0;
}

/* OTHER gets into the state of this number. */
static void bring_to(uint32_t wanted)
{
    begin(0);
    switch (wanted) {
    case HCALL_STATE_STOPPED:
        assert_hex(control(1, HCALL_CONTROL_STOP), 0);
        break;
    case HCALL_STATE_FAILED:
        health[1].again = RESTARTS;
        health[1].first = health_time();
        vcpu_stop(OTHER, STOP(FETCH));
        break;
    case HCALL_STATE_RESTARTING:
        lifecycle_restart(OTHER, 3, 0);
        break;
    case HCALL_STATE_WAITING:
        waits(OTHER);
        break;
    case HCALL_STATE_PAUSED:
        assert_hex(control(1, HCALL_CONTROL_PAUSE), 0);
        break;
    default:
        break;
    }
    assert_hex(health_state(OTHER), wanted);
}

/* Every state, every action: what is refused changes nothing. */
static void transitions(void **state)
{
    static const struct {
        uint8_t start, stop, pause, resume, restart;
    } after[] = { /* the state that follows; 9: refused */
        [HCALL_STATE_STOPPED] = {2, 9, 9, 9, 2},
        [HCALL_STATE_FAILED] = {2, 9, 9, 9, 2},
        [HCALL_STATE_RESTARTING] = {9, 0, 9, 9, 2},
        [HCALL_STATE_RUNNING] = {9, 0, 5, 9, 2},
        [HCALL_STATE_WAITING] = {9, 0, 5, 9, 2},
        [HCALL_STATE_PAUSED] = {9, 0, 9, 3, 2},
    };
    uint32_t from, action;

    (void)state;
    for (from = 0; from < COUNT(after); from++) {
        for (action = 0; action < 5; action++) {
            uint32_t expected = ((const uint8_t *)&after[from])[action];
            struct vcpu other;
            struct health kept;

            bring_to(from);
            other = *OTHER;
            kept = health[1];
            run_vm(SUPER);
            other.pit_base = OTHER->pit_base;
            call(SUPER, HCALL_vm_control, 1, action);
            if (expected == 9) {
                assert_hex(SUPER->gpr[3], E_STATE);
                assert_memory_equal(&kept, &health[1], sizeof(kept));
                assert_hex(other.msr, OTHER->msr);
                assert_hex(other.pc, OTHER->pc);
                assert_hex(health_state(OTHER), from);
            } else {
                assert_hex(SUPER->gpr[3], 0);
                assert_hex(health_state(OTHER), expected);
            }
        }
    }
    covered("hcall.vm_control");
}

/* A number that is no VM's or no action, a VM that is not his, himself: nothing happens. */
static void refused(void **state)
{
    uint32_t buffer = base_of(SUPER) + 0x400;

    (void)state;
    assert_hex(control(VM_COUNT, HCALL_CONTROL_STOP), E_ARGUMENT);
    assert_hex(control(0xFFFFFFFF, HCALL_CONTROL_STOP), E_ARGUMENT);
    assert_hex(control(1, 5), E_ARGUMENT);
    assert_hex(control(1, 0xFFFFFFFF), E_ARGUMENT);
    assert_hex(control(0, HCALL_CONTROL_STOP), E_STATE);
    call(SUPER, HCALL_vm_query, VM_COUNT, HCALL_QUERY_STATE);
    assert_hex(SUPER->gpr[3], E_ARGUMENT);
    call(SUPER, HCALL_vm_query, 0, HCALL_QUERY_STATE);
    assert_hex(SUPER->gpr[3], E_STATE);
    call(SUPER, HCALL_vm_query, 1, HCALL_QUERY_STORMS + 1);
    assert_hex(SUPER->gpr[3], E_ARGUMENT);
    call(SUPER, HCALL_vm_query, 1, HCALL_QUERY_STAT + STAT_COUNT);
    assert_hex(SUPER->gpr[3], E_ARGUMENT);
    call(SUPER, HCALL_vm_failure, 0, buffer);
    assert_hex(SUPER->gpr[3], E_ARGUMENT); /* there was none */
    run_vm(THIRD);
    call(THIRD, HCALL_vm_control, 1, HCALL_CONTROL_STOP);
    assert_hex(THIRD->gpr[3], E_STATE);
    run_vm(OTHER);
    call(OTHER, HCALL_vm_control, 0, HCALL_CONTROL_RESTART);
    assert_hex(OTHER->gpr[3], E_STATE);
    assert_hex(health_state(OTHER), HCALL_STATE_RUNNING);
    assert_hex(health_state(SUPER), HCALL_STATE_RUNNING);
}

/* No instruction, no time; what was pending is pending afterwards, and not a register has changed. */
static void paused(void **state)
{
    struct vcpu before;
    uint32_t i;

    (void)state;
    run_vm(OTHER);
    OTHER->msr = MSR_EE | MSR_CE | MSR_ME;
    timer_write_tcr(OTHER, TCR_PIE | TCR_ARE | TCR_WIE);
    timer_write_pit(OTHER, 50 * MS);
    enter(schedule(OTHER));
    run_vm(SUPER);
    timer_sync(OTHER, fake.time);
    before = *OTHER;
    assert_hex(control(1, HCALL_CONTROL_PAUSE), 0);
    for (i = 0; i < 300; i++) {
        fake.time += MS;
        enter(schedule(current));
        assert_ptr_not_equal(current, OTHER);
    }
    assert_hex(query(1, HCALL_QUERY_STATE), HCALL_STATE_PAUSED);
    assert_hex(control(1, HCALL_CONTROL_RESUME), 0);
    before.pit_base = OTHER->pit_base;
    before.events_base = OTHER->events_base;
    assert_memory_equal(&before, OTHER, offsetof(struct vcpu, stat));
    run_vm(OTHER);
    assert_hex(OTHER->pc, before.pc);
}

/* A line that comes meanwhile is taken when it goes on. */
static void paused_line(void **state)
{
    (void)state;
    waits(OTHER);
    OTHER->msr |= MSR_EE;
    irq_software(OTHER, IRQ_BIT(25), 0);
    assert_hex(control(1, HCALL_CONTROL_PAUSE), 0);
    irq_raise(OTHER, 25);
    enter(schedule(current));
    assert_hex(query(1, HCALL_QUERY_STATE), HCALL_STATE_PAUSED);
    assert_hex(control(1, HCALL_CONTROL_RESUME), 0);
    run_vm(OTHER);
    assert_hex(OTHER->pc, OTHER->evpr + 0x500);
}

/* A life after the other: all as after a reset, and nothing for those beside it. */
static void restarted(void **state)
{
    uint32_t i;

    (void)state;
    for (i = 0; i < 5; i++) {
        set_guest_word(OTHER, base_of(OTHER) + ENTRY, 0xDEADDEAD);
        OTHER->gpr[20] = 0xDEADDEAD;
        assert_hex(control(1, i % 2 != 0 ? HCALL_CONTROL_RESTART : HCALL_CONTROL_STOP), 0);
        if (i % 2 == 0) {
            run_vm(SUPER);
            assert_hex(control(1, HCALL_CONTROL_START), 0);
        }
        assert_hex(health_state(OTHER), HCALL_STATE_RESTARTING);
        run_vm(OTHER);
        assert_hex(OTHER->pc, base_of(OTHER) + ENTRY);
        assert_hex(OTHER->gpr[20], 0);
        assert_hex(guest_word(OTHER, base_of(OTHER) + ENTRY), fake_images[6]);
        assert_hex(query(1, HCALL_QUERY_STARTS), i + 2);
        computes(OTHER);
    }
    covered("hcall.vm_query");
}

/* The last that stops is stopped by nobody's supervisor: the board is reset. */
static void last(void **state)
{
    (void)state;
    assert_hex(control(1, HCALL_CONTROL_STOP), 0);
    assert_hex(control(2, HCALL_CONTROL_STOP), 0);
    run_vm(SUPER);
    fake.time += 100 * MS; /* both have their ends */
    enter(schedule(SUPER));
    SUPER->msr = 0;
    EXPECT_MACHINE_RESET(vcpu_stop(SUPER, STOP(RESET)); enter(schedule(SUPER)));
}

/* Fails as often as it may in its time, and once more; then time goes by. Each is told by a line. */
static void fails(void **state)
{
    uint32_t i, k;

    (void)state;
    irq_software(SUPER, IRQ_BIT(12), 0);
    waits(THIRD); /* it would tell of its turns */
    for (i = 0; i < 2; i++) {
        for (k = 0; k <= RESTARTS; k++) {
            SUPER->msr = 0;
            assert_hex(SUPER->pending, 0);
            OTHER->pc = base_of(OTHER) + 0x240;
            vcpu_stop(OTHER, STOP(CHECK));
            assert_hex(health_state(OTHER), k < RESTARTS ? HCALL_STATE_RESTARTING : HCALL_STATE_FAILED);
            assert_hex(SUPER->pending, MSR_EE);
            irq_write(SUPER, UIC_SR, 0xFFFFFFFF);
            assert_hex(query(1, HCALL_QUERY_CAUSE), STOP_CHECK);
            assert_hex(query(1, HCALL_QUERY_FAILURES), 3 * i + k + 1);
            assert_hex(query(2, HCALL_QUERY_FAILURES), 0);
            if (k < RESTARTS) {
                run_vm(OTHER);
                computes(OTHER);
                run_vm(SUPER);
            }
        }
        fake.time += 100 * MS; /* an end is none of a supervisor's: it starts the count anew */
        assert_hex(control(1, HCALL_CONTROL_START), 0);
        run_vm(OTHER);
        computes(OTHER);
        run_vm(SUPER);
    }
    vcpu_stop(OTHER, STOP(CHECK));
    fake.time += 100 * MS; /* its time is over: another time begins */
    run_vm(OTHER);
    computes(OTHER);
    run_vm(SUPER);
    for (k = 0; k <= RESTARTS; k++) {
        vcpu_stop(OTHER, STOP(CHECK));
        assert_hex(health_state(OTHER), k < RESTARTS ? HCALL_STATE_RESTARTING : HCALL_STATE_FAILED);
    }
}

/* The ring: the last eight, whole; the supervisor of the one that failed, and into his own memory only. */
static void failures(void **state)
{
    enum { OUTSIDE = HCALL_FAILURES - 1 }; /* of its memory */
    uint32_t buffer = base_of(SUPER) + 0x400, number, i;

    (void)state;
    for (number = 0; number < HCALL_FAILURES + 3; number++) {
        struct vcpu *v = number % 3 == 0 ? THIRD : OTHER;

        fake.time_hi = number + 7;
        v->pc = number == OUTSIDE ? 0xFFFFFFF0 : base_of(v) + 0x300 + 4 * number;
        if (number != OUTSIDE) {
            set_guest_word(v, v->pc, 0xABCD0000 + number);
        }
        vcpu_stop(v, STOP_TRANSLATION + number % 7, "so");
    }
    for (number = 0; number < HCALL_FAILURES + 4; number++) {
        uint32_t vm = number % 3 == 0 ? 2 : 1;
        uint32_t expected[] = {vm, STOP_TRANSLATION + number % 7, base_of(&vcpu[vm]) + 0x300 + 4 * number, 0xABCD0000 + number,
                               number + 7, fake.time};

        if (number == OUTSIDE) {
            expected[2] = 0xFFFFFFF0;
            expected[3] = 0; /* there is no instruction */
        }
        run_vm(SUPER);
        call(SUPER, HCALL_vm_failure, number, buffer);
        if (number < 3 || number == HCALL_FAILURES + 3) {
            assert_hex(SUPER->gpr[3], E_ARGUMENT);
            continue;
        }
        assert_hex(SUPER->gpr[3], 0);
        for (i = 0; i < HCALL_FAILURE_WORDS; i++) {
            assert_hex(guest_word(SUPER, buffer + 4 * i), expected[i]);
        }
    }
    number = HCALL_FAILURES + 2;
    for (i = 0; i < 4; i++) {
        uint32_t bad[] = {buffer + 2, base_of(SUPER) + 0x10000, base_of(SUPER) + 0x10000 - 20, 0xFFFFFFFC};

        call(SUPER, HCALL_vm_failure, number, bad[i]);
        assert_hex(SUPER->gpr[3], E_POINTER);
    }
    covered("hcall.vm_failure");
}

/* A ring entry of a VM that another supervises. */
static void failures_of_others(void **state)
{
    (void)state;
    vcpu_stop(OTHER, STOP(CHECK));
    run_vm(OTHER);
    computes(OTHER);
    call(OTHER, HCALL_vm_failure, 0, base_of(OTHER) + 0x400);
    assert_hex(OTHER->gpr[3], E_STATE);
}

/* 64 bits, read while the lower word passes its end. */
static void since(void **state)
{
    (void)state;
    assert_hex(control(1, HCALL_CONTROL_RESTART), 0);
    fake.time_hi = 8;
    run_vm(OTHER);
    computes(OTHER);
    assert_hex(query(1, HCALL_QUERY_SINCE_HI), 8);
    assert_true(fake.time - query(1, HCALL_QUERY_SINCE_LO) <= 4 * SCHED_QUANTUM_TICKS);
    fake.time_hi = 1;
    fake.time = 0xFFFFFFFF;
    fake.time_wraps = true;
    assert_int_equal(health_time(), 0x200000000);
#ifdef CONFIG_STATS
    OTHER->stat[STAT_cold] = 1234;
    assert_hex(query(1, HCALL_QUERY_STAT + STAT_cold), 1234);
#endif
}

/* ---- events ---- */

#define ENABLED fake.dcr[BOARD_UIC_DCR + UIC_ER]

/* The board's line was active for a moment: false if it is masked. */
static bool device(uint32_t line)
{
    bool enabled = (ENABLED & UIC_BIT(line)) != 0;

    fake.lines |= UIC_BIT(line);
    enter(external(current));
    fake.lines &= ~UIC_BIT(line);
    fake.dcr[BOARD_UIC_DCR + UIC_SR] = 0;
    return enabled;
}

static void serve(struct vcpu *v)
{
    irq_write(v, UIC_SR, 0xFFFFFFFF);
}

static uint32_t lines_of_third(void)
{
    return ENABLED & (UIC_BIT(28) | UIC_BIT(29));
}

/* A guest that serves all at once has as many in 20 ms as it may, one line more, and then none; the supervisor is told. */
static void storm(void **state)
{
    uint32_t i;

    (void)state;
    irq_software(SUPER, IRQ_BIT(12), 0);
    SUPER->msr = 0;
    assert_hex(lines_of_third(), UIC_BIT(28) | UIC_BIT(29));
    for (i = 0; i < 50; i++) {
        uint32_t came = 0, k;

        for (k = 0; k < 10; k++) {
            came += device(28);
            serve(THIRD);
            fake.time += PERIOD / 20;
        }
        assert_int_equal(came, 3);
        assert_hex(lines_of_third(), 0);
        assert_false(device(29));
        enter(schedule(current));
        assert_hex(SUPER->pending, MSR_EE);
        serve(SUPER);
        assert_hex(query(2, HCALL_QUERY_STORMS), i + 1);
        assert_hex(health_state(THIRD), HCALL_STATE_RUNNING);
        fake.time += PERIOD / 2 + 10;
        enter(schedule(current));
        assert_hex(lines_of_third(), UIC_BIT(28) | UIC_BIT(29));
    }
    assert_hex(query(2, HCALL_QUERY_FAILURES), 0);
    assert_hex(ENABLED & (UIC_BIT(25) | UIC_BIT(26) | UIC_BIT(27)), UIC_BIT(25) | UIC_BIT(26) | UIC_BIT(27)); /* others' */
}

/* As many as it may, again and again, and never one too many. */
static void no_storm(void **state)
{
    uint32_t i;

    (void)state;
    for (i = 0; i < 100; i++) {
        assert_true(device(28 + i % 2));
        serve(THIRD);
        fake.time += PERIOD / 2;
    }
    assert_hex(health[2].query[HCALL_QUERY_STORMS], 0);
    for (i = 0; i < 100; i++) { /* nobody has limited the first */
        assert_true(device(25));
        serve(SUPER);
    }
    assert_hex(health[0].query[HCALL_QUERY_STORMS], 0);
}

/* A period that is over with the interrupt that begins the next: that one counts there. */
static void storm_after_silence(void **state)
{
    uint32_t k;

    (void)state;
    assert_true(device(28));
    serve(THIRD);
    fake.time += PERIOD + 1;
    for (k = 0; k < 3; k++) {
        assert_true(device(28));
        serve(THIRD);
    }
    assert_hex(lines_of_third(), 0);
}

/* A line that it has not acknowledged stays masked when the time is over; one that it has comes back. */
static void storm_ends(void **state)
{
    (void)state;
    assert_true(device(28));
    serve(THIRD);
    assert_true(device(29));
    assert_hex(lines_of_third(), UIC_BIT(28));
    assert_true(device(28));
    assert_hex(lines_of_third(), 0);
    irq_write(THIRD, UIC_SR, UIC_BIT(28));
    assert_hex(lines_of_third(), 0);
    fake.time += PERIOD - 1;
    enter(schedule(current));
    assert_hex(lines_of_third(), 0);
    assert_int_equal(fake.spr[SPRN_PIT], PIT_TICKS_MIN);
    fake.time += 1;
    enter(schedule(current));
    assert_hex(lines_of_third(), UIC_BIT(28));
    irq_write(THIRD, UIC_SR, UIC_BIT(9));
    assert_hex(lines_of_third(), UIC_BIT(28) | UIC_BIT(29));
}

/* What an edge told while all was masked comes then; of a line that has been acknowledged, or not. */
static void storm_keeps_edges(void **state)
{
    uint32_t i;

    (void)state;
    irq_write(THIRD, UIC_TR, UIC_BIT(28));
    for (i = 0; i < 3; i++) {
        assert_true(device(28));
        serve(THIRD);
    }
    assert_hex(lines_of_third(), 0);
    fake.lines |= UIC_BIT(28);
    enter(external(current));
    fake.lines &= ~UIC_BIT(28);
    assert_hex(irq_read(THIRD, UIC_SR), 0);
    fake.time += PERIOD;
    enter(schedule(current));
    assert_hex(lines_of_third(), UIC_BIT(28) | UIC_BIT(29));
    enter(external(current));
    assert_hex(irq_read(THIRD, UIC_SR), UIC_BIT(28));
}

/* Neither what a guest does, nor a new life of it, gives its lines back before; the machine looks in time, idle or not. */
static void storm_lasts(void **state)
{
    uint32_t start, i;

    (void)state;
    for (i = 0; i < 3; i++) {
        assert_true(device(28));
        serve(THIRD);
    }
    start = fake.time;
    enter(schedule(current));
    irq_write(THIRD, UIC_TR, 0);
    irq_write(THIRD, UIC_PR, 0xFFFFFFFF);
    irq_write(THIRD, UIC_ER, 0xFFFFFFFF);
    irq_reset(THIRD);
    assert_hex(control(2, HCALL_CONTROL_RESTART), 0);
    run_vm(THIRD);
    computes(THIRD);
    assert_hex(lines_of_third(), 0);
    for (i = 0; i < VM_COUNT; i++) {
        waits(&vcpu[i]);
        vcpu[i].tcr = 0;
        vcpu[i].pit_left = 0;
    }
    enter(schedule(current));
    assert_true(is_idle());
    for (i = 0; lines_of_third() == 0; i++) {
        assert_in_range(i, 0, 20);
        fake.time += fake.spr[SPRN_PIT];
        enter(schedule(current));
    }
    assert_in_range(fake.time - start, PERIOD, PERIOD + PIT_TICKS_MIN);
}

/* One that fails by it is restarted as by any failure, and then it stays as it is, whatever comes. */
static void storm_fails(void **state)
{
    uint32_t life, i;

    (void)state;
    for (life = 0; life <= RESTARTS; life++) {
        for (i = 0; i < 4; i++) {
            assert_hex(health_state(OTHER), HCALL_STATE_RUNNING);
            assert_true(device(27));
            serve(OTHER);
        }
        enter(schedule(current));
        assert_hex(health[1].query[HCALL_QUERY_STATE], life < RESTARTS ? HCALL_STATE_RUNNING : HCALL_STATE_FAILED);
        assert_hex(health[1].query[HCALL_QUERY_CAUSE], STOP_STORM);
        if (life < RESTARTS) {
            run_vm(OTHER);
            computes(OTHER);
            run_vm(SUPER);
        }
        fake.time += vm_care[1].interrupts_in;
        enter(schedule(current));
        assert_hex(ENABLED & UIC_BIT(27), UIC_BIT(27));
    }
    for (i = 0; i < 4; i++) { /* whoever has failed does not fail once more */
        device(27);
        serve(OTHER);
    }
    enter(schedule(current));
    run_vm(SUPER);
    assert_hex(query(1, HCALL_QUERY_STATE), HCALL_STATE_FAILED);
    assert_hex(query(1, HCALL_QUERY_STORMS), RESTARTS + 2);
    assert_hex(query(1, HCALL_QUERY_FAILURES), RESTARTS + 1);
}

/* Told, and no more. Its work, and who has not asked, are none. */
static void overrun(void **state)
{
    (void)state;
    irq_software(SUPER, IRQ_BIT(12), 0);
    SUPER->msr = 0;
    vcpu_event(THIRD, EVENT_OVERRUN);
    vcpu_event(OTHER, EVENT_OVERRUN);
    enter(schedule(current));
    assert_hex(SUPER->pending, MSR_EE);
    assert_hex(query(2, HCALL_QUERY_OVERRUNS), 1);
    assert_hex(query(1, HCALL_QUERY_OVERRUNS), 0);
    assert_hex(query(2, HCALL_QUERY_STATE), HCALL_STATE_RUNNING);
    enter(schedule(current));
    assert_hex(query(2, HCALL_QUERY_OVERRUNS), 1);
}

/* The last line says who it was: for a failure, for a reset of its own; a supervisor's stop is neither. */
static void resets_the_board(void **state)
{
    (void)state;
    assert_hex(control(3, HCALL_CONTROL_START), 0);
    assert_hex(control(3, HCALL_CONTROL_STOP), 0);
    assert_hex(control(3, HCALL_CONTROL_START), 0);
    run_vm(RESETS);
    computes(RESETS);
    EXPECT_MACHINE_RESET(vcpu_stop(RESETS, STOP(CHECK)));
    assert_non_null(strstr(fake.output, "[proteus] reset delta: so says its partition\n"));
    assert_true(strstr(fake.output, "machine check while MSR[ME] is 0") < strstr(fake.output, "[proteus] reset delta"));
    assert_hex(fake.reset, DBCR0_RST);
}

static void resets_the_board_by_a_reset(void **state)
{
    (void)state;
    assert_hex(control(3, HCALL_CONTROL_START), 0);
    run_vm(RESETS);
    computes(RESETS);
    EXPECT_MACHINE_RESET(vcpu_reset_request(RESETS, 3, 0));
    assert_non_null(strstr(fake.output, "[proteus] reset delta: so says its partition\n"));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup(transitions, begin), cmocka_unit_test_setup(refused, begin),
        cmocka_unit_test_setup(paused, begin),      cmocka_unit_test_setup(paused_line, begin),
        cmocka_unit_test_setup(restarted, begin),   cmocka_unit_test_setup(last, begin),
        cmocka_unit_test_setup(fails, begin),       cmocka_unit_test_setup(failures, begin),
        cmocka_unit_test_setup(failures_of_others, begin), cmocka_unit_test_setup(since, begin),
        cmocka_unit_test_setup(storm, begin),       cmocka_unit_test_setup(no_storm, begin),
        cmocka_unit_test_setup(storm_after_silence, begin),
        cmocka_unit_test_setup(storm_ends, begin),  cmocka_unit_test_setup(storm_keeps_edges, begin),
         cmocka_unit_test_setup(storm_lasts, begin),
        cmocka_unit_test_setup(storm_fails, begin), cmocka_unit_test_setup(overrun, begin),
        cmocka_unit_test_setup(resets_the_board, begin),
        cmocka_unit_test_setup(resets_the_board_by_a_reset, begin),
    };

    return cmocka_run_group_tests_name("health", tests, 0, 0);
}
