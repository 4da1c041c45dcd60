/*
 * twin.c: runs every probe of the generated table, then the scans, and prints what each one left behind.
 *
 * One line a probe: its name, then only what is not as it was before, in hexadecimal:
 *
 *   v    vector taken           s0-s3  SRR0-SRR3          e, d   ESR, DEAR
 *   m    MSR now                rN     GPR N              cr xer lr ctr
 *
 * m and the saved MSR of an exception (s1 or s3) are always printed; any other field that is absent is unchanged. So a line
 * also says that nothing else has changed, in all 32 GPRs and the registers above. A probe that comes to its end, the sc or
 * branch behind its code, prints no v. `!` marks a probe that ended otherwise than the architecture says; the run then ends
 * with FAIL.
 */
#include "twin.h"

#define VECTOR_PROGRAM 0x700
#define VECTOR_SC      0xC00
#define MSR_PR         0x4000u
#define ESR_PPR        0x04000000u
#define TSR_PIS        0x08000000u
#define CR_SEED        0x12345678u
#define XER_SEED       0x20000011u

_Static_assert(sizeof(struct state) == STATE_VECTOR + 4, "struct state and its offsets in twin.h disagree");
_Static_assert(__builtin_offsetof(struct state, srr0) == STATE_SRR0, "STATE_SRR0");
_Static_assert(__builtin_offsetof(struct state, esr) == STATE_ESR, "STATE_ESR");

static struct state *const in = (struct state *)PROBE_IN;
static struct state *const out = (struct state *)PROBE_OUT;
static uint32_t *const snippet = (uint32_t *)SNIPPET;
uint32_t probe_count;
static uint32_t failure_count;

/* A test may change these in a copy of the ELF. */
volatile uint32_t twin_select = SELECT_COUNTED | SELECT_REAL_TIME;
volatile uint32_t twin_seed = 1;    /* of the random translations */

/* Writes to a constant-numbered register, one instruction each. */
#define mtspr(number, value) __asm__ volatile("mtspr %0, %1" ::"i"(number), "r"(value))

static inline uint32_t mftsr(void)
{
    uint32_t value;

    __asm__ volatile("mfspr %0, 0x3D8" : "=r"(value));
    return value;
}

void put_text(const char *text)
{
    while (*text) {
        board_putc(*text++);
    }
}

void put_hex(uint32_t value, int digits)
{
    for (int shift = 4 * digits - 4; shift >= 0; shift -= 4) {
        board_putc("0123456789ABCDEF"[(value >> shift) & 15]);
    }
}

static void put_decimal(uint32_t value)
{
    char digits[10];
    int count = 0;

    do {
        digits[count++] = (char)('0' + value % 10);
        value /= 10;
    } while (value);
    while (count) {
        board_putc(digits[--count]);
    }
}

void put_field(const char *name, uint32_t value, int digits)
{
    board_putc(' ');
    put_text(name);
    board_putc('=');
    put_hex(value, digits);
}

void put_if_changed(const char *name, uint32_t before, uint32_t after)
{
    if (before != after) {
        put_field(name, after, 8);
    }
}

/* The machine's end of a run: system reset by DBCR0[RST]. */
static void reset(void)
{
    board_drain();
    mtspr(0x3F2, 0x30000000u);
}

/* An exception outside a probe: the twin's own code was interrupted, so nothing after it could be trusted. */
void twin_stray(void)
{
    put_text("twin: FAIL stray exception");
    put_field("v", out->vector, 4);
    put_field("s0", out->srr0, 8);
    put_field("s2", out->srr2, 8);
    put_field("e", out->esr, 8);
    board_putc('\n');
    reset();
    for (;;) {
    }
}

/* Make stored words visible to instruction fetch. */
void flush(const uint32_t *from, uint32_t words)
{
    for (uint32_t i = 0; i < words; i++) {
        __asm__ volatile("dcbst 0, %0\n sync\n icbi 0, %0" ::"r"(from + i) : "memory");
    }
    __asm__ volatile("sync\n isync" ::: "memory");
}

void load_code(const uint32_t *code, uint32_t words)
{
    for (uint32_t i = 0; i < words && i < SNIPPET_WORDS; i++) {
        snippet[i] = code[i];
    }
    flush(snippet, words);
}

/* Every register gets a value of its own, so that a value in the wrong place is seen. */
void seed(uint32_t msr)
{
    for (uint32_t i = 0; i < 32; i++) {
        in->gpr[i] = 0xA0000000u + i * 0x01010101u;
    }
    in->cr = CR_SEED;
    in->xer = XER_SEED;
    in->lr = 0x1E1E1E1C;
    in->ctr = 0xC7C7C7C7;
    in->srr0 = SNIPPET;
    in->srr1 = msr;
    in->srr2 = 0x55520000;
    in->srr3 = 0x00000200;
    in->esr = 0;
    in->dear = 0;
    in->msr = msr;
}

/* Timers, interrupt controller and UART at rest, nothing pending. TSR last: QEMU advances the watchdog at TCR writes. */
void quiesce(void)
{
    board_drain();
    board_uart_quiet();
    board_irq_reset();
    board_irq_enable_bits(0);
    mtspr(0x3DB, 0);
    mtspr(0x3DA, 0);
    mtspr(0x3D8, 0xFFFFFFFFu);
}

static uint32_t normal_end(uint32_t words)
{
    return SNIPPET + 4 * (words + 1); /* sc is the last word, and SRR0 points behind it */
}

/* Did the probe come to its own end: the branch to probe_exit, or the sc behind its last instruction? */
static int reached_end(uint32_t words)
{
    return out->vector == 0 || (out->vector == VECTOR_SC && out->srr0 == normal_end(words));
}

static int is_critical(uint32_t vector)
{
    return vector == 0x100 || vector == 0x200 || vector == 0x1020 || vector == 0x2000;
}

static void put_gprs(void)
{
    for (uint32_t i = 0; i < 32; i++) {
        if (out->gpr[i] != in->gpr[i]) {
            put_text(" r");
            put_decimal(i);
            board_putc('=');
            put_hex(out->gpr[i], 8);
        }
    }
}

void put_state(uint32_t words)
{
    int ended = reached_end(words);
    int critical = is_critical(out->vector & ~1u); /* an odd number is from the second set of vectors */

    if (!ended) {
        put_field("v", out->vector, 4);
    }
    put_gprs();
    put_if_changed("cr", in->cr, out->cr);
    put_if_changed("xer", in->xer, out->xer);
    put_if_changed("lr", in->lr, out->lr);
    put_if_changed("ctr", in->ctr, out->ctr);
    if (!ended || out->vector == 0) {
        put_if_changed("s0", in->srr0, out->srr0);
    }
    if (out->vector && !critical) {
        put_field("s1", out->srr1, 8);
    } else {
        put_if_changed("s1", in->srr1, out->srr1);
    }
    put_if_changed("s2", in->srr2, out->srr2);
    if (critical) {
        put_field("s3", out->srr3, 8);
    } else {
        put_if_changed("s3", in->srr3, out->srr3);
    }
    put_if_changed("e", in->esr, out->esr);
    put_if_changed("d", in->dear, out->dear);
    put_field("m", out->msr, 8);
}

static void run(const struct probe *probe)
{
    if (probe->flags & PROBE_CLEAN) {
        quiesce();
    }
    load_code(probe->code, probe->body_words + 1);
    seed(probe->msr);
    for (uint32_t i = 0; i < probe->input_count; i++) {
        ((uint32_t *)in)[probe->inputs[i].word] = probe->inputs[i].value;
    }
    if (probe->setup) {
        mmu_set_up(probe->setup);
    }
    probe_run();
    probe_count++;

    put_text(probe->name);
    put_state(probe->body_words);
    if (probe->setup) {
        mmu_put_changes(probe->setup);
    }
    if (probe->flags & PROBE_TSR) {
        put_field("tsr", mftsr() & TSR_PIS, 8);
    }
    if (probe->expect >= 0) {
        uint32_t ended = reached_end(probe->body_words) ? 0 : out->vector;

        if (ended != (uint32_t)probe->expect) {
            put_text(" !");
            failure_count++;
        }
    }
    board_putc('\n');
    if ((probe->flags & (PROBE_CLEAN | PROBE_KEEP)) == PROBE_CLEAN) {
        quiesce();
    }
}

/*
 * Scans: one word for each value of a field, 32 values a line. v and p are bit maps, the leftmost bit the lowest value:
 * v = it raised a program interrupt, p = with ESR[PPR] (privileged) set.
 */
struct scan {
    const char *name;
    uint32_t word;     /* the instruction with the field zero */
    uint32_t place;    /* how the field is placed in the word */
    uint32_t values;   /* how many values the field has */
    const uint16_t *skip, *skip_end; /* values that would do more than trap */
};

enum { PLACE_SPR, PLACE_XO, PLACE_OP };

static uint32_t place(uint32_t how, uint32_t value)
{
    switch (how) {
    case PLACE_SPR:
        return ((value & 31) << 16) | ((value >> 5) << 11);
    case PLACE_XO:
        return value << 1;
    default:
        return value << 26;
    }
}

static int listed(uint32_t value, const uint16_t *from, const uint16_t *end)
{
    while (from < end) {
        if (*from++ == value) {
            return 1;
        }
    }
    return 0;
}

/* Operands that keep any load, store, cache or branch instruction harmless: scratch memory, and the snippet's end. */
static void scan_operands(void)
{
    in->gpr[3] = SCRATCH;
    in->gpr[4] = SCRATCH + 0x100;
    in->gpr[5] = 0x20;
    in->xer = 0;
    in->lr = SNIPPET + 4;
    in->ctr = SNIPPET + 4;
}

static void scan_one(uint32_t word, uint32_t msr)
{
    /* sc in user state, `ba probe_exit` in supervisor state */
    uint32_t code[2] = {word, (msr & MSR_PR) ? 0x44000002u : 0x48000002u | (uint32_t)probe_exit};

    load_code(code, 2);
    seed(msr);
    scan_operands();
    probe_run();
    probe_count++;
    if (out->vector != VECTOR_PROGRAM && !reached_end(1)) {
        put_text("scan.other");
        put_field("word", word, 8);
        put_field("v", out->vector, 4);
        board_putc('\n');
    }
}

static void scan_group(const struct scan *scan, uint32_t msr, uint32_t group)
{
    uint32_t trapped = 0, privileged = 0;

    for (uint32_t i = 0; i < 32; i++) {
        if (listed(group + i, scan->skip, scan->skip_end)) {
            continue;
        }
        scan_one(scan->word | place(scan->place, group + i), msr);
        if (out->vector == VECTOR_PROGRAM) {
            trapped |= 0x80000000u >> i;
            privileged |= out->esr & ESR_PPR ? 0x80000000u >> i : 0;
        }
    }
    put_text((msr & MSR_PR) ? "scan.user." : "scan.super.");
    put_text(scan->name);
    board_putc('.');
    put_hex(group, 3);
    put_field("v", trapped, 8);
    put_field("p", privileged, 8);
    board_putc('\n');
}

static void run_scan(const struct scan *scan, uint32_t msr)
{
    for (uint32_t group = 0; group < scan->values; group += 32) {
        scan_group(scan, msr, group);
    }
}

/*
 * Operands of the scanned words: rT = 3, rA = 4, rB = 5. In user state nothing is skipped but branches to anywhere;
 * writes of SPRs and all DCRs are scanned in user state only, where they must trap. Words of floating point and vector units,
 * which the 405 has not, are illegal; QEMU 7.2 does not support all of them on such a core, so that they are left out where
 * it may be what runs this.
 */
static const uint16_t skipped_ops[] = {4, 16, 17, 18, 19, 31, 59, 63};
#define SKIPPED_OPS skipped_ops, skipped_ops + sizeof(skipped_ops) / sizeof(skipped_ops[0])

static const struct scan user_scans[] = {
    {"mfspr", 0x7C6002A6, PLACE_SPR, 1024, 0, 0},
    {"mtspr", 0x7C6003A6, PLACE_SPR, 1024, 0, 0},
    {"mfdcr", 0x7C600286, PLACE_SPR, 1024, 0, 0},
    {"mtdcr", 0x7C600386, PLACE_SPR, 1024, 0, 0},
    {"op31", 0x7C642800, PLACE_XO, 1024, 0, 0},
    {"op19", 0x4C642800, PLACE_XO, 1024, 0, 0},
    {"op4", 0x10642800, PLACE_XO, 1024, 0, 0},
    {"op", 0x00640020, PLACE_OP, 64, SKIPPED_OPS},
#if BOARD_PAGE_MIN < 4096 /* a board of our QEMU */
    {"op4rc", 0x10642801, PLACE_XO, 1024, 0, 0},
    {"op59", 0xEC642800, PLACE_XO, 1024, 0, 0},
    {"op60", 0xF0642800, PLACE_XO, 1024, 0, 0},
    {"op60rc", 0xF0642801, PLACE_XO, 1024, 0, 0},
    {"op63", 0xFC642800, PLACE_XO, 1024, 0, 0},
    {"op63rc", 0xFC642801, PLACE_XO, 1024, 0, 0},
#endif
};

static const struct scan supervisor_scans[] = {
    {"mfspr", 0x7C6002A6, PLACE_SPR, 1024, known_sprs, known_sprs_end},
    {"op31", 0x7C642800, PLACE_XO, 1024, known_xo31, known_xo31_end},
    {"op19", 0x4C642800, PLACE_XO, 1024, known_xo19, known_xo19_end},
    {"op4", 0x10642800, PLACE_XO, 1024, 0, 0},
    {"op", 0x00640020, PLACE_OP, 64, SKIPPED_OPS},
};

static void run_scans(void)
{
    for (uint32_t i = 0; i < sizeof(user_scans) / sizeof(user_scans[0]); i++) {
        run_scan(&user_scans[i], RUNNER_MSR | MSR_PR);
    }
    for (uint32_t i = 0; i < sizeof(supervisor_scans) / sizeof(supervisor_scans[0]); i++) {
        run_scan(&supervisor_scans[i], RUNNER_MSR);
    }
}

static int is_selected(const struct probe *probe)
{
    if ((probe->flags & PROBE_TRANSLATE) && !(twin_select & SELECT_TRANSLATE)) {
        return 0;
    }
    return (twin_select & ((probe->flags & PROBE_REAL_TIME) ? SELECT_REAL_TIME : SELECT_COUNTED)) != 0;
}

void twin_main(void)
{
    quiesce();
    mmu_clear();
    for (const struct probe *probe = probes; probe < probes_end; probe++) {
        if (is_selected(probe)) {
            run(probe);
        }
    }
    if (twin_select & SELECT_COUNTED) {
        run_scans();
        if (twin_select & SELECT_TRANSLATE) {
            mmu_scans();
            mmu_random();
            kernel_runs();
        }
    }
    if (twin_select & SELECT_STOP) {
        __asm__ volatile("mtmsr %0\n isync" ::"r"(RUNNER_MSR | 0x30));
    }
    if (twin_select & SELECT_RANDOM) {
        mmu_random();
    }
    put_text(failure_count ? "twin: FAIL n=" : "twin: PASS n=");
    put_decimal(probe_count);
    if (failure_count) {
        put_text(" failures=");
        put_decimal(failure_count);
    }
    board_putc('\n');
    reset();
}
