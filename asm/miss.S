/*
 * miss.S: a TLB miss of the machine. Without option TLB_VIRT it is an access outside the partition: a device, or nothing.
 */
#include "offsets.h"
#include "asm.h"
#include "hooks.h"

/*
 * data_miss: looks for the console's UART, then for the guest's own entry.
 * In:   rVCPU, rCR; guest's r28-r30 in its register file, r31 in low_r31; DEAR, ESR
 * Out:  to uart_access, refill, or C (data_fault)
 */
func data_miss
    uart_near uart_access
    .globl data_miss_other
data_miss_other:
    refill_data
    .globl data_cold
data_cold:
    mtcr    rCR
    lwz     r28, GPR(28)(rVCPU)
    lwz     r29, GPR(29)(rVCPU)
    lwz     r30, GPR(30)(rVCPU)
    stw     r3, GPR(3)(rVCPU)
    li      r3, data_fault@l
    b       cold_full
endfunc data_miss
