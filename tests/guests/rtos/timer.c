/*
 * timer.c: the time base as the clock, the PIT in one-shot mode as the alarm.
 */
#include "common/cpu.h"
#include "rtos/sched.h"

#define PIT_MIN 64         // an event that is due already: soon, but never the zero that stops the timer
#define PIT_MAX 0x7FFFFFFF // an event further away is looked at again then

// 64 bits of the time base; again if the lower word wrapped between the two reads of the upper one
ticks_t timer_now(void)
{
    uint32_t high, low;

    do {
        high = cpu_mftbu();
        low = cpu_mftbl();
    } while (cpu_mftbu() != high);
    return (ticks_t)high << 32 | low;
}

void timer_acknowledge(void)
{
    cpu_pit_acknowledge();
}

// Program the alarm for the next event. An expiry that is still pending belongs to the old one: discard it first.
void timer_arm(void)
{
    ticks_t when;
    uint32_t delay = 0;
    uint32_t alarm = 0;

    cpu_pit_discard();
    if (sched_next_event(&when)) {
        ticks_t now = timer_now();

        delay = PIT_MIN;
        if (when > now + PIT_MIN) {
            delay = when - now > PIT_MAX ? PIT_MAX : (uint32_t)(when - now);
            alarm = when - now > PIT_MAX ? 0 : (uint32_t)when;
        }
    }
    cpu_pit_load(delay, alarm);
}
