/*
 * linetest.c: a guest that says to its UIC what the console's line is: a level, an edge, active high or low. The line is the
 * 16550's: high from IER[1] on, for the holding register is empty and nobody looks at IIR. The handler acknowledges and leaves
 * the UART alone, so a level comes again and again, an edge does not.
 *
 * r3 = 1: the line has a polarity (on QEMU 7.2 the machine's own has none).
 */
#include "print.h"
#include "simple.h"

#define ENOUGH 10u /* interrupts, behind which the handler disables the line */
#define LOOKS  1000u

static const uint32_t line = 0x80000000u >> BOARD_UART_LINE;
static volatile uint32_t taken;

static uint32_t status(void)
{
    uint32_t value;

    __asm__ volatile("mfdcr %0, %1" : "=r"(value) : "i"(UIC_SR));
    return value;
}

void simple_interrupt(void)
{
    if (++taken == ENOUGH) {
        uic_write(UIC_ER, 0);
    }
    board_irq_acknowledge(BOARD_UART_LINE);
}

/* How many interrupts come, from when the line goes up until it is left alone. */
static uint32_t interrupts_of(int raise)
{
    taken = 0;
    board_irq_enable(BOARD_UART_LINE);
    __asm__ volatile("wrteei 1" ::: "memory");
    if (raise) {
        board_send_interrupts(1);
    }
    for (volatile uint32_t i = 0; i < LOOKS; i++) {
    }
    __asm__ volatile("wrteei 0" ::: "memory");
    return taken;
}

static void report(const char *what, uint32_t count)
{
    board_uart_quiet();
    board_irq_reset();
    put_text(what);
    put_decimal(count);
    board_putc('\n');
    board_drain();
}

static void test(const char *what, uint32_t edge, uint32_t high)
{
    uint32_t count;

    board_drain();
    board_irq_reset();
    uic_write(UIC_PR, high ? 0xFFFFFFFFu : ~line);
    uic_write(UIC_TR, edge ? line : 0);
    board_irq_acknowledge(BOARD_UART_LINE);
    count = interrupts_of(1);
    report(what, count);
}

/* Up while the line is a level, of which nothing is enabled: an edge from now on, so there is none. */
static void test_later(void)
{
    uint32_t count;

    board_drain();
    board_irq_reset();
    uic_write(UIC_TR, line);
    board_send_interrupts(1);
    board_irq_acknowledge(BOARD_UART_LINE);
    count = interrupts_of(0);
    report("linetest: acknowledged ", count);
}

static void test_low(void)
{
    board_drain();
    board_irq_reset();
    uic_write(UIC_PR, ~line);
    report("linetest: low is active ", (status() & line) != 0);
    uic_write(UIC_PR, ~line);
    board_send_interrupts(1);
    board_irq_acknowledge(BOARD_UART_LINE);
    report("linetest: high is active ", (status() & line) != 0);
}

void simple_main(uint32_t r3, uint32_t r4)
{
    (void)r4;
    board_uart_quiet();
    test("linetest: level ", 0, 1);
    test("linetest: edge ", 1, 1);
    test_later();
    if (r3 == 1) {
        test("linetest: falling edge ", 1, 0);
        test_low();
    }
    put_text("linetest: PASS\n");
    board_drain();
    __asm__ volatile("mtspr 0x3F2, %0" ::"r"(BOARD_RESET_DBCR0));
    for (;;) {
    }
}

void simple_unexpected(uint32_t vector)
{
    put_text("linetest: FAIL exception ");
    put_hex(vector);
    board_putc('\n');
    for (;;) {
    }
}
