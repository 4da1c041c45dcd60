/*
 * sched_cyclic.c: windows of a major frame, as ARINC 653 has them, and several plans of them.
 *
 * Nobody but its owner runs in a window; if that waits, the machine idles, until the owner's timer or interrupt, or the window's
 * end. A window ends when the table says so, counted from the frame's begin: however late one look is, the next is not later. A
 * plan that is asked for begins with the next frame.
 *
 * A decision looks at one row of the table and at the timers of one VM; at the end of a frame, at those of all, so that no two
 * looks at them are too far apart.
 */
#include "cpu.h"
#include "partition.h"
#include "sched.h"
#include "trace.h"

static uint32_t plan, plan_next;
static uint32_t window; /* behind the one that lasts; 0: no frame has begun */

/* Windows are no longer (tools/partition.py): left is that of one that lasts, or long ago. */
static inline bool goes_on(uint32_t left)
{
    return left - 1 < SCHED_WINDOW_TICKS_MAX;
}

static void frame_begin(uint32_t now, uint32_t begin)
{
    uint32_t i;

    plan = plan_next;
    window = sched_plan[plan];
    trace_frame(plan, begin);
    for (i = 0; i < VM_COUNT; i++) { /* loop: VM_COUNT */
        timer_sync(&vcpu[i], now);
    }
}

/* The window that lasts now. If all of a frame has been missed (a debugger held the machine), one begins now. */
static __attribute__((noinline)) void next_window(uint32_t now)
{
    uint32_t end = LOW_GET(slice_end);
    uint32_t i;

    if (window == 0) {
        end = now;
        window = sched_plan[plan + 1];
    }
    for (i = 0; i <= SCHED_WINDOWS_MAX && (int32_t)(end - now) <= 0; i++) { /* loop: SCHED_WINDOWS_MAX + 1 */
        if (window == sched_plan[plan + 1]) {
            frame_begin(now, end);
        }
        end += sched_window[window++].ticks;
    }
    LOW_SET(slice_end, (int32_t)(end - now) > 0 ? end : now + sched_window[window - 1].ticks);
}

struct vcpu *sched_tick(struct vcpu *v, uint32_t now, uint32_t *left)
{
    uint32_t owner;

    *left = LOW_GET(slice_end) - now;
    if (!goes_on(*left) || window == 0) {
        uint32_t last = window != 0 ? sched_window[window - 1].vm : SCHED_NOBODY;

        next_window(now);
        *left = LOW_GET(slice_end) - now;
        if (last != SCHED_NOBODY && last != sched_window[window - 1].vm) {
            sched_over(&vcpu[last]);
        }
    }
    owner = sched_window[window - 1].vm;
    if (owner == SCHED_NOBODY) {
        return 0;
    }
    if (v != &vcpu[owner]) {
        v = &vcpu[owner];
        timer_sync(v, now);
    }
    if (sched_is_ready(v, now)) {
        return v;
    }
    *left = timer_wake_left(v, now) < *left ? timer_wake_left(v, now) : *left;
    return 0;
}

/* The rest of a window is nobody else's. */
void sched_yield(void)
{
}

uint32_t sched_left(uint32_t now)
{
    uint32_t left = LOW_GET(slice_end) - now;

    return goes_on(left) ? left : 0;
}

uint32_t sched_plan_get(void)
{
    return plan;
}

bool sched_plan_set(uint32_t number)
{
    if (number >= SCHED_PLANS) {
        return false;
    }
    plan_next = number;
    return true;
}
