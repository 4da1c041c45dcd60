/*
 * ipc.c: a controller and its plant, in VMs of their own, that talk by hypercalls/ipc. r3 says who it is, r4 is the address of
 * its first tunnel, and the others are behind it, at r4 + 64K, ...
 *
 * Tunnel 0 can be written by both: a ring of commands, a ring of replies, a queueing port of events. Tunnel 1 only by the
 * plant: a sampling port with its state. Their doorbells are lines LINE, LINE + 1, ...
 *
 * A command is a number, and bytes that follow from it; so is its reply. The plant dies in each life but the last, after so many
 * commands as the first message of the life says. The controller has the reply to each of these then, once and in order, and
 * none of another; and so of events. What was sent behind them is gone with the life, and is not seen again.
 *
 * The controller has a third tunnel if the partition file says so, with the vandal at its other end (vandal.c): what happens
 * there makes no difference to the others.
 *
 * The clock has no tunnel: it measures what a message costs each end, in ticks, the least of many times.
 */
#include <proteus/proteus.h>

#include "ends.h"
#include "port.h"
#include "ring.h"
#include "simple.h"
#include "life.h"

enum { CONTROLLER, PLANT, CLOCK, VANDAL };
enum { TALK, STATE, TUNNELS };

#define LINE      20
#define LONGEST   64u
#define RING      1024u
#define DEPTH     5u
#define EVERY     16u      /* commands to an event */
#define REFRESH   (BOARD_TB_HZ / 10u)

static bool vandal; /* there is one */
volatile uint32_t ipc_messages = 20000; /* of the last life; a test may change both in a copy of the ELF */
volatile uint32_t ipc_lives __attribute__((section(".data"))) = 10;

const char *name;
static uint8_t *base;
static volatile uint32_t bells;
static uint32_t notified;
static struct traffic {
    uint32_t messages, bytes;
} said, heard, events_heard; /* by the controller, in all lives */

static struct ring commands, replies;
static struct queueing_port events;
static struct sampling_port state;

/* ---- the end ---- */

void simple_unexpected(uint32_t vector)
{
    fail("unexpected exception", vector, 0);
}

/* ---- doorbells ---- */

void simple_interrupt(void)
{
    uint32_t tunnel;

    bells++;
    for (tunnel = 0; tunnel <= TUNNELS; tunnel++) {
        board_irq_acknowledge(LINE + tunnel);
    }
}

static void listen(void)
{
    board_irq_reset();
    for (uint32_t tunnel = 0; tunnel <= TUNNELS; tunnel++) {
        board_irq_enable_pulse(LINE + tunnel);
    }
    __asm__ volatile("wrteei 1");
}

static void ring_if(bool rings)
{
    if (rings) {
        notified++;
        proteus_ipcm_notify(TALK); /* refused if it has left: who comes next looks at the state */
    }
}

/* ---- tunnels ---- */

uint32_t status(uint32_t tunnel)
{
    uint32_t word = 0;

    expect("ipcm_status", tunnel, 0, (uint32_t)proteus_ipcm_status(tunnel, &word));
    return word;
}

static void cut(struct ipc_area *rest, uint32_t size, struct ipc_area *part)
{
    expect("ipc_cut", size, 0, (uint32_t)ipc_cut(rest, size, part));
}

/* Both ends are there: what is in the tunnels is opened. */
static void open(bool plant)
{
    uint32_t tunnel, reads = plant ? IPC_READER : IPC_WRITER, writes = plant ? IPC_WRITER : IPC_READER;
    struct ipc_area areas[TUNNELS], rest, part;

    for (tunnel = 0; tunnel < TUNNELS;) {
        uint32_t before = bells;
        int32_t result = tunnel_begin(tunnel, base + tunnel * APART, &areas[tunnel]);

        if (result == 0) {
            tunnel++;
        } else {
            expect("tunnel_begin", tunnel, (uint32_t)IPC_E_EMPTY, (uint32_t)result);
            simple_wait(&bells, before);
        }
    }
    rest = areas[TALK];
    cut(&rest, RING_BYTES(RING), &part);
    expect("ring_open", 0, 0, (uint32_t)ring_open(&commands, &part, reads));
    cut(&rest, RING_BYTES(RING), &part);
    expect("ring_open", 1, 0, (uint32_t)ring_open(&replies, &part, writes));
    expect("queueing_open", 0, 0, (uint32_t)queueing_open(&events, &rest, writes, 8, DEPTH));
    part = areas[STATE];
    if (!plant) { /* this end can only read: that is said, and no store is tried */
        struct sampling_port port;

        expect("a port for who can't write", 0, (uint32_t)IPC_E_RIGHTS, (uint32_t)sampling_open(&port, &part, reads, 8, 0));
    }
    expect("sampling_open", 0, 0, (uint32_t)sampling_open(&state, &part, writes, 8, REFRESH));
}

/* ---- messages ---- */

/* Command `number` of a life, and its reply with other bytes. */
static uint32_t make(uint32_t life, uint32_t number, uint32_t reply, uint32_t *words)
{
    uint32_t mixed = (life << 20 ^ number) * 2654435761u, length = 4 + (mixed >> 8) % (LONGEST - 3), i;

    words[0] = number;
    for (i = 1; i < LONGEST / 4; i++) {
        words[i] = mixed + i * 0x01010101u + reply;
    }
    return length;
}

static void count(struct traffic *t, uint32_t bytes)
{
    t->messages++;
    t->bytes += bytes;
}

static void is_message(const char *what, uint32_t life, uint32_t number, uint32_t reply, const uint32_t *words, int32_t length)
{
    uint32_t expected[LONGEST / 4], i;

    if (length < 0) {
        fail(what, number, (uint32_t)length);
    }
    expect(what, number, make(life, number, reply, expected), (uint32_t)length);
    for (i = 0; i < (uint32_t)length; i++) {
        if (((const uint8_t *)words)[i] != ((const uint8_t *)expected)[i]) {
            fail(what, number, words[0]);
        }
    }
}

struct begin {
    uint32_t life, dies_after;
};

/* ---- the controller ---- */

static uint32_t sent, received, told, seen, signals; /* in this life; samples in all */

/* Whatever is there: replies, events, a sample newer than the last. True: there was something. */
static bool take(uint32_t life)
{
    uint32_t words[LONGEST / 4], event[2];
    uint64_t age;
    bool some = false;
    int32_t length;

    while ((length = ring_receive(&replies, words, sizeof(words))) != IPC_E_EMPTY) {
        received++;
        is_message("reply", life, received, 1, words, length);
        count(&heard, (uint32_t)length);
        some = true;
    }
    while ((length = queueing_receive(&events, event, sizeof(event))) != IPC_E_EMPTY) {
        told++;
        expect("event", told, 8, (uint32_t)length);
        expect("event's number", told, told * EVERY, event[0]);
        expect("event's life", told, life, event[1]);
        count(&events_heard, (uint32_t)length);
        some = true;
    }
    if (some) {
        ring_if(ring_rings(&replies) | queueing_rings(&events));
    }
    length = sampling_read(&state, event, sizeof(event), &age);
    if (length != IPC_E_EMPTY && length != IPC_E_BUSY) {
        expect("sample", seen, 8, (uint32_t)length);
        expect("sample's life", seen, life, event[1]);
        if (event[0] < seen || event[0] > sent) {
            fail("sample's number", seen, event[0]);
        }
        signals += event[0] != seen && sampling_is_valid(&state, age);
        seen = event[0];
    }
    return some;
}

static void put(uint32_t life, uint32_t last)
{
    uint32_t words[LONGEST / 4], length;
    int32_t result = 0;

    while (sent < last && result == 0) {
        length = make(life, sent + 1, 0, words);
        result = ring_send(&commands, words, length);
        if (result == 0) {
            sent++;
            count(&said, length);
        } else {
            expect("ring_send", sent, (uint32_t)IPC_E_FULL, (uint32_t)result);
        }
    }
    ring_if(ring_rings(&commands));
}

/* One life of the plant: all that it has answered is here, whether it died or went. */
static uint32_t control(uint32_t life)
{
    struct begin begin = {life, life + 1 == ipc_lives ? 0 : 100 + 37 * life};
    uint32_t last = begin.dies_after != 0 ? begin.dies_after + 50 : ipc_messages, tunnel;
    uint32_t answered = begin.dies_after != 0 ? begin.dies_after : ipc_messages;

    open(false);
    sent = received = told = seen = 0;
    expect("ring_send", life, 0, (uint32_t)ring_send(&commands, &begin, sizeof(begin)));
    for (;;) {
        uint32_t before = bells;
        bool lost = (status(TALK) & TUNNEL_LOST) != 0;

        if (vandal) {
            endure(TUNNELS, base + TUNNELS * APART);
        }
        if (!lost) {
            put(life, last);
        }
        if (!take(life)) {
            if (lost) {
                break;
            }
            simple_wait(&bells, before);
        }
    }
    expect("replies", life, answered, received);
    expect("events", life, answered / EVERY, told);
    for (tunnel = 0; tunnel < TUNNELS; tunnel++) {
        expect("ipcm_close", tunnel, 0, (uint32_t)proteus_ipcm_close(tunnel));
    }
    return received;
}

/* ---- the plant ---- */

/* Until there is room: the controller is rung for what is there. */
static void reply(const uint32_t *words, uint32_t length)
{
    int32_t result;

    for (;;) {
        uint32_t before = bells;

        result = ring_send(&replies, words, length);
        if (result == 0) {
            return;
        }
        expect("ring_send", words[0], (uint32_t)IPC_E_FULL, (uint32_t)result);
        ring_if(ring_rings(&replies));
        simple_wait(&bells, before);
    }
}

static void tell(uint32_t life, uint32_t number)
{
    const uint32_t event[2] = {number, life};

    expect("sampling_write", number, 0, (uint32_t)sampling_write(&state, event, sizeof(event)));
    for (;;) {
        uint32_t before = bells;

        if (number % EVERY != 0 || queueing_send(&events, event, sizeof(event)) == 0) {
            return;
        }
        ring_if(queueing_rings(&events) | ring_rings(&replies));
        simple_wait(&bells, before);
    }
}

static void receive(uint32_t *words, int32_t *length)
{
    for (;;) {
        uint32_t before = bells;

        *length = ring_receive(&commands, words, LONGEST);
        if (*length != IPC_E_EMPTY) {
            ring_if(ring_rings(&commands));
            return;
        }
        ring_if(ring_rings(&replies) | queueing_rings(&events));
        if ((status(TALK) & TUNNEL_PEER) == 0) {
            fail("the controller has left", 0, status(TALK));
        }
        simple_wait(&bells, before);
    }
}

static uint32_t work(void)
{
    uint32_t words[LONGEST / 4], number, last;
    struct begin begin;
    int32_t length;

    open(true);
    receive(words, &length);
    expect("first message", 0, sizeof(begin), (uint32_t)length);
    begin = (struct begin){words[0], words[1]};
    last = begin.dies_after != 0 ? begin.dies_after : ipc_messages;
    for (number = 1; number <= last; number++) {
        uint32_t size;

        receive(words, &length);
        is_message("command", begin.life, number, 0, words, length);
        size = make(begin.life, number, 1, words);
        tell(begin.life, number);
        reply(words, size);
    }
    if (begin.dies_after != 0) {
        __asm__ volatile("mtspr 0x3F2, %0" ::"r"(BOARD_RESET_DBCR0)); /* what is not rung for is seen all the same */
    }
    ring_if(ring_rings(&replies) | queueing_rings(&events));
    return last;
}

static void row(const char *what, const struct traffic *t)
{
    put_text(what);
    put_decimal(t->messages);
    put_text(" messages, ");
    put_decimal(t->bytes);
    put_text(" bytes\n");
}

/* Who talked to whom. */
static void report(void)
{
    row("commands to the plant: ", &said);
    row("replies from the plant: ", &heard);
    row("events from the plant: ", &events_heard);
    board_report();
}

static void pass(uint32_t messages)
{
    put_text(name);
    put_text(": PASS messages=");
    put_decimal(messages);
    put_text(" doorbells=");
    put_decimal(notified);
}

/* ---- the clock ---- */

#define PAGE   4096u
#define TIMES  200u

static uint32_t memory[RING_BYTES(2 * PAGE) / 4] __attribute__((aligned(IPC_LINE)));
static uint32_t page[PAGE / 4];

static uint32_t now_low(void)
{
    uint32_t value;

    __asm__ volatile("mftb %0" : "=r"(value) : : "memory");
    return value;
}

static void least(uint32_t *known, uint32_t ticks)
{
    *known = ticks < *known ? ticks : *known;
}

static void put_ticks(const char *what, uint32_t ticks)
{
    put_text(what);
    put_decimal(ticks);
}

static void measure(uint32_t length, const char *send, const char *receive)
{
    struct ipc_area area = {(uint8_t *)memory, sizeof(memory), true};
    uint32_t sends = 0xFFFFFFFF, receives = 0xFFFFFFFF, i;
    struct ring in, out;

    for (i = 0; i < sizeof(memory) / 4; i++) {
        memory[i] = 0;
    }
    expect("ring_open", 0, 0, (uint32_t)(ring_open(&in, &area, IPC_READER) | ring_open(&out, &area, IPC_WRITER)));
    for (i = 0; i < TIMES; i++) {
        uint32_t start = now_low(), middle;

        expect("ring_send", i, 0, (uint32_t)ring_send(&out, page, length));
        middle = now_low();
        expect("ring_receive", i, length, (uint32_t)ring_receive(&in, page, length));
        least(&receives, now_low() - middle);
        least(&sends, middle - start);
    }
    put_ticks(send, sends);
    put_ticks(receive, receives);
}

void simple_main(uint32_t r3, uint32_t r4)
{
    uint32_t life, messages = 0;

    if (r3 == CLOCK) {
        name = "clock";
        put_text("clock: PASS");
        measure(64, " send64=", " receive64=");
        measure(PAGE, " send4096=", " receive4096=");
        board_putc('\n');
        end();
    }

    name = r3 == CONTROLLER ? "controller" : "plant";
    base = (uint8_t *)r4;
    if (r3 == VANDAL) {
        name = "vandal";
        vandalize(base);
    }
    listen();
    if (r3 == PLANT) {
        messages = work();
        board_report();
        pass(messages);
    } else {
        uint32_t word;

        vandal = proteus_ipcm_status(TUNNELS, &word) == 0;
        for (life = 0; life < ipc_lives; life++) {
            messages += control(life);
        }
        report();
        pass(messages);
        put_text(" samples=");
        put_decimal(signals);
        put_text(" vandal lives=");
        put_decimal(endured_lives);
        put_text(" messages=");
        put_decimal(endured_messages);
        put_text(" lies=");
        put_decimal(endured_lies);
    }
    board_putc('\n');
    end();
}
