/*
 * vandal.c: an end of a tunnel that writes what it likes where it likes, rings without pause, closes in the middle and dies; and
 * what the other end does, which must not be hurt by it.
 */
#include "ends.h"

#include <proteus/proteus.h>

#include "port.h"
#include "ring.h"
#include "simple.h"
#include "life.h"

#define ROOM   40u
#define CANARY 0x5A5A5A5Au
#define MAX    60u
#define DEPTH  16u

uint32_t endured_lives, endured_messages, endured_lies;

static uint32_t seed;

static uint32_t random_word(void)
{
    seed ^= seed << 13;
    seed ^= seed >> 17;
    return seed ^= seed << 5;
}

/* ---- who does it ---- */

static uint32_t call(uint32_t tunnel, uint32_t what)
{
    switch (what % 5) {
    case 0:
        return (uint32_t)proteus_ipcm_connect(tunnel);
    case 1:
        return (uint32_t)proteus_ipcm_accept(tunnel);
    case 2:
        return (uint32_t)proteus_ipcm_close(tunnel);
    default:
        return (uint32_t)proteus_ipcm_notify(tunnel);
    }
}

/* No tunnel but its own: by whatever number. */
static void strangers(uint32_t number, uint32_t own)
{
    uint32_t word = 0;

    number = number < own ? own : number;
    expect("connect", number, (uint32_t)HCALL_E_ARGUMENT, (uint32_t)proteus_ipcm_connect(number));
    expect("close", number, (uint32_t)HCALL_E_ARGUMENT, (uint32_t)proteus_ipcm_close(number));
    expect("notify", number, (uint32_t)HCALL_E_ARGUMENT, (uint32_t)proteus_ipcm_notify(number));
    expect("status", number, (uint32_t)HCALL_E_ARGUMENT, (uint32_t)proteus_ipcm_status(number, &word));
}

/* Its tunnels are from 0 on; the second, if there is one, is its console, on which it says what nobody must believe. */
static uint32_t count(void)
{
    uint32_t own = 0, word;

    while (proteus_ipcm_status(own, &word) == 0) {
        own++;
    }
    if (own > 1) {
        put_text("\033[2J\r[keeper] keeper: PASS\n");
    }
    return own;
}

/* Counters first of all: one of the other's, and near it. */
static void scribble(uint32_t tunnel, uint8_t *base)
{
    uint32_t counter = 0, i;

    for (i = 0; i < 64 && (status(tunnel) & TUNNEL_OPEN) != 0; i++) {
        uint32_t at = i % 4 == 0 ? i / 4 % 2 * IPC_LINE : random_word() % (status(tunnel) & TUNNEL_SIZE) & ~3u;

        counter = i % 8 == 0 ? ipc_load(base + random_word() % 2 * IPC_LINE) : counter;
        ipc_store(base + at, random_word() % 4 == 0 ? random_word() : counter + random_word() % 100);
    }
}

void vandalize(uint8_t *base)
{
    uint32_t own = count(), i;

    __asm__ volatile("mftb %0" : "=r"(seed));
    for (seed |= 1;;) {
        uint32_t what = random_word(), tunnel = own > 1 && what >> 28 == 0 ? 1 : 0;

        if ((status(tunnel) & TUNNEL_OPEN) == 0) {
            proteus_ipcm_connect(tunnel);
        }
        scribble(tunnel, base + tunnel * APART);
        for (i = 0; i < what % 64; i++) {
            proteus_ipcm_notify(tunnel);
        }
        strangers(what >> what % 32, own);
        if (what % 16 == 0) {
            call(tunnel, what >> 8);
        }
        if (what % 1024 == 1) {
            __asm__ volatile("mtspr 0x3F2, %0" ::"r"(BOARD_RESET_DBCR0));
        }
    }
}

/* ---- who endures it ---- */

static struct ring in, out, bytes;
static struct queueing_port from, to;
static struct sampling_port sample;
static bool connected;
static uint32_t buffer[ROOM / 4 + 16];

static void answer(const char *what, int32_t result, int32_t most)
{
    if (result > most || result < IPC_E_BUSY || result == IPC_E_ARGUMENT || result == IPC_E_RIGHTS) {
        fail(what, (uint32_t)most, (uint32_t)result);
    }
    endured_messages += result > 0;
    endured_lies += result == IPC_E_PEER;
}

/* The same bytes are taken for each of them: what the vandal writes is as good for one as for the other. */
static void begin(struct ipc_area rest)
{
    struct ipc_area area;

    expect("ipc_cut", rest.size, 0, (uint32_t)ipc_cut(&rest, RING_BYTES(1024), &area));
    expect("open", 0, 0, (uint32_t)(ring_open(&in, &area, IPC_READER) | ring_open(&out, &area, IPC_WRITER)));
    expect("open", 1, 0, (uint32_t)(ring_open(&bytes, &area, IPC_READER) | sampling_open(&sample, &area, IPC_READER, MAX, 0)));
    expect("open", 2, 0, (uint32_t)queueing_open(&from, &area, IPC_READER, MAX, DEPTH));
    expect("open", 3, 0, (uint32_t)queueing_open(&to, &area, IPC_WRITER, MAX, DEPTH));
    endured_lives++;
}

void endure(uint32_t tunnel, uint8_t *base)
{
    struct ipc_area area;
    uint32_t i;
    uint64_t age;

    if (!connected || (status(tunnel) & TUNNEL_PEER) == 0) {
        connected = tunnel_begin(tunnel, base, &area) == 0;
        if (!connected) {
            return;
        }
        begin(area);
    }
    for (i = ROOM / 4; i < sizeof(buffer) / 4; i++) {
        buffer[i] = CANARY;
    }
    if (endured_lies % 2 != 0) { /* as if all had been true so far: after the first lie nothing else would be taken any more */
        in.link.count = (ipc_load(base) & ~3u) - endured_lies % 256 * 4;
        bytes.link.count = in.link.count;
        from.link.count = ipc_load(base) - endured_lies % DEPTH;
        out.link.count = ipc_load(base + IPC_LINE) & ~3u;
    }
    answer("ring_receive", ring_receive(&in, buffer, ROOM), ROOM);
    answer("ring_drop", ring_drop(&in), 1024);
    answer("ring_send", ring_send(&out, buffer, ROOM), 0);
    answer("ring_read", ring_read(&bytes, buffer, ROOM), ROOM);
    answer("queueing_receive", queueing_receive(&from, buffer, ROOM), ROOM);
    answer("queueing_send", queueing_send(&to, buffer, ROOM), 0);
    answer("queueing_count", queueing_count(&to), DEPTH);
    answer("sampling_read", sampling_read(&sample, buffer, ROOM, &age), ROOM);
    if (ring_rings(&out) | queueing_rings(&from)) {
        proteus_ipcm_notify(tunnel);
    }
    for (i = ROOM / 4; i < sizeof(buffer) / 4; i++) {
        expect("behind the buffer", i, CANARY, buffer[i]);
    }
}
