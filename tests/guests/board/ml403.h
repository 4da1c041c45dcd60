/*
 * ml403.h: what a sample guest must know about an ML403 design (Virtex-4 FX); see ref405ep.h.
 */
#ifndef GUEST_BOARD_H
#define GUEST_BOARD_H

#define BOARD_NAME "ml403"

// Time base and PIT count at this rate, the devices at the other
#define BOARD_TB_HZ  300000000
#define BOARD_BUS_HZ 100000000

// XPS 16550 at 0x83E00000: its registers are the low bytes of words from 0x1000 on
#define BOARD_UART_BASE   0x83E01003
#define BOARD_UART_STRIDE 4
#define BOARD_UART_LINE   6

#define BOARD_INTC_BASE   0x81800000

// XPS Timer/Counter
#define BOARD_TIMER_BASE  0x83C00000
#define BOARD_TIMER_LINE  8

// XPS EthernetLite
#define BOARD_ETHERNET_BASE 0x81000000
#define BOARD_ETHERNET_LINE 9

// The smallest page that the machine's TLB has
#define BOARD_PAGE_MIN 1024

#include "ns16550.h"
#include "intc.h"
#include "ethernetlite.h"

#include "common.h"

#endif
