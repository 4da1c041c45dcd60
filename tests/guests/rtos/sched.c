/*
 * sched.c: periodic tasks, earliest deadline first.
 *
 * The table is scanned, not sorted: eight rows cost the same time whatever the tasks do.
 */
#include "rtos/sched.h"

#include <stddef.h>

#include "board.h"
#include "common/cpu.h"

static struct task tasks[RTOS_TASK_MAX];
static struct task *running; // the job that had the processor last

#define STACK_GUARD 0x57A6B0D7 // lowest word of every stack

// What the idle loop was doing is saved like any context, and never used
struct context sched_idle_context;

_Static_assert(offsetof(struct task, context) == 0, "LOW_CURRENT points to both");
_Static_assert(offsetof(struct context, gpr) == CTX_GPR, "context.h");
_Static_assert(offsetof(struct context, cr) == CTX_CR, "context.h");
_Static_assert(offsetof(struct context, lr) == CTX_LR, "context.h");
_Static_assert(offsetof(struct context, ctr) == CTX_CTR, "context.h");
_Static_assert(offsetof(struct context, xer) == CTX_XER, "context.h");
_Static_assert(offsetof(struct context, srr0) == CTX_SRR0, "context.h");
_Static_assert(offsetof(struct context, srr1) == CTX_SRR1, "context.h");
_Static_assert(offsetof(struct context, pid) == CTX_PID, "context.h");
_Static_assert(sizeof(struct context) == CTX_SIZE, "context.h");

static ticks_t ticks_of_us(uint32_t us)
{
    // 32 x 32 bits, scaled by 2^20: no 64-bit division in the kernel
    const uint32_t scale = (uint32_t)(((uint64_t)BOARD_TB_HZ << 20) / 1000000);

    return ((uint64_t)us * scale + (1 << 19)) >> 20;
}

static void context_start(struct context *context, const struct rtos_task *def, uint32_t pid)
{
    uint32_t *top = def->stack + def->stack_words - 4;

    top[0] = 0; // end of the back chain
    def->stack[0] = STACK_GUARD;
    context->gpr[1] = (uint32_t)top;
    context->lr = (uint32_t)rtos_exit; // a task that returns has ended
    context->srr0 = (uint32_t)def->entry;
    context->srr1 = MSR_EE | MSR_PR | MSR_ME;
    context->pid = pid;
}

void sched_add(const struct rtos_task *def, ticks_t start)
{
    uint32_t msr = cpu_critical_enter();
    uint32_t slot = 0;

    while (slot < RTOS_TASK_MAX && tasks[slot].state != TASK_NONE) {
        slot++;
    }
    if (slot < RTOS_TASK_MAX) {
        struct task *task = &tasks[slot];

        task->def = def;
        task->period = ticks_of_us(def->period_us);
        task->release = start + task->period;
        task->state = TASK_WAITING;
        context_start(&task->context, def, slot + 1);
    }
    cpu_critical_leave(msr);
}

static void job_release(struct task *task)
{
    task->deadline = task->release + task->period;
    task->late = false;
    task->started = false;
    task->preempted = false;
    task->state = TASK_READY;
}

static void job_check_deadline(struct task *task, ticks_t now)
{
    if (!task->late && task->deadline <= now) {
        task->late = true;
        task->misses++;
    }
}

// The job is done: wait for the next release, or begin at once where that has passed already
void sched_finish_job(struct task *task)
{
    uint32_t msr = cpu_critical_enter();
    ticks_t now = timer_now();

    job_check_deadline(task, now);
    if (task->response < (uint32_t)(now - task->release)) {
        task->response = (uint32_t)(now - task->release);
    }
    task->jobs++;
    task->preempts += task->preempted;
    task->release += task->period;
    if (task->release <= now) {
        job_release(task);
    } else {
        task->state = TASK_WAITING;
    }
    cpu_critical_leave(msr);
}

void sched_remove(struct task *task)
{
    uint32_t msr = cpu_critical_enter();

    task->state = TASK_NONE;
    cpu_critical_leave(msr);
}

// The timer has expired: release what is due, and note the jobs that are late
void sched_timer_event(ticks_t now)
{
    for (uint32_t i = 0; i < RTOS_TASK_MAX; i++) {
        struct task *task = &tasks[i];

        if (task->state == TASK_WAITING && task->release <= now) {
            job_release(task);
        } else if (task->state == TASK_READY) {
            job_check_deadline(task, now);
        }
    }
}

// The next release or the next deadline that can still be missed
bool sched_next_event(ticks_t *when)
{
    bool found = false;

    for (uint32_t i = 0; i < RTOS_TASK_MAX; i++) {
        const struct task *task = &tasks[i];
        ticks_t event = task->release;

        if (task->state == TASK_NONE || (task->state == TASK_READY && task->late)) {
            continue;
        }
        if (task->state == TASK_READY) {
            event = task->deadline;
        }
        if (!found || event < *when) {
            *when = event;
            found = true;
        }
    }
    return found;
}

// The ready job with the earliest deadline, or NULL
struct context *sched_pick(void)
{
    struct task *best = NULL;

    for (uint32_t i = 0; i < RTOS_TASK_MAX; i++) {
        struct task *task = &tasks[i];

        if (task->state == TASK_READY && (best == NULL || task->deadline < best->deadline)) {
            best = task;
        }
    }
    if (best == NULL) {
        return NULL;
    }
    if (running != NULL && running != best && running->state == TASK_READY && running->started) {
        running->preempted = true;
    }
    running = best;
    best->started = true;
    return &best->context;
}

struct task *sched_task_of(struct context *context)
{
    return context == &sched_idle_context ? NULL : (struct task *)context;
}

// Has a task stayed inside its stack? Asked whenever the kernel takes the processor from it.
bool sched_stack_good(const struct task *task)
{
    const struct rtos_task *def = task->def;
    uint32_t bottom = (uint32_t)def->stack;
    uint32_t used_to = task->context.gpr[1];

    return used_to > bottom && used_to <= bottom + def->stack_words * 4 && def->stack[0] == STACK_GUARD;
}

bool sched_is_empty(void)
{
    for (uint32_t i = 0; i < RTOS_TASK_MAX; i++) {
        if (tasks[i].state != TASK_NONE) {
            return false;
        }
    }
    return true;
}
