/*
 * jitter.c: one periodic task, every 310 us, 2,100 jobs, that measures how late each of its jobs starts: from its
 * release by the kernel's clock to the first thing that the job does. It works as long as a job of CTask. The samples are
 * printed when all jobs are done, in ticks of the time base; their evaluation is the host's (tools/bench_linux.py).
 */
#include <stdbool.h>

#include "common/cpu.h"
#include "common/guest.h"
#include "rtos/rtos.h"

#define JITTER_JOBS      2100
#define JITTER_PERIOD_US 310
#define JITTER_COUNTS    4023
#define PER_LINE         6 // short enough for a shared console

const char guest_name[] = "jitter";

static uint32_t samples[JITTER_JOBS];
static volatile uint32_t counter;
static uint32_t stack[512];

static void print_samples(void)
{
    struct line line;

    for (uint32_t first = 0; first < JITTER_JOBS; first += PER_LINE) {
        line_begin(&line);
        line_text(&line, "jitter:");
        for (uint32_t i = first; i < first + PER_LINE && i < JITTER_JOBS; i++) {
            line_decimal(&line, "t", samples[i]);
        }
        rtos_print(&line);
    }
}

static void jitter(void)
{
    bool good = true;
    struct line line;
    uint32_t jobs, misses;

    for (uint32_t job = 0; job < JITTER_JOBS; job++) {
        uint32_t now = cpu_mftbl();

        samples[job] = now - (uint32_t)rtos_stat(RTOS_STAT_RELEASE);
        for (uint32_t i = 0; i < JITTER_COUNTS; i++) {
            counter++;
        }
        good = rtos_wait() == 0 && good;
    }
    jobs = (uint32_t)rtos_stat(RTOS_STAT_JOBS);
    misses = (uint32_t)rtos_stat(RTOS_STAT_MISSES);
    print_samples();
    line_begin(&line);
    line_text(&line, good && jobs == JITTER_JOBS && misses == 0 ? "jitter: PASS" : "jitter: FAIL jobs late or lost");
    line_decimal(&line, "jobs", jobs);
    line_decimal(&line, "misses", misses);
    rtos_print(&line);
}

const struct rtos_task rtos_tasks[] = {
    {"jitter", jitter, stack, sizeof(stack) / sizeof(stack[0]), JITTER_PERIOD_US},
};
const uint32_t rtos_task_count = sizeof(rtos_tasks) / sizeof(rtos_tasks[0]);
