/*
 * vtlb.h: the virtual TLB as struct vcpu holds it (option TLB_VIRT; tlb.h).
 */
#ifndef PROTEUS_VTLB_H
#define PROTEUS_VTLB_H

#include <stdbool.h>
#include <stdint.h>

#include "ppc405.h"

#define TLB_CONTEXTS 8  /* for each VM */
#define TLB_BUCKETS  32 /* of pages of 4 KiB, by address; one more for all others */
#define PAGE_4K      4096U

/*
 * What the guest wrote, and what was made of it. asm/refill.S searches it, too. In lists an entry is its index + 1, and 0 none.
 * All zero: no entry is valid.
 */
struct vtlb {
    uint32_t hi[TLB_ENTRIES], lo[TLB_ENTRIES];
    uint8_t tid[TLB_ENTRIES];
    uint8_t next[TLB_ENTRIES];           /* list of valid entries that share a bucket */
    uint8_t bucket[TLB_BUCKETS + 1];
    uint8_t turn;                        /* which context is given up next */
    bool split;                          /* entries overlap: shadows of the smallest size only, which cannot */
    bool careful;                        /* there are shadows below 4 KiB: asm/refill.S might make one that overlaps */
    uint8_t where[TLB_ENTRIES + 1];      /* row of the machine's TLB that was made of the entry last, 0: none */
    uint8_t many[TLB_ENTRIES + 1];       /* others were before */
    uint32_t first;                      /* PID of the VM's first context, as shadow_owner has it */
    uint16_t key[TLB_CONTEXTS];          /* what each context stands for: PID, mode; 0: free (a mode is not) */
    uint32_t ram_guest, ram_machine, ram_size; /* the partition's RAM; size 0: refill.S leaves all to C */
};

#endif
