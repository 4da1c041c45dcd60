/*
 * bus.h: the emulated devices of a guest. Its bus has 32 bits, big-endian, as the chip's (option MMIO_WORDS); or 8, where
 * the only device is a 16550 with a register in each byte.
 *
 * A device is three functions, and a line in each of the three of bus.c; for a device `intc`:
 *
 *   bool intc_claims(const struct vcpu *v, uint32_t address);
 *       Is the word at this guest-physical address one of its registers?
 *   uint32_t intc_load(struct vcpu *v, uint32_t address, uint32_t lanes);
 *   void intc_store(struct vcpu *v, uint32_t address, uint32_t value, uint32_t lanes);
 *       `address` is a multiple of 4. `lanes` has ones where the access has its bytes: 0xFFFFFFFF is a word, 0x000000FF the
 *       byte at address + 3. Of what a load returns, only these count; a store's value is zero beside them.
 *
 * An access is one call, and so one side effect. Only if it crosses the border of a word it is two, the lower address
 * first: the 405 splits it so on its way to memory that is not cached (manual, "Alignment of operands").
 */
#ifndef PROTEUS_BUS_H
#define PROTEUS_BUS_H

#include <stdbool.h>
#include <stdint.h>

#include "console.h"
#include "vcpu.h"

/* What an access moves within one word: begun by its first byte, ended by its last, or by the word's. */
struct beat {
    uint32_t word, lanes;
};

#ifdef CONFIG_MMIO_WORDS

bool bus_claims(const struct vcpu *v, uint32_t address);

/* The next byte of an access, by ascending address; `left` bytes of it are still to be moved, this one included. */
uint8_t bus_load(struct vcpu *v, struct beat *beat, uint32_t address, uint32_t left);
void bus_store(struct vcpu *v, struct beat *beat, uint32_t address, uint32_t left, uint8_t byte);

#else

static inline bool bus_claims(const struct vcpu *v, uint32_t address)
{
    return console_claims(v, address);
}

static inline uint8_t bus_load(struct vcpu *v, struct beat *beat, uint32_t address, uint32_t left)
{
    (void)beat, (void)left;
    return console_read(v, address);
}

static inline void bus_store(struct vcpu *v, struct beat *beat, uint32_t address, uint32_t left, uint8_t byte)
{
    (void)beat, (void)left;
    console_write(v, address, byte);
}

#endif
#endif
