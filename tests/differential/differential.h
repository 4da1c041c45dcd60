/*
 * differential.h: what run.S and differential.c share: the machine at a trap, as words that a load reaches without a base
 * register.
 */
#ifndef DIFFERENTIAL_H
#define DIFFERENTIAL_H

#define M_GPR   0x2F00
#define M_CR    0x2F80
#define M_LR    0x2F84
#define M_CTR   0x2F88
#define M_XER   0x2F8C
#define M_SRR0  0x2F90
#define M_SRR1  0x2F94
#define M_SRR2  0x2F98
#define M_SRR3  0x2F9C
#define M_SPRG4 0x2FA0
#define M_SPRG5 0x2FA4
#define M_SPRG6 0x2FA8
#define M_SPRG7 0x2FAC
#define M_PID   0x2FB0
#define M_ESR   0x2FB4
#define M_DEAR  0x2FB8
#define M_TIME  0x2FBC /* in place of TBL, PIT and TSR: here time stands still, for either road */
#define M_PIT   0x2FC0
#define M_TSR   0x2FC4
#define M_STACK 0x2FC8

#ifndef __ASSEMBLER__
#include "vcpu.h"

struct machine {
    uint32_t gpr[32], cr, lr, ctr, xer, srr0, srr1, srr2, srr3, sprg4, sprg5, sprg6, sprg7, pid, esr, dear, time, pit, tsr;
    uint32_t stack;
};
#define MACHINE_WORDS 51U

void differential(void);
void copy_words(uint32_t *to, const uint32_t *from, uint32_t count);
struct vcpu *reflect_in_c(struct vcpu *v);
void __real_boot(void);
void landing(void);
void go_program(void), go_pit(void), go_dtlb_miss(void), go_itlb_miss(void), go_alignment(void), go_fp_unavailable(void);
void go_apu_unavailable(void), go_system_call(void);
void go_c_emulate(void), go_c_schedule(void), go_c_data_fault(void), go_c_fetch_fault(void), go_c_reflect(void);
#endif
#endif
