/*
 * uart_kind.h: what uart.S does for the kind of UART that it knows, CONSOLE_HOT: that of the most VMs. Registers that are words
 * are reached by word, or by their low byte.
 */
#ifndef PROTEUS_UART_KIND_H
#define PROTEUS_UART_KIND_H

#define OP_LWZ   32
#define OP_LBZ   34
#define OP_STW   36
#define OP_STB   38
#define LSR_RX   0x01
#define LSR_EMPTY 0x60
#define IER_TX   0x02
#define LCR_DLAB 0x80
#define STAT_TX_EMPTY 0x04

#if CONSOLE_HOT == CONSOLE_16550
#define OP_LOAD    OP_LBZ
#define OP_STORE   OP_STB
#define REG_DATA   0
#define REG_STATUS 5
#define REG_MODEM  6
#elif CONSOLE_HOT == CONSOLE_16550_WORDS
#define OP_LOAD    OP_LWZ
#define OP_STORE   OP_STW
#define REG_DATA   0
#define REG_STATUS 20
#define REG_MODEM  24
#else
#define OP_LOAD    OP_LWZ
#define OP_STORE   OP_STW
#define REG_DATA   4
#define REG_STATUS 8
#endif

/*
 * opcode_of: rKEY = opcode of rINSN; with registers in words, lbz and stb of the low byte are lwz and stw.
 * In, out: r27 = offset. Clobbers: CR0
 */
.macro opcode_of
#if OP_LOAD == OP_LWZ
    rlwinm. rKEY, rINSN, 0, 4, 4        /* the bit between the two */
    rlwinm  rKEY, rINSN, 6, 26, 31
    beq     4f
    addi    rKEY, rKEY, OP_LWZ - OP_LBZ
    addi    r27, r27, -3
4:
#else
    rlwinm  rKEY, rINSN, 6, 26, 31
#endif
.endm

/* is_zero field: to uart_other if that byte (or lhz: two) of the UART is not. In: r27 = UART. Clobbers: rKEY, CR0 */
.macro is_zero field, load=lbz
    \load   rKEY, \field(r27)
    cmpwi   rKEY, 0
    bne-    uart_other
.endm

/* modem_status: the constant that a 16550's modem status is. In: r27 = offset. Out: to uart_loaded. Clobbers: rVALUE, CR */
.macro modem_status
#if CONSOLE_HOT != CONSOLE_UARTLITE
    cmpwi   r27, REG_MODEM
    bne     6f
    mtcrf   0x60, rINSN
    li      rVALUE, UART_MODEM
    b       uart_loaded
6:
#endif
.endm

/* status_simple: to uart_other unless the status has nothing but what status_value says. In: r27 = UART. Clobbers: rKEY, CR0 */
.macro status_simple
    is_zero UART_HANDED
#if CONSOLE_HOT == CONSOLE_UARTLITE
    is_zero UART_ENABLED
    is_zero UART_OVERRUN
    is_zero UART_COUNT
#endif
.endm

/* status_value: rVALUE = what the guest reads. In: r27 = UART. Clobbers: rKEY, CR0 */
.macro status_value
#if CONSOLE_HOT == CONSOLE_UARTLITE
    li      rVALUE, STAT_TX_EMPTY
#else
    lbz     rKEY, UART_COUNT(r27)
    cmpwi   rKEY, 0
    li      rVALUE, LSR_EMPTY
    beq     3f
    ori     rVALUE, rVALUE, LSR_RX
3:
#endif
.endm

/* store_simple: to uart_other unless a byte goes to the line and nobody is told. In: r27 = UART. Clobbers: rKEY, CR0 */
.macro store_simple
    is_zero UART_CLOSED, lhz
#if CONSOLE_HOT == CONSOLE_UARTLITE
    is_zero UART_ENABLED
#else
    lbz     rKEY, UART_LCR(r27)
    andi.   rKEY, rKEY, LCR_DLAB
    bne-    uart_other
    lbz     rKEY, UART_IER(r27)
    andi.   rKEY, rKEY, IER_TX
    lbz     rKEY, UART_EMPTY(r27)
    beq     5f
    cmpwi   rKEY, 0                     /* its interrupt is active, and stays so? */
    beq-    uart_other
5:
#endif
.endm

/* as_it_is: to uart_other unless the byte goes to the line as it is. In: rVALUE. Clobbers: rKEY, CR0 */
.macro as_it_is
#if CONSOLE_PLAIN
    addi    rKEY, rVALUE, -' '
    cmplwi  rKEY, '~' - ' '
    bgt-    uart_other
#else
    cmpwi   rVALUE, '\n'
    beq-    uart_other
    cmpwi   rVALUE, '\r'
    beq-    uart_other
#endif
.endm

#endif
