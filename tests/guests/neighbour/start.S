/*
 * start.S: entry and vectors of the neighbour, and the code that an interrupt finds it in.
 */
#include "neighbour.h"
#include "clear.h"

    .macro  vector offset
    .org    \offset
    stmw    %r0, WATCH_OUT(0)
    li      %r31, \offset
    ba      record
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
    vector  0x1000
    vector  0x1010
    vector  0x1020
    vector  0x1100
    vector  0x1200
    vector  0x2000

    .section .text, "ax"
    .globl  _start, watch, spin, spin_end, idle, idle_end
/* In: nothing is known. Real mode, supervisor state. */
_start:
    li      %r0, 0
    mtspr   0x3D6, %r0              /* EVPR */
    mtspr   0x3DB, %r0              /* PIT */
    li      %r3, MSR_ME
    mtmsr   %r3
    isync
    clear_and_stack
    bl      neighbour_main
4:  b       4b

/* watch(pc, msr): see neighbour.h. Clobbers: what the C ABI allows. */
watch:
    stmw    %r1, WATCH_SAVE(0)
    mfcr    %r5
    stw     %r5, (WATCH_SAVE + 0x80)(0)
    mflr    %r5
    stw     %r5, (WATCH_SAVE + 0x84)(0)
    mtspr   0x01A, %r3
    mtspr   0x01B, %r4
    lwz     %r3, (WATCH_IN + WATCH_CR)(0)
    mtcrf   0xFF, %r3
    lwz     %r3, (WATCH_IN + WATCH_XER)(0)
    mtxer   %r3
    lwz     %r3, (WATCH_IN + WATCH_LR)(0)
    mtlr    %r3
    lwz     %r3, (WATCH_IN + WATCH_CTR)(0)
    mtctr   %r3
    lwz     %r0, WATCH_IN(0)
    lmw     %r1, (WATCH_IN + 4)(0)
    rfi

/* In: r31 = vector; all GPRs are in WATCH_OUT. Back to the caller of watch. */
record:
    stw     %r31, (WATCH_OUT + WATCH_VECTOR)(0)
    mfcr    %r3
    stw     %r3, (WATCH_OUT + WATCH_CR)(0)
    mfxer   %r3
    stw     %r3, (WATCH_OUT + WATCH_XER)(0)
    mflr    %r3
    stw     %r3, (WATCH_OUT + WATCH_LR)(0)
    mfctr   %r3
    stw     %r3, (WATCH_OUT + WATCH_CTR)(0)
    mfspr   %r3, 0x01A
    stw     %r3, (WATCH_OUT + WATCH_SRR0)(0)
    mfspr   %r3, 0x01B
    stw     %r3, (WATCH_OUT + WATCH_SRR1)(0)
    lwz     %r3, (WATCH_SAVE + 0x80)(0)
    mtcrf   0xFF, %r3
    lwz     %r3, (WATCH_SAVE + 0x84)(0)
    mtlr    %r3
    lmw     %r1, WATCH_SAVE(0)
    blr

/* The counter stream: r4 goes up as CTR goes down; their sum only changes if someone else has touched one. */
spin:
    addi    %r4, %r4, 1
    bdnz    spin
    b       spin
spin_end:

/* Nothing to do: entered with MSR[WE] set. */
idle:
    b       idle
idle_end:
    .section .note.GNU-stack, ""
