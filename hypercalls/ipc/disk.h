/*
 * disk.h: a disk, or a part of one, that another partition has the device of. The server (diskserver.h) owns that; each client
 * has a tunnel to it. The hypervisor has no part in it.
 *
 *   area     a queueing port of requests from the client, DISK_DEPTH of four words: number, operation, first sector, sectors
 *            a queueing port of answers from the server, as many of three: number, status, value
 *            DISK_DEPTH pieces of DISK_PIECE bytes: the data of request n is in piece n modulo DISK_DEPTH, up to its answer
 *
 *   operation        what it does                                                        value of its answer
 *   DISK_READ        sectors into the piece, 1 to DISK_MOST of them                      how many
 *   DISK_WRITE       the piece to the sectors                                            how many
 *   DISK_FLUSH       all that was answered before is on the device, whatever happens     0
 *   DISK_CAPACITY                                                                        sectors that the client has, from 0 on
 *
 * What the server refuses has a status that is not DISK_OK and has changed nothing. The sectors that a client names are its own:
 * which ones of the device these are it cannot even say.
 *
 * Accepted is a request when disk_submit() has said so. It is carried out and answered once, in the order in which requests were
 * accepted, whenever the server dies and however often: the client keeps it, with its data, until it has the answer, and sends it
 * again in the tunnel's next life. The server answers a request before it begins the next, and what it has answered is still
 * there after its death: so the one in hand is all that can be carried out twice, nothing of this client's came in between, and
 * nobody else has its sectors. A write that is answered is on the device; if that outlives the server, and it has to, the write
 * does, too.
 *
 * Of a client that dies the requests that were in the queue are carried out, before its next life begins; one in hand when both
 * die may be written in part, as by any disk that loses its power.
 */
#ifndef DISK_H
#define DISK_H

#include "life.h"
#include "port.h"

#define DISK_SECTOR 512u
#define DISK_PIECE  4096u
#define DISK_MOST   (DISK_PIECE / DISK_SECTOR) /* sectors of a request */
#define DISK_DEPTH  4u                         /* requests under way: a power of two */

enum disk_operation { DISK_READ = 1, DISK_WRITE, DISK_FLUSH, DISK_CAPACITY };

#define DISK_OK          0u
#define DISK_E_OPERATION 1u /* no such one */
#define DISK_E_RANGE     2u /* not all of the sectors are the client's; none, or more than DISK_MOST */
#define DISK_E_RIGHTS    3u /* it may only read */
#define DISK_E_DEVICE    4u /* the device could not */

enum { DISK_NUMBER, DISK_OPERATION, DISK_FIRST, DISK_SECTORS, DISK_ASKS };   /* words of a request, */
enum { DISK_STATUS = DISK_NUMBER + 1, DISK_VALUE, DISK_ANSWERS };            /* and of its answer */

#define DISK_QUEUE(words) ((QUEUEING_BYTES(4u * (words), DISK_DEPTH) + IPC_LINE - 1) / IPC_LINE * IPC_LINE)
#define DISK_QUEUES       (DISK_QUEUE(DISK_ASKS) + DISK_QUEUE(DISK_ANSWERS))
#define DISK_BYTES        (DISK_QUEUES + DISK_DEPTH * DISK_PIECE) /* of the tunnel, at least */

/* All parts of the area; the role is that in the first. False: it is too small, or this end may not write. */
static inline bool disk_open(struct ipc_area *area, uint32_t role, struct queueing_port *asks, struct queueing_port *answers,
                             uint8_t **pieces)
{
    struct ipc_area part;

    if (ipc_cut(area, DISK_QUEUE(DISK_ASKS), &part) != 0 ||
        queueing_open(asks, &part, role, 4 * DISK_ASKS, DISK_DEPTH) != 0 ||
        ipc_cut(area, DISK_QUEUE(DISK_ANSWERS), &part) != 0 ||
        queueing_open(answers, &part, role == IPC_WRITER ? IPC_READER : IPC_WRITER, 4 * DISK_ANSWERS, DISK_DEPTH) != 0) {
        return false;
    }
    *pieces = area->base;
    return area->size >= DISK_DEPTH * DISK_PIECE;
}

struct disk_request {
    uint32_t operation, first, sectors;
    uint32_t *data; /* of a read and a write, sectors * DISK_SECTOR bytes; not to be touched before the answer */
};

struct disk_answer {
    uint32_t status, value;
    struct disk_request of;
};

/* A client. All zero but for the first two is one that has not begun. */
struct disk {
    uint32_t tunnel;
    uint8_t *base;     /* where the partition file has its memory */
    bool there;        /* so is the server, or what it left; */
    bool lost;         /* and it is that */
    uint32_t accepted; /* requests, of which kept[] has what is not answered: modulo DISK_DEPTH */
    uint32_t sent;     /* of these, in this life; */
    uint32_t answered; /* and answered */
    uint32_t again;    /* requests that had to be sent again */
    uint32_t lies;     /* answers that cannot be */
    uint32_t bells;    /* how often the server was rung */
    uint32_t lives;
    struct queueing_port asks, answers;
    uint8_t *pieces;
    struct disk_request kept[DISK_DEPTH];
};

/* True: accepted. Not now: DISK_DEPTH are under way, take an answer; or never: it has more than DISK_MOST sectors of data. */
bool disk_submit(struct disk *d, const struct disk_request *request);

/* The answer to the next request in order; the data of a read is where that said. False: none now, wait for the doorbell. */
bool disk_answer(struct disk *d, struct disk_answer *answer);

/* What can be done now: begin a life, send. The two above do it themselves; else after a doorbell. */
void disk_step(struct disk *d);
#endif
