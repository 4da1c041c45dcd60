/*
 * ns16550.h: the console is a 16550 at BOARD_UART_BASE, one byte per register, a register every BOARD_UART_STRIDE bytes.
 */
#ifndef GUEST_NS16550_H
#define GUEST_NS16550_H

// For assembler: load the status, until all bits of READY are there; then store a character
#define BOARD_UART_LOAD   lbz
#define BOARD_UART_STORE  stb
#define BOARD_UART_STATUS (5 * BOARD_UART_STRIDE)
#define BOARD_UART_READY  0x20
#define BOARD_UART_SEND   0

// All of its registers, and the first address that is one
#define BOARD_UART_SPAN  (8 * BOARD_UART_STRIDE)
#define BOARD_UART_FIRST (BOARD_UART_BASE / BOARD_UART_STRIDE * BOARD_UART_STRIDE)

// Its interrupt is a level: acknowledged behind the cause
#define BOARD_UART_EDGE   0

#ifndef __ASSEMBLER__
#include <stdint.h>

enum board_uart_register { UART_DATA, UART_IER, UART_IIR, UART_LCR, UART_MCR, UART_LSR, UART_MSR, UART_SCR };

#define UART_IER_RX   0x01
#define UART_IER_TX   0x02
#define UART_IIR_NONE 0x01
#define UART_IIR_RX   0x04
#define UART_LSR_RX   0x01
#define UART_LSR_THRE 0x20 // the holding register is empty
#define UART_LSR_TEMT 0x40 // and the character before it is out

static inline volatile uint8_t *board_uart(uint32_t number)
{
    return (volatile uint8_t *)(BOARD_UART_BASE + BOARD_UART_STRIDE * number);
}

static inline int board_can_send(void)
{
    return (*board_uart(UART_LSR) & UART_LSR_THRE) != 0;
}

static inline void board_send(char c)
{
    *board_uart(UART_DATA) = (uint8_t)c;
}

// Until the last character has left
static inline void board_drain(void)
{
    while ((*board_uart(UART_LSR) & UART_LSR_TEMT) == 0) {
    }
}

static inline int board_can_receive(void)
{
    return (*board_uart(UART_LSR) & UART_LSR_RX) != 0;
}

static inline uint8_t board_receive(void)
{
    return *board_uart(UART_DATA);
}

// Ready for input; with interrupts, or without. OUT2 lets them out
static inline void board_receive_setup(int interrupts)
{
    *board_uart(UART_LCR) = 0x03;
    *board_uart(UART_MCR) = 0x0B;
    *board_uart(UART_IER) = interrupts ? UART_IER_RX : 0;
}

// In an interrupt: 1 and the next byte, 0 if there is none, -1 if the UART gives another reason for its interrupt
static inline int board_receive_next(uint8_t *byte)
{
    uint8_t cause = *board_uart(UART_IIR);

    if (cause & UART_IIR_NONE) {
        return 0;
    }
    *byte = board_receive();
    return (cause & 0x0F) == UART_IIR_RX ? 1 : -1;
}

// Interrupts of input, and if `send` of an empty holding register as well; now, if it is
static inline void board_uart_want(int send)
{
    *board_uart(UART_IER) = send ? UART_IER_RX | UART_IER_TX : UART_IER_RX;
}

// Of the registers that a reset clears: what is set; and something in all of them
static inline uint32_t board_uart_unclean(void)
{
    return (uint32_t)(*board_uart(UART_IER) | *board_uart(UART_LCR) | *board_uart(UART_MCR));
}

static inline void board_uart_dirty(void)
{
    *board_uart(UART_IER) = 0x0F;
    *board_uart(UART_LCR) = 0x1B;
    *board_uart(UART_MCR) = 0x1F;
}

// Interrupts of an empty holding register; now, if it is
static inline void board_send_interrupts(int on)
{
    *board_uart(UART_MCR) = 0x0B;
    *board_uart(UART_IER) = on ? UART_IER_TX : 0;
}

// No interrupts, characters of 8 bits
static inline void board_uart_quiet(void)
{
    *board_uart(UART_LCR) = 3;
    *board_uart(UART_IER) = 0;
    *board_uart(UART_MCR) = 0;
}
#endif

#endif
