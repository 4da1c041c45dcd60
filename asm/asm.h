/*
 * asm.h: register roles, the words at the bottom of memory, and the macros that every assembler file uses.
 *
 * Roles on the trap road, from a vector to enter.S. They are the same in every file of this folder:
 *   rVCPU (r31)  register file of the guest that trapped
 *   rINSN (r30)  the trapped instruction; later the value that is read or written
 *   rKEY  (r29)  what the dispatcher compares; later an offset into the register file, or a new MSR
 *   rCR   (r28)  the guest's condition register
 * The guest's own r28-r30 are in its register file, its r31 in LOW_R31.
 */
#ifndef PROTEUS_ASM_H
#define PROTEUS_ASM_H

#include "abi.h"
#include "autoconf.h"
#include "board_values.h"
#include "ppc405.h"

#define rVCPU r31
#define rINSN r30
#define rKEY  r29
#define rCR   r28
#define rVALUE rINSN

#define GPR(n) (VCPU_GPR + 4 * (n))

/* Bits 14:23 of MSR (CE EE PR FP ME FE0 DWE DE FE1): a change of these needs no more than a look at what is pending. */
#define PLAIN_FIRST 14
#define PLAIN_LAST  23

/* With option TLB_VIRT, bits 26:27 (IR DR) need a new context as well as PR (hooks.h: msr_context). */

/* func name / endfunc name: a routine in a section of its own, so that what nobody calls is not linked. */
.macro func name
    .section .text.\name, "ax"
    .globl \name
    .type \name, @function
    .balign 4
\name:
.endm

.macro endfunc name
    .size \name, . - \name
.endm

/* constant rX, value: 32 bits in one or two instructions. */
.macro constant rx, value
    lis     \rx, (\value)@h
    .if (\value) & 0xFFFF
    ori     \rx, \rx, (\value)@l
    .endif
.endm

/*
 * Erratum 77 (a board's `errata`, tools/partitions/errata.py): a stwcx. needs a dcbt or sync right before it, or it may store
 * nothing and say that it has. The guest that has both is broken by an interrupt in between, so each way back has a sync.
 */
.macro erratum_return
#ifdef BOARD_ERRATUM_77
    sync
#endif
.endm
.macro erratum_stwcx address
#ifdef BOARD_ERRATUM_77
    dcbt    0, \address
#endif
.endm

/*
 * return_only: rfi or rfci, and nothing behind it. The fetcher does not stop there: it takes what follows for the way that is
 * certainly gone, and a blr for a branch to LR, which is the guest's: a fetch of any machine address, in real mode (manual,
 * "Instruction Fetching": a branch to itself ends that).
 */
.macro return_only by=rfi
    erratum_return
    \by
    b       .
.endm

/* save_light: what C may change, but r3 (asm/cold.S): the guest's wait in its register file. */
.macro save_light
    stw     r0, GPR(0)(rVCPU)
    stw     r1, GPR(1)(rVCPU)
    stw     r4, GPR(4)(rVCPU)
    stw     r5, GPR(5)(rVCPU)
    stw     r6, GPR(6)(rVCPU)
    stw     r11, GPR(11)(rVCPU)
    stw     r12, GPR(12)(rVCPU)
.endm

/* Five more registers for a routine: the guest's wait in its register file. */
.macro save_23_27
    stw     r23, GPR(23)(rVCPU)
    stw     r24, GPR(24)(rVCPU)
    stw     r25, GPR(25)(rVCPU)
    stw     r26, GPR(26)(rVCPU)
    stw     r27, GPR(27)(rVCPU)
.endm
.macro restore_23_27
    lwz     r23, GPR(23)(rVCPU)
    lwz     r24, GPR(24)(rVCPU)
    lwz     r25, GPR(25)(rVCPU)
    lwz     r26, GPR(26)(rVCPU)
    lwz     r27, GPR(27)(rVCPU)
.endm

/*
 * is_shadow owner, rX: CR0 = eq if a row of the machine's TLB is a shadow of a virtual entry in one of the VM's eight contexts,
 * as is_shadow_of() in src/mmu/tlb.c. In: owner = its shadow_owner less the entry's number, r27 = vtlb. Out: owner = 0 if so.
 * Clobbers: rX
 */
.macro is_shadow owner, rx
    lwz     \rx, VTLB_FIRST(r27)
    subf    \owner, \rx, \owner
    rlwinm. \owner, \owner, 0, 24, 20
.endm

/* msr_of_interrupt rX: MSR when a noncritical interrupt is taken (manual, "Noncritical interrupts"). */
.macro msr_of_interrupt rx
    rlwinm  \rx, \rx, 0, 14, 22         /* keep CE (14), ME (19), DE (22): clear what is outside, */
    rlwinm  \rx, \rx, 0, 19, 15         /* EE PR FP, */
    rlwinm  \rx, \rx, 0, 22, 19         /* FE0 DWE */
.endm

/* The low words: hypervisor data in the first 32 KiB is reached as off(0), without a base register. */
#define LOW(symbol) symbol@l(0)

#endif
