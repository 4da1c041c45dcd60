/*
 * echo.c: a guest that reads lines from its UART and says what it has read, until a line is `quit`.
 *
 * Input comes in one of two ways: by polling the line status register, or by receive interrupts, with MSR[WE] set while
 * there is nothing to do. Typed characters are not shown; Enter is answered by a new line, so that each answer has a
 * line of its own. Control characters appear as ^X.
 */
#include "print.h"
#include "simple.h"

#define RING 256u
#define LINE 200u

/* For a machine that starts without r3 = 1 to 9 and r4, which is the bare board. A test may change these in a copy. */
#define IN_THE_FILE __attribute__((section(".data"))) /* not in .bss, although zero */
volatile uint32_t echo_number IN_THE_FILE = 0; /* 0: the name is `echo` alone */
volatile uint32_t echo_by_interrupt IN_THE_FILE = 0;

static uint32_t number, interrupts_on;
static volatile uint8_t ring[RING];
static volatile uint32_t ring_in, ring_out; /* counts; both wrap */

#define mtspr(number, value) __asm__ volatile("mtspr %0, %1" ::"i"(number), "r"(value))

static void msr_write(uint32_t value)
{
    __asm__ volatile("mtmsr %0\n isync" ::"r"(value) : "memory");
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
    board_drain();
    mtspr(0x3F2, 0x30000000u);
    for (;;) {
    }
}

static void __attribute__((noreturn)) fail(const char *what, uint32_t value)
{
    board_putc('\n');
    put_name(": FAIL ");
    put_text(what);
    board_putc(' ');
    put_decimal(value);
    board_putc('\n');
    end();
}

void simple_unexpected(uint32_t vector)
{
    fail("unexpected exception", vector);
}

static void keep(uint8_t byte)
{
    if (ring_in - ring_out == RING) {
        fail("more input than room, after bytes", ring_in);
    }
    ring[ring_in % RING] = byte;
    ring_in = ring_in + 1;
}

/*
 * A 16550 has nothing else to interrupt for than received data, and no reason to when all has been read. A UartLite's
 * pulse may also mean that its transmit FIFO is empty; one more may come while this one is served.
 */
void simple_interrupt(void)
{
    uint32_t bytes = 0;
    uint8_t byte = 0;
    int found;

    if (BOARD_UART_EDGE) {
        board_irq_acknowledge(BOARD_UART_LINE);
    }
    while ((found = board_receive_next(&byte)) != 0) {
        if (found < 0) {
            fail("interrupt identification, with byte", byte);
        }
        keep(byte);
        bytes++;
    }
    if (!BOARD_UART_EDGE) {
        if (bytes == 0) {
            fail("interrupt without data, after bytes", ring_in);
        }
        board_irq_acknowledge(BOARD_UART_LINE);
    }
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
    while (!board_can_receive()) {
    }
    return board_receive();
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
            board_putc('^');
        }
        board_putc((char)(line[i] < ' ' ? line[i] ^ 0x40 : line[i]));
    }
}

static int is_quit(const uint8_t *line, uint32_t length)
{
    return length == 4 && line[0] == 'q' && line[1] == 'u' && line[2] == 'i' && line[3] == 't';
}

static void set_up(void)
{
    if (interrupts_on) {
        board_irq_reset();
        board_irq_enable(BOARD_UART_LINE);
    }
    board_receive_setup(interrupts_on != 0);
    while (interrupts_on && board_can_receive()) { /* before there were interrupts: nothing may tell of it any more */
        keep(board_receive());
    }
}

void simple_main(uint32_t r3, uint32_t r4)
{
    uint8_t line[LINE];
    uint32_t length, lines = 0;

    number = r3 >= 1 && r3 <= 9 ? r3 : echo_number;
    interrupts_on = r3 >= 1 && r3 <= 9 ? r4 : echo_by_interrupt;
    set_up();
    for (;;) {
        put_name("> ");
        length = read_line(line);
        board_putc('\n');
        if (is_quit(line, length)) {
            break;
        }
        lines++;
        put_name(": got ");
        put_line(line, length);
        board_putc('\n');
    }
    put_name(": PASS lines=");
    put_decimal(lines);
    board_putc('\n');
    end();
}
