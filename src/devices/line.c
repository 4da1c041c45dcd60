/*
 * line.c: a guest's transmitter is a line buffer (console.h, uart.h).
 *
 * When a line is complete (or the buffer full, or the guest waits in the middle of a line) the buffer is handed over and the
 * guest's THRE goes away until the board's UART has taken it: nobody waits in the hypervisor for a slow line, and a guest that
 * floods its console slows down only itself. A guest whose transmitter has a FIFO may write as many bytes at once as that
 * holds: what comes behind the end of a line waits there.
 */
#include "cpu.h"
#include "uart.h"

__attribute__((noinline)) void line_hand_over(struct uart *u)
{
    if (u->length != 0 && u->handed == 0) {
        u->handed = 1;
        u->empty = 0;
        u->returned = 0;
    }
}

static void append(struct uart *u, uint32_t byte)
{
    u->line[u->length++] = (uint8_t)byte;
}

/*
 * A byte from the guest, while its line is not handed over. True: now it is. Lines end with \n, \r\n or \r, and \r\r\n: all
 * become \r\n. In an empty line \r is nothing, and so is the \n of a line that has ended already: by its \r, or because somebody
 * else's text had to begin one.
 */
static bool put(struct uart *u, uint8_t byte)
{
    bool returns = byte == '\r';

    u->polls = 0;
    u->empty = 1;
    if (u->idle != 0) {
        u->idle = 0;
        console_watch();
    }
    if (!returns && byte != '\n') {
        append(u, byte);
        if (u->length < CONFIG_CONSOLE_LINE) {
            return false;
        }
    } else {
        if (u->length == 0 && (returns ? !console_is_open(u) : u->returned != 0)) {
            u->returned &= returns;
            return false;
        }
        append(u, '\r');
        append(u, '\n');
    }
    line_hand_over(u);
    u->returned = returns;
    return true;
}

/* Into the FIFO if it is on and has room; otherwise an overrun, as on the chip. */
static void put_waiting(struct uart *u, uint8_t byte)
{
    if (u->fifo != 0 && u->waiting < UART_OUTPUT) {
        u->output[u->waiting++] = byte;
    }
}

/* What waits goes to the line that is free again, up to the end of the next one. */
void line_sent(struct vcpu *v, struct uart *u)
{
    uint32_t count = u->waiting;
    uint32_t i;

    u->handed = 0;
    u->length = 0;
    u->seen = 0;
    u->waiting = 0;
    u->empty = 1;
    for (i = 0; i < count; i++) {
        if (u->handed != 0) {
            put_waiting(u, u->output[i]);
        } else {
            put(u, u->output[i]);
        }
    }
    if (!vcpu_can_run(v)) { /* it waits */
        line_hand_over(u);
    }
    uart_changed(v, u);
}

void console_prompt(struct uart *u)
{
    if (u->length != 0 && ++u->polls > UART_POLLS) {
        line_hand_over(u);
    }
    if (u->handed != 0) {
        console_poll();
    }
}

void console_transmit(struct uart *u, uint8_t byte)
{
    if (u->handed != 0) {
        put_waiting(u, byte);
    } else if (put(u, byte)) {
        console_poll();
    }
}

bool console_put(struct vcpu *v, uint8_t byte)
{
    struct uart *u = uart_of(v);

    if (u->handed != 0) {
        console_poll();
        if (u->handed != 0) {
            return false;
        }
    }
    console_transmit(u, byte);
    uart_changed(v, u);
    return true;
}
