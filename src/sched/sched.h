/*
 * sched.h: who runs. A scheduler is one file behind these two functions; Kconfig chooses it.
 *
 * sched_tick(v, now, left)  v was interrupted, waits or stopped; its timers are accounted for: who runs now? Usually v.
 *                           Of who can't run it asks services_wake() and vcpu_has_work().
 *                           A null pointer: nobody can. *left: ticks to the next decision that the scheduler itself wants,
 *                           never more than a slice; SCHED_NEVER if none
 * sched_yield()             the VM that runs gives the rest of its slice away, at the next sched_tick()
 * sched_left(now)           the same as *left at any other time; 0 if the slice is over
 * sched_interrupt(v)        v has something pending, by a line of its interrupt controller: if it waits, it may be its turn now
 */
#ifndef PROTEUS_SCHED_H
#define PROTEUS_SCHED_H

#include <stdint.h>

#include "services.h"
#include "timer.h"
#include "vcpu.h"

#define SCHED_NEVER 0xFFFFFFFFU

#ifdef CONFIG_SCHED_SINGLE
#include "sched_single.h"
#else
struct vcpu *sched_tick(struct vcpu *v, uint32_t now, uint32_t *left);
uint32_t sched_left(uint32_t now);
void sched_yield(void);
#endif

#ifdef CONFIG_SCHED_URGENT
extern uint32_t slice_end;
static inline void sched_interrupt(const struct vcpu *v)
{
    if (!vcpu_is_loaded(v)) {
        LOW_SET(slice_end, cpu_time());
    }
}
#else
static inline void sched_interrupt(const struct vcpu *v)
{
    (void)v;
}
#endif

#endif
