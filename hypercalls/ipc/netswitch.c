/*
 * netswitch.c: see netswitch.h. A frame is copied out of a queue before anything in it is believed.
 */
#include "netswitch.h"

#include "words.h"

#define TYPE_IPV4 0x0800u
#define TYPE_ARP  0x0806u

/* Where in a frame, and how long it is at least */
enum { TO = 0, FROM = 6, TYPE = 12, IP_LENGTH = 16, IP_FROM = 26, IP_TO = 30, IP_END = 34 };
enum { ARP_KIND = 14, ARP_FROM_MAC = 22, ARP_FROM_IP = 28, ARP_TO_MAC = 32, ARP_TO_IP = 38, ARP_END = 42 };

#define NOBODY NETSWITCH_PORTS

static const uint8_t arp_kind[6] = {0, 1, 8, 0, 6, 4}; /* of Ethernet and IPv4 */
static const uint8_t no_ip[4];

static bool same(const uint8_t *one, const uint8_t *other, uint32_t length)
{
    uint32_t i, differ = 0;

    for (i = 0; i < length; i++) {
        differ |= (uint32_t)(one[i] ^ other[i]);
    }
    return differ == 0;
}

static uint32_t half(const uint8_t *at)
{
    return (uint32_t)at[0] << 8 | at[1];
}

static bool is_group(const uint8_t *frame)
{
    return (frame[TO] & 1) != 0;
}

/* ---- configuration ---- */

/* A number up to `most`; 0 behind none. */
static const char *number(const char *at, uint32_t base, uint32_t most, uint32_t *value)
{
    const char *first = at;

    for (*value = 0; digit(*at) < base; at++) {
        *value = *value * base + digit(*at);
        if (*value > most) {
            return 0;
        }
    }
    return at == first ? 0 : at;
}

/* Bytes with a separator between them. */
static const char *bytes(const char *at, uint32_t base, char between, uint8_t *to, uint32_t count)
{
    uint32_t i, value;

    for (i = 0; i < count; i++) {
        if (i != 0 && *at++ != between) {
            return 0;
        }
        at = number(at, base, 255, &value);
        if (at == 0) {
            return 0;
        }
        to[i] = (uint8_t)value;
    }
    return is_end(*at) || skip(at) != at ? skip(at) : 0;
}

/* Its own, and no group's. */
static bool is_free(const struct netswitch *s, uint32_t count, const uint8_t *mac, const uint8_t *ip)
{
    uint32_t i;

    for (i = 0; i < count; i++) {
        if (same(s->port[i].mac, mac, 6) || same(s->port[i].ip, ip, 4)) {
            return false;
        }
    }
    return (mac[0] & 1) == 0 && !same(mac, s->mac, 6) && !same(ip, no_ip, 4);
}

static const char *client(struct netswitch *s, const char *at, uint32_t ticks_per_us)
{
    struct netswitch_port *p = &s->port[s->count];

    if (s->count == NETSWITCH_PORTS) {
        return 0;
    }
    at = bytes(at, 16, ':', p->mac, 6);
    at = at == 0 ? 0 : bytes(at, 10, '.', p->ip, 4);
    at = at == 0 ? 0 : number(at, 10, 1000000, &p->limit);
    at = at == 0 ? 0 : number(skip(at), 10, 1000000, &p->period);
    if (at == 0 || p->limit == 0 || p->period == 0 || !is_free(s, s->count, p->mac, p->ip)) {
        return 0;
    }
    p->period *= ticks_per_us;
    s->count++;
    return skip(at);
}

uint32_t netswitch_configure(struct netswitch *s, const char *text, uint32_t ticks_per_us)
{
    uint32_t line;
    bool wire = false;

    for (line = 1; *text != 0; line++) {
        text = skip(text);
        if (*text != '#' && *text != '\n') {
            text = wire ? client(s, text, ticks_per_us) : bytes(text, 16, ':', s->mac, 6);
            if (text == 0 || !is_end(*text) || (s->mac[0] & 1) != 0) {
                return line;
            }
            wire = true;
        }
        while (*text != 0 && *text != '\n') {
            text++;
        }
        text += *text == '\n';
    }
    return s->count == 0 ? line : 0;
}

void netswitch_begin(struct netswitch *s, uint8_t *base, uint32_t apart)
{
    uint32_t n;

    s->began = ipc_now();
    for (n = 0; n < s->count; n++) {
        s->port[n].tunnel = n;
        s->port[n].base = base + n * apart;
    }
}

/* ---- lives ---- */

/* What the card is, in front of everything else. */
static void greet(struct netswitch_port *p)
{
    uint8_t hello[NETCARD_HELLO];

    ipc_copy_in(hello, p->mac, 6);
    ipc_copy_in(hello + 6, p->ip, 4);
    hello[10] = NETCARD_FRAME >> 8;
    hello[11] = (uint8_t)NETCARD_FRAME;
    queueing_send(&p->to, hello, sizeof(hello));
    if (queueing_rings(&p->to)) {
        proteus_ipcm_notify(p->tunnel);
    }
}

static bool begin(struct netswitch_port *p)
{
    struct ipc_area area;

    p->there = tunnel_finds(p->tunnel, p->base, &area) && netcard_open(&area, IPC_READER, &p->from, &p->to);
    if (p->there) {
        p->lives++;
        greet(p);
    }
    return p->there;
}

static void leave(struct netswitch_port *p)
{
    p->there = false;
    proteus_ipcm_close(p->tunnel);
}

/* It has nothing. If it has died it is left, but not before all that it had sent. */
static uint32_t look_after(struct netswitch_port *p)
{
    uint32_t state = 0;

    proteus_ipcm_status(p->tunnel, &state);
    if ((state & TUNNEL_PEER) != 0) {
        return NETSWITCH_IDLE;
    }
    if (queueing_count(&p->from) <= 0) {
        leave(p);
    }
    return NETSWITCH_DONE;
}

/* ---- to clients ---- */

static void deliver(struct netswitch_port *p, const uint8_t *frame, uint32_t length, bool group)
{
    int32_t waiting = p->there ? queueing_count(&p->to) : 0, result = IPC_E_FULL;

    if (!p->there) {
        return;
    }
    if (waiting < 0) {
        result = waiting;
    } else if (!group || (uint32_t)waiting < NETCARD_HOLDS - NETSWITCH_SPARE) {
        result = queueing_send(&p->to, frame, length);
    }
    if (result == IPC_E_PEER) {
        p->lies++;
        leave(p);
        return;
    }
    p->got += result == 0;
    p->full += result != 0;
    if (result == 0 && queueing_rings(&p->to)) {
        proteus_ipcm_notify(p->tunnel);
    }
}

static uint32_t by_mac(const struct netswitch *s, const uint8_t *mac)
{
    uint32_t n;

    for (n = 0; n < s->count && !same(s->port[n].mac, mac, 6); n++) {
    }
    return n < s->count ? n : NOBODY;
}

static uint32_t by_ip(const struct netswitch *s, const uint8_t *ip)
{
    uint32_t n;

    for (n = 0; n < s->count && !same(s->port[n].ip, ip, 4); n++) {
    }
    return n < s->count ? n : NOBODY;
}

static void to_all(struct netswitch *s, uint32_t but, const uint8_t *frame, uint32_t length)
{
    uint32_t n;

    for (n = 0; n < s->count; n++) {
        if (n != but) {
            deliver(&s->port[n], frame, length, true);
        }
    }
}

/* ---- from clients ---- */

static bool is_ipv4(const uint8_t *frame, uint32_t length)
{
    return half(frame + TYPE) == TYPE_IPV4 && length >= IP_END;
}

static bool is_arp(const uint8_t *frame, uint32_t length)
{
    return half(frame + TYPE) == TYPE_ARP && length >= ARP_END && same(frame + ARP_KIND, arp_kind, sizeof(arp_kind));
}

/* Every address in it that says who sent it is the client's; a question before one has an address says none (RFC 5227). */
static bool is_own(const struct netswitch_port *p, const uint8_t *frame, uint32_t length)
{
    uint32_t type = half(frame + TYPE);

    if (!same(frame + FROM, p->mac, 6)) {
        return false;
    }
    if (type == TYPE_IPV4) {
        return is_ipv4(frame, length) && same(frame + IP_FROM, p->ip, 4);
    }
    if (type == TYPE_ARP) {
        return is_arp(frame, length) && same(frame + ARP_FROM_MAC, p->mac, 6) &&
               (same(frame + ARP_FROM_IP, p->ip, 4) || same(frame + ARP_FROM_IP, no_ip, 4));
    }
    return true;
}

/* These addresses in the place of the sender's. */
static void sign(uint8_t *frame, bool arp, const uint8_t *mac)
{
    ipc_copy_in(frame + FROM, mac, 6);
    if (arp) {
        ipc_copy_in(frame + ARP_FROM_MAC, mac, 6);
    }
}

/* Out with the wire's address; the frame is as it was behind it. */
static bool to_wire(const struct netswitch *s, const struct netswitch_port *p, uint8_t *frame, uint32_t length)
{
    bool arp = is_arp(frame, length), taken;

    sign(frame, arp, s->mac);
    taken = s->wire(frame, length);
    sign(frame, arp, p->mac);
    return taken;
}

/* Ticks that are left for who has not come yet; 0: all have, or it is over. */
static uint32_t unsettled(struct netswitch *s)
{
    uint64_t passed = ipc_now() - s->began;
    uint32_t n;

    for (n = 0; n < s->count && s->port[n].lives != 0; n++) {
    }
    s->settled = s->settled || n == s->count || passed >= s->grace;
    return s->settled ? 0 : s->grace - (uint32_t)passed;
}

/* The same for who is to get this. */
static uint32_t awaited(struct netswitch *s, uint32_t other, const uint8_t *frame)
{
    bool all = is_group(frame);

    return s->settled || (!all && (other == NOBODY || s->port[other].lives != 0)) ? 0 : unsettled(s);
}

/* 0, or ticks to wait. The wire comes first, for it alone can be busy: nobody has got the frame then. */
static uint32_t forward(struct netswitch *s, uint32_t n, uint8_t *frame, uint32_t length)
{
    struct netswitch_port *p = &s->port[n];
    uint32_t other = by_mac(s, frame + TO), ticks;
    bool wire;

    if (length < NETCARD_HEAD || !is_own(p, frame, length)) {
        p->forged++;
        return 0;
    }
    ticks = awaited(s, other, frame);
    if (ticks != 0) {
        return ticks;
    }
    wire = other == NOBODY && (is_ipv4(frame, length) || is_arp(frame, length)) && !same(frame + TO, s->mac, 6);
    if (wire && !to_wire(s, p, frame, length)) {
        return s->patience;
    }
    if (is_group(frame)) {
        to_all(s, n, frame, length);
    } else if (other != NOBODY && other != n) {
        deliver(&s->port[other], frame, length, false);
    } else if (!wire) {
        p->lost++;
    }
    return 0;
}

/* May it send one now? 0, or ticks until it may. */
static uint32_t must_wait(struct netswitch_port *p)
{
    uint64_t now = ipc_now();

    if (now - p->since >= p->period) {
        p->since = now;
        p->left = p->limit;
    }
    return p->left != 0 ? 0 : p->period - (uint32_t)(now - p->since);
}

static uint32_t hold(struct netswitch *s, struct netswitch_port *p, uint32_t ticks)
{
    p->held++;
    s->wait = ticks < s->wait ? ticks : s->wait;
    return NETSWITCH_HELD;
}

static uint32_t serve(struct netswitch *s, struct netswitch_port *p, uint32_t n)
{
    int32_t length;
    uint32_t ticks;

    if (!p->there && !begin(p)) {
        return NETSWITCH_IDLE;
    }
    length = queueing_count(&p->from);
    if (length == 0) {
        return look_after(p);
    }
    ticks = length > 0 ? must_wait(p) : 0;
    if (ticks != 0) {
        return hold(s, p, ticks);
    }
    length = length > 0 ? queueing_peek(&p->from, s->frame, sizeof(s->frame)) : length;
    if (length < 0) {
        p->lies++;
        leave(p);
        return NETSWITCH_DONE;
    }
    ticks = forward(s, n, (uint8_t *)s->frame, (uint32_t)length);
    if (ticks != 0) {
        return hold(s, p, ticks);
    }
    p->left--;
    p->frames++;
    p->bytes += (uint32_t)length;
    queueing_drop(&p->from);
    if (queueing_rings(&p->from)) {
        proteus_ipcm_notify(p->tunnel);
    }
    return NETSWITCH_DONE;
}

uint32_t netswitch_step(struct netswitch *s)
{
    uint32_t i, result = NETSWITCH_IDLE;

    s->wait = UINT32_MAX;
    for (i = 0; i < s->count; i++) {
        uint32_t one;

        s->turn = s->turn + 1 >= s->count ? 0 : s->turn + 1;
        one = serve(s, &s->port[s->turn], s->turn);
        if (one == NETSWITCH_DONE) {
            return one;
        }
        result = one > result ? one : result;
    }
    return result;
}

/* ---- from the wire ---- */

uint32_t netswitch_length(const uint8_t *frame)
{
    uint32_t length = half(frame + IP_LENGTH);

    if (half(frame + TYPE) == TYPE_ARP) {
        return ARP_END;
    }
    return half(frame + TYPE) != TYPE_IPV4 || length < IP_END - NETCARD_HEAD || length > NETCARD_FRAME - NETCARD_HEAD
               ? 0
               : NETCARD_HEAD + length;
}

bool netswitch_hears(struct netswitch *s)
{
    return unsettled(s) == 0;
}

/* It speaks with an address of a client, or of the switch. */
static bool is_pretended(const struct netswitch *s, const uint8_t *frame, bool arp)
{
    return by_mac(s, frame + FROM) != NOBODY || same(frame + FROM, s->mac, 6) ||
           by_ip(s, frame + (arp ? ARP_FROM_IP : IP_FROM)) != NOBODY || (arp && by_mac(s, frame + ARP_FROM_MAC) != NOBODY);
}

void netswitch_heard(struct netswitch *s, uint8_t *frame, uint32_t length)
{
    bool arp = is_arp(frame, length);
    uint32_t n = NOBODY;

    s->heard++;
    if (length > NETCARD_FRAME || (!arp && !is_ipv4(frame, length)) || is_pretended(s, frame, arp)) {
        s->strange++;
        return;
    }
    if (is_group(frame)) {
        to_all(s, NOBODY, frame, length);
        return;
    }
    n = same(frame + TO, s->mac, 6) ? by_ip(s, frame + (arp ? ARP_TO_IP : IP_TO)) : NOBODY;
    if (n == NOBODY) {
        s->strange++;
        return;
    }
    ipc_copy_in(frame + TO, s->port[n].mac, 6);
    if (arp) {
        ipc_copy_in(frame + ARP_TO_MAC, s->port[n].mac, 6);
    }
    deliver(&s->port[n], frame, length, false);
}
