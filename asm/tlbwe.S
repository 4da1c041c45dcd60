/*
 * tlbwe.S: tlbwe of a page of 4 KiB into the virtual TLB (option TLB_VIRT): what a guest's own miss handler does twice for each
 * page. The frequent case of tlb_write() in src/mmu/tlb.c, with the same result; what else an entry can be is C's: other
 * sizes, little-endian pages, and entries with more than one shadow.
 */
#include "offsets.h"
#include "asm.h"
#include "hooks.h"

#define SIZE_V_E 0x03E0                 /* TLBHI: SIZE, V, E */
#define PAGE_4K  0x00C0                 /* of those: 4 KiB, valid, big-endian */

/*
 * emul_tlbwe: the index is in rA, the word in rS. gpr_read knows one field, so it is asked twice; CR[23:24] say for which,
 * with CR[21] and not CR[22] (gpr_read_done).
 * In:       rVCPU, rCR, rINSN
 * Out:      to gpr_read, from there to tlbwe_index, to gpr_read again, and to tlbwe_value
 */
func emul_tlbwe
    mr      rKEY, rINSN
    rlwinm  rINSN, rINSN, 5, 0, 31
    mtcrf   0x06, rKEY                  /* 978 is 1111 0100 10: CR[21], CR[23] and CR[24] */
    mtcrf   0x60, rINSN
    crclr   22
    b       gpr_read

    .globl tlbwe_index
tlbwe_index:                            /* rVALUE = index; the instruction takes it along */
    mtcrf   0x64, rKEY                  /* and CR[20]: which word */
    crclr   22
    crclr   24
    rlwimi  rKEY, rVALUE, 0, 26, 31
    b       gpr_read
endfunc emul_tlbwe

/*
 * tlbwe_value
 * In:       rVCPU, rCR, rVALUE, rKEY[26:31] = index, CR[20] = 1 for word 1
 * Out:      to enter_step, or to cold_emulate with nothing changed
 * Clobbers: r23-r27 (restored), r29, r30, CR
 */
func tlbwe_value
    save_23_27
    addi    r27, rVCPU, VCPU_VTLB
    clrlwi  r26, rKEY, 26
    rlwinm  r25, rKEY, 2, 24, 29
    addi    r29, r26, 1                 /* its number in lists */
    add     r26, r26, r27               /* the entry in arrays of bytes, */
    add     r25, r25, r27               /* and of words */

    /* What was there, and what comes: pages of this kind, or not valid? */
    lbz     r23, VTLB_MANY(r26)
    lwz     r24, VTLB_HI(r25)
    cmpwi   cr1, r23, 0
    andi.   r23, r24, TLBHI_V
    bne-    cr1, 9f
    beq     1f
    andi.   r23, r24, SIZE_V_E
    cmpwi   r23, PAGE_4K
    bne-    9f
1:  bt      20, 2f
    andi.   r23, rVALUE, TLBHI_V
    beq     2f
    andi.   r23, rVALUE, SIZE_V_E
    cmpwi   r23, PAGE_4K
    bne-    9f

    /* Drop its shadow, if the row has not been given away since. */
2:  uart_leaves r24, r23
    lbz     r23, VTLB_WHERE(r26)
    cmpwi   r23, 0
    beq     3f
    slwi    r23, r23, 1
    lhz     r24, shadow_owner@l(r23)
    subf    r24, r29, r24
    is_shadow r24, r23
    bne     3f
    lbz     r23, VTLB_WHERE(r26)
    tlbwe   r24, r23, 0
    slwi    r23, r23, 1
    sth     r24, shadow_owner@l(r23)
3:  li      r24, 0
    stb     r24, VTLB_WHERE(r26)
    bf      20, 4f
    stw     rVALUE, VTLB_LO(r25)
    b       8f

    /* Word 0: out of the list in which it was, */
4:  lwz     r24, VTLB_HI(r25)
    andi.   r23, r24, TLBHI_V
    beq     6f
    rlwinm  r23, r24, 20, 27, 31
    add     r23, r23, r27
5:  lbz     r24, VTLB_BUCKET(r23)
    cmpw    r24, r29
    add     r24, r24, r27
    beq     51f
    addi    r23, r24, VTLB_NEXT - 1 - VTLB_BUCKET
    b       5b                          /* loop: TLB_ENTRIES */
51: lbz     r24, VTLB_NEXT(r26)
    stb     r24, VTLB_BUCKET(r23)

    /* and into the one in which it is now. */
6:  rlwinm  rVALUE, rVALUE, 0, 0, 27
    lwz     r24, VCPU_PID(rVCPU)
    stw     rVALUE, VTLB_HI(r25)
    stb     r24, VTLB_TID(r26)
    andi.   r23, rVALUE, TLBHI_V
    beq     8f
    rlwinm  r23, rVALUE, 20, 27, 31
    add     r23, r23, r27
    lbz     r24, VTLB_BUCKET(r23)
    stb     r24, VTLB_NEXT(r26)
    stb     r29, VTLB_BUCKET(r23)
8:  stat_count STAT_tlbwe, r30
    restore_23_27
    b       enter_step

9:  restore_23_27
    b       cold_emulate
endfunc tlbwe_value
