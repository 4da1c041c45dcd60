/*
 * trace.h: who ran when, in memory: a ring of records that is written at each change, and read from outside
 * (tools/timeline.py; on the chip by a debugger). Option TRACE_SCHED; with it off, nothing is left.
 *
 * The words are in the machine's order; the newest record is number count - 1, at its number modulo CONFIG_TRACE_RECORDS.
 */
#ifndef PROTEUS_TRACE_H
#define PROTEUS_TRACE_H

#include <stdint.h>

#include "vcpu.h"

enum {
#define TRACE(name, option) TRACE_##name,
#include "trace.def"
#undef TRACE
    TRACE_KINDS
};

#ifdef CONFIG_TRACE_SCHED

/* Two records are never further apart, or a time of 32 bits could be any: a decision comes in time (sched.h, timer.c). */
#define TRACE_SILENCE 0x20000000U

struct trace_record {
    uint32_t time; /* TBL; of what is told later than it was, before that of the record in front */
    uint8_t kind, vm;
    uint16_t detail;
};
extern struct trace {
    uint32_t count;
    struct trace_record ring[CONFIG_TRACE_RECORDS];
} trace;

void trace_add(uint32_t kind, uint32_t vm, uint32_t detail, uint32_t time);

/* Who runs from now on; a null pointer: nobody. */
void trace_switch(const struct vcpu *next, uint32_t now);

#define trace_of(v, kind, detail, time) trace_add(TRACE_##kind, vcpu_index(v), detail, time)
#define trace_now(v, kind, detail)      trace_of(v, kind, detail, cpu_time())
#define trace_frame(plan, time)         trace_add(TRACE_frame, VM_COUNT, plan, time)

#else

#define trace_switch(next, now)         ((void)(now))
#define trace_of(v, kind, detail, time) ((void)(v))
#define trace_now(v, kind, detail)      ((void)(v))
#define trace_frame(plan, time)         ((void)(time))

#endif
#endif
