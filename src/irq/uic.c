/*
 * uic.c: see uic.h and irq.h. A line is acknowledged by clearing its status bit.
 *
 * A line has the kind that its guest sets by TR and PR: a level sets its bit as long as it is active, an edge when it becomes
 * so, be it that the guest has turned its polarity. The bit is held until it is cleared: a level is served first, then
 * acknowledged. Inputs of virtual devices are looked at here; of a line of the board, the machine's controller looks
 * at the input, and gets its kind from the line's owner, for that line alone. TR and PR start as the board's file has
 * them, for guests that leave them to a boot loader.
 */
#include "uic.h"

#include "irq.h"
#include "partition.h"

#ifdef CONFIG_UART_SECOND
#define UART_SECOND_WIRED(config) UIC_BIT(CONSOLE_IRQ(&vm_config[(config)->uart_other]))
#else
#define UART_SECOND_WIRED(config) 0U
#endif

static void update(struct vcpu *v)
{
    uint32_t active = v->uic_sr & v->uic_er;

    v->irq_pending = ((active & ~v->uic_cr) != 0 ? MSR_EE : 0) | ((active & v->uic_cr) != 0 ? MSR_CE : 0);
    vcpu_update_pending(v);
}

/* `before`: the inputs that were active. A level that is sets its bit, an edge if it was not. */
static void capture(struct vcpu *v, uint32_t before)
{
    v->uic_sr |= v->uic_active & ~(before & v->uic_tr);
    update(v);
}

/* What it says of the board's lines that it owns, in the machine's controller. */
static void pass_kinds(const struct vcpu *v)
{
    const struct vm_config *config = &vm_config[vcpu_index(v)];
    uint32_t i;

    for (i = 0; i < config->irq_count; i++) { /* loop: most.interrupts */
        uint32_t bit = UIC_BIT(config->irq[i].guest_line);

        board_irq_kind(config->irq[i].line, v->uic_tr & bit, v->uic_pr & bit);
    }
}

/* The inputs that a virtual device drives. Others are never active, whatever their polarity. */
static uint32_t wired(const struct vcpu *v)
{
    const struct vm_config *config = &vm_config[vcpu_index(v)];

    return IS_ENABLED(CONFIG_CONSOLE) && config->console_base != 0 ? UIC_BIT(CONSOLE_IRQ(config)) | UART_SECOND_WIRED(config) : 0;
}

void irq_reset(struct vcpu *v)
{
    v->uic_sr = 0;
    v->uic_active = wired(v) & ~BOARD_UIC_POLARITY; /* all is low */
    v->uic_er = 0;
    v->uic_cr = 0;
    v->uic_pr = BOARD_UIC_POLARITY;
    v->uic_tr = BOARD_UIC_TRIGGER;
    v->uic_vcr = 0;
    pass_kinds(v);
    capture(v, 0);
    irq_acknowledge(v, 0xFFFFFFFF);
}

void irq_set_line(struct vcpu *v, uint32_t line, uint32_t level)
{
    uint32_t bit = UIC_BIT(line);
    uint32_t before = v->uic_active;

    v->uic_active = (before & ~bit) | (bit & (level != 0 ? v->uic_pr : ~v->uic_pr));
    capture(v, before);
}

void irq_raise(struct vcpu *v, uint32_t line)
{
    v->uic_sr |= UIC_BIT(line);
    update(v);
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
    uint32_t before = v->uic_active;

    switch (reg) {
    case UIC_SR: /* a level that is still active sets its bit at once again */
        v->uic_sr &= ~value;
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
        v->uic_active ^= wired(v) & (v->uic_pr ^ value);
        v->uic_pr = value;
        pass_kinds(v);
        break;
    case UIC_TR:
        v->uic_tr = value;
        pass_kinds(v);
        break;
    case UIC_VCR:
        v->uic_vcr = value & ~2U;
        break;
    default:
        break;
    }
    capture(v, before);
}
