/*
 * uart.S: what a driver that polls does for every byte (option CONSOLE): a load of the status, a store of the data. C does the
 * rest (src/devices/uart.c), and these as well when the byte is a control character or begins a line that nobody looks after, an
 * interrupt is to follow, or the line waits for the board.
 * It knows one kind of UART (uart_kind.h).
 */
#include "offsets.h"
#include "asm.h"
#include "fetch.h"
#include "gpr.h"
#include "hooks.h"
#include "uart_kind.h"

/*
 * uart_access
 * In:       rVCPU, rCR, r29 = DEAR - uart_base, within the registers; guest's r28-r30 in its register file, r31 in low_r31
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
    opcode_of
    cmpwi   rKEY, OP_LOAD
    beq     1f
    cmpwi   rKEY, OP_STORE
    cmpwi   cr1, r27, REG_DATA
    bne-    uart_other
    bne-    cr1, uart_other
    lwz     r27, GPR(27)(rVCPU)
    mtcrf   0x60, rINSN
    crset   21                          /* gpr_read_done: to uart_store */
    crclr   22
    crclr   23
    b       gpr_read

1:  modem_status
    cmpwi   r27, REG_STATUS
    bne-    uart_other
    lwz     r27, VCPU_UART(rVCPU)
    status_simple
    lbz     rKEY, UART_LENGTH(r27)
    cmpwi   rKEY, 0
    beq     2f
    lbz     rKEY, UART_POLL_COUNT(r27)  /* one more look in the middle of a line */
    addi    rKEY, rKEY, 1
    cmpwi   rKEY, UART_POLLS
    bgt-    uart_other
    stb     rKEY, UART_POLL_COUNT(r27)
2:  mtcrf   0x60, rINSN
    status_value
uart_loaded:
    lwz     r27, GPR(27)(rVCPU)
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
    store_simple
    clrlwi  rVALUE, rVALUE, 24
    as_it_is
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
