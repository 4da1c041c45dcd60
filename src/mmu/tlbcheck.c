/*
 * tlbcheck.c: a walk over the machine's TLB (option TLB_CHECK, for debugging). What tlb.c means to write is one thing, what the
 * machine holds another: every entry is read back and has to be a static one, or one of a context that lies as a whole in a
 * static entry of its VM and has no right that this one does not have. (QEMU reads back no storage attributes and no zone.)
 */
#include "tlb.h"

#include "message.h"
#include "partition.h"

#define PAGE_MASK(hi)  (~0U << (10 + 2 * ((hi) >> 7 & 7)))
#define RIGHTS         (TLBLO_EX | TLBLO_WR)
#define NUMBER(lo)     ((lo) & 0xFFFFFC00)
#define HI_EXISTING    0xFFFFFFC0U /* EPN SIZE V */

static bool is_static(uint32_t row, uint32_t hi, uint32_t lo, uint32_t tid)
{
    const struct tlb_row *r = &tlb_rows[row];

    return tid == r->tid && (hi & HI_EXISTING) == (r->hi & HI_EXISTING) && NUMBER(lo) == NUMBER(r->lo) &&
           (lo & RIGHTS) == (r->lo & RIGHTS);
}

/* Inside a static entry of the VM whose context it belongs to, and with no more rights. */
static bool is_inside(uint32_t hi, uint32_t lo, uint32_t tid)
{
    uint32_t owner = (tid - VM_COUNT - 1) / TLB_CONTEXTS; /* huge for a PID of no context */
    uint32_t i;

    for (i = 0; i < TLB_ROW_COUNT; i++) {
        const struct tlb_row *r = &tlb_rows[i];

        if (r->tid == owner + 1 && PAGE_MASK(hi) >= PAGE_MASK(r->hi) && ((NUMBER(lo) ^ r->lo) & PAGE_MASK(r->hi)) == 0 &&
            (lo & RIGHTS & ~r->lo) == 0) {
            return true;
        }
    }
    return false;
}

void tlb_check(void)
{
    uint32_t pid = cpu_mfspr(SPRN_PID);
    uint32_t row;

    for (row = 0; row < TLB_ENTRIES; row++) {
        uint32_t hi = cpu_tlbre_hi(row); /* PID becomes its TID */
        uint32_t tid = cpu_mfspr(SPRN_PID);
        uint32_t lo = cpu_tlbre_lo(row);

        if (row < TLB_ROW_COUNT ? !is_static(row, hi, lo, tid) : (hi & TLBHI_V) != 0 && !is_inside(hi, lo, tid)) {
            message_panic("TLB entry outside its partition");
        }
    }
    cpu_mtspr(SPRN_PID, pid);
}
