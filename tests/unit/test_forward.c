/*
 * test_forward.c: registers that share a page with others, and what is absent beside a guest's emulated registers.
 *
 * covers: kconfig.FORWARD kconfig.ABSENT
 */
#include "harness.h"

#include <string.h>

#include "console.h"
#include "forward.h"
#include "mmio.h"

/* VMs of config/every/partitions.toml */
#define ALPHA   (&vcpu[0]) /* has iic0, and the second word of gpio0 */
#define BETA    (&vcpu[1]) /* absent = "check", stray = "stop" */
#define GAMMA   (&vcpu[2])
#define IIC     BOARD_IIC0_BASE
#define GPIO    (BOARD_GPIO0_BASE + 4)
#define NOBODY  (BOARD_UART1_BASE + 5) /* in the page of the console */
#define OUTSIDE 0x7FFFFFF0U

static enum mmio access(struct vcpu *v, uint32_t address, uint32_t insn)
{
    return mmio_access(v, address, insn, address);
}

/* Ranges by byte: an access counts where all of it is in one. */
static void claims(void **state)
{
    static const uint32_t sizes[] = {1, 2, 4};
    uint32_t address;
    size_t i;

    (void)state;
    for (i = 0; i < COUNT(sizes); i++) {
        for (address = IIC - 8; address < GPIO + 16; address++) {
            uint32_t last = address + sizes[i] - 1;
            bool in_iic = address >= IIC && last < IIC + BOARD_IIC0_SIZE;
            bool in_gpio = address >= GPIO && last < GPIO + 4;

            assert_int_equal(forward_claims(ALPHA, address, sizes[i]), in_iic || in_gpio);
            assert_false(forward_claims(BETA, address, sizes[i]) || forward_claims(GAMMA, address, sizes[i]));
        }
    }
    assert_false(forward_claims(ALPHA, 0, 4) || forward_claims(ALPHA, 0xFFFFFFFF, 1) || forward_claims(ALPHA, 0xFFFFFFFC, 4));
}

static void one_access(uint32_t address, uint32_t size, uint32_t value)
{
    assert_int_equal(fake.bus_accesses, 1);
    assert_hex(fake.bus_address, address);
    assert_int_equal(fake.bus_size, size);
    assert_hex(fake.bus_value, value);
    fake.bus_accesses = 0;
}

/* One access is one access, of the same width; also where it is not aligned. */
static void widths(void **state)
{
    const struct {
        uint32_t load, store, size, loaded, stored;
    } rows[] = {
        {INSN("lwz 5, 8(3)"), INSN("stw 5, 8(3)"), 4, 0x81828384, 0xA1A2A3A4},
        {INSN("lhz 5, 8(3)"), INSN("sth 5, 8(3)"), 2, 0x00008384, 0x0000A3A4},
        {INSN("lbz 5, 8(3)"), INSN("stb 5, 8(3)"), 1, 0x00000084, 0x000000A4},
        {INSN("lha 5, 8(3)"), INSN("sthx 5, 3, 4"), 2, 0xFFFF8384, 0x0000A3A4},
        {INSN("lwbrx 5, 3, 4"), INSN("stwbrx 5, 3, 4"), 4, 0x84838281, 0xA4A3A2A1},
        {INSN("lhbrx 5, 3, 4"), INSN("sthbrx 5, 3, 4"), 2, 0x00008483, 0x0000A4A3},
    };
    uint32_t offset;
    size_t i;

    (void)state;
    for (i = 0; i < COUNT(rows); i++) {
        for (offset = 0; offset + rows[i].size <= BOARD_IIC0_SIZE; offset++) {
            fake.bus_value = 0x81828384;
            assert_int_equal(access(ALPHA, IIC + offset, rows[i].load), MMIO_DONE);
            one_access(IIC + offset, rows[i].size, 0x81828384);
            assert_hex(ALPHA->gpr[5], rows[i].loaded);
            ALPHA->gpr[5] = 0xA1A2A3A4;
            assert_int_equal(access(ALPHA, IIC + offset, rows[i].store), MMIO_DONE);
            one_access(IIC + offset, rows[i].size, rows[i].stored);
        }
    }
}

/* What the guest has stored before arrives first, and is not taken for this access; nor is this for what comes behind it. */
static void in_order(void **state)
{
    (void)state;
    fake.syncs = 0;
    forward_load(IIC, 4);
    assert_int_equal(fake.syncs_at_bus, 1);
    assert_int_equal(fake.syncs, 2);
    forward_store(IIC, 4, 0);
    assert_int_equal(fake.syncs_at_bus, 3);
    assert_int_equal(fake.syncs, 4);
}

static void updates(void **state)
{
    (void)state;
    fake.bus_value = 0x11223344;
    ALPHA->gpr[3] = GPIO - 8;
    assert_int_equal(access(ALPHA, GPIO, INSN("lwzu 5, 8(3)")), MMIO_DONE);
    assert_hex(ALPHA->gpr[5], 0x11223344);
    assert_hex(ALPHA->gpr[3], GPIO);
}

/* Not the machine's: others' registers, those of nobody, and an access that ends behind the last one. */
static void never_on_the_bus(void **state)
{
    uint32_t address;

    (void)state;
    for (address = BOARD_UART0_BASE & ~0xFFFU; address < (BOARD_UART0_BASE | 0xFFF); address++) {
        if (!forward_claims(ALPHA, address, 1)) {
            access(ALPHA, address, INSN("stb 5, 0(3)"));
        }
        access(BETA, address, INSN("lwz 5, 0(3)"));
        access(GAMMA, address, INSN("lwz 5, 0(3)"));
    }
    access(ALPHA, GPIO + 2, INSN("stw 5, 0(3)"));
    access(ALPHA, IIC - 1, INSN("sth 5, 0(3)"));
    access(ALPHA, GPIO, INSN("lmw 5, 0(3)"));
    assert_int_equal(fake.bus_accesses, 0);
}

/* Beside the virtual UART: zero, and nothing is changed; for a VM with `absent = "check"`, a machine check. */
static void absent(void **state)
{
    (void)state;
    ALPHA->msr = MSR_ME;
    ALPHA->gpr[5] = 0x55555555;
    assert_int_equal(access(ALPHA, NOBODY, INSN("stb 5, 0(3)")), MMIO_OPEN);
    assert_int_equal(access(ALPHA, NOBODY, INSN("lbz 5, 0(3)")), MMIO_OPEN);
    assert_hex(ALPHA->gpr[5], 0);
    assert_int_equal(access(ALPHA, OUTSIDE, INSN("lbz 5, 0(3)")), MMIO_NONE);
    assert_int_equal(access(ALPHA, (BOARD_UART0_BASE | 0xFFF) + 1, INSN("lbz 5, 0(3)")), MMIO_NONE);
    assert_int_equal(access(ALPHA, (BOARD_UART0_BASE & ~0xFFFU) - 1, INSN("lbz 5, 0(3)")), MMIO_NONE);
    BETA->msr = MSR_ME;
    assert_int_equal(access(BETA, NOBODY, INSN("lbz 5, 0(3)")), MMIO_NONE);
    BETA->msr = 0;
    assert_int_equal(access(BETA, NOBODY, INSN("lbz 5, 0(3)")), MMIO_OPEN);
    GAMMA->msr = MSR_ME; /* has nothing there */
    assert_int_equal(access(GAMMA, NOBODY, INSN("lbz 5, 0(3)")), MMIO_NONE);
    assert_int_equal(access(ALPHA, vm_config[0].console_base + 7, INSN("lbz 5, 0(3)")), MMIO_DONE);
}

/* An access, and what is said of it: a piece whenever the console has room. */
static void fault(struct vcpu *v, uint32_t address, uint32_t insn)
{
    uint32_t i;

    run_vm(v);
    v->pc = vm_config[vcpu_index(v)].ram_guest + 0x200;
    v->msr = MSR_ME;
    v->evpr = 0x00450000;
    set_guest_word(v, v->pc, insn);
    fake.spr[SPRN_DEAR] = address;
    enter(data_fault(v));
    for (i = 0; i < 8; i++) {
        console_poll();
    }
}

/* Said once for each VM, in all its lives; counted every time. What somebody answers is neither. */
static void note(void **state)
{
    static const char first[] = "[proteus] note alpha pc=00000200 insn=88a30000: nobody answers at ef600405\n";
    uint32_t counted = stat_value(ALPHA, STAT_unanswered);
    uint32_t i;

    (void)state;
    fault(ALPHA, IIC, INSN("lbz 5, 0(3)"));
    assert_hex(ALPHA->pc, 0x204);
    assert_null(strstr(fake.output, "note"));
    assert_null(strstr(fake.output, "note"));
    for (i = 0; i < 3; i++) {
        fault(ALPHA, NOBODY, INSN("lbz 5, 0(3)"));
        assert_hex(ALPHA->pc, 0x204); /* no machine check */
        assert_non_null(strstr(fake.output, first));
        assert_null(strstr(strstr(fake.output, first) + sizeof(first) - 1, "note"));
    }
    fault(ALPHA, OUTSIDE, INSN("lbz 5, 0(3)"));
    assert_hex(ALPHA->pc, 0x00450200);
    assert_null(strstr(strstr(fake.output, first) + sizeof(first) - 1, "note"));
    assert_int_equal(stat_value(ALPHA, STAT_unanswered) - counted, IS_ENABLED(CONFIG_STATS) ? 4 : 0);
    fault(BETA, NOBODY, INSN("lbz 5, 0(3)"));
    assert_non_null(strstr(fake.output, "note beta pc=00010200 insn=88a30000: nobody answers at ef600405\n"));
}

/* A machine check that an access for a guest has brought, behind its sync: the guest's, once it goes on. */
static void nobody_after_all(void **state)
{
    (void)state;
    run_vm(ALPHA);
    ALPHA->msr = MSR_ME;
    ALPHA->evpr = 0x00450000;
    ALPHA->pc = 0x200;
    set_guest_word(ALPHA, 0x200, INSN("lbz 5, 0(3)"));
    fake.spr[SPRN_DEAR] = IIC;
    bus_error_of = ALPHA; /* as asm/vectors.S leaves it */
    enter(data_fault(ALPHA));
    assert_hex(ALPHA->pc, 0x00450200);
    assert_hex(fake.spr[SPRN_SRR2], 0x204);
    assert_true(VM_WINDOWS != 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST_BOOTED(claims),
        TEST_BOOTED(widths),
        TEST_BOOTED(in_order),
        TEST_BOOTED(updates),
        TEST_BOOTED(never_on_the_bus),
        TEST_BOOTED(absent),
        TEST_BOOTED(note),
        TEST_BOOTED(nobody_after_all),
    };

    return cmocka_run_group_tests_name("forward", tests, 0, 0);
}
