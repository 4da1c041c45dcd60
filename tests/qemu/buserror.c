/*
 * buserror.c: machine check where nobody answers. Of a load or store it comes later, says so nowhere, and is forgotten
 * while MSR[ME] is
 * zero; a fetch sets ESR[MCI], which other interrupts leave alone.
 */
#include "bare.h"

#define HOLE 0x50000000
#define ESR  0x3D4
#define ESR_MCI 0x80000000
#define ESR_DST 0x00800000

// A load or store in front of many nops, and how many of these were executed before the machine check; all ones: none came.
#define BEFORE_CHECK(access) ({                                                                     \
        uint32_t behind_, count_ = interrupt.count;                                                 \
        srr_forget();                                                                               \
        __asm__ volatile("lis %0,1f@h; ori %0,%0,1f@l; " access "; 1: .rept 600; nop; .endr"        \
                         : "=&r"(behind_) : "b"(HOLE) : "r0", "r31", "memory");                            \
        interrupt.count == count_ ? 0xFFFFFFFF : (interrupt.srr2 - behind_) / 4;                    \
    })

static void trap(void)
{
    __asm__ volatile("trap");
}

int main(void)
{
    uint32_t count;

    mtspr(ESR, ESR_DST);
    mtmsr(MSR_ME | MSR_CE | MSR_DE);
    show("load", BEFORE_CHECK("lwz 0,0(%1)"));
    show("  vector", interrupt.vector);
    show("  esr", interrupt.esr);
    show("  msr", interrupt.msr);
    show("  srr3", interrupt.srr3);
    mtmsr(MSR_ME);
    show("store", BEFORE_CHECK("stb 0,3(%1)"));
    show("multiple", BEFORE_CHECK("lmw 31,8(%1)"));
    mtmsr(0);
    count = interrupt.count;
    show("disabled", BEFORE_CHECK("lwz 0,0(%1)"));
    mtmsr(MSR_ME);
    wait(2000);
    show("remembered", interrupt.count - count);

    srr_forget();
    run_in((void *)(HOLE + 0x20), MSR_ME, 0, 0, 0);
    show("fetch", interrupt.vector);
    show("  srr2", interrupt.srr2);
    show("  esr", interrupt.esr);
    mtspr(ESR, 0);
    srr_forget();
    run_in((void *)(HOLE + 0x20), 0, 0, 0, 0);
    show("fetch_disabled", interrupt.vector);   // what came over the bus is no instruction
    show("  esr", interrupt.esr);
    mtspr(ESR, ESR_MCI);
    run_in(trap, 0, 0, 0, 0);
    show("kept", interrupt.esr);
    return 0;
}
