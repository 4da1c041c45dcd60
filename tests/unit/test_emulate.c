/*
 * test_emulate.c: every instruction of the PPC405 that traps and that C emulates, with GNU as as the oracle for the
 * encodings; and everything else that can trap, which must be reflected. The guest is in its supervisor
 * state: in user state nothing comes to C (asm/dispatch.S; the twin guest has the probes).
 */
#include "harness.h"

#include <string.h>

#include "irq.h"

#define HERE 0x300U

static struct vcpu *guest(void)
{
    struct vcpu *v = current;
    uint32_t i;

    for (i = 0; i < 32; i++) {
        v->gpr[i] = 0x01010101 * (i + 1);
    }
    v->pc = vm_config[v->machine_pid - 1].ram_guest + HERE;
    v->evpr = 0x00050000;
    v->msr = MSR_ME;
    return v;
}

static uint32_t here(const struct vcpu *v)
{
    return vm_config[v->machine_pid - 1].ram_guest + HERE;
}

/* Execute it; only what the caller then checks may have changed: `same` compares the rest. */
static struct vcpu before;

static void execute(struct vcpu *v, uint32_t insn)
{
    before = *v;
    run_insn(v, insn, ESR_PPR);
}

static void assert_gprs_but(const struct vcpu *v, uint32_t changed)
{
    uint32_t i;

    for (i = 0; i < 32; i++) {
        if ((changed & 1U << i) == 0 && v->gpr[i] != before.gpr[i]) {
            fail_msg("r%u changed from %08x to %08x", i, before.gpr[i], v->gpr[i]);
        }
    }
}

static void assert_program(const struct vcpu *v, uint32_t esr)
{
    assert_hex(v->pc, 0x00050700);
    assert_hex(v->esr, esr);
    assert_hex(v->srr0, here(v));
    assert_hex(v->srr1, before.msr);
    assert_hex(v->msr, before.msr & (MSR_CE | MSR_ME | MSR_DE));
    assert_gprs_but(v, 0);
}

/* ---- rows ---- */

static void mfspr_any_register(void **state)
{
    struct vcpu *v;
    uint32_t reg;

    (void)state;
    for (reg = 0; reg < 32; reg++) {
        v = guest();
        v->srr0 = 0x5EED0000 + reg;
        execute(v, with_rt(INSN("mfspr 0, 26"), reg));
        assert_hex(v->gpr[reg], 0x5EED0000 + reg);
        assert_gprs_but(v, 1U << reg);
        assert_hex(v->pc, here(v) + 4);
    }
    covered("isa.mfspr");
}

static void mtspr_any_register(void **state)
{
    struct vcpu *v;
    uint32_t reg;

    (void)state;
    for (reg = 0; reg < 32; reg++) {
        v = guest();
        execute(v, with_rt(INSN("mtspr 275, 0"), reg));
        assert_hex(v->sprg3, 0x01010101 * (reg + 1));
        assert_gprs_but(v, 0);
        assert_hex(v->pc, here(v) + 4);
    }
    covered("isa.mtspr");
}

/* What the hot road leaves to C: translation, which stops a VM without option TLB_VIRT. */
static void mtmsr_keeps_the_bits_that_exist(void **state)
{
    struct vcpu *v = guest();

    (void)state;
    v->gpr[9] = 0xFFFFFFFF & ~(MSR_IR | MSR_DR | MSR_WE | MSR_PR);
    execute(v, INSN("mtmsr 9"));
    assert_hex(v->msr, 0x020ABF00 & ~0x00004000); /* manual, "MSR": AP APE CE EE FP ME FE0 DWE DE FE1 */
    assert_hex(v->pc, here(v) + 4);
    assert_gprs_but(v, 0);
    covered("isa.mtmsr");
}

static void rfi_returns(void **state)
{
    struct vcpu *v = guest();

    (void)state;
    v->srr0 = here(v) + 0x43;
    v->srr1 = MSR_CE | MSR_ME | MSR_PR | 1;
    execute(v, INSN("rfi"));
    assert_hex(v->pc, here(v) + 0x40);
    assert_hex(v->msr, MSR_CE | MSR_ME | MSR_PR);
    assert_gprs_but(v, 0);
    covered("isa.rfi");
}

static void rfci_returns(void **state)
{
    struct vcpu *v = guest();

    (void)state;
    v->srr0 = 0;
    v->srr1 = 0;
    fake.spr[SPRN_SRR2] = here(v) + 0x81;
    fake.spr[SPRN_SRR3] = MSR_DE | MSR_PR | 4;
    execute(v, INSN("rfci"));
    assert_hex(v->pc, here(v) + 0x80);
    assert_hex(v->msr, MSR_DE | MSR_PR);
    assert_gprs_but(v, 0);
    covered("isa.rfci");
}

static void mfdcr_reads_the_virtual_controller(void **state)
{
    struct vcpu *v = guest();

    (void)state;
    fake.dcr[0xC2] = 0x77777777; /* the board's own ER */
    irq_write(v, IRQ_ENABLE, 0x00C0FFEE);
    execute(v, INSN("mfdcr 17, 0xC2"));
    assert_hex(v->gpr[17], IRQ_BY_DCR ? 0x00C0FFEE : 0);
    assert_gprs_but(v, 1U << 17);
    assert_hex(v->pc, here(v) + 4);
    v = guest();
    execute(v, INSN("mfdcr 17, 0x3FF")); /* nobody answers */
    assert_hex(v->gpr[17], 0);
    v = guest();
    execute(v, INSN("mfdcr 0, 0xC9"));
    assert_hex(v->gpr[0], 0);
    assert_hex(v->pc, here(v) + 4);
    covered("isa.mfdcr");
}

static void mtdcr_writes_the_virtual_controller(void **state)
{
    struct vcpu *v = guest();
    uint32_t dcr[1024];

    (void)state;
    memcpy(dcr, fake.dcr, sizeof(dcr));
    execute(v, INSN("mtdcr 0xC2, 30"));
    assert_hex(irq_read(v, IRQ_ENABLE), IRQ_BY_DCR ? 0x1F1F1F1F : 0);
    assert_gprs_but(v, 0);
    assert_hex(v->pc, here(v) + 4);
    v = guest();
    execute(v, INSN("mtdcr 0x3FF, 30"));
    assert_hex(v->pc, here(v) + 4);
    v = guest();
    execute(v, INSN("mtdcr 0xBF, 30"));
    assert_hex(v->pc, here(v) + 4);
    assert_memory_equal(dcr, fake.dcr, sizeof(dcr)); /* the board's stay as they are */
    covered("isa.mtdcr");
}

/* Without TLB virtualization: a TLB in which no entry is valid. */
static void tlbre_reads_an_invalid_entry(void **state)
{
    struct vcpu *v = guest();

    (void)state;
    v->pid = 0x55;
    execute(v, INSN("tlbre 20, 3, 1"));
    assert_hex(v->gpr[20], 0);
    assert_hex(v->pid, 0x55);
    assert_gprs_but(v, 1U << 20);
    v = guest();
    execute(v, INSN("tlbre 21, 3, 0")); /* word 0 loads PID with TID */
    assert_hex(v->gpr[21], 0);
    assert_hex(v->pid, 0);
    assert_hex(v->pc, here(v) + 4);
    covered("isa.tlbre");
}

static void tlbsx_finds_nothing(void **state)
{
    struct vcpu *v = guest();

    (void)state;
    v->cr = 0xFFFFFFFF;
    v->xer = 0x80000000;
    execute(v, INSN("tlbsx 5, 6, 7"));
    assert_hex(v->cr, 0xFFFFFFFF);
    assert_hex(v->pc, here(v) + 4);
    execute(v, INSN("tlbsx. 5, 6, 7"));
    assert_hex(v->cr, 0x1FFFFFFF);
    v->xer = 0x7FFFFFFF;
    execute(v, INSN("tlbsx. 5, 6, 7"));
    assert_hex(v->cr, 0x0FFFFFFF);
    assert_hex(v->pc, here(v) + 12);
    covered("isa.tlbsx");
}

/* Nothing of the guest changes, nor of the machine. */
static void no_effect(const char *name, uint32_t insn)
{
    struct vcpu *v = guest();
    struct fake machine = fake;

    execute(v, insn);
    assert_hex(v->pc, here(v) + 4);
    assert_gprs_but(v, 0);
    assert_hex(v->pid, before.pid);
    assert_hex(v->msr, before.msr);
    assert_memory_equal(fake.tlb_hi, machine.tlb_hi, sizeof(machine.tlb_hi));
    assert_memory_equal(fake.tlb_lo, machine.tlb_lo, sizeof(machine.tlb_lo));
    covered("isa.%s", name);
}

static void without_effect(void **state)
{
    (void)state;
    no_effect("tlbia", INSN("tlbia"));
    no_effect("tlbsync", INSN("tlbsync"));
    no_effect("icread", INSN("icread 3, 4"));
    no_effect("icbt", INSN("icbt 3, 4"));
}

static void iccci_invalidates(void **state)
{
    (void)state;
    fake.fetch_stale = true;
    no_effect("iccci", INSN("iccci 3, 4"));
    assert_false(fake.fetch_stale);
}

static void dcread_reads_zero(void **state)
{
    struct vcpu *v = guest();

    (void)state;
    execute(v, INSN("dcread 22, 3, 4"));
    assert_hex(v->gpr[22], 0);
    assert_gprs_but(v, 1U << 22);
    assert_hex(v->pc, here(v) + 4);
    covered("isa.dcread");
}

/* dcbi loses no word: the line is flushed. Outside the partition: nothing. */
static void dcbi_flushes(void **state)
{
    struct vcpu *v = guest();
    uint32_t base = vm_config[v->machine_pid - 1].ram_guest;

    (void)state;
    fake.flush_count = 0;
    v->gpr[3] = base + 0x400;
    v->gpr[4] = 0x60;
    execute(v, INSN("dcbi 3, 4"));
    assert_hex(fake.flushed, machine_address(v, base + 0x460));
    assert_int_equal(fake.flush_count, 1);
    v = guest();
    v->gpr[0] = 0xDEAD0000;
    v->gpr[4] = base + 0x80;
    execute(v, INSN("dcbi 0, 4")); /* r0 as base is zero */
    assert_hex(fake.flushed, machine_address(v, base + 0x80));
    v = guest();
    v->gpr[4] = base + vm_config[v->machine_pid - 1].ram_size;
    execute(v, INSN("dcbi 0, 4"));
    assert_int_equal(fake.flush_count, 2);
    assert_hex(v->pc, here(v) + 4);
    v = guest();
    v->gpr[4] = base - 1;
    execute(v, INSN("dcbi 0, 4"));
    assert_int_equal(fake.flush_count, 2);
    covered("isa.dcbi");
}

/* ---- all rows at once ---- */

/* Every combination of opcode and extended opcode that the table does not name: illegal, in supervisor state. */
static bool is_row(uint32_t op, uint32_t xo)
{
    static const struct {
        uint32_t op, xo;
    } rows[] = {
#define ISA_HOT(mnemonic, op, xo, form, routine, manual) {op, xo},
#define ISA_COLD(mnemonic, op, xo, form, routine, manual) {op, xo},
#include "isa.def"
#undef ISA_HOT
#undef ISA_COLD
    };
    size_t i;

    for (i = 0; i < COUNT(rows); i++) {
        if (rows[i].op == op && rows[i].xo == xo) {
            return true;
        }
    }
    return false;
}

static void everything_else_is_illegal(void **state)
{
    uint32_t op, xo;

    (void)state;
    for (op = 0; op < 64; op++) {
        for (xo = 0; xo < 1024; xo++) {
            struct vcpu *v = guest();
            uint32_t insn = op << 26 | (random_word() & 0x03FFF800) | xo << 1;

            if (is_row(op, xo)) {
                continue;
            }
            before = *v;
            run_insn(v, insn, ESR_PIL);
            assert_program(v, ESR_PIL);
            v = guest();
            before = *v;
            run_insn(v, insn | 1, ESR_PIL);
            assert_program(v, ESR_PIL);
        }
    }
}

/* A trap instruction keeps its ESR. What the machine calls privileged is illegal in the guest's supervisor state. */
static void esr_of_the_guest(void **state)
{
    struct vcpu *v = guest();

    (void)state;
    before = *v;
    run_insn(v, INSN("tw 31, 3, 4"), ESR_PTR);
    assert_program(v, ESR_PTR);
    v = guest();
    before = *v;
    run_insn(v, INSN("twi 31, 3, 4"), ESR_PTR);
    assert_program(v, ESR_PTR);
    v = guest();
    before = *v;
    run_insn(v, 0x7C0006E6, ESR_PPR); /* opcode 31, extended opcode 883: none, privileged to the machine */
    assert_program(v, ESR_PIL);
}

/* A VM without TLB virtualization cannot go on translated. */
static void translation_stops(void **state)
{
    struct vcpu *v = guest();

    (void)state;
    if (IS_ENABLED(CONFIG_TLB_VIRT)) {
        skip(); /* test_tlb.c */
    }
    v->gpr[3] = MSR_DR;
    set_guest_word(v, v->pc, INSN("mtmsr 3"));
    fake.spr[SPRN_ESR] = ESR_PPR;
    if (VM_COUNT == 1) {
        EXPECT_MACHINE_RESET(enter(emulate(v)));
    } else {
        assert_ptr_not_equal(enter(emulate(v)), v);
    }
    assert_false(vcpu_can_run(v));
}

/* Every register field leads to that register alone, for the instructions that write one. */
static void destination_registers(void **state)
{
    uint32_t insns[] = {INSN("mfdcr 0, 0x3FF"), INSN("tlbre 0, 3, 1"), INSN("dcread 0, 3, 4"), INSN("mfspr 0, 272")};
    uint32_t reg;
    size_t i;

    (void)state;
    for (i = 0; i < COUNT(insns); i++) {
        for (reg = 0; reg < 32; reg++) {
            struct vcpu *v = guest();

            v->sprg0 = 0;
            execute(v, with_rt(insns[i], reg));
            assert_hex(v->gpr[reg], 0);
            assert_gprs_but(v, 1U << reg);
        }
    }
}

/* Every source register, for those that read one. */
static void source_registers(void **state)
{
    uint32_t reg;

    (void)state;
    for (reg = 0; reg < 32; reg++) {
        struct vcpu *v = guest();

        execute(v, with_rt(INSN("mtdcr 0xC2, 0"), reg));
        assert_hex(irq_read(v, IRQ_ENABLE), IRQ_BY_DCR ? 0x01010101 * (reg + 1) : 0);
        v = guest();
        v->gpr[reg] = MSR_DE;
        execute(v, with_rt(INSN("mtmsr 0"), reg));
        assert_hex(v->msr, MSR_DE);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST_BOOTED(mfspr_any_register),
        TEST_BOOTED(mtspr_any_register),
        TEST_BOOTED(mtmsr_keeps_the_bits_that_exist),
        TEST_BOOTED(rfi_returns),
        TEST_BOOTED(rfci_returns),
        TEST_BOOTED(mfdcr_reads_the_virtual_controller),
        TEST_BOOTED(mtdcr_writes_the_virtual_controller),
        TEST_BOOTED(tlbre_reads_an_invalid_entry),
        TEST_BOOTED(tlbsx_finds_nothing),
        TEST_BOOTED(without_effect),
        TEST_BOOTED(iccci_invalidates),
        TEST_BOOTED(dcread_reads_zero),
        TEST_BOOTED(dcbi_flushes),
        TEST_BOOTED(everything_else_is_illegal),
        TEST_BOOTED(esr_of_the_guest),
        TEST_BOOTED(translation_stops),
        TEST_BOOTED(destination_registers),
        TEST_BOOTED(source_registers),
    };

    return cmocka_run_group_tests_name("emulate", tests, 0, 0);
}
