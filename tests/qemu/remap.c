/*
 * remap.c: a tlbwe that changes where a page in use leads: for a supervisor, for a user whose page is guarded, and of an entry
 * for all PIDs under another PID. Each reads the page before and behind.
 */
#include "bare.h"

#define VIRTUAL 0x00200000
#define FIRST   0x00300000
#define SECOND  0x00310000
#define TLB_G   1

static uint32_t load(void)
{
    return *(volatile uint32_t *)VIRTUAL;
}

static uint32_t changed(uint32_t msr, uint32_t attributes, uint32_t pid)
{
    uint32_t before;

    mtspr(PID, 0);
    tlb_write(1, VIRTUAL | TLB_SIZE(1) | TLB_V, FIRST | TLB_WR | attributes);
    mtspr(PID, pid);
    isync();
    before = run_in(load, msr | MSR_IR | MSR_DR, 0, 0, 0);
    if (pid == 0) {
        tlb_write(1, VIRTUAL | TLB_SIZE(1) | TLB_V, SECOND | TLB_WR | attributes);
    } else {
        tlbwe_lo(1, SECOND | TLB_WR | attributes);      // word 0 would give it the PID
    }
    return before << 16 | run_in(load, msr | MSR_IR | MSR_DR, 0, 0, 0);
}

int main(void)
{
    *(volatile uint32_t *)FIRST = 1;
    *(volatile uint32_t *)SECOND = 2;
    mtspr(ZPR, 0x40000000);                     // zone 0: by the entry
    tlbia();
    tlb_write(0, 0x00000000 | TLB_SIZE(5) | TLB_V, 0x00000000 | TLB_EX | TLB_WR);
    show("supervisor", changed(0, 0, 0));
    show("guarded", changed(MSR_PR, TLB_G, 0));
    show("all_pids", changed(MSR_PR, 0, 5));
    return 0;
}
