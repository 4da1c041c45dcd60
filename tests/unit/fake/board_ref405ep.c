/*
 * board_ref405ep.c (fake): DCRs as words; the board's UIC, whose inputs are active by PR, and levels or edges by TR.
 */
#include "harness.h"

#include "uic.h"

static uint32_t *look(void)
{
    uint32_t *uic = &fake.dcr[BOARD_UIC_DCR];
    uint32_t now = ~(fake.lines ^ uic[UIC_PR]);

    uic[UIC_SR] |= now & ~(fake.lines_were & uic[UIC_TR]);
    fake.lines_were = now;
    return uic;
}

uint32_t cpu_mfdcr(uint32_t n)
{
    uint32_t *uic = look();

    assert_in_range(n, 0, 1023);
    return n == BOARD_UIC_DCR + UIC_MSR ? uic[UIC_SR] & uic[UIC_ER] : fake.dcr[n];
}

void cpu_mtdcr(uint32_t n, uint32_t value)
{
    assert_in_range(n, 0, 1023);
    look();
    fake.dcr[n] = n == BOARD_UIC_DCR + UIC_SR ? fake.dcr[n] & ~value : value;
    look();
}

/* No device of this board has registers of 32 bits. */
uint32_t cpu_in32(uint32_t address)
{
    fail_msg("read of %08x, where the board has no register", address);
    return 0;
}

void cpu_out32(uint32_t address, uint32_t value)
{
    fail_msg("write of %08x to %08x, where the board has no register", value, address);
}
