/*
 * verify.c: the offsets that the assembler was built with, against the types that C was built with. No code.
 */
#include <stddef.h>

#include "stats.h"
#include "timer.h"
#include "tlb.h"
#include "console.h"
#include "partition.h"
#include "vcpu.h"

#include "offsets_checked.h"

#define CONSTANT(name, value) _Static_assert(CHECKED_##name == (value), "asm and C disagree on " #name);
#define OFFSET(name, type, field) CONSTANT(name, offsetof(type, field))
#include "offsets.def"

_Static_assert(offsetof(struct vcpu, none) < 0x1FFC, "the offset of a register must be smaller than SPR_COLD");
