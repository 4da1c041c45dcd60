/*
 * mmio.h: devices that are emulated by decoding the guest's load or store (option MMIO).
 */
#ifndef PROTEUS_MMIO_H
#define PROTEUS_MMIO_H

#include <stdbool.h>
#include <stdint.h>

#include "vcpu.h"

#ifdef CONFIG_MMIO

/*
 * The guest's `insn` accessed `address` (guest-physical), where it has no memory. True: done, as a device did it, or
 * as the open bus does while MSR[ME] is 0: a load is zero, a store lost. False: nothing changed, a machine check is due.
 */
bool mmio_access(struct vcpu *v, uint32_t address, uint32_t insn);

#else

static inline bool mmio_access(struct vcpu *v, uint32_t address, uint32_t insn)
{
    (void)v, (void)address, (void)insn;
    return false;
}

#endif
#endif
