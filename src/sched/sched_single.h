/*
 * sched_single.h: one partition, no scheduler.
 */
static inline struct vcpu *sched_tick(struct vcpu *v, uint32_t now, uint32_t *left)
{
    *left = SCHED_NEVER;
    return sched_is_ready(v, now) ? v : 0;
}

#define decision_end() 0U

static inline void sched_yield(void)
{
}

static inline uint32_t sched_left(uint32_t now)
{
    (void)now;
    return SCHED_NEVER;
}
