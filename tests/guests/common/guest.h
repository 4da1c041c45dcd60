/*
 * guest.h: what boot.S and stray.S call, and what every guest defines.
 */
#ifndef GUEST_GUEST_H
#define GUEST_GUEST_H

#include <stdint.h>

extern const char guest_name[]; // first word of every line that the guest prints

void guest_main(void);
_Noreturn void guest_reset(void);

void guest_stray(uint32_t vector, uint32_t pc, uint32_t msr, uint32_t esr, uint32_t dear);
void boot_bad_dccr(uint32_t value);
void boot_no_hypervisor(uint32_t version);

#endif
