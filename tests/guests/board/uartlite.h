/*
 * uartlite.h: the console is a Xilinx UartLite at BOARD_UART_BASE: four registers of one word each, FIFOs of 16 characters.
 */
#ifndef GUEST_UARTLITE_H
#define GUEST_UARTLITE_H

// For assembler: load the status, until all bits of READY are there (the transmit FIFO is empty); then store a character
#define BOARD_UART_LOAD   lwz
#define BOARD_UART_STORE  stw
#define BOARD_UART_STATUS 8
#define BOARD_UART_READY  0x04
#define BOARD_UART_SEND   4

// All of its registers, and the first address that is one
#define BOARD_UART_SPAN  16
#define BOARD_UART_FIRST BOARD_UART_BASE

// Its interrupts are pulses, of which the controller remembers one: acknowledged before the cause is looked for
#define BOARD_UART_EDGE   1

#ifndef __ASSEMBLER__
#include <stdint.h>

enum board_uart_register { UARTLITE_RX, UARTLITE_TX, UARTLITE_STAT, UARTLITE_CTRL };

#define UARTLITE_STAT_RX       0x01 // there is a character
#define UARTLITE_STAT_TX_EMPTY 0x04
#define UARTLITE_STAT_TX_FULL  0x08
#define UARTLITE_STAT_INTR     0x10
#define UARTLITE_CTRL_RST_TX   0x01
#define UARTLITE_CTRL_RST_RX   0x02
#define UARTLITE_CTRL_INTR     0x10

static inline volatile uint32_t *board_uart(uint32_t number)
{
    return (volatile uint32_t *)(BOARD_UART_BASE + 4 * number);
}

static inline int board_can_send(void)
{
    return (*board_uart(UARTLITE_STAT) & UARTLITE_STAT_TX_FULL) == 0;
}

static inline void board_send(char c)
{
    *board_uart(UARTLITE_TX) = (uint8_t)c;
}

// Until the last character has left the FIFO
static inline void board_drain(void)
{
    while ((*board_uart(UARTLITE_STAT) & UARTLITE_STAT_TX_EMPTY) == 0) {
    }
}

static inline int board_can_receive(void)
{
    return (*board_uart(UARTLITE_STAT) & UARTLITE_STAT_RX) != 0;
}

static inline uint8_t board_receive(void)
{
    return (uint8_t)*board_uart(UARTLITE_RX);
}

// Ready for input; with interrupts (also of an empty transmit FIFO: there is one bit for both), or without
static inline void board_receive_setup(int interrupts)
{
    *board_uart(UARTLITE_CTRL) = interrupts ? UARTLITE_CTRL_INTR : 0;
}

// In an interrupt: 1 and the next byte, 0 if there is none
static inline int board_receive_next(uint8_t *byte)
{
    if (!board_can_receive()) {
        return 0;
    }
    *byte = board_receive();
    return 1;
}

// Interrupts of input and of an empty transmit FIFO: as board_receive_setup() has it, for there is one bit for both
static inline void board_uart_want(int send)
{
    (void)send;
}

// Of what a reset changes: what is not so; and all of it changed
static inline uint32_t board_uart_unclean(void)
{
    return *board_uart(UARTLITE_STAT) ^ UARTLITE_STAT_TX_EMPTY;
}

static inline void board_uart_dirty(void)
{
    *board_uart(UARTLITE_CTRL) = UARTLITE_CTRL_INTR;
}

// Interrupts of a transmit FIFO that runs empty (and of input)
static inline void board_send_interrupts(int on)
{
    *board_uart(UARTLITE_CTRL) = on ? UARTLITE_CTRL_INTR : 0;
}

// No interrupts
static inline void board_uart_quiet(void)
{
    *board_uart(UARTLITE_CTRL) = 0;
}
#endif

#endif
