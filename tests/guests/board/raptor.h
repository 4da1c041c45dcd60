/*
 * raptor.h: what a sample guest must know about the RAPTOR system (Virtex-II Pro); see ref405ep.h.
 */
#ifndef GUEST_BOARD_H
#define GUEST_BOARD_H

#define BOARD_NAME "raptor"

// Time base and PIT count at this rate
#define BOARD_TB_HZ 300000000

// OPB UartLite
#define BOARD_UART_BASE 0x90210000
#define BOARD_UART_LINE 0

// OPB interrupt controller
#define BOARD_INTC_BASE 0x90240000

// The smallest page that the machine's TLB has
#define BOARD_PAGE_MIN 1024

#include "uartlite.h"
#include "intc.h"
#include "no_ethernet.h"

#include "common.h"

#endif
