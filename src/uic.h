/*
 * uic.h: the guest's universal interrupt controller, reached by mfdcr and mtdcr (PPC405EP manual, "Universal Interrupt
 * Controller"). With option UIC off there is none, and its DCRs read as zero.
 */
#ifndef PROTEUS_UIC_H
#define PROTEUS_UIC_H

#include <stdint.h>

#include "vcpu.h"

/* Registers, as offsets from the controller's first DCR. */
#define UIC_SR    0
#define UIC_SRS   1
#define UIC_ER    2
#define UIC_CR    3
#define UIC_PR    4
#define UIC_TR    5
#define UIC_MSR   6
#define UIC_VR    7
#define UIC_VCR   8
#define UIC_COUNT 9

#define UIC_BIT(line) (0x80000000U >> (line))

#ifdef CONFIG_UIC

void uic_reset(struct vcpu *v);

/* MSR_EE, MSR_CE: an enabled line of that class is active. */
static inline uint32_t uic_pending(const struct vcpu *v)
{
    return v->uic_pending;
}

/* A line's input becomes active (level != 0) or inactive. */
void uic_set_line(struct vcpu *v, uint32_t line, uint32_t level);

/* The board's line became active and is masked until the guest has cleared its status bit. */
void uic_route(uint32_t line);

uint32_t uic_read(struct vcpu *v, uint32_t reg);
void uic_write(struct vcpu *v, uint32_t reg, uint32_t value);

#else

static inline void uic_reset(struct vcpu *v)
{
    (void)v;
}

static inline uint32_t uic_pending(const struct vcpu *v)
{
    (void)v;
    return 0;
}

static inline void uic_set_line(struct vcpu *v, uint32_t line, uint32_t level)
{
    (void)v, (void)line, (void)level;
}

static inline void uic_route(uint32_t line)
{
    (void)line;
}

static inline uint32_t uic_read(struct vcpu *v, uint32_t reg)
{
    (void)v, (void)reg;
    return 0;
}

static inline void uic_write(struct vcpu *v, uint32_t reg, uint32_t value)
{
    (void)v, (void)reg, (void)value;
}

#endif
#endif
