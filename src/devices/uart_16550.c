/*
 * uart_16550.c: the registers of a guest's 16550 (PC16550D data sheet). Baud rate and format are words only: the line is the
 * board's.
 */
#include "irq.h"
#include "uart.h"

enum { DATA, IER, IIR, LCR, MCR, LSR, MODEM, SCRATCH };

#define IER_RX    0x01
#define IER_TX    0x02
#define IIR_FIFO  0xC0
#define FCR_FIFO  0x01
#define FCR_CLEAR 0x02 /* received bytes */
#define LCR_DLAB  0x80
#define LSR_RX    0x01
#define LSR_OVERRUN 0x02
#define LSR_EMPTY 0x60 /* THRE and TEMT */

/* The interrupt line is a level: it follows the registers. */
void uart_16550_changed(struct vcpu *v, const struct uart *u)
{
    uint32_t active = ((u->ier & IER_RX) != 0 && u->count != 0) || ((u->ier & IER_TX) != 0 && u->empty != 0);

    irq_set_line(v, CONSOLE_IRQ(&vm_config[vcpu_index(v)]), active);
}

uint32_t uart_16550_read(struct vcpu *v, struct uart *u, uint32_t reg)
{
    uint32_t value = 0;

    if ((u->lcr & LCR_DLAB) != 0 && reg <= IER) {
        return u->divisor[reg];
    }
    switch (reg) {
    case DATA:
        if (u->count != 0) {
            value = console_take(u);
        }
        break;
    case IER:
        return u->ier;
    case IIR:
        if ((u->ier & IER_RX) != 0 && u->count != 0) {
            value = 0x04;
        } else if ((u->ier & IER_TX) != 0 && u->empty != 0) {
            value = 0x02;
            u->empty = 0; /* reading it ends a transmit interrupt */
        } else {
            value = 0x01;
        }
        value |= u->fifo != 0 ? IIR_FIFO : 0;
        break;
    case LCR:
        return u->lcr;
    case MCR:
        return u->mcr;
    case LSR:
        console_prompt(u);
        value = (u->handed != 0 ? 0 : LSR_EMPTY) | (u->overrun != 0 ? LSR_OVERRUN : 0) | (u->count != 0 ? LSR_RX : 0);
        u->overrun = 0;
        return value;
    case MODEM:
        return UART_MODEM;
    default:
        return u->scratch;
    }
    uart_16550_changed(v, u);
    return value;
}

void uart_16550_write(struct vcpu *v, struct uart *u, uint32_t reg, uint32_t value)
{
    if ((u->lcr & LCR_DLAB) != 0 && reg <= IER) {
        u->divisor[reg] = (uint8_t)value;
        return;
    }
    switch (reg) {
    case DATA:
        console_transmit(u, (uint8_t)value);
        break;
    case IER:
        u->empty = u->empty || ((value & IER_TX) != 0 && u->handed == 0);
        u->ier = value & 0x0F;
        break;
    case IIR: /* FCR, for writing */
        u->fifo = value & FCR_FIFO;
        if ((value & FCR_CLEAR) != 0) {
            u->count = 0;
            console_resume(u);
        }
        break;
    case LCR:
        u->lcr = (uint8_t)value;
        break;
    case MCR:
        u->mcr = value & 0x1F;
        break;
    case SCRATCH:
        u->scratch = (uint8_t)value;
        break;
    default:
        break;
    }
    uart_16550_changed(v, u);
}
