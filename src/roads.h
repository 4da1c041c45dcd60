/*
 * roads.h: C functions that the assembler calls. Each is the end of a cold road: it gets the guest that was interrupted,
 * and returns the one that runs next.
 */
#ifndef PROTEUS_ROADS_H
#define PROTEUS_ROADS_H

#include "vcpu.h"

/* From reset (start.S): everything is set up; who runs first? */
struct vcpu *boot(void);

/* Light roads: what C leaves alone is in the machine. schedule() of vcpu.h: the machine's PIT, or MSR[WE] was set. */
ROAD struct vcpu *external(struct vcpu *v);     /* the machine's interrupt controller */
ROAD struct vcpu *vcpu_deliver(struct vcpu *v); /* MSR lets in what is pending */

ROAD struct vcpu *tlb_checked(struct vcpu *v); /* asm/refill.S has made an entry, option TLB_CHECK */

/* MSR or PID are new; the guest goes on, with an interrupt if it lets one in. */
ROAD struct vcpu *tlb_find_context(struct vcpu *v);

ROAD struct vcpu *hypercall(struct vcpu *v);    /* a hypercall that the assembler does not do itself */

/* Full roads: all of the guest's registers are in the register file. */
ROAD struct vcpu *emulate(struct vcpu *v);
ROAD struct vcpu *optimize(struct vcpu *v); /* one trap of some that could be spared: vm/optimize.h */
ROAD struct vcpu *data_fault(struct vcpu *v);
ROAD struct vcpu *fetch_fault(struct vcpu *v);
ROAD struct vcpu *machine_check(struct vcpu *v);
ROAD struct vcpu *unexpected(struct vcpu *v);

ROAD struct vcpu *work(struct vcpu *v); /* a piece of what the hypervisor does for the VM itself (lifecycle.c) */

/* Where the machine waits (cold.S). work_loop(), where a VM is while there is work for it: vcpu.h. */
void idle_loop(void);

#endif
