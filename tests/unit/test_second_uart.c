/*
 * test_second_uart.c: a VM with two virtual UARTs (option UART_SECOND): beta's first is a 16550 with a
 * register in each word, its second one as the board's uart1, with a register in each byte.
 *
 * covers: kconfig.UART_SECOND
 */
#include "harness.h"

#include <stdio.h>
#include <string.h>

#include "bus.h"
#include "console.h"
#include "irq.h"
#include "message.h"
#include "mmio.h"
#include "uart.h"

enum { DATA, IER, IIR, LCR, MCR, LSR, MODEM, SCRATCH };

#define IER_RX 0x01
#define LSR_RX 0x01
#define ESCAPE CONSOLE_ESCAPE
#define FIRST  vm_config[1].console_base
#define SECOND BOARD_UART1_BASE
#define LINES  (UIC_BIT(6) | UIC_BIT(1))
#define LAST   (UART_ROWS - 1) /* its row, and its digit less one */

static struct vcpu *const alpha = &vcpu[0];
static struct vcpu *const beta = &vcpu[1];

static void put(uint32_t number, uint32_t reg, uint32_t value)
{
    if (number == 0) {
        console_store(beta, FIRST + 4 * reg, value & 0xFF, 0xFF);
    } else {
        console_write(beta, SECOND + reg, (uint8_t)value);
    }
}

static uint32_t get(uint32_t number, uint32_t reg)
{
    return number == 0 ? console_load(beta, FIRST + 4 * reg, 0xFF) : console_read(beta, SECOND + reg);
}

static void type(uint32_t number, const char *text)
{
    for (; *text != 0; text++) {
        put(number, DATA, (uint8_t)*text);
    }
}

static void keys(const char *text)
{
    fake.input = text;
    console_poll();
}

static void assert_output(const char *expected)
{
    console_flush();
    assert_string_equal(fake.output, expected);
    fake.output_length = 0;
    fake.output[0] = 0;
}

static void assert_input(uint32_t number, const char *expected)
{
    for (; *expected != 0; expected++) {
        assert_hex(get(number, LSR) & LSR_RX, LSR_RX);
        assert_hex(get(number, DATA), (uint8_t)*expected);
    }
    assert_hex(get(number, LSR) & LSR_RX, 0);
}

/* Both have all registers, of their own; nobody else has the second. */
static void apart(void **state)
{
    uint32_t reg;

    (void)state;
    assert_int_equal(UART_ROWS, VM_COUNT + 1);
    for (reg = 0; reg < 8; reg++) {
        assert_true(console_claims(beta, FIRST + 4 * reg) && console_claims(beta, SECOND + reg));
        assert_false(console_claims(alpha, SECOND + reg));
    }
    assert_false(console_claims(beta, SECOND - 1) || console_claims(beta, SECOND + 8) || console_claims(beta, FIRST + 32));
    put(0, SCRATCH, 0x12);
    put(1, SCRATCH, 0x34);
    put(1, MCR, 0x0B);
    assert_hex(get(0, SCRATCH) << 8 | get(1, SCRATCH), 0x1234);
    assert_hex(get(0, MCR) << 8 | get(1, MCR), 0x0B);
    assert_hex(console_load(beta, SECOND + 4, 0x000000FF), 0x34); /* on a bus of words, too */
    console_store(beta, SECOND + 4, 0x56, 0x000000FF);
    assert_hex(get(0, SCRATCH) << 8 | get(1, SCRATCH), 0x1256);
    assert_false(console_is_near(beta, SECOND)); /* asm/uart.S knows no second */
}

/* Each line has its tag, and the one does not wait for the other; a line that is not complete is nobody else's end. */
static void output(void **state)
{
    (void)state;
    type(1, "to the sec");
    type(0, "the first\n");
    type(1, "ond\n");
    console_write(alpha, vm_config[0].console_base, '\n');
    assert_output("[beta] the first\n[beta.1] to the second\n[alpha] \n");
    type(1, "rest");
    assert_false(console_has_said(beta)); /* and it is on its way now */
    assert_output("[beta.1] rest");
    assert_true(console_has_said(beta));
    type(1, "more");
    console_rest(beta);
    assert_output("more");
}

/* The first digit behind the VMs' is the second UART's; the first keeps what it has. */
static void input(void **state)
{
    const char to_first[] = {ESCAPE, '2', 'a', 0}, to_second[] = {ESCAPE, '1' + LAST, 'b', 0};
    const char none[] = {ESCAPE, '2' + LAST, 'c', 0};

    (void)state;
    keys(to_first);
    assert_output("[proteus] focus beta\n");
    keys(to_second);
    assert_output("[proteus] focus beta.1\n");
    keys(none);
    assert_input(0, "a");
    assert_input(1, (const char[]){'b', '2' + LAST, 'c', 0});
    keys(to_first);
    assert_output("[proteus] focus beta\n");
    assert_input(0, "a");
    assert_input(1, "");
}

/* Lines 6 and 1 of its controller, by what each has received. */
static void interrupts(void **state)
{
    const char to_first[] = {ESCAPE, '2', 'a', 0}, to_second[] = {ESCAPE, '1' + LAST, 'b', 0};

    (void)state;
    put(0, IER, IER_RX);
    put(1, IER, IER_RX);
    assert_hex(beta->uic_active & LINES, 0);
    keys(to_second);
    assert_hex(beta->uic_active & LINES, UIC_BIT(1));
    keys(to_first);
    assert_hex(beta->uic_active & LINES, LINES);
    get(1, DATA);
    assert_hex(beta->uic_active & LINES, UIC_BIT(6));
    get(0, DATA);
    assert_hex(beta->uic_active & LINES, 0);
    beta->uic_pr = 0; /* both lines are inputs: of another polarity they are active while they are low */
    put(1, IER, 0);
    put(0, IER, 0);
    assert_hex(beta->uic_active & LINES, LINES);
}

/* A byte that is lost is that one's which has the input. */
static void overrun(void **state)
{
    const char to_second[] = {ESCAPE, '1' + LAST, 0};

    (void)state;
    keys(to_second);
    console_lost();
    assert_hex(get(0, LSR) & 2, 0);
    assert_hex(get(1, LSR) & 2, 2);
}

/* A reset of the VM is one of both. */
static void reset(void **state)
{
    const char to_second[] = {ESCAPE, '1' + LAST, 'b', 0};

    (void)state;
    keys(to_second);
    put(0, IER, IER_RX);
    put(1, IER, IER_RX);
    put(1, LCR, 3);
    console_reset(beta);
    assert_hex(get(0, IER) | get(1, IER) | get(1, LCR), 0);
    assert_input(1, "");
}

/* What is absent in the page of the second is, as in that of the first (option ABSENT). */
static void absent_beside_it(void **state)
{
    (void)state;
    beta->msr |= MSR_ME;
    beta->gpr[5] = 1;
    assert_int_equal(mmio_access(beta, SECOND + 0x10, 0x88A30000, 0), MMIO_OPEN); /* lbz 5, 0(3) */
    assert_hex(beta->gpr[5], 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST_BOOTED(apart),
        TEST_BOOTED(output),
        TEST_BOOTED(input),
        TEST_BOOTED(interrupts),
        TEST_BOOTED(overrun),
        TEST_BOOTED(reset),
        TEST_BOOTED(absent_beside_it),
    };

    return cmocka_run_group_tests_name("second_uart", tests, 0, 0);
}
