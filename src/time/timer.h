/*
 * timer.h: a guest's programmable interval timer, and with option FIT_WATCHDOG its fixed interval timer and watchdog,
 * all multiplexed on the machine's one PIT.
 */
#ifndef PROTEUS_TIMER_H
#define PROTEUS_TIMER_H

#include <stdbool.h>
#include <stdint.h>

#include "events.h"
#include "services.h"
#include "irq.h"
#include "trace.h"
#include "vcpu.h"

/*
 * The machine's PIT is never set shorter. A tick is a cycle of the chip and a third of an instruction in QEMU: the way
 * back to the guest is about 60 instructions, and a guest with a PIT period of a few ticks must make progress between two.
 * That is with warm caches. With cold ones the event comes on the way: it waits then, for TSR[PIS] is cleared before PIT is set.
 */
#define PIT_TICKS_MIN 256

/* Time is TBL, 32 bits of time-base ticks that wrap around; no two looks at a guest's timers are further apart. */

void timer_init(void);
void timer_reset(struct vcpu *v);

/* The guest's PIT event was `late` ticks ago. Auto-reload counts from the event, not from now: no drift. */
static inline void timer_expire(struct vcpu *v, uint32_t late)
{
    v->tsr |= TSR_PIS;
    v->pit_left = (v->tcr & TCR_ARE) != 0 && v->pit != 0 ? v->pit - late % v->pit : 0;
    if ((v->tcr & TCR_PIE) != 0) {
        v->pending |= MSR_EE;
    }
}

static inline __attribute__((always_inline)) void timer_sync_pit(struct vcpu *v, uint32_t now)
{
    uint32_t left = v->pit_left;

    if (left != 0) {
        uint32_t elapsed = now - v->pit_base;

        v->pit_base = now;
        if (elapsed < left) {
            v->pit_left = left - elapsed;
        } else {
            trace_of(v, release, 0, now - (elapsed - left));
            timer_expire(v, elapsed - left);
        }
    }
}

/* Without FIT and watchdog a guest may clear TSR by a store to its register page: the pending word follows when we look. */
#define TSR_BY_STORE (IS_ENABLED(CONFIG_IRFM) && !IS_ENABLED(CONFIG_FIT_WATCHDOG))
static inline __attribute__((always_inline)) void timer_follow_page(struct vcpu *v)
{
    if (TSR_BY_STORE && v->tsr == 0) {
        v->pending = irq_pending(v);
    }
}

/* Account for the time up to `now`: set status bits, reload, update `pending`. A watchdog may reset the guest. */
static inline __attribute__((always_inline)) void timer_sync(struct vcpu *v, uint32_t now)
{
    timer_follow_page(v);
    timer_sync_pit(v, now);
    if (events_watched(v)) {
        events_sync(v, now);
    }
}

/* The same up to this moment, before the guest reads a timer register or writes one: also what nobody watches. */
void timer_sync_registers(struct vcpu *v);

/*
 * Set the machine's PIT to the next thing that must happen while `running` runs, in `left` ticks (sched.h) at the latest; a
 * null pointer: while nobody runs (of a scheduler with windows, `left` has all that may end that).
 */
void timer_program(struct vcpu *running, uint32_t now, uint32_t left);

/* Of a VM that waits: ticks until a timer may wake it. What its MSR does not let in, or TCR does not enable, wakes nobody. */
uint32_t timer_wake_left(const struct vcpu *v, uint32_t now);

/* MSR_EE and MSR_CE if an enabled timer interrupt of that class is in TSR. */
static inline uint32_t timer_pending(const struct vcpu *v)
{
    /* PIS (bit 4) against PIE (5), FIS (5) against FIE (8), WIS (1) against WIE (4) */
    uint32_t pit = v->tsr >> 1 & v->tcr & TCR_PIE;

    if (IS_ENABLED(CONFIG_FIT_WATCHDOG)) {
        uint32_t others = v->tsr >> 3 & v->tcr;

        return ((pit | (others & TCR_FIE)) != 0 ? MSR_EE : 0) | ((others & TCR_WIE) != 0 ? MSR_CE : 0);
    }
    return pit != 0 ? MSR_EE : 0;
}

/* Is it the FIT's turn, before the PIT's? */
static inline bool timer_fit_first(const struct vcpu *v)
{
    return IS_ENABLED(CONFIG_FIT_WATCHDOG) && (v->tsr >> 3 & v->tcr & TCR_FIE) != 0;
}

/* Writes by the guest, after what has passed is accounted for. */
void timer_write_pit(struct vcpu *v, uint32_t value);
void timer_write_tsr(struct vcpu *v, uint32_t value);
void timer_write_tcr(struct vcpu *v, uint32_t value);

#endif
