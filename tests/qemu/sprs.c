/*
 * sprs.c: some special purpose registers as they are at the start: a debugger may have written them.
 */
#include "bare.h"

int main(void)
{
    show("sprg0", mfspr(SPRG0));
    show("srr1", mfspr(0x01B));
    show("srr2", mfspr(SRR2));
    show("pid", mfspr(PID));
    show("zpr", mfspr(ZPR));
    return 0;
}
