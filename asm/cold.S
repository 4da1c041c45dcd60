/*
 * cold.S: the roads to C, the only ones that touch a stack.
 *
 * C is compiled to leave r7-r10 and CTR alone (Makefile, FIXED): it needs no more registers, and every road has less to
 * save. A light road saves what C may change (r0, r1, r3-r6, r11, r12, CR, LR, XER); the rest stays the guest's in the
 * machine. A full road puts all 32 registers into the register file, because C will read or write the ones that an
 * instruction names, and loads them again afterwards.
 */
#include "offsets.h"
#include "asm.h"
#include "hooks.h"

/*
 * save_and_call: the rest of either road.
 * In:       rVCPU, r3 = C function; guest's r0-r6, r11, r12 in its register file
 * Out:      r3 = struct vcpu * that runs next
 * Clobbers: r0-r6, r11, r12, CR, LR, XER
 */
.macro save_and_call
    mfcr    r0
    mflr    r4
    mfxer   r5
    mfspr   r6, SPRN_SRR0
    stw     r0, VCPU_CR(rVCPU)
    stw     r4, VCPU_LR(rVCPU)
    stw     r5, VCPU_XER(rVCPU)
    stw     r6, VCPU_PC(rVCPU)
    mtlr    r3
    mr      r3, rVCPU
    li      r1, stack_top@l - 16
    blrl
.endm

/*
 * step_and_deliver, deliver: MSR or SRR1 let in what is pending. step_and_wait: MSR[WE] was set, r29 = MSR. step_and_context,
 * to_context: context_roads in hooks.h. to_pit_road: by pit.S.
 * In:   rVCPU, rCR; SRR0; guest's r28-r30 in its register file, r31 in low_r31
 */
func step_and_deliver
    mfspr   r29, SPRN_SRR0
    addi    r29, r29, 4
    mtspr   SPRN_SRR0, r29
    .globl deliver
deliver:
    pending_true 2f
2:  li      r30, vcpu_deliver@l
    .globl to_light
to_light:                               /* hcall_cold: r30 = C function */
    mtcr    rCR
    lwz     r28, GPR(28)(rVCPU)
    lwz     r29, GPR(29)(rVCPU)
    stw     r3, GPR(3)(rVCPU)
    mr      r3, r30
    lwz     r30, GPR(30)(rVCPU)
    b       cold_light
    .globl step_and_wait
step_and_wait:
    idle_now
    context_roads
    .globl to_pit_road, to_schedule
to_pit_road:
    pit_road
to_schedule:
    li      r30, schedule@l
    b       to_light
endfunc step_and_deliver

/*
 * cold_light
 * In:   rVCPU, r3 = C function; guest's r3 in its register file, r31 in low_r31, all others in place
 * Out:  to enter_cold
 */
func cold_light
    save_light
    save_and_call
    b       enter_cold
endfunc cold_light

/* cold_unexpected: a vector that nobody enabled. In: all registers the guest's */
func cold_unexpected
    stw     rVCPU, LOW(low_r31)
    lwz     rVCPU, LOW(current)
    stw     r3, GPR(3)(rVCPU)
    li      r3, unexpected@l
    b       cold_full
endfunc cold_unexpected

/*
 * cold_emulate: the instruction is not hot. CR and r28-r30 become the guest's again, then as the others.
 * In:   rVCPU, rCR; guest's r28-r30 in its register file, r31 in low_r31
 */
func cold_emulate
    mtcr    rCR
    lwz     r28, GPR(28)(rVCPU)
    lwz     r29, GPR(29)(rVCPU)
    lwz     r30, GPR(30)(rVCPU)
    stw     r3, GPR(3)(rVCPU)
    li      r3, emulate@l
endfunc cold_emulate                    /* falls through */

/*
 * cold_full
 * In:   rVCPU, r3 = C function; guest's r3 in its register file, r31 in low_r31, all others in place
 * Out:  to enter_cold with r2, r7-r10, r13-r31 loaded again
 */
    .globl cold_full
    .type cold_full, @function
cold_full:
    stw     r0, GPR(0)(rVCPU)
    lwz     r0, GPR(3)(rVCPU)
    stw     r1, GPR(1)(rVCPU)
    stw     r2, GPR(2)(rVCPU)
    stmw    r3, GPR(3)(rVCPU)
    stw     r0, GPR(3)(rVCPU)
    lwz     r0, LOW(low_r31)
    stw     r0, GPR(31)(rVCPU)
    save_and_call
    mr      r6, rVCPU
    lwz     r2, GPR(2)(r6)
    lmw     r7, GPR(7)(r6)
    stw     r31, LOW(low_r31)
    mr      rVCPU, r6
    b       enter_cold
    optimize_road
    .size cold_full, . - cold_full

/*
 * work_loop: the VM's next instructions are the hypervisor's, a piece of work at a time (src/vm/lifecycle.c). By rfi with
 * MSR_WORK: an interrupt that waits is taken in front of the first instruction, in the context of this VM.
 * In:   no register; SRR1 = MSR_WORK
 */
func work_loop
    wrteei  0
    stw     rVCPU, LOW(low_r31)
    lwz     rVCPU, LOW(current)
    stw     r3, GPR(3)(rVCPU)
    li      r3, work@l
    b       cold_light
endfunc work_loop

/*
 * idle_loop: nobody can run. A timer or external interrupt ends it. (An rfi with SRR1[WE] would do on the chip; QEMU halts
 * only at mtmsr.)
 * Holds:    all registers of the current guest but r31, which vcpu.c keeps
 * Clobbers: r31, and low_r31 by the interrupt
 */
func idle_loop
    lis     r31, (MSR_WE | MSR_EE | MSR_ME)@h
    ori     r31, r31, (MSR_WE | MSR_EE | MSR_ME)@l
    mtmsr   r31
    isync
    b       idle_loop
endfunc idle_loop
