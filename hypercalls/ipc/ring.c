/*
 * ring.c: rings of bytes and of messages. Where a byte is, is its number modulo the capacity: a position is in the ring whatever
 * the counters are.
 */
#include "ring.h"

#define LENGTH 4 /* bytes of a message's length */

#ifdef __powerpc__
_Static_assert(sizeof(struct ring) == RING_SIZE, "RING_SIZE");
#endif

static uint8_t *position(const struct ring *ring, uint32_t offset)
{
    return ring->data + ((ring->link.count + offset) & (ring->link.capacity - 1));
}

/* Bytes from there on that lie before the ring's end, of `length`. */
static uint32_t before_end(const struct ring *ring, uint32_t offset, uint32_t length)
{
    uint32_t left = ring->link.capacity - ((ring->link.count + offset) & (ring->link.capacity - 1));

    return left < length ? left : length;
}

static void put(struct ring *ring, uint32_t offset, const uint8_t *bytes, uint32_t length)
{
    uint32_t first = before_end(ring, offset, length);

    ipc_copy_in(position(ring, offset), bytes, first);
    ipc_copy_in(ring->data, bytes + first, length - first);
}

static void get(const struct ring *ring, uint32_t offset, uint8_t *bytes, uint32_t length)
{
    uint32_t first = before_end(ring, offset, length);

    ipc_copy_out(bytes, position(ring, offset), first);
    ipc_copy_out(bytes + first, ring->data, length - first);
}

int32_t ring_open(struct ring *ring, const struct ipc_area *area, uint32_t role)
{
    uint32_t capacity = area->size < LINK_DATA ? 0 : area->size - LINK_DATA;
    int32_t error;

    if (capacity < IPC_LINE || (capacity & (capacity - 1)) != 0 || capacity > 1u << 30) {
        return IPC_E_ARGUMENT;
    }
    error = link_open(&ring->link, area, role, capacity);
    ring->data = area->base + LINK_DATA;
    return error;
}

int32_t ring_write(struct ring *ring, const void *bytes, uint32_t length)
{
    int32_t ready = link_ready(&ring->link, IPC_WRITER);

    if (ready <= 0) {
        return ready;
    }
    length = length < (uint32_t)ready ? length : (uint32_t)ready;
    put(ring, 0, bytes, length);
    link_move(&ring->link, length);
    return (int32_t)length;
}

int32_t ring_read(struct ring *ring, void *bytes, uint32_t length)
{
    int32_t ready = link_ready(&ring->link, IPC_READER);

    if (ready <= 0) {
        return ready;
    }
    length = length < (uint32_t)ready ? length : (uint32_t)ready;
    get(ring, 0, bytes, length);
    link_move(&ring->link, length);
    return (int32_t)length;
}

int32_t ring_send(struct ring *ring, const void *message, uint32_t length)
{
    int32_t ready;

    if (length > ring->link.capacity - LENGTH) {
        return IPC_E_ARGUMENT;
    }
    ready = link_ready(&ring->link, IPC_WRITER);
    if (ready < 0) {
        return ready;
    }
    if ((uint32_t)ready < LENGTH + ipc_words(length)) {
        return IPC_E_FULL;
    }
    ipc_store(position(ring, 0), length);
    put(ring, LENGTH, message, length);
    link_move(&ring->link, LENGTH + ipc_words(length));
    return 0;
}

int32_t ring_next(struct ring *ring)
{
    int32_t ready = link_ready(&ring->link, IPC_READER);
    uint32_t length;

    if (ready <= 0) {
        return ready < 0 ? ready : IPC_E_EMPTY;
    }
    if (ready < LENGTH) {
        return IPC_E_PEER;
    }
    length = ipc_load(position(ring, 0));
    if (length > (uint32_t)ready - LENGTH || ipc_words(length) > (uint32_t)ready - LENGTH) {
        return IPC_E_PEER;
    }
    return (int32_t)length;
}

int32_t ring_receive(struct ring *ring, void *message, uint32_t room)
{
    int32_t length = ring_next(ring);

    if (length < 0) {
        return length;
    }
    if ((uint32_t)length > room) {
        return IPC_E_SIZE;
    }
    get(ring, LENGTH, message, (uint32_t)length);
    link_move(&ring->link, LENGTH + ipc_words((uint32_t)length));
    return length;
}

int32_t ring_drop(struct ring *ring)
{
    int32_t length = ring_next(ring);

    if (length >= 0) {
        link_move(&ring->link, LENGTH + ipc_words((uint32_t)length));
    }
    return length;
}

bool ring_rings(struct ring *ring)
{
    return link_rings(&ring->link);
}
