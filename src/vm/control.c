/*
 * control.c: see control.h. What a request does is what a supervisor's hypercall does (health_control()), to any VM: who sits at
 * the console owns the board.
 */
#include "control.h"

#include "console.h"
#include "health.h"
#include "message.h"
#include "partition.h"
#include "sched.h"
#include "stats.h"

uint32_t control_wanted[CONTROLS];

static uint32_t told, refused; /* bit n: there is an answer about VM n; it is that this could not be done */

static const char letters[CONTROLS] = {
    [CONTROL_LIST] = 'l', [CONTROL_START] = 's', [CONTROL_STOP] = 'x', [CONTROL_RESTART] = 'r'};
static const uint8_t actions[CONTROLS] = {
    [CONTROL_START] = HCALL_CONTROL_START, [CONTROL_STOP] = HCALL_CONTROL_STOP, [CONTROL_RESTART] = HCALL_CONTROL_RESTART};

bool control_key(uint8_t *escaped, uint8_t byte)
{
    uint8_t before = *escaped;
    uint32_t i, vm = byte - '1';

    if (before == 1 && byte == letters[CONTROL_LIST]) {
        control_wanted[CONTROL_LIST] = (1U << VM_COUNT) - 1;
        *escaped = 0;
        return true;
    }
    for (i = CONTROL_START; i < CONTROLS; i++) { /* loop: CONTROLS */
        if (before == 1 && byte == letters[i]) {
            *escaped = byte;
            return true;
        }
        if (before == letters[i]) { /* what is no VM's digit ends it */
            control_wanted[i] |= vm < VM_COUNT ? 1U << vm : 0;
            *escaped = 0;
            return true;
        }
    }
    return false;
}

/* One that is still to be answered is answered as it is now. */
__attribute__((cold, noinline)) void control_act(void)
{
    uint32_t i, vm;

    for (i = 0; i < CONTROLS; i++) { /* loop: CONTROLS */
        uint32_t whose = control_wanted[i];

        control_wanted[i] = 0;
        told |= whose;
        for (vm = 0; vm < VM_COUNT; vm++) { /* loop: VM_COUNT */
            if ((whose >> vm & 1) == 0) {
                continue;
            }
            refused &= ~(1U << vm);
            if (i != CONTROL_LIST && health_control(&vcpu[vm], actions[i]) != 0) {
                refused |= 1U << vm;
            }
        }
    }
    console_poll();
}

static void say_number(const char *name, uint32_t value)
{
    message_text(name);
    message_decimal(value);
}

/* "[proteus] vm NAME 1/3 running starts=1 failure=0 cause=0 irq=0 switches=0"; or `refused` instead of `vm` */
void control_say(void)
{
    static const char states[][12] = {
        [HCALL_STATE_STOPPED] = "stopped", [HCALL_STATE_FAILED] = "failed",   [HCALL_STATE_RESTARTING] = "restarting",
        [HCALL_STATE_RUNNING] = "running", [HCALL_STATE_WAITING] = "waiting", [HCALL_STATE_PAUSED] = "paused"};
    uint32_t vm;

    for (vm = 0; vm < VM_COUNT; vm++) { /* loop: VM_COUNT */
        const uint32_t *query = health[vm].query;

        if ((told >> vm & 1) == 0) {
            continue;
        }
        told &= ~(1U << vm);
        message_start((refused >> vm & 1) != 0 ? "refused " : "vm ", &vcpu[vm]);
        say_number(" ", vm + 1);
        say_number("/", VM_COUNT);
        message_text(" ");
        message_text(states[health_state(&vcpu[vm])]);
        say_number(" starts=", query[HCALL_QUERY_STARTS]);
        say_number(" failure=", query[HCALL_QUERY_FAILURES]);
        say_number(" cause=", query[HCALL_QUERY_CAUSE]);
        if (IS_ENABLED(CONFIG_STATS)) {
            say_number(" irq=", stat_value(&vcpu[vm], STAT_irq));
            say_number(" switches=", stat_value(&vcpu[vm], STAT_switches));
        }
        message_text("\r\n");
        return;
    }
}
