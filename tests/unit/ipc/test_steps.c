/*
 * test_steps.c: two ends, with every order of their accesses to the shared memory. Each end runs on a stack of its own and stops
 * before each access; a run is a list of choices who goes on, and all lists are gone through, the last choice that has another
 * one first. An end that dies at any step is in there: it is one that does not go on until the other has ended.
 */
#include "shared.h"

#include <string.h>
#include <ucontext.h>

#define STACK    65536u
#define CHOICES  200u
#define NOBODY   2u
#define TICKS    0x100000001ull /* between two samples: both words of a stamp change */

/* ---- the ends ---- */

static struct {
    ucontext_t context; /* where it begins */
    jmp_buf place;      /* where it stands: a jump is no system call, as a change of contexts would be */
    uint8_t stack[STACK];
    void (*runs)(void);
    bool begun, ended, waits; /* for its doorbell */
    bool rung;                /* a pulse that it has not taken yet */
} end[2];
static jmp_buf scheduler;
static uint32_t running = NOBODY;
static bool quiet; /* no steps now */

static void stop(void)
{
    if (_setjmp(end[running].place) == 0) {
        _longjmp(scheduler, 1);
    }
}

static void go_on(uint32_t who)
{
    running = who;
    if (_setjmp(scheduler) == 0) {
        if (end[who].begun) {
            _longjmp(end[who].place, 1);
        }
        end[who].begun = true;
        setcontext(&end[who].context);
    }
    running = NOBODY;
}

void ipc_step(void)
{
    if (running != NOBODY && !quiet) {
        stop();
    }
}

static void wait_bell(void)
{
    end[running].waits = true;
    stop();
    end[running].waits = end[running].rung = false;
}

static void ring_bell(void)
{
    ipc_step(); /* the hypercall is a step as well */
    end[1 - running].rung = true;
}

static void body(void)
{
    end[running].runs();
    end[running].ended = true;
    stop();
}

static bool can_run(uint32_t who)
{
    return !end[who].ended && (!end[who].waits || end[who].rung);
}

/* ---- all runs ---- */

static struct {
    uint8_t who;
    bool other; /* it could be the other one's turn as well, and that is still to be tried */
} choice[CHOICES];

static void begin(uint32_t who)
{
    end[who].begun = end[who].ended = end[who].waits = end[who].rung = false;
    getcontext(&end[who].context);
    end[who].context.uc_stack.ss_sp = end[who].stack;
    end[who].context.uc_stack.ss_size = STACK;
    makecontext(&end[who].context, body, 0);
}

/* One run, along the first `length` choices and then as it comes; how many choices it had. */
static uint32_t run(uint32_t length)
{
    uint32_t steps = 0;

    begin(IPC_WRITER);
    begin(IPC_READER);
    while (can_run(0) || can_run(1)) {
        assert_true(steps < CHOICES);
        if (steps >= length) {
            choice[steps].who = !can_run(0);
            choice[steps].other = can_run(0) && can_run(1);
        }
        go_on(choice[steps++].who);
    }
    return steps;
}

/* All of them; `check` is called behind each. How many there were. */
static uint32_t explore(void (*writer)(void), void (*reader)(void), void (*check)(void))
{
    uint32_t runs = 0, length = 0;

    end[IPC_WRITER].runs = writer;
    end[IPC_READER].runs = reader;
    do {
        memset(area.base, 0, area.size);
        now = 0;
        length = run(length);
        check();
        runs++;
        while (length != 0 && !choice[length - 1].other) {
            length--;
        }
        if (length != 0) {
            choice[length - 1].who ^= 1;
            choice[length - 1].other = false;
        }
    } while (length != 0);
    return runs;
}

static void both_ended(void)
{
    if (!end[0].ended || !end[1].ended) {
        fail_msg("an end waits for ever: writer %d, reader %d", !end[0].ended, !end[1].ended);
    }
}

/* ---- a ring of messages: what is received is what was sent, whole and in order, in every order of steps ---- */

static uint32_t received;

static void two_messages(void)
{
    struct ring ring;
    uint32_t words[2] = {0xA1, 0xA2};

    ring_open(&ring, &area, IPC_WRITER);
    ring_send(&ring, words, 8);
    words[0] = 0xB1;
    ring_send(&ring, words, 4);
}

static void look_three_times(void)
{
    struct ring ring;
    uint32_t words[2] = {0}, look;

    received = 0;
    ring_open(&ring, &area, IPC_READER);
    for (look = 0; look < 3; look++) {
        int32_t length = ring_receive(&ring, words, sizeof(words));

        if (length == IPC_E_EMPTY) {
            continue;
        }
        assert_int_equal(length, received == 0 ? 8 : 4);
        assert_int_equal(words[0], received == 0 ? 0xA1 : 0xB1);
        assert_int_equal(words[1], 0xA2);
        received++;
    }
}

static uint32_t outcomes;

static void any_number(void)
{
    both_ended();
    assert_in_range(received, 0, 2);
    outcomes |= 1u << received;
}

static void ring_steps(void **state)
{
    (void)state;
    share(RING_BYTES(32));
    outcomes = 0;
    assert_true(explore(two_messages, look_three_times, any_number) > 10000);
    assert_int_equal(outcomes, 7); /* none, one, or both */
}

/* ---- a queue of one message: full, empty, full ---- */

static void three_words(void)
{
    struct queueing_port port;
    uint32_t word = 1, look;

    queueing_open(&port, &area, IPC_WRITER, 4, 1);
    for (look = 0; look < 4; look++) {
        int32_t result = queueing_send(&port, &word, 4);

        assert_true(result == 0 || result == IPC_E_FULL);
        word += result == 0;
    }
}

static void take_words(void)
{
    struct queueing_port port;
    uint32_t word, look;

    received = 0;
    queueing_open(&port, &area, IPC_READER, 4, 1);
    for (look = 0; look < 3; look++) {
        int32_t length = queueing_receive(&port, &word, 4);

        if (length != IPC_E_EMPTY) {
            assert_int_equal(length, 4);
            assert_int_equal(word, ++received);
        }
    }
}

static void at_most_three(void)
{
    both_ended();
    assert_in_range(received, 0, 3);
    outcomes |= 1u << received;
}

static void queue_steps(void **state)
{
    (void)state;
    share(QUEUEING_BYTES(4, 1));
    outcomes = 0;
    assert_true(explore(three_words, take_words, at_most_three) > 5000);
    assert_int_equal(outcomes, 15);
}

/* ---- a sampling port: parts of two messages never; a writer that stands still in the middle is in nobody's way ---- */

static void three_samples(void)
{
    struct sampling_port port;
    uint32_t i, words[2];

    sampling_open(&port, &area, IPC_WRITER, 8, 0);
    for (i = 1; i <= 3; i++) {
        words[0] = words[1] = i;
        now = i * TICKS;
        quiet = i == 1; /* one is there, another beside it, and then the first one's slot is written again */
        sampling_write(&port, words, 12 - 4 * i);
        quiet = false;
    }
}

static void one_sample(void)
{
    struct sampling_port port;
    uint32_t words[2] = {0}, number;
    uint64_t age, before = now;
    int32_t length;

    sampling_open(&port, &read_only, IPC_READER, 8, 0);
    length = sampling_read(&port, words, 8, &age);
    if (length == IPC_E_EMPTY) {
        outcomes |= 1;
        return;
    }
    assert_true(length == 8 || length == 4 || length == 0); /* never BUSY: it would take more messages than tries */
    number = (12 - (uint32_t)length) / 4;
    assert_true(length < 4 || words[0] == number);
    assert_true(length < 8 || words[1] == number);
    assert_true(number * TICKS + TICKS >= before); /* what was written before it looked, or newer */
    assert_true(age % TICKS == 0 && age <= now - number * TICKS);
    outcomes |= 1u << number;
}

static void sample_steps(void **state)
{
    (void)state;
    share(SAMPLING_BYTES(8));
    outcomes = 0;
    assert_true(explore(three_samples, one_sample, both_ended) > 10000);
    assert_int_equal(outcomes, 15);
}

/* ---- doorbells: whatever the order, nobody waits for ever ---- */

static void send_and_ring(void)
{
    struct queueing_port port;
    uint32_t word;

    queueing_open(&port, &area, IPC_WRITER, 0, 1);
    for (word = 0; word < 2; word++) {
        while (queueing_send(&port, &word, 0) == IPC_E_FULL) {
            wait_bell();
        }
        if (queueing_rings(&port)) {
            ring_bell();
        }
    }
}

static void receive_and_ring(void)
{
    struct queueing_port port;
    uint32_t word;

    queueing_open(&port, &area, IPC_READER, 0, 1);
    for (received = 0; received < 2; received++) {
        while (queueing_receive(&port, &word, 0) == IPC_E_EMPTY) {
            wait_bell();
        }
        if (queueing_rings(&port)) {
            ring_bell();
        }
    }
}

static void all_received(void)
{
    both_ended();
    assert_int_equal(received, 2);
}

static void doorbell_steps(void **state)
{
    (void)state;
    share(QUEUEING_BYTES(0, 1));
    assert_true(explore(send_and_ring, receive_and_ring, all_received) > 1000);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(ring_steps),
        cmocka_unit_test(queue_steps),
        cmocka_unit_test(sample_steps),
        cmocka_unit_test(doorbell_steps),
    };

    return cmocka_run_group_tests_name("steps", tests, 0, 0);
}
