/*
 * emulate.h: what a cold instruction's routine decides.
 */
#ifndef PROTEUS_EMULATE_H
#define PROTEUS_EMULATE_H

#include <stdint.h>

#include "vcpu.h"

/* Done: the guest goes on behind the instruction. */
#define STEP 0U
/* Done: pc is where the guest goes on (return from interrupt, reset). */
#define STAY 1U
/* STEP, and nothing that the scheduler looks at has changed: no timer, no interrupt, no MSR. */
#define STEP_ON 2U
/* Anything else is the vector of the noncritical interrupt that the instruction raises. */

/* Fields of an instruction, by the manual's bit numbers. */
#define INSN_RT(insn)  ((insn) >> 21 & 31)
#define INSN_RA(insn)  ((insn) >> 16 & 31)
#define INSN_RB(insn)  ((insn) >> 11 & 31)
#define INSN_SPR(insn) (((insn) >> 16 & 31) | ((insn) >> 6 & 0x3E0)) /* SPRN and DCRN: halves swapped */

/* Act on a decision. The only place that moves a guest's pc over an instruction. */
struct vcpu *emulate_finish(struct vcpu *v, uint32_t decision);

/* Of its word in struct vcpu; not below that of `none`: it has none. */
uint32_t spr_offset(uint32_t number);

/* mfspr and mtspr in C: *value is the register's. Return a decision. */
uint32_t spr_read(struct vcpu *v, uint32_t number, uint32_t *value);
uint32_t spr_write(struct vcpu *v, uint32_t number, uint32_t value);

#endif
