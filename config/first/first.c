/*
 * first.c: a guest with a console and a timer. It counts ticks, says so every tenth of a second, and ends.
 */
#include <stdint.h>

#define TIMES 5

#define UART ((volatile uint8_t *)0xEF600300) /* ref405ep's first; console = "shared" in partitions.toml puts ours there */
#define THR  0
#define LSR  5
#define LSR_ROOM 0x20
#define LSR_SENT 0x40

#define HERTZ 333333330u /* of the timer: tb_hz in config/boards/ref405ep.toml */
#define PIT   0x3DB
#define TCR   0x3DA
#define TSR   0x3D8
#define DBCR0 0x3F2
#define MSR_WAIT 0x48000 /* WE: wait for an interrupt; EE: take it */

#define mtspr(number, value) __asm__ volatile("mtspr %0, %1" : : "i"(number), "r"(value) : "memory")
#define mtmsr(value)         __asm__ volatile("mtmsr %0\n isync" : : "r"(value) : "memory")

static volatile uint32_t ticks;

static void put(char c)
{
    while ((UART[LSR] & LSR_ROOM) == 0) {
    }
    UART[THR] = (uint8_t)c;
}

static void text(const char *s)
{
    while (*s) {
        put(*s++);
    }
}

static void number(uint32_t n)
{
    if (n >= 10) {
        number(n / 10);
    }
    put((char)('0' + n % 10));
}

/* A system reset: for the hypervisor, this VM's end. */
static void __attribute__((noreturn)) end(void)
{
    while ((UART[LSR] & LSR_SENT) == 0) {
    }
    for (;;) {
        mtspr(DBCR0, 0x30000000);
    }
}

/* From start.S: every hundredth of a second. */
void tick(void)
{
    mtspr(TSR, 0x08000000); /* PIS: seen */
    ticks++;
}

/* From start.S: an interrupt that nobody expects. */
void unexpected(uint32_t vector, uint32_t where)
{
    text("first: FAIL interrupt ");
    number(vector);
    text(" at ");
    number(where);
    put('\n');
    end();
}

int main(void)
{
    text("a tick is a hundredth of a second\n");
    mtspr(PIT, HERTZ / 100);
    mtspr(TCR, 0x04400000); /* PIE: interrupt; ARE: again and again */
    for (uint32_t i = 1; i <= TIMES; i++) {
        while (ticks < 10 * i) {
            mtmsr(MSR_WAIT);
        }
        text("tick ");
        number(ticks);
        put('\n');
    }
    text("first: PASS ticks=");
    number(ticks);
    put('\n');
    end();
}
