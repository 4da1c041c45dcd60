/*
 * boot.S: from reset to guest_main(), for every sample guest.
 *
 * The image is linked above the exception vectors. Boot brings the core into a known state (caches, real-mode storage
 * attributes, timers), wipes the low 16 KiB and writes one branch word per vector there. Every vector first leads to
 * stray.S; the guest's own rows (guest_vectors) come afterwards and win.
 *
 * With -DPARAVIRT boot asks first for the hypervisor that the guest was written for. It leaves out what a virtual machine has
 * at its start: valid caches, and timers and MMU registers of zero.
 */
#include "board.h"
#include "common/cpu.h"

#define LOW_SIZE        0x4000     // vectors and the kernel's low words; the image begins here
#define CACHE_LINE      32
#define DCACHE_LINES    512        // 16 KiB: enough for every member of the family
#define REGION0         0x80000000 // ICCR, DCCR: cache the first 128 MiB only
#define GUARDED         0x7FFFFFFF // SGR: no speculative access outside the first 128 MiB
#define CCR0_PREFETCH   0x00000C00 // PFC, PFNC: prefetch instructions
#define ZPR_BOOT        0xFFFF8740
#define BRANCH_OPCODE   0x48000000

        .section .boot, "ax"

/*
 * _start: In: reset state, real mode, supervisor. Out: guest_main() on the kernel stack, MSR = ME.
 */
        .globl  _start
_start:
#ifdef PARAVIRT
        proteus_load r3, version
        lis     r4, PAGE_VERSION@h
        ori     r4, r4, PAGE_VERSION@l
        cmplw   r3, r4
        bne     6f
        proteus_load r4, features
        andi.   r4, r4, FEATURE_HYPERCALLS
        beq     6f
#endif
        lis     r1, MSR_ME@h
        ori     r1, r1, MSR_ME@l
        cpu_mtmsr(r1, r3)
        isync

#if !defined(LOADED) && !defined(PARAVIRT)
        // Nothing in the caches is ours: invalidate before they are switched on
        iccci   0, r0
        li      r3, DCACHE_LINES
        mtctr   r3
        li      r4, 0
1:      dccci   0, r4
        addi    r4, r4, CACHE_LINE
        bdnz    1b
#endif

        // Storage attributes of real mode: RAM cached and copied back, devices neither cached nor speculated into
        li      r0, 0
        cpu_mtspr(dcwr, r0)
        lis     r3, GUARDED@h
        ori     r3, r3, GUARDED@l
        cpu_mtspr(sgr, r3)
        lis     r3, REGION0@h
        cpu_mtspr(iccr, r3)
        cpu_mtspr(dccr, r3)
        isync
        cpu_mfspr(r4, dccr)
        mr      r31, r4                 // kept for the check below, when the console works
        cpu_mfspr(r4, ccr0)
        ori     r4, r4, CCR0_PREFETCH
        cpu_mtspr(ccr0, r4)
        isync

#ifndef PARAVIRT
        // Translation stays off; its registers get a defined value all the same
        lis     r4, ZPR_BOOT@h
        ori     r4, r4, ZPR_BOOT@l
        mtspr   SPR_ZPR, r4
        mtspr   SPR_PID, r0

        // Timers: stopped, nothing pending, time base at zero (low word first: no carry into the upper one)
        mtspr   SPR_TCR, r0
        mtspr   SPR_PIT, r0
        lis     r4, -1
        mtspr   SPR_TSR, r4
        mtspr   SPR_TBL, r0
        mtspr   SPR_TBU, r0
        mtspr   SPR_TBL, r0
#endif

        // Wipe the vectors' page frame
        li      r3, LOW_SIZE / 4
        mtctr   r3
        li      r4, -4
2:      stwu    r0, 4(r4)
        bdnz    2b
        mtspr   SPR_EVPR, r0

        lis     r3, stray_vectors@ha
        addi    r3, r3, stray_vectors@l
        bl      vectors_install
        lis     r3, guest_vectors@ha
        addi    r3, r3, guest_vectors@l
        bl      vectors_install
        sync
        isync

        // .bss: the loader clears it too, but a restart would not
        lis     r3, __bss_start@ha
        addi    r3, r3, __bss_start@l
        lis     r4, __bss_end@ha
        addi    r4, r4, __bss_end@l
        b       4f
3:      stw     r0, 0(r3)
        addi    r3, r3, 4
4:      cmplw   r3, r4
        blt     3b

        lis     r1, __stack_top@ha
        addi    r1, r1, __stack_top@l
        stwu    r0, -16(r1)             // end of the back chain
        lis     r3, REGION0@h
        cmplw   r3, r31
        bne     5f
        bl      guest_main
        b       guest_reset
5:      mr      r3, r31
        bl      boot_bad_dccr
        b       guest_reset
#ifdef PARAVIRT
6:      lis     r1, __stack_top - 16@ha
        addi    r1, r1, __stack_top - 16@l
        bl      boot_no_hypervisor
        b       guest_reset
#endif

/*
 * vectors_install: write `b handler` at each vector of a table.
 * In: r3 = rows of (offset, handler), ended by offset 0. Clobbers: r3-r8, CR0.
 */
vectors_install:
        lis     r8, BRANCH_OPCODE@h
1:      lwz     r4, 0(r3)
        cmpwi   r4, 0
        beqlr
        lwz     r5, 4(r3)
        subf    r6, r4, r5              // displacement, 26 bits, word aligned
        rlwinm  r6, r6, 0, 6, 29
        or      r6, r6, r8
        stw     r6, 0(r4)
        dcbst   0, r4                   // instruction fetch does not look into the data cache
        sync
        icbi    0, r4
        addi    r3, r3, 8
        b       1b

/*
 * guest_reset: the end of a run. On the board a system reset; a hypervisor stops the virtual machine.
 */
        .globl  guest_reset
guest_reset:
        lis     r3, BOARD_RESET_DBCR0@h
        ori     r3, r3, BOARD_RESET_DBCR0@l
        mtspr   SPR_DBCR0, r3
        isync
1:      b       1b
