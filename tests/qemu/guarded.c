/*
 * guarded.c: with translation nothing is fetched from a guarded page: instruction storage interrupt, whatever the zone grants.
 * Loads and stores are not concerned, nor are fetches in real mode.
 */
#include "bare.h"

#define PAGE  0x00080000
#define WORD(address) (*(volatile uint32_t *)(address))
#define EA(n) (0x40000000 + 0x1000 * (n))

static void page(uint32_t entry, uint32_t attributes)
{
    tlb_write(entry, EA(entry) | TLB_SIZE(1) | TLB_V, PAGE | TLB_EX | TLB_WR | attributes);
}

// The vector of the interrupt by a call; the page's code gives 0x11 to its caller.
static uint32_t call(uint32_t entry, uint32_t touch)
{
    interrupt.vector = 0;
    mtspr(0x3D4, 0x08800000);                   // ESR: what an earlier interrupt left
    if (touch) {
        run_in((void *)(PAGE + 8), MSR_DR, EA(entry), 0, 0);
    }
    return run_in((void *)EA(entry), MSR_IR, 0, 0, 0) & 0xFF;
}

int main(void)
{
    WORD(PAGE) = 0x38600011;                    // li 3,0x11
    WORD(PAGE + 4) = 0x44000002;                // sc
    WORD(PAGE + 8) = 0x80630000;                // lwz 3,0(3)
    WORD(PAGE + 12) = 0x44000002;               // sc
    __asm__ volatile("dcbst 0,%0; sync; icbi 0,%0; isync" : : "r"(PAGE) : "memory");
    tlbia();
    mtspr(PID, 0);
    mtspr(ZPR, 0x70000000);                     // zone 0 by the entry, zone 1 all granted
    page(1, 0);
    page(2, TLB_G);
    page(3, TLB_G | TLB_ZSEL(1));
    tlb_write(8, PAGE | TLB_SIZE(1) | TLB_V, PAGE | TLB_EX);
    show("plain", call(1, 0));
    show("  vector", interrupt.vector);
    call(2, 0);
    show("guarded", interrupt.vector);
    show("  srr0", interrupt.srr0);
    show("  esr", interrupt.esr);
    call(3, 0);
    show("granted", interrupt.vector);
    call(2, 1);
    show("touched", interrupt.vector);
    mtspr(0x3B9, 0xFFFFFFFF);                   // SGR
    show("real", run_in((void *)PAGE, 0, 0, 0, 0) & 0xFF);
    show("  vector", interrupt.vector);
    return 0;
}
