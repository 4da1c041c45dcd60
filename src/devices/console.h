/*
 * console.h: one UART of the board, shared (option CONSOLE). Every guest sees a UART of its own, of the kind and at the address
 * that its partition names (uart.h); its output comes out line by line with the guest's name in front, input goes to the focused
 * guest.
 */
#ifndef PROTEUS_CONSOLE_H
#define PROTEUS_CONSOLE_H

#include <stdbool.h>
#include <stdint.h>

#include "vcpu.h"

#ifdef CONFIG_CONSOLE

#define UART_INPUT  16U /* bytes */
#define UART_OUTPUT 16U
#define UART_POLLS  8   /* looks at LSR in the middle of a line: it asks for input, with a prompt before */
#define UART_MODEM  0xB0U /* a 16550's modem status: carrier, ready, clear to send */

/* A guest's UART. asm/uart.S does what a driver that polls does for each byte. Second names: a UartLite's. */
struct uart {
    uint8_t handed;  /* line is complete: no more room for the guest */
    uint8_t length;  /* bytes in line */
    uint8_t sent;    /* of which the board has taken so many */
    uint8_t empty;   /* THRE interrupt is due */
    uint8_t polls;   /* looks at LSR since the last byte was written */
    union {
        uint8_t ier, enabled; /* CTRL bit 4 */
    };
    union {
        uint8_t lcr, events; /* STAT as it was: a bit that rises is an event */
    };
    union {
        uint8_t scratch, overrun;
    };
    uint8_t mcr, divisor[2];
    uint8_t first, count; /* in input */
    uint8_t fifo;    /* output is in use: FCR bit 0 */
    uint8_t waiting; /* bytes in output */
    uint8_t returned; /* the line before ended in \r: a \n belongs to it */
    uint8_t input[UART_INPUT];
    uint8_t output[UART_OUTPUT];
    uint8_t line[CONFIG_CONSOLE_LINE];
};

void console_init(void);
void console_reset(struct vcpu *v);

/* The guest has set MSR[WE]: what it has written of a line comes out. Then as schedule(). */
struct vcpu *console_wait(struct vcpu *v);

/* Is the guest-physical address one of its UART's registers? */
bool console_claims(const struct vcpu *v, uint32_t address);

/* Is it one that asm/uart.S knows? */
bool console_is_near(const struct vcpu *v, uint32_t address);

/* A register of a UART whose registers are bytes; an address that is none reads as zero and takes nothing. */
uint8_t console_read(struct vcpu *v, uint32_t address);
void console_write(struct vcpu *v, uint32_t address, uint8_t value);

/* The same on a bus of words: bus.h. */
uint32_t console_load(struct vcpu *v, uint32_t address, uint32_t lanes);
void console_store(struct vcpu *v, uint32_t address, uint32_t value, uint32_t lanes);

/* One byte from the guest, or to it; false if there is no room now, or none has come. The guest has a console. */
bool console_put(struct vcpu *v, uint8_t byte);
bool console_get(struct vcpu *v, uint8_t *byte);

/* Move what the board's UART takes and has. Never waits. */
void console_poll(void);

/*
 * Complete lines come out, and what v has written of one (a null pointer: what everyone has); the board's line has ended then.
 * Waits: for the hypervisor's own messages.
 */
void console_flush(const struct vcpu *v);

#else

static inline void console_init(void)
{
}

static inline void console_reset(struct vcpu *v)
{
    (void)v;
}

static inline bool console_claims(const struct vcpu *v, uint32_t address)
{
    (void)v, (void)address;
    return false;
}

static inline bool console_is_near(const struct vcpu *v, uint32_t address)
{
    (void)v, (void)address;
    return false;
}

static inline uint8_t console_read(struct vcpu *v, uint32_t address)
{
    (void)v, (void)address;
    return 0;
}

static inline void console_write(struct vcpu *v, uint32_t address, uint8_t value)
{
    (void)v, (void)address, (void)value;
}

static inline uint32_t console_load(struct vcpu *v, uint32_t address, uint32_t lanes)
{
    (void)v, (void)address, (void)lanes;
    return 0;
}

static inline void console_store(struct vcpu *v, uint32_t address, uint32_t value, uint32_t lanes)
{
    (void)v, (void)address, (void)value, (void)lanes;
}

static inline void console_poll(void)
{
}

static inline void console_flush(const struct vcpu *v)
{
    (void)v;
}

#endif
#endif
