/*
 * storm.h: how many interrupts of the board a VM may have in a time (option LIFECYCLE; interrupts_max in the partition file).
 *
 * A line that its guest acknowledges is unmasked and can interrupt again at once: a device, or a guest that does not serve it,
 * can so take all of the processor that its VM's priority gives. One more than it may have in a period, which begins with the
 * first, and all its lines are masked at the machine's controller until the period is over; it is told as EVENT_STORM. What a
 * guest does in the meantime, even a reset, brings them back no earlier. An edge in the meantime is not lost.
 */
#ifndef PROTEUS_STORM_H
#define PROTEUS_STORM_H

#include <stdbool.h>
#include <stdint.h>

#include "partition.h"
#include "vcpu.h"

/* TBL at which the first of the periods that last is over, as long as storm_open is not 0: bit n, VM n has one. */
extern uint32_t storm_open, storm_end;

/* Its row `row` of vm_config.irq was active, and is masked; the guest has acknowledged it: may it be unmasked now? */
void storm_count(struct vcpu *v, uint32_t row);
bool storm_acknowledge(const struct vcpu *v, uint32_t row);

/* Periods that are over. */
void storm_close(uint32_t now);
static inline void storm_look(uint32_t now)
{
    if (storm_open != 0 && (int32_t)(now - storm_end) >= 0) {
        storm_close(now);
    }
}

/* Ticks until a look is due. */
static inline uint32_t storm_left(uint32_t now)
{
    if (storm_open == 0) {
        return 0xFFFFFFFF;
    }
    return (int32_t)(storm_end - now) > 0 ? storm_end - now : 1;
}

#endif
