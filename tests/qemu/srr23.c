/*
 * srr23.c: SRR2 and SRR3 in user mode. On the chip both numbers are privileged: a program interrupt with ESR[PPR].
 */
#include "bare.h"

static uint32_t user(void)
{
    uint32_t value = mfspr(SRR2);

    mtspr(SRR3, 0x1234);
    return value;
}

int main(void)
{
    run_in(user, MSR_PR, 0, 0, 0);
    show("interrupts", interrupt.count - 1);    // but the sc that ends it
    return 0;
}
