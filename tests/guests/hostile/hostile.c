/*
 * hostile.c: a guest that does all it can to hurt whoever is around it, and goes on as long as it lives.
 *
 * It is a loop of actions: random instructions, wild accesses, wild branches, storms of exceptions, random values in
 * SPRs, DCRs, the TLB and devices, resets. Every exception leads back here, to the rest of the action or to the next
 * one. After some actions it idles, so that hours of its time pass in seconds of the machine that simulates it.
 *
 * Two manners, chosen by hostile_reckless:
 *   0  does not do to itself what ends it for good: machine checks stay enabled, vectors stay where there is code, no TLB
 *      entry is little-endian or smaller than the board's QEMU has. The watchdog's interrupt ends endless loops.
 *   1  anything; it dies early.
 *
 * With hostile_mmu it translates: its TLB is full of entries to everywhere, its own memory, its neighbour's by the machine's
 * addresses, the hypervisor's, devices, nothing; of all sizes, zones, TIDs, overlapping or not; and they, PID and ZPR change at
 * every exception. The handlers are in real mode.
 *
 * With hostile_page it stores other modes and PIDs to its register pages, and goes on without the look that they want;
 * recklessly,
 * anything to any of their words.
 *
 * In either manner its stores hit everything in its memory, itself included, though seldom. A damaged guest may well go on
 * for ever with exceptions of its own making, or in a loop, and never idle again. So whoever idles looks at a checksum of
 * code, constants and settings first, reenter (start.S) counts the exceptions since, and the watchdog interrupts most of
 * this code as it does the actions; what is wrong ends in a reset, after which the memory is as at the first start.
 * Whether it really idles then is not checked: that is the hypervisor's affair.
 *
 * What is filtered in either manner, on boards that the distribution's QEMU 7.2 has: primary opcodes 59, 60, 63, and 4 but for
 * the 405's own, that is words of floating point and vector units. It does not support all of them on a core without such
 * units; our QEMU (tools/qemu) does. Data that is executed by accident is not filtered. Bare, QEMU does not support all that
 * this does to SLER and to the TLB; so this guest is not for running bare.
 */
#include "hostile.h"

/* A test may change these in a copy of the ELF. */
#define SETTING __attribute__((section(".settings"))) volatile uint32_t
SETTING hostile_seed = 1;
SETTING hostile_reckless = 0;       /* 1: see above */
SETTING hostile_actions = 40;       /* between two idle times; at most that */
SETTING hostile_idle_us = 10000;    /* how long those are */
SETTING hostile_report = 0x100;     /* actions between two lines on the console: a power of two */
SETTING hostile_mmu = 1;            /* 1: translation, for a hypervisor with option TLB_VIRT */
SETTING hostile_page = 0;           /* boundary of the register pages, within 32 KiB of zero; 0: it has none */
SETTING hostile_damage = 0;         /* what DAMAGE_ below says, after 300 actions */

#define DAMAGE_UNUSED 1u    /* overwrite what is never executed */
#define DAMAGE_TRAP   2u    /* overwrite what every action executes: an illegal instruction */
#define DAMAGE_LOOP   3u    /* the same: an endless loop */

/* Exceptions since the guest has idled last: start.S counts. */
uint32_t hostile_since_idle;

#define SPR_TSR  0x3D8
#define SPR_TCR  0x3DA
#define SPR_PIT  0x3DB
#define TCR_WIE  0x08000000u
#define TCR_PIE  0x04000000u
#define TCR_ARE  0x00400000u
#define TCR_RUIN 0x30000000u /* WRC: system reset by the watchdog */
#define LEASH    (TCR_WIE | TCR_PIE) /* watchdog period 2^17 ticks: 0.4 ms */

#define SPR_PID  0x3B1
#define SPR_ZPR  0x3B0
#define SPR_DEAR 0x3D5

#define VECTOR_MACHINE_CHECK 0x200u
#define VECTOR_DATA_STORAGE  0x300u
#define VECTOR_DATA_MISS     0x1100u

#define TLB_ENTRIES 64u
#define TLB_CODE    (TLB_ENTRIES - 1) /* the entry of the instruction buffer, if there is one */
#define TLB_VALID   0x40u
#define TLB_LITTLE  0x20u
#define TLB_EX      0x200u
#define SMALLEST    (BOARD_PAGE_MIN == 1024 ? 0u : 1u) /* size of page: QEMU 7.2 has 4 KiB */
#define TLB_WR      0x100u

#define BURST_WORDS    48u
#define PAGE_MSR       124u         /* below the boundary of the register pages */
#define PAGE_PID       4u
#define NOP            0x60000000u
#define BRANCH_TO_SELF 0x48000000u

static uint32_t random_state;
static uint32_t actions, exceptions, faults, checksum; /* faults: TLB misses and storage interrupts among the exceptions */
static struct machine machine;

/* The action under way, for going on with it after an exception. */
static struct {
    uint32_t pc, msr;
    uint32_t repeat;    /* storms: how often again */
    uint32_t pit;       /* storms of the timer: its period */
    uint32_t resume;    /* bursts: how many exceptions may still be stepped over */
    uint32_t start;     /* bursts: where the buffer is, and behind the last word */
    uint32_t end;
    uint32_t translated; /* MSR[IR, DR]: the TLB, PID and ZPR change meanwhile */
} act;

#define mtspr(number, value) __asm__ volatile("mtspr %0, %1" ::"i"(number), "r"(value))
#define mfspr(number)                                                                                             \
    ({                                                                                                            \
        uint32_t value_;                                                                                          \
        __asm__ volatile("mfspr %0, %1" : "=r"(value_) : "i"(number));                                            \
        value_;                                                                                                   \
    })

__attribute__((noinline)) static uint32_t random_word(void)
{
    random_state ^= random_state << 13;
    random_state ^= random_state >> 17;
    random_state ^= random_state << 5;
    return random_state * 0x9E3779B1u;
}

/* 0 to limit - 1 */
static uint32_t random_below(uint32_t limit)
{
    return (uint32_t)((uint64_t)random_word() * limit >> 32);
}

/* Give up on a transmitter that a random write has switched off. */
static void put(char c)
{
    for (uint32_t i = 0; i < 10000 && !board_can_send(); i++) {
    }
    board_send(c);
}

static void put_text(const char *text)
{
    while (*text) {
        put(*text++);
    }
}

static void put_hex(uint32_t value)
{
    for (int shift = 28; shift >= 0; shift -= 4) {
        put("0123456789ABCDEF"[(value >> shift) & 15]);
    }
}

static void report(void)
{
    board_uart_quiet();
    put_text("\nhostile: actions ");
    put_hex(actions);
    put_text(" exceptions ");
    put_hex(exceptions);
    put_text(" translated ");
    put_hex(faults);
    put('\n');
}

/* ---- what is not done ---- */

static uint32_t opcode(uint32_t word)
{
    return word >> 26;
}

static uint32_t extended(uint32_t word)
{
    return (word >> 1) & 0x3FF;
}

static uint32_t spr_of(uint32_t word)
{
    return ((word >> 16) & 31) | ((word >> 6) & 0x3E0);
}

/* Opcode 4 is the 405's multiply-accumulate, whose extended opcodes all end so, and AltiVec. */
static int is_mac(uint32_t word)
{
    uint32_t low = extended(word) & 0x1F;

    return low == 0x08 || low == 0x0C || low == 0x0E;
}

/* Of boards with 4 KiB pages: these are the distribution's QEMU's. */
static int unsupported(uint32_t word)
{
    uint32_t op = opcode(word);

    if (BOARD_PAGE_MIN < 4096) {
        return 0;
    }
    return op == 59 || op == 60 || op == 63 || (op == 4 && !is_mac(word));
}

/* In supervisor state: words after which there may be no more exception that leads back here. */
static int ends_it(uint32_t word)
{
    if (opcode(word) == 19) {
        return extended(word) == 50 || extended(word) == 51;    /* rfi, rfci: an action of their own */
    }
    if (opcode(word) != 31) {
        return 0;
    }
    if (extended(word) == 146) {                                /* mtmsr: likewise */
        return 1;
    }
    if (extended(word) == 978) {                                /* tlbwe of just anything: see change_tlb */
        return hostile_mmu != 0;
    }
    if (extended(word) == 467) {
        uint32_t spr = spr_of(word);

        return spr == 0x3D6 || spr == SPR_TCR || (spr == 0x3F2 && random_below(64)); /* EVPR, TCR, DBCR0 */
    }
    return 0;
}

static int allowed(uint32_t word, uint32_t msr)
{
    return !unsupported(word) && (hostile_reckless || (msr & MSR_PR) || !ends_it(word));
}

/* ---- raw material ---- */

/* An address in or behind what the board's console and interrupt controller have in memory. */
static uint32_t random_device(void)
{
    if (BOARD_IRQ_SPAN && random_below(2)) {
        return BOARD_IRQ_FIRST + random_below(2 * BOARD_IRQ_SPAN + 1);
    }
    return BOARD_UART_FIRST + random_below(2 * BOARD_UART_SPAN);
}

static uint32_t random_address(void)
{
    switch (random_below(8)) {
    case 0:
        return random_below(0x8000);
    case 1:
        return 0x80000 + random_below(0x70000);
    case 2:
        return random_device();
    case 3:
        return random_below(0x8000000);             /* the machine's RAM: the others', if it were not translated */
    case 4:
        return RAM_SIZE - 16 + random_below(32);    /* the edge */
    default:
        return random_word();
    }
}

static uint32_t random_msr(void)
{
    uint32_t msr = random_word();

    if (hostile_reckless) {
        return msr & ~(random_below(4) ? 0x30u : 0);
    }
    return (msr & (MSR_EE | MSR_PR | 0x00082F00u)) | MSR_ME | MSR_CE | act.translated;
}

static void random_machine(void)
{
    for (uint32_t i = 0; i < 32; i++) {
        machine.gpr[i] = random_below(4) ? random_address() : random_below(64);
    }
    machine.cr = random_word();
    machine.xer = random_word();
    machine.lr = random_below(2) ? random_address() : BUFFER + 4 * random_below(BURST_WORDS);
    machine.ctr = random_below(2) ? random_address() : random_below(1000);
}

/* Extended opcodes of all that traps or could: SPRs, DCRs, MSR, TLB, caches. */
static uint32_t privileged_word(void)
{
    static const uint16_t codes[] = {467, 467, 467, 339, 451, 451, 323, 978, 978, 946, 914, 370, 566, 131, 163,
                                     83,  146, 454, 966, 998, 486, 470, 150, 20,  1014, 4,  262, 758, 982, 371};
    uint32_t code = codes[random_below(sizeof(codes) / sizeof(codes[0]))];
    uint32_t word = 31u << 26 | (random_word() & 0x03FFF801) | code << 1;

    if ((code == 451 || code == 323) && random_below(2)) {      /* the UIC, rather than any DCR */
        uint32_t dcr = 0xC0 + random_below(9);

        word = (word & ~0x001FF800u) | (dcr & 31) << 16 | (dcr >> 5) << 11;
    }
    if ((code == 467 || code == 339) && random_below(2)) {      /* SPRs from 0x3B0 up, where most are */
        uint32_t spr = 0x3B0 + random_below(0x50);

        word = (word & ~0x001FF800u) | (spr & 31) << 16 | (spr >> 5) << 11;
    }
    return word;
}

/* Loads and stores of every kind, by immediate and by index. */
static uint32_t access_word(void)
{
    static const uint16_t indexed[] = {23, 55, 87, 119, 279, 311, 343, 375, 151, 183, 215, 247, 407, 439, 534, 662,
                                       790, 918, 533, 597, 661, 725, 20, 150, 1014, 54, 86, 246, 278, 982};

    if (random_below(2)) {
        return (32 + random_below(16)) << 26 | (random_word() & 0x03FFFFFF);
    }
    return 31u << 26 | (random_word() & 0x03FFF801) | (uint32_t)indexed[random_below(30)] << 1;
}

/* A store to one of the 32 highest words of the writable register page. */
static uint32_t page_word(uint32_t value, uint32_t below)
{
    return 36u << 26 | value << 21 | ((hostile_page - below) & 0xFFFF);
}

static void flush_buffer(uint32_t words)
{
    for (uint32_t i = 0; i < words; i++) {
        __asm__ volatile("dcbst 0, %0\n sync\n icbi 0, %0" ::"r"(BUFFER + 4 * i) : "memory");
    }
    __asm__ volatile("sync\n isync" ::: "memory");
}

static void fill_buffer(uint32_t words, uint32_t kind, uint32_t msr)
{
    volatile uint32_t *buffer = (volatile uint32_t *)BUFFER;
    uint32_t word;

    for (uint32_t i = 0; i < words; i++) {
        do {
            uint32_t pick = kind ? kind : 1 + random_below(3);

            word = pick == 1 ? random_word() : pick == 2 ? privileged_word() : access_word();
            if (hostile_page && hostile_reckless && random_below(8) == 0) {
                word = page_word(random_below(32), 4 + 4 * random_below(32));
            }
        } while (!allowed(word, msr));
        buffer[i] = word;
    }
    buffer[words] = 0x44000002;                                 /* sc */
    flush_buffer(words + 1);
}

/* One instruction, and an sc behind it. */
static void fill_with(uint32_t word)
{
    volatile uint32_t *buffer = (volatile uint32_t *)BUFFER;

    buffer[0] = word;
    buffer[1] = 0x44000002;
    flush_buffer(2);
}

/* ---- translation ---- */

static void write_entry(uint32_t index, uint32_t hi, uint32_t lo, uint32_t tid)
{
    mtspr(SPR_PID, tid);
    if (random_below(4)) {
        __asm__ volatile("tlbwe %1, %2, 1\n tlbwe %0, %2, 0" ::"r"(hi), "r"(lo), "r"(index) : "memory");
    } else {
        __asm__ volatile("tlbwe %0, %2, 0\n tlbwe %1, %2, 1" ::"r"(hi), "r"(lo), "r"(index) : "memory");
    }
}

/* Mostly what others have, or nobody; its own memory is damaged soon enough. */
static uint32_t random_frame(void)
{
    switch (random_below(8)) {
    case 0:
        return random_below(0x8000);                    /* its own, or by the machine's address the hypervisor's */
    case 1:
    case 2:
        return 0x80000 + random_below(0x70000);
    case 3:
        return RAM_SIZE + random_below(0x300000);       /* its own and the neighbour's, by the machine's addresses */
    case 4:
        return random_below(0x8000000);
    case 5:
        return random_device();
    case 6:
        return RAM_SIZE - 0x1000 * random_below(2);     /* the edge */
    default:
        return random_word();
    }
}

static uint32_t random_tid(void)
{
    return random_below(2) ? random_below(3) : random_below(16) * 17;
}

/* Small pages most of all, of which many fit beside each other; in the same few places, so that they overlap as well. */
static void random_entry(uint32_t index)
{
    uint32_t size = random_below(3) ? SMALLEST : SMALLEST + random_below(random_below(4) ? 4 : 7);
    uint32_t mask = ~0u << (10 + 2 * size);
    uint32_t address = random_below(4) ? random_address() : 0x40000000 + 0x1000 * random_below(TLB_ENTRIES);
    uint32_t bits = random_word() & 0x3FF;

    if (hostile_reckless && random_below(64) == 0) {
        size = random_below(8);
        bits |= 0x10000 * random_below(2);
    }
    write_entry(index, (address & mask) | size << 7 | (random_below(8) ? TLB_VALID : 0) | (bits & 0x10000 ? TLB_LITTLE : 0),
                (random_frame() & mask) | (bits & 0x3FF), random_tid());
}

static void change_tlb(void)
{
    for (uint32_t i = random_below(3); i; i--) {
        random_entry(random_below(TLB_CODE));
    }
    switch (random_below(8)) {
    case 0:
        mtspr(SPR_ZPR, random_word());
        break;
    case 1:
        random_entry(TLB_CODE);
        break;
    case 2:
        if (random_below(8) == 0) {
            __asm__ volatile("tlbia" ::: "memory");
        }
        break;
    case 3:                                             /* what was missing last */
        write_entry(random_below(TLB_CODE), (mfspr(SPR_DEAR) & 0xFFFFF000u) | 1 << 7 | TLB_VALID,
                    (random_frame() & 0xFFFFF000u) | (random_word() & 0x3FF), 0);
        break;
    default:
        break;
    }
    mtspr(SPR_PID, random_tid());
}

/* Translation for the next action, and where its code will be. */
static void translate(void)
{
    uint32_t address = random_below(4) ? BUFFER : random_word() & 0xFFFFF000u;

    act.translated = 0x10 << random_below(2);
    act.translated |= random_below(4) ? 0x30 : 0;
    for (uint32_t i = random_below(8) ? random_below(12) : TLB_CODE; i; i--) {
        random_entry(i - 1);
    }
    write_entry(TLB_CODE, address | 1 << 7 | TLB_VALID, BUFFER | TLB_EX | TLB_WR | 0xF0, 0);
    mtspr(SPR_ZPR, random_word() | 1);
    mtspr(SPR_PID, random_tid());
    act.start = (act.translated & 0x20) ? address : BUFFER;
}

/* ---- actions ---- */

static void go(void) __attribute__((noreturn));

static void go(void)
{
    if (act.pit) {
        mtspr(SPR_TCR, LEASH | TCR_ARE);
        mtspr(SPR_PIT, act.pit);
    }
    launch(&machine, act.pc, act.msr);
}

static void burst(uint32_t kind)
{
    uint32_t words = 4 + random_below(BURST_WORDS - 4);

    act.msr = random_msr();
    fill_buffer(words, kind, act.msr);
    act.pc = act.start;
    act.end = act.start + 4 * words;
    act.resume = 2 * words;
    if (random_below(4) == 0) {
        mtspr(SPR_PIT, 1 + random_below(20000));
    }
}

/*
 * Mode after mode, and PIDs, by stores to the register page, and between them accesses to one page, which is at the same place
 * in all of them: entries of the machine that were made for one mode meet those of another.
 */
static void change_modes(void)
{
    volatile uint32_t *buffer = (volatile uint32_t *)BUFFER;
    uint32_t page = 0x80000 + 0x1000 * random_below(0x30), i;

    write_entry(TLB_CODE, BUFFER | 1 << 7 | TLB_VALID, BUFFER | TLB_EX | TLB_WR, 0);
    write_entry(0, page | 1 << 7 | TLB_VALID, page | TLB_EX | TLB_WR, random_below(2));
    mtspr(SPR_ZPR, 0x55555555);
    act.translated = 0x10 * random_below(4);
    act.start = BUFFER;
    act.msr = MSR_ME | MSR_CE | act.translated;
    for (i = 0; i < BURST_WORDS; i++) {
        if (random_below(4)) {
            buffer[i] = (random_below(4) ? 32u : 36u) << 26 | 3 << 21 | 26 << 16 | (random_word() & 0xFFC);
        } else {
            buffer[i] = random_below(4) ? page_word(28 + random_below(4), PAGE_MSR) : page_word(27, PAGE_PID);
        }
    }
    buffer[i] = 0x44000002; /* sc */
    flush_buffer(BURST_WORDS + 1);
    machine.gpr[26] = page;
    machine.gpr[27] = random_below(2);
    for (i = 0; i < 4; i++) {
        machine.gpr[28 + i] = MSR_ME | MSR_CE | 0x10 * i;
    }
    act.pc = act.start;
}

static void wild_branch(void)
{
    act.msr = random_msr();
    act.pc = random_address();
}

/* The same exception again and again, at once. */
static void storm(void)
{
    static const uint32_t words[] = {0x44000002, 0x7FE00008, 0x00000000, 0x7C6000A6, 0x80630000, BRANCH_TO_SELF};
    uint32_t kind = random_below(6);

    act.msr = (random_msr() & ~(uint32_t)MSR_EE) | (kind == 5 ? MSR_EE : 0);
    fill_with(words[kind]);
    act.pc = act.start;
    act.repeat = 10 + random_below(200);
    act.pit = kind == 5 ? 1 + random_below(8) : 0;
}

/* The console's UART and the controller, byte by byte and by accesses that they do not have. */
static void poke_devices(void)
{
    for (uint32_t i = random_below(40); i; i--) {
        uint32_t at = random_device();

        switch (random_below(4)) {
        case 0:
            (void)*(volatile uint8_t *)at;
            break;
        case 1:
            *(volatile uint32_t *)(at & ~3u) = random_word();
            break;
        case 2:
            (void)*(volatile uint32_t *)(at & ~3u);
            break;
        default:
            *(volatile uint8_t *)at = (uint8_t)random_word();
        }
    }
    act.pc = BUFFER;
    act.msr = MSR_ME | MSR_CE;
    fill_with(NOP);
}

/* Vectors elsewhere: where there are others, or (recklessly) nowhere. */
static void move_vectors(void)
{
    uint32_t base = hostile_reckless && random_below(2) ? random_word() : OTHER_BASE;

    fill_with(NOP);
    act.pc = BUFFER;
    act.msr = random_msr();
    mtspr(0x3D6, base);
}

/* Loop with everything masked until the watchdog resets this VM. */
static void starve_watchdog(void)
{
    fill_with(BRANCH_TO_SELF);
    mtspr(SPR_TCR, TCR_RUIN);
    act.pc = BUFFER;
    act.msr = MSR_ME;
}

static void reset_self(void)
{
    mtspr(0x3F2, 0x10000000u << random_below(2));
}

static uint32_t sum_of(const uint32_t *word, const uint32_t *end, uint32_t sum)
{
    while (word < end) {
        sum = (sum << 1 | sum >> 31) + *word++;
    }
    return sum;
}

/* All that stays as it was loaded. */
static uint32_t sum_of_self(void)
{
    return sum_of(__high_start, __high_end, sum_of(__low_start, __low_end, 0));
}

static void idle(void)
{
    if (sum_of_self() != checksum) {
        put_text("\nhostile: damaged\n");
        for (;;) { /* should even this be damaged, reenter loses its patience */
            mtspr(0x3F2, 0x20000000);
        }
    }
    hostile_since_idle = 0;
    fill_with(BRANCH_TO_SELF);
    mtspr(SPR_TCR, TCR_PIE);
    mtspr(SPR_PIT, hostile_idle_us * (BOARD_TB_HZ / 1000000) + 2);
    act.pc = BUFFER;
    act.msr = MSR_WE | MSR_EE | MSR_ME | (random_word() & MSR_PR);
}

/* What an accident does seldom, to see that it is found. */
static void damage(void)
{
    uint32_t address = hostile_damage == DAMAGE_UNUSED ? (uint32_t)__low_start : (uint32_t)random_word;

    *(volatile uint32_t *)address = hostile_damage == DAMAGE_LOOP ? BRANCH_TO_SELF : 1;
    __asm__ volatile("dcbst 0, %0\n sync\n icbi 0, %0\n isync" ::"r"(address) : "memory");
}

static void choose_translated(uint32_t dice)
{
    if (dice < 600) {
        burst(random_below(2) ? 3 : 0);
    } else if (dice < 700) {
        burst(2);
    } else if (dice < 850) {
        wild_branch();
    } else {
        storm();
    }
}

static void choose(void)
{
    uint32_t dice = random_below(1000), rare = random_below(4096);

    random_machine();
    act.start = BUFFER;
    act.translated = 0;
    if (hostile_actions && actions % hostile_actions == 0) {
        idle();
    } else if (rare == 0) {
        starve_watchdog();
    } else if (rare <= 2) {
        reset_self();
    } else if (hostile_mmu && hostile_page && dice % 8 == 0) {
        change_modes();
    } else if (hostile_mmu && dice % 2) {
        translate();
        choose_translated(dice);
    } else if (dice < 350) {
        burst(0);
    } else if (dice < 550) {
        burst(2);
    } else if (dice < 750) {
        burst(3);
    } else if (dice < 850) {
        wild_branch();
    } else if (dice < 930) {
        storm();
    } else if (dice < 970) {
        poke_devices();
    } else {
        move_vectors();
    }
}

/* Back to something that works, whatever the last action has set. */
static void tidy(void)
{
    board_uart_quiet();
    board_irq_reset();
    mtspr(SPR_PIT, 0);
    mtspr(SPR_TCR, LEASH);
    mtspr(SPR_TSR, 0xFFFFFFFFu);
}

/* Raised by the instruction itself: machine check, alignment, program, system call, data. Others need tidying up. */
static int is_own(uint32_t vector)
{
    return vector == VECTOR_MACHINE_CHECK || vector == 0x600 || vector == 0x700 || vector == 0xC00 ||
           vector == VECTOR_DATA_STORAGE || vector == VECTOR_DATA_MISS;
}

/* Step over the instruction that trapped, if the burst is not over. A data machine check is behind it already. */
static int can_resume(uint32_t vector)
{
    uint32_t pc = vector == VECTOR_MACHINE_CHECK ? mfspr(0x3DE) : mfspr(0x01A) + (vector == 0xC00 ? 0 : 4);

    if (!act.resume || !is_own(vector) || pc <= act.start || pc >= act.end) {
        return 0;
    }
    act.resume--;
    act.pc = pc;
    for (uint32_t i = 0; i < 32; i++) {
        machine.gpr[i] = ((const uint32_t *)SAVE)[i];
    }
    return 1;
}

void hostile_next(uint32_t vector)
{
    exceptions++;
    faults += vector == VECTOR_DATA_MISS || vector == VECTOR_DATA_STORAGE || vector == 0x1200 || vector == 0x400;
    if (act.translated && (act.repeat || act.resume)) {
        change_tlb();
    }
    if (act.repeat) {
        act.repeat--;
        mtspr(SPR_TSR, 0xFFFFFFFFu);
        go();
    }
    if (can_resume(vector)) {
        go();
    }
    tidy();
    __asm__ volatile("mtmsr %0\n isync" ::"r"(MSR_ME | MSR_CE) : "memory"); /* nothing is pending now; the leash is on */
    actions++;
    if ((actions & (hostile_report - 1)) == 0) {
        report();
    }
    act.resume = 0;
    act.pit = 0;
    if (hostile_damage && actions == 300) {
        damage();
    }
    choose();
    go();
}

/* After a reset the time base makes the difference: the memory is as at the first start. */
void hostile_boot(void)
{
    uint32_t now;

    __asm__ volatile("mftb %0" : "=r"(now));
    random_state = hostile_seed * 0x9E3779B1u ^ now * 0x85EBCA6Bu;
    if (random_state == 0) {
        random_state = 1;
    }
    checksum = sum_of_self();
    put_text("hostile: start\n");
    hostile_next(0);
}
