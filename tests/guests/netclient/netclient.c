/*
 * netclient.c: a station on a network card of another partition (hypercalls/ipc/netcard.h): tunnel 0, at BASE, doorbell LINE. It
 * answers ARP and ping; it pings its peers, and exchanges a bulk of datagrams with each, which both ends check: UDP, port
 * PORT, a message of words.
 *
 *   data   DATA, number, how many there are, then words that follow from the number and the sender's address
 *   ack    ACK, the number that is expected next, and 1 if its sender has all that it wants
 *
 * r3 and r4 are its peers' IPv4 addresses; 0: none. Neither: it is a vandal (netvandal.c). It ends when all is done,
 * of its peers, too; or when they have been silent for a while, for the last word may be lost.
 */
#include "machine.h"
#include "netcard.h"
#include "netvandal.h"
#include "simple.h"

#define GUEST "netclient"
#include "verdict.h"

#define BASE    ((uint8_t *)0x90000000)
#define LINE    20
#define PEERS   2u
#define PINGS   10u
#define WINDOW  3u     /* so the card's queue has room for all that can be under way */
#define PORT    7000u
#define DATA    0x64617461u
#define ACK     0x61636B20u
#define WORDS   368u   /* of a message of data: a frame as long as can be */
#define AGAIN   (BOARD_TB_HZ / 4u)
#define LINGER  (2u * BOARD_TB_HZ)
#define IP(a)   ((uint32_t)(a)[0] << 24 | (uint32_t)(a)[1] << 16 | (uint32_t)(a)[2] << 8 | (a)[3])

enum { TO = 0, FROM = 6, TYPE = 12, ARP = 14, IPV4 = 14, ICMP = 34, UDP = 34, MESSAGE = 42 };

struct peer {
    uint32_t ip;
    uint8_t mac[6];
    bool known, asked;          /* its MAC address; a ping is under way */
    bool owes;                  /* an ack */
    bool done;                  /* it says so */
    uint32_t pings, slowest;    /* answered; ticks */
    uint32_t next, acked;       /* to send; of those before that */
    uint32_t expected, total;   /* from it */
    uint32_t since;             /* progress, or the last try */
    uint32_t begun, ticks;      /* of the bulk to it */
};

volatile uint32_t netclient_bulk = 2000; /* datagrams to each; a test may change it in a copy of the ELF */

static struct netcard card;
static struct peer peers[PEERS];
static volatile uint32_t bells;
static uint32_t resent, others, answered, own;
static uint32_t words[NETCARD_WORDS];
static uint8_t *const f = (uint8_t *)words; /* the one frame that is made or read */

void simple_unexpected(uint32_t vector)
{
    fail("unexpected exception", vector, 0);
}

void simple_interrupt(void)
{
    bells++;
    board_irq_acknowledge(LINE);
    simple_timer_seen();
}

/* ---- bytes of the frame ---- */

static uint32_t get16(uint32_t at)
{
    return (uint32_t)f[at] << 8 | f[at + 1];
}

static uint32_t get32(uint32_t at)
{
    return get16(at) << 16 | get16(at + 2);
}

static void set16(uint32_t at, uint32_t value)
{
    f[at] = (uint8_t)(value >> 8);
    f[at + 1] = (uint8_t)value;
}

static void set32(uint32_t at, uint32_t value)
{
    set16(at, value >> 16);
    set16(at + 2, value);
}

static void set_mac(uint32_t at, const uint8_t *mac)
{
    uint32_t i;

    for (i = 0; i < 6; i++) {
        f[at + i] = mac[i];
    }
}

/* RFC 1071; 0 over what has a right one in it. */
static uint32_t check_sum(uint32_t at, uint32_t length)
{
    uint32_t sum = 0, i;

    for (i = 0; i + 1 < length; i += 2) {
        sum += get16(at + i);
    }
    sum += i < length ? (uint32_t)f[at + i] << 8 : 0;
    sum = (sum & 0xFFFF) + (sum >> 16);
    return ~(sum + (sum >> 16)) & 0xFFFF;
}

/* ---- frames out ---- */

static void head(const uint8_t *mac, uint32_t type)
{
    set_mac(TO, mac);
    set_mac(FROM, card.mac);
    set16(TYPE, type);
}

static bool send_arp(uint32_t operation, const uint8_t *mac, uint32_t ip)
{
    static const uint8_t all[6] = {0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF};

    head(operation == 1 ? all : mac, 0x0806);
    set32(ARP, 0x00010800);
    set32(ARP + 4, 0x06040000 | operation);
    set_mac(ARP + 8, card.mac);
    set32(ARP + 14, own);
    set_mac(ARP + 18, mac);
    set32(ARP + 24, ip);
    return netcard_send(&card, f, ARP + 28);
}

static void ipv4(const uint8_t *mac, uint32_t ip, uint32_t protocol, uint32_t length)
{
    head(mac, 0x0800);
    set32(IPV4, 0x45000000 | (20 + length));
    set32(IPV4 + 4, 0);
    set32(IPV4 + 8, 0x40000000 | protocol << 16);
    set32(IPV4 + 12, own);
    set32(IPV4 + 16, ip);
    set16(IPV4 + 10, check_sum(IPV4, 20));
}

static bool send_ping(struct peer *p)
{
    uint32_t i;

    for (i = 8; i < 64; i++) {
        f[ICMP + i] = (uint8_t)(i + p->pings);
    }
    set32(ICMP, 0x08000000);
    set32(ICMP + 4, 0x50000000 | p->pings);
    set16(ICMP + 2, check_sum(ICMP, 64));
    ipv4(p->mac, p->ip, 1, 64);
    return netcard_send(&card, f, ICMP + 64);
}

static bool send_message(struct peer *p, uint32_t count)
{
    ipv4(p->mac, p->ip, 17, 8 + 4 * count);
    set32(UDP, PORT << 16 | PORT);
    set32(UDP + 4, (8 + 4 * count) << 16);
    return netcard_send(&card, f, MESSAGE + 4 * count);
}

static uint32_t pattern(uint32_t ip, uint32_t number)
{
    return (ip ^ number) * 2654435761u;
}

static bool send_data(struct peer *p, uint32_t number)
{
    uint32_t word = pattern(own, number), i;

    set32(MESSAGE, DATA);
    set32(MESSAGE + 4, number);
    set32(MESSAGE + 8, netclient_bulk);
    for (i = 3; i < WORDS; i++, word += 0x01010101) {
        set32(MESSAGE + 4 * i, word);
    }
    return send_message(p, WORDS);
}

/* All that this end wants: of one, or of all. */
static bool has_all(const struct peer *p)
{
    return p->ip == 0 || (p->pings == PINGS && p->acked == netclient_bulk && p->total != 0 && p->expected == p->total);
}

static bool is_done(void)
{
    return has_all(&peers[0]) && has_all(&peers[1]);
}

static bool send_ack(struct peer *p)
{
    set32(MESSAGE, ACK);
    set32(MESSAGE + 4, p->expected);
    set32(MESSAGE + 8, is_done());
    return send_message(p, 3);
}

/* ---- frames in ---- */

static struct peer *peer_of(uint32_t ip)
{
    uint32_t i;

    for (i = 0; i < PEERS && (peers[i].ip == 0 || peers[i].ip != ip); i++) {
    }
    return i < PEERS ? &peers[i] : 0;
}

static void moves(struct peer *p)
{
    p->since = time_low();
}

static void take_arp(uint32_t length)
{
    struct peer *p = peer_of(get32(ARP + 14));
    uint32_t operation = get16(ARP + 6), i;
    uint8_t mac[6];

    if (length < ARP + 28 || p == 0) {
        others++;
        return;
    }
    for (i = 0; i < 6; i++) {
        mac[i] = f[ARP + 8 + i];
        p->mac[i] = mac[i];
    }
    p->known = true;
    if (operation == 1 && get32(ARP + 24) == own) {
        send_arp(2, mac, p->ip);
    }
}

/* An answer is what was asked, to the last byte. */
static void take_icmp(struct peer *p, uint32_t length)
{
    uint32_t i, slow;
    uint8_t mac[6];

    expect("check sum of a ping", p->ip, 0, check_sum(ICMP, length));
    if (f[ICMP] == 8) {
        f[ICMP] = 0;
        set16(ICMP + 2, 0);
        set16(ICMP + 2, check_sum(ICMP, length));
        for (i = 0; i < 6; i++) {
            mac[i] = f[FROM + i];
        }
        ipv4(mac, p->ip, 1, length);
        answered += netcard_send(&card, f, ICMP + length);
    } else if (f[ICMP] == 0 && p->asked && get32(ICMP + 4) == (0x50000000 | p->pings)) {
        expect("length of a ping", p->ip, 64, length);
        for (i = 8; i < 64; i++) {
            expect("bytes of a ping", i, (uint8_t)(i + p->pings), f[ICMP + i]);
        }
        slow = time_low() - p->since;
        p->slowest = slow > p->slowest ? slow : p->slowest;
        p->pings++;
        p->asked = false;
        moves(p);
    }
}

static void take_data(struct peer *p, uint32_t length)
{
    uint32_t number = get32(MESSAGE + 4), word = pattern(p->ip, number), i;

    expect("length of data", number, 4 * WORDS, length);
    for (i = 3; i < WORDS; i++, word += 0x01010101) {
        expect("data", number, word, get32(MESSAGE + 4 * i));
    }
    p->total = get32(MESSAGE + 8);
    p->expected += number == p->expected;
    p->owes = true;
}

static void take_ack(struct peer *p)
{
    uint32_t number = get32(MESSAGE + 4);

    p->done |= get32(MESSAGE + 8) == 1;
    if (number - p->acked > p->next - p->acked) {
        others++; /* older than another that came */
        return;
    }
    if (number != p->acked) {
        moves(p);
    }
    p->acked = number;
    if (p->acked == netclient_bulk && p->ticks == 0) {
        p->ticks = time_low() - p->begun;
    }
}

static uint32_t heard; /* when: the last of a peer */

static void take(uint32_t length)
{
    struct peer *p;
    uint32_t total;

    if (get16(TYPE) == 0x0806) {
        take_arp(length);
        return;
    }
    total = get16(IPV4 + 2);
    p = get16(TYPE) == 0x0800 && length >= ICMP + 8 ? peer_of(get32(IPV4 + 12)) : 0;
    if (p == 0) {
        others++;
        return;
    }
    if (f[IPV4] != 0x45 || total > length - IPV4 || total < 28 || get32(IPV4 + 16) != own || check_sum(IPV4, 20) != 0) {
        fail("header", p->ip, total);
    }
    heard = time_low();
    if (f[IPV4 + 9] == 1) {
        take_icmp(p, total - 20);
    } else if (f[IPV4 + 9] != 17 || get16(UDP + 2) != PORT || total < 40) {
        others++;
    } else if (get32(MESSAGE) == DATA) {
        take_data(p, total - 28);
    } else if (get32(MESSAGE) == ACK) {
        take_ack(p);
    }
}

/* ---- what is to do ---- */

static bool is_late(const struct peer *p)
{
    return time_low() - p->since >= AGAIN;
}

/* ARP, then pings, one at a time, then the bulk. */
static void work(struct peer *p)
{
    if (p->owes && p->known && send_ack(p)) { /* its data may come before it has said who it is */
        p->owes = false;
    }
    if (!p->known) {
        if (is_late(p) && send_arp(1, p->mac, p->ip)) {
            moves(p);
        }
    } else if (p->pings < PINGS) {
        if (!p->asked || is_late(p)) {
            resent += p->asked;
            p->asked = send_ping(p);
            moves(p);
        }
    } else {
        p->begun = p->next == 0 ? time_low() : p->begun;
        if (p->acked != p->next && is_late(p)) {
            resent += p->next - p->acked;
            p->next = p->acked;
            moves(p);
        }
        while (p->next < netclient_bulk && p->next - p->acked < WINDOW && send_data(p, p->next)) {
            moves(p);
            p->next++;
        }
    }
}

/* All have said that they are; or nobody says anything any more. */
static bool is_over(void)
{
    uint32_t i;

    for (i = 0; i < PEERS; i++) {
        if (peers[i].ip != 0 && (peers[i].owes || !peers[i].done)) {
            return time_low() - heard >= LINGER;
        }
    }
    return netcard_step(&card);
}

/* Only while there is room for the answer; but behind a death of the switch, what it left is in the way of the next life. */
static bool receive(void)
{
    int32_t length = 0;

    if (card.accepted - card.out < NETCARD_SENDS - 1 || card.lost) {
        length = netcard_receive(&card, f, sizeof(words));
        if (length > 0) {
            take((uint32_t)length);
        }
    } else {
        netcard_step(&card);
    }
    return length > 0;
}

static void put(const char *what, uint32_t number)
{
    put_text(what);
    put_decimal(number);
}

static void report(void)
{
    uint32_t i, pings = 0, sent = 0, received = 0;

    for (i = 0; i < PEERS; i++) {
        if (peers[i].ip != 0) {
            put("netclient: peer ", peers[i].ip & 0xFF);
            put(" slowest ping us ", peers[i].slowest / (BOARD_TB_HZ / 1000000u));
            put(" bulk us ", peers[i].ticks / (BOARD_TB_HZ / 1000000u));
            board_putc('\n');
            pings += peers[i].pings;
            sent += peers[i].acked;
            received += peers[i].expected;
        }
    }
    board_report();
    put("netclient: PASS pings=", pings);
    put(" answered=", answered);
    put(" sent=", sent);
    put(" received=", received);
    put(" resent=", resent);
    put(" again=", card.again);
    put(" lives=", card.lives);
    put(" others=", others);
    board_putc('\n');
}

static void begin(uint32_t one, uint32_t other)
{
    board_irq_reset();
    board_irq_enable_pulse(LINE);
    __asm__ volatile("wrteei 1");
    if (one == 0 && other == 0) {
        netvandal(BASE, &bells);
    }
    card.base = BASE;
    peers[0].ip = one;
    peers[1].ip = other;
    peers[0].since = peers[1].since = time_low() - AGAIN;
}

void simple_main(uint32_t one, uint32_t other)
{
    bool done = false;

    begin(one, other);
    do {
        uint32_t before = bells, i;

        while (receive()) {
        }
        own = IP(card.ip);
        for (i = 0; i < PEERS && card.known; i++) {
            peers[i].owes |= !done && is_done(); /* it is said to both */
            if (peers[i].ip != 0) {
                work(&peers[i]);
            }
        }
        done = is_done();
        simple_timer(AGAIN / 4);
        if (!done || !is_over()) {
            simple_wait(&bells, before);
        }
    } while (!done || !is_over());
    report();
    end();
}
