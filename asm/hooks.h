/*
 * hooks.h: what options add to the trap road. A hook of an option that is off is an empty macro: not a byte is left.
 */
#ifndef PROTEUS_HOOKS_H
#define PROTEUS_HOOKS_H

#include "partitions.h"

/* stat_count counter, rX: one more trap of this kind (option STATS). In: rVCPU. Clobbers: rX */
.macro stat_count counter, rx
#ifdef CONFIG_STATS
    lwz     \rx, VCPU_STAT + 4 * \counter(rVCPU)
    addi    \rx, \rx, 1
    stw     \rx, VCPU_STAT + 4 * \counter(rVCPU)
#endif
.endm

/* nop_routine, wrtee_routine: emul_nop (dispatch.S) and emul_wrtee (emul_msr.S): of their own only to be counted or sampled. */
.macro nop_routine
#if defined(CONFIG_STATS) || defined(CONFIG_OPTIMIZE)
func emul_nop
    sample_site r30
    stat_count STAT_nop, r30
    b       enter_step
endfunc emul_nop
#else
    .set    emul_nop, enter_step
#endif
.endm
.macro wrtee_routine
#ifdef CONFIG_STATS
func emul_wrtee
    sample_site rKEY
    mtcrf   0x67, rINSN
    stat_count STAT_wrtee, rINSN
    b       gpr_read
endfunc emul_wrtee
#else
    .globl  emul_wrtee
    .set    emul_wrtee, emul_mtmsr
#endif
.endm

/* tlbwe_routine: emul_tlbwe, which is in tlbwe.S or does nothing (option TLB_VIRT). */
.macro tlbwe_routine
#ifndef CONFIG_TLB_VIRT
    .set    emul_tlbwe, emul_nop
#endif
.endm

/*
 * sample_site rX: now and then a trap that a load or store could stand for is C's (option OPTIMIZE), which looks at the place
 * and lets the guest execute it again. In: rVCPU, rCR. Clobbers: rX, CR0
 */
.macro sample_site rx
#ifdef CONFIG_OPTIMIZE
    lwz     \rx, VCPU_SITE_TURN(rVCPU)
    addi    \rx, \rx, -1
    stw     \rx, VCPU_SITE_TURN(rVCPU)
    cmpwi   \rx, 0
    beq-    to_optimize
#endif
.endm

/*
 * zone_of rMsr, rX: the register pages of a VM that is optimized are of a zone of their own, closed to its user state (option
 * OPTIMIZE): what that executes of a rewritten place has to fault (src/vm/optimize.h; manual, "Zone Protection"). PID changes and
 * is as it was, for QEMU: it remembers rights, which 7.2 looks at again only after a write of another PID. Obeyed at the rfi.
 * In: rMsr = the new MSR. Clobbers: rX
 */
.macro zone_of msr, rx
#ifdef CONFIG_OPTIMIZE
    rlwinm  \rx, \msr, 14, 3, 3         /* PR, at the right bit of zone 1 */
    xoris   \rx, \rx, 0x5555
    mtspr   SPRN_ZPR, \rx
    mfspr   \rx, SPRN_PID
    xori    \rx, \rx, 1
    mtspr   SPRN_PID, \rx
    xori    \rx, \rx, 1
    mtspr   SPRN_PID, \rx
#endif
.endm

/* zone_of_reflected: of an interrupt, which leaves user state. Clobbers: r29, r30 */
.macro zone_of_reflected
#ifdef CONFIG_OPTIMIZE
    li      r29, 0
    zone_of r29, r30
#endif
.endm

/* zone_of_file: of what the register file says. In: rVCPU. Clobbers: r3, r4 */
.macro zone_of_file
#ifdef CONFIG_OPTIMIZE
    lwz     r3, VCPU_MSR(rVCPU)
    zone_of r3, r4
#endif
.endm

/*
 * in_stub label: to label if the guest may be within a stub (option OPTIMIZE), for C knows what is half done; turn_in_stub label:
 * if rNEXT may. The bits that are compared are the same with translation and without (tools/partitions/stubs.py).
 * In: rVCPU; SRR0. Clobbers: r29, r30, CR0; the second r28, rLEFT
 */
.macro in_stub label
#ifdef CONFIG_OPTIMIZE
    mfspr   r30, SPRN_SRR0
    lwz     r29, VCPU_STUB_NEAR(rVCPU)
    rlwinm  r30, r30, 0, 8, 19
    cmplw   r30, r29
    beq-    \label
#endif
.endm
.macro turn_in_stub label
#ifdef CONFIG_OPTIMIZE
    lwz     r28, VCPU_PC(rNEXT)
    lwz     rLEFT, VCPU_STUB_NEAR(rNEXT)
    rlwinm  r28, r28, 0, 8, 19
    cmplw   r28, rLEFT
    beq-    \label
#endif
.endm

/*
 * page_stub label: in_stub, where it is not in memory of the guest's. What traps in a stub there is C's anyway: no row of the
 * dispatcher's has it.
 */
.macro page_stub label
#ifndef CONFIG_TLB_VIRT
    in_stub \label
#endif
.endm

/* sample_pid rX, sample_tsr rX: of mtspr PID and TSR, if those are words of the page. */
.macro sample_pid rx
#ifndef CONFIG_TLB_VIRT
    sample_site \rx
#endif
.endm
.macro sample_tsr rx
#ifndef CONFIG_FIT_WATCHDOG
    sample_site \rx
#endif
.endm

/* irq_quiet label: to label if the virtual interrupt controller asks for an interrupt. In: rVCPU. Clobbers: rKEY, CR */
.macro irq_quiet label
#ifdef CONFIG_IRQ
    lwz     rKEY, VCPU_IRQ_PENDING(rVCPU)
    cmpwi   rKEY, 0
    bne-    \label
#endif
.endm

/*
 * tsr_clear label: the second half of mtspr TSR, or to label with nothing changed.
 * In: rVCPU, rVALUE. Out: rKEY = new TSR, rVALUE = 0: nothing pending. Clobbers: CR0
 */
.macro tsr_clear label
#ifdef CONFIG_FIT_WATCHDOG
    xoris   rKEY, rVALUE, TSR_PIS >> 16 /* other bits are accounted for when they are looked at */
    cmpwi   rKEY, 0
    bne-    \label
    lwz     rKEY, VCPU_TSR(rVCPU)
    andc    rKEY, rKEY, rVALUE
    lwz     rVALUE, VCPU_TCR(rVCPU)     /* with PIS gone, only an enabled FIT or watchdog can be pending */
    andis.  rVALUE, rVALUE, (TCR_FIE | TCR_WIE) >> 16
    bne-    \label
#else
    lwz     rKEY, VCPU_TSR(rVCPU)       /* PIS is the only bit that is ever set */
    andc.   rVALUE, rKEY, rVALUE
    mr      rKEY, rVALUE
    bne-    \label
#endif
.endm

/* tsr_clear_pis label: the same for a value of PIS alone. */
.macro tsr_clear_pis label
#ifdef CONFIG_FIT_WATCHDOG
    lis     rVALUE, TSR_PIS >> 16
    tsr_clear \label
#else
    li      rKEY, 0
    li      rVALUE, 0
#endif
.endm

/* hcall_of_tunnels: the one that is often made (asm/ipcm.S). In: as hcall_in_c */
.macro hcall_of_tunnels
#ifdef CONFIG_IPCM_CALLS
    cmplwi  r30, HCALL_ipcm_status
    beq     ipcm_status
#endif
.endm

/* hcall_in_c: the call is in C, or unknown. In: rVCPU, rCR, r30 = number; guest's r28-r30 in its register file, r31 in low_r31 */
.macro hcall_in_c
#ifdef CONFIG_CALLS_IN_C
    li      r30, hypercall@l
    b       to_light
#else
#ifdef CONFIG_STATS
    stw     r30, VCPU_REFUSED_CALL(rVCPU)
    stat_count STAT_refused, r30
#endif
    li      r3, HCALL_E_NUMBER
    b       enter_cr
#endif
.endm

/*
 * slice_left rLeft, rNow, label: to label unless the slice goes on for some time; the machine's PIT is set to its end
 * (a scheduler with slices; without, to label if the console looks after lines). In: rNow = TBL. Clobbers: rLeft, CR0
 */
.macro slice_left left, now, label
#ifndef CONFIG_SCHED_SINGLE
    .if     VM_STORMS
    lwz     \left, LOW(storm_open)      /* the time that lines are masked may be over first: only C knows */
    cmpwi   \left, 0
    bne-    \label
    .endif
    lwz     \left, LOW(slice_end)
    subf    \left, \now, \left
    cmpwi   \left, PIT_TICKS_MIN
    ble-    \label
    mtspr   SPRN_PIT, \left
#elif defined(CONFIG_CONSOLE)
    lwz     \left, LOW(pit_road)        /* the console looks now and then: only C sets the PIT for that */
    cmpwi   \left, schedule@l
    bne-    \label
#endif
.endm

/* Where a slice that is over leads to: to the assembler's round robin (asm/turn.S), or to C. */
#if defined(CONFIG_FAST_SWITCH) && VM_COUNT > 1 && !VM_STORMS && !VM_OVERRUNS
#define SLICE_OVER next_turn
#else
#define SLICE_OVER to_pit_road
#endif

#define rNEXT r27 /* the role in asm/turn.S of who runs now */

/*
 * turn_plain label: to label if there is more to do than to let the next one run: the machine idles, the console wants to look,
 * or an access of who ran has not been answered. Clobbers: r30, CR0
 */
.macro turn_plain label
    lwz     r30, LOW(idle_pc)
    cmpwi   r30, NOT_IDLE
    bne-    \label
#ifdef CONFIG_CONSOLE
    lwz     r30, LOW(pit_road)
    cmpwi   r30, schedule@l
    bne-    \label
#endif
#if VM_WINDOWS
    sync                                /* nothing of its is on the bus any more */
    lwz     r30, LOW(bus_error_of)
    cmpwi   r30, 0
    bne-    \label
#endif
.endm

/* turn_watched label: to label if FIT or watchdog of who ran or is next is an event (FIT_WATCHDOG). Clobbers: r28, r30, CR0 */
.macro turn_watched label
#ifdef CONFIG_FIT_WATCHDOG
    lwz     r30, VCPU_TCR(rVCPU)
    lwz     r28, VCPU_TCR(rNEXT)
    or      r30, r30, r28
    andis.  r30, r30, (TCR_FIE | TCR_WIE | TCR_WRC) >> 16
    bne-    \label
#endif
.endm

/*
 * turn_pid label, turn_context label: together as tlb_enter(), or to label if C must find the context of rNEXT (TLB_VIRT).
 * In: the second: r30 = its MSR. Clobbers: r28, CR0; the first r30
 */
.macro turn_pid label
#ifdef CONFIG_TLB_VIRT
    lwz     r28, VCPU_PID(rNEXT)
    lwz     r30, VCPU_CONTEXT_OF(rNEXT)
    cmplw   r28, r30
    bne-    \label
#endif
.endm
.macro turn_context label
#ifdef CONFIG_TLB_VIRT
    rlwinm  r28, r30, 28, 30, 31        /* IR, DR */
    rlwimi  r28, r30, 20, 29, 29        /* PR */
    add     r28, r28, rNEXT
    lbz     r28, VCPU_MODE_PID(r28)
    cmpwi   r28, 0
    beq-    \label
    stw     r28, VCPU_CONTEXT_PID(rNEXT)
#endif
.endm

/* turn_sleeps: r30 |= MSR_WE while rNEXT waits for the time; turn_wakes: no longer (SERVICES). Clobbers: r28 */
.macro turn_sleeps
#ifdef CONFIG_SERVICES
    lwz     r28, VCPU_SLEEPING(rNEXT)
    or      r30, r30, r28
#endif
.endm
.macro turn_wakes
#ifdef CONFIG_SERVICES
    li      r28, 0
    stw     r28, VCPU_SLEEPING(rNEXT)
#endif
.endm

/* turn_quantum rX: ticks of the slice of rNEXT. */
.macro turn_quantum rx
#ifdef CONFIG_SERVICES
    lwz     \rx, VCPU_QUANTUM(rNEXT)
#else
    constant \rx, SCHED_QUANTUM_TICKS
#endif
.endm

/* turn_real: an interrupt leaves translation off (TLB_VIRT). Clobbers: r28 */
.macro turn_real
#ifdef CONFIG_TLB_VIRT
    lwz     r28, VCPU_MACHINE_PID(rNEXT)
    stw     r28, VCPU_CONTEXT_PID(rNEXT)
#endif
.endm

/*
 * pit_road: to the C that the machine's PIT is for: the console may want to look before schedule() (option CONSOLE). Out: r30.
 * calls: pit_road > schedule, console_tick
 */
.macro pit_road
#ifdef CONFIG_CONSOLE
    lwz     r30, LOW(pit_road)
    b       to_light
#endif
.endm

/*
 * irfm_row: the register pages' trap instructions (option IRFM), last in the dispatcher's ladder: opcode 3, and a small key.
 * In: rKEY, rINSN as in dispatch.S. Clobbers: rKEY, CR0
 */
.macro irfm_row
#ifdef CONFIG_IRFM
    xoris   rKEY, rKEY, (dispatch_op ^ 3) << 10
    cmplwi  rKEY, PAGE_CHECK
    ble     irfm_trap
#endif
.endm

/*
 * pending_true label: to label if what is pending, by the pending word, is so in fact. A guest clears TSR by a store to its
 * page (option IRFM without FIT and watchdog), and the pending word does not follow; here it does.
 * In: rVCPU. Clobbers: r30, CR0
 */
.macro pending_true label
#if defined(CONFIG_IRFM) && !defined(CONFIG_FIT_WATCHDOG)
    lwz     r30, VCPU_TSR(rVCPU)
    cmpwi   r30, 0
    bne     \label
#ifdef CONFIG_IRQ
    lwz     r30, VCPU_IRQ_PENDING(rVCPU)
    cmpwi   r30, 0
    bne     \label
#endif
    stw     r30, VCPU_PENDING(rVCPU)
    b       enter_cr
#endif
.endm

/*
 * pending_none label: to label if something is pending already: lazily enabled, and not looked at yet (option IRFM).
 * In: rVCPU. Clobbers: r29, CR0
 */
.macro pending_none label
#ifdef CONFIG_IRFM
    lwz     r29, VCPU_PENDING(rVCPU)
    cmpwi   r29, 0
    bne-    \label
#endif
.endm

/*
 * msr_rare: CR0 = eq if the new MSR has no bits but plain ones. Bits 28:31 do not exist, but kernels with translation set the
 * one that is MSR[RI] elsewhere. In: rKEY = the new MSR. Clobbers: r30, CR0
 */
.macro msr_rare
#ifdef CONFIG_TLB_VIRT
    rlwinm  rKEY, rKEY, 0, 0, 27
    rlwinm  r30, rKEY, 0, 0, 25         /* IR and DR are not rare */
    rlwinm. r30, r30, 0, PLAIN_LAST + 1, PLAIN_FIRST - 1
#else
    rlwinm. r30, rKEY, 0, PLAIN_LAST + 1, PLAIN_FIRST - 1
#endif
.endm

/*
 * msr_context label: the machine's PID for the guest's mode and PID (src/mmu/tlb.h), or to label if C must find it (option
 * TLB_VIRT).
 * In: rVCPU, rKEY = its MSR. Clobbers: r30, CR0, CR1
 */
.macro msr_context label
#ifdef CONFIG_TLB_VIRT
    lwz     r30, VCPU_PID(rVCPU)
    lwz     rKEY, VCPU_CONTEXT_OF(rVCPU)
    cmplw   cr1, r30, rKEY
    lwz     rKEY, VCPU_MSR(rVCPU)
    rlwinm  r30, rKEY, 28, 30, 31       /* IR, DR */
    rlwimi  r30, rKEY, 20, 29, 29       /* PR */
    add     r30, r30, rVCPU
    lbz     r30, VCPU_MODE_PID(r30)
    cmpwi   r30, 0
    bne-    cr1, \label
    beq-    \label
    stw     r30, VCPU_CONTEXT_PID(rVCPU)
    mtspr   SPRN_PID, r30
#endif
.endm

/*
 * only_ee label: to label if the new MSR differs in EE alone, as the end of most critical sections (option TLB_VIRT, with which
 * there is more to look at otherwise). In: rKEY. Clobbers: r30, CR0
 */
.macro only_ee label
#ifdef CONFIG_TLB_VIRT
    lwz     r30, VCPU_MSR(rVCPU)
    xor     r30, r30, rKEY
    rlwinm. r30, r30, 0, 17, 15
    beq     \label
#endif
.endm

/* same_context label: to label if the new MSR does not change the context (option TLB_VIRT). In: rKEY. Clobbers: r30, CR0 */
.macro same_context label
#ifdef CONFIG_TLB_VIRT
    lwz     r30, VCPU_MSR(rVCPU)
    xor     r30, r30, rKEY
    andi.   r30, r30, MSR_PR | MSR_IR | MSR_DR
    beq     \label
    stw     rKEY, VCPU_MSR(rVCPU)
#endif
.endm

/* real_context: the guest's interrupt leaves translation off. In: rVCPU. Clobbers: r29 */
.macro real_context
#ifdef CONFIG_TLB_VIRT
    lwz     r29, VCPU_MACHINE_PID(rVCPU)
    stw     r29, VCPU_CONTEXT_PID(rVCPU)
    mtspr   SPRN_PID, r29
#endif
.endm

/*
 * context_roads: in the middle of cold.S: step_and_context, to_context: the machine's PID for MSR and PID is not known by heart
 * (option TLB_VIRT). Who comes from above goes on to to_schedule.
 */
.macro context_roads
#ifdef CONFIG_TLB_VIRT
    b       to_schedule
    .globl step_and_context, to_context
step_and_context:
    mfspr   r29, SPRN_SRR0
    addi    r29, r29, 4
    mtspr   SPRN_SRR0, r29
to_context:
    li      r30, tlb_find_context@l
    b       to_light
#endif
.endm

/* to_optimize: of sample_site, the road of cold_emulate with another end (option OPTIMIZE). In: as that */
.macro optimize_road
#ifdef CONFIG_OPTIMIZE
    .globl to_optimize
to_optimize:
    mtcr    rCR
    lwz     r28, GPR(28)(rVCPU)
    lwz     r29, GPR(29)(rVCPU)
    lwz     r30, GPR(30)(rVCPU)
    stw     r3, GPR(3)(rVCPU)
    li      r3, optimize@l
    b       cold_full
#endif
.endm

/* pid_context label: PID was written, to label if translation is on. In: rVCPU. Clobbers: rKEY, CR0 */
.macro pid_context label
#ifdef CONFIG_TLB_VIRT
    lwz     rKEY, VCPU_MSR(rVCPU)
    andi.   rKEY, rKEY, MSR_IR | MSR_DR
    bne-    \label
#endif
.endm

/* uart_near label: to label if the guest's data access is to its UART, r29 bytes from the first register (option CONSOLE). */
.macro uart_near label
#ifdef CONFIG_CONSOLE
    mfspr   r30, SPRN_DEAR
    lwz     r29, VCPU_UART_BASE(rVCPU)
    subf    r29, r29, r30
    cmplwi  r29, CONSOLE_HOT_SIZE - 1
    ble-    \label
#endif
.endm

/*
 * read_other: rVALUE is for neither mtmsr nor wrtee (CR[21] is 0 for both): it is for the UART (option CONSOLE), or for tlbwe
 * with CR[23], of which it is the index with CR[24] (option TLB_VIRT). In: rVALUE, rKEY
 */
.macro read_other
#if defined(CONFIG_CONSOLE) || defined(CONFIG_TLB_VIRT)
    bf+     21, 5f
#ifdef CONFIG_CONSOLE
    bf      23, uart_store
#endif
#ifdef CONFIG_TLB_VIRT
    bf      24, tlbwe_value
    b       tlbwe_index
#endif
5:
#endif
.endm

/* uart_leaves rHi, rX: the UART is not where it was, if this entry of 4 KiB goes (option CONSOLE). Clobbers: rX, CR0 */
.macro uart_leaves hi, rx
#ifdef CONFIG_CONSOLE
    lwz     \rx, VCPU_UART_BASE(rVCPU)
    xor     \rx, \rx, \hi
    rlwinm. \rx, \rx, 0, 0, 19
    bne     4f
    stw     \rx, VCPU_UART_CONTEXT(rVCPU)
4:
#endif
.endm

/* leave_if_careful: a machine with smaller pages has to look for shadows of those. In: r27. Clobbers: r25, CR0 */
.macro leave_if_careful label
#if BOARD_PAGE_MIN < 4096
    lbz     r25, VTLB_CAREFUL(r27)
    cmpwi   r25, 0
    bne-    \label
#endif
.endm

/* refill_data: the guest's own TLB may have it (option TLB_VIRT). Out: to refill */
.macro refill_data
#ifdef CONFIG_TLB_VIRT
    mfspr   r30, SPRN_DEAR
    mfspr   r29, SPRN_ESR
    rlwinm  r29, r29, 17, 23, 23        /* ESR_DST as TLBLO_WR */
    b       refill
#endif
.endm

/*
 * in_translation label: to label unless the guest translates both, fetches and data, and the machine's PID is that of its
 * mode and PID. Without register pages (option IRFM) they cannot differ; with them the guest may have stored another mode or
 * PID since (is_in_context() in src/mmu/tlb.c). In: r24 = its MSR, r25 = the machine's PID. Clobbers: r23-r25, CR0, CR1, CR6
 */
.macro in_translation label
    rlwinm  r23, r24, 0, 26, 27
    cmpwi   cr1, r23, MSR_IR | MSR_DR
#ifdef CONFIG_IRFM
    rlwinm  r24, r24, 20, 29, 29        /* PR */
    add     r24, r24, rVCPU
    lbz     r24, VCPU_MODE_PID + 3(r24)
    lwz     r23, VCPU_PID(rVCPU)
    cmplw   r24, r25
    lwz     r25, VCPU_CONTEXT_OF(rVCPU)
    cmplw   cr6, r23, r25
    bne-    \label
    bne-    cr6, \label
#else
    cmplwi  r25, VM_COUNT               /* real mode? */
    ble-    \label
#endif
    bne-    cr1, \label
.endm

/* tlb_checked: to C, which looks at all entries; the guest goes on from there (option TLB_CHECK). In: as enter_cr */
.macro tlb_checked
#ifdef CONFIG_TLB_CHECK
    li      r30, tlb_checked@l
    b       to_light
#endif
.endm

/* page_far label: to label if the address r30 may be on the register pages (option IRFM). Clobbers: r25, CR0 */
.macro page_far label
#ifdef CONFIG_IRFM
    rlwinm  r25, r30, 17, 15, 31        /* not within 32 KiB of zero, either way? */
    addi    r25, r25, 1
    clrlwi  r25, r25, 15
    cmplwi  r25, 1
    ble-    \label
#endif
.endm

/*
 * set_sprg: SPRG4-7 by mtspr, which a TLB handler uses (option TLB_VIRT). In: rVCPU, rVALUE, rKEY.
 * Out: to enter_step if it was one. Clobbers: CR0, CR7
 */
.macro set_sprg
#ifdef CONFIG_TLB_VIRT
    addi    rKEY, rKEY, -VCPU_SPRG4
    cmplwi  rKEY, 12
    bgt-    4f
    mtcrf   0x01, rKEY                  /* bits 28:29 count them */
    addi    rKEY, rKEY, VCPU_SPRG4
    stwx    rVALUE, rVCPU, rKEY
    bt      28, 6f
    bt      29, 5f
    mtspr   SPRN_SPRG4, rVALUE
    b       enter_step
5:  mtspr   SPRN_SPRG5, rVALUE
    b       enter_step
6:  bt      29, 7f
    mtspr   SPRN_SPRG6, rVALUE
    b       enter_step
7:  mtspr   SPRN_SPRG7, rVALUE
    b       enter_step
4:  addi    rKEY, rKEY, VCPU_SPRG4
#endif
.endm

/* low_words: those of options (low.S). */
.macro low_words
#if VM_WINDOWS
low_word bus_error_of   /* struct vcpu *: whose access nobody has answered, as it turned out later; 0 */
#endif
#ifndef CONFIG_SCHED_SINGLE
low_word slice_end      /* TBL at which the scheduler wants the machine back */
#endif
#ifdef CONFIG_CONSOLE
low_word pit_road       /* C that the machine's PIT goes to: schedule(), or console_tick() */
#endif
.endm

/* vcpu_words: all register files: with option IRFM the first begins on one page and ends on the next. */
.macro vcpu_words
#ifdef CONFIG_IRFM
    .space  BOARD_PAGE_MIN - VCPU_BOUNDARY
vcpu:
    .space VM_COUNT * VCPU_SIZE - (BOARD_PAGE_MIN - VCPU_BOUNDARY)
#else
    .balign 16
vcpu:
    .space VM_COUNT * VCPU_SIZE
#endif
.endm

/* rom_reset: the word where the chip begins (option ROM). */
.macro rom_reset
#ifdef CONFIG_ROM
    .section .reset, "ax"
    b       start
#endif
.endm

/* rom_early: what the board needs before there is memory (option ROM; board_<code>.S). Out: r0 = 0. Clobbers: as that does */
.macro rom_early
#ifdef CONFIG_ROM
    bl      board_early
    li      r0, 0
#endif
.endm

/* clear_registers: all register pages (option IRFM); otherwise they are part of the data. In: r0 = 0. Clobbers: r3, r4, CTR */
.macro clear_registers
#ifdef CONFIG_IRFM
    lis     r3, registers_start - 4@ha
    addi    r3, r3, registers_start - 4@l
    lis     r4, registers_words@h
    ori     r4, r4, registers_words@l
    mtctr   r4
1:  stwu    r0, 4(r3)
    bdnz    1b
#endif
.endm

/* One VM, and nothing that wants to know that it waits: the assembler itself begins and ends the idle loop. */
#if defined(CONFIG_SCHED_SINGLE) && !defined(CONFIG_CONSOLE) && !defined(CONFIG_STATS) && !defined(CONFIG_SERVICES)
#define FAST_IDLE
#endif

/*
 * idle_now: with FAST_IDLE, wait here if nothing is pending that MSR lets in. The machine's PIT is right: it is set to the next
 * event of the guest that runs, and there is no other. Otherwise, and if something is, falls through to to_schedule, behind
 * the instruction; or to the console, for an unfinished line comes out first (option CONSOLE).
 * In: rVCPU, rCR, r29 = MSR; SRR0 at the instruction. Clobbers: r29, r30, CR0
 */
.macro idle_now
#ifdef FAST_IDLE
    lwz     r30, VCPU_PENDING(rVCPU)
    and.    r30, r30, r29
    mfspr   r29, SPRN_SRR0
    addi    r29, r29, 4
    mtspr   SPRN_SRR0, r29
    bne-    to_schedule
    lwz     r30, LOW(low_r31)
    stw     r29, LOW(idle_pc)
    stw     r30, LOW(idle_r31)
    mtcr    rCR
    lwz     r28, GPR(28)(rVCPU)
    lwz     r29, GPR(29)(rVCPU)
    lwz     r30, GPR(30)(rVCPU)
    b       idle_loop
#else
    mfspr   r29, SPRN_SRR0
    addi    r29, r29, 4
    mtspr   SPRN_SRR0, r29
#ifdef CONFIG_CONSOLE
    li      r30, console_wait@l
    b       to_light
#endif
#endif
.endm

/*
 * idle_end label: the idle loop was interrupted; the guest goes on where it waited, or C is asked (at label).
 * In: r30 = idle_pc. Clobbers: r30
 */
.macro idle_end label
#ifdef FAST_IDLE
    mtspr   SPRN_SRR0, r30
    li      r30, NOT_IDLE
    stw     r30, LOW(idle_pc)
    lwz     r30, LOW(idle_r31)
    stw     r30, LOW(low_r31)
    lis     r30, MSR_GUEST@h
    ori     r30, r30, MSR_GUEST@l
    mtspr   SPRN_SRR1, r30
#else
    b       \label
#endif
.endm

/* switch_if_other: another guest runs next (more than one partition). In: r3 = who, rVCPU = who ran. Clobbers: CR0 */
.macro switch_if_other
#if VM_COUNT > 1
    cmpw    r3, rVCPU
    bne-    vcpu_switch
#endif
.endm

/* save_other: what a light road has not saved (more than one partition). In: rVCPU; r31 in low_r31. Clobbers: r0, r4-r6 */
.macro save_other
#if VM_COUNT > 1
    stw     r2, GPR(2)(rVCPU)
    stw     r7, GPR(7)(rVCPU)
    stw     r8, GPR(8)(rVCPU)
    stw     r9, GPR(9)(rVCPU)
    stw     r10, GPR(10)(rVCPU)
    stmw    r13, GPR(13)(rVCPU)
    lwz     r0, LOW(low_r31)
    stw     r0, GPR(31)(rVCPU)
    mfctr   r0
    stw     r0, VCPU_CTR(rVCPU)
    save_live rVCPU
#endif
.endm

/*
 * load_other: the registers of live.h. The reservation is one bit without an address, which only stwcx. clears (manual, "lwarx",
 * "stwcx."): of the last VM's nothing may be left. Stores the same again. One partition alone is loaded once, at boot: size
 * before speed. In: r3 = who runs now, as `current` says. Clobbers: r0, r4-r6, CR0
 */
.macro load_other
#if VM_COUNT > 1
    li      r4, current@l
    erratum_stwcx r4
    stwcx.  r3, 0, r4
    load_live r3
#else
    bl      vcpu_load_live
#endif
.endm

#endif
