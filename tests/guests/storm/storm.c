/*
 * storm.c: a guest that has interrupts of the board without end, its supervisor, and one that wants more time than it has. r3
 * says who it is.
 *
 * The storm is a timer of the board's, which a Virtex design has: its flag is never cleared, so its line, a level, is active as
 * soon as the guest has acknowledged it at its controller.
 */
#include <proteus/proteus.h>

#include "machine.h"
#include "print.h"
#include "simple.h"

enum { STORM, WATCH, HOG };

#define MS (BOARD_TB_HZ / 1000u)

volatile uint32_t storm_watched_ms = 500; /* a test may change it in a copy of the ELF */

void simple_unexpected(uint32_t vector)
{
    put_text("storm: FAIL unexpected exception ");
    put_hex(vector);
    board_putc('\n');
    end();
}

#ifdef BOARD_TIMER_BASE
/* XPS Timer/Counter, timer 0: down to zero, once */
#define TCSR0 0
#define TLR0  1
#define TCSR_ENT  0x080u
#define TCSR_ENIT 0x040u
#define TCSR_LOAD 0x020u
#define TCSR_UDT  0x002u

void simple_interrupt(void)
{
    board_irq_acknowledge(BOARD_TIMER_LINE);
}

static void begin(void)
{
    volatile uint32_t *timer = (volatile uint32_t *)BOARD_TIMER_BASE;

    timer[TCSR0] = 0;
    timer[TLR0] = 1000;
    timer[TCSR0] = TCSR_LOAD;
    timer[TCSR0] = TCSR_ENT | TCSR_ENIT | TCSR_UDT;
    board_irq_reset();
    board_irq_enable(BOARD_TIMER_LINE);
}
#else
void simple_interrupt(void)
{
    simple_unexpected(0x500);
}

static void begin(void)
{
    put_text("storm: FAIL no timer\n");
    end();
}
#endif

/* Most of the time it sleeps: those below have the processor. What it has seen in the end is for the test. */
static void watch(uint32_t vm)
{
    uint32_t storms = 0, overruns = 0, state = 0, i;

    for (i = 0; i < storm_watched_ms; i += 10) {
        proteus_sleep_until(time_low() + 10 * MS);
    }
    if (proteus_vm_query(vm, HCALL_QUERY_STORMS, &storms) != 0 || proteus_vm_query(vm, HCALL_QUERY_OVERRUNS, &overruns) != 0 ||
        proteus_vm_query(vm, HCALL_QUERY_STATE, &state) != 0) {
        put_text("watch: FAIL refused\n");
        end();
    }
    put_text("watch: PASS storms=");
    put_decimal(storms);
    put_text(" overruns=");
    put_decimal(overruns);
    put_text(" state=");
    put_decimal(state);
    board_putc('\n');
    end();
}

void simple_main(uint32_t r3, uint32_t r4)
{
    switch (r3) {
    case WATCH:
        watch(r4);
        break;
    case STORM:
        begin();
        for (;;) { /* nothing but interrupts */
            __asm__ volatile("mtmsr %0; isync" ::"r"(MSR_WE | MSR_EE | MSR_ME));
        }
    default:
        for (;;) {
        }
    }
}
