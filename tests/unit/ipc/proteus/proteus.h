/*
 * proteus.h: in place of the header that guests get: the calls of tunnels, by test_console.c.
 */
#ifndef PROTEUS_H
#define PROTEUS_H

#include <stdint.h>

#include "../../../../hypercalls/abi.h"

typedef int32_t proteus_status;

proteus_status proteus_ipcm_connect(uint32_t tunnel);
proteus_status proteus_ipcm_close(uint32_t tunnel);
proteus_status proteus_ipcm_status(uint32_t tunnel, uint32_t *state);
proteus_status proteus_ipcm_notify(uint32_t tunnel);

#endif
