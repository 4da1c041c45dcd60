/*
 * forward.h: registers of the board's devices that share a page with others, a VM's (option FORWARD).
 */
#ifndef PROTEUS_FORWARD_H
#define PROTEUS_FORWARD_H

#include <stdbool.h>
#include <stdint.h>

#include "vcpu.h"

#ifdef CONFIG_FORWARD

/* Are all `size` bytes from this guest-physical address on its registers, of one device? */
bool forward_claims(const struct vcpu *v, uint32_t address, uint32_t size);

/* Is the address in a page (MMIO_PAGE) where a device of its begins? */
bool forward_is_near(const struct vcpu *v, uint32_t address);

/* One access to the machine's own register; `size` is 1, 2 or 4. */
uint32_t forward_load(uint32_t address, uint32_t size);
void forward_store(uint32_t address, uint32_t size, uint32_t value);

#else

static inline bool forward_claims(const struct vcpu *v, uint32_t address, uint32_t size)
{
    (void)v, (void)address, (void)size;
    return false;
}

static inline bool forward_is_near(const struct vcpu *v, uint32_t address)
{
    (void)v, (void)address;
    return false;
}

static inline uint32_t forward_load(uint32_t address, uint32_t size)
{
    (void)address, (void)size;
    return 0;
}

static inline void forward_store(uint32_t address, uint32_t size, uint32_t value)
{
    (void)address, (void)size, (void)value;
}

#endif
#endif
