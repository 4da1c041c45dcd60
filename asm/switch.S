/*
 * switch.S: another guest's turn.
 */
#include "offsets.h"
#include "asm.h"

/*
 * vcpu_switch
 * In:   rVCPU = who ran: volatile registers saved, r2 and r13-r30 in place, r31 in low_r31; r3 = who runs now
 * Out:  falls through to vcpu_start
 */
func vcpu_switch
    mr      r12, r3
    stw     r2, GPR(2)(rVCPU)
    stmw    r13, GPR(13)(rVCPU)
    lwz     r0, LOW(low_r31)
    stw     r0, GPR(31)(rVCPU)
    mr      r3, rVCPU
    bl      vcpu_save_live
    mr      r3, r12
endfunc vcpu_switch                     /* falls through */

/*
 * vcpu_start
 * In:   r3 = who runs now
 * Out:  to enter_switched with rVCPU = who runs now, r2 and r13-r30 loaded, r31 in low_r31
 */
    .globl vcpu_start
    .type vcpu_start, @function
vcpu_start:
    mr      r12, r3
    stw     r12, LOW(current)
    bl      vcpu_load_live
    lwz     r4, VCPU_MACHINE_PID(r12)
    mtspr   SPRN_PID, r4
    lis     r4, MSR_GUEST@h
    ori     r4, r4, MSR_GUEST@l
    mtspr   SPRN_SRR1, r4
    lwz     r2, GPR(2)(r12)
    lmw     r13, GPR(13)(r12)
    stw     r31, LOW(low_r31)
    mr      rVCPU, r12
    b       enter_switched
    .size vcpu_start, . - vcpu_start
