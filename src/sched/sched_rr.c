/*
 * sched_rr.c: round robin. Whoever can run gets a quantum in turn; who waits gives the rest of it away.
 */
#include "cpu.h"
#include "partition.h"
#include "sched.h"

extern uint32_t slice_end; /* TBL; a low word, because asm/pit.S looks at it */

static struct vcpu *sched_next(struct vcpu *v, uint32_t now)
{
    uint32_t i;

    for (i = 0; i < VM_COUNT; i++) {
        v = v == &vcpu[VM_COUNT - 1] ? &vcpu[0] : v + 1;
        timer_sync(v, now);
        if (vcpu_can_run(v) || services_wake(v, now)) {
            LOW_SET(slice_end, now + services_quantum(v));
            return v;
        }
    }
    return 0;
}

struct vcpu *sched_tick(struct vcpu *v, uint32_t now)
{
    /* unsigned: a slice that ended long ago, before the machine idled, is not one that ends in the future */
    return vcpu_can_run(v) && LOW_GET(slice_end) - now - 1 < SCHED_QUANTUM_TICKS ? v : sched_next(v, now);
}

void sched_yield(void)
{
    LOW_SET(slice_end, cpu_time());
}

uint32_t sched_left(uint32_t now)
{
    return LOW_GET(slice_end) - now;
}
