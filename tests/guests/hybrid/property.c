/*
 * property.c: the register pages are the register file. Every step writes a register by one of its roads (instruction, store,
 * hypercall), or reads one, and a model in memory says what must be there. PIT interrupts come all the time; their handler
 * takes random roads, too.
 *
 * What an interrupt changes (SRR0, SRR1, and SPRG0, by which the handler returns) is read again if one came in between.
 */
#include "hybridtest.h"

#define IN_LAZY __attribute__((section(".lazy"), noinline))

extern const char lazy_start[], lazy_end[];

enum { BY_TRAP, BY_PAGE, BY_CALL, ROADS };

struct reg {
    const char *name;
    uint32_t mask;          /* the bits that a write keeps */
    void (*write[ROADS])(uint32_t value);
    uint32_t (*read[ROADS + 1])(void);
};

static void call_failed(uint32_t number, proteus_status status)
{
    fail("call for register", number, 0, (uint32_t)status);
}

/* Each register by its instructions and by hypercalls. */
#define BY_INSTRUCTION(name, number)                                                                              \
    static void trap_write_##name(uint32_t value) { mtspr(number, value); }                                       \
    static uint32_t trap_read_##name(void) { return mfspr(number); }                                              \
    static void call_write_##name(uint32_t value)                                                                 \
    {                                                                                                             \
        proteus_status status = proteus_spr_write(number, value);                                                 \
                                                                                                                  \
        if (status != 0) {                                                                                        \
            call_failed(number, status);                                                                          \
        }                                                                                                         \
    }                                                                                                             \
    static uint32_t call_read_##name(void)                                                                        \
    {                                                                                                             \
        uint32_t value;                                                                                           \
        proteus_status status = proteus_spr_read(number, &value);                                                 \
                                                                                                                  \
        if (status != 0) {                                                                                        \
            call_failed(number, status);                                                                          \
        }                                                                                                         \
        return value;                                                                                             \
    }

#define STORED(X)                                                                                                 \
    X(srr0, 0x01A, 0xFFFFFFFF) X(srr1, 0x01B, 0xFFFFFFFF) X(sprg0, 0x110, 0xFFFFFFFF) X(sprg1, 0x111, 0xFFFFFFFF)   \
    X(sprg2, 0x112, 0xFFFFFFFF) X(sprg3, 0x113, 0xFFFFFFFF) X(esr, 0x3D4, 0xFFFFFFFF) X(dear, 0x3D5, 0xFFFFFFFF)    \
    X(ccr0, 0x3B3, 0xFFFFFFFF) X(dccr, 0x3FA, 0xFFFFFFFF) X(iccr, 0x3FB, 0xFFFFFFFF) X(dcwr, 0x3BA, 0xFFFFFFFF)     \
    X(sgr, 0x3B9, 0xFFFFFFFF) X(sler, 0x3BB, 0xFFFFFFFF) X(su0r, 0x3BC, 0xFFFFFFFF)
#define MMU_STORED(X) X(zpr, 0x3B0, 0xFFFFFFFF) X(pid, 0x3B1, 0xFF)
#define LOADED(X)                                                                                                 \
    X(sprg4, 0x114, 0xFFFFFFFF) X(sprg5, 0x115, 0xFFFFFFFF) X(sprg6, 0x116, 0xFFFFFFFF) X(sprg7, 0x117, 0xFFFFFFFF) \
    X(evpr, 0x3D6, 0xFFFF0000) X(tcr, 0x3DA, 0xFFC00000) X(dbsr, 0x3F0, 0xFFFFFFFF) X(dbcr0, 0x3F2, 0xCFFFFFFF)
/* SRR2, SRR3, USPRG0: the machine's own registers hold those of the guest that runs. */
#define NOT_ON_PAGE(X) X(srr2, 0x3DE, 0xFFFFFFFF) X(srr3, 0x3DF, 0xFFFFFFFF) X(usprg0, 0x100, 0xFFFFFFFF)

#define DEFINE(name, number, mask) BY_INSTRUCTION(name, number)
STORED(DEFINE)
MMU_STORED(DEFINE)
LOADED(DEFINE)
NOT_ON_PAGE(DEFINE)

/* SPRG4-7 have a second number, for user state. */
#define USER_READ(name, number)                                                                                   \
    static uint32_t user_read_##name(void) { return mfspr(number); }
USER_READ(sprg4, 0x104)
USER_READ(sprg5, 0x105)
USER_READ(sprg6, 0x106)
USER_READ(sprg7, 0x107)
#define user_read_evpr  trap_read_evpr
#define user_read_tcr   trap_read_tcr
#define user_read_dbsr  trap_read_dbsr
#define user_read_dbcr0 trap_read_dbcr0

#define ROW_STORED(name, number, mask)                                                                            \
    {#name, mask, {trap_write_##name, proteus_mt##name, call_write_##name},                                       \
     {trap_read_##name, proteus_mf##name, call_read_##name, trap_read_##name}},
#define ROW_LOADED(name, number, mask)                                                                            \
    {#name, mask, {trap_write_##name, trap_write_##name, call_write_##name},                                      \
     {trap_read_##name, proteus_mf##name, call_read_##name, user_read_##name}},
#define ROW_NOT_ON_PAGE(name, number, mask)                                                                       \
    {#name, mask, {trap_write_##name, trap_write_##name, call_write_##name},                                      \
     {trap_read_##name, trap_read_##name, call_read_##name, trap_read_##name}},

static const struct reg regs[] = {STORED(ROW_STORED) MMU_STORED(ROW_STORED) LOADED(ROW_LOADED) NOT_ON_PAGE(ROW_NOT_ON_PAGE)};

#define NUMBER_OF(name, number, mask) R_##name,
enum { STORED(NUMBER_OF) MMU_STORED(NUMBER_OF) LOADED(NUMBER_OF) NOT_ON_PAGE(NUMBER_OF) R_COUNT };

/* ---- the model ---- */

static volatile uint32_t model[R_COUNT];
static volatile uint32_t msr_old, msr_new;  /* MSR is one of these; the same but while it is written */
static volatile uint32_t armed;             /* a PIT event is to come, or waits in TSR */
static volatile uint32_t interrupts, in_lazy, waiting;
static uint32_t armings, cancels, step;
static uint32_t features;

#define MSR_PLAIN (MSR_CE | MSR_EE | MSR_FP | MSR_ME | MSR_FE0 | MSR_DWE | MSR_DE)

static uint32_t any_road(void)
{
    uint32_t road = random_below(ROADS);

    return road == BY_CALL && (features & FEATURE_SERVICES) == 0 ? BY_TRAP : road;
}

static void write_reg(uint32_t n, uint32_t value)
{
    uint32_t road = any_road();

    if (n == R_dbcr0 && road == BY_CALL) { /* refused */
        road = BY_TRAP;
    }
    if ((n == R_zpr || n == R_pid) && road == BY_PAGE && (features & FEATURE_MMU_STORE) == 0) {
        road = BY_TRAP;
    }
    regs[n].write[road](value);
}

static uint32_t read_reg(uint32_t n)
{
    uint32_t road = random_below(ROADS + 1);

    return regs[n].read[road == BY_CALL && (features & FEATURE_SERVICES) == 0 ? BY_PAGE : road]();
}

static uint32_t read_pit(void)
{
    uint32_t value;

    if (any_road() != BY_CALL || proteus_spr_read(PIT, &value) != 0) {
        value = mfspr(PIT);
    }
    return value;
}

static uint32_t read_tsr(void)
{
    uint32_t value;

    if (any_road() != BY_CALL || proteus_spr_read(TSR, &value) != 0) {
        value = mfspr(TSR);
    }
    return value;
}

static void clear_pis(void)
{
    uint32_t road = random_below(4);

    if (road == 0 && (features & FEATURE_TSR_STORE)) {
        proteus_clear_pis();
    } else if (road == 1 && (features & FEATURE_SERVICES)) {
        expect("clear TSR by call", step, 0, (uint32_t)proteus_spr_write(TSR, TSR_PIS));
    } else {
        mtspr(TSR, road == 2 ? 0xFFFFFFFF : TSR_PIS);
    }
}

/* ---- the PIT ---- */

static uint32_t random_ticks(void)
{
    switch (random_below(8)) {
    case 0:
        return 1 + random_below(300);
    case 1:
        return 1 + random_below(20000);
    default:
        return 256 + random_below(1500);
    }
}

/* One event, so many ticks from now. PIT stands still and TSR[PIS] is off. */
static uint32_t arm(void)
{
    uint32_t ticks = random_ticks();

    expect("PIT of no event", step, 0, armed);
    armed = 1;
    armings++;
    switch (random_below(4)) {
    case 0:
        proteus_timer(ticks);
        break;
    case 1:
        if ((features & FEATURE_SERVICES) && proteus_spr_write(PIT, ticks) == 0) {
            break;
        }
        /* fall through */
    default:
        mtspr(PIT, ticks);
    }
    return ticks;
}

/* With EE off: no event is to come. */
static void cancel(void)
{
    if (random_below(2)) {
        mtspr(PIT, 0);
    } else if (proteus_timer_set(0) >= 0) {
        fail("timer_set(0)", step, (uint32_t)HCALL_E_STATE, 0);
    } else {
        mtspr(PIT, 0);
    }
    clear_pis();
    expect("PIT after it was stopped", step, 0, read_pit());
    expect("TSR after the PIT was stopped", step, 0, read_tsr() & TSR_PIS);
    cancels += armed;
    armed = 0;
}

/* What is left never exceeds what was set; with EE off, an event that is over is in TSR. */
static void arm_and_check(void)
{
    uint32_t count = interrupts;
    uint32_t ticks = arm();
    uint32_t left = read_pit();

    if (left > ticks && count == interrupts) {
        fail("PIT counts up", step, ticks, left);
    }
    if (left == 0 && (msr_new & MSR_EE) == 0) {
        expect("TSR when the PIT is over", step, TSR_PIS, read_tsr() & TSR_PIS);
    }
}

/* ---- the interrupt ---- */

static void handler_srr(uint32_t srr1)
{
    uint32_t srr0 = mfspr(SRR0);

    expect("srr0 by page", step, srr0, proteus_mfsrr0());
    expect("srr1 by page", step, srr1, proteus_mfsrr1());
    expect("srr0 by any road", step, srr0, read_reg(R_srr0));
    expect("srr1 by any road", step, srr1, read_reg(R_srr1));
    if (srr0 >= (uint32_t)lazy_start && srr0 < (uint32_t)lazy_end) {
        in_lazy++;
    }
    model[R_srr0] = srr0;
    model[R_srr1] = srr1;
}

static void handler_msr(uint32_t srr1)
{
    uint32_t waited = srr1 & MSR_WE;
    uint32_t keep = MSR_CE | MSR_ME | MSR_DE;

    if (!(srr1 & MSR_EE) || !((msr_old | msr_new) & MSR_EE)) {
        fail("interrupt while EE is off", step, msr_new, srr1);
    }
    if ((srr1 & ~waited) != msr_old && (srr1 & ~waited) != msr_new) {
        fail("srr1", step, msr_new, srr1);
    }
    if (waited && !waiting) {
        fail("it did not wait", step, 0, srr1);
    }
    expect("MSR in the handler", step, srr1 & keep, mfmsr());
    expect("MSR in the handler by page", step, srr1 & keep, proteus_mfmsr());
}

/* A register that the handler saves, uses and restores, as handlers do. */
static void handler_scratch(void)
{
    uint32_t n = random_below(2) ? R_sprg2 : R_sprg3;
    uint32_t was = read_reg(n), value = random_word();

    write_reg(n, value);
    expect("scratch register", step, value, read_reg(n));
    write_reg(n, was);
}

static void ee_on(uint32_t road);
static void ee_off(uint32_t road);

/* Nothing is to come: EE may be on for a moment, whatever the pending word still says. */
static void handler_open(void)
{
    uint32_t old = msr_old, new = msr_new;

    msr_old = msr_new = mfmsr() | MSR_EE;
    ee_on(random_below(4));
    ee_off(random_below(4));
    msr_old = old;
    msr_new = new;
}

uint32_t handler(uint32_t vector)
{
    uint32_t srr1 = mfspr(SRR1);

    expect("vector", step, 0x1000, vector);
    if (!armed) {
        fail("interrupt without an event", step, armings, interrupts);
    }
    handler_srr(srr1);
    handler_msr(srr1);
    expect("TSR in the handler", step, TSR_PIS, read_tsr() & TSR_PIS);
    expect("PIT in the handler", step, 0, read_pit());
    interrupts++;
    clear_pis();
    armed = 0;
    expect("TSR cleared", step, 0, read_tsr() & TSR_PIS);
    if (random_below(4) == 0) {
        handler_scratch();
    }
    if (random_below(4) == 0) {
        uint32_t srr0 = model[R_srr0];

        handler_open();
        expect("srr0 after EE was on", step, srr0, read_reg(R_srr0));
    }
    if (random_below(2)) {
        arm();
    }
    if (srr1 & MSR_WE) {
        waiting = 0;
        write_reg(R_srr1, srr1 & ~(uint32_t)MSR_WE);
        model[R_srr1] = srr1 & ~(uint32_t)MSR_WE;
    }
    if (random_below(3)) {
        return 0;
    }
    model[R_sprg0] = frame->gpr[0];
    return 1;
}

/* ---- MSR[EE] ---- */

IN_LAZY static void lazy_on(void)
{
    proteus_wrteei_1();
}

IN_LAZY static void lazy_off(void)
{
    proteus_wrteei_0();
}

IN_LAZY static void lazy_wrtee(uint32_t msr)
{
    proteus_wrtee(msr);
}

IN_LAZY static void lazy_mtmsr(uint32_t msr)
{
    proteus_mtmsr(msr);
}

IN_LAZY static void lazy_section(void)
{
    uint32_t msr = proteus_critical_enter();
    uint32_t count = interrupts;

    for (uint32_t i = random_below(40); i; i--) {
        __asm__ volatile("" ::: "memory");
    }
    expect("interrupt in a critical section", step, count, interrupts);
    proteus_critical_leave(msr);
}

static void ee_on(uint32_t road)
{
    if (road == 0) {
        __asm__ volatile("wrteei 1" ::: "memory");
    } else if (road == 1) {
        __asm__ volatile("wrtee %0" ::"r"(MSR_EE) : "memory");
    } else if (road == 2) {
        lazy_on();
    } else {
        lazy_wrtee(random_word() | MSR_EE);
    }
}

static void ee_off(uint32_t road)
{
    if (road == 0) {
        __asm__ volatile("wrteei 0" ::: "memory");
    } else if (road == 1) {
        __asm__ volatile("wrtee %0" ::"r"(0) : "memory");
    } else if (road == 2) {
        lazy_off();
    } else {
        lazy_wrtee(random_word() & ~(uint32_t)MSR_EE);
    }
}

static void by_return(uint32_t msr, uint32_t road)
{
    uint32_t *srr0 = (uint32_t *)&model[R_srr0];

    model[R_srr1] = msr;
    if (road == 0) {
        return_by_trap(msr, srr0);
    } else if (road == 1) {
        return_by_page(msr, srr0);
    } else {
        model[R_sprg0] = random_word();
        return_by_call(msr, srr0, model[R_sprg0]);
    }
}

static void by_move(uint32_t msr, uint32_t road)
{
    if (road == 0) {
        __asm__ volatile("mtmsr %0\n isync" ::"r"(msr) : "memory");
    } else if (road == 1) {
        lazy_mtmsr(msr);
    } else if (proteus_msr_set(msr) < 0) {
        fail("msr_set", step, 0, msr);
    }
}

/*
 * MSR = msr, by some road. If an event waits in TSR and EE comes on, the interrupt has been taken when the next instruction
 * runs, and once.
 */
static void set_msr(uint32_t msr)
{
    uint32_t was = msr_new, changed = was ^ msr;
    uint32_t count, waits = 0;

    if (!(was & MSR_EE) && random_below(2)) {
        waits = read_tsr() & TSR_PIS;
    }
    count = interrupts;
    msr_old = was;
    msr_new = msr;
    if (changed == MSR_EE && random_below(2)) {
        if (msr & MSR_EE) {
            ee_on(random_below(4));
        } else {
            ee_off(random_below(4));
        }
    } else if (!(was & MSR_EE) && random_below(2)) {
        by_return(msr, random_below(3));
    } else {
        by_move(msr, random_below(3));
    }
    if (waits && (msr & MSR_EE) && interrupts == count) {
        fail("interrupt lost", step, msr, was);
    }
    msr_old = msr;
    if (!(msr & MSR_EE)) {
        count = interrupts;
    }
    expect("MSR", step, msr, mfmsr());
    expect("MSR by page", step, msr, proteus_mfmsr());
    if (!(msr & MSR_EE)) {
        expect("interrupt with EE off", step, count, interrupts);
    }
}

/* Wait for the event: EE and WE on together. */
static void wait_for_event(void)
{
    uint32_t count, msr;

    set_msr(msr_new & ~(uint32_t)MSR_EE);
    if (!armed) {
        arm();
    }
    msr = msr_new | MSR_EE;
    msr_old = msr_new = msr;
    count = interrupts;
    waiting = 1;
    switch (random_below(5)) {
    case 0:
        proteus_wait();
        break;
    case 1:
        if (proteus_idle() < 0) {
            fail("idle", step, 0, msr);
        }
        break;
    default:
        by_move(msr | MSR_WE, random_below(3));
    }
    waiting = 0;
    if (interrupts == count) {
        fail("it waited for nothing", step, count, interrupts);
    }
    expect("MSR after waiting", step, msr, mfmsr());
}

/* In user mode everything privileged is the kernel's, with or without a tag in r0. */
static void user_mode(void)
{
    static const uint32_t words[][2] = {{0x7C6000A6, TRAP}, {0x7C631BA6, TRAP}, {SC, TRAP}, {0x0C3F0704, TRAP}, {TRAP, TRAP}};
    static const uint32_t vectors[] = {0x700, 0x700, 0xC00, 0x700, 0x700};
    static const uint32_t syndromes[] = {ESR_PPR, ESR_PPR, 0, ESR_PTR, ESR_PTR};
    uint32_t pick = random_below(5);
    struct machine m = {.gpr[0] = HCALL_TAG << 16 | random_below(26), .gpr[31] = 0xFFFFFFFF};
    uint32_t msr, after = pick == 2 ? 4 : 0;

    set_msr(msr_new & ~(uint32_t)MSR_EE);
    msr = (random_word() & MSR_PLAIN & ~(uint32_t)MSR_EE) | MSR_PR;
    code_at(BUFFER, words[pick], 2);
    expect("vector from user mode", step, vectors[pick], run_code(&m, BUFFER, msr));
    model[R_srr0] = BUFFER + after;
    model[R_srr1] = msr;
    if (syndromes[pick]) {
        model[R_esr] = syndromes[pick];
    }
    expect("MSR of the handler", step, msr & (MSR_CE | MSR_ME | MSR_DE), frame->msr);
    msr_old = msr_new = MSR_ME;
    expect("srr0 from user mode", step, model[R_srr0], read_reg(R_srr0));
    expect("srr1 from user mode", step, model[R_srr1], read_reg(R_srr1));
    expect("esr from user mode", step, model[R_esr], read_reg(R_esr));
}

/* ---- the steps ---- */

static uint32_t written(uint32_t n, uint32_t value)
{
    switch (n) {
    case R_dbsr:
        return model[n] & ~value;
    default:
        return value & regs[n].mask;
    }
}

static uint32_t value_for(uint32_t n)
{
    uint32_t value = random_below(8) ? random_word() : 0;

    switch (n) {
    case R_evpr:
        return value & 0xFFFF; /* the vectors stay where they are */
    case R_tcr:
        return TCR_PIE | (value & 0xC33FFFFF); /* periods of watchdog and FIT: neither interrupts */
    case R_dbcr0:
        return value & 0xCFFFFFFF;
    default:
        return value;
    }
}

static void write_step(uint32_t n)
{
    uint32_t value = value_for(n), next = written(n, value), count;

    do {
        count = interrupts;
        model[n] = next;
        write_reg(n, value);
    } while (count != interrupts);
}

static void read_step(uint32_t n)
{
    uint32_t count, value, right;

    do {
        count = interrupts;
        value = read_reg(n);
        right = model[n];
    } while (count != interrupts);
    if (value != right) {
        put_text("\nregister ");
        put_text(regs[n].name);
        fail("register", step, right, value);
    }
}

static void start(void)
{
    features = proteus_page_features();
    mtspr(PIT, 0);
    mtspr(TSR, 0xFFFFFFFF);
    mtspr(TCR, TCR_PIE);
    msr_old = msr_new = mfmsr();
    for (uint32_t n = 0; n < R_COUNT; n++) {
        model[n] = regs[n].read[BY_TRAP]();
    }
    model[R_srr0] = model[R_srr1] = model[R_sprg0] = 0;
    mtspr(SRR0, 0);
    mtspr(SRR1, 0);
    mtspr(SPRG0, 0);
}

static void one_step(void)
{
    uint32_t dice = random_below(100);

    if (dice < 40) {
        read_step(random_below(R_COUNT));
    } else if (dice < 70) {
        write_step(random_below(R_COUNT));
    } else if (dice < 88) {
        set_msr(random_below(2) ? msr_new ^ MSR_EE : random_word() & MSR_PLAIN);
    } else if (dice < 91) {
        lazy_section();
    } else if (dice < 93) {
        wait_for_event();
    } else if (dice < 95) {
        user_mode();
    } else if (dice < 96) {
        set_msr(msr_new & ~(uint32_t)MSR_EE);
        cancel();
        arm_and_check();
    } else if (!armed) {
        arm_and_check();
    }
}

static void report(const char *what, uint32_t value)
{
    put_text(what);
    put_decimal(value);
}

void property(void)
{
    start();
    for (step = 0; step < hybrid_steps; step++) {
        one_step();
    }
    while (armed) { /* the handler arms the next one as often as not */
        wait_for_event();
    }
    set_msr(MSR_ME);
    expect("events", step, armings, interrupts + cancels);
    for (uint32_t n = 0; n < R_COUNT; n++) {
        read_step(n);
    }
    mtspr(TCR, 0);
    report("hybrid: property steps=", step);
    report(" interrupts=", interrupts);
    report(" lazy=", in_lazy);
    report(" cancelled=", cancels);
    put_text("\n");
}
