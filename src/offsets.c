/*
 * offsets.c: never linked. Compiled to assembler, from which the Makefile takes the lines of build/<product>/gen/offsets.h.
 */
#include <stddef.h>

#include "stats.h"
#include "timer.h"
#include "tlb.h"
#include "console.h"
#include "partition.h"
#include "vcpu.h"

#define CONSTANT(name, value) __asm__ volatile("@define " #name " %0" : : "i"(value));
#define OFFSET(name, type, field) CONSTANT(name, offsetof(type, field))

void offsets(void)
{
#include "offsets.def"
}
