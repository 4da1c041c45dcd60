/*
 * reflect.S: the trap belongs to the guest's own kernel.
 */
#include "offsets.h"
#include "asm.h"
#include "hooks.h"

/*
 * reflect_program: a program interrupt in the guest's user mode, with the machine's ESR.
 * In:   rVCPU, rCR; guest's r28-r30 saved, r31 in low_r31
 */
func reflect_program
    mtcr    rCR
    lwz     r28, GPR(28)(rVCPU)
    mfspr   r29, SPRN_ESR
    stw     r29, VCPU_ESR(rVCPU)
    stat_count STAT_program, r29
    lwz     r29, GPR(29)(rVCPU)
    li      r30, 0x0700
endfunc reflect_program                 /* falls through */

/*
 * reflect: a noncritical interrupt (manual, "Noncritical interrupts"): SRR0, SRR1, MSR, and on at EVPR.
 * EE becomes zero and CE stays, so nothing becomes deliverable that was not.
 * In:       rVCPU, r30 = offset of the vector; guest's r30 in its register file, r31 in low_r31
 * Holds:    everything else of the guest, CR too
 * Clobbers: r29, r30
 */
    .globl reflect
    .type reflect, @function
reflect:
    stw     r29, GPR(29)(rVCPU)
    mfspr   r29, SPRN_SRR0
    stw     r29, VCPU_SRR0(rVCPU)
    lwz     r29, VCPU_MSR(rVCPU)
    stw     r29, VCPU_SRR1(rVCPU)
    msr_of_interrupt r29
    stw     r29, VCPU_MSR(rVCPU)
    lwz     r29, VCPU_EVPR(rVCPU)
    add     r29, r29, r30
    mtspr   SPRN_SRR0, r29
    zone_of_reflected
    real_context
    b       enter
    .size reflect, . - reflect
