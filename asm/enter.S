/*
 * enter.S: the only return to a guest. Each label states what is still to be restored; the last instruction is the rfi.
 * Nothing is pending here that the guest's MSR lets in: whoever changes MSR or the pending word looks first.
 */
#include "offsets.h"
#include "asm.h"
#include "hooks.h"

/*
 * enter_cold: back from C.
 * In:   r3 = struct vcpu * that runs next; rVCPU = the one whose volatile registers cold_call saved; its pc is right
 */
func enter_cold
    switch_if_other
    lwz     r11, GPR(11)(rVCPU)
    lwz     r12, GPR(12)(rVCPU)
    .globl enter_switched
enter_switched:
    zone_of_file
    lwz     r3, VCPU_PC(rVCPU)
    lwz     r4, VCPU_CR(rVCPU)
    lwz     r5, VCPU_LR(rVCPU)
    lwz     r6, VCPU_XER(rVCPU)
    mtspr   SPRN_SRR0, r3
    mtcr    r4
    mtlr    r5
    mtxer   r6
    lwz     r0, GPR(0)(rVCPU)
    lwz     r1, GPR(1)(rVCPU)
    lwz     r3, GPR(3)(rVCPU)
    lwz     r4, GPR(4)(rVCPU)
    lwz     r5, GPR(5)(rVCPU)
    lwz     r6, GPR(6)(rVCPU)
    b       enter_last
endfunc enter_cold

/*
 * enter_step: the instruction at SRR0 is done.
 * enter_cr:   SRR0 is where the guest goes on.
 * enter:      CR is the guest's.
 * enter_last: all but r31 is the guest's.
 * In:   rVCPU, rCR; guest's r28-r30 in its register file, r31 in low_r31
 */
func enter_step
    mfspr   r29, SPRN_SRR0
    addi    r29, r29, 4
    mtspr   SPRN_SRR0, r29
    .globl enter_cr
enter_cr:
    mtcr    rCR
    lwz     r28, GPR(28)(rVCPU)
    .globl enter
enter:
    lwz     r29, GPR(29)(rVCPU)
    lwz     r30, GPR(30)(rVCPU)
enter_last:
    lwz     rVCPU, LOW(low_r31)
    return_only
endfunc enter_step
