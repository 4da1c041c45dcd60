/*
 * test_ipcm.c: tunnels, by hypercall and by registers: every state with everything that can be done in it, and long random lives
 * against a model (options IPCM, IPCM_CALLS, IPCM_REGS). With TLB_CHECK the machine's TLB is checked at each decision as well.
 *
 * covers: kconfig.IPCM kconfig.IPCM_CALLS kconfig.IPCM_REGS kconfig.CALLS_IN_C
 */
#include "hcall.h"

#include <string.h>

#include "bus.h"
#include "tlb.h"
#include "tunnel.h"
#include "tunnel_regs.h"
#include "uic.h"

/* Of the partition file: VMs and tunnels. Each VM has two ends, its numbers 0 and 1. */
#define ALPHA (&vcpu[0])
#define BETA  (&vcpu[1])
#define GAMMA (&vcpu[2])
enum { BOOT, ONEWAY, SILENT, TUNNELS };

static const struct end {
    uint32_t vm, number, at, line, tunnel, writes, boot;
} ends[2 * TUNNELS] = { /* those of a tunnel beside each other */
    {0, 0, 0x80000000, 7, BOOT, 1, 1},   {1, 0, 0x80000000, 8, BOOT, 1, 1},
    {0, 1, 0x80002000, 9, ONEWAY, 1, 0}, {2, 0, 0x90002000, 10, ONEWAY, 0, 0},
    {2, 1, 0xA0000000, 32, SILENT, 1, 1}, {1, 1, 0xB0000000, 32, SILENT, 1, 0},
};
static const uint32_t bytes[TUNNELS] = {4096, 12288, 8192};
static const uint32_t registers[VM_COUNT] = {0, 0xE0000000, 0xE0000010};

#define OTHER(e) ((e) ^ 1)

/* All three compute; the controllers listen to every doorbell. */
static int begin(void **state)
{
    uint32_t i;

    machine_boot(state);
    for (i = 0; i < VM_COUNT; i++) {
        computes(&vcpu[i]);
        vcpu[i].msr &= ~MSR_EE; /* what waits is seen, and stays */
        irq_write(&vcpu[i], UIC_SR, 0xFFFFFFFF);
        irq_write(&vcpu[i], UIC_ER, 0xFFFFFFFF);
    }
    return 0;
}

static bool calls(uint32_t vm)
{
    return (vm_config[vm].flags & FEATURE_HYPERCALLS) != 0;
}

/* The call, as often as it comes again: each time a piece. */
static uint32_t do_call(uint32_t e, uint32_t number)
{
    struct vcpu *v = &vcpu[ends[e].vm];
    uint32_t i;

    run_vm(v);
    for (i = 0; i < 100; i++) {
        call(v, number, ends[e].number, 0);
        if (v->pc == sc_of(v) + 4) {
            return v->gpr[3];
        }
        assert_hex(v->pc, sc_of(v));
        assert_hex(v->gpr[3], ends[e].number);
    }
    fail_msg("a call without an end");
    return 0;
}

static uint32_t reg(uint32_t e, uint32_t offset)
{
    return registers[ends[e].vm] + TUNNEL_REGS_SIZE * ends[e].number + offset;
}

static uint32_t load_word(uint32_t e, uint32_t offset)
{
    struct beat beat = {0, 0};
    uint32_t value = 0, i;

    for (i = 0; i < 4; i++) {
        value = value << 8 | bus_load(&vcpu[ends[e].vm], &beat, reg(e, offset) + i, 4 - i);
    }
    return value;
}

static void store_bytes(uint32_t e, uint32_t offset, uint32_t count, uint32_t value)
{
    struct beat beat = {0, 0};
    uint32_t i;

    for (i = 0; i < count; i++) {
        bus_store(&vcpu[ends[e].vm], &beat, reg(e, offset) + i, count - i, (uint8_t)(value >> (8 * (count - 1 - i))));
    }
}

static uint32_t word_of(uint32_t e)
{
    return bytes[ends[e].tunnel] | (ends[e].writes ? 0 : TUNNEL_READ_ONLY);
}

static uint32_t state_of(uint32_t e)
{
    uint32_t value;

    if (calls(ends[e].vm)) {
        assert_hex(do_call(e, HCALL_ipcm_status), 0);
        value = vcpu[ends[e].vm].gpr[4];
        covered("hcall.ipcm_status");
    } else {
        value = load_word(e, TUNNEL_REG_STATE);
    }
    assert_hex(value & ~TUNNEL_STATES, word_of(e));
    return value & TUNNEL_STATES;
}

/* CONNECT, ACCEPT or CLOSE, however the VM does it; 0 or an error, which registers do not tell. */
static uint32_t control(uint32_t e, uint32_t what)
{
    static const uint32_t number[] = {0, HCALL_ipcm_connect, HCALL_ipcm_accept, HCALL_ipcm_close};
    uint32_t i;

    if (calls(ends[e].vm)) {
        return do_call(e, number[what]);
    }
    run_vm(&vcpu[ends[e].vm]);
    for (i = 0; i < 8; i++) { /* more than there are pieces: the first that has an effect, and those behind it, which have none */
        uint32_t before = load_word(e, TUNNEL_REG_STATE);

        store_bytes(e, TUNNEL_REG_CONTROL, 4, what);
        if (load_word(e, TUNNEL_REG_STATE) != before) {
            break;
        }
    }
    for (i = 0; i < 8; i++) {
        load_word(e, TUNNEL_REG_STATE);
    }
    return 0;
}

static bool notify(uint32_t e)
{
    if (calls(ends[e].vm)) {
        return do_call(e, HCALL_ipcm_notify) == 0;
    }
    store_bytes(e, TUNNEL_REG_NOTIFY, 4, 1);
    return true;
}

/* Was the doorbell of this end rung since the last look? */
static bool rung(uint32_t e)
{
    struct vcpu *v = &vcpu[ends[e].vm];
    bool was = ends[e].line < 32 && (irq_read(v, UIC_SR) & UIC_BIT(ends[e].line)) != 0;

    if (was) {
        irq_write(v, UIC_SR, UIC_BIT(ends[e].line));
    }
    return was;
}

static uint32_t machine_of(uint32_t tunnel)
{
    uint32_t i, e = 2 * tunnel;

    for (i = 0; i < TLB_ROW_COUNT; i++) {
        if (tlb_rows[i].tid == ends[e].vm + 1 && (tlb_rows[i].hi & 0xFFFFF000) == ends[e].at) {
            return tlb_rows[i].lo & 0xFFFFF000;
        }
    }
    fail();
    return 0;
}

/*
 * Where the end's VM comes to with a load or store at its tunnel, in real mode or translated by an entry of its own that gives
 * every right; 0 if it doesn't.
 */
#define ELSEWHERE 0x10000000U

static uint32_t reaches(uint32_t e, uint32_t offset, bool store, bool translated)
{
    struct vcpu *v = &vcpu[ends[e].vm];
    uint32_t address = ends[e].at + offset, i, result = 0;

    run_vm(v);
    if (translated) {
        tlb_write(v, 5, 1, (address & 0xFFFFF000) | TLBLO_EX | TLBLO_WR | TLBLO_I | TLBLO_G);
        tlb_write(v, 5, 0, ((address + ELSEWHERE) & 0xFFFFF000) | 1 << 7 | TLBHI_V);
        address += ELSEWHERE;
        v->msr |= MSR_IR | MSR_DR;
        tlb_enter(v);
    }
    fake.spr[SPRN_PID] = context_pid(v);
    for (i = 0; i < 3 && result == 0; i++) {
        uint32_t row = cpu_tlbsx(address), at = address;

        if (row < TLB_ENTRIES && (!store || (fake.tlb_lo[row] & TLBLO_WR) != 0)) {
            result = (fake.tlb_lo[row] & 0xFFFFF000) | (address & 0xFFF);
            assert_hex(fake.tlb_lo[row] & (TLBLO_I | TLBLO_G), 0); /* in the cache for both ends, or they see two memories */
        } else if (!translated || tlb_fault(v, store ? TLB_STORE : TLB_LOAD, &at) != TLB_AGAIN) {
            break;
        }
    }
    v->msr &= ~(MSR_IR | MSR_DR);
    tlb_enter(v);
    return result;
}

static void assert_reach(uint32_t e, bool open)
{
    uint32_t machine = machine_of(ends[e].tunnel), size = bytes[ends[e].tunnel], i;

    for (i = 0; i < 4; i++) {
        uint32_t offset = (i & 1) != 0 ? size - 4 : 0;

        assert_hex(reaches(e, offset, false, i > 1), open ? machine + offset : 0);
        assert_hex(reaches(e, offset, true, i > 1), open && ends[e].writes ? machine + offset : 0);
    }
    assert_hex(reaches(e, size, false, false), 0);
}

/* ---- every state ---- */

enum { CLOSED, OPEN, PEER, LOST, WAITING, STATES };
static const uint32_t bits[STATES] = {0, TUNNEL_OPEN, TUNNEL_OPEN | TUNNEL_PEER, TUNNEL_OPEN | TUNNEL_LOST, TUNNEL_WAITING};

static void connect(uint32_t e)
{
    assert_hex(control(e, TUNNEL_CONTROL_CONNECT), 0);
}

static void close(uint32_t e)
{
    assert_hex(control(e, TUNNEL_CONTROL_CLOSE), 0);
}

/* All states that the ends `e` and the other can have, the second by what the first is. */
static const uint8_t pairs[][2] = {{CLOSED, CLOSED}, {CLOSED, OPEN}, {CLOSED, LOST}, {OPEN, CLOSED}, {PEER, PEER}, {LOST, CLOSED},
                                   {LOST, WAITING}, {WAITING, LOST}};

static void bring_to(uint32_t e, const uint8_t *pair)
{
    begin(0);
    close(e);
    close(OTHER(e));
    switch (pair[0]) {
    case CLOSED:
        if (pair[1] != CLOSED) {
            connect(OTHER(e));
        }
        if (pair[1] == LOST) {
            connect(e);
            close(e);
        }
        break;
    case OPEN:
        connect(e);
        break;
    case PEER:
        connect(e);
        connect(OTHER(e));
        break;
    case LOST:
        connect(e);
        connect(OTHER(e));
        close(OTHER(e));
        if (pair[1] == WAITING) {
            connect(OTHER(e));
        }
        break;
    default:
        connect(e);
        connect(OTHER(e));
        close(e);
        connect(e);
        break;
    }
    rung(e);
    rung(OTHER(e));
    assert_hex(state_of(e), bits[pair[0]]);
    assert_hex(state_of(OTHER(e)), bits[pair[1]]);
}

/* What follows for both, and whom it rings; FAILS: an error, and nothing. */
#define FAILS 99
struct after {
    uint32_t mine, its, rings_other, rings_me;
};

static struct after after(const uint8_t *pair, uint32_t what)
{
    uint32_t mine = pair[0], its = pair[1];

    if (what == TUNNEL_CONTROL_CLOSE) {
        return mine == PEER                     ? (struct after){CLOSED, LOST, 1, 0}
               : mine == LOST && its == WAITING ? (struct after){CLOSED, OPEN, 1, 0}
                                                : (struct after){CLOSED, its, 0, 0};
    }
    if (mine != CLOSED || (what == TUNNEL_CONTROL_ACCEPT && its == CLOSED)) {
        return (struct after){FAILS, its, 0, 0};
    }
    return its == CLOSED ? (struct after){OPEN, CLOSED, 1, 0} : its == OPEN ? (struct after){PEER, PEER, 1, 0}
                                                                            : (struct after){WAITING, LOST, 1, 0};
}

static void every_state(void **state)
{
    uint32_t e, i, what;

    (void)state;
    for (e = 0; e < COUNT(ends); e++) {
        for (i = 0; i < COUNT(pairs); i++) {
            for (what = TUNNEL_CONTROL_CONNECT; what <= TUNNEL_CONTROL_CLOSE; what++) {
                struct after expected = after(pairs[i], what);
                uint32_t result;

                bring_to(e, pairs[i]);
                result = control(e, what);
                if (calls(ends[e].vm)) {
                    assert_hex(result, expected.mine == FAILS ? E_STATE : 0);
                }
                expected.mine = expected.mine == FAILS ? pairs[i][0] : expected.mine;
                assert_int_equal(rung(OTHER(e)), expected.rings_other && ends[OTHER(e)].line < 32);
                if (calls(ends[e].vm)) {
                    assert_int_equal(rung(e), expected.rings_me && ends[e].line < 32);
                }
                assert_hex(state_of(e), bits[expected.mine]);
                assert_hex(state_of(OTHER(e)), bits[expected.its]);
                assert_reach(e, (bits[expected.mine] & TUNNEL_OPEN) != 0);
                assert_reach(OTHER(e), (bits[expected.its] & TUNNEL_OPEN) != 0);
            }
            bring_to(e, pairs[i]);
            assert_true(notify(e) == (!calls(ends[e].vm) || (pairs[i][0] == PEER && ends[OTHER(e)].line < 32)));
            assert_int_equal(rung(OTHER(e)), pairs[i][0] == PEER && ends[OTHER(e)].line < 32);
            assert_hex(state_of(e), bits[pairs[i][0]]);
        }
    }
    covered("hcall.ipcm_connect");
    covered("hcall.ipcm_accept");
    covered("hcall.ipcm_close");
    covered("hcall.ipcm_notify");
}

/* A VM's end is that of all its ends, whatever they were; at its start, those of `boot` are there again. */
static void deaths(void **state)
{
    uint32_t e, i;

    (void)state;
    for (e = 0; e < COUNT(ends); e++) {
        for (i = 0; i < COUNT(pairs); i++) {
            struct after expected = after(pairs[i], TUNNEL_CONTROL_CLOSE);
            uint8_t now[2] = {CLOSED, (uint8_t)expected.its};

            bring_to(e, pairs[i]);
            vcpu_reset(&vcpu[ends[e].vm], 3);
            if (ends[e].boot) {
                expected = after(now, TUNNEL_CONTROL_CONNECT);
            }
            assert_int_equal(rung(OTHER(e)), ends[OTHER(e)].line < 32 && (pairs[i][0] == PEER || pairs[i][1] == WAITING ||
                                                                          ends[e].boot));
            assert_hex(state_of(e), bits[expected.mine]);
            assert_hex(state_of(OTHER(e)), bits[expected.its]);
            assert_reach(e, (bits[expected.mine] & TUNNEL_OPEN) != 0);
        }
        bring_to(e, pairs[4]);
        vcpu_stop(&vcpu[ends[e].vm], STOP(RESET));
        finish_work(&vcpu[ends[e].vm]);
        assert_hex(state_of(OTHER(e)), bits[LOST]);
        close(OTHER(e));
        connect(OTHER(e));
        assert_hex(state_of(OTHER(e)), bits[OPEN]);
    }
}

/* Who leaves by a store and never looks again has cleared a piece: who waits for it clears the others by looking, and is in. */
static void left_in_the_middle(void **state)
{
    static const uint8_t waited_for[] = {LOST, WAITING};
    uint32_t e = 3, looks = 0;

    (void)state;
    bring_to(e, waited_for);
    assert_true(registers[ends[e].vm] != 0 && calls(ends[OTHER(e)].vm));
    store_bytes(e, TUNNEL_REG_CONTROL, 4, TUNNEL_CONTROL_CLOSE);
    while (state_of(OTHER(e)) == TUNNEL_WAITING) {
        assert_true(++looks < bytes[ends[e].tunnel] / 4096 + 1);
    }
    assert_hex(state_of(OTHER(e)), bits[OPEN]);
    assert_reach(OTHER(e), true);
}

/* What an end does while the other is closed costs the other nothing: its translations stay. */
static void nobody_else_pays(void **state)
{
    uint32_t e = 2 * BOOT, page = vm_config[1].ram_guest, row, i;

    (void)state;
    close(e);
    close(OTHER(e));
    run_vm(BETA);
    tlb_write(BETA, 7, 1, page | TLBLO_WR | TLBLO_I);
    tlb_write(BETA, 7, 0, 0x70000000 | 1 << 7 | TLBHI_V);
    BETA->msr |= MSR_DR;
    tlb_enter(BETA);
    fake.spr[SPRN_PID] = context_pid(BETA);
    i = 0x70000000;
    assert_hex(tlb_fault(BETA, TLB_LOAD, &i), TLB_AGAIN);
    row = cpu_tlbsx(0x70000000);
    assert_true(row < TLB_ENTRIES);
    assert_hex(fake.tlb_lo[row] & TLBLO_I, TLBLO_I); /* its own memory is as it says */
    for (i = 0; i < 10; i++) {
        connect(e);
        close(e);
        assert_true((fake.tlb_hi[row] & TLBHI_V) != 0);
    }
}

/* From power-on: all of it is cleared before anybody sees it. */
static void from_power_on(void **state)
{
    uint32_t tunnel, i;

    machine_setup(state);
    for (tunnel = 0; tunnel < TUNNELS; tunnel++) {
        for (i = 0; i < bytes[tunnel]; i += 4) {
            fake.ram[(machine_of(tunnel) + i - FAKE_RAM_FIRST) / 4] = 0x5A5A5A5A;
        }
    }
    boot_all();
    for (tunnel = 0; tunnel < TUNNELS; tunnel++) {
        for (i = 0; i < bytes[tunnel]; i += 4) {
            assert_hex(cpu_read32(machine_of(tunnel) + i), 0);
        }
    }
    assert_hex(tunnel_state(tunnel_of(ALPHA, 0)), 4096 | TUNNEL_OPEN | TUNNEL_PEER);
    assert_hex(tunnel_state(tunnel_of(ALPHA, 1)), 12288);
    assert_hex(tunnel_state(tunnel_of(GAMMA, 1)), 8192 | TUNNEL_OPEN);
}

/* Numbers that are none. */
static void strangers(void **state)
{
    static const uint32_t numbers[] = {2, 3, 255, 256, 0x80000000, 0xFFFFFFFF};
    uint32_t i, call_number;

    (void)state;
    run_vm(ALPHA);
    for (i = 0; i < COUNT(numbers); i++) {
        for (call_number = HCALL_ipcm_connect; call_number <= HCALL_ipcm_notify; call_number++) {
            assert_refused(ALPHA, call_number, numbers[i], 0x1234, E_ARGUMENT);
        }
    }
}

/* Registers: nothing beside them, no effect of a part of one, or of what is for reading. */
static void register_page(void **state)
{
    uint32_t e, i, now;

    (void)state;
    assert_false(tunnel_claims(ALPHA, 0xE0000000)); /* it has none */
    assert_false(tunnel_claims(ALPHA, 0));
    assert_false(tunnel_claims(BETA, 0xDFFFFFFC));
    assert_true(tunnel_claims(BETA, 0xE0000000) && tunnel_claims(BETA, 0xE000001C));
    assert_false(tunnel_claims(BETA, 0xE0000020));
    assert_false(tunnel_claims(GAMMA, 0xE000000C));
    for (e = 0; e < COUNT(ends); e++) {
        if (registers[ends[e].vm] == 0) {
            continue;
        }
        run_vm(&vcpu[ends[e].vm]);
        assert_hex(load_word(e, TUNNEL_REG_ADDRESS), ends[e].at);
        assert_hex(load_word(e, TUNNEL_REG_NOTIFY) | load_word(e, TUNNEL_REG_CONTROL), 0);
        now = tunnel_state(tunnel_of(&vcpu[ends[e].vm], ends[e].number));
        for (i = 0; i < 4; i++) {
            struct beat beat = {0, 0};

            assert_hex(bus_load(&vcpu[ends[e].vm], &beat, reg(e, i), 1), now >> (24 - 8 * i) & 0xFF);
        }
        store_bytes(e, TUNNEL_REG_STATE, 4, TUNNEL_CONTROL_CLOSE);
        store_bytes(e, TUNNEL_REG_ADDRESS, 4, TUNNEL_CONTROL_CLOSE);
        store_bytes(e, TUNNEL_REG_CONTROL + 3, 1, TUNNEL_CONTROL_CLOSE);
        store_bytes(e, TUNNEL_REG_CONTROL + 2, 2, TUNNEL_CONTROL_CLOSE);
        store_bytes(e, TUNNEL_REG_CONTROL, 4, 0);
        store_bytes(e, TUNNEL_REG_CONTROL, 4, 4);
        store_bytes(e, TUNNEL_REG_CONTROL, 4, 0xFFFFFFFF);
        rung(OTHER(e));
        store_bytes(e, TUNNEL_REG_NOTIFY + 3, 1, 1);
        assert_false(rung(OTHER(e)));
        assert_hex(tunnel_state(tunnel_of(&vcpu[ends[e].vm], ends[e].number)), now);
    }
}

/* ---- long lives, in pieces ---- */

static uint32_t raw(uint32_t e)
{
    return tunnel_state(tunnel_of(&vcpu[ends[e].vm], ends[e].number)) & TUNNEL_STATES;
}

/* A piece of anything: what one begins another may go on with, or nobody. What is in the tunnel's first and last word then. */
static uint32_t step(uint32_t e, uint32_t stamp)
{
    struct vcpu *v = &vcpu[ends[e].vm];
    uint32_t end = tunnel_of(v, ends[e].number), machine = machine_of(ends[e].tunnel), size = bytes[ends[e].tunnel];
    static uint32_t stamps;

    switch (random_word() % 8) {
    case 0:
    case 1:
        tunnel_control(v, ends[e].number, TUNNEL_CONTROL_CONNECT + random_word() % 2);
        break;
    case 2:
        tunnel_control(v, ends[e].number, TUNNEL_CONTROL_CLOSE);
        break;
    case 3:
        tunnel_clear(end);
        break;
    case 4: /* its VM is at its end */
        v->work_row = ends[e].number;
        tunnel_leave_all(v);
        v->work_row = 0;
        break;
    case 5:
        tunnel_control(v, ends[e].number, TUNNEL_NOTIFY);
        break;
    default:
        if (reaches(e, 0, true, random_word() % 2 != 0) == machine) {
            stamp = ++stamps;
            cpu_write32(machine, stamp);
            cpu_write32(machine + size - 4, stamp);
        }
        break;
    }
    return stamp;
}

static void random_lives(void **state)
{
    uint32_t seen[STATES] = {0}, lives = 0, i, s;

    (void)state;
    for (i = 0; i < 40000; i++) {
        uint32_t tunnel = random_word() % TUNNELS, e = 2 * tunnel + random_word() % 2;
        uint32_t machine = machine_of(tunnel);
        uint32_t mine = raw(e), its = raw(OTHER(e)), stamp = step(e, cpu_read32(machine));
        bool stays = (mine & raw(e) & TUNNEL_OPEN) != 0 || (its & raw(OTHER(e)) & TUNNEL_OPEN) != 0;

        mine = raw(e);
        its = raw(OTHER(e));
        for (s = 0; s < STATES; s++) {
            seen[s] += mine == bits[s];
        }
        /* Both or none; lost only if the other has left; who waits, waits for one that is lost, or that is about to leave. */
        assert_true((mine == bits[PEER]) == (its == bits[PEER]));
        assert_true(mine != bits[WAITING] || its == bits[LOST] || its == bits[CLOSED]);
        assert_true(its != bits[WAITING] || mine == bits[LOST] || mine == bits[CLOSED]);
        assert_true(mine != bits[LOST] || its == bits[CLOSED] || its == bits[WAITING]);
        /* Who has it, has what was written; who gets it from nobody, zeroes. */
        if (((mine | its) & TUNNEL_OPEN) != 0) {
            lives += !stays;
            assert_hex(cpu_read32(machine), stays ? stamp : 0);
            assert_hex(cpu_read32(machine + bytes[tunnel] - 4), stays ? stamp : 0);
        }
        if (i % 8 == 0) {
            assert_reach(e, (mine & TUNNEL_OPEN) != 0);
        }
        tlb_check();
    }
    for (s = 0; s < STATES; s++) {
        assert_true(seen[s] > 500);
    }
    assert_true(lives > 1000);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup(every_state, begin), cmocka_unit_test_setup(deaths, begin),
        cmocka_unit_test_setup(nobody_else_pays, begin), cmocka_unit_test_setup(strangers, begin),
        cmocka_unit_test_setup(register_page, begin),
        cmocka_unit_test_setup(random_lives, begin), cmocka_unit_test_setup(left_in_the_middle, begin),
        cmocka_unit_test(from_power_on),
    };

    return cmocka_run_group_tests_name("ipcm", tests, 0, 0);
}
