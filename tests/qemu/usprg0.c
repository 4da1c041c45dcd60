/*
 * usprg0.c: USPRG0 is a register of its own, and user mode may read and write it.
 */
#include "bare.h"

static uint32_t user(void)
{
    uint32_t value = mfspr(USPRG0);

    mtspr(USPRG0, 0x55667788);
    return value;
}

int main(void)
{
    mtspr(SPRG0, 0xAAAA5555);
    mtspr(USPRG0, 0x11223344);
    show("supervisor", interrupt.count);        // interrupts so far
    show("read", run_in(user, MSR_PR, 0, 0, 0));
    show("user", interrupt.count - 1);          // but the sc
    show("written", mfspr(USPRG0));
    show("sprg0", mfspr(SPRG0));
    return 0;
}
