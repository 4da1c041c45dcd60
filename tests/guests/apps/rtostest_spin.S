/*
 * rtostest_spin.S: the parts of rtostest that no compiler may arrange.
 */
#include "rtos/rtos.h"

#define PATTERN 0x5A00 // of register n: PATTERN + n, as a signed 16-bit immediate
#define CR_BITS 0x12345678
#define XER_BITS 0xE0000000

        .text
/*
 * spin_and_compare: In: r3 = count. Out: r3 = 0 if r0, r2-r31, CR, XER and LR kept their values during
 * count x bdnz, else 1.
 */
        .globl  spin_and_compare
spin_and_compare:
        stwu    r1, -96(r1)
        mflr    r0
        stw     r0, 100(r1)
        stmw    r13, 16(r1)
        stw     r2, 12(r1)
        mtctr   r3
        lis     r3, CR_BITS@h
        ori     r3, r3, CR_BITS@l
        mtcrf   0xFF, r3
        lis     r3, XER_BITS@h
        mtxer   r3
        li      r0, PATTERN
        .irp    n, 2,3,4,5,6,7,8,9,10,11,12,13,14,15,16,17,18,19,20,21,22,23,24,25,26,27,28,29,30,31
        li      \n, PATTERN + \n
        .endr
        // LR too: it would be lost if the kernel returned elsewhere
        bl      1f
1:      bdnz    1b

        // Add up the differences in r0; CR and XER first, because comparing changes them
        xori    r0, r0, PATTERN
        .irp    n, 2,3,4,5,6,7,8,9,10,11,12,13,14,15,16,17,18,19,20,21,22,23,24,25,26,27,28,29,30,31
        xori    \n, \n, PATTERN + \n
        or      r0, r0, \n
        .endr
        mfcr    r3
        lis     r4, CR_BITS@h
        ori     r4, r4, CR_BITS@l
        xor     r3, r3, r4
        or      r0, r0, r3
        mfxer   r3
        lis     r4, XER_BITS@h
        xor     r3, r3, r4
        or      r0, r0, r3
        mflr    r3
        lis     r4, 1b@ha
        addi    r4, r4, 1b@l
        xor     r3, r3, r4
        or      r0, r0, r3
        neg     r3, r0
        or      r3, r3, r0
        srwi    r3, r3, 31              // 1 if r0 is not zero
        lwz     r2, 12(r1)
        lmw     r13, 16(r1)
        lwz     r0, 100(r1)
        mtlr    r0
        addi    r1, r1, 96
        blr

/*
 * call_without_stack: the kernel must not let this return. Should it do so, the stack is ours again.
 */
        .globl  call_without_stack
call_without_stack:
        mr      r5, r1
        li      r1, 0x100
        li      r0, SYS_WAIT
        sc
        mr      r1, r5
        blr
