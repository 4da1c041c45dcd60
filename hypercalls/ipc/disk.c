/*
 * disk.c: the client of disk.h.
 */
#include "disk.h"

#define SLOT(number) ((number) % DISK_DEPTH)

static bool has_data(const struct disk_request *r)
{
    return r->operation == DISK_READ || r->operation == DISK_WRITE;
}

static uint8_t *piece(const struct disk *d, uint32_t number)
{
    return d->pieces + SLOT(number) * DISK_PIECE;
}

static bool begin(struct disk *d)
{
    struct ipc_area area;

    d->there = tunnel_begin(d->tunnel, d->base, &area) == 0 &&
               disk_open(&area, IPC_WRITER, &d->asks, &d->answers, &d->pieces);
    d->lives += d->there;
    return d->there;
}

/* The life is over, and all that it had answered is taken: the rest is to be sent again. */
static void leave(struct disk *d)
{
    d->again += d->sent - d->answered;
    d->sent = d->answered;
    d->there = d->lost = false;
}

static bool send(struct disk *d)
{
    const struct disk_request *r = &d->kept[SLOT(d->sent)];
    const uint32_t words[DISK_ASKS] = {d->sent, r->operation, r->first, r->sectors};

    if (r->operation == DISK_WRITE) {
        ipc_copy_in(piece(d, d->sent), r->data, r->sectors * DISK_SECTOR);
    }
    return queueing_send(&d->asks, words, sizeof(words)) == 0;
}

void disk_step(struct disk *d)
{
    uint32_t state = 0;

    proteus_ipcm_status(d->tunnel, &state);
    d->lost = d->there && (d->lost || (state & TUNNEL_PEER) == 0);
    if (d->lost || (!d->there && !begin(d))) {
        return;
    }
    while (d->sent != d->accepted && send(d)) {
        d->sent++;
    }
    if (queueing_rings(&d->asks)) {
        d->bells++;
        proteus_ipcm_notify(d->tunnel); /* refused if the server has just left: that is seen at the next look */
    }
}

bool disk_submit(struct disk *d, const struct disk_request *request)
{
    struct disk_request *kept = &d->kept[SLOT(d->accepted)];

    if (d->accepted - d->answered == DISK_DEPTH || (has_data(request) && request->sectors > DISK_MOST)) {
        return false;
    }
    kept->operation = request->operation; /* word by word: there is no memcpy() */
    kept->first = request->first;
    kept->sectors = request->sectors;
    kept->data = request->data;
    d->accepted++;
    disk_step(d);
    return true;
}

/* Of a server that lies nothing is taken any more; the next life is a new one. */
static bool lies(struct disk *d)
{
    d->lies++;
    leave(d);
    proteus_ipcm_close(d->tunnel);
    return false;
}

static void take(struct disk *d, const uint32_t *words, struct disk_answer *answer)
{
    const struct disk_request *r = &d->kept[SLOT(d->answered)];

    if (r->operation == DISK_READ && words[DISK_STATUS] == DISK_OK) {
        ipc_copy_out(r->data, piece(d, d->answered), r->sectors * DISK_SECTOR);
    }
    answer->status = words[DISK_STATUS];
    answer->value = words[DISK_VALUE];
    answer->of.operation = r->operation;
    answer->of.first = r->first;
    answer->of.sectors = r->sectors;
    answer->of.data = r->data;
    d->answered++;
}

bool disk_answer(struct disk *d, struct disk_answer *answer)
{
    uint32_t words[DISK_ANSWERS];
    int32_t length;

    disk_step(d);
    if (!d->there) {
        return false;
    }
    length = queueing_receive(&d->answers, words, sizeof(words));
    if (length == IPC_E_EMPTY) {
        if (d->lost) {
            leave(d);
            disk_step(d);
        }
        return false;
    }
    if (length != sizeof(words) || d->answered == d->sent || words[DISK_NUMBER] != d->answered) {
        return lies(d);
    }
    take(d, words, answer);
    if (queueing_rings(&d->answers)) {
        proteus_ipcm_notify(d->tunnel);
    }
    return true;
}
