/*
 * ctask.c: one periodic task that counts a variable, every 2 ms, 200 jobs.
 */
#include "apps/ctask.h"

#include <stdbool.h>

#include "common/guest.h"
#include "rtos/rtos.h"

const char guest_name[] = "ctask";

uint32_t ctask_jobs(volatile uint32_t *counter, uint32_t jobs);

static volatile uint32_t counter;
static uint32_t stack[512];

static void ctask(void)
{
    uint32_t left = ctask_jobs(&counter, CTASK_JOBS);
    uint32_t jobs = (uint32_t)rtos_stat(RTOS_STAT_JOBS);
    struct line line;
    bool good = left == 0 && jobs == CTASK_JOBS && counter == CTASK_JOBS * CTASK_COUNTS;

    line_begin(&line);
    line_text(&line, good ? "ctask: PASS" : "ctask: FAIL wrong count");
    line_decimal(&line, "jobs", jobs);
    line_decimal(&line, "misses", (uint32_t)rtos_stat(RTOS_STAT_MISSES));
    line_decimal(&line, "count", counter);
    rtos_print(&line);
}

const struct rtos_task rtos_tasks[] = {
    {"ctask", ctask, stack, sizeof(stack) / sizeof(stack[0]), CTASK_PERIOD_US},
};
const uint32_t rtos_task_count = sizeof(rtos_tasks) / sizeof(rtos_tasks[0]);
