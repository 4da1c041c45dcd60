/*
 * reserve.c: the reservation is one bit without an address; nothing but stwcx. clears it, and stwcx. compares nothing.
 */
#include "bare.h"

static volatile uint32_t line[16] __attribute__((aligned(32)));     // dcbz clears the first half
#define here  line[0]
#define there line[8]

static uint32_t lwarx(volatile uint32_t *address)
{
    uint32_t value;

    __asm__ volatile("lwarx %0,0,%1" : "=r"(value) : "r"(address) : "memory");
    return value;
}

// Was it stored?
static uint32_t stwcx(volatile uint32_t *address, uint32_t value)
{
    uint32_t cr;

    __asm__ volatile("stwcx. %1,0,%2; mfcr %0" : "=r"(cr) : "r"(value), "r"(address) : "memory", "cr0");
    return cr >> 29 & 1;
}

static void trap(void)
{
    __asm__ volatile("trap" : : : "memory");
}

int main(void)
{
    show("none", stwcx(&here, 1));
    lwarx(&here);
    show("plain", stwcx(&here, 2));
    show("again", stwcx(&here, 3));
    lwarx(&here);
    here = 4;
    show("changed", stwcx(&here, 5));
    lwarx(&here);
    show("elsewhere", stwcx(&there, 6));
    lwarx(&here);
    trap();
    show("interrupt", stwcx(&here, 7));
    lwarx(&here);
    mtspr(0x3FA, 0x80000000);                   // DCCR: dcbz is allowed
    __asm__ volatile("dcbz 0,%0" : : "r"(&here) : "memory");
    show("dcbz", stwcx(&here, 8));
    show("here", here);
    lwarx(&here);
    __asm__ volatile("stwcx. %0,0,%1" : : "r"(0), "r"((uintptr_t)&here + 2) : "memory", "cr0");
    show("misaligned", interrupt.vector);
    show("kept", stwcx(&here, 9));
    __asm__ volatile("stwcx. %0,0,%1" : : "r"(0), "r"((uintptr_t)&here + 2) : "memory", "cr0");
    show("interrupts", interrupt.count);        // with or without a reservation
    return 0;
}
