/*
 * test_console.c: the console server and two clients, with a death at every step: before each access to a tunnel, each call of
 * the hypervisor, each byte to the UART.
 */
#include "shared.h"
#include "tunnels.h"

#include <stdio.h>
#include <string.h>

#include "terminal.h"
#include "server.h"

enum { SERVER = TUNNELS_SERVER, FIRST, SECOND, VMS };

#define SIZE    4096u
#define LINES   20u      /* of each client: more than the queue holds */
#define TEXT    65536u
#define ROUNDS  2000u    /* more than any run has */

/* ---- three VMs ---- */

static const char names[][SERVER_NAME] = {"console", "first", "longname"};
static struct server server;
static struct terminal client[VMS];
static uint32_t written[VMS], cursor[VMS], life[VMS]; /* lines that are accepted, bytes of the next one, lives before this */
static char text[TEXT];
static uint32_t length;

static void put(uint8_t byte)
{
    ipc_step();
    assert_true(length < TEXT - 1);
    text[length++] = (char)byte;
    text[length] = 0;
}

static void start_server(void)
{
    memset(&server, 0, sizeof(server));
    server_begin(&server, names[SERVER], put);
    server_add(&server, 0, memory[0], names[FIRST]);
    server_add(&server, 1, memory[1], names[SECOND]);
}

static void start_client(uint32_t c)
{
    memset(&client[c], 0, sizeof(client[c]));
    client[c].base = memory[c - FIRST];
    written[c] = cursor[c] = 0;
}

static void start(void)
{
    tunnels_begin(2, SIZE);
    length = 0;
    life[FIRST] = life[SECOND] = 0;
    start_server();
    start_client(FIRST);
    start_client(SECOND);
}

static uint32_t line_of(uint32_t c, uint32_t of_life, uint32_t number, char *line)
{
    return (uint32_t)sprintf(line, "%u.%u.%u%.*s\n", c, of_life, number, (int)(number % 7), "------");
}

/* What it can get rid of now. */
static void run_client(uint32_t c)
{
    char line[TERMINAL_LINE + 1];

    while (written[c] < LINES) {
        uint32_t bytes = line_of(c, life[c], written[c], line);

        if (!terminal_put(&client[c], (uint8_t)line[cursor[c]])) {
            return;
        }
        cursor[c]++;
        if (cursor[c] == bytes) {
            cursor[c] = 0;
            written[c]++;
        }
    }
    terminal_step(&client[c]);
}

static void run_vm(uint32_t vm)
{
    uint32_t i;

    who = vm;
    if (vm == SERVER) {
        for (i = 0; i < 3 && server_step(&server); i++) {
        }
    } else {
        run_client(vm);
    }
}

/* Its memory and its ends are gone. */
static void die(uint32_t vm)
{
    who = vm;
    left = NEVER;
    tunnels_left_by(vm);
    if (vm == SERVER) {
        start_server();
    } else {
        start_client(vm);
        life[vm]++;
    }
}

/* All in turn, until nobody has anything left; `vm` dies after so many steps of its own. True: it did. */
static struct terminal at_death;

static bool run(uint32_t vm, uint32_t steps, uint32_t deaths)
{
    volatile uint32_t rounds = 0, more = deaths;
    volatile bool died = false;

    mortal = vm;
    left = steps;
    if (setjmp(death) != 0) {
        at_death = client[vm];
        die(vm);
        died = true;
        more--;
        left = more != 0 ? steps / 2 + 3 : NEVER;
    }
    while (client[FIRST].out < LINES || client[SECOND].out < LINES) {
        assert_true(++rounds < ROUNDS);
        run_vm(SERVER);
        run_vm(FIRST);
        run_vm(SERVER);
        run_vm(SECOND);
    }
    left = NEVER;
    return died;
}

/* ---- what came out ---- */

static bool next_line(const char **at, char *line)
{
    const char *stop = strstr(*at, "\r\n");

    if (**at == 0) {
        return false;
    }
    stop = stop != 0 ? stop : *at + strlen(*at);
    memcpy(line, *at, (size_t)(stop - *at));
    line[stop - *at] = 0;
    line[strcspn(line, "\r")] = 0; /* cut between the two */
    *at = *stop != 0 ? stop + 2 : stop;
    return true;
}

static bool is_begin_of(const char *part, const char *whole)
{
    return strncmp(part, whole, strlen(part)) == 0;
}

/*
 * Lines of a client from `number` on, to *next: in order, none left out. How many were there once more, cut or whole: each is a
 * part of the one that follows it, or the one before it.
 */
static uint32_t check_client(uint32_t c, uint32_t of_life, uint32_t *next)
{
    char line[256], tag[16], expected[TERMINAL_LINE + 1], last[TERMINAL_LINE + 1] = "";
    uint32_t twice = 0;
    const char *at = text;
    int tag_length = sprintf(tag, "[%.8s] ", names[c]);

    while (next_line(&at, line)) {
        uint32_t bytes = line_of(c, of_life, *next, expected) - 1;
        char mark[16];

        sprintf(mark, "%u.%u.", c, of_life);
        expected[bytes] = 0;
        if (strncmp(line, tag, (size_t)tag_length) != 0) {
            twice += line[0] == '[' && strlen(line) < (size_t)tag_length && strncmp(line, tag, strlen(line)) == 0;
            continue;
        }
        if (of_life != 0 && strncmp(line + tag_length, mark, strlen(mark)) != 0) {
            continue; /* of its life before */
        }
        if (strcmp(line + tag_length, expected) == 0) {
            strcpy(last, expected);
            (*next)++;
        } else if (is_begin_of(line + tag_length, expected) || is_begin_of(line + tag_length, last)) {
            twice++;
        } else if (of_life == 0 && life[c] != 0) {
            break; /* the next life has begun */
        } else {
            fail_msg("`%s` is not `%s`", line, expected);
        }
    }
    return twice;
}

static void server_dies(void **state)
{
    uint32_t steps, deaths;

    (void)state;
    for (deaths = 1; deaths <= 3; deaths++) {
        for (steps = 0;; steps++) {
            uint32_t first = 0, second = 0, twice;
            bool died;

            start();
            died = run(SERVER, steps, deaths);
            twice = check_client(FIRST, 0, &first) + check_client(SECOND, 0, &second);
            assert_int_equal(first, LINES);
            assert_int_equal(second, LINES);
            assert_true(twice <= 2 * deaths); /* a cut tag may be that of both */
            if (!died) {
                assert_int_equal(twice, 0);
                break;
            }
        }
        assert_true(steps > 1000);
    }
}

/* What was in the queue is said, whole and once; of what was not, nothing; then comes its next life, as a whole. */
static void client_dies(void **state)
{
    uint32_t steps;

    (void)state;
    for (steps = 0;; steps++) {
        uint32_t first = 0, again = 0, second = 0;
        bool died;

        start();
        died = run(FIRST, steps, 1);
        assert_int_equal(check_client(SECOND, 0, &second), 0);
        assert_int_equal(second, LINES);
        check_client(FIRST, 0, &first);
        if (!died) {
            assert_int_equal(first, LINES);
            break;
        }
        assert_int_equal(check_client(FIRST, 1, &again), 0);
        assert_int_equal(again, LINES);
        assert_true(first == at_death.sent || first == at_death.sent + 1);
    }
    assert_true(steps > 200);
}

/* ---- what is shown ---- */

static void client_says(uint32_t c, const char *bytes, uint32_t count)
{
    who = c;
    while (count-- != 0) {
        assert_true(terminal_put(&client[c], (uint8_t)*bytes++));
    }
    terminal_flush(&client[c]);
}

static void settle(void)
{
    uint32_t i;

    for (i = 0; i < 2 * TERMINAL_DEPTH; i++) {
        run_vm(SERVER);
        who = FIRST;
        terminal_step(&client[FIRST]);
        who = SECOND;
        terminal_step(&client[SECOND]);
    }
}

static void shown(void **state)
{
    static const char long_line[] = "01234567890123456789012345678901234567890123456789"
                                    "01234567890123456789012345678901234567890123456789\n";

    (void)state;
    start();
    settle();
    client_says(FIRST, "\033[2J\r[second] forged\x80\x7f\t.\r\n", 26);
    settle();
    assert_string_equal(text, "\r\n[first] ^[[2J^M[second] forgedM-^@^?\t.\r\n");
    length = 0;
    client_says(FIRST, long_line, sizeof(long_line) - 1); /* one line, of two pieces */
    settle();
    assert_true(strncmp(text, "[first] 0123", 12) == 0 && strlen(text) == 8 + 100 + 2);
    length = 0;
    client_says(FIRST, "begun", 5);
    settle();
    client_says(SECOND, "\n", 1);
    settle();
    client_says(FIRST, "ended\n", 6);
    settle();
    assert_string_equal(text, "[first] begun\r\n[longname] \r\n[first] ended\r\n");
}

static void typed(void **state)
{
    const char *keys = "a\x1d""2b\x1d\x1d""c\x1d""9";
    uint8_t byte = 0;
    uint32_t i;

    (void)state;
    start();
    settle();
    who = SERVER;
    length = 0;
    for (; *keys != 0; keys++) {
        server_key(&server, (uint8_t)*keys);
    }
    assert_string_equal(text, "\r\n[console] focus longname\r\n");
    who = FIRST;
    assert_true(terminal_get(&client[FIRST], &byte) && byte == 'a');
    assert_false(terminal_get(&client[FIRST], &byte));
    who = SECOND;
    assert_true(terminal_get(&client[SECOND], &byte) && byte == 'b');
    assert_true(terminal_get(&client[SECOND], &byte) && byte == SERVER_ESCAPE);
    assert_true(terminal_get(&client[SECOND], &byte) && byte == 'c');
    assert_true(terminal_get(&client[SECOND], &byte) && byte == '9');
    assert_false(terminal_get(&client[SECOND], &byte));
    for (i = 0; i < 300; i++) { /* more than it has room for, and then the server dies: what was there is not lost by that */
        who = SERVER;
        server_key(&server, (uint8_t)('a' + i % 26));
    }
    die(SERVER);
    settle();
    who = SECOND;
    for (i = 0; terminal_get(&client[SECOND], &byte); i++) {
        assert_int_equal(byte, 'a' + i % 26);
    }
    assert_int_equal(i, TERMINAL_INPUT);
}

/* Counters that cannot be, at any time, by either: the other one gets on, and nobody else notices. */
static void liars(void **state)
{
    uint32_t seed = 1, round;

    (void)state;
    start();
    for (round = 0; round < 5000; round++) {
        uint32_t offset = random_word(&seed) % 4 * IPC_LINE + (random_word(&seed) % 2 ? 0 : TERMINAL_QUEUE);

        if (round < 4000 && (ends[0][0] & TUNNEL_OPEN) != 0) {
            *(uint32_t *)(void *)(memory[0] + offset % SIZE / 4 * 4) = random_word(&seed) % 64;
        }
        run_vm(SERVER);
        if (round % 8 == 0) {
            run_vm(FIRST);
            run_vm(SECOND);
        }
        length = client[SECOND].out < LINES ? length : 0;
        if (length > TEXT / 2) {
            length = 0;
        }
    }
    assert_int_equal(client[SECOND].out, LINES);
    assert_int_equal(client[FIRST].out, LINES);
    assert_true(server.client[0].lies + client[FIRST].again > 10);
    assert_int_equal(server.client[1].lies, 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(server_dies), cmocka_unit_test(client_dies), cmocka_unit_test(shown),
        cmocka_unit_test(typed),       cmocka_unit_test(liars),
    };

    return cmocka_run_group_tests_name("console", tests, 0, 0);
}
