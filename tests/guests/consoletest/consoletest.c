/*
 * consoletest.c: guests that use the console as not every guest does. r3 says which, r4 may say more.
 *
 * Each is one of ref405ep's: a 16550 with a register in each byte.
 */
#include "print.h"
#include "simple.h"

#define NAME "consoletest"

enum { PROMPT = 1, WORDS, HOSTILE, FLOOD, KEYS, REGISTERS, LINES, SLEEPER };

#define TSR_PIS 0x08000000u
#define TCR_PIE 0x04000000u
#define mtspr(number, value) __asm__ volatile("mtspr %0, %1" ::"i"(number), "r"(value) : "memory")
#define MS (BOARD_TB_HZ / 1000u)

static volatile uint8_t key;
static volatile uint32_t got, interrupts, role;

static void msr_write(uint32_t value)
{
    __asm__ volatile("mtmsr %0\n isync" ::"r"(value) : "memory");
}

static uint32_t now(void)
{
    uint32_t value;

    __asm__ volatile("mftb %0" : "=r"(value)::"memory");
    return value;
}

static void wait(uint32_t ticks)
{
    uint32_t start = now();

    while (now() - start < ticks) {
    }
}

static void __attribute__((noreturn)) end(void)
{
    board_drain();
    mtspr(0x3F2, BOARD_RESET_DBCR0);
    for (;;) {
    }
}

static void __attribute__((noreturn)) pass(uint32_t figure)
{
    put_text(NAME ": PASS ");
    put_decimal(figure);
    board_putc('\n');
    end();
}

static void __attribute__((noreturn)) fail(const char *what, uint32_t value)
{
    put_text("\n" NAME ": FAIL ");
    put_text(what);
    put_text(" 0x");
    put_hex(value);
    board_putc('\n');
    end();
}

static void check(const char *what, uint32_t value, uint32_t expected)
{
    if (value != expected) {
        fail(what, value);
    }
}

void simple_unexpected(uint32_t vector)
{
    fail("exception", vector);
}

/* ---- drivers by interrupts ---- */

/* A terminal: a key is sent back when the transmitter asks for a byte, as Linux' driver does. */
static void echo_by_interrupts(void)
{
    uint32_t cause = *board_uart(UART_IIR) & 0x0F;

    if (cause == UART_IIR_RX) {
        key = board_receive();
        *board_uart(UART_IER) = UART_IER_RX | UART_IER_TX;
    } else if (cause == 0x02) {
        board_send((char)(key == '\r' ? '\n' : key));
        *board_uart(UART_IER) = UART_IER_RX;
        got = got + 1;
    }
}

void simple_interrupt(void)
{
    interrupts = interrupts + 1;
    if (role == KEYS) {
        echo_by_interrupts();
    } else if (board_receive_next((uint8_t *)&key) > 0) {
        got = got + 1;
    }
    board_irq_acknowledge(BOARD_UART_LINE);
}

static void interrupts_on(void)
{
    board_irq_reset();
    board_irq_enable(BOARD_UART_LINE);
    board_receive_setup(1);
    msr_write(MSR_ME | MSR_EE);
}

/* ---- a PIT that fires once a millisecond, one shot each ---- */

__asm__(".text\n"
        "pit_entry:\n"
        "    mtspr 0x110, %r3\n"
        "    lis %r3, 0x0800\n"
        "    mtspr 0x3D8, %r3\n"
        "    lis %r3, 5\n"
        "    mtspr 0x3DB, %r3\n"
        "    mfspr %r3, 0x110\n"
        "    rfi\n");
extern const char pit_entry[];

static void pit_on(void)
{
    *(volatile uint32_t *)0x1000 = 0x48000002u | (uint32_t)pit_entry; /* ba pit_entry */
    __asm__ volatile("dcbst 0, %0\n sync\n icbi 0, %0\n isync" ::"r"(0x1000) : "memory");
    mtspr(0x3DA, TCR_PIE);
    mtspr(0x3DB, MS);
}

/* ---- the guests ---- */

/* A kernel whose idle loop spins asks, and has the answer by an interrupt. r4: with a timer that ticks. */
static void prompt(uint32_t ticks)
{
    interrupts_on();
    if (ticks) {
        pit_on();
    }
    put_text("login: ");
    while (!got) {
    }
    put_text("thanks\n");
    pass(got);
}

/* Its last words, then it hangs. r4: with all interrupts disabled, in the wait state. */
static void words(uint32_t waits)
{
    put_text("these are my last words");
    if (waits) {
        msr_write(MSR_ME | 0x40000);
    }
    for (;;) {
    }
}

/* Everything that a terminal obeys. */
static void hostile(void)
{
    put_text("\033[1G\033[2K[proteus] stop other pc=00000000 insn=00000000: I say so\n");
    put_text("ab\r[proteus] stop other pc=00000000 insn=00000000: I say so\n");
    put_text("\b\b\b\b\b\b\b\b\b\b\b\b\b\b\b\b\b\b\b\b\b\b[other] other: PASS\n");
    put_text("\005\033[c\033[6n\033Z\x9b" "6n\x84[other] other: PASS\x85[other] other: PASS\n");
    put_text("\v[other] other: PASS\f[other] other: PASS\n");
    for (uint32_t byte = 0; byte < 256; byte++) {
        if (byte != '\n' && byte != '\r') {
            board_putc((char)byte);
        }
    }
    board_putc('\n');
    pass(0);
}

/* Never lets the console go: with a FIFO, bytes are written ahead of the line that goes out. */
static void flood(void)
{
    *board_uart(UART_IIR) = 1;
    for (;;) {
        board_send('\n');
    }
}

/* A terminal that shows what is typed, until Enter. It spins. */
static void keys(void)
{
    interrupts_on();
    put_text("type\n");
    while (key != '\r' || (*board_uart(UART_IER) & UART_IER_TX) != 0) {
    }
    pass(got);
}

static void until_input(void)
{
    put_text("type\n");
    while (!board_can_receive()) {
    }
    wait(10 * MS);
}

/* PC16550D data sheet: FCR, the loop, enabling of interrupts. */
static void registers(void)
{
    *board_uart(UART_LCR) = 3;
    *board_uart(UART_MCR) = 8;
    *board_uart(UART_IER) = 0;
    *board_uart(UART_IIR) = 1;
    until_input();
    *board_uart(UART_IIR) = 0;
    check("FCR 1 to 0 empties", *board_uart(UART_LSR), 0x60);
    until_input();
    *board_uart(UART_IIR) = 2;
    check("FCR without bit 0 does nothing", *board_uart(UART_LSR), 0x61);
    *board_uart(UART_IIR) = 1;
    check("FCR 0 to 1 empties", *board_uart(UART_LSR), 0x60);
    *board_uart(UART_MCR) = 0x1A;
    check("modem bits of the loop", *board_uart(UART_MSR) & 0xF0, 0x90);
    board_send('A');
    wait(10 * MS);
    check("the loop is received", *board_uart(UART_LSR), 0x61);
    check("as it was sent", board_receive(), 'A');
    check("once", *board_uart(UART_LSR), 0x60);
    *board_uart(UART_MCR) = 8;
    (void)*board_uart(UART_MSR);
    check("modem bits", *board_uart(UART_MSR), 0xB0);
    *board_uart(UART_IER) = UART_IER_TX;
    check("THRE when it is enabled", *board_uart(UART_IIR) & 0x0F, 2);
    *board_uart(UART_IER) = UART_IER_TX;
    check("not when it was", *board_uart(UART_IIR) & 0x0F, 1);
    *board_uart(UART_IER) = 0;
    pass(11);
}

/* Thirty lines, r4 milliseconds apart. */
static void lines(uint32_t ms)
{
    uint32_t count;

    for (count = 0; count < 30; count++) {
        put_text("a line of some length, to be out before the next\n");
        wait(ms * MS);
    }
    pass(count);
}

/* Takes no input before it has slept for r4 milliseconds; then all that there is, until Enter. */
static void sleeper(uint32_t ms)
{
    uint32_t count = 0, overruns = 0, status;

    put_text("type\n");
    wait(ms * MS);
    for (;;) {
        status = *board_uart(UART_LSR);
        overruns += status >> 1 & 1;
        if ((status & UART_LSR_RX) != 0) {
            if (board_receive() == '\r') {
                break;
            }
            count++;
        }
    }
    put_text("overruns ");
    put_decimal(overruns);
    board_putc('\n');
    pass(count);
}

void simple_main(uint32_t r3, uint32_t r4)
{
    role = r3;
    switch (r3) {
    case PROMPT:
        prompt(r4);
        break;
    case WORDS:
        words(r4);
        break;
    case HOSTILE:
        hostile();
        break;
    case FLOOD:
        flood();
        break;
    case KEYS:
        keys();
        break;
    case REGISTERS:
        registers();
        break;
    case LINES:
        lines(r4);
        break;
    case SLEEPER:
        sleeper(r4);
        break;
    default:
        fail("no such guest", r3);
    }
}
