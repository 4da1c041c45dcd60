/*
 * console.c: a partition that has the board's UART, and is the console of others (hypercalls/ipc/server.h). r3 is the address of
 * names, of SERVER_NAME bytes each: its own, and for each of its tunnels who is at the other end ("<vm>.peers" as its blob);
 * r4 that of the first tunnel, and the others are behind it, at r4 + 64K, ... Their doorbells are lines LINE, LINE + 1, ...
 *
 * It waits for the UART by interrupts: a slow line costs nobody's time.
 */
#include <proteus/proteus.h>

#include "machine.h"
#include "server.h"
#include "simple.h"

#define LINE  20
#define APART 0x10000u
#define KEYS  64u /* what was typed while a line went out */

static struct server server;
static volatile uint32_t bells;
static volatile uint8_t keys[KEYS];
static volatile uint32_t came, taken; /* of them */

void simple_unexpected(uint32_t vector)
{
    (void)vector;
    system_reset();
}

/* All causes at once; the UART's first where it is a pulse. */
void simple_interrupt(void)
{
    uint32_t i;

    bells++;
    for (i = 0; i < server.count; i++) {
        board_irq_acknowledge(LINE + i);
    }
    if (BOARD_UART_EDGE) {
        board_irq_acknowledge(BOARD_UART_LINE);
    }
    while (board_can_receive()) {
        uint8_t byte = board_receive();

        if (came - taken < KEYS) {
            keys[came % KEYS] = byte;
            came = came + 1;
        }
    }
    board_uart_want(0);
    if (!BOARD_UART_EDGE) {
        board_irq_acknowledge(BOARD_UART_LINE);
    }
}

static void put(uint8_t byte)
{
    while (!board_can_send()) {
        uint32_t before = bells;

        board_uart_want(1);
        if (!board_can_send()) {
            simple_wait(&bells, before);
        }
    }
    board_send((char)byte);
}

static void listen(void)
{
    board_irq_reset();
    for (uint32_t i = 0; i < server.count; i++) {
        board_irq_enable_pulse(LINE + i);
    }
    board_irq_enable(BOARD_UART_LINE);
    board_receive_setup(1);
    __asm__ volatile("wrteei 1");
}

void simple_main(uint32_t names, uint32_t base)
{
    uint32_t word, n;

    server_begin(&server, (const char *)names, put);
    for (n = 0; n < SERVER_CLIENTS && proteus_ipcm_status(n, &word) == 0; n++) {
        server_add(&server, n, (uint8_t *)base + n * APART, (const char *)names + (n + 1) * SERVER_NAME);
    }
    listen();
    for (;;) {
        uint32_t before = bells;

        while (taken != came) {
            server_key(&server, keys[taken % KEYS]);
            taken = taken + 1;
        }
        if (!server_step(&server)) {
            simple_wait(&bells, before);
        }
    }
}
