/*
 * test_uic.c: the virtual interrupt controller, its registers and its way from the board's lines (option UIC).
 *
 * covers: kconfig.UIC
 */
#include "harness.h"

#include "irq.h"

#define BOARD_DCR(reg) fake.dcr[BOARD_UIC_DCR + (reg)]

/* VMs and lines of config/every/partitions.toml */
#define ALPHA (&vcpu[0]) /* 25 as 25, 26 as 9 */
#define BETA  (&vcpu[1]) /* 27 as 25 */
#define GAMMA (&vcpu[2])

static const uint32_t patterns[] = {0, 0xFFFFFFFF, 0x5A5A5A5A, 0xA5A5A5A5, 1, 0x80000000};

/* What a register of an untouched controller has. */
static uint32_t initial(uint32_t reg)
{
    return reg == UIC_PR ? BOARD_UIC_POLARITY : reg == UIC_TR ? BOARD_UIC_TRIGGER : 0;
}

static void registers_hold(void **state)
{
    static const uint32_t regs[] = {UIC_ER, UIC_CR, UIC_PR, UIC_TR};
    size_t i, k;

    (void)state;
    for (k = 0; k < COUNT(patterns); k++) {
        for (i = 0; i < COUNT(regs); i++) {
            irq_write(ALPHA, regs[i], patterns[k] + (uint32_t)i);
        }
        for (i = 0; i < COUNT(regs); i++) {
            assert_hex(irq_read(ALPHA, regs[i]), patterns[k] + (uint32_t)i);
            assert_hex(irq_read(BETA, regs[i]), initial(regs[i])); /* a controller for each VM */
        }
    }
}

static void status_sets_and_clears(void **state)
{
    (void)state;
    irq_write(ALPHA, UIC_SRS, 0x0FF0000F);
    assert_hex(irq_read(ALPHA, UIC_SR), 0x0FF0000F);
    irq_write(ALPHA, UIC_SRS, 0x10000000);
    assert_hex(irq_read(ALPHA, UIC_SR), 0x1FF0000F);
    irq_write(ALPHA, UIC_SR, 0x01F00001);
    assert_hex(irq_read(ALPHA, UIC_SR), 0x1E00000E);
    irq_write(ALPHA, UIC_SR, 0xFFFFFFFF);
    assert_hex(irq_read(ALPHA, UIC_SR), 0);
}

static void masked_status(void **state)
{
    (void)state;
    irq_write(ALPHA, UIC_SRS, 0x12345678);
    irq_write(ALPHA, UIC_ER, 0x0F0F0F0F);
    assert_hex(irq_read(ALPHA, UIC_MSR), 0x02040608);
    irq_write(ALPHA, UIC_MSR, 0xFFFFFFFF); /* read only */
    irq_write(ALPHA, UIC_VR, 0xFFFFFFFF);
    assert_hex(irq_read(ALPHA, UIC_MSR), 0x02040608);
    assert_hex(irq_read(ALPHA, UIC_SR), 0x12345678);
}

/* EE for an enabled noncritical line, CE for an enabled critical one: every line, every setting. */
static void pending_by_class(void **state)
{
    uint32_t line, setting;

    (void)state;
    for (line = 0; line < 32; line++) {
        for (setting = 0; setting < 8; setting++) {
            bool active = (setting & 1) != 0, enabled = (setting & 2) != 0, critical = (setting & 4) != 0;

            irq_write(ALPHA, UIC_SR, 0xFFFFFFFF);
            irq_write(ALPHA, UIC_ER, enabled ? UIC_BIT(line) : ~UIC_BIT(line));
            irq_write(ALPHA, UIC_CR, critical ? UIC_BIT(line) : ~UIC_BIT(line));
            irq_write(ALPHA, UIC_SRS, active ? UIC_BIT(line) : 0);
            assert_hex(ALPHA->pending, !active || !enabled ? 0 : critical ? MSR_CE : MSR_EE);
        }
    }
    assert_hex(BETA->pending, 0);
}

#define WIRE     CONSOLE_IRQ(&vm_config[0]) /* of the virtual UART */
#define WIRE_BIT UIC_BIT(WIRE)

static void acknowledge(uint32_t bits, uint32_t left)
{
    irq_write(ALPHA, UIC_SR, bits);
    assert_hex(irq_read(ALPHA, UIC_SR), left);
}

static void wire(uint32_t level, uint32_t status)
{
    irq_set_line(ALPHA, WIRE, level);
    assert_hex(irq_read(ALPHA, UIC_SR), status);
}

/* A level's bit comes back as long as the input stays. Served first, then acknowledged, it is gone. */
static void level(void **state)
{
    (void)state;
    wire(1, WIRE_BIT);
    acknowledge(0xFFFFFFFF, WIRE_BIT);
    wire(0, WIRE_BIT); /* latched */
    acknowledge(WIRE_BIT, 0);
    wire(0, 0);
}

/* An edge's comes once for each rise, however long the input stays. */
static void edge(void **state)
{
    uint32_t i;

    (void)state;
    irq_write(ALPHA, UIC_TR, WIRE_BIT);
    for (i = 0; i < 3; i++) {
        wire(1, WIRE_BIT);
        acknowledge(WIRE_BIT, 0);
        wire(1, 0);
        irq_write(ALPHA, UIC_ER, WIRE_BIT);
        acknowledge(WIRE_BIT, 0);
        wire(0, 0);
        wire(1, WIRE_BIT);
        wire(0, WIRE_BIT); /* latched */
        acknowledge(WIRE_BIT, 0);
    }
}

/* PR 0: a level is active while the input is low, an edge is a fall. */
static void polarity(void **state)
{
    (void)state;
    irq_write(ALPHA, UIC_PR, ~WIRE_BIT);
    assert_hex(irq_read(ALPHA, UIC_SR), WIRE_BIT);
    acknowledge(WIRE_BIT, WIRE_BIT);
    wire(1, WIRE_BIT);
    acknowledge(WIRE_BIT, 0);
    wire(0, WIRE_BIT);
    irq_write(ALPHA, UIC_TR, WIRE_BIT);
    acknowledge(WIRE_BIT, 0);
    wire(1, 0);
    wire(0, WIRE_BIT);
    acknowledge(WIRE_BIT, 0);
    wire(0, 0);
}

/* A change of kind is seen at once: a level that is there; an input that becomes active by its new polarity has an edge. */
static void kind_changes(void **state)
{
    (void)state;
    irq_write(ALPHA, UIC_TR, WIRE_BIT);
    wire(1, WIRE_BIT);
    acknowledge(WIRE_BIT, 0);
    irq_write(ALPHA, UIC_TR, 0);
    assert_hex(irq_read(ALPHA, UIC_SR), WIRE_BIT);
    irq_write(ALPHA, UIC_TR, WIRE_BIT);
    acknowledge(WIRE_BIT, 0);
    irq_write(ALPHA, UIC_PR, 0);
    assert_hex(irq_read(ALPHA, UIC_SR), 0);
    irq_write(ALPHA, UIC_PR, 0xFFFFFFFF);
    assert_hex(irq_read(ALPHA, UIC_SR), WIRE_BIT);
    irq_write(ALPHA, UIC_ER, WIRE_BIT);
    assert_hex(ALPHA->pending, MSR_EE);
}

/* Inputs without a device are inactive, whatever their polarity. */
static void no_wire(void **state)
{
    (void)state;
    irq_write(ALPHA, UIC_PR, 0);
    assert_hex(irq_read(ALPHA, UIC_SR), WIRE_BIT);
    irq_write(GAMMA, UIC_PR, 0);
    irq_write(GAMMA, UIC_TR, 0xFFFFFFFF);
    assert_hex(irq_read(GAMMA, UIC_SR), vm_config[2].console_base != 0 ? UIC_BIT(CONSOLE_IRQ(&vm_config[2])) : 0);
}

/* Manual, "UIC Vector Register": base + 512 for each line before it, from the end that has priority. */
static void vector_register(void **state)
{
    uint32_t line, other;

    (void)state;
    for (line = 0; line < 32; line++) {
        for (other = 0; other < 32; other++) {
            uint32_t first = line < other ? line : other;
            uint32_t last = line < other ? other : line;

            irq_write(ALPHA, UIC_SR, 0xFFFFFFFF);
            irq_write(ALPHA, UIC_CR, UIC_BIT(line) | UIC_BIT(other));
            irq_write(ALPHA, UIC_ER, UIC_BIT(line) | UIC_BIT(other));
            irq_write(ALPHA, UIC_VCR, 0x00ABC000 | 1);
            assert_hex(irq_read(ALPHA, UIC_VR), 0);
            irq_write(ALPHA, UIC_SRS, UIC_BIT(line) | UIC_BIT(other));
            assert_hex(irq_read(ALPHA, UIC_VR), 0x00ABC000 + 512 * first);
            irq_write(ALPHA, UIC_VCR, 0x00ABC004);
            assert_hex(irq_read(ALPHA, UIC_VR), 0x00ABC004 + 512 * (31 - last));
            irq_write(ALPHA, UIC_ER, 0); /* disabled, or not critical: not its business */
            assert_hex(irq_read(ALPHA, UIC_VR), 0);
            irq_write(ALPHA, UIC_ER, 0xFFFFFFFF);
            irq_write(ALPHA, UIC_CR, 0);
            assert_hex(irq_read(ALPHA, UIC_VR), 0);
        }
    }
    assert_hex(irq_read(ALPHA, UIC_VCR), 0); /* write only */
}

/* ---- lines of the board ---- */

static void device_line(uint32_t line, bool level)
{
    fake.lines = level ? fake.lines | UIC_BIT(line) : fake.lines & ~UIC_BIT(line);
    if (level && (BOARD_DCR(UIC_ER) & UIC_BIT(line)) != 0) {
        enter(external(current));
    }
}

/* Boot: enabled are the console's line and those that partitions own; no line is critical. */
static void board_at_boot(void **state)
{
    (void)state;
    assert_hex(BOARD_DCR(UIC_ER), UIC_BIT(0) | UIC_BIT(25) | UIC_BIT(26) | UIC_BIT(27));
    assert_hex(BOARD_DCR(UIC_CR), 0);
    assert_hex(BOARD_DCR(UIC_PR), BOARD_UIC_POLARITY);
    assert_hex(BOARD_DCR(UIC_TR), BOARD_UIC_TRIGGER);
}

/* To its owner under the owner's number, once; again when the guest has acknowledged and the device still asks. */
static void routed_to_its_owner(void **state)
{
    (void)state;
    device_line(26, true);
    assert_hex(irq_read(ALPHA, UIC_SR), UIC_BIT(9));
    assert_hex(irq_read(BETA, UIC_SR) | irq_read(GAMMA, UIC_SR), 0);
    assert_hex(BOARD_DCR(UIC_ER) & UIC_BIT(26), 0); /* masked: no storm */
    irq_write(ALPHA, UIC_SR, UIC_BIT(8)); /* another line */
    assert_hex(BOARD_DCR(UIC_ER) & UIC_BIT(26), 0);
    irq_write(ALPHA, UIC_SR, UIC_BIT(9));
    assert_hex(BOARD_DCR(UIC_ER) & UIC_BIT(26), UIC_BIT(26));
    device_line(26, true); /* still active */
    assert_hex(irq_read(ALPHA, UIC_SR), UIC_BIT(9));
    device_line(26, false);
    irq_write(ALPHA, UIC_SR, UIC_BIT(9));
    assert_hex(irq_read(ALPHA, UIC_SR), 0);
    assert_hex(BOARD_DCR(UIC_ER) & UIC_BIT(26), UIC_BIT(26));
}

/* Its kind in the machine's controller is what its owner says of its own number for it, and nobody's of another. */
static void kind_of_a_board_line(void **state)
{
    uint32_t own = UIC_BIT(25) | UIC_BIT(26);
    uint32_t i;

    (void)state;
    for (i = 0; i < COUNT(patterns); i++) {
        uint32_t value = patterns[i];
        uint32_t here = (value & UIC_BIT(25)) | ((value & UIC_BIT(9)) != 0 ? UIC_BIT(26) : 0);

        irq_write(ALPHA, UIC_TR, value);
        irq_write(ALPHA, UIC_PR, ~value);
        assert_hex(BOARD_DCR(UIC_TR), (BOARD_UIC_TRIGGER & ~own) | here);
        assert_hex(BOARD_DCR(UIC_PR), (BOARD_UIC_POLARITY & ~own) | (own & ~here));
    }
    irq_write(GAMMA, UIC_TR, 0xFFFFFFFF);
    irq_write(BETA, UIC_TR, ~UIC_BIT(25));
    assert_hex(BOARD_DCR(UIC_TR) & ~own, BOARD_UIC_TRIGGER & ~own);
    irq_reset(ALPHA);
    assert_hex(BOARD_DCR(UIC_PR), BOARD_UIC_POLARITY);
    assert_hex(BOARD_DCR(UIC_TR), BOARD_UIC_TRIGGER);
}

/* One interrupt of a line that stays active, if its owner takes it for an edge; it is there for the next one. */
static void edge_of_a_board_line(void **state)
{
    uint32_t i;

    (void)state;
    irq_write(ALPHA, UIC_TR, UIC_BIT(9));
    device_line(26, true);
    assert_hex(irq_read(ALPHA, UIC_SR), UIC_BIT(9));
    for (i = 0; i < 10; i++) {
        irq_write(ALPHA, UIC_SR, UIC_BIT(9));
        enter(external(current));
        assert_hex(irq_read(ALPHA, UIC_SR), 0);
    }
    device_line(26, false);
    enter(external(current));
    device_line(26, true);
    assert_hex(irq_read(ALPHA, UIC_SR), UIC_BIT(9));
}

static void low_board_line(void **state)
{
    (void)state;
    fake.lines = UIC_BIT(26);
    irq_write(ALPHA, UIC_PR, ~UIC_BIT(9));
    irq_write(ALPHA, UIC_SR, UIC_BIT(9));
    enter(external(current));
    assert_hex(irq_read(ALPHA, UIC_SR), 0);
    fake.lines = 0;
    enter(external(current));
    assert_hex(irq_read(ALPHA, UIC_SR), UIC_BIT(9));
}

static void interrupts_the_running_owner(void **state)
{
    struct vcpu *v = ALPHA;

    (void)state;
    assert_ptr_equal(current, v);
    v->msr = MSR_EE | MSR_ME;
    v->evpr = 0;
    v->pc = 0x4000;
    irq_write(v, UIC_ER, UIC_BIT(25));
    device_line(25, true);
    assert_ptr_equal(current, v);
    assert_hex(v->pc, 0x0500);
    assert_hex(v->srr0, 0x4000);
}

/* A VM that does not run keeps it until its turn; the one that runs is not interrupted. */
static void stays_pending_for_another(void **state)
{
    struct vcpu *v = ALPHA;

    (void)state;
    BETA->msr = MSR_EE | MSR_WE | MSR_ME;
    BETA->evpr = 0x00020000;
    BETA->pc = 0x00012340;
    irq_write(BETA, UIC_ER, UIC_BIT(25));
    v->msr = MSR_EE | MSR_CE | MSR_ME;
    v->pc = 0x4000;
    irq_write(v, UIC_ER, 0xFFFFFFFF);
    device_line(27, true);
    assert_ptr_equal(current, v);
    assert_hex(v->pc, 0x4000);
    assert_hex(v->pending, 0);
    run_vm(BETA);
    assert_hex(BETA->pc, 0x00020500);
    assert_hex(BETA->srr0, 0x00012340);
    assert_hex(BETA->srr1, MSR_EE | MSR_WE | MSR_ME);
}

/* Lines that nobody owns are never enabled; should one come all the same, it is masked and nobody sees it. */
static void lines_of_nobody(void **state)
{
    uint32_t line;

    (void)state;
    for (line = 1; line < 32; line++) {
        if (line >= 25 && line <= 27) {
            continue;
        }
        BOARD_DCR(UIC_ER) |= UIC_BIT(line);
        device_line(line, true);
        assert_hex(BOARD_DCR(UIC_ER) & UIC_BIT(line), 0);
        assert_hex(irq_read(ALPHA, UIC_SR) | irq_read(BETA, UIC_SR) | irq_read(GAMMA, UIC_SR), 0);
        device_line(line, false);
    }
}

/* Several at once, each to its own. */
static void several_lines(void **state)
{
    (void)state;
    fake.lines = UIC_BIT(25) | UIC_BIT(26) | UIC_BIT(27);
    enter(external(current));
    assert_hex(irq_read(ALPHA, UIC_SR), UIC_BIT(25) | UIC_BIT(9));
    assert_hex(irq_read(BETA, UIC_SR), UIC_BIT(25));
}

static void reset_clears(void **state)
{
    uint32_t reg;

    (void)state;
    for (reg = 0; reg < UIC_REGISTERS; reg++) {
        irq_write(ALPHA, reg, 0xFFFFFFFF);
    }
    device_line(25, true);
    fake.lines = 0;
    irq_reset(ALPHA);
    for (reg = 0; reg < UIC_REGISTERS; reg++) {
        assert_hex(irq_read(ALPHA, reg), initial(reg));
    }
    assert_hex(ALPHA->pending, 0);
    assert_hex(BOARD_DCR(UIC_ER) & UIC_BIT(25), UIC_BIT(25));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST_BOOTED(registers_hold),
        TEST_BOOTED(status_sets_and_clears),
        TEST_BOOTED(masked_status),
        TEST_BOOTED(pending_by_class),
        TEST_BOOTED(level),
        TEST_BOOTED(edge),
        TEST_BOOTED(polarity),
        TEST_BOOTED(kind_changes),
        TEST_BOOTED(no_wire),
        TEST_BOOTED(vector_register),
        TEST_BOOTED(board_at_boot),
        TEST_BOOTED(routed_to_its_owner),
        TEST_BOOTED(kind_of_a_board_line),
        TEST_BOOTED(edge_of_a_board_line),
        TEST_BOOTED(low_board_line),
        TEST_BOOTED(interrupts_the_running_owner),
        TEST_BOOTED(stays_pending_for_another),
        TEST_BOOTED(lines_of_nobody),
        TEST_BOOTED(several_lines),
        TEST_BOOTED(reset_clears),
    };

    return cmocka_run_group_tests_name("uic", tests, 0, 0);
}
