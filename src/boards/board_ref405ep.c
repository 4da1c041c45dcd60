/*
 * board_ref405ep.c: the PPC405EP evaluation board as QEMU's `ref405ep` has it. UIC by DCR, 16550 UARTs.
 */
#include "board.h"

#include "console.h"
#include "cpu.h"
#include "irq.h"
#include "partition.h"
#include "uic.h"

/* 16550 registers, one byte apart */
#define UART(reg) (BOARD_UART0_BASE + (reg))
#define UART_DATA 0
#define UART_IER  1
#define UART_IIR  2
#define UART_FCR  2
#define UART_LCR  3
#define UART_MCR  4
#define UART_LSR  5
#define FIFO_SIZE 16
#define FCR_ON    0x01 /* and an interrupt for each byte received */
#define MCR_ON    0x09 /* DTR, and OUT2, which lets the interrupt out */
#define MCR_RTS   0x02
#define LSR_RX    0x01
#define LSR_OE    0x02
#define LSR_THRE  0x20
#define LSR_TEMT  0x40

#define DCR(reg) (BOARD_UIC_DCR + (reg))

void board_irq_mask(uint32_t line)
{
    cpu_mtdcr(DCR(UIC_ER), cpu_mfdcr(DCR(UIC_ER)) & ~UIC_BIT(line));
}

void board_init(void)
{
    cpu_mtdcr(DCR(UIC_ER), 0);
    cpu_mtdcr(DCR(UIC_CR), 0); /* nothing critical: the hypervisor keeps no state for it */
    cpu_mtdcr(DCR(UIC_PR), BOARD_UIC_POLARITY);
    cpu_mtdcr(DCR(UIC_TR), BOARD_UIC_TRIGGER);
    cpu_mtdcr(DCR(UIC_SR), 0xFFFFFFFF);
    if (IS_ENABLED(CONFIG_CONSOLE)) {
        cpu_write8(UART(UART_LCR), 0x03);
        cpu_write8(UART(UART_FCR), FCR_ON);
        board_uart_want(BOARD_UART_RECEIVE);
        board_irq_unmask(BOARD_UART0_IRQ);
    }
}

void board_interrupt(void)
{
    uint32_t active = cpu_mfdcr(DCR(UIC_MSR));

    /* loop: min(32, all.interrupts + 1) */
    while (active != 0) { /* the lines that are enabled: those of VMs, and the console's */
        uint32_t line = __builtin_clz(active);

        active &= ~UIC_BIT(line);
        if (IS_ENABLED(CONFIG_CONSOLE) && line == BOARD_UART0_IRQ) {
            console_poll();
            cpu_mtdcr(DCR(UIC_SR), UIC_BIT(line));
        } else {
            board_irq_mask(line);
            irq_route(line);
        }
    }
}

void board_irq_enable(uint32_t line)
{
    cpu_mtdcr(DCR(UIC_ER), cpu_mfdcr(DCR(UIC_ER)) | UIC_BIT(line));
}

void board_irq_unmask(uint32_t line)
{
    cpu_mtdcr(DCR(UIC_SR), UIC_BIT(line));
    board_irq_enable(line);
}

void board_irq_kind(uint32_t line, uint32_t edge, uint32_t high)
{
    uint32_t bit = UIC_BIT(line);
    uint32_t polarity = cpu_mfdcr(DCR(UIC_PR)) & ~bit;
    uint32_t trigger = cpu_mfdcr(DCR(UIC_TR)) & ~bit;

    cpu_mtdcr(DCR(UIC_PR), high != 0 ? polarity | bit : polarity);
    cpu_mtdcr(DCR(UIC_TR), edge != 0 ? trigger | bit : trigger);
}

/* A look at LSR ends OE. */
static uint8_t status(void)
{
    uint8_t value = cpu_read8(UART(UART_LSR));

    if ((value & LSR_OE) != 0) {
        console_lost();
    }
    return value;
}

uint32_t board_uart_room(void)
{
    return (status() & LSR_THRE) != 0 ? FIFO_SIZE : 0; /* the whole FIFO is empty */
}

void board_uart_send(uint8_t byte)
{
    cpu_write8(UART(UART_DATA), byte);
}

bool board_uart_received(uint8_t *byte)
{
    if ((status() & LSR_RX) == 0) {
        return false;
    }
    *byte = cpu_read8(UART(UART_DATA));
    return true;
}

/* Without interrupts of received bytes they stay where they are: RTS tells the other end. */
void board_uart_want(uint32_t what)
{
    cpu_write8(UART(UART_MCR), (uint8_t)(MCR_ON | (what & BOARD_UART_RECEIVE) * MCR_RTS));
    cpu_write8(UART(UART_IER), (uint8_t)what);
}

/*
 * The transmitter is reset, too: what it has comes out before. A look takes ten ticks or more; the longest is a quarter
 * of a second.
 */
void board_reset(void)
{
    uint32_t looks = IS_ENABLED(CONFIG_MESSAGES) ? BOARD_TB_HZ / 40 : 0;

    while (looks-- != 0 && (cpu_read8(UART(UART_LSR)) & LSR_TEMT) == 0) {
    }
    cpu_mtspr(SPRN_DBCR0, DBCR0_RST);
    for (;;) {
    }
}
