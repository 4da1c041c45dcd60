/*
 * start.S: entry and vectors of the hostile guest. Every exception, whatever it found, goes on with the next action.
 */
#include "hostile.h"

    .macro  vector base, offset
    .org    \offset
    stmw    %r0, SAVE(0)
    li      %r31, \offset
    b       reenter
    .endm

    .macro  vectors base
    .irp    offset, 0x0100, 0x0200, 0x0300, 0x0400, 0x0500, 0x0600, 0x0700, 0x0800, \
                    0x0C00, 0x0F20, 0x1000, 0x1010, 0x1020, 0x1100, 0x1200, 0x2000
    vector  \base, \offset
    .endr
    .endm

    .section .vectors, "ax"
    vectors BASE
    .section .vectors2, "ax"
    vectors OTHER_BASE

    .section .text, "ax"
    .globl  _start, launch
/* In: nothing is known. Real mode, supervisor state. Also the way back after a reset. */
_start:
    lis     %r1, STACK_TOP@h
    lis     %r3, BASE@h
    mtspr   0x3D6, %r3              /* EVPR */
    li      %r3, MSR_ME
    mtmsr   %r3
    isync
    stwu    %r3, -16(%r1)
    bl      hostile_boot

/* In: r31 = vector; the GPRs are in SAVE. */
reenter:
    lis     %r1, STACK_TOP@h
    lis     %r3, BASE@h
    mtspr   0x3D6, %r3
    li      %r3, MSR_ME
    mtmsr   %r3
    isync
    stwu    %r3, -16(%r1)
    lis     %r4, hostile_since_idle@ha      /* damaged, if it has not idled for so long: see hostile.c */
    lwz     %r3, hostile_since_idle@l(%r4)
    addi    %r3, %r3, 1
    cmpwi   %r31, VECTOR_WATCHDOG
    bne     1f
    addi    %r3, %r3, WATCHDOG_WEIGHT - 1
1:  stw     %r3, hostile_since_idle@l(%r4)
    cmplwi  %r3, PATIENCE
    bgt     2f
    mr      %r3, %r31
    bl      hostile_next
2:  lis     %r3, 0x2000
    mtspr   0x3F2, %r3              /* DBCR0: chip reset */
    b       2b

/* launch(machine, pc, msr): see hostile.h. */
launch:
    mtspr   0x01A, %r4
    mtspr   0x01B, %r5
    lwz     %r4, 0x80(%r3)
    mtcrf   0xFF, %r4
    lwz     %r4, 0x84(%r3)
    mtxer   %r4
    lwz     %r4, 0x88(%r3)
    mtlr    %r4
    lwz     %r4, 0x8C(%r3)
    mtctr   %r4
    mr      %r31, %r3
    lwz     %r0, 0(%r31)
    lwz     %r1, 4(%r31)
    lwz     %r2, 8(%r31)
    lwz     %r3, 12(%r31)
    lwz     %r4, 16(%r31)
    lwz     %r5, 20(%r31)
    lwz     %r6, 24(%r31)
    lwz     %r7, 28(%r31)
    lwz     %r8, 32(%r31)
    lwz     %r9, 36(%r31)
    lwz     %r10, 40(%r31)
    lwz     %r11, 44(%r31)
    lwz     %r12, 48(%r31)
    lwz     %r13, 52(%r31)
    lwz     %r14, 56(%r31)
    lwz     %r15, 60(%r31)
    lwz     %r16, 64(%r31)
    lwz     %r17, 68(%r31)
    lwz     %r18, 72(%r31)
    lwz     %r19, 76(%r31)
    lwz     %r20, 80(%r31)
    lwz     %r21, 84(%r31)
    lwz     %r22, 88(%r31)
    lwz     %r23, 92(%r31)
    lwz     %r24, 96(%r31)
    lwz     %r25, 100(%r31)
    lwz     %r26, 104(%r31)
    lwz     %r27, 108(%r31)
    lwz     %r28, 112(%r31)
    lwz     %r29, 116(%r31)
    lwz     %r30, 120(%r31)
    lwz     %r31, 124(%r31)
    rfi
    .section .note.GNU-stack, ""
