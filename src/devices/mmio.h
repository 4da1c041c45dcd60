/*
 * mmio.h: devices that are emulated by decoding the guest's load or store (option MMIO). How a device is
 * added: bus.h.
 */
#ifndef PROTEUS_MMIO_H
#define PROTEUS_MMIO_H

#include <stdbool.h>
#include <stdint.h>

#include "vcpu.h"

/* What a board decodes as one: a guest's emulated registers stand for all that its board has there. */
#define MMIO_PAGE 4096
#define MMIO_IS_NEAR(base, address) (((base) ^ (address)) < MMIO_PAGE)

enum mmio {
    MMIO_NONE,  /* nobody has answered, nothing changed: a machine check is due */
    MMIO_OPEN,  /* nobody has, and it is over as on an open bus: a load is zero, a store lost */
    MMIO_DONE   /* a device has */
};

#ifdef CONFIG_MMIO

/*
 * The guest's `insn` accessed `address` (guest-physical; `effective` is what it computed), where it has no memory. The bus
 * is open while MSR[ME] is 0; and around its emulated registers, for what a kernel for its board touches there, too
 * (option ABSENT, `absent` of the partition file).
 */
enum mmio mmio_access(struct vcpu *v, uint32_t address, uint32_t insn, uint32_t effective);

#else

static inline enum mmio mmio_access(struct vcpu *v, uint32_t address, uint32_t insn, uint32_t effective)
{
    (void)v, (void)address, (void)insn, (void)effective;
    return MMIO_NONE;
}

#endif
#endif
