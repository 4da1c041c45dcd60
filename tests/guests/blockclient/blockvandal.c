/*
 * blockvandal.c: a client that asks for sectors of others, and nonsense, as much as goes in; that writes what it likes into its
 * tunnel, rings without pause, leaves in the middle and dies.
 */
#include "blockvandal.h"

#include "disk.h"
#include "machine.h"
#include "simple.h"

static struct disk disk;
static uint32_t seed;
static uint32_t words[DISK_PIECE / 4];

static uint32_t random_word(void)
{
    seed ^= seed << 13;
    seed ^= seed >> 17;
    return seed ^= seed << 5;
}

/* Any sector, of which many are near its own; any number of them that this end would send, and 0. */
static void make(struct disk_request *r)
{
    uint32_t i;

    for (i = 0; i < 16; i++) {
        words[random_word() % (DISK_PIECE / 4)] = random_word();
    }
    r->operation = random_word() % 8 == 0 ? random_word() : DISK_READ + random_word() % 2;
    r->first = random_word() >> random_word() % 32;
    r->sectors = random_word() % (DISK_MOST + 1);
    r->data = words;
}

/* Counters, requests and answers; numbers of sectors that nobody would send are among them. */
static void scribble(uint8_t *base)
{
    uint32_t state = 0, i;

    for (i = 0; i < 16; i++) {
        proteus_ipcm_status(0, &state);
        if ((state & TUNNEL_OPEN) != 0) {
            ipc_store(base + random_word() % (DISK_QUEUES / 4) * 4,
                      random_word() >> random_word() % 32);
        }
    }
}

void blockvandal(uint8_t *base, const volatile uint32_t *bells)
{
    struct disk_request request;
    struct disk_answer answer;
    uint32_t i;

    __asm__ volatile("mftb %0" : "=r"(seed));
    seed |= 1;
    disk.base = base;
    for (;;) {
        uint32_t what = random_word(), before = *bells;

        for (i = 0; i < DISK_DEPTH; i++) {
            make(&request);
            disk_submit(&disk, &request);
        }
        disk_answer(&disk, &answer);
        if (what % 32 == 0) {
            scribble(base);
        }
        for (i = 0; i < what % 16; i++) {
            proteus_ipcm_notify(0);
        }
        if (what % 256 == 1) {
            proteus_ipcm_close(0);
            disk.there = disk.lost = false;
            disk.sent = disk.answered;
        }
        if (what % 4096 == 2) {
            system_reset();
        }
        if (!disk.there || what % 8 == 3) {
            simple_timer(BOARD_TB_HZ / 10000u);
            simple_wait(bells, before);
        }
    }
}
