/*
 * console_para.c: the console by hypercalls, many characters at once. In a VM that has no such call it is the polled one.
 */
#include <proteus/proteus.h>

#include "board.h"
#include "common/line.h"

// How much of the text the hypervisor has taken: none of it, if it offers no call
static uint32_t console_call(const char *text, uint32_t length)
{
    proteus_status count;

    if ((proteus_page_features() & FEATURE_DRIVERS) == 0) {
        return 0;
    }
    count = proteus_console_write(text, length < HCALL_CONSOLE_MAX ? length : HCALL_CONSOLE_MAX);
    return count > 0 ? (uint32_t)count : 0;
}

void console_write(const char *text, uint32_t length)
{
    while (length > 0) {
        uint32_t count = console_call(text, length);

        if (count == 0) {
            board_putc(*text);
            count = 1;
        }
        text += count;
        length -= count;
    }
}
