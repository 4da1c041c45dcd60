/*
 * block.c: a partition that has a memory of the board's, and gives others a part each of it as a disk (disk.h). r3 is the address
 * of the text that says where that is and who has what (diskserver.h), its blob; r4 that of the first tunnel, and the others are
 * behind it, at r4 + 64K, ... Their doorbells are lines LINE, LINE + 1, ...
 *
 * The memory is a device of the partition file's, not the partition's memory: a restart clears that, and not this, so what was
 * answered outlives it. When its last client has left it says what each did.
 */
#include "diskserver.h"
#include "machine.h"
#include "print.h"
#include "ramdisk.h"
#include "simple.h"

#define LINE  20
#define APART 0x10000u

static struct disk_server server;
static volatile uint32_t bells;

void simple_unexpected(uint32_t vector)
{
    (void)vector;
    system_reset();
}

void simple_interrupt(void)
{
    uint32_t i;

    bells++;
    for (i = 0; i < server.count; i++) {
        board_irq_acknowledge(LINE + i);
    }
}

static void listen(void)
{
    uint32_t i;

    board_irq_reset();
    for (i = 0; i < server.count; i++) {
        board_irq_enable_pulse(LINE + i);
    }
    __asm__ volatile("wrteei 1");
}

/* ---- what each did ---- */

static void put(const char *what, uint32_t number)
{
    put_text(what);
    put_decimal(number);
}

static void row(uint32_t n)
{
    const struct disk_client *c = &server.client[n];

    put("block: client ", n);
    put(" lives ", c->lives);
    put(" reads ", c->reads);
    put(" writes ", c->writes_done);
    put(" flushes ", c->flushes);
    put(" capacities ", c->capacities);
    put(" bytes ", c->bytes);
    put(" refused ", c->refused);
    put(" lies ", c->lies);
    board_putc('\n');
}

static void report(void)
{
    static uint32_t before;
    uint32_t n, count = 0;

    for (n = 0; n < server.count; n++) {
        count += server.client[n].there;
    }
    if (count == 0 && before != 0) {
        for (n = 0; n < server.count; n++) {
            row(n);
        }
    }
    before = count;
}

void simple_main(uint32_t config, uint32_t base)
{
    uint32_t wrong = disk_server_configure(&server, (const char *)config);

    if (wrong != 0) {
        put("block: FAIL configuration, line ", wrong);
        board_putc('\n');
        end();
    }
    ramdisk_at = (uint8_t *)server.at;
    server.device = &ramdisk;
    disk_server_begin(&server, (uint8_t *)base, APART);
    listen();
    for (;;) {
        uint32_t before = bells;

        if (!disk_server_step(&server)) {
            report();
            simple_wait(&bells, before);
        }
    }
}
