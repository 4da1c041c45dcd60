/*
 * test_console.c: the shared console: a 16550 for each VM on one UART of the board (option CONSOLE).
 *
 * covers: kconfig.CONSOLE kconfig.CONSOLE_LINE kconfig.UART_16550
 */
#include "harness.h"

#include <string.h>

#include "console.h"
#include "uart.h"
#include "irq.h"

enum { DATA, IER, IIR, LCR, MCR, LSR, MSR, SCR };

#define IER_RX   0x01
#define IER_TX   0x02
#define LSR_RX   0x01
#define LSR_THRE 0x20
#define LSR_TEMT 0x40
#define FCR_ON   0x01
#define FCR_CLEAR_RX 0x02
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
    assert_non_null(strstr(fake.output, both(tagged(first, "0\n"), tagged(second, "mine\n"))));
}

/* What is written comes out before the hypervisor's own line, which starts in a column of its own. */
static void flush(void **state)
{
    (void)state;
    type(first, "half a line");
    type(second, "another");
    console_flush(first); /* about the first: the second goes on with its line */
    assert_output(tagged(first, "half a line\n"));
    type(second, " half\nand more");
    assert_output(tagged(second, "another half\n"));
    type(first, "rest");
    console_flush(0);
    assert_output(both(tagged(first, "rest\n"), tagged(second, "and more\n")));
    console_flush(0);
    assert_output("");
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

/* Bytes that a terminal obeys are the guest's own business, but they cannot forge a tag at the start of a line. */
static void forged_tag(void **state)
{
    (void)state;
    type(first, "x\n[proteus] stop nobody\n");
    assert_output(both(tagged(first, "x\n"), tagged(first, "[proteus] stop nobody\n")));
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

/* More than the buffer holds: the first are kept, none goes to anybody else. */
static void too_much_input(void **state)
{
    char text[200];
    uint32_t count = 0;

    (void)state;
    memset(text, 'k', sizeof(text) - 1);
    text[sizeof(text) - 1] = 0;
    keys(text);
    while ((get(focused(), LSR) & LSR_RX) != 0) {
        assert_hex(get(focused(), DATA), 'k');
        assert_true(count++ < sizeof(text));
    }
    assert_in_range(count, 16, sizeof(text) - 1);
    assert_input(not_focused(), "");
    keys("z");
    assert_input(focused(), "z");
}

/* One poll takes no more than a bounded number of bytes: a flood of keys does not hold the hypervisor up. */
static void bounded_poll(void **state)
{
    char text[300];

    (void)state;
    memset(text, 'k', sizeof(text) - 1);
    text[sizeof(text) - 1] = 0;
    fake.input = text;
    console_poll();
    assert_true(*fake.input != 0);
    assert_true(fake.input > text);
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

/* FCR turns it off and clears what was received; a reset does both and forgets what waits. */
static void fifo_control(void **state)
{
    (void)state;
    put(focused(), IIR, FCR_ON);
    keys("abc");
    put(focused(), IIR, FCR_ON);
    assert_hex(get(focused(), LSR) & LSR_RX, LSR_RX);
    put(focused(), IIR, FCR_ON | FCR_CLEAR_RX);
    assert_hex(get(focused(), LSR) & LSR_RX, 0);
    assert_hex(get(focused(), IIR), IIR_FIFO | 0x01);
    keys("d");
    put(focused(), IIR, 0);
    assert_hex(get(focused(), IIR), 0x01);
    assert_input(focused(), "d");
    put(first, IIR, FCR_ON);
    fake.room = 0;
    type(first, "line\nwaits\n");
    vcpu_reset(first, 1);
    fake.room = FAKE_ROOM;
    console_poll();
    assert_hex(get(first, IIR), 0x01);
    type(first, "new\n");
    assert_output(both(tagged(first, "line\n"), tagged(first, "new\n")));
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
        TEST_BOOTED(interleaved),
        TEST_BOOTED(long_line),
        TEST_BOOTED(slow_board),
        TEST_BOOTED(fifo),
        TEST_BOOTED(fifo_of_lines),
        TEST_BOOTED(fifo_and_long_line),
        TEST_BOOTED(fifo_control),
        TEST_BOOTED(polled),
        TEST_BOOTED(flood),
        TEST_BOOTED(fair),
        TEST_BOOTED(flush),
        TEST_BOOTED(prompt),
        TEST_BOOTED(forged_tag),
        TEST_BOOTED(registers),
        TEST_BOOTED(claims),
        TEST_BOOTED(to_the_focus),
        TEST_BOOTED(escape),
        TEST_BOOTED(too_much_input),
        TEST_BOOTED(bounded_poll),
        TEST_BOOTED(transmit_interrupt),
        TEST_BOOTED(carriage_return_interrupts),
        TEST_BOOTED(receive_interrupt),
        TEST_BOOTED(key_wakes),
        TEST_BOOTED(reset),
        TEST_BOOTED(reset_keeps_the_focus),
    };

    return cmocka_run_group_tests_name("console", tests, 0, 0);
}
