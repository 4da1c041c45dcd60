/*
 * echo.c: a guest that reads lines from its UART and says what it has read, until a line is `quit`.
 *
 * Input comes in one of two ways: by polling the line status register, or by receive interrupts, with MSR[WE] set while
 * there is nothing to do. Typed characters are not shown; Enter is answered by a new line, so that each answer has a
 * line of its own. Control characters appear as ^X.
 */
#include "echo.h"

#define UART0     0xEF600300u
#define UART_DATA 0
#define UART_IER  1
#define UART_IIR  2
#define UART_LCR  3
#define UART_MCR  4
#define UART_LSR  5

#define IER_RX   0x01
#define IIR_NONE 0x01
#define IIR_RX   0x04
#define LSR_RX   0x01
#define LSR_THRE 0x20
#define LSR_TEMT 0x40

#define UIC_SR     0xC0
#define UIC_ER     0xC2
#define UIC_CR     0xC3
#define UIC_PR     0xC4
#define UIC_TR     0xC5
#define UIC_UART0  0x80000000u

#define RING 64u
#define LINE 200u

/* For a machine that starts without r3 = 1 to 9 and r4, which is the bare board. A test may change these in a copy. */
#define IN_THE_FILE __attribute__((section(".data"))) /* not in .bss, although zero */
volatile uint32_t echo_number IN_THE_FILE = 0; /* 0: the name is `echo` alone */
volatile uint32_t echo_by_interrupt IN_THE_FILE = 0;

static uint32_t number, interrupts_on;
static volatile uint8_t ring[RING];
static volatile uint32_t ring_in, ring_out; /* counts; both wrap */

#define mtspr(number, value) __asm__ volatile("mtspr %0, %1" ::"i"(number), "r"(value))
#define mtdcr(number, value) __asm__ volatile("mtdcr %0, %1" ::"i"(number), "r"(value))

static volatile uint8_t *const uart = (volatile uint8_t *)UART0;

static void msr_write(uint32_t value)
{
    __asm__ volatile("mtmsr %0\n isync" ::"r"(value) : "memory");
}

static void put(char c)
{
    while (!(uart[UART_LSR] & LSR_THRE)) {
    }
    uart[UART_DATA] = (uint8_t)c;
}

static void put_text(const char *text)
{
    while (*text) {
        put(*text++);
    }
}

static void put_decimal(uint32_t value)
{
    char digits[10];
    int count = 0;

    do {
        digits[count++] = (char)('0' + value % 10);
        value /= 10;
    } while (value);
    while (count) {
        put(digits[--count]);
    }
}

static void put_name(const char *text)
{
    put_text("echo");
    if (number) {
        put_decimal(number);
    }
    put_text(text);
}

static void __attribute__((noreturn)) end(void)
{
    while (!(uart[UART_LSR] & LSR_TEMT)) {
    }
    mtspr(0x3F2, 0x30000000u);
    for (;;) {
    }
}

static void __attribute__((noreturn)) fail(const char *what, uint32_t value)
{
    put('\n');
    put_name(": FAIL ");
    put_text(what);
    put(' ');
    put_decimal(value);
    put('\n');
    end();
}

void echo_unexpected(uint32_t vector)
{
    fail("unexpected exception", vector);
}

/* The UART has nothing else to interrupt for than received data, and no reason to when all has been read. */
void echo_interrupt(void)
{
    uint32_t bytes = 0;
    uint8_t iir;

    while (!((iir = uart[UART_IIR]) & IIR_NONE)) {
        uint8_t byte = uart[UART_DATA];

        if ((iir & 0x0F) != IIR_RX) {
            fail("interrupt identification", iir);
        }
        if (ring_in - ring_out == RING) {
            fail("more input than room, after bytes", ring_in);
        }
        ring[ring_in % RING] = byte;
        ring_in = ring_in + 1;
        bytes++;
    }
    if (bytes == 0) {
        fail("interrupt without data", iir);
    }
    mtdcr(UIC_SR, UIC_UART0);
}

/* Next byte by interrupt. EE is off between the look at the ring and the wait, or a byte in between would be slept over. */
static uint8_t next_from_ring(void)
{
    uint8_t byte;

    msr_write(MSR_ME);
    while (ring_in == ring_out) {
        msr_write(MSR_ME | MSR_EE | MSR_WE);
        msr_write(MSR_ME);
    }
    byte = ring[ring_out % RING];
    ring_out = ring_out + 1;
    msr_write(MSR_ME | MSR_EE);
    return byte;
}

static uint8_t next_byte(void)
{
    if (interrupts_on) {
        return next_from_ring();
    }
    while (!(uart[UART_LSR] & LSR_RX)) {
    }
    return uart[UART_DATA];
}

/* A line without its end, which is CR or LF. Gives its length; what is longer than LINE is cut. */
static uint32_t read_line(uint8_t *line)
{
    uint32_t length = 0;
    uint8_t byte;

    while ((byte = next_byte()) != '\r' && byte != '\n') {
        if (length < LINE) {
            line[length++] = byte;
        }
    }
    return length;
}

static void put_line(const uint8_t *line, uint32_t length)
{
    for (uint32_t i = 0; i < length; i++) {
        if (line[i] < ' ') {
            put('^');
        }
        put((char)(line[i] < ' ' ? line[i] ^ 0x40 : line[i]));
    }
}

static int is_quit(const uint8_t *line, uint32_t length)
{
    return length == 4 && line[0] == 'q' && line[1] == 'u' && line[2] == 'i' && line[3] == 't';
}

static void set_up(void)
{
    uart[UART_LCR] = 0x03;
    uart[UART_MCR] = 0x0B; /* OUT2 lets the interrupt out */
    uart[UART_IER] = 0;
    if (!interrupts_on) {
        return;
    }
    mtdcr(UIC_ER, 0);
    mtdcr(UIC_CR, 0);
    mtdcr(UIC_PR, 0xFFFFFFFFu);
    mtdcr(UIC_TR, 0);
    mtdcr(UIC_SR, 0xFFFFFFFFu);
    mtdcr(UIC_ER, UIC_UART0);
    uart[UART_IER] = IER_RX;
}

void echo_main(uint32_t r3, uint32_t r4)
{
    uint8_t line[LINE];
    uint32_t length, lines = 0;

    number = r3 >= 1 && r3 <= 9 ? r3 : echo_number;
    interrupts_on = r3 >= 1 && r3 <= 9 ? r4 : echo_by_interrupt;
    set_up();
    for (;;) {
        put_name("> ");
        length = read_line(line);
        put('\n');
        if (is_quit(line, length)) {
            break;
        }
        lines++;
        put_name(": got ");
        put_line(line, length);
        put('\n');
    }
    put_name(": PASS lines=");
    put_decimal(lines);
    put('\n');
    end();
}
