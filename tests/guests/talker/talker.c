/*
 * talker.c: says `talker: <number> <dots>` from 0 on, r3 lines of several lengths, as fast as its console takes them.
 */
#include "machine.h"
#include "print.h"
#include "simple.h"

#define DOTS 50u

void simple_unexpected(uint32_t vector)
{
    put_text("talker: FAIL exception ");
    put_hex(vector);
    board_putc('\n');
    end();
}

void simple_interrupt(void)
{
    simple_unexpected(0x500);
}

void simple_main(uint32_t lines, uint32_t r4)
{
    uint32_t number, dots;

    (void)r4;
    for (number = 0; number < lines; number++) {
        put_text("talker: ");
        put_decimal(number);
        board_putc(' ');
        for (dots = number % DOTS; dots != 0; dots--) {
            board_putc('.');
        }
        board_putc('\n');
    }
    put_text("talker: PASS lines=");
    put_decimal(lines);
    board_putc('\n');
    end();
}
