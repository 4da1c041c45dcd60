/*
 * events.h: fixed interval timer and watchdog, which fire when a chosen bit of the time base changes from 0 to 1
 * (manual, "Fixed Interval Timer", "Watchdog Timer"). Every guest reads the machine's time base, so does this.
 */
#ifndef PROTEUS_EVENTS_H
#define PROTEUS_EVENTS_H

#include <stdbool.h>
#include <stdint.h>

#include "vcpu.h"

#define EVENTS_NEVER 0xFFFFFFFFU

#ifdef CONFIG_FIT_WATCHDOG

/* Will an event do more than set a bit that the guest may look at some time? */
static inline bool events_watched(const struct vcpu *v)
{
    return (v->tcr & (TCR_FIE | TCR_WIE | TCR_WRC)) != 0;
}

void events_reset(struct vcpu *v, uint32_t now);
void events_sync(struct vcpu *v, uint32_t now);

/* Ticks to the next event that is watched. */
uint32_t events_left(const struct vcpu *v, uint32_t now);

#else

static inline bool events_watched(const struct vcpu *v)
{
    (void)v;
    return false;
}

static inline void events_reset(struct vcpu *v, uint32_t now)
{
    (void)v, (void)now;
}

static inline void events_sync(struct vcpu *v, uint32_t now)
{
    (void)v, (void)now;
}

static inline uint32_t events_left(const struct vcpu *v, uint32_t now)
{
    (void)v, (void)now;
    return EVENTS_NEVER;
}

#endif
#endif
