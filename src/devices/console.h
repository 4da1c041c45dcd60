/*
 * console.h: one UART of the board, shared (option CONSOLE). Every guest sees a UART of its own, of the kind and at the address
 * that its partition names (uart.h); its output comes out line by line with the guest's name in front, input goes to the focused
 * guest. console.c has the board's line, line.c a guest's.
 */
#ifndef PROTEUS_CONSOLE_H
#define PROTEUS_CONSOLE_H

#include <stdbool.h>
#include <stdint.h>

#include "board.h"
#include "partition.h"
#include "vcpu.h"

#ifdef CONFIG_CONSOLE

/* For so long a guest may leave its line as it is, and then it comes out: all had their slices meanwhile, and 10 ms. */
#define CONSOLE_PATIENCE (VM_COUNT * SCHED_QUANTUM_TICKS + BOARD_TB_HZ / 100)

#define UART_INPUT  16U /* bytes */
#define UART_OUTPUT 16U
#define UART_SHOWN  4U  /* what a byte becomes at most: M-^X */
#define UART_POLLS  8   /* looks at LSR in the middle of a line: it asks for input, with a prompt before */
#define UART_MODEM  0xB0U /* a 16550's modem status: carrier, ready, clear to send */

/* Option UART_SECOND: which row of vm_config it is; and its name is that of the VM, with .1 behind it. */
#ifdef CONFIG_UART_SECOND
#define UART_SECOND_WORDS uint8_t row;
#define UART_NAME_SIZE    (VM_NAME_SIZE + 2)
#else
#define UART_SECOND_WORDS
#define UART_NAME_SIZE    VM_NAME_SIZE
#endif

/* A guest's UART. asm/uart.S does what a driver that polls does for each byte. Second names: a UartLite's. */
struct uart {
    union {
        struct {
            uint8_t handed; /* line is complete: no more room for the guest */
            uint8_t idle;   /* nobody looks after the line (console_tick) */
        };
        uint16_t closed; /* one of the two: the next byte comes to C */
    };
    uint8_t length;  /* bytes in line, */
    uint8_t seen;    /* and at the last look */
    uint8_t empty;   /* THRE interrupt is due */
    uint8_t polls;   /* looks at LSR since the last byte was written */
    union {
        uint8_t ier, enabled; /* CTRL bit 4 */
    };
    union {
        uint8_t lcr, events; /* STAT as it was: a bit that rises is an event */
    };
    uint8_t overrun; /* a received byte was lost: LSR or STAT tells it once */
    uint8_t scratch, mcr, divisor[2];
    uint8_t modem;   /* its status */
    uint8_t first, count; /* in input */
    uint8_t fifo;    /* output is in use: FCR bit 0 */
    uint8_t waiting; /* bytes in output */
    uint8_t returned; /* the line before has ended already: a \n belongs to it */
    uint8_t input[UART_INPUT];
    uint8_t output[UART_OUTPUT];
    UART_SECOND_WORDS
    uint8_t tag_length;
    uint8_t tag[2 + UART_NAME_SIZE + 3]; /* ends where the line begins */
    uint8_t line[CONFIG_CONSOLE_LINE + UART_SHOWN - 1];
};

extern uint32_t pit_road; /* a low word: where asm/pit.S goes, schedule() or console_tick() */
extern uint32_t console_looked; /* TBL */

void console_init(void);
void console_reset(struct vcpu *v);

/* Is it the second UART of its VM that has the input? */
bool console_focus_is_second(void);

/* The guest has set MSR[WE]: what it has written of a line comes out. Then as schedule(). */
ROAD struct vcpu *console_wait(struct vcpu *v);

/* Is the guest-physical address one of its UART's registers? */
bool console_claims(const struct vcpu *v, uint32_t address);

/* Is it one that asm/uart.S knows? */
bool console_is_near(const struct vcpu *v, uint32_t address);

/* A register of a UART whose registers are bytes; an address that is none reads as zero and takes nothing. */
uint8_t console_read(struct vcpu *v, uint32_t address);
void console_write(struct vcpu *v, uint32_t address, uint8_t value);

/* The same on a bus of words: bus.h. */
uint32_t console_load(struct vcpu *v, uint32_t address, uint32_t lanes);
void console_store(struct vcpu *v, uint32_t address, uint32_t value, uint32_t lanes);

/* One byte from the guest, or to it; false if there is no room now, or none has come. The guest has a console. */
bool console_put(struct vcpu *v, uint8_t byte);
bool console_get(struct vcpu *v, uint8_t *byte);

/* Move what the board's UART takes and has. Never waits. */
void console_poll(void);

/* The board's UART has received more than it could hold. */
void console_lost(void);

/* What the guest has written of a line comes out. */
void console_rest(struct vcpu *v);

/* The machine's PIT on its way to schedule(), after console_watch(): text that stays comes out, input that stays goes. */
struct vcpu *console_tick(struct vcpu *v);
void console_watch(void);

/* Ticks until then. */
static inline uint32_t console_left(uint32_t now)
{
    int32_t left = (int32_t)(console_looked + CONSOLE_PATIENCE - now);

    return LOW_GET(pit_road) != (uint32_t)(uintptr_t)console_tick ? 0xFFFFFFFF : left < 0 ? 0 : (uint32_t)left;
}

/* A byte of the hypervisor's own line, which ends with \n. Waits only if the line before is not out yet. */
void console_own(uint8_t byte);

/* Is all out that v has written? What is in its line is on its way from now on. */
bool console_has_said(const struct vcpu *v);

/* All that everyone has written comes out, the hypervisor's own lines too. Waits. */
void console_flush(void);

#else

#define console_focus_is_second() false

static inline void console_init(void)
{
}

static inline void console_reset(struct vcpu *v)
{
    (void)v;
}

static inline bool console_claims(const struct vcpu *v, uint32_t address)
{
    (void)v, (void)address;
    return false;
}

static inline bool console_is_near(const struct vcpu *v, uint32_t address)
{
    (void)v, (void)address;
    return false;
}

static inline uint8_t console_read(struct vcpu *v, uint32_t address)
{
    (void)v, (void)address;
    return 0;
}

static inline void console_write(struct vcpu *v, uint32_t address, uint8_t value)
{
    (void)v, (void)address, (void)value;
}

static inline uint32_t console_load(struct vcpu *v, uint32_t address, uint32_t lanes)
{
    (void)v, (void)address, (void)lanes;
    return 0;
}

static inline void console_store(struct vcpu *v, uint32_t address, uint32_t value, uint32_t lanes)
{
    (void)v, (void)address, (void)value, (void)lanes;
}

static inline void console_poll(void)
{
}

static inline void console_lost(void)
{
}

static inline void console_rest(struct vcpu *v)
{
    (void)v;
}

static inline uint32_t console_left(uint32_t now)
{
    (void)now;
    return 0xFFFFFFFF;
}

static inline void console_own(uint8_t byte)
{
    while (board_uart_room() == 0) { /* loop: 1 */
    }
    board_uart_send(byte);
}

static inline bool console_has_said(const struct vcpu *v)
{
    (void)v;
    return true;
}

static inline void console_flush(void)
{
}

#endif
#endif
