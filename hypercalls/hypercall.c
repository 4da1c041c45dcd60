/*
 * hypercall.c: the hypercalls in C: those that take the place of privileged instructions, and the table of all of them.
 * Those of services.c and drivers.c are for what a bare 405 does not have.
 */
#include "hypercall.h"

#include "cpu.h"
#include "emulate.h"
#include "irq.h"
#include "roads.h"
#include "stats.h"
#include "uic.h"

/* A register that does not exist raises no interrupt here: nothing changes, ESR neither. */
static uint32_t hcall_spr_read(struct vcpu *v)
{
    uint32_t esr = v->esr;

    if (ARG(v, 0) >= SPR_COUNT || spr_read(v, ARG(v, 0), &ARG(v, 1)) != STEP) {
        v->esr = esr;
        return (uint32_t)HCALL_E_ARGUMENT;
    }
    return 0;
}

/* Not DBCR0: a reset loads all registers, and this is a light road. */
static uint32_t hcall_spr_write(struct vcpu *v)
{
    uint32_t esr = v->esr;

    if (ARG(v, 0) >= SPR_COUNT || ARG(v, 0) == SPRN_DBCR0 || spr_write(v, ARG(v, 0), ARG(v, 1)) != STEP) {
        v->esr = esr;
        return (uint32_t)HCALL_E_ARGUMENT;
    }
    return 0;
}

/* As emulate.c: a DCR that nobody answers reads as zero, and a write to it is lost. */
static uint32_t hcall_dcr_read(struct vcpu *v)
{
    uint32_t reg = ARG(v, 0) - IRQ_DCR;

    if (ARG(v, 0) >= DCR_COUNT) {
        return (uint32_t)HCALL_E_ARGUMENT;
    }
    ARG(v, 1) = reg < IRQ_REGISTERS ? irq_read(v, reg) : 0;
    return 0;
}

static uint32_t hcall_dcr_write(struct vcpu *v)
{
    uint32_t reg = ARG(v, 0) - IRQ_DCR;

    if (ARG(v, 0) >= DCR_COUNT) {
        return (uint32_t)HCALL_E_ARGUMENT;
    }
    if (reg < IRQ_REGISTERS) {
        irq_write(v, reg, ARG(v, 1));
    }
    return 0;
}

static uint32_t hcall_uic_set(struct vcpu *v)
{
    if (!IS_ENABLED(CONFIG_SERVICES)) {
        return (uint32_t)HCALL_E_NUMBER;
    }
    irq_write(v, UIC_SR, ARG(v, 0));
    irq_write(v, UIC_ER, ARG(v, 1));
    return 0;
}

/* Both arms compile; what is off is not linked. */
#define CALL_HOT(name, number, option)
#define CALL_COLD(name, number, option)                                                                           \
    case number:                                                                                                  \
        return IS_ENABLED(CONFIG_##option) ? hcall_##name(v) : (uint32_t)HCALL_E_NUMBER;

static uint32_t call(struct vcpu *v)
{
    switch (v->gpr[0] & 0xFFFF) {
#define HCALL(name, number, road, args, results, errors, option, text) CALL_##road(name, number, option)
#include "hypercalls.def"
#undef HCALL
    default:
        return (uint32_t)HCALL_E_NUMBER;
    }
}

struct vcpu *hypercall(struct vcpu *v)
{
    ARG(v, 0) = stat_hypercall(v, call(v));
    return schedule(v);
}
