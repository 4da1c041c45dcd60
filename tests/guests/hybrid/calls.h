/*
 * calls.h: how a call is made and checked (calls.c), for the parts that a board's interrupt controller has of its own.
 */
#ifndef CALLS_H
#define CALLS_H

#include "hybridtest.h"

#define E(name) ((uint32_t)HCALL_E_##name)

/* What the next call starts with; random_machine() fills it, for call `number`. */
extern struct machine call_machine;
void random_machine(uint32_t number);

/* All registers are what they were but those of the mask, bit n for rn. */
void expect_registers(uint32_t number, uint32_t changed);

/* One call with two arguments and `results` results, all else random. Gives r3, or what is in it. */
uint32_t call(uint32_t number, uint32_t results, uint32_t a, uint32_t b);

/* The same for one that succeeds, and for one that is refused with this error and changes nothing. */
void done(uint32_t number, uint32_t a, uint32_t b);
void refused(uint32_t error, uint32_t number, uint32_t a, uint32_t b, uint32_t c);

/* All about this row of hypercalls.def has been asserted: the test lists it. */
void row(const char *name);

#endif
