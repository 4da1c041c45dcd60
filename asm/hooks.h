/*
 * hooks.h: what options add to the trap road. A hook of an option that is off is an empty macro: not a byte is left.
 */
#ifndef PROTEUS_HOOKS_H
#define PROTEUS_HOOKS_H

#include "partitions.h"

/* stat_count counter, rX: one more trap of this kind (option STATS). In: rVCPU. Clobbers: rX */
.macro stat_count counter, rx
#ifdef CONFIG_STATS
    lwz     \rx, VCPU_STAT + 4 * \counter(rVCPU)
    addi    \rx, \rx, 1
    stw     \rx, VCPU_STAT + 4 * \counter(rVCPU)
#endif
.endm

/* uic_quiet label: to label if the virtual interrupt controller asks for an interrupt. In: rVCPU. Clobbers: rKEY, CR */
.macro uic_quiet label
#ifdef CONFIG_UIC
    lwz     rKEY, VCPU_UIC_PENDING(rVCPU)
    cmpwi   rKEY, 0
    bne-    \label
#endif
.endm

/*
 * tsr_clear label: the second half of mtspr TSR, or to label with nothing changed.
 * In: rVCPU, rVALUE. Out: rKEY = new TSR, rVALUE = 0: nothing pending. Clobbers: CR0
 */
.macro tsr_clear label
#ifdef CONFIG_FIT_WATCHDOG
    xoris   rKEY, rVALUE, TSR_PIS >> 16 /* other bits are accounted for when they are looked at */
    cmpwi   rKEY, 0
    bne-    \label
    lwz     rKEY, VCPU_TSR(rVCPU)
    andc    rKEY, rKEY, rVALUE
    lwz     rVALUE, VCPU_TCR(rVCPU)     /* with PIS gone, only an enabled FIT or watchdog can be pending */
    andis.  rVALUE, rVALUE, (TCR_FIE | TCR_WIE) >> 16
    bne-    \label
#else
    lwz     rKEY, VCPU_TSR(rVCPU)       /* PIS is the only bit that is ever set */
    andc.   rVALUE, rKEY, rVALUE
    mr      rKEY, rVALUE
    bne-    \label
#endif
.endm

/*
 * slice_left rLeft, rNow, label: to label unless the slice goes on for some time; the machine's PIT is set to its end
 * (a scheduler with slices). In: rNow = TBL. Clobbers: rLeft, CR0
 */
.macro slice_left left, now, label
#ifndef CONFIG_SCHED_SINGLE
    lwz     \left, LOW(slice_end)
    subf    \left, \now, \left
    cmpwi   \left, PIT_TICKS_MIN
    ble-    \label
    mtspr   SPRN_PIT, \left
#endif
.endm

/* switch_if_other: another guest runs next (more than one partition). In: r3 = who, rVCPU = who ran. Clobbers: CR0 */
.macro switch_if_other
#if VM_COUNT > 1
    cmpw    r3, rVCPU
    bne-    vcpu_switch
#endif
.endm

#endif
