/*
 * gauge.c: a guest that computes all the time and measures what it gets of it: its share, and the longest gap.
 *
 * It reads the time base in a loop. A step longer than the loop itself is a gap: somebody else ran, or the hypervisor. Under
 * -icount both figures are exact.
 */
#include "machine.h"
#include "print.h"
#include "simple.h"

#define TICKS_PER_MS (BOARD_TB_HZ / 1000u)
#define LOOP_TICKS   100u /* a turn of the loop has some 10 instructions, of 3 ticks */

/* A test may change these in a copy of the ELF. */
volatile uint32_t gauge_ms = 100;     /* of one measurement, 5000 at most */
volatile uint32_t gauge_reports = 10; /* measurements */

static uint32_t share_min = 1000, gap_max;

void simple_unexpected(uint32_t vector)
{
    put_text("gauge: FAIL unexpected exception ");
    put_hex(vector);
    board_putc('\n');
    end();
}

void simple_interrupt(void)
{
    simple_unexpected(0x500);
}

static void put_figures(const char *what, uint32_t share, uint32_t gap)
{
    put_text("gauge: ");
    put_text(what);
    put_text(" share=");
    put_decimal(share);
    put_text(" gap=");
    put_decimal(gap);
    board_putc('\n');
}

/* One measurement: thousandths of the time, and the longest gap, in ticks. */
static void measure(void)
{
    uint32_t start = time_low(), last = start, own = 0, gap = 0, now, share;

    do {
        uint32_t step;

        now = time_low();
        step = now - last;
        last = now;
        if (step < LOOP_TICKS) {
            own += step;
        } else if (step > gap) {
            gap = step;
        }
    } while (now - start < gauge_ms * TICKS_PER_MS);
    share = own / ((now - start) / 1000);
    put_figures("ok", share, gap);
    share_min = share < share_min ? share : share_min;
    gap_max = gap > gap_max ? gap : gap_max;
}

void simple_main(uint32_t r3, uint32_t r4)
{
    (void)r3, (void)r4;
    for (uint32_t i = 0; i < gauge_reports; i++) {
        measure();
    }
    put_figures("PASS", share_min, gap_max);
    end();
}
