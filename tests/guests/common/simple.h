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

/* With SIMPLE_TIMER simple_interrupt() is called in so many ticks as well, once; 0: it is not. */
static inline void simple_timer(uint32_t ticks)
{
    __asm__ volatile("mtspr 0x3D8, %0" ::"r"(0x08000000)); /* TSR[PIS] */
    __asm__ volatile("mtspr 0x3DB, %0" ::"r"(ticks));      /* PIT */
    __asm__ volatile("mtspr 0x3DA, %0" ::"r"(ticks != 0 ? 0x04000000 : 0)); /* TCR[PIE] */
}

/* By simple_interrupt(), whatever it was called for. */
static inline void simple_timer_seen(void)
{
    __asm__ volatile("mtspr 0x3D8, %0" ::"r"(0x08000000));
}
#endif
#endif
