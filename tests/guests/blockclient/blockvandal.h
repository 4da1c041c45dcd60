/* blockvandal.h: a client of the disk's server that does what no client may. */
#ifndef BLOCKVANDAL_H
#define BLOCKVANDAL_H

#include <stdint.h>

/* Its tunnel is number 0, at `base`; it never comes back. */
void blockvandal(uint8_t *base, const volatile uint32_t *bells) __attribute__((noreturn));

#endif
