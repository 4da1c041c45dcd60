/*
 * start.S: entry and the one vector of the metronome. All jobs are done with interrupts disabled: the timer interrupts the wait
 * alone, so its handler has all registers that a call may change, and goes on behind the wait instead of returning to it.
 */
#include "metronome.h"

    .section .vectors, "ax"
    .org    0x1000
    mftb    %r3
    ba      tick

    .section .text, "ax"
    .globl  _start
_start:
    lis     %r1, __stack_top@ha
    addi    %r1, %r1, __stack_top@l
    li      %r0, 0
    stwu    %r0, -16(%r1)
    bl      metronome_main
1:  b       1b

    .globl  wait_tick
wait_tick:
    lis     %r4, MSR_WE@h
    ori     %r4, %r4, MSR_EE | MSR_ME
1:  mtmsr   %r4
    isync
    b       1b
tick:
    lis     %r4, 0x0800
    mtspr   0x3D8, %r4              /* TSR[PIS] */
    blr

    .globl  wait_for_ever
wait_for_ever:
    lis     %r4, MSR_WE@h
    ori     %r4, %r4, MSR_ME
1:  mtmsr   %r4
    isync
    b       1b
    .section .note.GNU-stack, ""
