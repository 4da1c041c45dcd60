/*
 * intctest.c: a guest that uses Xilinx' interrupt controller as drivers do: first by software, every register and every line;
 * then with the inputs on, for the console's UART (it sends by interrupts) and for a timer (XPS Timer/Counter).
 *
 * One handler serves all: it asks IVR for the line, and acknowledges by IAR: an edge before it serves the device, a level
 * behind. The controller is read in words at BOARD_INTC_BASE, or in the DCR form by DCRs.
 *
 * A VM says by r3 what it has: 1 no timer, 2 a timer; the bare board has what it has.
 */
#include "print.h"
#include "simple.h"

#define NO_TIMER 1
#define TIMER    2

#define TICKS        20u
#define TIMER_CYCLES 10000u /* of the bus clock: 0.1 ms */

/* XPS Timer/Counter, timer 0 */
#define TCSR0      0
#define TLR0       1
#define TCSR_INT   0x100u /* write 1 to clear */
#define TCSR_ENT   0x080u
#define TCSR_ENIT  0x040u
#define TCSR_LOAD  0x020u
#define TCSR_ARHT  0x010u
#define TCSR_UDT   0x002u

#define mtspr(number, value) __asm__ volatile("mtspr %0, %1" ::"i"(number), "r"(value))

static volatile uint32_t taken[32];     /* interrupts by line */
static volatile uint32_t nobody;        /* interrupts without a line */
static volatile uint32_t by_software;   /* the lines of the first part */
static const char *volatile to_send;
static uint32_t checks;

static void enable(void)
{
    __asm__ volatile("wrteei 1" ::: "memory");
}

static void disable(void)
{
    __asm__ volatile("wrteei 0" ::: "memory");
}

static void __attribute__((noreturn)) end(void)
{
    board_drain();
    mtspr(0x3F2, BOARD_RESET_DBCR0);
    for (;;) {
    }
}

static void __attribute__((noreturn)) fail(const char *what, uint32_t number, uint32_t expected, uint32_t found)
{
    disable();
    put_text("\nintctest: FAIL ");
    put_text(what);
    board_putc(' ');
    put_decimal(number);
    put_text(" expected ");
    put_hex(expected);
    put_text(" found ");
    put_hex(found);
    board_putc('\n');
    end();
}

static void expect(const char *what, uint32_t number, uint32_t expected, uint32_t found)
{
    checks++;
    if (expected != found) {
        fail(what, number, expected, found);
    }
}

void simple_unexpected(uint32_t vector)
{
    fail("exception", vector, 0, vector);
}

static uint32_t time_low(void)
{
    uint32_t value;

    __asm__ volatile("mftb %0" : "=r"(value));
    return value;
}

/* Wait, for a second at most: natively all of this takes some milliseconds. */
static void wait_for(const char *what, volatile uint32_t *count, uint32_t enough)
{
    uint32_t start = time_low();

    while (*count < enough) {
        if (time_low() - start > BOARD_TB_HZ) {
            fail(what, enough, enough, *count);
        }
    }
}

/* ---- the handlers ---- */

#ifdef BOARD_TIMER_BASE
static volatile uint32_t *const timer = (volatile uint32_t *)BOARD_TIMER_BASE;
#define HAS_TIMER  1
#define TIMER_LINE BOARD_TIMER_LINE
static void timer_served(void)
{
    expect("TCSR0 in the handler", TIMER_LINE, TCSR_INT, timer[TCSR0] & TCSR_INT);
    if (taken[TIMER_LINE] == TICKS) {
        timer[TCSR0] = TCSR_INT;        /* and off */
    } else {
        timer[TCSR0] = timer[TCSR0];    /* the flag is one of the bits */
    }
}

static void timer_start(void)
{
    timer[TCSR0] = 0;
    timer[TLR0] = TIMER_CYCLES - 2;     /* data sheet: a period is TLR + 2 cycles */
    timer[TCSR0] = TCSR_INT | TCSR_LOAD;
    timer[TCSR0] = TCSR_ENT | TCSR_ENIT | TCSR_ARHT | TCSR_UDT;
}
#else
#define HAS_TIMER  0
#define TIMER_LINE 31u
#define BOARD_BUS_HZ 1u
static void timer_served(void)
{
}

static void timer_start(void)
{
}
#endif

/* One more character, or no more interrupts: a 16550's as long as its register is empty, a UartLite's when its FIFO gets so. */
static void uart_served(void)
{
    if (*to_send) {
        expect("room for a character", 0, 1, (uint32_t)board_can_send());
        board_send(*to_send++);
    } else {
        board_send_interrupts(0);
    }
}

static void served(uint32_t line)
{
    if (line == BOARD_UART_LINE) {
        uart_served();
    } else if (line == TIMER_LINE) {
        timer_served();
    }
}

void simple_interrupt(void)
{
    uint32_t line = intc_read(INTC_IVR);

    if (line == INTC_IVR_NONE) {
        nobody++;
        return;
    }
    expect("line", line, 1, line < 32);
    taken[line]++;
    if (by_software) {
        intc_write(INTC_IAR, 1u << line);
    } else if (line == BOARD_UART_LINE && BOARD_UART_EDGE) {
        intc_write(INTC_IAR, 1u << line);
        uart_served();
    } else {
        served(line);
        intc_write(INTC_IAR, 1u << line);
    }
}

/* ---- by software ---- */

/* Without an interrupt: what the registers say. */
static void check_registers(void)
{
    board_irq_reset();
    expect("ISR", 0, 0, intc_read(INTC_ISR));
    expect("IVR", 0, INTC_IVR_NONE, intc_read(INTC_IVR));
    intc_write(INTC_IER, 0x0F0F0F0F);
    expect("IER", 0, 0x0F0F0F0F, intc_read(INTC_IER));
    intc_write(INTC_SIE, 0x000000F0);
    expect("IER after SIE", 0, 0x0F0F0FFF, intc_read(INTC_IER));
    intc_write(INTC_CIE, 0x0F00000F);
    expect("IER after CIE", 0, 0x000F0FF0, intc_read(INTC_IER));
    intc_write(INTC_ISR, 0x00011011);
    expect("ISR", 1, 0x00011011, intc_read(INTC_ISR));
    expect("IPR", 1, 0x00010010, intc_read(INTC_IPR));
    expect("IVR", 1, 4, intc_read(INTC_IVR));
    intc_write(INTC_IAR, 0x00000010);
    expect("ISR after IAR", 2, 0x00011001, intc_read(INTC_ISR));
    expect("IPR after IAR", 2, 0x00010000, intc_read(INTC_IPR));
    expect("IVR after IAR", 2, 16, intc_read(INTC_IVR));
    intc_write(INTC_IER, 0);
    expect("IPR without IER", 3, 0, intc_read(INTC_IPR));
    expect("IVR without IER", 3, INTC_IVR_NONE, intc_read(INTC_IVR));
    expect("MER", 3, 0, intc_read(INTC_MER));
    board_irq_reset();
}

/* Each line by itself; nothing without IER, without MER[ME], without MSR[EE]. */
static void check_lines(void)
{
    by_software = 1;
    for (uint32_t line = 0; line < 32; line++) {
        board_irq_reset();
        enable();
        board_irq_raise_bits(1u << line);
        intc_write(INTC_MER, INTC_MER_ME);
        expect("interrupt without IER", line, 0, taken[line]);
        intc_write(INTC_MER, 0);
        intc_write(INTC_IER, 1u << line);
        expect("interrupt without MER", line, 0, taken[line]);
        disable();
        intc_write(INTC_MER, INTC_MER_ME);
        expect("interrupt without EE", line, 0, taken[line]);
        enable();
        expect("interrupt", line, 1, taken[line]);
        board_irq_raise_bits(1u << line);
        expect("interrupt at once", line, 2, taken[line]);
        disable();
        expect("ISR behind it", line, 0, intc_read(INTC_ISR));
        taken[line] = 0;
    }
    expect("interrupts of nobody", 0, 0, nobody);
}

/* All at once: each is taken once, the lowest number first. */
static void check_order(void)
{
    board_irq_reset();
    board_irq_enable_bits(0xFFFFFFFF);
    board_irq_raise_bits(0xFFFFFFFF);
    enable();
    disable();
    for (uint32_t line = 0; line < 32; line++) {
        expect("one of all", line, 1, taken[line]);
        taken[line] = 0;
    }
    expect("interrupts of nobody", 1, 0, nobody);
    board_irq_reset();
    by_software = 0;
}

/* ---- by devices ---- */

static void check_uart(void)
{
    static const char text[] = "intctest: sent by interrupts\n";

    board_drain();
    to_send = text;
    board_irq_enable(BOARD_UART_LINE);
    intc_write(INTC_ISR, 0x80000000);   /* too late: the inputs are on */
    expect("ISR by software, inputs on", 0, 0, intc_read(INTC_ISR) & 0x80000000);
    board_send_interrupts(1);
    enable();
    if (BOARD_UART_EDGE) {              /* its FIFO has been empty before: the first has to be sent without a pulse */
        disable();
        board_send(*to_send++);
        enable();
    }
    wait_for("characters sent", &taken[BOARD_UART_LINE], sizeof(text) - 1);
    while (*to_send) {
    }
    disable();
    board_send_interrupts(0);
    intc_write(INTC_CIE, 1u << BOARD_UART_LINE);
    board_drain();
}

static void check_timer(void)
{
    uint32_t start = time_low(), least = (TICKS - 1) * TIMER_CYCLES * (BOARD_TB_HZ / BOARD_BUS_HZ);

    board_irq_enable(TIMER_LINE);
    timer_start();
    enable();
    wait_for("ticks of the timer", &taken[TIMER_LINE], TICKS);
    disable();
    if (time_low() - start < least) {
        fail("time of all ticks", TICKS, least, time_low() - start);
    }
    expect("ticks", 0, TICKS, taken[TIMER_LINE]);
    intc_write(INTC_CIE, 1u << TIMER_LINE);
}

void simple_main(uint32_t r3, uint32_t r4)
{
    uint32_t has_timer = HAS_TIMER && r3 != NO_TIMER;

    (void)r4;
    board_uart_quiet();
    check_registers();
    check_lines();
    check_order();
    check_uart();
    if (has_timer) {
        check_timer();
    }
    expect("interrupts of nobody", 2, 0, nobody);
    put_text("intctest: PASS checks=");
    put_decimal(checks);
    put_text(" sent=");
    put_decimal(taken[BOARD_UART_LINE]);
    put_text(" ticks=");
    put_decimal(has_timer ? taken[TIMER_LINE] : 0);
    board_putc('\n');
    end();
}
