/*
 * pit.c: the programmable interval timer. It counts without TCR[PIE], stays at zero behind its event, and requests
 * until TSR[PIS] is cleared; nothing but that bit is needed to clear it.
 */
#include "bare.h"

static uint32_t interrupts(uint32_t ticks)
{
    uint32_t before = interrupt.count;

    srr_forget();
    mtmsr(MSR_EE);
    wait(ticks);
    mtmsr(0);
    return interrupt.count - before;
}

int main(void)
{
    mtspr(TSR, 0xFC000000);
    mtspr(TCR, 0);
    mtspr(PIT, 1000);
    wait(2000);
    show("without_pie", mfspr(TSR) & TSR_PIS);
    show("behind", mfspr(PIT));

    mtspr(TSR, 0xFC000000);
    mtspr(PIT, 1);
    wait(100);
    show("from_one", mfspr(TSR) & TSR_PIS);

    // Enabled later than the event: the status bit is still there, and so is the request. It is there again if the
    // handler does not clear the bit.
    mtspr(TSR, TSR_PIS);
    mtspr(TCR, TCR_PIE);
    mtspr(PIT, 1000);
    wait(2000);
    show("first", interrupts(100));
    show("second", interrupts(100));
    mtspr(TSR, TSR_PIS);
    show("cleared", interrupts(100));

    // A write of TCR does not start the period anew.
    mtspr(TCR, TCR_PIE | 0x00400000);
    mtspr(PIT, 4000);
    wait(1000);
    mtspr(TCR, TCR_PIE | 0x00400000);
    show("period_kept", mfspr(PIT) < 3100);
    mtspr(PIT, 0);
    return 0;
}
