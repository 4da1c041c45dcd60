/*
 * print.h: text and numbers to the board's UART, of a guest that has nothing else.
 */
#ifndef GUEST_PRINT_H
#define GUEST_PRINT_H

#include <stdint.h>

static inline void put_text(const char *text)
{
    while (*text) {
        board_putc(*text++);
    }
}

static inline void put_hex(uint32_t value)
{
    for (int shift = 28; shift >= 0; shift -= 4) {
        board_putc("0123456789ABCDEF"[(value >> shift) & 15]);
    }
}

static inline void put_decimal(uint32_t value)
{
    char digits[10];
    int count = 0;

    do {
        digits[count++] = (char)('0' + value % 10);
        value /= 10;
    } while (value);
    while (count) {
        board_putc(digits[--count]);
    }
}

#endif
