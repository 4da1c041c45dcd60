/*
 * bench.S: a guest that walks the paths of `make bench`, each several times and with every general purpose register, so
 * that the longest case is among them. It checks what it reads, and runs bare as well.
 *
 * Real mode, supervisor; EVPR = 0. Needs 32 KiB. Prints `bench: PASS` or `bench: FAIL <step>`, then resets.
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

        step    9                                   # UIC: no line enabled
        li      %r4, 0
        mtdcr   0x0C2, %r4
        mfdcr   %r5, 0x0C2
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

        lwz     %r3, VAR(round)
        subi    %r3, %r3, 1
        stw     %r3, VAR(round)
        cmpwi   %r3, 0
        bne     again

        step    12                                  # PIT interrupts of a running guest
        lis     %r4, TCR_PIE
        mtspr   0x3DA, %r4
        li      %r4, PIT_TICKS
        mtspr   0x3DB, %r4
        wrteei  1
1:      lwz     %r4, VAR(pit_count)
        cmpwi   %r4, ROUNDS
        blt     1b

        step    13                                  # and of a waiting one
        lis     %r5, MSR_WE >> 16
        ori     %r5, %r5, MSR_EE
1:      mtmsr   %r5
        lwz     %r4, VAR(pit_count)
        cmpwi   %r4, 2 * ROUNDS
        blt     1b
        wrteei  0
        li      %r4, 0
        mtspr   0x3DA, %r4

        step    14                                  # work through several time slices, so that another VM gets a turn
        lis     %r4, SLICES_WORK >> 16
        mtctr   %r4
1:      bdnz    1b

        lis     %r4, pass_text@ha
        la      %r4, pass_text@l(%r4)
        bl      print
        b       reset

fail:   lis     %r4, fail_text@ha
        la      %r4, fail_text@l(%r4)
        bl      print
        lwz     %r4, VAR(step_number)
        li      %r5, 10
        divwu   %r6, %r4, %r5
        mullw   %r7, %r6, %r5
        subf    %r7, %r7, %r4
        addi    %r6, %r6, '0'
        addi    %r7, %r7, '0'
        stb     %r6, VAR(number_text)
        stb     %r7, VAR(number_text + 1)
        lis     %r4, number_text@ha
        la      %r4, number_text@l(%r4)
        bl      print
reset:  lis     %r4, BOARD_RESET_DBCR0 >> 16
        mtspr   0x3F2, %r4
        b       .

/* print. In: r4 = text, ended by a zero byte. Clobbers: r4-r7, CR0 */
print:  lis     %r5, BOARD_UART_BASE@h
        ori     %r5, %r5, BOARD_UART_BASE@l
1:      lbz     %r6, 0(%r4)
        cmpwi   %r6, 0
        beqlr
2:      lbz     %r7, BOARD_UART_LSR(%r5)
        andi.   %r7, %r7, BOARD_UART_THRE
        beq     2b
        stb     %r6, BOARD_UART_THR(%r5)
        addi    %r4, %r4, 1
        b       1b

        .data
round:          .long 0
step_number:    .long 0
call_count:     .long 0
program_count:  .long 0
pit_count:      .long 0
pass_text:      .asciz "bench: PASS\n"
fail_text:      .asciz "bench: FAIL step "
number_text:    .asciz "00\n"
