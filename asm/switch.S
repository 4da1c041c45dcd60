/*
 * switch.S: another guest's turn.
 */
#include "offsets.h"
#include "partitions.h"
#include "asm.h"
#include "live.h"

/*
 * vcpu_switch
 * In:   rVCPU = who ran: what a light road saves is saved, the rest in place, r31 in low_r31; r3 = who runs now
 * Out:  falls through to vcpu_start
 */
func vcpu_switch
#if VM_COUNT > 1
    stw     r2, GPR(2)(rVCPU)
    stw     r7, GPR(7)(rVCPU)
    stw     r8, GPR(8)(rVCPU)
    stw     r9, GPR(9)(rVCPU)
    stw     r10, GPR(10)(rVCPU)
    stmw    r13, GPR(13)(rVCPU)
    lwz     r0, LOW(low_r31)
    stw     r0, GPR(31)(rVCPU)
    mfctr   r0
    stw     r0, VCPU_CTR(rVCPU)
    save_live rVCPU
#endif
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
#if VM_COUNT > 1
    li      r4, current@l               /* The reservation is one bit without an address, which only stwcx. clears (manual, */
    erratum_stwcx r4
    stwcx.  r3, 0, r4                   /* "lwarx", "stwcx."): of the last VM's nothing may be left. Stores the same again. */
    load_live r3
#else
    bl      vcpu_load_live              /* once, at boot: size before speed */
#endif
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
