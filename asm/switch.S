/*
 * switch.S: another guest's turn.
 */
#include "offsets.h"
#include "asm.h"
#include "hooks.h"
#include "live.h"

/*
 * vcpu_switch
 * In:   rVCPU = who ran: what a light road saves is saved, the rest in place, r31 in low_r31; r3 = who runs now
 * Out:  falls through to vcpu_start
 */
func vcpu_switch
    save_other
endfunc vcpu_switch

/*
 * vcpu_start
 * In:   r3 = who runs now
 * Out:  to enter_switched with rVCPU = who runs now, all but what that restores loaded, r31 in low_r31
 */
    .globl vcpu_start
    .type vcpu_start, @function
vcpu_start:
    stw     r3, LOW(current)
    load_other
    lwz     r4, VCPU_CONTEXT_PID(r3)
    lwz     r5, VCPU_RUN_MSR(r3)
    lwz     r6, VCPU_CTR(r3)
    mtspr   SPRN_PID, r4
    mtspr   SPRN_SRR1, r5
    mtctr   r6
    lwz     r2, GPR(2)(r3)
    lmw     r7, GPR(7)(r3)
    stw     r31, LOW(low_r31)
    mr      rVCPU, r3
    b       enter_switched
    .size vcpu_start, . - vcpu_start
