/*
 * lives.c: a guest that is reset again and again, by its own doing, and looks for what is left of the life before.
 *
 * Only a VM with on_reset = "restart" has another life. What it does with each: lives_role, which a test sets in a copy of the
 * ELF. r3 is the size of its memory.
 */
#include "lives.h"
#include "print.h"

#define TCR_WRC_CORE 0x10000000u
#define TCR_WP(n)    ((uint32_t)(n) << 30)
#define TCR_PIE      0x04000000u
#define TSR_ALL      0xFFFFFFFFu
#define MRR(dbsr)    ((dbsr) >> 8 & 3)
#define PATTERN      0xA5C35A3Cu

enum {
    RESIDUE, /* fills all it has, resets in turn by itself and by its watchdog, and says so */
    LOOP,    /* resets itself at once */
    WATCHED, /* waits until its watchdog resets it, and does nothing else */
    HOLD,    /* waits until its slice is over, and is reset just then; computes, and looks whether anybody else does */
};

#define IN_THE_FILE __attribute__((section(".data"))) /* not in .bss, although zero */
volatile uint32_t lives_role IN_THE_FILE = RESIDUE;
volatile uint32_t lives_period IN_THE_FILE = 0; /* of the watchdog: TCR[WP] */

static volatile uint32_t fresh IN_THE_FILE = 0x600D600D;

extern uint32_t __image_end[];

#define mtspr(number, value) __asm__ volatile("mtspr %0, %1" ::"i"(number), "r"(value) : "memory")
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

static void msr_write(uint32_t value)
{
    __asm__ volatile("mtmsr %0\n isync" ::"r"(value) : "memory");
}

static void __attribute__((noreturn)) wait_for_ever(void)
{
    for (;;) {
        msr_write(MSR_WE | MSR_ME);
    }
}

static void __attribute__((noreturn)) fail(const char *what, uint32_t number, uint32_t found)
{
    put_text("lives: FAIL ");
    put_text(what);
    board_putc(' ');
    put_hex(number);
    put_text(" found ");
    put_hex(found);
    board_putc('\n');
    wait_for_ever();
}

void lives_unexpected(uint32_t vector)
{
    fail("unexpected exception", vector, 0);
}

static void expect(const char *what, uint32_t number, uint32_t expected, uint32_t found)
{
    if (expected != found) {
        fail(what, number, found);
    }
}

/* ---- what may be left ---- */

/* SPRs that a reset leaves zero here, and that hold what is written to them; of TSR and DBSR see below. USPRG0 is SPRG0 on
 * QEMU. */
#define FOR_EACH_SPR(X)                                                                                           \
    X(0x01A) X(0x01B) X(0x110) X(0x111) X(0x112) X(0x113) X(0x114) X(0x115) X(0x116) X(0x117) X(0x3B0) X(0x3BA)  \
    X(0x3BB) X(0x3BC) X(0x3D4) X(0x3D5) X(0x3DE) X(0x3DF) X(0x3FA) X(0x3FB)                                      \
    X(0x3F4) X(0x3F5) X(0x3B4) X(0x3B5) X(0x3F6) X(0x3F7) X(0x3B6) X(0x3B7) X(0x3BD)

static void check_registers(const struct start *start)
{
    for (uint32_t i = 0; i < 32; i++) {
        if (i != 3) {
            expect("r", i, 0, start->gpr[i]);
        }
    }
    expect("cr", 0, 0, start->cr);
    expect("lr", 0, 0, start->lr);
    expect("ctr", 0, 0, start->ctr);
    expect("xer", 0, 0, start->xer);
    expect("msr", 0, 0, start->msr);
    expect("evpr", 0, 0, start->evpr);
#define CHECK(number) expect("spr", number, 0, mfspr(number));
    FOR_EACH_SPR(CHECK)
    CHECK(0x3B1) /* PID */
    CHECK(0x3DA) /* TCR */
    CHECK(0x3DB) /* PIT */
    CHECK(0x3F2) /* DBCR0 */
    expect("sgr", 0, 0xFFFFFFFF, mfspr(0x3B9));
    expect("ccr0", 0, 0x00700000, mfspr(0x3B3));
}

static void set_registers(void)
{
#define SET(number) mtspr(number, PATTERN ^ (number));
    FOR_EACH_SPR(SET)
    SET(0x3B9)
    SET(0x3B3)
    mtspr(0x3D6, 0x00010000);
    mtspr(0x3DB, 0x7FFFFFFF);
    mtspr(0x3B1, 0x5A);
}

/* tlbre of the high word changes PID. Without a virtual TLB all of it is zero for ever. */
static void check_tlb(void)
{
    for (uint32_t i = 0; i < 64; i++) {
        uint32_t hi, lo;

        __asm__ volatile("tlbre %0, %1, 0" : "=r"(hi) : "r"(i));
        __asm__ volatile("tlbre %0, %1, 1" : "=r"(lo) : "r"(i));
        expect("tlb", i, 0, hi | lo | mfspr(0x3B1));
    }
}

static void set_tlb(void)
{
    for (uint32_t i = 0; i < 64; i++) {
        mtspr(0x3B1, i + 1);
        __asm__ volatile("tlbwe %0, %1, 1" ::"r"(i << 12 | 0x300), "r"(i));
        __asm__ volatile("tlbwe %0, %1, 0" ::"r"(0x40000000 | i << 12 | 0xC0), "r"(i));
    }
}

static void check_memory(uint32_t size)
{
    uint32_t *word;

    expect("data", (uint32_t)&fresh, 0x600D600D, fresh);
    for (word = __image_end; word < (uint32_t *)0x7000; word++) { /* from there on the stack */
        expect("memory", (uint32_t)word, 0, *word);
    }
    for (word = (uint32_t *)0x8000; word < (uint32_t *)size; word++) {
        expect("memory", (uint32_t)word, 0, *word);
    }
}

static void set_memory(uint32_t size)
{
    uint32_t *word;

    fresh = 0xBADBAD;
    for (word = __image_end; word < (uint32_t *)0x7000; word++) {
        *word = PATTERN;
    }
    for (word = (uint32_t *)0x8000; word < (uint32_t *)size; word++) {
        *word = PATTERN;
    }
}

/* ---- the end of a life ---- */

static void __attribute__((noreturn)) reset(uint32_t kind)
{
    mtspr(0x3F2, kind << 28);
    fail("still alive after a reset of kind", kind, 0);
}

static void __attribute__((noreturn)) wait_for_the_watchdog(void)
{
    mtspr(0x3D8, TSR_ALL);
    mtspr(0x3DA, TCR_WRC_CORE | TCR_WP(lives_period));
    wait_for_ever();
}

/* The other registers of a fill: what C uses itself. */
static void __attribute__((noreturn)) fill_and_reset(uint32_t kind)
{
    register uint32_t last __asm__("r3") = kind << 28;

    __asm__ volatile("mtctr %0\n mtlr %0\n mtxer %1\n mtcrf 0xFF, %1\n lis 4, 0xDEAD\n"
                     ".irp n, 0,1,2,5,6,7,8,9,10,11,12,13,14,15,16,17,18,19,20,21,22,23,24,25,26,27,28,29,30,31\n"
                     "addi \\n, 4, \\n\n .endr\n mtspr 0x3F2, 3\n" ::"r"(PATTERN & ~3u), "r"(0xE000007F), "r"(last)
                     : "memory");
    __builtin_unreachable();
}

static void residue(const struct start *start)
{
    uint32_t size = start->gpr[3];
    uint32_t cause = MRR(mfspr(0x3F0)), status = mfspr(0x3D8);

    check_registers(start);
    check_tlb();
    check_memory(size);
    expect("uart", 0, 0, board_uart_unclean());
    if (cause != 3) { /* the second life and all after it: core by the watchdog, chip by itself */
        expect("cause", cause, cause == 1 ? TCR_WRC_CORE : 0, status & 0x30000000);
    }
    put_text("lives: life after ");
    put_decimal(cause);
    board_putc('\n');
    set_registers();
    set_tlb();
    set_memory(size);
    board_uart_dirty();
    if (cause == 2) {
        wait_for_the_watchdog();
    }
    fill_and_reset(2);
}

/* ---- holding the machine ---- */

#define EVENT     (1u << (17 + 4 * 1 - 1)) /* with TCR[WP] 1: when this bit of the time base rises */
#define BEFORE    400000u                  /* ticks: more than a slice */
#define ALONE_MAX (BOARD_TB_HZ / 10u)      /* for so long nobody else can have had nothing to do */
#define GAP_MIN   1000u

/* For longer in some lives than in others, so that they do not find their neighbour doing the same in all of them. */
static void check_not_alone(void)
{
    uint32_t start = time_low(), last = start, gap = 0, now;

    do {
        now = time_low();
        gap = now - last > gap ? now - last : gap;
        last = now;
    } while (now - start < ALONE_MAX + (start >> 21 & 7) * (ALONE_MAX / 32));
    if (gap < GAP_MIN) {
        fail("alone, longest gap", ALONE_MAX, gap);
    }
}

/*
 * Wakes shortly before the watchdog's event, and waits again: if nobody else runs meanwhile, the machine idles with this VM's
 * registers in place, and with its last slice over, when the third event resets it.
 */
static void hold(void)
{
    check_not_alone();
    mtspr(0x3D8, TSR_ALL);
    mtspr(0x3DA, TCR_WRC_CORE | TCR_WP(1) | TCR_PIE);
    for (;;) {
        uint32_t now = time_low();
        uint32_t wake = (((now + EVENT) & ~(2 * EVENT - 1)) + EVENT) - BEFORE;

        if ((int32_t)(wake - now) < 20000) {
            wake += 2 * EVENT;
        }
        *(volatile uint32_t *)WOKEN = 0;
        mtspr(0x3DB, wake - now);
        while (*(volatile uint32_t *)WOKEN == 0) {
            msr_write(MSR_WE | MSR_EE | MSR_ME);
        }
        msr_write(MSR_ME);
    }
}

void lives_main(const struct start *start)
{
    switch (lives_role) {
    case RESIDUE:
        residue(start);
        break;
    case LOOP:
        reset(1);
    case WATCHED:
        wait_for_the_watchdog();
    default:
        hold();
        break;
    }
}
