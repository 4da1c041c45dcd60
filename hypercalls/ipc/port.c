/*
 * port.c: ports of ARINC 653.
 *
 * A sampling port has two slots: while the writer fills one, or was interrupted there for a long time, the last message stands in
 * the other. A reader can only be overtaken: the number of the last message has changed then, and it reads again.
 */
#include "port.h"

#define STAMP_HIGH 0
#define STAMP_LOW  4
#define LENGTH     8

#ifdef __powerpc__
_Static_assert(sizeof(struct sampling_port) == SAMPLING_SIZE, "SAMPLING_SIZE");
_Static_assert(sizeof(struct queueing_port) == QUEUEING_SIZE, "QUEUEING_SIZE");
#endif

/* ---- sampling ---- */

static uint8_t *slot_of(const struct sampling_port *port, uint32_t number)
{
    return port->base + IPC_LINE + (number & 1 ? SAMPLING_SLOT(port->max) : 0);
}

int32_t sampling_open(struct sampling_port *port, const struct ipc_area *area, uint32_t role, uint32_t max, uint64_t refresh)
{
    if (role > IPC_READER || (uintptr_t)area->base % IPC_LINE != 0 || max > area->size ||
        SAMPLING_BYTES((uint64_t)max) > area->size) {
        return IPC_E_ARGUMENT;
    }
    if (role == IPC_WRITER && !area->writable) {
        return IPC_E_RIGHTS;
    }
    port->base = area->base;
    port->max = max;
    port->role = role;
    port->last = 0;
    port->refresh = refresh;
    return 0;
}

int32_t sampling_write(struct sampling_port *port, const void *message, uint32_t length)
{
    uint32_t number = port->last == UINT32_MAX ? 2 : port->last + 1; /* never 0, and the other slot each time */
    uint8_t *slot = slot_of(port, number);
    uint64_t now = ipc_now();

    if (length > port->max || port->role != IPC_WRITER) {
        return IPC_E_ARGUMENT;
    }
    ipc_order(); /* the slot is no longer the last message's for any reader that sees what follows */
    ipc_store(slot + STAMP_HIGH, (uint32_t)(now >> 32));
    ipc_store(slot + STAMP_LOW, (uint32_t)now);
    ipc_store(slot + LENGTH, length);
    ipc_copy_in(slot + SAMPLING_HEAD, message, length);
    ipc_order();
    port->last = number;
    ipc_store(port->base, number);
    return 0;
}

int32_t sampling_read(const struct sampling_port *port, void *message, uint32_t room, uint64_t *age)
{
    uint32_t tries, number = ipc_load(port->base), again, length;
    uint64_t stamp;

    for (tries = 0; number != 0 && tries < IPC_TRIES; tries++, number = again) {
        const uint8_t *slot = slot_of(port, number);

        ipc_order();
        stamp = (uint64_t)ipc_load(slot + STAMP_HIGH) << 32;
        stamp |= ipc_load(slot + STAMP_LOW);
        length = ipc_load(slot + LENGTH);
        if (length <= port->max && length <= room) {
            ipc_copy_out(message, slot + SAMPLING_HEAD, length);
        }
        ipc_order();
        again = ipc_load(port->base);
        if (again == number) {
            *age = ipc_now() - stamp;
            return length > port->max ? IPC_E_PEER : length > room ? IPC_E_SIZE : (int32_t)length;
        }
    }
    return number == 0 ? IPC_E_EMPTY : IPC_E_BUSY;
}

/* ---- queueing ---- */

static uint8_t *next_slot(const struct queueing_port *port)
{
    return port->slots + port->slot * QUEUEING_SLOT(port->max);
}

static void move(struct queueing_port *port)
{
    port->slot = port->slot + 1 == port->link.capacity ? 0 : port->slot + 1;
    link_move(&port->link, 1);
}

int32_t queueing_open(struct queueing_port *port, const struct ipc_area *area, uint32_t role, uint32_t max, uint32_t depth)
{
    int32_t error;

    if (area->size < LINK_DATA || max > area->size - LINK_DATA || depth > (area->size - LINK_DATA) / QUEUEING_SLOT(max)) {
        return IPC_E_ARGUMENT;
    }
    error = link_open(&port->link, area, role, depth);
    port->slots = area->base + LINK_DATA;
    port->max = max;
    port->slot = 0;
    return error;
}

int32_t queueing_send(struct queueing_port *port, const void *message, uint32_t length)
{
    int32_t ready;

    if (length > port->max) {
        return IPC_E_ARGUMENT;
    }
    ready = link_ready(&port->link, IPC_WRITER);
    if (ready <= 0) {
        return ready < 0 ? ready : IPC_E_FULL;
    }
    ipc_store(next_slot(port), length);
    ipc_copy_in(next_slot(port) + QUEUEING_HEAD, message, length);
    move(port);
    return 0;
}

int32_t queueing_peek(struct queueing_port *port, void *message, uint32_t room)
{
    int32_t ready = link_ready(&port->link, IPC_READER);
    uint32_t length;

    if (ready <= 0) {
        return ready < 0 ? ready : IPC_E_EMPTY;
    }
    length = ipc_load(next_slot(port));
    if (length > port->max) {
        return IPC_E_PEER;
    }
    if (length > room) {
        return IPC_E_SIZE;
    }
    ipc_copy_out(message, next_slot(port) + QUEUEING_HEAD, length);
    return (int32_t)length;
}

int32_t queueing_receive(struct queueing_port *port, void *message, uint32_t room)
{
    int32_t length = queueing_peek(port, message, room);

    if (length >= 0) {
        move(port);
    }
    return length;
}

int32_t queueing_drop(struct queueing_port *port)
{
    int32_t ready = link_ready(&port->link, IPC_READER);

    if (ready <= 0) {
        return ready < 0 ? ready : IPC_E_EMPTY;
    }
    move(port);
    return 0;
}

int32_t queueing_count(struct queueing_port *port)
{
    int32_t ready = link_ready(&port->link, port->link.role);

    return ready < 0 || port->link.role == IPC_READER ? ready : (int32_t)port->link.capacity - ready;
}

bool queueing_rings(struct queueing_port *port)
{
    return link_rings(&port->link);
}
