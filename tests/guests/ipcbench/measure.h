/*
 * measure.h: what the files of this guest share: a figure is a line `ipcbench: <name> ticks <sum> for <count> <what>`, which
 * tools/bench_ipc.py makes instructions of.
 */
#ifndef MEASURE_H
#define MEASURE_H

#include <stdint.h>

#define GUEST "ipcbench"
#include "verdict.h"

#define BASE ((uint8_t *)0x90000000)
#define LINE 20

static inline void figure(const char *name, uint32_t ticks, uint32_t count, const char *what)
{
    put_text("ipcbench: ");
    put_text(name);
    put_text(" ticks ");
    put_decimal(ticks);
    put_text(" for ");
    put_decimal(count);
    board_putc(' ');
    put_text(what);
    board_putc('\n');
}

extern volatile uint32_t bells;

/* A disk and a network card that are another partition's; and both as one's own, without a hypervisor. */
void measure_disk(void);
void measure_card(void);
void measure_native(void);

#endif
