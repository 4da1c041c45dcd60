/*
 * wrong.S: guests that do not do what their owner hoped, one by KIND, for test_state.py. Linked at 0.
 */
    .text
    .globl _start
_start:
#if KIND == 1                   /* an illegal instruction, and no code at its vector */
    .long   0
#elif KIND == 2                 /* waits with all interrupts disabled */
    lis     %r3, 4
    mtmsr   %r3
asleep:
    b       asleep
#elif KIND == 3                 /* no trap at all */
    lis     %r9, 0x1234
spin:
    b       spin
#elif KIND == 4                 /* jumps outside */
    lis     %r3, 0x00F0
    mtctr   %r3
    bctrl
caller:
    b       caller
#elif KIND == 5 || KIND == 8    /* stores outside, three times, which nobody notices, or the partition file does (8) */
    lis     %r3, 0x7F00
    stw     %r3, 0(%r3)
    stw     %r3, 4(%r3)
last:
    stw     %r3, 16(%r3)
    b       .
#elif KIND == 6                 /* its handler returns to the instruction that it has not mended */
    b       over
    .org    0x700
    mfspr   %r4, 0x01A
    rfi
over:
    li      %r3, 0
    mtspr   0x3D6, %r3
bad:
    .long   0
#elif KIND == 7                 /* a system call, and all vectors where it has no memory, that of the machine check too */
    lis     %r3, 0x7F00
    mtspr   0x3D6, %r3
    li      %r3, 0x1000
    mtmsr   %r3
    sc
#endif
    .section .note.GNU-stack, ""
