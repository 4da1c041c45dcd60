/*
 * storm.c: see storm.h.
 */
#include "storm.h"

#include "board.h"
#include "cpu.h"

uint32_t storm_open __attribute__((section(".bss.low"))), storm_end; /* the first: asm/hooks.h */

static struct storm {
    uint32_t since;   /* TBL at the period's begin */
    uint32_t count;   /* interrupts in it; 0: none has begun */
    uint32_t waiting; /* bit n: row n of its lines is masked until the guest acknowledges it */
    bool held;        /* so are all others, until the period is over */
} storms[VM_COUNT];

static void close(uint32_t vm)
{
    struct storm *s = &storms[vm];
    uint32_t row;

    storm_open &= ~(1U << vm);
    s->count = 0;
    for (row = 0; s->held && row < vm_config[vm].irq_count; row++) { /* loop: most.interrupts */
        if ((s->waiting >> row & 1) == 0) {
            board_irq_enable(vm_config[vm].irq[row].line);
        }
    }
    s->held = false;
}

static void hold(struct vcpu *v)
{
    const struct vm_config *config = &vm_config[vcpu_index(v)];
    uint32_t row;

    storms[vcpu_index(v)].held = true;
    for (row = 0; row < config->irq_count; row++) { /* loop: most.interrupts */
        board_irq_mask(config->irq[row].line);
    }
    vcpu_event(v, EVENT_STORM);
}

void storm_count(struct vcpu *v, uint32_t row)
{
    struct storm *s = &storms[vcpu_index(v)];
    const struct vm_care *care = &vm_care[vcpu_index(v)];
    uint32_t now = cpu_time();

    s->waiting |= 1U << row;
    if (care->interrupts == 0) {
        return;
    }
    if (s->count != 0 && now - s->since >= care->interrupts_in) {
        close(vcpu_index(v));
    }
    if (s->count == 0) {
        s->since = now;
        if (storm_open == 0 || (int32_t)(now + care->interrupts_in - storm_end) < 0) {
            storm_end = now + care->interrupts_in;
        }
        storm_open |= 1U << vcpu_index(v);
    }
    if (s->count++ == care->interrupts) {
        hold(v);
    }
}

bool storm_acknowledge(const struct vcpu *v, uint32_t row)
{
    struct storm *s = &storms[vcpu_index(v)];

    s->waiting &= ~(1U << row);
    return !s->held;
}

__attribute__((noinline)) void storm_close(uint32_t now)
{
    uint32_t next = 0xFFFFFFFF;
    uint32_t i;

    for (i = 0; i < VM_COUNT; i++) { /* loop: VM_COUNT */
        uint32_t left = storms[i].since + vm_care[i].interrupts_in - now;

        if ((storm_open >> i & 1) == 0) {
            continue;
        }
        if ((int32_t)left <= 0) {
            close(i);
        } else if (left < next) {
            next = left;
        }
    }
    storm_end = now + next;
}
