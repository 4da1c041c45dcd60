/*
 * cpu.h: bits and special purpose registers of the PPC405 that the sample guests use; for C and for assembler.
 *
 * What a kernel does often has two forms behind the same names: cpu_native.h has the privileged instruction, cpu_para.h
 * (with -DPARAVIRT) what a hypervisor offers in its place. What it does seldom is a privileged instruction in both.
 * An inline function is one instruction, so that every privileged instruction of a guest is visible as such.
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

static inline void cpu_mttcr(uint32_t value)
{
    __asm__ volatile("mtspr %0,%1" : : "i"(SPR_TCR), "r"(value) : "memory");
}

static inline uint32_t cpu_mfpit(void)
{
    uint32_t value;

    __asm__ volatile("mfspr %0,%1" : "=r"(value) : "i"(SPR_PIT));
    return value;
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

#ifdef PARAVIRT
#include "common/cpu_para.h"
#else
#include "common/cpu_native.h"
#endif

#endif
