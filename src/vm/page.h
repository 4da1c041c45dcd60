/*
 * page.h: the words of the register pages that are not registers (option IRFM; hypercalls/page.def).
 */
#ifndef PROTEUS_PAGE_H
#define PROTEUS_PAGE_H

#include <stddef.h>
#include <stdint.h>

#include "abi.h"
#include "board_values.h"
#include "cpu.h"
#include "optimize.h"
#include "partition.h"
#include "vcpu.h"

#ifdef CONFIG_IRFM

/* What the guest has no page of must not reach into the page that the next one writes. */
_Static_assert(sizeof(struct vcpu) == REGISTERS_STEP &&
                   offsetof(struct vcpu, none) - offsetof(struct vcpu, version) <= REGISTERS_STEP - BOARD_PAGE_MIN,
               "the register file does not fit REGISTERS_STEP (tools/partition.py)");

/* The writable page, of which the register file is the end. */
static inline uint32_t *page_first_word(struct vcpu *v)
{
    return (uint32_t *)v - (BOARD_PAGE_MIN - offsetof(struct vcpu, version)) / 4;
}

static inline void page_init(struct vcpu *v, uint32_t features)
{
    v->version = PAGE_VERSION;
    v->features = features;
    v->pvr = cpu_mfspr(SPRN_PVR);
}

/*
 * With translation, the supervisor has its register pages where they are in real mode, whatever its TLB says: is the address
 * on them? Does the (larger) page of `mask` at the address hold one of them? (Of user state, too, while there are sites:
 * optimize.h.)
 */
#define PAGE_OF(v)                       (vm_config[vcpu_index(v)].page)
#define VCPU_PAGE_HAS(v)                 (PAGE_OF(v) != 0 && ((v)->msr & MSR_PR) == 0)
#define VCPU_PAGE_AT(v, address)         ((address) - (PAGE_OF(v) - BOARD_PAGE_MIN) < 2 * BOARD_PAGE_MIN)
#define VCPU_PAGE_HIT(v, address)        (VCPU_PAGE_HAS(v) && VCPU_PAGE_AT(v, address))
#define VCPU_PAGE_SHARES(v, at, mask)    ((VCPU_PAGE_HAS(v) || optimize_is_on(v)) && PAGE_OF(v) - ((at) & (mask)) <= 0 - (mask))

#else

#define VCPU_PAGE_HIT(v, address)     ((void)(v), false)
#define VCPU_PAGE_SHARES(v, at, mask) ((void)(v), false)

static inline uint32_t *page_first_word(struct vcpu *v)
{
    return (uint32_t *)v;
}

#ifdef CONFIG_PARAVIRT
#define page_init(v, value) ((v)->features = (value))
#else
#define page_init(v, value) ((void)(v), (void)(value))
#endif

#endif
#endif
