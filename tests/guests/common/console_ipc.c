/*
 * console_ipc.c: the console of a small guest whose UART is another partition's (hypercalls/ipc/terminal.h): r5 is the number of
 * its tunnel, r6 where that is. It waits by looking from time to time, without interrupts: it has no doorbell.
 */
#include <proteus/proteus.h>

#include "terminal.h"
#include "machine.h"
#include "print.h"

#define LOOK (BOARD_TB_HZ / 5000u)

void console_ipc_begin(uint32_t tunnel, uint8_t *base);

static struct terminal console;

/* Ready at once where there are no such calls. */
static void look_again(void)
{
    proteus_sleep_until(time_low() + LOOK);
}

void console_ipc_begin(uint32_t tunnel, uint8_t *base)
{
    console.tunnel = tunnel;
    console.base = base;
    terminal_step(&console);
}

void board_putc(char c)
{
    while (!terminal_put(&console, (uint8_t)c)) {
        look_again();
    }
}

void board_said(void)
{
    terminal_flush(&console);
    while (!terminal_step(&console)) {
        look_again();
    }
}

void board_report(void)
{
    put_text("console: ");
    put_decimal(console.accepted);
    put_text(" pieces, ");
    put_decimal(console.again);
    put_text(" of them sent again, ");
    put_decimal(console.bells);
    put_text(" doorbells\n");
}
