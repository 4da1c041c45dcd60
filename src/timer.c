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
    uint32_t left = TICKS_MAX;

    if (running != 0) {
        uint32_t slice = sched_left(now);
        uint32_t event = next_event(running, now);

        left = slice < left ? slice : left;
        left = event < left ? event : left;
    } else {
        uint32_t i;

        for (i = 0; i < VM_COUNT; i++) {
            uint32_t event = next_event(&vcpu[i], now);

            left = event < left ? event : left;
        }
    }
    cpu_mtspr(SPRN_PIT, left < TICKS_MIN ? TICKS_MIN : left);
}

/* What the guest did may have brought an event nearer. */
static void reprogram(struct vcpu *v, uint32_t now)
{
    vcpu_update_pending(v);
    timer_program(v, now);
}

uint32_t timer_read_pit(struct vcpu *v)
{
    timer_sync(v, cpu_time());
    return v->pit_left;
}

void timer_write_pit(struct vcpu *v, uint32_t value)
{
    uint32_t now = cpu_time();

    timer_sync(v, now);
    v->pit = value;
    v->pit_left = value;
    reprogram(v, now);
}

void timer_write_tsr(struct vcpu *v, uint32_t value)
{
    uint32_t now = cpu_time();

    timer_sync(v, now);
    v->tsr &= ~value;
    reprogram(v, now);
}

void timer_write_tcr(struct vcpu *v, uint32_t value)
{
    uint32_t now = cpu_time();

    timer_sync(v, now);
    v->tcr = value | (v->tcr & TCR_WRC); /* a watchdog reset, once asked for, cannot be taken back */
    reprogram(v, now);
}
