/*
 * netswitch.h: the switch of netcard.h, without the wire's controller: that is of who calls it.
 *
 * Who gets a frame of a client:
 *
 *   all others      if it is for a group; the wire too, if that can carry it
 *   a client        if it is for its MAC address
 *   the wire        else; it carries IPv4 and ARP
 *
 * Refused is, and counted:
 *
 *   forged          its source is not the client's MAC address; of IPv4, nor its IPv4 address; of ARP, neither as the sender's
 *   lost            for nobody: itself, or another protocol for the wire; and from the wire, for no client's IPv4 address
 *   full            no room in the queue of who it was for; a frame for a group leaves NETSWITCH_SPARE places for the others
 *
 * The wire has one address, whoever is behind it: small controllers (EthernetLite) receive what is for the one address that
 * they have, and broadcasts. So the switch puts it in the place of the client's as the source of what goes out, and as ARP's
 * sender, and knows by the IPv4 address who is to have what comes in. From the wire nobody speaks with an address of a client.
 *
 * A client may send so many frames in a period, refused ones too; what it sends more waits in its own queue until the next
 * begins, and nothing is lost by it. At a period's end it may come to twice as many, never for longer.
 *
 * A switch that has just begun does not know who is still there: what is for a client that it has not seen waits until that
 * comes, or `grace` is over. So no frame is lost because its sender was faster to find the new switch.
 */
#ifndef NETSWITCH_H
#define NETSWITCH_H

#include "netcard.h"

#define NETSWITCH_PORTS 8u
#define NETSWITCH_SPARE (NETCARD_HOLDS / 2)

struct netswitch_port {
    uint32_t tunnel;
    uint8_t *base;
    uint8_t mac[6], ip[4];
    uint32_t limit;            /* frames in a */
    uint32_t period;           /* of so many ticks */
    uint32_t left;             /* of them, in the one that began */
    uint64_t since;            /* then */
    bool there;                /* the client, or what it left */
    uint32_t lives, frames, bytes, got, forged, lost, full, held, lies;
    struct queueing_port from, to;
};

struct netswitch {
    bool (*wire)(const uint8_t *frame, uint32_t length); /* takes it as a whole; false: not now */
    uint32_t patience;         /* ticks until it is asked again then */
    uint32_t grace;            /* ticks for all clients to come, */
    uint64_t began;            /* since then; */
    bool settled;              /* all are there, or it is over */
    uint8_t mac[6];            /* the wire's */
    uint32_t count;
    uint32_t turn;             /* the client that was looked at last */
    uint32_t wait;             /* ticks: NETSWITCH_HELD */
    uint32_t heard, strange;   /* frames of the wire; of these, those that nobody got */
    struct netswitch_port port[NETSWITCH_PORTS];
    uint32_t frame[NETCARD_WORDS];
};

/*
 * What it says who the clients are: all zero before. A line `mac` for the wire, then for each client, from the partition's first
 * tunnel on, `mac ipv4 frames microseconds`; a # begins a comment. 0, or the number of the first line that is wrong.
 *
 *   02:00:00:00:00:01 10.0.0.1 100 10000
 */
uint32_t netswitch_configure(struct netswitch *s, const char *text, uint32_t ticks_per_us);

/* Then: wire, patience and grace are the caller's, and this is the rest. Clients' tunnels are apart by so much. */
void netswitch_begin(struct netswitch *s, uint8_t *base, uint32_t apart);

#define NETSWITCH_IDLE 0u /* nobody has anything: wait for a doorbell, or for the wire */
#define NETSWITCH_HELD 1u /* somebody has a frame that has to wait: or until s->wait is over */
#define NETSWITCH_DONE 2u /* something was done: go on */

/* A frame of the next client in turn that has one. */
uint32_t netswitch_step(struct netswitch *s);

/* May it have one from the wire? Else that is to wait, as a client's is: ask again after the next step. */
bool netswitch_hears(struct netswitch *s);

/* A frame has come from the wire. It may be changed. */
void netswitch_heard(struct netswitch *s, uint8_t *frame, uint32_t length);

/*
 * For controllers that do not say how long a frame was: its length, by what is in it, of which the first 60 bytes are there. 0:
 * nobody can know, and what is behind it may be another's.
 */
uint32_t netswitch_length(const uint8_t *frame);
#endif
