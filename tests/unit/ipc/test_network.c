/*
 * test_network.c: the switch and its clients: who gets which frame, who is held back, and deaths at every step, of the switch and
 * of a client.
 */
#include "shared.h"
#include "tunnels.h"

#include <stdio.h>
#include <string.h>

#include "netcard.h"
#include "netswitch.h"
#include "step.h"

enum { SWITCH = TUNNELS_SERVER, A, B, C, VMS };

#define SIZE   32768u
#define FRAMES 5u      /* of each client to each place */
#define ROUNDS 500u    /* more than any run has */
#define SEEN   64u
#define PERIOD 1000u   /* ticks; of the configuration, in us */
#define GRACE  500u

static const char configuration[] = "# who is who\n"
                                    "02:00:00:00:00:FF\n\n"
                                    "02:00:00:00:00:0a 10.0.0.1 1000 1000   # A\n"
                                    "\t02:00:00:00:00:0b 10.0.0.2 1000 1000\n"
                                    "02:00:00:00:00:0c 10.0.0.3 4 1000";
static const uint8_t wire_mac[6] = {2, 0, 0, 0, 0, 0xFF}, host_mac[6] = {0x52, 0x55, 0, 0, 0, 1};
static const uint8_t host_ip[4] = {10, 0, 0, 9}, all[6] = {0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF};
static const uint8_t macs[VMS][6] = {{0}, {2, 0, 0, 0, 0, 10}, {2, 0, 0, 0, 0, 11}, {2, 0, 0, 0, 0, 12}};
static const uint8_t ips[VMS][4] = {{0}, {10, 0, 0, 1}, {10, 0, 0, 2}, {10, 0, 0, 3}};

static struct netswitch net;
static struct netcard card[VMS];

/* ---- the wire, and what came to each place ---- */

struct seen {
    uint32_t count;
    uint32_t length[SEEN];
    uint8_t frame[SEEN][NETCARD_FRAME];
};

static struct seen seen[VMS]; /* [SWITCH]: by the wire */
static bool busy;

static void see(uint32_t place, const uint8_t *frame, uint32_t length)
{
    struct seen *s = &seen[place];

    assert_true(s->count < SEEN);
    memcpy(s->frame[s->count], frame, length);
    s->length[s->count++] = length;
}

static bool wire(const uint8_t *frame, uint32_t length)
{
    ipc_step();
    if (busy) {
        return false;
    }
    see(SWITCH, frame, length);
    ipc_step();
    return true;
}

/* ---- VMs ---- */

static void start_switch(void)
{
    uint32_t n;

    memset(&net, 0, sizeof(net));
    assert_int_equal(netswitch_configure(&net, configuration, 1), 0);
    net.wire = wire;
    net.patience = 7;
    net.grace = GRACE;
    netswitch_begin(&net, memory[0], 0);
    for (n = 0; n < net.count; n++) {
        net.port[n].base = memory[n];
    }
}

static void start_client(uint32_t vm)
{
    memset(&card[vm], 0, sizeof(card[vm]));
    card[vm].base = memory[vm - A];
}

static void start(void)
{
    uint32_t vm;

    tunnels_begin(VMS - A, SIZE);
    memset(seen, 0, sizeof(seen));
    busy = false;
    now = 10 * PERIOD;
    start_switch();
    for (vm = A; vm < VMS; vm++) {
        start_client(vm);
    }
}

static uint32_t run_switch(void)
{
    uint32_t result, i;

    who = SWITCH;
    for (i = 0; (result = netswitch_step(&net)) == NETSWITCH_DONE; i++) {
        assert_true(i < 100);
    }
    return result;
}

static void receive(uint32_t vm)
{
    uint8_t frame[NETCARD_FRAME + 1];
    int32_t length;

    who = vm;
    while ((length = netcard_receive(&card[vm], frame, sizeof(frame))) > 0) {
        see(vm, frame, (uint32_t)length);
    }
    assert_int_equal(length, 0);
}

/* Everybody is there. */
static void settle(void)
{
    uint32_t vm, i;

    for (i = 0; i < 3; i++) {
        run_switch();
        for (vm = A; vm < VMS; vm++) {
            receive(vm);
        }
    }
}

static bool send(uint32_t vm, const uint8_t *frame, uint32_t length)
{
    who = vm;
    return netcard_send(&card[vm], frame, length);
}

/* ---- frames ---- */

static uint32_t head(uint8_t *frame, const uint8_t *to, const uint8_t *from, uint32_t type)
{
    memset(frame, 0, 64);
    memcpy(frame, to, 6);
    memcpy(frame + 6, from, 6);
    frame[12] = (uint8_t)(type >> 8);
    frame[13] = (uint8_t)type;
    return 60;
}

static uint32_t ipv4(uint8_t *frame, const uint8_t *to, const uint8_t *from, const uint8_t *to_ip, const uint8_t *from_ip)
{
    head(frame, to, from, 0x0800);
    frame[17] = 46;
    memcpy(frame + 26, from_ip, 4);
    memcpy(frame + 30, to_ip, 4);
    return 60;
}

static uint32_t arp(uint8_t *frame, const uint8_t *to, const uint8_t *from, const uint8_t *to_ip, const uint8_t *from_ip)
{
    static const uint8_t kind[8] = {0, 1, 8, 0, 6, 4, 0, 1};

    head(frame, to, from, 0x0806);
    memcpy(frame + 14, kind, 8);
    memcpy(frame + 22, from, 6);
    memcpy(frame + 28, from_ip, 4);
    memcpy(frame + 38, to_ip, 4);
    return 42;
}

/* What has come to the places, since the last time. */
static void came(uint32_t to_wire, uint32_t a, uint32_t b, uint32_t c)
{
    settle();
    assert_int_equal(seen[SWITCH].count, to_wire);
    assert_int_equal(seen[A].count, a);
    assert_int_equal(seen[B].count, b);
    assert_int_equal(seen[C].count, c);
    seen[SWITCH].count = seen[A].count = seen[B].count = seen[C].count = 0;
}

static void configured(void **state)
{
    static const struct {
        uint32_t line;
        const char *text;
    } wrong[] = {
        {1, ""}, {2, "02:0:0:0:0:1\n"}, {1, "02:0:0:0:0"}, {1, "02:0:0:0:0:1 x"}, {1, "03:0:0:0:0:1"}, {1, "02:0:0:0:0:100"},
        {2, "2:0:0:0:0:1\n2:0:0:0:0:2 10.0.0.1 5\n"}, {2, "2:0:0:0:0:1\n2:0:0:0:0:2 10.0.0.1 0 5\n"},
        {2, "2:0:0:0:0:1\n2:0:0:0:0:2 10.0.0.1 5 0\n"}, {2, "2:0:0:0:0:1\n2:0:0:0:0:2 10.0.0.256 5 5\n"},
        {2, "2:0:0:0:0:1\n2:0:0:0:0:1 10.0.0.1 5 5\n"}, {2, "2:0:0:0:0:1\n3:0:0:0:0:2 10.0.0.1 5 5\n"},
        {2, "2:0:0:0:0:1\n2:0:0:0:0:2 0.0.0.0 5 5\n"}, {2, "2:0:0:0:0:1\n2:0:0:0:0:2 10.0.0.1 5 5000000\n"},
        {3, "2:0:0:0:0:1\n2:0:0:0:0:2 10.0.0.1 5 5\n2:0:0:0:0:2 10.0.0.2 5 5\n"},
        {3, "2:0:0:0:0:1\n2:0:0:0:0:2 10.0.0.1 5 5\n2:0:0:0:0:3 10.0.0.1 5 5\n"},
        {4, "#\n2:0:0:0:0:1\n\n2:0:0:0:0:2 10.0.0.1 5 5 5\n"}, {2, "2:0:0:0:0:1\n2:0:0:0:0:210.0.0.1 5 5\n"},
    };
    uint32_t i, at;
    char many[1024];

    (void)state;
    for (i = 0; i < COUNT(wrong); i++) {
        memset(&net, 0, sizeof(net));
        assert_int_equal(netswitch_configure(&net, wrong[i].text, 1), wrong[i].line);
    }
    memset(&net, 0, sizeof(net));
    for (i = 0, at = (uint32_t)sprintf(many, "2:0:0:0:0:ff\n"); i <= NETSWITCH_PORTS; i++) {
        at += (uint32_t)sprintf(many + at, "2:0:0:0:0:%x 10.0.0.%u 5 5\n", i, i + 1);
    }
    assert_int_equal(netswitch_configure(&net, many, 1), NETSWITCH_PORTS + 2);
    memset(&net, 0, sizeof(net));
    assert_int_equal(netswitch_configure(&net, configuration, 3), 0);
    assert_int_equal(net.count, 3);
    assert_memory_equal(net.mac, wire_mac, 6);
    for (i = 0; i < 3; i++) {
        assert_memory_equal(net.port[i].mac, macs[A + i], 6);
        assert_memory_equal(net.port[i].ip, ips[A + i], 4);
        assert_int_equal(net.port[i].period, 3000);
    }
    assert_int_equal(net.port[2].limit, 4);
}

static void known(void **state)
{
    (void)state;
    start();
    settle();
    assert_true(card[A].known && card[C].known);
    assert_memory_equal(card[A].mac, macs[A], 6);
    assert_memory_equal(card[C].ip, ips[C], 4);
    came(0, 0, 0, 0);
}

/* Between clients, and out: to whom, and with which addresses. */
static void sent(void **state)
{
    uint8_t f[NETCARD_FRAME + 1], out[64];

    (void)state;
    start();
    settle();
    send(A, f, ipv4(f, macs[B], macs[A], ips[B], ips[A]));
    settle();
    assert_memory_equal(seen[B].frame[0], f, 60);
    came(0, 0, 1, 0);
    send(A, f, head(f, macs[C], macs[A], 0x88B5)); /* any protocol, among clients */
    came(0, 0, 0, 1);
    send(A, f, ipv4(f, host_mac, macs[A], host_ip, ips[A])); /* elsewhere: the wire's address in the place of its own */
    settle();
    ipv4(out, host_mac, wire_mac, host_ip, ips[A]);
    assert_memory_equal(seen[SWITCH].frame[0], out, 60);
    came(1, 0, 0, 0);
    send(B, f, arp(f, all, macs[B], host_ip, ips[B])); /* all others and the wire, each with the address that is right there */
    settle();
    arp(out, all, wire_mac, host_ip, ips[B]);
    assert_memory_equal(seen[SWITCH].frame[0], out, 42);
    assert_memory_equal(seen[A].frame[0], f, 42);
    assert_memory_equal(seen[C].frame[0], f, 42);
    came(1, 1, 0, 1);
    send(B, f, head(f, all, macs[B], 0x88B5));
    came(0, 1, 0, 1);
    assert_int_equal(net.port[0].lost + net.port[1].lost, 0);
    send(A, f, head(f, host_mac, macs[A], 0x88B5)); /* no protocol of the wire, */
    send(A, f, ipv4(f, macs[A], macs[A], ips[A], ips[A])); /* itself, */
    send(A, f, ipv4(f, wire_mac, macs[A], ips[A], ips[A])); /* nobody's */
    came(0, 0, 0, 0);
    assert_int_equal(net.port[0].lost, 3);
    assert_false(send(A, f, 13));
    assert_false(send(A, f, NETCARD_FRAME + 1));
    ipv4(f, macs[B], macs[A], ips[B], ips[A]);
    f[NETCARD_FRAME - 1] = 77;
    assert_true(send(A, f, NETCARD_FRAME));
    settle();
    assert_int_equal(seen[B].length[0], NETCARD_FRAME);
    assert_memory_equal(seen[B].frame[0], f, NETCARD_FRAME);
    came(0, 0, 1, 0);
}

/* Addresses that are not its own, in each place where one is; and what is too short to have them. */
static void forged(void **state)
{
    static const uint8_t none[4];
    uint8_t f[64];
    uint32_t expected = 0;

    (void)state;
    start();
    settle();
#define REFUSED(length) \
    do { \
        send(A, f, length); \
        came(0, 0, 0, 0); \
        assert_int_equal(net.port[0].forged, ++expected); \
    } while (0)
    REFUSED(ipv4(f, macs[B], macs[C], ips[B], ips[A]));
    REFUSED(ipv4(f, host_mac, wire_mac, host_ip, ips[A]));
    REFUSED(ipv4(f, macs[B], macs[A], ips[B], ips[C]));
    REFUSED(ipv4(f, all, macs[A], ips[B], none));
    ipv4(f, macs[B], macs[A], ips[B], ips[A]);
    REFUSED(33);
    REFUSED(arp(f, all, macs[A], ips[B], ips[C]));
    arp(f, all, macs[A], ips[B], ips[A]);
    REFUSED(41);
    f[22 + 5] ^= 1;
    REFUSED(42);
    arp(f, all, macs[A], ips[B], ips[A]);
    f[18] = 8;
    REFUSED(42);
    send(A, f, arp(f, all, macs[A], ips[A], none)); /* does anybody have my address? */
    came(1, 0, 1, 1);
    assert_int_equal(net.port[0].forged, expected);
    assert_int_equal(net.port[0].frames, expected + 1);
}

static void heard(void **state)
{
    uint8_t f[64];
    uint32_t strange = 0;

    (void)state;
    start();
    settle();
    netswitch_heard(&net, f, ipv4(f, wire_mac, host_mac, ips[B], host_ip));
    settle();
    assert_memory_equal(seen[B].frame[0], macs[B], 6); /* its own address, not the wire's */
    came(0, 0, 1, 0);
    netswitch_heard(&net, f, arp(f, wire_mac, host_mac, ips[A], host_ip));
    settle();
    assert_memory_equal(seen[A].frame[0], macs[A], 6);
    assert_memory_equal(seen[A].frame[0] + 32, macs[A], 6);
    came(0, 1, 0, 0);
    netswitch_heard(&net, f, arp(f, all, host_mac, ips[A], host_ip));
    came(0, 1, 1, 1);
#define STRANGE(length) \
    do { \
        netswitch_heard(&net, f, length); \
        came(0, 0, 0, 0); \
        assert_int_equal(net.strange, ++strange); \
    } while (0)
    STRANGE(ipv4(f, wire_mac, host_mac, host_ip, host_ip));
    STRANGE(ipv4(f, host_mac, host_mac, ips[A], host_ip));
    STRANGE(ipv4(f, macs[A], host_mac, ips[A], host_ip)); /* the wire does not know this address */
    STRANGE(head(f, all, host_mac, 0x86DD));
    STRANGE(ipv4(f, all, macs[A], ips[B], host_ip)); /* who is a client here is not there */
    STRANGE(ipv4(f, all, wire_mac, ips[B], host_ip));
    STRANGE(ipv4(f, wire_mac, host_mac, ips[B], ips[A]));
    STRANGE(arp(f, all, host_mac, ips[B], ips[A]));
    arp(f, all, host_mac, ips[B], host_ip);
    memcpy(f + 22, macs[C], 6);
    STRANGE(42);
    ipv4(f, wire_mac, host_mac, ips[B], host_ip);
    STRANGE(33);
    STRANGE(0xFFFFFFFF);
    assert_int_equal(net.heard, strange + 3);
}

static void lengths(void **state)
{
    static const struct {
        uint32_t type, says, length;
    } rows[] = {{0x0806, 0, 42},  {0x0806, 9999, 42},   {0x0800, 46, 60},  {0x0800, 20, 34},
                {0x0800, 19, 0},  {0x0800, 1500, 1514}, {0x0800, 1501, 0}, {0x0800, 65535, 0},
                {0x86DD, 46, 0}, {0x0026, 46, 0}, {0x88B5, 46, 0}};
    uint8_t f[64];
    uint32_t i;

    (void)state;
    for (i = 0; i < COUNT(rows); i++) {
        head(f, all, host_mac, rows[i].type);
        f[16] = (uint8_t)(rows[i].says >> 8);
        f[17] = (uint8_t)rows[i].says;
        assert_int_equal(netswitch_length(f), rows[i].length);
    }
}

/* C may send 4 in a period: what is more waits, and no one else does. */
static void limited(void **state)
{
    uint8_t f[64];
    uint32_t i;

    (void)state;
    start();
    settle();
    for (i = 0; i < NETCARD_SENDS; i++) {
        head(f, macs[B], macs[C], 0x88B5);
        f[20] = (uint8_t)i;
        assert_true(send(C, f, 60));
    }
    assert_false(send(C, f, 60));
    now += 10;
    assert_int_equal(run_switch(), NETSWITCH_HELD);
    assert_int_equal(net.wait, PERIOD);
    receive(B);
    assert_int_equal(seen[B].count, 4);
    now += PERIOD - 1;
    send(A, f, head(f, macs[B], macs[A], 0x88B5));
    assert_int_equal(run_switch(), NETSWITCH_HELD);
    assert_int_equal(net.wait, 1);
    receive(B);
    assert_int_equal(seen[B].count, 5);
    now += 1;
    assert_int_equal(run_switch(), NETSWITCH_IDLE);
    receive(B);
    assert_int_equal(seen[B].count, 1 + NETCARD_SENDS);
    for (i = 5; i < 1 + NETCARD_SENDS; i++) {
        assert_int_equal(seen[B].frame[i][20], i - 1);
    }
    who = C;
    assert_true(netcard_step(&card[C]));
    tunnels_left_by(C); /* a new life has not more */
    start_client(C);
    seen[B].count = 0;
    settle();
    send(C, f, head(f, macs[B], macs[C], 0x88B5));
    assert_int_equal(run_switch(), NETSWITCH_HELD);
}

/* B does not read: nobody waits for it, and what is for all leaves places for what is for B alone. */
static void full(void **state)
{
    uint8_t f[64];
    uint32_t i;

    (void)state;
    start();
    settle();
    for (i = 0; i < 4 * NETCARD_HOLDS; i++) {
        assert_true(send(A, f, head(f, all, macs[A], 0x88B5)));
        assert_int_equal(run_switch(), NETSWITCH_IDLE);
        receive(C);
    }
    assert_int_equal(seen[C].count, i);
    assert_int_equal(net.port[1].full, i - (NETCARD_HOLDS - NETSWITCH_SPARE));
    for (i = 0; i < NETCARD_HOLDS; i++) {
        assert_true(send(A, f, head(f, macs[B], macs[A], 0x88B5)));
        assert_int_equal(run_switch(), NETSWITCH_IDLE);
    }
    receive(B);
    assert_int_equal(seen[B].count, NETCARD_HOLDS);
    assert_int_equal(net.port[1].got, NETCARD_HOLDS);
}

/* What is for the wire as well has come to nobody while that is busy, and then to each once; others go on. */
static void waits_for_wire(void **state)
{
    uint8_t f[64];

    (void)state;
    start();
    settle();
    busy = true;
    send(A, f, arp(f, all, macs[A], host_ip, ips[A]));
    assert_int_equal(run_switch(), NETSWITCH_HELD);
    assert_int_equal(net.wait, 7);
    send(B, f, head(f, macs[C], macs[B], 0x88B5));
    assert_int_equal(run_switch(), NETSWITCH_HELD);
    came(0, 0, 0, 1);
    busy = false;
    came(1, 0, 1, 1);
    assert_int_equal(run_switch(), NETSWITCH_IDLE);
}

/* A switch that has just begun: who was there first waits for who has not come, for a time; and so does the wire. */
static void grace(void **state)
{
    uint8_t f[64];

    (void)state;
    start();
    for (uint32_t i = 0; i < 2; i++) {
        run_switch();
        receive(A);
        receive(C);
    }
    assert_false(netswitch_hears(&net));
    send(A, f, ipv4(f, macs[B], macs[A], ips[B], ips[A]));
    send(C, f, arp(f, all, macs[C], ips[A], ips[C]));
    now += GRACE - 1;
    assert_int_equal(run_switch(), NETSWITCH_HELD);
    assert_int_equal(net.wait, 1);
    receive(A);
    assert_int_equal(seen[A].count + seen[SWITCH].count, 0);
    settle(); /* B comes */
    assert_true(netswitch_hears(&net));
    came(1, 1, 2, 0);
    tunnels_left_by(SWITCH);
    start_switch(); /* again, and B does not come any more */
    tunnels_left_by(B);
    for (uint32_t i = 0; i < 2; i++) {
        receive(A);
        receive(C);
        run_switch();
    }
    send(A, f, ipv4(f, macs[B], macs[A], ips[B], ips[A]));
    send(A, f, ipv4(f, macs[C], macs[A], ips[C], ips[A]));
    assert_int_equal(run_switch(), NETSWITCH_HELD);
    receive(C);
    assert_int_equal(seen[C].count, 0);
    now += GRACE;
    assert_true(netswitch_hears(&net));
    assert_int_equal(run_switch(), NETSWITCH_IDLE);
    receive(C);
    assert_int_equal(seen[C].count, 1);
}

/* ---- deaths ---- */

static uint32_t given[VMS], life[VMS]; /* frames that were accepted, in this life */

/* Number `i` of a life: in turn to the other one and to the wire. */
static uint32_t make(uint8_t *f, uint32_t vm, uint32_t of_life, uint32_t i)
{
    uint32_t other = A + B - vm;

    if (i % 2 == 0) {
        ipv4(f, macs[other], macs[vm], ips[other], ips[vm]);
    } else {
        ipv4(f, host_mac, macs[vm], host_ip, ips[vm]);
    }
    f[40] = (uint8_t)of_life;
    f[41] = (uint8_t)i;
    return 60 + i;
}

static void run_client(uint32_t vm)
{
    uint8_t f[96];

    who = vm;
    while (given[vm] < 2 * FRAMES && netcard_send(&card[vm], f, make(f, vm, life[vm], given[vm]))) {
        given[vm]++;
    }
    receive(vm);
}

static void die(uint32_t vm)
{
    who = vm;
    left = NEVER;
    tunnels_left_by(vm);
    if (vm == SWITCH) {
        start_switch();
    } else {
        start_client(vm);
        given[vm] = 0;
        life[vm]++;
    }
}

static bool is_over(uint32_t vm)
{
    return given[vm] == 2 * FRAMES && card[vm].out == card[vm].accepted;
}

/* Until all was sent; `vm` dies after so many steps of its own, and again. True: it did. */
static struct netcard at_death;

static bool run(uint32_t vm, uint32_t steps, uint32_t deaths)
{
    volatile uint32_t rounds = 0, more = deaths;
    volatile bool died = false;

    start();
    given[A] = given[B] = life[A] = life[B] = 0;
    mortal = vm;
    left = steps;
    if (setjmp(death) != 0) {
        at_death = card[vm];
        die(vm);
        died = true;
        more--;
        left = more != 0 ? steps / 2 + 3 : NEVER;
    }
    while (!is_over(A) || !is_over(B)) {
        assert_true(++rounds < ROUNDS);
        run_switch();
        run_client(A);
        run_switch();
        run_client(B);
        receive(C);
    }
    left = NEVER;
    run_switch();
    receive(A);
    receive(B);
    return died;
}

/* Of one life of a client, what came to a place, from number `first` in steps of two: in order. So many were there twice. */
static uint32_t check(uint32_t place, uint32_t vm, uint32_t of_life, uint32_t *next)
{
    uint32_t i, twice = 0;
    uint8_t f[96];

    for (i = 0; i < seen[place].count; i++) {
        const uint8_t *frame = seen[place].frame[i];
        uint32_t length;

        if (memcmp(frame + 26, ips[vm], 4) != 0 || frame[40] != of_life) {
            continue;
        }
        length = make(f, vm, of_life, frame[41]);
        assert_int_equal(length, seen[place].length[i]);
        memcpy(f + 6, place == SWITCH ? wire_mac : macs[vm], 6);
        assert_memory_equal(f, frame, 60);
        if (frame[41] == *next) {
            *next += 2;
        } else {
            assert_int_equal(frame[41] + 2, *next);
            twice++;
        }
    }
    return twice;
}

static void switch_dies(void **state)
{
    uint32_t steps, deaths, vm;

    (void)state;
    for (deaths = 1; deaths <= 2; deaths++) {
        bool died = true;

        for (steps = 0; died; steps++) {
            uint32_t twice = 0;

            died = run(SWITCH, steps, deaths);
            for (vm = A; vm <= B; vm++) {
                uint32_t there = 0, out = 1;

                twice += check(A + B - vm, vm, 0, &there) + check(SWITCH, vm, 0, &out);
                assert_int_equal(there, 2 * FRAMES);
                assert_int_equal(out, 2 * FRAMES + 1);
            }
            assert_true(twice <= (died ? deaths : 0));
        }
        assert_true(steps > 500);
    }
}

/* What was in its queue is delivered, once; then its next life, as a whole. The other one does not notice. */
static void client_dies(void **state)
{
    uint32_t steps;
    bool died = true;

    (void)state;
    for (steps = 0; died; steps++) {
        uint32_t there = 0, out = 1, again = 0, again_out = 1, b_out = 1, i;

        died = run(A, steps, 1);
        assert_int_equal(check(B, A, 0, &there) + check(SWITCH, A, 0, &out), 0);
        assert_int_equal(check(SWITCH, B, 0, &b_out), 0);
        assert_int_equal(b_out, 2 * FRAMES + 1);
        if (!died) {
            assert_int_equal(there, 2 * FRAMES);
            break;
        }
        assert_int_equal(check(B, A, 1, &again) + check(SWITCH, A, 1, &again_out), 0);
        assert_int_equal(again, 2 * FRAMES);
        assert_int_equal(again_out, 2 * FRAMES + 1);
        i = there / 2 + out / 2;
        assert_true(i == at_death.sent || i == at_death.sent + 1);
    }
    assert_true(steps > 500);
}

/* Counters and lengths that cannot be, at any time, by C and by what the switch writes to C: A and B lose nothing. */
static void liars(void **state)
{
    uint32_t seed = 1, round, sent_by_a = 0;
    uint8_t f[64];

    (void)state;
    start();
    settle();
    for (round = 0; round < 4000; round++) {
        uint32_t counter = random_word(&seed) % 4 * IPC_LINE, queue = random_word(&seed) % 2 * NETCARD_QUEUE(NETCARD_SENDS);

        who = C;
        netcard_send(&card[C], f, head(f, macs[random_word(&seed) % VMS], macs[C], 0x88B5));
        netcard_receive(&card[C], f, sizeof(f));
        if ((ends[C - A][0] & TUNNEL_OPEN) != 0) {
            ipc_word *word = (ipc_word *)(void *)(memory[C - A] + queue + counter + random_word(&seed) % 3 * 4);

            *word = random_word(&seed) % 2 ? random_word(&seed) : random_word(&seed) % 64;
        }
        now += PERIOD / 8;
        assert_true(send(A, f, ipv4(f, macs[B], macs[A], ips[B], ips[A])));
        sent_by_a++;
        run_switch();
        receive(B);
        if (seen[B].count > SEEN / 2) {
            uint32_t i;

            for (i = 0; i < seen[B].count; i++) {
                sent_by_a -= memcmp(seen[B].frame[i] + 6, macs[A], 6) == 0;
            }
            seen[B].count = 0;
        }
    }
    for (round = 0; round < seen[B].count; round++) {
        sent_by_a -= memcmp(seen[B].frame[round] + 6, macs[A], 6) == 0;
    }
    assert_int_equal(sent_by_a, 0);
    assert_true(net.port[2].lies > 10);
    assert_int_equal(net.port[0].lies + net.port[1].lies, 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(configured), cmocka_unit_test(known),       cmocka_unit_test(sent),        cmocka_unit_test(forged),
        cmocka_unit_test(heard),      cmocka_unit_test(lengths),     cmocka_unit_test(limited),     cmocka_unit_test(full),
        cmocka_unit_test(waits_for_wire), cmocka_unit_test(grace), cmocka_unit_test(switch_dies), cmocka_unit_test(client_dies),
        cmocka_unit_test(liars),
    };

    return cmocka_run_group_tests_name("network", tests, 0, 0);
}
