/*
 * console.c: the polled console.
 */
#include "board.h"
#include "common/line.h"

void console_write(const char *text, uint32_t length)
{
    for (uint32_t i = 0; i < length; i++) {
        board_putc(text[i]);
    }
}
