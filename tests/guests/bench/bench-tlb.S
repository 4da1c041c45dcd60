/*
 * bench-tlb.S: a guest with translation that walks the paths of the virtual TLB for `make bench`: tlbwe of both words with
 * every general purpose register, pages that its own TLB holds and the machine's has lost, and pages that are in neither. It
 * checks what it loads, stores and fetches, and runs bare as well.
 *
 * As a kernel of the 40x does it: handlers in real mode, pages of 4 KiB, two address spaces (PID 1 and 2) at the same
 * addresses, and pages of all PIDs that only the supervisor reaches; 64 entries, all in use. User and supervisor of two PIDs
 * are four contexts, which need twice the entries that a machine has. The 64 entries are in 32 lists, by address
 * (src/mmu/vtlb.h); here no list is longer than three, and what is measured is also the last of those.
 *
 * Guest-physical: this program below PHYS, then PAGES pages. Each has its number, a word for stores, and at NUMBER_AT, which
 * is no vector (tools/plugin), `li r3, <its number>; blr`. Needs 1 MiB; EVPR = 0. Caches off, so real and translated accesses
 * are alike. Prints `tlb: PASS` or `tlb: FAIL <step>`, then resets.
 *
 * Registers: r20-r25 belong to the handlers while translation is on; r22 is where an sc goes on, in real mode.
 */
#include <proteus/proteus.h>

#define ROUNDS    4
#define MSR_PR    0x4000
#define MSR_IR_DR 0x0030
#define EX_WR     0x0300
#define ZONE_1    0x0010            /* of user and supervisor; zone 0: of the supervisor */
#define INHIBITED 0x0004
#define VALID_4K  0x00C0
#define PHYS      0x00040000
#define VIRT      0x00400000        /* of both address spaces */
#define BEHIND_32 (VIRT+32*4096)    /* in the same list as VIRT's page */
#define BEHIND_64 (VIRT+64*4096)
#define VIRT_K    (VIRT+0x200000+24*4096)   /* of the supervisor; in the lists that the pages from VIRT on leave free */
#define CODE      0x00010000        /* what runs translated: two pages, at the same address in real mode */
#define NUMBER_AT 0x40

#define OWN       24                /* pages of PID 1 from VIRT on that have an entry; of PID 2 the same but the first */
#define ALL       72                /* more than there are rows, with those that come by a miss */
#define FAR       64                /* the one at BEHIND_64 */
#define SHARED    8
#define FIRST_2   ALL               /* numbers of the physical pages */
#define FIRST_K   (FIRST_2+OWN-1)
#define PAGES     (FIRST_K+SHARED)

#define ROW_K     2                 /* rows of the TLB, behind CODE's */
#define ROW_1     (ROW_K+SHARED)
#define ROW_2     (ROW_1+OWN)
#define ROW_MORE  (ROW_2+OWN-1)
#define ROW_FAR   63
#define VAR(name) name@l(0)

        .macro  fail_unless register, value
        cmpwi   \register, \value
        bne     fail
        .endm

        .macro  step number
        li      %r3, \number
        stw     %r3, VAR(step_number)
        .endm

        .macro  address register, value
        lis     \register, (\value)@h
        ori     \register, \register, (\value)@l
        .endm

        /* Entries of consecutive pages of a PID. */
        .macro  fill row, count, virtual, physical, zone, pid
        li      %r4, \pid
        mtspr   0x3B1, %r4
        li      %r4, \row
        li      %r5, \count
        address %r6, (\virtual) | VALID_4K
        address %r7, (\physical) | EX_WR | \zone | INHIBITED
        bl      fill_rows
        .endm

        /* Go through pages, translated, as PID and in a mode; back in real mode. */
        .macro  visit how, pid, mode, virtual, count, number
        li      %r4, \pid
        mtspr   0x3B1, %r4
        address %r14, \virtual
        li      %r4, \count
        mtctr   %r4
        li      %r15, \number
        lwz     %r16, VAR(round)
        li      %r19, 0
        address %r22, 9f
        address %r4, visit_\how
        li      %r5, MSR_IR_DR | \mode
        mtspr   0x01A, %r4
        mtspr   0x01B, %r5
        li      %r0, 0
        rfi
9:      fail_unless %r19, 0
        .endm

        /* The four contexts, which together do not fit. */
        .macro  visit_all how
        visit   \how, 1, 0, VIRT, OWN, 0
        visit   \how, 1, 0, VIRT_K, SHARED, FIRST_K
        visit   \how, 2, 0, (VIRT+4096), (OWN-1), FIRST_2
        visit   \how, 2, 0, VIRT_K, SHARED, FIRST_K
        visit   \how, 1, MSR_PR, VIRT, OWN, 0
        visit   \how, 2, MSR_PR, (VIRT+4096), (OWN-1), FIRST_2
        .endm

        /* ---- handlers ---- */
        .section .vectors, "ax"
        .irp    offset, 0x100, 0x200, 0x300, 0x400, 0x500, 0x600, 0x700, 0x800
        .org    \offset
        b       unexpected
        .endr
        .org    0xC00
        mtspr   0x01A, %r22
        li      %r20, 0
        mtspr   0x01B, %r20
        rfi
        .irp    offset, 0xF20, 0x1000, 0x1010, 0x1020
        .org    \offset
        b       unexpected
        .endr
        .org    0x1100
        mfspr   %r20, 0x3D5                         # DEAR
        b       miss
        .org    0x1200
        mfspr   %r20, 0x01A
        b       miss
        .org    0x2000
        b       unexpected

        /* A page of PID 1, in place of the next one but those of all PIDs. In: r20 = address. Clobbers: r20, r21, r23-r25 */
        .text
miss:   mfcr    %r25
        lwz     %r21, VAR(misses)
        addi    %r21, %r21, 1
        stw     %r21, VAR(misses)
        mfspr   %r21, 0x3B1
        cmpwi   %r21, 1
        bne     unexpected
        rlwinm  %r20, %r20, 0, 0, 19
        lis     %r21, VIRT >> 16
        subf    %r21, %r21, %r20
        lis     %r23, ALL * 4096 >> 16
        ori     %r23, %r23, ALL * 4096 & 0xFFFF
        cmplw   %r21, %r23
        bge     unexpected
        addis   %r21, %r21, PHYS >> 16
        ori     %r21, %r21, EX_WR | ZONE_1 | INHIBITED
        ori     %r20, %r20, VALID_4K
        lwz     %r24, VAR(turn)
        tlbwe   %r21, %r24, 1
        tlbwe   %r20, %r24, 0
        addi    %r24, %r24, 1
        cmpwi   %r24, 64
        blt     1f
        li      %r24, ROW_1
1:      stw     %r24, VAR(turn)
        mtcr    %r25
        rfi

unexpected:
        li      %r3, 99
        stw     %r3, VAR(step_number)
        b       fail

/* fill_rows. In: r4 = first row, r5 = count, r6 and r7 = word 0 and 1. Clobbers: r4, r6, r7, CTR */
fill_rows:
        mtctr   %r5
1:      tlbwe   %r7, %r4, 1
        tlbwe   %r6, %r4, 0
        addi    %r4, %r4, 1
        addi    %r6, %r6, 4096
        addi    %r7, %r7, 4096
        bdnz    1b
        blr

/* stored: what the visits stored is where it belongs. In: r4 = first page, r5 = count. Clobbers: r4-r7, CTR, CR0 */
stored: mtctr   %r5
        lwz     %r5, VAR(round)
        rlwinm  %r6, %r4, 12, 0, 19
        addis   %r6, %r6, PHYS >> 16
1:      lwz     %r7, 12(%r6)
        subf    %r7, %r5, %r7
        cmpw    %r7, %r4
        bne     fail
        addi    %r4, %r4, 1
        addi    %r6, %r6, 4096
        bdnz    1b
        blr

        /* ---- the steps ---- */
        .globl  start
start:  li      %r3, 0
        mtmsr   %r3
        mtspr   0x3D6, %r3                          # EVPR
        mtspr   0x3DA, %r3                          # TCR
        mtspr   0x3FA, %r3                          # DCCR, ICCR
        mtspr   0x3FB, %r3
        lis     %r3, 0x1000                         # ZPR: zone 1 by the page's own rights, in both modes
        mtspr   0x3B0, %r3

        step    1                                   # the pages
        lis     %r4, PHYS >> 16
        li      %r5, 0
        address %r7, 0x4E800020                     # blr
1:      lis     %r6, 0x3860                         # li r3, n
        or      %r6, %r6, %r5
        stw     %r6, NUMBER_AT(%r4)
        stw     %r7, NUMBER_AT + 4(%r4)
        stw     %r5, 8(%r4)
        addi    %r4, %r4, 4096
        addi    %r5, %r5, 1
        cmpwi   %r5, PAGES
        blt     1b
        sync
        isync
        tlbia
        li      %r4, ROUNDS
        rlwinm  %r4, %r4, 8, 0, 23
        stw     %r4, VAR(round)

again:  step    2                                   # 64 entries; what the last round left is made invalid first
        li      %r4, 64
        mtctr   %r4
        li      %r4, 0
        li      %r5, 0
1:      tlbwe   %r5, %r4, 0
        addi    %r4, %r4, 1
        bdnz    1b
        fill    0, 2, CODE, CODE, ZONE_1, 0
        fill    ROW_1, OWN, VIRT, PHYS, ZONE_1, 1
        fill    ROW_2, (OWN-1), (VIRT+4096), (PHYS+FIRST_2*4096), ZONE_1, 2
        fill    ROW_MORE, (ROW_FAR-ROW_MORE), BEHIND_32, (PHYS+32*4096), ZONE_1, 1
        fill    ROW_FAR, 1, BEHIND_64, (PHYS+FAR*4096), ZONE_1, 1
        fill    ROW_K, SHARED, VIRT_K, (PHYS+FIRST_K*4096), 0, 0
        isync

        step    3                                   # loads: in the guest's TLB, often not in the machine's
        visit_all load
        visit_all load
        step    4
        visit_all store
        step    5
        visit_all fetch
        step    6
        li      %r4, 0
        li      %r5, OWN
        bl      stored
        li      %r4, FIRST_2
        li      %r5, OWN - 1 + SHARED
        bl      stored
        lwz     %r4, VAR(misses)
        lwz     %r5, VAR(misses_due)
        cmpw    %r4, %r5
        bne     fail

        step    7                                   # tlbwe with each register, both words; entries without shadows at first
        fill    ROW_1, 1, VIRT, PHYS, ZONE_1, 1
        fill    ROW_MORE, 1, BEHIND_32, (PHYS+32*4096), ZONE_1, 1
        fill    ROW_FAR, 1, BEHIND_64, (PHYS+FAR*4096), ZONE_1, 1
        li      %r0, 0
        address %r4, pairs
        li      %r5, MSR_IR_DR
        mtspr   0x01A, %r4
        mtspr   0x01B, %r5
        rfi
pairs_done:
        fail_unless %r19, 0

        step    8                                   # pages by a miss: all, for the oldest goes
        li      %r4, ROW_1
        stw     %r4, VAR(turn)
        lwz     %r4, VAR(misses)
        stw     %r4, VAR(misses_due)
        visit   load, 1, 0, VIRT, ALL, 0
        visit   store, 1, MSR_PR, VIRT, ALL, 0
        visit   fetch, 1, 0, VIRT, ALL, 0
        visit   fetch, 1, MSR_PR, VIRT, ALL, 0
        visit   load, 1, MSR_PR, VIRT, ALL, 0
        li      %r4, 0
        li      %r5, ALL
        bl      stored
        lwz     %r4, VAR(misses_due)                # at least those that had no entry
        addi    %r4, %r4, ALL - (64 - ROW_1)
        lwz     %r5, VAR(misses)
        stw     %r5, VAR(misses_due)
        cmpw    %r5, %r4
        blt     fail

        lwz     %r3, VAR(round)
        addi    %r3, %r3, -256
        stw     %r3, VAR(round)
        cmpwi   %r3, 0
        bne     again

        step    9                                   # all entries by one call; bare, sc goes on behind it all the same
        address %r4, table - 4
        li      %r5, 0
1:      stwu    %r5, 4(%r4)                         # index
        mulli   %r6, %r5, 3 * 4096
        addis   %r6, %r6, VIRT >> 16
        ori     %r6, %r6, VALID_4K
        stwu    %r6, 4(%r4)                         # hi
        address %r6, PHYS + (EX_WR | ZONE_1 | INHIBITED)
        stwu    %r6, 4(%r4)                         # lo
        clrlwi  %r6, %r5, 30
        stwu    %r6, 4(%r4)                         # tid
        addi    %r5, %r5, 1
        cmpwi   %r5, 64
        blt     1b
        address %r22, called
        li      %r20, 1                             # the handler makes it zero: bare
        address %r3, table
        li      %r4, 64
        proteus_call tlb_batch
called: cmpwi   %r20, 0
        beq     pass
        fail_unless %r3, 0
        li      %r5, 63                             # the last is there
        tlbre   %r6, %r5, 1
        address %r7, PHYS + (EX_WR | ZONE_1 | INHIBITED)
        cmpw    %r6, %r7
        bne     fail
        b       pass

        /* ---- translated; only registers: variables are not mapped ---- */
        .section .mapped, "ax"

/* visit_<how>. In: r14 = page, CTR = count, r15 = its number, r16 = what to add when it stores. Out: to r22, r19 = 0 if right */
visit_load:
1:      lwz     %r5, 8(%r14)
        cmpw    %r5, %r15
        bne     wrong
        addi    %r14, %r14, 4096
        addi    %r15, %r15, 1
        bdnz    1b
        sc
visit_store:
1:      add     %r5, %r15, %r16
        stw     %r5, 12(%r14)
        addi    %r14, %r14, 4096
        addi    %r15, %r15, 1
        bdnz    1b
        sc
visit_fetch:
1:      addi    %r5, %r14, NUMBER_AT
        mtlr    %r5
        blrl
        cmpw    %r3, %r15
        bne     wrong
        addi    %r14, %r14, 4096
        addi    %r15, %r15, 1
        bdnz    1b
        sc
wrong:  li      %r19, 1
        sc

/*
 * Three pages in one of the hypervisor's lists, written in turn. Each has a shadow when word 1 is written, and again when
 * word 0 is. Each register is once rS and once rA, with another of the same parity: odd ones take longest (asm/gpr.h).
 */
        .macro  pair s, a, base, virtual, number, row
        lis     \base, (\virtual) >> 16
        lwz     \s, 8(\base)
        cmpwi   \s, \number
        bne     wrong_pair
        li      \a, \row
        address \s, PHYS + \number * 4096 + (EX_WR | ZONE_1 | INHIBITED)
        tlbwe   \s, \a, 1
        lwz     \s, 8(\base)
        address \s, (\virtual) | VALID_4K
        tlbwe   \s, \a, 0
        lwz     \s, 8(\base)
        cmpwi   \s, \number
        bne     wrong_pair
        .endm
pairs:
        .irp    s, 0, 3, 6, 9, 12, 15, 18, 21, 24, 27, 30
        pair    \s, ((\s+2)&31), 1, VIRT, 0, ROW_1
        pair    (\s+1), ((\s+3)&31), (1-((\s==0)|(\s==30))), BEHIND_32, 32, ROW_MORE
        .if     \s < 30
        pair    (\s+2), ((\s+4)&31), 1, BEHIND_64, FAR, ROW_FAR
        .endif
        .endr
        li      %r19, 0
        b       2f
wrong_pair:
        li      %r19, 1
2:      address %r22, pairs_done
        li      %r0, 0
        sc

        .data
round:          .long 0         # times 256
turn:           .long ROW_1     # which row the next miss takes
misses:         .long 0
misses_due:     .long 0
table:          .space  64 * 16

#define NAME "tlb"
#include "verdict.h"
