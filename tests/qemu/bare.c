/*
 * bare.c: console of the small programs. BOARD_<name> chooses where it is; names as QEMU's machines have them.
 */
#include "bare.h"

#if defined(BOARD_ref405ep)
#define UART16550(n) (*(volatile uint8_t *)(0xEF600300 + (n)))
#elif defined(BOARD_virtex)
#define UART16550(n) (*(volatile uint8_t *)(0x83E01003 + 4 * (n)))
#elif defined(BOARD_raptor)
#define UARTLITE(n) (*(volatile uint32_t *)(0x90210000 + 4 * (n)))
#else
#error "no board"
#endif

#ifdef UARTLITE
void put(char c)
{
    while (UARTLITE(2) & 8) {       // status: transmitter full
    }
    UARTLITE(1) = (uint8_t)c;
}
#else
void put(char c)
{
    while (!(UART16550(5) & 0x20)) {    // LSR: room for a character
    }
    UART16550(0) = c;
}
#endif

char get(void)
{
#ifdef UARTLITE
    while (!(UARTLITE(2) & 1)) {        // status: a character is there
    }
    return (char)UARTLITE(0);
#else
    while (!(UART16550(5) & 1)) {       // LSR: a character is there
    }
    return (char)UART16550(0);
#endif
}

void text(const char *string)
{
    while (*string) {
        put(*string++);
    }
}

void show(const char *name, uint32_t value)
{
    text(name);
    put('=');
    for (int shift = 28; shift >= 0; shift -= 4) {
        put("0123456789abcdef"[value >> shift & 15]);
    }
    put('\n');
}

void wait(uint32_t ticks)
{
    uint32_t start = time_base();

    while (time_base() - start < ticks) {
    }
}
