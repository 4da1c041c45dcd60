/*
 * uarttest.c: a guest of the hypervisor that looks at its UART in all the ways in which a program may: by bytes, halves and
 * words, in forms that the hypervisor's assembler knows and in others, in the right lanes and in wrong ones. All must see the
 * same device.
 *
 * A VM says by r3 what it is, by r4 where: one ELF file for every board and every kind. It is no guest for the bare board.
 */
#include "simple.h"

enum { BYTES = 1, WORDS, LITE }; /* r3: 16550 with a register in each byte, in each word; UartLite */

#define SCRATCH       7
#define LCR           3
#define LITE_STAT     2
#define LITE_CTRL     3
#define LSR           5
#define LSR_EMPTY     0x60
#define STAT_EMPTY    0x04
#define CTRL_RESET    0x03
#define TEXT          "The quick brown fox jumps over the lazy dog, by"

static uint32_t kind, base, checks;

#define LOADER(name, form)                                                                                        \
    static uint32_t name(uint32_t at)                                                                             \
    {                                                                                                             \
        uint32_t value;                                                                                           \
        __asm__ volatile(form : "=r"(value) : "b"(at), "r"(0) : "memory");                                        \
        return value;                                                                                             \
    }
#define STORER(name, form)                                                                                        \
    static void name(uint32_t at, uint32_t value)                                                                 \
    {                                                                                                             \
        __asm__ volatile(form : : "r"(value), "b"(at), "r"(0) : "memory");                                        \
    }
LOADER(lwz, "lwz %0, 0(%1)")
LOADER(lhz, "lhz %0, 0(%1)")
LOADER(lbz, "lbz %0, 0(%1)")
LOADER(lwzx, "lwzx %0, %1, %2")
LOADER(lbzx, "lbzx %0, %1, %2")
LOADER(lwbrx, "lwbrx %0, %1, %2")
STORER(stw, "stw %0, 0(%1)")
STORER(sth, "sth %0, 0(%1)")
STORER(stb, "stb %0, 0(%1)")
STORER(stwx, "stwx %0, %1, %2")
STORER(stbx, "stbx %0, %1, %2")
STORER(stwbrx, "stwbrx %0, %1, %2")

#define mtspr(number, value) __asm__ volatile("mtspr %0, %1" ::"i"(number), "r"(value))

/* Where a register's word is, and its byte. */
static uint32_t word_of(uint32_t reg)
{
    return base + 4 * reg;
}

static uint32_t byte_of(uint32_t reg)
{
    return kind == BYTES ? base + reg : word_of(reg) + 3;
}

static uint32_t status_register(void)
{
    return kind == LITE ? LITE_STAT : LSR;
}

static uint32_t data_register(void)
{
    return kind == LITE ? 1 : 0;
}

static void wait(void)
{
    uint32_t ready = kind == LITE ? STAT_EMPTY : LSR_EMPTY;

    while ((lbz(byte_of(status_register())) & ready) != ready) {
    }
}

static void put(char c)
{
    wait();
    stb(byte_of(data_register()), (uint8_t)c);
}

static void put_text(const char *text)
{
    while (*text) {
        put(*text++);
    }
}

static void put_hex(uint32_t value)
{
    for (int shift = 28; shift >= 0; shift -= 4) {
        put("0123456789ABCDEF"[(value >> shift) & 15]);
    }
}

static void __attribute__((noreturn)) end(void)
{
    wait();
    mtspr(0x3F2, BOARD_RESET_DBCR0);
    for (;;) {
    }
}

static void __attribute__((noreturn)) fail(const char *what, uint32_t value, uint32_t expected)
{
    put_text("\nuarttest: FAIL ");
    put_text(what);
    put(' ');
    put_hex(value);
    put_text(" not ");
    put_hex(expected);
    put('\n');
    end();
}

static void check(const char *what, uint32_t value, uint32_t expected)
{
    if (value != expected) {
        fail(what, value, expected);
    }
    checks++;
}

void simple_unexpected(uint32_t vector)
{
    fail("exception", vector, 0);
}

void simple_interrupt(void)
{
    fail("interrupt", 0, 0);
}

/* The same line by each form of store, each look at the status by a form of load: the hypervisor's console shows them. */
static void text_by(const char *form, uint32_t (*load)(uint32_t), uint32_t from, void (*store)(uint32_t, uint32_t), uint32_t to)
{
    uint32_t expected = kind == LITE ? STAT_EMPTY : LSR_EMPTY;
    const char *text;

    for (text = TEXT " "; *text; text++) {
        wait();
        check(form, load(from), expected);
        store(to, (uint8_t)*text | 0xA5A5A500); /* the low byte counts */
    }
    put_text(form);
    put('\n');
}

static void texts(void)
{
    uint32_t status = status_register(), data = data_register();

    text_by("lbz, stb", lbz, byte_of(status), stb, byte_of(data));
    text_by("lbzx, stbx", lbzx, byte_of(status), stbx, byte_of(data));
    if (kind != BYTES) {
        text_by("lwz, stw", lwz, word_of(status), stw, word_of(data));
        text_by("lwzx, stwx", lwzx, word_of(status), stwx, word_of(data));
        text_by("lhz, sth", lhz, word_of(status) + 2, sth, word_of(data) + 2);
    }
}

/* Longer than any line of the console's. */
static void long_line(void)
{
    for (uint32_t i = 0; i < 250; i++) {
        put((char)('a' + i % 26));
    }
    put('\n');
}

/* Registers of a word: what the other lanes read and write. */
static void lanes(void)
{
    uint32_t status = word_of(status_register()), data = word_of(data_register());
    uint32_t expected = kind == LITE ? STAT_EMPTY : LSR_EMPTY;

    wait();
    check("lbz +0", lbz(status), 0);
    check("lbz +1", lbz(status + 1), 0);
    check("lbz +2", lbz(status + 2), 0);
    check("lhz +0", lhz(status), 0);
    check("lhz +1", lhz(status + 1), 0);
    check("lwbrx", lwbrx(status), expected << 24);
    check("lwz -2", lwz(status - 2) & 0xFFFF, 0);
    check("lwz +1", lwz(status + 1) >> 8, expected);
    stb(data, '!'); /* none of these is seen on the console */
    stb(data + 1, '!');
    stb(data + 2, '!');
    sth(data, 0x2121);
    sth(data + 1, 0x2121);
    stwbrx(data, (uint32_t)'.' << 24 | '!'); /* that is: a point */
    put_text(" by stwbrx\n");
}

/* Every register that uart.S or its trees treat on their own, as target and as source. */
#define WITH(reg)                                                                                                 \
    do {                                                                                                          \
        uint32_t value;                                                                                           \
        wait();                                                                                                   \
        __asm__ volatile("lbz " #reg ", 0(%1)\n mr %0, " #reg                                                     \
                         : "=r"(value)                                                                            \
                         : "b"(byte_of(status_register()))                                                        \
                         : #reg, "memory");                                                                       \
        check("lbz " #reg, value, kind == LITE ? STAT_EMPTY : LSR_EMPTY);                                         \
        value = #reg[2] != 0 ? #reg[2] : #reg[1];                                                                 \
        __asm__ volatile("mr " #reg ", %0\n stb " #reg ", 0(%1)"                                                  \
                         :                                                                                        \
                         : "r"(value), "b"(byte_of(data_register()))                                              \
                         : #reg, "memory");                                                                       \
    } while (0)

static void registers(void)
{
    put_text("by registers ");
    WITH(r0);
    WITH(r3);
    WITH(r7);
    WITH(r12);
    WITH(r26);
    WITH(r27);
    WITH(r28);
    WITH(r29);
    WITH(r30);
    WITH(r31);
    put('\n');
}

/* What has no effect that the console sees. */
static void words_of_the_device(void)
{
    if (kind == LITE) {
        check("RX", lwz(word_of(0)), 0);
        check("TX", lwz(word_of(1)), 0);
        check("CTRL", lwz(word_of(LITE_CTRL)), 0);
        stw(word_of(LITE_CTRL), CTRL_RESET);
        check("STAT", lwz(word_of(LITE_STAT)), STAT_EMPTY);
        return;
    }
    stb(byte_of(SCRATCH), 0x5A);
    check("scratch", lbzx(byte_of(SCRATCH)), 0x5A);
    stb(byte_of(LCR), 0x83);
    stb(byte_of(0), 0x12); /* the divisor: not data */
    stb(byte_of(1), 0x34);
    check("divisor, low", lbz(byte_of(0)), 0x12);
    check("divisor, high", lbz(byte_of(1)), 0x34);
    stb(byte_of(LCR), 0x03);
    check("IER", lbz(byte_of(1)), 0);
    if (kind == WORDS) {
        check("scratch as a word", lwz(word_of(SCRATCH)), 0x5A);
        stw(word_of(SCRATCH), 0xFFFFFFA5);
        check("scratch as a byte", lbz(byte_of(SCRATCH)), 0xA5);
    } else {
        check("LCR to scratch", lwz(base + 4) & 0xFFFF00FF, (uint32_t)LSR_EMPTY << 16 | 0x5A);
    }
}

void simple_main(uint32_t r3, uint32_t r4)
{
    kind = r3;
    base = r4;
    if (kind < BYTES || kind > LITE) {
        for (;;) { /* no UART is known: nothing can be said */
        }
    }
    words_of_the_device();
    texts();
    long_line();
    if (kind != BYTES) {
        lanes();
    }
    registers();
    put_text("uarttest: PASS checks=");
    put_hex(checks);
    put('\n');
    end();
}
