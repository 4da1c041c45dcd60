/*
 * clear.h: what a small guest does before its first C function, for assembler: nothing old in the caches (on the chip they start
 * with random tags: 256 classes, lines of 32 bytes), .bss is zero, r1 is the stack. In: r0 = 0. Clobbers: r3, r4, CTR, CR0
 */
    .macro  clear_and_stack
    iccci   %r0, %r0
    li      %r3, 256
    mtctr   %r3
    li      %r3, 0
1:  dccci   %r0, %r3
    addi    %r3, %r3, 32
    bdnz    1b
    lis     %r3, __bss_start@ha
    addi    %r3, %r3, __bss_start@l
    lis     %r4, __bss_end@ha
    addi    %r4, %r4, __bss_end@l
2:  cmplw   %r3, %r4
    bge     3f
    stw     %r0, 0(%r3)
    addi    %r3, %r3, 4
    b       2b
3:  lis     %r1, __stack_top@ha
    addi    %r1, %r1, __stack_top@l
    stwu    %r0, -16(%r1)
    .endm
