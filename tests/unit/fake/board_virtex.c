/*
 * board_virtex.c (fake): a design with the INTC in memory or on the DCR bus, and a UartLite where the console is one. The
 * INTC is one without the optional registers: who uses them fails.
 */
#include "harness.h"

#include "intc.h"

enum { LITE_RX = BOARD_CONSOLE_BASE, LITE_TX = LITE_RX + 4, LITE_STAT = LITE_RX + 8, LITE_CTRL = LITE_RX + 12 };

/* Inputs are looked at whenever the controller is: fake.lines as they are now, and those that rose since. */
static void settle(void)
{
    if ((fake.intc[INTC_MER] & MER_HIE) != 0) {
        fake.intc[INTC_ISR] |= (fake.lines & ~INTC_EDGES) | (fake.lines & ~fake.lines_were & INTC_EDGES);
    }
    fake.lines_were = fake.lines;
}

static uint32_t intc_read(uint32_t reg)
{
    settle();
    if (reg != INTC_ISR && reg != INTC_IER && reg != INTC_MER) {
        fail_msg("read of the controller's register %u, which is optional", reg);
    }
    return fake.intc[reg];
}

static void intc_write(uint32_t reg, uint32_t value)
{
    settle();
    switch (reg) {
    case INTC_IER:
        fake.intc[INTC_IER] = value;
        break;
    case INTC_IAR:
        fake.intc[INTC_ISR] &= ~value;
        fake.intc_acknowledged |= value;
        settle();
        break;
    case INTC_MER:
        fake.intc[INTC_MER] = (value & 3) | (fake.intc[INTC_MER] & MER_HIE);
        break;
    default:
        fail_msg("write to the controller's register %u, which is optional or to be read", reg);
    }
}

uint32_t cpu_mfdcr(uint32_t n)
{
    if (n - BOARD_INTC_DCR >= INTC_REGISTERS) {
        fail_msg("read of DCR %x, which the design does not have", n);
    }
    return intc_read(n - BOARD_INTC_DCR);
}

void cpu_mtdcr(uint32_t n, uint32_t value)
{
    if (n - BOARD_INTC_DCR >= INTC_REGISTERS) {
        fail_msg("write to DCR %x, which the design does not have", n);
    }
    intc_write(n - BOARD_INTC_DCR, value);
}

static bool is_intc(uint32_t address)
{
    return !BOARD_INTC_IS_DCR && address - BOARD_INTC_BASE < INTC_SIZE && address % 4 == 0;
}

uint32_t cpu_in32(uint32_t address)
{
    if (is_intc(address)) {
        return intc_read((address - BOARD_INTC_BASE) / 4);
    }
    if (BOARD_CONSOLE_UARTLITE && address == LITE_RX) {
        return fake_uart_receive();
    }
    if (BOARD_CONSOLE_UARTLITE && address == LITE_STAT) {
        fake_uart_poll();
        return (*fake.input != 0 ? 0x01 : 0) | (fake.room != 0 ? fake_uart_shifts(0x04) : fake.fifo_left == 0 ? 0x08 : 0) |
               fake_uart_overrun(0x20);
    }
    fail_msg("read of %08x, where the design has no register", address);
    return 0;
}

void cpu_out32(uint32_t address, uint32_t value)
{
    if (is_intc(address)) {
        intc_write((address - BOARD_INTC_BASE) / 4, value);
    } else if (BOARD_CONSOLE_UARTLITE && address == LITE_TX) {
        fake_uart_send((uint8_t)value, 16);
    } else if (BOARD_CONSOLE_UARTLITE && address == LITE_CTRL) {
        fake.uart_ctrl = value;
    } else {
        fail_msg("write of %08x to %08x, where the design has no register", value, address);
    }
}
