/*
 * waitmasked.c: an interrupt that is pending but not enabled neither prevents the wait state nor ends it. TSR[PIS] is
 * pending and EE is off. The watchdog's second event, which is critical, ends the wait.
 */
#include "bare.h"

int main(void)
{
    uint32_t start;

    mtspr(TSR, 0xFC000000);
    mtspr(TCR, TCR_PIE | TCR_WIE);
    mtspr(PIT, 100);
    wait(200);
    srr_forget();
    mtmsr(MSR_CE);
    start = time_base();
    mtmsr(MSR_WE | MSR_CE);
    show("waits", time_base() - start >= 0x10000);
    mtmsr(0);
    show("vector", interrupt.vector);
    return 0;
}
