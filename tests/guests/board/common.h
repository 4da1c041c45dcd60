/*
 * common.h: what every board has in the same way; included by its header, behind its devices.
 */
#ifndef GUEST_BOARD_COMMON_H
#define GUEST_BOARD_COMMON_H

// DBCR0[RST] = 0b11: system reset, the end of a run
#define BOARD_RESET_DBCR0 0x30000000

#if defined(CONSOLE_IPC) && !defined(__ASSEMBLER__)
// The console is another partition: common/console_ipc.c
void board_putc(char c);
void board_said(void);
void board_report(void);
#elif !defined(__ASSEMBLER__)
// Until all that was printed is out
static inline void board_said(void)
{
    board_drain();
}

// What its console has to say of itself: this one nothing
static inline void board_report(void)
{
}

// Send one character; polled, because a guest that owns no interrupt line must be able to print
static inline void board_putc(char c)
{
    while (!board_can_send()) {
    }
    board_send(c);
}
#endif

#endif
