/*
 * sched_reserve.c: reservations. A VM has a budget in each period; of those that have some left, the one whose period ends first
 * runs (earliest deadline first between constant bandwidth servers with hard reservations: Abeni and Buttazzo, RTSS 1998). All
 * that nobody with a budget wants is given on, a quantum in turn, to whoever can run, and costs nothing; a VM without a
 * reservation has that alone.
 *
 * Who wakes goes on with its budget only if that is not more than its share of what is left of the period: otherwise a period
 * begins now. A budget that is used up comes back at the period's end, less what was used too much: a road that nobody can
 * interrupt, done for a VM, is that VM's.
 *
 * What is not the VM's own time is reckoned by bounds (tools/partition.py): a wake-up and a new budget pay for two switches and
 * the decision, there and back; so who is interrupted by them loses nothing, and its own time begins behind the switch. An
 * interrupt pays for its road. A VM can wake as often as it likes: it pays, and the others have what they were promised.
 *
 * A decision walks each VM once, so that it is bounded by VM_COUNT; slice_end is TBL of the next.
 */
#include "decisions.h"

static struct server {
    int32_t left;      /* of the budget, in ticks; 0 or less: it has to wait for the deadline */
    uint32_t deadline; /* TBL at the period's end */
    bool awake;
} servers[VM_COUNT];

static struct server *charged; /* whose budget pays for who runs; a null pointer: nobody's */
static uint32_t since;         /* TBL from which on it does */
static uint32_t given_to;      /* who had the time last that was given on */
static bool begun;

static inline bool is_over(uint32_t time, uint32_t now)
{
    return (int32_t)(now - time) >= 0;
}

/* Is what is left of its budget more than its share of what is left of its period? */
static bool has_too_much(const struct server *s, const struct sched_server *c, uint32_t now)
{
    return s->left > 0 && (uint64_t)(uint32_t)s->left * c->period > (uint64_t)c->budget * (s->deadline - now);
}

/* Its period and budget as of now. That of a VM that waits does not grow old: 32 bits of time would make it young again. */
static void server_sync(struct server *s, const struct sched_server *c, bool ready, uint32_t now)
{
    int32_t owed = s->left < 0 ? s->left : 0;
    int32_t costs = ready ? SCHED_ACTIVATION_TICKS : 0;

    if (is_over(s->deadline, now)) {
        bool next = s->awake && now - s->deadline < c->period;

        s->deadline = !ready ? now : next ? s->deadline + c->period : now + c->period;
        s->left = owed + (int32_t)c->budget - costs;
    } else if (ready && !s->awake) {
        if (has_too_much(s, c, now)) {
            s->deadline = now + c->period;
            s->left = (int32_t)c->budget;
        }
        s->left -= costs;
    }
    s->awake = ready;
}

static bool is_ready(struct vcpu *v, uint32_t now)
{
    timer_sync(v, now);
    return sched_is_ready(v, now);
}

/* Of all budgets, whose is it? *look: ticks until that may change. *spare: who has the time that is given on. */
static struct server *earliest(uint32_t now, uint32_t *look, struct vcpu **spare)
{
    struct server *first = 0;
    uint32_t i = given_to;
    uint32_t n;

    for (n = 0; n < VM_COUNT; n++) { /* loop: VM_COUNT */
        struct server *s;
        bool ready;

        i = i + 1 < VM_COUNT ? i + 1 : 0;
        s = &servers[i];
        ready = is_ready(&vcpu[i], now);
        if (ready && *spare == 0) {
            *spare = &vcpu[i];
        }
        if (sched_server[i].budget == 0) {
            continue;
        }
        server_sync(s, &sched_server[i], ready, now);
        if (!ready) {
            *look = earlier(*look, timer_wake_left(&vcpu[i], now));
            continue;
        }
        *look = earlier(*look, s->deadline - now);
        if (s->left > 0 && (first == 0 || (int32_t)(s->deadline - first->deadline) < 0)) {
            first = s;
        }
    }
    return first;
}

static void charge(uint32_t now)
{
    uint32_t i;

    if (!begun) {
        begun = true;
        for (i = 0; i < VM_COUNT; i++) { /* loop: VM_COUNT */
            servers[i].deadline = now;
        }
    }
    if (charged != 0 && (int32_t)(now - since) > 0) {
        bool had = charged->left > 0; /* otherwise it has given the rest away */

        charged->left -= (int32_t)(now - since);
        if (had && charged->left <= 0) {
            sched_over(&vcpu[charged - servers]);
        }
    }
}

__attribute__((noinline)) static struct vcpu *sched_next(struct vcpu *v, uint32_t now, uint32_t *left)
{
    struct vcpu *next = 0;
    uint32_t look = DECISION_TICKS_MAX;

    charge(now);
    charged = earliest(now, &look, &next);
    if (charged != 0) {
        next = &vcpu[charged - servers];
        look = earlier(look, (uint32_t)charged->left);
    } else if (next != 0) {
        given_to = vcpu_index(next);
        look = earlier(look, services_quantum(next));
    }
    since = next != v ? now + SCHED_SWITCH_TICKS : now;
    *left = look;
    LOW_SET(slice_end, next != 0 ? now + look : now);
    return next;
}

struct vcpu *sched_tick(struct vcpu *v, uint32_t now, uint32_t *left)
{
    *left = LOW_GET(slice_end) - now;
    return vcpu_can_run(v) && goes_on(*left) ? v : sched_next(v, now, left);
}

/* The rest of its budget; it may have what is given on. What it has used is paid by that. */
void sched_yield(void)
{
    uint32_t now = cpu_time();

    if (charged != 0) {
        charged->left = 0;
        since = now;
    }
    LOW_SET(slice_end, now);
}

uint32_t sched_left(uint32_t now)
{
    return decision_left(now);
}

/* As much as it can cost. A line that it has not acknowledged is masked: what a guest owes has an end. */
void sched_road_of(const struct vcpu *v)
{
    if (!vcpu_is_loaded(v)) {
        servers[vcpu_index(v)].left -= SCHED_SWITCH_TICKS;
        since += SCHED_SWITCH_TICKS;
    }
}
