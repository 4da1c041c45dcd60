/*
 * dcbz.c: alignment interrupt where storage is write-through or not cached, by TLB entry or, in real mode, by DCWR and DCCR.
 * A TLB miss and a data storage interrupt come first.
 */
#include "bare.h"

#define PAGE  0x00080000
#define WORD(address) (*(volatile uint32_t *)(address))
#define DCWR  0x3BA
#define DCCR  0x3FA
#define EA(n) (0x40000000 + 0x1000 * (n))

static uint32_t dcbz(uint32_t address)
{
    interrupt.vector = 0;
    interrupt.dear = 0;
    WORD(PAGE + 0x44) = 0x11223344;
    __asm__ volatile("dcbz 0,%0" : : "r"(address) : "memory");
    return interrupt.vector << 16 | (WORD(PAGE + 0x44) & 0xFFFF);
}

static uint32_t results[7], dear;

// With translation; the program itself is in a page of 1 MiB.
static uint32_t translated(void)
{
    results[0] = dcbz(EA(1) + 0x44);
    results[1] = dcbz(EA(2) + 0x44);
    results[2] = dcbz(EA(3) + 0x44);
    dear = interrupt.dear;
    results[3] = dcbz(EA(4) + 0x44);            // inhibited, and may not be written
    results[4] = dcbz(EA(5) + 0x44);            // no entry
    __asm__ volatile("lwarx %0,0,%1" : "=r"(results[6]) : "r"(EA(5) + 0x45) : "memory");
    results[5] = interrupt.vector;              // misaligned, and no entry
    __asm__ volatile("lwarx %0,0,%1" : "=r"(results[6]) : "r"(EA(1) + 0x45) : "memory");
    results[6] = interrupt.vector;
    return 0;
}

static void page(uint32_t entry, uint32_t attributes)
{
    tlb_write(entry, EA(entry) | TLB_SIZE(1) | TLB_V, PAGE | attributes);
}

int main(void)
{
    mtspr(DCWR, 0);
    mtspr(DCCR, 0);
    show("real", dcbz(PAGE + 0x46));
    show("  dear", interrupt.dear);
    mtspr(DCCR, 0x80000000);
    show("cached", dcbz(PAGE + 0x44));
    mtspr(DCWR, 0x80000000);
    show("through", dcbz(PAGE + 0x44));
    mtspr(DCWR, 0);

    tlbia();
    mtspr(PID, 0);
    mtspr(ZPR, 0x50000000);
    tlb_write(0, TLB_SIZE(5) | TLB_V, TLB_EX | TLB_WR);
    page(1, TLB_WR);
    page(2, TLB_WR | TLB_W);
    page(3, TLB_WR | TLB_I);
    page(4, TLB_I);
    run_in(translated, MSR_IR | MSR_DR, 0, 0, 0);
    show("page", results[0]);
    show("page_w", results[1]);
    show("page_i", results[2]);
    show("  dear_i", dear);
    show("readonly", results[3]);
    show("miss", results[4]);
    show("misaligned_miss", results[5]);
    show("misaligned", results[6]);
    return 0;
}
