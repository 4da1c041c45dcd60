/*
 * test_tlb_calls.c: the hypercalls that write whole entries of the virtual TLB, against tlbwe (option TLB_CALLS).
 *
 * covers: kconfig.TLB_CALLS
 */
#include "hcall.h"

#include <string.h>

#include "cpu.h"
#include "partition.h"
#include "tlb.h"

#define PAGE   0x1000U
#define HI(ea) ((ea) | 1U << 7 | TLBHI_V)
#define LO(ra) ((ra) | TLBLO_EX | TLBLO_WR)

/* As call() of hcall.h, with four arguments. */
static void call4(struct vcpu *v, uint32_t number, const uint32_t *args)
{
    uint32_t i;

    v->gpr[0] = (uint32_t)HCALL_TAG << 16 | number;
    for (i = 0; i < 4; i++) {
        v->gpr[3 + i] = args[i];
    }
    v->pc = sc_of(v) + 4;
    fake.spr[SPRN_SRR0] = v->pc;
    assert_ptr_equal(enter(hypercall(v)), v);
}

/* What the guest itself would write. */
static void by_instructions(struct vcpu *v, uint32_t index, uint32_t hi, uint32_t lo, uint32_t tid)
{
    uint32_t pid = v->pid;

    v->pid = tid;
    tlb_write(v, index, 1, lo);
    tlb_write(v, index, 0, hi);
    v->pid = pid;
}

static void one_entry(void **state)
{
    struct vcpu *v = current;
    struct vtlb expected;
    uint32_t i;

    (void)state;
    alone(v);
    v->pid = 0x21;
    for (i = 0; i < TLB_ENTRIES; i++) {
        const uint32_t args[4] = {i, HI(i * 7 * PAGE), LO(i * PAGE), i * 3};

        by_instructions(v, args[0], args[1], args[2], args[3]);
        expected = v->vtlb;
        tlb_invalidate(v);
        memset(&v->vtlb.hi[i], 0, 4);
        call4(v, HCALL_tlb_write, args);
        assert_hex(v->gpr[3], 0);
        assert_hex(v->pid, 0x21);
        assert_hex(v->vtlb.hi[i], expected.hi[i]);
        assert_hex(v->vtlb.lo[i], expected.lo[i]);
        assert_int_equal(v->vtlb.tid[i], expected.tid[i]);
        v->pid = args[3];
        assert_int_equal(tlb_search(v, i * 7 * PAGE + 4), i);
        v->pid = 0x21;
    }
    covered("hcall.tlb_write");
}

static void bad_entries(void **state)
{
    static const uint32_t bad[][4] = {
        {64, HI(0), LO(0), 0}, {0xFFFFFFFF, HI(0), LO(0), 0}, {0, HI(0), LO(0), 256}, {63, HI(0), LO(0), 0xFFFFFFFF}};
    struct vcpu *v = current;
    uint32_t i;

    (void)state;
    alone(v);
    for (i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
        struct vtlb before = v->vtlb;

        call4(v, HCALL_tlb_write, bad[i]);
        assert_hex(v->gpr[3], E_ARGUMENT);
        assert_memory_equal(&before, &v->vtlb, sizeof(before));
    }
}

/* `count` rows at the guest-physical address. */
static void table_at(const struct vcpu *v, uint32_t address, uint32_t count)
{
    uint32_t i;

    for (i = 0; i < count; i++) {
        uint32_t at = address + v->ram_offset + 16 * i;

        cpu_write32(at, 63 - i);
        cpu_write32(at + 4, HI((i + 1) * 0x11 * PAGE));
        cpu_write32(at + 8, LO(i * PAGE));
        cpu_write32(at + 12, 255 - i);
    }
}

/* The call until it is done; how often that was. */
static uint32_t batch(struct vcpu *v, const uint32_t *args)
{
    uint32_t next[4] = {args[0], args[1], 0, 0};
    uint32_t times = 0, done;

    do {
        uint32_t left = next[1];

        call4(v, HCALL_tlb_batch, next);
        times++;
        done = v->pc == sc_of(v) + 4;
        if (!done) { /* the same sc, with the rest of the table */
            assert_hex(v->pc, sc_of(v));
            next[0] = v->gpr[3];
            next[1] = v->gpr[4];
            assert_hex(next[1], left - 2);
            assert_hex(next[0], args[0] + 16 * (args[1] - next[1]));
        }
    } while (!done);
    return times;
}

static void many_entries(void **state)
{
    struct vcpu *v = current;
    uint32_t table = vm_config[v - vcpu].ram_guest + 0x400;
    uint32_t count, i;

    (void)state;
    alone(v);
    for (count = 0; count <= TLB_ENTRIES; count += 16) {
        const uint32_t args[4] = {table, count, 0, 0};

        tlb_reset(v);
        memset(&v->vtlb, 0, offsetof(struct vtlb, where));
        table_at(v, table, TLB_ENTRIES);
        assert_int_equal(batch(v, args), count == 0 ? 1 : count / 2);
        assert_hex(v->gpr[3], 0);
        for (i = 0; i < TLB_ENTRIES; i++) {
            assert_hex(v->vtlb.hi[63 - i], i < count ? HI((i + 1) * 0x11 * PAGE) : 0);
            assert_int_equal(v->vtlb.tid[63 - i], i < count ? 255 - i : 0);
        }
    }
    covered("hcall.tlb_batch");
}

/* All or nothing: one bad row, or a table that is not as a whole in the VM's memory, writes no entry. */
static void bad_tables(void **state)
{
    struct vcpu *v = current;
    const struct vm_config *config = &vm_config[v - vcpu];
    uint32_t end = config->ram_guest + config->ram_size;
    uint32_t table = config->ram_guest + 0x400;
    const uint32_t bad[][3] = {
        {table, 65, E_ARGUMENT},         {table, 0xFFFFFFFF, E_ARGUMENT},         {table, 0x10000001, E_ARGUMENT},
        {table + 2, 1, E_POINTER},       {end - 15, 1, E_POINTER},                {end - 12, 1, E_POINTER},
        {config->ram_guest - 16, 1, E_POINTER}, {config->ram_guest - 4, 1, E_POINTER}, {0xFFFFFFF0, 1, E_POINTER},
        {0xFFFFFFF0, 2, E_POINTER},      {end - 16 * 63, 64, E_POINTER},
    };
    uint32_t i, row;

    (void)state;
    alone(v);
    table_at(v, table, TLB_ENTRIES);
    for (i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
        const uint32_t args[4] = {bad[i][0], bad[i][1], 0, 0};
        struct vtlb before = v->vtlb;

        call4(v, HCALL_tlb_batch, args);
        assert_hex(v->gpr[3], bad[i][2]);
        assert_memory_equal(&before, &v->vtlb, sizeof(before));
    }
    for (row = 0; row < 8; row++) {
        const uint32_t args[4] = {table, 8, 0, 0};
        struct vtlb before = v->vtlb;

        table_at(v, table, 8);
        cpu_write32(table + v->ram_offset + 16 * row + (row % 2 != 0 ? 12 : 0), 256);
        call4(v, HCALL_tlb_batch, args);
        assert_hex(v->gpr[3], E_ARGUMENT);
        assert_memory_equal(&before, &v->vtlb, sizeof(before));
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST_BOOTED(one_entry),
        TEST_BOOTED(bad_entries),
        TEST_BOOTED(many_entries),
        TEST_BOOTED(bad_tables),
    };

    return cmocka_run_group_tests_name("tlb_calls", tests, 0, 0);
}
