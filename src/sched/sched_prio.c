/*
 * sched_prio.c: fixed priorities, preemptive. The VM of the highest priority that can run does, at once; equals take turns of a
 * quantum.
 *
 * slice_end is TBL of the next decision: the end of a turn, or the first timer by which a waiting VM of a higher priority may
 * wake. The other reason to wake is an interrupt line: sched_interrupt() makes the next decision now. Between decisions a look
 * costs what it costs with round robin, and so does the hot road (asm/pit.S).
 *
 * A decision walks each VM once, its own level once more, so that it is bounded by VM_COUNT. A timer whose interrupt a waiting VM
 * does not let in makes none (timer_wake_left()): nobody below it is disturbed for nothing.
 */
#include "decisions.h"

/*
 * Of each level: whose turn it is, and the ticks that are used of it. Who is preempted by a higher level keeps its turn; who
 * waits has ended it. The one more is where the time of an idle machine goes.
 */
static struct {
    uint32_t at, used;
} turns[SCHED_LEVELS + 1];

static uint32_t level_now;  /* who runs is of this level */
static uint32_t since;      /* TBL of the last decision */

/* Of this level, who can run in turn? *wake: ticks until one of those that can't may. */
static struct vcpu *level_next(uint32_t level, uint32_t now, uint32_t *wake)
{
    const struct sched_level *members = &sched_level[level];
    uint32_t i;

    /* loop: VM_COUNT + 1; in all VM_COUNT + SCHED_LEVELS */
    for (i = 0; i <= members->count; i++) { /* the first one again, if its turn was over */
        struct vcpu *v = &vcpu[sched_order[members->first + turns[level].at]];

        timer_sync(v, now);
        if (turns[level].used < services_quantum(v)) {
            if (sched_is_ready(v, now)) {
                return v;
            }
            *wake = earlier(*wake, timer_wake_left(v, now));
        }
        turns[level].used = 0;
        if (++turns[level].at == members->count) {
            turns[level].at = 0;
        }
    }
    return 0;
}

/* The timers of those that are lower: no two looks at them are too far apart. */
static void sync_below(uint32_t level, uint32_t now)
{
    uint32_t i;

    for (i = sched_level[level].first + sched_level[level].count; i < VM_COUNT; i++) { /* loop: VM_COUNT */
        timer_sync(&vcpu[sched_order[i]], now);
    }
}

/* Of the turn that lasts. Is it over, and was not given away? Who has no equals has no turn. */
static void use(uint32_t ticks)
{
    uint32_t before = turns[level_now].used;

    turns[level_now].used += ticks;
    if (VM_OVERRUNS && level_now < SCHED_LEVELS && sched_level[level_now].count > 1) {
        const struct vcpu *v = &vcpu[sched_order[sched_level[level_now].first + turns[level_now].at]];

        if (before < services_quantum(v) && turns[level_now].used >= services_quantum(v)) {
            sched_over(v);
        }
    }
}

/* most: sched_next > 2 console_poll */
__attribute__((noinline)) static struct vcpu *sched_next(uint32_t now, uint32_t *left)
{
    uint32_t wake = DECISION_TICKS_MAX;
    uint32_t level;
    struct vcpu *next = 0;

    use(now - since);
    since = now;
    for (level = 0; level < SCHED_LEVELS; level++) { /* loop: SCHED_LEVELS */
        uint32_t above = wake;

        next = level_next(level, now, &wake);
        if (next != 0) { /* an equal that wakes can wait for its turn */
            wake = above;
            if (sched_level[level].count > 1) {
                wake = earlier(wake, services_quantum(next) - turns[level].used);
            } else {
                turns[level].used = 0;
            }
            sync_below(level, now);
            break;
        }
    }
    level_now = level;
    *left = wake;
    LOW_SET(slice_end, next != 0 ? now + wake : now);
    return next;
}

struct vcpu *sched_tick(struct vcpu *v, uint32_t now, uint32_t *left)
{
    *left = LOW_GET(slice_end) - now;
    return vcpu_can_run(v) && goes_on(*left) ? v : sched_next(now, left);
}

/* In favour of its equals. */
void sched_yield(void)
{
    turns[level_now].used = SCHED_QUANTUM_TICKS;
    LOW_SET(slice_end, cpu_time());
}

uint32_t sched_left(uint32_t now)
{
    return decision_left(now);
}
