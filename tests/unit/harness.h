/*
 * harness.h: what every unit test includes. The real sources of src/, compiled for the host, on a fake CPU
 * (fake/cpu.h); harness.c stands in for the assembler: entry to C and back, the registers that live in the machine, the
 * SPR table.
 */
#ifndef HARNESS_H
#define HARNESS_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#include <cmocka.h>

#include "config.h"

#include "board.h"
#include "cpu.h"
#include "emulate.h"
#include "irq.h"
#include "partition.h"
#include "roads.h"
#include "timer.h"
#include "vcpu.h"

extern const uint16_t spr_table[128];

/* Every VM's image: one segment of code at ENTRY, one of data with .bss behind it. */
#define ENTRY      0x0100U /* from the start of its RAM */
#define DATA_AT    0x0800U
#define DATA_WORDS 4U
#define DATA_BSS   64U /* bytes */
#define R3(index)  (0x33330000U + (index))
extern const uint32_t fake_images[];
extern const uint32_t fake_images_size;

/* As after power-on: all of the hypervisor's data zero, the fake machine idle. A cmocka setup function. */
int machine_setup(void **state);

/* The same, and boot(), and the first VM runs. */
int machine_boot(void **state);
void machine_boot_at(uint32_t time);

/* Let slices end until v runs. */
void run_vm(const struct vcpu *v);

/* And all others wait for ever, so that no end of a slice is in the test's way. */
int machine_boot_alone(void **state);
void machine_boot_alone_at(uint32_t time);

/* What the assembler does with the answer of C: registers of another VM in, its PID, its pc. Returns next. */
struct vcpu *enter(struct vcpu *next);

/* The machine's PID while v runs. */
uint32_t context_pid(const struct vcpu *v);

/* Devices of the partition file that a VM owns; the last has size 0. */
extern const struct window {
    uint32_t vm, base, size;
} windows[];

/* Is the machine in the idle loop? */
bool is_idle(void);

/* v is a guest that waits for its PIT, with nothing pending; or that computes, and lets interrupts in. */
void waits(struct vcpu *v);
void computes(struct vcpu *v);

/*
 * Is there work to do for the VM, and is it its turn? enter() does all of it at once; `pieces` counts them. vcpu_reset(): the
 * VM restarts here and now, whoever runs. boot_all(): boot(), and all are loaded.
 */
bool is_at_work(const struct vcpu *v);
extern uint32_t pieces;
void finish_work(struct vcpu *v);
void vcpu_reset(struct vcpu *v, uint32_t cause);
struct vcpu *boot_all(void);

/* Does the guest reach its interrupt controller by DCRs? Registers of both kinds have the same number for what enables lines. */
#define IRQ_BY_DCR (IS_ENABLED(CONFIG_IRQ) && !IS_ENABLED(CONFIG_INTC_MMIO))
#define IRQ_ENABLE 2

/* By software, as a driver's test does: of the guest's lines these are enabled, and these are active. */
void irq_software(struct vcpu *v, uint32_t enabled, uint32_t active);

/* Machine address of guest-physical `address`; the word there. */
uint32_t machine_address(const struct vcpu *v, uint32_t address);
uint32_t guest_word(const struct vcpu *v, uint32_t address);
void set_guest_word(const struct vcpu *v, uint32_t address, uint32_t word);

/* The running guest executes `insn`, which traps with `esr`, on the road to emulate(). Returns who runs next. */
struct vcpu *run_insn(struct vcpu *v, uint32_t insn, uint32_t esr);

/*
 * What a guest's register file is a part of: with option IRFM the two pages, otherwise the file. sizeof(struct vcpu) bytes
 * either way; the files of all VMs follow each other.
 */
uint32_t *file_of(const struct vcpu *v);

/*
 * remember() keeps all of the machine and the guests. was(v) is the register file as it was then, fake_was() the machine;
 * the test writes into them what has to be different now. assert_as_before() then compares every word. recall() goes back.
 */
void remember(void);
void recall(void);
struct vcpu *was(const struct vcpu *v);
struct fake *fake_was(void);
void assert_as_before(void);
void assert_others_as_before(const struct vcpu *v); /* other VMs' files and memory, static rows of the TLB */

/* tlb_rows, for a test that changes it; behind the last one more, for a search that goes too far: nobody's, or as a test says. */
extern struct tlb_row partition_rows[TLB_ROW_COUNT + 1];

/* The images that the sources see as vm_image: a test may give them a pre-virtualization table. */
extern struct vm_image vm_image_storage[];

/* `code` must reset the machine. */
#define EXPECT_MACHINE_RESET(code)                                                                                \
    do {                                                                                                          \
        fake.reset_expected = true;                                                                               \
        if (setjmp(fake.reset_jump) == 0) {                                                                       \
            code;                                                                                                 \
            fail_msg("the machine was not reset");                                                                \
        }                                                                                                         \
        fake.reset_expected = false;                                                                              \
    } while (0)

/* INSN("lwz 3, 0(4)"): its encoding, by GNU as: encode.py finds the calls and assembles them at build time. */
uint32_t insn_word(const char *text);
#define INSN(text) insn_word(text)
extern const uint32_t mfspr_r5[1024], mtspr_r5[1024]; /* mfspr 5, N and mtspr N, 5 for every N, by GNU as */

/* Another register in the field of rT or rS, rA. */
uint32_t with_rt(uint32_t insn, uint32_t reg);
uint32_t with_ra(uint32_t insn, uint32_t reg);

/*
 * covered("spr.%s", name): this row of a table has been tested. Call it behind the last assertion about the row. With
 * PROTEUS_COVERAGE=<file> in the environment the names are added to that file, for tests/coverage.py.
 */
void covered(const char *format, ...) __attribute__((format(printf, 1, 2)));

/* The same pseudo-random numbers in every run. */
uint32_t random_word(void);

/* Test fixtures */
#define TEST_BOOTED(f) cmocka_unit_test_setup(f, machine_boot)
#define TEST_ALONE(f)  cmocka_unit_test_setup(f, machine_boot_alone)
#define COUNT(array)   (sizeof(array) / sizeof((array)[0]))

#define assert_hex(actual, expected) assert_hex_at((actual), (expected), #actual, __FILE__, __LINE__)
void assert_hex_at(uint32_t actual, uint32_t expected, const char *what, const char *file, int line);

#endif
