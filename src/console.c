/*
 * console.c: see console.h.
 *
 * A guest's transmitter is a line buffer. When a line is complete (or the buffer full, or the guest waits in the middle
 * of a line) the buffer is handed over and the guest's THRE goes away until the board's UART has taken it: nobody waits
 * in the hypervisor for a slow line, and a guest that floods its console slows down only itself. A guest that has turned on the
 * 16550's FIFO may write as many bytes at once as that holds: what comes behind the end of a line waits there.
 */
#include "console.h"

#include "board.h"
#include "irq.h"
#include "partition.h"

enum { DATA, IER, IIR, LCR, MCR, LSR, MODEM, SCRATCH, REGISTERS };

#define IER_RX    0x01
#define IER_TX    0x02
#define IIR_FIFO  0xC0
#define FCR_FIFO  0x01
#define FCR_CLEAR 0x02 /* received bytes */
#define LCR_DLAB  0x80
#define LSR_RX    0x01
#define LSR_EMPTY 0x60 /* THRE and TEMT */
#define POLLS     UART_POLLS

static struct uart uarts[VM_COUNT];

#define COLUMN_OWN (VM_NAME_SIZE + 3) /* behind the longest tag, from the end of the tag to that of the line */

static uint8_t focus;       /* who gets the input */
static uint8_t escaped;     /* the escape key came last */
static uint8_t sender;      /* whose line is going out */
static uint8_t column;      /* bytes on the board's current line: tag included; 0: a new one */
static uint8_t column_of;   /* whose */
static uint8_t want_send;

static struct uart *uart_of(const struct vcpu *v)
{
    return &uarts[vcpu_index(v)];
}

/* The UART's interrupt line follows its registers. */
static void update_line(struct vcpu *v)
{
    struct uart *u = uart_of(v);
    uint32_t active = ((u->ier & IER_RX) != 0 && u->count != 0) || ((u->ier & IER_TX) != 0 && u->empty != 0);

    irq_set_line(v, BOARD_CONSOLE_IRQ, active);
}

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
    if (u->length != 0) {
        u->handed = 1;
        u->empty = 0;
    }
}

/* A byte from the guest, while its line is not handed over. True: now it is. */
static bool put(struct uart *u, uint8_t byte)
{
    u->polls = 0;
    u->empty = 1;
    if (byte == '\r') { /* lines end in \n alone */
        return false;
    }
    u->line[u->length++] = byte;
    if (byte != '\n' && u->length != CONFIG_CONSOLE_LINE) {
        return false;
    }
    hand_over(u);
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

/* Is there a line to send? The guests' turns go round. */
static bool find_sender(void)
{
    uint32_t i;

    for (i = 0; i < VM_COUNT && uarts[sender].handed == 0; i++) {
        sender = sender + 1 == VM_COUNT ? 0 : sender + 1;
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
        update_line(&vcpu[sender]);
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
        update_line(&vcpu[focus]);
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

void console_flush(void)
{
    uint32_t i;

    for (i = 0; i < VM_COUNT; i++) {
        hand_over(&uarts[i]);
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
    struct uart *u = uart_of(v);

    hand_over(u);
    u->empty = 0;
    u->ier = 0;
    u->lcr = 0;
    u->mcr = 0;
    u->count = 0;
    u->fifo = 0;
    u->waiting = 0;
    v->uart = (uint32_t)(uintptr_t)u;
    v->uart_base = 0;
    VCPU_UART_FAR(v);
}

bool console_claims(const struct vcpu *v, uint32_t address)
{
    uint32_t base = vm_config[vcpu_index(v)].console_base;

    return base != 0 && address - base < REGISTERS;
}

static uint8_t take(struct uart *u)
{
    uint8_t value = u->input[u->first];

    u->first = (u->first + 1) % UART_INPUT;
    u->count--;
    return value;
}

uint8_t console_read(struct vcpu *v, uint32_t address)
{
    struct uart *u = uart_of(v);
    uint32_t reg = address - vm_config[vcpu_index(v)].console_base;
    uint8_t value = 0;

    if (!console_claims(v, address)) {
        return 0;
    }
    if ((u->lcr & LCR_DLAB) != 0 && reg <= IER) {
        return u->divisor[reg];
    }
    switch (reg) {
    case DATA:
        if (u->count != 0) {
            value = take(u);
        }
        break;
    case IER:
        return u->ier;
    case IIR:
        if ((u->ier & IER_RX) != 0 && u->count != 0) {
            value = 0x04;
        } else if ((u->ier & IER_TX) != 0 && u->empty != 0) {
            value = 0x02;
            u->empty = 0; /* reading it ends a transmit interrupt */
        } else {
            value = 0x01;
        }
        value |= u->fifo != 0 ? IIR_FIFO : 0;
        break;
    case LCR:
        return u->lcr;
    case MCR:
        return u->mcr;
    case LSR:
        if (u->length != 0 && ++u->polls > POLLS) { /* it asks for input, with a prompt before */
            hand_over(u);
        }
        if (u->handed != 0) {
            console_poll();
        }
        return (u->handed != 0 ? 0 : LSR_EMPTY) | (u->count != 0 ? LSR_RX : 0);
    case MODEM:
        return 0xB0; /* carrier, ready, clear to send */
    default:
        return u->scratch;
    }
    update_line(v);
    return value;
}

static void transmit(struct uart *u, uint8_t byte)
{
    if (u->handed != 0) {
        put_waiting(u, byte);
    } else if (put(u, byte)) {
        console_poll();
    }
}

void console_write(struct vcpu *v, uint32_t address, uint8_t value)
{
    struct uart *u = uart_of(v);
    uint32_t reg = address - vm_config[vcpu_index(v)].console_base;

    if (!console_claims(v, address)) {
        return;
    }
    if ((u->lcr & LCR_DLAB) != 0 && reg <= IER) {
        u->divisor[reg] = value;
        return;
    }
    switch (reg) {
    case DATA:
        transmit(u, value);
        break;
    case IER:
        u->empty = u->empty || ((value & IER_TX) != 0 && u->handed == 0);
        u->ier = value & 0x0F;
        break;
    case IIR: /* FCR, for writing */
        u->fifo = value & FCR_FIFO;
        u->count = (value & FCR_CLEAR) != 0 ? 0 : u->count;
        break;
    case LCR:
        u->lcr = value;
        break;
    case MCR:
        u->mcr = value & 0x1F;
        break;
    case SCRATCH:
        u->scratch = value;
        break;
    default:
        break;
    }
    update_line(v);
}

uint32_t console_load(struct vcpu *v, uint32_t address, uint32_t lanes)
{
    uint32_t value = 0;
    uint32_t i;

    for (i = 0; i < 4; i++) {
        if ((lanes << 8 * i & 0xFF000000) != 0) {
            value |= (uint32_t)console_read(v, address + i) << (24 - 8 * i);
        }
    }
    return value;
}

void console_store(struct vcpu *v, uint32_t address, uint32_t value, uint32_t lanes)
{
    uint32_t i;

    for (i = 0; i < 4; i++) {
        if ((lanes << 8 * i & 0xFF000000) != 0) {
            console_write(v, address + i, (uint8_t)(value >> (24 - 8 * i)));
        }
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
    transmit(u, byte);
    update_line(v);
    return true;
}

bool console_get(struct vcpu *v, uint8_t *byte)
{
    struct uart *u = uart_of(v);

    if (u->count == 0) {
        return false;
    }
    *byte = take(u);
    update_line(v);
    return true;
}
