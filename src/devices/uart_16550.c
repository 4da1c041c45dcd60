/*
 * uart_16550.c: the registers of a guest's 16550 (PC16550D data sheet). Baud rate and format are words only: the line is the
 * board's.
 */
#include "irq.h"
#include "uart.h"

enum { DATA, IER, IIR, LCR, MCR, LSR, MODEM, SCRATCH };

#define IER_RX     0x01
#define IER_TX     0x02
#define IER_STATUS 0x04 /* of the receiver */
#define IER_MODEM  0x08
#define IIR_FIFO   0xC0
#define FCR_FIFO   0x01
#define FCR_CLEAR_RX 0x02
#define FCR_CLEAR_TX 0x04
#define LCR_DLAB   0x80
#define LSR_RX     0x01
#define LSR_OVERRUN 0x02
#define LSR_EMPTY  0x60 /* THRE and TEMT */
#define MODEM_CHANGED 0x0F
#define MODEM_RING 0x40 /* of this input only the end is an event */

/* IIR by the reasons for an interrupt, as bits of IER: the highest of them; 1 is none. */
static const uint8_t iir_of[16] = {1, 4, 2, 4, 6, 6, 6, 6, 0, 4, 2, 4, 6, 6, 6, 6};

static uint32_t reasons(const struct uart *u)
{
    return u->ier & ((u->count != 0 ? IER_RX : 0) | (u->empty != 0 ? IER_TX : 0) | (u->overrun != 0 ? IER_STATUS : 0) |
                     ((u->modem & MODEM_CHANGED) != 0 ? IER_MODEM : 0));
}

/* The interrupt line is a level: it follows the registers. */
void uart_16550_changed(struct vcpu *v, const struct uart *u)
{
    irq_set_line(v, CONSOLE_IRQ(UART_CONFIG(v, u)), reasons(u) != 0);
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
        value = iir_of[reasons(u)];
        if (value == iir_of[IER_TX]) {
            u->empty = 0; /* reading it ends a transmit interrupt */
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
        break;
    case MODEM:
        value = u->modem;
        u->modem &= ~MODEM_CHANGED;
        break;
    default:
        return u->scratch;
    }
    uart_16550_changed(v, u);
    return value;
}

/* A change of bit 0 empties both FIFOs; the others are for a FIFO that is on. */
static void write_fcr(struct uart *u, uint32_t value)
{
    uint32_t on = value & FCR_FIFO;
    bool both = on != u->fifo;

    u->fifo = (uint8_t)on;
    if (both || (on & value >> 2) != 0) {
        u->waiting = 0;
    }
    if (both || (on & value >> 1) != 0) {
        u->count = 0;
        console_resume(u);
    }
}

/* The modem's four inputs: in the loop they are the four outputs, RTS DTR OUT1 OUT2. */
static void write_mcr(struct vcpu *v, struct uart *u, uint32_t value)
{
    uint32_t now = UART_MODEM;

    u->mcr = value & 0x1F;
    if (!uart_is_connected(u)) {
        now = (value & 0x02) << 3 | (value & 0x01) << 5 | (value & 0x0C) << 4;
    }
    u->modem = (uint8_t)(now | (u->modem & MODEM_CHANGED) | ((u->modem ^ now) & ~(now & MODEM_RING)) >> 4);
    if (!uart_is_plain(u)) {
        VCPU_UART_FAR(v);
    }
    console_resume(u);
}

void uart_16550_write(struct vcpu *v, struct uart *u, uint32_t reg, uint32_t value)
{
    if ((u->lcr & LCR_DLAB) != 0 && reg <= IER) {
        u->divisor[reg] = (uint8_t)value;
        return;
    }
    switch (reg) {
    case DATA:
        if (uart_is_connected(u)) {
            console_transmit(u, (uint8_t)value);
        } else {
            u->empty = 1;
            console_receive(v, u, (uint8_t)value);
        }
        break;
    case IER: /* THRE interrupts, when they are enabled; not when they were: what ends one is written in the data sheet */
        u->empty = u->empty || ((value & ~u->ier & IER_TX) != 0 && u->handed == 0);
        u->ier = value & 0x0F;
        break;
    case IIR: /* FCR, for writing */
        write_fcr(u, value);
        break;
    case LCR:
        u->lcr = (uint8_t)value;
        break;
    case MCR:
        write_mcr(v, u, value);
        break;
    case SCRATCH:
        u->scratch = (uint8_t)value;
        break;
    default:
        break;
    }
    uart_16550_changed(v, u);
}
