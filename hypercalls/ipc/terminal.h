/*
 * terminal.h: a console that is a partition of its own. The server owns the UART; each client has a tunnel to it, and for each
 * client the server knows, of the partition file, what the lines' tag is. The hypervisor has no part in it.
 *
 *   area     a queueing port of pieces of text from the client, TERMINAL_DEPTH of TERMINAL_LINE bytes
 *            a ring of TERMINAL_INPUT bytes from the server: what is typed
 *
 * A piece is a line with its \n, or as much of one as there is: the rest of a line follows in the next. The server takes it out
 * of the queue when its last byte is with the UART: until then it is the client's.
 *
 * Accepted is a byte when terminal_put() has said so. All that was accepted comes out, once and in order, whenever the server
 * dies and however often: the client keeps a piece until the server has taken it out, and sends it again in the tunnel's next
 * life. Only the piece that was just going out when the server died comes out twice, cut the first time. A client that dies
 * loses what was not in the queue; the server goes on with that before it begins a new life with the client. If both have
 * died, nobody has it any more.
 *
 * A byte that was typed is lost if the client's ring is full, or it is read from the UART when the server dies.
 */
#ifndef TERMINAL_H
#define TERMINAL_H

#include "life.h"
#include "port.h"
#include "ring.h"

#define TERMINAL_LINE  80u
#define TERMINAL_DEPTH 16u
#define TERMINAL_INPUT 64u
#define TERMINAL_QUEUE ((QUEUEING_BYTES(TERMINAL_LINE, TERMINAL_DEPTH) + IPC_LINE - 1) / IPC_LINE * IPC_LINE)
#define TERMINAL_BYTES (TERMINAL_QUEUE + RING_BYTES(TERMINAL_INPUT)) /* of the tunnel, at least */

/* Both parts of the area. False: it is too small, or this end may not write. */
static inline bool terminal_open(struct ipc_area *area, uint32_t role, struct queueing_port *lines, struct ring *keys)
{
    struct ipc_area part;

    return ipc_cut(area, TERMINAL_QUEUE, &part) == 0 &&
           queueing_open(lines, &part, role, TERMINAL_LINE, TERMINAL_DEPTH) == 0 &&
           ipc_cut(area, RING_BYTES(TERMINAL_INPUT), &part) == 0 &&
           ring_open(keys, &part, role == IPC_WRITER ? IPC_READER : IPC_WRITER) == 0;
}

/* A client. All zero but for the first two is one that has not begun. */
struct terminal {
    uint32_t tunnel;
    uint8_t *base;     /* where the partition file has its memory */
    bool there;        /* so is the server */
    uint32_t accepted; /* pieces, of which kept[] has what is not out: modulo TERMINAL_DEPTH */
    uint32_t sent;     /* of these, in the queue of this life; */
    uint32_t out;      /* and taken out of it */
    uint32_t again;    /* pieces that had to be sent again */
    uint32_t bells;    /* how often the server was rung */
    uint32_t length;   /* of the line that is not whole: the next piece */
    uint32_t first, typed; /* in input */
    struct queueing_port lines;
    struct ring keys;
    struct {
        uint32_t length;
        uint8_t text[TERMINAL_LINE];
    } kept[TERMINAL_DEPTH];
    uint8_t input[2 * TERMINAL_INPUT];
};

/* A byte of text. False: not accepted, for the server has not taken enough yet; wait, terminal_step(), and try again. */
bool terminal_put(struct terminal *c, uint8_t byte);

/* What there is of a line becomes a piece. */
void terminal_flush(struct terminal *c);

/* A byte that was typed. False: none. */
bool terminal_get(struct terminal *c, uint8_t *byte);

/*
 * What can be done now: begin a life, send, look what is out. True: all that was accepted is, but for the line that is not
 * whole. terminal_put() and terminal_get() do it themselves; else after a doorbell, or from time to time.
 */
bool terminal_step(struct terminal *c);
#endif
