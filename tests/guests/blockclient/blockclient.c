/*
 * blockclient.c: a client of a disk that another partition has (hypercalls/ipc/disk.h): tunnel 0, at BASE, doorbell LINE. It
 * writes all of its sectors, then does what comes by chance: writes, reads, flushes, requests that have to be refused; with
 * DISK_DEPTH under way, over each other. It knows of each sector which write was the last: a read has to find it, to the last
 * word, and nothing of a write behind it. At the end it reads all once more.
 *
 * r3 seeds what it does and what it writes. 0: it is a vandal (blockvandal.c).
 */
#include "blockvandal.h"
#include "disk.h"
#include "simple.h"

#define GUEST "blockclient"
#include "verdict.h"

#define BASE  ((uint8_t *)0x90000000)
#define LINE  20
#define MANY  1024u /* sectors that it can keep account of */
#define WORDS (DISK_SECTOR / 4)

volatile uint32_t blockclient_requests = 4000; /* by chance; a test may change it in a copy of the ELF */

static struct disk disk;
static volatile uint32_t bells;
static uint32_t own, seed, sectors;
static uint32_t writes[MANY];                       /* of each sector, how often it was written */
static uint32_t data[DISK_DEPTH][DISK_PIECE / 4];
static uint32_t expected[DISK_DEPTH][DISK_MOST];    /* what a read has to find */
static uint32_t status[DISK_DEPTH];                 /* what it has to be answered with */
static uint32_t requests, answers, reads, written, flushes, refused, bytes, slowest, since[DISK_DEPTH];

void simple_unexpected(uint32_t vector)
{
    fail("unexpected exception", vector, 0);
}

void simple_interrupt(void)
{
    bells++;
    board_irq_acknowledge(LINE);
    simple_timer_seen();
}

static uint32_t random_word(void)
{
    seed ^= seed << 13;
    seed ^= seed >> 17;
    return seed ^= seed << 5;
}

/* The first word of a sector that was written so often; the others follow from it. */
static uint32_t pattern(uint32_t sector, uint32_t times)
{
    return (own << 28 ^ sector << 18 ^ times) * 2654435761u;
}

static void fill(uint32_t *words, uint32_t first, uint32_t times)
{
    uint32_t word = pattern(first, times), i;

    for (i = 0; i < WORDS; i++, word += 0x01010101) {
        words[i] = word;
    }
}

static void check(const uint32_t *words, uint32_t first, uint32_t times)
{
    uint32_t word = pattern(first, times), i;

    for (i = 0; i < WORDS; i++, word += 0x01010101) {
        expect("data of sector", first, word, words[i]);
    }
}

/* ---- answers ---- */

static void has_read(const struct disk_request *r)
{
    uint32_t slot = answers % DISK_DEPTH, i;

    for (i = 0; i < r->sectors; i++) {
        check(r->data + i * WORDS, r->first + i, expected[slot][i]);
    }
}

static void take(const struct disk_answer *a)
{
    uint32_t slot = answers % DISK_DEPTH, took = time_low() - since[slot];
    bool moves = a->of.operation == DISK_READ || a->of.operation == DISK_WRITE;

    expect("status of request", answers, status[slot], a->status);
    if (a->of.operation != DISK_CAPACITY) {
        expect("value of request", answers, a->status == DISK_OK && moves ? a->of.sectors : 0, a->value);
    } else {
        sectors = a->value;
    }
    refused += a->status != DISK_OK;
    if (a->status == DISK_OK && moves) {
        bytes += a->of.sectors * DISK_SECTOR;
        reads += a->of.operation == DISK_READ;
        written += a->of.operation == DISK_WRITE;
    }
    flushes += a->of.operation == DISK_FLUSH;
    if (a->status == DISK_OK && a->of.operation == DISK_READ) {
        has_read(&a->of);
    }
    slowest = took > slowest ? took : slowest;
    answers++;
}

/* Until no more than so many are under way. */
static void wait(uint32_t most)
{
    while (requests - answers > most) {
        uint32_t before = bells;
        struct disk_answer a;

        if (disk_answer(&disk, &a)) {
            take(&a);
        } else {
            simple_wait(&bells, before);
        }
    }
}

/* ---- requests ---- */

static void submit(uint32_t operation, uint32_t first, uint32_t count, uint32_t must_be)
{
    uint32_t slot = requests % DISK_DEPTH;
    const struct disk_request r = {operation, first, count, data[slot]};

    status[slot] = must_be;
    since[slot] = time_low();
    if (!disk_submit(&disk, &r)) {
        fail("not accepted", requests, operation);
    }
    requests++;
}

static void write(uint32_t first, uint32_t count)
{
    uint32_t slot, i;

    wait(DISK_DEPTH - 1);
    slot = requests % DISK_DEPTH;
    for (i = 0; i < count; i++) {
        fill(data[slot] + i * WORDS, first + i, ++writes[first + i]);
    }
    submit(DISK_WRITE, first, count, DISK_OK);
}

static void read(uint32_t first, uint32_t count)
{
    uint32_t slot, i;

    wait(DISK_DEPTH - 1);
    slot = requests % DISK_DEPTH;
    for (i = 0; i < count; i++) {
        expected[slot][i] = writes[first + i];
        data[slot][i * WORDS] = 0;
    }
    submit(DISK_READ, first, count, DISK_OK);
}

/* Sectors that are another's, if anybody's; none; no operation. The data would be seen by whose they are. */
static void wrong(uint32_t what)
{
    uint32_t operation = DISK_READ + what / 8 % 2, first = what / 16 % sectors, count = 1 + what / 32 % DISK_MOST;

    wait(DISK_DEPTH - 1);
    switch (what % 5) {
    case 0:
        submit(operation, sectors + first, count, DISK_E_RANGE);
        break;
    case 1:
        submit(operation, sectors - count + 1, count, DISK_E_RANGE);
        break;
    case 2:
        submit(operation, 0u - 1 - first, count, DISK_E_RANGE); /* in front of its own, and around */
        break;
    case 3:
        submit(operation, first, 0, DISK_E_RANGE);
        break;
    default:
        submit(DISK_CAPACITY + 1 + first, 0, 1, DISK_E_OPERATION);
    }
}

static void by_chance(void)
{
    uint32_t what = random_word(), first = what / 16 % sectors, count = 1 + (what >> 24) % DISK_MOST;

    count = count < sectors - first ? count : sectors - first;
    if (what % 16 < 7) {
        write(first, count);
    } else if (what % 16 < 14) {
        read(first, count);
    } else if (what % 16 == 14) {
        wrong(random_word());
    } else {
        wait(DISK_DEPTH - 1);
        submit(DISK_FLUSH, 0, 0, DISK_OK);
    }
}

static void over_all(void (*one)(uint32_t first, uint32_t count))
{
    uint32_t first;

    for (first = 0; first < sectors; first += DISK_MOST) {
        one(first, sectors - first < DISK_MOST ? sectors - first : DISK_MOST);
    }
}

/* ---- the run ---- */

static void put(const char *what, uint32_t number)
{
    put_text(what);
    put_decimal(number);
}

static void report(uint32_t ticks)
{
    put("blockclient: sectors ", sectors);
    put(" bytes ", bytes);
    put(" us ", ticks / (BOARD_TB_HZ / 1000000u));
    put(" slowest us ", slowest / (BOARD_TB_HZ / 1000000u));
    board_putc('\n');
    board_report();
    put("blockclient: PASS requests=", requests);
    put(" answers=", answers);
    put(" reads=", reads);
    put(" writes=", written);
    put(" flushes=", flushes);
    put(" refused=", refused);
    put(" again=", disk.again);
    put(" lives=", disk.lives);
    put(" lies=", disk.lies);
    board_putc('\n');
}

static void begin(void)
{
    board_irq_reset();
    board_irq_enable_pulse(LINE);
    __asm__ volatile("wrteei 1");
    if (own == 0) {
        blockvandal(BASE, &bells);
    }
    seed = own;
    disk.base = BASE;
    submit(DISK_CAPACITY, 0, 0, DISK_OK);
    wait(0);
    if (sectors == 0 || sectors > MANY) {
        fail("capacity", MANY, sectors);
    }
}

void simple_main(uint32_t r3, uint32_t r4)
{
    uint32_t i, start;

    (void)r4;
    own = r3;
    begin();
    start = time_low();
    over_all(write);
    for (i = 0; i < blockclient_requests; i++) {
        by_chance();
    }
    over_all(read);
    wait(0);
    report(time_low() - start);
    end();
}
