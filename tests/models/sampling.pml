/*
 * sampling.pml: the sampling port (hypercalls/ipc/port.c). A slot has two parts, which are stored one after the other in any
 * order; the writer writes as long as it likes, and may stand still at each step.
 *
 * Holds: the reader gets both parts of one message. What is left out: a reader that stands still while numbers go all around,
 * 2^32 messages.
 *
 * Wrong variants: ONE_SLOT (two messages in one place), NO_ORDER (the number may be there before the message), NO_ORDER_BEFORE
 * (the slot may be written before the number of the message in between is there), NO_CHECK (the number is not looked at again).
 */
#define MODULO 8 /* of numbers, and 0 is none: 1, 2, ... 7, 2, 3, ... */
#define PARTS  2
#ifdef ONE_SLOT
#define SLOT(number) 0
#else
#define SLOT(number) ((number) % 2 * PARTS)
#endif

byte data[2 * PARTS];

#include "memory.pml"

#define W 0

byte last;  /* the writer's own */
byte since; /* messages begun since the reader began to read; two may have been on their way then */

active proctype writer()
{
    byte number;

end:
    do
    :: since < MODULO - 5 ->
        since++;
        number = (last == MODULO - 1 -> 2 : last + 1);
#ifndef NO_ORDER_BEFORE
        ORDER(W);
#endif
        if
        :: STORE_DATA(W, SLOT(number), number); STORE_DATA(W, SLOT(number) + 1, number)
        :: STORE_DATA(W, SLOT(number) + 1, number); STORE_DATA(W, SLOT(number), number)
        fi;
#ifndef NO_ORDER
        ORDER(W);
#endif
        STORE_COUNT(W, number);
        last = number
    od
}

active proctype reader()
{
    byte number, again, part[PARTS];

end:
    do
    :: atomic { number = count[W]; since = 0 };
        if
        :: number == 0
        :: else ->
            part[0] = data[SLOT(number)];
            part[1] = data[SLOT(number) + 1];
            again = count[W];
            if
#ifndef NO_CHECK
            :: again != number
#endif
            :: else -> assert(part[0] == number && part[1] == number)
            fi
        fi
    od
}
