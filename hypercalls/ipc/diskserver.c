/*
 * diskserver.c: see diskserver.h. A request is copied out of the queue before anything in it is believed; the data is whatever
 * the client has put there by the time it is copied, and hurts nobody but the client.
 */
#include "diskserver.h"

#include "words.h"

/* ---- configuration ---- */

/* A number of 32 bits, and the blanks behind it; 0 if there is none. */
static const char *number(const char *at, uint32_t *value)
{
    uint32_t base = 10;
    const char *first;

    if (at[0] == '0' && (at[1] | 0x20) == 'x') {
        base = 16;
        at += 2;
    }
    for (*value = 0, first = at; digit(*at) < base; at++) {
        if (*value > (UINT32_MAX - digit(*at)) / base) {
            return 0;
        }
        *value = *value * base + digit(*at);
    }
    return at == first || (!is_end(*at) && skip(at) == at) ? 0 : skip(at);
}

/* Its own: what nobody else can write, unless all who have it only read. */
static bool is_free(const struct disk_server *s, const struct disk_client *c)
{
    uint32_t n;

    for (n = 0; n < s->count; n++) {
        const struct disk_client *other = &s->client[n];
        bool apart = c->first >= other->first + other->sectors || other->first >= c->first + c->sectors;

        if (!apart && (c->writes || other->writes)) {
            return false;
        }
    }
    return true;
}

static const char *client(struct disk_server *s, const char *at)
{
    struct disk_client *c = &s->client[s->count];

    if (s->count == DISKSERVER_CLIENTS) {
        return 0;
    }
    at = number(at, &c->first);
    at = at == 0 ? 0 : number(at, &c->sectors);
    if (at == 0 || *at != 'r' || c->sectors == 0 || c->first >= s->sectors || c->sectors > s->sectors - c->first) {
        return 0;
    }
    c->writes = *++at == 'w';
    at += c->writes;
    if (!is_free(s, c)) {
        return 0;
    }
    s->count++;
    return skip(at);
}

static const char *device(struct disk_server *s, const char *at)
{
    at = number(at, &s->at);
    at = at == 0 ? 0 : number(at, &s->sectors);
    return at == 0 || s->sectors == 0 || s->sectors > (UINT32_MAX - s->at) / DISK_SECTOR ? 0 : at;
}

uint32_t disk_server_configure(struct disk_server *s, const char *text)
{
    uint32_t line;

    for (line = 1; *text != 0; line++) {
        text = skip(text);
        if (!is_end(*text)) {
            text = s->sectors == 0 ? device(s, text) : client(s, text);
            if (text == 0 || !is_end(*text)) {
                return line;
            }
        }
        while (*text != 0 && *text != '\n') {
            text++;
        }
        text += *text == '\n';
    }
    return s->count == 0 ? line : 0;
}

void disk_server_begin(struct disk_server *s, uint8_t *base, uint32_t apart)
{
    uint32_t n;

    for (n = 0; n < s->count; n++) {
        s->client[n].tunnel = n;
        s->client[n].base = base + n * apart;
    }
}

/* ---- lives ---- */

static bool begin(struct disk_client *c)
{
    struct ipc_area area;

    c->there = tunnel_finds(c->tunnel, c->base, &area) && disk_open(&area, IPC_READER, &c->asks, &c->answers, &c->pieces);
    c->lives += c->there;
    return c->there;
}

/* It has nothing, or it lies. If it has died it is left, but not before all that it had asked. True: go on. */
static bool look_after(struct disk_client *c, int32_t result)
{
    uint32_t state = 0;

    proteus_ipcm_status(c->tunnel, &state);
    if (result == IPC_E_EMPTY && ((state & TUNNEL_PEER) != 0 || queueing_count(&c->asks) > 0)) {
        return (state & TUNNEL_PEER) == 0;
    }
    c->lies += result != IPC_E_EMPTY;
    c->there = false;
    proteus_ipcm_close(c->tunnel);
    return true;
}

/* ---- requests ---- */

static bool is_within(const struct disk_client *c, const uint32_t *ask)
{
    return ask[DISK_SECTORS] - 1 < DISK_MOST && ask[DISK_FIRST] < c->sectors &&
           ask[DISK_SECTORS] <= c->sectors - ask[DISK_FIRST];
}

/* The status of a read or a write, which is tried. */
static uint32_t move(const struct disk_server *s, struct disk_client *c, const uint32_t *ask)
{
    uint8_t *piece = c->pieces + ask[DISK_NUMBER] % DISK_DEPTH * DISK_PIECE;
    uint32_t first = c->first + ask[DISK_FIRST], sectors = ask[DISK_SECTORS];
    bool writes = ask[DISK_OPERATION] == DISK_WRITE, done;

    if (!is_within(c, ask)) {
        return DISK_E_RANGE;
    }
    if (writes && !c->writes) {
        return DISK_E_RIGHTS;
    }
    done = writes ? s->device->write(first, sectors, piece) : s->device->read(first, sectors, piece);
    c->writes_done += writes && done;
    c->reads += !writes && done;
    c->bytes += done ? sectors * DISK_SECTOR : 0;
    return done ? DISK_OK : DISK_E_DEVICE;
}

static uint32_t carry_out(const struct disk_server *s, struct disk_client *c, const uint32_t *ask, uint32_t *value)
{
    bool done;

    *value = 0;
    switch (ask[DISK_OPERATION]) {
    case DISK_READ:
    case DISK_WRITE:
        *value = ask[DISK_SECTORS];
        return move(s, c, ask);
    case DISK_FLUSH:
        done = s->device->flush();
        c->flushes += done;
        return done ? DISK_OK : DISK_E_DEVICE;
    case DISK_CAPACITY:
        c->capacities++;
        *value = c->sectors;
        return DISK_OK;
    default:
        return DISK_E_OPERATION;
    }
}

/* Who keeps to disk.h always has room for its answer. Nobody waits for one that does not; one that is gone gets none. */
static bool answer(struct disk_client *c, const uint32_t *ask, uint32_t status, uint32_t value)
{
    const uint32_t words[DISK_ANSWERS] = {ask[DISK_NUMBER], status, status == DISK_OK ? value : 0};
    int32_t result = queueing_send(&c->answers, words, sizeof(words));
    uint32_t state = 0;

    c->refused += status != DISK_OK && status != DISK_E_DEVICE;
    c->failed += status == DISK_E_DEVICE;
    if (result != 0) {
        proteus_ipcm_status(c->tunnel, &state);
    }
    return result == 0 || (result == IPC_E_FULL && (state & TUNNEL_PEER) == 0);
}

/* True: something was done. Once a request is answered it is taken out, and only then the client is rung. */
static bool serve(const struct disk_server *s, struct disk_client *c)
{
    uint32_t ask[DISK_ASKS], status, value;
    int32_t length;

    if (!c->there && !begin(c)) {
        return false;
    }
    length = queueing_peek(&c->asks, ask, sizeof(ask));
    if (length != sizeof(ask)) {
        return look_after(c, length < 0 ? length : IPC_E_PEER);
    }
    status = carry_out(s, c, ask, &value);
    if (!answer(c, ask, status, value)) {
        return look_after(c, IPC_E_PEER);
    }
    queueing_drop(&c->asks);
    if (queueing_rings(&c->answers) | queueing_rings(&c->asks)) {
        proteus_ipcm_notify(c->tunnel);
    }
    return true;
}

bool disk_server_step(struct disk_server *s)
{
    uint32_t i;

    for (i = 0; i < s->count; i++) {
        s->turn = s->turn + 1 >= s->count ? 0 : s->turn + 1;
        if (serve(s, &s->client[s->turn])) {
            return true;
        }
    }
    return false;
}
