/*
 * netcard.h: a network card that another partition has the wire of. The switch (netswitch.h) owns the board's controller; each
 * client has a tunnel to it. The hypervisor has no part in it.
 *
 *   area     a queueing port of frames from the client, NETCARD_SENDS of NETCARD_FRAME bytes
 *            a queueing port of frames from the switch, NETCARD_HOLDS of them
 *
 * A frame is Ethernet's from the destination address on, without padding and check sum: 14 to 1514 bytes. The switch's first
 * message of a life is no frame, but says what the card is, NETCARD_HELLO bytes: its MAC address (6), its IPv4 address (4), the
 * longest frame (2).
 *
 * The switch takes a frame out of the client's queue when it is with the wire, in the queue of who it is for, or refused: until
 * then it is the client's. Accepted is a frame when netcard_send() has said so: it comes to the switch, in order, whenever the
 * switch dies and however often, for the client keeps it until it was taken out, and sends it again in the tunnel's next life.
 * Only the one in hand at a death may arrive twice. What the switch had put into the client's queue is there after its death.
 *
 * As on any wire, nobody is told what was refused (netswitch.h), nor what found the queue of who it was for full: a sender is
 * held back by its own limit, and never by who does not receive. One that must know asks for an answer.
 */
#ifndef NETCARD_H
#define NETCARD_H

#include "life.h"
#include "port.h"

#define NETCARD_HEAD  14u   /* destination, source, type */
#define NETCARD_FRAME 1514u
#define NETCARD_SENDS 8u    /* a power of two, */
#define NETCARD_HOLDS 12u   /* and what of 32 KiB is left */
#define NETCARD_HELLO 12u
#define NETCARD_QUEUE(depth) ((QUEUEING_BYTES(NETCARD_FRAME, depth) + IPC_LINE - 1) / IPC_LINE * IPC_LINE)
#define NETCARD_BYTES (NETCARD_QUEUE(NETCARD_SENDS) + NETCARD_QUEUE(NETCARD_HOLDS)) /* of the tunnel, at least */
#define NETCARD_WORDS ((NETCARD_FRAME + 3) / 4)

/* Both parts of the area; the role is that in the first. False: it is too small, or this end may not write. */
static inline bool netcard_open(struct ipc_area *area, uint32_t role, struct queueing_port *from, struct queueing_port *to)
{
    struct ipc_area part;

    return ipc_cut(area, NETCARD_QUEUE(NETCARD_SENDS), &part) == 0 &&
           queueing_open(from, &part, role, NETCARD_FRAME, NETCARD_SENDS) == 0 &&
           ipc_cut(area, NETCARD_QUEUE(NETCARD_HOLDS), &part) == 0 &&
           queueing_open(to, &part, role == IPC_WRITER ? IPC_READER : IPC_WRITER, NETCARD_FRAME, NETCARD_HOLDS) == 0;
}

/* A client. All zero but for the first two is one that has not begun. */
struct netcard {
    uint32_t tunnel;
    uint8_t *base;      /* where the partition file has its memory */
    bool there;         /* so is the switch, or what it left; */
    bool lost;          /* and it is that: nothing new comes in this life */
    bool known;         /* the next two are */
    uint8_t mac[6];
    uint8_t ip[4];
    uint32_t accepted;  /* frames, of which kept[] has what is not out: modulo NETCARD_SENDS */
    uint32_t sent;      /* of these, in the queue of this life; */
    uint32_t out;       /* and taken out of it */
    uint32_t again;     /* frames that had to be sent again */
    uint32_t bells;     /* how often the switch was rung */
    uint32_t lives;
    struct queueing_port from, to;
    struct {
        uint32_t length;
        uint32_t words[NETCARD_WORDS];
    } kept[NETCARD_SENDS];
};

/* True: accepted. Not now: wait, netcard_step(), and try again; or it never is, for its length. */
bool netcard_send(struct netcard *c, const void *frame, uint32_t length);

/*
 * The length of a frame that has come, 0: none. IPC_E_SIZE: it is longer than `room`; it is still there. When the switch has
 * died, a new life begins behind the last frame of the old: who only sends has to ask this, too.
 */
int32_t netcard_receive(struct netcard *c, void *frame, uint32_t room);

/*
 * What can be done now: begin a life, send, look what is out. True: all that was accepted is. The two above do it themselves;
 * else after a doorbell, or from time to time.
 */
bool netcard_step(struct netcard *c);
#endif
