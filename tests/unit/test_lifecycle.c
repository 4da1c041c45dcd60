/*
 * test_lifecycle.c: boot, reset, restart and stop of a VM.
 *
 * covers: kconfig.SCHED_SINGLE
 */
#include "harness.h"

#include <string.h>

#define RESETS 3

static uint32_t base_of(const struct vcpu *v)
{
    return vm_config[v - vcpu].ram_guest;
}

/* As the chip is after reset (manual, "Reset and Initialization"), with its image in place. */
static void assert_fresh(const struct vcpu *v, uint32_t cause)
{
    uint32_t index = (uint32_t)(v - vcpu), i;

    assert_hex(v->pc, base_of(v) + ENTRY);
    assert_hex(v->msr, 0);
    for (i = 0; i < 32; i++) {
        assert_hex(v->gpr[i], i == 3 ? R3(index) : i >= 4 && i <= 7 ? i : 0);
    }
    assert_hex(v->dbsr & DBSR_MRR, cause << 8);
    assert_hex(v->tcr, 0);
    assert_hex(v->pending, 0);
    assert_hex(v->sgr, 0xFFFFFFFF); /* all storage guarded */
    assert_hex(v->ccr0, 0x00700000);
    assert_hex(v->dccr | v->iccr | v->evpr | v->pid | v->dbcr0 | v->sler | v->dcwr | v->su0r, 0);
    assert_hex(v->srr0 | v->srr1 | v->srr2 | v->srr3 | v->sprg0 | v->sprg4 | v->sprg7 | v->usprg0, 0);
    assert_hex(v->pit_left, 0);
}

/* A life that leaves traces everywhere. */
static void live(struct vcpu *v)
{
    uint32_t *word;

    for (word = (uint32_t *)v; word < &v->machine_pid; word++) {
        *word = 0xEEEEEEEE;
    }
    v->pc = base_of(v) + 0x200;
    v->msr = 0;
    v->pending = 0;
    v->tsr = 0;
    v->tcr = 0;
    v->pit_left = 0xEEEE;
    set_guest_word(v, base_of(v) + DATA_AT + 4 * DATA_WORDS, 0xDEADDEAD);
    set_guest_word(v, base_of(v) + ENTRY, 0xDEADDEAD);
    if (v == current) {
        vcpu_load_live(v);
    }
}

static void boot_starts_all(void **state)
{
    uint32_t i;

    machine_setup(state);
    boot_all();
    for (i = 0; i < VM_COUNT; i++) {
        if ((vm_config[i].flags & VM_AUTOSTART) != 0) {
            assert_fresh(&vcpu[i], 3); /* power-on is a system reset */
            assert_true(vcpu_can_run(&vcpu[i]));
        }
        assert_int_equal(vcpu[i].machine_pid, i + 1);
    }
}

/* autostart = false: it has its memory, but does not run. */
static void boot_leaves_others_stopped(void **state)
{
    uint32_t i, k;

    (void)state;
    for (i = 0; i < VM_COUNT; i++) {
        if ((vm_config[i].flags & VM_AUTOSTART) != 0) {
            continue;
        }
        assert_false(vcpu_can_run(&vcpu[i]));
        for (k = 0; k < 3 * VM_COUNT; k++) {
            fake.time += SCHED_QUANTUM_TICKS;
            enter(schedule(current));
            assert_ptr_not_equal(current, &vcpu[i]);
        }
    }
}

/* DBCR0[RST], every kind: the VM that may restart does, at its entry, with nothing left of its life. */
static void restart(void **state)
{
    uint32_t cause, i;

    for (i = 0; i < VM_COUNT; i++) {
        for (cause = 1; cause <= RESETS; cause++) {
            struct vcpu *v;
            uint32_t k;

            machine_boot(state);
            if ((vm_config[i].flags & VM_RESTART) == 0) {
                continue;
            }
            v = &vcpu[i];
            run_vm(v);
            live(v);
            v->gpr[5] = cause << 28;
            run_insn(v, INSN("mtspr 0x3F2, 5"), ESR_PPR);
            /* With round robin the rest of its slice is gone, and what follows is in its next. */
            assert_true(VM_COUNT == 1 || IS_ENABLED(CONFIG_SCHED_PRIO) || current != v);
            run_vm(v);
            assert_fresh(v, cause);
#ifdef CONFIG_STATS
            assert_int_equal(v->stat[STAT_starts], 2);
            covered("stat.starts");
#endif
            assert_hex(guest_word(v, base_of(v) + ENTRY), fake_images[6 * i]);
            assert_hex(guest_word(v, base_of(v) + DATA_AT + 4 * DATA_WORDS), 0);
            for (k = SPRN_SPRG4; k <= SPRN_SPRG7; k++) {
                assert_hex(fake.spr[k], 0);
            }
            assert_hex(fake.spr[SPRN_SRR2] | fake.spr[SPRN_SRR3] | fake.spr[SPRN_SPRG0], 0);
        }
    }
}

/*
 * A restart is work of the VM in its own slices, in pieces: between any two of them it can be interrupted, and the slice that
 * ends meanwhile is the neighbour's. Reported by whom ever, nothing happens at once.
 */
static void restart_in_pieces(void **state)
{
    uint32_t rounds = 0, own = 0, others = 0;
    struct vcpu *v;

    machine_boot(state);
    v = current;
    if (VM_COUNT == 1 || (vm_config[v - vcpu].flags & VM_RESTART) == 0) {
        skip();
    }
    live(v);
    vcpu_reset_request(v, 1, 0);
    assert_hex(guest_word(v, base_of(v) + ENTRY), 0xDEADDEAD);
    assert_false(vcpu_can_run(v));
    for (current = schedule(v); current != v || v->work != 0; rounds++) {
        assert_true(rounds < 1000);
        assert_in_range(fake.spr[SPRN_PIT], PIT_TICKS_MIN, SCHED_QUANTUM_TICKS);
        if (current != v) {
            others++;
            fake.time += SCHED_QUANTUM_TICKS;
            current = schedule(current);
            continue;
        }
        assert_true(is_at_work(v));
        own++;
        fake.time += SCHED_QUANTUM_TICKS / 3;
        fake.spr[SPRN_SRR1] = MSR_WORK;
        current = own % 3 == 0 ? schedule(v) : work(v);
    }
    assert_fresh(v, 1);
    assert_in_range(own, vm_config[v - vcpu].ram_size / 4096, 1000);
    assert_true(others >= own / 4);
}

/* Nothing of the others changes. */
static void restart_disturbs_nobody(void **state)
{
    struct vcpu before[VM_COUNT];
    uint32_t i, k;

    for (i = 0; i < VM_COUNT; i++) {
        machine_boot(state);
        if ((vm_config[i].flags & VM_RESTART) == 0) {
            continue;
        }
        for (k = 0; k < VM_COUNT; k++) {
            live(&vcpu[k]);
        }
        memcpy(before, vcpu, sizeof(before));
        vcpu_reset_request(&vcpu[i], 3, 0);
        finish_work(&vcpu[i]);
        for (k = 0; k < VM_COUNT; k++) {
            if (k != i) {
                assert_memory_equal(&before[k], &vcpu[k], sizeof(before[k]));
                assert_hex(guest_word(&vcpu[k], base_of(&vcpu[k]) + ENTRY), 0xDEADDEAD);
            }
        }
    }
}

/* The other policy: it stops. */
static void reset_stops(void **state)
{
    uint32_t i;

    for (i = 0; i < VM_COUNT; i++) {
        struct vcpu *v = &vcpu[i];

        machine_boot(state);
        if (VM_COUNT == 1 || (vm_config[i].flags & VM_RESTART) != 0 || (vm_config[i].flags & VM_AUTOSTART) == 0) {
            continue;
        }
        run_vm(v);
        v->gpr[5] = 0x30000000;
        run_insn(v, INSN("mtspr 0x3F2, 5"), ESR_PPR);
        assert_ptr_not_equal(current, v);
        assert_false(vcpu_can_run(v));
    }
}

/* A stopped VM never runs again, whatever its timers and lines do. */
static void stopped_for_good(void **state)
{
    struct vcpu *v = current;
    uint32_t i;

    (void)state;
    if (VM_COUNT == 1) {
        skip();
    }
    v->msr = MSR_EE | MSR_CE;
    v->tcr = TCR_PIE | TCR_FIE | TCR_WIE | TCR_WRC | TCR_ARE;
    timer_write_pit(v, 100);
    vcpu_stop(v, STOP(FETCH));
    enter(schedule(v));
    for (i = 0; i < 100; i++) {
        fake.time += SCHED_QUANTUM_TICKS;
        fake.lines = i % 2 == 0 ? 0xFFFFFFFE : 0;
        enter(external(current));
        assert_ptr_not_equal(current, v);
        assert_false(vcpu_can_run(v));
    }
}

/* The last one has stopped: the machine is reset, after everything is said. */
static void last_one_stops(void **state)
{
    volatile uint32_t i, left = 0;

    (void)state;
    for (i = 0; i < VM_COUNT; i++) {
        left += (vm_config[i].flags & VM_AUTOSTART) != 0;
    }
    for (i = 0; i < VM_COUNT; i++) {
        if ((vm_config[i].flags & VM_AUTOSTART) == 0) {
            continue;
        }
        if (--left != 0) {
            vcpu_stop(&vcpu[i], STOP(FETCH));
            finish_work(&vcpu[i]);
            assert_hex(fake.reset, 0);
        } else {
            vcpu_stop(&vcpu[i], STOP(FETCH));
            assert_hex(fake.reset, 0); /* whoever reports it goes on */
            EXPECT_MACHINE_RESET(finish_work(&vcpu[i]));
        }
    }
    assert_hex(fake.reset, DBCR0_RST);
}

/* A loop of resets is only that VM's matter: its neighbours keep their time. */
static void reset_loop_shares_time(void **state)
{
    struct vcpu *v = current;
    uint32_t i, others = 0;

    (void)state;
    if (VM_COUNT == 1 || (vm_config[v - vcpu].flags & VM_RESTART) == 0) {
        skip();
    }
    for (i = 0; i < 200; i++) {
        fake.time += SCHED_QUANTUM_TICKS / 4;
        if (current == v) {
            v->gpr[5] = 0x10000000;
            run_insn(v, INSN("mtspr 0x3F2, 5"), ESR_PPR);
        } else {
            enter(schedule(current));
        }
        others += current != v;
    }
    assert_true(others > 50);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(boot_starts_all),
        TEST_BOOTED(boot_leaves_others_stopped),
        cmocka_unit_test(restart),
        cmocka_unit_test(restart_in_pieces),
        cmocka_unit_test(restart_disturbs_nobody),
        cmocka_unit_test(reset_stops),
        TEST_BOOTED(stopped_for_good),
        TEST_BOOTED(last_one_stops),
        TEST_BOOTED(reset_loop_shares_time),
    };

    return cmocka_run_group_tests_name("lifecycle", tests, 0, 0);
}
