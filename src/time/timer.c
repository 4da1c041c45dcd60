/*
 * timer.c: virtual PIT on the machine's PIT. See events.h for FIT and watchdog.
 */
#include "timer.h"

#include "board.h"
#include "console.h"
#include "cpu.h"
#include "partition.h"
#include "sched.h"
#include "storm.h"
#include "watchdog.h"

/* The machine's PIT is never set longer than this, so that 32 bits of time are enough. */
#define TICKS_MAX WATCHDOG_AT_MOST(IS_ENABLED(CONFIG_CONSOLE) ? BOARD_TB_HZ / 2 : 0x40000000U) /* the console may wait */

void timer_init(void)
{
    cpu_mtspr(SPRN_TSR, 0xFFFFFFFF);
    cpu_mtspr(SPRN_TCR, TCR_PIE | WATCHDOG_TCR); /* the only time: to QEMU 7.2 each is a step of the watchdog */
    if (IS_ENABLED(CONFIG_WATCHDOG)) {
        watchdog_expect(cpu_time() + WATCHDOG_AT_MOST(0x40000000U));
    }
}

void timer_reset(struct vcpu *v)
{
    v->pit_left = 0;
    v->pit_base = cpu_time();
    events_reset(v, v->pit_base);
    vcpu_update_pending(v);
}

void timer_sync_registers(struct vcpu *v)
{
    uint32_t now = cpu_time();

    timer_sync_pit(v, now);
    if (!events_watched(v)) { /* those that are watched are the machine's PIT's business: one may reset the guest */
        events_sync(v, now);
    }
}

static uint32_t earlier(uint32_t a, uint32_t b)
{
    return a < b ? a : b;
}

/* Ticks until one of the guest's timers needs attention. */
static uint32_t next_event(const struct vcpu *v, uint32_t now)
{
    uint32_t left = v->pit_left != 0 ? v->pit_left : EVENTS_NEVER;

    left = earlier(left, services_left(v, now));
    return events_watched(v) ? earlier(left, events_left(v, now)) : left;
}

uint32_t timer_wake_left(const struct vcpu *v, uint32_t now)
{
    uint32_t left = services_left(v, now);

    if (v->pit_left != 0 && (v->tcr & TCR_PIE) != 0 && (v->msr & MSR_EE) != 0) {
        left = earlier(left, v->pit_left);
    }
    return events_watched(v) ? earlier(left, events_left(v, now)) : left;
}

/* While somebody runs the assembler serves timers until the slice is over (asm/pit.S); one VM alone has no slices. */
static inline uint32_t decision_due(const struct vcpu *running, uint32_t now, uint32_t left)
{
    if (VM_COUNT == 1) {
        return now + TICKS_MAX;
    }
    return running != 0 ? decision_end() : now + left;
}

void timer_program(struct vcpu *running, uint32_t now, uint32_t left)
{
    uint32_t i;

    if (VM_COUNT == 1) {
        left = earlier(next_event(&vcpu[0], now), earlier(console_left(now), TICKS_MAX));
    } else if (running != 0) {
        left = earlier(next_event(running, now), left);
    } else if (!IS_ENABLED(CONFIG_SCHED_CYCLIC)) { /* whose windows say who may wake */
        left = TICKS_MAX;
        for (i = 0; i < VM_COUNT; i++) { /* loop: VM_COUNT */
            left = earlier(next_event(&vcpu[i], now), left);
        }
    }
    if (VM_STORMS) {
        left = earlier(storm_left(now), left);
    }
    if (IS_ENABLED(CONFIG_WATCHDOG)) {
        watchdog_expect(decision_due(running, now, left));
    }
    cpu_mtspr(SPRN_PIT, left > PIT_TICKS_MIN ? left : PIT_TICKS_MIN);
}

/* The end of the road, schedule(), sets the machine's PIT by what these three leave behind. */

void timer_write_pit(struct vcpu *v, uint32_t value)
{
    timer_sync_registers(v);
    v->pit = value;
    v->pit_left = value;
    v->pit_base = cpu_time();
}

void timer_write_tsr(struct vcpu *v, uint32_t value)
{
    timer_sync_registers(v);
    v->tsr &= ~value;
    vcpu_update_pending(v);
}

void timer_write_tcr(struct vcpu *v, uint32_t value)
{
    timer_sync_registers(v);
    v->tcr = value | (v->tcr & TCR_WRC); /* a watchdog reset, once asked for, cannot be taken back */
    vcpu_update_pending(v);
}
