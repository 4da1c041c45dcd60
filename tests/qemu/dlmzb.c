/*
 * dlmzb.c: determine left-most zero byte, which compilers for the 405 emit.
 */
#include "bare.h"

static uint32_t leftmost_zero(uint32_t high, uint32_t low)
{
    uint32_t count = 0xFF;

    __asm__ volatile("dlmzb. %0,%1,%2" : "+r"(count) : "r"(high), "r"(low) : "cr0", "xer");
    return count;
}

int main(void)
{
    show("third", leftmost_zero(0x61620063, 0x64656667));
    show("sixth", leftmost_zero(0x61626364, 0x65006667));
    show("none", leftmost_zero(0x61626364, 0x65666768));
    show("interrupts", interrupt.count);
    return 0;
}
