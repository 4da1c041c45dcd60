/*
 * rows.c: static TLB entries that come and go (option IPCM; memory.h). They stand behind all others, and what is made of a
 * virtual TLB behind them, whether they are there or not.
 */
#include "memory.h"

#include "cpu.h"
#include "tlb.h"

bool rows_there[TLB_ROW_COUNT - TLB_FIXED_ROWS];

void rows_map(uint32_t row, uint32_t rows)
{
    uint32_t pid = cpu_mfspr(SPRN_PID);

    for (; rows != 0; rows--, row++) {
        rows_there[row - TLB_FIXED_ROWS] = true;
        memory_map(row);
    }
    cpu_mtspr(SPRN_PID, pid);
}

/* What was made of them for other contexts goes, too. TID of an entry that is not valid is nobody's. */
void rows_unmap(struct vcpu *v, uint32_t row, uint32_t rows)
{
    for (; rows != 0; rows--, row++) {
        rows_there[row - TLB_FIXED_ROWS] = false;
        cpu_tlbwe_hi(row, 0);
    }
    tlb_forget(v);
}
