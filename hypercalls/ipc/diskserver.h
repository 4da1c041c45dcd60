/*
 * diskserver.h: the server of disk.h, without the device: that is of who calls it. Each client has a part of the device, which no
 * other client that may write shares with it; a request is checked against that before the device hears of it.
 *
 * A request is answered before it leaves its queue, and the next one is begun behind that: disk.h says what follows for deaths.
 */
#ifndef DISKSERVER_H
#define DISKSERVER_H

#include "disk.h"

#define DISKSERVER_CLIENTS 8u

struct disk_client {
    uint32_t tunnel;
    uint8_t *base;
    uint32_t first, sectors; /* its part of the device */
    bool writes;             /* it may */
    bool there;              /* the client, or what it left */
    uint32_t lives, reads, writes_done, flushes, capacities, refused, failed, bytes, lies;
    struct queueing_port asks, answers;
    uint8_t *pieces;
};

/* The device. Sectors are there, and so is the memory; false: it could not. */
struct disk_device {
    bool (*read)(uint32_t first, uint32_t sectors, uint8_t *to);
    bool (*write)(uint32_t first, uint32_t sectors, const uint8_t *from);
    bool (*flush)(void);
};

struct disk_server {
    const struct disk_device *device;
    uint32_t at, sectors;    /* of the device, as the configuration has it: for who calls */
    uint32_t count;
    uint32_t turn;           /* the client that was looked at last */
    struct disk_client client[DISKSERVER_CLIENTS];
};

/*
 * What it says where the device is and who has which part of it: all zero before. A line `address sectors`, then for each client,
 * from the partition's first tunnel on, `first sectors rights` with the rights `r` or `rw`; a # begins a comment. Numbers are
 * decimal or 0x... 0, or the number of the first line that is wrong.
 *
 *   0xFFF00000 1024
 *   0 256 rw
 */
uint32_t disk_server_configure(struct disk_server *s, const char *text);

/* Then: device is the caller's, and this is the rest. Clients' tunnels are apart by so much. */
void disk_server_begin(struct disk_server *s, uint8_t *base, uint32_t apart);

/* A request of the next client in turn that has one. False: nobody has; wait for a doorbell. */
bool disk_server_step(struct disk_server *s);
#endif
