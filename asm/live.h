/*
 * live.h: registers of the running guest that are in the machine itself, because user mode (SPRG4-7, USPRG0), or QEMU's
 * user mode (SRR2, SRR3), reads or writes them without a trap. The hypervisor uses none of them.
 */
#ifndef PROTEUS_LIVE_H
#define PROTEUS_LIVE_H

/*
 * save_live rV: from the machine into the register file, those that the guest can change unnoticed.
 * In:       rV = struct vcpu * whose registers the machine holds
 * Clobbers: r4-r6
 */
.macro save_live v
    mfspr   r4, SPRN_SRR2
    mfspr   r5, SPRN_SRR3
    mfspr   r6, SPRN_USPRG0
    stw     r4, VCPU_SRR2(\v)
    stw     r5, VCPU_SRR3(\v)
    stw     r6, VCPU_USPRG0(\v)
.endm

/*
 * load_live rV: out of the register file.
 * In:       rV = struct vcpu *
 * Clobbers: r0, r4-r6, CR0
 *
 * USPRG0: QEMU's 405 lets nobody write it and reads SPRG0 in its place; the chip has both. SPRG0 therefore gets the value
 * on either machine (nothing else lives there), USPRG0 only where start.S found that it exists.
 */
.macro load_live v
    lwz     r0, VCPU_SRR2(\v)
    lwz     r4, VCPU_SRR3(\v)
    lwz     r5, VCPU_SPRG4(\v)
    lwz     r6, VCPU_SPRG5(\v)
    mtspr   SPRN_SRR2, r0
    mtspr   SPRN_SRR3, r4
    mtspr   SPRN_SPRG4, r5
    mtspr   SPRN_SPRG5, r6
    lwz     r0, VCPU_SPRG6(\v)
    lwz     r4, VCPU_SPRG7(\v)
    lwz     r5, LOW(usprg0_exists)
    lwz     r6, VCPU_USPRG0(\v)
    mtspr   SPRN_SPRG6, r0
    mtspr   SPRN_SPRG7, r4
    cmpwi   r5, 0
    mtspr   SPRN_SPRG0, r6
    beq     1f
    mtspr   SPRN_USPRG0, r6
1:
.endm

#endif
