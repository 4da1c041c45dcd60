/*
 * message.c: see message.h. Waits for the UART: a guest stops once, and the last words of a panic must come out.
 */
#include "message.h"

#include "abi.h"
#include "board.h"
#include "console.h"
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

static void put(char c)
{
    while (board_uart_room() == 0) {
    }
    board_uart_send((uint8_t)c);
}

void message_text(const char *text)
{
    for (; *text != 0; text++) {
        put(*text);
    }
}

void message_hex(uint32_t value)
{
    uint32_t i;

    for (i = 0; i < 8; i++) {
        put("0123456789abcdef"[value >> 28]);
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
    } while (value != 0);
    message_text(digit);
}

void message_start(const char *kind, const struct vcpu *v)
{
    const char *name = vm_config[vcpu_index(v)].name;
    uint32_t i;

    message_text("[proteus] ");
    message_text(kind);
    for (i = 0; i < VM_NAME_SIZE && name[i] != 0; i++) {
        put(name[i]);
    }
}

/* The mnemonic, if it is one of the instructions that trap. */
static void message_insn(uint32_t insn)
{
    uint32_t i;

    for (i = 0; i < sizeof(mnemonics) / sizeof(mnemonics[0]); i++) {
        if (mnemonics[i].key == (insn & 0xFC0007FE)) {
            message_text(" (");
            message_text(mnemonics[i].name);
            message_text(")");
        }
    }
}

/* The word at the guest's pc, if that is in its RAM. Of any guest: it need not run, nor the machine have an entry for it. */
static bool insn_of(const struct vcpu *v, uint32_t *insn)
{
    uint32_t address = v->pc, esr;

    if (tlb_translate(v, TLB_FETCH, &address, &esr) != 0 || !memory_contains(v, address)) {
        return false;
    }
    *insn = cpu_read32(address + v->ram_offset);
    return true;
}

void message_stop(struct vcpu *v, const char *reason)
{
    uint32_t insn;

    console_flush(v);
    message_start("stop ", v);
    message_text(" pc=");
    message_hex(v->pc);
    if (insn_of(v, &insn)) {
        message_text(" insn=");
        message_hex(insn);
        message_insn(insn);
    } else { /* it has jumped where it has no memory: who sent it there? */
        message_text(" lr=");
        message_hex(v->lr);
    }
    message_text(": ");
    message_text(reason);
    message_text("\r\n");
}

void message_table(const struct vcpu *v, uint32_t row, uint32_t reason)
{
    static uint32_t said; /* by VM: a guest that restarts again and again must not make us print */
    uint32_t bit = 1U << vcpu_index(v);

    if ((said & bit) != 0) {
        return;
    }
    said |= bit;
    console_flush(v);
    message_start("table ", v);
    message_text(" word ");
    message_decimal(row);
    message_text(" refused, runs unpatched: ");
    message_text(reason == PREVIRT_E_RANGE ? "outside the VM's memory" : "the code is another one");
    message_text("\r\n");
}

void message_panic(const char *reason)
{
    console_flush(0);
    message_text("[proteus] panic: ");
    message_text(reason);
    message_text(" srr0=");
    message_hex(cpu_mfspr(SPRN_SRR0));
    message_text(" srr2=");
    message_hex(cpu_mfspr(SPRN_SRR2));
    message_text("\r\n");
    board_reset();
}
