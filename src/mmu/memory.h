/*
 * memory.h: a partition's memory.
 */
#ifndef PROTEUS_MEMORY_H
#define PROTEUS_MEMORY_H

#include <stdbool.h>
#include <stdint.h>

#include "vcpu.h"

/* Every partition's static TLB entries. With them in place no access inside a partition ever misses. */
void memory_init(void);

/*
 * A VM's start (lifecycle.c): clear a piece of its RAM, from v->work_at on; copy one of its images there, of segment v->work_row.
 * True: there are more.
 */
bool memory_clear(struct vcpu *v);
bool memory_load(struct vcpu *v);

/* Is the guest-physical address inside the partition's RAM? */
bool memory_contains(const struct vcpu *v, uint32_t address);

/* Are all of these bytes? */
bool memory_contains_all(const struct vcpu *v, uint32_t address, uint32_t bytes);

/* The instruction word at the guest's pc, which has been executed and so is inside its RAM. */
uint32_t memory_fetch(const struct vcpu *v);

#endif
