/*
 * health.h: whether a VM lives, why it stopped, and whether its partition wants another life then (option LIFECYCLE). Who may
 * ask, and tell it what to do, are its supervisors (hypercalls/lifecycle.c).
 */
#ifndef PROTEUS_HEALTH_H
#define PROTEUS_HEALTH_H

#include <stdbool.h>
#include <stdint.h>

#include "storm.h"
#include "vcpu.h"

#ifdef CONFIG_LIFECYCLE

struct health {
    uint32_t query[HCALL_QUERY_STORMS + 1]; /* HCALL_QUERY_*. State RUNNING stands for all that a VM may be in its life */
    uint32_t again;              /* restarts since `first`, time base */
    uint64_t first;
    uint32_t msr, tcr, pit_left; /* while it is paused */
};
extern struct health health[VM_COUNT];

/* A failure, in the order of HCALL_FAILURE_WORDS. */
struct failure {
    uint32_t vm, cause, pc, insn, time_hi, time_lo;
};

/* That of this number, counted from 0; a null pointer if there is none, or it is no longer kept. */
const struct failure *health_failure(uint32_t number);

uint64_t health_time(void);

/* HCALL_STATE_* now. */
uint32_t health_state(const struct vcpu *v);

/* Reports of lifecycle.c: a life will begin, one has begun, one ends. The last is true if another is to begin. */
static inline void health_prepared(const struct vcpu *v)
{
    health[vcpu_index(v)].query[HCALL_QUERY_STATE] = HCALL_STATE_RUNNING;
}
void health_started(const struct vcpu *v);
bool health_ended(struct vcpu *v, uint32_t cause);

/* Events since the last decision (vcpu.h), and lines that come back. */
void health_events(void);
static inline void health_look(uint32_t now)
{
    if (VM_STORMS) {
        storm_look(now);
    }
    if ((VM_OVERRUNS && vcpu_events[EVENT_OVERRUN] != 0) || (VM_STORMS && vcpu_events[EVENT_STORM] != 0)) {
        health_events();
    }
}

/*
 * HCALL_CONTROL_*, by somebody else: 0, or HCALL_E_STATE if the VM is in no state for it. Paused, it executes no instruction,
 * and its timers stand still, until it goes on; that is not for the current one.
 */
uint32_t health_control(struct vcpu *v, uint32_t action);

#else

static inline void health_look(uint32_t now)
{
    (void)now;
}

static inline void health_prepared(const struct vcpu *v)
{
    (void)v;
}

static inline void health_started(const struct vcpu *v)
{
    (void)v;
}

static inline bool health_ended(struct vcpu *v, uint32_t cause)
{
    (void)v, (void)cause;
    return false;
}

#endif
#endif
