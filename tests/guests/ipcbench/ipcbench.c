/*
 * ipcbench.c: what a message to another VM costs. r3 says who it is: NEAR measures, FAR is the other end of its tunnel 0 and does
 * what the phase says, which is in the tunnel, too. Times are by the time base, which all VMs share: with -icount it counts
 * instructions, everybody's. FAR has the higher priority, so it runs as soon as it is rung; or the same, then when NEAR waits.
 *
 *   tunnel   a word of NEAR's, the phase; a word of FAR's, the last stamp; a ring each way
 *
 * Tunnel 1 of NEAR's has nobody at its other end. As DISK and CARD it is a client of drivers that are partitions; else, on a bare
 * board say, it calls the same drivers itself (drivers.c).
 */
#include "measure.h"

#include "life.h"
#include "ring.h"
#include "simple.h"

enum { NEAR = 1, FAR, DISK, CARD };
enum { BEGIN, DOORBELL, ONE_WAY, BOTH_WAYS, STREAM, END };

#define TIMES   1000u
#define WORD    4u                     /* of a message: number of it */
#define RING    0x4000u
#define SMALL   64u
#define LARGE   4096u
#define STREAMS 4000u                  /* small messages; as many bytes of large ones */
#define APART   ((uint8_t *)0xA0000000) /* tunnel 1 */

volatile uint32_t bells;

static uint8_t *shared;
static struct ring out, in;
static uint32_t message[LARGE / 4];

void simple_unexpected(uint32_t vector)
{
    fail("unexpected exception", vector, 0);
}

/* Every interrupt is stamped by its first instruction (simple.S); in phase DOORBELL that is what NEAR wants to know. */
void simple_interrupt(void)
{
    register uint32_t stamp __asm__("r13");
    uint32_t came;

    __asm__ volatile("mr %0, %1" : "=r"(came) : "r"(stamp));
    board_irq_acknowledge(LINE);
    bells++;
    if (shared != 0 && ipc_load(shared) == DOORBELL) {
        ipc_store(shared + IPC_LINE, came);
    }
}

static void ring_if(bool rings)
{
    if (rings) {
        proteus_ipcm_notify(0);
    }
}

static void open(bool near)
{
    struct ipc_area rest, head, part;

    for (;;) {
        uint32_t before = bells;

        if (tunnel_begin(0, BASE, &rest) == 0) {
            break;
        }
        simple_wait(&bells, before);
    }
    expect("cut", 0, 0, (uint32_t)(ipc_cut(&rest, 2 * IPC_LINE, &head) | ipc_cut(&rest, RING_BYTES(RING), &part)));
    expect("open", 0, 0, (uint32_t)ring_open(near ? &out : &in, &part, near ? IPC_WRITER : IPC_READER));
    expect("cut", 1, 0, (uint32_t)ipc_cut(&rest, RING_BYTES(RING), &part));
    expect("open", 1, 0, (uint32_t)ring_open(near ? &in : &out, &part, near ? IPC_READER : IPC_WRITER));
    shared = head.base;
}

/* Until it is through. */
static void send(uint32_t length)
{
    for (;;) {
        uint32_t before = bells;

        if (ring_send(&out, message, length) == 0) {
            ring_if(ring_rings(&out));
            return;
        }
        simple_wait(&bells, before);
    }
}

static uint32_t receive(uint32_t length)
{
    for (;;) {
        uint32_t before = bells;
        int32_t result = ring_receive(&in, message, LARGE);

        if (result > 0) {
            expect("length", message[0], length, (uint32_t)result);
            return message[0];
        }
        simple_wait(&bells, before);
    }
}

/* ---- FAR ---- */

/* Messages in order, to the one that NEAR has numbered 0: an answer to that alone, and the stamp of it. */
static void drain(uint32_t length)
{
    uint32_t number, next = 1;

    do {
        number = receive(length);
        ring_if(ring_rings(&in));
        expect("number", next, number == 0 ? 0 : next, number);
        next++;
    } while (number != 0);
    ipc_store(shared + IPC_LINE, time_low());
    send(WORD);
}

static void be_far(void)
{
    uint32_t drained = 0; /* the phase that is over with its last message */

    open(false);
    for (;;) {
        uint32_t before = bells, phase = ipc_load(shared);

        switch (phase & 0xFF) {
        case ONE_WAY:
            if (ring_receive(&in, message, LARGE) > 0) {
                ipc_store(shared + IPC_LINE, time_low());
                continue;
            }
            break;
        case BOTH_WAYS:
            if (ring_receive(&in, message, LARGE) > 0) {
                send(SMALL);
                continue;
            }
            break;
        case STREAM:
            if (phase != drained) {
                drain(phase >> 8);
                drained = phase;
                continue;
            }
            break;
        case END:
            put_text("far: PASS\n");
            end();
        default:
            break;
        }
        simple_wait(&bells, before);
    }
}

/* ---- NEAR ---- */

static void begin_phase(uint32_t phase)
{
    ipc_store(shared, phase);
    ipc_order();
    proteus_ipcm_notify(0);
}

/* To the first instruction of the other's handler, from the one in front of the call. */
static void doorbell(void)
{
    uint32_t sum = 0, i;

    begin_phase(DOORBELL);
    for (i = 0; i < TIMES; i++) {
        uint32_t start = time_low();

        proteus_ipcm_notify(0);
        sum += ipc_load(shared + IPC_LINE) - start;
    }
    figure("doorbell_switch", sum, TIMES, "times");
}

/* Until the other has it in its own memory. */
static void one_way(void)
{
    uint32_t sum = 0, i;

    begin_phase(ONE_WAY);
    for (i = 0; i < TIMES; i++) {
        uint32_t start = time_low();

        send(SMALL);
        sum += ipc_load(shared + IPC_LINE) - start;
    }
    figure("message64", sum, TIMES, "times");
}

static void both_ways(void)
{
    uint32_t i, start;

    begin_phase(BOTH_WAYS);
    for (i = 0, start = time_low(); i < TIMES; i++) {
        send(SMALL);
        receive(SMALL);
    }
    figure("round_trip64", time_low() - start, TIMES, "times");
}

/* As many as the ring takes, then it waits for room. */
static void stream(const char *name, uint32_t length, uint32_t count)
{
    uint32_t i, start;

    begin_phase(length << 8 | STREAM);
    for (i = 1, start = time_low(); i <= count; i++) {
        message[0] = i == count ? 0 : i;
        send(length);
    }
    receive(WORD);
    figure(name, ipc_load(shared + IPC_LINE) - start, count * length, "bytes");
}

/* Nobody is at the other end. */
static void connect(void)
{
    uint32_t connects = 0, closes = 0, i;

    for (i = 0; i < TIMES; i++) {
        uint32_t start = time_low(), middle;

        expect("connect", i, 0, (uint32_t)proteus_ipcm_connect(1));
        middle = time_low();
        expect("close", i, 0, (uint32_t)proteus_ipcm_close(1));
        closes += time_low() - middle;
        connects += middle - start;
    }
    figure("null_connect", connects, TIMES, "times");
    figure("close", closes, TIMES, "times");
}

static void be_near(bool ranks)
{
    open(true);
    if (ranks) {
        connect();
        doorbell();
        one_way();
        both_ways();
        stream("urgent64", SMALL, STREAMS);
        stream("urgent4096", LARGE, STREAMS * SMALL / LARGE * 4);
    } else {
        stream("stream64", SMALL, STREAMS);
        stream("stream4096", LARGE, STREAMS * SMALL / LARGE * 4);
    }
    begin_phase(END);
}

/* r4, of NEAR's: whether FAR has the higher priority. */
void simple_main(uint32_t role, uint32_t ranks)
{
    if (role >= NEAR && role <= CARD) {
        board_irq_reset();
        board_irq_enable_pulse(LINE);
        __asm__ volatile("wrteei 1");
    }
    switch (role) {
    case NEAR:
        be_near(ranks != 0);
        break;
    case FAR:
        be_far();
        break;
    case DISK:
        measure_disk();
        break;
    case CARD:
        measure_card();
        break;
    default:
        measure_native();
    }
    put_text("ipcbench: PASS\n");
    end();
}
