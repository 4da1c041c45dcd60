/*
 * uartlite.c: the registers of a guest's UartLite (Xilinx DS571). Each is a word of which the low byte counts.
 *
 * The transmitter's shift register is the line of the console: while that takes bytes, the FIFO is empty again at once; while
 * the line goes out, they wait in the FIFO. What the data sheet leaves undefined: a byte read from an empty FIFO is zero, one
 * written to a full FIFO is lost.
 */
#include "irq.h"
#include "uart.h"

enum { RX, TX, STAT, CTRL };

#define STAT_RX_VALID 0x01
#define STAT_RX_FULL  0x02
#define STAT_TX_EMPTY 0x04
#define STAT_TX_FULL  0x08
#define STAT_ENABLED  0x10
#define STAT_OVERRUN  0x20
#define CTRL_RESET_TX 0x01
#define CTRL_RESET_RX 0x02
#define CTRL_ENABLE   0x10

static uint8_t events(const struct uart *u)
{
    return (u->count != 0 ? STAT_RX_VALID : 0) | (u->waiting == 0 ? STAT_TX_EMPTY : 0);
}

/* "Interrupts": one of the two becomes true. A pulse: whoever has it disabled then does not get it later. */
void uartlite_changed(struct vcpu *v, struct uart *u)
{
    uint8_t now = events(u);
    uint8_t risen = now & ~u->events;

    u->events = now;
    if (risen != 0 && u->enabled != 0) {
        irq_set_line(v, CONSOLE_IRQ(UART_CONFIG(v, u)), 1);
        irq_set_line(v, CONSOLE_IRQ(UART_CONFIG(v, u)), 0);
    }
}

static uint32_t status(struct uart *u)
{
    uint32_t value;

    console_prompt(u);
    value = events(u);
    value |= (u->count == UART_INPUT ? STAT_RX_FULL : 0) | (u->waiting == UART_OUTPUT ? STAT_TX_FULL : 0);
    value |= (u->enabled != 0 ? STAT_ENABLED : 0) | (u->overrun != 0 ? STAT_OVERRUN : 0);
    u->overrun = 0; /* reading it clears the errors */
    return value;
}

uint32_t uartlite_read(struct vcpu *v, struct uart *u, uint32_t reg)
{
    uint32_t value;

    if (reg == STAT) {
        return status(u);
    }
    if (reg != RX || u->count == 0) {
        return 0;
    }
    value = console_take(u);
    uartlite_changed(v, u);
    return value;
}

void uartlite_write(struct vcpu *v, struct uart *u, uint32_t reg, uint32_t value)
{
    if (reg == TX && u->waiting != UART_OUTPUT) {
        u->events &= ~STAT_TX_EMPTY;
        console_transmit(u, (uint8_t)value);
    } else if (reg == CTRL) {
        u->enabled = (value & CTRL_ENABLE) != 0;
        u->waiting = (value & CTRL_RESET_TX) != 0 ? 0 : u->waiting;
        if ((value & CTRL_RESET_RX) != 0) {
            u->count = 0;
            uartlite_changed(v, u); /* what now follows into it is an event */
            console_resume(u);
        }
    }
    uartlite_changed(v, u);
}
