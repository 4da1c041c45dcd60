/*
 * metronome.c: a guest with one periodic job, which measures of each when its interrupt's handler begins, when the
 * job does, and when it is done; all from its release on. The samples stay in memory, where tests/jitter/jitter.py reads them. In
 * other roles it is the job's neighbour.
 *
 * The timer reloads itself, so releases are exactly a period apart from when it was set. The time is read before that: every
 * sample is up to one emulated mtspr too long, none is too short.
 */
#include "machine.h"
#include "metronome.h"
#include "print.h"

#define TCR_PIE  0x04000000u
#define TCR_ARE  0x00400000u
#define JOBS_MAX 10000u

enum {
    MEASURE,
    IDLE,    /* waits for ever */
    COMPUTE, /* never waits */
    RESET,   /* resets itself at once */
};

/* Set in copies of the ELF file; not in .bss, although zero. */
#define SETTING __attribute__((section(".data"))) volatile uint32_t
SETTING metronome_role = MEASURE;
SETTING metronome_jobs = 300;
SETTING metronome_period = 100000; /* ticks of the time base */
SETTING metronome_counts = 4000;   /* of a job: four instructions each */

uint32_t metronome_handler[JOBS_MAX], metronome_start[JOBS_MAX], metronome_done[JOBS_MAX];
static volatile uint32_t counter;

#define mtspr(number, value) __asm__ volatile("mtspr %0, %1" ::"i"(number), "r"(value) : "memory")

static void reset(void)
{
    mtspr(0x3F2, 0x30000000u);
    for (;;) {
    }
}

static void measure(void)
{
    uint32_t jobs = metronome_jobs < JOBS_MAX ? metronome_jobs : JOBS_MAX;
    uint32_t period = metronome_period, counts = metronome_counts, misses = 0;
    uint32_t release;

    mtspr(0x3DA, TCR_PIE | TCR_ARE);
    release = time_low();
    mtspr(0x3DB, period);
    for (uint32_t job = 0; job < jobs; job++) {
        uint32_t handled = wait_tick(), started = time_low();

        release += period;
        while (handled - release >= period) { /* a release that nobody has seen, because of the next */
            misses++;
            release += period;
        }
        for (uint32_t i = 0; i < counts; i++) {
            counter++;
        }
        metronome_handler[job] = handled - release;
        metronome_start[job] = started - release;
        metronome_done[job] = time_low() - release;
        misses += metronome_done[job] > period;
    }
    mtspr(0x3DA, 0);
    put_text(misses == 0 ? "metronome: PASS jobs=" : "metronome: FAIL jobs=");
    put_decimal(jobs);
    put_text(" misses=");
    put_decimal(misses);
    put_text("\r\n");
    board_drain();
    reset();
}

void metronome_main(void)
{
    switch (metronome_role) {
    case MEASURE:
        measure();
        break;
    case IDLE:
        wait_for_ever();
    case COMPUTE:
        for (;;) {
            counter++;
        }
    default:
        reset();
    }
}
