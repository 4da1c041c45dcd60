/*
 * uic.h: the interrupt controller is the UIC of the PPC405EP, at DCRs from 0x0C0. Line 0 is the leftmost bit.
 */
#ifndef GUEST_UIC_H
#define GUEST_UIC_H

// Its registers in memory: none
#define BOARD_IRQ_SPAN 0
#define BOARD_IRQ_FIRST 0

// For assembler: ER from a register, and back into one
#define BOARD_IRQ_ENABLE(rs)  mtdcr 0x0C2, rs
#define BOARD_IRQ_ENABLED(rt) mfdcr rt, 0x0C2

// There is a hypercall for it
#define BOARD_HAS_UIC_SET 1

#ifndef __ASSEMBLER__
#include <stdint.h>

#define UIC_SR  0x0C0
#define UIC_SRS 0x0C1
#define UIC_ER  0x0C2
#define UIC_CR  0x0C3
#define UIC_PR  0x0C4
#define UIC_TR  0x0C5
#define UIC_VCR 0x0C8

#define uic_read(number)                                                                                          \
    ({                                                                                                            \
        uint32_t value_;                                                                                          \
        __asm__ volatile("mfdcr %0, %1" : "=r"(value_) : "i"(number) : "memory");                                 \
        value_;                                                                                                   \
    })
#define uic_write(number, value) __asm__ volatile("mtdcr %0, %1" ::"i"(number), "r"(value) : "memory")

// Every line off and nothing pending; all of them levels, active high, not critical
static inline void board_irq_reset(void)
{
    uic_write(UIC_ER, 0);
    uic_write(UIC_CR, 0);
    uic_write(UIC_PR, 0xFFFFFFFFu);
    uic_write(UIC_TR, 0);
    uic_write(UIC_VCR, 0);
    uic_write(UIC_SR, 0xFFFFFFFFu);
}

static inline void board_irq_enable(uint32_t line)
{
    uic_write(UIC_ER, uic_read(UIC_ER) | 0x80000000u >> line);
}

// A line that gives pulses: an edge is kept
static inline void board_irq_enable_pulse(uint32_t line)
{
    uic_write(UIC_TR, uic_read(UIC_TR) | 0x80000000u >> line);
    board_irq_enable(line);
}

static inline void board_irq_acknowledge(uint32_t line)
{
    uic_write(UIC_SR, 0x80000000u >> line);
}

// By software: these bits of the registers
static inline void board_irq_enable_bits(uint32_t bits)
{
    uic_write(UIC_ER, bits);
}

static inline void board_irq_raise_bits(uint32_t bits)
{
    uic_write(UIC_SRS, bits);
}
#endif

#endif
