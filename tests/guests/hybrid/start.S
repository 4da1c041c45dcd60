/*
 * start.S: entry and vectors of the hybrid guest.
 *
 * An exception either ends run_code(), which gave the processor to some piece of code with all registers of its own, or it
 * goes to handler() and back to where it came from.
 */
#include "hybridtest.h"

    .macro  vector offset
    .org    \offset
    stmw    %r0, FRAME(0)
    li      %r31, \offset
    ba      entered
    .endm

    .section .vectors, "ax"
    .irp    offset, 0x0100, 0x0200, 0x0300, 0x0400, 0x0500, 0x0600, 0x0700, 0x0800, \
                    0x0C00, 0x0F20, 0x1000, 0x1010, 0x1020, 0x1100, 0x1200, 0x2000
    vector  \offset
    .endr

    .section .text, "ax"
    .globl  _start, run_code
/* In: r3-r6 from the partition file. Real mode, supervisor state. */
_start:
    stmw    %r0, ENTRY(0)
    mfcr    %r8
    stw     %r8, (ENTRY + M_CR)(0)
    mfxer   %r8
    stw     %r8, (ENTRY + M_XER)(0)
    mflr    %r8
    stw     %r8, (ENTRY + M_LR)(0)
    mfctr   %r8
    stw     %r8, (ENTRY + M_CTR)(0)
    li      %r0, 0
    mtspr   0x3D6, %r0              /* EVPR */
    lis     %r8, __bss_start@ha
    addi    %r8, %r8, __bss_start@l
    lis     %r9, __bss_end@ha
    addi    %r9, %r9, __bss_end@l
1:  cmplw   %r8, %r9
    bge     2f
    stw     %r0, 0(%r8)
    addi    %r8, %r8, 4
    b       1b
2:  lis     %r1, STACK_TOP@ha
    addi    %r1, %r1, STACK_TOP@l
    stwu    %r0, -16(%r1)
    bl      hybrid_main
3:  b       3b

/* In: r31 = vector; the GPRs are in FRAME. */
entered:
    stw     %r31, (FRAME + M_VECTOR)(0)
    mfcr    %r3
    stw     %r3, (FRAME + M_CR)(0)
    mfxer   %r3
    stw     %r3, (FRAME + M_XER)(0)
    mflr    %r3
    stw     %r3, (FRAME + M_LR)(0)
    mfctr   %r3
    stw     %r3, (FRAME + M_CTR)(0)
    lwz     %r4, CATCHING(0)
    cmpwi   %r4, 0
    bne     caught

    lis     %r1, HANDLER_STACK@ha
    addi    %r1, %r1, HANDLER_STACK@l
    mr      %r3, %r31
    bl      handler
    cmpwi   %r3, 0
    lwz     %r3, (FRAME + M_XER)(0)
    mtxer   %r3
    lwz     %r3, (FRAME + M_LR)(0)
    mtlr    %r3
    lwz     %r3, (FRAME + M_CTR)(0)
    mtctr   %r3
    lwz     %r3, (FRAME + M_CR)(0)
    bne     1f
    mtcrf   0xFF, %r3
    lwz     %r0, FRAME(0)
    lmw     %r1, (FRAME + 4)(0)
    rfi
1:  mtcrf   0xFF, %r3
    lwz     %r0, FRAME(0)
    lmw     %r1, (FRAME + 4)(0)
    proteus_rfi

/* The end of run_code(). In: r31 = vector. A critical interrupt may come before MSR[CE] is off, and ends it instead. */
caught:
    mfmsr   %r4
    stw     %r4, (FRAME + M_MSR)(0)
    li      %r4, MSR_ME
    mtmsr   %r4
    isync
    li      %r4, 0
    stw     %r4, CATCHING(0)
    mr      %r3, %r31
    lwz     %r4, (SAVED + 0x80)(0)
    mtlr    %r4
    lwz     %r4, (SAVED + 0x84)(0)
    mtcrf   0xFF, %r4
    lwz     %r1, (SAVED + 4)(0)
    lwz     %r2, (SAVED + 8)(0)
    lmw     %r13, (SAVED + 52)(0)
    blr

/* run_code(m, pc, msr): hybridtest.h. m has been copied to IN. */
    .globl  run_in
run_in:
    stmw    %r0, SAVED(0)
    mflr    %r5
    stw     %r5, (SAVED + 0x80)(0)
    mfcr    %r5
    stw     %r5, (SAVED + 0x84)(0)
    li      %r5, 1
    stw     %r5, CATCHING(0)
    mtspr   0x01A, %r3
    mtspr   0x01B, %r4
    lwz     %r3, (IN + M_CR)(0)
    mtcrf   0xFF, %r3
    lwz     %r3, (IN + M_XER)(0)
    mtxer   %r3
    lwz     %r3, (IN + M_LR)(0)
    mtlr    %r3
    lwz     %r3, (IN + M_CTR)(0)
    mtctr   %r3
    lwz     %r0, IN(0)
    lmw     %r1, (IN + 4)(0)
    rfi

/* return_by_*(msr, srr0, sprg0): hybridtest.h. Back to the caller by rfi itself. */
    .globl  return_by_trap, return_by_page, return_by_call
return_by_trap:
    mflr    %r6
    stw     %r6, 0(%r4)
    mtspr   0x01A, %r6
    mtspr   0x01B, %r3
    rfi
return_by_page:
    mflr    %r6
    stw     %r6, 0(%r4)
    proteus_mtspr srr0, %r6
    proteus_mtspr srr1, %r3
    rfi
return_by_call:
    mflr    %r6
    stw     %r6, 0(%r4)
    mtspr   0x01A, %r6
    proteus_mtspr srr1, %r3
    mr      %r0, %r5
    proteus_rfi
    .section .note.GNU-stack, ""
