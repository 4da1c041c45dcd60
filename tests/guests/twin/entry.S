/*
 * entry.S: the small kernel's vectors, its ways in and out, and the program of its processes.
 */
#include "twin.h"

    .macro  vector offset
    .org    \offset
    stmw    %r0, KERNEL_SAVE(0)
    li      %r3, \offset
    b       enter
    .endm

    .section .kernel, "ax"
    .irp    offset, 0x0100, 0x0200, 0x0300, 0x0400, 0x0500, 0x0600, 0x0700, 0x0800, \
                    0x0C00, 0x0F20, 0x1000, 0x1010, 0x1020, 0x1100, 0x1200, 0x2000
    vector  \offset
    .endr

/*
 * enter: a struct frame below the stack of whoever was interrupted: the kernel itself where it reads a process's memory,
 * or nobody. Then kernel_trap(vector, frame), and back with what that left in the frame.
 * In: r3 = vector, GPRs in KERNEL_SAVE. Holds: translation and interrupts are off.
 */
enter:
    mfcr    %r5
    mfspr   %r4, 0x01B
    andi.   %r6, %r4, 0x4000        /* PR */
    beq     1f
    lis     %r1, __kernel_stack_top@ha
    addi    %r1, %r1, __kernel_stack_top@l
1:  addi    %r1, %r1, -FRAME_SIZE
    stw     %r4, FRAME_SRR1(%r1)
    stw     %r5, FRAME_CR(%r1)
    mfspr   %r4, 0x01A
    stw     %r4, FRAME_SRR0(%r1)
    mflr    %r4
    stw     %r4, FRAME_LR(%r1)
    mfctr   %r4
    stw     %r4, FRAME_CTR(%r1)
    mfxer   %r4
    stw     %r4, FRAME_XER(%r1)
    li      %r6, 32
    mtctr   %r6
    li      %r5, KERNEL_SAVE - 4
    addi    %r6, %r1, FRAME_GPR - 4
2:  lwzu    %r4, 4(%r5)
    stwu    %r4, 4(%r6)
    bdnz    2b
    addi    %r4, %r1, FRAME_GPR
    lis     %r6, kernel_trap@ha
    addi    %r6, %r6, kernel_trap@l
    mtctr   %r6
    bctrl

leave:                              /* r1 = the frame, with its linkage area */
    lwz     %r4, FRAME_SRR0(%r1)
    mtspr   0x01A, %r4
    lwz     %r4, FRAME_SRR1(%r1)
    mtspr   0x01B, %r4
    lwz     %r4, FRAME_LR(%r1)
    mtlr    %r4
    lwz     %r4, FRAME_XER(%r1)
    mtxer   %r4
    li      %r6, 32
    mtctr   %r6
    li      %r5, KERNEL_SAVE - 4
    addi    %r6, %r1, FRAME_GPR - 4
3:  lwzu    %r4, 4(%r6)
    stwu    %r4, 4(%r5)
    bdnz    3b
    lwz     %r4, FRAME_CTR(%r1)
    mtctr   %r4
    lwz     %r4, FRAME_CR(%r1)
    mtcrf   0xFF, %r4
    lwz     %r0, KERNEL_SAVE(0)
    lmw     %r1, (KERNEL_SAVE + 4)(0)
    rfi

/* kernel_start(frame): to the first process, from the runner; kernel_stop() goes back there. */
    .globl  kernel_start, kernel_stop
kernel_start:
    lis     %r4, kernel_back@ha
    addi    %r4, %r4, kernel_back@l
    stmw    %r13, 12(%r4)
    mflr    %r5
    stw     %r5, 0(%r4)
    stw     %r1, 4(%r4)
    mfcr    %r5
    stw     %r5, 8(%r4)
    addi    %r1, %r3, -FRAME_GPR
    b       leave

kernel_stop:
    lis     %r4, kernel_back@ha
    addi    %r4, %r4, kernel_back@l
    lmw     %r13, 12(%r4)
    lwz     %r5, 0(%r4)
    mtlr    %r5
    lwz     %r1, 4(%r4)
    lwz     %r5, 8(%r4)
    mtcrf   0xFF, %r5
    blr

/*
 * The program: r3 = seed, r4 = its data, r9 = its other page of code, r31 = how often. Loads, computes by a function in
 * the other page, stores; every 32 times it calls the kernel (r0 = 0, r10 = address of the last word), at the end with
 * r0 = 1. The result is in r5.
 */
    .globl  program, program_end, program_function, program_function_end
program:
    li      %r6, 0
    mr      %r5, %r3
1:  mulli   %r7, %r6, 7
    add     %r7, %r7, %r3
    rlwinm  %r7, %r7, 12, 16, 19
    rlwinm  %r8, %r6, 2, 20, 29
    or      %r7, %r7, %r8
    lwzx    %r8, %r4, %r7
    add     %r5, %r5, %r8
    mtctr   %r9
    bctrl
    stwx    %r5, %r4, %r7
    addi    %r6, %r6, 1
    andi.   %r0, %r6, 31
    bne     2f
    li      %r0, 0
    add     %r10, %r4, %r7
    sc
2:  cmpw    %r6, %r31
    blt     1b
    li      %r0, 1
    sc
3:  b       3b
program_end:
program_function:
    rotlwi  %r5, %r5, 3
    xor     %r5, %r5, %r6
    blr
program_function_end:

    .section .note.GNU-stack, ""
