/*
 * test_spr.c: every special purpose register, by a table written from the PPC405 Core User's Manual ("Register
 * Summary", "Special Purpose Registers") and not from config/spr.def; and every number that is none.
 */
#include "harness.h"

#include <string.h>

/* What mfspr gives after mtspr wrote. */
enum semantics {
    WORD,    /* what was written, in the bits of mask */
    CLEAR,   /* a one clears; reads back the rest */
    TIMER,   /* tested in test_timer.c; here: exists, both ways */
    RESET,   /* DBCR0: word, but for the reset field */
    TIME,    /* write only, and lost: every VM reads the machine's time base */
    FIXED,   /* read only: a write is illegal */
    NO_WORD, /* option DEBUG_REGS: a word if on, zero if off */
};

static const struct row {
    const char *name;
    uint32_t number;
    enum semantics semantics;
    uint32_t mask;
} rows[] = {
    {"srr0", 26, WORD, 0xFFFFFFFF},    {"srr1", 27, WORD, 0xFFFFFFFF},    {"usprg0", 256, WORD, 0xFFFFFFFF},
    {"sprg0", 272, WORD, 0xFFFFFFFF},  {"sprg1", 273, WORD, 0xFFFFFFFF},  {"sprg2", 274, WORD, 0xFFFFFFFF},
    {"sprg3", 275, WORD, 0xFFFFFFFF},  {"sprg4", 276, WORD, 0xFFFFFFFF},  {"sprg5", 277, WORD, 0xFFFFFFFF},
    {"sprg6", 278, WORD, 0xFFFFFFFF},  {"sprg7", 279, WORD, 0xFFFFFFFF},  {"tbl", 284, TIME, 0},
    {"tbu", 285, TIME, 0},             {"pvr", 287, FIXED, 0x51510950},   {"zpr", 944, WORD, 0xFFFFFFFF},
    {"pid", 945, WORD, 0x000000FF},    {"ccr0", 947, WORD, 0xFFFFFFFF},   {"iac3", 948, NO_WORD, 0xFFFFFFFF},
    {"iac4", 949, NO_WORD, 0xFFFFFFFF}, {"dvc1", 950, NO_WORD, 0xFFFFFFFF}, {"dvc2", 951, NO_WORD, 0xFFFFFFFF},
    {"sgr", 953, WORD, 0xFFFFFFFF},    {"dcwr", 954, WORD, 0xFFFFFFFF},   {"sler", 955, WORD, 0xFFFFFFFF},
    {"su0r", 956, WORD, 0xFFFFFFFF},   {"dbcr1", 957, NO_WORD, 0xFFFFFFFF}, {"icdbdr", 979, FIXED, 0},
    {"esr", 980, WORD, 0xFFFFFFFF},    {"dear", 981, WORD, 0xFFFFFFFF},   {"evpr", 982, WORD, 0xFFFF0000},
    {"tsr", 984, TIMER, 0xFC000000},   {"tcr", 986, TIMER, 0xFFC00000},   {"pit", 987, TIMER, 0xFFFFFFFF},
    {"srr2", 990, WORD, 0xFFFFFFFF},   {"srr3", 991, WORD, 0xFFFFFFFF},   {"dbsr", 1008, CLEAR, 0xFFFFFFFF},
    {"dbcr0", 1010, RESET, 0xCFFFFFFF}, {"iac1", 1012, NO_WORD, 0xFFFFFFFF}, {"iac2", 1013, NO_WORD, 0xFFFFFFFF},
    {"dac1", 1014, NO_WORD, 0xFFFFFFFF}, {"dac2", 1015, NO_WORD, 0xFFFFFFFF}, {"dccr", 1018, WORD, 0xFFFFFFFF},
    {"iccr", 1019, WORD, 0xFFFFFFFF},
};

#define HERE 0x200U /* from the start of the partition's RAM */

static const struct row *row_of(uint32_t number)
{
    size_t i;

    for (i = 0; i < COUNT(rows); i++) {
        if (rows[i].number == number) {
            return &rows[i];
        }
    }
    return 0;
}

static struct vcpu *place(void)
{
    struct vcpu *v = current;

    v->pc = vm_config[v->machine_pid - 1].ram_guest + HERE;
    v->msr = MSR_ME | MSR_CE;
    return v;
}

static void start(void **state)
{
    machine_boot(state);
    place()->evpr = 0xABCD0000;
}

/* The instruction was done. */
static void assert_step(const struct vcpu *v)
{
    assert_hex(v->pc, vm_config[v->machine_pid - 1].ram_guest + HERE + 4);
}

/* It raised a program interrupt, illegal instruction. */
static void assert_illegal(const struct vcpu *v, uint32_t number)
{
    if (v->pc != 0xABCD0700 || v->esr != ESR_PIL) {
        fail_msg("SPR %u: pc %08x, ESR %08x, and no illegal instruction", number, v->pc, v->esr);
    }
    assert_hex(v->srr0, vm_config[v->machine_pid - 1].ram_guest + HERE);
    assert_hex(v->srr1, MSR_ME | MSR_CE);
    assert_hex(v->msr, MSR_ME | MSR_CE);
}

static void write_spr(struct vcpu *v, uint32_t number, uint32_t reg, uint32_t value)
{
    place();
    v->gpr[reg] = value;
    assert_ptr_equal(run_insn(v, with_rt(mtspr_r5[number], reg), ESR_PPR), v);
}

static uint32_t read_spr(struct vcpu *v, uint32_t number, uint32_t reg)
{
    place();
    v->gpr[reg] = 0x0DD0DD00;
    assert_ptr_equal(run_insn(v, with_rt(mfspr_r5[number], reg), ESR_PPR), v);
    return v->gpr[reg];
}

static uint32_t expected(const struct row *row, uint32_t written)
{
    if (row->semantics == NO_WORD && !IS_ENABLED(CONFIG_DEBUG_REGS)) {
        return 0;
    }
    return written & row->mask;
}

static const uint32_t patterns[] = {0, 0xFFFFFFFF, 0x5A5A5A5A, 0xA5A5A5A5, 0x00000001, 0x80000000, 0x12345678};

static void test_word(const struct row *row)
{
    struct vcpu *v = current;
    uint32_t reg = 0;
    size_t i;

    for (i = 0; i < COUNT(patterns); i++) {
        write_spr(v, row->number, reg, patterns[i]);
        assert_step(v);
        assert_int_equal(read_spr(v, row->number, reg = (reg + 7) % 32), expected(row, patterns[i]));
        assert_step(v);
    }
}

static void test_clear(const struct row *row)
{
    struct vcpu *v = current;

    assert_string_equal(row->name, "dbsr");
    v->dbsr = 0xFFFF0000;
    write_spr(v, row->number, 3, 0x0F0F0F0F);
    assert_step(v);
    assert_hex(read_spr(v, row->number, 4), 0xF0F00000);
    write_spr(v, row->number, 3, 0xFFFFFFFF);
    assert_hex(read_spr(v, row->number, 4), 0);
}

static void test_fixed(const struct row *row)
{
    struct vcpu *v = current;

    assert_hex(read_spr(v, row->number, 31), row->mask);
    assert_step(v);
    write_spr(v, row->number, 31, 0x12345678);
    assert_illegal(v, row->number);
    assert_hex(read_spr(v, row->number, 1), row->mask);
}

static void test_time(const struct row *row)
{
    struct vcpu *v = current;
    uint32_t now = fake.time;

    write_spr(v, row->number, 3, 0x12345678);
    assert_step(v);
    assert_hex(fake.time, now);
    assert_int_equal(fake.spr_writes[row->number], 0);
    read_spr(v, row->number, 3);
    assert_illegal(v, row->number);
    assert_hex(v->gpr[3], 0x0DD0DD00);
}

static void test_timer(const struct row *row)
{
    struct vcpu *v = current;

    write_spr(v, row->number, 3, row->number == 984 ? 0xFFFFFFFF : 0); /* TSR: a one clears */
    assert_step(v);
    assert_hex(read_spr(v, row->number, 4), 0);
    assert_step(v);
}

static void test_reset(const struct row *row)
{
    struct vcpu *v = current;
    size_t i;

    for (i = 0; i < COUNT(patterns); i++) { /* with a reset field: test_lifecycle.c */
        write_spr(v, row->number, 3, patterns[i] & row->mask);
        assert_step(v);
        assert_hex(read_spr(v, row->number, 4), patterns[i] & row->mask);
    }
}

static void every_register(void **state)
{
    size_t i;

    for (i = 0; i < COUNT(rows); i++) {
        start(state);
        switch (rows[i].semantics) {
        case WORD:
        case NO_WORD:
            test_word(&rows[i]);
            break;
        case CLEAR:
            test_clear(&rows[i]);
            break;
        case FIXED:
            test_fixed(&rows[i]);
            break;
        case TIME:
            test_time(&rows[i]);
            break;
        case TIMER:
            test_timer(&rows[i]);
            break;
        case RESET:
            test_reset(&rows[i]);
            break;
        }
        covered("spr.%s", rows[i].name);
    }
}

/* All 1024 numbers: what the manual does not know is illegal, to read and to write, and changes nothing. */
static void every_number(void **state)
{
    uint32_t number;

    start(state);
    for (number = 0; number < 1024; number++) {
        struct vcpu before, *v = place();

        if (row_of(number) != 0) {
            continue;
        }
        before = *v;
        assert_hex(read_spr(v, number, 5), 0x0DD0DD00);
        assert_illegal(v, number);
        write_spr(v, number, 5, 0x0DD0DD00);
        assert_illegal(v, number);
        /* but for what the interrupt sets, all is as before */
        before.gpr[5] = v->gpr[5];
        before.pc = v->pc;
        before.srr0 = v->srr0;
        before.srr1 = v->srr1;
        before.esr = v->esr;
        before.msr = v->msr;
        before.srr2 = v->srr2;
        before.srr3 = v->srr3;
        before.usprg0 = v->usprg0;
#ifdef CONFIG_STATS
        memcpy(before.stat, v->stat, sizeof(before.stat));
#endif
        assert_memory_equal(&before, v, sizeof(before));
    }
}

/* The table here and config/spr.def know the same registers. */
static void same_registers_as_the_table(void **state)
{
    size_t count = 0;

    (void)state;
#define SPR(row_name, row_number, field, read, write, mask, manual)                                               \
    if (row_of(row_number) == 0 || strcmp(row_of(row_number)->name, #row_name) != 0) {                            \
        fail_msg(#row_name " is not in the table of this test");                                                  \
    }                                                                                                             \
    count++;
#include "spr.def"
#undef SPR
    assert_int_equal(count, COUNT(rows));
}

/* User mode reads SPRG4-7, and on QEMU SRR2 and SRR3, straight from the machine. */
static void machine_follows(void **state)
{
    static const uint32_t numbers[] = {276, 277, 278, 279, 990, 991};
    struct vcpu *v = current;
    size_t i;

    (void)state;
    for (i = 0; i < COUNT(numbers); i++) {
        write_spr(v, numbers[i], 3, 0xC0FFEE00 + (uint32_t)i);
        assert_hex(fake.spr[numbers[i]], 0xC0FFEE00 + (uint32_t)i);
    }
    write_spr(v, 256, 3, 0x05090600); /* USPRG0 shows SPRG0 of the machine there */
    assert_hex(fake.spr[SPRN_SPRG0], 0x05090600);
    for (i = 0; i < COUNT(numbers); i++) { /* a write to one leaves the others */
        assert_hex(fake.spr[numbers[i]], 0xC0FFEE00 + (uint32_t)i);
    }
    fake.spr[SPRN_SRR2] = 0x22222222; /* written in user mode, without a trap */
    fake.spr[SPRN_SRR3] = 0x33333333;
    fake.spr[SPRN_SPRG0] = 0x44444444;
    assert_hex(read_spr(v, 990, 3), 0x22222222);
    assert_hex(read_spr(v, 991, 3), 0x33333333);
    assert_hex(read_spr(v, 256, 3), 0x44444444);
    write_spr(v, 276, 3, 0x46464646);
    assert_hex(fake.spr[SPRN_SRR2], 0x22222222);
    assert_hex(fake.spr[SPRN_SPRG0], 0x44444444);
}

/* The machine's own SPRG0-3, SRR0-1, ESR, ... never hold what a guest wrote. */
static void machine_does_not_follow(void **state)
{
    size_t i;

    for (i = 0; i < COUNT(rows); i++) {
        uint32_t n = rows[i].number;

        start(state);
        if (rows[i].semantics != WORD || n == 990 || n == 991 || (n >= 276 && n <= 279) || n == 256) {
            continue;
        }
        fake.spr_writes[n] = 0;
        write_spr(current, n, 3, 0x5A5A5A5A);
        if (n == 26 || n == 27 || (IS_ENABLED(CONFIG_TLB_VIRT) && n == SPRN_PID)) {
            continue; /* SRR0, SRR1: the way back to the guest; PID: its context */
        }
        if (fake.spr_writes[n] != 0) {
            fail_msg("%s of the machine was written", rows[i].name);
        }
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(same_registers_as_the_table),
        cmocka_unit_test(every_register),
        cmocka_unit_test(every_number),
        TEST_BOOTED(machine_follows),
        cmocka_unit_test(machine_does_not_follow),
    };

    return cmocka_run_group_tests_name("spr", tests, 0, 0);
}
