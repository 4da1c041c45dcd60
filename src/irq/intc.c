/*
 * intc.c: see intc.h and irq.h. Registers by DS572, "Register Descriptions": all optional ones are there.
 *
 * No register says whether a line is an edge or a level, or which way: C_KIND_OF_INTR, C_KIND_OF_EDGE and C_KIND_OF_LVL are
 * parameters of the design (DS572, "Design Parameters"). A guest sees the controller of its board's design, so INTC_EDGES,
 * from the board's file, holds for the virtual one, too; `make check` lets a line of the board become only a guest line of its
 * own kind. Polarity is what the design has it; here, active.
 */
#include "intc.h"

#include "irq.h"

static void update(struct vcpu *v)
{
    if ((v->intc_mer & MER_HIE) != 0) { /* a level that stays sets its bit again */
        v->intc_isr |= v->intc_level & ~INTC_EDGES;
    }
    v->irq_pending = (v->intc_mer & MER_ME) != 0 && (v->intc_isr & v->intc_ier) != 0 ? MSR_EE : 0;
    vcpu_update_pending(v);
}

void irq_reset(struct vcpu *v)
{
    v->intc_isr = 0;
    v->intc_level = 0;
    v->intc_ier = 0;
    v->intc_mer = 0;
    update(v);
    irq_acknowledge(v, INTC_LINES);
}

void irq_set_line(struct vcpu *v, uint32_t line, uint32_t level)
{
    uint32_t bit = INTC_BIT(line);
    uint32_t was = v->intc_level;

    if (level == 0) {
        v->intc_level = was & ~bit;
        return;
    }
    v->intc_level = was | bit;
    if ((v->intc_mer & MER_HIE) != 0) {
        v->intc_isr |= bit & ~was & INTC_EDGES;
    }
    update(v);
}

void irq_raise(struct vcpu *v, uint32_t line)
{
    irq_set_line(v, line, 1);
    irq_set_line(v, line, 0);
}

uint32_t irq_read(struct vcpu *v, uint32_t reg)
{
    uint32_t pending = v->intc_isr & v->intc_ier;

    switch (reg) {
    case INTC_ISR:
        return v->intc_isr;
    case INTC_IPR:
        return pending;
    case INTC_IER:
        return v->intc_ier;
    case INTC_IVR:
        return pending != 0 ? (uint32_t)__builtin_ctz(pending) : 0xFFFFFFFF;
    case INTC_MER:
        return v->intc_mer;
    default: /* IAR, SIE, CIE are for writing only */
        return 0;
    }
}

/*
 * HIE: what a line of the board did before, its masked one included, is not seen; one that is active now comes again as soon
 * as it is unmasked.
 */
static void write_mer(struct vcpu *v, uint32_t value)
{
    uint32_t was = v->intc_mer;

    v->intc_mer = (value & (MER_ME | MER_HIE)) | (was & MER_HIE);
    if ((v->intc_mer & ~was & MER_HIE) != 0) {
        irq_acknowledge(v, INTC_LINES);
    }
}

void irq_write(struct vcpu *v, uint32_t reg, uint32_t value)
{
    uint32_t bits = value & INTC_LINES;

    switch (reg) {
    case INTC_ISR:
        if ((v->intc_mer & MER_HIE) == 0) {
            v->intc_isr = bits;
        }
        break;
    case INTC_IER:
        v->intc_ier = bits;
        break;
    case INTC_IAR:
        v->intc_isr &= ~bits;
        irq_acknowledge(v, bits);
        break;
    case INTC_SIE:
        v->intc_ier |= bits;
        break;
    case INTC_CIE:
        v->intc_ier &= ~bits;
        break;
    case INTC_MER:
        write_mer(v, value);
        break;
    default: /* IPR and IVR are for reading only */
        break;
    }
    update(v);
}
