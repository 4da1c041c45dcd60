/*
 * rom.S: the smallest ROM image, 4 KiB: from the word at 0xFFFFFFFC to its start, a letter to the board's UART, reset.
 */
        .text
start:
#ifdef BOARD_raptor
        lis     %r4, 0x9021
        li      %r3, 'R'
        stw     %r3, 4(%r4)
#elif defined(BOARD_virtex)
        lis     %r4, 0x83E0
        li      %r3, 'R'
        stb     %r3, 0x1003(%r4)
#else
        lis     %r4, 0xEF60
        li      %r3, 'R'
        stb     %r3, 0x300(%r4)
#endif
        lis     %r3, 0x3000
        mtdbcr0 %r3
        b       .
        .org    0xFFC
        b       start
        .section .note.GNU-stack, "", @progbits
