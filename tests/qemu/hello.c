/*
 * hello.c: the machine itself. Its console, core, memory size, time base, and that an unknown instruction is reported.
 */
#include "bare.h"

int main(void)
{
    show("pvr", mfspr(PVR));
    __asm__ volatile(".long 0");
    show("vector", interrupt.vector);
    show("esr", interrupt.esr);

    // 3,000 loops of the same length twice: the time base runs, and as fast each time.
    uint32_t start = time_base();
    for (volatile int i = 0; i < 3000; i++) {
    }
    show("runs", time_base() != start);
    return 0;
}
