/*
 * turn.S: the next one's turn, by round robin (option FAST_SWITCH): what schedule() of src/vm/vcpu.c decides at the end of a
 * slice, where that is plain. All else is C's: whoever is next waits, has more to take than its PIT's interrupt, or may not take
 * that; a timer that is watched; an idle machine; a console that wants to look; an access that nobody has answered.
 *
 * The timers of who ran are as they were: they are accounted for when its turn comes again.
 */
#include "offsets.h"
#include "asm.h"
#include "hooks.h"

#define rLEFT r26

/*
 * next_turn
 * In:    rVCPU = who ran, r30 = ticks of its slice that are left, r29 = now; rCR; guest's r28-r30 in its register file,
 *        r31 in low_r31
 * Out:   to vcpu_switch with the machine's PIT set; or to to_pit_road with nothing changed
 * Holds: rNEXT = who runs now, rLEFT = ticks to its PIT event or 0, r30 = its MSR, then ticks of its slice
 */
func next_turn
    cmpwi   r30, 0                      /* not quite over: so much for a decision */
    bgt-    to_pit_road
    turn_plain to_pit_road
    stw     r26, GPR(26)(rVCPU)
    stw     r27, GPR(27)(rVCPU)
    stw     rCR, VCPU_CR(rVCPU)

    lis     r30, (vcpu + (VM_COUNT - 1) * VCPU_SIZE)@ha
    la      r30, (vcpu + (VM_COUNT - 1) * VCPU_SIZE)@l(r30)
    addi    rNEXT, rVCPU, VCPU_SIZE
    cmplw   rVCPU, r30
    bne     1f
    lis     rNEXT, vcpu@ha
    la      rNEXT, vcpu@l(rNEXT)

1:  turn_watched 8f
    turn_pid 8f
    lwz     r30, VCPU_MSR(rNEXT)
    lwz     r28, VCPU_PENDING(rNEXT)
    and.    r28, r28, r30
    bne-    8f
    lwz     rLEFT, VCPU_PIT_LEFT(rNEXT)
    cmpwi   rLEFT, 0
    beq     2f
    lwz     r28, VCPU_PIT_BASE(rNEXT)
    subf    r28, r28, r29
    cmplw   r28, rLEFT
    bge     6f
    subf    rLEFT, r28, rLEFT
    stw     rLEFT, VCPU_PIT_LEFT(rNEXT)
    stw     r29, VCPU_PIT_BASE(rNEXT)

2:  turn_context 8f                     /* it does not wait? */
    turn_sleeps
    andis.  r30, r30, MSR_WE >> 16
    bne-    8f

3:  turn_quantum r30
    add     r28, r29, r30
    stw     r28, LOW(slice_end)
    addi    r28, rLEFT, -1              /* 0 is never */
    cmplw   r28, r30
    bge     4f
    mr      r30, rLEFT
4:  cmplwi  r30, PIT_TICKS_MIN
    bge     5f
    li      r30, PIT_TICKS_MIN
5:  mtspr   SPRN_PIT, r30

    stw     r3, GPR(3)(rVCPU)           /* as to C, for vcpu_switch */
    save_light
    mflr    r4
    mfxer   r5
    mfspr   r6, SPRN_SRR0
    stw     r4, VCPU_LR(rVCPU)
    stw     r5, VCPU_XER(rVCPU)
    stw     r6, VCPU_PC(rVCPU)
    mr      r3, rNEXT
    lwz     r26, GPR(26)(rVCPU)
    lwz     r27, GPR(27)(rVCPU)
    lwz     r28, GPR(28)(rVCPU)
    lwz     r29, GPR(29)(rVCPU)
    lwz     r30, GPR(30)(rVCPU)
    b       vcpu_switch

6:  subf    r28, rLEFT, r28             /* its PIT event was so long ago: does it take the interrupt? */
    turn_in_stub 8f
    andi.   rLEFT, r30, MSR_EE
    beq-    8f
    lwz     rLEFT, VCPU_TCR(rNEXT)
    mtcrf   0x60, rLEFT                 /* PIE is bit 5, ARE bit 9 */
    bng-    cr1, 8f
    li      rLEFT, 0
    bng     cr2, 7f
    lwz     rLEFT, VCPU_PIT(rNEXT)
    cmplw   r28, rLEFT
    bge-    8f
    subf    rLEFT, r28, rLEFT           /* from the event, not from now */
7:  stw     rLEFT, VCPU_PIT_LEFT(rNEXT)
    stw     r29, VCPU_PIT_BASE(rNEXT)
    lwz     r28, VCPU_TSR(rNEXT)
    oris    r28, r28, TSR_PIS >> 16
    stw     r28, VCPU_TSR(rNEXT)
    lwz     r28, VCPU_PENDING(rNEXT)
    ori     r28, r28, MSR_EE
    stw     r28, VCPU_PENDING(rNEXT)
    turn_wakes
    lwz     r28, VCPU_PC(rNEXT)
    stw     r28, VCPU_SRR0(rNEXT)
    stw     r30, VCPU_SRR1(rNEXT)
    msr_of_interrupt r30
    stw     r30, VCPU_MSR(rNEXT)
    lwz     r28, VCPU_EVPR(rNEXT)
    addi    r28, r28, 0x1000
    stw     r28, VCPU_PC(rNEXT)
    turn_real
    b       3b

8:  lwz     r26, GPR(26)(rVCPU)
    lwz     r27, GPR(27)(rVCPU)
    lwz     rCR, VCPU_CR(rVCPU)
    b       to_pit_road
endfunc next_turn
