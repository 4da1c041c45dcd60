/*
 * context.h: where a context keeps each register, and the kernel's words in low memory; for C and for assembler.
 *
 * sched.c asserts that struct context agrees with these offsets.
 */
#ifndef RTOS_CONTEXT_H
#define RTOS_CONTEXT_H

#define CTX_GPR  0 // 32 words
#define CTX_CR   128
#define CTX_LR   132
#define CTX_CTR  136
#define CTX_XER  140
#define CTX_SRR0 144
#define CTX_SRR1 148
#define CTX_PID  152
#define CTX_SIZE 156

// Low memory is reached without a base register, so an interrupt needs no scratch special purpose register
#define LOW_CURRENT 0x40 // context to save into
#define LOW_R1      0x44 // the interrupted r1, until the context holds it

#ifndef __ASSEMBLER__
#include <stdint.h>

struct context {
    uint32_t gpr[32];
    uint32_t cr, lr, ctr, xer;
    uint32_t srr0, srr1, pid;
};
#endif

#endif
