/*
 * ipc.h: what ring.h and port.h are made of: an area of shared memory, access to it, its order, errors.
 *
 * The other end is hostile. What it may write is read once into a register (ipc_load), compared with what can be, and only then
 * used; what this end has written itself is in its own memory and never read back. So nothing that the other end writes makes
 * an access outside of the area, or a loop longer than its own arguments say; a lie is told by IPC_E_PEER, or is only a wrong
 * message.
 *
 * All zero is an empty ring and a port that was never written: memory of a tunnel that begins a life is set up already.
 *
 * Lengths are bytes, times ticks of the time base. Results below zero are errors (IPC_E_*), and then nothing has changed.
 */
#ifndef IPC_H
#define IPC_H

#define IPC_E_ARGUMENT -1 /* an area too small or not at a multiple of IPC_LINE, a message too long for ever, ... */
#define IPC_E_RIGHTS   -2 /* this end may not write the area, and would have to */
#define IPC_E_EMPTY    -3 /* nothing there now */
#define IPC_E_FULL     -4 /* no room now */
#define IPC_E_SIZE     -5 /* the message is longer than the buffer; it is still there */
#define IPC_E_PEER     -6 /* the other end has written what cannot be: close the tunnel */
#define IPC_E_BUSY     -7 /* it was overwritten while it was read, IPC_TRIES times in a row: read again */

#define IPC_LINE  32 /* words of different writers are in different lines of the cache, as a DMA master would want it */
#define IPC_TRIES 4

#define IPC_WRITER 0 /* role: producer of a ring, source of a port */
#define IPC_READER 1 /* consumer, destination */

#ifndef __ASSEMBLER__
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* Shared memory as this end sees it. A part of a tunnel is one as well: of two rings, one for each way, say. */
struct ipc_area {
    uint8_t *base;  /* a multiple of IPC_LINE */
    uint32_t size;
    bool writable;  /* by this end; of a tunnel, its state without TUNNEL_READ_ONLY */
};

/* A step of an end that the other end can see, or that sees it: a test can do something between any two. */
#ifndef IPC_STEP
#define IPC_STEP() ((void)0)
#endif

/*
 * All before it is performed before all behind it, loads and stores, for the other end and for a device. On the 405 eieio is a
 * sync (User's manual, "Storage synchronization"); by the architecture eieio orders stores alone, and loads have to be in
 * order, too.
 */
#ifdef __powerpc__
static inline void ipc_order(void)
{
    __asm__ volatile("sync" : : : "memory");
}

/* The time base, which all VMs share: a restart does not set it back. */
static inline uint64_t ipc_now(void)
{
    uint32_t high, low, again;

    do { /* twice at most: the upper half changes once in 2^32 ticks */
        __asm__ volatile("mftbu %0" : "=r"(high));
        __asm__ volatile("mftb %0" : "=r"(low));
        __asm__ volatile("mftbu %0" : "=r"(again));
    } while (high != again);
    return (uint64_t)high << 32 | low;
}
#else
#include <stdatomic.h>

static inline void ipc_order(void)
{
    atomic_thread_fence(memory_order_seq_cst);
}

uint64_t ipc_now(void);
#endif

/* A word or a byte of the area, once: the compiler neither repeats the access nor leaves it out. */
typedef uint32_t __attribute__((may_alias)) ipc_word;

static inline uint32_t ipc_load(const uint8_t *at)
{
    IPC_STEP();
    return __atomic_load_n((const ipc_word *)at, __ATOMIC_RELAXED);
}

static inline void ipc_store(uint8_t *at, uint32_t value)
{
    IPC_STEP();
    __atomic_store_n((ipc_word *)at, value, __ATOMIC_RELAXED);
}

/* Copy into and out of the area, by words where both are at a word; each is accessed once. */
void ipc_copy_in(uint8_t *at, const void *from, uint32_t length);
void ipc_copy_out(void *to, const uint8_t *at, uint32_t length);

/* Words that a message of this length takes, in bytes. */
static inline uint32_t ipc_words(uint32_t length)
{
    return (length + 3) & ~3u;
}

/* The first `size` bytes of `rest`, which begins behind them then; both ends cut in the same way. IPC_E_ARGUMENT: too few. */
static inline int32_t ipc_cut(struct ipc_area *rest, uint32_t size, struct ipc_area *part)
{
    if (size % IPC_LINE != 0 || size > rest->size) {
        return IPC_E_ARGUMENT;
    }
    *part = (struct ipc_area){rest->base, size, rest->writable};
    rest->base += size;
    rest->size -= size;
    return 0;
}
#endif
#endif
