/*
 * mffs.c: floating point without an FPU: illegal, in user mode as in supervisor mode.
 */
#include "bare.h"

static void user(void)
{
    __asm__ volatile(".long 0xFC00048E");       // mffs f0
}

int main(void)
{
    run_in(user, MSR_PR, 0, 0, 0);
    show("interrupts", interrupt.count - 1);    // but the sc
    user();
    show("vector", interrupt.vector);
    show("esr", interrupt.esr);
    return 0;
}
