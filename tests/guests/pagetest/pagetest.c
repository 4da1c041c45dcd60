/*
 * pagetest.c: a guest that touches the console's neighbours in the PPC405EP's on-chip page, as kernels for that chip do at boot,
 * with machine checks on: it says what the registers of IIC and GPT hold that it has written, in bytes and words, and
 * what the second UART says. Once more behind a while, in which others run.
 */
#include "print.h"
#include "simple.h"

#define PAGE  0xEF600000u
#define GPT   (PAGE + 0x000)
#define UART1 (PAGE + 0x400)
#define IIC   (PAGE + 0x500)

#define IIC_LMADR 4 /* address bytes, which keep what is written */
#define IIC_HMADR 5
#define GPT_COMP  0x80 /* compare values, words */
#define A_WHILE   20000000u /* ticks */

static volatile uint8_t *byte(uint32_t address)
{
    return (volatile uint8_t *)address;
}

static volatile uint32_t *word(uint32_t address)
{
    return (volatile uint32_t *)address;
}

static void put_reversed(uint32_t address, uint32_t value)
{
    __asm__ volatile("stwbrx %0, 0, %1; eieio" ::"r"(value), "r"(address) : "memory");
}

static uint32_t reversed(uint32_t address)
{
    uint32_t value;

    __asm__ volatile("lwbrx %0, 0, %1" : "=r"(value) : "r"(address) : "memory");
    return value;
}

static uint32_t time_low(void)
{
    uint32_t value;

    __asm__ volatile("mftb %0" : "=r"(value));
    return value;
}

static void report(void)
{
    put_text("pagetest: iic ");
    put_hex((uint32_t)*byte(IIC + IIC_HMADR) << 8 | *byte(IIC + IIC_LMADR));
    put_text(" gpt ");
    put_hex(*word(GPT + GPT_COMP));
    board_putc(' ');
    put_hex(*word(GPT + GPT_COMP + 4));
    board_putc(' ');
    put_hex(reversed(GPT + GPT_COMP));
    put_text(" uart1 ");
    put_hex(*byte(UART1 + 5));
    board_putc('\n');
}

void simple_main(uint32_t r3, uint32_t r4)
{
    uint32_t start;

    (void)r3, (void)r4;
    board_uart_quiet();
    __asm__ volatile("mtmsr %0; isync" ::"r"(MSR_ME) : "memory");
    *byte(UART1 + 1) = 0;
    *byte(IIC + IIC_LMADR) = 0x5A;
    *byte(IIC + IIC_HMADR) = 0xA5;
    *word(GPT + GPT_COMP) = 0x12345678;
    put_reversed(GPT + GPT_COMP + 4, 0x11223344);
    report();
    start = time_low();
    while (time_low() - start < A_WHILE) {
    }
    report();
    put_text("pagetest: PASS\n");
    board_drain();
    __asm__ volatile("mtspr 0x3F2, %0" ::"r"(BOARD_RESET_DBCR0));
    for (;;) {
    }
}

void simple_interrupt(void)
{
}

void simple_unexpected(uint32_t vector)
{
    put_text("\npagetest: FAIL exception ");
    put_hex(vector);
    board_putc('\n');
    board_drain();
    __asm__ volatile("mtspr 0x3F2, %0" ::"r"(BOARD_RESET_DBCR0));
    for (;;) {
    }
}
