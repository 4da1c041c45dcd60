/*
 * hybridtest.c: a guest that tests hypercalls, register pages and pre-virtualization from the guest's side. What it does is
 * chosen by its role (r3 at the start, by the partition file) and, in the first role, by hybrid_select.
 */
#include "hybridtest.h"

#define IN_FILE __attribute__((section(".data")))

/* A test may change these in a copy of the ELF. */
volatile uint32_t hybrid_seed = 1;
volatile uint32_t hybrid_select = 0x5;     /* of roles[0]: 1 calls, 4 property, 8 hostile, 16 typed input */
volatile uint32_t hybrid_steps = 100000;   /* of the property test */
volatile uint32_t hybrid_busy_ms = 300;    /* of computing in role busy */
IN_FILE volatile uint32_t hybrid_reckless; /* hostile: it need not live on */
volatile uint32_t hybrid_sites = 0xFF;     /* of the table (sites.S): those that are patched */
IN_FILE volatile uint32_t hybrid_refused;  /* the word `previrt` of the pages, if the table is refused */

uint32_t role, my_index, my_count, my_quantum_us, my_quantum;
static uint32_t random_state;

enum { ROLE_TEST, ROLE_AGAIN, ROLE_PLAIN, ROLE_MUTE, ROLE_BUSY };

static const char *const names[] = {"hybrid", "again", "plain", "mute", "busy"};

uint32_t random_word(void)
{
    random_state ^= random_state << 13;
    random_state ^= random_state >> 17;
    random_state ^= random_state << 5;
    return random_state * 0x9E3779B1u;
}

/* 0 to limit - 1 */
uint32_t random_below(uint32_t limit)
{
    return (uint32_t)((uint64_t)random_word() * limit >> 32);
}

uint32_t time_low(void)
{
    uint32_t value;

    __asm__ volatile("mftb %0" : "=r"(value));
    return value;
}

/* The compiler calls these for structures. */
void *memcpy(void *to, const void *from, __SIZE_TYPE__ bytes)
{
    volatile uint8_t *at = to;

    while (bytes--) {
        *at++ = *(const uint8_t *)from;
        from = (const uint8_t *)from + 1;
    }
    return to;
}

void *memset(void *to, int value, __SIZE_TYPE__ bytes)
{
    volatile uint8_t *at = to;

    while (bytes--) {
        *at++ = (uint8_t)value;
    }
    return to;
}

static void put(char c)
{
    if (role != ROLE_MUTE) {
        board_putc(c);
    }
}

void put_text(const char *text)
{
    while (*text) {
        put(*text++);
    }
}

void put_hex(uint32_t value)
{
    for (int shift = 28; shift >= 0; shift -= 4) {
        put("0123456789ABCDEF"[(value >> shift) & 15]);
    }
}

void put_decimal(uint32_t value)
{
    char digits[10];
    int count = 0;

    do {
        digits[count++] = (char)('0' + value % 10);
        value /= 10;
    } while (value);
    while (count) {
        put(digits[--count]);
    }
}

/* A fetch outside the memory with machine checks disabled: the hypervisor stops the VM and names `pc`. */
void stop(uint32_t pc)
{
    __asm__ volatile("mtspr 0x01A, %0\n mtspr 0x01B, %1\n rfi" ::"r"(pc), "r"(0));
    __builtin_unreachable();
}

void fail(const char *what, uint32_t where, uint32_t expected, uint32_t found)
{
    mtmsr(MSR_ME);
    put_text("\n");
    put_text(names[role]);
    put_text(": FAIL ");
    put_text(what);
    put(' ');
    put_hex(where);
    put_text(" expected ");
    put_hex(expected);
    put_text(" found ");
    put_hex(found);
    put('\n');
    stop(0xBAD00000 | (where & 0xFFFF) << 2);
}

void expect(const char *what, uint32_t where, uint32_t expected, uint32_t found)
{
    if (expected != found) {
        fail(what, where, expected, found);
    }
}

void code_at(uint32_t address, const uint32_t *words, uint32_t count)
{
    volatile uint32_t *to = (volatile uint32_t *)address;

    for (uint32_t i = 0; i < count; i++) {
        to[i] = words[i];
        __asm__ volatile("dcbst 0, %0\n sync\n icbi 0, %0" ::"r"(&to[i]) : "memory");
    }
    __asm__ volatile("sync\n isync" ::: "memory");
}

extern uint32_t run_in(uint32_t pc, uint32_t msr);

uint32_t run_code(const struct machine *m, uint32_t pc, uint32_t msr)
{
    *(volatile struct machine *)IN = *m;
    return run_in(pc, msr);
}

/* What only a para-virtualized VM with pages is asked to do. */
static void test(void)
{
    uint32_t select = hybrid_select;

    expect("page version", 0, PAGE_VERSION, proteus_page_version());
    if (select & 8) {
        hostile();
    }
    if (select & 16) {
        type();
    }
    if (select & 1) {
        calls();
    }
    if (select & 4) {
        property();
    }
}

void hybrid_main(uint32_t what, uint32_t index, uint32_t count, uint32_t quantum_us)
{
    static void (*const roles[])(void) = {test, start_again, plain, mute, busy};

    role = what;
    my_index = index;
    my_count = count;
    my_quantum_us = quantum_us;
    my_quantum = quantum_us * (BOARD_TB_HZ / 1000) / 1000;
    random_state = (hybrid_seed + 0x10000 * index) * 0x85EBCA6Bu | 1;
    mtmsr(MSR_ME);
    roles[role]();
    mtmsr(MSR_ME);
    put_text(names[role]);
    put_text(": PASS\n");
    stop(END);
}
