/*
 * link.pml: rings and queues (hypercalls/ipc/link.h). The writer sends as long as it likes, asks link_rings() when it likes but
 * before it waits or ends; the reader takes all. A process that does not go on any more is one that died: what holds in each
 * state holds for a death at each step.
 *
 * Holds: what is received is what was sent, in order, once; and when nothing moves any more, nobody waits for what is there.
 *
 * Wrong variants, each of which must fail: SWAPPED (the counter before the data), NO_ORDER (nothing between them), EARLY (the
 * reader takes data before it has seen the counter), NO_BARRIER_BEFORE_LOOK (link_rings() looks before its own counter is there),
 * NEVER_ASKED (a writer that has not asked while the counters went all around takes old for new), RINGS_IF_EMPTY (it forgets a
 * burst: only a reader that had all before the last message is rung).
 */
#define CAPACITY 2
#define MODULO   8 /* of counters: more than 2 * CAPACITY, as 2^32 is; a message is its number */

byte data[CAPACITY] = MODULO;

#include "memory.pml"

#define W 0
#define R 1
bool bell[2], waits[2];
byte sent, taken; /* the counters of the ends themselves */

#define BEHIND(a, b) ((a + MODULO - b) % MODULO)

inline wait(e)
{
    waits[e] = true;
end_waits:
    atomic { bell[e] -> bell[e] = false; waits[e] = false }
}

inline writer_asks()
{
#ifndef NO_BARRIER_BEFORE_LOOK
    ORDER(W);
#endif
    peer = count[R];
#ifdef RINGS_IF_EMPTY
    if
    :: BEHIND(sent, peer) == 1 -> bell[R] = true
    :: else
    fi;
#else
    if
    :: BEHIND(peer, asked) < BEHIND(sent, asked) -> bell[R] = true
    :: else
    fi;
#endif
    asked = sent
}

active proctype writer()
{
    byte peer, asked;

    do
    :: break /* it has nothing more to say */
    :: peer = count[R];
#ifndef NEVER_ASKED
        if
        :: BEHIND(sent, peer) < BEHIND(sent, asked) -> asked = peer
        :: else
        fi;
#endif
        if
        :: BEHIND(sent, peer) == CAPACITY -> writer_asks(); wait(W)
        :: else ->
            ORDER(W);
#ifdef SWAPPED
            STORE_COUNT(W, (sent + 1) % MODULO);
            ORDER(W);
            STORE_DATA(W, sent % CAPACITY, sent);
#else
            STORE_DATA(W, sent % CAPACITY, sent);
#ifndef NO_ORDER
            ORDER(W);
#endif
            STORE_COUNT(W, (sent + 1) % MODULO);
#endif
            sent = (sent + 1) % MODULO;
            if
            :: writer_asks()
            :: skip
            fi
        fi
    od;
    writer_asks()
}

active proctype reader()
{
    byte peer, message;

    do
    ::
#ifdef EARLY
        message = data[taken % CAPACITY];
#endif
        peer = count[W];
        if
        :: peer == taken -> wait(R)
        :: else ->
            assert(BEHIND(peer, taken) <= CAPACITY);
            ORDER(R);
#ifndef EARLY
            message = data[taken % CAPACITY];
#endif
            assert(message == taken);
            ORDER(R);
            STORE_COUNT(R, (taken + 1) % MODULO);
            taken = (taken + 1) % MODULO;
#ifndef NO_BARRIER_BEFORE_LOOK
            ORDER(R);
#endif
            peer = count[W];
            if
            :: peer == taken -> bell[W] = true
            :: else
            fi
        fi
    od
}

active proctype nobody_waits()
{
    timeout -> assert(!(waits[R] && sent != taken) && !(waits[W] && BEHIND(sent, taken) < CAPACITY))
}
