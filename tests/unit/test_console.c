/*
 * test_console.c: the shared console: a 16550 for each VM on one UART of the board (option CONSOLE).
 *
 * covers: kconfig.CONSOLE kconfig.CONSOLE_LINE kconfig.UART_16550
 */
#include "harness.h"

#include <string.h>

#include "console.h"
#include "irq.h"
#include "message.h"
#include "sched.h"
#include "uart.h"

enum { DATA, IER, IIR, LCR, MCR, LSR, MSR, SCR };

#define IER_RX   0x01
#define IER_TX   0x02
#define IER_STATUS 0x04
#define LSR_RX   0x01
#define LSR_OE   0x02
#define LSR_THRE 0x20
#define LSR_TEMT 0x40
#define FCR_ON   0x01
#define FCR_CLEAR_RX 0x02
#define FCR_CLEAR_TX 0x04
#define IIR_FIFO 0xC0
#define FIFO     16
#define ESCAPE   CONSOLE_ESCAPE

static struct vcpu *const first = &vcpu[0];
static struct vcpu *const second = &vcpu[1];

static uint32_t base(const struct vcpu *v)
{
    return vm_config[v - vcpu].console_base;
}

/* A register, wherever this VM's UART has it: in a byte, or in the low byte of a word. */
static void put(struct vcpu *v, uint32_t reg, uint32_t value)
{
    if (uart_is_bytes(&vm_config[v - vcpu])) {
        console_write(v, base(v) + reg, (uint8_t)value);
    } else {
        console_store(v, base(v) + 4 * reg, value & 0xFF, 0xFF);
    }
}

static uint32_t get(struct vcpu *v, uint32_t reg)
{
    if (uart_is_bytes(&vm_config[v - vcpu])) {
        return console_read(v, base(v) + reg);
    }
    return console_load(v, base(v) + 4 * reg, 0xFF);
}

static void type(struct vcpu *v, const char *text)
{
    for (; *text != 0; text++) {
        put(v, DATA, (uint8_t)*text);
    }
}

/* As a driver does: not before there is room. */
static void type_polled(struct vcpu *v, const char *text)
{
    for (; *text != 0; text++) {
        while ((get(v, LSR) & LSR_THRE) == 0) {
        }
        put(v, DATA, (uint8_t)*text);
    }
}

/* The board interrupts as long as the hypervisor wants to send. */
static void drain(void)
{
    uint32_t i;

    for (i = 0; i < 1000 && (fake.uart_ier & IER_TX) != 0; i++) {
        fake.lines = IRQ_BIT(BOARD_CONSOLE_IRQ);
        enter(external(current));
        fake.lines = 0;
    }
    assert_hex(fake.uart_ier & IER_TX, 0);
}

static void assert_output(const char *expected)
{
    drain();
    assert_string_equal(fake.output, expected);
    fake.output_length = 0;
    fake.output[0] = 0;
}

/* The PIT fires for the guest that runs, at the end of its slice or because the console wants to look. */
static void slice_ends(void)
{
    struct vcpu *(*road)(struct vcpu *) = (struct vcpu * (*)(struct vcpu *))(uintptr_t)pit_road;

    fake.time += SCHED_QUANTUM_TICKS;
    enter(road(current));
}

/* So many milliseconds pass, in which nobody else but v does anything. */
static void spins(struct vcpu *v, uint32_t ms)
{
    uint32_t i;

    for (i = 0; i < VM_COUNT; i++) {
        vcpu[i].msr = &vcpu[i] == v ? MSR_EE : MSR_WE | MSR_EE;
    }
    run_vm(v);
    for (i = 0; i < ms * (BOARD_TB_HZ / 1000); i += SCHED_QUANTUM_TICKS) {
        slice_ends();
    }
}

/* "[name] text", with the names of the partition file. */
static const char *tagged(const struct vcpu *v, const char *text)
{
    static char lines[8][256];
    static uint32_t next;
    char *line = lines[next++ % 8];

    snprintf(line, sizeof(lines[0]), "[%.8s] %s", vm_config[v - vcpu].name, text);
    return line;
}

static const char *both(const char *a, const char *b)
{
    static char texts[4][512];
    static uint32_t next;
    char *text = texts[next++ % 4];

    snprintf(text, sizeof(texts[0]), "%s%s", a, b);
    return text;
}

/* ---- output ---- */

static void one_line(void **state)
{
    (void)state;
    type(first, "hello");
    assert_output(""); /* not before the line is complete */
    type(first, "\n");
    assert_output(tagged(first, "hello\n"));
    type(second, "\n");
    assert_output(tagged(second, "\n"));
    type(first, "a\r\nb\r\n");
    assert_output(both(tagged(first, "a\n"), tagged(first, "b\n")));
    type(first, "a\rb\r\n\n\rc\n\r"); /* every end that systems give to a line */
    assert_output(both(both(tagged(first, "a\n"), tagged(first, "b\n")), both(tagged(first, "\n"), tagged(first, "c\n"))));
    type(first, "a\r\r\nb\n\n");
    assert_output(both(both(tagged(first, "a\n"), tagged(first, "b\n")), tagged(first, "\n")));
    assert_int_equal(fake.returns, 11); /* each line ends with \r\n: a terminal wants both */
}

/* The end of a line of which a part is out; somebody else's text has ended it already. */
/* All of it, a FIFO at a time. */
static void goes_out(void)
{
    uint32_t i;

    for (i = 0; i < 4; i++) {
        console_poll();
    }
}

static void end_of_a_part(void **state)
{
    (void)state;
    type(first, "10 %");
    console_rest(first);
    assert_output(tagged(first, "10 %"));
    type(first, "\r20 %");
    console_rest(first);
    assert_output(both("\n", tagged(first, "20 %")));
    type(first, "\r\n");
    assert_output("\n");
    type(first, "name: ");
    console_rest(first);
    type(second, "x\n");
    assert_output(both(tagged(first, "name: \n"), tagged(second, "x\n")));
    type(first, "\nwelcome\n");
    goes_out();
    type(first, "name: ");
    console_rest(first);
    type(second, "x\n");
    type(first, "joe\n\n");
    goes_out();
    assert_output(both(both(tagged(first, "welcome\n"), tagged(first, "name: \n")),
                       both(tagged(second, "x\n"), both(tagged(first, "joe\n"), tagged(first, "\n")))));
}

/* Two VMs write byte by byte in turn: two whole lines come out. */
static void interleaved(void **state)
{
    const char *a = "the first line\n", *b = "a second one..\n";

    (void)state;
    for (; *a != 0; a++, b++) {
        put(first, DATA, (uint8_t)*a);
        put(second, DATA, (uint8_t)*b);
    }
    assert_output(both(tagged(first, "the first line\n"), tagged(second, "a second one..\n")));
}

/* A line that fills the buffer comes out in pieces; the tag is not repeated unless somebody else wrote in between. */
static void long_line(void **state)
{
    char text[CONFIG_CONSOLE_LINE + 1];

    (void)state;
    memset(text, 'x', CONFIG_CONSOLE_LINE);
    text[CONFIG_CONSOLE_LINE] = 0;
    type(first, text);
    assert_output(tagged(first, text));
    type(first, "rest\n");
    assert_output("rest\n");
    type(first, text);
    assert_output(tagged(first, text));
    type(second, "mine\n");
    assert_output(both("\n", tagged(second, "mine\n")));
    type(first, "rest\n");
    assert_output(tagged(first, "rest\n"));
}

/* The board's UART takes a FIFO's worth at a time: nobody waits, nothing is lost, the guest sees its transmitter busy. */
static void slow_board(void **state)
{
    char seen[256] = "";

    (void)state;
    fake.room = 1;
    type(first, "0123456789\n");
    assert_int_equal(fake.output_length, FIFO);
    assert_true((fake.uart_ier & IER_TX) != 0); /* the board will interrupt */
    assert_hex(get(first, LSR) & (LSR_THRE | LSR_TEMT), 0);
    assert_hex(get(second, LSR) & LSR_THRE, LSR_THRE); /* the other's is free */
    type(second, "other\n");
    put(first, DATA, 'X'); /* overrun: lost, as on the chip */
    while ((fake.uart_ier & IER_TX) != 0) {
        fake.room = 1;
        fake.lines = IRQ_BIT(BOARD_CONSOLE_IRQ);
        enter(external(current));
        fake.lines = 0;
        assert_true(fake.output_length < sizeof(seen));
    }
    assert_output(both(tagged(first, "0123456789\n"), tagged(second, "other\n")));
    assert_hex(get(first, LSR) & (LSR_THRE | LSR_TEMT), LSR_THRE | LSR_TEMT);
}

/* With the FIFO on, what follows the end of a line at once waits; its 16 bytes and no more, in their order. */
static void fifo(void **state)
{
    uint32_t i;

    (void)state;
    assert_hex(get(first, IIR), 0x01); /* a 16450 until then */
    put(first, IIR, FCR_ON);
    assert_hex(get(first, IIR), IIR_FIFO | 0x01);
    assert_hex(get(second, IIR), 0x01);
    fake.room = 0;
    type(first, "one\n");
    for (i = 0; i < FIFO; i++) {
        put(first, DATA, 'a' + i);
    }
    type(first, "lost\n");
    type(second, "x\nlost\n"); /* its own is off */
    assert_hex(get(first, LSR) & LSR_THRE, 0);
    fake.room = FAKE_ROOM;
    console_poll();
    assert_hex(get(first, LSR) & LSR_THRE, LSR_THRE);
    put(first, DATA, '\n');
    assert_output(both(both(tagged(first, "one\n"), tagged(second, "x\n")), tagged(first, "abcdefghijklmnop\n")));
}

/* Several ends of lines among the bytes that wait; the board takes one FIFO at a time. */
static void fifo_of_lines(void **state)
{
    (void)state;
    put(first, IIR, FCR_ON);
    fake.room = 0;
    type(first, "1\n22\r\n333\n4444\n");
    while ((fake.uart_ier & IER_TX) != 0) {
        fake.room = 1;
        fake.lines = IRQ_BIT(BOARD_CONSOLE_IRQ);
        enter(external(current));
        fake.lines = 0;
        assert_true(fake.output_length < 200);
    }
    assert_output(both(both(tagged(first, "1\n"), tagged(first, "22\n")), both(tagged(first, "333\n"), tagged(first, "4444\n"))));
}

/* Longer than a line's buffer: the rest of what waits stays in order behind it. */
static void fifo_and_long_line(void **state)
{
    char text[CONFIG_CONSOLE_LINE + 1];

    (void)state;
    memset(text, 'x', CONFIG_CONSOLE_LINE);
    text[CONFIG_CONSOLE_LINE] = 0;
    put(first, IIR, FCR_ON);
    fake.room = 0;
    type(first, text);
    type(first, "rest\nand\n");
    fake.room = FAKE_ROOM;
    console_poll();
    assert_output(both(both(tagged(first, text), "rest\n"), tagged(first, "and\n")));
}

/* A guest that polls its LSR, as most do, needs no interrupt. */
static void polled(void **state)
{
    uint32_t polls = 0;

    (void)state;
    fake.room = 1;
    type(first, "longer than a FIFO\n");
    while ((get(first, LSR) & LSR_THRE) == 0) {
        assert_true(polls++ < 100);
        fake.room = 1;
    }
    fake.room = FAKE_ROOM;
    assert_true(polls > 0);
    assert_output(tagged(first, "longer than a FIFO\n"));
}

/* A flood from one VM leaves the other its turn at the end of each line. */
static void flood(void **state)
{
    uint32_t i;

    (void)state;
    fake.room = 0;
    type(first, "one\n");
    type(second, "two\n");
    for (i = 0; i < 1000; i++) {
        put(first, DATA, 'f');
    }
    fake.room = FAKE_ROOM;
    console_poll();
    assert_output(both(tagged(first, "one\n"), tagged(second, "two\n")));
}

/* One that always has a next line waiting does not keep the others from theirs: at most one line is between. */
static void fair(void **state)
{
    uint32_t i;

    (void)state;
    put(first, IIR, FCR_ON);
    fake.room = 0;
    type(first, "0\n");
    type(second, "mine\n");
    for (i = 0; i < 40; i++) {
        type(first, "f\n\n\n");
        fake.room = 1;
        console_poll();
    }
    fake.output[fake.output_length] = 0;
    assert_non_null(strstr(fake.output, both(tagged(first, "0\n"), tagged(second, "mine\n"))));
}

/* What all have written comes out, and what waits behind it. */
static void flush(void **state)
{
    (void)state;
    type(first, "half a line");
    type(second, "another");
    console_flush();
    assert_output(both(tagged(second, "another\n"), tagged(first, "half a line")));
    type(second, " half\nand more");
    console_flush();
    assert_output(both(both("\n", tagged(second, " half\n")), tagged(second, "and more")));
    console_flush();
    assert_output("");
}

/* The hypervisor's line: behind the last words of the VM that it is about, in a line of its own, and nobody waits for it. */
static void own_line(void **state)
{
    char line[100];

    (void)state;
    if (!IS_ENABLED(CONFIG_MESSAGES)) {
        skip();
    }
    put(first, IIR, FCR_ON);
    fake.room = 0;
    type(second, "half");
    type(first, "one\nlast words");
    first->pc = vm_config[0].ram_guest + ENTRY;
    message_stop(first, "why");
    message_stop(second, "too"); /* at the same time: one behind the other */
    assert_int_equal(fake.output_length, 0);
    fake.room = 1;
    console_poll();
    assert_in_range(fake.output_length, 1, FIFO); /* what there was room for */
    fake.room = FAKE_ROOM;
    drain();
    assert_non_null(strstr(fake.output, both(tagged(first, "one\n"), both(tagged(second, "half\n"), "[proteus] stop "))));
    snprintf(line, sizeof(line), "\n%s\n[proteus] stop %.8s pc=", tagged(first, "last words"), vm_config[0].name);
    assert_non_null(strstr(fake.output, line));
    assert_non_null(strstr(fake.output, ": why\n"));
    assert_non_null(strstr(fake.output, ": too\n"));
}

/* A guest that waits in the middle of a line (a prompt) has its line shown. */
static void prompt(void **state)
{
    (void)state;
    type(first, "login: ");
    first->msr = MSR_WE | MSR_EE;
    enter(console_wait(first)); /* the road of mtmsr with WE (asm/cold.S) */
    assert_output(tagged(first, "login: "));
}

#define PATIENCE_MS (CONSOLE_PATIENCE / (BOARD_TB_HZ / 1000))

/* A guest that spins behind its prompt: it comes out when two looks have found the same. */
static void prompt_of_one_that_spins(void **state)
{
    (void)state;
    type(first, "login: ");
    spins(first, PATIENCE_MS / 2);
    assert_output("");
    spins(first, 3 * PATIENCE_MS);
    assert_output(tagged(first, "login: "));
    type(first, "x"); /* and again */
    spins(first, 3 * PATIENCE_MS);
    assert_output("x");
    type(first, "\n");
    assert_output("\n");
}

/* While it writes on its line stays whole. */
static void slow_line(void **state)
{
    uint32_t i;

    (void)state;
    for (i = 0; i < 15; i++) {
        put(first, DATA, '.');
        spins(first, PATIENCE_MS / 2);
    }
    assert_output("");
    type(first, "\n");
    assert_output(tagged(first, "...............\n"));
}

/* As long as nobody writes, the end of a slice has nothing to do with the console; the first byte changes that. */
static void watches_on_demand(void **state)
{
    const uint32_t plain = (uint32_t)(uintptr_t)schedule, look = (uint32_t)(uintptr_t)console_tick;

    (void)state;
    spins(first, 2 * PATIENCE_MS);
    assert_hex(pit_road, plain);
    put(first, DATA, 'a');
    assert_hex(pit_road, look);
    assert_false(uarts[0].closed); /* the next ones by assembler */
    spins(first, 10 * PATIENCE_MS);
    assert_output(tagged(first, "a"));
    assert_hex(pit_road, plain);
    assert_true(uarts[0].closed && uarts[1].closed);
    put(second, DATA, 'b');
    put(first, DATA, 'c');
    vcpu_stop(second, STOP(FETCH));
    assert_hex(pit_road, look);
    spins(first, 10 * PATIENCE_MS);
    assert_hex(pit_road, plain); /* one that has stopped needs nobody */
}

/* What a terminal obeys is shown: nothing but printing characters and ends of lines reaches it. */
static void shown(void **state)
{
    uint32_t byte, i;

    (void)state;
    type_polled(first, "a\tbd\033[2J\b\a\x7f\x9b\xc3\xa9~\n");
    assert_output(tagged(first, "a\tbd^[[2J^H^G^?M-^[M-CM-)~\n"));
    for (byte = 0; byte < 256; byte++) {
        put(first, DATA, byte);
        console_rest(first);
        drain();
    }
    console_flush();
    for (i = 0; i < fake.output_length; i++) {
        assert_true(fake.output[i] == '\n' || fake.output[i] == '\t' || (fake.output[i] >= ' ' && fake.output[i] <= '~'));
    }
    fake.output_length = 0;
}

/* At the end of the buffer, too, where there is room for what one byte becomes. */
static void shown_at_the_end(void **state)
{
    static const char *const last[] = {"\t", "\xff", "\033", "\n", "x"};
    uint32_t i, k;

    (void)state;
    for (i = 0; i < COUNT(last); i++) {
        for (k = 1; k < CONFIG_CONSOLE_LINE; k++) {
            put(first, DATA, '.');
        }
        type(first, last[i]);
        drain();
        assert_in_range(uarts[0].length, 0, 0);
        assert_in_range(fake.output_length, CONFIG_CONSOLE_LINE, CONFIG_CONSOLE_LINE + 20);
        fake.output_length = 0;
    }
    assert_hex(uarts[1].handed | uarts[1].length | uarts[1].count, 0); /* what is behind */
}

/* Nothing forges a tag at the start of a line. */
static void forged_tag(void **state)
{
    (void)state;
    type_polled(first, "x\n[proteus] stop nobody\ny\r[proteus] stop nobody\n");
    assert_output(both(both(tagged(first, "x\n"), tagged(first, "[proteus] stop nobody\n")),
                       both(tagged(first, "y\n"), tagged(first, "[proteus] stop nobody\n"))));
}

/* ---- registers ---- */

static void registers(void **state)
{
    (void)state;
    put(first, SCR, 0xA5);
    put(second, SCR, 0x5A);
    assert_hex(get(first, SCR), 0xA5);
    assert_hex(get(second, SCR), 0x5A);
    put(first, LCR, 0x83); /* divisor latch */
    put(first, DATA, 0x12);
    put(first, IER, 0x34);
    assert_hex(get(first, DATA), 0x12);
    assert_hex(get(first, IER), 0x34);
    put(first, LCR, 0x03);
    assert_hex(get(first, LCR), 0x03);
    assert_hex(get(first, IER), 0);
    put(first, IER, 0xFF);
    assert_hex(get(first, IER), 0x0F); /* four bits exist */
    put(first, IER, 0);
    put(first, MCR, 0xFF);
    assert_hex(get(first, MCR), 0x1F);
    put(first, MCR, 0);
    get(first, MSR);
    assert_hex(get(first, LSR), LSR_THRE | LSR_TEMT);
    assert_hex(get(first, MSR), 0xB0);
    put(first, MSR, 0);
    put(first, LSR, 0);
    put(first, IIR, 0xC1); /* FIFO control */
    assert_hex(get(first, LSR), LSR_THRE | LSR_TEMT);
    assert_hex(get(first, IIR) & 0x0F, 0x01);
    assert_output("");
}

static void claims(void **state)
{
    uint32_t i;

    (void)state;
    for (i = 0; i < VM_COUNT; i++) {
        uint32_t at = vm_config[i].console_base, end = at + uart_size(&vm_config[i]);

        if (at == 0) {
            assert_false(console_claims(&vcpu[i], 0));
            assert_false(console_claims(&vcpu[i], BOARD_CONSOLE_BASE));
            continue;
        }
        assert_true(console_claims(&vcpu[i], at));
        assert_true(console_claims(&vcpu[i], end - 1));
        assert_false(console_claims(&vcpu[i], end));
        assert_false(console_claims(&vcpu[i], at - 1));
        assert_hex(console_read(&vcpu[i], end), 0);
        console_write(&vcpu[i], end, '!');
        console_write(&vcpu[i], end, '\n');
    }
    assert_output("");
}

/* ---- input ---- */

static void keys(const char *text)
{
    fake.input = text;
    while (*fake.input != 0) {
        console_poll();
    }
}

static void assert_input(struct vcpu *v, const char *expected)
{
    for (; *expected != 0; expected++) {
        assert_hex(get(v, LSR) & LSR_RX, LSR_RX);
        assert_hex(get(v, DATA), (uint8_t)*expected);
    }
    assert_hex(get(v, LSR) & LSR_RX, 0);
    assert_hex(get(v, DATA), 0);
}

static struct vcpu *focused(void)
{
    return &vcpu[CONSOLE_FOCUS];
}

static struct vcpu *not_focused(void)
{
    return CONSOLE_FOCUS == 0 ? second : first;
}

static void to_the_focus(void **state)
{
    (void)state;
    keys("abc");
    assert_input(not_focused(), "");
    assert_input(focused(), "abc");
}

/* The escape key and the VM's digit; twice the escape key is one; any other key is itself. */
static void escape(void **state)
{
    const char to_first[] = {ESCAPE, '1', 'a', 0}, to_second[] = {ESCAPE, '2', 'b', 0};
    const char twice[] = {ESCAPE, ESCAPE, 'c', 0}, other[] = {ESCAPE, 'd', '2', 0}, none[] = {ESCAPE, '9', 'e', 0};
    const char itself[] = {ESCAPE, 'c', 0};

    (void)state;
    keys(to_first);
    keys(to_second);
    assert_input(first, "a");
    assert_input(second, "b");
    keys(twice);
    assert_input(second, itself);
    keys(other);
    assert_input(second, "d2");
    keys(none); /* there is no such VM */
    assert_input(second, "9e");
    assert_input(first, "");
}

static void many(char *text, uint32_t count)
{
    memset(text, 'k', count);
    text[count] = 0;
    fake.input = text;
}

/* More than the buffer holds stays in the board's UART, which does not interrupt for it; all of it arrives. */
static void too_much_input(void **state)
{
    char text[201];
    uint32_t count = 0;

    (void)state;
    many(text, 200);
    console_poll();
    assert_ptr_equal(fake.input, text + FIFO);
    if (!BOARD_CONSOLE_UARTLITE) {
        assert_hex(fake.uart_ier, 0);
        assert_hex(fake.uart_mcr, 0x09); /* RTS: not now */
    }
    console_poll();
    assert_ptr_equal(fake.input, text + FIFO);
    while ((get(focused(), LSR) & LSR_RX) != 0) {
        assert_hex(get(focused(), LSR) & LSR_OE, 0);
        assert_hex(get(focused(), DATA), 'k');
        assert_true(count++ < 200);
    }
    assert_int_equal(count, 200);
    assert_input(not_focused(), "");
    if (!BOARD_CONSOLE_UARTLITE) {
        assert_hex(fake.uart_ier, IER_RX);
        assert_hex(fake.uart_mcr, 0x0B);
    }
    keys("z");
    assert_input(focused(), "z");
}

/* Whoever takes nothing for a second must not keep the keys behind it from the others: they are read, and its are lost. */
static void input_is_let_go(void **state)
{
    char text[41];
    uint32_t i;

    (void)state;
    spins(focused(), 2000); /* how long it had none does not count */
    many(text, 38);
    text[36] = ESCAPE;
    text[37] = CONSOLE_FOCUS == 0 ? '2' : '1';
    console_poll();
    spins(focused(), 900 - PATIENCE_MS);
    assert_ptr_equal(fake.input, text + FIFO);
    assert_hex(get(focused(), DATA), 'k'); /* it lives, and has another second */
    assert_ptr_equal(fake.input, text + FIFO + 1);
    spins(focused(), 900 - PATIENCE_MS);
    assert_ptr_equal(fake.input, text + FIFO + 1);
    spins(focused(), 200 + 2 * PATIENCE_MS);
    assert_hex(*fake.input, 0);
    keys("x");
    assert_input(not_focused(), "x");
    assert_hex(get(focused(), LSR) & (LSR_OE | LSR_RX), LSR_OE | LSR_RX);
    for (i = 0; i < FIFO; i++) {
        assert_hex(get(focused(), LSR) & (LSR_OE | LSR_RX), LSR_RX); /* told once */
        assert_hex(get(focused(), DATA), 'k');
    }
    assert_input(focused(), "");
    spins(focused(), 3 * PATIENCE_MS);
    assert_hex(pit_road, (uint32_t)(uintptr_t)schedule);
}

/* The focus goes away from one that takes nothing, and comes back: what is typed then waits for him a second more. */
static void time_of_the_focus(void **state)
{
    char text[45];

    (void)state;
    many(text, 44);
    text[40] = ESCAPE;
    text[41] = CONSOLE_FOCUS == 0 ? '2' : '1';
    text[42] = ESCAPE;
    text[43] = '1' + CONSOLE_FOCUS;
    console_poll();
    spins(focused(), 1000 + 2 * PATIENCE_MS);
    assert_hex(*fake.input, 0);
    fake.input = "y";
    spins(focused(), 900 - PATIENCE_MS);
    assert_hex(*fake.input, 'y');
    assert_hex(get(focused(), LSR) & LSR_OE, LSR_OE);
    assert_input(focused(), "kkkkkkkkkkkkkkkky");
}

/* What the board's UART itself has lost is told to who would have got it, by its interrupt for that, too. */
static void overrun_of_the_board(void **state)
{
    struct vcpu *v = focused();

    (void)state;
    put(v, IER, IER_STATUS | IER_RX);
    fake.overrun = true;
    keys("a");
    console_poll();
    assert_hex(get(v, IIR), 0x06);
    assert_hex(get(v, LSR), LSR_OE | LSR_RX | LSR_THRE | LSR_TEMT);
    assert_hex(get(v, IIR), 0x04);
    assert_hex(get(v, LSR), LSR_RX | LSR_THRE | LSR_TEMT);
    assert_hex(get(not_focused(), LSR), LSR_THRE | LSR_TEMT);
}

/* Switching says who has the input now: the last one, if there was no room to say more. */
static void focus_is_told(void **state)
{
    const char to_second[] = {ESCAPE, '2', 0}, to_both[] = {ESCAPE, '2', ESCAPE, '1', 0};
    char line[64];

    (void)state;
    type(first, "> ");
    console_rest(first);
    drain();
    keys(to_second);
    snprintf(line, sizeof(line), "\n[proteus] focus %.8s\n", vm_config[1].name);
    assert_output(both(tagged(first, "> "), IS_ENABLED(CONFIG_MESSAGES) ? line : ""));
    fake.room = 0;
    keys(to_both);
    fake.room = FAKE_ROOM;
    console_poll();
    snprintf(line, sizeof(line), "[proteus] focus %.8s\n", vm_config[0].name);
    assert_output(IS_ENABLED(CONFIG_MESSAGES) ? line : "");
}

/* ---- interrupts ---- */

static bool line_is_active(const struct vcpu *v)
{
#ifdef CONFIG_UIC
    return (v->uic_active & IRQ_BIT(CONSOLE_IRQ(&vm_config[v - vcpu]))) != 0;
#else
    (void)v;
    return false;
#endif
}

/* THRE: at once when enabled with an empty transmitter, again after each line; reading IIR ends it. */
static void transmit_interrupt(void **state)
{
    (void)state;
    put(first, IER, IER_TX);
    assert_int_equal(line_is_active(first), IS_ENABLED(CONFIG_UIC));
    assert_hex(get(first, IIR), 0x02);
    assert_false(line_is_active(first));
    assert_hex(get(first, IIR), 0x01);
    put(first, DATA, 'x');
    assert_hex(get(first, IIR), 0x02);
    fake.room = 0;
    put(first, DATA, '\n');
    assert_false(line_is_active(first)); /* not while the line goes out */
    assert_hex(get(first, IIR), 0x01);
    fake.room = FAKE_ROOM;
    console_poll();
    assert_int_equal(line_is_active(first), IS_ENABLED(CONFIG_UIC));
    assert_hex(get(first, IIR), 0x02);
    put(first, IER, 0);
    assert_false(line_is_active(first));
}

/*
 * The data sheet: what is written to THR, or a look at IIR, ends it, and only an empty THR begins one. So writing the enable
 * once more does not.
 */
static void transmit_interrupt_enabled_again(void **state)
{
    (void)state;
    put(first, IER, IER_TX);
    assert_hex(get(first, IIR), 0x02);
    put(first, IER, IER_TX);
    put(first, IER, IER_TX | IER_RX);
    assert_hex(get(first, IIR), 0x01);
    assert_false(line_is_active(first));
    put(first, IER, IER_RX);
    put(first, IER, IER_TX | IER_RX);
    assert_hex(get(first, IIR), 0x02);
}

/* A carriage return goes nowhere, but a driver that waits for THRE behind it gets that. */
static void carriage_return_interrupts(void **state)
{
    (void)state;
    put(first, IER, IER_TX);
    assert_hex(get(first, IIR), 0x02);
    assert_false(line_is_active(first));
    put(first, DATA, '\r');
    assert_int_equal(line_is_active(first), IS_ENABLED(CONFIG_UIC));
    assert_hex(get(first, IIR), 0x02);
    assert_hex(get(first, IIR), 0x01);
    type(first, "\r\n\r");
    assert_output(tagged(first, "\n"));
}

/* Received data: as long as there is any; before THRE. */
static void receive_interrupt(void **state)
{
    struct vcpu *v = focused();

    (void)state;
    keys("ab");
    assert_false(line_is_active(v));
    put(v, IER, IER_RX | IER_TX);
    assert_int_equal(line_is_active(v), IS_ENABLED(CONFIG_UIC));
    assert_hex(get(v, IIR), 0x04);
    assert_hex(get(v, DATA), 'a');
    assert_hex(get(v, IIR), 0x04);
    assert_hex(get(v, DATA), 'b');
    assert_hex(get(v, IIR), 0x02);
    assert_hex(get(v, IIR), 0x01);
    assert_false(line_is_active(v));
}

/* A key wakes the guest that waits for it. */
static void key_wakes(void **state)
{
    struct vcpu *v = focused();

    (void)state;
    if (!IS_ENABLED(CONFIG_UIC)) {
        skip();
    }
    put(v, IER, IER_RX);
    irq_write(v, IRQ_ENABLE, IRQ_BIT(CONSOLE_IRQ(&vm_config[v - vcpu])));
    v->msr = MSR_WE | MSR_EE;
    v->evpr = 0;
    enter(schedule(current));
    fake.input = "k";
    fake.lines = IRQ_BIT(BOARD_CONSOLE_IRQ);
    enter(external(current));
    fake.lines = 0;
    assert_true(vcpu_can_run(v));
    run_vm(v);
    assert_hex(v->pc, 0x0500);
}

/* FCR: a change of bit 0 empties both FIFOs, without it the other bits do nothing; a reset turns it off, too. */
static void fifo_control(void **state)
{
    struct vcpu *v = focused();

    (void)state;
    keys("a");
    put(v, IIR, FCR_CLEAR_RX); /* it is off */
    assert_hex(get(v, LSR) & LSR_RX, LSR_RX);
    put(v, IIR, FCR_ON);
    assert_hex(get(v, LSR) & LSR_RX, 0);
    keys("abc");
    put(v, IIR, FCR_ON);
    assert_hex(get(v, LSR) & LSR_RX, LSR_RX);
    put(v, IIR, FCR_ON | FCR_CLEAR_RX);
    assert_hex(get(v, LSR) & LSR_RX, 0);
    assert_hex(get(v, IIR), IIR_FIFO | 0x01);
    keys("d");
    put(v, IIR, 0);
    assert_hex(get(v, IIR), 0x01);
    assert_input(v, "");
    put(first, IIR, FCR_ON);
    fake.room = 0;
    type(first, "line\nwaits\n");
    put(first, IIR, FCR_ON | FCR_CLEAR_TX);
    type(first, "then\n");
    put(first, IIR, FCR_ON | FCR_CLEAR_RX); /* not this one */
    fake.room = FAKE_ROOM;
    console_poll();
    assert_output(both(tagged(first, "line\n"), tagged(first, "then\n")));
    fake.room = 0;
    type(first, "line\nwaits\n");
    vcpu_reset(first, 1);
    fake.room = FAKE_ROOM;
    console_poll();
    assert_hex(get(first, IIR), 0x01);
    type(first, "new\n");
    assert_output(both(tagged(first, "line\n"), tagged(first, "new\n")));
}

/* Input that stays in the board's UART follows when a FIFO was emptied by FCR. */
static void fifo_control_makes_room(void **state)
{
    char text[25];

    (void)state;
    many(text, 24);
    console_poll();
    put(focused(), IIR, FCR_ON);
    assert_input(focused(), "kkkkkkkk");
}

static bool is_hot(const struct vcpu *v)
{
    return CONSOLE_KIND(&vm_config[v - vcpu]) == CONSOLE_HOT;
}

/* MCR bit 4: what is written is received, and goes nowhere else; modem outputs are inputs. Keys wait meanwhile. */
static void loopback(void **state)
{
    struct vcpu *v = focused();
    uint32_t i;

    (void)state;
    put(v, LCR, 0x03);
    assert_int_equal(console_is_near(v, base(v)), is_hot(v));
    put(v, MCR, 0x1A); /* OUT2, RTS: what Linux looks for */
    assert_hex(get(v, MSR) & 0xF0, 0x90);
    fake.input = "key";
    console_poll();
    put(v, DATA, 'A');
    put(v, DATA, '\n');
    assert_input(v, "A\n");
    put(v, IER, IER_RX | IER_TX);
    put(v, DATA, 'B');
    assert_hex(get(v, IIR), 0x04);
    assert_hex(get(v, DATA), 'B');
    assert_hex(get(v, IIR), 0x02);
    assert_hex(get(v, IIR), 0x01);
    for (i = 0; i <= FIFO; i++) {
        put(v, DATA, 'C');
    }
    assert_hex(get(v, LSR), LSR_RX | LSR_OE | LSR_THRE | LSR_TEMT);
    assert_false(console_is_near(v, base(v))); /* not for the assembler */
    put(v, IIR, FCR_ON | FCR_CLEAR_RX);
    put(v, MCR, 0x0B);
    get(v, MSR);
    assert_int_equal(console_is_near(v, base(v)), is_hot(v));
    assert_input(v, "key");
    assert_output("");
    type(v, "out\n");
    assert_output(tagged(v, "out\n"));
}

/* Which output is which input, and what has changed since the last look; RI tells only that it ended. */
static void loopback_of_the_modem(void **state)
{
    static const struct {
        uint8_t mcr, msr;
    } rows[] = {{0x10, 0x0B}, {0x11, 0x22}, {0x13, 0x31}, {0x17, 0x70}, {0x1F, 0xF8}, {0x1B, 0xB4}, {0x10, 0x0B},
                {0x10, 0x00}, {0x00, 0xBB}, {0x00, 0xB0}};
    uint32_t i;

    (void)state;
    put(first, IER, 0x08);
    for (i = 0; i < COUNT(rows); i++) {
        put(first, MCR, rows[i].mcr);
        assert_int_equal(line_is_active(first), IS_ENABLED(CONFIG_UIC) && (rows[i].msr & 0x0F) != 0);
        assert_hex(get(first, IIR), (rows[i].msr & 0x0F) != 0 ? 0x00 : 0x01);
        assert_hex(get(first, MSR), rows[i].msr);
        assert_hex(get(first, IIR), 0x01);
    }
    put(first, MCR, 0x12); /* there and back between two looks: that is seen */
    put(first, MCR, 0x00);
    assert_hex(get(first, MSR), 0xBA);
}

/* A reset VM's UART is as after reset; what it wrote before still comes out; the other keeps its own. */
static void reset(void **state)
{
    (void)state;
    put(first, IER, 0x0F);
    put(first, LCR, 0x83);
    put(first, MCR, 0x0F);
    put(second, IER, IER_RX);
    put(first, LCR, 0x03);
    type(first, "last words");
    vcpu_reset(first, 1);
    assert_hex(get(first, IER), 0);
    assert_hex(get(first, LCR), 0);
    assert_hex(get(first, MCR), 0);
    assert_false(line_is_active(first));
    assert_hex(get(second, IER), IER_RX);
    type(second, "x\n");
    console_poll();
    assert_non_null(strstr(fake.output, tagged(first, "last words")));
    assert_non_null(strstr(fake.output, tagged(second, "x\n")));
}

/* The restart of one VM does not take the input away from another. */
static void reset_keeps_the_focus(void **state)
{
    const char to_second[] = {ESCAPE, '2', 0}, to_first[] = {ESCAPE, '1', 0};

    (void)state;
    keys(to_first);
    vcpu_reset(first, 1);
    keys("a");
    assert_input(first, "a");
    keys(to_second);
    vcpu_reset(first, 1);
    keys("b");
    assert_input(second, "b");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST_BOOTED(one_line),
        TEST_BOOTED(end_of_a_part),
        TEST_BOOTED(interleaved),
        TEST_BOOTED(long_line),
        TEST_BOOTED(slow_board),
        TEST_BOOTED(fifo),
        TEST_BOOTED(fifo_of_lines),
        TEST_BOOTED(fifo_and_long_line),
        TEST_BOOTED(fifo_control),
        TEST_BOOTED(fifo_control_makes_room),
        TEST_BOOTED(polled),
        TEST_BOOTED(flood),
        TEST_BOOTED(fair),
        TEST_BOOTED(flush),
        TEST_BOOTED(own_line),
        TEST_BOOTED(prompt),
        TEST_BOOTED(prompt_of_one_that_spins),
        TEST_BOOTED(slow_line),
        TEST_BOOTED(watches_on_demand),
        TEST_BOOTED(shown),
        TEST_BOOTED(shown_at_the_end),
        TEST_BOOTED(forged_tag),
        TEST_BOOTED(registers),
        TEST_BOOTED(claims),
        TEST_BOOTED(to_the_focus),
        TEST_BOOTED(escape),
        TEST_BOOTED(too_much_input),
        TEST_BOOTED(input_is_let_go),
        TEST_BOOTED(time_of_the_focus),
        TEST_BOOTED(overrun_of_the_board),
        TEST_BOOTED(focus_is_told),
        TEST_BOOTED(loopback),
        TEST_BOOTED(loopback_of_the_modem),
        TEST_BOOTED(transmit_interrupt),
        TEST_BOOTED(transmit_interrupt_enabled_again),
        TEST_BOOTED(carriage_return_interrupts),
        TEST_BOOTED(receive_interrupt),
        TEST_BOOTED(key_wakes),
        TEST_BOOTED(reset),
        TEST_BOOTED(reset_keeps_the_focus),
    };

    return cmocka_run_group_tests_name("console", tests, 0, 0);
}
