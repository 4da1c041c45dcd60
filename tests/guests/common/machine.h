/*
 * machine.h: what a guest without a kernel asks of the machine itself: the time, and the end of its run.
 */
#ifndef GUEST_MACHINE_H
#define GUEST_MACHINE_H

#include <stdint.h>

/* TBL: ticks of the time base, BOARD_TB_HZ in a second */
static inline uint32_t time_low(void)
{
    uint32_t value;

    __asm__ volatile("mftb %0" : "=r"(value));
    return value;
}

/* A system reset, which ends the run; in a VM, its partition says what becomes of it. */
static inline void __attribute__((noreturn)) system_reset(void)
{
    __asm__ volatile("mtspr 0x3F2, %0" ::"r"(BOARD_RESET_DBCR0));
    for (;;) {
    }
}

/* What was printed goes out before. */
static inline void __attribute__((noreturn)) end(void)
{
    board_said();
    system_reset();
}

#endif
