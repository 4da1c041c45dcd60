/*
 * ends.h: what the two files of this guest share.
 */
#ifndef ENDS_H
#define ENDS_H

#include <stdbool.h>
#include <stdint.h>

extern const char *name; /* of the role */
#define GUEST name
#include "verdict.h"

/* One's own state word of a tunnel. */
uint32_t status(uint32_t tunnel);

#define APART 0x10000u /* from a tunnel of the VM to its next */

/* The vandal: does all that an end can do to the other through its tunnels, for ever. */
void vandalize(uint8_t *base) __attribute__((noreturn));

/* The other end of it: a try of everything in the library, which has to come to an end, and to an answer that is one. */
void endure(uint32_t tunnel, uint8_t *base);
extern uint32_t endured_lives, endured_messages, endured_lies; /* lives of the tunnel, what was taken for a message, IPC_E_PEER */

#endif
