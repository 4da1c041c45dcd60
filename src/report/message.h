/*
 * message.h: what the hypervisor itself has to say. Only five things: that a guest stopped, that its pre-virtualization table
 * is not applied, that nobody answers it (once each), who has the console's input, and that the hypervisor stopped. Without
 * option CONSOLE the UART is a VM's: then all of it comes at the end.
 */
#ifndef PROTEUS_MESSAGE_H
#define PROTEUS_MESSAGE_H

#include <stdint.h>

#include "vcpu.h"

#ifdef CONFIG_MESSAGES

/* "[proteus] stop NAME pc=PC insn=WORD (mnemonic): reason"; or lr=LR, if there is no memory at its pc */
void message_stop(struct vcpu *v, const char *reason);

/* The word at the guest's pc, if that is in its RAM. Of any guest: it need not run, nor the machine have an entry for it. */
bool message_insn_of(const struct vcpu *v, uint32_t *insn);

/* "[proteus] note NAME pc=PC insn=WORD: nobody answers at ADDRESS", guest-physical: the first one of all its lives */
void message_note(struct vcpu *v, uint32_t address);

/* "[proteus] focus NAME", for the console */
void message_focus(const struct vcpu *v);

/* The console has room for one line: to console_own(), if there is something to say. */
void message_next(void);

/* All that is still to be said, where there is no console: the UART was a VM's, and that has ended. */
void message_last(void);

/* "[proteus] table NAME word N refused, runs unpatched: reason", by PREVIRT_E_* */
void message_table(const struct vcpu *v, uint32_t row, uint32_t reason);
void message_panic(const char *reason) __attribute__((noreturn, noinline)); /* by tlb_check(): not to be a part of schedule() */

/* Pieces of a line, for other reports. */
void message_start(const char *kind, const struct vcpu *v);
void message_text(const char *text);
void message_hex(uint32_t value);
void message_decimal(uint32_t value);

#else

void board_reset(void) __attribute__((noreturn));

static inline void message_stop(struct vcpu *v, const char *reason)
{
    (void)v, (void)reason;
}

static inline void message_focus(const struct vcpu *v)
{
    (void)v;
}

static inline void message_next(void)
{
}

static inline void message_last(void)
{
}

static inline void message_note(struct vcpu *v, uint32_t address)
{
    (void)v, (void)address;
}

static inline void message_table(const struct vcpu *v, uint32_t row, uint32_t reason)
{
    (void)v, (void)row, (void)reason;
}

static inline __attribute__((noreturn)) void message_panic(const char *reason)
{
    (void)reason;
    board_reset();
}

#endif
#endif
