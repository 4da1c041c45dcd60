/*
 * tlbre.c: what is written to a TLB entry can be read back, all attributes included.
 */
#include "bare.h"

int main(void)
{
    tlb_write(5, 0x00200000 | TLB_SIZE(3) | TLB_V | TLB_U0, 0x00340000 | TLB_EX | TLB_WR | TLB_ZSEL(9) | 0xA);
    show("hi", tlbre_hi(5));
    show("lo", tlbre_lo(5));
    return 0;
}
