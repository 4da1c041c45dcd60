/*
 * stray.S: exceptions that nobody expects. They never return, so nothing is saved.
 */
#include "common/cpu.h"

        // One row of stray_vectors and its stub: the offset, and the pair of registers that holds PC and MSR
        .macro  stray offset, class
        .section .rodata.vectors, "a"
        .long   \offset, stray_\offset
        .text
stray_\offset:
        li      r3, \offset
        b       stray_\class
        .endm

        .section .rodata.vectors, "a"
        .balign 4
        .globl  stray_vectors
stray_vectors:
        stray   0x0100, critical
        stray   0x0200, critical
        stray   0x0300, normal
        stray   0x0400, normal
        stray   0x0500, normal
        stray   0x0600, normal
        stray   0x0700, normal
        stray   0x0800, normal
        stray   0x0C00, normal
        stray   0x0F20, normal
        stray   0x1000, normal
        stray   0x1010, normal
        stray   0x1020, critical
        stray   0x1100, normal
        stray   0x1200, normal
        stray   0x2000, critical
        .section .rodata.vectors, "a"
        .long   0

        .text
stray_critical:
        mfspr   r4, SPR_SRR2
        mfspr   r5, SPR_SRR3
        b       stray_report
stray_normal:
        cpu_mfspr(r4, srr0)
        cpu_mfspr(r5, srr1)
stray_report:
        cpu_mfspr(r6, esr)
        cpu_mfspr(r7, dear)
        lis     r1, __stack_top@ha
        addi    r1, r1, __stack_top@l
        li      r0, 0
        stwu    r0, -16(r1)
        bl      guest_stray
        b       guest_reset
