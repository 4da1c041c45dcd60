/*
 * warden.c: a supervisor of other VMs, and those that it supervises. r3 says who it is.
 *
 * Of the partition file: VM 0 is the warden, VM 1 its ward, which computes; VM 2 fails each time that it runs, and is restarted
 * by the hypervisor RESTARTS times; VM 3 waits until somebody starts it. Another VM is none of the warden's: r4 of the warden.
 */
#include <proteus/proteus.h>

#define GUEST "warden"
#include "simple.h"
#include "verdict.h"

enum { WARDEN, WARD, FAILS };

#define RESTARTS 3
#define LINE     12
#define MS       (BOARD_TB_HZ / 1000u)

volatile uint32_t warden_lives = 50; /* a test may change it in a copy of the ELF: restarts of its ward, an even number */

static volatile uint32_t told;       /* interrupts of LINE */

void simple_unexpected(uint32_t vector)
{
    fail("unexpected exception", vector, 0);
}

/* ---- the line that tells of an end, where the board has a UIC ---- */

#ifdef UIC_SR
void simple_interrupt(void)
{
    told++;
    uic_write(UIC_SR, 0x80000000u >> LINE);
}

static void listen(void)
{
    uic_write(UIC_SR, 0xFFFFFFFF);
    uic_write(UIC_ER, 0x80000000u >> LINE);
    __asm__ volatile("wrteei 1");
}
#define TELLS 1
#else
void simple_interrupt(void)
{
    simple_unexpected(0x500);
}

static void listen(void)
{
}
#define TELLS 0
#endif

/* ---- calls ---- */

static void wait(uint32_t ms)
{
    uint32_t start = time_low();

    while (time_low() - start < ms * MS) {
    }
}

static uint32_t query(uint32_t vm, uint32_t what)
{
    uint32_t value = 0;

    expect("vm_query of", vm, 0, (uint32_t)proteus_vm_query(vm, what, &value));
    return value;
}

static uint32_t state(uint32_t vm)
{
    return query(vm, HCALL_QUERY_STATE);
}

static void control(uint32_t vm, uint32_t action, int32_t expected)
{
    expect("vm_control", vm << 8 | action, (uint32_t)expected, (uint32_t)proteus_vm_control(vm, action));
}

/* All five, each of which is good in these states: what is refused changes nothing. */
static void refused(uint32_t vm, uint32_t good)
{
    uint32_t before = state(vm), action;

    for (action = 0; action < 5; action++) {
        if ((good >> action & 1) == 0) {
            control(vm, action, HCALL_E_STATE);
            expect("state after a refusal", action, before, state(vm));
        }
    }
}

static void until(uint32_t vm, uint32_t wanted)
{
    uint32_t start = time_low();

    while (state(vm) != wanted) {
        if (time_low() - start > 4000 * MS) {
            fail("state", wanted, state(vm));
        }
    }
}

/* ---- what it does ---- */

static void strangers(uint32_t stranger)
{
    uint32_t value, action;

    for (action = 0; action < 8; action++) {
        int32_t error = action < 5 ? HCALL_E_STATE : HCALL_E_ARGUMENT;

        control(stranger, action, error);
        control(0, action, error);
        control(99, action, HCALL_E_ARGUMENT);
        control(0xFFFFFFFF, action, HCALL_E_ARGUMENT);
    }
    expect("query of a stranger", 0, (uint32_t)HCALL_E_STATE, (uint32_t)proteus_vm_query(stranger, 0, &value));
    expect("query of nobody", 0, (uint32_t)HCALL_E_ARGUMENT, (uint32_t)proteus_vm_query(99, 0, &value));
    expect("query of nothing", 0, (uint32_t)HCALL_E_ARGUMENT, (uint32_t)proteus_vm_query(1, 99, &value));
}

/* The ward: one life after the other, and no time and no instruction while it is paused. */
static void ward(void)
{
    uint32_t starts, traps, i;

    until(1, HCALL_STATE_RUNNING);
    refused(1, 1 << HCALL_CONTROL_STOP | 1 << HCALL_CONTROL_PAUSE | 1 << HCALL_CONTROL_RESTART);
    control(1, HCALL_CONTROL_PAUSE, 0);
    refused(1, 1 << HCALL_CONTROL_STOP | 1 << HCALL_CONTROL_RESUME | 1 << HCALL_CONTROL_RESTART);
    traps = query(1, HCALL_QUERY_STAT + HCALL_STAT_MTSPR);
    wait(20);
    expect("traps of a paused VM", 0, traps, query(1, HCALL_QUERY_STAT + HCALL_STAT_MTSPR));
    control(1, HCALL_CONTROL_RESUME, 0);
    wait(20);
    if (query(1, HCALL_QUERY_STAT + HCALL_STAT_MTSPR) == traps) {
        fail("resumed, but does not run", 0, traps);
    }
    control(1, HCALL_CONTROL_STOP, 0);
    until(1, HCALL_STATE_STOPPED);
    refused(1, 1 << HCALL_CONTROL_START | 1 << HCALL_CONTROL_RESTART);
    expect("cause", 1, STOP_SUPERVISOR, query(1, HCALL_QUERY_CAUSE));
    starts = query(1, HCALL_QUERY_STARTS);
    for (i = 1; i <= warden_lives; i++) {
        control(1, i % 2 != 0 ? HCALL_CONTROL_START : HCALL_CONTROL_RESTART, 0);
        expect("state", i, HCALL_STATE_RESTARTING, state(1));
        refused(1, 1 << HCALL_CONTROL_STOP | 1 << HCALL_CONTROL_RESTART);
        until(1, HCALL_STATE_RUNNING);
        expect("starts", i, starts + i, query(1, HCALL_QUERY_STARTS));
        if (i % 2 == 0) {
            control(1, HCALL_CONTROL_STOP, 0);
        }
    }
}

/* The one that fails, as often as it may; each failure is in the ring. */
static void failures(void)
{
    uint32_t record[HCALL_FAILURE_WORDS] = {0}, number, count = 0;

    until(2, HCALL_STATE_FAILED);
    expect("starts of the one that fails", 0, RESTARTS + 1, query(2, HCALL_QUERY_STARTS));
    expect("cause", 2, STOP_FETCH, query(2, HCALL_QUERY_CAUSE));
    expect("failures", 0, RESTARTS + 1, query(2, HCALL_QUERY_FAILURES));
    for (number = 0; number <= RESTARTS; number++) {
        expect("vm_failure", number, 0, (uint32_t)proteus_vm_failure(number, record));
        expect("its VM", number, 2, record[0]);
        expect("its cause", number, STOP_FETCH, record[1]);
        expect("its pc", number, 0x00F00000, record[2]);
        expect("its instruction", number, 0, record[3]);
        count++;
    }
    expect("vm_failure", number, (uint32_t)HCALL_E_ARGUMENT, (uint32_t)proteus_vm_failure(number, record));
    expect("vm_failure to nowhere", 0, (uint32_t)HCALL_E_POINTER, (uint32_t)proteus_vm_failure(0, (void *)0x00F00000));
    if (TELLS && told < count) {
        fail("interrupts", count, told);
    }
    control(2, HCALL_CONTROL_START, 0); /* and so again */
    until(2, HCALL_STATE_FAILED);
    expect("starts of the one that fails", 1, 2 * RESTARTS + 2, query(2, HCALL_QUERY_STARTS));
}

void simple_main(uint32_t r3, uint32_t r4)
{
    switch (r3) {
    case WARD:
        for (;;) { /* something that traps */
            __asm__ volatile("mtspr 0x110, %0" ::"r"(r4));
        }
    case FAILS:
        wait(2);
        __asm__ volatile("mtmsr %0; isync; mtctr %1; bctr" ::"r"(0), "r"(0x00F00000));
        break;
    default:
        break;
    }
    listen();
    strangers(r4);
    expect("state of one that waits to be started", 3, HCALL_STATE_STOPPED, state(3));
    expect("its starts", 3, 0, query(3, HCALL_QUERY_STARTS));
    expect("its begin", 3, 0, query(3, HCALL_QUERY_SINCE_HI) | query(3, HCALL_QUERY_SINCE_LO));
    failures();
    ward();
    control(3, HCALL_CONTROL_START, 0);
    until(3, HCALL_STATE_STOPPED); /* it says so, and resets itself */
    expect("cause", 3, STOP_RESET, query(3, HCALL_QUERY_CAUSE));
    put_text("warden: PASS lives=");
    put_decimal(query(1, HCALL_QUERY_STARTS));
    board_putc('\n');
    end();
}
