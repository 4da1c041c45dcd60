/*
 * ipcm.S: the hypercall of option IPCM that a guest makes all the time; src/ipcm/tunnel.c is the same in C.
 */
#include "offsets.h"
#include "asm.h"
#include "hooks.h"

/*
 * ipcm_status
 * In:       rVCPU, rCR, r3 = number of the tunnel, r30 = that of the call; guest's r28-r30 in its register file, r31 in low_r31,
 *           SRR0 behind the sc
 * Out:      to enter_cr with r3 = 0, r4 = state word; or, there being no such tunnel, or work for it, to C
 * Clobbers: r29, r30, CR
 */
func ipcm_status
    lwz     r30, VCPU_MACHINE_PID(rVCPU)        /* its index + 1: the row behind the VM's */
    lis     r29, tunnel_first@ha
    addi    r29, r29, tunnel_first@l
    lbzux   r30, r29, r30
    lbz     r29, -1(r29)
    subf    r30, r29, r30
    cmplw   r3, r30
    bge-    ipcm_status_cold

    lis     r30, tunnel_mine@ha
    addi    r30, r30, tunnel_mine@l
    add     r29, r29, r3
    lbzx    r29, r29, r30                       /* row of tunnel_end */
    lis     r30, tunnel_states@ha
    addi    r30, r30, tunnel_states@l
    lbzx    r30, r29, r30
    cmpwi   r30, TUNNEL_WAITING
    beq-    ipcm_status_cold                    /* C goes on with what it waits for */

    slwi    r29, r29, 3
    addis   r29, r29, tunnel_end@ha
    lwz     r29, tunnel_end@l(r29)
    rlwinm  r29, r29, 0, 23, 21                 /* without TUNNEL_BOOT */
    or      r4, r30, r29
    li      r3, 0
    b       enter_cr

ipcm_status_cold:
    hcall_in_c
endfunc ipcm_status
