/*
 * page.h: the words of the register pages that are not registers (option IRFM; hypercalls/page.def).
 */
#ifndef PROTEUS_PAGE_H
#define PROTEUS_PAGE_H

#include <stddef.h>
#include <stdint.h>

#include "abi.h"
#include "cpu.h"
#include "vcpu.h"

#ifdef CONFIG_IRFM

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

#else

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
