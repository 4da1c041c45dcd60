/*
 * hostile.c: all that comes from the guest by hypercalls and register pages, at random: words of the writable page, numbers,
 * arguments, buffers around the ends of the memory and on the pages, traps of the lazy sequences, with interrupts at any time.
 * Short pieces of code run with random registers; every exception ends one. What a piece has changed stays, but for what this
 * loop itself needs.
 *
 * hybrid_reckless 0 spares what ends the VM for good (translation, machine checks off, other vectors); the watchdog restarts
 * it when it waits for nothing.
 */
#include "hybridtest.h"

#define PIECE  16 /* instructions */
#define TAIL   8  /* traps behind them: as far as a lazy sequence jumps */
#define REPORT 32 /* actions between two lines */

#define TCR_LEASH (TCR_PIE | 0x58000000u) /* watchdog: interrupt, then core reset; 2^21 ticks */

/* r24 to r31 hold values for MSR, which only MSR gets. */
#define MSR_FIRST 24

static struct machine m;
static uint32_t actions;

static uint32_t any_register(void)
{
    return random_below(hybrid_reckless ? 32 : MSR_FIRST);
}

static uint32_t msr_register(void)
{
    return hybrid_reckless ? any_register() : MSR_FIRST + random_below(32 - MSR_FIRST);
}

static uint32_t any_msr(void)
{
    uint32_t msr = (random_word() & (MSR_CE | MSR_EE | MSR_PR | MSR_FP | MSR_FE0 | MSR_DWE | MSR_DE)) | MSR_ME;

    if (random_below(16) == 0) {
        msr |= MSR_WE | MSR_EE | MSR_CE;
    }
    return hybrid_reckless && random_below(1024) == 0 ? random_word() : msr;
}

/* Numbers and addresses at which something ends. */
static uint32_t any_value(void)
{
    static const uint32_t values[] = {0, 1, 64, 255, 256, 0xFFFFFFFF, 0x80000000, 0x7FFFFFFF, RAM_SIZE, PROTEUS_PAGE, BUFFER,
                                      TSR_PIS, 0x08000000, BOARD_UART_FIRST, 0x100, BOARD_TB_HZ / 1000, 0x30000000};

    switch (random_below(5)) {
    case 0:
        return random_word();
    case 1:
        return random_below(1024);
    case 2:
        return time_low() + random_below(2000);
    default:
        return values[random_below(sizeof(values) / 4)] + random_below(17) - 8;
    }
}

static uint32_t any_displacement(void)
{
    static const int16_t words[] = {PROTEUS_WORD_SRR0, PROTEUS_WORD_SRR1, PROTEUS_WORD_SPRG0, PROTEUS_WORD_TSR, PROTEUS_WORD_PID,
                                    PROTEUS_WORD_ZPR, PROTEUS_WORD_PENDING, PROTEUS_WORD_FEATURES};
    uint32_t offset = random_below(4) ? (uint32_t)words[random_below(8)] : random_below(2048) - 1024;

    return (PROTEUS_PAGE + offset) & 0xFFFF;
}

static uint32_t is_msr(uint32_t displacement)
{
    uint32_t distance = displacement - ((PROTEUS_PAGE + (uint32_t)PROTEUS_WORD_MSR) & 0xFFFF) + 3;

    return distance < 7 || (hybrid_reckless == 0 && displacement == ((PROTEUS_PAGE + (uint32_t)PROTEUS_WORD_SRR1) & 0xFFFF));
}

/* stw, sth, stb to the writable page, or (in vain) the other. */
static uint32_t store(void)
{
    static const uint32_t kinds[] = {0x90000000, 0x90000000, 0x98000000, 0xB0000000};
    uint32_t displacement = any_displacement();

    if (is_msr(displacement)) {
        return 0x90000000 | msr_register() << 21 | (displacement & ~3u);
    }
    return kinds[random_below(4)] | any_register() << 21 | displacement;
}

static uint32_t trap_word(void)
{
    static const uint32_t kinds[] = {PAGE_CHECK, PAGE_MODE, PAGE_CHECK, PAGE_MODE, 0x700, 0x7FC, 0};

    return 0x0C200000 | any_register() << 16 | kinds[random_below(7)];
}

static uint32_t spr_insn(void)
{
    static const uint16_t numbers[] = {0x01A, 0x01B, 0x110, 0x114, 0x3B0, 0x3B1, 0x3B3, 0x3D4, 0x3D8, 0x3DA, 0x3DB, 0x3DE,
                                       0x3DF, 0x3F0, 0x3FA};
    uint32_t number = hybrid_reckless && random_below(32) == 0 ? random_below(1024) : numbers[random_below(15)];

    if (random_below(2)) {
        return MFSPR(any_register(), number);
    }
    return MTSPR(number, number == 0x01B ? msr_register() : any_register());
}

/* Any call at all, or a sensible number in r0 just before it. */
static uint32_t call_words(uint32_t *words)
{
    uint32_t number = random_below(8) ? random_below(28) : random_below(0x10000);

    words[0] = 0x3C000000 | (random_below(32) ? HCALL_TAG : random_below(0x10000)); /* lis r0 */
    words[1] = 0x60000000 | number;                                                 /* ori r0, r0 */
    words[2] = number == HCALL_NR_MSR_SET ? 0x60030000 | msr_register() << 21 : NOP; /* ori r3 */
    if (number == HCALL_NR_SLEEP_UNTIL && !hybrid_reckless && random_below(8)) {
        words[2] = 0x7C6C42E6; /* mftb r3: not for long */
    }
    words[3] = SC;
    return 4;
}

static uint32_t msr_insn(void)
{
    switch (random_below(4)) {
    case 0:
        return 0x7C000146; /* wrteei 0 */
    case 1:
        return 0x7C008146; /* wrteei 1 */
    case 2:
        return 0x7C000106 | any_register() << 21; /* wrtee */
    default:
        return 0x7C000124 | msr_register() << 21; /* mtmsr */
    }
}

/* A whole lazy sequence, as guests have them. */
static uint32_t lazy_words(uint32_t *words)
{
    uint32_t t = any_register(), page = (PROTEUS_PAGE + (uint32_t)PROTEUS_WORD_MSR) & 0xFFFF;

    words[0] = 0x80000000 | t << 21 | page;
    words[1] = 0x60008000 | t << 21 | t << 16; /* ori */
    words[2] = 0x90000000 | t << 21 | page;
    words[3] = 0x80000000 | t << 21 | ((PROTEUS_PAGE + PROTEUS_WORD_PENDING) & 0xFFFF);
    words[4] = 0x0C200000 | t << 16 | PAGE_CHECK;
    return 5;
}

static uint32_t make_piece(uint32_t *words)
{
    uint32_t count = 0;

    while (count < PIECE) {
        uint32_t dice = random_below(16);

        if (dice < 6) {
            words[count++] = store();
        } else if (dice < 7) {
            words[count++] = 0x80000000 | any_register() << 21 | any_displacement(); /* lwz */
        } else if (dice < 11) {
            count += call_words(words + count);
        } else if (dice < 12) {
            count += lazy_words(words + count);
        } else if (dice < 13) {
            words[count++] = trap_word();
        } else if (dice < 15) {
            words[count++] = spr_insn();
        } else {
            words[count++] = msr_insn();
        }
    }
    return count;
}

static void random_machine(void)
{
    for (uint32_t i = 0; i < 32; i++) {
        m.gpr[i] = i >= MSR_FIRST ? any_msr() : any_value();
    }
    m.cr = random_word();
    m.xer = random_word() & 0xE000007F;
    m.lr = BUFFER;
    m.ctr = random_word();
}

/* What this loop needs: vectors, time, and interrupts that the pieces expect. */
static void recover(void)
{
    mtspr(EVPR, 0);
    mtspr(TSR, 0xFFFFFFFF);
    mtspr(TCR, TCR_LEASH);
    mtspr(PIT, 300 + random_below(20000));
    (void)proteus_sched_set(HCALL_SCHED_QUANTUM, my_quantum);
    controller_disturb();
}

static void report(void)
{
    mtmsr(MSR_ME);
    put_text("\nhybrid: actions ");
    put_hex(actions);
    put_text("\n");
    expect("page version", actions, PAGE_VERSION, proteus_page_version());
    expect("hypercalls", actions, HCALL_VERSION, (uint32_t)proteus_version((proteus_word[1]){0}));
}

/* The run ends when the others have their verdict. */
void hostile(void)
{
    uint32_t words[PIECE + 5 + TAIL];

    put_text("hybrid: hostile\n");
    for (uint32_t i = time_low() >> 6 & 1023; i; i--) { /* another life, other actions */
        (void)random_word();
    }
    for (;;) {
        uint32_t count = make_piece(words);

        for (uint32_t i = 0; i < TAIL; i++) {
            words[count++] = TRAP;
        }
        code_at(BUFFER, words, count);
        random_machine();
        recover();
        (void)run_code(&m, BUFFER, any_msr() | (random_below(4) ? MSR_EE : 0));
        if (++actions % REPORT == 0) {
            report();
        }
    }
}
