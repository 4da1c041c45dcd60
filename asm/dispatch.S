/*
 * dispatch.S: from a program interrupt to the routine that emulates the trapped instruction.
 *
 * No test of ESR: a word that decodes as one of our rows, trapped in the guest's supervisor mode, can only have trapped
 * because it is privileged. Everything else is C's business (a miss is rare and ends in the guest's program interrupt).
 */
#include "offsets.h"
#include "asm.h"
#include "hooks.h"
#include "fetch.h"

/*
 * dispatch
 * In:       rVCPU, rCR; guest's r28-r30 saved, r31 in low_r31 (vectors.S)
 * Out:      to a hot routine with rINSN = the trapped word; to cold_emulate; or to reflect_program
 * Clobbers: r29, r30, CR
 */
func dispatch
    lwz     r30, VCPU_MSR(rVCPU)
    andi.   r30, r30, MSR_PR
    bne-    reflect_program

    page_stub cold_emulate
    fetch_trapped                       /* rINSN */

    /* Keep primary and extended opcode with Rc (bits 0-5, 21-31); opcode 31 becomes zero, so the key fits 16 bits. */
    rlwinm  rKEY, rINSN, 0, 21, 5
    xoris   rKEY, rKEY, 31 << 10
    .set dispatch_op, 31
.macro dispatch_row op, xo, routine
    .if \op <> dispatch_op
    xoris   rKEY, rKEY, (dispatch_op ^ \op) << 10
    .set dispatch_op, \op
    .endif
    cmplwi  rKEY, \xo << 1
    beq     \routine
.endm
#define ISA_HOT(mnemonic, op, xo, form, routine, manual) dispatch_row op, xo, routine ;
#define ISA_COLD(mnemonic, op, xo, form, routine, manual)
#include "isa.def"
    irfm_row
    b       cold_emulate
endfunc dispatch

/*
 * emul_nop, to enter_step: dccci, and without option TLB_VIRT tlbwe, for the guest's TLB keeps no entry (src/mmu/tlb.h). The data
 * cache is the machine's and coherent for every guest; to invalidate a part of it for one would throw away what others have
 * written.
 */
    nop_routine
    tlbwe_routine
