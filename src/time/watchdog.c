/*
 * watchdog.c: see watchdog.h.
 */
#include "watchdog.h"

uint32_t watchdog_due;
bool watchdog_missed;
