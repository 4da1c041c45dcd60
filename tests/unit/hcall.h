/*
 * hcall.h: how the tests of hypercalls call, on the light road of asm/hypercall.S: pc is behind the sc.
 */
#ifndef TEST_HCALL_H
#define TEST_HCALL_H

#include "harness.h"

#include "hypercall.h"

#define SC_AT 0x200U /* from the start of the partition's RAM */

#define E_NUMBER   ((uint32_t)HCALL_E_NUMBER)
#define E_POINTER  ((uint32_t)HCALL_E_POINTER)
#define E_ARGUMENT ((uint32_t)HCALL_E_ARGUMENT)
#define E_STATE    ((uint32_t)HCALL_E_STATE)

static inline uint32_t sc_of(const struct vcpu *v)
{
    return vm_config[v - vcpu].ram_guest + SC_AT;
}

/* v runs, nobody else can, and nothing is due. */
static inline void alone(struct vcpu *v)
{
    uint32_t i;

    for (i = 0; i < VM_COUNT; i++) {
        vcpu[i].msr = &vcpu[i] == v ? MSR_ME : MSR_WE;
    }
    enter(schedule(current));
    assert_ptr_equal(enter(schedule(current)), v);
}

/* A call that is refused is counted (option STATS), and that is expected. */
static inline void expect_count(const struct vcpu *v, uint32_t number)
{
#ifdef CONFIG_STATS
    if ((int32_t)v->gpr[3] < 0) {
        was(v)->stat[STAT_refused]++;
        was(v)->refused_call = number;
    }
#else
    (void)v, (void)number;
#endif
}

/* v makes the call. Everything as it was before: remember()ed. Returns who runs next. */
static inline struct vcpu *call(struct vcpu *v, uint32_t number, uint32_t r3, uint32_t r4)
{
    struct vcpu *next;
    uint32_t i;

    assert_ptr_equal(v, current);
    for (i = 0; i < 32; i++) {
        v->gpr[i] = 0x01010101 * (i + 1);
    }
    v->gpr[0] = (uint32_t)HCALL_TAG << 16 | number;
    v->gpr[3] = r3;
    v->gpr[4] = r4;
    v->pc = sc_of(v) + 4;
    v->cr = 0xC0C0C0C0;
    v->lr = 0x10101010;
    v->ctr = 0xC1C1C1C1;
    v->xer = 0xE0000001;
    fake.spr[SPRN_SRR0] = v->pc;
    remember();
    next = enter(hypercall(v));
    expect_count(v, number);
    return next;
}

/* These are the results, and nothing else is different. */
static inline void assert_only(const struct vcpu *v, uint32_t r3, uint32_t r4)
{
    assert_hex(v->gpr[3], r3);
    assert_hex(v->gpr[4], r4);
    was(v)->gpr[3] = r3;
    was(v)->gpr[4] = r4;
    assert_as_before();
}

/* The call is refused, and nothing is different. */
static inline void assert_refused(struct vcpu *v, uint32_t number, uint32_t r3, uint32_t r4, uint32_t error)
{
    assert_ptr_equal(call(v, number, r3, r4), v);
    assert_only(v, error, r4);
}

#endif
