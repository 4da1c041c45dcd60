/*
 * test_mmio.c: the decoder of loads and stores on emulated devices, against a table of all fixed-point loads and stores
 * of the PPC405, encoded by GNU as. The device is the guest's 16550: its divisor latch and scratch register are memory.
 *
 * covers: kconfig.MMIO kconfig.MMIO_WORDS
 */
#include "harness.h"

#include <string.h>

#include "console.h"
#include "mmio.h"

enum { LOAD, STORE };
enum { PLAIN, REVERSED };
enum { NO_UPDATE, UPDATE };

struct form {
    const char *text;
    uint32_t word;
    int store, size, is_signed, reversed, update;
};

#define REG 7 /* "scratch": the only register behind which nothing else follows */

static struct form forms[32];
static size_t form_count;

static void add(const char *text, uint32_t word, int store, int size, int is_signed, int reversed, int update)
{
    forms[form_count++] = (struct form){text, word, store, size, is_signed, reversed, update};
}

/* rT or rS is r5, rA r3, rB r4. */
static void make_table(void)
{
    form_count = 0;
    add("lwz", INSN("lwz 5, 8(3)"), LOAD, 4, 0, PLAIN, NO_UPDATE);
    add("lwzu", INSN("lwzu 5, 8(3)"), LOAD, 4, 0, PLAIN, UPDATE);
    add("lbz", INSN("lbz 5, 8(3)"), LOAD, 1, 0, PLAIN, NO_UPDATE);
    add("lbzu", INSN("lbzu 5, 8(3)"), LOAD, 1, 0, PLAIN, UPDATE);
    add("lhz", INSN("lhz 5, 8(3)"), LOAD, 2, 0, PLAIN, NO_UPDATE);
    add("lhzu", INSN("lhzu 5, 8(3)"), LOAD, 2, 0, PLAIN, UPDATE);
    add("lha", INSN("lha 5, 8(3)"), LOAD, 2, 1, PLAIN, NO_UPDATE);
    add("lhau", INSN("lhau 5, 8(3)"), LOAD, 2, 1, PLAIN, UPDATE);
    add("stw", INSN("stw 5, 8(3)"), STORE, 4, 0, PLAIN, NO_UPDATE);
    add("stwu", INSN("stwu 5, 8(3)"), STORE, 4, 0, PLAIN, UPDATE);
    add("stb", INSN("stb 5, 8(3)"), STORE, 1, 0, PLAIN, NO_UPDATE);
    add("stbu", INSN("stbu 5, 8(3)"), STORE, 1, 0, PLAIN, UPDATE);
    add("sth", INSN("sth 5, 8(3)"), STORE, 2, 0, PLAIN, NO_UPDATE);
    add("sthu", INSN("sthu 5, 8(3)"), STORE, 2, 0, PLAIN, UPDATE);
    add("lwzx", INSN("lwzx 5, 3, 4"), LOAD, 4, 0, PLAIN, NO_UPDATE);
    add("lwzux", INSN("lwzux 5, 3, 4"), LOAD, 4, 0, PLAIN, UPDATE);
    add("lbzx", INSN("lbzx 5, 3, 4"), LOAD, 1, 0, PLAIN, NO_UPDATE);
    add("lbzux", INSN("lbzux 5, 3, 4"), LOAD, 1, 0, PLAIN, UPDATE);
    add("lhzx", INSN("lhzx 5, 3, 4"), LOAD, 2, 0, PLAIN, NO_UPDATE);
    add("lhzux", INSN("lhzux 5, 3, 4"), LOAD, 2, 0, PLAIN, UPDATE);
    add("lhax", INSN("lhax 5, 3, 4"), LOAD, 2, 1, PLAIN, NO_UPDATE);
    add("lhaux", INSN("lhaux 5, 3, 4"), LOAD, 2, 1, PLAIN, UPDATE);
    add("stwx", INSN("stwx 5, 3, 4"), STORE, 4, 0, PLAIN, NO_UPDATE);
    add("stwux", INSN("stwux 5, 3, 4"), STORE, 4, 0, PLAIN, UPDATE);
    add("stbx", INSN("stbx 5, 3, 4"), STORE, 1, 0, PLAIN, NO_UPDATE);
    add("stbux", INSN("stbux 5, 3, 4"), STORE, 1, 0, PLAIN, UPDATE);
    add("sthx", INSN("sthx 5, 3, 4"), STORE, 2, 0, PLAIN, NO_UPDATE);
    add("sthux", INSN("sthux 5, 3, 4"), STORE, 2, 0, PLAIN, UPDATE);
    add("lwbrx", INSN("lwbrx 5, 3, 4"), LOAD, 4, 0, REVERSED, NO_UPDATE);
    add("lhbrx", INSN("lhbrx 5, 3, 4"), LOAD, 2, 0, REVERSED, NO_UPDATE);
    add("stwbrx", INSN("stwbrx 5, 3, 4"), STORE, 4, 0, REVERSED, NO_UPDATE);
    add("sthbrx", INSN("sthbrx 5, 3, 4"), STORE, 2, 0, REVERSED, NO_UPDATE);
    assert_int_equal(form_count, COUNT(forms));
}

static uint32_t base(void)
{
    return vm_config[current->machine_pid - 1].console_base;
}

/* The two registers behind DLAB, and then IIR and LCR, whose values are known, are four bytes of memory for loads. */
static void put(uint32_t reg, uint8_t value)
{
    console_write(current, base() + reg, value);
}

/* Without translation, where the guest computes guest-physical addresses. */
static bool access(struct vcpu *v, uint32_t address, uint32_t insn)
{
    return mmio_access(v, address, insn, address);
}

static void fill(struct vcpu *v)
{
    uint32_t i;

    for (i = 0; i < 32; i++) {
        v->gpr[i] = 0xA0B0C0D0 + i;
    }
}

static struct vcpu before;

static void assert_gprs_but(const struct vcpu *v, const struct form *form, uint32_t changed)
{
    uint32_t i;

    for (i = 0; i < 32; i++) {
        if ((changed & 1U << i) == 0 && v->gpr[i] != before.gpr[i]) {
            fail_msg("%s: r%u changed from %08x to %08x", form->text, i, before.gpr[i], v->gpr[i]);
        }
    }
}

static uint32_t swap(uint32_t value, int size)
{
    return size == 4 ? __builtin_bswap32(value) : size == 2 ? __builtin_bswap16((uint16_t)value) : value;
}

/* What a big-endian load of `size` bytes at register 0 gives, with the divisor latch and LCR set as below. */
static uint32_t loaded(const struct form *form, uint8_t first)
{
    uint8_t bytes[4] = {first, 0x34, 0x01, 0x83}; /* IIR: nothing pending; LCR: DLAB and 8 bits */
    uint32_t value = 0;
    int i;

    for (i = 0; i < form->size; i++) {
        value = value << 8 | bytes[i];
    }
    value = form->reversed ? swap(value, form->size) : value;
    return form->is_signed ? (uint32_t)(int32_t)(int16_t)value : value;
}

static void every_load(void **state)
{
    struct vcpu *v = current;
    size_t i;
    int sign;

    (void)state;
    make_table();
    for (i = 0; i < form_count; i++) {
        for (sign = 0; sign < 2 && forms[i].store == LOAD; sign++) {
            uint8_t first = sign ? 0x92 : 0x12;

            put(3, 0x83);
            put(0, first);
            put(1, 0x34);
            fill(v);
            before = *v;
            assert_true(access(v, base(), forms[i].word));
            if (v->gpr[5] != loaded(&forms[i], first)) {
                fail_msg("%s gave %08x, not %08x", forms[i].text, v->gpr[5], loaded(&forms[i], first));
            }
            assert_hex(v->gpr[3], forms[i].update ? base() : before.gpr[3]);
            assert_gprs_but(v, &forms[i], 1U << 5 | (forms[i].update ? 1U << 3 : 0));
        }
    }
}

/* The bytes reach the registers in the order of the bus; what lies behind the last register is lost. */
static void every_store(void **state)
{
    struct vcpu *v = current;
    size_t i;

    (void)state;
    make_table();
    for (i = 0; i < form_count; i++) {
        uint32_t value = 0x87654321;
        uint32_t lowest = forms[i].size == 4 ? value : forms[i].size == 2 ? value & 0xFFFF : value & 0xFF;
        uint8_t first;

        if (forms[i].store != STORE) {
            continue;
        }
        lowest = forms[i].reversed ? swap(lowest, forms[i].size) : lowest;
        first = (uint8_t)(lowest >> 8 * (forms[i].size - 1));
        fill(v);
        v->gpr[5] = value;
        put(3, 0x03);
        put(REG, 0);
        before = *v;
        assert_true(access(v, base() + REG, forms[i].word));
        if (console_read(v, base() + REG) != first) {
            fail_msg("%s stored %02x, not %02x", forms[i].text, console_read(v, base() + REG), first);
        }
        if (forms[i].size >= 2) { /* two bytes: the divisor latch */
            put(3, 0x83);
            put(0, 0);
            put(1, 0);
            assert_true(access(v, base(), forms[i].word));
            if (forms[i].size == 2) { /* a word goes on into LCR */
                assert_hex(console_read(v, base()), lowest >> 8);
                assert_hex(console_read(v, base() + 1), lowest & 0xFF);
            } else {
                assert_hex(console_read(v, base() + 3), lowest & 0xFF);
            }
        }
        assert_hex(v->gpr[3], forms[i].update ? base() + (forms[i].size >= 2 ? 0 : REG) : before.gpr[3]);
        assert_gprs_but(v, &forms[i], forms[i].update ? 1U << 3 : 0);
    }
}

/* Any register may be the one. */
static void every_register(void **state)
{
    struct vcpu *v = current;
    uint32_t reg;

    (void)state;
    for (reg = 0; reg < 32; reg++) {
        fill(v);
        put(REG, 0);
        before = *v;
        assert_true(access(v, base() + REG, with_rt(INSN("stb 0, 0(3)"), reg)));
        assert_hex(console_read(v, base() + REG), 0xD0 + reg);
        put(REG, 0x5A);
        assert_true(access(v, base() + REG, with_rt(INSN("lbz 0, 0(3)"), reg)));
        assert_hex(v->gpr[reg], 0x5A);
        fill(v);
        assert_true(access(v, base() + REG, with_ra(INSN("stbu 9, 0(1)"), reg)));
        assert_hex(v->gpr[reg], base() + REG);
    }
}

/* Whatever is not in the table is no access to a device: nothing changes. Not multiple, not string. */
static void nothing_else(void **state)
{
    struct vcpu *v = current;
    uint32_t op, xo;
    size_t i;

    (void)state;
    make_table();
    v->msr = MSR_ME;
    for (op = 0; op < 64; op++) {
        for (xo = 0; xo < 1024; xo++) {
            uint32_t insn = op << 26 | 5 << 21 | 3 << 16 | 4 << 11 | xo << 1;
            bool known = false;

            for (i = 0; i < form_count; i++) {
                known = known || (forms[i].word >> 26 == op && (op != 31 || (forms[i].word >> 1 & 0x3FF) == xo));
            }
            if (known) {
                continue;
            }
            fill(v);
            before = *v;
            if (access(v, base(), insn)) {
                fail_msg("%08x was taken for an access to a device", insn);
            }
            assert_memory_equal(&before, v, sizeof(before));
        }
    }
}

/* Beside the device the open bus; far from it a machine check where the guest has it enabled. */
static void open_bus(void **state)
{
    static const uint32_t beside[] = {0xFFFFFFFF, 8, 0x1000};
    struct vcpu *v = current;
    size_t i, k;

    (void)state;
    make_table();
    for (k = 0; k < COUNT(beside); k++) {
        for (i = 0; i < form_count; i++) {
            v->msr = MSR_ME;
            fill(v);
            before = *v;
            if (!IS_ENABLED(CONFIG_ABSENT) || !MMIO_IS_NEAR(base(), base() + beside[k])) { /* near it, the bus is always open */
                assert_false(access(v, base() + beside[k], forms[i].word));
                assert_memory_equal(&before, v, sizeof(before));
                v->msr = 0;
            }
            if (forms[i].size > 1 && k == 0) {
                continue; /* reaches into the device */
            }
            assert_true(access(v, base() + beside[k], forms[i].word));
            if (forms[i].store == LOAD) {
                assert_hex(v->gpr[5], 0);
            }
            assert_hex(v->gpr[3], forms[i].update ? base() + beside[k] : before.gpr[3]);
            assert_gprs_but(v, &forms[i], (forms[i].store == LOAD ? 1U << 5 : 0) | (forms[i].update ? 1U << 3 : 0));
        }
    }
}

/* Another VM's device address is not this one's. */
static void device_of_another(void **state)
{
    uint32_t i;

    (void)state;
    for (i = 0; i < VM_COUNT; i++) {
        if (vm_config[i].console_base == 0) {
            vcpu[i].msr = MSR_ME;
            assert_false(access(&vcpu[i], base(), INSN("stb 0, 0(3)")));
            assert_false(access(&vcpu[i], 0, INSN("stb 0, 0(3)")));
        }
    }
}

/* With translation, rA gets what the guest computed, not where that leads. */
static void update_is_effective(void **state)
{
    const uint32_t effective = 0xC0DE0007;
    struct vcpu *v = current;
    size_t i;

    (void)state;
    make_table();
    for (i = 0; i < form_count; i++) {
        put(3, 0x03);
        fill(v);
        before = *v;
        assert_true(mmio_access(v, base() + REG, forms[i].word, effective));
        assert_hex(v->gpr[3], forms[i].update ? effective : before.gpr[3]);
        assert_gprs_but(v, &forms[i], (forms[i].store == LOAD ? 1U << 5 : 0) | (forms[i].update ? 1U << 3 : 0));
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST_BOOTED(every_load),
        TEST_BOOTED(every_store),
        TEST_BOOTED(every_register),
        TEST_BOOTED(nothing_else),
        TEST_BOOTED(open_bus),
        TEST_BOOTED(device_of_another),
        TEST_BOOTED(update_is_effective),
    };

    return cmocka_run_group_tests_name("mmio", tests, 0, 0);
}
