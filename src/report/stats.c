/*
 * stats.c: see stats.h. The report is printed once, when the last guest has stopped.
 */
#include "stats.h"

#include "cpu.h"
#include "message.h"
#include "partition.h"
#include "vcpu.h"

static const char names[STAT_COUNT][12] = {
#define STAT(name) #name,
#include "stats.def"
#undef STAT
};

void stat_interrupt(struct vcpu *v, uint32_t vector)
{
    switch (vector) {
    case 0x1000:
        v->stat[STAT_pit]++;
        v->stat[STAT_irq]++;
        break;
    case 0x0100:
    case 0x0500:
    case 0x1010:
    case 0x1020:
        v->stat[STAT_irq]++;
        break;
    default: /* an instruction's own */
        break;
    }
}

void stat_unanswered(struct vcpu *v, uint32_t address)
{
    v->stat[STAT_unanswered]++;
    v->lost_at = address;
    v->lost_pc = v->pc;
}

uint32_t stat_hypercall(struct vcpu *v, uint32_t result)
{
    if ((int32_t)result < 0) { /* HCALL_E_*: no call returns so large a value */
        v->stat[STAT_refused]++;
        v->refused_call = v->gpr[0] & 0xFFFF;
    }
    return result;
}

/* Time between two switches is the last one's; the idle loop's is nobody's. */
static struct vcpu *running;
static uint32_t since;

void stat_switch(struct vcpu *last, struct vcpu *next, uint32_t now)
{
    (void)last;
    if (running != 0) {
        uint32_t low = running->ticks_lo + (now - since);

        running->ticks_hi += low < running->ticks_lo;
        running->ticks_lo = low;
    }
    if (next != 0 && next != running) {
        next->stat[STAT_switches]++;
    }
    running = next;
    since = now;
}

void stat_report(void)
{
    uint32_t i, k;

    stat_switch(0, 0, cpu_time());
    for (i = 0; i < VM_COUNT; i++) { /* loop: VM_COUNT */
        message_start("stat ", &vcpu[i]);
        for (k = 0; k < STAT_COUNT; k++) { /* loop: STAT_COUNT */
            if (vcpu[i].stat[k] != 0) {
                message_text(" ");
                message_text(names[k]);
                message_text("=");
                message_decimal(vcpu[i].stat[k]);
            }
        }
        message_text(" ticks=0x");
        message_hex(vcpu[i].ticks_hi);
        message_hex(vcpu[i].ticks_lo);
        message_text("\r\n");
    }
}
