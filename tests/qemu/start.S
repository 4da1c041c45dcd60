/*
 * start.S: entry, vectors and the way into other modes for the small programs of this folder.
 *
 * The programs ask one question each about the processor, so the handler is one for all vectors: it writes down what
 * the interrupt left in the registers (struct interrupt, bare.h) and goes on so that the program can look at it.
 *
 *   sc, and fetches that cannot go on (ISI, ITLB miss;     back to the caller of run_in()
 *   any interrupt while ESR[MCI] is set)
 *   program, data storage, alignment, data TLB miss        after the instruction
 *   machine check, unavailable units, from outside, timers where it was, with EE, CE and WE off: each comes once
 */

        .set    SAVE, 0x3000                    # r29, r30, r31, CR of the interrupted program
        .set    RUN, 0x3010                     # stack pointer, MSR of the caller of run_in()
        .set    RECORD, 0x3020                  # struct interrupt
        .set    SENTINEL, 0xDEAD0000            # in all SRRs, so that the handler sees which pair was used

        .macro  vector offset
        .org    \offset
        stw     %r31, SAVE + 8(0)
        li      %r31, \offset
        b       handler
        .endm

        .section .vectors, "ax"
        .irp    offset, 0x100, 0x200, 0x300, 0x400, 0x500, 0x600, 0x700, 0x800, 0xC00, 0xF20
        vector  \offset
        .endr
        .irp    offset, 0x1000, 0x1010, 0x1020, 0x1100, 0x1200, 0x1700, 0x2000
        vector  \offset
        .endr
        .org    0x3000
        .skip   0x1000

        .text
        .global _start
_start: lis     %r1, stack_end@ha
        la      %r1, stack_end@l(%r1)
        li      %r0, 0
        mtmsr   %r0
        isync
        mtevpr  %r0
        mtesr   %r0
        stwu    %r0, -16(%r1)
        bl      main
end:    lis     %r3, 0x3000                     # DBCR0[RST]: system reset, QEMU ends
        mtdbcr0 %r3
        b       .

/*
 * run_in: call a function in another mode.
 * In:       r3 the function, r4 the MSR for it, r5-r7 its arguments
 * Out:      r3 what it returned, if it did
 * Clobbers: SRR0-SRR3 and all volatile registers
 */
        .global run_in
run_in: stwu    %r1, -96(%r1)
        mflr    %r0
        stw     %r0, 100(%r1)
        stmw    %r13, 16(%r1)
        stw     %r1, RUN(0)
        mfmsr   %r0
        stw     %r0, RUN + 4(0)
        lis     %r9, leave@ha
        la      %r9, leave@l(%r9)
        mtlr    %r9
        mtsrr0  %r3
        mtsrr1  %r4
        lis     %r9, SENTINEL@h
        mtsrr2  %r9
        mtsrr3  %r9
        mr      %r3, %r5
        mr      %r4, %r6
        mr      %r5, %r7
        rfi
leave:  sc
returned:
        lmw     %r13, 16(%r1)
        lwz     %r0, 100(%r1)
        mtlr    %r0
        addi    %r1, %r1, 96
        blr

/* srr_forget: the sentinel into SRR0-SRR3. Clobbers r0. */
        .global srr_forget
srr_forget:
        lis     %r0, SENTINEL@h
        mtsrr0  %r0
        mtsrr1  %r0
        mtsrr2  %r0
        mtsrr3  %r0
        blr

/*
 * handler
 * In:    r31 the vector; SAVE + 8 has the program's r31
 * Holds: real mode, all interrupts off but machine check and whatever the chip leaves on
 */
handler:
        stw     %r30, SAVE + 4(0)
        mfmsr   %r30
        stw     %r30, RECORD + 8(0)
        stw     %r29, SAVE(0)
        mfcr    %r30
        stw     %r30, SAVE + 12(0)
        lwz     %r30, RECORD(0)
        addi    %r30, %r30, 1
        stw     %r30, RECORD(0)
        stw     %r31, RECORD + 4(0)
        mfsrr0  %r30
        stw     %r30, RECORD + 12(0)
        mfsrr1  %r30
        stw     %r30, RECORD + 16(0)
        mfsrr2  %r30
        stw     %r30, RECORD + 20(0)
        mfsrr3  %r30
        stw     %r30, RECORD + 24(0)
        mfesr   %r30
        stw     %r30, RECORD + 28(0)
        mfdear  %r30
        stw     %r30, RECORD + 32(0)

        cmpwi   %r31, 0xC00
        beq     to_caller
        cmpwi   %r31, 0x400
        beq     to_caller
        cmpwi   %r31, 0x1200
        beq     to_caller
        mfesr   %r30
        andis.  %r30, %r30, 0x8000              # ESR[MCI]
        bne     to_caller
        cmpwi   %r31, 0x1100
        beq     skip
        cmpwi   %r31, 0x1700
        beq     skip
        cmpwi   %r31, 0x800
        beq     quiet
        cmpwi   %r31, 0x200
        beq     quiet
        cmpwi   %r31, 0x300
        blt     quiet                           # critical input
        cmpwi   %r31, 0x500
        beq     quiet
        cmpwi   %r31, 0xF20
        bge     quiet                           # APU unavailable, timers, debug
skip:   mfsrr0  %r30
        addi    %r30, %r30, 4
        mtsrr0  %r30
        b       resume

/* The distribution's QEMU does not support rfci with -icount, and takes the watchdog for non-critical: whichever pair was
 * used, rfi. */
quiet:  mfsrr2  %r30
        lis     %r29, SENTINEL@h
        cmpw    %r30, %r29
        beq     1f
        mtsrr0  %r30
        mfsrr3  %r30
        mtsrr1  %r30
1:      mfsrr1  %r30
        lis     %r29, ~0x00068000@h             # WE, CE, EE
        ori     %r29, %r29, ~0x00068000@l
        and     %r30, %r30, %r29
        mtsrr1  %r30
        b       resume

to_caller:
        lwz     %r1, RUN(0)
        lwz     %r30, RUN + 4(0)
        mtsrr1  %r30
        lis     %r30, returned@ha
        la      %r30, returned@l(%r30)
        mtsrr0  %r30
resume: lwz     %r30, SAVE + 12(0)
        mtcr    %r30
        lwz     %r29, SAVE(0)
        lwz     %r30, SAVE + 4(0)
        lwz     %r31, SAVE + 8(0)
        rfi

        .bss
        .balign 16
        .skip   0x2000
stack_end:
        .section .note.GNU-stack, "", @progbits
