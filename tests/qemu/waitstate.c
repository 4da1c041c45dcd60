/*
 * waitstate.c: rfi to a MSR with WE waits, until the PIT's interrupt; the saved MSR shows that it ended a wait.
 */
#include "bare.h"

#define TICKS 3000

static void pit_start(void)
{
    mtspr(TSR, 0xFC000000);
    srr_forget();
    mtspr(TCR, TCR_PIE);
    mtspr(PIT, TICKS);
}

int main(void)
{
    uint32_t start, msr = MSR_WE | MSR_EE;

    pit_start();
    start = time_base();
    __asm__ volatile(
        "lis    9,1f@ha\n\t"
        "la     9,1f@l(9)\n\t"
        "mtsrr0 9\n\t"
        "mtsrr1 %0\n\t"
        "rfi\n"
        "1:"
        : : "r"(msr) : "r9", "memory");
    show("rfi_waits", time_base() - start >= TICKS / 2);
    mtmsr(0);
    show("vector", interrupt.vector);
    show("saved_we", interrupt.srr1 & MSR_WE);
    return 0;
}
