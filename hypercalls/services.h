/*
 * services.h: what the hypercalls of services.c leave behind in a guest's register file (option SERVICES).
 */
#ifndef PROTEUS_SERVICES_H
#define PROTEUS_SERVICES_H

#include <stdbool.h>
#include <stdint.h>

#include "vcpu.h"

#ifdef CONFIG_SERVICES

/* Ticks of a slice. */
#define services_quantum(v) ((v)->quantum)

static inline void services_reset(struct vcpu *v)
{
    v->quantum = SCHED_QUANTUM_TICKS;
}

/* Of a guest that can't run: has its time come? */
static inline bool services_wake(struct vcpu *v, uint32_t now)
{
    if (v->sleeping != 0 && (int32_t)(now - v->wake) >= 0) {
        v->sleeping = 0;
        return (v->msr & MSR_WE) == 0;
    }
    return false;
}

/* Ticks until the guest wakes. */
static inline uint32_t services_left(const struct vcpu *v, uint32_t now)
{
    return v->sleeping != 0 ? v->wake - now : 0xFFFFFFFF;
}

#else

#define services_quantum(v)       SCHED_QUANTUM_TICKS
#define services_reset(v)         ((void)(v))
#define services_wake(v, now)     ((void)(v), (void)(now), false)
#define services_left(v, now)     0xFFFFFFFFU

#endif
#endif
