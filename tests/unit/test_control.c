/*
 * test_control.c: keys at the console that list, start, stop and restart VMs (option CONTROL).
 *
 * covers: kconfig.CONTROL
 */
#include "harness.h"

#include <string.h>

#include "console.h"
#include "control.h"
#include "health.h"
#include "uart.h"

#define KEY "\x1D"

static void keys(const char *text)
{
    fake.input = text;
    while (*fake.input != 0) {
        console_poll();
    }
}

/* What the hypervisor has said since the last look; the fake UART leaves \r out. */
static const char *answer(void)
{
    static char text[512];
    uint32_t i;

    for (i = 0; i < 1000; i++) {
        console_poll();
    }
    strncpy(text, fake.output, sizeof(text) - 1);
    fake.output_length = 0;
    fake.output[0] = 0;
    return text;
}

static int begin(void **state)
{
    uint32_t i;

    machine_boot(state);
    for (i = 0; i < 3; i++) {
        computes(&vcpu[i]);
    }
    answer();
    return 0;
}

/* Only a decision acts; one line for each VM, with where it stands in the file. */
static void list(void **state)
{
    (void)state;
    keys(KEY "l");
    assert_string_equal(answer(), "");
    enter(schedule(current));
    assert_string_equal(answer(), "[proteus] vm alpha 1/4 running starts=1 failure=0 cause=0 irq=0 switches=1\n"
                                  "[proteus] vm beta 2/4 running starts=1 failure=0 cause=0 irq=0 switches=0\n"
                                  "[proteus] vm gammagam 3/4 running starts=1 failure=0 cause=0 irq=0 switches=0\n"
                                  "[proteus] vm delta 4/4 stopped starts=0 failure=0 cause=0 irq=0 switches=0\n");
    enter(schedule(current));
    assert_string_equal(answer(), "");
}

/* Of each action in each state that a VM can be in for it; of the VM that runs, too. */
static void actions(void **state)
{
    (void)state;
    keys(KEY "x3" KEY "s4");
    enter(schedule(current));
    finish_work(&vcpu[2]);
    finish_work(&vcpu[3]);
    assert_int_equal(health_state(&vcpu[2]), HCALL_STATE_STOPPED);
    assert_int_equal(health[3].query[HCALL_QUERY_STARTS], 1);
    answer();
    run_vm(&vcpu[1]);
    keys(KEY "r2");
    enter(schedule(current));
    finish_work(&vcpu[1]);
    assert_int_equal(health[1].query[HCALL_QUERY_STARTS], 2);
    assert_int_equal(health_state(&vcpu[0]), HCALL_STATE_RUNNING);
    assert_int_equal(health[0].query[HCALL_QUERY_STARTS], 1);
    answer();
    keys(KEY "x3");
    enter(schedule(current));
    assert_string_equal(answer(), "[proteus] refused gammagam 3/4 stopped starts=1 failure=0 cause=2 irq=0 switches=0\n");
}

/* What is no VM's digit ends it, and nothing of it is anybody's input; the other keys behind the escape key are as they were. */
static void others(void **state)
{
    struct vcpu *focused = &vcpu[1];

    (void)state;
    keys(KEY "x5" KEY "rl");
    enter(schedule(current));
    assert_string_equal(answer(), "");
    assert_int_equal(uarts[1].count, 0);
    keys(KEY KEY "x1");
    assert_int_equal(uarts[1].count, 3);
    assert_hex(uarts[1].input[0], KEY[0]);
    assert_ptr_equal(focused, &vcpu[CONSOLE_FOCUS]);
    keys(KEY "1");
    assert_string_equal(answer(), "[proteus] focus alpha\n");
}

int main(void)
{
    static const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup(list, begin),
        cmocka_unit_test_setup(actions, begin),
        cmocka_unit_test_setup(others, begin),
    };

    return cmocka_run_group_tests_name("control", tests, 0, 0);
}
