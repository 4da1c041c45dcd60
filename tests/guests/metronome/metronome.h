/*
 * metronome.h: what metronome.c and start.S share.
 */
#ifndef GUEST_METRONOME_H
#define GUEST_METRONOME_H

#define MSR_WE 0x40000
#define MSR_EE 0x8000
#define MSR_ME 0x1000

#ifndef __ASSEMBLER__
#include <stdint.h>

void metronome_main(void);

/* Wait for the PIT's interrupt; TBL as its handler's first instruction read it. */
uint32_t wait_tick(void);
void wait_for_ever(void) __attribute__((noreturn));
#endif
#endif
