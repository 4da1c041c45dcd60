/*
 * lifecycle.h: a VM's start, restart and stop, as work that the hypervisor does for it in its own slices.
 */
#ifndef PROTEUS_LIFECYCLE_H
#define PROTEUS_LIFECYCLE_H

#include "vcpu.h"

/* A new life, as after a reset (vcpu_reset_request()), whatever its partition says. */
void lifecycle_restart(struct vcpu *v, uint32_t cause, uint32_t tsr);

/* The same for one that may have stopped. */
void lifecycle_start(struct vcpu *v);

/* By its supervisor, who knows: nothing is said. */
void lifecycle_stop(struct vcpu *v);

/* Nobody is left who could be disturbed, or must not be: all that is to be said, and the board's reset. */
void lifecycle_end(void) __attribute__((noreturn));

/* At boot: to be started as after a system reset, or stopped, as its partition says. */
void lifecycle_init(struct vcpu *v);

#endif
