/*
 * uart.c: from an address to a register of the guest's UART.
 */
#include "uart.h"

bool console_claims(const struct vcpu *v, uint32_t address)
{
    const struct vm_config *config = &vm_config[vcpu_index(v)];

    return config->console_base != 0 && address - config->console_base < uart_size(config);
}

bool console_is_near(const struct vcpu *v, uint32_t address)
{
    return CONSOLE_KIND(&vm_config[vcpu_index(v)]) == CONSOLE_HOT && console_claims(v, address) && uart_is_plain(uart_of(v));
}

/* ---- a bus of bytes: a 16550 with a register in each ---- */

static bool is_byte(const struct vcpu *v, uint32_t address)
{
    return uart_is_bytes(&vm_config[vcpu_index(v)]) && console_claims(v, address);
}

uint8_t console_read(struct vcpu *v, uint32_t address)
{
    uint32_t reg = address - vm_config[vcpu_index(v)].console_base;

    return is_byte(v, address) ? (uint8_t)uart_16550_read(v, uart_of(v), reg) : 0;
}

void console_write(struct vcpu *v, uint32_t address, uint8_t value)
{
    if (is_byte(v, address)) {
        uart_16550_write(v, uart_of(v), address - vm_config[vcpu_index(v)].console_base, value);
    }
}

/* ---- a bus of words ---- */

/* Registers that are bytes: those of the lanes, one after the other. */
static uint32_t load_bytes(struct vcpu *v, uint32_t reg, uint32_t lanes)
{
    uint32_t value = 0;
    uint32_t i;

    for (i = 0; i < 4; i++) {
        value <<= 8;
        if ((lanes << 8 * i & 0xFF000000) != 0) {
            value |= uart_16550_read(v, uart_of(v), reg + i);
        }
    }
    return value;
}

static void store_bytes(struct vcpu *v, uint32_t reg, uint32_t value, uint32_t lanes)
{
    uint32_t i;

    for (i = 0; i < 4; i++) {
        if ((lanes << 8 * i & 0xFF000000) != 0) {
            uart_16550_write(v, uart_of(v), reg + i, value << 8 * i >> 24);
        }
    }
}

uint32_t console_load(struct vcpu *v, uint32_t address, uint32_t lanes)
{
    const struct vm_config *config = &vm_config[vcpu_index(v)];
    uint32_t offset = address - config->console_base;

    if (uart_is_bytes(config)) {
        return load_bytes(v, offset, lanes);
    }
    if (uart_is_lite(config)) {
        return uartlite_read(v, uart_of(v), offset / 4);
    }
    return IS_ENABLED(CONFIG_UART_16550_WORDS) ? uart_16550_read(v, uart_of(v), offset / 4) : 0;
}

/* A register of a word is its low byte: a store that does not reach it is none. */
void console_store(struct vcpu *v, uint32_t address, uint32_t value, uint32_t lanes)
{
    const struct vm_config *config = &vm_config[vcpu_index(v)];
    uint32_t offset = address - config->console_base;

    if (uart_is_bytes(config)) {
        store_bytes(v, offset, value, lanes);
    } else if ((lanes & 0xFF) == 0) {
        return;
    } else if (uart_is_lite(config)) {
        uartlite_write(v, uart_of(v), offset / 4, value & 0xFF);
    } else if (IS_ENABLED(CONFIG_UART_16550_WORDS)) {
        uart_16550_write(v, uart_of(v), offset / 4, value & 0xFF);
    }
}
