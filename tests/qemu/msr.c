/*
 * msr.c: the MSR that a handler starts with, and the one that is saved. Non-critical interrupts leave CE, ME and DE
 * alone; the whole MSR goes to SRR1. Critical input leaves ME only and saves in SRR3.
 */
#include "bare.h"

static void illegal(void)
{
    __asm__ volatile(".long 0");
    show("program_msr", interrupt.msr);
    show("program_srr1", interrupt.srr1);
}

int main(void)
{
    run_in(illegal, MSR_CE | MSR_ME | MSR_DE, 0, 0, 0);
#ifdef BOARD_ref405ep
    // A critical input from the UIC: line 20, by its set register.
    mtdcr(0xC3, 0x80000000u >> 20);
    mtdcr(0xC2, 0x80000000u >> 20);
    mtdcr(0xC1, 0x80000000u >> 20);
    srr_forget();
    mtmsr(MSR_CE | MSR_ME | MSR_DE | MSR_EE);
    __asm__ volatile("nop; nop");
    mtmsr(0);
    show("critical_vector", interrupt.vector);
    show("critical_msr", interrupt.msr);
    show("critical_srr3", interrupt.srr3);
#endif
    return 0;
}
