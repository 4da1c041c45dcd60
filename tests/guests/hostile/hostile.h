/*
 * hostile.h: the layout that start.S and hostile.c share.
 *
 * 0x00000  prey: what random stores hit most, with the 128 bytes at SAVE, where the vectors leave the registers
 * 0x40000  vectors, code, constants, data, stack up to 0x60000
 * 0x50000  a second set of vectors
 * 0x80000  prey; the instruction buffer at 0xC0000
 */
#ifndef HOSTILE_H
#define HOSTILE_H

#define SAVE        0x7F00
#define BASE        0x40000
#define OTHER_BASE  0x50000
#define STACK_TOP   0x60000
#define BUFFER      0xC0000
#define RAM_SIZE    0x100000

/*
 * More exceptions than 40 actions can have: the longest has 210. The watchdog's takes as long as many others (0.8 ms, of
 * which two to an action).
 */
#define PATIENCE        16384
#define VECTOR_WATCHDOG 0x1020
#define WATCHDOG_WEIGHT 64

#define MSR_WE 0x40000
#define MSR_CE 0x20000
#define MSR_EE 0x8000
#define MSR_PR 0x4000
#define MSR_ME 0x1000

#ifndef __ASSEMBLER__
#include <stdint.h>

struct machine {
    uint32_t gpr[32];
    uint32_t cr, xer, lr, ctr;
};

/* Load the registers and go to `pc` with MSR `msr`; comes back as hostile_next(), called by a vector. */
void launch(const struct machine *m, uint32_t pc, uint32_t msr) __attribute__((noreturn));

/* What stays as it was loaded. */
extern const uint32_t __low_start[], __low_end[], __high_start[], __high_end[];

void hostile_boot(void) __attribute__((noreturn));
void hostile_next(uint32_t vector) __attribute__((noreturn));
#endif
#endif
