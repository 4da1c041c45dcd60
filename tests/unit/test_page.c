/*
 * test_page.c: the register pages (option IRFM): their words, and that nothing a guest writes there harms anybody else.
 *
 * covers: kconfig.IRFM
 */
#include "harness.h"

#include <string.h>

#include "abi.h"
#include "console.h"
#include "hypercall.h"
#include "page.h"
#include "stats.h"
#include "irq.h"

#define WORDS  (sizeof(struct vcpu) / 4) /* of all pages */
#define ROUNDS 20000U

/* The word of hypercalls/page.def; with FIT and watchdog the one of TSR is kept free, and is no register. */
#ifdef CONFIG_FIT_WATCHDOG
#define tsr no_tsr
#endif
enum { YES = 1, NO, TSR_STORE, MMU_STORE };
static const struct row {
    const char *name;
    int32_t offset, field;
    int read, write;
} rows[] = {
#define WORD(name, offset, register, read, write, text) {#name, offset, offsetof(struct vcpu, register), read, write},
#include "page.def"
#undef WORD
};
#undef tsr

static uint32_t *word_of(const struct vcpu *v, const struct row *row)
{
    return file_of(v) + ((int32_t)BOARD_PAGE_MIN + row->offset) / 4;
}

static bool is_tsr(const struct row *row)
{
    return row->write == TSR_STORE;
}

/* ---- the ABI ---- */

static void offsets(void **state)
{
    size_t i, k;

    (void)state;
    for (i = 0; i < COUNT(rows); i++) {
        const struct row *row = &rows[i];

        assert_int_equal(row->field, (int32_t)offsetof(struct vcpu, version) + row->offset);
        assert_int_equal(row->offset % 4, 0);
        assert_in_range(row->offset + (int32_t)BOARD_PAGE_MIN, 0, 2 * BOARD_PAGE_MIN - 4);
        assert_true((row->write == NO) == (row->offset >= 0)); /* what may be written is on the page that can be */
        for (k = 0; k < i; k++) {
            assert_int_not_equal(row->offset, rows[k].offset);
        }
    }
}

/* Rights and what the hypervisor keeps about a VM are out of the guest's reach. */
static void own_words_cannot_be_written(void **state)
{
    (void)state;
#define READ_ONLY(field) assert_true(offsetof(struct vcpu, field) >= offsetof(struct vcpu, version))
    READ_ONLY(features);
    READ_ONLY(pending);
    READ_ONLY(evpr);
    READ_ONLY(tcr);
    READ_ONLY(previrt);
    READ_ONLY(pit);
    READ_ONLY(srr2);
    READ_ONLY(machine_pid);
    READ_ONLY(ram_offset);
    READ_ONLY(pit_left);
    READ_ONLY(pit_base);
#ifdef CONFIG_IRQ
    READ_ONLY(irq_pending);
#endif
#ifdef CONFIG_TLB_VIRT
    READ_ONLY(context_pid);
    READ_ONLY(context_of);
    READ_ONLY(mode_pid);
    READ_ONLY(vtlb);
#endif
#ifdef CONFIG_FIT_WATCHDOG
    READ_ONLY(tsr);
    READ_ONLY(events_base);
#endif
#ifdef CONFIG_SERVICES
    READ_ONLY(quantum);
    READ_ONLY(wake);
    READ_ONLY(sleeping);
#endif
#undef READ_ONLY
    assert_true(offsetof(struct vcpu, none) <= offsetof(struct vcpu, version) + REGISTERS_STEP - BOARD_PAGE_MIN);
    assert_int_equal(sizeof(struct vcpu), REGISTERS_STEP);
    assert_int_equal(REGISTERS_STEP % BOARD_PAGE_MIN, 0);
}

static void as_after_start(void **state)
{
    uint32_t i;

    (void)state;
    for (i = 0; i < VM_COUNT; i++) {
        assert_hex(vcpu[i].version, PAGE_VERSION);
        assert_hex(vcpu[i].features, vm_config[i].flags);
        assert_hex(vcpu[i].pvr, 0x51510950);
        assert_hex(vcpu[i].previrt, 0);
        assert_true(((vcpu[i].features & FEATURE_IRFM) != 0) == (vm_config[i].page != 0));
        assert_true(((vcpu[i].features & FEATURE_TSR_STORE) != 0) ==
                    (vm_config[i].page != 0 && !IS_ENABLED(CONFIG_FIT_WATCHDOG)));
    }
}

static int number_of(const char *name)
{
#define SPR(row_name, number, field, read, write, mask, manual)                                                   \
    if (strcmp(name, #row_name) == 0) {                                                                           \
        return number;                                                                                            \
    }
#include "spr.def"
#undef SPR
    return -1;
}

static uint32_t by_insn(struct vcpu *v, uint32_t insn, uint32_t value)
{
    v->pc = vm_config[v - vcpu].ram_guest + 0x200;
    v->gpr[5] = value;
    assert_ptr_equal(run_insn(v, insn, ESR_PPR), v);
    assert_hex(v->pc, vm_config[v - vcpu].ram_guest + 0x204);
    return v->gpr[5];
}

/* A trapped and a mapped access meet the same word. */
static void same_word(struct vcpu *v, const struct row *row, int number)
{
    static const uint32_t patterns[] = {0, 0xFFFFFFFF, 0x5A5A5A5A, 0x12345678, 0x80000001};
    uint32_t *word = word_of(v, row), value = 0;
    size_t i;

    for (i = 0; i < COUNT(patterns); i++) {
        if (row->write != NO) {
            value = row->write == MMU_STORE && strcmp(row->name, "pid") == 0 ? patterns[i] & 0xFF : patterns[i];
            *word = value;
            assert_hex(by_insn(v, mfspr_r5[number], 0), value);
        }
        if (strcmp(row->name, "pvr") != 0) {
            value = patterns[i] & ~DBCR0_RST & ~TCR_WRC;
            by_insn(v, mtspr_r5[number], value);
        }
        assert_hex(by_insn(v, mfspr_r5[number], 0), *word);
        assert_true(row->write != YES || *word == value);
    }
}

static void registers_are_words(void **state)
{
    struct vcpu *v;
    size_t i;

    for (i = 0; i < COUNT(rows); i++) {
        int number = number_of(rows[i].name);

        machine_boot_alone(state);
        v = current;
        v->msr = 0;
        assert_ptr_equal(word_of(v, &rows[i]), (uint32_t *)((uintptr_t)v + (uint32_t)rows[i].field));
        if (number >= 0 && !is_tsr(&rows[i])) {
            same_word(v, &rows[i], number);
        }
        if (!is_tsr(&rows[i]) || !IS_ENABLED(CONFIG_FIT_WATCHDOG)) {
            covered("page.%s", rows[i].name);
        }
    }
}

/* With FIT and watchdog the place of TSR means nothing. */
static void tsr_is_out_of_reach(void **state)
{
    struct vcpu *v = current;
    size_t i;

    (void)state;
    if (!IS_ENABLED(CONFIG_FIT_WATCHDOG)) {
        skip();
    }
    v->tcr = TCR_PIE;
    v->tsr = TSR_PIS;
    v->msr = MSR_EE;
    vcpu_update_pending(v);
    for (i = 0; i < COUNT(rows); i++) {
        if (is_tsr(&rows[i])) {
            *word_of(v, &rows[i]) = 0;
        }
    }
    assert_hex(v->tsr, TSR_PIS);
    enter(schedule(v));
    assert_hex(v->pc, v->evpr + 0x1000);
}

/* ---- MSR and TSR by stores ---- */

static struct vcpu *with_pit_pending(void)
{
    struct vcpu *v = current;

    v->evpr = 0x00070000;
    v->msr = MSR_ME;
    v->tcr = TCR_PIE;
    timer_write_pit(v, 100);
    fake.time += 100;
    v->pc = vm_config[v - vcpu].ram_guest + 0x200;
    enter(schedule(v));
    assert_hex(v->pending, MSR_EE);
    assert_hex(v->tsr & TSR_PIS, TSR_PIS);
    assert_hex(v->pc, vm_config[v - vcpu].ram_guest + 0x200);
    return v;
}

/* EE by a store: at the next look the interrupt is taken, by SRR1 with the EE that was stored; once. */
static void ee_by_store(void **state)
{
    struct vcpu *v = with_pit_pending();

    (void)state;
    v->msr |= MSR_EE;
    enter(schedule(v));
    assert_hex(v->pc, 0x00071000);
    assert_hex(v->srr0, vm_config[v - vcpu].ram_guest + 0x200);
    assert_hex(v->srr1, MSR_EE | MSR_ME);
    assert_hex(v->msr, MSR_ME);
    v->pc = 0x00071004;
    enter(schedule(v));
    assert_hex(v->pc, 0x00071004); /* EE is off */
}

/* The guest has cleared TSR by a store and enables: nothing is delivered, and `pending` is right again. */
static void tsr_by_store(void **state)
{
    struct vcpu *v;
    uint32_t late;

    if (IS_ENABLED(CONFIG_FIT_WATCHDOG)) {
        skip();
    }
    for (late = 0; late < 3; late++) {
        machine_boot_alone(state);
        v = with_pit_pending();
        v->tsr = 0;
        v->msr |= MSR_EE;
        fake.time += 1000 * late;
        enter(schedule(v));
        assert_hex(v->pc, vm_config[v - vcpu].ram_guest + 0x200);
        assert_hex(v->pending, 0);
        assert_hex(v->msr, MSR_ME | MSR_EE);
        timer_write_pit(v, 500); /* the next event is a new one */
        enter(schedule(v));
        assert_hex(v->pending, 0);
        fake.time += 500;
        enter(schedule(v));
        assert_hex(v->pc, 0x00071000);
        assert_hex(v->tsr, TSR_PIS);
    }
}

/* Likewise while it waits: a stale `pending` does not end the wait, and nobody is asked to run it. */
static void tsr_by_store_and_wait(void **state)
{
    struct vcpu *v;

    (void)state;
    if (IS_ENABLED(CONFIG_FIT_WATCHDOG)) {
        skip();
    }
    v = with_pit_pending();
    v->tsr = 0;
    v->msr = MSR_WE | MSR_EE;
    enter(schedule(v));
    assert_true(is_idle());
    timer_write_pit(v, 700);
    enter(external(v));
    assert_int_equal(fake.spr[SPRN_PIT], 700);
    fake.time += 700;
    enter(schedule(v));
    assert_hex(v->pc, 0x00071000);
}

/* What the interrupt controller asks for stays pending. */
static void tsr_by_store_and_line(void **state)
{
    struct vcpu *v;

    (void)state;
    if (IS_ENABLED(CONFIG_FIT_WATCHDOG) || !IS_ENABLED(CONFIG_IRQ)) {
        skip();
    }
    v = with_pit_pending();
    irq_software(v, IRQ_BIT(25), IRQ_BIT(25));
    v->tsr = 0;
    enter(schedule(v));
    assert_hex(v->pending, MSR_EE);
    v->msr |= MSR_EE;
    enter(schedule(v));
    assert_hex(v->pc, 0x00070500);
}

/*
 * Whoever acts on `pending` looks at TSR first: the roads of rfi, mtmsr and the pages' traps that have seen `pending` let in,
 * where a line that is critical waits, too, and is not let in; and those that have not looked, for the context has to be found.
 */
static void tsr_by_store_and_roads(void **state)
{
    uint32_t road;

    if (IS_ENABLED(CONFIG_FIT_WATCHDOG)) {
        skip();
    }
    for (road = 0; road < 3; road++) {
        struct vcpu *v;
        uint32_t pc;

        machine_boot_alone(state);
        v = with_pit_pending();
#ifdef CONFIG_UIC
        irq_write(v, UIC_CR, road == 2 ? UIC_BIT(25) : 0);
        irq_software(v, UIC_BIT(25), road == 2 ? UIC_BIT(25) : 0);
#endif
        v->tsr = 0;
        v->msr = MSR_EE | (IS_ENABLED(CONFIG_TLB_VIRT) ? MSR_IR | MSR_DR : 0);
        pc = v->pc;
#ifdef CONFIG_TLB_VIRT
        enter(road == 0 ? tlb_find_context(v) : vcpu_deliver(v));
#else
        enter(vcpu_deliver(v));
#endif
        assert_hex(v->pc, pc);
        assert_hex(v->pending, IS_ENABLED(CONFIG_UIC) && road == 2 ? MSR_CE : 0);
    }
}

/* A VM that does not run has cleared TSR before its slice ended: it is not delivered when its turn comes. */
static void tsr_by_store_and_switch(void **state)
{
    struct vcpu *v, *other;
    uint32_t pc;

    machine_boot(state);
    if (IS_ENABLED(CONFIG_FIT_WATCHDOG)) {
        skip();
    }
    v = with_pit_pending();
    other = v == &vcpu[0] ? &vcpu[1] : &vcpu[0];
    v->tsr = 0;
    v->msr |= MSR_EE;
    pc = v->pc;
    fake.time += SCHED_QUANTUM_TICKS;
    enter(schedule(v));
    assert_ptr_not_equal(current, v);
    run_vm(other);
    run_vm(v);
    assert_hex(v->pc, pc);
    assert_hex(v->pending, 0);
}

/* ---- residue ---- */

/* What a life leaves behind, a new one does not find: pages as at the first start, but for the counters of option STATS. */
static void residue(void **state)
{
    static uint32_t fresh[VM_COUNT][WORDS];
    uint32_t i, k, *page;

    machine_setup(state);
    fake.time = 0x5000;
    boot_all();
    for (i = 0; i < VM_COUNT; i++) {
        memcpy(fresh[i], file_of(&vcpu[i]), sizeof(fresh[i]));
    }
    for (i = 0; i < VM_COUNT; i++) {
        struct vcpu *v = &vcpu[i];
        uint32_t words = (BOARD_PAGE_MIN + offsetof(struct vcpu, none) - offsetof(struct vcpu, version)) / 4;
        uint32_t pid = v->machine_pid, offset = v->ram_offset;

        page = file_of(v);
        for (k = 0; k < words; k++) { /* all that is ever written */
            page[k] = random_word() | 0x100;
        }
        v->machine_pid = pid;
        v->ram_offset = offset;
        if (v == current) {
            vcpu_load_live(v);
        }
        vcpu_reset(v, 3);
        if (v == current) { /* as vcpu_reset_request() */
            vcpu_start(v);
            vcpu_save_live(v);
        }
#ifdef CONFIG_STATS
        memcpy(v->stat, ((struct vcpu *)(fresh[i] + ((uintptr_t)v - (uintptr_t)page) / 4))->stat, sizeof(v->stat));
        v->ticks_hi = 0;
        v->ticks_lo = 0;
        v->lost_at = v->lost_pc = v->refused_call = 0;
#endif
        v->msr = ((struct vcpu *)(fresh[i] + ((uintptr_t)v - (uintptr_t)page) / 4))->msr; /* autostart is boot()'s */
        for (k = 0; k < WORDS; k++) {
            if (page[k] != fresh[i][k]) {
                fail_msg("VM %u: 0x%08X is left at 0x%03X of its pages; at the first start 0x%08X", i, page[k], 4 * k,
                         fresh[i][k]);
            }
        }
    }
}

/* And by a list: zero, but for what the manual or the image says. */
static void writable_page_after_reset(void **state)
{
    struct vcpu *v = current;
    uint32_t *word, *page = file_of(v);

    (void)state;
    for (word = page; word < &v->version; word++) {
        *word = 0xEEEEEEEE;
    }
    vcpu_reset(v, 1);
    for (word = page; word < &v->version; word++) {
        if (*word != 0 && word != &v->sgr && word != &v->ccr0 && word != &v->pc && (word < v->gpr + 3 || word > v->gpr + 7)) {
            fail_msg("0x%08X at 0x%03X of the page", *word, (uint32_t)((uintptr_t)word - (uintptr_t)page));
        }
    }
    assert_hex(v->sgr, 0xFFFFFFFF);
    assert_hex(v->gpr[3], R3(v - vcpu));
    assert_hex(v->pc, vm_config[v - vcpu].ram_guest + ENTRY);
}

/* ---- a hostile guest ---- */

static const struct {
    uint32_t op, xo;
} insns[] = {
#define ISA_HOT(mnemonic, op, xo, form, routine, manual) {op, xo},
#define ISA_COLD ISA_HOT
#include "isa.def"
#undef ISA_HOT
#undef ISA_COLD
};

static uint32_t some_word(void)
{
    static const uint32_t words[] = {0, 0xFFFFFFFF, MSR_EE, MSR_CE, MSR_WE, MSR_PR, MSR_IR | MSR_DR, TSR_PIS, TSR_WIS,
                                     TSR_FIS, MSR_WE | MSR_EE, MSR_EE | MSR_CE, 4, 0x80000000, REGISTERS_BASE};
    uint32_t word = random_word();

    switch (word % 4) {
    case 0:
        return words[word / 4 % COUNT(words)];
    case 1:
        return 1U << word / 4 % 32;
    default:
        return random_word();
    }
}

/* Every word that it can write. pc is then what the road saved. */
static void scribble(struct vcpu *v)
{
    uint32_t *word;
    bool wild = random_word() % 2 != 0;

    for (word = file_of(v); word < &v->version; word++) {
        *word = wild ? random_word() : some_word();
    }
    v->pc = vm_config[v - vcpu].ram_guest + (random_word() & 0x7FFC);
    fake.spr[SPRN_SRR0] = v->pc;
}

/* A refill, or tlbwe, does not look at the words that it wrote: the next look does. */
static struct vcpu *refilled(struct vcpu *v)
{
    return IS_ENABLED(CONFIG_TLB_VIRT) ? schedule(v) : v;
}

static struct vcpu *privileged(struct vcpu *v)
{
    uint32_t row = random_word() % COUNT(insns);

    if (cpu_tlbsx(v->pc) == TLB_ENTRIES) {
        return refilled(fetch_fault(v));
    }
    set_guest_word(v, v->pc, insns[row].op << 26 | (random_word() & 0x03FFF800) | insns[row].xo << 1 | (random_word() & 1));
    fake.spr[SPRN_ESR] = ESR_PPR;
    return insns[row].xo == 978 ? refilled(emulate(v)) : emulate(v); /* tlbwe does not look either */
}

static struct vcpu *device(struct vcpu *v)
{
    if (cpu_tlbsx(v->pc) == TLB_ENTRIES) {
        return refilled(fetch_fault(v));
    }
    set_guest_word(v, v->pc, (32 + random_word() % 14) << 26 | (random_word() & 0x03FFFFFF));
    fake.spr[SPRN_DEAR] = random_word() % 4 != 0 ? BOARD_CONSOLE_BASE + random_word() % 12 : random_word();
    return refilled(data_fault(v));
}

static struct vcpu *line(struct vcpu *v)
{
    const struct vm_config *config = &vm_config[v - vcpu];
    struct vcpu *next;

    fake.lines = config->irq_count != 0 ? IRQ_BIT(config->irq[random_word() % config->irq_count].line) : 0;
    next = external(v);
    fake.lines = 0;
    return next;
}

static struct vcpu *some_call(struct vcpu *v)
{
#if defined(CONFIG_SERVICES) || defined(CONFIG_DRIVERS)
    v->gpr[0] = (uint32_t)HCALL_TAG << 16 | random_word() % 32;
    v->pc += 4;
    return hypercall(v);
#else
    return schedule(v);
#endif
}

static struct vcpu *road(struct vcpu *v)
{
    switch (random_word() % 64) {
    case 0:
        return refilled(fetch_fault(v));
    case 1:
        fake.spr[SPRN_SRR2] = v->pc;
        fake.spr[SPRN_SRR3] = MSR_GUEST;
        fake.spr[SPRN_ESR] = random_word();
        return machine_check(v);
    default:
        break;
    }
    switch (random_word() % 8) {
    case 0:
        return line(v);
    case 1:
        return device(v);
    case 2:
        return some_call(v);
    case 3:
        fake.time += random_word() >> (random_word() % 20 + 4);
        return schedule(v);
    case 4:
        return (v->pending & v->msr) != 0 ? vcpu_deliver(v) : schedule(v);
    default:
        return privileged(v);
    }
}

/* The machine's registers that C writes on its way to a guest; of the MSR that will be only two values. */
static void assert_machine(const struct vcpu *v)
{
    uint32_t n;

    for (n = 0; n < 1024; n++) {
        if (fake.spr_writes[n] != fake_was()->spr_writes[n] && n != SPRN_SRR1 && n != SPRN_SRR2 && n != SPRN_SRR3 &&
            n != SPRN_ESR && n != SPRN_TSR && n != SPRN_PIT && !(IS_ENABLED(CONFIG_TLB_VIRT) && n == SPRN_PID)) {
            fail_msg("the machine's SPR 0x%03X was written", n);
        }
    }
    assert_int_equal(fake.spr[SPRN_PID], context_pid(v));
    assert_true(fake.spr[SPRN_SRR1] == MSR_GUEST || (is_idle() && fake.spr[SPRN_SRR1] == MSR_ME));
    assert_in_range(fake.spr[SPRN_PIT], PIT_TICKS_MIN, 0x40000000);
}

/* Rights and identity, on its other page. */
static void assert_identity(const struct vcpu *v)
{
    assert_int_equal(v->machine_pid, v - vcpu + 1);
    assert_hex(v->ram_offset, vm_config[v - vcpu].ram_machine - vm_config[v - vcpu].ram_guest);
    assert_hex(v->features, vm_config[v - vcpu].flags);
    assert_hex(v->version, PAGE_VERSION);
    assert_hex(v->pvr, 0x51510950);
}

/* v runs from the start, the others wait for ever. */
static void begin(struct vcpu *v)
{
    uint32_t i;

    machine_boot(0);
    for (i = 0; i < VM_COUNT; i++) {
        vcpu[i].msr = &vcpu[i] == v ? 0 : MSR_WE;
    }
    run_vm(v);
    remember();
}

/* The guest cannot have written while it waits: something ends that. */
static void end_wait(struct vcpu *v)
{
    if (is_idle()) {
        VCPU_AWAKE(v);
        v->msr = 0;
        enter(schedule(v));
    }
    assert_false(is_idle());
}

static void hostile(uint32_t index)
{
    struct vcpu *v = &vcpu[index];
    uint32_t round, stops = 0;

    begin(v);
    for (round = 0; round < ROUNDS; round++) {
        if (strstr(fake.output, "[proteus] stop ") != 0 || round % 256 == 255) {
            assert_null(strstr(fake.output, "panic"));
            stops += round % 256 != 255;
            begin(v);
        }
        fake.output_length = 0;
        fake.output[0] = 0;
        end_wait(v);
        scribble(v);
        enter(road(v));
        assert_ptr_equal(current, v);
        assert_identity(v);
        assert_machine(v);
        assert_others_as_before(v);
    }
    assert_in_range(stops, 1, ROUNDS / 4); /* it lives long enough to do harm */
}

static void hostile_guests(void **state)
{
    uint32_t i;

    (void)state;
    for (i = 0; i < VM_COUNT; i++) {
        if (vm_config[i].page != 0) {
            hostile(i);
        }
    }
}

/* Beside it the others run, and get their share and their own registers: whatever it writes. */
static void neighbours_run(void **state)
{
    uint32_t round, turns[VM_COUNT] = {0}, i;
    struct vcpu *v = &vcpu[0];

    machine_boot(state);
    for (i = 1; i < VM_COUNT; i++) {
        vcpu[i].msr = MSR_ME;
        vcpu[i].sprg0 = 0x600D0000 + i;
        vcpu[i].gpr[20] = 0x20200000 + i;
    }
    for (round = 0; round < 10000; round++) {
        if (current == v && !is_idle()) {
            scribble(v);
        }
        turns[current - vcpu]++;
        fake.time += random_word() % SCHED_QUANTUM_TICKS;
        enter(schedule(current));
        for (i = 1; i < VM_COUNT; i++) {
            assert_hex(vcpu[i].sprg0, 0x600D0000 + i);
            assert_hex(vcpu[i].gpr[20], 0x20200000 + i);
            assert_hex(vcpu[i].msr, MSR_ME);
            assert_hex(vcpu[i].pc, vm_config[i].ram_guest + ENTRY);
        }
    }
    for (i = 1; i < VM_COUNT; i++) {
        assert_true(turns[i] > 10000 / VM_COUNT / 2);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(offsets),
        cmocka_unit_test(own_words_cannot_be_written),
        TEST_BOOTED(as_after_start),
        cmocka_unit_test(registers_are_words),
        TEST_ALONE(tsr_is_out_of_reach),
        TEST_ALONE(ee_by_store),
        cmocka_unit_test(tsr_by_store),
        TEST_ALONE(tsr_by_store_and_wait),
        TEST_ALONE(tsr_by_store_and_line),
        cmocka_unit_test(tsr_by_store_and_roads),
        cmocka_unit_test(tsr_by_store_and_switch),
        cmocka_unit_test(residue),
        TEST_BOOTED(writable_page_after_reset),
        cmocka_unit_test(hostile_guests),
        cmocka_unit_test(neighbours_run),
    };

    return cmocka_run_group_tests_name("page", tests, 0, 0);
}
