/*
 * ffttask.c: one periodic task that computes 20 FFTs of 64 points per job, in software floating point; 10 jobs.
 */
#include <stdbool.h>

#include "apps/fft.h"
#include "common/guest.h"
#include "rtos/rtos.h"

#define FFTTASK_PERIOD_US 40000

const char guest_name[] = "ffttask";

extern const uint32_t ffttask_checksum; // generated

static uint32_t stack[2048];

static void ffttask(void)
{
    struct fft_check check = {0, 0};
    struct line line;
    uint32_t jobs;
    bool good;

    for (jobs = 0; jobs < FFTTASK_JOBS; jobs++) {
        fft_repeat(&check, jobs * FFTTASK_FFTS, FFTTASK_FFTS);
        rtos_wait();
    }
    good = check.wrong == 0 && check.checksum == ffttask_checksum;

    line_begin(&line);
    line_text(&line, good ? "ffttask: PASS" : "ffttask: FAIL wrong result");
    line_decimal(&line, "jobs", (uint32_t)rtos_stat(RTOS_STAT_JOBS));
    line_decimal(&line, "misses", (uint32_t)rtos_stat(RTOS_STAT_MISSES));
    line_decimal(&line, "wrong", check.wrong);
    line_hex(&line, "checksum", check.checksum);
    rtos_print(&line);
}

const struct rtos_task rtos_tasks[] = {
    {"ffttask", ffttask, stack, sizeof(stack) / sizeof(stack[0]), FFTTASK_PERIOD_US},
};
const uint32_t rtos_task_count = sizeof(rtos_tasks) / sizeof(rtos_tasks[0]);
