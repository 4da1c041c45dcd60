/*
 * sched.h: the kernel's own interfaces.
 */
#ifndef RTOS_SCHED_H
#define RTOS_SCHED_H

#include <stdbool.h>
#include <stdint.h>

#include "rtos/context.h"
#include "rtos/rtos.h"

typedef uint64_t ticks_t; // a point of the time base

enum task_state {
    TASK_NONE,    // no such task, or it has ended
    TASK_WAITING, // for its next release
    TASK_READY,   // its job is released and not finished
};

struct task {
    struct context context; // first: the kernel's entry stores here
    const struct rtos_task *def;
    enum task_state state;
    bool late;    // this job's deadline has passed
    bool started; // this job has run
    bool preempted;
    ticks_t period, release, deadline;
    uint32_t jobs, misses, preempts, response;
};

extern struct context sched_idle_context;

// Kernel API: from any context, interrupts enabled or not
void sched_add(const struct rtos_task *def, ticks_t start);
void sched_finish_job(struct task *task);
void sched_remove(struct task *task);

// Interrupt level only
void sched_timer_event(ticks_t now);

struct context *sched_pick(void);
struct task *sched_task_of(struct context *context); // NULL: the idle loop
bool sched_stack_good(const struct task *task);
bool sched_is_empty(void);
bool sched_next_event(ticks_t *when);

ticks_t timer_now(void);
void timer_acknowledge(void);
void timer_arm(void);

#endif
