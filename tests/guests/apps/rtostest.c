/*
 * rtostest.c: the sample RTOS tested by its own tasks.
 *
 * Preemption in the middle of a job (and every register survives it), the order of deadlines, refused system calls, and
 * the end of tasks that execute a privileged or a trap instruction or leave their stack.
 */
#include <stdbool.h>
#include <stddef.h>

#include "common/cpu.h"
#include "common/guest.h"
#include "rtos/rtos.h"

#define FAST_JOBS    60
#define FAST_US      1000
#define SLOW_JOBS    5
#define SLOW_US      10000
#define SLOW_SPIN    1500000 // instructions: longer than a period of the fast task
#define CHECK_US     10000
#define CHECK_ROUNDS 100
#define ROGUES       3
#define STACK_WORDS  512

const char guest_name[] = "rtostest";

// rtostest_spin.S: 0 if all registers kept their values while `count` instructions were executed
uint32_t spin_and_compare(uint32_t count);
// rtostest_spin.S: a system call with a stack pointer that is not the task's
void call_without_stack(void);

static volatile uint32_t fast_done, slow_done, slow_preempts;
static volatile uint32_t registers_lost, order_wrong, survivors;
static volatile bool fast_ended, slow_ended;
static uint32_t stacks[6][STACK_WORDS];

static void fast(void)
{
    while (fast_done < FAST_JOBS) {
        fast_done++;
        rtos_wait();
    }
    fast_ended = true;
}

// Released together with every tenth job of the fast task, whose deadline is the earlier one: that job comes first
static void slow(void)
{
    while (slow_done < SLOW_JOBS) {
        if (fast_done < (slow_done + 1) * (SLOW_US / FAST_US)) {
            order_wrong++;
        }
        registers_lost += spin_and_compare(SLOW_SPIN);
        slow_done++;
        rtos_wait();
    }
    slow_preempts = (uint32_t)rtos_stat(RTOS_STAT_PREEMPTS);
    slow_ended = true;
}

// An instruction that is privileged in every mode: no register page replaces it
static void rogue_privileged(void)
{
    cpu_mfpit();
    survivors++;
}

static void rogue_trap(void)
{
    __asm__ volatile("trap");
    survivors++;
}

static void rogue_stack(void)
{
    call_without_stack();
    survivors++;
}

static const char *verdict(void)
{
    if (!fast_ended || !slow_ended) {
        return "FAIL tasks do not end";
    }
    if (registers_lost != 0) {
        return "FAIL registers lost";
    }
    if (order_wrong != 0) {
        return "FAIL not earliest deadline first";
    }
    if (slow_preempts == 0) {
        return "FAIL never preempted";
    }
    if (survivors != 0 || rtos_stat(RTOS_STAT_KILLED) != ROGUES) {
        return "FAIL rogue tasks survive";
    }
    if (rtos_write((const char *)0xFFFFFFF0, 4) != RTOS_ERROR || rtos_write(guest_name, 0xFFFFFFFF) != RTOS_ERROR ||
        rtos_stat(99) != RTOS_ERROR || rtos_invalid() != RTOS_ERROR) {
        return "FAIL bad system call accepted";
    }
    return "PASS";
}

static void check(void)
{
    struct line line;

    for (uint32_t round = 0; round < CHECK_ROUNDS && !(fast_ended && slow_ended); round++) {
        rtos_wait();
    }
    line_begin(&line);
    line_text(&line, "rtostest: ");
    line_text(&line, verdict());
    line_decimal(&line, "jobs", fast_done + slow_done);
    line_decimal(&line, "preempts", slow_preempts);
    line_decimal(&line, "killed", (uint32_t)rtos_stat(RTOS_STAT_KILLED));
    rtos_print(&line);
}

const struct rtos_task rtos_tasks[] = {
    {"slow", slow, stacks[0], STACK_WORDS, SLOW_US},
    {"fast", fast, stacks[1], STACK_WORDS, FAST_US},
    {"check", check, stacks[2], STACK_WORDS, CHECK_US},
    {"privileged", rogue_privileged, stacks[3], STACK_WORDS, 3000},
    {"trap", rogue_trap, stacks[4], STACK_WORDS, 4000},
    {"stack", rogue_stack, stacks[5], STACK_WORDS, 5000},
};
const uint32_t rtos_task_count = sizeof(rtos_tasks) / sizeof(rtos_tasks[0]);
