/*
 * uart.h: a guest's UART between its registers (uart.c, and a file for each kind: options UART_*) and the shared console: its
 * transmitter's line (line.c), and the board's (console.c).
 */
#ifndef PROTEUS_UART_H
#define PROTEUS_UART_H

#include "console.h"
#include "partition.h"

#define UART_LOOP 0x10 /* MCR: the transmitter is connected with the receiver, and neither with the line */

static inline struct uart *uart_of(const struct vcpu *v)
{
    return (struct uart *)(uintptr_t)v->uart;
}

/* ---- a VM's second UART (option UART_SECOND): of one that has none, the first again ---- */

extern struct uart uarts[UART_ROWS];

#ifdef CONFIG_UART_SECOND

#define UART_CONFIG(v, u) (&vm_config[(u)->row])

static inline struct uart *uart_second(const struct vcpu *v)
{
    return &uarts[vm_config[vcpu_index(v)].uart_other];
}

/* Whose that of a row is. */
#define UART_OWNER(row)      (&vcpu[(row) < VM_COUNT ? (row) : vm_config[row].uart_other])
#define UART_NUMBER(u, n)    ((u)->row = (uint8_t)(n))

/* The one of a VM's UARTs that has the address; the first if none has. */
struct uart *uart_at(const struct vcpu *v, uint32_t address);

#else

#define UART_CONFIG(v, u) ((void)(u), &vm_config[vcpu_index(v)])
#define uart_second(v)    uart_of(v)
#define UART_OWNER(row)   (&vcpu[row])
#define UART_NUMBER(u, n) ((void)0)

static inline struct uart *uart_at(const struct vcpu *v, uint32_t address)
{
    (void)address;
    return uart_of(v);
}

#endif

/* ---- registers, by number; a 16550's are bytes ---- */

uint32_t uart_16550_read(struct vcpu *v, struct uart *u, uint32_t reg);
void uart_16550_write(struct vcpu *v, struct uart *u, uint32_t reg, uint32_t value);
uint32_t uartlite_read(struct vcpu *v, struct uart *u, uint32_t reg);
void uartlite_write(struct vcpu *v, struct uart *u, uint32_t reg, uint32_t value);

/* ---- what the console tells the UART ---- */

/* Bytes were received, taken or sent: the interrupt line follows. */
void uart_16550_changed(struct vcpu *v, const struct uart *u);
void uartlite_changed(struct vcpu *v, struct uart *u);

static inline bool uart_is_lite(const struct vm_config *config)
{
    return IS_ENABLED(CONFIG_UART_UARTLITE) && CONSOLE_KIND(config) == CONSOLE_UARTLITE;
}

static inline bool uart_is_bytes(const struct vm_config *config)
{
    return IS_ENABLED(CONFIG_UART_16550) && CONSOLE_KIND(config) == CONSOLE_16550;
}

static inline void uart_changed(struct vcpu *v, struct uart *u)
{
    if (uart_is_lite(UART_CONFIG(v, u))) {
        uartlite_changed(v, u);
    } else if (IS_ENABLED(CONFIG_UART_16550) || IS_ENABLED(CONFIG_UART_16550_WORDS)) {
        uart_16550_changed(v, u);
    }
}

/* The VM is reset: nothing enabled, nothing received, nothing waiting. */
static inline void uart_reset(struct vcpu *v, struct uart *u)
{
    if (uart_is_lite(UART_CONFIG(v, u))) {
        u->fifo = 1;
        uartlite_changed(v, u);
    }
}

/* Does it hear the line? A UartLite always. */
static inline bool uart_is_connected(const struct uart *u)
{
    return (u->mcr & UART_LOOP) == 0;
}

/* Is it as asm/uart.S takes for granted? That looks at the rest itself. */
static inline bool uart_is_plain(const struct uart *u)
{
    return uart_is_connected(u) && u->modem == UART_MODEM && u->overrun == 0;
}

/* Bytes of its registers. */
static inline uint32_t uart_size(const struct vm_config *config)
{
    return uart_is_bytes(config) ? 8 : uart_is_lite(config) ? 16 : 32;
}

/* ---- what the UART tells the console ---- */

/* A byte to the line, or behind it; a byte that was received: there is one. */
void console_transmit(struct uart *u, uint8_t byte);
uint8_t console_take(struct uart *u);

/* A byte for the guest. */
void console_receive(struct vcpu *v, struct uart *u, uint8_t byte);

/* The guest's input has room again. */
void console_resume(const struct uart *u);

/* The guest has looked at the UART's status: if it does so often in the middle of a line, that was a prompt. */
void console_prompt(struct uart *u);

/* ---- between console.c and line.c ---- */

/* What is in the line goes out. It has. */
void line_hand_over(struct uart *u);
void line_sent(struct vcpu *v, struct uart *u);

/* Has the board's line begun with text of this guest, and not ended? */
bool console_is_open(const struct uart *u);

#endif
