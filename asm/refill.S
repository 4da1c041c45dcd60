/*
 * refill.S: a TLB miss of the machine in a guest with translation (option TLB_VIRT). The frequent half of tlb_fault() in
 * src/mmu/tlb.c, with the same result: a page of 4 KiB in the partition's RAM that the guest's own TLB holds, with
 * the right that is missing; and the miss that the guest has to handle itself. All else is C's.
 */
#include "offsets.h"
#include "asm.h"
#include "hooks.h"

/*
 * refill
 * In:       rVCPU, rCR, r30 = effective address, r29 = TLBLO_EX (a fetch), TLBLO_WR (a store) or 0; guest's r28-r30 in its
 *           register file, r31 in low_r31
 * Out:      to enter_cr; to reflect with DEAR and ESR set; or to data_cold, fetch_cold with nothing changed
 * Clobbers: r23-r27 (restored), r29, r30, CR
 */
func refill
    save_23_27
    lwz     r25, VCPU_CONTEXT_PID(rVCPU)
    lwz     r24, VCPU_MSR(rVCPU)
    in_translation 9f
    page_far 9f

    addi    r27, rVCPU, VCPU_VTLB
    leave_if_careful 9f
    rlwinm  r25, r30, 20, 27, 31        /* the bucket of pages of this address */
    add     r25, r25, r27
    lbz     r26, VTLB_BUCKET(r25)
1:  cmpwi   r26, 0
    beq     4f
    slwi    r25, r26, 2
    add     r25, r25, r27
    lwz     r25, VTLB_HI - 4(r25)
    xor     r25, r25, r30
    rlwinm. r25, r25, 0, 0, 19
    add     r25, r26, r27
    bne     2f
    lbz     r23, VTLB_TID - 1(r25)
    cmpwi   r23, 0
    beq     3f
    lwz     r25, VCPU_PID(rVCPU)
    cmplw   r23, r25
    beq     3f
    add     r25, r26, r27
2:  lbz     r26, VTLB_NEXT - 1(r25)
    b       1b                          /* loop: TLB_ENTRIES */

    /* Found. Does its own word give the right? (As long as the zone does not say otherwise.) */
3:  slwi    r25, r26, 2
    add     r25, r25, r27
    lwz     r25, VTLB_LO - 4(r25)
    lwz     r23, VCPU_ZPR(rVCPU)
    rlwinm  r24, r25, 29, 27, 30        /* the zone's field of ZPR to bits 0:1 */
    rlwnm   r24, r23, r24, 0, 1
    xoris   r24, r24, 0x4000            /* 01? */
    cmpwi   r24, 0
    beq     31f
    lwz     r23, VCPU_MSR(rVCPU)        /* 00, in supervisor state? */
    rlwimi  r24, r23, 0, 17, 17
    xoris   r24, r24, 0x4000
    cmpwi   r24, 0
    bne-    9f
31: rlwinm  r23, r25, 9, 22, 22         /* no EX with G */
    andc    r25, r25, r23
    andc.   r23, r29, r25
    bne-    9f

    /* In the partition's RAM? Then its machine address, EX, WR and WIMG make the low word. */
    lwz     r23, VTLB_RAM_GUEST(r27)
    rlwinm  r24, r25, 0, 0, 19
    subf    r24, r23, r24
    lwz     r23, VTLB_RAM_SIZE(r27)
    cmplw   r24, r23
    bge-    9f
    lwz     r23, VTLB_RAM_MACHINE(r27)
    add     r24, r24, r23
    rlwimi  r24, r25, 0, 22, 23
    rlwimi  r24, r25, 0, 28, 31

    /* The next row of the machine's TLB. */
    lbz     r25, LOW(shadow_turn)
    addi    r29, r25, 1
    cmpwi   r29, TLB_ENTRIES
    bne+    5f
    li      r29, TLB_ROW_COUNT
5:  stb     r29, LOW(shadow_turn)
    lwz     r29, VCPU_CONTEXT_PID(rVCPU)
    slwi    r23, r25, 1
    rlwimi  r26, r29, 8, 16, 23
    sth     r26, shadow_owner@l(r23)
    clrlwi  r26, r26, 24
    add     r26, r26, r27
    lbz     r23, VTLB_WHERE - 1(r26)
    stb     r25, VTLB_WHERE - 1(r26)
    cmpwi   r23, 0
    beq     6f
    cmpw    r23, r25                    /* is there another? */
    slwi    r29, r23, 1
    beq     6f
    lhz     r29, shadow_owner@l(r29)
    subf    r29, r26, r29
    add     r29, r29, r27
    is_shadow r29, r23
    bne     6f
    stb     r25, VTLB_MANY - 1(r26)
6:  rlwinm  r30, r30, 0, 0, 19
    ori     r30, r30, 1 << 7 | TLBHI_V  /* 4 KiB */
    tlbwe   r24, r25, 1
    tlbwe   r30, r25, 0
    restore_23_27
    tlb_checked
    b       enter_cr

    /* Not among the pages of that size. */
4:  lbz     r26, VTLB_BUCKET + TLB_BUCKETS(r27)
41: cmpwi   r26, 0
    beq     7f
    slwi    r25, r26, 2
    add     r25, r25, r27
    lwz     r25, VTLB_HI - 4(r25)
    rlwinm  r24, r25, 26, 28, 30        /* two times the size */
    xor     r25, r25, r30
    addi    r24, r24, 10
    srw.    r25, r25, r24
    add     r25, r26, r27
    bne     42f
    lbz     r23, VTLB_TID - 1(r25)
    cmpwi   r23, 0
    beq-    9f
    lwz     r24, VCPU_PID(rVCPU)
    cmplw   r23, r24
    beq-    9f
42: lbz     r26, VTLB_NEXT - 1(r25)
    b       41b                         /* loop: TLB_ENTRIES */

    /* The guest's own miss. */
7:  restore_23_27
    rlwinm. r29, r29, 0, 22, 22
    bne     8f
    mtcr    rCR
    lwz     r28, GPR(28)(rVCPU)
    stw     r30, VCPU_DEAR(rVCPU)
    mfspr   r30, SPRN_ESR
    rlwinm  r30, r30, 0, 8, 8
    stw     r30, VCPU_ESR(rVCPU)
    lwz     r29, GPR(29)(rVCPU)
    li      r30, 0x1100
    b       reflect
8:  mtcr    rCR
    lwz     r28, GPR(28)(rVCPU)
    lwz     r29, GPR(29)(rVCPU)
    li      r30, 0x1200
    b       reflect

9:  restore_23_27
    rlwinm. r29, r29, 0, 22, 22
    beq     data_cold
    mtcr    rCR
    lwz     r28, GPR(28)(rVCPU)
    lwz     r29, GPR(29)(rVCPU)
    lwz     r30, GPR(30)(rVCPU)
    stw     r3, GPR(3)(rVCPU)
    li      r3, fetch_fault@l
    b       cold_full
endfunc refill

/* fetch_miss. In: as data_miss */
func fetch_miss
    mfspr   r30, SPRN_SRR0
    li      r29, TLBLO_EX
    b       refill
endfunc fetch_miss
