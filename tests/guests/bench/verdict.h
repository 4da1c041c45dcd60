/*
 * verdict.h: the end of a bench guest; included behind its code, with NAME. Prints `NAME: PASS` or `NAME: FAIL <step>`, then
 * resets. Real mode.
 *
 * In:   at pass nothing; at fail the word step_number
 */
        .text
pass:   lis     %r4, pass_text@ha
        la      %r4, pass_text@l(%r4)
        bl      print
        b       reset

fail:   lis     %r4, fail_text@ha
        la      %r4, fail_text@l(%r4)
        bl      print
        lwz     %r4, step_number@l(0)
        li      %r5, 10
        divwu   %r6, %r4, %r5
        mullw   %r7, %r6, %r5
        subf    %r7, %r7, %r4
        addi    %r6, %r6, '0'
        addi    %r7, %r7, '0'
        stb     %r6, number_text@l(0)
        stb     %r7, number_text + 1@l(0)
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
2:      BOARD_UART_LOAD %r7, BOARD_UART_STATUS(%r5)
        andi.   %r7, %r7, BOARD_UART_READY
        beq     2b
        BOARD_UART_STORE %r6, BOARD_UART_SEND(%r5)
        addi    %r4, %r4, 1
        b       1b

        .data
        .balign 4
step_number:    .long 0
pass_text:      .ascii NAME
                .asciz ": PASS\n"
fail_text:      .ascii NAME
                .asciz ": FAIL step "
number_text:    .asciz "00\n"
