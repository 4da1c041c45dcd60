/*
 * simple.h: what simple.S and the guest that it starts share.
 */
#ifndef GUEST_SIMPLE_H
#define GUEST_SIMPLE_H

#define MSR_WE 0x40000
#define MSR_EE 0x8000
#define MSR_ME 0x1000

#ifndef __ASSEMBLER__
#include <stdint.h>

/* Called by simple.S. r3 and r4 are as the machine started with them. */
void simple_main(uint32_t r3, uint32_t r4);
void simple_interrupt(void);               /* external interrupt; EE is off */
void simple_unexpected(uint32_t vector) __attribute__((noreturn));

/* Sleeps until simple_interrupt() has changed the counter from what it was before; leaves with EE on. */
static inline void simple_wait(const volatile uint32_t *counter, uint32_t before)
{
    uint32_t msr;

    __asm__ volatile("wrteei 0" : : : "memory");
    __asm__ volatile("mfmsr %0" : "=r"(msr));
    while (*counter == before) {
        __asm__ volatile("mtmsr %0; isync; mtmsr %1; isync" ::"r"(msr | MSR_WE | MSR_EE), "r"(msr) : "memory");
    }
    __asm__ volatile("wrteei 1" : : : "memory");
}
#endif
#endif
