/*
 * calls.c: every row of hypercalls.def from the guest's side: what it does, each of its errors, and that nothing else
 * changes. A call runs with random values in all registers, which are compared afterwards.
 */
#include "calls.h"

#define BRANCH_TO_SELF    0x48000000u

#define MSR_ALL (MSR_CE | MSR_EE | MSR_PR | MSR_FP | MSR_ME | MSR_FE0 | MSR_DWE | MSR_DE | MSR_FE1)
#define TARGET  (BUFFER + 0x100)

struct machine call_machine;
static uint32_t features, checks;

static const uint32_t modes[] = {MSR_ME, MSR_ME | MSR_CE, 0, MSR_ME | MSR_EE, MSR_ME | MSR_DE | MSR_FP};
#define MODES (sizeof(modes) / sizeof(modes[0]))

/* ---- one call ---- */

void random_machine(uint32_t number)
{
    for (uint32_t i = 0; i < 32; i++) {
        call_machine.gpr[i] = random_word();
    }
    call_machine.gpr[0] = HCALL_TAG << 16 | number;
    call_machine.cr = random_word();
    call_machine.xer = random_word() & 0xE000007F;
    call_machine.lr = random_word() & ~3u;
    call_machine.ctr = random_word();
}

/* All registers are what they were but those of the mask, bit n for rn. */
void expect_registers(uint32_t number, uint32_t changed)
{
    for (uint32_t i = 0; i < 32; i++) {
        if ((changed >> i & 1) == 0 && frame->gpr[i] != call_machine.gpr[i]) {
            put_text("\nregister ");
            put_decimal(i);
            fail("register after call", number, call_machine.gpr[i], frame->gpr[i]);
        }
    }
    expect("cr after call", number, call_machine.cr, frame->cr);
    expect("xer after call", number, call_machine.xer, frame->xer);
    expect("lr after call", number, call_machine.lr, frame->lr);
    expect("ctr after call", number, call_machine.ctr, frame->ctr);
}

/*
 * Make the call with the arguments that are in call_machine. Gives r3; `frame` has the rest. SRR0, SRR1 and ESR stay, too.
 * r4 may only change by a second result.
 */
static uint32_t call_in(uint32_t number, uint32_t msr, uint32_t results)
{
    static const uint32_t words[] = {SC, MFSPR(20, SRR0), MFSPR(21, SRR1), MFSPR(22, ESR), TRAP};
    uint32_t esr = random_word();
    uint32_t changed = 1u << 0 | 1u << 3 | 7u << 20;

    checks++;
    mtspr(ESR, esr);
    code_at(BUFFER, words, 5);
    expect("vector after call", number, 0x700, run_code(&call_machine, BUFFER, msr));
    expect("srr0 kept", number, BUFFER, frame->gpr[20]);
    expect("srr1 kept", number, msr, frame->gpr[21]);
    expect("esr kept", number, esr, frame->gpr[22]);
    expect("end of call", number, BUFFER + 16, mfspr(SRR0));
    expect("MSR after call", number, msr, mfspr(SRR1));
    expect_registers(number, changed | ((int32_t)frame->gpr[3] >= 0 && results > 1 ? 1u << 4 : 0));
    return frame->gpr[3];
}

static uint32_t call4(uint32_t number, uint32_t results, uint32_t a, uint32_t b, uint32_t c, uint32_t d)
{
    random_machine(number);
    call_machine.gpr[3] = a;
    call_machine.gpr[4] = b;
    call_machine.gpr[5] = c;
    call_machine.gpr[6] = d;
    return call_in(number, modes[random_below(MODES)], results);
}

uint32_t call(uint32_t number, uint32_t results, uint32_t a, uint32_t b)
{
    return call4(number, results, a, b, random_word(), random_word());
}

/* Words of the pages that no call of this file's errors may change. */
static const int16_t kept_words[] = {
    PROTEUS_WORD_SPRG0, PROTEUS_WORD_SPRG1, PROTEUS_WORD_SPRG2, PROTEUS_WORD_SPRG3, PROTEUS_WORD_DEAR, PROTEUS_WORD_CCR0,
    PROTEUS_WORD_DCCR, PROTEUS_WORD_ICCR, PROTEUS_WORD_DCWR, PROTEUS_WORD_SGR, PROTEUS_WORD_SLER, PROTEUS_WORD_SU0R,
    PROTEUS_WORD_ZPR, PROTEUS_WORD_PID, PROTEUS_WORD_VERSION, PROTEUS_WORD_FEATURES, PROTEUS_WORD_PVR, PROTEUS_WORD_PENDING,
    PROTEUS_WORD_SPRG4, PROTEUS_WORD_SPRG5, PROTEUS_WORD_SPRG6, PROTEUS_WORD_SPRG7, PROTEUS_WORD_EVPR, PROTEUS_WORD_TCR,
    PROTEUS_WORD_DBSR, PROTEUS_WORD_DBCR0, PROTEUS_WORD_PREVIRT};
#define KEPT (sizeof(kept_words) / sizeof(kept_words[0]))

static uint32_t page_word(int32_t offset)
{
    return *(volatile uint32_t *)(PROTEUS_PAGE + (uint32_t)offset);
}

/* The call is refused with this error, and nothing has changed. */
void refused(uint32_t error, uint32_t number, uint32_t a, uint32_t b, uint32_t c)
{
    uint32_t before[KEPT];

    for (uint32_t i = 0; i < KEPT; i++) {
        before[i] = page_word(kept_words[i]);
    }
    expect("error", number << 16 | (a & 0xFFFF), error, call4(number, 2, a, b, c, random_word()));
    for (uint32_t i = 0; i < KEPT; i++) {
        expect("word changed by a refused call", number << 16 | (uint16_t)kept_words[i], before[i], page_word(kept_words[i]));
    }
}

void done(uint32_t number, uint32_t a, uint32_t b)
{
    expect("status", number << 16 | (a & 0xFFFF), 0, call(number, 1, a, b));
}

/* All about this row has been asserted: the test lists it. */
void row(const char *name)
{
    put_text("hybrid: row ");
    put_text(name);
    put_text("\n");
}

/* ---- version, numbers, tags ---- */

static void test_version(void)
{
    for (uint32_t i = 0; i < MODES; i++) {
        random_machine(HCALL_NR_VERSION);
        expect("version", 0, HCALL_VERSION, call_in(HCALL_NR_VERSION, modes[i], 2));
        expect("features", 0, features, frame->gpr[4]);
    }
    expect("feature word of page", 0, features, proteus_page_features());
    if ((features & (FEATURE_HYPERCALLS | FEATURE_IRFM)) != (FEATURE_HYPERCALLS | FEATURE_IRFM)) {
        fail("features", 0, FEATURE_HYPERCALLS | FEATURE_IRFM, features);
    }
}

static void test_unknown(void)
{
    static const uint16_t numbers[] = {5, 6, 7, 15, 22, 23, 26, 31, 32, 255, 256, 0x7FFF, 0x8000, 0xFFFF};
    static const uint16_t services[] = {8, 9, 10, 11, 12, 16, 17, 18, 19, 20, 21};

    for (uint32_t i = 0; i < sizeof(numbers) / 2; i++) {
        refused(E(NUMBER), numbers[i], random_word(), random_word(), random_word());
    }
    if (!(features & FEATURE_SERVICES)) {
        for (uint32_t i = 0; i < sizeof(services) / 2; i++) {
            refused(E(NUMBER), services[i], random_word(), random_word(), random_word());
        }
    }
    if (!(features & FEATURE_TLB)) {
        refused(E(NUMBER), HCALL_NR_TLB_WRITE, 0, 0, 0);
        refused(E(NUMBER), HCALL_NR_TLB_BATCH, BUFFER, 1, 0);
    }
}

/* An sc that is the guest's own: the vector, SRR0 behind it, SRR1, and every register as it was. */
void own_sc(uint32_t r0, uint32_t msr)
{
    static const uint32_t words[] = {SC, TRAP};

    checks++;
    random_machine(0);
    call_machine.gpr[0] = r0;
    code_at(BUFFER, words, 2);
    expect("vector of an own sc", r0, 0xC00, run_code(&call_machine, BUFFER, msr));
    expect("srr0 of an own sc", r0, BUFFER + 4, mfspr(SRR0));
    expect("srr1 of an own sc", r0, msr, mfspr(SRR1));
    expect_registers(r0, 0);
}

static void test_own_sc(void)
{
    static const uint32_t near[] = {0, 1, 0x50330000, 0x50350001, 0x50353034, 0xD0340001, 0x10340002, 0xFFFFFFFF, 0x34500001};

    for (uint32_t i = 0; i < sizeof(near) / 4; i++) {
        own_sc(near[i], modes[i % MODES]);
        own_sc(near[i], modes[i % MODES] | MSR_PR);
    }
    for (uint32_t number = 0; number < 30; number++) { /* in user mode */
        own_sc(HCALL_TAG << 16 | number, modes[number % MODES] | MSR_PR);
    }
}

/* ---- timer_set ---- */

static void wait_pis(void)
{
    mtspr(TSR, TSR_PIS);
    mtspr(PIT, 300);
    while (!(mfspr(TSR) & TSR_PIS)) {
    }
}

static void no_timer(void)
{
    mtspr(PIT, 0);
    mtspr(TSR, 0xFFFFFFFF);
}

/* Between two looks at the clock PIT was set to `ticks`: does it say so? */
static void check_left(uint32_t start, uint32_t ticks)
{
    uint32_t left = mfspr(PIT);
    uint32_t passed = time_low() - start;

    if (left > ticks || left + passed < ticks) {
        fail("PIT after timer_set", ticks, ticks - passed, left);
    }
}

static void test_timer_set(void)
{
    static const uint32_t good[] = {256, 5000000, 0x10000000, 0x7FFFFFFF};
    static const uint32_t rare[] = {0, 1, 255, 0x80000000, 0xFFFFFFFF};

    for (uint32_t i = 0; i < 4 * 3; i++) {
        uint32_t ticks = good[i % 4], start;

        wait_pis();
        start = time_low();
        random_machine(HCALL_NR_TIMER_SET);
        call_machine.gpr[3] = ticks;
        if ((int32_t)call_in(HCALL_NR_TIMER_SET, MSR_ME | (i & 1 ? MSR_CE : 0), 1) < 0) {
            fail("timer_set refused", ticks, 0, frame->gpr[3]);
        }
        if (ticks > 256) { /* the other may be over */
            expect("TSR after timer_set", ticks, 0, mfspr(TSR) & TSR_PIS);
            check_left(start, ticks);
        }
    }
    for (uint32_t i = 0; i < 5; i++) { /* for the instructions, and by them the same */
        wait_pis();
        refused(E(STATE), HCALL_NR_TIMER_SET, rare[i], 0, 0);
        proteus_timer(rare[i]);
        if (rare[i] - 1 > 0x1000) {
            expect("TSR after proteus_timer", rare[i], 0, mfspr(TSR) & TSR_PIS);
        }
    }
    no_timer();
}

/* With EE on the interrupt comes where the guest then is, once. */
static void test_timer_interrupt(void)
{
    static const uint32_t words[] = {SC, BRANCH_TO_SELF};

    random_machine(HCALL_NR_TIMER_SET);
    call_machine.gpr[3] = 1000;
    mtspr(TCR, TCR_PIE);
    code_at(BUFFER, words, 2);
    expect("vector after timer_set", 0, 0x1000, run_code(&call_machine, BUFFER, MSR_ME | MSR_EE));
    expect("srr0 after timer_set", 0, BUFFER + 4, mfspr(SRR0));
    expect("TSR after timer_set", 0, TSR_PIS, mfspr(TSR) & TSR_PIS);
    expect("PIT after timer_set", 0, 0, mfspr(PIT));
    expect_registers(HCALL_NR_TIMER_SET, 1u << 0 | 1u << 3);
    mtspr(TCR, 0);
    no_timer();
}

/* ---- rfi ---- */

/* r0 = SPRG0 if the call does it, and r0 is still the call's number if it comes back and the instruction does it. */
static void return_with(uint32_t srr1, uint32_t by_call, uint32_t vector)
{
    static const uint32_t words[] = {MTSPR(SRR0, 5), MTSPR(SRR1, 6), MTSPR(SPRG0, 7), SC, RFI, TRAP};
    static const uint32_t trap = TRAP;

    checks++;
    random_machine(HCALL_NR_RFI);
    call_machine.gpr[5] = TARGET | (vector == 0x700 ? random_below(4) : 0);
    call_machine.gpr[6] = srr1;
    code_at(BUFFER, words, 6);
    code_at(TARGET, &trap, 1);
    expect("vector after rfi", srr1, vector, run_code(&call_machine, BUFFER, MSR_ME));
    expect("srr0 after rfi", srr1, TARGET, mfspr(SRR0));
    expect("srr1 after rfi", srr1, srr1, mfspr(SRR1));
    expect("r0 after rfi", srr1, by_call ? call_machine.gpr[7] : call_machine.gpr[0], frame->gpr[0]);
    expect_registers(HCALL_NR_RFI, 1u << 0);
}

static void test_rfi(void)
{
    for (uint32_t i = 0; i < 40; i++) {
        return_with(random_word() & MSR_ALL, 1, 0x700);
    }
    for (uint32_t i = 0; i < 8; i++) { /* rare: it comes back */
        return_with((random_word() & MSR_ALL) | MSR_APE, 0, 0x700);
    }
    mtspr(TCR, TCR_PIE);
    for (uint32_t i = 0; i < 4; i++) {
        wait_pis(); /* an interrupt waits: before the next instruction */
        return_with(MSR_EE | MSR_ME | (i & 1 ? MSR_PR : 0), 1, 0x1000);
        mtspr(TSR, TSR_PIS);
        mtspr(PIT, 100000); /* into the wait state */
        return_with(MSR_WE | MSR_EE | MSR_ME | (i & 1 ? MSR_PR : 0), 0, 0x1000);
    }
    mtspr(TCR, 0);
    no_timer();
}

/* ---- msr_set, idle ---- */

/* As call_in(), but MSR changes. */
static void msr_call(uint32_t number, uint32_t from, uint32_t to, uint32_t vector)
{
    static const uint32_t words[] = {SC, TRAP};

    checks++;
    code_at(BUFFER, words, 2);
    expect("vector after MSR", to, vector, run_code(&call_machine, BUFFER, from));
    expect("srr0 after MSR", to, BUFFER + 4, mfspr(SRR0));
    expect("srr1 after MSR", to, to, mfspr(SRR1));
    expect_registers(number, 1u << 0 | 1u << 3);
}

static void test_msr_set(void)
{
    static const uint32_t rare[] = {MSR_APE, MSR_IR, 0x10, 0x80000000, MSR_APE | MSR_WE, 0x00100000};

    for (uint32_t i = 0; i < 40; i++) {
        random_machine(HCALL_NR_MSR_SET);
        call_machine.gpr[3] = random_word() & MSR_ALL;
        msr_call(HCALL_NR_MSR_SET, modes[i % MODES], call_machine.gpr[3], 0x700);
        if ((int32_t)frame->gpr[3] < 0) {
            fail("msr_set refused", call_machine.gpr[3], 0, frame->gpr[3]);
        }
    }
    for (uint32_t i = 0; i < sizeof(rare) / 4; i++) {
        refused(E(STATE), HCALL_NR_MSR_SET, rare[i] | (random_word() & MSR_ALL), 0, 0);
    }
    mtspr(TCR, TCR_PIE);
    for (uint32_t i = 0; i < 4; i++) {
        wait_pis();
        random_machine(HCALL_NR_MSR_SET);
        call_machine.gpr[3] = MSR_EE | MSR_ME | (i & 1 ? MSR_PR : 0);
        msr_call(HCALL_NR_MSR_SET, MSR_ME, call_machine.gpr[3], 0x1000);
        no_timer();
        mtspr(PIT, 50000);
        random_machine(HCALL_NR_MSR_SET);
        call_machine.gpr[3] = MSR_WE | MSR_EE | MSR_ME | (i & 1 ? MSR_PR : 0);
        msr_call(HCALL_NR_MSR_SET, MSR_ME, call_machine.gpr[3], 0x1000);
        no_timer();
    }
    mtspr(TCR, 0);
}

/* r3 is no argument of idle: whatever it was, success is not below zero. */
static void test_idle(void)
{
    mtspr(TCR, TCR_PIE);
    for (uint32_t i = 0; i < 8; i++) {
        uint32_t from = modes[i % MODES] & ~(uint32_t)MSR_EE, start = time_low();

        random_machine(HCALL_NR_IDLE);
        call_machine.gpr[3] ^= (call_machine.gpr[3] ^ i << 31) & 0x80000000;
        mtspr(PIT, 30000);
        msr_call(HCALL_NR_IDLE, from, from | MSR_EE | MSR_WE, 0x1000);
        if (time_low() - start < 30000) {
            fail("idle", i, 30000, time_low() - start);
        }
        if ((int32_t)frame->gpr[3] < 0) {
            fail("status of idle", i, 0, frame->gpr[3]);
        }
        no_timer();
    }
    mtspr(TCR, 0);
    random_machine(HCALL_NR_IDLE);
    expect("idle with MSR[APE]", 0, E(STATE), call_in(HCALL_NR_IDLE, MSR_ME | MSR_APE, 1));
}

/* ---- spr_*, dcr_*, uic_set ---- */

static const uint16_t readable[] = {0x100, 0x110, 0x111, 0x112, 0x113, 0x114, 0x115, 0x116, 0x117, 0x3B0, 0x3B1, 0x3B3,
                                    0x3B9, 0x3BA, 0x3BB, 0x3BC, 0x3D5, 0x3D6, 0x3DA, 0x3DE, 0x3DF, 0x3F0, 0x3F2, 0x3FA, 0x3FB};

/* mfspr of a number that is only known at run time. */
static uint32_t mfspr_number(uint32_t number)
{
    uint32_t words[] = {MFSPR(3u, number), TRAP};
    struct machine n = call_machine;

    code_at(TARGET, words, 2);
    expect("mfspr", number, 0x700, run_code(&n, TARGET, MSR_ME));
    expect("mfspr's end", number, TARGET + 4, mfspr(SRR0));
    return frame->gpr[3];
}

static void test_spr(void)
{
    static const uint32_t none[] = {0, 1, 8, 9, 0x11C, 0x11D, 0x3FF, 0x400, 0x41A, 0x8000, 0x1001A, 0x401A, 0x0400001A,
                                    0x040003B1, 0x8000001A, 0xFFFFFFFF};
    uint32_t tsr;

    for (uint32_t i = 0; i < sizeof(readable) / 2; i++) {
        uint32_t number = readable[i], value = number == 0x3DA || number == 0x3D6 ? 0 : number == 0x3F2 ? 0x5A5A : random_word();

        if (number != 0x3F2 && number != 0x3F0) {
            done(HCALL_NR_SPR_WRITE, number, value);
            expect("spr_write", number, number == 0x3B1 ? value & 0xFF : value, mfspr_number(number));
        }
        expect("spr_read", number, 0, call(HCALL_NR_SPR_READ, 2, number, 0));
        value = frame->gpr[4];
        expect("spr_read", number, mfspr_number(number), value);
    }
    for (uint32_t i = 0; i < sizeof(none) / 4; i++) {
        if (none[i] != 0x11C && none[i] != 0x11D) { /* TBL, TBU: written, not read */
            refused(E(ARGUMENT), HCALL_NR_SPR_WRITE, none[i], 0xFFFFFFFF, 0);
        }
        refused(E(ARGUMENT), HCALL_NR_SPR_READ, none[i], 0, 0);
    }
    refused(E(ARGUMENT), HCALL_NR_SPR_WRITE, 0x11F, 0, 0); /* PVR */
    refused(E(ARGUMENT), HCALL_NR_SPR_WRITE, DBCR0, 0x30000000, 0);
    refused(E(ARGUMENT), HCALL_NR_SPR_WRITE, DBCR0, 0, 0);
    wait_pis(); /* timers, too */
    expect("spr_read TSR", TSR, 0, call(HCALL_NR_SPR_READ, 2, TSR, 0));
    tsr = frame->gpr[4];
    expect("spr_read TSR", TSR, TSR_PIS, tsr & TSR_PIS);
    done(HCALL_NR_SPR_WRITE, TSR, TSR_PIS);
    expect("spr_write TSR", TSR, 0, mfspr(TSR) & TSR_PIS);
}

static void test_dcr(void)
{
    static const uint32_t none[] = {0x400, 0x4C2, 0x800000C2, 0xFFFFFFFF};

    for (uint32_t i = 0; i < 4; i++) {
        refused(E(ARGUMENT), HCALL_NR_DCR_READ, none[i], 0, 0);
        refused(E(ARGUMENT), HCALL_NR_DCR_WRITE, none[i], 0xFF, 0);
    }
    expect("dcr_read of none", 0x3FF, 0, call(HCALL_NR_DCR_READ, 2, 0x3FF, 1));
    expect("value of no DCR", 0x3FF, 0, frame->gpr[4]);
    done(HCALL_NR_DCR_WRITE, 0x3FF, 1);
    controller_calls();
}

/* ---- time and scheduling ---- */

#define SLACK 100000u /* ticks: the way through the hypervisor, and others' interrupts */

/* While role `busy` computes, each yield costs at least its slice. */
static void test_yield(void)
{
    uint32_t start = time_low(), passed;

    for (uint32_t i = 0; i < 10; i++) {
        done(HCALL_NR_YIELD, random_word(), random_word());
    }
    passed = time_low() - start;
    if (my_count > 1 && passed < 10 * (my_quantum - SLACK)) {
        fail("yield", 0, 10 * my_quantum, passed);
    }
}

static void sleep_for(uint32_t ticks)
{
    uint32_t start = time_low(), passed;

    done(HCALL_NR_SLEEP_UNTIL, start + ticks, random_word());
    passed = time_low() - start;
    if (passed < ticks || passed > ticks + my_count * my_quantum + SLACK) {
        fail("sleep_until", ticks, ticks, passed);
    }
}

/* An interrupt comes while the guest sleeps: with SRR0 at the sc, and r0, r3 as they were, so that it goes on. */
static void test_sleep_interrupt(void)
{
    static const uint32_t words[] = {SC, TRAP};
    uint32_t start = time_low(), end = start + 3000000, passed;

    random_machine(HCALL_NR_SLEEP_UNTIL);
    call_machine.gpr[3] = end;
    mtspr(TCR, TCR_PIE);
    mtspr(PIT, 200000);
    code_at(BUFFER, words, 2);
    expect("vector from sleep", 0, 0x1000, run_code(&call_machine, BUFFER, MSR_ME | MSR_EE));
    passed = time_low() - start;
    if (passed < 200000 || passed > 200000 + my_count * my_quantum + SLACK) {
        fail("interrupt from sleep", 0, 200000, passed);
    }
    expect("srr0 from sleep", 0, BUFFER, mfspr(SRR0));
    expect("srr1 from sleep", 0, MSR_ME | MSR_EE, mfspr(SRR1));
    expect_registers(HCALL_NR_SLEEP_UNTIL, 0);
    no_timer();
    mtspr(TCR, 0);
    expect("vector after sleep", 0, 0x700, run_code((const struct machine *)FRAME, BUFFER, MSR_ME | MSR_EE));
    expect("result of sleep", 0, 0, frame->gpr[3]);
    if ((int32_t)(time_low() - end) < 0) {
        fail("end of sleep", 0, end, time_low());
    }
}

static void test_sleep(void)
{
    static const uint32_t ticks[] = {1, 100, 1000, 100000, 700000, 3000000, 0, 0xFFFFFFFF, 0xC1000000};

    for (uint32_t i = 0; i < 6; i++) {
        sleep_for(ticks[i]);
    }
    for (uint32_t i = 6; i < 9; i++) { /* long ago: at once, but for the end of a slice */
        uint32_t start = time_low();

        done(HCALL_NR_SLEEP_UNTIL, start + ticks[i], 0);
        if (time_low() - start > my_count * my_quantum + SLACK) {
            fail("sleep_until the past", ticks[i], 0, time_low() - start);
        }
    }
    refused(E(ARGUMENT), HCALL_NR_SLEEP_UNTIL, time_low() + 0x90000000, random_word(), 0); /* ahead, or ago? */
    test_sleep_interrupt();
}

/* Ticks of the longest of some pieces of time in which this VM alone ran. */
static uint32_t longest_run(uint32_t pieces)
{
    uint32_t start = time_low(), last = start, longest = 0;

    while (pieces) {
        uint32_t now = time_low();

        if (now - last > 20000) { /* another one ran */
            if (last - start > longest) {
                longest = last - start;
            }
            start = now;
            pieces--;
        }
        last = now;
    }
    return longest;
}

static void test_sched(void)
{
    static const uint32_t wrong[] = {HCALL_SCHED_LEFT + 1, 0x80000000, 0xFFFFFFFF};
    uint32_t run;

    for (uint32_t i = 0; i < 3; i++) {
        refused(E(ARGUMENT), HCALL_NR_SCHED_GET, wrong[i], 0, 0);
        refused(E(ARGUMENT), HCALL_NR_SCHED_SET, wrong[i], 1000, 0);
    }
    refused(E(ARGUMENT), HCALL_NR_SCHED_SET, HCALL_SCHED_LEFT, 1000, 0);
    refused(E(ARGUMENT), HCALL_NR_SCHED_SET, HCALL_SCHED_QUANTUM, 0, 0);
    refused(E(ARGUMENT), HCALL_NR_SCHED_SET, HCALL_SCHED_QUANTUM, 255, 0);
    refused(E(ARGUMENT), HCALL_NR_SCHED_SET, HCALL_SCHED_QUANTUM, my_quantum + 1, 0);
    refused(E(ARGUMENT), HCALL_NR_SCHED_SET, HCALL_SCHED_QUANTUM, 0xFFFFFFFF, 0);
    if (my_count == 1) { /* no scheduler */
        refused(E(STATE), HCALL_NR_SCHED_GET, HCALL_SCHED_QUANTUM, 0, 0);
        refused(E(STATE), HCALL_NR_SCHED_SET, HCALL_SCHED_QUANTUM, 1000, 0);
        return;
    }
    for (uint32_t i = 0; i < 20; i++) {
        expect("sched_get left", 0, 0, call(HCALL_NR_SCHED_GET, 2, HCALL_SCHED_LEFT, 0));
        if (frame->gpr[4] > my_quantum && (int32_t)frame->gpr[4] < -(int32_t)SLACK) {
            fail("rest of the slice", i, my_quantum, frame->gpr[4]);
        }
    }
    expect("sched_get", 0, 0, call(HCALL_NR_SCHED_GET, 2, HCALL_SCHED_QUANTUM, 0));
    expect("quantum", 0, my_quantum, frame->gpr[4]);
    done(HCALL_NR_SCHED_SET, HCALL_SCHED_QUANTUM, 60000);
    expect("sched_get", 0, 0, call(HCALL_NR_SCHED_GET, 2, HCALL_SCHED_QUANTUM, 0));
    expect("quantum set", 0, 60000, frame->gpr[4]);
    (void)longest_run(1);
    run = longest_run(6);
    if (run > 60000 + 2000) {
        fail("slice of 60000", 0, 60000, run);
    }
    done(HCALL_NR_SCHED_SET, HCALL_SCHED_QUANTUM, my_quantum);
    (void)longest_run(1);
    run = longest_run(3);
    if (run > my_quantum + 2000 || run < 62000) {
        fail("whole slice", 0, my_quantum, run);
    }
}

/* ---- identity, counters, console ---- */

static uint32_t info(uint32_t what)
{
    expect("vm_info", what, 0, call(HCALL_NR_VM_INFO, 2, what, 0));
    return frame->gpr[4];
}

static void test_info(void)
{
    expect("index", 0, my_index, info(HCALL_INFO_INDEX));
    expect("count", 0, my_count, info(HCALL_INFO_COUNT));
    expect("RAM", 0, RAM_SIZE, info(HCALL_INFO_RAM));
    expect("TB within 10 Hz", 0, 0, (info(HCALL_INFO_TB_HZ) - BOARD_TB_HZ + 10) / 20);
    expect("previrt", 0, proteus_page_previrt(), info(HCALL_INFO_PREVIRT));
    expect("name", 0, PROTEUS_PAGE == PAGE_BOUNDARY ? 0x68796272 : 0x6D6F7665, info(HCALL_INFO_NAME_HI)); /* hybr, move */
    expect("name", 4, PROTEUS_PAGE == PAGE_BOUNDARY ? 0x69640000 : 0x64000000, info(HCALL_INFO_NAME_LO)); /* id, d */
    refused(E(ARGUMENT), HCALL_NR_VM_INFO, HCALL_INFO_PREVIRT + 1, 0, 0);
    refused(E(ARGUMENT), HCALL_NR_VM_INFO, 0x80000000, 0, 0);
    refused(E(ARGUMENT), HCALL_NR_VM_INFO, 0xFFFFFFFF, 0, 0);
}

static uint32_t stat(uint32_t number)
{
    expect("vm_stat", number, 0, call(HCALL_NR_VM_STAT, 2, number, 0));
    return frame->gpr[4];
}

static void test_stat(void)
{
    uint32_t count = HCALL_STAT_ILLEGAL + 1, before; /* the last row */

    refused(E(ARGUMENT), HCALL_NR_VM_STAT, count, 0, 0);
    refused(E(ARGUMENT), HCALL_NR_VM_STAT, 0x80000000, 0, 0);
    refused(E(ARGUMENT), HCALL_NR_VM_STAT, 0xFFFFFFFF, 0, 0);
    if (call(HCALL_NR_VM_STAT, 2, 0, 0) == E(STATE)) { /* option STATS is off */
        for (uint32_t i = 0; i < count; i++) {
            refused(E(STATE), HCALL_NR_VM_STAT, i, 0, 0);
        }
        return;
    }
    before = stat(HCALL_STAT_HYPERCALL);
    expect("its own counter", 0, before + 1, stat(HCALL_STAT_HYPERCALL));
    before = stat(HCALL_STAT_WRTEEI);
    __asm__ volatile("wrteei 0\n wrteei 0\n wrteei 0");
    proteus_wrteei_0();
    expect("counter", 0, before + 3, stat(HCALL_STAT_WRTEEI));
    before = stat(HCALL_STAT_SC);
    own_sc(0, MSR_ME);
    expect("counter", 1, before + 1, stat(HCALL_STAT_SC));
    row("hcall.vm_stat");
    row("stat.hypercall");
    row("stat.wrteei");
    row("stat.sc");
}

static void print_by_call(const char *text)
{
    uint32_t left = 0;

    while (text[left]) {
        left++;
    }
    while (left) {
        uint32_t count = call(HCALL_NR_CONSOLE_WRITE, 1, (uint32_t)text, left);

        if (count > left || count > HCALL_CONSOLE_MAX) {
            fail("count of console_write", 0, left, count);
        }
        text += count;
        left -= count;
    }
}

static void test_console(void)
{
    static const uint32_t wrong[][2] = {{RAM_SIZE, 1}, {RAM_SIZE, 64}, {RAM_SIZE - 1, 2}, {0, RAM_SIZE + 1}, {0, 0xFFFFFFFF},
                                        {RAM_SIZE - 64, 65}, {0xFFFFFFFF, 1}, {0xFFFFFFF0, 0x20}, {PROTEUS_PAGE - 4, 4},
                                        {PROTEUS_PAGE, 4}, {BOARD_UART_FIRST, 1}, {0x80000000, 0x80000000}, {1, 0xFFFFFFFF}};
    static const uint32_t numbers[] = {HCALL_NR_CONSOLE_WRITE, HCALL_NR_CONSOLE_READ};
    volatile uint8_t *edge = (volatile uint8_t *)(RAM_SIZE - 8);
    uint32_t count;

    if (!(features & FEATURE_DRIVERS)) {
        refused(E(NUMBER), HCALL_NR_CONSOLE_WRITE, BUFFER, 0, 0);
        refused(E(NUMBER), HCALL_NR_CONSOLE_READ, BUFFER, 0, 0);
        return;
    }
    for (uint32_t k = 0; k < 2; k++) {
        for (uint32_t i = 0; i < sizeof(wrong) / 8; i++) {
            refused(E(POINTER), numbers[k], wrong[i][0], wrong[i][1], 0);
        }
        expect("length 0", numbers[k], 0, call(numbers[k], 1, BUFFER, 0));
        expect("length 0 at the end", numbers[k], 0, call(numbers[k], 1, RAM_SIZE, 0));
    }
    *edge = 0xA5;
    expect("nothing was typed", 0, 0, call(HCALL_NR_CONSOLE_READ, 1, (uint32_t)edge, 8));
    expect("buffer", 0, 0xA5, *edge);
    print_by_call("hybrid: these two lines came by hypercalls, of at most HCALL_CONSOLE_MAX bytes each\n");
    for (uint32_t i = 0; i < 8; i++) {
        edge[i] = (uint8_t)"the end\n"[i];
    }
    count = 0;
    while (count < 8) { /* the last bytes of RAM */
        count += call(HCALL_NR_CONSOLE_WRITE, 1, (uint32_t)edge + count, 8 - count);
    }
    row("hcall.console_write");
}

/* ---- the pages ---- */

static void test_pages(void)
{
    static const uint32_t store[] = {0x90830000, TRAP}; /* stw r4, 0(r3) */
    static const uint32_t twi[] = {0x0C230704, 0x0C230318, 0x0E030704, 0x0FE30704, 0x0C230700, 0x0C230000};

    for (uint32_t offset = 0; offset < 64; offset += 4) { /* the second cannot be written */
        uint32_t before = page_word((int32_t)offset);

        random_machine(0);
        call_machine.gpr[3] = PROTEUS_PAGE + offset;
        code_at(BUFFER, store, 2);
        expect("store to the read-only page", offset, 0x200, run_code(&call_machine, BUFFER, MSR_ME));
        expect("return address", offset, BUFFER + 4, mfspr(SRR2));
        expect("read-only word", offset, before, page_word((int32_t)offset));
        expect_registers(offset, 0);
        expect("without MSR[ME] it is lost", offset, 0x700, run_code(&call_machine, BUFFER, 0));
        expect("read-only word", offset, before, page_word((int32_t)offset));
    }
    for (int32_t offset = -128; offset < 64; offset += 4) { /* neither can be executed */
        random_machine(0);
        expect("fetch from a page", (uint32_t)offset, 0x200, run_code(&call_machine, PROTEUS_PAGE + (uint32_t)offset, MSR_ME));
        expect("syndrome", (uint32_t)offset, ESR_MCI, mfspr(ESR));
        expect("its address", (uint32_t)offset, PROTEUS_PAGE + (uint32_t)offset, mfspr(SRR2));
        expect_registers(0, 0);
    }
    for (uint32_t i = 0; i < sizeof(twi) / 4; i++) { /* in user mode any trap is the guest's, in supervisor but two */
        uint32_t words[] = {twi[i], NOP, NOP, NOP, NOP, NOP, NOP, TRAP};
        uint32_t ours = i == 0 ? 4 : i == 1 ? 24 : 0;

        random_machine(0);
        call_machine.gpr[3] = 0xFFFFFFFF;
        words[7] = SC;
        call_machine.gpr[0] = 0;
        code_at(BUFFER, words, 8);
        if (i == 2) {
            call_machine.gpr[3] = 0x80000000; /* less, signed */
        } else if (i == 5) {
            call_machine.gpr[3] = 1;
        }
        expect("twi in user mode", twi[i], 0x700, run_code(&call_machine, BUFFER, MSR_ME | MSR_PR));
        expect("twi's syndrome", twi[i], ESR_PTR, mfspr(ESR));
        expect("twi's address", twi[i], BUFFER, mfspr(SRR0));
        expect("twi", twi[i], ours ? 0xC00 : 0x700, run_code(&call_machine, BUFFER, MSR_ME));
        expect("twi's address", twi[i], ours ? BUFFER + 32 : BUFFER, mfspr(SRR0));
        if (!ours) {
            expect("twi's syndrome", twi[i], ESR_PTR, mfspr(ESR));
        }
        expect_registers(twi[i], 0);
    }
}

void calls(void)
{
    features = proteus_page_features();
    mtspr(TCR, 0);
    no_timer();
    test_version();
    row("hcall.version");
    test_unknown();
    test_own_sc();
    test_pages();
    test_timer_set();
    test_timer_interrupt();
    row("hcall.timer_set");
    test_rfi();
    row("hcall.rfi");
    test_msr_set();
    row("hcall.msr_set");
    test_idle();
    row("hcall.idle");
    test_console();
    if (features & FEATURE_SERVICES) {
        test_yield();
        row("hcall.yield");
        test_sleep();
        row("hcall.sleep_until");
        test_sched();
        row("hcall.sched_get");
        row("hcall.sched_set");
        test_spr();
        row("hcall.spr_read");
        row("hcall.spr_write");
        test_dcr();
        row("hcall.dcr_read");
        row("hcall.dcr_write");
        test_info();
        row("hcall.vm_info");
        test_stat();
    }
    put_text("hybrid: calls ");
    put_decimal(checks);
    put_text("\n");
}

/* Typed input by the call: a line comes back. */
void type(void)
{
    uint8_t line[80];
    uint32_t length = 0;

    put_text("hybrid: type\n");
    while (length == 0 || line[length - 1] != '\r') {
        proteus_status count = proteus_console_read(line + length, 16);

        if (count < 0 || count > 16 || length + (uint32_t)count > 64) {
            fail("console_read", length, 0, (uint32_t)count);
        }
        length += (uint32_t)count;
    }
    line[length - 1] = 0;
    put_text("hybrid: typed ");
    put_text((const char *)line);
    put_text("\n");
    row("hcall.console_read");
}
