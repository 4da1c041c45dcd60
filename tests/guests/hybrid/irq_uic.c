/*
 * irq_uic.c: the hybrid guest's interrupt controller is a UIC: after a restart, left behind, disturbed, and by calls.
 */
#include "calls.h"

int controller_is_there(void)
{
    uint32_t value;

    mtdcr(UIC_CR, 0);
    mtdcr(UIC_ER, 0x55);
    value = mfdcr(UIC_ER);
    mtdcr(UIC_ER, 0);
    return value == 0x55;
}

void controller_clean(void)
{
    uint32_t polarity = mfdcr(0xC4);

    expect("UIC_SR", 0, 0, mfdcr(0xC0));
    expect("UIC_SRS", 0, 0, mfdcr(0xC1));
    expect("UIC_ER", 0, 0, mfdcr(0xC2));
    expect("UIC_CR", 0, 0, mfdcr(0xC3));
    expect("UIC_TR", 0, 0, mfdcr(0xC5));
    expect("UIC_MSR", 0, 0, mfdcr(0xC6));
    expect("UIC_VR", 0, 0, mfdcr(0xC7));
    expect("UIC_PR", 0, controller_is_there() ? 0xFFFFFFFF : 0, polarity); /* as ref405ep has its lines */
}

void controller_dirty(void)
{
    mtdcr(UIC_VCR, random_word() | 1);
    mtdcr(UIC_SRS, random_word() | 1);
    mtdcr(UIC_ER, random_word() | 1);
    mtdcr(UIC_CR, random_word() | 1);
    mtdcr(UIC_PR, random_word() | 1);
    mtdcr(UIC_TR, random_word() | 1);
}

void controller_disturb(void)
{
    mtdcr(UIC_ER, random_below(4) ? 0 : random_word());
    mtdcr(UIC_SRS, random_below(4) ? 0 : random_word());
    mtdcr(UIC_CR, random_below(2) ? 0 : random_word());
}

static void test_registers(void)
{
    done(HCALL_NR_DCR_WRITE, UIC_ER, 0);
    expect("dcr_write", UIC_ER, 0, mfdcr(UIC_ER));
    for (uint32_t i = 0; i < 10; i++) { /* the UIC's, but for the line of the UART */
        uint32_t value = random_word() & 0x00FFFF00;

        done(HCALL_NR_DCR_WRITE, UIC_TR, value);
        expect("dcr_write", UIC_TR, value, mfdcr(UIC_TR));
        expect("dcr_read", UIC_TR, 0, call(HCALL_NR_DCR_READ, 2, UIC_TR, 0));
        expect("dcr_read", UIC_TR, value, frame->gpr[4]);
        mtdcr(UIC_SR, 0xFFFFFFFF);
        mtdcr(UIC_SRS, 0x00FF0000);
        done(HCALL_NR_UIC_SET, value & 0x00F00000, ~value & 0x0000FF00);
        expect("SR after uic_set", value, 0x00FF0000 & ~(value & 0x00F00000), mfdcr(UIC_SR));
        expect("ER after uic_set", value, ~value & 0x0000FF00, mfdcr(UIC_ER));
    }
    mtdcr(UIC_TR, 0);
    mtdcr(UIC_ER, 0);
    mtdcr(UIC_SR, 0xFFFFFFFF);
}

/* The interrupt that a call itself lets in comes behind it. */
static void test_call_interrupts(void)
{
    static const uint32_t words[] = {SC, TRAP};

    mtdcr(UIC_SRS, 0x00010000);
    random_machine(HCALL_NR_UIC_SET);
    call_machine.gpr[3] = 0;
    call_machine.gpr[4] = 0x00010000;
    code_at(BUFFER, words, 2);
    expect("vector after uic_set", 0, 0x500, run_code(&call_machine, BUFFER, MSR_ME | MSR_EE));
    expect("srr0 after uic_set", 0, BUFFER + 4, mfspr(SRR0));
    expect("result of uic_set", 0, 0, frame->gpr[3]);
    expect_registers(HCALL_NR_UIC_SET, 1u << 0 | 1u << 3);
    mtdcr(UIC_ER, 0);
    mtdcr(UIC_SR, 0xFFFFFFFF);
    row("hcall.uic_set");
}

void controller_calls(void)
{
    if (!controller_is_there()) {
        refused(E(NUMBER), HCALL_NR_UIC_SET, 0, 0, 0);
        return;
    }
    test_registers();
    test_call_interrupts();
}
