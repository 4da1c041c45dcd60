/*
 * test_message.c: what the hypervisor says when a VM stops (option MESSAGES).
 *
 * covers: kconfig.MESSAGES
 */
#include "harness.h"

#include <string.h>

#include "abi.h"
#include "console.h"
#include "message.h"

static void assert_output(const char *expected)
{
    console_flush();
    message_last();
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

/* A line that is on its way out is out before the next one begins. */
static void one_behind_the_other(void **state)
{
    (void)state;
    message_text("the first is half out\n");
    console_poll();
    message_text("the second\n");
    assert_output("the first is half out\nthe second\n");
}

/* VM, pc, instruction with its mnemonic, reason; a name of eight letters has no end of its own. */
static void stop_line(void **state)
{
    struct vcpu *v = &vcpu[2];

    (void)state;
    if (!IS_ENABLED(CONFIG_CONSOLE)) {
        skip();
    }
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
    if (!IS_ENABLED(CONFIG_CONSOLE)) {
        skip();
    }
    v->pc = 0x00000100;
    v->lr = 0x00C0FFEE;
    message_stop(v, "x");
    assert_output("[proteus] stop beta pc=00000100 lr=00c0ffee: x\n");
}

/* The three that there can be of a VM, in this order. */
static void all_notes(struct vcpu *v, char *expected)
{
    const char *name = vm_config[v - vcpu].name;

    v->pc = vm_config[v - vcpu].ram_guest + 0x240;
    set_guest_word(v, v->pc, INSN("tlbsx. 3, 4, 5"));
    v->lr = 0x00C0FFEE + (uint32_t)(v - vcpu);
    message_table(v, 17, PREVIRT_E_RANGE);
    sprintf(expected, "[proteus] table %.8s word 17 refused, runs unpatched: outside the VM's memory\n", name);
    message_note(v, 0x12345678);
    sprintf(expected + strlen(expected), "[proteus] note %.8s pc=%08x insn=7c642f25 (tlbsx): nobody answers at 12345678\n", name,
            v->pc);
    v->pc = 0xFFFF0000;
    message_note(v, 0); /* one of all its lives */
    message_table(v, 18, PREVIRT_E_RANGE);
    message_stop(v, "because");
    sprintf(expected + strlen(expected), "[proteus] stop %.8s pc=ffff0000 lr=%08x: because\n", name, v->lr);
}

/* The console has room: it begins, and nobody has to come by first. */
static void at_once(void **state)
{
    char expected[512];

    if (!IS_ENABLED(CONFIG_CONSOLE)) {
        skip();
    }
    message_stop(&vcpu[1], "because");
    assert_string_equal(fake.output, "[proteus] stop b"); /* as much as goes out at a time */
    machine_boot(state);
    message_note(&vcpu[1], 0);
    assert_string_equal(fake.output, "[proteus] note b");
    machine_boot(state);
    message_table(&vcpu[1], 0, PREVIRT_E_RANGE);
    assert_string_equal(fake.output, "[proteus] table ");
    console_flush();
    machine_boot(state);
    all_notes(&vcpu[1], expected);
    assert_output(expected);
}

/* Without a console the UART was a VM's: all of it comes at the end. */
static void at_the_end(void **state)
{
    char expected[VM_COUNT * 512] = "";
    uint32_t i;

    (void)state;
    if (IS_ENABLED(CONFIG_CONSOLE)) {
        skip();
    }
    for (i = 0; i < VM_COUNT; i++) {
        all_notes(&vcpu[i], expected + strlen(expected));
    }
    assert_string_equal(fake.output, "");
    message_last();
    assert_string_equal(fake.output, expected);
    message_last();
    assert_string_equal(fake.output, expected);
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
        message_last();
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
        TEST_BOOTED(one_behind_the_other),
        TEST_BOOTED(stop_line),
        TEST_BOOTED(stop_outside),
        TEST_BOOTED(at_once),
        TEST_BOOTED(at_the_end),
        TEST_BOOTED(mnemonics),
        TEST_BOOTED(panic),
        TEST_BOOTED(guest_cannot_make_it_talk),
    };

    return cmocka_run_group_tests_name("message", tests, 0, 0);
}
