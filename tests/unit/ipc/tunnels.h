/*
 * tunnels.h: one server and its clients, each in a VM of its own, with a tunnel to each client; any of them may die at any step:
 * before each access to a tunnel, and each call of the hypervisor. What is here of the hypervisor is the table of tunnel.c, which
 * has tests of its own.
 */
#ifndef TUNNELS_H
#define TUNNELS_H

#include "shared.h"

#define TUNNELS_SERVER 0u /* VM n has the other end of tunnel n - 1 */
#define TUNNELS_MOST   3u
#define NEVER          UINT32_MAX

extern uint32_t who;          /* makes the calls */
extern jmp_buf death;
extern uint32_t left, mortal; /* steps to the death of that VM */
extern uint8_t *memory[TUNNELS_MOST];
extern uint8_t ends[TUNNELS_MOST][2]; /* 0: the server's */

/* All closed, all zero. */
void tunnels_begin(uint32_t count, uint32_t size);

/* A VM has died: so its ends. */
void tunnels_left_by(uint32_t vm);

#endif
