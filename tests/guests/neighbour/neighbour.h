/*
 * neighbour.h: the layout that start.S and neighbour.c share. What the PIT's vector stores to lies below 0x8000, so that
 * it can save every register without using one.
 */
#ifndef NEIGHBOUR_H
#define NEIGHBOUR_H

#define WATCH_IN   0x2200 /* 32 GPRs, CR, XER, LR, CTR: what watch() loads */
#define WATCH_OUT  0x2300 /* the same as the PIT interrupt found them, then SRR0, SRR1, vector */
#define WATCH_SAVE 0x2400 /* the caller's r1-r31, CR, LR */

#define WATCH_CR     0x80
#define WATCH_XER    0x84
#define WATCH_LR     0x88
#define WATCH_CTR    0x8C
#define WATCH_SRR0   0x90
#define WATCH_SRR1   0x94
#define WATCH_VECTOR 0x98

#define MSR_WE 0x40000
#define MSR_EE 0x8000
#define MSR_PR 0x4000
#define MSR_ME 0x1000

#ifndef __ASSEMBLER__
#include <stdint.h>

struct watch {
    uint32_t gpr[32];
    uint32_t cr, xer, lr, ctr;
    uint32_t srr0, srr1, vector;
};

/* Enter `pc` with MSR `msr` and the registers of WATCH_IN; back when an interrupt has come, with all of WATCH_OUT. */
void watch(uint32_t pc, uint32_t msr);

extern const char spin[], spin_end[], idle[], idle_end[];

void neighbour_main(void);
#endif
#endif
