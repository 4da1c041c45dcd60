/*
 * tunnel.h: memory and doorbells that two VMs share, as the partition file allows it (option IPCM; hypercalls/README.md).
 *
 * An end is a row of tunnel_end (partition.h). A tunnel's life begins when one end connects after both had left: its memory is
 * zero then. It ends for the one when the other leaves: what the other wrote stays where it is until this end leaves as well,
 * but a life that follows needs both to have left, and the memory to be zero again. So nobody ever writes into a life that
 * is not its own, and nobody loses what it has been sent.
 */
#ifndef PROTEUS_TUNNEL_H
#define PROTEUS_TUNNEL_H

#include <stdbool.h>
#include <stdint.h>

#include "vcpu.h"

#ifdef CONFIG_IPCM

/* What a call comes to: 0, HCALL_E_ARGUMENT (the VM has no tunnel of this number), HCALL_E_STATE, or */
#define TUNNEL_AGAIN 1 /* a piece of it is done: call again */

/* Row of tunnel number n of a VM, or TUNNEL_NONE. */
#define TUNNEL_NONE 0xFF
uint32_t tunnel_of(const struct vcpu *v, uint32_t n);

/* Of each end, TUNNEL_STATES; its state word (TUNNEL_*). */
extern uint8_t tunnel_states[];
uint32_t tunnel_state(uint32_t end);

/* The same for its guest: who looks goes on with what the other has begun, and who waits for it is in at its end. */
uint32_t tunnel_look(uint32_t end);

/*
 * What a VM does to its end. CONNECT opens it, or has it wait for the other to leave; ACCEPT likewise, but only if the other has
 * asked (E_STATE: it has not; or this end is not closed). CLOSE leaves, if it has not yet. NOTIFY is a pulse on the other end's
 * line (E_STATE: there is no other end now, or it has no line).
 */
#define TUNNEL_NOTIFY 4 /* beside TUNNEL_CONTROL_* */
int32_t tunnel_control(const struct vcpu *v, uint32_t n, uint32_t what);

/* The memory of a tunnel that nobody has is cleared, a piece of it. True: there are more. */
bool tunnel_clear(uint32_t end);

/*
 * A VM's end and its next beginning (lifecycle.c): leave all tunnels; connect those that its partition says. From number
 * v->work_row on, a piece. True: there are more.
 */
bool tunnel_leave_all(struct vcpu *v);
bool tunnel_boot_all(struct vcpu *v);

#else

static inline bool tunnel_leave_all(struct vcpu *v)
{
    (void)v;
    return false;
}

static inline bool tunnel_boot_all(struct vcpu *v)
{
    (void)v;
    return false;
}

#endif
#endif
