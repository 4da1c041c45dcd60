/*
 * bench-reload.S: PIT interrupts that load themselves again (TCR[ARE]), as most systems of the field use them: of a guest that
 * computes, and of one that waits. bench.S has the one-shot ones.
 *
 * Real mode, supervisor; EVPR = 0. Needs 32 KiB. Prints `bench-reload: PASS` or `bench-reload: FAIL <step>`, then resets.
 *
 * Registers: r20 belongs to the interrupt handler while EE is on.
 */
#define COUNT     64                /* interrupts of each kind */
#define PIT_TICKS 20000
#define MSR_EE    0x00008000
#define MSR_WE    0x00040000
#define TSR_PIS   0x0800
#define TCR_ARM   0x0440            /* PIE, ARE */
#define VAR(name) name@l(0)

        .section .vectors, "ax"
        .irp    offset, 0x100, 0x200, 0x300, 0x400, 0x500, 0x600, 0x700, 0x800, 0xC00, 0xF20
        .org    \offset
        b       unexpected
        .endr
        .org    0x1000
        b       pit
        .irp    offset, 0x1010, 0x1020, 0x1100, 0x1200, 0x2000
        .org    \offset
        b       unexpected
        .endr

        .text
pit:    lis     %r20, TSR_PIS
        mtspr   0x3D8, %r20
        lwz     %r20, VAR(pit_count)
        addi    %r20, %r20, 1
        stw     %r20, VAR(pit_count)
        mfspr   %r20, 0x01B                         # a waiting guest goes on
        rlwinm  %r20, %r20, 0, 14, 12
        mtspr   0x01B, %r20
        rfi

unexpected:
        li      %r3, 99
        stw     %r3, VAR(step_number)
        b       fail

        .globl  start
start:  li      %r3, 0
        mtmsr   %r3
        mtspr   0x3D6, %r3                          # EVPR
        li      %r3, PIT_TICKS
        mtspr   0x3DB, %r3
        lis     %r3, TCR_ARM
        mtspr   0x3DA, %r3

        li      %r3, 1                              # a running guest
        stw     %r3, VAR(step_number)
        wrteei  1
1:      lwz     %r4, VAR(pit_count)
        cmpwi   %r4, COUNT
        blt     1b

        li      %r3, 2                              # a waiting one
        stw     %r3, VAR(step_number)
        lis     %r5, MSR_WE >> 16
        ori     %r5, %r5, MSR_EE
1:      mtmsr   %r5
        lwz     %r4, VAR(pit_count)
        cmpwi   %r4, 2 * COUNT
        blt     1b
        wrteei  0
        li      %r4, 0
        mtspr   0x3DA, %r4
        lwz     %r4, VAR(pit_count)                 # none was doubled
        cmpwi   %r4, 2 * COUNT
        bne     fail
        b       pass

        .data
pit_count:      .long 0

#define NAME "bench-reload"
#include "verdict.h"
