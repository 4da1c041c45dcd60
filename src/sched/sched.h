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

#include "board.h"
#include "services.h"
#include "timer.h"
#include "vcpu.h"
#include "watchdog.h"

#define SCHED_NEVER 0xFFFFFFFFU

/*
 * No two decisions are further apart, where there are not slices: 32 bits of time are enough for the timers of those that do not
 * run, and the console looks after its lines.
 */
#define DECISION_TICKS_MAX WATCHDOG_AT_MOST(IS_ENABLED(CONFIG_CONSOLE) ? BOARD_TB_HZ / 50 : 0x40000000U)

/* v's timers are accounted for: has it something to do? One whose wait is over, or that has work, can from now on. */
static inline bool sched_is_ready(struct vcpu *v, uint32_t now)
{
    return vcpu_can_run(v) || services_wake(v, now) || vcpu_has_work(v);
}

/* Its budget, window or turn is over: has its guest wanted more? */
static inline void sched_over(const struct vcpu *v)
{
    if (VM_OVERRUNS && vcpu_can_run(v) && v->work == 0) {
        vcpu_event(v, EVENT_OVERRUN);
    }
}

#ifdef CONFIG_SCHED_SINGLE
#include "sched_single.h"
#else
struct vcpu *sched_tick(struct vcpu *v, uint32_t now, uint32_t *left);
uint32_t sched_left(uint32_t now);
void sched_yield(void);
extern uint32_t slice_end; /* TBL of the next decision; a low word, because asm/pit.S looks at it */
#define decision_end() LOW_GET(slice_end)
#endif

#ifdef CONFIG_SCHED_CYCLIC
/* The plan that lasts; the one from the next frame on: false if there is none of this number. */
uint32_t sched_plan_get(void);
bool sched_plan_set(uint32_t number);
#else
static inline uint32_t sched_plan_get(void)
{
    return 0;
}

static inline bool sched_plan_set(uint32_t number)
{
    (void)number;
    return false;
}
#endif

/* Whoever runs: the road of this interrupt of the board is v's. */
#ifdef CONFIG_SCHED_RESERVE
void sched_road_of(const struct vcpu *v);
#else
static inline void sched_road_of(const struct vcpu *v)
{
    (void)v;
}
#endif

/*
 * Something waits for v, who does not run: with SCHED_URGENT the next decision is now. Who has raised it, by a doorbell say, has
 * paid for that; who wakes by it pays when it does.
 */
#ifdef CONFIG_SCHED_URGENT
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
