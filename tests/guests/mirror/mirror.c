/*
 * mirror.c: the other end of a tunnel, at r3: sends each message of a ring back through another, with all its bits turned. It
 * ends when who has sent them leaves, and fails if that was nobody.
 */
#include <proteus/proteus.h>

#include "life.h"
#include "machine.h"
#include "print.h"
#include "ring.h"
#include "simple.h"

#define LINE    20
#define RING    1024u
#define LONGEST 64u

static volatile uint32_t bells;
static struct ring in, out;

static void __attribute__((noreturn)) fail(const char *what, uint32_t found)
{
    put_text("mirror: FAIL ");
    put_text(what);
    board_putc(' ');
    put_hex(found);
    board_putc('\n');
    end();
}

void simple_unexpected(uint32_t vector)
{
    fail("unexpected exception", vector);
}

void simple_interrupt(void)
{
    bells++;
    board_irq_acknowledge(LINE);
}

static void listen(void)
{
    board_irq_reset();
    board_irq_enable_pulse(LINE);
    __asm__ volatile("wrteei 1");
}

static void begin(uint8_t *base)
{
    struct ipc_area rest, part;
    uint32_t before = bells;

    while (tunnel_begin(0, base, &rest) != 0) {
        simple_wait(&bells, before);
        before = bells;
    }
    if (ipc_cut(&rest, RING_BYTES(RING), &part) != 0 || ring_open(&in, &part, IPC_READER) != 0 ||
        ipc_cut(&rest, RING_BYTES(RING), &part) != 0 || ring_open(&out, &part, IPC_WRITER) != 0) {
        fail("rings do not open", rest.size);
    }
}

static uint32_t state(void)
{
    uint32_t word = 0;

    proteus_ipcm_status(0, &word);
    return word;
}

static void ring_if(bool rings)
{
    if (rings) {
        proteus_ipcm_notify(0);
    }
}

/* There is room when the other end takes, or it has left. */
static void answer(const uint8_t *message, uint32_t length)
{
    for (;;) {
        uint32_t before = bells;

        if (ring_send(&out, message, length) == 0 || (state() & TUNNEL_PEER) == 0) {
            return;
        }
        ring_if(ring_rings(&out));
        simple_wait(&bells, before);
    }
}

void simple_main(uint32_t base, uint32_t r4)
{
    uint32_t messages = 0, words[LONGEST / 4];
    uint8_t *message = (uint8_t *)words;

    (void)r4;
    listen();
    begin((uint8_t *)base);
    for (;;) {
        uint32_t before = bells;
        bool lost = (state() & TUNNEL_PEER) == 0;
        int32_t length = ring_receive(&in, message, LONGEST);

        if (length >= 0) {
            for (int32_t i = 0; i < length; i++) {
                message[i] = (uint8_t)~message[i];
            }
            answer(message, (uint32_t)length);
            messages++;
            continue;
        }
        if (length != IPC_E_EMPTY) {
            fail("ring_receive", (uint32_t)length);
        }
        if (lost) {
            break;
        }
        ring_if(ring_rings(&in) | ring_rings(&out));
        simple_wait(&bells, before);
    }
    if (messages == 0) {
        fail("nobody has sent anything", state());
    }
    put_text("mirror: PASS messages=");
    put_decimal(messages);
    board_putc('\n');
    end();
}
