/*
 * shared.h: memory for two ends: mapped twice, once without the right to write, and with nothing before and behind it, so that
 * an access that is not in the area, or not allowed, ends the test.
 */
#ifndef SHARED_H
#define SHARED_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "port.h"
#include "ring.h"

#define COUNT(array) (sizeof(array) / sizeof((array)[0]))

extern struct ipc_area area, read_only; /* the same memory, all zero; its end is the end of what is mapped */
extern uint64_t now;                    /* the time base */

void share(uint32_t size);
uint32_t random_word(uint32_t *seed);

/* The words of an area, as the other end may write them. */
void poke(uint32_t offset, uint32_t word);
uint32_t peek(uint32_t offset);

#endif
