/*
 * tlbcalls.c: what the hypercalls of option TLB_CALLS write, against what tlbwe writes, entry by entry; then memory through it.
 *
 * r3: seed. Each round compares entries of a random table written by instructions with the same by one call, or by calls for one;
 * tries each error, which must change nothing; and reads its own memory by other addresses, under as many PIDs as pages.
 */
#include <proteus/proteus.h>

#define GUEST "tlbcalls"
#include "simple.h"
#include "verdict.h"

#define ENTRIES 64u
#define ROUNDS  200u
#define PAGES   8u
#define FAR     0x40000000u /* pages of it are pages of ours, in the wrong order */
#define PAGE    0x1000u
#define VALID   0x40u
#define SIZE(n) ((n) << 7)
#define LO_ALL  0x300u      /* execute, write */
#define OUTSIDE 0x00FFFFF0u

struct row {
    uint32_t index, hi, lo, tid;
};

static struct row table[ENTRIES] __attribute__((aligned(4)));
static struct row written[ENTRIES], called[ENTRIES];
static uint32_t far[PAGES][PAGE / 4] __attribute__((aligned(PAGE)));
static uint32_t state, errors;

void simple_interrupt(void)
{
    fail("interrupt", 0, 0);
}

void simple_unexpected(uint32_t vector)
{
    fail("unexpected exception", vector, 0);
}

static uint32_t random_word(void)
{
    state ^= state << 13;
    state ^= state >> 17;
    return state ^= state << 5;
}

static void set_pid(uint32_t pid)
{
    __asm__ volatile("mtspr 0x3B1, %0\n isync" ::"r"(pid));
}

static uint32_t get_pid(void)
{
    uint32_t pid;

    __asm__ volatile("mfspr %0, 0x3B1" : "=r"(pid));
    return pid;
}

static void by_instructions(const struct row *row)
{
    set_pid(row->tid);
    __asm__ volatile("tlbwe %0, %2, 1\n tlbwe %1, %2, 0\n isync" ::"r"(row->lo), "r"(row->hi), "r"(row->index));
}

/* All entries as they are. A read of word 0 leaves TID in PID. */
static void read_all(struct row *rows)
{
    for (uint32_t index = 0; index < ENTRIES; index++) {
        rows[index].index = index;
        __asm__ volatile("tlbre %0, %2, 1\n tlbre %1, %2, 0"
                         : "=&r"(rows[index].lo), "=r"(rows[index].hi) : "r"(index));
        rows[index].tid = get_pid();
    }
}

static void forget_all(void)
{
    __asm__ volatile("tlbia\n isync");
}

static void compare(const char *what)
{
    for (uint32_t index = 0; index < ENTRIES; index++) {
        expect(what, index, written[index].hi, called[index].hi);
        expect(what, index, written[index].tid, called[index].tid);
        if (written[index].hi & VALID) {
            expect(what, index, written[index].lo, called[index].lo);
        }
    }
}

static void random_table(uint32_t count)
{
    for (uint32_t number = 0; number < count; number++) {
        table[number].index = random_word() % ENTRIES;
        table[number].hi = (random_word() & 0xFFFFFC00u) | SIZE(1u + random_word() % 7u) | VALID;
        table[number].lo = random_word();
        table[number].tid = random_word() & 0xFFu;
    }
}

/* The same table three ways */
static void entries(uint32_t count)
{
    random_table(count);
    forget_all();
    for (uint32_t number = 0; number < count; number++) {
        by_instructions(&table[number]);
    }
    read_all(written);
    forget_all();
    set_pid(0x5A);
    expect("status of a batch", count, 0, (uint32_t)proteus_tlb_batch(table, count));
    expect("pid", count, 0x5A, get_pid());
    read_all(called);
    compare("entry of a batch");
    forget_all();
    for (uint32_t number = 0; number < count; number++) {
        expect("status of a write", number, 0,
               (uint32_t)proteus_tlb_write(table[number].index, table[number].hi, table[number].lo, table[number].tid));
    }
    read_all(called);
    compare("entry of a write");
}

/* Each error leaves all entries as they are. */
static void refused(uint32_t expected, uint32_t status)
{
    errors++;
    expect("error", errors, expected, status);
    read_all(called);
    compare("entry after an error");
}

static void wrong(void)
{
    uint32_t last = random_word() % ENTRIES;

    read_all(written);
    refused((uint32_t)HCALL_E_ARGUMENT, (uint32_t)proteus_tlb_write(ENTRIES, VALID, 0, 0));
    refused((uint32_t)HCALL_E_ARGUMENT, (uint32_t)proteus_tlb_write(0, VALID, 0, 256));
    refused((uint32_t)HCALL_E_ARGUMENT, (uint32_t)proteus_tlb_batch(table, ENTRIES + 1));
    refused((uint32_t)HCALL_E_POINTER, (uint32_t)proteus_tlb_batch((const char *)table + 2, 1));
    refused((uint32_t)HCALL_E_POINTER, (uint32_t)proteus_tlb_batch((const void *)OUTSIDE, 1));
    random_table(ENTRIES);
    table[last].tid |= 0x100;
    refused((uint32_t)HCALL_E_ARGUMENT, (uint32_t)proteus_tlb_batch(table, ENTRIES));
}

/* A page under each PID, and our own memory under all: read and written with translation on */
static void memory(void)
{
    uint32_t turn = random_word();

    forget_all();
    table[0] = (struct row){0, SIZE(5) | VALID, LO_ALL, 0}; /* 1 MiB */
    for (uint32_t page = 0; page < PAGES; page++) {
        far[page][turn % (PAGE / 4)] = turn ^ page;
        table[page + 1] = (struct row){ENTRIES - 1 - page, FAR | SIZE(1) | VALID, (uint32_t)far[page] | LO_ALL, page + 1};
    }
    expect("status of a map", 0, 0, (uint32_t)proteus_tlb_batch(table, PAGES + 1));
    for (uint32_t page = 0; page < PAGES; page++) {
        volatile uint32_t *word = (volatile uint32_t *)FAR + turn % (PAGE / 4);
        uint32_t found, msr;

        set_pid(page + 1);
        __asm__ volatile("mfmsr %1\n ori %0, %1, 0x30\n mtmsr %0\n isync\n lwz %0, 0(%2)\n stw %3, 0(%2)\n mtmsr %1\n isync"
                         : "=&r"(found), "=&r"(msr) : "b"(word), "r"(~turn + page) : "memory");
        expect("read", page, turn ^ page, found);
        expect("written", page, ~turn + page, *(volatile uint32_t *)&far[page][turn % (PAGE / 4)]);
    }
    forget_all();
}

void simple_main(uint32_t r3, uint32_t r4)
{
    (void)r4;
    state = r3;
    for (uint32_t round = 0; round < ROUNDS; round++) {
        entries(random_word() % (ENTRIES + 1));
        wrong();
        memory();
    }
    put_text("tlbcalls: PASS errors=");
    put_decimal(errors);
    board_putc('\n');
    end();
}
