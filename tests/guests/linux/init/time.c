/*
 * time.c: clocks and sleeps. They agree with each other and with the time base, which programs may read.
 *
 * How long something took is never printed: as a guest that shares the processor it takes longer. Only lower limits and
 * what must hold of clocks are checked.
 */
#include "check.h"

#include <errno.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

enum { NAPS = 3, NAP_NS = 300000, READS = 200 };
static const int64_t SECOND = 1000000000;
static const int64_t TIMEBASE_HZ = 333333330;       // as board.dts has it

static int64_t now(clockid_t clock)
{
    struct timespec time;

    if (clock_gettime(clock, &time) != 0) {
        fail("clock %d", (int)clock);
    }
    return (int64_t)time.tv_sec * SECOND + time.tv_nsec;
}

static uint64_t timebase(void)
{
    uint32_t high, low, again;

    do {
        __asm__ volatile("mftbu %0; mftb %1; mftbu %2" : "=r"(high), "=r"(low), "=r"(again));
    } while (high != again);
    return (uint64_t)high << 32 | low;
}

// It sleeps as long as it was told at least; the time base, read outside the clock's two readings, has gone on as far
static void nap(void)
{
    const struct timespec length = { 0, NAP_NS };
    uint64_t ticks = timebase();
    int64_t start = now(CLOCK_MONOTONIC);
    int64_t real = now(CLOCK_REALTIME);

    if (nanosleep(&length, NULL) != 0) {
        fail("nanosleep: %s", strerror(errno));
    }
    real = now(CLOCK_REALTIME) - real;
    int64_t slept = now(CLOCK_MONOTONIC) - start;
    int64_t counted = (int64_t)((timebase() - ticks) * (uint64_t)SECOND / (uint64_t)TIMEBASE_HZ);

    if (slept < NAP_NS || real < NAP_NS || real > slept) {
        fail("slept %lld ns, by the other clock %lld", (long long)slept, (long long)real);
    }
    // The kernel's factor for ticks is rounded: 1 in 1,000 is far more than it may be off
    if (counted < slept - slept / 1000) {
        fail("the time base counted %lld ns in %lld", (long long)counted, (long long)slept);
    }
}

static void check_monotonic(void)
{
    int64_t before = now(CLOCK_MONOTONIC);

    for (unsigned i = 0; i < READS; i++) {
        int64_t after = now(CLOCK_MONOTONIC);

        if (after <= before) {
            fail("the clock goes from %lld to %lld", (long long)before, (long long)after);
        }
        before = after;
    }
}

// A timer that is set to the clock's absolute time does not end before it
static void check_absolute(void)
{
    int64_t until = now(CLOCK_MONOTONIC) + NAP_NS;
    const struct timespec end = { (time_t)(until / SECOND), (long)(until % SECOND) };

    if (clock_nanosleep(CLOCK_MONOTONIC, TIMER_ABSTIME, &end, NULL) != 0 || now(CLOCK_MONOTONIC) < until) {
        fail("an absolute sleep ends early");
    }
}

unsigned check_time(void)
{
    for (unsigned i = 0; i < NAPS; i++) {
        nap();
    }
    check_monotonic();
    check_absolute();
    return NAPS + 1;
}
