/*
 * ref405ep.h: what a sample guest must know about the ref405ep board; for C and for assembler.
 *
 * A board file gives the clock of the time base, the console, the interrupt controller and the way to end a run. Nothing
 * else in the guests depends on the board. Select it with `make BOARD=<name>`.
 */
#ifndef GUEST_BOARD_H
#define GUEST_BOARD_H

#define BOARD_NAME "ref405ep"

// Time base and PIT count at this rate
#define BOARD_TB_HZ 333333333

// UART0
#define BOARD_UART_BASE   0xEF600300
#define BOARD_UART_STRIDE 1
#define BOARD_UART_LINE   0

// The smallest page that the machine's TLB has
#define BOARD_PAGE_MIN 4096

#include "ns16550.h"
#include "uic.h"
#include "no_ethernet.h"

#include "common.h"

#endif
