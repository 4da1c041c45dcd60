/*
 * fft.c: a 64-point complex FFT (radix 2, decimation in time) in double precision; on a PPC405 all of it is software.
 *
 * The twiddle factors are computed where they are used, by sin() and cos(): the workload is arithmetic, not memory.
 * fft_reference.py does the same operations in the same order, so the order here is part of the expected checksum.
 */
#include "apps/fft.h"

#include <math.h>
#include <stdbool.h>

#define PI        3.14159265358979323846
#define TOLERANCE 1e-12 // of the reference; results are below 64, rounding stays below 1e-13
#define FNV_START 2166136261u
#define FNV_PRIME 16777619u

static void swap_bit_reversed(struct complex data[FFT_POINTS])
{
    uint32_t reversed = 0;

    for (uint32_t i = 0; i < FFT_POINTS; i++) {
        uint32_t bit = FFT_POINTS / 2;

        if (i < reversed) {
            struct complex keep = data[i];

            data[i] = data[reversed];
            data[reversed] = keep;
        }
        while (bit != 0 && (reversed & bit) != 0) {
            reversed ^= bit;
            bit >>= 1;
        }
        reversed |= bit;
    }
}

static void butterfly(struct complex *a, struct complex *b, const struct complex *w)
{
    double re = b->re * w->re - b->im * w->im;
    double im = b->re * w->im + b->im * w->re;

    b->re = a->re - re;
    b->im = a->im - im;
    a->re = a->re + re;
    a->im = a->im + im;
}

// exp(-i pi j / 32), mirrored into the first octant: there newlib's sin() and cos() are correctly rounded for these
// angles, so that the expected checksum can be computed without newlib
static struct complex twiddle(uint32_t j)
{
    bool left = j > FFT_POINTS / 4;
    bool steep;
    double sine, cosine;
    struct complex w;

    j = left ? FFT_POINTS / 2 - j : j;
    steep = j > FFT_POINTS / 8;
    j = steep ? FFT_POINTS / 4 - j : j;
    sine = sin(PI * j / (FFT_POINTS / 2));
    cosine = cos(PI * j / (FFT_POINTS / 2));
    w.re = steep ? sine : cosine;
    w.im = steep ? -cosine : -sine;
    if (left) {
        w.re = -w.re;
    }
    return w;
}

void fft_transform(struct complex data[FFT_POINTS])
{
    swap_bit_reversed(data);
    for (uint32_t half = 1; half < FFT_POINTS; half *= 2) {
        for (uint32_t k = 0; k < half; k++) {
            struct complex w = twiddle(k * (FFT_POINTS / 2 / half));

            for (uint32_t i = k; i < FFT_POINTS; i += 2 * half) {
                butterfly(&data[i], &data[i + half], &w);
            }
        }
    }
}

// The signal of one repetition: pseudo-random numbers in [-1, 1) with 16 bits, exact in any binary format
static void make_signal(struct complex data[FFT_POINTS], uint32_t seed)
{
    for (uint32_t i = 0; i < FFT_POINTS; i++) {
        seed = seed * 1664525u + 1013904223u;
        data[i].re = (int32_t)(seed >> 16) / 32768.0 - 1.0;
        seed = seed * 1664525u + 1013904223u;
        data[i].im = (int32_t)(seed >> 16) / 32768.0 - 1.0;
    }
}

static uint32_t checksum_double(uint32_t checksum, double value)
{
    union {
        double value;
        uint64_t bits;
    } both = {value};

    checksum = (checksum ^ (uint32_t)(both.bits >> 32)) * FNV_PRIME;
    return (checksum ^ (uint32_t)both.bits) * FNV_PRIME;
}

static uint32_t count_wrong(const struct complex data[FFT_POINTS])
{
    uint32_t wrong = 0;

    for (uint32_t i = 0; i < FFT_POINTS; i++) {
        double re = fabs(data[i].re - fft_reference[i].re);
        double im = fabs(data[i].im - fft_reference[i].im);

        if (!(re <= TOLERANCE && im <= TOLERANCE)) { // a NaN is wrong too
            wrong++;
        }
    }
    return wrong;
}

void fft_repeat(struct fft_check *check, uint32_t first, uint32_t count)
{
    struct complex data[FFT_POINTS];

    if (first == 0) {
        check->checksum = FNV_START;
        check->wrong = 0;
    }
    for (uint32_t repetition = first; repetition < first + count; repetition++) {
        make_signal(data, repetition);
        fft_transform(data);
        if (repetition == 0) {
            check->wrong += count_wrong(data);
        }
        for (uint32_t i = 0; i < FFT_POINTS; i++) {
            check->checksum = checksum_double(check->checksum, data[i].re);
            check->checksum = checksum_double(check->checksum, data[i].im);
        }
    }
}
