/*
 * start.S: entry and vectors of the guest of many lives. The first thing that it does is to put all registers where C can look
 * at them.
 */
#include "lives.h"

    .macro  vector offset
    .org    \offset
    li      %r3, \offset
    ba      lives_unexpected
    .endm

    .section .vectors, "ax"
    vector  0x0100
    vector  0x0200
    vector  0x0300
    vector  0x0400
    vector  0x0500
    vector  0x0600
    vector  0x0700
    vector  0x0800
    vector  0x0C00
    vector  0x0F20
    .org    0x1000
    ba      timer
    vector  0x1010
    vector  0x1020
    vector  0x1100
    vector  0x1200
    vector  0x2000

    .section .text, "ax"
    .globl  _start
/* In: a reset of a VM: EVPR is zero, and who wants to hold the machine (lives.c) must not trap into C now. Real mode,
 * supervisor. */
_start:
    stmw    %r0, START(0)
    mfcr    %r3
    mflr    %r4
    mfctr   %r5
    mfxer   %r6
    mfmsr   %r7
    stw     %r3, (START + START_CR)(0)
    stw     %r4, (START + START_LR)(0)
    stw     %r5, (START + START_CTR)(0)
    stw     %r6, (START + START_XER)(0)
    stw     %r7, (START + START_MSR)(0)
    mfspr   %r3, 0x3D6
    stw     %r3, (START + START_EVPR)(0)
    lis     %r1, __stack_top@ha
    addi    %r1, %r1, __stack_top@l
    li      %r0, 0
    stwu    %r0, -16(%r1)
    li      %r3, START
    bl      lives_main
1:  b       1b

/* PIT: say so, and end the wait, which SRR1 would bring back. SPRG3 is its own. */
timer:
    mtspr   0x113, %r3
    stw     %r1, WOKEN(0)           /* not zero */
    lis     %r3, 0x0800
    mtspr   0x3D8, %r3              /* TSR[PIS] */
    mfspr   %r3, 0x01B
    rlwinm  %r3, %r3, 0, 14, 12
    mtspr   0x01B, %r3
    mfspr   %r3, 0x113
    rfi
    .section .note.GNU-stack, ""
