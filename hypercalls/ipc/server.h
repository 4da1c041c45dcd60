/*
 * server.h: the server of terminal.h, without the UART: that is of who calls it.
 */
#ifndef SERVER_H
#define SERVER_H

#include "terminal.h"

#define SERVER_CLIENTS 8u
#define SERVER_NAME    8u
#define SERVER_CUT     (SERVER_CLIENTS + 1)
#define SERVER_ESCAPE  0x1Du /* ctrl-]; a digit behind it moves the input to that client, 1 is the first */

struct server_client {
    uint32_t tunnel;
    uint8_t *base;
    const char *name;  /* SERVER_NAME bytes at most, as the partition file has it: a client cannot choose its tag */
    bool there;        /* it, or what it left */
    uint32_t lives, pieces, bytes, lies;
    struct queueing_port lines;
    struct ring keys;
};

struct server {
    void (*put)(uint8_t byte); /* to the UART: waits until it has it */
    const char *name;          /* its own, for what it says itself */
    uint32_t count;
    uint32_t turn;             /* the client that had the last piece */
    uint32_t open;             /* who has begun the line that the UART is in, plus one; 0: it begins a new one */
    uint32_t focus;            /* who gets what is typed */
    bool escaped;
    struct server_client client[SERVER_CLIENTS];
};

/* All zero before. The UART may be in a line in which the life before was cut off: it ends before the first one of this. */
void server_begin(struct server *s, const char *name, void (*put)(uint8_t byte));

/* The next client, before the first step. */
void server_add(struct server *s, uint32_t tunnel, uint8_t *base, const char *name);

/* A piece of the next client in turn that has one. False: nobody has; wait for a doorbell. */
bool server_step(struct server *s);

/* A byte was typed. */
void server_key(struct server *s, uint8_t byte);
#endif
