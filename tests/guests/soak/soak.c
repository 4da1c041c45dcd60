/*
 * soak.c: one of VMS partitions that all talk to each other, by a tunnel between each two: r3 says which, r4 is the address of
 * the first of its tunnels, and the others are behind it, at r4 + 64K, ...; they are in the order of who is at the other end,
 * and so are their doorbells, lines LINE, LINE + 1, ... In a tunnel the lower one sends by a ring, the other by a queueing port.
 *
 * A message's length and bytes follow from who sends it to whom, and its number: the receiver makes the same and compares all
 * of it with what has come. So a message that is lost, doubled, out of order, another's, or wrong in a bit ends the run, and at
 * the end each says how many it has sent and received. In between everybody works for a time that is up to chance, so that they
 * are interrupted, and rings and queues are full and empty, at all places.
 */
#include "life.h"
#include "port.h"
#include "ring.h"
#include "simple.h"

#define GUEST "soak"
#include "verdict.h"

#define VMS     4u
#define PEERS   (VMS - 1)
#define LINE    20u
#define APART   0x10000u
#define LONGEST 256u   /* bytes of a message, and 8 at least */
#define RING    1024u
#define DEPTH   3u
#define AT_ONCE 6u     /* messages of a peer, then another's turn */
#define QUEUE   ((QUEUEING_BYTES(LONGEST, DEPTH) + IPC_LINE - 1) / IPC_LINE * IPC_LINE)

/*
 * A test may change these in a copy of the ELF: messages to each; and what a sender does wrong at its AT-th, so that it is seen
 * that the receiver sees it.
 */
enum { NOTHING, LOSES, DOUBLES, SWAPS, SPOILS };

#define AT 100u

volatile uint32_t soak_messages = 2000;
volatile uint32_t soak_fault __attribute__((section(".data"))) = NOTHING;

static struct peer {
    uint32_t who, tunnel;
    bool by_ring;             /* to it: the other way is by queue then */
    uint32_t sent, received;  /* messages */
    uint32_t sent_bytes, received_bytes;
    struct ring ring;
    struct queueing_port queue;
} peers[PEERS];

static uint32_t own, seed, doorbells, full, waits;
static volatile uint32_t bells;
static uint32_t made[LONGEST / 4], came[LONGEST / 4];

void simple_unexpected(uint32_t vector)
{
    fail("unexpected exception", vector, 0);
}

void simple_interrupt(void)
{
    uint32_t n;

    bells++;
    for (n = 0; n < PEERS; n++) {
        board_irq_acknowledge(LINE + n);
    }
}

static uint32_t random_word(void)
{
    seed ^= seed << 13;
    seed ^= seed >> 17;
    return seed ^= seed << 5;
}

/* ---- messages ---- */

static uint32_t make(uint32_t from, uint32_t to, uint32_t number)
{
    uint32_t mixed = (from << 30 ^ to << 28 ^ number) * 2654435761u, length = 8 + (mixed >> 7) % (LONGEST - 7), i;

    made[0] = number;
    made[1] = from << 24 | to << 16 | length;
    for (i = 2; i < ipc_words(length) / 4; i++, mixed += 0x01010101) {
        made[i] = mixed;
    }
    return length;
}

static void check(const struct peer *p, int32_t length)
{
    uint32_t expected = make(p->who, own, p->received + 1), i;

    if (length < 0) {
        fail("no message of", p->who, (uint32_t)length);
    }
    expect("number of a message", p->received + 1, made[0], came[0]);
    expect("length of message", made[0], expected, (uint32_t)length);
    for (i = 0; i < expected; i++) {
        if (((const uint8_t *)made)[i] != ((const uint8_t *)came)[i]) {
            fail("bytes of message", made[0], i);
        }
    }
}

/* ---- both ways ---- */

static bool rings(struct peer *p, bool sends)
{
    return p->by_ring == sends ? ring_rings(&p->ring) : queueing_rings(&p->queue);
}

/* Whoever has ended has nothing to wait for: it is not there to be rung. */
static void ring_if(const struct peer *p, bool yes)
{
    if (yes) {
        doorbells++;
        proteus_ipcm_notify(p->tunnel);
    }
}

/* The message that goes out as this one. */
static uint32_t goes_out(uint32_t number)
{
    switch (soak_fault) {
    case LOSES:
        return number + (number >= AT);
    case DOUBLES:
        return number - (number > AT);
    case SWAPS:
        return number == AT ? AT + 1 : number == AT + 1 ? AT : number;
    default:
        return number;
    }
}

static bool send(struct peer *p)
{
    uint32_t n, length;
    int32_t result = 0;

    for (n = 0; n < AT_ONCE && p->sent != soak_messages; n++) {
        length = make(own, p->who, goes_out(p->sent + 1));
        made[length / 4 - 1] ^= soak_fault == SPOILS && p->sent == AT;
        result = p->by_ring ? ring_send(&p->ring, made, length) : queueing_send(&p->queue, made, length);
        if (result != 0) {
            expect("sending", p->sent, (uint32_t)IPC_E_FULL, (uint32_t)result);
            full++;
            break;
        }
        p->sent++;
        p->sent_bytes += length;
    }
    ring_if(p, rings(p, true));
    return n != 0;
}

static bool receive(struct peer *p)
{
    uint32_t n;

    for (n = 0; n < AT_ONCE; n++) {
        int32_t length = p->by_ring ? queueing_receive(&p->queue, came, LONGEST) : ring_receive(&p->ring, came, LONGEST);

        if (length == IPC_E_EMPTY) {
            break;
        }
        check(p, length);
        p->received++;
        p->received_bytes += (uint32_t)length;
    }
    if (n != 0) {
        ring_if(p, rings(p, false));
    }
    return n != 0;
}

static void work(void)
{
    volatile uint32_t turns = random_word() % 4 == 0 ? random_word() % 512 : 0;

    while (turns != 0) {
        turns = turns - 1;
    }
}

static bool is_done(void)
{
    uint32_t n;

    for (n = 0; n < PEERS; n++) {
        if (peers[n].sent != soak_messages || peers[n].received != soak_messages) {
            return false;
        }
    }
    return true;
}

/* ---- the run ---- */

static void open(struct peer *p, uint8_t *base)
{
    struct ipc_area rest, ring, queue;
    bool sends = p->by_ring;

    for (;;) {
        uint32_t before = bells;

        if (tunnel_begin(p->tunnel, base, &rest) == 0) {
            break;
        }
        simple_wait(&bells, before);
    }
    expect("cut", p->who, 0, (uint32_t)(ipc_cut(&rest, RING_BYTES(RING), &ring) | ipc_cut(&rest, QUEUE, &queue)));
    expect("ring_open", p->who, 0, (uint32_t)ring_open(&p->ring, &ring, sends ? IPC_WRITER : IPC_READER));
    expect("queueing_open", p->who, 0,
           (uint32_t)queueing_open(&p->queue, &queue, sends ? IPC_READER : IPC_WRITER, LONGEST, DEPTH));
}

static void put(const char *what, uint32_t number)
{
    put_text(what);
    put_decimal(number);
}

static void report(void)
{
    uint32_t n;

    for (n = 0; n < PEERS; n++) {
        const struct peer *p = &peers[n];

        put("soak: with ", p->who);
        put(" sent ", p->sent);
        put(" bytes ", p->sent_bytes);
        put(" received ", p->received);
        put(" bytes ", p->received_bytes);
        board_putc('\n');
    }
    put("soak: PASS doorbells=", doorbells);
    put(" full=", full);
    put(" waits=", waits);
    board_putc('\n');
}

static void begin(uint32_t who, uint8_t *base)
{
    uint32_t n;

    own = who;
    seed = 0x9E3779B9u * (who + 1);
    board_irq_reset();
    for (n = 0; n < PEERS; n++) {
        board_irq_enable_pulse(LINE + n);
    }
    __asm__ volatile("wrteei 1");
    for (n = 0; n < PEERS; n++) {
        peers[n].tunnel = n;
        peers[n].who = n < who ? n : n + 1;
        peers[n].by_ring = own < peers[n].who;
        open(&peers[n], base + n * APART);
    }
}

void simple_main(uint32_t who, uint32_t base)
{
    begin(who, (uint8_t *)base);
    while (!is_done()) {
        uint32_t before = bells, n;
        bool some = false;

        for (n = 0; n < PEERS; n++) {
            some |= receive(&peers[n]) | send(&peers[n]);
            work();
        }
        if (!some && !is_done()) {
            waits++;
            simple_wait(&bells, before);
        }
    }
    report();
    end();
}
