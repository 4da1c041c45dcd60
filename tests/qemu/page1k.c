/*
 * page1k.c: pages of 1 KiB, the chip's smallest. Four neighbours that are shuffled, with rights of their own, and code
 * in one of them.
 */
#include "bare.h"

#define VIRTUAL  0x00200000
#define PHYSICAL 0x00300000

static uint32_t word(uint32_t address)
{
    return *(volatile uint32_t *)address;
}

// In translated mode: reads of three pages; a write to a read-only one; a read behind the last one.
static uint32_t load(void)
{
    uint32_t sum = word(VIRTUAL) << 24 | word(VIRTUAL + 0x400) << 16 | word(VIRTUAL + 0xBFC) << 8;

    *(volatile uint32_t *)(VIRTUAL + 0x800) = 0x77;     // written
    *(volatile uint32_t *)(VIRTUAL + 0x400) = 0x66;     // not written: DSI
    return sum | (interrupt.vector >> 8);
}

static uint32_t behind(void)
{
    (void)word(VIRTUAL + 0x1000);
    return interrupt.vector;
}

int main(void)
{
    uint32_t (*moved)(void);

    for (uint32_t page = 0; page < 4; page++) {
        for (uint32_t offset = 0; offset < 0x400; offset += 4) {
            *(volatile uint32_t *)(PHYSICAL + page * 0x400 + offset) = 0x10 + page;
        }
    }
    // addi r3,r3,5; blr: at the end of physical page 1
    *(volatile uint32_t *)(PHYSICAL + 0x7F8) = 0x38630005;
    *(volatile uint32_t *)(PHYSICAL + 0x7FC) = 0x4E800020;

    tlbia();
    tlb_write(0, 0x00000000 | TLB_SIZE(5) | TLB_V, 0x00000000 | TLB_EX | TLB_WR);
    tlb_write(1, VIRTUAL | TLB_SIZE(0) | TLB_V, (PHYSICAL + 0xC00) | TLB_WR);
    tlb_write(2, (VIRTUAL + 0x400) | TLB_SIZE(0) | TLB_V, PHYSICAL + 0x800);
    tlb_write(3, (VIRTUAL + 0x800) | TLB_SIZE(0) | TLB_V, PHYSICAL | TLB_WR);
    tlb_write(4, (VIRTUAL + 0xC00) | TLB_SIZE(0) | TLB_V, (PHYSICAL + 0x400) | TLB_EX);
    show("hi", tlbre_hi(2));

    show("load", run_in(load, MSR_IR | MSR_DR, 0, 0, 0));
    show("written", word(PHYSICAL));
    show("unwritten", word(PHYSICAL + 0x800));
    show("behind", run_in(behind, MSR_IR | MSR_DR, 0, 0, 0));
    moved = (uint32_t (*)(void))(VIRTUAL + 0xFF8);
    show("code", run_in(moved, MSR_IR | MSR_DR, 0x100, 0, 0));

    // One neighbour moves on: the others stay.
    tlbwe_hi(2, 0);
    tlb_write(2, (VIRTUAL + 0x400) | TLB_SIZE(0) | TLB_V, (PHYSICAL + 0xC00) | TLB_WR);
    show("moved", run_in(load, MSR_IR | MSR_DR, 0, 0, 0));
    return 0;
}
