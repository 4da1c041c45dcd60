/*
 * ref405ep.h: what a sample guest must know about the ref405ep board; for C and for assembler.
 *
 * A board file gives the clock of the time base, the console and the way to end a run. Nothing else in the
 * guests depends on the board. Select it with `make BOARD=<name>`.
 */
#ifndef GUEST_BOARD_H
#define GUEST_BOARD_H

#define BOARD_NAME "ref405ep"

// Time base and PIT count at this rate
#define BOARD_TB_HZ 333333333

// UART0: a 16550, one byte per register
#define BOARD_UART_BASE 0xEF600300
#define BOARD_UART_THR  0    // transmitter holding register
#define BOARD_UART_LSR  5    // line status register
#define BOARD_UART_THRE 0x20 // LSR: the holding register is empty

// DBCR0[RST] = 0b11: system reset, the end of a run
#define BOARD_RESET_DBCR0 0x30000000

#ifndef __ASSEMBLER__
#include <stdint.h>

// Send one character; polled, because a guest that owns no interrupt line must be able to print
static inline void board_putc(char c)
{
    volatile uint8_t *uart = (volatile uint8_t *)BOARD_UART_BASE;

    while ((uart[BOARD_UART_LSR] & BOARD_UART_THRE) == 0) {
    }
    uart[BOARD_UART_THR] = (uint8_t)c;
}
#endif

#endif
