/*
 * echo.h: what start.S and echo.c share.
 */
#ifndef ECHO_H
#define ECHO_H

#define MSR_WE 0x40000
#define MSR_EE 0x8000
#define MSR_ME 0x1000

#ifndef __ASSEMBLER__
#include <stdint.h>

/* Called by start.S. `number` and `by_interrupt` are r3 and r4 as the machine started with them. */
void echo_main(uint32_t number, uint32_t by_interrupt);
void echo_interrupt(void);                 /* external interrupt; EE is off */
void echo_unexpected(uint32_t vector) __attribute__((noreturn));
#endif
#endif
