/*
 * neighbour.c: a guest that checks all that is its own, again and again, for as long as it is told.
 *
 * Every round it fills all registers and SPRs with new values, arms the PIT and lets itself be interrupted, in turn while
 * it counts (spin) and while it waits (MSR[WE]); then compares every register, every SPR, a piece of its memory, and the time.
 * Of its memory all but the stack and a page of variables is known: the image and a pattern by their CRC-32, all behind them by
 * the address of each word. The first and the last page are looked at in every round, and all before it says PASS. What is wrong
 * is printed at once and ends the run with FAIL.
 *
 * Not checked: USPRG0, which on QEMU 7.2 is SPRG0.
 */
#include "neighbour.h"
#include "print.h"

#define TICKS_PER_MS (BOARD_TB_HZ / 1000u)

#define TCR_PIE 0x04000000u
#define TSR_ALL 0xFFFFFFFFu

#define PATTERN_WORDS 16384u
#define SLICE_WORDS   512u
#define SLICES        (PATTERN_WORDS / SLICE_WORDS)
#define REPORTS       20u
#define PAGE_WORDS    1024u
#define VECTORS_WORDS PAGE_WORDS /* the first page */

/* A test may change these in a copy of the ELF. */
volatile uint32_t neighbour_ms = 2000;         /* how long */
volatile uint32_t neighbour_period_us = 2000;  /* time between two interrupts */
volatile uint32_t neighbour_late_ms = 50;      /* a PIT interrupt that comes later than that is a failure */

static struct watch *const in = (struct watch *)WATCH_IN;
static struct watch *const out = (struct watch *)WATCH_OUT;
static uint32_t pattern[PATTERN_WORDS];
static uint32_t slice_crc[SLICES], image_crc, vectors_crc;
static uint32_t checks, late_max, reported;

extern const uint32_t __vectors[], __text_start[], __image_end[];
extern uint32_t __rest[], __ram_end[];

#define mtspr(number, value) __asm__ volatile("mtspr %0, %1" ::"i"(number), "r"(value))
#define mfspr(number)                                                                                             \
    ({                                                                                                            \
        uint32_t value_;                                                                                          \
        __asm__ volatile("mfspr %0, %1" : "=r"(value_) : "i"(number));                                            \
        value_;                                                                                                   \
    })

static uint32_t time_low(void)
{
    uint32_t value;

    __asm__ volatile("mftb %0" : "=r"(value));
    return value;
}

static uint64_t time_now(void)
{
    uint32_t high, low, again;

    do {
        __asm__ volatile("mftbu %0\n mftb %1\n mftbu %2" : "=r"(high), "=r"(low), "=r"(again));
    } while (high != again);
    return (uint64_t)high << 32 | low;
}

static void end(void)
{
    board_drain();
    mtspr(0x3F2, 0x30000000u);
    for (;;) {
    }
}

static void fail(const char *what, uint32_t number, uint32_t expected, uint32_t found)
{
    put_text("neighbour: FAIL ");
    put_text(what);
    board_putc(' ');
    put_hex(number);
    put_text(" expected ");
    put_hex(expected);
    put_text(" found ");
    put_hex(found);
    put_text(" check ");
    put_decimal(checks);
    board_putc('\n');
    end();
}

static void expect(const char *what, uint32_t number, uint32_t expected, uint32_t found)
{
    if (expected != found) {
        fail(what, number, expected, found);
    }
}

/* CRC-32 (IEEE 802.3, reflected) by nibbles. */
static uint32_t crc_of(const uint32_t *from, uint32_t words)
{
    static const uint32_t table[16] = {0x00000000, 0x1DB71064, 0x3B6E20C8, 0x26D930AC, 0x76DC4190, 0x6B6B51F4,
                                       0x4DB26158, 0x5005713C, 0xEDB88320, 0xF00F9344, 0xD6D6A3E8, 0xCB61B38C,
                                       0x9B64C2B0, 0x86D3D2D4, 0xA00AE278, 0xBDBDF21C};
    uint32_t crc = 0xFFFFFFFFu;

    while (words--) {
        crc ^= *from++;
        for (int nibble = 0; nibble < 8; nibble++) {
            crc = crc >> 4 ^ table[crc & 15];
        }
    }
    return ~crc;
}

/* A value that no other register has, and that changes with every check. */
static uint32_t mark(uint32_t number)
{
    uint32_t value = (checks + 1) * 0x9E3779B9u ^ number * 0x85EBCA6Bu;

    return value ^ value >> 15;
}

/* SPRs that hold what is written to them. SRR2 and SRR3 are no guard against interrupts: none is critical here. */
#define FOR_EACH_SPR(X)                                                                                           \
    X(0x110) X(0x111) X(0x112) X(0x113) X(0x114) X(0x115) X(0x116) X(0x117)                                      \
    X(0x3B0) X(0x3D4) X(0x3D5) X(0x3DE) X(0x3DF) X(0x3BA)

static void set_sprs(void)
{
#define SET(number) mtspr(number, mark(number));
    FOR_EACH_SPR(SET)
    mtspr(0x3B1, mark(0x3B1) & 0xFF); /* PID */
}

static void check_sprs(void)
{
#define CHECK(number) expect("spr", number, mark(number), mfspr(number));
    FOR_EACH_SPR(CHECK)
    expect("pid", 0x3B1, mark(0x3B1) & 0xFF, mfspr(0x3B1));
    expect("evpr", 0x3D6, 0, mfspr(0x3D6));
    expect("tcr", 0x3DA, TCR_PIE, mfspr(0x3DA));
    expect("sprg4", 0x104, mark(0x114), mfspr(0x104));
    expect("sprg7", 0x107, mark(0x117), mfspr(0x107));
}

#define COUNTER 4 /* the register that spin counts in */

static void set_registers(void)
{
    for (uint32_t i = 0; i < 32; i++) {
        in->gpr[i] = mark(i);
    }
    in->gpr[COUNTER] = 0;
    in->cr = mark(100);
    in->xer = mark(101) & 0xE000007F;
    in->lr = mark(102) & ~3u;
    in->ctr = 0xFFFFFFFFu;
}

static void check_registers(int spun)
{
    for (uint32_t i = 0; i < 32; i++) {
        if (i == COUNTER && spun) {
            continue;
        }
        expect("r", i, in->gpr[i], out->gpr[i]);
    }
    expect("cr", 0, in->cr, out->cr);
    expect("xer", 0, in->xer, out->xer);
    expect("lr", 0, in->lr, out->lr);
    if (!spun) {
        expect("ctr", 0, in->ctr, out->ctr);
        return;
    }
    /* Between the addi and the bdnz the sum is one more. */
    expect("count", 0, 0xFFFFFFFFu + (out->srr0 == (uint32_t)spin + 4), out->gpr[COUNTER] + out->ctr);
    if (out->gpr[COUNTER] == 0) {
        fail("count", 0, 1, 0);
    }
}

static void check_interrupt(const char *from, const char *to, uint32_t msr)
{
    expect("vector", 0, 0x1000, out->vector);
    expect("srr1", 0, msr, out->srr1);
    if (out->srr0 < (uint32_t)from || out->srr0 >= (uint32_t)to) {
        fail("srr0", 0, (uint32_t)from, out->srr0);
    }
}

static void check_time(uint32_t start, uint32_t ticks)
{
    uint32_t late = time_low() - start - ticks;

    if (late >= 0x80000000u || late > neighbour_late_ms * TICKS_PER_MS) {
        fail("time", 0, ticks, late + ticks);
    }
    if (late > late_max) {
        late_max = late;
    }
}

/* One wait of `ticks`: counting in user or supervisor state, or idle. */
static void check_wait(uint32_t ticks, int spun)
{
    uint32_t msr = MSR_EE | MSR_ME | (checks & 2 ? MSR_PR : 0);
    const char *from = spun ? spin : idle;
    uint32_t start;

    set_registers();
    set_sprs();
    start = time_low();
    mtspr(0x3D8, TSR_ALL);
    mtspr(0x3DB, ticks);
    watch((uint32_t)from, spun ? msr : msr | MSR_WE);
    check_time(start, ticks);
    check_interrupt(from, spun ? spin_end : idle_end, spun ? msr : out->srr1 & MSR_WE ? msr | MSR_WE : msr);
    check_registers(spun);
    check_sprs();
}

/* What a word of the rest holds. */
static uint32_t rest_of(const uint32_t *at)
{
    return (uint32_t)at * 0x9E3779B1u ^ 0x5A17C0DEu;
}

static void check_rest(const uint32_t *from, const uint32_t *to)
{
    for (; from < to; from++) {
        expect("rest", (uint32_t)from, rest_of(from), *from);
    }
}

static void check_memory(void)
{
    uint32_t slice = checks % SLICES;
    uint32_t pages = (uint32_t)(__ram_end - __rest) / PAGE_WORDS;
    const uint32_t *page = __rest + checks % pages * PAGE_WORDS;

    expect("vectors", 0, vectors_crc, crc_of(__vectors, VECTORS_WORDS));
    check_rest(page, page + PAGE_WORDS);
    check_rest(__ram_end - PAGE_WORDS, __ram_end);
    expect("memory", slice, slice_crc[slice], crc_of(pattern + slice * SLICE_WORDS, SLICE_WORDS));
    if (slice == 0) {
        expect("image", 0, image_crc, crc_of(__text_start, (uint32_t)(__image_end - __text_start)));
    }
}

static void fill_memory(void)
{
    uint32_t value = 0x2545F491;

    for (uint32_t i = 0; i < PATTERN_WORDS; i++) {
        value ^= value << 13;
        value ^= value >> 17;
        value ^= value << 5;
        pattern[i] = value;
    }
    for (uint32_t slice = 0; slice < SLICES; slice++) {
        slice_crc[slice] = crc_of(pattern + slice * SLICE_WORDS, SLICE_WORDS);
    }
    image_crc = crc_of(__text_start, (uint32_t)(__image_end - __text_start));
    vectors_crc = crc_of(__vectors, VECTORS_WORDS);
    for (uint32_t *at = __rest; at < __ram_end; at++) {
        *at = rest_of(at);
    }
}

static void report(uint32_t number)
{
    put_text("neighbour: ok ");
    put_decimal(number);
    board_putc('\n');
    reported = number;
}

void neighbour_main(void)
{
    uint32_t period = neighbour_period_us / 10 * (TICKS_PER_MS / 100);
    uint64_t part = (uint64_t)neighbour_ms * (TICKS_PER_MS / REPORTS);
    uint64_t next = time_now() + part;

    fill_memory();
    mtspr(0x3D8, TSR_ALL);
    mtspr(0x3DA, TCR_PIE);
    while (reported < REPORTS) {
        /* Some of the time counting, the rest waiting: waiting costs the machine that simulates it nothing. */
        uint32_t busy = period / 8 > TICKS_PER_MS / 50 ? TICKS_PER_MS / 50 : period / 8;

        check_wait(busy, 1);
        check_memory();
        check_wait(period - busy, 0);
        checks++;
        if (time_now() >= next) {
            next += part;
            report(reported + 1);
        }
    }
    for (uint32_t slice = 0; slice < SLICES; slice++, checks++) {
        check_memory();
    }
    checks -= SLICES;
    check_rest(__rest, __ram_end);
    put_text("neighbour: PASS checks=");
    put_decimal(checks);
    put_text(" late_us=");
    put_decimal(late_max / (TICKS_PER_MS / 1000));
    board_putc('\n');
    end();
}
