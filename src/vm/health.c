/*
 * health.c: see health.h. Failures are kept in a ring: what a supervisor has not read when eight more have come is lost, and the
 * numbers tell it so.
 */
#include "health.h"

#include "console.h"
#include "cpu.h"
#include "irq.h"
#include "lifecycle.h"
#include "message.h"
#include "partition.h"
#include "sched.h"
#include "timer.h"

struct health health[VM_COUNT];
uint32_t vcpu_events[EVENTS];

static struct failure failures[HCALL_FAILURES];
static uint32_t failure_count;

uint64_t health_time(void)
{
    uint32_t high, low;

    do {
        high = cpu_time_hi();
        low = cpu_time();
    } while (high != cpu_time_hi()); /* loop: 2 */
    return (uint64_t)high << 32 | low;
}

uint32_t health_state(const struct vcpu *v)
{
    uint32_t state = health[vcpu_index(v)].query[HCALL_QUERY_STATE];

    if (state != HCALL_STATE_RUNNING) {
        return state;
    }
    if (v->work != 0) {
        return HCALL_STATE_RESTARTING;
    }
    return vcpu_can_run(v) ? HCALL_STATE_RUNNING : HCALL_STATE_WAITING;
}

const struct failure *health_failure(uint32_t number)
{
    return number < failure_count && failure_count - number <= HCALL_FAILURES ? &failures[number % HCALL_FAILURES] : 0;
}

void health_started(const struct vcpu *v)
{
    uint32_t *query = health[vcpu_index(v)].query;
    uint64_t now = health_time();

    query[HCALL_QUERY_STARTS]++;
    query[HCALL_QUERY_SINCE_HI] = (uint32_t)(now >> 32);
    query[HCALL_QUERY_SINCE_LO] = (uint32_t)now;
}

/* Its supervisors' lines: a pulse, which their controllers keep. */
static void tell(const struct vcpu *v)
{
    uint32_t i;

    for (i = 0; i < VM_COUNT; i++) { /* loop: VM_COUNT */
        const struct vm_care *care = &vm_care[i];

        if ((care->supervises >> vcpu_index(v) & 1) != 0 && care->line != VM_NO_LINE) {
            irq_raise(&vcpu[i], care->line);
        }
    }
}

static void keep(const struct vcpu *v, uint32_t cause, uint64_t now)
{
    struct failure *failure = &failures[failure_count++ % HCALL_FAILURES];

    failure->vm = vcpu_index(v);
    failure->cause = cause;
    failure->pc = v->pc;
    failure->insn = 0;
    message_insn_of(v, &failure->insn);
    failure->time_hi = (uint32_t)(now >> 32);
    failure->time_lo = (uint32_t)now;
}

/* At most `restarts` in the time from the first of them on; then it is for a supervisor, or for good. */
static bool another(struct health *h, const struct vm_care *care, uint64_t now)
{
    if (h->again == 0 || now - h->first >= care->within) {
        h->again = 0;
        h->first = now;
    }
    return h->again++ < care->restarts;
}

/* Whose end it is, behind all else that is to be said; but for the counters (option STATS). */
static __attribute__((noreturn)) void reset_board(const struct vcpu *v)
{
    console_flush();
    message_start("reset ", v);
    message_text(": so says its partition\r\n");
    lifecycle_end();
}

bool health_ended(struct vcpu *v, uint32_t cause)
{
    struct health *h = &health[vcpu_index(v)];
    const struct vm_care *care = &vm_care[vcpu_index(v)];
    uint64_t now = health_time();

    h->query[HCALL_QUERY_CAUSE] = cause;
    h->query[HCALL_QUERY_STATE] = HCALL_STATE_STOPPED;
    if (VM_BOARD_RESETS && (care->resets >> (cause <= STOP_SUPERVISOR ? cause : 0) & 1) != 0) {
        reset_board(v);
    }
    tell(v);
    if (cause <= STOP_SUPERVISOR) {
        return false;
    }
    keep(v, cause, now);
    h->query[HCALL_QUERY_FAILURES] = failure_count;
    h->query[HCALL_QUERY_STATE] = HCALL_STATE_FAILED;
    return another(h, care, now);
}

/* Whoever has stopped, or is about to begin, does not fail once more. */
static void happened(struct vcpu *v, uint32_t event)
{
    struct health *h = &health[vcpu_index(v)];
    uint32_t what = vm_care[vcpu_index(v)].on_event[event];

    if (what == CARE_IGNORE) {
        return;
    }
    h->query[HCALL_QUERY_OVERRUNS + event]++;
    if (what == CARE_TELL || h->query[HCALL_QUERY_STATE] != HCALL_STATE_RUNNING || v->work != 0) {
        tell(v);
    } else if (event == EVENT_OVERRUN) {
        vcpu_stop(v, STOP(OVERRUN));
    } else {
        vcpu_stop(v, STOP(STORM));
    }
}

__attribute__((cold, noinline)) void health_events(void)
{
    uint32_t event, i;

    for (event = 0; event < EVENTS; event++) { /* loop: EVENTS */
        uint32_t whose = vcpu_events[event];

        vcpu_events[event] = 0;
        for (i = 0; i < VM_COUNT; i++) { /* loop: VM_COUNT */
            if ((whose >> i & 1) != 0) {
                happened(&vcpu[i], event);
            }
        }
    }
}

/* As one that is stopped, it waits with all interrupts disabled; what comes meanwhile is pending when it goes on. */
static void pause_vm(struct vcpu *v)
{
    struct health *h = &health[vcpu_index(v)];

    h->query[HCALL_QUERY_STATE] = HCALL_STATE_PAUSED;
    h->msr = v->msr;
    h->tcr = v->tcr;
    h->pit_left = v->pit_left;
    v->msr = MSR_WE;
    v->tcr = 0;
    v->pit_left = 0;
}

static void resume_vm(struct vcpu *v)
{
    struct health *h = &health[vcpu_index(v)];

    h->query[HCALL_QUERY_STATE] = HCALL_STATE_RUNNING;
    timer_reset(v);
    v->msr = h->msr;
    v->tcr = h->tcr;
    v->pit_left = h->pit_left;
    vcpu_update_pending(v);
}

#define IN(state) (1U << HCALL_STATE_##state)
#define IN_LIFE   (IN(RUNNING) | IN(WAITING))

/* In which states the VM may be for it: all transitions that somebody else than the VM itself can make. */
static const uint8_t allowed[] = {
    [HCALL_CONTROL_START] = IN(STOPPED) | IN(FAILED),
    [HCALL_CONTROL_STOP] = IN_LIFE | IN(RESTARTING) | IN(PAUSED),
    [HCALL_CONTROL_PAUSE] = IN_LIFE,
    [HCALL_CONTROL_RESUME] = IN(PAUSED),
    [HCALL_CONTROL_RESTART] = IN_LIFE | IN(RESTARTING) | IN(PAUSED) | IN(STOPPED) | IN(FAILED),
};

uint32_t health_control(struct vcpu *v, uint32_t action)
{
    timer_sync(v, cpu_time()); /* its watchdog may have the first word */
    if ((allowed[action] >> health_state(v) & 1) == 0) {
        return (uint32_t)HCALL_E_STATE;
    }
    switch (action) {
    case HCALL_CONTROL_PAUSE:
        pause_vm(v);
        break;
    case HCALL_CONTROL_RESUME:
        resume_vm(v);
        break;
    case HCALL_CONTROL_STOP:
        lifecycle_stop(v);
        break;
    default:
        health[vcpu_index(v)].again = 0;
        lifecycle_start(v);
        break;
    }
    sched_interrupt(v);
    return 0;
}
