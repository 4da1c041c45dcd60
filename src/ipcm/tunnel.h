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

enum tunnel { TUNNEL_DONE, TUNNEL_NOT_NOW, TUNNEL_AGAIN }; /* the last: a piece of the work is done, there are more */

/* Row of tunnel number n of a VM, or TUNNEL_NONE. */
#define TUNNEL_NONE 0xFF
uint32_t tunnel_of(const struct vcpu *v, uint32_t n);

/* Its state word (TUNNEL_*). */
uint32_t tunnel_state(uint32_t end);

/* Opens this end, or has it wait for the other to leave. `accept`: only if the other has asked. Not now: it is open, or waits. */
enum tunnel tunnel_connect(uint32_t end, bool accept);

/* Leaves. Not connected is as good. */
enum tunnel tunnel_close(uint32_t end);

/* A pulse on the other end's line. False: there is no other end now, or it has none. */
bool tunnel_notify(uint32_t end);

/* The memory of a tunnel that nobody has is cleared, a piece of it. */
enum tunnel tunnel_clear(uint32_t end);

/*
 * A VM's end and its next beginning (lifecycle.c): leave all tunnels; connect those that its partition says. From end v->work_row
 * on, a piece. True: there are more.
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
