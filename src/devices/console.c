/*
 * console.c: see console.h.
 *
 * A guest's transmitter is a line buffer. When a line is complete (or the buffer full, or the guest waits in the middle
 * of a line) the buffer is handed over and the guest's THRE goes away until the board's UART has taken it: nobody waits
 * in the hypervisor for a slow line, and a guest that floods its console slows down only itself. A guest whose transmitter has
 * a FIFO may write as many bytes at once as that holds: what comes behind the end of a line waits there.
 */
#include "console.h"

#include "board.h"
#include "partition.h"
#include "uart.h"

static struct uart uarts[VM_COUNT];

#define COLUMN_OWN (VM_NAME_SIZE + 3) /* behind the longest tag, from the end of the tag to that of the line */

static uint8_t focus;       /* who gets the input */
static uint8_t escaped;     /* the escape key came last */
static uint8_t sender;      /* whose line is going out */
static uint8_t column;      /* bytes on the board's current line: tag included; 0: a new one */
static uint8_t column_of;   /* whose */
static uint8_t want_send;

/* What stands before the sender's own bytes: the end of somebody else's prompt, then the tag. -1: no more of it. */
static int next_before(void)
{
    const char *name = vm_config[sender].name;
    uint32_t name_length, at;

    if (column == COLUMN_OWN && column_of == sender) {
        return -1;
    }
    if (column != 0 && column_of != sender) {
        column = 0;
        return '\n';
    }
    for (name_length = 0; name_length < VM_NAME_SIZE && name[name_length] != 0; name_length++) {
    }
    at = column++;
    column_of = sender;
    if (at == name_length + 2) {
        column = COLUMN_OWN;
    }
    return at == 0 ? '[' : at <= name_length ? name[at - 1] : at == name_length + 1 ? ']' : ' ';
}

static void hand_over(struct uart *u)
{
    if (u->length != 0 && u->handed == 0) {
        u->handed = 1;
        u->empty = 0;
        u->returned = 0;
    }
}

/*
 * A byte from the guest, while its line is not handed over. True: now it is. Lines end in \n, \r\n or \r: all become \n;
 * in an empty line \r is nothing.
 */
static bool put(struct uart *u, uint8_t byte)
{
    bool returns = byte == '\r';

    u->polls = 0;
    u->empty = 1;
    if (u->length == 0 && (returns || (byte == '\n' && u->returned != 0))) {
        u->returned = 0;
        return false;
    }
    u->line[u->length++] = returns ? '\n' : byte;
    if (!returns && byte != '\n' && u->length != CONFIG_CONSOLE_LINE) {
        return false;
    }
    hand_over(u);
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

/* The line is free again: what waits goes there, up to the end of the next one. */
static void put_all(struct uart *u)
{
    uint32_t count = u->waiting;
    uint32_t i;

    u->waiting = 0;
    u->empty = 1;
    for (i = 0; i < count; i++) {
        if (u->handed != 0) {
            put_waiting(u, u->output[i]);
        } else {
            put(u, u->output[i]);
        }
    }
}

static void next_turn(void)
{
    sender = sender + 1 == VM_COUNT ? 0 : sender + 1;
}

/* Is there a line to send? The guests' turns go round, a line each. */
static bool find_sender(void)
{
    uint32_t i;

    for (i = 0; i < VM_COUNT && uarts[sender].handed == 0; i++) {
        next_turn();
    }
    return uarts[sender].handed != 0;
}

/* At most `room` bytes of the sender's line. How many were sent. */
static uint32_t send_some(uint32_t room)
{
    struct uart *u = &uarts[sender];
    uint32_t left = room;
    uint32_t at;
    int byte;

    while (left != 0 && (byte = next_before()) >= 0) {
        board_uart_send((uint8_t)byte);
        left--;
    }
    for (at = u->sent; left != 0 && at != u->length; at++, left--) {
        board_uart_send(u->line[at]);
    }
    u->sent = (uint8_t)at;
    if (at == u->length) {
        column = u->line[at - 1] == '\n' ? 0 : column; /* which is nowhere else in a line */
        u->handed = 0;
        u->length = 0;
        u->sent = 0;
        put_all(u);
        uart_changed(&vcpu[sender], u);
        next_turn();
    }
    return room - left;
}

/* Input: the escape key and then a digit moves the focus; twice, it is an ordinary key. */
static void receive(uint8_t byte)
{
    struct uart *u;

    if (escaped != 0 && byte >= '1' && byte < '1' + VM_COUNT) {
        focus = byte - '1';
        escaped = 0;
        return;
    }
    if (escaped == 0 && byte == CONSOLE_ESCAPE) {
        escaped = 1;
        return;
    }
    escaped = 0;
    u = &uarts[focus];
    if (u->count < UART_INPUT) {
        u->input[(u->first + u->count) % UART_INPUT] = byte;
        u->count++;
        uart_changed(&vcpu[focus], u);
    } else {
        uart_overrun(&vcpu[focus], u);
    }
}

void console_poll(void)
{
    uint8_t byte;
    uint32_t i, room;
    uint32_t left = CONFIG_CONSOLE_LINE;
    bool more;

    for (i = 0; i < UART_INPUT && board_uart_received(&byte); i++) {
        receive(byte);
    }
    while ((more = find_sender()) && left != 0 && (room = board_uart_room()) != 0) {
        left -= send_some(room < left ? room : left);
    }
    if (want_send != more) { /* ask for an interrupt only while something waits */
        want_send = more;
        board_uart_want_send(more);
    }
}

void console_flush(const struct vcpu *v)
{
    uint32_t i;

    for (i = 0; i < VM_COUNT; i++) {
        if (v == 0 || v == &vcpu[i]) {
            hand_over(&uarts[i]);
        }
    }
    while (find_sender()) {
        send_some(board_uart_room());
    }
    if (column != 0) {
        while (board_uart_room() == 0) {
        }
        board_uart_send('\n');
        column = 0;
    }
}

void console_init(void)
{
    focus = CONSOLE_FOCUS;
}

struct vcpu *console_wait(struct vcpu *v)
{
    hand_over(uart_of(v));
    console_poll();
    return schedule(v);
}

void console_reset(struct vcpu *v)
{
    struct uart *u = &uarts[vcpu_index(v)];

    hand_over(u);
    u->empty = 0;
    u->ier = 0;
    u->lcr = 0;
    u->mcr = 0;
    u->count = 0;
    u->fifo = 0;
    u->waiting = 0;
    v->uart = (uint32_t)(uintptr_t)u;
    uart_reset(v, u);
    VCPU_UART_RESET(v);
}

void console_prompt(struct uart *u)
{
    if (u->length != 0 && ++u->polls > UART_POLLS) {
        hand_over(u);
    }
    if (u->handed != 0) {
        console_poll();
    }
}

uint8_t console_take(struct uart *u)
{
    uint8_t value = u->input[u->first];

    u->first = (u->first + 1) % UART_INPUT;
    u->count--;
    return value;
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

bool console_get(struct vcpu *v, uint8_t *byte)
{
    struct uart *u = uart_of(v);

    if (u->count == 0) {
        return false;
    }
    *byte = console_take(u);
    uart_changed(v, u);
    return true;
}
