/*
 * ipcm.c: hypercalls of option IPCM, on the tunnels that the partition file gives a VM, by number: it cannot name another.
 */
#include "hypercall.h"
#include "tunnel.h"

#define ERROR(name) ((uint32_t)HCALL_E_##name)

/* What is more than a piece is called again, pc being back at the sc: in between, interrupts and others have their turn. */
static uint32_t result(struct vcpu *v, enum tunnel done)
{
    if (done == TUNNEL_AGAIN) {
        v->pc -= 4;
        return ARG(v, 0);
    }
    return done == TUNNEL_DONE ? 0 : ERROR(STATE);
}

uint32_t hcall_ipcm_connect(struct vcpu *v)
{
    uint32_t end = tunnel_of(v, ARG(v, 0));

    return end == TUNNEL_NONE ? ERROR(ARGUMENT) : result(v, tunnel_connect(end, false));
}

uint32_t hcall_ipcm_accept(struct vcpu *v)
{
    uint32_t end = tunnel_of(v, ARG(v, 0));

    return end == TUNNEL_NONE ? ERROR(ARGUMENT) : result(v, tunnel_connect(end, true));
}

uint32_t hcall_ipcm_close(struct vcpu *v)
{
    uint32_t end = tunnel_of(v, ARG(v, 0));

    return end == TUNNEL_NONE ? ERROR(ARGUMENT) : result(v, tunnel_close(end));
}

uint32_t hcall_ipcm_status(struct vcpu *v)
{
    uint32_t end = tunnel_of(v, ARG(v, 0));

    if (end == TUNNEL_NONE) {
        return ERROR(ARGUMENT);
    }
    ARG(v, 1) = tunnel_state(end);
    return 0;
}

uint32_t hcall_ipcm_notify(struct vcpu *v)
{
    uint32_t end = tunnel_of(v, ARG(v, 0));

    if (end == TUNNEL_NONE) {
        return ERROR(ARGUMENT);
    }
    return tunnel_notify(end) ? 0 : ERROR(STATE);
}
