/*
 * terminal.c: the client of terminal.h.
 */
#include "terminal.h"

#define SLOT(number) ((number) % TERMINAL_DEPTH)

/* What the server has taken is out. Of one that writes nonsense nothing is known: it stays as it was. */
static bool look(struct terminal *c)
{
    int32_t left = queueing_count(&c->lines);

    if (left < 0 || (uint32_t)left > c->sent - c->out) {
        return false;
    }
    c->out = c->sent - (uint32_t)left;
    return true;
}

/* What was typed comes into one's own memory while half of that is free: so there is always room for the rest of a life. */
static void take_keys(struct terminal *c, uint32_t most)
{
    uint8_t byte;

    while (c->typed < most && ring_read(&c->keys, &byte, 1) == 1) {
        c->input[(c->first + c->typed++) % sizeof(c->input)] = byte;
    }
}

/* The life is over: its memory is still there, and nobody writes to it any more. What is not out is to be sent again. */
static void lose(struct terminal *c)
{
    look(c);
    take_keys(c, sizeof(c->input));
    c->again += c->sent - c->out;
    c->sent = c->out;
    c->there = false;
}

static bool begin(struct terminal *c)
{
    struct ipc_area area;

    c->there = tunnel_begin(c->tunnel, c->base, &area) == 0 && terminal_open(&area, IPC_WRITER, &c->lines, &c->keys);
    return c->there;
}

bool terminal_step(struct terminal *c)
{
    uint32_t state = 0;

    proteus_ipcm_status(c->tunnel, &state);
    if (c->there && (state & TUNNEL_PEER) == 0) {
        lose(c);
    }
    if (!c->there && !begin(c)) {
        return c->out == c->accepted;
    }
    while (c->sent != c->accepted && queueing_send(&c->lines, c->kept[SLOT(c->sent)].text, c->kept[SLOT(c->sent)].length) == 0) {
        c->sent++;
    }
    take_keys(c, sizeof(c->input) / 2);
    if (queueing_rings(&c->lines)) {
        c->bells++;
        proteus_ipcm_notify(c->tunnel); /* refused if the server has just left: that is seen at the next look */
    }
    if (!look(c)) {
        lose(c);
        proteus_ipcm_close(c->tunnel);
    }
    return c->out == c->accepted;
}

/* Is there a place for the line that is not whole? */
static bool has_room(struct terminal *c)
{
    if (c->accepted - c->out == TERMINAL_DEPTH) {
        terminal_step(c);
    }
    return c->accepted - c->out != TERMINAL_DEPTH;
}

static void accept(struct terminal *c)
{
    c->kept[SLOT(c->accepted)].length = c->length;
    c->length = 0;
    c->accepted++;
    terminal_step(c);
}

bool terminal_put(struct terminal *c, uint8_t byte)
{
    if (!has_room(c)) {
        return false;
    }
    c->kept[SLOT(c->accepted)].text[c->length++] = byte;
    if (byte == '\n' || c->length == TERMINAL_LINE) {
        accept(c);
    }
    return true;
}

void terminal_flush(struct terminal *c)
{
    if (c->length != 0) {
        accept(c);
    }
}

bool terminal_get(struct terminal *c, uint8_t *byte)
{
    terminal_step(c);
    if (c->typed == 0) {
        return false;
    }
    *byte = c->input[c->first];
    c->first = (c->first + 1) % sizeof(c->input);
    c->typed--;
    return true;
}
