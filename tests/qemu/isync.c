/*
 * isync.c: what isync and sync make effective without an interrupt or rfi in between: a new PID, as when a kernel changes
 * processes and then copies to or from the new one; a new ZPR; a new word 1 of a TLB entry in use.
 * One effective page, two pages of memory: A under PID 1, B under PID 2.
 */
#include "bare.h"

#define WINDOW 0x40000000
#define PAGE_A 0x00080000
#define PAGE_B 0x00081000
#define WORD(address) (*(volatile uint32_t *)(address))
#define OPEN   0xD0000000       // ZPR: zone 0 all granted, zone 1 by the entry
#define CLOSED 0x50000000       // both by the entry

static struct answers {
    uint32_t first, second, written_a, written_b, back, by_sync, fetched, open, closed, moved;
} answer;

static void space(uint32_t pid, uint32_t page)
{
    mtspr(PID, pid);
    tlb_write(pid, WINDOW | TLB_SIZE(1) | TLB_V, page | TLB_EX | TLB_WR);
    WORD(page + 0x10) = 0x38600000 | pid;       // li 3,pid
    WORD(page + 0x14) = 0x4E800020;             // blr
    __asm__ volatile("dcbst 0,%0; sync; icbi 0,%0; isync" : : "r"(page + 0x10) : "memory");
}

static void pid_is(uint32_t pid)
{
    mtspr(PID, pid);
    isync();
}

// Data storage interrupts by a store to a page of zone 0 that its entry does not let be written.
static uint32_t faults(uint32_t zpr)
{
    uint32_t before = interrupt.count;

    mtspr(ZPR, zpr);
    isync();
    WORD(WINDOW + 0x1000) = zpr;
    return interrupt.count - before;
}

// With translation. The program's own entry is of zone 1 and global.
static uint32_t probe(void)
{
    uint32_t (*code)(void) = (uint32_t (*)(void))(WINDOW + 0x10);

    pid_is(1);
    answer.first = WORD(WINDOW);
    answer.fetched = code() << 4;
    pid_is(2);
    answer.second = WORD(WINDOW);
    WORD(WINDOW) = 0xBB;
    answer.written_a = WORD(PAGE_A);
    answer.written_b = WORD(PAGE_B);
    answer.fetched |= code();
    pid_is(1);
    answer.back = WORD(WINDOW);
    mtspr(PID, 2);
    __asm__ volatile("sync" : : : "memory");
    answer.by_sync = WORD(WINDOW);

    answer.open = faults(OPEN);
    answer.closed = faults(CLOSED);

    answer.moved = WORD(WINDOW + 0x2000) << 8;
    tlbwe_lo(4, PAGE_B | TLB_WR);
    isync();
    answer.moved |= WORD(WINDOW + 0x2000);
    return 0;
}

int main(void)
{
    WORD(PAGE_A) = 0xA;
    WORD(PAGE_B) = 0xB;
    tlbia();
    mtspr(ZPR, CLOSED);
    mtspr(PID, 0);
    tlb_write(0, TLB_SIZE(5) | TLB_V, TLB_EX | TLB_WR | TLB_ZSEL(1));
    tlb_write(3, (WINDOW + 0x1000) | TLB_SIZE(1) | TLB_V, 0x00082000);
    tlb_write(4, (WINDOW + 0x2000) | TLB_SIZE(1) | TLB_V, PAGE_A | TLB_WR);
    space(1, PAGE_A);
    space(2, PAGE_B);
    run_in(probe, MSR_IR | MSR_DR, 0, 0, 0);
    show("first", answer.first);
    show("second", answer.second);
    show("written_a", answer.written_a);
    show("written_b", answer.written_b);
    show("back", answer.back);
    show("by_sync", answer.by_sync);
    show("fetched", answer.fetched);
    show("open", answer.open);
    show("closed", answer.closed);
    show("moved", answer.moved);
    return 0;
}
