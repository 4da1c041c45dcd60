/*
 * irfm.S: the two trap instructions in the sequences by which a guest changes MSR[EE] on its register page
 * (hypercalls/abi.h). They look like no instruction of a guest without pages: a VM that has none gets its program interrupt.
 */
#include "offsets.h"
#include "asm.h"
#include "hooks.h"

#define TWI_LGT 0x0C20                  /* twi 1, upper half without rA */

/*
 * irfm_trap
 * In:   rVCPU, rCR, rINSN = a trap instruction with a small positive immediate, or illegal
 * Out:  to enter_cr or deliver, so many bytes further as the immediate says; or to cold_emulate if it is not one of the two
 */
func irfm_trap
    lwz     r29, VCPU_FEATURES(rVCPU)
    mtcrf   0x10, r29                   /* bit 15: FEATURE_IRFM */
    rlwinm  r29, rINSN, 0, 16, 10
    xoris   r29, r29, TWI_LGT
    cmplwi  r29, PAGE_CHECK
    cmplwi  cr1, r29, PAGE_MODE
    bf-     15, cold_emulate
    cror    2, 2, 6
    bne-    cold_emulate
    mfspr   r30, SPRN_SRR0
    rlwinm  r29, r29, 0, 27, 29
    add     r30, r30, r29
    mtspr   SPRN_SRR0, r30
    lwz     r29, VCPU_MSR(rVCPU)
    msr_context to_context
    lwz     r30, VCPU_PENDING(rVCPU)
    and.    r30, r30, r29
    beq     enter_cr
    b       deliver
endfunc irfm_trap
