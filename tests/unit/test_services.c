/*
 * test_services.c: hypercalls in the place of privileged instructions, and those for scheduling, identity and statistics
 * (option SERVICES).
 *
 * covers: kconfig.SERVICES
 */
#include "hcall.h"

#include <string.h>

#include "sched.h"
#include "stats.h"
#include "irq.h"

#define QUANTUM SCHED_QUANTUM_TICKS
#define INSN_AT 0x300U

static const uint32_t patterns[] = {0, 0xFFFFFFFF, 0x5A5A5A5A, 0xA5A5A5A5, 1, 0x80000000, 0x0C000000, 0x12345678};

/* ---- spr_read, spr_write against the instructions ---- */

/* The same guest executes the instruction instead. True if it was done. */
static bool instead(struct vcpu *v, uint32_t insn)
{
    uint32_t pc = vm_config[v - vcpu].ram_guest + INSN_AT;

    v->pc = pc;
    assert_ptr_equal(run_insn(v, insn, ESR_PPR), v);
    return v->pc == pc + 4;
}

/* Something in every register that reading does not change. */
static void fill(struct vcpu *v)
{
    uint32_t *word;

    for (word = &v->msr + 1; word < &v->zpr; word++) {
        *word = random_word();
    }
    v->pid = 0x5A;
    v->evpr = 0x12340000;
    v->dbsr = 0x55AA55AA;
    v->dbcr0 = 0x0BCD0000;
    v->sprg4 = 0x44440004;
    v->sprg5 = 0x55550005;
    v->sprg6 = 0x66660006;
    v->sprg7 = 0x77770007;
    v->usprg0 = 0x05090600;
    v->srr2 = 0x22220002;
    v->srr3 = 0x33330003;
    vcpu_load_live(v);
}

static void spr_read_agrees(void **state)
{
    struct vcpu *v = current;
    uint32_t number, value, result;
    uint32_t good = 0;

    (void)state;
    alone(v);
    fill(v);
    timer_write_pit(v, 0x00345678);
    enter(schedule(v));
    for (number = 0; number < 1024; number++) {
        assert_ptr_equal(call(v, HCALL_spr_read, number, 0x0DD0DD00), v);
        result = v->gpr[3];
        value = v->gpr[4];
        assert_only(v, result, value);
        if (instead(v, mfspr_r5[number])) {
            assert_hex(result, 0);
            assert_hex(value, v->gpr[5]);
            good++;
        } else {
            assert_hex(result, E_ARGUMENT);
            assert_hex(value, 0x0DD0DD00);
        }
        recall();
    }
    assert_int_equal(good, 41); /* of the rows of config/spr.def, all but TBL and TBU */
    covered("hcall.spr_read");
}

/* Every word that the instruction would change, and no other. */
static void spr_write_like_insn(struct vcpu *v, uint32_t number, uint32_t value)
{
    static struct vcpu by_call;
    uint32_t live[7];
    uint32_t result, i;

    call(v, HCALL_spr_write, number, value);
    result = v->gpr[3];
    if (result != 0) {
        assert_only(v, E_ARGUMENT, value);
    }
    v->gpr[3] = number;
    vcpu_save_live(v);
    by_call = *v;
    memcpy(live, &fake.spr[SPRN_SPRG4], 4 * sizeof(live[0]));
    live[4] = fake.spr[SPRN_PIT];
    live[5] = fake.spr[SPRN_PID];
    recall();
    if (!instead(v, with_rt(mtspr_r5[number], 4))) {
        assert_hex(result, E_ARGUMENT);
        recall();
        return;
    }
    assert_hex(result, 0);
    vcpu_save_live(v);
    v->pc = by_call.pc;
#ifdef CONFIG_STATS
    v->stat[STAT_cold] = by_call.stat[STAT_cold];
#endif
    assert_memory_equal(v, &by_call, offsetof(struct vcpu, none));
    for (i = 0; i < 4; i++) {
        assert_hex(fake.spr[SPRN_SPRG4 + i], live[i]);
    }
    assert_hex(fake.spr[SPRN_PIT], live[4]);
    assert_hex(fake.spr[SPRN_PID], live[5]);
    recall();
}

static void spr_write_agrees(void **state)
{
    struct vcpu *v = current;
    uint32_t number;
    size_t i;

    (void)state;
    alone(v);
    fill(v);
    v->msr = MSR_ME;
    v->tsr = TSR_PIS;
    timer_write_pit(v, 0x00345678);
    enter(schedule(v));
    for (number = 0; number < 1024; number++) {
        for (i = 0; i < COUNT(patterns) && number != SPRN_DBCR0; i++) {
            spr_write_like_insn(v, number, patterns[i]);
        }
    }
    for (i = 0; i < COUNT(patterns); i++) { /* no reset by a call, nor anything else of it */
        assert_refused(v, HCALL_spr_write, SPRN_DBCR0, patterns[i], E_ARGUMENT);
    }
    covered("hcall.spr_write");
}

/* A number has ten bits: one with others besides is no register, whatever its lower bits say. */
static void defect_spr_number_has_ten_bits(void **state)
{
    struct vcpu *v = current;
    uint32_t number, bit;

    (void)state;
    alone(v);
    for (bit = 10; bit < 32; bit++) {
        for (number = 0; number < 1024; number++) {
            call(v, HCALL_spr_read, 1U << bit | number, 0x44444444);
            if (v->gpr[3] != E_ARGUMENT || v->gpr[4] != 0x44444444) {
                fail_msg("spr_read of number 0x%08X: r3 = 0x%08X", 1U << bit | number, v->gpr[3]);
            }
            call(v, HCALL_spr_write, 1U << bit | number, 0x44444444);
            if (v->gpr[3] != E_ARGUMENT) {
                fail_msg("spr_write of number 0x%08X: r3 = 0x%08X", 1U << bit | number, v->gpr[3]);
            }
        }
        assert_refused(v, HCALL_spr_write, 1U << bit | 26, 0x44444444, E_ARGUMENT);
    }
    assert_refused(v, HCALL_spr_read, 0xFFFFFFFF, 0x44444444, E_ARGUMENT);
    assert_refused(v, HCALL_spr_write, 0xFFFFFFFF, 0x44444444, E_ARGUMENT);
}

/* What becomes deliverable by the write is delivered behind the call. */
static void spr_write_delivers(void **state)
{
    struct vcpu *v = current;

    (void)state;
    alone(v);
    v->evpr = 0x00070000;
    v->msr = MSR_EE | MSR_ME;
    v->tsr = TSR_PIS;
    call(v, HCALL_spr_write, SPRN_TCR, TCR_PIE);
    assert_hex(v->pc, 0x00071000);
    assert_hex(v->srr0, sc_of(v) + 4);
    assert_hex(v->srr1, MSR_EE | MSR_ME);
    assert_hex(v->gpr[3], 0);
}

/* ---- dcr_read, dcr_write, uic_set ---- */

static uint32_t with_dcr(uint32_t insn, uint32_t number)
{
    return insn | (number & 31) << 16 | (number >> 5) << 11;
}

static void dcr_agrees(void **state)
{
    struct vcpu *v = current;
    uint32_t number, value;
    size_t i;

    (void)state;
    alone(v);
    irq_write(v, UIC_ER, 0x01020304);
    irq_write(v, UIC_SRS, 0x00FF00FF);
    irq_write(v, UIC_VCR, 0x12340001);
    v->msr = MSR_ME;
    enter(schedule(v));
    for (number = 0; number < 1024; number++) {
        call(v, HCALL_dcr_read, number, 0x44444444);
        value = v->gpr[4];
        assert_only(v, 0, value);
        assert_true(instead(v, with_dcr(INSN("mfdcr 5, 0"), number)));
        assert_hex(value, v->gpr[5]);
        recall();
    }
    for (i = 10; i < 32; i++) {
        assert_refused(v, HCALL_dcr_read, 1U << i, 0x44444444, E_ARGUMENT);
        assert_refused(v, HCALL_dcr_read, 1U << i | (BOARD_UIC_DCR + UIC_ER), 0x44444444, E_ARGUMENT);
        assert_refused(v, HCALL_dcr_write, 1U << i | (BOARD_UIC_DCR + UIC_ER), 0x44444444, E_ARGUMENT);
    }
    assert_refused(v, HCALL_dcr_read, 0xFFFFFFFF, 0x44444444, E_ARGUMENT);
    assert_refused(v, HCALL_dcr_write, 0xFFFFFFFF, 0x44444444, E_ARGUMENT);
    covered("hcall.dcr_read");
}

static void dcr_write_agrees(void **state)
{
    static struct vcpu by_call;
    struct vcpu *v = current;
    uint32_t number, dcr[1024];
    size_t i;

    (void)state;
    alone(v);
    irq_write(v, UIC_SRS, 0x00FF00FF);
    enter(schedule(v));
    for (number = 0; number < 1024; number++) {
        for (i = 0; i < COUNT(patterns); i++) {
            call(v, HCALL_dcr_write, number, patterns[i]);
            assert_hex(v->gpr[3], 0);
            v->gpr[3] = number;
            vcpu_save_live(v);
            by_call = *v;
            memcpy(dcr, fake.dcr, sizeof(dcr));
            recall();
            assert_true(instead(v, with_dcr(INSN("mtdcr 0, 4"), number)));
            vcpu_save_live(v);
            v->pc = by_call.pc;
#ifdef CONFIG_STATS
            v->stat[STAT_cold] = by_call.stat[STAT_cold];
#endif
            assert_memory_equal(v, &by_call, offsetof(struct vcpu, none));
            assert_memory_equal(dcr, fake.dcr, sizeof(dcr));
            recall();
        }
    }
    covered("hcall.dcr_write");
}

#ifdef CONFIG_UIC

/* SR first, then ER; the owner's lines of the board are unmasked, as by the two instructions. */
static void uic_set_is_both(void **state)
{
    struct vcpu *v = &vcpu[0]; /* lines 25 as 25, 26 as 9 */

    (void)state;
    alone(v);
    fake.dcr[BOARD_UIC_DCR + UIC_ER] = 0;
    irq_write(v, UIC_SRS, 0xF0F0F0F0);
    irq_write(v, UIC_ER, 0x0000000F);
    enter(schedule(v));
    call(v, HCALL_uic_set, 0x30004000, 0x00C00040);
    assert_hex(fake.dcr[BOARD_UIC_DCR + UIC_ER] & UIC_BIT(25), 0);
    was(v)->uic_sr = 0xC0F0B0F0;
    was(v)->uic_er = 0x00C00040;
    was(v)->irq_pending = MSR_EE;
    was(v)->pending = MSR_EE;
    assert_only(v, 0, 0x00C00040);
    call(v, HCALL_uic_set, UIC_BIT(25) | UIC_BIT(9), 0);
    assert_hex(fake.dcr[BOARD_UIC_DCR + UIC_ER], UIC_BIT(25) | UIC_BIT(26));
    assert_hex(v->pending, 0);
    v->msr = MSR_EE | MSR_CE;
    v->evpr = 0x00070000;
    call(v, HCALL_uic_set, 0, 0x80000000); /* enables one that is active: taken behind the call */
    assert_hex(v->pc, 0x00070500);
    assert_hex(v->srr0, sc_of(v) + 4);
    covered("hcall.uic_set");
}

#endif

/* ---- yield, sleep_until ---- */

static void all_can_run(void)
{
    uint32_t i;

    for (i = 0; i < VM_COUNT; i++) {
        vcpu[i].msr = 0;
    }
}

static void yield_gives_away(void **state)
{
    struct vcpu *v, *next;

    (void)state;
    all_can_run();
    run_vm(&vcpu[0]);
    v = current;
    fake.time += 100;
    next = call(v, HCALL_yield, 0x33333333, 0x44444444);
    if (VM_COUNT > 1) {
        assert_ptr_equal(next, &vcpu[1]);
        assert_hex(fake.spr[SPRN_PIT], QUANTUM); /* a whole slice */
    }
    assert_hex(v->gpr[3], 0);
    assert_hex(v->gpr[4], 0x44444444);
    assert_hex(v->pc, sc_of(v) + 4);
    run_vm(v);
    assert_hex(v->pc, sc_of(v) + 4);
    alone(v); /* nobody to give it to: it goes on */
    fake.time += 100;
    call(v, HCALL_yield, 0x33333333, 0x44444444);
    assert_ptr_equal(current, v);
    assert_false(is_idle());
    assert_hex(v->gpr[3], 0);
    assert_hex(v->pc, sc_of(v) + 4);
    covered("hcall.yield");
}

/* The road of the sc that follows when it wakes: the call again, with the registers as they are. */
static void again(struct vcpu *v)
{
    assert_ptr_equal(current, v);
    assert_false(is_idle());
    assert_hex(v->pc, sc_of(v)); /* at the sc, not behind it */
    v->pc += 4;
    fake.spr[SPRN_SRR0] = v->pc;
    enter(hypercall(v));
}

/* A time that has passed, at most a quarter of the time base's range ago; further, it could be one to come, and is neither. */
static void sleep_reached_at_once(void **state)
{
    static const uint32_t ago[] = {0, 1, 1000, 0x3FFFFFFF, 0x40000000};
    static const uint32_t far[] = {0x40000001, 0x60000000, 0x7FFFFFFF, 0x80000000};
    struct vcpu *v = current;
    size_t i;

    (void)state;
    for (i = 0; i < COUNT(ago); i++) {
        machine_boot_alone_at(0x50);
        alone(v = current);
        call(v, HCALL_sleep_until, fake.time - ago[i], 0x44444444);
        assert_only(v, 0, 0x44444444);
    }
    for (i = 0; i < COUNT(far); i++) {
        machine_boot_alone_at(0x50);
        alone(v = current);
        call(v, HCALL_sleep_until, fake.time - far[i], 0x44444444);
        assert_only(v, E_ARGUMENT, 0x44444444);
    }
}

static void sleep_from(uint32_t start, uint32_t ticks)
{
    struct vcpu *v;
    uint32_t looks = 0;

    machine_boot_alone_at(start);
    alone(v = current);
    start = fake.time;
    call(v, HCALL_sleep_until, start + ticks, 0x44444444);
    assert_true(is_idle());
    while (is_idle()) { /* the machine wakes itself up */
        assert_true(looks++ < 8 + 0x80000000U / (BOARD_TB_HZ / 2)); /* twice a second, if there is a console */
        assert_in_range(fake.spr[SPRN_PIT], PIT_TICKS_MIN, ticks > PIT_TICKS_MIN ? ticks : PIT_TICKS_MIN);
        fake.time += fake.spr[SPRN_PIT];
        enter(schedule(v));
    }
    assert_in_range(fake.time - start, ticks, ticks + PIT_TICKS_MIN);
    again(v);
    assert_false(is_idle());
    assert_hex(v->pc, sc_of(v) + 4);
    assert_hex(v->gpr[3], 0);
    assert_hex(v->gpr[4], 0x44444444);
    assert_hex(v->gpr[0], (uint32_t)HCALL_TAG << 16 | HCALL_sleep_until);
    assert_hex(v->msr, MSR_ME);
}

static void sleep_later(void **state)
{
    (void)state;
    sleep_from(0x1000, 1);
    sleep_from(0x1000, 100000);
    sleep_from(0x1000, 0x7FFFFFFF);
    sleep_from(0xFFFFFF00, 0x1000); /* TBL wraps meanwhile */
    sleep_from(0x7FFFFF00, 0x1000);
    sleep_from(0xFFFFFFFF, 1);
    covered("hcall.sleep_until");
}

/* An interrupt is taken with the sc as its return address; after rfi the guest goes on sleeping, to the same time. */
static void sleep_interrupted(void **state)
{
    struct vcpu *v;
    uint32_t until, count;

    machine_boot_alone(state);
    alone(v = current);
    v->msr = MSR_EE | MSR_ME;
    v->evpr = 0x00070000;
    v->tcr = TCR_PIE;
    until = fake.time + 100000;
    call(v, HCALL_sleep_until, until, 0x44444444);
    for (count = 0; count < 3; count++) {
        assert_true(is_idle());
        v->pit = v->pit_left = 2000; /* as if it had been set before the call */
        v->pit_base = fake.time;
        enter(external(v));
        assert_int_equal(fake.spr[SPRN_PIT], 2000);
        fake.time += 2000;
        enter(schedule(v));
        assert_false(is_idle());
        assert_hex(v->pc, 0x00071000);
        assert_hex(v->srr0, sc_of(v));
        assert_hex(v->srr1, MSR_EE | MSR_ME);
        assert_hex(v->gpr[3], until);
        fake.time += 300; /* the handler runs, and is not taken for asleep */
        enter(schedule(v));
        assert_false(is_idle());
        timer_write_tsr(v, TSR_PIS);
        v->pc = v->srr0; /* rfi */
        v->msr = v->srr1;
        again(v);
    }
    assert_true(is_idle());
    fake.time = until;
    enter(schedule(v));
    again(v);
    assert_hex(v->gpr[3], 0);
    assert_hex(v->pc, sc_of(v) + 4);
}

#ifdef CONFIG_UIC

/* A critical interrupt as well: its handler is not taken for asleep. */
static void sleep_interrupted_critically(void **state)
{
    struct vcpu *v;

    machine_boot_alone(state);
    alone(v = current);
    v->msr = MSR_CE | MSR_ME;
    v->evpr = 0x00070000;
    irq_write(v, UIC_CR, UIC_BIT(3));
    irq_write(v, UIC_ER, UIC_BIT(3));
    call(v, HCALL_sleep_until, fake.time + 100000, 0x44444444);
    assert_true(is_idle());
    irq_write(v, UIC_SRS, UIC_BIT(3));
    enter(schedule(v));
    assert_false(is_idle());
    assert_hex(v->pc, 0x00070100);
    fake.time += 300;
    enter(schedule(v));
    assert_false(is_idle());
}

#endif

/* The time comes while the handler runs: back at the sc, the guest does not wait. */
static void sleep_over_in_handler(void **state)
{
    struct vcpu *v;
    uint32_t until;

    machine_boot_alone(state);
    alone(v = current);
    v->msr = MSR_EE;
    v->tcr = TCR_PIE;
    timer_write_pit(v, 500);
    until = fake.time + 1000;
    call(v, HCALL_sleep_until, until, 0x44444444);
    assert_int_equal(fake.spr[SPRN_PIT], 500);
    fake.time += 500;
    enter(schedule(v));
    assert_hex(v->pc, v->evpr + 0x1000);
    fake.time = until + 5;
    timer_write_tsr(v, TSR_PIS);
    v->pc = v->srr0;
    v->msr = v->srr1;
    again(v);
    assert_hex(v->gpr[3], 0);
    assert_hex(v->pc, sc_of(v) + 4);
}

/* Masked interrupts do not end it, and do not run the handler. */
static void sleep_masked(void **state)
{
    struct vcpu *v;
    uint32_t until;

    machine_boot_alone(state);
    alone(v = current);
    v->tcr = TCR_PIE;
    timer_write_pit(v, 500);
    until = fake.time + 5000;
    call(v, HCALL_sleep_until, until, 0x44444444);
    fake.time += 500;
    enter(schedule(v));
    assert_true(is_idle());
    assert_hex(v->pending, MSR_EE);
    fake.time = until;
    enter(schedule(v));
    again(v);
    assert_hex(v->pc, sc_of(v) + 4);
}

/* Others run meanwhile; who sleeps gets no slice before its time, and one in its turn after it. */
static void sleep_beside_others(void **state)
{
    struct vcpu *v;
    uint32_t until, i, late;

    machine_boot(state);
    if (VM_COUNT == 1) {
        skip();
    }
    all_can_run();
    run_vm(&vcpu[0]);
    v = current;
    until = fake.time + 20 * QUANTUM;
    call(v, HCALL_sleep_until, until, 0x44444444);
    for (i = 0; current != v; i++) {
        assert_true(i < 40 * VM_COUNT);
        assert_false(is_idle());
        fake.time += fake.spr[SPRN_PIT];
        enter(schedule(current));
    }
    assert_true(i >= 20);
    late = fake.time - until;
    assert_in_range(late, 0, (VM_COUNT - 1) * QUANTUM);
    again(v);
    assert_hex(v->pc, sc_of(v) + 4);
    assert_hex(v->gpr[3], 0);
}

/* A VM that stops, or starts again, does not sleep. */
static void sleep_ends_with_the_life(void **state)
{
    struct vcpu *v;

    machine_boot_alone(state);
    alone(v = current);
    call(v, HCALL_sleep_until, fake.time + 1000, 0);
    fake.time += 100;
    vcpu_reset(v, 3);
    v->tcr = 0;
    enter(schedule(v));
    assert_true(vcpu_can_run(v));
    if (VM_COUNT == 1) {
        return;
    }
    machine_boot_alone(state);
    alone(v = current);
    call(v, HCALL_sleep_until, fake.time + 1000, 0);
    vcpu_stop(v, STOP(FETCH));
    fake.time += 1000;
    enter(schedule(v));
    assert_true(is_idle());
    assert_false(vcpu_can_run(v));
}

/* ---- sched_get, sched_set ---- */

static void scheduler_errors(void **state)
{
    static const uint32_t others[] = {2, 3, 0x7FFFFFFF, 0xFFFFFFFF};
    struct vcpu *v = current;
    size_t i;

    (void)state;
    alone(v);
    for (i = 0; i < COUNT(others); i++) {
        assert_refused(v, HCALL_sched_get, others[i], 0x44444444, E_ARGUMENT);
        assert_refused(v, HCALL_sched_set, others[i], QUANTUM, E_ARGUMENT);
    }
    assert_refused(v, HCALL_sched_set, HCALL_SCHED_LEFT, QUANTUM, E_ARGUMENT); /* read-only */
    assert_refused(v, HCALL_sched_set, HCALL_SCHED_QUANTUM, QUANTUM + 1, E_ARGUMENT);
    assert_refused(v, HCALL_sched_set, HCALL_SCHED_QUANTUM, 0xFFFFFFFF, E_ARGUMENT);
    assert_refused(v, HCALL_sched_set, HCALL_SCHED_QUANTUM, 255, E_ARGUMENT);
    assert_refused(v, HCALL_sched_set, HCALL_SCHED_QUANTUM, 0, E_ARGUMENT);
    if (IS_ENABLED(CONFIG_SCHED_SINGLE)) {
        assert_refused(v, HCALL_sched_get, HCALL_SCHED_QUANTUM, 0x44444444, E_STATE);
        assert_refused(v, HCALL_sched_get, HCALL_SCHED_LEFT, 0x44444444, E_STATE);
        assert_refused(v, HCALL_sched_set, HCALL_SCHED_QUANTUM, QUANTUM, E_STATE);
    }
}

/* A shorter slice for oneself, from the next on; the others keep theirs; never longer than the partition file says. */
static void quantum_is_set(void **state)
{
    struct vcpu *v;
    uint32_t round;

    machine_boot(state);
    if (IS_ENABLED(CONFIG_SCHED_SINGLE)) {
        skip();
    }
    alone(v = current);
    call(v, HCALL_sched_get, HCALL_SCHED_QUANTUM, 0x44444444);
    assert_only(v, 0, QUANTUM);
    call(v, HCALL_sched_set, HCALL_SCHED_QUANTUM, 5000);
    was(v)->gpr[3] = 0; /* results and the quantum are all that is different */
    remember();
    call(v, HCALL_sched_get, HCALL_SCHED_QUANTUM, 0x44444444);
    assert_only(v, 0, 5000);
    all_can_run();
    for (round = 0; round < 12; round++) {
        fake.time += fake.spr[SPRN_PIT];
        enter(schedule(current));
        assert_int_equal(fake.spr[SPRN_PIT], current == v ? 5000 : QUANTUM);
    }
    run_vm(v);
    call(v, HCALL_sched_set, HCALL_SCHED_QUANTUM, 256);
    assert_hex(v->gpr[3], 0);
    call(v, HCALL_sched_set, HCALL_SCHED_QUANTUM, QUANTUM);
    assert_hex(v->gpr[3], 0);
    call(v, HCALL_sched_set, HCALL_SCHED_QUANTUM, 300);
    vcpu_reset(v, 3); /* a new life, the partition's quantum */
    alone(v);
    call(v, HCALL_sched_get, HCALL_SCHED_QUANTUM, 0);
    assert_only(v, 0, QUANTUM);
    covered("hcall.sched_get");
    covered("hcall.sched_set");
}

static void slice_left(void **state)
{
    struct vcpu *v;

    machine_boot(state);
    if (IS_ENABLED(CONFIG_SCHED_SINGLE)) {
        skip();
    }
    all_can_run();
    fake.time += fake.spr[SPRN_PIT];
    enter(schedule(current));
    v = current;
    call(v, HCALL_sched_get, HCALL_SCHED_LEFT, 0x44444444);
    assert_hex(v->gpr[4], QUANTUM);
    fake.time += 1000;
    call(v, HCALL_sched_get, HCALL_SCHED_LEFT, 0x44444444);
    assert_hex(v->gpr[3], 0);
    assert_hex(v->gpr[4], QUANTUM - 1000);
}

/*
 * The machine's PIT is never set below PIT_TICKS_MIN, so a guest may still run shortly after the end of its slice: then
 * nothing is left, not 2^32 less something.
 */
static void defect_nothing_left(void **state)
{
    struct vcpu *v;

    machine_boot(state);
    if (IS_ENABLED(CONFIG_SCHED_SINGLE)) {
        skip();
    }
    all_can_run();
    fake.time += fake.spr[SPRN_PIT];
    enter(schedule(current));
    v = current;
    fake.time += QUANTUM + PIT_TICKS_MIN / 2;
    call(v, HCALL_sched_get, HCALL_SCHED_LEFT, 0x44444444);
    assert_hex(v->gpr[3], 0);
    assert_hex(v->gpr[4], 0);
}

/* ---- vm_info, vm_stat ---- */

static uint32_t four(const char *name)
{
    uint32_t i, word = 0;

    for (i = 0; i < 4; i++) {
        word = word << 8 | (uint8_t)name[i];
    }
    return word;
}

static void identity(void **state)
{
    uint32_t i, what;

    (void)state;
    for (i = 0; i < VM_COUNT; i++) {
        struct vcpu *v = &vcpu[i];
        const uint32_t expected[] = {
            [HCALL_INFO_INDEX] = i,
            [HCALL_INFO_COUNT] = VM_COUNT,
            [HCALL_INFO_NAME_HI] = four(vm_config[i].name),
            [HCALL_INFO_NAME_LO] = four(vm_config[i].name + 4),
            [HCALL_INFO_RAM] = vm_config[i].ram_size,
            [HCALL_INFO_TB_HZ] = BOARD_TB_HZ,
            [HCALL_INFO_PREVIRT] = IS_ENABLED(CONFIG_PREVIRT) ? 0x80010002 : 0,
        };

        machine_boot(state);
        alone(v);
#ifdef CONFIG_PREVIRT
        v->previrt = 0x80010002;
#endif
        for (what = 0; what < COUNT(expected); what++) {
            call(v, HCALL_vm_info, what, 0x44444444);
            assert_only(v, 0, expected[what]);
        }
        assert_refused(v, HCALL_vm_info, (uint32_t)COUNT(expected), 0x44444444, E_ARGUMENT);
        assert_refused(v, HCALL_vm_info, 0x80000000, 0x44444444, E_ARGUMENT);
        assert_refused(v, HCALL_vm_info, 0xFFFFFFFF, 0x44444444, E_ARGUMENT);
    }
    covered("hcall.vm_info");
}

static void counters(void **state)
{
    struct vcpu *v = current;
    uint32_t i;

    (void)state;
    alone(v);
    assert_refused(v, HCALL_vm_stat, STAT_COUNT, 0x44444444, E_ARGUMENT);
    assert_refused(v, HCALL_vm_stat, 0xFFFFFFFF, 0x44444444, E_ARGUMENT);
    for (i = 0; i < STAT_COUNT; i++) {
#ifdef CONFIG_STATS
        v->stat[i] = 0x57A70000 + i;
        vcpu[1].stat[i] = 0xBAD;
        call(v, HCALL_vm_stat, i, 0x44444444);
        assert_only(v, 0, 0x57A70000 + i);
#else
        assert_refused(v, HCALL_vm_stat, i, 0x44444444, E_STATE);
#endif
    }
    covered("hcall.vm_stat");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST_ALONE(spr_read_agrees),
        TEST_ALONE(spr_write_agrees),
        TEST_ALONE(defect_spr_number_has_ten_bits),
        TEST_ALONE(spr_write_delivers),
        TEST_ALONE(dcr_agrees),
        TEST_ALONE(dcr_write_agrees),
#ifdef CONFIG_UIC
        TEST_BOOTED(uic_set_is_both),
#endif
        TEST_BOOTED(yield_gives_away),
        cmocka_unit_test(sleep_reached_at_once),
        cmocka_unit_test(sleep_later),
        cmocka_unit_test(sleep_interrupted),
#ifdef CONFIG_UIC
        cmocka_unit_test(sleep_interrupted_critically),
#endif
        cmocka_unit_test(sleep_over_in_handler),
        cmocka_unit_test(sleep_masked),
        cmocka_unit_test(sleep_beside_others),
        cmocka_unit_test(sleep_ends_with_the_life),
        TEST_ALONE(scheduler_errors),
        cmocka_unit_test(quantum_is_set),
        cmocka_unit_test(slice_left),
        cmocka_unit_test(defect_nothing_left),
        TEST_BOOTED(identity),
        TEST_ALONE(counters),
    };

    return cmocka_run_group_tests_name("services", tests, 0, 0);
}
