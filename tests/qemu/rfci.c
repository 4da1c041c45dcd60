/*
 * rfci.c: a real rfci, with -icount, that enables external interrupts. PPC405 Core User's Manual: "rfci".
 */
#include "bare.h"

int main(void)
{
    uint32_t msr;

    __asm__ volatile(
        "lis    %0,1f@ha\n\t"
        "la     %0,1f@l(%0)\n\t"
        "mtspr  %1,%0\n\t"
        "mtspr  %2,%3\n\t"
        "rfci\n"
        "1:     mfmsr %0"
        : "=&b"(msr) : "i"(SRR2), "i"(SRR3), "r"(MSR_EE | MSR_CE | MSR_ME) : "memory");
    show("msr", msr);
    return 0;
}
