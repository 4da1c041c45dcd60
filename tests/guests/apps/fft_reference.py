#!/usr/bin/python3
"""The expected results of the FFT workloads, computed by the build machine, as C source on standard output.

Two of them, independent of each other:
  fft_reference  the transform of repetition 0 by its definition (a direct sum with exact accumulation), no FFT;
  checksums      the same FFT as fft.c, operation by operation in the host's IEEE double arithmetic: the guest's
                 software floating point must agree in every bit.

sin() and cos() are rounded from 60 digits here; newlib's agree for the angles that fft.c uses (the run shows it).
"""
import argparse
import decimal
import functools
import math
import struct

POINTS = 64
MASK = 0xFFFFFFFF
PI = decimal.Decimal("3.14159265358979323846264338327950288419716939937510582097494459")


def signal(seed):
    """The input of one repetition: see make_signal() in fft.c."""
    values = []
    for _ in range(2 * POINTS):
        seed = (seed * 1664525 + 1013904223) & MASK
        values.append((seed >> 16) / 32768.0 - 1.0)
    return [complex(*pair) for pair in zip(values[::2], values[1::2])]


@functools.lru_cache(maxsize=None)
def sine_cosine(angle):
    """Correctly rounded sine and cosine of the double `angle`, by their series."""
    with decimal.localcontext() as context:
        context.prec = 60
        x = decimal.Decimal(angle)
        terms = [decimal.Decimal(1)]
        for n in range(1, 60):
            terms.append(terms[-1] * x / n)
        cosine = sum(term * (-1) ** (n // 2) for n, term in enumerate(terms) if n % 2 == 0)
        sine = sum(term * (-1) ** (n // 2) for n, term in enumerate(terms) if n % 2 == 1)
        return float(sine), float(cosine)


def twiddle(j):
    """twiddle() of fft.c."""
    left = j > POINTS // 4
    j = POINTS // 2 - j if left else j
    steep = j > POINTS // 8
    j = POINTS // 4 - j if steep else j
    sine, cosine = sine_cosine(math.pi * j / (POINTS // 2))
    w_re, w_im = (sine, -cosine) if steep else (cosine, -sine)
    return (-w_re if left else w_re), w_im


def fft(data):
    """fft_transform() of fft.c."""
    width = POINTS.bit_length() - 1
    data = [data[int(f"{i:0{width}b}"[::-1], 2)] for i in range(POINTS)]
    half = 1
    while half < POINTS:
        for k in range(half):
            w_re, w_im = twiddle(k * (POINTS // 2 // half))
            for i in range(k, POINTS, 2 * half):
                a, b = data[i], data[i + half]
                re = b.real * w_re - b.imag * w_im
                im = b.real * w_im + b.imag * w_re
                data[i + half] = complex(a.real - re, a.imag - im)
                data[i] = complex(a.real + re, a.imag + im)
        half *= 2
    return data


def direct(data):
    """The transform by its definition, with exact twiddle angles and one rounding at the end."""
    result = []
    with decimal.localcontext() as context:
        context.prec = 40
        # cos and sin of 2 pi k / 64 to full decimal precision, by rotating from the series of the first one
        step = 2 * PI / POINTS
        terms = [decimal.Decimal(1)]
        for n in range(1, 40):
            terms.append(terms[-1] * step / n)
        cosine = sum(term * (-1) ** (n // 2) for n, term in enumerate(terms) if n % 2 == 0)
        sine = sum(term * (-1) ** (n // 2) for n, term in enumerate(terms) if n % 2 == 1)
        circle = [(decimal.Decimal(1), decimal.Decimal(0))]
        for _ in range(POINTS - 1):
            re, im = circle[-1]
            circle.append((re * cosine - im * sine, re * sine + im * cosine))
        exact = [(decimal.Decimal(value.real), decimal.Decimal(value.imag)) for value in data]
        for k in range(POINTS):
            re = im = decimal.Decimal(0)
            for n, (x_re, x_im) in enumerate(exact):
                w_re, w_im = circle[k * n % POINTS]  # of the angle with a minus sign: conjugated below
                re += x_re * w_re + x_im * w_im
                im += x_im * w_re - x_re * w_im
            result.append(complex(float(re), float(im)))
    return result


def checksum(checksum_so_far, data):
    """checksum_double() of fft.c over one result."""
    for value in data:
        for part in (value.real, value.imag):
            for word in struct.unpack(">2I", struct.pack(">d", part)):
                checksum_so_far = ((checksum_so_far ^ word) * 16777619) & MASK
    return checksum_so_far


def main():
    """Command line."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--checksum", action="append", default=[], metavar="NAME=COUNT",
                        help="define `const uint32_t NAME`, the checksum of COUNT repetitions")
    options = parser.parse_args()
    wanted = {}
    for text in options.checksum:
        name, _, count = text.partition("=")
        if not name.isidentifier() or not count.isdecimal() or int(count) < 1:
            parser.error(f"--checksum {text}: not NAME=COUNT. hint: a C name and a positive number")
        wanted[name] = int(count)

    lines = ["/* Generated by fft_reference.py. */", '#include "apps/fft.h"', ""]
    lines.append("const struct complex fft_reference[FFT_POINTS] = {")
    lines += [f"    {{{value.real.hex()}, {value.imag.hex()}}}," for value in direct(signal(0))]
    lines.append("};")
    total, sums = 2166136261, {}
    for repetition in range(max(wanted.values(), default=0)):
        total = checksum(total, fft(signal(repetition)))
        sums[repetition + 1] = total
    lines += [f"const uint32_t {name} = 0x{sums[count]:08X};" for name, count in wanted.items()]
    print("\n".join(lines))


if __name__ == "__main__":
    main()
