/*
 * simple.S: entry and vectors of a guest that never leaves supervisor state, has one stack and takes external interrupts.
 */
#include "simple.h"
#include "clear.h"

#define FRAME 80 /* back chain, LR of the callee, r0, r3-r12, LR, CR, CTR, XER */

    .macro  vector offset
    .org    \offset
    li      %r3, \offset
    ba      simple_unexpected
    .endm

    .section .vectors, "ax"
    vector  0x0100
    vector  0x0200
    vector  0x0300
    vector  0x0400
    .org    0x0500
#ifdef SIMPLE_STAMP
    mftb    %r13                    /* when it came: a register that no compiler uses, with -msdata=none */
#endif
    ba      external
    vector  0x0600
    vector  0x0700
    vector  0x0800
    vector  0x0C00
    vector  0x0F20
#ifdef SIMPLE_TIMER
    .org    0x1000
    ba      external
#else
    vector  0x1000
#endif
    vector  0x1010
    vector  0x1020
    vector  0x1100
    vector  0x1200
    vector  0x2000

    .section .text, "ax"
    .globl  _start
/* In: r3, r4 = what a partition file says; r5, r6 as well, with CONSOLE_IPC. Real mode, supervisor state. */
_start:
    mr      %r30, %r3
    mr      %r31, %r4
    li      %r0, 0
    mtspr   0x3D6, %r0              /* EVPR */
    mtspr   0x3DB, %r0              /* PIT */
    mtspr   0x3DA, %r0              /* TCR */
    li      %r3, MSR_ME
    mtmsr   %r3
    isync
    clear_and_stack
#ifdef CONSOLE_IPC
    mr      %r3, %r5
    mr      %r4, %r6
    bl      console_ipc_begin
#endif
    mr      %r3, %r30
    mr      %r4, %r31
    bl      simple_main
4:  b       4b

/*
 * External interrupt, and of the PIT with SIMPLE_TIMER. All registers come back; the wait state ends, which SRR1 would otherwise
 * bring back.
 */
external:
    stwu    %r1, -FRAME(%r1)
    stw     %r0, 8(%r1)
    stw     %r3, 12(%r1)
    stw     %r4, 16(%r1)
    stw     %r5, 20(%r1)
    stw     %r6, 24(%r1)
    stw     %r7, 28(%r1)
    stw     %r8, 32(%r1)
    stw     %r9, 36(%r1)
    stw     %r10, 40(%r1)
    stw     %r11, 44(%r1)
    stw     %r12, 48(%r1)
    mflr    %r3
    stw     %r3, 52(%r1)
    mfcr    %r3
    stw     %r3, 56(%r1)
    mfctr   %r3
    stw     %r3, 60(%r1)
    mfxer   %r3
    stw     %r3, 64(%r1)
    bl      simple_interrupt
    mfspr   %r3, 0x01B              /* SRR1 */
    rlwinm  %r3, %r3, 0, 14, 12     /* without WE */
    mtspr   0x01B, %r3
    lwz     %r3, 64(%r1)
    mtxer   %r3
    lwz     %r3, 60(%r1)
    mtctr   %r3
    lwz     %r3, 56(%r1)
    mtcrf   0xFF, %r3
    lwz     %r3, 52(%r1)
    mtlr    %r3
    lwz     %r0, 8(%r1)
    lwz     %r3, 12(%r1)
    lwz     %r4, 16(%r1)
    lwz     %r5, 20(%r1)
    lwz     %r6, 24(%r1)
    lwz     %r7, 28(%r1)
    lwz     %r8, 32(%r1)
    lwz     %r9, 36(%r1)
    lwz     %r10, 40(%r1)
    lwz     %r11, 44(%r1)
    lwz     %r12, 48(%r1)
    addi    %r1, %r1, FRAME
    rfi
    .section .note.GNU-stack, ""
