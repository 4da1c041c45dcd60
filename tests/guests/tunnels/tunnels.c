/*
 * tunnels.c: the ends of tunnels. r3 says which: the one that tests (LEFT), the other ends, which do as they are told through the
 * tunnel that they share with it (RIGHT by hypercall; PLAIN, which makes none, by registers), or one that has no tunnel at all.
 *
 * The partition file (tests/system/test_tunnels.py) has the tunnels in this order: `cmd`, `oneway` (RIGHT only reads), `big`, all
 * of LEFT and RIGHT; `plain`, of LEFT and PLAIN. Their doorbells at LEFT are lines LINE to LINE + 3, at the others the same.
 */
#include <proteus/proteus.h>

#define GUEST      "tunnels"
#define PUT_NUMBER put_hex
#include "simple.h"
#include "verdict.h"

enum { LEFT, RIGHT, PLAIN, STRANGER };
enum { CMD, ONEWAY, BIG, OF_PLAIN, TUNNELS };   /* at LEFT and RIGHT; PLAIN's is its number 0 */

#define LINE     20
#define MS       (BOARD_TB_HZ / 1000u)
#define PATIENCE (4000u * MS)
#define REGISTERS 0x60000000u
#define FAULT    0xFA017000u                    /* what a peek at nothing gives, and a poke */

volatile uint32_t tunnels_lives = 20;           /* a test may change it in a copy of the ELF: deaths of the others */
/* Accesses by the virtual TLB, with entries that overlap */
volatile uint32_t tunnels_translate __attribute__((section(".data"))) = 0;

static volatile uint32_t rings[TUNNELS];

/* ---- interrupts ---- */

void simple_interrupt(void)
{
    uint32_t i;

#ifdef UIC_SR
    uint32_t active = uic_read(UIC_SR);
#else
    uint32_t active = intc_read(INTC_IPR);
#endif
    for (i = 0; i < TUNNELS; i++) {
#ifdef UIC_SR
        uint32_t bit = 0x80000000u >> (LINE + i);
#else
        uint32_t bit = 1u << (LINE + i);
#endif
        if ((active & bit) != 0) {
            board_irq_acknowledge(LINE + i);
            rings[i]++;
        }
    }
}

static void listen(void)
{
    board_irq_reset();
    for (uint32_t i = 0; i < TUNNELS; i++) {
        board_irq_enable_pulse(LINE + i);
    }
    __asm__ volatile("wrteei 1");
}

/* ---- memory that may not be there ---- */

static volatile uint32_t armed, before;

/* A load or store with that MSR; a machine check ends it by access_failed, with FAULT, whatever it has left in the registers. */
uint32_t access_at(uint32_t address, uint32_t value, uint32_t store, uint32_t msr);
__asm__("access_at:\n"
        "        stwu    %r1, -96(%r1)\n"
        "        mflr    %r0\n"
        "        stw     %r0, 100(%r1)\n"
        "        stmw    %r13, 20(%r1)\n"
        "        lis     %r9, access_stack@ha\n"
        "        stw     %r1, access_stack@l(%r9)\n"
        "        mtmsr   %r6\n"
        "        isync\n"
        "        cmpwi   %r5, 0\n"
        "        beq     1f\n"
        "        stw     %r4, 0(%r3)\n"
        "        b       2f\n"
        "1:      lwz     %r4, 0(%r3)\n"
        "2:      sync\n"
        "        mr      %r3, %r4\n"
        "        b       3f\n"
        "access_failed:\n"
        "        lis     %r9, access_stack@ha\n"
        "        lwz     %r1, access_stack@l(%r9)\n"
        "        lis     %r3, 0xFA01\n"
        "        ori     %r3, %r3, 0x7000\n"
        "3:      lmw     %r13, 20(%r1)\n"
        "        lwz     %r0, 100(%r1)\n"
        "        mtlr    %r0\n"
        "        addi    %r1, %r1, 96\n"
        "        blr\n"
        "        .lcomm  access_stack, 4\n");

void simple_unexpected(uint32_t vector)
{
    if (!armed || vector != 0x200) {
        fail("unexpected exception", vector, armed);
    }
    __asm__ volatile("mtmsr %0; isync; b access_failed" ::"r"(before & ~MSR_EE));
    __builtin_unreachable();
}

static void tlb(uint32_t index, uint32_t hi, uint32_t lo)
{
    __asm__ volatile("tlbwe %0, %2, 1; tlbwe %1, %2, 0; isync" ::"r"(lo), "r"(hi), "r"(index));
}

#define ELSEWHERE 0x20000000u
#define SIZE(n)   ((uint32_t)(n) << 7 | 0x40)

/* The VM's own entries give all rights, and twice. */
static void translate(uint32_t address)
{
    uint32_t page = address & 0xFFFFF000;

    __asm__ volatile("mtspr 0x3B1, %0; mtspr 0x3B0, %1" ::"r"(0), "r"(0xFFFFFFFF)); /* PID, ZPR: every zone has every right */
    tlb(0, 0 | SIZE(3), 0 | 0x300);
    tlb(1, (page + ELSEWHERE) | SIZE(1), page | 0x300);
    tlb(2, ((page & 0xFFFF0000) + ELSEWHERE) | SIZE(3), (page & 0xFFFF0000) | 0x300);
}

static uint32_t access(uint32_t address, uint32_t value, uint32_t store)
{
    uint32_t msr;

    __asm__ volatile("mfmsr %0" : "=r"(before));
    __asm__ volatile("wrteei 0");
    msr = before & ~MSR_EE;
    if (tunnels_translate) {
        translate(address);
        msr |= 0x30;
        address += ELSEWHERE;
    }
    armed = 1;
    value = access_at(address, value, store, msr);
    armed = 0;
    __asm__ volatile("mtmsr %0; isync" ::"r"(before) : "memory");
    return value;
}

static uint32_t peek(uint32_t address)
{
    return access(address, 0, 0);
}

static uint32_t poke(uint32_t address, uint32_t value)
{
    return access(address, value, 1);
}

/* Where the first word is that is not zero; its size: all are. */
static uint32_t zero(uint32_t address, uint32_t size)
{
    uint32_t i;

    for (i = 0; i < size && *(volatile uint32_t *)(address + i) == 0; i += 4) {
    }
    return i;
}

/* ---- tunnels, by hypercall or by registers ---- */

static uint32_t by_registers;

static volatile uint32_t *reg(uint32_t tunnel, uint32_t offset)
{
    return (volatile uint32_t *)(REGISTERS + TUNNEL_REGS_SIZE * tunnel + offset);
}

static uint32_t state(uint32_t tunnel)
{
    uint32_t value = 0;

    if (by_registers) {
        return *reg(tunnel, TUNNEL_REG_STATE);
    }
    expect("ipcm_status of", tunnel, 0, (uint32_t)proteus_ipcm_status(tunnel, &value));
    return value;
}

static uint32_t control(uint32_t tunnel, uint32_t what)
{
    if (by_registers) {
        *reg(tunnel, TUNNEL_REG_CONTROL) = what;
        return 0;
    }
    return (uint32_t)(what == TUNNEL_CONTROL_CONNECT  ? proteus_ipcm_connect(tunnel)
                      : what == TUNNEL_CONTROL_ACCEPT ? proteus_ipcm_accept(tunnel)
                                                      : proteus_ipcm_close(tunnel));
}

static uint32_t notify(uint32_t tunnel)
{
    if (by_registers) {
        *reg(tunnel, TUNNEL_REG_NOTIFY) = 1;
        return 0;
    }
    return (uint32_t)proteus_ipcm_notify(tunnel);
}

static void until(uint32_t tunnel, uint32_t wanted)
{
    uint32_t start = time_low();

    while ((state(tunnel) & TUNNEL_STATES) != wanted) {
        if (time_low() - start > PATIENCE) {
            fail("state of", tunnel << 8 | wanted, state(tunnel));
        }
    }
}

/* ---- the other ends: words at the begin of their tunnel 0 tell what to do ---- */

enum { ASKED, OP, A, B, ANSWERED, RESULT, COMMAND = 8 };
enum { STATE, CONTROL, NOTIFY, PEEK, POKE, ZERO, RINGS, DIE };

static uint32_t obey(uint32_t op, uint32_t a, uint32_t b)
{
    switch (op) {
    case STATE:
        return state(a);
    case CONTROL:
        return control(a, b);
    case NOTIFY:
        return notify(a);
    case PEEK:
        return peek(a);
    case POKE:
        return poke(a, b);
    case ZERO:
        return zero(a, b);
    case RINGS:
        return rings[a];
    default:
        __asm__ volatile("mtspr 0x3F2, %0" ::"r"(BOARD_RESET_DBCR0));
        return 0;
    }
}

static void serve(uint32_t at)
{
    volatile uint32_t *word = (volatile uint32_t *)at;
    uint32_t done = 0;

    for (;;) {
        uint32_t now = state(0);

        if ((now & TUNNEL_LOST) != 0) {
            control(0, TUNNEL_CONTROL_CLOSE);
            done = 0;
        } else if ((now & (TUNNEL_OPEN | TUNNEL_WAITING)) == 0) {
            control(0, TUNNEL_CONTROL_CONNECT);
        } else if ((now & TUNNEL_OPEN) != 0 && word[ASKED] != done) {
            done = word[ASKED];
            word[RESULT] = obey(word[OP], word[A], word[B]);
            __asm__ volatile("eieio" ::: "memory");
            word[ANSWERED] = done;
        }
    }
}

/* ---- LEFT ---- */

static const uint32_t place[TUNNELS] = {0x40000000, 0x40001000, 0x40100000, 0x40200000};
static const uint32_t place_right[TUNNELS] = {0x50000000, 0x50001000, 0x50100000, 0};
static const uint32_t size_of[TUNNELS] = {4096, 4096, 65536, 8192};
static uint32_t number;

static void send(uint32_t channel, uint32_t op, uint32_t a, uint32_t b)
{
    volatile uint32_t *word = (volatile uint32_t *)place[channel];

    word[OP] = op;
    word[A] = a;
    word[B] = b;
    __asm__ volatile("eieio" ::: "memory");
    word[ASKED] = ++number;
}

static uint32_t ask(uint32_t channel, uint32_t op, uint32_t a, uint32_t b)
{
    volatile uint32_t *word = (volatile uint32_t *)place[channel];
    uint32_t start = time_low();

    send(channel, op, a, b);
    while (word[ANSWERED] != number) {
        if (time_low() - start > PATIENCE) {
            fail("no answer to", op << 16 | channel, a);
        }
    }
    return word[RESULT];
}

#define RIGHTS(op, a, b) ask(CMD, op, a, b)

static void its_state(uint32_t tunnel, uint32_t wanted)
{
    expect("its state of", tunnel, size_of[tunnel] | wanted, RIGHTS(STATE, tunnel, 0));
}

static void my_state(uint32_t tunnel, uint32_t wanted)
{
    expect("state of", tunnel, size_of[tunnel] | wanted, state(tunnel));
}

static void connect(uint32_t tunnel)
{
    expect("ipcm_connect of", tunnel, 0, control(tunnel, TUNNEL_CONTROL_CONNECT));
}

static void close(uint32_t tunnel)
{
    expect("ipcm_close of", tunnel, 0, control(tunnel, TUNNEL_CONTROL_CLOSE));
}

static void nothing_else(uint32_t tunnels)
{
    static const uint32_t wrong[] = {0, 1, 255, 256, 0x7FFFFFFF, 0x80000000, 0xFFFFFFFF};
    uint32_t i, value;

    for (i = 0; i < sizeof(wrong) / sizeof(wrong[0]); i++) {
        uint32_t n = i < 2 ? tunnels + wrong[i] : wrong[i];

        expect("status of nothing", n, (uint32_t)HCALL_E_ARGUMENT, (uint32_t)proteus_ipcm_status(n, &value));
        expect("connect of nothing", n, (uint32_t)HCALL_E_ARGUMENT, (uint32_t)proteus_ipcm_connect(n));
        expect("accept of nothing", n, (uint32_t)HCALL_E_ARGUMENT, (uint32_t)proteus_ipcm_accept(n));
        expect("close of nothing", n, (uint32_t)HCALL_E_ARGUMENT, (uint32_t)proteus_ipcm_close(n));
        expect("notify of nothing", n, (uint32_t)HCALL_E_ARGUMENT, (uint32_t)proteus_ipcm_notify(n));
    }
}

/* A whole life: each state that two ends can have, what each of them reaches in it, and who is rung. */
static void life(uint32_t tunnel, uint32_t read_only)
{
    uint32_t mine = place[tunnel], its = place_right[tunnel], size = size_of[tunnel], rung, its_rung;

    my_state(tunnel, 0);
    expect("memory before", tunnel, FAULT, peek(mine));
    expect("its memory before", tunnel, FAULT, RIGHTS(PEEK, its, 0));
    expect("accept of what nobody asked for", tunnel, (uint32_t)HCALL_E_STATE, control(tunnel, TUNNEL_CONTROL_ACCEPT));
    expect("notify of nobody", tunnel, (uint32_t)HCALL_E_STATE, notify(tunnel));
    its_rung = RIGHTS(RINGS, tunnel, 0);
    connect(tunnel);
    my_state(tunnel, TUNNEL_OPEN);
    expect("its rings at a connect", tunnel, its_rung + 1, RIGHTS(RINGS, tunnel, 0));
    expect("connect twice", tunnel, (uint32_t)HCALL_E_STATE, control(tunnel, TUNNEL_CONTROL_CONNECT));
    expect("zero", tunnel, size, zero(mine, size));
    expect("poke", tunnel, 0x12345678, poke(mine + size - 4, 0x12345678));
    expect("its memory alone", tunnel, FAULT, RIGHTS(PEEK, its, 0));

    rung = rings[tunnel];
    expect("its accept", tunnel, 0, RIGHTS(CONTROL, tunnel, TUNNEL_CONTROL_ACCEPT));
    its_state(tunnel, TUNNEL_OPEN | TUNNEL_PEER | read_only);
    my_state(tunnel, TUNNEL_OPEN | TUNNEL_PEER);
    expect("rings at an accept", tunnel, rung + 1, rings[tunnel]);
    expect("its peek", tunnel, 0x12345678, RIGHTS(PEEK, its + size - 4, 0));
    expect("its peek behind", tunnel, FAULT, RIGHTS(PEEK, its + size, 0));
    expect("peek behind", tunnel, FAULT, peek(mine + size));
    expect("its poke", tunnel, read_only ? FAULT : 0x11223344, RIGHTS(POKE, its, 0x11223344));
    expect("peek", tunnel, read_only ? 0 : 0x11223344, peek(mine));
    expect("notify", tunnel, 0, notify(tunnel));
    expect("its rings", tunnel, its_rung + 2, RIGHTS(RINGS, tunnel, 0));
    expect("its notify", tunnel, 0, RIGHTS(NOTIFY, tunnel, 0));
    expect("rings", tunnel, rung + 2, rings[tunnel]);

    expect("its close", tunnel, 0, RIGHTS(CONTROL, tunnel, TUNNEL_CONTROL_CLOSE));
    my_state(tunnel, TUNNEL_OPEN | TUNNEL_LOST);
    its_state(tunnel, read_only);
    expect("rings at its close", tunnel, rung + 3, rings[tunnel]);
    expect("its memory closed", tunnel, FAULT, RIGHTS(PEEK, its, 0));
    expect("what is left", tunnel, read_only ? 0 : 0x11223344, peek(mine));
    expect("notify of one that left", tunnel, (uint32_t)HCALL_E_STATE, notify(tunnel));
    expect("connect of what is lost", tunnel, (uint32_t)HCALL_E_STATE, control(tunnel, TUNNEL_CONTROL_CONNECT));
    expect("its connect again", tunnel, 0, RIGHTS(CONTROL, tunnel, TUNNEL_CONTROL_CONNECT));
    its_state(tunnel, TUNNEL_WAITING | read_only);
    expect("its memory waiting", tunnel, FAULT, RIGHTS(PEEK, its, 0));
    expect("late poke", tunnel, 0xDEADBEEF, poke(mine + 8, 0xDEADBEEF));
    its_rung = RIGHTS(RINGS, tunnel, 0);
    close(tunnel);
    my_state(tunnel, 0);
    expect("memory closed", tunnel, FAULT, peek(mine));
    its_state(tunnel, TUNNEL_OPEN | read_only);
    expect("its rings at a close", tunnel, its_rung + 1, RIGHTS(RINGS, tunnel, 0));
    expect("its zero", tunnel, size, RIGHTS(ZERO, its, size));
    expect("accept", tunnel, 0, control(tunnel, TUNNEL_CONTROL_ACCEPT));
    my_state(tunnel, TUNNEL_OPEN | TUNNEL_PEER);
    close(tunnel);
    its_state(tunnel, TUNNEL_OPEN | TUNNEL_LOST | read_only);
    expect("its last close", tunnel, 0, RIGHTS(CONTROL, tunnel, TUNNEL_CONTROL_CLOSE));
    close(tunnel); /* once more is as good */
    my_state(tunnel, 0);
    its_state(tunnel, read_only);
}

/* It dies, and comes again: nothing that was written for the life before reaches the new one, nothing it wrote is lost. */
static void deaths(uint32_t channel)
{
    uint32_t i, at = place[channel] + size_of[channel] - 4;

    for (i = 0; i < tunnels_lives; i++) {
        uint32_t rung = rings[channel];

        ask(channel, STATE, 0, 0);
        expect("poke", channel, 0xA0000000 | i, poke(at, 0xA0000000 | i));
        send(channel, DIE, 0, 0);
        until(channel, TUNNEL_OPEN | TUNNEL_LOST);
        if (rings[channel] == rung) {
            fail("rings at a death", channel, rung);
        }
        expect("what is left", channel, 0xA0000000 | i, peek(at));
        expect("late poke", channel, 0xB0000000 | i, poke(at, 0xB0000000 | i));
        close(channel);
        until(channel, 0);
        while (control(channel, TUNNEL_CONTROL_CONNECT) != 0) {
        }
        until(channel, TUNNEL_OPEN | TUNNEL_PEER);
        expect("memory of a new life", channel, 0, peek(at));
        number = 0;
    }
}

void simple_main(uint32_t r3, uint32_t r4)
{
    uint32_t i;

    by_registers = r3 == PLAIN;
    listen();
    if (r3 == RIGHT || r3 == PLAIN) {
        serve(r4);
    }
    if (r3 == STRANGER) {
        nothing_else(0);
        put_text("tunnels: PASS stranger\n");
        end();
    }
    nothing_else(TUNNELS);
    expect("tunnel of the boot", CMD, TUNNEL_OPEN, state(CMD) & TUNNEL_OPEN);
    until(CMD, TUNNEL_OPEN | TUNNEL_PEER);
    life(ONEWAY, TUNNEL_READ_ONLY);
    life(BIG, 0);
    for (i = 0; i < 3; i++) {
        life(ONEWAY, TUNNEL_READ_ONLY);
    }
    while (control(OF_PLAIN, TUNNEL_CONTROL_CONNECT) != 0) {
    }
    until(OF_PLAIN, TUNNEL_OPEN | TUNNEL_PEER);
    expect("its registers", 0, size_of[OF_PLAIN] | TUNNEL_OPEN | TUNNEL_PEER, ask(OF_PLAIN, STATE, 0, 0));
    expect("its address", 0, r4, ask(OF_PLAIN, PEEK, REGISTERS + TUNNEL_REG_ADDRESS, 0));
    expect("no second", 0, FAULT, ask(OF_PLAIN, PEEK, REGISTERS + TUNNEL_REGS_SIZE, 0));
    i = rings[OF_PLAIN];
    ask(OF_PLAIN, NOTIFY, 0, 0);
    expect("rings of a register", 0, i + 1, rings[OF_PLAIN]);
    expect("notify", OF_PLAIN, 0, notify(OF_PLAIN));
    deaths(CMD);
    deaths(OF_PLAIN);
    put_text("tunnels: PASS deaths=");
    put_decimal(2 * tunnels_lives);
    board_putc('\n');
    end();
}
