/*
 * start.S: what stands before the first C function: the vectors, a stack, and the road of the timer's interrupt.
 */
#define SRR0  0x01A
#define SRR1  0x01B
#define EVPR  0x3D6
#define FRAME 144

    /* Whatever else interrupts: unexpected(vector, where) in first.c */
    .macro  vector offset
    .org    \offset
    li      %r3, \offset
    b       other
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
    .org    0x1000
    b       pit
    vector  0x1100
    vector  0x1200
    vector  0x2000
other:
    mfspr   %r4, SRR0
    b       unexpected

    .text
    .globl  _start
_start:
    li      %r0, 0
    mtspr   EVPR, %r0               /* the vectors are at 0 */
    lis     %r1, stack_top@h
    ori     %r1, %r1, stack_top@l
    stwu    %r0, -16(%r1)
    lis     %r3, bss_start@h
    ori     %r3, %r3, bss_start@l
    lis     %r4, bss_end@h
    ori     %r4, %r4, bss_end@l
1:  cmplw   %r3, %r4
    bge     2f
    stw     %r0, 0(%r3)
    addi    %r3, %r3, 4
    b       1b
2:  bl      main
3:  b       3b

/* The timer: tick() in first.c. All registers come back; MSR[WE], by which first.c waits, does not: it has been woken. */
pit:
    stwu    %r1, -FRAME(%r1)
    stw     %r0, 8(%r1)
    stmw    %r3, 12(%r1)
    mflr    %r3
    mfcr    %r4
    mfctr   %r5
    mfxer   %r6
    stw     %r3, 128(%r1)
    stw     %r4, 132(%r1)
    stw     %r5, 136(%r1)
    stw     %r6, 140(%r1)
    bl      tick
    mfspr   %r3, SRR1
    rlwinm  %r3, %r3, 0, 14, 12     /* WE is bit 13 */
    mtspr   SRR1, %r3
    lwz     %r3, 128(%r1)
    lwz     %r4, 132(%r1)
    lwz     %r5, 136(%r1)
    lwz     %r6, 140(%r1)
    mtlr    %r3
    mtcr    %r4
    mtctr   %r5
    mtxer   %r6
    lmw     %r3, 12(%r1)
    lwz     %r0, 8(%r1)
    addi    %r1, %r1, FRAME
    rfi
