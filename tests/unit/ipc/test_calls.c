/*
 * test_calls.c: what each function answers, to wrong arguments and to a peer that lies. One end at a time; the other is poke().
 */
#include "shared.h"

#include <string.h>

#define LIE_COUNT 20000u

static uint8_t bytes[8192], back[8192];

static void some_bytes(void)
{
    uint32_t i;

    for (i = 0; i < sizeof(bytes); i++) {
        bytes[i] = (uint8_t)(i * 7 + 1);
    }
    memset(back, 0, sizeof(back));
}

/* An end as if `count` had gone through it. */
static struct ring ring_at(uint32_t role, uint32_t count)
{
    struct ring ring;

    assert_int_equal(ring_open(&ring, &area, role), 0);
    ring.link.count = ring.link.asked = count;
    return ring;
}

static void areas(void **state)
{
    struct ipc_area part, rest;
    struct ring ring;
    struct queueing_port queue;
    struct sampling_port sample;
    uint32_t size;

    (void)state;
    share(8192);
    for (size = 0; size <= 4096; size++) {
        bool good = size == RING_BYTES(32) || size == RING_BYTES(64) || size == RING_BYTES(128) || size == RING_BYTES(256) ||
                    size == RING_BYTES(512) || size == RING_BYTES(1024) || size == RING_BYTES(2048);

        part = (struct ipc_area){area.base, size, true};
        assert_int_equal(ring_open(&ring, &part, IPC_READER), good ? 0 : IPC_E_ARGUMENT);
        assert_int_equal(queueing_open(&queue, &part, IPC_WRITER, 10, 3),
                         size >= QUEUEING_BYTES(10, 3) ? 0 : IPC_E_ARGUMENT);
        assert_int_equal(sampling_open(&sample, &part, IPC_WRITER, 21, 0), size >= SAMPLING_BYTES(21) ? 0 : IPC_E_ARGUMENT);
    }
    part = (struct ipc_area){area.base, RING_BYTES(64), true};
    assert_int_equal(ring_open(&ring, &part, 2), IPC_E_ARGUMENT);
    assert_int_equal(queueing_open(&queue, &part, 2, 1, 1), IPC_E_ARGUMENT);
    assert_int_equal(sampling_open(&sample, &part, 2, 1, 0), IPC_E_ARGUMENT);
    part.base += 4;
    assert_int_equal(ring_open(&ring, &part, IPC_WRITER), IPC_E_ARGUMENT);
    assert_int_equal(queueing_open(&queue, &part, IPC_WRITER, 1, 1), IPC_E_ARGUMENT);
    assert_int_equal(sampling_open(&sample, &part, IPC_WRITER, 1, 0), IPC_E_ARGUMENT);
    assert_int_equal(queueing_open(&queue, &area, IPC_WRITER, 1, 0), IPC_E_ARGUMENT);
    for (size = UINT32_MAX; size > 8000; size = size / 2 + 1000) { /* sums and products that do not fit a word */
        assert_int_equal(queueing_open(&queue, &area, IPC_WRITER, size, 1), IPC_E_ARGUMENT);
        assert_int_equal(queueing_open(&queue, &area, IPC_WRITER, 4, size), IPC_E_ARGUMENT);
        assert_int_equal(sampling_open(&sample, &area, IPC_WRITER, size, 0), IPC_E_ARGUMENT);
    }

    rest = area;
    assert_int_equal(ipc_cut(&rest, RING_BYTES(64), &part), 0);
    assert_ptr_equal(part.base, area.base);
    assert_int_equal(part.size, 128);
    assert_ptr_equal(rest.base, area.base + 128);
    assert_int_equal(rest.size, 8192 - 128);
    assert_int_equal(ipc_cut(&rest, 33, &part), IPC_E_ARGUMENT);
    assert_int_equal(ipc_cut(&rest, 8192 - 96, &part), IPC_E_ARGUMENT);
    assert_int_equal(ipc_cut(&rest, 8192 - 128, &part), 0);
    assert_int_equal(rest.size, 0);
}

/* An end that cannot write: of a sampling port alone, and only to read. */
static void rights(void **state)
{
    struct ring ring;
    struct queueing_port queue;
    struct sampling_port sample;
    uint64_t age;

    (void)state;
    share(RING_BYTES(64));
    assert_int_equal(ring_open(&ring, &read_only, IPC_READER), IPC_E_RIGHTS);
    assert_int_equal(ring_open(&ring, &read_only, IPC_WRITER), IPC_E_RIGHTS);
    assert_int_equal(queueing_open(&queue, &read_only, IPC_READER, 8, 1), IPC_E_RIGHTS);
    assert_int_equal(queueing_open(&queue, &read_only, IPC_WRITER, 8, 1), IPC_E_RIGHTS);
    assert_int_equal(sampling_open(&sample, &read_only, IPC_WRITER, 8, 0), IPC_E_RIGHTS);
    assert_int_equal(sampling_open(&sample, &read_only, IPC_READER, 8, 0), 0);
    assert_int_equal(sampling_read(&sample, back, sizeof(back), &age), IPC_E_EMPTY);
    assert_int_equal(sampling_write(&sample, bytes, 1), IPC_E_ARGUMENT); /* by who reads */
}

/* Who writes does not read, and the other way around. */
static void roles(void **state)
{
    struct ring ring;
    struct queueing_port queue;

    (void)state;
    share(RING_BYTES(64));
    ring = ring_at(IPC_READER, 0);
    assert_int_equal(ring_write(&ring, bytes, 1), IPC_E_ARGUMENT);
    assert_int_equal(ring_send(&ring, bytes, 1), IPC_E_ARGUMENT);
    ring = ring_at(IPC_WRITER, 0);
    assert_int_equal(ring_read(&ring, back, 1), IPC_E_ARGUMENT);
    assert_int_equal(ring_receive(&ring, back, 1), IPC_E_ARGUMENT);
    assert_int_equal(ring_next(&ring), IPC_E_ARGUMENT);
    assert_int_equal(ring_drop(&ring), IPC_E_ARGUMENT);
    assert_int_equal(queueing_open(&queue, &area, IPC_WRITER, 8, 2), 0);
    assert_int_equal(queueing_receive(&queue, back, 8), IPC_E_ARGUMENT);
    assert_int_equal(queueing_open(&queue, &area, IPC_READER, 8, 2), 0);
    assert_int_equal(queueing_send(&queue, bytes, 1), IPC_E_ARGUMENT);
    assert_int_equal(peek(0) | peek(IPC_LINE), 0);
}

/* Messages of every length that fit, from every place in the ring and where the counters pass 2^32, into every room. */
static void messages(void **state)
{
    uint32_t start, length;

    (void)state;
    some_bytes();
    share(RING_BYTES(64));
    for (start = 0u - 64; start != 64; start += 4) {
        struct ring in = ring_at(IPC_READER, start), out = ring_at(IPC_WRITER, start);

        poke(0, start);
        poke(IPC_LINE, start);
        for (length = 0; length <= 60; length++) {
            assert_int_equal(ring_receive(&in, back, sizeof(back)), IPC_E_EMPTY);
            assert_int_equal(ring_next(&in), IPC_E_EMPTY);
            assert_int_equal(ring_drop(&in), IPC_E_EMPTY);
            assert_int_equal(ring_send(&out, bytes + length % 2, length), 0);
            if (ipc_words(length) == 60) {
                assert_int_equal(ring_send(&out, bytes, 0), IPC_E_FULL);
            }
            assert_int_equal(ring_next(&in), length);
            if (length != 0) {
                assert_int_equal(ring_receive(&in, back, length - 1), IPC_E_SIZE);
            }
            memset(back, 0, 64);
            assert_int_equal(ring_receive(&in, back, length), length);
            assert_memory_equal(back, bytes + length % 2, length);
            assert_int_equal(back[length], 0);
        }
        assert_int_equal(ring_send(&out, bytes, 61), IPC_E_ARGUMENT);
        assert_int_equal(ring_send(&out, bytes, UINT32_MAX), IPC_E_ARGUMENT);
        assert_int_equal(ring_send(&out, bytes, 29), 0);
        assert_int_equal(ring_send(&out, bytes, 25), IPC_E_FULL); /* 28 bytes are left, and 32 wanted */
        assert_int_equal(ring_send(&out, bytes, 24), 0);
        assert_int_equal(ring_drop(&in), 29);
        assert_int_equal(ring_drop(&in), 24);
        assert_int_equal(ring_drop(&in), IPC_E_EMPTY);
    }
}

static void bytes_in_pieces(void **state)
{
    struct ring in, out;

    (void)state;
    some_bytes();
    share(RING_BYTES(32));
    in = ring_at(IPC_READER, 0);
    out = ring_at(IPC_WRITER, 0);
    assert_int_equal(ring_read(&in, back, 10), 0);
    assert_int_equal(ring_write(&out, bytes, UINT32_MAX), 32); /* what there is room for */
    assert_int_equal(ring_write(&out, bytes + 32, 1), 0);
    assert_int_equal(ring_read(&in, back, 5), 5);
    assert_int_equal(ring_write(&out, bytes + 32, 9), 5);
    assert_int_equal(ring_read(&in, back + 5, UINT32_MAX), 32);
    assert_memory_equal(back, bytes, 37);
    assert_int_equal(ring_read(&in, back, 0), 0);
    assert_int_equal(ring_write(&out, bytes, 0), 0);
}

/* The other end's counter can be anything: what cannot be is told, and nothing has changed. */
static void wild_counters(void **state)
{
    uint32_t i, seed = 5;

    (void)state;
    share(RING_BYTES(64));
    for (i = 0; i < LIE_COUNT; i++) {
        uint32_t own = random_word(&seed) & ~3u, peer = i % 2 ? random_word(&seed) : own + random_word(&seed) % 200 - 100;
        struct ring in = ring_at(IPC_READER, own), out = ring_at(IPC_WRITER, own);
        struct queueing_port from, to;
        bool readable = peer - own <= 64, writable = own - peer <= 64;

        memset(area.base, 0, area.size);
        poke(0, peer);
        assert_int_equal(ring_read(&in, back, 0), readable ? 0 : IPC_E_PEER);
        assert_int_equal(ring_receive(&in, back, 0) == IPC_E_PEER, !readable || (peer != own && peer - own < 4));
        in = ring_at(IPC_READER, own); /* it may have taken a message of no bytes */
        assert_int_equal(ring_read(&in, back, 80), readable ? (int32_t)(peer - own) : IPC_E_PEER);
        poke(IPC_LINE, peer);
        assert_int_equal(ring_write(&out, bytes, 0), writable ? 0 : IPC_E_PEER);
        assert_int_equal(ring_send(&out, bytes, 60), !writable ? IPC_E_PEER : own == peer ? 0 : IPC_E_FULL);
        out = ring_at(IPC_WRITER, own);
        assert_int_equal(ring_write(&out, bytes, 80), writable ? (int32_t)(64 - (own - peer)) : IPC_E_PEER);

        queueing_open(&from, &area, IPC_READER, 4, 8);
        queueing_open(&to, &area, IPC_WRITER, 4, 8);
        from.link.count = to.link.count = own;
        poke(0, peer);
        poke(IPC_LINE, peer);
        poke(LINK_DATA, 3);
        assert_int_equal(queueing_count(&from), peer - own <= 8 ? (int32_t)(peer - own) : IPC_E_PEER);
        assert_int_equal(queueing_count(&to), own - peer <= 8 ? (int32_t)(own - peer) : IPC_E_PEER);
        assert_int_equal(queueing_receive(&from, back, 4), peer == own ? IPC_E_EMPTY : peer - own <= 8 ? 3 : IPC_E_PEER);
        assert_int_equal(queueing_send(&to, bytes, 4), own - peer == 8 ? IPC_E_FULL : own - peer < 8 ? 0 : IPC_E_PEER);
    }
}

/* And so can a message's length. */
static void wild_lengths(void **state)
{
    static const uint32_t edges[] = {0,  1,  3,  4,  5,  27,         28,         29,         32,
                                     59, 60, 61, 64, 65, 0x7FFFFFFF, 0x80000000, 0xFFFFFFFC, 0xFFFFFFFF};
    struct queueing_port queue;
    struct sampling_port sample;
    uint32_t i, filled, seed = 6;
    uint64_t age;

    (void)state;
    share(RING_BYTES(64));
    for (i = 0; i < LIE_COUNT; i++) {
        uint32_t length = i < COUNT(edges) ? edges[i] : random_word(&seed) >> random_word(&seed) % 32;

        for (filled = 0; filled <= 64; filled++) {
            struct ring in = ring_at(IPC_READER, 0);
            bool good = filled >= 4 && length <= filled - 4 && ipc_words(length) <= filled - 4;
            int32_t expected = filled == 0 ? IPC_E_EMPTY : !good ? IPC_E_PEER : (int32_t)length;

            poke(0, filled);
            poke(LINK_DATA, length);
            if (i >= COUNT(edges) && filled % 16 != i % 16) {
                continue;
            }
            assert_int_equal(ring_next(&in), expected);
            assert_int_equal(ring_receive(&in, back, sizeof(back)), expected);
            assert_int_equal(in.link.count, good ? 4 + ipc_words(length) : 0);
            assert_int_equal(peek(IPC_LINE), in.link.count);
            poke(IPC_LINE, 0);
        }
        assert_int_equal(queueing_open(&queue, &area, IPC_READER, 13, 3), 0);
        poke(0, 1);
        poke(LINK_DATA, length);
        assert_int_equal(queueing_receive(&queue, back, 5), length > 13 ? IPC_E_PEER : length > 5 ? IPC_E_SIZE : (int32_t)length);
        assert_int_equal(queueing_count(&queue), length > 5 ? 1 : 0);
        poke(IPC_LINE, 0);

        assert_int_equal(sampling_open(&sample, &read_only, IPC_READER, 13, 0), 0);
        poke(0, 2);
        poke(IPC_LINE + 8, length);
        assert_int_equal(sampling_read(&sample, back, 5, &age),
                         length > 13 ? IPC_E_PEER : length > 5 ? IPC_E_SIZE : (int32_t)length);
        assert_int_equal(sampling_read(&sample, back, sizeof(back), &age), length > 13 ? IPC_E_PEER : (int32_t)length);
    }
}

/* A queue's slots are not a power of two: its messages stay apart, however often around, and where the counters pass 2^32. */
static void queues(void **state)
{
    struct queueing_port from, to;
    uint32_t i, put = 0, taken = 0, seed = 7;

    (void)state;
    share(QUEUEING_BYTES(6, 5));
    assert_int_equal(queueing_open(&from, &area, IPC_READER, 6, 5), 0);
    assert_int_equal(queueing_open(&to, &area, IPC_WRITER, 6, 5), 0);
    from.link.count = to.link.count = to.link.asked = UINT32_MAX - 500;
    poke(0, UINT32_MAX - 500);
    poke(IPC_LINE, UINT32_MAX - 500);
    assert_int_equal(queueing_send(&to, bytes, 7), IPC_E_ARGUMENT);
    assert_int_equal(queueing_send(&to, bytes, UINT32_MAX), IPC_E_ARGUMENT);
    for (i = 0; i < LIE_COUNT; i++) {
        assert_int_equal(queueing_count(&from), put - taken);
        assert_int_equal(queueing_count(&to), put - taken);
        if (random_word(&seed) % 2 != 0) {
            uint8_t message[6] = {(uint8_t)put, (uint8_t)(put >> 8), 2, 3, 4, 5};
            int32_t result = queueing_send(&to, message, 2 + put % 5);

            assert_int_equal(result, put - taken == 5 ? IPC_E_FULL : 0);
            put += result == 0;
        } else {
            int32_t result = queueing_receive(&from, back, 6);

            assert_int_equal(result, put == taken ? IPC_E_EMPTY : (int32_t)(2 + taken % 5));
            if (result > 0) {
                assert_int_equal(back[0] | back[1] << 8, taken & 0xFFFF);
                taken++;
            }
        }
    }
    assert_true(taken > 1000);
}

/* Age and validity; the number of the last message goes around without the zero that means none, and never stays in one slot. */
static void samples(void **state)
{
    struct sampling_port out, in;
    uint64_t age = 0;
    uint32_t word = 7;

    (void)state;
    share(SAMPLING_BYTES(8));
    assert_int_equal(sampling_open(&out, &area, IPC_WRITER, 8, 0), 0);
    assert_int_equal(sampling_open(&in, &read_only, IPC_READER, 8, 100), 0);
    assert_int_equal(sampling_read(&in, back, 8, &age), IPC_E_EMPTY);
    assert_int_equal(sampling_write(&out, bytes, 9), IPC_E_ARGUMENT);
    now = 0xFFFFFFFFF0;
    assert_int_equal(sampling_write(&out, &word, 4), 0);
    now += 100;
    assert_int_equal(sampling_read(&in, back, 8, &age), 4);
    assert_memory_equal(back, &word, 4);
    assert_true(age == 100 && sampling_is_valid(&in, age));
    now++;
    assert_int_equal(sampling_read(&in, back, 8, &age), 4); /* it stays */
    assert_true(age == 101 && !sampling_is_valid(&in, age));
    assert_int_equal(sampling_read(&in, back, 3, &age), IPC_E_SIZE);
    now -= 102; /* a stamp that is still to come: the writer lies */
    assert_int_equal(sampling_read(&in, back, 8, &age), 4);
    assert_false(sampling_is_valid(&in, age));
    in.refresh = UINT64_MAX - 1;
    assert_false(sampling_is_valid(&in, age));

    for (out.last = UINT32_MAX - 2; out.last != 4;) {
        uint32_t before = out.last;

        word++;
        assert_int_equal(sampling_write(&out, &word, 4), 0);
        assert_int_equal(out.last, before == UINT32_MAX ? 2 : before + 1);
        assert_int_equal((out.last ^ before) & 1, 1);
        assert_int_equal(sampling_read(&in, back, 8, &age), 4);
        assert_memory_equal(back, &word, 4);
    }
}

/* Whom to ring: the one who may have seen nothing behind what it has. */
static void rings(void **state)
{
    struct ring in, out;

    (void)state;
    share(RING_BYTES(64));
    in = ring_at(IPC_READER, 0);
    out = ring_at(IPC_WRITER, 0);
    assert_false(ring_rings(&out));     /* nothing was done */
    ring_send(&out, bytes, 4);
    assert_true(ring_rings(&out));      /* it may wait */
    ring_send(&out, bytes, 4);
    assert_false(ring_rings(&out));     /* it was rung for the first */
    ring_drop(&in);
    assert_false(ring_rings(&in));      /* there is more */
    assert_false(ring_rings(&out));     /* nothing new */
    ring_send(&out, bytes, 4);
    ring_send(&out, bytes, 4);
    ring_drop(&in);
    ring_drop(&in);
    assert_true(ring_rings(&out));      /* of a burst it has taken one, and may have seen no more */
    ring_drop(&in);
    assert_true(ring_rings(&in));       /* all is taken: the writer may wait for room */
    ring_send(&out, bytes, 4);
    ring_drop(&in);
    assert_false(ring_rings(&out));     /* it is taken already */

    out = ring_at(IPC_WRITER, 0x1000);  /* the counters have gone around since it last asked, but for one message */
    out.link.asked = 0x1008;
    poke(IPC_LINE, 0x1000);
    ring_send(&out, bytes, 4);
    assert_true(ring_rings(&out));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(areas),         cmocka_unit_test(rights),       cmocka_unit_test(roles),
        cmocka_unit_test(messages),      cmocka_unit_test(bytes_in_pieces), cmocka_unit_test(wild_counters),
        cmocka_unit_test(wild_lengths),  cmocka_unit_test(queues),       cmocka_unit_test(samples),
        cmocka_unit_test(rings),
    };

    return cmocka_run_group_tests_name("calls", tests, 0, 0);
}
