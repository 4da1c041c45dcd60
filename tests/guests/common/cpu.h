/*
 * cpu.h: bits and special purpose registers of the PPC405 that the sample guests use; for C and for assembler.
 *
 * The inline functions are one instruction each, so that every privileged instruction of a guest is visible as such.
 */
#ifndef GUEST_CPU_H
#define GUEST_CPU_H

#define MSR_WE 0x00040000 // wait state enable
#define MSR_CE 0x00020000 // critical interrupt enable
#define MSR_EE 0x00008000 // external (and PIT) interrupt enable
#define MSR_PR 0x00004000 // problem state
#define MSR_ME 0x00001000 // machine check enable

#define TSR_PIS 0x08000000 // PIT interrupt status, write one to clear
#define TCR_PIE 0x04000000 // PIT interrupt enable

#define ESR_PIL 0x08000000 // program interrupt: illegal instruction
#define ESR_PPR 0x04000000 // program interrupt: privileged instruction
#define ESR_PTR 0x02000000 // program interrupt: trap

#define SPR_SRR0  0x01A
#define SPR_SRR1  0x01B
#define SPR_TBL   0x11C
#define SPR_TBU   0x11D
#define SPR_ZPR   0x3B0
#define SPR_PID   0x3B1
#define SPR_CCR0  0x3B3
#define SPR_SGR   0x3B9
#define SPR_DCWR  0x3BA
#define SPR_ESR   0x3D4
#define SPR_DEAR  0x3D5
#define SPR_EVPR  0x3D6
#define SPR_TSR   0x3D8
#define SPR_TCR   0x3DA
#define SPR_PIT   0x3DB
#define SPR_SRR2  0x3DE
#define SPR_SRR3  0x3DF
#define SPR_DBCR0 0x3F2
#define SPR_DCCR  0x3FA
#define SPR_ICCR  0x3FB

#ifndef __ASSEMBLER__
#include <stdint.h>

static inline uint32_t cpu_mfmsr(void)
{
    uint32_t value;

    __asm__ volatile("mfmsr %0" : "=r"(value) : : "memory");
    return value;
}

static inline void cpu_wrteei_0(void)
{
    __asm__ volatile("wrteei 0" : : : "memory");
}

static inline void cpu_wrteei_1(void)
{
    __asm__ volatile("wrteei 1" : : : "memory");
}

static inline void cpu_mttsr(uint32_t value)
{
    __asm__ volatile("mtspr %0,%1" : : "i"(SPR_TSR), "r"(value) : "memory");
}

static inline void cpu_mttcr(uint32_t value)
{
    __asm__ volatile("mtspr %0,%1" : : "i"(SPR_TCR), "r"(value) : "memory");
}

static inline void cpu_mtpit(uint32_t value)
{
    __asm__ volatile("mtspr %0,%1" : : "i"(SPR_PIT), "r"(value) : "memory");
}

static inline uint32_t cpu_mftbl(void)
{
    uint32_t value;

    __asm__ volatile("mftb %0" : "=r"(value));
    return value;
}

static inline uint32_t cpu_mftbu(void)
{
    uint32_t value;

    __asm__ volatile("mftbu %0" : "=r"(value));
    return value;
}
#endif

#endif
