/*
 * netvandal.c: a client that sends with addresses of others, and nonsense, as much as goes in; that writes what it likes into its
 * tunnel, rings without pause, leaves in the middle and dies. Those whose addresses are like its own are meant: it knows them.
 */
#include "netvandal.h"

#include "machine.h"
#include "netcard.h"
#include "simple.h"

static struct netcard card;
static uint32_t seed;
static uint32_t words[NETCARD_WORDS];

static uint32_t random_word(void)
{
    seed ^= seed << 13;
    seed ^= seed >> 17;
    return seed ^= seed << 5;
}

/* The card's own address, or that of a neighbour. */
static void address(uint8_t *at, const uint8_t *own, uint32_t bytes)
{
    uint32_t i;

    for (i = 0; i < bytes; i++) {
        at[i] = own[i];
    }
    if (random_word() % 2 != 0) {
        at[bytes - 1] = (uint8_t)(random_word() % 4);
    }
}

/* Like one of netclient's, with other bytes: a header that can be true, and a message of its that is not. */
static uint32_t make(uint8_t *f)
{
    uint32_t what = random_word(), i;

    for (i = 0; i < 32; i++) {
        words[i] = random_word();
    }
    address(f, card.mac, 6);
    address(f + 6, card.mac, 6);
    if (what % 8 == 0) {
        for (i = 0; i < 6; i++) {
            f[i] = 0xFF;
        }
    }
    f[12] = 8;
    f[13] = what % 16 < 12 ? 0 : 6;
    if (f[13] == 0) {
        f[14] = 0x45;
        f[23] = 17;
        address(f + 26, card.ip, 4);
        address(f + 30, card.ip, 4);
    } else {
        f[14] = 0;
        f[15] = 1;
        f[16] = 8;
        f[17] = 0;
        f[18] = 6;
        f[19] = 4;
        address(f + 22, card.mac, 6);
        address(f + 28, card.ip, 4);
        address(f + 38, card.ip, 4);
    }
    return what % 64 == 1 ? NETCARD_FRAME : NETCARD_HEAD + what / 64 % 100;
}

static void scribble(uint8_t *base)
{
    uint32_t state = 0, i;

    for (i = 0; i < 16; i++) {
        proteus_ipcm_status(0, &state);
        if ((state & TUNNEL_OPEN) != 0) {
            ipc_store(base + random_word() % 2 * NETCARD_QUEUE(NETCARD_SENDS) + random_word() % 64 * 4, random_word() % 32);
        }
    }
}

void netvandal(uint8_t *base, const volatile uint32_t *bells)
{
    uint32_t i;

    __asm__ volatile("mftb %0" : "=r"(seed));
    seed |= 1;
    card.base = base;
    for (;;) {
        uint32_t what = random_word(), before = *bells;

        for (i = 0; i < 4 && card.known; i++) {
            netcard_send(&card, words, make((uint8_t *)words));
        }
        netcard_receive(&card, words, sizeof(words));
        if (what % 32 == 0) {
            scribble(base);
        }
        for (i = 0; i < what % 16; i++) {
            proteus_ipcm_notify(0);
        }
        if (what % 256 == 1) {
            proteus_ipcm_close(0);
            card.there = card.lost = false;
        }
        if (what % 4096 == 2) {
            system_reset();
        }
        if (!card.there) {
            simple_timer(BOARD_TB_HZ / 10000u);
            simple_wait(bells, before);
        }
    }
}
