/*
 * dcr.c: an interrupt that a mtdcr raises, with -icount: the UIC's set register, line 20.
 */
#include "bare.h"

#define UIC_SR  0xC0
#define UIC_SRS 0xC1
#define UIC_ER  0xC2
#define LINE    (0x80000000u >> 20)

int main(void)
{
    mtdcr(UIC_ER, LINE);
    srr_forget();
    mtmsr(MSR_EE);
    mtdcr(UIC_SRS, LINE);
    __asm__ volatile("nop; nop");
    mtmsr(0);
    show("count", interrupt.count);
    show("vector", interrupt.vector);
    return 0;
}
