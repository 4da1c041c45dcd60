/*
 * hypercall.h: the hypercalls in C, one function hcall_<name>() for each row of hypercalls.def that is COLD.
 */
#ifndef PROTEUS_HYPERCALL_H
#define PROTEUS_HYPERCALL_H

#include <stdint.h>

#include "abi.h"
#include "vcpu.h"

enum {
#define HCALL(name, number, road, args, results, errors, option, text) HCALL_##name = number,
#include "hypercalls.def"
#undef HCALL
};

/* Arguments and results: n = 0 is r3. */
#define ARG(v, n) ((v)->gpr[3 + (n)])

/*
 * The instruction at pc, which has come to C by the road of a privileged instruction, is an sc: a call in the assembler whose
 * case is rare. (It moves pc back to the sc. No other sc comes to C.) The guest shall do it by the instruction.
 */
#define INSN_SC 0x44000002U
#define hypercall_is_rare(insn) (IS_ENABLED(CONFIG_PARAVIRT) && (insn) == INSN_SC)

/* hypercalls.def: each returns what r3 becomes. pc is behind the sc. */
uint32_t hcall_tlb_write(struct vcpu *v);
uint32_t hcall_tlb_batch(struct vcpu *v);
uint32_t hcall_yield(struct vcpu *v);
uint32_t hcall_sleep_until(struct vcpu *v);
uint32_t hcall_sched_get(struct vcpu *v);
uint32_t hcall_sched_set(struct vcpu *v);
uint32_t hcall_vm_info(struct vcpu *v);
uint32_t hcall_vm_stat(struct vcpu *v);
uint32_t hcall_console_write(struct vcpu *v);
uint32_t hcall_console_read(struct vcpu *v);
uint32_t hcall_vm_control(struct vcpu *v);
uint32_t hcall_vm_query(struct vcpu *v);
uint32_t hcall_vm_failure(struct vcpu *v);
uint32_t hcall_ipcm_connect(struct vcpu *v);
uint32_t hcall_ipcm_accept(struct vcpu *v);
uint32_t hcall_ipcm_close(struct vcpu *v);
uint32_t hcall_ipcm_status(struct vcpu *v);
uint32_t hcall_ipcm_notify(struct vcpu *v);

#endif
