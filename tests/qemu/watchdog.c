/*
 * watchdog.c: its three steps, by time only. ENW, WIS with an interrupt of the critical class, and the reset that
 * TCR[WRC] selects, a reset that software cannot take back. Last, the reset ends the run.
 */
#include "bare.h"

#define PERIOD 0x20000                          // TCR[WP] = 0

int main(void)
{
    uint32_t start;

    // Writes of TCR are no steps.
    mtspr(TSR, 0xFC000000);
    mtspr(TCR, 0);
    mtspr(TCR, 0);
    mtspr(TCR, 0);
    show("no_time", mfspr(TSR) & (TSR_ENW | TSR_WIS));

    wait(PERIOD);
    show("one_period", mfspr(TSR) & (TSR_ENW | TSR_WIS));

    mtspr(TCR, TCR_WIE);
    srr_forget();
    mtmsr(MSR_EE);
    wait(PERIOD);
    mtmsr(0);
    show("with_ee", interrupt.count);
    mtmsr(MSR_CE);
    __asm__ volatile("nop; nop");
    mtmsr(0);
    show("with_ce", interrupt.count);
    show("vector", interrupt.vector);
    show("srr3", interrupt.srr3);

    mtspr(TCR, 0x30000000);
    mtspr(TCR, 0);
    show("wrc", mfspr(TCR));
    for (start = time_base(); time_base() - start < 4 * PERIOD;) {
    }
    text("no reset\n");
    return 0;
}
