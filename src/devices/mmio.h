/*
 * mmio.h: devices that are emulated by decoding the guest's load or store (option MMIO). How a device is
 * added: bus.h.
 */
#ifndef PROTEUS_MMIO_H
#define PROTEUS_MMIO_H

#include <stdbool.h>
#include <stdint.h>

#include "vcpu.h"

#ifdef CONFIG_MMIO

/*
 * The guest's `insn` accessed `address` (guest-physical; `effective` is what it computed), where it has no memory. True:
 * done, as a device did it, or as the open bus does while MSR[ME] is 0: a load is zero, a store lost. False: nothing changed,
 * a machine check is due.
 */
bool mmio_access(struct vcpu *v, uint32_t address, uint32_t insn, uint32_t effective);

#else

static inline bool mmio_access(struct vcpu *v, uint32_t address, uint32_t insn, uint32_t effective)
{
    (void)v, (void)address, (void)insn, (void)effective;
    return false;
}

#endif
#endif
