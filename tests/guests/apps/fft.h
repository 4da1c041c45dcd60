/*
 * fft.h: the 64-point FFT of FFTTask and SimpleFFT, and its check.
 */
#ifndef APPS_FFT_H
#define APPS_FFT_H

#include <stdint.h>

#define FFT_POINTS 64

struct complex {
    double re, im;
};

struct fft_check {
    uint32_t checksum; // of the bits of every result so far
    uint32_t wrong;    // results that differ from the reference by more than rounding
};

// Reference, generated at build time by fft_reference.py: the direct transform of repetition 0
extern const struct complex fft_reference[FFT_POINTS];

void fft_transform(struct complex data[FFT_POINTS]);

// Add `count` transforms, numbered from `first`, to the check
void fft_repeat(struct fft_check *check, uint32_t first, uint32_t count);

#endif
