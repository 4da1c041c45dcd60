/*
 * entry.S: the ways into the kernel and out of it.
 *
 * In: PIT interrupt, system call, faults; each saves the whole context of what ran. Out: a task by rfi, or idling.
 * The kernel runs with EE = 0 on one stack and is never interrupted; only the idle loop enables interrupts, and what
 * the idle loop was doing is never resumed.
 */
#include "common/cpu.h"
#include "rtos/context.h"

        .section .rodata.vectors, "a"
        .balign 4
        .globl  guest_vectors
guest_vectors:
        .long   0x0300, fault_0x0300
        .long   0x0400, fault_0x0400
        .long   0x0600, fault_0x0600
        .long   0x0700, fault_0x0700
        .long   0x0800, fault_0x0800
        .long   0x0C00, syscall_entry
        .long   0x0F20, fault_0x0F20
        .long   0x1000, pit_entry
        .long   0x1100, fault_0x1100
        .long   0x1200, fault_0x1200
        .long   0

        .text
/*
 * context_save: In: an exception's state, LOW_CURRENT. Out: r3 = the context, complete; r1 = kernel stack.
 */
        .macro  context_save
        stw     r1, LOW_R1(0)
        lwz     r1, LOW_CURRENT(0)
        stw     r0, CTX_GPR(r1)
        stmw    r2, CTX_GPR + 8(r1)
        mr      r3, r1
        lwz     r0, LOW_R1(0)
        stw     r0, CTX_GPR + 4(r3)
        mfcr    r4
        mflr    r5
        mfctr   r6
        mfxer   r7
        stw     r4, CTX_CR(r3)
        stw     r5, CTX_LR(r3)
        stw     r6, CTX_CTR(r3)
        stw     r7, CTX_XER(r3)
        cpu_mfspr(r4, srr0)
        cpu_mfspr(r5, srr1)
        cpu_mfspr(r6, pid)
        stw     r4, CTX_SRR0(r3)
        stw     r5, CTX_SRR1(r3)
        stw     r6, CTX_PID(r3)
        lis     r1, __stack_top - 16@ha
        addi    r1, r1, __stack_top - 16@l
        .endm

pit_entry:
        context_save
        bl      kernel_pit
        b       kernel_leave

syscall_entry:
        context_save
        bl      kernel_syscall
        b       kernel_leave

        .macro  fault offset
fault_\offset:
        context_save
        li      r4, \offset
        b       fault_common
        .endm

        fault   0x0300
        fault   0x0400
        fault   0x0600
        fault   0x0700
        fault   0x0800
        fault   0x0F20
        fault   0x1100
        fault   0x1200
fault_common:
        cpu_mfspr(r5, esr)
        cpu_mfspr(r6, dear)
        bl      kernel_fault
        b       kernel_leave

/*
 * kernel_leave: the only way out of the kernel. In: r1 = kernel stack.
 */
        .globl  kernel_leave
kernel_leave:
        bl      sched_pick
        cmpwi   r3, 0
        beq     kernel_idle
        stw     r3, LOW_CURRENT(0)
        cpu_wrteei_0(r4)                // SRR0 and SRR1 are ours until rfi
        lwz     r4, CTX_PID(r3)
        lwz     r5, CTX_SRR0(r3)
        lwz     r6, CTX_SRR1(r3)
        cpu_mtpid(r4, r7)
        cpu_mtspr(srr0, r5)
        cpu_mtspr(srr1, r6)
        lwz     r4, CTX_CR(r3)
        lwz     r5, CTX_LR(r3)
        lwz     r6, CTX_CTR(r3)
        lwz     r7, CTX_XER(r3)
        mtcrf   0xFF, r4
        mtlr    r5
        mtctr   r6
        mtxer   r7
        mr      r1, r3
        lmw     r2, CTX_GPR + 8(r1)
        lwz     r0, CTX_GPR(r1)
        lwz     r1, CTX_GPR + 4(r1)
        cpu_rfi

/*
 * kernel_idle: nothing is ready. An interrupt leaves the loop for good, so its context may be overwritten.
 */
kernel_idle:
        lis     r3, sched_idle_context@ha
        addi    r3, r3, sched_idle_context@l
        stw     r3, LOW_CURRENT(0)
        cpu_idle_begin(r3)
1:      cpu_idle(r3)
        b       1b
