/*
 * start.S: entry of the twin guest, and the runner that executes one probe.
 *
 * A probe is a few instructions copied to SNIPPET and entered by rfi with every register set to a known value. It ends
 * by an exception, or by the branch to probe_exit behind it (in user state: by sc). Either way the complete state is
 * recorded in PROBE_OUT before anything else happens.
 */
#include "twin.h"

    .section .text, "ax"
    .globl _start
/* In: nothing is known. Real mode, supervisor state. */
_start:
    li      %r0, 0
    mtspr   0x3D6, %r0              /* EVPR */
    lis     %r3, RUNNER_MSR@h
    ori     %r3, %r3, RUNNER_MSR@l
    mtmsr   %r3
    isync

    /* The caches start with random tags on the chip: 256 classes each, 32 bytes a line. They stay off. */
    iccci   %r0, %r0
    li      %r3, 256
    mtctr   %r3
    li      %r3, 0
1:  dccci   %r0, %r3
    addi    %r3, %r3, 32
    bdnz    1b
    mtspr   0x3FA, %r0              /* DCCR */
    mtspr   0x3FB, %r0              /* ICCR */

    /* .bss */
    lis     %r3, __bss_start@ha
    addi    %r3, %r3, __bss_start@l
    lis     %r4, __bss_end@ha
    addi    %r4, %r4, __bss_end@l
2:  cmplw   %r3, %r4
    bge     3f
    stw     %r0, 0(%r3)
    addi    %r3, %r3, 4
    b       2b

3:  stw     %r0, RUNNING(0)
    lis     %r1, __stack_top@ha
    addi    %r1, %r1, __stack_top@l
    stwu    %r0, -16(%r1)
    bl      twin_main
4:  b       4b                      /* the reset is on its way */

    .section .low, "ax"
    .globl probe_run, probe_exit, record

/*
 * probe_run: execute the probe whose start state is in PROBE_IN.
 * In:  nothing. Out: PROBE_OUT. Clobbers: what the C ABI allows. Uses r3 after the context is saved.
 */
probe_run:
    stmw    %r1, RUNNER_SAVE(0)
    mfcr    %r3
    stw     %r3, (RUNNER_SAVE + 0x80)(0)
    mflr    %r3
    stw     %r3, (RUNNER_SAVE + 0x84)(0)
    li      %r3, 1
    stw     %r3, RUNNING(0)

    lwz     %r3, (PROBE_IN + STATE_SRR2)(0)
    mtspr   0x3DE, %r3
    lwz     %r3, (PROBE_IN + STATE_SRR3)(0)
    mtspr   0x3DF, %r3
    lwz     %r3, (PROBE_IN + STATE_ESR)(0)
    mtspr   0x3D4, %r3
    lwz     %r3, (PROBE_IN + STATE_DEAR)(0)
    mtspr   0x3D5, %r3
    lwz     %r3, (PROBE_IN + STATE_SRR0)(0)
    mtspr   0x01A, %r3
    lwz     %r3, (PROBE_IN + STATE_SRR1)(0)
    mtspr   0x01B, %r3
    lwz     %r3, (PROBE_IN + STATE_CR)(0)
    mtcrf   0xFF, %r3
    lwz     %r3, (PROBE_IN + STATE_XER)(0)
    mtxer   %r3
    lwz     %r3, (PROBE_IN + STATE_LR)(0)
    mtlr    %r3
    lwz     %r3, (PROBE_IN + STATE_CTR)(0)
    mtctr   %r3
    lwz     %r0, PROBE_IN(0)
    lmw     %r1, (PROBE_IN + 4)(0)
    rfi

/* probe_exit: the end of a probe that no exception ended; recorded as vector 0. */
probe_exit:
    stmw    %r0, PROBE_OUT(0)
    li      %r31, 0

/*
 * record: write the state to PROBE_OUT and go back to the caller of probe_run.
 * In: r31 = vector; all GPRs are in PROBE_OUT already. Holds: interrupts are off.
 */
record:
    stw     %r31, (PROBE_OUT + STATE_VECTOR)(0)
    mfcr    %r3
    stw     %r3, (PROBE_OUT + STATE_CR)(0)
    mfxer   %r3
    stw     %r3, (PROBE_OUT + STATE_XER)(0)
    mflr    %r3
    stw     %r3, (PROBE_OUT + STATE_LR)(0)
    mfctr   %r3
    stw     %r3, (PROBE_OUT + STATE_CTR)(0)
    mfmsr   %r3
    stw     %r3, (PROBE_OUT + STATE_MSR)(0)
    mfspr   %r3, 0x01A
    stw     %r3, (PROBE_OUT + STATE_SRR0)(0)
    mfspr   %r3, 0x01B
    stw     %r3, (PROBE_OUT + STATE_SRR1)(0)
    mfspr   %r3, 0x3DE
    stw     %r3, (PROBE_OUT + STATE_SRR2)(0)
    mfspr   %r3, 0x3DF
    stw     %r3, (PROBE_OUT + STATE_SRR3)(0)
    mfspr   %r3, 0x3D4
    stw     %r3, (PROBE_OUT + STATE_ESR)(0)
    mfspr   %r3, 0x3D5
    stw     %r3, (PROBE_OUT + STATE_DEAR)(0)

    li      %r3, 0
    mtspr   0x3D6, %r3              /* a probe may have moved the vectors */
    li      %r4, RUNNER_MSR
    mtmsr   %r4
    isync
    lwz     %r4, RUNNING(0)
    stw     %r3, RUNNING(0)
    cmpwi   %r4, 1
    bne     1f

    lwz     %r3, (RUNNER_SAVE + 0x80)(0)
    mtcrf   0xFF, %r3
    lwz     %r3, (RUNNER_SAVE + 0x84)(0)
    mtlr    %r3
    lmw     %r1, RUNNER_SAVE(0)
    blr

1:  lis     %r1, __stack_top@ha      /* an exception in the runner itself: say so and end */
    addi    %r1, %r1, __stack_top@l
    stwu    %r3, -16(%r1)
    b       twin_stray

    .section .note.GNU-stack, ""
