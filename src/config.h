/*
 * config.h: what the configuration adds to shared types. The only header that asks about options by #if; everything
 * else uses IS_ENABLED() or a file that is linked or not.
 */
#ifndef PROTEUS_CONFIG_H
#define PROTEUS_CONFIG_H

#include "autoconf.h"
#include "ppc405.h"

/* IS_ENABLED(CONFIG_X) is 1 where autoconf.h defines CONFIG_X as 1, and 0 where it does not define it at all. */
#define IS_ENABLED(option)         IS_ENABLED_VALUE(option)
#define IS_ENABLED_VALUE(value)    IS_ENABLED_ARGS(ENABLED_COMMA_##value 1, 0)
#define IS_ENABLED_ARGS(...)       IS_ENABLED_SECOND(__VA_ARGS__, 0)
#define IS_ENABLED_SECOND(a, b, ...) b
#define ENABLED_COMMA_1            0,

/* Words of struct vcpu that belong to an option: with the option off, not a byte. */
#ifdef CONFIG_DEBUG_REGS
#define VCPU_DEBUG_WORDS uint32_t iac1, iac2, iac3, iac4, dac1, dac2, dvc1, dvc2, dbcr1;
#define VCPU_NO_DEBUG_WORDS
#else
#define VCPU_DEBUG_WORDS
#define VCPU_NO_DEBUG_WORDS uint32_t iac1[0], iac2[0], iac3[0], iac4[0], dac1[0], dac2[0], dvc1[0], dvc2[0], dbcr1[0];
#endif

/*
 * With the register pages, the file begins on one page and ends on the next (hypercalls/page.def), or, if those are small,
 * behind it: the distance from one file to the next is whole pages.
 */
#ifdef CONFIG_IRFM
#include "partitions.h"
#define VCPU_PAGE_RESERVED uint32_t reserved[12];
#define VCPU_PAGE_WORDS    uint32_t version, features, pvr;
#define VCPU_SLOT          uint32_t slot[REGISTERS_STEP / 4];
#else
#define VCPU_PAGE_RESERVED
#define VCPU_SLOT
#ifdef CONFIG_PARAVIRT
#define VCPU_PAGE_WORDS uint32_t features;
#else
#define VCPU_PAGE_WORDS
#endif
#endif

/*
 * The guest's UART (console.h), and where asm/uart.S finds it at once: at this effective address, while the context is this one.
 * FAR: nowhere. Its own address is a word as all else here: the unit tests' host has wider pointers.
 */
#ifdef CONFIG_CONSOLE
#define VCPU_UART_WORDS            uint32_t uart_base, uart_context, uart;
#define VCPU_UART_NEAR(v, address) ((v)->uart_base = (address), (v)->uart_context = vcpu_context(v))
#define VCPU_UART_FAR(v)           ((v)->uart_context = 0)
#define VCPU_UART_RESET(v)         ((v)->uart_base = 0, VCPU_UART_FAR(v))
#define VCPU_UART_AT(v)            ((v)->uart_base)
#define VCPU_UART_HIT(v, address)  ((v)->uart_context == vcpu_context(v) && (address) - (v)->uart_base < CONSOLE_HOT_SIZE)
#else
#define VCPU_UART_WORDS
#define VCPU_UART_NEAR(v, address) ((void)(v), (void)(address))
#define VCPU_UART_FAR(v)           ((void)(v))
#define VCPU_UART_AT(v)            ((void)(v), 0U)
#define VCPU_UART_HIT(v, address)  ((void)(v), (void)(address), false)
#endif

#ifdef CONFIG_TLB_VIRT
#include "vtlb.h"
#endif

/* Words of option TLB_VIRT, and what a write to ZPR is (tlb.h). */
#ifdef CONFIG_TLB_VIRT
#define VCPU_PLAIN_END_MMU  uint32_t plain_end[0];
#define VCPU_PLAIN_END
#define VCPU_CONTEXT_WORDS  uint32_t context_pid, context_of; uint8_t mode_pid[8];
#define VCPU_TLB_PLACE           struct vtlb vtlb;
#define vcpu_context(v)     ((v)->context_pid)
#else
#define VCPU_PLAIN_END_MMU
#define VCPU_PLAIN_END      uint32_t plain_end[0];
#define VCPU_CONTEXT_WORDS
#define VCPU_TLB_PLACE
#define vcpu_context(v) ((v)->machine_pid)
#endif

/* With FIT and watchdog, reading TSR or clearing a bit of it has consequences: no word for a page. */
#if !defined(CONFIG_IRFM)
#define VCPU_PAGE_TSR
#define VCPU_OWN_TSR uint32_t tsr;
#elif defined(CONFIG_FIT_WATCHDOG)
#define VCPU_PAGE_TSR uint32_t no_tsr;
#define VCPU_OWN_TSR  uint32_t tsr;
#else
#define VCPU_PAGE_TSR uint32_t tsr;
#define VCPU_OWN_TSR
#endif

#if defined(CONFIG_PREVIRT) || defined(CONFIG_IRFM)
#define VCPU_PREVIRT_WORDS uint32_t previrt; /* what became of the table */
#define vcpu_previrt(v)    ((v)->previrt)
#define vcpu_set_previrt(v, value) ((v)->previrt = (value))
#else
#define VCPU_PREVIRT_WORDS
#define vcpu_previrt(v) ((void)(v), 0)
#define vcpu_set_previrt(v, value) ((void)(v), (void)(value))
#endif

/*
 * Of a VM that is rewritten while it runs (vm/optimize.h). What takes more than one word is a stub, which the guest executes, on
 * the page that it can only read; pages of 1 KiB have no room for them. With option TLB_VIRT it is in memory of the guest's,
 * where the partition file says that code can reach it.
 */
#ifdef CONFIG_OPTIMIZE
#include "board_values.h"
#define STUB_WORDS     11
#define STUBS_OF_GUEST IS_ENABLED(CONFIG_TLB_VIRT)
#define STUB_COUNT     (BOARD_PAGE_MIN < 4096 && !STUBS_OF_GUEST ? 0 : CONFIG_OPTIMIZE_STUBS)
/* Where stubs are, which begins at a multiple of it. */
#define STUB_AREA      (STUB_COUNT <= 93 ? 0x1000U : STUB_COUNT <= 186 ? 0x2000U : 0x4000U)
#define STUB_NEAR      (0x01000000U - STUB_AREA)
#define VCPU_SITES                                                                                                \
    uint32_t site_turn, site_limit;             /* traps to the next look; how many places there may be */        \
    uint32_t stub_page, stub_real, stub_near;   /* where stubs are, untranslated, and for the assembler */        \
    uint32_t stub_count;                                                                                          \
    uint32_t stub[STUBS_OF_GUEST ? 0 : STUB_COUNT][STUB_WORDS];
#else
#define VCPU_SITES
#endif

#if defined(CONFIG_UIC)
#define VCPU_IRQ_WORDS uint32_t uic_sr, uic_active, uic_er, uic_cr, uic_pr, uic_tr, uic_vcr, irq_pending;
#elif defined(CONFIG_INTC)
#define VCPU_IRQ_WORDS uint32_t intc_isr, intc_level, intc_ier, intc_mer, irq_pending;
#else
#define VCPU_IRQ_WORDS
#endif

#ifdef CONFIG_FIT_WATCHDOG
#define VCPU_FIT_WORDS uint32_t events_base; /* TBL up to which FIT and watchdog events are accounted for */
#else
#define VCPU_FIT_WORDS
#endif

#ifdef CONFIG_SERVICES
#define VCPU_SERVICES_WORDS uint32_t quantum, wake, sleeping; /* ticks of a slice; MSR_WE until TBL is wake */
#define VCPU_SLEEPS(v)      ((v)->sleeping)
#define VCPU_AWAKE(v)       ((v)->sleeping = 0)
#else
#define VCPU_SERVICES_WORDS
#define VCPU_SLEEPS(v) 0U
#define VCPU_AWAKE(v)  ((void)(v))
#endif

#ifdef CONFIG_STATS
#include "stats.h"
#define VCPU_STAT_WORDS uint32_t stat[STAT_COUNT]; uint32_t ticks_hi, ticks_lo, lost_at, lost_pc, refused_call;
#else
#define VCPU_STAT_WORDS
#endif

#endif
