/*
 * test_threads.c: two ends at the same time. Everything arrives once, whole and in order, a million times each; who waits is
 * woken; and an end whose peer writes what it likes, where it likes, meets nothing but errors and wrong messages.
 */
#include "shared.h"

#include <pthread.h>
#include <sched.h>
#include <semaphore.h>
#include <string.h>
#include <time.h>

#define MESSAGES 1000000u
#define LONGEST  60u

/* Message number i: its length and bytes follow from i alone. */
static uint32_t make(uint32_t i, uint8_t *bytes)
{
    uint32_t seed = i * 2654435761u + 1, length = random_word(&seed) % (LONGEST + 1), at;

    for (at = 0; at < length; at++) {
        bytes[at] = (uint8_t)(i + at * 7);
    }
    return length;
}

static void is_message(uint32_t i, const uint8_t *bytes, int32_t length)
{
    uint8_t expected[LONGEST];

    assert_int_equal(length, make(i, expected));
    assert_memory_equal(bytes, expected, (uint32_t)length);
}

static void together(void *(*writer)(void *), void (*reader)(void))
{
    pthread_t thread;

    assert_int_equal(pthread_create(&thread, 0, writer, 0), 0);
    reader();
    assert_int_equal(pthread_join(thread, 0), 0);
}

/* ---- a ring of messages, with a buffer that is at a word every other time ---- */

static void *send_messages(void *nothing)
{
    struct ring ring;
    uint8_t bytes[LONGEST + 1];
    uint32_t i;
    int32_t result;

    ring_open(&ring, &area, IPC_WRITER);
    for (i = 0; i < MESSAGES; i++) {
        uint32_t length = make(i, bytes + i % 2);

        while ((result = ring_send(&ring, bytes + i % 2, length)) == IPC_E_FULL) {
            sched_yield();
        }
        if (result != 0) { /* the reader waits for a message that does not come, and says so */
            break;
        }
    }
    return nothing;
}

static void receive_messages(void)
{
    struct ring ring;
    uint8_t bytes[LONGEST + 1];
    uint32_t i;
    int32_t length;

    assert_int_equal(ring_open(&ring, &area, IPC_READER), 0);
    for (i = 0; i < MESSAGES; i++) {
        while ((length = ring_receive(&ring, bytes + i % 2, LONGEST)) == IPC_E_EMPTY) {
            sched_yield();
        }
        is_message(i, bytes + i % 2, length);
    }
    assert_int_equal(ring_receive(&ring, bytes, LONGEST), IPC_E_EMPTY);
}

static void messages(void **state)
{
    (void)state;
    share(RING_BYTES(64)); /* for one of the longest */
    together(send_messages, receive_messages);
    share(RING_BYTES(4096));
    together(send_messages, receive_messages);
}

/* ---- a ring of bytes ---- */

#define BYTES 8000000u

static uint8_t byte_at(uint32_t i)
{
    return (uint8_t)(i * 31 + (i >> 8) * 17 + (i >> 16));
}

static void *write_bytes(void *nothing)
{
    struct ring ring;
    uint8_t bytes[200];
    uint32_t i, done = 0, seed = 1;

    ring_open(&ring, &area, IPC_WRITER);
    while (done < BYTES) {
        uint32_t length = random_word(&seed) % sizeof(bytes);
        int32_t result;

        length = length < BYTES - done ? length : BYTES - done;
        for (i = 0; i < length; i++) {
            bytes[i] = byte_at(done + i);
        }
        result = ring_write(&ring, bytes, length);
        if (result < 0) {
            break;
        }
        done += (uint32_t)result;
        if (result == 0) {
            sched_yield();
        }
    }
    return nothing;
}

static void read_bytes(void)
{
    struct ring ring;
    uint8_t bytes[200];
    uint32_t i, done = 0, seed = 2;

    assert_int_equal(ring_open(&ring, &area, IPC_READER), 0);
    while (done < BYTES) {
        int32_t length = ring_read(&ring, bytes, random_word(&seed) % sizeof(bytes));

        assert_in_range(length, 0, sizeof(bytes));
        for (i = 0; i < (uint32_t)length; i++, done++) {
            if (bytes[i] != byte_at(done)) {
                fail_msg("byte %u is %u", done, bytes[i]);
            }
        }
        if (length == 0) {
            sched_yield();
        }
    }
    assert_int_equal(done, BYTES);
    assert_int_equal(ring_read(&ring, bytes, sizeof(bytes)), 0);
}

static void bytes(void **state)
{
    (void)state;
    share(RING_BYTES(128));
    together(write_bytes, read_bytes);
}

/* ---- who waits is rung: a semaphore is the line of an interrupt controller, one pulse or none ---- */

#define RUNG 100000u

static struct {
    sem_t line;
    uint32_t pulses, waits;
} bell[2];

static void ring_bell(uint32_t end)
{
    int pending;

    bell[end].pulses++;
    sem_getvalue(&bell[end].line, &pending);
    if (pending <= 0) {
        sem_post(&bell[end].line);
    }
}

/* False: nobody has rung for a minute. */
static bool wait_bell(uint32_t end)
{
    struct timespec until;

    bell[end].waits++;
    clock_gettime(CLOCK_REALTIME, &until);
    until.tv_sec += 60;
    return sem_timedwait(&bell[end].line, &until) == 0;
}

/* In bursts, of which only the last is followed by the question. */
static void *send_and_ring(void *nothing)
{
    struct queueing_port port;
    uint32_t i, seed = 3;

    queueing_open(&port, &area, IPC_WRITER, sizeof(i), 5);
    for (i = 0; i < RUNG; i++) {
        while (queueing_send(&port, &i, sizeof(i)) != 0) {
            if (queueing_rings(&port)) {
                ring_bell(IPC_READER);
            }
            if (!wait_bell(IPC_WRITER)) {
                return nothing;
            }
        }
        if ((i == RUNG - 1 || random_word(&seed) % 4 == 0) && queueing_rings(&port)) {
            ring_bell(IPC_READER);
        }
    }
    return nothing;
}

static void receive_and_ring(void)
{
    struct queueing_port port;
    uint32_t i, word;
    int32_t length;

    assert_int_equal(queueing_open(&port, &area, IPC_READER, sizeof(i), 5), 0);
    for (i = 0; i < RUNG; i++) {
        while ((length = queueing_receive(&port, &word, sizeof(word))) == IPC_E_EMPTY) {
            assert_true(wait_bell(IPC_READER));
        }
        assert_int_equal(length, sizeof(word));
        assert_int_equal(word, i);
        if (queueing_rings(&port)) {
            ring_bell(IPC_WRITER);
        }
    }
}

static void doorbells(void **state)
{
    (void)state;
    memset(bell, 0, sizeof(bell));
    sem_init(&bell[0].line, 0, 0);
    sem_init(&bell[1].line, 0, 0);
    share(LINK_DATA + 5 * QUEUEING_SLOT(4) + 4 * 4 + 8);
    together(send_and_ring, receive_and_ring);
    assert_in_range(bell[IPC_READER].pulses, 1, RUNG);
    assert_in_range(bell[IPC_WRITER].waits, 1, RUNG);
}

/* ---- a queueing port ---- */

static void *queue_messages(void *nothing)
{
    struct queueing_port port;
    uint8_t bytes[LONGEST];
    uint32_t i;
    int32_t result;

    queueing_open(&port, &area, IPC_WRITER, LONGEST, 7);
    for (i = 0; i < MESSAGES; i++) {
        uint32_t length = make(i, bytes);

        while ((result = queueing_send(&port, bytes, length)) == IPC_E_FULL) {
            sched_yield();
        }
        if (result != 0) {
            break;
        }
    }
    return nothing;
}

static void unqueue_messages(void)
{
    struct queueing_port port;
    uint8_t bytes[LONGEST];
    uint32_t i;
    int32_t length;

    assert_int_equal(queueing_open(&port, &area, IPC_READER, LONGEST, 7), 0);
    for (i = 0; i < MESSAGES; i++) {
        while ((length = queueing_receive(&port, bytes, sizeof(bytes))) == IPC_E_EMPTY) {
            sched_yield();
        }
        is_message(i, bytes, length);
    }
    assert_int_equal(queueing_receive(&port, bytes, sizeof(bytes)), IPC_E_EMPTY);
}

static void queue(void **state)
{
    (void)state;
    share(QUEUEING_BYTES(LONGEST, 7));
    together(queue_messages, unqueue_messages);
}

/* ---- a sampling port: whole messages, none older than the one before, by an end that can only read ---- */

#define SAMPLE_WORDS 12
static bool written;

static void *write_samples(void *nothing)
{
    struct sampling_port port;
    uint32_t words[SAMPLE_WORDS], i, at;

    sampling_open(&port, &area, IPC_WRITER, sizeof(words), 0);
    for (i = 1; i <= MESSAGES; i++) {
        for (at = 0; at < SAMPLE_WORDS; at++) {
            words[at] = i;
        }
        __atomic_store_n(&now, (uint64_t)i << 20, __ATOMIC_RELAXED);
        sampling_write(&port, words, 4 + i % SAMPLE_WORDS * 4);
    }
    __atomic_store_n(&written, true, __ATOMIC_RELEASE);
    return nothing;
}

static void read_samples(void)
{
    struct sampling_port port;
    uint32_t words[SAMPLE_WORDS], last = 0, at, reads = 0;
    uint64_t age;
    bool end = false;

    assert_int_equal(sampling_open(&port, &read_only, IPC_READER, sizeof(words), 1 << 20), 0);
    while (last != MESSAGES) {
        int32_t length = sampling_read(&port, words, sizeof(words), &age);

        if (length == IPC_E_EMPTY || length == IPC_E_BUSY) {
            assert_false(end);
            continue;
        }
        end = __atomic_load_n(&written, __ATOMIC_ACQUIRE);
        assert_true(words[0] >= last && words[0] <= MESSAGES);
        last = words[0];
        assert_int_equal(length, 4 + last % SAMPLE_WORDS * 4);
        assert_true(age <= (uint64_t)MESSAGES << 20 && age % (1 << 20) == 0);
        for (at = 1; at < (uint32_t)length / 4; at++) {
            assert_int_equal(words[at], last);
        }
        reads++;
    }
    assert_true(reads > 0);
    assert_int_equal(age, 0);
}

static void samples(void **state)
{
    (void)state;
    share(SAMPLING_BYTES(4 * SAMPLE_WORDS));
    written = false;
    together(write_samples, read_samples);
}

/* ---- a peer that writes all over it ---- */

static bool enough;

/* Small numbers as well: those that could be true. */
static void *scribble(void *nothing)
{
    uint32_t seed = 4, base = 0;

    while (!__atomic_load_n(&enough, __ATOMIC_RELAXED)) {
        uint32_t at = random_word(&seed) % (area.size / 4) * 4, kind = random_word(&seed);

        base = kind % 64 == 0 ? peek(kind % 128 < 64 ? 0 : IPC_LINE) : base;
        poke(at, kind % 4 == 0 ? random_word(&seed) : base + random_word(&seed) % 200);
    }
    return nothing;
}

static bool is_one_of(int32_t result, uint32_t errors)
{
    return result >= 0 || (result >= IPC_E_BUSY && (errors >> -result & 1) != 0);
}

#define ROOM      40u
#define ERRORS(a) (1u << -(a))
#define MAY_READ  (ERRORS(IPC_E_EMPTY) | ERRORS(IPC_E_SIZE) | ERRORS(IPC_E_PEER))
#define MAY_WRITE (ERRORS(IPC_E_FULL) | ERRORS(IPC_E_PEER))

static void endure(void)
{
    struct ring in, out, bytes_in;
    struct queueing_port from, to;
    struct sampling_port sample;
    uint8_t buffer[ROOM + 64];
    uint32_t i, accepted = 0;
    uint64_t age;

    memset(buffer, 0x5A, sizeof(buffer));
    ring_open(&in, &area, IPC_READER);
    ring_open(&out, &area, IPC_WRITER);
    ring_open(&bytes_in, &area, IPC_READER);
    queueing_open(&from, &area, IPC_READER, 60, 16);
    queueing_open(&to, &area, IPC_WRITER, 60, 16);
    sampling_open(&sample, &read_only, IPC_READER, 60, 0);
    for (i = 0; i < MESSAGES; i++) {
        int32_t result = ring_receive(&in, buffer, ROOM);

        assert_true(is_one_of(result, MAY_READ) && result <= (int32_t)ROOM);
        accepted += result >= 0;
        assert_true(is_one_of(ring_drop(&in), MAY_READ));
        assert_true(is_one_of(ring_send(&out, buffer, i % ROOM), MAY_WRITE));
        result = ring_read(&bytes_in, buffer, ROOM);
        assert_true(is_one_of(result, ERRORS(IPC_E_PEER)) && result <= (int32_t)ROOM);
        result = queueing_receive(&from, buffer, ROOM);
        assert_true(is_one_of(result, MAY_READ) && result <= (int32_t)ROOM);
        assert_true(is_one_of(queueing_send(&to, buffer, i % ROOM), MAY_WRITE));
        result = sampling_read(&sample, buffer, ROOM, &age);
        assert_true(is_one_of(result, MAY_READ | ERRORS(IPC_E_BUSY)) && result <= (int32_t)ROOM);
        ring_rings(&in);
        ring_rings(&out);
        queueing_rings(&to);
        if (i % 8 == 0) { /* as if a new life began where the scribble is now: otherwise nothing would be accepted soon */
            in.link.count = (peek(0) & ~3u) - i / 8 % 64 * 4; /* at a word, as of messages always */
            bytes_in.link.count = in.link.count;
            from.link.count = peek(0) - i % 16;
            out.link.count = (peek(IPC_LINE) & ~3u) + i % 1024 / 4 * 4;
            to.link.count = peek(IPC_LINE) + i % 16;
        }
    }
    for (i = ROOM; i < sizeof(buffer); i++) {
        assert_int_equal(buffer[i], 0x5A);
    }
    assert_true(accepted != 0);
    __atomic_store_n(&enough, true, __ATOMIC_RELAXED);
}

static void scribbled(void **state)
{
    (void)state;
    share(RING_BYTES(1024));
    together(scribble, endure);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(messages),  cmocka_unit_test(bytes),   cmocka_unit_test(queue),
        cmocka_unit_test(doorbells), cmocka_unit_test(samples), cmocka_unit_test(scribbled),
    };

    return cmocka_run_group_tests_name("threads", tests, 0, 0);
}
