/*
 * cpu_native.h: the privileged instructions of a sample guest's kernel. Included by cpu.h, which says why; cpu_para.h has
 * the same names. `t` is a register that may be overwritten; here it never is, but in cpu_idle.
 */
#ifndef GUEST_CPU_NATIVE_H
#define GUEST_CPU_NATIVE_H

#ifdef __ASSEMBLER__
// name in lower case: srr0, ...
#define cpu_mfspr(rt, name) mf##name rt
#define cpu_mtspr(name, rs) mt##name rs
#define cpu_mtpid(rs, t)    mtpid rs
#define cpu_mtmsr(rs, t)    mtmsr rs
#define cpu_wrteei_0(t)     wrteei 0

// Back to a task: r0 and r1 are its own already
#define cpu_rfi rfi

// Wait with interrupts enabled: begin once, then idle again and again
#define cpu_idle_begin(t) wrteei 1
#define cpu_idle(t)       mfmsr t; oris t, t, MSR_WE@h; mtmsr t; isync

#else
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

// A critical section that nests: what it returns tells whether the caller had interrupts enabled
static inline uint32_t cpu_critical_enter(void)
{
    uint32_t msr = cpu_mfmsr();

    cpu_wrteei_0();
    return msr;
}

static inline void cpu_critical_leave(uint32_t msr)
{
    if ((msr & MSR_EE) != 0) {
        cpu_wrteei_1();
    }
}

// The PIT has expired, and its interrupt was taken
static inline void cpu_pit_acknowledge(void)
{
    __asm__ volatile("mtspr %0,%1" : : "i"(SPR_TSR), "r"(TSR_PIS) : "memory");
}

// The PIT will be loaded: if it expires before, that is not wanted any more
static inline void cpu_pit_discard(void)
{
    __asm__ volatile("mtspr %0,%1" : : "i"(SPR_TSR), "r"(TSR_PIS) : "memory");
}

// The PIT expires after so many ticks, when TBL will be `when`; never, if ticks is 0. Interrupts are disabled.
static inline void cpu_pit_load(uint32_t ticks, uint32_t when)
{
    (void)when;
    __asm__ volatile("mtspr %0,%1" : : "i"(SPR_PIT), "r"(ticks) : "memory");
}
#endif

#endif
