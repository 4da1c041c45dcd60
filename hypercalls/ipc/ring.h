/*
 * ring.h: a ring of bytes, or of messages, from one writer to one reader, without locks.
 *
 *   area     two counters (link.h), then the bytes, a power of two of them: RING_BYTES(n) has room for n
 *
 * A message is its length, a word, then its bytes, up to the next word; it may go around the end. Both ends take a ring for the
 * same: of bytes (ring_write, ring_read) or of messages (ring_send, ring_receive). It is opened once in each life of the tunnel,
 * before its first use. Both ends have to write; through a tunnel that this end can only read, use a sampling port.
 *
 * Who waits, who rings: an end that finds nothing to do (IPC_E_EMPTY, IPC_E_FULL, or 0 bytes) may wait for its doorbell. The
 * other asks ring_rings() after what it has done, once for several messages if it likes, and rings if that is true. Then nobody
 * waits for ever, if the doorbell keeps a pulse that comes between the look and the wait, as a line of the interrupt controller
 * does. The reader need not ask if its writer never waits for room; the writer is rung when all is taken.
 */
#ifndef RING_H
#define RING_H

#include "link.h"

#define RING_BYTES(n) (LINK_DATA + (n)) /* n: a power of two, IPC_LINE at least */
#define RING_SIZE     28                /* of struct ring, for the assembler, which calls its functions as C does */

#ifndef __ASSEMBLER__
/* One end, in its own memory. Nobody looks inside. */
struct ring {
    struct ipc_link link; /* its units are bytes */
    uint8_t *data;
};

/* 0. IPC_E_ARGUMENT: the area is not RING_BYTES() of a power of two; IPC_E_RIGHTS. */
int32_t ring_open(struct ring *ring, const struct ipc_area *area, uint32_t role);

/* How many bytes went in or came out, 0 to `length`. IPC_E_PEER; IPC_E_ARGUMENT: this end has the other role. */
int32_t ring_write(struct ring *ring, const void *bytes, uint32_t length);
int32_t ring_read(struct ring *ring, void *bytes, uint32_t length);

/* 0: the message went in as a whole. IPC_E_FULL: not now; IPC_E_ARGUMENT: it never can; IPC_E_PEER. */
int32_t ring_send(struct ring *ring, const void *message, uint32_t length);

/* Its length, 0 or more: one message came out. IPC_E_EMPTY; IPC_E_SIZE: it has more than `room` bytes; IPC_E_PEER. */
int32_t ring_receive(struct ring *ring, void *message, uint32_t room);

/* The length of the message that comes next; the same, and it is thrown away. Errors likewise. */
int32_t ring_next(struct ring *ring);
int32_t ring_drop(struct ring *ring);

/* Whether the other end may be waiting for what was done since the last question. */
bool ring_rings(struct ring *ring);
#endif
#endif
