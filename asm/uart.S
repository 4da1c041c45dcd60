/*
 * uart.S: what a driver that polls does for every byte (option CONSOLE): lbz of LSR, stb of DATA. src/console.c does the
 * rest, and these as well when the byte ends a line, an interrupt is to follow, or the line waits for the board.
 */
#include "offsets.h"
#include "asm.h"
#include "fetch.h"
#include "gpr.h"
#include "hooks.h"

#define OP_LBZ   34
#define OP_STB   38
#define REG_DATA 0
#define REG_LSR  5
#define LSR_RX   0x01
#define LSR_EMPTY 0x60
#define IER_TX   0x02
#define LCR_DLAB 0x80

/*
 * uart_access
 * In:       rVCPU, rCR, r29 = DEAR - uart_base, 0 to 7; guest's r28-r30 in its register file, r31 in low_r31
 * Out:      to gpr_read and from there to uart_store; to gpr_write; or to data_miss_other with nothing changed
 * Clobbers: r27 (restored), r29, r30, CR
 */
func uart_access
    lwz     r30, VCPU_UART_CONTEXT(rVCPU)
    stw     r27, GPR(27)(rVCPU)
    lwz     r27, VCPU_CONTEXT_PID(rVCPU)
    cmplw   r27, r30
    bne-    uart_other
    mr      r27, r29
    fetch_trapped                       /* rINSN */
    rlwinm  rKEY, rINSN, 6, 26, 31
    cmpwi   rKEY, OP_LBZ
    beq     1f
    cmpwi   rKEY, OP_STB
    cmpwi   cr1, r27, REG_DATA
    bne-    uart_other
    bne-    cr1, uart_other
    lwz     r27, GPR(27)(rVCPU)
    mtcrf   0x60, rINSN
    crset   22                          /* as mtspr of a register that is none: gpr_read_done */
    li      rKEY, KEY_UART
    b       gpr_read

1:  cmpwi   r27, REG_LSR
    bne-    uart_other
    lwz     r27, VCPU_UART(rVCPU)
    lbz     rKEY, UART_HANDED(r27)
    cmpwi   rKEY, 0
    bne-    uart_other
    lbz     rKEY, UART_LENGTH(r27)
    cmpwi   rKEY, 0
    beq     2f
    lbz     rKEY, UART_POLL_COUNT(r27)  /* one more look in the middle of a line */
    addi    rKEY, rKEY, 1
    cmpwi   rKEY, UART_POLLS
    bgt-    uart_other
    stb     rKEY, UART_POLL_COUNT(r27)
2:  lbz     rKEY, UART_COUNT(r27)
    mtcrf   0x60, rINSN
    cmpwi   rKEY, 0
    li      rVALUE, LSR_EMPTY
    beq     3f
    ori     rVALUE, rVALUE, LSR_RX
3:  lwz     r27, GPR(27)(rVCPU)
    stat_count STAT_mmio, rKEY
    stat_count STAT_data_fault, rKEY
    b       gpr_write

uart_other:
    lwz     r27, GPR(27)(rVCPU)
    b       data_miss_other

/* uart_store: the byte in rVALUE goes to DATA. Registers as above */
    .globl uart_store
uart_store:
    stw     r27, GPR(27)(rVCPU)
    lwz     r27, VCPU_UART(rVCPU)
    lbz     rKEY, UART_HANDED(r27)
    cmpwi   rKEY, 0
    bne-    uart_other
    lbz     rKEY, UART_LCR(r27)
    andi.   rKEY, rKEY, LCR_DLAB
    bne-    uart_other
    lbz     rKEY, UART_IER(r27)
    andi.   rKEY, rKEY, IER_TX
    bne-    uart_other
    clrlwi  rVALUE, rVALUE, 24
    cmpwi   rVALUE, '\n'
    beq-    uart_other
    cmpwi   rVALUE, '\r'
    beq-    uart_other
    lbz     rKEY, UART_LENGTH(r27)
    cmpwi   rKEY, CONFIG_CONSOLE_LINE - 1
    bge-    uart_other
    add     rKEY, rKEY, r27
    stb     rVALUE, UART_LINE(rKEY)
    subf    rKEY, r27, rKEY
    addi    rKEY, rKEY, 1
    stb     rKEY, UART_LENGTH(r27)
    li      rKEY, 0
    stb     rKEY, UART_POLL_COUNT(r27)
    li      rKEY, 1
    stb     rKEY, UART_EMPTY(r27)
    lwz     r27, GPR(27)(rVCPU)
    stat_count STAT_mmio, rKEY
    stat_count STAT_data_fault, rKEY
    b       enter_step
endfunc uart_access
