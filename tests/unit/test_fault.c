/*
 * test_fault.c: accesses that left a guest's memory, and interrupts of the machine that must not be.
 */
#include "harness.h"

#include "console.h"

#include <string.h>

#define OUTSIDE 0x7FFFFFF0U

static struct vcpu *place(uint32_t msr, uint32_t insn)
{
    struct vcpu *v = current;

    v->pc = vm_config[v->machine_pid - 1].ram_guest + 0x200;
    v->evpr = 0x00450000;
    v->msr = msr;
    v->esr = 0x12345678;
    set_guest_word(v, v->pc, insn);
    return v;
}

static uint32_t here(void)
{
    return vm_config[current->machine_pid - 1].ram_guest + 0x200;
}

static void assert_machine_check(const struct vcpu *v, uint32_t srr2, uint32_t msr)
{
    assert_hex(v->pc, 0x00450200);
    assert_hex(fake.spr[SPRN_SRR2], srr2);
    assert_hex(fake.spr[SPRN_SRR3], msr);
    assert_hex(v->msr, 0);
}

/* A load outside: a machine check where MSR[ME] is set, with the next instruction in SRR2. */
static void load_outside(void **state)
{
    struct vcpu *v = place(MSR_ME | MSR_EE, INSN("lwz 5, 0(3)"));

    (void)state;
    v->gpr[5] = 0x55;
    fake.spr[SPRN_DEAR] = OUTSIDE;
    enter(data_fault(v));
    assert_machine_check(v, here() + 4, MSR_ME | MSR_EE);
    assert_hex(v->gpr[5], 0x55);
}

/* With MSR[ME] clear the instruction is over, and nobody has noticed. */
static void load_outside_unnoticed(void **state)
{
    struct vcpu *v = place(MSR_EE, INSN("lwz 5, 0(3)"));

    (void)state;
    fake.spr[SPRN_DEAR] = OUTSIDE;
    enter(data_fault(v));
    assert_hex(v->pc, here() + 4);
    assert_hex(v->msr, MSR_EE);
    v = place(MSR_EE, INSN("stmw 5, 0(3)"));
    fake.spr[SPRN_DEAR] = OUTSIDE;
    enter(data_fault(v));
    assert_hex(v->pc, here() + 4);
}

/* Or somebody has: stray = "stop", of one VM. Its pc is that of the access. With MSR[ME] it is the guest's affair, as ever. */
static void stray_stops_one(void **state)
{
    uint32_t i;

    (void)state;
    for (i = 0; i < VM_COUNT && (vm_config[i].flags & VM_STRAY_STOP) == 0; i++) {
    }
    assert_int_equal(i < VM_COUNT, STRAYS_STOP);
    if (i == VM_COUNT) {
        skip();
    }
    run_vm(&vcpu[i]);
    fake.spr[SPRN_DEAR] = OUTSIDE;
    enter(data_fault(place(MSR_ME, INSN("stw 5, 0(3)"))));
    assert_ptr_equal(current, &vcpu[i]);
    assert_machine_check(current, here() + 4, MSR_ME);
    fake.spr[SPRN_DEAR] = OUTSIDE;
    assert_ptr_not_equal(enter(data_fault(place(MSR_EE, INSN("stw 5, 0(3)")))), &vcpu[i]);
    assert_hex(vcpu[i].pc, vm_config[i].ram_guest + 0x200);
    assert_hex(vcpu[i].dear, OUTSIDE);
    assert_false(vcpu_can_run(&vcpu[i]));
    if (IS_ENABLED(CONFIG_MESSAGES)) {
        console_flush();
        assert_non_null(strstr(fake.output, ": access outside its memory"));
    }
}

static void fetch_outside(void **state)
{
    struct vcpu *v = place(MSR_ME | MSR_PR, 0);

    (void)state;
    v->pc = OUTSIDE;
    enter(fetch_fault(v));
    assert_machine_check(v, OUTSIDE, MSR_ME | MSR_PR);
    assert_hex(v->esr, ESR_MCI);
}

/* Nowhere to go: this VM stops, the others go on. */
static void fetch_outside_unnoticed(void **state)
{
    struct vcpu *v = place(0, 0);

    (void)state;
    v->pc = OUTSIDE;
    if (VM_COUNT == 1) {
        EXPECT_MACHINE_RESET(enter(fetch_fault(v)));
    } else {
        assert_ptr_not_equal(enter(fetch_fault(v)), v);
        assert_false(is_idle());
    }
    assert_false(vcpu_can_run(v));
}

/* A machine check of the machine, while the guest ran, is the guest's. */
static void bus_error(void **state)
{
    struct vcpu *v = place(MSR_ME, 0);

    (void)state;
    fake.spr[SPRN_SRR2] = here() + 8;
    fake.spr[SPRN_SRR3] = MSR_GUEST;
    fake.spr[SPRN_ESR] = ESR_MCI;
    fake.spr[SPRN_SRR1] = 0; /* not what the way back to the guest needs */
    enter(machine_check(v));
    assert_machine_check(v, here() + 8, MSR_ME);
    assert_hex(v->esr, ESR_MCI);
}

/* ESR keeps what older interrupts have left, and MCI for ever: nobody gets it. */
static void bus_error_esr(void **state)
{
    uint32_t fetch;

    for (fetch = 0; fetch < 2; fetch++) {
        struct vcpu *v;

        machine_boot_alone(state);
        v = place(MSR_ME, 0);
        fake.spr[SPRN_SRR2] = here();
        fake.spr[SPRN_SRR3] = MSR_GUEST;
        fake.spr[SPRN_ESR] = ESR_DST | ESR_PPR | (fetch ? ESR_MCI : 0);
        enter(machine_check(v));
        assert_hex(v->esr, fetch ? ESR_MCI : 0);
        assert_hex(fake.spr[SPRN_ESR], 0);
    }
}

/*
 * One that arrives in the hypervisor is noted for the VM that ran (asm/vectors.S), and delivered when it is decided who runs:
 * also if it waits meanwhile. With MSR[ME] off it is nobody's.
 */
static void bus_error_noted(void **state)
{
    uint32_t msr;

    if (VM_WINDOWS == 0) {
        skip();
    }
    for (msr = 0; msr < 4; msr++) {
        struct vcpu *v;
        uint32_t enabled = (msr & 1) != 0 ? MSR_ME : 0;

        machine_boot_alone(state);
        v = place(enabled, 0);
        if ((msr & 2) != 0) {
            v->msr = enabled | MSR_WE;
            enter(schedule(v));
            assert_true(is_idle());
        }
        bus_error_of = v;
        enter(schedule(v));
        assert_ptr_equal(bus_error_of, 0);
        if (enabled != 0) {
            assert_machine_check(v, here(), v->srr3);
            assert_hex(v->esr, 0);
        } else {
            assert_hex(v->msr, (msr & 2) != 0 ? MSR_WE : 0);
        }
    }
}

static void bus_error_unnoticed(void **state)
{
    struct vcpu *v = place(0, 0);

    (void)state;
    fake.spr[SPRN_SRR2] = here();
    fake.spr[SPRN_SRR3] = MSR_GUEST;
    if (VM_COUNT == 1) {
        EXPECT_MACHINE_RESET(enter(machine_check(v)));
    } else {
        assert_ptr_not_equal(enter(machine_check(v)), v);
    }
    assert_false(vcpu_can_run(v));
}

/* In the hypervisor itself: a broken invariant, the end. */
static void bus_error_in_the_hypervisor(void **state)
{
    (void)state;
    fake.spr[SPRN_SRR3] = MSR_ME;
    EXPECT_MACHINE_RESET(machine_check(current));
    assert_hex(fake.reset, DBCR0_RST);
}

static void unexpected_interrupt(void **state)
{
    (void)state;
    EXPECT_MACHINE_RESET(unexpected(current));
    assert_hex(fake.reset, DBCR0_RST);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST_BOOTED(load_outside),
        TEST_BOOTED(load_outside_unnoticed),
        TEST_BOOTED(stray_stops_one),
        TEST_BOOTED(fetch_outside),
        TEST_BOOTED(fetch_outside_unnoticed),
        TEST_BOOTED(bus_error),
        TEST_BOOTED(bus_error_esr),
        TEST_BOOTED(bus_error_noted),
        TEST_BOOTED(bus_error_unnoticed),
        TEST_BOOTED(bus_error_in_the_hypervisor),
        TEST_BOOTED(unexpected_interrupt),
    };

    return cmocka_run_group_tests_name("fault", tests, 0, 0);
}
