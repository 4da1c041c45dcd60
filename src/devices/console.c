/*
 * console.c: the board's UART (console.h). Lines go out one after the other, each VM's in its turn; the hypervisor's own go
 * first. What is typed goes to the VM that has the focus.
 *
 * Input stays in the board's UART until that VM has room for it: its guest's driver sets the pace, and where the line has
 * flow control (RTS) the other end waits. Only of a VM that takes nothing for long it is lost, for behind it may be the keys
 * that move the focus.
 */
#include "console.h"

#include "board.h"
#include "control.h"
#include "cpu.h"
#include "message.h"
#include "partition.h"
#include "roads.h"
#include "uart.h"

#define OWN_SIZE 128         /* a line of its own: the longest is that of a VM that stopped */
#define HOLD     BOARD_TB_HZ /* ticks for which input waits for a VM that does not take any */

struct uart uarts[UART_ROWS];
uint32_t console_looked;

static const uint8_t *text;      /* what goes out: with a tag, and perhaps the end of somebody else's line before it */
static uint32_t text_left;
static uint32_t turn;            /* the UART that had the last line */
static struct uart *sender;      /* whose goes out; a null pointer: the hypervisor's */
static struct uart *open;        /* who has begun the line that the board is in; a null pointer: it begins a new one */
static uint8_t own[2 + OWN_SIZE]; /* likewise */
static uint32_t own_length;

static struct vcpu *focus;       /* who gets the input */
static struct uart *focus_uart;  /* by which of its UARTs (option UART_SECOND) */
static uint32_t wanted;          /* interrupts of the board's UART: BOARD_UART_* */
static uint32_t held_since;      /* when input began to wait, or the last was taken */
static uint8_t escaped;          /* the escape key came last */
static uint8_t deaf;             /* who has the focus has taken none for long: what comes is lost */

/* ---- output ---- */

bool console_is_open(const struct uart *u)
{
    return open == u;
}

/* "\r\n[name] ", right before the line; of a second UART, "\r\n[name.1] ". */
static void put_tag(struct uart *u, const char *name, bool second)
{
    uint8_t *at = u->line;
    uint32_t length = 0;

    while (length < VM_NAME_SIZE && name[length] != 0) { /* loop: VM_NAME_SIZE */
        length++;
    }
    u->tag_length = (uint8_t)(length + (second ? 5 : 3));
    *--at = ' ';
    *--at = ']';
    if (second) {
        *--at = '1';
        *--at = '.';
    }
    while (length != 0) { /* loop: VM_NAME_SIZE */
        *--at = (uint8_t)name[--length];
    }
    *--at = '[';
    *--at = '\n';
    *--at = '\r';
}

/* The tag goes before a line that the sender has not begun itself. If somebody has, that line ends: his \n will be none. */
static void begin(struct uart *u, const uint8_t *line, uint32_t length, uint32_t tag)
{
    if (open == u) {
        tag = 0;
    } else if (open != 0) {
        tag += 2;
        open->returned = 1;
    }
    text = line - tag;
    text_left = length + tag;
    sender = u;
    open = line[length - 1] == '\n' ? 0 : u;
}

bool console_has_said(const struct vcpu *v)
{
    line_hand_over(uart_of(v));
    if (IS_ENABLED(CONFIG_UART_SECOND)) {
        line_hand_over(uart_second(v));
    }
    return (uart_of(v)->length | (IS_ENABLED(CONFIG_UART_SECOND) ? uart_second(v)->length : 0)) == 0;
}

/*
 * Is there something to send? The guests' turns go round, a line each. A line of its own fits own[], which is empty then:
 * never: find_sender > send_some
 * total: find_sender > OWN_SIZE console_own
 */
static bool find_sender(void)
{
    uint32_t i;

    if (text_left != 0) {
        return true;
    }
    if (own_length == 0) {
        message_next();
    }
    if (own_length != 0) {
        begin(0, own + 2, own_length, 0);
        return true;
    }
    for (i = 0; i < UART_ROWS; i++) { /* loop: VM_COUNT + all.second_uart */
        struct uart *u;

        turn = turn + 1 >= UART_ROWS ? 0 : turn + 1;
        u = &uarts[turn];
        if (u->handed != 0) {
            begin(u, u->line, u->length, u->tag_length);
            return true;
        }
    }
    return false;
}

/* At most `room` bytes. How many were sent. */
static uint32_t send_some(uint32_t room)
{
    uint32_t left;

    for (left = room; left != 0 && text_left != 0; left--, text_left--) { /* loop: POLL_BYTES */
        board_uart_send(*text++);
    }
    if (text_left == 0) {
        if (sender == 0) {
            own_length = 0;
        } else {
            line_sent(UART_OWNER(turn), sender);
        }
    }
    return room - left;
}

/*
 * While there is a line to send, the next message waits:
 * never: console_own > message_next, message_start, message_text, message_hex, message_decimal, control_say
 */
void console_own(uint8_t byte)
{
    if (own_length == OWN_SIZE || (own_length != 0 && own[1 + own_length] == '\n')) {
        while (own_length != 0) { /* loop: (CONFIG_CONSOLE_LINE + 2 * VM_NAME_SIZE + OWN_SIZE) / POLL_BYTES + 2 */
            find_sender();
            send_some(board_uart_room());
        }
    }
    own[2 + own_length++] = byte;
}

void console_flush(void)
{
    uint32_t i;

    /* On no road to a guest, but at the end of the machine's run: nobody needs a bound that is near. */
    do { /* what waits in a FIFO becomes a line when the one before is out */
        while (find_sender()) { /* loop: 4 * OWN_SIZE */
            send_some(board_uart_room());
        }
        for (i = 0; i < UART_ROWS; i++) { /* loop: VM_COUNT + all.second_uart */
            line_hand_over(&uarts[i]);
        }
    } while (find_sender()); /* loop: 4 * OWN_SIZE */
}

/* ---- input ---- */

static struct uart *focused(void)
{
    return IS_ENABLED(CONFIG_UART_SECOND) ? focus_uart : uart_of(focus);
}

bool console_focus_is_second(void)
{
    return IS_ENABLED(CONFIG_UART_SECOND) && focused() != uart_of(focus);
}

/* Escape key and digit move the focus; the escape key twice is an ordinary key. Second UARTs have the digits behind the VMs'. */
static void receive(uint8_t byte)
{
    if (control_key(&escaped, byte)) {
        return;
    }
    if (escaped != 0 && byte >= '1' && byte < '1' + UART_ROWS) {
        focus = UART_OWNER(byte - '1');
        focus_uart = &uarts[byte - '1'];
        escaped = 0;
        deaf = 0;
        held_since = cpu_time(); /* whoever has it now has a time of his own */
        message_focus(focus);
    } else if (escaped == 0 && byte == CONSOLE_ESCAPE) {
        escaped = 1;
    } else {
        escaped = 0;
        console_receive(focus, focused(), byte);
    }
}

static void lose(struct vcpu *v, struct uart *u)
{
    u->overrun = 1;
    VCPU_UART_FAR(v); /* asm/uart.S does not know of it */
}

void console_receive(struct vcpu *v, struct uart *u, uint8_t byte)
{
    if (u->count < UART_INPUT) {
        u->input[(u->first + u->count) % UART_INPUT] = byte;
        u->count++;
    } else {
        lose(v, u);
    }
    uart_changed(v, u);
}

void console_lost(void)
{
    lose(focus, focused());
    uart_changed(focus, focused());
}

/* Is there somebody for what is typed? */
static bool listens(void)
{
    const struct uart *u = focused();

    return (u->count < UART_INPUT && uart_is_connected(u)) || deaf != 0;
}

void console_resume(const struct uart *u)
{
    if (u == focused()) {
        deaf = 0;
        held_since = cpu_time();
        if ((wanted & BOARD_UART_RECEIVE) == 0) {
            console_poll();
        }
    }
}

uint8_t console_take(struct uart *u)
{
    uint8_t value = u->input[u->first];

    u->first = (u->first + 1) % UART_INPUT;
    u->count--;
    console_resume(u);
    return value;
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

/* ---- both ---- */

/* Interrupts are off: no more at a time than the FIFO of a 16550 holds, though QEMU's is empty again at once. */
/*
 * A message is longer, and there is a look for one behind the last byte; a line has two bytes.
 * most: console_poll > 2 message_next, message_start, message_text, message_hex, message_decimal, control_say
 */
#define POLL_BYTES 16U

void console_poll(void)
{
    uint8_t byte;
    uint32_t room, want;
    uint32_t left = POLL_BYTES;
    bool more;

    while (listens() && board_uart_received(&byte)) { /* comes slower than we go */ /* loop: POLL_BYTES + 1 */
        receive(byte);
    }
    while ((more = find_sender()) && left != 0 && (room = board_uart_room()) != 0) { /* loop: POLL_BYTES / 2 + 2 */
        left -= send_some(room < left ? room : left);
    }
    want = (more ? BOARD_UART_SEND : 0) | (listens() ? BOARD_UART_RECEIVE : 0);
    if (want != wanted) { /* an interrupt only while something waits here, or there */
        if ((wanted & ~want & BOARD_UART_RECEIVE) != 0) {
            held_since = cpu_time();
            console_watch();
        }
        wanted = want;
        board_uart_want(want);
    }
}

/* ---- time: the machine's PIT comes by here first, while there may be something to look after ---- */

void console_watch(void)
{
    LOW_SET(pit_road, (uint32_t)(uintptr_t)console_tick);
    console_looked = cpu_time();
}

/*
 * A line that is as it was at the last look comes out, input that nobody takes is let go. Nothing of both: whoever writes the
 * next byte comes by C.
 */
static void look(void)
{
    bool empty = (wanted & BOARD_UART_RECEIVE) != 0;
    uint32_t i;

    if (!empty && cpu_time() - held_since >= HOLD) {
        deaf = 1;
    }
    for (i = 0; i < UART_ROWS; i++) { /* loop: VM_COUNT + all.second_uart */
        struct uart *u = &uarts[i];

        if (u->length == u->seen) {
            line_hand_over(u);
        }
        u->seen = u->length;
        empty = empty && u->length == 0;
    }
    console_poll();
    if (empty) {
        for (i = 0; i < UART_ROWS; i++) { /* loop: VM_COUNT + all.second_uart */
            uarts[i].idle = 1;
        }
        LOW_SET(pit_road, (uint32_t)(uintptr_t)schedule);
    }
}

struct vcpu *console_tick(struct vcpu *v)
{
    if (cpu_time() - console_looked >= CONSOLE_PATIENCE) {
        console_looked = cpu_time();
        look();
    }
    return schedule(v);
}

/* ---- a VM ---- */

void console_init(void)
{
    uint32_t i;

    for (i = 0; i < UART_ROWS; i++) { /* loop: VM_COUNT + all.second_uart */
        UART_NUMBER(&uarts[i], i);
        put_tag(&uarts[i], vm_config[i].name, i >= VM_COUNT);
        uarts[i].idle = 1;
    }
    own[0] = '\r';
    own[1] = '\n';
    focus = UART_OWNER(CONSOLE_FOCUS);
    focus_uart = &uarts[CONSOLE_FOCUS];
    wanted = BOARD_UART_RECEIVE; /* as board_init() has it */
    LOW_SET(pit_road, (uint32_t)(uintptr_t)schedule);
}

void console_rest(struct vcpu *v)
{
    line_hand_over(uart_of(v));
    if (IS_ENABLED(CONFIG_UART_SECOND)) {
        line_hand_over(uart_second(v));
    }
    console_poll();
}

struct vcpu *console_wait(struct vcpu *v)
{
    console_rest(v);
    return schedule(v);
}

static void reset(struct vcpu *v, struct uart *u)
{
    line_hand_over(u);
    u->empty = 0;
    u->ier = 0;
    u->lcr = 0;
    u->mcr = 0;
    u->modem = UART_MODEM;
    u->overrun = 0;
    u->count = 0;
    u->fifo = 0;
    u->waiting = 0;
    uart_reset(v, u);
    console_resume(u);
}

void console_reset(struct vcpu *v)
{
    struct uart *u = &uarts[vcpu_index(v)];

    v->uart = (uint32_t)(uintptr_t)u;
    VCPU_UART_RESET(v);
    reset(v, u);
    if (IS_ENABLED(CONFIG_UART_SECOND)) {
        reset(v, uart_second(v));
    }
}
