/*
 * verdict.h: how a guest fails: `<GUEST>: FAIL <what> <number> found <found>`, and its run is over. Defined before it is
 * included: GUEST, a text; PUT_NUMBER, if numbers are better read in hexadecimal.
 */
#ifndef GUEST_VERDICT_H
#define GUEST_VERDICT_H

#include "machine.h"
#include "print.h"

#ifndef PUT_NUMBER
#define PUT_NUMBER put_decimal
#endif

static inline void __attribute__((noreturn)) fail(const char *what, uint32_t number, uint32_t found)
{
    put_text(GUEST);
    put_text(": FAIL ");
    put_text(what);
    board_putc(' ');
    PUT_NUMBER(number);
    put_text(" found ");
    put_hex(found);
    board_putc('\n');
    end();
}

static inline void expect(const char *what, uint32_t number, uint32_t expected, uint32_t found)
{
    if (expected != found) {
        fail(what, number, found);
    }
}

#endif
