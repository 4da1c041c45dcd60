/*
 * test_hypercall.c: the table of hypercalls: numbers that are no call in this configuration. The calls themselves:
 * test_services.c, test_drivers.c, and for those in the assembler the system tests.
 *
 * covers: kconfig.PARAVIRT
 */
#include "hcall.h"

#include <string.h>

#include "irq.h"

static const struct row {
    const char *name, *option, *road;
    uint32_t number;
    bool on;
} rows[] = {
#define HCALL(name, number, road, args, results, errors, option, text)                                            \
    {#name, #option, #road, number, IS_ENABLED(CONFIG_##option)},
#include "hypercalls.def"
#undef HCALL
};

/* What C answers: the hot ones do not come here. */
static bool is_call(uint32_t number)
{
    size_t i;

    for (i = 0; i < COUNT(rows); i++) {
        if (rows[i].number == number && strcmp(rows[i].road, "COLD") == 0) {
            return rows[i].on;
        }
    }
    return false;
}

static void numbers_are_unique(void **state)
{
    size_t i, k;

    (void)state;
    for (i = 0; i < COUNT(rows); i++) {
        assert_in_range(rows[i].number, 0, 0xFFFF);
        for (k = 0; k < i; k++) {
            assert_int_not_equal(rows[i].number, rows[k].number);
        }
    }
}

/* All 65536: an unknown number, or one whose option is off, is an error and nothing else. */
static void unknown_numbers(void **state)
{
    struct vcpu *v = current;
    uint32_t number;

    (void)state;
    alone(v);
    for (number = 0; number < 0x10000; number++) {
        if (is_call(number)) {
            continue;
        }
        if (number < 64 || number % 4096 == 0 || number == 0xFFFF) { /* every word of the machine */
            assert_refused(v, number, 0x33333333, 0x44444444, E_NUMBER);
            continue;
        }
        v->gpr[0] = was(v)->gpr[0] = (uint32_t)HCALL_TAG << 16 | number;
        v->gpr[3] = 0x33333333;
        assert_ptr_equal(enter(hypercall(v)), v);
        assert_hex(v->gpr[3], E_NUMBER);
        if (memcmp(v->gpr, was(v)->gpr, sizeof(v->gpr)) != 0) {
            fail_msg("call %u: a register changed", number);
        }
    }
    assert_as_before();
    if (IS_ENABLED(CONFIG_STATS)) { /* expect_count() of hcall.h */
        covered("stat.refused");
    }
}

/* Its text: "needs SERVICES"; the feature word does not have it either. */
static void defect_uic_set_needs_services(void **state)
{
    struct vcpu *v = current;

    (void)state;
    if (IS_ENABLED(CONFIG_SERVICES)) {
        skip();
    }
    alone(v);
    assert_refused(v, HCALL_uic_set, 0, 0, E_NUMBER);
}

/* Errors are told from results by their sign, and from each other. */
static void errors_are_negative(void **state)
{
    static const int32_t errors[] = {HCALL_E_NUMBER, HCALL_E_POINTER, HCALL_E_ARGUMENT, HCALL_E_STATE};
    size_t i, k;

    (void)state;
    for (i = 0; i < COUNT(errors); i++) {
        assert_true(errors[i] < 0);
        for (k = 0; k < i; k++) {
            assert_int_not_equal(errors[i], errors[k]);
        }
    }
    assert_true(HCALL_CONSOLE_MAX > 0);
}

/* If it waits: until it does no more. */
static void wait_for(struct vcpu *v)
{
    uint32_t i;

    for (i = 0; i < 8 && is_idle(); i++) {
        fake.time += fake.spr[SPRN_PIT];
        enter(schedule(v));
    }
    if (is_idle()) { /* it has asked for too long, or for ever */
        irq_write(v, IRQ_ENABLE, 0);
        v->msr = MSR_EE;
        v->tcr = TCR_PIE;
        timer_write_pit(v, 1);
        fake.time += PIT_TICKS_MIN;
        enter(schedule(v));
    }
    assert_false(is_idle());
}

/* Garbage in every register: no call leaves the VM's memory (fake/cpu.c fails the test), nor touches another VM. */
static void random_arguments(void **state)
{
    static const uint32_t edges[] = {0, 1, 2, 63, 64, 65, 0xFFFF, 0x10000, 0x10001, 0x7FFFFFFF, 0x80000000, 0xFFFFFFFF};
    struct vcpu *v = current;
    uint32_t round, i;

    (void)state;
    alone(v);
    remember();
    for (round = 0; round < 20000; round++) {
        for (i = 0; i < 32; i++) {
            uint32_t word = random_word();

            v->gpr[i] = word % 2 != 0 ? random_word() : edges[word / 2 % COUNT(edges)];
        }
        v->gpr[0] = (uint32_t)HCALL_TAG << 16 | random_word() % 40;
        v->gpr[3] = random_word() % 4 == 0 ? random_word() % 1024 : v->gpr[3];
        v->pc = sc_of(v) + 4;
        v->msr = MSR_ME;
        v->tcr &= ~TCR_WRC; /* no restart: it would be another test */
        fake.output_length = 0;
        fake.spr[SPRN_SRR0] = v->pc;
        enter(hypercall(v));
        wait_for(v);
        assert_ptr_equal(current, v);
        assert_int_equal(v->machine_pid, v - vcpu + 1);
        assert_hex(v->ram_offset, was(v)->ram_offset);
        if (round % 64 == 0) {
            assert_others_as_before(v);
        }
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(numbers_are_unique),
        TEST_ALONE(unknown_numbers),
        TEST_ALONE(defect_uic_set_needs_services),
        cmocka_unit_test(errors_are_negative),
        TEST_ALONE(random_arguments),
    };

    return cmocka_run_group_tests_name("hypercall", tests, 0, 0);
}
