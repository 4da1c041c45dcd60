/*
 * kernel.c: what happens on each way into the kernel: start, timer, system call, fault.
 */
#include <stddef.h>

#include "common/cpu.h"
#include "common/guest.h"
#include "common/line.h"
#include "rtos/sched.h"

extern uint8_t __image_end[]; // of the guest's memory in use, by link.ld

_Noreturn void kernel_leave(void);
void kernel_pit(struct context *context);
void kernel_syscall(struct context *context);
void kernel_fault(struct context *context, uint32_t vector, uint32_t esr, uint32_t dear);

#define VECTOR_PROGRAM 0x0700
#define VECTOR_SYSCALL 0x0C00
#define VECTOR_PIT     0x1000

static uint32_t killed;

void guest_main(void)
{
    ticks_t start = timer_now();

    for (uint32_t i = 0; i < rtos_task_count; i++) {
        sched_add(&rtos_tasks[i], start);
    }
    cpu_mttcr(TCR_PIE); // before the PIT is loaded: QEMU counts only while PIE is set
    timer_arm();
    kernel_leave();
}

// A task has ended; the last one ends the run
static void kernel_end_task(struct task *task)
{
    sched_remove(task);
    if (sched_is_empty()) {
        guest_reset();
    }
    timer_arm();
}

// The kernel ends a task that cannot go on, and says so
static void kernel_kill(struct task *task, const char *why, uint32_t vector)
{
    struct line line;

    killed++;
    line_begin(&line);
    line_text(&line, guest_name);
    line_text(&line, ": task ");
    line_text(&line, task->def->name);
    line_text(&line, " killed: ");
    line_text(&line, why);
    line_hex(&line, "vector", vector);
    line_hex(&line, "pc", task->context.srr0);
    line_print(&line);
    kernel_end_task(task);
}

void kernel_pit(struct context *context)
{
    struct task *task = sched_task_of(context);

    timer_acknowledge();
    sched_timer_event(timer_now());
    if (task != NULL && !sched_stack_good(task)) {
        kernel_kill(task, "stack overflow", VECTOR_PIT);
    } else {
        timer_arm();
    }
}

// Text must lie in the guest's memory: a task that passes rubbish gets an error, not the kernel's fault
static int32_t kernel_write(uint32_t text, uint32_t length)
{
    uint32_t end = (uint32_t)__image_end;

    if (text > end || length > end - text) {
        return RTOS_ERROR;
    }
    console_write((const char *)text, length);
    return 0;
}

static int32_t kernel_stat(const struct task *task, uint32_t which)
{
    switch (which) {
    case RTOS_STAT_JOBS:
        return (int32_t)task->jobs;
    case RTOS_STAT_MISSES:
        return (int32_t)task->misses;
    case RTOS_STAT_PREEMPTS:
        return (int32_t)task->preempts;
    case RTOS_STAT_KILLED:
        return (int32_t)killed;
    case RTOS_STAT_RESPONSE:
        return (int32_t)task->response;
    case RTOS_STAT_RELEASE:
        return (int32_t)(uint32_t)task->release;
    default:
        return RTOS_ERROR;
    }
}

void kernel_syscall(struct context *context)
{
    struct task *task = sched_task_of(context);
    uint32_t *r = context->gpr;

    if (!sched_stack_good(task)) {
        kernel_kill(task, "stack overflow", VECTOR_SYSCALL);
        return;
    }
    switch (r[0]) {
    case SYS_WAIT:
        r[3] = 0;
        sched_finish_job(task);
        timer_arm();
        break;
    case SYS_WRITE:
        r[3] = (uint32_t)kernel_write(r[3], r[4]);
        break;
    case SYS_EXIT:
        kernel_end_task(task);
        break;
    case SYS_STAT:
        r[3] = (uint32_t)kernel_stat(task, r[3]);
        break;
    default:
        r[3] = (uint32_t)RTOS_ERROR;
        break;
    }
}

static const char *fault_name(uint32_t vector, uint32_t esr)
{
    if (vector != VECTOR_PROGRAM) {
        return "exception";
    }
    if ((esr & ESR_PPR) != 0) {
        return "privileged instruction";
    }
    return (esr & ESR_PTR) != 0 ? "trap instruction" : "illegal instruction";
}

// A fault of a task ends that task; a fault of the kernel ends the run
void kernel_fault(struct context *context, uint32_t vector, uint32_t esr, uint32_t dear)
{
    if ((context->srr1 & MSR_PR) == 0) {
        guest_stray(vector, context->srr0, context->srr1, esr, dear);
        guest_reset();
    }
    kernel_kill(sched_task_of(context), fault_name(vector, esr), vector);
}
