/*
 * drivers.c: how much goes through a driver that is a partition, and how much through the same driver that is called: the
 * device's functions of tests/guests/block, and the board's network controller (tests/guests/network).
 */
#include "measure.h"

#include "disk.h"
#include "netcard.h"
#include "ramdisk.h"
#include "simple.h"

#define REQUESTS 256u                /* of each kind, DISK_PIECE bytes each, */
#define SECTORS  128u                /* over so much of the disk, again and again */
#define OWN_DISK ((uint8_t *)0x100000) /* without a hypervisor: memory of the board's that nobody else has */
#define FRAMES   500u
#define WORDS    (DISK_PIECE / 4)

static uint32_t data[DISK_DEPTH][WORDS];
static struct disk disk;
static struct netcard card;
static uint32_t frame[NETCARD_WORDS];

/* Word i of the piece that begins there. */
static uint32_t word_of(uint32_t sector, uint32_t i)
{
    return sector * 2654435761u + i;
}

static uint32_t sector_of(uint32_t number)
{
    return number * DISK_MOST % SECTORS;
}

static void fill(void)
{
    uint32_t n, i;

    for (n = 0; n < DISK_DEPTH; n++) {
        for (i = 0; i < WORDS; i++) {
            data[n][i] = word_of(n, i);
        }
    }
}

/* The last ones that were read are those that were written: by the slot that both used. */
static void check(void)
{
    uint32_t n, i;

    for (n = 0; n < DISK_DEPTH; n++) {
        for (i = 0; i < WORDS; i++) {
            expect("data", n, word_of(n, i), data[n][i]);
        }
    }
}

static void wipe(void)
{
    uint32_t n, i;

    for (n = 0; n < DISK_DEPTH; n++) {
        for (i = 0; i < WORDS; i++) {
            data[n][i] = 0;
        }
    }
}

/* ---- as a client ---- */

static uint32_t transfer(uint32_t operation)
{
    uint32_t submitted = 0, answered = 0, start = time_low();

    while (answered < REQUESTS) {
        const struct disk_request r = {operation, sector_of(submitted), DISK_MOST, data[submitted % DISK_DEPTH]};
        uint32_t before = bells;
        struct disk_answer a;

        if (submitted < REQUESTS && disk_submit(&disk, &r)) {
            submitted++;
        } else if (disk_answer(&disk, &a)) {
            expect("status", answered, DISK_OK, a.status);
            answered++;
        } else {
            simple_wait(&bells, before);
        }
    }
    return time_low() - start;
}

void measure_disk(void)
{
    const struct disk_request r = {DISK_CAPACITY, 0, 0, 0};
    struct disk_answer a;
    uint32_t ticks;

    disk.base = BASE;
    disk_submit(&disk, &r);
    for (;;) {
        uint32_t before = bells;

        if (disk_answer(&disk, &a)) {
            break;
        }
        simple_wait(&bells, before);
    }
    if (a.value < SECTORS) {
        fail("capacity", SECTORS, a.value);
    }
    fill();
    ticks = transfer(DISK_WRITE);
    wipe();
    figure("disk_write", ticks, REQUESTS * DISK_PIECE, "bytes");
    figure("disk_read", transfer(DISK_READ), REQUESTS * DISK_PIECE, "bytes");
    check();
}

/* IPv4, to somebody on the wire whose address nobody here has. */
static void make_frame(const uint8_t *mac, const uint8_t *ip)
{
    uint8_t *f = (uint8_t *)frame;
    uint32_t i;

    for (i = 0; i < 6; i++) {
        f[i] = 0x52;
        f[6 + i] = mac[i];
    }
    f[12] = 8;
    f[14] = 0x45;
    f[16] = (NETCARD_FRAME - NETCARD_HEAD) >> 8;
    f[17] = (NETCARD_FRAME - NETCARD_HEAD) & 0xFF;
    for (i = 0; i < 4; i++) {
        f[26 + i] = ip[i];
        f[30 + i] = 192;
    }
}

void measure_card(void)
{
    uint32_t sent = 0, start;

    card.base = BASE;
    while (!card.known) {
        uint32_t before = bells;

        if (netcard_receive(&card, frame, sizeof(frame)) == 0 && !card.known) {
            simple_wait(&bells, before);
        }
    }
    make_frame(card.mac, card.ip);
    start = time_low();
    while (sent < FRAMES || !netcard_step(&card)) {
        uint32_t before = bells;

        if (sent < FRAMES && netcard_send(&card, frame, NETCARD_FRAME)) {
            sent++;
        } else if (!netcard_step(&card)) {
            simple_wait(&bells, before);
        }
    }
    figure("card", time_low() - start, FRAMES * NETCARD_FRAME, "bytes");
}

/* ---- as one's own ---- */

static void native_disk(void)
{
    uint32_t n, start;

    ramdisk_at = OWN_DISK;
    fill();
    for (n = 0, start = time_low(); n < REQUESTS; n++) {
        ramdisk.write(sector_of(n), DISK_MOST, (const uint8_t *)data[n % DISK_DEPTH]);
    }
    figure("native_disk_write", time_low() - start, REQUESTS * DISK_PIECE, "bytes");
    wipe();
    for (n = 0, start = time_low(); n < REQUESTS; n++) {
        ramdisk.read(sector_of(n), DISK_MOST, (uint8_t *)data[n % DISK_DEPTH]);
    }
    figure("native_disk_read", time_low() - start, REQUESTS * DISK_PIECE, "bytes");
    check();
}

static void native_card(void)
{
    static const uint8_t mac[6] = {2, 0x50, 0x72, 0x6F, 0x74, 0}, ip[4] = {10, 0, 0, 1};
    uint32_t n, start;

    board_ethernet_begin(mac);
    make_frame(mac, ip);
    for (n = 0, start = time_low(); n < FRAMES; n++) {
        while (!board_ethernet_send(frame, NETCARD_FRAME)) {
        }
    }
    figure("native_card", time_low() - start, FRAMES * NETCARD_FRAME, "bytes");
}

void measure_native(void)
{
    native_disk();
    native_card();
}
