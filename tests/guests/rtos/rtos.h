/*
 * rtos.h: the sample real-time OS as an application sees it: its tasks, and the system calls.
 *
 * Periodic tasks with implicit deadlines (the end of the period), scheduled earliest deadline first, preemptively.
 * Tasks run in user mode; the kernel does not. An application defines guest_name, rtos_tasks and rtos_task_count.
 * Numbers are shared with assembler.
 */
#ifndef RTOS_RTOS_H
#define RTOS_RTOS_H

#define RTOS_TASK_MAX 8

// System call: number in r0, arguments in r3-r4, result in r3; every other register is preserved
#define SYS_WAIT  0 // end of job: wait for the next period
#define SYS_WRITE 1 // r3 = text, r4 = length: one line to the console
#define SYS_EXIT  2 // the task ends; when none is left the run ends
#define SYS_STAT  3 // r3 = RTOS_STAT_x
#define SYS_COUNT 4

#define RTOS_STAT_JOBS     0 // jobs that this task has finished
#define RTOS_STAT_MISSES   1 // of them, those that passed their deadline
#define RTOS_STAT_PREEMPTS 2 // jobs of this task that another one interrupted
#define RTOS_STAT_KILLED   3 // tasks that the kernel had to end
#define RTOS_STAT_RESPONSE 4 // longest time from release to end of a job of this task, in ticks of the time base
#define RTOS_STAT_RELEASE  5 // when this job of the task was due: lower word of the time base

#define RTOS_ERROR (-1)

#ifndef __ASSEMBLER__
#include <stdint.h>

#include "common/line.h"

struct rtos_task {
    const char *name;
    void (*entry)(void);
    uint32_t *stack; // lowest word
    uint32_t stack_words;
    uint32_t period_us;
};

extern const struct rtos_task rtos_tasks[];
extern const uint32_t rtos_task_count;

int32_t rtos_wait(void);
int32_t rtos_write(const char *text, uint32_t length);
int32_t rtos_stat(uint32_t which);
int32_t rtos_invalid(void); // a number that the kernel does not know: RTOS_ERROR
_Noreturn void rtos_exit(void);

// End the line and write it by one system call
void rtos_print(struct line *line);
#endif

#endif
