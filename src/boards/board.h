/*
 * board.h: everything that differs from board to board. Values (addresses, clock, memory) come from config/boards/ by
 * way of gen/board_values.h; the functions are in one file, src/board_<name>.c.
 */
#ifndef PROTEUS_BOARD_H
#define PROTEUS_BOARD_H

#include "board_values.h"

/* Real-mode storage attributes, one bit per 128 MiB: RAM is cached, RAM and ROM may be prefetched, the rest is guarded. */
#define BOARD_DCCR BOARD_RAM_REGIONS
#define BOARD_ICCR (BOARD_RAM_REGIONS | BOARD_ROM_REGIONS)
#define BOARD_SGR  (~(BOARD_RAM_REGIONS | BOARD_ROM_REGIONS) & 0xFFFFFFFF)

/* asm/board_<name>.S, ROM images only: board_early makes the memory usable. */

#ifndef __ASSEMBLER__

#include <stdbool.h>
#include <stdint.h>

/* Interrupt controller: everything masked but the console and the lines that partitions own. UART: 8 data bits. */
void board_init(void);

/* The machine's external interrupt: serve the console's line, hand a partition's line to its owner and mask it. */
void board_interrupt(void);
void board_irq_mask(uint32_t line);
void board_irq_enable(uint32_t line);
void board_irq_unmask(uint32_t line); /* the same, for who has acknowledged it: what came before does not count */

/* Of a UIC: what makes this line active. It may look so for a moment: a change of either can be an edge. */
void board_irq_kind(uint32_t line, uint32_t edge, uint32_t high);

/* UART of the shared console. Never waits. */
uint32_t board_uart_room(void); /* how many bytes it takes now */
void board_uart_send(uint8_t byte);
bool board_uart_received(uint8_t *byte);
void board_uart_want(uint32_t what); /* BOARD_UART_*: interrupt when a byte has come; when it can send again */

#define BOARD_UART_RECEIVE 0x01 /* IER of a 16550 */
#define BOARD_UART_SEND    0x02

/* System reset. Does not return. */
void board_reset(void) __attribute__((noreturn));

#endif
#endif
