/*
 * board_ref405ep.c (fake): DCRs as words; the board's UIC, level-sensitive, high-active, as board_init() sets it up.
 */
#include "harness.h"

#include "uic.h"

uint32_t cpu_mfdcr(uint32_t n)
{
    uint32_t *uic = &fake.dcr[BOARD_UIC_DCR];

    assert_in_range(n, 0, 1023);
    uic[UIC_SR] |= fake.lines;
    return n == BOARD_UIC_DCR + UIC_MSR ? uic[UIC_SR] & uic[UIC_ER] : fake.dcr[n];
}

void cpu_mtdcr(uint32_t n, uint32_t value)
{
    assert_in_range(n, 0, 1023);
    if (n == BOARD_UIC_DCR + UIC_SR) {
        fake.dcr[n] = (fake.dcr[n] & ~value) | fake.lines;
    } else {
        fake.dcr[n] = value;
    }
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
