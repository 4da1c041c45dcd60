/*
 * pit.S: the machine's PIT fired for the timer of the guest that runs, and the guest takes the interrupt.
 *
 * All other cases are C's: the end of a slice, an idle machine, auto-reload, a guest that has the interrupt disabled, or
 * one whose FIT or watchdog is watched. While a guest runs, nothing that its MSR lets in is pending, so a set EE means that
 * the PIT is the only one to deliver.
 */
#include "offsets.h"
#include "asm.h"
#include "hooks.h"

/*
 * pit
 * In:   rVCPU; guest's r30 in its register file, r31 in low_r31, all others in place
 * Out:  to reflect, to to_pit_road, or to next_turn (turn.S)
 */
func pit
    stw     r29, GPR(29)(rVCPU)
    stw     r28, GPR(28)(rVCPU)
    mfcr    rCR
    lis     r30, TSR_PIS >> 16          /* first, or it takes along the next event (slice_left): with cold caches */
    mtspr   SPRN_TSR, r30               /* the end of the slice may come before it */
    mftb    r29
    slice_left r30, r29, SLICE_OVER     /* the machine's PIT is set to the end of the slice */
    lwz     r30, LOW(idle_pc)
    cmpwi   r30, NOT_IDLE
    beq     1f
    idle_end to_pit_road

1:  lwz     r30, VCPU_PIT_BASE(rVCPU)   /* due? */
    subf    r29, r30, r29
    lwz     r30, VCPU_PIT_LEFT(rVCPU)
    cmpwi   r30, 0
    beq-    to_pit_road
    cmplw   r29, r30
    blt-    to_pit_road

    lwz     r29, VCPU_TCR(rVCPU)        /* PIE alone, enabled by EE? */
    andis.  r30, r29, (TCR_WRC | TCR_WIE | TCR_PIE | TCR_FIE | TCR_ARE) >> 16
    xoris   r30, r30, TCR_PIE >> 16
    cmpwi   r30, 0
    bne-    to_pit_road
    in_stub to_pit_road
    lwz     r29, VCPU_MSR(rVCPU)
    andi.   r30, r29, MSR_EE
    beq-    to_pit_road

    pending_none to_pit_road
    lwz     r29, VCPU_PENDING(rVCPU)    /* r30 = EE */
    or      r29, r29, r30
    stw     r29, VCPU_PENDING(rVCPU)
    lwz     r29, VCPU_TSR(rVCPU)
    oris    r29, r29, TSR_PIS >> 16
    stw     r29, VCPU_TSR(rVCPU)
    li      r30, 0
    stw     r30, VCPU_PIT_LEFT(rVCPU)
    stat_count STAT_irq, r30
    stat_count STAT_pit, r30
    mtcr    rCR
    lwz     r28, GPR(28)(rVCPU)
    lwz     r29, GPR(29)(rVCPU)
    li      r30, 0x1000
    b       reflect
endfunc pit
