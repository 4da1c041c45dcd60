/*
 * inject.c: interrupts that the test asks QEMU for (property "inject"), with everything in the MSR off but ME; how each came.
 */
#include "bare.h"

int main(void)
{
    uint32_t count = 0, start = time_base();

    while (time_base() - start < 30000) {
        srr_forget();
        mtmsr(MSR_ME);
        while (interrupt.count == count && time_base() - start < 30000) {
        }
        if (interrupt.count != count) {
            mtmsr(0);
            count = interrupt.count;
            show("vector", interrupt.vector);
            show("esr", interrupt.esr);
            show("critical", interrupt.srr3 == MSR_ME && interrupt.srr1 != MSR_ME);
            show("msr", interrupt.msr);
        }
    }
    return 0;
}
