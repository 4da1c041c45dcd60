/*
 * message.c: see message.h. What a guest can bring about is kept, and said when the console has room: nobody waits for the
 * UART, but at the boot and at the end.
 */
#include "message.h"

#include "abi.h"
#include "board.h"
#include "console.h"
#include "control.h"
#include "cpu.h"
#include "emulate.h"
#include "memory.h"
#include "partition.h"
#include "tlb.h"

static const struct {
    uint32_t key;
    char name[8];
} mnemonics[] = {
#define ISA_HOT(mnemonic, op, xo, form, routine, manual) {(uint32_t)(op) << 26 | (xo) << 1, #mnemonic},
#define ISA_COLD ISA_HOT
#include "isa.def"
};

/* What is to be said of a VM. */
static struct note {
    const char *stop;  /* why it stopped, */
    uint32_t pc, insn; /* where; without an instruction: LR */
    bool has_insn;
    bool table_said;   /* a VM that restarts again and again must not make us print */
    const char *table; /* why its table is refused, */
    uint32_t row;      /* for which row */
    uint32_t lost_pc, lost_insn, lost_at; /* the first access that nobody answered */
    bool lost, lost_has_insn, lost_said;
} notes[VM_COUNT];

static const struct vcpu *focus; /* likewise: it has got the input */

void message_text(const char *text)
{
    for (; *text != 0; text++) { /* loop: longest.text */
        console_own((uint8_t)*text);
    }
}

void message_hex(uint32_t value)
{
    uint32_t i;

    for (i = 0; i < 8; i++) { /* loop: 8 */
        console_own((uint8_t)"0123456789abcdef"[value >> 28]);
        value <<= 4;
    }
}

void message_decimal(uint32_t value)
{
    char digits[11];
    char *digit = &digits[10];

    *digit = 0;
    do {
        *--digit = (char)('0' + value % 10);
        value /= 10;
    } while (value != 0); /* loop: 10 */
    message_text(digit);
}

void message_start(const char *kind, const struct vcpu *v)
{
    const char *name = vm_config[vcpu_index(v)].name;
    uint32_t i;

    message_text("[proteus] ");
    message_text(kind);
    for (i = 0; i < VM_NAME_SIZE && name[i] != 0; i++) { /* loop: VM_NAME_SIZE */
        console_own((uint8_t)name[i]);
    }
}

/* The mnemonic, if it is one of the instructions that trap. */
static void message_insn(uint32_t insn)
{
    uint32_t i;

    for (i = 0; i < sizeof(mnemonics) / sizeof(mnemonics[0]); i++) { /* loop: bytes.mnemonics / 8 */
        if (mnemonics[i].key == (insn & 0xFC0007FE)) {
            message_text(" ("); /* once: each key is of one row */
            message_text(mnemonics[i].name); /* once: likewise */
            message_text(")"); /* once: likewise */
        }
    }
}

bool message_insn_of(const struct vcpu *v, uint32_t *insn)
{
    uint32_t address = v->pc, esr;

    if (tlb_translate(v, TLB_FETCH, &address, &esr) != 0 || !memory_contains(v, address)) {
        return false;
    }
    *insn = cpu_read32(address + v->ram_offset);
    return true;
}

static void say_where(uint32_t pc, bool has_insn, uint32_t insn)
{
    message_text(" pc=");
    message_hex(pc);
    message_text(has_insn ? " insn=" : " lr="); /* it has jumped where it has no memory: who sent it there? */
    message_hex(insn);
    if (has_insn) {
        message_insn(insn);
    }
    message_text(": ");
}

static void say_stop(const struct vcpu *v, const struct note *note)
{
    message_start("stop ", v);
    say_where(note->pc, note->has_insn, note->insn);
    message_text(note->stop);
}

static void say_lost(const struct vcpu *v, const struct note *note)
{
    message_start("note ", v);
    say_where(note->lost_pc, note->lost_has_insn, note->lost_insn);
    message_text("nobody answers at ");
    message_hex(note->lost_at);
}

static void say_table(const struct vcpu *v, const struct note *note)
{
    message_start("table ", v);
    message_text(" word ");
    message_decimal(note->row);
    message_text(" refused, runs unpatched: ");
    message_text(note->table);
}

void message_next(void)
{
    uint32_t i;

    for (i = 0; i < VM_COUNT; i++) { /* loop: VM_COUNT */
        struct note *note = &notes[i];

        if ((note->table == 0 && note->stop == 0 && !note->lost) || !console_has_said(&vcpu[i])) {
            continue;
        }
        if (note->table != 0) {
            say_table(&vcpu[i], note);
            note->table = 0;
        } else if (note->lost) {
            say_lost(&vcpu[i], note);
            note->lost = false;
        } else {
            say_stop(&vcpu[i], note);
            note->stop = 0;
        }
        message_text("\r\n");
        return;
    }
    if (focus != 0) {
        message_start("focus ", focus);
        if (console_focus_is_second()) {
            message_text(".1");
        }
        message_text("\r\n");
        focus = 0;
        return;
    }
    control_say();
}

void message_last(void)
{
    uint32_t i;

    for (i = 0; !IS_ENABLED(CONFIG_CONSOLE) && i < 3 * VM_COUNT; i++) { /* each note has three lines at most */
        message_next();
    }
}

void message_stop(struct vcpu *v, const char *reason)
{
    struct note *note = &notes[vcpu_index(v)];

    note->pc = v->pc;
    note->insn = v->lr;
    note->has_insn = message_insn_of(v, &note->insn);
    note->stop = reason;
    console_poll(); /* now, if there is room */
}

void message_note(struct vcpu *v, uint32_t address)
{
    struct note *note = &notes[vcpu_index(v)];

    if (!note->lost_said) {
        note->lost_said = true;
        note->lost = true;
        note->lost_pc = v->pc;
        note->lost_insn = v->lr;
        note->lost_has_insn = message_insn_of(v, &note->lost_insn);
        note->lost_at = address;
        console_poll();
    }
}

void message_table(const struct vcpu *v, uint32_t row, uint32_t reason)
{
    struct note *note = &notes[vcpu_index(v)];

    if (!note->table_said) {
        note->table_said = true;
        note->row = row;
        note->table = reason == PREVIRT_E_RANGE ? "outside the VM's memory" : "the code is another one";
        console_poll();
    }
}

void message_focus(const struct vcpu *v)
{
    focus = v;
}

void message_panic(const char *reason)
{
    console_flush();
    message_last();
    message_text("[proteus] panic: ");
    message_text(reason);
    message_text(" srr0=");
    message_hex(cpu_mfspr(SPRN_SRR0));
    message_text(" srr2=");
    message_hex(cpu_mfspr(SPRN_SRR2));
    message_text("\r\n");
    console_flush();
    board_reset();
}
