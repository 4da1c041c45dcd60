/*
 * uart.c: from an address to a register of the guest's UART.
 */
#include "uart.h"

static bool claims(const struct vm_config *config, uint32_t address)
{
    return config->console_base != 0 && address - config->console_base < uart_size(config);
}

#ifdef CONFIG_UART_SECOND

struct uart *uart_at(const struct vcpu *v, uint32_t address)
{
    struct uart *second = uart_second(v);

    return claims(UART_CONFIG(v, second), address) ? second : uart_of(v);
}

#endif

bool console_claims(const struct vcpu *v, uint32_t address)
{
    return claims(UART_CONFIG(v, uart_at(v, address)), address);
}

bool console_is_near(const struct vcpu *v, uint32_t address)
{
    const struct uart *u = uart_of(v);

    return CONSOLE_KIND(UART_CONFIG(v, u)) == CONSOLE_HOT && console_claims(v, address) && uart_at(v, address) == u &&
           uart_is_plain(u);
}

/* ---- a bus of bytes: a 16550 with a register in each ---- */

static bool is_byte(const struct vm_config *config, uint32_t address)
{
    return uart_is_bytes(config) && claims(config, address);
}

uint8_t console_read(struct vcpu *v, uint32_t address)
{
    struct uart *u = uart_at(v, address);
    const struct vm_config *config = UART_CONFIG(v, u);

    return is_byte(config, address) ? (uint8_t)uart_16550_read(v, u, address - config->console_base) : 0;
}

void console_write(struct vcpu *v, uint32_t address, uint8_t value)
{
    struct uart *u = uart_at(v, address);
    const struct vm_config *config = UART_CONFIG(v, u);

    if (is_byte(config, address)) {
        uart_16550_write(v, u, address - config->console_base, value);
    }
}

/* ---- a bus of words ---- */

/* Registers that are bytes: those of the lanes, one after the other. */
static uint32_t load_bytes(struct vcpu *v, struct uart *u, uint32_t reg, uint32_t lanes)
{
    uint32_t value = 0;
    uint32_t i;

    for (i = 0; i < 4; i++) { /* loop: 4 */
        value <<= 8;
        if ((lanes << 8 * i & 0xFF000000) != 0) {
            value |= uart_16550_read(v, u, reg + i);
        }
    }
    return value;
}

static void store_bytes(struct vcpu *v, struct uart *u, uint32_t reg, uint32_t value, uint32_t lanes)
{
    uint32_t i;

    for (i = 0; i < 4; i++) { /* loop: 4 */
        if ((lanes << 8 * i & 0xFF000000) != 0) {
            uart_16550_write(v, u, reg + i, value << 8 * i >> 24);
        }
    }
}

uint32_t console_load(struct vcpu *v, uint32_t address, uint32_t lanes)
{
    struct uart *u = uart_at(v, address);
    const struct vm_config *config = UART_CONFIG(v, u);
    uint32_t offset = address - config->console_base;

    if (uart_is_bytes(config)) {
        return load_bytes(v, u, offset, lanes);
    }
    if (uart_is_lite(config)) {
        return uartlite_read(v, u, offset / 4);
    }
    return IS_ENABLED(CONFIG_UART_16550_WORDS) ? uart_16550_read(v, u, offset / 4) : 0;
}

/* A register of a word is its low byte: a store that does not reach it is none. */
void console_store(struct vcpu *v, uint32_t address, uint32_t value, uint32_t lanes)
{
    struct uart *u = uart_at(v, address);
    const struct vm_config *config = UART_CONFIG(v, u);
    uint32_t offset = address - config->console_base;

    if (uart_is_bytes(config)) {
        store_bytes(v, u, offset, value, lanes);
    } else if ((lanes & 0xFF) == 0) {
        return;
    } else if (uart_is_lite(config)) {
        uartlite_write(v, u, offset / 4, value & 0xFF);
    } else if (IS_ENABLED(CONFIG_UART_16550_WORDS)) {
        uart_16550_write(v, u, offset / 4, value & 0xFF);
    }
}
