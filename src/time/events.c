/*
 * events.c: see events.h.
 *
 * An event that is not watched is only accounted for when the guest looks at TSR, so FIS and ENW cost nothing to a guest
 * that ignores them. (After exactly 2^32 ticks without a look, an event looks like none.) One that is watched is an event
 * for the machine's PIT.
 */
#include "events.h"

/* log2 of the period in ticks */
static uint32_t fit_shift(uint32_t tcr)
{
    return 9 + 4 * ((tcr & TCR_FP) >> 24);
}

static uint32_t watchdog_shift(uint32_t tcr)
{
    return 17 + 4 * ((tcr & TCR_WP) >> 30);
}

/* How often the bit of value 2^(shift-1) has risen, up to `time`. */
static uint32_t rises(uint32_t time, uint32_t shift)
{
    return (time + (1U << (shift - 1))) >> shift;
}

static uint32_t ticks_to_rise(uint32_t time, uint32_t shift)
{
    uint32_t period = 1U << shift;

    return period - ((time + period / 2) & (period - 1));
}

void events_reset(struct vcpu *v, uint32_t now)
{
    v->events_base = now;
}

/*
 * The watchdog's state machine after `steps` events (manual, "Watchdog Timer State Machine"). A watchdog that resets takes
 * one step at a time, however long the guest did not run: it must have had a chance to clear its status.
 */
static void watchdog_step(struct vcpu *v, uint32_t steps)
{
    if ((v->tsr & TSR_ENW) == 0) {
        v->tsr |= TSR_ENW | (steps > 1 && (v->tcr & TCR_WRC) == 0 ? TSR_WIS : 0);
    } else if ((v->tsr & TSR_WIS) == 0) {
        v->tsr |= TSR_WIS;
    } else if ((v->tcr & TCR_WRC) != 0) {
        uint32_t cause = (v->tcr & TCR_WRC) >> 28;

        vcpu_reset_request(v, cause, cause << 28); /* WRS */
    }
}

__attribute__((noinline)) void events_sync(struct vcpu *v, uint32_t now)
{
    uint32_t base = v->events_base;
    uint32_t fit = fit_shift(v->tcr);
    uint32_t watchdog = watchdog_shift(v->tcr);

    v->events_base = now;
    if (rises(now, fit) != rises(base, fit)) {
        v->tsr |= TSR_FIS;
    }
    if (rises(now, watchdog) != rises(base, watchdog)) {
        watchdog_step(v, rises(now, watchdog) - rises(base, watchdog));
    }
    vcpu_update_pending(v);
}

__attribute__((noinline)) uint32_t events_left(const struct vcpu *v, uint32_t now)
{
    uint32_t left = EVENTS_NEVER;

    if ((v->tcr & TCR_FIE) != 0 && (v->tsr & TSR_FIS) == 0) {
        left = ticks_to_rise(now, fit_shift(v->tcr));
    }
    if ((v->tcr & (TCR_WIE | TCR_WRC)) != 0) {
        uint32_t watchdog = ticks_to_rise(now, watchdog_shift(v->tcr));

        left = watchdog < left ? watchdog : left;
    }
    return left;
}
