/*
 * port.h: the two kinds of ports of ARINC 653 (part 1, "Interpartition communication").
 *
 * Sampling port: one writer, any number of readers; the last message wins, and stays until the next. A reader gets one message as
 * a whole or IPC_E_BUSY, never parts of two. It needs no right to write. The reader is told the message's age, by the writer's
 * stamp and the time base that all VMs share; a message is valid up to the age that the reader has named.
 *
 *   area     word 0                which message was the last: 1, 2, ... 2^32 - 1, 2, 3, ...; 0: none
 *            byte IPC_LINE         two slots, odd messages in the second: stamp (2 words), length (1 word), bytes
 *
 * Queueing port: one writer, one reader; each message is received once and in order. `depth` messages of `max` bytes at most.
 * Both ends have to write. It never overflows: who finds it full (IPC_E_FULL) keeps the message; who waits, who rings: as of a
 * ring.
 *
 *   area     two counters (link.h), then `depth` slots: length (1 word), bytes
 *
 * Both ends name the same `max` and `depth`, and open a port once in each life of the tunnel, before its first use.
 */
#ifndef PORT_H
#define PORT_H

#include "link.h"

#define SAMPLING_HEAD       12
#define SAMPLING_SLOT(max)  ((SAMPLING_HEAD + (max) + IPC_LINE - 1) / IPC_LINE * IPC_LINE)
#define SAMPLING_BYTES(max) (IPC_LINE + 2 * SAMPLING_SLOT(max))

#define QUEUEING_HEAD              4
#define QUEUEING_SLOT(max)         ((QUEUEING_HEAD + (max) + 3) / 4 * 4)
#define QUEUEING_BYTES(max, depth) (LINK_DATA + (depth) * QUEUEING_SLOT(max)) /* up to the next IPC_LINE, if cut from an area */

#define SAMPLING_SIZE 24 /* of struct sampling_port and struct queueing_port, for the assembler (ring.h) */
#define QUEUEING_SIZE 36

#ifndef __ASSEMBLER__
struct sampling_port {
    uint8_t *base;
    uint32_t max;
    uint32_t role;
    uint32_t last;    /* the writer's: the message that it wrote last */
    uint64_t refresh; /* the reader's: the age up to which a message is valid */
};

/* 0. IPC_E_ARGUMENT: the area has less than SAMPLING_BYTES(max); IPC_E_RIGHTS: of a writer. */
int32_t sampling_open(struct sampling_port *port, const struct ipc_area *area, uint32_t role, uint32_t max, uint64_t refresh);

/* 0. IPC_E_ARGUMENT: longer than max, or this end reads. */
int32_t sampling_write(struct sampling_port *port, const void *message, uint32_t length);

/*
 * Its length, and *age in ticks; a stamp that is still to come has an age beyond all bounds. IPC_E_EMPTY: nothing was written
 * yet; IPC_E_SIZE: it is longer than `room`; IPC_E_BUSY; IPC_E_PEER. After an error the buffer may hold something.
 */
int32_t sampling_read(const struct sampling_port *port, void *message, uint32_t room, uint64_t *age);

static inline bool sampling_is_valid(const struct sampling_port *port, uint64_t age)
{
    return age <= port->refresh;
}

struct queueing_port {
    struct ipc_link link; /* its units are messages */
    uint8_t *slots;
    uint32_t max;
    uint32_t slot;        /* the one that link.count means, below depth */
};

/* 0. IPC_E_ARGUMENT: the area has less than QUEUEING_BYTES(max, depth); IPC_E_RIGHTS. */
int32_t queueing_open(struct queueing_port *port, const struct ipc_area *area, uint32_t role, uint32_t max, uint32_t depth);

/* 0. IPC_E_FULL; IPC_E_ARGUMENT: longer than max, or this end reads; IPC_E_PEER. */
int32_t queueing_send(struct queueing_port *port, const void *message, uint32_t length);

/* Its length. IPC_E_EMPTY; IPC_E_SIZE: longer than `room`, it is still there; IPC_E_PEER. */
int32_t queueing_receive(struct queueing_port *port, void *message, uint32_t room);

/* The same, but it stays: the next one to be received. */
int32_t queueing_peek(struct queueing_port *port, void *message, uint32_t room);

/* It is thrown away, as it was received. 0; IPC_E_EMPTY; IPC_E_PEER. */
int32_t queueing_drop(struct queueing_port *port);

/* Messages in it. IPC_E_PEER. */
int32_t queueing_count(struct queueing_port *port);

/* As ring_rings(). */
bool queueing_rings(struct queueing_port *port);
#endif
#endif
