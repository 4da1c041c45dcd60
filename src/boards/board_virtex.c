/*
 * board_virtex.c: designs on Xilinx' Virtex-II Pro and Virtex-4 FX. Interrupt controller INTC, in memory or on the DCR bus;
 * the shared console is a UartLite or a 16550. Which, and where, says the board's file.
 */
#include "board.h"

#include "console.h"
#include "cpu.h"
#include "intc.h"
#include "irq.h"
#include "partition.h"

/* 16550: byte registers */
#define UART(reg) (BOARD_CONSOLE_BASE + BOARD_CONSOLE_OFFSET + BOARD_CONSOLE_STRIDE * (reg))
#define UART_DATA 0
#define UART_IER  1
#define UART_FCR  2
#define UART_LCR  3
#define UART_MCR  4
#define UART_LSR  5
#define FCR_ON    0x01 /* FIFOs, and an interrupt for each byte received */
#define LCR_8N1   0x03
#define LCR_DLAB  0x80
#define MCR_ON    0x09 /* DTR, and OUT2, which lets the interrupt out */
#define MCR_RTS   0x02
#define LSR_RX    0x01
#define LSR_OE    0x02
#define LSR_THRE  0x20
#define LSR_TEMT  0x40

/* UartLite (DS571): words. One bit enables the interrupts for both directions, which are pulses. */
#define LITE(reg)     (BOARD_CONSOLE_BASE + 4 * (reg))
#define LITE_RX       0
#define LITE_TX       1
#define LITE_STAT     2
#define LITE_CTRL     3
#define STAT_RX_VALID 0x01
#define STAT_TX_EMPTY 0x04
#define STAT_TX_FULL  0x08
#define STAT_OVERRUN  0x20
#define CTRL_RST      0x03 /* both FIFOs */
#define CTRL_INTR     0x10

#define FIFO_SIZE     16

#define IS_LITE       BOARD_CONSOLE_UARTLITE

/* Always inline: the number of a DCR is a constant of the instruction. */
#define INLINE static inline __attribute__((always_inline))

INLINE uint32_t intc_read(uint32_t reg)
{
    return BOARD_INTC_IS_DCR ? cpu_mfdcr(BOARD_INTC_DCR + reg) : cpu_in32(BOARD_INTC_BASE + 4 * reg);
}

INLINE void intc_write(uint32_t reg, uint32_t value)
{
    if (BOARD_INTC_IS_DCR) {
        cpu_mtdcr(BOARD_INTC_DCR + reg, value);
    } else {
        cpu_out32(BOARD_INTC_BASE + 4 * reg, value);
    }
}

/* 8 bits without parity. Without a baud rate in the board's file the 16550's divisor stays what it is. */
static void uart_init(void)
{
    if (IS_LITE) { /* its speed is a part of the design */
        cpu_out32(LITE(LITE_CTRL), CTRL_RST | CTRL_INTR);
        return;
    }
    if (BOARD_CONSOLE_DIVISOR != 0) {
        cpu_write8(UART(UART_LCR), LCR_DLAB);
        cpu_write8(UART(UART_DATA), (uint8_t)BOARD_CONSOLE_DIVISOR);
        cpu_write8(UART(UART_IER), BOARD_CONSOLE_DIVISOR >> 8);
    }
    cpu_write8(UART(UART_LCR), LCR_8N1);
    cpu_write8(UART(UART_FCR), FCR_ON);
    board_uart_want(BOARD_UART_RECEIVE);
}

/* Of the controller's optional registers (IPR, SIE, CIE, IVR) none is used: a design may be without. */
void board_init(void)
{
    intc_write(INTC_MER, 0);
    intc_write(INTC_IER, 0);
    intc_write(INTC_IAR, 0xFFFFFFFF);
    intc_write(INTC_MER, MER_ME | MER_HIE);
    if (IS_ENABLED(CONFIG_CONSOLE)) {
        uart_init();
        board_irq_unmask(BOARD_CONSOLE_IRQ);
    }
}

/*
 * The console's line. An edge that comes while we are here must count again, so it is acknowledged before; a level would
 * only come again, so it is after. UartLite's pulse says that its input is no longer empty: the console takes all of it, or
 * comes back by itself.
 */
static void console_line(void)
{
    uint32_t bit = INTC_BIT(BOARD_CONSOLE_IRQ);

    if ((INTC_EDGES & bit) != 0) {
        intc_write(INTC_IAR, bit);
    }
    console_poll();
    if ((INTC_EDGES & bit) == 0) {
        intc_write(INTC_IAR, bit);
    }
}

void board_irq_mask(uint32_t line)
{
    intc_write(INTC_IER, intc_read(INTC_IER) & ~INTC_BIT(line));
}

void board_interrupt(void)
{
    uint32_t active = intc_read(INTC_ISR) & intc_read(INTC_IER);

    /* loop: min(32, all.interrupts + 1) */
    while (active != 0) { /* the lines that are enabled: those of VMs, and the console's */
        uint32_t line = (uint32_t)__builtin_ctz(active);

        active &= active - 1;
        if (IS_ENABLED(CONFIG_CONSOLE) && line == BOARD_CONSOLE_IRQ) {
            console_line();
        } else {
            board_irq_mask(line);
            irq_route(line);
        }
    }
}

void board_irq_enable(uint32_t line)
{
    intc_write(INTC_IER, intc_read(INTC_IER) | INTC_BIT(line));
}

void board_irq_unmask(uint32_t line)
{
    intc_write(INTC_IAR, INTC_BIT(line));
    board_irq_enable(line);
}

/* A look at the status ends an overrun. */
static uint32_t status(void)
{
    uint32_t value = IS_LITE ? cpu_in32(LITE(LITE_STAT)) : cpu_read8(UART(UART_LSR));

    if ((value & (IS_LITE ? STAT_OVERRUN : LSR_OE)) != 0) {
        console_lost();
    }
    return value;
}

uint32_t board_uart_room(void)
{
    uint32_t now = status();

    if (!IS_LITE) {
        return (now & LSR_THRE) != 0 ? FIFO_SIZE : 0; /* the whole FIFO is empty */
    }
    return (now & STAT_TX_EMPTY) != 0 ? FIFO_SIZE : (now & STAT_TX_FULL) == 0;
}

void board_uart_send(uint8_t byte)
{
    if (IS_LITE) {
        cpu_out32(LITE(LITE_TX), byte);
    } else {
        cpu_write8(UART(UART_DATA), byte);
    }
}

bool board_uart_received(uint8_t *byte)
{
    if ((status() & (IS_LITE ? STAT_RX_VALID : LSR_RX)) == 0) {
        return false;
    }
    *byte = IS_LITE ? (uint8_t)cpu_in32(LITE(LITE_RX)) : cpu_read8(UART(UART_DATA));
    return true;
}

/*
 * UartLite tells every time that its FIFO has become empty or that its input no longer is, and there is one bit for both. Of a
 * 16550 without interrupts of received bytes they stay where they are: RTS tells the other end.
 */
void board_uart_want(uint32_t what)
{
    if (!IS_LITE) {
        cpu_write8(UART(UART_MCR), (uint8_t)(MCR_ON | (what & BOARD_UART_RECEIVE) * MCR_RTS));
        cpu_write8(UART(UART_IER), (uint8_t)what);
    }
}

/*
 * The transmitter is reset, too: what it has comes out before. A look takes ten ticks or more; the longest is a quarter of a
 * second. A UartLite does not tell of the byte behind its FIFO (DS571): it has two milliseconds.
 */
static void finish(void)
{
    uint32_t looks = BOARD_TB_HZ / 40;

    while (looks-- != 0 && (status() & (IS_LITE ? STAT_TX_EMPTY : LSR_TEMT)) == 0) {
    }
    for (looks = IS_LITE ? BOARD_TB_HZ / 5000 : 0; looks != 0; looks--) {
        status();
    }
}

void board_reset(void)
{
    if (IS_ENABLED(CONFIG_MESSAGES)) {
        finish();
    }
    cpu_mtspr(SPRN_DBCR0, DBCR0_RST);
    for (;;) {
    }
}
