/*
 * control.h: whoever sits at the console lists the VMs, starts, stops and restarts them (option CONTROL): the escape key and `l`;
 * the escape key, one of `s` `x` `r`, and the VM's digit. tools/control.py types that for people and for scripts.
 *
 * Keys only leave a request. The next decision acts on it, and an answer of one line for each VM comes out when the console has
 * room.
 */
#ifndef PROTEUS_CONTROL_H
#define PROTEUS_CONTROL_H

#include <stdbool.h>
#include <stdint.h>

#include "config.h"
#include "partitions.h"

#ifdef CONFIG_CONTROL

enum { CONTROL_LIST, CONTROL_START, CONTROL_STOP, CONTROL_RESTART, CONTROLS };
extern uint32_t control_wanted[CONTROLS]; /* bit n: of VM n */

/*
 * A key, while *escaped says what came before: 0 nothing, 1 the escape key, otherwise the letter behind it. True: it was for us.
 */
bool control_key(uint8_t *escaped, uint8_t byte);

/* The console has room for one line: an answer, if there is one. */
void control_say(void);

void control_act(void);
static inline void control_look(void)
{
    if ((control_wanted[CONTROL_LIST] | control_wanted[CONTROL_START] | control_wanted[CONTROL_STOP] |
         control_wanted[CONTROL_RESTART]) != 0) {
        control_act();
    }
}

#else

#define control_key(escaped, byte) false
#define control_say()              ((void)0)
#define control_look()             ((void)0)

#endif
#endif
