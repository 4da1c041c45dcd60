/*
 * float.c: floating point through the kernel's emulation, bit by bit, while other processes compute too.
 *
 * Each operation is one instruction that the processor does not have, so the kernel gets an interrupt for each. The
 * results are printed as bits; test_linux.py computes the same with the host's arithmetic. (As bits because printf of a
 * double executes mffs, which QEMU 7.2 does not support on a core without floating point.)
 */
#include "check.h"

#include <sched.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

// As IEEE 754 says; test_linux.py derives them anew
#define EXPECTED_SUM    0x40111D3A62EB0A6Full
#define EXPECTED_ROOT   0x3FF6A09E667F3BCCull
#define EXPECTED_SINGLE 0xBEFFEF5Bu

enum { TERMS = 40, NEWTON = 6, COMPUTERS = 3 };

static uint64_t bits(double value)
{
    uint64_t result;

    memcpy(&result, &value, sizeof result);
    return result;
}

static uint32_t bits_single(float value)
{
    uint32_t result;

    memcpy(&result, &value, sizeof result);
    return result;
}

// volatile: the compiler knows nothing of the values, so that the processor has to compute them
static volatile double zero = 0.0, one = 1.0, two = 2.0, tiny = 0x1p-1022;
static volatile float third = 1.0f / 3.0f;

// 1 + 1/2 + 1/3 + ...: conversion, division, addition; other processes' registers are in between
static double harmonic(void)
{
    double sum = zero;

    for (volatile int i = 1; i <= TERMS; i++) {
        sum += one / (double)i;
        if (i % 8 == 0) {
            sched_yield();
        }
    }
    return sum;
}

static double root_of_two(void)
{
    double x = one;

    for (int i = 0; i < NEWTON; i++) {
        x = (x + two / x) / two;
    }
    return x;
}

static float power_of_third(void)
{
    float x = third;

    for (int i = 0; i < 8; i++) {
        x = x * third - third;
    }
    return x;
}

// What has no plain value: signed zero, infinity, no number, numbers below the normal ones; and their order
static void check_special(void)
{
    double infinite = one / zero, none = infinite - infinite, small = tiny / two;

    if (bits(infinite) != 0x7FF0000000000000 || bits(-infinite) != 0xFFF0000000000000 || bits(-zero) != 1ull << 63) {
        fail("infinity %016llx", (unsigned long long)bits(infinite));
    }
    if (none == none || none < one || none > one || !(small > zero) || !(-infinite < small)) {
        fail("order of %016llx", (unsigned long long)bits(none));
    }
    if (bits(small) != 0x0008000000000000 || bits(small * two) != bits(tiny)) {
        fail("half of the smallest normal number is %016llx", (unsigned long long)bits(small));
    }
}

// To an integer: towards zero
static void check_truncation(void)
{
    volatile double value = -1234567.875;

    if ((int)value != -1234567 || (int)-value != 1234567) {
        fail("%d is the integer of -1234567.875", (int)value);
    }
}

static void compute(int report)
{
    uint64_t sum = bits(harmonic()), root = bits(root_of_two());
    uint32_t single = bits_single(power_of_third());

    if (report) {
        printf("linux: bits %016llx %016llx %08x\n", (unsigned long long)sum, (unsigned long long)root, single);
    }
    if (sum != EXPECTED_SUM || root != EXPECTED_ROOT || single != EXPECTED_SINGLE) {
        fail("%016llx %016llx %08x", (unsigned long long)sum, (unsigned long long)root, single);
    }
}

unsigned check_float(void)
{
    pid_t children[COMPUTERS];

    check_special();
    check_truncation();
    for (int i = 0; i < COMPUTERS; i++) {
        children[i] = start_child();
        if (children[i] == 0) {
            compute(0);
            _exit(60 + i);
        }
    }
    compute(1);
    for (int i = 0; i < COMPUTERS; i++) {
        expect_exit(children[i], 60 + i);
    }
    return COMPUTERS + 1;
}
