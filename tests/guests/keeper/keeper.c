/*
 * keeper.c: a supervisor that lets the others work, starts again what has failed, and ends the run. VMs r3 to r4 of the partition
 * file end by themselves; those behind them, up to its own place, it stops then. Behind it are drivers, which have to bear any
 * death: it restarts one after the other, at times that fall anywhere in what they do, and stops them when all is said. Last
 * comes a table of what the hypervisor has counted of each: lives, hypercalls, and of these the refused ones; and why it ended.
 */
#include <proteus/proteus.h>

#include "machine.h"
#include "print.h"
#include "simple.h"

#define LOOK     (BOARD_TB_HZ / 1000u)         /* once in a millisecond, */
#define STEP     (BOARD_TB_HZ / 30011u)        /* and a little later each time that it has restarted a driver */
#define STEPS    29u
#define PATIENCE 120000u                       /* looks */
#define FAREWELL 16u                           /* for what drivers have to do and say when all have left */
#define COUNT(what) (HCALL_QUERY_STAT + HCALL_STAT_##what)

static void __attribute__((noreturn)) fail(const char *what, uint32_t number)
{
    put_text("keeper: FAIL ");
    put_text(what);
    board_putc(' ');
    put_decimal(number);
    board_putc('\n');
    end();
}

void simple_unexpected(uint32_t vector)
{
    fail("unexpected exception", vector);
}

void simple_interrupt(void)
{
    simple_unexpected(0x500);
}

static uint32_t query(uint32_t vm, uint32_t what)
{
    uint32_t value = 0;

    if (proteus_vm_query(vm, what, &value) != 0) {
        fail("no answer about VM", vm);
    }
    return value;
}

static uint32_t number_of(uint32_t what)
{
    uint32_t value = 0;

    if (proteus_vm_info(what, &value) != 0) {
        fail("no answer about itself", what);
    }
    return value;
}

volatile uint32_t keeper_life = 25; /* looks from one restart of a driver to the next; a test may change it in a copy */

static uint32_t own, count, restarted;

static void sleep(void)
{
    proteus_sleep_until(time_low() + LOOK + restarted % STEPS * STEP);
}

static uint32_t is_over(uint32_t vm)
{
    return query(vm, HCALL_QUERY_STATE) == HCALL_STATE_STOPPED;
}

static void control(uint32_t vm, uint32_t action, const char *what)
{
    if (proteus_vm_control(vm, action) != 0) {
        fail(what, vm);
    }
}

/* What has failed begins a new life. */
static uint32_t mend(uint32_t vm)
{
    if (query(vm, HCALL_QUERY_STATE) != HCALL_STATE_FAILED) {
        return 0;
    }
    control(vm, HCALL_CONTROL_START, "could not start VM");
    return 1;
}

static void restart_drivers(uint32_t looks)
{
    if (count != own + 1 && looks % keeper_life == keeper_life - 1) {
        control(own + 1 + restarted % (count - own - 1), HCALL_CONTROL_RESTART, "could not restart VM");
        restarted++;
    }
}

static void row(uint32_t vm)
{
    put_text("keeper: vm ");
    put_decimal(vm);
    put_text(" lives ");
    put_decimal(query(vm, HCALL_QUERY_STARTS));
    put_text(" hypercalls ");
    put_decimal(query(vm, COUNT(HYPERCALL)));
    put_text(" refused ");
    put_decimal(query(vm, COUNT(REFUSED)));
    put_text(" cause ");
    put_decimal(query(vm, HCALL_QUERY_CAUSE));
    board_putc('\n');
}

void simple_main(uint32_t first, uint32_t last)
{
    uint32_t looks, vm, mended = 0, left;

    own = number_of(HCALL_INFO_INDEX);
    count = number_of(HCALL_INFO_COUNT);
    for (looks = 0, left = 1; left != 0; looks++) {
        if (looks == PATIENCE) {
            fail("still at work", left);
        }
        sleep();
        restart_drivers(looks);
        for (vm = first, left = 0; vm < count; vm++) {
            mended += vm != own && mend(vm);
            left += vm <= last && !is_over(vm);
        }
    }
    for (vm = last + 1; vm < own; vm++) {
        if (!is_over(vm)) {
            control(vm, HCALL_CONTROL_STOP, "could not stop VM");
        }
        for (looks = 0; !is_over(vm); looks++) {
            sleep();
        }
    }
    for (looks = 0; looks < FAREWELL; looks++) {
        sleep();
    }
    for (vm = first; vm < count; vm++) {
        if (vm != own) {
            row(vm);
        }
    }
    board_report();
    put_text("keeper: PASS mended ");
    put_decimal(mended);
    put_text(" restarted ");
    put_decimal(restarted);
    board_putc('\n');
    board_said();
    for (vm = own + 1; vm < count; vm++) {
        control(vm, HCALL_CONTROL_STOP, "could not stop VM");
    }
    end();
}
