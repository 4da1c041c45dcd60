/*
 * live.S: registers of the running guest that are in the machine itself, because user mode (SPRG4-7, USPRG0), or QEMU's
 * user mode (SRR2, SRR3), reads or writes them without a trap. The hypervisor uses none of them.
 */
#include "offsets.h"
#include "asm.h"

/*
 * vcpu_save_live: from the machine into the register file, those that the guest can change unnoticed.
 * In:       r3 = struct vcpu * whose registers the machine holds
 * Clobbers: r4-r6
 */
func vcpu_save_live
    mfspr   r4, SPRN_SRR2
    mfspr   r5, SPRN_SRR3
    mfspr   r6, SPRN_USPRG0
    stw     r4, VCPU_SRR2(r3)
    stw     r5, VCPU_SRR3(r3)
    stw     r6, VCPU_USPRG0(r3)
    blr
endfunc vcpu_save_live

/*
 * vcpu_load_live: out of the register file.
 * In:       r3 = struct vcpu *
 * Holds:    r3
 * Clobbers: r0, r4-r6, CR0
 *
 * USPRG0: QEMU's 405 lets nobody write it and reads SPRG0 in its place; the chip has both. SPRG0 therefore gets the value
 * on either machine (nothing else lives there), USPRG0 only where start.S found that it exists.
 */
func vcpu_load_live
    lwz     r0, VCPU_SRR2(r3)
    lwz     r4, VCPU_SRR3(r3)
    lwz     r5, VCPU_SPRG4(r3)
    lwz     r6, VCPU_SPRG5(r3)
    mtspr   SPRN_SRR2, r0
    mtspr   SPRN_SRR3, r4
    mtspr   SPRN_SPRG4, r5
    mtspr   SPRN_SPRG5, r6
    lwz     r0, VCPU_SPRG6(r3)
    lwz     r4, VCPU_SPRG7(r3)
    lwz     r5, LOW(usprg0_exists)
    lwz     r6, VCPU_USPRG0(r3)
    mtspr   SPRN_SPRG6, r0
    mtspr   SPRN_SPRG7, r4
    cmpwi   r5, 0
    mtspr   SPRN_SPRG0, r6
    beqlr
    mtspr   SPRN_USPRG0, r6
    blr
endfunc vcpu_load_live
