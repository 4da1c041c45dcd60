/*
 * optimize.h: hot privileged instructions of an unmodified guest become loads and stores of its register pages, while it
 * runs (option OPTIMIZE; VMs with `optimize = true`; cpu/optimize.c).
 *
 * What reads or writes one word becomes one word; what takes more, a branch to a stub. Now and then a trap that could be spared
 * is looked at, and a place that is met a second time is rewritten: what traps often is found soon. It is a site then, which
 * remembers the word that was there. The register pages of such a VM are closed to its user state (asm/hooks.h, zone_of;
 * with translation it has no shadow of them): a site that it reaches faults, is undone for good, and traps as it should. Where
 * user state has memory of its own at that place, nothing is rewritten.
 *
 * The guest can see the new words, overwrite and copy them: a site is undone only while it holds what was put there. What a guest
 * writes in its place traps again, and may be found again. A new life begins without sites, from its image.
 */
#ifndef PROTEUS_OPTIMIZE_H
#define PROTEUS_OPTIMIZE_H

#include <stdbool.h>
#include <stdint.h>

#include "vcpu.h"

#ifdef CONFIG_OPTIMIZE

/* A new life. */
void optimize_reset(struct vcpu *v);

/* No new sites in this life; some of them as they were, and all when this has been called until optimize_is_on() is false. */
void optimize_end(struct vcpu *v);

/* Is there, or can there be, a site? */
static inline bool optimize_is_on(const struct vcpu *v)
{
    return v->site_limit != 0;
}

/* Is the access to `address`, an effective one, by user state and where sites reach? */
bool optimize_shows(const struct vcpu *v, uint32_t address);

/* The instruction at v->pc, or that of its stub, as it was, for as long as the VM lives; false: it is no site. */
bool optimize_undo(struct vcpu *v);

/* Is the guest on the page of its stubs? */
bool optimize_in_stub(const struct vcpu *v);

/* Then it takes an interrupt behind the instruction that the stub stands for, or in front of it. */
void optimize_roll(struct vcpu *v);

/* A fetch has failed: of user state, which was led to a stub that it cannot fetch? Undone, as by optimize_undo(). */
bool optimize_fetched(struct vcpu *v);

/* Its instruction there has trapped: a decision of emulate.h. */
uint32_t optimize_trapped(struct vcpu *v);

#else

#define optimize_reset(v)          ((void)(v))
#define optimize_end(v)            ((void)(v))
#define optimize_is_on(v)          ((void)(v), false)
#define optimize_shows(v, address) ((void)(v), (void)(address), false)
#define optimize_undo(v)           ((void)(v), false)
#define optimize_in_stub(v)        ((void)(v), false)
#define optimize_fetched(v)        ((void)(v), false)
#define optimize_roll(v)           ((void)(v))
#define optimize_trapped(v)        0U

#endif
#endif
