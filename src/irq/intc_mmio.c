/*
 * intc_mmio.c: the guest's INTC as a device in memory (option INTC_MMIO; bus.h), at vm_config.intc_base.
 */
#include "bus.h"
#include "irq.h"
#include "partition.h"

bool intc_claims(const struct vcpu *v, uint32_t address)
{
    return address - vm_config[vcpu_index(v)].intc_base < INTC_SIZE;
}

uint32_t intc_load(struct vcpu *v, uint32_t address, uint32_t lanes)
{
    (void)lanes; /* reading has no effect */
    return irq_read(v, (address - vm_config[vcpu_index(v)].intc_base) / 4);
}

/* Its registers are words: a part of one is not written. */
void intc_store(struct vcpu *v, uint32_t address, uint32_t value, uint32_t lanes)
{
    if (lanes == 0xFFFFFFFF) {
        irq_write(v, (address - vm_config[vcpu_index(v)].intc_base) / 4, value);
    }
}
