/*
 * netcard.c: the client of netcard.h.
 */
#include "netcard.h"

#define SLOT(number) ((number) % NETCARD_SENDS)

/* What the switch has taken is out. Of one that writes nonsense nothing is known: it stays as it was. */
static bool look(struct netcard *c)
{
    int32_t left = queueing_count(&c->from);

    if (left < 0 || (uint32_t)left > c->sent - c->out) {
        return false;
    }
    c->out = c->sent - (uint32_t)left;
    return true;
}

/* The switch is gone: its memory is still there, and nobody writes to it any more. What is not out is to be sent again. */
static void lose(struct netcard *c)
{
    look(c);
    c->again += c->sent - c->out;
    c->sent = c->out;
    c->lost = true;
}

/* Of a switch that lies nothing is taken any more. */
static void leave(struct netcard *c)
{
    lose(c);
    c->there = c->lost = false;
    proteus_ipcm_close(c->tunnel);
}

static bool begin(struct netcard *c)
{
    struct ipc_area area;

    c->there = tunnel_begin(c->tunnel, c->base, &area) == 0 && netcard_open(&area, IPC_WRITER, &c->from, &c->to);
    c->lost = false;
    c->lives += c->there;
    return c->there;
}

bool netcard_step(struct netcard *c)
{
    uint32_t state = 0;

    proteus_ipcm_status(c->tunnel, &state);
    if (c->there && !c->lost && (state & TUNNEL_PEER) == 0) {
        lose(c);
    }
    if (c->lost || (!c->there && !begin(c))) {
        return c->out == c->accepted;
    }
    while (c->sent != c->accepted &&
           queueing_send(&c->from, c->kept[SLOT(c->sent)].words, c->kept[SLOT(c->sent)].length) == 0) {
        c->sent++;
    }
    if (queueing_rings(&c->from)) {
        c->bells++;
        proteus_ipcm_notify(c->tunnel); /* refused if the switch has just left: that is seen at the next look */
    }
    if (!look(c)) {
        leave(c);
    }
    return c->out == c->accepted;
}

bool netcard_send(struct netcard *c, const void *frame, uint32_t length)
{
    if (length < NETCARD_HEAD || length > NETCARD_FRAME) {
        return false;
    }
    if (c->accepted - c->out == NETCARD_SENDS) {
        netcard_step(c);
    }
    if (c->accepted - c->out == NETCARD_SENDS) {
        return false;
    }
    c->kept[SLOT(c->accepted)].length = length;
    ipc_copy_in((uint8_t *)c->kept[SLOT(c->accepted)].words, frame, length);
    c->accepted++;
    netcard_step(c);
    return true;
}

/* What the card is, if that is what has come. */
static bool is_hello(struct netcard *c, const uint8_t *message, int32_t length)
{
    if (length != (int32_t)NETCARD_HELLO) {
        return false;
    }
    ipc_copy_in(c->mac, message, sizeof(c->mac));
    ipc_copy_in(c->ip, message + sizeof(c->mac), sizeof(c->ip));
    c->known = true;
    return true;
}

static int32_t take(struct netcard *c, void *frame, uint32_t room)
{
    int32_t length = queueing_receive(&c->to, frame, room);

    if (length >= 0 && queueing_rings(&c->to)) {
        proteus_ipcm_notify(c->tunnel);
    }
    return length;
}

int32_t netcard_receive(struct netcard *c, void *frame, uint32_t room)
{
    int32_t length;

    netcard_step(c);
    if (!c->there) {
        return 0;
    }
    length = take(c, frame, room);
    if (is_hello(c, frame, length)) {
        length = take(c, frame, room);
    }
    if (length >= (int32_t)NETCARD_HEAD || length == IPC_E_SIZE) {
        return length;
    }
    if (length != IPC_E_EMPTY) {
        leave(c);
    } else if (c->lost) {
        c->there = c->lost = false;
        netcard_step(c);
    }
    return 0;
}
