/*
 * tlbcheck.c: a walk over the machine's TLB (option TLB_CHECK, for debugging). What tlb.c means to write is one thing, what the
 * machine holds another: every entry is read back and has to be a static one, or one of a context that lies as a whole in a
 * static entry of its VM, has no right that this one does not have, and all of its storage attributes. And no two entries may
 * translate one address: what the machine does then is undefined (manual, "TLB"), and QEMU takes the first. The newest is
 * compared with all others, as soon as it is there.
 */
#include "tlb.h"

#include "memory.h"
#include "message.h"
#include "partition.h"
#include "roads.h"

#define PAGE_MASK(hi)  (~0U << (10 + 2 * ((hi) >> 7 & 7)))
#define RIGHTS         (TLBLO_EX | TLBLO_WR)
#define NUMBER(lo)     ((lo) & 0xFFFFFC00)
#define HI_EXISTING    0xFFFFFFC0U /* EPN SIZE V */
#define ATTRIBUTES     0x0FU       /* W I M G */

/* The distribution's QEMU reads back neither these nor ZSEL. It has no Virtex board. */
#define READ_BACK      (IS_ENABLED(CONFIG_BOARD_VIRTEX) ? ~0U : NUMBER(~0U) | RIGHTS)

static bool is_static(uint32_t row, uint32_t hi, uint32_t lo, uint32_t tid)
{
    const struct tlb_row *r = &tlb_rows[row];

    if (!memory_has_row(row)) {
        return (hi & TLBHI_V) == 0;
    }
    return tid == r->tid && (hi & HI_EXISTING) == (r->hi & HI_EXISTING) && ((lo ^ r->lo) & READ_BACK) == 0;
}

/* Inside a static entry of the VM whose context it belongs to, with no more rights, and no fewer attributes. */
static bool is_inside(uint32_t hi, uint32_t lo, uint32_t tid)
{
    uint32_t owner = (tid - VM_COUNT - 1) / TLB_CONTEXTS; /* huge for a PID of no context */
    uint32_t i;

    for (i = 0; i < TLB_ROW_COUNT; i++) { /* loop: TLB_ROW_COUNT */
        const struct tlb_row *r = &tlb_rows[i];

        if (memory_has_row(i) && r->tid == owner + 1 && PAGE_MASK(hi) >= PAGE_MASK(r->hi) &&
            ((NUMBER(lo) ^ r->lo) & PAGE_MASK(r->hi)) == 0 && (lo & RIGHTS & ~r->lo) == 0 &&
            (r->lo & ~lo & ATTRIBUTES & READ_BACK) == 0) {
            return true;
        }
    }
    return false;
}

/* Returns the row's high word; its TID is in PID. */
static uint32_t check_row(uint32_t row)
{
    uint32_t hi = cpu_tlbre_hi(row); /* PID becomes its TID */
    uint32_t tid = cpu_mfspr(SPRN_PID);
    uint32_t lo = cpu_tlbre_lo(row);

    if (row < TLB_ROW_COUNT ? !is_static(row, hi, lo, tid)
                            : (hi & TLBHI_V) != 0 && (!is_inside(hi, lo, tid) || shadow_owner[row] >> 8 != tid)) {
        message_panic("TLB entry outside its partition");
    }
    return hi;
}

void tlb_check(void)
{
    uint32_t pid = cpu_mfspr(SPRN_PID);
    uint32_t row;

    for (row = 0; row < TLB_ENTRIES; row++) { /* loop: TLB_ENTRIES */
        check_row(row);
    }
    cpu_mtspr(SPRN_PID, pid);
}

void tlb_check_new(void)
{
    uint32_t pid = cpu_mfspr(SPRN_PID);
    uint32_t row = (shadow_turn == TLB_ROW_COUNT ? TLB_ENTRIES : shadow_turn) - 1;
    uint32_t hi = check_row(row);
    uint32_t tid = cpu_mfspr(SPRN_PID);
    uint32_t i;

    for (i = 0; i < TLB_ENTRIES; i++) { /* loop: TLB_ENTRIES */
        uint32_t other = cpu_tlbre_hi(i);

        if (i != row && (other & TLBHI_V) != 0 && cpu_mfspr(SPRN_PID) == tid &&
            ((other ^ hi) & PAGE_MASK(hi) & PAGE_MASK(other)) == 0) {
            message_panic("TLB entries overlap");
        }
    }
    cpu_mtspr(SPRN_PID, pid);
}

struct vcpu *tlb_checked(struct vcpu *v)
{
    tlb_check_new();
    return v;
}
