/*
 * cpu_para.h: what cpu_native.h does, by the hypercalls and register pages of a hypervisor; the names are the same.
 *
 * The header that the hypervisor gives to its guests does the work. Here is what a kernel gains by knowing it: a critical
 * section reads MSR once, clearing an expiry of the PIT costs nothing because loading it does that too, and a PID or an
 * alarm that stays the same is not written.
 */
#ifndef GUEST_CPU_PARA_H
#define GUEST_CPU_PARA_H

#include <proteus/proteus.h>

#ifdef __ASSEMBLER__
#define cpu_mfspr(rt, name) proteus_mfspr rt, name
#define cpu_mtspr(name, rs) proteus_mtspr name, rs
#define cpu_mtpid(rs, t)    para_mtpid rs, t
#define cpu_mtmsr(rs, t)    proteus_mtmsr rs, t
#define cpu_wrteei_0(t)     proteus_wrteei_0 t

#define cpu_rfi proteus_rfi

// The call enables interrupts, too
#define cpu_idle_begin(t)
#define cpu_idle(t) proteus_wait

        // If it must be written, not by a store into the page: the VM may have a virtual TLB. Clobbers CR0.
        .macro  para_mtpid rs, t
        proteus_mfspr \t, pid
        cmplw   \t, \rs
        beq     .Lsame_pid\@
        mtpid   \rs
.Lsame_pid\@:
        .endm

#else
static inline uint32_t cpu_critical_enter(void)
{
    return proteus_critical_enter();
}

static inline void cpu_critical_leave(uint32_t msr)
{
    proteus_critical_leave(msr);
}

// TBL when the PIT expires; 0 if that is not known. Of the one file that programs the timer
static uint32_t para_alarm;

// Interrupts stay disabled until cpu_pit_load(), which clears it
static inline void cpu_pit_acknowledge(void)
{
    para_alarm = 0;
}

// Not even that: an expiry of the alarm that is set anyhow is wanted
static inline void cpu_pit_discard(void)
{
}

static inline void cpu_pit_load(uint32_t ticks, uint32_t when)
{
    if (when == 0 || when != para_alarm) {
        proteus_timer(ticks);
        para_alarm = when;
    }
}
#endif

#endif
