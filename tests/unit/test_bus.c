/*
 * test_bus.c: loads and stores of the guest on registers of 32 bits: which lanes, how often, what between them. The devices
 * are the 16550 with a register in each word, and the UartLite.
 *
 * covers: kconfig.UART_16550_WORDS kconfig.MMIO_WORDS
 */
#include "harness.h"

#include <string.h>

#include "bus.h"
#include "mmio.h"
#include "uart.h"

/* rT or rS is r5, rA r3, rB r4. */
static struct form {
    uint32_t word, size;
    bool store, reversed, is_signed;
} forms[15];
static uint32_t form_count;

static void add(uint32_t word, uint32_t size, bool store, bool reversed, bool is_signed)
{
    forms[form_count++] = (struct form){word, size, store, reversed, is_signed};
}

static void make_table(void)
{
    form_count = 0;
    add(INSN("lwz 5, 8(3)"), 4, false, false, false);
    add(INSN("lhz 5, 8(3)"), 2, false, false, false);
    add(INSN("lha 5, 8(3)"), 2, false, false, true);
    add(INSN("lbz 5, 8(3)"), 1, false, false, false);
    add(INSN("lwzx 5, 3, 4"), 4, false, false, false);
    add(INSN("lbzx 5, 3, 4"), 1, false, false, false);
    add(INSN("lwbrx 5, 3, 4"), 4, false, true, false);
    add(INSN("lhbrx 5, 3, 4"), 2, false, true, false);
    add(INSN("stw 5, 8(3)"), 4, true, false, false);
    add(INSN("sth 5, 8(3)"), 2, true, false, false);
    add(INSN("stb 5, 8(3)"), 1, true, false, false);
    add(INSN("stwx 5, 3, 4"), 4, true, false, false);
    add(INSN("stbx 5, 3, 4"), 1, true, false, false);
    add(INSN("stwbrx 5, 3, 4"), 4, true, true, false);
    add(INSN("sthbrx 5, 3, 4"), 2, true, true, false);
}

/* ---- one register at a time, as the tests expect it ---- */

/* A constant where there is no 16550 to be linked: tests are compiled without optimization. */
#define HAS_16550 (IS_ENABLED(CONFIG_UART_16550) || IS_ENABLED(CONFIG_UART_16550_WORDS))

static uint32_t reg_read(struct vcpu *v, uint32_t reg)
{
    if (HAS_16550 && !uart_is_lite(&vm_config[v - vcpu])) {
        return uart_16550_read(v, uart_of(v), reg);
    }
    return uartlite_read(v, uart_of(v), reg);
}

static void reg_write(struct vcpu *v, uint32_t reg, uint32_t value)
{
    if (HAS_16550 && !uart_is_lite(&vm_config[v - vcpu])) {
        uart_16550_write(v, uart_of(v), reg, value);
    } else {
        uartlite_write(v, uart_of(v), reg, value);
    }
}

static bool is_register(const struct vcpu *v, int32_t number)
{
    return number >= 0 && (uint32_t)number < uart_size(&vm_config[v - vcpu]) / 4;
}

/*
 * There is nothing in a word but its low byte: a load of whatever lanes reads the register, a store without the last lane does
 * not write it. `offset` from the first register; an access may touch two words, and one of them may be none of the device's.
 */
static uint32_t expected_load(struct vcpu *v, int32_t offset, const struct form *form)
{
    int32_t first = offset >> 2;
    uint8_t bytes[8] = {0};
    uint32_t at = (uint32_t)offset & 3, value = 0, i;

    for (i = 0; i < 2; i++) {
        if (at + form->size > 4 * i && is_register(v, first + (int32_t)i)) {
            bytes[4 * i + 3] = (uint8_t)reg_read(v, (uint32_t)first + i);
        }
    }
    for (i = 0; i < form->size; i++) {
        value |= (uint32_t)bytes[at + i] << 8 * (form->reversed ? i : form->size - 1 - i);
    }
    return form->is_signed ? (uint32_t)(int16_t)value : value;
}

static void expected_store(struct vcpu *v, int32_t offset, const struct form *form, uint32_t value)
{
    uint32_t at = (uint32_t)offset & 3;

    if (at + form->size > 3 && is_register(v, offset >> 2)) {
        uint32_t byte = 3 - at;

        reg_write(v, (uint32_t)offset >> 2, (uint8_t)(value >> 8 * (form->reversed ? byte : form->size - 1 - byte)));
    }
}

/* ---- fixtures ---- */

/* Every VM whose registers are words. */
#define EACH_WORD_VM(v)                                                                                           \
    for (v = vcpu; v < vcpu + VM_COUNT; v++)                                                                      \
        if (vm_config[v - vcpu].console_base != 0 && !uart_is_bytes(&vm_config[v - vcpu]))

static uint32_t base(const struct vcpu *v)
{
    return vm_config[v - vcpu].console_base;
}

static bool access(struct vcpu *v, uint32_t address, uint32_t insn)
{
    return mmio_access(v, address, insn, address);
}

/* Some bytes received, as if they had been typed for it. */
static void give_input(struct vcpu *v, uint32_t count)
{
    struct uart *u = uart_of(v);
    uint32_t i;

    u->first = 3;
    u->count = (uint8_t)count;
    for (i = 0; i < UART_INPUT; i++) {
        u->input[i] = (uint8_t)(0x80 + 7 * i);
    }
}

/* ---- tests ---- */

/* A load is one access of one register, whatever its size: of three bytes received one is gone. */
static void one_effect(void **state)
{
    static const uint32_t at[] = {0, 2, 3}; /* lwz, lhz, lbz of the low byte */
    const uint32_t insns[] = {INSN("lwz 5, 8(3)"), INSN("lhz 5, 8(3)"), INSN("lbz 5, 8(3)")};
    struct vcpu *v;
    uint32_t i;

    (void)state;
    EACH_WORD_VM(v) {
        for (i = 0; i < COUNT(at); i++) {
            give_input(v, 3);
            assert_true(access(v, base(v) + at[i], insns[i]));
            assert_hex(v->gpr[5], 0x80 + 7 * 3);
            assert_int_equal(uart_of(v)->count, 2);
        }
        give_input(v, 3);
        assert_true(access(v, base(v) + 3, INSN("lwz 5, 8(3)"))); /* across the border: both registers, once */
        assert_hex(v->gpr[5] >> 24, 0x80 + 7 * 3);
        assert_hex(v->gpr[5] & 0x00FFFFFF, 0);
        assert_int_equal(uart_of(v)->count, 2);
    }
}

/* A store reaches the register if it has the low byte. */
static void lanes_of_stores(void **state)
{
    static const struct {
        uint32_t offset, form, sent;
    } rows[] = {{0, 8, 1}, {2, 9, 1}, {3, 10, 1}, {0, 9, 0}, {1, 9, 0}, {0, 10, 0}, {1, 10, 0}, {2, 10, 0}};
    struct vcpu *v;
    uint32_t i;

    (void)state;
    make_table();
    EACH_WORD_VM(v) {
        uint32_t tx = base(v) + (uart_is_lite(&vm_config[v - vcpu]) ? 4 : 0);

        for (i = 0; i < COUNT(rows); i++) {
            uint32_t before = uart_of(v)->length;

            v->gpr[5] = 0x41424344;
            assert_true(access(v, tx + rows[i].offset, forms[rows[i].form].word));
            assert_int_equal(uart_of(v)->length, before + rows[i].sent);
            if (rows[i].sent != 0) {
                assert_hex(uart_of(v)->line[before], 0x44);
            }
        }
    }
}

/* Behind the last register: a machine check, or the open bus, always with option ABSENT. No word of another VM's. */
static void beside(void **state)
{
    struct vcpu *v;
    uint32_t i;

    (void)state;
    make_table();
    EACH_WORD_VM(v) {
        for (i = 0; i < form_count; i++) {
            uint32_t end = base(v) + uart_size(&vm_config[v - vcpu]);

            v->msr = MSR_ME;
            assert_int_equal(access(v, end, forms[i].word), IS_ENABLED(CONFIG_ABSENT));
            assert_false(access(v, base(v) - 1, forms[i].word)); /* in another page */
            v->msr = 0;
            v->gpr[5] = 0x55555555;
            assert_true(access(v, end, forms[i].word));
            assert_hex(v->gpr[5], forms[i].store ? 0x55555555 : 0);
        }
    }
}

/* Any form at any address near the registers, by a device in any state: as the registers one by one; nobody else's changes. */
static void anywhere(void **state)
{
    static struct uart others[VM_COUNT], then, now;
    struct vcpu *v;
    uint32_t i, k, hits = 0;

    (void)state;
    make_table();
    fake.room = 0;
    EACH_WORD_VM(v) {
        for (i = 0; i < 50000; i++) {
            const struct form *form = &forms[random_word() % form_count];
            int32_t offset = (int32_t)(random_word() % (uart_size(&vm_config[v - vcpu]) + 16)) - 8;
            uint32_t value = random_word(), expected = value;

            if (i % 50 == 0) {
                vcpu_reset(v, 1);
                give_input(v, random_word() % (UART_INPUT + 1));
                fake.room = FAKE_ROOM;
                console_flush();
                console_own('\n'); /* the line ends */
                console_flush();
                fake.room = 0;
                fake.output_length = 0;
            }
            for (k = 0; k < VM_COUNT; k++) {
                others[k] = *uart_of(&vcpu[k]);
            }
            then = *uart_of(v);
            v->msr = 0;
            v->gpr[5] = value;
            assert_true(access(v, base(v) + (uint32_t)offset, form->word));
            now = *uart_of(v);
            *uart_of(v) = then;
            if (form->store) {
                expected_store(v, offset, form, value);
            } else {
                expected = expected_load(v, offset, form);
            }
            hits += is_register(v, offset >> 2);
            assert_hex(v->gpr[5], expected);
            assert_memory_equal(&now, uart_of(v), sizeof(now));
            for (k = 0; k < VM_COUNT; k++) {
                if (&vcpu[k] != v) {
                    assert_memory_equal(&others[k], uart_of(&vcpu[k]), sizeof(now));
                }
            }
        }
    }
    assert_true(hits > 10000);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST_BOOTED(one_effect),
        TEST_BOOTED(lanes_of_stores),
        TEST_BOOTED(beside),
        TEST_BOOTED(anywhere),
    };

    return cmocka_run_group_tests_name("bus", tests, 0, 0);
}
