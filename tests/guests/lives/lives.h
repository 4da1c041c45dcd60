/*
 * lives.h: what lives.c and start.S share.
 */
#ifndef GUEST_LIVES_H
#define GUEST_LIVES_H

#define MSR_WE 0x40000
#define MSR_EE 0x8000
#define MSR_ME 0x1000

/* At this address: the registers as the machine started with them, GPRs first. */
#define START     0x2100
#define START_CR  0x80
#define START_LR  0x84
#define START_CTR 0x88
#define START_XER 0x8C
#define START_MSR 0x90
#define START_EVPR 0x94

#define WOKEN 0x2200 /* a word that the timer's handler sets */
#define TEXT  0x2210 /* the code; behind the image and up to the end of the VM's memory all is zero at its start */

#ifndef __ASSEMBLER__
#include <stdint.h>

struct start {
    uint32_t gpr[32];
    uint32_t cr, lr, ctr, xer, msr, evpr;
};

void lives_main(const struct start *start);
void lives_unexpected(uint32_t vector) __attribute__((noreturn));
#endif
#endif
