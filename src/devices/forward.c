/*
 * forward.c: see forward.h. A page of its own reaches a guest by the TLB; of one that is shared, the hypervisor does every
 * access of the guest: one load or store, of the same width at the same address. What a device's registers do is the device's.
 *
 * It is the guest's access, not the hypervisor's: if nobody answers, the machine check is the guest's. So it is
 * between two sync, which wait for it, and there is no eieio, by which asm/vectors.S knows the hypervisor's own.
 */
#include "forward.h"

#include "cpu.h"
#include "mmio.h"
#include "partition.h"

bool forward_claims(const struct vcpu *v, uint32_t address, uint32_t size)
{
    const struct vm_config *config = &vm_config[vcpu_index(v)];
    uint32_t i;

    for (i = 0; i < config->forward_count; i++) { /* loop: most.forward + 1 */
        uint32_t offset = address - config->forward[i].base;

        if (offset < config->forward[i].size && size <= config->forward[i].size - offset) {
            return true;
        }
    }
    return false;
}

bool forward_is_near(const struct vcpu *v, uint32_t address)
{
    const struct vm_config *config = &vm_config[vcpu_index(v)];
    uint32_t i;

    for (i = 0; i < config->forward_count && !MMIO_IS_NEAR(config->forward[i].base, address); i++) { /* loop: most.forward + 1 */
    }
    return i != config->forward_count;
}

uint32_t forward_load(uint32_t address, uint32_t size)
{
    uint32_t value;

    cpu_sync();
    value = cpu_bus_load(address, size);
    cpu_sync();
    return value;
}

void forward_store(uint32_t address, uint32_t size, uint32_t value)
{
    cpu_sync();
    cpu_bus_store(address, size, value);
    cpu_sync();
}
