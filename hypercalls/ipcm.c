/*
 * ipcm.c: hypercalls of option IPCM, on the tunnels that the partition file gives a VM, by number: it cannot name another.
 */
#include "hypercall.h"
#include "tunnel.h"

/* What is more than a piece is called again, pc being back at the sc: in between, interrupts and others have their turn. */
static __attribute__((noinline)) uint32_t control(struct vcpu *v, uint32_t what)
{
    int32_t done = tunnel_control(v, ARG(v, 0), what);

    if (done == TUNNEL_AGAIN) {
        v->pc -= 4;
        return ARG(v, 0);
    }
    return (uint32_t)done;
}

uint32_t hcall_ipcm_connect(struct vcpu *v)
{
    return control(v, TUNNEL_CONTROL_CONNECT);
}

uint32_t hcall_ipcm_accept(struct vcpu *v)
{
    return control(v, TUNNEL_CONTROL_ACCEPT);
}

uint32_t hcall_ipcm_close(struct vcpu *v)
{
    return control(v, TUNNEL_CONTROL_CLOSE);
}

uint32_t hcall_ipcm_notify(struct vcpu *v)
{
    return control(v, TUNNEL_NOTIFY);
}

uint32_t hcall_ipcm_status(struct vcpu *v)
{
    uint32_t end = tunnel_of(v, ARG(v, 0));

    if (end == TUNNEL_NONE) {
        return (uint32_t)HCALL_E_ARGUMENT;
    }
    ARG(v, 1) = tunnel_look(end);
    return 0;
}
