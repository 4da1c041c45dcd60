/*
 * trace.c: see trace.h.
 */
#include "trace.h"

#include "partition.h"

struct trace trace;

static uint32_t running; /* 1 + index of who did at the last look; 0 before the first */
static uint32_t since;   /* TBL of the last record about it */

__attribute__((noinline)) void trace_add(uint32_t kind, uint32_t vm, uint32_t detail, uint32_t time)
{
    struct trace_record *record = &trace.ring[trace.count++ % CONFIG_TRACE_RECORDS];

    record->time = time;
    record->kind = (uint8_t)kind;
    record->vm = (uint8_t)vm;
    record->detail = (uint16_t)detail;
}

void trace_switch(const struct vcpu *next, uint32_t now)
{
    uint32_t vm = next != 0 ? vcpu_index(next) : VM_COUNT;

    if (vm + 1 != running || now - since >= TRACE_SILENCE) {
        running = vm + 1;
        since = now;
        trace_add(TRACE_switch, vm, 0, now);
    }
}
