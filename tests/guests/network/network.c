/*
 * network.c: a partition that has the board's network controller, and gives others a network card each (netcard.h).
 * r3 is the address of the text that says who they are (netswitch.h), its blob; r4 that of the first tunnel, and the others are
 * behind it, at r4 + 64K, ... Their doorbells are lines LINE, LINE + 1, ... On a board without a controller it is a switch for
 * them alone.
 *
 * It waits by interrupts; the timer only wakes it for who is held back. When its last client has left it says what each did.
 */
#include "machine.h"
#include "netswitch.h"
#include "print.h"
#include "simple.h"

#define LINE     20
#define APART    0x10000u
#define TICKS(us) (BOARD_TB_HZ / 1000000u * (us))
#define PATIENCE TICKS(50u)     /* with the wire: a long frame takes 121 us of it, and there are two buffers */
#define GRACE    TICKS(5000u)    /* some turns of everybody */

static struct netswitch net;
static volatile uint32_t bells;
static uint32_t frame[NETCARD_WORDS];

void simple_unexpected(uint32_t vector)
{
    (void)vector;
    system_reset();
}

/* All causes at once, before any of them is looked after: each is a pulse. */
void simple_interrupt(void)
{
    uint32_t i;

    bells++;
    for (i = 0; i < net.count; i++) {
        board_irq_acknowledge(LINE + i);
    }
    board_irq_acknowledge(BOARD_ETHERNET_LINE);
    simple_timer_seen();
}

static void listen(void)
{
    uint32_t i;

    board_irq_reset();
    for (i = 0; i < net.count; i++) {
        board_irq_enable_pulse(LINE + i);
    }
    board_irq_enable_pulse(BOARD_ETHERNET_LINE);
    __asm__ volatile("wrteei 1");
}

static bool send(const uint8_t *bytes, uint32_t length)
{
    return board_ethernet_send((const uint32_t *)(const void *)bytes, length) != 0;
}

/* A frame of the wire, if there is one that may be had now. */
static bool hear(void)
{
    uint32_t buffer = 0;
    int32_t length = netswitch_hears(&net) ? board_ethernet_receive(frame, &buffer, netswitch_length) : -1;

    if (length >= 0) {
        netswitch_heard(&net, (uint8_t *)frame, (uint32_t)length);
        board_ethernet_received(buffer, (uint32_t)length);
    }
    return length >= 0;
}

/* ---- what each did ---- */

static void put(const char *what, uint32_t number)
{
    put_text(what);
    put_decimal(number);
}

static void row(uint32_t n)
{
    const struct netswitch_port *p = &net.port[n];

    put("network: client ", n);
    put(" lives ", p->lives);
    put(" sent ", p->frames);
    put(" bytes ", p->bytes);
    put(" got ", p->got);
    put(" forged ", p->forged);
    put(" lost ", p->lost);
    put(" full ", p->full);
    put(" lies ", p->lies);
    board_putc('\n');
}

static uint32_t present(void)
{
    uint32_t n, count = 0;

    for (n = 0; n < net.count; n++) {
        count += net.port[n].there;
    }
    return count;
}

static void report(void)
{
    static uint32_t before;
    uint32_t count = present(), n;

    if (count == 0 && before != 0) {
        for (n = 0; n < net.count; n++) {
            row(n);
        }
        put("network: wire heard ", net.heard);
        put(" strange ", net.strange);
        board_putc('\n');
    }
    before = count;
}

void simple_main(uint32_t config, uint32_t base)
{
    uint32_t wrong = netswitch_configure(&net, (const char *)config, TICKS(1u));

    if (wrong != 0) {
        put("network: FAIL configuration, line ", wrong);
        board_putc('\n');
        end();
    }
    net.wire = send;
    net.patience = PATIENCE;
    net.grace = GRACE;
    netswitch_begin(&net, (uint8_t *)base, APART);
    board_ethernet_begin(net.mac);
    listen();
    for (;;) {
        uint32_t before = bells, result = netswitch_step(&net);

        if (hear() || result == NETSWITCH_DONE) {
            continue;
        }
        report();
        if (!net.settled && net.wait > PATIENCE) {
            net.wait = PATIENCE;
            result = NETSWITCH_HELD;
        }
        if (result == NETSWITCH_HELD) {
            simple_timer(net.wait);
        }
        simple_wait(&bells, before);
    }
}
