/*
 * intc.h: the interrupt controller is Xilinx' INTC: words from BOARD_INTC_BASE on, or, if BOARD_INTC_DCR is defined, DCRs
 * from that number on. Line 0 is the rightmost bit, and the first.
 */
#ifndef GUEST_INTC_H
#define GUEST_INTC_H

// Its registers in memory
#ifdef BOARD_INTC_DCR
#define BOARD_IRQ_SPAN  0
#define BOARD_IRQ_FIRST 0
#else
#define BOARD_IRQ_SPAN  0x20
#define BOARD_IRQ_FIRST BOARD_INTC_BASE
#endif

// For assembler: IER from a register, and back into one. The first may take r31, for the second
#ifdef BOARD_INTC_DCR
#define BOARD_IRQ_ENABLE(rs)  mtdcr BOARD_INTC_DCR + INTC_IER, rs
#define BOARD_IRQ_ENABLED(rt) mfdcr rt, BOARD_INTC_DCR + INTC_IER
#else
#define BOARD_IRQ_ENABLE(rs)  lis %r31, BOARD_INTC_BASE@h; ori %r31, %r31, BOARD_INTC_BASE@l; stw rs, 4 * INTC_IER(%r31)
#define BOARD_IRQ_ENABLED(rt) lwz rt, 4 * INTC_IER(%r31)
#endif

// The hypercall for a UIC is none of this board's
#define BOARD_HAS_UIC_SET 0

// Registers by number: words, or DCRs
#define INTC_ISR 0
#define INTC_IPR 1
#define INTC_IER 2
#define INTC_IAR 3
#define INTC_SIE 4
#define INTC_CIE 5
#define INTC_IVR 6
#define INTC_MER 7

#define INTC_MER_ME    0x1 // the output is on
#define INTC_MER_HIE   0x2 // inputs are seen; from now on, and no more interrupts by software
#define INTC_IVR_NONE  0xFFFFFFFF

#ifndef __ASSEMBLER__
#include <stdint.h>

#ifdef BOARD_INTC_DCR
#define intc_read(number)                                                                                         \
    ({                                                                                                            \
        uint32_t value_;                                                                                          \
        __asm__ volatile("mfdcr %0, %1" : "=r"(value_) : "i"(BOARD_INTC_DCR + (number)) : "memory");              \
        value_;                                                                                                   \
    })
#define intc_write(number, value) __asm__ volatile("mtdcr %0, %1" ::"i"(BOARD_INTC_DCR + (number)), "r"(value) : "memory")
#else
#define intc_read(number) (((volatile uint32_t *)BOARD_INTC_BASE)[number])
#define intc_write(number, value) (((volatile uint32_t *)BOARD_INTC_BASE)[number] = (value))
#endif

// Every line off, nothing pending, interrupts by software possible
static inline void board_irq_reset(void)
{
    intc_write(INTC_MER, 0);
    intc_write(INTC_IER, 0);
    intc_write(INTC_IAR, 0xFFFFFFFFu);
}

static inline void board_irq_enable(uint32_t line)
{
    intc_write(INTC_SIE, 1u << line);
    intc_write(INTC_MER, INTC_MER_ME | INTC_MER_HIE);
}

// A line that gives pulses: the controller keeps them as they are
static inline void board_irq_enable_pulse(uint32_t line)
{
    board_irq_enable(line);
}

static inline void board_irq_acknowledge(uint32_t line)
{
    intc_write(INTC_IAR, 1u << line);
}

// By software: these bits of the registers
static inline void board_irq_enable_bits(uint32_t bits)
{
    intc_write(INTC_IER, bits);
    intc_write(INTC_MER, INTC_MER_ME);
}

static inline void board_irq_raise_bits(uint32_t bits)
{
    intc_write(INTC_ISR, bits);
}
#endif

#endif
