/*
 * differential.c: each routine of asm/ that repeats C, against that C.
 *
 * A state is a guest as the hypervisor leaves it (schedule() has just run) with random words in its register file, its TLB and
 * the machine's. The same trap is taken twice from it: by the vector, which goes the hot road, and by the road of C alone. Then
 * everything has to be the same, word for word: all registers with which the guest goes on, its register file, the
 * hypervisor's data, every entry of the machine's TLB. Where the hot road gives up, both are C: then it must have changed
 * nothing before.
 *
 * All of it is the linked image, but for these instructions, each replaced by one other (patch()): rfi in enter.S by a branch to
 * landing, so that the guest runs nothing (and idle_loop's first); and what reads or writes TBL, PIT and TSR by loads and
 * stores of words, so that no time passes between the two.
 *
 * wanted_...: the seed, how many states of a routine, the first kind and the one behind the last.
 */
#include "differential.h"

#include <stddef.h>

#include "board.h"
#include "console.h"
#include "emulate.h"
#include "irq.h"
#include "memory.h"
#include "partition.h"
#include "roads.h"
#include "sched.h"
#include "timer.h"
#include "tlb.h"

extern struct machine machine;
/* differential.py writes others there. */
volatile uint32_t wanted_seed = 1, wanted_states = 1000, wanted_first = 0, wanted_end = 99;
extern char stack_top[];
#define LR_SAVED (*(volatile uint32_t *)((uintptr_t)stack_top - 12)) /* C that is no leaf saves LR there: it was called */
extern uint32_t data_start[], low_end[], text_start[], text_end[];

#define HAS(option)  IS_ENABLED(CONFIG_##option)
#define SLICES       (!HAS(SCHED_SINGLE))
#define FILE_WORDS   (offsetof(struct vcpu, none) / 4)
#define SAVED_WORDS  (offsetof(struct vcpu, pc) / 4 + 1) /* valid while the guest does not run */

const struct vm_image vm_image[VM_COUNT];
static struct vcpu *const v = &vcpu[0];

/* ---- random numbers, and text ---- */

static uint32_t seed;

static uint32_t any(void)
{
    seed ^= seed << 13;
    seed ^= seed >> 17;
    seed ^= seed << 5;
    return seed;
}

static uint32_t few(uint32_t n)
{
    return (any() >> 8) % n;
}

static bool one_in(uint32_t n)
{
    return few(n) == 0;
}

#ifdef CONFIG_BOARD_VIRTEX
#define UART 0x83E01003U
#else
#define UART 0xEF600300U
#endif

static void text(const char *string)
{
    while (*string != 0) {
        *(volatile uint8_t *)UART = (uint8_t)*string++;
    }
}

static void number(uint32_t value, uint32_t base)
{
    char digits[12];
    uint32_t i = sizeof(digits) - 1;

    digits[i] = 0;
    do {
        digits[--i] = "0123456789abcdef"[value % base];
        value /= base;
    } while (value != 0);
    text(&digits[i]);
}

static void named(const char *name, uint32_t value)
{
    text(name);
    number(value, 16);
}

/* ---- the image's instructions that are not to be executed here ---- */

#define SPR_FIELD(n)      (((n) & 31) << 16 | ((n) >> 5 & 31) << 11)
#define MFSPR(n)          (0x7C0002A6 | SPR_FIELD(n))
#define MTSPR(n)          (0x7C0003A6 | SPR_FIELD(n))
#define MFTB              0x7C0C42E6
#define RFI               0x4C000064
#define BRANCH_TO(place)  (0x48000002 | ((uint32_t)(uintptr_t)(place) & 0x03FFFFFC))
#define LOAD(at)          (0x80000000 | (at))
#define STORE(at)         (0x90000000 | (at))
#define RT(word)          ((word) & 31 << 21)

static void patch(void)
{
    static const uint32_t rows[][2] = {
        {MFTB, LOAD(M_TIME)}, {MFSPR(SPRN_TBL_R), LOAD(M_TIME)}, {MFSPR(SPRN_PIT), LOAD(M_PIT)},
        {MTSPR(SPRN_PIT), STORE(M_PIT)}, {MFSPR(SPRN_TSR), LOAD(M_TSR)}, {MTSPR(SPRN_TSR), STORE(M_TSR)},
    };
    uint32_t *word, i, ends = 0;

    word = (uint32_t *)(uintptr_t)idle_loop;
    *word = BRANCH_TO(landing); /* with one VM and little else, the assembler itself gets there */
    for (word = text_start; word < text_end; word++) {
        if (*word == RFI) {
            *word = BRANCH_TO(landing);
            ends++;
        }
        for (i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
            if ((*word & ~RT(~0U)) == rows[i][0]) {
                *word = rows[i][1] | RT(*word);
                break;
            }
        }
    }
    if (ends != 1) {
        text("differential: enter.S has more than one rfi, or none\n");
    }
    cpu_isync();
}

/* ---- all of a state: words, and the machine's TLB ---- */

struct area {
    uint32_t *start;
    uint32_t words;
};
static struct area areas[3];
static uint32_t area_count;
static uint32_t first_row;              /* of the machine's TLB: the static ones are looked at from time to time */

#define STATE_WORDS 1024
struct state {
    uint32_t words[STATE_WORDS];
    uint32_t tlb[TLB_ENTRIES][3];
};
static struct state before, hot, cold;

static void add_area(void *start, uint32_t words)
{
    areas[area_count].start = start;
    areas[area_count++].words = words;
}

static void read_row(uint32_t row, uint32_t *words)
{
    words[0] = cpu_tlbre_hi(row);
    words[2] = cpu_mfspr(SPRN_PID);
    words[1] = cpu_tlbre_lo(row);
}

static void write_row(uint32_t row, const uint32_t *words)
{
    cpu_mtspr(SPRN_PID, words[2]);
    cpu_tlbwe_hi(row, 0);
    cpu_tlbwe_lo(row, words[1]);
    cpu_tlbwe_hi(row, words[0]);
}

static bool same_row(const uint32_t *a, const uint32_t *b)
{
    return a[0] == b[0] && a[1] == b[1] && a[2] == b[2];
}

static void save(struct state *s)
{
    uint32_t *to = s->words, i, row;

    for (i = 0; i < area_count; i++) {
        copy_words(to, areas[i].start, areas[i].words);
        to += areas[i].words;
    }
    for (row = first_row; row < TLB_ENTRIES; row++) {
        read_row(row, s->tlb[row]);
    }
}

/* `now` is what the machine's TLB holds at the moment. */
static void load(const struct state *s, const struct state *now)
{
    const uint32_t *from = s->words;
    uint32_t i, row;

    for (i = 0; i < area_count; i++) {
        copy_words(areas[i].start, from, areas[i].words);
        from += areas[i].words;
    }
    for (row = first_row; row < TLB_ENTRIES; row++) {
        if (!same_row(s->tlb[row], now->tlb[row])) {
            write_row(row, s->tlb[row]);
        }
    }
}

/* ---- random states ---- */

#define PC_PAGE  0x7FFFF000U            /* where a guest with translation is: the last entry of the machine's TLB */
#define PC_ROW   (TLB_ENTRIES - 1)
#define PAGES    (HAS(BOARD_VIRTEX) ? TLB_ENTRIES : 14U)

static uint32_t *pc_word;               /* the instruction, by its machine address */

static uint32_t random_msr(void)
{
    uint32_t msr = any() & MSR_MASK & ~MSR_WE;

    if (!one_in(4)) {
        msr &= MSR_CE | MSR_EE | MSR_PR | MSR_ME | MSR_DE | MSR_IR | MSR_DR;
    }
    if (!HAS(TLB_VIRT)) {
        return msr & ~(MSR_IR | MSR_DR);
    }
    return one_in(3) ? msr : msr | MSR_IR | MSR_DR;
}

static uint32_t random_pid(void)
{
    return one_in(64) ? any() & 0xFF : few(4);
}

#ifdef CONFIG_TLB_VIRT
/* Pages that meet in a list; with pages of 1 KiB each of the guest's entries has one of its own, for shadows of two that
 * overlap are made small by C alone, and by C when it comes to them. */
static uint32_t random_page(uint32_t index)
{
    uint32_t page = HAS(BOARD_VIRTEX) ? index : few(PAGES);

    return 0x10000000 + page % 3 * 0x1000 + page / 3 * 0x20000;
}

static uint32_t random_hi(uint32_t index)
{
    uint32_t hi = random_page(index) | 1 << 7 | (one_in(8) ? 0 : TLBHI_V);

    if (one_in(64)) {
        hi |= TLBHI_E;
    }
    if (!HAS(BOARD_VIRTEX) && one_in(12)) {
        hi ^= (one_in(16) ? few(8) : 2 + few(2)) << 7;
    }
    return one_in(8) ? hi | few(32) : hi;
}

static uint32_t random_lo(void)
{
    const struct vm_config *c = &vm_config[0];
    uint32_t place = one_in(16) ? any() : c->ram_guest + (few(c->ram_size / PAGE_4K + 4) - 2) * PAGE_4K;
    uint32_t lo = place & 0xFFFFFC00;

    lo = one_in(8) ? lo : lo & ~0xC00U;
    lo |= few(3) << 4;
    lo |= one_in(4) ? 0 : TLBLO_EX;
    lo |= one_in(4) ? 0 : TLBLO_WR;
    lo |= one_in(4) ? few(16) : 0;
    return one_in(16) ? lo | few(256) : lo;
}

static void random_entry(void)
{
    tlb_write(v, few(TLB_ENTRIES), 1, random_lo());
    if (one_in(2)) {
        v->zpr = one_in(8) ? any() : 0x55555555 ^ 1U << few(32);
    }
}

static void random_vtlb(void)
{
    uint32_t i;

    for (i = 0; i < 2; i++) {
        uint32_t index = few(TLB_ENTRIES);

        v->pid = random_pid();
        tlb_write(v, index, 0, random_hi(index));
        random_entry();
    }
    v->vtlb.careful = HAS(BOARD_VIRTEX) && one_in(16);
}

/* A row of the machine: a shadow of one of the guest's entries, what was one, a neighbour's, or nothing. */
static void random_row(void)
{
    struct vtlb *t = &v->vtlb;
    uint32_t row = TLB_ROW_COUNT + few(PC_ROW - TLB_ROW_COUNT);
    uint32_t entry = few(TLB_ENTRIES), pid = VM_COUNT + 1 + few(TLB_CONTEXTS);
    uint32_t words[3] = {(t->hi[entry] & 0xFFFFF000) | 1 << 7 | TLBHI_V, random_lo(), pid};

    switch (few(8)) {
    case 0:
        words[0] = 0;
        shadow_owner[row] = 0;
        break;
    case 1:
        words[2] += TLB_CONTEXTS;
        shadow_owner[row] = (uint16_t)(words[2] << 8 | (entry + 1));
        break;
    case 2:
        t->where[entry] = (uint8_t)row;     /* no longer: it is whose it was */
        return;
    default:
        t->many[entry] = t->where[entry] != 0 && one_in(4);
        t->where[entry] = (uint8_t)row;
        shadow_owner[row] = (uint16_t)(pid << 8 | (entry + 1));
        break;
    }
    write_row(row, words);
}

/* As after some life: contexts that are known, and rows. */
static void random_tlb(void)
{
    uint32_t i;

    random_vtlb();
    v->pid = random_pid();
    for (i = 0; i < 3; i++) {
        random_row();
    }
    shadow_turn = (uint8_t)(TLB_ROW_COUNT + (one_in(4) ? PC_ROW - TLB_ROW_COUNT : few(PC_ROW - TLB_ROW_COUNT)));
}

static void map_pc(void)
{
    uint32_t words[3] = {PC_PAGE | 1 << 7 | TLBHI_V, ((uint32_t)(uintptr_t)pc_word & ~0xFFFU) | TLBLO_EX | TLBLO_WR,
                         v->context_pid};

    static uint32_t pid, page;

    if (words[2] != pid || words[1] != page) { /* each write of PID costs QEMU all that it knows of translation */
        write_row(PC_ROW, words);
        pid = words[2];
        page = words[1];
    }
    shadow_owner[PC_ROW] = 0;
}

/* The machine has missed: so it has no entry for the address. */
static void miss(uint32_t address)
{
    static const uint32_t none[3] = {0, 0, 0};
    uint32_t row;

    cpu_mtspr(SPRN_PID, v->context_pid);
    while ((row = cpu_tlbsx(address)) < TLB_ENTRIES) {
        write_row(row, none);
        cpu_mtspr(SPRN_PID, v->context_pid);
    }
}
#define context_of_v() (v->context_pid)

/* Mostly of an entry that the guest has. */
static uint32_t random_address(void)
{
    const struct vtlb *t = &v->vtlb;
    uint32_t i, entry = 0;

    for (i = 0; i < 8; i++) {
        entry = few(TLB_ENTRIES);
        if ((t->hi[entry] & TLBHI_V) != 0 && (t->tid[entry] == 0 || t->tid[entry] == v->pid) &&
            (t->lo[entry] - vm_config[0].ram_guest) < vm_config[0].ram_size) {
            break;
        }
    }
    return one_in(8) ? random_page(entry) + few(PAGE_4K) : (t->hi[entry] & 0xFFFFF000) + few(PAGE_4K);
}
#else
#define random_tlb()   (v->pid = random_pid())
#define random_entry() ((void)0)
#define map_pc()       ((void)0)
#define miss(address)  ((void)(address))
#define context_of_v() 0U
#define random_address() any()
#define random_hi(index) any()
#define random_lo()      any()
#endif

static bool for_pit;                    /* a guest that waits for its PIT, */
static bool for_supervisor;             /* or that may use privileged instructions */

static void random_words(void)
{
    uint32_t *word = &v->srr0;
    uint32_t i;

    for (i = 0; i < 3; i++) {
        word[few((uint32_t)(&v->su0r - word) + 1)] = any();
    }
    v->srr1 = random_msr() | (one_in(8) ? any() : 0);
    (&v->sprg4)[few(4)] = any();
    v->evpr = any() & 0xFFFF0000;
    v->tcr = any() & 0xFFC00000 & ~TCR_WRC;
    if (!one_in(4)) {
        v->tcr &= TCR_PIE | TCR_ARE | TCR_WP | TCR_FP;
    }
    if (HAS(FIT_WATCHDOG)) {
        v->tsr = any() & 0xCC000000;
    } else {
        v->tsr = any() & TSR_PIS;
    }
    if (!one_in(4)) {
        v->tsr &= ~(TSR_FIS | TSR_WIS);
    }
#ifdef CONFIG_IRQ
    v->irq_pending = one_in(4) ? any() & (MSR_EE | MSR_CE) : 0;
#endif
    v->srr2 = any();
    v->srr3 = any();
    v->pit = one_in(4) ? any() : few(4000);
    v->pit_left = one_in(3) ? 0 : one_in(4) ? any() : few(4000);
    v->pit_base = machine.time;
    v->msr = random_msr();
    v->pending = 0;
    v->msr &= for_supervisor ? ~(uint32_t)MSR_PR : ~0U;
    if (for_pit && !one_in(8)) {
        v->tcr = TCR_PIE | (v->tcr & (TCR_WP | TCR_FP));
        v->tsr = 0;
        v->pit_left = one_in(8) ? few(256) : 256 + few(10000);
        v->msr |= MSR_EE;
    }
}

/* Time that the guest has run since: less than the machine's PIT was set to, or as much. */
static void pass(uint32_t ticks)
{
    machine.time += ticks;
    machine.pit -= ticks;
}

/* A guest that runs, and what the machine holds then. False: it does not, try again. */
static bool random_state(void)
{
    uint32_t i, *word = machine.gpr;

    machine.time = any();
    machine.tsr = 0;
    if (one_in(4) || !HAS(TLB_VIRT)) {
        random_words();
        random_tlb();
    } else { /* the same context, which is cheaper */
        uint32_t pid = v->pid, mode = v->msr & (MSR_IR | MSR_DR | MSR_PR);

        random_words();
        v->pid = pid;
        v->msr = (v->msr & ~(MSR_IR | MSR_DR | MSR_PR)) | (for_supervisor ? mode & ~MSR_PR : mode);
        random_entry();
    }
    timer_sync_registers(v);
    vcpu_update_pending(v);
    LOW_SET(idle_pc, NOT_IDLE);
#ifdef CONFIG_CONSOLE
    LOW_SET(pit_road, (uint32_t)(uintptr_t)schedule); /* no text waits */
#endif
#ifdef CONFIG_SCHED_RR
    i = for_pit ? 0 : 2 * PIT_TICKS_MIN;
    LOW_SET(slice_end, machine.time + i + 1 + few((one_in(4) ? 2000 : SCHED_QUANTUM_TICKS) - i));
#endif
    current = v;
    if (schedule(v) != v || v->work != 0 || LOW_GET(idle_pc) != NOT_IDLE || (v->pending & v->msr) != 0) {
        v->work = 0;
        v->run_msr = MSR_GUEST;
        return false;
    }
    for (i = 0; i < MACHINE_WORDS - 3 - 3; i++) {
        word[i] = any();
    }
    machine.pid = context_of_v();
    if (!HAS(TLB_VIRT)) {
        machine.pid = v->machine_pid;
    }
    machine.srr1 = MSR_GUEST;
    machine.srr2 = v->srr2;
    machine.srr3 = v->srr3;
    machine.sprg4 = v->sprg4;
    machine.sprg5 = v->sprg5;
    machine.sprg6 = v->sprg6;
    machine.sprg7 = v->sprg7;
    machine.xer &= 0xE000007F;
    vcpu_load_live(v);
    pc_word = (uint32_t *)(uintptr_t)(vm_config[0].ram_machine + 0x1000 + 4 * few(256));
    map_pc();
    machine.srr0 = HAS(TLB_VIRT) && machine.pid > VM_COUNT
                       ? PC_PAGE + ((uint32_t)(uintptr_t)pc_word & 0xFFF)
                       : (uint32_t)(uintptr_t)pc_word - v->ram_offset;
    v->pc = 1; /* no pc: who goes by C stores one */
    return true;
}

/* Some time, in which nothing has become due. */
static void random_delay(void)
{
    if (one_in(2) && machine.pit > PIT_TICKS_MIN) {
        pass(few(machine.pit - 1));
    }
}

/* ---- the traps ---- */

static uint32_t twin_of;                /* what reflect_in_c() does */
static uint32_t changed, kept;          /* register that the twin's instruction took in place of another's, and its value */

struct vcpu *reflect_in_c(struct vcpu *who)
{
    if (twin_of == 0x0700) {
        who->esr = cpu_mfspr(SPRN_ESR);
    }
    if (twin_of == 0x0600) {
        who->dear = cpu_mfspr(SPRN_DEAR);
    }
    vcpu_noncritical(who, twin_of);
    tlb_enter(who);
    return who;
}

static uint32_t field(uint32_t n)
{
    return ((n & 31) << 5 | n >> 5) << 11;
}

static uint32_t random_spr(void)
{
    static const uint16_t often[] = {SPRN_TSR, SPRN_PIT, SPRN_PID, SPRN_SPRG4, SPRN_SPRG5, SPRN_SPRG6, SPRN_SPRG7, SPRN_ZPR};
    static const uint16_t all[] = {
#define SPR(name, number, field, read, write, mask, manual) number,
#include "spr.def"
#undef SPR
    };

    return one_in(64) ? any() & 1023 : one_in(2) ? often[few(8)] : all[few(sizeof(all) / sizeof(all[0]))];
}

static void trap_mtspr(void)
{
    uint32_t spr = random_spr(), rs = few(32);

    if (spr == SPRN_TSR || spr == SPRN_PIT) {
        machine.gpr[rs] = one_in(2) ? TSR_PIS : one_in(2) ? few(5000) : any();
    }
    if (spr == SPRN_PID && one_in(2)) {
        machine.gpr[rs] &= ~0xFCU;
    }
    if (spr == SPRN_DBCR0) {
        machine.gpr[rs] &= ~DBCR0_RST;
    }
    if (spr == SPRN_TCR) {
        machine.gpr[rs] &= ~TCR_WRC;
    }
    if (spr == SPRN_PIT && machine.pit > 1 && v->pit_left > 1 && one_in(2)) {
        pass(few(machine.pit)); /* it may be over, when the machine's PIT was not to be set shorter */
    } else if (spr != SPRN_TSR) {
        random_delay();
    }
    *pc_word = 31U << 26 | rs << 21 | field(spr) | 467 << 1;
}

static void trap_mfspr(void)
{
    random_delay();
    *pc_word = 31U << 26 | few(32) << 21 | field(random_spr()) | 339 << 1;
}

/* With register pages: what the guest has stored there, of which nobody knows yet. */
static void stores(void)
{
    if (HAS(IRFM) && one_in(2)) {
        if (one_in(2)) {
            v->pid = random_pid();
        }
        if (one_in(2)) {
            v->msr ^= MSR_EE;
        }
        if (TSR_BY_STORE && one_in(2)) {
            v->tsr = 0;
        }
    }
}

static void trap_rfi(void)
{
    stores();
    if (one_in(2)) {
        v->srr1 &= 0x0003FFF0;
    }
    v->srr1 &= one_in(16) ? ~0U : ~(uint32_t)MSR_WE;
    *pc_word = 0x4C000064;
}

/* mtmsr, wrtee or wrteei; C has the first alone, with which the twin does what the others do. */
static uint32_t msr_insn, msr_value;
static void trap_msr(void)
{
    uint32_t rs = few(32), value = random_msr();

    random_delay();
    value = one_in(2) ? v->msr ^ MSR_EE : value;
    value |= one_in(32) ? MSR_WE : 0;
    value |= one_in(8) ? few(16) : 0;
    value |= one_in(16) ? 0x10000 : 0;
    machine.gpr[rs] = value;
    changed = rs;
    msr_value = value;
    switch (few(3)) {
    case 0:
        *pc_word = 31U << 26 | rs << 21 | 146 << 1;
        break;
    case 1:
        *pc_word = 31U << 26 | rs << 21 | 131 << 1;
        msr_value = (v->msr & ~MSR_EE) | (value & MSR_EE);
        break;
    default:
        *pc_word = 31U << 26 | rs << 21 | (value & MSR_EE) | 163 << 1;
        msr_value = (v->msr & ~MSR_EE) | (value & MSR_EE);
        break;
    }
    msr_insn = 31U << 26 | rs << 21 | 146 << 1;
}

static void trap_tlbwe(void)
{
    uint32_t ra = few(32), rs = few(32), word = few(2), index = few(TLB_ENTRIES);

    random_delay();
    machine.gpr[rs] = word != 0 ? random_lo() : random_hi(index);
    machine.gpr[ra] = index | (one_in(4) && ra != rs ? any() & ~63U : 0);
    *pc_word = 31U << 26 | rs << 21 | ra << 16 | word << 11 | 978 << 1;
}

static void trap_data(void)
{
    machine.dear = random_address();
    machine.esr = one_in(2) ? ESR_DST : 0;
    miss(machine.dear);
    stores();
    *pc_word = (machine.esr != 0 ? 0x90000000 : 0x80000000) | few(32) << 21;
}

static void trap_fetch(void)
{
    machine.srr0 = random_address() & ~3U;
    miss(machine.srr0);
    stores();
}

static void trap_pit(void)
{
    if (HAS(IRFM) && one_in(4)) {
        v->msr ^= MSR_EE;
    }
    pass(machine.pit);
    if (one_in(2)) {
        machine.time += few(300);
    }
    if (v->pit_left != 0 && one_in(8)) { /* of somebody else: not due */
        v->pit_left += few(2000);
    }
    if (one_in(16)) {
        LOW_SET(idle_pc, machine.srr0);
        LOW_SET(idle_r31, machine.gpr[31]);
        machine.srr0 = (uint32_t)(uintptr_t)idle_loop;
        machine.srr1 = MSR_EE | MSR_ME;
        v->msr |= MSR_WE;
    }
}

#ifdef CONFIG_FAST_SWITCH
/* The slice is over; the neighbour, who is next, may run, or has a PIT event to take, or waits. */
static void trap_turn(void)
{
    struct vcpu *next = &vcpu[1];
    uint32_t i, *word = next->gpr;

    pass(machine.pit);
    LOW_SET(slice_end, machine.time - few(one_in(8) ? 0x10000 : 300) + (one_in(16) ? few(300) : 0));
    for (i = 0; i < sizeof(next->gpr) / 4; i++) {
        word[i] = any();
    }
    next->cr = any();
    next->lr = any();
    next->ctr = any();
    next->xer = any() & 0xE000007F;
    next->pc = any() & ~3U;
    next->evpr = any() & 0xFFFF0000;
    next->tcr = one_in(4) ? any() & 0xFFC00000 & ~TCR_WRC : any() & (TCR_PIE | TCR_ARE);
    next->tsr = one_in(4) ? any() & TSR_PIS : 0;
    next->pit = one_in(8) ? any() : few(4000);
    next->pit_left = one_in(3) ? 0 : one_in(8) ? any() : 1 + few(4000);
    next->pit_base = machine.time - few(4000);
    if (one_in(8)) { /* so late that the next event is now */
        next->pit = machine.time - next->pit_base - next->pit_left;
    }
    next->msr = any() & MSR_MASK & ~(MSR_IR | MSR_DR) & (one_in(2) ? ~0U : ~(uint32_t)MSR_WE);
    vcpu_update_pending(next);
    next->srr2 = any();
    next->srr3 = any();
    next->sprg4 = any();
    next->sprg7 = any();
#ifdef CONFIG_SERVICES
    next->quantum = 300 + few(5000);
    next->sleeping = one_in(8) ? MSR_WE : 0;
    next->wake = machine.time + (one_in(2) ? 0x100000 : -1 - few(1000)); /* C sets PIT to that even if PIT wakes it before */
#endif
    tlb_enter(next);
}
#else
#define trap_turn trap_pit
#endif

static void trap_user(uint32_t vector)
{
    random_delay();
    twin_of = vector;
    machine.gpr[0] = few(1000); /* no hypercall's tag */
}

static void trap_program(void)
{
    v->msr |= MSR_PR;
    trap_user(0x0700);
}

static void trap_alignment(void)
{
    trap_user(0x0600);
}

static void trap_fp(void)
{
    trap_user(0x0800);
}

static void trap_apu(void)
{
    trap_user(0x0F20);
}

static void trap_sc(void)
{
    trap_user(0x0C00);
}

/* mmu, flat: of a thousand states of a routine those that a configuration with option TLB_VIRT has (three do), and one without */
static const struct kind {
    const char *name;
    uint32_t mmu, flat;
    void (*trap)(void);
    void (*hot)(void);
    void (*twin)(void);
} kinds[] = {
    {"mtspr", 100, 350, trap_mtspr, go_program, go_c_emulate},
    {"mfspr", 100, 350, trap_mfspr, go_program, go_c_emulate},
    {"mtmsr wrtee wrteei", 100, 350, trap_msr, go_program, go_c_emulate},
    {"rfi", 100, 350, trap_rfi, go_program, go_c_emulate},
    {"pit", 100, 350, trap_pit, go_pit, go_c_schedule},
    {"tlbwe", 334, 0, trap_tlbwe, go_program, go_c_emulate},
    {"refill data", 167, 0, trap_data, go_dtlb_miss, go_c_data_fault},
    {"refill fetch", 167, 0, trap_fetch, go_itlb_miss, go_c_fetch_fault},
    {"reflect program", 40, 40, trap_program, go_program, go_c_reflect},
    {"reflect alignment", 40, 40, trap_alignment, go_alignment, go_c_reflect},
    {"reflect fp", 40, 40, trap_fp, go_fp_unavailable, go_c_reflect},
    {"reflect apu", 40, 40, trap_apu, go_apu_unavailable, go_c_reflect},
    {"reflect sc", 40, 40, trap_sc, go_system_call, go_c_reflect},
    {"turn", HAS(FAST_SWITCH) * 334, HAS(FAST_SWITCH) * 350, trap_turn, go_pit, go_c_schedule},
};
#define KIND_COUNT (sizeof(kinds) / sizeof(kinds[0]))

/* ---- and what came of them ---- */

static struct machine at_trap, after_hot;
static uint32_t bad;

static void canonical_timers(struct vcpu *who)
{
    timer_follow_page(who);
    if (HAS(FIT_WATCHDOG) || who != current) {
        timer_sync_pit(who, machine.time);
        events_sync(who, machine.time);
    }
    if (who->pit_left != 0) {
        who->pit_left += who->pit_base - machine.time;
        who->pit_base = machine.time;
    } else {
        who->pit_base = 0;
    }
}

/* The same moment, however it is written down: C accounts for the time at each look, the hot road when it has to. */
static void canonical(void)
{
    if (LOW_GET(idle_pc) != NOT_IDLE) {
        machine.srr0 = (uint32_t)(uintptr_t)idle_loop;
        machine.srr1 = MSR_ME;
        machine.gpr[31] = 0; /* the loop's own */
    }
    canonical_timers(v);
    if (area_count == 3) {
        canonical_timers(&vcpu[VM_COUNT - 1]);
    }
}

/* The machine's PIT may be left as it was, if it comes no later than C would have it. With one VM it may be off. */
static bool same_pit(uint32_t a, uint32_t b)
{
    return a == b || (a == at_trap.pit && a != 0 && a <= b) || (!SLICES && a == 0 && b == 0x40000000);
}

static void wrong(const struct kind *kind, uint32_t state, const char *what, uint32_t where, uint32_t a, uint32_t b)
{
    text(kind->name);
    text(": state ");
    number(state, 10);
    named(" of seed ", wanted_seed);
    text(": ");
    text(what);
    named(" ", where);
    named(": ", a);
    named(", in C ", b);
    named("; instruction ", *pc_word);
    named(", msr ", before.words[areas[0].words + offsetof(struct vcpu, msr) / 4]);
    named(", srr0 ", at_trap.srr0);
    text("\n");
}

static bool is_counter(uint32_t area, uint32_t offset)
{
#ifdef CONFIG_STATS
    return area > 0 && offset >= offsetof(struct vcpu, stat) / 4 && offset <= offsetof(struct vcpu, refused_call) / 4;
#else
    return (void)area, (void)offset, false;
#endif
}

/* The first that says anything: whose registers the machine holds has them there. */
static uint32_t first_word(uint32_t area)
{
    return area == 0 ? 0 : areas[area].start == (uint32_t *)current ? SAVED_WORDS : 0;
}

static bool compare(const struct kind *kind, uint32_t state)
{
    const uint32_t *a = (const uint32_t *)&after_hot, *b = (const uint32_t *)&machine;
    uint32_t i, k;

    for (i = 0; i < offsetof(struct machine, time) / 4; i++) {
        uint32_t read = i == offsetof(struct machine, srr0) / 4 ? ~3U : ~0U; /* rfi makes zero of bits 30:31 */

        if (((a[i] ^ b[i]) & read) != 0) {
            wrong(kind, state, "register at the return", 4 * i, a[i], b[i]);
            return false;
        }
    }
    if (!same_pit(after_hot.pit, machine.pit)) {
        wrong(kind, state, "the machine's PIT", at_trap.pit, after_hot.pit, machine.pit);
        return false;
    }
    if (kind->hot == go_pit && after_hot.tsr != machine.tsr) {
        wrong(kind, state, "the machine's TSR", 0, after_hot.tsr, machine.tsr);
        return false;
    }
    a = hot.words;
    b = cold.words;
    for (k = 0; k < area_count; k++) {
        for (i = first_word(k); i < areas[k].words; i++) {
            if (a[i] != b[i] && !is_counter(k, i) && &areas[k].start[i] != &low_r31) {
                wrong(kind, state, k == 0 ? "data" : "register file", 4 * i, a[i], b[i]);
                return false;
            }
        }
        a += areas[k].words;
        b += areas[k].words;
    }
    for (i = first_row; i < TLB_ENTRIES; i++) {
        for (k = 0; k < 3; k++) {
            if (hot.tlb[i][k] != cold.tlb[i][k] && (hot.tlb[i][0] | cold.tlb[i][0]) & TLBHI_V) {
                wrong(kind, state, k == 0 ? "TLBHI" : k == 1 ? "TLBLO" : "TID", i, hot.tlb[i][k], cold.tlb[i][k]);
                return false;
            }
        }
    }
    return true;
}

/* The neighbour: as it was, and looked at from time to time, but for the slices that it gets. */
#if VM_COUNT > 1
static uint32_t neighbour[FILE_WORDS];
static void others(const struct kind *kind, uint32_t state, const char *what)
{
    uint32_t i;

    if (area_count == 3) {
        return;
    }
    if (current != v || LOW_GET(idle_pc) != NOT_IDLE) {
        copy_words((uint32_t *)&vcpu[1], neighbour, FILE_WORDS);
    } else if (state % 64 == 0) {
        for (i = 0; i < FILE_WORDS; i++) {
            if (((uint32_t *)&vcpu[1])[i] != neighbour[i]) {
                wrong(kind, state, what, 4 * i, ((uint32_t *)&vcpu[1])[i], neighbour[i]);
                bad++;
                return;
            }
        }
    }
}
#else
#define others(kind, state, what) ((void)0)
#endif

static void run(const struct kind *kind, uint32_t states)
{
    uint32_t done = 0, fast = 0;

    if (states == 0) {
        return;
    }
    bad = 0;
    seed = wanted_seed * 2654435761U + (uint32_t)(kind - kinds) + 1;
    for_pit = kind->hot == go_pit;
    for_supervisor = kind->twin == go_c_emulate;
    area_count = kind->trap == trap_turn && HAS(FAST_SWITCH) ? 3 : 2; /* the neighbour as well */
    while (done < states && bad < 3) {
        if (!random_state()) {
            continue;
        }
        changed = 32;
        first_row = !HAS(TLB_VIRT) ? TLB_ENTRIES : done % 64 == 0 ? 0 : TLB_ROW_COUNT;
        kind->trap();
        copy_words((uint32_t *)&at_trap, (const uint32_t *)&machine, MACHINE_WORDS);
        save(&before);
        LR_SAVED = 0;
        kind->hot();
        fast += v->pc == 1 || LR_SAVED == 0;
        canonical();
        others(kind, done, "after the hot road");
        copy_words((uint32_t *)&after_hot, (const uint32_t *)&machine, MACHINE_WORDS);
        save(&hot);

        load(&before, &hot);
        copy_words((uint32_t *)&machine, (const uint32_t *)&at_trap, MACHINE_WORDS);
        if (changed < 32) {
            kept = machine.gpr[changed];
            machine.gpr[changed] = msr_value;
            *pc_word = msr_insn;
        }
        kind->twin();
        if (changed < 32) {
            *(current == v ? &machine.gpr[changed] : &v->gpr[changed]) = kept;
        }
        canonical();
        others(kind, done, "after C");
        save(&cold);
        bad += !compare(kind, done);
        load(&before, &cold);
        done++;
#if VM_COUNT > 1
        if (area_count == 3) {
            copy_words((uint32_t *)&vcpu[1], neighbour, FILE_WORDS);
        }
#endif
    }
    text("= ");
    text(kind->name);
    text(": ");
    number(done, 10);
    text(" states, ");
    number(fast, 10);
    text(" hot, ");
    number(bad, 10);
    text(" wrong\n");
}

void differential(void)
{
    uint32_t i;

    patch();
    __real_boot();
    add_area(data_start, (uint32_t)(low_end - data_start));
    for (i = 0; i < VM_COUNT; i++) {
        struct vcpu *who = &vcpu[i];

        who->work = 0;
        who->run_msr = MSR_GUEST;
        who->msr = 0;
        who->evpr = 0x10000;
        tlb_reset(who);
        timer_reset(who);
        services_reset(who);
    }
    add_area(v, FILE_WORDS);
#if VM_COUNT > 1
    add_area(&vcpu[1], FILE_WORDS);
    copy_words(neighbour, (const uint32_t *)&vcpu[1], FILE_WORDS);
#endif
    seed = wanted_seed | 1;
#ifdef CONFIG_TLB_VIRT
    for (i = 0; i < 4 * TLB_ENTRIES; i++) {
        random_vtlb();
        random_row();
    }
#endif
    for (i = wanted_first; i < KIND_COUNT && i < wanted_end; i++) {
        run(&kinds[i], wanted_states / 1000 * (HAS(TLB_VIRT) ? kinds[i].mmu : kinds[i].flat));
    }
    text("end\n");
    cpu_mtspr(SPRN_DBCR0, DBCR0_RST);
}
