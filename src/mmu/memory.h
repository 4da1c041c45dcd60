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

/* Into the machine's TLB goes this row of tlb_rows, valid or not. PID is its TID then. */
void memory_map(uint32_t row, bool valid);

/*
 * Rows from TLB_FIXED_ROWS on come and go with tunnels (option IPCM; ipcm/tunnel.c): no context of their VM reaches the memory of
 * those that are not there.
 */
#ifdef CONFIG_IPCM
bool memory_has_row(uint32_t row);
#else
#define memory_has_row(row) true
#endif

/* Zero, and out of the cache, from a machine address on: whole lines, MEMORY_PIECE bytes at most at a time. */
void memory_zero(uint32_t line, uint32_t bytes);

/* Bytes of a piece: what is done with interrupts off. A line is 6 instructions, and on the chip two transfers. */
#define MEMORY_PIECE (128U * CACHE_LINE)

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
