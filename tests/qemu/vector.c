/*
 * vector.c: words that are vector instructions on other cores, in user mode. Each is a program interrupt.
 */
#include "bare.h"

static void user(void)
{
    __asm__ volatile(".long 0xF0631A90");       // xxspltw
    __asm__ volatile(".long 0xF0631AD1");       // xxspltib
    __asm__ volatile(".long 0x10631805");       // vrlq
    __asm__ volatile(".long 0x10631845");       // vrlqmi
    __asm__ volatile(".long 0x10631945");       // vrlqnm
}

int main(void)
{
    run_in(user, MSR_PR, 0, 0, 0);
    show("interrupts", interrupt.count - 1);    // but the sc
    show("esr", interrupt.esr);
    return 0;
}
