/* netvandal.h: a client of the switch that does what no client may. */
#ifndef NETVANDAL_H
#define NETVANDAL_H

#include <stdint.h>

/* Its tunnel is number 0, at `base`; it never comes back. */
void netvandal(uint8_t *base, const volatile uint32_t *bells) __attribute__((noreturn));

#endif
