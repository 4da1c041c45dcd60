/*
 * stats.h: counters per guest (option STATS): traps by kind, interrupts, time. With the option off, nothing is left.
 */
#ifndef PROTEUS_STATS_H
#define PROTEUS_STATS_H

#include <stdint.h>

enum {
#define STAT(name) STAT_##name,
#include "stats.def"
#undef STAT
    STAT_COUNT
};

struct vcpu;

#ifdef CONFIG_STATS

#define stat_count(v, counter) ((v)->stat[counter]++)
#define stat_value(v, counter) ((v)->stat[counter])
void stat_interrupt(struct vcpu *v, uint32_t vector);

/* A data access that nobody answered, at the guest's pc. What became of a hypercall; gives it back. */
void stat_unanswered(struct vcpu *v, uint32_t address);
uint32_t stat_hypercall(struct vcpu *v, uint32_t result);

/* The machine changes hands, or idles (next is a null pointer). */
void stat_switch(struct vcpu *last, struct vcpu *next, uint32_t now);
void stat_report(void);

#else

#define stat_count(v, counter) ((void)(v))
#define stat_value(v, counter) ((void)(v), 0)

static inline void stat_interrupt(struct vcpu *v, uint32_t vector)
{
    (void)v, (void)vector;
}

static inline void stat_unanswered(struct vcpu *v, uint32_t address)
{
    (void)v, (void)address;
}

static inline uint32_t stat_hypercall(struct vcpu *v, uint32_t result)
{
    (void)v;
    return result;
}

static inline void stat_switch(struct vcpu *last, struct vcpu *next, uint32_t now)
{
    (void)last, (void)next, (void)now;
}

static inline void stat_report(void)
{
}

#endif
#endif
