/*
 * decisions.h: of the schedulers without slices, fixed priorities and reservations. slice_end is TBL of their next decision,
 * which is at most DECISION_TICKS_MAX away.
 */
#ifndef PROTEUS_DECISIONS_H
#define PROTEUS_DECISIONS_H

#include "cpu.h"
#include "partition.h"
#include "sched.h"

/* Unsigned: one that is over, however long ago, is not one that comes. */
static inline bool goes_on(uint32_t left)
{
    return left - 1 < DECISION_TICKS_MAX;
}

static inline uint32_t earlier(uint32_t a, uint32_t b)
{
    return a < b ? a : b;
}

/* Who has no slice: of the next decision, as much as a slice would have. */
static inline uint32_t decision_left(uint32_t now)
{
    uint32_t left = LOW_GET(slice_end) - now;

    return goes_on(left) ? earlier(left, SCHED_QUANTUM_TICKS) : 0;
}

#endif
