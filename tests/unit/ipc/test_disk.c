/*
 * test_disk.c: the disk's server and its clients: who gets which sectors, what is refused, and deaths at every step, of the
 * server and of a client.
 */
#include "shared.h"
#include "tunnels.h"

#include <string.h>

#include "disk.h"
#include "diskserver.h"
#include "step.h"

enum { SERVER = TUNNELS_SERVER, A, B, C, VMS };

#define SIZE     20480u
#define SECTORS  64u
#define ROUNDS   500u /* more than any run has */
#define REQUESTS 14u

static const char configuration[] = "# where, and whose\n"
                                    "0xFFF00000 64 # sectors\n\n"
                                    "0 16 rw\n"
                                    "\t16  0x10 rw # B\n"
                                    "32 32 r";

static uint8_t device[SECTORS * DISK_SECTOR];
static uint32_t flushed;
static bool broken;
static struct disk_server server;
static struct disk disk[VMS];

/* ---- the device: it can be seen in the middle of a sector ---- */

static bool device_read(uint32_t first, uint32_t sectors, uint8_t *to)
{
    assert_true(first + sectors <= SECTORS && sectors != 0);
    if (!broken) {
        ipc_copy_in(to, device + first * DISK_SECTOR, sectors * DISK_SECTOR);
    }
    return !broken;
}

static bool device_write(uint32_t first, uint32_t sectors, const uint8_t *from)
{
    assert_true(first + sectors <= SECTORS && sectors != 0);
    if (!broken) {
        ipc_copy_out(device + first * DISK_SECTOR, from, sectors * DISK_SECTOR);
    }
    return !broken;
}

static bool device_flush(void)
{
    flushed++;
    return !broken;
}

static const struct disk_device the_device = {device_read, device_write, device_flush};

/* ---- VMs ---- */

static void start_server(void)
{
    uint32_t n;

    memset(&server, 0, sizeof(server));
    assert_int_equal(disk_server_configure(&server, configuration), 0);
    server.device = &the_device;
    disk_server_begin(&server, memory[0], 0);
    for (n = 0; n < server.count; n++) {
        server.client[n].base = memory[n];
    }
}

static void start_client(uint32_t vm)
{
    memset(&disk[vm], 0, sizeof(disk[vm]));
    disk[vm].base = memory[vm - A];
}

static void start(void)
{
    uint32_t vm;

    tunnels_begin(VMS - A, SIZE);
    memset(device, 0, sizeof(device));
    flushed = 0;
    broken = false;
    start_server();
    for (vm = A; vm < VMS; vm++) {
        start_client(vm);
    }
}

static void run_server(void)
{
    uint32_t i;

    who = SERVER;
    for (i = 0; disk_server_step(&server); i++) {
        assert_true(i < 100);
    }
}

static void is_of(const struct disk_answer *answer, const struct disk_request *request)
{
    assert_int_equal(answer->of.operation, request->operation);
    assert_int_equal(answer->of.first, request->first);
    assert_int_equal(answer->of.sectors, request->sectors);
    assert_ptr_equal(answer->of.data, request->data);
}

/* A request of one that has no other, and its answer. */
static struct disk_answer ask(uint32_t vm, uint32_t operation, uint32_t first, uint32_t sectors, uint32_t *data)
{
    const struct disk_request request = {operation, first, sectors, data};
    struct disk_answer answer;
    uint32_t i;

    who = vm;
    assert_true(disk_submit(&disk[vm], &request));
    for (i = 0; who = vm, !disk_answer(&disk[vm], &answer); i++) {
        assert_true(i < 10);
        run_server();
    }
    is_of(&answer, &request);
    return answer;
}

static void is_answer(struct disk_answer answer, uint32_t status, uint32_t value)
{
    assert_int_equal(answer.status, status);
    assert_int_equal(answer.value, value);
}

static uint32_t out[DISK_PIECE / 4], in[DISK_PIECE / 4];

static void fill(uint32_t *words, uint32_t bytes, uint32_t seed)
{
    uint32_t i;

    for (i = 0; i < bytes / 4; i++) {
        words[i] = random_word(&seed);
    }
}

/* ---- what it says who has what ---- */

static void configured(void **state)
{
    static const struct {
        uint32_t line;
        const char *text;
    } wrong[] = {
        {1, ""}, {2, "0 64\n"}, {1, "0\n0 4 r"}, {1, "0 0\n0 4 r"}, {1, "0 64 x\n0 4 r"}, {1, "64"}, {1, "0x 64\n0 4 r"},
        {1, "0xFFFFFF00 1\n0 1 r"}, {1, "0 0x800000\n0 1 r"}, {1, "4294967296 64\n0 4 r"}, {1, "0 42949672960\n0 4 r"},
        {2, "0 64\n0 4"}, {2, "0 64\n0 4 w"}, {2, "0 64\n0 4 rwx"}, {2, "0 64\n0 4 r w"}, {2, "0 64\n0 0 rw"},
        {2, "0 64\n64 1 rw"}, {2, "0 64\n60 5 rw"}, {2, "0 64\n1 0xFFFFFFFF rw"}, {3, "0 64\n0 4 rw\n3 1 rw"},
        {4, "0 64\n\n10 4 r\n0 11 rw"}, {4, "0 64\n#\n10 4 rw\n13 1 r"}, {3, "0 64\n0 64 rw\n0 64 rw"},
        {10, "0 64\n0 1 r\n0 1 r\n0 1 r\n0 1 r\n0 1 r\n0 1 r\n0 1 r\n0 1 r\n0 1 r"},
    };
    static const char good[] = "512 64\n0 8 r\n4 8 r\n12 52 rw"; /* who only read may share */
    uint32_t i;

    (void)state;
    for (i = 0; i < COUNT(wrong); i++) {
        memset(&server, 0, sizeof(server));
        assert_int_equal(disk_server_configure(&server, wrong[i].text), wrong[i].line);
    }
    memset(&server, 0, sizeof(server));
    assert_int_equal(disk_server_configure(&server, good), 0);
    memset(&server, 0, sizeof(server));
    assert_int_equal(disk_server_configure(&server, configuration), 0);
    assert_int_equal(server.count, 3);
    assert_int_equal(server.at, 0xFFF00000);
    assert_int_equal(server.sectors, 64);
    assert_int_equal(server.client[1].first, 16);
    assert_int_equal(server.client[1].sectors, 16);
    assert_true(server.client[1].writes);
    assert_false(server.client[2].writes);
}

/* ---- what is done ---- */

static void served(void **state)
{
    (void)state;
    start();
    is_answer(ask(A, DISK_CAPACITY, 0, 0, 0), DISK_OK, 16);
    is_answer(ask(C, DISK_CAPACITY, 0, 0, 0), DISK_OK, 32);
    fill(out, DISK_PIECE, 1);
    is_answer(ask(B, DISK_WRITE, 8, 8, out), DISK_OK, 8);
    assert_memory_equal(device + 24 * DISK_SECTOR, out, DISK_PIECE);
    is_answer(ask(B, DISK_READ, 9, 3, in), DISK_OK, 3);
    assert_memory_equal(in, (uint8_t *)out + DISK_SECTOR, 3 * DISK_SECTOR);
    assert_int_equal(device[24 * DISK_SECTOR - 1] | device[32 * DISK_SECTOR], 0);
    is_answer(ask(B, DISK_FLUSH, 99, 99, 0), DISK_OK, 0);
    assert_int_equal(flushed, 1);
    fill((uint32_t *)(void *)device, sizeof(device), 2);
    is_answer(ask(C, DISK_READ, 31, 1, in), DISK_OK, 1);
    assert_memory_equal(in, device + 63 * DISK_SECTOR, DISK_SECTOR);
    assert_int_equal(server.client[1].reads, 1);
    assert_int_equal(server.client[1].writes_done, 1);
    assert_int_equal(server.client[1].bytes, 11 * DISK_SECTOR);
}

static void refused(void **state)
{
    static const struct {
        uint32_t operation, first, sectors, status;
    } rows[] = {
        {DISK_READ, 0, 0, DISK_E_RANGE}, {DISK_READ, 16, 1, DISK_E_RANGE}, {DISK_READ, 15, 2, DISK_E_RANGE},
        {DISK_WRITE, 9, 8, DISK_E_RANGE}, {DISK_WRITE, 0xFFFFFFFF, 1, DISK_E_RANGE}, {DISK_WRITE, 0xFFFFFFF0, 8, DISK_E_RANGE},
        {DISK_WRITE, 0, 0, DISK_E_RANGE}, {0, 0, 1, DISK_E_OPERATION}, {5, 0, 1, DISK_E_OPERATION},
        {0xFFFFFFFF, 0, 1, DISK_E_OPERATION},
    };
    struct disk_request longer = {DISK_READ, 0, DISK_MOST + 1, in};
    uint32_t i;

    (void)state;
    start();
    fill((uint32_t *)(void *)device, sizeof(device), 3);
    memset(in, 0x55, sizeof(in));
    for (i = 0; i < COUNT(rows); i++) {
        is_answer(ask(A, rows[i].operation, rows[i].first, rows[i].sectors, in), rows[i].status, 0);
    }
    is_answer(ask(C, DISK_WRITE, 0, 1, in), DISK_E_RIGHTS, 0);
    for (i = 0; i < sizeof(in); i++) {
        assert_int_equal(((uint8_t *)in)[i], 0x55);
    }
    who = A;
    assert_false(disk_submit(&disk[A], &longer));
    assert_int_equal(server.client[0].refused, COUNT(rows));
    assert_int_equal(server.client[2].refused, 1);
    assert_int_equal(server.client[0].bytes + server.client[2].bytes, 0);
    broken = true;
    is_answer(ask(A, DISK_READ, 0, 1, in), DISK_E_DEVICE, 0);
    is_answer(ask(A, DISK_WRITE, 0, 1, in), DISK_E_DEVICE, 0);
    is_answer(ask(A, DISK_FLUSH, 0, 1, in), DISK_E_DEVICE, 0);
    assert_int_equal(server.client[0].failed, 3);
    assert_int_equal(server.client[0].flushes + server.client[0].bytes, 0);
    fill(out, sizeof(out), 3);
    assert_memory_equal(device, out, sizeof(out)); /* it is as it was */
}

/* So many are under way, and no more; the answers come in order. */
static void under_way(void **state)
{
    struct disk_request request = {DISK_CAPACITY, 0, 0, 0};
    struct disk_answer answer;
    uint32_t i;

    (void)state;
    start();
    who = A;
    for (i = 0; i < DISK_DEPTH; i++) {
        request.first = i;
        assert_true(disk_submit(&disk[A], &request));
    }
    assert_false(disk_submit(&disk[A], &request));
    assert_false(disk_answer(&disk[A], &answer));
    run_server();
    who = A;
    disk_step(&disk[A]);
    run_server();
    who = A;
    for (i = 0; i < DISK_DEPTH; i++) {
        assert_true(disk_answer(&disk[A], &answer));
        assert_int_equal(answer.of.first, i);
    }
    assert_false(disk_answer(&disk[A], &answer));
    assert_true(disk_submit(&disk[A], &request));
}

/* ---- deaths ---- */

/*
 * What a client does, by the number of the request: writes over each other, and reads that have to see exactly what was written
 * before, and nothing that was written behind.
 */
static uint32_t given[VMS], got[VMS], life[VMS], buffers[VMS][DISK_DEPTH][DISK_PIECE / 4];

static struct disk_request request_of(uint32_t vm, uint32_t number)
{
    uint32_t kind = number % 7;
    struct disk_request r = {kind == 6 ? DISK_FLUSH : kind % 2 ? DISK_READ : DISK_WRITE, number % 2, 1 + number % 2,
                             buffers[vm][number % DISK_DEPTH]};

    return r;
}

static uint32_t seed_of(uint32_t vm, uint32_t number)
{
    return vm << 16 | life[vm] << 8 | (number + 1);
}

/* Sectors 0 to 2 of a client behind its first `count` requests. */
static void model(uint32_t vm, uint32_t count, uint8_t *sectors)
{
    uint32_t i;

    memset(sectors, 0, 3 * DISK_SECTOR);
    for (i = 0; i < count; i++) {
        struct disk_request r = request_of(vm, i);

        if (r.operation == DISK_WRITE) {
            fill(out, r.sectors * DISK_SECTOR, seed_of(vm, i));
            memcpy(sectors + r.first * DISK_SECTOR, out, r.sectors * DISK_SECTOR);
        }
    }
}

static void run_client(uint32_t vm)
{
    uint8_t expected[3 * DISK_SECTOR];
    struct disk_answer answer;

    who = vm;
    while (given[vm] < REQUESTS && given[vm] - got[vm] < DISK_DEPTH) {
        struct disk_request r = request_of(vm, given[vm]);

        fill(r.data, r.sectors * DISK_SECTOR, seed_of(vm, given[vm]));
        given[vm]++; /* before: it may be cut off here */
        assert_true(disk_submit(&disk[vm], &r));
    }
    while (disk_answer(&disk[vm], &answer)) {
        struct disk_request r = request_of(vm, got[vm]);

        is_of(&answer, &r);
        is_answer(answer, DISK_OK, r.operation == DISK_FLUSH ? 0 : r.sectors);
        if (r.operation == DISK_READ && life[vm] == 0) {
            model(vm, got[vm], expected);
            assert_memory_equal(r.data, expected + r.first * DISK_SECTOR, r.sectors * DISK_SECTOR);
        }
        got[vm]++;
    }
}

static void die(uint32_t vm)
{
    who = vm;
    left = NEVER;
    tunnels_left_by(vm);
    if (vm == SERVER) {
        start_server();
    } else {
        start_client(vm);
        given[vm] = got[vm] = 0;
        life[vm]++;
    }
}

static uint32_t answered_at_death, sent_at_death, again;

/* Until all is answered; `vm` dies after so many steps of its own, and again. True: it did. */
static bool run(uint32_t vm, uint32_t steps, uint32_t deaths)
{
    volatile uint32_t rounds = 0, more = deaths;
    volatile bool died = false;

    start();
    memset(given, 0, sizeof(given));
    memset(got, 0, sizeof(got));
    memset(life, 0, sizeof(life));
    mortal = vm;
    left = steps;
    if (setjmp(death) != 0) {
        answered_at_death = disk[A].answered;
        sent_at_death = disk[A].sent;
        die(vm);
        died = true;
        more--;
        left = more != 0 ? steps / 2 + 3 : NEVER;
    }
    while (got[A] < REQUESTS || got[B] < REQUESTS) {
        assert_true(++rounds < ROUNDS);
        run_client(A);
        run_server();
        run_client(B);
        run_server();
    }
    left = NEVER;
    return died;
}

static void is_written(uint32_t vm)
{
    uint8_t expected[3 * DISK_SECTOR];

    model(vm, REQUESTS, expected);
    assert_memory_equal(device + server.client[vm - A].first * DISK_SECTOR, expected, sizeof(expected));
}

/* Each request is answered once and in order, each read sees what it has to, and what is answered is there. */
static void server_dies(void **state)
{
    uint32_t steps, deaths;

    (void)state;
    for (deaths = 1; deaths <= 2; deaths++) {
        bool died = true;

        again = 0;
        for (steps = 0; died; steps += 1 + (deaths == 2) * 6) {
            died = run(SERVER, steps, deaths);
            is_written(A);
            is_written(B);
            again += disk[A].again + disk[B].again;
        }
        assert_true(steps > 1000 && again > 100);
    }
}

/* What was in the queue is carried out, then comes its next life; the other one does not notice. */
static void client_dies(void **state)
{
    uint32_t steps;
    bool died = true;

    (void)state;
    for (steps = 0; died; steps++) {
        died = run(A, steps, 1);
        assert_int_equal(life[A], died);
        is_written(A);
        is_written(B);
        assert_int_equal(disk[B].again, 0);
        assert_true(sent_at_death - answered_at_death <= DISK_DEPTH);
    }
    assert_true(steps > 1000);
}

/* The same, and it does not come again: all that it had sent is on the device. */
static void last_words(void **state)
{
    uint8_t expected[3 * DISK_SECTOR];
    uint32_t count;

    (void)state;
    for (count = 1; count <= DISK_DEPTH; count++) {
        uint32_t i;

        start();
        memset(life, 0, sizeof(life));
        is_answer(ask(A, DISK_CAPACITY, 0, 0, 0), DISK_OK, 16);
        who = A;
        for (i = 0; i < count; i++) {
            struct disk_request r = request_of(A, i);

            fill(r.data, r.sectors * DISK_SECTOR, seed_of(A, i));
            assert_true(disk_submit(&disk[A], &r));
        }
        tunnels_left_by(A);
        run_server();
        model(A, count, expected);
        assert_memory_equal(device, expected, sizeof(expected));
        assert_false(server.client[0].there);
    }
}

/* A counter, or a word of a request or an answer. */
static void scribble(uint32_t *seed)
{
    uint32_t at = random_word(seed) % 2 * DISK_QUEUE(DISK_ASKS) + random_word(seed) % 2 * IPC_LINE + random_word(seed) % 8 * 4;

    if ((ends[C - A][0] & TUNNEL_OPEN) != 0 && random_word(seed) % 4 == 0) {
        *(ipc_word *)(void *)(memory[C - A] + at) = random_word(seed) % 2 ? random_word(seed) : random_word(seed) % 16;
    }
}

/* Counters, lengths and requests that cannot be, of C and of what C gets: A and B lose nothing, and keep their sectors. */
static void liars(void **state)
{
    uint32_t seed = 1, round, i;

    (void)state;
    start();
    for (round = 0; round < 4000; round++) {
        struct disk_request r = {random_word(&seed) % 6, random_word(&seed) >> random_word(&seed) % 32,
                                 random_word(&seed) % 12, in};
        struct disk_answer answer;

        who = C;
        r.sectors = r.sectors > DISK_MOST && random_word(&seed) % 2 ? 1 : r.sectors;
        disk_submit(&disk[C], &r);
        scribble(&seed);
        disk_answer(&disk[C], &answer);
        scribble(&seed);
        fill(out, DISK_SECTOR, round + 1);
        is_answer(ask(A, DISK_WRITE, round % 16, 1, out), DISK_OK, 1);
        is_answer(ask(B, DISK_READ, round % 16, 1, in), DISK_OK, 1);
        for (i = 0; i < DISK_SECTOR / 4; i++) {
            assert_int_equal(in[i], 0);
        }
        assert_memory_equal(device + round % 16 * DISK_SECTOR, out, DISK_SECTOR);
    }
    for (i = 16 * DISK_SECTOR; i < sizeof(device); i++) {
        assert_int_equal(device[i], 0);
    }
    assert_true(server.client[2].lies > 10 && disk[C].lies > 10);
    assert_int_equal(server.client[0].lies + server.client[1].lies + disk[A].lies + disk[B].lies, 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(configured), cmocka_unit_test(served),      cmocka_unit_test(refused),    cmocka_unit_test(under_way),
        cmocka_unit_test(server_dies), cmocka_unit_test(client_dies), cmocka_unit_test(last_words), cmocka_unit_test(liars),
    };

    return cmocka_run_group_tests_name("disk", tests, 0, 0);
}
