/*
 * sc.h: the road of a system call in a hypervisor with hypercalls. It stands in the vector's own window.
 */
#ifndef PROTEUS_ASM_SC_H
#define PROTEUS_ASM_SC_H

/* HCALL_<name> of hypercalls/hypercalls.def: offsets.def has the numbers */

/*
 * road_system_call: a hypercall if r0 has the tag, the VM may, and the guest is in its supervisor mode; otherwise the
 * guest's own. Nothing is lost by looking: CR stays in r29, and r28 is not touched before it is known to be a call.
 * Out: to hcall_hot with cr1 = number against HCALL_timer_set; or to reflect; or, the call being `version`, to the guest
 */
.macro road_system_call
    stw     rVCPU, LOW(low_r31)
    lwz     rVCPU, LOW(current)
    stw     r30, GPR(30)(rVCPU)
    stw     r29, GPR(29)(rVCPU)
    mfcr    r29
    xoris   r30, r0, HCALL_TAG
    cmplwi  r30, 0xFFFF
    bgt-    1f
    cmplwi  cr1, r30, HCALL_timer_set
    lwz     r30, VCPU_FEATURES(rVCPU)
    andi.   r30, r30, FEATURE_HYPERCALLS
    beq-    1f
    lwz     r30, VCPU_MSR(rVCPU)
    andi.   r30, r30, MSR_PR
    bne-    1f
    stat_count STAT_hypercall, r30
    bge     cr1, 2f

    li      r3, HCALL_VERSION
    lwz     r4, VCPU_FEATURES(rVCPU)
    mtcr    r29
    lwz     r29, GPR(29)(rVCPU)
    lwz     r30, GPR(30)(rVCPU)
    lwz     rVCPU, LOW(low_r31)
    return_only

1:  mtcr    r29
    lwz     r29, GPR(29)(rVCPU)
    stat_count STAT_sc, r30
    li      r30, 0x0C00
    b       reflect
2:  b       hcall_hot
.endm

#endif
