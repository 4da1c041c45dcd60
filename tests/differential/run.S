/*
 * run.S: a trap by hand. The registers of the machine come out of `machine` (differential.h) and go back there when the road
 * is at its end: where enter.S has its rfi, the test has put a branch to `landing`.
 */
#include "offsets.h"
#include "asm.h"
#include "differential.h"

    .section .text, "ax"
    .globl __wrap_boot
__wrap_boot:                            /* in place of boot() of vcpu.c: a stack of its own, and no way back */
    lis     r1, test_stack_top@ha
    la      r1, test_stack_top@l(r1)
    li      r0, 0
    stwu    r0, -16(r1)
    bl      differential
    b       .

/*
 * go: the routine of C, saved; all registers of `machine`, into them. Out: to the road
 * Clobbers: all; landing restores r1, r2 and r13-r31 of the caller
 */
.macro go name
    .globl  go_\name
go_\name:
    stwu    r1, -96(r1)
    mflr    r0
    stw     r0, 100(r1)
    mfcr    r0
    stw     r0, 8(r1)
    stw     r2, 12(r1)
    stmw    r13, 16(r1)
    stw     r1, M_STACK(0)
    lwz     r3, M_SRR0(0)
    lwz     r4, M_SRR1(0)
    lwz     r5, M_ESR(0)
    lwz     r6, M_DEAR(0)
    mtspr   SPRN_SRR0, r3
    mtspr   SPRN_SRR1, r4
    mtspr   SPRN_ESR, r5
    mtspr   SPRN_DEAR, r6
    lwz     r3, M_SRR2(0)
    lwz     r4, M_SRR3(0)
    lwz     r5, M_SPRG4(0)
    lwz     r6, M_SPRG5(0)
    mtspr   SPRN_SRR2, r3
    mtspr   SPRN_SRR3, r4
    mtspr   SPRN_SPRG4, r5
    mtspr   SPRN_SPRG5, r6
    lwz     r3, M_SPRG6(0)
    lwz     r4, M_SPRG7(0)
    lwz     r5, M_PID(0)
    lwz     r6, M_XER(0)
    mtspr   SPRN_SPRG6, r3
    mtspr   SPRN_SPRG7, r4
    mtspr   SPRN_PID, r5
    mtxer   r6
    lwz     r3, M_LR(0)
    lwz     r4, M_CTR(0)
    lwz     r5, M_CR(0)
    mtlr    r3
    mtctr   r4
    mtcr    r5
    lwz     r0, M_GPR(0)
    lwz     r1, M_GPR + 4(0)
    lmw     r2, M_GPR + 8(0)
.endm

/* What the machine enters by itself. */
.irp name, program, pit, dtlb_miss, itlb_miss, alignment, fp_unavailable, apu_unavailable, system_call
    go      \name
    b       vector_\name
.endr

/* The same trap by the road of C alone: as road_cold of vectors.S. */
.macro to_c name, handler
    go      \name
    stw     rVCPU, LOW(low_r31)
    lwz     rVCPU, LOW(current)
    stw     r3, GPR(3)(rVCPU)
    lis     r3, \handler@h
    ori     r3, r3, \handler@l
    b       cold_full
.endm
    to_c    c_emulate, emulate
    to_c    c_schedule, schedule
    to_c    c_data_fault, data_fault
    to_c    c_fetch_fault, fetch_fault
    to_c    c_reflect, reflect_in_c

    .globl  landing
landing:
    stw     r0, M_GPR(0)
    stw     r1, M_GPR + 4(0)
    stmw    r2, M_GPR + 8(0)
    mfcr    r3
    mflr    r4
    mfctr   r5
    mfxer   r6
    stw     r3, M_CR(0)
    stw     r4, M_LR(0)
    stw     r5, M_CTR(0)
    stw     r6, M_XER(0)
    mfspr   r3, SPRN_SRR0
    mfspr   r4, SPRN_SRR1
    mfspr   r5, SPRN_SRR2
    mfspr   r6, SPRN_SRR3
    stw     r3, M_SRR0(0)
    stw     r4, M_SRR1(0)
    stw     r5, M_SRR2(0)
    stw     r6, M_SRR3(0)
    mfspr   r3, SPRN_SPRG4
    mfspr   r4, SPRN_SPRG5
    mfspr   r5, SPRN_SPRG6
    mfspr   r6, SPRN_SPRG7
    stw     r3, M_SPRG4(0)
    stw     r4, M_SPRG5(0)
    stw     r5, M_SPRG6(0)
    stw     r6, M_SPRG7(0)
    mfspr   r3, SPRN_PID
    mfspr   r4, SPRN_ESR
    mfspr   r5, SPRN_DEAR
    stw     r3, M_PID(0)
    stw     r4, M_ESR(0)
    stw     r5, M_DEAR(0)
    lwz     r1, M_STACK(0)
    lwz     r0, 100(r1)
    mtlr    r0
    lwz     r0, 8(r1)
    mtcr    r0
    lwz     r2, 12(r1)
    lmw     r13, 16(r1)
    addi    r1, r1, 96
    blr

/* copy_words: r5 words from r4 to r3, by 16: QEMU does those in one piece. Clobbers: r5, r6, CR0, CTR; r16-r31 come back */
    .globl  copy_words
copy_words:
    stwu    r1, -80(r1)
    stmw    r16, 16(r1)
    srwi.   r6, r5, 4
    clrlwi  r5, r5, 28
    beq     2f
    mtctr   r6
1:  lmw     r16, 0(r4)
    stmw    r16, 0(r3)
    addi    r4, r4, 64
    addi    r3, r3, 64
    bdnz    1b
2:  cmpwi   r5, 0
    beq     4f
    mtctr   r5
3:  lwz     r6, 0(r4)
    stw     r6, 0(r3)
    addi    r4, r4, 4
    addi    r3, r3, 4
    bdnz    3b
4:  lmw     r16, 16(r1)
    addi    r1, r1, 80
    blr

    .section .bss.stack, "aw", @nobits
    .balign 16
    .space  0x4000
test_stack_top:

    .section .note.GNU-stack, "", @progbits
