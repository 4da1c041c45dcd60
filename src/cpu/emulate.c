/*
 * emulate.c: the instructions that are too rare for the assembler, and the rare cases of those that are not.
 */
#include "emulate.h"

#include "cpu.h"
#include "hypercall.h"
#include "irq.h"
#include "memory.h"
#include "optimize.h"
#include "roads.h"
#include "stats.h"
#include "tlb.h"

static uint32_t emulate_mfspr(struct vcpu *v, uint32_t insn)
{
    return spr_read(v, INSN_SPR(insn), &v->gpr[INSN_RT(insn)]);
}

static uint32_t emulate_mtspr(struct vcpu *v, uint32_t insn)
{
    return spr_write(v, INSN_SPR(insn), v->gpr[INSN_RT(insn)]);
}

static uint32_t emulate_mtmsr(struct vcpu *v, uint32_t insn)
{
    vcpu_set_msr(v, v->gpr[INSN_RT(insn)]);
    return STEP;
}

static uint32_t emulate_rfi(struct vcpu *v, uint32_t insn)
{
    (void)insn;
    v->pc = v->srr0 & ~3U;
    vcpu_set_msr(v, v->srr1);
    return STAY;
}

static uint32_t emulate_rfci(struct vcpu *v, uint32_t insn)
{
    (void)insn;
    v->pc = cpu_mfspr(SPRN_SRR2) & ~3U;
    vcpu_set_msr(v, cpu_mfspr(SPRN_SRR3));
    return STAY;
}

/* A DCR that nobody answers reads as zero, and a write to it is lost: the chip's DCR bus raises no interrupt. */
static uint32_t emulate_mfdcr(struct vcpu *v, uint32_t insn)
{
    uint32_t reg = INSN_SPR(insn) - IRQ_DCR;

    v->gpr[INSN_RT(insn)] = reg < IRQ_REGISTERS ? irq_read(v, reg) : 0;
    return STEP;
}

static uint32_t emulate_mtdcr(struct vcpu *v, uint32_t insn)
{
    uint32_t reg = INSN_SPR(insn) - IRQ_DCR;

    if (reg < IRQ_REGISTERS) {
        irq_write(v, reg, v->gpr[INSN_RT(insn)]);
    }
    return STEP;
}

/* (rA|0) + rB */
static uint32_t effective_address(const struct vcpu *v, uint32_t insn)
{
    return (INSN_RA(insn) != 0 ? v->gpr[INSN_RA(insn)] : 0) + v->gpr[INSN_RB(insn)];
}

#define TLB_INDEX(v, insn) ((v)->gpr[INSN_RA(insn)] % TLB_ENTRIES)
#define TLB_WORD(insn)     ((insn) >> 11 & 1)

#ifdef CONFIG_TLB_VIRT
static uint32_t emulate_tlbwe(struct vcpu *v, uint32_t insn)
{
    tlb_write(v, TLB_INDEX(v, insn), TLB_WORD(insn), v->gpr[INSN_RT(insn)]);
    return STEP_ON;
}
#endif

static uint32_t emulate_tlbia(struct vcpu *v, uint32_t insn)
{
    (void)insn;
    tlb_invalidate(v);
    return STEP;
}

static uint32_t emulate_tlbre(struct vcpu *v, uint32_t insn)
{
    v->gpr[INSN_RT(insn)] = tlb_read(v, TLB_INDEX(v, insn), TLB_WORD(insn));
    return STEP;
}

/* With Rc, CR0 = 0 0 found SO. rT is undefined if nothing is found: it stays. */
static uint32_t emulate_tlbsx(struct vcpu *v, uint32_t insn)
{
    uint32_t index = tlb_search(v, effective_address(v, insn));

    if (index < TLB_ENTRIES) {
        v->gpr[INSN_RT(insn)] = index;
    }
    if ((insn & 1) != 0) {
        v->cr = (v->cr & 0x0FFFFFFF) | (v->xer >> 3 & 0x10000000) | (index < TLB_ENTRIES ? 0x20000000 : 0);
    }
    return STEP;
}

static uint32_t emulate_nop(struct vcpu *v, uint32_t insn)
{
    (void)v, (void)insn;
    return STEP;
}

/* The instruction cache holds nothing that would be lost. */
static uint32_t emulate_iccci(struct vcpu *v, uint32_t insn)
{
    (void)v, (void)insn;
    cpu_iccci();
    cpu_isync();
    return STEP;
}

static uint32_t emulate_dcread(struct vcpu *v, uint32_t insn)
{
    v->gpr[INSN_RT(insn)] = 0;
    return STEP;
}

/* Flush instead of invalidate: the line may hold words that a neighbour's line does not, but never loses any. */
static uint32_t emulate_dcbi(struct vcpu *v, uint32_t insn)
{
    uint32_t address = effective_address(v, insn);
    uint32_t virtual = address;
    uint32_t esr;
    uint32_t vector = tlb_translate(v, TLB_STORE, &address, &esr);

    if (vector != 0) {
        v->esr = esr;
        v->dear = virtual;
        return vector;
    }

    if (memory_contains(v, address)) {
        cpu_dcbf(address + v->ram_offset);
    }
    return STEP;
}

#define emulate_tlbsync emulate_nop
#define emulate_icread  emulate_nop
#define emulate_icbt    emulate_nop /* only a hint, and privileged by some of the manual's lists (QEMU: by none) */

/* Opcode and extended opcode, without Rc; small numbers for opcode 31. */
#define KEY(op, xo)  ((uint32_t)((op) ^ 31) << 26 | (xo) << 1)
#define KEY_OF(insn) (((insn) & 0xFC0007FE) ^ 31U << 26)

/* The hot rows that have rare cases for C, and those that have none. */
#define RARE(mnemonic, key)                                                                                       \
    case key:                                                                                                     \
        return emulate_##mnemonic(v, insn);
#define RARE_mfspr(key) RARE(mfspr, key)
#define RARE_mtspr(key) RARE(mtspr, key)
#define RARE_mtmsr(key) RARE(mtmsr, key)
#define RARE_rfi(key)   RARE(rfi, key)
#define RARE_wrteei(key)
#define RARE_wrtee(key)
#define RARE_mfmsr(key)
#define RARE_dccci(key)

/* In supervisor state: dispatch.S has reflected everything in user state. */
static uint32_t decode(struct vcpu *v, uint32_t insn)
{
    uint32_t esr = cpu_mfspr(SPRN_ESR);

    switch (KEY_OF(insn)) {
#define ISA_HOT(mnemonic, op, xo, form, routine, manual) RARE_##mnemonic(KEY(op, xo))
#define ISA_COLD(mnemonic, op, xo, form, routine, manual)                                                         \
    case KEY(op, xo):                                                                                             \
        return routine(v, insn);
#include "isa.def"
    default:
        break;
    }
    if (hypercall_is_rare(insn)) {
        ARG(v, 0) = stat_hypercall(v, (uint32_t)HCALL_E_STATE);
        return STEP;
    }
    /* Not ours: illegal, or a trap instruction. What the machine calls privileged does not exist in supervisor state. */
    return vcpu_program(v, (esr & ESR_PPR) != 0 ? ESR_PIL : esr);
}

struct vcpu *emulate_finish(struct vcpu *v, uint32_t decision)
{
    if (IS_ENABLED(CONFIG_TLB_VIRT) && decision == STEP_ON) {
        v->pc += 4;
        return v;
    }
    if (decision == STEP) {
        v->pc += 4;
    } else if (decision != STAY) {
        vcpu_noncritical(v, decision);
    }
    return schedule(v);
}

struct vcpu *emulate(struct vcpu *v)
{
    uint32_t decision = optimize_in_stub(v) ? optimize_trapped(v) : decode(v, memory_fetch(v));

    stat_count(v, STAT_cold);
    if (decision == 0x0700 && (v->esr & ESR_PIL) != 0) {
        stat_count(v, STAT_illegal);
    }
    return emulate_finish(v, decision);
}
