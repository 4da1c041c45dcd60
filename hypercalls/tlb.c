/*
 * tlb.c: hypercalls of option TLB_CALLS: virtual TLB entries as a whole, one or many, for a guest that would need two tlbwe
 * and two writes to PID for each.
 */
#include "tlb.h"

#include "hypercall.h"
#include "memory.h"

#define ROW_BYTES 16U /* index, hi, lo, tid */
#define ROWS      2U  /* written at a time: interrupts are off meanwhile */

static bool is_entry(uint32_t index, uint32_t tid)
{
    return index < TLB_ENTRIES && tid < 256;
}

/* A write to the high word takes TID from PID. */
static void write_entry(struct vcpu *v, uint32_t index, uint32_t hi, uint32_t lo, uint32_t tid)
{
    uint32_t pid = v->pid;

    v->pid = tid;
    tlb_write(v, index, 1, lo);
    tlb_write(v, index, 0, hi);
    v->pid = pid;
}

uint32_t hcall_tlb_write(struct vcpu *v)
{
    if (!is_entry(ARG(v, 0), ARG(v, 3))) {
        return (uint32_t)HCALL_E_ARGUMENT;
    }
    write_entry(v, ARG(v, 0), ARG(v, 1), ARG(v, 2), ARG(v, 3));
    return 0;
}

/*
 * A few rows, and the sc once more with the rest of the table, so that interrupts are let in. The table is in the guest's own
 * memory: what was checked is what is written, unless its interrupt handlers change it.
 */
uint32_t hcall_tlb_batch(struct vcpu *v)
{
    uint32_t table = ARG(v, 0);
    uint32_t count = ARG(v, 1);
    uint32_t now = count < ROWS ? count : ROWS;
    uint32_t row;

    if (count > TLB_ENTRIES) {
        return (uint32_t)HCALL_E_ARGUMENT;
    }
    if (table % 4 != 0 || !memory_contains_all(v, table, count * ROW_BYTES)) {
        return (uint32_t)HCALL_E_POINTER;
    }
    table += v->ram_offset;
    for (row = table; row != table + count * ROW_BYTES; row += ROW_BYTES) { /* loop: TLB_ENTRIES */
        if (!is_entry(cpu_read32(row), cpu_read32(row + 12))) {
            return (uint32_t)HCALL_E_ARGUMENT;
        }
    }
    for (row = table; row != table + now * ROW_BYTES; row += ROW_BYTES) { /* loop: ROWS */
        write_entry(v, cpu_read32(row), cpu_read32(row + 4), cpu_read32(row + 8), cpu_read32(row + 12));
    }
    if (now == count) {
        return 0;
    }
    ARG(v, 1) = count - now;
    v->pc -= 4;
    return row - v->ram_offset;
}
