/*
 * tlbwe.c: word 0 first, word 1 second; and word 1 of a valid entry alone. The entry stays valid.
 */
#include "bare.h"

int main(void)
{
    tlbwe_hi(5, 0x00200000 | TLB_SIZE(3) | TLB_V);
    tlbwe_lo(5, 0x00340000 | TLB_EX);
    show("hi_lo", tlbre_hi(5) & TLB_V);
    tlb_write(6, 0x00400000 | TLB_SIZE(3) | TLB_V, 0x00340000);
    tlbwe_lo(6, 0x00340000 | TLB_WR);
    show("lo", tlbre_hi(6) & TLB_V);
    return 0;
}
