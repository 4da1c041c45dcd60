/*
 * ipc.c: copies between shared memory and one's own. By relaxed atomic accesses, as all of the area: a compiler that knew it
 * for ordinary memory could read a byte twice, and make a memcpy() of the loop, which is not there.
 */
#include "ipc.h"

#define WORD_MASK (sizeof(ipc_word) - 1)

static bool by_words(const void *one, const void *other)
{
    return (((uintptr_t)one | (uintptr_t)other) & WORD_MASK) == 0;
}

/* Four words at a time: a third fewer instructions than word by word. */
void ipc_copy_in(uint8_t *at, const void *from, uint32_t length)
{
    const uint8_t *bytes = from;
    uint32_t i = 0;

    if (by_words(at, from)) {
        for (; length - i >= 4 * sizeof(ipc_word); i += 4 * sizeof(ipc_word)) {
            const ipc_word *four = (const ipc_word *)(bytes + i);
            uint32_t a = four[0], b = four[1], c = four[2], d = four[3];

            ipc_store(at + i, a);
            ipc_store(at + i + 4, b);
            ipc_store(at + i + 8, c);
            ipc_store(at + i + 12, d);
        }
        for (; length - i >= sizeof(ipc_word); i += sizeof(ipc_word)) {
            ipc_store(at + i, *(const ipc_word *)(bytes + i));
        }
    }
    for (; i < length; i++) {
        IPC_STEP();
        __atomic_store_n(at + i, bytes[i], __ATOMIC_RELAXED);
    }
}

void ipc_copy_out(void *to, const uint8_t *at, uint32_t length)
{
    uint8_t *bytes = to;
    uint32_t i = 0;

    if (by_words(to, at)) {
        for (; length - i >= 4 * sizeof(ipc_word); i += 4 * sizeof(ipc_word)) {
            ipc_word *four = (ipc_word *)(bytes + i);
            uint32_t a = ipc_load(at + i), b = ipc_load(at + i + 4), c = ipc_load(at + i + 8), d = ipc_load(at + i + 12);

            four[0] = a;
            four[1] = b;
            four[2] = c;
            four[3] = d;
        }
        for (; length - i >= sizeof(ipc_word); i += sizeof(ipc_word)) {
            *(ipc_word *)(bytes + i) = ipc_load(at + i);
        }
    }
    for (; i < length; i++) {
        IPC_STEP();
        bytes[i] = __atomic_load_n(at + i, __ATOMIC_RELAXED);
    }
}
