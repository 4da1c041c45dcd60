/* tunnels.c: see tunnels.h. */
#include "tunnels.h"

#include <string.h>

#include <proteus/proteus.h>

#include "step.h"

uint8_t *memory[TUNNELS_MOST];
uint8_t ends[TUNNELS_MOST][2];
uint32_t who;
jmp_buf death;
uint32_t left = NEVER, mortal;
static uint32_t tunnels, bytes;

static void leave_memory(uint32_t t)
{
    if (((ends[t][0] | ends[t][1]) & TUNNEL_OPEN) == 0) {
        memset(memory[t], 0, bytes);
    }
}

static void leave(uint32_t t, uint32_t end)
{
    uint8_t *mine = &ends[t][end], *its = &ends[t][1 - end];

    *its = *mine == (TUNNEL_OPEN | TUNNEL_PEER) ? TUNNEL_OPEN | TUNNEL_LOST : *its;
    *mine = 0;
    leave_memory(t);
    *its = *its == TUNNEL_WAITING ? TUNNEL_OPEN : *its;
}

static void enter(uint32_t t, uint32_t end)
{
    uint8_t *mine = &ends[t][end], *its = &ends[t][1 - end];

    if (*mine != 0) {
        return;
    }
    *mine = *its == (TUNNEL_OPEN | TUNNEL_LOST) ? TUNNEL_WAITING : TUNNEL_OPEN;
    if (*its == TUNNEL_OPEN) {
        *mine = *its = TUNNEL_OPEN | TUNNEL_PEER;
    }
}

static uint32_t end_of(uint32_t number, uint32_t *end)
{
    *end = who != TUNNELS_SERVER;
    return who == TUNNELS_SERVER ? number : who - 1;
}

void ipc_step(void)
{
    if (who == mortal && left != NEVER && left-- == 0) {
        longjmp(death, 1);
    }
}

proteus_status proteus_ipcm_connect(uint32_t number)
{
    uint32_t end, t = end_of(number, &end);

    ipc_step();
    enter(t, end);
    return 0;
}

proteus_status proteus_ipcm_close(uint32_t number)
{
    uint32_t end, t = end_of(number, &end);

    ipc_step();
    leave(t, end);
    return 0;
}

proteus_status proteus_ipcm_status(uint32_t number, uint32_t *state)
{
    uint32_t end, t = end_of(number, &end);

    ipc_step();
    *state = bytes | ends[t][end];
    return 0;
}

proteus_status proteus_ipcm_notify(uint32_t number)
{
    (void)number;
    ipc_step();
    return 0;
}

void tunnels_begin(uint32_t count, uint32_t size)
{
    uint32_t t;

    for (t = 0; t < count; t++) {
        if (memory[t] == 0) {
            share(size);
            memory[t] = area.base;
        }
        memset(memory[t], 0, size);
        ends[t][0] = ends[t][1] = 0;
    }
    tunnels = count;
    bytes = size;
}

void tunnels_left_by(uint32_t vm)
{
    uint32_t t;

    for (t = 0; t < tunnels; t++) {
        if (vm == TUNNELS_SERVER || t == vm - 1) {
            leave(t, vm != TUNNELS_SERVER);
        }
    }
}
