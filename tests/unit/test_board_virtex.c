/*
 * test_board_virtex.c: src/boards/board_virtex.c on a fake INTC without its optional registers, a fake UartLite or 16550.
 *
 * covers: kconfig.BOARD_ML403 kconfig.BOARD_ML403DCR kconfig.BOARD_RAPTOR kconfig.BOARD_VIRTEX kconfig.BOARD_CODE
 */
#include "harness.h"

#include <string.h>

#include "console.h"
#include "intc.h"
#include "uart.h"

#define CONSOLE_BIT INTC_BIT(BOARD_CONSOLE_IRQ)

/* Lines that partitions own, and only they and the console's. */
static uint32_t owned(void)
{
    uint32_t bits = 0;
    uint32_t i, k;

    for (i = 0; i < VM_COUNT; i++) {
        for (k = 0; k < vm_config[i].irq_count; k++) {
            bits |= INTC_BIT(vm_config[i].irq[k].line);
        }
    }
    return bits;
}

static uint32_t board_status(void)
{
    return BOARD_INTC_IS_DCR ? cpu_mfdcr(BOARD_INTC_DCR + INTC_ISR) : cpu_in32(BOARD_INTC_BASE + 4 * INTC_ISR);
}

static void controller_at_boot(void **state)
{
    (void)state;
    assert_hex(fake.intc[INTC_MER], MER_ME | MER_HIE);
    assert_hex(fake.intc[INTC_IER], CONSOLE_BIT | owned());
    assert_hex(fake.intc_acknowledged, 0xFFFFFFFF); /* whatever was before */
}

static void uart_at_boot(void **state)
{
    (void)state;
    if (BOARD_CONSOLE_UARTLITE) {
        assert_hex(fake.uart_ctrl, 0x13); /* both FIFOs empty, interrupts */
        return;
    }
    assert_int_equal(fake.uart_divisor[0] | fake.uart_divisor[1] << 8, 651); /* 100 MHz / 16 / 9600 */
    assert_hex(fake.uart_lcr, 0x03);
    assert_hex(fake.uart_fcr, 0x01);
    assert_hex(fake.uart_mcr, 0x0B);
    assert_hex(fake.uart_ier, 0x01);
}

/* With the FIFO empty there is room for all of it; UartLite also tells that there is some. */
static void room(void **state)
{
    uint32_t i;

    (void)state;
    fake.room = 1;
    assert_int_equal(board_uart_room(), 16);
    for (i = 0; i < 16; i++) {
        board_uart_send((uint8_t)('a' + i));
        assert_int_equal(board_uart_room(), BOARD_CONSOLE_UARTLITE && i < 15 ? 1 : 0);
    }
    assert_string_equal(fake.output, "abcdefghijklmnop");
    fake.room = 2;
    assert_int_equal(board_uart_room(), 16);
}

static void receives(void **state)
{
    uint8_t byte = 0x55;

    (void)state;
    assert_false(board_uart_received(&byte));
    assert_hex(byte, 0x55);
    fake.input = "xy";
    assert_true(board_uart_received(&byte) && byte == 'x');
    assert_true(board_uart_received(&byte) && byte == 'y');
    assert_false(board_uart_received(&byte));
}

/* Interrupts only on demand, where they can be told apart; without those of received bytes RTS goes. */
static void want(void **state)
{
    (void)state;
    board_uart_want(BOARD_UART_RECEIVE | BOARD_UART_SEND);
    assert_hex(fake.uart_ier, BOARD_CONSOLE_UARTLITE ? 0 : 0x03);
    board_uart_want(0);
    assert_hex(fake.uart_ier, 0);
    assert_hex(fake.uart_mcr, BOARD_CONSOLE_UARTLITE ? 0 : 0x09);
    board_uart_want(BOARD_UART_RECEIVE);
    assert_hex(fake.uart_ier, BOARD_CONSOLE_UARTLITE ? 0 : 0x01);
    assert_hex(fake.uart_mcr, BOARD_CONSOLE_UARTLITE ? 0 : 0x0B);
    assert_hex(fake.uart_ctrl, BOARD_CONSOLE_UARTLITE ? 0x13 : 0);
}

/* Whoever looks at the status first: who would have got it is told of an overrun, once. */
static void overrun(void **state)
{
    struct uart *u = uart_of(&vcpu[CONSOLE_FOCUS]);
    uint8_t byte;

    (void)state;
    fake.overrun = true;
    assert_false(board_uart_received(&byte));
    assert_int_equal(u->overrun, 1);
    u->overrun = 0;
    board_uart_room();
    assert_int_equal(u->overrun, 0);
    fake.overrun = true;
    board_uart_room();
    assert_int_equal(u->overrun, 1);
}

/* The console's line takes what its guest has room for, leaves the rest, and is not masked. */
static void console_line(void **state)
{
    static const char text[] = "0123456789abcdefghijklmnopqrst";

    (void)state;
    fake.input = text;
    fake.lines = CONSOLE_BIT;
    fake.intc_acknowledged = 0;
    enter(external(current));
    assert_int_equal(strlen(fake.input), sizeof(text) - 1 - 16);
    assert_hex(fake.intc[INTC_IER] & CONSOLE_BIT, CONSOLE_BIT);
    assert_hex(fake.intc_acknowledged, CONSOLE_BIT);
    assert_hex(fake.uart_ier, 0); /* so that it does not come again at once */
    /* a level is there as long as something is left, an edge is acknowledged */
    assert_hex((board_status() & CONSOLE_BIT), (INTC_EDGES & CONSOLE_BIT) != 0 ? 0 : CONSOLE_BIT);
    fake.lines = 0;
}

/* The controller's own enables: one line, and only it. */
static void unmask(void **state)
{
    uint32_t line;

    (void)state;
    for (line = 0; line < 32; line++) {
        fake.intc[INTC_IER] = 0;
        fake.intc[INTC_ISR] = 0xFFFFFFFF;
        board_irq_unmask(line);
        assert_hex(fake.intc[INTC_IER], INTC_BIT(line));
        assert_hex(fake.intc[INTC_ISR], ~INTC_BIT(line));
    }
}

static void resets(void **state)
{
    (void)state;
    fake.shifting = 5; /* what the transmitter has comes out before, */
    EXPECT_MACHINE_RESET(board_reset());
    assert_int_equal(fake.shifting, 0);
    fake.reset = 0;
    fake.shifting = 0xFFFFFFFF; /* but there is an end */
    EXPECT_MACHINE_RESET(board_reset());
    assert_hex(fake.reset, DBCR0_RST);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST_BOOTED(controller_at_boot),
        TEST_BOOTED(uart_at_boot),
        TEST_BOOTED(room),
        TEST_BOOTED(receives),
        TEST_BOOTED(want),
        TEST_BOOTED(overrun),
        TEST_BOOTED(console_line),
        TEST_BOOTED(unmask),
        TEST_BOOTED(resets),
    };

    return cmocka_run_group_tests_name("board_virtex", tests, 0, 0);
}
