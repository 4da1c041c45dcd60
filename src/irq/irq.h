/*
 * irq.h: the guest's interrupt controller, of the kind that its board has: uic.c (option UIC) or intc.c (option INTC). With
 * the option off (IRQ is off) there is none, and its registers read as zero.
 *
 * Of a line of the board that a guest owns, the machine's controller is only asked to tell that it became active. It is then
 * masked, and unmasked when the guest acknowledges it at its own controller: a device that the guest does not serve can
 * interrupt but once.
 */
#ifndef PROTEUS_IRQ_H
#define PROTEUS_IRQ_H

#include <stdbool.h>
#include <stdint.h>

#include "board.h"
#include "vcpu.h"

#ifdef CONFIG_BOARD_VIRTEX
#include "intc.h"
#define IRQ_BIT(line)  INTC_BIT(line)
#define IRQ_DCR        BOARD_INTC_DCR
#define IRQ_REGISTERS  INTC_REGISTERS
#else
#include "uic.h"
#define IRQ_BIT(line)  UIC_BIT(line)
#define IRQ_DCR        BOARD_UIC_DCR
#define IRQ_REGISTERS  UIC_REGISTERS
#endif

/* The INTC in memory: a device of bus.h (option INTC_MMIO). */
#ifdef CONFIG_INTC_MMIO
bool intc_claims(const struct vcpu *v, uint32_t address);
uint32_t intc_load(struct vcpu *v, uint32_t address, uint32_t lanes);
void intc_store(struct vcpu *v, uint32_t address, uint32_t value, uint32_t lanes);
#else
#define intc_claims(v, address)              ((void)(v), (void)(address), false)
#define intc_load(v, address, lanes)         0U
#define intc_store(v, address, value, lanes) ((void)0)
#endif

#ifdef CONFIG_IRQ

void irq_reset(struct vcpu *v);

/* MSR_EE, MSR_CE: an enabled line of that class is active. */
static inline uint32_t irq_pending(const struct vcpu *v)
{
    return v->irq_pending;
}

/* A virtual device's output goes high (level != 0) or low. A pulse is both, one behind the other. */
void irq_set_line(struct vcpu *v, uint32_t line, uint32_t level);

/* The machine's controller has found this guest line's input active, or the hypervisor itself has something to tell. */
void irq_raise(struct vcpu *v, uint32_t line);

/* The board's line became active and is masked until the guest has acknowledged it. */
void irq_route(uint32_t line);

/* The guest has acknowledged these lines of its controller: unmask those of the board that drive them. */
void irq_acknowledge(const struct vcpu *v, uint32_t bits);

/* A register, by number (uic.h, intc.h). */
uint32_t irq_read(struct vcpu *v, uint32_t reg);
void irq_write(struct vcpu *v, uint32_t reg, uint32_t value);

#else

static inline void irq_reset(struct vcpu *v)
{
    (void)v;
}

static inline uint32_t irq_pending(const struct vcpu *v)
{
    (void)v;
    return 0;
}

static inline void irq_set_line(struct vcpu *v, uint32_t line, uint32_t level)
{
    (void)v, (void)line, (void)level;
}

static inline void irq_raise(struct vcpu *v, uint32_t line)
{
    (void)v, (void)line;
}

static inline void irq_route(uint32_t line)
{
    (void)line;
}

static inline uint32_t irq_read(struct vcpu *v, uint32_t reg)
{
    (void)v, (void)reg;
    return 0;
}

static inline void irq_write(struct vcpu *v, uint32_t reg, uint32_t value)
{
    (void)v, (void)reg, (void)value;
}

#endif

#endif
