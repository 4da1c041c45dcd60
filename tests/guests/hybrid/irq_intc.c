/*
 * irq_intc.c: the hybrid guest's interrupt controller is Xilinx' INTC, in memory or on the DCR bus: after a restart, left
 * behind, disturbed, and by calls. Without the option for it the VM has nothing there: a machine check in memory, a DCR
 * that nobody answers.
 */
#include "calls.h"

/* IER into r3, and r4 into IER; r3 = its address in memory. */
#ifdef BOARD_INTC_DCR
#define IER_DCR   (BOARD_INTC_DCR + INTC_IER)
#define READ_IER  (0x7C600286u | (IER_DCR & 31) << 16 | IER_DCR >> 5 << 11)
#define WRITE_IER (0x7C800386u | (IER_DCR & 31) << 16 | IER_DCR >> 5 << 11)
#else
#define IER_DCR   0
#define READ_IER  0x80630000u
#define WRITE_IER 0x90830000u
#endif

/* One of these, which may end in a machine check. Gives r3 afterwards, or 0. */
static uint32_t access_ier(uint32_t insn, uint32_t value)
{
    const uint32_t words[] = {insn, TRAP};
    struct machine m = {0};

    m.gpr[3] = BOARD_IRQ_FIRST + 4 * INTC_IER;
    m.gpr[4] = value;
    code_at(BUFFER, words, 2);
    return run_code(&m, BUFFER, MSR_ME) == 0x700 ? frame->gpr[3] : 0;
}

int controller_is_there(void)
{
    uint32_t value;

    (void)access_ier(WRITE_IER, 0x55);
    value = access_ier(READ_IER, 0);
    (void)access_ier(WRITE_IER, 0);
    return value == 0x55;
}

void controller_clean(void)
{
    expect("INTC_IER", 0, 0, access_ier(READ_IER, 0));
    if (!controller_is_there()) {
        return;
    }
    expect("INTC_ISR", 0, 0, intc_read(INTC_ISR));
    expect("INTC_IPR", 0, 0, intc_read(INTC_IPR));
    expect("INTC_IVR", 0, INTC_IVR_NONE, intc_read(INTC_IVR));
    expect("INTC_MER", 0, 0, intc_read(INTC_MER));
}

void controller_dirty(void)
{
    if (!controller_is_there()) {
        return;
    }
    intc_write(INTC_ISR, random_word() | 1);
    intc_write(INTC_IER, random_word() | 1);
    intc_write(INTC_MER, INTC_MER_ME | INTC_MER_HIE);
}

/* Where this is asked for, the option is on. */
void controller_disturb(void)
{
    intc_write(INTC_IER, random_below(4) ? 0 : random_word());
    intc_write(INTC_ISR, random_below(4) ? 0 : random_word());
    intc_write(INTC_MER, random_below(4) ? 0 : random_word());
}

/* By the calls that are like mfdcr and mtdcr; the call for a UIC is none of this board's. */
void controller_calls(void)
{
    refused(E(NUMBER), HCALL_NR_UIC_SET, 0, 0, 0);
    if (IER_DCR == 0 || !controller_is_there()) {
        return;
    }
    for (uint32_t i = 0; i < 10; i++) {
        uint32_t value = random_word();

        done(HCALL_NR_DCR_WRITE, IER_DCR, value);
        expect("dcr_write", IER_DCR, value, intc_read(INTC_IER));
        expect("dcr_read", IER_DCR, 0, call(HCALL_NR_DCR_READ, 2, IER_DCR, 0));
        expect("dcr_read", IER_DCR, value, frame->gpr[4]);
    }
    intc_write(INTC_IER, 0);
}
