/*
 * test_board_speed.c: src/boards/board_virtex.c once more, for a board whose file has no baud rate of its console: the 16550's
 * divisor is what firmware, or a design with a fixed speed, has made of it.
 */
#define board_init          slow_init
#define board_interrupt     slow_interrupt
#define board_irq_mask      slow_irq_mask
#define board_irq_enable    slow_irq_enable
#define board_irq_unmask    slow_irq_unmask
#define board_uart_room     slow_uart_room
#define board_uart_send     slow_uart_send
#define board_uart_received slow_uart_received
#define board_uart_want     slow_uart_want
#define board_reset         slow_reset

#include "board_values.h"
#undef BOARD_CONSOLE_DIVISOR
#define BOARD_CONSOLE_DIVISOR 0
#include "../../src/boards/board_virtex.c"

#include "harness.h"

static void without_baud(void **state)
{
    (void)state;
    fake.uart_divisor[0] = 0x12;
    fake.uart_divisor[1] = 0x34;
    fake.uart_lcr = 0;
    slow_init();
    assert_hex(fake.uart_divisor[0] << 8 | fake.uart_divisor[1], 0x1234);
    assert_hex(fake.uart_lcr, BOARD_CONSOLE_UARTLITE ? 0 : 0x03);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST_BOOTED(without_baud),
    };

    return cmocka_run_group_tests_name("board_speed", tests, 0, 0);
}
