/*
 * emul_msr.S: the virtual machine state register. Consequences have WE, EE and CE: an interrupt that waits may have to be
 * delivered, and WE gives the time away; and PR, IR and DR with option TLB_VIRT: another context.
 */
#include "offsets.h"
#include "asm.h"
#include "hooks.h"

/*
 * emul_mfmsr
 * In:   rVCPU, rCR, rINSN
 * Out:  to gpr_write
 */
func emul_mfmsr
    sample_site rKEY
    mtcrf   0x60, rINSN
    stat_count STAT_mfmsr, rVALUE
    lwz     rVALUE, VCPU_MSR(rVCPU)
    b       gpr_write
endfunc emul_mfmsr

/* emul_mtmsr, emul_wrtee: to gpr_read, and from there to set_msr or set_ee. In: rVCPU, rCR, rINSN */
func emul_mtmsr
    sample_site rKEY
    mtcrf   0x67, rINSN
    stat_count STAT_mtmsr, rINSN
    b       gpr_read
endfunc emul_mtmsr

    wrtee_routine

/*
 * emul_wrteei: E is bit 16 of the instruction, as EE is of the MSR.
 * set_ee: MSR[EE] = bit 16 of rVALUE.
 * In:   rVCPU, rCR, rVALUE (the instruction itself for wrteei)
 */
func emul_wrteei
    sample_site rKEY
    stat_count STAT_wrteei, rKEY
    .globl set_ee
set_ee:
    lwz     rKEY, VCPU_MSR(rVCPU)
    rlwimi  rKEY, rVALUE, 0, 16, 16
    stw     rKEY, VCPU_MSR(rVCPU)
    lwz     r30, VCPU_PENDING(rVCPU)
    and.    r30, r30, rKEY
    beq     enter_step
    b       step_and_deliver
endfunc emul_wrteei

/*
 * set_msr: MSR = rVALUE, the second half of mtmsr.
 * In:   rVCPU, rCR, rVALUE
 * Out:  to enter_step, to deliver, to wait (MSR[WE]), or to cold_emulate for what is rare
 */
func set_msr
    rlwinm  rKEY, rVALUE, 0, 16, 14     /* bit 15 does not exist */
    only_ee 2f
    msr_rare
    bne     1f
    same_context 2f
    msr_context step_and_context
    zone_of rKEY, r30
2:  stw     rKEY, VCPU_MSR(rVCPU)
    lwz     r30, VCPU_PENDING(rVCPU)
    and.    r30, r30, rKEY
    beq     enter_step
    b       step_and_deliver
1:  xoris   r30, r30, MSR_WE >> 16
    cmpwi   r30, 0
    bne-    cold_emulate
    stw     rKEY, VCPU_MSR(rVCPU)
    b       step_and_wait
endfunc set_msr

/*
 * emul_rfi
 * In:   rVCPU, rCR
 * Out:  to enter_cr, deliver, or cold_emulate
 */
func emul_rfi
    stat_count STAT_rfi, r30
    lwz     rKEY, VCPU_SRR1(rVCPU)
    rlwinm  rKEY, rKEY, 0, 16, 14
    msr_rare
    bne-    cold_emulate
    .globl  rfi_plain
rfi_plain:                              /* rKEY = the new MSR */
    stw     rKEY, VCPU_MSR(rVCPU)
    lwz     r30, VCPU_SRR0(rVCPU)
    mtspr   SPRN_SRR0, r30
    msr_context to_context
    zone_of rKEY, r30
    lwz     r30, VCPU_PENDING(rVCPU)
    and.    r30, r30, rKEY
    beq     enter_cr
    mfspr   r30, SPRN_SRR0              /* of an interrupt it is an address: bits 30:31, which rfi does not look at, are zero */
    rlwinm  r30, r30, 0, 0, 29
    mtspr   SPRN_SRR0, r30
    b       deliver
endfunc emul_rfi
