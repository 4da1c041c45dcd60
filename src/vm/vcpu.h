/*
 * vcpu.h: the register file of a virtual 405, the paper's term for all state of one guest.
 *
 * The order of the words is part of the dispatcher: a special purpose register before `plain_end` is a plain word for mfspr and
 * mtspr, one before `pit` is plain for mfspr only, all later ones need a routine. asm/emul_spr.S compares the word's
 * offset with VCPU_PLAIN_END and VCPU_READ_END and needs no flags.
 *
 * With option IRFM the words up to `pid` end on a page of their own, which the guest may write, and the others begin on the
 * next one, which it may read (hypercalls/page.def). So a trapped and a mapped access meet the same word. What the guest can
 * write is the guest's own affair: the hypervisor masks it on use, and never takes an address of its own, or a right, from it.
 */
#ifndef PROTEUS_VCPU_H
#define PROTEUS_VCPU_H

#include <stdbool.h>
#include <stdint.h>

#include "abi.h"
#include "config.h"
#include "cpu.h"
#include "partitions.h"

/* A C function whose address the assembler has as a signed 16-bit number: the linker puts it in the lowest 32 KiB. */
#define ROAD __attribute__((section(".text.road")))

struct vcpu {
    union {
        struct {
            /* Valid while the guest does not run, and inside the hypervisor as far as the road has saved them. */
            uint32_t gpr[32];
            uint32_t cr, lr, ctr, xer, pc;

            /* mfspr and mtspr: the word itself; msr, which is none of their registers, stands here for the page */
            VCPU_DEBUG_WORDS
            uint32_t msr; /* virtual MSR */
            uint32_t srr0, srr1;
            uint32_t sprg0, sprg1, sprg2, sprg3;
            uint32_t esr, dear, ccr0;
            uint32_t dccr, iccr, dcwr, sgr, sler, su0r;
            VCPU_PAGE_RESERVED
            VCPU_PLAIN_END_MMU
            uint32_t zpr;

            /* mfspr: the word itself; mtspr: a routine */
            VCPU_PLAIN_END
            VCPU_PAGE_TSR
            uint32_t pid;
            VCPU_PAGE_WORDS
            uint32_t pending; /* MSR_EE, MSR_CE: an interrupt of that class waits until the same bit of msr is set */
            uint32_t sprg4, sprg5, sprg6, sprg7; /* copies: the machine's own registers hold the running guest's */
            uint32_t evpr, tcr, dbsr, dbcr0;
            VCPU_PREVIRT_WORDS

            /* mfspr, mtspr: a routine */
            union {
                uint32_t pit;     /* the value last written to PIT: with TCR[ARE] it is loaded again */
                uint32_t work_at; /* while there is work for it (lifecycle.c) and no timer of it runs: how far that is, */
            };
            uint32_t usprg0;      /* while not running: the machine's own registers hold the running guest's */
            uint32_t srr2, srr3;  /* likewise */
            VCPU_SERVICES_WORDS
            VCPU_OWN_TSR
            uint32_t machine_pid; /* PID of its static TLB entries: its index + 1 */
            VCPU_CONTEXT_WORDS
            VCPU_UART_WORDS
            uint32_t ram_offset;  /* machine address minus guest-physical address of the partition's RAM */
            uint32_t pit_left;    /* time-base ticks from pit_base to the next PIT event; 0: stopped */
            union {
                uint32_t pit_base; /* TBL at which pit_left was right */
                uint32_t work_row; /* and in which row of a table */
            };
            uint32_t work;        /* what the hypervisor has to do for it in its own slices; 0: nothing */
            uint32_t run_msr;     /* the machine's MSR while it runs: MSR_GUEST, or MSR_WORK while that is done */
            VCPU_IRQ_WORDS
            VCPU_FIT_WORDS
            VCPU_STAT_WORDS
            VCPU_TLB_PLACE
            VCPU_SITES

            /* No words: their offset behind the file sends mfspr and mtspr to a routine. */
            uint32_t none[0];
            VCPU_NO_DEBUG_WORDS
        };
        VCPU_SLOT
    };
};

/* One per partition, in the order of the partition file. */
extern struct vcpu vcpu[];

/* The one whose registers the machine holds, and its r31 as long as the hypervisor runs (asm/low.S). */
extern struct vcpu *current;

/* A machine check in the hypervisor was of an access of this VM's (asm/vectors.S; if VMs have devices). */
extern struct vcpu *bus_error_of;

/* It takes it now, or never: without MSR[ME] the bus reads whatever it likes. */
void bus_error_charge(void);
static inline void bus_error_take(void)
{
    if (bus_error_of != 0) {
        bus_error_charge();
    }
}
extern uint32_t low_r31; /* this and the next two: LOW_GET, LOW_SET */

/* Where the current guest goes on after the idle loop; NOT_IDLE, which no pc is, while the machine does not idle. */
#define NOT_IDLE 1
extern uint32_t idle_pc, idle_r31; /* its r31: the idle loop uses that register */

/*
 * The machine's own copy of a register that follows the running guest (SRR2, SRR3, USPRG0): through these two, because
 * a guest that does not run has it in its register file.
 */
static inline bool vcpu_is_loaded(const struct vcpu *v)
{
    return VM_COUNT == 1 || v == current;
}

static inline uint32_t vcpu_index(const struct vcpu *v)
{
    return VM_COUNT == 1 ? 0 : v->machine_pid - 1;
}

/*
 * False while MSR[WE] waits for an interrupt, or a hypercall for the time. A stopped guest waits with all disabled.
 * Inlined by order: gcc -Os forgets that a caller of nothing else needs no frame (likewise tlb_mode()).
 */
static inline __attribute__((always_inline)) bool vcpu_can_run(const struct vcpu *v)
{
    return ((v->msr | VCPU_SLEEPS(v)) & MSR_WE) == 0 || (v->pending & v->msr) != 0;
}

/* Registers of the running guest that the machine itself holds: to and from its register file (asm/live.S). */
void vcpu_save_live(struct vcpu *v);
void vcpu_load_live(struct vcpu *v);

/* Recompute `pending` after TSR, TCR or the interrupt controller changed. */
void vcpu_update_pending(struct vcpu *v);

/*
 * The guest takes the interrupt at `vector` (offset from EVPR): save registers, MSR and pc by config/vectors.def.
 * The class is known where the vector is; a constant vector leaves one of the two.
 */
void vcpu_noncritical(struct vcpu *v, uint32_t vector);
void vcpu_critical(struct vcpu *v, uint32_t vector);

static inline void vcpu_interrupt(struct vcpu *v, uint32_t vector)
{
    switch (vector) {
#define CASE_NONCRITICAL(offset)
#define CASE_CRITICAL(offset) case offset:
#define VECTOR(name, offset, class, keep, info, window, manual) CASE_##class(offset)
#include "vectors.def"
#undef VECTOR
        vcpu_critical(v, vector);
        break;
    default:
        vcpu_noncritical(v, vector);
        break;
    }
}

/* MSR = value, with what follows from it. */
void vcpu_set_msr(struct vcpu *v, uint32_t value);

/* A program interrupt with this ESR. Returns its vector. */
uint32_t vcpu_program(struct vcpu *v, uint32_t esr);

/*
 * Reports, for whoever finds out, however deep inside: the guest executes no instruction more. What follows is work, done later
 * and in its own slices (lifecycle.c); on the way out nobody needs to care.
 *
 * The guest asked for a reset (DBCR0, watchdog): restart or stop, as its partition says. `cause`: 1 core, 2 chip, 3 system;
 * `tsr`: what TSR tells after it.
 */
void vcpu_reset_request(struct vcpu *v, uint32_t cause, uint32_t tsr);

/* This guest cannot go on, because of STOP(name): vcpu_stop(v, STOP(FETCH)). The others can. */
#define STOP(name) STOP_##name, STOP_TEXT_##name
void vcpu_stop(struct vcpu *v, uint32_t cause, const char *text);

#define STOP_TEXT_NONE        "" /* it does not stop */
#define STOP_TEXT_RESET       "reset by the guest"
#define STOP_TEXT_TRANSLATION "address translation needs option TLB_VIRT"
#define STOP_TEXT_STRAY       "access outside its memory"
#define STOP_TEXT_FETCH       "fetch outside its memory"
#define STOP_TEXT_CHECK       "machine check while MSR[ME] is 0"
#define STOP_TEXT_PAGE        "TLB entry below the machine's smallest page"
#define STOP_TEXT_LITTLE      "little-endian TLB entry"
#define STOP_TEXT_IMAGE       "image outside its memory"
#define STOP_TEXT_OVERRUN     "used up its time, and wanted more"
#define STOP_TEXT_STORM       "too many interrupts"

/*
 * Also a report, for health.c at the next decision: it has done what its partition file has a word for (option LIFECYCLE). Asked
 * for if VM_OVERRUNS, VM_STORMS (partitions.h) say that any VM has.
 */
enum { EVENT_OVERRUN, EVENT_STORM, EVENTS };
extern uint32_t vcpu_events[EVENTS]; /* bit n: VM n */
static inline void vcpu_event(const struct vcpu *v, uint32_t event)
{
    vcpu_events[event] |= 1U << vcpu_index(v);
}

/* Of a guest that can't run: is there work? Then the hypervisor's loop (asm/cold.S) is what it runs next. */
void work_loop(void);
static inline bool vcpu_has_work(struct vcpu *v)
{
    if (v->work == 0) {
        return false;
    }
    v->msr = 0;
    v->pc = (uint32_t)(uintptr_t)work_loop;
    v->run_msr = MSR_WORK;
    if (vcpu_is_loaded(v)) { /* otherwise the switch does it */
        cpu_mtspr(SPRN_SRR1, MSR_WORK);
    }
    return true;
}

/* Run a guest with all that its register file says; whoever ran is not saved, and the stack begins anew (asm/switch.S). */
void vcpu_start(struct vcpu *v);

/* The end of every cold road, whatever happened to the guest: who runs next? */
ROAD struct vcpu *schedule(struct vcpu *v);

#endif
