/*
 * vcpu.c: what happens to a guest as a whole: interrupts, the end of every cold road, and the beginning of all.
 */
#include "vcpu.h"

#include "board.h"
#include "console.h"
#include "control.h"
#include "cpu.h"
#include "health.h"
#include "irq.h"
#include "lifecycle.h"
#include "memory.h"
#include "message.h"
#include "optimize.h"
#include "partition.h"
#include "roads.h"
#include "sched.h"
#include "stats.h"
#include "timer.h"
#include "tlb.h"
#include "trace.h"
#include "watchdog.h"

void vcpu_update_pending(struct vcpu *v)
{
    v->pending = timer_pending(v) | irq_pending(v);
    sched_interrupt(v);
}

void vcpu_noncritical(struct vcpu *v, uint32_t vector)
{
    stat_interrupt(v, vector);
    VCPU_AWAKE(v);
    optimize_roll(v);
    v->srr0 = v->pc;
    v->srr1 = v->msr;
    v->msr &= MSR_CE | MSR_ME | MSR_DE;
    v->pc = v->evpr + vector;
}

void vcpu_critical(struct vcpu *v, uint32_t vector)
{
    stat_interrupt(v, vector);
    VCPU_AWAKE(v);
    optimize_roll(v);
    v->srr2 = v->pc;
    v->srr3 = v->msr;
    if (vcpu_is_loaded(v)) {
        cpu_mtspr(SPRN_SRR2, v->srr2);
        cpu_mtspr(SPRN_SRR3, v->srr3);
    }
    v->msr &= vector == 0x0200 ? 0 : MSR_ME;
    v->pc = v->evpr + vector;
}

void vcpu_set_msr(struct vcpu *v, uint32_t value)
{
    v->msr = value & MSR_MASK;
    if (!IS_ENABLED(CONFIG_TLB_VIRT) && (value & (MSR_IR | MSR_DR)) != 0) {
        vcpu_stop(v, STOP(TRANSLATION));
    }
}

uint32_t vcpu_program(struct vcpu *v, uint32_t esr)
{
    v->esr = esr;
    return 0x0700;
}

/* Without these two nothing critical ever becomes pending. */
#define CRITICAL_SOURCES (IS_ENABLED(CONFIG_UIC) || IS_ENABLED(CONFIG_FIT_WATCHDOG))

/*
 * Which of the interrupts that the guest's MSR lets in comes first (manual, "Interrupt Priorities")? None, if only a pending word
 * says so that a guest's store to TSR has made stale: whoever comes here has looked at no more.
 */
__attribute__((noinline)) struct vcpu *vcpu_deliver(struct vcpu *v)
{
    timer_follow_page(v);
    if (CRITICAL_SOURCES && (v->pending & v->msr & MSR_CE) != 0) {
        vcpu_critical(v, (irq_pending(v) & MSR_CE) != 0 ? 0x0100 : 0x1020);
    } else if ((irq_pending(v) & MSR_EE) != 0) {
        vcpu_noncritical(v, 0x0500);
    } else if (!TSR_BY_STORE || (v->pending & MSR_EE) != 0) {
        vcpu_noncritical(v, timer_fit_first(v) ? 0x1010 : 0x1000);
    }
    tlb_enter(v);
    return v;
}

/*
 * The end of every cold road: who runs next, and when is the next look? Whatever happened to v, here its timers are accounted
 * for and its pending word is right again. If nobody can run, the machine idles in the context of the guest whose registers
 * it holds. The hottest C of all: one piece, without a call on its straight way.
 * Of the VMs that it finds to be reset or failed, one has the focus of the console: most: schedule > 2 console_poll
 */
__attribute__((flatten, optimize("O2", "no-reorder-blocks"))) struct vcpu *schedule(struct vcpu *v)
{
    uint32_t now = cpu_time();
    uint32_t left;
    struct vcpu *next;

    cpu_mtspr(SPRN_TSR, TSR_PIS | watchdog_service(now));
    if (LOW_GET(idle_pc) != NOT_IDLE) {
        v->pc = LOW_GET(idle_pc);
        LOW_SET(idle_pc, NOT_IDLE);
        LOW_SET(low_r31, LOW_GET(idle_r31));
        cpu_mtspr(SPRN_SRR1, MSR_GUEST);
    }
    if (VM_WINDOWS != 0) {
        cpu_sync(); /* nothing of v's is on the bus any more */
        bus_error_take();
    }
    tlb_check();
    health_look(now);
    control_look();
    timer_sync(v, now);
    next = sched_tick(v, now, &left);
    stat_switch(v, next, now);
    trace_switch(next, now);
    timer_program(next, now, left);
    if (next == 0) {
        LOW_SET(idle_pc, v->pc);
        v->pc = (uint32_t)(uintptr_t)idle_loop;
        LOW_SET(idle_r31, LOW_GET(low_r31));
        cpu_mtspr(SPRN_SRR1, MSR_ME);
        return v;
    }
    if ((next->pending & next->msr) != 0) {
        return vcpu_deliver(next);
    }
    tlb_enter(next);
    return next;
}

/* The machine's interrupt controller. */
struct vcpu *external(struct vcpu *v)
{
    board_interrupt();
    return schedule(v);
}

/* From start.S: the machine is in a known state, all data is zero. */
struct vcpu *boot(void)
{
    uint32_t i;

    LOW_SET(idle_pc, NOT_IDLE);
    board_init();
    memory_init();
    timer_init();
    console_init();
    for (i = 0; i < VM_COUNT; i++) {
        vcpu[i].machine_pid = i + 1;
        vcpu[i].ram_offset = vm_config[i].ram_machine - vm_config[i].ram_guest;
        lifecycle_init(&vcpu[i]);
    }
    return schedule(&vcpu[0]);
}
