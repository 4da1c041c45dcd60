/*
 * line.c: a guest's transmitter is a line buffer (console.h, uart.h).
 *
 * When a line is complete (or the buffer full, or the guest waits in the middle of a line) the buffer is handed over and the
 * guest's THRE goes away until the board's UART has taken it: nobody waits in the hypervisor for a slow line, and a guest that
 * floods its console slows down only itself. A guest whose transmitter has a FIFO may write as many bytes at once as that
 * holds: what comes behind the end of a line waits there.
 *
 * What reaches the terminal are lines of printing characters, unless a VM is alone there and may do more (key `console_raw`). A
 * control character is shown: it could write over the tag, forge a line of another VM's, or have the terminal answer in the name
 * of who types.
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

/* As `cat -v` has it: at most UART_SHOWN bytes. Where they end. */
static uint8_t *show(uint8_t *at, uint32_t byte)
{
    if (byte >= 0x80) {
        *at++ = 'M';
        *at++ = '-';
        byte -= 0x80;
    }
    if ((byte < ' ' && byte != '\t') || byte == 0x7F) {
        *at++ = '^';
        byte ^= 0x40;
    }
    *at++ = (uint8_t)byte;
    return at;
}

/*
 * A byte from the guest, while its line is not handed over. True: now it is. Lines end with \n, \r\n or \r, and \r\r\n: all
 * become \r\n. In an empty line \r is nothing, and so is the \n of a line that has ended already: by its \r, or because somebody
 * else's text had to begin one.
 */
static bool put(struct uart *u, uint8_t byte)
{
    bool returns = byte == '\r';
    uint8_t *at = &u->line[u->length];

    u->polls = 0;
    u->empty = 1;
    if (u->idle != 0) {
        u->idle = 0;
        console_watch();
    }
    if (!returns && byte != '\n') {
        if (CONSOLE_PLAIN) {
            at = show(at, byte);
        } else {
            *at++ = byte;
        }
        u->length = (uint8_t)(at - u->line);
        if (u->length < CONFIG_CONSOLE_LINE) {
            return false;
        }
    } else {
        if (u->length == 0 && (returns ? !console_is_open(u) : u->returned != 0)) {
            u->returned &= returns;
            return false;
        }
        at[0] = '\r';
        at[1] = '\n';
        u->length += 2;
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
    for (i = 0; i < count; i++) { /* loop: UART_OUTPUT */
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
