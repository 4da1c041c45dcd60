/*
 * server.c: see server.h. A client gets a piece at a time, in turn; what it writes is shown as lines of printing characters with
 * its tag, as the hypervisor's own console does it: no client can forge a tag, or make the terminal answer.
 */
#include "server.h"

static void text(const struct server *s, const char *bytes, uint32_t most)
{
    uint32_t i;

    for (i = 0; i < most && bytes[i] != 0; i++) {
        s->put((uint8_t)bytes[i]);
    }
}

static void new_line(struct server *s)
{
    s->put('\r');
    s->put('\n');
    s->open = 0;
}

/* The UART is in a line that this client has begun. */
static void begin_line(struct server *s, uint32_t n)
{
    if (s->open == n + 1) {
        return;
    }
    if (s->open != 0) {
        new_line(s);
    }
    s->put('[');
    text(s, s->client[n].name, SERVER_NAME);
    s->put(']');
    s->put(' ');
    s->open = n + 1;
}

/* As `cat -v` has it. */
static void show(const struct server *s, uint32_t byte)
{
    if (byte >= 0x80) {
        text(s, "M-", 2);
        byte -= 0x80;
    }
    if ((byte < ' ' && byte != '\t') || byte == 0x7F) {
        s->put('^');
        byte ^= 0x40;
    }
    s->put((uint8_t)byte);
}

/* A \n ends a line at the end of a piece only, or one piece could be as many lines as it has bytes; a \r before it is nothing. */
static void say(struct server *s, uint32_t n, const uint8_t *bytes, uint32_t length)
{
    bool ends = length != 0 && bytes[length - 1] == '\n';
    uint32_t i;

    length -= ends;
    length -= ends && length != 0 && bytes[length - 1] == '\r';
    begin_line(s, n);
    for (i = 0; i < length; i++) {
        show(s, bytes[i]);
    }
    if (ends) {
        new_line(s);
    }
}

void server_begin(struct server *s, const char *name, void (*put)(uint8_t byte))
{
    s->name = name;
    s->put = put;
    s->open = SERVER_CUT;
}

void server_add(struct server *s, uint32_t tunnel, uint8_t *base, const char *name)
{
    struct server_client *c = &s->client[s->count++];

    c->tunnel = tunnel;
    c->base = base;
    c->name = name;
}

static bool begin(struct server_client *c)
{
    struct ipc_area area;

    c->there = tunnel_finds(c->tunnel, c->base, &area) && terminal_open(&area, IPC_READER, &c->lines, &c->keys);
    c->lives += c->there;
    return c->there;
}

/* It has nothing, or it lies. If it has died it is left, but not before all that it had sent. True: go on. */
static bool look_after(struct server_client *c, int32_t result)
{
    uint32_t state = 0;

    proteus_ipcm_status(c->tunnel, &state);
    if (result == IPC_E_EMPTY && ((state & TUNNEL_PEER) != 0 || queueing_count(&c->lines) > 0)) {
        return (state & TUNNEL_PEER) == 0;
    }
    c->lies += result != IPC_E_EMPTY;
    c->there = false;
    proteus_ipcm_close(c->tunnel);
    return true;
}

/* A piece, if it has one. It is taken out of the queue behind its last byte. */
static bool serve(struct server *s, uint32_t n)
{
    struct server_client *c = &s->client[n];
    uint8_t piece[TERMINAL_LINE];
    int32_t length;

    if (!c->there && !begin(c)) {
        return false;
    }
    length = queueing_peek(&c->lines, piece, sizeof(piece));
    if (length < 0) {
        return look_after(c, length);
    }
    say(s, n, piece, (uint32_t)length);
    queueing_drop(&c->lines);
    if (queueing_rings(&c->lines)) {
        proteus_ipcm_notify(c->tunnel);
    }
    c->pieces++;
    c->bytes += (uint32_t)length;
    return true;
}

bool server_step(struct server *s)
{
    uint32_t i;

    for (i = 0; i < s->count; i++) {
        s->turn = s->turn + 1 >= s->count ? 0 : s->turn + 1;
        if (serve(s, s->turn)) {
            return true;
        }
    }
    return false;
}

void server_key(struct server *s, uint8_t byte)
{
    struct server_client *c = &s->client[s->focus];

    if (s->escaped && (uint32_t)byte - '1' < s->count) {
        s->focus = (uint32_t)byte - '1';
        if (s->open != 0) {
            new_line(s);
        }
        s->put('[');
        text(s, s->name, SERVER_NAME);
        text(s, "] focus ", 8);
        text(s, s->client[s->focus].name, SERVER_NAME);
        new_line(s);
        s->escaped = false;
    } else if (!s->escaped && byte == SERVER_ESCAPE) {
        s->escaped = true;
    } else {
        s->escaped = false;
        if (c->there && ring_write(&c->keys, &byte, 1) == 1 && ring_rings(&c->keys)) {
            proteus_ipcm_notify(c->tunnel);
        }
    }
}
