/*
 * life.h: lives of a tunnel, by hypercall; its memory as an area of ipc.h. The only file here that knows the hypervisor: of
 * proteus.h, the header that tools/hypercalls.py makes for guests.
 */
#ifndef LIFE_H
#define LIFE_H

#include <proteus/proteus.h>

#include "ipc.h"

/* Its memory, if the state is OPEN. */
static inline void tunnel_area(uint32_t state, uint8_t *base, struct ipc_area *area)
{
    area->base = base;
    area->size = state & TUNNEL_SIZE;
    area->writable = (state & TUNNEL_READ_ONLY) == 0;
}

/*
 * A step towards a life of the tunnel that has both ends in it. `base` is where the partition file has its memory.
 *
 *   0                the other end is there, and *area is the memory: zero, or what the other has written since. Open rings and
 *                    ports now, once in each life; call it again when it is over (TUNNEL_LOST) and what was left is read
 *   IPC_E_EMPTY      not yet: wait for the doorbell, then call it again
 *   IPC_E_ARGUMENT   the VM has no such tunnel
 */
static inline int32_t tunnel_begin(uint32_t tunnel, uint8_t *base, struct ipc_area *area)
{
    uint32_t state;

    if (proteus_ipcm_status(tunnel, &state) != 0) {
        return IPC_E_ARGUMENT;
    }
    if ((state & TUNNEL_LOST) != 0) {
        proteus_ipcm_close(tunnel);
    }
    if ((state & (TUNNEL_OPEN | TUNNEL_WAITING)) == 0 || (state & TUNNEL_LOST) != 0) {
        proteus_ipcm_connect(tunnel);
        proteus_ipcm_status(tunnel, &state);
    }
    if ((state & TUNNEL_PEER) == 0) {
        return IPC_E_EMPTY;
    }
    tunnel_area(state, base, area);
    return 0;
}

/* The same for who serves the other end: that may have sent something and died before it is seen for the first time. */
static inline bool tunnel_finds(uint32_t tunnel, uint8_t *base, struct ipc_area *area)
{
    uint32_t state = 0;

    proteus_ipcm_status(tunnel, &state);
    if ((state & TUNNEL_LOST) != 0) {
        tunnel_area(state, base, area);
        return true;
    }
    return tunnel_begin(tunnel, base, area) == 0;
}
#endif
