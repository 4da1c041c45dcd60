/*
 * sched.h: who runs. A scheduler is one file behind these three functions; Kconfig chooses it.
 *
 * sched_next(v, now)  v cannot run any more, or its turn is over: who runs now? A null pointer: nobody can.
 * sched_tick(v, now)  an interrupt of the machine, with v's timers accounted for: who runs now? Usually v.
 * sched_left(now)     ticks to the next decision that the scheduler itself wants; SCHED_NEVER if none
 */
#ifndef PROTEUS_SCHED_H
#define PROTEUS_SCHED_H

#include <stdint.h>

#include "timer.h"
#include "vcpu.h"

#define SCHED_NEVER 0xFFFFFFFFU

#ifdef CONFIG_SCHED_SINGLE
#include "sched_single.h"
#else
struct vcpu *sched_next(struct vcpu *v, uint32_t now);
struct vcpu *sched_tick(struct vcpu *v, uint32_t now);
uint32_t sched_left(uint32_t now);
#endif

#endif
