/*
 * machine.c: what a Virtex board has beside its processor: RAM, BRAM up to the reset vector, the interrupt controller
 * in memory or on the DCR bus, and the peripherals with their lines.
 */
#include "bare.h"

#define WORD(address) (*(volatile uint32_t *)(address))

#if defined(BOARD_virtex)
#define INTC     0x81800000
#define UARTLITE 0x84000000
#define UARTLITE_LINE 7
#elif defined(BOARD_raptor)
#define INTC     0x90240000
#define UARTLITE 0x90210000
#define UARTLITE_LINE 0
#endif
#define TIMER    0x83C00000
#define TIMER_LINE 8
#define ETHERNET 0x81000000
#define UART_LINE 6
#define UART(n)  (*(volatile uint8_t *)(0x83E01003 + 4 * (n)))

#ifdef INTC
enum intc_register { ISR, IPR, IER, IAR, SIE, CIE, IVR, MER };

static int on_dcr;

#define EACH_REGISTER(_) _(ISR) _(IPR) _(IER) _(IAR) _(SIE) _(CIE) _(IVR) _(MER)

static uint32_t intc(enum intc_register number)
{
    if (!on_dcr) {
        return WORD(INTC + 4 * number);
    }
    switch (number) {
#define READ(name) case name: return mfdcr(0xC0 + name);
    EACH_REGISTER(READ)
    }
    return 0;
}

static void intc_write(enum intc_register number, uint32_t value)
{
    if (!on_dcr) {
        WORD(INTC + 4 * number) = value;
        return;
    }
    switch (number) {
#define WRITE(name) case name: mtdcr(0xC0 + name, value); break;
    EACH_REGISTER(WRITE)
    }
}

// External interrupts enabled for a moment: the number that came, at most one because of the handler.
static uint32_t taken(void)
{
    uint32_t before = interrupt.count;

    srr_forget();
    mtmsr(MSR_EE);
    __asm__ volatile("nop; nop; nop; nop");
    mtmsr(0);
    return interrupt.count - before;
}

// What the controller says of an interrupt that was taken, and whether it comes again after the acknowledgement.
struct seen {
    uint32_t line, vector, again;
};

static struct seen acknowledge(uint32_t line)
{
    struct seen seen = {.line = intc(IVR), .vector = interrupt.vector};

    intc_write(IAR, 1u << line);
    seen.again = taken();
    return seen;
}

static void show_seen(const char *name, uint32_t count, struct seen seen)
{
    show(name, count);
    show("  line", seen.line);
    show("  vector", seen.vector);
    show("  again", seen.again);
}

static void controller(void)
{
    uint32_t before = interrupt.count;

    (void)mfdcr(0xC7);
    on_dcr = interrupt.count == before;
    show("intc_on_dcr", on_dcr);

    // By software: possible until the hardware inputs are enabled, which enables the output as well.
    intc_write(ISR, 1 << 5);
    intc_write(IER, 1 << 5);
    show("output_off", taken());
    intc_write(MER, 3);
    uint32_t count = taken();
    show_seen("software", count, acknowledge(5));
    intc_write(ISR, 1 << 5);
    show("software_late", taken());
    intc_write(IER, 0);
}

// The console may be the same UART: nothing is printed while its interrupts are on.
static void uartlite(void)
{
    intc_write(IAR, 0xFFFFFFFF);
    intc_write(SIE, 1u << UARTLITE_LINE);
    WORD(UARTLITE + 12) = 0x10;
    WORD(UARTLITE + 4) = '\n';
    uint32_t count = taken();
    struct seen seen = acknowledge(UARTLITE_LINE);
    uint32_t status = WORD(UARTLITE + 8);
    (void)WORD(UARTLITE + 0);
    uint32_t spurious = taken();
    WORD(UARTLITE + 12) = 0;
    intc_write(CIE, 1u << UARTLITE_LINE);
    show_seen("uartlite", count, seen);
    show("  status", status);
    show("  spurious", spurious);
}
#endif

#ifdef BOARD_virtex
// A level: off before it is acknowledged.
static void uart(void)
{
    intc_write(SIE, 1u << UART_LINE);
    UART(1) = 2;                                // transmitter empty
    uint32_t count = taken();
    UART(1) = 0;
    show_seen("uart16550", count, acknowledge(UART_LINE));
}

static void timer(void)
{
    intc_write(SIE, 1u << TIMER_LINE);
    WORD(TIMER + 4) = 1000;
    WORD(TIMER + 0) = 0x20;                     // load
    WORD(TIMER + 0) = 0xC2;                     // on, with interrupt, downwards
    uint32_t early = taken();
    wait(6000);                                 // its clock is a third of the core's
    uint32_t count = taken();
    WORD(TIMER + 0) = 0x100;
    show("timer_early", early);
    show_seen("timer", count, acknowledge(TIMER_LINE));
}
#endif

int main(void)
{
    uint32_t mib = 1;

    while (mib < 2048) {
        WORD(mib << 20) = mib;
        if (WORD(mib << 20) != mib) {
            break;
        }
        mib++;
    }
    show("ram_mib", mib);
    show("pvr", mfspr(PVR));
    WORD(0xFFFF0000) = 0x12345678;
    show("bram", WORD(0xFFFF0000));
#ifdef INTC
    controller();
    uartlite();
#endif
#ifdef BOARD_virtex
    uart();
    timer();
    WORD(ETHERNET) = 0x89ABCDEF;
    show("ethernetlite", WORD(ETHERNET));
#endif
    return 0;
}
