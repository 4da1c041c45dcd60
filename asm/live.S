/*
 * live.S: registers of the running guest that are in the machine itself, because user mode (SPRG4-7, USPRG0), or QEMU's
 * user mode (SRR2, SRR3), reads or writes them without a trap. The hypervisor uses none of them.
 */
#include "offsets.h"
#include "asm.h"
#include "live.h"

/* The same for C. In: r3 = struct vcpu *. Clobbers: r0, r4-r6, CR0 */
func vcpu_save_live
    save_live r3
    blr
endfunc vcpu_save_live

func vcpu_load_live
    load_live r3
    blr
endfunc vcpu_load_live
