/*
 * switch.S: another guest's turn.
 */
#include "offsets.h"
#include "asm.h"

/*
 * usprg0_load rX, rY: USPRG0 = rX. QEMU's 405 lets nobody write USPRG0 and reads SPRG0 in its place; the chip has both.
 * SPRG0 therefore gets the value on either machine (nothing else lives there), USPRG0 only where boot found it to exist.
 * Clobbers: rY, CR
 */
.macro usprg0_load rx, ry
    mtspr   SPRN_SPRG0, \rx
    lwz     \ry, LOW(usprg0_exists)
    cmpwi   \ry, 0
    beq     1f
    mtspr   SPRN_USPRG0, \rx
1:
.endm

/*
 * vcpu_switch
 * In:   rVCPU = who ran: volatile registers saved, r2 and r13-r30 in place, r31 in low_r31; r3 = who runs now
 * Out:  to enter_switched with rVCPU = who runs now, r2 and r13-r30 loaded, r31 in low_r31
 */
func vcpu_switch
    stw     r2, GPR(2)(rVCPU)
    stmw    r13, GPR(13)(rVCPU)
    lwz     r0, LOW(low_r31)
    stw     r0, GPR(31)(rVCPU)
    mfspr   r4, SPRN_SRR2               /* registers that a guest may reach without a trap, here or on the chip */
    mfspr   r5, SPRN_SRR3
    mfspr   r6, SPRN_USPRG0
    stw     r4, VCPU_SRR2(rVCPU)
    stw     r5, VCPU_SRR3(rVCPU)
    stw     r6, VCPU_USPRG0(rVCPU)

    .globl vcpu_start
vcpu_start:                             /* In: r3 = who runs now; nobody ran before */
    mr      r12, r3
    stw     r12, LOW(current)
    lwz     r4, VCPU_SRR2(r12)
    lwz     r5, VCPU_SRR3(r12)
    lwz     r6, VCPU_USPRG0(r12)
    lwz     r7, VCPU_SPRG4(r12)
    lwz     r8, VCPU_SPRG5(r12)
    lwz     r9, VCPU_SPRG6(r12)
    lwz     r10, VCPU_SPRG7(r12)
    lwz     r11, VCPU_MACHINE_PID(r12)
    mtspr   SPRN_SRR2, r4
    mtspr   SPRN_SRR3, r5
    mtspr   SPRN_SPRG4, r7
    mtspr   SPRN_SPRG5, r8
    mtspr   SPRN_SPRG6, r9
    mtspr   SPRN_SPRG7, r10
    mtspr   SPRN_PID, r11
    usprg0_load r6, r7
    lis     r7, MSR_GUEST@h
    ori     r7, r7, MSR_GUEST@l
    mtspr   SPRN_SRR1, r7
    lwz     r2, GPR(2)(r12)
    lmw     r13, GPR(13)(r12)
    stw     r31, LOW(low_r31)
    mr      rVCPU, r12
    b       enter_switched
endfunc vcpu_switch
