/*
 * timer.c: virtual PIT on the machine's PIT. See events.h for FIT and watchdog.
 */
#include "timer.h"

#include "cpu.h"
#include "events.h"
#include "partition.h"
#include "sched.h"

/* The machine's PIT is never set shorter (a shorter one would be over before the guest runs) nor longer than this. */
#define TICKS_MIN 16U
#define TICKS_MAX 0x40000000U

void timer_init(void)
{
    cpu_mtspr(SPRN_TSR, 0xFFFFFFFF);
    cpu_mtspr(SPRN_TCR, TCR_PIE);
}

void timer_reset(struct vcpu *v)
{
    v->pit_left = 0;
    v->pit_base = cpu_time();
    events_reset(v, v->pit_base);
    vcpu_update_pending(v);
}

void timer_sync(struct vcpu *v, uint32_t now)
{
    uint32_t elapsed = now - v->pit_base;
    uint32_t left = v->pit_left;

    v->pit_base = now;
    if (elapsed < left) {
        v->pit_left = left - elapsed;
    } else if (left != 0) {
        /* Auto-reload counts from the event, not from now: no drift, however late we look. */
        v->tsr |= TSR_PIS;
        v->pit_left = (v->tcr & TCR_ARE) != 0 && v->pit != 0 ? v->pit - (elapsed - left) % v->pit : 0;
    }
    events_sync(v, now);
    vcpu_update_pending(v);
}

/* Ticks until one of the guest's timers needs attention. */
static uint32_t next_event(const struct vcpu *v, uint32_t now)
{
    uint32_t left = events_left(v, now);

    return v->pit_left != 0 && v->pit_left < left ? v->pit_left : left;
}

void timer_program(struct vcpu *running, uint32_t now)
{
    uint32_t left = sched_left(now);
    uint32_t event;
    uint32_t i;

    if (VM_COUNT == 1) {
        left = next_event(&vcpu[0], now);
    } else if (running != 0) {
        event = next_event(running, now);
        left = event < left ? event : left;
    } else {
        left = TICKS_MAX;
        for (i = 0; i < VM_COUNT; i++) {
            event = next_event(&vcpu[i], now);
            left = event < left ? event : left;
        }
    }
    left = left < TICKS_MAX ? left : TICKS_MAX;
    cpu_mtspr(SPRN_PIT, left > TICKS_MIN ? left : TICKS_MIN);
}

/* The end of the road, schedule(), sets the machine's PIT and the pending word by what these three leave behind. */

void timer_write_pit(struct vcpu *v, uint32_t value)
{
    timer_sync(v, cpu_time());
    v->pit = value;
    v->pit_left = value;
}

void timer_write_tsr(struct vcpu *v, uint32_t value)
{
    timer_sync(v, cpu_time());
    v->tsr &= ~value;
}

void timer_write_tcr(struct vcpu *v, uint32_t value)
{
    timer_sync(v, cpu_time());
    v->tcr = value | (v->tcr & TCR_WRC); /* a watchdog reset, once asked for, cannot be taken back */
}
