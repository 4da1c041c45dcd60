/*
 * zpr.c: a write of ZPR changes what may be done with pages that are in use. Zone 1 is closed to user mode, opened,
 * and closed again; each time a user program reads a word of it.
 */
#include "bare.h"

#define PAGE 0x00200000

// Returns the number of interrupts that the load caused. Its own code and data are in zone 0.
static uint32_t load(void)
{
    uint32_t before = interrupt.count;

    (void)*(volatile uint32_t *)PAGE;
    return interrupt.count - before;
}

static uint32_t try(uint32_t zpr)
{
    mtspr(ZPR, zpr);
    isync();
    return run_in(load, MSR_PR | MSR_IR | MSR_DR, 0, 0, 0);
}

int main(void)
{
    tlbia();
    tlb_write(0, 0x00000000 | TLB_SIZE(5) | TLB_V, 0x00000000 | TLB_EX | TLB_WR | TLB_ZSEL(0));
    tlb_write(1, PAGE | TLB_SIZE(1) | TLB_V, PAGE | TLB_ZSEL(1));
    show("closed", try(0x40000000));            // zone 0: by the entry. zone 1: no access
    show("open", try(0x50000000));
    show("closed_again", try(0x40000000));
    show("esr", interrupt.esr);
    return 0;
}
