/*
 * watchdog.h: the machine's own watchdog (option WATCHDOG; manual, "Watchdog Timer"). At each period's end the 405 sets TSR[ENW],
 * then TSR[WIS], and if that is still set at the next, does what TCR[WRC] says: a system reset, which software cannot take back.
 *
 * Its service, to clear WIS, is a part of each decision, as long as none has come late: one that does ends it, and the board is
 * reset within two periods. So it is if no decision comes at all, because the hypervisor hangs, or interrupts do not come any
 * more.
 */
#ifndef PROTEUS_WATCHDOG_H
#define PROTEUS_WATCHDOG_H

#include <stdbool.h>
#include <stdint.h>

#include "board.h"
#include "config.h"
#include "ppc405.h"

#ifdef CONFIG_WATCHDOG

#define WATCHDOG_TICKS (0x20000U << 4 * CONFIG_WATCHDOG_PERIOD)
#define WATCHDOG_LATE  ((int32_t)(BOARD_TB_HZ / 1000000 * CONFIG_WATCHDOG_LATE_US))
#define WATCHDOG_TCR   ((uint32_t)CONFIG_WATCHDOG_PERIOD << 30 | TCR_WRC)

/* Two decisions are no further apart; tools/partitions/product_checks.py sees to slices and windows. */
#define WATCHDOG_AT_MOST(ticks) ((ticks) < WATCHDOG_TICKS / 4 ? (ticks) : WATCHDOG_TICKS / 4)

extern uint32_t watchdog_due; /* TBL of the next decision */
extern bool watchdog_missed;  /* one came late */

static inline void watchdog_expect(uint32_t due)
{
    watchdog_due = due;
}

/* A decision now: what it clears in TSR. */
static inline uint32_t watchdog_service(uint32_t now)
{
    if ((int32_t)(now - watchdog_due) > WATCHDOG_LATE) {
        watchdog_missed = true;
    }
    return watchdog_missed ? 0 : TSR_WIS;
}

#else

#define WATCHDOG_TCR            0U
#define WATCHDOG_AT_MOST(ticks) (ticks)

static inline void watchdog_expect(uint32_t due)
{
    (void)due;
}

static inline uint32_t watchdog_service(uint32_t now)
{
    (void)now;
    return 0;
}

#endif
#endif
