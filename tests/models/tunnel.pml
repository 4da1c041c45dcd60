/*
 * tunnel.pml: connect, accept, close, death and restart of two ends (src/ipcm/tunnel.c; hypercalls/README.md, Tunnels). A step of
 * the hypervisor is as a whole; between pieces of the memory that it clears, between calls and between accesses anything may
 * happen: an end dies, also in the middle of its own connect or close, and is begun anew, or stays away for ever.
 *
 * Holds: a life begins with memory that is zero; whoever can write belongs to the life that the other end is in, if it is in one;
 * nothing is cleared that somebody has; who waits for the other to leave does so no longer than that and the clearing take, if it
 * looks at its state; and an end that sleeps until it is rung has missed nothing.
 *
 * Wrong variants: NO_ZERO (a life begins without clearing), ZERO_EARLY (while the one who lost still has it), STALE (an end opens
 * beside one that lost), NO_RING (a change is not told), IDLE_LOOK (a look at the state does not go on with the
 * clearing that the other has begun and not ended), ONLY_OTHER (it does, but opens only the other end).
 */
#define PIECES 2
#define LIVES  3 /* their numbers, 1 to LIVES - 1 and around; 0: zero, none */

bool open[2], peer[2], waiting[2], lost[2]; /* the state word of each end */
byte cleared;                               /* pieces that are zero */
bool rung[2];

byte memory[PIECES] = 1; /* whose write is there; at power-on anything */
byte life[2];            /* that each end is in, while it is open */
byte last = 1;           /* the last life that began */

#define OTHER(e) (1 - (e))

inline ring(e)
{
#ifndef NO_RING
    rung[e] = true
#else
    skip
#endif
}

inline open_end(e)
{
    waiting[e] = false;
    open[e] = true;
    if
    :: open[OTHER(e)] && !lost[OTHER(e)] ->
        peer[e] = true;
        peer[OTHER(e)] = true;
        life[e] = life[OTHER(e)]
    :: else ->
        last = (last == LIVES - 1 -> 1 : last + 1);
        life[e] = last;
        assert(memory[0] == 0 && memory[1] == 0)
    fi;
    ring(OTHER(e))
}

inline leave(e)
{
    if
    :: open[e] ->
        if
        :: open[OTHER(e)] -> lost[OTHER(e)] = true; peer[OTHER(e)] = false; ring(OTHER(e))
        :: else -> cleared = 0
        fi
    :: else
    fi;
#ifdef ZERO_EARLY
    cleared = 0;
#endif
    open[e] = false;
    peer[e] = false;
    waiting[e] = false;
    lost[e] = false;
    life[e] = 0
}

#ifdef ZERO_EARLY
#define HELD (peer[0] || peer[1])
#else
#define HELD (open[0] || open[1])
#endif

/* A piece; more: there are more. */
inline clear(e)
{
    more = false;
    if
    :: HELD
#ifdef NO_ZERO
    :: !HELD && cleared < PIECES -> cleared = PIECES; more = true
#else
    :: !HELD && cleared < PIECES ->
        assert(!open[0] && !open[1]);
        memory[cleared] = 0;
        cleared++;
        more = true
#endif
    :: !HELD && cleared == PIECES ->
        if
        :: waiting[OTHER(e)] -> open_end(OTHER(e)); ring(OTHER(e))
        :: else
        fi;
#ifndef ONLY_OTHER
        if
        :: waiting[e] -> open_end(e)
        :: else
        fi;
#endif
        skip
    fi
}

inline connect(e)
{
    more = false;
    if
    :: open[e] || waiting[e]
#ifndef STALE
    :: !open[e] && !waiting[e] && lost[OTHER(e)] -> waiting[e] = true
    :: !open[e] && !waiting[e] && !lost[OTHER(e)] ->
#else
    :: !open[e] && !waiting[e] ->
#endif
        clear(e);
        if
        :: !more && !open[e] -> open_end(e)
        :: else
        fi
    fi
}

#define STATE(e) (open[e] + 2 * peer[e] + 4 * waiting[e] + 8 * lost[e])

/* An end: a guest that does what it likes, and the hypervisor's part of its death. It looks last when it falls asleep. */
bool asleep[2];
byte seen[2];

#define DIES if :: goto dead :: skip fi

proctype end_of(byte e)
{
    bool more;

alive:
    do
    :: !waiting[e] -> d_step { connect(e) };
        do
        :: more -> DIES; d_step { connect(e) }
        :: !more -> break
        od
    :: !waiting[e] && (open[OTHER(e)] || waiting[OTHER(e)]) ->
        d_step { connect(e) }; /* accept; the rest of the clearing is a connect */
        DIES
    :: d_step { leave(e); clear(e) };
        do
        :: more -> DIES; d_step { clear(e) }
        :: !more -> break
        od
    :: open[e] -> d_step { /* writes: into no life but that of the other end, if that is in one */
            assert(!open[OTHER(e)] || lost[e] || life[e] == life[OTHER(e)]);
            assert(!lost[e] || !open[OTHER(e)]);
            memory[0] = life[e]
        }
    :: d_step { open[e] -> memory[1] = life[e] }
    :: !waiting[e] -> d_step { rung[e] = false; seen[e] = STATE(e); asleep[e] = true };
end_asleep:
        if
        :: atomic { rung[e] -> asleep[e] = false }
        :: goto dead
        fi
    :: waiting[e] -> /* looks: who waits does nothing else but look, give up, or die */
#ifndef IDLE_LOOK
        d_step { clear(e) }
#else
        skip
#endif
    :: goto dead
    od;

dead:
    asleep[e] = false;
    d_step { leave(e); clear(e) };
    do
    :: more -> d_step { clear(e) } /* of a supervisor that pauses it here nobody sees the end: the other goes on with a look */
    :: more -> goto gone
    :: !more -> break
    od;
    if
    :: goto alive
    :: goto gone
    fi;
gone:
    skip
}

init {
    atomic { run end_of(0); run end_of(1) }
}

/* Who sleeps has seen its state, or is rung. */
active proctype nothing_missed()
{
end:
    do
    :: d_step {
            (asleep[0] && !rung[0] && seen[0] != STATE(0)) || (asleep[1] && !rung[1] && seen[1] != STATE(1)) -> assert(false)
        }
    od
}

/* Who waits while the other end has left is in at last, if the processor is its own from time to time. */
ltl patient { [] ((waiting[0] && !open[1]) -> <> !(waiting[0] && !open[1])) }
