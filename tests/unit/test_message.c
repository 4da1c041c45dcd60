/*
 * test_message.c: what the hypervisor says when a VM stops (option MESSAGES).
 *
 * covers: kconfig.MESSAGES
 */
#include "harness.h"

#include <string.h>

#include "console.h"
#include "message.h"

static void assert_output(const char *expected)
{
    console_flush();
    assert_string_equal(fake.output, expected);
    fake.output_length = 0;
    fake.output[0] = 0;
}

static void numbers(void **state)
{
    (void)state;
    message_hex(0);
    message_text(" ");
    message_hex(0xFEDCBA98);
    message_text(" ");
    message_decimal(0);
    message_text(" ");
    message_decimal(4294967295U);
    message_text(" ");
    message_decimal(1000000);
    message_text("\n");
    assert_output("00000000 fedcba98 0 4294967295 1000000\n");
}

/* VM, pc, instruction with its mnemonic, reason; a name of eight letters has no end of its own. */
static void stop_line(void **state)
{
    struct vcpu *v = &vcpu[2];

    (void)state;
    v->pc = 0x240;
    set_guest_word(v, v->pc, INSN("tlbsx. 3, 4, 5"));
    message_stop(v, "because");
    assert_output("[proteus] stop gammagam pc=00000240 insn=7c642f25 (tlbsx): because\n");
    set_guest_word(v, v->pc, 0);
    message_stop(v, "because");
    assert_output("[proteus] stop gammagam pc=00000240 insn=00000000: because\n");
}

/* pc outside its memory: there is no instruction to show, but who may have jumped there. */
static void stop_outside(void **state)
{
    struct vcpu *v = &vcpu[1];

    (void)state;
    v->pc = 0x00000100;
    v->lr = 0x00C0FFEE;
    message_stop(v, "x");
    assert_output("[proteus] stop beta pc=00000100 lr=00c0ffee: x\n");
}

/* Every mnemonic of the table. */
static void mnemonics(void **state)
{
    static const struct {
        uint32_t word;
        const char *text;
    } rows[] = {
#define ISA_HOT(mnemonic, op, xo, form, routine, manual) {(uint32_t)(op) << 26 | (xo) << 1, " (" #mnemonic "): "},
#define ISA_COLD ISA_HOT
#include "isa.def"
    };
    struct vcpu *v = &vcpu[0];
    size_t i;

    (void)state;
    v->pc = vm_config[0].ram_guest + 0x240;
    for (i = 0; i < COUNT(rows); i++) {
        set_guest_word(v, v->pc, rows[i].word | 0x03FFF800);
        message_stop(v, "");
        console_flush();
        if (strstr(fake.output, rows[i].text) == 0) {
            fail_msg("%s, not%s", fake.output, rows[i].text);
        }
        fake.output_length = 0;
    }
}

static void panic(void **state)
{
    (void)state;
    fake.spr[SPRN_SRR0] = 0x11112222;
    fake.spr[SPRN_SRR2] = 0x33334444;
    fake.shifting = 5;
    EXPECT_MACHINE_RESET(message_panic("why"));
    assert_int_equal(fake.shifting, 0); /* to the last byte */
    fake.room = 0; /* nothing is left */
    assert_output("[proteus] panic: why srr0=11112222 srr2=33334444\n");
}

/* A stop is told once, and nothing else a guest does. */
static void guest_cannot_make_it_talk(void **state)
{
    struct vcpu *v = current;
    uint32_t i;

    (void)state;
    for (i = 0; i < 5000; i++) {
        v->pc = vm_config[v->machine_pid - 1].ram_guest + 0x200;
        v->evpr = 0;
        v->msr = 0;
        run_insn(v, 31U << 26 | (random_word() & 0x03FFF801), ESR_PIL); /* extended opcode 0: none of ours */
    }
    assert_output("");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST_BOOTED(numbers),
        TEST_BOOTED(stop_line),
        TEST_BOOTED(stop_outside),
        TEST_BOOTED(mnemonics),
        TEST_BOOTED(panic),
        TEST_BOOTED(guest_cannot_make_it_talk),
    };

    return cmocka_run_group_tests_name("message", tests, 0, 0);
}
