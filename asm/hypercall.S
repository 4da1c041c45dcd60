/*
 * hypercall.S: the hypercalls that are worth assembler: those that take the place of a frequent instruction.
 */
#include "offsets.h"
#include "asm.h"
#include "hooks.h"

/*
 * hcall_hot
 * In:       rVCPU, r29 = the guest's CR, cr1 = number against HCALL_timer_set, guest's r0 and r3-r6 in place, SRR0 behind the
 *           sc; guest's r29, r30 in its register file, r31 in low_r31
 * Out:      to a routine of the trap road with rCR, and SRR0 at the sc, as if that were the privileged instruction; if it is
 *           a rare case of that, C refuses the call (src/cpu/emulate.c). Or to C with SRR0 behind the sc
 * Clobbers: r28-r30, CR
 */
func hcall_hot
    stw     r28, GPR(28)(rVCPU)
    mr      rCR, r29
    xoris   r30, r0, HCALL_TAG
    cmplwi  r30, HCALL_idle
    cmplwi  cr5, r30, HCALL_rfi
    bgt     hcall_cold
    beq     cr5, hcall_rfi
    mfspr   r29, SPRN_SRR0
    addi    r29, r29, -4
    mtspr   SPRN_SRR0, r29
    beq     cr1, hcall_timer_set
    mr      rVALUE, r3                  /* msr_set */
    bne     set_msr

    lwz     rVALUE, VCPU_MSR(rVCPU)     /* idle: as mtmsr of this very MSR with EE and WE */
    oris    rVALUE, rVALUE, MSR_WE >> 16
    ori     rVALUE, rVALUE, MSR_EE
    li      r3, 0                       /* no argument: it might look like an error */
    b       set_msr

/* As emul_rfi, but what is rare comes back at once. */
hcall_rfi:
    lwz     rKEY, VCPU_SRR1(rVCPU)
    rlwinm  rKEY, rKEY, 0, 16, 14
    msr_rare
    bne-    enter_cr
    lwz     r0, VCPU_SPRG0(rVCPU)
    b       rfi_plain

/* What mtspr TSR does with PIS, then what mtspr PIT does with r3. */
hcall_timer_set:
    irq_quiet cold_emulate
    tsr_clear_pis cold_emulate
    stw     rKEY, VCPU_TSR(rVCPU)
    stw     rVALUE, VCPU_PENDING(rVCPU)
    mr      rVALUE, r3
    b       set_pit

hcall_cold:
    hcall_of_tunnels
    hcall_in_c
endfunc hcall_hot
