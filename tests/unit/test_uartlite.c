/*
 * test_uartlite.c: the guest's UartLite (Xilinx DS571), by its words, and against a small model of its own.
 *
 * covers: kconfig.UART_UARTLITE
 */
#include "harness.h"

#include <string.h>

#include "console.h"
#include "irq.h"
#include "uart.h"

enum { RX, TX, STAT, CTRL };

#define RX_VALID 0x01
#define RX_FULL  0x02
#define TX_EMPTY 0x04
#define TX_FULL  0x08
#define ENABLED  0x10
#define OVERRUN  0x20
#define RESET_TX 0x01
#define RESET_RX 0x02
#define ENABLE   0x10
#define FIFO     16U

static struct vcpu *lite; /* the VM under test: it has the input */

/* The last VM with a UartLite, and the keys go to it. */
static int lite_boot(void **state)
{
    uint32_t i;
    char focus[3] = {CONSOLE_ESCAPE, 0, 0};

    machine_boot(state);
    for (i = 0; i < VM_COUNT; i++) {
        if (vm_config[i].console_base != 0 && uart_is_lite(&vm_config[i])) {
            lite = &vcpu[i];
            focus[1] = (char)('1' + i);
        }
    }
    fake.input = focus;
    console_poll();
    assert_int_equal(*fake.input, 0);
    fake.input = "";
    console_flush();
    fake.output_length = 0; /* who has the focus */
    fake.output[0] = 0;
    return 0;
}

#define TEST_LITE(f) cmocka_unit_test_setup(f, lite_boot)

static void put(uint32_t reg, uint32_t value)
{
    console_store(lite, vm_config[lite - vcpu].console_base + 4 * reg, value, 0xFFFFFFFF);
}

static uint32_t get(uint32_t reg)
{
    return console_load(lite, vm_config[lite - vcpu].console_base + 4 * reg, 0xFFFFFFFF);
}

static void type(const char *text)
{
    for (; *text != 0; text++) {
        put(TX, (uint8_t)*text);
    }
}

static void keys(const char *text)
{
    fake.input = text;
    while (*fake.input != 0) {
        console_poll();
    }
}

/* All that waits goes out. */
static void drain(void)
{
    uint32_t i;

    fake.room = FAKE_ROOM;
    for (i = 0; i < 100 && (fake.uart_ier & 2) != 0; i++) {
        console_poll();
    }
    assert_hex(fake.uart_ier & 2, 0);
}

/* What has come out, without the tags. */
static void assert_text(const char *expected)
{
    static char plain[FAKE_OUTPUT];
    char tag[16], *rest = fake.output, *next;
    size_t tag_length;

    snprintf(tag, sizeof(tag), "[%.8s] ", vm_config[lite - vcpu].name);
    tag_length = strlen(tag);
    plain[0] = 0;
    while ((next = strstr(rest, tag)) != 0) {
        strncat(plain, rest, (size_t)(next - rest));
        rest = next + tag_length;
    }
    strcat(plain, rest);
    assert_string_equal(plain, expected);
}

/* Has there been a pulse on its line? The UIC remembers one; forgotten then. And the line is low again. */
static bool pulsed(void)
{
    uint32_t bit = UIC_BIT(CONSOLE_IRQ(&vm_config[lite - vcpu]));
    bool was = (irq_read(lite, UIC_SR) & bit) != 0;

    assert_hex(lite->uic_active & bit, 0);
    irq_write(lite, UIC_SR, bit);
    assert_hex(irq_read(lite, UIC_SR) & bit, 0);
    return was;
}

/* ---- registers ---- */

static void after_reset(void **state)
{
    (void)state;
    assert_hex(get(STAT), TX_EMPTY);
    assert_hex(get(RX), 0);
    assert_hex(get(TX), 0); /* for writing only */
    assert_hex(get(CTRL), 0);
    put(RX, 0xFF); /* for reading only */
    put(STAT, 0xFF);
    assert_hex(get(STAT), TX_EMPTY);
    put(CTRL, 0xFFFFFFEF); /* bits that are none */
    assert_hex(get(STAT), TX_EMPTY);
    put(CTRL, ENABLE);
    assert_hex(get(STAT), TX_EMPTY | ENABLED);
    assert_false(pulsed()); /* the transmitter has been empty all the time */
    drain();
    assert_text("");
}

static void output(void **state)
{
    (void)state;
    type("one\r\n");
    assert_hex(get(STAT), TX_EMPTY);
    put(TX, 0xFFFFFF00 | 't'); /* the low byte counts */
    type("wo\n");
    drain();
    assert_text("one\ntwo\n");
}

/* The board is busy: 16 bytes wait behind the line, the next are lost. */
static void full(void **state)
{
    uint32_t i;

    (void)state;
    fake.room = 0;
    type("line\n");
    assert_hex(get(STAT), TX_EMPTY);
    for (i = 0; i < FIFO; i++) {
        assert_hex(get(STAT) & TX_FULL, 0);
        put(TX, 'a' + i);
        assert_hex(get(STAT) & TX_EMPTY, 0);
    }
    assert_hex(get(STAT), TX_FULL);
    type("lost");
    assert_hex(get(STAT), TX_FULL);
    drain();
    assert_hex(get(STAT), TX_EMPTY);
    type("\n");
    drain();
    assert_text("line\nabcdefghijklmnop\n");
}

static void reset_of_fifos(void **state)
{
    (void)state;
    fake.room = 0;
    type("line\nforgotten");
    put(CTRL, RESET_RX);
    assert_hex(get(STAT), 0);
    put(CTRL, RESET_TX);
    assert_hex(get(STAT), TX_EMPTY);
    keys("abc");
    put(CTRL, RESET_TX);
    assert_hex(get(STAT), TX_EMPTY | RX_VALID);
    put(CTRL, RESET_RX);
    assert_hex(get(STAT), TX_EMPTY);
    assert_hex(get(RX), 0);
    keys("d");
    assert_hex(get(RX), 'd');
    type("kept\n");
    drain();
    assert_text("line\nkept\n");
}

static void input(void **state)
{
    uint32_t i;

    (void)state;
    keys("ab");
    assert_hex(get(STAT), TX_EMPTY | RX_VALID);
    assert_hex(get(RX), 'a');
    assert_hex(get(RX), 'b');
    assert_hex(get(STAT), TX_EMPTY);
    keys("0123456789abcdef");
    assert_hex(get(STAT), TX_EMPTY | RX_VALID | RX_FULL);
    fake.input = "xy"; /* these wait in the board's UART */
    console_poll();
    assert_hex(get(STAT), TX_EMPTY | RX_VALID | RX_FULL);
    for (i = 0; i < FIFO + 2; i++) {
        assert_hex(get(RX), (uint8_t)"0123456789abcdefxy"[i]);
    }
    assert_hex(get(STAT), TX_EMPTY);
    fake.overrun = true; /* which has lost some */
    console_poll();
    assert_hex(get(STAT), TX_EMPTY | OVERRUN);
    assert_hex(get(STAT), TX_EMPTY); /* said once */
}

/* What waits in the board's UART follows into a FIFO that was reset: it is received then. */
static void reset_makes_room(void **state)
{
    (void)state;
    keys("0123456789abcdef");
    fake.input = "xy";
    console_poll();
    put(CTRL, ENABLE | RESET_RX);
    assert_true(pulsed());
    assert_hex(get(RX), 'x');
    assert_hex(get(RX), 'y');
    assert_hex(get(STAT), TX_EMPTY | ENABLED);
}

/* ---- interrupts ---- */

static void receive_pulses(void **state)
{
    (void)state;
    keys("a");
    assert_false(pulsed());
    put(CTRL, ENABLE);
    assert_false(pulsed()); /* what came before is not told */
    keys("b");
    assert_false(pulsed()); /* it was not empty */
    (void)get(RX);
    (void)get(RX);
    assert_false(pulsed());
    keys("c");
    assert_true(pulsed());
    put(CTRL, 0);
    (void)get(RX);
    keys("d");
    assert_false(pulsed());
}

static void transmit_pulses(void **state)
{
    (void)state;
    type("a");
    assert_false(pulsed());
    put(CTRL, ENABLE);
    type("b");
    assert_true(pulsed()); /* into the shift register: empty again */
    fake.room = 0;
    type("\n");
    assert_true(pulsed());
    type("cd");
    assert_false(pulsed()); /* they wait */
    drain();
    assert_true(pulsed());
    fake.room = 0;
    type("\nef");
    (void)pulsed();
    put(CTRL, ENABLE | RESET_TX);
    assert_true(pulsed());
    put(CTRL, ENABLE | RESET_TX);
    assert_false(pulsed()); /* it was empty */
}

/* A pulse wakes its guest, by the vector of external interrupts. */
static void pulse_wakes(void **state)
{
    (void)state;
    put(CTRL, ENABLE);
    irq_write(lite, UIC_ER, UIC_BIT(CONSOLE_IRQ(&vm_config[lite - vcpu])));
    lite->msr = MSR_WE | MSR_EE;
    lite->evpr = 0;
    enter(schedule(current));
    keys("k");
    assert_true(vcpu_can_run(lite));
    run_vm(lite);
    assert_hex(lite->pc, 0x0500);
}

/* A reset VM's UART is as after power-on, and what it wrote of a line still comes out. */
static void reset_of_vm(void **state)
{
    (void)state;
    put(CTRL, ENABLE);
    keys("0123456789abcdef");
    fake.room = 0;
    type("line\nwaits");
    vcpu_reset(lite, 1);
    assert_false(pulsed());
    drain();
    assert_hex(get(STAT), TX_EMPTY);
    assert_hex(get(RX), 0);
    put(CTRL, ENABLE);
    assert_false(pulsed());
    type("new");
    vcpu_reset(lite, 1);
    console_flush();
    assert_text("line\nnew");
}

/* Looks at the status in the middle of a line: a prompt. */
static void prompt(void **state)
{
    uint32_t i;

    (void)state;
    type("login: ");
    for (i = 0; i < UART_POLLS; i++) {
        (void)get(STAT);
    }
    assert_text("");
    (void)get(STAT);
    drain();
    assert_text("login: ");
}

/* ---- a model ---- */

static struct {
    char rx[FIFO], held[8], tx[FIFO], text[FAKE_OUTPUT];
    uint32_t rx_count, tx_count, text_length, line, polls;
    bool busy, enabled, event, returned, open; /* open: the line has begun without an end, on the board */
} model;

static void model_line(char byte)
{
    model.polls = 0;
    if (model.line == 0 && (byte == '\r' ? !model.open : byte == '\n' && model.returned)) {
        model.returned = model.returned && byte == '\r';
        return;
    }
    model.returned = byte == '\r';
    model.text[model.text_length++] = byte == '\r' ? '\n' : byte;
    model.line++;
    model.busy = byte == '\r' || byte == '\n' || model.line == CONFIG_CONSOLE_LINE;
}

/* The board takes all it is given, if it has room. */
static void model_pump(bool room)
{
    uint32_t i, count;
    char waiting[FIFO];

    while (model.busy && room) {
        model.busy = false;
        model.line = 0;
        model.open = model.text[model.text_length - 1] != '\n';
        count = model.tx_count;
        memcpy(waiting, model.tx, count);
        model.tx_count = 0;
        for (i = 0; i < count; i++) {
            if (model.busy) {
                model.tx[model.tx_count++] = waiting[i];
            } else {
                model_line(waiting[i]);
            }
        }
        model.event = model.event || (count != 0 && model.tx_count == 0);
    }
}

/* What the board's UART holds follows as soon as there is room. */
static void model_fill(void)
{
    while (model.rx_count < FIFO && model.held[0] != 0) {
        model.event = model.event || model.rx_count == 0;
        model.rx[model.rx_count++] = model.held[0];
        memmove(model.held, model.held + 1, sizeof(model.held) - 1);
    }
}

static void model_write(uint32_t reg, uint32_t value, bool room)
{
    if (reg == TX && model.tx_count < FIFO) {
        if (model.busy) {
            model.tx[model.tx_count++] = (char)value;
        } else {
            model.event = true;
            model_line((char)value);
        }
        model_pump(room);
    } else if (reg == CTRL) {
        model.enabled = (value & ENABLE) != 0;
        model.event = (value & RESET_TX) != 0 && model.tx_count != 0;
        model.tx_count = (value & RESET_TX) != 0 ? 0 : model.tx_count;
        model.rx_count = (value & RESET_RX) != 0 ? 0 : model.rx_count;
        model_fill();
    }
}

static uint32_t model_read(uint32_t reg, bool room)
{
    uint32_t value = 0;

    if (reg == RX && model.rx_count != 0) {
        value = (uint8_t)model.rx[0];
        memmove(model.rx, model.rx + 1, --model.rx_count);
        model_fill();
    } else if (reg == STAT) {
        if (model.line != 0 && !model.busy && ++model.polls > UART_POLLS) {
            model.busy = true;
            model.returned = false;
        }
        model_pump(room);
        value = (model.rx_count != 0 ? RX_VALID : 0) | (model.rx_count == FIFO ? RX_FULL : 0) |
                (model.tx_count == 0 ? TX_EMPTY : 0) | (model.tx_count == FIFO ? TX_FULL : 0) |
                (model.enabled ? ENABLED : 0);
    }
    return value;
}

static void model_key(char key, bool room)
{
    size_t count = strlen(model.held);

    if (count < sizeof(model.held) - 1) {
        model.held[count] = key;
    }
    model_fill();
    model_pump(room);
}

static void random_step(bool *room)
{
    static char input[sizeof(model.held)]; /* of the board's UART: as much of it as is not read yet */
    uint32_t pick = random_word() % 100, reg = random_word() % 4, value = random_word();
    char held[sizeof(model.held)];

    model.event = false;
    if (pick < 50) {
        value = pick < 40 ? (uint32_t)"abcdefgh\r\n\n"[value % 11] : value & 0x1F;
        reg = pick < 40 ? TX : reg;
        value = reg == TX && value < 0x20 && value != '\n' ? '\r' : value;
        model_write(reg, value, *room);
        put(reg, value);
    } else if (pick < 75) {
        uint32_t expected = model_read(pick < 60 ? STAT : reg, *room);

        assert_hex(get(pick < 60 ? STAT : reg), expected);
    } else if (pick < 95) {
        strcpy(held, model.held);
        model_key((char)('a' + value % 26), *room);
        if (strlen(held) < sizeof(held) - 1) {
            held[strlen(held) + 1] = 0;
            held[strlen(held)] = (char)('a' + value % 26);
        }
        strcpy(input, held);
        fake.input = input;
        console_poll();
    } else {
        *room = !*room;
        fake.room = *room ? FAKE_ROOM : 0;
        model_pump(*room);
    }
}

/* Whatever is done in whatever order: the same values, the same text, the same pulses. */
static void model_agrees(void **state)
{
    uint32_t i, pulses = 0, fulls = 0;
    bool room = true;

    (void)state;
    memset(&model, 0, sizeof(model));
    for (i = 0; i < 200000; i++) {
        bool pulse;

        random_step(&room);
        if (room) {
            drain();
        }
        pulse = pulsed();
        pulses += pulse;
        fulls += model.tx_count == FIFO;
        if (pulse != (model.event && model.enabled)) {
            fail_msg("step %u: %s pulse", i, pulse ? "a" : "no");
        }
        if (room && !model.busy && model.line == 0) { /* all is out */
            model.text[model.text_length] = 0;
            assert_text(model.text);
            model.text_length = 0;
            fake.output_length = 0;
            fake.output[0] = 0;
        }
    }
    assert_true(pulses > 1000 && fulls > 1000);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST_LITE(after_reset),
        TEST_LITE(output),
        TEST_LITE(full),
        TEST_LITE(reset_of_fifos),
        TEST_LITE(input),
        TEST_LITE(reset_makes_room),
        TEST_LITE(receive_pulses),
        TEST_LITE(transmit_pulses),
        TEST_LITE(pulse_wakes),
        TEST_LITE(reset_of_vm),
        TEST_LITE(prompt),
        TEST_LITE(model_agrees),
    };

    return cmocka_run_group_tests_name("uartlite", tests, 0, 0);
}
