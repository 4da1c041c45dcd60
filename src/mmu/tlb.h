/*
 * tlb.h: the virtual TLB of a VM, and the entries of the machine's TLB that stand for it (option TLB_VIRT).
 *
 * Every VM has 64 virtual entries with the chip's semantics. What a guest may reach at the moment depends on its MSR[IR, DR,
 * PR], its PID and its ZPR. Each combination of MSR[IR, DR, PR] and PID is a context, and a context has a PID of the
 * machine of its own: of real mode that of the static entries, of the others one of TLB_CONTEXTS for each VM, taken in turn.
 * An entry of the machine (a shadow) is made when a context first misses it. It has no more rights than the guest's own
 * entry and the partition's static entry (which is the only list of what a VM may reach) both give, for this mode.
 *
 * So neither a zone nor ZPR of the machine is used, every zone of a guest is its own, and kernel and user do not even share an
 * entry. It costs an entry for a page that both use, and saves the switch of ZPR by which they would share it: QEMU does not
 * see that switch without a change of PID, which then is the same work.
 *
 * Source: PPC405 Embedded Processor Core User's Manual, "Memory Management".
 */
#ifndef PROTEUS_TLB_H
#define PROTEUS_TLB_H

#include <stdbool.h>
#include <stdint.h>

#include "cpu.h"
#include "vcpu.h"

/*
 * Every entry of the machine's TLB is inside its partition, and none overlaps another, or the hypervisor says so and ends
 * (option TLB_CHECK): whenever somebody is to run, and after every entry that is made.
 */
#ifdef CONFIG_TLB_CHECK
void tlb_check(void);
void tlb_check_new(void);
#else
#define tlb_check()     ((void)0)
#define tlb_check_new() ((void)0)
#endif

enum tlb_access { TLB_LOAD, TLB_STORE, TLB_FETCH };

/* What tlb_fault() decides; anything else is the vector of the interrupt that the guest takes. */
#define TLB_AGAIN 0U /* the machine's TLB has it now */
#define TLB_BUS   1U /* translated to where the VM has no memory, or none for this kind of access */
#define TLB_STOP  2U /* the VM was stopped: an entry that this machine does not have */

#ifdef CONFIG_TLB_VIRT

extern uint16_t shadow_owner[TLB_ENTRIES];
extern uint8_t shadow_turn;

/* Context of a mode: MSR[PR] and MSR[IR, DR] as an index of mode_pid. */
static inline __attribute__((always_inline)) uint32_t tlb_mode(const struct vcpu *v)
{
    return (v->msr >> 12 & 4) | (v->msr >> 4 & 3);
}

#define TLB_REAL(mode)  (((mode) & 3) == 0)
#define TLB_MIXED(mode) (((mode) & 3) == 1 || ((mode) & 3) == 2)

/* Does a fault of the machine concern the virtual TLB? */
static inline bool tlb_is_on(const struct vcpu *v)
{
    return v->context_pid > VM_COUNT;
}

/* The machine's PID for a context that is not known by heart. */
uint32_t tlb_context(struct vcpu *v);

/* MSR or PID may have changed: the PID of the machine for v, in the machine if it runs. */
static inline void tlb_enter(struct vcpu *v)
{
    uint32_t mode = tlb_mode(v);
    uint32_t pid = v->mode_pid[mode];

    if (pid == 0 || (v->pid != v->context_of && !TLB_REAL(mode))) {
        pid = tlb_context(v);
    }
    v->context_pid = pid;
    if (vcpu_is_loaded(v)) {
        cpu_mtspr(SPRN_PID, pid);
    }
}

/* After a reset: no entry is valid. */
void tlb_reset(struct vcpu *v);

/* Less can be reached than before: no entry of the machine is left that was made of the virtual TLB. */
void tlb_forget(struct vcpu *v);

/* What mtspr ZPR and tlbwe are, as rows of spr.c and emulate.c. */
#define WRITE_TLB(name, number, mask) WRITE_COLD(name, number, mask)
#define RARE_tlbwe(key) RARE(tlbwe, key)

/* ZPR: rights may have changed. */
void tlb_write_zpr(struct vcpu *v, uint32_t value);

/* tlbia */
void tlb_invalidate(struct vcpu *v);

/* tlbwe: word 0 takes TID from PID. Word 0 or 1, index below 64. */
void tlb_write(struct vcpu *v, uint32_t index, uint32_t word, uint32_t value);

/* tlbre: of word 0, PID becomes the entry's TID. */
uint32_t tlb_read(struct vcpu *v, uint32_t index, uint32_t word);

/* tlbsx: index of the entry that translates `address`, or TLB_ENTRIES. */
uint32_t tlb_search(const struct vcpu *v, uint32_t address);

/*
 * What an access to `*address` by the running guest comes to, by its virtual TLB alone: 0 and the guest-physical address, or the
 * vector of the interrupt, with *esr.
 */
uint32_t tlb_translate(const struct vcpu *v, enum tlb_access access, uint32_t *address, uint32_t *esr);

/* No user state of the guest's can execute what the running guest fetches from there. */
bool tlb_is_private(const struct vcpu *v, uint32_t virtual);

/*
 * The machine has no entry, or not this right, for an access of the running guest. TLB_BUS: *address is guest-physical
 * then. A vector: ESR and DEAR are set.
 */
uint32_t tlb_fault(struct vcpu *v, enum tlb_access access, uint32_t *address);

#else

#define tlb_is_on(v)         ((void)(v), false)
#define tlb_enter(v)         ((void)(v))
#define tlb_reset(v)         ((void)(v))
#define tlb_forget(v)        ((void)(v))
#define tlb_is_private(v, virtual) true
#define tlb_invalidate(v)    ((void)(v))
#define WRITE_TLB(name, number, mask) WRITE_PLAIN(name, number, mask)
#define RARE_tlbwe(key)

/* A TLB in which no entry is valid: what is written is not kept. */
static inline uint32_t tlb_read(struct vcpu *v, uint32_t index, uint32_t word)
{
    (void)index;
    if (word == 0) {
        v->pid = 0;
    }
    return 0;
}

static inline uint32_t tlb_search(const struct vcpu *v, uint32_t address)
{
    (void)v, (void)address;
    return TLB_ENTRIES;
}

static inline uint32_t tlb_fault(struct vcpu *v, enum tlb_access access, uint32_t *address)
{
    (void)v, (void)access, (void)address;
    return TLB_BUS;
}

static inline uint32_t tlb_translate(const struct vcpu *v, enum tlb_access access, uint32_t *address, uint32_t *esr)
{
    (void)v, (void)access, (void)address, (void)esr;
    return 0;
}

#endif
#endif
