/*
 * link.h: what a ring and a queue have in common: two counters in shared memory, each written by one end alone.
 *
 *   byte 0           how many units (bytes, messages) the writer has put in, modulo 2^32
 *   byte IPC_LINE    how many the reader has taken
 *   then             the units; there is room for `capacity` of them
 *
 * An end reads the other's counter at most once in each operation, and its own never: that is in its own memory.
 */
#ifndef LINK_H
#define LINK_H

#include "ipc.h"

#define LINK_DATA (2 * IPC_LINE)

#ifndef __ASSEMBLER__
struct ipc_link {
    uint8_t *mine;       /* the counter that this end writes */
    const uint8_t *peer; /* the other's */
    uint32_t capacity;   /* in units, at most 2^30 */
    uint32_t role;       /* IPC_WRITER, IPC_READER */
    uint32_t count;      /* what `mine` holds */
    uint32_t asked;      /* the writer's: the reader is awake, or was rung, for what is before it */
};

static inline int32_t link_open(struct ipc_link *link, const struct ipc_area *area, uint32_t role, uint32_t capacity)
{
    if (role > IPC_READER || (uintptr_t)area->base % IPC_LINE != 0 || area->size < LINK_DATA || capacity == 0) {
        return IPC_E_ARGUMENT;
    }
    if (!area->writable) {
        return IPC_E_RIGHTS;
    }
    link->capacity = capacity; /* word by word: of a whole structure a compiler makes a memset(), which is not there */
    link->role = role;
    link->count = 0;
    link->asked = 0;
    link->mine = area->base + (role == IPC_WRITER ? 0 : IPC_LINE);
    link->peer = area->base + (role == IPC_WRITER ? IPC_LINE : 0);
    return 0;
}

/* Units that this end may put in or take now: they are its own until link_move(). IPC_E_ARGUMENT: it has the other role. */
static inline int32_t link_ready(struct ipc_link *link, uint32_t role)
{
    uint32_t peer, filled;

    if (link->role != role) {
        return IPC_E_ARGUMENT;
    }
    peer = ipc_load(link->peer);
    filled = role == IPC_WRITER ? link->count - peer : peer - link->count;
    if (filled > link->capacity) {
        return IPC_E_PEER;
    }
    if (filled < link->count - link->asked) {
        link->asked = peer; /* it is past that, and so this is never far behind: counters go around */
    }
    ipc_order(); /* no unit is touched before the other end has left it */
    return (int32_t)(role == IPC_WRITER ? link->capacity - filled : filled);
}

/* They are the other end's: put in, or taken. */
static inline void link_move(struct ipc_link *link, uint32_t units)
{
    ipc_order();
    link->count += units;
    ipc_store(link->mine, link->count);
}

/*
 * Has this end to ring the other's doorbell? The reader waits if it has seen the counter of one of the moves since the last
 * question and nothing behind it; what it had not taken by then it was rung for, or it has not yet looked. The writer waits only
 * while something is in it, and has room when all is taken.
 */
static inline bool link_rings(struct ipc_link *link)
{
    uint32_t peer, moved = link->count - link->asked;

    ipc_order(); /* this end's counter is there before it looks: one of the two sees the other's */
    peer = ipc_load(link->peer);
    if (link->role == IPC_READER) {
        return peer == link->count;
    }
    peer -= link->asked;
    link->asked = link->count;
    return peer < moved;
}
#endif
#endif
