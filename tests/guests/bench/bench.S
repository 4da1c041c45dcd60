/*
 * bench.S: a guest that walks the paths of `make bench`, each several times and with every general purpose register, so
 * that the longest case is among them. It checks what it reads, and runs bare as well: then, and in a VM that may not, it
 * makes no hypercalls and leaves the register pages alone.
 *
 * Real mode, supervisor; EVPR = 0. Needs 32 KiB. Prints `bench: PASS` or `bench: FAIL <step>`, then resets.
 *
 * Symbols walk_<name>, with a size, are the sequences on the register pages that tools/bench.py counts.
 *
 * Registers: every one is written by the steps. r20-r23 belong to the interrupt handlers while EE is on.
 */
#define ROUNDS    8
#define PIT_TICKS 2000
#define SLICES_WORK 0x00800000      /* instructions: 8 ms at one per ns */
#define MSR_EE    0x00008000
#define MSR_PR    0x00004000
#define MSR_WE    0x00040000
#define TSR_PIS   0x0800
#define TCR_PIE   0x0400
#define VAR(name) name@l(0)
#define PIT_FAR   0x10000000        /* ticks: longer than this guest runs */
#define USPRG     0x1238            /* a value for SPRG0 that is no tag */

#include <proteus/proteus.h>

        .macro  fail_unless register, value
        cmpwi   \register, \value
        bne     fail
        .endm

        # A call that does what an instruction does: 0 or more is success.
        .macro  fail_if_refused
        cmpwi   %r3, 0
        blt     fail
        .endm

        # mfmsr has EE as told: it is asked by the road that traps.
        .macro  fail_unless_ee value
        mfmsr   %r7
        andi.   %r7, %r7, MSR_EE
        cmpwi   %r7, 0
        .if     \value
        beq     fail
        .else
        bne     fail
        .endif
        .endm

        # What stands in place of a privileged instruction, eight times.
        .macro  walk name, operations:vararg
        li      %r9, 8
        mtctr   %r9
        .type   walk_\name, @function
walk_\name:
        \operations
        .size   walk_\name, . - walk_\name
        bdnz    walk_\name
        .endm

        .macro  every_gpr operation:req, arguments:vararg
        .irp    n, 0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15
        \operation \n \arguments
        .endr
        .irp    n, 16, 17, 18, 19, 20, 21, 22, 23, 24, 25, 26, 27, 28, 29, 30, 31
        \operation \n \arguments
        .endr
        .endm

        # The step's number, for the message; leaves every register but r3 alone.
        .macro  step number
        li      %r3, \number
        stw     %r3, VAR(step_number)
        .endm

        /* ---- handlers ---- */
        .section .vectors, "ax"
        .irp    offset, 0x100, 0x200, 0x300, 0x400, 0x500, 0x600
        .org    \offset
        b       unexpected
        .endr

        .org    0x700                               # program: a privileged instruction in user mode. Skip it.
        mfspr   %r20, 0x01A
        addi    %r20, %r20, 4
        mtspr   0x01A, %r20
        lwz     %r20, VAR(program_count)
        addi    %r20, %r20, 1
        stw     %r20, VAR(program_count)
        rfi

        .org    0x800
        b       unexpected

        .org    0xC00                               # sc from supervisor returns; from user, to r22 in supervisor
        lwz     %r20, VAR(call_count)
        addi    %r20, %r20, 1
        stw     %r20, VAR(call_count)
        mfspr   %r20, 0x01B
        andi.   %r20, %r20, MSR_PR
        beq     1f
        mtspr   0x01A, %r22
        li      %r20, 0
        mtspr   0x01B, %r20
1:      rfi

        .org    0xF20
        b       unexpected
        .org    0x1000
        b       pit
        .org    0x1010
        b       unexpected
        .org    0x1020
        b       unexpected
        .org    0x1100
        b       unexpected
        .org    0x1200
        b       unexpected
        .org    0x2000
        b       unexpected

        .text
pit:    lis     %r20, TSR_PIS
        mtspr   0x3D8, %r20
        lwz     %r20, VAR(pit_count)
        addi    %r20, %r20, 1
        stw     %r20, VAR(pit_count)
        li      %r20, PIT_TICKS
        mtspr   0x3DB, %r20
        mfspr   %r20, 0x01B                         # a waiting guest goes on
        rlwinm  %r20, %r20, 0, 14, 12
        mtspr   0x01B, %r20
        rfi

unexpected:
        li      %r3, 99
        stw     %r3, VAR(step_number)
        b       fail

        /* ---- the steps ---- */
        .globl  start
start:  li      %r3, 0
        mtmsr   %r3
        mtspr   0x3D6, %r3                          # EVPR
        mtspr   0x3DA, %r3                          # TCR
        li      %r3, ROUNDS
        stw     %r3, VAR(round)

        li      %r3, 0                              # who is asked? Our own kernel leaves both alone
        li      %r4, 0
        proteus_call version
        stw     %r3, VAR(version)
        stw     %r4, VAR(features)

again:
        .macro  spr_roundtrip n
        li      %r\n, 0x1230 + \n
        mtspr   0x111, %r\n                         # SPRG1
        li      %r\n, 0
        mfspr   %r\n, 0x111
        cmpwi   %r\n, 0x1230 + \n
        bne     fail
        .endm
        step    1
        every_gpr spr_roundtrip

        .macro  spr_keep number                     # write back what it holds
        mfspr   %r4, \number
        mtspr   \number, %r4
        mfspr   %r5, \number
        cmpw    %r4, %r5
        bne     fail
        .endm
        step    2                                   # DCCR ICCR DCWR SGR SLER SU0R CCR0 ZPR ESR DEAR EVPR PID TCR
        .irp    number, 0x3FA, 0x3FB, 0x3BA, 0x3B9, 0x3BB, 0x3BC, 0x3B3, 0x3B0, 0x3D4, 0x3D5, 0x3D6, 0x3B1, 0x3DA
        spr_keep \number
        .endr

        .macro  spr_write number
        li      %r4, 0x1230
        mtspr   \number, %r4
        mfspr   %r5, \number
        cmpwi   %r5, 0x1230
        bne     fail
        .endm
        step    3                                   # SRR0 SRR1 SPRG0 SPRG2-7
        .irp    number, 0x01A, 0x01B, 0x110, 0x112, 0x113, 0x114, 0x115, 0x116, 0x117
        spr_write \number
        .endr

        .macro  msr_read n
        mfmsr   %r\n
        cmpwi   %r\n, 0
        bne     fail
        .endm
        step    4
        every_gpr msr_read

        .macro  msr_write n
        li      %r\n, 0
        ori     %r\n, %r\n, MSR_EE
        mtmsr   %r\n
        li      %r\n, 0
        mtmsr   %r\n
        .endm
        step    5
        every_gpr msr_write

        .macro  ee_write n
        li      %r\n, 0
        ori     %r\n, %r\n, MSR_EE
        wrtee   %r\n
        li      %r\n, 0
        wrtee   %r\n
        .endm
        step    6
        every_gpr ee_write

        .macro  ee_immediate n
        wrteei  1
        mfmsr   %r\n
        wrteei  0
        andi.   %r\n, %r\n, MSR_EE
        beq     fail
        .endm
        step    7
        every_gpr ee_immediate

        step    8                                   # cache and TLB: nothing valid is written; changes nothing bare
        li      %r4, 0
        li      %r5, 63
        .rept   4
        dccci   %r4, %r4
        iccci   %r4, %r4
        tlbwe   %r4, %r5, 1
        tlbwe   %r4, %r5, 0
        .endr
        tlbia

        step    9                                   # interrupt controller: no line enabled
        li      %r4, 0
        BOARD_IRQ_ENABLE(%r4)
        BOARD_IRQ_ENABLED(%r5)
        cmpwi   %r5, 0
        bne     fail

        step    10                                  # sc to our own kernel and back; r0 is no hypercall tag
        li      %r0, 0
        stw     %r0, VAR(call_count)
        .rept   4
        sc
        .endr
        lwz     %r4, VAR(call_count)
        cmpwi   %r4, 4
        bne     fail

        step    11                                  # rfi to user mode, there a privileged instruction, back by sc
        li      %r4, 0
        stw     %r4, VAR(program_count)
        lis     %r22, to_supervisor@ha
        la      %r22, to_supervisor@l(%r22)
        lis     %r4, to_user@ha
        la      %r4, to_user@l(%r4)
        li      %r5, MSR_PR
        mtspr   0x01A, %r4
        mtspr   0x01B, %r5
        rfi
to_user:
        mfmsr   %r6
        sc
        b       fail
to_supervisor:
        lwz     %r4, VAR(program_count)
        cmpwi   %r4, 1
        bne     fail

        lwz     %r4, VAR(features)
        andi.   %r4, %r4, FEATURE_HYPERCALLS
        beq     no_hypercalls

        step    12                                  # the null hypercall; CR stays
        .rept   8
        li      %r3, 0
        li      %r4, 0
        lis     %r5, 0x1234
        mtcr    %r5
        proteus_call version
        mfcr    %r6
        cmpw    %r5, %r6
        bne     fail
        lwz     %r5, VAR(version)
        cmpw    %r3, %r5
        bne     fail
        fail_unless %r3, HCALL_VERSION
        lwz     %r5, VAR(features)
        cmpw    %r4, %r5
        bne     fail
        .endr

        step    13                                  # PIT by one call
        lis     %r3, PIT_FAR >> 16
        proteus_call timer_set
        fail_if_refused
        mfspr   %r4, 0x3DB
        lis     %r5, PIT_FAR >> 16
        cmplw   %r4, %r5
        bgt     fail
        cmplwi  %r4, 0
        beq     fail
        li      %r3, 0
        mtspr   0x3DB, %r3

        step    14                                  # rfi by a call: to supervisor, and to user mode
        li      %r3, USPRG
        mtspr   0x110, %r3
        lis     %r4, 1f@ha
        la      %r4, 1f@l(%r4)
        li      %r5, 0
        mtspr   0x01A, %r4
        mtspr   0x01B, %r5
        proteus_call rfi
        mfspr   %r0, 0x110                          # it refuses what is rare
        rfi
1:      fail_unless %r0, USPRG
        lis     %r22, 3f@ha
        la      %r22, 3f@l(%r22)
        lis     %r4, 2f@ha
        la      %r4, 2f@l(%r4)
        li      %r5, MSR_PR
        mtspr   0x01A, %r4
        mtspr   0x01B, %r5
        proteus_call rfi
        mfspr   %r0, 0x110                          # it refuses what is rare
        rfi
2:      fail_unless %r0, USPRG
        proteus_call version                           # not in user mode: our own kernel's, back to r22
        b       fail
3:      fail_unless_ee 0

        step    15                                  # MSR
        li      %r3, 0
        ori     %r3, %r3, MSR_EE
        proteus_call msr_set
        fail_if_refused
        fail_unless_ee 1
        li      %r3, 0
        proteus_call msr_set
        fail_if_refused
        fail_unless_ee 0

        lwz     %r4, VAR(features)
        andis.  %r4, %r4, FEATURE_SERVICES >> 16
        beq     no_hypercalls

        step    16                                  # calls that C answers
        li      %r3, 0x0C2
        li      %r4, 1
        proteus_call dcr_read
        fail_unless %r3, 0
        fail_unless %r4, 0
        li      %r3, 0x0C2
        li      %r4, 0
        proteus_call dcr_write
        fail_unless %r3, 0
        li      %r3, 0
        li      %r4, 0
        proteus_call uic_set
        .if     BOARD_HAS_UIC_SET
        fail_unless %r3, 0
        .else
        fail_unless %r3, HCALL_E_NUMBER
        .endif
        li      %r3, 0x3D6
        li      %r4, 1
        proteus_call spr_read
        fail_unless %r3, 0
        fail_unless %r4, 0
        li      %r3, 0x3B1                          # PID
        li      %r4, 5
        proteus_call spr_write
        fail_unless %r3, 0
        mfspr   %r4, 0x3B1
        fail_unless %r4, 5
        li      %r3, 0x3B1
        li      %r4, 0
        proteus_call spr_write
        fail_unless %r3, 0

        lwz     %r4, VAR(features)
        andis.  %r4, %r4, FEATURE_IPCM >> 16
        beq     no_hypercalls

        step    36                                  # a tunnel's life: it begins with the first round, and ends with the last
        li      %r3, 0
        proteus_call ipcm_status
        fail_unless %r3, 0
        andi.   %r4, %r4, TUNNEL_STATES
        bne     4f
        li      %r3, 0
        proteus_call ipcm_connect
        fail_unless %r3, 0
4:      li      %r3, 0
        proteus_call ipcm_status
        andi.   %r4, %r4, TUNNEL_PEER
        beq     4b
        .rept   4
        li      %r3, 0
        proteus_call ipcm_notify
        fail_unless %r3, 0
        .endr
        lwz     %r4, VAR(round)
        cmpwi   %r4, 1
        bne     no_hypercalls
        li      %r3, 0
        proteus_call ipcm_close
        fail_unless %r3, 0
no_hypercalls:

        lwz     %r4, VAR(features)
        andis.  %r4, %r4, FEATURE_IRFM >> 16
        beq     no_pages

        step    17                                  # the register pages, and what the trapped access says
        lis     %r6, PAGE_VERSION >> 16
        ori     %r6, %r6, PAGE_VERSION & 0xFFFF
        proteus_load %r5, version
        cmpw    %r5, %r6
        bne     fail
        li      %r6, 0x1234
        mtspr   0x01A, %r6
        li      %r5, 0
        walk    mfspr, proteus_mfspr %r5, srr0
        fail_unless %r5, 0x1234
        walk    mtspr, proteus_mtspr sprg1, %r5
        mfspr   %r7, 0x111
        fail_unless %r7, 0x1234

        step    18                                  # EE, with nothing that waits
        walk    wrteei_1, proteus_wrteei_1 %r5
        fail_unless_ee 1
        walk    wrteei_0, proteus_wrteei_0 %r5
        fail_unless_ee 0
        li      %r6, 0
        ori     %r6, %r6, MSR_EE
        walk    wrtee, proteus_wrtee %r6, %r5
        fail_unless_ee 1
        li      %r6, 0
        proteus_wrtee %r6, %r5
        fail_unless_ee 0
        ori     %r6, %r6, MSR_EE
        walk    mtmsr, proteus_mtmsr %r6, %r5
        fail_unless_ee 1
        li      %r6, 0
        proteus_mtmsr %r6, %r5
        fail_unless_ee 0

        step    19                                  # EE, with a PIT interrupt that waits
        li      %r4, 0
        stw     %r4, VAR(pit_count)
        lis     %r4, TCR_PIE
        mtspr   0x3DA, %r4
        li      %r4, PIT_TICKS
        mtspr   0x3DB, %r4
1:      proteus_load %r4, pending
        andi.   %r4, %r4, MSR_EE
        beq     1b
        lwz     %r4, VAR(pit_count)
        fail_unless %r4, 0
        proteus_wrteei_1 %r5
        lwz     %r4, VAR(pit_count)
        fail_unless %r4, 1
        proteus_wrteei_0 %r5
        li      %r4, 0
        mtspr   0x3DA, %r4
        mtspr   0x3DB, %r4
        stw     %r4, VAR(pit_count)
        lis     %r4, TSR_PIS                        # it may have come once more since
        mtspr   0x3D8, %r4
no_pages:

        lwz     %r3, VAR(round)
        subi    %r3, %r3, 1
        stw     %r3, VAR(round)
        cmpwi   %r3, 0
        bne     again

        step    20                                  # PIT interrupts of a running guest
        lis     %r4, TCR_PIE
        mtspr   0x3DA, %r4
        li      %r4, PIT_TICKS
        mtspr   0x3DB, %r4
        wrteei  1
1:      lwz     %r4, VAR(pit_count)
        cmpwi   %r4, ROUNDS
        blt     1b

        step    21                                  # and of a waiting one
        lis     %r5, MSR_WE >> 16
        ori     %r5, %r5, MSR_EE
1:      mtmsr   %r5
        lwz     %r4, VAR(pit_count)
        cmpwi   %r4, 2 * ROUNDS
        blt     1b
        wrteei  0
        li      %r4, 0
        mtspr   0x3DA, %r4

        step    22                                  # work through several time slices, so that another VM gets a turn
        lis     %r4, SLICES_WORK >> 16
        mtctr   %r4
1:      bdnz    1b

        b       pass

        .data
round:          .long 0
version:        .long 0
features:       .long 0
call_count:     .long 0
program_count:  .long 0
pit_count:      .long 0

#define NAME "bench"
#include "verdict.h"
