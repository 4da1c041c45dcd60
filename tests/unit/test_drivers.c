/*
 * test_drivers.c: hypercalls that move bytes to and from the console (option DRIVERS).
 *
 * covers: kconfig.DRIVERS
 */
#include "hcall.h"

#include <string.h>

#include "console.h"
#include "page.h"
#include "uart.h"
#include "irq.h"

#define MAX    HCALL_CONSOLE_MAX
#define BUFFER 0x3001U /* from the start of the partition's RAM; odd */

static uint32_t base(const struct vcpu *v)
{
    return vm_config[v - vcpu].ram_guest;
}

static uint32_t size(const struct vcpu *v)
{
    return vm_config[v - vcpu].ram_size;
}

static void set_byte(struct fake *machine, const struct vcpu *v, uint32_t address, uint8_t byte)
{
    uint32_t at = machine_address(v, address) - FAKE_RAM_FIRST, shift = 24 - 8 * (at & 3);

    machine->ram[at / 4] = (machine->ram[at / 4] & ~(0xFFU << shift)) | (uint32_t)byte << shift;
}

static void set_text(const struct vcpu *v, uint32_t address, const char *text)
{
    for (; *text != 0; text++) {
        set_byte(&fake, v, address++, (uint8_t)*text);
    }
}

/* Board's UART: until nobody wants to send any more. */
static void drain(void)
{
    uint32_t i;

    for (i = 0; i < 1000 && (fake.uart_ier & 2) != 0; i++) {
        fake.lines = UIC_BIT(BOARD_UART0_IRQ);
        enter(external(current));
        fake.lines = 0;
    }
    assert_hex(fake.uart_ier & 2, 0);
}

static void console_and_alone(uint32_t index)
{
    machine_boot(0);
    alone(&vcpu[index]);
}

/* ---- the UART beside the calls: interrupts of received data, a byte from it, to it ---- */

static bool is_lite(const struct vcpu *v)
{
    return uart_is_lite(&vm_config[v - vcpu]);
}

static void uart_enable(struct vcpu *v)
{
    uint32_t uart = vm_config[v - vcpu].console_base;

    if (is_lite(v)) {
        console_store(v, uart + 12, 0x10, 0xFFFFFFFF);
    } else {
        console_write(v, uart + 1, 1);
    }
}

static uint32_t uart_get(struct vcpu *v)
{
    uint32_t uart = vm_config[v - vcpu].console_base;

    return is_lite(v) ? console_load(v, uart, 0xFFFFFFFF) : console_read(v, uart);
}

static void uart_put(struct vcpu *v, uint8_t byte)
{
    uint32_t uart = vm_config[v - vcpu].console_base;

    if (is_lite(v)) {
        console_store(v, uart + 4, byte, 0xFFFFFFFF);
    } else {
        console_write(v, uart, byte);
    }
}

/* ---- pointers ---- */

struct buffer {
    uint32_t address, length;
};

static void assert_bad(struct vcpu *v, struct buffer buffer)
{
    assert_refused(v, HCALL_console_write, buffer.address, buffer.length, E_POINTER);
    assert_refused(v, HCALL_console_read, buffer.address, buffer.length, E_POINTER);
}

static void bad_pointers(void **state)
{
    uint32_t i, k;

    (void)state;
    for (i = 0; i < VM_COUNT; i++) {
        struct vcpu *v = &vcpu[i];
        const struct buffer rows[] = {
            {base(v) - 1, 1},            {base(v) - 1, 2},          {base(v) - 4, 8},
            {base(v) + size(v), 1},      {base(v) + size(v) - 1, 2}, {base(v) + size(v) - 64, 65},
            {base(v), size(v) + 1},      {base(v) + 1, size(v)},    {base(v), 0x80000000},
            {base(v), 0xFFFFFFFF},       {base(v) + 4, 0xFFFFFFFC}, {base(v) + size(v) - 1, 0xFFFFFFFF},
            {base(v) + size(v), 0x80000000}, {base(v) + size(v) + 1, 0}, {base(v) - 1, 0},
            {0xFFFFFFFF, 1},             {0xFFFFFFFF, 2},           {0xFFFFFFF0, 0x20},
            {0xFFFFFFFF, 0xFFFFFFFF},    {0x80000000, 0x80000000},  {BOARD_UART0_BASE, 1},
            {base(v) + 0x40000000, 16},
        };

        if (vm_config[i].console_base == 0) {
            continue;
        }
        console_and_alone(i);
        fake.input = "typed";
        for (k = 0; k < COUNT(rows); k++) {
            assert_bad(v, rows[k]);
        }
        for (k = 0; k < VM_COUNT; k++) { /* no machine address is one of the guest's by chance */
            if (vm_config[k].ram_machine - base(v) >= size(v)) {
                assert_bad(v, (struct buffer){vm_config[k].ram_machine, 4});
            }
        }
    }
}

/* The register pages are no memory for buffers. */
static void pages_are_no_memory(void **state)
{
    uint32_t i;

    (void)state;
    for (i = 0; i < VM_COUNT; i++) {
        uint32_t boundary = PAGE_BOUNDARY;

        if (vm_config[i].console_base == 0 || (vm_config[i].flags & FEATURE_IRFM) == 0) {
            continue;
        }
        if (boundary - base(&vcpu[i]) < size(&vcpu[i])) {
            continue;
        }
        console_and_alone(i);
        assert_bad(&vcpu[i], (struct buffer){boundary - 128, 4});
        assert_bad(&vcpu[i], (struct buffer){boundary, 4});
    }
}

static void no_console(void **state)
{
    uint32_t i, tested = 0;

    (void)state;
    for (i = 0; i < VM_COUNT; i++) {
        struct vcpu *v = &vcpu[i];

        if (vm_config[i].console_base != 0) {
            continue;
        }
        console_and_alone(i);
        assert_refused(v, HCALL_console_write, base(v), 4, E_STATE);
        assert_refused(v, HCALL_console_read, base(v), 4, E_STATE);
        assert_refused(v, HCALL_console_write, 0xFFFFFFFF, 4, E_STATE);
        tested++;
    }
    assert_true(tested != 0);
}

/* ---- writing ---- */

static void writes(void **state)
{
    uint32_t i;

    (void)state;
    for (i = 0; i < VM_COUNT; i++) {
        struct vcpu *v = &vcpu[i];
        char expected[64];

        if (vm_config[i].console_base == 0) {
            continue;
        }
        console_and_alone(i);
        set_text(v, base(v) + BUFFER, "hello\nand not this");
        call(v, HCALL_console_write, base(v) + BUFFER, 6);
        snprintf(expected, sizeof(expected), "[%.8s] hello\n", vm_config[i].name);
        memcpy(fake_was()->output, expected, sizeof(expected));
        assert_only(v, 6, 6);
        call(v, HCALL_console_write, base(v) + BUFFER, 0);
        assert_only(v, 0, 0);
        call(v, HCALL_console_write, base(v) + size(v), 0); /* nothing, at the very end */
        assert_only(v, 0, 0);
        call(v, HCALL_console_write, base(v) + size(v) - 1, 1); /* the last byte, a zero */
        assert_only(v, 1, 1);
        call(v, HCALL_console_write, base(v), size(v)); /* all memory is a buffer; zeros */
        assert_in_range(v->gpr[3], 1, MAX);
    }
    covered("hcall.console_write");
}

/* A text of any length arrives whole, in as many calls as it needs, however slow the board's UART is. */
static void long_text(void **state)
{
    const char *text = "The first line, with some length.\nSecond\n\nThe fourth, which is the longest of all that this test "
                       "writes, and longer than one call moves or a line buffer has.\n";
    struct vcpu *v = current;
    uint32_t at = 0, length = (uint32_t)strlen(text), calls = 0, busy = 0;
    char plain[1024] = "", *word, *rest;
    char tag[16];

    (void)state;
    alone(v);
    set_text(v, base(v) + BUFFER, text);
    while (at < length) {
        assert_true(calls++ < 1000);
        fake.room = random_word() % 2;
        call(v, HCALL_console_write, base(v) + BUFFER + at, length - at);
        assert_in_range(v->gpr[3], 0, MAX);
        busy += v->gpr[3] == 0;
        at += v->gpr[3];
        assert_ptr_equal(current, v);
    }
    assert_int_equal(at, length);
    assert_true(busy != 0); /* it has been refused, without waiting */
    fake.room = FAKE_ROOM;
    drain();
    snprintf(tag, sizeof(tag), "[%.8s] ", vm_config[v - vcpu].name);
    for (rest = fake.output; (word = strstr(rest, tag)) != 0; rest = word + strlen(tag)) {
        strncat(plain, rest, (size_t)(word - rest));
    }
    strcat(plain, rest);
    assert_string_equal(plain, text);
}

/* The line is full and the board busy: no byte, and nothing is different. */
static void full_line(void **state)
{
    struct vcpu *v = current;
    uint32_t i, taken = 0;

    (void)state;
    alone(v);
    for (i = 0; i < 256; i++) {
        set_byte(&fake, v, base(v) + BUFFER + i, 'x');
    }
    fake.room = 0;
    for (i = 0; i < 16; i++) {
        call(v, HCALL_console_write, base(v) + BUFFER, 256);
        taken += v->gpr[3];
        assert_in_range(taken, 1, CONFIG_CONSOLE_LINE);
        if (v->gpr[3] == 0) {
            break;
        }
    }
    assert_int_equal(taken, CONFIG_CONSOLE_LINE);
    call(v, HCALL_console_write, base(v) + BUFFER, 1);
    assert_only(v, 0, 1);
    fake.room = FAKE_ROOM;
    drain();
    call(v, HCALL_console_write, base(v) + BUFFER, 1);
    assert_int_equal(v->gpr[3], 1);
}

/* ---- reading ---- */

static struct vcpu *focused(void)
{
    console_and_alone(CONSOLE_FOCUS);
    return &vcpu[CONSOLE_FOCUS];
}

static void type(const char *text)
{
    fake.input = text;
    fake.lines = UIC_BIT(BOARD_UART0_IRQ);
    enter(external(current));
    fake.lines = 0;
}

static void assert_read(struct vcpu *v, uint32_t address, uint32_t length, const char *expected)
{
    uint32_t i;

    call(v, HCALL_console_read, address, length);
    for (i = 0; expected[i] != 0; i++) {
        set_byte(fake_was(), v, address + i, (uint8_t)expected[i]);
    }
    assert_only(v, i, length);
}

static void reads(void **state)
{
    struct vcpu *v = focused();

    (void)state;
    assert_read(v, base(v) + BUFFER, 64, "");
    type("hello\rworld");
    assert_read(v, base(v) + BUFFER, 0, "");
    assert_read(v, base(v) + BUFFER, 2, "he"); /* no byte more than asked for, nor than there are */
    assert_read(v, base(v) + BUFFER + 2, 5, "llo\rw");
    assert_read(v, base(v) + size(v) - 1, 1, "o");
    assert_read(v, base(v), size(v), "rld");
    assert_read(v, base(v) + BUFFER, 64, "");
    covered("hcall.console_read");
}

/* What was typed for another one is not read. */
static void reads_own_input(void **state)
{
    uint32_t i;

    (void)state;
    for (i = 0; i < VM_COUNT; i++) {
        if (i == CONSOLE_FOCUS || vm_config[i].console_base == 0) {
            continue;
        }
        console_and_alone(i);
        type("secret");
        assert_read(&vcpu[i], base(&vcpu[i]) + BUFFER, 64, "");
    }
}

/* The call and the virtual UART are the same device: order is kept, and its interrupt goes away. */
static void mixed_with_the_uart(void **state)
{
    struct vcpu *v = focused();
    uint32_t bit = UIC_BIT(CONSOLE_IRQ(&vm_config[v - vcpu]));

    (void)state;
    uart_enable(v);
    irq_write(v, UIC_ER, bit);
    type("abc");
    assert_hex(irq_read(v, UIC_SR), bit);
    assert_int_equal(uart_get(v), 'a');
    call(v, HCALL_console_read, base(v) + BUFFER, 64);
    assert_int_equal(v->gpr[3], 2);
    assert_hex(guest_word(v, base(v) + BUFFER - 1) & 0x00FFFF00, 0x00626300);
    irq_write(v, UIC_SR, bit);
    assert_hex(irq_read(v, UIC_SR), 0);
    uart_put(v, 'x');
    set_text(v, base(v) + BUFFER, "y\n");
    call(v, HCALL_console_write, base(v) + BUFFER, 2);
    assert_non_null(strstr(fake.output, "xy\n"));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST_BOOTED(bad_pointers),
        TEST_BOOTED(pages_are_no_memory),
        TEST_BOOTED(no_console),
        TEST_BOOTED(writes),
        TEST_BOOTED(long_text),
        TEST_BOOTED(full_line),
        cmocka_unit_test(reads),
        TEST_BOOTED(reads_own_input),
        cmocka_unit_test(mixed_with_the_uart),
    };

    return cmocka_run_group_tests_name("drivers", tests, 0, 0);
}
