/*
 * uart.h: a guest's UART between its registers (uart.c, and a file for each kind: options UART_*) and its line on the shared
 * console (console.c).
 */
#ifndef PROTEUS_UART_H
#define PROTEUS_UART_H

#include "console.h"
#include "partition.h"

static inline struct uart *uart_of(const struct vcpu *v)
{
    return (struct uart *)(uintptr_t)v->uart;
}

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
    if (uart_is_lite(&vm_config[vcpu_index(v)])) {
        uartlite_changed(v, u);
    } else if (IS_ENABLED(CONFIG_UART_16550) || IS_ENABLED(CONFIG_UART_16550_WORDS)) {
        uart_16550_changed(v, u);
    }
}

/* A byte came for which there is no room. */
static inline void uart_overrun(struct vcpu *v, struct uart *u)
{
    if (uart_is_lite(&vm_config[vcpu_index(v)])) {
        u->overrun = 1;
    }
}

/* The VM is reset: nothing enabled, nothing received, nothing waiting. */
static inline void uart_reset(struct vcpu *v, struct uart *u)
{
    if (uart_is_lite(&vm_config[vcpu_index(v)])) {
        u->fifo = 1;
        u->overrun = 0;
        uartlite_changed(v, u);
    }
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

/* The guest has looked at the UART's status: if it does so often in the middle of a line, that was a prompt. */
void console_prompt(struct uart *u);

#endif
