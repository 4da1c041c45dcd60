/*
 * test_tlb.c: the virtual TLB as a guest meets it (option TLB_VIRT): its instructions, its faults with what SRR0, SRR1, ESR
 * and DEAR hold then (manual, "Interrupts and Exceptions"), interrupts and restarts while it runs translated, and devices
 * behind a translation.
 *
 * covers: kconfig.TLB_VIRT
 */
#include "harness.h"

#include "console.h"

#include <string.h>

#include "page.h"
#include "tlb.h"

#define CODE      0xC0000000U /* effective; guest-physical: 4 KiB from the start of the RAM */
#define DATA      0xD0000000U /* 8 KiB */
#define DEVICE    0xE0000000U /* the console's page */
#define NOTHING   0x77770000U /* no entry */
#define OUTSIDE   0x70000000U /* guest-physical, of nobody */
#define SIZE(n)   ((uint32_t)(n) << 7)
#define RIGHTS    (TLBLO_EX | TLBLO_WR)
#define EVPR      0x00450000U
#define BOTH      (MSR_IR | MSR_DR)
#define SOME_ESR  0x01234567U
#define SOME_DEAR 0x76543210U
#define ALL_ONES  0xFFFFFFFFU

enum { CODE_ENTRY = 1, DATA_ENTRY, DEVICE_ENTRY, FREE_ENTRY = 63 };

static struct vcpu *v;

static uint32_t ram(void)
{
    return vm_config[v - vcpu].ram_guest;
}

static uint32_t code_at(uint32_t pc)
{
    return pc - CODE + ram() + 0x1000;
}

static void map(uint32_t index, uint32_t hi, uint32_t lo, uint32_t tid)
{
    uint32_t pid = v->pid;

    v->pid = tid;
    tlb_write(v, index, 1, lo);
    tlb_write(v, index, 0, hi);
    v->pid = pid;
}

/* The running guest is translated, at CODE; all zones are as the entries say. */
static void begin(uint32_t msr)
{
    v = current;
    v->pc = CODE + 0x200;
    v->evpr = EVPR;
    v->esr = SOME_ESR;
    v->dear = SOME_DEAR;
    v->srr0 = 0x51;
    v->srr1 = 0x52;
    tlb_write_zpr(v, 0x55555555);
    map(CODE_ENTRY, CODE | SIZE(1) | TLBHI_V, (ram() + 0x1000) | TLBLO_EX, 0);
    map(DATA_ENTRY, DATA | SIZE(1) | TLBHI_V, (ram() + 0x2000) | RIGHTS, 0);
    vcpu_set_msr(v, msr);
    enter(schedule(v));
    assert_ptr_equal(current, v);
}

static uint32_t bytes_of(uint32_t hi)
{
    return 1024U << 2 * (hi >> 7 & 7);
}

static bool reaches(uint32_t row, uint32_t right)
{
    return row != TLB_ENTRIES && (right & ~fake.tlb_lo[row]) == 0;
}

static uint32_t machine_of(uint32_t row, uint32_t address)
{
    return (fake.tlb_lo[row] & 0xFFFFFC00) + (address & (bytes_of(fake.tlb_hi[row]) - 1));
}

/* The machine fetches the instruction at pc. False: the guest is somewhere else now, or another guest runs. */
static bool fetch(void)
{
    uint32_t pc = v->pc, tries;

    for (tries = 0; !reaches(cpu_tlbsx(pc), TLBLO_EX); tries++) {
        assert_true(tries < 2);
        fake.spr[SPRN_SRR0] = pc;
        enter(fetch_fault(v));
        if (v->pc != pc || current != v) {
            return false;
        }
    }
    return true;
}

/* And that instruction accesses `address`: the machine address, or 0 if it did not come to that. */
static uint32_t access(uint32_t insn, uint32_t address, uint32_t right)
{
    uint32_t pc = v->pc, tries;

    set_guest_word(v, code_at(pc), insn);
    if (!fetch()) {
        return 0;
    }
    for (tries = 0; !reaches(cpu_tlbsx(address), right); tries++) {
        assert_true(tries < 2);
        fake.spr[SPRN_SRR0] = pc;
        fake.spr[SPRN_DEAR] = address;
        fake.spr[SPRN_ESR] = right == TLBLO_WR ? ESR_DST : 0;
        enter(data_fault(v));
        if (v->pc != pc || current != v) {
            return 0;
        }
    }
    return machine_of(cpu_tlbsx(address), address);
}

static uint32_t load(uint32_t address)
{
    return access(INSN("lwz 5, 0(3)"), address, 0);
}

static uint32_t store(uint32_t address)
{
    return access(INSN("stw 5, 0(3)"), address, TLBLO_WR);
}

/* The instruction at pc traps and is emulated. */
static void execute(uint32_t insn)
{
    uint32_t pc = v->pc;

    if ((v->msr & MSR_IR) != 0) {
        set_guest_word(v, code_at(pc), insn);
        assert_true(fetch());
    } else {
        set_guest_word(v, pc, insn);
    }
    fake.spr[SPRN_SRR0] = pc;
    fake.spr[SPRN_ESR] = ESR_PPR;
    enter(emulate(v));
}

static void executed(uint32_t insn)
{
    uint32_t pc = v->pc;

    execute(insn);
    assert_hex(v->pc, pc + 4);
}

/* The guest has taken the interrupt of the instruction at `pc`; it is in real mode, as the machine's PID says. */
static void assert_interrupt(uint32_t offset, uint32_t pc, uint32_t msr, uint32_t esr, uint32_t dear)
{
    assert_ptr_equal(current, v);
    assert_hex(v->pc, EVPR + offset);
    assert_hex(v->srr0, pc);
    assert_hex(v->srr1, msr);
    assert_hex(v->msr, msr & (MSR_CE | MSR_ME | MSR_DE));
    assert_hex(v->esr, esr);
    assert_hex(v->dear, dear);
    assert_int_equal(fake.spr[SPRN_PID], v - vcpu + 1);
}

/* ---- the refill is nobody's business ---- */

static void refill(void **state)
{
    (void)state;
    begin(BOTH | MSR_ME);
    remember();
    assert_hex(load(DATA + 0x123), v->ram_offset + ram() + 0x2123);
    assert_hex(store(DATA + 0xFFF), v->ram_offset + ram() + 0x2FFF);
    assert_hex(v->pc, CODE + 0x200);
    assert_memory_equal(v->gpr, was(v)->gpr, sizeof(v->gpr));
    assert_hex(v->srr0, 0x51);
    assert_hex(v->srr1, 0x52);
    assert_hex(v->esr, SOME_ESR);
    assert_hex(v->dear, SOME_DEAR);
    assert_hex(v->msr, BOTH | MSR_ME);
}

/* ---- faults ---- */

#define MSR_SOME (BOTH | MSR_ME | MSR_EE | MSR_CE | MSR_DE)

static void data_miss(void **state)
{
    (void)state;
    begin(MSR_SOME);
    assert_hex(load(NOTHING + 3), 0);
    assert_interrupt(0x1100, CODE + 0x200, MSR_SOME, 0, NOTHING + 3);
    machine_boot_alone(state);
    begin(MSR_SOME | MSR_PR);
    assert_hex(store(NOTHING), 0);
    assert_interrupt(0x1100, CODE + 0x200, MSR_SOME | MSR_PR, ESR_DST, NOTHING);
}

/* ESR and DEAR belong to somebody else. */
static void instruction_miss(void **state)
{
    (void)state;
    begin(MSR_SOME);
    v->pc = NOTHING + 4;
    assert_false(fetch());
    assert_interrupt(0x1200, NOTHING + 4, MSR_SOME, SOME_ESR, SOME_DEAR);
}

/* An entry of another PID is none. */
static void miss_by_tid(void **state)
{
    (void)state;
    begin(MSR_SOME);
    map(DATA_ENTRY, DATA | SIZE(1) | TLBHI_V, (ram() + 0x2000) | RIGHTS, 5);
    v->gpr[9] = 4;
    executed(INSN("mtspr 945, 9"));
    load(DATA);
    assert_interrupt(0x1100, CODE + 0x204, MSR_SOME, 0, DATA);
}

static void data_storage(void **state)
{
    static const struct {
        uint32_t zpr, pr, right, lo, esr;
    } cases[] = {
        {0x55555555, 0, TLBLO_WR, TLBLO_EX, ESR_DST},
        {0x55555555, MSR_PR, TLBLO_WR, TLBLO_EX, ESR_DST},
        {0xFF3FFFFF, MSR_PR, 0, RIGHTS, ESR_DIZ},             /* zone 4 */
        {0xFF3FFFFF, MSR_PR, TLBLO_WR, RIGHTS, ESR_DST | ESR_DIZ},
    };
    size_t i;

    for (i = 0; i < COUNT(cases); i++) {
        machine_boot_alone(state);
        begin(MSR_SOME | cases[i].pr);
        tlb_write_zpr(v, cases[i].zpr);
        map(DATA_ENTRY, DATA | SIZE(1) | TLBHI_V, (ram() + 0x2000) | cases[i].lo | 4 << 4, 0);
        assert_hex(cases[i].right != 0 ? store(DATA) : load(DATA), 0);
        assert_interrupt(0x0300, CODE + 0x200, MSR_SOME | cases[i].pr, cases[i].esr, DATA);
    }
}

/* A store behind a load of the same page: there is an entry, without the right. */
static void data_storage_after_load(void **state)
{
    (void)state;
    begin(MSR_SOME);
    map(DATA_ENTRY, DATA | SIZE(1) | TLBHI_V, ram() + 0x2000, 0);
    assert_hex(load(DATA), v->ram_offset + ram() + 0x2000);
    assert_hex(store(DATA), 0);
    assert_interrupt(0x0300, CODE + 0x200, MSR_SOME, ESR_DST, DATA);
}

static void instruction_storage(void **state)
{
    static const struct {
        uint32_t zpr, pr, lo, esr;
    } cases[] = {
        {0x55555555, 0, TLBLO_WR, 0},
        {0x55555555, MSR_PR, 0, 0},
        {0x3FFFFFFF, MSR_PR, RIGHTS, ESR_DIZ},
        {0x55555555, 0, RIGHTS | TLBLO_G, 0}, /* nothing is fetched from a guarded page, whatever the zone says */
        {0xFFFFFFFF, MSR_PR, RIGHTS | TLBLO_G, 0},
    };
    size_t i;

    for (i = 0; i < COUNT(cases); i++) {
        machine_boot_alone(state);
        begin(MSR_SOME | cases[i].pr);
        tlb_write_zpr(v, cases[i].zpr);
        map(DATA_ENTRY, DATA | SIZE(1) | TLBHI_V, (ram() + 0x2000) | cases[i].lo, 0);
        v->pc = DATA + 8;
        assert_false(fetch());
        assert_interrupt(0x0400, DATA + 8, MSR_SOME | cases[i].pr, cases[i].esr, SOME_DEAR);
    }
}

#ifdef CONFIG_IRFM
#define PAGE_AT (vm_config[v - vcpu].page)
#else
#define PAGE_AT 0U
#endif

static bool is_own(uint32_t guest)
{
    return guest - ram() < vm_config[v - vcpu].ram_size ||
           (PAGE_AT != 0 && guest - (PAGE_AT - BOARD_PAGE_MIN) < 2 * BOARD_PAGE_MIN);
}

/* Translated to where the VM has nothing: the bus. A machine check, or nobody notices. */
static void bus(void **state)
{
    uint32_t address, tried = 0;

    begin(BOTH | MSR_ME);
    map(DATA_ENTRY, DATA | SIZE(1) | TLBHI_V, OUTSIDE | RIGHTS, 0);
    assert_hex(load(DATA), 0);
    assert_hex(v->pc, EVPR + 0x0200);
    assert_hex(fake.spr[SPRN_SRR2], CODE + 0x204);
    assert_hex(fake.spr[SPRN_SRR3], BOTH | MSR_ME);
    assert_int_equal(fake.spr[SPRN_PID], v - vcpu + 1);
    machine_boot_alone(state);
    begin(BOTH);
    partition_rows[TLB_ROW_COUNT] = (struct tlb_row){OUTSIDE | SIZE(7) | TLBHI_V, OUTSIDE | RIGHTS, v->machine_pid}; /* none */
    map(DATA_ENTRY, DATA | SIZE(1) | TLBHI_V, OUTSIDE | RIGHTS, 0);
    assert_hex(load(DATA), 0);
    assert_hex(v->pc, CODE + 0x204);
    for (address = 0; address < FAKE_RAM_FIRST; address += BOARD_PAGE_MIN) { /* the hypervisor's own */
        machine_boot_alone(state);
        begin(BOTH | MSR_ME);
        map(DATA_ENTRY, DATA | SIZE(1) | TLBHI_V, (address - v->ram_offset) | RIGHTS, 0);
        if (!is_own(address - v->ram_offset)) {
            assert_hex(store(DATA), 0);
            assert_hex(v->pc, EVPR + 0x0200);
            tried++;
        }
    }
    assert_true(tried >= 14);
}

/* ---- stops: what this machine does not have ---- */

static void assert_stopped(const char *reason)
{
    char text[100];

    assert_false(vcpu_can_run(v));
    if (IS_ENABLED(CONFIG_MESSAGES)) {
        console_flush();
        snprintf(text, sizeof(text), "[proteus] stop %.8s pc=", vm_config[v - vcpu].name);
        assert_non_null(strstr(fake.output, text));
        assert_non_null(strstr(fake.output, reason));
        assert_ptr_equal(strstr(fake.output, "[proteus]"), strrchr(fake.output, '[')); /* one line */
    }
}

static void touch(enum tlb_access kind)
{
    if (kind == TLB_FETCH) {
        v->pc = DATA;
        fetch();
    } else if (kind == TLB_STORE) {
        store(DATA);
    } else {
        load(DATA);
    }
}

static void stops(uint32_t hi, const char *reason)
{
    volatile enum tlb_access kind; /* setjmp() */

    for (kind = TLB_LOAD; kind <= TLB_FETCH; kind++) {
        machine_boot(0);
        begin(BOTH | MSR_ME);
        map(DATA_ENTRY, hi, (ram() + 0x2000) | RIGHTS, 0);
        assert_int_equal(tlb_search(v, DATA), DATA_ENTRY); /* written, read and found like any other */
        assert_hex(tlb_read(v, DATA_ENTRY, 0), hi);
        enter(schedule(v));
        assert_true(vcpu_can_run(v));
        if (VM_COUNT == 1) {
            EXPECT_MACHINE_RESET(touch(kind));
        } else {
            touch(kind);
            assert_ptr_not_equal(current, v);
            assert_false(is_idle());
        }
        assert_stopped(reason);
    }
}

static void small_pages(void **state)
{
    (void)state;
    if (BOARD_PAGE_MIN > 1024) {
        stops(DATA | SIZE(0) | TLBHI_V, "smallest page");
        return;
    }
    begin(BOTH | MSR_ME);
    map(DATA_ENTRY, (DATA + 0x400) | SIZE(0) | TLBHI_V, (ram() + 0x2800) | RIGHTS, 0);
    assert_hex(load(DATA + 0x400), v->ram_offset + ram() + 0x2800);
    assert_hex(store(DATA + 0x7FC), v->ram_offset + ram() + 0x2BFC);
    assert_hex(load(DATA + 0x800), 0);
    assert_hex(v->pc, EVPR + 0x1100);
}

/*
 * asm/refill.S makes entries of 4 KiB and asks for no others in the same place. So it must be off before there is a smaller
 * shadow: of a small page, or of a larger one where the partition has but a small one.
 */
static void small_shadows(void **state)
{
    uint32_t i;

    (void)state;
    if (BOARD_PAGE_MIN == PAGE_4K) {
        skip();
    }
    begin(BOTH | MSR_ME);
    map(DATA_ENTRY, (DATA + 0x400) | SIZE(0) | TLBHI_V, (ram() + 0x2800) | RIGHTS, 0);
    load(DATA + 0x400);
    assert_true(v->vtlb.careful);
    tlb_invalidate(v);
    assert_false(v->vtlb.careful);
    for (i = 0; i < TLB_ROW_COUNT; i++) {
        if (tlb_rows[i].tid == 2 && (tlb_rows[i].hi & SIZE(7)) == SIZE(0) && (tlb_rows[i].lo & TLBLO_I) != 0) {
            break;
        }
    }
    assert_true(i < TLB_ROW_COUNT);
    machine_boot(0);
    run_vm(&vcpu[1]);
    begin(BOTH | MSR_ME);
    map(DATA_ENTRY, DATA | SIZE(1) | TLBHI_V, (tlb_rows[i].hi & ~0xFFFU) | TLBLO_WR, 0);
    assert_false(v->vtlb.careful);
    store(DATA + (tlb_rows[i].hi & 0xC00));
    assert_true(v->vtlb.careful);
}

/* Not in the lists that asm/refill.S makes entries of: it does not look at that bit. */
static void little_endian(void **state)
{
    (void)state;
    stops(DATA | SIZE(1) | TLBHI_V | TLBHI_E, "little-endian");
    machine_boot(0);
    begin(BOTH | MSR_ME);
    map(DATA_ENTRY, DATA | SIZE(1) | TLBHI_V | TLBHI_E, (ram() + 0x2000) | RIGHTS, 0);
    assert_int_equal(v->vtlb.bucket[DATA / BOARD_PAGE_MIN % TLB_BUCKETS], CODE_ENTRY + 1);
    assert_int_equal(v->vtlb.next[CODE_ENTRY], 0);
    assert_int_equal(v->vtlb.bucket[TLB_BUCKETS], DATA_ENTRY + 1);
    map(DATA_ENTRY, DATA | SIZE(1) | TLBHI_V, (ram() + 0x2000) | RIGHTS, 0);
    assert_int_equal(v->vtlb.bucket[TLB_BUCKETS], 0);
    assert_true(load(DATA) != 0);
}

/* The stop line needs the guest's word: of a page that the machine has no entry for, of a guest that does not run. */
static void stop_line(void **state)
{
    struct vcpu *other = &vcpu[VM_COUNT - 1];
    char text[64];

    (void)state;
    if (!IS_ENABLED(CONFIG_MESSAGES)) {
        skip();
    }
    begin(BOTH);
    set_guest_word(v, code_at(CODE + 0x200), INSN("tlbia"));
    run_vm(other);
    vcpu_stop(v, STOP_RESET, "because");
    console_flush();
    snprintf(text, sizeof(text), "pc=c0000200 insn=%08x (tlbia): because", INSN("tlbia"));
    assert_non_null(strstr(fake.output, text));
    other->pc = DATA; /* no entry at all */
    other->msr = BOTH;
    other->lr = 0x00C0FFEE;
    tlb_enter(other);
    vcpu_stop(other, STOP_RESET, "because");
    console_flush();
    assert_non_null(strstr(fake.output, "pc=d0000000 lr=00c0ffee: because"));
}

/* Code that leads outside, with nobody to tell. */
static void fetch_outside(void **state)
{
    (void)state;
    begin(BOTH);
    map(DATA_ENTRY, (ram() & ~0xFFFU) | SIZE(1) | TLBHI_V, OUTSIDE | RIGHTS, 0); /* what looks like its own RAM */
    v->pc = ram();
    if (VM_COUNT == 1) {
        EXPECT_MACHINE_RESET(fetch());
    } else {
        assert_false(fetch());
    }
    assert_stopped("fetch outside its memory");
}

/* ---- instructions ---- */

static void tlbwe_and_tlbre(void **state)
{
    uint32_t i;

    (void)state;
    begin(BOTH | MSR_ME);
    for (i = 4; i < TLB_ENTRIES; i++) {
        v->gpr[3] = i + 64 * (random_word() % 1000); /* six bits count */
        v->gpr[4] = 0x10000000 + 0x1000 * i + (SIZE(1) | TLBHI_V);
        v->gpr[5] = (ram() + 0x2000) | 0x3FF;
        v->gpr[9] = i;
        executed(INSN("mtspr 945, 9")); /* PID */
        executed(INSN("tlbwe 4, 3, 0"));
        executed(INSN("tlbwe 5, 3, 1"));
        v->pc = CODE + 0x200;
    }
    for (i = 4; i < TLB_ENTRIES; i++) {
        v->gpr[3] = i;
        v->pid = 200;
        executed(INSN("tlbre 7, 3, 1"));
        assert_hex(v->gpr[7], (ram() + 0x2000) | 0x3FF);
        assert_hex(v->pid, 200);
        executed(INSN("tlbre 6, 3, 0"));
        assert_hex(v->gpr[6], 0x10000000 + 0x1000 * i + (SIZE(1) | TLBHI_V));
        assert_hex(v->pid, i); /* word 0 loads PID with TID */
        assert_hex(load(0x10000000 + 0x1000 * i), v->ram_offset + ram() + 0x2000); /* and that is its context */
        v->pc = CODE + 0x200;
    }
    v->gpr[3] = FREE_ENTRY; /* only the bits that exist */
    v->gpr[4] = ALL_ONES & ~(uint32_t)TLBHI_V;
    executed(INSN("tlbwe 4, 3, 0"));
    executed(INSN("tlbre 6, 3, 0"));
    assert_hex(v->gpr[6], 0xFFFFFFB0);
    covered("isa.tlbwe");
    covered("isa.tlbre");
}

/* An entry that is written again, or is not valid any more, is gone from the machine at once. */
static void replaced(void **state)
{
    (void)state;
    begin(BOTH | MSR_ME);
    load(DATA);
    v->gpr[3] = DATA_ENTRY;
    v->gpr[5] = (ram() + 0x3000) | RIGHTS;
    executed(INSN("tlbwe 5, 3, 1"));
    assert_hex(load(DATA), v->ram_offset + ram() + 0x3000);
    v->gpr[4] = (DATA + 0x1000) | SIZE(1) | TLBHI_V;
    executed(INSN("tlbwe 4, 3, 0"));
    assert_hex(load(DATA + 0x1000), v->ram_offset + ram() + 0x3000);
    assert_int_equal(cpu_tlbsx(DATA), TLB_ENTRIES);
    v->gpr[4] = (DATA + 0x1000) | SIZE(1);
    executed(INSN("tlbwe 4, 3, 0"));
    assert_int_equal(cpu_tlbsx(DATA + 0x1000), TLB_ENTRIES);
    load(DATA + 0x1000);
    assert_hex(v->pc, EVPR + 0x1100);
}

static void tlbsx(void **state)
{
    (void)state;
    begin(BOTH | MSR_ME);
    map(FREE_ENTRY, 0x30000000 | SIZE(3) | TLBHI_V, 0, 9);
    v->gpr[6] = DATA;
    v->gpr[7] = 0xFFC;
    v->gpr[5] = 77;
    v->cr = 0xFFFFFFFF;
    executed(INSN("tlbsx 5, 6, 7"));
    assert_hex(v->gpr[5], DATA_ENTRY);
    assert_hex(v->cr, 0xFFFFFFFF);
    v->xer = 0x80000000;
    executed(INSN("tlbsx. 5, 6, 7"));
    assert_hex(v->cr, 0x3FFFFFFF);
    v->gpr[6] = 0x30000000;
    v->gpr[5] = 77;
    executed(INSN("tlbsx. 5, 6, 7")); /* not of this PID */
    assert_hex(v->cr, 0x1FFFFFFF);
    assert_hex(v->gpr[5], 77);
    v->gpr[9] = 9;
    executed(INSN("mtspr 945, 9"));
    v->xer = 0;
    executed(INSN("tlbsx. 5, 6, 7"));
    assert_hex(v->cr, 0x2FFFFFFF);
    assert_hex(v->gpr[5], FREE_ENTRY);
    v->gpr[7] = 0x30010000; /* behind its end; (rA|0) */
    executed(INSN("tlbsx. 5, 0, 7"));
    assert_hex(v->cr, 0x0FFFFFFF);
    v->msr = MSR_ME; /* translation or not: the same search */
    tlb_enter(v);
    v->pc = ram() + 0x200;
    v->gpr[7] = 0xFFC;
    executed(INSN("tlbsx. 5, 6, 7"));
    assert_hex(v->gpr[5], FREE_ENTRY);
    covered("isa.tlbsx");
}

/* Valid bits only; the code's own entry with them. */
static void tlbia(void **state)
{
    (void)state;
    begin(BOTH | MSR_ME);
    load(DATA);
    executed(INSN("tlbia"));
    assert_int_equal(cpu_tlbsx(CODE), TLB_ENTRIES);
    assert_int_equal(cpu_tlbsx(DATA), TLB_ENTRIES);
    assert_hex(tlb_read(v, DATA_ENTRY, 0), DATA | SIZE(1));
    assert_hex(tlb_read(v, DATA_ENTRY, 1), (ram() + 0x2000) | RIGHTS);
    assert_false(fetch());
    assert_hex(v->pc, EVPR + 0x1200);
    covered("isa.tlbia");
}

/* PID and ZPR: at the next instruction. */
static void pid_and_zpr(void **state)
{
    (void)state;
    begin(BOTH | MSR_ME);
    map(DATA_ENTRY, DATA | SIZE(1) | TLBHI_V, (ram() + 0x2000) | RIGHTS, 1);
    map(FREE_ENTRY, DATA | SIZE(1) | TLBHI_V, (ram() + 0x3000) | 0x10, 2);
    v->gpr[9] = 1;
    executed(INSN("mtspr 945, 9"));
    assert_hex(store(DATA), v->ram_offset + ram() + 0x2000);
    v->gpr[9] = 0x102; /* eight bits */
    executed(INSN("mtspr 945, 9"));
    assert_hex(v->pid, 2);
    assert_hex(load(DATA), v->ram_offset + ram() + 0x3000);
    v->gpr[9] = 0x75555555; /* zone 1: all */
    executed(INSN("mtspr 944, 9"));
    assert_hex(store(DATA), v->ram_offset + ram() + 0x3000);
    v->gpr[9] = 0x55555555;
    executed(INSN("mtspr 944, 9"));
    assert_hex(store(DATA), 0);
    assert_hex(v->pc, EVPR + 0x0300);
}

/* As a store, for the rights. */
static void dcbi(void **state)
{
    (void)state;
    begin(MSR_SOME);
    v->gpr[3] = DATA;
    v->gpr[4] = 0x40;
    fake.flush_count = 0;
    executed(INSN("dcbi 3, 4"));
    assert_int_equal(fake.flush_count, 1);
    assert_hex(fake.flushed, v->ram_offset + ram() + 0x2040);
    map(DATA_ENTRY, DATA | SIZE(1) | TLBHI_V, (ram() + 0x2000) | TLBLO_EX, 0);
    execute(INSN("dcbi 3, 4"));
    assert_interrupt(0x0300, CODE + 0x204, MSR_SOME, ESR_DST, DATA + 0x40);
    assert_int_equal(fake.flush_count, 1);
    machine_boot_alone(state);
    begin(MSR_SOME);
    v->gpr[3] = NOTHING;
    v->gpr[4] = 0;
    execute(INSN("dcbi 3, 4"));
    assert_interrupt(0x1100, CODE + 0x200, MSR_SOME, ESR_DST, NOTHING);
}

/* ---- in and out of translation ---- */

/* An interrupt of the timer, from user state; the handler is in real mode, and rfi leads back. */
static void interrupt_and_back(void **state)
{
    uint32_t context;

    (void)state;
    begin(BOTH | MSR_ME | MSR_EE | MSR_PR);
    context = fake.spr[SPRN_PID];
    assert_true(load(DATA) != 0);
    v->evpr = 0;
    v->tcr = TCR_PIE;
    v->tsr = TSR_PIS;
    vcpu_update_pending(v);
    enter(schedule(v));
    assert_hex(v->pc, 0x1000);
    assert_hex(v->srr0, CODE + 0x200);
    assert_hex(v->srr1, BOTH | MSR_ME | MSR_EE | MSR_PR);
    assert_hex(v->msr, MSR_ME);
    assert_int_equal(fake.spr[SPRN_PID], v - vcpu + 1);
    v->tcr = 0;
    v->tsr = 0;
    vcpu_update_pending(v);
    v->pc = ram() + 0x200;
    execute(INSN("rfi"));
    assert_hex(v->pc, CODE + 0x200);
    assert_int_equal(fake.spr[SPRN_PID], context);
    assert_true(cpu_tlbsx(DATA) != TLB_ENTRIES); /* the way there and back costs no entry */
}

/* mtmsr with WE while translated: it waits, and the interrupt comes out of the wait. */
static void waits_translated(void **state)
{
    (void)state;
    begin(BOTH | MSR_ME);
    v->evpr = 0;
    v->gpr[3] = BOTH | MSR_ME | MSR_EE | MSR_WE;
    execute(INSN("mtmsr 3"));
    assert_true(is_idle());
    v->tcr = TCR_PIE;
    v->tsr = TSR_PIS;
    vcpu_update_pending(v);
    enter(schedule(v));
    assert_false(is_idle());
    assert_hex(v->pc, 0x1000);
    assert_hex(v->srr0, CODE + 0x204);
    assert_hex(v->srr1 & ~MSR_WE, BOTH | MSR_ME | MSR_EE);
    assert_int_equal(fake.spr[SPRN_PID], v - vcpu + 1);
}

/* Only one of both: the other is guest-physical. */
static void half_translated(void **state)
{
    (void)state;
    begin(MSR_IR | MSR_ME);
    assert_hex(store(ram() + 0x2344), v->ram_offset + ram() + 0x2344);
    assert_hex(load(DATA), 0);
    assert_hex(v->pc, EVPR + 0x0200); /* the bus: there is no such physical address */
    machine_boot_alone(state);
    begin(MSR_DR | MSR_ME);
    v->pc = ram() + 0x1200;
    assert_true(fetch());
    assert_hex(machine_of(cpu_tlbsx(v->pc), v->pc), v->ram_offset + ram() + 0x1200);
    v->pc = CODE + 0x200;
    assert_false(fetch());
    assert_hex(v->pc, EVPR + 0x0200);
}

/* ---- restart ---- */

static uint32_t shadows_of(uint32_t pid)
{
    uint32_t i, count = 0;

    for (i = TLB_ROW_COUNT; i < TLB_ENTRIES; i++) {
        count += (fake.tlb_hi[i] & TLBHI_V) != 0 && fake.tlb_tid[i] == pid;
    }
    return count;
}

static void restart(void **state)
{
    uint32_t i, user, kernel;

    (void)state;
    begin(BOTH | MSR_ME);
    load(DATA);
    kernel = fake.spr[SPRN_PID];
    v->gpr[3] = BOTH | MSR_ME | MSR_PR;
    executed(INSN("mtmsr 3"));
    load(DATA);
    user = fake.spr[SPRN_PID];
    assert_int_not_equal(user, kernel);
    assert_true(shadows_of(user) == 2 && shadows_of(kernel) == 2);
    vcpu_reset_request(v, 1, 0);
    finish_work(v);
    assert_true(shadows_of(user) == 0 && shadows_of(kernel) == 0);
    assert_int_equal(fake.spr[SPRN_PID], v - vcpu + 1);
    assert_hex(v->msr | v->pid | v->zpr, 0);
    for (i = 0; i < TLB_ENTRIES; i++) {
        assert_hex(tlb_read(v, i, 0) | tlb_read(v, i, 1) | v->pid, 0);
    }
    for (i = 0; i < TLB_ROW_COUNT; i++) {
        assert_hex(fake.tlb_hi[i], tlb_rows[i].hi);
    }
}

/* asm/refill.S makes entries of RAM that is cached: of other RAM C does, as its row says. */
static void refill_of_other_ram(void **state)
{
    struct tlb_row *row = partition_rows;

    (void)state;
    begin(BOTH | MSR_ME);
    assert_int_equal(v->vtlb.ram_size, vm_config[v - vcpu].ram_size);
    while (row->tid != v->machine_pid || ((row->hi ^ ram()) & ~(bytes_of(row->hi) - 1)) != 0) {
        row++;
    }
    row->lo |= TLBLO_I;
    vcpu_reset(v, 1);
    assert_int_equal(v->vtlb.ram_size, 0);
}

/* The others' shadows stay. */
static void restart_of_another(void **state)
{
    struct vcpu *other = &vcpu[0];
    uint32_t pid;

    (void)state;
    if (VM_COUNT == 1) {
        skip();
    }
    run_vm(&vcpu[VM_COUNT - 1]);
    begin(BOTH | MSR_ME);
    load(DATA);
    pid = fake.spr[SPRN_PID];
    vcpu_reset(other, 1);
    assert_int_equal(fake.spr[SPRN_PID], pid);
    assert_int_equal(shadows_of(pid), 2);
    run_vm(other);
    run_vm(v);
    assert_int_equal(fake.spr[SPRN_PID], pid);
    assert_int_equal(shadows_of(pid), 2);
}

/* ---- what is not RAM ---- */

#ifdef CONFIG_CONSOLE

static void device(void **state)
{
    uint32_t base, scratch;

    (void)state;
    begin(BOTH | MSR_ME);
    base = vm_config[v - vcpu].console_base;
    scratch = DEVICE + (base & 0xFFF) + 7;
    map(DEVICE_ENTRY, DEVICE | SIZE(1) | TLBHI_V, (base & ~0xFFFU) | TLBLO_WR | TLBLO_I | TLBLO_G, 0);
    v->gpr[3] = DEVICE + (base & 0xFFF);
    v->gpr[5] = 0x5A;
    assert_hex(access(INSN("stbu 5, 7(3)"), scratch, TLBLO_WR), 0);
    assert_hex(v->pc, CODE + 0x204);
    assert_hex(v->gpr[3], scratch); /* what it computed, not where that leads */
    v->gpr[6] = 0;
    assert_hex(access(INSN("lbz 6, 0(3)"), scratch, 0), 0);
    assert_hex(v->gpr[6], 0x5A);
    assert_hex(v->pc, CODE + 0x208);
    assert_int_equal(cpu_tlbsx(scratch), TLB_ENTRIES); /* never an entry of the machine */
    map(DEVICE_ENTRY, DEVICE | SIZE(1) | TLBHI_V, (base & ~0xFFFU) | TLBLO_I | TLBLO_G, 0);
    v->gpr[5] = 0xA5;
    access(INSN("stb 5, 0(3)"), scratch, TLBLO_WR);
    assert_interrupt(0x0300, CODE + 0x208, BOTH | MSR_ME, ESR_DST, scratch);
}

/* asm/uart.S asks nobody: only where the guest has stored to its UART, in that mode, by that entry. */
static void device_is_near(void **state)
{
    uint32_t base;

    (void)state;
    begin(BOTH);
    base = vm_config[v - vcpu].console_base;
    map(DEVICE_ENTRY, DEVICE | SIZE(1) | TLBHI_V, (base & ~0xFFFU) | TLBLO_WR, 0);
    map(DATA_ENTRY, DATA | SIZE(1) | TLBHI_V, OUTSIDE | RIGHTS, 0);
    store(DATA); /* the open bus */
    assert_int_not_equal(v->uart_context, v->context_pid);
    access(INSN("lbz 6, 0(3)"), DEVICE + (base & 0xFFF) + 5, 0); /* a right to read only, for all we know */
    assert_int_not_equal(v->uart_context, v->context_pid);
    access(INSN("stb 5, 0(3)"), DEVICE + (base & 0xFFF) + 7, TLBLO_WR);
    assert_int_equal(v->uart_context, v->context_pid);
    assert_hex(v->uart_base, DEVICE + (base & 0xFFF));
    map(DEVICE_ENTRY, DEVICE | SIZE(1) | TLBHI_V, OUTSIDE, 0);
    assert_int_not_equal(v->uart_context, v->context_pid);
    map(DEVICE_ENTRY, DEVICE | SIZE(1) | TLBHI_V, (base & ~0xFFFU) | TLBLO_WR, 0);
    access(INSN("stb 5, 0(3)"), DEVICE + (base & 0xFFF) + 7, TLBLO_WR);
    v->gpr[9] = 0x15555555; /* zone 0 */
    executed(INSN("mtspr 944, 9"));
    assert_int_not_equal(v->uart_context, v->context_pid);
    access(INSN("stb 5, 0(3)"), DEVICE + (base & 0xFFF) + 7, TLBLO_WR);
    executed(INSN("tlbia"));
    assert_int_not_equal(v->uart_context, v->context_pid);
}

#else

static void device(void **state)
{
    (void)state;
    skip();
}

static void device_is_near(void **state)
{
    (void)state;
    skip();
}

#endif
#ifdef CONFIG_IRFM

/* In the supervisor's state, wherever its TLB leads; a user has what the TLB says. */
static void register_pages(void **state)
{
    uint32_t page;

    (void)state;
    run_vm(&vcpu[0]);
    begin(BOTH | MSR_ME);
    page = vm_config[0].page;
    assert_true(page != 0);
    map(DATA_ENTRY, (page & ~0xFFFU) | SIZE(1) | TLBHI_V, (ram() + 0x2000) | RIGHTS, 0);
    assert_hex(store(page - 4), REGISTERS_BASE + BOARD_PAGE_MIN - 4);
    assert_hex(load(page + 4), REGISTERS_BASE + BOARD_PAGE_MIN + 4);
    v->gpr[3] = BOTH | MSR_ME | MSR_PR;
    executed(INSN("mtmsr 3"));
    assert_hex(store(page + 4), v->ram_offset + ram() + 0x2004);
    assert_hex(load(page - 4), 0);
    assert_hex(v->pc, EVPR + 0x1100);
}

/* Nobody writes the read-only one: not by an entry that says so either. */
static void read_only_page(void **state)
{
    uint32_t page;

    (void)state;
    run_vm(&vcpu[0]);
    begin(BOTH | MSR_ME);
    page = vm_config[0].page;
    assert_hex(store(page), 0);
    assert_hex(v->pc, EVPR + 0x0200);
    begin(BOTH | MSR_ME);
    map(DATA_ENTRY, DATA | SIZE(1) | TLBHI_V, page | RIGHTS, 0);
    assert_hex(load(DATA), REGISTERS_BASE + BOARD_PAGE_MIN);
    assert_hex(store(DATA), 0);
    assert_hex(v->pc, EVPR + 0x0200);
    begin(BOTH | MSR_ME);
    map(DATA_ENTRY, DATA | SIZE(1) | TLBHI_V, (page - BOARD_PAGE_MIN) | RIGHTS, 0);
    v->pc = DATA;
    assert_false(fetch()); /* and executes none */
    assert_hex(v->pc, EVPR + 0x0200);
}

#else

static void register_pages(void **state)
{
    (void)state;
    skip();
}

static void read_only_page(void **state)
{
    (void)state;
    skip();
}

#endif

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST_ALONE(refill),
        TEST_ALONE(data_miss),
        TEST_ALONE(instruction_miss),
        TEST_ALONE(miss_by_tid),
        cmocka_unit_test(data_storage),
        TEST_ALONE(data_storage_after_load),
        cmocka_unit_test(instruction_storage),
        TEST_ALONE(bus),
        cmocka_unit_test(small_pages),
        cmocka_unit_test(small_shadows),
        cmocka_unit_test(little_endian),
        TEST_BOOTED(stop_line),
        TEST_BOOTED(fetch_outside),
        TEST_ALONE(tlbwe_and_tlbre),
        TEST_ALONE(replaced),
        TEST_ALONE(tlbsx),
        TEST_ALONE(tlbia),
        TEST_ALONE(pid_and_zpr),
        TEST_ALONE(dcbi),
        TEST_ALONE(interrupt_and_back),
        TEST_ALONE(waits_translated),
        TEST_ALONE(half_translated),
        TEST_ALONE(restart),
        TEST_ALONE(refill_of_other_ram),
        TEST_BOOTED(restart_of_another),
        TEST_ALONE(device),
        TEST_ALONE(device_is_near),
        TEST_BOOTED(register_pages),
        TEST_BOOTED(read_only_page),
    };

    return cmocka_run_group_tests_name("tlb", tests, 0, 0);
}
