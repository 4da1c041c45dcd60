/*
 * fault.c: interrupts of the machine that a guest's access caused.
 *
 * Flat memory: a guest without translation has no storage faults. An access outside its partition is an access to a bus
 * address where nobody answers: the board's machine check (manual, "Machine Check Interrupts"), or nothing at all if the
 * guest has it disabled, as the bus would have it.
 */
#include "cpu.h"
#include "emulate.h"
#include "memory.h"
#include "message.h"
#include "mmio.h"
#include "optimize.h"
#include "partition.h"
#include "roads.h"
#include "stats.h"
#include "tlb.h"

/* The guest's machine check, at pc; without MSR[ME] it cannot go on. */
static struct vcpu *bus_error(struct vcpu *v, uint32_t esr, uint32_t cause, const char *text)
{
    if ((v->msr & MSR_ME) == 0) {
        vcpu_stop(v, cause, text);
    } else {
        v->esr = esr;
        vcpu_critical(v, 0x0200);
    }
    return schedule(v);
}

/* What the virtual TLB has made of it, if that is the end of it. A null pointer: it is not. */
static struct vcpu *translated(struct vcpu *v, uint32_t decision)
{
    if (decision == TLB_BUS) {
        return 0;
    }
    if (decision == TLB_STOP) {
        return schedule(v);
    }
    if (decision != TLB_AGAIN) {
        vcpu_noncritical(v, decision); /* lets in nothing that was not let in before */
        tlb_enter(v);
    }
    return v;
}

/* Nobody has answered the access at pc. True: this VM is to end by it (`stray` of the partition file), and it has. */
static bool stray_stops(struct vcpu *v, uint32_t effective, uint32_t address)
{
    stat_unanswered(v, effective);
    if (!STRAYS_STOP || (v->msr & MSR_ME) != 0 || (vm_config[vcpu_index(v)].flags & VM_STRAY_STOP) == 0) {
        message_note(v, address);
        return false;
    }
    v->dear = effective; /* for who looks at it */
    vcpu_stop(v, STOP(STRAY));
    return true;
}

/*
 * Data TLB miss, data storage. Registers are in the register file. A data machine check is imprecise: SRR2 has the next
 * instruction; without MSR[ME] the bus reads whatever it likes, and the guest goes on.
 */
struct vcpu *data_fault(struct vcpu *v)
{
    uint32_t effective = cpu_mfspr(SPRN_DEAR);
    uint32_t address = effective;
    enum mmio done;

    if (optimize_shows(v, effective) && optimize_undo(v)) {
        return v;
    }
    if (VCPU_UART_HIT(v, effective)) { /* what asm/uart.S has left */
        address = effective - VCPU_UART_AT(v) + vm_config[vcpu_index(v)].console_base;
    } else if (tlb_is_on(v)) {
        enum tlb_access access = (cpu_mfspr(SPRN_ESR) & ESR_DST) != 0 ? TLB_STORE : TLB_LOAD;
        struct vcpu *next = translated(v, tlb_fault(v, access, &address));

        if (next != 0) {
            return next;
        }
    }
    stat_count(v, STAT_data_fault);
    done = mmio_access(v, address, memory_fetch(v), effective);
    if (done != MMIO_DONE && stray_stops(v, effective, address)) {
        return schedule(v);
    }
    v->pc += 4;
    return done != MMIO_NONE || (v->msr & MSR_ME) == 0 ? schedule(v) : bus_error(v, 0, STOP(NONE));
}

/* Instruction TLB miss, instruction storage: the guest has left its memory. */
struct vcpu *fetch_fault(struct vcpu *v)
{
    if (tlb_is_on(v)) {
        uint32_t address = v->pc;
        struct vcpu *next = translated(v, tlb_fault(v, TLB_FETCH, &address));

        if (next != 0) {
            return next;
        }
    }
    if (optimize_fetched(v)) {
        return v;
    }
    stat_count(v, STAT_fetch_fault);
    return bus_error(v, ESR_MCI, STOP(FETCH));
}

/* The bus itself. SRR2 and SRR3, which the guest reaches, are what the machine check made of them, as on the chip. */
struct vcpu *machine_check(struct vcpu *v)
{
    uint32_t esr;

    if ((cpu_mfspr(SPRN_SRR3) & MSR_PR) == 0) {
        message_panic("machine check in the hypervisor");
    }
    v->pc = cpu_mfspr(SPRN_SRR2);
    cpu_mtspr(SPRN_SRR1, MSR_GUEST);
    /*
     * Of ESR only MCI is of this interrupt, and of a fetch alone; the rest is what an older one has left. MCI stays until it is
     * cleared, and other guests would get it with their program interrupts (manual, "Exception Syndrome Register").
     */
    esr = cpu_mfspr(SPRN_ESR) & ESR_MCI;
    cpu_mtspr(SPRN_ESR, 0);
    return bus_error(v, esr, STOP(CHECK));
}

void bus_error_charge(void)
{
    struct vcpu *v = bus_error_of;

    bus_error_of = 0;
    if ((v->msr & MSR_ME) != 0) {
        v->esr = 0;
        vcpu_critical(v, 0x0200);
    }
}

/* No row of the machine's tables enables these. */
struct vcpu *unexpected(struct vcpu *v)
{
    (void)v;
    message_panic("interrupt that nobody enabled");
}
