/*
 * uic.c: see uic.h and irq.h. A line is acknowledged by clearing its status bit.
 */
#include "uic.h"

#include "irq.h"

static void update(struct vcpu *v)
{
    uint32_t active = v->uic_sr & v->uic_er;

    v->irq_pending = ((active & ~v->uic_cr) != 0 ? MSR_EE : 0) | ((active & v->uic_cr) != 0 ? MSR_CE : 0);
    vcpu_update_pending(v);
}

void irq_reset(struct vcpu *v)
{
    v->uic_sr = 0;
    v->uic_level = 0;
    v->uic_er = 0;
    v->uic_cr = 0;
    v->uic_pr = 0;
    v->uic_tr = 0;
    v->uic_vcr = 0;
    update(v);
    irq_acknowledge(v, 0xFFFFFFFF);
}

void irq_set_line(struct vcpu *v, uint32_t line, uint32_t level)
{
    uint32_t bit = UIC_BIT(line);
    uint32_t was = v->uic_level;

    if (level == 0) {
        v->uic_level = was & ~bit;
        return;
    }
    v->uic_level = was | bit;
    if ((was & bit) == 0 || (v->uic_tr & bit) == 0) { /* a rising edge, or a level */
        v->uic_sr |= bit;
        update(v);
    }
}

/* The vector of the critical line that comes first: the configured base and 512 bytes for each line before it. */
static uint32_t vector(const struct vcpu *v)
{
    uint32_t critical = v->uic_sr & v->uic_er & v->uic_cr;

    if (critical == 0) {
        return 0;
    }
    return (v->uic_vcr & ~3U) +
           512 * ((v->uic_vcr & 1) != 0 ? __builtin_clz(critical) : 31 - __builtin_clz(critical & -critical));
}

uint32_t irq_read(struct vcpu *v, uint32_t reg)
{
    switch (reg) {
    case UIC_SR:
    case UIC_SRS:
        return v->uic_sr;
    case UIC_ER:
        return v->uic_er;
    case UIC_CR:
        return v->uic_cr;
    case UIC_PR:
        return v->uic_pr;
    case UIC_TR:
        return v->uic_tr;
    case UIC_MSR:
        return v->uic_sr & v->uic_er;
    case UIC_VR:
        return vector(v);
    default:
        return 0;
    }
}

void irq_write(struct vcpu *v, uint32_t reg, uint32_t value)
{
    switch (reg) {
    case UIC_SR: /* a level that is still active sets its bit at once again */
        v->uic_sr = (v->uic_sr & ~value) | (v->uic_level & ~v->uic_tr);
        irq_acknowledge(v, value);
        break;
    case UIC_SRS:
        v->uic_sr |= value;
        break;
    case UIC_ER:
        v->uic_er = value;
        break;
    case UIC_CR:
        v->uic_cr = value;
        break;
    case UIC_PR:
        v->uic_pr = value;
        break;
    case UIC_TR:
        v->uic_tr = value;
        break;
    case UIC_VCR:
        v->uic_vcr = value & ~2U;
        break;
    default:
        break;
    }
    update(v);
}
