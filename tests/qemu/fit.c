/*
 * fit.c: the fixed interval timer sets TSR[FIS] when bit 23 of the time base's low word (period 2^9) becomes one, and
 * interrupts while FIS and TCR[FIE] are set.
 */
#include "bare.h"

int main(void)
{
    uint32_t now, events = 0;

    // 20 periods, polled.
    mtspr(TCR, 0);
    while (time_base() & 0x1FF) {
    }
    mtspr(TSR, TSR_FIS);
    now = time_base() & ~0x1FFu;
    while (time_base() - now < 20 * 0x200) {
        if (mfspr(TSR) & TSR_FIS) {
            mtspr(TSR, TSR_FIS);
            events++;
        }
    }
    show("events", events);

    // Where in the period: the bit is one when the event is seen.
    for (uint32_t start = time_base(); !(mfspr(TSR) & TSR_FIS) && time_base() - start < 0x400;) {
    }
    show("bit", time_base() >> 8 & 1);

    mtspr(TCR, TCR_FIE);
    srr_forget();
    mtmsr(MSR_EE);
    wait(0x400);
    mtmsr(0);
    show("vector", interrupt.vector);
    return 0;
}
