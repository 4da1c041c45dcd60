/*
 * sched_rr.c: round robin. Whoever can run gets a quantum in turn; who waits gives the rest of it away.
 */
#include "cpu.h"
#include "partition.h"
#include "sched.h"

/* Unsigned: a slice that ended, however long ago (the machine may have idled), is not one that ends in the future. */
static inline bool goes_on(uint32_t left)
{
    return left - 1 < SCHED_QUANTUM_TICKS;
}

static struct vcpu *sched_next(struct vcpu *v, uint32_t now, uint32_t *left)
{
    uint32_t i;

    for (i = 0; i < VM_COUNT; i++) { /* loop: VM_COUNT */
        v = v == &vcpu[VM_COUNT - 1] ? &vcpu[0] : v + 1;
        timer_sync(v, now);
        if (sched_is_ready(v, now)) {
            *left = services_quantum(v);
            LOW_SET(slice_end, now + *left);
            return v;
        }
    }
    return 0;
}

struct vcpu *sched_tick(struct vcpu *v, uint32_t now, uint32_t *left)
{
    *left = LOW_GET(slice_end) - now;
    return vcpu_can_run(v) && goes_on(*left) ? v : sched_next(v, now, left);
}

void sched_yield(void)
{
    LOW_SET(slice_end, cpu_time());
}

uint32_t sched_left(uint32_t now)
{
    uint32_t left = LOW_GET(slice_end) - now;

    return goes_on(left) ? left : 0;
}
