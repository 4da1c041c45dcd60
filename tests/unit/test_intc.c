/*
 * test_intc.c: the virtual INTC, its registers (DS572) and its way from the board's lines (option INTC).
 *
 * covers: kconfig.INTC kconfig.INTC_MMIO kconfig.IRQ
 */
#include "harness.h"

/* VMs and lines of config/virtex*: */
#define ALPHA (&vcpu[0]) /* 25 as 25, 26 as 10 */
#define BETA  (&vcpu[1]) /* 27 as 25, 9, which is an edge, as 9 */
#define GAMMA (&vcpu[2])

#define LEVEL 4 /* a line that nobody else has, */
#define EDGE  7

static const uint32_t patterns[] = {0, 0xFFFFFFFF, 0x5A5A5A5A, 0xA5A5A5A5, 1, 0x80000000};

static void lines_are_of_both_kinds(void **state)
{
    (void)state;
    assert_true((INTC_EDGES & INTC_BIT(EDGE)) != 0 && (INTC_EDGES & INTC_BIT(LEVEL)) == 0);
    assert_true((INTC_EDGES & INTC_BIT(9)) != 0 && (INTC_EDGES & INTC_BIT(25)) == 0);
}

static void enables_hold(void **state)
{
    size_t i, k;

    (void)state;
    for (i = 0; i < COUNT(patterns); i++) {
        irq_write(ALPHA, INTC_IER, patterns[i]);
        assert_hex(irq_read(ALPHA, INTC_IER), patterns[i]);
        assert_hex(irq_read(BETA, INTC_IER), 0); /* a controller for each VM */
        for (k = 0; k < COUNT(patterns); k++) {
            irq_write(ALPHA, INTC_IER, patterns[i]);
            irq_write(ALPHA, INTC_SIE, patterns[k]);
            assert_hex(irq_read(ALPHA, INTC_IER), patterns[i] | patterns[k]);
            irq_write(ALPHA, INTC_IER, patterns[i]);
            irq_write(ALPHA, INTC_CIE, patterns[k]);
            assert_hex(irq_read(ALPHA, INTC_IER), patterns[i] & ~patterns[k]);
        }
    }
    assert_hex(irq_read(ALPHA, INTC_SIE) | irq_read(ALPHA, INTC_CIE) | irq_read(ALPHA, INTC_IAR), 0);
    irq_write(ALPHA, INTC_IPR, 0xFFFFFFFF); /* these are for reading */
    irq_write(ALPHA, INTC_IVR, 0);
    assert_hex(irq_read(ALPHA, INTC_IPR), 0);
    assert_hex(irq_read(ALPHA, INTC_IVR), 0xFFFFFFFF);
}

/* By software until HIE is set, which only a reset clears; ME follows what is written. */
static void status_by_software_until_hie(void **state)
{
    (void)state;
    irq_write(ALPHA, INTC_ISR, 0x0FF0000F);
    assert_hex(irq_read(ALPHA, INTC_ISR), 0x0FF0000F);
    irq_write(ALPHA, INTC_ISR, 0x1000000E);
    assert_hex(irq_read(ALPHA, INTC_ISR), 0x1000000E);
    irq_write(ALPHA, INTC_IAR, 0x0000000A);
    assert_hex(irq_read(ALPHA, INTC_ISR), 0x10000004);
    irq_write(ALPHA, INTC_MER, MER_ME);
    irq_write(ALPHA, INTC_ISR, 0x00000300);
    assert_hex(irq_read(ALPHA, INTC_ISR), 0x00000300);
    irq_write(ALPHA, INTC_MER, 0xFFFFFFFE);
    assert_hex(irq_read(ALPHA, INTC_MER), MER_HIE);
    irq_write(ALPHA, INTC_ISR, 0xFFFFFFFF);
    assert_hex(irq_read(ALPHA, INTC_ISR), 0x00000300);
    irq_write(ALPHA, INTC_MER, MER_ME);
    assert_hex(irq_read(ALPHA, INTC_MER), MER_HIE | MER_ME);
    irq_write(ALPHA, INTC_MER, 0);
    assert_hex(irq_read(ALPHA, INTC_MER), MER_HIE);
    irq_reset(ALPHA);
    assert_hex(irq_read(ALPHA, INTC_MER), 0);
}

/* An external interrupt for an active and enabled line while ME; never a critical one. Every line, every setting. */
static void pending(void **state)
{
    uint32_t line, setting;

    (void)state;
    for (line = 0; line < 32; line++) {
        for (setting = 0; setting < 8; setting++) {
            bool active = (setting & 1) != 0, enabled = (setting & 2) != 0, out = (setting & 4) != 0;

            irq_write(ALPHA, INTC_ISR, active ? INTC_BIT(line) : ~INTC_BIT(line));
            irq_write(ALPHA, INTC_IER, enabled ? INTC_BIT(line) : 0);
            irq_write(ALPHA, INTC_MER, out ? MER_ME : 0);
            assert_hex(ALPHA->pending, active && enabled && out ? MSR_EE : 0);
            assert_hex(irq_read(ALPHA, INTC_IPR), active && enabled ? INTC_BIT(line) : 0);
        }
    }
    assert_hex(BETA->pending, 0);
}

/* Line 0 comes first. */
static void vector_is_the_first_line(void **state)
{
    uint32_t line, other;

    (void)state;
    for (line = 0; line < 32; line++) {
        for (other = 0; other < 32; other++) {
            irq_write(ALPHA, INTC_ISR, INTC_BIT(line) | INTC_BIT(other));
            irq_write(ALPHA, INTC_IER, 0xFFFFFFFF);
            assert_hex(irq_read(ALPHA, INTC_IVR), line < other ? line : other);
            irq_write(ALPHA, INTC_IER, INTC_BIT(other)); /* the other is not enabled */
            assert_hex(irq_read(ALPHA, INTC_IVR), other);
            irq_write(ALPHA, INTC_IER, ~(INTC_BIT(line) | INTC_BIT(other)));
            assert_hex(irq_read(ALPHA, INTC_IVR), 0xFFFFFFFF);
        }
    }
}

static void pulse(struct vcpu *v, uint32_t line)
{
    irq_set_line(v, line, 1);
    irq_set_line(v, line, 0);
}

/* Edge: a bit for each rise. Level: it comes back as long as the input stays. Both only from HIE on. */
static void edge_and_level(void **state)
{
    uint32_t both = INTC_BIT(EDGE) | INTC_BIT(LEVEL);

    (void)state;
    pulse(ALPHA, EDGE);
    pulse(ALPHA, LEVEL);
    irq_set_line(ALPHA, LEVEL, 1);
    irq_set_line(ALPHA, EDGE, 1);
    assert_hex(irq_read(ALPHA, INTC_ISR), 0);
    irq_write(ALPHA, INTC_MER, MER_HIE);
    assert_hex(irq_read(ALPHA, INTC_ISR), INTC_BIT(LEVEL)); /* still there; the edge was before */
    irq_write(ALPHA, INTC_IAR, both);
    assert_hex(irq_read(ALPHA, INTC_ISR), INTC_BIT(LEVEL));
    irq_set_line(ALPHA, EDGE, 1); /* no edge */
    assert_hex(irq_read(ALPHA, INTC_ISR), INTC_BIT(LEVEL));
    irq_set_line(ALPHA, EDGE, 0);
    irq_set_line(ALPHA, EDGE, 1);
    irq_set_line(ALPHA, EDGE, 0);
    irq_set_line(ALPHA, LEVEL, 0);
    assert_hex(irq_read(ALPHA, INTC_ISR), both); /* latched */
    irq_write(ALPHA, INTC_IAR, both);
    assert_hex(irq_read(ALPHA, INTC_ISR), 0);
    pulse(ALPHA, LEVEL);
    assert_hex(irq_read(ALPHA, INTC_ISR), INTC_BIT(LEVEL));
}

/* ---- at random, against the data sheet as a list of bits ---- */

struct line {
    bool status, enabled, input, edge;
};

static void step_model(struct line *lines, bool *me, bool *hie, uint32_t reg, uint32_t value)
{
    uint32_t i;

    for (i = 0; i < 32; i++) {
        struct line *l = &lines[i];
        bool one = (value >> i & 1) != 0;

        l->status = reg == INTC_ISR && !*hie ? one : reg == INTC_IAR && one ? false : l->status;
        l->enabled = reg == INTC_IER ? one : reg == INTC_SIE && one ? true : reg == INTC_CIE && one ? false : l->enabled;
    }
    if (reg == INTC_MER) {
        *me = (value & 1) != 0;
        *hie = *hie || (value & 2) != 0;
    }
    for (i = 0; i < 32; i++) {
        lines[i].status = lines[i].status || (*hie && !lines[i].edge && lines[i].input);
    }
}

static void agrees_with_a_model(void **state)
{
    struct line lines[32] = {{0}};
    bool me = false, hie = false;
    uint32_t round, i;

    (void)state;
    for (i = 0; i < 32; i++) {
        lines[i].edge = (INTC_EDGES >> i & 1) != 0;
    }
    for (round = 0; round < 20000; round++) {
        uint32_t isr = 0, ier = 0, first = 0xFFFFFFFF;
        uint32_t line = random_word() % 8 + 3; /* both kinds */

        if (random_word() % 4 == 0) {
            bool input = random_word() % 2 != 0;

            irq_set_line(GAMMA, line, input);
            lines[line].status = lines[line].status || (hie && lines[line].edge && input && !lines[line].input);
            lines[line].input = input;
            step_model(lines, &me, &hie, INTC_IPR, 0);
        } else {
            uint32_t reg = random_word() % INTC_REGISTERS;
            uint32_t value = random_word() & random_word() & (reg == INTC_MER && round < 5000 ? MER_ME : 0xFFFFFFFF);

            irq_write(GAMMA, reg, value);
            step_model(lines, &me, &hie, reg, value);
        }
        for (i = 32; i-- > 0;) {
            isr = isr << 1 | lines[i].status;
            ier = ier << 1 | lines[i].enabled;
            first = lines[i].status && lines[i].enabled ? i : first;
        }
        assert_hex(irq_read(GAMMA, INTC_ISR), isr);
        assert_hex(irq_read(GAMMA, INTC_IER), ier);
        assert_hex(irq_read(GAMMA, INTC_IPR), isr & ier);
        assert_hex(irq_read(GAMMA, INTC_IVR), first);
        assert_hex(irq_read(GAMMA, INTC_MER), (uint32_t)me | (uint32_t)hie << 1);
        assert_hex(irq_pending(GAMMA), me && (isr & ier) != 0 ? MSR_EE : 0);
    }
}

/* ---- lines of the board ---- */

static uint32_t board_enabled(void)
{
    return fake.intc[INTC_IER];
}

static void device_line(uint32_t line, bool level)
{
    fake.lines = level ? fake.lines | INTC_BIT(line) : fake.lines & ~INTC_BIT(line);
    if (level && (board_enabled() & INTC_BIT(line)) != 0) {
        enter(external(current));
    }
}

static void start(struct vcpu *v)
{
    irq_write(v, INTC_MER, MER_ME | MER_HIE);
}

/* To its owner as its line there; masked until the owner acknowledges that one. */
static void routed_to_its_owner(void **state)
{
    (void)state;
    start(ALPHA);
    start(BETA);
    device_line(26, true);
    assert_hex(irq_read(ALPHA, INTC_ISR), INTC_BIT(10));
    assert_hex(irq_read(BETA, INTC_ISR), 0);
    assert_hex(board_enabled() & INTC_BIT(26), 0);
    irq_write(ALPHA, INTC_IAR, INTC_BIT(25) | INTC_BIT(26));
    assert_hex(board_enabled() & INTC_BIT(26), 0);
    device_line(26, false);
    irq_write(ALPHA, INTC_IAR, INTC_BIT(10));
    assert_hex(irq_read(ALPHA, INTC_ISR), 0);
    assert_hex(board_enabled() & INTC_BIT(26), INTC_BIT(26));
    device_line(27, true);
    assert_hex(irq_read(ALPHA, INTC_ISR), 0);
    assert_hex(irq_read(BETA, INTC_ISR), INTC_BIT(25));
    assert_hex(irq_read(GAMMA, INTC_ISR), 0);
}

/* A level that stays comes again as soon as it is unmasked; an edge does not. */
static void level_comes_again(void **state)
{
    (void)state;
    start(ALPHA);
    start(BETA);
    device_line(25, true);
    device_line(9, true);
    irq_write(ALPHA, INTC_IAR, INTC_BIT(25));
    irq_write(BETA, INTC_IAR, INTC_BIT(9));
    assert_hex(irq_read(ALPHA, INTC_ISR) | irq_read(BETA, INTC_ISR), 0);
    enter(external(current));
    assert_hex(irq_read(ALPHA, INTC_ISR), INTC_BIT(25));
    assert_hex(irq_read(BETA, INTC_ISR), 0);
    assert_hex(board_enabled() & (INTC_BIT(25) | INTC_BIT(9)), INTC_BIT(9));
}

/* Before HIE nothing is seen; what is active then, is seen at once. */
static void before_hie(void **state)
{
    (void)state;
    device_line(25, true);
    device_line(26, true);
    device_line(26, false);
    assert_hex(irq_read(ALPHA, INTC_ISR), 0);
    assert_hex(board_enabled() & (INTC_BIT(25) | INTC_BIT(26)), 0);
    start(ALPHA);
    assert_hex(board_enabled() & (INTC_BIT(25) | INTC_BIT(26)), INTC_BIT(25) | INTC_BIT(26));
    enter(external(current));
    assert_hex(irq_read(ALPHA, INTC_ISR), INTC_BIT(25));
    irq_write(ALPHA, INTC_MER, MER_ME | MER_HIE); /* again: nothing */
    assert_hex(board_enabled() & INTC_BIT(25), 0);
}

static void interrupts_the_running_owner(void **state)
{
    struct vcpu *v = ALPHA;

    (void)state;
    start(v);
    v->msr = MSR_EE | MSR_CE | MSR_ME;
    v->evpr = 0;
    v->pc = 0x4000;
    irq_write(v, INTC_IER, INTC_BIT(25));
    device_line(25, true);
    assert_ptr_equal(current, v);
    assert_hex(v->pc, 0x0500);
    assert_hex(v->srr0, 0x4000);
}

/* Lines that nobody owns are never enabled; should one come all the same, it is masked and nobody sees it. */
static void lines_of_nobody(void **state)
{
    uint32_t line;

    (void)state;
    start(ALPHA);
    start(BETA);
    start(GAMMA);
    for (line = 0; line < 32; line++) {
        if ((line >= 25 && line <= 27) || line == 9 || line == BOARD_CONSOLE_IRQ) {
            continue;
        }
        assert_hex(board_enabled() & INTC_BIT(line), 0);
        fake.intc[INTC_IER] |= INTC_BIT(line);
        device_line(line, true);
        assert_hex(board_enabled() & INTC_BIT(line), 0);
        assert_hex(irq_read(ALPHA, INTC_ISR) | irq_read(BETA, INTC_ISR) | irq_read(GAMMA, INTC_ISR), 0);
        device_line(line, false);
    }
}

static void reset_clears(void **state)
{
    uint32_t reg;

    (void)state;
    for (reg = 0; reg < INTC_REGISTERS; reg++) {
        irq_write(ALPHA, reg, 0xFFFFFFFF);
    }
    device_line(25, true);
    fake.lines = 0;
    irq_set_line(ALPHA, LEVEL, 1);
    irq_reset(ALPHA);
    start(ALPHA);
    for (reg = 0; reg < INTC_MER; reg++) {
        assert_hex(irq_read(ALPHA, reg), reg == INTC_IVR ? 0xFFFFFFFF : 0);
    }
    assert_hex(ALPHA->pending, 0);
    assert_hex(board_enabled() & INTC_BIT(25), INTC_BIT(25));
}

/* ---- how a guest reaches it ---- */

#define AT(reg) (intc_base + 4 * (reg))

#ifdef CONFIG_INTC_MMIO

/* One access by the running guest, with r5 and the address in r4. False: a machine check. */
static bool access_at(struct vcpu *v, uint32_t insn, uint32_t address)
{
    v->pc = vm_config[v - vcpu].ram_guest + ENTRY;
    v->msr = MSR_ME;
    set_guest_word(v, v->pc, insn);
    fake.spr[SPRN_DEAR] = address;
    fake.spr[SPRN_ESR] = (insn >> 26 & 4) != 0 ? ESR_DST : 0;
    enter(data_fault(v));
    return v->pc == vm_config[v - vcpu].ram_guest + ENTRY + 4;
}

/* Registers are words at intc_at, or where the board has its own; each VM has them only there. */
static void words_in_memory(void **state)
{
    uint32_t reg, i;

    (void)state;
    assert_hex(vm_config[0].intc_base, BOARD_INTC_BASE);
    assert_hex(vm_config[1].intc_base, 0x90240020);
    for (i = 0; i < 2; i++) {
        struct vcpu *v = &vcpu[i];
        uint32_t intc_base = vm_config[i].intc_base;

        run_vm(v);
        v->gpr[5] = 0x00C0FFEE;
        assert_true(access_at(v, INSN("stw 5, 0(4)"), AT(INTC_IER)));
        assert_hex(irq_read(v, INTC_IER), 0x00C0FFEE);
        irq_write(v, INTC_ISR, 0x00400006);
        for (reg = 0; reg < INTC_REGISTERS; reg++) {
            v->gpr[5] = 0x55555555;
            assert_true(access_at(v, INSN("lwz 5, 0(4)"), AT(reg)));
            assert_hex(v->gpr[5], irq_read(v, reg));
        }
        assert_false(access_at(v, INSN("lwz 5, 0(4)"), intc_base - 4));
        assert_false(access_at(v, INSN("lwz 5, 0(4)"), AT(INTC_REGISTERS)));
        assert_false(access_at(v, INSN("lwz 5, 0(4)"), vm_config[1 - i].intc_base));
        v->gpr[5] = 0x0000FF00;
        assert_true(access_at(v, INSN("stwbrx 5, 0, 4"), AT(INTC_IER)));
        assert_hex(irq_read(v, INTC_IER), 0x00FF0000);
    }
}

/* A part of a word can be read, but not written. */
static void parts_of_words(void **state)
{
    struct vcpu *v = ALPHA;
    uint32_t intc_base = BOARD_INTC_BASE;
    uint32_t byte;

    (void)state;
    irq_write(v, INTC_IER, 0x12345678);
    for (byte = 0; byte < 4; byte++) {
        assert_true(access_at(v, INSN("lbz 5, 0(4)"), AT(INTC_IER) + byte));
        assert_hex(v->gpr[5], 0x12345678 >> (24 - 8 * byte) & 0xFF);
        v->gpr[5] = 0xFFFFFFFF;
        assert_true(access_at(v, INSN("stb 5, 0(4)"), AT(INTC_IER) + byte));
    }
    assert_true(access_at(v, INSN("lha 5, 0(4)"), AT(INTC_IER)));
    assert_hex(v->gpr[5], 0x1234);
    v->gpr[5] = 0xFFFFFFFF;
    assert_true(access_at(v, INSN("sth 5, 0(4)"), AT(INTC_IER)));
    assert_true(access_at(v, INSN("stw 5, 0(4)"), AT(INTC_IER) + 2)); /* two halves */
    assert_hex(irq_read(v, INTC_IER), 0x12345678);
}

/* No DCR is one of its registers. */
static void by_dcr(void **state)
{
    (void)state;
    irq_write(ALPHA, INTC_IER, 0xFFFFFFFF);
    run_insn(ALPHA, INSN("mfdcr 5, 0xC2"), ESR_PPR);
    assert_hex(ALPHA->gpr[5], 0);
}

#else

static void by_dcr(void **state)
{
    struct vcpu *v = ALPHA;

    (void)state;
    v->pc = vm_config[0].ram_guest + ENTRY;
    v->gpr[5] = 0x00C0FFEE;
    run_insn(v, INSN("mtdcr 0xC2, 5"), ESR_PPR);
    assert_hex(irq_read(v, INTC_IER), 0x00C0FFEE);
    run_insn(v, INSN("mtdcr 0xC7, 5"), ESR_PPR);
    assert_hex(irq_read(v, INTC_MER), MER_HIE);
    run_insn(v, INSN("mfdcr 6, 0xC2"), ESR_PPR);
    assert_hex(v->gpr[6], 0x00C0FFEE);
    run_insn(v, INSN("mfdcr 6, 0xC6"), ESR_PPR);
    assert_hex(v->gpr[6], 0xFFFFFFFF);
    run_insn(v, INSN("mtdcr 0xC8, 5"), ESR_PPR); /* nobody's */
    run_insn(v, INSN("mfdcr 6, 0xC8"), ESR_PPR);
    assert_hex(v->gpr[6], 0);
    assert_hex(v->pc, vm_config[0].ram_guest + ENTRY + 24);
}

#endif

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST_BOOTED(lines_are_of_both_kinds),
        TEST_BOOTED(enables_hold),
        TEST_BOOTED(status_by_software_until_hie),
        TEST_BOOTED(pending),
        TEST_BOOTED(vector_is_the_first_line),
        TEST_BOOTED(edge_and_level),
        TEST_BOOTED(agrees_with_a_model),
        TEST_BOOTED(routed_to_its_owner),
        TEST_BOOTED(level_comes_again),
        TEST_BOOTED(before_hie),
        TEST_BOOTED(interrupts_the_running_owner),
        TEST_BOOTED(lines_of_nobody),
        TEST_BOOTED(reset_clears),
#ifdef CONFIG_INTC_MMIO
        TEST_BOOTED(words_in_memory),
        TEST_BOOTED(parts_of_words),
#endif
        TEST_BOOTED(by_dcr),
    };

    return cmocka_run_group_tests_name("intc", tests, 0, 0);
}
